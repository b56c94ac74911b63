"""Files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import glob
import hashlib
import os
import secrets
import shutil
from typing import IO, TYPE_CHECKING, Self

import filelock

from bounceanalytics.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_PART, _LOCK = ".part", ".lock"  # suffixes of a hidden folder and of the file that tells that it is in use


class SummedFile:
    """A new file that knows its size and checksum.

    Attributes
    ----------
    bytes : int
        Written so far.
    """

    def __init__(self, path: Path) -> None:
        self._raw: IO[bytes] = path.open("wb")
        self._digest = hashlib.sha256()
        self.bytes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._raw.close()

    def write(self, data: bytes | memoryview) -> None:
        """Write all of it."""
        self._raw.write(data)
        self._digest.update(data)
        self.bytes += len(data)

    @property
    def sha256(self) -> str:
        """SHA-256 of what was written so far."""
        return self._digest.hexdigest()


def refuse_existing(paths: Iterable[Path], *, overwrite: bool, source: Path | None = None) -> None:
    """Raise if writing these files would replace one, or the source that they are made from.

    Parameters
    ----------
    paths : iterable of Path
    overwrite : bool
        Whether files may be replaced; the source never may.
    source : Path, optional

    Raises
    ------
    OutputError
    """
    paths = list(paths)
    for path in paths:
        if source is not None and path.exists() and source.exists() and path.samefile(source):
            raise OutputError(f"{path} is the list itself; write to another folder")
    there = [path for path in paths if path.exists()]
    if there and not overwrite:
        more = f" and {len(there) - 1} more" if len(there) > 1 else ""
        raise OutputError(
            f"{there[0]}{more} is there already; say overwrite=True to replace it, or write elsewhere"
        )
    folders = [path for path in there if path.is_dir()]
    if folders:
        raise OutputError(f"{folders[0]} is a folder and cannot be replaced by a file")


@contextlib.contextmanager
def whole_files(folder: Path, *, last: str | None = None) -> Iterator[Path]:
    """Yield a fresh folder; what it holds afterwards moves into ``folder``, whole files only.

    Parameters
    ----------
    folder : Path
        Made if it is not there, in one step with its files. Otherwise files move in one by one and replace those of
        the same name.
    last : str, optional
        The file that moves last, so that who sees it sees all of one set. An old one goes first: if the process is
        killed between two moves, it is missing.

    Yields
    ------
    Path
        A hidden folder on the same file system. An error or an interrupt removes it and leaves ``folder`` as it was.
        A killed process leaves the hidden folder behind, and no part of a file under its final name; the next one
        that writes there removes it.

    Raises
    ------
    OutputError
        If something cannot be written.
    """
    home = folder if folder.is_dir() else folder.parent
    part = home / f".{folder.name}.{secrets.token_hex(4)}{_PART}"
    try:
        home.mkdir(parents=True, exist_ok=True)
        with _locked(part):
            for place in {home, folder.parent}:
                _remove_leftovers(place, folder.name, part)
            try:
                part.mkdir()
                yield part
                _move(part, folder, last)
            finally:
                shutil.rmtree(part, ignore_errors=True)
    except OSError as error:
        if isinstance(error, OutputError) or error.errno is None:
            raise  # already a sentence of ours
        raise OutputError(f"{folder} cannot be written: {error.strerror}") from error


def _move(part: Path, folder: Path, last: str | None) -> None:
    names = sorted((path.name for path in part.iterdir()), key=lambda name: (name == last, name))
    for name in names:
        _flush(part / name)
    _flush(part)
    if folder.is_dir():
        if last is not None and (folder / last).exists():
            (folder / last).unlink()
            _flush(folder)  # also after a power cut, no file of the new set stands beside the old last one
        for name in names:
            if name == last:
                _flush(folder)
            (part / name).replace(folder / name)
    else:
        part.rename(folder)
    _flush(folder)
    _flush(folder.parent)


@contextlib.contextmanager
def _locked(part: Path) -> Iterator[None]:
    """Hold a lock that tells others that a hidden folder is in use; the system drops it when the process dies."""
    path = part.with_suffix(_LOCK)
    try:
        with filelock.FileLock(path):
            yield
    finally:
        path.unlink(missing_ok=True)


def _remove_leftovers(home: Path, name: str, own: Path) -> None:
    """Remove the hidden folders of processes that were killed: those whose lock nobody holds."""
    for lock in home.glob(f".{glob.escape(name)}.*{_LOCK}"):
        part = lock.with_suffix(_PART)
        if part == own:
            continue
        with contextlib.suppress(OSError, filelock.Timeout):
            with filelock.FileLock(lock, blocking=False):
                shutil.rmtree(part, ignore_errors=True)
            lock.unlink(missing_ok=True)


def _flush(path: Path) -> None:
    """Have the system put a file, or the names in a folder, on the disk."""
    if path.is_dir() and os.name == "nt":
        return  # Windows has no such thing for folders
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

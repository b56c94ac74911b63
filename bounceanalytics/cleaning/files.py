"""Files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from typing import TYPE_CHECKING

from bounceanalytics.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path


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
        The file that moves last, so that who sees it sees all. An old one goes first.

    Yields
    ------
    Path
        A hidden folder on the same file system. An error or an interrupt removes it and leaves ``folder`` as it was;
        a killed process leaves the hidden folder behind, and no file under its final name.

    Raises
    ------
    OutputError
        If something cannot be written.
    """
    part = (folder if folder.is_dir() else folder.parent) / f".{folder.name}.{secrets.token_hex(4)}.part"
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        part.mkdir()
        yield part
        names = sorted((path.name for path in part.iterdir()), key=lambda name: (name == last, name))
        for name in names:
            _flush(part / name)
        _flush(part)
        if folder.is_dir():
            if last is not None:
                (folder / last).unlink(missing_ok=True)
            for name in names:
                (part / name).replace(folder / name)
        else:
            part.rename(folder)
        _flush(folder if folder.is_dir() else folder.parent)
        _flush(folder.parent)
    except OSError as error:
        if isinstance(error, OutputError) or error.errno is None:
            raise  # already a sentence of ours
        raise OutputError(f"{folder} cannot be written: {error.strerror}") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _flush(path: Path) -> None:
    """Have the system put a file, or the names in a folder, on the disk."""
    if path.is_dir() and os.name == "nt":
        return  # Windows has no such thing for folders
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

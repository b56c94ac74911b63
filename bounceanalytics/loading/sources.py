"""Whatever a caller hands in -> files that the engine can read. Opening is not parsing."""

from __future__ import annotations

import glob
import gzip
import io
import os
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from bounceanalytics.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator

#: How much of a file is looked at to tell what it is.
HEAD_SIZE = 256 * 1024

_GZIP_MAGIC = b"\x1f\x8b"
_COPY_SIZE = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Source:
    """One file on disk.

    Attributes
    ----------
    name : str
        What the ``source`` column says.
    path : str
        Where it is; a temporary file where the caller gave bytes or an open file.
    size : int
        Bytes on disk.
    gzipped : bool
        Found from the first bytes, never from the name.
    alone : bool
        The caller named this very file, so that it must be an export; False if it was met in a folder or a glob.
    """

    name: str
    path: str
    size: int
    gzipped: bool
    alone: bool

    def open(self) -> IO[bytes]:
        """Open it for reading unpacked bytes."""
        if self.gzipped:
            return cast("IO[bytes]", gzip.open(self.path, "rb"))
        return Path(self.path).open("rb")

    def head(self) -> bytes:
        """Return the first unpacked bytes; of a damaged archive, as many as there are."""
        with self.open() as stream:
            return read_up_to(stream, HEAD_SIZE)


def read_up_to(stream: IO[bytes], size: int) -> bytes:
    """Read ``size`` bytes, or fewer where the stream ends or is damaged."""
    parts = []
    left = size
    while left > 0:
        try:
            # in small steps, since gzip gives nothing of a step that meets the damage
            part = stream.read(min(left, 4096))
        except (EOFError, zlib.error, gzip.BadGzipFile):
            break
        if not part:
            break
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def open_sources(source: Any, folder: str) -> list[Source]:
    """Return the files that ``source`` stands for.

    Parameters
    ----------
    source : str, path, bytes, binary file, or a list of these
        A file, a folder (with all that is in it), a glob, the content itself or an open file.
    folder : str
        A temporary folder for content that is not on disk.

    Raises
    ------
    SourceError
        If there is nothing there, or it cannot be read.
    """
    if isinstance(source, (list, tuple, set, frozenset)):
        found = [one for item in source for one in open_sources(item, folder)]
        if not found:
            raise SourceError("the list of sources is empty; name at least one file")
        return found
    if isinstance(source, (bytes, bytearray, memoryview)):
        return [_spool(io.BytesIO(source), "<bytes>", folder)]
    if hasattr(source, "read"):
        name = getattr(source, "name", None)
        return [_spool(source, name if isinstance(name, str) else "<stream>", folder)]
    if isinstance(source, (str, os.PathLike)):
        return list(_on_disk(os.fspath(source)))
    raise SourceError(
        f"cannot read from {type(source).__name__}; give a path, a folder, bytes or an open file"
    )


def _on_disk(text: str | bytes) -> Iterator[Source]:
    name = os.fsdecode(text)
    path = Path(name).expanduser()
    if path.is_dir():
        files = sorted(one for one in path.rglob("*") if one.is_file())
        if not files:
            raise SourceError(f"the folder {name} holds no files")
        for one in files:
            yield _file(one, one.relative_to(path).as_posix(), alone=False)
    elif path.exists():
        yield _file(path, name, alone=True)
    elif glob.has_magic(name):
        matches = sorted(Path(one) for one in glob.glob(str(path), recursive=True))  # noqa: PTH207 - also absolute ones
        files = [one for one in matches if one.is_file()]
        if not files:
            raise SourceError(f"no file matches {name}")
        for one in files:
            yield _file(one, str(one), alone=False)
    else:
        raise SourceError(f"there is no file or folder {_shortened(name)}")


def _shortened(name: str) -> str:
    # someone may have passed the content of an export where its path belongs
    return name if len(name) <= 200 and "\n" not in name else f"of that name ({len(name):,} characters long)"


def _file(path: Path, name: str, *, alone: bool) -> Source:
    try:
        with path.open("rb") as stream:
            magic = stream.read(2)
        return Source(name, str(path), path.stat().st_size, magic == _GZIP_MAGIC, alone)
    except OSError as error:
        raise SourceError(f"cannot open {name}: {error.strerror or error}") from error


def _spool(stream: Any, name: str, folder: str) -> Source:
    """Copy a stream to disk, where the engine reads it with all its threads."""
    path = Path(folder) / f"source-{sum(1 for _ in Path(folder).iterdir())}"
    with path.open("wb") as copy:
        while part := stream.read(_COPY_SIZE):
            if isinstance(part, str):
                raise SourceError(f"{name} is open as text; open it in binary mode, open(path, 'rb')")
            copy.write(part)
    return _file(path, name, alone=True)

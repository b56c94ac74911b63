"""Slices: bounded pieces of any amount of exports, as parts of the work of many machines.

A slice is a range of the bytes of one large file, or a group of small files. A gzip file has ranges where it was put
together of members that end with a line.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bounceanalytics.datasets import STATE
from bounceanalytics.errors import BounceAnalyticsError, SourceError
from bounceanalytics.loading.account import Account
from bounceanalytics.loading.finding import find
from bounceanalytics.opening import archives
from bounceanalytics.opening.encodings import is_settled
from bounceanalytics.opening.members import line_start
from bounceanalytics.opening.places import Given, given_files, is_url, listed_url, reason
from bounceanalytics.opening.sources import open_given
from bounceanalytics.privacy import shown
from bounceanalytics.temporary import temporary_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO

    from bounceanalytics.loading.found import Found

_COPIED = 4 * 1024**2  # bytes of a range at a time
_HEAD = 1024**2
_UNPACKED = 10  # bytes of text for each byte of a gzip file; exports reach 10 to 30


@dataclass(frozen=True)
class Piece:
    """A file, or the lines that begin in a range of its bytes; of a gzip file, its members.

    Attributes
    ----------
    name : str
        What the ``source`` column says.
    path : str
        A path that every worker can read, or a URL.
    size : int
        Bytes of it.
    stamp : str
        What changes when the file does.
    alone : bool
        The caller named this very file, so that it must be an export.
    problem : str
        Why it cannot be read.
    start, stop : int
        The range; all of the file where ``found`` is missing.
    found : Found, optional
        What the whole file is, of which this is a range.
    packed : bool
        It is a range of a gzip file.
    """

    name: str
    path: str
    size: int
    stamp: str = ""
    alone: bool = True
    problem: str = ""
    start: int = 0
    stop: int = 0
    found: Found | None = None
    packed: bool = False


@dataclass(frozen=True)
class Slice:
    """Pieces that are read one after the other, as one part of the work; ``number`` says which in their order."""

    number: int
    pieces: tuple[Piece, ...]

    @property
    def size(self) -> int:
        """Bytes of it."""
        return sum(piece.stop - piece.start if piece.found else piece.size for piece in self.pieces)

    def file(self, out: Path, options: Options) -> Path:
        """Return where its rows are written; another place for other content or options."""
        pieces = [
            (one.name, one.path, one.size, one.stamp, one.start, one.stop, one.packed) for one in self.pieces
        ]
        told = json.dumps([pieces, options.facts], sort_keys=True)
        digest = hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:16]
        return out / STATE / "slices" / f"slice-{self.number:06d}-{digest}.parquet"


@dataclass(frozen=True)
class Options:
    """How slices are read."""

    provider: str | None = None
    deduplicate: bool = True
    timezone: str | None = None
    dayfirst: bool | None = None
    partitions: int = 1
    threads: int = 0  # of the engine; as many as there are cores if 0

    @property
    def facts(self) -> dict[str, Any]:
        """What the rows depend on, as plain values."""
        return {
            "provider": self.provider,
            "deduplicate": self.deduplicate,
            "timezone": self.timezone,
            "dayfirst": self.dayfirst,
            "partitions": self.partitions,
        }


# what to do


def slices_of(source: Any, size: int, provider: str | None = None) -> list[Slice]:
    """Return the slices of files, of about so many bytes each.

    Files are only listed, and the beginning of large ones is read.

    Raises
    ------
    SourceError
        If there is nothing, or something that only this process can read.
    """
    found: list[Slice] = []
    group: list[Piece] = []

    def close() -> None:
        if group:
            found.append(Slice(len(found), tuple(group)))
            group.clear()

    # a file that is named twice is one
    for piece in {piece.path: piece for piece in _files(source)}.values():
        if group and sum(one.size for one in group) + piece.size > size:
            close()
        ranges = _ranges(piece, size, provider)
        for one in ranges:
            group.append(one)
            if len(ranges) > 1:
                close()
    close()
    return found


def _files(source: Any) -> Iterator[Piece]:
    """Yield the files that a source stands for, without reading them."""
    if isinstance(source, (list, tuple)):
        for item in source:
            yield from _files(item)
        return
    if isinstance(source, str) and is_url(source):
        system, files, alone = listed_url(source)
        for path, name in files:
            about = system.info(path)
            stamp = str(
                about.get("ETag") or about.get("mtime") or about.get("updated") or about.get("created") or ""
            )
            yield Piece(name, system.unstrip_protocol(path), int(about["size"] or 0), stamp, alone)
        return
    with temporary_folder() as folder:
        for given in given_files(source, folder):
            if given.copied:
                raise SourceError(
                    f"{given.name} is not on a disk that every worker reads; give paths or URLs instead"
                )
            size, stamp = 0, ""
            if not given.problem:
                facts = given.path.stat()
                size, stamp = facts.st_size, str(facts.st_mtime_ns)
            yield Piece(given.name, str(given.path.absolute()), size, stamp, given.alone, given.problem)


def _ranges(piece: Piece, size: int, provider: str | None) -> list[Piece]:
    """Return the ranges of a large file whose records are lines, else the file."""
    packed = piece.size * _UNPACKED > size and _is_gzip(piece)
    count = -(-piece.size * (_UNPACKED if packed else 1) // size)
    found = _plain(piece, provider, packed) if count > 1 else None
    if found is None:
        return [piece]
    edges = [piece.size * number // count for number in range(count + 1)]
    if packed:
        with _opened(piece) as stream:
            starts = {line_start(stream, start, stop) for start, stop in pairwise(edges)}
        edges = [0, *sorted(start for start in starts if start), piece.size]
    ranges = [
        replace(piece, start=start, stop=stop, found=found, packed=packed) for start, stop in pairwise(edges)
    ]
    return ranges if len(ranges) > 1 else [piece]


def _is_gzip(piece: Piece) -> bool:
    if piece.problem:
        return False
    with _opened(piece) as stream:
        return archives.kind_of(stream.read(archives.MAGIC_SIZE), piece.size) == "gzip"


def _plain(piece: Piece, provider: str | None, packed: bool) -> Found | None:
    """Return what a file is of which each line is a record that the engine can read by itself."""
    with temporary_folder() as folder:
        head = Path(folder, "head")
        with _opened(piece) as raw, closing(archives.unpacking(raw, "gzip" if packed else "none")) as stream:
            head.write_bytes(archives.read_up_to(stream, _HEAD).rpartition(b"\n")[0] + b"\n")
        if not is_settled(head.read_bytes()[:4096]):
            return None
        sources = open_given(Given(piece.name, head, alone=False), folder)
        if len(sources) != 1 or sources[0].packing != "none" or Path(sources[0].path) != head:
            return None
        known = find(sources, [Account(piece.name)], provider, folder)
    return known[0][2] if known and known[0][2].plain else None


def _opened(piece: Piece) -> IO[bytes]:
    if is_url(piece.path):
        system, files, _ = listed_url(piece.path, one=True)
        stream: IO[bytes] = system.open(files[0][0], "rb")
        return stream
    return Path(piece.path).open("rb")


def fetched(piece: Piece, folder: str) -> Path:
    """Return a piece as a file on this machine."""
    if piece.found is None and not is_url(piece.path):
        return Path(piece.path)
    try:
        with tempfile.NamedTemporaryFile(dir=folder, delete=False) as out, _opened(piece) as stream:
            if piece.found is None:
                shutil.copyfileobj(stream, out, _COPIED)
            elif piece.packed:
                stream.seek(piece.start)
                _copy(stream, out, piece.stop - piece.start)
            else:
                _copy_lines(stream, out, piece.start, piece.stop)
    except BounceAnalyticsError:
        raise
    except Exception as error:  # each store raises what its own libraries do
        raise SourceError(f"cannot read {shown(piece.name)}: {reason(error)}") from None
    return _unpacked(Path(out.name), folder) if piece.packed else Path(out.name)


def _unpacked(path: Path, folder: str) -> Path:
    """Return the text of a gzip file; the file as it is where more is to be told of it."""
    try:
        with archives.open_packed(path, "gzip") as stream:
            text = archives.copy(stream, folder, archives.Budget(path.stat().st_size))
    except archives.RefusedError:
        return path
    archives.delete([path if text.complete else text.path])
    return text.path if text.complete else path


def _copy_lines(stream: IO[bytes], out: IO[bytes], start: int, stop: int) -> None:
    """Copy the lines that begin in a range of bytes."""
    if start:
        stream.seek(start - 1)
        start += len(stream.readline()) - 1
    if _copy(stream, out, stop - start) not in (b"", b"\n"):
        out.write(stream.readline())


def _copy(stream: IO[bytes], out: IO[bytes], left: int) -> bytes:
    """Copy so many bytes; return the last one, or nothing where there are fewer."""
    last = b"\n"
    while left > 0 and (block := stream.read(min(left, _COPIED))):
        out.write(block)
        left -= len(block)
        last = block[-1:]
    return b"" if left else last

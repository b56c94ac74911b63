"""Slices: bounded pieces of any amount of exports, as parts of the work of many machines.

A slice is a range of the bytes of one large file, or a group of small files.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bounceanalytics.datasets import STATE
from bounceanalytics.errors import BounceAnalyticsError, SourceError
from bounceanalytics.loading.account import Account
from bounceanalytics.loading.finding import find
from bounceanalytics.opening.encodings import is_settled
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


@dataclass(frozen=True)
class Piece:
    """A file, or the lines that begin in a range of its bytes.

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
        pieces = [(one.name, one.path, one.size, one.stamp, one.start, one.stop) for one in self.pieces]
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
        ranges = _ranges(piece, size, provider) if piece.size > size else [piece]
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
    found = _plain(piece, provider)
    if found is None:
        return [piece]
    count = -(-piece.size // size)
    edges = [piece.size * number // count for number in range(count + 1)]
    return [replace(piece, start=start, stop=stop, found=found) for start, stop in pairwise(edges)]


def _plain(piece: Piece, provider: str | None) -> Found | None:
    """Return what a file is of which each line is a record that the engine can read by itself."""
    with temporary_folder() as folder:
        head = Path(folder, "head")
        with _opened(piece) as stream:
            head.write_bytes(stream.read(_HEAD).rpartition(b"\n")[0] + b"\n")
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
            else:
                _copy_lines(stream, out, piece.start, piece.stop)
    except BounceAnalyticsError:
        raise
    except Exception as error:  # each store raises what its own libraries do
        raise SourceError(f"cannot read {shown(piece.name)}: {reason(error)}") from None
    return Path(out.name)


def first_byte(piece: Piece) -> int:
    """Return the byte at which the first line of a range begins."""
    if not piece.start:
        return 0
    with _opened(piece) as stream:
        stream.seek(piece.start - 1)
        return piece.start - 1 + _line_left(stream)


def _line_left(stream: IO[bytes]) -> int:
    """Read to the end of a line; return how many bytes that were."""
    return len(stream.readline())


def _copy_lines(stream: IO[bytes], out: IO[bytes], start: int, stop: int) -> None:
    """Copy the lines that begin in a range of bytes."""
    if start:
        stream.seek(start - 1)
        start += _line_left(stream) - 1
    left = stop - start
    last = b"\n"
    while left > 0 and (block := stream.read(min(left, _COPIED))):
        out.write(block)
        left -= len(block)
        last = block[-1:]
    if left == 0 and last != b"\n":
        out.write(stream.readline())

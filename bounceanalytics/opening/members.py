"""Members of a gzip file: each unpacks by itself, so that one file can be read from several places."""

from __future__ import annotations

import re
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import isal.isal_zlib

if TYPE_CHECKING:
    from collections.abc import Iterator

_isal: Any = isal.isal_zlib  # half of it has no types

# what a member begins with; other bytes may look the same, and do not unpack to a right check sum
_MARK = re.compile(rb"\x1f\x8b\x08[\x00-\x1f].{4}[\x00\x02\x04]", re.DOTALL)
_MARK_SIZE = 9
_BLOCK = 64 * 1024
_MOST = 64 * 1024**2  # bytes of text that are unpacked in search of one place


def line_start(stream: IO[bytes], start: int, stop: int) -> int | None:
    """Return where a member begins whose text begins a line; None where none is near.

    The text of a member goes on with that of the one before it, in the middle of a line perhaps: only where that one
    has been unpacked is known how it ends. So it is one behind a member that begins in a range of bytes.

    Parameters
    ----------
    stream : file object
        The gzip file, as it is.
    start, stop : int
    """
    left, seen = _MOST, start
    for place in _marks(stream, start, stop):
        if place < seen:  # within a member
            continue
        while left > 0 and (member := _member(stream, place, left)).size:
            left -= member.size
            if member.stop is None:
                break
            place = seen = member.stop  # noqa: PLW2901 - from one member to the next
            if member.last == b"\n" and _member(stream, place, 1).size:  # another one
                return place
    return None


class _Member(NamedTuple):
    size: int  # bytes of its text
    last: bytes  # of them
    stop: int | None  # None where it has no end, or none near


def _member(stream: IO[bytes], start: int, most: int) -> _Member:
    """Unpack what may be a member."""
    unpacking = _isal.decompressobj(wbits=31)
    size, last = 0, b""
    place = stream.seek(start)
    try:
        while size < most and (block := stream.read(_BLOCK)):
            place += len(block)
            text = unpacking.decompress(block)
            size, last = size + len(text), text[-1:] or last
            if unpacking.eof:
                return _Member(size, last, place - len(unpacking.unused_data))
    except _isal.error:
        pass
    return _Member(size, last, None)


def _marks(stream: IO[bytes], start: int, stop: int) -> Iterator[int]:
    """Yield where members may begin in a range of bytes."""
    place, kept = start, b""
    while place < stop:
        stream.seek(place)
        block = stream.read(min(_BLOCK, stop - place))
        if not block:
            return
        before, data = place - len(kept), kept + block
        yield from (before + found.start() for found in _MARK.finditer(data))
        place += len(block)
        kept = data[-(_MARK_SIZE - 1) :]

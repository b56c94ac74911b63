"""A file of lines, a block at a time: what the engine takes out of its lines, and the pieces of all others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from bounceanalytics.loading.tolerant import is_value
from bounceanalytics.loading.unwrapping.peeling import LONGEST, Peel, Peeled
from bounceanalytics.opening.archives import Pieces
from bounceanalytics.opening.text import decoded

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO

    import duckdb
    from numpy.typing import NDArray

    from bounceanalytics.loading.unwrapping.pieces import Piece, Unwrapping
    from bounceanalytics.loading.unwrapping.walk import Walk

_BLOCK = 64 * 1024**2  # bytes; the engine takes a while to understand a query, whatever it reads
_STEP = 1024**2
_LONGEST_RUN = 64 * 1024**2  # bytes of damaged lines that are looked at together
_WRAPPERS = 4  # that lines of one file may have
_TRIES = 3  # lines of a block from which another wrapper is learnt


@dataclass(frozen=True, slots=True)
class Block:
    """Some lines of a file.

    Attributes
    ----------
    raw : bytes
    offset : int
        Where they begin in the file.
    ends : array of int
        Where each of them ends in ``raw``.
    peeled : list of Peeled
        What the engine has taken out of some.
    """

    raw: bytes
    offset: int
    ends: NDArray[np.int64]
    peeled: list[Peeled]

    def rest(self, taken: NDArray[np.bool_], unwrapping: Unwrapping) -> Iterator[tuple[int, list[Piece]]]:
        """Yield the pieces of lines that were not taken; each time the first one of those that follow one another."""
        edges = np.flatnonzero(np.diff(np.r_[True, taken, True].astype(np.int8)))
        starts = np.r_[0, self.ends]
        for first, last in edges.reshape(-1, 2).tolist():
            start, stop = int(starts[first]), int(starts[last])
            yield first, list(unwrapping.of_lines(self.raw[start:stop], self.offset + start))


def blocks(
    stream: IO[bytes], walk: Walk, engine: duckdb.DuckDBPyConnection, only: str = ""
) -> Iterator[Block]:
    """Yield the lines of a file; damaged ones that follow one another are in one block.

    The engine takes out events of the ESP ``only``, of any if empty.
    """
    peels: list[Peel] = []
    left, offset = b"", 0
    for more, ended in _whole_lines(stream):
        raw = left + more
        ends = np.flatnonzero(np.frombuffer(raw, np.uint8) == ord("\n")) + 1
        if len(raw) > (ends[-1] if len(ends) else 0):
            ends = np.r_[ends, len(raw)]
        peeled = _peeled(raw, ends, walk, engine, peels, only)
        left = b""
        if not ended:
            kept = _sound_lines(raw, ends, peeled)
            size = int(ends[kept - 1]) if kept else 0
            if len(raw) - size <= _LONGEST_RUN:
                raw, left, ends = raw[:size], raw[size:], ends[:kept]
        if len(raw):
            yield Block(raw, offset, ends, peeled)
        offset += len(raw)


def _whole_lines(stream: IO[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Yield the lines of a file, many at a time, and whether they are the last ones."""
    parts: list[bytes] = []
    size = 0
    for part in Pieces(stream, _STEP):
        parts.append(part)
        size += len(part)
        if size >= _BLOCK and (end := part.rfind(b"\n") + 1):
            parts[-1] = part[:end]
            yield b"".join(parts), False
            parts = [part[end:]]
            size = len(part) - end
    yield b"".join(parts), True


def _peeled(
    raw: bytes,
    ends: NDArray[np.int64],
    walk: Walk,
    engine: duckdb.DuckDBPyConnection,
    peels: list[Peel],
    only: str,
) -> list[Peeled]:
    """Return what the engine takes out of lines; ``peels`` are the wrappers that are known, and become more."""
    starts = np.r_[0, ends[:-1]]
    open_ = np.flatnonzero((ends - starts > 2) & (ends - starts <= LONGEST))
    lines = _texts(raw, ends)
    if lines is None:
        return []
    found: list[Peeled] = []

    def take(peel: Peel) -> bool:
        nonlocal open_
        before = len(found)
        for some in peel.peeled(lines, open_, engine):
            found.append(some)
            open_ = np.setdiff1d(open_, some.place, assume_unique=True)
        return len(found) > before

    for peel in peels:
        take(peel)
    tries = _TRIES
    while len(open_) and len(peels) < _WRAPPERS and tries:
        another = Peel.of(walk, decoded(raw[starts[open_[0]] : ends[open_[0]]]))
        if another is not None and only in {"", another.provider} and take(another):
            peels.append(another)
        else:
            open_, tries = open_[1:], tries - 1
    return found


def _texts(raw: bytes, ends: NDArray[np.int64]) -> pa.Array | None:
    """Return lines as texts, without a copy; None if they are not in UTF-8."""
    offsets = pa.py_buffer(np.r_[0, ends].astype(np.int64))
    lines = pa.Array.from_buffers(pa.large_string(), len(ends), [None, offsets, pa.py_buffer(raw)])
    try:
        lines.validate(full=True)
    except pa.ArrowInvalid:
        return None
    return lines


def _sound_lines(raw: bytes, ends: NDArray[np.int64], peeled: list[Peeled]) -> int:
    """Return how many lines there are up to the last one that is sound, so that no other goes on from it."""
    last = max((int(one.place[-1]) for one in peeled), default=-1)
    kept = len(ends)
    while kept - 1 > last:
        line = raw[ends[kept - 2] if kept > 1 else 0 : ends[kept - 1]]
        if is_value(decoded(line)):
            break
        kept -= 1
    return kept

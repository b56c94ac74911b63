"""Snappy, in the shapes that programs give it: one raw block, frames, or blocks behind their lengths (Hadoop, Kafka).

Arrow unpacks a block as a whole or not at all; of one that is damaged, this module finds how far it is sound.
"""

from __future__ import annotations

import contextlib
import re
import struct
from typing import IO, TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

_FRAMED = b"\xff\x06\x00\x00sNaPpY"
_XERIAL = b"\x82SNAPPY\x00"  # of snappy-java, as Kafka has it
_XERIAL_HEADER = 16

#: A raw block begins with nothing but its length, so that only its name tells what it is.
_NAMED = re.compile(r"\.(?:h?snappy|snz?|sz)$", re.IGNORECASE)

_MOST = 22  # times; three bytes give 64 at most
_FRAME = 65_536  # bytes in a frame at most
_HEAD = 16


def is_snappy(head: bytes, size: int, name: str) -> bool:
    """Return whether a file of ``size`` bytes is packed with Snappy, by its first bytes and its name."""
    if head.startswith((_FRAMED, _XERIAL)):
        return True
    return _is_hadoop(head, size) or (bool(_NAMED.search(name)) and _may_begin(head, size))


def _is_hadoop(head: bytes, size: int) -> bool:
    if len(head) < _HEAD:
        return False
    total, packed = struct.unpack(">II", head[:8])
    # it may be cut in its first block, which is of 256 KiB as a rule and may be of some MiB
    within = 0 < packed <= max(size, total + total // 6 + 32) and 0 < total < 2**28
    return within and _may_begin(head[8:], packed) and _length(head[8:])[0] <= total


def _may_begin(block: bytes, size: int) -> bool:
    """Return whether a block may begin so: with its length, and a piece that is no copy of what came before."""
    length, start = _length(block)
    return 0 < start < len(block) and 0 < length <= max(_MOST * size, _FRAME) and not block[start] & 3


def _length(block: bytes) -> tuple[int, int]:
    """Return the length that a block says it unpacks to, and where its pieces begin; 0 where it says none."""
    length = 0
    for place, byte in enumerate(block[:5]):
        length |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return length, place + 1
    return 0, 0


class Stream:
    """The unpacked bytes of a file that is packed with Snappy.

    Check sums of frames are not asked, since nothing that is installed with this package computes them quickly.

    Parameters
    ----------
    raw : binary file
    """

    def __init__(self, raw: IO[bytes]) -> None:
        self._blocks = _unpacked(raw)
        self._left = memoryview(b"")

    def read(self, size: int) -> bytes:
        """Return some of the bytes, ``size`` of them at most; none at the end.

        Raises
        ------
        EOFError
            Where the file is damaged or ends too early, when all before that has been given.
        """
        while not self._left:
            block = next(self._blocks, None)
            if block is None:
                return b""
            self._left = memoryview(block)
        piece, self._left = self._left[:size], self._left[size:]
        return bytes(piece)

    def close(self) -> None:
        """Give up what is not read."""
        self._blocks.close()


def _unpacked(raw: IO[bytes]) -> Generator[bytes]:
    head = raw.read(_HEAD)
    size = raw.seek(0, 2)
    raw.seek(0)
    if head.startswith(_FRAMED):
        yield from _frames(raw)
    elif head.startswith(_XERIAL):
        raw.seek(_XERIAL_HEADER)
        while packed := raw.read(4):
            yield from _block(raw, _number(packed))
    elif _is_hadoop(head, size):
        while start := raw.read(4):
            left = _number(start)
            while left > 0:
                for block in _block(raw, _number(raw.read(4))):
                    left -= len(block)
                    yield block
    else:
        yield from _block(raw, size)


def _frames(raw: IO[bytes]) -> Iterator[bytes]:
    while head := raw.read(4):
        kind, size = head[0], int.from_bytes(head[1:], "little")
        if len(head) < 4 or 0x02 <= kind < 0x80 or (kind < 0x02 and not 4 < size <= 2 * _FRAME):
            raise EOFError
        if kind == 0x00:
            raw.seek(4, 1)  # the check sum
            yield from _block(raw, size - 4)
        elif kind == 0x01:
            data = raw.read(size)
            yield data[4:]
            if len(data) < size:
                raise EOFError
        else:
            raw.seek(size, 1)  # padding, or the mark of a further file behind this one


def _number(data: bytes) -> int:
    if len(data) < 4:
        raise EOFError
    return int.from_bytes(data, "big")


def _block(raw: IO[bytes], size: int) -> Iterator[bytes]:
    """Yield what the next block unpacks to, as far as it is sound."""
    block = raw.read(size)
    length, start = _length(block)
    # a length that cannot be is not to be believed, nor the memory for it asked for
    if len(block) == size and 0 < length <= _MOST * size + _HEAD:
        with contextlib.suppress(OSError, pa.ArrowException):
            yield pa.decompress(block, length, "snappy", asbytes=True)
            return
    made, end, rest = _sound(block, start, length)
    if made:
        yield pa.decompress(_said(made) + block[start:end], made, "snappy", asbytes=True)
    yield rest
    if size:
        raise EOFError


def _sound(block: bytes, at: int, length: int) -> tuple[int, int, bytes]:
    """Return how much the sound pieces of a damaged block make, where they end, and what a cut one tells itself."""
    made = 0
    while made < length and at < len(block):
        tag = block[at]
        if tag & 3:  # a copy of what came before
            end = at + (2, 3, 5)[(tag & 3) - 1]
            size, back = 1 + (tag >> 2), int.from_bytes(block[at + 1 : end], "little")
            if tag & 3 == 1:
                size, back = 4 + (tag >> 2 & 7), back | tag >> 5 << 8
            if end > len(block) or not 0 < back <= made or made + size > length:
                break
        else:
            start = at + 1 + max((tag >> 2) - 59, 0)
            size = 1 + (int.from_bytes(block[at + 1 : start], "little") if tag >> 2 > 59 else tag >> 2)
            end = start + size
            if end > len(block) or made + size > length:
                return made, at, block[start : start + length - made]
        made, at = made + size, end
    return made, at, b""


def _said(length: int) -> bytes:
    """Return a length as a block begins with it."""
    said = bytearray()
    while length > 0x7F:
        said.append(length & 0x7F | 0x80)
        length >>= 7
    return bytes([*said, length])

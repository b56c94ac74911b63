"""Bytes as text: the byte order mark, the one way to decode, and looking at a file piece by piece.

A file that is damaged gives what could be unpacked of it, and then ends.
"""

from __future__ import annotations

import codecs
import contextlib
import io
import math
import re
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, AnyStr, Generic

import numpy as np

from bounceanalytics.opening.archives import DAMAGED, read_up_to

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO

    from numpy.typing import NDArray

BOM = codecs.BOM_UTF8
#: Signs that stand for nothing, whatever the form of a text.
BLANKS = b" \r\n"

#: Name of the way to deal with bytes that are not UTF-8, as of "strict" or "replace".
WESTERN = "bounceanalytics.western"

#: How JSON spells half of a character beyond the basic plane.
HALF_LETTER = re.compile(r"\\u[dD][89a-fA-F]")

_CHUNK = 1024 * 1024
_BLOCK = 16 * 1024**2
_SHORT = 64  # bytes; longer lines hold something


def is_blank(head: bytes) -> bool:
    r"""Return whether there is nothing in a text.

    >>> is_blank(BOM + b"  \r\n"), is_blank(b"\n,")
    (True, False)
    """
    return not head.removeprefix(BOM).strip(BLANKS)


def _western(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)  # noqa: S101
    return error.object[error.start : error.end].decode("cp1252", errors="replace"), error.end


codecs.register_error(WESTERN, _western)


def decoded(raw: bytes) -> str:
    """Return bytes as text; each byte that is not UTF-8 comes from a program that wrote Windows-1252.

    >>> decoded("naïve ".encode() + "café".encode("cp1252"))
    'naïve café'
    """
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return mended(raw)


def mended(raw: bytes) -> str:
    """Return bytes that are known not to be UTF-8 as :func:`decoded` does."""
    if raw.decode(
        "utf-8", errors="ignore"
    ).isascii():  # all of it is Windows-1252, so no byte need be asked for
        return raw.decode("cp1252", errors="replace")
    return raw.decode("utf-8", errors=WESTERN)


def unescaped(text: str) -> str:
    """Return text in which odd bytes stand as lone surrogates (``surrogateescape``) as :func:`decoded` gives it."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return decoded(text.encode("utf-8", "surrogateescape"))
    return text


def finite(digits: str) -> float | None:
    """Return the number that digits stand for, as JSON has it; None if it is too large to be one."""
    number = float(digits)
    return number if math.isfinite(number) else None


def read_line(stream: IO[bytes], longest: int = -1) -> bytes:
    """Read a line with its end, or the next ``longest`` bytes of it; nothing at the end."""
    try:
        return stream.readline(longest)
    except DAMAGED:
        return b""


def lines_of(stream: IO[bytes], longest: int = -1) -> Iterator[bytes]:
    """Yield lines with their ends; those that are longer in pieces."""
    while line := read_line(stream, longest):
        yield line


def lines_and_blanks(stream: IO[bytes]) -> Iterator[bytes]:
    r"""Yield lines with their ends; empty ones that follow one another, of which a filled hole has millions, together.

    >>> list(lines_and_blanks(io.BytesIO(b"a\n\n\n\nb\n")))
    [b'a\n', b'\n', b'\n\n', b'b\n']
    """
    stream = io.BufferedReader(stream) if isinstance(stream, io.BytesIO) else stream
    while line := read_line(stream):
        yield line
        if line == b"\n":
            yield from _empty_lines(stream)


def _empty_lines(stream: Any) -> Iterator[bytes]:
    with contextlib.suppress(*DAMAGED):
        while (ahead := stream.peek(_BLOCK)).startswith(b"\n"):
            yield stream.read(len(ahead) - len(ahead.lstrip(b"\n")))


def lines_at(stream: IO[bytes], numbers: NDArray[np.int64]) -> Iterator[bytes]:
    """Yield some lines by their numbers, from 1 and in order; those that hold nothing are not counted.

    Where lines end is found a block at a time, which is far quicker than to read them one by one.
    """
    before, rest = 0, b""
    while len(numbers):
        try:
            block = stream.read(_BLOCK)
        except DAMAGED:
            block = b""
        data = rest + (block or b"\n")
        ends = np.flatnonzero(np.frombuffer(data, np.uint8) == ord("\n"))
        starts = np.concatenate(([0], ends[:-1] + 1)) if len(ends) else ends
        lengths = ends - starts
        filled = lengths > 0
        short = np.flatnonzero(filled & (lengths < _SHORT))
        filled[short] = [not data[starts[at] : ends[at]].isspace() for at in short]
        starts, stops = starts[filled], ends[filled]
        here = numbers[: np.searchsorted(numbers, before + len(stops), side="right")]
        for at in here - before - 1:
            yield data[starts[at] : stops[at]]
        numbers = numbers[len(here) :]
        before += len(stops)
        rest = data[ends[-1] + 1 :] if len(ends) else data
        if not block:
            return


class Window(ABC, Generic[AnyStr]):
    """The part of a file that is being looked at.

    Parameters
    ----------
    stream : binary file
    chunk : int
        Bytes to read at a time; more where the text that is being looked at is longer.

    Attributes
    ----------
    text : bytes or str
        What has been read and is not done with, and perhaps some more before it.
    at : int
        What stands before this place in the text is done with.
    offset : int
        Of that place in the file, in bytes.
    ended : bool
        There is no more to read.
    """

    text: AnyStr
    _mark: AnyStr

    def __init__(self, stream: IO[bytes], chunk: int = _CHUNK) -> None:
        self._stream = stream
        self._chunk = chunk
        self.at = self.offset = 0
        self.ended = False
        self.text = self._taken(b"")
        self.more()
        if self.text.startswith(self._mark):
            self.step(1 if isinstance(self._mark, str) else len(BOM))

    @property
    def left(self) -> int:
        """How long the text from here on is."""
        return len(self.text) - self.at

    def more(self) -> bool:
        """Read on; return whether there was more. The step grows with the text, for it is looked at anew."""
        if self.ended:
            return False
        size = max(self._chunk, self.left)
        raw = read_up_to(self._stream, size)
        self.ended = len(raw) < size
        self.text, self.at = self.text[self.at :] + self._taken(raw), 0
        return bool(raw)

    def step(self, count: int) -> AnyStr:
        """Be done with the next ``count`` signs, or as many as there are, and return them."""
        piece = self.text[self.at : self.at + count]
        self.offset += self._size(piece)
        self.at += len(piece)
        return piece

    @abstractmethod
    def _taken(self, raw: bytes) -> AnyStr:
        """Return bytes that were read as this window's kind of text."""

    @abstractmethod
    def _size(self, piece: AnyStr) -> int:
        """Return how many bytes of the file a piece is."""


class ByteWindow(Window[bytes]):
    """The part of a file that is being looked at, in bytes."""

    _mark = BOM

    def _taken(self, raw: bytes) -> bytes:
        return raw

    def _size(self, piece: bytes) -> int:
        return len(piece)


class TextWindow(Window[str]):
    """The part of a file that is being looked at, as text; for odd bytes see :func:`unescaped`."""

    _mark = "\ufeff"

    def __init__(self, stream: IO[bytes], chunk: int = _CHUNK) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="surrogateescape")
        super().__init__(stream, chunk)

    def _taken(self, raw: bytes) -> str:
        return self._decoder.decode(raw, final=self.ended)

    def _size(self, piece: str) -> int:
        return len(piece) if piece.isascii() else len(piece.encode("utf-8", "surrogateescape"))

"""Recoding text to UTF-8 with line ends that the engine reads; the encoding is detected from content."""

from __future__ import annotations

import codecs
import itertools
import re
from typing import IO, NamedTuple

from bounceanalytics.opening.archives import Pieces, write
from bounceanalytics.opening.text import BOM, mended

_BLOCK = 1024**2
# a line may be longer; then it is judged in pieces of this size
_LONGEST_LINE = 64 * 1024**2

_MARKS = (
    (BOM, "utf-8"),
    # before UTF-16, whose mark this one begins with
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)

#: Encoding -> bytes of a character, and which of them is not 0 in plain ASCII text.
_SHAPES = {"utf-32-le": (4, 0), "utf-32-be": (4, 3), "utf-16-le": (2, 0), "utf-16-be": (2, 1)}

_BLANKS = "\t\n\r\f"  # the control characters of text
_TEXT = bytes(byte for byte in range(256) if byte >= 32 or chr(byte) in _BLANKS)
_ASCII = bytes(byte for byte in _TEXT if byte < 128)
_BEGINNING = 64  # bytes; no text in UTF-16 has as many without a zero, and all of them ASCII


class Script(NamedTuple):
    """Encoding of a text, and whether its lines end in CR alone."""

    encoding: str = "utf-8"
    cr: bool = False

    @property
    def notes(self) -> tuple[str, ...]:
        """Note for the account."""
        said = []
        if self.encoding != "utf-8":
            said.append(f"text in {self.encoding[:6].upper()}, read as such")
        if self.cr:
            said.append("lines that end in CR alone, as on an old Mac, read as such")
        return tuple(said)


PLAIN = Script()


def is_settled(head: bytes) -> bool:
    """Return whether a few bytes are enough to know that a file can be left as it is."""
    return b"\n" in head and b"\x00" not in head and not head.startswith((b"\xff\xfe", b"\xfe\xff"))


def script_of(head: bytes, *, whole: bool) -> Script:
    """Return how the text is written that begins with ``head``; what is no text is left alone as plain.

    Parameters
    ----------
    head : bytes
        Unpacked.
    whole : bool
        There is no more of it.
    """
    _, encoding = encoding_of(head)
    if encoding == "utf-8":
        # a CR at the end may be half of a line end
        shown = head if whole else head.removesuffix(b"\r")
        cr = (
            b"\r" in shown
            and b"\n" not in head
            and not head.startswith(b"%PDF")
            and not shown.translate(None, _TEXT)
        )
        return Script(encoding, cr)
    width, _ = _SHAPES[encoding]
    text = head[: len(head) // width * width].decode(encoding, "replace")
    return Script(encoding, "\n" not in text and "\r" in (text if whole else text.removesuffix("\r")))


def encoding_of(head: bytes) -> tuple[bytes, str]:
    """Return the byte order mark of a text, or nothing, and its encoding; what is no wider is called UTF-8."""
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return mark, encoding
    # to plain text, something in UTF-16 may have been appended: the end of a file does not tell how it begins
    if b"\x00" in head and head[:_BEGINNING].translate(None, _ASCII):
        for encoding, (width, place) in _SHAPES.items():
            if _is_written_in(head, encoding, width, place):
                return b"", encoding
    return b"", "utf-8"


def _is_written_in(head: bytes, encoding: str, width: int, place: int) -> bool:
    """Return whether text without a mark is in an encoding: an export's own words are ASCII, whatever it tells."""
    count = len(head) // width
    if not count:
        return False
    used = head[place : count * width : width]
    empty = [head[other : count * width : width].count(0) for other in range(width) if other != place]
    if min(empty) < 0.3 * count or used.count(0) > 0.05 * count:
        return False
    text = head[: count * width].decode(encoding, "replace")
    odd = sum(
        1 for character in text if (character < " " and character not in _BLANKS) or character == "\ufffd"
    )
    return odd <= 0.01 * len(text)


def to_utf8(stream: IO[bytes], out: IO[bytes], script: Script) -> None:
    """Write a text in UTF-8, its lines ending in LF."""
    wide = script.encoding != "utf-8"
    decoder = codecs.getincrementaldecoder(script.encoding)("replace")
    started = False
    held = b""  # a CR that an LF may follow
    for piece in itertools.chain(Pieces(stream, _BLOCK), [None]):
        data = piece or b""
        if wide:
            text = decoder.decode(data, final=piece is None)
            if text and not started:
                started, text = True, text.removeprefix("\ufeff")
            data = text.encode("utf-8")
        if script.cr:
            data = held + data
            held = b"\r" if data.endswith(b"\r") and piece is not None else b""
            data = _with_lf(data.removesuffix(held))
        write(out, data)


def _with_lf(data: bytes) -> bytes:
    """Turn each CR that stands alone into LF, so that every byte stays where it is."""
    return b"\r\n".join(part.replace(b"\r", b"\n") for part in data.split(b"\r\n"))


# text with holes

_HOLE = 64  # zeros: no program writes as many; a file system does, for what was never written
#: What a hole holds at least.
HOLE = bytes(_HOLE)
_RUN = re.compile(rb"\0{%d,}" % _HOLE)
#: What a hole has become at least; no record has as many empty lines.
FILLED_HOLE = "\n" * _HOLE
_VIEW = 256 * 1024  # stays in the processor while it is looked through


def holes(path: str) -> bool:
    """Return whether a file has long runs of zeros."""
    # every text is looked through, so in one buffer, of which the first bytes are the last ones of what was before
    seen = bytearray(_HOLE + _VIEW)
    seen[:_HOLE] = b"\n" * _HOLE
    place = memoryview(seen)[_HOLE:]
    with open(path, "rb", buffering=0) as raw:  # noqa: PTH123 - a path as the engine takes it
        while count := raw.readinto(place):
            end = _HOLE + count
            if seen.find(0, 0, end) >= 0 and _RUN.search(seen, 0, end):
                return True
            seen[:_HOLE] = seen[end - _HOLE : end]
    return False


def between_holes(head: bytes) -> bytes:
    """Return the beginning of a file without its long runs of zeros, the last of which may go on behind it."""
    return _RUN.sub(b"", head.rstrip(b"\0"))


def fill_holes(stream: IO[bytes], out: IO[bytes]) -> int:
    """Write a text with line ends for its long runs of zeros, so that each byte stays where it is; return how many."""
    count = 0
    held = b""  # zeros that may be the beginning of a long run
    within = False  # a long run goes on
    for piece in itertools.chain(Pieces(stream, _BLOCK), [b""]):
        data = held + piece
        rest = data.lstrip(b"\0") if within else data
        filled = b"\n" * (len(data) - len(rest))
        within = within and not rest
        held = rest[len(rest.rstrip(b"\0")) :] if piece else b""
        if len(held) >= _HOLE:
            within, held = True, b""
        rest = rest[: len(rest) - len(held)]
        filled += _RUN.sub(lambda run: b"\n" * len(run[0]), rest)
        count += filled.count(b"\n") - rest.count(b"\n")
        write(out, filled)
    return count


# text that claims to be UTF-8


def is_utf8(stream: IO[bytes]) -> bool:
    """Return whether all that a stream gives is UTF-8."""
    rest = b""
    try:
        for piece in Pieces(stream, _BLOCK):
            if rest or not piece.isascii():
                data = rest + piece
                rest = data[codecs.utf_8_decode(data, "strict", False)[1] :]
    except UnicodeDecodeError:
        return False
    return not rest


def mend(stream: IO[bytes], out: IO[bytes]) -> int:
    """Write a text as UTF-8: each byte that is not is read as Windows-1252; return how many lines have such bytes."""
    mender = _Mender(out)
    parts: list[bytes] = []
    length = 0
    for piece in Pieces(stream, _BLOCK):
        parts.append(piece)
        length += len(piece)
        end = piece.rfind(b"\n") + 1
        if length >= _BLOCK and end:
            parts[-1] = piece[:end]
            mender.take(b"".join(parts))
            parts = [piece[end:]]
        elif length >= _LONGEST_LINE:
            data = b"".join(parts)
            end = _whole_characters(data)
            mender.take(data[:end])
            parts = [data[end:]]
        else:
            continue
        length = len(parts[0])
    mender.take(b"".join(parts))
    return mender.count


class _Mender:
    """Writes lines, and counts those that had to be mended."""

    def __init__(self, out: IO[bytes]) -> None:
        self._out = out
        self._started = False
        self._counted = False  # the line that has not ended yet is mended already
        self.count = 0

    def take(self, data: bytes) -> None:
        if not self._started and data.startswith(BOM):
            # it would become three letters of the first line
            write(self._out, BOM)
            data = data[len(BOM) :]
        self._started = True
        if _is_valid(data):
            self._counted = self._counted and b"\n" not in data
            write(self._out, data)
            return
        lines = data.split(b"\n")
        for place, line in enumerate(lines):
            valid = _is_valid(line)
            if not valid:
                lines[place] = mended(line).encode("utf-8")
                self.count += not self._counted
            self._counted = not valid or (self._counted and place == 0)
            if place < len(lines) - 1:
                self._counted = False
        write(self._out, b"\n".join(lines))


def _is_valid(data: bytes) -> bool:
    try:
        return data.isascii() or data.decode("utf-8") is not None
    except UnicodeDecodeError:
        return False


def _whole_characters(data: bytes) -> int:
    """Return where the last whole character of UTF-8 ends."""
    for back in range(1, min(4, len(data)) + 1):
        byte = data[-back]
        if byte & 0xC0 != 0x80:
            needed = 1 if byte < 0xC0 else 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return len(data) - back if needed > back else len(data)
    return len(data)

"""Tolerant parser for damaged files: finds where the next good record begins.

A JSON decoder is asked at every place where a record may begin, so that one bad record never costs another, and the
account can say at which byte the bad one is. Files are read through a window, never as a whole. Tables have a module of
their own, :mod:`.rows`.
"""

from __future__ import annotations

import io
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bounceanalytics.loading.spans import TEXT_KEPT, Span, batches
from bounceanalytics.loading.translating import form_posts, mail, xml_lists
from bounceanalytics.opening.encodings import FILLED_HOLE
from bounceanalytics.opening.text import (
    BOM,
    HALF_LETTER,
    TextWindow,
    decoded,
    finite,
    lines_and_blanks,
    unescaped,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from typing import IO

    import pyarrow as pa

    from bounceanalytics.loading.found import Found
    from bounceanalytics.opening.sources import Source


@dataclass(frozen=True, slots=True)
class Shape:
    """Shape of the records to look for among damaged JSON.

    Attributes
    ----------
    markers : frozenset of str
        Keys, one of which tells a record from the objects inside it; any object is a record if empty.
    container : str
        Key of the list of records in a page.
    opens : str
        Signs that a record may begin with.
    indexed : bool
        The list of records became an object with the keys "0", "1" …
    words : bool
        They stand among words, so that a number or a text is no record.
    """

    markers: frozenset[str] = frozenset()
    container: str = ""
    opens: str = "{"
    indexed: bool = False
    words: bool = False

    @property
    def between(self) -> re.Pattern[str]:
        """Bytes that may stand between two records."""
        return _INDEX if self.indexed else _SPACE

    @property
    def beginning(self) -> re.Pattern[str]:
        """Bytes that a record may begin with."""
        signs = "".join(re.escape(sign) for sign in self.opens if sign != "{")
        return re.compile(r"\{(?=\s*(?:[\"}]|$))" + (f"|[{signs}]" if signs else ""))

    def is_record(self, value: Any) -> bool:
        """Return whether a value that was found among damage is a record, and not a piece of one."""
        if isinstance(value, dict):
            return bool(self.markers & value.keys()) or not self.markers
        if isinstance(value, str):
            return '"' in self.opens and "@" in value and "\n" not in value
        return isinstance(value, list) and "[" in self.opens

    def opening(self, *, page: bool) -> re.Pattern[str]:
        """Return what a list begins with; a page begins earlier."""
        if self.indexed:
            return _INDEXED
        keys = re.escape(self.container)
        before = rf"\{{(?:[^{{}}\[\]]|\{{[^{{}}]*\}})*?\"{keys}\"\s*:\s*\[|" if page and keys else ""
        return re.compile(rf"(?:{before}\[)(?=\s*[\[{{])")


#: Readers of layouts that the engine does not know at all.
READERS = {"mail": mail.spans, "xml": xml_lists.spans, "bodies": form_posts.spans}

_LARGEST = 256 * 1024**2  # characters of one value; what is longer is taken apart or given up
_LONGEST_RUN = 64 * 1024**2  # bytes of damaged lines that are looked at together
_DEEP = 25_000  # characters that nesting takes until it is too deep, about
_IN_VAIN = 32 * 1024**2  # characters that are read in vain in any file: about a second
_ATTEMPT = 64  # characters that an attempt costs at least
_PATIENCE = 8  # and for each character of it

_SHORT = 4096  # characters of most values
_HOLE = len(FILLED_HOLE) - 1  # empty lines in it: its first line end is that of the line before

_BLANKS = " \t\r\n,\x00"
_SPACE = re.compile(rf"[{_BLANKS}]*")
_INDEX = re.compile(rf'(?:[{_BLANKS}]|"\d+"\s*:)*')
_NUMBERED = re.compile(r'"\d+"\s*:$')
_INDEXED = re.compile(r'\{(?=\s*"\d+"\s*:\s*\{)')
_LONGEST_OPENING = 64 * 1024
_STRICT = json.JSONDecoder()


_LENIENT = json.JSONDecoder(strict=False, parse_constant=lambda _: None, parse_float=finite)


def tolerant_spans(
    source: Source, found: Found, bad: Collection[int] | None, shape: Shape | None = None
) -> Iterator[Span]:
    """Yield the records of one file that is not a table, and the unreadable pieces.

    Parameters
    ----------
    source : Source
    found : Found
    bad : collection of int or None
        Numbers, from 0, of the lines that are known to be bad; all are looked at if None.
    shape : Shape, optional
        Of the records; that of the format if not given.
    """
    fmt = found.format
    assert fmt is not None  # noqa: S101 - for the type checker; files without a format are never read
    shape = shape or Shape(fmt.markers, fmt.container, fmt.opens, found.indexed)
    with source.open() as stream:
        if found.layout in READERS:
            yield from READERS[found.layout](stream)
        elif found.layout in {"lines", "log"}:
            yield from _lines(stream, shape.markers, bad, log=found.layout == "log")
        else:
            yield from _split(TextWindow(stream), shape)


def tolerant_json(source: Source, found: Found, bad: Collection[int] | None) -> Iterator[pa.RecordBatch]:
    """Yield the same as :func:`tolerant_spans` for the engine, in batches of :data:`SPAN_SCHEMA`."""
    yield from batches(tolerant_spans(source, found, bad))


def line_spans(raw: bytes, found: Found, shape: Shape, offset: int) -> Iterator[Span]:
    """Yield the same as :func:`tolerant_spans` for some lines of a file, which begin at a byte of it."""
    return _lines(io.BytesIO(raw), shape.markers, None, log=found.layout == "log", offset=offset)


def spans_of(raw: bytes, *, words: bool = False) -> Iterator[Span]:
    """Yield the JSON values of some bytes, for a look at the beginning of a file."""
    return _split(TextWindow(io.BytesIO(raw)), Shape(words=words))


# lines


def _lines(
    stream: IO[bytes], markers: frozenset[str], bad: Collection[int] | None, *, log: bool, offset: int = 0
) -> Iterator[Span]:
    number = 0
    run: list[
        bytes
    ] = []  # bad lines that follow one another: perhaps one record that was broken into several
    run_offset = run_size = empty = 0
    for raw in lines_and_blanks(stream):
        line = raw.removeprefix(BOM) if offset == 0 else raw
        if not line.strip():
            empty += line.count(b"\n")
            if run and empty >= _HOLE:  # what follows is the rest of another record
                yield from _run(run, run_offset, markers, log=log)
                run, run_size = [], 0
            elif run:
                run.append(line)
        else:
            empty = 0
            text = decoded(line)
            good = (log and "{" not in text) or (
                is_value(text[text.find("{") :] if log else text) if bad is None else number not in bad
            )
            number += 1
            if good or run_size > _LONGEST_RUN:
                yield from _run(run, run_offset, markers, log=log)
                run, run_size = [], 0
            if good:
                yield Span(offset, text.strip())
            else:
                if not run:
                    run_offset = offset
                run.append(line)
                run_size += len(line)
        offset += len(raw)
    yield from _run(run, run_offset, markers, log=log)


def _run(run: list[bytes], offset: int, markers: frozenset[str], *, log: bool) -> Iterator[Span]:
    if not run:
        return
    if log:  # each line has a time before its record, so none goes on in the next one
        for line in run:
            yield Span(offset, decoded(line).strip(), "not valid JSON behind the time of the log")
            offset += len(line)
        return
    for span in _split(TextWindow(io.BytesIO(b"".join(run))), Shape(markers)):
        yield span._replace(offset=span.offset + offset)


def is_value(text: str) -> bool:
    """Return whether a line is a JSON value as it must be, so that it belongs to no other line."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, (dict, list)) and not HALF_LETTER.search(text)


# values


def _decode(text: str, start: int) -> tuple[Any, int, str]:
    """Return a value, where it ends, and its text as strict JSON."""
    try:
        value, end = _raw_decode(_STRICT, text, start)
    except ValueError:
        value, end = _raw_decode(_LENIENT, text, start)
        _refuse_hole(text, start, end)
        return value, end, _rewritten(value)
    _refuse_hole(text, start, end)
    piece = text[start:end]
    if HALF_LETTER.search(piece) or "NaN" in piece or "Infinity" in piece:
        value, end = _raw_decode(_LENIENT, text, start)
        return value, end, _rewritten(value)
    return value, end, piece


def _refuse_hole(text: str, start: int, end: int) -> None:
    """Raise where a value goes on behind a hole, of which the rest is that of another record."""
    hole = text.find(FILLED_HOLE, start, end)
    if hole >= 0:
        raise json.JSONDecodeError("a hole in the file", text, hole)


def _raw_decode(decoder: json.JSONDecoder, text: str, start: int) -> tuple[Any, int]:
    """Return a value and where it ends. An error counts the lines before it, so a short piece is tried first."""
    piece = text[start : start + _SHORT]
    try:
        value, end = decoder.raw_decode(piece)
    except json.JSONDecodeError as problem:
        if len(piece) == _SHORT and _is_cut(problem, piece):
            return decoder.raw_decode(text, start)
        problem.pos += start
        raise
    return value, start + end


def _is_cut(problem: json.JSONDecodeError, text: str) -> bool:
    """Return whether it may only be the end of the text that keeps a value from being read."""
    return problem.pos >= len(text) - 16 or problem.msg.startswith("Unterminated string")


def _rewritten(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return (
        unescaped(text)
        if "\udc80" <= max(text) <= "\udcff"
        else text.encode("utf-8", "replace").decode("utf-8")
    )


class _Budget:
    """Limit of reading in vain: text that was built to be read again and again must not take for ever."""

    def __init__(self) -> None:
        self._spent = 0
        self._allowed = _IN_VAIN

    def earn(self, count: int) -> None:
        self._allowed += count * _PATIENCE

    def lose(self, count: int) -> bool:
        """Return whether there is nothing left."""
        self._spent += max(count, 0)
        return self._spent > self._allowed


def _split(window: TextWindow, shape: Shape) -> Iterator[Span]:
    """Yield the JSON values of a text; what lies between them and is no value is an error of its own."""
    inside = False  # within a list that is taken item by item
    budget = _Budget()
    kinds = (dict, list, str) if '"' in shape.opens else (dict, list)
    while _skip(window, shape.between if inside else _SPACE):
        if not inside and (opening := _opening(window, shape, page=False)):
            inside = True
            window.step(opening)
            continue
        if inside and window.text[window.at] == ("}" if shape.indexed else "]"):
            inside = False
            window.step(_end_of_page(window))
            continue
        offset = window.offset
        try:
            value, size, piece = _complete(window)
            if isinstance(value, str) and str not in kinds:
                value, piece = _inside(value)
            error = "" if isinstance(value, kinds) else "it is no JSON object"
            if error and shape.words:
                size = 0
        except (ValueError, RecursionError) as problem:
            size, piece = 0, ""
            error = _message(problem, window.at)
            if budget.lose(getattr(problem, "pos", window.at + _DEEP) - window.at):
                yield from _given_up(window)
                return
        if size:
            yield Span(offset, unescaped(piece), error or None)
        elif not inside and (opening := _opening(window, shape, page=True)):
            inside, size = True, opening
        else:
            size = _next_record(window, shape, budget)
            shown = window.text[window.at : window.at + min(size, TEXT_KEPT)]
            yield Span(offset, unescaped(shown.rstrip(_BLANKS)), error)
        budget.earn(size)
        window.step(size)


def _inside(text: str) -> tuple[Any, str]:
    """Return the value that a JSON text holds as JSON, and its text; else the text itself."""
    value: Any = text
    try:
        for _ in range(2):
            value, _, piece = _decode(value, 0)
            if not isinstance(value, str):
                return value, piece
    except (ValueError, RecursionError):
        pass
    return text, text


def _given_up(window: TextWindow) -> Iterator[Span]:
    offset, text = window.offset, unescaped(window.text[window.at : window.at + TEXT_KEPT])
    while not window.ended:
        window.step(window.left)
        window.more()
    yield Span(offset, text, "not valid JSON from here on: so damaged that no record can be made out")


def _skip(window: TextWindow, between: re.Pattern[str]) -> bool:
    """Go to the next sign that belongs to a record; return False where the text ends before it."""
    while True:
        size = between.match(window.text, window.at)
        assert size is not None  # noqa: S101 - it matches nothing, too
        window.step(size.end() - window.at)
        if window.left:
            return True
        if not window.more():
            return False


def _complete(window: TextWindow) -> tuple[Any, int, str]:
    """Decode the value that begins here, reading on while it may just be cut off by the window; return its size."""
    while True:
        try:
            value, end, piece = _decode(window.text, window.at)
        except json.JSONDecodeError as problem:
            if not _is_cut(problem, window.text) or window.left > _LARGEST or not window.more():
                raise
        else:
            return value, end - window.at, piece


def _opening(window: TextWindow, shape: Shape, *, page: bool) -> int:
    """Return the length of what opens a list of records here: a bracket, or a page up to its bracket; else 0."""
    if not page and window.text[window.at] not in ("[{" if shape.indexed else "["):
        return 0
    while window.left < _LONGEST_OPENING and window.more():
        pass
    match = shape.opening(page=page).match(window.text[window.at : window.at + _LONGEST_OPENING])
    return match.end() if match else 0


def _end_of_page(window: TextWindow) -> int:
    """Return the length of the rest of a page: what follows its list up to its closing brace, if that can be read."""
    text = window.text[window.at : window.at + _LONGEST_OPENING]
    rest = text[1:].lstrip()
    before = len(text) - len(rest)
    if not rest.startswith(","):
        return before + 1 if rest.startswith("}") else 1
    try:
        _, end = _LENIENT.raw_decode("{" + rest[1:])
    except (ValueError, RecursionError):
        return 1
    return before + end


def _message(error: Exception, start: int) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"not valid JSON: {error.msg.lower()} at character {error.pos - start + 1:,} of the record"
    return "not valid JSON: nested too deeply"


def _next_record(window: TextWindow, shape: Shape, budget: _Budget) -> int:
    """Return how far off the next record is: an object with the keys of one, that no key stands before."""
    done = 1
    while True:
        text, at = window.text, window.at
        reached = len(text)
        for match in shape.beginning.finditer(text, at + done):
            place = match.start()
            before = text[max(place - 64, at) : place].rstrip()
            if before.endswith(('":', '" :') if shape.words else ":") and not (
                shape.indexed and _NUMBERED.search(before)
            ):
                continue
            try:
                value, _ = _raw_decode(_LENIENT, text, place)
            except (ValueError, RecursionError) as problem:
                stopped = getattr(problem, "pos", place + _DEEP)
                if budget.lose(stopped - place + _ATTEMPT):
                    return len(text) - at
                if len(text) - 16 <= stopped <= len(text) and not window.ended and window.left < _LARGEST:
                    reached = place  # perhaps only cut off by the window
                    break
                continue
            if shape.is_record(value):
                bracket = (
                    place - 1 - (len(text[at:place]) - len(text[at:place].rstrip()))
                    if before.endswith("[")
                    else at
                )
                return (bracket if bracket > at and _decodes(text, bracket) else place) - at
        done = max(reached - at, 1)
        if window.left >= _LARGEST or not window.more():
            return window.left


def _decodes(text: str, start: int) -> bool:
    try:
        _LENIENT.raw_decode(text, start)
    except (ValueError, RecursionError):
        return False
    return True

"""Byte offsets of the records and cells of a CSV file, found without parsing it.

A file is a row of code units: bytes, or pairs of bytes in UTF-16. A separator counts unless it stands inside a
quoted cell; a quote opens a cell only at the cell's start, as in RFC 4180 and in Python's ``csv``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bounceanalytics.opening import text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Units = NDArray[np.uint8] | NDArray[np.uint16]
    Places = NDArray[np.int64]

QUOTE, CR, LF = ord('"'), ord("\r"), ord("\n")


@dataclass(frozen=True, slots=True)
class Records:
    """The whole records at the beginning of a stretch of code units.

    Attributes
    ----------
    units : numpy.ndarray of uint8 or uint16
        The stretch.
    starts, stops, ends : numpy.ndarray of int64
        Of each record: its first unit, the one after its last cell, the one after its line end.
    cells : numpy.ndarray of int64
        How many cells each record has.
    unclosed : bool
        Whether a quote is still open at the end of the stretch.
    """

    units: Units
    starts: Places
    stops: Places
    ends: Places
    cells: Places
    unclosed: bool
    _delimiters: Places
    _first: Places

    def __len__(self) -> int:
        return len(self.ends)

    def delimiters_of_first(self) -> Places:
        """Return where the delimiters of the first record stand."""
        return self._delimiters[: int(self.cells[0]) - 1]

    def with_several_signs(self) -> NDArray[np.bool_]:
        """Return which records have more than one ``@``."""
        signs = np.flatnonzero(self.units == ord("@"))
        until = np.searchsorted(signs, self.ends)
        result: NDArray[np.bool_] = np.diff(until, prepend=0) > 1
        return result

    def cell(self, number: int, encoding: str) -> pa.Array:
        """Return cell ``number``, from 0, of every record as text; missing where a record is too short."""
        there = self.cells > number
        first = self._first[there]
        starts = self.starts[there] if number == 0 else self._delimiters[first + number - 1] + 1
        stops = self.stops[there].copy()
        inner = self.cells[there] > number + 1
        stops[inner] = self._delimiters[first[inner] + number]
        texts = unquoted(decoded(slices(self.units, starts, stops), encoding))
        if there.all():
            return texts
        return pc.replace_with_mask(pa.nulls(len(there), pa.large_string()), pa.array(there), texts)


def find_records(units: Units, delimiter: int, newline: int, *, last: bool) -> Records:
    """Find the records that are whole in a stretch of code units which begins with a record.

    Parameters
    ----------
    units : numpy.ndarray of uint8 or uint16
    delimiter, newline : int
        Code units that end a cell and a record. A carriage return and a line feed are one line end, whichever of them
        is the newline. The other one by itself ends a record where an ``@`` follows before the next line end: lists
        that were put together have line ends of several systems, and cells have stray ones.
    last : bool
        Whether the file ends here, so that a record without a line end is whole.

    Returns
    -------
    Records
    """
    quotes = np.flatnonzero(units == QUOTE)
    newlines = np.flatnonzero(units == newline)
    others = np.flatnonzero(units == (CR if newline == LF else LF))
    delimiters = np.flatnonzero(units == delimiter)
    unclosed = False
    if newline == CR and not last and newlines.size and newlines[-1] == len(units) - 1:
        newlines = newlines[:-1]  # a line feed may follow
    if others.size:
        others = _alone(units, others, newline)
    if quotes.size:
        opens, closes = _quoted_cells(units, quotes, delimiter)
        unclosed = bool(closes.size and closes[-1] == len(units))
        newlines = newlines[~_inside(newlines, opens, closes)]
        delimiters = delimiters[~_inside(delimiters, opens, closes)]
        others = others[~_inside(others, opens, closes)]
    if others.size:
        newlines = _with_others(units, newlines, others, last=last)
    ends = newlines + 1
    stops = newlines
    if newlines.size:
        if newline == LF:
            stops = newlines - ((newlines > 0) & _pairs(units, newlines - 1))
        else:
            ends = newlines + 1 + _pairs(units, newlines)
    if last and (ends[-1] if ends.size else 0) < len(units):
        ends, stops = np.append(ends, len(units)), np.append(stops, len(units))
    starts = np.concatenate(([0], ends[:-1])) if ends.size else ends
    after = np.searchsorted(delimiters, ends)  # none stands between the last cell and the line end
    first = np.concatenate(([0], after[:-1])) if after.size else after
    return Records(units, starts, stops, ends, after - first + 1, unclosed, delimiters, first)


def _pairs(units: Units, places: Places) -> NDArray[np.bool_]:
    """Return where a carriage return stands with a line feed behind it."""
    places = np.maximum(places, 0)
    pairs: NDArray[np.bool_] = (units[places] == CR) & (units[np.minimum(places + 1, len(units) - 1)] == LF)
    return pairs


def _alone(units: Units, others: Places, newline: int) -> Places:
    """Return those that belong to no other line end."""
    beside = np.minimum(others + 1, len(units) - 1) if newline == LF else np.maximum(others - 1, 0)
    neighbours = units[beside]
    alone = (neighbours != CR) & (neighbours != LF)
    found: Places = others[alone | (beside == others)]
    return found


def _with_others(units: Units, newlines: Places, others: Places, *, last: bool) -> Places:
    """Return all places that end a record: of the others, those before a record with an address."""
    until = len(units) if last else (newlines[-1] if newlines.size else 0)
    others = others[others < until]
    if not others.size:
        return newlines
    every = np.union1d(newlines, others)
    signs = np.flatnonzero(units == ord("@"))
    number = np.searchsorted(every, others)
    following = np.append(every, len(units))[number + 1]
    filled = np.searchsorted(signs, following) > np.searchsorted(signs, others)
    return np.union1d(newlines, others[filled | (others == len(units) - 1)])


def _inside(places: Places, opens: Places, closes: Places) -> NDArray[np.bool_]:
    """Return which places lie between an opening and its close; all three are in order."""
    size = len(places) + 1
    steps = np.bincount(np.searchsorted(places, opens), minlength=size)
    steps -= np.bincount(np.searchsorted(places, closes), minlength=size)
    result: NDArray[np.bool_] = np.cumsum(steps[:-1]) > 0
    return result


def _quoted_cells(units: Units, quotes: Places, delimiter: int) -> tuple[Places, Places]:
    """Return where quoted cells open and close; a close at ``len(units)`` is one that is not there.

    In a well-formed file quotes simply alternate (a doubled quote closes and opens at once). Where one does not
    stand where that would put it, such as the inch mark of ``6" pot``, they are walked through one by one.
    """
    opens, closes = quotes[0::2], quotes[1::2]
    if len(closes) < len(opens):
        closes = np.append(closes, len(units))
    before = units[np.maximum(opens - 1, 0)]
    after = units[np.minimum(closes + 1, len(units) - 1)]
    opening = (opens == 0) | np.isin(before, (delimiter, LF, CR, QUOTE))
    closing = (closes >= len(units) - 1) | np.isin(after, (delimiter, LF, CR, QUOTE))
    if opening.all() and closing.all():
        return opens, closes
    return _walk_quotes(units, quotes, delimiter)


def _walk_quotes(units: Units, quotes: Places, delimiter: int) -> tuple[Places, Places]:
    may_open = ((quotes == 0) | np.isin(units[np.maximum(quotes - 1, 0)], (delimiter, LF, CR))).tolist()
    behind = units[np.minimum(quotes + 1, len(units) - 1)]
    may_close = ((quotes >= len(units) - 1) | np.isin(behind, (delimiter, LF, CR, ord(" ")))).tolist()
    lines = np.cumsum((units == LF) | (units == CR))[quotes].tolist()
    places = quotes.tolist()
    opens: list[int] = []
    closes: list[int] = []
    at = 0
    while at < len(places):
        if not may_open[at]:
            at += 1  # a quote in the middle of a cell is text
            continue
        close = at + 1
        while close + 1 < len(places) and places[close + 1] == places[close] + 1:
            close += 2  # a doubled quote is a quote
        # one on a later line that opens a cell, and ends none, leaves the first without an end: it is text
        stray = close < len(places) and may_open[close] and not may_close[close] and lines[close] > lines[at]
        if not stray:
            opens.append(places[at])
            closes.append(places[close] if close < len(places) else len(units))
        at = at + 1 if stray else close + 1
    return np.array(opens, dtype=np.int64), np.array(closes, dtype=np.int64)


def slices(units: Units, starts: Places, stops: Places) -> tuple[Units, Places]:
    """Return the units of all slices one after another, and where each begins and the last one ends.

    The slices must be in order and may not overlap: they and the gaps between them are laid out as one Arrow array
    over the same memory, of which every other element is copied.
    """
    if not len(starts):
        return units[:0], np.zeros(1, dtype=np.int64)
    bounds = np.empty(2 * len(starts) + 1, dtype=np.int64)
    bounds[0:-1:2] = starts
    bounds[1::2] = np.maximum(stops, starts)
    bounds[-1] = bounds[-2]
    size = units.itemsize
    pieces = _strings(units.view(np.uint8), bounds * size)
    chosen = pieces.take(pa.array(np.arange(0, len(bounds) - 1, 2)))
    _, offsets, data = chosen.buffers()
    ends = np.frombuffer(offsets, dtype=np.int64, count=len(chosen) + 1) // size
    filled = data if data is not None else b""
    result: Any = np.frombuffer(filled, dtype=units.dtype, count=int(ends[-1]))
    return result, ends


def decoded(cut: tuple[Units, Places], encoding: str) -> pa.Array:
    """Return slices as text. Bytes that are not in the encoding are read as in any other file."""
    units, offsets = cut
    texts = _strings(units.astype(np.uint8, copy=False), offsets)
    foreign = units >= 0x80
    if not foreign.any():
        return texts.cast(pa.large_string())
    if encoding == "utf-8":
        try:
            return texts.cast(pa.large_string())
        except pa.ArrowInvalid:
            pass
    where = np.unique(np.searchsorted(offsets, np.flatnonzero(foreign), side="right") - 1)
    mask = np.zeros(len(offsets) - 1, dtype=bool)
    mask[where] = True
    own = [_decode(units[offsets[at] : offsets[at + 1]].tobytes(), encoding) for at in where]
    ascii_only = pc.if_else(pa.array(mask), pa.scalar(b"", pa.large_binary()), texts).cast(pa.large_string())
    return pc.replace_with_mask(ascii_only, pa.array(mask), pa.array(own, pa.large_string()))


def _strings(data: NDArray[np.uint8], offsets: Places) -> Any:
    return pa.Array.from_buffers(
        pa.large_binary(),
        len(offsets) - 1,
        [None, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(data))],
    )


def binary(cut: tuple[Units, Places]) -> Any:
    """Return slices as bytes."""
    units, offsets = cut
    return _strings(units.view(np.uint8), offsets * units.itemsize)


def _decode(raw: bytes, encoding: str) -> str:
    return text.decoded(raw) if encoding == "utf-8" else raw.decode(encoding, errors="replace")


def unquoted(texts: pa.Array) -> pa.Array:
    """Return cells without the quotes around them, doubled quotes inside made single."""
    quoted = pc.and_(
        pc.and_(pc.starts_with(texts, '"'), pc.ends_with(texts, '"')), pc.greater(pc.binary_length(texts), 1)
    )
    if not pc.any(quoted).as_py():
        return texts
    inner = pc.replace_substring(pc.utf8_slice_codeunits(texts, 1, -1), '""', '"')
    return pc.if_else(quoted, inner, texts)

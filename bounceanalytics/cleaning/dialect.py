"""Dialect of a mailing list: encoding, delimiter, line ends, header and address column, told from its first bytes.

It only says how to read the list. The list's bytes are never decoded and written again.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bounceanalytics.cleaning.cells import joined
from bounceanalytics.cleaning.columns import address_column, shown
from bounceanalytics.cleaning.records import (
    CR,
    LF,
    QUOTE,
    Records,
    binary,
    decoded,
    find_records,
    slices,
    unquoted,
)
from bounceanalytics.errors import FormatError
from bounceanalytics.opening.csv import DELIMITERS, MOST_COLUMNS, before_header, separator_line, too_wide
from bounceanalytics.opening.encodings import encoding_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Bytes from which the dialect is told.
SAMPLE = 256 * 1024

#: Files that are often taken for CSV: how they begin, what they are, what to do.
_NO_LISTS = (
    (b"%PDF", "a PDF document"),
    (b"PAR1", "a Parquet file; write it as CSV"),
    (b"<!doctype html", "a web page; the download may have needed a log-in"),
    (b"<html", "a web page; the download may have needed a log-in"),
    *(
        (start, "JSON; write it as CSV, one address a line")
        for start in (b'{"', b"[{", b'["', b"[\n", b"{\n")
    ),
)
_HEADING = 4096  # bytes of comments and of headings above the titles, at most
#: Encoding -> code unit, where it is no byte.
_UNITS = {"utf-16-le": "<u2", "utf-16-be": ">u2", "utf-32-le": "<u4", "utf-32-be": ">u4"}


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a list is written.

    Attributes
    ----------
    encoding : {'utf-8', 'utf-16-le', 'utf-16-be', 'utf-32-le', 'utf-32-be', 'cp1252'}
    mark : bytes
        What stands before the header: a byte order mark, a line ``sep=;``, comments, a heading, or nothing.
    delimiter : str
    line_end : str
    header : tuple of str or None
        Names of the columns; None where the first record is an address already.
    columns : int
        Cells of the first record.
    address : int
        Which cell holds the address, from 0.
    others : tuple of int
        Further cells that hold addresses; those of a list without a header may be asked for, too.
    asked : bool
        Whether the caller has said which cell it is.
    """

    encoding: str
    mark: bytes
    delimiter: str
    line_end: str
    header: tuple[str, ...] | None
    columns: int
    address: int
    others: tuple[int, ...] = ()
    asked: bool = False

    def title(self, place: int) -> str:
        """Return what to call a column."""
        return shown(self.header[place]) if self.header else f"{place + 1}"

    @property
    def unit(self) -> np.dtype[Any]:
        """The code unit in which records are looked for."""
        return np.dtype(_UNITS.get(self.encoding, "u1"))

    @property
    def newline(self) -> int:
        """The code unit that ends a record."""
        return ord(self.line_end[-1])

    def encode(self, text: str) -> bytes:
        """Return text as it is written in this list."""
        return text.encode(self.encoding, errors="replace")

    def encoded(self, texts: pa.Array) -> Any:
        """Return an array of texts, none missing, as they are written in this list."""
        whole = joined(texts).tobytes()
        lengths = pc.binary_length(texts).to_numpy()
        if (
            self.encoding != "utf-8" and not whole.isascii()
        ):  # rare: words of others in a list in cp1252 or UTF-16
            return pa.array([self.encode(text) for text in texts.to_pylist()], pa.large_binary())
        offsets = np.concatenate(([0], np.cumsum(lengths, dtype=np.int64)))
        return binary((np.frombuffer(whole, dtype=np.uint8).astype(self.unit, copy=False), offsets))

    def line_ends(self, kinds: NDArray[Any]) -> pa.Array:
        """Return line ends by their kinds, see :meth:`kinds_of_ends`."""
        other = "\n" if self.line_end[-1] == "\r" else "\r"
        choices = [b"", self.encode(self.line_end[-1]), self.encode("\r\n"), self.encode(other)]
        return pa.array(choices, pa.large_binary()).take(pa.array(kinds))

    def kinds_of_ends(self, records: Records) -> NDArray[Any]:
        """Return how each record ends: 0 with nothing, 1 with the newline, 2 with CR and LF, 3 with the other one."""
        kinds = records.ends - records.stops
        units = records.units[np.minimum(records.stops, len(records.units) - 1)]
        return np.where((kinds == 1) & (units != self.newline), 3, kinds).astype(np.int8)


def dialect_of(
    sample: bytes, whole: bool, name: str, column: str | int | None, choice: str = DELIMITERS
) -> tuple[Dialect, int]:
    """Return how the list is written, and how many bytes its header takes after the mark."""
    for start, what in _NO_LISTS:
        if sample[:64].lstrip().lower().startswith(start.lower()):
            raise FormatError(f"{name} is no CSV file; it looks like {what}")
    mark, encoding = encoding_of(sample)
    if encoding == "utf-8" and not _is_utf8(sample, whole):
        encoding = "cp1252"
    separator = separator_line(sample[len(mark) : len(mark) + 32].decode(encoding, errors="ignore"))
    if separator:
        mark += separator[0].encode(encoding)
        choice = separator[1]
    head = sample[len(mark) : len(mark) + _HEADING].decode(encoding, errors="ignore")
    above = head[: before_header(head)[0]]
    if above.strip(' \t,;|"\r\n'):  # empty lines alone are rows of the list
        mark += above.encode(encoding)
    body = sample[len(mark) :]
    unit = np.dtype(_UNITS.get(encoding, "u1"))
    units = np.frombuffer(body, dtype=unit, count=len(body) // unit.itemsize)
    if not len(units):
        raise FormatError(f"{name} is empty; a mailing list has at least a header")
    if unit.itemsize == 1 and (units == 0).any():
        raise FormatError(f"{name} is no CSV file; it looks like binary data")
    newline = _newline(units)
    delimiter, records = _delimiter(units, newline, whole, choice)
    if not len(records):
        raise FormatError(
            f"{name}: the first record does not end within {SAMPLE:,} bytes; is this a CSV file?"
        )
    line_end = "\r" if newline == CR else "\r\n" if records.ends[0] - records.stops[0] == 2 else "\n"
    if records.cells[0] > MOST_COLUMNS:
        raise FormatError(f"{name} is {too_wide(int(records.cells[0]))}")
    first = _first_record(records, encoding)
    cells = [records.cell(number, encoding) for number in range(len(first))]
    header, address, others = address_column(first, cells, name, column)
    asked = column is not None
    dialect = Dialect(encoding, mark, delimiter, line_end, header, len(first), address, others, asked)
    return dialect, int(records.ends[0]) * unit.itemsize if header is not None else 0


def _newline(units: NDArray[Any]) -> int:
    """Return which of the two ends more lines, those inside quotes not counted."""
    carriage, feed = units == CR, units == LF
    if not carriage.any():
        return LF
    if not feed.any():
        return CR
    outside = np.cumsum(units == QUOTE) % 2 == 0
    alone = carriage & ~np.append(feed[1:], False)
    return CR if (alone & outside).sum() > (feed & outside).sum() else LF


def _is_utf8(sample: bytes, whole: bool) -> bool:
    """Return whether a text is UTF-8, perhaps with some odd bytes; in cp1252, letters beyond ASCII are all odd."""
    text, size = codecs.utf_8_decode(sample, "ignore", whole)
    odd = size - len(text.encode())
    return not odd or odd < sum(not character.isascii() for character in text)


def _delimiter(units: NDArray[Any], newline: int, whole: bool, choice: str) -> tuple[str, Records]:
    """Return the delimiter that cuts most records into as many cells as the first one has."""
    best: tuple[tuple[float, int], str, Records] | None = None
    for delimiter in choice:
        records = find_records(units, ord(delimiter), newline, last=whole)
        columns = int(records.cells[0]) if len(records) else 0
        score = float((records.cells[:1000] == columns).mean()) if columns > 1 else 0.0
        if best is None or (score, columns) > best[0]:
            best = ((score, columns), delimiter, records)
    if best is None:
        raise AssertionError("there is always a first delimiter")
    return best[1], best[2]


def _first_record(records: Records, encoding: str) -> list[str]:
    """Return the cells of the first record."""
    cuts = records.delimiters_of_first()
    starts = np.concatenate(([0], cuts + 1))
    stops = np.append(cuts, records.stops[0])
    cells: list[str] = unquoted(decoded(slices(records.units, starts, stops), encoding)).to_pylist()
    return cells

"""Rows of a damaged table: short and long ones, and quotes that are never closed, cost one row each."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

import pyarrow as pa

from bounceanalytics.loading.spans import SPAN_SCHEMA, TEXT_KEPT
from bounceanalytics.opening.text import BOM, decoded, lines_and_blanks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO

    from bounceanalytics.loading.found import Found
    from bounceanalytics.opening.sources import Source

#: Offset, cells, text and error of a row.
Row: TypeAlias = tuple[int, list[str] | None, str, str | None]

BROKEN_OFF = "the file breaks off in this row, of which something may be missing; fetch it again"

_LONGEST_ROW = 1024 * 1024  # characters; a quote that is never closed must not swallow the rest of the file
_MOST_LINES = 500
_BATCH = 16_384


def has_other_ends(head: bytes, found: Found) -> bool:
    r"""Return whether the lines above the header of a table end otherwise than what follows them.

    >>> from bounceanalytics.loading.found import Found
    >>> has_other_ends(b"sep=;\r\nemail;n\na@example.com;1\n", Found(None, "csv", "a table", skip=1))
    True
    """
    lines = head.split(b"\n", found.skip + found.blank + 1)[:-1]
    return len({line.endswith(b"\r") for line in lines}) > 1


def tolerant_table(source: Source, found: Found) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a table that the engine could not read; what is no row of its width is an error of its own.

    The batches have the columns of :data:`SPAN_SCHEMA` but for ``text``, and ``c0``, ``c1`` …
    """
    schema = table_schema(found)
    rows: list[tuple[Any, ...]] = []
    nothing = [None] * len(found.header)
    for offset, cells, text, error in table_rows(source, found):
        shown = text[:TEXT_KEPT]
        rows.append((0, shown if error else None, offset, error, shown, *(cells or nothing)))
        if len(rows) >= _BATCH:
            yield _table_batch(rows, schema)
            rows = []
    yield _table_batch(rows, schema)


def table_rows(source: Source, found: Found) -> Iterator[Row]:
    """Yield the rows of a table; the last one of a file that breaks off in it is no row, since its cells may be cut."""
    before = found.skip + (not found.headless)
    with source.open() as stream:
        rows = _table_rows(stream, len(found.header), found.delimiter, before=before)
        if not source.breaks_off:
            yield from rows
            return
        last = next(rows, None)
        for row in rows:
            if last is not None:
                yield last
            last = row
        if last is not None:
            offset, _, text, error = last
            yield offset, None, text, error or BROKEN_OFF


def table_schema(found: Found) -> pa.Schema:
    """Return the columns of :func:`tolerant_table`."""
    fixed = [field for field in SPAN_SCHEMA if field.name != "text"]
    return pa.schema([*fixed, *((f"c{place}", pa.large_string()) for place in range(len(found.header)))])


def _table_batch(rows: list[tuple[Any, ...]], schema: pa.Schema) -> pa.RecordBatch:
    columns = list(zip(*rows, strict=True)) or [()] * len(schema)
    arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
    return pa.record_batch(arrays, schema=schema)


def _table_rows(stream: IO[bytes], width: int, delimiter: str, *, before: int) -> Iterator[Row]:
    """Yield offset, cells, text and error of each row; blank lines are no rows.

    A row ends where its quotes are closed. Where that gives no row of the right width, its first line alone is bad,
    and the next line may begin a row.
    """
    lines = _offset_lines(stream)
    waiting: list[tuple[int, str]] = []

    def line(place: int) -> tuple[int, str] | None:
        while len(waiting) <= place:
            following = next(lines, None)
            if following is None:
                return None
            waiting.append(following)
        return waiting[place]

    while (first := line(0)) is not None:
        offset, text = first
        if not text.strip():
            del waiting[0]
            continue
        count = 1
        quotes = text.count('"')
        while quotes % 2 and count < _MOST_LINES and len(text) < _LONGEST_ROW:
            further = line(count)
            if further is None:
                break
            text += further[1]
            quotes += further[1].count('"')
            count += 1
        cells, error = _cells(text, delimiter, width)
        if error and count > 1:
            text, count = first[1], 1
            cells, lone = _cells(text, delimiter, width)
            error = lone or (None if cells else error)
        del waiting[:count]
        if before:  # the header
            before -= 1
        elif cells is None or any(cell.strip() for cell in cells):
            yield offset, cells, text.rstrip("\r\n"), error


def _cells(text: str, delimiter: str, width: int) -> tuple[list[str] | None, str | None]:
    text = text.rstrip("\r\n")
    cells: list[str] = []
    more, at = True, 0
    while more:
        cell = _cell(delimiter).match(text, at)
        if cell is None:
            return (
                None,
                f"not a row of a table: a quote or a line end is out of place at character {at + 1:,}",
            )
        cells.append(cell[2] if cell[1] is None else cell[1].replace('""', '"'))
        more, at = bool(cell[3]), cell.end()
    if len(cells) != width:
        return None, f"it has {len(cells):,} columns where the header has {width:,}"
    return cells, None


@cache
def _cell(delimiter: str) -> re.Pattern[str]:
    """Return what one cell is, quoted or not, and what ends it.

    Python's csv has one limit for the length of cells in all threads of the process, and those of texts are long.
    """
    sign = re.escape(delimiter)
    return re.compile(rf'(?:"((?:[^"]|"")*+)"|((?!")[^{sign}\r\n]*+))(?:({sign})|\Z)')


def _offset_lines(stream: IO[bytes]) -> Iterator[tuple[int, str]]:
    offset = 0
    for raw in lines_and_blanks(stream):
        yield offset, decoded(raw.removeprefix(BOM) if offset == 0 else raw)
        offset += len(raw)

"""Detection of tables: with titles or without, an export by its columns or a table with events in its cells."""

from __future__ import annotations

import csv
import re
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from bounceanalytics.loading.choosing import SAMPLE, choose, clues, known_inside
from bounceanalytics.loading.found import Found
from bounceanalytics.loading.hints import column_of_addresses, has_titles, rows_of_text, titles_by_cells
from bounceanalytics.loading.unwrapping.walk import WALK
from bounceanalytics.opening.csv import (
    DELIMITERS,
    MOST_COLUMNS,
    before_header,
    separator_line,
    titles,
    too_wide,
)
from bounceanalytics.privacy import shown_titles

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bounceanalytics.loading.formats.format import Format


def column_key(title: str) -> str:
    """Return a column's title as it is compared: without blanks at its ends, in lower case."""
    return title.strip().lower()


def detect_table(
    text: str, name: str, formats: Sequence[Format], delimiters: str = DELIMITERS, *, whole: bool = True
) -> Found | None:
    """Return what a text is as a table, whatever delimits its cells; None if it is none.

    Parameters
    ----------
    text : str
        The beginning of a file.
    name : str
        Its name, asked only where the columns cannot tell.
    formats : sequence of Format
        What is known, the most telling first.
    delimiters : str
        What may delimit cells.
    whole : bool
        The file is not longer than ``text``.
    """
    text, skip, blank = _from_header(text)
    separator = separator_line(text)
    if separator:  # as a spreadsheet has written it anew
        delimiters = separator[1]
        text, more, none = _from_header(text.removeprefix(separator[0]))
        skip, blank = skip + more + 1, blank + none
    found = _delimited(text, name, formats, delimiters, whole=whole)
    return found and replace(found, skip=found.skip + skip, blank=found.blank + blank)


def _from_header(text: str) -> tuple[str, int, int]:
    """Return a text from its header on, and how many lines with signs, and without, were before."""
    skip = blank = 0
    while True:
        size, more, none = before_header(text)
        if not size:
            return text, skip, blank
        text, skip, blank = text[size:], skip + more, blank + none


def _delimited(
    text: str, name: str, formats: Sequence[Format], delimiters: str, *, whole: bool
) -> Found | None:
    looks = None
    for delimiter, cells in titles(text.split("\n", 1)[0], delimiters).items():
        if len(cells) < 2 and delimiter != ",":
            continue
        if len(cells) > MOST_COLUMNS:
            looks = looks or Found(None, "csv", too_wide(len(cells)))
            continue
        found = _table_cut_by(delimiter, cells, text, name, formats, whole=whole)
        if found and found.format:
            return found
        if found and (looks is None or (found.headless and not looks.header)):
            looks = found
    return looks


def _table_cut_by(
    delimiter: str, cells: list[str], text: str, name: str, formats: Sequence[Format], *, whole: bool
) -> Found | None:
    """Return what a text is as a table whose first line a delimiter cuts into these cells."""
    header = tuple(map(column_key, cells))
    fmt = choose([dict.fromkeys(header, "")], "csv", clues(name), formats)
    if fmt and fmt.says[0] and not _says(fmt, text, header, delimiter):
        fmt = None
    rows = _first_rows(text, delimiter, whole=whole)
    headless = fmt is None and not _has_titles(rows)
    if headless:
        header = _numbered(rows[0])
    cut = Found(fmt, "csv", "", header=header, delimiter=delimiter, headless=headless)
    if not (fmt and fmt.refuse):
        inside = _in_cells(rows[not headless :], header, known=fmt is not None)
        if inside:
            return replace(
                cut, format=inside, looks=f"a table with {inside.title} in its cells", wrapped=True
            )
    if fmt:
        return replace(cut, looks=fmt.title)
    return _headless(text, delimiter, clues(name), formats) or _strange_table(cut, cells, rows, text)


def _strange_table(cut: Found, cells: list[str], rows: list[list[str]], text: str) -> Found | None:
    """Return what a table is called that is no export, with what is to be known of its columns."""
    if cut.headless and len(cut.header) > 1:
        named = titles_by_cells([row for row in rows if len(row) == len(cut.header)])
        what = f"a table without titles{', whose first line holds an address' if named else ''}"
        return replace(cut, looks=what, header=named)
    # an index that pandas has saved has no title
    if cut.headless or len(cells) < 2 or not all(cut.header[1:]) or any("@" in cell for cell in cells):
        return None
    addresses = column_of_addresses(rows_of_text(text, cells, cut.delimiter))
    below = zip(*(row for row in rows[1:] if len(row) == len(cells)), strict=True)
    what = (
        f"a table with the columns {shown_titles(filter(None, cut.header), below if all(cut.header) else ())}"
    )
    return replace(cut, looks=what, addresses=addresses)


def _first_rows(text: str, delimiter: str, *, whole: bool) -> list[list[str]]:
    """Return the first rows of a text as a table, those of its titles included; none if it cannot be cut so."""
    try:
        rows = list(islice(csv.reader(text.splitlines(keepends=True), delimiter=delimiter), SAMPLE + 1))
    except csv.Error:
        return []
    return rows if whole or len(rows) > SAMPLE else rows[:-1]


def _has_titles(rows: list[list[str]]) -> bool:
    """Return whether the first row of a table names what is in the others, and is not one of them."""
    return not rows or (
        has_titles(rows) and not WALK.row(dict(zip(_numbered(rows[0]), rows[0], strict=True)))
    )


def _numbered(row: list[str]) -> tuple[str, ...]:
    return tuple(f"column {place}" for place in range(1, len(row) + 1))


def _says(fmt: Format, text: str, header: tuple[str, ...], delimiter: str) -> bool:
    """Return whether most of the first values of a field are words of the format; a table without rows may be it."""
    field_, words = fmt.says
    place = fmt.place(field_, header)
    try:
        rows = list(islice(csv.reader(text.splitlines(), delimiter=delimiter), 1, SAMPLE + 1))
    except csv.Error:
        return False
    values = [row[place].strip() for row in rows if len(row) > place]
    return 2 * sum(bool(re.fullmatch(words, one, re.IGNORECASE)) for one in values) >= len(values)


#: A cell that a form of table does not read: an object, or a list in Python's notation.
_STRUCTURE = re.compile(r"\{.*\}$|\[[{']", re.DOTALL)


def _in_cells(rows: list[list[str]], header: tuple[str, ...], *, known: bool) -> Format | None:
    """Return the format of the events in a table that is none of an ESP's own, or has structures in its cells."""
    if (len(header) < 2 or known) and not any(_STRUCTURE.search(cell) for row in rows for cell in row):
        return None
    return known_inside(
        [WALK.row(dict(zip(header, row, strict=True)))] for row in rows if len(row) == len(header)
    )


def with_cells(found: Found, rows: Iterable[dict[str, Any]]) -> Found:
    """Return what a table is that is no text, by the events in its rows."""
    some = list(islice(rows, SAMPLE))
    inside = known_inside([WALK.row(row)] for row in some)
    if inside is None:
        return replace(found, addresses=column_of_addresses(some))
    return replace(found, format=inside, looks=f"a table with {inside.title} in its cells", wrapped=True)


def _headless(text: str, delimiter: str, clues: list[str], formats: Sequence[Format]) -> Found | None:
    """Detect a table without a header: addresses, and one word beside each."""
    try:
        rows = [row for row in csv.reader(text.splitlines()[:SAMPLE], delimiter=delimiter) if any(row)]
    except csv.Error:
        return None
    for fmt in formats:
        if fmt.kind != "csv" or not fmt.rows or not rows:
            continue
        if fmt.hint and not any(re.search(fmt.hint, clue.lower()) for clue in clues):
            continue
        pattern = re.compile(fmt.rows)
        fitting = sum(bool(pattern.fullmatch(delimiter.join(row))) for row in rows)
        if pattern.fullmatch(delimiter.join(rows[0])) and 2 * fitting >= len(rows):
            header = tuple(fmt.fields.values())
            wide = [str(title) for title in header][: len(rows[0])]
            return Found(fmt, "csv", fmt.title, header=tuple(wide), delimiter=delimiter, headless=True)
    return None

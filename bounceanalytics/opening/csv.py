"""Tables as text: what may delimit their cells, and the first line by which Excel is told."""

from __future__ import annotations

import csv
import re
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

#: What may delimit cells, the more usual first.
DELIMITERS = ",;\t|"

#: Columns of a table that is read. The widest exports have some hundred; each costs time whether it is used or not.
MOST_COLUMNS = 4_096

_SEPARATOR_LINE = re.compile(r"sep=([\t !#-&(-/:-@[-^`{-~]?) *(?:\r\n|\n|\r)", re.IGNORECASE)

_LINES = 20  # above a header that are looked at
_COMMENT = re.compile(r"#[^,;\t|@]*")
_ONE_CELL = re.compile(r"(?:\"[^\"@]*\"|[^\",;\t|@]+)[,;\t|]+[ ,;\t|]*")
_TITLES = re.compile(r"[^@]*[^\s@,;\t|][^@]*[,;\t|][^@]*[^\s@,;\t|][^@]*")


def separator_line(text: str) -> tuple[str, str] | None:
    r"""Return the line ``sep=;`` that a text begins with, and the delimiter that it tells; else None.

    >>> separator_line("sep=;\r\nname;email\r\n")
    ('sep=;\r\n', ';')
    """
    line = _SEPARATOR_LINE.match(text)
    return (line[0], line[1] or ",") if line else None


def too_wide(columns: int) -> str:
    """Return what a table of more than :data:`MOST_COLUMNS` columns is called.

    >>> too_wide(100_000)
    'a table of 100,000 columns, more than the 4,096 that are read; leave out those that are not needed'
    """
    return (
        f"a table of {columns:,} columns, more than the {MOST_COLUMNS:,} that are read;"
        " leave out those that are not needed"
    )


def before_header(text: str) -> tuple[int, int, int]:
    r"""Return how many characters of lines a table begins with that are no part of it, and how many lines.

    They are lines without a cell that holds something, comments, and above the titles of columns one that fills a
    single cell, as a spreadsheet saves a heading. Those with signs are counted first, then those with none.

    >>> before_header("\n;;\n\nname;email\n")
    (5, 1, 2)
    >>> before_header("Bounces of March,,\n,,\nname,email,reply\n")
    (22, 2, 0)
    """
    lines = text.split("\n", _LINES)[:-1]
    if not lines and "\r" in text:
        lines = text.split("\r", _LINES)[:-1]
    filled = [place for place, line in enumerate(lines) if line.strip(_NOTHING)]
    heading = 0
    for place, following in pairwise(filled):
        line = lines[place].strip()
        if not _COMMENT.fullmatch(line) and not (
            _ONE_CELL.fullmatch(line) and _has_titles(lines, filled, place)
        ):
            break
        heading = following
    above = lines[: heading if heading else filled[0] if filled else len(lines)]
    blank = sum(not line.strip() for line in above)
    return sum(len(line) + 1 for line in above), len(above) - blank, blank


_NOTHING = ' \t,;|"\r'


def _has_titles(lines: list[str], filled: list[int], place: int) -> bool:
    """Return whether the first line below that fills several cells, or holds an address, is one of titles."""
    below = (lines[at].strip() for at in filled if at > place)
    first = next((line for line in below if "@" in line or not _ONE_CELL.fullmatch(line)), "")
    return _TITLES.fullmatch(first) is not None


def titles(line: str, delimiters: Iterable[str] = DELIMITERS) -> dict[str, list[str]]:
    """Return the cells that each delimiter cuts a line into; without those by which it cannot be cut.

    >>> titles("name;email")[";"]
    ['name', 'email']
    """
    found: dict[str, list[str]] = {}
    for delimiter in delimiters:
        try:
            found[delimiter] = next(csv.reader([line.rstrip("\r")], delimiter=delimiter))
        except (csv.Error, StopIteration):
            continue
    return found

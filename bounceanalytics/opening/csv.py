"""Tables as text: what may delimit their cells, and the first line by which Excel is told."""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

#: What may delimit cells, the more usual first.
DELIMITERS = ",;\t|"

_SEPARATOR_LINE = re.compile(r"sep=([\t !#-&(-/:-@[-^`{-~]?) *(?:\r\n|\n|\r)", re.IGNORECASE)

_EMPTY_LINES = re.compile(r"(?:[ \t,;|\"]*(?:\r\n|\n|\r))+")


def separator_line(text: str) -> tuple[str, str] | None:
    r"""Return the line ``sep=;`` that a text begins with, and the delimiter that it tells; else None.

    >>> separator_line("sep=;\r\nname;email\r\n")
    ('sep=;\r\n', ';')
    """
    line = _SEPARATOR_LINE.match(text)
    return (line[0], line[1] or ",") if line else None


def before_header(text: str) -> tuple[int, int, int]:
    r"""Return how many characters of lines without a cell that holds something a table begins with, and their lines.

    The lines are those with delimiters, and those with none.

    >>> before_header("\n;;\n\nname;email\n")
    (5, 1, 2)
    """
    found = _EMPTY_LINES.match(text)
    lines = found[0].splitlines() if found else []
    blank = sum(not line.strip() for line in lines)
    return (found.end() if found else 0), len(lines) - blank, blank


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

"""Workbooks (.xlsx, .xls, .ods) as the tables on their sheets: CSV, one file for each sheet that holds something."""

from __future__ import annotations

import csv
import io
from datetime import date, datetime, time, timedelta
from typing import Any

#: First bytes of a workbook, and of much else.
MAGIC = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"


def sheets_of(path: str) -> list[tuple[str, bytes]] | None:
    """Return names of the sheets of a workbook that are not empty, and their tables as CSV; None if it is none.

    Raises
    ------
    PermissionError
        If it is protected by a password.
    """
    import python_calamine as calamine  # noqa: PLC0415 - few load workbooks

    try:
        with calamine.load_workbook(path) as book:
            names = [one.name for one in book.sheets_metadata if one.typ == calamine.SheetTypeEnum.WorkSheet]
            tables = [(name, _table(list(book.get_sheet_by_name(name).iter_rows()))) for name in names]
    except calamine.PasswordError as error:
        raise PermissionError(path) from error
    except (calamine.CalamineError, OSError, ValueError):
        return None
    return [(name, _text(rows)) for name, rows in tables if rows]


def _text(rows: list[list[str]]) -> bytes:
    stream = io.StringIO(newline="")
    csv.writer(stream, lineterminator="\n").writerows(rows)
    return stream.getvalue().encode("utf-8", "replace")


def _table(rows: list[list[Any]]) -> list[list[str]]:
    """Return the rows of a sheet without its titles above the header, and without what is empty around it."""
    cells = [[_cell(value) for value in row] for row in rows]
    cells = [row for row in cells if any(row)]
    widest = max((sum(map(bool, row)) for row in cells), default=0)
    while widest > 1 and sum(map(bool, cells[0])) == 1 and not any("@" in cell for cell in cells[0]):
        cells = cells[1:]
    used = [place for place in range(len(cells[0])) if any(row[place] for row in cells)] if cells else []
    return [[row[place] for place in used] for row in cells]


def _cell(value: Any) -> str:
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, (date, time, timedelta)):
        return str(value)
    return str(value).strip() if isinstance(value, str) else str(value)

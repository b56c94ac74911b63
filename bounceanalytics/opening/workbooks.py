"""Workbooks (.xlsx, .xls, .ods) as the tables on their sheets: CSV, one file for each sheet that holds something."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bounceanalytics.opening import archives

if TYPE_CHECKING:
    from bounceanalytics.opening.sources import Source

_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"


def sheets_of(source: Source, head: bytes, folder: str) -> list[Source]:
    """Return the sheets of a workbook as sources; the source itself if it is none.

    Parameters
    ----------
    source : Source
    head : bytes
        Its first bytes.
    folder : str
        A temporary folder for the sheets.
    """
    if source.packing != "none" or not head.startswith((_ZIP, _OLE)):
        return [source]
    import python_calamine as calamine  # noqa: PLC0415 - few load workbooks

    try:
        with calamine.load_workbook(source.path) as book:
            names = [one.name for one in book.sheets_metadata if one.typ == calamine.SheetTypeEnum.WorkSheet]
            tables = [(name, _table(list(book.get_sheet_by_name(name).iter_rows()))) for name in names]
    except calamine.PasswordError:
        return [replace(source, notes=(*source.notes, "a workbook protected by a password"))]
    except (calamine.CalamineError, OSError, ValueError):
        return [source]
    filled = [(name, rows) for name, rows in tables if rows]
    found = []
    for name, rows in filled:
        stream = io.StringIO(newline="")
        csv.writer(stream, lineterminator="\n").writerows(rows)
        content = stream.getvalue().encode("utf-8", "replace")
        with archives.temporary(folder) as out:
            archives.write(out, content)
        single = len(filled) == 1
        found.append(
            replace(
                source,
                name=source.name if single else f"{source.name}/{name}",
                path=str(Path(out.name)),
                size=len(content),
                alone=source.alone and single,
                notes=(*source.notes, f"sheet {name!r} of a workbook"),
            )
        )
    return found or [replace(source, path=_empty(folder), size=0)]


def _empty(folder: str) -> str:
    with archives.temporary(folder) as out:
        return out.name


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

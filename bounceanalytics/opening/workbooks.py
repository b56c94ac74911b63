"""Workbooks (.xlsx, .xls, .ods) as the tables on their sheets: CSV, one file for each sheet that holds something."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from bounceanalytics.opening.archives import DAMAGED

#: First bytes of a workbook, and of much else.
MAGIC = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"


#: What Office calls the stream that it encrypts, and the record of an .xls that says how it is encrypted.
_LOCKED = re.compile(
    re.escape("EncryptedPackage".encode("utf-16-le"))
    + rb"|\x09\x08\x10\x00\x00\x06.{,200}?\x2f\x00(?:\x06\x00\x00\x00|..\x01\x00[\x01-\x04]\x00)",
    re.DOTALL,
)


_NO_ARCHIVE: tuple[type[Exception], ...] = (
    *DAMAGED,
    KeyError,
    OSError,
    RuntimeError,
    ValueError,
    zipfile.BadZipFile,
)


def has_password(content: bytes) -> bool:
    """Return whether a file that cannot be read is a workbook with a password; the library tells it by names alone."""
    if content.startswith(MAGIC[1]):
        return bool(_LOCKED.search(content))
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return b"encryption-data" in archive.read("META-INF/manifest.xml")
    except _NO_ARCHIVE:
        return False


def sheets_of(path: str) -> list[tuple[str, bytes]] | None:
    """Return names of the sheets of a workbook that are not empty, and their tables as CSV; None if it is none.

    Raises
    ------
    PermissionError
        If it has a password.
    """
    import python_calamine as calamine  # noqa: PLC0415 - few load workbooks

    try:
        with calamine.load_workbook(path) as book:
            names = [one.name for one in book.sheets_metadata if one.typ == calamine.SheetTypeEnum.WorkSheet]
            tables = [(name, _table(list(book.get_sheet_by_name(name).iter_rows()))) for name in names]
    except calamine.PasswordError as error:
        raise PermissionError(path) from error
    except (calamine.CalamineError, OSError, ValueError) as error:
        if has_password(Path(path).read_bytes()):
            raise PermissionError(path) from error
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

"""Workbooks (.xlsx, .xls, .ods) as the CSV text that a spreadsheet would save."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from datetime import datetime, time
from typing import TYPE_CHECKING, Any

from bounceanalytics.errors import FormatError
from bounceanalytics.opening.archives import RefusedError
from bounceanalytics.opening.text import BOM
from bounceanalytics.opening.workbooks import MAGIC, LockedError, NoWorkbookError, sheets_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

DELIMITER = ","


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet with content.

    Attributes
    ----------
    name : str
    text : bytes
        CSV in UTF-8 with a byte order mark, by which Excel knows it to be that.
    """

    name: str
    text: bytes


def is_workbook(start: bytes) -> bool:
    """Return whether a file may be a workbook, by its first bytes."""
    return start.startswith(MAGIC)


def read_sheets(content: bytes, name: str) -> list[Sheet]:
    """Return the sheets of a workbook that are not empty.

    Parameters
    ----------
    content : bytes
        The file.
    name : str
        What to call it in an error.

    Returns
    -------
    list of Sheet
        Dates are in ISO form, whole numbers without a decimal point, empty cells empty. Empty rows at the end of a
        sheet are left out.

    Raises
    ------
    FormatError
        If it is no workbook, is damaged or encrypted, or is empty.
    """
    try:
        sheets = [Sheet(title, _text(rows)) for title, rows in sheets_in(content)]
    except LockedError:
        raise FormatError(f"{name} has a password; save it without one, or as CSV") from None
    except RefusedError as error:
        raise FormatError(f"{name} {error}") from None
    except NoWorkbookError:
        raise FormatError(
            f"{name} is no workbook that can be read, or a damaged one; open and save it in Excel,"
            " or, if it is an archive, unpack it"
        ) from None
    filled = [sheet for sheet in sheets if sheet.text != BOM]
    if not filled:
        raise FormatError(f"{name} is empty; a mailing list has at least a header")
    return filled


def _text(rows: Iterable[list[Any]]) -> bytes:
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, delimiter=DELIMITER, lineterminator="\r\n")
    writer.writerows(_filled(rows))
    return BOM + stream.getvalue().encode()


def _filled(rows: Iterable[list[Any]]) -> Iterator[list[str]]:
    """Yield the rows up to the last one that holds something."""
    waiting: list[list[str]] = []
    for row in rows:
        cells = [_cell(value) for value in row]
        waiting.append(cells)
        if any(cells):
            yield from waiting
            waiting.clear()


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).upper()  # as Excel writes it
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(sep=" ")
    return str(value)  # texts, numbers, and dates and times, which are in ISO form

"""Workbooks (.xlsx, .xls, .ods) as the tables on their sheets: CSV, one file for each sheet that holds something."""

from __future__ import annotations

import contextlib
import csv
import io
import os
import pickle
import re
import subprocess
import sys
import zipfile
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bounceanalytics.opening import workbook_reader
from bounceanalytics.opening.archives import DAMAGED, Budget, RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: First bytes of a workbook, and of much else.
MAGIC = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"

#: Memory that a workbook may take to be read: this much, and so many times its size. What people save takes 30 times.
MEMORY_FLOOR = 320 * 1024**2
MEMORY_RATIO = 128
#: CPU time that it may take: so many seconds, and one more for so many bytes. A usual machine reads ten times as many.
SECONDS_FLOOR = 20
SIZE_OF_A_SECOND = 100 * 1024

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


class LockedError(Exception):
    """A workbook has a password."""


class NoWorkbookError(Exception):
    """A file is no workbook, or a damaged one."""


def sheets_in(content: bytes) -> Iterator[tuple[str, Iterator[list[Any]]]]:
    """Yield the name of each sheet of a workbook, and its rows, which must be taken before the next sheet is.

    Raises
    ------
    LockedError, NoWorkbookError
    RefusedError
        If it would take far more memory than is in proportion to its size.
    """
    size = len(content)
    Budget(size).spend(_unpacked_size(content))
    # what was put on the path of this process stays there; the folder that one works in is none of it
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-P", workbook_reader.__file__]
    limits = [MEMORY_FLOOR + MEMORY_RATIO * size, SECONDS_FLOOR + size // SIZE_OF_A_SECOND]
    with subprocess.Popen(  # noqa: S603 - our own program
        [*command, *map(str, limits)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
    ) as process:
        try:
            yield from _handed_over(process, content)
        except BaseException:
            process.kill()
            raise
    _judge(process.returncode, content)


def _handed_over(
    process: subprocess.Popen[bytes], content: bytes
) -> Iterator[tuple[str, Iterator[list[Any]]]]:
    given, taken = process.stdin, process.stdout
    assert given is not None  # noqa: S101 - for the type checker
    assert taken is not None  # noqa: S101
    with contextlib.suppress(BrokenPipeError), given:  # where it has ended already, its end says why
        given.write(content)

    def next_one() -> Any:
        with contextlib.suppress(EOFError, pickle.UnpicklingError):
            return pickle.load(taken)  # noqa: S301 - our own program's
        return None

    def rows() -> Iterator[list[Any]]:
        while some := next_one():
            yield from some

    while (name := next_one()) is not None:
        yield name, rows()


def _judge(code: int, content: bytes) -> None:
    """Raise what belongs to the way in which the reader has ended."""
    if code == workbook_reader.DONE:
        return
    if code == workbook_reader.LOCKED or (code == workbook_reader.NO_WORKBOOK and has_password(content)):
        raise LockedError
    if code == workbook_reader.NO_WORKBOOK:
        raise NoWorkbookError
    raise RefusedError(
        f"is a workbook of {len(content):,} bytes that takes more than"
        f" {(MEMORY_FLOOR + MEMORY_RATIO * len(content)) // 1024**2:,} MiB of memory to read, as one does with a cell"
        " far outside of its table; save the table as CSV and give that"
    )


def _unpacked_size(content: bytes) -> int:
    """Return what the parts of a workbook claim to unpack to; 0 if it is none of parts."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return sum(info.file_size for info in archive.infolist())
    except _NO_ARCHIVE:
        return 0


def sheets_of(path: str) -> list[tuple[str, bytes]] | None:
    """Return names of the sheets of a workbook that are not empty, and their tables as CSV; None if it is none.

    Raises
    ------
    LockedError, RefusedError
        As for :func:`sheets_in`.
    """
    try:
        tables = [(name, _table(rows)) for name, rows in sheets_in(Path(path).read_bytes())]
    except (NoWorkbookError, OSError):
        return None
    return [(name, _text(rows)) for name, rows in tables if rows]


def _text(rows: list[list[str]]) -> bytes:
    stream = io.StringIO(newline="")
    csv.writer(stream, lineterminator="\n").writerows(rows)
    return stream.getvalue().encode("utf-8", "replace")


def _table(rows: Iterable[list[Any]]) -> list[list[str]]:
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

"""Mailing lists as files: opening them, finding out how they are written, reading them record by record.

What is found here only says how to read the file. The file's bytes are never decoded and written again.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import re
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

import numpy as np

from bounceanalytics.cleaning.columns import address_column
from bounceanalytics.cleaning.records import CR, LF, Records, decoded, find_records, slices, unquoted
from bounceanalytics.errors import FormatError, SourceError

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    Source = str | os.PathLike[str] | bytes

BLOCK = 16 * 1024 * 1024  # bytes read at a time: large enough for numpy, small enough for any machine
LONGEST_RECORD = 64 * 1024 * 1024
_SAMPLE = 256 * 1024  # bytes from which the dialect is told
_GZIP = b"\x1f\x8b"

_MARKS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))

#: Files that are often taken for CSV: how they begin, what they are, what to do.
_NO_LISTS = (
    (b"PK\x03\x04", "an Excel workbook or a ZIP archive; save the sheet as CSV"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook; save the sheet as CSV"),
    (b"%PDF", "a PDF document"),
    (b"PAR1", "a Parquet file; write it as CSV"),
    (b"<!doctype html", "a web page; the download may have needed a log-in"),
    (b"<html", "a web page; the download may have needed a log-in"),
)
_DELIMITERS = ",;\t|"
_SEP_LINE = re.compile(
    r"sep=([,;\t|])\r?\n", re.IGNORECASE
)  # a first line by which Excel is told the delimiter


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a list is written.

    Attributes
    ----------
    encoding : {'utf-8', 'utf-16-le', 'utf-16-be', 'cp1252'}
    mark : bytes
        What stands before the header: a byte order mark, a line ``sep=;``, or nothing.
    delimiter : str
    line_end : str
    header : tuple of str or None
        Names of the columns; None where the first record is an address already.
    columns : int
        Cells of the first record.
    address : int
        Which cell holds the address, from 0.
    """

    encoding: str
    mark: bytes
    delimiter: str
    line_end: str
    header: tuple[str, ...] | None
    columns: int
    address: int

    @property
    def unit(self) -> np.dtype[Any]:
        """The code unit in which records are looked for."""
        return _unit(self.encoding)

    @property
    def newline(self) -> int:
        """The code unit that ends a record."""
        return ord(self.line_end[-1])

    def encode(self, text: str) -> bytes:
        """Return text as it is written in this list."""
        return text.encode(self.encoding, errors="replace")


class MailingList:
    """A mailing list that is read in blocks, as often as needed, and never as a whole.

    Parameters
    ----------
    source : path or bytes
        A CSV file, gzipped or not, or its content.
    column : str or int, optional
        Name of the column that holds the address, or its position from 0; found if not given.
    progress : callable, optional
        Called with a description, bytes done and bytes in all.
    """

    def __init__(
        self,
        source: Source,
        column: str | int | None = None,
        progress: Callable[[str, int, int], None] | None = None,
    ) -> None:
        self._source = source if isinstance(source, bytes) else Path(source)
        self._progress = progress
        self.name = self._source.name if isinstance(self._source, Path) else "the list"
        if isinstance(self._source, Path) and not self._source.is_file():
            what = "is a folder" if self._source.is_dir() else "does not exist"
            raise SourceError(f"{self._source} {what}; a mailing list is a CSV file")
        with self._open("look at the list") as stream:
            sample = stream.read(_SAMPLE)
            whole = not stream.read(1)
        self.dialect, self.header_length = _dialect(sample, whole, self.name, column)

    @property
    def path(self) -> Path | None:
        """Where the list lies, if it is a file."""
        return self._source if isinstance(self._source, Path) else None

    def blocks(self) -> Iterator[Records]:
        """Yield the records after the header, block by block.

        Raises
        ------
        FormatError
            If a quote never closes.
        """
        dialect, seen = self.dialect, int(self.dialect.header is not None)
        with self._open("read the list") as stream:
            stream.read(len(dialect.mark) + self.header_length)
            rest = b""
            while True:
                new = stream.read(BLOCK)
                last = len(new) < BLOCK
                data = rest + new
                size = len(data) - len(data) % dialect.unit.itemsize
                units = np.frombuffer(data, dtype=dialect.unit, count=size // dialect.unit.itemsize)
                records = find_records(units, ord(dialect.delimiter), dialect.newline, last=last)
                done = int(records.ends[-1]) * dialect.unit.itemsize if len(records) else 0
                if records.unclosed and (last or len(data) - done > LONGEST_RECORD):
                    at = seen + len(records) + (0 if last else 1)
                    raise FormatError(
                        f"{self.name}: the quote that opens in record {at:,} never closes; mend that record"
                    )
                if last and size < len(data):
                    raise FormatError(
                        f"{self.name} ends in the middle of a character; it seems to be cut off"
                    )
                if len(records):
                    yield records
                    seen += len(records)
                if last:
                    return
                rest = data[done:]

    def stretches(self, lengths: NDArray[np.int32], description: str) -> Iterator[tuple[slice, bytes]]:
        """Yield the file once more, as stretches of whole records.

        Parameters
        ----------
        lengths : numpy.ndarray of int32
            Bytes of every record, as :meth:`blocks` found them.
        description : str
            For the progress callback.

        Yields
        ------
        tuple of slice and bytes
            Numbers of the records, and their bytes.
        """
        ends = np.cumsum(lengths, dtype=np.int64)
        with self._open(description) as stream:
            stream.read(len(self.dialect.mark) + self.header_length)
            start = 0
            while start < len(lengths):
                before = int(ends[start - 1]) if start else 0
                stop = max(start + 1, int(np.searchsorted(ends, before + BLOCK, side="right")))
                wanted = int(ends[stop - 1]) - before
                data = stream.read(wanted)
                if len(data) < wanted:
                    raise SourceError(f"{self.name} changed while it was read; run this again")
                yield slice(start, stop), data
                start = stop

    def head(self) -> bytes:
        """Return the bytes of the mark and the header."""
        with self._open("look at the list") as stream:
            return stream.read(len(self.dialect.mark) + self.header_length)

    def state(self) -> tuple[int, int] | None:
        """Return what changes when the file does."""
        if isinstance(self._source, bytes):
            return None
        stat = self._source.stat()
        return stat.st_size, stat.st_mtime_ns

    def fingerprint(self) -> tuple[int, str]:
        """Return size and SHA-256 of the file as it lies there."""
        if isinstance(self._source, bytes):
            return len(self._source), hashlib.sha256(self._source).hexdigest()
        with self._source.open("rb") as raw:
            digest = hashlib.file_digest(raw, "sha256").hexdigest()
            return raw.tell(), digest

    def _open(self, description: str) -> _Stream:
        return _Stream(self._source, self.name, description, self._progress)


class _Stream:
    """The unpacked bytes of a source; errors of the system and of gzip become one sentence."""

    def __init__(
        self,
        source: Path | bytes,
        name: str,
        description: str,
        progress: Callable[[str, int, int], None] | None,
    ) -> None:
        self._name, self._description, self._progress = name, description, progress
        try:
            self._raw: IO[bytes] = io.BytesIO(source) if isinstance(source, bytes) else source.open("rb")
            self._size = len(source) if isinstance(source, bytes) else source.stat().st_size
        except OSError as error:
            raise SourceError(f"{name} cannot be opened: {error.strerror}") from error
        packed = self._raw.read(2) == _GZIP
        self._raw.seek(0)
        self._stream: IO[bytes] = self._raw
        if packed:
            self._stream = cast("IO[bytes]", gzip.GzipFile(fileobj=self._raw))

    def __enter__(self) -> _Stream:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()
        self._raw.close()

    def read(self, size: int) -> bytes:
        """Return that many bytes; fewer only at the end."""
        try:
            data = self._stream.read(size)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise SourceError(f"{self._name} is a damaged gzip file; fetch it again") from error
        except OSError as error:
            raise SourceError(f"{self._name} cannot be read: {error.strerror}") from error
        if self._progress is not None:
            self._progress(self._description, self._raw.tell(), self._size)
        return data


def _unit(encoding: str) -> np.dtype[Any]:
    return np.dtype({"utf-16-le": "<u2", "utf-16-be": ">u2"}.get(encoding, "u1"))


def _dialect(sample: bytes, whole: bool, name: str, column: str | int | None) -> tuple[Dialect, int]:
    """Return how the list is written, and how many bytes its header takes after the mark."""
    for start, what in _NO_LISTS:
        if sample[:64].lstrip().lower().startswith(start.lower()):
            raise FormatError(f"{name} is no CSV file; it looks like {what}")
    mark, encoding = _encoding(sample, whole)
    told = _SEP_LINE.match(sample[len(mark) : len(mark) + 32].decode(encoding, errors="ignore"))
    if told:
        mark += told[0].encode(encoding)
    body = sample[len(mark) :]
    unit = _unit(encoding)
    units = np.frombuffer(body, dtype=unit, count=len(body) // unit.itemsize)
    if not len(units):
        raise FormatError(f"{name} is empty; a mailing list has at least a header")
    if unit.itemsize == 1 and (units == 0).any():
        raise FormatError(f"{name} is no CSV file; it looks like binary data")
    newline = LF if (units == LF).any() or not (units == CR).any() else CR
    delimiter, records = _delimiter(units, newline, whole, told[1] if told else _DELIMITERS)
    if not len(records):
        raise FormatError(
            f"{name}: the first record does not end within {_SAMPLE:,} bytes; is this a CSV file?"
        )
    line_end = "\r" if newline == CR else "\r\n" if records.ends[0] - records.stops[0] == 2 else "\n"
    first = _first_record(records, encoding)
    cells = [records.cell(number, encoding) for number in range(len(first))]
    header, address = address_column(first, cells, name, column)
    dialect = Dialect(encoding, mark, delimiter, line_end, header, len(first), address)
    return dialect, int(records.ends[0]) * unit.itemsize if header is not None else 0


def _encoding(sample: bytes, whole: bool) -> tuple[bytes, str]:
    for mark, encoding in _MARKS:
        if sample.startswith(mark):
            return mark, encoding
    head = np.frombuffer(sample[: len(sample) // 2 * 2], dtype="u1").reshape(-1, 2)
    if len(head):
        zeros = (head == 0).mean(axis=0)
        if zeros.max() > 0.4 and zeros.min() < 0.05:  # Latin text in UTF-16 without a mark
            return b"", "utf-16-le" if zeros[1] > zeros[0] else "utf-16-be"
    try:
        sample.decode("utf-8")
    except UnicodeDecodeError as error:
        if whole or error.start < len(sample) - 4:  # else the sample ends inside a character
            return b"", "cp1252"
    return b"", "utf-8"


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

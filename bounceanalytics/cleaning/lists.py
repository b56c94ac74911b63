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
from typing import IO, TYPE_CHECKING, Any, Protocol, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bounceanalytics.cleaning import workbooks
from bounceanalytics.cleaning.cells import joined
from bounceanalytics.cleaning.columns import address_column
from bounceanalytics.cleaning.records import CR, LF, Records, binary, decoded, find_records, slices, unquoted
from bounceanalytics.errors import FormatError, SourceError

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    Source = str | os.PathLike[str] | bytes

    class Readable(Protocol):
        """What bytes are read from."""

        def read(self, size: int, /) -> bytes:
            """Return that many bytes; fewer only at the end."""


BLOCK = 4 * 1024 * 1024  # bytes read at a time: large enough for numpy, small enough for any machine
LONGEST_RECORD = 64 * 1024 * 1024
_SAMPLE = 256 * 1024  # bytes from which the dialect is told
_GZIP = b"\x1f\x8b"

_MARKS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))

#: Files that are often taken for CSV: how they begin, what they are, what to do.
_NO_LISTS = (
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

    def encoded(self, texts: pa.Array) -> Any:
        """Return an array of texts, none missing, as they are written in this list."""
        whole = joined(texts).tobytes()
        lengths = pc.binary_length(texts).to_numpy()
        if (
            self.encoding != "utf-8" and not whole.isascii()
        ):  # rare: words of others in a list in cp1252 or UTF-16
            return pa.array([self.encode(text) for text in texts.to_pylist()], pa.large_binary())
        offsets = np.concatenate(([0], np.cumsum(lengths, dtype=np.int64)))
        return binary((np.frombuffer(whole, dtype=np.uint8).astype(self.unit, copy=False), offsets))

    def line_ends(self, lengths: NDArray[Any]) -> pa.Array:
        """Return the line ends of records by their lengths in code units: none, one, or CR and LF."""
        choices = [b"", self.encode(self.line_end[-1]), self.encode("\r\n")]
        return pa.array(choices, pa.large_binary()).take(pa.array(lengths))


@dataclass(frozen=True, slots=True)
class Identity:
    """What tells a list from any other.

    Attributes
    ----------
    bytes, sha256 : int and str
        Of the file as it lies there.
    content_bytes, content_sha256 : int and str
        Of its text: the same, unless the file is packed or a workbook.
    """

    bytes: int
    sha256: str
    content_bytes: int
    content_sha256: str


class MailingList:
    """A mailing list that is read in blocks, and never as a whole.

    Parameters
    ----------
    source : path or bytes
        A CSV file, gzipped or not, or an Excel workbook; or the content of one.
    column : str or int, optional
        Name of the column that holds the address, or its position from 0; found if not given.
    progress : callable, optional
        Called with a description, bytes done and bytes in all.

    Attributes
    ----------
    name : str
        What to call it.
    dialect : Dialect
        How its text is written.
    header_length : int
        Bytes of the header, which stands after the mark.
    sheet : str or None
        Name of the sheet, of a workbook.
    """

    def __init__(
        self,
        source: Source,
        column: str | int | None = None,
        progress: Callable[[str, int, int], None] | None = None,
    ) -> None:
        self._source = source if isinstance(source, bytes) else Path(source)
        self._progress = progress
        self._identity: Identity | None = None
        self.name = self._source.name if isinstance(self._source, Path) else "the list"
        if isinstance(self._source, Path) and not self._source.is_file():
            what = "is a folder" if self._source.is_dir() else "does not exist"
            raise SourceError(f"{self._source} {what}; a mailing list is a CSV file or an Excel workbook")
        self._text: Path | bytes = self._source
        self._workbook: bytes | None = None
        self.sheet: str | None = None
        with self._open() as stream:
            sample = stream.read(_SAMPLE)
            rest = stream.read(1)
            if workbooks.is_workbook(sample):
                self._workbook = sample + rest + stream.read(-1)
        if self._workbook is None:
            self.dialect, self.header_length = _dialect(sample, not rest, self.name, column)
        else:
            sheet, self.dialect, self.header_length = _sheet(self._workbook, self.name, column)
            self.sheet, self._text = sheet.name, sheet.text

    @property
    def path(self) -> Path | None:
        """Where the list lies, if it is a file."""
        return self._source if isinstance(self._source, Path) else None

    def blocks(self) -> Iterator[Records]:
        """Yield the records after the header, block by block; after the last one the identity is known.

        Raises
        ------
        FormatError
            If a quote never closes.
        """
        with self._open("clean the list") as stream:
            stream.read(len(self.dialect.mark) + self.header_length)
            yield from record_blocks(stream, self.dialect, self.name)
            self._identity = stream.identity()

    def identity(self) -> Identity:
        """Return size and checksum of what was read; all blocks must have been."""
        if self._identity is None:
            raise AssertionError("the list was not read to its end")
        if self._workbook is None:
            return self._identity
        text = self._identity
        digest = hashlib.sha256(self._workbook).hexdigest()
        return Identity(len(self._workbook), digest, text.content_bytes, text.content_sha256)

    def head(self) -> bytes:
        """Return the bytes of the mark and the header."""
        with self._open() as stream:
            return stream.read(len(self.dialect.mark) + self.header_length)

    def state(self) -> tuple[int, int] | None:
        """Return what changes when the file does."""
        if isinstance(self._source, bytes):
            return None
        stat = self._source.stat()
        return stat.st_size, stat.st_mtime_ns

    def _open(self, description: str = "look at the list") -> _Stream:
        return _Stream(self._text, self.name, description, self._progress)


def record_blocks(stream: Readable, dialect: Dialect, name: str) -> Iterator[Records]:
    """Yield the records of a stream block by block.

    Parameters
    ----------
    stream : open file or the like
        Stands at the first record after the header.
    dialect : Dialect
    name : str
        What to call it in an error.

    Raises
    ------
    FormatError
        If a quote never closes, or the file ends inside a character.
    """
    seen = int(dialect.header is not None)
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
            raise FormatError(f"{name}: the quote that opens in record {at:,} never closes; mend that record")
        if last and size < len(data):
            raise FormatError(f"{name} ends in the middle of a character; it seems to be cut off")
        if len(records):
            yield records
            seen += len(records)
        if last:
            return
        rest = data[done:]


class _Counted:
    """An open file that counts and sums up what is read from it."""

    def __init__(self, raw: IO[bytes]) -> None:
        self._raw = raw
        self._digest = hashlib.sha256()
        self.bytes = 0

    def read(self, size: int = -1) -> bytes:
        data = self._raw.read(size)
        self._digest.update(data)
        self.bytes += len(data)
        return data

    def close(self) -> None:
        self._raw.close()

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()


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
            raw: IO[bytes] = io.BytesIO(source) if isinstance(source, bytes) else source.open("rb")
            self._size = len(source) if isinstance(source, bytes) else source.stat().st_size
        except OSError as error:
            raise SourceError(f"{name} cannot be opened: {error.strerror}") from error
        packed = raw.read(2) == _GZIP
        raw.seek(0)
        self._raw = self._stream = _Counted(raw)
        if packed:
            self._stream = _Counted(cast("IO[bytes]", gzip.GzipFile(fileobj=cast("IO[bytes]", self._raw))))

    def __enter__(self) -> _Stream:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()
        self._raw.close()

    def read(self, size: int) -> bytes:
        """Return that many bytes, all if negative; fewer only at the end."""
        try:
            data = self._stream.read(size)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise SourceError(f"{self._name} is a damaged gzip file; fetch it again") from error
        except OSError as error:
            raise SourceError(f"{self._name} cannot be read: {error.strerror}") from error
        if self._progress is not None:
            self._progress(self._description, self._raw.bytes, self._size)
        return data

    def identity(self) -> Identity:
        """Return sizes and checksums of what was read so far."""
        return Identity(self._raw.bytes, self._raw.sha256, self._stream.bytes, self._stream.sha256)


def _unit(encoding: str) -> np.dtype[Any]:
    return np.dtype({"utf-16-le": "<u2", "utf-16-be": ">u2"}.get(encoding, "u1"))


def _sheet(content: bytes, name: str, column: str | int | None) -> tuple[workbooks.Sheet, Dialect, int]:
    """Return the one sheet of a workbook that holds addresses, how it is written, and the length of its header."""
    sheets = workbooks.read_sheets(content, name)
    fitting: list[tuple[workbooks.Sheet, Dialect, int]] = []
    for sheet in sheets:
        sample = sheet.text[:_SAMPLE]
        whole = len(sheet.text) <= _SAMPLE
        try:
            dialect, length = _dialect(sample, whole, name, column, workbooks.DELIMITER)
        except FormatError:
            if len(sheets) == 1:
                raise
            continue
        fitting.append((sheet, dialect, length))
    if len(fitting) == 1:
        return fitting[0]
    what = (
        "more than one sheet has a column of addresses" if fitting else "no sheet has a column of addresses"
    )
    titles = ", ".join(repr(sheet.name) for sheet in ([one[0] for one in fitting] or sheets))
    raise FormatError(f"{name}: {what}: {titles}; save the one to clean as a workbook of its own, or as CSV")


def _dialect(
    sample: bytes, whole: bool, name: str, column: str | int | None, choice: str = _DELIMITERS
) -> tuple[Dialect, int]:
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
    delimiter, records = _delimiter(units, newline, whole, told[1] if told else choice)
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

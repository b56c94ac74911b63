"""Mailing lists as files: opening them, finding out how they are written, reading them record by record.

What is found here only says how to read the file. The file's bytes are never decoded and written again.
"""

from __future__ import annotations

import codecs
import contextlib
import hashlib
import io
import os
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import IO, TYPE_CHECKING, Any, NamedTuple, Protocol, Self, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bounceanalytics.cleaning import workbooks
from bounceanalytics.cleaning.cells import joined
from bounceanalytics.cleaning.columns import address_column
from bounceanalytics.cleaning.records import CR, LF, Records, binary, decoded, find_records, slices, unquoted
from bounceanalytics.errors import FormatError, SourceError
from bounceanalytics.opening.archives import DAMAGED, shown, unpacking
from bounceanalytics.opening.csv import DELIMITERS, separator_line
from bounceanalytics.opening.encodings import encoding_of
from bounceanalytics.opening.places import given_files
from bounceanalytics.opening.sources import Source, unpacked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from bounceanalytics.opening.places import Given

    class Readable(Protocol):
        """What bytes are read from."""

        def read(self, size: int, /) -> bytes:
            """Return that many bytes; fewer only at the end."""


BLOCK = 4 * 1024 * 1024  # bytes read at a time: large enough for numpy, small enough for any machine
LONGEST_RECORD = 64 * 1024 * 1024
_SAMPLE = 256 * 1024  # bytes from which the dialect is told
_NAMED = 20  # files of an archive that a message names

_Item = TypeVar("_Item")
_Seen = TypeVar("_Seen")

#: Files that are often taken for CSV: how they begin, what they are, what to do.
_NO_LISTS = (
    (b"%PDF", "a PDF document"),
    (b"PAR1", "a Parquet file; write it as CSV"),
    (b"<!doctype html", "a web page; the download may have needed a log-in"),
    (b"<html", "a web page; the download may have needed a log-in"),
)
#: Encoding -> code unit, where it is no byte.
_UNITS = {"utf-16-le": "<u2", "utf-16-be": ">u2", "utf-32-le": "<u4", "utf-32-be": ">u4"}


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a list is written.

    Attributes
    ----------
    encoding : {'utf-8', 'utf-16-le', 'utf-16-be', 'utf-32-le', 'utf-32-be', 'cp1252'}
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
        return np.dtype(_UNITS.get(self.encoding, "u1"))

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
        Of the file that was handed in, as it lies there.
    content_bytes, content_sha256 : int and str
        Of the text: the same, unless the file is packed or a workbook.
    """

    bytes: int
    sha256: str
    content_bytes: int
    content_sha256: str


class _Contents(NamedTuple):
    """A file that may be a list, or the sheet of a workbook as one.

    ``text`` holds what has been read already, else nothing; of a workbook ``sheet`` is the name of its sheet.
    """

    dialect: Dialect
    header_length: int
    text: bytes | None = None
    sheet: str | None = None


class MailingList:
    """A mailing list that is read in blocks, and never as a whole; to be closed.

    Parameters
    ----------
    source : str, path, bytes or binary file
        A CSV file or an Excel workbook, packed in any way, wherever :func:`bounceanalytics.load` takes a file from. Of
        an archive, the one file is taken that is a list.
    column : str or int, optional
        Name of the column that holds the address, or its position from 0; found if not given.
    progress : callable, optional
        Called with a description, bytes done and bytes in all.

    Attributes
    ----------
    name : str
        What to call it; of a member of an archive, with the archive's name before it.
    member : str or None
        Its name in the archive.
    dialect : Dialect
        How its text is written.
    header_length : int
        Bytes of the header, which stands after the mark.
    sheet : str or None
        Name of the sheet, of a workbook.

    Raises
    ------
    SourceError
        If it cannot be opened, or a part of it is damaged.
    FormatError
        If it is no list, or several.
    """

    def __init__(
        self,
        source: Any,
        column: str | int | None = None,
        progress: Callable[[str, int, int], None] | None = None,
    ) -> None:
        self._progress = progress
        self._identity: Identity | None = None
        with contextlib.ExitStack() as stack:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="bounceanalytics-"))
            file, member = _within(source)
            (given,) = given_files(file, folder, one=True)
            given = replace(given, name=_called(given))
            self._given = given
            self._before = self._state()
            # what was copied has to stay, for its checksum
            found = _asked_for(unpacked(replace(given, copied=False), folder), given.name, member)
            self._source, contents = self._list_among(found, column)
            self._folder = stack.pop_all()
        self.name = shown(self._source.name)
        self.member = None if self._source.name == given.name else _member(self._source, given.name)
        self.dialect, self.header_length, self._text, self.sheet = contents

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove what was unpacked."""
        self._folder.close()

    @property
    def path(self) -> Path | None:
        """Where the file lies that was handed in, if it is one on disk."""
        return None if self._given.copied else self._given.path

    def blocks(self) -> Iterator[Records]:
        """Yield the records after the header, block by block; after the last one the identity is known.

        Raises
        ------
        FormatError
            If a quote never closes.
        SourceError
            If the file is damaged, or has changed since it was opened.
        """
        with self._open(self._source, "clean the list", self._text) as stream:
            stream.read(len(self.dialect.mark) + self.header_length)
            yield from record_blocks(stream, self.dialect, self.name)
            self._identity = self._identified(stream)
        if self._state() != self._before:
            raise SourceError(f"{self.name} changed while it was read; run this again")

    def identity(self) -> Identity:
        """Return size and checksum of what was read; all blocks must have been."""
        if self._identity is None:
            raise AssertionError("the list was not read to its end")
        return self._identity

    def head(self) -> bytes:
        """Return the bytes of the mark and the header."""
        with self._open(self._source, text=self._text) as stream:
            return stream.read(len(self.dialect.mark) + self.header_length)

    def _state(self) -> tuple[int, int] | None:
        """Return what changes when the file does."""
        if self._given.copied:
            return None
        stat = self._given.path.stat()
        return stat.st_size, stat.st_mtime_ns

    def _identified(self, stream: _Stream) -> Identity:
        size, digest = stream.bytes, stream.sha256
        if (
            self._text is None
            and self._source.packing == "none"
            and self._source.path == str(self._given.path)
        ):
            return Identity(size, digest, size, digest)
        with self._given.path.open("rb") as file:
            packed = hashlib.file_digest(file, "sha256").hexdigest()
            return Identity(file.tell(), packed, size, digest)

    def _list_among(self, sources: Sequence[Source], column: str | int | None) -> tuple[Source, _Contents]:
        """Return the one file that is a list, and what it holds."""
        for source in sources:
            if source.problem:
                raise SourceError(f"{shown(source.name)} {source.problem}")
            if source.cut:
                raise _damaged(shown(source.name))
        found = _fitting(sources, lambda source: self._look(source, column))
        if len(found) == 1:
            return found[0]
        names = _listed(_member(source, self._given.name) for source, _ in found)
        if found:
            raise FormatError(
                f"{self._given.name} holds {len(found):,} mailing lists: {names};"
                f" name one of them, as in {self._given.name}/{_member(found[0][0], self._given.name)}"
            )
        names = _listed(_member(source, self._given.name) for source in sources)
        raise FormatError(
            f"{self._given.name} holds no mailing list with a column of addresses, only {names}"
        )

    def _look(self, source: Source, column: str | int | None) -> _Contents:
        """Tell how a file is written that should be a list."""
        name = shown(source.name)
        with self._open(source) as stream:
            sample = stream.read(_SAMPLE)
            rest = stream.read(1)
            if workbooks.is_workbook(sample):
                return _sheet(sample + rest + stream.read(-1), name, column)
        return _Contents(*_dialect(sample, not rest, name, column))

    def _open(
        self, source: Source, description: str = "look at the list", text: bytes | None = None
    ) -> _Stream:
        return _Stream(source, text, description, self._progress)


def _within(source: Any) -> tuple[Any, str | None]:
    """Return an archive and the name of a file in it, where a path goes on after that of a file."""
    if isinstance(source, (str, os.PathLike)) and isinstance(os.fspath(source), str):
        path = Path(source)
        for parent in path.parents:
            if os.path.isfile(parent):  # noqa: PTH113 - Path's own raises where the text is no path at all
                return parent, path.relative_to(parent).as_posix()
    return source, None


def _called(given: Given) -> str:
    """Return what to call a file: its own name without its folder's, or its URL."""
    if given.name.startswith("<"):  # content without a name
        return "the list"
    return given.name if "://" in given.name else PurePath(given.name).name


def _member(source: Source, name: str) -> str:
    """Return the name of a file in an archive."""
    return shown(source.name.removeprefix(f"{name}/"))


def _asked_for(sources: list[Source], name: str, member: str | None) -> list[Source]:
    found = [one for one in sources if member is None or one.name == f"{name}/{member}"]
    if not found:
        names = _listed(_member(one, name) for one in sources)
        raise SourceError(f"{name} holds no file {shown(member or '')}; there are {names}")
    return found


def _listed(names: Iterable[str]) -> str:
    names = list(names)
    return ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else "")


def _damaged(name: str) -> SourceError:
    return SourceError(f"{name} is damaged or ends too early; fetch it again")


def _fitting(items: Sequence[_Item], look: Callable[[_Item], _Seen]) -> list[tuple[_Item, _Seen]]:
    """Return those of several files, or sheets, that are lists, with what was seen; an only one has to be."""
    found: list[tuple[_Item, _Seen]] = []
    for item in items:
        try:
            found.append((item, look(item)))
        except FormatError:
            if len(items) == 1:
                raise
    return found


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


def _opened(source: Source, text: bytes | None) -> IO[bytes]:
    return Path(source.path).open("rb") if text is None else io.BytesIO(text)


class _Stream:
    """The unpacked bytes of a source, counted and summed up; errors of the system become one sentence."""

    def __init__(
        self,
        source: Source,
        text: bytes | None,
        description: str,
        progress: Callable[[str, int, int], None] | None,
    ) -> None:
        self._name, self._description, self._progress = shown(source.name), description, progress
        self._size = source.size if text is None else len(text)
        self._digest = hashlib.sha256()
        self.bytes = 0
        try:
            self._raw = self._stream = _opened(source, text)
        except OSError as error:
            raise SourceError(f"{self._name} cannot be opened: {error.strerror}") from error
        if text is None:
            self._stream = unpacking(self._raw, source.packing)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()
        self._raw.close()

    def read(self, size: int) -> bytes:
        """Return that many bytes, all if negative; fewer only at the end."""
        try:
            data = self._stream.read(size)
        except DAMAGED as error:
            raise _damaged(self._name) from error
        except OSError as error:
            raise SourceError(f"{self._name} cannot be read: {error.strerror}") from error
        self._digest.update(data)
        self.bytes += len(data)
        if self._progress is not None:
            self._progress(self._description, self._raw.tell(), self._size)
        return data

    @property
    def sha256(self) -> str:
        """SHA-256 of what was read so far."""
        return self._digest.hexdigest()


def _sheet(content: bytes, name: str, column: str | int | None) -> _Contents:
    """Return the one sheet of a workbook that holds addresses, as a list."""
    sheets = workbooks.read_sheets(content, name)

    def look(sheet: workbooks.Sheet) -> tuple[Dialect, int]:
        sample = sheet.text[:_SAMPLE]
        return _dialect(sample, len(sheet.text) <= _SAMPLE, name, column, workbooks.DELIMITER)

    found = _fitting(sheets, look)
    if len(found) == 1:
        sheet, (dialect, length) = found[0]
        return _Contents(dialect, length, sheet.text, sheet.name)
    what = "more than one sheet has a column of addresses" if found else "no sheet has a column of addresses"
    titles = ", ".join(repr(sheet.name) for sheet in ([one for one, _ in found] or sheets))
    raise FormatError(f"{name}: {what}: {titles}; save the one to clean as a workbook of its own, or as CSV")


def _dialect(
    sample: bytes, whole: bool, name: str, column: str | int | None, choice: str = DELIMITERS
) -> tuple[Dialect, int]:
    """Return how the list is written, and how many bytes its header takes after the mark."""
    for start, what in _NO_LISTS:
        if sample[:64].lstrip().lower().startswith(start.lower()):
            raise FormatError(f"{name} is no CSV file; it looks like {what}")
    mark, encoding = encoding_of(sample)
    if encoding == "utf-8" and not _is_utf8(sample, whole):
        encoding = "cp1252"
    separator = separator_line(sample[len(mark) : len(mark) + 32].decode(encoding, errors="ignore"))
    if separator:
        mark += separator[0].encode(encoding)
        choice = separator[1]
    body = sample[len(mark) :]
    unit = np.dtype(_UNITS.get(encoding, "u1"))
    units = np.frombuffer(body, dtype=unit, count=len(body) // unit.itemsize)
    if not len(units):
        raise FormatError(f"{name} is empty; a mailing list has at least a header")
    if unit.itemsize == 1 and (units == 0).any():
        raise FormatError(f"{name} is no CSV file; it looks like binary data")
    newline = LF if (units == LF).any() or not (units == CR).any() else CR
    delimiter, records = _delimiter(units, newline, whole, choice)
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


def _is_utf8(sample: bytes, whole: bool) -> bool:
    """Return whether a text is UTF-8, perhaps with some odd bytes; in cp1252, letters beyond ASCII are all odd."""
    text, size = codecs.utf_8_decode(sample, "ignore", whole)
    odd = size - len(text.encode())
    return not odd or odd < sum(not character.isascii() for character in text)


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

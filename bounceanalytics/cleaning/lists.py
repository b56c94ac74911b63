"""Mailing lists as files: opened wherever they lie, and read record by record."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import IO, TYPE_CHECKING, Any, NamedTuple, Protocol, Self, TypeVar

import numpy as np

from bounceanalytics.addresses import SEVERAL
from bounceanalytics.cleaning import workbooks
from bounceanalytics.cleaning.dialect import SAMPLE, Dialect, dialect_of
from bounceanalytics.cleaning.pasted import NOTE, looks_pasted, one_a_line
from bounceanalytics.cleaning.records import Records, find_records
from bounceanalytics.errors import FormatError, SourceError, listed
from bounceanalytics.opening.archives import DAMAGED, unpacking
from bounceanalytics.opening.places import given_files
from bounceanalytics.opening.sources import Source, unpacked
from bounceanalytics.privacy import shown
from bounceanalytics.temporary import temporary_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bounceanalytics.opening.places import Given

    class Readable(Protocol):
        """What bytes are read from."""

        def read(self, size: int, /) -> bytes:
            """Return that many bytes; fewer only at the end."""


BLOCK = 4 * 1024 * 1024  # bytes read at a time: large enough for numpy, small enough for any machine
LONGEST_RECORD = 16 * 1024 * 1024  # bytes; looking for cells takes many times as much memory
LONGEST_PASTED = 64 * 1024 * 1024  # nobody pastes more, and it is taken apart in memory

_Item = TypeVar("_Item")
_Seen = TypeVar("_Seen")


@dataclass(frozen=True, slots=True)
class Identity:
    """Identity of a list: its size and checksums.

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
    """How a list is written; of a workbook, also the text and the name of the sheet that is one."""

    dialect: Dialect
    header_length: int
    text: bytes | None = None
    sheet: str | None = None
    note: str = ""


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
    note : str
        What was done to the text before it was read, if anything.

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
            folder = stack.enter_context(temporary_folder())
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
        self.dialect, self.header_length, self._text, self.sheet, self.note = contents

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
        name = shown(self._given.name)
        lists = [_member(source, self._given.name) for source, _ in found]
        if lists:
            raise FormatError(
                f"{name} holds {len(lists):,} mailing lists: {listed(lists)};"
                f" name one of them, as in {name}/{lists[0]}"
            )
        files = [_member(source, self._given.name) for source in sources]
        raise FormatError(f"{name} holds no mailing list with a column of addresses, only {listed(files)}")

    def _look(self, source: Source, column: str | int | None) -> _Contents:
        """Detect the dialect of a file that should be a list."""
        name = shown(source.name)
        with self._open(source) as stream:
            sample = stream.read(SAMPLE)
            rest = stream.read(1)
            if workbooks.is_workbook(sample):
                return _sheet(sample + rest + stream.read(-1), name, column)
            if column is None and looks_pasted(sample, whole=not rest):
                content = sample + rest + stream.read(LONGEST_PASTED)
                if stream.read(1):
                    raise FormatError(f"{name} has {SEVERAL} on its lines; put each on a line of its own")
                text = one_a_line(content)
                dialect = dialect_of(text[:SAMPLE], len(text) <= SAMPLE, name, column, "\t")
                return _Contents(*dialect, text, note=NOTE)
        return _Contents(*dialect_of(sample, not rest, name, column))

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
        files = listed([_member(one, name) for one in sources])
        raise SourceError(f"{shown(name)} holds no file {shown(member or '')}; there are {files}")
    return found


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
        if len(rest) > LONGEST_RECORD:
            raise FormatError(
                f"{name}: record {seen + 1:,} does not end within {LONGEST_RECORD:,} bytes; mend that record"
            )


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
            raise SourceError(f"{self._name} cannot be opened: {error.strerror}") from None
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
        except DAMAGED:
            raise _damaged(self._name) from None
        except OSError as error:
            raise SourceError(f"{self._name} cannot be read: {error.strerror}") from None
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
        sample = sheet.text[:SAMPLE]
        return dialect_of(sample, len(sheet.text) <= SAMPLE, name, column, workbooks.DELIMITER)

    found = _fitting(sheets, look)
    if len(found) == 1:
        sheet, (dialect, length) = found[0]
        return _Contents(dialect, length, sheet.text, sheet.name)
    what = "more than one sheet has a column of addresses" if found else "no sheet has a column of addresses"
    titles = ", ".join(repr(sheet.name) for sheet in ([one for one, _ in found] or sheets))
    raise FormatError(f"{name}: {what}: {titles}; save the one to clean as a workbook of its own, or as CSV")

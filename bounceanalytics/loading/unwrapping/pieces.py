"""A file -> pieces: events of each format, notices and what is rejected, in the order of its records."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from bounceanalytics.errors import FormatError
from bounceanalytics.loading.formats.reports import ANY_SERVER, report_format
from bounceanalytics.loading.formats.spelling import plain
from bounceanalytics.loading.rows import table_rows
from bounceanalytics.loading.spans import TEXT_KEPT, Span
from bounceanalytics.loading.stored import STORED, rows_of
from bounceanalytics.loading.tolerant import READERS, Shape, line_spans, tolerant_spans
from bounceanalytics.loading.unwrapping import carriers
from bounceanalytics.loading.unwrapping.carriers import Notice
from bounceanalytics.loading.unwrapping.keys import NOTICE, Event, unwrapped
from bounceanalytics.loading.unwrapping.walk import Nothing, Record, Walk, why_rejected
from bounceanalytics.opening.text import decoded, lines_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bounceanalytics.loading.formats.format import Format
    from bounceanalytics.loading.found import Found
    from bounceanalytics.opening.sources import Source

_MOST = 10_000  # pieces at a time
_LONGEST = 32 * 1024**2  # characters at a time


@dataclass(frozen=True, slots=True)
class Piece:
    """What became of a record, or of the part of it that is one ESP's.

    Attributes
    ----------
    format : Format
        Of the events; of a notice, or of what is rejected, that of the file.
    span : Span
        The events as a JSON list, or why there are none.
    raw : str
        The first characters of the record as it was written.
    """

    format: Format
    span: Span
    raw: str


class Unwrapping:
    """The records of one file, unwrapped.

    Parameters
    ----------
    walk : Walk
    source : Source
    found : Found
        One that is wrapped.
    """

    def __init__(self, walk: Walk, source: Source, found: Found) -> None:
        self._walk = walk
        self._source = source
        self._found = found
        fmt = found.format
        assert fmt is not None  # noqa: S101 - for the type checker; files without a format are never read
        self._own = unwrapped(fmt)
        self._reports: dict[str, Format] = {}
        self._keyed: dict[int, Format] = {}

    def batches(self) -> Iterator[list[Piece]]:
        """Yield all pieces, some at a time."""
        batch: list[Piece] = []
        size = 0
        for piece in self._pieces():
            batch.append(piece)
            size += len(piece.span.text or "")
            if len(batch) >= _MOST or size >= _LONGEST:
                yield batch
                batch, size = [], 0
        yield batch

    def _pieces(self) -> Iterator[Piece]:
        layout = self._found.layout
        if layout == "csv":
            yield from self._of_table()
        elif layout in STORED:
            yield from self._of_stored()
        elif layout == "log":
            yield from self._of_log()
        else:
            yield from self._of_spans(tolerant_spans(self._source, self._found, None, self._shape))

    def _of_table(self) -> Iterator[Piece]:
        for offset, cells, text, error in table_rows(self._source, self._found):
            if cells is None:
                yield self._rejected(offset, text, error or "")
            else:
                row = dict(zip(self._found.header, cells, strict=True))
                yield from self._of(offset, text, [self._walk.row(row)], row)

    def _of_stored(self) -> Iterator[Piece]:
        try:
            for row in rows_of(self._source.path, self._found.layout):
                text = json.dumps(row, ensure_ascii=False, default=str)
                yield from self._of(-1, text, [self._walk.row(row)], row)
        except FormatError as error:
            yield self._rejected(-1, "", f"from here on, the file {error}")

    def _of_log(self) -> Iterator[Piece]:
        with self._source.open() as stream:
            offset = 0
            for raw in lines_of(stream):
                text = decoded(raw).strip()
                if text:
                    yield from self._of(offset, text, [self._walk.line(text)], text)
                offset += len(raw)

    def of_lines(self, raw: bytes, offset: int) -> Iterator[Piece]:
        """Yield the pieces of some lines, which begin at a byte of the file."""
        yield from self._of_spans(line_spans(raw, self._found, self._shape, offset))

    @property
    def _shape(self) -> Shape:
        return Shape(container=self._found.container, indexed=self._found.indexed, words=self._found.among)

    def _of_spans(self, spans: Iterator[Span]) -> Iterator[Piece]:
        for span in spans:
            if self._found.among and span.error and span.text and not _OF_JSON.search(span.text):
                if span.text.strip("[]{}, \t\r\n"):
                    yield from self._of(span.offset, span.text, [self._walk.line(span.text)], span.text)
                continue
            if span.error or span.text is None:
                yield Piece(self._own, span, span.text or "")
                continue
            value = json.loads(span.text)
            if (
                self._found.layout in READERS
                and isinstance(value, dict)
                and len(value) == 1
                and "report" in value
            ):
                yield self._report(value["report"]["provider"], span)
                continue
            records = self._walk.records(value)
            if records or not _is_empty(value):
                yield from self._of(span.offset, span.text, records or [[]], value)

    def _report(self, provider: str, span: Span) -> Piece:
        """Return the report of one sender; a mailbox may hold those of many."""
        text = span.text or ""
        if self._found.only not in {"", provider}:
            return self._rejected(
                span.offset, text, f"it is of another sender: {report_format(provider).title}"
            )
        if provider not in self._reports:
            self._reports[provider] = unwrapped(report_format(provider))
        return Piece(self._reports[provider], Span(span.offset, f"[{text}]"), text[:TEXT_KEPT])

    def _of(self, offset: int, text: str, records: list[Record], value: Any) -> Iterator[Piece]:
        raw = text[:TEXT_KEPT]
        for record in records:
            first = record[0] if record else Nothing(why_rejected(value))
            if isinstance(first, Nothing) and not self._found.wrapped and self._is_native(value):
                yield Piece(self._own, Span(offset, _sound(json.dumps([value], ensure_ascii=False))), raw)
            elif isinstance(first, Nothing):
                yield self._rejected(offset, raw, first.reason)
            elif isinstance(first, Notice):
                yield Piece(self._own, Span(offset, json.dumps([{NOTICE: first.reason}])), raw)
            else:
                yield from self._events([one for one in record if isinstance(one, Event)], offset, raw)

    def _is_native(self, value: Any) -> bool:
        """Return whether a record is of the file's own form, although that is none to be known anywhere."""
        fmt = self._found.format
        return fmt is not None and isinstance(value, Mapping) and fmt.fits(value)

    def _events(self, events: list[Event], offset: int, raw: str) -> Iterator[Piece]:
        kinds: dict[int, list[Event]] = {}
        for one in events:
            kinds.setdefault(id(one.known), []).append(one)
        for some in kinds.values():
            known = some[0].known
            if self._found.only not in {"", known.provider}:
                yield self._rejected(offset, raw, f"it is of another ESP: {known.format.title}")
                continue
            texts = json.dumps([one.record for one in some], ensure_ascii=False, default=str)
            yield Piece(self._format(known.format), Span(offset, _sound(texts)), raw)

    def _format(self, fmt: Format) -> Format:
        if self._found.layout in READERS and fmt.signs:  # a report and a notification may tell the same
            return self._keyed.setdefault(id(fmt), replace(fmt, key=ANY_SERVER.key))
        return fmt

    def _rejected(self, offset: int, raw: str, error: str) -> Piece:
        return Piece(self._own, Span(offset, raw[:TEXT_KEPT], error), raw[:TEXT_KEPT])


#: What words around values are without.
_OF_JSON = re.compile(r"\"\s*[:,}\]]|[{\[]\s*\"")


def _is_empty(value: Any) -> bool:
    """Return whether a value is an empty list, or a page without records."""
    if isinstance(value, Mapping):
        lists = {plain(key): one for key, one in value.items() if isinstance(one, list)}
        return not any(lists.values()) and bool(carriers.PAGES & lists.keys())
    return isinstance(value, list) and not value


def _sound(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")

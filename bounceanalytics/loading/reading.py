"""Reading files of one format at a time, with the account of what became of their records."""

from __future__ import annotations

import contextlib
import re
import warnings
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from bounceanalytics.database import is_interrupted, open_database
from bounceanalytics.errors import FormatError, SourceError
from bounceanalytics.loading import own_frames, records, stored
from bounceanalytics.loading.account import Batch
from bounceanalytics.loading.copies import keys_of
from bounceanalytics.loading.normalise import completed, events_sql, with_addresses
from bounceanalytics.loading.result import NaiveTimeWarning, RejectedRecordsWarning, UnreadTimesWarning
from bounceanalytics.loading.rows import has_other_ends, table_schema, tolerant_table
from bounceanalytics.loading.spans import SPAN_SCHEMA, span_batch
from bounceanalytics.loading.times import TIME_STYLES, UNREAD, Clocks, times
from bounceanalytics.loading.tolerant import READERS, tolerant_json, tolerant_spans
from bounceanalytics.loading.unwrapping.blocks import blocks
from bounceanalytics.loading.unwrapping.keys import Event
from bounceanalytics.loading.unwrapping.pieces import Unwrapping
from bounceanalytics.loading.unwrapping.texts import opened
from bounceanalytics.loading.unwrapping.walk import WALK
from bounceanalytics.opening.archives import read_up_to
from bounceanalytics.opening.sources import filled, recoded
from bounceanalytics.opening.text import decoded, is_blank, lines_at
from bounceanalytics.schema import ESPS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Sequence
    from typing import Any

    from numpy.typing import NDArray

    from bounceanalytics.loading.account import Account
    from bounceanalytics.loading.found import Found
    from bounceanalytics.loading.unwrapping.peeling import Peeled
    from bounceanalytics.loading.unwrapping.pieces import Piece
    from bounceanalytics.opening.sources import Source

    Progress = Callable[[str, int, int], None]

# Files of the same kind are read together, but not too many: a damaged one makes its group be read anew.
_GROUP_FILES = 500
_GROUP_BYTES = 2 * 1024**3

_TRIED = 100  # bad lines that are looked at
_MOST_TRIED = 100  # records that lack something, of one file
_SOON = 10_000  # records from the first
_FAILED = pa.array(["bounced", "deferred"])  # events that say why
_TELLING = ("event", "diagnostic", "enhanced_code", "reply_code")  # and where they say it
_PIECE = 100_000  # rows that the engine hands over at a time
_LITTLE = 64 * 1024  # bytes that are read within the time that the engine takes to understand the query


def open_engine(
    buffer: str = "64MB", **settings: str
) -> contextlib.AbstractContextManager[duckdb.DuckDBPyConnection]:
    """Open a database that keeps the order of the input, and works ahead of what has been fetched by ``buffer``."""
    return open_database(
        preserve_insertion_order=True,
        # it makes a join of a list of five words, and a join does not keep the order of the rows
        disabled_optimizers="in_clause",
        arrow_large_buffer_size=True,
        streaming_buffer_size=buffer,
        **settings,
    )


def groups(found: Sequence[tuple[int, Source, Found]]) -> Iterator[list[tuple[int, Source, Found]]]:
    """Yield files that one query can read together, in the order of their first file."""
    alike: dict[object, list[tuple[int, Source, Found]]] = {}
    for item in found:
        _, source, what = item
        kind = (id(what.format), what.layout, what.nested, what.indexed, source.packing)
        alone = what.wrapped or what.layout in {"csv", *READERS, *stored.STORED}
        alike.setdefault(item[0] if alone else kind, []).append(item)
    for items in alike.values():
        group: list[tuple[int, Source, Found]] = []
        size = 0
        for item in items:
            if group and (len(group) >= _GROUP_FILES or size + item[1].size > _GROUP_BYTES):
                yield group
                group, size = [], 0
            group.append(item)
            size += item[1].size
        yield group


_LARGEST_PAGES = (
    256 * 1024**2
)  # a file of list pages is smaller; a larger one is not searched for its last page


def notes(source: Source, found: Found, count: int) -> list[str]:
    """Return what is to be said about a file of ``count`` records."""
    fmt = found.format
    if fmt is None:
        return []
    said = [fmt.note] if fmt.note else []
    head = source.head().decode("utf-8", errors="replace")
    said += [note for pattern, note in fmt.traces if re.search(pattern, head)]
    if fmt.page_size and count and count % fmt.page_size == 0:
        said.append(f"has {count:,} records, just full pages of {fmt.page_size:,}: perhaps there are more")
    more, note = fmt.last_page
    if more and source.size <= _LARGEST_PAGES:
        with source.open() as stream:
            text = read_up_to(stream, _LARGEST_PAGES).decode("utf-8", errors="replace")
        going_on = len(re.findall(more, text))
        if going_on and going_on >= text.count(f'"{fmt.container}"'):
            said.append(note)
    return said


class _GivenUpError(Exception):
    """The engine cannot read a file by itself."""


class Reader:
    """Reads files and keeps the accounts.

    Parameters
    ----------
    accounts : list of Account
        Of all files; a file is named by its place in the list.
    timezone : str
        Zone of times that are written without one.
    on_error : str
        ``raise`` stops at the first record that cannot be read.
    connection : duckdb.DuckDBPyConnection
        From :func:`open_engine`.
    dayfirst : bool, optional
        Order of dates that may be read in two ways, where nothing in their file tells.
    """

    def __init__(
        self,
        accounts: list[Account],
        timezone: str,
        on_error: str,
        connection: duckdb.DuckDBPyConnection,
        dayfirst: bool | None = None,
    ) -> None:
        self.accounts = accounts
        self.timezone = timezone
        self.on_error = on_error
        self.tick: Callable[[float], None] | None = None  # told how much of the query is done, 0 to 1
        self.rejects: list[pd.DataFrame] = []
        self._engine = connection
        self._clocks = Clocks(dayfirst)
        self._clocks.attach(connection)

    def watch(self, tick: Callable[[float], None]) -> None:
        """Tell how much of each query is done."""
        self.tick = tick
        # the bar is asked for, never drawn; in a notebook without ipywidgets the engine has none to ask
        with contextlib.suppress(duckdb.Error):
            self._engine.execute("SET enable_progress_bar_print = false")
            self._engine.execute("SET enable_progress_bar = true")

    def read(self, group: Sequence[tuple[int, Source, Found]], folder: str) -> Iterator[Batch]:
        """Yield the rows of files of one kind: fast if they are clean, else one by one with care."""
        found = group[0][2]
        if found.wrapped or found.layout in stored.STORED:
            look = self._unwrapped if found.wrapped else self._stored
            for item in group:
                yield from self._again(item[0], partial(look, *item))
            return
        sources = [source for _, source, _ in group]
        places = np.array([place for place, _, _ in group], np.int64)
        attempt = None
        if not _with_care_at_once(sources, found):
            attempt = self._attempt(places, sources, found)
            if attempt is None and len(group) == 1 and (copy := recoded(sources[0], folder)):
                self.accounts[group[0][0]].notes += copy.notes
                attempt = self._attempt(places, [copy], found)
        if attempt is None:
            for item in group:
                yield from self._mended(*item, None, folder) if len(group) == 1 else self.read([item], folder)
            return
        yield from self._looked_after(group, folder, places, *attempt)

    def _mended(
        self, place: int, source: Source, found: Found, bad: set[int] | None, folder: str
    ) -> Iterable[Batch]:
        """Return the rows of a damaged file, once the holes in it are filled if it has any."""
        whole = self._filled(place, source, folder)
        if whole is source:
            return self._settled(place, source, found, bad)
        return self.read([(place, whole, found)], folder)

    def _filled(self, place: int, source: Source, folder: str) -> Source:
        """Return a file with line ends in place of its holes, and say so in its account."""
        whole = filled(source, folder)
        if whole is not source:
            self.accounts[place].notes += whole.notes[len(source.notes) :]
            self.accounts[place].cut = True
        return whole

    def _looked_after(
        self,
        group: Sequence[tuple[int, Source, Found]],
        folder: str,
        places: NDArray[np.int64],
        pieces: list[pa.RecordBatch],
        batches: list[Batch],
    ) -> Iterator[Batch]:
        """Yield what the engine has read of files by itself, and what it could not read read again."""
        damaged: dict[int, set[int]] = {}
        if len(batches) < len(pieces):
            table = pa.Table.from_batches(pieces)
            damaged = _damaged(table)
            file = table["file"].to_numpy()
            for index in np.unique(file[pc.is_valid(table["problem"]).to_numpy()]).tolist():
                damaged[index].add(-1)
            clean = ~np.isin(file, list(damaged))
            batches = [self._batch(table.filter(pa.array(clean)), places, _Numbers())] if clean.any() else []
            del table
        pieces.clear()
        respelled = [
            index for index, item in enumerate(group) if index not in damaged and self._is_respelled(*item)
        ]
        for index in respelled:
            self.accounts[places[index]].forget()
        for batch in batches:
            yield batch.kept(~np.isin(batch.account, places[respelled])) if respelled else batch
        for index, item in enumerate(group):
            if index in damaged:
                yield from self._mended(*item, damaged[index], folder)
            elif index in respelled:
                yield from self._again(item[0], partial(self._unwrapped, *item))

    def _settled(self, place: int, source: Source, found: Found, bad: set[int] | None) -> list[Batch]:
        """Return the rows of a file read with care, once more if its last dates told the order of the first."""
        known = len(self.rejects)
        batches = self._again(place, self._careful(place, source, found, bad))
        if not self._is_respelled(place, source, found):
            return batches
        self.accounts[place].forget()
        del self.rejects[known:]
        return self._again(place, partial(self._unwrapped, place, source, found))

    def _is_respelled(self, place: int, source: Source, found: Found) -> bool:
        """Return whether records that lack what their events tell have it under keys that are spelled otherwise."""
        hollow, fmt = self.accounts[place].hollow, found.format
        if not hollow or fmt is None or fmt.kind != "json" or found.wrapped:
            return False
        numbers = _some(np.unique(np.concatenate(hollow)), _MOST_TRIED)
        texts = self._texts(source, found, numbers)
        return any(WALK.is_respelled(value, fmt.provider) for text in texts for value in opened(text or ""))

    def _texts(self, source: Source, found: Found, numbers: NDArray[np.int64]) -> list[str | None]:
        """Return some records of a file, by their numbers in order."""
        if found.plain:  # to look for the ends of lines is far cheaper than to have them read
            with source.open() as stream:
                return [decoded(raw) for raw in lines_at(stream, numbers)]
        try:
            rows = self._engine.execute(
                f"SELECT text FROM ({records.numbered_sql(source, found)})"
                " WHERE number IN (SELECT unnest($numbers))",
                {"numbers": numbers.tolist()},
            ).fetchall()
        except duckdb.Error as error:
            if is_interrupted(error):
                raise
            wanted = set(numbers.tolist())
            spans = enumerate(tolerant_spans(source, found, None), start=1)
            return [span.text for number, span in spans if number in wanted and not span.error]
        return [text for (text,) in rows]

    def _careful(
        self, place: int, source: Source, found: Found, bad: set[int] | None
    ) -> Callable[[], Iterator[Batch]]:
        """Return how a file is read with care: record by record, or by what lies in each if some are of another form.

        Among the numbers of bad records is -1 where some are sound and tell nothing.
        """
        if bad and _may_be_strange(source, found, bad, told=-1 in bad):
            return partial(self._unwrapped, place, source, found)
        return partial(self._with_care, place, source, found, bad)

    def _again(self, place: int, rows: Callable[[], Iterator[Batch]]) -> list[Batch]:
        known = len(self.rejects)
        batches = list(rows())
        if self._clocks.settle():
            self.accounts[place].forget()
            del self.rejects[known:]
            batches = list(rows())
        return batches

    def read_rows(self, place: int, name: str, found: Found, rows: str) -> Iterator[Batch]:
        """Yield the rows of a table that the engine has, given as a query with the columns of a tolerant reader."""
        fields = records.table_fields_sql(found, rows, tolerant=True)

        def read() -> Iterator[Batch]:
            numbers = _Numbers()
            for piece in self._pieces(self._query([place], found, fields, tolerant=True)):
                yield self._batch(pa.Table.from_batches([piece]), np.array([place], np.int64), numbers)

        try:
            yield from self._again(place, read)
        except _GivenUpError as error:
            raise FormatError(f"{name} cannot be read as a table: {_reason(error)}") from None

    def _stored(self, place: int, source: Source, found: Found) -> Iterator[Batch]:
        """Yield the rows of a frame that was saved as something else than text."""
        titles, relation = stored.relation_of(source.path, found.layout, self._engine)
        yield from self.read_rows(place, source.name, found, records.text_rows_sql(relation, titles))

    def stream(self, place: int, source: Source, found: Found, folder: str) -> Iterator[Batch | None]:
        """Yield the rows of one file piece by piece; None takes back what was given, for it is read again."""
        bad: set[int] | None = None
        if found.wrapped or found.layout in stored.STORED:
            look = self._unwrapped if found.wrapped else self._stored
            yield from look(place, source, found)
            if self._clocks.settle():
                self.accounts[place].forget()
                yield None
                yield from look(place, source, found)
            return
        if not _with_care_at_once([source], found):
            bad = yield from self._stream_natively(place, source, found)
            if bad is None and (copy := recoded(source, folder)):
                self.accounts[place].forget()
                self.accounts[place].notes += copy.notes
                yield None
                source = copy
                bad = yield from self._stream_natively(place, source, found)
            again = self._clocks.settle()
            respelled = not bad and self._is_respelled(place, source, found)
            if bad is not None and not bad and not again and not respelled:
                return
            self.accounts[place].forget()
            yield None
            if respelled:
                yield from self._unwrapped(place, source, found)
                return
            if bad is not None and not bad:
                yield from self._stream_natively(place, source, found)
                return
            if (whole := self._filled(place, source, folder)) is not source:
                yield from self.stream(place, whole, found, folder)
                return
        careful = self._careful(place, source, found, bad)
        yield from careful()
        again = self._clocks.settle()
        if self._is_respelled(place, source, found):
            careful, again = partial(self._unwrapped, place, source, found), True
        if again:
            self.accounts[place].forget()
            yield None
            yield from careful()

    def _stream_natively(
        self, place: int, source: Source, found: Found
    ) -> Generator[Batch, None, set[int] | None]:
        """Yield pieces until one is damaged; return the numbers of all damaged records, None if the engine gave up.

        Among the numbers is -1 where a record may be of another form.
        """
        numbers, again = _Numbers(), _Numbers()
        places = np.array([place], np.int64)
        bad: set[int] = set()
        try:
            for piece in self._pieces(self._query([place], found, _native([source], found)), source.size):
                table = pa.Table.from_batches([piece])
                bad |= _damaged(table, again).get(0, set())
                if table["problem"].null_count < len(table):
                    bad.add(-1)
                if not bad:
                    yield self._batch(table, places, numbers)
        except _GivenUpError:
            return None
        return bad

    def _attempt(
        self, places: NDArray[np.int64], sources: Sequence[Source], found: Found
    ) -> tuple[list[pa.RecordBatch], list[Batch]] | None:
        """Return what the engine makes of files by itself, and the rows before the first damage; None if it gives up.

        The accounts tell only of a reading without damage. Where the last dates of a file tell the order of its first
        ones, all is read once more.
        """
        attempt = self._attempt_once(places, sources, found)
        if attempt is None or not self._clocks.settle():
            return attempt
        for place in places:
            self.accounts[place].forget()
        return self._attempt_once(places, sources, found)

    def _attempt_once(
        self, places: NDArray[np.int64], sources: Sequence[Source], found: Found
    ) -> tuple[list[pa.RecordBatch], list[Batch]] | None:
        pieces: list[pa.RecordBatch] = []
        batches: list[Batch] = []
        numbers, given_up = _Numbers(), False
        try:
            size = sum(source.size for source in sources)
            for piece in self._pieces(self._query(places, found, _native(sources, found)), size):
                table = pa.Table.from_batches([piece])
                # rows are made ready while the engine works on
                if len(batches) == len(pieces) and not _damaged(table):
                    batches.append(self._batch(table, places, numbers))
                pieces.append(piece)
        except _GivenUpError:
            given_up = True
        if given_up or len(batches) < len(pieces):
            for place in places:
                self.accounts[place].forget()
        return None if given_up else (pieces, batches)

    def _query(self, places: Iterable[int], found: Found, fields: str, *, tolerant: bool = False) -> str:
        assert found.format is not None  # noqa: S101
        own = "UTC" if found.format.typed else ""
        self._clocks.start(places, found.format.zone or own or self.timezone)
        if found.format.typed:
            return own_frames.frame_sql(fields, found.header, tolerant=tolerant, csv=found.layout == "csv")
        return events_sql(records.without_headers(found), fields, timezone=self.timezone, tolerant=tolerant)

    def _pieces(self, query: str, size: int | None = None) -> Iterator[pa.RecordBatch]:
        """Yield what a query gives, while the engine works on; ``size`` tells the bytes that it reads.

        The engine translates a query twice to hand over its rows piece by piece, and once to keep them.
        """
        try:
            if size is not None and size <= _LITTLE:
                self._engine.execute(f"CREATE OR REPLACE TEMP TABLE little AS {query}")
                query = "FROM little"
            reader = self._engine.sql(query).to_arrow_reader(_PIECE)
            none = [pa.nulls(0, one.type) for one in reader.schema]
            yield pa.RecordBatch.from_arrays(none, schema=reader.schema)  # no rows have columns, too
            for piece in reader:
                yield with_addresses(piece)
                if self.tick:
                    self.tick(max(self._engine.query_progress(), 0.0) / 100)
        # the engine's errors come through Arrow too, and as one of Unicode where what they quote is cut in a character
        except (duckdb.Error, OSError, pa.ArrowException, UnicodeDecodeError) as error:
            if is_interrupted(error):
                raise KeyboardInterrupt from None
            if "Out of Memory" in str(error):
                raise SourceError(
                    "there is not enough memory to read this at once; write it to disk piece by piece with convert(…)"
                ) from None
            raise _GivenUpError from error
        except BaseException:  # an interrupt, above all: the engine must not go on for nobody
            self._engine.interrupt()
            raise

    def _with_care(self, place: int, source: Source, found: Found, bad: set[int] | None) -> Iterator[Batch]:
        """Yield the rows of a file that the engine could not read by itself."""
        if found.layout == "csv":
            schema_, batches = table_schema(found), tolerant_table(source, found)
            fields = records.table_fields_sql(found, 'SELECT * FROM "tolerant"', tolerant=True)
        else:
            known = bad if found.layout in {"lines", "log"} and not found.nested else None
            schema_, batches = SPAN_SCHEMA, tolerant_json(source, found, known)
            fields = records.fields_sql(found, 'SELECT * FROM "tolerant"', tolerant=True)
        given = pa.RecordBatchReader.from_batches(schema_, batches)
        yield from self._registered(
            given, self._query([place], found, fields, tolerant=True), place, source, found, _Numbers()
        )

    def _unwrapped(self, place: int, source: Source, found: Found) -> Iterator[Batch]:
        """Yield the rows of a file whose events have to be looked for in each record."""
        unwrapping = Unwrapping(WALK, source, found)
        esps = set[str]()
        if found.layout == "lines":
            rows = self._of_blocks(place, source, found, unwrapping, esps)
        else:
            rows = self._of_batches(place, source, found, unwrapping, esps)
        yield from rows
        self.accounts[place].hollow.clear()  # nothing was overlooked
        if len(esps) > 1:
            senders = [title for name, title in ESPS.items() if name in esps]
            if "generic" in esps:
                senders.append("others")
            self.accounts[place].notes.append(f"holds records of {' and '.join(senders)}")

    def _of_batches(
        self, place: int, source: Source, found: Found, unwrapping: Unwrapping, esps: set[str]
    ) -> Iterator[Batch]:
        count = 0
        for pieces in unwrapping.batches():
            numbers = np.arange(count + 1, count + len(pieces) + 1)
            yield from _in_order(list(self._of_pieces(place, source, found, pieces, numbers, esps)))
            count += len(pieces)

    def _of_blocks(
        self, place: int, source: Source, found: Found, unwrapping: Unwrapping, esps: set[str]
    ) -> Iterator[Batch]:
        """Yield the rows of lines: what the engine takes out of them, and what is found in all others."""
        count = 0
        with source.open() as stream:
            for block in blocks(stream, WALK, self._engine, found.only):
                taken = np.zeros(len(block.ends), bool)
                tables = []
                for one in block.peeled:
                    table, lines = self._taken_out(place, source, found, one)
                    taken[lines] = True
                    tables.append((one.known.format.provider, table, lines))
                pieces: list[Piece] = []
                sizes = taken.astype(np.int64)
                of_line: list[int] = []
                for line, some in block.rest(taken, unwrapping):
                    pieces += some
                    sizes[line] = len(some)
                    of_line += [line] * len(some)
                before = np.cumsum(sizes) - sizes + count
                batches: list[Batch] = []
                if pieces:
                    lines = np.array(of_line)
                    first = np.flatnonzero(np.r_[True, lines[1:] != lines[:-1]])
                    numbers = (
                        before[lines]
                        + np.arange(len(lines))
                        - np.repeat(first, np.diff(np.r_[first, len(lines)]))
                    )
                    batches += self._of_pieces(place, source, found, pieces, numbers + 1, esps)
                for provider, table, lines in tables:
                    esps.add(provider)
                    known = _Known(before[lines] + 1)
                    batches.append(self._batch(table, np.array([place], np.int64), known, provider))
                yield from _in_order(batches)
                count += int(sizes.sum())

    def _taken_out(
        self, place: int, source: Source, found: Found, peeled: Peeled
    ) -> tuple[pa.Table, NDArray[np.int64]]:
        """Return the rows of lines whose events the engine has taken out, and the lines; without those with a fault."""
        what = replace(found, format=peeled.known.format, layout="values", nested=False, indexed=False)
        given = pa.table(
            {
                "file": pa.array(np.zeros(len(peeled.place), np.int64)),
                "text": peeled.events,
                "_offset": pa.array(peeled.place),
                "_account": peeled.account,
            }
        )
        self._engine.register("taken", given)
        try:
            query = self._query([place], what, records.taken_out_sql(what, "FROM taken"), tolerant=True)
            table = pa.Table.from_batches(list(self._pieces(query, 0)))  # all of it is wanted at once
        except _GivenUpError as error:
            raise _stopped(source, found, error) from None
        finally:
            self._engine.unregister("taken")
        sound = pc.and_(table["bad"].is_null(), table["problem"].is_null())
        if pc.all(sound).as_py() is False:  # whoever looks at them again can say what is wrong
            line = table["_offset"].to_numpy()
            faulty = np.unique(line[~sound.to_numpy()])
            table = table.filter(pa.array(~np.isin(line, faulty)))
            return table, np.setdiff1d(peeled.place, faulty, assume_unique=True)
        return table, peeled.place

    def _of_pieces(
        self,
        place: int,
        source: Source,
        found: Found,
        pieces: Sequence[Piece],
        numbers: NDArray[np.int64],
        esps: set[str],
    ) -> Iterator[Batch]:
        """Yield the rows of what was found in records, those of each format together."""
        kinds: dict[int, list[int]] = {}
        for at, piece in enumerate(pieces):
            kinds.setdefault(id(piece.format), []).append(at)
        for some in kinds.values():
            fmt = pieces[some[0]].format
            esps.add(fmt.provider)
            what = replace(found, format=fmt, layout="values", nested=False, indexed=False)
            spans = span_batch([pieces[at].span for at in some], [pieces[at].raw for at in some])
            fields = records.fields_sql(what, 'SELECT * FROM "tolerant"', tolerant=True)
            query = self._query([place], what, fields, tolerant=True)
            yield from self._registered(spans, query, place, source, what, _Known(numbers[some]))

    def _registered(
        self, given: Any, query: str, place: int, source: Source, found: Found, numbers: _Numbers
    ) -> Iterator[Batch]:
        """Yield the rows that a query makes of what Arrow hands to the engine."""
        provider = found.format.provider if found.format else ""
        self._engine.register("tolerant", given)
        try:
            for piece in self._pieces(query, source.size):
                yield self._batch(
                    pa.Table.from_batches([piece]), np.array([place], np.int64), numbers, provider
                )
        except _GivenUpError as error:
            raise _stopped(source, found, error) from None
        finally:
            self._engine.unregister("tolerant")

    def _batch(
        self, table: pa.Table, places: NDArray[np.int64], numbers: _Numbers, provider: str = ""
    ) -> Batch:
        """Give the records their numbers, settle the accounts and return the rows."""
        account = places[table["file"].to_numpy()] if len(table) else np.empty(0, np.int64)
        record = numbers.of(table)
        moments, styles = times(table)
        if table["ignored"].null_count < len(table):  # the title of the times is none of them
            again = pc.equal(table["ignored"], records.REPEATED).fill_null(False).to_numpy()
            styles = np.where(again, 0, styles)
        self._count(account, table["head"], styles)
        self._tell_times(account, table, styles)
        lost = np.zeros(len(table), bool)
        for name, settle in (("bad", self._reject), ("problem", self._reject), ("ignored", self._ignore)):
            column = table[name]
            if column.null_count < len(column):
                hit = pc.is_valid(column).to_numpy() & ~lost
                settle(account[hit], record[hit], table.filter(pa.array(hit)))
                lost |= hit
        rows = completed(table, provider or self.accounts[places[0]].provider, moments)
        keys = keys_of(table)
        if lost.any():
            kept = pa.array(~lost)
            rows, keys, account, record = rows.filter(kept), keys.filter(kept), account[~lost], record[~lost]
        self._look(rows, account, record)
        return Batch(rows, keys, account, record)

    def _look(self, rows: pa.Table, account: NDArray[np.int64], record: NDArray[np.int64]) -> None:
        """Count the rows without a recipient, and remember some that lack what their events tell."""
        nameless = pc.is_null(rows["recipient"]).to_numpy()
        hollow = nameless | pc.is_null(rows["timestamp"]).to_numpy()
        # many bounces have no text by nature, so that these are looked up near the beginning alone
        soon = record <= _SOON
        if soon.any():
            hollow[soon] |= _silent(rows.select(_TELLING).filter(pa.array(soon)))
        if not hollow.any():
            return
        for place in np.unique(account[hollow]).tolist():
            mine = account == place
            self.accounts[place].nameless += int((nameless & mine).sum())
            self.accounts[place].hollow.append(_some(record[hollow & mine], _TRIED))

    def _count(self, account: NDArray[np.int64], head: pa.ChunkedArray, styles: NDArray[np.int64]) -> None:
        heads = account if _all(head) else account[head.to_numpy()]
        for place, count in enumerate(np.bincount(heads).tolist()):
            self.accounts[place].records += count
        size = len(TIME_STYLES)
        counts = np.bincount(account * size + styles)
        for place in np.unique(np.flatnonzero(counts) // size):
            some = counts[place * size : (place + 1) * size]
            self.accounts[place].styles[: len(some)] += some

    def _tell_times(self, account: NDArray[np.int64], table: pa.Table, styles: NDArray[np.int64]) -> None:
        """Note the first time of each file that is not understood, and what was assumed of its dates."""
        for place in np.unique(account).tolist():
            self.accounts[place].assumed = self._clocks.assumed(place)
        unread = np.flatnonzero(styles == UNREAD)
        if not len(unread):
            return
        for place, first in zip(*np.unique(account[unread], return_index=True), strict=True):
            if not self.accounts[place].unread:
                value = table["timestamp"][int(unread[first])].as_py()
                self.accounts[place].unread = self._clocks.told(int(place), value)

    def _ignore(self, account: NDArray[np.int64], _: NDArray[np.int64], rows: pa.Table) -> None:
        heads = rows["head"].to_pylist()
        for place, reason, head in zip(account, rows["ignored"].to_pylist(), heads, strict=True):
            self.accounts[place].ignore(reason, int(head))

    def _reject(self, account: NDArray[np.int64], record: NDArray[np.int64], rows: pa.Table) -> None:
        heads = rows["head"].to_numpy()
        account, record, rows = account[heads], record[heads], rows.filter(pa.array(heads))
        if not len(rows):
            return
        known = "_error" in rows.column_names
        nothing: list[Any] = [None] * len(rows)
        offset = [
            -1 if place is None else place for place in (rows["_offset"].to_pylist() if known else nothing)
        ]
        error = [
            one or problem or "it is no record: a text, a number or damaged JSON stands in its place"
            for one, problem in zip(
                rows["_error"].to_pylist() if known else nothing, rows["problem"].to_pylist(), strict=True
            )
        ]
        text = rows["_raw" if known else "bad"].to_pylist()
        names = [self.accounts[place].source for place in account]
        if self.on_error == "raise":
            at = f" at byte {offset[0]:,}" if offset[0] >= 0 else ""
            raise FormatError(f"record {int(record[0]):,} of {names[0]}{at} cannot be read: {error[0]}")
        for place in account:
            self.accounts[place].rejected += 1
        columns = {
            "source": names,
            "record": record,
            "offset": offset,
            "error": error,
            "text": [(one or "")[:500] for one in text],
        }
        self.rejects.append(pd.DataFrame(columns))


def _stopped(source: Source, found: Found, error: BaseException) -> FormatError:
    return FormatError(
        f"{source.name} looks like {found.looks}, and something in it stops the reader: {_reason(error)}"
    )


def _reason(error: BaseException) -> str:
    """Return why the engine gave up, without what it quotes of the file."""
    return re.split(r"[:\n\"]", str(error.__cause__ or error))[0].strip() or "no reason is known"


def warn_of_times(accounts: Sequence[Account], timezone: str | None) -> None:
    """Warn our caller's caller, once, of times that could not be read, and of times whose zone nobody told."""
    unread = [one for one in accounts if one.styles[UNREAD]]
    if unread:
        count = sum(int(one.styles[UNREAD]) for one in unread)
        warnings.warn(
            f"{_files([one.source for one in unread])} {count:,} times that could not be read and are missing,"
            f" the first of them {unread[0].unread!r}",
            UnreadTimesWarning,
            stacklevel=3,
        )
    naive = [one.source for one in accounts if one.naive]
    if naive and timezone is None:
        warnings.warn(
            f"{_files(naive)} times without a zone, taken as UTC; say timezone='…' if they are local",
            NaiveTimeWarning,
            stacklevel=3,
        )


def warn_of_damage(accounts: Sequence[Account]) -> None:
    """Warn our caller's caller, once, of files that are not whole, of which more may have been there than was read."""
    if cut := [one.source for one in accounts if one.cut]:
        others = f" and {len(cut) - 1:,} other files" if len(cut) > 1 else ""
        warnings.warn(
            f"{cut[0]}{others} could not be read as a whole: damaged, or cut; load(…).files says what is missing",
            RejectedRecordsWarning,
            stacklevel=3,
        )


def _files(names: Sequence[str]) -> str:
    if len(names) == 1:
        return f"{names[0]} has"
    return f"{names[0]} and {len(names) - 1:,} other files have"


def _with_care_at_once(sources: Sequence[Source], found: Found) -> bool:
    """Return whether the engine cannot read files by itself, or would take pieces of records for a whole one."""
    if found.layout == "csv":
        return any(one.breaks_off for one in sources)
    # a record that is no line may seem to go on behind a hole
    return found.layout in READERS or (
        found.layout not in {"lines", "log"} and any(one.cut for one in sources)
    )


def _native(sources: Sequence[Source], found: Found) -> str:
    """Return the query that reads files without care."""
    if found.layout == "csv":
        head = sources[0].head()
        # the engine would find no rows at all, and not say so
        if (found.skip or found.blank) and (is_blank(head) or has_other_ends(head, found)):
            raise _GivenUpError
        return records.table_sql(sources[0], found)
    if found.plain:
        return records.direct_sql(sources, found)
    return records.fields_sql(found, records.native_sql(sources, found), tolerant=False)


def _damaged(table: pa.Table, numbers: _Numbers | None = None) -> dict[int, set[int]]:
    """Return file -> numbers (from 0) of its records that could not be read."""
    damaged: dict[int, set[int]] = {}
    if numbers is None and table["bad"].null_count == table["problem"].null_count == len(table):
        return damaged
    record = (numbers or _Numbers()).of(table)
    for name in ("bad", "problem"):
        column = table[name]
        if column.null_count < len(column):
            spoiled = np.flatnonzero(pc.is_valid(column).to_numpy())
            file = table["file"].to_numpy()
            for row in spoiled:
                damaged.setdefault(int(file[row]), set()).add(int(record[row]) - 1)
    return damaged


def _may_be_strange(source: Source, found: Found, bad: Collection[int], *, told: bool) -> bool:
    """Return whether there may be records of another form, or another ESP's, among those that tell nothing.

    ``told`` says that some are sound; else some of the bad lines are looked at.
    """
    if found.format is None or not found.format.signs or found.layout == "csv":
        return False
    if told or not found.plain:
        return told
    numbers = np.array(sorted(number for number in bad if number >= 0)[:_TRIED], np.int64) + 1
    with source.open() as stream:
        some = map(decoded, lines_at(stream, numbers))
        return any(isinstance(one, Event) for line in some for one in WALK.record(opened(line)))


def _some(numbers: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """Return some of many numbers, from the first to the last."""
    if len(numbers) <= most:
        return numbers
    return numbers[np.linspace(0, len(numbers) - 1, most).astype(np.int64)]


def _silent(rows: pa.Table) -> NDArray[np.bool_]:
    """Return which rows tell of a failure without a word why."""
    silent = pc.is_in(rows["event"].cast(pa.string()), _FAILED)
    for name in _TELLING[1:]:
        silent = pc.and_(silent, pc.is_null(rows[name]))
    found: NDArray[np.bool_] = silent.to_numpy()
    return found


def _all(values: pa.ChunkedArray) -> bool:
    return pc.all(values).as_py() is not False


def _in_order(batches: list[Batch]) -> list[Batch]:
    """Return batches of several formats as one, in the order of the records."""
    if len({id(batch) for batch in batches if len(batch.record)}) < 2:
        return batches
    record = np.concatenate([batch.record for batch in batches])
    order = np.argsort(record, kind="stable")
    table = pa.concat_tables([batch.table for batch in batches]).take(pa.array(order))
    keys = pa.concat_tables([batch.keys for batch in batches])
    account = np.concatenate([batch.account for batch in batches])
    return [Batch(table, keys.take(pa.array(order)), account[order], record[order])]


class _Numbers:
    """Counts the records of files whose rows come piece by piece, one file after the other."""

    def __init__(self) -> None:
        self._file = -1
        self._count = 0

    def of(self, table: pa.Table) -> NDArray[np.int64]:
        """Return each row's record number, from 1 within its file."""
        size = len(table)
        if not size:
            return np.empty(0, np.int64)
        file = table["file"].to_numpy()
        head = table["head"]
        known = self._count if file[0] == self._file else 0
        if file[0] == file[-1] and _all(head):  # the usual case: a row a record, of one file
            self._file, self._count = int(file[0]), known + size
            return np.arange(known + 1, known + size + 1)
        total = np.arange(1, size + 1) if _all(head) else np.cumsum(head.to_numpy(), dtype=np.int64)
        starts = np.flatnonzero(np.r_[True, file[1:] != file[:-1]])
        # the count at which each file begins; the first may go on from the piece before
        before = np.where(starts > 0, total[starts - 1], -known)
        record = total - np.repeat(before, np.diff(np.r_[starts, size]))
        self._file, self._count = int(file[-1]), int(record[-1])
        return np.asarray(record, np.int64)


class _Known(_Numbers):
    """Gives records the numbers that they have already."""

    def __init__(self, numbers: NDArray[np.int64]) -> None:
        super().__init__()
        self._given = numbers

    def of(self, table: pa.Table) -> NDArray[np.int64]:
        """Return each row's record number."""
        return self._given[super().of(table) - 1]

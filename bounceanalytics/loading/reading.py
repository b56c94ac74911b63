"""Files of one form at a time through the engine, and the account of what became of their records."""

from __future__ import annotations

import contextlib
import re
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from bounceanalytics import schema
from bounceanalytics.errors import FormatError
from bounceanalytics.loading import records
from bounceanalytics.loading.normalise import events_sql
from bounceanalytics.loading.sources import read_up_to

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from bounceanalytics.loading.detect import Found
    from bounceanalytics.loading.sources import Source

    Progress = Callable[[str, int, int], None]

# Files of the same kind are read together, but not too many: a damaged one makes its group be read anew.
_GROUP_FILES = 500
_GROUP_BYTES = 2 * 1024**3

_TICK = 0.1  # seconds between two looks at the progress

_EVENT_NAMES = [column.name for column in schema.EVENT_COLUMNS]


@dataclass
class Account:
    """What became of the records of one file."""

    source: str
    provider: str = ""
    form: str = ""
    records: int = 0
    loaded: int = 0
    ignored: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    rejected: int = 0
    rows: int = 0
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Batch:
    """Rows of some files: the event columns, and beside them the key and the record's account."""

    table: pa.Table
    key: pa.ChunkedArray
    account: NDArray[np.int64]  # place of the file in the list of accounts
    record: NDArray[np.int64]


def connect() -> duckdb.DuckDBPyConnection:
    """Return an engine of our own, in memory, that keeps the order of the input."""
    connection = duckdb.connect()
    for setting in (
        "SET TimeZone = 'UTC'",
        "SET preserve_insertion_order = true",
        "SET arrow_large_buffer_size = true",
        "SET autoinstall_known_extensions = false",
        "SET autoload_known_extensions = false",
    ):
        connection.execute(setting)
    return connection


def groups(found: Sequence[tuple[int, Source, Found]]) -> Iterator[list[tuple[int, Source, Found]]]:
    """Yield files that one query can read together, in the order of their first file."""
    alike: dict[object, list[tuple[int, Source, Found]]] = {}
    for item in found:
        _, source, what = item
        kind = (id(what.form), what.layout, what.nested, source.gzipped)
        alike.setdefault(kind if what.layout != "csv" else item[0], []).append(item)
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
    form = found.form
    if form is None:
        return []
    said = [form.note] if form.note else []
    head = source.head().decode("utf-8", errors="replace")
    said += [note for pattern, note in form.traces if re.search(pattern, head)]
    if form.page_size and count and count % form.page_size == 0:
        said.append(f"has {count:,} records, just full pages of {form.page_size:,}: perhaps there are more")
    more, note = form.last_page
    if more and source.size <= _LARGEST_PAGES:
        with source.open() as stream:
            text = read_up_to(stream, _LARGEST_PAGES).decode("utf-8", errors="replace")
        going_on = len(re.findall(more, text))
        if going_on and going_on >= text.count(f'"{form.container}"'):
            said.append(note)
    return said


class Reader:
    """Reads groups of files and keeps the accounts."""

    def __init__(
        self,
        accounts: list[Account],
        timezone: str,
        on_error: str,
        tick: Callable[[float], None] | None = None,
    ) -> None:
        self.accounts = accounts
        self.timezone = timezone
        self.on_error = on_error
        self.tick = tick  # told how much of the group is done, 0 to 1
        self.batches: list[Batch] = []
        self.rejects: list[pd.DataFrame] = []
        self._engine = connect()
        if tick is not None:
            # the bar is asked for, never drawn; in a notebook without ipywidgets the engine has none to ask
            with contextlib.suppress(duckdb.Error):
                self._engine.execute("SET enable_progress_bar = true")
                self._engine.execute("SET enable_progress_bar_print = false")

    def close(self) -> None:
        """Close the engine."""
        self._engine.close()

    def read(self, group: Sequence[tuple[int, Source, Found]]) -> None:
        """Read files of one kind: fast if they are clean, else one by one with care."""
        places = [place for place, _, _ in group]
        sources = [source for _, source, _ in group]
        found = group[0][2]
        table = self._native(sources, found)
        if table is None and len(group) > 1:
            for item in group:
                self.read([item])
            return
        if table is None:
            self._keep(places, *self._careful(sources[0], found, None))
            return
        damaged = self._damaged(table)
        if len(damaged) == 0 or found.layout == "csv":
            self._keep(places, table, None)
            return
        # the clean files of the group are kept, the others are read again
        file = table["file"].to_numpy()
        for index, item in enumerate(group):
            if index not in damaged:
                continue
            bad = damaged[index] if found.layout == "lines" and not found.nested else None
            self._keep([item[0]], *self._careful(item[1], found, bad))
        clean = ~np.isin(file, list(damaged))
        if clean.any():
            self._keep(places, table.filter(pa.array(clean)), None)

    def _native(self, sources: Sequence[Source], found: Found) -> pa.Table | None:
        if found.layout == "csv":
            fields = records.table_sql(sources[0], found)
        elif found.plain:
            fields = records.direct_sql(sources, found)
        else:
            fields = records.fields_sql(found, records.native_sql(sources, found), careful=False)
        try:
            return self._query(found, fields)
        except duckdb.Error as error:
            if isinstance(error, (duckdb.InterruptException, duckdb.OutOfMemoryException)):
                raise
            return None

    def _query(self, found: Found, fields: str) -> pa.Table:
        assert found.form is not None  # noqa: S101
        query = events_sql(found.form, fields, timezone=self.timezone)
        if self.tick is None:
            return self._engine.sql(query).to_arrow_table()
        with ThreadPoolExecutor(1) as worker:
            task = worker.submit(lambda: self._engine.sql(query).to_arrow_table())
            try:
                while not wait([task], timeout=_TICK).done:
                    self.tick(max(self._engine.query_progress(), 0.0) / 100)
            except BaseException:  # an interrupt, above all: the engine must not go on for nobody
                self._engine.interrupt()
                raise
            return task.result()

    def _careful(self, source: Source, found: Found, bad: set[int] | None) -> tuple[pa.Table, pa.Table]:
        if found.layout == "csv":
            rows = records.careful_table(source, found)
            self._engine.register("careful", rows)
            table = self._query(found, records.careful_table_sql(found, "careful"))
            self._engine.unregister("careful")
            spoiled = pc.is_valid(rows["error"])
            wrong = pa.table(
                {"bad": rows["bad"], "offset": pa.array([-1] * len(rows), pa.int64()), "error": rows["error"]}
            ).filter(spoiled)
            return table, wrong
        details: list[pa.RecordBatch] = []
        spans = pa.RecordBatchReader.from_batches(
            records.SPAN_SCHEMA, _noting(records.careful_json([source], found, bad), details)
        )
        self._engine.register("careful", spans)
        table = self._query(found, records.fields_sql(found, 'SELECT * FROM "careful"', careful=True))
        self._engine.unregister("careful")
        return table, pa.Table.from_batches(details, records.SPAN_SCHEMA).select(["bad", "offset", "error"])

    @staticmethod
    def _damaged(table: pa.Table) -> dict[int, set[int]]:
        """Return file -> numbers (from 0) of its records that could not be read."""
        bad = table["bad"]
        if bad.null_count == len(bad):
            return {}
        file = table["file"].to_numpy()
        spoiled = np.flatnonzero(pc.is_valid(bad).to_numpy())
        number = _numbers(file, table["head"]) - 1
        damaged: dict[int, set[int]] = {}
        for row in spoiled:
            damaged.setdefault(int(file[row]), set()).add(int(number[row]))
        return damaged

    def _keep(self, places: Sequence[int], table: pa.Table, details: pa.Table | None) -> None:
        """Give the records their numbers, settle the accounts and keep the rows."""
        file = table["file"].to_numpy()
        account = np.asarray(places, dtype=np.int64)[file] if len(file) else np.empty(0, np.int64)
        record = _numbers(file, table["head"])
        self._count(account, table["head"])
        lost = np.zeros(len(table), bool)
        for name, settle in (("bad", self._reject_bad), ("problem", self._reject_problems)):
            column = table[name]
            if column.null_count < len(column):
                hit = pc.is_valid(column).to_numpy()
                settle(account[hit], record[hit], table.filter(pa.array(hit)), details)
                lost |= hit
        if table["ignored"].null_count < len(table):
            hit = pc.is_valid(table["ignored"]).to_numpy() & ~lost
            for place, reason in zip(
                account[hit], table["ignored"].filter(pa.array(hit)).to_pylist(), strict=True
            ):
                self.accounts[place].ignored[reason] += 1
            lost |= hit
        if lost.any():
            kept = ~lost
            table, account, record = table.filter(pa.array(kept)), account[kept], record[kept]
        names = [name for name in _EVENT_NAMES if name not in {"source", "record"}]
        self.batches.append(Batch(table.select(names), table["key"], account, record))

    def _count(self, account: NDArray[np.int64], head: pa.ChunkedArray) -> None:
        heads = account if pc.all(head).as_py() is not False else account[head.to_numpy()]
        for place, count in enumerate(np.bincount(heads).tolist()):
            self.accounts[place].records += count

    def _reject_bad(
        self,
        account: NDArray[np.int64],
        record: NDArray[np.int64],
        rows: pa.Table,
        details: pa.Table | None,
    ) -> None:
        offset = [-1] * len(rows)
        error = ["it is no record: a text, a number or damaged JSON stands in its place"] * len(rows)
        if details is not None and len(details) == len(rows):
            offset, error = details["offset"].to_pylist(), details["error"].to_pylist()
        elif details is not None:
            # the engine refused more than the careful reader did; the latter's are found again by their order
            known = iter(details.to_pylist())
            following = next(known, None)
            for row, text in enumerate(rows["bad"].to_pylist()):
                if following is not None and text == following["bad"]:
                    offset[row], error[row] = following["offset"], following["error"]
                    following = next(known, None)
        self._reject(account, record, offset, error, rows["bad"].to_pylist())

    def _reject_problems(
        self, account: NDArray[np.int64], record: NDArray[np.int64], rows: pa.Table, _: pa.Table | None
    ) -> None:
        nothing = [""] * len(rows)
        self._reject(account, record, [-1] * len(rows), rows["problem"].to_pylist(), nothing)

    def _reject(
        self,
        account: NDArray[np.int64],
        record: NDArray[np.int64],
        offset: list[int],
        error: list[str],
        text: Sequence[str | None],
    ) -> None:
        names = [self.accounts[place].source for place in account]
        if self.on_error == "raise":
            raise FormatError(f"record {int(record[0]):,} of {names[0]} cannot be read: {error[0]}")
        for place in account:
            self.accounts[place].rejected += 1
        self.rejects.append(
            pd.DataFrame(
                {
                    "source": names,
                    "record": record,
                    "offset": offset,
                    "error": error,
                    "text": [(one or "")[:500] for one in text],
                }
            )
        )


def _noting(batches: Iterator[pa.RecordBatch], details: list[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Pass batches on and keep what they say about errors."""
    for batch in batches:
        if batch["error"].null_count < len(batch):
            details.append(batch.filter(pc.is_valid(batch["error"])))
        yield batch


def _numbers(file: NDArray[np.int64], head: pa.ChunkedArray) -> NDArray[np.int64]:
    """Return each row's record number, from 1 within its file; rows of a file follow one another."""
    if not len(file):
        return np.empty(0, np.int64)
    single = pc.all(head).as_py() is not False
    total = np.arange(1, len(file) + 1) if single else np.cumsum(head.to_numpy(), dtype=np.int64)
    starts = np.flatnonzero(np.r_[True, file[1:] != file[:-1]])
    if len(starts) == 1:
        return total.astype(np.int64, copy=False)
    before = np.repeat(total[starts] - 1, np.diff(np.r_[starts, len(file)]))
    return total - before

"""A classified frame, gathered once for everything that is asked of it."""

from __future__ import annotations

import contextlib
import datetime as dt
import warnings
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bounceanalytics import schema
from bounceanalytics.addresses import normal_form
from bounceanalytics.database import open_database, run_statements
from bounceanalytics.datasets import as_dataset
from bounceanalytics.errors import FrameError, WrongClockWarning

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import duckdb
    import pandas as pd

    from bounceanalytics.datasets import Frame

_Made = TypeVar("_Made")

#: How far ahead of this machine another clock may be.
_AHEAD = dt.timedelta(days=1)

#: The columns that tell who runs a domain.
MAILBOX_COLUMNS = ("event", "domain", "mailbox_provider")


class History:
    """A classified frame in an embedded database, gathered once for everything that is asked of it.

    ``events`` is a view of the gathered columns: times are in UTC without a zone, ``(none)`` stands for no domain, and
    ``address`` is the recipient in normal form, which is what tells addresses apart everywhere. Tables are made of it
    when they are asked for first.

    Parameters
    ----------
    database : duckdb.DuckDBPyConnection
    bounces : pandas.DataFrame, Dataset or path of one
        A classified frame; its columns are read once, when they are needed, and never changed.

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> bounces = ba.classify(ba.load(ba.samples() / "exports" / "ses").events)
    >>> with History.open(bounces) as history:
    ...     history.gather(["event", "recipient"])
    ...     len(history.table("SELECT DISTINCT address FROM events")) == len(ba.decide(history))
    True
    """

    def __init__(self, database: duckdb.DuckDBPyConnection, bounces: Frame) -> None:
        self.database = database
        self._dataset = as_dataset(bounces)
        brought = schema.BOUNCE_COLUMNS.bring(bounces) if self._dataset is None else None
        self._frame: Any = bounces if brought is None else brought
        self._columns: dict[str, pa.ChunkedArray] = {}
        self._addresses: pa.Array | None = None
        self._made: dict[str, tuple[object, object]] = {}

    @classmethod
    @contextlib.contextmanager
    def open(cls, bounces: Frame | History) -> Iterator[History]:
        """Yield the history of a frame, for as long as it takes; one that is open already stays open."""
        if isinstance(bounces, History):
            yield bounces
            return
        with open_database() as database:
            yield cls(database, bounces)

    def __len__(self) -> int:
        return len(self._frame if self._dataset is None else self._dataset)

    def gather(self, columns: Iterable[str]) -> None:
        """Add columns of the frame to the view ``events``, which also numbers its rows (``row``, from 0).

        Raises
        ------
        FrameError
            If a column is missing, or holds something else than it does in a classified frame.
        """
        wanted = list(columns)
        if self._dataset is None:
            needed = [name for name in wanted if name not in schema.ADDED_COLUMNS]
            schema.BOUNCE_COLUMNS.require(self._frame, needed)
            absent = [name for name in wanted if name not in needed and name not in self._frame]
            self._columns |= {name: pa.chunked_array([pa.nulls(len(self), pa.float64())]) for name in absent}
        missing = [name for name in dict.fromkeys(wanted) if name not in self._columns]
        if not missing:
            return
        given = self._frame if self._dataset is None else self._dataset.table(missing)
        found, wrong = {}, []
        for column in schema.BOUNCE_COLUMNS.select(missing):
            values = given[column.name]
            try:
                found[column.name] = _gathered(values, column)
            except (pa.ArrowException, TypeError, ValueError):
                kind = values.type if isinstance(values, pa.ChunkedArray) else values.dtype
                wrong.append(f"{column.name} is {kind}, and must be {_plain(column)}")
        if wrong:
            raise FrameError(f"a classified frame is needed: {'; '.join(wrong)}")
        if "timestamp" in found:
            found["timestamp"] = _without_future(found["timestamp"])
        self._columns |= found
        self._register_events()

    def number_addresses(self) -> pa.Array:
        """Give numbers to the addresses in the view ``events``; return the addresses by these numbers.

        Numbers are faster to join and to sort than texts, and stand for one address each.
        """
        self.gather(["recipient"])
        if self._addresses is None:
            encoded = self._columns["recipient"].combine_chunks().dictionary_encode()
            self._addresses = encoded.dictionary
            self._columns["recipient"] = pa.chunked_array([encoded.indices])
            self._register_events()
        return self._addresses

    def once(self, name: str, make: Callable[[], _Made], key: object = None) -> _Made:
        """Return what is made when it is asked for first, and again for another ``key``."""
        if name not in self._made or self._made[name][0] != key:
            made = make()
            self._made[name] = key, made
        return cast("_Made", self._made[name][1])

    def run(self, folder: str, name: str, **terms: object) -> None:
        """Run the statements of an SQL file of the package, each with those of the terms that it names."""
        run_statements(self.database, folder, name, **terms)

    def register(self, name: str, table: pa.Table | pd.DataFrame) -> None:
        """Register a table as a view; it replaces one of that name."""
        if not isinstance(table, pa.Table):
            table = pa.Table.from_pandas(table, preserve_index=False)
        self.database.register(name, table)

    def table(self, sql: str, **terms: object) -> pa.Table:
        """Return what a query gives."""
        return self.database.sql(sql, params=terms).to_arrow_table()

    def query(self, sql: str, **terms: object) -> pd.DataFrame:
        """Return what a query gives as a frame, words as strings and times in UTC."""
        table = self.table(sql, **terms)
        columns = [_spelled_out(column) for column in table.columns]
        frame: pd.DataFrame = pa.table(columns, names=table.column_names).to_pandas()
        return frame

    def mailboxes(self) -> None:
        """Make the table ``mailboxes``: who runs each domain."""

        def make() -> None:
            self.gather(MAILBOX_COLUMNS)
            self.run("history", "mailbox_counts", sending=schema.SENDING_EVENTS)
            self.run("history", "mailboxes")

        self.once("mailboxes", make)

    def _register_events(self) -> None:
        table = {"address" if name == "recipient" else name: column for name, column in self._columns.items()}
        self.database.register("gathered", pa.table(table | {"row": np.arange(len(self))}))
        domain = (
            f"REPLACE (coalesce(nullif(domain, ''), '{schema.NO_DOMAIN}') AS domain)"
            if "domain" in table
            else ""
        )
        self.database.execute(f"CREATE OR REPLACE TEMP VIEW events AS SELECT * {domain} FROM gathered")


def _plain(column: schema.Column) -> pa.DataType:
    """Return the Arrow type of a column whose words are not encoded."""
    return schema.ARROW_STRING if column.kind == "category" else column.arrow


def _gathered(values: pd.Series | pa.ChunkedArray, column: schema.Column) -> pa.ChunkedArray:
    """Return a column as the engine gets it: words that repeat stay encoded, smaller and faster to group by.

    Raises
    ------
    TypeError, pyarrow.ArrowException
        If it holds something else than such a column does.
    """
    array = values if isinstance(values, pa.ChunkedArray) else pa.Array.from_pandas(values)
    array = array if isinstance(array, pa.ChunkedArray) else pa.chunked_array([array])
    if column.name == "tags" and _is_list(array.type):  # as they were before they became texts
        array = pa.chunked_array([schema.join_tags(array.to_pylist())])
    kind = _plain(column)
    held = array.type.value_type if pa.types.is_dictionary(array.type) else array.type
    if pa.types.is_null(held):  # a column, or a category, that never had a value
        return pa.chunked_array([pa.nulls(len(array), kind)])
    if _family(held) != _family(kind):
        raise TypeError
    if pa.types.is_timestamp(held):
        return array.cast(kind, safe=False).cast(pa.timestamp("us"))
    if column.name == "recipient":
        texts = normal_form(array.cast(schema.ARROW_STRING).combine_chunks())
        return pa.chunked_array([pc.if_else(pc.equal(texts, ""), None, texts)])
    return array if pa.types.is_dictionary(array.type) else array.cast(kind)


def _without_future(times: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return times without those that no right clock can have told.

    If most lie there, it is the clock of this machine that is wrong.
    """
    latest = dt.datetime.now(dt.UTC).replace(tzinfo=None) + _AHEAD
    last = pc.max(times).as_py()
    if last is None or last <= latest:
        return times
    wrong = pc.fill_null(pc.greater(times, latest), False)
    count, known = pc.sum(wrong).as_py(), len(times) - times.null_count
    if 2 * count > known:
        return times
    message = (
        f"{count:,} of {known:,} events {'lies' if count == 1 else 'lie'} in the future, the last on {last:%Y-%m-%d}: "
        "a clock was wrong; such events are taken for events without a time"
    )
    warnings.warn(message, WrongClockWarning, stacklevel=2)
    return pc.if_else(wrong, pa.scalar(None, times.type), times)


def _family(kind: pa.DataType) -> str:
    """Return what a type must have in common with that of the schema."""
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return "text"
    if pa.types.is_timestamp(kind):
        return "time" if kind.tz else "time of nowhere"
    return "list" if _is_list(kind) else "number"


def _is_list(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind))


def _spelled_out(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return words as strings and times as UTC; in the engine they are numbers, and have no zone."""
    if pa.types.is_dictionary(column.type):
        return column.cast(column.type.value_type)
    return column.cast(schema.ARROW_TIME) if pa.types.is_timestamp(column.type) else column

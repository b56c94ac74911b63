"""A classified frame, gathered once for everything that is asked of it."""

from __future__ import annotations

import contextlib
import datetime as dt
import warnings
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bounceanalytics import schema
from bounceanalytics.addresses import normal_form
from bounceanalytics.database import open_database, run_statements
from bounceanalytics.datasets import as_dataset, pinned
from bounceanalytics.errors import FrameError, WrongClockWarning

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    import duckdb
    import numpy.typing as npt
    import pandas as pd

    from bounceanalytics.datasets import Frame

_Made = TypeVar("_Made")

#: From the first to before the second, in UTC without a zone.
Times = tuple[dt.datetime, dt.datetime]

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
    span : tuple of two datetimes, optional
        The time that it is about, in UTC without a zone: from the first to before the second.

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> bounces = ba.classify(ba.load(ba.samples() / "exports" / "ses").events)
    >>> with History.open(bounces) as history:
    ...     history.gather(["event", "recipient"])
    ...     len(history.table("SELECT DISTINCT address FROM events")) == len(ba.decide(history))
    True
    """

    def __init__(
        self, database: duckdb.DuckDBPyConnection, bounces: Frame, span: Times | None = None
    ) -> None:
        self.database = database
        dataset = as_dataset(bounces)
        self._dataset = dataset and pinned(dataset)
        brought = schema.BOUNCE_COLUMNS.bring(bounces) if self._dataset is None else None
        self._frame: Any = bounces if brought is None else brought
        self._columns: dict[str, pa.ChunkedArray] = {}
        self._addresses: pa.Array | None = None
        self._made: dict[str, tuple[object, object]] = {}
        #: Whether it tells by itself that a clock was wrong; not one of several, of which all together tell.
        self.judges_clock = True
        self._inside: npt.NDArray[np.bool_] | None = None
        if span is not None:
            self._inside = _within(self.frame(["timestamp"])["timestamp"], span)

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
        if self._inside is not None:
            return int(self._inside.sum())
        return len(self._frame if self._dataset is None else self._dataset)

    def frame(self, columns: Sequence[str]) -> pd.DataFrame:
        """Return columns of the frame as they are."""
        names = list(columns)
        frame = self._frame[names] if self._dataset is None else self._dataset.to_pandas(names)
        return frame if self._inside is None else frame[self._inside]

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
        given = self._given(missing)
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
        self._columns |= found
        if "timestamp" in found and self.judges_clock and is_clock_wrong([self.future()]):
            self._clear_future()
        self._register_events()

    def _given(self, names: list[str]) -> Any:
        if self._dataset is None:
            return self._frame if self._inside is None else self._frame[self._inside]
        table = self._dataset.table(names)
        return table if self._inside is None else table.filter(pa.array(self._inside))

    def future(self) -> Future:
        """Return how many events lie where no right clock can have been, of how many, and when the last one was."""
        times = self._columns["timestamp"]
        wrong = pc.sum(_ahead(times)).as_py() or 0
        return Future(wrong, len(times) - times.null_count, pc.max(times).as_py())

    def clear_future(self) -> None:
        """Take times that no right clock can have told for no times."""
        self._clear_future()
        self._register_events()

    def _clear_future(self) -> None:
        times = self._columns["timestamp"]
        self._columns["timestamp"] = pc.if_else(_ahead(times), pa.scalar(None, times.type), times)

    def number_addresses(self) -> None:
        """Give numbers to the addresses in the view ``events``.

        Numbers are faster to join and to sort than texts, and stand for one address each.
        """
        self.gather(["recipient"])
        if self._addresses is None:
            encoded = self._columns["recipient"].combine_chunks().dictionary_encode()
            self._addresses = encoded.dictionary
            self._columns["recipient"] = pa.chunked_array([encoded.indices])
            self._register_events()

    @property
    def addresses(self) -> pa.Array:
        """The addresses by their numbers."""
        self.number_addresses()
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

    def count(self, folder: str, name: str, *_counts: str, **terms: object) -> None:
        """Run an SQL file whose tables of counts add up, where the addresses are spread over several histories."""
        self.run(folder, name, **terms)

    def count_of(self, table: str, sql: str, **terms: object) -> None:
        """Make a table of counts, which add up as those of :meth:`count` do, from a query."""
        self.database.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS {sql}", terms)

    def sums(
        self,
        _table: str,
        sql: str,
        _keys: Sequence[str],
        _added: Mapping[str, str],
        order: str,
        /,
        **terms: object,
    ) -> pd.DataFrame:
        """Return groups and their counts from a query.

        Those of several histories are put together in a table and added up for each of the keys: counts as they are,
        other columns by the expression that is given for them.
        """
        return self.query(f"FROM ({sql}) ORDER BY {order}", **terms)

    def run_in_parts(self, folder: str, name: str) -> None:
        """Run an SQL file in each of several histories; there are none here."""

    def finish(self, folder: str, name: str, *_tables: str, **terms: object) -> None:
        """Run an SQL file that makes tables from counts, which are the same for all addresses."""
        self.run(folder, name, **terms)

    def each(self, work: Callable[..., object], *given: object) -> None:
        """Have a function do something with a history and what is given; with each, where there are several."""
        work(self, *given)

    def collect(self, work: Callable[..., _Made], *given: object) -> list[_Made]:
        """Return what a function makes of a history and what is given; of several, what it makes of each."""
        return [work(self, *given)]

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
            self.count("history", "mailbox_counts", "mailbox_counts", sending=schema.SENDING_EVENTS)
            self.finish("history", "mailboxes", "mailboxes")

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


def _within(times: pd.Series[Any], span: Times) -> npt.NDArray[np.bool_]:
    start, end = (moment.replace(tzinfo=dt.UTC) for moment in span)
    return np.asarray((times >= start) & (times < end), np.bool_)


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


class Future(NamedTuple):
    """How many events lie in the future, of how many with a time, and when the last one was."""

    wrong: int
    known: int
    last: dt.datetime | None


def is_clock_wrong(told: Iterable[Future]) -> bool:
    """Tell whether times in the future are wrong, and warn of them.

    If most lie there, it is the clock of this machine that is wrong.
    """
    told = list(told)
    count, known = sum(one.wrong for one in told), sum(one.known for one in told)
    if not count or 2 * count > known:
        return False
    last = max(one.last for one in told if one.last is not None)
    message = (
        f"{count:,} of {known:,} events {'lies' if count == 1 else 'lie'} in the future, the last on {last:%Y-%m-%d}: "
        "a clock was wrong; such events are taken for events without a time"
    )
    warnings.warn(message, WrongClockWarning, stacklevel=2)
    return True


def _ahead(times: pa.ChunkedArray) -> pa.ChunkedArray:
    latest = dt.datetime.now(dt.UTC).replace(tzinfo=None) + _AHEAD
    return pc.fill_null(pc.greater(times, pa.scalar(latest, times.type)), False)


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

"""A history in parts: count in each, add up, finish.

Where addresses are spread over several histories, all events of an address in one of them, what is counted by address
adds up. Work runs in every part; counts are added up in a database of their own, where what is the same for all
addresses is found, and from there handed to the parts. Who asks needs not know whether there are parts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import pyarrow as pa

from bounceanalytics.database import run_statements
from bounceanalytics.history.history import History, is_clock_wrong
from bounceanalytics.schema import BOUNCE_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import duckdb
    import pandas as pd

_Made = TypeVar("_Made")


class Members(Protocol):
    """Histories that hold different addresses, wherever they are."""

    def each(self, work: Callable[..., object], *given: object, **terms: object) -> None:
        """Have work done in each; when, is not said."""

    def collect(self, work: Callable[..., _Made], *given: object) -> list[_Made]:
        """Return what a function makes of each, after the work that was asked for before."""


class Here:
    """Histories of this process.

    Parameters
    ----------
    members : iterable of History
    """

    def __init__(self, members: Iterable[History]) -> None:
        self._members = list(members)

    def each(self, work: Callable[..., object], *given: object, **terms: object) -> None:
        """Do work in each, one after the other."""
        for one in self._members:
            work(one, *given, **terms)

    def collect(self, work: Callable[..., _Made], *given: object) -> list[_Made]:
        """Return what a function makes of each."""
        return [work(one, *given) for one in self._members]


class Histories(History):
    """Several histories that answer as one.

    Parameters
    ----------
    database : duckdb.DuckDBPyConnection
        An empty one, for what is known of all addresses together.
    members : Members

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> from bounceanalytics.database import open_database
    >>> bounces = ba.classify(ba.load(ba.samples() / "exports" / "ses").events)
    >>> first = bounces["domain"] < "f"
    >>> with History.open(bounces[first]) as one, History.open(bounces[~first]) as other, open_database() as database:
    ...     whole = ba.storms(Histories(database, Here([one, other])))
    >>> whole.equals(ba.storms(bounces))
    True
    """

    def __init__(self, database: duckdb.DuckDBPyConnection, members: Members) -> None:
        super().__init__(database, BOUNCE_COLUMNS.empty())
        self._members = members

    def __len__(self) -> int:
        return sum(self.collect(History.__len__))

    def gather(self, columns: Iterable[str]) -> None:
        """Add columns to every part."""
        wanted = tuple(columns)
        if "timestamp" in wanted:
            self.once("clock", self._judge_clock)
        self._members.each(History.gather, wanted)

    def _judge_clock(self) -> None:
        self._members.each(_leave_clock)
        self._members.each(History.gather, ("timestamp",))
        if is_clock_wrong(self.collect(History.future)):
            self._members.each(History.clear_future)

    def number_addresses(self) -> None:
        """Give numbers to the addresses of every part."""
        self._members.each(History.number_addresses)

    def run(self, folder: str, name: str, **terms: object) -> None:
        """Run an SQL file of the package in every part."""
        self._members.each(History.run, folder, name, **terms)

    def count(self, folder: str, name: str, *counts: str, **terms: object) -> None:
        """Run an SQL file of the package in every part, and put the tables of counts that it makes together."""
        self.run(folder, name, **terms)
        self._put_together(counts)

    def count_of(self, table: str, sql: str, **terms: object) -> None:
        """Make a table of counts in every part, and put them together."""
        self._members.each(History.count_of, table, sql, **terms)
        self._put_together([table])

    def sums(
        self,
        table: str,
        sql: str,
        keys: Sequence[str],
        added: Mapping[str, str],
        order: str,
        /,
        **terms: object,
    ) -> pd.DataFrame:
        """Return groups from a query, with the counts of all parts added up."""
        self.count_of(table, sql, **terms)
        columns = [name for name in self.table(f"FROM {table} LIMIT 0").column_names if name not in keys]
        sums = [f"{added.get(name, f'sum({name})::BIGINT')} AS {name}" for name in columns]
        names = ", ".join(keys)
        return self.query(
            f"FROM (SELECT {', '.join([names, *sums])} FROM {table} GROUP BY {names}) ORDER BY {order}"
        )

    def run_in_parts(self, folder: str, name: str) -> None:
        """Run an SQL file of the package in every part."""
        self.run(folder, name)

    def _put_together(self, tables: Sequence[str]) -> None:
        found = self.collect(_tables, tables)
        for table in tables:
            self.database.register("counted", pa.concat_tables(one[table] for one in found))
            self.database.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS FROM counted")

    def finish(self, folder: str, name: str, *tables: str, **terms: object) -> None:
        """Run an SQL file of the package on the counts, and hand the tables that it makes to every part."""
        run_statements(self.database, folder, name, **terms)
        for table in tables:
            self._members.each(_take, table, self.table(f"FROM {table}"))

    def register(self, name: str, table: pa.Table | pd.DataFrame) -> None:
        """Register a table as a view, in every part too."""
        if not isinstance(table, pa.Table):
            table = pa.Table.from_pandas(table, preserve_index=False)
        super().register(name, table)
        self._members.each(History.register, name, table)

    def each(self, work: Callable[..., object], *given: object) -> None:
        """Have a function do something with each part."""
        self._members.each(work, *given)

    def collect(self, work: Callable[..., _Made], *given: object) -> list[_Made]:
        """Return what a function makes of each part."""
        return self._members.collect(work, *given)


def _leave_clock(part: History) -> None:
    part.judges_clock = False


def _tables(part: History, names: Sequence[str]) -> dict[str, pa.Table]:
    return {name: _spelled_out(part.table(f"FROM {name}")) for name in names}


def _spelled_out(table: pa.Table) -> pa.Table:
    """Return a table with words instead of their numbers, which differ from part to part."""
    columns: list[Any] = [
        pa.chunked_array(map(_words, column.chunks), _type_of_words(column.type)) for column in table.columns
    ]
    return pa.table(columns, names=table.column_names)


def _words(array: pa.Array) -> pa.Array:
    if pa.types.is_list(array.type):
        return pa.ListArray.from_arrays(array.offsets, _words(array.values))
    return array.cast(_type_of_words(array.type))


def _type_of_words(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_list(kind):
        return pa.list_(_type_of_words(kind.value_type))
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _take(part: History, name: str, table: pa.Table) -> None:
    part.register("shared", table)
    part.database.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS FROM shared")

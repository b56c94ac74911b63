"""A public frame as a value: the names, kinds and meanings of its columns, how it is made and how it is checked."""

from __future__ import annotations

import functools
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa

from bounceanalytics.errors import FrameError
from bounceanalytics.privacy import shown_titles
from bounceanalytics.schema.cures import cure_of_frame, cure_of_thing
from bounceanalytics.schema.others import arrow_of, pandas_of
from bounceanalytics.schema.tags import as_tags

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

Kind = Literal[
    "category", "string", "tags", "list", "timestamp", "Int16", "int64", "Int64", "float64", "bool", "boolean"
]

#: The pandas dtypes of text and of times: nothing else in the package spells them.
STRING = pd.StringDtype("pyarrow", na_value=float("nan"))
TIME = pd.DatetimeTZDtype("us", "UTC")

#: The Arrow types that convert to these without copying.
ARROW_STRING = pa.large_string()
ARROW_TIME = pa.timestamp("us", tz="UTC")
_LIST = pa.list_(pa.string())

#: Kind of a column -> its Arrow type, its pandas dtype, and what the documentation calls it.
_KINDS: dict[Kind, tuple[pa.DataType, Any, str]] = {
    "category": (pa.dictionary(pa.int8(), ARROW_STRING), pd.CategoricalDtype(), "category"),
    "string": (ARROW_STRING, STRING, "string"),
    "tags": (ARROW_STRING, STRING, "string"),
    "list": (_LIST, pd.ArrowDtype(_LIST), "list of strings"),
    "timestamp": (ARROW_TIME, TIME, "timestamp, UTC"),
    "Int16": (pa.int16(), pd.Int16Dtype(), "Int16"),
    "int64": (pa.int64(), np.dtype("int64"), "int64"),
    "Int64": (pa.int64(), pd.Int64Dtype(), "Int64"),
    "float64": (pa.float64(), np.dtype("float64"), "float64"),
    "bool": (pa.bool_(), np.dtype("bool"), "bool"),
    "boolean": (pa.bool_(), pd.BooleanDtype(), "boolean"),
}
_MAPPED = (
    "string",
    "tags",
    "list",
    "Int16",
    "Int64",
    "boolean",
)  # kinds that pyarrow must be told how to convert

_NUMBERS = {
    "integer",
    "floating",
    "mixed-integer-float",
    "decimal",
    "boolean",
}  # what pandas infers of columns of them

_WIDTH = 108  # of a list of columns: a docstring of a method may be twelve wider
_MOST_VALUES = 6  # of a category, to be listed there


@functools.cache
def _category(values: tuple[str, ...]) -> pd.CategoricalDtype:
    """Return the dtype of a category, which pandas takes long to make and never changes."""
    return pd.CategoricalDtype(list(values))


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a frame.

    Attributes
    ----------
    name : str
    kind : {'category', 'string', 'tags', 'list', 'timestamp', 'Int16', 'int64', 'Int64', 'float64', 'bool', 'boolean'}
        What it holds; :attr:`dtype` and :attr:`arrow` follow from it.
    meaning : str
        For the documentation.
    values : tuple of str
        Allowed values of a category; empty where the values are open.
    share : bool
        Whether it is a part of a whole, 0 to 1, which is shown in percent.
    """

    name: str
    kind: Kind
    meaning: str
    values: tuple[str, ...] = ()
    share: bool = False

    @property
    def dtype(self) -> Any:
        """The pandas dtype: nullable integers, UTC microseconds, Arrow-backed strings."""
        return _category(self.values) if self.values else _KINDS[self.kind][1]

    @property
    def arrow(self) -> pa.DataType:
        """The Arrow type that converts to :attr:`dtype` without copying strings."""
        return _KINDS[self.kind][0]

    @property
    def words(self) -> str:
        """The type, with the values of a category where these are few and :attr:`meaning` does not name them."""
        told = len(self.values) > _MOST_VALUES or all(value in self.meaning for value in self.values)
        return _KINDS[self.kind][2] + ("" if told else f" ({', '.join(self.values)})")


@dataclass(frozen=True, slots=True, init=False)
class Table:
    """The columns of a frame, in order.

    Parameters
    ----------
    name : str
        What an error calls such a frame, with its article.
    *columns : Column

    Examples
    --------
    >>> table = Table("a list", Column("domain", "string", "domain"), Column("rows", "int64", "how often"))
    >>> table.frame({"rows": [1, 2], "domain": ["example.com", "example.org"]})
            domain  rows
    0  example.com     1
    1  example.org     2
    >>> len(table.empty())
    0
    """

    name: str
    columns: tuple[Column, ...]

    def __init__(self, name: str, *columns: Column) -> None:
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "columns", columns)

    def __iter__(self) -> Iterator[Column]:
        return iter(self.columns)

    def __getitem__(self, name: str) -> Column:
        try:
            return next(column for column in self.columns if column.name == name)
        except StopIteration:
            raise KeyError(f"{self.name} has no column {name}") from None

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(column.name for column in self.columns)

    @property
    def dtypes(self) -> dict[str, Any]:
        """Name -> pandas dtype."""
        return {column.name: column.dtype for column in self.columns}

    @property
    def arrow(self) -> pa.Schema:
        """The Arrow schema that converts without copying strings; categories are numbers of one byte."""
        return pa.schema([(column.name, column.arrow) for column in self.columns])

    def select(self, names: Iterable[str]) -> Table:
        """Return the table of some of the columns, in the order given."""
        return Table(self.name, *(self[name] for name in names))

    def without(self, *names: str) -> Table:
        """Return the table without some of the columns."""
        return self.select(name for name in self.names if name not in names)

    def empty(self) -> pd.DataFrame:
        """Return a frame of no rows."""
        return self._finished(
            pd.DataFrame({column.name: pd.Series(dtype=column.dtype) for column in self.columns})
        )

    def frame(self, data: pa.Table | pd.DataFrame | Mapping[str, Any] | Sequence[Any]) -> pd.DataFrame:
        """Return data as a frame of these columns, in their order and dtypes.

        Parameters
        ----------
        data : pyarrow.Table, pandas.DataFrame, mapping of columns, or sequence of rows
            With these columns and perhaps others, which are left out; a row is a tuple in the order of the columns, or
            a dict. Times without a zone are in UTC. Texts of an Arrow table are not copied.

        Raises
        ------
        TypeError
            If times are numbers, of which nobody knows whether they count seconds.
        """
        if isinstance(data, pa.Table):
            return self._of_arrow(data)
        named = isinstance(data, pd.DataFrame | dict)
        frame = pd.DataFrame(data) if named else pd.DataFrame(data, columns=list(self.names))
        frame = frame[list(self.names)]
        if frame.empty:
            return self.empty()
        times = [
            column.name
            for column in self.columns
            if column.kind == "timestamp" and frame[column.name].dtype != TIME
        ]
        for name in times:
            if frame[name].notna().any() and pd.api.types.infer_dtype(frame[name]) in _NUMBERS:
                raise TypeError(f"{name} holds numbers, and must hold times")
        frame = frame.assign(**{name: pd.to_datetime(frame[name], utc=True) for name in times})
        return self._finished(frame.astype(self.dtypes))

    def _of_arrow(self, table: pa.Table) -> pd.DataFrame:
        arrays = []
        for column in self.columns:
            values = table.column(column.name)
            arrays.append(values if pa.types.is_dictionary(values.type) else values.cast(column.arrow))
        mapped = {column.arrow: column.dtype for column in self.columns if column.kind in _MAPPED}
        frame: pd.DataFrame = pa.table(arrays, names=self.names).to_pandas(types_mapper=mapped.get)
        for column in self.columns:
            if frame[column.name].dtype != column.dtype:
                frame[column.name] = frame[column.name].astype(column.dtype)
        return self._finished(frame)

    def _finished(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Do what no dtype says: put the categories in their order, and have tags know their lists."""
        for column in self.columns:
            if column.kind == "tags":
                frame[column.name] = as_tags(frame[column.name])
            wanted = column.dtype.categories if column.kind == "category" else None  # None: whatever comes
            if wanted is not None and not wanted.equals(frame[column.name].cat.categories):
                frame[column.name] = frame[column.name].cat.set_categories(wanted)
        return frame

    def require(self, frame: Any, names: Iterable[str] | None = None) -> pd.DataFrame:
        """Return a frame of any library as one of pandas; raise one error that names every missing column.

        Parameters
        ----------
        frame : pandas.DataFrame, or that of another library
        names : iterable of str, optional
            Those that the caller is about to use, each a column of this table; all if not given.

        Raises
        ------
        FrameError
            If a column is missing; the message lists those that are there.
        """
        return require(frame, self.names if names is None else self.select(names).names, self.name, self)

    def bring(self, value: Any) -> pd.DataFrame | None:
        """Return a frame of any library as one of pandas, with the dtypes of these columns; None if it is no frame.

        Parameters
        ----------
        value : anything
        """
        return value if isinstance(value, pd.DataFrame) else _brought(value, self)

    def numpydoc(self, *, meanings: bool = True) -> str:
        """Return the columns as the section "Returns" of a docstring has them.

        Parameters
        ----------
        meanings : bool, default True
            A row per column with its meaning, else only names and types, one after the other.
        """
        return _table_of(self._alike()) if meanings else _list_of(self.columns)

    def _alike(self) -> list[tuple[list[str], str]]:
        """Return what each column is, together with the names of those that are the same."""
        found: dict[str, list[str]] = {}
        for column in self.columns:
            found.setdefault(f"{column.words}: {column.meaning}", []).append(column.name)
        return [(names, words) for words, names in found.items()]


def _table_of(rows: list[tuple[list[str], str]]) -> str:
    """Return a simple table of reStructuredText."""
    heads = [
        f"``{names[0]}`` … ``{names[-1]}``" if len(names) > 3 else ", ".join(f"``{name}``" for name in names)
        for names, _ in rows
    ]
    left = max(map(len, heads))
    texts = [textwrap.wrap(words, _WIDTH - left - 1) for _, words in rows]
    rule = f"{'=' * left} {'=' * max(len(line) for lines in texts for line in lines)}"
    lines = [
        f"{head if first else '':<{left}} {line}"
        for head, wrapped in zip(heads, texts, strict=True)
        for first, line in zip((True, *(False,) * len(wrapped)), wrapped, strict=False)
    ]
    return "\n".join([rule, *lines, rule])


def _list_of(columns: tuple[Column, ...]) -> str:
    """Return a paragraph, in which a type stands after the last of the columns that have it."""
    words = []
    for place, column in enumerate(columns):
        last = place + 1 == len(columns) or columns[place + 1].kind != column.kind
        end = "." if place + 1 == len(columns) else ","
        words.append(f"``{column.name}``" + (f" ({_KINDS[column.kind][2]})" if last else "") + end)
    return "\n".join(textwrap.wrap(" ".join(words), _WIDTH, break_on_hyphens=False))


def require(
    frame: Any, names: Iterable[str], what: str = "an event frame", columns: Iterable[Column] = ()
) -> pd.DataFrame:
    """Return a frame of any library as one of pandas; raise one error that names every missing column.

    This is the door: whatever is public and takes a frame brings it through here.

    Parameters
    ----------
    frame : pandas.DataFrame, polars.DataFrame, polars.LazyFrame, pyarrow.Table, duckdb.DuckDBPyRelation
        One of pandas is returned as it is, with its index; the rows of others get the numbers from 0.
    names : iterable of str
        Columns that the caller is about to use.
    what : str
        What the frame was expected to be, for the message.
    columns : iterable of Column
        Those that have dtypes of their own in such a frame.

    Raises
    ------
    FrameError
        If a column is missing, or it is no frame; the message says what it is, and what to do.
    """
    found = frame if isinstance(frame, pd.DataFrame) else _brought(frame, columns)
    if found is None:
        raise FrameError(
            _sentence(
                f"expected {what} (a pandas DataFrame), found {type(frame).__name__}",
                cure_of_thing(frame, what),
            )
        )
    names = list(names)
    if names and isinstance(found.columns, pd.MultiIndex):
        raise FrameError(
            f"{what} needs a name for each column, found a MultiIndex of columns; "
            "take one level of it: frame.columns = frame.columns.get_level_values(0)"
        )
    missing = [name for name in names if name not in found.columns]
    if missing:
        there = shown_titles(found.columns, most=30)
        raise FrameError(
            _sentence(
                f"{what} needs the columns {', '.join(map(str, missing))}", cure_of_frame(found.columns, what)
            )
            + f"; found: {there}"
        )
    if not found.columns.is_unique:
        twice = [name for name in names if list(found.columns).count(name) > 1]
        if twice:
            raise FrameError(
                f"{what} has the columns {', '.join(map(str, twice))} more than once; drop all but one of each"
            )
    return found


def _brought(frame: Any, columns: Iterable[Column]) -> pd.DataFrame | None:
    """Return a frame of another library as one of pandas; None if it is no frame."""
    table = arrow_of(frame)
    if table is None:
        return None
    return pandas_of(table, {column.name: (column.arrow, column.dtype) for column in columns})


def _sentence(problem: str, cure: str) -> str:
    return f"{problem}; {cure}" if cure else problem

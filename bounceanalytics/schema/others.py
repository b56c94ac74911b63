"""Frames of other libraries: polars, Arrow, DuckDB and whatever else narwhals knows, as pandas frames."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from bounceanalytics.schema.tags import as_tags, join_tags

if TYPE_CHECKING:
    import pandas as pd


#: How Arrow calls the index of a pandas frame, where it has no name.
_INDEX = "__index_level_"


def arrow_of(value: Any) -> pa.Table | None:
    """Return a frame of another library as an Arrow table, None if it is no frame.

    Parameters
    ----------
    value : polars.DataFrame, polars.LazyFrame, pyarrow.Table, duckdb.DuckDBPyRelation, or anything
    """
    if isinstance(value, pa.Table):
        return value
    if value is None or isinstance(value, (str, bytes, int, float, list, tuple, dict, os.PathLike)):
        return None
    import narwhals as nw  # noqa: PLC0415 - only whoever brings such a frame waits for it

    frame: Any = nw.from_native(value, pass_through=True)
    if isinstance(frame, nw.LazyFrame):
        frame = frame.collect("pyarrow")
    return frame.to_arrow() if isinstance(frame, nw.DataFrame) else None


def pandas_of(table: pa.Table, columns: dict[str, tuple[pa.DataType, Any]]) -> pd.DataFrame:
    """Return an Arrow table as a pandas frame, in which known columns have their own dtypes.

    Parameters
    ----------
    table : pyarrow.Table
    columns : dict of str to (pyarrow.DataType, dtype)
        Those that are known. What does not convert stays as it is, for those who use it to complain of.
    """
    table = table.select([name for name in table.column_names if not name.startswith(_INDEX)])
    arrays = [_plain(column) for column in table.columns]
    for place, name in enumerate(table.column_names):
        arrow, _ = columns.get(name, (None, None))
        if name == "tags" and name in columns and pa.types.is_nested(arrays[place].type):
            arrays[place] = pa.chunked_array([join_tags(arrays[place].to_pylist())])
        elif arrow is not None:
            arrays[place] = _cast(arrays[place], arrow.value_type if pa.types.is_dictionary(arrow) else arrow)
    frame: pd.DataFrame = pa.table(arrays, names=table.column_names).to_pandas(ignore_metadata=True)
    for name, (_, dtype) in columns.items():
        if name in frame.columns and frame[name].dtype != dtype:
            try:
                frame[name] = frame[name].astype(dtype)
            except (TypeError, ValueError):
                continue
    if "tags" in columns and "tags" in frame.columns:
        frame["tags"] = as_tags(frame["tags"])
    return frame


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column in the spelling that pandas takes: words spelled out, views as strings."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    view = pa.types.is_string_view(column.type) or pa.types.is_large_string(column.type)
    return column.cast(pa.large_string()) if view else column


def _cast(column: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    if pa.types.is_timestamp(kind) and not (pa.types.is_timestamp(column.type) and column.type.tz):
        return column  # of times without a zone nobody knows when they were
    try:
        return column.cast(kind, safe=not pa.types.is_timestamp(kind))
    except pa.ArrowException:
        return column

"""Tables that are no text: Parquet, Feather, ORC and Avro, lists and objects in their cells included."""

from __future__ import annotations

import importlib
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.ipc
import pyarrow.orc
import pyarrow.parquet

from bounceanalytics.database import literal
from bounceanalytics.errors import FormatError, MissingExtraError
from bounceanalytics.opening.csv import MOST_COLUMNS, too_wide

if TYPE_CHECKING:
    from collections.abc import Iterator

    import duckdb

    from bounceanalytics.loading.found import Layout
    from bounceanalytics.opening.sources import Source

#: Layout -> pattern of the first bytes of the file, and what a message calls it.
KINDS: dict[Layout, tuple[bytes, str]] = {
    "parquet": (rb"PAR1", "a Parquet file"),
    "feather": (rb"ARROW1", "a Feather file"),
    "orc": (rb"(?s)ORC(?=.*[\x00-\x08\x0e-\x1f])", "an ORC file"),  # ORCID may be the title of a column
    "avro": (rb"Obj\x01", "an Avro file"),
}
STORED = frozenset(KINDS)

_ROWS = 5_000  # at a time
_ALONE = "value"  # stands for the title of what is no row, but a text by itself


def layout_of(source: Source, head: bytes) -> Layout | None:
    """Return the layout of a file that is no text, by its first bytes; None if it is one, or is packed."""
    if source.packing != "none":
        return None
    return next((layout for layout, (magic, _) in KINDS.items() if re.match(magic, head)), None)


def title_of(layout: Layout) -> str:
    """Return what a message calls a file of a layout."""
    return KINDS[layout][1]


def columns_of(path: str, layout: Layout) -> list[str]:
    """Return the titles of the columns of such a file.

    Raises
    ------
    FormatError, MissingExtraError
        As for :func:`rows_of`.
    """
    with _opened(path, layout) as file:
        if layout == "avro":
            schema = file.writer_schema
            fields = schema.get("fields") if isinstance(schema, dict) else None
            names = [field["name"] for field in fields] if fields else [_ALONE]
        else:
            names = list((file.schema_arrow if layout == "parquet" else file.schema).names)
    if len(names) > MOST_COLUMNS:
        raise FormatError(f"is {too_wide(len(names))}")
    return names


def relation_of(path: str, layout: Layout, engine: duckdb.DuckDBPyConnection) -> tuple[list[str], str]:
    """Return the titles of such a file, and what a query calls its rows.

    Raises
    ------
    FormatError, MissingExtraError
        As for :func:`rows_of`.
    """
    titles = columns_of(path, layout)
    if layout == "parquet":
        return titles, f"read_parquet({literal(path)}, hive_partitioning = false)"
    if layout == "avro":
        rows = list(rows_of(path, layout))
        table = pa.table({title: _column([row.get(title) for row in rows]) for title in titles})
    else:
        with _opened(path, layout) as file:
            table = file.read_all() if layout == "feather" else file.read()
    engine.register("stored", table)
    return titles, '"stored"'


def _column(values: list[Any]) -> pa.Array:
    try:
        return pa.array(values)
    except pa.ArrowException:  # of several types
        return pa.array([None if value is None else str(value) for value in values], pa.large_string())


def rows_of(path: str, layout: Layout) -> Iterator[dict[str, Any]]:
    """Yield the rows of such a file by their titles, lists and objects as such.

    Raises
    ------
    FormatError
        Where it is damaged, when all rows before that have been given; the message goes on after its name.
    MissingExtraError
        If what reads it is not installed.
    """
    with _opened(path, layout) as file:
        rows = (
            file
            if layout == "avro"
            else (row for batch in _batches(file, layout) for row in batch.to_pylist())
        )
        for row in rows:
            cells = row if isinstance(row, dict) else {_ALONE: row}
            yield {title: _text(one) if isinstance(one, bytes) else one for title, one in cells.items()}


def _batches(file: Any, layout: Layout) -> Iterator[pa.RecordBatch]:
    if layout == "parquet":
        yield from file.iter_batches(batch_size=_ROWS)
    elif layout == "orc":
        yield from map(file.read_stripe, range(file.nstripes))
    else:
        yield from map(file.get_batch, range(file.num_record_batches))


def _text(value: bytes) -> str | bytes:
    """Return a text that was stored as bytes, as queues do; other bytes as they are."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value


@contextmanager
def _opened(path: str, layout: Layout) -> Iterator[Any]:
    """Open such a file for what is done with it; damage, wherever it shows, is one kind of error."""
    try:
        with pa.OSFile(path) as file:
            if layout == "parquet":
                yield pyarrow.parquet.ParquetFile(file)
            elif layout == "feather":
                yield pa.ipc.open_file(file)
            elif layout == "orc":
                yield pyarrow.orc.ORCFile(file)
            else:
                yield _avro().reader(file)
    except (MissingExtraError, MemoryError, GeneratorExit):
        raise
    # fastavro raises whatever its codecs and its reading of a damaged schema come upon
    except Exception as error:
        raise FormatError(f"is {title_of(layout)} that {_why(error)}") from None


def _avro() -> Any:
    try:
        return importlib.import_module("fastavro")
    except ImportError:
        raise MissingExtraError(
            "is an Avro file, and reading it needs fastavro; pip install 'bounceanalytics[avro]'"
        ) from None


def _why(error: Exception) -> str:
    packing = str(error).partition(" codec is supported but you need to install ")
    if packing[1]:
        return f"is packed with {packing[0]}, which needs {packing[2]}; pip install 'fastavro[codecs]'"
    return "is damaged; export it again"

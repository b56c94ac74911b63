"""Frames of this package, as pandas has saved them: CSV, Parquet, Feather or Excel, verdicts included.

Every value is taken as text, so that all four are read by one query and none of them can say more than another.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet

from bounceanalytics import schema
from bounceanalytics.database import literal
from bounceanalytics.loading.formats.format import identifier
from bounceanalytics.loading.formats.own_exports import FRAME
from bounceanalytics.loading.found import Found
from bounceanalytics.loading.normalise import ACCOUNT
from bounceanalytics.loading.times import STYLES, time_sql

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bounceanalytics.loading.found import Layout
    from bounceanalytics.opening.sources import Source

#: Layouts that are no text, by the first bytes of the file.
_MAGIC: dict[bytes, Layout] = {b"PAR1": "parquet", b"ARROW1": "feather", b"PK\x03\x04": "excel"}
STORED = frozenset(_MAGIC.values())

_ROWS = 5_000  # at a time

#: What tells that a frame was classified.
_VERDICT = "bounce_type"
#: Columns beside those of the schema: where a row came from, as the frame tells.
OWN_SOURCE, OWN_RECORD = "own_source", "own_record"


def layout_of(head: bytes) -> Layout | None:
    """Return the layout of a file that is no text, by its first bytes."""
    return next((layout for magic, layout in _MAGIC.items() if head.startswith(magic)), None)


def look(source: Source, head: bytes) -> Found | None:
    """Return what a file is that is no text; None if it is text, or cannot be opened."""
    layout = layout_of(head)
    if layout is None or source.packing != "none":
        return None
    try:
        header = tuple(map(_title, _titles(source.path, layout)))
    except (pa.ArrowException, OSError, ValueError):
        return None
    what = {"parquet": "a Parquet file", "feather": "a Feather file", "excel": "a workbook"}[layout]
    if FRAME.fits(header):
        return Found(FRAME, layout, FRAME.title, header=header)
    shown = tuple(title for title in header if title and "@" not in title)
    return Found(None, layout, f"{what} with the columns {', '.join(shown[:8])}", header=shown)


def _title(title: Any) -> str:
    return str(title).strip().lower()


def _titles(path: str, layout: Layout) -> list[Any]:
    if layout == "parquet":
        return list(pa.parquet.read_schema(path).names)
    if layout == "feather":
        with pa.OSFile(path) as file:
            return list(pa.ipc.open_file(file).schema.names)
    return next(_sheet(path), [])


def stored(path: str, layout: Layout) -> pa.Table | str:
    """Return the rows of such a file as a table with numbered columns, or as what the engine reads by itself."""
    if layout == "parquet":
        return f"read_parquet({literal(path)}, hive_partitioning = false)"
    if layout == "feather":
        with pa.OSFile(path) as file:
            return pa.ipc.open_file(file).read_all()
    rows = _sheet(path)
    titles = [f"c{place}" for place in range(len(next(rows, [])))]
    columns = list(zip(*rows, strict=True)) or [()] * len(titles)
    return pa.table([pa.array(map(_cell, column), pa.large_string()) for column in columns], names=titles)


def rows_of(path: str, layout: Layout) -> Iterator[dict[str, Any]]:
    """Yield the rows of such a file by their titles, lists and structs as such."""
    if layout == "excel":
        rows = _sheet(path)
        titles = list(map(str, next(rows, [])))
        for row in rows:
            yield dict(zip(titles, map(_cell, row), strict=True))
        return
    with pa.OSFile(path) as file:
        if layout == "parquet":
            batches = pyarrow.parquet.ParquetFile(file).iter_batches(batch_size=_ROWS)
        else:
            stored_ = pa.ipc.open_file(file)
            batches = map(stored_.get_batch, range(stored_.num_record_batches))
        for batch in batches:
            yield from batch.to_pylist()


def _sheet(path: str) -> Iterator[list[Any]]:
    """Yield the rows of the first sheet."""
    import python_calamine as calamine  # noqa: PLC0415 - few load workbooks

    try:
        with calamine.load_workbook(path) as book:
            yield from book.get_sheet_by_index(0).iter_rows()
    except (calamine.CalamineError, IndexError) as error:
        raise ValueError(str(error)) from error


def _cell(value: Any) -> str:
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return value.isoformat(sep=" ") if isinstance(value, datetime) else str(value)


# the query


def frame_sql(fields: str, header: tuple[str, ...], *, tolerant: bool) -> str:
    """Return the query that turns the texts of a frame into typed columns, beside the account of each record.

    Parameters
    ----------
    fields : str
        A query with a text for each column of a classified frame, and ``file``, ``head`` and ``bad``.
    header : tuple of str
        Columns that are there.
    tolerant : bool
        The query has the columns of :data:`bounceanalytics.loading.normalise.ACCOUNT`, too.
    """
    through = "".join(f", {name}" for name in ACCOUNT) if tolerant else ""
    classified = _VERDICT in header
    columns = schema.BOUNCE_COLUMNS if classified else schema.EVENT_COLUMNS
    told = [f"{_typed(column)} AS {identifier(_NAMES.get(column.name, column.name))}" for column in columns]
    known = {"event": schema.EVENTS, "provider": schema.PROVIDERS}
    wrong = " ".join(
        f"WHEN {name} IS NULL OR {name} NOT IN ({', '.join(map(literal, words))})"
        f" THEN 'its {name} is none that an event frame has'"
        for name, words in known.items()
    )
    everything = ", ".join(identifier(_NAMES.get(name, name)) for name in schema.EVENT_COLUMNS.names)
    typed = f"""SELECT file, head, bad{through}, CAST(NULL AS VARCHAR) AS ignored, {", ".join(told)},
            CASE WHEN bad IS NOT NULL THEN NULL {wrong} END AS problem
        FROM ({fields})"""
    # the style in which a time was written is no part of it
    return f"""SELECT *, hash('frame', timestamp // {STYLES}, {everything.replace('"timestamp", ', "")}) AS key
        FROM ({typed})"""


_NAMES = {"source": OWN_SOURCE, "record": OWN_RECORD}

#: Lists as earlier versions wrote them into CSV: ['spring' 'news'].
_QUOTED = r"'((?:[^'\\]|\\.)*)'"


def _typed(column: schema.Column) -> str:
    """Return SQL for the value of a column, from its text."""
    name = identifier(column.name)
    number = f"TRY_CAST({name} AS DOUBLE)"
    if column.name == "event":
        words = ", ".join(map(literal, schema.EVENTS))
        return f"TRY_CAST({name} AS ENUM({words}))"
    if column.name == "tags":
        pieces = f"to_json(regexp_extract_all({name}, {literal(_QUOTED)}, 1))"
        return f"CASE WHEN {name} LIKE '[''%' THEN CAST({pieces} AS VARCHAR) ELSE nullif({name}, '') END"
    if column.kind == "timestamp":
        return time_sql(name, "UTC")
    if column.kind == "bool":
        return f"coalesce(lower({name}) IN ('true', '1'), false)"
    kinds = {"Int16": "SMALLINT", "Int64": "BIGINT", "int64": "BIGINT", "float64": "DOUBLE"}
    if column.kind in kinds:
        return f"TRY_CAST({number} AS {kinds[column.kind]})"
    return f"nullif({name}, '')"

"""Classifying tables of what verdicts depend on, piece by piece: the rows as they came, each with its verdict."""

from __future__ import annotations

import collections
import contextlib
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

import bounceanalytics as ba
from bounceanalytics.cli.shell import frame_file, out, print_frame
from bounceanalytics.files import whole_file
from bounceanalytics.schema import VERDICT_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from bounceanalytics.cli.shell import Exports
    from bounceanalytics.loading.verdict_inputs import InputTable


def classify_tables(exports: Exports, tables: list[InputTable], path: str | None, *, overwrite: bool) -> None:
    """Classify the rows of tables, show how many have which reason, and write them, as many and in the same order.

    What is written is for a warehouse, which joins it to its events: every text is as it was, in CSV as well.

    Raises
    ------
    FormatError
        If a table is not right.
    """
    rules = exports.own_rules()
    if exports.provider:
        raise ba.FormatError(
            "--provider is for exports; a table of what verdicts depend on tells it row by row"
        )
    reasons: collections.Counter[Any] = collections.Counter()
    with _writer(path, overwrite=overwrite) as write:
        for table in tables:
            for piece in table.pieces():
                verdicts = ba.classify(table.events(piece), rules=rules)[list(VERDICT_COLUMNS.names)]
                reasons.update(
                    verdicts["reason"].astype(object).fillna("no failure").value_counts().to_dict()
                )
                write(_plain(piece, verdicts))
    counts = pd.DataFrame(reasons.most_common(), columns=["reason", "rows"])
    print_frame(counts, title="Reasons: distinct rows, each of which stands for one event or more")
    out.print(f"{reasons.total():,} rows classified" + (f", and written to {path}" if path else ""))


def _plain(piece: pa.Table, verdicts: pd.DataFrame) -> pa.Table:
    """Return rows with their verdicts in types that every warehouse loads; texts are texts, and no codes for them."""
    kept = [title for title in piece.column_names if title.strip().lower() not in VERDICT_COLUMNS.names]
    made = pa.Table.from_pandas(verdicts, preserve_index=False)
    columns = {
        name: table.column(name) for table in (piece.select(kept), made) for name in table.column_names
    }
    return pa.table({name: _unpacked(values) for name, values in columns.items()})


def _unpacked(values: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    wide = pa.types.is_large_string(values.type) or pa.types.is_string_view(values.type)
    return values.cast(pa.string()) if wide or pa.types.is_null(values.type) else values


@contextlib.contextmanager
def _writer(path: str | None, *, overwrite: bool) -> Iterator[Callable[[pa.Table], None]]:
    """Yield what adds rows to a file, which is there when all of them are; without a path, nothing is written."""
    if path is None:
        yield lambda _: None
        return
    target = frame_file(path)
    with whole_file(target, overwrite=overwrite) as part, contextlib.ExitStack() as stack:
        begun: Any = None
        schema: Any = None

        def write(rows: pa.Table) -> None:
            nonlocal begun, schema
            if begun is None:
                schema = rows.schema
                begun = stack.enter_context(_file(part, target.suffix, schema, stack))
            begun.write_table(rows.cast(schema))

        yield write


def _file(part: Path, suffix: str, schema: pa.Schema, stack: contextlib.ExitStack) -> Any:
    if suffix == ".parquet":
        # what Arrow would add tells of its own types, and is of no use to others
        return pa.parquet.ParquetWriter(part, schema, compression="zstd", store_schema=False)
    packing = "gzip" if suffix == ".gz" else None
    return pa.csv.CSVWriter(stack.enter_context(pa.output_stream(part, packing)), schema)

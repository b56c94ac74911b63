"""Difference of two cleaning runs: who moved, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

from bounceanalytics.addresses import normal_form
from bounceanalytics.cleaning.lists import record_blocks
from bounceanalytics.cleaning.manifest import Run, open_run
from bounceanalytics.cleaning.result import KEPT, PARTS, Cleaning
from bounceanalytics.database import open_database, run_statements
from bounceanalytics.schema import DIFF_COLUMNS

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    import duckdb
    import pandas as pd
    from numpy.typing import NDArray

_RUNS = ("before", "after")
_MEMORY = "1GiB"  # for the engine; what goes beyond is on disk


def diff(
    run1: Cleaning | str | os.PathLike[str],
    run2: Cleaning | str | os.PathLike[str],
    *,
    addresses: bool = False,
) -> pd.DataFrame:
    r"""List the addresses that a second run put elsewhere than the first one, and why.

    Parameters
    ----------
    run1, run2 : Cleaning or path
        Results of :func:`bounceanalytics.clean`, or their folders; the earlier one first.
    addresses : bool, default False
        Whether to show whole addresses, in a column ``address`` after ``domain``.

    Returns
    -------
    pandas.DataFrame
        One row per row of a list that is in another part, or only in one of the lists, in the order of the first list;
        without ``address`` unless ``addresses`` is True.

        ================= =======================================================================
        ``domain``        string: domain of the address
        ``address``       string: in normal form
        ``row_before``    Int64: number in the first list, from 1; missing where it is not in it
        ``row_after``     Int64: number in the second list, from 1; missing where it is not in it
        ``part_before``   string: where the first run put it
        ``part_after``    string: where the second run put it
        ``reason_before`` string: why, by the first run; missing where it was kept
        ``reason_after``  string: why, by the second run; missing where it was kept
        ``why``           string: a sentence
        ================= =======================================================================

    Raises
    ------
    SourceError
        If there is no run, or a file of it is missing.
    FormatError
        If a file of a run was changed, or another version wrote it.

    See Also
    --------
    restore : Give rows back.

    Notes
    -----
    Addresses are compared in normal form; of rows that repeat an address, the first with the first, and so on. The two
    lists may differ in their columns, order and encoding.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from bounceanalytics import schema
    >>> from bounceanalytics.cleaning import clean
    >>> nothing = schema.BOUNCE_COLUMNS.empty()
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     first = clean(b"email\nann@example.com\n", nothing, Path(folder) / "first")
    ...     second = clean(b"email\nann@example.com\nbo@example.org\n", nothing, Path(folder) / "second")
    ...     print(diff(first, second)[["domain", "row_after", "why"]].to_string(index=False))
         domain  row_after                           why
    example.org          2 only in the second list, kept
    """
    runs = dict(zip(_RUNS, map(open_run, (run1, run2)), strict=True))
    with open_database(memory_limit=_MEMORY) as database:
        database.execute(f"CREATE TYPE part AS ENUM ({', '.join(map(repr, PARTS))})")
        for name, run in runs.items():
            _gather(database, name, run)
        run_statements(database, "cleaning", "moved")
        moved = database.sql("FROM moved").to_arrow_table()
    return (DIFF_COLUMNS if addresses else DIFF_COLUMNS.without("address")).frame(moved)


def _gather(database: duckdb.DuckDBPyConnection, name: str, run: Run) -> None:
    """Make the tables of a run: its rows with address and part, and what is known of those that were not kept."""
    database.execute(
        f"""CREATE TEMP TABLE {name}_lines AS
            SELECT row, part, domain, reason, code, decided_at AT TIME ZONE 'UTC' AS decided_at
            FROM read_parquet($path, hive_partitioning = false)""",
        {"path": str(run.file("rows"))},
    )
    database.execute(f"CREATE TEMP TABLE {name}_rows (row UINTEGER, part part, address VARCHAR)")
    numbers = _numbers(run)
    for number, part in enumerate(PARTS):
        at = 0
        for cells in _addresses(run, part):
            rows = numbers[number][at : at + len(cells)]
            at += len(cells)
            chunk = pa.table({"row": rows, "address": normal_form(cells)})
            database.register("chunk", chunk)
            database.execute(
                f"INSERT INTO {name}_rows SELECT row, '{part}', coalesce(address, '') FROM chunk"
            )
            database.unregister("chunk")


def _numbers(run: Run) -> list[NDArray[np.int64]]:
    """Return the numbers of the rows of each part."""
    table = pyarrow.parquet.read_table(run.file("rows"), columns=["row", "part"])
    rows, part = table["row"].to_numpy(), table["part"].to_numpy()
    kept = np.ones(run.manifest["rows"]["input"], dtype=bool)
    kept[rows - 1] = False
    return [
        np.flatnonzero(kept) + 1 if number == KEPT else rows[part == number] for number in range(len(PARTS))
    ]


def _addresses(run: Run, part: str) -> Iterator[pa.Array]:
    """Yield the cells with the addresses of a part."""
    path = run.file(part)
    index = pyarrow.parquet.read_table(run.file("rows"), columns=["part", "written"])
    written = index["written"].filter(pc.equal(index["part"], list(PARTS).index(part)))
    rows = pc.sum(written).as_py() or 0
    head = run.head_length if part == "kept" else path.stat().st_size - rows
    with path.open("rb") as file:
        file.seek(head)
        for records in record_blocks(file, run.dialect, path.name):
            yield records.cell(run.dialect.address, run.dialect.encoding)

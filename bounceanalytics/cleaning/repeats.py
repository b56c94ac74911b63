"""Repeated addresses of a list, found in memory that does not grow with the list."""

from __future__ import annotations

import tempfile
from typing import IO, TYPE_CHECKING, Self

import numpy as np
import pandas as pd
import pyarrow as pa

from bounceanalytics.database import literal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import duckdb
    from numpy.typing import NDArray

    UInt64s = NDArray[np.uint64]
    Int64s = NDArray[np.int64]

_AT_ONCE = 1 << 20  # hashes looked at at a time

_ENTRY = np.dtype([("hash", "u8"), ("row", "u4")])


class Repeats:
    """Remembers the addresses of a list, as 64 bits each, in a file that goes with it.

    Rows are compared by these bits: in ten million rows, the odds that two different addresses count as one are 1 to
    370,000. Nothing but the report on repeated rows depends on it.

    Parameters
    ----------
    folder : Path
        Where there is room for 12 bytes for each row.
    """

    def __init__(self, folder: Path) -> None:
        self._file: IO[bytes] = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed on exit
        self._count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, hashes: UInt64s, rows: Int64s) -> None:
        """Remember the hashes of addresses, and the numbers of their rows."""
        entries = np.empty(len(rows), dtype=_ENTRY)
        entries["hash"], entries["row"] = hashes, rows
        self._file.write(entries.tobytes())
        self._count += len(rows)

    def write(self, database: duckdb.DuckDBPyConnection, path: Path) -> int:
        """Write columns ``row`` and ``first_row`` of the rows that repeat an earlier one as CSV; return how many."""
        database.execute("CREATE TEMP TABLE repeats (row UINTEGER, first_row UINTEGER)")
        classes = np.uint64(self._count // _AT_ONCE + 1)
        for number in range(int(classes)):  # equal hashes are in one class; one class is in memory at a time
            entries = np.concatenate(
                [block[block["hash"] % classes == number] for block in self._blocks()]
                or [np.empty(0, _ENTRY)]
            )
            repeats = _repeats(entries["hash"].copy(), entries["row"].copy())
            database.register("found", repeats)
            database.execute("INSERT INTO repeats FROM found")
            database.unregister("found")
        database.execute(f"COPY (FROM repeats ORDER BY row) TO {literal(str(path))} (HEADER, DELIMITER ',')")
        ((count,),) = database.sql("SELECT count(*) FROM repeats").fetchall()
        return int(count)

    def _blocks(self) -> Iterator[NDArray[np.void]]:
        self._file.seek(0)
        while data := self._file.read(_AT_ONCE // 4 * _ENTRY.itemsize):
            yield np.frombuffer(data, dtype=_ENTRY)


def _repeats(hashes: UInt64s, rows: NDArray[np.uint32]) -> pa.Table:
    """Return the rows that repeat an earlier one; rows are in their order."""
    ordered = np.sort(hashes)
    repeated = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    place = pd.Index(repeated).get_indexer(pd.Index(hashes))
    hit = place >= 0
    place, rows = place[hit], rows[hit]
    first = np.zeros(len(repeated), dtype=np.uint32)
    first[place[::-1]] = rows[::-1]  # the earliest is written last, and stays
    again = first[place] != rows
    return pa.table({"row": rows[again], "first_row": first[place[again]]})

"""A share of the addresses gathered from all slices, each event once, and the account of all.

All copies of an event have one address, so that the shares can be freed of them one by one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet

from bounceanalytics.files import place, publish
from bounceanalytics.loading.converting import PARQUET, SCHEMA, account_from
from bounceanalytics.loading.copies import repeated_among
from bounceanalytics.loading.slicing import KEY_COLUMNS, rows_of
from bounceanalytics.temporary import temporary_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from bounceanalytics.loading.account import Account
    from bounceanalytics.loading.slices import Options, Slice
    from bounceanalytics.loading.slicing import Made

_FILE = 32  # bits behind the number of a slice, for the file in it


@dataclass
class Share:
    """What became of a share of the addresses: rows by slice and file, and the records of several rows in it."""

    rows: int = 0
    copies: int = 0
    # by slice and file: records of one row that are new, and that repeat one
    fresh: dict[int, int] = field(default_factory=dict)
    again: dict[int, int] = field(default_factory=dict)
    # slice and file, record, whether a row of it is new: of records whose rows may lie in several shares
    several: NDArray[np.int64] = field(default_factory=lambda: np.empty((0, 3), np.int64))


def merge_share(share: int, made: Sequence[Made], out: str, options: Options) -> Share:
    """Write the part of a dataset with the rows of a share of the addresses, each event once; the first copy stays.

    Parameters
    ----------
    share : int
    made : sequence of Made
        All slices, in their order.
    out : str
        Folder of the dataset.
    options : Options
    """
    home = place(out)
    tables, origin, before = [], [], []
    for number, one in enumerate(made):
        if (table := rows_of(share, one, home)) is None:
            continue
        tables.append(table)
        origin.append(np.full(len(table), number, np.int64))
        before.append(np.full(len(table), one.before, np.int64))
    result = Share()
    if not tables:
        return result
    table = pa.concat_tables(tables)
    record = table["record"].to_numpy() + np.concatenate(before)
    table = table.set_column(table.schema.get_field_index("record"), "record", pa.array(record))
    keys = table.select(list(KEY_COLUMNS))
    again = repeated_among(keys) if options.deduplicate else np.zeros(len(table), bool)
    file = np.concatenate(origin) << _FILE | table["file"].to_numpy()
    several = table["several"].to_numpy()
    for found, which in ((result.fresh, ~several & ~again), (result.again, ~several & again)):
        files, counts = np.unique(file[which], return_counts=True)
        found |= dict(zip(files.tolist(), counts.tolist(), strict=True))
    result.several = np.stack([file, record, ~again], 1)[several]
    result.copies = int(again.sum())
    kept = table.select(SCHEMA.names).filter(pa.array(~again))
    result.rows = len(kept)
    if result.rows:
        width = len(str(options.partitions - 1))
        with temporary_folder() as folder:
            part = Path(folder, "part.parquet")
            with pa.parquet.ParquetWriter(part, SCHEMA, **PARQUET) as writer:
                writer.write_table(kept.cast(SCHEMA), row_group_size=100_000)
            publish(part, home / f"partition={share:0{width}d}" / "part-00001.parquet")
    return result


def accounts_of(slices: Sequence[Slice], made: Sequence[Made], shares: Iterable[Share]) -> list[Account]:
    """Return the account of each file, from those of its slices and what became of their rows."""
    found: dict[tuple[str, str], Account] = {}
    of: dict[int, Account] = {}
    for number, (one, what) in enumerate(zip(slices, made, strict=True)):
        for at, (facts, piece) in enumerate(what.accounts):
            account = account_from(facts)
            known = found.setdefault((one.pieces[piece].path, account.source), account)
            if known is not account:
                known.add(account)
            of[number << _FILE | at] = known
    records: list[NDArray[np.int64]] = []
    for share in shares:
        for file, count in share.fresh.items():
            of[file].rows += count
            of[file].loaded += count
        for file, count in share.again.items():
            of[file].ignore("duplicate", count)
        records.append(share.several)
    if records:
        _settle_several(np.concatenate(records), of)
    return list(found.values())


def _settle_several(rows: NDArray[np.int64], of: dict[int, Account]) -> None:
    """Count the records whose rows lie in several shares; one without a new row is a duplicate."""
    if not len(rows):
        return
    records, of_row = np.unique(rows[:, :2], axis=0, return_inverse=True)
    fresh = np.bincount(of_row.ravel(), rows[:, 2], minlength=len(records)).astype(np.int64)
    for (file, _), count in zip(records.tolist(), fresh.tolist(), strict=True):
        of[file].rows += count
        if count:
            of[file].loaded += 1
        else:
            of[file].ignore("duplicate", 1)

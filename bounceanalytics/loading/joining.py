"""Joining the rows of all files, in their order and each event once, with the account of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from bounceanalytics import schema
from bounceanalytics.loading import copies
from bounceanalytics.loading.normalise import to_frame
from bounceanalytics.loading.result import Duplicates, Load

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bounceanalytics.loading.account import Account, Batch
    from bounceanalytics.loading.reading import Reader

_BLOCK = 65_536


def result_of(reader: Reader, batches: list[Batch], *, deduplicate: bool) -> Load:
    """Return what was read, as one frame with its accounts."""
    events, dropped, before = _join(batches, reader.accounts, deduplicate=deduplicate)
    files, ignored = account_frames(reader.accounts)
    return Load(events, files, rejects_frame(reader.rejects), ignored, Duplicates(dropped, before))


def account_frames(accounts: Iterable[Account]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the table of files and the table of ignored records."""
    files = [
        (
            one.source,
            one.provider,
            one.form,
            one.records,
            one.loaded,
            sum(one.ignored.values()),
            one.rejected,
            one.rows,
            one.times,
            "; ".join(dict.fromkeys([*one.notes, *one.row_notes])),
        )
        for one in accounts
    ]
    ignored = [
        (one.source, reason, count) for one in accounts for reason, count in one.ignored.items() if count
    ]
    return schema.FILE_COLUMNS.frame(files), schema.IGNORED_COLUMNS.frame(ignored)


def rejects_frame(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """Return the rejected records of all files as one frame."""
    return schema.REJECT_COLUMNS.frame(pd.concat(parts, ignore_index=True) if parts else [])


def _join(
    batches: list[Batch], accounts: list[Account], *, deduplicate: bool
) -> tuple[pd.DataFrame, int, int]:
    """Put the rows of all files together, in the order of the files, each event once."""
    if not batches:
        return schema.EVENT_COLUMNS.empty(), 0, 0
    classified = all("bounce_type" in batch.table.column_names for batch in batches if len(batch.table))
    tables = [batch.table if classified else without_verdicts(batch.table) for batch in batches]
    table = pa.concat_tables(tables, promote_options="default")
    account = np.concatenate([batch.account for batch in batches])
    record = np.concatenate([batch.record for batch in batches])
    keys = pa.concat_tables([batch.keys for batch in batches])
    if (account[1:] < account[:-1]).any():  # files of other formats, or read with care, came between
        order = pa.array(np.argsort(account, kind="stable"))
        table, keys = table.take(order), keys.take(order)
        account, record = account[order], record[order]
    before = len(table)
    repeated = np.zeros(before, bool)
    if deduplicate and before:
        repeated = copies.repeated_among(keys)
    _settle(account, record, repeated, accounts)
    if repeated.any():
        kept = ~repeated
        table, account, record = table.filter(pa.array(kept)), account[kept], record[kept]
    return to_frame(with_places(table, _names(accounts, account), record)), int(repeated.sum()), before


def without_verdicts(table: pa.Table) -> pa.Table:
    """Return rows without what an earlier classification said of them."""
    there = [name for name in table.column_names if name in schema.VERDICT_COLUMNS.names]
    return table.drop_columns(there) if there else table


def with_places(table: pa.Table, source: Any, record: np.ndarray[Any, Any]) -> pa.Table:
    """Return rows with file and number of their records; what a saved frame tells of itself counts."""
    places = {"source": source, "record": pa.array(record)}
    for name, values in places.items():
        own = f"own_{name}"
        if own in table.column_names:
            places[name] = pc.coalesce(table[own].cast(values.type), values)
            table = table.drop_columns(own)
    return table.append_column("source", places["source"]).append_column("record", places["record"])


def _names(accounts: list[Account], account: np.ndarray[Any, Any]) -> pa.ChunkedArray:
    """Return the source of each row; rows of a file follow one another, in the order of the files."""
    chunks: list[pa.Array] = []
    for one, count in zip(accounts, np.bincount(account, minlength=len(accounts)).tolist(), strict=True):
        # the same block stands for all rows of a file, so that a long name is not written a million times
        block = pa.repeat(pa.scalar(one.source, pa.large_string()), min(count, _BLOCK))
        chunks += [block] * (count // _BLOCK)
        if count % _BLOCK:
            chunks.append(block.slice(0, count % _BLOCK))
    return pa.chunked_array(chunks, pa.large_string())


def _settle(
    account: np.ndarray[Any, Any],
    record: np.ndarray[Any, Any],
    repeated: np.ndarray[Any, Any],
    accounts: list[Account],
) -> None:
    """Count rows and loaded records of each file; a record without a new row is a duplicate."""
    if not len(account):
        return
    first = np.r_[True, (account[1:] != account[:-1]) | (record[1:] != record[:-1])]
    size = len(accounts)
    if first.all():  # a row a record
        of, fresh = account, ~repeated
    else:
        starts = np.flatnonzero(first)
        of, fresh = account[starts], np.add.reduceat((~repeated).astype(np.int64), starts)
    rows = np.bincount(of, fresh, minlength=size).astype(np.int64)
    loaded = np.bincount(of[fresh > 0], minlength=size)
    copies = np.bincount(of[fresh == 0], minlength=size)
    for place in np.flatnonzero(np.bincount(account, minlength=size)):
        accounts[place].rows += int(rows[place])
        accounts[place].loaded += int(loaded[place])
        if copies[place]:
            accounts[place].ignore("duplicate", int(copies[place]))

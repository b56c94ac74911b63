"""A slice turned into one Parquet file, by itself, on any machine, in any order.

The file holds its rows in groups by a share of the addresses, with the keys that tell copies and the account of its
records. It is there whole or not at all; what is there need not be made again.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet

from bounceanalytics.addresses import normal_form
from bounceanalytics.datasets import STATE
from bounceanalytics.files import place, publish
from bounceanalytics.loading.account import Account, account_of_source
from bounceanalytics.loading.converting import SCHEMA, facts_of
from bounceanalytics.loading.finding import find
from bounceanalytics.loading.joining import rejects_frame, with_places, without_verdicts
from bounceanalytics.loading.normalise import OWNERS, to_events
from bounceanalytics.loading.reading import Reader, notes, open_engine
from bounceanalytics.loading.slices import fetched
from bounceanalytics.opening.places import Given
from bounceanalytics.opening.sources import open_given
from bounceanalytics.temporary import temporary_folder

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from bounceanalytics.loading.account import Batch
    from bounceanalytics.loading.found import Found
    from bounceanalytics.loading.slices import Options, Piece, Slice
    from bounceanalytics.opening.sources import Source

_MEMORY = "384MB"  # of the engine, for each slice that is being read
_ABOUT = b"bounceanalytics"

# what is read once, soon
_PASSING: dict[str, Any] = {"compression": "lz4", "use_dictionary": False, "write_statistics": False}
_ROW_COLUMNS = {"file": pa.int32(), "several": pa.bool_()}
#: What tells copies of an event.
KEY_COLUMNS = {name: pa.uint64() for name in ("key", *OWNERS)}


@dataclass(frozen=True)
class Made:
    """What became of a slice.

    Attributes
    ----------
    name : str
        Name of its file.
    shares : list of int
        The share of the addresses that each group of rows in it belongs to.
    accounts : list of (dict, int)
        Account of each file, and the piece that it is of.
    text : int
        Bytes of a range of a file, unpacked.
    before, text_before : int
        Records of the same file before a range of it, and bytes.
    """

    name: str
    shares: list[int]
    accounts: list[tuple[dict[str, Any], int]]
    text: int
    before: int = 0
    text_before: int = 0


def convert_slice(one: Slice, out: str, options: Options) -> Made:
    """Write the rows of a slice to a file, in groups by share of the addresses.

    Nothing else is read or written, so that any machine may do it, also twice. What is there already stays.
    """
    target = one.file(place(out), options)
    if not target.exists():
        _make(one, target, options)
    with target.open("rb") as stream:
        about = _about(pa.parquet.ParquetFile(stream))
    accounts = list(zip(about["accounts"], about["places"], strict=True))
    return Made(target.name, about["shares"], accounts, about["text"])


def in_their_files(slices: Sequence[Slice], made: Sequence[Made]) -> list[Made]:
    """Return what became of slices, with what stands before each range of a file."""
    done, records, text = [], 0, 0
    for one, what in zip(slices, made, strict=True):
        if not one.pieces[0].start:  # the ranges of a file follow one another
            records = text = 0
        done.append(replace(what, before=records, text_before=text))
        records += int(what.accounts[0][0]["records"])
        text += what.text
    return done


def _make(one: Slice, target: Path, options: Options) -> None:
    threads = {"threads": str(options.threads)} if options.threads else {}
    with (
        temporary_folder() as folder,
        open_engine("16MB", memory_limit=_MEMORY, **threads) as engine,
    ):
        read = _Read(options, engine, folder)
        for number, piece in enumerate(one.pieces):
            read.add(number, piece)
        part = Path(folder, "slice.parquet")
        read.write(part)
        if read.rejects:
            rejects = Path(folder, "rejects.parquet")
            pa.parquet.write_table(
                pa.Table.from_pandas(rejects_frame(read.rejects), preserve_index=False), rejects
            )
            publish(rejects, _rejects_of(target))
        publish(part, target)


def _rejects_of(file: Path) -> Path:
    return file.with_name(file.name.replace("slice-", "rejects-", 1))


class _Read:
    """What has been read of a slice."""

    def __init__(self, options: Options, engine: Any, folder: str) -> None:
        self._options, self._engine, self._folder = options, engine, folder
        self.accounts: list[Account] = []
        self.places: list[int] = []  # the piece that each account is of
        self.rows: list[pa.Table] = []
        self.text = 0
        self._reader = Reader(self.accounts, options.timezone or "UTC", "collect", engine, options.dayfirst)

    @property
    def rejects(self) -> list[pd.DataFrame]:
        """The rejected records."""
        return self._reader.rejects

    def add(self, number: int, piece: Piece) -> None:
        """Read a piece."""
        given = Given(piece.name, Path(piece.path), piece.alone, problem=piece.problem)
        if not piece.problem:
            given = replace(given, path=fetched(piece, self._folder))
        # what has to be looked for in each line is not read by the engine, which tells of holes
        wrapped = piece.found is not None and piece.found.wrapped
        sources = open_given(given, self._folder, later=not wrapped)
        accounts = [account_of_source(one) for one in sources]
        if piece.found and piece.found.format:
            accounts[0].provider, accounts[0].form = piece.found.format.provider, piece.found.form
            known = [(0, sources[0], piece.found)]
        else:
            known = find(sources, accounts, self._options.provider, self._folder)
        if piece.found:
            self.text = Path(given.path).stat().st_size
        before = len(self.accounts)
        self.accounts += accounts
        self.places += [number] * len(accounts)
        for at, source, found in known:
            self._fill(before + at, source, found)

    def _fill(self, at: int, source: Source, found: Found) -> None:
        """Keep the rows of a file."""
        batches: list[Batch] = []
        known = len(self.rejects)
        for batch in self._reader.stream(at, source, found, self._folder):
            if batch is None:
                batches.clear()
                del self.rejects[known:]
            elif len(batch.table):
                batches.append(batch)
        account = self.accounts[at]
        account.notes += notes(source, found, account.records)
        record = np.concatenate([batch.record for batch in batches] or [np.empty(0, np.int64)])
        same = record[1:] == record[:-1]
        several = (np.r_[False, same] | np.r_[same, False])[: len(record)]
        start = 0
        for batch in batches:
            size = len(batch.table)
            name = pa.repeat(pa.scalar(account.source, pa.large_string()), size)
            table = to_events(with_places(without_verdicts(batch.table), name, batch.record)).cast(SCHEMA)
            more = {
                **dict(zip(batch.keys.column_names, batch.keys.columns, strict=True)),
                "file": pa.array(np.full(size, at, np.int32)),
                "several": pa.array(several[start : start + size]),
            }
            for column, values in more.items():
                table = table.append_column(column, values)
            self.rows.append(table)
            start += size

    def write(self, path: Path) -> None:
        """Write the rows, a group for each share of the addresses that has some."""
        table = pa.concat_tables(self.rows) if self.rows else _EMPTY.empty_table()
        share = self._shares(table)
        order = np.argsort(share, kind="stable")
        table, share = table.take(pa.array(order)), share[order]
        there, starts = np.unique(share, return_index=True)
        about = {
            "shares": there.tolist(),
            "accounts": [facts_of(one) for one in self.accounts],
            "places": self.places,
            "text": self.text,
        }
        arrow = _EMPTY.with_metadata({_ABOUT: json.dumps(about).encode()})
        with pa.parquet.ParquetWriter(path, arrow, **_PASSING) as writer:
            for start, stop in pairwise([*starts, len(table)]):
                writer.write_table(
                    table.slice(start, stop - start).cast(_EMPTY), row_group_size=max(1, stop - start)
                )

    def _shares(self, table: pa.Table) -> NDArray[np.int64]:
        """Return the share of the addresses that each row belongs to; copies of an event belong to one."""
        if self._options.partitions == 1 or not len(table):
            return np.zeros(len(table), np.int64)
        address = normal_form(table["recipient"].cast(pa.large_string()).combine_chunks())
        self._engine.register("shared", pa.table({"address": address}))
        # events without an address lie together, since those of one message make one outcome
        told = "CASE WHEN address <> '' THEN hash(address) ELSE 0 END"
        query = f"SELECT ({told} % $n)::BIGINT AS n FROM shared"
        found = self._engine.sql(query, params={"n": self._options.partitions}).to_arrow_table()
        self._engine.unregister("shared")
        shares: NDArray[np.int64] = found["n"].to_numpy()
        return shares


_EMPTY = pa.schema(
    [*SCHEMA, *(pa.field(name, kind) for name, kind in {**KEY_COLUMNS, **_ROW_COLUMNS}.items())]
)


def rows_of(share: int, one: Made, out: Path) -> pa.Table | None:
    """Return the rows of a share of the addresses in the file of a slice; None where it has none."""
    if share not in one.shares:
        return None
    with (out / STATE / "slices" / one.name).open("rb") as stream:
        return pa.parquet.ParquetFile(stream).read_row_group(one.shares.index(share))


def rejects_of(out: Path, made: Sequence[Made]) -> list[pd.DataFrame]:
    """Return the rejected records of slices."""
    found = []
    for one in made:
        path = _rejects_of(out / STATE / "slices" / one.name)
        if path.exists():
            with path.open("rb") as stream:
                rejects = pa.parquet.read_table(stream).to_pandas()
            offset = rejects["offset"].where(rejects["offset"] < 0, rejects["offset"] + one.text_before)
            found.append(rejects.assign(record=rejects["record"] + one.before, offset=offset))
    return found


def _about(file: pa.parquet.ParquetFile) -> dict[str, Any]:
    about: dict[str, Any] = json.loads(file.schema_arrow.metadata[_ABOUT])
    return about

"""Slices: bounded pieces of any amount of exports, each turned into Parquet by itself, on any machine, in any order.

A slice is a range of the bytes of one large file, or a group of small files. What becomes of it is one file: its rows
in groups by a share of the addresses, with the keys that tell copies and the account of its records. All copies of an
event have one address, so that the shares can be freed of them one by one. A file is there whole or not at all; what is
there need not be made again.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet

from bounceanalytics.addresses import normal_form
from bounceanalytics.datasets import STATE
from bounceanalytics.errors import BounceAnalyticsError, SourceError
from bounceanalytics.files import place, publish
from bounceanalytics.loading.account import Account
from bounceanalytics.loading.converting import PARQUET, SCHEMA, account_from, facts_of
from bounceanalytics.loading.copies import repeated_among
from bounceanalytics.loading.finding import find
from bounceanalytics.loading.joining import rejects_frame, with_places, without_verdicts
from bounceanalytics.loading.normalise import OWNERS, to_events
from bounceanalytics.loading.reading import Reader, notes, open_engine
from bounceanalytics.opening.archives import shown
from bounceanalytics.opening.encodings import is_settled
from bounceanalytics.opening.places import Given, given_files, is_url, listed_url, reason
from bounceanalytics.opening.sources import Source, open_given

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import IO

    import pandas as pd
    from numpy.typing import NDArray

    from bounceanalytics.loading.account import Batch
    from bounceanalytics.loading.found import Found

_MEMORY = "384MB"  # of the engine, for each slice that is being read
_COPIED = 4 * 1024**2  # bytes of a range at a time
_HEAD = 64 * 1024
_ABOUT = b"bounceanalytics"
_FILE = 32  # bits behind the number of a slice, for the file in it

# what is read once, soon
_PASSING: dict[str, Any] = {"compression": "lz4", "use_dictionary": False, "write_statistics": False}
_ROW_COLUMNS = {"file": pa.int32(), "several": pa.bool_()}
_KEY_COLUMNS = {name: pa.uint64() for name in ("key", *OWNERS)}


@dataclass(frozen=True)
class Piece:
    """A file, or the lines that begin in a range of its bytes.

    Attributes
    ----------
    name : str
        What the ``source`` column says.
    path : str
        A path that every worker can read, or a URL.
    size : int
        Bytes of it.
    stamp : str
        What changes when the file does.
    alone : bool
        The caller named this very file, so that it must be an export.
    problem : str
        Why it cannot be read.
    start, stop : int
        The range; all of the file where ``found`` is missing.
    found : Found, optional
        What the whole file is, of which this is a range.
    """

    name: str
    path: str
    size: int
    stamp: str = ""
    alone: bool = True
    problem: str = ""
    start: int = 0
    stop: int = 0
    found: Found | None = None


@dataclass(frozen=True)
class Slice:
    """Pieces that are read one after the other, as one part of the work; ``number`` says which in their order."""

    number: int
    pieces: tuple[Piece, ...]

    @property
    def size(self) -> int:
        """Bytes of it."""
        return sum(piece.stop - piece.start if piece.found else piece.size for piece in self.pieces)

    def file(self, out: Path, options: Options) -> Path:
        """Return where its rows are written; another place for other content or options."""
        pieces = [(one.name, one.path, one.size, one.stamp, one.start, one.stop) for one in self.pieces]
        told = json.dumps([pieces, options.facts], sort_keys=True)
        digest = hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:16]
        return out / STATE / "slices" / f"slice-{self.number:06d}-{digest}.parquet"


@dataclass(frozen=True)
class Options:
    """How slices are read."""

    provider: str | None = None
    deduplicate: bool = True
    timezone: str | None = None
    dayfirst: bool | None = None
    partitions: int = 1
    threads: int = 0  # of the engine; as many as there are cores if 0

    @property
    def facts(self) -> dict[str, Any]:
        """What the rows depend on, as plain values."""
        return {
            "provider": self.provider,
            "deduplicate": self.deduplicate,
            "timezone": self.timezone,
            "dayfirst": self.dayfirst,
            "partitions": self.partitions,
        }


# what to do


def slices_of(source: Any, size: int, provider: str | None = None) -> list[Slice]:
    """Return the slices of files, of about so many bytes each.

    Files are only listed, and the beginning of large ones is read.

    Raises
    ------
    SourceError
        If there is nothing, or something that only this process can read.
    """
    found: list[Slice] = []
    group: list[Piece] = []

    def close() -> None:
        if group:
            found.append(Slice(len(found), tuple(group)))
            group.clear()

    # a file that is named twice is one
    for piece in {piece.path: piece for piece in _files(source)}.values():
        if group and sum(one.size for one in group) + piece.size > size:
            close()
        ranges = _ranges(piece, size, provider) if piece.size > size else [piece]
        for one in ranges:
            group.append(one)
            if len(ranges) > 1:
                close()
    close()
    return found


def _files(source: Any) -> Iterator[Piece]:
    """Yield the files that a source stands for, without reading them."""
    if isinstance(source, (list, tuple)):
        for item in source:
            yield from _files(item)
        return
    if isinstance(source, str) and is_url(source):
        system, files, alone = listed_url(source)
        for path, name in files:
            about = system.info(path)
            stamp = str(
                about.get("ETag") or about.get("mtime") or about.get("updated") or about.get("created") or ""
            )
            yield Piece(name, system.unstrip_protocol(path), int(about["size"] or 0), stamp, alone)
        return
    with tempfile.TemporaryDirectory(prefix="bounceanalytics-") as folder:
        for given in given_files(source, folder):
            if given.copied:
                raise SourceError(
                    f"{given.name} is not on a disk that every worker reads; give paths or URLs instead"
                )
            size, stamp = 0, ""
            if not given.problem:
                facts = given.path.stat()
                size, stamp = facts.st_size, str(facts.st_mtime_ns)
            yield Piece(given.name, str(given.path.absolute()), size, stamp, given.alone, given.problem)


def _ranges(piece: Piece, size: int, provider: str | None) -> list[Piece]:
    """Return the ranges of a large file whose records are lines, else the file."""
    found = _plain(piece, provider)
    if found is None:
        return [piece]
    count = -(-piece.size // size)
    edges = [piece.size * number // count for number in range(count + 1)]
    return [replace(piece, start=start, stop=stop, found=found) for start, stop in pairwise(edges)]


def _plain(piece: Piece, provider: str | None) -> Found | None:
    """Return what a file is of which each line is a record that the engine can read by itself."""
    with tempfile.TemporaryDirectory(prefix="bounceanalytics-") as folder:
        head = Path(folder, "head")
        with _opened(piece) as stream:
            head.write_bytes(stream.read(16 * _HEAD).rpartition(b"\n")[0] + b"\n")
        if not is_settled(head.read_bytes()[:4096]):
            return None
        sources = open_given(Given(piece.name, head, alone=False), folder)
        if len(sources) != 1 or sources[0].packing != "none" or Path(sources[0].path) != head:
            return None
        known = find(sources, [Account(piece.name)], provider, folder)
    return known[0][2] if known and known[0][2].plain else None


# a slice


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
    before : int
        Records of the same file before a range of it.
    """

    name: str
    shares: list[int]
    accounts: list[tuple[dict[str, Any], int]]
    before: int = 0


def convert_slice(one: Slice, out: str, options: Options) -> Made:
    """Write the rows of a slice to a file, in groups by share of the addresses.

    Nothing else is read or written, so that any machine may do it, also twice. What is there already stays.
    """
    target = one.file(place(out), options)
    if not target.exists():
        _make(one, target, options)
    with target.open("rb") as stream:
        about = _about(pa.parquet.ParquetFile(stream))
    return Made(target.name, about["shares"], list(zip(about["accounts"], about["places"], strict=True)))


def in_their_files(slices: Sequence[Slice], made: Sequence[Made]) -> list[Made]:
    """Return what became of slices, with the number of records that stand before each range of a file."""
    done, before = [], 0
    for one, what in zip(slices, made, strict=True):
        before = before if one.pieces[0].start else 0  # the ranges of a file follow one another
        done.append(replace(what, before=before))
        before += int(what.accounts[0][0]["records"])
    return done


def _make(one: Slice, target: Path, options: Options) -> None:
    threads = {"threads": str(options.threads)} if options.threads else {}
    with (
        tempfile.TemporaryDirectory(prefix="bounceanalytics-") as folder,
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
        self._reader = Reader(self.accounts, options.timezone or "UTC", "collect", engine, options.dayfirst)

    @property
    def rejects(self) -> list[pd.DataFrame]:
        """The rejected records."""
        return self._reader.rejects

    def add(self, number: int, piece: Piece) -> None:
        """Read a piece."""
        given = Given(piece.name, Path(piece.path), piece.alone, problem=piece.problem)
        if not piece.problem:
            given = replace(given, path=_fetched(piece, self._folder))
        sources = open_given(given, self._folder)
        accounts = [Account(one.name, notes=list(one.notes)) for one in sources]
        if piece.found and piece.found.format:
            accounts[0].provider, accounts[0].form = piece.found.format.provider, piece.found.form
            known = [(0, sources[0], piece.found)]
        else:
            known = find(sources, accounts, self._options.provider, self._folder)
        before, rejected = len(self.accounts), len(self.rejects)
        self.accounts += accounts
        self.places += [number] * len(accounts)
        for at, source, found in known:
            self._fill(before + at, source, found)
        for rejects in self.rejects[rejected:] if piece.start else ():
            rejects["offset"] = rejects["offset"].where(
                rejects["offset"] < 0, rejects["offset"] + _start(piece)
            )

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
        self._engine.register("shared", pa.table({"address": address, "key": table["key"]}))
        told = "CASE WHEN address <> '' THEN hash(address) ELSE coalesce(key, 0) END"
        query = f"SELECT ({told} % $n)::BIGINT AS n FROM shared"
        found = self._engine.sql(query, params={"n": self._options.partitions}).to_arrow_table()
        self._engine.unregister("shared")
        shares: NDArray[np.int64] = found["n"].to_numpy()
        return shares


_EMPTY = pa.schema(
    [*SCHEMA, *(pa.field(name, kind) for name, kind in {**_KEY_COLUMNS, **_ROW_COLUMNS}.items())]
)


def _opened(piece: Piece) -> IO[bytes]:
    if is_url(piece.path):
        system, files, _ = listed_url(piece.path, one=True)
        stream: IO[bytes] = system.open(files[0][0], "rb")
        return stream
    return Path(piece.path).open("rb")


def _fetched(piece: Piece, folder: str) -> Path:
    """Return a piece as a file on this machine."""
    if piece.found is None and not is_url(piece.path):
        return Path(piece.path)
    try:
        with tempfile.NamedTemporaryFile(dir=folder, delete=False) as out, _opened(piece) as stream:
            if piece.found is None:
                shutil.copyfileobj(stream, out, _COPIED)
            else:
                _copy_lines(stream, out, piece.start, piece.stop)
    except BounceAnalyticsError:
        raise
    except Exception as error:  # each store raises what its own libraries do
        raise SourceError(f"cannot read {shown(piece.name)}: {reason(error)}") from error
    return Path(out.name)


def _start(piece: Piece) -> int:
    """Return the byte at which the first line of a range begins."""
    if not piece.start:
        return 0
    with _opened(piece) as stream:
        stream.seek(piece.start - 1)
        return piece.start - 1 + _line_left(stream)


def _line_left(stream: IO[bytes]) -> int:
    """Read to the end of a line; return how many bytes that were."""
    return len(stream.readline())


def _copy_lines(stream: IO[bytes], out: IO[bytes], start: int, stop: int) -> None:
    """Copy the lines that begin in a range of bytes."""
    if start:
        stream.seek(start - 1)
        start += _line_left(stream) - 1
    left = stop - start
    last = b"\n"
    while left > 0 and (block := stream.read(min(left, _COPIED))):
        out.write(block)
        left -= len(block)
        last = block[-1:]
    if left == 0 and last != b"\n":
        out.write(stream.readline())


# a share of the addresses


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
        if share not in one.shares:
            continue
        with (home / STATE / "slices" / one.name).open("rb") as stream:
            table = pa.parquet.ParquetFile(stream).read_row_group(one.shares.index(share))
        tables.append(table)
        origin.append(np.full(len(table), number, np.int64))
        before.append(np.full(len(table), one.before, np.int64))
    result = Share()
    if not tables:
        return result
    table = pa.concat_tables(tables)
    record = table["record"].to_numpy() + np.concatenate(before)
    table = table.set_column(table.schema.get_field_index("record"), "record", pa.array(record))
    keys = table.select(list(_KEY_COLUMNS))
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
        with tempfile.TemporaryDirectory(prefix="bounceanalytics-") as folder:
            part = Path(folder, "part.parquet")
            with pa.parquet.ParquetWriter(part, SCHEMA, **PARQUET) as writer:
                writer.write_table(kept.cast(SCHEMA), row_group_size=100_000)
            publish(part, home / f"partition={share:0{width}d}" / "part-00001.parquet")
    return result


def _about(file: pa.parquet.ParquetFile) -> dict[str, Any]:
    about: dict[str, Any] = json.loads(file.schema_arrow.metadata[_ABOUT])
    return about


# the account of all


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


def rejects_of(out: Path, made: Sequence[Made]) -> list[pd.DataFrame]:
    """Return the rejected records of slices."""
    found = []
    for one in made:
        path = _rejects_of(out / STATE / "slices" / one.name)
        if path.exists():
            with path.open("rb") as stream:
                rejects = pa.parquet.read_table(stream).to_pandas()
            found.append(rejects.assign(record=rejects["record"] + one.before))
    return found

"""Any amount of exports -> a dataset of Parquet files, file by file, so that a crash costs one file's work at most.

A source file is a unit. Its rows are written under hidden names; when all are on disk they get their final names, and
then a note in the state says that the unit is done. Whatever is found without that note, the next run throws away.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter, defaultdict
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet

from bounceanalytics import schema
from bounceanalytics.datasets import (
    NO_MONTH,
    STATE,
    Dataset,
    content_of,
    damaged,
    folder_of,
    is_dataset,
    note_of,
    pinned,
    read_about,
    read_note,
    room_for,
    unreadable,
    write_about,
)
from bounceanalytics.errors import OutputError, SourceError
from bounceanalytics.files import HiddenFiles
from bounceanalytics.loading.account import Account, account_of_source
from bounceanalytics.loading.copies import SeenKeys, in_order, repeated
from bounceanalytics.loading.finding import check_options, find, ticker
from bounceanalytics.loading.joining import account_frames, rejects_frame, with_places, without_verdicts
from bounceanalytics.loading.normalise import to_events
from bounceanalytics.loading.reading import Reader, notes, open_engine, warn_of_damage, warn_of_times
from bounceanalytics.loading.result import Duplicates, Load
from bounceanalytics.loading.times import TIME_STYLES
from bounceanalytics.opening.sources import open_sources
from bounceanalytics.temporary import temporary_folder

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from bounceanalytics.loading.account import Batch
    from bounceanalytics.loading.finding import Progress
    from bounceanalytics.loading.found import Found
    from bounceanalytics.opening.sources import Source

_MEMORY = "384MB"  # of the engine; what is read ahead, decoded and written comes on top
_OPEN_MONTHS = 24  # files of one unit that are written at a time
_ROWS = (
    100_000  # of a part that are written at a time; a few large groups are read faster than many small ones
)
_REJECTS = 5_000  # records that are kept in memory, each with up to 500 signs of its text
_EDGE = 64 * 1024  # bytes at both ends of a file that tell it from others of its size
_PIECE, _PIECES = 16 * 1024, 64  # bytes, and how many times, of a file that are looked at again


def convert(
    source: Any,
    out: str | os.PathLike[str],
    *,
    provider: str | None = None,
    deduplicate: bool = True,
    timezone: str | None = None,
    dayfirst: bool | None = None,
    progress: Progress | None = None,
    overwrite: bool = False,
) -> Dataset:
    """Turn exports into a dataset on disk, in bounded memory.

    Run it again after a crash, or with more exports, and it goes on where it stopped: files that are done are not
    read again, and events that are there already are not added. A file that was being read when the program ended
    starts anew.

    Parameters
    ----------
    source : str, path, bytes, binary file, or a list of these
        As for :func:`bounceanalytics.load`.
    out : path
        Folder of the dataset, such as ``"events.parquet"``.
    provider, timezone, dayfirst : optional
        As for :func:`bounceanalytics.load`.
    deduplicate : bool, default True
        Count an event once. Eight bytes of memory are needed for each event, and as many for its account.
    progress : callable, optional
        Called with a description, the bytes done and the bytes in total.
    overwrite : bool, default False
        Begin anew where there is a dataset, which stays as it is until the new one is whole.

    Returns
    -------
    Dataset
        The rows of ``load(source).events``, by month (UTC, ``none`` where there is no time), compressed with zstd.
        ``load(out)`` gives them as a frame with the account of all files; ``classify``, the summaries and ``decide``
        take a dataset as they take a frame.

    Raises
    ------
    SourceError, FormatError
        As for :func:`bounceanalytics.load`.
    OutputError
        If ``out`` is something else than a dataset, was made with other options or from a file that has changed
        since, or is being written by another program.

    Examples
    --------
    >>> import tempfile
    >>> import bounceanalytics as ba
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     dataset = ba.convert(ba.samples() / "exports", f"{folder}/events.parquet")
    ...     print(dataset.kind, len(dataset) == len(ba.load(dataset).events))
    events True
    """
    check_options(provider, "collect", timezone)
    out = folder_of(out)
    options = {"provider": provider, "deduplicate": deduplicate, "timezone": timezone}
    if dayfirst is not None:
        options["dayfirst"] = dayfirst
    with (
        temporary_folder() as folder,
        open_engine("16MB", memory_limit=_MEMORY) as engine,
    ):
        # what cannot be read is said before anything is written or thrown away
        sources = open_sources(source, folder, later=True)
        accounts = [account_of_source(one) for one in sources]
        known = find(sources, accounts, provider, folder)
        with room_for(out, overwrite=overwrite, goes_on=True) as home:
            _add(
                home,
                options,
                sources,
                accounts,
                known,
                Reader(accounts, timezone or "UTC", "collect", engine, dayfirst),
                folder,
                progress,
            )
    warn_of_damage(accounts)
    warn_of_times(accounts, timezone)
    return Dataset(out)


def _add(
    out: Path,
    options: dict[str, Any],
    sources: list[Source],
    accounts: list[Account],
    known: list[tuple[int, Source, Found]],
    reader: Reader,
    folder: str,
    progress: Progress | None,
) -> None:
    """Add the files that are not in the dataset yet."""
    if not is_dataset(out):
        write_about(out, "events", options=options)
    elif _in_effect(read_about(out).get("options", {})) != _in_effect(options):
        raise OutputError(
            f"{out} was made with other options ({_told(read_about(out).get('options', {}))}):"
            " use the same ones, another folder, or overwrite=True"
        )
    state = _State(out)
    state.tidy()
    fingerprints = [_fingerprint(one) for one in sources]
    state.check(sources, fingerprints)
    seen = state.seen() if options["deduplicate"] else None
    total, done = sum(one.size for one in sources), 0
    readable = {place: (source, found) for place, source, found in known}
    for place, (one, fingerprint) in enumerate(zip(sources, fingerprints, strict=True)):
        if progress:
            progress("converting", done, total)
            reader.watch(ticker(progress, "converting", done, one.size, total))
        if fingerprint not in state.units:
            with _Unit(state, fingerprint, one, accounts[place], seen) as unit:
                if place in readable:
                    unit.fill(reader, place, *readable[place], folder)
                unit.finish(reader)
        accounts[place].cut |= state.units[fingerprint].account.cut
        done += one.size
    if progress:
        progress("converting", total, total)


def account_of(dataset: Dataset) -> Load:
    """Return a dataset as what :func:`bounceanalytics.load` returns."""
    if dataset.kind != "events":
        raise SourceError(
            f"{dataset.path} holds classified events, not exports: say Dataset({str(dataset.path)!r}).to_pandas()"
        )
    units = list(_State(dataset.path).units.values())
    dataset = pinned(dataset, [unit.number for unit in units])  # whoever adds to it meanwhile adds both
    accounts = [unit.account for unit in units]
    files, ignored = account_frames(accounts)
    rejects = rejects_frame(
        [_read(_read_table, unit.checked(unit.rejects)) for unit in units if unit.rejects.exists()]
    )
    dropped = sum(unit.copies for unit in units)
    events = dataset.to_pandas()
    return Load(events, files, rejects, ignored, Duplicates(dropped, len(events) + dropped))


def _read(reader: Callable[[Path], Any], file: Path) -> Any:
    try:
        return reader(file)
    # of an earlier version, which kept no sum of it
    except (pa.ArrowException, OSError, EOFError, ValueError) as error:
        raise unreadable(file, error) from None


def _write_keys(path: Path, keys: SeenKeys) -> None:
    """Write keys in order as one array of NumPy, which is never in memory as a whole."""
    about = {"descr": "<u8", "fortran_order": False, "shape": (len(keys),)}
    with path.open("wb") as stream:
        np.lib.format.write_array_header_1_0(stream, about)
        for some in keys.ascending():
            stream.write(some.astype("<u8", copy=False).data)


def _mapped(file: Path) -> NDArray[np.uint64]:
    keys: NDArray[np.uint64]
    try:
        keys = np.load(file, mmap_mode="r")
    except OSError:  # not every disk lets files be mapped
        keys = np.load(file)
    return keys


def _read_table(file: Path) -> pd.DataFrame:
    with file.open("rb") as stream:  # pandas opens no path of a store
        return pd.read_parquet(stream)


def _in_effect(options: dict[str, Any]) -> dict[str, Any]:
    """Return options as the rows depend on them: a zone that is not given is UTC."""
    return {**options, "timezone": options.get("timezone") or "UTC"}


def _told(options: dict[str, Any]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in options.items()) or "none"


def _fingerprint(source: Source) -> str:
    """Return what tells a file from others: its name, its size and both its ends."""
    digest = hashlib.sha256(f"{source.name}\n{source.size}\n".encode("utf-8", "surrogateescape"))
    with Path(source.path).open("rb") as stream:
        digest.update(stream.read(_EDGE))
        if source.size > 2 * _EDGE:
            stream.seek(-_EDGE, os.SEEK_END)
        digest.update(stream.read(_EDGE))
    return digest.hexdigest()[:32]


def _sample(source: Source) -> str:
    """Return what tells pieces all over a file; all of it where it is small."""
    digest = hashlib.sha256()
    step = max(_PIECE, source.size // _PIECES)
    with Path(source.path).open("rb") as stream:
        for start in range(0, source.size, step):
            stream.seek(start)
            digest.update(stream.read(_PIECE))
    return digest.hexdigest()[:32]


def _time(source: Source) -> int | None:
    """Return when a file was written; None for what was unpacked, or not on disk."""
    path = Path(source.path).absolute()
    return path.stat().st_mtime_ns if str(path) == source.origin else None


def _home(source: Source) -> str:
    """Return what tells where a file lies without saying it; empty for what was not on disk."""
    if not source.origin:
        return ""
    return hashlib.sha256(source.origin.encode("utf-8", "surrogateescape")).hexdigest()[:16]


@dataclass
class _Done:
    """A unit that is in the dataset."""

    number: int
    account: Account
    home: str  # empty in datasets of older versions, too
    copies: int
    rejects: Path
    keys: Path
    sample: str = ""  # empty in datasets of older versions
    time: int | None = None
    contents: dict[str, str] = field(
        default_factory=dict
    )  # of its rejects and keys; empty in older versions'

    def checked(self, file: Path) -> Path:
        """Return one of its files, which is as it was written."""
        if self.contents.get(file.name) not in (None, content_of(file)):
            raise damaged(file)
        return file

    def is_of(self, source: Source) -> bool:
        """Return whether it is made of a file as it is now, of which name, size and both ends have not changed."""
        if not self.sample:
            return True
        if self.sample != _sample(source):
            return False
        # a copy in another folder has a time of its own; where it was, a file is written only to change it
        as_it_was = None in {self.time, time := _time(source)} or self.time == time
        return source.size <= _PIECE * _PIECES or as_it_was or self.home != _home(source)


class _State:
    """State of a dataset: the files that went into it."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self.folder = out / STATE
        self.units: dict[str, _Done] = {}
        for note in sorted(self.folder.glob("unit-*.json")):
            facts = read_note(note)
            try:
                unit = self.place(
                    facts["number"], account_from(facts["account"]), facts.get("home", ""), facts["copies"]
                )
            except (KeyError, TypeError):  # of an earlier version, whose notes have no sum
                raise damaged(note) from None
            unit.sample, unit.time = facts.get("sample", ""), facts.get("time")
            unit.contents = facts.get("contents", {})
            wanted = [self.folder / name for name in unit.contents]
            wanted += [out / name for name in facts.get("parts", ())]  # not in notes of earlier versions
            for file in wanted:
                if not file.exists():
                    raise damaged(file)
            self.units[facts["fingerprint"]] = unit

    def place(self, number: int, account: Account, home: str, copies: int) -> _Done:
        return _Done(
            number,
            account,
            home,
            copies,
            self.rejects(number),
            self.folder / f"keys-{number:05d}.npy",
        )

    def rejects(self, number: int) -> Path:
        """Return where rejected records are: not called Parquet, since whoever reads all of that wants events."""
        earlier = self.folder / f"rejects-{number:05d}.parquet"
        return earlier if earlier.exists() else earlier.with_suffix(".table")

    @property
    def next_number(self) -> int:
        return 1 + max((unit.number for unit in self.units.values()), default=0)

    def tidy(self) -> None:
        """Throw away what an interrupted run left: hidden files, and those of units that were not finished."""
        done = {unit.number for unit in self.units.values()}
        for file in [*self.out.glob("month=*/*"), *self.folder.iterdir()]:
            number = file.stem.removeprefix(".").split("-")
            unfinished = len(number) > 1 and number[1].isdigit() and int(number[1]) not in done
            if file.name.startswith(".") or unfinished:
                file.unlink()

    def check(self, sources: list[Source], fingerprints: list[str]) -> None:
        """Refuse a file that has another content than when it was converted.

        Files of several folders may have one name; then it does not tell which of them was converted.
        """
        often = Counter(source.name for source in sources)
        done = {(unit.account.source, unit.home) for unit in self.units.values()}
        for source, fingerprint in zip(sources, fingerprints, strict=True):
            given = source.name.startswith("<")  # content without a name of its own
            unit = self.units.get(fingerprint)
            if unit is None and often[source.name] > 1:
                continue
            known = not given and not done.isdisjoint({(source.name, _home(source)), (source.name, "")})
            if not unit.is_of(source) if unit else known:
                raise OutputError(
                    f"{source.name} has changed since it went into {self.out}:"
                    " give it another name, convert into a new folder, or begin anew with overwrite=True"
                )

    def seen(self) -> SeenKeys:
        """Return the keys of all events in the dataset."""
        seen = SeenKeys()
        for unit in self.units.values():
            if unit.keys.exists():
                keys = _read(_mapped, unit.checked(unit.keys))
                ascending = (keys[:-1] <= keys[1:]).all()  # not in datasets of older versions
                seen.add(keys if ascending else np.sort(keys))
        return seen


def facts_of(account: Account) -> dict[str, Any]:
    """Return an account as plain values."""
    facts = asdict(account)
    facts["styles"] = account.styles.tolist()
    del facts["hollow"]  # matters to nobody but the reader
    return facts


def account_from(facts: dict[str, Any]) -> Account:
    """Return the account that plain values stand for."""
    account = Account(**{name: value for name, value in facts.items() if name != "styles"})
    account.styles[: len(facts["styles"])] = facts["styles"][: len(TIME_STYLES)]
    return account


class _Unit:
    """One file on its way into the dataset."""

    def __init__(
        self, state: _State, fingerprint: str, source: Source, account: Account, seen: SeenKeys | None
    ) -> None:
        self._state = state
        self._fingerprint = fingerprint
        self._home = _home(source)
        self._sample = _sample(source)
        self._time = _time(source)
        self._account = account
        self._seen = seen
        self._new = SeenKeys()
        self._copies = 0
        self._number = state.next_number
        self._writers: dict[str, pa.parquet.ParquetWriter] = {}
        self._rejects: pa.parquet.ParquetWriter | None = None
        self._files = HiddenFiles()
        self._pieces: dict[str, int] = defaultdict(int)
        self._waiting: list[pa.Table] = []
        self._last = (-1, False)  # number of the last record, and whether it gave a new row

    def __enter__(self) -> _Unit:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is not None:
            self._take_back()

    def fill(self, reader: Reader, place: int, source: Source, found: Found, folder: str) -> None:
        """Write all rows of the file under hidden names."""
        for batch in reader.stream(place, source, found, folder):
            if batch is None:
                self._take_back()
                reader.rejects.clear()
            else:
                self._write(batch)
                self._put_rejects(reader, _REJECTS)
        self._account.notes += notes(source, found, self._account.records)

    def finish(self, reader: Reader) -> None:
        """Give the files their names and note that the unit is done."""
        self._write_out()
        self._put_rejects(reader)
        self._close()
        done = self._state.place(self._number, self._account, self._home, self._copies)
        if len(self._new):
            _write_keys(self._files.new(done.keys), self._new)
        parts = [
            path.relative_to(self._state.out).as_posix()
            for path in self._files.paths
            if path.suffix == ".parquet"
        ]
        self._files.reveal()
        done.contents = {file.name: content_of(file) for file in (done.rejects, done.keys) if file.exists()}
        note = {
            "number": self._number,
            "fingerprint": self._fingerprint,
            "home": self._home,
            "sample": self._sample,
            "time": self._time,
            "copies": self._copies,
            "contents": done.contents,
            "parts": parts,
            "account": facts_of(self._account),
        }
        path = self._state.folder / f"unit-{self._number:05d}.json"
        self._files.new(path).write_text(note_of(note), encoding="utf-8")
        self._files.reveal()
        done.sample, done.time = self._sample, self._time
        self._state.units[self._fingerprint] = done
        if self._seen is not None:
            self._seen.absorb(self._new)

    def _take_back(self) -> None:
        self._close()
        self._files.discard()
        self._new, self._copies, self._last, self._waiting = SeenKeys(), 0, (-1, False), []

    def _write(self, batch: Batch) -> None:
        table, record = batch.table, batch.record
        again = np.zeros(len(table), bool)
        if self._seen is not None and len(table):
            again, new = repeated(batch.keys, self._seen, self._new)
            self._new.add(in_order(new))
            self._copies += int(again.sum())
        self._settle(record, again)
        if again.any():
            table, record = table.filter(pa.array(~again)), record[~again]
        name = pa.repeat(pa.scalar(self._account.source, pa.large_string()), len(table))
        events = to_events(with_places(without_verdicts(table), name, record)).cast(SCHEMA)
        self._waiting.append(events)
        if sum(map(len, self._waiting)) >= _ROWS:
            self._write_out()

    def _write_out(self) -> None:
        """Write the rows that wait: a little at a time takes longer, and is read more slowly."""
        waiting, self._waiting = self._waiting, []
        if waiting:
            for month, rows in _months(pa.concat_tables(waiting)):
                self._writer(month).write_table(rows)

    def _put_rejects(self, reader: Reader, least: int = 1) -> None:
        """Write rejected records, where there are so many."""
        if sum(map(len, reader.rejects)) < least:
            return
        if self._rejects is None:
            path = self._files.new(self._state.rejects(self._number))
            self._rejects = pa.parquet.ParquetWriter(path, REJECTS, compression="zstd")
        frame = rejects_frame(reader.rejects)
        self._rejects.write_table(pa.Table.from_pandas(frame, preserve_index=False).cast(REJECTS))
        reader.rejects.clear()

    def _settle(self, record: NDArray[np.int64], again: NDArray[np.bool_]) -> None:
        """Count rows and loaded records; a record without a new row is a duplicate. One may go on in the next piece."""
        if not len(record):
            return
        starts = np.flatnonzero(np.r_[True, record[1:] != record[:-1]])
        fresh = np.add.reduceat((~again).astype(np.int64), starts)
        one, (last, told) = self._account, self._last
        one.rows += int(fresh.sum())
        loaded, copies = int((fresh > 0).sum()), int((fresh == 0).sum())
        if record[0] == last:  # it has been counted
            loaded -= bool(fresh[0]) and told
            copies -= not fresh[0] or not told
        one.loaded += loaded
        if copies:
            one.ignore("duplicate", copies)
        self._last = int(record[-1]), bool(fresh[-1]) or (len(fresh) == 1 and record[0] == last and told)

    def _writer(self, month: str) -> pa.parquet.ParquetWriter:
        if month not in self._writers:
            if len(self._writers) >= _OPEN_MONTHS:
                self._writers.pop(next(iter(self._writers))).close()
            self._pieces[month] += 1
            name = f"part-{self._number:05d}-{self._pieces[month]:03d}.parquet"
            path = self._files.new(self._state.out / f"month={month}" / name)
            self._writers[month] = pa.parquet.ParquetWriter(path, SCHEMA, **PARQUET)
        return self._writers[month]

    def _close(self) -> None:
        while self._writers:
            self._writers.popitem()[1].close()
        if self._rejects:
            self._rejects.close()
            self._rejects = None


#: Columns of each part.
SCHEMA = schema.EVENT_COLUMNS.arrow
#: Columns of the table of rejected records.
REJECTS = schema.REJECT_COLUMNS.arrow

# to gather the values of a column for its rows to point at, or the least and largest, is of use where they come again
_REPEATING = [
    name
    for name in SCHEMA.names
    if name not in {"recipient", "timestamp", "message_id", "event_id", "record"}
]
#: How parts are written.
PARQUET: dict[str, Any] = {
    "compression": "zstd",
    "compression_level": 1,
    "use_dictionary": _REPEATING,
    "write_statistics": ["timestamp", *_REPEATING],
    "write_page_checksum": True,  # what a failing disk made of it is no data
}


def _months(events: pa.Table) -> list[tuple[str, pa.Table]]:
    """Return the rows of each month, UTC."""
    times = events["timestamp"].cast(pa.timestamp("us")).to_numpy()
    months: NDArray[Any] = times.astype("datetime64[M]")
    found = np.unique(months)
    if len(found) <= 1:
        return [(_month(found[0]), events)] if len(events) else []
    # NaT is not equal to itself, and stands last among the sorted values
    found = found[~np.isnat(found)]
    parts = [(_month(month), events.filter(pa.array(months == month))) for month in found]
    if np.isnat(months).any():
        parts.append((NO_MONTH, events.filter(pa.array(np.isnat(months)))))
    return parts


def _month(month: np.datetime64) -> str:
    return NO_MONTH if np.isnat(month) else str(month)

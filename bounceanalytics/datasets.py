"""Frames that lie on disk: a folder of Parquet files with one schema, read in pieces or whole.

A dataset is a folder with a part for each month (``month=2025-09/part-00001.parquet``), or for each share of the
addresses where several machines made it (``partition=07/part-00001.parquet``), and a folder ``_state`` with the account
of what went into it. Any program that reads Parquet can read it.
"""

from __future__ import annotations

import contextlib
import copy
import importlib.util
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet

from bounceanalytics import schema
from bounceanalytics.errors import FrameError, OutputError, SourceError
from bounceanalytics.files import (
    HiddenFiles,
    complete_folder,
    is_between,
    is_remote,
    path_of,
    place,
    refuse_existing,
    remove_folder,
    whole_folder,
    write_text,
)
from bounceanalytics.privacy import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import TypeAlias

    import pandas as pd
    from narwhals.typing import IntoFrame

    #: What takes a frame takes one of polars, Arrow or DuckDB, and one on disk, too.
    Frame: TypeAlias = "pd.DataFrame | IntoFrame | Dataset | str | os.PathLike[str]"

STATE = "_state"
#: What the parts are told apart by: the time of their rows, or the share of the addresses that they hold.
KINDS = ("month", "partition")
#: Name of the part of rows without a time.
NO_MONTH = "none"
_ABOUT = "dataset.json"
_PATIENCE = 2  # seconds; two moves take less
_LONG_NAME = 240  # bytes; names beside it have some more, and 255 is the most of most file systems
_FORMAT = 1


@dataclass(frozen=True, repr=False)
class Dataset:
    """Events, or classified events, in Parquet files.

    Attributes
    ----------
    path : pathlib.Path
        The folder.
    only : str
        Name of one folder in it, such as ``partition=07`` or ``month=2026-10``, if it is about the rows of that one;
        empty for all.

    Examples
    --------
    >>> import tempfile
    >>> import bounceanalytics as ba
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     events = ba.convert(ba.samples() / "exports" / "ses", f"{folder}/events.parquet")
    ...     len(events) == len(ba.load(ba.samples() / "exports" / "ses").events)
    True
    """

    path: Path
    only: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", place(self.path))
        if not is_dataset(self.path):
            raise SourceError(f"{self.path} is no dataset; make one with convert(sources, out)")

    def __len__(self) -> int:
        return sum(_parquet(part).metadata.num_rows for part in self.parts)

    def __repr__(self) -> str:
        size = sum(part.stat().st_size for part in self.parts)
        folders = {part.parent.name for part in self.parts}
        months = sorted(
            {name.removeprefix("month=") for name in folders if name.startswith("month=")} - {NO_MONTH}
        )
        span = f", {months[0]} to {months[-1]}" if months else ""
        return f"{shown(self.path)}: {len(self):,} {self.kind} in {len(self.parts):,} files, {size / 1e6:,.1f} MB{span}"

    @property
    def kind(self) -> str:
        """``events`` or ``bounces`` (classified events)."""
        return str(read_about(self.path)["kind"])

    @property
    def parts(self) -> list[Path]:
        """The Parquet files, by month or share and then in the order in which they were written."""
        pinned: list[Path] | None = getattr(self, "_parts", None)
        if pinned is not None:
            return list(pinned)
        folders = [self.only] if self.only else [f"{kind}=*" for kind in KINDS]
        return sorted(part for folder in folders for part in self.path.glob(f"{folder}/part-*.parquet"))

    @property
    def columns(self) -> schema.Table:
        """Columns of each row."""
        return schema.BOUNCE_COLUMNS if self.kind == "bounces" else schema.EVENT_COLUMNS

    def tables(
        self, columns: Sequence[str] | None = None, *, part: Path | None = None, rows: int = 250_000
    ) -> Iterator[pa.Table]:
        """Yield the rows in pieces.

        Parameters
        ----------
        columns : sequence of str, optional
            Which columns; all if not given.
        part : pathlib.Path, optional
            One of :attr:`parts`; all if not given.
        rows : int
            Largest number of rows of a piece.

        Yields
        ------
        pyarrow.Table

        Examples
        --------
        >>> import tempfile
        >>> import bounceanalytics as ba
        >>> folder = tempfile.TemporaryDirectory()
        >>> events = ba.convert(ba.samples() / "exports" / "mailgun", folder.name)
        >>> sum(table.num_rows for table in events.tables(["recipient"], rows=500)) == len(events)
        True
        >>> folder.cleanup()
        """
        names = list(self.columns.names if columns is None else columns)
        self._require(names)
        known = self._known()
        for one in self.parts if part is None else [part]:
            file = _parquet(one)
            self._stays(known)
            for batch in file.iter_batches(rows, columns=names):
                yield _with_texts(pa.Table.from_batches([batch]).select(names))
        self._stays(known)

    def table(self, columns: Sequence[str] | None = None) -> pa.Table:
        """Return all rows as one Arrow table, by month and then in the order of their files.

        Examples
        --------
        >>> import tempfile
        >>> import bounceanalytics as ba
        >>> folder = tempfile.TemporaryDirectory()
        >>> events = ba.convert(ba.samples() / "exports" / "mailgun", folder.name)
        >>> events.table(["recipient", "event"]).column_names
        ['recipient', 'event']
        >>> folder.cleanup()
        """
        pieces = list(self.tables(columns))
        if pieces:
            return pa.concat_tables(pieces).unify_dictionaries()
        names = list(self.columns.names if columns is None else columns)
        return self.columns.select(names).arrow.empty_table()

    def to_pandas(self, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Return all rows as a frame, by month and then in the order of their files.

        Parameters
        ----------
        columns : sequence of str, optional
            Which columns; all if not given.

        Returns
        -------
        pandas.DataFrame
            Columns of ``schema.EVENT_COLUMNS``, of classified events ``schema.VERDICT_COLUMNS`` too.

        Raises
        ------
        FrameError
            If there is no such column.

        Examples
        --------
        >>> import tempfile
        >>> import bounceanalytics as ba
        >>> folder = tempfile.TemporaryDirectory()
        >>> events = ba.convert(ba.samples() / "exports" / "mailgun", folder.name)
        >>> events.to_pandas(["event"])["event"].value_counts().index[0]
        'delivered'
        >>> folder.cleanup()
        """
        names = list(self.columns.names if columns is None else columns)
        table = self.table(names)  # which says what is not there
        return self.columns.select(names).frame(table)

    def _known(self) -> str | None:
        """Return what tells this dataset from one that takes its place; None in a store, which has no places."""
        pin: str | None = getattr(self, "_pin", None)
        return pin if pin or is_remote(self.path) else identity_of(self)

    def _stays(self, known: str | None) -> None:
        """Refuse to go on with another dataset, which has parts of the same names.

        Asked after its parts are listed, and after one is opened: that has been of the dataset that is still there.
        """
        if known is not None:
            try:
                same = identity_of(self) == known
            except SourceError:
                same = False
            if not same:
                raise replaced(self.path)

    def _require(self, names: Iterable[str]) -> None:
        missing = [name for name in names if name not in self.columns.names]
        if missing:
            hint = "; classify it first" if self.kind == "events" else ""
            raise FrameError(f"the dataset {self.path} has no columns {', '.join(missing)}{hint}")


def _parquet(part: Path) -> pa.parquet.ParquetFile:
    try:
        return pa.parquet.ParquetFile(part.open("rb") if is_remote(part) else part)
    except FileNotFoundError:
        raise replaced(part.parent.parent) from None
    except pa.ArrowInvalid:
        raise SourceError(
            f"{part.parent.name}/{part.name} of the dataset {part.parent.parent} is damaged; convert into a new folder"
        ) from None


def replaced(path: Path) -> SourceError:
    """Return the error that says so."""
    return SourceError(f"{path} was replaced by another dataset while it was read; read it again")


def _with_texts(table: pa.Table) -> pa.Table:
    """Return a piece with its tags as texts; datasets of earlier versions hold lists."""
    place = table.schema.get_field_index("tags")
    if place < 0 or not pa.types.is_nested(table.schema.types[place]):
        return table
    texts = schema.join_tags(table.column(place).to_pylist())
    return table.set_column(place, pa.field("tags", texts.type), texts)


def identity_of(dataset: Dataset) -> str | None:
    """Return what tells a dataset from another one in the same place; None for those of earlier versions."""
    return read_about(dataset.path).get("id")


def pinned(dataset: Dataset) -> Dataset:
    """Return a dataset as it is now: without what is added later, and not to be read once another has its place."""
    same = copy.copy(dataset)
    object.__setattr__(same, "_pin", dataset._known())  # noqa: SLF001 - of this module
    object.__setattr__(same, "_parts", dataset.parts)
    return same


def is_dataset(path: Any) -> bool:
    """Return whether a path is that of a dataset of this package."""
    if is_remote(path):
        return importlib.util.find_spec("upath") is not None and (place(path) / STATE / _ABOUT).is_file()
    if not isinstance(path, (str, os.PathLike)):
        return False
    about = os.path.join(path, STATE, _ABOUT)  # noqa: PTH118 - Path's own raises where it is no path
    if not os.path.isfile(about):  # noqa: PTH113
        with contextlib.suppress(OSError, ValueError):
            _complete(Path(path).absolute())
    return os.path.isfile(about)  # noqa: PTH113


def as_dataset(value: Any) -> Dataset | None:
    """Return the dataset that a value is or names, else None."""
    if isinstance(value, Dataset):
        return value
    return Dataset(value) if is_dataset(value) else None


def as_frame(value: Frame, columns: Sequence[str], what: str = "a classified frame") -> pd.DataFrame:
    """Return a frame as it is, or these columns of a dataset.

    Raises
    ------
    FrameError
        If a column is missing, or the value is neither.
    """
    dataset = as_dataset(value)
    if dataset is None:
        return schema.require(value, columns, what, schema.BOUNCE_COLUMNS)
    return dataset.to_pandas(columns)


def write_dataset(
    out: str | os.PathLike[str],
    kind: str,
    parts: Iterable[tuple[Path, Iterator[pa.Table]]],
    *,
    overwrite: bool,
) -> Dataset:
    """Write a dataset, which is one only when all of it is there.

    Parameters
    ----------
    out : path
        Its folder.
    kind : str
        ``events`` or ``bounces``.
    parts : iterable of (Path, iterator of pyarrow.Table)
        Place of each file in the folder, and its rows.
    overwrite : bool
        Begin anew where there is a dataset, which stays as it is until the new one is whole.

    Raises
    ------
    OutputError
        If there is something already.
    """
    out = path_of(out, OutputError).expanduser()
    with room_for(out, overwrite=overwrite, anew=True) as home:
        _write_parts(home, parts)
        write_about(home, kind)
    return Dataset(out)


def _write_parts(home: Path, parts: Iterable[tuple[Path, Iterator[pa.Table]]]) -> None:
    """Write files, each whole or not at all."""
    for part, tables in parts:
        files = HiddenFiles()
        writer = None
        try:
            for table in tables:
                writer = writer or pa.parquet.ParquetWriter(
                    files.new(home / part), table.schema, compression="zstd"
                )
                writer.write_table(table.cast(writer.schema))
        finally:
            if writer:
                writer.close()
        files.reveal()


@contextlib.contextmanager
def alone(out: Path, *, wait: float = 0) -> Iterator[None]:
    """Hold a dataset for us, or refuse to; it is let go when the process ends, however it does.

    Parameters
    ----------
    out : pathlib.Path
    wait : float, default 0
        Seconds to wait for another one who holds it.
    """
    import filelock  # noqa: PLC0415 - slow to import, and only needed here

    file = _lock_of(out)
    file.parent.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(file, timeout=wait)
    try:
        lock.acquire()
    except filelock.Timeout:
        raise OutputError(f"another program is writing {out}; wait for it, or name another folder") from None
    try:
        yield
    finally:
        if (
            os.name != "nt" and file.parent.name != STATE
        ):  # where it cannot be removed while it is open, and goes by itself
            file.unlink(missing_ok=True)
        lock.release()


def _complete(path: Path) -> None:
    """Finish what a process left that was killed while it gave a dataset its place; wait for one that is at it."""
    if is_between(path):
        with contextlib.suppress(OutputError), alone(path, wait=_PATIENCE):
            complete_folder(path)


def _is_movable(out: Path) -> bool:
    """Return whether another folder can take the place of a dataset: its parent, its name and its disk allow it."""
    parent = next((one for one in out.parents if one.exists()), out)
    return os.access(parent, os.W_OK) and len(os.fsencode(out.name)) < _LONG_NAME and not out.is_mount()


def _lock_of(out: Path) -> Path:
    """Return the file that whoever writes a dataset holds: beside the folder, where that may be moved away."""
    out = out.resolve()
    return out.with_name(f".{out.name}.lock") if _is_movable(out) else out / STATE / "lock"


@contextlib.contextmanager
def room_for(out: Path, *, overwrite: bool, goes_on: bool = False, anew: bool = False) -> Iterator[Path]:
    """Yield the folder to write a dataset into, for us alone: its own, or one that takes its place when all is well.

    Parameters
    ----------
    out : pathlib.Path
    overwrite : bool
        Begin anew where there is a dataset, which stays as it is until the new one is whole; where it cannot be moved,
        or other things lie in its folder, it is thrown away first.
    goes_on : bool, default False
        A dataset that is there is fine, since it is added to.
    anew : bool, default False
        Whether nothing that an interrupted run left is of use.

    Raises
    ------
    OutputError
        If there is something else, or a dataset that may be neither replaced nor added to, or is being written.
    """
    check_room(out, overwrite=overwrite, goes_on=goes_on)
    if is_remote(out):  # stores know no folders that could be moved
        if overwrite and is_dataset(out):
            _clear(out)
        yield out
        return
    with alone(out):
        check_room(out, overwrite=overwrite, goes_on=goes_on)  # somebody may have come first
        place = out.resolve()
        replaces = overwrite and is_dataset(place)
        if (replaces or anew) and _is_movable(place) and _is_all_ours(place):
            with whole_folder(place) as home:
                yield home
        else:
            if replaces or anew:
                _clear(place)
            yield place


def _is_all_ours(out: Path) -> bool:
    """Return whether nobody needs a folder but us."""
    here = Path.cwd()
    return out != here and out not in here.parents and (not out.exists() or all(map(_ours, out.iterdir())))


def _clear(out: Path) -> None:
    # the folder stops being a dataset first, so that a half-deleted one is never taken for whole
    (out / STATE / _ABOUT).unlink(missing_ok=True)
    for part in [part for kind in KINDS for part in out.glob(f"{kind}=*")]:
        remove_folder(part)
    for file in (out / STATE).glob("*") if (out / STATE).exists() else ():
        if file.name != "lock":
            remove_folder(file) if file.is_dir() else file.unlink()


def check_room(out: Path, *, overwrite: bool, goes_on: bool = False) -> None:
    """Refuse a folder that holds something else, or a dataset that may be neither replaced nor added to.

    Raises
    ------
    OutputError
        If it does.
    """
    if out.exists() and not out.is_dir():
        raise OutputError(f"{out} is a file; name a folder for the dataset")
    if is_dataset(out):
        refuse_existing([out], overwrite=overwrite or goes_on, folders=True)
    elif out.exists() and any(not _ours(part) for part in out.iterdir()):
        raise OutputError(f"{out} holds other things than a dataset; name a new or an empty folder")


def _ours(part: Path) -> bool:
    """Return whether an entry may be what an interrupted run left."""
    return part.is_dir() and (part.name == STATE or part.name.partition("=")[0] in KINDS)


def read_about(path: Path) -> dict[str, Any]:
    """Return what a dataset says about itself."""
    try:
        about: dict[str, Any] = json.loads((path / STATE / _ABOUT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise SourceError(
            f"the state of the dataset {path} cannot be read; convert into a new folder"
        ) from None
    if about.get("format") != _FORMAT:
        raise SourceError(f"the dataset {path} was written by another version; convert into a new folder")
    return about


def write_about(path: Path, kind: str, **facts: Any) -> None:
    """Write what a dataset says about itself; from here on it is one."""
    about = {"format": _FORMAT, "kind": kind, "id": secrets.token_hex(8), **facts}
    write_text(path / STATE / _ABOUT, json.dumps(about, indent=1))

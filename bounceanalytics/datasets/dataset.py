"""A dataset, as everybody reads it."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet

from bounceanalytics import schema
from bounceanalytics.datasets.state import (
    KINDS,
    NO_MONTH,
    STATE,
    damaged,
    is_dataset,
    read_about,
    replaced,
    unreadable,
)
from bounceanalytics.errors import FrameError, SourceError
from bounceanalytics.files import is_remote, place
from bounceanalytics.privacy import shown

#: What pyarrow raises where a file is not as it was written.
_DAMAGED = (pa.ArrowException, OSError, ValueError)

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path
    from typing import TypeAlias

    import pandas as pd
    from narwhals.typing import IntoFrame

    #: What takes a frame takes one of polars, Arrow or DuckDB, and one on disk, too.
    Frame: TypeAlias = "pd.DataFrame | IntoFrame | Dataset | str | os.PathLike[str]"


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
        parts = self.parts
        size = sum(part.stat().st_size for part in parts)
        folders = {part.parent.name for part in parts}
        months = sorted(
            {name.removeprefix("month=") for name in folders if name.startswith("month=")} - {NO_MONTH}
        )
        span = f", {months[0]} to {months[-1]}" if months else ""
        return f"{shown(self.path)}: {len(self):,} {self.kind} in {len(parts):,} files, {size / 1e6:,.1f} MB{span}"

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
        done = _done(self)
        found = [part for folder in folders for part in _listed(self.path, f"{folder}/part-*.parquet")]
        return sorted(part for part in found if done is None or _unit_of(part) in done)

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
        # no folder takes the place of another in a store
        known = None if is_remote(self.path) else identity_of(self)
        for one in self.parts if part is None else [part]:
            file = _parquet(one)
            self._stays(known)
            if not set(names) <= set(file.schema_arrow.names):
                raise damaged(one)
            batches = file.iter_batches(rows, columns=names)
            while (batch := _next_of(batches, one)) is not None:
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

    def _stays(self, known: str | None) -> None:
        """Refuse to go on with another dataset, which has parts of the same names.

        Asked after its parts are listed, and after one is opened: that has been of the dataset that is still there.
        """
        if known is not None:
            try:
                same = read_about(self.path).get("id") == known
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
        return pa.parquet.ParquetFile(
            part.open("rb") if is_remote(part) else part, page_checksum_verification=True
        )
    except MemoryError:
        raise
    except _DAMAGED as error:
        raise unreadable(part, error) from None


def _next_of(batches: Iterator[pa.RecordBatch], part: Path) -> pa.RecordBatch | None:
    try:
        return next(batches, None)
    except MemoryError:
        raise
    except _DAMAGED as error:
        raise unreadable(part, error) from None


def _done(dataset: Dataset) -> set[str] | None:
    """Return the units whose parts are all there; None where parts have none: a part counts when its unit does."""
    if dataset.kind != "events" or not _listed(dataset.path, "month=*"):
        return None
    return {_unit_of(note) for note in _listed(dataset.path, f"{STATE}/unit-*.json")}


def _listed(home: Path, pattern: str) -> list[Path]:
    """Return what a dataset holds of a kind."""
    try:
        return list(home.glob(pattern))
    except FileNotFoundError:  # a folder went while it was looked into
        raise replaced(home) from None


def _unit_of(file: Path) -> str:
    """Return the number of the unit that a part, or a note, is of."""
    return file.stem.split("-")[1]


def _with_texts(table: pa.Table) -> pa.Table:
    """Return a piece with its tags as texts; datasets of earlier versions hold lists."""
    place = table.schema.get_field_index("tags")
    if place < 0 or not pa.types.is_nested(table.schema.types[place]):
        return table
    texts = schema.join_tags(table.column(place).to_pylist())
    return table.set_column(place, pa.field("tags", texts.type), texts)


def identity_of(dataset: Dataset) -> str | None:
    """Return what tells a dataset, as it is or was pinned, from another in its place; None for earlier versions'."""
    pin: str | None = getattr(dataset, "_pin", None)
    return pin or read_about(dataset.path).get("id")


def pinned(dataset: Dataset, units: Iterable[int] | None = None) -> Dataset:
    """Return a dataset as it is now: without what is added later, and not to be read once another has its place.

    Parameters
    ----------
    dataset : Dataset
    units : iterable of int, optional
        Those whose parts count; all if not given, or where parts are of no unit.
    """
    same = copy.copy(dataset)
    object.__setattr__(same, "_pin", identity_of(dataset))
    parts = dataset.parts
    if units is not None and _done(dataset) is not None:
        wanted = set(units)
        parts = [part for part in parts if int(_unit_of(part)) in wanted]
    object.__setattr__(same, "_parts", parts)
    return same


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

"""Frames that lie on disk: a folder of Parquet files with one schema, read in pieces or whole.

A dataset is a folder with a part for each month (``month=2025-09/part-00001.parquet``) and a folder ``_state`` with the
account of what went into it. Any program that reads Parquet can read it.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet

from bounceanalytics import schema
from bounceanalytics.errors import FrameError, SourceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import pandas as pd

STATE = "_state"
#: Name of the part of rows without a time.
NO_MONTH = "none"
_ABOUT = "dataset.json"
_FORMAT = 1

_COLUMNS = {column.name: column for column in (*schema.EVENT_COLUMNS, *schema.VERDICT_COLUMNS)}


@dataclass(frozen=True, repr=False)
class Dataset:
    """Events, or classified events, in Parquet files.

    Attributes
    ----------
    path : pathlib.Path
        The folder.

    Examples
    --------
    >>> import tempfile
    >>> import bounceanalytics as ba
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     events = ba.convert(ba.samples() / "exports" / "ses", f"{folder}/events.parquet")
    ...     print(len(events) == len(ba.read(ba.samples() / "exports" / "ses")))
    True
    """

    path: Path

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", Path(self.path))
        if not is_dataset(self.path):
            raise SourceError(f"{self.path} is no dataset; make one with convert(sources, out)")

    def __len__(self) -> int:
        return sum(pa.parquet.read_metadata(part).num_rows for part in self.parts)

    def __repr__(self) -> str:
        size = sum(part.stat().st_size for part in self.parts)
        months = sorted({part.parent.name.removeprefix("month=") for part in self.parts} - {NO_MONTH})
        span = f", {months[0]} to {months[-1]}" if months else ""
        return (
            f"{self.path}: {len(self):,} {self.kind} in {len(self.parts):,} files, {size / 1e6:,.1f} MB{span}"
        )

    @property
    def kind(self) -> str:
        """``events`` or ``bounces`` (classified events)."""
        return str(read_about(self.path)["kind"])

    @property
    def parts(self) -> list[Path]:
        """The Parquet files, by month and then in the order in which they were written."""
        return sorted(self.path.glob("month=*/part-*.parquet"))

    @property
    def columns(self) -> tuple[schema.Column, ...]:
        """What each row holds."""
        return schema.EVENT_COLUMNS + (schema.VERDICT_COLUMNS if self.kind == "bounces" else ())

    def tables(self, columns: Sequence[str] | None = None, rows: int = 250_000) -> Iterator[pa.Table]:
        """Yield the rows in pieces.

        Parameters
        ----------
        columns : sequence of str, optional
            Which columns; all if not given.
        rows : int
            Largest number of rows of a piece.

        Yields
        ------
        pyarrow.Table
        """
        names = [column.name for column in self.columns] if columns is None else list(columns)
        self._require(names)
        for part in self.parts:
            file = pa.parquet.ParquetFile(part)
            for batch in file.iter_batches(rows, columns=names):
                yield pa.Table.from_batches([batch]).select(names)

    def table(self, columns: Sequence[str] | None = None) -> pa.Table:
        """Return all rows as one Arrow table, by month and then in the order of their files."""
        pieces = list(self.tables(columns))
        if pieces:
            return pa.concat_tables(pieces).unify_dictionaries()
        names = [column.name for column in self.columns] if columns is None else list(columns)
        return schema.arrow_schema(_COLUMNS[name] for name in names).empty_table()

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
        """
        names = [column.name for column in self.columns] if columns is None else list(columns)
        return schema.to_pandas(self.table(names), [_COLUMNS[name] for name in names])

    def _require(self, names: Iterable[str]) -> None:
        there = {column.name for column in self.columns}
        missing = [name for name in names if name not in there]
        if missing:
            hint = "; classify it first" if self.kind == "events" else ""
            raise FrameError(f"the dataset {self.path} has no columns {', '.join(missing)}{hint}")


def is_dataset(path: Any) -> bool:
    """Return whether a path is that of a dataset of this package."""
    return isinstance(path, (str, os.PathLike)) and Path(path, STATE, _ABOUT).is_file()


def as_dataset(value: Any) -> Dataset | None:
    """Return the dataset that a value is or names, else None."""
    if isinstance(value, Dataset):
        return value
    return Dataset(Path(value)) if is_dataset(value) else None


def columns_of(bounces: Any, names: Sequence[str], what: str = "a classified frame") -> Any:
    """Return some columns of a frame, or of a dataset as a frame.

    Raises
    ------
    FrameError
        If a column is missing, or it is neither a frame nor a dataset.
    """
    dataset = as_dataset(bounces)
    if dataset is not None:
        return dataset.to_pandas(names)
    schema.require(bounces, names, what)
    return bounces


def read_about(path: Path) -> dict[str, Any]:
    """Return what a dataset says about itself."""
    try:
        about: dict[str, Any] = json.loads(Path(path, STATE, _ABOUT).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SourceError(
            f"the state of the dataset {path} cannot be read; convert into a new folder"
        ) from error
    if about.get("format") != _FORMAT:
        raise SourceError(f"the dataset {path} was written by another version; convert into a new folder")
    return about


def write_about(path: Path, kind: str, **facts: Any) -> None:
    """Write what a dataset says about itself; from here on it is one."""
    write_whole(
        Path(path, STATE, _ABOUT), json.dumps({"format": _FORMAT, "kind": kind, **facts}, indent=1).encode()
    )


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole or not at all, also after a loss of power."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    with part.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    part.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder last; not every system can."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

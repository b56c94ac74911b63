"""SQLite files of our own: opening and checking them, and transactions that take place as a whole or not at all."""

from __future__ import annotations

import contextlib
import itertools
import os
import sqlite3
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self, TypeVar

import pyarrow as pa

from bounceanalytics import clocks
from bounceanalytics.database import read_statements
from bounceanalytics.errors import FrameError, SourceError
from bounceanalytics.files import path_of, whole_file
from bounceanalytics.schema.table import ARROW_STRING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from bounceanalytics.schema import Table

_Made = TypeVar("_Made")

#: What a file says about itself.
_ABOUT = "CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT"
#: How long to wait for another process that writes.
_PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class FileKind:
    """Identity of files of one kind among all other databases.

    Attributes
    ----------
    noun : str
        How messages call one.
    application : int
        Stands in the header.
    version : int
        Of its tables.
    tables : tuple of str
        Folder and name of the ``.sql`` file that makes them.
    older : mapping of int to tuple of str
        Versions that are brought over -> folder and name of the ``.sql`` file that does so.
    """

    noun: str
    application: int
    version: int
    tables: tuple[str, str]
    older: Mapping[int, tuple[str, str]] = field(default_factory=dict)


class _Rows(sqlite3.Cursor):
    """Rows that a query gives; what goes wrong with it is one sentence, also while they come."""

    failed: Callable[[sqlite3.Error], SourceError]

    def execute(self, *given: Any) -> Self:
        return self._told(super().execute, *given)

    def fetchone(self) -> Any:
        return self._told(super().fetchone)

    def fetchmany(self, *given: Any) -> list[Any]:
        return self._told(super().fetchmany, *given)

    def fetchall(self) -> list[Any]:
        return self._told(super().fetchall)

    def __next__(self) -> Any:
        return self._told(super().__next__)

    def _told(self, work: Callable[..., _Made], *given: Any) -> _Made:
        try:
            return work(*given)
        except sqlite3.Error as error:
            raise self.failed(error) from None


class SqliteFile:
    """A file of one kind and version, open for as long as the object is in use.

    Parameters
    ----------
    path : path
        Made if it is not there.
    kind : FileKind
    facts : mapping of str to str, optional
        What a new file says about itself; what one that is there says is compared in :meth:`_check`.
    threads : bool, default False
        Whether other threads may use it, one at a time.

    Raises
    ------
    SourceError
        If it cannot be opened, or is of another kind or version.

    Notes
    -----
    A file of an older version that the kind knows is brought over once; a copy of it, as it was, stays beside it, with
    the version in its name. A new file goes again where an error ends the ``with`` block before anything is in it.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        kind: FileKind,
        facts: Mapping[str, str] | None = None,
        *,
        threads: bool = False,
    ) -> None:
        self.path = path_of(path)
        self._kind = kind
        facts = dict(facts or {})
        # asked for by its whole path when it goes again: the process may be in another folder by then
        self._made = None if os.path.lexists(self.path) else self.path.absolute()
        try:
            self._database = sqlite3.connect(
                path, timeout=_PATIENCE, isolation_level=None, check_same_thread=not threads
            )
        except sqlite3.Error as error:
            raise SourceError(f"{self.path} cannot be opened as a {kind.noun}: {error}") from None
        try:
            self._open(facts)
            self._check(facts)
            self._bring_over()
        except BaseException:
            self._database.close()
            if self._made and self._made.is_file() and not self._made.stat().st_size:
                self._made.unlink()  # there was no room for it
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        try:
            if error is not None and self._made:
                self._remove_empty(self._made)
        finally:
            self.close()

    def close(self) -> None:
        """Close the file.

        Examples
        --------
        >>> import bounceanalytics as ba
        >>> ledger = ba.Ledger(":memory:")
        >>> ledger.close()
        """
        self._database.close()

    def _open(self, facts: Mapping[str, str]) -> None:
        """Make the tables of a new file, or check that it is of this kind and version."""
        try:
            self._database.execute("PRAGMA foreign_keys = ON")
            if self._application() != self._kind.application:
                # asked again once nobody else can write: two processes may make the same file
                with self._writing():
                    application = self._application()
                    (tables,) = self._database.execute("SELECT count(*) FROM sqlite_schema").fetchone()
                    if application != self._kind.application and not application and not tables:
                        self._make(facts)
                    elif application != self._kind.application:
                        raise SourceError(f"{self.path} is a database of another program; name a new file")
        except sqlite3.Error as error:
            raise self._failed(error) from None
        version = self._about("version")
        if version not in {str(known) for known in (self._kind.version, *self._kind.older)}:
            raise SourceError(f"{self.path} was written by another version ({version}); name a new file")

    def _bring_over(self) -> None:
        """Make a file of this version of an older one."""
        if self._about("version") == str(self._kind.version):
            return
        with self._writing():
            # asked again once nobody else can write: two processes may open the same file
            version = int(self._about("version") or 0)
            if version == self._kind.version:
                return
            self._keep_copy(version)
            rows = self._execute(
                "SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'about'"
            ).fetchall()
            for (index,) in self._execute(
                "SELECT name FROM sqlite_schema WHERE type = 'index' AND sql <> ''"
            ).fetchall():
                self._execute(f"DROP INDEX {index}")
            for (table,) in rows:
                self._execute(f"ALTER TABLE {table} RENAME TO old_{table}")
            for name in (self._kind.tables, self._kind.older[version]):
                for statement in read_statements(*name):
                    self._execute(statement)
            for (table,) in rows:
                self._execute(f"DROP TABLE old_{table}")
            self._execute("UPDATE about SET value = ? WHERE name = 'version'", [str(self._kind.version)])

    def _keep_copy(self, version: int) -> None:
        """Write the file, as it is, to another one beside it."""
        for number in itertools.count(1):
            added = f".version-{version}" + (f"-{number}" if number > 1 else "")
            copy = self.path.with_name(f"{self.path.stem}{added}{self.path.suffix}")
            if not copy.exists():
                break
        with (
            whole_file(copy, overwrite=False) as part,
            contextlib.closing(sqlite3.connect(part)) as there,
            # one that only reads: one that writes cannot be copied from
            contextlib.closing(sqlite3.connect(self.path)) as here,
        ):
            here.backup(there)

    def _remove_empty(self, path: Path) -> None:
        """Remove the file if nothing but its tables is in it."""
        with contextlib.suppress(sqlite3.Error, OSError):  # of another process that uses it
            # nobody else writes meanwhile; who waits to is refused, since the file is no longer there
            self._database.execute("BEGIN EXCLUSIVE")
            tables = self._database.execute(
                "SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'about'"
            ).fetchall()
            if any(
                self._database.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone() for (table,) in tables
            ):
                return
            if os.name == "nt":
                self._database.close()  # Windows removes no open file
            path.unlink()

    def _application(self) -> int:
        (number,) = self._database.execute("PRAGMA application_id").fetchone()
        return int(number)

    def _make(self, facts: Mapping[str, str]) -> None:
        for statement in (_ABOUT, *read_statements(*self._kind.tables)):
            self._database.execute(statement)
        about = {"version": str(self._kind.version), **facts}
        self._database.executemany("INSERT INTO about VALUES (?, ?)", about.items())
        self._database.execute(f"PRAGMA application_id = {self._kind.application}")

    def _check(self, facts: Mapping[str, str]) -> None:
        """Raise SourceError if the file is not the one that it was opened as; a kind with facts says how."""

    def _about(self, name: str) -> str | None:
        """Return a fact that the file states about itself."""
        row = self._execute("SELECT value FROM about WHERE name = ?", [name]).fetchone()
        return None if row is None else str(row[0])

    def _execute(self, sql: str, values: Sequence[Any] | dict[str, Any] = ()) -> sqlite3.Cursor:
        rows = self._database.cursor(_Rows)
        rows.failed = self._failed
        return rows.execute(sql, values)

    def _failed(self, error: sqlite3.Error) -> SourceError:
        """Return one sentence for what SQLite said."""
        name = getattr(error, "sqlite_errorname", "")
        if name == "SQLITE_NOTADB":
            return SourceError(f"{self.path} is no {self._kind.noun}; it is no SQLite database at all")
        if name == "SQLITE_READONLY_DBMOVED":
            return SourceError(f"{self.path} was removed by another process; try again")
        if name.startswith("SQLITE_READONLY"):
            return SourceError(f"{self.path} cannot be written; it is read-only")
        if name.startswith("SQLITE_BUSY"):
            return SourceError(f"{self.path} is being written by another process; try again later")
        if not name:  # what Python says shows the content
            return SourceError(f"{self.path} is damaged: it holds texts that are none; take a copy of it")
        return SourceError(f"{self.path} cannot be used as a {self._kind.noun}: {error}")

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """Make one transaction of what is done within; it takes place as a whole or not at all."""
        self._execute("BEGIN IMMEDIATE")
        try:
            yield
            self._execute("COMMIT")
        except sqlite3.Error as error:
            self._database.rollback()
            raise self._failed(error) from None
        except BaseException:
            self._database.rollback()
            raise


def now() -> int:
    """Return this moment, as such files hold it: microseconds since 1970."""
    return int(datetime.now(UTC).timestamp() * 1_000_000)


def microseconds(moment: datetime | str | None, what: str = "") -> int:
    """Return a moment, now if none is given, as such files hold it.

    Parameters
    ----------
    moment : datetime or str, optional
    what : str
        What an error calls it.

    Raises
    ------
    FrameError
        If it is no time.

    Examples
    --------
    >>> microseconds("1970-01-02")
    86400000000
    """
    if moment is None:
        return now()
    try:
        time = clocks.moment(moment).time
    except ValueError as error:
        raise FrameError(f"{what}: {error}" if what else str(error)) from None
    return int(time.timestamp()) * 1_000_000 + time.microsecond


def typed(rows: Sequence[Sequence[Any]], table: Table) -> pd.DataFrame:
    """Return rows of SQLite, which holds text and numbers only, as a frame; times are microseconds since 1970."""
    columns = zip(*rows, strict=True) if rows else ((),) * len(table.names)
    kinds = {"string": ARROW_STRING, "category": ARROW_STRING, "float64": pa.float64()}
    arrays = [
        pa.array(values, kinds.get(column.kind, pa.int64()))
        for column, values in zip(table, columns, strict=True)
    ]
    return table.frame(pa.table(arrays, names=table.names))

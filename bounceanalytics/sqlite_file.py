"""The file of a ledger: opening and checking it, and transactions that take place as a whole or not at all."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from bounceanalytics.database import read_statements
from bounceanalytics.errors import SourceError

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence

#: What a ledger of ours says in its header, so that no other database is taken for one ("bnce").
_APPLICATION = 0x626E6365
_VERSION = 1
#: How long to wait for another process that writes.
_PATIENCE = 60.0


class LedgerFile:
    """An SQLite file that is a ledger, of this version and this salt."""

    def __init__(self, path: str | os.PathLike[str], *, hashed: bool = False, salt_check: str = "") -> None:
        self.path = Path(path)
        self._salt_check = salt_check
        try:
            self._database = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None)
        except sqlite3.Error as error:
            raise SourceError(f"{self.path} cannot be opened as a ledger: {error}") from error
        try:
            self._open(hashed=hashed)
        except BaseException:
            self._database.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    @property
    def hashed(self) -> bool:
        """Whether the ledger holds hashes only."""
        return self._about("hashed") == "1"

    def _open(self, *, hashed: bool) -> None:
        """Make the tables of a new file, or check that it is a ledger, and of this salt."""
        try:
            self._database.execute("PRAGMA foreign_keys = ON")
            (application,) = self._database.execute("PRAGMA application_id").fetchone()
            if application != _APPLICATION:
                # asked again once nobody else can write: two processes may make the same ledger
                with self._writing():
                    (application,) = self._database.execute("PRAGMA application_id").fetchone()
                    (tables,) = self._database.execute("SELECT count(*) FROM sqlite_schema").fetchone()
                    if application != _APPLICATION and not application and not tables:
                        self._make(hashed)
                    elif application != _APPLICATION:
                        raise SourceError(f"{self.path} is a database of another program; name a new file")
        except sqlite3.Error as error:
            raise self._failed(error) from error
        version = self._about("version")
        if version != str(_VERSION):
            raise SourceError(f"{self.path} was written by another version ({version}); name a new file")
        if hashed and not self.hashed:
            raise SourceError(f"{self.path} holds addresses; a hashed ledger needs a file of its own")
        if self._about("salt") != self._salt_check:
            raise SourceError(
                f"{self.path} was made with another salt; without it nobody in it can be recognised"
            )

    def _make(self, hashed: bool) -> None:
        for statement in read_statements("suppressing", "ledger"):
            self._database.execute(statement)
        about = {"version": str(_VERSION), "hashed": str(int(hashed)), "salt": self._salt_check}
        self._database.executemany("INSERT INTO about VALUES (?, ?)", about.items())
        self._database.execute(f"PRAGMA application_id = {_APPLICATION}")

    def _about(self, name: str) -> str | None:
        row = self._execute("SELECT value FROM about WHERE name = ?", [name]).fetchone()
        return None if row is None else str(row[0])

    def _execute(self, sql: str, values: Sequence[Any] | dict[str, Any] = ()) -> sqlite3.Cursor:
        try:
            return self._database.execute(sql, values)
        except sqlite3.Error as error:
            raise self._failed(error) from error

    def _failed(self, error: sqlite3.Error) -> SourceError:
        """Return one sentence for what SQLite said."""
        if error.sqlite_errorname == "SQLITE_NOTADB":
            return SourceError(f"{self.path} is no ledger; it is no SQLite database at all")
        if error.sqlite_errorname.startswith("SQLITE_READONLY"):
            return SourceError(f"{self.path} cannot be written; it is read-only")
        if error.sqlite_errorname.startswith("SQLITE_BUSY"):
            return SourceError(f"{self.path} is being written by another process; try again later")
        return SourceError(f"{self.path} cannot be used as a ledger: {error}")

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """Make one transaction of what is done within; it takes place as a whole or not at all."""
        self._execute("BEGIN IMMEDIATE")
        try:
            yield
            self._execute("COMMIT")
        except sqlite3.Error as error:
            self._database.rollback()
            raise self._failed(error) from error
        except BaseException:
            self._database.rollback()
            raise

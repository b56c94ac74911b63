"""The file of a ledger: opening it, asking for keys, and its entries at a moment.

What changes a ledger is in ``suppressing``; ``cleaning`` asks it as well.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from bounceanalytics import schema
from bounceanalytics.addresses import normal_form, text_array
from bounceanalytics.database import read_statements
from bounceanalytics.errors import SourceError
from bounceanalytics.hashes import hash_addresses, salt_check
from bounceanalytics.sqlite_file import FileKind, SqliteFile, microseconds, typed

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    Addresses = str | Iterable[str] | pd.Series[str]

#: The number in the header spells "bnce".
_KIND = FileKind("ledger", 0x626E6365, 2, ("suppressing", "ledger"), {1: ("suppressing", "ledger_from_1")})

#: Temporary tables of one piece of work.
TABLES = ("asked", "before", "told", "touched", "after")
_ASKED = {"key": "TEXT", "address": "TEXT"}

#: The entries at a moment: a hold that is over keeps. What they were until then is the verdict ``standing``.
ENTRIES = """
(
    SELECT
        key, domain, reason, code, source, record, decided_at, first_seen, last_seen, hold_until, review_on,
        :hashes OR erased AS hashed,
        verdict AS standing,
        iif(coalesce(hold_until <= :at, 0), 'keep', verdict) AS verdict,
        iif(
            coalesce(hold_until <= :at, 0),
            'Kept: the hold is over since ' || date(hold_until / 1000000, 'unixepoch') || '.',
            explanation
        ) AS explanation
    FROM entries
)
"""

BATCH = 50_000


class LedgerFile(SqliteFile):
    """A file of this kind, with or without addresses.

    Parameters
    ----------
    path : path
    hashed : bool, default False
    salt : str, optional

    Raises
    ------
    SourceError
        If the file is no ledger, cannot be opened, or was made with another salt.
    """

    def __init__(
        self, path: str | os.PathLike[str], *, hashed: bool = False, salt: str | None = None
    ) -> None:
        self._salt = salt or ""
        super().__init__(path, _KIND, {"hashed": str(int(hashed)), "salt": salt_check(self._salt)})

    def _check(self, facts: Mapping[str, str]) -> None:
        if facts["hashed"] == "1" and not self.hashed:
            raise SourceError(f"{self.path} holds addresses; a hashed ledger needs a file of its own")
        if self._about("salt") != facts["salt"]:
            raise SourceError(
                f"{self.path} was made with another salt; without it nobody in it can be recognised"
            )

    @property
    def hashed(self) -> bool:
        """Whether the ledger holds hashes only."""
        return self._about("hashed") == "1"

    def _terms(self, at: datetime | str | None = None) -> dict[str, Any]:
        return {"at": microseconds(at), "hashes": self.hashed}

    def _frame(
        self,
        rest: str,
        values: Mapping[str, Any] | None = None,
        *,
        at: datetime | str | None = None,
        asked: bool = False,
    ) -> pd.DataFrame:
        """Return entries as a frame; ``rest`` is what follows FROM, of all or of those asked for."""
        columns = ", ".join(schema.LEDGER_COLUMNS.without("address", "hash").names)
        known = "CASE WHEN NOT hashed THEN key END AS address"
        source = ENTRIES
        if asked:
            known, source = "address", f"temp.asked CROSS JOIN {ENTRIES} USING (key)"
        rows = self._execute(
            f"SELECT {known}, CASE WHEN hashed THEN key END AS hash, {columns} FROM {source} {rest}",
            {**(values or {}), **self._terms(at)},
        ).fetchall()
        return typed(rows, schema.LEDGER_COLUMNS)

    def _addresses(self, addresses: Addresses) -> pa.Array:
        """Return the normal form of each address, once."""
        given = [addresses] if isinstance(addresses, str) else list(addresses)
        return pc.unique(normal_form(text_array(given)).drop_null())

    @contextlib.contextmanager
    def _asked(self, addresses: pa.Array, *, writing: bool = False) -> Iterator[pa.Array]:
        """Yield the keys of addresses in normal form, which are in the table ``asked``."""
        with self._writing() if writing else contextlib.nullcontext():
            keys, _ = self._keys(addresses)
            self._table("asked", _ASKED, pa.table({"key": keys, "address": addresses}))
            try:
                yield keys
            finally:
                self._drop(*TABLES)

    def _keys(self, addresses: pa.Array) -> tuple[pa.Array, pa.Array]:
        """Return under which keys addresses are in the ledger, and which of them were erased (GDPR)."""
        if self.hashed:
            return hash_addresses(addresses, self._salt), pa.repeat(pa.scalar(False), len(addresses))
        rows = self._execute("SELECT key FROM known WHERE erased").fetchall()
        if not rows:
            return addresses, pa.repeat(pa.scalar(False), len(addresses))
        hashes = hash_addresses(addresses, self._salt)
        erased = pc.is_in(hashes, text_array(key for (key,) in rows))
        return pc.if_else(erased, hashes, addresses), erased

    def _run(self, name: str, **terms: Any) -> None:
        """Run the statements of a text beside this module, each with those of the terms that it names."""
        for statement in read_statements("suppressing", name):
            self._execute(
                statement, {term: value for term, value in terms.items() if f":{term}" in statement}
            )

    def _table(self, name: str, columns: Mapping[str, str], rows: pa.Table, *, unique: str = "key") -> None:
        """Make a temporary table of rows."""
        titles = ", ".join(f"{column} {kind}" for column, kind in columns.items())
        self._execute(f"CREATE TEMP TABLE {name} ({titles}, PRIMARY KEY ({unique})) STRICT, WITHOUT ROWID")
        self._insert(f"temp.{name}", list(columns), rows)

    def _insert(self, table: str, columns: Sequence[str], rows: pa.Table, conflict: str = "") -> None:
        """Insert rows in the order of their first column, so that a table grows at its end."""
        first = rows.column(0)
        if not pc.all(pc.less_equal(first[:-1], first[1:]), min_count=0).as_py():
            rows = rows.sort_by(rows.column_names[0])
        marks = ", ".join("?" * len(columns))
        statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks}) {conflict}"
        for batch in rows.to_batches(BATCH):
            values = zip(*(column.to_pylist() for column in batch.columns), strict=True)
            self._database.executemany(statement, values)

    def _drop(self, *tables: str) -> None:
        for table in tables:
            self._execute(f"DROP TABLE IF EXISTS temp.{table}")


def suppressed(ledger: LedgerFile) -> pd.DataFrame:
    """Return the entries that remove or hold now."""
    return ledger._frame("WHERE verdict <> 'keep' ORDER BY key")  # noqa: SLF001 - of the class above


def lifted(ledger: LedgerFile) -> pd.Series:
    """Return up to when evidence counts no more, by key, of those who were lifted."""
    rows = ledger._execute("SELECT key, up_to FROM lifts ORDER BY key").fetchall()  # noqa: SLF001 - of the class above
    reach = pd.to_datetime([up_to for _, up_to in rows], unit="us", utc=True)
    return pd.Series(reach, index=pd.Index([key for key, _ in rows], dtype=schema.STRING))


def named(ledger: LedgerFile, hashes: Iterable[str], lists: Iterable[pa.Array]) -> dict[str, str]:
    """Return which of the addresses, in normal form, have one of the hashes."""
    wanted = text_array(hashes)
    found: dict[str, str] = {}
    for addresses in lists:
        given = pc.unique(addresses.drop_null())
        made = hash_addresses(given, ledger._salt)  # noqa: SLF001 - of the class above
        there = pc.is_in(made, wanted)
        found |= dict(zip(made.filter(there).to_pylist(), given.filter(there).to_pylist(), strict=True))
    return found

"""The suppression ledger: who is suppressed since when, why, and when to review, over many runs."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from bounceanalytics import schema
from bounceanalytics.addresses import column_text, domain_of, normal_form, text_array
from bounceanalytics.database import read_statements
from bounceanalytics.errors import FrameError, SourceError
from bounceanalytics.sqlite_file import FileKind, SqliteFile
from bounceanalytics.suppressing.hashing import hash_addresses, salt_check

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    Addresses = str | Iterable[str] | pd.Series[str]

#: The number in the header spells "bnce".
_KIND = FileKind("ledger", 0x626E6365, 1, ("suppressing", "ledger"))

#: What became of the rows of an update.
OUTCOMES = {
    "added": "new in the ledger",
    "changed": "another verdict or reason than before",
    "confirmed": "as they were",
    "lifted": "suppressed before, and may be mailed again",
    "older": "say less than the ledger knows already",
    "passed": "to keep, and not in the ledger",
}

_NEWS = {
    "key": "TEXT PRIMARY KEY",
    "hashed": "INTEGER",
    "domain": "TEXT",
    "verdict": "TEXT",
    "reason": "TEXT",
    "code": "TEXT",
    "explanation": "TEXT",
    "source": "TEXT",
    "record": "INTEGER",
    "decided_at": "INTEGER",
    "first_seen": "INTEGER",
    "last_seen": "INTEGER",
    "review_on": "INTEGER",
    "alive": "INTEGER",
    "hash": "TEXT",
}

_DELIVERIES = {"domain": "TEXT PRIMARY KEY", "delivered": "INTEGER"}

_TIMES = ("decided_at", "first_seen", "last_seen", "review_on")
_NEEDED = (
    "address", "domain", "verdict", "reason", "code", "explanation", "source", "record", "decided_at", "hold_until",
    "retry_on", "review_on", "first_seen", "last_seen", "last_delivered", "last_opened", "last_clicked",
)  # fmt: skip

_BATCH = 50_000


@dataclass(frozen=True)
class LedgerUpdate:
    """Result of an update; prints as a table.

    Attributes
    ----------
    rows : dict of str to int
        Verdicts ``given``, and how many were ``added``, ``changed``, ``confirmed``, ``lifted``, ``older`` (they say
        less than the ledger knows already) and ``passed`` (to keep, and not in the ledger); these add up to ``given``.

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> verdicts = ba.decide(ba.classify(ba.load(ba.samples() / "exports" / "ses").events))
    >>> with ba.Ledger(":memory:") as ledger:
    ...     update = ledger.update(verdicts)
    >>> isinstance(update, ba.LedgerUpdate), update.rows["given"] == len(verdicts)
    (True, True)
    """

    rows: dict[str, int] = field(default_factory=dict)

    def __repr__(self) -> str:
        width = max(len(f"{count:,}") for count in self.rows.values())
        lines = [f"{name:<10}{self.rows[name]:>{width},}  {what}" for name, what in OUTCOMES.items()]
        return "\n".join([*lines, f"{'= given':<10}{self.rows['given']:>{width},}"])


class Ledger(SqliteFile):
    """A suppression list that remembers, in one SQLite file.

    Parameters
    ----------
    path : path
        The file; made if it is not there.
    hashed : bool, default False
        Hold hashes instead of addresses. Said when a ledger is made; afterwards the file knows.
    salt : str, optional
        What is put before an address when it is hashed. It is not in the file, so keep it well: without it a hashed
        ledger recognises nobody.

    Raises
    ------
    SourceError
        If the file is no ledger, cannot be opened, or was made with another salt.

    See Also
    --------
    bounceanalytics.decide : Where the verdicts come from.

    Notes
    -----
    Every change is one transaction: it is there as a whole or not at all, also after a crash or a loss of power, and
    two processes that write take turns. The file is written with a rollback journal, which works on network drives and
    leaves no second file behind. Domains are kept in the clear in a hashed ledger too, since :meth:`domains` needs
    them; a domain with one mailbox tells who it is.

    References
    ----------
    https://www.sqlite.org/atomiccommit.html

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> verdicts = ba.decide(ba.classify(ba.load(ba.samples() / "exports" / "ses").events))
    >>> with Ledger(":memory:") as ledger:
    ...     first = ledger.update(verdicts).rows["added"]
    ...     again = ledger.update(verdicts).rows["added"]
    >>> first > 0, again
    (True, 0)
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

    def __len__(self) -> int:
        return sum(count for verdict, count in self._counts().items() if verdict != "keep")

    def __repr__(self) -> str:
        counts = self._counts()
        kind = "hashes" if self.hashed else "addresses"
        return (
            f"{self.path}: {counts.get('remove', 0):,} {kind} suppressed, {counts.get('hold', 0):,} held, "
            f"{counts.get('keep', 0):,} lifted"
        )

    def update(self, verdicts: pd.DataFrame, *, run: str | None = None) -> LedgerUpdate:
        """Bring the ledger up to date with the verdicts of a run.

        Parameters
        ----------
        verdicts : pandas.DataFrame
            As :func:`bounceanalytics.decide` returns them.
        run : str, optional
            What to call the run in :meth:`history`.

        Returns
        -------
        LedgerUpdate
            Counts of what became of the rows; they add up.

        Raises
        ------
        FrameError
            If it is no frame of verdicts, or an address has more than one.
        SourceError
            If the ledger cannot be written.

        Notes
        -----
        The later evidence counts, not the later update. An entry is lifted by a verdict ``keep`` that knows of a sign
        of life after the entry's evidence, or that knows all of the evidence and decides otherwise (another policy, or
        a hold that is over). What :meth:`lift` took off comes back with later evidence only. A complaint or an
        unsubscribe, and an undated entry of an ESP's list, stay until :meth:`lift`. Giving the same verdicts twice
        changes nothing.

        Examples
        --------
        >>> import bounceanalytics as ba
        >>> verdicts = ba.decide(ba.classify(ba.load(ba.samples() / "exports" / "ses").events))
        >>> ledger = ba.Ledger(":memory:")
        >>> rows = ledger.update(verdicts, run="March").rows
        >>> rows["given"] == len(verdicts), rows["added"] == len(ledger)
        (True, True)
        """
        schema.DECISION_COLUMNS.require(verdicts, _NEEDED)
        unknown = set(verdicts["verdict"].astype("str").unique()) - set(schema.VERDICTS)
        if unknown:
            names = ", ".join(map(repr, sorted(unknown)))
            raise FrameError(f"verdict holds {names}; it may be {', '.join(schema.VERDICTS)}")
        news = self._news(verdicts)
        repeated = len(news) - pc.count_distinct(news["key"]).as_py()
        if repeated:
            raise FrameError(f"{repeated:,} addresses have more than one verdict; keep one row for each")
        with self._writing():
            heard = self._heard(news)
            self._insert("news", _NEWS, news.filter(heard).select(list(_NEWS)).sort_by("key"))
            self._insert("deliveries", _DELIVERIES, _last_deliveries(news))
            # an address that is hashed or erased (GDPR) never comes in by name
            self._execute(
                "UPDATE temp.news SET key = hash, hashed = 1, source = NULL, record = NULL "
                "WHERE ? OR hash IN (SELECT key FROM entries WHERE hashed)",
                [self.hashed],
            )
            named = {"made_at": _now(), "run": run}
            for statement in read_statements("suppressing", "ledger_update"):
                self._execute(statement, named if ":made_at" in statement else {})
            outcomes = dict(self._execute("SELECT outcome, count(*) FROM temp.outcomes GROUP BY outcome"))
            for table in ("outcomes", "news", "deliveries"):
                self._execute(f"DROP TABLE temp.{table}")
        outcomes["passed"] = outcomes.get("passed", 0) + len(news) - (pc.sum(heard).as_py() or 0)
        return LedgerUpdate({"given": len(verdicts)} | {name: outcomes.get(name, 0) for name in OUTCOMES})

    def _heard(self, news: pa.Table) -> pa.Array:
        """Return which rows can change anything: those to suppress or to hold, and those on entries."""
        heard = pc.not_equal(news["verdict"], "keep").combine_chunks()
        cursor = self._execute("SELECT key FROM entries")
        while keys := cursor.fetchmany(_BATCH):
            known = pa.array([key for (key,) in keys], schema.ARROW_STRING)
            for name in ("key", "hash"):
                heard = pc.or_(heard, pc.is_in(news[name].combine_chunks(), known))
        return heard

    def _insert(self, table: str, columns: Mapping[str, str], rows: pa.Table) -> None:
        """Make a temporary table of rows, which are in the order of their key."""
        titles = ", ".join(f"{name} {kind}" for name, kind in columns.items())
        self._execute(f"CREATE TEMP TABLE {table} ({titles}) STRICT, WITHOUT ROWID")
        marks = ", ".join("?" * len(columns))
        for batch in rows.to_batches(_BATCH):
            values = zip(*(column.to_pylist() for column in batch.columns), strict=True)
            self._database.executemany(f"INSERT INTO temp.{table} VALUES ({marks})", values)

    def entries(self, *, domain: str | None = None, reason: str | None = None) -> pd.DataFrame:
        """Return what is in the ledger.

        Parameters
        ----------
        domain, reason : str, optional
            Only those.

        Returns
        -------
        pandas.DataFrame
            One row per entry, by domain and key.

            =============== ===================================================================
            ``address``     string: in normal form; missing where only a hash is known
            ``hash``        string: hash of the address, where only that is known
            ``domain``      string: its domain
            ``verdict``     string: 'remove', 'hold', or 'keep' once lifted
            ``reason``      string: what speaks against the address
            ``code``        string: enhanced code, else reply code
            ``explanation`` string: the verdict as a sentence
            ``source``      string: file that the deciding event came from
            ``record``      Int64: number of the record in that file
            ``decided_at``  timestamp, UTC: time of the deciding event
            ``first_seen``  timestamp, UTC: first event of all
            ``last_seen``   timestamp, UTC: last event of all
            ``review_on``   timestamp, UTC: day on which to look at it again; missing for never
            =============== ===================================================================

        Examples
        --------
        >>> import bounceanalytics as ba
        >>> verdicts = ba.decide(ba.classify(ba.load(ba.samples() / "exports" / "ses").events))
        >>> ledger = ba.Ledger(":memory:")
        >>> updated = ledger.update(verdicts)
        >>> ledger.entries(reason="system_full")["domain"].unique().tolist()
        ['northquay.example', 'saltworks.example']
        """
        wanted, values = ["TRUE"], []
        for name, value in (("domain", domain), ("reason", reason)):
            if value is not None:
                wanted.append(f"{name} = ?")
                values.append(value)
        return self._frame(f"WHERE {' AND '.join(wanted)} ORDER BY domain, key", values)

    def verdicts(self) -> pd.DataFrame:
        """Return the addresses that are suppressed or held, for ``clean`` and ``export_suppressions``.

        Entries of which only a hash is known are not among them; :meth:`match` finds those in a list.

        Returns
        -------
        pandas.DataFrame
            Columns of :meth:`entries` but ``hash``.

        Examples
        --------
        >>> import bounceanalytics as ba
        >>> verdicts = ba.decide(ba.classify(ba.load(ba.samples() / "exports" / "ses").events))
        >>> ledger = ba.Ledger(":memory:")
        >>> updated = ledger.update(verdicts)
        >>> len(ledger.verdicts()) == (verdicts["verdict"] != "keep").sum()
        np.True_
        """
        return self._frame("WHERE verdict <> 'keep' AND hashed = 0 ORDER BY key").drop(columns="hash")

    def match(self, addresses: Addresses) -> pd.DataFrame:
        """Return verdicts on those of the given addresses that are in the ledger, by address or by hash.

        Parameters
        ----------
        addresses : str, iterable of str or pandas.Series
            Such as the column of a mailing list.

        Returns
        -------
        pandas.DataFrame
            Columns of :meth:`verdicts`, ``address`` in normal form, one row per address that is suppressed or held.
            :func:`bounceanalytics.clean` takes it as it takes verdicts.

        Examples
        --------
        >>> import bounceanalytics as ba
        >>> verdicts = ba.decide(ba.classify(ba.load(ba.samples() / "exports" / "ses").events))
        >>> ledger = ba.Ledger(":memory:")
        >>> updated = ledger.update(verdicts)
        >>> gone = verdicts.loc[verdicts["verdict"] == "remove", "address"].iloc[0]
        >>> ledger.match([gone.upper(), "nobody@example.com"])["verdict"].tolist()
        ['remove']
        """
        keys = self._keys(addresses)
        with self._given(keys):
            found = self._frame(
                "JOIN temp.given ON given.key = entries.key OR given.hash = entries.key "
                "WHERE verdict <> 'keep' ORDER BY given.key",
                address="given.key",
            )
        return found.drop(columns="hash").drop_duplicates("address").reset_index(drop=True)

    def due(self, date: datetime | str | None = None) -> pd.DataFrame:
        """Return the entries to look at again by a date, longest due first.

        Parameters
        ----------
        date : datetime or str, optional
            Now if not given.

        Returns
        -------
        pandas.DataFrame
            Columns of :meth:`entries`. Of a held address the date is the earlier of its retry and the end of its hold.

        Raises
        ------
        FrameError
            If ``date`` is not a date.

        Examples
        --------
        >>> import bounceanalytics as ba
        >>> verdicts = ba.decide(ba.classify(ba.load(ba.samples() / "exports" / "ses").events))
        >>> ledger = ba.Ledger(":memory:")
        >>> updated = ledger.update(verdicts)
        >>> ledger.due("2027-06-01")["review_on"].is_monotonic_increasing
        True
        """
        return self._frame(
            "WHERE review_on <= ? AND verdict <> 'keep' ORDER BY review_on, domain, key",
            [_microseconds(date)],
        )

    def reviewed(self, addresses: Addresses, next_review: datetime | str | None = None) -> int:
        """Note that entries were looked at, and when to do so again.

        Parameters
        ----------
        addresses : str, iterable of str or pandas.Series
        next_review : datetime or str, optional
            Never again if not given.

        Returns
        -------
        int
            How many entries that were.

        Examples
        --------
        >>> import bounceanalytics as ba
        >>> verdicts = ba.decide(ba.classify(ba.load(ba.samples() / "exports" / "ses").events))
        >>> ledger = ba.Ledger(":memory:")
        >>> updated = ledger.update(verdicts)
        >>> gone = verdicts.loc[verdicts["verdict"] == "remove", "address"].iloc[0]
        >>> ledger.reviewed(gone, next_review="2027-01-01")
        1
        >>> gone in set(ledger.due("2027-01-01")["address"])
        True
        """
        due = None if next_review is None else _microseconds(next_review)
        return self._change(addresses, "SET review_on = ?", [due], "verdict <> 'keep'", None, "reviewed")

    def lift(self, addresses: Addresses, why: str) -> int:
        """Take addresses off, complaints and unsubscribes too; their history stays.

        Parameters
        ----------
        addresses : str, iterable of str or pandas.Series
        why : str
            For the history, such as "subscribed again on our page".

        Returns
        -------
        int
            How many entries that were.

        Examples
        --------
        >>> import bounceanalytics as ba
        >>> verdicts = ba.decide(ba.classify(ba.load(ba.samples() / "exports" / "ses").events))
        >>> ledger = ba.Ledger(":memory:")
        >>> updated = ledger.update(verdicts)
        >>> gone = verdicts.loc[verdicts["verdict"] == "remove", "address"].iloc[0]
        >>> ledger.lift(gone, "subscribed again on our page")
        1
        >>> ledger.match(gone).empty
        True
        """
        return self._change(
            addresses,
            "SET verdict = 'keep', review_on = NULL, lifted = 1",
            [],
            "verdict <> 'keep'",
            "keep",
            why,
        )

    def forget(self, addresses: Addresses) -> int:
        """Erase addresses and what was said of them, and go on suppressing them by their hash.

        Parameters
        ----------
        addresses : str, iterable of str or pandas.Series

        Returns
        -------
        int
            How many entries that were. Nothing of their addresses is left in the file.

        Examples
        --------
        >>> import bounceanalytics as ba
        >>> verdicts = ba.decide(ba.classify(ba.load(ba.samples() / "exports" / "ses").events))
        >>> ledger = ba.Ledger(":memory:")
        >>> updated = ledger.update(verdicts)
        >>> gone = verdicts.loc[verdicts["verdict"] == "remove", "address"].iloc[0]
        >>> ledger.forget(gone)
        1
        >>> gone in set(ledger.entries()["address"]), ledger.match(gone)["verdict"].tolist()
        (False, ['remove'])
        """
        self._execute("PRAGMA secure_delete = ON")
        with self._writing(), self._given(self._keys(addresses)):
            (count,) = self._execute(
                "SELECT count(*) FROM entries JOIN temp.given USING (key) WHERE hashed = 0"
            ).fetchone()
            self._execute(
                "UPDATE changes SET why = NULL, key = given.hash FROM temp.given WHERE changes.key = given.key"
            )
            self._execute(
                "UPDATE OR REPLACE entries SET key = given.hash, hashed = 1, explanation = NULL, source = NULL, "
                "record = NULL FROM temp.given WHERE entries.key = given.key"
            )
        self._execute("VACUUM")
        return int(count)

    def history(self, addresses: Addresses) -> pd.DataFrame:
        """Return every change of the given addresses, oldest first.

        Returns
        -------
        pandas.DataFrame
            One row per change.

            ================== =======================================================
            ``made_at``        timestamp, UTC: when the entry was changed
            ``run``            string: name of the run
            ``verdict_before`` string: the verdict until then; missing for a new entry
            ``verdict``        string: the verdict since
            ``reason``         string: what speaks against the address
            ``why``            string: what was said of the change
            ``address``        string: in normal form
            ================== =======================================================

        Examples
        --------
        >>> import bounceanalytics as ba
        >>> verdicts = ba.decide(ba.classify(ba.load(ba.samples() / "exports" / "ses").events))
        >>> ledger = ba.Ledger(":memory:")
        >>> updated = ledger.update(verdicts)
        >>> gone = verdicts.loc[verdicts["verdict"] == "remove", "address"].iloc[0]
        >>> lifted = ledger.lift(gone, "asked to")
        >>> ledger.history(gone)["why"].iloc[-1]
        'asked to'
        """
        with self._given(self._keys(addresses)):
            rows = self._execute(
                "SELECT made_at, run, verdict_before, verdict, reason, why, given.key FROM changes "
                "JOIN temp.given ON changes.key IN (given.key, given.hash) ORDER BY number"
            ).fetchall()
        return _typed(rows, schema.LEDGER_HISTORY_COLUMNS)

    def domains(self, at: datetime | str | None = None) -> pd.DataFrame:
        """Return the domains whose mail system was full (5.3.1), and whether they have recovered.

        Parameters
        ----------
        at : datetime or str, optional
            The moment that the advice is for; now if not given.

        Returns
        -------
        pandas.DataFrame
            One row per domain, those still full first.

            ================== ===================================================
            ``domain``         string: domain
            ``suppressed``     int64: addresses that are suppressed or held for it
            ``first_full``     timestamp, UTC: when it was full first
            ``last_full``      timestamp, UTC: when it was full last
            ``last_delivered`` timestamp, UTC: when it last took mail
            ``recovered``      bool: it took mail after it was last full
            ``advice``         string: what to do with its addresses
            ================== ===================================================

        Examples
        --------
        >>> import bounceanalytics as ba
        >>> verdicts = ba.decide(ba.classify(ba.load(ba.samples() / "exports" / "ses").events))
        >>> ledger = ba.Ledger(":memory:")
        >>> updated = ledger.update(verdicts)
        >>> ledger.domains(at="2027-06-01")[["domain", "recovered"]].to_dict("records")
        [{'domain': 'saltworks.example', 'recovered': False}, {'domain': 'northquay.example', 'recovered': True}]
        """
        rows = self._execute(
            "SELECT domain, (SELECT count(*) FROM entries WHERE entries.domain = full_domains.domain "
            "AND reason = 'system_full' AND verdict <> 'keep'), first_full, last_full, last_delivered, "
            "coalesce(last_delivered > coalesce(last_full, 0), 0) AS recovered "
            "FROM full_domains ORDER BY recovered, last_full DESC, domain"
        ).fetchall()
        found = _typed(rows, schema.LEDGER_DOMAIN_COLUMNS.without("advice"))
        moment = pd.Timestamp(_microseconds(at), unit="us", tz="UTC")
        advice = [
            _advice(suppressed, recovered, last, moment)
            for suppressed, recovered, last in zip(
                found["suppressed"], found["recovered"], found["last_full"], strict=True
            )
        ]
        return schema.LEDGER_DOMAIN_COLUMNS.frame(found.assign(advice=advice))

    def _counts(self) -> dict[str, int]:
        return dict(self._execute("SELECT verdict, count(*) FROM entries GROUP BY verdict").fetchall())

    def _news(self, verdicts: pd.DataFrame) -> pa.Table:
        """Return verdicts as the rows of the table news."""
        addresses = normal_form(column_text(verdicts["address"]))
        columns: dict[str, pa.Array] = {
            "key": addresses,
            "hash": hash_addresses(addresses, self._salt),
            "hashed": pa.repeat(pa.scalar(0, pa.int64()), len(verdicts)),
            "domain": pc.fill_null(domain_of(addresses), ""),
        }
        for name in ("verdict", "reason", "code", "explanation", "source"):
            columns[name] = column_text(verdicts[name])
        columns["record"] = pa.array(verdicts["record"], pa.int64())
        times = {
            name: _stored(verdicts[name]) for name in (*_TIMES, "hold_until", "retry_on", "last_delivered")
        }
        columns |= {name: times[name] for name in _TIMES}
        life = pc.max_element_wise(*(_stored(verdicts[f"last_{sign}"]) for sign in schema.SIGNS_OF_LIFE))
        held = pc.min_element_wise(times["hold_until"], times["retry_on"])
        columns["review_on"] = pc.if_else(pc.equal(columns["verdict"], "hold"), held, times["review_on"])
        columns["alive"] = life
        columns["last_delivered"] = times["last_delivered"]
        return pa.table({name: columns[name] for name in (*_NEWS, "last_delivered")})

    def _frame(self, rest: str, values: Sequence[Any] = (), *, address: str | None = None) -> pd.DataFrame:
        """Return entries as a frame; ``rest`` is what follows FROM entries."""
        address = address or "CASE WHEN hashed THEN NULL ELSE entries.key END"
        columns = ", ".join(schema.LEDGER_COLUMNS.without("address", "hash").names)
        rows = self._execute(
            f"SELECT {address}, CASE WHEN hashed THEN entries.key END, {columns} FROM entries {rest}", values
        ).fetchall()
        return _typed(rows, schema.LEDGER_COLUMNS)

    def _keys(self, addresses: Addresses) -> pa.Array:
        """Return the normal form of each address, once."""
        given = [addresses] if isinstance(addresses, str) else list(addresses)
        known = normal_form(text_array(given))
        return pc.unique(known.drop_null())

    @contextlib.contextmanager
    def _given(self, keys: pa.Array) -> Iterator[None]:
        """Register the table ``given`` of addresses in normal form and their hashes."""
        self._execute("CREATE TEMP TABLE given (key TEXT PRIMARY KEY, hash TEXT) STRICT")
        try:
            pairs = zip(keys.to_pylist(), hash_addresses(keys, self._salt).to_pylist(), strict=True)
            self._database.executemany("INSERT INTO temp.given VALUES (?, ?)", pairs)
            self._execute("CREATE INDEX temp.given_by_hash ON given (hash)")
            yield
        finally:
            self._execute("DROP TABLE temp.given")

    def _change(
        self, addresses: Addresses, setting: str, values: list[Any], where: str, verdict: str | None, why: str
    ) -> int:
        """Change entries of the given addresses, and note it; return how many."""
        with self._writing(), self._given(self._keys(addresses)):
            mine = f"key IN (SELECT key FROM temp.given UNION ALL SELECT hash FROM temp.given) AND {where}"
            noted = self._execute(
                "INSERT INTO changes (key, made_at, verdict_before, verdict, reason, why) "
                f"SELECT key, ?, verdict, coalesce(?, verdict), reason, ? FROM entries WHERE {mine}",
                [_now(), verdict, why],
            )
            self._execute(f"UPDATE entries {setting} WHERE {mine}", values)
        return noted.rowcount


def _last_deliveries(news: pa.Table) -> pa.Table:
    """Return when each domain last took mail, whoever it was."""
    last = news.select(["domain", "last_delivered"]).group_by("domain").aggregate([("last_delivered", "max")])
    known = last.filter(pc.is_valid(last["last_delivered_max"]))
    return known.select(["domain", "last_delivered_max"]).sort_by("domain")


def _stored(values: pd.Series) -> pa.Array:
    """Return times as microseconds since 1970."""
    try:
        times = pa.array(pd.to_datetime(values, utc=True), schema.ARROW_TIME)
    except (TypeError, ValueError) as error:
        raise FrameError(f"{values.name} must hold times, as decide() makes them") from error
    return times.cast(pa.int64())


def _microseconds(moment: datetime | str | None) -> int:
    if moment is None:
        return _now()
    try:
        time = pd.Timestamp(moment)
    except (TypeError, ValueError) as error:
        raise FrameError(f"{moment!r} is no date; write it like 2026-11-30") from error
    time = time if time.tzinfo else time.tz_localize("UTC")
    return int(time.value // 1000)


def _now() -> int:
    return int(datetime.now(UTC).timestamp() * 1_000_000)


def _typed(rows: list[tuple[Any, ...]], table: schema.Table) -> pd.DataFrame:
    """Return rows of SQLite, which holds text and numbers only; times are microseconds since 1970."""
    columns = zip(*rows, strict=True) if rows else ((),) * len(table.names)
    arrays = [
        pa.array(values, column.arrow if column.kind == "string" else pa.int64())
        for column, values in zip(table, columns, strict=True)
    ]
    return table.frame(pa.table(arrays, names=table.names))


def _advice(suppressed: int, recovered: bool, last_full: pd.Timestamp, moment: pd.Timestamp) -> str:
    """Return what the page on 5.3.1 would have one do."""
    if recovered and suppressed:
        return f"takes mail again: try the {suppressed:,} suppressed addresses once more, a few at a time"
    if recovered:
        return "takes mail again; nothing to do"
    if pd.notna(last_full) and (moment - last_full).days > _LONG:
        return f"no delivery for {(moment - last_full).days:,} days: leave its addresses off the list"
    return "still full as far as is known: keep its addresses suppressed, and look again in some weeks"


#: Days after which a domain that was full is not expected to come back.
_LONG = 180

"""Changes of a ledger: verdicts of runs, entries by hand, reviews, lifts, and that somebody is forgotten."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from bounceanalytics import schema
from bounceanalytics.addresses import problem, text_array
from bounceanalytics.database import read_sql
from bounceanalytics.domains.contacting import CONCERNS
from bounceanalytics.errors import FrameError
from bounceanalytics.hashes import hash_addresses
from bounceanalytics.ledger_file import BATCH, TABLES, LedgerFile
from bounceanalytics.sqlite_file import microseconds, now
from bounceanalytics.suppressing.evidence import (
    WORDS,
    domains_of,
    evidence_by_hand,
    evidence_of,
    read_verdicts,
)
from bounceanalytics.suppressing.ledger_update import OUTCOMES, LedgerUpdate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from bounceanalytics.ledger_file import Addresses

#: How the history says that somebody should look at an entry.
_TO_REVIEW = "to review"
#: What is said of addresses at domains without a name or a mail server.
_NAMELESS = (*CONCERNS["gone"], *CONCERNS["unreachable"])

_KNOWN = ("key", "first_seen", "last_seen", "alive")
_NEWS = {
    "key": "TEXT",
    "verdict": "TEXT",
    "reason": "TEXT",
    "decided_at": "INTEGER",
    "alive": "INTEGER",
}
_HASHES = {"key": "TEXT", "hash": "TEXT"}
_DOMAINS = ("domain", "first_full", "last_full", "last_delivered", "was_full")
_LATER = """
ON CONFLICT (key) DO UPDATE SET
    first_seen = coalesce(min(first_seen, excluded.first_seen), first_seen, excluded.first_seen),
    last_seen = coalesce(max(last_seen, excluded.last_seen), last_seen, excluded.last_seen),
    alive = coalesce(max(alive, excluded.alive), alive, excluded.alive)
WHERE
    excluded.first_seen < coalesce(first_seen, excluded.first_seen + 1)
    OR excluded.last_seen > coalesce(last_seen, excluded.last_seen - 1)
    OR excluded.alive > coalesce(alive, excluded.alive - 1)
"""

_WIDER = """
ON CONFLICT (domain) DO UPDATE SET
    first_full = coalesce(min(first_full, excluded.first_full), first_full, excluded.first_full),
    last_full = coalesce(max(last_full, excluded.last_full), last_full, excluded.last_full),
    last_delivered = coalesce(max(last_delivered, excluded.last_delivered), last_delivered, excluded.last_delivered),
    was_full = max(was_full, excluded.was_full)
"""


class LedgerWriting(LedgerFile):
    """A ledger that is changed, each time in one transaction."""

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
        The ledger keeps what every update told, and an entry follows from all of it: any order of updates, and any
        number of repetitions, ends in the same entries. It goes by the time of events, never by that of the update:

        * A delivery, an open or a click clears the failures before it, whichever was loaded first. Without one, a
          removal stays a removal: a full mailbox after it does not soften it.
        * Of verdicts with the same ``decided_at`` that of the run counts which knows the address from earlier on, then
          up to later; of equals that of the newer run, whose last event of all is later. This is how another policy
          gets its say. Between runs that end at the same event, the severer verdict counts.
        * A complaint or an unsubscribe comes before everything else, and stays until :meth:`lift`; an unsubscribe also
          until a run knows of it and mails on, as the reader has come back. So does an undated entry of an ESP's list.
        * What was lifted comes back with evidence that is later than the lift reaches: see :meth:`lift`.
        * A hold ends on its day. Of several, that which lasts longest counts.

        Of addresses that are kept, too, the file holds the first and the last event and the last sign of life; else an
        old export that is loaded late would suppress the living. It grows with what is new, not with repetition.

        Examples
        --------
        >>> import bounceanalytics as ba
        >>> verdicts = ba.decide(ba.classify(ba.load(ba.samples() / "exports" / "ses").events))
        >>> ledger = ba.Ledger(":memory:")
        >>> rows = ledger.update(verdicts, run="March").rows
        >>> rows["given"] == len(verdicts), rows["added"] == len(ledger.entries())
        (True, True)
        """
        told = read_verdicts(verdicts)
        with self._writing():
            told = self._keyed(told)
            words = evidence_of(told)
            spoken = pc.is_in(told["key"], words["key"].combine_chunks())
            news = told.filter(pc.or_(spoken, self._has_evidence(told["key"])))
            self._table("asked", _NEWS, news.select(list(_NEWS)))
            with self._judged(run=run):
                self._table("told", WORDS, words, unique="key, class")
                self._run("ledger_update")
                self._insert("known", _KNOWN, told.select(_KNOWN), _LATER)
                self._insert("domains", _DOMAINS, domains_of(told), _WIDER)
                self._run("ledger_told")
            counts = dict(self._execute(read_sql("suppressing", "ledger_outcomes")).fetchall())
            self._drop(*TABLES)
        counts["passed"] = counts.get("passed", 0) + len(told) - len(news)
        return LedgerUpdate({"given": len(told)} | {name: counts.get(name, 0) for name in OUTCOMES})

    def add(self, addresses: Addresses, *, reason: str, why: str, until: datetime | str | None = None) -> int:
        """Enter addresses by hand; no delivery takes them off, only :meth:`lift` or their day.

        Parameters
        ----------
        addresses : str, iterable of str or pandas.Series
        reason : str
            Such as ``unsubscribed``, or a word of your own. Complaints and unsubscribes are wishes here, too.
        why : str
            For the history, such as "asked for it on the phone".
        until : datetime or str, optional
            The day on which the entry ends. Until then the addresses are held; if not given, they are removed.

        Returns
        -------
        int
            How many addresses that were. An earlier entry by hand is replaced.

        Raises
        ------
        FrameError
            If there is something else than addresses, ``reason`` is empty, or ``until`` is not a date.

        Examples
        --------
        >>> import bounceanalytics as ba
        >>> ledger = ba.Ledger(":memory:")
        >>> ledger.add("ann@example.com", reason="unsubscribed", why="asked for it on the phone")
        1
        >>> ledger.add("bo@example.com", reason="holidays", why="is away", until="2027-01-07")
        1
        >>> ledger.entries(at="2027-01-08")["verdict"].tolist()
        ['remove', 'keep']
        """
        known = self._addresses(addresses)
        wrong = len(known) - problem(known).null_count
        if wrong:
            raise FrameError(f"{wrong:,} of {len(known):,} texts are no addresses; nothing was entered")
        if not reason.strip():
            raise FrameError("reason is empty; say in a word why the addresses are entered")
        end = None if until is None else microseconds(until)
        with self._asked(known, writing=True) as keys, self._judged(why=why):
            # later than every lift, whatever the clock says
            ((last,),) = self._execute(
                "SELECT max(made_at) FROM lifts WHERE key IN (SELECT key FROM temp.asked)"
            ).fetchall()
            moment = max(now(), (last or 0) + 1)
            self._execute("INSERT OR IGNORE INTO known (key) SELECT key FROM temp.asked")
            self._execute(
                "DELETE FROM evidence WHERE class = 'manual' AND key IN (SELECT key FROM temp.asked)"
            )
            words = evidence_by_hand(keys, known, moment, reason, why, end)
            self._table("told", WORDS, words, unique="key, class")
            self._run("ledger_told")
            self._touch()
        return len(known)

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
        due = None if next_review is None else microseconds(next_review)
        with self._asked(self._addresses(addresses), writing=True):
            noted = self._execute(
                "INSERT INTO changes (key, made_at, verdict_before, verdict, reason, why) "
                "SELECT key, ?, verdict, verdict, reason, 'reviewed' FROM temp.asked CROSS JOIN entries USING (key) "
                "WHERE verdict <> 'keep'",
                [now()],
            )
            self._execute(
                "INSERT OR REPLACE INTO reviews "
                "SELECT key, moment, ? FROM temp.asked CROSS JOIN entries USING (key) WHERE verdict <> 'keep'",
                [due],
            )
        return noted.rowcount

    def review(self, recovered: pd.DataFrame, *, at: datetime | str | None = None) -> int:
        """Have the addresses at recovered domains looked at: they are due from today on, and stay suppressed.

        Parameters
        ----------
        recovered : pandas.DataFrame
            As :meth:`bounceanalytics.Monitor.recovered` returns it.
        at : datetime or str, optional
            The day from which on they are due; today if not given.

        Returns
        -------
        int
            How many entries that were. Those that are due already, that came up for the same recovery before, or that
            somebody has looked at since are not among them, so a daily run brings up nobody twice.

        Raises
        ------
        FrameError
            If columns are missing, or ``at`` is not a date.

        Notes
        -----
        They are entries that were made before the recovery, and for what was wrong with the domain: that it was full,
        gone, unreachable or refused everybody. Complaints, unsubscribes, entries by hand and mailboxes that do not
        exist are none. :meth:`due` lists them, :meth:`history` says why; :meth:`reviewed` and :meth:`lift` are yours.

        Examples
        --------
        >>> import bounceanalytics as ba
        >>> bounces = ba.classify(ba.load(ba.samples() / "exports" / "ses").events)
        >>> monitor, ledger = ba.Monitor(":memory:"), ba.Ledger(":memory:")
        >>> changes, updated = monitor.update(bounces), ledger.update(ba.decide(bounces))
        >>> up, again = ledger.review(monitor.recovered()), ledger.review(monitor.recovered())
        >>> up == len(ledger.history(ledger.due()["address"]).query("why.str.startswith('to review')")), again
        (True, 0)
        """
        frame = schema.MONITOR_RECOVERY_COLUMNS.require(recovered, ["domain", "was", "recovered"])
        day = microseconds(pd.Timestamp(microseconds(at), unit="us", tz="UTC").normalize())
        told = zip(
            frame["domain"],
            frame["was"].astype(schema.STRING),
            pd.to_datetime(frame["recovered"], utc=True),
            strict=True,
        )
        rows = [
            (
                domain,
                microseconds(moment),
                json.dumps(CONCERNS.get(was, _NAMELESS)),
                f"{_TO_REVIEW}: {domain} takes mail again since {moment:%Y-%m-%d}",
            )
            for domain, was, moment in told
            if pd.notna(moment)
        ]
        with self._writing():
            self._execute(
                "CREATE TEMP TABLE recovered "
                "(domain TEXT PRIMARY KEY, moment INTEGER, reasons TEXT, why TEXT) STRICT, WITHOUT ROWID"
            )
            self._database.executemany("INSERT OR REPLACE INTO temp.recovered VALUES (?, ?, ?, ?)", rows)
            self._run("ledger_review", made_at=now(), day=day)
            ((number,),) = self._execute("SELECT count(*) FROM temp.asked").fetchall()
            self._drop("recovered", *TABLES)
        return int(number)

    def lift(self, addresses: Addresses, why: str, *, at: datetime | str | None = None) -> int:
        """Take addresses off, complaints and unsubscribes too; their history stays.

        Parameters
        ----------
        addresses : str, iterable of str or pandas.Series
        why : str
            For the history, such as "subscribed again on our page".
        at : datetime or str, optional
            Up to where the lift reaches: evidence of that moment or before counts no more, also where it is told only
            later. If not given, it reaches up to the last event that the ledger knows of the address, and addresses
            that are not suppressed are passed over.

        Returns
        -------
        int
            How many entries that were.

        Raises
        ------
        FrameError
            If ``at`` is not a date.

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
        reach = None if at is None else microseconds(at)
        with self._asked(self._addresses(addresses), writing=True):
            with self._judged(why=why):
                self._run("ledger_lift", reach=reach, made_at=now(), why=why)
                self._touch()
            ((count,),) = self._execute(
                "SELECT count(*) FROM temp.before JOIN temp.after USING (key) "
                "WHERE before.verdict <> 'keep' AND after.verdict = 'keep'"
            ).fetchall()
        return int(count)

    def forget(self, addresses: Addresses) -> int:
        """Erase addresses and what was said of them, and go on suppressing them by their hash.

        Parameters
        ----------
        addresses : str, iterable of str or pandas.Series

        Returns
        -------
        int
            How many entries that were. Nothing of any of these addresses is left in the file; of those that never were
            suppressed, no hash either.

        Notes
        -----
        The copy that is kept of a ledger of an older version (its name says ``version-1``) is yours to delete.

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
        if self.hashed:
            return 0
        self._execute("PRAGMA secure_delete = ON")
        known = self._addresses(addresses)
        with self._asked(known, writing=True):
            ((count,),) = self._execute(
                "SELECT count(*) FROM temp.asked CROSS JOIN entries USING (key) WHERE NOT erased"
            ).fetchall()
            hashes = pa.table({"key": known, "hash": hash_addresses(known, self._salt)})
            self._table("hashes", _HASHES, hashes)
            self._run("ledger_forget")
            self._drop("hashes")
        self._execute("VACUUM")
        return int(count)

    def _keyed(self, told: pa.Table) -> pa.Table:
        """Return what was told under the keys of the ledger; of erased addresses no text comes in."""
        keys, erased = self._keys(told["key"].combine_chunks())
        bare = pc.or_(erased, self.hashed)
        for name, without in (("source", bare), ("record", bare), ("explanation", erased)):
            values = pc.if_else(without, pa.scalar(None, told[name].type), told[name])
            told = told.set_column(told.schema.get_field_index(name), name, values)
        return told.set_column(told.schema.get_field_index("key"), "key", keys)

    def _has_evidence(self, keys: pa.ChunkedArray) -> pa.ChunkedArray:
        """Return for which keys there is evidence."""
        found = pa.chunked_array([pa.repeat(pa.scalar(False), len(keys))])
        cursor = self._execute("SELECT key FROM evidence")
        while rows := cursor.fetchmany(BATCH):
            found = pc.or_(found, pc.is_in(keys, text_array(key for (key,) in rows)))
        return found

    @contextlib.contextmanager
    def _judged(self, *, run: str | None = None, why: str | None = None) -> Iterator[None]:
        """Have those judged of whom more becomes known within, and note what has become of all that are asked for."""
        self._execute(
            "CREATE TEMP TABLE before AS "
            "SELECT key, entries.verdict, entries.reason FROM temp.asked CROSS JOIN entries USING (key)"
        )
        yield
        self._run("ledger_judge")
        if run is not None:
            first = "INSERT OR IGNORE INTO runs SELECT ?, coalesce(max(number), 0) + 1 FROM changes"
            self._execute(first, [run])
        self._run("ledger_changes", made_at=now(), run=run, why=why)

    def _touch(self) -> None:
        """Have all of those judged that are asked for."""
        self._execute("CREATE TEMP TABLE touched AS SELECT key FROM temp.asked")

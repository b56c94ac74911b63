"""The suppression ledger: who is suppressed since when, why, and when to review, over many runs."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from bounceanalytics import schema
from bounceanalytics.addresses import problem, text_array
from bounceanalytics.database import read_sql
from bounceanalytics.domains.contacting import CONCERNS
from bounceanalytics.errors import FormatError, FrameError, OutputError
from bounceanalytics.files import path_of
from bounceanalytics.hashes import hash_addresses
from bounceanalytics.ledger_file import BATCH, ENTRIES, TABLES, LedgerFile
from bounceanalytics.privacy import shown
from bounceanalytics.sqlite_file import microseconds, typed
from bounceanalytics.suppressing.evidence import (
    WORDS,
    domains_of,
    evidence_by_hand,
    evidence_of,
    read_verdicts,
)
from bounceanalytics.suppressing.suppressions import Suppressions, export_suppressions, file_in
from bounceanalytics.wording import in_short

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable

    from bounceanalytics.suppressing.suppressions import Action

    Addresses = str | Iterable[str] | pd.Series[str]

#: What became of the rows of an update.
OUTCOMES = {
    "added": "new in the ledger",
    "changed": "another verdict or reason than before",
    "confirmed": "as they were",
    "lifted": "suppressed before, and may be mailed again",
    "older": "say less than the ledger knows already",
    "passed": "to keep, and not in the ledger",
}

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


class Ledger(LedgerFile):
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

    def __len__(self) -> int:
        return sum(count for verdict, count in self._counts().items() if verdict != "keep")

    def __repr__(self) -> str:
        counts = self._counts()
        kind = "hashes" if self.hashed else "addresses"
        return (
            f"{shown(self.path)}: {counts.get('remove', 0):,} {kind} suppressed, {counts.get('hold', 0):,} held, "
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
            self._look()
            self._table("told", WORDS, words, unique="key, class")
            self._run("ledger_update")
            self._insert("known", _KNOWN, told.select(_KNOWN), _LATER)
            self._insert("domains", _DOMAINS, domains_of(told), _WIDER)
            self._run("ledger_told")
            self._run("ledger_judge")
            if run is not None:
                first = "INSERT OR IGNORE INTO runs SELECT ?, coalesce(max(number), 0) + 1 FROM changes"
                self._execute(first, [run])
            self._note(run=run)
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
        with self._asked(known, writing=True) as keys:
            self._look()
            # later than every lift, whatever the clock says
            ((last,),) = self._execute(
                "SELECT max(made_at) FROM lifts WHERE key IN (SELECT key FROM temp.asked)"
            ).fetchall()
            moment = max(_now(), (last or 0) + 1)
            self._execute("INSERT OR IGNORE INTO known (key) SELECT key FROM temp.asked")
            self._execute(
                "DELETE FROM evidence WHERE class = 'manual' AND key IN (SELECT key FROM temp.asked)"
            )
            words = evidence_by_hand(keys, known, moment, reason, why, end)
            self._table("told", WORDS, words, unique="key, class")
            self._run("ledger_told")
            self._touch()
            self._run("ledger_judge")
            self._note(why=why)
        return len(known)

    def entries(
        self, *, domain: str | None = None, reason: str | None = None, at: datetime | str | None = None
    ) -> pd.DataFrame:
        """Return what is in the ledger.

        Parameters
        ----------
        domain, reason : str, optional
            Only those.
        at : datetime or str, optional
            The moment that counts for holds: one that is over by then keeps. Now if not given.

        Returns
        -------
        pandas.DataFrame
            One row per entry, by domain and key.

            =============== ====================================================================================
            ``address``     string: in normal form; missing where only a hash is known
            ``hash``        string: hash of the address, where only that is known
            ``domain``      string: its domain
            ``verdict``     string: 'remove', 'hold', or 'keep' once that is over
            ``reason``      string: what speaks against the address
            ``code``        string: enhanced code, else reply code
            ``explanation`` string: the verdict as a sentence
            ``source``      string: file that the deciding event came from
            ``record``      Int64: number of the record in that file
            ``decided_at``  timestamp, UTC: time of the deciding event
            ``first_seen``  timestamp, UTC: first event of all
            ``last_seen``   timestamp, UTC: last event of all
            ``hold_until``  timestamp, UTC: when the hold ends by itself; missing if it does not, or if not held
            ``review_on``   timestamp, UTC: day on which to look at it again; missing for never
            =============== ====================================================================================

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
        >>> ledger.entries(reason="system_full")["domain"].unique().tolist()
        ['northquay.example', 'saltworks.example']
        """
        wanted = {"domain": domain, "reason": reason}
        chosen = " AND ".join(f"{name} = :{name}" for name, value in wanted.items() if value is not None)
        return self._frame(f"WHERE {chosen or 'TRUE'} ORDER BY domain, key", wanted, at=at)

    def verdicts(self, *, at: datetime | str | None = None) -> pd.DataFrame:
        """Return the addresses that are suppressed or held, for ``clean`` and ``export_suppressions``.

        Entries of which only a hash is known are not among them; :meth:`match` finds those in a list.

        Parameters
        ----------
        at : datetime or str, optional
            The moment that counts for holds: one that is over by then keeps. Now if not given.

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
        >>> len(ledger.verdicts(at="2026-11-01")) == (verdicts["verdict"] != "keep").sum()
        np.True_
        """
        found = self._frame("WHERE verdict <> 'keep' AND NOT hashed ORDER BY key", at=at)
        return found.drop(columns="hash")

    def match(self, addresses: Addresses, *, at: datetime | str | None = None) -> pd.DataFrame:
        """Return verdicts on those of the given addresses that are in the ledger, by address or by hash.

        Parameters
        ----------
        addresses : str, iterable of str or pandas.Series
            Such as the column of a mailing list.
        at : datetime or str, optional
            The moment that counts for holds: one that is over by then keeps. Now if not given.

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
        with self._asked(self._addresses(addresses)):
            found = self._frame("WHERE verdict <> 'keep' ORDER BY address", at=at, asked=True)
        return found.drop(columns="hash")

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
            "WHERE review_on <= :date AND standing <> 'keep' ORDER BY review_on, domain, key",
            {"date": microseconds(date)},
            at=date,
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
        due = None if next_review is None else microseconds(next_review)
        with self._asked(self._addresses(addresses), writing=True):
            noted = self._execute(
                "INSERT INTO changes (key, made_at, verdict_before, verdict, reason, why) "
                "SELECT key, ?, verdict, verdict, reason, 'reviewed' FROM temp.asked CROSS JOIN entries USING (key) "
                "WHERE verdict <> 'keep'",
                [_now()],
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
            self._run("ledger_review", made_at=_now(), day=day)
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
            self._look()
            self._run("ledger_lift", reach=reach, made_at=_now(), why=why)
            self._touch()
            self._run("ledger_judge")
            self._note(why=why)
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
        with self._asked(self._addresses(addresses)):
            rows = self._execute(
                "SELECT made_at, run, verdict_before, verdict, reason, why, address FROM temp.asked "
                "CROSS JOIN changes USING (key) ORDER BY number"
            ).fetchall()
        return typed(rows, schema.LEDGER_HISTORY_COLUMNS)

    def news(self, since: datetime | str | None = None) -> pd.DataFrame:
        """Return whose entry is another one than before.

        Parameters
        ----------
        since : datetime or str, optional
            The name of a run, from which on changes count, its own too; or a date. All of them if not given.

        Returns
        -------
        pandas.DataFrame
            One row per entry that is not as it was, by domain and key.

            ================== ==================================================================
            ``address``        string: in normal form; missing where only a hash is known
            ``hash``           string: hash of the address, where only that is known
            ``domain``         string: its domain
            ``change``         string: 'added', 'held', 'lifted', or 'changed' for another reason
            ``verdict_before`` string: the verdict until then; missing for a new entry
            ``verdict``        string: the verdict since
            ``reason``         string: what speaks against the address
            ``why``            string: what was said of the change
            ``run``            string: name of the run
            ``made_at``        timestamp, UTC: when the entry was changed
            ================== ==================================================================

        Raises
        ------
        FrameError
            If ``since`` is neither the name of a run nor a date.

        Notes
        -----
        This is what has changed in the file. A hold that ends by itself changes nothing there.

        Examples
        --------
        >>> import bounceanalytics as ba
        >>> verdicts = ba.decide(ba.classify(ba.load(ba.samples() / "exports" / "ses").events))
        >>> ledger = ba.Ledger(":memory:")
        >>> updated = ledger.update(verdicts, run="March")
        >>> gone = verdicts.loc[verdicts["verdict"] == "remove", "address"].iloc[0]
        >>> lifted = ledger.lift(gone, "asked to")
        >>> sorted(ledger.news("March")["change"].unique())
        ['added', 'held']
        """
        terms = {"first": 0, "moment": 0, "hashes": self.hashed}
        run = self._execute("SELECT first_change FROM runs WHERE run = ?", [str(since)]).fetchone()
        if run is not None:
            terms["first"] = run[0]
        elif since is not None:
            try:
                terms["moment"] = microseconds(since)
            except FrameError:
                raise FrameError(f"{in_short(since)} is neither the name of a run nor a date") from None
        rows = self._execute(read_sql("suppressing", "ledger_news"), terms).fetchall()
        return typed(rows, schema.LEDGER_NEWS_COLUMNS)

    def export(
        self,
        provider: str,
        path: str | os.PathLike[str],
        *,
        action: Action = "add",
        at: datetime | str | None = None,
        overwrite: bool = False,
    ) -> Suppressions:
        """Write the addresses to remove as files that an ESP imports.

        Parameters
        ----------
        provider, action, overwrite
            As :func:`bounceanalytics.export_suppressions` takes them; to take off are those that were lifted, or whose
            hold is over.
        path : path
            The file, or a folder that is there, for a file named after the ESP.
        at : datetime or str, optional
            The moment that counts for holds; now if not given.

        Returns
        -------
        Suppressions
            Files with their counts, and how many addresses were left out, by reason.

        Raises
        ------
        FormatError
            If the ledger holds hashes only, or the format is unknown.
        FrameError
            If ``at`` is not a date.
        OutputError
            If a file is there already, or cannot be written.

        Examples
        --------
        >>> import tempfile
        >>> import bounceanalytics as ba
        >>> ledger = ba.Ledger(":memory:")
        >>> added = ledger.add(["ann@example.com", "bo@example.com"], reason="complained", why="wrote to us")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     list(ledger.export("ses", folder).files.values())
        [2]
        """
        if self.hashed:
            raise FormatError(
                f"{self.path} holds hashes only, and an ESP needs addresses; clean lists with it"
            )
        file = path_of(path, OutputError)
        if file.is_dir():
            file = file_in(file, provider, action)
        found = self.entries(at=at)
        named = found["address"].notna()
        written = export_suppressions(found[named], provider, file, action=action, overwrite=overwrite)
        wanted = "remove" if action == "add" else "keep"
        erased = int((found.loc[~named, "verdict"] == wanted).sum())
        excluded = {"erased, known by their hash only": erased} if erased else {}
        return replace(written, excluded=written.excluded | excluded)

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
        moment = microseconds(at)
        rows = self._execute(
            "SELECT domain, coalesce(suppressed, 0), first_full, last_full, last_delivered, "
            "coalesce(last_delivered > coalesce(last_full, 0), 0) AS recovered "
            "FROM domains LEFT JOIN (SELECT domain, count(*) AS suppressed FROM entries "
            "WHERE reason = 'system_full' AND verdict <> 'keep' AND NOT coalesce(hold_until <= ?, 0) GROUP BY domain) "
            "USING (domain) WHERE was_full ORDER BY recovered, last_full DESC, domain",
            [moment],
        ).fetchall()
        found = typed(rows, schema.LEDGER_DOMAIN_COLUMNS.without("advice"))
        now = pd.Timestamp(moment, unit="us", tz="UTC")
        advice = [
            _advice(suppressed, recovered, last, now)
            for suppressed, recovered, last in zip(
                found["suppressed"], found["recovered"], found["last_full"], strict=True
            )
        ]
        return schema.LEDGER_DOMAIN_COLUMNS.frame(found.assign(advice=advice))

    def _counts(self) -> dict[str, int]:
        """Return how many entries there are now by verdict."""
        rows = self._execute(f"SELECT verdict, count(*) FROM {ENTRIES} GROUP BY verdict", self._terms())
        return dict(rows.fetchall())

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

    def _look(self) -> None:
        """Keep how the entries are that are asked for."""
        self._execute(
            "CREATE TEMP TABLE before AS "
            "SELECT key, entries.verdict, entries.reason FROM temp.asked CROSS JOIN entries USING (key)"
        )

    def _note(self, *, run: str | None = None, why: str | None = None) -> None:
        """Note what has become of them since."""
        self._run("ledger_changes", made_at=_now(), run=run, why=why)

    def _touch(self) -> None:
        """Have all of those judged that are asked for."""
        self._execute("CREATE TEMP TABLE touched AS SELECT key FROM temp.asked")


def _now() -> int:
    return int(datetime.now(UTC).timestamp() * 1_000_000)


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

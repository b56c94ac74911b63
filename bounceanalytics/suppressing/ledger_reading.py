"""Answers of a ledger: its entries, their history, what is new, what is due, and the domains that were full."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from bounceanalytics import schema
from bounceanalytics.database import read_sql
from bounceanalytics.errors import FrameError
from bounceanalytics.ledger_file import ENTRIES, LedgerFile
from bounceanalytics.privacy import shown
from bounceanalytics.sqlite_file import microseconds, typed
from bounceanalytics.wording import in_short

if TYPE_CHECKING:
    from datetime import datetime

    from bounceanalytics.ledger_file import Addresses

#: Days after which a domain that was full is not expected to come back.
_LONG = 180


class LedgerReading(LedgerFile):
    """A ledger that is asked, and not changed."""

    def __len__(self) -> int:
        return sum(count for verdict, count in self._counts().items() if verdict != "keep")

    def __repr__(self) -> str:
        counts = self._counts()
        kind = "hashes" if self.hashed else "addresses"
        return (
            f"{shown(self.path)}: {counts.get('remove', 0):,} {kind} suppressed, {counts.get('hold', 0):,} held, "
            f"{counts.get('keep', 0):,} lifted"
        )

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
        rows = self._execute(read_sql("suppressing", "ledger_domains"), {"at": moment}).fetchall()
        found = typed(rows, schema.LEDGER_DOMAIN_COLUMNS.without("advice"))
        day = pd.Timestamp(moment, unit="us", tz="UTC")
        advice = [
            _advice(suppressed, recovered, last, day)
            for suppressed, recovered, last in zip(
                found["suppressed"], found["recovered"], found["last_full"], strict=True
            )
        ]
        return schema.LEDGER_DOMAIN_COLUMNS.frame(found.assign(advice=advice))

    def _counts(self) -> dict[str, int]:
        """Return how many entries there are now by verdict."""
        rows = self._execute(f"SELECT verdict, count(*) FROM {ENTRIES} GROUP BY verdict", self._terms())
        return dict(rows.fetchall())


def _advice(suppressed: int, recovered: bool, last_full: pd.Timestamp, moment: pd.Timestamp) -> str:
    """Return what the page on 5.3.1 would have one do."""
    if recovered and suppressed:
        return f"takes mail again: try the {suppressed:,} suppressed addresses once more, a few at a time"
    if recovered:
        return "takes mail again; nothing to do"
    if pd.notna(last_full) and (moment - last_full).days > _LONG:
        return f"no delivery for {(moment - last_full).days:,} days: leave its addresses off the list"
    return "still full as far as is known: keep its addresses suppressed, and look again in some weeks"

"""The monitor of domains: what mail and checks have shown of each over time, which to ask again, and which are back."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bounceanalytics.database import read_sql
from bounceanalytics.domains.check import check_names
from bounceanalytics.domains.contacting import CONCERNS
from bounceanalytics.domains.monitor_file import Keeper, MonitorFile, past_of, words_of
from bounceanalytics.domains.names import names_of
from bounceanalytics.domains.pasts import LATE_BOUNCE_HOURS
from bounceanalytics.domains.plans import moment_of, plan_of
from bounceanalytics.finding.recovery import product_limit
from bounceanalytics.history import History
from bounceanalytics.history.responses import UNANSWERED_REASONS, gather_responses
from bounceanalytics.privacy import shown
from bounceanalytics.schema import (
    MONITOR_CHANGE_COLUMNS,
    MONITOR_COLUMNS,
    MONITOR_CURVE_COLUMNS,
    MONITOR_HISTORY_COLUMNS,
    MONITOR_HOST_COLUMNS,
    MONITOR_RECOVERY_COLUMNS,
    NO_DOMAIN,
    TROUBLES,
)
from bounceanalytics.sqlite_file import microseconds, typed
from bounceanalytics.wording import STATES

if TYPE_CHECKING:
    import datetime as dt
    import os
    from collections.abc import Iterable, Mapping, Sequence

    from bounceanalytics.datasets import Frame
    from bounceanalytics.domains.asking import Resolver
    from bounceanalytics.domains.courses import Course
    from bounceanalytics.domains.names import Domains
    from bounceanalytics.domains.plans import Progress

#: Reasons that speak of more than one mailbox: the name of a domain leads nowhere, nobody answers, or any other.
_NAMELESS = ("bad_domain", "dns_failure")
_SILENT = tuple(reason for reason in UNANSWERED_REASONS if reason not in _NAMELESS)
_REFUSED = tuple(sorted(set(CONCERNS["refusing"]).difference(_NAMELESS, _SILENT, ("system_full",))))
_REFUSALS = """
INSERT INTO refusals VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET
    first = min(first, excluded.first),
    last = max(last, excluded.last),
    bounces = max(bounces, excluded.bounces),
    addresses = max(addresses, excluded.addresses)
"""
_ACCEPTED = """
INSERT INTO accepted VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET
    days = days | excluded.days, first = min(first, excluded.first), last = max(last, excluded.last)
"""
#: Microseconds.
_DAY = 24 * 3_600 * 1_000_000


class Monitor(MonitorFile):
    """A monitor of domains, in one SQLite file: what mail and checks have shown of them, over many runs.

    Parameters
    ----------
    path : path
        The file; made if it is not there.

    Raises
    ------
    SourceError
        If the file is no monitor, or cannot be opened.

    See Also
    --------
    bounceanalytics.check_domains : What a check finds, and how.
    bounceanalytics.Ledger.review : Has the addresses at recovered domains looked at.

    Notes
    -----
    A domain is watched from when it first called its mail system full, or from a day on which it took no mail and was
    called missing, was not reached, or refused three addresses or more for a reason that is not one mailbox's; any
    other if :meth:`watch` is told to.

    Own mail outranks checks: a delivery ends every trouble, and what took mail within 30 days is not asked. A check
    ends only what it could have seen: that name servers know a domain says nothing of a full mail system. What could
    not be found out ends nothing.

    The file keeps days, earliest, latest and largest values, never addresses: the same events again, in any order,
    change nothing. Where exports split the mail of a day, its numbers are those of the larger part.

    Every change is one transaction; see :class:`bounceanalytics.Ledger`.

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> bounces = ba.classify(ba.load(ba.samples() / "exports" / "ses").events)
    >>> with ba.Monitor(":memory:") as monitor:
    ...     changes = monitor.update(bounces)
    ...     states = monitor.states().set_index("domain")["status"]
    >>> states["saltworks.example"], states["northquay.example"]
    ('full', 'healthy')
    """

    def __repr__(self) -> str:
        counted = self.states()["status"].value_counts()
        told = ", ".join(f"{number:,} {status}" for status, number in counted.items() if number)
        return f"{shown(self.path)}: {len(self):,} domains watched{f' ({told})' if told else ''}"

    def update(self, bounces: Frame | History, *, at: dt.datetime | str | None = None) -> pd.DataFrame:
        """Take in what mail has shown of domains and of their receiving servers.

        Parameters
        ----------
        bounces : pandas.DataFrame, Dataset or path of one
            Classified events.
        at : datetime or str, optional
            When that became known; now if not given.

        Returns
        -------
        pandas.DataFrame
            Columns of :meth:`changed`: what is different now.

        Raises
        ------
        FrameError
            If columns are missing, or ``at`` is not a date.
        SourceError
            If the file cannot be written.

        Examples
        --------
        >>> import bounceanalytics as ba
        >>> bounces = ba.classify(ba.load(ba.samples() / "exports" / "ses").events)
        >>> monitor = ba.Monitor(":memory:")
        >>> len(monitor.update(bounces)) > 0, len(monitor.update(bounces))
        (True, 0)
        """
        moment = moment_of(at)
        with History.open(bounces) as history:
            gather_responses(history, LATE_BOUNCE_HOURS)
            history.gather(["remote_host"])
            refusals = history.table(
                read_sql("domains", "monitor_refusals"),
                no_domain=NO_DOMAIN,
                bad_domain=_NAMELESS,
                network=_SILENT,
                refused=_REFUSED,
            )
            accepted = history.table(read_sql("domains", "monitor_accepted"), no_domain=NO_DOMAIN)
        with self._writing():
            run = self._begin(moment)
            self._insert(_REFUSALS, refusals)
            self._insert(_ACCEPTED, accepted)
            self._note(run, moment)
        return self.changed()

    def watch(self, domains: Domains, *, at: dt.datetime | str | None = None) -> int:
        """Watch domains from now on, whatever became of mail to them.

        Parameters
        ----------
        domains : str, iterable of str, pandas.Series, pandas.DataFrame or Dataset
            As :func:`bounceanalytics.check_domains` takes them.
        at : datetime or str, optional
            Now if not given.

        Returns
        -------
        int
            How many of them were not watched before.

        Examples
        --------
        >>> import bounceanalytics as ba
        >>> monitor = ba.Monitor(":memory:")
        >>> monitor.watch(["example.com", "ann@example.com", "example.org"])
        2
        >>> monitor.due()["domain"].tolist()
        ['example.com', 'example.org']
        """
        return self._wish(names_of(domains), moment_of(at), wanted=True)

    def unwatch(self, domains: Domains, *, at: dt.datetime | str | None = None) -> int:
        """Watch domains no more, until :meth:`watch` is told to; what is known of them stays.

        Parameters
        ----------
        domains, at
            As for :meth:`watch`.

        Returns
        -------
        int
            How many of them were watched before.

        Examples
        --------
        >>> import bounceanalytics as ba
        >>> monitor = ba.Monitor(":memory:")
        >>> watched = monitor.watch(["example.com", "example.org"])
        >>> monitor.unwatch("example.org"), len(monitor)
        (1, 1)
        """
        return self._wish(names_of(domains), moment_of(at), wanted=False)

    def check(  # noqa: PLR0913 - each is one thing to say
        self,
        *,
        due_only: bool = True,
        level: str | Sequence[str] = "dns",
        cache: str | os.PathLike[str] | None = None,
        max_age: str | dt.timedelta = "1d",
        resolvers: Iterable[Resolver] | str | None = None,
        timeout: float = 3.0,
        at_once: int = 100,
        per_host: int = 2,
        private: bool = False,
        at: dt.datetime | str | None = None,
        progress: Progress | None = None,
    ) -> pd.DataFrame:
        """Ask for the domains that are due, and keep what became of each.

        Parameters
        ----------
        due_only : bool, default True
            Ask for those that are due only; else for all that are watched and took no mail within 30 days.
        level, cache, max_age, resolvers, timeout, at_once, per_host, private, progress
            As :func:`bounceanalytics.check_domains` takes them. Without a cache, too, a domain that was missing in the
            check before, an hour ago or more, and still is, is ``gone``.
        at : datetime or str, optional
            The moment that counts as now.

        Returns
        -------
        pandas.DataFrame
            Columns of :func:`bounceanalytics.check_domains`, one row per domain that was due.

        Raises
        ------
        FrameError
            If an argument is not what it must be.
        MissingExtraError
            If dnspython is not installed, or what a level needs.
        SourceError
            If the file, or the cache, cannot be used.

        Warns
        -----
        NoNetworkWarning
            If no name server can be reached. Nothing is kept of domains that could not be asked for; they stay due.

        Notes
        -----
        A domain is due again after a day in the first week of a state, after a week for ten weeks, and after 30 days
        from then on; another state, and another outcome of a check, begin anew. Domains that take mail are not due.

        What became of a domain is written within a second. Whoever is interrupted, or killed, goes on with the others.

        Examples
        --------
        >>> import bounceanalytics as ba
        >>> ba.Monitor(":memory:").check().empty
        True
        """
        moment = moment_of(at)
        plan = plan_of(
            level,
            cache,
            max_age,
            resolvers,
            timeout,
            at_once,
            per_host,
            private=private,
            every_host=False,
            progress=progress,
        )
        courses = self._courses()
        limit = microseconds(moment)
        names = [name for name, course in courses.items() if not due_only or _is_due(course, limit)]
        facts = self._mail(names)
        pasts = {name: past_of(one) for name, one in facts.items()}
        with self._writing():
            run = self._begin(moment)
        keeper = Keeper(self, run, moment, fixed=at is not None)
        return check_names(names, plan, pasts, moment, progress, keeper)

    def states(self) -> pd.DataFrame:
        """Return how the watched domains are.

        Returns
        -------
        pandas.DataFrame
            One row per domain, those in trouble first, longest first.

            ================= =======================================================================================
            ``domain``        string: lower-case, IDNA ASCII form
            ``status``        category: what became of it
            ``since``         timestamp, UTC: when that began, as far as is known, UTC
            ``basis``         category (history, dns, greeting, rdap): what the status rests on; missing where it was
                              not checked yet
            ``checked_at``    timestamp, UTC: when it was last asked for, UTC; missing for never
            ``due_on``        timestamp, UTC: day on which to ask again, UTC; missing where it takes mail of ours
            ``last_accepted`` timestamp, UTC: when it last took mail of ours, UTC
            ``first_full``    timestamp, UTC: when it first called its mail system full, UTC
            ``last_full``     timestamp, UTC: when it last did, UTC
            ``hosts``         int64: different receiving servers that our mail met
            ``addresses``     int64: addresses that it refused on the worst day, whatever it said of the domain
            ``explanation``   string: why, in a sentence
            ``advice``        string: what to do, in a sentence
            ================= =======================================================================================

        Examples
        --------
        >>> import bounceanalytics as ba
        >>> monitor = ba.Monitor(":memory:")
        >>> watched = monitor.watch("example.com")
        >>> monitor.states()[["domain", "status", "explanation"]].to_dict("records")
        [{'domain': 'example.com', 'status': 'unknown', 'explanation': 'It has not been checked yet.'}]
        """
        return self._states(self._courses())

    def due(self, date: dt.datetime | str | None = None) -> pd.DataFrame:
        """Return the domains to ask for by a date, longest due first.

        Parameters
        ----------
        date : datetime or str, optional
            Now if not given.

        Returns
        -------
        pandas.DataFrame
            Columns of :meth:`states`.

        Raises
        ------
        FrameError
            If ``date`` is not a date.

        Examples
        --------
        >>> import bounceanalytics as ba
        >>> monitor = ba.Monitor(":memory:")
        >>> watched = monitor.watch("example.com", at="2026-11-30")
        >>> len(monitor.due("2026-11-29")), len(monitor.due("2026-11-30"))
        (0, 1)
        """
        limit = microseconds(date, "date")
        found = self._states({name: one for name, one in self._courses().items() if _is_due(one, limit)})
        return found.sort_values(["due_on", "domain"], ignore_index=True)

    def changed(self, since: dt.datetime | str | None = None) -> pd.DataFrame:
        """Return which domains are in another state than before.

        Parameters
        ----------
        since : datetime or str, optional
            A date, from which on what became known counts; if not given, what the last :meth:`update` or :meth:`check`
            found.

        Returns
        -------
        pandas.DataFrame
            One row per domain, in the order in which that became known.

            =============== ==============================================================
            ``domain``      string: lower-case, IDNA ASCII form
            ``before``      category: what it was; missing where it was not watched
            ``after``       category: what it is; missing where it is not watched any more
            ``since``       timestamp, UTC: when what it is began, UTC
            ``known_at``    timestamp, UTC: when that became known, UTC
            ``explanation`` string: why, in a sentence
            =============== ==============================================================

        Raises
        ------
        FrameError
            If ``since`` is not a date.

        Examples
        --------
        >>> import bounceanalytics as ba
        >>> bounces = ba.classify(ba.load(ba.samples() / "exports" / "ses").events)
        >>> monitor = ba.Monitor(":memory:")
        >>> updated = monitor.update(bounces, at="2026-11-12")
        >>> "saltworks.example" in set(monitor.changed()["domain"]), len(monitor.changed("2026-11-13"))
        (True, 0)
        """
        terms = {"first": 0, "moment": 0}
        if since is None:
            ((terms["first"],),) = self._execute("SELECT coalesce(max(run), 0) FROM runs").fetchall()
        else:
            terms["moment"] = microseconds(since, "since")
        rows = self._execute(read_sql("domains", "monitor_changes"), terms).fetchall()
        return typed(rows, MONITOR_CHANGE_COLUMNS)

    def recovered(self, since: dt.datetime | str | None = None) -> pd.DataFrame:
        """Return the domains that took no mail, and do again.

        Parameters
        ----------
        since : datetime or str, optional
            Only those that were seen to do so on that date or later.

        Returns
        -------
        pandas.DataFrame
            One row per domain that takes mail now, the last recovery first.

            =============== =======================================================================================
            ``domain``      string: lower-case, IDNA ASCII form
            ``was``         category (full, refusing, no_mail, gone, parked, unreachable): what it was last
            ``began``       timestamp, UTC: when it was first seen to take no mail, UTC
            ``recovered``   timestamp, UTC: when it was first seen to take mail again, UTC
            ``days``        float64: from one to the other
            ``basis``       category (history, dns, greeting, rdap): what that rests on: a delivery (history), or a
                            check
            ``addresses``   int64: addresses that it refused on the worst day, whatever it said of the domain
            ``explanation`` string: why, in a sentence
            =============== =======================================================================================

        Raises
        ------
        FrameError
            If ``since`` is not a date.

        See Also
        --------
        bounceanalytics.Ledger.review : Has the addresses there looked at.

        Examples
        --------
        >>> import bounceanalytics as ba
        >>> bounces = ba.classify(ba.load(ba.samples() / "exports" / "ses").events)
        >>> monitor = ba.Monitor(":memory:")
        >>> updated = monitor.update(bounces)
        >>> monitor.recovered().loc[0, ["domain", "was", "basis"]].tolist()
        ['northquay.example', 'full', 'history']
        """
        first = None if since is None else microseconds(since, "since")
        courses = {name: one for name, one in self._courses().items() if one.recovery}
        facts = self._mail(list(courses))
        rows = []
        for name, course in courses.items():
            if course.recovery is None:
                continue
            last, begin, after = course.recovery
            if first is None or after.begin >= first:
                days = (after.begin - begin) / _DAY
                words, _ = words_of(name, course, course.now, facts[name])
                numbers = (days, after.basis, facts[name]["addresses"], words)
                rows.append((name, last.status, begin, after.begin, *numbers))
        rows.sort(key=lambda row: (-row[3], row[0]))
        return typed(rows, MONITOR_RECOVERY_COLUMNS)

    def history(self, domain: str | None = None) -> pd.DataFrame:
        """Return every state of the watched domains.

        Parameters
        ----------
        domain : str, optional
            Only this one.

        Returns
        -------
        pandas.DataFrame
            One row per state, in the order of time for each domain; those in trouble for longest first, then those that
            were.

            =============== ===========================================================================================
            ``domain``      string: lower-case, IDNA ASCII form
            ``status``      category: what became of it
            ``begin``       timestamp, UTC: when it was first seen, UTC
            ``until``       timestamp, UTC: when another state was; missing where it lasts, UTC
            ``last_seen``   timestamp, UTC: when it was last confirmed, by mail or by a check, UTC
            ``basis``       category (history, dns, greeting, rdap): what it rests on; missing where the domain was not
                            checked
            ``explanation`` string: why, in a sentence
            =============== ===========================================================================================

        Examples
        --------
        >>> import bounceanalytics as ba
        >>> bounces = ba.classify(ba.load(ba.samples() / "exports" / "ses").events)
        >>> monitor = ba.Monitor(":memory:")
        >>> updated = monitor.update(bounces)
        >>> monitor.history("saltworks.example")["status"].tolist()[-1]
        'full'
        """
        courses = self._courses(None if domain is None else names_of(domain))
        facts = self._mail(list(courses))
        courses = dict(sorted(courses.items(), key=lambda one: (one[1].rank, one[0])))
        rows = [
            (
                *(name, span.status, span.begin, span.until, span.last_seen, span.basis),
                words_of(name, course, span, facts[name])[0],
            )
            for name, course in courses.items()
            for span in course.spans
        ]
        return typed(rows, MONITOR_HISTORY_COLUMNS)

    def hosts(self) -> pd.DataFrame:
        """Return what mail has shown of the receiving servers of the watched domains.

        Returns
        -------
        pandas.DataFrame
            One row per domain and receiving server, by domain, those first that were full last.

            ================== =============================================================================
            ``domain``         string: lower-case, IDNA ASCII form
            ``remote_host``    string: receiving host name or address; missing where the exports do not tell
            ``first_full``     timestamp, UTC: when it first called the mail system full, UTC
            ``last_full``      timestamp, UTC: when it last did, UTC
            ``full_bounces``   int64: times that it did, the most of any load for each day
            ``full_addresses`` int64: addresses that it told so on the worst day
            ``last_accepted``  timestamp, UTC: when it last took mail, UTC
            ``last_refused``   timestamp, UTC: when it last refused for good for another reason, UTC
            ================== =============================================================================

        Examples
        --------
        >>> import bounceanalytics as ba
        >>> bounces = ba.classify(ba.load(ba.samples() / "exports" / "ses").events)
        >>> monitor = ba.Monitor(":memory:")
        >>> updated = monitor.update(bounces)
        >>> hosts = monitor.hosts().dropna(subset="first_full").set_index("domain")
        >>> hosts.loc["saltworks.example", "remote_host"]
        '203.0.113.223'
        """
        with self._asked(self._watched()):
            rows = self._execute(read_sql("domains", "monitor_hosts")).fetchall()
        return typed(rows, MONITOR_HOST_COLUMNS)

    def recovery_curves(self) -> pd.DataFrame:
        """Return how soon troubles of the watched domains have ended, by what they were first.

        Returns
        -------
        pandas.DataFrame
            One row per state and day on which a trouble ended, or was last seen; that of all troubles first, then those
            of which there are most. A trouble that lasts counts up to when it was last seen (Kaplan and Meier).

            ================= ===================================================================================
            ``status``        category: what the domains were first; 'all' for every trouble
            ``episodes``      int64: troubles of the group
            ``day``           int64: days since the trouble was first seen, rounded
            ``at_risk``       int64: troubles that had not ended before, and were still seen on that day or later
            ``recovered``     int64: troubles that ended up to and on that day
            ``share``         float64: estimated share ended by that day (0-1)
            ``low``, ``high`` float64: its 95% interval (log-log); missing where none, or every one, has ended
            ================= ===================================================================================

        Examples
        --------
        >>> import bounceanalytics as ba
        >>> bounces = ba.classify(ba.load(ba.samples() / "exports" / "ses").events)
        >>> monitor = ba.Monitor(":memory:")
        >>> updated = monitor.update(bounces)
        >>> monitor.recovery_curves().loc[0, "status"], monitor.recovery_curves().loc[0, "episodes"]
        ('all', np.int64(2))
        """
        lasted: defaultdict[str, list[tuple[float, bool]]] = defaultdict(list)
        for course in self._courses().values():
            for first, last, after in course.troubles:
                end = last.last_seen if after is None else after.begin
                one = (round((end - first.begin) / _DAY), after is not None)
                lasted["all"].append(one)
                lasted[first.status].append(one)
        pieces = []
        for status in sorted(lasted, key=lambda name: (name != "all", -len(lasted[name]), name)):
            days, ended = (np.array(values) for values in zip(*lasted[status], strict=True))
            curve = product_limit(days.astype(np.int64), ended.astype(bool))
            pieces.append(curve.assign(status=status, episodes=len(days)))
        if not pieces:
            return MONITOR_CURVE_COLUMNS.empty()
        return MONITOR_CURVE_COLUMNS.frame(pd.concat(pieces, ignore_index=True))

    def _wish(self, names: list[str], moment: pd.Timestamp, *, wanted: bool) -> int:
        with self._writing():
            before = len(self)
            self._database.executemany(
                "INSERT INTO wishes VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET wanted = excluded.wanted",
                [(name, int(wanted), microseconds(moment)) for name in names],
            )
            number = abs(len(self) - before)
            if number:
                self._note(self._begin(moment), moment)
        return number

    def _states(self, courses: Mapping[str, Course]) -> pd.DataFrame:
        rows = []
        facts = self._mail(courses)
        for name, course in courses.items():
            now, mail = course.now, facts[name]
            moments = (now.begin, now.basis, course.checked_at, course.due_on, mail["last_accepted"])
            numbers = (mail["first_full"], mail["last_full"], mail["hosts"], mail["addresses"])
            rows.append((name, now.status, *moments, *numbers, *words_of(name, course, now, mail)))
        place = {status: number for number, status in enumerate(STATES)}
        rows.sort(key=lambda row: (place[row[1]] >= len(TROUBLES), place[row[1]], row[2], row[0]))
        return typed(rows, MONITOR_COLUMNS)


def _is_due(course: Course, limit: int) -> bool:
    return course.due_on is not None and course.due_on <= limit

"""The file of a monitor of domains: opening it, what it holds of each, and writing down what a check finds."""

from __future__ import annotations

import contextlib
import dataclasses
from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pandas as pd

from bounceanalytics.database import read_sql
from bounceanalytics.domains.cache import APART, FORGOTTEN, is_missing
from bounceanalytics.domains.courses import Course, Item, course_of
from bounceanalytics.domains.pasts import Past
from bounceanalytics.domains.states import told_by_mail
from bounceanalytics.sqlite_file import FileKind, SqliteFile, microseconds
from bounceanalytics.wording import day

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    import pyarrow as pa

    from bounceanalytics.domains.courses import Span
    from bounceanalytics.domains.facts import Facts

#: The number in the header spells "bndm".
_KIND = FileKind("monitor of domains", 0x626E646D, 1, ("domains", "monitor"))

_CHECKED = """
INSERT OR REPLACE INTO checks (domain, checked_at, status, basis, missing, explanation, advice)
VALUES (?, ?, ?, ?, ?, ?, ?)
"""
_BATCH = 50_000
_MICROSECOND = timedelta(microseconds=1)

#: What is said of a domain that own mail put in doubt, and that was not checked since.
_DOUBTFUL = (
    "Mail to it failed, whoever it was for, and it has not been checked since.",
    "Check it; keep its addresses until then.",
)
_UNCHECKED = ("It has not been checked yet.", "Check it; keep its addresses until then.")


class MonitorFile(SqliteFile):
    """A file of this kind.

    Parameters
    ----------
    path : path

    Raises
    ------
    SourceError
        If the file is no monitor, or cannot be opened.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        super().__init__(path, _KIND, threads=True)

    def __len__(self) -> int:
        ((number,),) = self._execute("SELECT count(*) FROM watched").fetchall()
        return int(number)

    def _begin(self, moment: pd.Timestamp) -> int:
        """Begin a run; return its number."""
        return int(
            self._execute("INSERT INTO runs (made_at) VALUES (?)", [microseconds(moment)]).lastrowid or 0
        )

    def _insert(self, statement: str, rows: pa.Table) -> None:
        for batch in rows.to_batches(_BATCH):
            values = zip(*(column.to_pylist() for column in batch.columns), strict=True)
            self._database.executemany(statement, values)

    def _note(self, run: int, moment: pd.Timestamp, names: Iterable[str] | None = None) -> None:
        """Note what is in another state than was known; of all that are watched, or of some."""
        courses = self._courses(names)
        known = dict(self._execute("SELECT domain, status FROM known").fetchall())
        now = {name: course.now for name, course in courses.items()}
        told = [*now] if names is not None else dict.fromkeys([*known, *now])
        different = [name for name in told if known.get(name) != _status(now.get(name))]
        facts = self._mail([name for name in different if name in now])
        for name in different:
            span = now.get(name)
            words = words_of(name, courses[name], span, facts[name])[0] if span else None
            row = (known.get(name), _status(span), span.begin if span else None, words)
            self._execute(
                "INSERT INTO changes (run, domain, known_at, before, after, since, explanation) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                [run, name, microseconds(moment), *row],
            )
            if span is None:
                self._execute("DELETE FROM known WHERE domain = ?", [name])
            else:
                self._execute("INSERT OR REPLACE INTO known VALUES (?, ?)", [name, span.status])

    def _watched(self, names: Iterable[str] | None = None) -> dict[str, int]:
        """Return since when domains are watched; of all that are, or of some."""
        if names is None:
            return dict(self._execute("SELECT domain, since FROM watched ORDER BY domain").fetchall())
        with self._asked(names):
            return dict(
                self._execute(
                    "SELECT domain, since FROM watched WHERE domain IN (SELECT domain FROM temp.asked) ORDER BY domain"
                ).fetchall()
            )

    def _courses(self, names: Iterable[str] | None = None) -> dict[str, Course]:
        """Return what became of watched domains; of all, or of some."""
        watched = self._watched(names)
        items: defaultdict[str, list[Item]] = defaultdict(list)
        with self._asked(watched):
            for domain, *seen in self._execute(read_sql("domains", "monitor_items")):
                items[domain].append(Item(*seen))
        return {name: course_of(items[name], since) for name, since in watched.items()}

    def _mail(self, names: Iterable[str]) -> dict[str, dict[str, int | None]]:
        """Return what mail has shown of domains, in numbers."""
        with self._asked(names):
            cursor = self._execute(read_sql("domains", "monitor_facts"))
            titles = [title for title, *_ in cursor.description]
            return {row[0]: dict(zip(titles, row, strict=True)) for row in cursor}

    @contextlib.contextmanager
    def _asked(self, names: Iterable[str]) -> Iterator[None]:
        """Have a table of domains."""
        self._execute("CREATE TEMP TABLE asked (domain TEXT PRIMARY KEY) STRICT, WITHOUT ROWID")
        try:
            self._database.executemany("INSERT INTO temp.asked VALUES (?)", ((name,) for name in names))
            yield
        finally:
            self._execute("DROP TABLE temp.asked")


class Keeper:
    """Keeps in a monitor what a check finds, some domains at a time.

    Parameters
    ----------
    monitor : MonitorFile
    run : int
    moment : pandas.Timestamp
        What counts as now.
    fixed : bool
        Whether that is when the domains were asked for, too.
    """

    def __init__(self, monitor: MonitorFile, run: int, moment: pd.Timestamp, *, fixed: bool) -> None:
        self._monitor, self._run, self._moment, self._fixed = monitor, run, moment, fixed
        self._missing: dict[str, int] = {}

    def confirmed(self, facts: Facts) -> Facts:
        """Return facts; of a domain that is missing confirmed, if a check an hour and more before said the same."""
        answers = facts.answers
        missing = is_missing(answers)
        self._missing[answers.domain] = int(missing) if missing or answers.rcode == "NOERROR" else -1
        if not missing or answers.confirmed:
            return facts
        ((first, last),) = self._monitor._execute(  # noqa: SLF001 - of the class above
            "SELECT min(checked_at), max(checked_at) FROM checks WHERE domain = :domain AND missing = 1 "
            "AND checked_at > "
            "coalesce((SELECT max(checked_at) FROM checks WHERE domain = :domain AND missing = 0), -1)",
            {"domain": answers.domain},
        ).fetchall()
        at = self._at(facts.checked_at)
        if first is None or at - first < APART // _MICROSECOND or at - last > FORGOTTEN // _MICROSECOND:
            return facts
        return dataclasses.replace(facts, answers=dataclasses.replace(answers, confirmed=True))

    def keep(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write outcomes, all of them or none."""
        if not rows:
            return
        monitor = self._monitor
        with monitor._writing():  # noqa: SLF001 - of the class above
            for row in rows:
                name = row["domain"]
                words = (
                    row["status"],
                    row["basis"],
                    self._missing.get(name, -1),
                    row["explanation"],
                    row["advice"],
                )
                monitor._execute(_CHECKED, [name, self._at(row["checked_at"]), *words])  # noqa: SLF001
            monitor._note(self._run, self._moment, [row["domain"] for row in rows])  # noqa: SLF001

    def _at(self, moment: datetime | None) -> int:
        return microseconds(self._moment if self._fixed or moment is None else moment)


def _status(span: Span | None) -> str | None:
    return None if span is None else span.status


def past_of(mail: Mapping[str, int | None]) -> Past:
    """Return what own mail shows, as a check takes it."""
    accepted, failed = mail["last_accepted"], mail["last_failed"]
    full = mail["full_bounces"] or 0
    since = failed is not None and (accepted is None or failed >= accepted)
    return Past(_time(accepted), full, _time(mail["last_full"]) if full else None, failed_since=since)


def words_of(name: str, course: Course, span: Span, mail: Mapping[str, int | None]) -> tuple[str, str]:
    """Return why a domain is, or was, in a state, and what to do."""
    lasts = span is course.now
    failed = course.failed_at if lasts else None
    if failed is not None and span.status in {"healthy", "unknown"} and (course.checked_at or -1) < failed:
        return _DOUBTFUL
    if span.told is not None:
        return span.told.explanation or "", span.told.advice or ""
    if span.status == "healthy":
        return f"It took mail of yours, most recently on {day(_time(span.last_seen))}.", "Keep its addresses."
    if span.status == "full":
        state = told_by_mail(name, past_of(mail), at=pd.Timestamp(span.last_seen, unit="us", tz="UTC"))
        if lasts:
            return state.explanation, state.advice
        return f"It called its mail system full, most recently on {day(_time(span.last_seen))}.", state.advice
    return _UNCHECKED


def _time(moment: int | None) -> pd.Timestamp | None:
    return None if moment is None else pd.Timestamp(moment, unit="us", tz="UTC")

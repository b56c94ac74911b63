"""Periods of a report: the one it is about, and the one it is compared with."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import pandas as pd

from bounceanalytics.clocks import AmbiguousTimeError, moment
from bounceanalytics.errors import FrameError
from bounceanalytics.history import History
from bounceanalytics.schema import SENDING_EVENTS
from bounceanalytics.wording import day, days, in_short

if TYPE_CHECKING:
    from datetime import date

    from bounceanalytics.datasets import Frame
    from bounceanalytics.history.history import Times

    #: ``'2026-10'``, ``'2026-10-05'``, ``'2026-Q3'``, ``'28D'`` (the last so many days), or first and last day.
    Period: TypeAlias = "str | pd.Period | tuple[str | date, str | date]"

#: A year, a quarter, a month or a moment of ISO 8601; other days are those of the grammar.
_NAMED = re.compile(
    r"\d{4}|\d{4}-?Q[1-4]|Q[1-4][- ]?\d{4}|\d{4}-\d\d|\d{4}-\d\d-\d\d(?:[T ]\d\d(?::\d\d(?::\d\d)?)?)?",
    re.IGNORECASE,
)

_FORMS = "say '2026-10', '2026-Q3', '28D' for the last 28 days, or ('2026-10-01', '2026-10-15'), first and last day"


@dataclass(frozen=True, slots=True)
class Span:
    """From ``start`` until just before ``end``, UTC."""

    start: pd.Timestamp
    end: pd.Timestamp

    def __str__(self) -> str:
        return days(self.start, self.end - pd.Timedelta(1, "us"))

    def before(self) -> Span:
        """Return the time before this one: as many months where it is whole months, else as many days."""
        months = (self.end.year - self.start.year) * 12 + self.end.month - self.start.month
        whole = self.start.day == 1 and self.end.day == 1 and months > 0
        return Span(
            self.start - (pd.DateOffset(months=months) if whole else self.end - self.start), self.start
        )

    @property
    def edges(self) -> Times:
        """The same in UTC without a zone."""
        start, end = (
            edge.tz_convert("UTC").tz_localize(None).to_pydatetime() for edge in (self.start, self.end)
        )
        return start, end


def times_of(bounces: Frame | History) -> Span | None:
    """Return the days from the first sending event to the last, else of list entries; None without times."""
    with History.open(bounces) as history:
        history.gather(["event", "timestamp"])
        history.count_of(
            "times",
            "SELECT event = 'suppressed' AS listed, min(timestamp) AS first, max(timestamp) AS last, count(*) AS n"
            " FROM events WHERE event = 'suppressed' OR event IN $sent GROUP BY ALL",
            sent=SENDING_EVENTS,
        )
        # list entries may be years old; they are no part of the period in which mail was sent
        found = history.query(
            """SELECT min(first) AS first, max(last) AS last
               FROM times WHERE listed = (SELECT bool_and(listed) FROM times)"""
        )
    first, last = found["first"][0], found["last"][0]
    if pd.isna(first):
        return None
    first, last = (
        edge.as_unit("us").normalize() for edge in (first, last)
    )  # a day may reach beyond the nanoseconds
    return Span(first, last + pd.Timedelta(days=1))


def span(period: Period, every: Span | None) -> Span:
    """Return what a user means by a period.

    Raises
    ------
    FrameError
        If it cannot be read, ends before it begins, or counts back from the last event and there is none.
    """
    try:
        return _span(period, every)
    except AmbiguousTimeError as error:
        raise FrameError(f"period: {error}") from None
    except (ValueError, TypeError):
        raise FrameError(f"period {in_short(period)} cannot be read; {_FORMS}") from None


def _span(period: Period, every: Span | None) -> Span:
    if isinstance(period, tuple | list):
        first, last = (moment(edge).time for edge in period)
        end = last + pd.Timedelta(days=1) if last == last.normalize() else last
        if not first < end:
            raise FrameError(
                f"the period ends ({day(last)}) before it begins ({day(first)}); name the first day first"
            )
        return Span(first, end)
    if isinstance(period, str) and period[-1:] in "dDwW" and period[:-1].isdigit():
        if every is None:
            raise FrameError(
                f"period {in_short(period)} counts back from the last event, and no event has a time"
            )
        days = int(period[:-1]) * (7 if period[-1] in "wW" else 1)
        return Span(every.end - pd.Timedelta(days=days), every.end)
    if isinstance(period, str) and not _NAMED.fullmatch(period.strip()):
        day_named = moment(period)
        if not day_named.whole_day:
            raise ValueError("it is a moment")
        period = str(day_named.time.date())
    named = pd.Period(period)
    return Span(*(edge.start_time.tz_localize("UTC").as_unit("us") for edge in (named, named + 1)))


def halves(every: Span) -> Span:
    """Return the later half of a time, in whole days."""
    days = (every.end - every.start) // pd.Timedelta(days=1)
    return Span(every.end - pd.Timedelta(days=max(days // 2, 1)), every.end)

"""Arguments that name a time, such as ``at=`` and the ends of ``between=``, in the grammar of the loaders."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pandas as pd

from bounceanalytics.clocks.grammar import DAY_FIRST, MONTH_FIRST, Reading, read

_MONTH = re.compile(r"\d{4}-\d{2}")
_SIGN_OF_DAYS = "."  # what stands between the numbers of a date where nobody writes the month first


class AmbiguousTimeError(ValueError):
    """A text may be several times, and the message says which."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A time in UTC, and whether it was given as a day without a clock."""

    time: pd.Timestamp
    whole_day: bool


def moment(value: Any) -> Moment:
    """Return the time that an argument names; without a zone it is in UTC.

    Raises
    ------
    ValueError
        If it is not understood as a whole; :class:`AmbiguousTimeError` if it may be two times. The message is one
        sentence.

    Examples
    --------
    >>> moment("10 March 2026, 8 AM CET").time
    Timestamp('2026-03-10 07:00:00+0000', tz='UTC')
    >>> moment("03/04/2026")
    Traceback (most recent call last):
        ...
    bounceanalytics.clocks.moments.AmbiguousTimeError: '03/04/2026' may be 2026-03-04 or 2026-04-03; ...
    """
    if isinstance(value, str):
        text = value.strip()
        if text.casefold() in {"now", "today"}:
            now = pd.Timestamp.now("UTC")
            return Moment(now.normalize() if text.casefold() == "today" else now, text.casefold() == "today")
        return _written(f"{text}-01" if _MONTH.fullmatch(text) else text, value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _written(str(value), value)
    try:
        time = pd.Timestamp(value)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(_strange(value)) from None
    if pd.isna(time):
        raise ValueError(_strange(value))
    time = time.tz_localize("UTC") if time.tzinfo is None else time.tz_convert("UTC")
    return Moment(time, isinstance(value, date) and not isinstance(value, datetime))


def _written(text: str, value: object) -> Moment:
    reading = read(text)
    if not isinstance(reading, Reading):
        return _far(text, value)
    orders = [*reading.days]
    if reading.sign == _SIGN_OF_DAYS and DAY_FIRST in orders:
        orders = [DAY_FIRST]
    found = {order: reading.at(order, "UTC") for order in orders}
    if None in found.values():
        raise AmbiguousTimeError(
            f"{value!r} names a zone of several meanings; write the offset, such as +01:00"
        )
    times = sorted({time for time in found.values() if time is not None})
    if len(times) > 1:
        days = [
            str(pd.Timestamp(time, unit="us").date()) for time in (found.get(MONTH_FIRST), *times) if time
        ]
        days = list(dict.fromkeys(days))
        raise AmbiguousTimeError(f"{value!r} may be {' or '.join(days)}; write it as one of these")
    return Moment(pd.Timestamp(times[0], unit="us", tz="UTC"), reading.whole_day)


def _far(text: str, value: object) -> Moment:
    """Return a day that a program would write for none; someone who names it as the end of a time means it."""
    try:
        return Moment(pd.Timestamp(date.fromisoformat(text), tz="UTC"), True)
    except ValueError:
        raise ValueError(_strange(value)) from None


def _strange(value: object) -> str:
    return (
        f"{value!r} is no date or time that can be read; write it like 2026-11-30 or 2026-11-30T12:00+01:00"
    )

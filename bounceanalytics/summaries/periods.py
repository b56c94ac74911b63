"""Summaries over time: days, weeks and months, and changes from one time to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pandas as pd

from bounceanalytics.errors import FrameError
from bounceanalytics.schema import SUMMARIES
from bounceanalytics.summaries.changes import LEAST_HITS, find_changes
from bounceanalytics.summaries.measures import COUNTS, counted, messages_of, with_rates

if TYPE_CHECKING:
    from bounceanalytics.datasets import Frame
    from bounceanalytics.history import History
    from bounceanalytics.history.messages import Freq


#: Types of bounces whose rates are held against their past.
_MEASURES = ("hard", "block")


def summarize_days(bounces: Frame | History, freq: Freq = "D", timezone: str = "UTC") -> pd.DataFrame:
    """One row per day, week or month in which something was sent.

    A message counts on the day of the event that decided about it. Periods in which nothing was sent have no row;
    messages without a time are the last row, with a missing ``period``.

    Parameters
    ----------
    bounces : pandas.DataFrame, Dataset or path of one
        A classified frame.
    freq : {'D', 'W', 'M'}, default 'D'
        Days, weeks that begin on Monday, or months.
    timezone : str, default 'UTC'
        IANA name of the zone whose midnight begins a day.

    Returns
    -------
    pandas.DataFrame
        In order of time.

        ``period`` (timestamp, UTC), ``attempted``, ``delivered``, ``bounced``, ``hard``, ``soft``, ``block``,
        ``unknown``, ``dropped``, ``pending``, ``rated`` (int64), ``deliveries_known`` (bool), ``bounce_rate``,
        ``hard_rate``, ``hard_low``, ``hard_high`` (float64).

        ``period`` is the start, ``datetime64[us, <timezone>]``.

    Raises
    ------
    FrameError
        If columns are missing, or ``freq`` or ``timezone`` is unknown.

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> bounces = ba.classify(ba.load(ba.samples() / "exports" / "ses").events)
    >>> ba.summarize_days(bounces, "W", timezone="Europe/Berlin").columns[0]
    'period'
    """
    with messages_of(bounces) as history:
        return _by_period(history, "days", freq, timezone)


def summarize_domain_days(
    bounces: Frame | History, freq: Freq = "W", timezone: str = "UTC", *, top: int | None = 50
) -> pd.DataFrame:
    """One row per domain and day, week or month in which something was sent to it.

    Periods in which nothing was sent to a domain have no row. Otherwise as :func:`summarize_days`.

    Parameters
    ----------
    bounces : pandas.DataFrame, Dataset or path of one
        A classified frame.
    freq : {'D', 'W', 'M'}, default 'W'
        Days, weeks that begin on Monday, or months.
    timezone : str, default 'UTC'
        IANA name of the zone whose midnight begins a day.
    top : int or None, default 50
        So many domains, those with the most bounces; None for all.

    Returns
    -------
    pandas.DataFrame
        Domains with most bounces first, each in order of time.

        ``domain`` (string), ``period`` (timestamp, UTC), ``attempted``, ``delivered``, ``bounced``, ``hard``,
        ``soft``, ``block``, ``unknown``, ``dropped``, ``pending``, ``rated`` (int64), ``deliveries_known`` (bool),
        ``bounce_rate``, ``hard_rate``, ``hard_low``, ``hard_high`` (float64).

        ``period`` is the start, ``datetime64[us, <timezone>]``.

    Raises
    ------
    FrameError
        If columns are missing, or ``freq`` or ``timezone`` is unknown.

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> bounces = ba.classify(ba.load(ba.samples() / "exports" / "ses").events)
    >>> ba.summarize_domain_days(bounces).columns[:2].tolist()
    ['domain', 'period']
    """
    with messages_of(bounces) as history:
        if top is None:
            return _by_period(history, "domain_days", freq, timezone)
        bounced = "count(*) FILTER (outcome = 'bounced') AS bounced"
        worst = counted(history, ("domain",), bounced, order="bounced DESC, domain")["domain"][: int(top)]
        history.register("worst", worst.to_frame())
        where = "domain IN (SELECT domain::domain_type FROM worst)"
        return _by_period(history, "domain_days", freq, timezone, where)


def summarize_changes(bounces: Frame | History, by: str = "domain", freq: Freq = "W") -> pd.DataFrame:
    """One row per domain or mailbox provider whose rate of hard bounces or blocks has changed, by its own past.

    A ``spike`` is a last period far above all before it; a ``rise`` or ``fall`` has held since ``at``. Small changes
    (less than twofold, or than one percentage point) do not count, nor do those that chance may have made; without
    deliveries in the exports there are no rates, and so no changes.

    Parameters
    ----------
    bounces : pandas.DataFrame, Dataset or path of one
        A classified frame.
    by : {'domain', 'mailbox_provider'}, default 'domain'
        Whose rates.
    freq : {'D', 'W', 'M'}, default 'W'
        Days, weeks that begin on Monday, or months; UTC.

    Returns
    -------
    pandas.DataFrame
        Those with the most bounces more or less than before first.

        ``name``, ``mailbox_provider`` (string), ``measure``, ``kind`` (category), ``at`` (timestamp, UTC),
        ``attempted_before``, ``failed_before`` (int64), ``rate_before`` (float64), ``attempted_after``,
        ``failed_after`` (int64), ``rate_after``, ``p_value`` (float64).

    Raises
    ------
    FrameError
        If columns are missing, or ``by`` or ``freq`` is unknown.

    References
    ----------
    K. J. Worsley, The power of likelihood ratio and cumulative sum tests for a change in a binomial probability,
    Biometrika 70 (1983) 455-464.

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> bounces = ba.classify(ba.load(ba.samples() / "exports").events)
    >>> ba.summarize_changes(bounces, by="mailbox_provider")["kind"].cat.categories.tolist()
    ['spike', 'rise', 'fall']
    """
    if by not in ("domain", "mailbox_provider"):
        raise FrameError(f"by is {by!r}; it can be 'domain' or 'mailbox_provider'")
    unit = _unit(freq)
    with messages_of(bounces) as history:
        return history.once(f"changes by {by}", lambda: _changes(history, by, unit), key=unit)


def _changes(history: History, by: str, unit: str) -> pd.DataFrame:
    dated = "rated AND moment IS NOT NULL"
    hits = [
        f"count(*) FILTER (outcome = 'bounced' AND bounce_type = '{measure}') AS {measure}"
        for measure in _MEASURES
    ]
    # a list has many domains, and few of them have enough hits to tell anything
    counts = counted(history, (by,), *hits, where=f"{dated} AND outcome = 'bounced'").set_index(by)
    enough = counts.index[(counts >= LEAST_HITS).any(axis=1)]
    if enough.empty:
        return SUMMARIES["changes"].empty()
    history.register("enough", enough.to_frame(index=False))
    series = counted(
        history,
        {"name": by, "period": "date_trunc($unit, moment)::TIMESTAMP"},
        "count(*) AS tried",
        *hits,
        where=f"{dated} AND {by} IN (SELECT {by}::{by}_type FROM enough)",
        order="name, period",
        unit=unit,
    )
    found = []
    for measure in _MEASURES:
        told = series[series["name"].isin(counts.index[counts[measure] >= LEAST_HITS])]
        if len(told):
            tried = told[["name", "period", "tried"]].assign(hits=told[measure]).reset_index(drop=True)
            found.append(find_changes(tried).assign(measure=measure))
    frame = pd.concat(found, ignore_index=True)
    frame["mailbox_provider"] = frame["name"]
    if by == "domain":
        run_by = history.query("FROM mailboxes WHERE domain IN $names", names=frame["name"].tolist())
        frame["mailbox_provider"] = frame["name"].map(run_by.set_index("domain")["mailbox_provider"])
    more = (frame["failed_after"] - frame["rate_before"] * frame["attempted_after"]).abs()
    order = frame.assign(more=more).sort_values(["more", "name"], ascending=[False, True], ignore_index=True)
    return SUMMARIES["changes"].frame(order)


def _by_period(
    history: History, summary: str, freq: Freq, timezone: str, where: str = "true"
) -> pd.DataFrame:
    """Return a summary by day or week, and by domain where the summary has domains."""
    try:
        ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError):
        raise FrameError(f"unknown time zone {timezone!r}; use a name such as 'Europe/Berlin'") from None
    start, terms = "date_trunc($unit, moment)::TIMESTAMP", {"unit": _unit(freq)}
    if timezone != "UTC":
        start = (
            "timezone('UTC', timezone($zone, date_trunc($unit, timezone($zone, timezone('UTC', moment)))))"
        )
        terms["zone"] = timezone
    keys, order = {"period": start}, "period NULLS LAST"
    if summary == "domain_days":
        keys = {"domain": "domain", **keys}
        order = f"sum(bounced) OVER (PARTITION BY domain) DESC, domain, {order}"
    frame = counted(history, keys, COUNTS, where=where, order=order, **terms)
    periods = SUMMARIES[summary].frame(with_rates(frame))
    return periods.assign(period=periods["period"].dt.tz_convert(timezone))


def _unit(freq: Freq) -> str:
    unit = {"D": "day", "W": "week", "M": "month"}.get(freq)
    if unit is None:
        raise FrameError(
            f"freq is {freq!r}; it can be 'D' (days), 'W' (weeks that begin on Monday) or 'M' (months)"
        )
    return unit

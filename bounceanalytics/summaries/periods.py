"""Summaries over time: days and weeks, and changes from one time to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bounceanalytics.history.messages import Messages
from bounceanalytics.summaries import queries

if TYPE_CHECKING:
    import pandas as pd

    from bounceanalytics.datasets import Frame
    from bounceanalytics.history.messages import Freq


def summarize_days(bounces: Frame, freq: Freq = "D", timezone: str = "UTC") -> pd.DataFrame:
    """One row per day or week in which something was sent.

    A message counts on the day of the event that decided about it. Periods in which nothing was sent have no row;
    messages without a time are the last row, with a missing ``period``.

    Parameters
    ----------
    bounces : pandas.DataFrame, Dataset or path of one
        A classified frame.
    freq : {'D', 'W'}, default 'D'
        Days, or weeks that begin on Monday.
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
    with Messages(bounces) as messages:
        return queries.days(messages, freq, timezone)


def summarize_domain_days(
    bounces: Frame, freq: Freq = "W", timezone: str = "UTC", *, top: int | None = 50
) -> pd.DataFrame:
    """One row per domain and day or week in which something was sent to it.

    Periods in which nothing was sent to a domain have no row. Otherwise as :func:`summarize_days`.

    Parameters
    ----------
    bounces : pandas.DataFrame, Dataset or path of one
        A classified frame.
    freq : {'D', 'W'}, default 'W'
        Days, or weeks that begin on Monday.
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
    with Messages(bounces) as messages:
        return queries.domain_days(messages, top, freq, timezone)


def summarize_changes(bounces: Frame, by: str = "domain", freq: Freq = "W") -> pd.DataFrame:
    """One row per domain or mailbox provider whose rate of hard bounces or blocks became another, by its own past.

    A ``spike`` is a last period far above all before it; a ``rise`` or ``fall`` has held since ``at``. Small changes
    (less than twofold, or than one percentage point) do not count, nor do those that chance may have made; without
    deliveries in the exports there are no rates, and so no changes.

    Parameters
    ----------
    bounces : pandas.DataFrame, Dataset or path of one
        A classified frame.
    by : {'domain', 'mailbox_provider'}, default 'domain'
        Whose rates.
    freq : {'D', 'W'}, default 'W'
        Days, or weeks that begin on Monday; UTC.

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
    with Messages(bounces) as messages:
        return queries.changes(messages, by, freq)

"""Recovery: how many addresses take mail again after a bounce, how soon, and when that is a reason for caution.

An *episode* begins with the first bounce of an address since it last took mail. It ends with *recovery* when the
address takes mail again: a delivery that did not come back, or an open or a click of a message that was sent after the
bounce; who opens an old letter shows nothing about the mailbox of today. Until then it is *censored* at the last
attempt: nobody knows what a mailbox would have said that nobody wrote to, so an address that is no longer mailed is no
longer counted among those at risk; where two weeks go by so, it is ``no_longer_tried``. The share that has recovered by
a day is estimated from both by Kaplan and Meier's product of shares, which ``scipy`` computes.

**What it cannot know.** Recovery is seen only when mail is sent. The mailbox that was emptied on the second day counts
as recovered on the seventh where the newsletter is weekly, and one that stays on an ESP's suppression list is never
tried again. So a day here is a day *of mailing*, rounded to whole days, and whoever is tried again may differ from
whoever is not.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bounceanalytics.database import read_sql
from bounceanalytics.errors import FrameError
from bounceanalytics.history import History
from bounceanalytics.history.responses import INVALID_REASONS, checked_hours, gather_responses
from bounceanalytics.schema import CURVE_COLUMNS, RECOVERY_COLUMNS, RECOVERY_DAYS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bounceanalytics.datasets import Frame

#: What stands for "every reason" and "every mailbox provider".
ALL = "all"

GROUP = ("reason", "mailbox_provider")

#: Days before the end of the history without an attempt after which an address counts as no longer tried.
_GIVEN_UP = 14


def recovery_curves(
    bounces: Frame | History,
    *,
    by: Sequence[str] = ("reason", "mailbox_provider"),
    late_bounce_hours: int = 120,
) -> pd.DataFrame:
    """Return the share of addresses that take mail again, by the days since their first bounce.

    Parameters
    ----------
    bounces : pandas.DataFrame, Dataset or path of one
        Classified events, as :func:`bounceanalytics.classify` returns them, with deliveries.
    by : sequence of {'reason', 'mailbox_provider'}
        What to tell apart. All together are always there, too, as ``all``.
    late_bounce_hours : int, default 120
        A delivery whose own message bounced within so many hours does not count.

    Returns
    -------
    pandas.DataFrame
        One row per group and day on which something was seen, day 0 included; groups with most episodes first.

        ==================== =======================================================================================
        ``reason``           string: of the first bounce of the episode, or 'all'
        ``mailbox_provider`` string: who runs the mailbox, or 'all'
        ``episodes``         int64: episodes of the group
        ``day``              int64: days since the first bounce, rounded
        ``at_risk``          int64: episodes that were still tried on that day or later, and had not recovered
                             before
        ``recovered``        int64: episodes that recovered up to and on that day
        ``no_longer_tried``  int64: episodes that had not recovered when they were last tried, up to and on that day
                             and two weeks or more before the end of the history
        ``share``            float64: estimated share recovered by that day (0-1)
        ``low``, ``high``    float64: its 95% interval (log-log); missing where nobody or everybody has recovered
        ==================== =======================================================================================

    Raises
    ------
    FrameError
        If columns are missing or hold something else than a classified frame does, or ``by`` names something else.

    Notes
    -----
    Recovery is seen only when mail is sent: with a weekly letter, most of it on the seventh day. An address that is no
    longer tried leaves those at risk at its last attempt; that those who are not tried again are like those who are is
    assumed.

    References
    ----------
    E. L. Kaplan and P. Meier, Nonparametric estimation from incomplete observations, JASA 53 (1958) 457-481.

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> curves = ba.recovery_curves(ba.classify(ba.load(ba.samples() / "exports" / "ses").events), by=["reason"])
    >>> full = curves[curves["reason"] == "mailbox_full"]
    >>> bool(full["share"].is_monotonic_increasing)
    True
    """
    wanted = _checked(by)
    with History.open(bounces) as history:
        return curves_of(history, wanted, late_bounce_hours)


def recovery(
    bounces: Frame | History,
    *,
    by: Sequence[str] = ("reason", "mailbox_provider"),
    late_bounce_hours: int = 120,
) -> pd.DataFrame:
    """Return the share of addresses that take mail again within some days, per reason and mailbox provider.

    Parameters
    ----------
    bounces : pandas.DataFrame, Dataset or path of one
        Classified events, as :func:`bounceanalytics.classify` returns them, with deliveries.
    by : sequence of {'reason', 'mailbox_provider'}
        What to tell apart. All together are always there, too, as ``all``.
    late_bounce_hours : int, default 120
        A delivery whose own message bounced within so many hours does not count.

    Returns
    -------
    pandas.DataFrame
        One row per group, those with most episodes first.

        ========================== ============================================================================
        ``reason``                 string: of the first bounce of the episode, or 'all'
        ``mailbox_provider``       string: who runs the mailbox, or 'all'
        ``episodes``               int64: times that an address began to bounce
        ``recovered``              int64: of these, those that were seen to end with mail taken again
        ``no_longer_tried``        int64: of these, those that had not recovered when they were last tried, two
                                   weeks or more before the end of the history
        ``share_1`` … ``share_90`` float64: estimated share recovered within so many days (0-1); missing where
                                   nobody was tried for so long
        ``low_1`` … ``low_90``     float64: lower end of its 95% interval
        ``high_1`` … ``high_90``   float64: upper end of its 95% interval
        ``median_days``            float64: day by which half have recovered; missing if they never did
        ========================== ============================================================================

    Raises
    ------
    FrameError
        If columns are missing or hold something else than a classified frame does, or ``by`` names something else.

    See Also
    --------
    recovery_curves : Every day, and what can and cannot be known.
    retry_days : When to try again.

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> found = ba.recovery(ba.classify(ba.load(ba.samples() / "exports" / "ses").events), by=["reason"])
    >>> bool((found["recovered"] <= found["episodes"]).all())
    True
    """
    curves = recovery_curves(bounces, by=by, late_bounce_hours=late_bounce_hours)
    return RECOVERY_COLUMNS.frame([_summary(curve) for curve in groups_of(curves)])


def recovery_totals(history: History, late_bounce_hours: int = 120) -> dict[str, int]:
    """Return how often an address began to bounce (``episodes``), was seen to recover, and was no longer tried."""
    gather_episodes(history, late_bounce_hours)
    history.count("finding", "episode_counts", "episode_counts")
    sums = history.table(read_sql("finding", "recovery_totals"))
    return dict(sums.to_pylist()[0])


def gather_episodes(history: History, late_bounce_hours: int) -> None:
    """Make the table ``episodes``."""

    def make() -> None:
        gather_responses(history, late_bounce_hours)
        history.count("finding", "last_responses", "last_responses")
        history.finish("finding", "last_response", "last_response")
        history.run("finding", "recovery", invalid=INVALID_REASONS, given_up=_GIVEN_UP)

    history.once("episodes", make, key=late_bounce_hours)


def _checked(by: Sequence[str]) -> frozenset[str]:
    wanted = frozenset([by] if isinstance(by, str) else by)
    if other := sorted(map(str, wanted.difference(GROUP))):
        raise FrameError(f"by names {', '.join(other)}; it can name {' and '.join(GROUP)}")
    return wanted


def curves_of(history: History, by: frozenset[str], late_bounce_hours: int) -> pd.DataFrame:
    """Return what :func:`recovery_curves` does."""
    late_bounce_hours = checked_hours(late_bounce_hours)
    gather_episodes(history, late_bounce_hours)
    history.count("finding", "episode_counts", "episode_counts")
    counts = history.query(read_sql("finding", "recovery_counts"), everyone=ALL)
    for name in GROUP:
        if name not in by:
            counts = counts[counts[name] == ALL]
    pieces = [_curve(group) for group in groups_of(counts)]
    if not pieces:
        return CURVE_COLUMNS.empty()
    curves = pd.concat(pieces, ignore_index=True).sort_values(
        ["episodes", "reason", "mailbox_provider", "day"], ascending=[False, True, True, True], kind="stable"
    )
    return CURVE_COLUMNS.frame(curves.reset_index(drop=True))


def groups_of(frame: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Yield the rows of each reason and mailbox provider, in the order in which they come."""
    for _, group in frame.groupby(list(GROUP), sort=False, observed=True):
        yield group


def _curve(counts: pd.DataFrame) -> pd.DataFrame:
    """Return the estimate of one group from its episodes by day and outcome, in the order of days."""
    days, number = counts["day"].to_numpy(np.int64), counts["number"].to_numpy(np.int64)
    left = np.repeat(days, counts["no_longer_tried"].to_numpy(np.int64))
    lasted = np.repeat(days, number)
    curve = product_limit(lasted, np.repeat(counts["recovered"].to_numpy(bool), number))
    first = counts.iloc[0]
    return curve.assign(
        reason=first["reason"],
        mailbox_provider=first["mailbox_provider"],
        episodes=len(lasted),
        no_longer_tried=np.searchsorted(left, curve["day"], side="right"),
    )


def product_limit(lasted: np.ndarray[Any, Any], over: np.ndarray[Any, Any]) -> pd.DataFrame:
    """Return Kaplan and Meier's estimate of the share that is over by each day.

    Parameters
    ----------
    lasted : numpy.ndarray of int
        Days of each episode, until it was over or last seen.
    over : numpy.ndarray of bool
        Whether it was over.

    Returns
    -------
    pandas.DataFrame
        Columns ``day``, ``at_risk``, ``recovered``, ``share``, ``low``, ``high``; from day 0.

    Examples
    --------
    >>> curve = product_limit(np.array([3, 7, 7]), np.array([True, True, False]))
    >>> curve["day"].tolist(), curve["share"].round(3).tolist()
    ([0, 3, 7], [0.0, 0.333, 0.667])
    """
    from scipy.stats import CensoredData, ecdf  # noqa: PLC0415 - takes a second to import, and few need it

    estimate = ecdf(CensoredData(uncensored=lasted[over], right=lasted[~over]))
    seen = np.union1d(lasted, 0)
    with warnings.catch_warnings():
        # scipy warns of what the manual says: no interval where nobody, or everybody, has recovered
        warnings.filterwarnings("ignore", message="The confidence interval is undefined")
        interval: Any = estimate.cdf.confidence_interval(confidence_level=0.95, method="log-log")
    share = estimate.cdf.evaluate(seen)
    between = (share > 0) & (share < 1)
    return pd.DataFrame(
        {
            "day": seen,
            "at_risk": len(lasted) - np.searchsorted(np.sort(lasted), seen, side="left"),
            "recovered": np.searchsorted(np.sort(lasted[over]), seen, side="right"),
            "share": share,
            "low": np.where(between, interval.low.evaluate(seen), np.nan),
            "high": np.where(between, interval.high.evaluate(seen), np.nan),
        }
    )


def _at(curve: pd.DataFrame, day: int) -> tuple[float, float, float]:
    """Return the share by that day and its interval; missing where nobody was tried for so long."""
    last = curve.iloc[-1]
    if last["day"] < day and last["share"] < 1:
        return (np.nan,) * 3
    row = curve[curve["day"] <= day].iloc[-1]
    return row["share"], row["low"], row["high"]


def _summary(curve: pd.DataFrame) -> dict[str, Any]:
    last = curve.iloc[-1]
    half = curve.loc[curve["share"] >= 0.5, "day"]
    row = {name: last[name] for name in (*GROUP, "episodes", "recovered", "no_longer_tried")}
    for day in RECOVERY_DAYS:
        row |= zip((f"share_{day}", f"low_{day}", f"high_{day}"), _at(curve, day), strict=True)
    return row | {"median_days": half.min() if len(half) else np.nan}

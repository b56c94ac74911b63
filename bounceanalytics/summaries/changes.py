"""Change-point detection on bounce rates, per domain or mailbox provider.

Two questions, for hard bounces and for blocks, over days or weeks:

* **spike**: is the last period far above all before it? The rate before is taken at the upper end of its 95 %
  interval, and the hits of the last period are held against it by a binomial test. What was nearly as bad once before
  is no spike.
* **rise, fall**: is there a period since which the rate is another? Of all places to cut the series in two the
  likeliest is taken (K. J. Worsley, The power of likelihood ratio and cumulative sum tests for a change in a binomial
  probability, Biometrika 70 (1983) 455-464). It must hold without the worst period of the higher side as well: one bad
  day that is over changed nothing.

Mail of a week has much in common, so that rates vary by more than chance; hence a small change does not count, however
certain it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bounceanalytics.summaries.statistics import wilson

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

#: How likely a series without a change may look like this one, over all its places to cut.
SIGNIFICANCE = 1e-4
#: A rate is another when it is so many times the other one, and differs by so much; a spike is higher still.
FACTOR, DIFFERENCE, SPIKE = 2.0, 0.01, 3.0
#: A spike is so many times the rate of the period with most hits before.
UNSEEN = 1.5
#: Hits on the higher side, messages on either side, and periods on either side of a lasting change.
LEAST_HITS, LEAST_MESSAGES, LEAST_PERIODS = 5, 20, 2

#: Hits and messages of a period in one number: more messages than this has no period.
_CODE = 2**32

_COLUMNS = (
    "name",
    "kind",
    "at",
    "attempted_before",
    "failed_before",
    "rate_before",
    "attempted_after",
    "failed_after",
    "rate_after",
    "p_value",
)


def find_changes(series: pd.DataFrame) -> pd.DataFrame:
    """Return the spikes, rises and falls of many series.

    Parameters
    ----------
    series : pandas.DataFrame
        ``name``, ``period``, ``tried``, ``hits``: one row per series and period with mail, in this order.

    Returns
    -------
    pandas.DataFrame
        At most one spike and one rise or fall per series: ``name``, ``kind``, ``at``, ``attempted_before``,
        ``failed_before``, ``rate_before``, ``attempted_after``, ``failed_after``, ``rate_after``, ``p_value``.
    """
    cuts = _cuts(series.astype({"tried": "int64", "hits": "int64"}).reset_index(drop=True))
    with np.errstate(divide="ignore", invalid="ignore"):
        cuts["rate_before"] = cuts["failed_before"] / cuts["attempted_before"]
        cuts["rate_after"] = cuts["failed_after"] / cuts["attempted_after"]
        found = [_spikes(cuts, series["period"].max()), _lasting(cuts)]
    return pd.concat(found, ignore_index=True)[list(_COLUMNS)]


def _cuts(series: pd.DataFrame) -> pd.DataFrame:
    """Return one row per place to cut, before each period but the first, and what lies on either side."""
    by = series.groupby("name", sort=False)
    place, periods = by.cumcount(), by["period"].transform("size")
    before, after = {}, {}
    for name in ("tried", "hits"):
        sums = by[name].cumsum()
        before[name] = sums - series[name]
        after[name] = by[name].transform("sum") - before[name]
    # one number for the period with most hits, so that its messages come along
    coded = series["hits"] * _CODE + series["tried"]
    top_before = (
        coded.groupby(series["name"], sort=False).cummax().groupby(series["name"], sort=False).shift()
    )
    top_after = coded.iloc[::-1].groupby(series["name"].iloc[::-1], sort=False).cummax().iloc[::-1]
    cuts = pd.DataFrame(
        {
            "name": series["name"],
            "at": series["period"],
            "attempted_before": before["tried"],
            "failed_before": before["hits"],
            "attempted_after": after["tried"],
            "failed_after": after["hits"],
            "top_before": top_before,
            "top_after": top_after,
            "periods": np.minimum(place, periods - place),
            "places": periods - 1,
        }
    )
    return cuts[place > 0].astype({"top_before": "int64"})


def _spikes(cuts: pd.DataFrame, last: pd.Timestamp) -> pd.DataFrame:
    """Return the cuts before the last period of all where that one is far above the rest."""
    from scipy.special import bdtrc  # noqa: PLC0415 - slow to import

    cuts = cuts[(cuts["at"] == last)]
    tried, hits = cuts["attempted_after"].to_numpy(float), cuts["failed_after"].to_numpy(float)
    _, usual = wilson(cuts["failed_before"], cuts["attempted_before"])
    chance = np.where(
        hits > 0, bdtrc(np.maximum(hits - 1, 0), tried.astype(np.int64), np.clip(usual, 0, 1)), 1.0
    )
    spike = (
        (chance < SIGNIFICANCE)
        & (hits >= LEAST_HITS)
        & (cuts["attempted_before"] >= LEAST_MESSAGES)
        & (cuts["rate_after"] >= SPIKE * cuts["rate_before"])
        & (cuts["rate_after"] - cuts["rate_before"] >= DIFFERENCE)
        & (cuts["rate_after"] >= UNSEEN * (cuts["top_before"] // _CODE) / (cuts["top_before"] % _CODE))
    )
    return cuts.assign(kind="spike", p_value=chance)[spike]


def _lasting(cuts: pd.DataFrame) -> pd.DataFrame:
    """Return the likeliest cut of each series where the rate is another on either side, and stays so."""
    from scipy.special import chdtrc  # noqa: PLC0415 - slow to import

    rises = cuts["rate_after"] > cuts["rate_before"]
    gain = _likelihood(cuts["failed_before"], cuts["attempted_before"])
    gain += _likelihood(cuts["failed_after"], cuts["attempted_after"])
    gain -= _likelihood(
        cuts["failed_before"] + cuts["failed_after"], cuts["attempted_before"] + cuts["attempted_after"]
    )
    chance = np.minimum(chdtrc(1, 2 * np.maximum(gain, 0)) * cuts["places"], 1.0)
    # the higher side without its worst period
    top = cuts["top_after"].where(rises, cuts["top_before"])
    hits = cuts["failed_after"].where(rises, cuts["failed_before"]) - top // _CODE
    tried = cuts["attempted_after"].where(rises, cuts["attempted_before"]) - top % _CODE
    low = cuts["rate_before"].where(rises, cuts["rate_after"])
    calm = hits / tried
    lasting = (
        (chance < SIGNIFICANCE)
        & (hits + top // _CODE >= LEAST_HITS)
        & (cuts[["attempted_before", "attempted_after"]].min(axis=1) >= LEAST_MESSAGES)
        & (cuts["periods"] >= LEAST_PERIODS)
        & (calm >= FACTOR * low)
        & (calm - low >= DIFFERENCE)
    )
    kinds = np.where(rises, "rise", "fall")
    found = cuts.assign(kind=kinds, p_value=chance, gain=gain)[lasting]
    by_gain: pd.DataFrame = found.sort_values("gain", ascending=False, kind="stable")
    return by_gain.drop_duplicates("name")


def _likelihood(hits: pd.Series[Any], tried: pd.Series[Any]) -> Floats:
    """Return the logarithm of how likely the hits are at their own rate."""
    from scipy.special import xlogy  # noqa: PLC0415 - slow to import

    k, n = hits.to_numpy(float), tried.to_numpy(float)
    best: Floats = xlogy(k, k) + xlogy(n - k, n - k) - xlogy(n, n)
    return best

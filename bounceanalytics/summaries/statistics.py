"""Statistics of counts: intervals, shrunken rates, trends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

#: z of a two-sided 95 % interval.
_Z95 = 1.959964

#: Strengths of the prior to choose from, in messages; below the least, two bounces of two would lead every list.
_STRENGTHS = np.geomspace(20, 5_000, 40)

#: A trend: at least so many messages and days, so unlikely by chance (z), and so much of the mean over the time.
_TREND_MESSAGES, _TREND_DAYS, _TREND_Z, _TREND_PART = 50, 14, 3.29, 0.5


def wilson(hits: pd.Series[int], total: pd.Series[int]) -> tuple[Any, Any]:
    """Return the lower and upper end of the 95 % score interval.

    E. B. Wilson, Probable inference, the law of succession, and statistical inference, JASA 22 (1927) 209-212. It
    stays within 0-1 and says something sensible for 0 of 12, where the textbook interval has no width.
    """
    n = total.to_numpy(float)
    with np.errstate(divide="ignore", invalid="ignore"):
        p = hits.to_numpy(float) / n
        centre = p + _Z95**2 / (2 * n)
        half = _Z95 * np.sqrt(p * (1 - p) / n + _Z95**2 / (4 * n**2))
        low, high = (centre - half) / (1 + _Z95**2 / n), (centre + half) / (1 + _Z95**2 / n)
    return np.clip(low, 0.0, p), np.clip(high, p, 1.0)


def shrunk(hits: pd.Series[int], total: pd.Series[int]) -> Floats:
    """Return each rate drawn towards the rate of all: the mean of a beta-binomial model of the rates.

    Its mean is the rate of all; how far rates spread, and so how strongly small ones are drawn, is the likeliest of
    several strengths (empirical Bayes; A. Gelman et al., Bayesian Data Analysis, 3rd ed., 5.1). Missing where ``total``
    is 0.
    """
    from scipy.special import betaln  # noqa: PLC0415 - slow to import; loading and cleaning need none of it

    k, n = hits.to_numpy(float), total.to_numpy(float)
    if not n.sum():
        return np.full(len(n), np.nan)
    mean = k.sum() / n.sum()
    strength = _STRENGTHS[0]
    if 0 < mean < 1:
        pairs, weight = np.unique(np.stack([k, n]), axis=1, return_counts=True)
        a, b = mean * _STRENGTHS[:, None], (1 - mean) * _STRENGTHS[:, None]
        likelihood = betaln(pairs[0] + a, pairs[1] - pairs[0] + b) - betaln(a, b)
        strength = _STRENGTHS[np.argmax(likelihood @ weight)]
    return np.where(n > 0, (k + strength * mean) / (n + strength), np.nan)


def trends(sums: pd.DataFrame) -> pd.Series[Any]:
    """Return ``rising``, ``falling`` or ``steady``; missing where the messages are too few, or too close in time.

    A line through hits over time (Cochran-Armitage test): P. Armitage, Tests for linear trends in proportions and
    frequencies, Biometrics 11 (1955) 375-386.

    Parameters
    ----------
    sums : pandas.DataFrame
        ``n``, ``hits``: messages and hits; ``t``, ``tt``, ``th``: sums of the days of messages, of their squares, and
        of the days of hits; ``days``: from the first message to the last.
    """
    n, hits, days = (sums[name].to_numpy(float) for name in ("n", "hits", "days"))
    t, tt, th = (sums[name].to_numpy(float) for name in ("t", "tt", "th"))
    with np.errstate(divide="ignore", invalid="ignore"):
        p = hits / n
        together, spread = th - t * p, tt - t * t / n
        z = together / np.sqrt(p * (1 - p) * spread)
        part = together / spread * days / p  # of the mean, from the first day to the last
    words = np.full(len(sums), None, dtype=object)
    words[(n >= _TREND_MESSAGES) & (days >= _TREND_DAYS)] = "steady"
    sure = (np.abs(z) >= _TREND_Z) & (np.abs(part) >= _TREND_PART) & (words == "steady")
    words[sure & (z > 0)], words[sure & (z < 0)] = "rising", "falling"
    return pd.Series(words, index=sums.index, dtype=object)

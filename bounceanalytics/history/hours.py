"""Counts by place and hour, beside the usual ones at the same place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Flags = npt.NDArray[np.bool_]

#: Hours after which an address that is still invalid is invalid, and which a rate to compare with must be away.
DAYS_APART = 48


class Hours:
    """Counts by place and hour, beside those at the same place at other times.

    Parameters
    ----------
    table : pandas.DataFrame
        ``place``, ``hour`` and counts, in the order of place and hour.
    """

    def __init__(self, table: pd.DataFrame) -> None:
        self.table = table
        self._place = pd.factorize(self.table["place"])[0].astype(np.int64)
        hour = self.table["hour"].to_numpy("datetime64[h]").astype(np.int64)
        hour = hour - hour.min() if len(hour) else hour
        # all hours of a place in one row of numbers, with more than the longest storm between two places
        self._at = self._place * (hour.max(initial=0) + 3 * DAYS_APART) + hour
        self._left = np.searchsorted(self._at, self._at - DAYS_APART, "left")
        self._right = np.searchsorted(self._at, self._at + DAYS_APART, "right")
        self._hour = hour
        self._begin = np.searchsorted(self._place, self._place, "left")
        self._end = np.searchsorted(self._place, self._place, "right")

    def __getitem__(self, name: str) -> Floats:
        return np.asarray(self.table[name], np.float64)

    def before(self, counts: Floats) -> Floats:
        """Return the sum at the same place, more than two days earlier."""
        sums = _sums(counts)
        earlier: Floats = sums[self._left] - sums[self._begin]
        return earlier

    def away(self, counts: Floats) -> Floats:
        """Return the sum at the same place, more than two days earlier or later."""
        sums = _sums(counts)
        later: Floats = sums[self._end] - sums[self._right]
        return later + self.before(counts)

    def beside(self, counts: Floats) -> Floats:
        """Return the sum at other places in the same hour."""
        if self.table.empty:
            return counts
        others: Floats = np.bincount(self._hour, counts)[self._hour] - counts
        return others

    def usual(self, hits: Floats, tried: Floats, suspects: Flags) -> tuple[Floats, Floats]:
        """Return the share of hits at other times, and of how many.

        Hours that are suspects themselves do not count, unless they are most of what there is: then they are usual.
        """
        most = self.away(tried)
        calm = self.away(tried * ~suspects)
        enough = 2 * calm >= most
        number = np.where(enough, calm, most)
        return share(np.where(enough, self.away(hits * ~suspects), self.away(hits)), number), number

    def flagged(self, storm: Flags, raised: Flags, chance: Floats) -> pd.DataFrame:
        """Return place, hour, p_value and storm of the hours that are one or are raised."""
        hours = {"place": self.table["place"], "hour": self.table["hour"], "p_value": chance, "storm": storm}
        return pd.DataFrame(hours)[storm | raised]


def _sums(counts: Floats) -> Floats:
    return np.concatenate([np.zeros(1), np.cumsum(counts)])


def share(part: Floats, whole: Floats) -> Floats:
    """Return a part of the whole; 0 where there is no whole."""
    return np.divide(part, whole, out=np.zeros_like(whole), where=whole > 0)

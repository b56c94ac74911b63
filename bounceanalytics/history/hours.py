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
        self._begin = np.searchsorted(self._place, self._place, "left")
        self._end = np.searchsorted(self._place, self._place, "right")

    def __getitem__(self, name: str) -> Floats:
        return np.asarray(self.table[name], np.float64)

    def away(self, counts: Floats) -> Floats:
        """Return the sum at the same place, more than two days earlier or later."""
        sums = _sums(counts)
        total: Floats = sums[self._end] - sums[self._right] + sums[self._left] - sums[self._begin]
        return total

    def near(self, hits: Floats, tried: Floats, days: tuple[int, ...], least: int) -> Floats:
        """Return the largest share of hits in so many days before or after, more than two days away.

        Chance is allowed for: the share is that of one standard deviation less. Of fewer than ``least`` it is 0.
        """
        hit_sums, sums = _sums(hits), _sums(tried)
        largest = np.zeros_like(tried)
        for hours in (24 * one for one in days):
            first = np.maximum(np.searchsorted(self._at, self._at - hours, "left"), self._begin)
            last = np.minimum(np.searchsorted(self._at, self._at + hours, "right"), self._end)
            for begin, end in ((first, self._left), (self._right, last)):
                number = np.maximum(sums[end] - sums[begin], 0.0)
                found = np.maximum(hit_sums[end] - hit_sums[begin], 0.0)
                near = share(found - np.sqrt(found), number)
                largest = np.maximum(largest, np.where(number >= least, near, 0.0))
        return largest

    def usual(self, hits: Floats, tried: Floats, suspects: Flags) -> tuple[Floats, Floats]:
        """Return the share of hits at other times, and of how many.

        Hours that are suspects themselves do not count, unless they are most of what there is: then they are usual.
        """
        most = self.away(tried)
        calm = self.away(tried * ~suspects)
        enough = 2 * calm >= most
        number = np.where(enough, calm, most)
        return share(np.where(enough, self.away(hits * ~suspects), self.away(hits)), number), number

    def flagged(self, kind: str, storm: Flags, raised: Flags, chance: Floats) -> pd.DataFrame:
        """Return kind, place, hour, p_value and storm of the hours that are one or are raised."""
        hours = self.table[["place", "hour"]].assign(kind=kind, p_value=chance, storm=storm)
        return hours.loc[storm | raised]


def _sums(counts: Floats) -> Floats:
    return np.concatenate([np.zeros(1), np.cumsum(counts)])


def share(part: Floats, whole: Floats) -> Floats:
    """Return a part of the whole; 0 where there is no whole."""
    return np.divide(part, whole, out=np.zeros_like(whole), where=whole > 0)

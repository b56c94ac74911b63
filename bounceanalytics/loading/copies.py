"""Deduplication: events seen already, by a number that is equal in copies of one event.

The numbers lie in sorted runs, in the way of a log-structured merge tree: a new run is merged with the one before as
long as that is not much longer, so that both looking up and adding stay cheap, however many small files there are.
Eight bytes are held for each event.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

Keys = np.ndarray[Any, np.dtype[np.uint64]]

_BUCKETS = 32  # merged one by one, so that merging needs little room
_SHIFT = np.uint64(64 - 5)


class SeenKeys:
    """A growing set of keys."""

    def __init__(self) -> None:
        self._runs: list[list[Keys]] = [[] for _ in range(_BUCKETS)]

    def __len__(self) -> int:
        return sum(len(run) for runs in self._runs for run in runs)

    def holds(self, keys: Keys) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Return which of some sorted keys are in the set."""
        known = np.zeros(len(keys), bool)
        for bucket, (start, stop) in enumerate(_spans(keys)):
            some = keys[start:stop]
            for run in self._runs[bucket]:
                place = np.searchsorted(run, some)
                place[place == len(run)] = 0
                known[start:stop] |= run[place] == some
        return known

    def add(self, keys: Keys) -> None:
        """Add sorted keys that are not in the set."""
        for bucket, (start, stop) in enumerate(_spans(keys)):
            if stop > start:
                self._push(bucket, keys[start:stop].copy())

    def absorb(self, other: SeenKeys) -> None:
        """Add all of another set that shares no key with this one."""
        for bucket, runs in enumerate(other._runs):
            for run in runs:
                self._push(bucket, run)

    def all(self) -> Keys:
        """Return all keys, in no order."""
        runs = [run for runs in self._runs for run in runs]
        return np.concatenate(runs) if runs else np.empty(0, np.uint64)

    def _push(self, bucket: int, run: Keys) -> None:
        runs = self._runs[bucket]
        runs.append(run)
        while len(runs) > 1 and len(runs[-2]) <= 2 * len(runs[-1]):
            last, before = runs.pop(), runs.pop()
            merged = np.concatenate([before, last])
            merged.sort(kind="stable")  # finds the two runs and merges them
            runs.append(merged)


def _spans(keys: Keys) -> list[tuple[int, int]]:
    """Return where the keys of each bucket stand among sorted keys."""
    edges = np.searchsorted(keys, np.arange(1, _BUCKETS, dtype=np.uint64) << _SHIFT)
    bounds = [0, *map(int, edges), len(keys)]
    return list(pairwise(bounds))


def repeated(
    keys: Keys, told: np.ndarray[Any, np.dtype[np.bool_]], *sets: SeenKeys
) -> tuple[np.ndarray[Any, np.dtype[np.bool_]], Keys]:
    """Return which rows repeat an event, and the sorted keys of those that are new.

    Parameters
    ----------
    keys : numpy.ndarray of uint64
        One per row.
    told : numpy.ndarray of bool
        Which rows have a key; the others repeat nothing.
    *sets : SeenKeys
        What has been seen before. Within ``keys`` the first copy is the new one.
    """
    rows = np.flatnonzero(told)
    order = np.argsort(keys[rows], kind="stable")
    ordered = keys[rows][order]
    copies = np.zeros(len(rows), bool)
    copies[1:] = ordered[1:] == ordered[:-1]
    for one in sets:
        copies |= one.holds(ordered)
    again = np.zeros(len(keys), bool)
    again[rows[order[copies]]] = True
    return again, ordered[~copies]

"""Deduplication: events seen already, by a number that is equal in copies of one event.

The numbers lie in sorted runs, in the way of a log-structured merge tree: a new run is merged with the one before as
long as that is not much longer, so that both looking up and adding stay cheap, however many small files there are.
Eight bytes are held for each event, and eight more for each account that its record tells.

Two accounts may have events with the same key. Whose an event is stands beside the key, as far as its record tells, in
columns of one kind each; a record that tells none may be a copy of any. Of the events of one key as many are kept as
accounts are told, one at least, whatever the order.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from bounceanalytics.loading.normalise import NO_ID, OWNERS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Keys = np.ndarray[Any, np.dtype[np.uint64]]

_BUCKETS = 32  # merged one by one, so that merging needs little room
_SHIFT = np.uint64(64 - 5)

# the lowest bits say which kinds of account were told of the event that came first
_MARKS = np.uint64(3)
_BITS = (np.uint64(1), np.uint64(2))
_CLAIM = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F))


class SeenKeys:
    """A growing set of keys."""

    def __init__(self) -> None:
        self._runs: list[list[Keys]] = [[] for _ in range(_BUCKETS)]

    def __len__(self) -> int:
        return sum(len(run) for runs in self._runs for run in runs)

    def look_up(self, keys: Keys, known: np.ndarray[Any, np.dtype[np.bool_]], marks: Keys) -> None:
        """Tell which of some sorted keys are in the set, whatever their marks, and the marks that they have there."""
        for bucket, (start, stop) in enumerate(_spans(keys)):
            some = keys[start:stop]
            for run in self._runs[bucket]:
                place = np.searchsorted(run, some)
                place[place == len(run)] = 0
                found = (run[place] ^ some) <= _MARKS
                known[start:stop] |= found
                marks[start:stop][found] |= run[place][found] & _MARKS

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

    def ascending(self) -> Iterator[Keys]:
        """Yield all keys in order, a bucket at a time: all of them at once would need as much room again."""
        for runs in self._runs:
            if runs:
                keys = np.concatenate(runs)
                keys.sort(kind="stable")
                yield keys

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


def keys_of(table: pa.Table) -> pa.Table:
    """Return the key of each row, and beside it what is told of the account."""
    none = pa.chunked_array([pa.nulls(len(table), pa.uint64())])
    key = table["key"] if "key" in table.column_names else none
    owners = {name: _owner(key, name, table[name]) if name in table.column_names else none for name in OWNERS}
    return pa.table({"key": key, **owners})


def _owner(key: pa.ChunkedArray, kind: str, told: pa.ChunkedArray) -> pa.Array:
    """Return a number for each key and account, which are few; missing where either is."""
    accounts = told.combine_chunks().dictionary_encode()
    numbers = [_number_of(kind, text) for text in accounts.dictionary.to_pylist()]
    known = np.array([*(number is not None for number in numbers), False])
    place = accounts.indices.fill_null(len(numbers)).to_numpy()
    owner = (
        np.array([*(number or 0 for number in numbers), 0], np.uint64)[place] ^ key.fill_null(0).to_numpy()
    )
    return pa.array(owner, mask=~(known[place] & key.is_valid().to_numpy()))


def _number_of(kind: str, told: str) -> int | None:
    """Return a number for an account, in whatever way it is told; None where somebody has taken it out."""
    if told.startswith("{"):
        with contextlib.suppress(ValueError, RecursionError):
            facts = json.loads(told)
            told = str(facts.get("id") or facts.get("name") or "")
    if _NO_ID.fullmatch(told):
        return None
    return int.from_bytes(hashlib.blake2b(f"{kind} {told}".encode(), digest_size=8).digest(), "little")


_NO_ID = re.compile(NO_ID, re.ASCII)


def repeated(keys: pa.Table, *sets: SeenKeys) -> tuple[np.ndarray[Any, np.dtype[np.bool_]], list[Keys]]:
    """Return which rows repeat an event, and the keys of those that are new, for :func:`in_order`.

    Parameters
    ----------
    keys : pyarrow.Table
        From :func:`keys_of`; rows without a key repeat nothing.
    *sets : SeenKeys
        What has been seen before. Within ``keys`` the first copy is the new one.
    """
    base, told = _numbers(keys["key"])
    known, marks = _looked_up(base, told, sets)
    there = known | (told & _duplicated(base, told))
    again, bits = there.copy(), np.zeros(len(base), np.uint64)
    # most events are told once: what is new to the set needs no second look
    rows = np.flatnonzero(np.isin(base, base[there]) & told) if there.any() else np.empty(0, np.int64)
    new: list[Keys] = []
    for name, bit, factor in zip(OWNERS, _BITS, _CLAIM, strict=True):
        if keys[name].null_count == len(base):
            continue
        owner, has = _numbers(keys[name])
        bits[has] |= bit
        fresh = has.copy()
        if len(rows):
            some, told_some, base_some = owner[rows], has[rows], base[rows]
            claim = (base_some * factor) & ~_MARKS
            old = _looked_up(some, told_some, sets)[0] | _duplicated(some, told_some)
            claimed = (marks[rows] & bit) > 0
            claimed |= _looked_up(claim, told_some & there[rows], sets)[0] | _duplicated(base_some, told_some)
            # the first account that is told of an event which was there without one is its own
            again[rows] &= ~told_some | old | ~claimed
            fresh[rows] &= ~old
            new.append(claim[told_some & there[rows] & ~claimed])
        new.append(owner[fresh])
    new.append((base | bits)[told & ~there])
    return again, new


def repeated_among(keys: pa.Table) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return which rows repeat an event of an earlier one, where nothing was seen before."""
    base, told = _numbers(keys["key"])
    again = told & _duplicated(base, told)
    if again.any():
        several = told & np.isin(base, base[again])
        again[several], _ = repeated(keys.filter(pa.array(several)))
    return again


def in_order(keys: Sequence[Keys]) -> Keys:
    """Return all of some keys sorted, each once, as :class:`SeenKeys` takes them."""
    every = np.sort(np.concatenate(keys))  # quicker than np.unique, which hashes
    first = np.ones(len(every), bool)
    np.not_equal(every[1:], every[:-1], out=first[1:])
    return every[first]


def _numbers(column: pa.ChunkedArray) -> tuple[Keys, np.ndarray[Any, np.dtype[np.bool_]]]:
    """Return keys without marks, and which rows have one."""
    has = column.is_valid().to_numpy()
    return (column.fill_null(0) if column.null_count else column).to_numpy() & ~_MARKS, has.copy()


def _duplicated(
    keys: Keys, which: np.ndarray[Any, np.dtype[np.bool_]]
) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return which of some rows have the key of an earlier one among them."""
    if which.all():
        return pd.Series(keys).duplicated().to_numpy()
    found = np.zeros(len(keys), bool)
    found[which] = pd.Series(keys[which]).duplicated().to_numpy()
    return found


def _looked_up(
    keys: Keys, which: np.ndarray[Any, np.dtype[np.bool_]], sets: Sequence[SeenKeys]
) -> tuple[np.ndarray[Any, np.dtype[np.bool_]], Keys]:
    """Return which of some rows have a key that has been seen, and the marks that it was seen with."""
    known, marks = np.zeros(len(keys), bool), np.zeros(len(keys), np.uint64)
    if sets and which.any():
        rows = np.flatnonzero(which)
        rows = rows[np.argsort(keys[rows], kind="stable")]
        found, seen = np.zeros(len(rows), bool), np.zeros(len(rows), np.uint64)
        for one in sets:
            one.look_up(keys[rows], found, seen)
        known[rows], marks[rows] = found, seen
    return known, marks

"""N-grams of texts as numbers: runs of signs within words, and runs of words.

A gram is a number of :data:`BITS` bits, made from its signs by a polynomial hash; two grams seldom share one. No list
of grams is kept: what has not been met in training has no weight. All grams of all texts are made at once, in whole
arrays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    Numbers = np.ndarray[Any, Any]

__all__ = ["BITS", "Grams", "grams"]

BITS = 20
#: How many signs, within a word and the blanks around it, and how many words make a gram.
SIGNS, WORDS = range(2, 6), range(1, 4)

_BASE, _MIX = np.uint32(0x01000193), np.uint32(0x9E3779B1)
_BLANK = np.uint32(ord(" "))


class Grams(NamedTuple):
    """Grams of some texts, one entry per gram; a gram may stand in a text more than once.

    Attributes
    ----------
    text : numpy.ndarray of int32
    gram : numpy.ndarray of uint32
    words : numpy.ndarray of int8
        How many words it has; 0 for a run of signs.
    start, end : numpy.ndarray of int32
        Where it stands, counted in signs of all texts, each with a blank before it and one behind the last.
    """

    text: Numbers
    gram: Numbers
    words: Numbers
    start: Numbers
    end: Numbers


def grams(texts: Sequence[str]) -> Grams:
    """Return the grams of texts.

    Parameters
    ----------
    texts : sequence of str
        In one line, words parted by single blanks.

    Returns
    -------
    Grams

    Examples
    --------
    >>> found = grams(["no mailbox"])
    >>> " no mailbox "[found.start[0] : found.end[0]], len(found.gram)
    (' n', 34)
    """
    signs = np.frombuffer(f" {' '.join(texts)} ".encode("utf-32-le", "replace"), np.uint32)
    lengths = np.fromiter((len(text) + 1 for text in texts), np.int64, len(texts))
    owner = np.append(np.repeat(np.arange(len(texts), dtype=np.int32), lengths), len(texts))
    blank = signs == _BLANK
    parts = [*_of_signs(signs, blank, owner), *_of_words(signs, blank, owner)]
    return Grams(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _of_signs(signs: Numbers, blank: Numbers, owner: Numbers) -> list[tuple[Numbers, ...]]:
    """Return runs of signs with no blank inside, at most at one of their ends."""
    before = np.concatenate([[0], np.cumsum(blank)])  # blanks before each sign
    found, value = [], signs
    for size in range(2, SIGNS.stop):
        value = value[:-1] * _BASE + signs[size - 1 :]
        if size not in SIGNS:
            continue
        start = np.flatnonzero(before[size - 1 : len(signs)] - before[1 : len(signs) - size + 2] == 0)
        # a word with the blanks at both its ends is among the runs of words
        start = start[~(blank[start] & blank[start + size - 1])]
        found.append(_found(value[start], size, 0, start, start + size, owner))
    return found


def _of_words(signs: Numbers, blank: Numbers, owner: Numbers) -> list[tuple[Numbers, ...]]:
    """Return runs of words of one text."""
    edges = np.flatnonzero(blank)
    first, last = edges[:-1] + 1, edges[1:]
    filled = last > first
    first, last = first[filled], last[filled]
    powers = np.cumprod(np.full(int((last - first).max(initial=0)) + 1, _BASE, np.uint32), dtype=np.uint32)
    place = np.arange(len(signs)) - np.repeat(
        edges, np.diff(np.append(edges, len(signs)))
    )  # the first is blank
    terms = signs * powers[np.minimum(place, len(powers) - 1)]
    sums = np.concatenate([[np.uint32(0)], np.cumsum(terms, dtype=np.uint32)])
    word = sums[last] - sums[first]
    found = []
    for size in WORDS:
        count = len(word) - size + 1
        if count <= 0:
            break
        value = np.zeros(count, np.uint32)
        for step in range(size):
            value = value * _MIX + word[step : step + count]
        start, end = first[:count], last[size - 1 :]
        same = owner[start - 1] == owner[end - 1]
        found.append(_found(value[same], 16 + size, size, start[same], end[same], owner))
    return found


def _found(
    value: Numbers, kind: int, words: int, start: Numbers, end: Numbers, owner: Numbers
) -> tuple[Numbers, ...]:
    value = (value ^ np.uint32(kind * 0x85EBCA6B & 0xFFFFFFFF)) * _MIX
    value = (value ^ (value >> np.uint32(15))) * np.uint32(0x2C1B3C6D)
    gram = (value ^ (value >> np.uint32(13))) >> np.uint32(32 - BITS)
    counted = np.full(len(start), words, np.int8)
    return owner[start], gram, counted, start.astype(np.int32), end.astype(np.int32)

"""Rows that are alike in everything that the classifier looks at are weighed once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa

from bounceanalytics.classifying.evidence import encode

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    Numbers = np.ndarray[Any, Any]

_MOST = 2**62  # what a number that stands for all columns of a row may grow to


def distinct_rows(columns: Mapping[str, Any]) -> tuple[Numbers, Numbers]:
    """Return one row of each kind, and which kind each row is of.

    Parameters
    ----------
    columns : mapping
        Arrow strings, and arrays of numbers from -1.

    Returns
    -------
    first, kind : numpy.ndarray of int64
        ``first[kind]`` is a row that has the same values, the first one that does.

    Examples
    --------
    >>> first, kind = distinct_rows({"said": pa.array(["a", "b", "a"]), "code": np.array([1, 1, 1])})
    >>> first.tolist(), kind.tolist()
    ([0, 1], [0, 1, 0])
    """
    with ThreadPoolExecutor(pa.cpu_count()) as pool:  # Arrow lets other threads run
        numbers = list(pool.map(_numbers, columns.values()))
    key, size = np.zeros(len(numbers[0]), np.int64), 1
    for number in numbers:
        choices = int(number.max(initial=-1)) + 2
        if size * choices > _MOST:
            key, known = pd.factorize(key)
            size = len(known)
        key = key * choices
        key += number
        key += 1
        size *= choices
    kind, _ = pd.factorize(key)
    newest = np.maximum.accumulate(kind) if len(kind) else kind  # kinds are numbered as they appear
    return np.flatnonzero(np.diff(newest, prepend=-1)), kind


def _numbers(values: Any) -> Numbers:
    return values if isinstance(values, np.ndarray) else encode(values)[0]

"""Distinct rows: those alike in everything that the classifier looks at are weighed once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa

from bounceanalytics.classifying.evidence import Coded, encode

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    Numbers = np.ndarray[Any, Any]

_MOST = 2**62  # what a number that stands for all columns of a row may grow to


def distinct_rows(columns: Mapping[str, Any]) -> tuple[dict[str, Any], Numbers]:
    """Return one row of each kind, and which kind each row is of.

    Parameters
    ----------
    columns : mapping
        Arrow strings, and arrays of numbers from -1.

    Returns
    -------
    kinds : dict
        The columns of the rows of which each is the first of its kind, strings as numbers of distinct values.
    kind : numpy.ndarray of int64
        Row of ``kinds`` that has the same values.

    Examples
    --------
    >>> kinds, kind = distinct_rows({"said": pa.array(["a", "b", "a"]), "code": np.array([1, 1, 1])})
    >>> kinds["said"].number.tolist(), kinds["said"].values.to_pylist(), kind.tolist()
    ([0, 1], ['a', 'b'], [0, 1, 0])
    """
    with ThreadPoolExecutor(pa.cpu_count()) as pool:  # Arrow lets other threads run
        coded = dict(zip(columns, pool.map(_coded, columns.values()), strict=True))
    numbers = [column.number if isinstance(column, Coded) else column for column in coded.values()]
    key, size = np.zeros(len(numbers[0]), np.int64), 1
    for number in numbers:
        least, most = (int(number.min()), int(number.max())) if len(number) else (0, 0)
        if least == most:  # a column that says the same of all rows tells none apart
            continue
        choices = most - least + 1
        if size * choices > _MOST:
            key, known = pd.factorize(key)
            size = len(known)
        # no two kinds get one number, wherever those of a column begin; the sum must not run over, though
        key *= choices
        key += number if least in {-1, 0} else number - least
        size *= choices
    kind, _ = pd.factorize(key)
    newest = np.maximum.accumulate(kind) if len(kind) else kind  # kinds are numbered as they appear
    first = np.append(np.zeros(min(len(kind), 1), np.int64), np.flatnonzero(newest[1:] > newest[:-1]) + 1)
    kinds = {
        name: Coded(column.number[first], column.values) if isinstance(column, Coded) else column[first]
        for name, column in coded.items()
    }
    return kinds, kind


def _coded(values: Any) -> Any:
    return values if isinstance(values, np.ndarray) else encode(values)

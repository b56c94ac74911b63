"""Texts found among others, and rows that repeat one."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bounceanalytics.cleaning import lookup, repeats
from bounceanalytics.cleaning.lookup import Lookup
from bounceanalytics.cleaning.repeats import Repeats
from tests.effort import examples

WORDS = st.lists(st.sampled_from("abcdefgh"), max_size=12)


def texts(values: list[str]) -> pa.Array:
    return pa.array(values, pa.large_string())


@pytest.mark.parametrize("different", [2**64, 3, 1])
@examples(60)
@given(WORDS.map(lambda words: list(dict.fromkeys(words))), WORDS)
def test_texts_of_one_hash_are_told_apart(different: int, known: list[str], asked: list[str]) -> None:
    def weak(_: object, values: pa.Array) -> np.ndarray:
        return np.array([ord(value) % different for value in values.to_pylist()], dtype=np.uint64)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lookup, "hash_texts", weak)
        found = Lookup(None, pa.chunked_array([texts(known)]))  # type: ignore[arg-type]
        numbers = found.find(texts(asked), weak(None, texts(asked))).tolist()
    assert found.repeated == 0
    assert numbers == [known.index(text) if text in known else -1 for text in asked]


def test_repeated_texts_are_counted() -> None:
    with duckdb.connect() as database:
        found = Lookup(database, pa.chunked_array([texts(["a", "b"]), texts(["a", "a"])]))
    assert (found.size, found.repeated) == (4, 2)


@examples(60)
@given(st.lists(st.integers(0, 9)), st.integers(1, 5))
def test_rows_that_repeat_an_earlier_one(values: list[int], at_once: int) -> None:
    expected = [
        f"{row},{values.index(value) + 1}"
        for row, value in enumerate(values, 1)
        if values.index(value) + 1 != row
    ]
    with ExitStack() as stack:
        stack.enter_context(pytest.MonkeyPatch.context()).setattr(repeats, "_AT_ONCE", 4 * at_once)
        database = stack.enter_context(duckdb.connect())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        rows = stack.enter_context(Repeats(folder))
        for start in range(0, len(values), 3):
            part = np.array(values[start : start + 3], dtype=np.uint64)
            rows.add(part, np.arange(start, start + len(part)) + 1)
        assert rows.write(database, folder / "repeats.csv") == len(expected)
        assert (folder / "repeats.csv").read_text().splitlines() == ["row,first_row", *expected]

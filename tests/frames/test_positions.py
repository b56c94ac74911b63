"""Rows go by position: what stands in the index of a frame, and how often, changes no answer."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import bounceanalytics as ba
from bounceanalytics import charts
from tests.effort import some_quick
from tests.takers import NO_TAKERS, TAKERS, Taker, told_of


def repeated(rows: int) -> pd.Index:
    return pd.Index(np.random.default_rng(531).permutation(rows) // 3, name="file row")


def several_levels(rows: int) -> pd.Index:
    words = [f"week {n % 5}" if n % 11 else None for n in range(rows)]
    return pd.MultiIndex.from_arrays([np.arange(rows) % 2, words], names=["half", None])


def shuffled(rows: int) -> pd.Index:
    return pd.Index(np.random.default_rng(531).permutation(rows))


def words(rows: int) -> pd.Index:
    return pd.Index([f"row {n % 7}" if n % 11 else None for n in range(rows)])


INDEXES = (repeated, several_levels, shuffled, words)


def without_index(value: Any) -> Any:
    """Return what an answer holds, and of frames the rows in their order."""
    if isinstance(value, pd.DataFrame):
        return [list(value.columns), *(value[name].tolist().__repr__() for name in value)]
    return [without_index(one) for one in value] if isinstance(value, (list, tuple)) else value


@pytest.mark.parametrize("taker", some_quick(TAKERS, 2))
def test_an_answer_is_the_same_whatever_the_index(taker: Taker, frames: dict[str, Any]) -> None:
    given = frames[taker.takes]
    wanted = told_of(taker, frames)
    for index in INDEXES if taker.same_rows else INDEXES[:1]:
        other = given.set_axis(index(len(given)))
        before = other.copy()
        found = taker.ask(other, frames)
        if taker.same_rows:
            assert found.index.identical(other.index)
            found = found.set_axis(given.index)
        if isinstance(wanted, pd.DataFrame):
            pd.testing.assert_frame_equal(found, wanted)
        assert without_index(found) == without_index(wanted), index.__name__
        pd.testing.assert_frame_equal(other, before)


@pytest.mark.parametrize("index", INDEXES)
def test_texts_keep_their_index(index: Callable[[int], pd.Index], frames: dict[str, Any]) -> None:
    given = frames["bounces"]
    columns = ["diagnostic", "reply_code", "enhanced_code", "domain"]
    wanted = ba.classify_text(*(given[name] for name in columns))
    other = given.set_axis(index(len(given)))
    found = ba.classify_text(*(other[name] for name in columns))
    assert found.index.identical(other.index)
    pd.testing.assert_frame_equal(found.set_axis(given.index), wanted)


def test_one_load_after_another_keeps_its_rows(frames: dict[str, Any]) -> None:
    a, b = frames["events"].iloc[:300].reset_index(drop=True), frames["events"].iloc[300:500]
    both = ba.classify(pd.concat([a, b.reset_index(drop=True)]))
    assert both.index.tolist() == [*range(300), *range(200)]
    pd.testing.assert_frame_equal(both.reset_index(drop=True), frames["bounces"].iloc[:500])


def test_every_public_function_is_known_to_take_a_frame_or_not() -> None:
    public = {name for name in ba.__all__ if inspect.isfunction(getattr(ba, name))}
    public |= {f"charts.{name}" for name in charts.__all__}
    taking = {taker.name for taker in TAKERS if not taker.name.startswith("Ledger.")}
    assert public == taking | NO_TAKERS
    assert not taking & NO_TAKERS

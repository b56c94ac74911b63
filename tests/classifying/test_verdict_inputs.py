"""What a verdict depends on: the named columns decide, nothing else does, and of what is no failure three of them."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import bounceanalytics as ba
from bounceanalytics import schema
from bounceanalytics.classifying import classify as module
from bounceanalytics.knowledge.rules import WORD_COLUMNS

INPUTS = list(schema.VERDICT_INPUTS.names)
VERDICTS = list(schema.VERDICT_COLUMNS.names)
OTHERS = [name for name in schema.EVENT_COLUMNS.names if name not in INPUTS]


@pytest.fixture
def events(frames: dict[str, Any]) -> pd.DataFrame:
    return frames["events"]


@pytest.fixture
def samples_events(loaded: ba.Load) -> pd.DataFrame:
    return loaded.events


def verdicts(frame: Any) -> pd.DataFrame:
    return ba.classify(frame)[VERDICTS]


def test_classify_reads_these_columns_and_no_others(
    events: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: set[str] = set()

    class Watched(dict[str, Any]):
        def __getitem__(self, name: str) -> Any:
            read.add(name)
            return super().__getitem__(name)

    own = module._columns
    monkeypatch.setattr(module, "_columns", lambda frame: Watched(own(frame)))
    ba.classify(events)
    assert read == set(INPUTS)
    assert set(WORD_COLUMNS) < set(INPUTS)


@pytest.mark.parametrize(
    "form",
    [
        lambda frame: frame,
        pl.from_pandas,
        lambda frame: pl.from_pandas(frame).lazy(),
        lambda frame: pa.Table.from_pandas(frame, preserve_index=False),
        lambda frame: duckdb.from_arrow(pa.Table.from_pandas(frame, preserve_index=False)),
    ],
    ids=["pandas", "polars", "lazy polars", "Arrow", "DuckDB"],
)
def test_a_frame_of_these_columns_alone_is_classified(
    form: Callable[[pd.DataFrame], Any], events: pd.DataFrame
) -> None:
    pd.testing.assert_frame_equal(verdicts(form(events[INPUTS[::-1]])), verdicts(events))


def test_every_one_of_them_is_needed(events: pd.DataFrame) -> None:
    for name in INPUTS:
        with pytest.raises(ba.FrameError, match=f"needs the columns {name};"):
            ba.classify(events.drop(columns=name))


def test_whatever_the_other_columns_say_the_verdict_is_the_same(events: pd.DataFrame) -> None:
    shuffled = events[OTHERS].sample(frac=1, random_state=1).set_axis(events.index)
    pd.testing.assert_frame_equal(verdicts(events.assign(**dict(shuffled.items()))), verdicts(events))


def test_rows_that_agree_in_them_get_one_verdict(samples_events: pd.DataFrame) -> None:
    found = ba.classify(samples_events)
    assert (
        len(found[INPUTS + VERDICTS].drop_duplicates()) == len(found[INPUTS].drop_duplicates()) < len(found)
    )


def test_of_what_is_no_failure_only_event_domain_and_host_count(samples_events: pd.DataFrame) -> None:
    counting = {"event", "domain", "remote_host"}
    failed = samples_events["event"].isin(schema.FAILURE_EVENTS)
    masked = samples_events.copy()
    for name in set(INPUTS) - counting:
        masked[name] = masked[name].where(failed)
    assert masked["diagnostic"].nunique() < samples_events["diagnostic"].nunique()
    pd.testing.assert_frame_equal(verdicts(masked), verdicts(samples_events))


def test_rows_are_judged_one_by_one_whatever_stands_beside_them(samples_events: pd.DataFrame) -> None:
    parts = [
        verdicts(samples_events.iloc[start : start + 1_000]) for start in range(0, len(samples_events), 1_000)
    ]
    pd.testing.assert_frame_equal(pd.concat(parts), verdicts(samples_events))


def test_an_empty_text_is_a_missing_one(events: pd.DataFrame) -> None:
    texts = [name for name in INPUTS if schema.VERDICT_INPUTS[name].kind == "string"]
    filled = events.assign(**{name: events[name].fillna("") for name in texts})
    pd.testing.assert_frame_equal(verdicts(filled), verdicts(events))


@pytest.mark.parametrize(
    "written",
    [
        lambda codes: codes.astype("Int64"),
        lambda codes: codes.astype("float64"),
        lambda codes: codes.astype("string"),
        lambda codes: codes.astype(object).map(lambda code: None if pd.isna(code) else Decimal(code)),
        lambda codes: codes.astype("Int64").fillna(2**40),
        lambda codes: codes.astype("float64").fillna(np.inf),
    ],
    ids=["Int64", "float", "text", "decimal", "too large", "infinite"],
)
def test_reply_codes_come_as_any_number(written: Callable[[Any], Any], events: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(
        verdicts(events.assign(reply_code=written(events["reply_code"]))), verdicts(events)
    )

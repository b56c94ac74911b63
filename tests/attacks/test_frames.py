"""Frames with odd columns: every call gives an answer or one sentence of ours, never another library's error."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import bounceanalytics as ba
from tests.classified import newsletter
from tests.effort import some_quick

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def objects(frame: pd.DataFrame, value: object) -> Any:
    return pd.Series([value] * len(frame), index=frame.index, dtype=object)


ODD: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "no address at all": lambda frame: frame.assign(recipient=np.nan),
    "numbers for addresses": lambda frame: frame.assign(recipient=range(len(frame))),
    "NUL in addresses": lambda frame: frame.assign(recipient="a\0b@example.com"),
    "half a sign in addresses": lambda frame: frame.assign(recipient=objects(frame, "a\ud800@example.com")),
    "half a sign in texts": lambda frame: frame.assign(diagnostic=objects(frame, "550 \udcff")),
    "lists for texts": lambda frame: frame.assign(diagnostic=objects(frame, ["x"])),
    "bytes for texts": lambda frame: frame.assign(diagnostic=objects(frame, b"x")),
    "texts for times": lambda frame: frame.assign(timestamp=frame["timestamp"].astype("str")),
    "times without a zone": lambda frame: frame.assign(timestamp=frame["timestamp"].dt.tz_localize(None)),
    "nanoseconds": lambda frame: frame.assign(timestamp=frame["timestamp"].astype("datetime64[ns, UTC]")),
    "periods": lambda frame: frame.assign(timestamp=frame["timestamp"].dt.tz_localize(None).dt.to_period("D")),
    "codes without end": lambda frame: frame.assign(reply_code=np.inf),
    "codes as texts": lambda frame: frame.assign(reply_code="550"),
    "codes as fractions": lambda frame: frame.assign(reply_code=550.5),
    "numbers for events": lambda frame: frame.assign(event=1.5),
    "objects for events": lambda frame: frame.assign(event=frame["event"].astype(object)),
    "no conflicts told": lambda frame: frame.assign(conflict=objects(frame, None)),
    "lists of tags": lambda frame: frame.assign(tags=objects(frame, ["a"])),
    "objects of tags": lambda frame: frame.assign(tags=objects(frame, {"a": 1})),
    "texts for records": lambda frame: frame.assign(record="x"),
    "sparse records": lambda frame: frame.assign(record=pd.arrays.SparseArray(frame["record"])),
    "no files": lambda frame: frame.assign(source=None),
    "columns twice": lambda frame: pd.concat([frame, frame[["event", "recipient"]]], axis=1),
    "an index of columns": lambda frame: frame.set_index(["event", "domain"], drop=False),
    "an index that repeats": lambda frame: frame.set_index(np.zeros(len(frame), int)),
    "names that are no texts": lambda frame: frame.rename(columns={"event": ("event", 1)}),
    "columns of two levels": lambda frame: frame.set_axis(pd.MultiIndex.from_product([["a"], frame]), axis=1),
    "columns of one level that says it has several": (
        lambda frame: frame.set_axis(pd.MultiIndex.from_product([frame.columns]), axis=1)
    ),
    "seconds for times": lambda frame: frame.assign(timestamp=frame["timestamp"].astype("int64") / 1e6),
}  # fmt: skip

CALLS: dict[str, Callable[[Any, Path], object]] = {
    **{
        name: lambda frame, _, name=name: getattr(ba, name)(frame)
        for name in ("classify", "decide", "storms", "summarize", "incidents", "recovery", "retry_days", "conflicts",
                     "unclassified", "compare_policies")
    },
    "clean": lambda frame, folder: ba.clean(b"email\na@example.com\n", frame, folder / "cleaned"),
}  # fmt: skip


@pytest.fixture(scope="module")
def mail() -> pd.DataFrame:
    return newsletter(weeks=2)


def answers(call: Callable[[Any, Path], object], frame: pd.DataFrame, folder: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            call(frame, folder)
        except ba.BounceAnalyticsError as error:
            assert len(str(error).splitlines()) == 1  # noqa: PT017 - nearly all of them answer


@pytest.mark.parametrize("odd", some_quick(ODD))
def test_no_foreign_error(mail: pd.DataFrame, odd: str, tmp_path: Path) -> None:
    frame = ODD[odd](mail)
    for call in CALLS.values():
        answers(call, frame, tmp_path)


@pytest.mark.parametrize("odd", some_quick(ODD, 10))
def test_no_foreign_error_in_a_report(mail: pd.DataFrame, odd: str, tmp_path: Path) -> None:
    answers(lambda frame, folder: ba.report(frame, folder / "report.xlsx"), ODD[odd](mail), tmp_path)


def test_half_a_sign_is_no_hindrance(mail: pd.DataFrame) -> None:
    told = ba.classify(mail.assign(diagnostic=objects(mail, "550 5.1.1 no such user \udcff")))
    assert set(told.loc[told["event"] == "bounced", "reason"]) == {"unknown_user"}


def test_a_column_that_is_there_twice_is_named(mail: pd.DataFrame) -> None:
    with pytest.raises(ba.FrameError, match="has the columns event more than once"):
        ba.decide(pd.concat([mail, mail[["event"]]], axis=1))


def test_columns_of_several_levels_are_named(mail: pd.DataFrame) -> None:
    with pytest.raises(ba.FrameError, match="found a MultiIndex of columns"):
        ba.classify(mail.set_axis(pd.MultiIndex.from_product([mail.columns, ["a"]]), axis=1))


@pytest.mark.parametrize("call", [ba.conflicts, ba.unclassified, ba.decide, ba.storms])
@pytest.mark.parametrize("dtype", ["float64", "Int64", "object", "int64[pyarrow]"])
def test_seconds_are_no_times(mail: pd.DataFrame, call: Any, dtype: str) -> None:
    seconds = (mail["timestamp"].astype("int64") // 10**6).astype(dtype)
    with pytest.raises(ba.FrameError):
        call(mail.assign(timestamp=seconds))

"""Tables: frames made of anything come out typed, and what is missing is named in one sentence."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from bounceanalytics import schema
from bounceanalytics.errors import FrameError
from bounceanalytics.schema import Column, Table

LIST = Table(
    "a list",
    Column("domain", "string", "domain of the address"),
    Column("part", "category", "where it went", ("kept", "removed")),
    Column("at", "timestamp", "when"),
    Column("row", "Int64", "its number"),
    Column("rows", "int64", "how many"),
    Column("share", "float64", "of all (0-1)", share=True),
    Column("low", "float64", "its 95% interval"),
    Column("high", "float64", "its 95% interval"),
    Column("known", "bool", "whether it is known"),
    Column("tags", "list", "its tags"),
)
ROWS = [
    ("example.com", "kept", "2026-11-01T12:00:00", 1, 3, 0.5, None, None, True, ["a"]),
    (None, None, None, None, 4, None, 0.1, 0.2, False, []),
]
COLUMNS = dict(zip(LIST.names, map(list, zip(*ROWS, strict=True)), strict=True))
ARROW = pa.table(
    COLUMNS | {"at": pa.array(pd.to_datetime(pd.Series(COLUMNS["at"])), pa.timestamp("us")), "other": [1, 2]}
)


@pytest.mark.parametrize(
    "data",
    [ROWS, COLUMNS, pd.DataFrame(COLUMNS).assign(other=1)[["other", *reversed(LIST.names)]], ARROW],
    ids=["rows", "columns", "frame", "arrow"],
)
def test_whatever_it_is_made_of_a_frame_has_the_columns_in_order_and_type(data: object) -> None:
    found = LIST.frame(data)  # type: ignore[arg-type]
    assert dict(found.dtypes) == LIST.dtypes
    assert found["part"].cat.categories.tolist() == ["kept", "removed"]
    assert list(found.columns) == list(LIST.names)
    assert found.dtypes.equals(LIST.empty().dtypes)
    assert found["at"].iloc[0] == pd.Timestamp("2026-11-01T12:00", tz="UTC")
    assert found["part"].isna().tolist() == [False, True]
    assert found["row"].isna().tolist() == [False, True]
    assert list(found["tags"].iloc[0]) == ["a"]


@pytest.mark.parametrize("make", [pa.table, pd.DataFrame])
@pytest.mark.parametrize(
    "parts",
    [["removed", "kept"], pd.Categorical(["removed", "kept"], ["removed", "kept"])],
    ids=["texts", "coded"],
)
def test_categories_are_in_their_order_whatever_order_they_come_in(make: Any, parts: Any) -> None:
    found = LIST.select(["part"]).frame(make({"part": parts}))["part"]
    assert found.cat.categories.tolist() == ["kept", "removed"]
    assert found.astype(object).tolist() == ["removed", "kept"]


@pytest.mark.parametrize("nothing", [[], {name: [] for name in LIST.names}, ARROW.slice(0, 0)])
def test_nothing_is_a_frame_of_no_rows(nothing: object) -> None:
    pd.testing.assert_frame_equal(LIST.frame(nothing), LIST.empty())  # type: ignore[arg-type]


def test_a_column_that_is_not_there_is_no_column_of_missing_values() -> None:
    with pytest.raises(KeyError):
        LIST.frame({"domain": ["example.com"]})
    with pytest.raises(KeyError):
        LIST.frame(ARROW.drop_columns("domain"))


def test_the_frame_given_is_not_changed() -> None:
    given = pd.DataFrame(COLUMNS)
    before = given.copy()
    LIST.frame(given)
    pd.testing.assert_frame_equal(given, before)


def test_the_index_of_a_frame_stays() -> None:
    assert LIST.frame(pd.DataFrame(COLUMNS, index=[7, 9])).index.tolist() == [7, 9]


def test_missing_columns_are_named_together() -> None:
    given = LIST.empty().drop(columns=["domain", "rows"])
    with pytest.raises(FrameError, match=r"^a list needs the columns domain, rows; found: part, at, row"):
        LIST.require(given)
    assert LIST.require(given, ["part", "at"]) is given
    with pytest.raises(FrameError, match=r"expected a list \(a pandas DataFrame\), found list"):
        LIST.require([1])
    with pytest.raises(KeyError):
        LIST.require(given, ["no_column_of_a_list"])


def test_the_arrow_schema_converts_to_the_same_frame() -> None:
    table = LIST.arrow.empty_table()
    pd.testing.assert_frame_equal(LIST.frame(table), LIST.empty())


def test_columns_for_a_docstring() -> None:
    rule = "================= ============================="
    assert LIST.select(["domain", "at", "low", "high"]).numpydoc().splitlines() == [
        rule,
        "``domain``        string: domain of the address",
        "``at``            timestamp, UTC: when",
        "``low``, ``high`` float64: its 95% interval",
        rule,
    ]
    assert LIST.without("domain", "part", "row", "high").numpydoc(meanings=False) == (
        "``at`` (timestamp, UTC), ``rows`` (int64), ``share``, ``low`` (float64), ``known`` (bool), ``tags`` (list of\n"
        "strings)."
    )


def test_the_classified_frame_is_events_and_verdicts() -> None:
    assert schema.BOUNCE_COLUMNS.names == schema.EVENT_COLUMNS.names + schema.VERDICT_COLUMNS.names

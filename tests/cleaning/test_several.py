"""Lists with several addresses in a cell, a row or a line, and with line ends of several systems."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import bounceanalytics as ba
from bounceanalytics.classifying.classify import classify
from bounceanalytics.cleaning import Cleaning, clean, restore

DEAD = b"""status,reason,email,created
5.1.1,550 5.1.1 no such mailbox,kim@example.com,1773130520
5.1.1,550 5.1.1 no such mailbox,lou@example.com,1773130520
"""


@pytest.fixture(scope="module")
def bounces() -> pd.DataFrame:
    return classify(ba.load(DEAD).events)


def found(run: Cleaning, part: str) -> list[str]:
    """Return the people of a part, in the order of their rows."""
    text = run.files[part].read_text(encoding="utf-8")
    places = {name: text.find(f"{name}@") for name in ("kim", "lou", "nia", "ola", "pia")}
    return sorted((name for name, place in places.items() if place >= 0), key=lambda name: places[name])


@pytest.mark.parametrize(
    "text",
    [
        "kim@example.com, nia@example.com, lou@example.com",
        "nia@example.com;kim@example.com;lou@example.com\n",
        "nia@example.com kim@example.com lou@example.com",
        "nia@example.com\tkim@example.com\nlou@example.com",
        "Kim <kim@example.com>; Nia <nia@example.com>; Lou <lou@example.com>",
        '"Roe, Nia" <nia@example.com>, Doe, Kim <kim@example.com>, <lou@example.com>',
        "email\nkim@example.com, nia@example.com\nlou@example.com, lou@example.com\n",
    ],
)
def test_lines_with_several_addresses_are_taken_apart(
    text: str, bounces: pd.DataFrame, tmp_path: Path
) -> None:
    run = clean(text.encode(), bounces, tmp_path / "out")
    assert (found(run, "kept"), sorted(found(run, "removed"))) == (["nia"], ["kim", "lou"])
    assert "a row of its own" in repr(run)
    restore(run, tmp_path / "back.csv")


@pytest.mark.parametrize(
    "text",
    [
        'email,name\n"kim@example.com; nia@example.com",A\nola@example.com,O\n',
        'email,name\n"Nia <nia@example.com>; Kim <kim@example.com>",A\nola@example.com,O\n',
        "email\nola@example.com\npia@example.com\nnia@example.com,kim@example.com\n",
        "1,ola@example.com\n2,pia@example.com\n3,nia@example.com,kim@example.com\n",
    ],
)
def test_a_row_with_several_is_set_aside_as_a_whole(text: str, bounces: pd.DataFrame, tmp_path: Path) -> None:
    run = clean(text.encode(), bounces, tmp_path / "out")
    assert sorted(found(run, "unreadable")) == ["kim", "nia"]
    assert "more than one address" in repr(run)
    assert not {"kim", "nia"} & {*found(run, "kept"), *found(run, "removed")}


@pytest.mark.parametrize(
    ("text", "kept", "removed"),
    [
        ("email\nola@example.com\nkim@example.com\rnia@example.com\n", ["ola", "nia"], ["kim"]),
        (
            "email,name\r\nola@example.com,O\r\nkim@example.com,K\rnia@example.com,N\r\n",
            ["ola", "nia"],
            ["kim"],
        ),
        ('email,name\rkim@example.com,"K\nM"\rnia@example.com,N\r', ["nia"], ["kim"]),
        ("email\rkim@example.com\rnia@example.com\nola@example.com\r", ["nia", "ola"], ["kim"]),
        ("email\rkim@example.com\nnia@example.com\n", ["nia"], ["kim"]),
        ("email,name\nnia@example.com,Nia\rRoe\nkim@example.com,K\n", ["nia"], ["kim"]),
    ],
)
def test_line_ends_of_several_systems(
    text: str, kept: list[str], removed: list[str], bounces: pd.DataFrame, tmp_path: Path
) -> None:
    run = clean(text.encode(), bounces, tmp_path / "out")
    assert (found(run, "kept"), found(run, "removed")) == (kept, removed)
    assert run.rows["input"] == len(kept) + len(removed)
    restore(run, tmp_path / "back.csv")
    assert (tmp_path / "back.csv").read_bytes() == text.encode()


def test_the_fuller_column_is_taken_and_named(bounces: pd.DataFrame, tmp_path: Path) -> None:
    rows = "".join(f"Pia,pia{number}@example.com,\n" for number in range(5))
    text = (
        f"Name,Mail 1,Mail 2\nNia,nia@example.com,kim@example.com\nOla,a@example.com; b@example.com,\n{rows}"
    )
    run = clean(text.encode(), bounces, tmp_path / "out")
    assert run.rows | {"kept": 6, "removed": 0, "unreadable": 1} == run.rows
    assert "'Mail 1'" in run.read_as
    assert "'Mail 2'" in run.read_as

"""What changed between two runs."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from bounceanalytics.cleaning import clean, diff
from bounceanalytics.deciding import decide
from bounceanalytics.errors import FormatError, SourceError
from tests.classified import classified

COLUMNS = [
    "domain",
    "row_before",
    "row_after",
    "part_before",
    "part_after",
    "reason_before",
    "reason_after",
    "why",
]
FAILED = [
    {"recipient": "moved@example.com", "timestamp": "2026-09-14T08:00:00Z"},
    {"recipient": "same@example.com"},
    {"recipient": "unclear@example.org", "conflict": True, "reason": "mailbox_disabled"},
]
DELIVERED = [
    {"recipient": f["recipient"], "event": "delivered", "timestamp": "2026-10-01T00:00:00Z"} for f in FAILED
]


def moved(
    before: tuple[str, list[Any]], after: tuple[str, list[Any]], folder: Path, **more: Any
) -> pd.DataFrame:
    """Return the diff of two runs, each a list and the events known at the time."""
    runs = []
    for name, (text, events) in {"first": before, "second": after}.items():
        runs.append(clean(text.encode(), verdicts(events), folder / name))
    return diff(*runs, **more)


def verdicts(events: list[Any]) -> pd.DataFrame:
    return decided(json.dumps(events))


@functools.cache
def decided(events: str) -> pd.DataFrame:
    return decide(classified(json.loads(events)))


def test_nothing_changed(tmp_path: Path) -> None:
    text = "email\nmoved@example.com\nsame@example.com\nnobody\n"
    found = moved((text, FAILED), (text, FAILED), tmp_path)
    assert list(found.columns) == COLUMNS
    assert len(found) == 0


def test_what_moved_and_why(tmp_path: Path) -> None:
    text = "email\nfine@example.com\nmoved@example.com\nsame@example.com\nunclear@example.org\nnobody\n"
    found = moved((text, []), (text, FAILED[:1] + FAILED[2:]), tmp_path)
    assert found.to_dict("records") == [
        {
            "domain": "example.com",
            "row_before": 2,
            "row_after": 2,
            "part_before": "kept",
            "part_after": "removed",
            "reason_before": pytest.approx(float("nan"), nan_ok=True),
            "reason_after": "unknown_user",
            "why": "was kept, now removed: unknown_user (5.1.1) on 2026-09-14",
        },
        {
            "domain": "example.org",
            "row_before": 4,
            "row_after": 4,
            "part_before": "kept",
            "part_after": "held",
            "reason_before": pytest.approx(float("nan"), nan_ok=True),
            "reason_after": "mailbox_disabled",
            "why": "was kept, now held: mailbox_disabled on 2026-03-02",
        },
    ]


def test_back_again(tmp_path: Path) -> None:
    text = "email\nmoved@example.com\n"
    found = moved((text, FAILED), (text, FAILED + DELIVERED), tmp_path)
    assert found["why"].tolist() == ["was removed: unknown_user (5.1.1) on 2026-09-14, now kept"]


def test_rows_of_one_list_only(tmp_path: Path) -> None:
    found = moved(
        ("email\nold@example.com\nsame@example.com\n", FAILED),
        ("name;email\nx;SAME@example.com\ny;moved@example.com\nz\n", FAILED),
        tmp_path,
    )
    assert found["why"].tolist() == [
        "only in the first list, kept",
        "only in the second list, removed: unknown_user (5.1.1) on 2026-09-14",
        "only in the second list, unreadable: the row ends before the column of addresses",
    ]
    assert found["row_before"].tolist() == [1, pd.NA, pd.NA]
    assert found["row_after"].tolist() == [pd.NA, 2, 3]
    assert found["domain"].tolist()[:2] == ["example.com"] * 2
    assert pd.isna(found["domain"][2])


def test_addresses_are_shown_only_when_asked_for(tmp_path: Path) -> None:
    text = "email\nMoved@example.com\n"
    runs = (text, []), (text, FAILED)
    assert "@" not in moved(*runs, tmp_path / "a").to_csv()
    found = moved(*runs, tmp_path / "b", addresses=True)
    assert list(found.columns) == ["domain", "address", *COLUMNS[1:]]
    assert found["address"].tolist() == ["moved@example.com"]


def test_repeated_addresses_are_told_apart_by_their_order(tmp_path: Path) -> None:
    one = "email\nmoved@example.com\nfine@example.com\n"
    found = moved((one, []), (one + "moved@example.com\nfine@example.com\n", FAILED), tmp_path)
    assert found["row_after"].tolist() == [1, 3, 4]
    assert found["why"].str.startswith(("was kept, now removed", "only in the second list")).all()
    assert found["part_after"].tolist() == ["removed", "removed", "kept"]


def test_small_blocks_and_other_encodings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bounceanalytics.cleaning.lists.BLOCK", 64)
    text = (
        'name,email\n"a\n""b""",moved@example.com\nx,same@example.com\ny,nobody\n"z",fine@bücher.example\n'
        * 9
    )
    first = clean(text.encode("utf-16"), verdicts([]), tmp_path / "first")
    second = clean(text.encode(), verdicts(FAILED), tmp_path / "second")
    found = diff(first.folder, str(second.folder))
    assert found["row_before"].tolist() == found["row_after"].tolist()
    assert len(found) == 18
    assert set(found["part_after"]) == {"removed"}


def test_runs_that_are_not_whole(tmp_path: Path) -> None:
    run = clean(b"email\nfine@example.com\n", verdicts([]), tmp_path / "run")
    with pytest.raises(SourceError, match="no folder of a run"):
        diff(run, tmp_path / "nothing")
    run.files["kept"].write_bytes(b"email\nother@example.com\n")
    with pytest.raises(FormatError, match="was changed after the run"):
        diff(run, run)
    run.files["manifest"].unlink()
    with pytest.raises(SourceError, match="holds no complete run"):
        diff(run, run)

"""Suppression files in the form that each ESP imports."""

from __future__ import annotations

import csv
import dataclasses
from pathlib import Path

import pandas as pd
import pytest
from classified import classified

from bounceanalytics import schema
from bounceanalytics.cleaning import export_suppressions
from bounceanalytics.cleaning import suppressions as module
from bounceanalytics.deciding import decide
from bounceanalytics.errors import FormatError, FrameError, OutputError


@pytest.fixture
def verdicts() -> pd.DataFrame:
    return decide(
        classified(
            [
                {"recipient": "gone@example.com", "enhanced_code": "5.1.1", "reply_code": 550},
                {
                    "recipient": "reply@example.com",
                    "enhanced_code": None,
                    "reply_code": 550,
                    "timestamp": None,
                },
                {"recipient": "angry@example.com", "event": "complained"},
                {"recipient": "left@example.com", "event": "unsubscribed"},
                {"recipient": "fine@example.com", "event": "delivered"},
                {"recipient": "unclear@example.com", "conflict": True},
                {"recipient": "jürgen@example.com"},
                {"recipient": '"a,b"@example.com'},
            ]
        )
    )


def test_sendgrid(verdicts: pd.DataFrame, tmp_path: Path) -> None:
    result = export_suppressions(verdicts, "sendgrid", tmp_path / "s.csv")
    lines = (tmp_path / "s.csv").read_bytes().split(b"\n")
    assert lines == [
        b"email",
        b"angry@example.com",
        b"gone@example.com",
        b"left@example.com",
        b"reply@example.com",
        b"",
    ]
    assert result.files == {tmp_path / "s.csv": 4}
    assert result.excluded == {"not ASCII, or would need quotes": 2}
    assert "2 left out" in repr(result)


def test_ses(verdicts: pd.DataFrame, tmp_path: Path) -> None:
    result = export_suppressions(verdicts, "ses", tmp_path / "s.csv")
    assert (tmp_path / "s.csv").read_text() == (
        "angry@example.com,COMPLAINT\ngone@example.com,BOUNCE\nreply@example.com,BOUNCE\n"
    )
    assert result.excluded["unsubscribed, for which there is no import"] == 1


def test_ses_takes_so_many_a_file(verdicts: pd.DataFrame, tmp_path: Path) -> None:
    many = verdicts[verdicts["address"] == "gone@example.com"].loc[lambda one: one.index.repeat(250_001)]
    many = many.assign(address=[f"n{at}@example.com" for at in range(len(many))])
    result = export_suppressions(many, "ses", tmp_path / "s.csv")
    assert result.files == {
        tmp_path / "s.csv": 100_000,
        tmp_path / "s-2.csv": 100_000,
        tmp_path / "s-3.csv": 50_001,
    }
    lines = b"".join(path.read_bytes() for path in result.files).splitlines()
    assert lines == [f"n{at}@example.com,BOUNCE".encode() for at in range(250_001)]


def test_mailgun(verdicts: pd.DataFrame, tmp_path: Path) -> None:
    result = export_suppressions(verdicts, "mailgun", tmp_path / "m.csv")
    with (tmp_path / "m.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert rows == [
        {
            "address": "gone@example.com",
            "code": "",
            "error": "5.1.1 Unknown user",
            "created_at": "Mon, 02 Mar 2026 10:00:00 UTC",
        },
        {"address": "reply@example.com", "code": "550", "error": "Unknown user", "created_at": ""},
    ]
    assert (tmp_path / "m-complaints.csv").read_text() == (
        'address,created_at\nangry@example.com,"Mon, 02 Mar 2026 10:00:00 UTC"\n'
    )
    assert (
        (tmp_path / "m-unsubscribes.csv")
        .read_text()
        .startswith("address,tags,created_at\nleft@example.com,*,")
    )
    assert sum(result.files.values()) == 4


def test_mailgun_takes_so_many_bytes_a_file(
    verdicts: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = tuple(dataclasses.replace(target, most_bytes=110) for target in module._TARGETS["mailgun"])
    monkeypatch.setitem(module._TARGETS, "mailgun", small)
    result = export_suppressions(verdicts, "mailgun", tmp_path / "m.csv")
    assert [path.name for path in result.files] == [
        "m.csv",
        "m-2.csv",
        "m-complaints.csv",
        "m-unsubscribes.csv",
    ]
    assert all(path.stat().st_size <= 110 for path in result.files)


def test_plain(verdicts: pd.DataFrame, tmp_path: Path) -> None:
    export_suppressions(verdicts, "plain", tmp_path / "p.txt")
    assert (tmp_path / "p.txt").read_text().splitlines()[0] == "angry@example.com"


@pytest.mark.parametrize("provider", ["sendgrid", "ses", "mailgun", "plain"])
def test_nothing_to_remove(tmp_path: Path, provider: str) -> None:
    result = export_suppressions(schema.empty(schema.DECISION_COLUMNS), provider, tmp_path / "s.csv")
    assert result.files == {tmp_path / "s.csv": 0}
    assert result.excluded == {}


def test_errors(verdicts: pd.DataFrame, tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="'postmark'; there are sendgrid, ses, mailgun, plain"):
        export_suppressions(verdicts, "postmark", tmp_path / "s.csv")
    with pytest.raises(FrameError, match="verdict"):
        export_suppressions(verdicts.drop(columns="verdict"), "ses", tmp_path / "s.csv")
    (tmp_path / "m-complaints.csv").write_text("old")
    with pytest.raises(OutputError, match=r"m-complaints\.csv is there already"):
        export_suppressions(verdicts, "mailgun", tmp_path / "m.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["m-complaints.csv"]
    export_suppressions(verdicts, "mailgun", tmp_path / "m.csv", overwrite=True)
    assert (tmp_path / "m-complaints.csv").read_text() != "old"

"""Suppression files in the form that each ESP imports."""

from __future__ import annotations

import csv
import dataclasses
import hashlib
import json
from pathlib import Path

import pandas as pd
import pytest
from classified import classified

from bounceanalytics import schema
from bounceanalytics.classify import classify
from bounceanalytics.cleaning import clean
from bounceanalytics.deciding import decide
from bounceanalytics.errors import FormatError, FrameError, OutputError, SourceError
from bounceanalytics.loading import load
from bounceanalytics.suppressing import FORMATS, export_suppressions, match_hashes
from bounceanalytics.suppressing import formats as module


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
    assert (tmp_path / "s.csv").read_text() == (
        "email,suppressed_for,suppressed_on\n"
        "angry@example.com,complained,2026-03-02T10:00:00Z\n"
        "gone@example.com,unknown_user,2026-03-02T10:00:00Z\n"
        "left@example.com,unsubscribed,2026-03-02T10:00:00Z\n"
        "reply@example.com,unknown_user,\n"
    )
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
    small = tuple(dataclasses.replace(target, most_bytes=110) for target in module.ADD["mailgun"])
    monkeypatch.setitem(module.ADD, "mailgun", small)
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


@pytest.mark.parametrize("provider", FORMATS)
def test_nothing_to_remove(tmp_path: Path, provider: str) -> None:
    result = export_suppressions(schema.empty(schema.DECISION_COLUMNS), provider, tmp_path / "s.csv")
    assert result.files == {tmp_path / "s.csv": 0}
    assert result.excluded == {}


def test_errors(verdicts: pd.DataFrame, tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="'mandrill'; there are sendgrid, ses, ses-json, mailgun, postmark"):
        export_suppressions(verdicts, "mandrill", tmp_path / "s.csv")
    with pytest.raises(FrameError, match="verdict"):
        export_suppressions(verdicts.drop(columns="verdict"), "ses", tmp_path / "s.csv")
    (tmp_path / "m-complaints.csv").write_text("old")
    with pytest.raises(OutputError, match=r"m-complaints\.csv is there already"):
        export_suppressions(verdicts, "mailgun", tmp_path / "m.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["m-complaints.csv"]
    export_suppressions(verdicts, "mailgun", tmp_path / "m.csv", overwrite=True)
    assert (tmp_path / "m-complaints.csv").read_text() != "old"


def numbered(verdicts: pd.DataFrame, count: int) -> pd.DataFrame:
    many = verdicts[verdicts["address"] == "gone@example.com"].loc[lambda one: one.index.repeat(count)]
    return many.assign(address=[f"n{at}@example.com" for at in range(count)])


def test_ses_json(verdicts: pd.DataFrame, tmp_path: Path) -> None:
    result = export_suppressions(verdicts, "ses-json", tmp_path / "s.jsonl")
    assert [json.loads(line) for line in (tmp_path / "s.jsonl").read_text().splitlines()] == [
        {"emailAddress": "angry@example.com", "reason": "COMPLAINT"},
        {"emailAddress": "gone@example.com", "reason": "BOUNCE"},
        {"emailAddress": "reply@example.com", "reason": "BOUNCE"},
    ]
    assert result.excluded["unsubscribed, for which there is no import"] == 1


def test_postmark_takes_fifty_a_request(verdicts: pd.DataFrame, tmp_path: Path) -> None:
    export_suppressions(numbered(verdicts, 120), "postmark", tmp_path / "p.jsonl")
    bodies = [json.loads(line)["Suppressions"] for line in (tmp_path / "p.jsonl").read_text().splitlines()]
    assert [len(body) for body in bodies] == [50, 50, 20]
    assert [one["EmailAddress"] for body in bodies for one in body] == [
        f"n{at}@example.com" for at in range(120)
    ]


@pytest.mark.parametrize(
    ("provider", "title"), [("klaviyo", "Email"), ("hubspot", "Email"), ("mailchimp", "Email Address")]
)
def test_lists_of_contacts(verdicts: pd.DataFrame, tmp_path: Path, provider: str, title: str) -> None:
    export_suppressions(verdicts, provider, tmp_path / "s.csv")
    rows = pd.read_csv(tmp_path / "s.csv")
    assert rows.columns[0] == title
    assert rows[title].tolist() == [
        "angry@example.com",
        "gone@example.com",
        "left@example.com",
        "reply@example.com",
    ]


@pytest.mark.parametrize(
    ("provider", "line"),
    [
        ("ses", "fine@example.com\n"),
        ("ses-json", '{"emailAddress":"fine@example.com"}\n'),
        ("sendgrid", '{"emails":["fine@example.com"]}\n'),
    ],
)
def test_off_the_list_again(verdicts: pd.DataFrame, tmp_path: Path, provider: str, line: str) -> None:
    """Who is to be kept comes off; who is held stays where it is."""
    result = export_suppressions(verdicts, provider, tmp_path / "off.txt", action="remove")
    assert (tmp_path / "off.txt").read_text() == line
    assert sum(result.files.values()) == 1


def test_ses_deletes_so_many_a_file(verdicts: pd.DataFrame, tmp_path: Path) -> None:
    keep = numbered(verdicts, 10_001).assign(verdict="keep")
    files = export_suppressions(keep, "ses", tmp_path / "d.csv", action="remove").files
    assert list(files.values()) == [10_000, 1]


def test_what_cannot_be_taken_off(verdicts: pd.DataFrame, tmp_path: Path) -> None:
    with pytest.raises(
        FormatError, match=r"mailgun has no file that takes .* list; sendgrid, ses, ses-json have"
    ):
        export_suppressions(verdicts, "mailgun", tmp_path / "x", action="remove")
    with pytest.raises(FormatError, match="it is 'add' or 'remove'"):
        export_suppressions(verdicts, "ses", tmp_path / "x", action="put")  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


#: Odd but good addresses, and one in an internationalised domain.
ODD = ["o'neil+news@example.com", "x.@example.com", "a_b-c%d@sub.example.net", "jo@xn--bcher-kva.example"]


@pytest.mark.parametrize("provider", [name for name in FORMATS if name != "hashed"])
def test_our_loader_reads_back_every_file(verdicts: pd.DataFrame, tmp_path: Path, provider: str) -> None:
    more = numbered(verdicts, len(ODD)).assign(address=ODD)
    result = export_suppressions(pd.concat([verdicts, more]), provider, tmp_path / "suppress.csv")
    back = load(list(result.files)).events
    assert set(back["event"]) == {"suppressed"}
    assert len(back) == sum(result.files.values())
    known = {"gone@example.com", "reply@example.com", "angry@example.com", *ODD}
    if "unsubscribed, for which there is no import" not in result.excluded:
        known.add("left@example.com")
    if provider == "plain":
        known.add("jürgen@example.com")
    assert set(back["recipient"]) == known
    # and they stay removed, whoever decides anew
    again = decide(classify(back))
    assert set(again["verdict"]) == {"remove"}
    if provider in {"klaviyo", "hubspot", "mailchimp"}:
        assert again.set_index("address").loc["angry@example.com", "reason"] == "complained"
        assert again.set_index("address").loc["left@example.com", "reason"] == "unsubscribed"


@pytest.mark.parametrize("provider", ["sendgrid", "ses", "ses-json"])
def test_our_loader_reads_back_what_comes_off_a_list(
    verdicts: pd.DataFrame, tmp_path: Path, provider: str
) -> None:
    export_suppressions(verdicts, provider, tmp_path / "take_off.csv", action="remove")
    back = load(tmp_path / "take_off.csv").events
    assert back[["event", "recipient"]].to_numpy().tolist() == [["other", "fine@example.com"]]


@pytest.mark.parametrize("salt", ["", "pepper"])
def test_hashes(verdicts: pd.DataFrame, tmp_path: Path, salt: str) -> None:
    result = export_suppressions(verdicts, "hashed", tmp_path / "h.csv", salt=salt)
    assert sum(result.files.values()) == 6
    text = (tmp_path / "h.csv").read_text()
    assert "@" not in text
    assert "pepper" not in text
    assert hashlib.sha256(f"{salt}gone@example.com".encode()).hexdigest() in text
    found = match_hashes(
        [" Gone@Example.com", "new@example.com", "JÜRGEN@example.com"], tmp_path / "h.csv", salt=salt
    )
    assert found["address"].tolist() == ["gone@example.com", "jürgen@example.com"]
    assert set(found["verdict"]) == {"remove"}
    assert found["explanation"].iloc[0] == "Removed: on the hashed suppression list since 2026-03-02."
    with pytest.raises(FormatError, match="another salt"):
        match_hashes(["gone@example.com"], tmp_path / "h.csv", salt="other")
    with pytest.raises(FormatError, match=r"it holds no addresses; match_hashes\(list, file\) finds"):
        load(tmp_path / "h.csv")


def test_a_list_is_cleaned_against_hashes_only(verdicts: pd.DataFrame, tmp_path: Path) -> None:
    export_suppressions(verdicts, "hashed", tmp_path / "h.csv")
    (tmp_path / "list.csv").write_text(
        "name;Email\nA;GONE@example.com\nB;new@example.com\nC;left@example.com\n"
    )
    rows = clean(
        tmp_path / "list.csv", match_hashes(tmp_path / "list.csv", tmp_path / "h.csv"), tmp_path / "out"
    ).rows
    assert (rows["kept"], rows["removed"]) == (1, 2)
    bare = pd.read_csv(tmp_path / "h.csv")["sha256"]
    assert len(match_hashes(tmp_path / "list.csv", bare)) == 2
    assert match_hashes([], bare).empty


def test_files_that_hold_no_hashes(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("email\nann@example.com\n")
    with pytest.raises(FormatError, match="no hashed suppression list; it has no column sha256"):
        match_hashes(["ann@example.com"], tmp_path / "list.csv")
    with pytest.raises(FormatError, match="64 hexadecimal digits"):
        match_hashes(["ann@example.com"], ["abc"])
    with pytest.raises(SourceError, match="cannot be read"):
        match_hashes(["ann@example.com"], tmp_path / "nowhere.csv")


def test_a_mailing_list_is_no_suppression_list(tmp_path: Path) -> None:
    """Whoever loads the list itself by mistake must not lose everybody."""
    for name, content in (
        ("list.csv", "email\nann@example.com\n"),
        ("readers.txt", "ann@example.com\nbo@example.com\n"),
        ("c.csv", "Email\nann@example.com\n"),
    ):
        (tmp_path / name).write_text(content)
        with pytest.raises(FormatError):
            load(tmp_path / name)

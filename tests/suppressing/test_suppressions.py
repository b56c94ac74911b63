"""Suppression files in the form that each ESP imports."""

from __future__ import annotations

import csv
import dataclasses
import gzip
import hashlib
import json
from pathlib import Path
from typing import Literal

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bounceanalytics import schema
from bounceanalytics.addresses import normal_form, text_array
from bounceanalytics.classifying.classify import classify
from bounceanalytics.cleaning import clean
from bounceanalytics.deciding import decide
from bounceanalytics.errors import FormatError, FrameError, OutputError, SourceError
from bounceanalytics.knowledge import suppression_files as module
from bounceanalytics.loading import load
from bounceanalytics.suppressing import FORMATS, export_suppressions, hash_addresses, match_hashes
from tests.classified import classified
from tests.effort import some_quick


@pytest.fixture(scope="module")
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
    assert result.excluded == {"not ASCII": 1, "would need quotes": 1}
    assert "1 left out: not ASCII" in repr(result)


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
            "address": '"a,b"@example.com',
            "code": "",
            "error": "5.1.1 Unknown user",
            "created_at": "Mon, 02 Mar 2026 10:00:00 UTC",
        },
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
    assert sum(result.files.values()) == 5
    assert result.excluded == {"not ASCII": 1}


def test_mailgun_takes_25_megabytes_a_file(verdicts: pd.DataFrame, tmp_path: Path) -> None:
    """The header counts, and a file is cut no earlier than it must."""
    many = numbered(verdicts, 30).assign(address=lambda one: one["address"].str.pad(900_000, fillchar="x"))
    first, second = export_suppressions(many, "mailgun", tmp_path / "m.csv").files
    row = len(second.read_bytes().splitlines()[1]) + 1
    assert 25_000_000 - row < first.stat().st_size <= 25_000_000
    with first.open() as one, second.open() as two:
        assert one.readline() == two.readline() == "address,code,error,created_at\n"


def test_a_file_may_be_just_as_large_as_the_limit(
    verdicts: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    two = numbered(verdicts, 2)
    (whole,) = export_suppressions(two, "mailgun", tmp_path / "m.csv").files
    for limit, names in ((whole.stat().st_size, ["l.csv"]), (whole.stat().st_size - 1, ["l.csv", "l-2.csv"])):
        limited = tuple(dataclasses.replace(target, most_bytes=limit) for target in module.ADD["mailgun"])
        monkeypatch.setitem(module.ADD, "mailgun", limited)
        result = export_suppressions(two, "mailgun", tmp_path / "l.csv", overwrite=True)
        assert [path.name for path in result.files] == names


def test_plain(verdicts: pd.DataFrame, tmp_path: Path) -> None:
    export_suppressions(verdicts, "plain", tmp_path / "p.txt")
    assert (tmp_path / "p.txt").read_text().splitlines()[0] == "angry@example.com"


@pytest.mark.parametrize("provider", FORMATS)
def test_nothing_to_remove(tmp_path: Path, provider: str) -> None:
    result = export_suppressions(schema.DECISION_COLUMNS.empty(), provider, tmp_path / "s.csv")
    assert result.files == {tmp_path / "s.csv": 0}
    assert result.excluded == {}


def test_errors(verdicts: pd.DataFrame, tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="'mandrill'; there are sendgrid, ses, ses-json, mailgun, postmark"):
        export_suppressions(verdicts, "mandrill", tmp_path / "s.csv")
    with pytest.raises(FrameError, match="verdict"):
        export_suppressions(verdicts.drop(columns="verdict"), "ses", tmp_path / "s.csv")
    (tmp_path / "m-complaints.csv").write_text("old")
    with pytest.raises(
        OutputError, match=r"m-complaints\.csv exists; pass overwrite=True or choose another name"
    ):
        export_suppressions(verdicts, "mailgun", tmp_path / "m.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["m-complaints.csv"]
    export_suppressions(verdicts, "mailgun", tmp_path / "m.csv", overwrite=True)
    assert (tmp_path / "m-complaints.csv").read_text() != "old"


def test_files_of_an_earlier_export_do_not_stay(verdicts: pd.DataFrame, tmp_path: Path) -> None:
    others = {
        "m-notes.csv": "mine",
        "n-complaints.csv": "address,created_at\n",
        "m-unsubscribes-2.csv": "mine",
    }
    for name, text in others.items():
        (tmp_path / name).write_text(text)
    export_suppressions(verdicts, "mailgun", tmp_path / "m.csv")
    assert {"m-complaints.csv", "m-unsubscribes.csv"} < {path.name for path in tmp_path.iterdir()}
    (tmp_path / "m-complaints-2.csv").write_text("address,created_at\n")
    (tmp_path / "m-complaints-4.csv").write_text("address,created_at\n")  # no run leaves a gap
    quiet = verdicts[verdicts["reason"] != "complained"]
    (tmp_path / "m.csv").unlink()
    (tmp_path / "m-unsubscribes.csv").unlink()
    with pytest.raises(OutputError, match=r"m-complaints\.csv and 1 more exist; pass overwrite=True"):
        export_suppressions(quiet, "mailgun", tmp_path / "m.csv")
    assert not (tmp_path / "m.csv").exists()
    written = export_suppressions(quiet, "mailgun", tmp_path / "m.csv", overwrite=True).files
    assert {path.name for path in written} == {"m.csv", "m-unsubscribes.csv"}
    assert {path.name for path in tmp_path.iterdir()} == {
        *(path.name for path in written),
        *others,
        "m-complaints-4.csv",
    }


def test_parts_of_an_earlier_export_do_not_stay(verdicts: pd.DataFrame, tmp_path: Path) -> None:
    for provider, most in (("ses", 100_000), ("ses-json", 100_000)):
        names = {path.name for path in tmp_path.iterdir()}
        path = tmp_path / f"{provider}.csv"
        export_suppressions(numbered(verdicts, 2 * most + 1), provider, path)
        assert len(list(tmp_path.iterdir())) == len(names) + 3
        export_suppressions(numbered(verdicts, most), provider, path, overwrite=True)
        assert {path.name for path in tmp_path.iterdir()} == {*names, path.name}


def test_a_list_of_the_same_name_is_not_ours(verdicts: pd.DataFrame, tmp_path: Path) -> None:
    (tmp_path / "s-2.csv").write_text("ann@example.com\n")
    for provider in ("sendgrid", "ses", "mailgun", "plain"):
        export_suppressions(verdicts, provider, tmp_path / "s.csv", overwrite=True)
        assert (tmp_path / "s-2.csv").read_text() == "ann@example.com\n"


@pytest.mark.parametrize(("provider", "action"), [("ses", "add"), ("ses", "remove"), ("ses-json", "remove")])
@pytest.mark.parametrize(
    "content", ["email,name\nann@example.com,Ann\n", '{"emailAddress":"ann@example.com"}\n']
)
def test_a_list_behind_a_file_that_is_not_full_is_not_ours(
    verdicts: pd.DataFrame, tmp_path: Path, provider: str, action: Literal["add", "remove"], content: str
) -> None:
    """Nothing but its name would tell a file without a header from somebody's list."""
    (tmp_path / "s-2.csv").write_text(content)
    for overwrite in (False, True):
        export_suppressions(verdicts, provider, tmp_path / "s.csv", action=action, overwrite=overwrite)
        assert (tmp_path / "s-2.csv").read_text() == content


def numbered(verdicts: pd.DataFrame, count: int) -> pd.DataFrame:
    many = verdicts[verdicts["address"] == "gone@example.com"].loc[lambda one: one.index.repeat(count)]
    return many.assign(address=[f"n{at}@example.com" for at in range(count)])


def test_ses_json(verdicts: pd.DataFrame, tmp_path: Path) -> None:
    result = export_suppressions(verdicts, "ses-json", tmp_path / "s.jsonl")
    assert [json.loads(line) for line in (tmp_path / "s.jsonl").read_text().splitlines()] == [
        {"emailAddress": '"a,b"@example.com', "reason": "BOUNCE"},
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
        '"a,b"@example.com',
        "angry@example.com",
        "gone@example.com",
        "left@example.com",
        "reply@example.com",
    ]


def test_klaviyo_takes_no_other_column(verdicts: pd.DataFrame, tmp_path: Path) -> None:
    export_suppressions(numbered(verdicts, 2), "klaviyo", tmp_path / "k.csv")
    assert (tmp_path / "k.csv").read_text() == "Email\nn0@example.com\nn1@example.com\n"


@pytest.mark.parametrize(
    ("provider", "line"),
    [
        ("ses", "fine@example.com\n"),
        ("ses-json", '{"emailAddress":"fine@example.com"}\n'),
        ("sendgrid", '{"emails":["fine@example.com"]}\n'),
        ("postmark", '{"Suppressions":[{"EmailAddress":"fine@example.com"}]}\n'),
    ],
)
def test_off_the_list_again(verdicts: pd.DataFrame, tmp_path: Path, provider: str, line: str) -> None:
    """Who is to be kept comes off; who is held stays where it is."""
    result = export_suppressions(verdicts, provider, tmp_path / "off.txt", action="remove")
    assert (tmp_path / "off.txt").read_text() == line
    assert sum(result.files.values()) == 1


def test_only_whom_the_esp_suppresses_comes_off_its_list(tmp_path: Path) -> None:
    said = [
        ("kim", "bounced", "mailbox_full", "sendgrid"),
        ("kim", "dropped", "suppressed", "sendgrid"),
        ("lou", "bounced", "unknown_user", "sendgrid"),
        ("lou", "dropped", "suppressed", "sendgrid"),
        ("mio", "bounced", "mailbox_full", "ses"),
        ("mio", "dropped", "suppressed", "ses"),
        ("noa", "delivered", None, "sendgrid"),
    ]
    rows = [
        {
            "recipient": f"{who}@example.com",
            "event": event,
            "provider": provider,
            "timestamp": f"2024-03-{day:02d}T08:00:00Z",
        }
        | ({"reason": reason} if reason else {})
        for day, (who, event, reason, provider) in enumerate(said, start=1)
    ]
    verdicts = decide(classified(rows))
    for provider, address in (("sendgrid", "kim@example.com"), ("ses", "mio@example.com")):
        export_suppressions(verdicts, provider, tmp_path / provider, action="remove")
        text = (tmp_path / provider).read_text()
        assert text.count("@") == 1
        assert address in text


@pytest.mark.parametrize("provider", ["ses", "ses-json"])
def test_ses_deletes_so_many_a_file(verdicts: pd.DataFrame, tmp_path: Path, provider: str) -> None:
    keep = numbered(verdicts, 10_001).assign(verdict="keep")
    files = export_suppressions(keep, provider, tmp_path / "d.csv", action="remove").files
    assert list(files.values()) == [10_000, 1]


def test_sendgrid_deletes_so_many_a_request(verdicts: pd.DataFrame, tmp_path: Path) -> None:
    keep = numbered(verdicts, 2_001).assign(verdict="keep")
    export_suppressions(keep, "sendgrid", tmp_path / "d.jsonl", action="remove")
    bodies = [json.loads(line)["emails"] for line in (tmp_path / "d.jsonl").read_text().splitlines()]
    assert [len(body) for body in bodies] == [1_000, 1_000, 1]


def test_what_cannot_be_taken_off(verdicts: pd.DataFrame, tmp_path: Path) -> None:
    with pytest.raises(
        FormatError, match=r"mailgun has no file that takes .* list; sendgrid, ses, ses-json, postmark have"
    ):
        export_suppressions(verdicts, "mailgun", tmp_path / "x", action="remove")
    with pytest.raises(FormatError, match="it is 'add' or 'remove'"):
        export_suppressions(verdicts, "ses", tmp_path / "x", action="put")  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


#: Odd but good addresses, some in an internationalised domain, as verdicts have them.
ODD = [
    "o'neil+news@example.com",
    "x.@example.com",
    "a_b-c%d@sub.example.net",
    "=1+1@example.com",
    "-dash@example.com",
    "jo@xn--bcher-kva.example",
]
#: Those that need quotes in CSV and JSON.
QUOTED = ['"a,b"@example.com', '"c d"@example.com', '"e\\"f"@example.com']

#: Whose importers take an address as it stands.
BARE = {"sendgrid", "ses", "plain"}
_NO_ADDRESSES = {"hashed"}


def limited(action: dict[str, tuple[module.Target, ...]], provider: str) -> tuple[module.Target, ...]:
    """Return a format that makes many files and requests of few addresses."""
    return tuple(
        dataclasses.replace(
            target,
            most_rows=min(target.most_rows, 2),
            most_bytes=min(target.most_bytes, 200),
            body_rows=min(target.body_rows, 2),
        )
        for target in action[provider]
    )


@pytest.mark.parametrize("cut", [False, True])
@pytest.mark.parametrize("provider", some_quick([name for name in FORMATS if name not in _NO_ADDRESSES], 2))
def test_our_loader_reads_back_every_file(
    verdicts: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, provider: str, cut: bool
) -> None:
    odd = [*ODD, *QUOTED[1:]]
    more = numbered(verdicts, len(odd)).assign(address=odd)
    if cut:
        monkeypatch.setitem(module.ADD, provider, limited(module.ADD, provider))
    result = export_suppressions(pd.concat([verdicts, more]), provider, tmp_path / "suppress.csv")
    assert (len(result.files) > 3) == cut
    found = load(list(result.files))
    back = found.events
    assert found.rejects.empty
    assert set(back["event"]) == {"suppressed"}
    assert len(back) == sum(result.files.values())
    known = {"gone@example.com", "reply@example.com", "angry@example.com", *ODD}
    if provider not in BARE:
        known.update(QUOTED)
    if "unsubscribed, for which there is no import" not in result.excluded:
        known.add("left@example.com")
    if provider == "plain":
        known.add("jürgen@example.com")
    assert set(back["recipient"]) == known
    assert len(known) + sum(result.excluded.values()) == 6 + len(odd)  # nobody is lost
    # and they stay removed, whoever decides anew
    again = decide(classify(back)).set_index("address")
    assert set(again["verdict"]) == {"remove"}
    if provider in {"sendgrid", "hubspot", "mailchimp", "mailgun"}:
        assert again.loc["angry@example.com", "reason"] == "complained"
        assert again.loc["left@example.com", "reason"] == "unsubscribed"
        assert again.loc["gone@example.com", "reason"] not in {"complained", "unsubscribed"}


@pytest.mark.parametrize("name", ["take_off.csv", "suppress_delete.csv"])
@pytest.mark.parametrize("cut", [False, True])
@pytest.mark.parametrize("provider", some_quick(module.REMOVE, 2))
def test_our_loader_reads_back_what_comes_off_a_list(
    verdicts: pd.DataFrame,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    provider: str,
    cut: bool,
    name: str,
) -> None:
    if cut:
        monkeypatch.setitem(module.REMOVE, provider, limited(module.REMOVE, provider))
    keep = numbered(verdicts, len(ODD)).assign(address=ODD, verdict="keep")
    result = export_suppressions(keep, provider, tmp_path / name, action="remove")
    back = load(list(result.files)).events
    assert set(back["event"]) == {"other"}
    assert sorted(back["recipient"]) == sorted(ODD)
    assert set(decide(classify(back))["verdict"]) == {"keep"}


def test_a_request_to_postmark_must_say_which_way_it_goes(verdicts: pd.DataFrame, tmp_path: Path) -> None:
    export_suppressions(verdicts, "postmark", tmp_path / "bodies.jsonl")
    with pytest.raises(
        FormatError, match=r"put addresses on a list or take them off; let the file's name say"
    ):
        load(tmp_path / "bodies.jsonl")


def test_an_interrupted_export_leaves_everything_as_it_was(
    verdicts: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export_suppressions(verdicts, "mailgun", tmp_path / "m.csv")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    written: list[object] = []

    def stop(lines: object) -> bytes:
        written.append(lines)
        if len(written) == 2:
            raise KeyboardInterrupt
        return b"half\n"

    monkeypatch.setattr("bounceanalytics.suppressing.suppressions.joined", stop)
    with pytest.raises(KeyboardInterrupt):
        export_suppressions(verdicts, "mailgun", tmp_path / "m.csv", overwrite=True)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_times_are_those_of_the_deciding_event(verdicts: pd.DataFrame, tmp_path: Path) -> None:
    times = ["1999-12-31T23:59:59.9Z", "2024-02-29T00:00:00Z", "2026-07-05T06:07:08Z", None]
    one = numbered(verdicts, 4).assign(decided_at=times)  # as text, as a frame read from a CSV file has them
    export_suppressions(one, "hubspot", tmp_path / "h.csv")
    assert [line.split(",")[2] for line in (tmp_path / "h.csv").read_text().splitlines()[1:]] == [
        "1999-12-31T23:59:59Z",
        "2024-02-29T00:00:00Z",
        "2026-07-05T06:07:08Z",
        "",
    ]
    export_suppressions(one, "mailgun", tmp_path / "m.csv")
    with (tmp_path / "m.csv").open(newline="") as stream:
        dates = [row["created_at"] for row in csv.DictReader(stream)]
    assert dates == [
        "Fri, 31 Dec 1999 23:59:59 UTC",
        "Thu, 29 Feb 2024 00:00:00 UTC",
        "Sun, 05 Jul 2026 06:07:08 UTC",
        "",
    ]
    with pytest.raises(FrameError, match="decided_at holds something that is no time"):
        export_suppressions(one.assign(decided_at="soon"), "hubspot", tmp_path / "x.csv")


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
    what = "give the one that was used" if salt else "none at all"
    with pytest.raises(FormatError, match=f"another salt: {what}"):
        match_hashes(["gone@example.com"], tmp_path / "h.csv", salt="other")
    rows = pd.read_csv(tmp_path / "h.csv", keep_default_na=False)
    assert (rows["salt_check"] != "").all() == bool(salt)  # the file says whether there is one
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
    (tmp_path / "empty.csv").touch()
    (tmp_path / "strange.csv").write_bytes(b"\xd8\xff,b\n1,2\n")
    with pytest.raises(FormatError, match=r"strange\.csv is no CSV file of hashes"):
        match_hashes(["ann@example.com"], tmp_path / "strange.csv")
    with pytest.raises(FormatError, match=r"empty\.csv is no CSV file of hashes"):
        match_hashes(["ann@example.com"], tmp_path / "empty.csv")
    for name, what in (("nowhere.csv", "No such file"), (".", "directory")):
        with pytest.raises(SourceError, match=f"cannot be read: .*{what}"):
            match_hashes(["ann@example.com"], tmp_path / name)


def test_files_of_two_salts_cannot_be_one(verdicts: pd.DataFrame, tmp_path: Path) -> None:
    for salt in ("a", "b"):
        export_suppressions(verdicts, "hashed", tmp_path / f"{salt}.csv", salt=salt)
    both = (tmp_path / "a.csv").read_text() + (tmp_path / "b.csv").read_text().partition("\n")[2]
    (tmp_path / "both.csv").write_text(both)
    with pytest.raises(FormatError, match="mixes hashes of several salts"):
        match_hashes(["gone@example.com"], tmp_path / "both.csv", salt="a")


def test_a_salted_list_tells_nothing_without_its_salt(verdicts: pd.DataFrame, tmp_path: Path) -> None:
    export_suppressions(verdicts, "hashed", tmp_path / "h.csv", salt="pepper")
    bare = pd.read_csv(tmp_path / "h.csv")["sha256"]
    assert match_hashes(["gone@example.com"], bare).empty
    assert match_hashes(["gone@example.com"], bare, salt="pepper")["address"].tolist() == ["gone@example.com"]


def test_matches_say_where_they_stand(verdicts: pd.DataFrame, tmp_path: Path) -> None:
    export_suppressions(verdicts, "hashed", tmp_path / "h.csv")
    rows = pd.read_csv(tmp_path / "h.csv")
    found = match_hashes(["left@example.com", "LEFT@example.com", "angry@example.com"], tmp_path / "h.csv")
    assert found["address"].tolist() == ["left@example.com", "angry@example.com"]
    assert found["reason"].tolist() == ["unsubscribed", "complained"]
    assert set(found["source"]) == {"h.csv"}
    assert rows["sha256"].iloc[found["record"] - 1].tolist() == hash_addresses(found["address"]).to_pylist()


@given(text=st.text(max_size=30), salt=st.text(max_size=10))
def test_a_hash_is_one_line_of_python(text: str, salt: str) -> None:
    key = normal_form(text_array([text]))[0].as_py()
    expected = hashlib.sha256((salt + key).encode()).hexdigest()
    assert hash_addresses([text], salt).to_pylist() == [expected]


@pytest.mark.parametrize(
    "name",
    [
        "list.csv",
        "plasma.csv",
        "unsuppressed.csv",
        "not-suppressed.csv",
        "list_without_suppressed.csv",
        "cleaned-after-suppression.csv",
        "suppress/list.csv",
        "suppressions/readers.csv",
    ],
)
@pytest.mark.parametrize("header", ["", "email\n", "Email\n", "Email Address\n"])
def test_a_mailing_list_is_no_suppression_list(tmp_path: Path, name: str, header: str) -> None:
    """Whoever loads the list itself by mistake must not lose everybody."""
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"{header}ann@example.com\nbo@example.com\n")
    with pytest.raises(FormatError, match=r"a list of addresses, .* let the file's name say 'suppress'"):
        load(path)


@pytest.mark.parametrize("name", ["suppress.csv", "our_suppressions-2.txt", "2026-suppressed.csv.gz"])
def test_a_list_whose_name_says_what_it_is(tmp_path: Path, name: str) -> None:
    content = b"ann@example.com\nbo@example.com\n"
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    assert load(tmp_path / name).events["event"].tolist() == ["suppressed", "suppressed"]

"""An export that nobody foresaw gets in by a mapping of its columns."""

from __future__ import annotations

import datetime as dt
import gzip
import io
import json
import zipfile

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import bounceanalytics as ba
from bounceanalytics import schema
from bounceanalytics.errors import FormatError
from bounceanalytics.loading.tables import load_table, read_table
from tests.cleaning.workbook import workbook
from tests.effort import examples

MAPPING = {
    "recipient": "Email",
    "timestamp": "Bounced at",
    "diagnostic": "Server said",
    "reply_code": "Code",
    "event": "Kind",
    "tags": "Campaign",
    "event_id": "Id",
}
ROWS = [
    (
        "Ann Ó <ann@Example.com>",
        "2025-09-14T07:00:05Z",
        "550 5.1.1 no such user",
        "550",
        "hard",
        '["a","b"]',
        "1",
    ),
    ("bob@example.net", "1757833206", "mailbox is\nfull; try later", "", "Soft", "june", "2"),
    ("cy@bücher.example", "Sun, 14 Sep 2025 07:00:07 +0200", "", "", "whatever", "", "3"),
    ("dee@example.org", "", '421 "busy"', "421.0", "deferred", "", "4"),
]
WORDS = {"hard": "bounced", "SOFT": "bounced"}
FRAME = pd.DataFrame(ROWS, columns=list(MAPPING.values()))


def csv(separator=",", **options):
    return FRAME.to_csv(None, index=False, sep=separator, **options)


def told(frame):
    return frame.drop(columns=["source", "record"])


@pytest.fixture(scope="module")
def expected():
    events = ba.read_table(csv().encode(), MAPPING, words=WORDS)
    assert events["recipient"].tolist() == [
        "ann@example.com",
        "bob@example.net",
        "cy@bücher.example",
        "dee@example.org",
    ]
    return told(events)


def test_what_becomes_of_the_columns(expected):
    assert expected.dtypes.equals(schema.EVENT_COLUMNS.empty().dtypes.drop(["source", "record"]))
    assert expected["provider"].unique().tolist() == ["generic"]
    assert expected["event"].tolist() == ["bounced", "bounced", "other", "deferred"]
    assert expected["esp_event"].tolist() == ["hard", "Soft", "whatever", "deferred"]
    assert expected["domain"][2] == "xn--bcher-kva.example"
    assert [f"{one:%d %H:%M:%S}" for one in expected["timestamp"].dropna()] == [
        "14 07:00:05",
        "14 07:00:06",
        "14 05:00:07",
    ]
    assert expected["reply_code"].tolist() == [550, pd.NA, pd.NA, 421]
    assert expected["enhanced_code"][0] == "5.1.1"
    assert expected["diagnostic"][1] == "mailbox is full; try later"
    assert expected["tags"].fillna("").tolist() == ['["a","b"]', '["june"]', "", ""]


@pytest.mark.parametrize(
    "content",
    [
        csv(";").encode(),
        csv("\t").encode("utf-8-sig"),
        csv("|").encode(),
        b"sep=;\r\n" + csv(";", lineterminator="\r\n").encode(),
        csv("\t").encode("utf-16"),
        csv(";").encode("cp1252"),
        gzip.compress(csv().encode()),
        csv(quoting=1).encode(),
    ],
    ids=["semicolon", "tab", "bar", "sep", "utf-16", "cp1252", "gzip", "quoted"],
)
def test_tables_as_programs_write_them(content, expected, tmp_path):
    pd.testing.assert_frame_equal(told(ba.read_table(content, MAPPING, words=WORDS)), expected)
    file = tmp_path / "table.txt"
    file.write_bytes(content)
    pd.testing.assert_frame_equal(told(ba.read_table(file, MAPPING, words=WORDS)), expected)


def test_parquet_frames_and_archives(expected, tmp_path):
    FRAME.to_parquet(tmp_path / "table.parquet")
    with zipfile.ZipFile(tmp_path / "tables.zip", "w") as archive:
        archive.writestr("table.csv", csv())
    frame = FRAME.set_index(pd.Index([7, 7, 9, 1]))
    before = frame.copy(deep=True)
    for source in (tmp_path / "table.parquet", tmp_path / "tables.zip", frame, io.BytesIO(csv().encode())):
        pd.testing.assert_frame_equal(told(ba.read_table(source, MAPPING, words=WORDS)), expected)
    pd.testing.assert_frame_equal(frame, before)
    folder = tmp_path / "more"
    folder.mkdir()
    for number in range(3):
        (folder / f"{number}.csv").write_text(csv(), encoding="utf-8")
    load = load_table(
        folder, {name: title for name, title in MAPPING.items() if name != "event_id"}, words=WORDS
    )
    assert load.files["rows"].tolist() == [4, 4, 4]
    assert load.events["record"].tolist() == [1, 2, 3, 4] * 3


def test_values_of_any_type_in_a_frame():
    when = dt.datetime(2025, 9, 14, 7, tzinfo=dt.UTC)
    frame = pd.DataFrame(
        {
            "to": pd.Categorical(["a@example.com", "b@example.com", None]),
            "when": pd.to_datetime([when, None, when]),
            "code": [550.0, np.nan, 421.0],
            "try": [1, 2, 3],
            "list": [["x", "y"], None, []],
            "mixed": ["text", 5, None],
        }
    )
    mapping = {
        "recipient": "to",
        "timestamp": "when",
        "reply_code": "code",
        "attempt": "try",
        "tags": "list",
        "esp_reason": "mixed",
    }
    load = load_table(frame, mapping)
    assert load.events["reply_code"].tolist() == [550, pd.NA]
    assert load.events["attempt"].tolist() == [1, 2]
    assert load.events["timestamp"].tolist() == [pd.Timestamp(when), pd.NaT]
    assert load.events["esp_reason"].tolist() == ["text", "5"]
    assert load.events["tags"][0] == '["x","y"]'
    assert load.rejects["record"].tolist() == [3]
    assert load.rejects["error"].tolist() == ["it has neither an address nor an event"]


def test_naive_times_are_in_the_given_zone():
    table = b"to,at\na@example.com,2025-07-01 12:00:00\n"
    mapping = {"recipient": "to", "timestamp": "at"}
    with pytest.warns(ba.NaiveTimeWarning):
        assert ba.read_table(table, mapping)["timestamp"][0].hour == 12
    assert ba.read_table(table, mapping, timezone="Europe/Berlin")["timestamp"][0].hour == 10


def test_times_that_cannot_be_read_are_counted():
    table = b"to,at\na@example.com,14.09.2025 27:00\nb@example.com,2025-09-14T07:00:00Z\n"
    with pytest.warns(ba.UnreadTimesWarning, match=r"'14\.09\.2025 27:00'"):
        load = load_table(table, {"recipient": "to", "timestamp": "at"})
    assert load.events["timestamp"].isna().tolist() == [True, False]
    assert "1 of 2 rows have no time that can be read in 'at'" in load.files["note"][0]


def test_damage_costs_a_row():
    lines = csv(";").replace("mailbox is\nfull", "mailbox is full").encode().splitlines(keepends=True)
    lines.insert(2, b"one;two\n")
    with pytest.warns(ba.RejectedRecordsWarning, match="1 of 5 records"):
        assert len(ba.read_table(b"".join(lines), MAPPING, words=WORDS)) == 4
    load = load_table(b"".join(lines), MAPPING, words=WORDS)
    assert load.rejects[["record", "text"]].to_numpy().tolist() == [[2, "one;two"]]
    assert load.rejects["offset"].tolist() == [len(lines[0] + lines[1])]
    with pytest.raises(ba.FormatError, match="record 2"):
        ba.read_table(b"".join(lines), MAPPING, words=WORDS, on_error="raise")


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        (
            {"recipient": "Mail", "timestamp": "When"},
            "no column 'Mail'; there is no column 'When'.*Its columns: Email",
        ),
        ({"recipient": "email", "diagnostic": " CODE "}, None),
    ],
)
def test_titles(mapping, message):
    if message is None:
        assert len(ba.read_table(csv().encode(), mapping)) == 4
        return
    with pytest.raises(ba.FormatError, match=message):
        ba.read_table(csv().encode(), mapping)
    with pytest.raises(ba.FormatError, match=message):
        ba.read_table(FRAME, mapping)


def test_titles_that_differ_by_case_alone():
    table = b"Email,email,EMAIL\na@example.com,b@example.com,c@example.com\n"
    assert ba.read_table(table, {"recipient": "email"})["recipient"].tolist() == ["b@example.com"]
    with pytest.raises(ba.FormatError, match="3 columns are called 'eMail'"):
        ba.read_table(table, {"recipient": "eMail"})


@pytest.mark.parametrize(
    ("mapping", "options", "message"),
    [
        ({"timestamp": "x"}, {}, "which column holds the recipient"),
        ({"recipient": "x", "subject": "y"}, {}, "'subject' is no column of ours"),
        ({"recipient": "x"}, {"provider": "postmark"}, "provider is 'postmark'"),
        ({"recipient": "x"}, {"event": "hard"}, "no event 'hard'"),
        ({"recipient": "x"}, {"words": {"a": "b"}}, "no event 'b'"),
        ({"recipient": "x"}, {"timezone": "Mars"}, "timezone"),
    ],
)
def test_arguments(mapping, options, message):
    with pytest.raises(ValueError, match=message):
        ba.read_table(b"x\n", mapping, **options)


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"PAR1broken", "damaged"), (b"\x00\x01\x02\x03" * 50, "binary"), (b"no table", "no column 'Email'")],
)
def test_what_is_no_table(content, message):
    with pytest.raises(ba.FormatError, match=message):
        ba.read_table(content, {"recipient": "Email"})


def test_a_table_without_titles_shows_no_address():
    with pytest.raises(ba.FormatError, match="no column 'email'") as caught:
        ba.read_table(b"ada@example.com,550\nben@example.net,551\n", {"recipient": "email"})
    assert "@" not in str(caught.value)


def test_nothing_is_a_table_too():
    assert len(ba.read_table(b"", MAPPING)) == 0
    assert len(ba.read_table(b"Email\n", {"recipient": "Email"})) == 0
    assert len(ba.read_table(FRAME.iloc[:0], MAPPING)) == 0


def test_the_words_of_an_esp():
    table = b"email,event,reason\na@example.com,dropped,Bounced Address\nb@example.com,spamreport,\n"
    mapping = {"recipient": "email", "event": "event", "esp_reason": "reason"}
    events = ba.read_table(table, mapping, provider="sendgrid")
    assert events["event"].tolist() == ["dropped", "complained"]
    assert events["provider"].unique().tolist() == ["sendgrid"]


def test_a_mapped_export_is_classified_as_the_loader_would(samples):
    file = samples / "exports" / "sendgrid" / "suppression_bounces.csv"
    mapping = {
        "recipient": "email",
        "timestamp": "created",
        "diagnostic": "reason",
        "enhanced_code": "status",
    }
    mine = ba.classify(ba.read_table(file, mapping, provider="sendgrid"))
    theirs = ba.classify(ba.load(file).events)
    assert mine["recipient"].tolist() == theirs["recipient"].tolist()
    assert (mine["reason"].astype(str) == theirs["reason"].astype(str)).mean() > 0.95


text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00\r"), max_size=12)


@examples(60)
@given(st.lists(st.tuples(text, text), max_size=12))
def test_rows_are_conserved(rows):
    rows = [*rows, ("ann@example.com", "550")]
    frame = pd.DataFrame(rows, columns=["to", "said"], dtype=object)
    load = load_table(frame, {"recipient": "to", "diagnostic": "said"}, timezone="UTC")
    assert len(load.events) + len(load.rejects) == len(rows)
    content = frame.to_csv(index=False, quoting=1).encode()
    again = load_table(content, {"recipient": "to", "diagnostic": "said"}, timezone="UTC")
    assert again.events["recipient"].tolist() == load.events["recipient"].tolist()


@pytest.mark.parametrize(
    "source",
    [
        b'[{"user": {"mail": "ann@example.com"}, "said": "550 5.1.1 no such user"}]',
        b'{"user": {"mail": "ann@example.com"}, "said": "550 5.1.1 no such user"}\n',
        b'{"data": [{"user": {"mail": "ann@example.com"}, "said": "550 5.1.1 no such user"}]}',
    ],
)
def test_json_by_paths(source):
    events = read_table(source, {"recipient": "user.mail", "diagnostic": "said"})
    assert events["recipient"].tolist() == ["ann@example.com"]
    assert events["enhanced_code"].tolist() == ["5.1.1"]


_PEOPLE = [{"Email": f"u{number}@example.com", "Said": {"why": "550 5.1.1 gone"}} for number in range(30)]


@pytest.mark.parametrize(
    ("content", "whole", "damage"),
    [
        (json.dumps(_PEOPLE)[:-40], 29, [30]),
        (json.dumps(_PEOPLE, indent=2)[:-70], 29, [30]),
        ("\n".join(map(json.dumps, _PEOPLE))[:-40], 29, [30]),
        (json.dumps({"people": _PEOPLE})[:-40], 29, [1, 31]),
        (json.dumps(_PEOPLE).replace('"u7@', "u7@"), 29, [8]),
        ("\ufeff" + json.dumps(_PEOPLE)[:-1], 30, []),
    ],
)
def test_damaged_json_costs_what_is_damaged(content, whole, damage):
    load = ba.load_table(content.encode(), {"recipient": "email", "diagnostic": "Said.why"})
    assert len(load.events) == whole
    assert load.events["enhanced_code"].eq("5.1.1").all()
    assert load.rejects["record"].tolist() == damage
    assert load.rejects["error"].str.startswith("not valid JSON").all()
    assert not set(damage) & set(load.events["record"])
    for record, recipient in zip(load.events["record"], load.events["recipient"], strict=True):
        before = sum(one < record for one in damage)
        assert recipient == f"u{record - 1 - (before if 1 in damage else 0)}@example.com"
    if damage:
        with pytest.raises(FormatError, match=rf"record {damage[0]} of <bytes> at byte .* not valid JSON"):
            read_table(content.encode(), {"recipient": "email"}, on_error="raise")


def test_json_of_which_nothing_can_be_read():
    for content in (
        b'[{"Email": "ann@exam',
        b'[{"other": 1}, {"Email": "ann',
        b"[{'Email': 'ann@example.com'}]",
    ):
        with pytest.raises(
            FormatError, match="is damaged JSON of which no record can be read; export it again"
        ):
            read_table(content, {"recipient": "Email"})


def test_a_workbook(tmp_path):
    rows = [["Mail", "Said"], ["ann@example.com", "550 5.1.1 no such user"], ["NULL", "?"]]
    (tmp_path / "bounces.xlsx").write_bytes(workbook(one=rows))
    load = load_table(tmp_path / "bounces.xlsx", {"recipient": "Mail", "diagnostic": "Said"})
    assert load.events["recipient"].tolist() == ["ann@example.com"]
    assert load.rejects["error"].tolist() == ["no address: no @"]


def test_a_column_without_addresses_is_refused():
    with pytest.raises(FormatError, match=r"'When' holds no addresses: 2 of 2 cells"):
        read_table(
            b"When,Mail\n2026-03-10,ann@example.com\n2026-03-11,bo@example.com\n", {"recipient": "When"}
        )


@pytest.mark.parametrize("again", ["email;reply", "Email ; REPLY"])
def test_a_header_that_is_repeated_is_ignored_by_name(again):
    table = f"\n;\nemail;reply\nann@example.com;550\n{again}\n---;---\nbo@example.com;550\n".encode()
    load = load_table(table, {"recipient": "email", "diagnostic": "reply"})
    assert load.events["recipient"].tolist() == ["ann@example.com", "bo@example.com"]
    assert load.ignored["reason"].tolist() == ["a repeated header line"]
    assert load.rejects["error"].tolist() == ["no address: no @"]

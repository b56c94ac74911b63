"""What the loaders make of fields, words, sources and copies."""

from __future__ import annotations

import gzip
import io
import json

import pandas as pd
import pytest

import bounceanalytics as ba
from bounceanalytics import schema
from bounceanalytics.errors import FormatError, SourceError
from bounceanalytics.loading import load, read, read_mailgun, read_sendgrid, read_ses
from tests.loading.exports import array, lines, mailgun_failed, sendgrid_bounce, ses_bounce


def only(frame):
    assert len(frame) == 1
    return frame.iloc[0]


# sources


def test_the_same_events_however_they_are_handed_in(tmp_path):
    events = [sendgrid_bounce(number) for number in range(5)]
    content = lines(*events)
    file = tmp_path / "events.data"
    file.write_bytes(content)
    expected = read(content).drop(columns="source")
    ways = [
        file,
        str(file),
        [file],
        tmp_path,
        str(tmp_path / "*.data"),
        bytearray(content),
        io.BytesIO(content),
        gzip.compress(content),
        array(*events),
        b"".join(json.dumps(event).encode() for event in events),
        lines(events[:2], [], events[2:]),
        b"\r\n".join([array(*events[:3]), array(*events[3:])]),
    ]
    for way in ways:
        pd.testing.assert_frame_equal(read(way).drop(columns="source"), expected)
    with file.open("rb") as stream:
        assert read(stream)["source"].unique().tolist() == [str(file)]


def test_little_files_are_read_as_large_ones_are(tmp_path, monkeypatch):
    """The engine keeps the rows of the former, and hands over those of the latter piece by piece."""
    (tmp_path / "clean.json").write_bytes(array(*map(sendgrid_bounce, range(5))))
    (tmp_path / "damaged.json").write_bytes(lines(mailgun_failed(), mailgun_failed()) + b'{"event": broken\n')
    (tmp_path / "wrapped.json").write_bytes(lines({"Message": json.dumps(ses_bounce("x@example.com"))}))
    (tmp_path / "list.csv").write_bytes(
        b"address,code,error\nann@example.com,550,gone\nno address,550,gone\n"
    )
    little = load(tmp_path, deduplicate=False)
    assert len(little.files) == 4
    assert len(little.rejects)
    monkeypatch.setattr("bounceanalytics.loading.reading._LITTLE", -1)
    large = load(tmp_path, deduplicate=False)
    for name in ("events", "files", "rejects", "ignored"):
        pd.testing.assert_frame_equal(getattr(little, name), getattr(large, name))


def test_a_folder_names_files_relative_to_it(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "one.json").write_bytes(lines(sendgrid_bounce(1)))
    (tmp_path / "two").write_bytes(gzip.compress(lines(ses_bounce("x@example.com"))))
    (tmp_path / "notes.txt").write_text("call the printer")
    (tmp_path / "empty.json").write_bytes(b"")
    result = load(tmp_path)
    assert result.files["source"].tolist() == ["a/one.json", "empty.json", "notes.txt", "two"]
    assert result.files["provider"].tolist() == ["sendgrid", "", "", "ses"]
    assert "plain text" in result.files["note"][2]
    assert result.events["source"].tolist() == ["a/one.json", "two"]


def test_many_small_files_keep_their_numbers(tmp_path):
    for number in range(30):
        (tmp_path / f"{number:02d}.json").write_bytes(
            lines(*(sendgrid_bounce(100 * number + i) for i in range(number)))
        )
    result = load(tmp_path)
    assert result.files["rows"].tolist() == list(range(30))
    for source, group in result.events.groupby("source"):
        assert group["record"].tolist() == list(range(1, int(source[:2]) + 1))


def test_a_damaged_file_among_others_keeps_the_others(tmp_path):
    for number in range(4):
        content = lines(*(sendgrid_bounce(10 * number + i) for i in range(3)))
        (tmp_path / f"{number}.json").write_bytes(content[:-40] if number == 2 else content)
    result = load(tmp_path)
    assert result.files["loaded"].tolist() == [3, 3, 2, 3]
    assert result.rejects["source"].tolist() == ["2.json"]
    assert (
        result.events["source"].tolist() == ["0.json"] * 3 + ["1.json"] * 3 + ["2.json"] * 2 + ["3.json"] * 3
    )


@pytest.mark.parametrize(
    "content", [b"", b"\n \n", b"[]", b"[ ]\n", b"\xef\xbb\xbf", b"status,reason,email,created\n"]
)
def test_nothing_is_a_valid_export(content, tmp_path):
    file = tmp_path / "suppression_bounces.csv"
    file.write_bytes(content)
    result = load(file)
    assert len(result.events) == 0
    assert {name: str(kind) for name, kind in result.events.dtypes.items()} == {
        column.name: str(column.dtype) for column in schema.EVENT_COLUMNS
    }
    assert result.files["records"].sum() == 0
    assert repr(result)


@pytest.mark.parametrize(
    ("content", "looks"),
    [
        (b"<!DOCTYPE html><html><body>Sign in</body></html>", "an HTML page"),
        (b"PK\x03\x04\x00\x00", "a ZIP archive"),
        (b"\x00\x01\x02\x03", "binary data"),
        (b"Dear a@example.com, hello", "plain text"),
        (b'{"colour": "red", "size": 4}', "JSON with the fields colour, size"),
        (b'["a@example.com", "b@example.com"]', "a JSON list"),
        (b"name,phone\nJo,123\n", "a table with the columns name, phone"),
    ],
)
def test_what_is_no_export_is_an_error_that_says_what_it_looks_like(content, looks):
    with pytest.raises(FormatError, match=looks) as caught:
        load(content)
    assert "@" not in str(caught.value)


def test_another_provider_is_an_error():
    with pytest.raises(
        FormatError, match="looks like Amazon SES event publishing, not like an export of SendGrid"
    ):
        read_sendgrid(lines(ses_bounce("x@example.com")))
    assert len(read_ses(lines(ses_bounce("x@example.com")))) == 1
    assert len(read_mailgun(lines(mailgun_failed()))) == 1


def test_what_is_not_there():
    with pytest.raises(SourceError, match=r"there is no file or folder nowhere\.json"):
        load("nowhere.json")
    with pytest.raises(SourceError, match="no file matches"):
        load("nowhere/*.json")
    with pytest.raises(SourceError, match="open as text"):
        load(io.StringIO("{}"))
    with pytest.raises(SourceError, match="cannot read from int"):
        load(5)
    with pytest.raises(SourceError, match="empty"):
        load([])


@pytest.mark.parametrize(
    "options", [{"provider": "gmail"}, {"on_error": "ignore"}, {"timezone": "Mars/Olympus"}]
)
def test_options_are_checked(options):
    with pytest.raises(ValueError, match="is"):
        load(b"[]", **options)


# copies and order


def test_copies_count_once():
    result = load(lines(sendgrid_bounce(1), sendgrid_bounce(2), sendgrid_bounce(1)))
    assert len(result.events) == 2
    assert (result.duplicates.rows, result.duplicates.share) == (1, pytest.approx(1 / 3))
    assert result.ignored.to_dict("records") == [{"source": "<bytes>", "reason": "duplicate", "records": 1}]
    assert len(load(lines(sendgrid_bounce(1), sendgrid_bounce(1)), deduplicate=False).events) == 2


def test_events_without_an_id_are_no_copies():
    bare = {"email": "a@example.com", "event": "bounce", "timestamp": 1, "reason": "550 no", "smtp-id": "<x>"}
    assert len(load(lines(bare, bare)).events) == 2


def test_ses_copies_are_told_by_message_and_recipient():
    both = ses_bounce("a@example.com", "b@example.com")
    result = load(lines(both, ses_bounce("a@example.com")))
    assert result.events["recipient"].tolist() == ["a@example.com", "b@example.com"]
    assert result.files.loc[0, ["records", "loaded", "ignored", "rows"]].tolist() == [2, 1, 1, 2]


def test_mailgun_ids_repeat_on_other_days():
    later = mailgun_failed() | {"timestamp": 1_773_043_200.25 + 3 * 86_400}
    assert len(load(lines(mailgun_failed(), mailgun_failed(), later)).events) == 2


def test_the_order_of_lines_does_not_matter():
    records = [*(sendgrid_bounce(number) for number in range(9)), sendgrid_bounce(3)]
    one = read(lines(*records)).drop(columns="record")
    two = read(lines(*reversed(records))).drop(columns="record")
    names = ["event_id"]
    pd.testing.assert_frame_equal(
        one.sort_values(names, ignore_index=True), two.sort_values(names, ignore_index=True)
    )


# fields


def test_sendgrid_fields():
    row = only(read(lines(sendgrid_bounce(7))))
    assert row["recipient"] == "reader7@example.com"
    assert row["timestamp"] == pd.Timestamp(1_718_093_407, unit="s", tz="UTC")
    assert (row["reply_code"], row["enhanced_code"]) == (550, "5.1.1")
    assert row["diagnostic"] == "550 5.1.1 <reader7@example.com>: no mailbox by that name"
    assert (row["esp_event"], row["esp_type"], row["esp_reason"]) == ("bounce", "bounce", "Invalid Address")
    assert row["tags"] == '["letters","june"]'


@pytest.mark.parametrize(
    ("other", "event"),
    [
        ({"event": "processed"}, "accepted"),
        ({"event": "bounce", "type": "blocked"}, "bounced"),
        ({"event": "dropped", "reason": "Bounced Address"}, "dropped"),
        ({"event": "spamreport"}, "complained"),
        ({"event": "group_unsubscribe"}, "unsubscribed"),
        ({"event": "group_resubscribe"}, "other"),
        ({"event": "teleported"}, "other"),
    ],
)
def test_sendgrid_words(other, event):
    assert only(read(lines(sendgrid_bounce(**other))))["event"] == event


def test_sendgrid_values_of_other_types():
    odd = sendgrid_bounce(
        timestamp="1718093401",
        category="one",
        attempt="0",
        tls="1",
        event="deferred",
        response="451 4.7.1 later",
    )
    row = only(read(lines(odd)))
    assert (row["attempt"], row["tags"], row["reply_code"]) == (1, '["one"]', 451)
    assert only(read(lines(sendgrid_bounce(timestamp=1718093401123))))["timestamp"].microsecond == 123_000


@pytest.mark.parametrize(
    ("name", "esp_type"),
    [
        ("suppression_bounces (1).csv", "bounces"),
        ("suppression_blocks.csv", "blocks"),
        ("export.csv", "bounces_or_blocks"),
    ],
)
def test_bounces_and_blocks_are_told_by_name_and_never_guessed(tmp_path, name, esp_type):
    file = tmp_path / name
    file.write_bytes(b"status,reason,email,created\r\n5.1.1,550 5.1.1 no,a@example.com,1718093404\r\n")
    result = load(file)
    row = only(result.events)
    assert (row["event"], row["esp_type"]) == ("suppressed", esp_type)
    assert bool(result.files["note"][0]) == (esp_type == "bounces_or_blocks")


def test_tables_as_spreadsheets_write_them(tmp_path):
    file = tmp_path / "suppression_bounces.csv"
    text = "\ufeffstatus;reason;email;created\r\n"
    text += '5.1.1;"550-5.1.1 Sorry; ""no""\n550 5.1.1 such user";a@example.com;1718093404\r\n'
    file.write_text(text, encoding="utf-8", newline="")
    row = only(read(file))
    assert row["diagnostic"] == '550-5.1.1 Sorry; "no" such user'
    assert (row["reply_code"], row["enhanced_code"]) == (550, "5.1.1")


def test_a_table_with_a_short_row_and_odd_bytes(tmp_path):
    file = tmp_path / "suppression_bounces.csv"
    file.write_bytes(
        b"status,reason,email,created\n5.1.1,bo\xeete,a@example.com,1718093404\nshort,row\n"
        b"5.1.1,550 no,b@example.com,1718093405\n5.1.1,550,too,many,c@example.com,1\n"
    )
    result = load(file)
    assert result.events["recipient"].tolist() == ["a@example.com", "b@example.com"]
    assert result.events["diagnostic"][0] == "bo\u00eete"
    assert result.rejects["record"].tolist() == [2, 4]
    assert "2 columns where the header has 4" in result.rejects["error"][0]


def test_ses_rows_are_those_of_the_body():
    frame = read(lines(ses_bounce("a@example.com", "b@example.com")))
    assert frame["recipient"].tolist() == ["a@example.com", "b@example.com"]
    assert frame["record"].tolist() == [1, 1]
    assert frame["sending_ip"].unique().tolist() == ["192.0.2.61"]
    assert ba.split_tags(frame["tags"]).tolist() == [["campaign:apples"]] * 2
    assert frame["remote_host"].isna().all()  # SES's own sending host is not the one that refused


def test_ses_without_recipients_blames_nobody():
    row = only(read(lines(ses_bounce("a@example.com", bouncedRecipients=[]))))
    assert pd.isna(row["recipient"])
    assert row["event"] == "bounced"


@pytest.mark.parametrize("subtype", ["Suppressed", "OnAccountSuppressionList", "UnsubscribedRecipient"])
def test_ses_bounces_that_were_not_tried(subtype):
    row = only(read(lines(ses_bounce("a@example.com", bounceSubType=subtype))))
    assert (row["event"], row["esp_reason"]) == ("dropped", subtype)


def test_ses_wrappers_stack():
    record = ses_bounce("a@example.com")
    sns = {
        "Type": "Notification",
        "MessageId": "1",
        "TopicArn": "arn:x",
        "Message": json.dumps(record) + "\n",
    }
    bridge = {"version": "0", "detail-type": "Email Bounced", "source": "aws.ses", "detail": record}
    queue = {"Messages": [{"MessageId": "1", "Body": json.dumps(sns)}, {"MessageId": "2", "Body": "hello"}]}
    for wrapped in (sns, bridge, queue, [sns], {"Records": [{"EventSource": "aws:sns", "Sns": sns}]}):
        result = load(json.dumps(wrapped).encode())
        assert only(result.events)["recipient"] == "a@example.com"
    assert load(json.dumps(queue).encode()).rejects["error"].tolist() == [
        "an SQS message without a mail event of an ESP that is known"
    ]


def test_mailgun_fields():
    row = only(read(lines(mailgun_failed())))
    assert (row["event"], row["esp_event"], row["esp_type"], row["esp_reason"]) == (
        "bounced",
        "failed",
        "permanent",
        "bounce",
    )
    assert (row["reply_code"], row["enhanced_code"], row["attempt"]) == (550, "5.1.1", 1)
    assert row["diagnostic"] == "5.1.1 No mailbox here. Look for typing errors."
    assert row["timestamp"].microsecond == 250_000
    assert (row["remote_host"], row["sending_ip"]) == ("mx1.example.net", "203.0.113.24")


@pytest.mark.parametrize(
    ("other", "status", "event", "reply", "diagnostic"),
    [
        (
            {"severity": "temporary"},
            {"code": 451, "message": "4.7.1 Greylisted"},
            "deferred",
            451,
            "4.7.1 Greylisted",
        ),
        (
            {"reason": "suppress-bounce"},
            {"code": 605, "message": "", "description": "Not delivering"},
            "dropped",
            None,
            "Not delivering",
        ),
        (
            {"reason": "old", "severity": "temporary"},
            {"code": 602, "message": "Too old", "last-code": 421, "last-message": "4.7.0 slow down"},
            "bounced",
            421,
            "4.7.0 slow down",
        ),
        ({"reason": "old"}, {"code": 602, "message": "Too old"}, "bounced", None, "Too old"),
        (
            {"reason": "generic"},
            {"code": 498, "message": "No MX for example.net"},
            "bounced",
            None,
            "No MX for example.net",
        ),
        (
            {"envelope": {"transport": "http"}},
            {"code": 502, "message": "Bad Gateway"},
            "other",
            None,
            "Bad Gateway",
        ),
    ],
)
def test_mailgun_failures(other, status, event, reply, diagnostic):
    record = mailgun_failed(status={"enhanced-code": ""} | status, **other)
    row = only(read(lines(record)))
    assert row["event"] == event
    assert (None if pd.isna(row["reply_code"]) else row["reply_code"]) == reply
    assert row["diagnostic"] == diagnostic


def test_mailgun_values_of_other_types():
    odd = mailgun_failed() | {
        "message": [],
        "delivery-status": None,
        "envelope": "none",
        "user-variables": "text",
    }
    row = only(read(lines(odd)))
    assert row["recipient"] == "reader1@example.net"
    assert pd.isna(row["diagnostic"])


# times and addresses


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (1718093404, "2024-06-11 08:10:04"),
        ("1718093404", "2024-06-11 08:10:04"),
        (1718093404123, "2024-06-11 08:10:04.123"),
        (1718093404123456, "2024-06-11 08:10:04.123456"),
        (1718093404.25, "2024-06-11 08:10:04.25"),
        ("2024-06-11T08:10:04.5Z", "2024-06-11 08:10:04.5"),
        ("2024-06-11T10:10:04+02:00", "2024-06-11 08:10:04"),
        ("2024-06-11T08:10:04 +0000", "2024-06-11 08:10:04"),
        ("2024-06-11 10:10:04.000", "2024-06-11 08:10:04"),
        ("Tue, 11 Jun 2024 08:10:04 UTC", "2024-06-11 08:10:04"),
        ("Tue, 11 Jun 2024 08:10:04 GMT", "2024-06-11 08:10:04"),
        ("Tue, 11 Jun 2024 04:10:04 -0400", "2024-06-11 08:10:04"),
        ("Mon, 01 Jan 0001 00:00:00 UTC", None),
        (0, None),
        (-62135596800, None),
        ("", None),
        (None, None),
    ],
)
def test_times(text, expected):
    row = only(load(lines(sendgrid_bounce(timestamp=text)), timezone="Europe/Berlin").events)
    if expected is None:
        assert pd.isna(row["timestamp"])
    else:
        assert row["timestamp"] == pd.Timestamp(expected, tz="UTC")


@pytest.mark.parametrize(
    ("text", "recipient", "domain"),
    [
        ("Jo.Doh@Example.COM", "Jo.Doh@example.com", "example.com"),
        ("Jo Doh <jo@Example.com>", "jo@example.com", "example.com"),
        ('"Doh, Jo" <jo@example.com> ', "jo@example.com", "example.com"),
        ("<jo@example.com>", "jo@example.com", "example.com"),
        (" jo@example.com. ", "jo@example.com", "example.com"),
        ('"jo doh"@example.com', '"jo doh"@example.com', "example.com"),
        ("jo@B\u00fccher.example", "jo@b\u00fccher.example", "xn--bcher-kva.example"),
        ("", None, None),
    ],
)
def test_recipients(text, recipient, domain):
    row = only(read(lines(sendgrid_bounce(email=text))))
    for column, expected in (("recipient", recipient), ("domain", domain)):
        assert (None if pd.isna(row[column]) else row[column]) == expected


@pytest.mark.parametrize(
    ("text", "status", "reply", "enhanced"),
    [
        ("550 5.1.1 unknown", None, 550, "5.1.1"),
        ("550-5.1.1 unknown\r\n550 5.1.1 really", None, 550, "5.1.1"),
        ("smtp; 550 5.1.10 unknown", None, 550, "5.1.10"),
        ("SMTP;521-5.7.1 blocked", None, 521, "5.7.1"),
        ("550 no such user", "550", 550, None),
        ("550 no such user", "5.1.1", 550, "5.1.1"),
        ("550 no such user", "5.0.0", 550, "5.0.0"),
        ("550 5.0.0 no", "5.1.1", 550, "5.1.1"),
        (
            "554 4.4.7 Message expired: unable to deliver in 840 minutes.<421 4.4.1 Failed to connect>",
            "4.4.7",
            554,
            "4.4.7",
        ),
        ("5.3.0 - Other mail system problem 550-'rejected' (delivery attempts: 0)", "5.0.0", 550, "5.3.0"),
        ("host mx.example.com [192.0.2.7] said: 552 5.2.2 full", None, 552, "5.2.2"),
        ("452. 4.3.1 no room", None, 452, "4.3.1"),
        ("Connection from 10.5.1.20 refused", None, None, None),
        ("250.1.1.4 is on our list", None, None, None),
        ("more than 500 messages an hour", None, None, None),
        ("Exim 4.92.3 says no", None, None, None),
        ("mailbox is full, 550 MB used", None, None, None),
        ("unable to get mx info: lookup failed", "", None, None),
        ("", "5.0.0 (permanent failure)", None, "5.0.0"),
    ],
)
def test_codes(text, status, reply, enhanced):
    row = only(read(lines(sendgrid_bounce(reason=text, status=status))))
    assert (None if pd.isna(row["reply_code"]) else int(row["reply_code"])) == reply
    assert (None if pd.isna(row["enhanced_code"]) else row["enhanced_code"]) == enhanced


# the account


def test_the_account_reads_well_and_escapes():
    content = lines(
        sendgrid_bounce(1), {"event": "account_status_change", "timestamp": 1, "sg_event_id": "x"}
    )
    stream = io.BytesIO(content)
    stream.name = "<script>.json"
    result = load(stream)
    text = repr(result)
    assert "1 events from 1 of 1 files; 2 records = 1 loaded + 1 ignored + 0 rejected" in text
    assert max(map(len, text.splitlines())) <= 110
    assert "<script>" not in result._repr_html_()
    assert "&lt;script&gt;" in result._repr_html_()


def test_many_files_are_shown_by_folder_and_form(tmp_path):
    for folder, some in (("march", range(20)), ("april", range(20, 35))):
        (tmp_path / folder).mkdir()
        for number in some:
            (tmp_path / folder / f"{number}.json").write_bytes(lines(sendgrid_bounce(number), "nothing"))
    (tmp_path / "march" / "readme.txt").write_text("hello")
    result = load(tmp_path)
    shown = [line.split() for line in result.to_text().splitlines()]
    assert ["march/", "sendgrid", "event", "webhook", "20", "40", "20", "0", "20", "20"] in shown
    assert ["april/", "sendgrid", "event", "webhook", "15", "30", "15", "0", "15", "15"] in shown
    assert ["march/", "1", "0", "0", "0", "0", "0"] in shown
    assert len(shown) < 12
    every = result.to_text(limit=None)
    assert all(source in every for source in result.files["source"])
    assert "april/" in result._repr_html_()
    assert "april/30.json" not in result._repr_html_()


def test_progress_goes_from_nothing_to_all(tmp_path):
    for number in range(3):
        (tmp_path / f"{number}.json").write_bytes(lines(sendgrid_bounce(number)))
    seen = []
    load(tmp_path, progress=lambda *step: seen.append(step))
    dones = [done for _, done, _ in seen]
    assert dones == sorted(dones)
    assert seen[-1][1] == seen[-1][2] == sum(one.stat().st_size for one in tmp_path.iterdir())


# notes


def note(content, name="export.json"):
    stream = io.BytesIO(content)
    stream.name = name
    return load(stream).files["note"][0]


def test_a_list_that_goes_on_is_noted():
    entry = {"EmailAddress": "a@example.com", "Reason": "BOUNCE", "LastUpdateTime": 1757917804.8}
    more = json.dumps({"SuppressedDestinationSummaries": [entry], "NextToken": "x"}).encode()
    last = json.dumps({"SuppressedDestinationSummaries": [entry]}).encode()
    assert "fetch the other pages" in note(more)
    assert "fetch the other pages" in note(more + more)
    assert note(more + last) == ""


def test_full_pages_are_noted():
    entries = [
        {"created": 1718093404 + n, "email": f"a{n}@example.com", "ip": "192.0.2.1"} for n in range(500)
    ]
    assert "perhaps there are more" in note(array(*entries))
    assert note(array(*entries[:499])) == ""


def test_test_posts_and_rounded_times_are_noted():
    assert "test button" in note(lines(sendgrid_bounce(sg_message_id="14c5d75ce93.dfd.64b469.filter0001.1")))
    rounded = b"email;created\na@example.com;1,71809E+09\nb@example.com;1.71809E+09\n"
    assert "rounded" in note(rounded, "suppression_unsubscribes.csv")


# folders called key=value


@pytest.mark.parametrize(
    "folder", ["event=processed", "reason=unknown", "email=nobody", "timestamp=1", "status=5.2.2"]
)
@pytest.mark.parametrize("kind", ["lines", "array", "table"])
def test_the_name_of_a_folder_is_no_field(tmp_path, folder, kind):
    events = [sendgrid_bounce(number) for number in range(3)]
    place = tmp_path / folder
    place.mkdir()
    if kind == "table":
        pd.DataFrame(events).to_csv(place / "events.csv", index=False)
    else:
        (place / "events.json").write_bytes({"lines": lines, "array": array}[kind](*events))
    expected = read(lines(*events)).drop(columns="source")
    pd.testing.assert_frame_equal(read(place).drop(columns="source"), expected)


def test_nor_is_it_a_column_of_a_table(tmp_path):
    place = tmp_path / "month=3" / "event=processed"
    place.mkdir(parents=True)
    pd.DataFrame({"mail": ["kim@example.com"], "event": ["bounced"]}).to_parquet(place / "t.parquet")
    found = ba.read_table(place / "t.parquet", {"recipient": "mail", "event": "event"})
    assert found[["recipient", "event"]].to_numpy().tolist() == [["kim@example.com", "bounced"]]
    with pytest.raises(FormatError, match="no column 'month'"):
        ba.read_table(place / "t.parquet", {"recipient": "mail", "timestamp": "month"})


# nothing in it


@pytest.mark.parametrize(("content", "said"), [(b"[]", "an empty list"), (b"", "an empty file")])
def test_a_load_without_events_warns(content, said):
    with pytest.warns(ba.NoEventsWarning, match=said):
        load(content)


def test_a_folder_without_exports_warns(tmp_path):
    (tmp_path / "a.txt").write_text("nothing\n")
    (tmp_path / "b.txt").write_text("nothing\n")
    with pytest.warns(ba.NoEventsWarning, match="2 files were read, none of them an export"):
        read(tmp_path)


# numbers that an ESP made up, and what only the sender can mend


def test_numbers_of_mailgun_stay_its_word():
    event = mailgun_failed(1)
    event["reason"] = ""
    event["delivery-status"] = {"code": 606, "message": "Not delivering to unsubscribed address"}
    row = only(read(json.dumps(event).encode()))
    assert (row["esp_reason"], pd.isna(row["reply_code"])) == ("606", True)
    table = b"email,code\nkim@example.com,606\nlou@example.com,550\nmio@example.com,498\n"
    found = ba.read_table(table, {"recipient": "email", "reply_code": "code"}, provider="mailgun")
    assert found["esp_reason"].fillna("").tolist() == ["606", "", "498"]
    assert found["reply_code"].isna().tolist() == [True, False, True]


def test_what_the_esp_refused_is_for_the_sender_to_mend():
    mail = {"messageId": "m", "timestamp": "2026-03-10T08:15:20Z", "destination": ["kim@example.com"]}
    failure = {
        "eventType": "Rendering Failure",
        "mail": mail,
        "failure": {"errorMessage": "no such attribute"},
    }
    rejected = {"event": "rejected", "id": "r", "timestamp": 1773130520.1, "recipient": "kim@example.com"}
    rejected["reject"] = {"reason": "Sandbox subdomains are for test purposes only."}
    for event in (failure, {"event-data": rejected, "signature": {}}):
        verdict = only(ba.classify(read(json.dumps(event).encode())))
        assert (verdict["event"], verdict["action"]) == ("rejected", "fix")


@pytest.mark.filterwarnings("ignore::bounceanalytics.RejectedRecordsWarning")
@pytest.mark.parametrize("make", [lines, array])
@pytest.mark.parametrize("cut", [-30, -9])
def test_a_packed_file_that_breaks_off_says_so(make, cut):
    packed = gzip.compress(make(*(sendgrid_bounce(number) for number in range(40))))
    found = load(packed[:cut])
    assert "ends too early" in found.files["note"].iloc[0]
    assert len(found.events) > 0
    assert "ends too early" in load(packed + b"garbage behind it").files["note"].iloc[0]
    assert "early" not in load(packed).files["note"].iloc[0]

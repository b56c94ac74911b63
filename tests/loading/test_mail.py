"""A mailbox gives one record a mail, whatever the mails are."""

from __future__ import annotations

import base64
import gzip
import io
import json
import quopri

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bounceanalytics.loading.translating import mail, mailboxes
from bounceanalytics.loading.translating.mailboxes import looks_like_mail
from tests.effort import examples

STAMP = "Tue Mar  3 09:10:11 2026"


def read(content: bytes) -> list[mail.Span]:
    return list(mail.spans(io.BytesIO(content)))


def strict(text: str) -> object:
    text.encode("utf-8")

    def refuse(constant: str) -> object:
        raise AssertionError(constant)

    return json.loads(text, parse_constant=refuse)


def records(content: bytes) -> list[dict]:
    found = read(content)
    assert [span.error for span in found] == [None] * len(found)
    return [strict(span.text) for span in found]


def report(content: bytes) -> dict:
    (record,) = records(content)
    return record["report"]


def dsn(
    number: int = 1, *, headers: str = "", status: str = "", note: str = "It came back.", original: str = ""
) -> str:
    status = status or (
        "Reporting-MTA: dns; mx.example.net\nArrival-Date: Tue, 3 Mar 2026 09:00:00 +0000\n\n"
        f"Final-Recipient: rfc822; person{number}@example.org\nAction: Failed\nStatus: 5.1.1 (bad mailbox)\n"
        "Remote-MTA: dns; mx1.example.org. (192.0.2.7)\n"
        "Diagnostic-Code: smtp; 550 5.1.1 nobody of that name\n\there\n"
    )
    original = original or f"Message-ID: <letter{number}@example.com>\nSubject: Letter\n\nHello.\n"
    return (
        f"{headers or 'From: Mailer <mailer@example.net>'}\nSubject: Returned {number}\n"
        "Date: Tue, 3 Mar 2026 09:10:11 +0000\nMIME-Version: 1.0\n"
        f'Content-Type: multipart/report; report-type=delivery-status;\n boundary="cut{number}"\n\n'
        f"--cut{number}\nContent-Type: text/plain\n\n{note}\n\n"
        f"--cut{number}\nContent-Type: message/delivery-status\n\n{status}\n"
        f"--cut{number}\nContent-Type: message/rfc822\n\n{original}\n--cut{number}--\n"
    )


def sns(body: str, *, headers: str = "") -> str:
    return (
        "From: topic <no-reply@sns.amazonaws.com>\nSubject: AWS Notification Message\n"
        f"Date: Tue, 3 Mar 2026 09:10:11 +0000\nx-amz-sns-message-id: 1-2-3\n{headers}\n{body}"
    )


FOOTER = "\n\n--\nTo stop this, write to somebody {else}.\n"
SES = '{"notificationType":"Bounce","mail":{"messageId":"0100-1"},"bounce":{"note":"é \\ud83d\\ude00"}}'


def box(*mails: str | bytes) -> bytes:
    return b"".join(
        f"From mailer@example.net {STAMP}\n".encode()
        + (one.encode() if isinstance(one, str) else one)
        + b"\n"
        for one in mails
    )


# reports


def test_every_field_of_a_report():
    assert report(dsn().encode()) == {
        "from": "Mailer <mailer@example.net>",
        "subject": "Returned 1",
        "date": "Tue, 3 Mar 2026 09:10:11 +0000",
        "provider": "generic",
        "reporting_mta": "mx.example.net",
        "arrival_date": "Tue, 3 Mar 2026 09:00:00 +0000",
        "message_id": "letter1@example.com",
        "recipients": [
            {
                "address": "person1@example.org",
                "action": "failed",
                "status": "5.1.1",
                "diagnostic": "smtp; 550 5.1.1 nobody of that name here",
                "remote_host": "mx1.example.org",
            }
        ],
    }


def test_reports_of_ses():
    status = (
        "Reporting-MTA: dsn; b1.smtp-out.eu-west-1.amazonses.com\n\nAction: failed\n"
        "Final-Recipient: rfc822; one@example.org\nDiagnostic-Code: smtp; 550-5.7.1 no\n550 5.7.1 really\n"
        "Status: 5.7.1\nAction: delayed\nFinal-Recipient: rfc822; two@example.org\nStatus: 4.4.7\n"
    )
    headers = "From: MAILER-DAEMON@eu-west-1.amazonses.com\nX-SES-Outgoing: 2026.03.03-192.0.2.61"
    found = report(
        dsn(headers=headers, status=status, original="Message-ID: <0102-3@eu.amazonses.com>\n\nx").encode()
    )
    assert found["provider"] == "ses"
    assert found["sending_ip"] == "192.0.2.61"
    assert found["message_id"] == "0102-3"
    assert [one["address"] for one in found["recipients"]] == ["one@example.org", "two@example.org"]
    assert [one["action"] for one in found["recipients"]] == ["failed", "delayed"]
    assert found["recipients"][0]["diagnostic"] == "smtp; 550-5.7.1 no really"


SENDGRID_NOTE = (
    "This is an automatically generated message from SendGrid.\n\n"
    "ann:000000:<ann@example.org> : 192.0.2.9 : mx.example.org:[198.51.100.3] : 550 5.1.1 gone  in RCPT TO"
)


def test_reports_of_sendgrid():
    status = (
        "X-SendGrid-QueueID: 1\nArrival-Date: 2026-03-03 04-46-42\n\nFinal-Recipient: rfc822; ann@example.org\n"
        "Original-Recipient: rfc822; ann@example.org\nAction: failed\nStatus: \nDiagnostic-Code: 550 5.1.1\n    gone \n"
    )
    found = report(dsn(note=SENDGRID_NOTE, status=status).encode())
    assert found["provider"] == "sendgrid"
    assert found["arrival_date"] == "2026-03-03 04:46:42"
    assert found["sending_ip"] == "192.0.2.9"
    assert found["recipients"] == [
        {
            "address": "ann@example.org",
            "original": "ann@example.org",
            "action": "failed",
            "diagnostic": "550 5.1.1 gone",
            "remote_host": "mx.example.org",
        }
    ]


def test_a_report_of_sendgrid_in_words_alone():
    body = f"From: apps@sendgrid.net\nSubject: Undelivered\nDate: x\n\n{SENDGRID_NOTE}\n\n"
    found = report((body + "bob:000000:<bob@example.org> : Connection timed\n out in connect\n").encode())
    assert found["provider"] == "sendgrid"
    assert found["recipients"] == [
        {"address": "ann@example.org", "diagnostic": "550 5.1.1 gone", "remote_host": "mx.example.org"},
        {"address": "bob@example.org", "diagnostic": "Connection timed out"},
    ]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("message/delivery-status", "text/plain"),
        ("message/delivery-status", "application/octet-stream; name=details.txt"),
        ("message/delivery-status\n", "message/delivery-status\nContent-Transfer-Encoding: base64\n"),
        ("message/delivery-status", "text/plain; charset=unicode-1-1-utf-7"),
        ("message/delivery-status", "text/plain; charset=us_ascii"),
        ("message/delivery-status", "text/plain; charset=nonsense-9"),
        ("message/delivery-status", "message/global-delivery-status"),
        ("message/rfc822", "text/rfc822-headers"),
        ('boundary="cut1"', 'boundary="elsewhere"'),
        (' boundary="cut1"\n', " x=y\n"),
        ("multipart/report", "text/plain"),
        ("\n", "\r\n"),
        ("--cut1--\n", ""),
    ],
)
def test_reports_with_wrong_labels_say_the_same(old, new):
    text = dsn().replace(old, new)
    assert text != dsn()
    assert report(text.encode()) == report(dsn().encode())


@pytest.mark.parametrize("coding", ["base64", "quoted-printable"])
def test_coded_parts(coding):
    status = (
        "Final-Recipient: rfc822; ann@example.org\nAction: failed\nDiagnostic-Code: smtp; 550 boîte pleine\n"
    )
    code = base64.encodebytes if coding == "base64" else quopri.encodestring
    for kind in ("message/delivery-status", "text/plain"):
        text = dsn(status=code(status.encode()).decode())
        text = text.replace("message/delivery-status\n", f"{kind}\nContent-Transfer-Encoding: {coding}\n")
        (recipient,) = report(text.encode())["recipients"]
        assert recipient["diagnostic"] == "smtp; 550 boîte pleine"


def test_odd_bytes_and_coded_words():
    headers = "From: =?iso-8859-1?q?Jos=E9?= <a@example.net>"
    found = report(dsn(headers=headers, note="boîte").replace("nobody", "né").encode("latin-1"))
    assert found["from"] == "José <a@example.net>"
    assert "né of" in found["recipients"][0]["diagnostic"]
    (span,) = read(b"From: a@example.net\nDate: x\nSubject: =?no-such?q?x?=\n\n\n")
    assert span.error == mail._NONE


def test_a_report_of_sendgrid_without_its_line():
    found = report(dsn(headers="Return-Path: <apps@sendgrid.net>\nFrom: x@example.net").encode())
    assert found["provider"] == "sendgrid"
    assert found["recipients"][0]["address"] == "person1@example.org"


@pytest.mark.parametrize(
    "charset", ["charset*=utf-8''x", 'charset="a\0b"', "charset*0=a; charset*2=b", "charset=rot13"]
)
def test_charsets_that_make_no_sense(charset):
    text = dsn(note="né").replace("text/plain", f"text/plain; {charset}").replace("nobody", "né")
    assert report(text.encode())["recipients"][0]["diagnostic"] == "smtp; 550 5.1.1 né of that name here"


def test_a_report_that_was_passed_on():
    text = (
        "From: Boss <boss@example.com>\nSubject: Fwd\nDate: x\nMIME-Version: 1.0\n"
        'Content-Type: multipart/mixed; boundary="outer"\n\n--outer\nContent-Type: text/plain\n\nSee below.\n'
        f"--outer\nContent-Type: message/rfc822\n\n{dsn(4)}\n--outer--\n"
    )
    assert report(text.encode()) == report(dsn(4).encode())


def test_a_report_that_names_nobody_is_an_error():
    (span,) = read(dsn(status="Reporting-MTA: dns; mx.example.net\n").encode())
    assert span.error == "it is a delivery report that names no recipient"


# what SNS sends


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_records_of_sns_are_left_as_they_are(end):
    folded = SES[:60] + "!\n " + SES[60:]
    content = sns(folded + FOOTER).replace("\n", end).encode()
    assert [span.text for span in read(content)] == [SES]
    pretty = json.dumps({"Type": "Notification", "TopicArn": "arn:x", "Message": SES}, indent=2)
    assert [span.text for span in read(sns(pretty).encode())] == [pretty]


def test_coded_records_of_sns():
    plain = quopri.encodestring(SES.encode()).decode()
    assert records(sns(plain, headers="Content-Transfer-Encoding: quoted-printable\n").encode()) == [
        json.loads(SES)
    ]
    coded = base64.encodebytes(SES.encode()).decode()
    assert records(sns(coded, headers="Content-Transfer-Encoding: base64\n").encode()) == [json.loads(SES)]
    assert records(sns(SES, headers="Content-Transfer-Encoding: base64\n").encode()) == [json.loads(SES)]


def test_records_of_sns_that_were_broken_or_odd():
    assert records(sns(SES[:60] + "\n" + SES[60:]).encode()) == [json.loads(SES)]
    odd = '{"notificationType":"Bounce","a":NaN,"b":1e999,"c":"\\ud83d","d":"9e999 NaN"}'
    assert records(sns(odd).encode()) == [
        {"notificationType": "Bounce", "a": None, "b": None, "c": "?", "d": "9e999 NaN"}
    ]
    (span,) = read(sns(SES[:-9] + FOOTER).encode())
    assert span.error == "it is a mail of SNS whose JSON cannot be read"


def test_what_sns_says_in_words():
    assert records(sns("Successfully validated something." + FOOTER).encode()) == [
        {"mail_notice": "AWS Notification Message"}
    ]


# mailbox files


def test_offsets_and_order():
    other = "From: Pat <pat@example.com>\nDate: x\nSubject: Re: letter\n\nThanks!\n\nFrom here on: nothing.\n"
    content = b"\n" + box(dsn(1), sns(SES + FOOTER), other, dsn(2))
    found = read(content)
    assert [content[span.offset : span.offset + 12] for span in found] == [b"From mailer@"] * 4
    assert [span.error or next(iter(json.loads(span.text))) for span in found] == [
        "report",
        "notificationType",
        mail._NONE,
        "report",
    ]


def test_separators():
    one, two = (
        "From: a@example.com\nSubject: one\n\nx\n",
        "From: b@example.com\nSubject: two\n\n>From the start\n",
    )
    for line in (f"From - {STAMP}", "From 17@xxx Tue Mar 03 09:10:11 +0000 2026", "From b@example.com"):
        content = f"From a@example.com {STAMP}\n{one}\n{line}\n{two}".encode()
        for end in (b"\n", b"\r\n"):
            found = [raw for _, raw in mailboxes.mails(io.BytesIO(content.replace(b"\n", end)))]
            assert [b"Subject: one" in found[0], b"\nFrom the start" in found[1]] == [True, True]
    # the blank line is missing
    assert len(read(f"From a@example.com {STAMP}\n{one}From b@example.com {STAMP}\n{two}".encode())) == 2
    assert len(read(f"{one}\nFrom the beginning:\nSubject: x\n".encode())) == 1


def test_what_is_no_mail_is_an_error():
    (bad, good) = read(b"no header\n" + box(dsn(1)))
    assert bad == (0, "no header\n", "it is no mail: no header lines stand at its beginning")
    assert good.error is None
    assert read(b"") == read(b"\n\n") == []


def test_a_large_mail_is_read_from_its_beginning(monkeypatch):
    monkeypatch.setattr(mailboxes, "_LARGEST", 4096)
    large = dsn(1).replace("Hello.", "x" * 300_000 + "\n")
    assert [one["report"]["subject"] for one in records(box(large, dsn(2)))] == ["Returned 1", "Returned 2"]


def test_a_cut_archive_gives_what_it_has():
    packed = gzip.compress(box(*(dsn(number).replace("Hello", f"{number**50}") for number in range(200))))
    with gzip.open(io.BytesIO(packed[: len(packed) // 2])) as stream:
        assert 20 < len(list(mail.spans(stream))) < 200


def test_looks_like_mail(shared):
    assert looks_like_mail(dsn().encode())
    assert looks_like_mail(b"\xef\xbb\xbf\n" + box(dsn()))
    assert looks_like_mail(b"X-Spam: no\r\nReceived: by x\r\n\tid 3\r\nDate: y\r\n\r\n")
    for head in (
        b"",
        b"From a to b\n",
        b'{"From": 1}',
        b"From: a\n",
        b"name: a\nkey: b\nvalue: c\n",
        b"email,reason\n",
    ):
        assert not looks_like_mail(head)
    for path in (shared / "formats" / "examples").rglob("*.*"):
        assert looks_like_mail(path.read_bytes()) == (path.suffix == ".mbox")


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("ses/feedback_mailbox.mbox", ["report"] * 3 + ["notificationType", "Type"]),
        ("sendgrid/forwarded_bounces.mbox", ["report"] * 5),
    ],
)
def test_shared_samples(shared, name, kinds):
    content = (shared / "formats" / "examples" / name).read_bytes()
    assert [next(iter(record)) for record in records(content)] == kinds


# damage

MAILS = [dsn(1), sns(SES + FOOTER), dsn(2, note=SENDGRID_NOTE), dsn(3), sns(SES + "\n"), dsn(4)]
PARTS = [box(one) for one in MAILS]
GOOD = [records(part)[0] for part in PARTS]


@given(
    content=st.binary(max_size=400), where=st.sampled_from(["", "From x\n", "From: a\nSubject: b\n", sns("")])
)
def test_any_bytes(content, where):
    for span in read(where.encode() + content):
        assert span.error or strict(span.text)
    assert looks_like_mail(content) in {True, False}


@examples(200)
@given(
    hurt=st.integers(0, len(PARTS) - 1),
    place=st.floats(0, 1),
    cut=st.integers(0, 200),
    garbage=st.binary(max_size=30)
    | st.sampled_from([b"\n\n", b"--cut1", b"\xff\xfe", b'"{', b"\n--cut2--\n", b"=?x?q?"]),
)
def test_damage_stays_in_its_mail(hurt, place, cut, garbage):
    part = PARTS[hurt]
    head = part.index(b"\n") + 1
    at = head + int(place * (len(part) - 1 - head))
    # the line that parts it from the next mail is left
    damaged = part[:at] + garbage + part[at + cut : -1] + b"\n\n"
    found = read(b"".join([*PARTS[:hurt], damaged, *PARTS[hurt + 1 :]]))
    good = [strict(span.text) for span in found if not span.error]
    for number, record in enumerate(GOOD):
        if number != hurt:
            assert record in good
    assert len(found) >= len(PARTS)

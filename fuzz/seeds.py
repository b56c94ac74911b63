"""Small exports of every format, invented; the fuzzer begins with them and cuts, splices and wraps them."""

from __future__ import annotations

import base64
import csv
import gzip
import io
import json
import tarfile
import zipfile
from typing import Any
from urllib.parse import urlencode

_TEXT = "550 5.1.1 <ada@example.com>: Recipient address rejected: no mailbox by that name"
_MAIL_ID = "010201994c10e6b6-d72d791b-4e0e-29c8-8ffd-67cb0126d87e-000000"

SENDGRID: list[dict[str, Any]] = [
    {"email": "ada@example.com", "event": "bounce", "timestamp": 1718093404, "sg_event_id": "x1", "sg_message_id": "m1.recvd-1",
     "smtp-id": "<m1@geopod>", "ip": "192.0.2.4", "category": ["letters", "june"], "type": "bounce", "status": "5.1.1", "tls": 1,
     "bounce_classification": "Invalid Address", "reason": _TEXT},
    {"email": "Ben.Ode@Example.NET", "event": "deferred", "timestamp": "1718093404", "sg_event_id": "x2", "category": "letters",
     "response": "451 4.7.1 Greylisted, come back in 300 seconds", "attempt": "0"},
    {"email": "josé@example.org", "event": "dropped", "timestamp": 1718093404000, "sg_event_id": "x3", "reason": "Bounced Address"},
    {"event": "account_status_change", "sg_event_id": "x4", "timestamp": 1718093404},
]  # fmt: skip
_SES_MAIL = {
    "timestamp": "2025-09-15T06:30:00.118Z", "source": "News <news@mail.example.com>", "messageId": _MAIL_ID,
    "destination": ["ada@example.com", "ben@example.net"], "headersTruncated": False, "headers": [{"name": "To", "value": "ada@example.com"}],
    "commonHeaders": {"to": ["ada@example.com"], "subject": "Notes"}, "tags": {"ses:outgoing-ip": ["192.0.2.6"], "campaign": ["c1"]},
}  # fmt: skip
_SES_BOUNCE = {
    "feedbackId": "f1", "bounceType": "Permanent", "bounceSubType": "General", "timestamp": "2025-09-15T06:30:03.250Z",
    "bouncedRecipients": [{"emailAddress": "ada@example.com", "action": "failed", "status": "5.1.1", "diagnosticCode": "smtp; " + _TEXT},
                          {"emailAddress": "\"Ben\" <ben@example.net>"}],
    "remoteMtaIp": "203.0.113.4", "reportingMTA": "dns; mx1.example.net",
}  # fmt: skip
SES: list[dict[str, Any]] = [
    {"eventType": "Bounce", "bounce": _SES_BOUNCE, "mail": _SES_MAIL},
    {"eventType": "DeliveryDelay", "mail": _SES_MAIL, "deliveryDelay": {
        "timestamp": "2025-09-15T06:35:02.333Z", "delayType": "MailboxFull",
        "delayedRecipients": [{"emailAddress": "ben@example.net", "status": "4.2.2", "diagnosticCode": "smtp; 452 4.2.2 full"}]}},
    {"eventType": "Delivery", "mail": _SES_MAIL, "delivery": {
        "timestamp": "2025-09-15T06:30:01.520Z", "recipients": ["ada@example.com"], "smtpResponse": "250 ok"}},
    {"eventType": "Subscription", "mail": _SES_MAIL, "subscription": {
        "timestamp": "2025-09-15T07:30:08.800Z", "source": "UnsubscribeHeader",
        "newTopicPreferences": {"unsubscribeAll": True, "topicSubscriptionStatus": [{"topicName": "r", "subscriptionStatus": "OptOut"}]}}},
]  # fmt: skip
SES_NOTICE: list[dict[str, Any]] = [
    {"notificationType": "Bounce", "bounce": _SES_BOUNCE, "mail": _SES_MAIL},
    {"notificationType": "Complaint", "mail": _SES_MAIL, "complaint": {
        "complainedRecipients": [{"emailAddress": "ada@example.com"}], "timestamp": "2025-09-16T12:30:05.914Z",
        "complaintFeedbackType": "abuse", "complaintSubType": None}},
    {"notificationType": "AmazonSnsSubscriptionSucceeded", "message": "You have set up notifications"},
]  # fmt: skip
MAILGUN: list[dict[str, Any]] = [
    {"event": "failed", "id": "uQ2f0c4pRr2m1kTj7y0hXw", "timestamp": 1773043209.3104, "log-level": "error", "severity": "permanent",
     "reason": "bounce", "recipient": "ada@example.com", "envelope": {"sender": "n@mg.example.com", "transport": "smtp", "sending-ip": "203.0.113.2"},
     "message": {"headers": {"message-id": "2026.7b1c@mg.example.com", "to": "ada@example.com"}, "size": 18433},
     "delivery-status": {"attempt-no": 1, "code": 550, "enhanced-code": "5.1.1", "message": "5.1.1 no mailbox\n5.1.1 by that name",
                         "description": None, "mx-host": "mx1.example.net"},
     "flags": {"is-delayed-bounce": False}, "tags": ["digest"], "user-variables": {}, "campaigns": []},
    {"event": "accepted", "id": "-a", "timestamp": 1773043209, "log-level": "info", "recipient": "ben@example.net", "tags": [],
     "flags": {"is-authenticated": False}, "message": {"headers": {"message-id": "m2"}, "recipients": ["ben@example.net"]}, "storage": []},
]  # fmt: skip
_FLAT = {"event": "failed", "id": "Ck3", "timestamp": 1773043215.4, "severity": "temporary", "recipient": "ada@example.com",
         "delivery_status_code": 451, "delivery_status_message": "4.7.1 Greylisted", "message_headers_message_id": "m3", "log_level": "warn"}  # fmt: skip


def as_text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _lines(records: list[Any]) -> str:
    return "".join(as_text(record) + "\n" for record in records)


def _table(rows: list[list[str]], delimiter: str = ",") -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows(rows)
    return out.getvalue()


def _json_exports() -> list[str]:
    sns = {
        "Type": "Notification",
        "MessageId": "7d0c",
        "TopicArn": "arn:aws:sns:eu-west-1:1:fb",
        "Message": as_text(SES[0]) + "\n",
    }
    bridge = {
        "version": "0",
        "id": "5999",
        "detail-type": "Email Bounced",
        "source": "aws.ses",
        "detail": SES[0],
    }
    items = {"items": MAILGUN, "paging": {"next": "https://api.mailgun.net/v3/mg.example.com/events/W3si"}}
    listed = {
        "address": "ada@example.com",
        "code": "550",
        "error": _TEXT,
        "created_at": "Mon, 09 Mar 2026 07:58:20 UTC",
    }
    return [
        *(form for records in (SENDGRID, SES, SES_NOTICE, MAILGUN) for form in (_lines(records), as_text(records))),
        as_text(SENDGRID) + "\r\n" + as_text(SENDGRID[:1]),  # a batch a line
        "".join(map(as_text, SES)),  # one after the other, as Firehose leaves them
        json.dumps(SENDGRID, indent=2),
        as_text({str(place): record for place, record in enumerate(SENDGRID)}),
        _lines([{"received_at": "2024-06-12T09:10:03Z", "raw_event": record} for record in SENDGRID]),
        _lines([{"raw_event": as_text(MAILGUN)}, {"raw_event": MAILGUN[0]}]),
        as_text([{"email": "ada@example.com", "created": 1718093404, "reason": _TEXT, "status": "5.1.1"}]),
        as_text([{"email": "ada@example.com", "created": 1718093404, "ip": "192.0.2.4"}]),
        as_text([{"email": "dee@example.org", "group_id": 44, "group_name": "June", "created_at": 1718180500}]),
        as_text(["ada@example.com", "ben@example.net"]),
        as_text({"messages": [{"from_email": "n@example.com", "msg_id": "m1", "to_email": "ada@example.com", "status": "not_delivered",
                             "last_event_time": "2024-06-11T08:10:04Z"}]}),
        _lines([{"from_email": "n@example.com", "msg_id": "m1", "to_email": "ada@example.com", "status": "not_delivered",
                 "events": [{"event_name": "bounced", "processed": "2024-06-11T08:10:04Z", "reason": _TEXT, "bounce_type": "hard"}]}]),
        _lines([{"from_email": "n@example.com", "sg_message_id": "m1", "to_email": "ada@example.com", "status": "bounced",
                 "events": [{"event": "bounced", "timestamp": "2024-06-11T08:10:04Z", "reason": _TEXT}]}]),
        _lines([sns, {"Type": "SubscriptionConfirmation", "MessageId": "1", "TopicArn": "a", "Message": "You have chosen"}]),
        as_text({"Messages": [{"MessageId": "1", "ReceiptHandle": "r", "Body": as_text(sns)}]}),
        _lines([bridge]), as_text(bridge) * 2,
        as_text({"Records": [{"EventSource": "aws:sns", "Sns": sns}]}),
        as_text({"Records": [{"eventSource": "aws:sqs", "body": as_text(sns)}]}),
        "2025-09-15T06:30:02.100Z START RequestId: 0b5c\n2025-09-15T06:30:00.000Z " + as_text(bridge) + "\n",
        as_text({"events": [{"timestamp": 1757917803250, "ingestionTime": 1757917803260, "message": as_text(bridge)}]}),
        as_text({"messageType": "DATA_MESSAGE", "logEvents": [{"id": "3", "timestamp": 1757917803250, "message": as_text(bridge)}]}),
        as_text({"results": [[{"field": "@message", "value": as_text(bridge)}, {"field": "@ptr", "value": "x"}]]}),
        _lines([{"attemptsMade": 4, "arrivalTimestamp": 1757917803250, "errorCode": "E", "rawData": base64.b64encode(as_text(SES[0]).encode()).decode()}]),
        as_text({"SuppressedDestinationSummaries": [{"EmailAddress": "ada@example.com", "Reason": "BOUNCE",
                                                   "LastUpdateTime": "2025-09-14T07:00:05.002000+00:00"}], "NextToken": "n"}),
        _lines([{"SuppressedDestination": {"EmailAddress": "ada@example.com", "Reason": "COMPLAINT", "LastUpdateTime": 1757833205.002}}]),
        _lines([{"MessageId": _MAIL_ID, "Insights": [{"Destination": "ada@example.com", "Isp": "X", "Events": [
            {"Type": "BOUNCE", "Timestamp": "2025-09-15T06:30:03Z", "Details": {"Bounce": {"BounceType": "PERMANENT", "DiagnosticCode": _TEXT}}}]}]}]),
        _lines([{"eventType": "Bounce", "timestamp": "2025-09-15T06:30:01.520Z", "messageId": _MAIL_ID, "destination": ["ada@example.com"],
                 "bounceType": "Permanent", "bouncedRecipients": ["ada@example.com"], "recipients": []}]),
        _lines([{"emailAddress": "ada@example.com", "reason": "BOUNCE"}]),
        as_text(items), _lines([items, items]), _lines([_FLAT]),
        _lines([{"event": "failed", "delivery-status.code": 550, "recipient": "ada@example.com", "message.headers.message-id": "m"}]),
        as_text({"items": [{"id": "J", "event": "failed", "@timestamp": "2026-03-09T08:00:01.592Z", "recipient": "ada@example.com"}]}),
        _lines([{"signature": {"timestamp": "1773043209", "token": "t", "signature": "s"}, "event-data": MAILGUN[0]}]),
        _lines([{"event": "bounced", "recipient": "ada@example.com", "code": "550", "error": _TEXT, "timestamp": "1473043209",
                 "token": "t", "signature": "s"}]),
        as_text({"total_count": 1, "items": [{"hap": "bounced", "created_at": "Tue, 14 Aug 2012 10:04:31 GMT", "message_id": "m",
                                           "message": "Will not retry: n@example.com → ada@example.com 'x' Server response: 550 no"}]}),
        as_text({"items": [listed], "paging": {}}), as_text([listed]),
        as_text({"items": [{"address": "ada@example.com", "tags": ["*"], "created_at": "Mon, 09 Mar 2026 07:58:20 UTC"}]}),
        as_text({"items": [{"address": "ada@example.com", "subscribed": True, "vars": {}}]}),
        as_text({"start": "x", "items": [{"metrics": {"sent_count": 1}}]}),
        "[]", "{}", "null", "",
    ]  # fmt: skip


def _tables() -> list[str]:
    bounces = [
        ["status", "reason", "email", "created"],
        ["5.1.1", _TEXT, "ada@example.com", "1718093404"],
        ["", 'a "b"\nc', "ben@example.net", "2024-06-11 08:10:04"],
    ]
    events = list(MAILGUN[0])
    return [
        _table(bounces), "\ufeff" + _table(bounces, ";"), _table(bounces, "\t"),
        _table([["reason", "email", "created"], ["Invalid address", "foo@bar@example.com", "1718000002"]]),
        _table([["ip", "email", "created"], ["192.0.2.40", "ada@example.com", "1717000000"]]),
        _table([["email"], ["ada@example.com"], ["ben@example.net"]]),
        _table([["processed", "message_id", "event", "recv_message_id", "email", "reason", "mx", "attempt", "type", "categories", "unique_args"],
                ["2024-06-11 08:10:06.120", "m1", "bounce", "m1", "ada@example.com", _TEXT, "mx1.example.com", "0", "bounce", '["a"]', "{}"]]),
        _table([["email", "event", "timestamp", "sg_event_id", "reason"], ["ada@example.com", "bounce", "1718093404", "x", _TEXT]]),
        _table([["@timestamp", "@message"], ["2025-09-15 06:30:03.250", as_text(SES[0])]]),
        _table([["Date", "Type", "From", "Recipient", "Error", "ID"], ["2025-09-14T07:00:04Z", "Bounce", "n@example.com", "ada@example.com", "bounced &lt;x&gt;", "i"]]),
        _table([["emailAddress", "unsubscribeAll", "attributesData"], ["ada@example.com", "true", '{"a":1}']]),
        _table([["ada@example.com", "BOUNCE"], ["ben@example.net", "COMPLAINT"]]),
        _table([["created_at", "code", "error", "MessageHash", "address"], ["Mon, 09 Mar 2026 07:58:20 UTC", "550", _TEXT, "0", "ada@example.com"]]),
        _table([["address", "tags", "created_at"], ["ada@example.com", "a,b", "Mon, 01 Jan 0001 00:00:00 UTC"]]),
        _table([["address", "created_at"], ["ada@example.com", "Mon, 09 Mar 2026 10:01:40 UTC"]]),
        _table([["address", "domain"], ["ada@example.com", ""], ["", "example.net"]]),
        _table([events, [str(MAILGUN[0][name]) for name in events]]),
        _table([["@timestamp", "event", "recipient", "delivery-status.code", "delivery-status.message", "log-level"],
                ["2026-03-09T08:00:01Z", "failed", "ada@example.com", "550", _TEXT, "error"]]),
    ]  # fmt: skip


def _others() -> list[str]:
    version_1 = {
        "email": "ada@example.com",
        "event": "bounce",
        "status": "5.1.1",
        "reason": _TEXT,
        "type": "bounce",
        "category": "a",
    }
    legacy = {"event": "bounced", "recipient": "ada@example.com", "domain": "example.com", "code": "550", "error": _TEXT,
              "timestamp": "1473043209", "token": "t", "signature": "s", "Message-Id": "<m@example.com>", "tag": "a"}  # fmt: skip
    parts = "".join(
        f'--b0\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in legacy.items()
    )
    report = (
        "From apps@sendgrid.net Tue Jun 11 08:10:09 2024\nReturn-Path: <apps@sendgrid.net>\n"
        "From: MAILER-DAEMON@mail.example.com\nTo: news@example.com\n"
        "Subject: Undelivered Mail\nDate: Tue, 11 Jun 2024 08:10:09 +0000\nMIME-Version: 1.0\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b1"\n\n--b1\nContent-Type: text/plain; charset="utf-8"\n\n'
        "This is an automatically generated message from SendGrid.\n\n"
        f"ada:000000:<ada@example.com> : 192.0.2.41 : mx1.example.com:[198.51.100.20] : {_TEXT}  in RCPT TO\n\n"
        "--b1\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; sendgrid.net\nArrival-Date: 2024-06-11 08-10-04\n\n"
        "Final-Recipient: rfc822;ada@example.com\nAction: failed\nStatus: 5.1.1\n"
        "Diagnostic-Code: smtp; 550 5.1.1 no\n mailbox\n\n--b1\nContent-Type: message/rfc822\n\nMessage-ID: <m1@example.com>\nSubject: x\n\n--b1--\n\n"
    )
    notice = (
        'From no-reply@sns.amazonaws.com Mon Sep 15 06:30:09 2025\nFrom: "AWS Notifications" <no-reply@sns.amazonaws.com>\n'
        f"Content-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: 8bit\n\n{as_text(SES_NOTICE[0])}\n\n--\nIf you wish to stop\n"
    )
    feedback = (
        "From a@example.net Mon Sep 15 06:30:09 2025\nFrom: <complaints@email-abuse.amazonses.com>\nTo: n@example.com\n"
        'Subject: Feedback\nMIME-Version: 1.0\nContent-Type: multipart/report; report-type=feedback-report; boundary="b2"\n\n--b2\n'
        "Content-Type: message/feedback-report\n\nFeedback-Type: abuse\nUser-Agent: X/1\nVersion: 1\nOriginal-Rcpt-To: ada@example.com\n"
        "Arrival-Date: Mon, 15 Sep 2025 06:30:00 +0000\n\n--b2--\n"
    )
    xml = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<bounces>\n <bounce>\n  <email>ada@example.com</email>\n  <status>5.1.1</status>\n'
        "  <reason>550 5.1.1 &lt;ada@example.com&gt;... no such user</reason>\n  <created>2013-02-04 11:32:14</created>\n </bounce>\n</bounces>\n"
    )
    return [
        urlencode(version_1) + "\n" + urlencode(version_1) + "\n", urlencode(legacy) + "\n", parts + "--b0--\r\n",
        report, report + notice, notice, feedback, xml, "<html><body>x</body></html>",
    ]  # fmt: skip


def gzipped(content: bytes) -> bytes:
    return gzip.compress(content, 1, mtime=0)


def zipped(
    *contents: bytes, names: tuple[str, ...] = ("bounces.csv", "folder/events.json", "b.mbox")
) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in zip(names, contents, strict=False):
            archive.writestr(zipfile.ZipInfo(name), content)
    return out.getvalue()


def tarred(content: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        member = tarfile.TarInfo("exports/blocks.csv")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return out.getvalue()


def exports() -> list[bytes]:
    """Return the seeds: every format as it is, some of them packed."""
    plain = [text.encode() for text in (*_json_exports(), *_tables(), *_others())]
    packed = [
        *(gzipped(content) for content in plain[::9]),
        *(zipped(content, plain[-1 - place]) for place, content in enumerate(plain[::11])),
        *(content.decode().encode("utf-16") for content in plain[::13]),
        *(tarred(content) for content in plain[::23]),
        gzipped(tarred(plain[0])),
        gzipped(gzipped(plain[1])),
        zipped(zipped(plain[2])),
    ]
    return plain + packed

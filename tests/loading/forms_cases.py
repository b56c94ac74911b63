"""A record of every form that can be loaded, made anew for the tests; each is about one reader, known by a number."""

from __future__ import annotations

import base64
import csv
import io
import json
import urllib.parse
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from tests.loading.exports import mailgun_failed, sendgrid_bounce, ses_bounce

Maker = Callable[[int], Any]


def person(number: int) -> str:
    return f"reader{number}@example.com"


def clock(number: int) -> str:
    return f"2025-09-14T{number // 3600 % 24:02d}:{number // 60 % 60:02d}:{number % 60:02d}"


def sendgrid(number: int, **other: Any) -> dict[str, Any]:
    return sendgrid_bounce(number, **other)


def ses(number: int) -> dict[str, Any]:
    return ses_bounce(person(number), number=number)


def mailgun(number: int, **other: Any) -> dict[str, Any]:
    return mailgun_failed(number, recipient=person(number), **other)


def sns(number: int) -> dict[str, Any]:
    return {
        "Type": "Notification",
        "MessageId": f"{number}",
        "TopicArn": "arn:x",
        "Message": json.dumps(ses(number)),
    }


def event_bridge(number: int) -> dict[str, Any]:
    return {"version": "0", "detail-type": "Email Bounced", "source": "aws.ses", "detail": ses(number)}


def flat(value: Any, joint: str, swap: str, path: str = "") -> dict[str, Any]:
    """Return an event with joined keys."""
    if not isinstance(value, dict):
        return {path.replace("-", swap): value}
    found: dict[str, Any] = {}
    for key, item in value.items():
        found |= flat(item, joint, swap, f"{path}{joint}{key}" if path else key)
    return found


def ses_flat(number: int) -> dict[str, Any]:
    bounced = ses(number)["bounce"]["bouncedRecipients"]
    return {
        "eventType": "Bounce",
        "timestamp": clock(number) + "Z",
        "messageId": f"mail-{number}",
        "destination": [person(number)],
        "bounceType": "Permanent",
        "bouncedRecipients": bounced,
        "complainedRecipients": [{"emailAddress": ""}],
        "recipients": [],
    }


def insights(number: int) -> dict[str, Any]:
    details = {
        "Bounce": {
            "BounceType": "PERMANENT",
            "BounceSubType": "General",
            "DiagnosticCode": "smtp; 550 5.1.1 no",
        }
    }
    events = [{"Timestamp": clock(number) + "+00:00", "Type": "BOUNCE", "Details": details}]
    return {
        "MessageId": f"mail-{number}",
        "FromEmailAddress": "news@example.net",
        "EmailTags": [],
        "Insights": [{"Destination": person(number), "Isp": "Gmail", "Events": events}],
    }


def report_mail(sign: str) -> Maker:
    def make(number: int) -> str:
        return (
            f"From MAILER-DAEMON Sun Sep 14 07:00:05 2025\n{sign}\nTo: news@example.net\n"
            "Subject: Delivery Status Notification (Failure)\nDate: Sun, 14 Sep 2025 07:00:05 +0000\n"
            "MIME-Version: 1.0\n"
            'Content-Type: multipart/report; report-type=delivery-status; boundary="xx"\n\n'
            "--xx\nContent-Type: text/plain\n\nIt could not be delivered.\n\n"
            "--xx\nContent-Type: message/delivery-status\n\n"
            f"Reporting-MTA: dns; mx.example.net\n\nAction: failed\nFinal-Recipient: rfc822; {person(number)}\n"
            "Diagnostic-Code: smtp; 550 5.1.1 no such mailbox\nStatus: 5.1.1\n\n--xx--\n\n"
        )

    return make


def csv_row(cells: Iterable[Any]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(cells)
    return text.getvalue()


def element(tag: str, content: Any) -> str:
    return f"<{tag}>{content}</{tag}>"


@dataclass(frozen=True)
class Case:
    """How a form is written.

    Attributes
    ----------
    provider, form : str
        As in the table of files.
    layout : str
        ``lines``, ``array``, ``page KEY`` (several, one after another), ``csv``, ``bare csv`` (no header), ``indexed``,
        ``log``, ``bodies``, ``xml TAG`` or ``mail``.
    make : callable
        Number -> record (of a CSV a mapping of titles to cells).
    name : str
        Of the file.
    """

    provider: str
    form: str
    layout: str
    make: Maker
    name: str = "export"

    @property
    def kind(self) -> str:
        return "csv" if "csv" in self.layout else "body" if self.layout == "bodies" else "json"

    @property
    def id(self) -> str:
        return f"{self.provider} {self.form} {self.layout}"

    def pieces(self, numbers: Iterable[int]) -> tuple[bytes, list[bytes], bytes, bytes]:
        """Return what stands before, the records, what stands between two of them and what stands after all."""
        kind, _, key = self.layout.partition(" ")
        records = [self.make(number) for number in numbers]
        before, between, after = b"", b"\n", b"\n"
        if kind == "bodies":
            pieces = [urllib.parse.urlencode(one, doseq=True) for one in records]
        elif kind == "mail":
            pieces, between, after = records, b"", b""
        elif kind == "xml":
            pieces = [
                element(key[:-1], "".join(element(tag, cell) for tag, cell in one.items())) for one in records
            ]
            before, after = f'<?xml version="1.0"?>\n<{key}>\n'.encode(), f"\n</{key}>\n".encode()
        elif "csv" in self.layout:
            pieces = [csv_row(one.values()) for one in records]
            before = csv_row(records[0]).encode() + b"\n" if kind == "csv" else b""
        else:
            pieces = [json.dumps(one) for one in records]
            if kind == "log":
                pieces = [f"2025-09-15T06:30:02.100Z {one}" for one in pieces]
            elif kind == "indexed":
                pieces = [f'"{place}": {one}' for place, one in enumerate(pieces)]
            if kind in {"array", "page", "indexed"}:
                before = {"array": "[\n", "indexed": "{\n"}.get(kind, f'{{"{key}": [\n').encode()
                between, after = b",\n", {"array": b"\n]\n", "indexed": b"\n}\n"}.get(kind, b"\n]}\n")
        return before, [one.encode() for one in pieces], between, after

    def content(self, numbers: Iterable[int]) -> bytes:
        before, records, between, after = self.pieces(numbers)
        return before + between.join(records) + after


def rows(**columns: Any) -> Maker:
    """Return a maker of table rows; a value is called with the number where it can be."""
    return lambda number: {title: one(number) if callable(one) else one for title, one in columns.items()}


def listed(**columns: Any) -> Maker:
    return rows(**columns)


_CREATED = {"created": lambda number: 1_718_093_400 + number, "email": person}
_REASON = {"reason": "550 5.1.1 no such user, sorry"}
_ADDED = {"address": person, "created_at": "Mon, 09 Mar 2026 10:01:40 UTC"}
_ACTIVITY = {
    "processed": lambda number: clock(number).replace("T", " ") + ".000",
    "message_id": lambda number: f"m{number}",
    "event": "bounce",
    "recv_message_id": "m",
    "email": person,
    "reason": "550 5.1.1 no such user, sorry",
    "mx": "mx.example.com",
    "attempt": "",
    "type": "bounce",
    "categories": "",
    "outbound_ip": "192.0.2.1",
}

CASES = (
    Case("sendgrid", "event webhook", "lines", sendgrid),
    Case("sendgrid", "event webhook", "array", sendgrid),
    Case("sendgrid", "event webhook", "indexed", sendgrid),
    Case(
        "sendgrid",
        "event webhook, wrapped",
        "lines",
        lambda number: {"id": number, "raw_event": sendgrid(number)},
    ),
    Case(
        "sendgrid",
        "event webhook, wrapped",
        "page Records",
        lambda number: {"body": json.dumps([sendgrid(number)])},
    ),
    Case(
        "sendgrid",
        "event webhook, as a table",
        "csv",
        rows(
            timestamp=lambda number: 1_718_093_400 + number,
            event="bounce",
            email=person,
            smtp_id="<x>",
            type_id="bounce",
            sg_event_id=lambda number: f"e{number}",
            status="5.1.1",
            reason="550 5.1.1 no such user, sorry",
        ),
    ),
    Case(
        "sendgrid",
        "event webhook, version 1",
        "bodies",
        rows(email=person, event="bounce", status="5.1.1", type="bounce"),
    ),
    Case("sendgrid", "email activity", "csv", rows(**_ACTIVITY)),
    Case(
        "sendgrid",
        "email activity, message",
        "lines",
        lambda number: {
            "msg_id": f"m{number}",
            "to_email": person(number),
            "status": "not_delivered",
            "events": [
                {
                    "event_name": "bounced",
                    "processed": clock(number) + "Z",
                    "bounce_type": "hard",
                    "reason": "550 no",
                }
            ],
        },
    ),
    Case(
        "sendgrid",
        "email activity, messages",
        "page messages",
        rows(
            msg_id=lambda number: f"m{number}",
            to_email=person,
            status="delivered",
            opens_count=0,
            clicks_count=0,
            last_event_time=lambda number: clock(number) + "Z",
        ),
    ),
    Case(
        "sendgrid",
        "email logs, message",
        "lines",
        lambda number: {
            "sg_message_id": f"m{number}",
            "to_email": person(number),
            "status": "bounced",
            "events": [sendgrid(number)],
        },
    ),
    Case(
        "sendgrid",
        "email logs, messages",
        "page messages",
        rows(
            sg_message_id=lambda number: f"m{number}",
            to_email=person,
            status="bounced",
            reason="550 5.1.1 no",
            sg_message_id_created_at=lambda number: clock(number) + "Z",
        ),
    ),
    *(
        Case("sendgrid", f"suppression list: {name}", layout, listed(**columns), file)
        for name, columns, file in (
            ("bounces", _CREATED | _REASON | {"status": "5.1.1"}, "suppression_bounces"),
            ("blocks", _CREATED | _REASON | {"status": "5.7.1"}, "suppression_blocks"),
            ("bounces or blocks", _CREATED | _REASON | {"status": "5.1.1"}, "export"),
            ("invalid emails", _CREATED | {"reason": "Mail domain, as given, is unknown"}, "export"),
            ("spam reports", _CREATED | {"ip": "192.0.2.1"}, "export"),
            ("unsubscribes", _CREATED, "export"),
            (
                "group unsubscribes",
                {
                    "email": person,
                    "group_id": 7,
                    "group_name": "News, weekly",
                    "created_at": lambda number: 1_718_093_400 + number,
                },
                "export",
            ),
        )
        for layout in ("array", "csv")
    ),
    Case("sendgrid", "suppression list: group unsubscribes", "array", person, "asm_group"),
    Case(
        "sendgrid",
        "suppression list: group unsubscribes",
        "csv",
        rows(email=person),
        "asm_groups_1_suppressions",
    ),
    Case("sendgrid", "suppression list: unsubscribes", "page recipient_emails", person),
    Case("sendgrid", "suppression list: unsubscribes", "lines", rows(recipient_email=person)),
    Case("sendgrid", "addresses to take off a list", "page emails", person),
    Case("sendgrid", "suppression list, XML", "xml bounces", rows(email=person, status="5.1.1", reason="no")),
    Case(
        "sendgrid",
        "forwarded bounces",
        "mail",
        report_mail("From: MAILER-DAEMON@example.net\nReturn-Path: <apps@sendgrid.net>"),
    ),
    Case("ses", "event publishing", "lines", ses),
    Case("ses", "event publishing", "array", ses),
    Case(
        "ses",
        "feedback notifications",
        "lines",
        lambda number: {
            "notificationType": "Bounce",
            **{key: value for key, value in ses(number).items() if key != "eventType"},
        },
    ),
    Case("ses", "SNS messages", "lines", sns),
    Case("ses", "EventBridge events", "lines", event_bridge),
    Case("ses", "EventBridge events", "log", event_bridge),
    Case(
        "ses",
        "SQS messages",
        "page Messages",
        lambda number: {"MessageId": f"{number}", "ReceiptHandle": "x", "Body": json.dumps(sns(number))},
    ),
    Case(
        "ses", "Lambda events", "page Records", lambda number: {"EventSource": "aws:sns", "Sns": sns(number)}
    ),
    Case(
        "ses",
        "CloudWatch log events",
        "page events",
        lambda number: {
            "logStreamName": "s",
            "timestamp": 1,
            "ingestionTime": 1,
            "message": json.dumps(event_bridge(number)),
        },
    ),
    Case(
        "ses",
        "CloudWatch log events",
        "page logEvents",
        lambda number: {
            "id": f"{number}",
            "timestamp": 1,
            "message": "INFO\tid\t" + json.dumps(event_bridge(number)),
        },
    ),
    Case(
        "ses",
        "CloudWatch Logs Insights table",
        "csv",
        lambda number: {
            "@timestamp": clock(number).replace("T", " "),
            "@message": json.dumps(event_bridge(number)),
        },
    ),
    Case(
        "ses",
        "CloudWatch Logs Insights results",
        "page results",
        lambda number: [
            {"field": "@timestamp", "value": clock(number)},
            {"field": "@message", "value": json.dumps(event_bridge(number))},
        ],
    ),
    Case(
        "ses",
        "Firehose processing failures",
        "lines",
        lambda number: {
            "attemptsMade": 4,
            "errorCode": "x",
            "rawData": base64.b64encode(json.dumps(ses(number)).encode()).decode(),
        },
    ),
    Case(
        "ses",
        "mail",
        "mail",
        report_mail("From: MAILER-DAEMON@eu-west-1.amazonses.com\nX-SES-Outgoing: 2025.09.14-192.0.2.61"),
    ),
    Case("ses", "message insights", "lines", insights),
    Case(
        "ses",
        "message insights export",
        "csv",
        lambda number: {
            "Message ID": f"m{number}",
            "Destination": person(number),
            "Subject": "News, weekly",
            "Last Delivery Event": "PERMANENT_BOUNCE",
            "Sent Date": clock(number) + "Z",
        },
    ),
    Case("ses", "events, flattened", "lines", ses_flat),
    Case(
        "ses",
        "bounce dashboard",
        "csv",
        lambda number: {
            "Date": clock(number) + "Z",
            "Type": "Bounce",
            "From": "News, weekly &lt;news@example.net&gt;",
            "Recipient": person(number),
            "Error": "Message has bounced",
            "ID": f"id{number}",
        },
    ),
    Case(
        "ses",
        "suppression list",
        "page SuppressedDestinationSummaries",
        rows(EmailAddress=person, Reason="BOUNCE", LastUpdateTime=lambda number: clock(number) + "+00:00"),
    ),
    Case(
        "ses",
        "suppression list",
        "array",
        rows(EmailAddress=person, Reason="COMPLAINT", LastUpdateTime=1_757_833_205.002),
    ),
    Case(
        "ses",
        "suppression look-up",
        "lines",
        lambda number: {
            "SuppressedDestination": {
                "EmailAddress": person(number),
                "Reason": "BOUNCE",
                "LastUpdateTime": 1_757_833_205,
            }
        },
    ),
    Case("ses", "suppression list to import", "lines", rows(emailAddress=person, reason="BOUNCE")),
    Case("ses", "suppression list to import", "bare csv", rows(emailAddress=person, reason="BOUNCE")),
    Case("ses", "addresses to take off the suppression list", "lines", rows(emailAddress=person)),
    Case(
        "ses",
        "addresses to take off the suppression list",
        "bare csv",
        rows(emailAddress=person),
        "suppression_delete",
    ),
    Case("ses", "contact list", "lines", rows(emailAddress=person, unsubscribeAll=True)),
    Case(
        "ses",
        "contact list",
        "csv",
        rows(emailAddress=person, unsubscribeAll="false", attributesData='{"a":"b"}'),
    ),
    Case("mailgun", "events", "lines", mailgun),
    Case("mailgun", "events", "page items", mailgun),
    Case("mailgun", "events, flattened", "lines", lambda number: flat(mailgun(number), "_", "_")),
    Case("mailgun", "events, flattened", "array", lambda number: flat(mailgun(number), ".", "-")),
    Case("mailgun", "events, wrapped", "lines", lambda number: {"raw_event": json.dumps(mailgun(number))}),
    Case("mailgun", "events, wrapped", "page Records", lambda number: {"body": json.dumps(mailgun(number))}),
    Case("mailgun", "events, wrapped", "page Messages", lambda number: {"data": mailgun(number)}),
    Case(
        "mailgun",
        "logs",
        "page items",
        lambda number: {
            **{key: value for key, value in mailgun(number).items() if key != "timestamp"},
            "@timestamp": clock(number) + "Z",
        },
    ),
    Case(
        "mailgun",
        "logs table",
        "csv",
        lambda number: {
            "Event": "failed",
            "Recipient": person(number),
            "Timestamp": clock(number) + "Z",
            "Severity": "permanent",
            "Delivery Status Message": "5.1.1 no such user, sorry",
            "delivery-status.code": 550,
        },
    ),
    Case(
        "mailgun",
        "webhook",
        "lines",
        lambda number: {"signature": {"token": "x"}, "event-data": mailgun(number)},
    ),
    Case(
        "mailgun",
        "webhook, legacy",
        "bodies",
        rows(
            event="bounced",
            recipient=person,
            code="550",
            error="550 5.1.1 no",
            timestamp="1473043210",
            token=lambda number: f"t{number}",
            signature="s",
            domain="example.net",
        ),
    ),
    Case(
        "mailgun",
        "webhook, legacy",
        "lines",
        rows(
            event="bounced",
            recipient=person,
            code="550",
            error="550 5.1.1 no",
            timestamp="1473043210",
            token=lambda number: f"t{number}",
            signature="s",
            domain="example.net",
        ),
    ),
    Case(
        "mailgun",
        "log, legacy",
        "page items",
        lambda number: {
            "hap": "delivered",
            "created_at": "Tue, 14 Aug 2012 10:00:01 GMT",
            "type": "info",
            "message_id": f"m{number}",
            "message": f"Delivered: news@example.net → {person(number)} 'News'",
        },
    ),
    *(
        Case("mailgun", f"suppression list: {name}", layout, listed(**columns), file)
        for name, columns, file in (
            (
                "bounces",
                {
                    "address": person,
                    "code": "550",
                    "error": "no such user, sorry",
                    "created_at": _ADDED["created_at"],
                },
                "export",
            ),
            ("bounces", _ADDED, "bounces"),
            ("unsubscribes", {"address": person, "tags": "*", "created_at": _ADDED["created_at"]}, "export"),
            ("unsubscribes", _ADDED, "unsubscribes"),
            ("complaints", _ADDED, "complaints"),
            ("complaints", _ADDED, "export"),
        )
        for layout in ("page items", "csv")
    ),
)

#: Forms whose records are all left out on purpose.
IGNORED = (
    Case("mailgun", "allowlist", "page items", rows(type="address", value=person, reason="", createdAt="x")),
    Case("mailgun", "allowlist", "csv", rows(address=person, domain="")),
)

"""A record of every format of SendGrid."""

from __future__ import annotations

import json
from typing import Any

from tests.loading.exports import sendgrid_bounce
from tests.loading.format_cases.case import Case, clock, person, report_mail, rows


def event(number: int, **other: Any) -> dict[str, Any]:
    return sendgrid_bounce(number, **other)


_CREATED = {"created": lambda number: 1_718_093_400 + number, "email": person}
_REASON = {"reason": "550 5.1.1 no such user, sorry"}
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
    Case("sendgrid", "event webhook", "lines", event),
    Case("sendgrid", "event webhook", "array", event),
    Case("sendgrid", "event webhook", "indexed", event),
    Case(
        "sendgrid",
        "event webhook, wrapped",
        "lines",
        lambda number: {"id": number, "raw_event": event(number)},
    ),
    Case(
        "sendgrid",
        "event webhook, wrapped",
        "page Records",
        lambda number: {"body": json.dumps([event(number)])},
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
            "events": [event(number)],
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
        Case("sendgrid", f"suppression list: {name}", layout, rows(**columns), file)
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
    *(
        Case("sendgrid", f"suppression list: {name}", layout, one, file)
        for name, file in (("unsubscribes", "optouts"), ("suppressions", "suppressed_contacts"))
        for layout, one in (("array", person), ("csv", rows(email=person)))
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
)

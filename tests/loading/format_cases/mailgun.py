"""A record of every format of Mailgun."""

from __future__ import annotations

import json
from typing import Any

from tests.loading.exports import mailgun_failed
from tests.loading.format_cases.case import Case, clock, person, rows


def event(number: int, **other: Any) -> dict[str, Any]:
    return mailgun_failed(number, recipient=person(number), **other)


def flat(value: Any, joint: str, swap: str, path: str = "") -> dict[str, Any]:
    """Return an event with joined keys."""
    if not isinstance(value, dict):
        return {path.replace("-", swap): value}
    found: dict[str, Any] = {}
    for key, item in value.items():
        found |= flat(item, joint, swap, f"{path}{joint}{key}" if path else key)
    return found


_ADDED = {"address": person, "created_at": "Mon, 09 Mar 2026 10:01:40 UTC"}

CASES = (
    Case("mailgun", "events", "lines", event),
    Case("mailgun", "events", "page items", event),
    Case("mailgun", "events, wrapped", "lines", lambda number: flat(event(number), "_", "_")),
    Case("mailgun", "events, wrapped", "array", lambda number: flat(event(number), ".", "-")),
    Case("mailgun", "events, wrapped", "lines", lambda number: {"raw_event": json.dumps(event(number))}),
    Case("mailgun", "events, wrapped", "page Records", lambda number: {"body": json.dumps(event(number))}),
    Case("mailgun", "events, wrapped", "page Messages", lambda number: {"data": event(number)}),
    Case(
        "mailgun",
        "logs",
        "page items",
        lambda number: {
            **{key: value for key, value in event(number).items() if key != "timestamp"},
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
        lambda number: {"signature": {"token": "x"}, "event-data": event(number)},
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
        Case("mailgun", f"suppression list: {name}", layout, rows(**columns), file)
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

#: Formats whose records are all left out on purpose.
IGNORED = (
    Case("mailgun", "allowlist", "page items", rows(type="address", value=person, reason="", createdAt="x")),
    Case("mailgun", "allowlist", "csv", rows(address=person, domain="")),
)

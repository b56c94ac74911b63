"""Small exports in the shape of each ESP, made anew for the tests."""

from __future__ import annotations

import json
from typing import Any


def sendgrid_bounce(number: int = 1, **other: Any) -> dict[str, Any]:
    event = {
        "email": f"reader{number}@example.com",
        "event": "bounce",
        "timestamp": 1_718_093_400 + number,
        "sg_event_id": f"event-{number}",
        "sg_message_id": f"message-{number}.recvd-1",
        "category": ["letters", "june"],
        "ip": "192.0.2.41",
        "type": "bounce",
        "bounce_classification": "Invalid Address",
        "status": "5.1.1",
        "reason": f"550 5.1.1 <reader{number}@example.com>: no mailbox by that name ",
    }
    return event | other


def ses_bounce(*recipients: str, number: int = 1, **other: Any) -> dict[str, Any]:
    bounced = [
        {
            "emailAddress": address,
            "action": "failed",
            "status": "5.1.1",
            "diagnosticCode": f"smtp; 550 5.1.1 <{address}>: unknown",
        }
        for address in recipients
    ]
    bounce = {
        "bounceType": "Permanent",
        "bounceSubType": "General",
        "bouncedRecipients": bounced,
        "timestamp": f"2025-09-14T07:00:{number % 60:02d}.214Z",
        "feedbackId": f"feedback-{number}",
        "reportingMTA": "dns; b1.smtp-out.eu-west-1.amazonses.com",
    }
    mail = {
        "timestamp": "2025-09-14T07:00:00.000Z",
        "messageId": f"mail-{number}",
        "destination": [*recipients, "bystander@example.com"],
        "tags": {"ses:outgoing-ip": ["192.0.2.61"], "campaign": ["apples"]},
    }
    return {"eventType": "Bounce", "bounce": bounce | other, "mail": mail}


def mailgun_failed(number: int = 1, status: dict[str, Any] | None = None, **other: Any) -> dict[str, Any]:
    event = {
        "event": "failed",
        "id": f"id{number:020d}",
        "timestamp": 1_773_043_200.25 + number,
        "log-level": "error",
        "severity": "permanent",
        "reason": "bounce",
        "recipient": f"reader{number}@example.net",
        "envelope": {"transport": "smtp", "sending-ip": "203.0.113.24"},
        "message": {"headers": {"message-id": f"{number}@mg.example.com"}},
        "delivery-status": {
            "attempt-no": 1,
            "code": 550,
            "enhanced-code": "5.1.1",
            "message": "5.1.1 No mailbox here.\n5.1.1 Look for typing errors.",
            "mx-host": "mx1.example.net",
        },
        "tags": ["digest"],
    }
    event["delivery-status"] |= status or {}
    return event | other


def lines(*records: Any, end: str = "\n") -> bytes:
    return "".join(json.dumps(record) + end for record in records).encode()


def array(*records: Any) -> bytes:
    return json.dumps(list(records), indent=1).encode()

"""Classified frames for tests: built from the schema, so that no test waits for loading and classifying."""

from __future__ import annotations

import random
from typing import Any

import pandas as pd

from bounceanalytics import schema

COLUMNS = schema.BOUNCE_COLUMNS

#: A usual code of some reasons, for looks.
CODES = {
    "unknown_user": "5.1.1",
    "bad_domain": "5.1.2",
    "mailbox_full": "4.2.2",
    "system_full": "5.3.1",
    "network": "4.4.1",
    "spam": "5.7.1",
    "blocked": "5.7.1",
    "rate_limited": "4.7.28",
}


def classified(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Return a classified frame: one row per dict; what a dict does not say follows from its reason."""
    full = [_complete(row, number) for number, row in enumerate(rows, start=1)]
    if not full:
        return COLUMNS.empty()
    frame = pd.DataFrame(full, columns=list(COLUMNS.names))
    frame["tags"] = schema.join_tags(frame["tags"]).to_pandas()
    frame["timestamp"] = pd.to_datetime(frame["timestamp"], utc=True)
    return frame.astype(COLUMNS.dtypes)


def _complete(row: dict[str, Any], number: int) -> dict[str, Any]:
    event = row.get("event", "bounced")
    reason = row.get("reason", "unknown_user" if event in schema.FAILURE_EVENTS else None)
    verdict: dict[str, Any] = {"bounce_type": "none", "conflict": False, "mailbox_provider": "other"}
    if reason is not None:
        known = schema.REASONS[reason]
        transient = row.get("code_class") == "transient" or event == "deferred"
        verdict |= {
            "code_class": "transient" if transient or known.bounce_type == "soft" else "permanent",
            "bounce_type": (transient and known.transient_type) or known.bounce_type,
            "category": known.category,
            "reason": reason,
            "fault": known.fault,
            "action": (transient and known.transient_action) or known.action,
            "rule": f"test-{reason}",
            "evidence": "text",
            "enhanced_code": CODES.get(reason),
        }
    recipient = row.get("recipient")
    base = {
        "provider": "sendgrid",
        "event": event,
        "domain": recipient.rpartition("@")[2] if recipient else None,
        "message_id": f"message-{number}",
        "event_id": f"event-{number}",
        "source": "export.json",
        "record": number,
        "timestamp": "2026-03-02T10:00:00Z",
        "tags": None,
        "suspect": False,
    }
    return base | verdict | row


#: Domains of :func:`newsletter`: (domain, mailbox provider, addresses, what its bounces say).
STORY = (
    ("gmail.com", "google", 400, {"unknown_user": 0.015, "mailbox_full": 0.01, "rate_limited": 0.01}),
    ("outlook.com", "microsoft", 260, {"unknown_user": 0.02, "blocked": 0.06}),
    ("yahoo.com", "yahoo", 220, {"mailbox_disabled": 0.035, "spam": 0.03}),
    ("example.org", "other", 90, {"unknown_user": 0.12}),
    ("mail.example.net", "other", 70, {"unknown_user": 0.01}),
    ("full.example", "other", 25, {}),
    ("old-company.example", "other", 30, {"unknown_user": 0.3, "network": 0.2}),
    ("a-very-long-subdomain.of-a-department.of-a-university.example", "other", 40, {"greylisted": 0.1}),
    ("typo.example", "other", 12, {"bad_domain": 1.0}),
)

#: First and last week (from 0) in which a domain of the story has no room for anybody.
FULL = {"mail.example.net": (3, 99), "full.example": (2, 6), STORY[7][0]: (5, 5)}


def newsletter(weeks: int = 10, seed: int = 531) -> pd.DataFrame:
    """Return ten weeks of a newsletter: deliveries, deferrals, bounces, drops, a list entry and an opening."""
    dice = random.Random(seed)  # noqa: S311 - a story, not a secret
    rows: list[dict[str, Any]] = []
    monday = pd.Timestamp("2026-01-05T09:00:00Z")
    for week in range(weeks):
        sent = monday + pd.Timedelta(weeks=week)
        for domain, provider, addresses, odds in STORY:
            for number in range(addresses):
                rows += _message(dice, week, sent, f"zq-reader-{number}@{domain}", provider, odds)
    rows.append(
        {
            "event": "suppressed",
            "recipient": "zq-listed@example.org",
            "reason": "suppressed",
            "message_id": None,
            "event_id": None,
        }
    )
    rows.append(
        {"event": "opened", "recipient": "zq-reader-1@gmail.com", "timestamp": "2026-01-06T09:00:00Z"}
    )
    return classified(rows)


def _message(
    dice: random.Random, week: int, sent: pd.Timestamp, recipient: str, provider: str, odds: dict[str, float]
) -> list[dict[str, Any]]:
    base = {
        "recipient": recipient,
        "mailbox_provider": provider,
        "message_id": f"zq-message-{week}-{recipient.partition('@')[2]}",
        "timestamp": sent + pd.Timedelta(minutes=dice.randrange(3000)),
    }
    first, last = FULL.get(recipient.partition("@")[2], (0, -1))
    if first <= week <= last:
        odds = {"system_full": 1.0}
    for reason, share in odds.items():
        if dice.random() < share:
            text = f"550 {CODES.get(reason, '4.7.1')} <{recipient}> is not here <script>alert(1)</script>"
            return [base | {"event": "bounced", "reason": reason, "diagnostic": text}]
    if dice.random() < 0.03:
        return [base | {"event": "dropped", "reason": "suppressed"}]
    delivered = base | {"event": "delivered", "timestamp": base["timestamp"] + pd.Timedelta(hours=1)}
    if dice.random() < 0.05:
        return [base | {"event": "deferred", "reason": "greylisted"}, delivered]
    return [delivered]

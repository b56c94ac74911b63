"""Make exports of a realistic size and variety for the benchmarks; the same seed gives the same bytes."""

from __future__ import annotations

import argparse
import json
import random
from pathlib import Path
from typing import Any

# (event, type, class, status, text); {a} address, {q} queue id, {h} host, {n} number. Half of the failures get a text
# whose blanks are filled anew each time, half one of a few hundred that come again and again.
TEMPLATES: tuple[tuple[str, str, str, str, str], ...] = (
    (
        "bounce",
        "bounce",
        "Invalid Address",
        "5.1.1",
        "550 5.1.1 <{a}>: Recipient address rejected: User unknown in virtual mailbox table {q}",
    ),
    (
        "bounce",
        "bounce",
        "Invalid Address",
        "5.1.1",
        "550-5.1.1 The email account that you tried to reach does not exist. {q} - gsmtp",
    ),
    (
        "bounce",
        "bounce",
        "Invalid Address",
        "5.1.10",
        "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient {a} not found by SMTP address lookup",
    ),
    (
        "bounce",
        "bounce",
        "Invalid Address",
        "5.4.1",
        "550 5.4.1 Recipient address rejected: Access denied. [{h}.prod.protection.outlook.com {q}]",
    ),
    (
        "bounce",
        "bounce",
        "Invalid Address",
        "",
        "unable to get mx info: failed to get IPs from PTR record: lookup {h}: no such host",
    ),
    (
        "bounce",
        "blocked",
        "Mailbox Unavailable",
        "5.2.2",
        "552 5.2.2 <{a}>: mailbox is full, {n} of {n} bytes used ({q})",
    ),
    ("bounce", "bounce", "Technical", "5.3.1", "550 5.3.1 Mail system full, {h} cannot store message {q}"),
    (
        "bounce",
        "blocked",
        "Reputation",
        "5.7.1",
        "550 5.7.1 Unfortunately, messages from [192.0.2.41] weren't sent. Please contact your provider, part of their network is on our block list (S3150). [{h} {q}]",
    ),
    ("bounce", "blocked", "Content", "5.7.1", "554 5.7.1 Message {q} looks like spam and was refused by {h}"),
    ("bounce", "blocked", "Unclassified", "5.0.0", "550 Requested action not taken, ticket {q}"),
    ("deferred", "", "", "", "451 4.7.1 Greylisted, come back in {n} seconds ({q})"),
    (
        "deferred",
        "",
        "",
        "",
        "421 4.7.0 [TSS04] Messages from 192.0.2.41 temporarily deferred due to user complaints {q}",
    ),
    ("deferred", "", "", "", "452 4.2.2 The account {a} is over quota {q}"),
    ("deferred", "", "", "", "421 4.4.1 connection to {h} timed out after {n} seconds"),
)


def sendgrid_events(count: int, *, seed: int = 20261124, failures: float = 0.35) -> Any:
    """Yield SendGrid Event Webhook objects; a share of ``failures`` has a diagnostic, half of those texts are unique."""
    rng = random.Random(seed)
    domains = [f"d{number}.example" for number in range(3000)] + [
        "example.com",
        "example.net",
        "example.org",
    ] * 300
    pool = [
        (row, _fill(row[4], rng, f"reader{number}@{rng.choice(domains)}"))
        for number, row in enumerate(rng.choices(TEMPLATES, k=600))
    ]
    when = 1_790_000_000
    for number in range(count):
        when += rng.randrange(3)
        address = f"reader{rng.randrange(400_000)}@{domains[rng.randrange(len(domains))]}"
        event: dict[str, Any] = {
            "email": address,
            "timestamp": when,
            "sg_event_id": f"{rng.getrandbits(120):030x}",
            "sg_message_id": f"{rng.getrandbits(88):022x}.recvd-5f7c9d84bb-q4zt9-1-{when:08X}-1F.{number % 50}",
            "smtp-id": f"<{number}@geopod-ismtpd-{number % 9}>",
            "ip": f"192.0.2.{rng.randrange(1, 255)}",
            "category": ["letters", f"week-{number % 52}"],
        }
        if rng.random() < failures:
            if rng.random() < 0.5:
                row = TEMPLATES[rng.randrange(len(TEMPLATES))]
                text = _fill(row[4], rng, address)
            else:
                row, text = pool[rng.randrange(len(pool))]
            kind, type_, class_, status, _ = row
            event["event"] = kind
            if kind == "bounce":
                event |= {"reason": text, "type": type_, "bounce_classification": class_, "tls": 1}
                if status:
                    event["status"] = status
            else:
                event |= {"response": text, "attempt": str(rng.randrange(6))}
        else:
            event["event"] = rng.choices(("processed", "delivered", "open", "click"), (30, 50, 15, 5))[0]
            if event["event"] in {"open", "click"}:
                event["useragent"] = "Mozilla/5.0 (X11; Linux x86_64)"
        yield event


def _fill(template: str, rng: random.Random, address: str) -> str:
    return template.format(
        a=address,
        q=f"{rng.getrandbits(64):016x}",
        h=f"mx{rng.randrange(90)}.example.net",
        n=rng.randrange(300, 90_000),
    )


def write(path: Path, count: int) -> None:
    """Write ``count`` SendGrid events as lines, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    with part.open("w", encoding="utf-8") as lines:
        for event in sendgrid_events(count):
            lines.write(json.dumps(event, separators=(",", ":")) + "\n")
    part.replace(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path)
    parser.add_argument("--count", type=int, default=1_000_000)
    arguments = parser.parse_args()
    write(arguments.path, arguments.count)


if __name__ == "__main__":
    main()

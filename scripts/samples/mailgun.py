"""The share of the story that Mailgun tells: Events API, event lines, webhooks and suppressions."""

from __future__ import annotations

import csv
import io
import json
import re
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

from samples.chance import Chance, digest, token
from samples.files import Entry, Row, Sample, compact, insert, lines, rejected
from samples.sendgrid import AGENTS
from samples.story import COPIED, FIRST_ISSUE, SENDER, Event, Listed, reader_ip
from samples.tables import labels

if TYPE_CHECKING:
    from collections.abc import Sequence

DOMAIN = "mg.slackwater.example"
PAGE = 300
SUPPRESSED = {
    "bounce": (605, "suppress-bounce", "Not delivering to previously bounced address"),
    "unsubscribe": (606, "suppress-unsubscribe", "Not delivering to unsubscribed address"),
    "complaint": (607, "suppress-complaint", "Not delivering to a user who marked your messages as spam"),
}
WAITS = (600, 900, 1800, 3600, 7200)
BRANDS = {
    "google": "Gmail",
    "microsoft": "Outlook 365",
    "microsoft365": "Outlook 365",
    "yahoo": "Yahoo",
    "apple": "Apple",
    "french": "Free FR",
}


def split_reply(reply: str) -> tuple[int, str]:
    """Return the code and the text without it; the enhanced code stays on every line, as Mailgun shows it."""
    return int(reply[:3]), "\n".join(line[4:] for line in reply.split("\n"))


def _outcome(event: Event) -> dict[str, Any]:
    """Return code, text, description and so on of ``delivery-status``."""
    domain = event.recipients[0].rpartition("@")[2]
    if event.kind == "dropped":
        code, _, words = SUPPRESSED[event.cause]
        return {"attempt-no": 1, "code": code, "message": "", "description": words, "session-seconds": 0.0}
    if event.cause == "no_mx":
        words = f"No MX for {domain}"
        return {
            "attempt-no": 1,
            "code": 498,
            "message": words,
            "description": words,
            "session-seconds": 0.0,
            "bounce-type": "hard",
        }
    silent = {
        "timeout": (421, "4.4.1 Connection timed out"),
        "dns_failure": (421, f"4.4.3 Temporary DNS failure looking up {domain}"),
    }
    code, text = silent.get(event.cause) or split_reply(event.reply)
    if event.final == "expired":
        return {
            "attempt-no": 8, "code": 602, "message": "Too old", "description": "", "session-seconds": 0.0,
            "last-code": code, "last-message": text, "bounce-type": "soft",
        }  # fmt: skip
    enhanced = re.match(r"[245]\.\d{1,3}\.\d{1,3}(?= )", text)
    fields = {
        "attempt-no": event.attempt,
        "code": code,
        "message": text,
        "description": None if event.kind == "bounced" else "",
        "session-seconds": round(Chance("session", event.key).between(0.1, 3), 3),
        "enhanced-code": enhanced[0] if enhanced else None,
    }
    if event.cause not in silent:
        fields |= {
            "mx-host": event.domain.mx,
            "tls": True,
            "utf8": True,
            "certificate-verified": event.domain.style != "qmail",
        }
    if event.kind == "deferred":
        fields["retry-seconds"] = WAITS[min(event.attempt, len(WAITS)) - 1]
    if event.kind == "bounced":
        fields["bounce-type"] = labels()[event.cause].mailgun_type
    if event.final == "late":
        del fields["session-seconds"]
        fields |= {"description": "returned by a delivery report", "bounce-code": fields["enhanced-code"]}
    return fields


def _reason(event: Event) -> str:
    if event.kind == "dropped":
        return SUPPRESSED[event.cause][1]
    if event.final == "expired":
        return "old"
    reason = labels()[event.cause].mailgun_reason
    return "generic" if reason == "no mx" or (event.kind == "deferred" and reason == "bounce") else reason


def record(event: Event) -> dict[str, Any]:
    """Return one event as the Events API gives it."""
    failed = event.kind in {"deferred", "bounced", "dropped"}
    message = f"{event.sent // 1000}.{digest('mailgun message', event.message, length=16)}@{DOMAIN}"
    address = event.recipients[0]
    fields: dict[str, Any] = {
        "event": "failed" if failed else event.kind,
        "id": token("mailgun", event.key),
        "timestamp": event.time / 1000,
        "log-level": "warn" if event.kind in {"deferred", "complained"} else "error" if failed else "info",
        "recipient": address,
        "recipient-domain": address.rpartition("@")[2],
        "tags": ["slack-water", f"issue-{FIRST_ISSUE + event.week - 1}"],
        "campaigns": [],
        "user-variables": {},
    }
    if failed:
        fields |= {
            "severity": "temporary" if event.kind == "deferred" else "permanent",
            "reason": _reason(event),
        }
    if failed or event.kind == "delivered":
        fields |= {
            "recipient-provider": BRANDS.get(event.domain.style, "Other"),
            "envelope": {"sender": SENDER, "targets": address, "transport": "smtp"},
            "message": {
                "headers": {
                    "message-id": message,
                    "from": f"Slack Water <{SENDER}>",
                    "to": address,
                    "subject": f"Slack Water {FIRST_ISSUE + event.week - 1}",
                },
                "attachments": [],
                "size": 41_000 + 37 * event.week,
            },
            "flags": {
                "is-authenticated": True,
                "is-test-mode": False,
                "is-delayed-bounce": event.final == "late",
            },
            "delivery-status": _outcome(event),
        }
        if event.kind != "dropped":
            fields["envelope"]["sending-ip"] = event.sending_ip
    else:
        fields["message"] = {"headers": {"message-id": message}}
    if event.kind in {"opened", "clicked", "unsubscribed"}:
        chance = Chance("reader", event.key)
        fields |= {
            "ip": reader_ip(chance),
            "client-info": {
                "client-type": "browser",
                "device-type": "desktop",
                "user-agent": chance.pick(AGENTS),
                "bot": "apple" if event.detail == "machine" else "",
            },
            "geolocation": {"country": "Unknown", "region": "Unknown", "city": "Unknown"},
        }
    if event.kind == "clicked":
        fields["url"] = event.detail
    return fields


def _entry(event: Event) -> Entry:
    fields = record(event)
    return Entry(fields, (Row(event.kind, fields["recipient"], fields["id"]),))


def _webhook(entry: Entry, post: int) -> Entry:
    """Return the event as a webhook posts it; empty objects come as lists."""
    event = {
        **entry.record,
        "user-variables": [],
        "account": {"id": digest("account", length=24)},
        "domain": {"name": DOMAIN},
    }
    signature = {
        "token": digest("token", event["id"], post, length=50),
        "timestamp": str(int(event["timestamp"]) + 2 + 600 * post),
        "signature": digest("signature", event["id"], post, length=64),
    }
    return Entry({"signature": signature, "event-data": event}, entry.rows)


def _webhooks(events: Sequence[Event]) -> list[Entry]:
    """Return posts; some were not answered in time and came again."""
    chance, posts = Chance("mailgun posts again"), []
    for event in events:
        copies = 2 if chance.happens(0.015) else 1
        posts += [_webhook(_entry(event), post) for post in range(copies)]
    return posts


def _date(time: int) -> str:
    return formatdate(time // 1000, usegmt=True).replace("GMT", "UTC")


def _page(items: Sequence[Any], name: str) -> bytes:
    base = f"https://api.eu.mailgun.example/v3/{DOMAIN}/{name}"
    paging = {key: f"{base}?page={key}" for key in ("first", "next", "previous", "last")}
    return (
        '{"items": [\n' + ",\n".join(map(compact, items)) + '\n], "paging": ' + json.dumps(paging) + "}\n"
    ).encode()


def _bounces(found: Sequence[Listed]) -> Sample:
    text, entries = io.StringIO(), []
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("created_at", "code", "error", "MessageHash", "address"))
    for item in sorted(found, key=lambda x: x.address):
        code, error = (
            split_reply(item.reply) if item.reply else (498, f"No MX for {item.address.rpartition('@')[2]}")
        )
        row = [_date(item.time), code, error, digest("hash", item.address, length=10), item.address]
        writer.writerow(row)
        entries.append(Entry(row, (Row("suppressed", item.address, ""),)))
    return Sample(
        "mailgun/bounces.csv",
        "bounce list, CSV of the control panel",
        text.getvalue().encode(),
        tuple(entries),
    )


def _list_page(name: str, form: str, found: Sequence[Listed]) -> Sample:
    tags = {"tags": ["*"]} if name == "unsubscribes" else {}
    items = [
        {"address": x.address, **tags, "created_at": _date(x.time)}
        for x in sorted(found, key=lambda x: x.address)
    ]
    entries = tuple(Entry(item, (Row("suppressed", str(item["address"]), ""),)) for item in items)
    return Sample(f"mailgun/{name}.json", form, _page(items, name), entries)


def samples(events: Sequence[Event], lists: Sequence[Listed]) -> list[Sample]:
    """Return the files of this ESP."""
    told = [e for e in events if e.provider == "mailgun"]
    first = [_entry(e) for e in told if e.week == 1]
    pages = [first[start : start + PAGE] for start in range(0, len(first), PAGE)]
    kept = [_entry(e) for e in told if e.week in range(2, 7)]

    autumn = _webhooks([e for e in told if e.week in range(7, 10)])
    autumn += [_webhook(_entry(e), post) for e in told if e.detail == COPIED for post in range(1, 8)]
    cut = compact(autumn[300].record)
    autumn = insert(
        autumn,
        (0.25, rejected(cut[:333])),
        (
            0.5,
            rejected(
                compact(
                    {
                        "signature": {"token": "", "timestamp": "0", "signature": ""},
                        "event-data": "unavailable",
                    }
                )
            ),
        ),
    )
    latest = _webhooks([e for e in told if e.week == 10])
    by_name = {name: [x for x in lists if x.provider == "mailgun" and x.name == name] for name in SUPPRESSED}
    return [
        *(
            Sample(
                f"mailgun/events_week_01_page_{number}.json", "Events API, one page",
                _page([entry.record for entry in page], "events"), tuple(page),
            )
            for number, page in enumerate(pages, 1)
        ),
        Sample("mailgun/events_weeks_02-06.ndjson.gz", "Events API, one event a line, gzip", lines(kept), tuple(kept)),
        Sample(
            "mailgun/webhooks_weeks_07-09.ndjson.gz", "webhook posts, one a line, gzip", lines(autumn), tuple(autumn)
        ),
        Sample("mailgun/webhooks_week_10.ndjson", "webhook posts, one a line", lines(latest), tuple(latest)),
        _bounces(by_name["bounce"]),
        _list_page("complaints", "complaint list, one page of the API", by_name["complaint"]),
        _list_page("unsubscribes", "unsubscribe list, one page of the API", by_name["unsubscribe"]),
    ]  # fmt: skip

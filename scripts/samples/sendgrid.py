"""The share of the story that SendGrid tells: Event Webhook bodies and suppression lists."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

from samples.chance import Chance, digest, token
from samples.files import Entry, Row, Sample, compact, ignored, insert, lines, rejected
from samples.story import COPIED, FIRST_ISSUE, Event, Listed, reader_ip
from samples.tables import labels

if TYPE_CHECKING:
    from collections.abc import Sequence

WORDS = {
    "delivered": "delivered",
    "deferred": "deferred",
    "bounced": "bounce",
    "dropped": "dropped",
    "complained": "spamreport",
    "unsubscribed": "unsubscribe",
    "opened": "open",
    "clicked": "click",
}
DROP_REASONS = {
    "bounce": "Bounced Address",
    "invalid": "Invalid",
    "complaint": "Spam Reporting Address",
    "unsubscribe": "Unsubscribed Address",
}
AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
    "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0",
)


def wire_text(cause: str, address: str, reply: str) -> str:
    """Return the reply as SendGrid shows it, in one line; its own words where no server answered."""
    domain = address.rpartition("@")[2]
    own = {
        "no_mx": f"unable to resolve MX record for {domain}: nxdomain",
        "timeout": "error dialing remote address: dial tcp 203.0.113.201:25: i/o timeout. Connection timed out",
        "dns_failure": f"unable to resolve MX record for {domain}: servfail",
    }
    if cause in own:
        return own[cause]
    first, *more = reply.split("\n")
    tails = [line[4:].split(" ", 1)[-1] if line[4:5].isdigit() else line[4:] for line in more]
    return "  ".join([first.replace("-", " ", 1) if more else first, *tails]) + " "


def status(text: str) -> str:
    """Return the status that SendGrid puts beside a reply: the enhanced code, or one made up from its class."""
    words = text.split(" ", 2)
    if not words[0].isdigit():
        return ""
    return words[1] if len(words) > 1 and words[1].count(".") == 2 else f"{words[0][0]}.0.0"


def record(event: Event) -> dict[str, Any]:
    """Return one event of the webhook."""
    request = token("sendgrid request", event.message)
    machine = digest("machine", event.message, length=5)
    issue = f"issue-{FIRST_ISSUE + event.week - 1}"
    fields: dict[str, Any] = {
        "category": ["slack-water", issue]
        if event.week % 3
        else "slack-water",  # comes back as it was sent: list or text
        "email": event.recipients[0],
        "event": WORDS[event.kind],
        "sg_event_id": token("sendgrid", event.key),
        "sg_message_id": f"{request}.recvd-6d9f7b5c84-{machine}-1-{event.sent // 1000:X}-2A.0",
        "smtp-id": f"<{request}@geopod-ismtpd-{1 + event.week % 4}>",
        "timestamp": event.time // 1000,
    }
    text = (
        wire_text(event.cause, event.recipients[0], event.reply)
        if event.kind in {"delivered", "deferred", "bounced"}
        else ""
    )
    reached = event.cause not in {"no_mx", "dns_failure", "timeout"}
    if event.kind == "delivered":
        fields |= {"ip": event.sending_ip, "response": text, "tls": 1}
    elif event.kind == "deferred":
        fields |= {"attempt": str(event.attempt - 1), "response": text, "tls": int(reached)}
        fields |= {"ip": event.sending_ip} if reached else {}
    elif event.kind == "bounced":
        label = labels()[event.cause]
        fields |= {
            "bounce_classification": label.sendgrid_class,
            "reason": text,
            "type": label.sendgrid_type,
            "tls": int(reached),
        }
        fields |= {"ip": event.sending_ip} if reached else {}
        fields |= {"status": status(text)} if status(text) else {}
        if event.final == "late":  # a report by mail cannot be joined to the message
            for name in ("ip", "tls", "category", "smtp-id"):
                fields.pop(name, None)
            fields["sg_message_id"] = ""
    elif event.kind == "dropped":
        fields["reason"] = DROP_REASONS[event.cause]
    else:
        del fields["smtp-id"]
        if event.kind != "complained":
            chance = Chance("reader", event.key)
            fields |= {"ip": reader_ip(chance), "useragent": chance.pick(AGENTS)}
        if event.kind == "opened":
            fields |= {"sg_content_type": "html", "sg_machine_open": event.detail == "machine"}
        if event.kind == "clicked":
            fields |= {"url": event.detail, "url_offset": {"index": 0, "type": "html"}}
    return dict(sorted(fields.items()))


def _entry(event: Event) -> Entry:
    fields = record(event)
    return Entry(fields, (Row(event.kind, fields["email"], fields["sg_event_id"]),))


def _retried(entries: Sequence[Entry], share: float, name: str) -> list[Entry]:
    """Repeat some entries a little later, as a webhook does whose post was not answered in time."""
    chance, result = Chance("retried", name), list(entries)
    for place in range(len(result) - 1, 0, -1):
        if chance.happens(share):
            result.insert(min(len(result), place + chance.whole(1, 12)), result[place])
    return result


def _csv(header: Sequence[str], rows: Sequence[Sequence[object]], end: str) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator=end)
    writer.writerows([header, *rows])
    return text.getvalue().encode()


def _list_csv(
    name: str, form: str, found: Sequence[Listed], columns: Sequence[str], end: str = "\n"
) -> Sample:
    rows = []
    for item in found:
        reason = wire_text(item.cause, item.address, item.reply)
        cells = {
            "status": status(reason) if reason else "",
            "reason": reason,
            "email": item.address,
            "created": item.time // 1000,
            "ip": item.sending_ip or "198.51.100.24",
        }
        rows.append([cells[column] for column in columns])
    entries = tuple(
        Entry(row, (Row("suppressed", item.address, ""),)) for row, item in zip(rows, found, strict=True)
    )
    return Sample(f"sendgrid/suppression_{name}.csv", form, _csv(columns, rows, end), entries)


def samples(events: Sequence[Event], lists: Sequence[Listed]) -> list[Sample]:
    """Return the files of this ESP."""
    told = [e for e in events if e.provider == "sendgrid"]
    weeks = {
        span: [_entry(e) for e in told if e.week in span] for span in (range(1, 4), range(4, 8), range(8, 11))
    }

    array = _retried(weeks[range(1, 4)], 0.012, "array")
    body = "[" + ",\n".join(compact(entry.record) for entry in array) + "]\n"

    middle = _retried(weeks[range(4, 8)], 0.012, "lines")
    middle += [_entry(e) for e in told if e.detail == COPIED for _ in range(7)]
    whole = compact(middle[700].record)
    account = {
        "event": "account_status_change",
        "sg_event_id": token("account"),
        "timestamp": told[0].time // 1000,
        "type": "reactivate",
    }
    broken = insert(
        middle,
        (0.2, rejected(whole[: len(whole) // 2])),  # the disk was full for a moment
        (0.5, rejected("-- log rotated --")),
        (0.8, rejected("503")),
        (0.6, ignored(account)),
    )

    # the last post of the week before was stored in both files
    last = weeks[range(4, 8)][-30:] + weeks[range(8, 11)]
    posts = [last[start : start + 90] for start in range(0, len(last), 90)]
    appended = (
        "\n".join("[" + ",\r\n".join(compact(entry.record) for entry in post) + "]" for post in posts) + "\n"
    )

    by_name = {
        name: [x for x in lists if x.provider == "sendgrid" and x.name == name]
        for name in ("bounce", "block", "invalid", "complaint", "unsubscribe")
    }
    invalid = tuple(
        Entry(
            {
                "created": x.time // 1000,
                "email": x.address,
                "reason": "Mail domain mentioned in email address is unknown",
            },
            (Row("suppressed", x.address, ""),),
        )
        for x in by_name["invalid"]
    )
    listed = ("status", "reason", "email", "created")
    return [
        Sample("sendgrid/events_weeks_01-03.json", "Event Webhook, one JSON array", body.encode(), tuple(array)),
        Sample(
            "sendgrid/events_weeks_04-07.ndjson.gz", "Event Webhook, one event a line, gzip",
            lines(broken), tuple(broken),
        ),
        Sample(
            "sendgrid/events_weeks_08-10.json", "Event Webhook, posts appended to one file (array after array)",
            appended.encode(), tuple(last),
        ),
        _list_csv("bounces", "Bounces list, CSV of the web app", by_name["bounce"], listed),
        _list_csv("blocks", "Blocks list, CSV of the web app (CRLF)", by_name["block"], listed, "\r\n"),
        Sample(
            "sendgrid/suppression_invalid_emails.json", "Invalid emails, answer of the v3 API",
            ("[" + ",\n ".join(compact(entry.record) for entry in invalid) + "]\n").encode(), invalid,
        ),
        _list_csv("spam_reports", "Spam reports, CSV of the web app", by_name["complaint"], ("ip", "email", "created")),
        _list_csv("unsubscribes", "Global unsubscribes, CSV of the web app", by_name["unsubscribe"], listed[2:]),
    ]  # fmt: skip

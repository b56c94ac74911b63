"""The share of the story that Amazon SES tells: event publishing, EventBridge, SNS and the suppression list."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from samples.chance import Chance, digest, uuid
from samples.files import Entry, Row, Sample, compact, ignored, insert, lines, rejected, text_of
from samples.sendgrid import AGENTS
from samples.story import FIRST_ISSUE, HOUR, SENDER, Event, Listed, reader_ip
from samples.tables import labels

if TYPE_CHECKING:
    from collections.abc import Sequence

ACCOUNT = "111122223333"
REGION = "eu-north-1"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:slack-water-feedback"
DETAIL_TYPES = {
    "Delivery": "Email Delivered",
    "Bounce": "Email Bounced",
    "Complaint": "Email Complaint Received",
    "Open": "Email Opened",
    "Click": "Email Clicked",
    "DeliveryDelay": "Email Delivery Delayed",
    "Subscription": "Email Subscribed",
    "Reject": "Email Rejected",
}
NOT_SENT = (
    "Amazon SES did not send the message to this address because it is on the suppression list for your account. "
    "Remove it from the list if it should get mail again."
)


def iso(time: int) -> str:
    return (
        dt.datetime.fromtimestamp(time / 1000, dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{time % 1000:03d}Z"
    )


def ses_id(time: int, *name: object) -> str:
    return f"0110{time:012x}-{uuid(*name)}-000000"


def message_id(event: Event) -> str:
    return ses_id(event.sent, "ses message", event.message)


def mail(event: Event, *, published: bool) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "timestamp": iso(event.sent),
        "source": f"Slack Water <{SENDER}>",
        "sourceArn": f"arn:aws:ses:{REGION}:{ACCOUNT}:identity/slackwater.example",
        "sendingAccountId": ACCOUNT,
        "messageId": message_id(event),
        "destination": list(event.destination),
    }
    if published:
        fields["tags"] = {
            "ses:configuration-set": ["slack-water-weekly"],
            "ses:from-domain": ["slackwater.example"],
            "ses:source-ip": ["198.51.100.7"],
            "ses:caller-identity": ["letter-mailer"],
            "campaign": [f"issue-{FIRST_ISSUE + event.week - 1}"],
        }
        if event.kind == "delivered" or (event.kind == "bounced" and event.reply):
            fields["tags"]["ses:outgoing-ip"] = [event.sending_ip]
        return fields
    return fields | {"sourceIp": "198.51.100.7", "callerIdentity": "letter-mailer"}


def _mta(event: Event) -> str:
    return f"b{Chance('mta', event.message).whole(11, 240)}-{event.week}.smtp-out.{REGION}.amazonses.com"


def _mx(event: Event) -> str:
    return f"203.0.113.{Chance('mx', event.domain.name).whole(1, 254)}"


def diagnostic(event: Event) -> tuple[str, str]:
    """Return status and diagnosticCode; SES speaks itself where no server was reached or where it gave up."""
    last = {
        "timeout": "421 4.4.1 Failed to establish connection",
        "dns_failure": "421 4.4.0 Unable to lookup DNS for " + event.domain.name,
    }
    if event.cause == "no_mx":
        return "5.4.4", "smtp; 550 5.4.4 Invalid domain"
    reply = last.get(event.cause, event.reply)
    if event.final == "expired":
        return "4.4.7", f"smtp; 550 4.4.7 Message expired: unable to deliver in 840 minutes.<{reply}>"
    code, _, rest = reply.partition(" ")
    status = rest.split(" ", 1)[0]
    if "-" in code:  # a multi-line reply
        status = code.partition("-")[2]
    return (status if status.count(".") == 2 else f"{reply[0]}.0.0"), "smtp; " + reply


def _bounce(event: Event) -> dict[str, Any]:
    bounce: dict[str, Any] = {
        "feedbackId": ses_id(event.time, "ses feedback", event.key),
        "bounceType": "Transient",
        "bounceSubType": "General",
        "bouncedRecipients": [{"emailAddress": address} for address in event.recipients],
        "timestamp": iso(event.time),
    }
    if event.kind == "autoreply":  # an out-of-office answer: no code, no report
        return bounce
    if event.kind == "dropped":
        kind = (
            "Permanent",
            "UnsubscribedRecipient" if event.cause == "unsubscribe" else "OnAccountSuppressionList",
        )
        status, text, bounce["reportingMTA"] = "5.1.1", NOT_SENT, "dns; amazonses.com"
        if event.cause == "unsubscribe":
            text = "Amazon SES did not send the message to this address because the contact has unsubscribed."
    else:
        label = labels()[event.cause]
        kind = (label.ses_type, label.ses_subtype)
        status, text = diagnostic(event)
        host = event.domain.mx if event.final == "late" else _mta(event)
        bounce["reportingMTA"] = f"dns; {host}"
        if event.reply and event.final != "late":
            bounce["remoteMtaIp"] = _mx(event)
    bounce |= {"bounceType": kind[0], "bounceSubType": kind[1]}
    first, *others = bounce["bouncedRecipients"]
    bounce["bouncedRecipients"] = [
        {**first, "action": "failed", "status": status, "diagnosticCode": text},
        *others,
    ]
    return bounce


def _delivery(event: Event) -> dict[str, Any]:
    return {
        "timestamp": iso(event.time),
        "processingTimeMillis": event.time - event.sent,
        "recipients": list(event.recipients),
        "smtpResponse": event.reply,
        "remoteMtaIp": _mx(event),
        "reportingMTA": _mta(event),
    }


def _delay(event: Event) -> dict[str, Any]:
    status, text = diagnostic(event)
    return {
        "timestamp": iso(event.time),
        "delayType": labels()[event.cause].ses_delay,
        "expirationTime": iso(event.sent + 14 * HOUR),
        "delayedRecipients": [
            {"emailAddress": event.recipients[0], "status": status, "diagnosticCode": text}
        ],
    }


def _complaint(event: Event) -> dict[str, Any]:
    return {
        "complainedRecipients": [{"emailAddress": address} for address in event.recipients],
        "timestamp": iso(event.time),
        "feedbackId": ses_id(event.time, "ses feedback", event.key),
        "complaintSubType": None,
        "userAgent": "Harbour-FBL/2.1",
        "complaintFeedbackType": "abuse",
        "arrivalDate": iso(event.time - 40_000),
    }


def _subscription(event: Event) -> dict[str, Any]:
    was, now = ({"topicName": "weekly", "subscriptionStatus": status} for status in ("OptIn", "OptOut"))
    return {
        "contactList": "slack-water",
        "timestamp": iso(event.time),
        "source": "UnsubscribeHeader",
        "newTopicPreferences": {"unsubscribeAll": True, "topicSubscriptionStatus": [now]},
        "oldTopicPreferences": {"unsubscribeAll": False, "topicSubscriptionStatus": [was]},
    }


def _seen(event: Event) -> dict[str, Any]:
    chance = Chance("reader", event.key)
    fields = {
        "timestamp": iso(event.time),
        "ipAddress": reader_ip(chance),
        "userAgent": chance.pick(AGENTS),
    }
    return fields | {"link": event.detail, "linkTags": None} if event.kind == "clicked" else fields


#: kind of event -> type of the record, key of its body, what makes the body
BODIES = {
    "bounced": ("Bounce", "bounce", _bounce),
    "dropped": ("Bounce", "bounce", _bounce),
    "autoreply": ("Bounce", "bounce", _bounce),
    "delivered": ("Delivery", "delivery", _delivery),
    "deferred": ("DeliveryDelay", "deliveryDelay", _delay),
    "complained": ("Complaint", "complaint", _complaint),
    "unsubscribed": ("Subscription", "subscription", _subscription),
    "opened": ("Open", "open", _seen),
    "clicked": ("Click", "click", _seen),
}


def published(event: Event) -> dict[str, Any]:
    """Return the record of event publishing (``eventType``)."""
    kind, key, make = BODIES[event.kind]
    if kind in {"Bounce", "Complaint"}:
        return {"eventType": kind, key: make(event), "mail": mail(event, published=True)}
    return {"eventType": kind, "mail": mail(event, published=True), key: make(event)}


def notified(event: Event) -> dict[str, Any]:
    """Return the feedback notification (``notificationType``)."""
    kind, key, make = BODIES[event.kind]
    return {"notificationType": kind, key: make(event), "mail": mail(event, published=False)}


def rows(event: Event, event_id: str) -> tuple[Row, ...]:
    """Return the rows of a record: one for each recipient; what has a feedback id is told apart by it."""
    name = "bounced" if event.kind == "autoreply" else event.kind  # SES reports automatic answers as bounces
    feedback = BODIES[event.kind][2](event).get("feedbackId", event_id)
    return tuple(Row(name, address, feedback) for address in event.recipients)


def envelope(message: Any, time: int, *name: object, subject: str = "") -> dict[str, Any]:
    """Return what SNS wraps around a message; event publishing ends its text with a line break."""
    text = message if isinstance(message, str) else compact(message)
    return {
        "Type": "Notification",
        "MessageId": uuid("sns", *name),
        "TopicArn": TOPIC,
        **({"Subject": subject} if subject else {}),
        "Message": text + "\n" if subject else text,
        "Timestamp": iso(time + 90),
        "UnsubscribeURL": f"https://sns.{REGION}.amazonaws.example/?Action=Unsubscribe",
    }


def _bridge(event: Event) -> Entry:
    inner = published(event)
    event_id = uuid("bridge", event.key)
    return Entry(
        {
            "version": "0",
            "id": event_id,
            "detail-type": DETAIL_TYPES[inner["eventType"]],
            "source": "aws.ses",
            "account": ACCOUNT,
            "time": iso(event.time)[:19] + "Z",
            "region": REGION,
            "resources": [f"arn:aws:ses:{REGION}:{ACCOUNT}:configuration-set/slack-water-weekly"],
            "detail": inner,
        },
        rows(event, event_id),
    )


def _sns(event: Event) -> list[Entry]:
    """Return the envelopes of an event: identity feedback, and in week 8 a second one for each bounce."""
    subject = "Amazon SES Email Event Notification"
    feedback = event.kind in {"delivered", "bounced", "dropped", "autoreply", "complained"}
    told = []
    if feedback:
        name = ("feedback", event.key)
        told.append(Entry(envelope(notified(event), event.time, *name), rows(event, uuid("sns", *name))))
    if not feedback or (event.week == 8 and event.kind in {"bounced", "dropped"}):
        name = ("published", event.key)
        told.append(
            Entry(
                envelope(published(event), event.time, *name, subject=subject),
                rows(event, uuid("sns", *name)),
            )
        )
    return told


def _suppressed(lists: Sequence[Listed]) -> Sample:
    found = sorted(
        (x for x in lists if x.provider == "ses" and x.name in {"bounce", "complaint"}),
        key=lambda x: digest("page", x.address),
    )
    summaries = [
        {
            "EmailAddress": x.address,
            "Reason": x.name.upper(),
            "LastUpdateTime": iso(x.time).replace("Z", "000+00:00"),
        }
        for x in found
    ]
    half = len(summaries) // 2 + 7
    pages: list[dict[str, Any]] = [
        {"SuppressedDestinationSummaries": summaries[:half], "NextToken": "AAAA" + digest("next")}
    ]
    pages.append({"SuppressedDestinationSummaries": summaries[half:]})
    text = "".join(json.dumps(page, indent=4) + "\n" for page in pages)
    entries = tuple(Entry(s, (Row("suppressed", str(s["EmailAddress"]), ""),)) for s in summaries)
    return Sample(
        "ses/suppressed_destinations.json",
        "account suppression list, two pages of the AWS CLI in one file",
        text.encode(),
        entries,
    )


def samples(events: Sequence[Event], lists: Sequence[Listed]) -> list[Sample]:
    """Return the files of this ESP."""
    told = [e for e in events if e.provider == "ses"]

    stream = [Entry(published(e), rows(e, "")) for e in told if e.week <= 6]
    virus = replace(told[0], sent=told[0].sent + HOUR)
    refused = {
        "eventType": "Reject",
        "mail": mail(virus, published=True),
        "reject": {"reason": "Bad content"},
    }
    stream = insert(stream, (0.4, Entry(refused, tuple(Row("rejected", a, "") for a in virus.destination))))

    bridge = [_bridge(e) for e in told if e.week == 7]
    advice = {
        **bridge[0].record,
        "id": uuid("advice"),
        "detail-type": "Advisor Recommendation Status Open",
        "resources": [],
        "detail": {"version": "1.0.0", "data": "DKIM is not set up"},
    }
    cut = text_of(bridge[-1])
    bridge = [
        *insert(
            bridge[:-1], (0.3, ignored(advice)), (0.6, rejected("<<<<<<< partial write, resumed >>>>>>>"))
        ),
        rejected(cut[: len(cut) * 2 // 3]),
    ]

    posts = [entry for e in told if e.week >= 8 for entry in _sns(e)]
    chance = Chance("sns delivers twice")
    posts = [entry for entry in posts for _ in range(2 if chance.happens(0.012) else 1)]
    hello = envelope(
        "Successfully validated SNS topic for Amazon SES event publishing.",
        told[0].time,
        "hello",
        subject="Amazon SES Email Event Notification",
    )
    confirm = {
        "Type": "SubscriptionConfirmation",
        "MessageId": uuid("confirm"),
        "Token": digest("confirm", length=64),
        "TopicArn": TOPIC,
        "Message": "You have chosen to subscribe to the topic.",
        "SubscribeURL": "https://sns.amazonaws.example/",
        "Timestamp": iso(told[0].time),
    }
    posts = insert(posts, (0.0, ignored(hello)), (0.0, ignored(confirm)))

    return [
        Sample(
            "ses/event_publishing_weeks_01-06.ndjson.gz", "event publishing through Firehose, one record a line, gzip",
            lines(stream), tuple(stream),
        ),
        Sample(
            "ses/eventbridge_week_07.json", "event publishing through EventBridge and Firehose, objects back to back",
            "".join(map(text_of, bridge)).encode(), tuple(bridge),
        ),
        Sample(
            "ses/sns_weeks_08-10.ndjson.gz", "feedback notifications and events in SNS envelopes, one a line, gzip",
            lines(posts), tuple(posts),
        ),
        _suppressed(lists),
    ]  # fmt: skip

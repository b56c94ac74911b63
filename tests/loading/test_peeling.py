"""What the engine takes out of wrappers is what the walk finds in them: record for record, and damage for damage."""

from __future__ import annotations

import copy
import json
import random
import re
import warnings

import pandas as pd
import pytest

import bounceanalytics as ba
from bounceanalytics.loading.unwrapping import blocks, pieces
from tests.effort import RARE, some_quick
from tests.loading.exports import mailgun_failed, sendgrid_bounce
from tests.loading.wrappings import JSON, base64_of, sns, text

LINES = 80


def rng_of(*names):
    return random.Random(str(names))  # noqa: S311


#: Wrappers that the engine takes off, and what they may lie in themselves.
TAKEN = (
    "sns",
    "sns in lambda",
    "sqs",
    "sqs in lambda",
    "sns in sqs",
    "eventbridge",
    "cloudwatch filter",
    "google cloud logging",
    "google cloud logging, text",
    "kafka, as text",
    "debezium",
    "splunk",
    "docker",
    "airbyte",
    "text in text in text",
)


def ses_event(rng):
    """Return one of many kinds of events, some of which lack what others have."""
    number = rng.randrange(10_000)
    address = f"reader{number}@example.net"
    mail = {
        "timestamp": "2026-03-10T08:00:00.000Z",
        "messageId": f"0102018e{number:08x}",
        "source": "shop@example.com",
        "sourceArn": "arn:aws:ses:eu-west-1:111122223333:identity/example.com",
        "sendingAccountId": "111122223333",
        "destination": [address, *rng.choice([[], [], ["second@example.net"]])],
        "headers": [{"name": "Subject", "value": rng.choice(["Hello", 'A "quoted" one {x}', "Grüße"])}],
        "tags": rng.choice(
            [{"campaign": ["spring"]}, {"campaign": ["a", "b"], "ses:from-domain": ["example.com"]}]
        ),
    }
    word = rng.choice(
        ["Send", "Delivery", "Bounce", "Bounce", "Complaint", "Open", "Click", "Reject", "DeliveryDelay"]
    )
    who = {"emailAddress": address, "status": "5.1.1", "diagnosticCode": f"smtp; 550 5.1.1 unknown {number}"}
    body = {
        "Send": ("send", {}),
        "Delivery": (
            "delivery",
            {"timestamp": "2026-03-10T08:00:03Z", "recipients": [address], "smtpResponse": "250 ok"},
        ),
        "Bounce": (
            "bounce",
            {
                "bounceType": rng.choice(["Permanent", "Transient"]),
                "bounceSubType": "General",
                "bouncedRecipients": [who, *rng.choice([[], [{"emailAddress": "second@example.net"}], [{}]])],
                "timestamp": "2026-03-10T08:00:04.000Z",
                "feedbackId": f"f{number}",
            },
        ),
        "Complaint": (
            "complaint",
            {"complainedRecipients": [{"emailAddress": address}], "timestamp": "2026-03-11T08:00:04Z"},
        ),
        "Open": ("open", {"timestamp": "2026-03-10T09:00:00Z", "userAgent": "Mozilla/5.0 (X11)"}),
        "Click": ("click", {"timestamp": "2026-03-10T09:00:00Z", "link": "https://example.com/?a=1&b=2"}),
        "Reject": ("reject", {"reason": "Bad content"}),
        "DeliveryDelay": (
            "deliveryDelay",
            {"delayType": "MailboxFull", "delayedRecipients": [who], "timestamp": "2026-03-10T08:00:03Z"},
        ),
    }[word]
    key = rng.choice(["eventType"] * 4 + ["notificationType"])
    return {key: word, "mail": mail, body[0]: body[1]}


EVENTS = {"ses": ses_event, "sendgrid": lambda _: sendgrid_bounce(), "mailgun": lambda _: mailgun_failed()}


def odd_event(rng, event):
    """Return an event that is not as others are."""
    event = copy.deepcopy(event)
    mail = event.get("mail", event)
    rng.choice(
        [
            lambda: mail.pop("messageId", None),
            lambda: mail.pop("timestamp", None),
            lambda: mail.update(timestamp=None),
            lambda: mail.update(tags={"campaign": "alone"}),
            lambda: mail.update(tags={}),
            lambda: mail.update(tags='{"campaign": ["in a text"]}'),
            lambda: mail.update(destination="reader@example.net"),
            lambda: mail.update(destination=[]),
            lambda: mail.update(destination=[{"S": "reader@example.net"}]),
            lambda: mail.update(messageId={"S": "typed"}),
            lambda: event.update(MAIL=event.pop("mail", {})),
            lambda: event.update({"EventType": event.pop("eventType", "Bounce")}),
            lambda: event.update(eventType="Nonsense"),
            lambda: event.update(eventType=""),
            lambda: event.update(eventType=None),
            lambda: event.update(bounce=json.dumps(event.get("bounce"))),
            lambda: event.get("bounce", {}).update(bouncedRecipients=[{"EmailAddress": "x@example.net"}]),
            lambda: event.get("bounce", {}).update(bouncedRecipients=[]),
            lambda: event.get("bounce", {}).update(bounceSubtype="General"),
            lambda: event.update(note=text(ses_event(rng))),
            lambda: event.update(note=ses_event(rng)),
            lambda: event.update(note="a note"),
            lambda: event.update(carrierAccount="999900001111"),
            lambda: event.update(TopicArn="arn:aws:sns:eu-west-1:444455556666:other"),
            lambda: event.update(eventId="x"),
            lambda: event.update(timestamp="2026-03-10T08:00:00Z"),
        ]
    )()
    return event


def odd_wrapper(rng, one):
    """Return a wrapper with something in it that others do not have."""
    other = ses_event(rng)
    if isinstance(one, dict):
        more = rng.choice(
            [
                {"Subject": "Amazon SES Email Event Notification"},
                {"Subject": 'a "note" (with) signs, = and &'},
                {"Subject": text(other)},
                {"Subject": "log: " + text(other)},
                {"Subject": base64_of(other)},
                {"Subject": " " + base64_of(other)},
                {"Subject": "a=1&payload=" + text(other)},
                {"Subject": 300_000 * "x"},
                {"Subject": None},
                {"copy": other},
                {"copies": [other, other]},
                {"MessageAttributes": {"kind": {"Type": "String", "Value": "x"}}},
                {"MessageAttributes": {"kind": {"Type": "String", "Value": text(other)}}},
                {"resources": ["arn:aws:ses", "x"]},
                {"resources": [text(other)]},
                {"TopicArn": "arn:aws:sns:eu-west-1:777788889999:mail"},
                {"TopicArn": ["none"]},
                {"detail-type": "Mail", "account": rng.choice([None, "121212121212", 131313131313])},
                {"Timestamp": None},
                {"isBase64Encoded": True},
                {"message": "a key like another"},
                {"fields": ["a", "b"], "rows": [["1", "2"]]},
                {"eventType": "something"},
                {"signature": {"timestamp": "1", "token": "x", "signature": "y"}},
                {"emoji": "🎉"},
            ]
        )
        return one | more
    return one


def damaged(rng, line):
    """Return something that is not quite the line."""
    cut = rng.randrange(1, len(line))
    return rng.choice(
        [
            lambda: line[:cut],
            lambda: line[cut:],
            lambda: line[:-1] + b",}",
            lambda: line[:-1] + b', "x": NaN}',
            lambda: line[:-1] + b', "x": nan}',
            lambda: line[:-1] + b', "x": "\\u0000"}',
            lambda: line[:-1] + b', "x": "\\ud83d"}',
            lambda: line[:-1] + b', "x": "\\ud83c\\udf89"}',
            lambda: line[:-1] + b', "x": "\t"}',
            lambda: line[:-1] + b', "x": "\xe9"}',
            lambda: line[:-1] + b', "Message": "twice"}',
            lambda: line[:-1] + b', "detail": {}}',
            lambda: line + b" and more",
            lambda: line + line,
            lambda: line.replace(b"Bounce", b"Bo\\u0075nce"),
            lambda: b"\xef\xbb\xbf" + line,
            lambda: b"[" + line + b"]",
            lambda: b"[]",
            lambda: b"{}",
            lambda: b"",
            lambda: b"  \t",
            lambda: b"some words",
            lambda: b'"a text"',
            lambda: b"17",
            lambda: json.dumps(json.loads(line), indent=1).encode(),
            lambda: json.dumps(
                {"Type": "SubscriptionConfirmation", "SubscribeURL": "https://x.example"}
            ).encode(),
            lambda: json.dumps(
                sns("Successfully validated SNS topic for Amazon SES event publishing.")
            ).encode(),
            lambda: json.dumps(sns({"hello": "world"})).encode(),
        ]
    )()


def made(rng, wrap, event, odd):
    """Return a file of wrapped events, one a line, a share of them ``odd``."""
    lines = []
    for _ in range(LINES):
        one = event(rng)
        if rng.random() < odd:
            one = odd_event(rng, one)
        one = wrap(one)
        if rng.random() < odd:
            one = odd_wrapper(rng, one)
        spaced = rng.random() < 0.5
        line = json.dumps(one, ensure_ascii=spaced, separators=None if spaced else (",", ":")).encode()
        lines.append(damaged(rng, line) if rng.random() < odd else line)
    return rng.choice([b"\n", b"\n", b"\r\n"]).join(lines) + rng.choice([b"", b"\n"])


@pytest.fixture
def walked(monkeypatch):
    """Return a function that loads, and tells how many pieces the walk has made."""
    counts = []
    of_spans = pieces.Unwrapping._of_spans

    def counted(self, spans):
        for piece in of_spans(self, spans):
            counts[-1] += 1
            yield piece

    monkeypatch.setattr(pieces.Unwrapping, "_of_spans", counted)

    def load(content, *, wrappers=blocks._WRAPPERS, **options):
        monkeypatch.setattr(blocks, "_WRAPPERS", wrappers)
        counts.append(0)
        with warnings.catch_warnings(action="ignore"):
            return ba.load(content, **options), counts[-1]

    return load


def check(walked, content, **options):
    """Check that the engine gives what the walk does; return how many pieces of how many the walk has made."""
    try:
        wanted, of = walked(content, wrappers=0, **options)
    except ba.errors.BounceAnalyticsError as error:
        with pytest.raises(type(error), match=f"^{re.escape(str(error))}$"):
            walked(content, **options)
        return 0, 0
    given, count = walked(content, **options)
    for name in ("events", "files", "rejects", "ignored"):
        pd.testing.assert_frame_equal(getattr(given, name), getattr(wanted, name), obj=name)
    assert given.duplicates == wanted.duplicates
    return count, of


@pytest.mark.slow
@pytest.mark.parametrize("name", EVENTS)
@pytest.mark.parametrize("wrapper", some_quick(JSON, 2))
def test_engine_gives_what_the_walk_gives(walked, wrapper, name):
    content = made(rng_of(wrapper, name), JSON[wrapper], EVENTS[name], 0.0)
    count, _ = check(walked, content)
    if wrapper in TAKEN and name == "ses":
        assert count == 0


@pytest.mark.parametrize("wrapper", TAKEN)
@pytest.mark.parametrize("seed", [0, *(pytest.param(one, marks=RARE) for one in range(1, 3))])
def test_wrappers_in_wrappers(walked, wrapper, seed):
    rng = rng_of(wrapper, seed)
    outer = JSON[rng.choice(TAKEN)]
    check(walked, made(rng, lambda one: outer(JSON[wrapper](one)), ses_event, 0.0))


@pytest.mark.parametrize("wrapper", TAKEN)
@pytest.mark.parametrize("seed", [0, *(pytest.param(one, marks=RARE) for one in range(1, 6))])
def test_odd_lines(walked, wrapper, seed):
    rng = rng_of(wrapper, seed)
    check(
        walked,
        made(rng, JSON[wrapper], EVENTS[rng.choice(["ses", "ses", "ses", "mailgun", "sendgrid"])], 0.15),
    )


def test_a_wrapper_with_a_key_of_its_own_in_each_line(walked):
    rng = rng_of("keys")
    lines = [sns(ses_event(rng)) | {f"key {number}": "x"} for number in range(3000)]
    check(walked, "\n".join(map(json.dumps, lines)).encode())


def test_keys_that_no_query_can_name(walked):
    rng = rng_of("names")
    for key in ("\0", "'", '"', "a/b~c", "$", "$.x[*]", "\n", "{}", "é"):
        lines = [{key: ses_event(rng), "other": key} for _ in range(20)]
        check(walked, "\n".join(map(json.dumps, lines)).encode())


def test_lines_of_several_wrappers(walked):
    rng = rng_of("several")
    wraps = [JSON[name] for name in ("sns", "eventbridge", "sns in sqs", "docker")]
    lines = [json.dumps(rng.choice(wraps)(ses_event(rng))) for _ in range(200)]
    count, of = check(walked, "\n".join(lines).encode())
    assert (count, of) == (0, 200)


def test_damage_at_the_edge_of_a_block(walked, monkeypatch):
    monkeypatch.setattr(blocks, "_STEP", 4000)
    monkeypatch.setattr(blocks, "_BLOCK", 4000)
    rng = rng_of("edge")
    check(walked, made(rng, sns, ses_event, 0.3))
    pretty = "\n".join(json.dumps(sns(ses_event(rng)), indent=rng.choice([None, None, 1])) for _ in range(60))
    check(walked, pretty.encode())

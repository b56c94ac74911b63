"""Carriers of events (queues, logs, buses, stores): what they say of themselves, and when they say that it came.

Keys are compared as :func:`.keys.plain` writes them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bounceanalytics.loading.formats.spelling import plain
from bounceanalytics.loading.unwrapping.keys import Carried

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


@dataclass(frozen=True, slots=True)
class Notice:
    """What a carrier says of itself, or of what is no sending event: left out, by this name."""

    reason: str


@dataclass(frozen=True, slots=True)
class _Row:
    """A key, the pattern of its value, and what the record is."""

    key: str
    value: re.Pattern[str]
    reason: str
    needs: str = ""


def _row(key: str, value: str, reason: str, needs: str = "") -> _Row:
    return _Row(key, re.compile(value, re.IGNORECASE | re.DOTALL), reason, needs)


NOTICES = (
    _row("type", "SubscriptionConfirmation", "a request to confirm a subscription", "subscribeurl"),
    _row("type", "UnsubscribeConfirmation", "a confirmation that a subscription has ended", "topicarn"),
    _row(
        "message",
        "Successfully validated SNS topic .*",
        "a notice that the notifications were set up",
        "topicarn",
    ),
    _row("messagetype", "CONTROL_MESSAGE", "a test of the connection by the log service", "logevents"),
    _row("event", "s3:TestEvent", "a test of the connection by the store"),
    _row("eventtype", r"Microsoft\.EventGrid\.Subscription\w+", "a request to confirm a subscription"),
    _row("source", r"aws\.\w+", "an event of the account, not of a message", "detailtype detail"),
    _row("mailnotice", ".*", "a mail in which a topic speaks of itself"),
    _row("type", "SCHEMA|STATE", "a line about the stream, not a record of it", "stream"),
    _row("type", "STATE|LOG|TRACE", "a line about the stream, not a record of it", "log"),
)

#: Lines that a platform writes into the log of a function.
_LINES = re.compile(
    r"\s*(?:\S+\s+)?(?:START|END|REPORT|INIT_START|XRAY|EXTENSION)\b.*(?:RequestId|Runtime|Name).*", re.DOTALL
)
LINE = Notice("a line of the log that names no address")
PLATFORM = Notice("a line that the platform wrote into the log")

#: Keys that a carrier has -> the one that says when it was handed the event.
_TIMES = (
    ("type messageid message", "timestamp"),
    ("detailtype detail", "time"),
    ("specversion data", "time"),
)

#: Keys that a carrier has -> its name, for what is rejected.
TITLES = (
    ("type messageid message", "an SNS message"),
    ("detailtype detail", "an EventBridge event"),
    ("messageid body", "an SQS message"),
    ("eventsource body", "an SQS message"),
    ("eventsource sns", "an SNS message"),
    ("kinesis", "a Kinesis record"),
    ("specversion data", "a CloudEvents envelope"),
    ("httpmethod body", "a request that API Gateway passed on"),
    ("id timestamp message", "a log event"),
    ("timestamp ingestiontime message", "a log event"),
    ("insertid logname", "a log entry"),
    ("rawdata errorcode", "what Firehose could not process"),
)

#: Keys of the list of records in a page.
PAGES = frozenset(
    (
        "records",
        "messages",
        "logevents",
        "events",
        "items",
        "results",
        "data",
        "value",
        "values",
        "rows",
        "hits",
    )
)

#: Keys whose text is base64 where the record has the others, or where they say so.
_BASE64 = (
    ("data", "partitionkey"),
    ("data", "sequencenumber"),
    ("data", "publishtime"),
    ("data", "recordid"),
    ("rawdata", "errorcode"),
)


def notice(keys: Mapping[str, Any]) -> Notice | None:
    """Return what a record is that only its carrier speaks in; None if it may hold an event."""
    for row in NOTICES:
        value = keys.get(row.key)
        if isinstance(value, str) and row.value.fullmatch(value.strip()) and _has(keys, row.needs):
            return Notice(row.reason)
    return None


def line_notice(text: str) -> Notice | None:
    """Return what a line of a log is that holds no event; None if it may be one that cannot be read."""
    if _LINES.fullmatch(text):
        return PLATFORM
    return None if "@" in text else LINE


def time_of(keys: Mapping[str, Any]) -> Any:
    """Return when a carrier says that it was handed the event; None if it does not say so."""
    return next((keys.get(time) for needs, time in _TIMES if _has(keys, needs)), None)


def told_by(keys: Mapping[str, Any], above: Carried) -> Carried:
    """Return what a carrier says, and where it says nothing the one around it."""
    time, account = time_of(keys), account_of(keys)
    return Carried(above.time if time is None else time, above.account if account is None else account)


def account_of(keys: Mapping[str, Any]) -> Any:
    """Return the account of AWS that a topic or an event of a bus belongs to; None if it does not say so."""
    if _has(keys, "detailtype detail"):
        return keys.get("account")
    topic = keys.get("topicarn")
    return topic.split(":")[4] if isinstance(topic, str) and topic.count(":") >= 5 else None


#: Keys whose values tell the account.
TELLING = frozenset(("account", "topicarn"))


def is_telling(keys: Mapping[str, Any]) -> bool:
    """Return whether a record may say when an event came, or whose it is."""
    return "topicarn" in keys or any(_has(keys, needs) for needs, _ in _TIMES)


def title(keys: Mapping[str, Any]) -> str:
    """Return what a record is called that holds nothing; without addresses."""
    for needs, name in TITLES:
        if _has(keys, needs):
            return name
    return ""


def is_queued(keys: Mapping[str, Any]) -> bool:
    """Return whether a record is a message of a queue or a topic, as notifications of mail come."""
    return title(keys) in {"an SNS message", "an SQS message"}


def is_packed(name: str, keys: Mapping[str, Any]) -> bool:
    """Return whether the text under a key is base64."""
    told = name != "body" or str(keys.get("isbase64encoded")).lower() == "true"
    return told and may_be_packed(name, keys)


def may_be_packed(name: str, keys: Collection[str]) -> bool:
    """Return whether the text under a key may be base64 in a record with some keys, whatever their values are."""
    return (name == "body" and "isbase64encoded" in keys) or any(
        name == key and beside in keys for key, beside in _BASE64
    )


def by_plain_keys(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a record by keys without case and punctuation; of two that are alike the first counts."""
    found: dict[str, Any] = {}
    for key, value in record.items():
        found.setdefault(plain(key), value)
    return found


def _has(keys: Mapping[str, Any], needs: str) -> bool:
    return all(name in keys for name in needs.split())

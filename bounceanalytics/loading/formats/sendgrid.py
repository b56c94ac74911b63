"""SendGrid: what its fields are called, what its words mean, one reader.

References
----------
.. [1] Event Webhook: https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event
.. [2] Suppressions: https://www.twilio.com/docs/sendgrid/api-reference/bounces-api
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from bounceanalytics.database import literal
from bounceanalytics.loading.formats.format import (
    Format,
    Sign,
    id_sql,
    json_list_sql,
    named,
    tags_sql,
    words_sql,
)
from bounceanalytics.loading.formats.mail_marks import MailMarks
from bounceanalytics.loading.formats.reports import report_format
from bounceanalytics.loading.formats.spelling import squeezed

#: SendGrid's word -> ours. A block is a "bounce" too; its ``type`` tells, and the classifier reads that.
EVENTS = {
    "processed": "accepted",
    "delivered": "delivered",
    "deferred": "deferred",
    "bounce": "bounced",
    "bounced": "bounced",
    "blocked": "bounced",
    "dropped": "dropped",
    "drop": "dropped",
    "cancel_drop": "dropped",
    "spamreport": "complained",
    "spam_report": "complained",
    "spam report": "complained",
    "deferral": "deferred",
    "unsubscribe": "unsubscribed",
    "group_unsubscribe": "unsubscribed",
    "group_resubscribe": "other",
    "open": "opened",
    "opened": "opened",
    "click": "clicked",
    "clicked": "clicked",
}

#: Records that are no sending events -> why they are left out.
IGNORED = {
    "account_status_change": "a change of the account, not of a message",
    "received": "a message on its way in",
}

_EVENT = words_sql("event", EVENTS, "'other'")
_IGNORED = words_sql("event", IGNORED)

MAIL_MARKS = MailMarks(
    sender=re.compile(r"apps@sendgrid\.net", re.IGNORECASE),
    places=("from", "return-path", "unixfrom"),
    fields=("x-sendgrid-queueid",),
    sentence="This is an automatically generated message from SendGrid.",
    # <local part>:<digits>:<address> : <sending ip> : <mx host>:[<mx ip>] : <reply> in <stage>; without the ip and the
    # host where there was no connection
    line=re.compile(r"^[^\n<>]{0,320}:\d+:<([^<>\s]+)> : ", re.MULTILINE),
    rest=re.compile(
        r"(?:([0-9A-Fa-f.:]+) : )?(?:([^\s:\[\]]+):\[[^\]]*\] : )?(.*?)"
        r"(?:\s+in (?:connect|EHLO|HELO|STARTTLS|AUTH|MAIL FROM|RCPT TO|DATA|end of DATA))?"
    ),
    arrival=(re.compile(r"(\d{4}-\d\d-\d\d) (\d\d)-(\d\d)-(\d\d)"), r"\1 \2:\3:\4"),
)

#: Texts that SendGrid writes itself where no remote server spoke stand in ``reason`` like the others.
WEBHOOK_FIELDS = {
    "email": "email",
    "event": "event",
    "timestamp": "timestamp",
    "sg_event_id": "sg_event_id",
    "sg_message_id": "sg_message_id",
    "smtp_id": "smtp-id",
    "smtp_id_joined": "smtp_id",  # as warehouses spell it
    "ip": "ip",
    "category": "category",
    "type": "type",
    "classification": "bounce_classification",
    "status": "status",
    "reason": "reason",
    "response": "response",
    "attempt": "attempt",
    "asm_group": "asm_group_id",
    "user": "sg_user_id",
    "subuser": "subuser",
}

# `type`, `reason` and `status` may be the sender's own arguments on events that have no such field
WEBHOOK_COLUMNS = {
    "event": _EVENT,
    "esp_event": "event",
    # which group of mail somebody left or joined again is all that such an event says
    "esp_type": "CASE WHEN event IN ('bounce', 'blocked') THEN type"
    " WHEN starts_with(event, 'group_') THEN 'group ' || asm_group END",
    "esp_reason": "CASE WHEN event IN ('bounce', 'blocked') THEN classification WHEN event = 'dropped' THEN reason END",
    "recipient": "email",
    "time": "timestamp",
    "message_id": f"coalesce(nullif(sg_message_id, ''), {id_sql('coalesce(smtp_id, smtp_id_joined)')})",
    "event_id": "sg_event_id",
    "status": "CASE WHEN event IN ('bounce', 'blocked') THEN status END",
    "text": "CASE WHEN event IN ('bounce', 'blocked') THEN coalesce(reason, response)"
    " WHEN event IN ('deferred', 'delivered') THEN coalesce(response, reason) END",
    "sending_ip": "CASE WHEN event IN ('bounce', 'blocked', 'deferred', 'delivered') THEN ip END",
    "tags": tags_sql("category"),
    "attempt": "TRY_CAST(attempt AS INTEGER) + 1",  # SendGrid counts from zero
}

_WORDS = frozenset(map(squeezed, EVENTS))
_OTHERS = "recipient messageid tsevent mjcontactid msys"

SIGNS = (
    Sign("event sgeventid"),
    Sign("event sgmessageid"),
    Sign("event email smtpid", words=_WORDS, lacks=_OTHERS),
    Sign("event email timestamp", words=_WORDS, lacks=_OTHERS, loose=True),
)

WEBHOOK = Format(
    provider="sendgrid",
    name="event webhook",
    signs=SIGNS,
    also={"typeid": "type", "categories": "category"},
    clock=("timestamp",),
    needs=("event sg_event_id", "event sg_message_id", "event email timestamp", "event email smtp-id"),
    lacks="recipient event-data signature msys message-id MessageID _id",
    plain=True,
    fields=WEBHOOK_FIELDS,
    columns=WEBHOOK_COLUMNS,
    ignored=_IGNORED,
    key=("event_id", "recipient", "esp_event", "time"),  # the id alone is none where it was masked
    accounts=('"user"', "subuser"),
    traces=(
        (
            r"14c5d75ce93\.dfd\.64b469",
            "holds events of the webhook's test button, which are no mail: their category is 'cat facts'",
        ),
    ),
)

#: The webhook before 2013: one form body an event, without ids and times.
VERSION_1 = replace(
    WEBHOOK,
    name="event webhook, version 1",
    kind="body",
    signs=(),
    needs=("email event",),
    lacks="recipient token signature",
    plain=False,
    key=(),
    note="its events have no time and no id, so that copies cannot be told",
)

_TABLE_SPELLINGS = {"smtp_id": "smtp-id|smtp_id", "type": "type|type_id", "category": "category|categories"}
TABLE = replace(
    WEBHOOK,
    name="event webhook, as a table",
    kind="csv",
    plain=False,
    signs=(),
    needs=("event email sg_event_id", "event email timestamp sg_message_id", "event email timestamp smtp-id"),
    lacks="recipient",
    fields={name: _TABLE_SPELLINGS.get(name, path) for name, path in WEBHOOK_FIELDS.items()},
)

ACTIVITY = Format(
    provider="sendgrid",
    name="email activity",
    kind="csv",
    needs=("processed message_id event recv_message_id",),
    fields={
        name: name
        for name in (
            "processed",
            "message_id",
            "event",
            "email",
            "reason",
            "outbound_ip",
            "mx",
            "attempt",
            "type",
            "categories",
        )
    },
    columns={
        "event": _EVENT,
        "esp_event": "event",
        "esp_type": "type",
        "esp_reason": "CASE WHEN event IN ('drop', 'dropped') THEN reason END",
        "recipient": "email",
        "time": "processed",
        "message_id": "message_id",
        "text": "CASE WHEN event NOT IN ('drop', 'dropped') THEN reason END",
        "remote_host": "mx",
        "sending_ip": "outbound_ip",
        "tags": tags_sql("categories"),
        "attempt": "TRY_CAST(attempt AS INTEGER) + 1",
    },
    ignored=_IGNORED,
    key=("esp_event", "message_id", "recipient", "time", "attempt"),
    zone="UTC",
)

_NAMES = ("event_name", "processed", "reason", "bounce_type", "attempt_num", "mx_server", "server_response")
_NAME = "each.event_name"

MESSAGE = Format(
    provider="sendgrid",
    name="email activity, message",
    needs=("msg_id to_email events",),
    fields={
        "msg_id": "msg_id",
        "to_email": "to_email",
        "outbound_ip": "outbound_ip",
        "categories": "categories",
        "events": ("events", [dict.fromkeys(_NAMES, "VARCHAR")]),
    },
    explode="events",
    columns={
        "event": words_sql(_NAME, EVENTS, "'other'"),
        "esp_event": _NAME,
        "esp_type": "each.bounce_type",
        "esp_reason": f"CASE WHEN {_NAME} = 'dropped' THEN each.reason END",
        "recipient": "to_email",
        "time": "each.processed",
        "message_id": "msg_id",
        "text": f"CASE WHEN {_NAME} <> 'dropped' THEN coalesce(each.reason, each.server_response) END",
        "remote_host": "each.mx_server",
        "sending_ip": "outbound_ip",
        "tags": tags_sql("categories"),
        "attempt": "TRY_CAST(each.attempt_num AS INTEGER)",  # counted from one here
    },
    key=("message_id", "esp_event", "recipient", "time", "attempt"),
)

_SUMMARY_NOTE = "a summary of messages without their events: fetch the single messages to see what happened"
MESSAGES = Format(
    provider="sendgrid",
    name="email activity, messages",
    needs=("msg_id to_email status last_event_time", "msg_id to_email opens_count"),
    lacks="events",
    container="messages",
    fields={name: name for name in ("msg_id", "to_email", "status", "last_event_time", "last_timestamp")},
    columns={
        "event": "'other'",
        "esp_event": "status",
        "recipient": "to_email",
        "time": "coalesce(last_event_time, last_timestamp)",
        "message_id": "msg_id",
    },
    key=("message_id", "esp_event", "recipient", "time"),
    note=_SUMMARY_NOTE,
)

# the same events as the webhook's, beneath the message that they are about
LOG = replace(
    WEBHOOK,
    name="email logs, message",
    signs=(),
    needs=("sg_message_id to_email events",),
    lacks="",
    plain=False,
    several=True,
    inner="CAST(to_json(list_transform(json_extract(text, '$.events[*]'), lambda event: json_merge_patch("
    "json_object('to_email', json_extract_string(text, '$.to_email'),"
    " 'sg_message_id', json_extract_string(text, '$.sg_message_id')), event))) AS VARCHAR)",
    fields=WEBHOOK_FIELDS | {"to_email": "to_email"},
    columns=WEBHOOK_COLUMNS
    | {"recipient": "CASE WHEN email <> '' THEN email WHEN event <> 'received' THEN to_email END"},
)

LOGS = Format(
    provider="sendgrid",
    name="email logs, messages",
    needs=("sg_message_id to_email sg_message_id_created_at",),
    lacks="events",
    container="messages",
    fields={
        name: name for name in ("sg_message_id", "to_email", "reason", "status", "sg_message_id_created_at")
    },
    columns={
        "event": words_sql("status", EVENTS, "'other'"),
        "esp_event": "status",
        "esp_type": "CASE WHEN status IN ('bounced', 'blocked') THEN status END",
        "esp_reason": "CASE WHEN status = 'dropped' THEN reason END",
        "recipient": "to_email",
        "time": "sg_message_id_created_at",
        "message_id": "sg_message_id",
        "text": "CASE WHEN status <> 'dropped' THEN reason END",
    },
    key=("message_id", "esp_event", "recipient"),
    note="the last state of each message; the times are those at which the messages were handed over",
)


def _needs(keys: str, *, named: bool) -> tuple[str, ...]:
    """Return what a record of a list must have; a list with a status may lack the time, and that where it is named."""
    if "status" not in keys:
        return (keys,)
    needs = (keys, keys.replace("created", "").strip())
    return (*needs, keys.replace("status", "").strip()) if named else needs


def _list(name: str, keys: str, *, hint: str = "", note: str = "", signs: str = "") -> tuple[Format, Format]:
    """Return the JSON and the CSV format of one suppression list."""
    known = keys.split()
    has = {
        key: key if key in known else "NULL" for key in ("reason", "status", "ip", "group_id", "group_name")
    }
    time = "created" if "created" in known else "created_at" if "created_at" in known else "NULL"
    invalid = name == "invalid_emails"  # its reason is SendGrid's own sentence
    page = Format(
        provider="sendgrid",
        name=f"suppression list: {name.replace('_', ' ')}",
        needs=_needs(keys, named=bool(hint)),
        only=keys,
        hint=hint,
        signs=(Sign(signs, loose=True),) if signs else (),
        fields={key: key for key in known},
        columns={
            "event": "'suppressed'",
            "esp_event": "NULL",
            "esp_type": literal(name),
            "esp_reason": has["reason"] if invalid else f"'group ' || {has['group_id']}",
            "recipient": "email",
            "time": time,
            "status": has["status"],
            "text": "NULL" if invalid else has["reason"],
            "sending_ip": has["ip"],
            "tags": json_list_sql(f"list_filter([{has['group_name']}], lambda name: name <> '')"),
        },
        key=("esp_type", "recipient", "time", *(["group_id"] if "group_id" in known else [])),
        note=note,
        page_size=500,
    )
    return page, replace(page, kind="csv", page_size=0)


_UNSURE = (
    "a bounce list and a block list look alike: let the file's name say 'bounces' or 'blocks', "
    "or trust no address to be bad because of this file"
)

_BOUNCES, _BLOCKS = r"^(?!.*block).*bounce", r"^(?!.*bounce).*block"

LISTS = (
    *_list("bounces", "created email reason status", hint=_BOUNCES),
    *_list("blocks", "created email reason status", hint=_BLOCKS),
    *_list(
        "bounces_or_blocks", "created email reason status", note=_UNSURE, signs="email created reason status"
    ),
    *_list("spam_reports", "created email ip", signs="email created ip"),
    *_list("invalid_emails", "created email reason", signs="email created reason"),
    *_list(
        "group_unsubscribes",
        "email group_id group_name created_at",
        signs="email groupid groupname createdat",
    ),
    # with columns cut off, by the name of the file
    *_list("bounces", "created email reason", hint=_BOUNCES),
    *_list("blocks", "created email reason", hint=_BLOCKS),
    *_list("bounces", "created email", hint=_BOUNCES),
    *_list("blocks", "created email", hint=_BLOCKS),
    *_list("spam_reports", "created email", hint=r"spam|complain"),
    *_list("invalid_emails", "created email", hint=r"invalid"),
    *_list("unsubscribes", "created email"),
)

# lists of addresses with nothing beside them: the name of the file must say what they are
_GROUP, _OPT_OUT = r"asm(?![a-z])|group", r"unsub|opt.?out"
_NAMED = {
    "group unsubscribes": named(_GROUP),
    "unsubscribes": named(_OPT_OUT, unless=_GROUP),
    "suppressions": named("suppress", unless=f"{_GROUP}|{_OPT_OUT}"),
}


def _addresses(list_name: str, *, event: str = "suppressed", field: str = "email", **other: Any) -> Format:
    """Return a format of addresses with nothing beside them."""
    return Format(
        provider="sendgrid",
        name=f"suppression list: {list_name}" if event == "suppressed" else list_name,
        fields={"email": field},
        columns={
            "event": literal(event),
            "esp_type": literal(list_name.replace(" ", "_")) if event == "suppressed" else "NULL",
            "recipient": "email",
        },
        key=("recipient", "esp_type"),
        **other,
    )


# an address that stands in a list by itself becomes a record
_ALONE: dict[str, Any] = {
    "needs": ("address-alone",),
    "opens": '"{',
    "inner": "CASE WHEN starts_with(ltrim(text), '\"') THEN '{\"email\":' || text || '}' ELSE text END",
}

# such a list may be anything, so that its name must say what it is
ADDRESSES = (
    *(
        _addresses(name, hint=hint, **how)
        for name, hint in _NAMED.items()
        for how in (_ALONE, {"kind": "csv", "needs": ("email",), "only": "email"})
    ),
    _addresses("unsubscribes", container="recipient_emails", bare=False, **_ALONE),
    _addresses("unsubscribes", needs=("recipient_email",), only="recipient_email", field="recipient_email"),
    _addresses("addresses to take off a list", event="other", container="emails", bare=False, **_ALONE),
)

_XML_TYPES = {"invalidemails": "invalid_emails", "spamreports": "spam_reports"}

#: The lists of the API that ended in 2018; dates without a zone, perhaps that of the US Central zone.
XML = Format(
    provider="sendgrid",
    name="suppression list, XML",
    needs=("xml_list",),
    fields={name: name for name in ("xml_list", "email", "status", "reason", "created")},
    columns={
        "event": "'suppressed'",
        "esp_type": words_sql("xml_list", _XML_TYPES, "xml_list"),
        "esp_reason": "CASE WHEN xml_list = 'invalidemails' THEN reason END",
        "recipient": "email",
        "time": "created",
        "status": "status",
        "text": "CASE WHEN xml_list <> 'invalidemails' THEN reason END",
    },
    key=("esp_type", "recipient", "time"),
)

REFUSED = (
    Format(
        provider="sendgrid",
        name="look-up of one address",
        needs=("is_default suppressed",),
        container="suppressions",
        bare=False,
        refuse="it says which groups one address left and does not name the address",
    ),
    Format(
        provider="sendgrid",
        name="error message",
        needs=("field message",),
        container="errors",
        bare=False,
        refuse="the API answered with an error instead of the list: fetch it again",
    ),
)

TOTALS = (
    Format(
        provider="sendgrid",
        name="bounce classification totals",
        needs=("date stats",),
        container="result",
        refuse="it holds totals per day and no recipients",
    ),
    Format(
        provider="sendgrid",
        name="statistics",
        kind="csv",
        needs=("date blocks bounces", "date provider bounces"),
        refuse="it holds totals per day and no recipients",
    ),
)

FORMATS = (
    WEBHOOK,
    TABLE,
    VERSION_1,
    ACTIVITY,
    MESSAGE,
    MESSAGES,
    LOG,
    LOGS,
    *LISTS,
    *ADDRESSES,
    XML,
    report_format("sendgrid"),
    *REFUSED,
    *TOTALS,
)

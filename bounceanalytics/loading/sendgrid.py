"""SendGrid: what its fields are called, what its words mean, one reader.

References
----------
.. [1] Event Webhook: https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event
.. [2] Suppressions: https://www.twilio.com/docs/sendgrid/api-reference/bounces-api
"""

from __future__ import annotations

from dataclasses import replace

from bounceanalytics.loading.forms import Form, literal, tags_sql, words_sql

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

#: Texts that SendGrid writes itself where no remote server spoke stand in ``reason`` like the others.
WEBHOOK_FIELDS = {
    "email": "email",
    "event": "event",
    "timestamp": "timestamp",
    "sg_event_id": "sg_event_id",
    "sg_message_id": "sg_message_id",
    "smtp_id": "smtp-id",
    "ip": "ip",
    "category": "category",
    "type": "type",
    "classification": "bounce_classification",
    "status": "status",
    "reason": "reason",
    "response": "response",
    "attempt": "attempt",
}

# `type`, `reason` and `status` may be the sender's own arguments on events that have no such field
WEBHOOK_COLUMNS = {
    "event": _EVENT,
    "esp_event": "event",
    "esp_type": "CASE WHEN event IN ('bounce', 'blocked') THEN type END",
    "esp_reason": "CASE WHEN event IN ('bounce', 'blocked') THEN classification WHEN event = 'dropped' THEN reason END",
    "recipient": "email",
    "time": "timestamp",
    "message_id": "coalesce(nullif(sg_message_id, ''), trim(smtp_id, '<>'))",
    "event_id": "sg_event_id",
    "status": "CASE WHEN event IN ('bounce', 'blocked') THEN status END",
    "text": "CASE WHEN event IN ('bounce', 'blocked') THEN coalesce(reason, response)"
    " WHEN event IN ('deferred', 'delivered') THEN coalesce(response, reason) END",
    "sending_ip": "CASE WHEN event IN ('bounce', 'blocked', 'deferred', 'delivered') THEN ip END",
    "tags": tags_sql("category"),
    "attempt": "TRY_CAST(attempt AS INTEGER) + 1",  # SendGrid counts from zero
}

WEBHOOK = Form(
    provider="sendgrid",
    name="event webhook",
    needs=("event sg_event_id", "event sg_message_id", "event email timestamp", "event email smtp-id"),
    lacks="recipient event-data signature msys",
    fields=WEBHOOK_FIELDS,
    columns=WEBHOOK_COLUMNS,
    ignored=_IGNORED,
    key=("event_id",),
    traces=(
        (
            r"14c5d75ce93\.dfd\.64b469",
            "holds events of the webhook's test button, which are no mail: their category is 'cat facts'",
        ),
    ),
)

WRAPPED = replace(
    WEBHOOK,
    name="event webhook, wrapped",
    needs=("raw_event",),
    inner="coalesce(json_extract_string(text, '$.raw_event'), text)",
)

ACTIVITY = Form(
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
)


def _list(name: str, keys: str, *, hint: str = "", note: str = "") -> tuple[Form, Form]:
    """Return the JSON and the CSV form of one suppression list."""
    known = keys.split()
    has = {key: key if key in known else "NULL" for key in ("reason", "status", "ip", "group_name")}
    time = "created" if "created" in known else "created_at" if "created_at" in known else "NULL"
    invalid = name == "invalid_emails"  # its reason is SendGrid's own sentence
    page = Form(
        provider="sendgrid",
        name=f"suppression list: {name.replace('_', ' ')}",
        needs=(keys,)
        if "created" not in known
        else (keys, keys.replace("created", "").strip())
        if "status" in known
        else (keys,),
        only=keys,
        hint=hint,
        fields={key: key for key in known},
        columns={
            "event": "'suppressed'",
            "esp_event": "NULL",
            "esp_type": literal(name),
            "esp_reason": has["reason"] if invalid else "NULL",
            "recipient": "email",
            "time": time,
            "status": has["status"],
            "text": "NULL" if invalid else has["reason"],
            "sending_ip": has["ip"],
            "tags": f"CASE WHEN {has['group_name']} <> '' THEN [{has['group_name']}] END",
        },
        key=("esp_type", "recipient", "time", *(["group_id"] if "group_id" in known else [])),
        note=note,
        page_size=500,
        traces=(
            (r"\d[.,]\d+E\+\d", "a spreadsheet has rounded the times; export the file anew if they matter"),
        ),
    )
    return page, replace(page, kind="csv", page_size=0)


_UNSURE = (
    "a bounce list and a block list look alike: let the file's name say 'bounces' or 'blocks', "
    "or trust no address to be bad because of this file"
)

LISTS = (
    *_list("bounces", "created email reason status", hint=r"^(?!.*block).*bounce"),
    *_list("blocks", "created email reason status", hint=r"^(?!.*bounce).*block"),
    *_list("bounces_or_blocks", "created email reason status", note=_UNSURE),
    *_list("spam_reports", "created email ip"),
    *_list("invalid_emails", "created email reason"),
    *_list("group_unsubscribes", "email group_id group_name created_at"),
    *_list("unsubscribes", "created email"),
)

TOTALS = (
    Form(
        provider="sendgrid",
        name="bounce classification totals",
        needs=("date stats",),
        container="result",
        refuse="it holds totals per day and no recipients",
    ),
    Form(
        provider="sendgrid",
        name="statistics",
        kind="csv",
        needs=("date blocks bounces", "date provider bounces"),
        refuse="it holds totals per day and no recipients",
    ),
)

FORMS = (WEBHOOK, WRAPPED, ACTIVITY, *LISTS, *TOTALS)

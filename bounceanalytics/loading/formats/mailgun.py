"""Mailgun: what its fields are called, what its words mean, one reader.

References
----------
.. [1] Events: https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/events
.. [2] Webhook payloads: https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/webhook-payloads
.. [3] Suppressions: https://documentation.mailgun.com/docs/mailgun/user-manual/suppressions/suppressions-bounces
"""

from __future__ import annotations

from dataclasses import replace

from bounceanalytics.database import literal
from bounceanalytics.esps import ESPS
from bounceanalytics.loading.formats.format import (
    Format,
    Sign,
    id_sql,
    tags_sql,
    words_sql,
)

#: Mailgun's word -> ours; ``failed`` is told apart by :data:`_FAILED`.
EVENTS = {
    "accepted": "accepted",
    "rejected": "rejected",
    "delivered": "delivered",
    "opened": "opened",
    "clicked": "clicked",
    "unsubscribed": "unsubscribed",
    "complained": "complained",
}

#: Numbers in the place of a reply code that Mailgun makes up.
NOT_TRIED_CODES = ("605", "606", "607", "625")  # on its bounce, unsubscribe, complaint list; poor list
EXPIRED_CODE = "602"
OWN_CODES = ", ".join(f"'{code}'" for code in ESPS["mailgun"].invented_replies)

FIELDS = {
    "word": "event",
    "id": "id",
    "epoch": "timestamp",
    "iso": "@timestamp",
    "recipient": "recipient",
    "severity": "severity",
    "reason": "reason",
    "code": "delivery-status/code",
    "message": "delivery-status/message",
    "description": "delivery-status/description",
    "enhanced": "delivery-status/enhanced-code",
    "bounce_code": "delivery-status/bounce-code",
    "attempt_no": "delivery-status/attempt-no",
    "mx_host": "delivery-status/mx-host",
    "last_code": "delivery-status/last-code",
    "last_message": "delivery-status/last-message",
    "transport": "envelope/transport",
    "ip": "envelope/sending-ip",
    "header_id": "message/headers/message-id",
    "header_to": "message/headers/to",
    "recipients": "message/recipients",
    "member": "member/address",
    "authenticated": "flags/is-authenticated",
    "callback": "flags/is-callback",
    "webhook": "flags/is-webhook",
    "delayed": "flags/is-delayed-bounce",
    "reject_reason": "reject/reason",
    "reject_description": "reject/description",
    "tag_list": "tags",
    "account": "account",
    "account_id": "account-id",
    "domain": "domain",
    "domain_name": "domain-name",
}

# a POST to a URL of the customer, with no mailbox at its end
_TO_URL = "(transport = 'http' OR callback = 'true' OR webhook = 'true')"
_MADE_UP = f"(code IN ({OWN_CODES}) OR (code >= '600' AND code < '7'))"
_NOT_TRIED = f"(starts_with(reason, 'suppress-') OR code IN ({', '.join(map(literal, NOT_TRIED_CODES))}))"
_EXPIRED = f"(reason = 'old' OR code = '{EXPIRED_CODE}')"

#: A failed event -> ours; the first that is true counts. Expired messages are final whatever the severity says.
_FAILED = f"""CASE
    WHEN {_TO_URL} THEN 'other'
    WHEN {_NOT_TRIED} THEN 'dropped'
    WHEN {_EXPIRED} OR delayed = 'true' OR severity = 'permanent' THEN 'bounced'
    WHEN severity = 'temporary' OR regexp_matches(code, '^4\\d\\d$') THEN 'deferred'
    WHEN regexp_matches(code, '^5\\d\\d$') THEN 'bounced'
    ELSE 'other' END"""

_FIRST_RECIPIENT = (
    "CASE WHEN starts_with(recipients, '[') THEN TRY(json_extract_string(recipients, '$[0]')) END"
)
_ONE_ADDRESSEE = "CASE WHEN len(regexp_extract_all(header_to, '@')) = 1 THEN header_to END"


def _scope(tags: str) -> str:
    """Return as SQL of which mail somebody unsubscribed; NULL for all of it, which Mailgun writes ``*``."""
    named = f"coalesce(from_json({tags}, '[\"VARCHAR\"]'), [])"
    return (
        f"CASE WHEN len({named}) > 0 AND NOT list_contains({named}, '*')"
        f" THEN 'tag: ' || array_to_string({named}, ', ') END"
    )


COLUMNS = {
    "event": f"""CASE lower(word)
        WHEN 'failed' THEN {_FAILED}
        WHEN 'accepted' THEN CASE WHEN authenticated = 'false' THEN 'other' ELSE 'accepted' END
        WHEN 'delivered' THEN CASE WHEN {_TO_URL} THEN 'other' ELSE 'delivered' END
        ELSE {words_sql("word", EVENTS, "'other'")} END""",
    "esp_event": "word",
    "esp_type": f"CASE WHEN lower(word) = 'unsubscribed' THEN {_scope(tags_sql('tag_list'))} ELSE severity END",
    # a number that Mailgun made up is no reply, and where no word stands beside it, it is the word
    "esp_reason": f"coalesce(nullif(reason, ''), nullif(reject_reason, ''), CASE WHEN {_MADE_UP} THEN code END)",
    "recipient": f"coalesce(nullif(recipient, ''), {_FIRST_RECIPIENT}, {_ONE_ADDRESSEE}, member)",
    "time": "coalesce(epoch, iso)",
    "message_id": id_sql("header_id"),
    "event_id": "id",
    "reply": f"CASE WHEN NOT {_TO_URL} IS TRUE THEN CASE WHEN {_EXPIRED} THEN last_code ELSE code END END",
    "status": "coalesce(nullif(enhanced, ''), nullif(bounce_code, ''), CASE WHEN code[2] = '.' THEN code END)",
    "text": f"CASE WHEN {_EXPIRED} OR {_MADE_UP} THEN last_message ELSE message END",
    "own_text": "coalesce(nullif(message, ''), nullif(description, ''), nullif(reject_description, ''),"
    " reject_reason)",
    "remote_host": "mx_host",
    "sending_ip": "ip",
    # the tag of an unsubscribe event is its scope, and '*' the whole domain
    "tags": f"CASE WHEN NOT contains(tag_list, '*') OR lower(word) <> 'unsubscribed' THEN {tags_sql('tag_list')} END",
    "attempt": "TRY_CAST(attempt_no AS INTEGER)",
}

_WORDS = frozenset({"failed", "stored", *EVENTS})
_NOT_OURS = "sgeventid sgmessageid token"

SIGNS = (
    *(
        Sign(f"event {keys}", words=_WORDS, lacks=_NOT_OURS)
        for keys in (
            "deliverystatus",
            "deliverystatuscode",
            "deliverystatusmessage",
            "recipient loglevel",
            "recipient recipientdomain",
            "recipient messageheaders",
            "recipient messageheadersmessageid",
            "recipient envelope",
            "recipient severity",
            "messageheaders envelope",
            "messageheaders loglevel",
            "messageheadersmessageid envelopesender",
            "messageheadersmessageid loglevel",
        )
    ),
    Sign("event id recipient timestamp", words=_WORDS, lacks=_NOT_OURS, loose=True),
)

EVENT_PAGE = Format(
    provider="mailgun",
    name="events",
    signs=SIGNS,
    also={
        "eventtype": "event",
        "date": "timestamp",
        "time": "timestamp",
        "code": "delivery-status/code",
        "messageid": "message/headers/message-id",
    },
    clock=("epoch", "iso"),
    needs=(
        "event id timestamp log-level",
        "event delivery-status",
        "event id timestamp recipient",
        "event id message",
    ),
    lacks="sg_event_id sg_message_id @timestamp log_level",
    container="items",
    plain=True,
    fields=FIELDS,
    columns=COLUMNS,
    # an id is unique within a day; one that was masked is not
    key=("event_id", "day", "recipient", "esp_event"),
    accounts=("coalesce(account_id, account)", "coalesce(domain_name, domain)"),
)

# a log document with an event and a time may be of any program
LOGS_PAGE = replace(
    EVENT_PAGE,
    name="logs",
    needs=("event @timestamp recipient", "event @timestamp delivery-status", "event @timestamp envelope"),
    lacks="sg_event_id",
    signs=(),
)


WEBHOOK = replace(
    EVENT_PAGE,
    name="webhook",
    needs=("event-data", "event_data signature"),
    lacks="",
    signs=(),
    plain=False,
    inside=("event-data", "event_data"),
    inner="CAST(coalesce(TRY(json_extract(text, '$.\"event-data\"')), TRY(json_extract(text, '$.event_data')), text)"
    " AS VARCHAR)",
)

# Titles are compared by their letters and digits, so that dots, hyphens and blanks in them do not matter.
_SPELLINGS = {
    "word": "event|eventtype",
    "epoch": "timestamp|date|time",
    "iso": "@timestamp",
    "code": "delivery-status/code|code",
    "message": "delivery-status/message|message",
    "header_id": "message/headers/message-id|message-id",
}
LOGS_TABLE = replace(
    EVENT_PAGE,
    name="logs table",
    kind="csv",
    loose=True,
    plain=False,
    container="",
    signs=(),
    needs=(
        "event recipient timestamp",
        "event recipient deliverystatuscode",
        "event recipient severity",
        "event recipient loglevel",
        "eventtype recipient timestamp",
        "recipient deliverystatuscode deliverystatusmessage",
    ),
    lacks="sgeventid sgmessageid",
    traces=(
        (
            r"(?m)\A[^\n]*\bdelivery-status\b(?![./_-])",
            "the cells of its column delivery-status, with codes and texts, were not read: load the JSON itself",
        ),
    ),
    fields={name: _SPELLINGS.get(name, path) for name, path in FIELDS.items()},
    note="its layout is not documented: the columns were found by their titles",
)

_LEGACY_EVENTS = EVENTS | {"dropped": "dropped", "bounced": "bounced"}
_LEGACY_CODES = ", ".join(map(literal, NOT_TRIED_CODES))


# Where a sender's own variable has the name of one of Mailgun's fields, both values come, Mailgun's first; the signed
# ones come last.
def _one_of(name: str, place: str) -> str:
    return f"CASE WHEN starts_with({name}, '[') THEN TRY(json_extract_string({name}, '$[{place}]')) ELSE {name} END"


_SIGNED = ("timestamp", "token")
_SAID = {
    name: _one_of(name, "#-1" if name in _SIGNED else "0")
    for name in ("event", "recipient", "code", "error", "notification", "reason", "description", *_SIGNED)
}

#: The webhook until 2018: one form body an event, or that body saved as JSON.
LEGACY = Format(
    provider="mailgun",
    name="webhook, legacy",
    kind="body",
    # names of the engine's fields do not differ by case alone
    inner="replace(text, '\"message-id\":', '\"Message-Id\":')",
    needs=("event recipient token signature", "event recipient domain timestamp"),
    lacks="sg_event_id",
    signs=(Sign("event recipient token signature"), Sign("event recipient domain timestamp token")),
    clock=("timestamp",),
    fields={
        name: name
        for name in (
            "event",
            "recipient",
            "code",
            "error",
            "notification",
            "reason",
            "description",
            "timestamp",
            "token",
            "tag",
            "domain",
        )
    }
    | {"header_id": "Message-Id", "sent_tag": "X-Mailgun-Tag"},
    columns={
        "event": f"""CASE WHEN {_SAID["event"]} = 'dropped' THEN CASE
            WHEN {_SAID["code"]} IN ({_LEGACY_CODES}) THEN 'dropped'
            WHEN {_SAID["reason"]} = 'old' OR regexp_matches({_SAID["code"]}, '^5') THEN 'bounced' ELSE 'dropped' END
            ELSE {words_sql(_SAID["event"], _LEGACY_EVENTS, "'other'")} END""",
        "esp_event": _SAID["event"],
        "esp_type": _SAID["event"],
        "esp_reason": _SAID["reason"],
        "recipient": _SAID["recipient"],
        "time": _SAID["timestamp"],
        "message_id": id_sql("header_id"),
        "event_id": _SAID["token"],
        "reply": _SAID["code"],
        "status": f"CASE WHEN code[2] = '.' THEN {_SAID['code']} END",
        "text": f"coalesce(nullif(regexp_replace({_SAID['error']}, '  +', ' ', 'g'), ''), {_SAID['notification']})",
        "own_text": _SAID["description"],
        "tags": f"coalesce({tags_sql('tag')}, {tags_sql('sent_tag')})",
    },
    key=("event_id", "recipient", "esp_event"),
    accounts=("NULL", _one_of("domain", "0")),
)

_ADDRESS = r"([^ <>]+@[^ <>]+)"

#: The log of the first API: one sentence an event, from which the address must be cut.
LOG = Format(
    provider="mailgun",
    name="log, legacy",
    needs=("hap message created_at",),
    container="items",
    fields={name: name for name in ("hap", "created_at", "message", "message_id")},
    columns={
        "event": words_sql("hap", _LEGACY_EVENTS, "'other'"),
        "esp_event": "hap",
        "recipient": f"coalesce(nullif(regexp_extract(message, {literal('(?:→|->) ' + _ADDRESS)}, 1), ''),"
        f" nullif(regexp_extract(message, {literal('^[A-Za-z]+: ' + _ADDRESS + '$')}, 1), ''))",
        "time": "created_at",
        "message_id": "message_id",
        "text": "nullif(regexp_extract(message, '(?i)server response: *(.*)$', 1), '')",
    },
    key=("message_id", "esp_event", "recipient", "time"),
    note="the first API's log holds sentences; the addresses were cut out of them",
)


def _list(name: str, *needs: str, lacks: str = "", hint: str = "", note: str = "") -> tuple[Format, Format]:
    """Return the JSON and the CSV format of one suppression list."""
    page = Format(
        provider="mailgun",
        name=f"suppression list: {name}",
        needs=needs,
        lacks=f"email recipient vars subscribed {lacks}",
        container="items",
        hint=hint,
        fields={
            "address": "address",
            "code": "code",
            "error": "error",
            "created": "created_at",
            "tags": "tags",
            "tag": "tag",
        },
        columns={
            "event": "'suppressed'",
            "esp_type": literal(name),
            # Mailgun's own numbers have no word beside them here
            "esp_reason": _scope(f"coalesce({tags_sql('tags')}, {tags_sql('tag')})")
            if name == "unsubscribes"
            else f"CASE WHEN {_MADE_UP} THEN code END",
            "recipient": "address",
            "time": "created",
            "reply": "code",
            "status": "code",
            "text": f"CASE WHEN NOT {_MADE_UP} OR code IS NULL THEN error END",
            "own_text": "error",
            "tags": f"coalesce({tags_sql('tags')}, {tags_sql('tag')})" if name == "unsubscribes" else "NULL",
        },
        key=("recipient", "esp_type", "time"),
        note=note,
    )
    table = replace(
        page,
        kind="csv",
        fields={**page.fields, "address": "address|email|recipient", "created": "created_at|createdat|date"},
    )
    return page, table


_UNSURE = (
    "taken for complaints, which look like unsubscribes without tags: let the file's name say 'unsubscribes'"
)
_NOT_COMPLAINTS = "code error tags tag domain value"

LISTS = (
    *_list("bounces", "address code", "address error"),
    *_list("unsubscribes", "address tags", "address tag"),
    *_list("unsubscribes", "address created_at", lacks=_NOT_COMPLAINTS, hint=r"unsub|opt.?out"),
    *_list("bounces", "address created_at", lacks=_NOT_COMPLAINTS, hint=r"bounce"),
    *_list("complaints", "address created_at", lacks=_NOT_COMPLAINTS, hint=r"complain|spam"),
    *_list("complaints", "address created_at", lacks=_NOT_COMPLAINTS, note=_UNSURE),
)

_ALLOWED = literal("an entry of the allowlist, which is the opposite of a suppression")
ALLOWLIST = Format(
    provider="mailgun",
    name="allowlist",
    needs=("value createdAt", "type value reason"),
    container="items",
    fields={"value": "value"},
    columns={"event": "'other'", "recipient": "value"},
    ignored=_ALLOWED,
)
ALLOWLIST_TABLE = replace(
    ALLOWLIST,
    kind="csv",
    needs=("address domain",),
    only="address domain",
    container="",
    fields={"value": "address"},
)

_MEMBERS = "it is a mailing list; clean it with the events of other files"
_COUNTS = "it holds counts and no recipients"

REFUSED = (
    Format(
        provider="mailgun",
        name="mailing list",
        needs=("address subscribed",),
        container="items",
        refuse=_MEMBERS,
    ),
    Format(
        provider="mailgun", name="mailing list", kind="csv", needs=("address subscribed",), refuse=_MEMBERS
    ),
    Format(provider="mailgun", name="metrics", needs=("metrics",), container="items", refuse=_COUNTS),
    Format(provider="mailgun", name="statistics", needs=("stats resolution",), refuse=_COUNTS),
)

FORMATS = (
    WEBHOOK,
    EVENT_PAGE,
    LOGS_PAGE,
    LOGS_TABLE,
    LEGACY,
    replace(LEGACY, kind="json", needs=("event recipient token signature",), signs=()),
    LOG,
    *LISTS,
    ALLOWLIST,
    ALLOWLIST_TABLE,
    *REFUSED,
)

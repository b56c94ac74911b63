"""The frames of the package: column names, dtypes and allowed values, stated once.

Three kinds of fact stand side by side and never overwrite one another: what the wire said (reply code, enhanced
status code, diagnostic), what the ESP said (the ``esp_`` columns) and what the classifier concluded
(:data:`VERDICT_COLUMNS`). Everything else in the package asks this module for a name or a dtype.
"""

from __future__ import annotations

from dataclasses import dataclass

from bounceanalytics import esps
from bounceanalytics.schema.table import Column, Table

#: Name of an ESP, as it stands in the column ``provider`` -> what it calls itself.
ESPS = {esp.name: esp.title for esp in esps.ESPS.values()}
PROVIDERS = (*ESPS, "generic")

EVENTS = (
    "accepted",
    "delivered",
    "deferred",
    "bounced",
    "dropped",
    "rejected",
    "complained",
    "unsubscribed",
    "opened",
    "clicked",
    "suppressed",
    "other",
)

#: Events that say something about why mail did not arrive; the classifier gives them a reason.
FAILURE_EVENTS = ("deferred", "bounced", "dropped", "rejected", "suppressed")

#: Events that prove that the address takes mail.
SIGNS_OF_LIFE = ("delivered", "opened", "clicked")

CODE_CLASSES = ("success", "transient", "permanent")
BOUNCE_TYPES = ("hard", "soft", "block", "suppressed", "none", "unknown")
CATEGORIES = (
    "invalid_address",
    "mailbox_unavailable",
    "technical",
    "content",
    "reputation",
    "authentication",
    "volume",
    "suppressed",
    "unclassified",
)
FAULTS = ("recipient", "receiver", "sender", "content", "esp", "unknown")
ACTIONS = ("remove", "retry", "fix", "review")

#: What kind of evidence decided, the most telling first.
EVIDENCE = ("text", "enhanced code", "reply code", "ESP word", "code class", "second reader")


@dataclass(frozen=True, slots=True)
class Reason:
    """Why mail did not arrive, and what follows from it.

    Attributes
    ----------
    name : str
        Value of the ``reason`` column.
    category, bounce_type, fault, action : str
        The columns of the same name, for a permanent failure.
    transient_type, transient_action : str or None
        What stands there instead when the failure was transient; None where that makes no difference.
    title : str
        A few words for axes and tables.
    """

    name: str
    category: str
    bounce_type: str
    fault: str
    action: str
    title: str
    transient_type: str | None = None
    transient_action: str | None = None


_REASON_ROWS = (
    Reason("unknown_user", "invalid_address", "hard", "recipient", "remove", "Unknown user"),
    Reason("bad_domain", "invalid_address", "hard", "recipient", "remove", "Bad domain"),
    Reason("bad_syntax", "invalid_address", "hard", "recipient", "remove", "Bad address syntax"),
    Reason("moved", "invalid_address", "hard", "recipient", "remove", "Mailbox moved"),
    Reason("mailbox_disabled", "mailbox_unavailable", "hard", "recipient", "remove", "Mailbox disabled"),
    Reason("mailbox_full", "mailbox_unavailable", "soft", "recipient", "retry", "Mailbox full"),
    Reason("recipient_refused", "mailbox_unavailable", "hard", "recipient", "review", "Recipient refused"),
    Reason("system_full", "technical", "hard", "receiver", "remove", "Mail system full", "soft", "retry"),
    Reason("system_error", "technical", "soft", "receiver", "retry", "Mail system error"),
    Reason("network", "technical", "soft", "receiver", "retry", "Network"),
    Reason("dns_failure", "technical", "soft", "receiver", "retry", "DNS failure"),
    Reason("routing_loop", "technical", "soft", "receiver", "retry", "Routing loop"),
    Reason("expired", "technical", "soft", "receiver", "retry", "Delivery time expired"),
    Reason("protocol_error", "technical", "soft", "sender", "fix", "Protocol error"),
    Reason("tls", "technical", "soft", "sender", "fix", "TLS"),
    Reason("message_too_large", "content", "soft", "content", "fix", "Message too large"),
    Reason("content_rejected", "content", "block", "content", "fix", "Content rejected"),
    Reason("spam", "content", "block", "content", "fix", "Judged as spam"),
    Reason("virus", "content", "block", "content", "fix", "Virus found"),
    Reason("blocked", "reputation", "block", "sender", "fix", "Sender blocked"),
    Reason("policy", "reputation", "block", "sender", "fix", "Refused by policy"),
    Reason("authentication", "authentication", "block", "sender", "fix", "Authentication failed"),
    Reason("reverse_dns", "authentication", "block", "sender", "fix", "Reverse DNS"),
    Reason("sender_rejected", "authentication", "block", "sender", "fix", "Sender address rejected"),
    Reason("relay_denied", "authentication", "block", "sender", "fix", "Relaying denied"),
    Reason("rate_limited", "volume", "soft", "sender", "retry", "Rate limited"),
    Reason("greylisted", "volume", "soft", "receiver", "retry", "Greylisted"),
    Reason("suppressed", "suppressed", "suppressed", "esp", "review", "Suppressed by the ESP"),
    Reason("challenge", "technical", "soft", "recipient", "review", "Automatic reply"),
    Reason("unclassified", "unclassified", "unknown", "unknown", "review", "Not classified"),
)

#: Every reason by name, in the order of the documentation.
REASONS: dict[str, Reason] = {row.name: row for row in _REASON_ROWS}

EVENT_COLUMNS = Table(
    "an event frame",
    Column("provider", "category", "ESP that the export came from", PROVIDERS),
    Column("event", "category", "what happened, in one vocabulary for all ESPs", EVENTS),
    Column(
        "recipient",
        "string",
        "address as the ESP wrote it, without display name and brackets, domain lower-case",
    ),
    Column("domain", "string", "domain of the recipient, lower-case, IDNA ASCII form"),
    Column("timestamp", "timestamp", "time of the event in UTC; missing where the export has none"),
    Column("message_id", "string", "the ESP's or the sender's id of the message"),
    Column("event_id", "string", "the ESP's id of the event"),
    Column("reply_code", "Int16", "SMTP reply code such as 550; codes made up by an ESP are not replies"),
    Column("enhanced_code", "string", "enhanced status code such as 5.1.1"),
    Column("diagnostic", "string", "text of the remote server, lines joined"),
    Column("remote_host", "string", "receiving host name or address"),
    Column("sending_ip", "string", "address that the mail left from"),
    Column("esp_event", "string", "the ESP's own word for the event"),
    Column("esp_type", "string", "the ESP's own type"),
    Column("esp_reason", "string", "the ESP's own reason or classification"),
    Column("tags", "tags", "tags, categories or campaign of the message, as a JSON list"),
    Column("attempt", "Int16", "number of the delivery attempt, from 1"),
    Column("suspect", "bool", "a complaint that any of several recipients may have made"),
    Column("source", "string", "file that the row came from"),
    Column("record", "int64", "number of the record in that file, from 1"),
)

#: What a verdict depends on: two events that agree in these get the same one, since nothing else is looked at. Of an
#: event that is no failure only the event, the domain and the receiving host count.
VERDICT_INPUTS = Table(
    "a frame of what verdicts depend on",
    *EVENT_COLUMNS.select(
        (
            "provider",
            "event",
            "domain",
            "reply_code",
            "enhanced_code",
            "diagnostic",
            "remote_host",
            "esp_event",
            "esp_type",
            "esp_reason",
        )
    ),
)

VERDICT_COLUMNS = Table(
    "a classified frame",
    Column("code_class", "category", "from the enhanced code, else the reply code", CODE_CLASSES),
    Column("bounce_type", "category", "kind of failure; 'none' is no failure", BOUNCE_TYPES),
    Column("category", "category", "group of reasons", CATEGORIES),
    Column(
        "reason", "category", "why the mail did not arrive; missing where it is no failure", tuple(REASONS)
    ),
    Column("fault", "category", "who must act", FAULTS),
    Column("action", "category", "what to do with the address", ACTIONS),
    Column("rule", "string", "id of the rule that decided"),
    Column("conflict", "bool", "code, text and the ESP's word disagree on keeping the address"),
    Column("evidence", "category", "kind of evidence that decided; missing where nothing spoke", EVIDENCE),
    Column("mailbox_provider", "category", "who runs the mailbox: google, microsoft … else other"),
    Column("confidence", "float64", "how probable the reason is, 0 to 1; missing where it is no failure"),
)

#: What frames that were classified by version 0.1 lack; they are read without it.
ADDED_COLUMNS = ("confidence",)

#: What :func:`bounceanalytics.classify` returns.
BOUNCE_COLUMNS = Table(
    "a classified frame",
    *EVENT_COLUMNS,
    *VERDICT_COLUMNS,
)

FILE_COLUMNS = Table(
    "a frame of files",
    Column("source", "string", "file"),
    Column("provider", "string", "ESP that it came from; empty if it is no export"),
    Column("form", "string", "kind of export; empty if it is none"),
    Column("records", "int64", "records read: loaded + ignored + rejected"),
    Column("loaded", "int64", "records that became rows"),
    Column("ignored", "int64", "records left out on purpose"),
    Column("rejected", "int64", "records that could not be read"),
    Column("rows", "int64", "rows made of it"),
    Column("times", "string", "how its times were written"),
    Column("note", "string", "what else there is to say"),
)

IGNORED_COLUMNS = Table(
    "a frame of ignored records",
    Column("source", "string", "file"),
    Column("reason", "string", "why they were left out"),
    Column("records", "int64", "how many"),
)

REJECT_COLUMNS = Table(
    "a frame of rejected records",
    Column("source", "string", "file"),
    Column("record", "int64", "number of the record in that file, from 1"),
    Column(
        "offset", "int64", "byte offset of the record in the unpacked file; -1 where the reader cannot tell"
    ),
    Column("error", "string", "what is wrong with it"),
    Column("text", "string", "its first 500 characters"),
)


VERDICTS = ("remove", "hold", "keep")

#: How much stands behind a verdict: see :func:`bounceanalytics.decide`.
CONFIDENCES = ("high", "medium", "low")

#: Why an address got its verdict: the reasons of bounces, and two that are no bounces.
DECISION_REASONS = (*REASONS, "complained", "unsubscribed", "unsubscribed_partly")

DECISION_COLUMNS = Table(
    "a frame of verdicts",
    Column("address", "string", "address in normal form: trimmed, case folded, domain in IDNA ASCII form"),
    Column("domain", "string", "its domain"),
    Column("verdict", "category", "what to do with the address", VERDICTS),
    Column(
        "reason",
        "category",
        "what speaks or spoke against the address; missing where nothing ever did",
        DECISION_REASONS,
    ),
    Column("bounce_type", "category", "kind of failure of the deciding event", BOUNCE_TYPES),
    Column("fault", "category", "who must act, by the deciding event", FAULTS),
    Column("rule", "string", "id of the classifier's rule for the deciding event"),
    Column("code", "string", "enhanced code of the deciding event, else its reply code"),
    Column("confidence", "category", "how much stands behind the verdict", CONFIDENCES),
    Column("storm", "bool", "the deciding event lies in a storm: a server answered wrongly to many at once"),
    Column("trap_risk", "bool", "refused mail for over a year and then took it: may have become a spam trap"),
    Column("decided_at", "timestamp", "time of the deciding event"),
    Column("hold_until", "timestamp", "when the hold ends by itself; missing if it does not, or if not held"),
    Column("retry_on", "timestamp", "day from which a held address is likely to take mail again"),
    Column(
        "review_on",
        "timestamp",
        "day on which to look at it again, if removed or held for good",
    ),
    Column("first_seen", "timestamp", "first event of all"),
    Column("last_seen", "timestamp", "last event of all"),
    Column("first_bounced", "timestamp", "first bounce of all"),
    Column("last_bounced", "timestamp", "last bounce of all"),
    Column(
        "bounce_days",
        "int64",
        "UTC days with a bounce of any kind; all bounces without a time count as one day",
    ),
    Column("hard_days", "int64", "UTC days with a hard bounce"),
    Column("soft_days", "int64", "UTC days with a soft bounce"),
    Column("block_days", "int64", "UTC days with a block"),
    Column("conflicts", "int64", "events on which code, text and the ESP's word disagree"),
    Column("last_delivered", "timestamp", "last delivery"),
    Column("last_opened", "timestamp", "last open"),
    Column("last_clicked", "timestamp", "last click"),
    Column("complained_at", "timestamp", "last complaint"),
    Column("unsubscribed_at", "timestamp", "last unsubscribe"),
    Column(
        "suppressed_by", "string", "ESP whose list keeps mail from the address, for bounces or unknown causes"
    ),
    Column("source", "string", "file that the deciding event came from"),
    Column("record", "int64", "number of the deciding event's record in that file"),
    Column("explanation", "string", "the verdict as a sentence"),
)

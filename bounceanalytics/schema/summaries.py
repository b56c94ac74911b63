"""The summaries: a column means the same wherever it stands, and counts are messages unless it says otherwise."""

from __future__ import annotations

from bounceanalytics.schema.frames import ACTIONS, CATEGORIES, CODE_CLASSES, FAULTS, PROVIDERS, REASONS
from bounceanalytics.schema.table import Column, Table

#: Events that say what became of a message; all others count nowhere.
SENDING_EVENTS = ("delivered", "bounced", "deferred", "dropped", "rejected")

#: Domain of a recipient that has none.
NO_DOMAIN = "(none)"

#: Tag, or address that the mail left from, of a message that has none.
NO_NAME = "(none)"

#: Code of a bounce whose answer held none.
NO_CODE = "none"

#: The columns that several summaries share, by name.
_COLUMNS: dict[str, Column] = {
    column.name: column
    for column in (
        Column("domain", "string", "domain of the recipients; '(none)' where they have none"),
        Column(
            "registrable_domain",
            "string",
            "what one can register, by the public suffix list: a.b.example.co.uk is under example.co.uk",
        ),
        Column("remote_host", "string", "receiving mail server, by name or address"),
        Column("tag", "string", "tag, category or campaign; '(none)' where a message has none"),
        Column("sending_ip", "string", "address that the mail left from; '(none)' where unknown"),
        Column("mailbox_provider", "string", "who runs the mailboxes; 'other' where unknown"),
        Column("provider", "category", "ESP", PROVIDERS),
        Column("period", "timestamp", "start of the day, week or month"),
        Column("reason", "category", "why mail did not arrive", tuple(REASONS)),
        Column("title", "string", "the reason in a few words"),
        Column("category", "category", "group of reasons", CATEGORIES),
        Column("fault", "category", "who must act", FAULTS),
        Column("action", "category", "what to do with the address", ACTIONS),
        Column(
            "code_class",
            "category",
            "success, transient or permanent; missing where there is no code",
            CODE_CLASSES,
        ),
        Column("code", "string", "enhanced status code, else reply code, else 'none'"),
        Column("events", "int64", "sending events (not messages)"),
        Column("attempted", "int64", "delivered + bounced"),
        Column("delivered", "int64", "accepted by the receiving server"),
        Column("bounced", "int64", "hard + soft + block + unknown"),
        Column("hard", "int64", "bounced: the address does not take mail"),
        Column("soft", "int64", "bounced: for a time"),
        Column("block", "int64", "bounced: the sender or the content was refused"),
        Column("unknown", "int64", "bounced: for no reason that the classifier knows"),
        Column("dropped", "int64", "not tried by the ESP; not part of attempted"),
        Column(
            "system_full",
            "int64",
            "answered that the mail system is full: bounced, or deferred and not settled",
        ),
        Column("pending", "int64", "deferred and not settled within the export; not part of attempted"),
        Column("domains", "int64", "different domains (not messages)"),
        Column("addresses", "int64", "different addresses, upper and lower case alike (not messages)"),
        Column("share", "float64", "bounced, as a share of all bounces (0-1)", share=True),
        Column(
            "rated",
            "int64",
            "attempted messages of ESPs whose exports hold the deliveries of that time; the denominator of all rates",
        ),
        Column("deliveries_known", "bool", "whether rated is above 0; without, rates are missing"),
        Column("bounce_rate", "float64", "bounced / attempted (0-1), of the rated messages", share=True),
        Column("hard_rate", "float64", "hard / attempted (0-1), of the rated messages", share=True),
        Column("hard_low", "float64", "lower end of the 95% interval of hard_rate", share=True),
        Column("hard_high", "float64", "upper end of the 95% interval of hard_rate", share=True),
        Column(
            "hard_shrunk",
            "float64",
            "hard_rate drawn towards that of all messages, the more the fewer messages there are",
            share=True,
        ),
        Column(
            "counted",
            "int64",
            "dropped, and yet part of the bounce rate that the ESP holds against the account",
        ),
        Column(
            "account_rate",
            "float64",
            "that rate: hard and counted, as a share of rated and counted (0-1)",
            share=True,
        ),
        Column("first_seen", "timestamp", "time of the first message, UTC"),
        Column("last_seen", "timestamp", "time of the last message, UTC"),
        Column("top_reason", "category", "reason of most of its bounces", tuple(REASONS)),
        Column(
            "trend",
            "category",
            "rising or falling: hard_rate has changed steadily; steady; missing where too few messages tell",
            ("rising", "steady", "falling"),
        ),
        Column(
            "spike",
            "bool",
            "whether hard bounces or blocks of the last period are far above the domain's own past",
        ),
        Column(
            "changed_at",
            "timestamp",
            "start of the period since which hard_rate is another, UTC; missing where it never changed for good",
        ),
    )
}

_BOUNCES = ("bounced", "hard", "soft", "block", "unknown")
_COUNTS = ("attempted", "delivered", *_BOUNCES, "dropped", "pending")
_RATES = ("rated", "deliveries_known", "bounce_rate", "hard_rate", "hard_low", "hard_high")
_REACH = ("domains", "addresses")
_SEEN = ("first_seen", "last_seen")
_OF_GROUPS = (*_COUNTS, *_REACH, *_RATES, *_SEEN, "top_reason")


def _table(of: str, *names: str) -> Table:
    return Table(f"a summary of {of}", *(_COLUMNS[name] for name in names))


#: Every summary, by the name that it has in :class:`bounceanalytics.summaries.Summaries`.
SUMMARIES: dict[str, Table] = {
    "domains": _table(
        "domains",
        "domain",
        "mailbox_provider",
        "registrable_domain",
        *_COUNTS,
        "addresses",
        *_RATES,
        "hard_shrunk",
        *_SEEN,
        "top_reason",
        "trend",
        "spike",
        "changed_at",
    ),
    "registrable_domains": _table(
        "registrable domains",
        "registrable_domain",
        *_COUNTS,
        *_REACH,
        *_RATES,
        "hard_shrunk",
        *_SEEN,
        "top_reason",
    ),
    "providers": _table("mailbox providers", "mailbox_provider", *_OF_GROUPS),
    "tags": _table("tags", "tag", *_OF_GROUPS),
    "sending_ips": _table("sending IPs", "sending_ip", *_OF_GROUPS),
    "hosts": _table(
        "mail servers",
        "remote_host",
        "registrable_domain",
        *_COUNTS,
        "system_full",
        *_REACH,
        *_RATES,
        *_SEEN,
        "top_reason",
    ),
    "reasons": _table(
        "reasons",
        "reason",
        "title",
        "category",
        "fault",
        "action",
        *_BOUNCES,
        "dropped",
        "share",
        *_REACH,
        *_SEEN,
    ),
    "days": _table("days", "period", *_COUNTS, *_RATES),
    "domain_days": _table("domains and days", "domain", "period", *_COUNTS, *_RATES),
    "changes": Table(
        "a summary of changes",
        Column("name", "string", "domain or mailbox provider"),
        _COLUMNS["mailbox_provider"],
        Column("measure", "category", "hard or block: which bounces", ("hard", "block")),
        Column(
            "kind",
            "category",
            "spike: the last period alone; rise or fall: since then, and for good",
            ("spike", "rise", "fall"),
        ),
        Column("at", "timestamp", "start of the period since when, UTC"),
        Column("attempted_before", "int64", "rated messages before that"),
        Column("failed_before", "int64", "of these, bounced hard or blocked"),
        Column("rate_before", "float64", "failed_before / attempted_before (0-1)", share=True),
        Column("attempted_after", "int64", "rated messages since"),
        Column("failed_after", "int64", "of these, bounced hard or blocked"),
        Column("rate_after", "float64", "failed_after / attempted_after (0-1)", share=True),
        Column(
            "p_value",
            "float64",
            "chance of such a difference without any change, over all the places where one was looked for",
        ),
    ),
    "domain_reasons": _table(
        "domains and reasons", "domain", "reason", "title", *_BOUNCES, "addresses", *_SEEN
    ),
    "codes": _table("codes", "code_class", "category", "reason", "code", *_BOUNCES, *_REACH),
    "system_full": Table(
        "a summary of full mail systems",
        _COLUMNS["domain"],
        _COLUMNS["mailbox_provider"],
        Column("first_seen", "timestamp", "time of the first such answer, UTC"),
        Column("last_seen", "timestamp", "time of the last such answer, UTC"),
        _COLUMNS["addresses"],
        Column("bounces", "int64", "that met 'mail system full', deferred ones included"),
        Column("permanent", "int64", "of these, with a permanent answer (5.3.1)"),
        Column("transient", "int64", "of these, with transient answers only (4.3.1)"),
        Column("accepted_between", "int64", "delivered between the first and the last such answer"),
        Column(
            "accepted_again", "timestamp", "time of the first delivery after the last permanent answer, UTC"
        ),
        Column("last_accepted", "timestamp", "time of the last delivery, UTC"),
        Column("recovered", "bool", "whether mail was accepted again"),
        Column(
            "weeks_out", "float64", "weeks from the first answer to accepted_again, else to the last answer"
        ),
    ),
    "esps": _table(
        "ESPs", "provider", "events", *_COUNTS, *_REACH, *_RATES, "counted", "account_rate", *_SEEN
    ),
    "actions": _table("actions", "action", "fault", *_BOUNCES, *_REACH),
}

"""The columns of every summary, in order, and their dtypes; a name means the same wherever it stands."""

from __future__ import annotations

from typing import Any

import pandas as pd

from bounceanalytics.schema import ACTIONS, CATEGORIES, CODE_CLASSES, FAULTS, PROVIDERS, REASONS

#: Events that say what became of a message; all others count nowhere.
SENDING_EVENTS = ("delivered", "bounced", "deferred", "dropped", "rejected")

#: Domain of a recipient that has none.
NO_DOMAIN = "(none)"

#: Tag, or address that the mail left from, of a message that has none.
NO_NAME = "(none)"

#: Code of a bounce whose answer held none.
NO_CODE = "none"

_TEXT = pd.StringDtype("pyarrow", na_value=float("nan"))
_TIME = pd.DatetimeTZDtype("us", "UTC")

_COUNTS = ("attempted", "delivered", "bounced", "hard", "soft", "block", "unknown", "dropped", "pending")
_RATES = ("rated", "deliveries_known", "bounce_rate", "hard_rate", "hard_low", "hard_high")
_REACH = ("domains", "addresses")
_BOUNCES = ("bounced", "hard", "soft", "block", "unknown")
_SEEN = ("first_seen", "last_seen")

#: Columns of each summary, in order.
COLUMNS: dict[str, tuple[str, ...]] = {
    "domains": (
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
    "registrable_domains": (
        "registrable_domain",
        *_COUNTS,
        *_REACH,
        *_RATES,
        "hard_shrunk",
        *_SEEN,
        "top_reason",
    ),
    "providers": ("mailbox_provider", *_COUNTS, *_REACH, *_RATES, *_SEEN, "top_reason"),
    "tags": ("tag", *_COUNTS, *_REACH, *_RATES, *_SEEN, "top_reason"),
    "sending_ips": ("sending_ip", *_COUNTS, *_REACH, *_RATES, *_SEEN, "top_reason"),
    "reasons": (
        "reason",
        "title",
        "category",
        "fault",
        "action",
        *_BOUNCES,
        "dropped",
        "share",
        "domains",
        "addresses",
        *_SEEN,
    ),
    "days": ("period", *_COUNTS, *_RATES),
    "domain_days": ("domain", "period", *_COUNTS, *_RATES),
    "changes": (
        "name",
        "mailbox_provider",
        "measure",
        "kind",
        "at",
        "attempted_before",
        "failed_before",
        "rate_before",
        "attempted_after",
        "failed_after",
        "rate_after",
        "p_value",
    ),
    "domain_reasons": ("domain", "reason", "title", *_BOUNCES, "addresses", *_SEEN),
    "codes": ("code_class", "category", "reason", "code", *_BOUNCES, "domains", "addresses"),
    "system_full": (
        "domain",
        "mailbox_provider",
        *_SEEN,
        "addresses",
        "bounces",
        "permanent",
        "transient",
        "accepted_between",
        "accepted_again",
        "last_accepted",
        "recovered",
        "weeks_out",
    ),
    "esps": ("provider", "events", *_COUNTS, "domains", "addresses", *_RATES, *_SEEN),
    "actions": ("action", "fault", *_BOUNCES, "domains", "addresses"),
}

_CATEGORY_VALUES = {
    "provider": PROVIDERS,
    "reason": tuple(REASONS),
    "top_reason": tuple(REASONS),
    "category": CATEGORIES,
    "fault": FAULTS,
    "action": ACTIONS,
    "code_class": CODE_CLASSES,
    "trend": ("rising", "steady", "falling"),
    "measure": ("hard", "block"),
    "kind": ("spike", "rise", "fall"),
}
_TEXTS = ("domain", "registrable_domain", "mailbox_provider", "tag", "sending_ip", "name", "title", "code")
_TIMES = (*_SEEN, "period", "accepted_again", "last_accepted", "changed_at", "at")
_FLAGS = ("deliveries_known", "recovered", "spike")
_SHARES = (
    "bounce_rate",
    "hard_rate",
    "hard_low",
    "hard_high",
    "hard_shrunk",
    "share",
    "weeks_out",
    "rate_before",
    "rate_after",
    "p_value",
)

#: What each column means; counts are messages unless it says otherwise.
MEANINGS: dict[str, str] = {
    "domain": "domain of the recipients; '(none)' where they have none",
    "registrable_domain": "what one can register, by the public suffix list: a.b.example.co.uk is under example.co.uk",
    "tag": "tag, category or campaign; '(none)' where a message has none",
    "sending_ip": "address that the mail left from; '(none)' where unknown",
    "name": "domain or mailbox provider",
    "mailbox_provider": "who runs the mailboxes; 'other' where unknown",
    "provider": "ESP",
    "period": "start of the day or week",
    "reason": "why mail did not arrive",
    "title": "the reason in a few words",
    "category": "group of reasons",
    "fault": "who must act",
    "action": "what to do with the address",
    "code_class": "success, transient or permanent; missing where there is no code",
    "code": "enhanced status code, else reply code, else 'none'",
    "events": "sending events (not messages)",
    "attempted": "delivered + bounced",
    "delivered": "accepted by the receiving server",
    "bounced": "hard + soft + block + unknown",
    "hard": "bounced: the address does not take mail",
    "soft": "bounced: for a time",
    "block": "bounced: the sender or the content was refused",
    "unknown": "bounced: for no reason that the classifier knows",
    "dropped": "not tried by the ESP; not part of attempted",
    "pending": "deferred and not settled within the export; not part of attempted",
    "domains": "different domains (not messages)",
    "addresses": "different addresses, upper and lower case alike (not messages)",
    "share": "bounced, as a share of all bounces (0-1)",
    "rated": "attempted messages of ESPs whose exports hold the deliveries of that time; the denominator of all rates",
    "deliveries_known": "whether rated is above 0; without, rates are missing",
    "bounce_rate": "bounced / attempted (0-1), of the rated messages",
    "hard_rate": "hard / attempted (0-1), of the rated messages",
    "hard_low": "lower end of the 95% interval of hard_rate",
    "hard_high": "upper end of the 95% interval of hard_rate",
    "hard_shrunk": "hard_rate drawn towards that of all messages, the more the fewer messages there are",
    "trend": "rising or falling: hard_rate has changed steadily; steady; missing where too few messages tell",
    "spike": "whether hard bounces or blocks of the last period are far above the domain's own past",
    "changed_at": "start of the period since which hard_rate is another, UTC; missing where it never changed for good",
    "measure": "hard or block: which bounces",
    "kind": "spike: the last period alone; rise or fall: since then, and for good",
    "at": "start of the period since when, UTC",
    "attempted_before": "rated messages before that",
    "failed_before": "of these, bounced hard or blocked",
    "rate_before": "failed_before / attempted_before (0-1)",
    "attempted_after": "rated messages since",
    "failed_after": "of these, bounced hard or blocked",
    "rate_after": "failed_after / attempted_after (0-1)",
    "p_value": "chance of such a difference without any change, over all the places where one was looked for",
    "first_seen": "time of the first message (of the first such answer in system_full), UTC",
    "last_seen": "time of the last message (of the last such answer in system_full), UTC",
    "top_reason": "reason of most of its bounces",
    "bounces": "that met 'mail system full', deferred ones included",
    "permanent": "of these, with a permanent answer (5.3.1)",
    "transient": "of these, with transient answers only (4.3.1)",
    "accepted_between": "delivered between the first and the last such answer",
    "accepted_again": "time of the first delivery after the last permanent answer, UTC",
    "last_accepted": "time of the last delivery, UTC",
    "recovered": "whether mail was accepted again",
    "weeks_out": "weeks from the first answer to accepted_again, else to the last answer",
}


def dtype(column: str) -> Any:
    """Return the pandas dtype of a column of any summary; counts are int64."""
    if column in _CATEGORY_VALUES:
        return pd.CategoricalDtype(list(_CATEGORY_VALUES[column]))
    for names, kind in ((_TEXTS, _TEXT), (_TIMES, _TIME), (_FLAGS, "bool"), (_SHARES, "float64")):
        if column in names:
            return kind
    return "int64"


def tidy(frame: pd.DataFrame, summary: str) -> pd.DataFrame:
    """Return the columns of that summary, in order and with their dtypes."""
    names = COLUMNS[summary]
    return frame.astype({name: dtype(name) for name in names})[list(names)]

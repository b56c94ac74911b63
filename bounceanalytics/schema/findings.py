"""The frames of what was found: storms, recovery, incidents, reviews, runs of cleaning, and the ledger."""

from __future__ import annotations

from bounceanalytics.schema.frames import (
    ACTIONS,
    BOUNCE_TYPES,
    CATEGORIES,
    CODE_CLASSES,
    FAULTS,
    REASONS,
)
from bounceanalytics.schema.table import Column, Table

STORM_COLUMNS = Table(
    "a summary of storms",
    Column(
        "kind",
        "category",
        'unknown_users: a mailbox provider said "no such user" of users that it has; everything: nearly '
        "all mail of an ESP bounced, wherever it went",
        ("unknown_users", "everything"),
    ),
    Column("provider", "string", "that ESP, where everything bounced"),
    Column("mailbox_provider", "string", "who said it, where it was unknown_users"),
    Column(
        "domain",
        "string",
        "the domain, where its mailbox provider is 'other'; what they have in common, where many domains were struck "
        "at once: the mail server, or in quotation marks the answer",
    ),
    Column("start", "timestamp", "when the first message was sent that was refused so"),
    Column("end", "timestamp", "when the last one was"),
    Column("hits", "int64", "messages whose answer would remove the address"),
    Column("addresses", "int64", "different addresses refused"),
    Column("attempts", "int64", "different addresses tried in that time"),
    Column("share", "float64", "addresses / attempts (0-1)", share=True),
    Column(
        "usual_share",
        "float64",
        "such answers as a share of attempts at other times (0-1); missing where there was none",
        share=True,
    ),
    Column("accepted_before", "int64", "refused addresses that had taken mail before"),
    Column("recovered", "int64", "refused addresses that took mail later"),
    Column("p_value", "float64", "chance of so many in the most unlikely of its hours"),
    Column("explanation", "string", "a sentence, without addresses"),
)

#: Days for which :func:`bounceanalytics.recovery` gives the share.
RECOVERY_DAYS = (1, 3, 7, 14, 30, 60, 90)

_GROUP = (
    Column("reason", "string", "of the first bounce of the episode, or 'all'"),
    Column("mailbox_provider", "string", "who runs the mailbox, or 'all'"),
)

CURVE_COLUMNS = Table(
    "a frame of recovery curves",
    *_GROUP,
    Column("episodes", "int64", "episodes of the group"),
    Column("day", "int64", "days since the first bounce, rounded"),
    Column(
        "at_risk",
        "int64",
        "episodes that were still tried on that day or later, and had not recovered before",
    ),
    Column("recovered", "int64", "episodes that recovered up to and on that day"),
    Column(
        "no_longer_tried",
        "int64",
        "episodes that had not recovered when they were last tried, up to and on that day and two weeks or more "
        "before the end of the history",
    ),
    Column("share", "float64", "estimated share recovered by that day (0-1)", share=True),
    *(
        Column(
            name,
            "float64",
            "its 95% interval (log-log); missing where nobody or everybody has recovered",
            share=True,
        )
        for name in ("low", "high")
    ),
)

RECOVERY_COLUMNS = Table(
    "a summary of recovery",
    *_GROUP,
    Column("episodes", "int64", "times that an address began to bounce"),
    Column("recovered", "int64", "of these, those that were seen to end with mail taken again"),
    Column(
        "no_longer_tried",
        "int64",
        "of these, those that had not recovered when they were last tried, two weeks or more before the end of the "
        "history",
    ),
    *(
        Column(f"{name}_{day}", "float64", meaning, share=True)
        for day in RECOVERY_DAYS
        for name, meaning in (
            (
                "share",
                "estimated share recovered within so many days (0-1); missing where nobody was tried for so long",
            ),
            ("low", "lower end of its 95% interval"),
            ("high", "upper end of its 95% interval"),
        )
    ),
    Column("median_days", "float64", "day by which half have recovered; missing if they never did"),
)

RETRY_COLUMNS = Table(
    "a frame of days to wait",
    Column("reason", "string", "why mail did not arrive"),
    Column("mailbox_provider", "string", "who runs the mailbox, or 'all'"),
    Column("retry_days", "int64", "days to wait, at least 1"),
    Column("episodes", "int64", "of that reason and provider"),
    Column(
        "source", "string", "'measured' (at this mailbox provider), 'measured over all providers' or 'usual'"
    ),
)


INCIDENT_COLUMNS = Table(
    "a frame of incidents",
    Column(
        "kind",
        "category",
        "storm: many good addresses refused at once; block: a mailbox provider began to refuse the sender; "
        "spike: one sent back more for good; refusal: one took nothing for a time; full: a domain's mail system "
        "was full; recovery: one of these passed",
        ("storm", "block", "spike", "refusal", "full", "recovery"),
    ),
    Column("start", "timestamp", "when it began"),
    Column("end", "timestamp", "when it ended; missing where it has no end"),
    Column("name", "string", "mailbox provider, domain or ESP"),
    Column("reached", "int64", "addresses, of changes messages"),
    Column("title", "string", "a few words"),
    Column("sentence", "string", "what happened, without addresses"),
)

OUTCOME_COLUMNS = Table(
    "a comparison of policies",
    Column("policy", "string", "name of the policy"),
    Column("addresses", "int64", "addresses in the history"),
    Column("removed", "int64", "addresses that the policy would have removed at some time"),
    Column("wished", "int64", "of these, for a complaint or an unsubscribe"),
    Column("held", "int64", "held at some time and never removed"),
    Column("wrongly_removed", "int64", "removed for bounces, and then took mail after all"),
    Column("deliveries_lost", "int64", "how many messages these took"),
    Column("bounced", "int64", "all bounces"),
    Column("bounces_avoided", "int64", "those after the removal of their address"),
    Column(
        "wrong_share",
        "float64",
        "wrongly removed of all that were removed for bounces (0-1); missing where there were none",
        share=True,
    ),
    Column(
        "avoided_share", "float64", "bounces avoided of all (0-1); missing where there were none", share=True
    ),
)

_TEMPLATE = Column("template", "string", "what the text says, without addresses, hosts and ids")
_REPLY = Column("reply_code", "Int16", "SMTP reply; of several the most frequent")
_ENHANCED = Column("enhanced_code", "string", "enhanced status code; of several the most frequent")
_KINDS_OF_TEXT = (
    Column("addresses", "int64", "different addresses"),
    Column("events", "int64", "events"),
    Column("domains", "int64", "different domains"),
    Column("worst_domain", "string", "the domain with the most events"),
    Column("first_seen", "timestamp", "first event"),
    Column("last_seen", "timestamp", "last event"),
)

CONFLICT_COLUMNS = Table(
    "a frame of conflicts",
    _TEMPLATE,
    Column("reply_code", "Int16", "SMTP reply"),
    Column("enhanced_code", "string", "enhanced status code"),
    Column("esp_type", "string", "the ESP's own type"),
    Column("esp_reason", "string", "the ESP's own reason"),
    Column("reason", "string", "why mail did not arrive, as concluded"),
    Column("action", "string", "what to do with the address, as concluded"),
    Column("rule", "string", "id of the rule that decided"),
    *(Column(f"{voter}_says", "string", "'remove', 'keep' or empty") for voter in ("text", "code", "esp")),
    *_KINDS_OF_TEXT,
)

UNCLASSIFIED_COLUMNS = Table(
    "a frame of texts that no rule understood",
    _TEMPLATE,
    *_KINDS_OF_TEXT,
    _REPLY,
    _ENHANCED,
    Column("rule_line", "string", "TOML for a file of own rules; its reason is a guess"),
)

LINT_COLUMNS = Table(
    "a frame of findings on rules",
    Column("rule", "string", "id of the rule"),
    Column("kind", "string", "kind of finding"),
    Column("finding", "string", "a sentence"),
)

_STEPS = {
    "causes": "why it comes",
    "do_now": "what to do at once",
    "do_later": "what to do later",
    "investigate": "what to look into",
    "recipient_side": "what the recipient's side can do",
    "practices": "good practice",
}

CODE_COLUMNS = Table(
    "the registry of codes",
    Column("code", "string", "enhanced status code, reply code, or code of a vendor"),
    Column("kind", "category", "enhanced, reply or vendor", ("enhanced", "reply", "vendor")),
    Column("code_class", "category", "success, transient or permanent", CODE_CLASSES),
    Column("title", "string", "what it is called"),
    Column("meaning", "string", "what it means"),
    Column("reason", "category", "what follows from the code alone", tuple(REASONS)),
    Column("bounce_type", "category", "what follows from the code alone", BOUNCE_TYPES),
    Column("category", "category", "what follows from the code alone", CATEGORIES),
    Column("fault", "category", "what follows from the code alone", FAULTS),
    Column("action", "category", "what follows from the code alone", ACTIONS),
    Column("specific", "bool", "whether the code alone tells the reason"),
    *(Column(name, "list", meaning) for name, meaning in _STEPS.items()),
    Column("related", "list", '"code: difference"'),
    Column("texts", "list", '"kind: text"'),
    Column("disputed", "string", "where sources disagree on it"),
    Column("source", "string", "RFC section or page of the vendor"),
    Column("registered", "string", "IANA, the vendor that made the code up, or not registered"),
)

REASON_COLUMNS = Table(
    "a count of reasons",
    Column("part", "string", "removed, held or unreadable"),
    Column("reason", "string", "why"),
    Column("rows", "int64", "rows of the list"),
)

_ADDRESS = Column("address", "string", "in normal form")

#: With address after domain, which is shown where it is asked for.
DIFF_COLUMNS = Table(
    "a comparison of two runs",
    Column("domain", "string", "domain of the address"),
    _ADDRESS,
    Column("row_before", "Int64", "number in the first list, from 1; missing where it is not in it"),
    Column("row_after", "Int64", "number in the second list, from 1; missing where it is not in it"),
    Column("part_before", "string", "where the first run put it"),
    Column("part_after", "string", "where the second run put it"),
    Column("reason_before", "string", "why, by the first run; missing where it was kept"),
    Column("reason_after", "string", "why, by the second run; missing where it was kept"),
    Column("why", "string", "a sentence"),
)

_AGAINST = Column("reason", "string", "what speaks against the address")
_SENTENCE = Column("explanation", "string", "the verdict as a sentence")

MATCH_COLUMNS = Table(
    "a frame of verdicts",
    _ADDRESS,
    Column("verdict", "string", "always 'remove'"),
    _AGAINST,
    Column("code", "string", "always missing"),
    _SENTENCE,
    Column("source", "string", "name of the file of hashes"),
    Column("record", "int64", "number of the hash in its file, from 1"),
    Column("decided_at", "timestamp", "since when it is suppressed"),
)

LEDGER_COLUMNS = Table(
    "a frame of ledger entries",
    Column("address", "string", "in normal form; missing where only a hash is known"),
    Column("hash", "string", "hash of the address, where only that is known"),
    Column("domain", "string", "its domain"),
    Column("verdict", "string", "'remove', 'hold', or 'keep' once that is over"),
    _AGAINST,
    Column("code", "string", "enhanced code, else reply code"),
    _SENTENCE,
    Column("source", "string", "file that the deciding event came from"),
    Column("record", "Int64", "number of the record in that file"),
    Column("decided_at", "timestamp", "time of the deciding event"),
    Column("first_seen", "timestamp", "first event of all"),
    Column("last_seen", "timestamp", "last event of all"),
    Column("hold_until", "timestamp", "when the hold ends by itself; missing if it does not, or if not held"),
    Column("review_on", "timestamp", "day on which to look at it again; missing for never"),
)

_VERDICT_BEFORE = Column("verdict_before", "string", "the verdict until then; missing for a new entry")
_VERDICT_SINCE = Column("verdict", "string", "the verdict since")
_WHY_CHANGED = Column("why", "string", "what was said of the change")
_RUN = Column("run", "string", "name of the run")
_MADE_AT = Column("made_at", "timestamp", "when the entry was changed")

LEDGER_NEWS_COLUMNS = Table(
    "a frame of changed ledger entries",
    *LEDGER_COLUMNS.select(["address", "hash", "domain"]),
    Column("change", "string", "'added', 'held', 'lifted', or 'changed' for another reason"),
    _VERDICT_BEFORE,
    _VERDICT_SINCE,
    _AGAINST,
    _WHY_CHANGED,
    _RUN,
    _MADE_AT,
)

LEDGER_HISTORY_COLUMNS = Table(
    "a history of ledger entries",
    _MADE_AT,
    _RUN,
    _VERDICT_BEFORE,
    _VERDICT_SINCE,
    _AGAINST,
    _WHY_CHANGED,
    _ADDRESS,
)

LEDGER_DOMAIN_COLUMNS = Table(
    "a frame of full mail systems",
    Column("domain", "string", "domain"),
    Column("suppressed", "int64", "addresses that are suppressed or held for it"),
    Column("first_full", "timestamp", "when it was full first"),
    Column("last_full", "timestamp", "when it was full last"),
    Column("last_delivered", "timestamp", "when it last took mail"),
    Column("recovered", "bool", "it took mail after it was last full"),
    Column("advice", "string", "what to do with its addresses"),
)

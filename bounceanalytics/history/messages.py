"""Messages of a history: the outcome of each mail, for the summaries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from bounceanalytics import schema
from bounceanalytics.knowledge.rules import esp_words

Freq = Literal["D", "W", "M"]

if TYPE_CHECKING:
    from bounceanalytics.history.history import History

#: The columns that messages are made of.
MESSAGE_COLUMNS = (
    "provider",
    "event",
    "recipient",
    "domain",
    "timestamp",
    "message_id",
    "event_id",
    "reply_code",
    "enhanced_code",
    "remote_host",
    "sending_ip",
    "tags",
    "esp_type",
    "source",
    "record",
    "code_class",
    "bounce_type",
    "category",
    "reason",
    "fault",
    "action",
    "mailbox_provider",
    "rule",
)

#: Periods longer than this are told by week, and those longer than that by month.
MOST_DAYS, MOST_DAYS_BY_WEEK = 35, 730

#: Days before the first and after the last delivery of an export within which a bounce has a rate.
_SLACK_DAYS = 5

# Words that repeat, as types of the engine: a number for each word, in the order of the words. Copying, grouping and
# sorting of numbers takes a seventh of the time. The words that queries name, and where the others are found.
_WORDS: dict[str, tuple[tuple[str, ...], str]] = {
    "provider": (schema.PROVIDERS, "SELECT provider FROM events"),
    "domain": ((schema.NO_DOMAIN,), "SELECT domain FROM mailboxes"),
    "outcome": (("delivered", "bounced", "dropped", "pending"), "SELECT NULL"),
    "code": ((schema.NO_CODE,), "SELECT coalesce(enhanced_code, reply_code::VARCHAR) FROM events"),
    "code_class": (schema.CODE_CLASSES, "SELECT code_class FROM events"),
    "bounce_type": (schema.BOUNCE_TYPES, "SELECT bounce_type FROM events"),
    "category": (schema.CATEGORIES, "SELECT category FROM events"),
    "reason": (tuple(schema.REASONS), "SELECT reason FROM events"),
    "fault": (schema.FAULTS, "SELECT fault FROM events"),
    "action": (schema.ACTIONS, "SELECT action FROM events"),
    "mailbox_provider": (("other",), "SELECT mailbox_provider FROM mailboxes"),
    "remote_host": ((), "SELECT lower(rtrim(remote_host, '.')) FROM events"),
    "sending_ip": ((schema.NO_NAME,), "SELECT sending_ip FROM events"),
    "tags": ((schema.NO_NAME,), "SELECT tags FROM events"),
    "source": ((), "SELECT source FROM events"),
}


def gather_messages(history: History) -> None:
    """Make the tables of messages in a history.

    ``sending`` (events of sent mail), ``sends`` (one row per message, with its ``outcome`` and whether it is ``rated``,
    part of the denominator of rates) and ``mailboxes`` (who runs each domain).

    Raises
    ------
    FrameError
        If a column is missing, or holds something else than it does in a classified frame.
    """
    history.once("messages", lambda: _make(history))


def _make(history: History) -> None:
    history.gather(MESSAGE_COLUMNS)
    history.mailboxes()
    history.each(_make_types)
    counted = [word.id for word in esp_words() if word.counted]
    terms = {"counted": counted, "no_code": schema.NO_CODE, "no_name": schema.NO_NAME}
    history.count("history", "sending", "reaches", sending=schema.SENDING_EVENTS, **terms)
    history.finish("history", "coverage", "coverage", slack=_SLACK_DAYS)
    history.run("history", "messages", no_name=schema.NO_NAME)
    history.count("history", "spans", "spans")


def _make_types(history: History) -> None:
    for name, (words, found) in _WORDS.items():
        history.database.execute(
            f"""CREATE OR REPLACE TYPE {name}_type AS ENUM (
                SELECT word::VARCHAR FROM (SELECT DISTINCT word FROM ({found}) AS _(word) UNION SELECT unnest($words))
                WHERE word IS NOT NULL ORDER BY 1)""",
            {"words": list(words)},
        )


def usual_freq(history: History) -> Freq:
    """Return days for some weeks of mail, weeks for more, months for years."""
    span = history.table("SELECT date_diff('day', min(first), max(last)) AS days FROM spans")["days"][
        0
    ].as_py()
    if span is None or span <= MOST_DAYS:
        return "D"
    return "W" if span <= MOST_DAYS_BY_WEEK else "M"

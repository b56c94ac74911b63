"""The words that people read: numbers, shares and dates, and what the values of a column are called."""

from __future__ import annotations

import html
import math
import reprlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from bounceanalytics.privacy import discreet, is_content, shown
from bounceanalytics.schema import ESPS, REASONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_ELLIPSIS = "…"


@dataclass(frozen=True, slots=True)
class Words:
    """Names of one value of a column.

    Attributes
    ----------
    short : str
        A word or two, for a cell or a phone.
    title : str
        For the legend of a chart on paper: the short one and what it means.
    explained : str
        For the card of an explanation.
    phrase : str
        Within a sentence.
    """

    short: str
    title: str
    explained: str
    phrase: str


TYPES = {
    "hard": Words("Hard", "Hard: the address takes no mail", "hard bounce: the failure lasts", "hard bounce"),
    "soft": Words("Soft", "Soft: for a time", "soft bounce: the failure passes", "soft bounce"),
    "block": Words(
        "Block",
        "Block: sender or content refused",
        "block: the sender or the message was refused, not the address",
        "block",
    ),
    "suppressed": Words(
        "Not tried", "Not tried: suppressed by the ESP", "suppressed: the ESP did not try", "not tried"
    ),
    "none": Words("No failure", "No failure", "no failure", "no failure"),
    "unknown": Words("Not classified", "Not classified", "not known", "kind not known"),
}

FAULTS = {
    "recipient": Words(
        "Recipient",
        "Recipient: address or mailbox",
        "the recipient, or nobody",
        "the recipients (addresses that are wrong, closed or full)",
    ),
    "receiver": Words(
        "Receiver", "Receiving server", "the receiving side's administrator", "the receiving servers"
    ),
    "sender": Words(
        "Sender",
        "Sender: reputation, set-up, pace",
        "the sender",
        "the sender (reputation, authentication, set-up, pace)",
    ),
    "content": Words(
        "Content", "Content of the message", "the sender, in this message", "the content of the messages"
    ),
    "esp": Words("ESP", "ESP", "the ESP, or whoever keeps its suppression list", "the ESP"),
    "unknown": Words("Unknown", "Unknown", "not known", "nobody that can be told"),
}

ACTIONS = {
    "remove": Words(
        "Remove",
        "Remove: mail will never arrive",
        "remove: take the address off the list and do not mail it again",
        "remove the address",
    ),
    "retry": Words(
        "Try again",
        "Try again: it failed for now",
        "retry: keep the address; a later attempt may succeed",
        "keep the address and retry",
    ),
    "fix": Words(
        "Keep and fix",
        "Keep and fix: the sender's side",
        "fix: keep the address; the sender has something to put right",
        "keep the address and fix the sending side",
    ),
    "review": Words(
        "Look at",
        "Look at: a person decides",
        "review: hold the address until somebody has looked at it",
        "hold the address for review",
    ),
}

#: Kind of bounces whose rate may change -> what they are called, and what became of the messages.
MEASURES = {"hard": ("Hard bounces", "bounced hard"), "block": ("Blocks", "were blocked")}


#: States of a domain, those first that need a look -> what they are called.
STATES = {
    "full": "Mail system full",
    "refusing": "Refuses everybody",
    "no_mail": "Takes no mail",
    "gone": "Does not exist",
    "parked": "Parked",
    "unreachable": "Unreachable",
    "unknown": "Not known",
    "healthy": "Takes mail",
}


def fault_title(name: str) -> str:
    """Return who must act, in a word or three.

    >>> fault_title("receiver"), fault_title("sender")
    ('Receiving server', 'Sender')
    """
    return FAULTS[name].title.partition(":")[0] if name in FAULTS else name


def reason_title(name: Any) -> str:
    """Return the title of a reason; empty for a missing one.

    >>> reason_title("mailbox_full"), reason_title(None)
    ('Mailbox full', '')
    """
    if pd.isna(name):
        return ""
    return REASONS[name].title if name in REASONS else str(name)


def esp_title(name: str) -> str:
    """Return the name of an ESP as it writes itself.

    >>> esp_title("ses"), esp_title("generic")
    ('Amazon SES', 'other ESPs')
    """
    return "other ESPs" if name == "generic" else ESPS.get(name, name)


def number(value: float) -> str:
    """Return ``12,345``.

    >>> number(12345)
    '12,345'
    """
    return f"{int(value):,}"


def short_number(value: float) -> str:
    """Return at most four characters: ``950``, ``1.2k``, ``45k``, ``3.1M``.

    >>> [short_number(n) for n in (950, 1_234, 45_300, 999_600, 3_100_000)]
    ['950', '1.2k', '45k', '1M', '3.1M']
    """
    for size, unit in ((1, ""), (1_000, "k"), (1_000_000, "M"), (1_000_000_000, "G")):
        scaled = value / size
        if scaled < 9.95 and unit:
            return f"{scaled:.1f}".removesuffix(".0") + unit
        if scaled < 999.5:
            break
    return f"{scaled:.0f}{unit}"


def percent(share: float) -> str:
    """Return a share of 0-1 as ``4.2%``; never 0% or 100% for what is neither.

    >>> [percent(x) for x in (0, 0.0004, 0.0421, 0.9996, 1)]
    ['0%', '<0.1%', '4.2%', '>99.9%', '100%']
    """
    if math.isnan(share):
        return "unknown"
    if share in (0, 1):
        return f"{share:.0%}"
    if share < 0.001:
        return "<0.1%"
    if share > 0.999:
        return ">99.9%"
    return f"{share:.1%}"


def count(value: float, one: str, many: str | None = None) -> str:
    """Return ``1 domain``, ``2,000 domains``.

    >>> count(1, "domain"), count(2000, "domain"), count(2, "address", "addresses")
    ('1 domain', '2,000 domains', '2 addresses')
    """
    return f"{number(value)} {one if value == 1 else many or one + 's'}"


def part(shown: int, total: int, one: str, many: str | None = None) -> str:
    """Return how many of all are shown: ``3 of 9 domains``, or ``9 domains`` where all are.

    >>> part(3, 9, "domain"), part(9, 9, "domain")
    ('3 of 9 domains', '9 domains')
    """
    return (f"{number(shown)} of " if shown < total else "") + count(total, one, many)


def joined(names: Sequence[str]) -> str:
    """Return names as a list in a sentence.

    >>> joined(["a"]), joined(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def rows(frame: pd.DataFrame) -> Iterator[Any]:
    """Return the rows of a summary as named tuples, for a sentence about each."""
    return frame.itertuples(index=False)


def rate_sentence(row: Any) -> str:
    """Return what became of the attempted messages of a row of a summary, and the hard rate with its interval.

    Parameters
    ----------
    row : named tuple
        With ``attempted``, ``hard``, ``hard_rate``, ``hard_low``, ``hard_high`` and, where the summary has it,
        ``rated``; its rate is known.

    Examples
    --------
    >>> summary = pd.DataFrame({"attempted": [400], "hard": [8], "hard_rate": [0.02], "hard_low": [0.01],
    ...                         "hard_high": [0.039], "rated": [400]})
    >>> rate_sentence(next(summary.itertuples()))
    '8 of 400 attempted messages bounced hard:<br>2.0% (95% interval 1.0% to 3.9%).'
    """
    rated = getattr(row, "rated", row.attempted)
    fact = f"{number(row.hard)} of {count(row.attempted, 'attempted message')} bounced hard"
    interval = f"(95% interval {percent(row.hard_low)} to {percent(row.hard_high)})"
    if rated == row.attempted:
        return f"{fact}:<br>{percent(row.hard_rate)} {interval}."
    known = f"Deliveries are known for {number(rated)} of them, of which {percent(row.hard_rate)} did"
    return f"{fact}.<br>{known}<br>{interval}."


def day(moment: Any) -> str:
    """Return ``5 Jan 2026``, or ``no date``.

    >>> day(pd.Timestamp("2026-01-05T10:00Z")), day(pd.NaT)
    ('5 Jan 2026', 'no date')
    """
    if pd.isna(moment):
        return "no date"
    return f"{moment.day} {moment:%b %Y}"


def days(first: Any, last: Any) -> str:
    """Return ``5 Jan 2026 to 9 Jan 2026``, or the day where both are the same.

    >>> days(pd.Timestamp("2026-01-05"), pd.Timestamp("2026-01-05T10:00"))
    '5 Jan 2026'
    """
    return day(first) if day(first) == day(last) else f"{day(first)} to {day(last)}"


def changed(kind: str, at: Any) -> str:
    """Return since when a rate is another, by the kind of change.

    >>> changed("rise", pd.Timestamp("2026-01-05")), changed("spike", pd.Timestamp("2026-01-05"))
    ('since 5 Jan 2026', 'in the last period, from 5 Jan 2026')
    """
    return f"{'in the last period, from' if kind == 'spike' else 'since'} {day(at)}"


def shorten(name: str, length: int) -> str:
    """Return a name of at most ``length`` characters, cut in the middle: both ends of a domain tell something.

    >>> shorten("mail.department.university.example", 20)
    'mail.depa…ty.example'
    """
    if len(name) <= length:
        return name
    head = (length - 1) // 2
    return name[:head] + _ELLIPSIS + name[len(name) - (length - 1 - head) :]


def in_short(value: object) -> str:
    """Return how an argument is shown to whoever gave it: in one line, and not at any length.

    >>> in_short("soon"), in_short(["x"] * 1000), in_short(10**100)
    ("'soon'", "['x', 'x', 'x', 'x', 'x', 'x', ...]", '10000000000000000...0000000000000000000')
    """
    return " ".join(_IN_SHORT.repr(value).split())


class _Discreet(reprlib.Repr):
    """Shows no address, also not the part of one that is left where a text is cut."""

    def repr_str(self, text: str, level: int) -> str:
        """Return a text in short; of content that was given where a word belongs, how long it is."""
        return shown(text) if is_content(text) else super().repr_str(discreet(text), level)


_IN_SHORT = _Discreet()


def plain(text: str) -> str:
    """Return a text that plotly shows as it is; it would take tags and entities for markup.

    >>> plain("<b>a & b")
    '&lt;b&gt;a &amp; b'
    """
    return html.escape(text, quote=False)

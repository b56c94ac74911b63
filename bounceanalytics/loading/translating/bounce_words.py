"""Bounces in words alone: what mail servers wrote to people before there were delivery reports, and some still write.

A text is read where it is sure: it has the opening of a kind, each address in it stands in the place of one, and
a reason stands with each. Nothing is taken of the copy of the mail below it.

References
----------
.. [1] The qmail-send bounce message format: https://cr.yp.to/proto/qsbmf.txt
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bounceanalytics.loading.translating.mail_parts import UnreadableError

_ADDRESS = r"(?:\"[^\"\n]{1,64}\"|[^\s<>@\"]+)@[^\s<>@\"]*[^\s<>@\".,:;)]"
_OPENING = 6_000  # characters in which a kind's opening stands
_HOST = re.compile(r"\bhost ([A-Za-z0-9.-]+\.[A-Za-z0-9-]+)\s?\[", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Kind:
    """How a server writes to people.

    Attributes
    ----------
    name : str
        What it is called in the account of rejects.
    opening : str
        What stands before the addresses, to the end of it.
    entry : str
        A line that begins what is said of an address; a reason may begin in the same line.
    end : str
        What stands below the last reason.
    reason : str
        Where the reason stands if not below its address; there is one address then.
    delayed : str
        What the opening says if the server goes on trying.
    """

    name: str
    opening: str
    entry: str
    end: str
    reason: str = ""
    delayed: str = ""


_KINDS = (
    _Kind(
        "qmail",
        r"^Hi\. This is the [^\n]*\n(?:[^\n]+\n)*\s*\n|^Sorry, we were unable to deliver your message to the following"
        r" address(?:es)?\.\s*\n",
        rf"<(?P<address>{_ADDRESS})>:\s*(?P<reason>.*)",
        r"^--- ",
    ),
    _Kind(
        "Exim",
        r"^This message was created automatically by mail delivery software\b.*?^[^\n]*(?:following"
        r" address(?:\(es\)|es)? failed|has not yet been delivered (?:is|are)):[ \t]*\n",
        rf"[ \t]{{0,3}}(?P<address>{_ADDRESS}):?(?P<reason>)",
        r"^-{4,}|^No action is required",
        delayed="not yet been delivered",
    ),
    _Kind(
        "Postfix",
        r"^This is the (?:mail system|Postfix program) at host [^\n]*\n.*?(?:The (?:mail system|Postfix program)\s*\n)",
        rf"<(?P<address>{_ADDRESS})>(?: \([^)\n]*\))?: (?P<reason>.*)",
        r"^--",
        delayed=r"has been delayed|could not be delivered for",
    ),
    _Kind(
        "sendmail",
        r"^ *-{3,} The following addresses had (?:permanent fatal|transient non-fatal) errors -{3,}[ \t]*\n",
        rf"<?(?P<address>{_ADDRESS})>?(?P<reason>)",
        r"^ *-{3,} ",
        reason=r"^<<< ([45]\d\d[ -].*)$",
        delayed="transient non-fatal",
    ),
    _Kind(
        "Gmail",
        r"^Delivery to the following recipients? (?:failed permanently|has been delayed):[ \t]*\n",
        rf"\s+(?P<address>{_ADDRESS})(?P<reason>)",
        r"^Technical details",
        reason=r"^Technical details of (?:permanent|temporary) failure:\s*((?:.*\n)*?)(?=-----|$(?![\s\S]))",
        delayed="has been delayed",
    ),
)
_FLAGS = re.MULTILINE | re.DOTALL
_READY = tuple(
    (kind, re.compile(kind.opening, _FLAGS), re.compile(kind.entry), re.compile(kind.end, re.MULTILINE))
    for kind in _KINDS
)
_ORIGIN = re.compile(rf"\(?(?:ultimately )?(?:generated|expanded) from:? <?({_ADDRESS})>?\)?", re.IGNORECASE)
_REPLY = re.compile(r"(?:^|: )([45]\d\d)[ -]")
_REASON = re.compile(r"\(reason: (.*)\)", re.IGNORECASE | re.DOTALL)


def recipients_in_words(note: str) -> list[dict[str, str]]:
    """Return the recipients that a text for people names, and why each got nothing; empty if it is of no known kind.

    Raises
    ------
    UnreadableError
        If it is of a known kind, and the recipients or the reasons cannot be read for sure.
    """
    note = note.replace("\r\n", "\n")
    for kind, opening, entry, end in _READY:
        start = opening.search(note[:_OPENING])
        if not start:
            continue
        below = note[start.end() :]
        last = end.search(below)
        entries = _entries(below[: last.start()] if last else below, entry)
        if kind.reason and len(entries) == 1 and not entries[0][1]:
            said = re.search(kind.reason, below, re.MULTILINE)
            entries = [(entries[0][0], said[1] if said else "")]
        if not entries or not all(reason for _, reason in entries):
            raise UnreadableError(
                f"it looks like a bounce of {kind.name} whose recipients and reasons cannot be told"
            )
        late = kind.delayed and re.search(kind.delayed, start[0])
        return [_recipient(address, reason, "delayed" if late else "") for address, reason in entries]
    return []


def _entries(text: str, entry: re.Pattern[str]) -> list[tuple[str, str]]:
    """Return the addresses of a text and the lines below each, to the next blank line."""
    found: list[tuple[str, list[str]]] = []
    open_ = False
    for line in text.split("\n"):
        begun = entry.fullmatch(line.rstrip())
        origin = _ORIGIN.fullmatch(line.strip())
        if begun:
            found.append((begun["address"], [begun["reason"]]))
            open_ = True
        elif not line.strip():
            open_ = False
        elif open_ and origin:  # the address that the writer knows
            found[-1] = (origin[1], found[-1][1])
        elif open_:
            found[-1][1].append(line.strip())
    return [(address, " ".join(filter(None, reason))) for address, reason in found]


def _recipient(address: str, reason: str, action: str) -> dict[str, str]:
    quoted = _REASON.fullmatch(reason.strip())
    said = " ".join((quoted[1] if quoted else reason).split())
    host, reply = _HOST.search(said), _REPLY.search(said)
    facts = {
        "address": address,
        "action": action,
        "reply": reply[1] if reply else "",
        "diagnostic": said,
        "remote_host": host[1] if host else "",
    }
    return {name: value for name, value in facts.items() if value}

"""Suppression lists whose file says by its name what they are; their columns may have any titles, or none."""

from __future__ import annotations

import re
from typing import NamedTuple

from bounceanalytics.database import literal
from bounceanalytics.loading.formats.format import Format, named
from bounceanalytics.loading.formats.spelling import squeezed

#: What turns such a name into another: a list that was made without them, or numbers about them.
_OTHER = r"remove|delete|take.?off|clean|rate|stats|statistic|summary|report(?!s|ed)|totals?|classification"
#: Titles of columns that such a list never has: events have them.
_EVENTS = frozenset(
    [
        "event",
        "eventtype",
        "messageid",
        "sgmessageid",
        "sgeventid",
        "notificationtype",
        "bounces",
        "requests",
        "delivered",
        "opens",
        "clicks",
        "suppressedfor",
        "sha256",
        "groupid",
        "groupname",
    ]
)

ADDRESS = (
    "email|emailaddress|address|recipient|recipientemail|emails|mail|mailaddress|suppresseddestination|subscriber"
    "|user|contact|to"
)
_TIME = (
    "created|createdat|createdon|date|time|timestamp|datetime|added|addedat|addedon|dateadded|lastupdatetime|lastupdated"
    "|updatedat|updated|bouncedat|blockedat|complainedat|unsubscribedat|suppressedat|suppressedon|reportedat|when|since"
)
_TEXT = (
    "reason|error|message|diagnostic|diagnosticcode|description|smtpresponse|response|bouncereason|errormessage"
    "|bouncemessage|text|details|why"
)
_FIELDS = {
    "address": ADDRESS,
    "time": _TIME,
    "text": _TEXT,
    "status": "status|enhancedcode|enhancedstatuscode|statuscode|bouncecode",
    "code": "code|smtpcode|replycode|errorcode|smtpreply",
}


class _Word(NamedTuple):
    """What a file is whose name has one of these words."""

    pattern: str
    what: str  # as SendGrid calls the list
    esps: dict[str, str]  # ESP -> its word for the list; the first where nothing tells the ESP


_WORDS = (
    _Word(r"invalid", "invalid emails", {"sendgrid": "invalid_emails", "generic": "bounced"}),
    _Word(
        r"spam.?reports?|spam.?complain|complain|spam(?![a-z])|abuse",
        "spam reports",
        {"sendgrid": "spam_reports", "ses": "COMPLAINT", "mailgun": "complaints", "generic": "complained"},
    ),
    _Word(
        r"(?:global.?)?unsubscribe|unsubs?(?![a-z])|opt.?outs?(?![a-z])|opted.?out",
        "unsubscribes",
        {"sendgrid": "unsubscribes", "mailgun": "unsubscribes", "generic": "unsubscribed"},
    ),
    _Word(r"blocks?(?![a-z])|blocked", "blocks", {"sendgrid": "blocks"}),
    _Word(
        r"(?:hard.?)?bounces?(?![a-z])|bounced",
        "bounces",
        {"sendgrid": "bounces", "ses": "BOUNCE", "mailgun": "bounces", "generic": "bounced"},
    ),
)

#: Words in a name that say whose list it is.
_WHOSE = {
    "mailgun": r"(?<![a-z])(?:mg|mailgun)(?![a-z])",
    "ses": r"(?<![a-z])(?:ses|aws|amazon)(?![a-z])",
    "sendgrid": r"(?<![a-z])(?:sg|sendgrid|twilio)(?![a-z])",
}
#: How SendGrid's console names its downloads.
_DOWNLOAD = re.compile(r"suppression_")
#: Lists that only one ESP calls so.
_OWN = {"invalid emails": "sendgrid", "blocks": "sendgrid"}

#: Bounces that may pass are no proof: such a list is of the blocks, not of the dead.
_SOFT = re.compile(r"(?<![a-z])soft")


def _named_list(word: _Word, esp: str, *, rows: str = "") -> Format:
    told = word.esps[esp]
    failed = word.what in {"bounces", "blocks"}
    invalid = word.what == "invalid emails"
    return Format(
        provider=esp,
        name=f"suppression list: {told.replace('_', ' ').lower()}",
        kind="csv",
        loose=True,
        needs=(),
        rows=rows,
        fields=dict.fromkeys(("address",), ADDRESS) if rows else _FIELDS,
        columns={
            "event": "'suppressed'",
            "esp_type": literal(told),
            "recipient": "address",
        }
        if rows
        else {
            "event": "'suppressed'",
            "esp_type": literal(told),
            "esp_reason": "text" if invalid else "NULL",
            "recipient": "address",
            "time": "time",
            "reply": "code" if failed else "NULL",
            "status": "coalesce(nullif(status, ''), code)" if failed else "NULL",
            "text": "text" if failed else "NULL",
        },
        key=("recipient", "esp_type") if rows else ("recipient", "esp_type", "time"),
        note=f"taken for {word.what}, since the name of the file says so",
    )


_HEADLESS = r"\"?[^\s,;@]+@[^\s,;@]+\"?\s*"
_LISTS = {
    (word.what, esp, headless): _named_list(word, esp, rows=_HEADLESS if headless else "")
    for word in _WORDS
    for esp in word.esps
    for headless in (False, True)
}


def is_address_title(title: str) -> bool:
    """Return whether a column may hold addresses by its title."""
    return squeezed(title) in ADDRESS.split("|")


def named_list(name: str, header: tuple[str, ...], provider: str = "") -> Format | None:
    """Return the list that a table is by its file's name; None if the name does not say, or the columns are others.

    Parameters
    ----------
    name : str
        Of the file, with the folders it lies in.
    header : tuple of str
        Its titles; a single address where it has none.
    provider : str
        Whose it is, where its columns tell.

    Examples
    --------
    >>> named_list("suppression_blocks.csv", ("email", "when", "reason")).title
    'SendGrid suppression list: blocks'
    >>> named_list("customers.csv", ("email",)) is None
    True
    """
    own = re.split(r"[/\\]", name)[-1].lower()
    word = next((one for one in _WORDS if re.search(named(one.pattern, unless=_OTHER), own)), None)
    there = {squeezed(title) for title in header}
    headless = any("@" in title for title in header)
    if word is None or _SOFT.search(own) or there & _EVENTS:
        return None
    if not headless and not any(map(is_address_title, header)):
        return None
    if headless and len(header) > 1:
        return None
    told = next((esp for esp, pattern in _WHOSE.items() if re.search(pattern, own)), "")
    download = "sendgrid" if _DOWNLOAD.match(own) else ""
    whose = (told, provider if provider != "generic" else "", download, _OWN.get(word.what, ""))
    for esp in (*whose, "generic", next(iter(word.esps))):
        if esp in word.esps:
            return _LISTS[word.what, esp, headless]
    return None

"""Senders of reports: ESPs by their marks, with the sentences that they write, and any other server."""

from __future__ import annotations

import ipaddress
import re
from itertools import zip_longest
from typing import TYPE_CHECKING, NamedTuple

from bounceanalytics.loading.formats import esp_modules
from bounceanalytics.loading.formats.mail_marks import NO_MARKS, MailMarks
from bounceanalytics.loading.translating.mail_parts import header

if TYPE_CHECKING:
    from collections.abc import Mapping
    from email.message import Message

#: ESP -> its marks, of those that send reports.
_MARKS: dict[str, MailMarks] = {
    name: module.MAIL_MARKS for name, module in esp_modules().items() if hasattr(module, "MAIL_MARKS")
}
ANY_SERVER = "generic"


class Line(NamedTuple):
    """Facts in an ESP's own sentence about a recipient."""

    address: str
    sending_ip: str
    host: str
    reply: str


def sender_of(message: Message, fields: Mapping[str, str], note: str) -> tuple[str, MailMarks]:
    """Return who wrote a report, and its marks: by its senders and headers, else by what it writes."""
    unixfrom = message.get_unixfrom() or ""
    for name, marks in _MARKS.items():
        places = [
            unixfrom if place == "unixfrom" else fields.get(place) or header(message, place)
            for place in marks.places
        ]
        if any(map(marks.sender.search, places)) or any(mark in message for mark in marks.headers):
            return name, marks
    beginning = " ".join(note[:4096].split())
    for name, marks in _MARKS.items():
        if any(field in fields for field in marks.fields) or (marks.sentence and marks.sentence in beginning):
            return name, marks
    return ANY_SERVER, NO_MARKS


def outgoing_ip(marks: MailMarks, message: Message) -> str:
    """Return the address that the mail which bounced left from, where an ESP tells it in a header."""
    if marks.outgoing is None:
        return ""
    value = next((value for name in marks.headers if (value := header(message, name))), "")
    found = marks.outgoing.match(value)
    return ip(found[1]) if found else ""


def ip(text: str) -> str:
    """Return the text if it is the address of a host, else nothing."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return ""


def told_lines(marks: MailMarks, note: str) -> list[Line]:
    """Return the sentences about recipients, of an ESP that writes them."""
    if marks.line is None or marks.rest is None:
        return []
    note = note.replace("\r\n", "\n")
    starts = list(marks.line.finditer(note))
    lines = []
    for start, following in zip_longest(starts, starts[1:]):
        end = following.start() if following else len(note)
        paragraph = re.split(r"\n[ \t]*\n", note[start.end() : end][:4096], maxsplit=1)[0]
        rest = marks.rest.fullmatch(" ".join(line.strip() for line in paragraph.strip().split("\n")))
        if rest:
            lines.append(Line(start[1], ip(rest[1] or ""), rest[2] or "", rest[3].strip()))
    return lines

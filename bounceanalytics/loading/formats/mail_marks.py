"""Marks of an ESP's delivery reports by mail: how they are recognised, and what is peculiar in them."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class MailMarks:
    """The marks of one ESP.

    Attributes
    ----------
    sender : re.Pattern
        What its senders' addresses or host names hold.
    places : tuple of str
        Where those stand: headers of the mail, ``unixfrom`` for the line before them, or fields of the report.
    headers : tuple of str
        Headers that only its mails have; an address that the message left from may be their value.
    outgoing : re.Pattern or None
        Where in such a header that address is, as the first group.
    fields : tuple of str
        Fields that only its reports have.
    sentence : str
        What it tells the reader in every mail.
    line, rest : re.Pattern or None
        How its sentence about a recipient begins (the address as a group), and how it goes on (groups: the address
        that the mail left from, the receiving host, the reply).
    arrival : tuple of re.Pattern and str, or None
        How its arrival dates are written, and the replacement that makes them ISO 8601.
    own_id : bool
        Its own id of a message is what stands before the @ of the message's id.
    """

    sender: re.Pattern[str]
    places: tuple[str, ...]
    headers: tuple[str, ...] = ()
    outgoing: re.Pattern[str] | None = None
    fields: tuple[str, ...] = ()
    sentence: str = ""
    line: re.Pattern[str] | None = None
    rest: re.Pattern[str] | None = None
    arrival: tuple[re.Pattern[str], str] | None = None
    own_id: bool = False


#: For a sender that nothing is known about.
NO_MARKS = MailMarks(sender=re.compile(r"(?!)"), places=())

"""Delivery reports and complaints of any server: their fields, and the mail that they are about.

References
----------
.. [1] RFC 3464, delivery status notifications; RFC 6533, those about addresses that are not in ASCII
.. [2] RFC 5965, the abuse reporting format (ARF); RFC 6590, what is blacked out in it
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from bounceanalytics.loading.translating.bounce_words import recipients_in_words
from bounceanalytics.loading.translating.mail_parts import (
    LONGEST,
    UnreadableError,
    as_text,
    header,
    inside,
    parts_of,
    readings,
)
from bounceanalytics.loading.translating.mail_senders import Line, ip, outgoing_ip, sender_of, told_lines

if TYPE_CHECKING:
    from collections.abc import Iterable
    from email.message import Message

_STATUS_PARTS = frozenset({"message/delivery-status", "message/global-delivery-status"})
_ORIGINAL_PARTS = frozenset(
    {
        "message/rfc822",
        "message/global",
        "text/rfc822-headers",
        "message/rfc822-headers",
        "message/global-headers",
    }
)
_WHOM = re.compile(r"^(?:final|original)-recipient[ \t]*:", re.IGNORECASE | re.MULTILINE)
_WHAT = re.compile(r"^(?:action|status|diagnostic-code)[ \t]*:", re.IGNORECASE | re.MULTILINE)
_COMPLAINT = re.compile(r"^feedback-type[ \t]*:", re.IGNORECASE | re.MULTILINE)
_MESSAGE_ID = re.compile(r"^message-id[ \t]*:\s*<?([^<>\s]+)", re.IGNORECASE | re.MULTILINE)
_FIELD = re.compile(r"([A-Za-z][A-Za-z0-9-]*)[ \t]*:(.*)")
_REPLY = re.compile(r"[245]\d\d[ -]")
_TYPE_WORD = re.compile(r"[A-Za-z0-9-]+\s*;\s*")
_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
_CODES = re.compile(r"(?:[A-Za-z0-9-]+\s*;\s*)?([245]\d\d)[ -](?:([245]\.\d{1,3}\.\d{1,3})\s)?")
_LETTER = re.compile(r"\\x\{(0*(?:10|[0-9A-Fa-f])?[0-9A-Fa-f]{1,4})\}")
_HIDDEN = re.compile(
    r"\W*(?:redacted|removed|hidden|masked|withheld|undisclosed|anonymous|x{3,}|\*+)\W*(?:@.*)?|[^@]*(?:\*|==)@?.*",
    re.IGNORECASE,
)

#: Fields that stand once in the block of a recipient; a second one begins the next where no blank line does.
_ONCE = frozenset({"action", "final-recipient", "original-recipient"})


def report_of(message: Message) -> dict[str, Any] | None:
    """Return what a delivery report or a complaint says; None if the mail neither is nor holds one."""
    parts = list(parts_of(message))
    kinds = [part.get_content_type() for part in parts]
    originals = [part for part, kind in zip(parts, kinds, strict=True) if kind in _ORIGINAL_PARTS]
    others = [part for part, kind in zip(parts, kinds, strict=True) if kind not in _ORIGINAL_PARTS]
    others.sort(key=lambda part: part.get_content_type() not in _STATUS_PARTS)
    report = ""
    note = []
    for part in others:
        for number, text in enumerate(readings(part)):
            if _COMPLAINT.search(text):
                return _complaint(message, text, originals)
            if not report and _is_report(text):
                report = text
            if number == 0 and part.get_content_maintype() != "message":
                note.append(text[:LONGEST])
    found = _told_by(message, report, "\n".join(note), originals)
    if found:
        return found
    if not _STATUS_PARTS.isdisjoint(kinds) or "delivery-status" in _type_of(message):
        raise UnreadableError("it is a delivery report that names no recipient")
    for part in originals:  # a report that somebody has passed on as an attachment
        for inner in inside(part):
            if found := report_of(inner):
                return found
    return None


def loose_report(message: Message, raw: bytes) -> dict[str, Any] | None:
    """Return what a report says whose parts cannot be made out any more, or that was never cut into parts."""
    text = as_text(raw[:LONGEST])
    return _told_by(message, text, text, []) if _is_report(text) else None


def _is_report(text: str) -> bool:
    return _WHOM.search(text) is not None and _WHAT.search(text) is not None


def _type_of(message: Message) -> str:
    return str(message.get_param("report-type", "")).lower()


def _told_by(message: Message, report: str, note: str, originals: Iterable[Message]) -> dict[str, Any] | None:
    """Return what a mail, its report (if any) and its text for people tell together; None if they name nobody."""
    blocks = _blocks(report[:LONGEST])
    fields: dict[str, str] = {}
    for block in blocks:
        fields = block | fields
    provider, marks = sender_of(message, fields, note)
    lines = told_lines(marks, note)
    recipients = [found for block in blocks if (found := _recipient(block, lines))]
    if not recipients:
        recipients = [
            _told(address=line.address, diagnostic=line.reply, remote_host=line.host) for line in lines
        ]
    if not recipients and not report:
        recipients = recipients_in_words(note)
    if not recipients:
        return None
    message_id = _original_id(originals, report or note)
    ips = [outgoing_ip(marks, message), *(line.sending_ip for line in lines)]
    arrival = fields.get("arrival-date", "") or fields.get("last-attempt-date", "")
    return {
        **_head(message),
        **_told(
            provider=provider,
            reporting_mta=_untyped(fields.get("reporting-mta", "")),
            arrival_date=marks.arrival[0].sub(marks.arrival[1], arrival) if marks.arrival else arrival,
            sending_ip=next((found for found in ips if found), ""),
            message_id=message_id.split("@")[0] if marks.own_id else message_id,
        ),
        "recipients": recipients,
    }


def _complaint(message: Message, text: str, originals: list[Message]) -> dict[str, Any]:
    """Return what somebody complained of; the fields for recipients may stand several times."""
    blocks = _blocks(text[:LONGEST], once=frozenset({"original-rcpt-to"}))
    fields: dict[str, str] = {}
    for block in blocks:
        fields = block | fields
    action = fields["feedback-type"].lower()
    if action.startswith(("auth-failure", "dmarc", "dkim")):
        raise UnreadableError("it is a report about authentication, no complaint")
    named = [_address(block["original-rcpt-to"]) for block in blocks if "original-rcpt-to" in block]
    addresses = dict.fromkeys(one for one in named if "@" in one and not _HIDDEN.fullmatch(one))
    if not addresses:
        raise UnreadableError(
            "no address: it is a complaint in which the recipient is blacked out or missing"
        )
    provider, marks = sender_of(message, fields, "")
    message_id = _original_id(originals, "")
    return {
        **_head(message),
        **_told(
            provider=provider,
            arrival_date=fields.get("arrival-date", "") or fields.get("received-date", ""),
            sending_ip=ip(fields.get("source-ip", "").strip("[]")),
            message_id=message_id.split("@")[0] if marks.own_id else message_id,
        ),
        "recipients": [{"address": address, "action": action} for address in addresses],
    }


def _head(message: Message) -> dict[str, str]:
    return _told(
        **{"from": header(message, "from"), "id": header(message, "message-id").strip("<>")},
        subject=header(message, "subject"),
        date=header(message, "date"),
    )


def _told(**values: str) -> dict[str, str]:
    return {name: value for name, value in values.items() if value}


def _blocks(text: str, once: frozenset[str] = _ONCE) -> list[dict[str, str]]:
    """Return the fields of each block of a report, names in lower case; the first of a name counts."""
    blocks: list[dict[str, list[str]]] = [{}]
    name = ""
    for line in re.split(r"\r?\n|\r", text):
        field = _FIELD.match(line)
        if not line.strip():
            if blocks[-1]:
                blocks.append({})
            name = ""
        elif field:
            name = field[1].lower()
            if name in once and name in blocks[-1]:
                blocks.append({})
            if name in blocks[-1]:
                name = ""
            else:
                blocks[-1][name] = [field[2].strip()]
        elif name and (line[0] in " \t" or (name == "diagnostic-code" and _REPLY.match(line))):
            blocks[-1][name].append(line.strip())
    return [{key: _joined(list(filter(None, rows))) for key, rows in block.items()} for block in blocks]


def _joined(rows: list[str]) -> str:
    """Return a field in one line, without the codes that each line of a reply repeats."""
    codes = _CODES.match(rows[0]) if len(rows) > 1 else None
    if codes:
        again = re.compile(rf"{codes[1]}[ -]" + (rf"(?:{re.escape(codes[2])}\s)?" if codes[2] else ""))
        rows = [rows[0], *(again.sub("", row, count=1) if again.match(row) else row for row in rows[1:])]
    return " ".join(rows)


def _recipient(block: dict[str, str], lines: list[Line]) -> dict[str, str]:
    """Return what the block of a recipient says, else nothing."""
    final, original = (_address(block.get(f"{name}-recipient", "")) for name in ("final", "original"))
    # the writer knows no program and no folder that an address led to
    address = (original if "@" in original and "@" not in final else final) or original
    if not address:
        return {}
    status = block.get("status", "")
    code = _STATUS.search(status)
    host = _untyped(block.get("remote-mta", "")).split(" ")[0].rstrip(".").strip("[]")
    if not host:
        host = next((line.host for line in lines if line.address.lower() == address.lower()), "")
    return _told(
        address=address,
        original=original,
        action=(block.get("action", "").lower().split() or [""])[0],
        status=code[0] if code else status,
        diagnostic=block.get("diagnostic-code", ""),
        remote_host=host,
    )


def _untyped(value: str) -> str:
    """Return the value of a field such as ``rfc822; a@example.com`` without its type."""
    word = _TYPE_WORD.match(value)
    return (value[word.end() :] if word else value).strip()


def _address(value: str) -> str:
    """Return the address in a field, with the letters of RFC 6533 as they are."""
    address = _untyped(value).strip("<> ")
    return _LETTER.sub(lambda found: chr(int(found[1], 16)), address) if "\\x{" in address else address


def _original_id(originals: Iterable[Message], report: str) -> str:
    """Return the id of the message that bounced, wherever its headers stand."""
    for part in originals:
        for text in readings(part):
            found = _MESSAGE_ID.search(re.split(r"\r?\n\r?\n", text.lstrip(), maxsplit=1)[0])
            if found:
                return found[1]
    behind = _WHOM.search(report)
    found = _MESSAGE_ID.search(report, behind.end() if behind else 0)
    return found[1] if found else ""

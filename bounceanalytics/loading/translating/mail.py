"""Mailboxes that received bounces: delivery reports, SNS messages, and other mail.

References
----------
.. [1] Delivery reports: RFC 3464, https://www.rfc-editor.org/rfc/rfc3464
.. [2] Mailbox files: RFC 4155, https://www.rfc-editor.org/rfc/rfc4155
.. [3] Notifications of SES by mail: https://docs.aws.amazon.com/ses/latest/dg/monitor-sending-activity-using-notifications-email.html
.. [4] Notifications of SNS by mail: https://docs.aws.amazon.com/sns/latest/dg/sns-email-notifications.html
"""

from __future__ import annotations

import email
import ipaddress
import json
import re
from email.errors import MessageError
from email.header import decode_header, make_header
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, NamedTuple

from bounceanalytics.loading.formats import esp_modules
from bounceanalytics.loading.formats.mail_marks import NO_MARKS, MailMarks
from bounceanalytics.loading.spans import TEXT_KEPT, Span
from bounceanalytics.opening.text import BOM, HALF_LETTER, decoded, finite, lines_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from email.message import Message
    from typing import IO

_PIECE = 64 * 1024  # bytes; a line that never ends is read in pieces
_LARGEST = 8 * 1024**2  # bytes of one mail; what it says stands at its beginning, attachments behind
_LONGEST = 1024 * 1024  # characters of a report
_LONGEST_HEADER = 10_000  # characters


class _UnreadableError(ValueError):
    """A mail that should hold a record, and does not; the message is for the account of rejects."""


def spans(stream: IO[bytes]) -> Iterator[Span]:
    """Yield one record for each mail of a mailbox file, or of a file that holds a single mail.

    Parameters
    ----------
    stream : binary file
        Unpacked bytes.

    Yields
    ------
    Span
        Its text is one of

        - what SNS sent: the record of SES or the envelope of SNS, as it stood in the mail,
        - ``{"report": …}`` with ``from``, ``subject``, ``date``, ``sender_kind`` (the ESP that wrote it, or other),
          ``reporting_mta``, ``arrival_date``, ``sending_ip``, ``message_id`` and ``recipients``, a list of ``address``,
          ``original``, ``action``, ``status``, ``diagnostic`` and ``remote_host``; what is not known is left out,
        - ``{"mail_notice": subject}``: SNS wrote in words,
        - ``{"mail_other": subject}``: any other mail.

    References
    ----------
    .. [1] RFC 3464 for the fields of a report
    """
    for offset, raw in _mails(stream):
        try:
            yield Span(offset, _record(raw))
        except _UnreadableError as error:
            yield Span(offset, _decoded(raw[:TEXT_KEPT]), str(error))
        except Exception as error:  # the standard parser trips over odd mails in many ways
            yield Span(
                offset, _decoded(raw[:TEXT_KEPT]), f"it is no mail that can be read: {type(error).__name__}"
            )


# mailbox files

_DAY = rb"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),?"
_MONTH = rb"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_SEPARATOR = re.compile(
    rb"From .{0,400}?" + _DAY + rb" +(?:" + _MONTH + rb" +\d|\d+ +" + _MONTH + rb").{0,20}\d\d:\d\d"
)
_HEADER = re.compile(rb"[A-Za-z][A-Za-z0-9_.-]*[ \t]*:")
_QUOTED = re.compile(rb"^>(>*From )", re.MULTILINE)


def _mails(stream: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """Yield the mails of a file and where they begin."""
    lines = lines_of(stream, _PIECE)
    line = next(lines, b"")
    start = offset = size = 0
    if line.startswith(BOM):
        line, offset = line[len(BOM) :], len(BOM)
    boxed = False
    blank = whole = True  # what the line before was
    mail: list[bytes] = []
    while line:
        following = next(lines, b"")
        if whole and line.startswith(b"From ") and (not mail or _separates(line, following, blank, boxed)):
            boxed = boxed or not mail
            if mail:
                yield start, _unquoted(mail)
            mail, size = [], 0
        if mail or line.strip():
            if not mail:
                start = offset
            if size < _LARGEST:
                mail.append(line)
                size += len(line)
        offset += len(line)
        blank = whole and not line.strip()
        whole = line.endswith(b"\n")
        line = following
    if mail:
        yield start, _unquoted(mail)


def _separates(line: bytes, following: bytes, blank: bool, boxed: bool) -> bool:
    """Return whether a line that begins with "From " begins a mail, and not a sentence."""
    headed = _HEADER.match(following) is not None
    if _SEPARATOR.match(line):
        return blank or headed
    return blank and headed and boxed


def _unquoted(lines: list[bytes]) -> bytes:
    raw = b"".join(lines)
    return _QUOTED.sub(rb"\1", raw) if lines[0].startswith(b"From ") and b"\n>" in raw else raw


# texts

_PICTURES = frozenset({"image", "audio", "video", "font"})  # nothing of a report in there

#: Charsets that write other letters with the signs of ASCII; in all others ASCII is itself.
_STATEFUL = re.compile(r"(?:unicode-1-1-)?utf-?7|iso-?2022|hz", re.IGNORECASE)


def _decoded(raw: bytes, charset: str = "") -> str:
    """Return bytes as text: mails tell their charset wrongly as often as not."""
    names = ["utf-8", charset]
    if raw.isascii():
        names = [charset] if _STATEFUL.match(charset) else []
    for name in names:
        try:
            text = raw.decode(name)
        except (LookupError, ValueError):
            continue
        return text.encode("utf-8", "replace").decode("utf-8")  # UTF-7 can spell halves of letters
    return decoded(raw)


def _told(text: str) -> str:
    """Return text of the parser as it is meant: odd bytes stand in it as lone surrogates."""
    return text if text.isascii() else _decoded(text.encode("utf-8", "surrogateescape"))


def _header(message: Message, name: str) -> str:
    """Return the first header of that name on one line, else empty."""
    for key, value in message.raw_items():
        if key.lower() == name:
            return _unworded(" ".join(_told(str(value)[:_LONGEST_HEADER]).split()))
    return ""


def _unworded(text: str) -> str:
    if "=?" not in text:
        return text
    try:
        text = str(make_header(decode_header(text)))
    except (LookupError, ValueError, MessageError):
        return text
    return text.encode("utf-8", "replace").decode("utf-8")


def _parts(message: Message) -> Iterator[Message]:
    """Yield the parts of a mail, but not those of the mails inside it."""
    kind = message.get_content_maintype()
    if kind != "message" and message.is_multipart():
        for part in _inner(message):
            yield from _parts(part)
    elif kind not in _PICTURES:
        yield message


def _inner(message: Message) -> list[Message]:
    """Return what a mail or a part consists of, where that is more than text."""
    # asking for the payload of a part that is text would fail where its charset makes no sense
    payload: Any = message.get_payload() if message.is_multipart() else []
    return list(payload)


def _raw(part: Message) -> bytes:
    """Return the content of a part that is text, out of its transfer encoding."""
    payload: Any = part.get_payload(decode=True)
    return payload or b""


def _readings(part: Message) -> Iterator[str]:
    """Yield the text of a part as its transfer encoding has it, then as it stands, for that label may be wrong."""
    charset = str(part.get_content_charset("") or "")
    coded = str(part.get("Content-Transfer-Encoding", "")).strip().lower() in {"base64", "quoted-printable"}
    if part.is_multipart():  # the parser has taken it for blocks of headers
        flat = "\n\n".join(map(_flat, _inner(part)))
        if coded:
            part.set_payload(flat.strip())
        else:
            yield _told(flat)
            return
    yield _decoded(_raw(part), charset)
    if coded:
        label = part["Content-Transfer-Encoding"]
        del part["Content-Transfer-Encoding"]
        raw = _raw(part)
        part["Content-Transfer-Encoding"] = label
        yield _decoded(raw, charset)


def _flat(block: Message) -> str:
    fields = [f"{name}: {value}" for name, value in block.raw_items()]
    if block.is_multipart():
        return "\n".join(fields)
    if block.get("Content-Type") or block.get("Subject"):  # a mail: its text does not belong to its headers
        fields.append("")
    return "\n".join([*fields, _raw(block).decode("ascii", "surrogateescape")])


def _json(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8", "replace").decode("utf-8")


# one mail


def _record(raw: bytes) -> str:
    message: Message = email.message_from_bytes(raw)
    if not message.keys():
        raise _UnreadableError("it is no mail: no header lines stand at its beginning")
    from_sns = "no-reply@sns." in _header(message, "from").lower() or "x-amz-sns-message-id" in message
    record = _sns_record(message, known=from_sns)
    if record:
        return record
    subject = _header(message, "subject")
    if from_sns:
        return _json({"mail_notice": subject})
    report = _report(message) or _loose_report(message, raw)
    if report:
        return _json({"report": report})
    return _json({"mail_other": subject})


# what SNS sends

_FOLD = re.compile(r"!\r?\n ")  # how a mail server breaks lines that are too long for it
_BREAK = re.compile(r"\r?\n")
_OPENING = re.compile(r"^[ \t]*(?=\{)", re.MULTILINE)
_SNS_KEYS = frozenset({"notificationType", "eventType", "TopicArn"})
_NO_NUMBER = re.compile(r"NaN|Infinity|\d[eE]\+?\d{3}")


def _sound(digits: str) -> float:
    if finite(digits) is None:
        raise ValueError("a number that is not finite")
    return float(digits)


_DECODER = json.JSONDecoder(parse_constant=lambda _: None, parse_float=finite)
_STRICT = json.JSONDecoder(parse_constant=_sound, parse_float=_sound)


def _sns_record(message: Message, *, known: bool) -> str:
    """Return the JSON that a mail brings, or nothing; ``known`` if it is from SNS for sure."""
    damaged = False
    for part in _parts(message):
        for text in _readings(part):
            opening = _OPENING.search(text)
            if not opening or not (known or text.lstrip().startswith("{")):
                continue
            value, piece = _object(_FOLD.sub("", text[opening.end() :]))
            if (known and value) or _SNS_KEYS & value.keys():
                return piece
            damaged = known
    if damaged:
        raise _UnreadableError("it is a mail of SNS whose JSON cannot be read")
    return ""


def _object(text: str) -> tuple[dict[str, Any], str]:
    """Return the JSON object at the beginning of a text, and how it is written; else an empty one."""
    for reading in (text, _BREAK.sub("", text)):  # SNS breaks no line inside a string, so a mail server has
        try:
            value, end = _DECODER.raw_decode(reading)
        except (ValueError, RecursionError):
            continue
        piece = reading[:end]
        return value, _json(value) if _is_odd(piece, value) else piece
    return {}, ""


def _is_odd(piece: str, value: object) -> bool:
    """Return whether JSON that was read holds something that other readers refuse."""
    try:
        if _NO_NUMBER.search(piece):
            _STRICT.decode(piece)
        if HALF_LETTER.search(piece):
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except ValueError:
        return True
    return False


# delivery reports

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
_MESSAGE_ID = re.compile(r"^message-id[ \t]*:\s*<?([^<>\s]+)", re.IGNORECASE | re.MULTILINE)
_FIELD = re.compile(r"([A-Za-z][A-Za-z0-9-]*)[ \t]*:(.*)")
_REPLY = re.compile(r"[245]\d\d[ -]")
_TYPE_WORD = re.compile(r"[A-Za-z0-9-]+\s*;\s*")
_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")

#: Fields that stand once in the block of a recipient; a second one begins the next where no blank line does.
_ONCE = frozenset({"action", "final-recipient", "original-recipient"})

#: ESP -> its marks, of those that send reports.
_MARKS: dict[str, MailMarks] = {
    name: module.MAIL_MARKS for name, module in esp_modules().items() if hasattr(module, "MAIL_MARKS")
}
_OTHER = "other"


class _Line(NamedTuple):
    """Facts in an ESP's own sentence about a recipient."""

    address: str
    sending_ip: str
    host: str
    reply: str


def _report(message: Message) -> dict[str, Any] | None:
    """Return what a delivery report says; None if the mail neither is nor holds one."""
    parts = list(_parts(message))
    kinds = [part.get_content_type() for part in parts]
    originals = [part for part, kind in zip(parts, kinds, strict=True) if kind in _ORIGINAL_PARTS]
    others = [part for part, kind in zip(parts, kinds, strict=True) if kind not in _ORIGINAL_PARTS]
    others.sort(key=lambda part: part.get_content_type() not in _STATUS_PARTS)
    report = ""
    note = []
    for part in others:
        for number, text in enumerate(_readings(part)):
            if not report and _is_report(text):
                report = text
            if number == 0 and part.get_content_maintype() != "message":
                note.append(text[:_LONGEST])
    found = _told_by(message, report, "\n".join(note), originals)
    if found:
        return found
    if not _STATUS_PARTS.isdisjoint(kinds) or _labelled(message):
        raise _UnreadableError("it is a delivery report that names no recipient")
    for part in originals:  # a report that somebody has passed on as an attachment
        for inner in _inner(part):
            if found := _report(inner):
                return found
    return None


def _loose_report(message: Message, raw: bytes) -> dict[str, Any] | None:
    """Return what a report says whose parts cannot be made out any more, or that was never cut into parts."""
    text = _decoded(raw[:_LONGEST])
    return _told_by(message, text, text, []) if _is_report(text) else None


def _is_report(text: str) -> bool:
    return _WHOM.search(text) is not None and _WHAT.search(text) is not None


def _labelled(message: Message) -> bool:
    return "delivery-status" in str(message.get_param("report-type", "")).lower()


def _told_by(message: Message, report: str, note: str, originals: Iterable[Message]) -> dict[str, Any] | None:
    """Return what a mail, its report (if any) and its text for people tell together; None if they name nobody."""
    blocks = _blocks(report[:_LONGEST])
    fields: dict[str, str] = {}
    for block in blocks:
        fields = block | fields
    sender = _sender_kind(message, fields, note)
    marks = _MARKS.get(sender, NO_MARKS)
    lines = _told_lines(marks, note)
    recipients = [found for block in blocks if (found := _recipient(block, lines))]
    if not recipients:
        recipients = [
            _without_blanks(address=line.address, diagnostic=line.reply, remote_host=line.host)
            for line in lines
        ]
    if not recipients:
        return None
    message_id = _original_id(originals, report)
    ips = [_outgoing_ip(marks, message), *(line.sending_ip for line in lines)]
    arrival = fields.get("arrival-date", "")
    head = _without_blanks(
        **{"from": _header(message, "from")},
        subject=_header(message, "subject"),
        date=_header(message, "date"),
        sender_kind=sender,
        reporting_mta=_untyped(fields.get("reporting-mta", "")),
        arrival_date=marks.arrival[0].sub(marks.arrival[1], arrival) if marks.arrival else arrival,
        sending_ip=next((ip for ip in ips if ip), ""),
        message_id=message_id.split("@")[0] if marks.own_id else message_id,
    )
    return {**head, "recipients": recipients}


def _without_blanks(**values: str) -> dict[str, str]:
    return {name: value for name, value in values.items() if value}


def _blocks(text: str) -> list[dict[str, str]]:
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
            if name in _ONCE and name in blocks[-1]:
                blocks.append({})
            if name in blocks[-1]:
                name = ""
            else:
                blocks[-1][name] = [field[2].strip()]
        elif name and (line[0] in " \t" or (name == "diagnostic-code" and _REPLY.match(line))):
            blocks[-1][name].append(line.strip())
    return [{key: " ".join(filter(None, rows)) for key, rows in block.items()} for block in blocks]


def _recipient(block: dict[str, str], lines: list[_Line]) -> dict[str, str]:
    """Return what the block of a recipient says, else nothing."""
    final, original = (
        _untyped(block.get(f"{name}-recipient", "")).strip("<> ") for name in ("final", "original")
    )
    address = final or original
    if not address:
        return {}
    status = block.get("status", "")
    code = _STATUS.search(status)
    host = _untyped(block.get("remote-mta", "")).split(" ")[0].rstrip(".")
    if not host:
        host = next((line.host for line in lines if line.address.lower() == address.lower()), "")
    return _without_blanks(
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


def _sender_kind(message: Message, fields: dict[str, str], note: str) -> str:
    """Return the ESP that wrote a report: by its senders and headers, else by what it writes."""
    unixfrom = message.get_unixfrom() or ""
    for name, marks in _MARKS.items():
        places = [
            unixfrom if place == "unixfrom" else fields.get(place) or _header(message, place)
            for place in marks.places
        ]
        if any(map(marks.sender.search, places)) or any(header in message for header in marks.headers):
            return name
    beginning = " ".join(note[:4096].split())
    for name, marks in _MARKS.items():
        if any(field in fields for field in marks.fields) or (marks.sentence and marks.sentence in beginning):
            return name
    return _OTHER


def _outgoing_ip(marks: MailMarks, message: Message) -> str:
    if marks.outgoing is None:
        return ""
    value = next((value for name in marks.headers if (value := _header(message, name))), "")
    found = marks.outgoing.match(value)
    return _ip(found[1]) if found else ""


def _ip(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return ""


def _told_lines(marks: MailMarks, note: str) -> list[_Line]:
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
            lines.append(_Line(start[1], _ip(rest[1] or ""), rest[2] or "", rest[3].strip()))
    return lines


def _original_id(originals: Iterable[Message], report: str) -> str:
    """Return the id of the message that bounced, wherever its headers stand."""
    for part in originals:
        for text in _readings(part):
            found = _MESSAGE_ID.search(re.split(r"\r?\n\r?\n", text.lstrip(), maxsplit=1)[0])
            if found:
                return found[1]
    behind = _WHOM.search(report)
    found = _MESSAGE_ID.search(report, behind.end()) if behind else None
    return found[1] if found else ""


# recognising

#: Headers that a mail may begin with; any ``X-`` header too.
_KNOWN = frozenset(
    b"from to cc bcc date subject sender reply-to message-id in-reply-to references mime-version return-path received"
    b" delivered-to envelope-to delivery-date dkim-signature domainkey-signature authentication-results received-spf"
    b" content-type content-transfer-encoding content-disposition content-language auto-submitted precedence importance"
    b" thread-topic thread-index list-id list-unsubscribe errors-to feedback-id user-agent status".split()
)


def looks_like_mail(head: bytes) -> bool:
    """Return whether a file with these first bytes is a mailbox file, or a single mail.

    Parameters
    ----------
    head : bytes
        The first unpacked bytes of a file.

    Returns
    -------
    bool
        Whether three header lines stand at the beginning, two of them with names that mails have; a line that begins
        with "From " counts as one.
    """
    known = count = 0
    lines = head[:_PIECE].removeprefix(BOM).lstrip().splitlines()
    for number, line in enumerate(lines):
        if number == 0 and line.startswith(b"From "):
            known, count = 1, 1
            continue
        if number and line[:1] in {b" ", b"\t"}:
            continue
        if not _HEADER.match(line):
            break
        name = line.split(b":", 1)[0].strip().lower()
        count += 1
        known += name in _KNOWN or name.startswith((b"x-", b"arc-"))
    return count >= 3 and known >= 2

"""A mail's headers and parts as text, whatever their labels say."""

from __future__ import annotations

import json
import re
from email import message_from_bytes
from email.errors import MessageError
from email.header import decode_header, make_header
from email.policy import Compat32
from typing import TYPE_CHECKING, Any

from bounceanalytics.opening.text import decoded

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import Message

LONGEST = 1024 * 1024  # characters of a report
_LONGEST_HEADER = 10_000


#: Headers that are taken apart into parameters, and how many characters of them: the standard parser takes its time.
_TAKEN_APART = frozenset({"content-type", "content-disposition"})
_LONGEST_TAKEN_APART = 2_000


class _Bounded(Compat32):
    """The rules of the standard parser, and a bound for the headers that it takes apart."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(sourcelines)
        return name, value[:_LONGEST_TAKEN_APART] if name.lower() in _TAKEN_APART else value


_RULES = _Bounded()


def parsed(raw: bytes) -> Message:
    """Return a mail, taken apart."""
    return message_from_bytes(raw, policy=_RULES)


class UnreadableError(ValueError):
    """A mail that gives no record; the message is for the account of rejects."""


_PICTURES = frozenset({"image", "audio", "video", "font"})  # nothing of a report in there

#: Charsets that write other letters with the signs of ASCII; in all others ASCII is itself.
_STATEFUL = re.compile(r"(?:unicode-1-1-)?utf-?7|iso-?2022|hz", re.IGNORECASE)


def as_text(raw: bytes, charset: str = "") -> str:
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


def told(text: str) -> str:
    """Return text of the parser as it is meant: odd bytes stand in it as lone surrogates."""
    return text if text.isascii() else as_text(text.encode("utf-8", "surrogateescape"))


def header(message: Message, name: str) -> str:
    """Return the first header of that name on one line, else empty."""
    for key, value in message.raw_items():
        if key.lower() == name:
            return _unworded(" ".join(told(str(value)[:_LONGEST_HEADER]).split()))
    return ""


def _unworded(text: str) -> str:
    if "=?" not in text:
        return text
    try:
        text = str(make_header(decode_header(text)))
    except (LookupError, ValueError, MessageError):
        return text
    return text.encode("utf-8", "replace").decode("utf-8")


def parts_of(message: Message) -> Iterator[Message]:
    """Yield the parts of a mail, but not those of the mails inside it."""
    kind = message.get_content_maintype()
    if kind != "message" and message.is_multipart():
        for part in inside(message):
            yield from parts_of(part)
    elif kind not in _PICTURES:
        yield message


def inside(message: Message) -> list[Message]:
    """Return what a mail or a part consists of, where that is more than text."""
    # asking for the payload of a part that is text would fail where its charset makes no sense
    payload: Any = message.get_payload() if message.is_multipart() else []
    return list(payload)


def _raw(part: Message) -> bytes:
    """Return the content of a part that is text, out of its transfer encoding."""
    payload: Any = part.get_payload(decode=True)
    return payload or b""


def readings(part: Message) -> Iterator[str]:
    """Yield the text of a part as its transfer encoding has it, then as it stands, for that label may be wrong."""
    charset = str(part.get_content_charset("") or "")
    coded = str(part.get("Content-Transfer-Encoding", "")).strip().lower() in {"base64", "quoted-printable"}
    if part.is_multipart():  # the parser has taken it for blocks of headers
        flat = "\n\n".join(map(_flat, inside(part)))
        if coded:
            part.set_payload(flat.strip())
        else:
            yield told(flat)
            return
    yield as_text(_raw(part), charset)
    if coded:
        label = part["Content-Transfer-Encoding"]
        del part["Content-Transfer-Encoding"]
        raw = _raw(part)
        part["Content-Transfer-Encoding"] = label
        yield as_text(raw, charset)


def _flat(block: Message) -> str:
    fields = [f"{name}: {value}" for name, value in block.raw_items()]
    if block.is_multipart():
        return "\n".join(fields)
    if block.get("Content-Type") or block.get("Subject"):  # a mail: its text does not belong to its headers
        fields.append("")
    return "\n".join([*fields, _raw(block).decode("ascii", "surrogateescape")])


def as_json(value: object) -> str:
    """Return a value as JSON that every reader takes."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8", "replace").decode("utf-8")

"""Mails -> records: delivery reports, complaints, notifications of SNS, and why others are none.

References
----------
.. [1] Notifications of SES by mail: https://docs.aws.amazon.com/ses/latest/dg/monitor-sending-activity-using-notifications-email.html
.. [2] Notifications of SNS by mail: https://docs.aws.amazon.com/sns/latest/dg/sns-email-notifications.html
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from bounceanalytics.loading.spans import TEXT_KEPT, Span
from bounceanalytics.loading.translating.delivery_reports import loose_report, report_of
from bounceanalytics.loading.translating.mail_parts import (
    UnreadableError,
    as_json,
    as_text,
    header,
    parsed,
    parts_of,
    readings,
)
from bounceanalytics.loading.translating.mailboxes import mails
from bounceanalytics.opening.text import HALF_LETTER, finite

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import Message
    from typing import IO


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
        - ``{"report": …}`` with ``provider`` (the ESP that wrote it, or generic), ``from``, ``id``, ``subject``,
          ``date``, ``reporting_mta``, ``arrival_date``, ``sending_ip``, ``message_id`` (of the mail that it is about)
          and ``recipients``, a list of ``address``, ``original``, ``action``, ``status``, ``diagnostic`` and
          ``remote_host``; what is not known is left out,
        - ``{"mail_notice": subject}``: SNS wrote in words.

        Any other mail is an error, which says what it is.
    """
    for offset, raw in mails(stream):
        try:
            yield Span(offset, _record(raw))
        except UnreadableError as error:
            yield Span(offset, as_text(raw[:TEXT_KEPT]), str(error))
        except RecursionError:
            yield Span(offset, as_text(raw[:TEXT_KEPT]), "it is a mail whose parts are nested too deeply")
        except Exception as error:  # the standard parser trips over odd mails in many ways
            yield Span(
                offset, as_text(raw[:TEXT_KEPT]), f"it is no mail that can be read: {type(error).__name__}"
            )


def _record(raw: bytes) -> str:
    message: Message = parsed(raw)
    if not message.keys():
        raise UnreadableError("it is no mail: no header lines stand at its beginning")
    from_sns = "no-reply@sns." in header(message, "from").lower() or "x-amz-sns-message-id" in message
    record = _sns_record(message, known=from_sns)
    if record:
        return record
    if from_sns:
        return as_json({"mail_notice": header(message, "subject")})
    report = report_of(message) or loose_report(message, raw)
    if report is None:
        raise UnreadableError(_why_none(message))
    return as_json({"report": report})


_ABSENT = (
    r"\W*(?:auto(?:matic|mated)?[ -]?(?:reply|response|antwort)|automatische antwort|out of (?:the )?office|abwesen"
    r"|réponse automatique|absence|respuesta automática|fuera de|risposta automatica|resposta automática|автоответ)"
)
_RETURNED = (
    r".*(?:undeliver|delivery (?:status notification|fail|delay|has failed)|returned mail|failure notice"
    r"|unzustellbar|non remis|no se puede entregar)"
)

_RECEIPT = "it is a receipt of a reader, not a bounce"
_DOMAIN = "it is a report about a domain, not a bounce"
_REPLY = "it is an automatic reply, such as a note of absence, not a bounce"
_UNKNOWN = "it looks like a bounce, but recipient and reply stand in no form that is known"
_LIST = "it is a newsletter or a mail of a list, not a bounce"
_NONE = "it is a mail that holds no delivery report, no complaint and no notification"

#: Mails that give no record: a header, how it begins, and what the mail is. The first that fits counts.
_OTHERS = tuple(
    (name, re.compile(pattern, re.IGNORECASE), what)
    for name, pattern, what in (
        ("content-type", r".*disposition-notification", _RECEIPT),
        ("content-type", r".*report-type=\W*(?:tlsrpt|dmarc)", _DOMAIN),
        ("subject", r"report domain:", _DOMAIN),
        ("subject", _ABSENT, _REPLY),
        ("from", r".*(?:mailer-?daemon|postmaster@|mail delivery (?:sub)?system)", _UNKNOWN),
        ("x-failed-recipients", r"", _UNKNOWN),
        ("subject", _RETURNED, _UNKNOWN),
        ("auto-submitted", r"auto-", _REPLY),
        ("x-autoreply", r"", _REPLY),
        ("x-autorespond", r"", _REPLY),
        ("precedence", r"auto", _REPLY),
        ("list-unsubscribe", r"", _LIST),
        ("list-id", r"", _LIST),
        ("precedence", r"bulk|list|junk", _LIST),
    )
)


def _why_none(message: Message) -> str:
    for name, pattern, what in _OTHERS:
        if name in message and pattern.match(header(message, name)):
            return what
    return _NONE


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
    for part in parts_of(message):
        for text in readings(part):
            opening = _OPENING.search(text)
            if not opening or not (known or text.lstrip().startswith("{")):
                continue
            value, piece = _object(_FOLD.sub("", text[opening.end() :]))
            if (known and value) or _SNS_KEYS & value.keys():
                return piece
            damaged = known
    if damaged:
        raise UnreadableError("it is a mail of SNS whose JSON cannot be read")
    return ""


def _object(text: str) -> tuple[dict[str, Any], str]:
    """Return the JSON object at the beginning of a text, and how it is written; else an empty one."""
    for reading in (text, _BREAK.sub("", text)):  # SNS breaks no line inside a string, so a mail server has
        try:
            value, end = _DECODER.raw_decode(reading)
        except (ValueError, RecursionError):
            continue
        piece = reading[:end]
        return value, as_json(value) if _is_odd(piece, value) else piece
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

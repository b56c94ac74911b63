"""Mailbox files, and files that hold a single mail -> the mails in them.

References
----------
.. [1] RFC 4155, the application/mbox media type
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bounceanalytics.opening.text import BOM, lines_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO

_PIECE = 64 * 1024  # bytes; a line that never ends is read in pieces
_LARGEST = 8 * 1024**2  # bytes of one mail; what it says stands at its beginning, attachments behind

_DAY = rb"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),?"
_MONTH = rb"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_SEPARATOR = re.compile(
    rb"From .{0,400}?" + _DAY + rb" +(?:" + _MONTH + rb" +\d|\d+ +" + _MONTH + rb").{0,20}\d\d:\d\d"
)
_HEADER = re.compile(rb"[A-Za-z][A-Za-z0-9_.-]*[ \t]*:")
_QUOTED = re.compile(rb"^>(>*From )", re.MULTILINE)


def mails(stream: IO[bytes]) -> Iterator[tuple[int, bytes]]:
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

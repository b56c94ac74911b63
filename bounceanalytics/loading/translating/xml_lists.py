"""XML of SendGrid's API v2, withdrawn in 2018: bounces, blocks, invalid addresses, spam reports and unsubscribes.

References
----------
.. [1] API v2, until 2018: https://docs.sendgrid.com/api-reference/ (Web API v2, "bounces.get.xml")
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from xml.parsers import expat

from bounceanalytics.loading.spans import TEXT_KEPT, Span
from bounceanalytics.opening.text import BOM, ByteWindow, decoded

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO

#: Tag of a record -> tag of the list it stands in.
LISTS = {
    "bounce": "bounces",
    "block": "blocks",
    "invalidemail": "invalidemails",
    "spamreport": "spamreports",
    "unsubscribe": "unsubscribes",
}

_CHUNK = 64 * 1024  # bytes
_HEAD = 4096
_LONGEST = 1024 * 1024  # bytes of one record
_TAG_KEPT = 256  # bytes; a tag may be cut by the end of what has been read

_ROOTS = "|".join(LISTS.values()).encode()
_ROOT = re.compile(rb"<(" + _ROOTS + rb")(?=[\s/>])[^<>]*>")
_FIRST_TAG = re.compile(rb"<([A-Za-z][\w.-]*)")
_FIRST_RECORD = re.compile(rb"\s*<([A-Za-z][\w.-]{0,60})(?=[\s>])[^<>]*>\s*<[A-Za-z]")
_DECLARED = re.compile(rb"<\?xml[^<>]*?encoding\s*=\s*[\"']([A-Za-z0-9._-]+)[\"']")
#: What may stand between records.
_HARMLESS = re.compile(rb"\s+|<\?.*?\?>|<!--.*?-->|</?(?:" + _ROOTS + rb")(?=[\s/>])[^<>]*>", re.DOTALL)
_LATIN = frozenset({"iso-8859-1", "iso8859-1", "latin1", "latin-1", "us-ascii", "ascii"})


def spans(stream: IO[bytes]) -> Iterator[Span]:
    """Yield the records of an XML list, each cut out and parsed on its own so that damage stays where it is.

    Parameters
    ----------
    stream : binary file
        Unpacked bytes.

    Yields
    ------
    Span
        Its text is ``{"xml_list": …}`` with the tag of the list (bounces, blocks, invalidemails, spamreports or
        unsubscribes) and the elements of the record, such as ``email``, ``status``, ``reason`` and ``created``, as
        texts; empty elements are left out.

    Notes
    -----
    A document type is an error of its own, and entities are never expanded.
    """
    window = ByteWindow(stream, _CHUNK)
    scan = _Scan(window.text[window.at : window.at + _HEAD])
    gap = _Gap()
    while True:
        start = scan.starts.search(window.text, window.at)
        if start is None:
            # a tag may have been cut
            kept = 0 if window.ended else _TAG_KEPT
            gap.add(window.offset, window.step(max(window.left - kept, 0)))
            if not window.more():
                break
            continue
        gap.add(window.offset, window.step(start.start() - window.at))
        yield from gap.close(scan)
        offset = window.offset
        piece, error = _cut(window, start[1], scan.tags)
        yield scan.record(piece, start[1].decode("ascii"), offset, error)
    gap.add(window.offset, window.step(window.left))
    yield from gap.close(scan)


class _Scan:
    """Facts about a file: its encoding, the list it is, and the tag of its records."""

    def __init__(self, head: bytes) -> None:
        declared = _DECLARED.search(head)
        self.encoding = _encoding(declared[1].decode("ascii").lower() if declared else "")
        self.root = ""
        tags = {tag.encode() for tag in LISTS}
        root = _ROOT.search(head)
        first = _FIRST_RECORD.match(head, root.end()) if root else None
        if first:
            tags.add(first[1])
        self.tags = b"|".join(map(re.escape, sorted(tags)))
        self.starts = re.compile(rb"<(" + self.tags + rb")(?=[\s/>])[^<>]*>")

    def learn(self, gap: bytes) -> None:
        """Look for the list that begins between two records: some files hold several documents."""
        for found in _ROOT.finditer(gap):
            self.root = found[1].decode("ascii")

    def record(self, piece: bytes, tag: str, offset: int, error: str) -> Span:
        text = self.decoded(piece)
        fields: dict[str, str] = {}
        if not error:
            try:
                fields = _leaves(text)
            except (expat.ExpatError, ValueError) as problem:
                error = f"not valid XML: {problem}"
            else:
                error = "" if fields else "it is a record without content"
        if error:
            return Span(offset, text[:TEXT_KEPT], error)
        fields.pop("xml_list", None)
        record = {"xml_list": self.root or LISTS.get(tag, tag), **fields}
        return Span(offset, json.dumps(record, ensure_ascii=False))

    def decoded(self, raw: bytes) -> str:
        for name in (self.encoding, "utf-8"):
            try:
                return raw.decode(name).encode("utf-8", "replace").decode("utf-8")
            except (LookupError, ValueError):
                continue
        return decoded(raw)


def _encoding(declared: str) -> str:
    if declared in _LATIN:
        return "cp1252"  # what calls itself ISO-8859-1 is Windows' Western code page in truth
    # a declaration that could be read as ASCII is not in UTF-16; the file has been rewritten since it was declared
    return (
        "utf-8" if not declared or declared.startswith(("utf-16", "utf-32", "ucs", "iso-10646")) else declared
    )


class _Gap:
    """Bytes between two records."""

    def __init__(self) -> None:
        self._raw = b""
        self._offset = 0

    def add(self, offset: int, raw: bytes) -> None:
        if not self._raw:
            self._offset = offset
        if len(self._raw) < _CHUNK:  # the beginning is enough of what is no record
            self._raw += raw

    def close(self, scan: _Scan) -> Iterator[Span]:
        """Yield an error if there was something that does not belong there."""
        raw, self._raw = self._raw, b""
        scan.learn(raw)
        at = 0
        while at < len(raw):
            harmless = _HARMLESS.match(raw, at)
            if harmless is None:
                break
            at = harmless.end()
        else:
            return
        rest = raw[at : at + TEXT_KEPT]
        if rest.upper().startswith((b"<!DOCTYPE", b"<!ENTITY")):
            error = "it declares a document type or entities, which is refused"
        else:
            error = "it is no record of the list"
        yield Span(self._offset + at, scan.decoded(rest), error)


def _cut(window: ByteWindow, tag: bytes, tags: bytes) -> tuple[bytes, str]:
    """Take the record off that begins here, as far as the next one at most; say what is wrong with its end."""
    bound = re.compile(rb"</" + re.escape(tag) + rb"\s*>|<(?:" + tags + rb")(?=[\s/>])")
    opening = window.text.index(b">", window.at) + 1 - window.at
    if window.text.endswith(b"/>", 0, window.at + opening):
        return window.step(opening), ""
    searched = opening
    while True:
        end = bound.search(window.text, window.at + searched)
        if end and not end[0].startswith(b"</"):
            return window.step(end.start() - window.at), "the next record begins before this one ends"
        if end:
            return window.step(end.end() - window.at), ""
        if window.left > _LONGEST:
            return window.step(window.left - _TAG_KEPT), "it is longer than a record can be"
        searched = max(opening, window.left - _TAG_KEPT)
        if not window.more():
            return window.step(window.left), "it breaks off before its end"


def _leaves(text: str) -> dict[str, str]:
    """Return the elements of a record that hold no others."""
    fields: dict[str, str] = {}
    path: list[str] = []
    content: list[str] = []
    leaf = False

    def start(name: str, _: object) -> None:
        nonlocal leaf
        path.append(name)
        content.clear()
        leaf = True

    def end(name: str) -> None:
        nonlocal leaf
        path.pop()
        if leaf and path and content:
            fields.setdefault(name, "".join(content))
        leaf = False

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = content.append
    parser.Parse(text, True)
    return fields


def looks_like_list(head: bytes) -> bool:
    """Return whether a file with these first bytes is an XML list of SendGrid's.

    Parameters
    ----------
    head : bytes
        The first unpacked bytes of a file.

    Returns
    -------
    bool
        Whether its first element is a list by name, and holds addresses or nothing at all.
    """
    start = head.removeprefix(BOM).lstrip()
    first = _FIRST_TAG.search(start, 0, _HEAD)
    root = _ROOT.match(start, first.start()) if first else None
    if not root or not start.startswith(b"<"):
        return False
    rest = start[root.end() :].lstrip()
    return b"<email" in rest or not rest or rest.startswith(b"</" + root[1])

"""Form posts of old webhooks as a server has logged them: URL-encoded, one a line, or multipart.

References
----------
.. [1] URL-encoded forms: https://url.spec.whatwg.org/#application/x-www-form-urlencoded
.. [2] Forms in parts: RFC 7578, https://www.rfc-editor.org/rfc/rfc7578
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qsl

from bounceanalytics.loading.spans import TEXT_KEPT, Span
from bounceanalytics.opening.text import BOM, decoded, read_line

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator
    from typing import IO

_LONGEST = 16 * 1024**2  # bytes of a line, and of the fields of a body in parts
_MOST_FIELDS = 10_000
_HEAD = 64 * 1024

_KEY = rb"[A-Za-z_][\w.\-+%\[\]]*"
_BODY = re.compile(_KEY + rb"=")
_WHOLE_BODY = re.compile(_KEY + rb"=[^\s&\"<>{}]*(?:&(?:" + _KEY + rb"(?:=[^\s&\"<>{}]*)?)?)+")
_TELLING = re.compile(rb"(?:^|&)(?:event|email|recipient)=")
_DISPOSITION = re.compile(rb"content-disposition:\s*form-data", re.IGNORECASE)
_PART_HEADER = re.compile(rb"content-[a-z-]+\s*:", re.IGNORECASE)
_NAME = re.compile(rb";\s*name=(?:\"((?:[^\"\\]|\\.)*)\"|([^\s;\"]+))", re.IGNORECASE)
_FILE = re.compile(rb";\s*filename\*?=", re.IGNORECASE)


def spans(stream: IO[bytes]) -> Iterator[Span]:
    """Yield one record for each body, whether it is a line of ``key=value&key=value`` or ``multipart/form-data``.

    Parameters
    ----------
    stream : binary file
        Unpacked bytes.

    Yields
    ------
    Span
        Its text is a flat object with the keys as they were given. Values are texts; a key that was given several
        times, or as ``key[]``, has a list of texts. Files that were attached are dropped.
    """
    lines = _Lines(stream)
    line = lines.take()
    while line is not None:
        raw = line.raw.strip()
        following: _Line | None = None
        if line.cut:
            yield Span(line.offset, decoded(raw[:TEXT_KEPT]), f"it is a line of more than {_LONGEST:,} bytes")
        elif _begins_parts(raw, lines.next):
            following = yield from _parts(line, lines)
        elif raw:
            yield _form(line.offset, raw)
        line = following or lines.take()


class _Line(NamedTuple):
    """A line, or the beginning of one that is too long."""

    offset: int
    raw: bytes
    cut: bool


class _Lines:
    """The lines of a file, with a look at the one that comes next."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._offset = 0
        self.next = self._read()

    def take(self) -> _Line | None:
        """Return the next line, or None at the end."""
        line = self.next
        if line is not None:
            self.next = self._read()
        return line

    def _read(self) -> _Line | None:
        offset = self._offset
        raw = self._piece(_LONGEST)
        cut = len(raw) >= _LONGEST and not raw.endswith(b"\n")
        rest = raw if cut else b""
        while rest and not rest.endswith(b"\n"):
            rest = self._piece(_HEAD)
        if offset == 0 and raw.startswith(BOM):
            return _Line(len(BOM), raw[len(BOM) :], cut)
        return _Line(offset, raw, cut) if raw else None

    def _piece(self, size: int) -> bytes:
        raw = read_line(self._stream, size)
        self._offset += len(raw)
        return raw


def _record(pairs: Iterable[tuple[str, str]]) -> str:
    """Return fields as JSON; a key that comes again, or says so by its brackets, has a list."""
    values: dict[str, list[str]] = {}
    listed = set()
    for key, value in pairs:
        name = key.removesuffix("[]")
        values.setdefault(name, []).append(value)
        if name != key or len(values[name]) > 1:
            listed.add(name)
    record = {name: texts if name in listed else texts[0] for name, texts in values.items()}
    return json.dumps(record, ensure_ascii=False)


# one body a line


def _form(offset: int, raw: bytes) -> Span:
    if not _BODY.match(raw):
        return Span(offset, decoded(raw[:TEXT_KEPT]), "it is no form body: it does not begin with key=value")
    try:
        # Latin-1 lets bytes through as they are; what they mean is seen after the percent signs are gone
        pairs = parse_qsl(
            raw.decode("latin-1"), keep_blank_values=True, encoding="latin-1", max_num_fields=_MOST_FIELDS
        )
    except ValueError:
        return Span(
            offset, decoded(raw[:TEXT_KEPT]), f"it is a form body of more than {_MOST_FIELDS:,} fields"
        )
    told = [(decoded(key.encode("latin-1")), decoded(value.encode("latin-1"))) for key, value in pairs]
    return Span(offset, _record((key, value) for key, value in told if key))


# bodies in parts


class _Field(NamedTuple):
    """A field of a body, and where its part begins."""

    offset: int
    name: str
    value: str


def _begins_parts(raw: bytes, following: _Line | None) -> bool:
    return (
        raw.startswith(b"--")
        and len(raw) > 2
        and following is not None
        and _PART_HEADER.match(following.raw) is not None
    )


def _begins_form(raw: bytes, following: _Line | None) -> bool:
    # stricter than the above, for a field may hold a mail that has parts of its own
    return (
        _begins_parts(raw, following)
        and following is not None
        and _DISPOSITION.match(following.raw) is not None
    )


def _parts(first: _Line, lines: _Lines) -> Generator[Span, None, _Line | None]:
    """Yield the body that begins with this line; several, if the ends of some are damaged.

    Returns the line that begins the next body, if that was met before this one was closed.
    """
    boundary = first.raw.strip()
    fields: list[_Field] = []
    error = ""
    left = _LONGEST
    end: _Line | None = first
    while end is not None and end.raw.strip() == boundary:
        offset = end.offset
        name = _part_name(lines)
        content, end = _content(lines, boundary, left if name else 0)
        if name is None:
            error = "it is a form body with a part that has no name"
        elif name and content is None:
            error = f"it is a form body of more than {_LONGEST:,} bytes"
        elif name:
            left -= len(content or b"")
            fields.append(_Field(offset, name, decoded(content or b"")))
    *broken, whole = _split(fields)
    for one in broken:
        yield Span(one[0].offset, _shown(one), "it is a form body that breaks off")
    closed = end is not None and end.raw.strip() == boundary + b"--"
    if not closed:
        error = error or "it is a form body that breaks off"
    elif not fields:
        error = error or "it is a form body without fields"
    record = _shown(whole) if error else _record((field.name, field.value) for field in whole)
    yield Span(whole[0].offset if broken else first.offset, record, error or None)
    return None if closed else end


def _shown(fields: list[_Field]) -> str:
    return "&".join(f"{field.name}={field.value[:TEXT_KEPT]}" for field in fields[:20])[:TEXT_KEPT]


def _split(fields: list[_Field]) -> list[list[_Field]]:
    """Cut fields where a body begins anew, which shows that the end of the one before was lost."""
    names = [field.name for field in fields]
    if len(set(names[:2])) < 2:
        return [fields]
    starts = [0, *(at for at in range(2, len(names) - 1) if names[at : at + 2] == names[:2])]
    return [fields[start:end] for start, end in zip(starts, [*starts[1:], len(fields)], strict=True)]


def _part_name(lines: _Lines) -> str | None:
    """Read the headers of a part; return its name, nothing if it is a file, None if it has no name."""
    name: str | None = None
    while (line := lines.next) is not None and _PART_HEADER.match(line.raw):
        lines.take()
        if _DISPOSITION.match(line.raw):
            head = line.raw[:_HEAD]
            found = _NAME.search(head)
            if _FILE.search(head):
                name = ""
            elif found:
                name = decoded(found[1] or found[2] or b"").replace('\\"', '"') or None
    if line is not None and not line.raw.strip():
        lines.take()
    return name


def _content(lines: _Lines, boundary: bytes, most: int) -> tuple[bytes | None, _Line | None]:
    """Read a part up to the line that ends it; return its content, None if that is too long, and that line."""
    content: list[bytes] = []
    size = 0
    while (line := lines.take()) is not None:
        raw = line.raw.strip() if line.raw.startswith(b"--") else b""
        if raw and (raw in {boundary, boundary + b"--"} or _begins_form(raw, lines.next)):
            break
        size += len(line.raw)
        if size <= most and not line.cut:
            content.append(line.raw)
    if size > most:
        return None, line
    value = b"".join(content)
    return value.removesuffix(b"\n").removesuffix(b"\r"), line


# recognising


def looks_like_bodies(head: bytes) -> bool:
    """Return whether a file with these first bytes holds form bodies.

    Parameters
    ----------
    head : bytes
        The first unpacked bytes of a file.

    Returns
    -------
    bool
        Whether one of its first lines is ``key=value&key=value`` with a key ``event``, ``email`` or ``recipient``, or
        its first line begins a form in parts.
    """
    lines = [line.strip() for line in head.removeprefix(BOM).splitlines()]
    lines = [line for line in lines if line][:20]
    if not lines:
        return False
    if lines[0].startswith(b"--"):
        return any(_DISPOSITION.match(line) for line in lines[1:4])
    return any(_WHOLE_BODY.fullmatch(line) and _TELLING.search(line) for line in lines)

"""Detection of the export format from the first bytes of a file; its name is asked only where content cannot tell."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from bounceanalytics.loading.formats.reports import REPORT_OF
from bounceanalytics.loading.found import Found, Layout
from bounceanalytics.loading.hints import (
    column_of_addresses,
    has_titles,
    leaves,
    rows_of_text,
    titles_by_cells,
)
from bounceanalytics.loading.tolerant import spans_of
from bounceanalytics.loading.translating import form_posts, mail, xml_lists
from bounceanalytics.loading.translating.mailboxes import looks_like_mail
from bounceanalytics.loading.unwrapping.keys import Event
from bounceanalytics.loading.unwrapping.shapes import reshaped
from bounceanalytics.loading.unwrapping.walk import WALK
from bounceanalytics.opening.csv import DELIMITERS, before_header, separator_line, titles
from bounceanalytics.opening.text import BOM

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import IO

    from bounceanalytics.loading.formats.format import Format
    from bounceanalytics.loading.spans import Span

_SAMPLE = 50

#: First bytes -> what the file is. Compared after blanks, in lower case.
_LOOKS = (
    (b"<!doctype html", "an HTML page"),
    (b"<html", "an HTML page"),
    (b"<?xml", "an XML file"),
    (b"<", "markup"),
    (b"%pdf", "a PDF document"),
    (b"pk\x03\x04", "a ZIP archive or a spreadsheet"),
    (b"par1", "a Parquet file"),
    (b"bzh", "a bzip2 archive"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive"),
    (b"\xfd7zxz", "an xz archive"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
    (b"sqlite format 3", "a SQLite database"),
    (b"\xff\xfe", "text in UTF-16"),
    (b"\xfe\xff", "text in UTF-16"),
)


def detect(head: bytes, name: str, formats: Sequence[Format], *, whole: bool) -> Found:
    """Return what a file with these first bytes is.

    Parameters
    ----------
    head : bytes
        Its first bytes, unpacked.
    name : str
        Its name, asked only to tell formats apart whose content is the same.
    formats : sequence of Format
        What is known, the most telling first.
    whole : bool
        The file is not longer than ``head``.
    """
    text = head.removeprefix(BOM).decode("utf-8", errors="replace")
    if not whole and len(text) > 8:
        text = text[:-8]  # a character may be cut in two
    start = text.lstrip(" \t\r\n\x00")
    if not start:
        return Found(None, "empty", "an empty file")
    lines = _whole_lines(text, whole=whole)
    found = _detect_log(lines, first=True) if _LOG_TIME.match(start) else None
    if found is None and start[0] in '{["':
        found = _detect_json(text, name, formats, whole=whole)
    if not _is_known(found):
        found = _detect_translated(head, name, formats, whole=whole) or found
    if found is None:
        found = _detect_log(lines, first=True) or _detect_table(text, name, formats, whole=whole)
    if not _is_known(found):
        found = _detect_log(lines) or found
    if "{" in text and (found is None or not _is_known(found)):
        found = _detect_among(text, []) or found
    elif found and found.layout == "log" and (_OPENS.search(text) or _CLOSES.match(start)):
        found = _detect_among(text, lines) or found
    return found or Found(None, "values", _looks(head))


def _is_known(found: Found | None) -> bool:
    return found is not None and found.format is not None


def _detect_translated(head: bytes, name: str, formats: Sequence[Format], *, whole: bool) -> Found | None:
    """Detect what must be translated to JSON first: mails, XML, form bodies."""
    if looks_like_mail(head):
        return _detect_mail(head, name, formats, whole=whole)
    if xml_lists.looks_like_list(head):
        fmt = _choose(_some(xml_lists.spans, head), "json", _clues(name), formats)
        return Found(fmt, "xml", fmt.title if fmt else "an XML file")
    if form_posts.looks_like_bodies(head):
        values = _some(form_posts.spans, head)
        fmt = _choose(values, "body", _clues(name), formats)
        keys = sorted({key for value in values for key in value})
        return Found(fmt, "bodies", fmt.title if fmt else f"form bodies with the fields {_shown(keys)}")
    return None


def _detect_mail(head: bytes, name: str, formats: Sequence[Format], *, whole: bool) -> Found:
    """Detect a mailbox by its reports and notifications; in one that is not whole they may come later."""
    spans = list(islice(mail.spans(io.BytesIO(head)), 2 * _SAMPLE))
    values = _parsed_spans(spans)
    reports = [fmt for fmt in formats if any(need.startswith(REPORT_OF) for need in fmt.needs)]
    fmt = _choose(list(map(_report_named, values)), "json", _clues(name), reports)
    inside = None if fmt else _known_inside(map(WALK.records, values))
    if inside:
        fmt = next((one for one in reports if one.provider == inside.provider), inside)
    if fmt is None and not whole:
        fmt = next((one for one in reports if one.provider == "generic"), None)
    why = next((span.error for span in spans if span.error), "nothing but notices")
    return Found(fmt, "mail", fmt.title if fmt else f"mail that gives no event ({why})", wrapped=True)


def _some(spans: Callable[[IO[bytes]], Iterator[Span]], head: bytes) -> list[dict[str, Any]]:
    return _parsed_spans(islice(spans(io.BytesIO(head)), 2 * _SAMPLE))


def _parsed_spans(spans: Iterable[Span]) -> list[dict[str, Any]]:
    good = (span.text for span in spans if not span.error)
    return [value for value in map(_parsed, filter(None, good)) if isinstance(value, dict)]


def _report_named(value: dict[str, Any]) -> dict[str, Any]:
    """Return a mail's record with a key that says whose report it is."""
    report = value.get("report")
    return value | {f"{REPORT_OF}{report.get('provider')}": ""} if isinstance(report, dict) else value


#: What stands in brackets before the event in some logs, and is no JSON list.
_LOG_TIME = re.compile(r"\[[^\[\]{}\"]*\]\s")


def _whole_lines(text: str, *, whole: bool) -> list[str]:
    """Return the first lines that are not blank and not cut."""
    lines = text.splitlines()
    kept = lines if whole or len(lines) == 1 else lines[:-1]
    return [line for line in kept[: 10 * _SAMPLE] if line.strip()]


def _detect_log(lines: list[str], *, first: bool = False) -> Found | None:
    """Detect the log of a program that wrote events into its lines; if ``first``, into the first one."""
    fmt = _known_inside([WALK.line(line)] for line in lines[: 1 if first else None])
    return None if fmt is None else Found(fmt, "log", f"a log with {fmt.title} in its lines", wrapped=True)


#: What a value over several lines begins with, and what the rest of a cut value may be.
_OPENS = re.compile(r"[\[{][ \t\r]*$", re.MULTILINE)
_CLOSES = re.compile(r"[^\n]*[}\]]\s*,\s*\{")


def _detect_among(text: str, lines: list[str]) -> Found | None:
    """Detect values over several lines among words, and those behind one whose beginning is not there.

    In a log, there must be more events than there are in its ``lines``, or the first one be cut.
    """
    spans = list(islice(spans_of(text.encode("utf-8", "replace"), words=True), 4 * _SAMPLE))
    records = [WALK.records(_parsed(span.text or "")) for span in spans if not span.error]
    inside = _known_inside(records)
    cut = spans and spans[0].error and _CUT.search(spans[0].text or "")
    if inside is None or (
        lines and not cut and _count(records) <= _count([WALK.line(line)] for line in lines)
    ):
        return None
    return Found(inside, "values", f"{inside.title} among other text", wrapped=True, among=True)


#: The end of an event whose beginning is not there.
_CUT = re.compile(r"\"\s*:.*[\w\"}\]]\s*[}\]]$", re.DOTALL)


def _count(found: Iterable[list[list[Any]]]) -> int:
    return sum(isinstance(one, Event) for records in found for record in records for one in record)


def _known_inside(found: Iterable[list[list[Any]]]) -> Format | None:
    """Return the format of most of the events that a walk has found; None if it has found none."""
    events = Counter(
        WALK.place(one) for records in found for record in records for one in record if isinstance(one, Event)
    )
    return WALK.formats[events.most_common(1)[0][0]] if events else None


def _looks(head: bytes) -> str:
    start = head.removeprefix(BOM).lstrip()[:100].lower()
    for magic, name in _LOOKS:
        if start.startswith(magic):
            return name
    if b"\x00" in head[:4096]:
        return "binary data"
    if start[:1] in b"{[":
        return "damaged JSON"
    return "plain text"


# JSON


@dataclass(slots=True)
class _Looked:
    """What the first values of a file hold."""

    values: list[Any]
    records: list[dict[str, Any]] = field(default_factory=list)
    urls: list[str] = field(default_factory=list)
    pages: set[int] = field(default_factory=set)  # ids of values that hold a list of records
    nested: bool = False
    indexed: bool = False


def _detect_json(text: str, name: str, formats: Sequence[Format], *, whole: bool) -> Found | None:
    values, layout = _values(text, whole=whole)
    if values is None:
        return None
    containers = {fmt.container for fmt in formats if fmt.container}
    look = _looked_at(values, containers)
    # the list that an address in the page belongs to is a better clue than the name the user gave the file
    fmt = _choose(look.records, "json", [*look.urls, *_clues(name)], formats)
    if (
        fmt
        and fmt.typed
        and any(isinstance(one, (dict, list)) for row in look.records for one in row.values())
    ):
        fmt = None  # a frame by its columns is read in another notation
    native = None
    if fmt:
        header = tuple(dict.fromkeys(key for record in look.records for key in record)) if fmt.typed else ()
        native = Found(fmt, layout, fmt.title, nested=look.nested, indexed=look.indexed, header=header)
    if fmt and not fmt.refuse and not _is_strange(look, fmt, formats):
        return native
    within = _detect_wrapped(look, layout, formats, fmt)
    return within or native or _without_format(look, layout, containers)


def _looked_at(values: list[Any], containers: set[str]) -> _Looked:
    look = _Looked(values)
    for value in values:
        if isinstance(value, list):
            look.nested = True
            look.records += _items(value, "")
            continue
        if _is_indexed(value):
            look.nested = look.indexed = True
            look.records += _items(list(value.values()), "")
            continue
        inside = [key for key in containers & value.keys() if isinstance(value[key], list)]
        look.nested = look.nested or bool(inside)
        for key in inside:
            look.records += _items(value[key], key)
            look.pages.add(id(value))
        found = _leaves(value.get("paging") or value.get("pages"))
        look.urls += [url for url in found if isinstance(url, str)]
        look.records.append(value)
    return look


def _detect_wrapped(
    look: _Looked, layout: Layout, formats: Sequence[Format], fmt: Format | None
) -> Found | None:
    """Detect values that are no records of an ESP themselves and hold some."""
    some = look.values[:_SAMPLE]
    inside = _known_inside(map(WALK.records, some))
    if inside is None and fmt is None and any(map(WALK.is_carried, some)):
        inside = next((one for one in formats if one.carried), None)
    if inside is None:
        return None
    lists = [key for one in some if isinstance(one, dict) for key in one if isinstance(one[key], list)]
    container = next(iter(lists), "") if layout == "values" else ""
    looks = f"{inside.title}, wrapped"
    return Found(inside, layout, looks, indexed=look.indexed, wrapped=True, container=container)


def _without_format(look: _Looked, layout: Layout, containers: set[str]) -> Found:
    """Return what values are that hold no record of a format that is known."""
    dicts = [value for value in look.values if isinstance(value, dict)]
    if not dicts and not any(set(one) - {_BARE, ""} for one in look.records):
        if not any(look.values):
            return Found(None, "empty", "an empty list")
        bare = any("@" in one.get(_BARE, "") for one in look.records)
        return Found(None, layout, f"a JSON list of {'addresses' if bare else 'texts or numbers'} alone")
    if len(look.values) == 1 and dicts and any(dicts[0].get(key) == [] for key in containers):
        return Found(None, "empty", "a page without records")
    addresses = column_of_addresses(dict(leaves(record)) for record in look.records)
    return Found(None, layout, f"JSON with the fields {_keys(look.records)}", addresses=addresses)


#: Stands for the key of an address that stands in a list by itself.
_BARE = "address-alone"


def _items(values: list[Any], container: str) -> list[dict[str, Any]]:
    """Return the records in a list, with the key that the list stands under."""
    found: list[dict[str, Any]] = []
    for value in values[: 4 * _SAMPLE]:
        if isinstance(value, dict):
            found.append(value | {"": container})
        elif isinstance(value, str):
            found.append({_BARE: value, "": container})
        elif isinstance(value, list):
            found.append({"list-of-lists": "", "": container})
    return found


def _is_indexed(value: dict[str, Any]) -> bool:
    return bool(value) and all(
        key.isdecimal() and isinstance(item, dict) for key, item in list(value.items())[: 4 * _SAMPLE]
    )


def _keys(records: list[dict[str, Any]]) -> str:
    return _shown(sorted({key for record in records for key in record if key and "@" not in key}))


def _is_strange(look: _Looked, fmt: Format, formats: Sequence[Format]) -> bool:
    """Return whether there are records of none of an ESP's own formats, or spelled otherwise, that hold events."""
    if not look.indexed and any(reshaped(value) is not value for value in look.values):
        return True
    own = [one for one in formats if one.provider == fmt.provider and one.kind == "json"]
    strange = [
        record
        for record in look.records[: 4 * _SAMPLE]
        if id(record) not in look.pages and not WALK.is_native(record, own)
    ]
    return _known_inside(map(WALK.records, strange)) is not None


def _clues(name: str) -> list[str]:
    """Return what a file's name may tell: itself, then the folder it lies in, which ends in a slash."""
    parts = [part for part in re.split(r"[/\\]", name) if part]
    return [*parts[-1:], *(f"{folder}/" for folder in parts[-2:-1])]


def _choose(
    records: list[dict[str, Any]], kind: str, clues: list[str], formats: Sequence[Format]
) -> Format | None:
    """Return the format that most of the records fit; of two, the one that a clue speaks for, else the earlier."""
    shapes = Counter(
        (record.get("", ""), frozenset(key for key in record if key)) for record in records[:_SAMPLE]
    )
    fitting = [(_fitting(shapes, fmt), fmt) for fmt in formats if fmt.kind == kind]
    fitting = [(count, fmt) for count, fmt in fitting if count]
    most = max((count for count, _ in fitting), default=0)
    best = [fmt for count, fmt in fitting if count == most]
    for clue in clues:
        for fmt in best:
            if fmt.hint and re.search(fmt.hint, clue.lower()):
                return fmt
    return next((fmt for fmt in best if not fmt.hint), None)


def _fitting(shapes: Counter[tuple[Any, frozenset[str]]], fmt: Format) -> int:
    """Return how many records fit, of which is known in what container they lie and which keys they have."""
    places = {"", fmt.container} if fmt.bare else {fmt.container}
    return sum(count for (place, keys), count in shapes.items() if place in places and fmt.fits(keys))


def _values(text: str, *, whole: bool) -> tuple[list[Any] | None, Layout]:
    """Return the first JSON values of a text and how they lie in it."""
    lines = text.splitlines()
    if not whole:
        lines = lines[:-1]
    lines = [line for line in lines[: 10 * _SAMPLE] if line.strip()]
    parsed = [value for value in map(_parsed, lines[:_SAMPLE]) if isinstance(value, (dict, list))]
    if len(parsed) > 1 and 2 * len(parsed) >= min(len(lines), _SAMPLE):
        return parsed, "lines"
    if len(parsed) == 1 and len(lines) == 1 and whole:
        return parsed, "array" if isinstance(parsed[0], list) else "lines"
    decoder = json.JSONDecoder(strict=False)
    values: list[Any] = []
    end = 0
    while len(values) < _SAMPLE:
        end = _skip(text, end)
        if end >= len(text):
            break
        try:
            value, end = decoder.raw_decode(text, end)
        except (ValueError, RecursionError):
            if values:
                break
            return _cut_values(text, parsed)
        values.append(value)
    if len(values) == 1 and isinstance(values[0], list) and end >= len(text.rstrip()) and whole:
        return values, "array"
    kept = [value for value in values if isinstance(value, (dict, list))]
    return (kept or None), "values"


def _cut_values(text: str, lines: list[Any]) -> tuple[list[Any] | None, Layout]:
    """Return what can be read of a first value that the head cuts off, or that is damaged within it."""
    cut = _close(text)
    if lines and not isinstance(cut, list) and not (isinstance(cut, dict) and cut):
        return lines, "lines"
    if text.lstrip()[:1] != "[":
        return ([cut] if cut else None), "values"
    spans = islice(spans_of(text.encode("utf-8", "replace")), 4 * _SAMPLE)
    items = [item for item in (_parsed(span.text or "") for span in spans if not span.error) if item]
    return ([items] if items else [cut] if cut else None), "array"


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n,":
        at += 1
    return at


def _parsed(line: str, depth: int = 0) -> Any:
    try:
        value = json.loads(line, strict=False)
    except (ValueError, RecursionError):
        return None
    # JSON in a JSON text
    return _parsed(value, depth + 1) if isinstance(value, str) and value[:1] in '{["' and depth < 2 else value


_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],]', re.DOTALL)


_DEEPEST = 500


def _close(text: str) -> Any:
    """Return the first value of a text that ends, or is damaged, in the middle of it: as much as can be read."""
    stack: list[str] = []
    cuts: list[tuple[int, str]] = []
    for token in _TOKEN.finditer(text):
        mark = token[0]
        if mark in "{[":
            stack.append("}" if mark == "{" else "]")
            if len(stack) > _DEEPEST:
                break
        elif mark in "}]":
            if not stack or stack.pop() != mark:
                break
            cuts.append((token.end(), "".join(reversed(stack))))
        elif mark == ",":
            cuts.append((token.start(), "".join(reversed(stack))))
    for end, closing in reversed(cuts[-400:]):
        value = _parsed(text[:end] + closing)
        if value:
            return value
    for end, closing in cuts[:_SAMPLE][::-1]:
        value = _parsed(text[:end] + closing)
        if value:
            return value
    return None


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for item in value.values():
            yield from _leaves(item)
    else:
        yield value


def _shown(keys: Iterable[str]) -> str:
    listed = [key[:40] for key in keys]
    return ", ".join(listed[:8]) + (" …" if len(listed) > 8 else "") if listed else "(none)"


# tables


def column_key(title: str) -> str:
    """Return a column's title as it is compared: without blanks at its ends, in lower case."""
    return title.strip().lower()


def _detect_table(
    text: str, name: str, formats: Sequence[Format], delimiters: str = DELIMITERS, *, whole: bool = True
) -> Found | None:
    size, skip, blank = before_header(text)
    if size:
        found = _detect_table(text[size:], name, formats, delimiters, whole=whole)
        return found and replace(found, skip=found.skip + skip, blank=found.blank + blank)
    separator = separator_line(text)
    if separator:  # as a spreadsheet has written it anew
        found = _detect_table(text.removeprefix(separator[0]), name, formats, separator[1], whole=whole)
        return found and replace(found, skip=found.skip + 1)
    looks = None
    for delimiter, cells in titles(text.split("\n", 1)[0], delimiters).items():
        if len(cells) < 2 and delimiter != ",":
            continue
        found = _table_cut_by(delimiter, cells, text, name, formats, whole=whole)
        if _is_known(found):
            return found
        if found and (looks is None or (found.headless and not looks.header)):
            looks = found
    return looks


def _table_cut_by(
    delimiter: str, cells: list[str], text: str, name: str, formats: Sequence[Format], *, whole: bool
) -> Found | None:
    """Return what a text is as a table whose first line a delimiter cuts into these cells."""
    header = tuple(map(column_key, cells))
    fmt = _choose([dict.fromkeys(header, "")], "csv", _clues(name), formats)
    if fmt and fmt.says[0] and not _says(fmt, text, header, delimiter):
        fmt = None
    rows = _first_rows(text, delimiter, whole=whole)
    headless = fmt is None and not _has_titles(rows)
    if headless:
        header = _numbered(rows[0])
    cut = Found(fmt, "csv", "", header=header, delimiter=delimiter, headless=headless)
    if not (fmt and fmt.refuse):
        inside = _in_cells(rows[not headless :], header, known=fmt is not None)
        if inside:
            return replace(
                cut, format=inside, looks=f"a table with {inside.title} in its cells", wrapped=True
            )
    if fmt:
        return replace(cut, looks=fmt.title)
    return _headless(text, delimiter, _clues(name), formats) or _strange_table(cut, cells, rows, text)


def _strange_table(cut: Found, cells: list[str], rows: list[list[str]], text: str) -> Found | None:
    """Return what a table is called that is no export, with what is to be known of its columns."""
    if cut.headless and len(cut.header) > 1:
        named = titles_by_cells([row for row in rows if len(row) == len(cut.header)])
        what = f"a table without titles{', whose first line holds an address' if named else ''}"
        return replace(cut, looks=what, header=named)
    # an index that pandas has saved has no title
    if cut.headless or len(cells) < 2 or not all(cut.header[1:]) or any("@" in cell for cell in cells):
        return None
    addresses = column_of_addresses(rows_of_text(text, cells, cut.delimiter))
    what = f"a table with the columns {_shown(filter(None, cut.header))}"
    return replace(cut, looks=what, addresses=addresses)


def _first_rows(text: str, delimiter: str, *, whole: bool) -> list[list[str]]:
    """Return the first rows of a text as a table, those of its titles included; none if it cannot be cut so."""
    try:
        rows = list(islice(csv.reader(text.splitlines(keepends=True), delimiter=delimiter), _SAMPLE + 1))
    except csv.Error:
        return []
    return rows if whole or len(rows) > _SAMPLE else rows[:-1]


def _has_titles(rows: list[list[str]]) -> bool:
    """Return whether the first row of a table names what is in the others, and is not one of them."""
    return not rows or (
        has_titles(rows) and not WALK.row(dict(zip(_numbered(rows[0]), rows[0], strict=True)))
    )


def _numbered(row: list[str]) -> tuple[str, ...]:
    return tuple(f"column {place}" for place in range(1, len(row) + 1))


def _says(fmt: Format, text: str, header: tuple[str, ...], delimiter: str) -> bool:
    """Return whether most of the first values of a field are words of the format; a table without rows may be it."""
    field_, words = fmt.says
    place = fmt.place(field_, header)
    try:
        rows = list(islice(csv.reader(text.splitlines(), delimiter=delimiter), 1, _SAMPLE + 1))
    except csv.Error:
        return False
    values = [row[place].strip() for row in rows if len(row) > place]
    return 2 * sum(bool(re.fullmatch(words, one, re.IGNORECASE)) for one in values) >= len(values)


#: A cell that a form of table does not read: an object, or a list in Python's notation.
_STRUCTURE = re.compile(r"\{.*\}$|\[[{']", re.DOTALL)


def _in_cells(rows: list[list[str]], header: tuple[str, ...], *, known: bool) -> Format | None:
    """Return the format of the events in a table that is none of an ESP's own, or has structures in its cells."""
    if (len(header) < 2 or known) and not any(_STRUCTURE.search(cell) for row in rows for cell in row):
        return None
    return _known_inside(
        [WALK.row(dict(zip(header, row, strict=True)))] for row in rows if len(row) == len(header)
    )


def with_cells(found: Found, rows: Iterable[dict[str, Any]]) -> Found:
    """Return what a table is that is no text, by the events in its rows."""
    some = list(islice(rows, _SAMPLE))
    inside = _known_inside([WALK.row(row)] for row in some)
    if inside is None:
        return replace(found, addresses=column_of_addresses(some))
    return replace(found, format=inside, looks=f"a table with {inside.title} in its cells", wrapped=True)


def _headless(text: str, delimiter: str, clues: list[str], formats: Sequence[Format]) -> Found | None:
    """Detect a table without a header: addresses, and one word beside each."""
    try:
        rows = [row for row in csv.reader(text.splitlines()[:_SAMPLE], delimiter=delimiter) if any(row)]
    except csv.Error:
        return None
    for fmt in formats:
        if fmt.kind != "csv" or not fmt.rows or not rows:
            continue
        if fmt.hint and not any(re.search(fmt.hint, clue.lower()) for clue in clues):
            continue
        pattern = re.compile(fmt.rows)
        fitting = sum(bool(pattern.fullmatch(delimiter.join(row))) for row in rows)
        if pattern.fullmatch(delimiter.join(rows[0])) and 2 * fitting >= len(rows):
            header = tuple(fmt.fields.values())
            wide = [str(title) for title in header][: len(rows[0])]
            return Found(fmt, "csv", fmt.title, header=tuple(wide), delimiter=delimiter, headless=True)
    return None

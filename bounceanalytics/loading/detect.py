"""Detection of the export format from the first bytes of a file; its name is asked only where content cannot tell."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

from bounceanalytics.loading.choosing import SAMPLE, choose, clues, known_inside
from bounceanalytics.loading.detect_tables import detect_table
from bounceanalytics.loading.first_values import first_values, json_value
from bounceanalytics.loading.formats.reports import REPORT_OF
from bounceanalytics.loading.found import Found, Layout
from bounceanalytics.loading.hints import column_of_addresses, leaves
from bounceanalytics.loading.tolerant import spans_of
from bounceanalytics.loading.translating import form_posts, mail, xml_lists
from bounceanalytics.loading.translating.mailboxes import looks_like_mail
from bounceanalytics.loading.unwrapping.keys import Event
from bounceanalytics.loading.unwrapping.shapes import reshaped
from bounceanalytics.loading.unwrapping.walk import WALK
from bounceanalytics.opening.text import BOM
from bounceanalytics.privacy import shown_titles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import IO

    from bounceanalytics.loading.formats.format import Format
    from bounceanalytics.loading.spans import Span


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
        found = _detect_log(lines, first=True) or detect_table(text, name, formats, whole=whole)
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
        fmt = choose(_some(xml_lists.spans, head), "json", clues(name), formats)
        return Found(fmt, "xml", fmt.title if fmt else "an XML file")
    if form_posts.looks_like_bodies(head):
        values = _some(form_posts.spans, head)
        fmt = choose(values, "body", clues(name), formats)
        keys = sorted({key for value in values for key in value})
        return Found(fmt, "bodies", fmt.title if fmt else f"form bodies with the fields {shown_titles(keys)}")
    return None


def _detect_mail(head: bytes, name: str, formats: Sequence[Format], *, whole: bool) -> Found:
    """Detect a mailbox by its reports and notifications; in one that is not whole they may come later."""
    spans = list(islice(mail.spans(io.BytesIO(head)), 2 * SAMPLE))
    values = _parsed_spans(spans)
    reports = [fmt for fmt in formats if any(need.startswith(REPORT_OF) for need in fmt.needs)]
    fmt = choose(list(map(_report_named, values)), "json", clues(name), reports)
    inside = None if fmt else known_inside(map(WALK.records, values))
    if inside:
        fmt = next((one for one in reports if one.provider == inside.provider), inside)
    if fmt is None and not whole:
        fmt = next((one for one in reports if one.provider == "generic"), None)
    why = next((span.error for span in spans if span.error), "nothing but notices")
    return Found(fmt, "mail", fmt.title if fmt else f"mail that gives no event ({why})", wrapped=True)


def _some(spans: Callable[[IO[bytes]], Iterator[Span]], head: bytes) -> list[dict[str, Any]]:
    return _parsed_spans(islice(spans(io.BytesIO(head)), 2 * SAMPLE))


def _parsed_spans(spans: Iterable[Span]) -> list[dict[str, Any]]:
    good = (span.text for span in spans if not span.error)
    return [value for value in map(json_value, filter(None, good)) if isinstance(value, dict)]


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
    return [line for line in kept[: 10 * SAMPLE] if line.strip()]


def _detect_log(lines: list[str], *, first: bool = False) -> Found | None:
    """Detect the log of a program that wrote events into its lines; if ``first``, into the first one."""
    fmt = known_inside([WALK.line(line)] for line in lines[: 1 if first else None])
    return None if fmt is None else Found(fmt, "log", f"a log with {fmt.title} in its lines", wrapped=True)


#: What a value over several lines begins with, and what the rest of a cut value may be.
_OPENS = re.compile(r"[\[{][ \t\r]*$", re.MULTILINE)
_CLOSES = re.compile(r"[^\n]*[}\]]\s*,\s*\{")


def _detect_among(text: str, lines: list[str]) -> Found | None:
    """Detect values over several lines among words, and those behind one whose beginning is not there.

    In a log, there must be more events than there are in its ``lines``, or the first one be cut.
    """
    spans = list(islice(spans_of(text.encode("utf-8", "replace"), words=True), 4 * SAMPLE))
    records = [WALK.records(json_value(span.text or "")) for span in spans if not span.error]
    inside = known_inside(records)
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
    values, layout = first_values(text, whole=whole)
    if values is None:
        return None
    containers = {fmt.container for fmt in formats if fmt.container}
    look = _looked_at(values, containers)
    # the list that an address in the page belongs to is a better clue than the name the user gave the file
    fmt = choose(look.records, "json", [*look.urls, *clues(name)], formats)
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
    some = look.values[:SAMPLE]
    inside = known_inside(map(WALK.records, some))
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
    for value in values[: 4 * SAMPLE]:
        if isinstance(value, dict):
            found.append(value | {"": container})
        elif isinstance(value, str):
            found.append({_BARE: value, "": container})
        elif isinstance(value, list):
            found.append({"list-of-lists": "", "": container})
    return found


def _is_indexed(value: dict[str, Any]) -> bool:
    return bool(value) and all(
        key.isdecimal() and isinstance(item, dict) for key, item in list(value.items())[: 4 * SAMPLE]
    )


def _keys(records: list[dict[str, Any]]) -> str:
    return shown_titles(sorted({key for record in records for key in record if key and _KEY.fullmatch(key)}))


# other keys may be data, such as names or addresses
_KEY = re.compile(r"[$@_]?[^\W\d][\w.:/-]*")


def _is_strange(look: _Looked, fmt: Format, formats: Sequence[Format]) -> bool:
    """Return whether there are records of none of an ESP's own formats, or spelled otherwise, that hold events."""
    if not look.indexed and any(reshaped(value) is not value for value in look.values):
        return True
    own = [one for one in formats if one.provider == fmt.provider and one.kind == "json"]
    strange = [
        record
        for record in look.records[: 4 * SAMPLE]
        if id(record) not in look.pages and not WALK.is_native(record, own)
    ]
    return known_inside(map(WALK.records, strange)) is not None


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for item in value.values():
            yield from _leaves(item)
    else:
        yield value

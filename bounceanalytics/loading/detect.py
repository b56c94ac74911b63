"""Whose export a file is and of which form, from its first bytes; a name is asked only where content cannot tell."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bounceanalytics.loading.forms import Form

Layout = Literal["lines", "array", "values", "csv", "empty"]

_BOM = b"\xef\xbb\xbf"
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
    (b"from ", "a mailbox"),
    (b"return-path:", "a mail"),
    (b"received:", "a mail"),
)


@dataclass(frozen=True, slots=True)
class Found:
    """What a file turned out to be.

    Attributes
    ----------
    form : Form or None
        None where the file is empty, or no export that is known.
    layout : str
        How its records lie in it.
    nested : bool
        Its values are lists or pages of records.
    looks : str
        What it looks like, for a message; never holds its content.
    header, delimiter : tuple of str, str
        Of a table.
    """

    form: Form | None
    layout: Layout
    looks: str
    nested: bool = False
    header: tuple[str, ...] = ()
    delimiter: str = ""

    @property
    def plain(self) -> bool:
        """Whether each line is a record that is not wrapped into anything."""
        form = self.form
        return form is not None and self.layout == "lines" and not (self.nested or form.inner or form.explode)


def detect(head: bytes, name: str, forms: Sequence[Form], *, whole: bool) -> Found:
    """Return what a file with these first bytes is.

    Parameters
    ----------
    head : bytes
        Its first bytes, unpacked.
    name : str
        Its name, asked only to tell forms apart whose content is the same.
    forms : sequence of Form
        What is known, the most telling first.
    whole : bool
        The file is not longer than ``head``.
    """
    text = head.removeprefix(_BOM).decode("utf-8", errors="replace")
    if not whole and len(text) > 8:
        text = text[:-8]  # a character may be cut in two
    if not text.strip():
        return Found(None, "empty", "an empty file")
    if text.lstrip()[0] in "{[":
        found = _detect_json(text, name, forms, whole=whole)
        if found:
            return found
    else:
        found = _detect_table(text, name, forms)
        if found:
            return found
    return Found(None, "values", _looks(head))


def _looks(head: bytes) -> str:
    start = head.removeprefix(_BOM).lstrip()[:100].lower()
    for magic, name in _LOOKS:
        if start.startswith(magic):
            return name
    if b"\x00" in head[:4096]:
        return "binary data"
    if start[:1] in b"{[":
        return "damaged JSON"
    return "plain text"


# JSON


def _detect_json(text: str, name: str, forms: Sequence[Form], *, whole: bool) -> Found | None:
    values, layout = _values(text, whole=whole)
    if values is None:
        return None
    nested = False
    records: list[dict[str, Any]] = []
    containers = {form.container for form in forms if form.container}
    urls: list[str] = []
    for value in values:
        if isinstance(value, list):
            nested = True
            records += [item for item in value if isinstance(item, dict)]
            continue
        inside = [key for key in containers & value.keys() if isinstance(value[key], list)]
        nested = nested or bool(inside)
        for key in inside:
            records += [item | {"": key} for item in value[key] if isinstance(item, dict)]
        urls += [url for url in _leaves(value.get("paging") or value.get("pages")) if isinstance(url, str)]
        records.append(value)
    # the list that an address in the page belongs to is a better clue than the name the user gave the file
    form = _choose(records, "json", [*urls, *_clues(name)], forms)
    if form:
        return Found(form, layout, form.title, nested=nested)
    if not any(isinstance(value, dict) for value in values) and not records:
        texts = any(value for value in values)
        return (
            Found(None, layout, "a JSON list of texts or numbers")
            if texts
            else Found(None, "empty", "an empty list")
        )
    empty = [value for value in values if isinstance(value, dict)]
    if len(values) == 1 and empty and any(empty[0].get(key) == [] for key in containers):
        return Found(None, "empty", "a page without records")
    keys = sorted({key for record in records for key in record if key and "@" not in key})
    return Found(None, layout, f"JSON with the fields {_shown(keys)}")


def _clues(name: str) -> list[str]:
    """Return what a file's name may tell: itself, then the folder it lies in."""
    parts = [part for part in re.split(r"[/\\]", name) if part]
    return parts[:-3:-1]


def _choose(records: list[dict[str, Any]], kind: str, clues: list[str], forms: Sequence[Form]) -> Form | None:
    """Return the form that most of the records fit; of two, the one that a clue speaks for, else the earlier."""
    fitting = [(_fitting(records, form), form) for form in forms if form.kind == kind]
    fitting = [(count, form) for count, form in fitting if count]
    most = max((count for count, _ in fitting), default=0)
    best = [form for count, form in fitting if count == most]
    for clue in clues:
        for form in best:
            if form.hint and re.search(form.hint, clue.lower()):
                return form
    return next((form for form in best if not form.hint), None)


def _fitting(records: list[dict[str, Any]], form: Form) -> int:
    places = {"", form.container} if form.bare else {form.container}
    return sum(
        record.get("", "") in places and form.fits(key for key in record if key)
        for record in records[:_SAMPLE]
    )


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
            if not values:
                cut = _close(text)
                values = [] if cut is None else [cut]
                layout: Layout = "array" if isinstance(cut, list) else "values"
                if parsed and not isinstance(cut, list) and not any(values):
                    return parsed, "lines"
                return (values or None), layout
            break
        values.append(value)
    if len(values) == 1 and isinstance(values[0], list) and end >= len(text.rstrip()) and whole:
        return values, "array"
    kept = [value for value in values if isinstance(value, (dict, list))]
    return (kept or None), "values"


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n,":
        at += 1
    return at


def _parsed(line: str) -> Any:
    try:
        return json.loads(line, strict=False)
    except (ValueError, RecursionError):
        return None


_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],]', re.DOTALL)


def _close(text: str) -> Any:
    """Return the first value of a text that ends, or is damaged, in the middle of it: as much as can be read."""
    stack: list[str] = []
    cuts: list[tuple[int, str]] = []
    for token in _TOKEN.finditer(text):
        mark = token[0]
        if mark in "{[":
            stack.append("}" if mark == "{" else "]")
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


def _detect_table(text: str, name: str, forms: Sequence[Form]) -> Found | None:
    line = text.split("\n", 1)[0].rstrip("\r")
    for delimiter in ",;\t|":
        try:
            header = tuple(column_key(cell) for cell in next(csv.reader([line], delimiter=delimiter)))
        except (csv.Error, StopIteration):
            continue
        if len(header) < 2 and delimiter != "|":
            continue
        form = _choose([dict.fromkeys(header)], "csv", _clues(name), forms)
        if form:
            return Found(form, "csv", form.title, header=header, delimiter=delimiter)
        if len(header) >= 2 and all(header) and not any("@" in cell for cell in header):
            return Found(None, "csv", f"a table with the columns {_shown(header)}")
    return None

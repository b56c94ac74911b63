"""The first JSON values of a text: how they lie in it, and as much as can be read of one that is cut or damaged."""

from __future__ import annotations

import json
import re
from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, Any

from bounceanalytics.loading.choosing import SAMPLE
from bounceanalytics.loading.tolerant import spans_of

if TYPE_CHECKING:
    from bounceanalytics.loading.found import Layout


def first_values(text: str, *, whole: bool) -> tuple[list[Any] | None, Layout]:
    """Return the first JSON values of a text and how they lie in it."""
    lines = text.splitlines()
    if not whole:
        lines = lines[:-1]
    lines = [line for line in lines[: 10 * SAMPLE] if line.strip()]
    parsed = [value for value in map(json_value, lines[:SAMPLE]) if isinstance(value, (dict, list))]
    if len(parsed) > 1 and 2 * len(parsed) >= min(len(lines), SAMPLE):
        return parsed, "lines"
    if len(parsed) == 1 and len(lines) == 1 and whole:
        return parsed, "array" if isinstance(parsed[0], list) else "lines"
    decoder = json.JSONDecoder(strict=False)
    values: list[Any] = []
    end = 0
    while len(values) < SAMPLE:
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
    spans = islice(spans_of(text.encode("utf-8", "replace")), 4 * SAMPLE)
    items = [item for item in (json_value(span.text or "") for span in spans if not span.error) if item]
    return ([items] if items else [cut] if cut else None), "array"


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n,":
        at += 1
    return at


def json_value(line: str, depth: int = 0) -> Any:
    """Return the value of a JSON text, or of the JSON text in it; None if it is none."""
    try:
        value = json.loads(line, strict=False)
    except (ValueError, RecursionError):
        return None
    return (
        json_value(value, depth + 1) if isinstance(value, str) and value[:1] in '{["' and depth < 2 else value
    )


# A text that does not end goes on to the end: else it would be looked for at each of its quotes.
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|[{}\[\],]', re.DOTALL)
_LAST = 400  # places at which it may be closed, from the last back
_DEEPEST = 500  # lists and objects in one another: each is closed anew where a text may have been cut


def _close(text: str) -> Any:
    """Return the first value of a text that ends, or is damaged, in the middle of it: as much as can be read."""
    stack: list[str] = []
    first: list[tuple[int, str]] = []
    last: deque[tuple[int, str]] = deque(maxlen=_LAST)
    for token in _TOKEN.finditer(text):
        mark = token[0]
        if mark in "{[":
            stack.append("}" if mark == "{" else "]")
            if len(stack) > _DEEPEST:
                break
            continue
        if mark in "}]":
            if not stack or stack.pop() != mark:
                break
        elif mark != ",":
            continue
        cut = token.end() if mark != "," else token.start(), "".join(reversed(stack))
        last.append(cut)
        if len(first) < SAMPLE:
            first.append(cut)
    for end, closing in (*reversed(last), *reversed(first)):
        value = json_value(text[:end] + closing)
        if value:
            return value
    return None

"""Texts that hold a structure: JSON, Python's and Ruby's notation, structs of Hive, base64, gzip, forms."""

from __future__ import annotations

import base64
import binascii
import json
import re
import urllib.parse
import zlib
from typing import TYPE_CHECKING, Any

from bounceanalytics.loading.formats.spelling import squeezed
from bounceanalytics.loading.unwrapping import reprs
from bounceanalytics.opening.text import finite

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_LARGEST_LITERAL = 1024**2  # characters; Python's parser needs a hundred times as much memory
_LARGEST_UNPACKED = 64 * 1024**2
_TRIES = 40  # places in a text where a structure may begin

_DECODER = json.JSONDecoder(strict=False, parse_constant=lambda _: None, parse_float=finite)
_BEGINNING = re.compile(r'"?[\[{]')
# the beginnings of { " [ in base64, and that of gzip
_PACKED = re.compile(r"(?:ey[A-Za-z]|ew[0-9A-Za-z]|W[1-3wy][0-9A-Za-z]|H4sI)")
_BASE64 = re.compile(r"[A-Za-z0-9+/_\-\s]{16,}={0,2}\s*")
_FORM = re.compile(r"[\w.%+\-\[\]]+=[^&\s]*(?:&[\w.%+\-\[\]]+=[^&\s]*)+")
_RUBY = re.compile(r'"\s*=>\s*')
_STRUCT = re.compile(r"(?:^|[{,]\s*)([A-Za-z_][\w:.\-]*)=")


def opened(text: str, *, packed: bool = False) -> list[Any]:
    """Return the structures that a text holds, in their order.

    Parameters
    ----------
    text : str
    packed : bool, default False
        Its carrier says that it is base64.
    """
    text = text.strip()
    if len(text) < 2:
        return []
    if packed or _PACKED.match(text):
        unpacked = _unpacked(text)
        if unpacked is not None:
            return opened(unpacked)
    if text[0] in '{["':
        try:
            value = _DECODER.decode(text)
        except (ValueError, RecursionError):
            pass
        else:
            return (
                opened(value)
                if isinstance(value, str)
                else [value]
                if isinstance(value, (dict, list))
                else []
            )
    if "{" in text or "[" in text or reprs.CALLED.search(text):
        return _within(text)
    if _FORM.fullmatch(text):
        pairs = urllib.parse.parse_qsl(text, keep_blank_values=True)
        fields = dict(reversed(pairs))
        return [fields] + [one for value in fields.values() if value[:1] == "{" for one in opened(value)]
    return []


def structure_of(text: str, names: Mapping[str, Any] | None = None) -> Any:
    """Return the list or the object that a text is as a whole; else the text.

    Parameters
    ----------
    text : str
    names : mapping, optional
        Keys of the objects in it, where they may be written without quotes.
    """
    start, end = text[:1], text[-1:]
    if end == ")" and (called := reprs.CALLED.match(text)) and text[called.end()] in "[{<":
        value = literal_of(text)
        return text if value is None else value
    if start + end not in {"{}", "[]"}:
        stripped = text.strip()
        return (
            text
            if stripped == text or stripped[:1] + stripped[-1:] not in {"{}", "[]"}
            else structure_of(stripped)
        )
    try:
        return _DECODER.decode(text)
    except (ValueError, RecursionError):
        pass
    value = literal_of(text)
    if value is None and "=" in text:
        value = _struct(text, names or {})
    return text if value is None else value


def _within(text: str) -> list[Any]:
    """Return the structures that stand in a text among words, the escapes of a database around them being undone."""
    found: list[Any] = []
    if called := reprs.CALLED.search(text):
        value = literal_of(text[called.start() : text.rfind(")") + 1])
        if value is not None:
            return [value]
    at = tries = 0
    while tries < _TRIES and (match := _BEGINNING.search(text, at)):
        start = match.start()
        try:
            value, at = _DECODER.raw_decode(text, start)
        except (ValueError, RecursionError):
            at = start + 1
            tries += 1
            end = max(text.rfind("}"), text.rfind("]")) + 1
            if text[start] == "{" or text[start : start + 2] == "[{":
                if "\\" in text and _is_json(plain := _ESCAPE.sub(_escaped, text[start:])):
                    return found + _within(plain)
                value = literal_of(text[start:end])
                if value is not None:
                    found.append(value)
                    break
            continue
        if isinstance(value, str):
            found += opened(value)
        elif isinstance(value, dict) or any(isinstance(item, (dict, str)) for item in value):
            found.append(value)
    return found


#: As MySQL and PostgreSQL write a line, in which each backslash of JSON is doubled.
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0", "Z": "\x1a"}


def _escaped(sign: re.Match[str]) -> str:
    return _ESCAPED.get(sign[1], sign[1])


def _is_json(text: str) -> bool:
    try:
        return isinstance(_DECODER.raw_decode(text)[0], (dict, list))
    except (ValueError, RecursionError):
        return False


def literal_of(text: str) -> Any:
    """Return what a text is in Python's notation, or in Ruby's; None if it is neither."""
    if len(text) > _LARGEST_LITERAL:
        return None
    try:
        if "=>" in text:
            value = _DECODER.decode(re.sub(r"\bnil\b", "null", _RUBY.sub('": ', text)))
        else:
            value = reprs.read(text)
        json.dumps(value)  # a set, bytes or a complex number is none of ours
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return None
    return value if isinstance(value, (dict, list)) else None


def _struct(text: str, names: Iterable[str]) -> Any:
    """Return a struct as Hive's and Presto's descendants write it, or a list of such: ``[{a=1, b=two, three}]``."""
    reader = _Structs(text, {squeezed(name) for name in names})
    try:
        value = reader.value()
    except (IndexError, RecursionError):
        return None
    return value if isinstance(value, (dict, list)) else None


class _Structs:
    """A reader of ``{key=value, key=value}``; values have no quotes, so that one ends where the next key begins."""

    def __init__(self, text: str, names: set[str]) -> None:
        self._text = text
        self._names = names
        self._at = 0

    def value(self) -> Any:
        start = self._text[self._at]
        if start == "{" and _STRUCT.match(self._text, self._at):
            self._at += 1
            return self._object()
        if start == "[":
            self._at += 1
            return self._list()
        return self._word()

    def _object(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while self._text[self._at] != "}":
            key, _, _ = self._text[self._at :].partition("=")
            self._at += len(key) + 1
            found[key.strip(" ,")] = None if self._text[self._at] in ",}" else self.value()
            if self._text[self._at] == ",":
                self._at += 1
        self._at += 1
        return found

    def _list(self) -> list[Any]:
        found = []
        while self._text[self._at] != "]":
            if self._text[self._at] in ", ":
                self._at += 1
                continue
            if self._text[self._at] in "{[":
                found.append(self.value())
            else:
                end = min(place for sign in ",]" if (place := self._text.find(sign, self._at)) >= 0)
                found.append(self._text[self._at : end].strip())
                self._at = end
        self._at += 1
        return found

    def _word(self) -> Any:
        """Return a text up to the next key, or to the bracket that closes the struct around it."""
        depth, start = 0, self._at
        while True:
            sign = self._text[self._at]
            if sign in "{[(":
                depth += 1
            elif depth and sign in ")}]":
                depth -= 1
            elif sign == "}" or (sign == "," and self._is_key(self._at)):
                break
            self._at += 1
        word = self._text[start : self._at].strip()
        return None if word == "null" else word

    def _is_key(self, at: int) -> bool:
        match = _STRUCT.match(self._text, at)
        return match is not None and (not self._names or squeezed(match[1]) in self._names)


def _unpacked(text: str) -> str | None:
    """Return the text in base64, unpacked if it was packed, too; None if it is no such thing."""
    if not _BASE64.fullmatch(text):
        return None
    squashed = "".join(text.split()).replace("-", "+").replace("_", "/").rstrip("=")
    try:
        raw = base64.b64decode(squashed + "=" * (-len(squashed) % 4), validate=True)
        if raw[:2] == b"\x1f\x8b":
            raw = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(raw, _LARGEST_UNPACKED)
        return raw.decode("utf-8")
    except (binascii.Error, zlib.error, UnicodeDecodeError, ValueError):
        return None

"""YAML as JSON: each document a text, every value but null, true and false a text, so that 5.1.1, 550 and dates stay.

The library's parser tells what is in a text piece by piece; it knows no bounds, and its own trees are built in a way
that ends the whole program where lists lie too deep in one another.
"""

from __future__ import annotations

import json
import re
from typing import NamedTuple

import yaml

from bounceanalytics.opening.archives import FLOOR, MAX_RATIO

_DEEPEST = 64
_BEGINS = re.compile(r"\s*(?:#.*\n\s*)*(?:---|- |-\n|[\w\"'][^\n{}\[\],;\t]*:(?:\s|$))")
_WORDS = dict.fromkeys(["", "~", "null", "Null", "NULL"], "null")
_WORDS |= {word: word.lower() for word in ("true", "True", "TRUE", "false", "False", "FALSE")}


class UnfoldedError(Exception):
    """A text says the same thing over and over by aliases."""


class _Open(NamedTuple):
    """A list or an object that has not ended, with what is in it so far: JSON texts, of an object keys and values."""

    sign: str
    anchor: str | None
    parts: list[str]

    def text(self) -> str:
        if self.sign == "[":
            return f"[{', '.join(self.parts)}]"
        pairs = zip(self.parts[::2], self.parts[1::2], strict=False)
        return f"{{{', '.join(f'{key}: {value}' for key, value in pairs)}}}"


def documents(text: str) -> list[str]:
    """Return the documents of a text as JSON; none where it is not YAML, or other YAML than lists and objects.

    Of a text that breaks off, or is damaged, the last document has what was complete in it; what follows is a text
    of its own that is no JSON.

    Raises
    ------
    UnfoldedError
        If aliases unfold to more than an archive may unpack to.
    """
    if not _BEGINS.match(text):
        return []
    reader = _Reader(max(FLOOR, MAX_RATIO * len(text)))
    try:
        for event in yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            reader.take(event)
    except yaml.YAMLError:
        reader.close()
        if not reader.done:
            return []
        rest = "\n".join(text.split("\n")[reader.line :])
        reader.done.append("{" + " ".join(re.findall(r"[^\s{}\[\]\"]+", rest[:10_000]))[:500])
    except ValueError:
        return []
    return reader.done


class _Reader:
    """Makes JSON of what the parser tells."""

    def __init__(self, most: int) -> None:
        self.done: list[str] = []
        self.line = 0  # where the last list item or document begins
        self._open: list[_Open] = []
        self._named: dict[str, str] = {}
        self._left = most

    def take(self, event: yaml.Event) -> None:
        """Take the next piece; ValueError where it is none of records."""
        if isinstance(event, yaml.DocumentStartEvent):
            self._named.clear()
        elif isinstance(event, yaml.ScalarEvent):
            plain = event.implicit[0] and not self._at_key()
            self._put(_WORDS.get(event.value) if plain else None, event.value, event.anchor)
        elif isinstance(event, yaml.AliasEvent):
            text = self._named.get(event.anchor or "")
            if text is None:
                raise ValueError("an alias of nothing")
            self._left -= len(text)
            if self._left < 0:
                raise UnfoldedError
            self._put(text)
        elif isinstance(event, yaml.CollectionStartEvent):
            if len(self._open) >= _DEEPEST or self._at_key():
                raise ValueError("too deep, or a key that is no text")
            if event.start_mark and (not self._open or self._open[-1].sign == "["):
                self.line = event.start_mark.line
            sign = "[" if isinstance(event, yaml.SequenceStartEvent) else "{"
            self._open.append(_Open(sign, event.anchor, []))
        elif isinstance(event, yaml.CollectionEndEvent):
            ended = self._open.pop()
            keys = ended.parts[::2] if ended.sign == "{" else []
            if len(set(keys)) < len(keys):
                raise ValueError("a key is there twice")
            self._put(ended.text(), anchor=ended.anchor)

    def close(self) -> None:
        """End what is open, without what was not complete in its innermost list."""
        while self._open and not (self._open[-1].sign == "[" and self._open[-1].parts):
            self._open.pop()
        while self._open:
            self._put(self._open.pop().text())

    def _at_key(self) -> bool:
        return bool(self._open) and self._open[-1].sign == "{" and len(self._open[-1].parts) % 2 == 0

    def _put(self, text: str | None, value: str = "", anchor: str | None = None) -> None:
        text = json.dumps(value, ensure_ascii=False) if text is None else text
        if anchor is not None:
            self._named[anchor] = text
        if self._open:
            self._open[-1].parts.append(text)
        elif text[:1] in "{[":
            self.done.append(text)
        elif text != "null":
            raise ValueError("a document that is a text alone")

"""Wrappers of replies, read from the table beside this module."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

#: What a server can answer to, in the order of a session.
COMMANDS = ("connect", "helo", "mail", "rcpt", "data")

#: Commands before any recipient was named.
BEFORE_RECIPIENT = ("connect", "helo", "mail")


@dataclass(frozen=True, slots=True)
class Wrapper:
    """What a sending tool puts around a reply.

    Attributes
    ----------
    id : str
    hint : str
        Regular expression; texts in which it does not occur are not looked at.
    pattern : str
        What is taken off, with the groups ``host``, ``command``, ``before`` and ``kept`` where it has them.
    example : str
    reply : str
        What is left of the example.
    source : str
        Who writes so.
    host, command : str
        What the example tells; ``command`` is also what the server answered to where the pattern has no such group.
    closes : str
        Regular expression: what is taken off behind the reply.
    unless : str
        Regular expression: where it occurs in the group ``before``, this is no wrapper.
    """

    id: str
    hint: str
    pattern: str
    example: str
    reply: str
    source: str
    host: str = ""
    command: str = ""
    closes: str = ""
    unless: str = ""

    @property
    def groups(self) -> Mapping[str, int]:
        """Names and numbers of the groups of the pattern."""
        return re.compile(self.pattern).groupindex


@cache
def wrappers() -> tuple[Wrapper, ...]:
    """Return the known wrappers in the order in which they are taken off."""
    table = _table()

    def expanded(text: str) -> str:
        while "%" in text:
            text = re.sub("%([a-z]+)%", lambda found: table["words"][found[1]], text)
        return text

    return tuple(Wrapper(**{key: expanded(value) for key, value in row.items()}) for row in table["wrapper"])


@cache
def command_words() -> dict[str, int]:
    """Return the number in :data:`COMMANDS` of each word that wrappers have for a command."""
    return {word: COMMANDS.index(name) for word, name in _table()["commands"].items()}


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads((resources.files("bounceanalytics.knowledge") / "wrappers.toml").read_text("utf-8"))

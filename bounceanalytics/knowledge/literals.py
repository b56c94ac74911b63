"""Required literals of a pattern: the words without which it cannot match.

A pattern such as ``mail ?box (?:is )?(?:full|locked)`` needs "mailbox" or "mail box", and "full" or "locked": a
conjunction of choices of literals. Looking for thousands of literals at once is cheap, so that only few patterns have
to be tried on a text. The method is the prefilter of RE2 and of Google Code Search.

References
----------
Russ Cox, Regular Expression Matching with a Trigram Index, https://swtch.com/~rsc/regexp/regexp4.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import product

#: Signs that stand for themselves, but for the last one before a quantifier.
_PLAIN = re.compile(r"[^\\.?*+()\[\]{}|^$]+(?![?*+{])", re.DOTALL)

#: More strings than this are not followed one by one.
_MOST_STRINGS = 64

#: Shorter literals stand in nearly every text, and looking for them is of no use.
_SHORTEST = 3


@dataclass(frozen=True, slots=True)
class _Part:
    """Facts about a part of a pattern.

    Attributes
    ----------
    ends : frozenset of str
        Whatever it matches ends in one of these strings.
    whole : bool
        True if these strings are all that it matches, from the beginning.
    needs : tuple of frozenset of str
        One string of each set stands in whatever it matches, before the end.
    """

    ends: frozenset[str]
    whole: bool = True
    needs: tuple[frozenset[str], ...] = ()


_EMPTY = _Part(frozenset({""}))
_ANYTHING = _Part(frozenset({""}), whole=False)


def required_literals(pattern: str) -> tuple[frozenset[str], ...]:
    """Return sets of literals, one of each of which must occur in a text that the pattern occurs in.

    Parameters
    ----------
    pattern : str
        In the shared dialect; see :func:`bounceanalytics.knowledge.rules.why_not_in_dialect`.

    Returns
    -------
    tuple of frozenset of str
        Empty if nothing can be said.

    Examples
    --------
    >>> [sorted(choice) for choice in required_literals("mail ?box.{0,40}(?:full|locked)")]
    [['mail box', 'mailbox'], ['full', 'locked']]
    """
    return _needs(_Parser(pattern).parse())


def _needs(part: _Part) -> tuple[frozenset[str], ...]:
    return (*part.needs, *_choice(part.ends))


def _choice(strings: frozenset[str]) -> tuple[frozenset[str], ...]:
    """Return strings as a requirement, or nothing if one of them is too short to require."""
    if any(len(string.encode()) < _SHORTEST for string in strings):
        return ()
    return (frozenset(one for one in strings if not any(other in one for other in strings if other != one)),)


class _Parser:
    """Reads the dialect: literals, ``.``, classes, groups, choices and quantifiers."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._place = 0

    def parse(self) -> _Part:
        """Return what is known about the rest of the pattern up to the end of the group."""
        choices = [self._sequence()]
        while self._peek() == "|":
            self._place += 1
            choices.append(self._sequence())
        return choices[0] if len(choices) == 1 else _either(choices)

    def _peek(self) -> str:
        return self._pattern[self._place : self._place + 1]

    def _sequence(self) -> _Part:
        whole = _EMPTY
        while self._peek() not in {"", "|", ")"}:
            whole = _joined(whole, self._quantified(self._item()))
        return whole

    def _item(self) -> _Part:
        if run := _PLAIN.match(self._pattern, self._place):
            self._place = run.end()
            return _Part(frozenset({run.group()}))
        sign = self._peek()
        self._place += 1
        if sign == "(":
            if self._pattern.startswith("?:", self._place):
                self._place += 2
            part = self.parse()
            self._place += 1
            return part
        if sign == "[":
            return self._class()
        if sign == "\\":
            return self._escaped()
        return _ANYTHING if sign == "." else _EMPTY if sign in "^$" else _Part(frozenset({sign}))

    def _escaped(self) -> _Part:
        sign = self._peek()
        self._place += 1
        if sign == "b":
            return _EMPTY
        return _Part(frozenset("0123456789")) if sign == "d" else _Part(frozenset({sign}))

    def _class(self) -> _Part:
        stop = self._place
        while self._pattern[stop] != "]" or stop == self._place:
            stop += 2 if self._pattern[stop] == "\\" else 1
        inside = self._pattern[self._place : stop]
        self._place = stop + 1
        if "\\" in inside or "-" in inside[1:-1]:  # ranges are too many letters to follow
            return _ANYTHING
        return _Part(frozenset(inside))

    def _quantified(self, part: _Part) -> _Part:
        sign = self._peek()
        if sign not in {"?", "*", "+", "{"}:
            return part
        stop = self._pattern.index("}", self._place) if sign == "{" else self._place
        least = (
            self._pattern[self._place + 1 : stop].split(",")[0]
            if sign == "{"
            else "1"
            if sign == "+"
            else "0"
        )
        most_one = sign == "?"
        self._place = stop + 1
        if self._peek() == "?":  # as few as possible: the same strings
            self._place += 1
        if most_one:
            return _either([part, _EMPTY])
        return _Part(frozenset({""}), False, _needs(part)) if int(least or 0) > 0 else _ANYTHING


def _joined(first: _Part, second: _Part) -> _Part:
    """Return what is known about one part after another."""
    if second.whole:
        ends = frozenset(one + other for one, other in product(first.ends, second.ends))
        if len(ends) <= _MOST_STRINGS:
            return _Part(ends, first.whole, (*first.needs, *second.needs))
    return _Part(second.ends, False, (*_needs(first), *second.needs))


def _either(choices: list[_Part]) -> _Part:
    """Return what is known about a choice of parts."""
    ends = frozenset[str]().union(*(part.ends for part in choices))
    if all(part.whole and not part.needs for part in choices) and len(ends) <= 4 * _MOST_STRINGS:
        return _Part(ends)
    each = [_needs(part) for part in choices]
    if not all(each):
        return _ANYTHING
    best = [max(needs, key=lambda choice: min(map(len, choice))) for needs in each]
    return _Part(frozenset({""}), False, (frozenset[str]().union(*best),))

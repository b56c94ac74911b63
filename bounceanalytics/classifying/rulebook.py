"""Text rules compiled to arrays, and their matches in texts.

A scope is a set of rules of which the first one that fits counts: the user's rules, those of one mailbox provider, the
general ones, and those asked after a specific code. Looking up a text gives the winner of every scope at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from bounceanalytics.classifying import mailboxes
from bounceanalytics.classifying.texts import bare_lines, masked, read_lines
from bounceanalytics.knowledge.engine import make_engine
from bounceanalytics.knowledge.rules import TextRule, mailbox_providers, rules
from bounceanalytics.knowledge.wrappers import COMMANDS
from bounceanalytics.schema import ACTIONS, REASONS

if TYPE_CHECKING:
    from typing import Any

    import pyarrow as pa

    from bounceanalytics.classifying.texts import Texts

    Numbers = np.ndarray[Any, Any]
    Pairs = tuple[Numbers, Numbers]

#: Behind every rule and provider.
_LAST = np.iinfo(np.int32).max

USER, PROVIDER, GENERAL, AFTER_KEEPING, AFTER_CODE = range(5)
NONE = -1

_REASON = {name: number for number, name in enumerate(REASONS)}
_ACTION = {name: number for number, name in enumerate(ACTIONS)}


@dataclass(frozen=True, slots=True)
class Reading:
    """Matches of the rules in texts; those that differ in names and numbers only are one line.

    Attributes
    ----------
    place : numpy.ndarray of int32
        Line of each text.
    winners : numpy.ndarray of int32, scope x line
        Rule that wins each scope, else -1.
    signature : numpy.ndarray of int32
        Mailbox provider that the reply, else the host in the wrapper, gives away; else -1.
    texts : Texts
        The lines, taken apart.
    said : pyarrow.Array of large_string
        Distinct masked texts.
    form : numpy.ndarray of int32
        Which of them each line is.
    """

    place: np.ndarray[Any, Any]
    winners: np.ndarray[Any, Any]
    signature: np.ndarray[Any, Any]
    texts: Texts
    said: pa.Array
    form: np.ndarray[Any, Any]


class Rulebook:
    """All rules in the order in which they are asked."""

    def __init__(self, own: tuple[TextRule, ...] = ()) -> None:
        names = {row.name: number for number, row in enumerate(mailbox_providers())}
        self.rules = (*own, *rules())
        tiers = [_tier(rule, number < len(own)) for number, rule in enumerate(self.rules)]
        homes = [names.get(rule.provider, NONE) for rule in self.rules]
        self.scopes = sorted(set(zip(tiers, homes, strict=True)))
        number_of = {scope: number for number, scope in enumerate(self.scopes)}
        self._scope = np.array([number_of[scope] for scope in zip(tiers, homes, strict=True)], dtype=np.int32)
        self.reason = np.array([_REASON[rule.reason] for rule in self.rules], dtype=np.int8)
        self.action = np.array([_ACTION.get(rule.action, NONE) for rule in self.rules], dtype=np.int8)
        #: Command x rule: the rule is for replies to this command only; the last row is for rules that ask for none.
        self._bound = np.array(
            [[name in rule.command.split() for rule in self.rules] for name in COMMANDS]
            + [[not rule.command for rule in self.rules]],
            dtype=bool,
        )
        self.commanded = np.array([bool(rule.command) for rule in self.rules], dtype=bool)
        self.final = np.array([rule.final for rule in self.rules], dtype=bool)
        signatures = [(text, number) for number, row in enumerate(mailbox_providers()) for text in row.texts]
        self._signed = np.array([number for _, number in signatures], dtype=np.int32)
        self._patterns = tuple(rule.pattern for rule in self.rules)
        self._signature_patterns = tuple(text for text, _ in signatures)

    def place_of(self, rule: int) -> tuple[int, int]:
        """Return tier and mailbox provider (-1 for all) of a rule."""
        return self.scopes[int(self._scope[rule])]

    def hits(self, forms: pa.Array) -> Pairs:
        """Return every pair of a masked text and a rule, whatever the text is a reply to."""
        return make_engine(self._patterns).match(forms)

    def fits(self, rule: int, command: int) -> bool:
        """Return whether a rule is asked about replies to a command (-1 for an unknown one)."""
        return bool(self._bound[-1, rule] or (command != NONE and self._bound[command, rule]))

    def read(self, texts: pa.Array) -> Reading:
        """Return what each of the distinct texts says, and who says it."""
        lines = bare_lines(texts).dictionary_encode()
        parts = read_lines(lines.dictionary)
        forms = masked(parts.form).dictionary_encode()
        form = forms.indices.to_numpy(zero_copy_only=False)
        hits = self.hits(forms.dictionary)
        winners = self._first(hits, self._bound[-1], len(forms.dictionary))[:, form]
        for number in range(len(COMMANDS)):
            if self._bound[number][hits[1]].any():
                places = np.flatnonzero(parts.command == number)
                bound = self._first(hits, self._bound[number], len(forms.dictionary))
                winners[:, places] = np.minimum(winners[:, places], bound[:, form[places]])
        winners[winners == _LAST] = NONE
        place = lines.indices.to_numpy(zero_copy_only=False)
        return Reading(place, winners, self._signatures(parts), parts, forms.dictionary, form)

    def _first(self, hits: Pairs, asked: Numbers, count: int) -> Numbers:
        """Return, scope by text, the first of the rules that are asked."""
        text, rule = hits
        kept = asked[rule]
        winners = np.full((len(self.scopes), count), _LAST, dtype=np.int32)
        np.minimum.at(winners, (self._scope[rule[kept]], text[kept]), rule[kept])
        return winners

    def _signatures(self, parts: Texts) -> Numbers:
        """Return the mailbox provider that each text gives away: by what was said, else by the host in its wrapper."""
        said = self._signed_by(parts.form)
        hosts = parts.host.dictionary_encode()
        name = mailboxes.by_host(hosts.dictionary)
        name = np.where(name == NONE, self._signed_by(hosts.dictionary), name)
        return np.where(said == NONE, name[hosts.indices.to_numpy(zero_copy_only=False)], said)

    def _signed_by(self, texts: pa.Array) -> Numbers:
        text, pattern = make_engine(self._signature_patterns).match(texts)
        signature = np.full(len(texts), _LAST, dtype=np.int32)
        np.minimum.at(signature, text, self._signed[pattern])
        signature[signature == _LAST] = NONE
        return signature


def rulebook(own: tuple[TextRule, ...] = ()) -> Rulebook:
    """Return the package's rules with the user's own ones before them."""
    return _rulebook(own)


@lru_cache(maxsize=4)
def _rulebook(own: tuple[TextRule, ...]) -> Rulebook:
    return Rulebook(own)


def _tier(rule: TextRule, own: bool) -> int:
    if own:
        return USER
    if rule.after:
        return AFTER_CODE if rule.after == "code" else AFTER_KEEPING
    return PROVIDER if rule.provider else GENERAL

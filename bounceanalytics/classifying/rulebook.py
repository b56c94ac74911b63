"""Text rules compiled to arrays, and their matches in texts.

A scope is a set of rules of which the first one that fits counts: the user's rules, those of one mailbox provider, the
general ones, and those asked after a specific code. Looking up a text gives the winner of every scope at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from bounceanalytics.classifying.texts import normal_form
from bounceanalytics.knowledge.engine import make_engine
from bounceanalytics.knowledge.rules import TextRule, mailbox_providers, rules
from bounceanalytics.schema import ACTIONS, REASONS

if TYPE_CHECKING:
    from typing import Any

    import pyarrow as pa

USER, PROVIDER, GENERAL, AFTER_CODE = range(4)
NONE = -1

_REASON = {name: number for number, name in enumerate(REASONS)}
_ACTION = {name: number for number, name in enumerate(ACTIONS)}


@dataclass(frozen=True, slots=True)
class Reading:
    """Matches of the rules in distinct texts.

    Attributes
    ----------
    winners : numpy.ndarray of int32, scope x text
        Rule that wins each scope, else -1.
    signature : numpy.ndarray of int32
        Mailbox provider that the text gives away, else -1.
    """

    winners: np.ndarray[Any, Any]
    signature: np.ndarray[Any, Any]


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
        self.final = np.array([rule.final for rule in self.rules], dtype=bool)
        signatures = [(text, number) for number, row in enumerate(mailbox_providers()) for text in row.texts]
        self._signed = np.array([number for _, number in signatures], dtype=np.int32)
        self._patterns = (*(rule.pattern for rule in self.rules), *(text for text, _ in signatures))

    def place_of(self, rule: int) -> tuple[int, int]:
        """Return tier and mailbox provider (-1 for all) of a rule."""
        return self.scopes[int(self._scope[rule])]

    def hits(self, forms: pa.Array) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """Return every pair of a text in normal form and a pattern: rules first, then the providers' signatures."""
        return make_engine(self._patterns).match(forms)

    def read(self, texts: pa.Array) -> Reading:
        """Return what each of the distinct texts says."""
        forms = normal_form(texts).dictionary_encode()
        text, pattern = self.hits(forms.dictionary)
        spoken = pattern < len(self.rules)
        none = np.iinfo(np.int32).max
        winners = np.full((len(self.scopes), len(forms.dictionary)), none, dtype=np.int32)
        np.minimum.at(winners, (self._scope[pattern[spoken]], text[spoken]), pattern[spoken])
        signature = np.full(len(forms.dictionary), none, dtype=np.int32)
        np.minimum.at(signature, text[~spoken], self._signed[pattern[~spoken] - len(self.rules)])
        form = forms.indices.to_numpy(zero_copy_only=False)
        winners[winners == none] = NONE
        signature[signature == none] = NONE
        return Reading(winners[:, form], signature[form])


def rulebook(own: tuple[TextRule, ...] = ()) -> Rulebook:
    """Return the package's rules with the user's own ones before them."""
    return _rulebook(own)


@lru_cache(maxsize=4)
def _rulebook(own: tuple[TextRule, ...]) -> Rulebook:
    return Rulebook(own)


def _tier(rule: TextRule, own: bool) -> int:
    if own:
        return USER
    if rule.after == "code":
        return AFTER_CODE
    return PROVIDER if rule.provider else GENERAL

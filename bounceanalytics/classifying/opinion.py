"""The second reader's opinion of single texts: the reason, the words that spoke for it, and the nearest example."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import pyarrow as pa

from bounceanalytics.classifying.reader import Weighed, margins, nearest, weighed
from bounceanalytics.classifying.texts import masked, normal_form
from bounceanalytics.knowledge.rules import rules
from bounceanalytics.schema import ARROW_STRING, REASONS

__all__ = ["Opinion", "guesses", "opinion"]

_NAMES = tuple(REASONS)


@dataclass(frozen=True, slots=True)
class Opinion:
    """What the second reader makes of a text.

    Attributes
    ----------
    reason : str
        The likeliest by the text alone.
    pieces : tuple of Weighed
        What of the masked text spoke most for it.
    example, example_reason : str
        The nearest example of a rule, and what that means.
    likeness : float
        How much of it the two share: 1 is all, 0 nothing.
    """

    reason: str
    pieces: tuple[Weighed, ...]
    example: str
    example_reason: str
    likeness: float


def opinion(text: str) -> Opinion | None:
    """Return what the second reader makes of a text; None where there is no word in it that it knows.

    Examples
    --------
    >>> opinion("550 We have no such mailbox").reason
    'unknown_user'
    """
    (form,) = _forms([text]).to_pylist()
    (reason,) = guesses([text])
    pieces = weighed(form, reason)
    if not pieces:
        return None
    known = _examples()
    place, likeness = nearest(form, known)
    rule = rules()[place]
    return Opinion(reason, tuple(pieces), rule.example, rule.reason, likeness)


def guesses(texts: list[str]) -> list[str]:
    """Return the likeliest reason of each text by its words alone."""
    return [_NAMES[number] for number in margins(_forms(texts)).argmax(axis=1)]


@cache
def _examples() -> tuple[str, ...]:
    return tuple(_forms([rule.example for rule in rules()]).to_pylist())


def _forms(texts: list[str]) -> pa.Array:
    return masked(normal_form(pa.array(texts, ARROW_STRING)))

"""All evidence of one event, in the order in which it is weighed, with why each piece won or lost."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from bounceanalytics.classifying.evidence import gather, mailbox_numbers
from bounceanalytics.classifying.opinion import guesses
from bounceanalytics.classifying.rulebook import NONE, rulebook
from bounceanalytics.classifying.texts import masked, read_texts
from bounceanalytics.classifying.verdicts import READER, claims, weigh
from bounceanalytics.knowledge.rules import esp_words, mailbox_providers, plain_word
from bounceanalytics.schema import ARROW_STRING, EVENTS, FAILURE_EVENTS, PROVIDERS, REASONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bounceanalytics.classifying.evidence import Evidence
    from bounceanalytics.classifying.rulebook import Rulebook
    from bounceanalytics.classifying.verdicts import Claim
    from bounceanalytics.knowledge.rules import EspWord, TextRule

_NAMES = tuple(REASONS)

#: Source -> why it won when it did.
_WON = {
    "not tried": "the ESP did not try, so nothing else can tell more",
    "provider text": "a phrase of this mailbox provider outranks general ones and every code",
    "text": "the text outranks the code, and no rule before this one fits",
    "enhanced code": "no phrase decided, and this code is specific",
    "reply code": "neither a phrase nor the enhanced code decided",
    "esp word": "neither the text nor the codes decided",
    "class": "nothing says more than the class of the code",
    READER: "no rule and no code names what the words as a whole make likeliest",
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """One piece of evidence about an event.

    Attributes
    ----------
    order : int
        Place in the order of precedence, from 1.
    source : {'not tried', 'provider text', 'text', 'enhanced code', 'reply code', 'esp word', 'class', 'reader'}
        What kind of evidence it is.
    rule : str
        Id of the rule, word or code.
    reason : str or None
        What it says.
    matched : str
        The words that it was found by, for a text rule in the text's normal form.
    start, end : int
        Where they stand in the text as given; -1 where they do not stand there letter by letter.
    won : bool
        True for the one that decided.
    why : str
        Why it won or lost.
    """

    order: int
    source: str
    rule: str
    reason: str | None
    matched: str
    start: int
    end: int
    won: bool
    why: str


def candidates(
    text: str | None,
    *,
    reply_code: Any = None,
    enhanced_code: str | None = None,
    domain: str | None = None,
    provider: str | None = None,
    event: str | None = None,
    esp_type: str | None = None,
    esp_reason: str | None = None,
    esp_event: str | None = None,
) -> list[Candidate]:
    """Return every piece of evidence of one event in the order in which it is weighed.

    Parameters
    ----------
    text : str or None
        Diagnostic.
    reply_code, enhanced_code, domain, provider, event, esp_type, esp_reason, esp_event : optional
        The columns of the same names; without ``event`` it is a bounce, without ``provider`` a generic one.

    Returns
    -------
    list of Candidate
        One of them won; empty for an event that is no failure, and where nothing speaks. A reply code that would
        remove the address, such as 550, does not speak beside a text: it stands for too many causes.

    Examples
    --------
    >>> found = candidates("552 5.1.1 mailbox full")
    >>> list(dict.fromkeys(f"{item.source}: {item.reason}" for item in found))
    ['text: mailbox_full', 'enhanced code: unknown_user', 'reply code: mailbox_full', 'reader: mailbox_full']
    >>> found[0].won, found[0].matched
    (True, 'mailbox full')
    """
    kind = event if event in EVENTS else "bounced"
    if kind not in FAILURE_EVENTS:
        return []
    text = text if isinstance(text, str) else ""
    book = rulebook()
    reply = str(reply_code).split(".")[0]  # 550, "550" and 550.0 alike
    columns = {
        "event": np.array([EVENTS.index(kind)], dtype=np.int8),
        "provider": np.array(
            [PROVIDERS.index(provider if provider in PROVIDERS else "generic")], dtype=np.int8
        ),
        "reply_code": np.array([int(reply) if reply.isdecimal() else 0], dtype=np.int32),
        "mailbox": mailbox_numbers(_one(domain), _one(None)),
        "diagnostic": _one(text),
        "enhanced_code": _one(enhanced_code),
        "esp_type": _one(esp_type),
        "esp_reason": _one(esp_reason),
        "esp_event": _one(esp_event),
    }
    evidence = gather(columns, book)
    ordered, ids = claims(evidence, book)
    verdict = weigh(evidence, book)
    winner = ids[int(verdict.rule[0])] if int(verdict.rule[0]) != NONE else None
    hits = _hits(text, book)
    found: list[Candidate] = []
    for claim in ordered:
        if claim.tier != NONE:
            found.extend(_phrases(claim, hits, text, evidence, book))
        elif int(claim.reason[0]) != NONE and (
            claim.source != "class" or not found or ids[int(claim.rule[0])] == winner
        ):
            found.append(_other(claim, ids, columns))
    if winner is None:
        return []
    if int(evidence.form[0]) != NONE:
        found.append(Candidate(0, READER, READER, guesses([text])[0], "", -1, -1, False, ""))
    won = next(number for number, item in enumerate(found) if item.rule == winner)
    decided = found[won].reason
    return [
        replace(
            item,
            order=number + 1,
            won=number == won,
            why=_WON[item.source]
            if number == won
            else item.why or _lost(item, number < won, winner, decided),
        )
        for number, item in enumerate(found)
    ]


def _lost(item: Candidate, before: bool, winner: str, decided: str | None) -> str:
    """Return why a piece of evidence did not decide."""
    if item.reason == decided:
        return "it says the same"
    if before or item.source == READER:
        return f"all that spoke, weighed together, makes {decided} likelier"
    return f"{winner} was asked before it"


def _hits(text: str, book: Rulebook) -> list[int]:
    """Return the rules whose pattern occurs in the text, in their order."""
    parts = read_texts(_one(text))
    _, rules = book.hits(masked(parts.form))
    return sorted({int(number) for number in rules if book.fits(int(number), int(parts.command[0]))})


def _phrases(
    claim: Claim, hits: list[int], text: str, evidence: Evidence, book: Rulebook
) -> Iterator[Candidate]:
    """Yield the rules of one tier that occur in the text; those of other mailbox providers say so."""
    providers = mailbox_providers()
    form = masked(read_texts(_one(text)).form)[0].as_py().encode()
    for number in hits:
        tier, home = book.place_of(number)
        if tier != claim.tier:
            continue
        rule = book.rules[number]
        foreign = home not in {NONE, int(evidence.mailbox[0])}
        why = f"it is for texts of {providers[home].title} only" if foreign else ""
        matched = _found(rule, form)
        start = text.lower().find(matched)
        end = start + len(matched) if start >= 0 else -1
        yield Candidate(0, claim.source, rule.id, rule.reason, matched, start, end, False, why)


def _found(rule: TextRule, form: bytes) -> str:
    hit = re.search(rule.pattern.encode(), form)
    return hit.group().decode(errors="replace").strip() if hit else ""


def _other(claim: Claim, ids: list[str], columns: dict[str, Any]) -> Candidate:
    """Return the candidate of a code, a word of the ESP, or the class."""
    rule = ids[int(claim.rule[0])]
    word = next((row for row in esp_words() if row.id == rule), None)
    matched = _said(word, columns) if word else rule.partition("-")[2]
    text = columns["diagnostic"][0].as_py() or ""
    start = text.find(matched) if claim.source.endswith("code") else -1
    end = start + len(matched) if start >= 0 else -1
    return Candidate(0, claim.source, rule, _NAMES[int(claim.reason[0])], matched, start, end, False, "")


def _said(word: EspWord, columns: dict[str, Any]) -> str:
    """Return the ESP's word as it stands in its column."""
    values = [columns[name][0].as_py() or "" for name in word.column.split()]
    stem = word.word.strip("*")
    return next((value for value in values if stem in plain_word(value)), word.word)


def _one(value: Any) -> pa.Array:
    return pa.array([value if isinstance(value, str) else None], ARROW_STRING)

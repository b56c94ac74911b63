"""Verdict columns, from the evidence of each row."""

from __future__ import annotations

from functools import cache, reduce
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa

from bounceanalytics.classifying import mailboxes, pooling
from bounceanalytics.classifying.evidence import BLAMES_RECIPIENT, code_meanings
from bounceanalytics.classifying.rulebook import AFTER_CODE, AFTER_KEEPING, GENERAL, PROVIDER, USER
from bounceanalytics.knowledge.registry import outcome
from bounceanalytics.knowledge.rules import esp_words
from bounceanalytics.schema import (
    ACTIONS,
    BOUNCE_TYPES,
    CATEGORIES,
    CODE_CLASSES,
    EVENTS,
    EVIDENCE,
    FAULTS,
    REASONS,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from bounceanalytics.classifying.evidence import CodeReasons, Evidence
    from bounceanalytics.classifying.rulebook import Rulebook

    Numbers = np.ndarray[Any, Any]

NONE = -1
_TRANSIENT, _PERMANENT = CODE_CLASSES.index("transient"), CODE_CLASSES.index("permanent")
_REASON = {name: number for number, name in enumerate(REASONS)}
_ACTION = {name: number for number, name in enumerate(ACTIONS)}
#: Id of the second reader, where it decides alone.
READER = "reader"

#: Source of a claim -> what stands in the column ``evidence``.
_EVIDENCE = {
    "text": "text",
    "provider text": "text",
    "enhanced code": "enhanced code",
    "reply code": "reply code",
    "not tried": "ESP word",
    "esp word": "ESP word",
    "class": "code class",
    READER: "second reader",
}
#: Sources that say what is so: nothing is weighed against them.
_CERTAIN = {"not tried"}
#: Tier of text rules -> what its claims are called in the table of weights.
_KINDS = {GENERAL: "text", AFTER_CODE: "text after a code"}
_NEVER = np.float32(-1e6)
_PART = 65_536  # rows weighed together at a time: bounds memory
_NOT_SENT = ("dropped", "suppressed")

#: Stands for the rule where there is no code either; such a row has no rule.
NOTHING = "nothing"


class Verdicts(NamedTuple):
    """The verdict columns as numbers, one entry per row; ``rule`` numbers :attr:`ids`, -1 is missing."""

    code_class: Numbers
    bounce_type: Numbers
    category: Numbers
    reason: Numbers
    fault: Numbers
    action: Numbers
    rule: Numbers
    conflict: Numbers
    evidence: Numbers
    confidence: Numbers
    ids: pa.Array


class Claim(NamedTuple):
    """What one kind of evidence says: per row a reason, else -1, and the number of the id that says it."""

    source: str
    reason: Numbers
    rule: Numbers
    tier: int = NONE  # of text rules
    vague: bool = False

    @property
    def names(self) -> bool:
        """Whether it names a reason, and no vague one."""
        return not self.vague and (self.tier != NONE or self.source == "enhanced code")

    @property
    def kind(self) -> str:
        """Name in the table of weights."""
        return f"vague {self.source}" if self.vague else _KINDS.get(self.tier, self.source)


def claims(evidence: Evidence, book: Rulebook) -> tuple[list[Claim], list[str]]:
    """Return what each kind of evidence says about each row, in the order of precedence, and the ids of all rules.

    Parameters
    ----------
    evidence : Evidence
    book : Rulebook

    Returns
    -------
    claims : list of Claim
    ids : list of str
        What :attr:`Claim.rule` numbers: rules, ESP words, codes, classes and events.
    """
    words = esp_words()
    enhanced, reply = code_meanings(evidence.enhanced), code_meanings(evidence.reply)
    groups = (
        [rule.id for rule in book.rules],
        [word.id for word in words],
        [f"enhanced-{name}" for name in enhanced.names],
        [f"reply-{name}" for name in reply.names],
        [f"class-{name}" for name in CODE_CLASSES],
        [f"event-{name}" for name in EVENTS],
        [READER],
        [NOTHING],
    )
    first_rule, first_word, first_enhanced, first_reply, first_class, first_event, _, nothing = np.cumsum(
        [0, *map(len, groups[:-1])]
    )
    rule_reason = np.append(book.reason, np.int8(NONE))
    word_reason = np.array([*(_REASON.get(row.reason, NONE) for row in words), NONE], dtype=np.int8)

    def by_rule(source: str, tier: int) -> Claim:
        rule = evidence.rules.get(tier)
        if rule is None:
            rule = np.full(len(evidence.event), NONE, dtype=np.int64)
        return Claim(source, rule_reason[rule], rule + first_rule, tier)

    def by_word(source: str, word: Numbers) -> Claim:
        return Claim(source, word_reason[word], word + first_word)

    def by_code(source: str, meanings: CodeReasons, first: int, *, specific: bool) -> Claim:
        reason = np.where(meanings.specific == specific, meanings.reason, np.int8(NONE))
        return Claim(source, reason[meanings.place], meanings.place + first, vague=not specific)

    listed = evidence.event == EVENTS.index(
        "suppressed"
    )  # an entry of a list is judged by the text kept in it
    not_sent = np.isin(evidence.event, [EVENTS.index(name) for name in _NOT_SENT])
    suppressed = np.where(not_sent, np.int8(_REASON["suppressed"]), np.int8(NONE))
    class_ = class_of(evidence).astype(np.int64)
    unclear = np.full(len(class_), _REASON["unclassified"], dtype=np.int8)
    by_specific = by_code("enhanced code", enhanced, first_enhanced, specific=True)
    firm = by_rule("text", AFTER_KEEPING)
    removing = _HARD[by_specific.reason] < 0
    ordered = [
        by_word("not tried", np.where(listed, NONE, evidence.not_tried)),
        by_rule("text", USER),
        by_rule("provider text", PROVIDER),
        by_rule("text", GENERAL),
        firm._replace(reason=np.where(removing, firm.reason, np.int8(NONE))),
        by_specific,
        by_rule("text", AFTER_CODE),
        by_code("reply code", reply, first_reply, specific=True),
        by_word("not tried", np.where(listed, evidence.not_tried, NONE)),
        by_word("esp word", evidence.word),
        Claim("not tried", suppressed, evidence.event.astype(np.int64) + first_event),
        by_code("enhanced code", enhanced, first_enhanced, specific=False),
        _without_text(by_code("reply code", reply, first_reply, specific=False), evidence),
        Claim(
            "esp word",
            np.where(evidence.typed == NONE, np.int8(NONE), unclear),
            evidence.typed + first_word,
            vague=True,
        ),
        Claim("class", unclear, np.where(class_ == NONE, nothing, class_ + first_class)),
    ]
    return ordered, [name for group in groups for name in group]


def weigh(evidence: Evidence, book: Rulebook) -> Verdicts:
    """Return the verdict of each row.

    The first kind of evidence that names a reason decides; where there are words for the second reader, everything that
    spoke is weighed together instead, and the most probable reason decides. What the ESP knows because it did not try,
    and rules of the user's own, are not weighed against anything.

    Parameters
    ----------
    evidence : Evidence
    book : Rulebook

    Returns
    -------
    Verdicts
    """
    ordered, ids = claims(evidence, book)
    class_ = class_of(evidence)
    first = _by_precedence(ordered)
    chosen = _together(first, ordered, evidence, book)
    reason = chosen.reason
    rule = np.full(len(class_), ids.index(READER), dtype=np.int64)
    for number, claim in enumerate(ordered):
        rule = np.where(chosen.place == number, claim.rule, rule)
    kind = _kind_numbers(ordered)[chosen.place]

    final, override = np.zeros(len(ids), dtype=bool), np.full(len(ids), NONE, dtype=np.int8)
    final[: len(book.rules)] = book.final
    override[: len(book.rules)] = book.action
    words = [_ACTION.get(row.action, NONE) for row in esp_words()]
    override[len(book.rules) : len(book.rules) + len(words)] = words

    # A transient failure is no proof against an address, unless the words leave no doubt.
    soft = ((class_ == _TRANSIENT) | (evidence.event == EVENTS.index("deferred"))) & ~final[rule]
    # a text that calls its failure temporary says more than a 5xx
    soft |= evidence.transient & ~final[rule]
    soft |= (class_ == NONE) & (reason == _REASON["system_full"]) & ~evidence.permanent
    bounce_type, category, fault, action = (table[reason, soft.astype(np.int8)] for table in _OUTCOMES)
    # where nothing names a reason, the ESP still knows what kind of bounce it was
    by_type = np.where(reason == _REASON["unclassified"], _word_types()[evidence.typed], np.int8(NONE))
    bounce_type = np.where(by_type == NONE, bounce_type, by_type)
    action = np.where(override[rule] != NONE, override[rule], action)
    # An address goes by words only if what is weighed together leaves little doubt: least is needed where rules and a
    # specific code agree, more where the rules say nothing of the address, and most where they would keep it.
    remove = pooling.weights().remove
    needed = np.array([remove["silent"], remove["against"], remove["agreed"]], np.float32)[
        _HARD[first.reason]
    ]
    code = next(claim.reason for claim in ordered if claim.source == "enhanced code")
    needed = np.where((_HARD[first.reason] < 0) & (_HARD[code] < 0), np.float32(remove["confirmed"]), needed)
    doubted = (action == _ACTION["remove"]) & (chosen.dead < needed)
    action = np.where(doubted, np.int8(_ACTION["review"]), action)
    nothing = rule == len(ids) - 1
    rule, kind = np.where(nothing, NONE, rule), np.where(nothing, NONE, kind)
    voted = _votes(ordered, class_, evidence)
    conflict = (voted.min(axis=0) < 0) & (voted.max(axis=0) > 0)
    conflict |= _HARD[first.reason] * _HARD[reason] < 0  # the reader overruled the rules
    return Verdicts(
        class_,
        bounce_type,
        category,
        reason,
        fault,
        action,
        rule,
        conflict,
        kind,
        chosen.confidence,
        pa.array(ids, pa.large_string()),
    )


class _Choice(NamedTuple):
    """Which reason each row has.

    Attributes
    ----------
    reason : numpy.ndarray of int8
    place : numpy.ndarray of int8
        Number of the claim that named it; the last one is the second reader.
    confidence : numpy.ndarray of float32
        How probable it is.
    dead : numpy.ndarray of float32
        How probable are the reasons that remove an address.
    """

    reason: Numbers
    place: Numbers
    confidence: Numbers
    dead: Numbers


def _by_precedence(ordered: list[Claim]) -> _Choice:
    """Choose the reason of the first claim that has one; the last claim always has."""
    place = np.full(len(ordered[0].reason), len(ordered) - 1, dtype=np.int8)
    reason = ordered[-1].reason
    for number, claim in reversed(list(enumerate(ordered))):
        speaks = claim.reason != NONE
        place = np.where(speaks, np.int8(number), place)
        reason = np.where(speaks, claim.reason, reason)
    alone = pooling.weights().alone
    sure = np.array([alone.get(claim.kind, float(_certain(claim))) for claim in ordered], np.float32)
    sure = np.where([claim.tier == USER for claim in ordered], np.float32(1), sure)
    return _Choice(reason, place, sure[place], np.ones(len(place), np.float32))


def _certain(claim: Claim) -> bool:
    """Return whether nothing is weighed against a claim: facts of the ESP, and phrases of one sender or provider."""
    return claim.source in _CERTAIN or claim.tier in {USER, PROVIDER}


def _together(first: _Choice, ordered: list[Claim], evidence: Evidence, book: Rulebook) -> _Choice:
    """Weigh what is said of the rows that the second reader has read."""
    rows = _open_rows(first, ordered, evidence, book)
    guess, by_rule = pooling.weights().guess, pooling.rule_weights(rule.id for rule in book.rules)
    reason, place, confidence, dead = (column.copy() for column in first)
    for start in range(0, len(rows), _PART):
        some = rows[start : start + _PART]
        likely = pooling.probabilities(_sums(some, first.reason[some], ordered, evidence, by_rule))
        best, line = likely.argmax(axis=1).astype(np.int8), np.arange(len(some))
        named = np.full(len(some), len(ordered), dtype=np.int8)
        for number, claim in reversed(list(enumerate(ordered))):
            named[claim.reason[some] == best] = number
        # the reader alone must be sure, and one to whom the words say nothing has no second choice either
        silent = evidence.margins[evidence.form[some]].argmax(axis=1) == _REASON["unclassified"]
        left = (named == len(ordered)) & (silent | (likely[line, best] < guess))
        reason[some] = np.where(left, first.reason[some], best)
        place[some] = np.where(left, first.place[some], named)
        confidence[some] = likely[line, reason[some]]
        dead[some] = likely @ _DEAD
    return _Choice(reason, place, confidence, dead)


def _open_rows(first: _Choice, ordered: list[Claim], evidence: Evidence, book: Rulebook) -> Numbers:
    """Return the rows that are read and of which nothing is certain; what a reply answered to is more than words."""
    if not len(evidence.margins):
        return np.zeros(0, np.int64)
    certain = np.array([_certain(claim) for claim in ordered])[first.place]
    tier = np.array([claim.tier for claim in ordered])[first.place]
    for number, rule in evidence.rules.items():
        certain |= (tier == number) & np.append(book.commanded, False)[rule]
    return np.flatnonzero(~certain & (evidence.form != NONE))


def _sums(
    some: Numbers, before: Numbers, ordered: list[Claim], evidence: Evidence, by_rule: Numbers
) -> Numbers:
    """Return what counts for each reason in some rows, row x reason; ``before`` is what the order of claims gives."""
    known = pooling.weights()
    total = evidence.margins[evidence.form[some]] * np.float32(known.reader)
    # before a recipient was named, none is spoken of, unless a rule says so
    early = evidence.early[some] & ~BLAMES_RECIPIENT[before]
    total[np.ix_(early, BLAMES_RECIPIENT)] = _NEVER
    for claim in ordered:
        line = np.flatnonzero(claim.reason[some] != NONE)
        if claim.names:  # then the reason is not unknown
            total[line, _REASON["unclassified"]] = _NEVER
        weight = known.claims.get(claim.kind, 0.0)
        extra = by_rule[claim.rule[some[line]]] if claim.tier != NONE else 0
        total[line, claim.reason[some[line]]] += weight + extra
    return total


def _kind_numbers(ordered: list[Claim]) -> Numbers:
    """Return per claim what stands in the column ``evidence``, the last one for the second reader."""
    sources = [*(claim.source for claim in ordered), READER]
    return np.array([EVIDENCE.index(_EVIDENCE[source]) for source in sources], dtype=np.int8)


def _without_text(claim: Claim, evidence: Evidence) -> Claim:
    """Drop removals from a claim where there is a text: a bare 550 is no proof when nobody understood the words."""
    silent = evidence.has_text & (_HARD[claim.reason] < 0)
    return claim._replace(reason=np.where(silent, np.int8(NONE), claim.reason))


def class_of(evidence: Evidence) -> Numbers:
    """Return success, transient or permanent by the enhanced code, else by the reply; -1 where there is neither."""
    digit = np.where(evidence.enhanced > 0, evidence.enhanced // 1_000_000, evidence.reply // 100)
    places = np.array([NONE, NONE, 0, 0, _TRANSIENT, _PERMANENT], dtype=np.int8)  # by first digit
    return places[np.where(digit > 5, 0, digit)]


#: Who votes on the address, in the order of :func:`votes`.
VOTERS = ("text", "code", "esp")


def votes(evidence: Evidence, book: Rulebook) -> Numbers:
    """Return what each source says about the address: -1 remove, 1 keep, 0 nothing.

    Three sources vote. The text: by the reason of its winning rule as if permanent. The code: by the reason of a
    specific enhanced code; else a transient class votes to keep, and a permanent one abstains, because it says
    nothing about the address. The ESP: by the vote in its table of words, except on the reasons that the word groups
    with others. A reason whose action is ``review`` abstains. Where one would remove the address and another keep it,
    there is a conflict.

    Returns
    -------
    numpy.ndarray of int8, voter x row
        In the order of :data:`VOTERS`.
    """
    return _votes(claims(evidence, book)[0], class_of(evidence), evidence)


def _votes(ordered: list[Claim], class_: Numbers, evidence: Evidence) -> Numbers:
    text = _first(claim.reason for claim in ordered if claim.tier != NONE)
    code = next(claim.reason for claim in ordered if claim.source == "enhanced code")
    transient = class_ == _TRANSIENT
    by_code = np.where(code == NONE, np.int8(0), np.where(transient, _MILD[code], _HARD[code]))
    by_code = np.where(transient & (code == NONE), np.int8(1), by_code)
    said = np.where(text == NONE, code, text)
    # that a system is full, the words say; whether for good, the code
    by_text = np.where(transient & (text == _REASON["system_full"]), _MILD[text], _HARD[text])
    return np.stack([by_text, by_code, stances()[evidence.voter, said]])


@cache
def stances() -> Numbers:
    """Return what each word of an ESP (rows) says about an address when a reason (columns) is named: -1, 0 or 1.

    The last row is for no word, the last column for no reason.
    """
    words = esp_words()
    table = np.zeros((len(words) + 1, len(REASONS) + 1), dtype=np.int8)
    for number, word in enumerate(words):
        table[number] = {"remove": -1, "keep": 1}.get(word.vote, 0)
        table[number, [_REASON[name] for name in word.silent]] = 0
    return table


@cache
def _word_types() -> Numbers:
    """Return the type of bounce that each word of an ESP tells, -1 where it tells none and for no word."""
    types = [BOUNCE_TYPES.index(word.type) if word.type else NONE for word in esp_words()]
    return np.array([*types, NONE], dtype=np.int8)


def _vote(reason: str, class_: str) -> int:
    return {"remove": -1, "retry": 1, "fix": 1}.get(outcome(reason, class_).action or "", 0)


def _first(reasons: Iterable[Numbers]) -> Numbers:
    """Return per row the first reason that is one."""
    return reduce(lambda first, second: np.where(first == NONE, second, first), reasons)


def _outcome_tables() -> tuple[Numbers, ...]:
    """Return per reason (rows) and hard or soft (columns): type, category, fault and action as numbers."""
    rows = [[outcome(name, class_) for class_ in ("permanent", "transient")] for name in REASONS]
    choices = (
        ("bounce_type", BOUNCE_TYPES),
        ("category", CATEGORIES),
        ("fault", FAULTS),
        ("action", ACTIONS),
    )
    return tuple(
        np.array([[values.index(getattr(one, name)) for one in row] for row in rows], dtype=np.int8)
        for name, values in choices
    )


_OUTCOMES = _outcome_tables()

#: Per reason, the last entry for none: what it says about the address after a permanent and after a transient failure.
_HARD = np.array([*(_vote(name, "permanent") for name in REASONS), 0], dtype=np.int8)
_DEAD = (_HARD[:-1] < 0) | (np.arange(len(REASONS)) == _REASON["suppressed"])
_MILD = np.array([*(_vote(name, "transient") for name in REASONS), 0], dtype=np.int8)


def mailbox_values(numbers: Numbers) -> tuple[Numbers, tuple[str, ...]]:
    """Return mailbox providers as numbers without -1, and their names."""
    known = mailboxes.names()
    return np.where(numbers == NONE, len(known) - 1, numbers), known

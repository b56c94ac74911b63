"""A policy as a table: for every kind of event, the line that counts it.

Events that are counted together share a line. The table is all that the engine sees of a policy.
"""

from __future__ import annotations

from dataclasses import fields, replace
from itertools import product
from typing import TYPE_CHECKING, Any, TypeAlias

import pandas as pd

from bounceanalytics import schema
from bounceanalytics.deciding.rule import AT_ONCE, HELD_AT_ONCE, NEVER, Rule

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bounceanalytics.deciding.policy import Policy

#: Reasons that never speak against an address although the mail may be tried again: the server asked for patience.
PATIENCE: Mapping[str, Rule] = {"greylisted": NEVER, "rate_limited": NEVER}

#: Lines that lead to the same verdict: the first of these gives the reason. Reasons with rules of their own follow.
_ORDER = (
    "complained",
    "unsubscribed",
    "unsubscribed_partly",
    "hard",
    "score",
    "system_full",
    "listed",
    "system_full_listed",
    "not_tried",
    "suspected",
    "unexplained",
    "conflict",
    "storm",
    "soft",
    "review",
    "not_tried_review",
    "soft_conflict",
    "review_conflict",
)

#: What tells the kinds of events apart.
KEY = ("kind", "reason", "action", "conflict", "storm")

_Key: TypeAlias = tuple[str, str, str, bool, bool]

#: The line of an action, and the name of its weight in a score.
_LINES = {"remove": "hard", "retry": "soft", "review": "review", "fix": "sender"}


def policy_lines(policy: Policy) -> pd.DataFrame:
    """Return a policy as a table; see :meth:`Policy.lines`."""
    rows: list[dict[str, Any]] = []
    rules: list[Rule] = []

    def add(key: _Key, line: str, rule: Rule, weight: float = 1.0, *, beside: bool = False) -> None:
        signs = policy.cleared_by if rule.cleared_by is None else rule.cleared_by
        clears = {f"by_{sign}": sign in signs for sign in schema.SIGNS_OF_LIFE}
        rows.append(
            {**dict(zip(KEY, key, strict=True)), "line": line, "weight": weight, "beside": beside, **clears}
        )
        rules.append(rule)

    for conflict, storm in product((False, True), repeat=2):
        for wish in ("complained", "unsubscribed", "unsubscribed_partly"):
            add((wish, wish, "remove", conflict, storm), wish, _once(getattr(policy, wish)))
        add(("suspected", "complained", "remove", conflict, storm), "suspected", policy.suspected)
        unexplained: _Key = ("unexplained", "unclassified", "review", conflict, storm)
        add(unexplained, *_disputed(conflict, *_unexplained(policy)))
        for kind, reason, action in product(("bounce", "not_tried"), schema.REASONS, schema.ACTIONS):
            key: _Key = (kind, reason, action, conflict, storm)
            line, rule, weight = _line(policy, *key)
            add(key, line, rule, weight)
            # what is beyond dispute counts beside what is not, if there is such: more evidence never weighs less
            disputed, held, weight = _disputed(True, line, rule, weight)
            if (
                kind == "bounce"
                and not conflict
                and held.hold_after
                and (line == "score" or action != "remove")
            ):
                add(key, disputed, held, weight, beside=True)
    table = pd.DataFrame(rows)
    for item in fields(Rule):
        if item.name != "cleared_by":
            table[item.name] = pd.array([getattr(rule, item.name) for rule in rules], dtype="Int64")
    ranks = {line: rank for rank, line in enumerate(dict.fromkeys((*_ORDER, *table["line"])))}
    return table.assign(rank=table["line"].map(ranks))


def _line(
    policy: Policy, kind: str, reason: str, action: str, conflict: bool, storm: bool
) -> tuple[str, Rule, float]:
    """Return name and rule of the line that counts such an event, and its points there."""
    if action == "remove" and conflict and kind == "bounce":
        return "conflict", policy.conflict, 1.0
    # a policy may believe the bounces of a storm
    if action == "remove" and storm and policy.storm != AT_ONCE:
        return "storm", policy.storm, 1.0
    line, rule, weight = (_not_tried if kind == "not_tried" else _bounced)(policy, reason, action)
    # and it may believe the bounces on which code, text and ESP disagree
    return _disputed(conflict and policy.conflict != AT_ONCE, line, rule, weight)


def _disputed(conflict: bool, line: str, rule: Rule, weight: float) -> tuple[str, Rule, float]:
    """Return the line beside the given one that counts conflicting bounces, if it is such a one."""
    return (f"{line}_conflict", _no_removal(rule), weight) if conflict else (line, rule, weight)


def _unexplained(policy: Policy) -> tuple[str, Rule, float]:
    """Return the line of a bounce of which nothing is known but that the ESP calls it hard."""
    if policy.score is not None and "hard" in policy.weights:
        return "score", policy.score, float(policy.weights["hard"])
    return "unexplained", policy.unexplained, 1.0


def _not_tried(policy: Policy, reason: str, action: str) -> tuple[str, Rule, float]:
    """Return the line of an entry of a suppression list, or of mail that the ESP dropped."""
    if action == "review":
        return "not_tried_review", HELD_AT_ONCE, 1.0
    if action != "remove":
        return "not_tried_other", NEVER, 1.0
    if reason == "system_full":
        rule = _once(policy.not_tried) if policy.system_full == "remove" else HELD_AT_ONCE
        return "system_full_listed", _reviewed(policy, rule), 1.0
    # any other cause says more than "the ESP suppressed it", so it comes first
    return "not_tried" if reason == "suppressed" else "listed", _once(policy.not_tried), 1.0


def _bounced(policy: Policy, reason: str, action: str) -> tuple[str, Rule, float]:
    """Return the line of a bounce."""
    own = {**PATIENCE, **policy.reasons}
    if reason in own and action == schema.REASONS[reason].action:
        return reason, own[reason], 1.0
    line = _LINES[action]
    if reason == "system_full" and action == "remove":
        if policy.system_full == "hold":
            return "system_full", _reviewed(policy, HELD_AT_ONCE), 1.0
        line = "soft" if policy.system_full == "retry" else "hard"
    if policy.score is not None and line in policy.weights:
        return "score", policy.score, float(policy.weights[line])
    if line == "hard" and reason == "system_full":
        return "system_full", _reviewed(policy, policy.hard), 1.0
    return line, {"hard": policy.hard, "soft": policy.soft, "review": policy.review}.get(line, NEVER), 1.0


def _reviewed(policy: Policy, rule: Rule) -> Rule:
    return rule if rule == NEVER else replace(rule, review_days=policy.system_full_review_days)


def _once(verdict: str) -> Rule:
    return {"remove": AT_ONCE, "hold": HELD_AT_ONCE, "keep": NEVER}[verdict]


def _no_removal(rule: Rule) -> Rule:
    """Return the rule with its removal turned into a hold, where it has no hold that comes earlier."""
    bare = replace(rule, remove_after=None, remove_span=0, remove_after_if_active=None, review_days=None)
    if rule.remove_after is None or rule.hold_after is not None:
        return bare
    return replace(bare, hold_after=rule.remove_after, hold_span=rule.remove_span)

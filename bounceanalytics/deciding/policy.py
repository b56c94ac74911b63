"""Policies: how much it takes until an address is held or removed. A policy is a value, not code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, get_args

import pandas as pd

from bounceanalytics import schema
from bounceanalytics.errors import PolicyError

Verdict = Literal["remove", "hold", "keep"]
SystemFull = Literal["remove", "hold", "retry"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """How many bounce days it takes to hold or remove an address.

    At most one bounce counts per address and UTC day: ESPs repeat events, and one bad day is one fact.

    Attributes
    ----------
    remove_after : int or None
        Bounce days after which the address is removed; None is never, 1 is at once.
    remove_span : int
        Days that must lie between the first and the last of them.
    hold_after : int or None
        Bounce days after which it is held; None is never.
    hold_span : int
        Days that must lie between the first and the last of them.

    Examples
    --------
    >>> Rule(remove_after=5, remove_span=21, hold_after=3).problems("soft")
    []
    """

    remove_after: int | None = None
    remove_span: int = 0
    hold_after: int | None = None
    hold_span: int = 0

    def problems(self, name: str) -> list[str]:
        """Return a sentence for everything that is wrong with this rule, which is called ``name``."""
        found = [
            f"{name}.{key} is {getattr(self, key)!r}, and must be a whole number of days from {least}{never}"
            for key, least, never in _NUMBERS
            if not (_whole(getattr(self, key), at_least=least) or (never and getattr(self, key) is None))
        ]
        if found:
            return found
        found = [
            f"{name}.{verdict}_span says how far apart the days must be, and {name}.{verdict}_after is not set"
            for verdict in ("remove", "hold")
            if getattr(self, f"{verdict}_after") is None and getattr(self, f"{verdict}_span")
        ]
        if (
            self.remove_after is not None
            and self.hold_after is not None
            and self.hold_after >= self.remove_after
            and self.hold_span >= self.remove_span
        ):
            found.append(f"{name} holds no earlier than it removes")
        return found


_NUMBERS = (
    ("remove_after", 1, ", or None for never"),
    ("remove_span", 0, ""),
    ("hold_after", 1, ", or None for never"),
    ("hold_span", 0, ""),
)

AT_ONCE = Rule(remove_after=1)
HELD_AT_ONCE = Rule(hold_after=1)
NEVER = Rule()

#: Reasons that never speak against an address although the mail may be tried again: the server asked for patience.
PATIENCE: Mapping[str, Rule] = {"greylisted": NEVER, "rate_limited": NEVER}


@dataclass(frozen=True, kw_only=True)
class Policy:
    """When an address is removed, held or kept.

    Failures with action ``fix`` (blocks, content, authentication: the sender has to act) never count against an
    address, whatever the numbers here, unless ``reasons`` names them.

    Attributes
    ----------
    name : str
        For reports.
    hard : Rule
        Bounces with action ``remove``: no such user, no such domain, mailbox disabled. At once: mailing a dead
        address again tells mailbox providers that the list is not looked after.
    soft : Rule
        Bounces with action ``retry``: full mailbox, network, expired. Five days over three weeks: outages last hours
        to days, holidays two weeks, and a mailbox that is full for longer is rarely read again. Held from three.
    review : Rule
        Bounces with action ``review``: refused without a reason, automatic replies, not classified. Held, not
        removed, when they repeat on three days: nobody knows what they mean.
    system_full : {'remove', 'hold', 'retry'}
        5.3.1 and its like: ``remove`` follows ``hard``, ``hold`` holds at once, ``retry`` follows ``soft``. The
        code says permanent, RFC 3463 expects it to pass, so it has a line of its own.
    conflict : Rule
        A bounce that says remove while code, text and the ESP's word disagree on it. Held at once: one of the three
        is wrong. Other conflicting bounces follow their action. No conflicting bounce takes part in a removal.
    not_tried : {'remove', 'hold', 'keep'}
        Entries of the ESP's suppression lists and mail that it dropped, where the classifier says remove. They are
        no bounces and are not counted in days; the ESP will not deliver to the address anyway.
    complained, unsubscribed : {'remove', 'hold', 'keep'}
        A wish of the recipient, not a failure: a later delivery does not undo it.
    cleared_by : tuple of {'delivered', 'opened', 'clicked'}
        Signs of life: what came before the last of them does not count any more. Opens by machines, such as Apple's
        privacy proxy, look like others in exports; they still show that the mailbox takes mail.
    late_bounce_hours : int
        A delivery whose own message bounces within this time was none: the server took the message and gave it back.
        Five days is as long as RFC 5321 expects a server to try.
    reasons : mapping of str to Rule
        Bounces with these reasons are counted by themselves and follow a rule of their own; transient ones that get
        another action than the reason usually has do not.

    Raises
    ------
    PolicyError
        If a number is impossible, a word unknown or a rule contradicts itself; all problems are named at once.

    References
    ----------
    RFC 3463 (codes), RFC 5321 4.5.4.1 (how long servers try).

    Examples
    --------
    >>> Policy(soft=Rule(remove_after=7, hold_after=4), system_full="hold").hard.remove_after
    1
    >>> Policy.preset("lenient").soft
    Rule(remove_after=10, remove_span=60, hold_after=5, hold_span=0)
    """

    name: str = "custom"
    hard: Rule = AT_ONCE
    soft: Rule = Rule(remove_after=5, remove_span=21, hold_after=3)
    review: Rule = Rule(hold_after=3)
    system_full: SystemFull = "remove"
    conflict: Rule = HELD_AT_ONCE
    not_tried: Verdict = "remove"
    complained: Verdict = "remove"
    unsubscribed: Verdict = "remove"
    cleared_by: tuple[str, ...] = schema.SIGNS_OF_LIFE
    late_bounce_hours: int = 120
    reasons: Mapping[str, Rule] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        found = self._problems()
        if found:
            raise PolicyError("; ".join(found))
        object.__setattr__(self, "cleared_by", tuple(self.cleared_by))
        object.__setattr__(self, "reasons", dict(self.reasons))  # ours, so that the caller's cannot change it

    @classmethod
    def preset(cls, name: str) -> Policy:
        """Return a ready policy.

        Parameters
        ----------
        name : {'default', 'strict', 'lenient'}
            ``strict``: every hard bounce at once, refused recipients included, soft ones after 3 days. ``lenient``:
            hard bounces on two separate days, soft ones on 10 over 60 days.

        Returns
        -------
        Policy

        Raises
        ------
        PolicyError
            If there is no such preset; the message lists those there are.

        Examples
        --------
        >>> Policy.preset("strict").soft.remove_after
        3
        """
        if name not in PRESETS:
            raise PolicyError(f"there is no policy called {name!r}; there are {', '.join(PRESETS)}")
        return PRESETS[name]

    def to_dict(self) -> dict[str, Any]:
        """Return the policy as plain values, ready for JSON or TOML."""
        plain: dict[str, Any] = {}
        for item in fields(self):
            value = getattr(self, item.name)
            if isinstance(value, Rule):
                value = _rule_dict(value)
            elif isinstance(value, Mapping):
                value = {reason: _rule_dict(rule) for reason, rule in value.items()}
            plain[item.name] = list(value) if isinstance(value, tuple) else value
        return plain

    def lines(self) -> pd.DataFrame:
        """Return the whole policy as a table: which events are counted together, and what their number leads to.

        Returns
        -------
        pandas.DataFrame
            One row per kind of event (``kind``: bounce, not_tried, complained or unsubscribed; ``reason``; ``action``;
            ``conflict``) with the name of the ``line`` that counts it, its ``rank`` among lines that lead to the same
            verdict (lowest first), and ``remove_after``, ``remove_span``, ``hold_after``, ``hold_span`` in days.

        Examples
        --------
        >>> table = Policy().lines()
        >>> table.loc[table["line"] == "conflict", "remove_after"].isna().all()
        np.True_
        """
        rows: list[dict[str, Any]] = [
            {
                "kind": kind,
                "reason": kind,
                "action": "remove",
                "conflict": conflict,
                "line": kind,
                "rule": _once(verdict),
            }
            for kind, verdict in (("complained", self.complained), ("unsubscribed", self.unsubscribed))
            for conflict in (False, True)
        ]
        for kind in ("bounce", "not_tried"):
            for reason in schema.REASONS:
                for action in schema.ACTIONS:
                    for conflict in (False, True):
                        line, rule = self._line(kind, reason, action, conflict)
                        rows.append(
                            {"kind": kind, "reason": reason, "action": action, "conflict": conflict}
                            | {"line": line, "rule": rule}
                        )
        table = pd.DataFrame(rows)
        rules = table.pop("rule")
        for item in fields(Rule):
            table[item.name] = pd.array([getattr(rule, item.name) for rule in rules], dtype="Int64")
        ranks = {line: rank for rank, line in enumerate(dict.fromkeys((*_ORDER, *table["line"])))}
        return table.assign(rank=table["line"].map(ranks))

    def _line(self, kind: str, reason: str, action: str, conflict: bool) -> tuple[str, Rule]:
        """Return the name and the rule of the line that counts such an event."""
        full = reason == "system_full" and action == "remove"
        if kind == "not_tried":
            if action == "remove":
                line, rule = "listed", _once(self.not_tried)
                if full and self.system_full != "remove":
                    line, rule = "system_full_listed", HELD_AT_ONCE
                elif reason == "suppressed":  # any other cause says more, so it comes first
                    line = "not_tried"
                return (f"{line}_conflict", _no_removal(rule)) if conflict else (line, rule)
            return ("not_tried_review", HELD_AT_ONCE) if action == "review" else ("not_tried_other", NEVER)
        own = {**PATIENCE, **self.reasons}
        if conflict and action == "remove":
            return "conflict", _no_removal(self.conflict)
        if reason in own and action == schema.REASONS[reason].action:
            line, rule = reason, own[reason]
        elif full:
            line, rule = {
                "remove": ("hard", self.hard),
                "hold": ("system_full", HELD_AT_ONCE),
                "retry": ("soft", self.soft),
            }[self.system_full]
        else:
            line, rule = {
                "remove": ("hard", self.hard),
                "retry": ("soft", self.soft),
                "review": ("review", self.review),
                "fix": ("sender", NEVER),
            }[action]
        return (f"{line}_conflict", _no_removal(rule)) if conflict else (line, rule)

    def _problems(self) -> list[str]:
        found = []
        for name in ("hard", "soft", "review", "conflict"):
            found += _rule_problems(getattr(self, name), name)
        reasons: object = self.reasons  # callers without a type checker pass anything
        if not isinstance(reasons, Mapping):
            found.append("reasons must be a mapping of a reason to its Rule")
        else:
            for reason, rule in reasons.items():
                if reason not in schema.REASONS:
                    found.append(
                        f"reasons names {reason!r}, which is no reason; see bounceanalytics.schema.REASONS"
                    )
                found += _rule_problems(rule, f"reasons[{reason!r}]")
        words: dict[str, tuple[str, ...]] = {"system_full": get_args(SystemFull)}
        words |= dict.fromkeys(("not_tried", "complained", "unsubscribed"), schema.VERDICTS)
        for name, allowed in words.items():
            if getattr(self, name) not in allowed:
                found.append(f"{name} is {getattr(self, name)!r}, and must be one of {', '.join(allowed)}")
        if isinstance(self.conflict, Rule) and self.conflict.remove_after is not None:
            found.append(
                "conflict.remove_after is set, and bounces on which code and text disagree never remove"
            )
        signs: object = self.cleared_by
        if not isinstance(signs, tuple | list) or not set(signs) <= set(schema.SIGNS_OF_LIFE):
            found.append(
                f"cleared_by is {self.cleared_by!r}, and must be a tuple of {', '.join(schema.SIGNS_OF_LIFE)}"
            )
        if not _whole(self.late_bounce_hours, at_least=0):
            found.append(
                f"late_bounce_hours is {self.late_bounce_hours!r}, and must be a whole number from 0"
            )
        return found


#: Lines that lead to the same verdict: the first of these gives the reason. Reasons with rules of their own follow.
_ORDER = (
    "complained",
    "unsubscribed",
    "hard",
    "system_full",
    "listed",
    "not_tried",
    "conflict",
    "soft",
    "review",
    "not_tried_review",
    "soft_conflict",
    "review_conflict",
)


def _once(verdict: str) -> Rule:
    return {"remove": AT_ONCE, "hold": HELD_AT_ONCE, "keep": NEVER}[verdict]


def _no_removal(rule: Rule) -> Rule:
    """Return the rule with its removal turned into a hold, where it has no hold that comes earlier."""
    if rule.remove_after is None or rule.hold_after is not None:
        return Rule(hold_after=rule.hold_after, hold_span=rule.hold_span)
    return Rule(hold_after=rule.remove_after, hold_span=rule.remove_span)


def _rule_problems(rule: object, name: str) -> list[str]:
    return (
        rule.problems(name)
        if isinstance(rule, Rule)
        else [f"{name} must be a Rule, found {type(rule).__name__}"]
    )


def _rule_dict(rule: Rule) -> dict[str, int | None]:
    return {item.name: getattr(rule, item.name) for item in fields(rule)}


def _whole(value: object, *, at_least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= at_least


PRESETS: Mapping[str, Policy] = {
    "default": Policy(name="default"),
    "strict": Policy(
        name="strict",
        soft=Rule(remove_after=3, hold_after=2),
        review=Rule(hold_after=2),
        reasons={"recipient_refused": AT_ONCE},
    ),
    # the first hard bounce keeps the address: were it held, the second day could never come
    "lenient": Policy(
        name="lenient",
        hard=Rule(remove_after=2),
        soft=Rule(remove_after=10, remove_span=60, hold_after=5),
        review=Rule(hold_after=5),
    ),
}

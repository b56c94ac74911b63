"""A rule of a policy: how many bounces over how long remove or hold an address."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from bounceanalytics import schema
from bounceanalytics.wording import in_short

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Bounce days that hold or remove an address, what clears them, and what follows.

    At most one bounce counts per address and UTC day: ESPs repeat events, and one bad day is one fact.

    Attributes
    ----------
    remove_after : int or None
        Bounce days after which the address is removed; None is never, 1 is at once. Of a score: points.
    remove_span : int
        Days that must lie between the first and the last of them.
    hold_after : int or None
        Bounce days after which it is held; None is never.
    hold_span : int
        Days that must lie between the first and the last of them.
    within : int or None
        Bounce days count together only if no more than so many days lie between them; None is any number.
    forget_after : int or None
        After so many days without a bounce the count begins anew; None is never.
    erode_after : int or None
        So many deliveries take one bounce day, or one point of a score, off what has come together; None is never.
    permanent_only : bool
        Only failures with a permanent code (5xx, 5.x.x) count.
    remove_after_if_active : int or None
        Stands in for ``remove_after`` where the address has ever opened or clicked; None makes no difference.
    cleared_by : tuple of {'delivered', 'opened', 'clicked'} or None
        Signs of life that take back what came before them; None is as the policy says.
    hold_days : int or None
        After so many days without another bounce the hold ends and the address is tried again; None holds it until
        there is a sign of life or somebody decides.
    review_days : int or None
        Days after which to look at a removed address again; None is never.

    Examples
    --------
    >>> Rule(remove_after=5, remove_span=21, hold_after=3).problems("soft")
    []
    >>> Rule(hold_span=3).problems("soft")
    ['soft.hold_span says how far apart the days must be, and soft.hold_after is not set']
    """

    remove_after: int | None = None
    remove_span: int = 0
    hold_after: int | None = None
    hold_span: int = 0
    within: int | None = None
    forget_after: int | None = None
    erode_after: int | None = None
    permanent_only: bool = False
    remove_after_if_active: int | None = None
    cleared_by: tuple[str, ...] | None = None
    hold_days: int | None = None
    review_days: int | None = None

    def __post_init__(self) -> None:
        signs: object = self.cleared_by  # a file gives a list, and a list has no hash
        if isinstance(signs, list):
            object.__setattr__(self, "cleared_by", tuple(signs))

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any], name: str) -> tuple[Rule, list[str]]:
        """Return the rule of plain values, and a sentence for every key that no rule has.

        Examples
        --------
        >>> rule, problems = Rule.from_dict({"remove_after": 2, "remove": 3}, "hard")
        >>> rule.remove_after, problems
        (2, ['hard.remove is nothing a rule has; there are cleared_by, erode_after, ...'])
        """
        known = {item.name for item in fields(cls)}
        unknown = [
            f"{name}.{key} is nothing a rule has; there are {', '.join(sorted(known))}"
            for key in plain
            if key not in known
        ]
        return cls(**{key: value for key, value in plain.items() if key in known}), unknown

    def to_dict(self) -> dict[str, Any]:
        """Return what is set, as plain values; what is None is left out, since TOML knows no None.

        Examples
        --------
        >>> Rule(remove_after=2).to_dict()
        {'remove_after': 2}
        """
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in values.items()
            if value is not None
            and not (value == 0 and name in {"remove_span", "hold_span", "permanent_only"})
        }

    def problems(self, name: str) -> list[str]:
        """Return a sentence for everything that is wrong with this rule, which is called ``name``.

        Examples
        --------
        >>> Rule(remove_after=0).problems("hard")
        ['hard.remove_after is 0, and must be a whole number from 1 to 1,000,000, or None for never']
        """
        found = [
            f"{name}.{key} is {in_short(getattr(self, key))}, and must be {whole_from(least)}{never}"
            for key, least, never in _NUMBERS
            if not (whole(getattr(self, key), at_least=least) or (never and getattr(self, key) is None))
        ]
        if self.cleared_by is not None:
            found += wrong_signs(self.cleared_by, f"{name}.cleared_by")
        only: object = self.permanent_only  # a file may say anything
        if not isinstance(only, bool):
            found.append(f"{name}.permanent_only is {in_short(only)}, and must be true or false")
        return found or self._contradictions(name)

    def _contradictions(self, name: str) -> list[str]:
        needed = {
            "remove_span": ("remove_after", "says how far apart the days must be"),
            "hold_span": ("hold_after", "says how far apart the days must be"),
            "hold_days": ("hold_after", "says how long a hold lasts"),
            "review_days": ("remove_after", "says when to look at what was removed"),
            "remove_after_if_active": ("remove_after", "says what active addresses are removed after"),
        }
        found = [
            f"{name}.{key} {what}, and {name}.{other} is not set"
            for key, (other, what) in needed.items()
            if getattr(self, key) and getattr(self, other) is None
        ]
        if self.within is not None and self.erode_after is not None:
            found.append(
                f"{name} counts days within {self.within} days, and cannot take any off for deliveries"
            )
        if self.within is not None and max(self.remove_span, self.hold_span) > self.within:
            found.append(f"{name} counts days within {self.within} days and wants them further apart")
        if self.remove_after is None or self.hold_after is None:
            return found
        if self.hold_after >= self.remove_after and self.hold_span >= self.remove_span:
            found.append(f"{name} holds no earlier than it removes")
        return found


_NEVER = ", or None for never"
_NUMBERS = (
    ("remove_after", 1, _NEVER),
    ("remove_span", 0, ""),
    ("hold_after", 1, _NEVER),
    ("hold_span", 0, ""),
    ("within", 1, _NEVER),
    ("forget_after", 1, _NEVER),
    ("erode_after", 1, _NEVER),
    ("remove_after_if_active", 1, _NEVER),
    ("hold_days", 1, _NEVER),
    ("review_days", 1, _NEVER),
)

AT_ONCE = Rule(remove_after=1)
HELD_AT_ONCE = Rule(hold_after=1)
NEVER = Rule()


#: Bounces, days or hours: more than anybody has, and few enough to reckon with.
MOST = 1_000_000


def whole(value: object, *, at_least: int) -> bool:
    """Return whether a value is a whole number that large, and not larger than :data:`MOST`."""
    return isinstance(value, int) and not isinstance(value, bool) and at_least <= value <= MOST


def whole_from(least: int) -> str:
    """Return what a message calls such a number."""
    return f"a whole number from {least} to {MOST:,}"


def wrong_signs(value: object, name: str) -> list[str]:
    """Return a sentence if a value is no collection of signs of life."""
    if isinstance(value, tuple | list) and set(value) <= set(schema.SIGNS_OF_LIFE):
        return []
    return [f"{name} is {in_short(value)}, and must be a tuple of {', '.join(schema.SIGNS_OF_LIFE)}"]

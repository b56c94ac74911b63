"""Plans of checks: the arguments that callers give, looked at, and by which means a plan finds facts out."""

from __future__ import annotations

import datetime as dt
import itertools
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from bounceanalytics.clocks import moment
from bounceanalytics.domains.asking import addresses_of
from bounceanalytics.errors import FrameError
from bounceanalytics.wording import in_short

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bounceanalytics.domains.asking import Resolver
    from bounceanalytics.domains.facts import Facts

    Progress = Callable[[str, int, int], None]

#: Levels of a check.
LEVELS = ("dns", "greeting", "rdap")
#: Where facts are kept that nobody wants to keep.
_NOWHERE = ":memory:"
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_SPAN = re.compile(rf"(\d{{1,5}})\s*([{''.join(_UNITS)}])")


@dataclass(frozen=True, slots=True)
class Plan:
    """How to ask.

    Attributes
    ----------
    levels : frozenset of str
        Of :data:`LEVELS`.
    resolvers : tuple of (str, int)
    cache : path
    max_age : timedelta
        How old what is in the cache may be.
    timeout : float
        Seconds to wait for an answer.
    at_once, per_host : int
        Questions and connections at the same time, in all and to one address of a mail server.
    private : bool
        Whether addresses of private networks are connected to.
    every_host : bool
        Whether all mail servers of a domain are greeted, not just one that answers.
    doubtful : bool
        Whether resolvers are those of this machine, of which it is not known what they know.
    """

    levels: frozenset[str]
    resolvers: tuple[tuple[str, int], ...]
    cache: str | os.PathLike[str]
    max_age: dt.timedelta
    timeout: float
    at_once: int
    per_host: int
    private: bool = False
    every_host: bool = False
    doubtful: bool = False

    def means(self, facts: Facts, *, greeted: bool) -> str:
        """Return by which means facts were found out that this plan found."""
        rdap = "rdap" in self.levels and facts.registration is not None
        return _means(self._greetings if greeted else "", rdap=rdap, private=self.private)

    def enough(self, *, greeted: bool) -> list[str]:
        """Return the means by which facts were found out that this plan need not ask for again."""
        greetings = ["", "greeting", "greetings"]
        first = greetings.index(self._greetings if greeted else "")
        registries = (True,) if "rdap" in self.levels else (False, True)
        networks = (self.private,) if first else (False, True)
        every = itertools.product(greetings[first:], registries, networks)
        return list(dict.fromkeys(_means(one, rdap=rdap, private=private) for one, rdap, private in every))

    @property
    def greets(self) -> bool:
        """Whether mail servers are connected to."""
        return "greeting" in self.levels

    @property
    def _greetings(self) -> str:
        return "greetings" if self.every_host else "greeting"


def plan_of(
    level: str | Sequence[str],
    cache: str | os.PathLike[str] | None,
    max_age: str | dt.timedelta,
    resolvers: Iterable[Resolver] | str | None,
    timeout: float,
    at_once: int,
    per_host: int,
    *,
    private: bool,
    every_host: bool,
    progress: Progress | None,
) -> Plan:
    """Return the plan that arguments make; all that is wrong with them is said at once."""
    levels = _levels(level)
    problems = []
    if levels is not None and (other := sorted(levels.difference(LEVELS))):
        problems.append(f"level names {', '.join(other)}, and can name {', '.join(LEVELS)}")
    age = _span(max_age)
    problems += [
        f"{name} is {in_short(value)}, and must be {what}"
        for name, value, what, good in (
            ("level", level, f"one or several of {', '.join(LEVELS)}", levels is not None),
            ("max_age", max_age, "a span of time such as '1d' or '12h'", age is not None),
            ("cache", cache, "the path of a file", cache is None or _is_path(cache)),
            ("progress", progress, "callable", progress is None or callable(progress)),
            ("timeout", timeout, "a number of seconds above 0", _is_number(timeout) and 0 < timeout < 3600),
            (
                "at_once",
                at_once,
                "a whole number from 1 to 1,000",
                _is_whole(at_once) and 1 <= at_once <= 1_000,
            ),
            ("per_host", per_host, "a whole number from 1", _is_whole(per_host) and per_host >= 1),
        )
        if not good
    ]
    given: tuple[tuple[str, int], ...] = ()
    try:
        given = () if resolvers is None else tuple(addresses_of(resolvers))
    except FrameError as error:
        problems.append(str(error))
    if problems or age is None or levels is None:
        raise FrameError("; ".join(problems))
    return Plan(
        levels,
        given,
        _NOWHERE if cache is None else cache,
        age,
        timeout,
        at_once,
        per_host,
        private,
        every_host,
    )


def moment_of(at: dt.datetime | str | None, what: str = "at") -> pd.Timestamp:
    """Return the time that an argument names; now if it names none.

    Raises
    ------
    FrameError
    """
    if at is None:
        return pd.Timestamp.now("UTC")
    try:
        return moment(at).time
    except ValueError as error:
        raise FrameError(f"{what}: {error}") from None


def _levels(given: object) -> frozenset[str] | None:
    """Return the levels that are named, None if there can be none in it."""
    if isinstance(given, str) or not isinstance(given, Iterable):
        return frozenset([given]) if isinstance(given, str) else None
    return frozenset(map(str, given))


def _is_path(value: object) -> bool:
    return isinstance(value, str | os.PathLike) and "\0" not in str(value) and bool(str(value).strip())


def _span(value: object) -> dt.timedelta | None:
    """Return a span of time, None if it is none."""
    if isinstance(value, str) and (found := _SPAN.fullmatch(value.strip().lower())):
        value = dt.timedelta(**{_UNITS[found[2]]: int(found[1])})
    return value if isinstance(value, dt.timedelta) and value >= dt.timedelta() else None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _means(greetings: str, *, rdap: bool, private: bool) -> str:
    words = ("dns", greetings, "rdap" if rdap else "", "private" if greetings and private else "")
    return " ".join(filter(None, words))

"""Words of clocks: the tables of ``words.toml``, ready to be looked up."""

from __future__ import annotations

import functools
import re
import tomllib
import unicodedata
import zoneinfo
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: An offset in seconds, or the name of a zone of the tz database.
Zone = int | str


@dataclass(frozen=True, slots=True)
class Words:
    """Words that a clock may hold, all of them folded (see :func:`folded`) but fillers and missing ones."""

    months: Mapping[str, int]
    weekdays: Mapping[str, tuple[int, ...]]
    morning: frozenset[str]
    afternoon: frozenset[str]
    fillers: re.Pattern[str]
    halves: re.Pattern[str]
    missing: frozenset[str]
    nodays: frozenset[str]
    zones: Mapping[str, tuple[Zone, ...]]
    elsewhere: Mapping[str, tuple[Zone, ...]]
    zone_names: re.Pattern[str]
    wrappers: tuple[re.Pattern[str], ...]


def folded(word: str) -> str:
    """Return a word without regard to case and accents.

    >>> folded("Août"), folded("FÉVR")
    ('aout', 'fevr')
    """
    low = word.casefold()
    if low.isascii():
        return low
    return "".join(sign for sign in unicodedata.normalize("NFD", low) if not unicodedata.combining(sign))


@functools.cache
def words() -> Words:
    """Return the tables of ``words.toml``."""
    text = resources.files("bounceanalytics").joinpath("clocks", "words.toml").read_text(encoding="utf-8")
    table = tomllib.loads(text)
    months = {folded(word): place for row in table["months"].values() for place, word in enumerate(row, 1)}
    weekdays: dict[str, tuple[int, ...]] = {}
    for row in table["weekdays"].values():
        for place, word in enumerate(row):
            known = weekdays.get(folded(word), ())
            weekdays[folded(word)] = known if place in known else (*known, place)
    zones = _zones(table["zones"])
    halves = table["halves"]["morning"] + table["halves"]["afternoon"]
    return Words(
        months=months,
        weekdays=weekdays,
        morning=frozenset(table["halves"]["morning"]),
        afternoon=frozenset(table["halves"]["afternoon"]),
        fillers=_any(table["fillers"]["words"]),
        halves=_any(halves),
        missing=frozenset(table["missing"]["words"]),
        nodays=frozenset(table["missing"]["days"]),
        zones=zones,
        elsewhere=_zones(table["elsewhere"]),
        zone_names=_any(zones),
        wrappers=tuple(re.compile(pattern, re.DOTALL) for pattern in table["wrappers"]["patterns"]),
    )


def _zones(table: Mapping[str, list[str]]) -> dict[str, tuple[Zone, ...]]:
    return {folded(name): tuple(map(_zone, meanings)) for name, meanings in table.items()}


def _zone(meaning: str) -> Zone:
    if meaning[0] not in "+-":
        return meaning
    seconds = int(meaning[1:3]) * 3600 + int(meaning[4:6]) * 60
    return -seconds if meaning[0] == "-" else seconds


def _any(names: Iterable[str]) -> re.Pattern[str]:
    """Return a pattern for any of these words where a word ends, longer ones first."""
    ordered = sorted(names, key=len, reverse=True)
    return re.compile(rf"(?:{'|'.join(map(re.escape, ordered))})(?![^\W\d_])", re.IGNORECASE)


@functools.cache
def _regions() -> dict[str, str]:
    return {name.casefold(): name for name in zoneinfo.available_timezones()}


@functools.cache
def region(name: str) -> str | None:
    """Return how the tz database spells the name of a zone; None if it has none of that name.

    >>> region("EUROPE/BERLIN"), region("Mars/Olympus")
    ('Europe/Berlin', None)
    """
    return _regions().get(name.casefold())

"""The readers of the letter: planted ones from ``tables/cases.tsv``, and everybody else.

A plan says what becomes of the weekly letter: ``"1-3 ok; 4-10 bounce:mailbox_full"``. Weeks without a step are ``ok``.
Once an ESP has put an address on its suppression list, the rest of the plan is drops. The steps:

``ok``            delivered
``bounce:X``      refused with a reply X of ``tables/replies.tsv``, or in the ESP's own words where no server answers
``copied:X``      the same, and the webhook reports it eight times
``defer:X``       refused with X at first, delivered on a later attempt
``expire:X``      refused with X until the ESP gave up
``late:X``        delivered, then returned by a report of its own
``autoreply``     delivered, and an automatic answer came back
``complain``      delivered, then reported as spam
``unsubscribe``   delivered, then unsubscribed
``stop``          not written to this week
``move:X``        from now on written to through ESP X
``listed:X``      (the whole plan) on the ESP's suppression list X before the story begins
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from samples.chance import Chance
from samples.tables import PROVIDERS, Case, Domain, cases, domains, episodes, names, notes

if TYPE_CHECKING:
    from collections.abc import Iterator

PEOPLE = 2487
WEEKLY_READERS = 40  # of those to whom nothing is planned
WEEKS = range(1, 11)


@dataclass(frozen=True)
class Person:
    """One reader.

    ``address`` is as the list writes it; ESPs see :attr:`wire_address`. ``plan`` maps a week to a step of a case.
    """

    address: str
    first: str
    last: str
    town: str
    company: str
    note: str
    signed_up: dt.date
    domain: Domain
    provider: str
    weeks: tuple[int, ...]
    reads: float
    plan: dict[int, str] = field(default_factory=dict)
    case: Case | None = None
    listed: str = ""
    household: tuple[str, ...] = ()

    @property
    def wire_address(self) -> str:
        """The address with its domain in ASCII form."""
        return f"{self.address.rpartition('@')[0]}@{self.domain.wire}"


def read_plan(plan: str) -> dict[int, str]:
    """Turn ``"1-2 ok; 3 bounce:spam"`` into a step for each week."""
    steps = {}
    for part in filter(None, (piece.strip() for piece in plan.split(";"))):
        span, step = part.split(" ")
        first, _, last = span.partition("-")
        steps.update(dict.fromkeys(range(int(first), int(last or first) + 1), step))
    return steps


_PLAIN = str.maketrans(
    {"ß": "ss", "ł": "l", "Ł": "L", "\N{LATIN SMALL LETTER DOTLESS I}": "i", "ø": "o", "'": "", " ": ""}
)


def _ascii(name: str) -> str:
    return unicodedata.normalize("NFKD", name.translate(_PLAIN)).encode("ascii", "ignore").decode()


class Census:
    """Makes people and sees to it that no two share an address."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def person(self, key: str, domain: Domain, provider: str, weeks: tuple[int, ...], reads: float) -> Person:
        """Return a new reader of a domain."""
        chance = Chance("person", key)
        locale = names()[domain.locale]
        first, last = chance.pick(locale.first), chance.pick(locale.last)
        return Person(
            address=f"{self._local(chance, first, last, domain)}@{domain.name}",
            first=first,
            last=last,
            town=chance.pick(locale.towns),
            company=chance.pick(notes("company")) if chance.happens(0.4) else "",
            note=chance.pick(notes("note")) if chance.happens(0.1) else "",
            signed_up=dt.date(2019, 3, 1) + dt.timedelta(days=chance.whole(0, 2680)),
            domain=domain,
            provider=provider,
            weeks=weeks,
            reads=reads,
        )

    def _local(self, chance: Chance, first: str, last: str, domain: Domain) -> str:
        f, n = _ascii(first).lower(), _ascii(last).lower()
        shapes = (f"{f}.{n}", f"{f[0]}.{n}", f"{f}{n}", f"{n}.{f}", f"{f}_{n}", f"{f}.{n}+letters")
        local = chance.weighted(dict(zip(shapes, (50, 16, 14, 8, 8, 1), strict=True)))
        while f"{local}@{domain.name}" in self._taken:
            local = re.sub(r"\d*$", "", local) + str(chance.whole(2, 99))
        self._taken.add(f"{local}@{domain.name}")
        if chance.happens(0.012):  # some sign up with capitals
            local = ".".join(part.capitalize() for part in local.split("."))
        return local


def monthly(place: int) -> tuple[int, ...]:
    """Return the weeks in which a reader of the monthly edition is written to."""
    return tuple(week for week in WEEKS if (week - 1) % 4 == place % 4)


def _home(case: Case, place: int, key: str) -> Domain:
    """Return where a planted reader lives."""
    if case.domains:
        return domains()[case.domains[place % len(case.domains)]]
    anywhere = {domain: domain.weight for domain in domains().values() if domain.weight}
    if case.name == "dead_mailbox":
        # every server style and language speaks at least twice, the rest falls where readers are
        every = [domain for domain in anywhere if domain.weight > 5]
        return (
            every[place % len(every)] if place < 2 * len(every) else Chance("where", key).weighted(anywhere)
        )
    struck = {name for episode in episodes() if episode.share > 0.5 for name in episode.case.domains}
    calm = {domain: weight for domain, weight in anywhere.items() if domain.name not in struck}
    return Chance("where", key).weighted(calm)


def _planted(census: Census) -> Iterator[Person]:
    for number, case in enumerate(cases()):
        for place in range(case.people):
            key = f"{case.name}-{place}"
            provider = case.providers[(place + number) % len(case.providers)]
            plan = case.plans[place // len(case.providers) % len(case.plans)]
            weeks = tuple(WEEKS) if case.weekly else monthly(place)
            person = census.person(key, _home(case, place, key), provider, weeks, case.reads)
            if plan.startswith("listed:"):
                yield replace(person, case=case, listed=plan.removeprefix("listed:"))
            else:
                yield replace(person, case=case, plan=read_plan(plan))


def _others(census: Census, count: int) -> Iterator[Person]:
    anywhere = {domain: domain.weight for domain in domains().values() if domain.weight}
    for place in range(count):
        chance = Chance("other", place)
        domain = chance.weighted(anywhere)
        weeks = tuple(WEEKS) if place < WEEKLY_READERS else monthly(place)
        reads = 0.0 if chance.happens(0.42) else chance.between(0.05, 0.45)
        person = census.person(f"other-{place}", domain, PROVIDERS[place % len(PROVIDERS)], weeks, reads)
        if domain.greylists and chance.happens(0.4):
            person = replace(person, plan=dict.fromkeys(weeks, "defer:greylisted"))
        yield _struck(person, chance)


def _struck(person: Person, chance: Chance) -> Person:
    """Put a reader into the episode that strikes the domain, and have the letter sent again a week later."""
    for episode in episodes():
        if (
            person.domain.name in episode.case.domains
            and episode.week in person.weeks
            and chance.happens(episode.share)
        ):
            again = {episode.week + 1} if episode.step.startswith("bounce") else set()
            weeks = tuple(sorted({*person.weeks, *again}))
            return replace(
                person, plan={**person.plan, episode.week: episode.step}, case=episode.case, weeks=weeks
            )
    return person


def _households(people: list[Person]) -> list[Person]:
    """Let some couples at one ESP share a subscription: one message, two addresses of one domain.

    The second of a couple stays on the list and gets no letter alone.
    """
    single: dict[str, list[Person]] = {}
    for person in people:
        if person.case is None and person.provider == "ses" and len(person.weeks) < 6:
            single.setdefault(person.domain.name, []).append(person)
    couples = [(found[0], found[1]) for found in single.values() if len(found) > 1][:6]
    shares = {one.address: two.wire_address for one, two in couples}
    rides = {two.address for _, two in couples}
    return [
        replace(person, household=(shares[person.address],), reads=0.0) if person.address in shares
        else replace(person, weeks=(), plan={}) if person.address in rides
        else person
        for person in people
    ]  # fmt: skip


def everybody() -> list[Person]:
    """Return all readers in the order of the list."""
    census = Census()
    planted = list(_planted(census))
    people = planted + _households(list(_others(census, PEOPLE - len(planted))))
    return Chance("order of the list").shuffled(people)

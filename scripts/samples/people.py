"""The readers of the letter: planted ones from :mod:`samples.cases`, and everybody else."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from samples.cases import ALL, CASES, EPISODES, Case
from samples.chance import Chance
from samples.world import COMPANIES, COMPANY_DOMAINS, DOMAINS, LOCALES, NOTES, PROVIDER_DOMAINS, Domain

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
        return on_the_wire(self.address)


def on_the_wire(address: str) -> str:
    """Return the address with its domain in ASCII form."""
    local, _, domain = address.rpartition("@")
    return f"{local}@{domain.encode('idna').decode()}"


def read_plan(plan: str) -> dict[int, str]:
    """Turn ``"1-2 ok; 3 bounce:spam"`` into a step for each week."""
    steps = {}
    for part in filter(None, (piece.strip() for piece in plan.split(";"))):
        if part.startswith("listed:"):
            continue
        span, step = part.split(" ")
        first, _, last = span.partition("-")
        steps.update(dict.fromkeys(range(int(first), int(last or first) + 1), step))
    return steps


_PLAIN = str.maketrans({"ß": "ss", "ł": "l", "Ł": "L", "ı": "i", "ø": "o", "'": "", " ": ""})


def _ascii(name: str) -> str:
    return unicodedata.normalize("NFKD", name.translate(_PLAIN)).encode("ascii", "ignore").decode()


class Census:
    """Makes people and sees to it that no two share an address."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def person(self, key: str, domain: Domain, provider: str, weeks: tuple[int, ...], reads: float) -> Person:
        chance = Chance("person", key)
        locale = LOCALES[domain.locale]
        first, last = chance.pick(locale.first), chance.pick(locale.last)
        return Person(
            address=f"{self._local(chance, first, last, domain)}@{domain.name}",
            first=first,
            last=last,
            town=chance.pick(locale.towns),
            company=chance.pick(COMPANIES),
            note=chance.pick(NOTES),
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


def _planted(census: Census) -> Iterator[Person]:
    anywhere = {d: d.weight for d in PROVIDER_DOMAINS + COMPANY_DOMAINS if d.weight}
    calm = {d: weight for d, weight in anywhere.items() if d.name != "postbox.example"}  # its blocked week tells a story of its own
    for number, case in enumerate(CASES):
        for place in range(case.people):
            key = f"{case.name}-{place}"
            if case.domains:
                domain = DOMAINS[case.domains[place % len(case.domains)]]
            elif case.name == "dead_mailbox":
                # every server style and language speaks at least twice, the rest falls where readers are
                every = [d for d in anywhere if d.weight > 5]
                domain = every[place % len(every)] if place < 2 * len(every) else Chance("where", key).weighted(anywhere)
            else:
                domain = Chance("where", key).weighted(calm)
            provider = case.providers[(place + number) % len(case.providers)]
            plan = case.plans[place // len(case.providers) % len(case.plans)]
            weeks = tuple(WEEKS) if case.weekly else monthly(place)
            listed = plan.removeprefix("listed:") if plan.startswith("listed:") else ""
            person = census.person(key, domain, provider, weeks, case.reads)
            yield replace(person, plan=read_plan(plan), case=case, listed=listed)


def _others(census: Census, count: int) -> Iterator[Person]:
    anywhere = {d: d.weight for d in PROVIDER_DOMAINS + COMPANY_DOMAINS}
    for place in range(count):
        chance = Chance("other", place)
        domain = chance.weighted(anywhere)
        weeks = tuple(WEEKS) if place < WEEKLY_READERS else monthly(place)
        reads = 0.0 if chance.happens(0.42) else chance.between(0.05, 0.45)
        person = census.person(f"other-{place}", domain, ALL[place % 3], weeks, reads)
        if domain.greylists and chance.happens(0.4):
            person = replace(person, plan=dict.fromkeys(weeks, "defer:greylisted"))
        yield _struck(person, chance)


def _struck(person: Person, chance: Chance) -> Person:
    """Put a reader into the episode that strikes the domain, and have the letter sent again a week later."""
    for episode in EPISODES:
        if person.domain.name in episode.case.domains and episode.week in person.weeks and chance.happens(episode.share):
            again = {episode.week + 1} if episode.step.startswith("bounce") else set()
            weeks = tuple(sorted({*person.weeks, *again}))
            return replace(person, plan={**person.plan, episode.week: episode.step}, case=episode.case, weeks=weeks)
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

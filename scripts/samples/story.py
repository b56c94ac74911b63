"""What happened, week by week, in words that belong to no ESP."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from samples.chance import Chance, token
from samples.tables import labels, replies

if TYPE_CHECKING:
    from collections.abc import Iterator

    from samples.people import Person
    from samples.tables import Domain

FIRST_MONDAY = dt.datetime(2026, 9, 7, 6, 0, tzinfo=dt.UTC)
FIRST_ISSUE = 211
SENDER = "letter@slackwater.example"
SENDING_IPS = {
    "sendgrid": ("198.51.100.24", "198.51.100.25"),
    "ses": ("198.51.100.61", "198.51.100.62"),
    "mailgun": ("198.51.100.110", "198.51.100.111"),
}
COPIED = "copied"  # marks a bounce that the webhook reports again and again
SECOND, MINUTE, HOUR = 1000, 60_000, 3_600_000

#: When each ESP tries again, and when it gives up (milliseconds after the first try).
PATIENCE = {
    "sendgrid": ((2 * SECOND, 15 * MINUTE, 6 * HOUR, 30 * HOUR), 71 * HOUR),
    "ses": ((5 * MINUTE, 4 * HOUR), 14 * HOUR),
    "mailgun": ((3 * SECOND, 10 * MINUTE, 30 * MINUTE, 2 * HOUR), 8 * HOUR),
}


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to one message. Times are milliseconds since 1970."""

    provider: str
    kind: str  # delivered deferred bounced dropped complained unsubscribed opened clicked autoreply
    recipients: tuple[str, ...]
    destination: tuple[str, ...]
    domain: Domain
    week: int
    sent: int
    time: int
    cause: str = ""
    reply: str = ""
    attempt: int = 1
    final: str = ""  # expired: retries used up; late: came back after delivery
    detail: str = ""
    sending_ip: str = ""

    @property
    def message(self) -> str:
        """The key of the message, from which each ESP makes its own id."""
        return f"{self.provider}/{self.destination[0]}/{self.week}"

    @property
    def key(self) -> str:
        """What tells this event from all others."""
        return f"{self.message}/{self.kind}/{self.attempt}/{self.final}/{self.detail}/{self.recipients[0]}"


@dataclass(frozen=True, slots=True)
class Listed:
    """An entry of an ESP's suppression list."""

    provider: str
    name: str  # bounce block invalid complaint unsubscribe
    address: str
    time: int
    cause: str = ""
    reply: str = ""
    sending_ip: str = ""


def reply(cause: str, address: str, domain: Domain, sending_ip: str, when: int, variant: str) -> str:
    """Return what the server of the domain answers; empty where no server answers."""
    cause = cause.removesuffix("_listed")
    options = replies().get((cause, domain.style)) or replies().get((cause, "*"))
    if options is None:
        return ""
    return (
        Chance("reply", cause, variant)
        .pick(options)
        .format(
            address=address,
            local=address.partition("@")[0],
            domain=domain.wire,
            host=domain.mx,
            ip=sending_ip,
            sender=SENDER,
            id=token("queue", address, when, length=14).replace("_", "x").replace("-", "y"),
            url=f"https://postmaster.{domain.wire}/help",
            epoch=when // SECOND,
        )
    )


def monday(week: int) -> int:
    return int((FIRST_MONDAY + dt.timedelta(weeks=week - 1)).timestamp() * 1000)


class Telling:
    """Lets the weeks pass for one reader."""

    def __init__(self, person: Person, lists: list[Listed]) -> None:
        self.person = person
        self.provider = person.provider
        self.lists = lists
        self.listed = person.listed
        if person.listed:
            long_ago = monday(1) - Chance("listed", person.address).whole(30, 500) * 24 * HOUR
            self._enlist(person.listed, long_ago, "unknown_user", listing_text(person))

    def events(self) -> Iterator[Event]:
        """Return what happened to the letters."""
        for week in self.person.weeks:
            step = self.person.plan.get(week, "ok")
            if step.startswith("move:"):
                self.provider, self.listed, step = step.removeprefix("move:"), "", "ok"
            if step != "stop":
                yield from self._week(week, step)

    def _week(self, week: int, step: str) -> Iterator[Event]:
        person, chance = self.person, Chance("week", self.person.address, week)
        sent = monday(week) + chance.whole(0, 45 * MINUTE)
        destination = (person.wire_address, *person.household)
        event = Event(
            provider=self.provider,
            kind="delivered",
            recipients=destination,
            destination=destination,
            domain=person.domain,
            week=week,
            sent=sent,
            time=sent + chance.whole(700, 9 * SECOND),
            sending_ip=chance.pick(SENDING_IPS[self.provider]),
        )
        if self.listed:
            yield replace(event, kind="dropped", cause=self.listed, time=sent + chance.whole(100, 900))
            return
        action, _, cause = step.partition(":")
        yield from getattr(self, f"_{action}")(event, cause, chance)

    def _ok(self, event: Event, _cause: str, chance: Chance) -> Iterator[Event]:
        event = self._said(replace(event, kind="delivered", final=""), "delivered")
        yield event
        if chance.happens(self.person.reads):
            # most readers open within a day; nobody later than Thursday
            opened = event.time + int(MINUTE * 10 ** chance.between(0.3, 3.55))
            machine = "machine" if chance.happens(0.15) else ""
            yield replace(event, kind="opened", time=opened, reply="", detail=machine)
            if chance.happens(0.16):
                yield replace(
                    event,
                    kind="clicked",
                    time=opened + chance.whole(4, 180) * SECOND,
                    reply="",
                    detail=chance.pick(LINKS),
                )

    def _bounce(self, event: Event, cause: str, _chance: Chance) -> Iterator[Event]:
        event = self._said(replace(event, kind="bounced"), cause)
        yield event
        self._after_bounce(event)

    def _copied(self, event: Event, cause: str, chance: Chance) -> Iterator[Event]:
        yield from self._bounce(replace(event, detail=COPIED), cause, chance)

    def _defer(self, event: Event, cause: str, chance: Chance) -> Iterator[Event]:
        waits = PATIENCE[self.provider][0][: chance.whole(1, 2)]
        for attempt, wait in enumerate(waits, 1):
            yield self._said(replace(event, kind="deferred", attempt=attempt, time=event.sent + wait), cause)
        later = replace(
            event, attempt=len(waits) + 1, time=event.sent + waits[-1] + chance.whole(10, 30) * MINUTE
        )
        yield from self._ok(later, "", chance)

    def _expire(self, event: Event, cause: str, chance: Chance) -> Iterator[Event]:
        waits, end = PATIENCE[self.provider]
        for attempt, wait in enumerate(waits, 1):
            yield self._said(replace(event, kind="deferred", attempt=attempt, time=event.sent + wait), cause)
        end += chance.whole(0, 90) * SECOND
        last = self._said(
            replace(event, kind="bounced", attempt=len(waits) + 1, time=event.sent + end, final="expired"),
            cause,
        )
        yield last
        self._after_bounce(last)

    def _late(self, event: Event, cause: str, chance: Chance) -> Iterator[Event]:
        yield self._said(event, "delivered")
        event = self._said(
            replace(event, kind="bounced", time=event.time + chance.whole(40, 900) * MINUTE, final="late"),
            cause,
        )
        yield event
        self._after_bounce(event)

    def _autoreply(self, event: Event, _cause: str, chance: Chance) -> Iterator[Event]:
        yield self._said(event, "delivered")
        yield replace(event, kind="autoreply", time=event.time + chance.whole(20, 90) * SECOND)

    def _complain(self, event: Event, _cause: str, chance: Chance) -> Iterator[Event]:
        yield self._said(event, "delivered")
        event = replace(event, kind="complained", time=event.time + chance.whole(30, 1500) * MINUTE)
        yield event
        self._enlist("complaint", event.time, sending_ip=event.sending_ip)

    def _unsubscribe(self, event: Event, _cause: str, chance: Chance) -> Iterator[Event]:
        yield self._said(event, "delivered")
        opened = event.time + chance.whole(5, 2000) * MINUTE
        yield replace(event, kind="opened", time=opened)
        event = replace(event, kind="unsubscribed", time=opened + chance.whole(10, 90) * SECOND)
        yield event
        self._enlist("unsubscribe", event.time)

    def _said(self, event: Event, cause: str) -> Event:
        address = event.recipients[0]
        # a server says the same every week, only a host in trouble changes its words
        variant = f"{address}/{event.week}" if cause.startswith("system_full") else address
        said = reply(cause, address, event.domain, event.sending_ip, event.time, variant)
        return replace(event, cause="" if cause == "delivered" else cause, reply=said)

    def _after_bounce(self, event: Event) -> None:
        name = "" if event.final == "expired" else labels()[event.cause].list_for(self.provider)
        if name:
            self._enlist(name, event.time, event.cause, event.reply)
        elif self.provider == "sendgrid":
            self.lists.append(
                Listed("sendgrid", "block", event.recipients[0], event.time, event.cause, event.reply)
            )

    def _enlist(self, name: str, time: int, cause: str = "", reply: str = "", sending_ip: str = "") -> None:
        self.listed = name
        self.lists.append(
            Listed(self.provider, name, self.person.wire_address, time + 500, cause, reply, sending_ip)
        )


LINKS = tuple(
    f"https://www.slackwater.example/{page}"
    for page in ("tides", "charts/3", "letters", "boats?ref=letter", "harbours/a-z")
)


def reader_ip(chance: Chance) -> str:
    """Return the address from which a reader opened the letter."""
    number = chance.whole(1, 254)
    return f"2001:db8:{number:x}::{number + 7:x}" if chance.happens(0.2) else f"192.0.2.{number}"


def listing_text(person: Person) -> str:
    """Return the reply that once put a reader on the bounce list."""
    return reply(
        "unknown_user",
        person.wire_address,
        person.domain,
        SENDING_IPS[person.provider][0],
        monday(1),
        person.address,
    )


def tell(people: list[Person]) -> tuple[list[Event], list[Listed]]:
    """Return every event in order of time, and the suppression lists at the end."""
    lists: list[Listed] = []
    events = [event for person in people for event in Telling(person, lists).events()]
    events += list(_households_with_trouble(events))
    newest = {
        (entry.provider, entry.name, entry.address): entry for entry in sorted(lists, key=lambda e: e.time)
    }
    return sorted(events, key=lambda e: (e.time, e.key)), sorted(
        newest.values(), key=lambda e: (e.time, e.address)
    )


def _households_with_trouble(events: list[Event]) -> Iterator[Event]:
    """One of a couple is out of the office: the letter reached both, the answer names one."""
    shared = [e for e in events if len(e.recipients) > 1 and e.kind == "delivered"]
    for event in sorted(shared, key=lambda e: (e.time, e.key))[:3]:
        yield replace(
            event, kind="autoreply", recipients=event.recipients[1:], time=event.time + 40 * SECOND, reply=""
        )

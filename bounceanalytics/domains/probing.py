"""Finding out about many domains at once: what is in the cache is not asked for, what is found out goes there at once.

One event loop asks name servers, mail servers and registries. A mail server that many domains share is greeted once,
and its addresses are connected to a few times at once at most. An interrupt loses nothing that was found out, a crash
what was found out within the last second.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import itertools
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol, TypeVar, cast

from bounceanalytics.domains.asking import Asker
from bounceanalytics.domains.cache import DomainCache
from bounceanalytics.domains.facts import Answers, Facts
from bounceanalytics.domains.known_hosts import known_hosts
from bounceanalytics.domains.names import problem_of
from bounceanalytics.domains.registering import Registries

if TYPE_CHECKING:
    import os
    from collections.abc import AsyncIterator, Callable, Coroutine, Sequence

    from bounceanalytics.domains.facts import Greeting, Host, Registration

    Progress = Callable[[str, int, int], None]

_Result = TypeVar("_Result")

#: Levels of a check.
LEVELS = ("dns", "greeting", "rdap")
#: Mail servers of a domain that are tried until one greets.
_MOST_TRIED = 5
#: Domains, and seconds, after which what was found out is written.
_BATCH, _EVERY = 200, 1.0
#: What progress is called.
STEP = "checking domains"


class Greeter(Protocol):
    """What talks to mail servers."""

    async def greet(self, host: Host, *, timeout: float, private: bool, port: int = 25) -> Greeting:
        """Return what became of a connection to one of its addresses."""

    async def can_connect(self, *, timeout: float) -> str:
        """Return the sentence that port 25 is closed here, else nothing."""

    def verdict_of(self, greeting: Greeting) -> str:
        """Return the reason that a refusal gives, or ``us``."""


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
    """

    levels: frozenset[str]
    resolvers: tuple[tuple[str, int], ...]
    cache: str | os.PathLike[str]
    max_age: timedelta
    timeout: float
    at_once: int
    per_host: int
    private: bool = False
    every_host: bool = False

    def means(self, facts: Facts) -> str:
        """Return by which means facts were found out that this plan found."""
        greeting = "greeting" in self.levels and not facts.closed
        rdap = "rdap" in self.levels and facts.registration is not None
        return _means(self._greetings if greeting else "", rdap=rdap, private=self.private)

    def enough(self) -> list[str]:
        """Return the means by which facts were found out that this plan need not ask for again."""
        greetings = ["", "greeting", "greetings"]
        first = greetings.index(self._greetings if "greeting" in self.levels else "")
        registries = (True,) if "rdap" in self.levels else (False, True)
        networks = (self.private,) if first else (False, True)
        every = itertools.product(greetings[first:], registries, networks)
        return list(dict.fromkeys(_means(one, rdap=rdap, private=private) for one, rdap, private in every))

    @property
    def _greetings(self) -> str:
        return "greetings" if self.every_host else "greeting"


class Prober:
    """Finds out about domains, as a plan says.

    Parameters
    ----------
    plan : Plan
    progress : callable, optional
        Called with a description, the domains done and those in total.
    """

    def __init__(self, plan: Plan, progress: Progress | None = None) -> None:
        self._plan = plan
        self._progress = progress
        self._asker = Asker(plan.resolvers, timeout=plan.timeout, at_once=plan.at_once)
        self._greeter: Greeter | None = None
        self._closed = ""
        self._connections = asyncio.Semaphore(plan.at_once)
        self._addresses: defaultdict[str, asyncio.Semaphore] = defaultdict(
            lambda: asyncio.Semaphore(plan.per_host)
        )
        self._greetings: dict[str, asyncio.Task[Greeting]] = {}

    async def find_out(self, domains: Sequence[str]) -> dict[str, Facts]:
        """Return the facts of each domain; not of those that are no names, or where there is no network."""
        named = [domain for domain in domains if not problem_of(domain)]
        with DomainCache(self._plan.cache) as cache:
            found = cache.read(named, self._plan.enough(), at=datetime.now(UTC), max_age=self._plan.max_age)
            left = [domain for domain in named if domain not in found]
            total = len(domains)
            self._tell(total - len(left), total)
            if left and await self._asker.look_for_network():
                await self._prepare()
                with _Fresh(cache, self._plan) as fresh:
                    async with self._registries() as registries:
                        await self._all(left, registries, found, fresh, total)
        return found

    async def _prepare(self) -> None:
        if "greeting" in self._plan.levels:
            self._greeter = load_greeter()
            self._closed = await self._greeter.can_connect(timeout=self._plan.timeout)

    @contextlib.asynccontextmanager
    async def _registries(self) -> AsyncIterator[Registries | None]:
        if "rdap" not in self._plan.levels:
            yield None
            return
        async with Registries.open(self._plan.timeout) as registries:
            yield registries

    async def _all(
        self,
        domains: list[str],
        registries: Registries | None,
        found: dict[str, Facts],
        fresh: _Fresh,
        total: int,
    ) -> None:
        """Find out about domains, so many at once; also those that others are waited for."""
        left = iter(domains)
        done = total - len(domains)

        async def work() -> None:
            nonlocal done
            for domain in left:
                facts = fresh.cache.confirmed(await self._one(domain, registries))
                if facts.answers.rcode != "OFFLINE":
                    found[domain] = facts
                    fresh.add(domain, facts)
                done += 1
                self._tell(done, total)

        workers = [asyncio.ensure_future(work()) for _ in range(min(self._plan.at_once, len(domains)))]
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)

    async def _one(self, domain: str, registries: Registries | None) -> Facts:
        answers, registration = await asyncio.gather(
            self._asker.answers(domain), self._registration(domain, registries)
        )
        hosts = _to_greet(answers) if self._greeter else []
        closed = self._closed if hosts else ""
        greetings = [] if closed else await self._greet_in_turn(hosts)
        return Facts(answers, tuple(greetings), closed, registration, datetime.now(UTC))

    async def _registration(self, domain: str, registries: Registries | None) -> Registration | None:
        return await registries.registration(domain) if registries else None

    async def _greet_in_turn(self, hosts: list[Host]) -> list[Greeting]:
        """Greet mail servers as one who has a message would: the next one where the one before does not answer."""
        greetings = []
        for host in hosts[: None if self._plan.every_host else _MOST_TRIED]:
            task = self._greetings.get(host.name)
            if task is None:
                task = self._greetings[host.name] = asyncio.ensure_future(self._greet(host))
            greeting = await asyncio.shield(task)
            greetings.append(greeting)
            if greeting.outcome == "greeted" and not self._plan.every_host:
                break
        return greetings

    async def _greet(self, host: Host) -> Greeting:
        greeter = self._greeter
        assert greeter is not None  # noqa: S101 - hosts are greeted only where there is one
        async with contextlib.AsyncExitStack() as limits:
            # in one order for all, or two hosts could wait for each other
            for address in sorted(set(host.addresses)):
                await limits.enter_async_context(self._addresses[address])
            await limits.enter_async_context(self._connections)
            greeting = await greeter.greet(host, timeout=self._plan.timeout, private=self._plan.private)
        if greeting.outcome != "refused":
            return greeting
        return replace(greeting, verdict=greeter.verdict_of(greeting))

    def _tell(self, done: int, total: int) -> None:
        if self._progress:
            self._progress(STEP, done, total)


class _Fresh:
    """What was found out and is not in the cache yet; it goes there every second, and at the end, whatever ends it."""

    def __init__(self, cache: DomainCache, plan: Plan) -> None:
        self.cache = cache
        self._plan = plan
        self._facts: defaultdict[str, dict[str, Facts]] = defaultdict(dict)
        self._number = 0
        self._written = time.monotonic()

    def __enter__(self) -> _Fresh:
        return self

    def __exit__(self, *_: object) -> None:
        self._write()

    def add(self, domain: str, facts: Facts) -> None:
        self._facts[self._plan.means(facts)][domain] = facts
        self._number += 1
        if self._number >= _BATCH or time.monotonic() - self._written > _EVERY:
            self._write()

    def _write(self) -> None:
        while self._facts:
            means, facts = self._facts.popitem()
            self.cache.write(facts, means)
        self._number, self._written = 0, time.monotonic()


def find_out(domains: Sequence[str], plan: Plan, progress: Progress | None = None) -> dict[str, Facts]:
    """Return the facts of domains, as :meth:`Prober.find_out` does, from where no event loop may be told to wait."""

    async def work() -> dict[str, Facts]:
        return await Prober(plan, progress).find_out(domains)

    return run(work)


def run(work: Callable[[], Coroutine[object, object, _Result]]) -> _Result:
    """Return what a coroutine returns; where a loop is running already, as in a notebook, by a thread of its own.

    Examples
    --------
    >>> async def answer():
    ...     return 42
    >>> run(answer)
    42
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work())
    return _run_in_thread(work)


def load_greeter() -> Greeter:
    """Return what talks to mail servers; loaded on use, as it needs the classifier."""
    return cast("Greeter", importlib.import_module("bounceanalytics.domains.greeting"))


def _run_in_thread(work: Callable[[], Coroutine[object, object, _Result]]) -> _Result:
    results: list[_Result] = []
    errors: list[BaseException] = []
    started = threading.Event()
    inside: list[tuple[asyncio.AbstractEventLoop, asyncio.Task[_Result]]] = []

    async def tracked() -> _Result:
        task = asyncio.ensure_future(work())
        inside.append((asyncio.get_running_loop(), task))
        started.set()
        return await task

    def target() -> None:
        try:
            results.append(asyncio.run(tracked()))
        except BaseException as error:  # told to whoever waits
            errors.append(error)
        finally:
            started.set()

    thread = threading.Thread(target=target, name="bounceanalytics-domains", daemon=True)
    thread.start()
    try:
        thread.join()
    except BaseException:
        # an interrupt reaches who waits, and must reach those who work
        started.wait()
        for loop, task in inside:
            with contextlib.suppress(RuntimeError):  # it has ended meanwhile
                loop.call_soon_threadsafe(task.cancel)
        thread.join()
        raise
    if errors:
        raise errors[0]
    return results[0]


def _to_greet(answers: Answers) -> list[Host]:
    """Return the mail servers that there is something to learn from."""
    known = known_hosts()
    if answers.rcode != "NOERROR" or answers.null_mx or known.parker_of(answers.name_servers):
        return []
    hosts = [host for host in answers.hosts if host.addresses and not known.means_no_mail(host.name)]
    return [] if known.parker_of_mail(host.name for host in hosts) else hosts


def _means(greetings: str, *, rdap: bool, private: bool) -> str:
    words = ("dns", greetings, "rdap" if rdap else "", "private" if greetings and private else "")
    return " ".join(filter(None, words))

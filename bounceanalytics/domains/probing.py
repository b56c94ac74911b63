"""Finding out about many domains at once: what is in the cache is not asked for, what is found out goes there at once.

One event loop asks name servers, mail servers and registries. A mail server that many domains share is greeted once,
and its addresses are connected to a few times at once at most. An interrupt loses nothing that was found out, a crash
what was found out within the last second.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import threading
import time
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar, cast

from bounceanalytics.domains.asking import Asker
from bounceanalytics.domains.cache import DomainCache
from bounceanalytics.domains.facts import Facts
from bounceanalytics.domains.known_hosts import known_hosts
from bounceanalytics.domains.names import problem_of
from bounceanalytics.domains.registering import Registries

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping, Sequence

    import pandas as pd

    from bounceanalytics.domains.facts import Answers, Greeting, Host, Registration
    from bounceanalytics.domains.plans import Plan, Progress

    Finished = Callable[[Mapping[str, Facts]], None]

_Result = TypeVar("_Result")

#: Mail servers of a domain that are tried until one greets.
_MOST_TRIED = 5
#: Domains, and seconds, after which what was found out is written.
_BATCH, _EVERY = 200, 1.0
#: What progress is called.
STEP, GREETING_STEP = "checking domains", "greeting mail servers"
#: Files that may be open beside the connections: the cache, what is loaded on use, and whatever else a program does.
_KEPT_FREE = 64
#: A mail server takes more time than a name server: many let those wait whom they do not know.
_PATIENCE = 5


class Greeter(Protocol):
    """What talks to mail servers."""

    async def greet(self, host: Host, *, timeout: float, private: bool) -> Greeting:
        """Return what became of a connection to one of its addresses."""

    async def can_connect(self, hosts: Iterable[Host], *, timeout: float, private: bool) -> str:
        """Return a sentence that says so if nobody can be connected to from here, else nothing."""

    def meaning_of(self, greetings: Sequence[Greeting]) -> pd.DataFrame:
        """Return what replies mean, with the columns ``tells``, ``reason`` and ``enhanced_code``."""


class Prober:
    """Finds out about domains, as a plan says.

    Parameters
    ----------
    plan : Plan
    progress : callable, optional
        Called with a description, the domains done and those in total.
    finished : callable, optional
        Called with facts of domains on which everything is found out that the plan asks for, some at a time, whatever
        ends the work; not with those that are in the cache.
    """

    def __init__(
        self, plan: Plan, progress: Progress | None = None, finished: Finished | None = None
    ) -> None:
        self._plan = plan
        self._progress = progress
        self._finished = finished
        at_once = min(plan.at_once, _most_connections())
        self._asker = Asker(plan.resolvers, timeout=plan.timeout, at_once=at_once, doubtful=plan.doubtful)
        self._connections = asyncio.Semaphore(at_once)
        self._addresses: defaultdict[str, asyncio.Semaphore] = defaultdict(
            lambda: asyncio.Semaphore(plan.per_host)
        )
        self._greetings: dict[str, asyncio.Task[Greeting]] = {}

    async def find_out(self, domains: Sequence[str]) -> dict[str, Facts]:
        """Return the facts of each domain; not of those that are no names, or where there is no network."""
        plan = self._plan
        named = [domain for domain in domains if not problem_of(domain)]
        with DomainCache(plan.cache) as cache:

            def read(names: list[str], *, greeted: bool) -> dict[str, Facts]:
                return cache.read(
                    names, plan.enough(greeted=greeted), at=datetime.now(UTC), max_age=plan.max_age
                )

            found = read(named, greeted=plan.greets)
            ungreeted = [domain for domain in named if domain not in found]
            if plan.greets:
                found |= read(ungreeted, greeted=False)
            left = [domain for domain in named if domain not in found]
            self._tell(STEP, len(domains) - len(left), len(domains))
            if not ungreeted or (left and not await self._asker.look_for_network()):
                return found
            if left:
                await self._ask(left, found, cache, len(domains))
            if plan.greets and not self._asker.offline:
                await self._greet([domain for domain in ungreeted if domain in found], found, cache)
        return found

    async def _ask(self, domains: list[str], found: dict[str, Facts], cache: DomainCache, total: int) -> None:
        """Find out what name servers and registries say of domains."""
        before = total - len(domains)
        async with self._registries() as registries:
            with _Fresh(cache, None if self._plan.greets else self._finished) as fresh:

                async def work(domain: str) -> None:
                    answers, registration = await asyncio.gather(
                        self._asker.answers(domain), self._registration(domain, registries)
                    )
                    if answers.rcode == "OFFLINE":
                        return
                    facts = Facts(answers, registration=registration, checked_at=datetime.now(UTC))
                    facts = cache.confirmed(facts)
                    found[domain] = facts
                    fresh.add(domain, facts, self._plan.means(facts, greeted=False))

                await self._each(domains, work, lambda done: self._tell(STEP, before + done, total))

    async def _greet(self, domains: list[str], found: dict[str, Facts], cache: DomainCache) -> None:
        """Connect to the mail servers of domains."""
        greeter = load_greeter()
        hosts = {domain: _to_greet(found[domain].answers) for domain in domains}
        different = {host.name: host for some in hosts.values() for host in some}
        closed = await greeter.can_connect(
            different.values(), timeout=self._plan.timeout * _PATIENCE, private=self._plan.private
        )
        if closed:
            found |= {domain: replace(found[domain], closed=closed) for domain, some in hosts.items() if some}
            return
        with _Fresh(cache, self._finished) as fresh:

            async def work(domain: str) -> None:
                greetings = await self._greet_in_turn(hosts[domain], greeter)
                facts = replace(found[domain], greetings=tuple(greetings))
                found[domain] = facts
                fresh.add(domain, facts, self._plan.means(facts, greeted=True))

            await self._each(domains, work, lambda done: self._tell(GREETING_STEP, done, len(domains)))

    async def _each(
        self,
        domains: Sequence[str],
        work: Callable[[str], Coroutine[object, object, None]],
        tell: Callable[[int], None],
    ) -> None:
        """Do work on each of the domains, so many at once."""
        left = iter(domains)
        done = 0

        async def one_by_one() -> None:
            nonlocal done
            for domain in left:
                await work(domain)
                done += 1
                tell(done)

        number = min(self._plan.at_once, len(domains))
        workers = [asyncio.ensure_future(one_by_one()) for _ in range(number)]
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)

    @contextlib.asynccontextmanager
    async def _registries(self) -> AsyncIterator[Registries | None]:
        if "rdap" not in self._plan.levels:
            yield None
            return
        async with Registries.open(self._plan.timeout) as registries:
            yield registries

    async def _registration(self, domain: str, registries: Registries | None) -> Registration | None:
        return await registries.registration(domain) if registries else None

    async def _greet_in_turn(self, hosts: list[Host], greeter: Greeter) -> list[Greeting]:
        """Greet mail servers as one who has a message would: the next one where the one before does not answer."""
        greetings = []
        for host in hosts[: None if self._plan.every_host else _MOST_TRIED]:
            task = self._greetings.get(host.name)
            if task is None:
                task = self._greetings[host.name] = asyncio.ensure_future(self._greet_one(host, greeter))
            greeting = await asyncio.shield(task)
            greetings.append(greeting)
            if greeting.outcome == "greeted" and not self._plan.every_host:
                break
        return greetings

    async def _greet_one(self, host: Host, greeter: Greeter) -> Greeting:
        async with contextlib.AsyncExitStack() as limits:
            # in one order for all, or two hosts could wait for each other
            for address in sorted(set(host.addresses)):
                await limits.enter_async_context(self._addresses[address])
            await limits.enter_async_context(self._connections)
            return await greeter.greet(
                host, timeout=self._plan.timeout * _PATIENCE, private=self._plan.private
            )

    def _tell(self, step: str, done: int, total: int) -> None:
        if self._progress:
            self._progress(step, done, total)


class _Fresh:
    """What was found out and is not in the cache yet; it goes there every second, and at the end, whatever ends it."""

    def __init__(self, cache: DomainCache, finished: Finished | None = None) -> None:
        self._cache = cache
        self._finished = finished
        self._facts: defaultdict[str, dict[str, Facts]] = defaultdict(dict)
        self._number = 0
        self._written = time.monotonic()

    def __enter__(self) -> _Fresh:
        return self

    def __exit__(self, *_: object) -> None:
        self._write()

    def add(self, domain: str, facts: Facts, means: str) -> None:
        self._facts[means][domain] = facts
        self._number += 1
        if self._number >= _BATCH or time.monotonic() - self._written > _EVERY:
            self._write()

    def _write(self) -> None:
        while self._facts:
            means, facts = self._facts.popitem()
            self._cache.write(facts, means)
            if self._finished:
                self._finished(facts)
        self._number, self._written = 0, time.monotonic()


def find_out(
    domains: Sequence[str], plan: Plan, progress: Progress | None = None, finished: Finished | None = None
) -> dict[str, Facts]:
    """Return the facts of domains, as :meth:`Prober.find_out` does, from where no event loop may be told to wait.

    ``finished`` may be called in another thread, while this one waits.
    """

    async def work() -> dict[str, Facts]:
        return await Prober(plan, progress, finished).find_out(domains)

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
    started, ended = threading.Event(), threading.Event()
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
            ended.set()

    threading.Thread(target=target, name="bounceanalytics-domains", daemon=True).start()
    try:
        ended.wait()  # a thread whose join() was interrupted counts as ended, and is not
    except BaseException:
        # an interrupt reaches who waits, and must reach those who work
        started.wait()
        for loop, task in inside:
            with contextlib.suppress(RuntimeError):  # it has ended meanwhile
                loop.call_soon_threadsafe(task.cancel)
        ended.wait()
        raise
    if errors:
        raise errors[0]
    return results[0]


def _most_connections() -> int:
    """Return how many connections there can be at once: a system lets a process open so many files, and each is one."""
    try:
        resource = importlib.import_module("resource")
        open_ones = sum(1 for _ in Path("/dev/fd").iterdir())
    except (ImportError, OSError):  # a system that counts otherwise
        return 2**16
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return 2**16 if most == resource.RLIM_INFINITY else max(1, most - open_ones - _KEPT_FREE)


def _to_greet(answers: Answers) -> list[Host]:
    """Return the mail servers that there is something to learn from."""
    known = known_hosts()
    if answers.rcode != "NOERROR" or answers.null_mx or known.parker_of(answers.name_servers):
        return []
    hosts = [host for host in answers.hosts if host.addresses and not known.means_no_mail(host.name)]
    return [] if known.parker_of_mail(host.name for host in hosts) else hosts

"""Registration of domains, asked for by RDAP: until when it lasts, and whether a domain is on its way out."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
from collections import defaultdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from bounceanalytics.domains.facts import Registration
from bounceanalytics.errors import MissingExtraError
from bounceanalytics.summaries.registrable import registrable_domains

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

#: What stands in the place of states where the registry knows no such domain.
NOT_REGISTERED = "not registered"
#: Questions to one registry at the same time: they ask for patience (RFC 7480, 5.5).
_AT_ONCE = 2
#: Whose address serves best for a complaint.
_CONTACTS = ("abuse", "registrant", "administrative", "technical")


class Registries:
    """Registries that are asked by RDAP, each domain once.

    Parameters
    ----------
    client : DNSClient
        Of whodap, with the list of registries.
    errors : tuple of type
        What it raises where there is no answer.
    timeout : float
        Seconds to wait for an answer.
    """

    def __init__(self, client: Any, errors: tuple[type[Exception], ...], timeout: float) -> None:
        self._client = client
        self._errors = errors
        self._timeout = timeout
        self._limits: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(_AT_ONCE))
        self._asked: dict[str, asyncio.Task[Registration | None]] = {}
        self._busy: set[str] = set()

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, timeout: float, http: Any = None) -> AsyncIterator[Registries | None]:
        """Yield the registries; None where their list cannot be had.

        Parameters
        ----------
        timeout : float
        http : asynchronous client of httpx, optional
            What fetches; one of its own if not given.

        Raises
        ------
        MissingExtraError
            If whodap is not installed.
        """
        try:
            whodap = importlib.import_module("whodap")
            errors = importlib.import_module("whodap.errors")
        except ImportError:
            raise MissingExtraError(
                "asking registries needs whodap; pip install 'bounceanalytics[rdap]'"
            ) from None
        module = importlib.import_module("whodap.client")
        fetching = getattr(module, "httpx2", None) or module.httpx
        # what is no JSON, or JSON of another shape, fails where whodap looks into it
        known = (
            errors.WhodapError,
            NotImplementedError,  # of a top-level domain whose registry has no RDAP
            fetching.HTTPError,
            fetching.InvalidURL,
            OSError,
            ValueError,
            TypeError,
            AttributeError,
            AssertionError,
            RecursionError,
        )
        client = None
        try:
            async with asyncio.timeout(2 * timeout):
                client = await whodap.DNSClient.new_aio_client(http)
        except known:
            yield None
            return
        try:
            yield cls(client, known, timeout)
        finally:
            if http is None:
                await client.aio_close()

    async def registration(self, domain: str) -> Registration | None:
        """Return what is registered of the domain, or of the one above it that can be; None if asking failed."""
        (name,) = registrable_domains([domain])
        task = self._asked.get(name)
        if task is None:
            task = self._asked[name] = asyncio.ensure_future(self._ask(name))
        return await asyncio.shield(task)

    async def _ask(self, name: str) -> Registration | None:
        registry = name.rpartition(".")[2]
        async with self._limits[registry]:
            if registry in self._busy:
                return None
            try:
                async with asyncio.timeout(2 * self._timeout):
                    # whodap asks the registry of the last label
                    answer = await self._client.aio_lookup(name.removesuffix(f".{registry}"), registry)
                return read_registration(answer.to_dict())
            except self._errors as error:
                return self._failed(error, registry)

    def _failed(self, error: Exception, registry: str) -> Registration | None:
        kind = type(error).__name__
        if kind == "NotFoundError":
            return Registration(states=(NOT_REGISTERED,))
        if kind == "NotImplementedError":
            return Registration()  # a registry without RDAP: nobody to ask
        if kind == "RateLimitError":
            self._busy.add(registry)  # whoever goes on asking is shut out
        return None


def read_registration(answer: dict[str, Any]) -> Registration:
    """Return what an answer of RDAP says (RFC 9083, 5.3); what it does not say as it should is left out.

    Examples
    --------
    >>> read_registration(
    ...     {
    ...         "status": ["Pending Delete", "client hold"],
    ...         "events": [{"eventAction": "expiration", "eventDate": "2026-10-01T00:00:00Z"}],
    ...     }
    ... )
    Registration(until=datetime.datetime(2026, 10, 1, 0, 0, tzinfo=datetime.timezone.utc), states=('pending delete', ...
    """
    states = answer.get("status")
    states = states if isinstance(states, list) else [states]
    return Registration(
        _until(answer.get("events")),
        tuple(dict.fromkeys(state.strip().lower() for state in states if isinstance(state, str))),
        _contact(answer.get("entities")),
    )


def _until(events: Any) -> datetime | None:
    for event in events if isinstance(events, list) else ():
        if isinstance(event, dict) and event.get("eventAction") == "expiration":
            date = event.get("eventDate")
            if isinstance(date, str):
                with contextlib.suppress(ValueError):
                    date = datetime.fromisoformat(date)
            if isinstance(date, datetime):
                return date.replace(tzinfo=date.tzinfo or UTC).astimezone(UTC)
    return None


def _contact(entities: Any) -> str:
    found: dict[str, str] = {}
    for roles, card in _cards(entities):
        for role in roles:
            if role in _CONTACTS and (address := _address(card)):
                found.setdefault(role, address)
    return next((found[role] for role in _CONTACTS if role in found), "")


def _cards(entities: Any, depth: int = 0) -> Iterator[tuple[list[Any], Any]]:
    """Yield roles and vCards of entities, and of the entities within them."""
    for entity in entities if isinstance(entities, list) and depth < 4 else ():
        if isinstance(entity, dict):
            roles = entity.get("roles")
            yield roles if isinstance(roles, list) else [], entity.get("vcardArray")
            yield from _cards(entity.get("entities"), depth + 1)


def _address(card: Any) -> str:
    """Return the address of a vCard as JSON (RFC 7095)."""
    if not isinstance(card, list) or len(card) < 2 or not isinstance(card[1], list):
        return ""
    for entry in card[1]:
        if isinstance(entry, list) and len(entry) >= 4 and entry[0] == "email" and isinstance(entry[3], str):
            address = entry[3].strip().removeprefix("mailto:")
            if address.count("@") == 1 and not any(map(str.isspace, address)):
                return address
    return ""

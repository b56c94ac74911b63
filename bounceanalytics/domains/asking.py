"""Asking name servers: questions to resolvers, many at a time, and what the answers say of a domain.

A *resolver* is asked with EDNS over UDP, and over TCP where an answer was cut. Where one does not answer, or says that
it failed, the next is asked, and it once more later. That a domain does not exist is believed on the word of two of
them: where another one knows it, the first was wrong, or lied.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import ipaddress
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from bounceanalytics.domains.facts import Answers, Host
from bounceanalytics.domains.known_hosts import known_hosts, said
from bounceanalytics.errors import FrameError, MissingExtraError
from bounceanalytics.wording import in_short

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    #: Address of a resolver: with or without a port.
    Resolver = str | tuple[str, int]

#: Times that a question is put, whoever is asked.
_TRIES = 3
#: Share of the time-out that the same resolver gets, the first time and then: what it finds out too late, it knows when
#: it is asked again.
_PATIENCE = (1 / 3, 2 / 3, 1.0)
#: Seconds before the same resolver is asked again; twice as long the time after.
_PAUSE = 0.1
#: Bytes that an answer over UDP may have: what passes everywhere in one piece (dnsflagday.net/2020).
_PAYLOAD = 1232
#: Mail servers of a domain that are looked at.
_MOST_HOSTS = 50
#: Questions in a row that nobody answers before it is asked whether there is a network at all.
_SILENCE = 50
#: Times in a row that a resolver does not answer before others are asked first.
_DEAF = 3
_PORT = 53
#: Answers after which somebody else is asked.
_FAILURES = frozenset({"TIMEOUT", "SERVFAIL", "REFUSED", "LAME", "NOTIMP", "FORMERR", "NOTAUTH", "BADVERS"})
#: Answers to a question with EDNS of servers that do not know it (RFC 6891, 7).
_NO_EDNS = frozenset({"FORMERR", "NOTIMP", "BADVERS"})


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer to one question.

    Attributes
    ----------
    rcode : str
        As in :class:`bounceanalytics.domains.facts.Answers`.
    records : tuple
        The records that were asked for, at the end of a chain of names.
    ttl : int
    cname : str
        The end of the chain; empty if there is none.
    zone : str
        What the answer without records is signed for: the zone of the name.
    errors : tuple of str
    resolver : int
        Which one answered.
    """

    rcode: str
    records: tuple[Any, ...] = ()
    ttl: int = 0
    cname: str = ""
    zone: str = ""
    errors: tuple[str, ...] = ()
    resolver: int = 0

    @property
    def failed(self) -> bool:
        """Whether nothing was learnt."""
        return self.rcode not in {"NOERROR", "NXDOMAIN"}


def addresses_of(resolvers: Iterable[Resolver] | str | None) -> list[tuple[str, int]]:
    """Return the addresses and ports of resolvers; of those of this machine, which may be none, if none is given.

    Raises
    ------
    FrameError
        If one is no address.

    Examples
    --------
    >>> addresses_of(["192.0.2.1", "192.0.2.2:5353", "[2001:db8::1]:53", ("2001:db8::2", 53)])
    [('192.0.2.1', 53), ('192.0.2.2', 5353), ('2001:db8::1', 53), ('2001:db8::2', 53)]
    """
    if resolvers is None:
        return _own_resolvers()
    given = [resolvers] if isinstance(resolvers, str) else _listed(resolvers)
    found = list(dict.fromkeys(_address_of(one) for one in given))
    if not found:
        raise FrameError("resolvers is empty, and must name some; leave it out for those of this machine")
    return found


class Asker:
    """Resolvers, and the questions that are on their way to them.

    Parameters
    ----------
    resolvers : sequence of (str, int)
        Addresses and ports.
    timeout : float
        Seconds to wait for an answer.
    at_once : int
        Questions that are on their way at the same time.
    doubtful : bool
        Whether a resolver is believed only if it does not deny the root of all names. In a sandbox, or behind a portal,
        that of the machine knows a few names, and says of all others that they do not exist.
    """

    def __init__(
        self,
        resolvers: Sequence[tuple[str, int]],
        *,
        timeout: float = 3.0,
        at_once: int = 100,
        doubtful: bool = False,
    ) -> None:
        self._dns = _dnspython()
        self._resolvers = list(resolvers)
        self._believed = list(range(len(self._resolvers)))
        self._doubtful = doubtful
        self._timeout = timeout
        self._places = asyncio.Semaphore(at_once)
        self._hosts: dict[str, asyncio.Task[Host]] = {}
        self._silent: defaultdict[int, int] = defaultdict(int)
        self._unanswered = 0
        self._looking = asyncio.Lock()
        self.offline = not self._resolvers

    async def look_for_network(self) -> bool:
        """Return whether any resolver says anything that can be believed, and keep in mind if none does."""
        async with self._looking:
            if not self.offline:
                replies = await asyncio.gather(*(self._ask_again(".", "NS", one) for one in self._believed))
                told = zip(self._believed, replies, strict=True)
                if self._doubtful:
                    self._believed = [one for one, reply in told if reply.rcode != "NXDOMAIN"]
                silent = all(reply.rcode == "TIMEOUT" for reply in replies)
                self.offline = silent or not self._believed
                self._unanswered = 0
        return not self.offline

    async def answers(self, domain: str) -> Answers:
        """Return what name servers say of a domain."""
        reply, confirmed = await self._sure(domain, "MX")
        found = Answers(domain, reply.rcode, cname=reply.cname, errors=reply.errors)
        if reply.failed:
            return found
        named = sorted({(record.preference, _text(record.exchange)) for record in reply.records})
        null = bool(named) and all(known_hosts().means_no_mail(name) for _, name in named)
        servers, hosts = await asyncio.gather(
            self._name_servers(domain), self._mail_servers(domain, named[:_MOST_HOSTS], reply)
        )
        # that there is no address must be said, as otherwise there may be one
        own = "" if named or not hosts or hosts[0].addresses else hosts[0].rcode
        unsure = own not in {"", "NOERROR", "NXDOMAIN"}
        return replace(
            found,
            rcode=own if unsure else reply.rcode,
            hosts=tuple(host for host in hosts if named or host.addresses),
            implicit=bool(hosts) and not named and bool(hosts[0].addresses),
            null_mx=null,
            name_servers=_names(servers),
            errors=tuple(dict.fromkeys((*reply.errors, *servers.errors))),
            ttl=None if unsure else reply.ttl,
            # who knows its name servers knows that it exists
            confirmed=confirmed and servers.rcode != "NOERROR",
        )

    async def _mail_servers(self, domain: str, named: list[tuple[int, str]], reply: Reply) -> list[Host]:
        """Return the mail servers; of a domain that names none, itself."""
        if reply.rcode != "NOERROR":
            return []
        if not named:
            return [await self._addresses(domain, reply.ttl)]
        return await asyncio.gather(*(self._host(name, preference, reply.ttl) for preference, name in named))

    async def _host(self, name: str, preference: int, ttl: int) -> Host:
        """Return a mail server; of several domains with the same one, the first asks for its addresses."""
        if known_hosts().means_no_mail(name):
            return Host(name, preference, ttl=ttl)
        task = self._hosts.get(name)
        if task is None:
            task = self._hosts[name] = asyncio.ensure_future(self._addresses(name, ttl))
        return replace(await asyncio.shield(task), preference=preference, ttl=ttl)

    async def _addresses(self, name: str, ttl: int) -> Host:
        replies = [
            reply for reply, _ in await asyncio.gather(self._sure(name, "A"), self._sure(name, "AAAA"))
        ]
        addresses = tuple(record.address for reply in replies for record in reply.records)
        rcodes = [reply.rcode for reply in replies]
        failed = next((rcode for reply, rcode in zip(replies, rcodes, strict=True) if reply.failed), "")
        missing = "NXDOMAIN" if rcodes == ["NXDOMAIN"] * 2 else "NOERROR"
        cname = next((reply.cname for reply in replies if reply.cname), "")
        return Host(name, 0, addresses, ttl, cname, "NOERROR" if addresses else failed or missing)

    async def _name_servers(self, domain: str) -> Reply:
        """Return the name servers of a domain, or of the zone in which it lies."""
        reply = await self._ask(domain, "NS")
        if reply.rcode == "NOERROR" and not reply.records and reply.zone not in {"", ".", domain}:
            above = await self._ask(reply.zone, "NS")
            return reply if above.failed else replace(above, rcode=reply.rcode)
        return reply

    async def _sure(self, name: str, kind: str) -> tuple[Reply, bool]:
        """Return an answer, and whether a second resolver says, too, that there is no such name."""
        reply = await self._ask(name, kind)
        if reply.rcode != "NXDOMAIN":
            return reply, False
        confirmed = False
        for other in self._believed:
            if other == reply.resolver:
                continue
            second = await self._ask_again(name, kind, other)
            if second.rcode == "NOERROR":
                return second, False
            withheld = said(known_hosts().withheld, (*reply.errors, *second.errors))
            confirmed = confirmed or (second.rcode == "NXDOMAIN" and not withheld)
        return reply, confirmed

    async def _ask(self, name: str, kind: str) -> Reply:
        """Return the answer of the first resolver that knows one; if none does, the last that was said."""
        order = sorted(self._believed, key=lambda one: self._silent[one] >= _DEAF)
        found = Reply("OFFLINE")
        for attempt in range(max(_TRIES, len(order))):
            if self.offline:
                return Reply("OFFLINE")
            await self._pause(attempt, len(order))
            share = _PATIENCE[min(attempt // len(order), len(_PATIENCE) - 1)]
            reply = await self._ask_one(name, kind, order[attempt % len(order)], share)
            if reply.rcode not in _FAILURES:
                return reply
            # silence says less than a failure
            if found.rcode in {"OFFLINE", "TIMEOUT"}:
                found = reply
        if found.rcode == "TIMEOUT":
            self._unanswered += 1
            if self._unanswered >= _SILENCE and not await self.look_for_network():
                return Reply("OFFLINE")
        return found

    async def _ask_again(self, name: str, kind: str, resolver: int) -> Reply:
        """Return the answer of one resolver, asked again where it fails."""
        reply = Reply("TIMEOUT")
        for attempt in range(_TRIES - 1):
            await self._pause(attempt, 1)
            reply = await self._ask_one(name, kind, resolver)
            if reply.rcode not in _FAILURES:
                break
        return reply

    async def _pause(self, attempt: int, resolvers: int) -> None:
        if turn := attempt // resolvers:
            await asyncio.sleep(_PAUSE * 2 ** (turn - 1))

    async def _ask_one(self, name: str, kind: str, resolver: int, share: float = 1.0) -> Reply:
        """Put one question to one resolver, once, and once more without EDNS where it does not know that."""
        async with self._places:
            reply = await self._exchange(name, kind, resolver, share, edns=True)
            if reply.rcode in _NO_EDNS:
                reply = await self._exchange(name, kind, resolver, share, edns=False)
        self._silent[resolver] = self._silent[resolver] + 1 if reply.rcode == "TIMEOUT" else 0
        if reply.rcode != "TIMEOUT":
            self._unanswered = 0
        return reply

    async def _exchange(self, name: str, kind: str, resolver: int, share: float, *, edns: bool) -> Reply:
        dns = self._dns
        address, port = self._resolvers[resolver]
        seconds = self._timeout * share
        question = dns.message.make_query(
            f"{name.rstrip('.')}.", kind, use_edns=0 if edns else False, payload=_PAYLOAD
        )
        # one deadline for both, or a server that trickles over TCP could hold a place for ever
        try:
            async with asyncio.timeout(2 * seconds):
                answer, _ = await dns.asyncquery.udp_with_fallback(
                    question, address, seconds, port, ignore_unexpected=True, ignore_errors=True
                )
        except (dns.exception.Timeout, TimeoutError, OSError, EOFError):
            return Reply("TIMEOUT", resolver=resolver)
        except dns.exception.DNSException:
            return Reply("SERVFAIL", errors=("an answer that cannot be read",), resolver=resolver)
        return self._read(answer, resolver)

    def _read(self, answer: Any, resolver: int) -> Reply:
        dns = self._dns
        rcode = dns.rcode.to_text(answer.rcode())
        errors = tuple(_error(option) for option in answer.extended_errors())
        if rcode not in {"NOERROR", "NXDOMAIN"}:
            return Reply(rcode, errors=errors, resolver=resolver)
        try:
            chain = answer.resolve_chaining()
        except dns.message.ChainTooLong:
            return Reply("LOOP", errors=errors, resolver=resolver)
        except dns.exception.DNSException:
            return Reply("SERVFAIL", errors=("an answer that contradicts itself",), resolver=resolver)
        asked = answer.question[0].name
        cname = "" if chain.canonical_name == asked else _text(chain.canonical_name)
        zone, referred = "", False
        for rrset in answer.authority:
            if rrset.rdtype == dns.rdatatype.SOA:
                zone = _text(rrset.name)
            referred = referred or rrset.rdtype == dns.rdatatype.NS
        recursive = bool(answer.flags & (dns.flags.RA | dns.flags.AA))
        if not chain.answer and not zone and referred and not recursive:
            return Reply("LAME", errors=errors, resolver=resolver)
        ttl = min(chain.minimum_ttl, 2**31 - 1)
        return Reply(rcode, tuple(chain.answer or ()), ttl, cname, zone, errors, resolver)


def _names(reply: Reply) -> tuple[str, ...]:
    return tuple(sorted({_text(record.target) for record in reply.records}))


def _text(name: Any) -> str:
    return str(name.to_text(omit_final_dot=True)).lower()


def _error(option: Any) -> str:
    """Return an extended DNS error as ``code text``, in one line."""
    return " ".join(f"{int(option.code)} {option.text or ''}".split())[:200]


def _listed(resolvers: Iterable[Resolver]) -> list[Resolver]:
    try:
        return list(resolvers)
    except TypeError:
        raise FrameError(
            f"resolvers is {in_short(resolvers)}, and must be a list of IP addresses of resolvers"
        ) from None


def _address_of(given: Resolver) -> tuple[str, int]:
    match given:
        case str():
            host, port = given, _PORT
        case (str() as host, int() as port):
            pass
        case _:
            raise FrameError(f"{in_short(given)} is no address of a resolver; name it like '192.0.2.1:53'")
    if isinstance(given, str):
        bare, sign, number = given.strip().rpartition(":")
        # an IPv6 address has several colons of its own
        if sign and number.isdigit() and (bare.endswith("]") or ":" not in bare):
            host, port = bare, int(number)
    host = host.strip().removeprefix("[").removesuffix("]")
    try:
        ipaddress.ip_address(host)
    except ValueError:
        raise FrameError(
            f"{host!r} is no IP address of a resolver; name it like '192.0.2.1' or '192.0.2.1:53'"
        ) from None
    if not 0 < port < 2**16:
        raise FrameError(f"{port} is no port of a resolver")
    return host, port


def _own_resolvers() -> list[tuple[str, int]]:
    """Return the resolvers that this machine asks for everything else."""
    dns = _dnspython()
    resolver = importlib.import_module("dns.resolver")
    with contextlib.suppress(dns.exception.DNSException, OSError):
        own = resolver.Resolver()
        addresses = [one for one in own.nameservers if isinstance(one, str)]
        if addresses:
            return [(address, own.nameserver_ports.get(address, own.port)) for address in addresses]
    return []


def _dnspython() -> Any:
    """Return the package ``dns`` with what is used of it."""
    try:
        for name in ("asyncquery", "exception", "flags", "message", "rcode", "rdatatype"):
            importlib.import_module(f"dns.{name}")
        return importlib.import_module("dns")
    except ImportError:
        raise MissingExtraError(
            "checking domains needs dnspython; pip install 'bounceanalytics[dns]'"
        ) from None

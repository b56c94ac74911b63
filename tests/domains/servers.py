"""Name servers on loopback that answer as resolvers do: from a zone, and as badly as a test would like."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self, cast

from dnslib import EDNS0, QTYPE, RCODE, RR, SOA, DNSHeader, DNSRecord, EDNSOption

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Option of an extended DNS error (RFC 8914).
EDE = 15
_SOA = SOA("ns.example.", "admin.example.", (1, 7200, 900, 1209600, 300))


@dataclass(frozen=True)
class Manner:
    """How a name is answered, where that is not as it should be.

    ``rcode``: instead of what the zone says; ``error``: an extended one beside it; ``seconds`` before the answer;
    ``silent``: no answer at all; ``cut``: over UDP; ``first``: only the first so many times; ``only``: types.
    """

    rcode: str = ""
    error: tuple[int, str] | None = None
    seconds: float = 0.0
    silent: bool = False
    cut: bool = False
    first: int = 1_000_000
    only: tuple[str, ...] = ()
    referral: bool = False


@dataclass
class Asked:
    """What a server was asked."""

    names: Counter[str] = field(default_factory=Counter)
    questions: list[tuple[str, str, str]] = field(default_factory=list)
    under_way: int = 0
    most: int = 0


class NameServer:
    """A resolver in a thread of its own, over UDP and TCP on one port of loopback.

    Parameters
    ----------
    zone : str
        Records, as a zone file has them. A name that is in it exists; CNAMEs are followed, as resolvers do.
    manners : dict of str to Manner
        Name -> how it is answered.
    edns : bool
        Whether it knows EDNS.
    """

    def __init__(
        self, zone: str = "", manners: dict[str, Manner] | None = None, *, edns: bool = True
    ) -> None:
        self.records: dict[str, list[RR]] = defaultdict(list)
        for record in RR.fromZone(zone):
            self.records[_name(record.rname)].append(record)
        self.manners = manners or {}
        self.edns = edns
        self.asked = Asked()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self.port: int = asyncio.run_coroutine_threadsafe(self._open(), self._loop).result(10)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def _open(self) -> int:
        self._tcp = await asyncio.start_server(self._talk, "127.0.0.1", 0)
        port: int = self._tcp.sockets[0].getsockname()[1]
        self._udp, _ = await self._loop.create_datagram_endpoint(
            lambda: _Datagrams(self), local_addr=("127.0.0.1", port)
        )
        return port

    async def _close(self) -> None:
        self._udp.close()
        self._tcp.close()
        tasks = asyncio.all_tasks(self._loop) - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            size = int.from_bytes(await reader.readexactly(2))
            answer = await self.answer(await reader.readexactly(size), "tcp")
            if answer is not None:
                writer.write(len(answer).to_bytes(2) + answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def answer(self, data: bytes, way: str) -> bytes | None:
        query = DNSRecord.parse(data)
        name, kind = _name(query.q.qname), QTYPE[query.q.qtype]
        self.asked.names[name] += 1
        self.asked.questions.append((name, kind, way))
        self.asked.under_way += 1
        self.asked.most = max(self.asked.most, self.asked.under_way)
        try:
            manner = self.manners.get(name) or self.manners.get("*") or Manner()
            if self.asked.names[name] > manner.first or (manner.only and kind not in manner.only):
                manner = Manner()
            if manner.seconds:
                await asyncio.sleep(manner.seconds)
            if manner.silent and name != ".":
                return None
            return self._reply(query, name, kind, manner, way).pack()
        finally:
            self.asked.under_way -= 1

    def _reply(self, query: DNSRecord, name: str, kind: str, manner: Manner, way: str) -> DNSRecord:
        header = DNSHeader(id=query.header.id, qr=1, ra=int(not manner.referral), rd=1)
        reply = DNSRecord(header, q=query.q)
        speaks = any(record.rtype == QTYPE.OPT for record in query.ar)
        if speaks and not self.edns:
            reply.header.rcode = RCODE.FORMERR
            return reply
        if manner.referral:
            reply.add_auth(*RR.fromZone("example. 300 IN NS ns.elsewhere.example."))
        elif manner.rcode:
            reply.header.rcode = getattr(RCODE, manner.rcode)
        elif manner.cut and way == "udp":
            reply.header.tc = 1
        else:
            self._fill(reply, name, kind)
        if manner.error and speaks:
            code, text = manner.error
            option = EDNSOption(EDE, code.to_bytes(2) + text.encode())
            reply.add_ar(EDNS0(udp_len=1232, opts=[option]))
        return reply

    def _fill(self, reply: DNSRecord, name: str, kind: str) -> None:
        for _ in range(20):
            here = self.records.get(name, [])
            found = [record for record in here if QTYPE[record.rtype] == kind]
            if found:
                reply.add_answer(*found)
                return
            alias = [record for record in here if QTYPE[record.rtype] == "CNAME"]
            if not alias:
                break
            if alias[0] in reply.rr:
                return  # a circle, told once around
            reply.add_answer(*alias)
            name = _name(alias[0].rdata.label)
        zone = ".".join(name.strip(".").split(".")[-2:])
        reply.add_auth(RR(zone or ".", QTYPE.SOA, rdata=_SOA, ttl=300))
        if name != "." and not self.records.get(name):
            reply.header.rcode = RCODE.NXDOMAIN


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, server: NameServer) -> None:
        self.server = server
        self.tasks: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: object) -> None:
        task = asyncio.ensure_future(self.reply(data, addr))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def reply(self, data: bytes, addr: object) -> None:
        answer = await self.server.answer(data, "udp")
        if answer is not None:
            self.transport.sendto(answer, addr)


def addresses(*servers: NameServer) -> Sequence[str]:
    """Return where servers are, as check_domains takes them."""
    return [server.address for server in servers]


def _name(label: object) -> str:
    return str(label).lower().rstrip(".") or "."

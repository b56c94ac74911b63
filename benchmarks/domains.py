"""Check ten thousand domains whose name servers answer after 50 ms, and of which two in a hundred never answer.

A resolver of its own process answers on loopback, so that nothing of the network is measured. Each domain has two mail servers:
one in ten its own, the others those of fifty providers. Time, memory and questions are shown; then the same once more with the
cache, and once with a process that is killed half way and run again, which asks for nothing that was finished.

    python benchmarks/domains.py
    python benchmarks/domains.py --domains 1000 --at-once 200
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import signal
import tempfile
import time
import zlib
from collections import Counter
from typing import TYPE_CHECKING, Any

import measure
from dnslib import AAAA, MX, NS, QTYPE, RCODE, RR, SOA, A, DNSHeader, DNSRecord

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

SILENT = 2  # of a hundred
OWN = 10
PROVIDERS = 50

CHECK = """
import bounceanalytics as ba
names = [f"d{one}.example" for one in range(number)]
start = begin()
found = ba.check_domains(names, resolvers=[resolver], at_once=at_once, timeout=timeout, cache=cache)
done(start, len(found), states=found["status"].value_counts().to_dict())
"""


class Resolver(asyncio.DatagramProtocol):
    """Answers after a while, and keeps count."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.names: Counter[str] = Counter()
        self.under_way = self.most = 0

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        query = DNSRecord.parse(data)
        name = str(query.q.qname).rstrip(".")
        self.names[name] += 1
        if name.startswith("d") and zlib.crc32(name.encode()) % 100 < SILENT:
            return
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        reply = self.reply(query, name, QTYPE[query.q.qtype]).pack()
        asyncio.get_running_loop().call_later(self.seconds, self.send, reply, addr)

    def send(self, reply: bytes, addr: Any) -> None:
        self.under_way -= 1
        self.transport.sendto(reply, addr)

    def reply(self, query: DNSRecord, name: str, kind: str) -> DNSRecord:
        reply = DNSRecord(DNSHeader(id=query.header.id, qr=1, ra=1, rd=1), q=query.q)
        number = zlib.crc32(name.encode())
        if kind == "MX":
            base = name if number % 100 < OWN else f"provider{number % PROVIDERS}.example"
            for place in (1, 2):
                reply.add_answer(RR(name, QTYPE.MX, ttl=300, rdata=MX(f"mx{place}.{base}", 10 * place)))
        elif kind == "NS":
            reply.add_answer(RR(name, QTYPE.NS, ttl=300, rdata=NS("ns1.host.example")))
        elif kind == "A":
            reply.add_answer(RR(name, QTYPE.A, ttl=300, rdata=A(f"8.8.{number % 200}.{number % 250}")))
        elif kind == "AAAA" and number % 2:
            reply.add_answer(RR(name, QTYPE.AAAA, ttl=300, rdata=AAAA("2600::1")))
        else:
            reply.add_auth(
                RR("example", QTYPE.SOA, ttl=300, rdata=SOA("ns.example", "a.example", (1, 2, 3, 4, 5)))
            )
            reply.header.rcode = RCODE.NOERROR
        return reply


def serve(seconds: float, pipe: Connection) -> None:
    """Answer until told to end; what was asked is told then, and whenever it is asked for."""

    async def work() -> None:
        loop = asyncio.get_running_loop()
        transport, resolver = await loop.create_datagram_endpoint(
            lambda: Resolver(seconds), local_addr=("127.0.0.1", 0)
        )
        transport.get_extra_info("socket").setsockopt(1, 8, 1 << 22)  # SO_RCVBUF
        pipe.send(transport.get_extra_info("sockname")[1])
        while await asyncio.to_thread(pipe.recv):
            pipe.send((dict(resolver.names), resolver.most))
            resolver.names.clear()
            resolver.most = 0

    asyncio.run(work())


def told(pipe: Connection) -> tuple[dict[str, int], int]:
    pipe.send(True)
    names, most = pipe.recv()
    return names, most


def row_of(what: str, done: measure.Run | None, names: dict[str, int], most: int) -> dict[str, str]:
    (row,) = measure.rows_of({what: [done] if done else []})
    states = done.more["states"] if done else {}
    return row | {
        "questions": f"{sum(names.values()):,}",
        "at once": f"{most:,}",
        "states": ", ".join(f"{number:,} {state}" for state, number in states.items() if number),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--domains", type=int, default=10_000)
    parser.add_argument("--at-once", type=int, default=100)
    parser.add_argument("--timeout", type=float, default=3.0)
    parser.add_argument("--seconds", type=float, default=0.05, help="before each answer")
    given = parser.parse_args()
    here, there = multiprocessing.Pipe()
    server = multiprocessing.Process(target=serve, args=(given.seconds, there), daemon=True)
    server.start()
    resolver = f"127.0.0.1:{here.recv()}"
    common = {
        "resolver": resolver,
        "number": given.domains,
        "at_once": given.at_once,
        "timeout": given.timeout,
    }
    with tempfile.TemporaryDirectory() as folder:
        table = [
            row_of(what, measure.run(CHECK, **common, cache=cache), *told(here))
            for what, cache in (
                ("nothing known", None),
                ("and a cache to fill", f"{folder}/one.db"),
                ("with the cache", f"{folder}/one.db"),
            )
        ]
        killed = measure.start(CHECK, **common, cache=f"{folder}/two.db")
        asked = 0
        before: Counter[str] = Counter()
        while asked < given.domains / 2:
            time.sleep(0.2)
            before.update(told(here)[0])
            asked = sum(name.startswith("d") and name.count(".") == 1 for name in before)
        killed.send_signal(signal.SIGKILL)
        killed.communicate()
        before.update(told(here)[0])
        result = measure.run(CHECK, **common, cache=f"{folder}/two.db")
        names, most = told(here)
        again = {name for name in names if name.startswith("d") and name.count(".") == 1}
        table.append(row_of("killed, and run again", result, names, most))
        print(measure.markdown(table))
        twice = len(again.intersection(before))
        print(f"Of {asked:,} domains that the killed one asked for, {twice:,} were asked for again")
    print(measure.told_machine())
    here.send(False)
    server.join(5)


if __name__ == "__main__":
    main()

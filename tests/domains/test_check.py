"""Domains and their hosts are checked against name servers on loopback: states, history, cache, interrupts, limits."""

from __future__ import annotations

import asyncio
import inspect
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import bounceanalytics as ba
from bounceanalytics import schema
from bounceanalytics.domains import asking, probing
from bounceanalytics.domains import check as checking
from bounceanalytics.domains.cache import DomainCache
from bounceanalytics.domains.facts import Answers, Facts, Greeting, Host, Registration
from bounceanalytics.domains.plans import Plan
from bounceanalytics.domains.registering import Registries
from tests.classified import classified
from tests.domains.apart import apart
from tests.domains.servers import Manner, NameServer, addresses
from tests.domains.test_registering import ENDING, Fetching
from tests.schema.test_returns import assert_has

NOW = datetime.now(UTC).replace(microsecond=0)
ZONE = """
healthy.example. 300 IN MX 10 mx1.healthy.example.
healthy.example. 300 IN MX 20 mx2.healthy.example.
healthy.example. 300 IN NS ns1.healthy.example.
mx1.healthy.example. 300 IN A 8.8.8.8
mx2.healthy.example. 300 IN AAAA 2600::1
xn--bcher-kva.example. 300 IN MX 10 mx1.healthy.example.
six.example. 300 IN AAAA 2600::6
nomail.example. 300 IN MX 0 .
also.example. 300 IN MX 0 .
also.example. 300 IN MX 5 mx1.healthy.example.
parked.example. 300 IN NS ns1.sedoparking.com.
parked.example. 300 IN A 8.8.8.8
lost.example. 300 IN MX 10 mx.nowhere.example.
home.example. 300 IN MX 0 mx.home.example.
mx.home.example. 300 IN A 127.0.0.1
alias.example. 300 IN MX 0 mail.alias.example.
mail.alias.example. 300 IN CNAME mx1.healthy.example.
round.example. 300 IN CNAME about.example.
about.example. 300 IN CNAME round.example.
zero.example. 300 IN MX 0 localhost.
"""
MANNERS = {
    "failing.example": Manner(rcode="SERVFAIL", error=(22, "at delegation")),
    "silent.example": Manner(silent=True),
}
STATES = {
    "healthy.example": "healthy",
    "xn--bcher-kva.example": "healthy",
    "six.example": "healthy",
    "nomail.example": "no_mail",
    "also.example": "healthy",
    "zero.example": "no_mail",
    "parked.example": "parked",
    "lost.example": "unreachable",
    "home.example": "no_mail",
    "alias.example": "healthy",
    "round.example": "unknown",
    "none.example": "gone",
    "failing.example": "unknown",
    "silent.example": "unknown",
}


@pytest.fixture(scope="module")
def pair() -> Iterator[tuple[NameServer, NameServer]]:
    with NameServer(ZONE, MANNERS) as first, NameServer(ZONE, MANNERS) as second:
        yield first, second


@pytest.fixture
def server() -> Iterator[NameServer]:
    with NameServer(ZONE, MANNERS) as one:
        yield one


def check(domains: Any, *servers: NameServer, **options: Any) -> pd.DataFrame:
    options.setdefault("timeout", 0.6)
    return ba.check_domains(domains, resolvers=addresses(*servers), **options)


def mail(*rows: tuple[str, str, float], reason: str = "system_full") -> pd.DataFrame:
    """Return classified events: domain, event, days ago."""
    return classified(
        [
            {
                "recipient": f"ann{place}@{domain}",
                "event": event,
                "timestamp": NOW - timedelta(days=days),
                "message_id": str(place),
                **({"reason": reason} if event == "bounced" else {}),
            }
            for place, (domain, event, days) in enumerate(rows)
        ]
    )


def zone_of(number: int) -> tuple[str, list[str]]:
    names = [f"d{one}.example" for one in range(number)]
    return "".join(f"{name}. 300 IN MX 5 mx.shared.example.\n" for name in names), names


# what comes back


def test_each_domain_has_its_state_in_the_order_given(pair: tuple[NameServer, NameServer]) -> None:
    given = [*STATES, "HEALTHY.example.", None, "ann@nomail.example", "bücher.example"]
    found = check(given, *pair)
    assert_has(found, schema.DOMAIN_COLUMNS)
    assert dict(zip(found["domain"], found["status"], strict=True)) == STATES
    assert list(found["domain"]) == list(STATES)
    assert found["explanation"].notna().all()
    assert found["advice"].notna().all()
    assert found["checked_at"].notna().all()
    assert not found.astype(str).apply(lambda column: column.str.contains("@")).any().any()


def test_facts_stand_beside_the_state(pair: tuple[NameServer, NameServer]) -> None:
    found = check(list(STATES), *pair).set_index("domain")
    row = found.loc["healthy.example"]
    assert row["mx"] == "10 mx1.healthy.example, 20 mx2.healthy.example"
    assert (row["hosts"], row["ttl"], row["rcode"]) == (2, 300, "NOERROR")
    assert row["name_servers"] == "ns1.healthy.example"
    assert not row["implicit_mx"]
    assert pd.isna(row["hosts_answering"])
    assert found.loc["six.example", "implicit_mx"]
    assert found.loc["nomail.example", "null_mx"]
    assert (found.loc["nomail.example", "mx"], found.loc["nomail.example", "hosts"]) == ("0 .", 0)
    assert not found.loc["also.example", "null_mx"]
    assert found.loc["failing.example", "dns_errors"] == "22 at delegation"
    assert found.loc["silent.example", "rcode"] == "TIMEOUT"
    assert pd.isna(found.loc["silent.example", "hosts"])


def test_private_addresses_are_taken_where_they_are_wanted(server: NameServer) -> None:
    assert list(check("home.example", server, private=True)["status"]) == ["healthy"]


@pytest.mark.parametrize("given", [[], [None], pd.DataFrame({"domain": []}), schema.BOUNCE_COLUMNS.empty()])
def test_nothing_gives_an_empty_frame(given: Any) -> None:
    assert_has(ba.check_domains(given), schema.DOMAIN_COLUMNS)
    assert_has(ba.check_hosts(given), schema.HOST_COLUMNS)
    assert ba.check_domains(given).empty


def test_what_is_no_domain_is_a_row_and_not_a_question() -> None:
    found = ba.check_domains(["x" * 300 + ".example", "192.0.2.1", "a..b"])
    assert list(found["status"]) == ["unknown"] * 3
    assert found["basis"].isna().all()


def test_hosts_come_in_the_order_in_which_they_are_tried(pair: tuple[NameServer, NameServer]) -> None:
    found = ba.check_hosts(["healthy.example", "none.example", "nomail.example"], resolvers=addresses(*pair))
    assert_has(found, schema.HOST_COLUMNS)
    assert list(found["host"]) == ["mx1.healthy.example", "mx2.healthy.example", "."]
    assert list(found["addresses"].fillna("")) == ["8.8.8.8", "2600::1", ""]
    assert set(found["outcome"]) == {"not_asked"}


# own history


def test_whoever_took_mail_lately_is_not_asked(server: NameServer) -> None:
    bounces = mail(("none.example", "delivered", 3), ("healthy.example", "delivered", 40))
    found = check(bounces, server, bounces=bounces).set_index("domain")
    row = found.loc["none.example"]
    assert (row["status"], row["basis"]) == ("healthy", "history")
    assert row["last_accepted"] == pd.Timestamp(NOW - timedelta(days=3))
    assert pd.isna(row["checked_at"])
    assert server.asked.names["none.example"] == 0
    other = found.loc["healthy.example"]
    assert (other["status"], other["basis"]) == ("healthy", "dns")
    assert other["last_accepted"] == pd.Timestamp(NOW - timedelta(days=40))
    assert "It last took mail of yours on" in other["explanation"]


def test_a_full_system_is_known_from_bounces(pair: tuple[NameServer, NameServer]) -> None:
    bounces = mail(
        ("healthy.example", "delivered", 9),
        ("healthy.example", "bounced", 2),
        ("six.example", "bounced", 2),
        ("six.example", "delivered", 1),
        ("none.example", "bounced", 2),
        ("alias.example", "bounced", 45),
    )
    found = check(bounces, *pair, bounces=bounces).set_index("domain")
    assert found["status"].to_dict() == {
        "healthy.example": "full",
        "six.example": "healthy",
        "none.example": "gone",
        "alias.example": "healthy",
    }
    assert found.loc["healthy.example", "basis"] == "history"
    assert "once" in found.loc["healthy.example", "explanation"]


@pytest.mark.parametrize(
    ("reason", "status"),
    [("bad_domain", "gone"), ("dns_failure", "gone"), ("network", "gone"), ("unknown_user", "healthy")],
)
def test_a_domain_that_bounced_as_a_whole_since_is_asked(
    pair: tuple[NameServer, NameServer], reason: str, status: str
) -> None:
    bounces = mail(("none.example", "delivered", 9), ("none.example", "bounced", 2), reason=reason)
    assert list(check("none.example", *pair, bounces=bounces)["status"]) == [status]
    again = mail(("none.example", "bounced", 9), ("none.example", "delivered", 2), reason=reason)
    assert list(check("none.example", *pair, bounces=again)["status"]) == ["healthy"]


def test_a_delivery_that_came_back_is_none(server: NameServer) -> None:
    rows = [
        {
            "recipient": "ann@none.example",
            "event": event,
            "timestamp": NOW - timedelta(days=days),
            "message_id": "1",
        }
        for event, days in (("delivered", 3), ("bounced", 2))
    ]
    found = check("none.example", server, bounces=classified(rows))
    assert (found["status"][0], pd.isna(found["last_accepted"][0])) == ("unknown", True)


def test_the_time_that_counts_as_now_can_be_named(server: NameServer) -> None:
    bounces = mail(("healthy.example", "delivered", 400))
    at = NOW - timedelta(days=390)
    assert list(check("healthy.example", server, bounces=bounces, at=at)["basis"]) == ["history"]
    assert list(check("healthy.example", server, bounces=bounces)["basis"]) == ["dns"]


# gone needs two


def test_one_resolver_is_not_enough(server: NameServer) -> None:
    assert list(check("none.example", server)["status"]) == ["unknown"]


def test_missing_twice_an_hour_apart_is_gone(server: NameServer, tmp_path: Path) -> None:
    path = tmp_path / "domains.db"
    assert list(check("none.example", server, cache=path)["status"]) == ["unknown"]
    earlier = Facts(Answers("none.example", "NXDOMAIN"), checked_at=datetime.now(UTC) - timedelta(hours=1))
    path.unlink()
    with DomainCache(path) as cache:
        cache.write({"none.example": earlier}, "dns")
    assert list(check("none.example", server, cache=path)["status"]) == ["gone"]
    assert list(check("none.example", server, cache=path)["status"]) == ["gone"]


def test_a_resolver_that_lies_once_costs_no_domain() -> None:
    lie = {"healthy.example": Manner(rcode="NXDOMAIN", first=1)}
    with NameServer(ZONE, lie) as liar, NameServer(ZONE) as other:
        assert list(check("healthy.example", liar, other)["status"]) == ["healthy"]
    with NameServer(ZONE, lie) as liar:
        assert list(check("healthy.example", liar)["status"]) == ["unknown"]
        assert list(check("healthy.example", liar)["status"]) == ["healthy"]


# cache, interrupts, crashes


def test_what_is_in_the_cache_is_not_asked_for(server: NameServer, tmp_path: Path) -> None:
    first = check(list(STATES), server, cache=tmp_path / "domains.db")
    server.asked.names.clear()
    second = check(list(STATES), server, cache=tmp_path / "domains.db")
    pd.testing.assert_frame_equal(first, second)
    assert set(server.asked.names) <= {"."}
    again = check("healthy.example", server, cache=tmp_path / "domains.db", max_age="0s")
    assert server.asked.names["healthy.example"] > 0
    assert again["checked_at"][0] > second.loc[second["domain"] == "healthy.example", "checked_at"].iloc[0]


INTERRUPTED = """
import asyncio, os, signal, sys, threading
import bounceanalytics as ba
resolver, cache, number, inside = sys.argv[1:]
names = [f"d{one}.example" for one in range(int(number))]

def interrupt(step, done, total):
    if done == 50:
        os.kill(os.getpid(), signal.SIGINT)

def work():
    ba.check_domains(names, resolvers=[resolver], cache=cache, at_once=4, timeout=5, progress=interrupt)

async def cell():
    work()

try:
    # a notebook runs its loop without asyncio.run, which would keep the signal for itself
    asyncio.new_event_loop().run_until_complete(cell()) if inside == "loop" else work()
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.mark.parametrize("inside", ["script", "loop"])
def test_a_key_ends_it_at_once_and_nothing_is_lost(tmp_path: Path, inside: str) -> None:
    zone, names = zone_of(400)
    path = tmp_path / "domains.db"
    with NameServer(zone, {"*": Manner(seconds=0.02)}) as server:
        command = [sys.executable, "-c", INTERRUPTED, server.address, str(path), str(len(names)), inside]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        assert (done.stdout.strip(), done.stderr) == ("interrupted", "")
    with closing(sqlite3.connect(path)) as database:
        (finished,) = database.execute("SELECT count(*) FROM finished").fetchone()
    assert 50 <= finished < 350


FEW_FILES = """
import resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (110, 110))
import bounceanalytics as ba
names = [f"d{one}.example" for one in range(300)]
found = ba.check_domains(names, resolvers=sys.argv[1], at_once=1000, timeout=5)
print(found["status"].eq("healthy").sum())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="files are counted otherwise")
def test_no_more_is_asked_at_once_than_files_can_be_open() -> None:
    zone, names = zone_of(300)
    shared = "mx.shared.example. 300 IN A 8.8.8.8\n"
    with NameServer(zone + shared, {"*": Manner(seconds=0.02)}) as server:
        command = [sys.executable, "-c", FEW_FILES, server.address]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (done.stdout.strip(), done.stderr) == (str(len(names)), "")
    assert server.asked.most < 60


class EnoughError(Exception):
    pass


@pytest.mark.parametrize("ending", [EnoughError, KeyboardInterrupt])
def test_an_interrupt_loses_nothing(tmp_path: Path, ending: type[BaseException]) -> None:
    zone, names = zone_of(60)
    seen: list[int] = []

    def interrupt(step: str, done: int, total: int) -> None:
        seen.append(done)
        if done == 30:
            raise ending

    with NameServer(zone, {"*": Manner(seconds=0.02)}) as server:
        with pytest.raises(ending):
            check(names, server, cache=tmp_path / "domains.db", progress=interrupt, at_once=5, timeout=5)
        with closing(sqlite3.connect(tmp_path / "domains.db")) as database:
            finished = {name for (name,) in database.execute("SELECT domain FROM finished")}
        assert 30 <= len(finished) < 60
        server.asked.names.clear()
        found = check(names, server, cache=tmp_path / "domains.db", timeout=5)
        assert list(found["domain"]) == names
        assert not finished.intersection(server.asked.names)
        assert set(names) - finished <= set(server.asked.names)


CHECK = """
import sys
import bounceanalytics as ba
resolver, cache, number = sys.argv[1:]
names = [f"d{one}.example" for one in range(int(number))]
ba.check_domains(names, resolvers=[resolver], cache=cache, at_once=4, timeout=5)
"""


def test_a_process_that_is_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    zone, names = zone_of(400)
    path = tmp_path / "domains.db"

    def finished() -> set[str]:
        if not path.exists():
            return set()
        with closing(sqlite3.connect(path, timeout=30)) as database:
            try:
                return {name for (name,) in database.execute("SELECT domain FROM finished")}
            except sqlite3.OperationalError:  # its tables are not there yet
                return set()

    with NameServer(zone, {"*": Manner(seconds=0.03)}) as server:
        command = [sys.executable, "-c", CHECK, server.address, str(path), str(len(names))]
        process = subprocess.Popen(command)
        deadline = time.monotonic() + 120
        while not finished() and time.monotonic() < deadline:
            time.sleep(0.05)
        process.kill()
        process.wait()
        before = finished()
        assert 0 < len(before) < len(names)
        server.asked.names.clear()
        found = check(names, server, cache=path, timeout=5)
        assert len(found) == len(names)
        assert not before.intersection(server.asked.names)


def test_progress_goes_forward_to_the_end(server: NameServer, tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    names = [*STATES, "a..b"]
    check(names, server, progress=lambda *one: told.append(one), cache=tmp_path / "domains.db")
    assert [done for _, done, _ in told] == sorted(done for _, done, _ in told)
    assert {(step, total) for step, _, total in told} == {("checking domains", len(names))}
    assert told[-1][1] == len(names)


def test_progress_of_mail_servers_is_a_round_of_its_own(server: NameServer, hall: Hall) -> None:
    told: list[tuple[str, int, int]] = []
    check(list(STATES), server, level="greeting", progress=lambda *one: told.append(one))
    steps = list(dict.fromkeys(step for step, _, _ in told))
    assert steps == ["checking domains", "greeting mail servers"]
    for step in steps:
        done = [(done, total) for name, done, total in told if name == step]
        assert done == sorted(done)
        assert done[-1] == (len(STATES), len(STATES))


def test_it_works_where_a_loop_is_running_as_in_a_notebook(server: NameServer) -> None:
    async def cell() -> pd.DataFrame:
        return check("healthy.example", server)

    assert list(apart(cell())["status"]) == ["healthy"]

    async def failing() -> None:
        def stop(*_: object) -> None:
            raise EnoughError

        check("healthy.example", server, progress=stop)

    with pytest.raises(EnoughError):
        apart(failing())


# limits


def test_no_more_is_under_way_than_allowed() -> None:
    zone, names = zone_of(80)
    with NameServer(zone, {"*": Manner(seconds=0.01)}) as server:
        check(names, server, at_once=6, timeout=5)
        assert 1 < server.asked.most <= 6
        assert server.asked.names["mx.shared.example"] == 2


def test_nothing_hangs_however_silent() -> None:
    begin = time.monotonic()
    with NameServer(ZONE, {f"d{one}.example": Manner(silent=True) for one in range(100)}) as server:
        found = check([f"d{one}.example" for one in range(100)], server, timeout=0.2)
    assert set(found["status"]) == {"unknown"}
    assert time.monotonic() - begin < 60


# no network, no package


def test_without_a_network_one_sentence_is_said_and_the_rest_works(
    server: NameServer, tmp_path: Path
) -> None:
    path = tmp_path / "domains.db"
    check("nomail.example", server, cache=path)
    bounces = mail(("none.example", "delivered", 3))
    with pytest.warns(ba.NoNetworkWarning, match="no name server can be reached") as told:
        found = ba.check_domains(
            ["none.example", "nomail.example", "healthy.example", "a..b"],
            bounces=bounces,
            cache=path,
            resolvers="127.0.0.1:9",
            timeout=0.2,
        )
    assert len(told) == 1
    assert told[0].filename == __file__
    assert list(found["status"]) == ["healthy", "no_mail", "unknown", "unknown"]
    assert "no network" in found["explanation"][2]
    assert list(check("healthy.example", server, cache=path)["status"]) == ["healthy"]


def test_a_resolver_of_a_sandbox_takes_no_domain_for_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    denies = {"*": Manner(rcode="NXDOMAIN")}
    with NameServer(ZONE, denies) as first, NameServer(ZONE, denies) as second, NameServer(ZONE) as good:
        own = [("127.0.0.1", first.port), ("127.0.0.1", second.port)]
        monkeypatch.setattr(asking, "_own_resolvers", lambda: own)
        with pytest.warns(ba.NoNetworkWarning, match="that knows the internet"):
            found = ba.check_domains("healthy.example", timeout=0.6)
        assert list(found["status"]) == ["unknown"]
        own.append(("127.0.0.1", good.port))
        found = ba.check_domains(["healthy.example", "none.example"], timeout=0.6)
        assert list(found["status"]) == ["healthy", "unknown"]


def test_without_dnspython_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "dns"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "dns", None)
    with pytest.raises(ba.MissingExtraError, match=r"needs dnspython; pip install 'bounceanalytics\[dns\]'"):
        ba.check_domains("healthy.example", resolvers="127.0.0.1")
    bounces = mail(("healthy.example", "delivered", 3))
    assert list(ba.check_domains("healthy.example", bounces=bounces)["status"]) == ["healthy"]


# arguments


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"level": "smtp"}, "level names smtp, and can name dns, greeting, rdap"),
        ({"level": ["dns", "whois"]}, "level names whois"),
        ({"level": None}, "level is None, and must be one or several of dns, greeting, rdap"),
        ({"level": [["dns"]]}, "level names .'dns'., and can name dns"),
        ({"cache": 5}, "cache is 5, and must be the path of a file"),
        ({"cache": ""}, "cache is ''"),
        ({"cache": "a\0b"}, "cache is <text of 3 characters>"),
        ({"progress": "yes"}, "progress is 'yes', and must be callable"),
        ({"max_age": ["x"] * 1000}, r"max_age is \['x', .{1,50}\], and must be a span"),
        ({"resolvers": 5}, "resolvers is 5, and must be a list of IP addresses"),
        ({"resolvers": b"192.0.2.1"}, "49 is no address of a resolver"),
        ({"resolvers": [("192.0.2.1",)]}, "is no address of a resolver"),
        ({"max_age": "soon"}, "max_age is 'soon', and must be a span of time"),
        ({"max_age": timedelta(days=-1)}, "max_age"),
        ({"timeout": 0}, "timeout is 0, and must be a number of seconds above 0"),
        ({"timeout": float("nan")}, "timeout"),
        ({"at_once": 0}, "at_once is 0, and must be a whole number from 1"),
        ({"at_once": True}, "at_once is True"),
        ({"per_host": 1.5}, r"per_host is 1\.5"),
        ({"resolvers": "dns.example.com"}, "is no IP address of a resolver"),
        ({"resolvers": []}, "resolvers is empty"),
        ({"at": "whenever"}, "at: 'whenever'"),
        ({"timeout": -1, "at_once": "x"}, "timeout is -1.*; at_once is 'x'"),
    ],
)
def test_arguments_that_are_none(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ba.FrameError, match=message):
        ba.check_domains(["healthy.example"], **options)


def test_nothing_is_too_old_for_whoever_takes_any_age(server: NameServer, tmp_path: Path) -> None:
    for _ in range(2):
        found = check("healthy.example", server, cache=tmp_path / "domains.db", max_age=timedelta.max)
        assert list(found["status"]) == ["healthy"]
    assert server.asked.names["healthy.example"] == 2


def test_both_functions_take_the_same_options() -> None:
    domains = inspect.signature(ba.check_domains).parameters
    hosts = inspect.signature(ba.check_hosts).parameters
    assert set(domains) - set(hosts) == {"bounces", "at"}
    assert all(domains[name].default == one.default for name, one in hosts.items())


# mail servers


class Hall:
    """Stands in for what talks to mail servers, and keeps the log of them."""

    def __init__(self, said: dict[str, Greeting] | None = None, closed: str = "") -> None:
        self.said = said or {}
        self.closed = closed
        self.greeted: Counter[str] = Counter()
        self.under_way: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        self.private: set[bool] = set()
        self.witnesses: list[str] = []
        self.understood = 0

    async def greet(self, host: Host, *, private: bool, **_: object) -> Greeting:
        self.greeted[host.name] += 1
        self.private.add(private)
        for address in host.addresses:
            self.under_way[address] += 1
            self.most[address] = max(self.most[address], self.under_way[address])
        await asyncio.sleep(0.01)
        self.under_way.subtract(host.addresses)
        greeting = Greeting(host.name, host.addresses[0], "greeted", 220, "220 hello", True, 1000, 0.01)
        return replace(greeting, **self.changed(host.name))

    def changed(self, name: str) -> dict[str, Any]:
        one = self.said.get(name)
        return (
            {} if one is None else {field: getattr(one, field) for field in ("outcome", "reply_code", "text")}
        )

    async def can_connect(self, hosts: Iterable[Host], **_: object) -> str:
        self.witnesses = [host.name for host in hosts]
        return self.closed

    def meaning_of(self, greetings: Sequence[Greeting]) -> pd.DataFrame:
        self.understood += len(greetings)
        words = {"full": ("full", "system_full"), "you": ("us", "policy"), "no mail": ("no_mail", "policy")}
        found = [
            next((meaning for word, meaning in words.items() if word in one.text), ("trouble", None))
            for one in greetings
        ]
        return pd.DataFrame(found, columns=["tells", "reason"]).assign(enhanced_code="4.3.1")


@pytest.fixture
def hall(monkeypatch: pytest.MonkeyPatch) -> Hall:
    one = Hall()
    for module in (probing, checking):
        monkeypatch.setattr(module, "load_greeter", lambda: one)
    return one


@pytest.mark.parametrize(
    ("outcome", "code", "text", "status"),
    [
        ("greeted", 220, "220 hello", "healthy"),
        ("refused", 452, "452 4.3.1 full", "full"),
        ("refused", 521, "521 5.7.1 no mail", "refusing"),
        ("refused", 421, "421 busy", "unknown"),
        ("refused", 554, "554 5.7.1 not you", "healthy"),
        ("unreachable", None, "", "unreachable"),
        ("silent", None, "", "unreachable"),
        ("strange", None, "SSH-2.0", "unreachable"),
    ],
)
def test_what_mail_servers_say(
    server: NameServer, hall: Hall, outcome: str, code: int | None, text: str, status: str
) -> None:
    for name in ("mx1.healthy.example", "mx2.healthy.example"):
        hall.said[name] = Greeting(name, "", outcome, code, text)
    found = check("healthy.example", server, level="greeting").iloc[0]
    assert (found["status"], found["basis"]) == (status, "greeting")
    assert found["hosts_answering"] == (outcome == "greeted")
    assert (found["reply"] if text else "") == text


def test_they_are_tried_in_order_until_one_greets(server: NameServer, hall: Hall) -> None:
    check("healthy.example", server, level="greeting")
    assert hall.greeted == {"mx1.healthy.example": 1}
    hall.said["mx1.healthy.example"] = Greeting("mx1.healthy.example", "", "silent")
    found = check("healthy.example", server, level="greeting").iloc[0]
    assert (found["status"], found["hosts_answering"]) == ("healthy", 1)
    assert found["explanation"].startswith("mx2.healthy.example takes")


def test_all_are_asked_where_all_are_wanted(server: NameServer, hall: Hall) -> None:
    hall.said["mx2.healthy.example"] = Greeting("mx2.healthy.example", "", "refused", 452, "452 4.3.1 full")
    found = ba.check_hosts("healthy.example", level="greeting", resolvers=addresses(server))
    assert list(found["outcome"]) == ["greeted", "refused"]
    assert list(found["reason"].fillna("")) == ["", "system_full"]
    assert list(found["enhanced_code"].fillna("")) == ["", "4.3.1"]
    assert list(found["size_limit"]) == [1000, 1000]


def test_a_server_of_many_domains_is_greeted_once(hall: Hall) -> None:
    zone, names = zone_of(200)
    with NameServer(f"{zone}mx.shared.example. 300 IN A 8.8.8.8\n") as server:
        found = check(names, server, level="greeting", timeout=5)
    assert set(found["status"]) == {"healthy"}
    assert hall.greeted == {"mx.shared.example": 1}
    assert hall.witnesses == ["mx.shared.example"]


def test_a_reply_that_many_share_is_read_once(hall: Hall, tmp_path: Path) -> None:
    zone, names = zone_of(50)
    hall.said["mx.shared.example"] = Greeting("mx.shared.example", "", "refused", 452, "452 4.3.1 full")
    with NameServer(f"{zone}mx.shared.example. 300 IN A 8.8.8.8\n") as server:
        for _ in range(2):  # what the cache holds is read anew
            found = check(names, server, level="greeting", timeout=5, cache=tmp_path / "domains.db")
            assert set(found["status"]) == {"full"}
    assert hall.greeted == {"mx.shared.example": 1}
    assert hall.understood == 2


def test_an_interrupt_among_greetings_asks_no_name_server_again(
    server: NameServer, hall: Hall, tmp_path: Path
) -> None:
    def interrupt(step: str, *_: object) -> None:
        if step == "greeting mail servers":
            raise EnoughError

    path = tmp_path / "domains.db"
    with pytest.raises(EnoughError):
        check(["healthy.example", "six.example"], server, level="greeting", cache=path, progress=interrupt)
    server.asked.names.clear()
    found = check(["healthy.example", "six.example"], server, level="greeting", cache=path)
    assert set(found["basis"]) == {"greeting"}
    assert not server.asked.names


@pytest.mark.parametrize("per_host", [1, 3])
def test_the_limit_per_host_is_kept_by_address(hall: Hall, per_host: int) -> None:
    zone = "".join(
        f"d{one}.example. 300 IN MX 5 mx.d{one}.example.\n"
        f"mx.d{one}.example. 300 IN A 8.8.8.{one % 2}\n"
        f"mx.d{one}.example. 300 IN AAAA 2600::{(one + 1) % 3}\n"
        for one in range(40)
    )
    with NameServer(zone) as server:
        check(
            [f"d{one}.example" for one in range(40)], server, level="greeting", per_host=per_host, timeout=5
        )
    assert sum(hall.greeted.values()) == 40
    assert max(hall.most.values()) == per_host


def test_nobody_is_greeted_in_vain(server: NameServer, hall: Hall) -> None:
    check(
        ["nomail.example", "parked.example", "none.example", "lost.example", "zero.example"],
        server,
        level="greeting",
    )
    assert not hall.greeted


def test_private_addresses_are_connected_to_only_when_asked(server: NameServer, hall: Hall) -> None:
    check("home.example", server, level="greeting")
    check("home.example", server, level="greeting", private=True)
    assert hall.private == {False, True}


def test_a_closed_port_is_said_and_nobody_connects(server: NameServer, hall: Hall, tmp_path: Path) -> None:
    hall.closed = "port 25 is closed here"
    found = check("healthy.example", server, level="greeting", cache=tmp_path / "domains.db").iloc[0]
    assert (found["status"], found["basis"]) == ("healthy", "dns")
    assert found["explanation"].endswith("Port 25 is closed here.")
    assert not hall.greeted
    hall.closed = ""  # and it is tried again where it is open
    check("healthy.example", server, level="greeting", cache=tmp_path / "domains.db")
    assert hall.greeted


def test_what_was_found_out_by_more_is_enough_for_less(
    server: NameServer, hall: Hall, tmp_path: Path
) -> None:
    path = tmp_path / "domains.db"
    check("healthy.example", server, level="greeting", cache=path)
    server.asked.names.clear()
    check("healthy.example", server, cache=path)
    assert not server.asked.names
    ba.check_hosts("healthy.example", level="greeting", resolvers=addresses(server), cache=path)
    assert hall.greeted["mx2.healthy.example"] == 1
    check("healthy.example", server, level="greeting", cache=path)
    assert hall.greeted["mx2.healthy.example"] == 1


@pytest.mark.parametrize("levels", [("dns",), ("greeting",), ("rdap",), ("greeting", "rdap")])
@pytest.mark.parametrize("every", [False, True])
@pytest.mark.parametrize("private", [False, True])
def test_a_plan_is_content_with_its_own_facts(levels: tuple[str, ...], every: bool, private: bool) -> None:
    plan = Plan(frozenset(levels), (), ":memory:", timedelta(1), 1.0, 1, 1, private, every)
    facts = Facts(Answers("d.example", "NOERROR"), registration=Registration())
    for greeted in {plan.greets, False}:
        means = plan.means(facts, greeted=greeted)
        assert means in plan.enough(greeted=greeted)
        assert means in replace(plan, levels=frozenset({"dns"})).enough(greeted=False)


# registries


def test_the_registry_is_asked_where_it_is_wanted(
    server: NameServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetching = Fetching({"healthy.example": (200, ENDING)})
    opened = Registries.open

    monkeypatch.setattr(probing.Registries, "open", lambda timeout: opened(timeout, fetching))
    found = check(["healthy.example", "six.example"], server, level="rdap").set_index("domain")
    row = found.loc["healthy.example"]
    assert (row["status"], row["basis"]) == ("unknown", "rdap")
    assert row["registration"] == "pending delete, client hold"
    assert row["registry_contact"] == "abuse@example.net"
    assert row["registered_until"] == pd.Timestamp("2026-10-01", tz="UTC")
    assert found.loc["six.example", "registration"] == "not registered"
    assert found.loc["six.example", "status"] == "healthy"

"""What name servers answer, well and badly, becomes what is known of a domain."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bounceanalytics.domains.asking import Asker, addresses_of
from bounceanalytics.errors import FrameError
from tests.domains.apart import apart
from tests.domains.servers import Manner, NameServer
from tests.effort import examples

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bounceanalytics.domains.facts import Answers

ZONE = """
good.example. 300 IN MX 20 mx2.good.example.
good.example. 200 IN MX 10 mx1.good.example.
good.example. 300 IN NS ns1.good.example.
good.example. 300 IN NS ns2.good.example.
mx1.good.example. 300 IN A 8.8.8.8
mx1.good.example. 300 IN AAAA 2600::8
mx2.good.example. 300 IN AAAA 2600::9
sub.good.example. 300 IN MX 0 mx1.good.example.
bare.example. 300 IN A 9.9.9.9
six.example. 300 IN AAAA 2600::6
text.example. 300 IN TXT "x"
one.example. 300 IN CNAME two.example.
two.example. 300 IN CNAME three.example.
three.example. 300 IN CNAME good.example.
round.example. 300 IN CNAME about.example.
about.example. 300 IN CNAME round.example.
away.example. 300 IN CNAME nowhere.example.
alias.example. 300 IN MX 10 mail.alias.example.
mail.alias.example. 300 IN CNAME mx1.good.example.
null.example. 300 IN MX 0 .
wrong.example. 300 IN MX 10 .
also.example. 300 IN MX 0 .
also.example. 300 IN MX 5 mx1.good.example.
local.example. 300 IN MX 0 localhost.
lost.example. 300 IN MX 0 mx.nowhere.example.
number.example. 300 IN MX 0 192.0.2.1.
shared.example. 300 IN MX 5 mx1.good.example.
"""
ZONE += "".join(f"many.example. 300 IN MX {100 - one} mx{one}.many.example.\n" for one in range(20))
ZONE += "".join(f"mx{one}.many.example. 300 IN A 8.8.4.{one}\n" for one in range(20))
ZONE += "".join(f"long.example. 300 IN MX 5 {'x' * 50}{one}.long.example.\n" for one in range(60))


@pytest.fixture(scope="module")
def server() -> Iterator[NameServer]:
    with NameServer(ZONE) as one:
        yield one


def ask(*domains: str, of: list[NameServer], timeout: float = 0.6, at_once: int = 100) -> list[Answers]:
    async def work() -> list[Answers]:
        asker = Asker([("127.0.0.1", one.port) for one in of], timeout=timeout, at_once=at_once)
        return await asyncio.gather(*map(asker.answers, domains))

    return apart(work())


def test_mail_servers_come_in_order_with_addresses_and_the_shortest_time(server: NameServer) -> None:
    (found,) = ask("good.example", of=[server])
    assert found.rcode == "NOERROR"
    assert [(host.preference, host.name) for host in found.hosts] == [
        (10, "mx1.good.example"),
        (20, "mx2.good.example"),
    ]
    assert found.hosts[0].addresses == ("8.8.8.8", "2600::8")
    assert found.hosts[1].addresses == ("2600::9",)
    assert found.ttl == 200
    assert found.name_servers == ("ns1.good.example", "ns2.good.example")
    assert not found.implicit
    assert not found.null_mx


def test_twenty_mail_servers(server: NameServer) -> None:
    (found,) = ask("many.example", of=[server])
    assert [host.preference for host in found.hosts] == list(range(81, 101))
    assert all(host.addresses for host in found.hosts)


def test_no_more_than_fifty_are_looked_at(server: NameServer) -> None:
    (found,) = ask("long.example", of=[server])
    assert len(found.hosts) == 50
    assert {host.rcode for host in found.hosts} == {"NXDOMAIN"}


def test_a_domain_without_mx_stands_in_for_itself(server: NameServer) -> None:
    bare, six, text = ask("bare.example", "six.example", "text.example", of=[server])
    assert bare.implicit
    assert bare.hosts[0].addresses == ("9.9.9.9",)
    assert six.implicit
    assert six.hosts[0].addresses == ("2600::6",)
    assert text.rcode == "NOERROR"
    assert not text.implicit
    assert text.hosts == ()


def test_chains_of_names_are_followed(server: NameServer) -> None:
    chain, alias, away = ask("one.example", "alias.example", "away.example", of=[server])
    assert chain.cname == "good.example"
    assert len(chain.hosts) == 2
    assert alias.cname == ""
    assert alias.hosts[0].cname == "mx1.good.example"
    assert alias.hosts[0].addresses
    assert (away.rcode, away.cname) == ("NXDOMAIN", "nowhere.example")


def test_names_in_a_circle_end(server: NameServer) -> None:
    (found,) = ask("round.example", of=[server])
    assert found.rcode == "LOOP"


def test_null_mx_as_it_should_be_and_as_it_is_written(server: NameServer) -> None:
    null, wrong, also, local = ask(
        "null.example", "wrong.example", "also.example", "local.example", of=[server]
    )
    assert [one.null_mx for one in (null, wrong, also, local)] == [True, True, False, True]
    assert [host.name for host in also.hosts] == [".", "mx1.good.example"]
    assert "localhost" not in server.asked.names


def test_hosts_that_lead_nowhere(server: NameServer) -> None:
    lost, number = ask("lost.example", "number.example", of=[server])
    assert [host.rcode for host in (*lost.hosts, *number.hosts)] == ["NXDOMAIN"] * 2
    assert lost.rcode == "NOERROR"


def test_a_subdomain_has_the_name_servers_of_its_zone(server: NameServer) -> None:
    (found,) = ask("sub.good.example", of=[server])
    assert found.name_servers == ("ns1.good.example", "ns2.good.example")


def test_a_shared_mail_server_is_asked_for_once() -> None:
    with NameServer(ZONE) as server:
        ask("shared.example", "good.example", "also.example", of=[server])
        assert server.asked.names["mx1.good.example"] == 2  # A and AAAA


def test_an_answer_that_was_cut_comes_over_tcp() -> None:
    with NameServer(ZONE, {"many.example": Manner(cut=True)}) as server:
        (found,) = ask("many.example", of=[server])
        assert len(found.hosts) == 20
        assert ("many.example", "MX", "tcp") in server.asked.questions


def test_a_server_without_edns_is_asked_without() -> None:
    with NameServer(ZONE, edns=False) as server:
        (found,) = ask("good.example", of=[server])
        assert len(found.hosts) == 2


@pytest.mark.parametrize("rcode", ["SERVFAIL", "REFUSED", "NOTIMP"])
def test_a_failure_is_told_after_three_times(rcode: str) -> None:
    with NameServer(ZONE, {"good.example": Manner(rcode=rcode)}) as server:
        (found,) = ask("good.example", of=[server])
        assert found.rcode == rcode
        assert found.ttl is None
        kinds = [kind for name, kind, _ in server.asked.questions if name == "good.example"]
        assert kinds.count("MX") == (6 if rcode == "NOTIMP" else 3)  # each time without EDNS, too


def test_one_failure_or_silence_is_made_good() -> None:
    manners = {
        "good.example": Manner(rcode="SERVFAIL", first=1),
        "bare.example": Manner(silent=True, first=1),
    }
    with NameServer(ZONE, manners) as server:
        good, bare = ask("good.example", "bare.example", of=[server])
    assert len(good.hosts) == 2
    assert bare.implicit


def test_silence_ends() -> None:
    with NameServer(ZONE, {"good.example": Manner(silent=True)}) as server:
        begin = time.monotonic()
        (found,) = ask("good.example", of=[server], timeout=0.3)
        assert found.rcode == "TIMEOUT"
        assert time.monotonic() - begin < 20


def test_the_second_resolver_answers_for_the_first() -> None:
    silent = {"*": Manner(silent=True)}
    with NameServer(ZONE, silent) as first, NameServer(ZONE) as second:
        (found,) = ask("good.example", of=[first, second], timeout=0.3)
        assert len(found.hosts) == 2


def test_extended_errors_are_kept() -> None:
    manner = Manner(rcode="SERVFAIL", error=(22, "delegation\nexample"))
    with NameServer(ZONE, {"good.example": manner}) as server:
        (found,) = ask("good.example", of=[server])
    assert found.errors == ("22 delegation example",)


def test_a_server_that_only_points_elsewhere_is_lame() -> None:
    with NameServer(ZONE, {"good.example": Manner(referral=True)}) as server:
        (found,) = ask("good.example", of=[server])
    assert found.rcode == "LAME"


def test_an_address_that_nobody_tells_is_not_taken_for_none() -> None:
    manners = {"mx1.good.example": Manner(rcode="SERVFAIL"), "text.example": Manner(silent=True, only=("A",))}
    with NameServer(ZONE, manners) as server:
        shared, text = ask("shared.example", "text.example", of=[server], timeout=0.3)
    assert shared.hosts[0].rcode == "SERVFAIL"
    assert shared.hosts[0].addresses == ()
    assert text.rcode == "TIMEOUT"


# gone needs two


def test_two_resolvers_confirm_that_a_domain_is_missing(server: NameServer) -> None:
    with NameServer(ZONE) as second:
        (found,) = ask("none.example", of=[server, second])
        assert second.asked.names["none.example"] > 0
    assert (found.rcode, found.confirmed) == ("NXDOMAIN", True)


def test_one_resolver_alone_does_not(server: NameServer) -> None:
    (found,) = ask("none.example", of=[server])
    assert (found.rcode, found.confirmed) == ("NXDOMAIN", False)


@pytest.mark.parametrize("liar", [0, 1])
def test_a_resolver_that_lies_is_outvoted_by_one_that_knows(liar: int) -> None:
    lies = {"good.example": Manner(rcode="NXDOMAIN")}
    with NameServer(ZONE, lies) as false, NameServer(ZONE) as true:
        (found,) = ask("good.example", of=[false, true] if liar == 0 else [true, false])
    assert found.rcode == "NOERROR"
    assert len(found.hosts) == 2


def test_a_resolver_that_lies_once_and_is_alone_is_not_believed() -> None:
    with NameServer(ZONE, {"good.example": Manner(rcode="NXDOMAIN", first=1)}) as server:
        (found,) = ask("good.example", of=[server])
        assert (found.rcode, found.confirmed) == ("NXDOMAIN", False)
        assert found.name_servers  # which shows that it exists
        (again,) = ask("good.example", of=[server])
        assert again.rcode == "NOERROR"


@pytest.mark.parametrize("second", [Manner(silent=True), Manner(rcode="SERVFAIL")])
def test_a_second_one_that_says_nothing_confirms_nothing(second: Manner, server: NameServer) -> None:
    with NameServer(ZONE, {"none.example": second}) as other:
        (found,) = ask("none.example", of=[server, other], timeout=0.3)
    assert (found.rcode, found.confirmed) == ("NXDOMAIN", False)


def test_two_that_withhold_the_truth_confirm_nothing() -> None:
    manner = {"good.example": Manner(rcode="NXDOMAIN", error=(17, "by policy"))}
    with NameServer(ZONE, manner) as first, NameServer(ZONE, manner) as second:
        (found,) = ask("good.example", of=[first, second])
    assert not found.confirmed


# limits, and no network


def test_no_more_questions_than_allowed_are_under_way() -> None:
    zone = "".join(f"d{one}.example. 300 IN MX 5 mx{one}.example.\n" for one in range(60))
    with NameServer(zone, {"*": Manner(seconds=0.01)}) as server:
        ask(*(f"d{one}.example" for one in range(60)), of=[server], timeout=5, at_once=7)
        assert 1 < server.asked.most <= 7


def test_without_a_network_everybody_is_told_soon() -> None:
    async def work() -> list[str]:
        asker = Asker([("127.0.0.1", 9)], timeout=0.2)
        found = [
            one.rcode for one in await asyncio.gather(*(asker.answers(f"d{n}.example") for n in range(80)))
        ]
        assert asker.offline
        begin = time.monotonic()
        found.append((await asker.answers("later.example")).rcode)
        assert time.monotonic() - begin < 1
        return found

    rcodes = apart(work())
    assert "OFFLINE" in rcodes
    assert set(rcodes) <= {"OFFLINE", "TIMEOUT"}


def test_many_silent_domains_are_no_lack_of_network() -> None:
    manners = {f"d{n}.example": Manner(silent=True) for n in range(120)}
    with NameServer(ZONE, manners) as server:
        found = ask(*manners, of=[server], timeout=0.2)
    assert {one.rcode for one in found} == {"TIMEOUT"}


# garbage


class Garbage(NameServer):
    """Answers what no name server says."""

    noise = b""

    async def answer(self, data: bytes, way: str) -> bytes | None:  # noqa: ARG002 - over UDP and TCP alike
        return data[:2] + self.noise if self.noise[:1] != b"\0" else self.noise


@examples(60)
@given(noise=st.binary(max_size=40))
def test_whatever_comes_back_is_no_answer(noise: bytes) -> None:
    with Garbage() as server:
        server.noise = noise
        (found,) = ask("good.example", of=[server], timeout=0.05)
    assert found.rcode in {"TIMEOUT", "SERVFAIL"}
    assert not found.hosts


# where resolvers are


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("192.0.2.1", ("192.0.2.1", 53)),
        (" 192.0.2.1:5353 ", ("192.0.2.1", 5353)),
        ("::1", ("::1", 53)),
        ("[::1]:54", ("::1", 54)),
        ("[::1]", ("::1", 53)),
        (("192.0.2.1", 54), ("192.0.2.1", 54)),
    ],
)
def test_addresses_of_resolvers(given: str | tuple[str, int], expected: tuple[str, int]) -> None:
    assert addresses_of([given]) == [expected]
    assert addresses_of([given, given]) == [expected]


@pytest.mark.parametrize("given", [[], "dns.example.com", "192.0.2.1:0", "192.0.2.1:99999", ("a", 5), ""])
def test_what_is_no_address_of_a_resolver(given: object) -> None:
    with pytest.raises(FrameError, match="resolver"):
        addresses_of(given if isinstance(given, list | str) else [given])  # type: ignore[list-item]


def test_those_of_this_machine() -> None:
    assert all(isinstance(port, int) for _, port in addresses_of(None))

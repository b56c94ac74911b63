"""Greetings: whatever a server does, there is an outcome in time, it is never told of a mail, and we quit."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import inspect
import socket
import textwrap
from time import monotonic
from typing import Any

import pandas as pd
import pytest

from bounceanalytics.domains import greeting
from bounceanalytics.domains.facts import Greeting, Host
from bounceanalytics.domains.greeting import (
    MEANING_COLUMNS,
    TELLS,
    can_connect,
    greet,
    is_private,
    meaning_of,
)
from tests.domains.apart import apart
from tests.domains.mail_servers import Connection, Server, Talk, raw_server, replying, smtp_server

V4 = "127.0.0.1"
SHORT, LONG = 0.3, 10.0  # seconds: for those who hang, and for those who do not
NAME = "asks.example.org"
#: What no server may ever be told.
FORBIDDEN = ("MAIL", "RCPT", "DATA", "VRFY", "EXPN", "STARTTLS", "AUTH", "BDAT", "ETRN")


async def asked(server: Server, *addresses: str, timeout: float = LONG, **more: Any) -> Greeting:
    host = Host("mx.example.com", 10, addresses or (V4,))
    return await greet(host, timeout=timeout, private=True, port=server.port, **({"name": NAME} | more))


def meet(talk: Talk, timeout: float = LONG, **more: Any) -> tuple[Greeting, list[str]]:
    """Return what becomes of a server that talks like this, and what it was told."""

    async def run() -> tuple[Greeting, list[str]]:
        async with raw_server(talk) as server:
            began = monotonic()
            found = await asked(server, timeout=timeout, **more)
            assert monotonic() - began < timeout + 2
        assert not [line for line in server.heard if line.split()[0].upper() in FORBIDDEN]
        return found, server.heard

    return apart(run())


async def hang(connection: Connection) -> None:
    await connection.hear_all()


async def drip(connection: Connection) -> None:
    for sign in "220 mx.example.com ESMTP and so on":
        await connection.say(sign.encode())
        await asyncio.sleep(0.05)


async def megabyte(connection: Connection) -> None:
    for _ in range(1024):
        await connection.say(b"220-" + b"x" * 1018 + b"\r\n")
    await connection.say("220 that was it")
    await connection.hear_all()


async def megabyte_in_a_line(connection: Connection) -> None:
    await connection.say(b"220 " + b"x" * 1_000_000)
    await connection.hear_all()


async def early(connection: Connection) -> None:
    await connection.say("220 mx.example.com", "250-mx.example.com", "250-STARTTLS", "250 SIZE 1000")
    await connection.hear_all()


async def close(connection: Connection) -> None:
    pass


async def reset(connection: Connection) -> None:
    connection.reset()


async def reset_after_banner(connection: Connection) -> None:
    await connection.say("220 mx.example.com")
    await connection.hear()
    connection.reset()


async def close_within(connection: Connection) -> None:
    await connection.say("554-mx.example.com ESMTP", b"554 Go away")


async def wait_for_more(connection: Connection) -> None:
    await connection.say(b"220 mx.example.com")
    await connection.hear_all()


async def garbage(connection: Connection) -> None:
    await connection.say(bytes(range(256)) * 4)
    await connection.hear_all()


async def ssh(connection: Connection) -> None:
    await connection.say("SSH-2.0-OpenSSH_9.6")
    await connection.hear_all()


async def web(connection: Connection) -> None:
    await asyncio.sleep(0.1)
    await connection.say("HTTP/1.1 408 Request Timeout", "Connection: close", "", "<html>")


async def news(connection: Connection) -> None:
    await connection.say("200 news.example.com ready")
    await connection.hear_all()


async def silent_after_banner(connection: Connection) -> None:
    await connection.say("220 mx.example.com")
    await connection.hear_all()


async def slow(connection: Connection) -> None:
    await asyncio.sleep(0.2)
    await replying("220 mx.example.com, at last")(connection)


async def teaser(connection: Connection) -> None:
    """Say the first line, and see whether the other side can wait (RFC 5321, 4.3.1)."""
    await connection.say("220-mx.example.com ESMTP")
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0.2):
            assert not await connection.hear()
    await replying("220 mx.example.com ESMTP")(connection)


async def garbage_after_banner(connection: Connection) -> None:
    await connection.say("220 mx.example.com")
    await connection.hear()
    await connection.say("<html>")
    await connection.hear_all()


async def no_farewell(connection: Connection) -> None:
    await connection.say("220 mx.example.com")
    await connection.hear()
    await connection.say("250 mx.example.com")
    await connection.hear_all()


async def closes_on_ehlo(connection: Connection) -> None:
    await connection.say("220 mx.example.com")
    await connection.hear()
    await connection.say("554 5.7.1 Access denied")


GREETED = {
    "plain": (replying("220 mx.example.com ESMTP"), "220 mx.example.com ESMTP"),
    "several lines": (
        replying("220-mx.example.com ESMTP\r\n220-We do not want\r\n220 unsolicited mail"),
        "220-mx.example.com ESMTP\n220-We do not want\n220 unsolicited mail",
    ),
    "only LF": (replying(b"220 mx.example.com\n", EHLO=b"250-mx\n250 STARTTLS\n"), "220 mx.example.com"),
    "a number alone": (replying("220"), "220"),
    "hidden by a firewall": (replying("220 ****************"), "220 ****************"),
    "two banners": (replying("220 first.example.com\r\n220 second.example.com"), "220 first.example.com"),
    "EHLO unknown": (replying("220 old.example.com", EHLO="502 5.5.1 what?"), "220 old.example.com"),
    "slow": (slow, "220 mx.example.com, at last"),
    "teaser": (teaser, "220-mx.example.com ESMTP\n220 mx.example.com ESMTP"),
    "no reply to QUIT": (no_farewell, "220 mx.example.com"),
    "before it is asked": (early, "220 mx.example.com"),
    "not ASCII": (replying("220 Grüße, \x07bell".encode("latin-1") + b"\r\n"), "220 Gr��e, �bell"),
}


@pytest.mark.parametrize("name", GREETED)
def test_who_goes_on_after_ehlo_has_greeted(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(greeting, "_FAREWELL", 0.2)
    talk, text = GREETED[name]
    found, heard = meet(talk)
    assert (found.outcome, found.reply_code, found.text) == ("greeted", 220, text)
    assert (found.host, found.address) == ("mx.example.com", V4)
    assert heard[0] == f"EHLO {NAME}"
    assert heard[-1] == "QUIT"
    assert 0 < found.seconds < LONG


def test_who_does_not_know_ehlo_is_told_helo_and_offers_nothing() -> None:
    found, heard = meet(replying("220 old.example.com", EHLO="500 unknown command"))
    assert heard == [f"EHLO {NAME}", f"HELO {NAME}", "QUIT"]
    assert (found.starttls, found.size) == (False, None)


REFUSED = {
    "a listing": ("554 5.7.1 192.0.2.1 is listed", {}, 554),
    "several lines": ("554-mx.example.com\r\n554 Access denied", {}, 554),
    "full": ("452 4.3.1 Insufficient system storage", {}, 452),
    "too many": ("421 4.7.0 Too many connections", {}, 421),
    "never": ("521 mx.example.com takes no mail", {}, 521),
    "EHLO put off": ("220 mx.example.com", {"EHLO": "451 4.7.1 Greylisted"}, 451),
    "EHLO put off as full": ("220 mx.example.com", {"EHLO": "452 4.3.1 Disk full"}, 452),
    "neither EHLO nor HELO": (
        "220 mx.example.com",
        {"EHLO": "550 5.7.1 Go away", "HELO": "550 5.7.1 Go away"},
        550,
    ),
    "another thought": ("220-mx.example.com\r\n421 Too busy", {}, 421),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_refusal_is_told_with_its_words(name: str) -> None:
    banner, replies, code = REFUSED[name]
    found, heard = meet(replying(banner, **replies))
    assert (found.outcome, found.reply_code) == ("refused", code)
    assert found.text.endswith(str(next(iter(replies.values()), banner)).rpartition("\r\n")[2])
    assert found.starttls is None
    assert heard[-1] == "QUIT"


STRANGE = {
    "megabyte": (megabyte, "strange"),
    "megabyte in a line": (megabyte_in_a_line, "strange"),
    "garbage": (garbage, "strange"),
    "SSH": (ssh, "strange"),
    "HTTP": (web, "strange"),
    "news": (news, "strange"),
    "garbage after the banner": (garbage_after_banner, "strange"),
    "hangs": (hang, "silent"),
    "drips": (drip, "silent"),
    "no end of line": (wait_for_more, "silent"),
    "silent after the banner": (silent_after_banner, "silent"),
    "closes": (close, "closed"),
    "resets": (reset, "closed"),
    "resets after the banner": (reset_after_banner, "closed"),
}


@pytest.mark.parametrize("name", STRANGE)
def test_who_does_not_speak_as_a_mail_server_is_left(name: str) -> None:
    talk, outcome = STRANGE[name]
    found, _ = meet(talk, timeout=SHORT if outcome == "silent" else LONG)
    assert found.outcome == outcome
    assert len(found.text) <= 500
    assert (found.starttls, found.size) == (None, None)


def test_what_came_is_told_where_no_reply_did() -> None:
    assert meet(ssh)[0].text == "SSH-2.0-OpenSSH_9.6"
    assert meet(web)[0].text.startswith("HTTP/1.1 408 Request Timeout\nConnection")
    dripped = meet(drip, SHORT)[0].text
    assert dripped
    assert "220 mx.example.com".startswith(dripped)
    assert meet(wait_for_more, SHORT)[0].text == "220 mx.example.com"
    assert len(meet(megabyte)[0].text) == 500
    found = meet(reset_after_banner)[0]
    assert (found.reply_code, found.text) == (220, "220 mx.example.com")


def test_who_hangs_after_the_banner_is_told_quit() -> None:
    assert meet(silent_after_banner, SHORT)[1] == [f"EHLO {NAME}", "QUIT"]


def test_a_refusal_counts_whatever_comes_after_it() -> None:
    for talk, code in ((close_within, 554), (closes_on_ehlo, 554)):
        found, _ = meet(talk)
        assert (found.outcome, found.reply_code) == ("refused", code)
    assert meet(close_within)[0].text == "554-mx.example.com ESMTP\n554 Go away"
    assert meet(closes_on_ehlo)[0].text == "554 5.7.1 Access denied"


@pytest.mark.parametrize(
    ("offers", "starttls", "size"),
    [
        ("250-mx\r\n250-SIZE 35882577\r\n250 STARTTLS", True, 35_882_577),
        ("250-mx\r\n250-starttls\r\n250 size=1000", True, 1_000),
        ("250-mx\r\n250-SIZE\r\n250 PIPELINING", False, None),
        ("250-mx\r\n250 SIZE 0", False, None),
        ("250-mx\r\n250 SIZE 99999999999999999999999", False, None),
        ("250-mx\r\n250 SIZE 9999999999999999999", False, None),
        ("250-mx\r\n250 X-STARTTLS-NOT", False, None),
        ("250 STARTTLS", False, None),
    ],
)
def test_what_is_offered(offers: str, starttls: bool, size: int | None) -> None:
    found, _ = meet(replying("220 mx.example.com", EHLO=offers))
    assert (found.starttls, found.size) == (starttls, size)


def require_family(address: str) -> None:
    """Skip the test where this machine has no such address."""
    try:
        with socket.create_server((address, 0), family=socket.AF_INET6 if ":" in address else socket.AF_INET):
            pass
    except OSError:
        pytest.skip(f"no {address} here")


@pytest.mark.parametrize("address", [V4, "::1"])
def test_a_real_mail_server(address: str) -> None:
    async def run() -> None:
        async with smtp_server(address) as server:
            found = await asked(server, address)
        assert (found.outcome, found.reply_code, found.address) == ("greeted", 220, address)
        assert found.text.startswith("220 mx.example.com")
        assert (found.starttls, found.size) == (True, 33_554_432)
        assert server.heard == [f"EHLO {NAME}", "QUIT"]

    require_family(address)
    apart(run())


def test_a_real_mail_server_without_extensions() -> None:
    async def run() -> None:
        async with smtp_server(size=None, starttls=False) as server:
            found = await asked(server)
        assert (found.outcome, found.starttls, found.size) == ("greeted", False, None)

    apart(run())


def test_many_at_the_same_time() -> None:
    async def run() -> None:
        async with smtp_server() as good, raw_server(hang) as bad:
            servers = [good, bad] * 20
            found = await asyncio.gather(*(asked(server, timeout=3.0) for server in servers))
        assert [one.outcome for one in found] == ["greeted", "silent"] * 20
        assert good.heard.count("QUIT") == 20

    apart(run())


def test_who_is_cancelled_hangs_up() -> None:
    async def run() -> None:
        left = asyncio.Event()

        async def wait(connection: Connection) -> None:
            await connection.hear_all()
            left.set()

        async with raw_server(wait) as server:
            task = asyncio.ensure_future(asked(server, timeout=60.0))
            while not server.connections:
                await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await asyncio.wait_for(left.wait(), 5)

    apart(run())


def unused_port() -> int:
    with socket.socket() as one:
        one.bind((V4, 0))
        return int(one.getsockname()[1])


def test_addresses_are_tried_until_one_replies() -> None:
    async def run() -> None:
        async with raw_server(replying("220 mx.example.com"), "127.0.0.3") as good:
            # nobody listens on the first
            found = await asked(good, "127.0.0.2", "127.0.0.3", "127.0.0.4")
            assert (found.outcome, found.address) == ("greeted", "127.0.0.3")
            async with raw_server(hang, "127.0.0.2", good.port) as silent:
                found = await asked(good, "127.0.0.2", "127.0.0.3", timeout=1.0)
                assert (found.outcome, found.address) == ("greeted", "127.0.0.3")
                assert silent.connections == 1
                found = await asked(good, "127.0.0.9", "127.0.0.2", "127.0.0.8", timeout=SHORT)
                assert (found.outcome, found.address) == ("silent", "127.0.0.2")
            async with raw_server(replying("421 busy"), "127.0.0.2", good.port):
                assert (await asked(good, "127.0.0.2", "127.0.0.3")).outcome == "refused"
            # not more of them than is polite
            many = [f"127.0.1.{number}" for number in range(1, 4)]
            assert (await asked(good, *many, "127.0.0.3")).outcome == "unreachable"
            # where there is no way for one family, the other is tried all the same
            assert (
                await asked(good, *[f"fe80::{number}" for number in range(2, 9)], "127.0.0.3")
            ).outcome == "greeted"

    apart(run())


def test_nobody_there() -> None:
    found = apart(asked(Server(unused_port())))
    assert (found.outcome, found.address, found.reply_code, found.text) == ("unreachable", V4, None, "")
    found = apart(greet(Host("mx.example.com")))
    assert (found.outcome, found.address) == ("unreachable", "")


def test_private_addresses_are_connected_to_only_if_asked() -> None:
    async def run() -> None:
        async with smtp_server() as server:
            for address in (V4, "::1", "::ffff:127.0.0.1", "0.0.0.0"):  # noqa: S104
                found = await greet(Host("mx.example.com", addresses=(address,)), port=server.port)
                assert (found.outcome, found.address) == ("private", address)
        assert server.connections == 0

    apart(run())


# fmt: off
PRIVATE = [
    "127.0.0.1", "127.8.8.8", "::1", "0.0.0.0", "0.1.2.3", "::", "10.1.2.3", "172.16.0.1",  # noqa: S104
    "192.168.1.1", "169.254.1.1", "fe80::1", "fe80::1%eth0", "fd00::1", "100.64.0.1",
    "100.127.255.255", "192.0.2.1", "198.51.100.7", "203.0.113.9", "2001:db8::1", "198.18.0.1",
    "224.0.0.1", "ff02::1", "240.0.0.1", "255.255.255.255", "::ffff:10.0.0.1", "::ffff:127.0.0.1",
    "64:ff9b::7f00:1", "64:ff9b::a00:1", "2002:7f00:1::1", "2002:c0a8:101::1",
]
PUBLIC = [
    "9.9.9.9", "100.63.0.1", "100.128.0.1", "172.32.0.1", "2620:fe::fe", "::ffff:9.9.9.9",
    "64:ff9b::909:909", "2002:909:909::1",
]
# fmt: on


@pytest.mark.parametrize("address", [*PRIVATE, "", "mx.example.com", "127.1", "0x7f000001"])
def test_private(address: str) -> None:
    assert is_private(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_public(address: str) -> None:
    assert not is_private(address)


@pytest.mark.parametrize(
    ("machine", "said"),
    [
        ("mail.example.org", "mail.example.org"),
        ("laptop", "[127.0.0.1]"),
        ("laptop.local", "[127.0.0.1]"),
        ("box.localdomain", "[127.0.0.1]"),
        ("a_b.example.org", "[127.0.0.1]"),
        ("x\r\nMAIL FROM:<>.org", "[127.0.0.1]"),
    ],
)
def test_how_we_introduce_ourselves(machine: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(greeting.socket, "gethostname", lambda: machine)
    assert meet(replying("220 mx.example.com"), name="")[1] == [f"EHLO {said}", "QUIT"]


def test_how_we_introduce_ourselves_over_ipv6(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(greeting.socket, "gethostname", lambda: "laptop")

    async def run() -> None:
        async with raw_server(replying("220 mx.example.com"), "::1") as server:
            await asked(server, "::1", name="")
        assert server.heard == ["EHLO [IPv6:::1]", "QUIT"]

    require_family("::1")
    apart(run())


@pytest.mark.parametrize("number", [errno.ENETUNREACH, errno.EMFILE, errno.EAFNOSUPPORT, errno.EACCES])
def test_what_this_machine_cannot_do_says_nothing_of_the_other_one(
    number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise OSError(number, "no way")

    monkeypatch.setattr(asyncio, "open_connection", fail)
    host = Host("mx.example.com", addresses=("2600::1", "2600::2"))
    assert apart(greeting.greet(host)).outcome == "not_asked"
    hosts = [Host(f"mx{one}.example.com", addresses=(f"{one}.8.8.8",)) for one in (8, 9, 11)]
    assert "seems to be closed" in apart(can_connect(hosts))


@pytest.mark.parametrize("name", ["a\r\nMAIL FROM:<>", "two words", "ü.example", "x" * 300])
def test_a_name_that_cannot_be_said(name: str) -> None:
    with pytest.raises(ValueError, match="name must be a host name"):
        apart(greet(Host("mx.example.com"), name=name))


def test_a_closed_port_is_said_in_a_sentence() -> None:
    port = unused_port()

    def ask(*addresses: str, at: int = port) -> str:
        hosts = [Host("mx.example.com", addresses=(one,)) for one in addresses]
        return apart(can_connect(hosts, timeout=LONG, private=True, port=at))

    sentence = ask("127.0.0.1", "127.1.0.1", "127.2.0.1")
    assert sentence.startswith(f"port {port} seems to be closed here: none of 3 mail servers")
    assert sentence.count(".") == 0
    # so few may be down themselves
    assert not ask("127.0.0.1", "127.0.0.2", "127.0.0.3", "127.1.0.1")
    assert not ask()


def test_a_network_that_takes_all_connections_itself_is_closed() -> None:
    async def hang_up(connection: Connection) -> None:
        connection.reset()

    async def say_nothing(connection: Connection) -> None:
        await connection.hear_all()

    async def run(last: Talk) -> str:
        async with (
            raw_server(hang_up, "127.1.0.1") as first,
            raw_server(say_nothing, "127.2.0.1", first.port),
            raw_server(last, "127.3.0.1", first.port),
        ):
            hosts = [Host("mx.example.com", addresses=(f"127.{one}.0.1",)) for one in (1, 2, 3)]
            return await can_connect(hosts, timeout=SHORT, private=True, port=first.port)

    assert "seems to be closed" in apart(run(say_nothing))
    for banner in ("220 mx.example.com", "554 no", "what?"):
        assert not apart(run(replying(banner)))


def test_one_that_says_something_is_enough() -> None:
    async def run() -> None:
        async with raw_server(replying("554 no"), "127.2.0.1") as server:
            hosts = [Host("mx.example.com", addresses=(f"127.{one}.0.1",)) for one in range(1, 9)]
            assert not await can_connect(hosts, timeout=LONG, private=True, port=server.port)
            # those that are private, and of a network that was asked, are passed over
            assert not await can_connect(hosts, timeout=LONG, port=server.port)
            both = [Host("mx.example.com", addresses=("fe80::9", *one.addresses)) for one in hosts]
            assert not await can_connect([*hosts[2:4], both[1]], timeout=LONG, private=True, port=server.port)
            same = [Host("mx.example.com", addresses=(f"127.1.0.{one}",)) for one in range(1, 9)]
            assert not await can_connect([*same, *hosts[1:3]], timeout=LONG, private=True, port=server.port)
        assert server.heard == ["QUIT"] * 3

    apart(run())


#: Reply -> what it tells. Who refuses before a recipient is named may mean us, and then says nothing of recipients.
REPLIES = {
    "452 4.3.1 Insufficient system storage": "full",
    "452 Insufficient system storage": "full",
    "452 4.3.1 Insufficient system resources": "full",
    "421 4.3.1 Mail system storage exceeded": "full",
    "421 4.3.1 Insufficient disk space; try again later": "full",
    "421 out of disk space": "full",
    "552 5.3.1 Mail system full": "full",
    "554 5.3.1 Mail system full": "full",
    "554 No SMTP service here": "no_mail",
    "554 mx.example.com No SMTP service here": "no_mail",
    "554-mx.example.com\n554 no mail service on this host": "no_mail",
    "521 mx.example.com does not accept mail": "no_mail",
    "521 5.3.2 mx.example.com does not accept mail": "no_mail",
    "521 Server does not accept mail, see https://example.com/": "no_mail",
    "521": "no_mail",
    "550 This host does not accept mail": "no_mail",
    "550 No mail accepted here": "no_mail",
    "554 this server does not accept mail": "no_mail",
    "554 mail service discontinued": "no_mail",
    "521 we don't accept mail": "no_mail",
    "554 We do not accept mail here. Use our web form.": "no_mail",
    "554 The mail server is no longer in use": "no_mail",
    "554 This mail server has been decommissioned": "no_mail",
    "556 5.1.10 domain does not accept mail": "no_mail",
    # Sendmail to a client that it rejects
    "554-mx.example.com ESMTP not accepting messages": "us",
    "554 mx.example.com ESMTP not accepting messages": "us",
    "554 mx.example.com": "us",
    "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org": "us",
    "521 5.7.1 Service unavailable; client [192.0.2.1] blocked using bl.example.org": "us",
    "554-mx.example.com\n554 Your access to this mail system has been rejected due to poor reputation": "us",
    "554 5.7.0 Your IP is listed on our blacklist": "us",
    "550 Dynamic IP not accepted": "us",
    "550 We do not accept mail from dynamic IP addresses": "us",
    "550 5.7.1 We do not accept mail from your IP address": "us",
    "554 IP 192.0.2.1 rejected due to no PTR": "us",
    "554 5.7.1 Client host rejected: cannot find your reverse hostname, [192.0.2.1]": "us",
    "450 4.7.25 Client host rejected: cannot find your hostname, [192.0.2.1]": "us",
    "554 5.7.1 You are not allowed to connect.": "us",
    "554 mx.example.com Access denied": "us",
    "550 Access denied - Invalid HELO name (See RFC2821 4.1.1.1)": "us",
    "504 5.5.2 <localhost>: Helo command rejected: need fully-qualified hostname": "us",
    "554 5.5.1 protocol error: improper command pipelining": "us",
    "521 5.5.1 Protocol error": "us",
    "421 4.7.0 mx.example.com Error: too many connections from 192.0.2.1": "us",
    "421 Too many concurrent SMTP connections from this IP address; please try again later": "us",
    "421 4.3.2 Connection rate limit exceeded.": "us",
    "421 Your IP has been temporarily blocked": "us",
    "421 4.7.1 Connection refused, too many sessions": "us",
    # "no service" for those that are listed
    "554-mail.example.net ESMTP Service not available\n554-No SMTP service\n554 IP address is black listed.": "us",
    "554-mail.example.net ESMTP Service not available\n554-No SMTP service\n554 Bad DNS PTR resource record.": "us",
    "501 Syntactically invalid EHLO argument(s)": "us",
    "501 5.5.4 Invalid domain name": "us",
    "550 Bad HELO - Host impersonating domain name": "us",
    "550 Your country is not allowed to connect to this server.": "us",
    "550 Connection refused": "us",
    "530 5.7.0 Must issue a STARTTLS command first": "us",
    "554 SMTP service denied": "us",
    "451 greylisted": "us",
    "451 4.7.1 Greylisting in action, please come back later": "us",
    "421 Service not available": "trouble",
    "421 mx.example.com Service not available, closing transmission channel": "trouble",
    "421 4.3.2 System not accepting network messages": "trouble",
    "421 mx.example.com Load average too high": "trouble",
    "450 4.3.2 Service currently unavailable": "trouble",
    "451 4.3.0 Temporary system problem. Try again later": "trouble",
    "421 Server too busy": "trouble",
    "421 Maintenance in progress": "trouble",
    "421 4.4.2 mx.example.com Error: timeout exceeded": "trouble",
    "554 5.3.2 System not accepting network messages": "trouble",
    "550 Requested action not taken": "nothing",
    "550 Mailbox full": "nothing",
}


@pytest.fixture(scope="module")
def meaning() -> pd.DataFrame:
    replies = [Greeting("mx.example.com", V4, "refused", int(text[:3]), text) for text in REPLIES]
    return meaning_of(replies).set_axis(list(REPLIES))


@pytest.mark.parametrize("text", REPLIES)
def test_what_a_reply_tells(text: str, meaning: pd.DataFrame) -> None:
    assert meaning.loc[text, "tells"] == REPLIES[text], meaning.loc[text].tolist()


def test_only_replies_mean_something(meaning: pd.DataFrame) -> None:
    outcomes = ["greeted", "silent", "refused", "strange", "closed", "unreachable", "private", "not_asked"]
    texts = {"greeted": "220 552 5.3.1 Mail system full", "refused": "452 4.3.1 Insufficient system storage"}
    found = meaning_of(
        [
            Greeting("h", V4, one, int(texts[one][:3]) if one in texts else None, texts.get(one, "554 x"))
            for one in outcomes
        ]
    )
    assert found["tells"].tolist()[0] == "takes_mail"
    assert found["tells"].notna().tolist() == [True, False, True, *[False] * 5]
    assert found["reason"].dropna().to_dict() == {2: "system_full"}
    assert found["enhanced_code"].dropna().to_dict() == {2: "4.3.1"}
    assert found["fault"].dropna().to_dict() == {2: "receiver"}


@pytest.mark.parametrize("greetings", [[], [Greeting("mx.example.com")]])
def test_meaning_of_nothing(greetings: list[Greeting]) -> None:
    found = meaning_of(greetings)
    assert len(found) == len(greetings)
    assert dict(found.dtypes) == MEANING_COLUMNS.dtypes
    assert list(found["tells"].cat.categories) == list(TELLS)


def test_the_docstring_lists_the_columns() -> None:
    assert textwrap.indent(MEANING_COLUMNS.numpydoc(), "    ") in (inspect.getdoc(meaning_of) or "")

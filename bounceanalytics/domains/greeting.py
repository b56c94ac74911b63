"""Greetings: what a mail server says to somebody who has no mail for it (RFC 5321, 3.1 and 4.1.1.1).

It is connected to, its banner is read, EHLO is said, and QUIT. No sender, recipient or message is ever named, so that
nothing is told of a mailbox, and nothing is delivered.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ipaddress
import re
import socket
from dataclasses import dataclass, replace
from time import monotonic
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bounceanalytics.addresses import text_array
from bounceanalytics.classifying.classify import classify_text
from bounceanalytics.classifying.texts import codes_in, enhanced_text
from bounceanalytics.domains.facts import Greeting
from bounceanalytics.domains.networks import is_private
from bounceanalytics.schema import FAULTS, REASONS, Column, Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bounceanalytics.domains.facts import Host

#: What a reply tells.
TELLS = {
    "takes_mail": "it goes on after EHLO, as one that takes mail",
    "full": "its mail system is full",
    "no_mail": "it takes no mail, from anybody",
    "trouble": "it has a trouble of its own, for now",
    "us": "it does not want to talk to this machine, or not so fast; that says nothing of its recipients",
    "nothing": "it refuses, and does not say why in words that are understood",
}

MEANING_COLUMNS = Table(
    "a frame of what greetings mean",
    Column("reason", "category", "why it refused; missing where it did not", tuple(REASONS)),
    Column("enhanced_code", "string", "that the reply names"),
    Column("fault", "category", "who must act, where it refused", FAULTS),
    Column("tells", "category", "what the reply tells; missing where none came", tuple(TELLS)),
)

_ADDRESSES = 3  # of each family, of a host, are tried at most: where there is no IPv6, the others still are
_FEWEST, _WITNESSES = 3, 6  # hosts that are asked whether anybody can be reached from here
_MOST = 16_384  # bytes of a whole session; a long reply to EHLO has one thousand
_PART = 2_048  # bytes that are read at a time
_SHOWN = 500  # characters
_FAREWELL = 2.0  # seconds for the reply to QUIT
_LARGEST = 2**63 - 1

#: From the most telling outcome to the least.
_OUTCOMES = ("greeted", "refused", "strange", "silent", "closed", "unreachable", "not_asked")
#: Errors of this machine, which say nothing of the other one: it has no IPv6, say, or too many files are open.
_OWN_ERRORS = frozenset(
    getattr(errno, name, -1)
    for name in (
        "EACCES", "EPERM", "EADDRNOTAVAIL", "EAFNOSUPPORT", "EMFILE", "ENETDOWN", "ENETUNREACH", "ENFILE", "ENOBUFS",
        "ENOMEM",
    )
)  # fmt: skip

#: How a line of a reply begins, as far as it has come: three digits and a blank, a hyphen or the end.
_BEGINNING = re.compile(rb"(?:[2-5](?:[0-9](?:[0-9][ \-\r\n]?)?)?)?")
_STARTTLS = re.compile(rb"STARTTLS\s*$", re.IGNORECASE)
_UNSEEN = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")
_SIZE = re.compile(rb"SIZE[ =]+([0-9]{1,19})", re.IGNORECASE)
#: A name that others may know, too; not one that is made up at home.
_HOST_NAME = re.compile(r"(?i)(?:[a-z0-9-]{1,63}\.)+(?!local$|localdomain$|lan$|home$|internal$)[a-z]{2,63}")

#: What those say who take no mail at all (RFC 5321, 3.1; RFC 7504); "does not accept mail from dynamic addresses" is
#: another matter. "ESMTP not accepting messages" is, too: so Sendmail greets a client that it rejects.
_NO_MAIL = re.compile(
    r"""(?:
        \b no [ ] (?:smtp|e?-?mail) [ ] (?:services?|accepted)
        | \b (?:does|do|will|can) (?:[ ]?not|n.?t|[ ]never) [ ] (?:accept|receive|take) [ ] (?:any[ ])?
          (?:smtp|e?-?mails?|messages?)
        | \b (?:accepts?|takes?) [ ] no [ ] (?:e?-?mails?|messages?)
        | \b (?:server|service|host|system) [ ] (?:(?:is|was|has[ ]been) [ ])?
          (?:disabled|discontinued|retired|closed|decommissioned|shut[ ]down|no[ ]longer[ ]in[ ](?:use|service))
    )
    (?= \s* (?: $ | [.,;:!()\n] | (?:here|any[ ]?more|at[ ]all|on[ ]this|at[ ]this[ ](?:host|server|address)) \b ) )""",
    re.IGNORECASE | re.VERBOSE,
)
#: Codes of hosts and domains that take no mail (RFC 7504), where the text does not say otherwise.
_NO_MAIL_CODES = (521, 556)


async def greet(
    host: Host, *, timeout: float = 10.0, private: bool = False, port: int = 25, name: str = ""
) -> Greeting:
    """Connect to a mail server, read its banner and what it says to EHLO, and quit.

    Its addresses are tried in their order until one replies, at most three of IPv4 and three of IPv6.

    Parameters
    ----------
    host : Host
    timeout : float, default 10.0
        Seconds for all that is said with one address.
    private : bool, default False
        Connect to addresses that are none of the public internet, too; see :func:`is_private`.
    port : int, default 25
    name : str, optional
        How we introduce ourselves: a host name, or an address as ``[192.0.2.1]``. By default the name of this machine
        if it is one that others may know, else the address that it connects from.

    Returns
    -------
    Greeting
        Of the address that replied; of the most telling one where none did.

    Raises
    ------
    ValueError
        If the name is none that can be said.

    References
    ----------
    RFC 5321, 3.1, 4.1.1.1 and 4.2; RFC 1870 for SIZE; RFC 3207 for STARTTLS.

    Examples
    --------
    >>> from bounceanalytics.domains.probing import run
    >>> from bounceanalytics.domains.facts import Host
    >>> run(lambda: greet(Host("mx.example.com", addresses=("127.0.0.1",)))).outcome
    'private'
    """
    if name and not re.fullmatch(r"[\x21-\x7e]{1,255}", name):
        raise ValueError("name must be a host name, or an address such as [192.0.2.1], of at most 255 signs")
    asked = _asked(host, private)
    if not asked:
        outcome, address = ("private", host.addresses[0]) if host.addresses else ("unreachable", "")
        return Greeting(host.name, address, outcome)
    found: list[Greeting] = []
    for address in asked:
        found.append(await _greet(host, address, timeout, port, name))
        if found[-1].outcome in {"greeted", "refused"}:
            break
    return min(found, key=lambda one: _OUTCOMES.index(one.outcome))


async def can_connect(
    hosts: Iterable[Host],
    *,
    timeout: float = 10.0,
    private: bool = False,
    port: int = 25,
    name: str = "",
) -> str:
    """Return a sentence that says so if mail servers cannot be connected to from here.

    Many networks let nothing out to port 25, and some take such connections themselves and stay silent. Then all hosts
    look unreachable or silent, and nothing is to be concluded.

    Parameters
    ----------
    hosts : iterable of Host
        Those that are to be asked anyway, so that nobody else is bothered; first those that took mail lately. Up to six
        of them, of different networks, are greeted at the same time.
    timeout, private, port, name
        As for :func:`greet`.

    Returns
    -------
    str
        Empty if one of them says anything, whatever it is, and where it cannot be told: with hosts of less than three
        networks it may be they who are down.

    Examples
    --------
    >>> from bounceanalytics.domains.probing import run
    >>> run(lambda: can_connect([]))
    ''
    """
    chosen: dict[object, Host] = {}
    for host in hosts:
        addresses = tuple(_asked(host, private, most=1))
        if addresses:
            chosen.setdefault(_network(addresses[0]), replace(host, addresses=addresses))
        if len(chosen) == _WITNESSES:
            break
    if len(chosen) < _FEWEST:
        return ""
    asked = [
        asyncio.ensure_future(greet(host, timeout=timeout, private=private, port=port, name=name))
        for host in chosen.values()
    ]
    try:
        for one in asyncio.as_completed(asked):
            found = await one
            if found.text or found.outcome == "strange":
                return ""
    finally:
        for task in asked:
            task.cancel()
        await asyncio.gather(*asked, return_exceptions=True)
    return (
        f"port {port} seems to be closed here: none of {len(chosen)} mail servers in different networks said a word, "
        "so greetings tell nothing; ask from a machine that may send mail"
    )


def meaning_of(greetings: Sequence[Greeting]) -> pd.DataFrame:
    """Return what the replies of mail servers mean.

    Parameters
    ----------
    greetings : sequence of Greeting

    Returns
    -------
    pandas.DataFrame
        A row for each greeting, in their order.

        ================= =========================================================================================
        ``reason``        category: why it refused; missing where it did not
        ``enhanced_code`` string: that the reply names
        ``fault``         category (recipient, receiver, sender, content, esp, unknown): who must act, where it
                          refused
        ``tells``         category (takes_mail, full, no_mail, trouble, us, nothing): what the reply tells; missing
                          where none came
        ================= =========================================================================================

    Notes
    -----
    A greeting is said before any recipient is named. Who is refused there, for a listing, for a missing name in the DNS
    or for too many connections, is the machine that asks (``us``): nothing is to be concluded for the recipients.

    References
    ----------
    RFC 5321, 3.1; RFC 7504 for 521 and 556.

    Examples
    --------
    >>> from bounceanalytics.domains.facts import Greeting
    >>> texts = ["452 4.3.1 Insufficient system storage", "554 No SMTP service here", "421 Too many connections"]
    >>> replies = [Greeting("mx.example.com", "", "refused", int(text[:3]), text) for text in texts]
    >>> meaning_of(replies)["tells"].tolist()
    ['full', 'no_mail', 'us']
    """
    outcomes = pd.Series([one.outcome for one in greetings], dtype=object)
    refused = outcomes.eq("refused").to_numpy(dtype=bool)
    said = [one for one, no in zip(greetings, refused, strict=True) if no]
    texts = pd.Series([one.text for one in said], index=np.flatnonzero(refused), dtype=object)
    replies = np.array([one.reply_code or 0 for one in said], dtype=np.int64)
    verdicts = classify_text(texts, replies)
    _, numbers = codes_in(text_array(texts))
    enhanced = [enhanced_text(int(number)) if number else None for number in numbers]
    found = pd.DataFrame(
        {
            "reason": verdicts["reason"],
            "enhanced_code": pd.Series(enhanced, index=texts.index, dtype=object),
            "fault": verdicts["fault"],
            "tells": _told(texts, replies, verdicts),
        }
    ).reindex(range(len(greetings)))
    found.loc[outcomes.eq("greeted"), "tells"] = "takes_mail"
    return MEANING_COLUMNS.frame(found)


def _told(texts: pd.Series, replies: np.ndarray, verdicts: pd.DataFrame) -> pd.Series:
    """Return what refusals tell."""
    reason, fault = verdicts["reason"], verdicts["fault"]
    permanent = replies >= 500
    # who says "connection refused" for good has been connected to, and means it
    of_sender = fault.isin(["sender", "content", "esp"]) | reason.eq("greylisted")
    of_sender |= reason.eq("network") & permanent
    no_mail = texts.str.contains(_NO_MAIL) | reason.eq("bad_domain") | np.isin(replies, _NO_MAIL_CODES)
    # "policy" is also what is made of a 554 that says nothing else
    no_mail &= permanent & ~(of_sender & reason.ne("policy"))
    cases = [reason.eq("system_full"), no_mail, of_sender, fault.eq("receiver")]
    told = np.select(
        [case.to_numpy(dtype=bool) for case in cases], ["full", "no_mail", "us", "trouble"], "nothing"
    )
    return pd.Series(told, index=texts.index, dtype=object)


def _asked(host: Host, private: bool, most: int = _ADDRESSES) -> list[str]:
    """Return the addresses of a host that are tried, so many of each family."""
    found = [one for one in host.addresses if private or not is_private(one)]
    families = [":" in one for one in found]
    return [one for at, one in enumerate(found) if families[:at].count(families[at]) < most]


def _network(address: str) -> object:
    """Return the network of an address, as large as one operator's may be."""
    wide = 16 if ipaddress.ip_address(address).version == 4 else 32
    return ipaddress.ip_network(f"{address.partition('%')[0]}/{wide}", strict=False)


async def _greet(host: Host, address: str, timeout: float, port: int, name: str) -> Greeting:
    """Return what became of one address."""
    began = monotonic()
    until = asyncio.get_running_loop().time() + timeout
    try:
        async with asyncio.timeout_at(until):
            reader, writer = await asyncio.open_connection(address, port, limit=_PART)
    except OSError as error:  # a timeout is one
        outcome = "not_asked" if error.errno in _OWN_ERRORS else "unreachable"
        return Greeting(host.name, address, outcome, seconds=monotonic() - began)
    session = _Session(reader, writer)
    try:
        await session.hold(name or _own_name(writer), until)
        seconds = monotonic() - began
        await session.leave(until)
    finally:
        writer.transport.abort()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
    return session.greeting(host, address, seconds)


def _own_name(writer: asyncio.StreamWriter) -> str:
    """Return how this machine introduces itself: by its name, or where it connects from (RFC 5321, 4.1.3)."""
    name = socket.gethostname()
    if _HOST_NAME.fullmatch(name):
        return name
    own = str(writer.get_extra_info("sockname")[0]).partition("%")[0]
    return f"[IPv6:{own}]" if ":" in own else f"[{own}]"


class _StrangeError(Exception):
    """What was said is no reply of SMTP, or too long for one."""


@dataclass(frozen=True, slots=True)
class _Reply:
    """A reply with its lines, as they came but for their ends."""

    code: int
    lines: tuple[bytes, ...]


class _Session:
    """What is said with one mail server; it lasts until it is told, and knows at any time what came of it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._outcome = "silent"
        self._told: _Reply | None = None
        self._offers: tuple[bytes, ...] | None = None
        self._lines: list[bytes] = []  # of the reply that is coming
        self._heard = b""  # and is not read yet
        self._count = 0

    async def hold(self, name: str, until: float) -> None:
        """Read the banner and say EHLO; whatever happens is an outcome."""
        try:
            async with asyncio.timeout_at(until):
                await self._introduce(name)
        except TimeoutError:
            return
        except _StrangeError:
            self._outcome, self._told = "strange", None
        except (OSError, EOFError):
            if self._outcome == "silent":
                self._outcome = "closed"

    async def leave(self, until: float) -> None:
        """Say QUIT to a server that spoke SMTP, and wait a little for its reply (RFC 5321, 4.1.1.10)."""
        if self._told is None or self._outcome in {"strange", "closed"}:
            return
        soon = min(until, asyncio.get_running_loop().time() + _FAREWELL)
        with contextlib.suppress(OSError, EOFError, _StrangeError):
            async with asyncio.timeout_at(soon):
                await self._ask("QUIT")

    def greeting(self, host: Host, address: str, seconds: float) -> Greeting:
        """Return what came of it."""
        lines = self._told.lines if self._told else (*self._lines, self._heard)
        text = b"\n".join(lines).replace(b"\r\n", b"\n")[: 4 * _SHOWN].decode("utf-8", "replace").strip()
        sizes = [int(found[1]) for one in self._offers or () if (found := _SIZE.fullmatch(one[4:].strip()))]
        return Greeting(
            host.name,
            address,
            self._outcome,
            reply_code=self._told.code if self._told else None,
            text=_UNSEEN.sub("\ufffd", text)[:_SHOWN],
            starttls=None if self._offers is None else any(_STARTTLS.match(one[4:]) for one in self._offers),
            size=next((size for size in sizes if 0 < size <= _LARGEST), None),  # 0: there is no limit
            seconds=seconds,
        )

    async def _introduce(self, name: str) -> None:
        banner = await self._reply()
        if banner.code != 220:
            return self._refused(banner)
        self._told = banner
        for verb in ("EHLO", "HELO"):  # the older word for those who do not know the newer one
            answer = await self._ask(f"{verb} {name}")
            while answer.code == 220:  # a second banner
                answer = await self._reply()
            if answer.code // 100 == 2:
                self._outcome, self._told, self._offers = "greeted", banner, answer.lines[1:]
                return None
            self._refused(answer)
            if answer.code < 500:
                return None
        return None

    def _refused(self, reply: _Reply) -> None:
        self._outcome, self._told = ("refused" if reply.code >= 400 else "strange"), reply

    async def _ask(self, command: str) -> _Reply:
        self._writer.write(f"{command}\r\n".encode("ascii"))
        await self._writer.drain()
        return await self._reply()

    async def _reply(self) -> _Reply:
        """Read a reply of one or more lines; who hangs up within one has said it."""
        self._lines = []
        with contextlib.suppress(EOFError):
            while not self._lines or self._lines[-1][3:4] == b"-":
                self._lines.append(await self._line())
        if not self._lines:
            raise EOFError
        return _Reply(int(self._lines[-1][:3]), tuple(self._lines))

    async def _line(self) -> bytes:
        while True:
            if self._count > _MOST or not _BEGINNING.fullmatch(self._heard[:4]):
                raise _StrangeError
            line, end, rest = self._heard.partition(b"\n")
            if end:
                self._heard = rest
                return line.rstrip(b"\r")
            part = await self._reader.read(_PART)
            if not part:
                if len(line) < 3:
                    raise EOFError
                self._heard = b""
                return line.rstrip(b"\r")
            self._heard += part
            self._count += len(part)

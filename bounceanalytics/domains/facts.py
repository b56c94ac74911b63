"""Facts of one domain: answers of name servers, greetings of its mail servers, its registration."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Host:
    """A mail server of a domain, as name servers tell it.

    Attributes
    ----------
    name : str
        Lower-case, without the last dot.
    preference : int
        Lower is tried first; 0 for the domain itself where it has no MX record.
    addresses : tuple of str
        IPv4 and IPv6; empty where it has none.
    ttl : int
        Seconds for which the answer holds.
    cname : str
        What the name is another name for, which a mail server's may not be (RFC 2181, 10.3); empty if it is none.
    rcode : str
        What was said when its addresses were asked for: ``NOERROR`` also where it has none.
    """

    name: str
    preference: int = 0
    addresses: tuple[str, ...] = ()
    ttl: int = 0
    cname: str = ""
    rcode: str = "NOERROR"


@dataclass(frozen=True, slots=True)
class Answers:
    """What name servers say of a domain.

    Attributes
    ----------
    domain : str
        As it was asked for: lower-case, IDNA.
    rcode : str
        ``NOERROR``, ``NXDOMAIN``, ``SERVFAIL``, ``REFUSED`` or another name of RFC 1035; also ``TIMEOUT``, ``LOOP``
        (names that stand for each other in a circle), ``LAME`` (a server that is not in charge, and does not ask
        further) and ``OFFLINE`` (no name server at all can be reached).
    hosts : tuple of Host
        In the order in which they are tried.
    implicit : bool
        There is no MX record, and the domain's own address stands in for it (RFC 5321, 5.1).
    null_mx : bool
        The domain says that it takes no mail (RFC 7505), also where it writes that wrongly.
    cname : str
        What the domain is another name for; empty if it is none.
    name_servers : tuple of str
    errors : tuple of str
        Extended DNS errors (RFC 8914) as ``code text``.
    ttl : int, optional
        Seconds for which the answer on its mail servers holds, also where it has none.
    confirmed : bool
        A second resolver, or the same an hour later, says the same of a domain that does not exist.
    """

    domain: str
    rcode: str
    hosts: tuple[Host, ...] = ()
    implicit: bool = False
    null_mx: bool = False
    cname: str = ""
    name_servers: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    ttl: int | None = None
    confirmed: bool = False


@dataclass(frozen=True, slots=True)
class Greeting:
    """What became of a connection to port 25 of one address of a host.

    Attributes
    ----------
    host : str
    address : str
        Empty where there was none to connect to.
    outcome : str
        ``greeted`` (it goes on after EHLO), ``refused`` (a 4xx or 5xx reply), ``strange`` (no SMTP, or far too much of
        it), ``silent`` (connected, and then nothing), ``closed`` (it hung up without a reply), ``unreachable``,
        ``private`` (an address that is not connected to unless asked), ``not_asked`` (also where this machine cannot
        connect to anybody there: it has no IPv6, say).
    reply_code : int, optional
    text : str
        The reply, as it came, cut after 500 characters.
    starttls : bool, optional
    size : int, optional
        The largest message that the host says it takes, in bytes.
    seconds : float
    tells : str
        What the reply means for whoever sends there, where it refuses: ``full``, ``no_mail``, ``us`` (it refuses the
        machine that asks), ``trouble`` or ``nothing``. Concluded from the reply, and never kept with it.
    reason, enhanced_code : str
        Likewise: one of :data:`bounceanalytics.schema.REASONS`, and the code that the reply names.
    """

    host: str
    address: str = ""
    outcome: str = "not_asked"
    reply_code: int | None = None
    text: str = ""
    starttls: bool | None = None
    size: int | None = None
    seconds: float = 0.0
    tells: str = ""
    reason: str = ""
    enhanced_code: str = ""


@dataclass(frozen=True, slots=True)
class Registration:
    """What the registry of a domain says (RDAP, RFC 9083).

    Attributes
    ----------
    until : datetime, optional
        When it expires, in UTC.
    states : tuple of str
        As the registry says them: ``pending delete``; ``not registered`` where it knows no such domain.
    contact : str
        Address of the registrar for abuse, or of the registrant where it is public; empty if there is none.
    """

    until: datetime | None = None
    states: tuple[str, ...] = ()
    contact: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """All that was found out of a domain, and when.

    Attributes
    ----------
    answers : Answers
    greetings : tuple of Greeting
        One for each host that was connected to; empty on level ``dns``.
    closed : str
        Why no host was connected to: port 25 is closed here.
    registration : Registration, optional
    checked_at : datetime, optional
    """

    answers: Answers
    greetings: tuple[Greeting, ...] = ()
    closed: str = ""
    registration: Registration | None = None
    checked_at: datetime | None = field(default=None, compare=False)

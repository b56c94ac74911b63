"""The state of a domain, from what name servers, its mail servers, its registry and own mail say; nobody is asked here.

A *finding* is a row of ``states.toml`` with its status and its wording; which of them fits is decided by the conditions
below, in the order of that table.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import resources
from typing import TYPE_CHECKING, Any

from bounceanalytics.domains.known_hosts import known_hosts, said
from bounceanalytics.domains.names import is_address, problem_of
from bounceanalytics.domains.networks import is_at_home, is_private
from bounceanalytics.domains.pasts import Past
from bounceanalytics.wording import day

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd

    from bounceanalytics.domains.facts import Answers, Facts, Greeting, Host, Registration

#: What became of a connection that shows a server at work, whatever it says.
_ANSWERED = ("greeted", "refused")
#: And what shows none.
_NOBODY = ("strange", "silent", "closed", "unreachable")
_LONGEST_REPLY = 200


@dataclass(frozen=True, slots=True)
class State:
    """What is concluded of a domain.

    Attributes
    ----------
    finding : str
        Row of ``states.toml``.
    status : str
        One of :data:`bounceanalytics.schema.DOMAIN_STATES`.
    explanation, advice : str
        Sentences.
    basis : str
        One of :data:`bounceanalytics.schema.BASES`; empty where there is nothing that it could rest on.
    """

    finding: str
    status: str
    explanation: str
    advice: str
    basis: str


def judge(
    domain: str,
    facts: Facts | None,
    past: Past | None = None,
    *,
    at: pd.Timestamp,
    private: bool = False,
) -> State:
    """Return the state of a domain.

    Parameters
    ----------
    domain : str
    facts : Facts, optional
        None where nobody was asked: then own mail decides.
    past : Past, optional
        What own mail to it has shown.
    at : pandas.Timestamp
        The time that counts as now.
    private : bool
        Whether addresses of private networks are as good as others.

    Examples
    --------
    >>> import pandas as pd
    >>> from bounceanalytics.domains.facts import Answers, Facts
    >>> now = pd.Timestamp("2026-11-30", tz="UTC")
    >>> judge("example.com", Facts(Answers("example.com", "NXDOMAIN", confirmed=True)), at=now).status
    'gone'
    >>> judge("example.com", Facts(Answers("example.com", "NXDOMAIN")), at=now).status
    'unknown'
    """
    case = _Case(domain, facts, past or Past(), at, private)
    table = _table()
    name = next(name for name, fits in CONDITIONS.items() if fits(case))
    row = table[name]
    words = _Words(case)
    sentences = [row["explanation"], *(table["added"][one] for one in case.added(name))]
    explanation = " ".join(words.fill(sentence) for sentence in sentences)
    if case.facts and case.facts.closed:
        explanation = f"{explanation} {_sentence(case.facts.closed)}"
    return State(name, row["status"], explanation, words.fill(row["advice"]), row.get("basis", ""))


def told_by_mail(domain: str, past: Past, *, at: pd.Timestamp) -> State:
    """Return the state that own mail alone shows, however long ago.

    Examples
    --------
    >>> import pandas as pd
    >>> now = pd.Timestamp("2026-11-30", tz="UTC")
    >>> told_by_mail("example.com", Past(last_full=now, full_bounces=2), at=now).explanation
    'It called its mail system full 2 times since it last took mail, most recently on 30 Nov 2026.'
    """
    name = "history_full" if past.full_bounces else "delivered"
    row, words = _table()[name], _Words(_Case(domain, None, past, at, private=False))
    return State(name, row["status"], words.fill(row["explanation"]), words.fill(row["advice"]), row["basis"])


def is_certain(facts: Facts) -> bool:
    """Return whether something was learnt of a domain that asking again at once would not change."""
    answers = facts.answers
    if answers.rcode == "NXDOMAIN":
        return answers.confirmed
    # one address is enough to send to
    known = any(host.addresses for host in answers.hosts) or _failed(answers.hosts) is None
    return answers.rcode == "NOERROR" and known


@dataclass(frozen=True)
class _Case:
    """A domain, and what the conditions ask of it."""

    domain: str
    facts: Facts | None
    past: Past
    at: pd.Timestamp
    private: bool

    @cached_property
    def answers(self) -> Answers:
        assert self.facts is not None  # noqa: S101 - the first condition that needs it says so
        return self.facts.answers

    @cached_property
    def greetings(self) -> tuple[Greeting, ...]:
        tried = self.facts.greetings if self.facts else ()
        return tuple(one for one in tried if one.outcome in (*_ANSWERED, *_NOBODY))

    @cached_property
    def registration(self) -> Registration | None:
        return self.facts.registration if self.facts else None

    @cached_property
    def hosts(self) -> tuple[Host, ...]:
        """The mail servers that are meant as such."""
        known = known_hosts()
        return tuple(host for host in self.answers.hosts if not known.means_no_mail(host.name))

    @cached_property
    def addresses(self) -> tuple[str, ...]:
        return tuple(address for host in self.hosts for address in host.addresses)

    @cached_property
    def greeting(self) -> Greeting | None:
        """The one that decides: of a server that greets, else of one that answers; last, of one that takes no mail."""
        answered = [one for one in self.greetings if one.outcome in _ANSWERED]
        return min(
            answered, key=lambda one: (_ANSWERED.index(one.outcome), one.tells == "no_mail"), default=None
        )

    @cached_property
    def unfinished(self) -> Greeting | None:
        """Of a server that began to greet, and then said no more."""
        begun = (one for one in self.greetings if one.outcome in _NOBODY and one.text.startswith("220"))
        return next(begun, None)

    @property
    def refusal(self) -> Greeting | None:
        return self.greeting if self.greeting and self.greeting.outcome == "refused" else None

    @property
    def refusal_code(self) -> int | None:
        return self.refusal.reply_code if self.refusal else None

    def rcode(self, *names: str) -> bool:
        return self.facts is not None and self.answers.rcode in names

    def only(self, kind: Callable[[str], bool]) -> bool:
        """Return whether all addresses of its mail servers are of a kind."""
        return not self.private and bool(self.addresses) and all(map(kind, self.addresses))

    def refuses(self, *tells: str) -> bool:
        return self.refusal is not None and self.refusal.tells in tells

    def is_registered(self, how: str) -> bool:
        """Return whether its registry says one of the states that mean so."""
        states = self.registration.states if self.registration else ()
        return bool(set(states).intersection(_table()["registry"][how]))

    def added(self, finding: str) -> list[str]:
        """Return what else there is to say, by its row in the table."""
        found = []
        if self.facts is not None and self.answers.rcode == "NOERROR":
            if finding in {"named", "greeted", "unreachable", "hosts_missing"}:
                if self.hosts[0].cname:
                    found.append("alias")
                if is_address(self.hosts[0].name):
                    found.append("number")
            if self.hosts and len(self.hosts) < len(self.answers.hosts):
                found.append("some_null")
        until = self.registration.until if self.registration else None
        if until is not None and until < self.at:
            found.append("expired")
        if self.is_registered("leaving") and finding not in {"held", "on_hold"}:
            found.append("ending")
        if self.past.last_accepted is not None and finding != "delivered":
            found.append("last_accepted")
        return found


#: Finding -> whether it fits; the order is that of the table.
CONDITIONS: Mapping[str, Callable[[_Case], bool]] = {
    "delivered": lambda case: case.past.accepts(case.at),
    "no_name": lambda case: bool(problem_of(case.domain)),
    "offline": lambda case: case.facts is None or case.rcode("OFFLINE"),
    "withheld": lambda case: (
        bool(said(known_hosts().withheld, case.answers.errors))
        and (case.answers.rcode != "NOERROR" or not case.addresses)
        and not case.answers.confirmed
    ),
    "dangling": lambda case: case.rcode("NXDOMAIN") and case.answers.confirmed and bool(case.answers.cname),
    "on_hold": lambda case: (
        case.rcode("NXDOMAIN") and case.answers.confirmed and case.is_registered("returning")
    ),
    "gone": lambda case: case.rcode("NXDOMAIN") and case.answers.confirmed,
    "missing": lambda case: case.rcode("NXDOMAIN"),
    "loop": lambda case: case.rcode("LOOP"),
    "bogus": lambda case: case.rcode("SERVFAIL") and bool(said(known_hosts().bogus, case.answers.errors)),
    "lame": lambda case: (
        case.rcode("LAME")
        or (not case.rcode("NOERROR") and bool(said(known_hosts().lame, case.answers.errors)))
    ),
    "silent": lambda case: case.rcode("TIMEOUT"),
    "failed": lambda case: not case.rcode("NOERROR"),
    "null_mx": lambda case: case.answers.null_mx and [host.name for host in case.answers.hosts] == ["."],
    "null_mx_meant": lambda case: case.answers.null_mx,
    "parked_mail": lambda case: bool(known_hosts().parker_of_mail(host.name for host in case.hosts)),
    "parked": lambda case: bool(known_hosts().parker_of(case.answers.name_servers)),
    "no_hosts": lambda case: not case.hosts,
    "hosts_unknown": lambda case: not case.addresses and _failed(case.hosts) is not None,
    "hosts_missing": lambda case: not case.addresses,
    "at_home": lambda case: case.only(is_at_home),
    "private": lambda case: case.only(is_private),
    "held": lambda case: case.is_registered("held") and case.greeting is None,
    "greeting_full": lambda case: case.refuses("full"),
    "refuses_us": lambda case: case.refuses("us"),
    "refusing": lambda case: case.refuses("no_mail"),
    "refuses_unsaid": lambda case: case.refuses("nothing", "") and (case.refusal_code or 0) >= 500,
    "later": lambda case: case.refusal is not None,
    "broke_off": lambda case: case.unfinished is not None and case.greeting is None,
    "unreachable": lambda case: bool(case.greetings) and case.greeting is None,
    "history_full": lambda case: case.past.is_full(case.at),
    "greeted": lambda case: case.greeting is not None,
    "implicit": lambda case: case.answers.implicit,
    "named": lambda _: True,
}


class _Words:
    """What fills the braces of the wording, by their names."""

    def __init__(self, case: _Case) -> None:
        self._case = case

    def fill(self, sentence: str) -> str:
        return sentence.format_map(self)

    def __getitem__(self, key: str) -> str:
        return str(getattr(self, f"_{key}")())

    def _first(self) -> str:
        case = self._case
        if (greeting := case.greeting or case.unfinished) is not None:
            return greeting.host
        hosts = case.hosts or case.answers.hosts
        failed = None if case.addresses else _failed(hosts)
        return (failed or hosts[0]).name

    def _named(self) -> str:
        return self._case.hosts[0].name

    def _listed(self) -> str:
        hosts = self._case.hosts
        many = f"{len(hosts)} mail servers, first {hosts[0].name}"
        return f"the mail server {hosts[0].name}" if len(hosts) == 1 else many

    def _tried(self) -> str:
        tried = [one.host for one in self._case.greetings]
        return tried[0] if len(tried) == 1 else f"{len(tried)} of them"

    def _outcomes(self) -> str:
        return ", ".join(dict.fromkeys(one.outcome for one in self._case.greetings))

    def _reply(self) -> str:
        greeting = self._case.greeting
        text = " ".join(greeting.text.split()) if greeting else ""
        text = text if len(text) <= _LONGEST_REPLY else f"{text[: _LONGEST_REPLY - 1]}…"
        return f"{text}." if text and text[-1] not in ".!?…" else text

    def _rcode(self) -> str:
        case = self._case
        failed = _failed(case.hosts) if case.answers.rcode == "NOERROR" else None
        rcode = failed.rcode if failed else case.answers.rcode
        return "not answered in time" if rcode == "TIMEOUT" else rcode

    def _cname(self) -> str:
        case = self._case
        return case.hosts[0].cname if case.answers.rcode == "NOERROR" and case.hosts else case.answers.cname

    def _address(self) -> str:
        return self._case.addresses[0]

    def _parker(self) -> str:
        known = known_hosts()
        return known.parker_of_mail(host.name for host in self._case.hosts) or known.parker_of(
            self._case.answers.name_servers
        )

    def _withheld(self) -> str:
        return said(known_hosts().withheld, self._case.answers.errors)

    def _bogus(self) -> str:
        return said(known_hosts().bogus, self._case.answers.errors)

    def _lame(self) -> str:
        why = said(known_hosts().lame, self._case.answers.errors)
        return f": {why}" if why else ""

    def _problem(self) -> str:
        return problem_of(self._case.domain)

    def _registration(self) -> str:
        return ", ".join(self._case.registration.states) if self._case.registration else ""

    def _until(self) -> str:
        return day(self._case.registration.until) if self._case.registration else ""

    def _accepted(self) -> str:
        return day(self._case.past.last_accepted)

    def _full(self) -> str:
        return day(self._case.past.last_full)

    def _times(self) -> str:
        number = self._case.past.full_bounces
        return "once" if number == 1 else f"{number:,} times"


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}{'' if text[-1:] in '.!?' else '.'}"


def _failed(hosts: tuple[Host, ...]) -> Host | None:
    """Return the first of them of which it is not known whether it has an address."""
    return next((host for host in hosts if host.rcode not in {"NOERROR", "NXDOMAIN"}), None)


@cache
def _table() -> dict[str, Any]:
    text = (resources.files("bounceanalytics.domains") / "states.toml").read_text("utf-8")
    return tomllib.loads(text)

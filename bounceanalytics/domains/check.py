"""Checking domains and their mail servers: from whatever names domains to a frame of what became of them."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

import pandas as pd

from bounceanalytics.domains.asking import addresses_of
from bounceanalytics.domains.known_hosts import known_hosts
from bounceanalytics.domains.names import names_of, problem_of
from bounceanalytics.domains.pasts import Past, pasts_of
from bounceanalytics.domains.plans import moment_of, plan_of
from bounceanalytics.domains.probing import STEP, find_out, load_greeter
from bounceanalytics.domains.states import judge
from bounceanalytics.errors import NoNetworkWarning
from bounceanalytics.schema import DOMAIN_COLUMNS, HOST_COLUMNS

if TYPE_CHECKING:
    import datetime as dt
    import os
    from collections.abc import Iterable, Mapping, Sequence

    from bounceanalytics.datasets import Frame
    from bounceanalytics.domains.asking import Resolver
    from bounceanalytics.domains.facts import Facts, Greeting
    from bounceanalytics.domains.names import Domains
    from bounceanalytics.domains.plans import Plan, Progress
    from bounceanalytics.domains.probing import Finished
    from bounceanalytics.history import History

#: What became of mail servers that nobody connected to.
UNTRIED = ("private", "not_asked")


class Keeper(Protocol):
    """Who keeps what became of domains, as soon as it is known."""

    def confirmed(self, facts: Facts) -> Facts:
        """Return the facts of a domain that is missing, confirmed where that was known before."""

    def keep(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Keep rows of the frame of :func:`check_domains`; perhaps in another thread, while the first one waits."""


def check_domains(  # noqa: PLR0913 - each is one thing to say
    domains: Domains,
    *,
    level: str | Sequence[str] = "dns",
    bounces: Frame | History | None = None,
    cache: str | os.PathLike[str] | None = None,
    max_age: str | dt.timedelta = "1d",
    resolvers: Iterable[Resolver] | str | None = None,
    timeout: float = 3.0,
    at_once: int = 100,
    per_host: int = 2,
    private: bool = False,
    at: dt.datetime | str | None = None,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Return what became of each domain: whether it still takes mail, why, and what to do.

    Parameters
    ----------
    domains : str, iterable of str, pandas.Series, pandas.DataFrame or Dataset
        Domains, or addresses, which are taken by their domain; a frame by its column ``domain``.
    level : {'dns', 'greeting', 'rdap'} or several of them, default 'dns'
        Whom to ask: name servers always; with ``greeting`` the mail servers, too, which are connected to; with
        ``rdap`` the registry.
    bounces : pandas.DataFrame, Dataset or path of one, optional
        Classified events. A domain that took mail within 30 days is ``healthy``, and is not asked, unless a bounce
        since says that it is full, not there or not reached; one that called its mail system full since it last took
        mail is ``full`` where nothing better is known.
    cache : path, optional
        A file that remembers what was found out; made if it is not there. Whoever is interrupted, or asks again,
        goes on where it was, and a domain that was missing an hour ago and is still missing is ``gone``.
    max_age : str or datetime.timedelta, default '1d'
        How old what is in the cache may be. What was not certain is asked for again after ten minutes.
    resolvers : sequence of str, optional
        IP addresses of resolvers, with or without a port; those of this machine if not given. That a domain is
        ``gone`` needs two of them, or a cache and an hour.
    timeout : float, default 3.0
        Seconds to wait for an answer of a name server, which is asked three times, with more patience each time. A
        mail server gets five times as long.
    at_once : int, default 100
        Questions and connections that are on their way at the same time, up to 1,000.
    per_host : int, default 2
        Connections to one address of a mail server at the same time.
    private : bool, default False
        Whether mail servers with addresses of private networks, or of this machine, are taken for such.
    at : datetime or str, optional
        The time that counts as now for what is recent in ``bounces``.
    progress : callable, optional
        Called with a description, the domains done and those in total; of mail servers in a second round.

    Returns
    -------
    pandas.DataFrame
        One row per different domain, in the order in which they first appear.

        ==================== =====================================================================================
        ``domain``           string: lower-case, IDNA ASCII form
        ``status``           category: what became of it
        ``explanation``      string: why, in a sentence
        ``advice``           string: what to do, in a sentence
        ``basis``            category (history, dns, greeting, rdap): what the status rests on
        ``last_accepted``    timestamp, UTC: when it last took mail of ours, UTC; missing where that is not known
        ``mx``               string: its mail servers in the order in which they are tried, such as '10
                             mx1.example.com, 20 …'
        ``hosts``            Int64: mail servers; missing where they could not be asked for
        ``hosts_answering``  Int64: of these, those that greeted; missing where none was connected to
        ``implicit_mx``      boolean: it has no MX record, and its own address stands in for it
        ``null_mx``          boolean: it says that it takes no mail (RFC 7505)
        ``cname``            string: what it is another name for
        ``name_servers``     string: its name servers, with commas
        ``rcode``            string: what the resolver said: NOERROR, NXDOMAIN, SERVFAIL, TIMEOUT …
        ``dns_errors``       string: extended DNS errors (RFC 8914)
        ``ttl``              Int64: seconds for which the answer holds
        ``reply``            string: what its first host that answered said on port 25
        ``registered_until`` timestamp, UTC: when the registration ends, UTC; missing where that was not asked for
        ``registration``     string: states of the registration, such as 'pending delete'
        ``registry_contact`` string: whom the registry names for complaints; missing where that was not asked for
        ``checked_at``       timestamp, UTC: when it was asked for, UTC
        ==================== =====================================================================================

    Raises
    ------
    FrameError
        If an argument is not what it must be.
    MissingExtraError
        If dnspython is not installed, or what a level needs.
    SourceError
        If the cache cannot be used.

    Warns
    -----
    NoNetworkWarning
        If no name server can be reached, or that of this machine denies the root of all names, as in a sandbox. What
        own mail or the cache tells is in the frame all the same.

    See Also
    --------
    check_hosts : The mail servers one by one.

    Notes
    -----
    A time-out, a failure of one's own resolver or one resolver's word that a domain does not exist is ``unknown``:
    no address should be lost to a bad moment. A mail server that many domains share is greeted once. No message is
    sent, and no mailbox is asked for.

    References
    ----------
    RFC 5321, section 5.1: which host takes the mail of a domain. RFC 7505: null MX. RFC 8020: what NXDOMAIN means.
    RFC 8914: extended DNS errors. RFC 9083: RDAP.

    Examples
    --------
    Own mail alone answers for domains that took some lately:

    >>> import bounceanalytics as ba
    >>> bounces = ba.classify(ba.load(ba.samples() / "exports" / "ses").events)
    >>> lately = bounces.loc[bounces["event"] == "delivered"].tail(20)
    >>> found = ba.check_domains(lately, bounces=bounces, at=bounces["timestamp"].max())
    >>> set(found["status"]), set(found["basis"])
    ({'healthy'}, {'history'})
    """
    now = moment_of(at)
    names = names_of(domains)
    plan = plan_of(
        level,
        cache,
        max_age,
        resolvers,
        timeout,
        at_once,
        per_host,
        private=private,
        every_host=False,
        progress=progress,
    )
    return check_names(names, plan, pasts_of(bounces), now, progress)


def check_names(
    names: list[str],
    plan: Plan,
    pasts: Mapping[str, Past],
    at: pd.Timestamp,
    progress: Progress | None = None,
    keeper: Keeper | None = None,
) -> pd.DataFrame:
    """Return what :func:`check_domains` does; a keeper is told of each domain that was asked for, once it is done."""
    nothing = Past()
    asked = [name for name in names if not pasts.get(name, nothing).accepts(at)]
    judged: dict[str, dict[str, Any]] = {}

    def row_of(name: str, facts: Facts | None) -> dict[str, Any]:
        return _domain_row(name, facts, pasts.get(name, nothing), at, private=plan.private)

    def finish(facts: Mapping[str, Facts]) -> None:
        told = {name: keeper.confirmed(one) if keeper else one for name, one in facts.items()}
        rows = {name: row_of(name, one) for name, one in _understood(told).items()}
        judged.update(rows)
        if keeper:
            keeper.keep([*rows.values()])

    facts = _find_out(asked, plan, progress, finish if keeper else None)
    finish({name: one for name, one in facts.items() if name not in judged})
    rows = {name: judged[name] if name in judged else row_of(name, None) for name in names}
    if keeper and (unnamed := [rows[name] for name in asked if problem_of(name)]):
        keeper.keep(unnamed)
    return DOMAIN_COLUMNS.frame([*rows.values()])


def check_hosts(
    domains: Domains,
    *,
    level: str | Sequence[str] = "dns",
    cache: str | os.PathLike[str] | None = None,
    max_age: str | dt.timedelta = "1d",
    resolvers: Iterable[Resolver] | str | None = None,
    timeout: float = 3.0,
    at_once: int = 100,
    per_host: int = 2,
    private: bool = False,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Return the mail servers of each domain, in the order in which they are tried.

    Parameters
    ----------
    domains : str, iterable of str, pandas.Series, pandas.DataFrame or Dataset
        Domains, or addresses, which are taken by their domain; a frame by its column ``domain``.
    level : {'dns', 'greeting'}, default 'dns'
        With ``greeting``, every one of them is connected to.
    cache : path, optional
        A file that remembers what was found out, as for :func:`check_domains`.
    max_age : str or datetime.timedelta, default '1d'
        How old what is in the cache may be.
    resolvers : sequence of str, optional
        IP addresses of resolvers, with or without a port; those of this machine if not given.
    timeout : float, default 3.0
        Seconds to wait for an answer of a name server. A mail server gets five times as long.
    at_once : int, default 100
        Questions and connections that are on their way at the same time, up to 1,000.
    per_host : int, default 2
        Connections to one address of a mail server at the same time.
    private : bool, default False
        Whether addresses of private networks, or of this machine, are connected to.
    progress : callable, optional
        Called with a description, the domains done and those in total; of mail servers in a second round.

    Returns
    -------
    pandas.DataFrame
        One row per domain and mail server; none of a domain that has no mail server, or that could not be asked for.

        ================= ==============================================================================
        ``domain``        string: lower-case, IDNA ASCII form
        ``host``          string: name of the mail server
        ``preference``    Int64: lower is tried first
        ``addresses``     string: IP addresses, with commas
        ``outcome``       string: what became of the connection: greeted, refused, silent, unreachable …
        ``reply_code``    Int64: of its reply
        ``enhanced_code`` string: of its reply
        ``reason``        string: what its reply means, where it refused
        ``text``          string: its reply
        ``starttls``      boolean: it offers encryption
        ``size_limit``    Int64: largest message that it says it takes, bytes
        ``seconds``       float64: from connecting to the reply, seconds
        ================= ==============================================================================

    Raises
    ------
    FrameError
        If an argument is not what it must be.
    MissingExtraError
        If dnspython is not installed.
    SourceError
        If the cache cannot be used.

    Warns
    -----
    NoNetworkWarning
        If no name server can be reached.

    See Also
    --------
    check_domains : What follows for the domain.

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> ba.check_hosts([]).columns[:3].tolist()
    ['domain', 'host', 'preference']
    """
    names = names_of(domains)
    plan = plan_of(
        level,
        cache,
        max_age,
        resolvers,
        timeout,
        at_once,
        per_host,
        private=private,
        every_host=True,
        progress=progress,
    )
    facts = _understood(_find_out(names, plan, progress, above=3))
    return HOST_COLUMNS.frame(
        [row for name in names if name in facts for row in _host_rows(name, facts[name])]
    )


def _find_out(
    names: list[str],
    plan: Plan,
    progress: Progress | None,
    finished: Finished | None = None,
    *,
    above: int = 4,
) -> dict[str, Facts]:
    """Return the facts of domains; warn, so many calls above, if there is no network."""
    left = [name for name in names if not problem_of(name)]
    if not left:
        if progress and names:
            progress(STEP, len(names), len(names))
        return {}
    if not plan.resolvers:
        plan = replace(plan, resolvers=tuple(addresses_of(None)), doubtful=True)
    facts = find_out(names, plan, progress, finished)
    unasked = sum(name not in facts for name in left)
    if unasked:
        asked = ", ".join(address for address, _ in plan.resolvers) or "this machine names none"
        share = f"{unasked:,} of {len(names):,} domains"
        message = (
            f"no name server can be reached that knows the internet (asked: {asked}); {share} are unknown"
        )
        warnings.warn(message, NoNetworkWarning, stacklevel=above)
    return facts


def _understood(found: Mapping[str, Facts]) -> Mapping[str, Facts]:
    """Return facts whose greetings say what they mean; those are read all at once, and each once."""
    refusals = list(
        dict.fromkeys(one for facts in found.values() for one in facts.greetings if one.outcome == "refused")
    )
    if not refusals:
        return found
    meaning = load_greeter().meaning_of(refusals)
    words = zip(*(_texts(meaning[name]) for name in ("tells", "reason", "enhanced_code")), strict=True)
    meant = {
        one: replace(one, tells=tells, reason=reason, enhanced_code=code)
        for one, (tells, reason, code) in zip(refusals, words, strict=True)
    }
    return {
        name: replace(facts, greetings=tuple(meant.get(one, one) for one in facts.greetings))
        for name, facts in found.items()
    }


def _texts(values: pd.Series) -> list[str]:
    return ["" if pd.isna(value) else str(value) for value in values]


def _domain_row(
    name: str, facts: Facts | None, past: Past, at: pd.Timestamp, *, private: bool
) -> dict[str, Any]:
    state = judge(name, facts, past, at=at, private=private)
    row = dict.fromkeys(DOMAIN_COLUMNS.names) | {
        "domain": name,
        "status": state.status,
        "explanation": state.explanation,
        "advice": state.advice,
        "basis": state.basis or None,
        "last_accepted": past.last_accepted,
    }
    if facts is None:
        return row
    answers, registration = facts.answers, facts.registration
    greetings = [one for one in facts.greetings if one.outcome not in UNTRIED]
    row |= {
        "cname": answers.cname or None,
        "name_servers": ", ".join(answers.name_servers) or None,
        "rcode": answers.rcode,
        "dns_errors": "; ".join(answers.errors) or None,
        "ttl": answers.ttl,
        "registered_until": registration.until if registration else None,
        "registration": (", ".join(registration.states) or None) if registration else None,
        "registry_contact": (registration.contact or None) if registration else None,
        "checked_at": facts.checked_at,
        "hosts_answering": sum(one.outcome == "greeted" for one in greetings) if greetings else None,
        "reply": next((one.text for one in greetings if one.text), None),
    }
    if answers.rcode == "NOERROR":
        known = known_hosts()
        listed = [f"{host.preference} {host.name}" for host in answers.hosts if not answers.implicit]
        row |= {
            "mx": ", ".join(listed) or None,
            "hosts": sum(not known.means_no_mail(host.name) for host in answers.hosts),
            "implicit_mx": answers.implicit,
            "null_mx": answers.null_mx,
        }
    return row


def _host_rows(name: str, facts: Facts) -> list[dict[str, Any]]:
    greetings = {one.host: one for one in facts.greetings}
    rows = []
    for host in facts.answers.hosts:
        row = dict.fromkeys(HOST_COLUMNS.names) | {
            "domain": name,
            "host": host.name,
            "preference": host.preference,
            "addresses": ", ".join(host.addresses) or None,
            "outcome": "not_asked",
        }
        if (greeting := greetings.get(host.name)) is not None:
            row |= _greeted(greeting)
        rows.append(row)
    return rows


def _greeted(greeting: Greeting) -> dict[str, Any]:
    return {
        "outcome": greeting.outcome,
        "reply_code": greeting.reply_code,
        "enhanced_code": greeting.enhanced_code or None,
        "reason": greeting.reason or None,
        "text": greeting.text or None,
        "starttls": greeting.starttls,
        "size_limit": greeting.size,
        "seconds": None if greeting.outcome in UNTRIED else greeting.seconds,
    }

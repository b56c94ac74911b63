"""Typing errors in domains: whose addresses bounce, and that are one slip of the finger from one of many more."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa

from bounceanalytics.addresses import domain_of
from bounceanalytics.database import read_sql
from bounceanalytics.domains.free_mail import free_mail, well_known
from bounceanalytics.domains.listed import listed_addresses
from bounceanalytics.domains.names import LONGEST
from bounceanalytics.domains.slips import is_accented, latin, readable, slip, spelled_alike
from bounceanalytics.domains.suffixes import is_top_level
from bounceanalytics.errors import FrameError
from bounceanalytics.history import History
from bounceanalytics.schema import ARROW_STRING, TYPO_COLUMNS
from bounceanalytics.summaries.registrable import registrable_domains
from bounceanalytics.wording import in_short

if TYPE_CHECKING:
    import pandas as pd

    from bounceanalytics.datasets import Frame
    from bounceanalytics.domains.listed import Listed

#: What is said of an address that is not there, or of one that nobody can have.
_REASONS = ("unknown_user", "bad_domain", "bad_syntax", "moved", "mailbox_disabled", "recipient_refused")

#: The columns of a classified frame that are needed.
_COLUMNS = (
    "event", "recipient", "timestamp", "message_id", "bounce_type", "reason", "action", "esp_type",
)  # fmt: skip

#: Most names of so many letters are somebody's: it takes more to call one of them a typing error.
_SHORT = 4
_SEVERAL = 3


class _Pair(NamedTuple):
    """A domain, and one that it may have been meant to be, with what is known of both."""

    domain: str
    suggestion: str
    addresses: int
    suggested_addresses: int
    bounced: int
    dead: bool
    place: int | None
    change: str


def domain_typos(
    bounces: Frame | History, *, mailing_list: Listed | None = None, ratio: float = 100
) -> pd.DataFrame:
    """Return domains that are likely typing errors, each with the domain that was likely meant; nothing is changed.

    A domain is called one if all of this holds: it is one slip of the finger away from a free-mail domain, or from one
    that is ``ratio`` times as frequent; most of its addresses that mail was sent to bounced for good, or the bounces
    say that there is no such domain; nobody at it, nor at another domain of the same owner, ever took mail.

    Parameters
    ----------
    bounces : pandas.DataFrame, Dataset or path of one
        A classified frame.
    mailing_list : path, bytes, binary file, frame, pandas.Series or iterable of str, optional
        The list to look at: a file as :func:`clean` takes it, a frame with a column of addresses, or addresses. If it
        is not given, the addresses of the bounces are counted, which are few where the exports hold failures only.
    ratio : float, default 100
        How many times as frequent a domain has to be to be suggested; more than 1. Large free-mail domains are
        suggested however rare they are.

    Returns
    -------
    pandas.DataFrame
        One row per domain: most addresses first, then most bounced.

        ======================= ================================================================================
        ``domain``              string: lower-case, IDNA ASCII form
        ``suggestion``          string: the domain that is likely meant
        ``addresses``           int64: addresses at it in the list, or in the bounces if no list was given
        ``suggested_addresses`` int64: addresses there at the one that is likely meant
        ``bounced``             int64: addresses at it that bounced for good, in the list or not; none took mail
        ``top_reason``          category: reason of most of these
        ``change``              string: what would have been mistyped: 'a and i changed places'
        ``explanation``         string: in a sentence: gmial.com is likely gmail.com …: 14 addresses, 14 bounced
        ======================= ================================================================================

    Raises
    ------
    FrameError
        If columns are missing, ``ratio`` is not more than 1, or a frame has no column of addresses.
    SourceError, FormatError
        If a file cannot be read, or is no list.

    See Also
    --------
    label_domains : Whether domains are free mail, or disposable.
    decide : What becomes of the addresses; correcting them is left to those who know the people.

    Notes
    -----
    A slip is a letter dropped, doubled, swapped with its neighbour, or replaced by a key beside it or hit together with
    it (QWERTY, QWERTZ, AZERTY); a sign that looks like the right one, of any script (``xn--gmal-nza.com``); a dot too
    many, too few or in the wrong place; one wrong letter in a top-level domain that does not exist.

    Known free-mail domains are never taken for typing errors of one another, nor is a company for another one under a
    different top-level domain, unless that is ``.co``, ``.cm`` or the like for ``.com`` and does not exist. Names of
    up to four letters must have three bounced addresses, or not exist: most of them are somebody's. Opens, complaints,
    full mailboxes and automatic replies show that there is somebody, as deliveries do. Where no delivery is known at
    all, addresses that did not bounce count as if they had taken mail.

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> event = '{"email": "%s@gmial.com", "event": "bounce", "reason": "550 5.1.2 Host unknown", "sg_event_id": "%s"}'
    >>> exports = [(event % (name, name)).encode() for name in ("ann", "bo")]
    >>> bounces = ba.classify(ba.load(exports).events)
    >>> print(ba.domain_typos(bounces)["explanation"].iloc[0])
    gmial.com is likely gmail.com (a and i changed places): 2 addresses, 2 bounced
    """
    times = _number(ratio)
    if times is None or not times > 1:
        raise FrameError(f"ratio is {in_short(ratio)}, and must be a number of more than 1")
    with History.open(bounces) as history:
        _gather(history, mailing_list, times)
        found = _best(_likely(history, times))
        if not found:
            return TYPO_COLUMNS.empty()
        reasons = _top_reasons(history, [pair.domain for pair in found])
    rows = [
        {**pair._asdict(), "top_reason": reasons[pair.domain], "explanation": _explanation(pair)}
        for pair in found
    ]
    return TYPO_COLUMNS.frame(rows)


def _number(value: object) -> float | None:
    """Return a number, None if it is none, or too large for one."""
    try:
        return float(value) if isinstance(value, Real) else None
    except OverflowError:
        return None


def _gather(history: History, mailing_list: Listed | None, ratio: float) -> None:
    """Make the tables of ``typos.sql``."""
    history.gather(_COLUMNS)
    addresses = history.addresses
    database = history.database
    numbers = pa.array(range(len(addresses)), pa.int64())
    history.register("names", pa.table({"address": numbers, "domain": domain_of(addresses)}))
    database.execute("CREATE OR REPLACE TEMP TABLE listed (domain VARCHAR, hash UBIGINT)")
    for block in listed_addresses(mailing_list) if mailing_list is not None else ():
        history.register("typo_block", pa.table({"address": block, "domain": domain_of(block)}))
        database.execute(
            "INSERT INTO listed SELECT DISTINCT domain, hash(address) FROM typo_block WHERE domain IS NOT NULL"
        )
    likely = free_mail().likely
    history.register(
        "likely", pa.table({"domain": pa.array(likely, ARROW_STRING), "place": [*likely.values()]})
    )
    # what is longer is nobody's domain, and has as many slips as signs
    terms = {"longest": LONGEST, "reasons": _REASONS, "as_listed": mailing_list is not None, "ratio": ratio}
    history.run("domains", "typos", known=[*well_known()], **terms)


def _likely(history: History, ratio: float) -> list[_Pair]:
    """Return domains with those that they may have been meant to be, of which one slip makes them."""
    written = history.table(
        "SELECT domain FROM (SELECT domain FROM typo_suspects UNION SELECT domain FROM typo_targets)"
        " WHERE contains(domain, 'xn--') OR strlen(domain) > length(domain)"
    )["domain"].to_pylist()
    texts = [readable(domain) for domain in written]
    history.register("readable", _table(domain=written, text=texts))
    targets = history.table("SELECT domain FROM typo_targets")["domain"].to_pylist()
    alike = [(other, domain) for domain in targets for other in spelled_alike(domain)]
    alike += zip(written, map(latin, texts), strict=True)
    history.register("alike", _table(domain=[one for one, _ in alike], suggestion=[one for _, one in alike]))
    history.run("domains", "typo_pairs")
    rows = history.table(read_sql("domains", "typo_found"), ratio=ratio).to_pylist()
    changes = [slip(readable(row["domain"]), readable(row["suggestion"])) for row in rows]
    pairs = [_Pair(**row, change=change) for row, change in zip(rows, changes, strict=True) if change]
    pairs = [pair for pair in pairs if _is_convincing(pair)]
    return _of_nobody(history, pairs)


def _table(**columns: list[str]) -> pa.Table:
    return pa.table({name: pa.array(values, ARROW_STRING) for name, values in columns.items()})


def _is_convincing(pair: _Pair) -> bool:
    """Return whether enough speaks for a typing error, where the domain may well be somebody's."""
    free = pair.place is not None
    suffix, meant = pair.domain.rpartition(".")[2], pair.suggestion.rpartition(".")[2]
    if suffix != meant:
        if not is_top_level(suffix):
            return is_top_level(meant)
        of_a_country = len(suffix) == 2 and len(meant) > 2  # .co for .com
        return (free or pair.dead) if of_a_country else (free and pair.dead)
    if not free and is_accented(readable(pair.domain), readable(pair.suggestion)) and not pair.dead:
        return False
    (registered,) = registrable_domains([pair.suggestion])
    short = len(readable(registered).partition(".")[0]) <= _SHORT
    return not short or pair.dead or pair.bounced >= _SEVERAL


def _of_nobody(history: History, pairs: list[_Pair]) -> list[_Pair]:
    """Return pairs whose domain is not of somebody who takes mail at another domain of his."""
    if not pairs:
        return []
    healthy = history.table("SELECT domain FROM typo_domains WHERE accepted > 0")["domain"].to_pylist()
    owned = set(registrable_domains(healthy))
    of_domain = registrable_domains([pair.domain for pair in pairs])
    of_suggestion = registrable_domains([pair.suggestion for pair in pairs])
    return [
        pair
        for pair, own, other in zip(pairs, of_domain, of_suggestion, strict=True)
        if own == other or own not in owned
    ]


def _best(pairs: list[_Pair]) -> list[_Pair]:
    """Return one pair for each domain, worst first; none whose suggestion is a typing error itself."""
    wrong = {pair.domain for pair in pairs}
    best: dict[str, _Pair] = {}
    for pair in sorted(pairs, key=_likeliest_first):
        if pair.suggestion not in wrong:
            best.setdefault(pair.domain, pair)
    return sorted(best.values(), key=lambda pair: (-pair.addresses, -pair.bounced, pair.domain))


def _likeliest_first(pair: _Pair) -> tuple[int, float, str]:
    place = float("inf") if pair.place is None else pair.place
    return -pair.suggested_addresses, place, pair.suggestion


def _top_reasons(history: History, domains: list[str]) -> dict[str, str]:
    """Return the reason of most of the bounced addresses of each domain."""
    history.register("typo_wanted", _table(domain=domains))
    found = history.table(
        """SELECT domain, arg_max(reason, (n, reason)) AS reason
           FROM (SELECT domain, reason, count(*) AS n FROM typo_mailboxes JOIN names USING (address)
                 SEMI JOIN typo_wanted USING (domain) WHERE bounced GROUP BY ALL)
           GROUP BY domain"""
    )
    return dict(zip(found["domain"].to_pylist(), found["reason"].to_pylist(), strict=True))


def _explanation(pair: _Pair) -> str:
    written, meant = (
        name if readable(name) == name else f"{readable(name)} ({name})"
        for name in (pair.domain, pair.suggestion)
    )
    listed = "1 address" if pair.addresses == 1 else f"{pair.addresses:,} addresses"
    return f"{written} is likely {meant} ({pair.change}): {listed}, {pair.bounced:,} bounced"

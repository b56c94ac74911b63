"""Cures for frames of another kind than is needed: known by some of their columns, and told the right call."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

EVENTS, BOUNCES, VERDICTS = "an event frame", "a classified frame", "a frame of verdicts"


@dataclass(frozen=True, slots=True)
class Kind:
    """A frame of this package, as users come by it.

    Attributes
    ----------
    name : str
        Its :attr:`bounceanalytics.schema.Table.name`, where it has one of its own.
    marks : str
        Columns that tell it from others listed below it, separated by blanks.
    maker : str
        What makes it.
    chart : str
        The chart that draws it.
    """

    name: str
    marks: str
    maker: str
    chart: str = ""


#: Of two that fit a frame the first one is meant.
KINDS = (
    Kind(BOUNCES, "recipient event bounce_type reason rule", "ba.classify(events)"),
    Kind(EVENTS, "recipient event esp_event record", "ba.load(source).events"),
    Kind(VERDICTS, "address verdict explanation", "ba.decide(bounces)"),
    Kind("a summary of domains", "domain hard_shrunk trend", "ba.summarize_domains(bounces)", "domains"),
    Kind(
        "a summary of registrable domains",
        "registrable_domain hard_shrunk",
        "ba.summarize_registrable_domains(bounces)",
        "registrable_domains",
    ),
    Kind("a summary of tags", "tag top_reason", "ba.summarize_tags(bounces)", "tags"),
    Kind(
        "a summary of sending IPs",
        "sending_ip top_reason",
        "ba.summarize_sending_ips(bounces)",
        "sending_ips",
    ),
    Kind("a summary of mail servers", "remote_host top_reason", "ba.summarize_hosts(bounces)", "hosts"),
    Kind(
        "a summary of mailbox providers",
        "mailbox_provider top_reason",
        "ba.summarize_mailbox_providers(bounces)",
        "mailbox_providers",
    ),
    Kind(
        "a summary of domains and days",
        "domain period hard_rate",
        "ba.summarize_domain_days(bounces)",
        "domain_days",
    ),
    Kind("a summary of days", "period hard_rate", "ba.summarize_days(bounces)", "days"),
    Kind("a summary of changes", "measure rate_before", "ba.summarize_changes(bounces)", "changes"),
    Kind(
        "a summary of domains and reasons",
        "domain reason title bounced",
        "ba.summarize_domain_reasons(bounces)",
        "domain_reasons",
    ),
    Kind("a summary of reasons", "reason title bounced", "ba.summarize_reasons(bounces)", "reasons"),
    Kind("a summary of codes", "code_class code bounced", "ba.summarize_codes(bounces)", "codes"),
    Kind(
        "a summary of full mail systems",
        "domain weeks_out",
        "ba.summarize_system_full(bounces)",
        "system_full",
    ),
    Kind("a summary of ESPs", "provider account_rate", "ba.summarize_esps(bounces)", "esps"),
    Kind("a summary of actions", "action fault bounced", "ba.summarize_actions(bounces)", "actions"),
    Kind("a summary of storms", "accepted_before p_value", "ba.storms(bounces)", "storms"),
    Kind("a frame of recovery curves", "episodes at_risk", "ba.recovery_curves(bounces)", "recovery_curves"),
    Kind("a summary of recovery", "episodes median_days", "ba.recovery(bounces)"),
    Kind("a frame of days to wait", "retry_days", "ba.retry_days(bounces)"),
    Kind("a frame of incidents", "kind title sentence", "ba.incidents(bounces)"),
    Kind("a comparison of policies", "policy wrong_share", "ba.compare_policies(bounces)", "policies"),
    Kind("a frame of conflicts", "template text_says", "ba.conflicts(bounces)"),
    Kind(
        "a frame of texts that no rule understood",
        "template rule_line",
        "ba.unclassified(bounces)",
        "unclassified",
    ),
    Kind("a frame of files", "source form loaded rejected", "load.files"),
    Kind("a frame of rejected records", "source offset error", "load.rejects"),
    Kind("the registry of codes", "code meaning do_now", "ba.codes()"),
)
_BY_NAME = {kind.name: kind for kind in KINDS}

#: What is still to be done with events, and with a classified frame, to get what is needed.
_OF_EVENTS = {
    EVENTS: "{0}",
    BOUNCES: "ba.classify({0})",
    VERDICTS: "ba.decide(ba.classify({0}))",
}


def kind_of(columns: Iterable[object]) -> Kind | None:
    """Return which frame of this package has such columns, if any.

    >>> kind_of(["address", "verdict", "reason", "explanation"]).maker
    'ba.decide(bounces)'
    """
    there = set(map(str, columns))
    return next((kind for kind in KINDS if there.issuperset(kind.marks.split())), None)


def cure_of_frame(columns: Iterable[object], what: str) -> str:
    """Return what a frame with these columns is and what to do instead; empty where nobody can tell.

    Parameters
    ----------
    columns : iterable
    what : str
        Name of the frame that is needed.
    """
    kind = kind_of(columns)
    if kind is None:
        return _ADVICE.get(what, "") or (f"pass {_maker(what)}" if _maker(what) else "")
    if kind.name == what:
        return f"this is what is left of one; keep all columns of {kind.maker}"
    return f"this is {kind.name}: {_cure(kind, what)}"


def _cure(kind: Kind, what: str) -> str:
    """Return what to do with a frame of a kind where another one is needed."""
    if what in _OF_EVENTS and kind.name == EVENTS:
        return f"call {_OF_EVENTS[what].format('events')} first"
    if what == VERDICTS and kind.name == BOUNCES:
        return "call ba.decide(bounces) first"
    wanted = _BY_NAME.get(what)
    if wanted is None:
        return "it cannot be used here"
    if not wanted.chart:
        return f"pass {_ITSELF.get(what, wanted.maker)}"
    own = f", and charts.{kind.chart} what you have" if kind.chart else ""
    return f"charts.{wanted.chart} draws {wanted.maker}{own}"


_ITSELF = {EVENTS: "load.events", BOUNCES: "ba.classify(events) itself"}

#: Of frames that are none of ours.
_ADVICE = {
    EVENTS: "ba.load(source).events is one, and ba.read_table(frame, mapping) makes one of any other table",
    BOUNCES: "ba.classify(events) is one, of ba.load(source).events or of ba.read_table(frame, mapping)",
    VERDICTS: "ba.decide(bounces) is one",
}


def _maker(what: str) -> str:
    return _BY_NAME[what].maker if what in _BY_NAME else ""


def cure_of_thing(value: Any, what: str) -> str:
    """Return what to do with something that is no frame; empty where nobody can tell."""
    if isinstance(value, (str, os.PathLike)):
        return _from_events("ba.load(…).events", what, "call")
    if isinstance(value, (list, dict)):
        return _ADVICE.get(what, f"pass {_maker(what)}" if _maker(what) else "")
    cure = _THINGS.get(type(value).__name__)
    return cure(what) if cure else ""


def _of_summaries(what: str) -> str:
    chart = _BY_NAME[what].chart if what in _BY_NAME else ""
    field = {"mailbox_providers": "providers"}.get(chart, chart)
    kept = field and what.startswith("a summary") and field != "storms"
    return f"take summaries.{field}" if kept else "pass the classified frame that it was made of"


#: Type of our own that is no frame -> what to do where this frame is needed.
_THINGS: dict[str, Callable[[str], str]] = {
    "Load": lambda what: _from_events("load.events", what, "take"),
    "Summaries": _of_summaries,
    "Ledger": lambda what: "take ledger.verdicts()" if what == VERDICTS else "",
    "Dataset": lambda what: f"pass {_maker(what).replace('bounces', 'dataset')}" if _maker(what) else "",
    "Series": lambda _: "it is one row or column: pass the whole frame",
}


def _from_events(events: str, what: str, verb: str) -> str:
    if what == EVENTS:
        return f"{verb} {events}"
    if what in _OF_EVENTS:
        return f"call {_OF_EVENTS[what].format(events)} first"
    return f"pass {_maker(what)}, with bounces = ba.classify({events})" if _maker(what) else f"take {events}"

"""Alerts of a report: refusals, changes since the period before, storms, domains gone wrong, evidence in doubt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bounceanalytics.knowledge.rules import mailbox_title
from bounceanalytics.schema import REASONS, STRING
from bounceanalytics.summaries.changes import LEAST_HITS
from bounceanalytics.wording import MEASURES, changed, count, joined, number, percent, rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from bounceanalytics.report.verdict import Tone, Totals
    from bounceanalytics.summaries import Summaries

#: Domains and reasons that one alert names.
_NAMED = 3
#: Alerts of one kind.
_MOST = 4

_MINUS = "\N{MINUS SIGN}"


@dataclass(frozen=True, slots=True)
class Alert:
    """One thing that needs a look: a few words, and a sentence."""

    tone: Tone
    title: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Figure:
    """One key figure now and before, as words."""

    name: str
    now: str
    before: str
    change: str
    tone: Tone


def alerts(
    summaries: Summaries,
    storms: pd.DataFrame,
    conflicts: pd.DataFrame,
    unknown: pd.DataFrame,
    before: Summaries | None,
    incidents: pd.DataFrame | None = None,
) -> tuple[Alert, ...]:
    """Return what needs a look, the most urgent first.

    Parameters
    ----------
    summaries : Summaries
        Of the period.
    storms, conflicts, unknown : pandas.DataFrame
        From :func:`bounceanalytics.storms`, :func:`bounceanalytics.conflicts` and :func:`bounceanalytics.unclassified`.
    before : Summaries or None
        Of the period before.
    incidents : pandas.DataFrame or None
        From :func:`bounceanalytics.incidents`.
    """
    found = [
        *([] if incidents is None else _refusals(incidents)),
        *_storms(storms),
        *_changes(
            summaries.provider_changes[summaries.provider_changes["name"] != "other"], "mailbox provider"
        ),
        *_changes(summaries.changes, "domain"),
        *([] if before is None else _new(summaries, before)),
        *_conflicts(conflicts),
        *_unknown(unknown),
    ]
    urgency: dict[Tone, int] = {"act": 0, "watch": 1, "plain": 2, "good": 3}
    return tuple(sorted(found, key=lambda alert: urgency[alert.tone]))


def _refusals(incidents: pd.DataFrame) -> Iterator[Alert]:
    refused = incidents[incidents["kind"] == "refusal"]
    for row in rows(refused.nlargest(_MOST, "reached")):
        advice = "Find the cause before the next mailing; who is to have this one needs it once more."
        yield Alert("act", "A mailing refused", f"{row.sentence} {advice}")


def _storms(found: pd.DataFrame) -> Iterator[Alert]:
    for row in rows(found.nlargest(_MOST, "addresses")):
        yield Alert("act", "Storm", f"{row.explanation} Do not remove these addresses for it.")


def _changes(changes: pd.DataFrame, kind: str) -> Iterator[Alert]:
    worse = changes[changes["kind"] != "fall"]
    for row in rows(worse.head(_MOST)):
        name = mailbox_title(row.name) if kind == "mailbox provider" else row.name
        yield Alert(
            "act",
            f"{MEASURES[str(row.measure)][0]} at {name}",
            f"{percent(row.rate_after)} of {count(row.attempted_after, 'message')} {changed(row.kind, row.at)}; "
            f"before that {percent(row.rate_before)} of {number(row.attempted_before)}.",
        )
    if len(worse) > _MOST:
        more = count(len(worse) - _MOST, f"more {kind}", f"more {kind}s")
        yield Alert(
            "watch", "Others", f"{more} got worse as well; see the chart of changes and the table of domains."
        )


def _new(now: Summaries, before: Summaries) -> Iterator[Alert]:
    """Yield what bounces now and did not in the period before."""
    calm = set(before.domains.loc[before.domains["hard"] > 0, "domain"])
    domains = now.domains[(now.domains["hard"] >= LEAST_HITS) & ~now.domains["domain"].isin(calm)]
    if len(domains):
        names = [f"{row.domain} ({number(row.hard)})" for row in rows(domains.head(_NAMED))]
        more = f" and {number(len(domains) - _NAMED)} more" if len(domains) > _NAMED else ""
        what = f"{joined(names)}{more} had no hard bounce in the period before."
        yield Alert("watch", "New domains with hard bounces", what)
    known = set(before.reasons.loc[before.reasons["bounced"] > 0, "reason"].astype(STRING))
    reasons = [
        f"{REASONS[str(row.reason)].title.lower()} ({number(row.bounced)})"
        for row in rows(now.reasons)
        if row.bounced >= LEAST_HITS and str(row.reason) not in known
    ]
    if reasons:
        yield Alert("watch", "New reasons", f"{joined(reasons)}: not met in the period before.")


def _conflicts(found: pd.DataFrame) -> Iterator[Alert]:
    if len(found):
        events, addresses = int(found["events"].sum()), int(found["addresses"].sum())
        yield Alert(
            "watch",
            "Evidence that disagrees",
            f"Of {count(events, 'bounce')} to {count(addresses, 'address', 'addresses')} the server's text, its code "
            f"and the ESP's word disagree, most at {found['worst_domain'].iloc[0]}. None of them removes anybody; "
            "conflicts() lists them.",
        )


def _unknown(found: pd.DataFrame) -> Iterator[Alert]:
    if len(found):
        kinds, events = (
            count(len(found), "kind of text", "kinds of texts"),
            count(int(found["events"].sum()), "bounce"),
        )
        yield Alert(
            "watch",
            "Texts that no rule knows",
            f"{kinds} in {events}, most at {found['worst_domain'].iloc[0]}. unclassified() lists them, each with a "
            "rule to fill in.",
        )


def figures(now: Totals, before: Totals) -> tuple[Figure, ...]:
    """Return the key figures of two periods side by side."""
    told = [
        _counted("Attempted", now.attempted, before.attempted),
        _counted("Hard bounces", now.hard, before.hard),
        _counted("Soft bounces", now.soft, before.soft),
        _counted("Blocks", now.block, before.block),
        _counted("Not tried", now.dropped, before.dropped),
    ]
    if now.known and before.known:
        told.insert(1, _rated("Delivered, share", now.delivered_rate, before.delivered_rate, good=True))
        told.insert(2, _rated("Hard rate", now.hard_rate, before.hard_rate, good=False))
    return tuple(told)


def _counted(name: str, now: int, before: int) -> Figure:
    change = "as before" if now == before else f"{now - before:+,}".replace("-", _MINUS)
    return Figure(name, number(now), number(before), change, "plain")


def _rated(name: str, now: float, before: float, *, good: bool) -> Figure:
    points = round(100 * (now - before), 1)
    change = f"{points:+.1f} points".replace("-", _MINUS) if points else "as before"
    tone: Tone = "plain" if not points else "good" if (points > 0) == good else "act"
    return Figure(name, percent(now), percent(before), change, tone)


def on_the_whole(now: Totals, before: Totals, period: str) -> str:
    """Return the sentence about the hard rate in two periods; empty where one has no rate."""
    if not (now.known and before.known):
        return ""
    points = 100 * (now.hard_rate - before.hard_rate)
    if abs(points) < 0.05:
        return f"The hard rate is that of the period before ({period})."
    word = "up" if points > 0 else "down"
    return f"The hard rate is {word} from {percent(before.hard_rate)} in the period before ({period})."

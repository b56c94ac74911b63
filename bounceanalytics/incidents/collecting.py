"""Collecting incidents from storms, refusals, changes and full mail systems."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from bounceanalytics.knowledge.rules import mailbox_title
from bounceanalytics.schema import INCIDENT_COLUMNS
from bounceanalytics.wording import count, day, days, esp_title, number, percent, reason_title, rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bounceanalytics.summaries import Summaries

#: (measure, kind of change) -> kind of incident, what is written on a chart, and in a sentence.
_CHANGES = {
    ("block", "rise"): ("block", "blocks begin", "has refused more mail because of the sender since"),
    ("block", "spike"): (
        "block",
        "blocks",
        "refused far more mail than before because of the sender in the period from",
    ),
    ("block", "fall"): ("recovery", "fewer blocks", "has refused less mail because of the sender since"),
    ("hard", "rise"): ("spike", "more hard bounces", "has sent back more mail for good since"),
    ("hard", "spike"): (
        "spike",
        "hard bounces",
        "sent back far more mail for good than before in the period from",
    ),
    ("hard", "fall"): ("recovery", "fewer hard bounces", "has sent back less mail for good since"),
}


def collect(found: pd.DataFrame, summaries: Summaries, refusals: pd.DataFrame) -> pd.DataFrame:
    """Return the incidents where storms, summaries and refusals are there already."""
    refused = refusals[~_told_as_storms(refusals, found) & refusals["top_reason"].ne("system_full")]
    changes = summaries.provider_changes
    changes = changes[~(changes["kind"].eq("spike") & changes["name"].isin(refused["mailbox"]))]
    told = [
        *_of_storms(found),
        *_of_refusals(refused),
        *_of_changes(changes),
        *_of_full(summaries.system_full),
    ]
    return INCIDENT_COLUMNS.frame(told).sort_values(["start", "kind", "name"], ignore_index=True)


def _of_storms(found: pd.DataFrame) -> Iterator[tuple[Any, ...]]:
    for row in rows(found):
        if row.kind == "everything":
            name, title = esp_title(str(row.provider)), "everything bounced"
        else:
            name, title = mailbox_title(row.mailbox_provider, row.domain), "storm of unknown users"
        yield "storm", row.start, row.end, name, row.addresses, f"{name}: {title}", row.explanation


def _told_as_storms(refusals: pd.DataFrame, found: pd.DataFrame) -> pd.Series[bool]:
    """Return which refusals lie in a storm."""
    mailboxes = found["mailbox_provider"].where(found["mailbox_provider"].ne("other"), "@" + found["domain"])
    told = pd.Series(data=False, index=refusals.index)
    for mailbox, storm in zip(mailboxes, rows(found), strict=True):
        here = refusals["mailbox"].eq(mailbox) | (storm.kind == "everything")
        told |= here & refusals["start"].le(storm.end) & refusals["end"].ge(storm.start)
    return told


def _of_refusals(refusals: pd.DataFrame) -> Iterator[tuple[Any, ...]]:
    for row in rows(refusals):
        name = (
            mailbox_title("other", row.domain) if row.mailbox.startswith("@") else mailbox_title(row.mailbox)
        )
        later = f"; {number(row.recovered)} of these took mail later" if row.recovered else ""
        sentence = (
            f"{name} refused {number(row.refused)} of {count(row.tried, 'message')} {_when(row.start, row.end)} to "
            f"{count(row.addresses, 'address', 'addresses')} (“{reason_title(row.top_reason).lower()}”), "
            f"where {percent(row.usual_share)} is usual{later}."
        )
        yield "refusal", row.start, row.end, name, row.addresses, f"{name}: took nothing", sentence


def _when(start: Any, end: Any) -> str:
    told = days(start, end)
    return f"on {told}" if told == day(start) else f"from {told}"


def _of_changes(changes: pd.DataFrame) -> Iterator[tuple[Any, ...]]:
    for row in rows(changes[changes["name"] != "other"]):  # those have nothing in common
        kind, title, words = _CHANGES[str(row.measure), str(row.kind)]
        name = mailbox_title(row.name)
        sentence = (
            f"{name} {words} {day(row.at)}: {percent(row.rate_after)} of {count(row.attempted_after, 'message')}, "
            f"before that {percent(row.rate_before)} of {number(row.attempted_before)}."
        )
        yield kind, row.at, pd.NaT, name, row.failed_after, f"{name}: {title}", sentence


def _of_full(full: pd.DataFrame) -> Iterator[tuple[Any, ...]]:
    """Yield when permanent answers began, and when mail was accepted again."""
    for row in rows(full[(full["permanent"] > 0) & full["first_seen"].notna()]):
        reached = count(row.addresses, "address", "addresses")
        sentence = f"{row.domain} said from {day(row.first_seen)} to {day(row.last_seen)} that its mail system is full"
        yield (
            "full",
            row.first_seen,
            row.last_seen,
            row.domain,
            row.addresses,
            f"{row.domain}: mail system full",
            f"{sentence}, to {reached}.",
        )
        if row.recovered:
            yield (
                "recovery",
                row.accepted_again,
                pd.NaT,
                row.domain,
                row.addresses,
                f"{row.domain}: takes mail again",
                f"{row.domain} accepted mail again on {day(row.accepted_again)}, after a full mail system.",
            )

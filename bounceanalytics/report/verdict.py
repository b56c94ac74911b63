"""The verdict of a report, in sentences: how much, whose fault, what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from bounceanalytics.knowledge.limits import bounce_rate_limits
from bounceanalytics.knowledge.rules import mailbox_title
from bounceanalytics.schema import REASONS, STRING
from bounceanalytics.wording import FAULTS, count, day, esp_title, joined, number, percent, rows

if TYPE_CHECKING:
    from bounceanalytics.summaries import Summaries

Tone = Literal["good", "watch", "act", "plain"]

#: Below this many messages a rate of one domain or provider says little.
ENOUGH = 50

#: (action, fault) -> what to do with so many addresses.
_TASKS = {
    ("remove", "recipient"): ("Remove", "answered that they do not exist or are closed for good"),
    ("remove", "receiver"): (
        "Remove or hold",
        "are on servers whose storage is full for good; look at these domains again from time to time",
    ),
    ("fix", "sender"): (
        "Keep, and fix the sending side",
        "were refused because of the sender, not the address",
    ),
    ("fix", "content"): ("Keep, and change the message", "were refused because of what the message held"),
    ("retry", "receiver"): ("Wait", "failed for a passing trouble of the receiving server"),
    ("retry", "recipient"): ("Wait", "have a mailbox that is full for now"),
    ("retry", "sender"): ("Send more slowly", "were put off because too much came at once"),
    ("review", "recipient"): (
        "Look at",
        "were refused in a way that leaves open whether they can be reached",
    ),
    ("review", "unknown"): ("Look at", "gave an answer that no rule knows"),
}
_OTHER_TASKS = {
    "remove": ("Remove", "answered that mail will never arrive"),
    "fix": ("Keep, and look for the cause", "were refused for a cause that can be mended"),
    "retry": ("Wait", "failed for the time being"),
    "review": ("Look at", "need a person to decide"),
}


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over the whole frame; rates are over the messages of which deliveries are known.

    ``counted`` messages were not tried, and still are bounces of the account at the ESP ``account``.
    """

    events: int
    attempted: int
    delivered: int
    bounced: int
    hard: int
    soft: int
    block: int
    unknown: int
    dropped: int
    pending: int
    domains: int
    addresses: int
    hard_rate: float
    delivered_rate: float
    counted: int
    account: str
    account_rate: float
    without_deliveries: tuple[str, ...]

    @property
    def known(self) -> bool:
        """Whether there is a rate at all."""
        return self.hard_rate == self.hard_rate

    @property
    def listed(self) -> bool:
        """Whether all that is known stands on suppression lists, which hold nothing but failures."""
        return not self.events

    @property
    def tried(self) -> bool:
        """Whether the number of messages that were tried is known: where nothing arrived, the files do not tell."""
        return self.known or self.delivered > 0


@dataclass(frozen=True, slots=True)
class Task:
    """One thing to do: with how many addresses, and why."""

    addresses: int
    what: str
    why: str
    tone: Tone


@dataclass(frozen=True, slots=True)
class Verdict:
    """The head of the report: one headline, the sentences under it, and what to do."""

    tone: Tone
    headline: str
    sentences: tuple[str, ...]
    tasks: tuple[Task, ...]


def totals(summaries: Summaries) -> Totals:
    """Return the sums; an address counts once, in its domain."""
    esps, domains = summaries.esps, summaries.domains
    known = esps[esps["deliveries_known"]]
    silent = esps.loc[~esps["deliveries_known"] & (esps["bounced"] > 0), "provider"].astype(STRING)
    rated = int(known["rated"].sum())
    account = known[known["counted"] > 0].nlargest(1, "account_rate")
    return Totals(
        **{name: int(esps[name].sum()) for name in _SUMMED},
        counted=int(account["counted"].sum()),
        account="".join(map(esp_title, account["provider"].astype(STRING))),
        account_rate=float(account["account_rate"].sum()),
        domains=len(domains),
        addresses=int(domains["addresses"].sum()),
        hard_rate=float((known["hard_rate"] * known["rated"]).sum() / rated) if rated else float("nan"),
        delivered_rate=1 - float((known["bounce_rate"] * known["rated"]).sum() / rated)
        if rated
        else float("nan"),
        without_deliveries=tuple(map(esp_title, silent)),
    )


_SUMMED = (
    "events",
    "attempted",
    "delivered",
    "bounced",
    "hard",
    "soft",
    "block",
    "unknown",
    "dropped",
    "pending",
)


def verdict(
    summaries: Summaries, sums: Totals, listed: int, incidents: pd.DataFrame | None = None
) -> Verdict:
    """Return headline, sentences and tasks.

    Parameters
    ----------
    summaries : Summaries
    sums : Totals
    listed : int
        Entries of suppression lists in the frame, which are no sending events.
    incidents : pandas.DataFrame or None
        From :func:`bounceanalytics.incidents`; who took nothing for a time comes first.
    """
    tone, headline = _headline(sums, listed)
    for row in rows(_refusals(incidents).head(1)):
        tone, headline = "act", f"{row.title.replace(':', '')} on {day(row.start)}. {headline}"
    sentences = [_how_many(sums), _fault(summaries), _concentration(summaries, sums), _system_full(summaries)]
    return Verdict(tone, headline, tuple(text for text in sentences if text), _tasks(summaries))


def _refusals(incidents: pd.DataFrame | None) -> pd.DataFrame:
    """Return those who took nothing for a time from enough addresses, the most first."""
    if incidents is None:
        return pd.DataFrame()
    refused = incidents[(incidents["kind"] == "refusal") & (incidents["reached"] >= ENOUGH)]
    return refused.sort_values("reached", ascending=False, kind="stable")


def _headline(sums: Totals, listed: int) -> tuple[Tone, str]:
    if sums.known:
        tone, rest = _against_limits(
            max(sums.hard_rate, sums.account_rate) if sums.counted else sums.hard_rate
        )
        counts = f", {percent(sums.account_rate)} as {sums.account} counts" if sums.counted else ""
        return tone, f"{percent(sums.hard_rate)} of all messages bounced hard{counts}{rest}"
    if sums.bounced and sums.listed:
        on_lists = count(sums.bounced, "bounce")
        return "plain", f"{on_lists} on suppression lists, which hold no deliveries: there is no rate."
    if sums.attempted:
        came_back = count(sums.bounced, "message")
        return "plain", f"{came_back} bounced. The exports hold no deliveries, so there is no rate."
    if sums.dropped:
        return "plain", f"No message was tried: the ESP kept back all {number(sums.dropped)}."
    if listed:
        return (
            "plain",
            f"These files hold {count(listed, 'entry', 'entries')} of suppression lists and no sending.",
        )
    return "plain", "These files hold no messages."


def _against_limits(rate: float) -> tuple[Tone, str]:
    """Return how a hard rate stands beside the limits of an ESP, and what to say of it."""
    limits = bounce_rate_limits()
    esp = esp_title(limits.esp)
    if rate >= limits.pause:
        return "act", f". At {limits.pause:.0%} {esp} may pause an account."
    if rate >= limits.review:
        return "act", f". At {limits.review:.0%} {esp} reviews an account."
    wanted = f"the {limits.wanted:.0%} that {esp} asks for."
    if rate >= limits.wanted:
        return "watch", f": below the limit of {limits.review:.0%}, and above {wanted}"
    return "good", f": below {wanted}"


def _how_many(sums: Totals) -> str:
    if not sums.attempted:
        return ""
    kinds = (
        (sums.hard, "hard"),
        (sums.soft, "soft"),
        (sums.block, "blocked"),
        (sums.unknown, "not classified"),
    )
    split = ", ".join(f"{number(n)} {name}" for n, name in kinds if n)
    text = f"{count(sums.attempted, 'message')} to {count(sums.addresses, 'address', 'addresses')}"
    text += f" on {count(sums.domains, 'domain')}"
    if sums.tried:
        text = f"Of {text}, {number(sums.delivered)} arrived and {number(sums.bounced)}"
    text += " came back"
    text += f" ({split})." if split else "."
    if sums.dropped:
        text += f" The ESP did not even try {count(sums.dropped, 'more message', 'more messages')}."
    if sums.counted:
        text += f" {sums.account} counts {number(sums.counted)} of these in the account's bounce rate: the addresses"
        text += " are on the list that it keeps for all its customers."
    if sums.known and sums.without_deliveries:
        text += f" The rate leaves out {joined(sums.without_deliveries)}, whose exports hold no deliveries."
    return text


def _fault(summaries: Summaries) -> str:
    by_fault = summaries.actions.groupby("fault", observed=True)["bounced"].sum().sort_values(ascending=False)
    total = by_fault.sum()
    if not total:
        return ""
    (first, most), *others = by_fault.items()
    reason = REASONS[summaries.reasons["reason"].iloc[0]].title.lower()
    text = f"{percent(most / total)} of the bounces are down to {FAULTS[str(first)].phrase}"
    mine = int(by_fault.reindex(["sender", "content"]).sum())
    if first in ("sender", "content"):
        text += ", which is good news: the addresses are fine"
    elif mine:
        text += f"; {percent(mine / total)} are for the sender to mend"
    elif others:
        text += f"; the rest to {FAULTS[str(others[0][0])].phrase}" + (
            " and others" if len(others) > 1 else ""
        )
    return f"{text}. The most frequent reason is “{reason}”."


def _concentration(summaries: Summaries, sums: Totals) -> str:
    texts = []
    if sums.hard and len(summaries.domains) > 1:
        worst = summaries.domains.iloc[0]
        share = worst["hard"] / sums.hard
        if share >= 0.2:
            texts.append(f"{worst['domain']} alone accounts for {percent(share)} of the hard bounces.")
    blocks = summaries.providers.nlargest(1, "block")
    if sums.block >= ENOUGH and len(summaries.providers) > 1:
        share = blocks["block"].iloc[0] / sums.block
        if share >= 0.5:
            texts.append(
                f"{percent(share)} of the blocks come from {_at(blocks['mailbox_provider'].iloc[0])}."
            )
    return " ".join(texts)


def _system_full(summaries: Summaries) -> str:
    full = summaries.system_full
    permanent = full[full["permanent"] > 0]
    if permanent.empty:
        return ""
    back = int(permanent["recovered"].sum())
    text = f"{count(len(permanent), 'domain')} answered that the mail system is full for good (5.3.1)"
    if not back:
        return f"{text}; none has been seen to accept mail since."
    if back == len(permanent):
        return f"{text}, and mail was accepted again {'there' if back == 1 else 'at all of them'} later."
    return f"{text}; {number(back)} of them took mail again later."


def _tasks(summaries: Summaries) -> tuple[Task, ...]:
    tones: dict[str, Tone] = {"remove": "act", "fix": "watch", "retry": "plain", "review": "watch"}
    tasks = []
    for row in rows(summaries.actions.sort_values(["action", "addresses"], key=_by_urgency, ascending=False)):
        action, fault = str(row.action), str(row.fault)
        what, why = _TASKS.get((action, fault), _OTHER_TASKS[action])
        tasks.append(Task(int(row.addresses), what, why, tones[action]))
    return tuple(tasks)


def _by_urgency(column: pd.Series[Any]) -> pd.Series[Any]:
    order = {"retry": 0, "review": 1, "fix": 2, "remove": 3}
    return column.astype(STRING).map(order) if column.name == "action" else column


def over_time(days: pd.DataFrame, unit: str) -> str:
    """Return the caption of the chart over time: the worst period that is large enough to tell."""
    told = days[days["deliveries_known"] & days["period"].notna() & (days["attempted"] >= ENOUGH)]
    if len(told) < 3:
        return ""
    by_rate = told.sort_values("hard_rate", kind="stable")
    best, worst = by_rate.iloc[0], by_rate.iloc[-1]
    if not worst["hard"]:
        return f"No {unit} had hard bounces."
    when = {"week": "in the week of", "month": "in the month from"}.get(unit, "on")
    return (
        f"The hard rate was highest {when} {day(worst['period'])} ({percent(worst['hard_rate'])}) "
        f"and lowest {when} {day(best['period'])} ({percent(best['hard_rate'])})."
    )


def recovered(totals: dict[str, int]) -> str:
    """Return the sentence about those who took mail again; empty where nobody bounced at a known time."""
    began = totals["episodes"]
    if not began:
        return ""
    text = f"Of {count(began, 'time')} that an address began to bounce, {number(totals['recovered'])} were seen to"
    text += " end with mail taken again"
    if totals["no_longer_tried"]:
        text += (
            f"; in {number(totals['no_longer_tried'])} the address was no longer tried, so that nobody knows"
        )
    return f"{text}."


def by_provider(providers: pd.DataFrame) -> str:
    """Return the caption of the chart of mailbox providers: who is surely above the limit."""
    told = providers[providers["deliveries_known"] & (providers["attempted"] >= ENOUGH)]
    limit = bounce_rate_limits().review
    above = [_at(name) for name in told.loc[told["hard_low"] > limit, "mailbox_provider"]]
    if told.empty:
        return ""
    if above:
        return f"Beyond doubt above {limit:.0%}, for the whole interval lies above it: {joined(above)}."
    return f"No provider is beyond doubt above {limit:.0%}: every interval reaches below it."


def _at(provider: str) -> str:
    return "domains of no known provider" if provider == "other" else mailbox_title(provider)

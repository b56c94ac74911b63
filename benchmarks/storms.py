"""Find storms in simulated months of letters, and count what is found, missed, and found where there is none.

Each scenario is some months of a sender's letters: deliveries, bounces, deaths at a usual rate, an ESP that drops who was
refused, opens by some. Something happens to one letter: a storm, or what looks like one. Beside the storms stand the
addresses: living ones that ``decide`` would remove by its default policy, and dead ones that it would keep.

    python benchmarks/storms.py
    python benchmarks/storms.py --only hoster --seeds 5 --show
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

import bounceanalytics as ba
from bounceanalytics import schema

COLUMNS = schema.BOUNCE_COLUMNS
BEGIN = pd.Timestamp("2024-01-09T09:00Z")

#: Where people have their mailboxes: domain, mailbox provider, share of a list, and over how many domains they are spread.
HOMES = (
    ("gmail.example", "google", 0.4, 1),
    ("outlook.example", "microsoft", 0.2, 1),
    ("yahoo.example", "yahoo", 0.1, 1),
    ("small{n}.example", "other", 0.3, 150),
)


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """What happens at one letter.

    Attributes
    ----------
    letter : int
        At which, from 0.
    home : str
        At the domains that begin so; all of them where it is empty.
    share : float
        Of the people there.
    reason : str
        What is said.
    dead : bool
        Whether it is true.
    idle : bool
        Whether only those are struck who never open.
    hours : tuple of float
        From when to when, after the letter began.
    late : float
        The answer comes so many hours after the message was sent.
    """

    letter: int
    home: str = ""
    share: float = 1.0
    reason: str = "unknown_user"
    dead: bool = False
    idle: bool = False
    hours: tuple[float, float] = (0.0, 1000.0)
    late: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Extra:
    """Addresses beside the list: a share of them are dead from the beginning; they may get some letters ``only``."""

    home: str
    provider: str
    people: int
    domains: int = 1
    first: int = 0
    shift: float = 0.0
    dead: float = 0.0
    only: tuple[int, ...] = ()
    host: str | None = None


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """Some months of one sender.

    Attributes
    ----------
    name : str
    storms : int
        How many there really are.
    troubles, extras : tuple
    people, letters, days : int
        On the list; in all; between two.
    spread : float
        Hours in which a letter goes out.
    deaths : float
        Share of the living that die in a month.
    opens : float
        Share of people that open at all; a third of their letters.
    listed : bool
        The ESP drops who was refused.
    late : float
        Hours after which every bounce comes in.
    scattered : bool
        Bounces come in at any time up to then.
    beside : float
        Share of the people who get other mail in the two days after a letter.
    ids : bool
        Events name their message.
    reported : bool
        A delivery is told before a late bounce.
    """

    name: str
    storms: int = 0
    troubles: tuple[Trouble, ...] = ()
    extras: tuple[Extra, ...] = ()
    people: int = 1500
    letters: int = 8
    days: float = 30.0
    spread: float = 2.0
    deaths: float = 0.01
    opens: float = 0.4
    listed: bool = True
    late: float = 0.0
    scattered: bool = False
    beside: float = 0.0
    ids: bool = True
    reported: bool = False


FIRM = Extra(home="firm.example", provider="other", people=30)
HOSTER = Extra(home="hosted{n}.example", provider="other", people=240, domains=60)

#: A month or more each. First those with a storm, then those without.
SCENARIOS = (
    Scenario(name="provider, whole", storms=1, troubles=(Trouble(letter=5, home="gmail"),)),
    Scenario(name="provider, whole, last letter", storms=1, troubles=(Trouble(letter=7, home="gmail"),)),
    Scenario(name="provider, whole, nobody listed", storms=1, troubles=(Trouble(letter=5, home="gmail"),), listed=False),
    Scenario(name="provider, whole, some hours", storms=1, troubles=(Trouble(letter=5, home="gmail", hours=(2, 4)),), spread=8),
    Scenario(name="provider, whole, small list", storms=1, troubles=(Trouble(letter=5, home="outlook"),), people=150),
    Scenario(name="provider, whole, no opens", storms=1, troubles=(Trouble(letter=4, home="yahoo"),), opens=0),
    Scenario(name="provider, disabled", storms=1, troubles=(Trouble(letter=4, home="yahoo", reason="mailbox_disabled"),)),
    Scenario(name="provider, whole, late answers", storms=1, troubles=(Trouble(letter=4, home="gmail", late=12),)),
    Scenario(name="provider, twice in a year", storms=2, troubles=(Trouble(letter=3, home="gmail"), Trouble(letter=9, home="gmail")), letters=12, listed=False),
    Scenario(name="partial, 5 %", storms=1, troubles=(Trouble(letter=5, home="gmail", share=0.05),), people=4000),
    Scenario(name="partial, 5 %, last letter", storms=1, troubles=(Trouble(letter=7, home="gmail", share=0.06),), people=1500),
    Scenario(name="partial, 10 %", storms=1, troubles=(Trouble(letter=5, home="gmail", share=0.1),)),
    Scenario(name="partial, 10 %, last letter", storms=1, troubles=(Trouble(letter=7, home="gmail", share=0.1),)),
    Scenario(name="partial, 10 %, no opens", storms=1, troubles=(Trouble(letter=5, home="gmail", share=0.1),), opens=0),
    Scenario(name="partial, 10 %, weekly", storms=1, troubles=(Trouble(letter=8, home="gmail", share=0.1),), days=7, letters=16),
    Scenario(name="partial, 10 %, some hours", storms=1, troubles=(Trouble(letter=5, home="gmail", share=0.1, hours=(2, 6)),), people=4000, spread=10),
    Scenario(name="partial, 30 %", storms=1, troubles=(Trouble(letter=5, home="outlook", share=0.3),)),
    Scenario(name="partial, 30 %, daily", storms=1, troubles=(Trouble(letter=20, home="gmail", share=0.3, hours=(8, 11)),), people=1000, days=1, letters=40, spread=24),
    Scenario(name="firm, once, tried again", storms=1, troubles=(Trouble(letter=4, home="firm"),), extras=(FIRM,), listed=False),
    Scenario(name="firm, never tried again", storms=1, troubles=(Trouble(letter=4, home="firm"),), extras=(FIRM,)),
    Scenario(name="firm, last letter", storms=1, troubles=(Trouble(letter=7, home="firm"),), extras=(FIRM,)),
    Scenario(name="firm, weekly", storms=1, troubles=(Trouble(letter=4, home="firm"),), extras=(FIRM,), days=7, letters=12),
    Scenario(name="a provider's own domain, 10 %", storms=1, troubles=(Trouble(letter=5, home="isp", share=0.1),), extras=(Extra(home="isp.example", provider="other", people=500),)),
    Scenario(name="hoster, 60 domains", storms=1, troubles=(Trouble(letter=5, home="hosted"),), extras=(HOSTER,)),
    Scenario(name="hoster, 60 domains, tried again", storms=1, troubles=(Trouble(letter=5, home="hosted"),), extras=(HOSTER,), listed=False),
    Scenario(name="hoster, 60 domains, host told", storms=1, troubles=(Trouble(letter=5, home="hosted"),), extras=(Extra(home="hosted{n}.example", provider="other", people=240, domains=60, host="mx{n}.hoster.example"),), people=6000),
    Scenario(name="hoster, 60 people", storms=1, troubles=(Trouble(letter=5, home="hosted"),), extras=(Extra(home="hosted{n}.example", provider="other", people=60, domains=60),)),
    Scenario(name="own relay broken", storms=1, troubles=(Trouble(letter=5),)),
    Scenario(name="own relay broken, all listed, last", storms=1, troubles=(Trouble(letter=7),), people=300),
    Scenario(name="own relay broken, an hour", storms=1, troubles=(Trouble(letter=5, hours=(1, 3)),), spread=6),
    Scenario(name="resolver broken", storms=1, troubles=(Trouble(letter=5, reason="bad_domain", share=0.97),), listed=False),
    Scenario(name="quiet months"),
    Scenario(name="quiet weeks", days=7, letters=26),
    Scenario(name="quiet days", people=600, days=1, letters=60, spread=24),
    Scenario(name="many die", deaths=0.04),
    Scenario(name="many die, nobody listed", deaths=0.03, listed=False),
    Scenario(name="bounces at night", late=14),
    Scenario(name="bounces at night, small list", people=400, late=14),
    Scenario(name="bounces at night, no ids", late=14, ids=False),
    Scenario(name="bounces at night, told as delivered", late=14, reported=True),
    Scenario(name="bounces two days later", late=47, deaths=0.02),
    Scenario(name="bounces within two days", late=47, scattered=True, deaths=0.02),
    Scenario(name="bounces within a day, weekly", late=24, scattered=True, days=7, letters=16),
    Scenario(name="bounces at night, beside other mail", late=14, beside=0.5),
    Scenario(name="bounces at night, little other mail", late=14, beside=0.1, people=4000),
    Scenario(name="bounces at night, other mail, as delivered", late=14, beside=0.3, reported=True, people=4000, ids=False),
    Scenario(name="bounces in another time zone", late=-8),
    Scenario(name="bounces have a date and no time", late=-9, ids=False),
    Scenario(name="bounces at night, weekly", late=11, days=7, letters=16),
    Scenario(name="bounces at night, as delivered, no ids", late=14, reported=True, ids=False),
    Scenario(name="expired at night", troubles=tuple(Trouble(letter=n, home="small", share=0.05, reason="expired", late=14) for n in range(8))),
    Scenario(name="expired and bounces at night", troubles=tuple(Trouble(letter=n, home="small", share=0.05, reason="expired", late=14) for n in range(8)), late=14),
    Scenario(name="not connected, at night", troubles=(Trouble(letter=5, home="small", share=0.3, reason="network", late=14),), late=14),
    Scenario(name="list bought", extras=(Extra(home="gmail.example", provider="google", people=600, first=4, dead=0.5), Extra(home="bought{n}.example", provider="other", people=600, domains=100, first=4, dead=0.5))),
    Scenario(name="list bought, mailed alone", extras=(Extra(home="gmail.example", provider="google", people=600, first=4, dead=0.6, shift=30), Extra(home="bought{n}.example", provider="other", people=600, domains=100, first=4, dead=0.6, shift=30))),
    Scenario(name="list bought, bounces at night", late=14, reported=True, extras=(Extra(home="gmail.example", provider="google", people=600, first=4, dead=0.5),)),
    Scenario(name="import with typos", extras=(Extra(home="gmial{n}.example", provider="other", people=200, domains=180, first=5, dead=0.95, shift=5),)),
    Scenario(name="addresses of a test", extras=(Extra(home="test.example", provider="other", people=80, first=3, dead=1.0, shift=3),)),
    Scenario(name="addresses of a test, at Gmail", extras=(Extra(home="gmail.example", provider="google", people=80, first=3, dead=1.0, shift=9),)),
    Scenario(name="provider closes for good", troubles=tuple(Trouble(letter=n, home="yahoo", dead=True) for n in (5, 6, 7)), listed=False),
    Scenario(name="firm closes, tried again", troubles=(Trouble(letter=4, home="firm", dead=True),), extras=(FIRM,), listed=False),
    Scenario(name="firm closes over two letters", troubles=(Trouble(letter=4, home="firm", share=0.6, dead=True), Trouble(letter=5, home="firm", dead=True)), extras=(FIRM,)),
    Scenario(name="firm lays off a third", troubles=(Trouble(letter=4, home="firm", share=0.35, dead=True),), extras=(Extra(home="firm.example", provider="other", people=80),)),
    Scenario(name="small firms close, three people each", troubles=tuple(Trouble(letter=n, home=f"small{n}", dead=True) for n in range(2, 8)), people=1500),
    Scenario(name="a part mailed again after a year", letters=14, deaths=0.02, extras=(Extra(home="gmail.example", provider="google", people=500, only=(0, 1, 13)),)),
    Scenario(name="the dead are mailed once more", letters=14, listed=False, extras=(Extra(home="gmail.example", provider="google", people=300, only=(0, 1, 2, 13), dead=0.3),)),
    Scenario(name="clean-up, over weeks", troubles=tuple(Trouble(letter=n, home="yahoo", share=0.06, dead=True, idle=True) for n in (6, 7, 8, 9)), days=7, letters=16, people=4000),
    Scenario(name="clean-up, over weeks, no opens", troubles=tuple(Trouble(letter=n, home="yahoo", share=0.06, dead=True) for n in (6, 7, 8, 9)), days=7, letters=16, people=4000, opens=0),
    Scenario(name="clean-up, over months, no opens", troubles=tuple(Trouble(letter=n, home="gmail", share=0.1, dead=True) for n in (4, 5)), opens=0),
    Scenario(name="clean-up, at one letter", troubles=(Trouble(letter=5, home="gmail", share=0.2, dead=True, idle=True),)),
    Scenario(name="clean-up, at the last letter", troubles=(Trouble(letter=7, home="gmail", share=0.2, dead=True, idle=True),)),
    Scenario(name="blocked at one letter", troubles=(Trouble(letter=5, home="outlook", reason="blocked"),)),
    Scenario(name="blocked everywhere at one letter", troubles=(Trouble(letter=5, reason="blocked", share=0.97),), deaths=0.02),
    Scenario(name="mailed again after a year", deaths=0.02, days=365, letters=3),
)  # fmt: skip


def people_of(scenario: Scenario, dice: np.random.Generator) -> pd.DataFrame:
    """Return one row per address."""
    parts = [
        Extra(home=home, provider=provider, people=round(scenario.people * share), domains=domains)
        for home, provider, share, domains in HOMES
    ]
    rows = []
    for place, part in enumerate((*parts, *scenario.extras)):
        number = np.arange(part.people)
        domain = (
            pd.Series(number % part.domains).astype(str).map(lambda n, home=part.home: home.replace("{n}", n))
        )
        rows.append(
            pd.DataFrame(
                {
                    "recipient": [f"p{place}-{n}@" for n in number] + domain,
                    "domain": domain,
                    "mailbox_provider": part.provider,
                    "first": part.first,
                    "only": [part.only] * part.people,
                    "shift": part.shift,
                    "remote_host": [part.host and part.host.replace("{n}", str(n % 3)) for n in number],
                    "dead": dice.random(part.people) < part.dead,
                }
            )
        )
    people = pd.concat(rows, ignore_index=True)
    people["opens"] = (dice.random(len(people)) < scenario.opens) & ~people["dead"]
    return people.assign(listed=False)


def history(scenario: Scenario, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return classified events, and the people as they are in the end."""
    dice = np.random.default_rng(seed)
    people = people_of(scenario, dice)
    rows: list[pd.DataFrame] = []
    for letter in range(scenario.letters):
        if letter:
            people["dead"] |= dice.random(len(people)) < 1 - (1 - scenario.deaths) ** (scenario.days / 30)
        rows += _letter(scenario, letter, people, dice)
    return _classified(pd.concat(rows, ignore_index=True)), people


def _letter(
    scenario: Scenario, letter: int, people: pd.DataFrame, dice: np.random.Generator
) -> list[pd.DataFrame]:
    delay = dice.random(len(people)) * scenario.spread
    sent = BEGIN + pd.to_timedelta(24 * scenario.days * letter + people["shift"] + delay, unit="h")
    events = people[["recipient", "domain", "mailbox_provider", "remote_host"]].assign(
        timestamp=sent,
        message_id=[f"m{letter}-{n}" for n in range(len(people))],
        event="delivered",
        reason=None,
    )
    mailed = (people["first"] <= letter) & people["only"].map(lambda only: not only or letter in only)
    dropped = mailed & people["listed"]
    tried = mailed & ~dropped
    reason = pd.Series(np.where(people["dead"], "unknown_user", None), people.index, dtype=object)
    late = pd.Series(scenario.late, people.index)
    for trouble in scenario.troubles:
        if trouble.letter != letter:
            continue
        struck = (
            people["domain"].str.startswith(trouble.home)
            & (delay >= trouble.hours[0])
            & (delay < trouble.hours[1])
        )
        struck &= ~people["dead"] & tried
        struck &= dice.random(len(people)) < trouble.share
        if trouble.idle:
            struck &= ~people["opens"]
        reason[struck] = trouble.reason
        late[struck & (trouble.late > 0)] = trouble.late
        if trouble.dead:
            people.loc[struck, "dead"] = True
    refused = tried & reason.notna()
    # the last minutes of a late answer are not all alike
    luck = dice.random(len(people))
    late = late * luck if scenario.scattered else late.where(late == 0, late - delay + luck * 0.8)
    waited = pd.to_timedelta(late, unit="h")
    bounces = events[refused].assign(
        event="bounced", reason=reason[refused], timestamp=(sent + waited)[refused]
    )
    words = (
        bounces["domain"]
        .str.startswith("hosted")
        .map(
            {
                True: "550 5.1.1 {}: Recipient unknown at this host",
                False: "550 5.1.1 <{}>: User unknown in virtual mailbox table",
            }
        )
    )
    bounces["diagnostic"] = [
        text.format(address) for text, address in zip(words, bounces["recipient"], strict=True)
    ]
    told = tried & (~refused | ((late > 0) & scenario.reported))
    opened = tried & ~refused & people["opens"] & (dice.random(len(people)) < 1 / 3)
    found = [
        events[told],
        bounces,
        events[opened].assign(event="opened", timestamp=(sent + pd.Timedelta(hours=3))[opened]),
        events[dropped].assign(event="dropped", reason="suppressed", timestamp=sent[dropped]),
    ]
    if scenario.beside:
        found += _beside(scenario, events, sent, tried, people, dice)
    if scenario.listed:
        people.loc[refused & reason.isin(["unknown_user", "bad_domain", "mailbox_disabled"]), "listed"] = True
    if not scenario.ids:
        found = [part.assign(message_id=None) for part in found]
    return found


def _beside(
    scenario: Scenario,
    events: pd.DataFrame,
    sent: pd.Series,
    tried: pd.Series,
    people: pd.DataFrame,
    dice: np.random.Generator,
) -> list[pd.DataFrame]:
    """Return mail to some of the people, at any time of the two days after a letter."""
    chosen = tried & ~people["dead"] & (dice.random(len(people)) < scenario.beside)
    when = sent + pd.to_timedelta(1 + 47 * dice.random(len(people)), unit="h")
    more = events.assign(timestamp=when, message_id=events["message_id"] + "-beside")
    return [more[chosen]]


def _classified(events: pd.DataFrame) -> pd.DataFrame:
    failed = events["reason"].notna()

    def said(column: str, otherwise: object = None) -> pd.Series:
        values = {name: getattr(row, column) for name, row in schema.REASONS.items()}
        return events["reason"].map(values).where(failed, otherwise)

    dropped = events["event"].eq("dropped")
    full = events.assign(
        provider="sendgrid",
        source="events.json",
        record=np.arange(len(events)),
        suspect=False,
        bounce_type=said("bounce_type", "none"),
        category=said("category"),
        fault=said("fault"),
        action=said("action").where(~dropped, "remove"),
        code_class=np.where(failed, "permanent", None),
        rule=np.where(failed, "text-001", None),
        evidence=np.where(failed, np.where(dropped, "ESP word", "text"), None),
        conflict=False,
        esp_reason=np.where(dropped, "Bounced Address", None),
    )
    return full.reindex(columns=list(COLUMNS.names)).astype(
        {name: dtype for name, dtype in COLUMNS.dtypes.items() if name != "tags"}
    )


def measured(scenario: Scenario, seed: int, *, show: bool = False) -> dict[str, Any]:
    """Return what is found in one run of a scenario."""
    bounces, people = history(scenario, seed)
    storms = ba.storms(bounces)
    if show:
        for sentence in storms["explanation"]:
            print("   ", sentence)
    days = {
        (BEGIN + pd.Timedelta(days=scenario.days * trouble.letter)).date()
        for trouble in scenario.troubles[: scenario.storms]
    }
    true = storms["start"].dt.date.isin(days)
    found = storms.loc[true, "start"].dt.date.nunique()
    verdicts = ba.decide(bounces).set_index("address")["verdict"].astype("str")
    people = people.set_index("recipient").join(verdicts)
    return {
        "scenario": scenario.name,
        "months": scenario.days * scenario.letters / 30,
        "storms": scenario.storms,
        "found": found,
        "missed": scenario.storms - found,
        # one trouble that is told in several storms is told wrongly
        "false": len(storms) - found,
        "living removed": int((~people["dead"] & people["verdict"].eq("remove")).sum()),
        "dead kept": int((people["dead"] & people["verdict"].eq("keep")).sum()),
        "dead held": int((people["dead"] & people["verdict"].eq("hold")).sum()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default="", help="scenarios with this in their name")
    parser.add_argument("--seeds", type=int, default=2, help="so many runs of each")
    parser.add_argument("--show", action="store_true", help="say what was found")
    options = parser.parse_args()
    chosen = [scenario for scenario in SCENARIOS if options.only in scenario.name]
    rows = []
    for scenario in chosen:
        if options.show:
            print(scenario.name)
        rows += [measured(scenario, seed, show=options.show) for seed in range(options.seeds)]
    table = pd.DataFrame(rows).groupby("scenario", sort=False).sum()
    table.loc["all"] = table.sum()
    print(table.assign(months=table["months"].round()).astype(int).to_string())


if __name__ == "__main__":
    main()

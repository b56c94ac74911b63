"""Verdicts in a storm, holds with a day for the next attempt, and addresses that come back after a year."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from bounceanalytics.deciding import Policy, Rule, decide
from tests.classified import classified
from tests.deciding.test_decide import event, verdict
from tests.finding.test_storms import DEAD, OUTAGES, answer, gmail, mailing, people, relay_broken, weekly

__all__ = ["gmail"]  # a fixture

DURING = OUTAGES[1][0] + pd.Timedelta(hours=2)


@pytest.fixture(scope="module")
def during(gmail: pd.DataFrame) -> pd.DataFrame:
    """Return what a sender knew in the middle of Gmail's second outage."""
    return gmail[gmail["timestamp"] < DURING]


def test_nobody_is_removed_for_the_outage_at_gmail(during: pd.DataFrame) -> None:
    verdicts = decide(during).set_index("address")
    removed = set(verdicts.index[verdicts["verdict"] == "remove"])
    assert removed
    assert removed <= set(DEAD), "a good customer is lost"
    # some took mail again meanwhile
    assert set(verdicts.loc[verdicts["storm"], "verdict"]) == {"hold", "keep"}
    held = verdicts[verdicts["storm"] & (verdicts["verdict"] == "hold")]
    assert len(held) > 30
    assert set(held["confidence"]) == {"low"}
    good = held.loc[held.index.difference(DEAD)].iloc[0]
    assert good["explanation"].startswith(
        "Held: 5.1.1 unknown user on 2020-12-15 when many that had taken mail before were refused at once"
    )
    assert good["hold_until"] == good["decided_at"] + pd.Timedelta(days=3)


def test_a_policy_may_take_the_storm_at_its_word(during: pd.DataFrame) -> None:
    verdicts = decide(during, Policy(storm=Rule(remove_after=1)))
    assert (verdicts["verdict"] == "remove").sum() > 30
    assert not verdicts["storm"].any()


def test_after_the_storm_all_are_well(gmail: pd.DataFrame) -> None:
    verdicts = decide(gmail).set_index("address")
    assert set(verdicts.index[verdicts["verdict"] == "remove"]) <= set(DEAD)
    assert set(verdicts.index[verdicts["verdict"] == "remove"]) >= set(DEAD[:11])
    assert not (verdicts["verdict"] == "hold").any()


def test_an_esp_that_took_the_storm_at_its_word(during: pd.DataFrame) -> None:
    """Its drops, and entries of its list, say no more than the bounces before them."""
    refused = decide(during).query("storm and verdict == 'hold'")["address"]
    address = refused[~refused.isin(DEAD)].iloc[0]
    later = DURING + pd.Timedelta(days=1)
    drop = answer(address, later) | {"event": "dropped", "reason": "suppressed", "action": "remove"}
    more = pd.concat([during, classified([drop])], ignore_index=True).astype(during.dtypes)
    row = decide(more).set_index("address").loc[address]
    assert (row["verdict"], bool(row["storm"])) == ("hold", True)
    # a bounce outside of the storm is none of its
    again = classified([answer(address, later, "unknown_user")])
    more = pd.concat([during, again], ignore_index=True).astype(during.dtypes)
    assert decide(more).set_index("address").loc[address, "verdict"] == "remove"


def test_who_was_refused_in_a_storm_and_is_never_tried_again_stays_held(during: pd.DataFrame) -> None:
    refused = decide(during).query("storm and verdict == 'hold'")["address"]
    address = refused[~refused.isin(DEAD)].iloc[0]
    drop = classified(
        [
            {
                "recipient": address,
                "event": "dropped",
                "reason": "suppressed",
                "action": "remove",
                "timestamp": DURING + pd.Timedelta(days=1),
            }
        ]
    )
    row = (
        decide(pd.concat([during, drop], ignore_index=True), at="2021-02-01")
        .set_index("address")
        .loc[address]
    )
    assert (row["verdict"], bool(row["storm"]), row["suppressed_by"]) == ("hold", True, "sendgrid")
    assert pd.isna(row["hold_until"])
    assert row["explanation"].endswith("take a few of them off that list and try them to learn more.")
    assert decide(during, at="2021-02-01").set_index("address").loc[address, "verdict"] == "keep"


def test_ones_own_relay_was_broken() -> None:
    verdicts = decide(classified(relay_broken()))
    assert not (verdicts["verdict"] == "remove").any()
    assert verdicts["storm"].sum() > 20


def test_held_addresses_get_a_day_for_the_next_attempt() -> None:
    full = [event(day, "bounced", "mailbox_full") for day in range(3)]
    row = verdict(*full)
    assert row["retry_on"] == pd.Timestamp("2024-09-17T00:00:00Z")  # nothing is measured: two weeks are usual
    assert pd.isna(verdict(*full[:2])["retry_on"])
    # others, of the same server, took mail again after six days
    others = [
        event(day, what, "mailbox_full" if what == "bounced" else None, recipient=f"n{number}@example.com")
        for number in range(30)
        for day, what in ((0, "bounced"), (6, "delivered"))
    ]
    found = decide(classified([*full, *others])).set_index("address")
    assert found.loc["ann@example.com", "retry_on"] == pd.Timestamp("2024-09-09T00:00:00Z")


def test_an_address_that_comes_back_after_a_year_may_be_a_trap() -> None:
    refused, back = event(0, "bounced", "unknown_user"), event(400, "delivered")
    row = verdict(refused, back)
    assert (row["verdict"], bool(row["trap_risk"])) == ("keep", True)
    assert row["explanation"].endswith(
        " Beware: it refused mail from 2024-09-01 and took it again on 2025-10-06; "
        "such addresses can have become spam traps."
    )
    assert not verdict(refused, event(300, "delivered"))["trap_risk"]
    assert not verdict(refused, back, event(401, "clicked"))["trap_risk"]


def test_a_weekly_newsletter_has_neither(tmp_path: Any) -> None:
    rows = weekly(people("google", 40), 6) + mailing(
        "2026-02-16T09:00", people("google", 40), {"google-0@g.example": "unknown_user"}
    )
    verdicts = decide(classified(rows))
    assert verdicts["verdict"].astype("str").value_counts().to_dict() == {"keep": 39, "remove": 1}
    assert not verdicts[["storm", "trap_risk"]].any(axis=None)

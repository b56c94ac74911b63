"""Recovery: the estimate is Kaplan and Meier's, and what begins and ends an episode is what the manual says."""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bounceanalytics import schema
from bounceanalytics.deciding import decide
from bounceanalytics.errors import FrameError
from bounceanalytics.finding.recovery import (
    recovery,
    recovery_curves,
)
from bounceanalytics.finding.retries import USUAL_DAYS, retry_days
from tests.classified import COLUMNS, classified
from tests.effort import examples

Rows = list[dict[str, Any]]

START = pd.Timestamp("2024-01-05T09:00Z")


def event(
    who: str, day: float, what: str = "bounced", reason: str | None = None, **more: Any
) -> dict[str, Any]:
    if what == "bounced":
        reason = reason or "mailbox_full"
    row = {"recipient": f"{who}@example.com", "timestamp": START + pd.Timedelta(days=day), "reason": reason}
    return row | {"event": what, "mailbox_provider": "google"} | more


def episode(number: int, first: float, last: float, recovered: bool, **more: Any) -> Rows:
    """Return an address that bounces on one day, and takes mail or bounces again some days later."""
    who = f"zq-{number}"
    end = event(who, last, "delivered") if recovered else event(who, last, **more)
    return [event(who, first, **more), end]


def curve(rows: Rows, reason: str = "all", provider: str = "all") -> pd.DataFrame:
    curves = recovery_curves(classified(rows))
    mine = curves[curves["reason"].eq(reason) & curves["mailbox_provider"].eq(provider)]
    return mine.set_index("day")


def product_limit(durations: list[tuple[int, bool]]) -> dict[int, float]:
    """Return the share that has recovered by each day: the product of those that did not, one day at a time."""
    left, shares = 1.0, {}
    for day in sorted({0, *(day for day, _ in durations)}):
        at_risk = sum(1 for lasted, _ in durations if lasted >= day)
        recovered = sum(1 for lasted, over in durations if over and lasted == day)
        left *= 1 - recovered / at_risk if at_risk else 1
        shares[day] = 1 - left
    return shares


@examples(30)
@given(st.lists(st.tuples(st.integers(0, 40), st.booleans()), min_size=1, max_size=40))
def test_the_estimate_is_the_product_limit(durations: list[tuple[int, bool]]) -> None:
    # a recovery on the day of the bounce comes later in the day
    rows = [
        row
        for number, (day, over) in enumerate(durations)
        for row in episode(number, 0, day + (0.1 if over else 0), over)
    ]
    found = curve(rows)
    assert found["share"].to_dict() == pytest.approx(product_limit(durations))
    assert found["at_risk"].to_dict() == {
        day: sum(1 for lasted, _ in durations if lasted >= day) for day in found.index
    }
    assert found["recovered"].iloc[-1] == sum(over for _, over in durations)
    assert (found["episodes"] == len(durations)).all()


def test_interval_is_that_of_the_log_log_formula() -> None:
    """Greenwood's variance on the scale of log(-log), written out."""
    durations = [(7, True)] * 6 + [(7, False)] * 3 + [(14, True)] * 5 + [(21, False)] * 4
    rows = [row for number, (day, over) in enumerate(durations) for row in episode(number, 0, day, over)]
    found = curve(rows)
    left, variance = 1.0, 0.0
    for day, gone, at_risk in ((7, 6, 18), (14, 5, 9)):
        left *= 1 - gone / at_risk
        variance += gone / (at_risk * (at_risk - gone))
        half = 1.959964 * math.sqrt(variance) / abs(math.log(left))
        assert found.loc[day, "low"] == pytest.approx(1 - left ** math.exp(-half), abs=1e-6)
        assert found.loc[day, "high"] == pytest.approx(1 - left ** math.exp(half), abs=1e-6)
        assert found.loc[day, "low"] < found.loc[day, "share"] < found.loc[day, "high"]


def test_a_known_law_is_found_again() -> None:
    """Full mailboxes that are emptied at a rate of one in ten a day, tried as long as patience lasts."""
    dice = random.Random(531)  # noqa: S311 - a simulation, not a secret
    rows: Rows = []
    for number in range(1500):
        emptied, patience = math.ceil(dice.expovariate(0.1)), dice.randrange(3, 45)
        last = min(emptied, patience)
        rows += episode(number, 0, last, emptied <= patience)
    (found,) = recovery(classified(rows), by=["reason"]).query("reason == 'mailbox_full'").to_dict("records")
    for day in (3, 7, 14, 30):
        law = 1 - math.exp(-0.1 * day)
        assert found[f"share_{day}"] == pytest.approx(law, abs=0.04)
        assert found[f"low_{day}"] - 0.01 < law < found[f"high_{day}"] + 0.01
    assert found["median_days"] == pytest.approx(7, abs=1)
    # taking those who were given up for lost as lost would say too little
    assert found["recovered"] / found["episodes"] < found["share_30"] - 0.05


def test_an_episode_begins_with_the_first_bounce_since_mail_was_taken() -> None:
    rows = [
        event("zq", 0, "delivered"),
        event("zq", 7, reason="network"),
        event("zq", 14),
        event("zq", 28, "delivered"),
        event("zq", 35, reason="system_error"),
        event("zq", 35.5, "deferred", message_id="m"),
        event("zq", 36, "clicked", message_id="m"),
        event("zq", 42),
    ]
    found = recovery(classified(rows), by=["reason"]).set_index("reason")
    assert found["episodes"].to_dict() == {"all": 3, "mailbox_full": 1, "network": 1, "system_error": 1}
    assert found["recovered"].to_dict() == {"all": 2, "mailbox_full": 0, "network": 1, "system_error": 1}
    assert found.loc["network", "median_days"] == 21
    assert found.loc["system_error", "median_days"] == 1
    assert math.isnan(found.loc["mailbox_full", "share_1"])  # never tried again: nothing is known


def test_only_a_message_sent_after_the_bounce_shows_a_recovery() -> None:
    rows = [
        event("zq", 0, "delivered", message_id="old"),
        event("zq", 7),
        event("zq", 8, "opened", message_id="old"),
        event("zq", 9, "clicked", message_id="who knows"),
        event("zq", 14),
    ]
    assert curve(rows)["recovered"].max() == 0
    assert curve([*rows, event("zq", 21, "delivered")])["recovered"].max() == 1


def test_those_who_are_no_longer_tried_are_counted() -> None:
    rows = [event("zq-1", 0), event("zq-2", 0), event("zq-2", 7), event("zq-3", 30), event("zq-4", 0)]
    rows += [event("zq-4", 7, "delivered"), event("zq-5", 35, "delivered")]
    found = recovery(classified(rows), by=())
    assert found[["episodes", "recovered", "no_longer_tried"]].to_numpy().tolist() == [[4, 1, 2]]
    assert curve(rows)["no_longer_tried"].to_dict() == {0: 1, 7: 2}


def test_a_delivery_that_came_back_is_no_recovery() -> None:
    rows = [
        event("zq", 0),
        event("zq", 7, "delivered", message_id="m"),
        event("zq", 7.5, message_id="m"),
        event("zq", 14),
    ]
    assert curve(rows)["recovered"].max() == 0
    assert curve(rows).index.max() == 14
    late = recovery_curves(classified(rows), late_bounce_hours=1)
    assert late["recovered"].max() == 1


def test_deferrals_drops_and_automatic_replies_are_no_bounces() -> None:
    rows = [
        event("a", 0, "deferred", "greylisted"),
        event("b", 0, "dropped", "suppressed"),
        event("c", 0, reason="challenge"),
        event("d", 0, "suppressed", "unknown_user"),
        event("e", 0, reason="suppressed"),
    ]
    assert recovery_curves(classified(rows)).empty


def test_events_without_a_time_are_left_out() -> None:
    rows = [event("a", 0), event("a", 7, "delivered"), event("b", 0) | {"timestamp": None}]
    assert curve(rows)["episodes"].tolist() == [1, 1]


def test_groups_add_up() -> None:
    rows = [row for n in range(12) for row in episode(n, 0, 7 * (n % 3 + 1), n % 2 == 0, reason="network")]
    rows += [row | {"mailbox_provider": "yahoo", "domain": "example.org"} for row in episode(50, 0, 7, True)]
    bounces = classified(rows)
    found = recovery(bounces).set_index(["reason", "mailbox_provider"])
    assert set(found.index) == {
        (reason, provider)
        for reason, providers in {
            "all": ("all", "google", "yahoo"),
            "network": ("all", "google"),
            "mailbox_full": ("all", "yahoo"),
        }.items()
        for provider in providers
    }
    assert found.index[0] == ("all", "all")
    for column in ("episodes", "recovered"):
        counts = found[column].to_dict()
        assert (
            counts["all", "all"]
            == counts["network", "all"] + counts["mailbox_full", "all"]
            == 13 - 6 * (column == "recovered")
        )
    by_provider = recovery(bounces, by="mailbox_provider")
    assert set(by_provider["reason"]) == {"all"}
    assert set(by_provider["mailbox_provider"]) == {"all", "google", "yahoo"}
    assert len(recovery(bounces, by=())) == 1


def test_shares_are_missing_beyond_the_last_attempt() -> None:
    rows = [row for n in range(10) for row in episode(n, 0, 14 if n else 20, n > 5)]
    (found,) = recovery(classified(rows), by=()).to_dict("records")
    assert found["share_14"] == pytest.approx(0.4)
    assert math.isnan(found["share_30"])
    assert found["share_7"] == 0
    assert math.isnan(found["low_7"])
    everybody = [row for n in range(10) for row in episode(n, 0, 14, True)]
    (found,) = recovery(classified(everybody), by=()).to_dict("records")
    assert found["share_90"] == 1
    assert found["median_days"] == 14


def test_order_of_rows_plays_no_part() -> None:
    rows = [row for n in range(30) for row in episode(n, n % 4, n % 4 + 7 + n % 9, n % 3 > 0)]
    bounces = classified(rows)
    pd.testing.assert_frame_equal(
        recovery_curves(bounces.sample(frac=1, random_state=5)), recovery_curves(bounces)
    )


def test_retry_day_is_half_way_to_what_recovers() -> None:
    """Twelve of thirty recover, most on the seventh day; the rest are tried until the sixtieth."""
    rows: Rows = []
    for number in range(30):
        day = 60 if number >= 12 else (7 if number < 8 else 21)
        rows += episode(number, 0, day, number < 12)
    found = retry_days(classified(rows)).set_index(["reason", "mailbox_provider"])
    assert found.loc[("mailbox_full", "google"), "retry_days"] == 7
    assert found.loc[("mailbox_full", "google"), "source"] == "measured"
    assert found.loc[("mailbox_full", "all"), "source"] == "measured over all providers"
    assert found.loc[("mailbox_full", "google"), "episodes"] == 30
    assert found.loc[("network", "all"), ["retry_days", "source"]].tolist() == [
        USUAL_DAYS["network"],
        "usual",
    ]


def test_few_episodes_borrow_from_all_providers_then_from_the_usual() -> None:
    rows = [row for n in range(25) for row in episode(n, 0, 7 if n < 10 else 30, n < 10)]
    rows += [
        row | {"mailbox_provider": "yahoo", "domain": "example.org"}
        for n in range(30, 33)
        for row in episode(n, 0, 3, True)
    ]
    rows += [row for n in range(40, 59) for row in episode(n, 0, 3, True, reason="network")]
    rows += [row for n in range(60, 90) for row in episode(n, 0, 3, n < 64, reason="system_error")]
    found = retry_days(classified(rows)).set_index(["reason", "mailbox_provider"])
    assert found.loc[("mailbox_full", "yahoo"), ["retry_days", "source"]].tolist() == [
        7,
        "measured over all providers",
    ]
    assert found.loc[("network", "google"), "source"] == "usual"  # 19 episodes
    assert found.loc[("system_error", "google"), "source"] == "usual"  # 4 recoveries


def test_retry_days_are_there_for_every_reason_and_whole_days() -> None:
    assert set(USUAL_DAYS) == set(schema.REASONS)
    assert min(USUAL_DAYS.values()) >= 1
    found = retry_days(classified([row for n in range(40) for row in episode(n, 0, 0.1, True)]))
    everywhere = found[found["mailbox_provider"] == "all"]
    assert everywhere["reason"].tolist() == list(schema.REASONS)
    assert not found.duplicated(["reason", "mailbox_provider"]).any()
    assert found.set_index(["reason", "mailbox_provider"]).loc[("mailbox_full", "google"), "retry_days"] == 1


GONE = {"reason": "unknown_user"}


def trap_risks(bounces: pd.DataFrame) -> pd.DataFrame:
    verdicts = decide(bounces)
    return verdicts[verdicts["trap_risk"]]


def test_trap_risk() -> None:
    rows = [
        # refused for over a year, then taken
        event("Trap", 0, **GONE),
        event("trap", 200, **GONE),
        event("trap", 400, "delivered"),
        event("trap", 407, "delivered"),
        # the same, and somebody reads
        event("reader", 0, **GONE),
        event("reader", 400, "delivered"),
        event("reader", 401, "opened"),
        # refused for less than a year
        event("early", 0, **GONE),
        event("early", 365, "delivered"),
        # took mail in between
        event("between", 0, **GONE),
        event("between", 100, "delivered"),
        event("between", 101, **GONE),
        event("between", 400, "delivered"),
        # was full, or blocked, and not gone
        event("full", 0),
        event("full", 400, "delivered"),
        # took mail, and it came back
        event("back", 0, **GONE),
        event("back", 400, "delivered", message_id="m"),
        event("back", 400.5, message_id="m", **GONE),
        # full at first, then gone, for over a year
        event("both", 0),
        event("both", 10, **GONE),
        event("both", 400, "delivered"),
    ]
    found = trap_risks(classified(rows))
    assert found["address"].tolist() == ["both@example.com", "trap@example.com"]
    again = START + pd.Timedelta(days=400)
    for days, sentence in zip((10, 0), found["explanation"], strict=True):
        refused = START + pd.Timedelta(days=days)
        assert f"refused mail from {refused:%Y-%m-%d} and took it again on {again:%Y-%m-%d}" in sentence


def test_an_open_before_it_took_mail_again_does_not_clear_it() -> None:
    rows = [event("zq", -10, "opened"), event("zq", 0, **GONE), event("zq", 400, "delivered")]
    assert len(trap_risks(classified(rows))) == 1


@pytest.mark.parametrize("function", [recovery_curves, recovery])
def test_nothing_in_nothing_out(function: Any) -> None:
    empty = function(COLUMNS.empty())
    assert empty.empty
    rows = [event("zq", 0, **GONE), event("zq", 400, "delivered")]
    assert empty.dtypes.to_dict() == function(classified(rows)).dtypes.to_dict()
    undated = classified([row | {"timestamp": None} for row in rows])
    assert function(undated).empty


@pytest.mark.parametrize("function", [recovery_curves, recovery, retry_days])
def test_nothing_changes_the_frame_and_wrong_ones_are_named(function: Any) -> None:
    bounces = classified(episode(1, 0, 7, True))
    before = bounces.copy(deep=True)
    function(bounces)
    pd.testing.assert_frame_equal(bounces, before)
    with pytest.raises(FrameError, match="message_id"):
        function(bounces.drop(columns="message_id"))
    with pytest.raises(FrameError, match="action is int64"):
        function(bounces.assign(action=1))


def test_unknown_group_is_named() -> None:
    with pytest.raises(FrameError, match="by names domain"):
        recovery(classified([]), by=["domain"])


def test_columns_are_those_of_the_documentation() -> None:
    found = recovery(classified(episode(1, 0, 7, True)))
    assert found.columns.tolist() == [
        "reason",
        "mailbox_provider",
        "episodes",
        "recovered",
        "no_longer_tried",
        *(f"{name}_{day}" for day in schema.RECOVERY_DAYS for name in ("share", "low", "high")),
        "median_days",
    ]
    assert found.dtypes["episodes"] == np.int64

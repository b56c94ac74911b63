"""One verdict per address: what counts, what clears it, and that only the order in time matters."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bounceanalytics import schema
from bounceanalytics.deciding import Policy, Rule, decide
from bounceanalytics.deciding.policy import presets
from bounceanalytics.errors import FrameError, PolicyError
from tests.classified import classified
from tests.effort import examples

ANN = "ann@example.com"
DAY = "2024-09-{:02d}T08:00:00Z"


def event(day: float | None, what: str = "bounced", reason: str | None = None, **more: Any) -> dict[str, Any]:
    """Return an event of Ann's; ``day`` counts from the first of September."""
    when = None if day is None else pd.Timestamp("2024-09-01T08:00:00Z") + pd.Timedelta(days=day)
    said = {"reason": reason} if reason else {}
    return {"recipient": ANN, "event": what, "timestamp": when} | said | more


def verdict(*events: dict[str, Any], policy: Policy | None = None) -> pd.Series:
    """Return the one decision about Ann."""
    decisions = decide(classified(list(events)), policy)
    assert len(decisions) == 1
    return decisions.iloc[0]


def each(histories: dict[str, list[dict[str, Any]]], policy: Policy | None = None) -> dict[str, pd.Series]:
    """Return name -> the one decision about an address with that history; all end at the same moment."""
    ends = {
        max((one["timestamp"] for one in some if one["timestamp"]), default=None)
        for some in histories.values()
    }
    assert len(ends) == 1
    whose = {name: f"ann@{number}.example" for number, name in enumerate(histories)}
    rows = [row | {"recipient": whose[name]} for name, events in histories.items() for row in events]
    decisions = decide(classified(rows), policy).set_index("address")
    assert len(decisions) == len(histories)
    return {name: decisions.loc[address] for name, address in whose.items()}


HARD = [name for name, row in schema.REASONS.items() if row.action == "remove"]
PATIENT = ["greylisted", "rate_limited"]
SOFT = [name for name, row in schema.REASONS.items() if row.action == "retry" and name not in PATIENT]
FIX = [name for name, row in schema.REASONS.items() if row.action == "fix"]
REVIEW = ["recipient_refused", "challenge", "unclassified"]


@pytest.fixture(scope="module")
def hard() -> dict[str, pd.Series]:
    """Return reason -> the verdict on one hard bounce."""
    said = {"reply_code": 550, "enhanced_code": "5.1.1"}
    return each({reason: [event(13, "bounced", reason, **said)] for reason in HARD})


@pytest.mark.parametrize("reason", HARD)
def test_hard_bounces_remove_at_once(reason: str, hard: dict[str, pd.Series]) -> None:
    row = hard[reason]
    assert row["verdict"] == "remove"
    assert row["reason"] == reason
    assert row["code"] == "5.1.1"
    assert row["decided_at"] == pd.Timestamp("2024-09-14T08:00:00Z")
    assert row["explanation"].startswith("Removed: 550 5.1.1 ")
    assert row["explanation"].endswith(" on 2024-09-14, no delivery since.")


@pytest.mark.parametrize("reason", SOFT)
def test_soft_bounces_count_when_they_repeat(reason: str) -> None:
    expected = {
        (0,): "keep",
        (0, 1): "keep",
        (0, 1, 2): "hold",
        (0, 1, 2, 3, 4): "hold",
        (0, 5, 10, 15, 20): "hold",
        (0, 5, 10, 15, 21): "remove",
        (0, 7, 21): "hold",
    }
    rows = [
        event(day, "bounced", reason) | {"recipient": f"ann@{number}.example"}
        for number, days in enumerate(expected)
        for day in days
    ]
    decisions = decide(classified(rows)).set_index("address")["verdict"]
    assert {days: decisions[f"ann@{number}.example"] for number, days in enumerate(expected)} == expected


def test_different_soft_reasons_count_together() -> None:
    days = [
        event(7 * week, "bounced", reason)
        for week, reason in enumerate(["mailbox_full", "network", "expired", "network", "expired"])
    ]
    row = verdict(*days)
    assert row["verdict"] == "remove"
    assert row["reason"] == "expired"
    assert "5 bounce days from 2024-09-01 to 2024-09-29" in row["explanation"]


def test_one_bounce_a_day_counts() -> None:
    copies = [event(hour / 24, "bounced", "mailbox_full") for hour in range(10)]
    row = verdict(*copies)
    assert (row["verdict"], row["bounce_days"], row["soft_days"]) == ("keep", 1, 1)
    # the day changes at midnight UTC
    late = [event(16 / 24 - 1 / 86400, "bounced", "mailbox_full"), event(16 / 24, "bounced", "mailbox_full")]
    assert verdict(*late)["bounce_days"] == 2


@pytest.fixture(scope="module")
def thirty_days() -> dict[str, pd.Series]:
    """Return reason -> the verdict on a bounce on each of thirty days."""
    days = {name: [event(day, "bounced", name) for day in range(30)] for name in (*FIX, *PATIENT)}
    return each(days)


@pytest.mark.parametrize("reason", [*FIX, *PATIENT])
def test_what_is_not_the_address_never_counts(reason: str, thirty_days: dict[str, pd.Series]) -> None:
    row = thirty_days[reason]
    assert row["verdict"] == "keep"
    assert row["reason"] == reason
    assert row["bounce_days"] == 30


@pytest.mark.parametrize("reason", REVIEW)
def test_what_nobody_understands_is_held_when_it_repeats(reason: str) -> None:
    assert verdict(event(0, "bounced", reason), event(1, "bounced", reason))["verdict"] == "keep"
    assert verdict(*(event(day, "bounced", reason) for day in range(40)))["verdict"] == "hold"


@pytest.mark.parametrize("sign", schema.SIGNS_OF_LIFE)
def test_a_sign_of_life_clears_what_came_before(sign: str) -> None:
    row = verdict(event(3, sign), event(1, "bounced", "unknown_user"))
    assert row["verdict"] == "keep"
    assert (
        row["explanation"]
        == f"Kept: {sign} on 2024-09-04 and so alive after 5.1.1 unknown user on 2024-09-02."
    )
    assert row["hard_days"] == 1
    assert verdict(event(3, sign), event(4, "bounced", "unknown_user"))["verdict"] == "remove"
    assert verdict(event(3, sign), event(3, "bounced", "unknown_user"))["verdict"] == "remove"


def test_a_sign_of_life_starts_the_count_anew() -> None:
    full = [event(7 * week, "bounced", "mailbox_full") for week in range(5)]
    assert verdict(*full)["verdict"] == "remove"
    assert verdict(*full, event(1, "delivered"))["verdict"] == "hold"
    assert verdict(*full, event(22, "opened"))["verdict"] == "keep"


def test_signs_of_life_can_be_chosen() -> None:
    events = [event(1, "bounced", "unknown_user"), event(2, "opened")]
    assert verdict(*events)["verdict"] == "keep"
    assert verdict(*events, policy=Policy(cleared_by=("delivered", "clicked")))["verdict"] == "remove"


def test_a_late_bounce_counts_and_its_delivery_was_none() -> None:
    """The server takes the message and gives it back."""
    accepted = event(2, "delivered", message_id="m")
    returned = event(2.1, "bounced", "mailbox_full", message_id="m")
    before = [event(day, "bounced", "mailbox_full", message_id=f"m{day}") for day in (0, 1)]
    assert verdict(accepted, event(2.1, "bounced", "unknown_user", message_id="m"))["verdict"] == "remove"
    assert (
        verdict(*before, accepted, returned)["verdict"] == "hold"
    )  # three days: the delivery clears nothing
    assert verdict(*before, accepted, returned | {"message_id": "other"})["verdict"] == "keep"
    assert verdict(*before, accepted, returned, policy=Policy(late_bounce_hours=1))["verdict"] == "keep"
    reply = event(2.1, "bounced", "challenge", message_id="m")  # an automatic answer: the message did arrive
    assert verdict(*before, accepted, reply)["verdict"] == "keep"


def test_wishes_are_no_bounces_and_stay() -> None:
    for what in ("complained", "unsubscribed"):
        row = verdict(event(0, what), event(5, "delivered"), event(6, "clicked"))
        assert (row["verdict"], row["reason"]) == ("remove", what)
        assert row[f"{what}_at"] == row["decided_at"] == pd.Timestamp("2024-09-01T08:00:00Z")
        assert row["bounce_days"] == 0
        assert verdict(event(0, what), policy=Policy(**{what: "keep"}))["verdict"] == "keep"  # type: ignore[arg-type]


def test_a_complaint_is_told_before_a_bounce() -> None:
    assert verdict(event(0, "complained"), event(4, "bounced", "unknown_user"))["reason"] == "complained"


@pytest.mark.parametrize(
    ("action", "expected"), [("remove", "remove"), ("review", "hold"), ("fix", "keep"), ("retry", "keep")]
)
@pytest.mark.parametrize("what", ["dropped", "suppressed"])
def test_what_the_esp_did_not_try(what: str, action: str, expected: str) -> None:
    row = verdict(event(0, what, "suppressed", action=action))
    assert (row["verdict"], row["bounce_days"]) == (expected, 0)
    assert pd.isna(row["last_bounced"])


@pytest.mark.parametrize(
    ("provider", "words", "reason"),
    [
        ("mailgun", "suppress-complaint", "complained"),
        ("sendgrid", "Unsubscribed Address", "unsubscribed"),
        ("sendgrid", "Bounced Address", "suppressed"),
        ("sendgrid", "Spam Content", "suppressed"),
    ],
)
def test_a_drop_for_a_wish_is_that_wish(provider: str, words: str, reason: str) -> None:
    dropped = event(0, "dropped", "suppressed", action="remove", provider=provider, esp_reason=words)
    row = verdict(dropped, event(5, "delivered"))
    assert row["verdict"] == ("keep" if reason == "suppressed" else "remove")
    assert row["reason"] == reason


def test_the_cause_on_a_list_says_more_than_the_drops_that_follow() -> None:
    entry = event(0, "suppressed", "system_full", reply_code=550, enhanced_code="5.3.1")
    drops = [event(day, "dropped", "suppressed", action="remove", enhanced_code=None) for day in (7, 14)]
    row = verdict(*drops, entry)
    assert (row["reason"], row["code"]) == ("system_full", "5.3.1")
    assert row["explanation"] == (
        "Removed: 550 5.3.1 mail system full (on the list of the ESP since 2024-09-01), no delivery since."
    )
    assert verdict(*drops)["explanation"] == "Removed: dropped by the ESP on 2024-09-15."
    assert verdict(entry, policy=Policy(system_full="hold"))["verdict"] == "hold"
    other = event(1, "suppressed", "unknown_user")
    assert verdict(entry, other, policy=Policy(system_full="hold"))["reason"] == "unknown_user"


@pytest.fixture(scope="module")
def disputed() -> dict[str, dict[str, pd.Series]]:
    """Return reason -> the verdict on thirty conflicts, and on one that a delivery followed."""
    lasting = {name: [event(day, "bounced", name, conflict=True) for day in range(30)] for name in HARD}
    over = {name: [event(0, "bounced", name, conflict=True), event(1, "delivered")] for name in HARD}
    return {"lasting": each(lasting), "over": each(over)}


@pytest.mark.parametrize("reason", HARD)
def test_conflicts_hold_and_never_remove(reason: str, disputed: dict[str, dict[str, pd.Series]]) -> None:
    row = disputed["lasting"][reason]
    assert (row["verdict"], row["conflicts"]) == ("hold", 30)
    assert "disagree" in row["explanation"]
    assert disputed["over"][reason]["verdict"] == "keep"


def test_conflicts_about_a_sender_keep() -> None:
    assert verdict(event(0, "bounced", "blocked", conflict=True))["verdict"] == "keep"
    assert (
        verdict(*(event(9 * day, "bounced", "mailbox_full", conflict=True) for day in range(9)))["verdict"]
        == "hold"
    )


@pytest.mark.parametrize(
    ("choice", "once", "often"),
    [("remove", "remove", "remove"), ("hold", "hold", "hold"), ("retry", "keep", "remove")],
)
def test_system_full_has_a_line_of_its_own(choice: Any, once: str, often: str) -> None:
    policy = Policy(system_full=choice)
    assert verdict(event(0, "bounced", "system_full"), policy=policy)["verdict"] == once
    assert (
        verdict(*(event(7 * day, "bounced", "system_full") for day in range(6)), policy=policy)["verdict"]
        == often
    )
    transient = event(0, "bounced", "system_full", code_class="transient")
    assert transient["event"] == "bounced"
    assert verdict(transient, policy=policy)["verdict"] == "keep"


def test_presets() -> None:
    refused = event(0, "bounced", "recipient_refused")
    assert verdict(refused, policy=Policy.preset("strict"))["verdict"] == "remove"
    full = [event(day, "bounced", "mailbox_full") for day in (0, 1, 2)]
    assert verdict(*full, policy=Policy.preset("strict"))["verdict"] == "remove"
    lenient = Policy.preset("lenient")
    assert verdict(event(0, "bounced", "unknown_user"), policy=lenient)["verdict"] == "keep"
    assert verdict(event(0), event(0.1), policy=lenient)["verdict"] == "keep"
    assert verdict(event(0), event(1), policy=lenient)["verdict"] == "remove"


def full(*days: float) -> list[dict[str, Any]]:
    return [event(day, "bounced", "mailbox_full") for day in days]


def test_klaviyo_counts_soft_bounces_in_a_row() -> None:
    policy = Policy.preset("klaviyo")
    assert verdict(*full(*range(7)), policy=policy)["verdict"] == "keep"
    assert verdict(*full(*range(8)), policy=policy)["verdict"] == "remove"
    assert verdict(*full(*range(8)), event(3.5, "delivered"), policy=policy)["verdict"] == "keep"
    assert verdict(*full(*range(8)), event(9, "opened"), policy=policy)["verdict"] == "remove"


def test_mailchimp_is_patient_with_the_active() -> None:
    policy = Policy.preset("mailchimp")
    opened = event(-9, "opened")
    assert verdict(*full(*range(7)), policy=policy)["verdict"] == "remove"
    assert verdict(*full(*range(14)), opened, policy=policy)["verdict"] == "keep"
    assert verdict(*full(*range(15)), opened, policy=policy)["verdict"] == "remove"
    gone = [event(day, "bounced", "unknown_user") for day in (0, 7)]
    assert verdict(gone[0], policy=policy)["verdict"] == "remove"
    assert verdict(gone[0], opened, policy=policy)["verdict"] == "keep"
    assert verdict(*gone, opened, policy=policy)["verdict"] == "remove"
    spam = [event(day, "bounced", "spam") for day in range(7)]
    assert verdict(*spam[:6], policy=policy)["verdict"] == "keep"
    assert verdict(*spam, policy=policy)["verdict"] == "remove"


def test_mailman_weighs_days_and_forgets_after_a_week() -> None:
    policy = Policy.preset("mailman")
    hard = [event(day, "bounced", "unknown_user") for day in range(5)]
    assert verdict(*hard[:4], policy=policy)["verdict"] == "keep"
    assert verdict(*hard, policy=policy)["verdict"] == "remove"
    assert verdict(*full(*range(9)), policy=policy)["verdict"] == "keep"
    assert verdict(*full(*range(10)), policy=policy)["verdict"] == "remove"
    assert (
        verdict(*hard[:4], *full(0, 1, 4, 5), policy=policy)["verdict"] == "remove"
    )  # 4 hard days and 2 soft
    weekly = [event(7 * week, "bounced", "unknown_user") for week in range(5)]
    assert verdict(*weekly, policy=policy)["verdict"] == "remove"
    assert (
        verdict(*[event(8 * week, "bounced", "unknown_user") for week in range(9)], policy=policy)["verdict"]
        == "keep"
    )
    assert (
        verdict(*[event(day, "bounced", "blocked") for day in range(30)], policy=policy)["verdict"] == "keep"
    )
    assert verdict(*hard, event(3.5, "delivered"), policy=policy)["verdict"] == "remove"
    assert verdict(*hard, policy=policy)["explanation"].endswith("at last 5.1.1 unknown user.")


def test_discourse_stops_for_a_month_and_forgives_with_every_mail() -> None:
    policy = Policy.preset("discourse")
    twice = [event(0, "bounced", "unknown_user"), event(30, "bounced", "unknown_user")]
    assert verdict(*twice, policy=policy)["verdict"] == "hold"
    assert verdict(*twice, event(61, "deferred", "greylisted"), policy=policy)["verdict"] == "keep"
    assert verdict(twice[0], event(31, "bounced", "unknown_user"), policy=policy)["verdict"] == "keep"
    assert verdict(*full(0, 1, 2), policy=policy)["verdict"] == "keep"
    assert verdict(*full(0, 1, 2, 3), policy=policy)["verdict"] == "hold"
    mails = [event(1.01 + 0.01 * n, "delivered", message_id=f"m{n}") for n in range(20)]
    assert verdict(*full(0, 1, 2, 3), *mails[:1], policy=policy)["verdict"] == "keep"  # 3.9 points
    assert verdict(*full(0, 1, 2, 3, 4), *mails[:10], policy=policy)["verdict"] == "hold"  # 4 points
    assert verdict(*full(0, 1, 2, 3, 4), *mails[:11], policy=policy)["verdict"] == "keep"
    # twenty mails take no more than there was
    assert verdict(*full(0, 2, 3, 4, 5), *mails, policy=policy)["verdict"] == "hold"


def test_openemm_wants_many_bounces_and_no_sign_of_life() -> None:
    policy = Policy.preset("openemm")
    assert verdict(*full(*range(39)), policy=policy)["verdict"] == "keep"
    assert verdict(*full(*range(40)), policy=policy)["verdict"] == "remove"
    assert verdict(*full(*(0.75 * day for day in range(41))), policy=policy)["verdict"] == "keep"  # 30 days
    for sign in ("delivered", "opened", "clicked"):
        assert verdict(*full(*range(40)), event(41, sign), policy=policy)["verdict"] == "keep"


def test_cloudflare_holds_a_week_and_removes_at_the_second() -> None:
    policy = Policy.preset("cloudflare")
    gone = [event(day, "bounced", "unknown_user") for day in (0, 8)]
    assert verdict(gone[0], policy=policy)["verdict"] == "hold"
    assert verdict(gone[0], event(8, "deferred", "greylisted"), policy=policy)["verdict"] == "keep"
    assert verdict(*gone, policy=policy)["verdict"] == "remove"
    assert verdict(*gone, event(4, "delivered"), policy=policy)["verdict"] == "hold"
    assert verdict(event(0, "bounced", "blocked"), policy=policy)["verdict"] == "keep"
    assert verdict(*full(0), policy=policy)["verdict"] == "hold"


def test_any_5xx_asks_for_nothing_but_the_code() -> None:
    told: dict[str, list[dict[str, Any]]] = {}
    for reason in ("unknown_user", "blocked", "spam", "mailbox_full", "message_too_large"):
        permanent = event(0, "bounced", reason, enhanced_code=None, reply_code=550)
        told[f"{reason}: remove"] = [permanent]
        told[f"{reason}, disputed: remove"] = [permanent | {"conflict": True}]
        if reason != "unknown_user":
            told[f"{reason}, transient: keep"] = [permanent | {"enhanced_code": "4.2.0"}]
    for name, row in each(told, Policy.preset("any-5xx")).items():
        assert name.endswith(f": {row['verdict']}")


def test_ses_never_lists_soft_bounces() -> None:
    assert verdict(*full(*range(60)), policy=Policy.preset("ses"))["verdict"] == "keep"
    assert verdict(event(0, "bounced", "unknown_user"), policy=Policy.preset("ses"))["verdict"] == "remove"


def test_days_that_lie_too_far_apart_do_not_count_together() -> None:
    policy = Policy(hard=Rule(remove_after=3, within=60))
    hard = [event(day, "bounced", "unknown_user") for day in (0, 29, 60, 61)]
    assert verdict(*hard[:2], hard[3], policy=policy)["verdict"] == "keep"
    assert verdict(*hard[:3], policy=policy)["verdict"] == "remove"
    assert verdict(*hard[:3], event(200, "bounced", "unknown_user"), policy=policy)["verdict"] == "remove"


def test_a_hold_ends_and_the_address_is_tried_again() -> None:
    row = verdict(*full(0, 1, 2))
    assert row["verdict"] == "hold"
    assert row["hold_until"] == pd.Timestamp("2024-10-03T08:00:00Z")
    frame = classified(full(0, 1, 2))
    later = decide(frame, at="2024-10-03T08:00:00").iloc[0]
    assert (later["verdict"], later["reason"]) == ("keep", "mailbox_full")
    assert later["explanation"] == (
        "Kept: 3 bounce days from 2024-09-01 to 2024-09-03, at last 4.2.2 mailbox full, no delivery since; "
        "its hold is over, so it is tried again."
    )
    assert pd.isna(later["hold_until"])
    assert decide(frame, at="2024-10-03T09:59:59+02:00").iloc[0]["verdict"] == "hold"
    # any later event moves the moment of the decision
    other = {
        "recipient": "bo@example.com",
        "event": "delivered",
        "timestamp": pd.Timestamp("2024-12-01T08:00:00Z"),
    }
    assert decide(classified([*full(0, 1, 2), other])).iloc[0]["verdict"] == "keep"
    for wrong in ("soon", "", float("nan"), pd.NaT):
        with pytest.raises(PolicyError, match="must be a time"):
            decide(frame, at=wrong)  # type: ignore[arg-type]


def test_when_to_review() -> None:
    row = verdict(event(0, "bounced", "system_full"))
    assert (row["verdict"], row["review_on"]) == ("remove", pd.Timestamp("2024-11-30T00:00:00Z"))
    assert verdict(event(0, "suppressed", "system_full"))["review_on"] == row["review_on"]
    assert pd.isna(verdict(event(0, "bounced", "unknown_user"))["review_on"])
    assert pd.isna(
        verdict(event(0, "bounced", "system_full"), policy=Policy(system_full_review_days=None))["review_on"]
    )
    assert verdict(*full(0, 7, 14, 21, 28))["review_on"] == pd.Timestamp("2025-03-28T00:00:00Z")


def test_a_suspicion_is_no_complaint() -> None:
    row = verdict(event(0, "complained", suspect=True), event(3, "opened"))
    assert (row["verdict"], row["reason"], row["confidence"]) == ("keep", "complained", "high")
    assert row["explanation"] == (
        "Kept: opened on 2024-09-04, so the complaint on 2024-09-01 was most likely another's."
    )
    row = verdict(event(0, "complained", suspect=True), event(3, "delivered"))
    assert (row["verdict"], row["reason"], row["confidence"]) == ("hold", "complained", "low")
    assert row["explanation"] == "Held: one of several who may have complained on 2024-09-01."
    assert (
        verdict(event(0, "complained", suspect=True), policy=Policy(suspected=Rule(remove_after=1)))[
            "verdict"
        ]
        == "remove"
    )
    assert verdict(event(0, "complained", suspect=True), event(1, "complained"))["verdict"] == "remove"


def test_conflicts_remove_only_where_the_policy_says_so() -> None:
    twice = [event(day, "bounced", "unknown_user", conflict=True) for day in (0, 1)]
    policy = Policy(conflict=Rule(remove_after=2, hold_after=1))
    assert verdict(twice[0], policy=policy)["verdict"] == "hold"
    assert verdict(*twice, policy=policy)["verdict"] == "remove"


@pytest.mark.parametrize(
    ("events", "confidence"),
    [
        ([event(0)], "high"),  # the server's own words
        ([event(0, evidence="enhanced code")], "medium"),
        ([event(0, evidence="ESP word")], "medium"),
        (
            [event(0, evidence="enhanced code"), event(1, evidence="enhanced code")],
            "high",
        ),  # said on two days
        (full(0, 1, 2), "high"),
        ([event(0, conflict=True)], "low"),
        ([event(day, "bounced", "unclassified") for day in range(4)], "low"),
        ([event(0, "unsubscribed")], "high"),
        ([event(0), event(1, "delivered")], "high"),
        ([event(0, "accepted")], "medium"),
    ],
)
def test_confidence(events: list[dict[str, Any]], confidence: str) -> None:
    assert verdict(*events)["confidence"] == confidence


def test_first_and_last_seen() -> None:
    row = verdict(event(3, "opened"), event(0, "deferred", "greylisted"), event(1, "bounced", "mailbox_full"))
    assert row["first_seen"] == pd.Timestamp("2024-09-01T08:00:00Z")
    assert row["last_seen"] == pd.Timestamp("2024-09-04T08:00:00Z")


def test_a_reason_can_have_its_own_rule() -> None:
    policy = Policy(reasons={"mailbox_full": Rule(hold_after=1), "greylisted": Rule(hold_after=2)})
    assert verdict(event(0, "bounced", "mailbox_full"), policy=policy)["verdict"] == "hold"
    assert (
        verdict(event(0, "bounced", "greylisted"), event(1, "bounced", "greylisted"), policy=policy)[
            "verdict"
        ]
        == "hold"
    )
    assert (
        verdict(*(event(day, "bounced", "rate_limited") for day in range(9)), policy=policy)["verdict"]
        == "keep"
    )


def test_deferrals_and_refused_messages_are_no_bounces() -> None:
    row = verdict(
        *(event(day, "deferred", "mailbox_full") for day in range(40)), event(3, "rejected", "virus")
    )
    assert (row["verdict"], row["bounce_days"], row["explanation"]) == ("keep", 0, "Kept: no bounce.")
    assert pd.isna(row["reason"])


def test_without_a_time() -> None:
    assert verdict(event(None, "suppressed", "unknown_user"), event(9, "delivered"))["verdict"] == "remove"
    assert verdict(event(None, "bounced", "unknown_user"))["verdict"] == "remove"
    assert verdict(event(None, "bounced", "unknown_user"), event(9, "delivered"))["verdict"] == "keep"
    assert verdict(event(None, "bounced", "unknown_user"), event(None, "delivered"))["verdict"] == "keep"
    assert verdict(event(3, "bounced", "unknown_user"), event(None, "delivered"))["verdict"] == "remove"
    row = verdict(*[event(None, "bounced", "mailbox_full")] * 9)
    assert (row["verdict"], row["bounce_days"]) == ("keep", 1)
    assert pd.isna(row["first_bounced"])
    assert "at an unknown time" in row["explanation"]


def test_one_address_however_it_is_written() -> None:
    frame = classified(
        [
            event(0, recipient=" Ann@EXAMPLE.com"),
            event(1, "delivered", recipient="ann@example.com"),
            event(0, recipient="bo@bücher.example"),
            event(1, "delivered", recipient="bo@xn--bcher-kva.example"),
        ]
    )
    decisions = decide(frame)
    assert decisions["address"].tolist() == ["ann@example.com", "bo@xn--bcher-kva.example"]
    assert decisions["domain"].tolist() == ["example.com", "xn--bcher-kva.example"]
    assert decisions["verdict"].tolist() == ["keep", "keep"]


def test_rows_without_a_recipient_are_passed_over() -> None:
    assert decide(classified([event(0, recipient=None), event(0, recipient=" ")])).empty


def test_columns_and_dtypes() -> None:
    for frame in (classified([]), classified([event(0), event(1, "opened", recipient="bo@example.com")])):
        decisions = decide(frame)
        assert dict(decisions.dtypes) == schema.DECISION_COLUMNS.dtypes
        assert decisions.attrs["policy"]["name"] == "default"


def test_arguments_stay_as_they_are() -> None:
    frame = classified([event(0), event(1, "delivered")]).set_index(pd.Index([7, 3]))
    copy = frame.copy(deep=True)
    decide(frame)
    pd.testing.assert_frame_equal(frame, copy)


def test_a_frame_that_went_through_parquet(tmp_path: Any) -> None:
    frame = classified(
        [event(0), event(1, "delivered"), event(None, "suppressed", recipient="bo@example.com")]
    )
    frame.to_parquet(tmp_path / "f.parquet")
    pd.testing.assert_frame_equal(decide(pd.read_parquet(tmp_path / "f.parquet")), decide(frame))


def test_errors_name_all_that_is_wrong() -> None:
    frame = classified([event(0)])
    with pytest.raises(FrameError, match=r"reason, action.*found: provider"):
        decide(frame.drop(columns=["reason", "action"]))
    with pytest.raises(FrameError, match=r"timestamp is .*; record is"):
        decide(frame.assign(timestamp="2026", record="x"))
    with pytest.raises(FrameError, match="timestamp"):
        decide(frame.assign(timestamp=frame["timestamp"].dt.tz_localize(None)))
    with pytest.raises(PolicyError, match="preset"):
        decide(frame, "strict")  # type: ignore[arg-type]


EVENTS = st.lists(
    st.builds(
        event,
        st.one_of(st.none(), st.integers(0, 40), st.floats(0, 40)),
        st.sampled_from(schema.EVENTS),
        st.one_of(st.none(), st.sampled_from(list(schema.REASONS))),
        recipient=st.sampled_from([ANN, "Bo@example.net"]),
        message_id=st.sampled_from(["m1", "m2", None]),
        conflict=st.booleans(),
        suspect=st.booleans(),
        source=st.sampled_from(["a.json", "b.json"]),
    ),
    min_size=1,
    max_size=12,
)


@examples(25)
@given(EVENTS, st.randoms(use_true_random=False))
def test_the_order_of_rows_means_nothing(events: list[dict[str, Any]], dice: Any) -> None:
    frame = classified(events)
    order = list(range(len(frame)))
    dice.shuffle(order)
    pd.testing.assert_frame_equal(decide(frame), decide(frame.iloc[order]))


@examples(25)
@given(EVENTS, st.sampled_from(schema.SIGNS_OF_LIFE), st.sampled_from(list(presets())))
def test_a_later_sign_of_life_never_costs_an_address(
    events: list[dict[str, Any]], sign: str, name: str
) -> None:
    policy = Policy.preset(name)
    rank = {"keep": 0, "hold": 1, "remove": 2}
    mine = [row | {"recipient": ANN} for row in events]
    later = event(99, sign, message_id="new")
    after, before = (verdict(*mine, *more, policy=policy)["verdict"] for more in ([later], []))
    assert rank[after] <= rank[before]


@examples(25)
@given(EVENTS, st.sampled_from(list(presets())))
def test_every_address_gets_one_sensible_row(events: list[dict[str, Any]], name: str) -> None:
    frame = classified(events)
    decisions = decide(frame, Policy.preset(name))
    assert decisions["address"].tolist() == sorted(set(frame["recipient"].str.lower()))
    words = {"remove": "Removed: ", "hold": "Held: ", "keep": "Kept: "}
    for row in decisions.itertuples():
        assert row.explanation.startswith(words[row.verdict])
        assert row.explanation.endswith(".")
        assert row.verdict == "keep" or isinstance(row.reason, str)
        assert row.hard_days <= row.bounce_days >= row.soft_days
    against = frame[~frame["event"].isin(["bounced", "dropped", "suppressed", "complained", "unsubscribed"])]
    untouched = set(frame["recipient"].str.lower()) - set(
        frame.drop(index=against.index)["recipient"].str.lower()
    )
    assert (decisions.loc[decisions["address"].isin(untouched), "verdict"] == "keep").all()

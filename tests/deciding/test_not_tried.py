"""Mail that the ESP did not try: it repeats the bounce behind it, and says no more than that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bounceanalytics import schema
from bounceanalytics.deciding import Policy, decide
from bounceanalytics.deciding.policy import presets
from bounceanalytics.history import History
from tests.classified import classified
from tests.deciding.test_decide import ANN, event, verdict
from tests.effort import examples


def dropped(day: float | None, what: str = "dropped", **more: Any) -> dict[str, Any]:
    """Return what the ESP says of mail to a bounced address."""
    return event(day, what, "suppressed", action="remove", esp_reason="Bounced Address", **more)


def by_policy(rows: list[dict[str, Any]], when: str) -> dict[str, pd.DataFrame]:
    """Return the verdicts of every preset; the evidence is gathered once."""
    with History.open(classified(rows)) as history:
        return {name: decide(history, policy, at=when) for name, policy in presets().items()}


REFUSED = [
    event(0, "bounced", reason, recipient=f"{reason}@example.com")
    for reason in schema.REASONS
    if reason not in {"suppressed", "challenge"}
]


@pytest.fixture(scope="module")
def behind(once: Callable[..., Any]) -> dict[str, dict[str, pd.DataFrame]]:
    """Return the verdicts on bounces alone, and with either word for mail that was not tried since."""

    def with_drops(what: str) -> list[dict[str, Any]]:
        return [dropped(day, what, recipient=one["recipient"]) for one in REFUSED for day in (0.1, 7, 14)]

    rows = {"alone": [], "dropped": with_drops("dropped"), "suppressed": with_drops("suppressed")}
    when = "2024-09-15T08:00:00Z"
    return once(
        "behind drops", lambda: {name: by_policy(REFUSED + drops, when) for name, drops in rows.items()}
    )


@pytest.mark.parametrize("policy", presets())
@pytest.mark.parametrize("what", ["dropped", "suppressed"])
def test_a_drop_changes_no_verdict_of_the_bounce_behind_it(
    policy: str, what: str, behind: dict[str, dict[str, pd.DataFrame]]
) -> None:
    alone, both = behind["alone"][policy], behind[what][policy]
    assert len(alone) == len(REFUSED)
    for name in ("address", "verdict", "reason", "hold_until", "review_on"):
        assert alone[name].tolist() == both[name].tolist() or alone[name].equals(both[name])
    assert both["suppressed_by"].tolist() == ["sendgrid"] * len(both)
    assert alone["suppressed_by"].isna().all()


def test_a_drop_of_which_nothing_is_known_follows_the_policy() -> None:
    for word in schema.VERDICTS:
        row = verdict(dropped(0), policy=Policy(not_tried=word))
        assert (row["verdict"], row["suppressed_by"]) == (word, "sendgrid")


def test_who_took_mail_after_the_bounce_was_not_suppressed_for_it() -> None:
    row = verdict(event(0, "bounced", "mailbox_full"), event(5, "delivered"), dropped(9))
    assert (row["verdict"], row["suppressed_by"]) == ("remove", "sendgrid")
    row = verdict(event(0, "bounced", "mailbox_full"), dropped(5), event(9, "delivered"))
    assert row["verdict"] == "keep"
    assert row.isna()["suppressed_by"]


def test_an_entry_without_a_time_is_how_things_stand() -> None:
    assert verdict(event(0, "bounced", "mailbox_full"), dropped(None, "suppressed"))["verdict"] == "keep"
    assert verdict(event(0, "delivered"), dropped(None, "suppressed"))["verdict"] == "remove"


def test_kept_and_held_addresses_say_that_the_list_keeps_mail_from_them() -> None:
    row = verdict(event(0, "bounced", "mailbox_full"), dropped(7))
    assert row["explanation"].endswith("SendGrid sends nothing to it, because its list holds it for that.")
    row = verdict(event(0, "bounced", "mailbox_full"), dropped(7, provider="generic"))
    assert row["explanation"].endswith("the ESP sends nothing to it, because its list holds it for that.")


@pytest.fixture(scope="module")
def listed(once: Callable[..., Any]) -> dict[str, dict[str, pd.DataFrame]]:
    """Return the verdicts on bounces, on entries of a list with the same texts, and on these with drops."""
    bounces = [one for one in REFUSED if one["reason"] != "unclassified"]
    entries = [one | {"event": "suppressed"} for one in bounces]
    drops = [dropped(7, recipient=one["recipient"]) for one in entries]
    rows = {"told": bounces, "listed": entries, "both": entries + drops}
    when = "2024-09-09T08:00:00Z"
    return once("entries with texts", lambda: {name: by_policy(given, when) for name, given in rows.items()})


@pytest.mark.parametrize("policy", presets())
def test_an_entry_with_the_text_of_the_server_is_that_bounce(
    policy: str, listed: dict[str, dict[str, pd.DataFrame]]
) -> None:
    told, entries, both = (listed[name][policy] for name in ("told", "listed", "both"))
    assert len(told) == len(REFUSED) - 1
    for name in ("address", "verdict", "reason"):
        assert told[name].tolist() == entries[name].tolist() == both[name].tolist()
    assert entries["suppressed_by"].notna().all()


def test_a_list_that_is_a_log_keeps_no_mail_from_anybody() -> None:
    assert verdict(event(0, "suppressed", "blocked", esp_type="blocks")).isna()["suppressed_by"]


def test_a_hold_policy_for_full_systems_holds_after_drops() -> None:
    row = verdict(event(0, "bounced", "system_full"), dropped(7), policy=Policy(system_full="hold"))
    assert (row["verdict"], row["reason"], row["code"]) == ("hold", "system_full", "5.3.1")
    assert row["review_on"] == pd.Timestamp("2024-11-30T00:00Z")  # 90 days after the bounce


BOUNCES = st.builds(
    lambda day, reason, conflict: event(day, "bounced", reason, conflict=conflict),
    st.one_of(st.none(), st.integers(0, 60)),
    st.sampled_from(
        ["unknown_user", "mailbox_full", "blocked", "system_full", "recipient_refused", "rate_limited"]
    ),
    st.booleans(),
)
SIGNS = st.builds(event, st.integers(0, 60), st.sampled_from(["delivered", "opened"]))
HARSH = {"keep": 0, "hold": 1, "remove": 2}


@examples(60)
@given(st.lists(st.one_of(BOUNCES, SIGNS), max_size=8), BOUNCES, st.sampled_from(sorted(presets())))
def test_another_failure_never_makes_a_verdict_milder(
    history: list[dict[str, Any]], more: dict[str, Any], name: str
) -> None:
    policy, when = Policy.preset(name), "2024-11-01T00:00:00Z"
    bo = [one | {"recipient": "bo@example.net"} for one in history]
    told = decide(classified([*history, more, *bo]), policy, at=when).set_index("address")["verdict"]
    assert len(told) == 1 + bool(history)
    assert not history or HARSH[told[ANN]] >= HARSH[told["bo@example.net"]]

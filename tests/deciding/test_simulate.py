"""A history replayed under several policies, beside a slow replay in plain Python."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bounceanalytics.deciding import Policy, Rule, compare_policies, decide
from bounceanalytics.deciding.policy import presets
from bounceanalytics.errors import FrameError, PolicyError
from tests.classified import classified
from tests.effort import examples

START = pd.Timestamp("2026-09-01T08:00:00Z")


def event(day: float | None, what: str = "bounced", reason: str | None = None, **more: Any) -> dict[str, Any]:
    when = None if day is None else START + pd.Timedelta(days=day)
    said = {"reason": reason} if reason else {}
    return {"recipient": "ann@example.com", "event": what, "timestamp": when} | said | more


def replay(*events: dict[str, Any], policy: Policy | str = "default") -> pd.Series:
    table = compare_policies(classified(list(events)), [policy])
    assert len(table) == 1
    return table.iloc[0]


def test_a_wrong_removal_and_what_it_avoids() -> None:
    history = [
        event(0, "bounced", "system_full"),
        event(7, "bounced", "system_full"),
        event(14, "delivered"),
        event(21, "delivered"),
        event(0, "bounced", "unknown_user", recipient="bo@example.com"),
        event(7, "bounced", "unknown_user", recipient="bo@example.com"),
        event(0, "delivered", recipient="cy@example.com"),
    ]
    row = replay(*history)
    assert row.to_dict() == {
        "policy": "default", "addresses": 3, "removed": 2, "wished": 0, "held": 0, "wrongly_removed": 1,
        "deliveries_lost": 2, "bounced": 4, "bounces_avoided": 2, "wrong_share": 0.5, "avoided_share": 0.5,
    }  # fmt: skip
    gentle = replay(*history, policy=Policy(system_full="hold"))
    assert (gentle["removed"], gentle["held"], gentle["wrongly_removed"], gentle["bounces_avoided"]) == (
        1,
        1,
        0,
        1,
    )


def test_a_removal_stays_although_the_address_comes_back() -> None:
    """``decide`` at the end forgives what a delivery cleared; a replay knows what would have happened by then."""
    history = [event(0, "bounced", "unknown_user"), event(7, "delivered")]
    assert decide(classified(history)).iloc[0]["verdict"] == "keep"
    row = replay(*history)
    assert (row["removed"], row["wrongly_removed"], row["deliveries_lost"]) == (1, 1, 1)


def test_soft_bounces_between_two_deliveries_count_by_themselves() -> None:
    policy = Policy(soft=Rule(remove_after=3))
    full = [event(day, "bounced", "mailbox_full") for day in (0, 1, 3, 4)]
    assert replay(*full, policy=policy)["removed"] == 1
    assert replay(*full, event(2, "delivered"), policy=policy)["removed"] == 0
    assert (
        replay(*full, event(2, "delivered"), event(5, "bounced", "mailbox_full"), policy=policy)["removed"]
        == 1
    )


def test_who_wished_to_go_is_no_wrong_removal() -> None:
    row = replay(event(0, "complained"), event(7, "delivered"), event(14, "bounced", "unknown_user"))
    assert (row["removed"], row["wished"], row["wrongly_removed"], row["bounces_avoided"]) == (1, 1, 0, 1)
    assert pd.isna(row["wrong_share"])


def test_a_delivery_that_came_back_is_none() -> None:
    history = [
        event(0, "bounced", "unknown_user"),
        event(7, "delivered", message_id="m"),
        event(7.1, "bounced", "unknown_user", message_id="m"),
    ]
    assert replay(*history)["wrongly_removed"] == 0


def test_what_has_no_time_takes_no_part() -> None:
    row = replay(
        event(None, "bounced", "unknown_user"),
        event(None, "suppressed", "unknown_user"),
        event(3, "delivered"),
    )
    assert (row["addresses"], row["removed"], row["bounced"]) == (1, 0, 0)
    assert pd.isna(row["avoided_share"])


def test_all_presets_if_not_told_which() -> None:
    table = compare_policies(classified([event(0)]))
    assert table["policy"].tolist() == list(presets())
    assert (table["addresses"] == 1).all()


def test_columns_and_dtypes_of_an_empty_history() -> None:
    table = compare_policies(classified([]), ["default", Policy(name="ours")])
    assert table["policy"].tolist() == ["default", "ours"]
    kinds = table.drop(columns="policy").dtypes.astype("str").tolist()
    assert kinds == ["int64"] * 8 + ["float64"] * 2


def test_errors() -> None:
    with pytest.raises(PolicyError, match="no policy called 'x'"):
        compare_policies(classified([]), ["x"])
    with pytest.raises(PolicyError, match="1 names stand for several policies: default"):
        compare_policies(classified([]), ["default", Policy.preset("default")])
    with pytest.raises(PolicyError, match="a Policy is needed"):
        compare_policies(classified([]), [3])  # type: ignore[list-item]
    with pytest.raises(FrameError, match="needs the columns"):
        compare_policies(pd.DataFrame({"x": [1]}))


def slowly(history: list[dict[str, Any]], policy: Policy) -> int:
    """Return how many addresses are removed at some time: decide anew after every single event."""
    dated = sorted((one for one in history if one["timestamp"] is not None), key=lambda one: one["timestamp"])
    gone: set[str] = set()
    for count in range(1, len(dated) + 1):
        if count < len(dated) and dated[count]["timestamp"] == dated[count - 1]["timestamp"]:
            continue
        verdicts = decide(classified(dated[:count]), policy)
        gone |= set(verdicts.loc[verdicts["verdict"] == "remove", "address"])
    return len(gone)


@examples(12)
@given(
    st.lists(
        st.builds(
            event,
            st.integers(0, 40),
            st.sampled_from(
                ["bounced", "bounced", "bounced", "delivered", "opened", "complained", "dropped"]
            ),
            st.sampled_from(["unknown_user", "mailbox_full", "system_full", "unclassified", "blocked"]),
            recipient=st.sampled_from(["ann@example.com", "bo@example.com"]),
        ),
        max_size=9,
    ),
    st.sampled_from(["default", "strict", "klaviyo", "mailman", "discourse", "cloudflare", "any-5xx"]),
)
def test_as_if_decided_anew_every_day(history: list[dict[str, Any]], name: str) -> None:
    assert replay(*history, policy=name)["removed"] == slowly(history, Policy.preset(name))

"""What recipients ask for: of two opposite wishes the later counts, one group is not everything, complaints stay."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

import bounceanalytics as ba
from bounceanalytics.deciding import Policy, decide
from tests.deciding.test_decide import each, event, verdict


def left(day: float | None, group: int | None = None, **more: Any) -> dict[str, Any]:
    """Return an unsubscribe, from a group or from everything."""
    word = "unsubscribe" if group is None else "group_unsubscribe"
    return event(day, "unsubscribed", esp_event=word, esp_type=group and f"group {group}", **more)


def back(day: float | None, group: int = 12, **more: Any) -> dict[str, Any]:
    return event(day, "other", **{"esp_event": "group_resubscribe", "esp_type": f"group {group}"} | more)


@pytest.mark.parametrize(
    ("wishes", "expected", "reason"),
    [
        ([left(0)], "remove", "unsubscribed"),
        ([left(0), event(9, "clicked")], "remove", "unsubscribed"),
        ([left(0), back(1)], "hold", "unsubscribed_partly"),
        ([left(0), back(1, esp_type=None)], "keep", None),
        ([back(0), left(1)], "remove", "unsubscribed"),
        ([left(0), back(0)], "remove", "unsubscribed"),  # at once: nobody knows which was later
        ([left(None), back(1)], "remove", "unsubscribed"),
        ([left(0, 12)], "hold", "unsubscribed_partly"),
        ([left(0, 12), back(1, 12)], "keep", None),
        ([left(0, 12), back(1, 13)], "hold", "unsubscribed_partly"),
        ([left(0, 12), left(1)], "remove", "unsubscribed"),
        ([left(0), back(1), left(2, 12)], "hold", "unsubscribed_partly"),
        ([event(0, "complained"), back(1)], "remove", "complained"),
        ([left(0), back(1, provider="mailgun")], "remove", "unsubscribed"),
    ],
)
def test_the_later_wish_counts(wishes: list[dict[str, Any]], expected: str, reason: str | None) -> None:
    for row in each({"in order": wishes, "backwards": wishes[::-1]}).values():
        assert row["verdict"] == expected
        assert row["reason"] == reason or (reason is None and pd.isna(row["reason"]))


def test_the_group_is_named() -> None:
    assert "a part of the mail (group 12) on 2024-09-01" in verdict(left(0, 12))["explanation"]
    assert "(group 12, group 13)" in verdict(left(0, 12), left(1, 13))["explanation"]
    assert "(everything but group 12)" in verdict(left(0), back(1))["explanation"]


@pytest.mark.parametrize("word", ["remove", "keep"])
def test_a_policy_decides_what_one_group_means(word: Any) -> None:
    assert verdict(left(0, 12), policy=Policy(unsubscribed_partly=word))["verdict"] == word


def topics(day: int, everything: bool, **status: str) -> str:
    """Return SES's record of what somebody wants from that day on."""
    chosen = ", ".join(
        f'{{"topicName": "{name}", "subscriptionStatus": "{word}"}}' for name, word in status.items()
    )
    when = f"2026-03-{day:02d}T08:00:00.000Z"
    return (
        '{"eventType": "Subscription", "mail": {"timestamp": "2026-03-01T08:00:00.000Z", "messageId": "m1", '
        f'"destination": ["kim@example.com"]}}, "subscription": {{"timestamp": "{when}", "source": "PreferenceCenter", '
        f'"newTopicPreferences": {{"unsubscribeAll": {str(everything).lower()}, '
        f'"topicSubscriptionStatus": [{chosen}]}}}}}}'
    )


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ([topics(1, True, News="OptOut")], "remove"),
        ([topics(1, True, News="OptOut"), topics(2, False, News="OptIn")], "keep"),
        ([topics(1, True), topics(2, False, News="OptIn", Offers="OptOut")], "hold"),
        ([topics(1, False, News="OptOut"), topics(2, False, News="OptIn")], "keep"),
        ([topics(2, True, News="OptOut"), topics(1, False, News="OptIn")], "remove"),
    ],
)
def test_preferences_of_ses_say_what_holds_from_then_on(records: list[str], expected: str) -> None:
    verdicts = decide(ba.classify(ba.load("\n".join(records).encode()).events))
    assert verdicts["verdict"].tolist() == [expected]
    if expected == "hold":
        assert "Offers" in verdicts["explanation"].iloc[0]


@pytest.mark.parametrize(
    ("tags", "expected"), [('["*"]', "remove"), ('["digest"]', "hold"), ("[]", "remove")]
)
def test_a_tag_of_mailgun_is_not_everything(tags: str, expected: str) -> None:
    page = (
        '{"event": "unsubscribed", "id": "a1", "timestamp": 1773130520.1, "log-level": "info", '
        f'"recipient": "kim@example.com", "tags": {tags}, "message": {{"headers": {{"message-id": "m1"}}}}}}'
    )
    assert decide(ba.classify(ba.load(page.encode()).events))["verdict"].tolist() == [expected]


@pytest.mark.parametrize("what", ["dropped", "suppressed"])
@pytest.mark.parametrize(("word", "reason"), [("complaint", "complained"), ("Opted out", "unsubscribed")])
def test_a_table_of_another_tool_tells_wishes(what: str, word: str, reason: str) -> None:
    table = pd.DataFrame({"mail": ["kim@example.com"], "why": [word], "at": ["2026-03-10T08:15:20Z"]})
    mapping = {"recipient": "mail", "esp_reason": "why", "timestamp": "at"}
    verdicts = decide(ba.classify(ba.read_table(table, mapping=mapping, event=what)))
    assert verdicts[["verdict", "reason"]].astype("str").to_numpy().tolist() == [["remove", reason]]

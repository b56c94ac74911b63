"""A history in parts gives what the whole gives: all that is public, over the samples and over made-up mail."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

import bounceanalytics as ba
from bounceanalytics.errors import WrongClockWarning
from bounceanalytics.history.parts import Histories
from tests.classified import classified
from tests.effort import some_quick
from tests.parts import in_parts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ASKED: dict[str, Callable[[Any], Any]] = {
    "decide": ba.decide,
    "storms": ba.storms,
    "recovery": ba.recovery,
    "recovery_curves": ba.recovery_curves,
    "retry_days": ba.retry_days,
    "incidents": ba.incidents,
    "compare_policies": ba.compare_policies,
    **{name: getattr(ba, name) for name in ba.__all__ if name.startswith("summarize_")},
}


@pytest.fixture(scope="module")
def samples() -> pd.DataFrame:
    return ba.classify(ba.load(ba.samples() / "exports" / "ses").events)


@pytest.fixture(scope="module")
def parts(samples: pd.DataFrame) -> Iterator[Histories]:
    with in_parts(samples, 3) as found:
        yield found


@pytest.mark.parametrize("name", some_quick(ASKED))
def test_parts_are_the_whole(name: str, samples: pd.DataFrame, parts: Histories) -> None:
    whole = ASKED[name](samples)
    assert len(whole)
    pd.testing.assert_frame_equal(ASKED[name](parts), whole)


def test_every_summary_of_parts(samples: pd.DataFrame, parts: Histories) -> None:
    found, whole = ba.summarize(parts), ba.summarize(samples)
    for name in whole.__dataclass_fields__:
        pd.testing.assert_frame_equal(getattr(found, name), getattr(whole, name), obj=name)


def mail(seed: int) -> pd.DataFrame:
    """Return mail of some weeks to a few domains: letters that are told twice, lists, opens, wishes, missing cells."""
    dice = random.Random(seed)  # noqa: S311 - a story, not a secret
    reasons = (
        "unknown_user",
        "mailbox_full",
        "system_full",
        "spam",
        "blocked",
        "bad_domain",
        "challenge",
        None,
    )
    events = ("delivered",) * 8 + ("bounced",) * 4 + ("deferred", "dropped", "suppressed", "opened", "clicked",
              "complained", "unsubscribed", "accepted")  # fmt: skip
    people = [
        f"a{n}@{dice.choice(('one', 'two', 'three', 'four'))}.example" for n in range(dice.randint(3, 60))
    ]
    rows = []
    for _ in range(dice.randint(5, 400)):
        event, day = dice.choice(events), dice.randrange(90)
        failed = event in ("bounced", "dropped", "suppressed")
        reason = dice.choice(reasons) if failed else None
        rows.append(
            {
                "recipient": dice.choice([*people, None]),
                "event": event,
                "reason": reason,
                "timestamp": None if dice.random() < 0.05 else pd.Timestamp("2026-01-05T09:00Z")
                + pd.Timedelta(days=day, minutes=dice.randrange(90)),
                "message_id": dice.choice((None, f"m{dice.randrange(200)}")),
                "provider": dice.choice(("sendgrid", "ses", "mailgun")),
                "mailbox_provider": dice.choice(("google", "other", "other")),
                "remote_host": dice.choice((None, "mx.example.net", "mx.example.org")),
                "tags": dice.choice((None, ["spring"], ["spring", "news"])),
                "sending_ip": dice.choice((None, "192.0.2.1", "192.0.2.2")),
                "esp_type": dice.choice((None, "Bounce", "Complaint")),
            }
        )  # fmt: skip
    return classified(rows)


@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(seed, marks=[pytest.mark.slow, pytest.mark.huge]) for seed in range(1, 6))]
)
def test_parts_of_any_mail_are_the_whole(seed: int) -> None:
    bounces = mail(seed)
    with in_parts(bounces, 3) as parts:
        for name, function in ASKED.items():
            pd.testing.assert_frame_equal(function(parts), function(bounces), obj=name)


def test_a_part_alone_does_not_tell_that_a_clock_was_wrong() -> None:
    """Half of one part lies in the future, and little of all: these times are wrong."""
    rows = [
        {"recipient": f"a{n}@one.example", "event": "delivered",
         "timestamp": "2097-01-01T00:00Z" if n % 7 == 0 else "2026-01-01T00:00Z"}
        for n in range(60)
    ]  # fmt: skip
    bounces = classified(rows)
    with pytest.warns(WrongClockWarning, match="9 of 60 events lie in the future"):
        whole = ba.decide(bounces)
    with in_parts(bounces, 20) as parts, pytest.warns(WrongClockWarning, match="9 of 60 events lie") as told:
        found = ba.decide(parts)
    assert len(told) == 1
    pd.testing.assert_frame_equal(found, whole)


def test_nothing_in_parts_is_nothing() -> None:
    nothing = ba.schema.BOUNCE_COLUMNS.empty()
    with in_parts(nothing, 2) as parts:
        for name, function in ASKED.items():
            pd.testing.assert_frame_equal(function(parts), function(nothing), obj=name)


def test_late_years_add_up() -> None:
    bounces = classified(
        [
            {"recipient": f"a{n}@one.example", "event": "delivered", "timestamp": "9999-01-01T00:00Z"}
            for n in range(30)
        ]
    )
    with in_parts(bounces, 3) as parts:
        pd.testing.assert_frame_equal(ba.summarize_domains(parts), ba.summarize_domains(bounces))

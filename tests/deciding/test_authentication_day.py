"""A day on which the sender's own record is broken: whoever refuses that letter is no dead customer."""

from __future__ import annotations

import json

import pandas as pd
import pytest

import bounceanalytics as ba
from bounceanalytics.deciding.policy import presets

CUSTOMERS = 2_000
LETTERS = pd.date_range("2024-03-04T09:00Z", periods=4, freq="7D")
REFUSED = "550 5.7.26 Unauthenticated email from shop.example is not accepted due to domain's DMARC policy"
#: Removes everything that was refused for good, to show what that costs.
BLIND = {"any-5xx"}


@pytest.fixture(scope="module")
def bounces() -> pd.DataFrame:
    """Return a weekly letter to 2,000 people; four in ten refuse the second, and the ESP drops the ones after it."""
    records = []
    for number, letter in enumerate(LETTERS):
        for who in range(CUSTOMERS):
            refuses = number and who % 10 < 4
            said = {"event": "delivered", "response": "250 ok"}
            if refuses and number == 1:
                said = {"event": "bounce", "type": "bounce", "status": "5.7.26", "reason": REFUSED}
            elif refuses:
                said = {"event": "dropped", "reason": "Bounced Address"}
            records.append(
                {
                    "email": f"c{who}@place{who % 40}.example",
                    "timestamp": int(letter.timestamp()) + who,
                    "sg_event_id": f"e{number}-{who}",
                    "sg_message_id": f"m{number}-{who}",
                    **said,
                }
            )
    return ba.classify(ba.load(json.dumps(records).encode()).events)


@pytest.mark.parametrize("name", sorted(set(presets()) - BLIND))
def test_nobody_is_removed(bounces: pd.DataFrame, name: str) -> None:
    verdicts = ba.decide(bounces, ba.Policy.preset(name))
    assert len(verdicts) == CUSTOMERS
    assert (verdicts["verdict"] == "remove").sum() == 0
    assert (verdicts["suppressed_by"] == "sendgrid").sum() == CUSTOMERS * 4 // 10

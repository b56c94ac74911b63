"""The column ``evidence``: what kind of evidence decided, and that nobody reads it off the id of a rule."""

from __future__ import annotations

import pandas as pd
import pytest

import bounceanalytics as ba

RULE = """
[[rule]]
id = "{id}"
pattern = "zzz nobody"
reason = "unknown_user"
"""


def frame(**columns: object) -> pd.DataFrame:
    """Return a bounce of somebody at an ESP, with more known about it."""
    events = ba.read(
        b'[{"email": "a@example.com", "event": "bounce", "timestamp": 1767225600, "sg_event_id": "x"}]'
    )
    return events.assign(**columns)


@pytest.mark.parametrize(
    ("columns", "evidence"),
    [
        ({"diagnostic": "550 5.1.1 User unknown"}, "text"),
        ({"diagnostic": "550 5.1.1 hmpf"}, "enhanced code"),
        ({"reply_code": 552}, "reply code"),
        ({"esp_reason": "Invalid Address"}, "ESP word"),
        ({"event": "dropped", "esp_reason": "Bounced Address"}, "ESP word"),
        ({"event": "dropped"}, "ESP word"),
        ({"enhanced_code": "5.9.9"}, "code class"),
    ],
)
def test_what_decided(columns: dict[str, object], evidence: str) -> None:
    (found,) = ba.classify(frame(**columns))["evidence"]
    assert found == evidence


def test_where_nothing_spoke_there_is_none() -> None:
    assert ba.classify(frame())["evidence"].isna().all()
    assert ba.classify(frame(event="delivered", diagnostic="250 ok"))["evidence"].isna().all()


@pytest.mark.parametrize("name", ["zz-nobody-001", "reply-nobody-001", "enhanced-nobody", "ses-nobody"])
def test_the_spelling_of_a_rule_is_no_evidence(name: str, tmp_path) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text(RULE.format(id=name))
    verdicts = ba.decide(ba.classify(frame(diagnostic="550 zzz nobody"), rules=rules))
    assert verdicts["confidence"].tolist() == ["high"]


def test_a_code_or_a_word_of_the_esp_is_medium() -> None:
    for columns in ({"enhanced_code": "5.1.1"}, {"esp_reason": "Invalid Address"}):
        verdicts = ba.decide(ba.classify(frame(**columns)))
        assert (verdicts["verdict"][0], verdicts["confidence"][0]) == ("remove", "medium")

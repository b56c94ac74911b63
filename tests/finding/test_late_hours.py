"""Hours after which a delivery stays one: a whole number that a mail can take, else one sentence."""

from __future__ import annotations

from typing import Any

import pytest

import bounceanalytics as ba
from bounceanalytics.errors import FrameError

NOTHING = ba.schema.BOUNCE_COLUMNS.empty()


@pytest.mark.parametrize("function", [ba.storms, ba.recovery, ba.recovery_curves, ba.retry_days])
@pytest.mark.parametrize("hours", [-1, 10**9, 10**18, float("nan"), float("inf"), 1.5, "x", None, True, [1]])
def test_hours_that_are_none(function: Any, hours: Any) -> None:
    with pytest.raises(FrameError, match=r"late_bounce_hours is .*; it must be a whole number of hours"):
        function(NOTHING, late_bounce_hours=hours)


@pytest.mark.parametrize("hours", [0, 120, 24.0, 876_000])
def test_hours_that_are(hours: Any) -> None:
    assert ba.storms(NOTHING, late_bounce_hours=hours).empty

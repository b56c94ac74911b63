"""Bounces and a policy in, one verdict per address out."""

from __future__ import annotations

from bounceanalytics.deciding.decide import decide
from bounceanalytics.deciding.policy import Policy
from bounceanalytics.deciding.recovery import recovery, recovery_curves
from bounceanalytics.deciding.rule import Rule
from bounceanalytics.deciding.simulate import compare_policies
from bounceanalytics.deciding.storms import storms

__all__ = ["Policy", "Rule", "compare_policies", "decide", "recovery", "recovery_curves", "storms"]

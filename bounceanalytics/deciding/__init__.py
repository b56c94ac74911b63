"""Bounces and a policy in, one verdict per address out."""

from __future__ import annotations

from bounceanalytics.deciding.decide import decide
from bounceanalytics.deciding.policy import Policy
from bounceanalytics.deciding.rule import Rule
from bounceanalytics.deciding.simulate import compare_policies

__all__ = ["Policy", "Rule", "compare_policies", "decide"]

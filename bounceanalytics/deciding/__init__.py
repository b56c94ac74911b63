"""Bounces and a policy in, one verdict per address out."""

from __future__ import annotations

from bounceanalytics.deciding.decide import decide
from bounceanalytics.deciding.policy import Policy, Rule

__all__ = ["Policy", "Rule", "decide"]

"""Findings in a history of bounces: storms, recovery, retry delays and likely spam traps."""

from bounceanalytics.finding.recovery import recovery, recovery_curves
from bounceanalytics.finding.storms import storms

__all__ = ["recovery", "recovery_curves", "storms"]

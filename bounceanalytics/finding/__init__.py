"""Findings in a history of bounces: storms, recovery, retry delays and likely spam traps."""

from bounceanalytics.finding.recovery import recovery, recovery_curves
from bounceanalytics.finding.retries import retry_days
from bounceanalytics.finding.storms import in_storm, storms

__all__ = ["in_storm", "recovery", "recovery_curves", "retry_days", "storms"]

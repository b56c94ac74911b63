"""The gathered frame that summaries, findings and decisions ask."""

from __future__ import annotations

from bounceanalytics.history.history import History

__all__ = ["History"]

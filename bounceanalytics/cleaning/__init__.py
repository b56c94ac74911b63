"""Verdicts and a mailing list in; kept, removed and held rows out, and suppression files for ESPs."""

from __future__ import annotations

from bounceanalytics.cleaning.clean import clean
from bounceanalytics.cleaning.result import Cleaning
from bounceanalytics.cleaning.suppressions import Suppressions, export_suppressions

__all__ = ["Cleaning", "Suppressions", "clean", "export_suppressions"]

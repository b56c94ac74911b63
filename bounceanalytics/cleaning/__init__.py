"""Verdicts and a mailing list in; kept, removed and held rows out, and back again."""

from __future__ import annotations

from bounceanalytics.cleaning.clean import clean
from bounceanalytics.cleaning.diff import diff
from bounceanalytics.cleaning.restore import Restored, restore
from bounceanalytics.cleaning.result import Cleaning

__all__ = ["Cleaning", "Restored", "clean", "diff", "restore"]

"""Verdicts in, suppression files out, in the format that each ESP imports."""

from __future__ import annotations

from bounceanalytics.hashes import hash_addresses
from bounceanalytics.knowledge.suppression_files import FORMATS
from bounceanalytics.suppressing.hashing import match_hashes
from bounceanalytics.suppressing.ledger import Ledger
from bounceanalytics.suppressing.ledger_update import LedgerUpdate
from bounceanalytics.suppressing.suppressions import Suppressions, export_suppressions

__all__ = [
    "FORMATS",
    "Ledger",
    "LedgerUpdate",
    "Suppressions",
    "export_suppressions",
    "hash_addresses",
    "match_hashes",
]

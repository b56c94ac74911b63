"""The verbs of the package on the command line."""

from __future__ import annotations

from bounceanalytics.cli import demo, domains, exports, ledger, lists  # each adds its verbs to the group
from bounceanalytics.cli.shell import main

__all__ = ["demo", "domains", "exports", "ledger", "lists", "main"]

"""Bounce exports of SendGrid, Amazon SES and Mailgun in; classified frames, charts, reports and clean lists out.

>>> import bounceanalytics as ba
>>> load = ba.load(ba.samples() / "exports")
>>> bounces = ba.classify(load.events)
>>> ba.summarize_domains(bounces).columns[0]
'domain'
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from bounceanalytics.bundled import samples
from bounceanalytics.classifying.classify import candidates, classify, classify_text
from bounceanalytics.classifying.linting import lint_rules
from bounceanalytics.classifying.reviewing import conflicts, unclassified
from bounceanalytics.cleaning import Cleaning, Restored, clean, diff, restore
from bounceanalytics.datasets import Dataset
from bounceanalytics.deciding import Policy, Rule, compare_policies, decide
from bounceanalytics.domains import (
    Monitor,
    check_domains,
    check_hosts,
    contacts,
    domain_typos,
    label_domains,
    other_addresses,
)
from bounceanalytics.errors import (
    BounceAnalyticsError,
    FormatError,
    FrameError,
    MissingExtraError,
    NoNetworkWarning,
    OutputError,
    PolicyError,
    SourceError,
    UnknownCodeError,
    WrongClockWarning,
)
from bounceanalytics.explaining.explain import Explanation, explain
from bounceanalytics.finding import in_storm, recovery, recovery_curves, retry_days, storms
from bounceanalytics.incidents import incidents
from bounceanalytics.knowledge.registry import codes_frame as codes
from bounceanalytics.loading import (
    Load,
    NaiveTimeWarning,
    NoEventsWarning,
    RejectedRecordsWarning,
    UnreadTimesWarning,
    convert,
    load,
    load_table,
    read,
    read_mailgun,
    read_sendgrid,
    read_ses,
    read_table,
)
from bounceanalytics.report import report, save_charts
from bounceanalytics.schema import split_tags
from bounceanalytics.summaries import (
    Summaries,
    summarize,
    summarize_actions,
    summarize_changes,
    summarize_codes,
    summarize_days,
    summarize_domain_days,
    summarize_domain_reasons,
    summarize_domains,
    summarize_esps,
    summarize_hosts,
    summarize_mailbox_providers,
    summarize_providers,
    summarize_reasons,
    summarize_registrable_domains,
    summarize_sending_ips,
    summarize_system_full,
    summarize_tags,
)
from bounceanalytics.suppressing import (
    Ledger,
    LedgerUpdate,
    Suppressions,
    export_suppressions,
    hash_addresses,
    match_hashes,
)
from bounceanalytics.tables import table

if TYPE_CHECKING:
    from bounceanalytics import charts, distributed

__version__ = "0.1.0"

__all__ = [
    "BounceAnalyticsError",
    "Cleaning",
    "Dataset",
    "Explanation",
    "FormatError",
    "FrameError",
    "Ledger",
    "LedgerUpdate",
    "Load",
    "MissingExtraError",
    "Monitor",
    "NaiveTimeWarning",
    "NoEventsWarning",
    "NoNetworkWarning",
    "OutputError",
    "Policy",
    "PolicyError",
    "RejectedRecordsWarning",
    "Restored",
    "Rule",
    "SourceError",
    "Summaries",
    "Suppressions",
    "UnknownCodeError",
    "UnreadTimesWarning",
    "WrongClockWarning",
    "candidates",
    "charts",
    "check_domains",
    "check_hosts",
    "classify",
    "classify_text",
    "clean",
    "codes",
    "compare_policies",
    "conflicts",
    "contacts",
    "convert",
    "decide",
    "diff",
    "distributed",
    "domain_typos",
    "explain",
    "export_suppressions",
    "hash_addresses",
    "in_storm",
    "incidents",
    "label_domains",
    "lint_rules",
    "load",
    "load_table",
    "match_hashes",
    "other_addresses",
    "read",
    "read_mailgun",
    "read_sendgrid",
    "read_ses",
    "read_table",
    "recovery",
    "recovery_curves",
    "report",
    "restore",
    "retry_days",
    "samples",
    "save_charts",
    "split_tags",
    "storms",
    "summarize",
    "summarize_actions",
    "summarize_changes",
    "summarize_codes",
    "summarize_days",
    "summarize_domain_days",
    "summarize_domain_reasons",
    "summarize_domains",
    "summarize_esps",
    "summarize_hosts",
    "summarize_mailbox_providers",
    "summarize_providers",
    "summarize_reasons",
    "summarize_registrable_domains",
    "summarize_sending_ips",
    "summarize_system_full",
    "summarize_tags",
    "table",
    "unclassified",
]


def __getattr__(name: str) -> Any:
    """Load ``charts``, which needs plotly, and ``distributed`` on first use."""
    if name in {"charts", "distributed"}:
        return importlib.import_module(f"bounceanalytics.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

"""Bounce exports of SendGrid, Amazon SES and Mailgun in; classified frames, charts, reports and clean lists out.

>>> import bounceanalytics as ba
>>> load = ba.load(ba.samples() / "exports")
>>> bounces = ba.classify(load.events)
>>> ba.summarize_domains(bounces).columns[0]
'domain'
"""

from __future__ import annotations

import importlib
import importlib.util
from typing import TYPE_CHECKING, Any

from bounceanalytics.bundled import samples
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
from bounceanalytics.incidents import incidents
from bounceanalytics.report import report, save_charts

if TYPE_CHECKING:
    from bounceanalytics import charts, distributed
    from bounceanalytics.classifying.classify import candidates, classify, classify_text
    from bounceanalytics.classifying.linting import lint_rules
    from bounceanalytics.classifying.reviewing import conflicts, unclassified
    from bounceanalytics.cleaning.clean import clean
    from bounceanalytics.cleaning.diff import diff
    from bounceanalytics.cleaning.restore import Restored, restore
    from bounceanalytics.cleaning.result import Cleaning
    from bounceanalytics.datasets import Dataset
    from bounceanalytics.deciding import Policy, Rule, compare_policies
    from bounceanalytics.deciding.decide import decide
    from bounceanalytics.domains import (
        Monitor,
        check_domains,
        check_hosts,
        contacts,
        domain_typos,
        label_domains,
        other_addresses,
    )
    from bounceanalytics.explaining.explain import Explanation, explain
    from bounceanalytics.finding.recovery import recovery, recovery_curves
    from bounceanalytics.finding.retries import retry_days
    from bounceanalytics.finding.storms import in_storm, storms
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


#: Where the public names are found that are loaded on first use: to import everything takes most of a second, and
#: nobody needs all of it. ``report`` and ``incidents`` hide the rooms of their names; they come at once, and are light.
_ROOMS = {
    "classifying.classify": ("candidates", "classify", "classify_text"),
    "classifying.linting": ("lint_rules",),
    "classifying.reviewing": ("conflicts", "unclassified"),
    "cleaning": ("Cleaning", "Restored", "clean", "diff", "restore"),
    "datasets": ("Dataset",),
    "deciding": ("Policy", "Rule", "compare_policies", "decide"),
    "domains": (
        "Monitor",
        "check_domains",
        "check_hosts",
        "contacts",
        "domain_typos",
        "label_domains",
        "other_addresses",
    ),
    "explaining.explain": ("Explanation", "explain"),
    "finding": ("in_storm", "recovery", "recovery_curves", "retry_days", "storms"),
    "knowledge.registry": ("codes",),
    "loading": (
        "Load",
        "NaiveTimeWarning",
        "NoEventsWarning",
        "RejectedRecordsWarning",
        "UnreadTimesWarning",
        "convert",
        "load",
        "load_table",
        "read",
        "read_mailgun",
        "read_sendgrid",
        "read_ses",
        "read_table",
    ),
    "schema": ("split_tags",),
    "summaries": (
        "Summaries",
        "summarize",
        *(name for name in __all__ if name.startswith("summarize_")),
    ),
    "suppressing": (
        "Ledger",
        "LedgerUpdate",
        "Suppressions",
        "export_suppressions",
        "hash_addresses",
        "match_hashes",
    ),
    "tables": ("table",),
}
_ROOM_OF = {name: room for room, names in _ROOMS.items() for name in names}
_NAMED_OTHERWISE = {"codes": "codes_frame"}


def __getattr__(name: str) -> Any:
    """Load a public name on first use, or a room of the package."""
    if name in _ROOM_OF:
        room = importlib.import_module(f"{__name__}.{_ROOM_OF[name]}")
        found = getattr(room, _NAMED_OTHERWISE.get(name, name))
        globals()[name] = found  # asked for once
        return found
    if not name.startswith("_") and importlib.util.find_spec(f"{__name__}.{name}"):
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

"""Domains: whether they take mail, since when and until when, who to ask about it, and which are typing errors."""

from __future__ import annotations

from bounceanalytics.domains.check import check_domains, check_hosts
from bounceanalytics.domains.contacting import contacts, other_addresses
from bounceanalytics.domains.disposable import disposable_domains, label_domains
from bounceanalytics.domains.monitor import Monitor
from bounceanalytics.domains.typos import domain_typos

__all__ = [
    "Monitor",
    "check_domains",
    "check_hosts",
    "contacts",
    "disposable_domains",
    "domain_typos",
    "label_domains",
    "other_addresses",
]

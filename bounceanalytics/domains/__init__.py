"""Domains: whether they still take mail, who to ask about it, and which of them are typing errors."""

from __future__ import annotations

from bounceanalytics.domains.check import check_domains, check_hosts
from bounceanalytics.domains.contacting import contacts, other_addresses
from bounceanalytics.domains.disposable import disposable_domains, label_domains
from bounceanalytics.domains.typos import domain_typos

__all__ = [
    "check_domains",
    "check_hosts",
    "contacts",
    "disposable_domains",
    "domain_typos",
    "label_domains",
    "other_addresses",
]

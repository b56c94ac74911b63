"""Domains: whether they still take mail, who to ask about it, and which of them are typing errors."""

from __future__ import annotations

from bounceanalytics.domains.check import check_domains, check_hosts

__all__ = ["check_domains", "check_hosts"]

"""Domains by what somebody registered: the public suffix list, as it ships with a package."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from publicsuffixlist import PublicSuffixList

if TYPE_CHECKING:
    from collections.abc import Iterable


def registrable_domains(domains: Iterable[str]) -> list[str]:
    """Return the part of each domain that can be registered; a domain that has none, or an IP, stays what it is.

    References
    ----------
    https://publicsuffix.org/list/

    Examples
    --------
    >>> registrable_domains(["mail.example.co.uk", "a.b.example.com", "co.uk", "(none)", "192.0.2.25"])
    ['example.co.uk', 'example.com', 'co.uk', '(none)', '192.0.2.25']
    """
    suffixes = _suffixes()
    # two labels are registered as they are, or are a suffix; looking up costs most of the time
    return [
        # no last label of a domain is a number
        (domain.count(".") > 1 and not domain[-1:].isdigit() and suffixes.privatesuffix(domain)) or domain
        for domain in domains
    ]


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()

"""Domains by what somebody registered: the public suffix list, as it ships with a package."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from publicsuffixlist import PublicSuffixList

if TYPE_CHECKING:
    from collections.abc import Iterable


def registrable_domains(domains: Iterable[str]) -> list[str]:
    """Return the part of each domain that can be registered; a domain that has none stays what it is.

    References
    ----------
    https://publicsuffix.org/list/

    Examples
    --------
    >>> registrable_domains(["mail.example.co.uk", "a.b.example.com", "co.uk", "(none)"])
    ['example.co.uk', 'example.com', 'co.uk', '(none)']
    """
    suffixes = _suffixes()
    # two labels are registered as they are, or are a suffix; looking up costs most of the time
    return [(domain.count(".") > 1 and suffixes.privatesuffix(domain)) or domain for domain in domains]


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()

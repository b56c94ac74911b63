"""Top-level domains: which there are, by the public suffix list."""

from __future__ import annotations

from functools import cache

from publicsuffixlist import PublicSuffixList


@cache
def is_top_level(label: str) -> bool:
    """Return whether there is such a top-level domain.

    Examples
    --------
    >>> is_top_level("com"), is_top_level("con")
    (True, False)
    """
    return _top_level().publicsuffix(label) is not None


@cache
def _top_level() -> PublicSuffixList:
    return PublicSuffixList(accept_unknown=False, only_icann=True)

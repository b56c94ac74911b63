"""Numbers, shares and dates as they are written in hover texts and reports."""

from __future__ import annotations

import html
import math
from typing import Any

import pandas as pd

_ELLIPSIS = "…"


def number(value: float) -> str:
    """Return ``12,345``.

    >>> number(12345)
    '12,345'
    """
    return f"{int(value):,}"


def short_number(value: float) -> str:
    """Return at most four characters: ``950``, ``1.2k``, ``45k``, ``3.1M``.

    >>> [short_number(n) for n in (950, 1_234, 45_300, 999_600, 3_100_000)]
    ['950', '1.2k', '45k', '1M', '3.1M']
    """
    for size, unit in ((1, ""), (1_000, "k"), (1_000_000, "M"), (1_000_000_000, "G")):
        scaled = value / size
        if scaled < 9.95 and unit:
            return f"{scaled:.1f}".removesuffix(".0") + unit
        if scaled < 999.5:
            break
    return f"{scaled:.0f}{unit}"


def percent(share: float) -> str:
    """Return a share of 0-1 as ``4.2%``; never 0% or 100% for what is neither.

    >>> [percent(x) for x in (0, 0.0004, 0.0421, 0.9996, 1)]
    ['0%', '<0.1%', '4.2%', '>99.9%', '100%']
    """
    if math.isnan(share):
        return "unknown"
    if share in (0, 1):
        return f"{share:.0%}"
    if share < 0.001:
        return "<0.1%"
    if share > 0.999:
        return ">99.9%"
    return f"{share:.1%}"


def count(value: float, one: str, many: str | None = None) -> str:
    """Return ``1 domain``, ``2,000 domains``.

    >>> count(1, "domain"), count(2000, "domain"), count(2, "address", "addresses")
    ('1 domain', '2,000 domains', '2 addresses')
    """
    return f"{number(value)} {one if value == 1 else many or one + 's'}"


def rate_sentence(row: Any) -> str:
    """Return what became of the attempted messages of a row of a summary, and the hard rate with its interval.

    Parameters
    ----------
    row : named tuple
        With ``attempted``, ``hard``, ``hard_rate``, ``hard_low``, ``hard_high`` and, where the summary has it,
        ``rated``; its rate is known.

    Examples
    --------
    >>> summary = pd.DataFrame({"attempted": [400], "hard": [8], "hard_rate": [0.02], "hard_low": [0.01],
    ...                         "hard_high": [0.039], "rated": [400]})
    >>> rate_sentence(next(summary.itertuples()))
    '8 of 400 attempted messages bounced hard:<br>2.0% (95% interval 1.0% to 3.9%).'
    """
    rated = getattr(row, "rated", row.attempted)
    fact = f"{number(row.hard)} of {count(row.attempted, 'attempted message')} bounced hard"
    interval = f"(95% interval {percent(row.hard_low)} to {percent(row.hard_high)})"
    if rated == row.attempted:
        return f"{fact}:<br>{percent(row.hard_rate)} {interval}."
    known = f"Deliveries are known for {number(rated)} of them, of which {percent(row.hard_rate)} did"
    return f"{fact}.<br>{known}<br>{interval}."


def day(moment: Any) -> str:
    """Return ``5 Jan 2026``, or ``no date``.

    >>> day(pd.Timestamp("2026-01-05T10:00Z")), day(pd.NaT)
    ('5 Jan 2026', 'no date')
    """
    if pd.isna(moment):
        return "no date"
    return f"{moment.day} {moment:%b %Y}"


def shorten(name: str, length: int) -> str:
    """Return a name of at most ``length`` characters, cut in the middle: both ends of a domain tell something.

    >>> shorten("mail.department.university.example", 20)
    'mail.depa…ty.example'
    """
    if len(name) <= length:
        return name
    head = (length - 1) // 2
    return name[:head] + _ELLIPSIS + name[len(name) - (length - 1 - head) :]


def plain(text: str) -> str:
    """Return a text that plotly shows as it is; it would take tags and entities for markup.

    >>> plain("<b>a & b")
    '&lt;b&gt;a &amp; b'
    """
    return html.escape(text, quote=False)

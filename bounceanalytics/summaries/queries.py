"""The summaries themselves: one query each, over the messages of a frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from bounceanalytics.errors import FrameError
from bounceanalytics.schema import REASONS
from bounceanalytics.summaries.columns import tidy

if TYPE_CHECKING:
    import pandas as pd

    from bounceanalytics.summaries.messages import Messages

Freq = Literal["D", "W"]

#: z of a two-sided 95 % interval.
_Z95 = 1.959964

_COUNT_SQL = """
    count(*) FILTER (outcome IN ('delivered', 'bounced')) AS attempted,
    count(*) FILTER (outcome = 'delivered') AS delivered,
    count(*) FILTER (outcome = 'bounced') AS bounced,
    count(*) FILTER (outcome = 'bounced' AND bounce_type = 'hard') AS hard,
    count(*) FILTER (outcome = 'bounced' AND bounce_type = 'soft') AS soft,
    count(*) FILTER (outcome = 'bounced' AND bounce_type = 'block') AS block,
    count(*) FILTER (outcome = 'bounced' AND coalesce(bounce_type, '') NOT IN ('hard', 'soft', 'block')) AS unknown,
    count(*) FILTER (outcome = 'dropped') AS dropped,
    count(*) FILTER (outcome = 'pending') AS pending
"""
_REACH_SQL = "count(DISTINCT domain) AS domains, count(DISTINCT address) AS addresses"
_SEEN_SQL = "min(moment) AS first_seen, max(moment) AS last_seen"

_SYSTEM_FULL = """
WITH answers AS (
    SELECT domain, address, coalesce(message, rowid::VARCHAR) AS message, moment, bounce_type = 'hard' AS permanent
    FROM events WHERE reason = 'system_full' AND event IN ('bounced', 'deferred')
), messages AS (
    SELECT domain, address, message, min(moment) AS first_at, max(moment) AS last_at,
        coalesce(bool_or(permanent), false) AS permanent, max(moment) FILTER (permanent) AS last_permanent
    FROM answers GROUP BY ALL
), full_domains AS (
    SELECT domain, min(first_at) AS first_seen, max(last_at) AS last_seen, count(DISTINCT address) AS addresses,
        count(*) AS bounces, count(*) FILTER (permanent) AS permanent,
        count(*) FILTER (NOT permanent) AS transient,
        coalesce(max(last_permanent), max(last_at)) AS decisive
    FROM messages GROUP BY domain
), accepted AS (
    SELECT domain, count(*) FILTER (moment BETWEEN first_seen AND last_seen) AS accepted_between,
        min(moment) FILTER (moment > decisive) AS accepted_again, max(moment) AS last_accepted
    FROM sends JOIN full_domains USING (domain)
    WHERE outcome = 'delivered' GROUP BY domain
)
SELECT full_domains.*, coalesce(mailbox_provider, 'other') AS mailbox_provider,
    coalesce(accepted_between, 0) AS accepted_between, accepted_again, last_accepted,
    accepted_again IS NOT NULL AS recovered,
    epoch(coalesce(accepted_again, last_seen) - first_seen) / (7 * 86400) AS weeks_out
FROM full_domains LEFT JOIN accepted USING (domain) LEFT JOIN homes USING (domain)
ORDER BY recovered, permanent DESC, bounces DESC, domain
"""


def wilson(hits: pd.Series[int], total: pd.Series[int]) -> tuple[Any, Any]:
    """Return the lower and upper end of the 95 % score interval.

    E. B. Wilson, Probable inference, the law of succession, and statistical inference, JASA 22 (1927) 209-212. It
    stays within 0-1 and says something sensible for 0 of 12, where the textbook interval has no width.
    """
    n = total.to_numpy(float)
    with np.errstate(divide="ignore", invalid="ignore"):
        p = hits.to_numpy(float) / n
        centre = p + _Z95**2 / (2 * n)
        half = _Z95 * np.sqrt(p * (1 - p) / n + _Z95**2 / (4 * n**2))
        low, high = (centre - half) / (1 + _Z95**2 / n), (centre + half) / (1 + _Z95**2 / n)
    return np.clip(low, 0.0, p), np.clip(high, p, 1.0)


def _with_rates(frame: pd.DataFrame) -> pd.DataFrame:
    known = frame["delivered"] > 0
    attempted = frame["attempted"].where(known)
    low, high = wilson(frame["hard"], attempted)
    return frame.assign(
        deliveries_known=known,
        bounce_rate=frame["bounced"] / attempted,
        hard_rate=frame["hard"] / attempted,
        hard_low=low,
        hard_high=high,
    )


def _top_reason(messages: Messages, by: str) -> pd.DataFrame:
    return messages.most_frequent(["reason"], by=by).rename(columns={"reason": "top_reason"})


def _titled(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(title=frame["reason"].map({name: row.title for name, row in REASONS.items()}))


def domains(messages: Messages) -> pd.DataFrame:
    """See :func:`bounceanalytics.summarize_domains`."""
    frame = messages.group(
        "domain, mailbox_provider",
        f"{_COUNT_SQL}, count(DISTINCT address) AS addresses, {_SEEN_SQL}",
        order="hard DESC, bounced DESC, attempted DESC, domain",
    )
    return tidy(_with_rates(frame.merge(_top_reason(messages, "domain"), on="domain", how="left")), "domains")


def providers(messages: Messages) -> pd.DataFrame:
    """See :func:`bounceanalytics.summarize_providers`."""
    frame = messages.group(
        "mailbox_provider",
        f"{_COUNT_SQL}, {_REACH_SQL}, {_SEEN_SQL}",
        order="attempted DESC, mailbox_provider",
    )
    top = _top_reason(messages, "mailbox_provider")
    return tidy(_with_rates(frame.merge(top, on="mailbox_provider", how="left")), "providers")


def reasons(messages: Messages) -> pd.DataFrame:
    """See :func:`bounceanalytics.summarize_reasons`."""
    failed = "outcome IN ('bounced', 'dropped')"
    frame = messages.group(
        "reason",
        f"{_COUNT_SQL}, {_REACH_SQL}, {_SEEN_SQL}",
        where=failed,
        order="bounced DESC, dropped DESC, reason",
    )
    labels = messages.most_frequent(["category", "fault", "action"], by="reason", where=failed)
    share = frame["bounced"] / frame["bounced"].sum()  # 0 of 0 is missing, not an error
    return tidy(_titled(frame.merge(labels, on="reason")).assign(share=share), "reasons")


def days(messages: Messages, freq: Freq, timezone: str) -> pd.DataFrame:
    """See :func:`bounceanalytics.summarize_days`."""
    unit = {"D": "day", "W": "week"}.get(freq)
    if unit is None:
        raise FrameError(f"freq is {freq!r}; it can be 'D' (days) or 'W' (weeks that begin on Monday)")
    try:
        ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError):
        raise FrameError(f"unknown time zone {timezone!r}; use a name such as 'Europe/Berlin'") from None
    frame = messages.ask(
        f"""SELECT date_trunc('{unit}', moment AT TIME ZONE ?)::TIMESTAMP AT TIME ZONE ? AS period, {_COUNT_SQL}
            FROM sends GROUP BY period ORDER BY period NULLS LAST""",
        (timezone, timezone),
    )
    periods = tidy(_with_rates(frame), "days")
    return periods.assign(period=periods["period"].dt.tz_convert(timezone))


def domain_reasons(messages: Messages) -> pd.DataFrame:
    """See :func:`bounceanalytics.summarize_domain_reasons`."""
    frame = messages.group(
        "domain, reason",
        f"{_COUNT_SQL}, count(DISTINCT address) AS addresses, {_SEEN_SQL}",
        where="outcome = 'bounced'",
        order="sum(bounced) OVER (PARTITION BY domain) DESC, domain, bounced DESC, reason",
    )
    return tidy(_titled(frame), "domain_reasons")


def codes(messages: Messages) -> pd.DataFrame:
    """See :func:`bounceanalytics.summarize_codes`."""
    frame = messages.group(
        "code_class, category, reason, code",
        f"{_COUNT_SQL}, {_REACH_SQL}",
        where="outcome = 'bounced'",
        order="bounced DESC, code_class, category, reason, code",
    )
    return tidy(frame, "codes")


def system_full(messages: Messages) -> pd.DataFrame:
    """See :func:`bounceanalytics.summarize_system_full`."""
    return tidy(messages.ask(_SYSTEM_FULL), "system_full")


def esps(messages: Messages) -> pd.DataFrame:
    """See :func:`bounceanalytics.summarize_esps`."""
    frame = messages.group(
        "provider", f"{_COUNT_SQL}, {_REACH_SQL}, {_SEEN_SQL}", order="attempted DESC, provider"
    )
    events = messages.ask("SELECT provider, count(*) AS events FROM events GROUP BY provider")
    return tidy(_with_rates(frame.merge(events, on="provider")), "esps")


def actions(messages: Messages) -> pd.DataFrame:
    """See :func:`bounceanalytics.summarize_actions`."""
    frame = messages.group(
        "action, fault",
        f"{_COUNT_SQL}, {_REACH_SQL}",
        where="outcome = 'bounced'",
        order="bounced DESC, action, fault",
    )
    return tidy(frame, "actions")

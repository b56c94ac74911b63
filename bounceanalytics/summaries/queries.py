"""The summaries themselves: one query each, over the messages of a frame."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pandas as pd

from bounceanalytics.errors import FrameError
from bounceanalytics.schema import REASONS, SUMMARIES
from bounceanalytics.summaries.changes import LEAST_HITS, find_changes
from bounceanalytics.summaries.registrable import registrable_domains
from bounceanalytics.summaries.statistics import shrunk, trends, wilson

if TYPE_CHECKING:
    from bounceanalytics.history.messages import Freq, Messages


_COUNT_SQL = """
    count(*) FILTER (outcome IN ('delivered', 'bounced')) AS attempted,
    count(*) FILTER (outcome = 'delivered') AS delivered,
    count(*) FILTER (outcome = 'bounced') AS bounced,
    count(*) FILTER (outcome = 'bounced' AND bounce_type = 'hard') AS hard,
    count(*) FILTER (outcome = 'bounced' AND bounce_type = 'soft') AS soft,
    count(*) FILTER (outcome = 'bounced' AND bounce_type = 'block') AS block,
    count(*) FILTER (outcome = 'bounced' AND bounce_type NOT IN ('hard', 'soft', 'block')) AS unknown,
    count(*) FILTER (outcome = 'dropped') AS dropped,
    count(*) FILTER (outcome = 'pending') AS pending,
    count(*) FILTER (rated) AS rated,
    count(*) FILTER (rated AND outcome = 'bounced') AS rated_bounced,
    count(*) FILTER (rated AND outcome = 'bounced' AND bounce_type = 'hard') AS rated_hard
"""
# days, counted from 2020 lest their squares grow too large to subtract
_DAY_SQL = "(epoch(moment) / 86400 - 18262)"
_TREND_SQL = f"""
    sum({_DAY_SQL}) FILTER (rated) AS t,
    sum({_DAY_SQL} * {_DAY_SQL}) FILTER (rated) AS tt,
    coalesce(sum({_DAY_SQL}) FILTER (rated AND outcome = 'bounced' AND bounce_type = 'hard'), 0) AS th,
    max({_DAY_SQL}) FILTER (rated) - min({_DAY_SQL}) FILTER (rated) AS days
"""
_REACH_SQL = "count(DISTINCT domain) AS domains, count(DISTINCT address) AS addresses"
_SEEN_SQL = "min(moment) AS first_seen, max(moment) AS last_seen"

_SUMMED = (
    "attempted",
    "delivered",
    "bounced",
    "hard",
    "soft",
    "block",
    "unknown",
    "dropped",
    "pending",
    "rated",
    "rated_bounced",
    "rated_hard",
)

_DOMAIN_REASON_SUMS = """
SELECT domain, reason, count(*) AS n FROM sends WHERE outcome = 'bounced' GROUP BY ALL
"""
_DOMAIN_SUMS = """
SELECT sums.*, coalesce(people.addresses, 0) AS addresses, places.registrable_domain, top.reason AS top_reason
FROM (SELECT domain, mailbox_provider, {sums} FROM sends GROUP BY ALL) AS sums
JOIN places ON places.domain = sums.domain::VARCHAR
-- two steps take a third of the time of count(DISTINCT) where groups are many
LEFT JOIN (
    SELECT domain, count(*) AS addresses
    FROM (SELECT DISTINCT domain, address FROM sends WHERE address IS NOT NULL)
    GROUP BY domain
) AS people ON people.domain = sums.domain
LEFT JOIN (SELECT domain, arg_max(reason, (n, reason)) AS reason FROM domain_reason_sums GROUP BY domain) AS top
    ON top.domain = sums.domain
"""
_TOP_OF_DOMAINS = """
SELECT {by}, arg_max(reason, (n, reason)) AS reason
FROM (
    SELECT {by}, reason, sum(n) AS n FROM domain_reason_sums JOIN domain_sums USING (domain) GROUP BY ALL
)
GROUP BY {by}
"""

# Only where there are enough hits to tell anything: a list has many domains, and few of them have.
_SERIES = """
WITH enough AS (
    SELECT {by} FROM sends WHERE rated AND outcome = 'bounced' AND bounce_type = '{measure}' AND moment IS NOT NULL
    GROUP BY {by} HAVING count(*) >= {least}
)
SELECT
    {by} AS name,
    date_trunc('{unit}', moment)::TIMESTAMP AS period,
    count(*) AS tried,
    count(*) FILTER (outcome = 'bounced' AND bounce_type = '{measure}') AS hits
FROM sends SEMI JOIN enough USING ({by})
WHERE rated AND moment IS NOT NULL
GROUP BY name, period
ORDER BY name, period
"""

_SYSTEM_FULL = """
WITH answers AS (
    SELECT domain, address, coalesce(message, hash(rowid)) AS message, moment, bounce_type = 'hard' AS permanent
    FROM events WHERE reason = 'system_full' AND outcome IN ('bounced', 'pending')
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


def _with_rates(frame: pd.DataFrame) -> pd.DataFrame:
    """Add the rates; those of small groups drawn to that of all, for who wants to put them in an order."""
    total = frame["rated"].where(frame["rated"] > 0)
    low, high = wilson(frame["rated_hard"], total)
    return frame.assign(
        deliveries_known=frame["rated"] > 0,
        bounce_rate=frame["rated_bounced"] / total,
        hard_rate=frame["rated_hard"] / total,
        hard_low=low,
        hard_high=high,
        hard_shrunk=shrunk(frame["rated_hard"], frame["rated"]),
    )


def _top_reason(messages: Messages, by: str, source: str = "sends") -> pd.DataFrame:
    return messages.most_frequent(["reason"], by=by, source=source).rename(columns={"reason": "top_reason"})


def _titled(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(title=frame["reason"].map({name: row.title for name, row in REASONS.items()}))


def domains(messages: Messages) -> pd.DataFrame:
    """See :func:`bounceanalytics.summarize_domains`."""
    frame = messages.ask(
        f"SELECT * FROM {_domain_sums(messages)} ORDER BY hard DESC, bounced DESC, attempted DESC, domain"
    )
    found = changes(messages, "domain", messages.usual_freq())
    spikes = found.loc[found["kind"] == "spike", "name"]
    lasting = found.loc[(found["kind"] != "spike") & (found["measure"] == "hard"), ["name", "at"]]
    lasting = lasting.rename(columns={"name": "domain", "at": "changed_at"})
    frame = frame.merge(lasting, on="domain", how="left").assign(
        trend=trends(frame.rename(columns={"rated": "n", "rated_hard": "hits"})),
        spike=frame["domain"].isin(spikes),
    )
    return SUMMARIES["domains"].frame(_with_rates(frame))


def registrable(messages: Messages) -> pd.DataFrame:
    """See :func:`bounceanalytics.summarize_registrable_domains`."""
    order = "hard DESC, bounced DESC, attempted DESC, registrable_domain"
    return _of_domains(messages, "registrable_domain", "registrable_domains", order)


def providers(messages: Messages) -> pd.DataFrame:
    """See :func:`bounceanalytics.summarize_providers`."""
    return _of_domains(messages, "mailbox_provider", "providers", "attempted DESC, mailbox_provider")


def _domain_sums(messages: Messages) -> str:
    """Return the name of a table with the sums of each domain, which is made when it is asked for first."""
    if not messages.has("domain_sums"):
        names = messages.ask("SELECT domain FROM homes")["domain"].tolist()
        messages.add("places", {"domain": names, "registrable_domain": registrable_domains(names)})
        sums = f"{_COUNT_SQL}, {_SEEN_SQL}, {_TREND_SQL}"
        messages.make("domain_reason_sums", _DOMAIN_REASON_SUMS)
        messages.make("domain_sums", _DOMAIN_SUMS.format(sums=sums))
    return "domain_sums"


def _of_domains(messages: Messages, by: str, summary: str, order: str) -> pd.DataFrame:
    """Sum up domains; an address has one domain, so that addresses add up as well."""
    added = ", ".join(f"sum({name})::BIGINT AS {name}" for name in (*_SUMMED, "addresses"))
    sums = _domain_sums(messages)
    frame = messages.ask(
        f"""SELECT {by}, {added}, count(*) AS domains, min(first_seen) AS first_seen, max(last_seen) AS last_seen,
                any_value(top.reason) AS top_reason
            FROM {sums} LEFT JOIN ({_TOP_OF_DOMAINS.format(by=by)}) AS top USING ({by})
            GROUP BY {by} ORDER BY {order}"""
    )
    return SUMMARIES[summary].frame(_with_rates(frame))


def tags(messages: Messages) -> pd.DataFrame:
    """See :func:`bounceanalytics.summarize_tags`."""
    each = "unnest(list_distinct(string_split(tags, chr(31)))) AS tag"
    source = f"sends JOIN (SELECT tags, {each} FROM (SELECT DISTINCT tags FROM sends)) USING (tags)"
    return _group_rates(messages, "tag", "tags", order="attempted DESC, tag", source=source)


def sending_ips(messages: Messages) -> pd.DataFrame:
    """See :func:`bounceanalytics.summarize_sending_ips`."""
    return _group_rates(messages, "sending_ip", "sending_ips", order="attempted DESC, sending_ip")


def _group_rates(
    messages: Messages, by: str, summary: str, *, order: str, source: str = "sends"
) -> pd.DataFrame:
    frame = messages.group(by, f"{_COUNT_SQL}, {_REACH_SQL}, {_SEEN_SQL}", order=order, source=source)
    top = _top_reason(messages, by, source)
    return SUMMARIES[summary].frame(_with_rates(frame.merge(top, on=by, how="left")))


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
    return SUMMARIES["reasons"].frame(_titled(frame.merge(labels, on="reason")).assign(share=share))


def days(messages: Messages, freq: Freq, timezone: str) -> pd.DataFrame:
    """See :func:`bounceanalytics.summarize_days`."""
    return _by_period(messages, "", "period NULLS LAST", freq, timezone, "days", "sends")


def domain_days(messages: Messages, top: int | None, freq: Freq, timezone: str) -> pd.DataFrame:
    """See :func:`bounceanalytics.summarize_domain_days`."""
    order = "sum(bounced) OVER (PARTITION BY domain) DESC, domain, period NULLS LAST"
    source = "sends"
    if top is not None:
        sums = _domain_sums(messages)
        worst = f"SELECT domain FROM {sums} ORDER BY bounced DESC, domain LIMIT {int(top)}"
        source = f"sends SEMI JOIN ({worst}) USING (domain)"
    return _by_period(messages, "domain, ", order, freq, timezone, "domain_days", source)


def _by_period(
    messages: Messages, keys: str, order: str, freq: Freq, timezone: str, summary: str, source: str
) -> pd.DataFrame:
    unit = _unit(freq)
    try:
        ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError):
        raise FrameError(f"unknown time zone {timezone!r}; use a name such as 'Europe/Berlin'") from None
    start = f"date_trunc('{unit}', moment)"
    if timezone != "UTC":
        there = f"timezone('{timezone}', timezone('UTC', moment))"
        start = f"timezone('UTC', timezone('{timezone}', date_trunc('{unit}', {there})))"
    frame = messages.group(f"{keys}{start} AS period", _COUNT_SQL, order=order, source=source)
    periods = SUMMARIES[summary].frame(_with_rates(frame))
    return periods.assign(period=periods["period"].dt.tz_convert(timezone))


def _unit(freq: Freq) -> str:
    unit = {"D": "day", "W": "week"}.get(freq)
    if unit is None:
        raise FrameError(f"freq is {freq!r}; it can be 'D' (days) or 'W' (weeks that begin on Monday)")
    return unit


def changes(messages: Messages, by: str, freq: Freq) -> pd.DataFrame:
    """See :func:`bounceanalytics.summarize_changes`."""
    if by not in ("domain", "mailbox_provider"):
        raise FrameError(f"by is {by!r}; it can be 'domain' or 'mailbox_provider'")
    found = []
    for measure in ("hard", "block"):
        series = messages.ask(_SERIES.format(by=by, unit=_unit(freq), measure=measure, least=LEAST_HITS))
        found.append(find_changes(series).assign(measure=measure))
    frame = pd.concat(found, ignore_index=True)
    frame["mailbox_provider"] = frame["name"]
    if by == "domain":
        homes = messages.ask("SELECT * FROM homes WHERE list_contains(?, domain)", (frame["name"].tolist(),))
        frame["mailbox_provider"] = frame["name"].map(homes.set_index("domain")["mailbox_provider"])
    more = (frame["failed_after"] - frame["rate_before"] * frame["attempted_after"]).abs()
    order = frame.assign(more=more).sort_values(["more", "name"], ascending=[False, True], ignore_index=True)
    return SUMMARIES["changes"].frame(order)


def domain_reasons(messages: Messages) -> pd.DataFrame:
    """See :func:`bounceanalytics.summarize_domain_reasons`."""
    frame = messages.group(
        "domain, reason",
        f"{_COUNT_SQL}, count(DISTINCT address) AS addresses, {_SEEN_SQL}",
        where="outcome = 'bounced'",
        order="sum(bounced) OVER (PARTITION BY domain) DESC, domain, bounced DESC, reason",
    )
    return SUMMARIES["domain_reasons"].frame(_titled(frame))


def codes(messages: Messages) -> pd.DataFrame:
    """See :func:`bounceanalytics.summarize_codes`."""
    frame = messages.group(
        "code_class, category, reason, code",
        f"{_COUNT_SQL}, {_REACH_SQL}",
        where="outcome = 'bounced'",
        order="bounced DESC, code_class, category, reason, code",
    )
    return SUMMARIES["codes"].frame(frame)


def system_full(messages: Messages) -> pd.DataFrame:
    """See :func:`bounceanalytics.summarize_system_full`."""
    return SUMMARIES["system_full"].frame(messages.ask(_SYSTEM_FULL))


def esps(messages: Messages) -> pd.DataFrame:
    """See :func:`bounceanalytics.summarize_esps`."""
    frame = messages.group(
        "provider", f"{_COUNT_SQL}, {_REACH_SQL}, {_SEEN_SQL}", order="attempted DESC, provider"
    )
    events = messages.ask("SELECT provider, count(*) AS events FROM events GROUP BY provider")
    return SUMMARIES["esps"].frame(_with_rates(frame.merge(events, on="provider")))


def actions(messages: Messages) -> pd.DataFrame:
    """See :func:`bounceanalytics.summarize_actions`."""
    frame = messages.group(
        "action, fault",
        f"{_COUNT_SQL}, {_REACH_SQL}",
        where="outcome = 'bounced'",
        order="bounced DESC, action, fault",
    )
    return SUMMARIES["actions"].frame(frame)

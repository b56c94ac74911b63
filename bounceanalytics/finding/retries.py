"""Retry delays: measured where the data suffices, else defaults."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bounceanalytics import schema
from bounceanalytics.finding.recovery import ALL, GROUP, curves_of, groups_of
from bounceanalytics.history import History
from bounceanalytics.history.responses import checked_hours

if TYPE_CHECKING:
    import pandas as pd

    from bounceanalytics.datasets import Frame

#: Who has not recovered by then is not waited for, when a day for the next attempt is looked for.
_HORIZON = 90
#: Fewer than these say nothing about the day.
LEAST_EPISODES, LEAST_RECOVERED = 20, 5

#: Days to wait where the data do not say. Rules of thumb, each with what it rests on.
USUAL_DAYS: dict[str, int] = {
    # held because the evidence disagrees, or in a storm: storms are over after two days
    "unknown_user": 3,
    "mailbox_disabled": 14,
    "bad_domain": 7,  # resolvers forget a wrong answer within a day (RFC 2308, 5); an expired domain takes longer
    "bad_syntax": 30,  # it stays wrong until somebody corrects it
    "moved": 30,
    "mailbox_full": 14,  # somebody must come and tidy up: two mailings of a weekly letter
    "recipient_refused": 14,
    "system_full": 7,  # an administrator must act
    "system_error": 2,
    "network": 2,  # the ESP has tried for days already (RFC 5321, 4.5.4.1)
    "dns_failure": 2,
    "routing_loop": 7,
    "expired": 5,  # RFC 5321, 4.5.4.1: senders give up after 4-5 days
    # the sender has something to mend; after that the next mailing tells
    "protocol_error": 7,
    "tls": 7,
    "message_too_large": 1,
    "content_rejected": 1,
    "spam": 3,
    "virus": 1,
    "blocked": 7,  # most blocklists forget a quiet sender within a week
    "policy": 7,
    "authentication": 2,  # a corrected DNS record is seen everywhere after a day or two
    "reverse_dns": 2,
    "sender_rejected": 7,
    "relay_denied": 7,
    "rate_limited": 1,
    "greylisted": 1,  # RFC 6647, 5: from a minute to a day
    "suppressed": 30,
    "challenge": 1,
    "unclassified": 7,
}


def retry_days(bounces: Frame | History, *, late_bounce_hours: int = 120) -> pd.DataFrame:
    """Return after how many days it is worth trying again, per reason and mailbox provider.

    The day by which half of those have recovered who do so within 90 days; measured where there are at least 20
    episodes and 5 recoveries.

    Parameters
    ----------
    bounces : pandas.DataFrame, Dataset or path of one
        Classified events, as :func:`bounceanalytics.classify` returns them.
    late_bounce_hours : int, default 120
        A delivery whose own message bounced within so many hours does not count.

    Returns
    -------
    pandas.DataFrame
        One row per reason for ``mailbox_provider`` ``all``, for every reason there is, and one per reason and mailbox
        provider seen together. The usual days are :data:`USUAL_DAYS`.

        ==================== =======================================================================================
        ``reason``           string: why mail did not arrive
        ``mailbox_provider`` string: who runs the mailbox, or 'all'
        ``retry_days``       int64: days to wait, at least 1
        ``episodes``         int64: of that reason and provider
        ``source``           string: 'measured' (at this mailbox provider), 'measured over all providers' or 'usual'
        ==================== =======================================================================================

    Raises
    ------
    FrameError
        If columns are missing or hold something else than a classified frame does.

    Examples
    --------
    >>> from bounceanalytics import schema
    >>> import bounceanalytics as ba
    >>> nothing = ba.retry_days(schema.BOUNCE_COLUMNS.empty())
    >>> int(nothing.set_index("reason").loc["mailbox_full", "retry_days"])
    14
    """
    late_bounce_hours = checked_hours(late_bounce_hours)
    with History.open(bounces) as history:
        return history.once("retries", lambda: _retry_days(history, late_bounce_hours), key=late_bounce_hours)


def _retry_days(history: History, late_bounce_hours: int) -> pd.DataFrame:
    curves = curves_of(history, frozenset(GROUP), late_bounce_hours)
    found = {}
    for curve in groups_of(curves):
        first = curve.iloc[0]
        found[first["reason"], first["mailbox_provider"]] = (int(first["episodes"]), _half_way(curve))
    pairs = [(reason, ALL) for reason in schema.REASONS]
    pairs += sorted(pair for pair in found if ALL not in pair)
    rows = []
    for reason, provider in pairs:
        episodes, here = found.get((reason, provider), (0, None))
        _, anywhere = found.get((reason, ALL), (0, None))
        days, source = USUAL_DAYS[reason], "usual"
        if anywhere is not None:
            days, source = anywhere, "measured over all providers"
        if here is not None and provider != ALL:
            days, source = here, "measured"
        rows.append((reason, provider, days, episodes, source))
    return schema.RETRY_COLUMNS.frame(rows)


def _half_way(curve: pd.DataFrame) -> int | None:
    """Return the day by which half of those have recovered who do within the horizon; None if too few are known."""
    near = curve[curve["day"] <= _HORIZON]
    last = near.iloc[-1]
    if last["episodes"] < LEAST_EPISODES or last["recovered"] < LEAST_RECOVERED:
        return None
    return max(1, int(near.loc[near["share"] >= last["share"] / 2, "day"].iloc[0]))

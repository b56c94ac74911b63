"""Refusals: times in which a mailbox provider took nothing of what was sent to it, and does at others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bounceanalytics.database import read_sql
from bounceanalytics.history.messages import gather_messages

if TYPE_CHECKING:
    import pandas as pd

    from bounceanalytics.history import History

#: "Took nothing": share refused; messages, and addresses.
NEARLY_ALL, LEAST_TRIED = 0.9, 20
#: Messages without which there is nothing to compare with; and a usual share at which a refusal is no news.
LEAST_COMPARED, MOSTLY_BOUNCES = 20, 0.5


def find_refusals(history: History) -> pd.DataFrame:
    """Return the times in which a mailbox provider, or a domain with servers of its own, refused next to everything.

    Hours follow each other where nothing was sent between them, so that a mailing that takes two days is one refusal.
    A single message that was taken between others does not end one, as long as nine of ten in its hour are refused.

    Parameters
    ----------
    history : History

    Returns
    -------
    pandas.DataFrame
        One row per refusal, in the order of time: ``mailbox`` (of :class:`bounceanalytics.history.History`), ``domain``
        (one of those refused), ``start``, ``end``, ``tried``, ``refused`` (messages), ``usual_share``, ``addresses``,
        ``top_reason``, ``recovered`` (addresses that took mail later).
    """
    gather_messages(history)
    terms = {"nearly": NEARLY_ALL, "least": LEAST_TRIED, "compared": LEAST_COMPARED, "mostly": MOSTLY_BOUNCES}
    history.count("finding", "refusal_hours", "refusal_hours")
    history.finish("finding", "refusals", "refusals", **terms)
    history.count("finding", "refusal_counts", "refusal_reasons", "refusal_counts")
    return history.query(read_sql("finding", "refusal_accounts"), least=LEAST_TRIED)

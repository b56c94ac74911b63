"""Measures of messages: the common ground of the summaries."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from bounceanalytics.history import History
from bounceanalytics.history.messages import gather_messages
from bounceanalytics.schema import REASONS
from bounceanalytics.summaries.statistics import shrunk, wilson

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from bounceanalytics.datasets import Frame


@contextlib.contextmanager
def messages_of(bounces: Frame | History) -> Iterator[History]:
    """Yield the history of a frame with its messages and the macros of ``measures.sql``.

    Raises
    ------
    FrameError
        If a column is missing, or holds something else than it does in a classified frame.
    """
    with History.open(bounces) as history:
        gather_messages(history)
        history.once("measures", lambda: _define(history))
        yield history


def _define(history: History) -> None:
    history.run("summaries", "measures")
    history.run_in_parts("summaries", "measures_in_parts")


#: What is measured of each group of messages: macros of ``measures.sql``.
COUNTS = "counts(outcome, bounce_type, rated)"
REACH = "reach(domain, address)"
SEEN = "seen(moment)"

#: How measures of parts add up; all others are counts.
_ADDED = {
    "domains": "len(list_distinct(flatten(list(domains))))",
    "first_seen": "min(first_seen)",
    "last_seen": "max(last_seen)",
}


def counted(
    history: History,
    keys: dict[str, str] | tuple[str, ...],
    *measures: str,
    source: str = "sends",
    where: str = "true",
    order: str = "ALL",
    **terms: object,
) -> pd.DataFrame:
    """Return measures of each group of messages.

    Parameters
    ----------
    history : History
        With its messages.
    keys : tuple of str, or dict of str to str
        Columns that tell groups apart; or their names, with an expression for each.
    *measures : str
        Macros of ``measures.sql``, which give several columns, or counts with a name.
    source : str, default 'sends'
        A table or view of messages.
    where : str
        Which messages.
    order : str
        Of the groups.
    **terms : object
        Of the expressions.
    """
    told = keys if isinstance(keys, dict) else {name: name for name in keys}
    asked = [f"{sql} AS {name}" for name, sql in told.items()]
    asked += [f"unnest({one})" if one.endswith(")") else one for one in measures]
    sql = f"SELECT {', '.join(asked)} FROM {source} WHERE {where} GROUP BY {', '.join(told)}"
    return history.sums("counted_groups", sql, list(told), _ADDED, order, **terms)


def with_rates(frame: pd.DataFrame) -> pd.DataFrame:
    """Add the rates; those of small groups drawn to that of all, for ranking."""
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


def titled(frame: pd.DataFrame) -> pd.DataFrame:
    """Add the titles of the reasons."""
    return frame.assign(title=frame["reason"].map({name: row.title for name, row in REASONS.items()}))


def top_reasons(history: History, by: str, source: str = "sends") -> pd.DataFrame:
    """Return the reason of most bounces of each group; ties by name."""
    history.count_of(
        "reason_counts",
        f"SELECT {by}, reason, count(*) AS n FROM {source} WHERE outcome = 'bounced' GROUP BY ALL",
    )
    return history.query(
        f"""SELECT {by}, arg_max(reason, (n, reason)) AS top_reason
            FROM (SELECT {by}, reason, sum(n) AS n FROM reason_counts GROUP BY ALL)
            GROUP BY {by}"""
    )

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
        history.once("measures", lambda: history.run("summaries", "measures"))
        yield history


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


def top_reasons(history: History, by: str, source: str) -> pd.DataFrame:
    """Return the reason of most bounces of each group; ties by name."""
    return history.query(
        f"""SELECT {by}, arg_max(reason, (n, reason)) AS top_reason
            FROM (SELECT {by}, reason, count(*) AS n FROM {source} WHERE outcome = 'bounced' GROUP BY ALL)
            GROUP BY {by}"""
    )

"""Evidence of a history and the lines of a policy: the common first half of every decision."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import pyarrow as pa

from bounceanalytics.deciding.policy import Policy
from bounceanalytics.errors import PolicyError
from bounceanalytics.finding.storms import find_storms, gather_storm_rows
from bounceanalytics.history.responses import RESPONSE_COLUMNS, gather_responses
from bounceanalytics.knowledge.rules import BETWEEN_WORDS, WORD_COLUMNS, esp_words

if TYPE_CHECKING:
    from bounceanalytics.history import History

#: The columns that a verdict is made of.
NEEDED = (
    *RESPONSE_COLUMNS,
    "reply_code",
    "enhanced_code",
    *WORD_COLUMNS,
    "suspect",
    "source",
    "record",
    "fault",
    "rule",
    "conflict",
    "evidence",
    "confidence",
)


def checked_policy(policy: Policy | None) -> Policy:
    """Return the policy, ``default`` for None.

    Raises
    ------
    PolicyError
        If it is something else.
    """
    if policy is None:
        return Policy.preset("default")
    if not isinstance(policy, Policy):
        raise PolicyError(f"a Policy is needed, found {type(policy).__name__}; say Policy.preset('default')")
    return policy


def gather_evidence(history: History, late_bounce_hours: int) -> None:
    """Have the tables of ``evidence.sql`` and ``activity.sql``: what speaks for and against each address.

    Parameters
    ----------
    history : History
    late_bounce_hours : int
        For how long a delivery may be taken back.

    Raises
    ------
    FrameError
        If columns are missing or hold something else than a classified frame does.
    """

    def make() -> None:
        found = find_storms(history, late_bounce_hours)
        if len(found):
            gather_storm_rows(history, found)
        else:
            history.run("finding", "no_storm")
        history.number_addresses()
        history.register("wish_words", _wish_words())
        history.run("deciding", "wishes", between=BETWEEN_WORDS)
        history.run("deciding", "evidence", logs=[word.word for word in esp_words() if word.passing])

    history.gather(NEEDED)
    history.once("evidence", make, key=late_bounce_hours)
    gather_activity(history, late_bounce_hours)


def gather_activity(history: History, late_bounce_hours: int) -> None:
    """Have the table ``activity``: everything that the policy takes for a sign of life."""

    def make() -> None:
        gather_responses(history, late_bounce_hours)
        history.run("deciding", "activity")

    history.once("activity", make, key=late_bounce_hours)


@lru_cache(maxsize=1)
def _wish_words() -> pa.Table:
    """Return the words of ESPs that tell a wish, one row for each column that they stand in."""
    rows = [
        {
            "provider": word.provider,
            "word_column": column,
            "word": word.word.removesuffix("*"),
            "starts": word.word.endswith("*"),
            "event": word.event,
            "wish": word.wish,
            "anew": word.anew,
        }
        for word in esp_words()
        if word.wish
        for column in word.column.split()
    ]
    return pa.Table.from_pylist(rows)


def register_lines(history: History, policy: Policy) -> None:
    """Register the policy as view ``policy_lines``."""
    history.register("policy_lines", _lines(policy))


@lru_cache(maxsize=32)
def _lines(policy: Policy) -> pa.Table:
    return pa.Table.from_pandas(policy.lines(), preserve_index=False)

"""Evidence tables of a classified frame: the common first half of every decision."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import pyarrow as pa

from bounceanalytics.database import read_sql
from bounceanalytics.deciding.policy import Policy
from bounceanalytics.errors import PolicyError
from bounceanalytics.finding.storms import find_storms, storm_rows
from bounceanalytics.history.responses import ANSWER_COLUMNS, gather_answers, gather_events

if TYPE_CHECKING:
    from collections.abc import Mapping

    import duckdb
    import pandas as pd

_TEXT = pa.large_string()

#: The columns that a verdict is made of, and the Arrow type in which the engine gets them.
NEEDED: Mapping[str, pa.DataType] = {
    **ANSWER_COLUMNS,
    "reply_code": pa.int16(),
    "enhanced_code": _TEXT,
    "esp_type": _TEXT,
    "esp_reason": _TEXT,
    "suspect": pa.bool_(),
    "source": _TEXT,
    "record": pa.int64(),
    "fault": _TEXT,
    "rule": _TEXT,
    "conflict": pa.bool_(),
    "evidence": _TEXT,
}


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


def gather_evidence(database: duckdb.DuckDBPyConnection, bounces: pd.DataFrame, policy: Policy) -> pa.Array:
    """Make the tables of ``evidence.sql`` and ``life.sql``: what speaks for and against each address.

    Parameters
    ----------
    database : duckdb.DuckDBPyConnection
    bounces : pandas.DataFrame
        With the columns of :data:`NEEDED`.
    policy : Policy
        For how long a delivery may be taken back.

    Returns
    -------
    pyarrow.Array of large_string
        Addresses in normal form, by the numbers that stand for them in the tables.

    Raises
    ------
    FrameError
        If columns hold something else than a classified frame does.
    """
    addresses = gather_events(database, bounces, NEEDED)
    gather_life(database, policy)
    found = find_storms(database)
    rows = storm_rows(database, found) if len(found) else []
    database.register("in_storm", pa.table({"row": pa.array(rows, pa.int64())}))
    database.execute(read_sql("deciding", "evidence"))
    return addresses


def gather_life(database: duckdb.DuckDBPyConnection, policy: Policy) -> None:
    """Make the tables ``answers`` and ``life``: every sign of life that the policy takes for one."""
    gather_answers(database, policy.late_bounce_hours)
    database.execute(read_sql("deciding", "life"))


def register_lines(database: duckdb.DuckDBPyConnection, policy: Policy) -> None:
    """Register the policy as view ``lines``."""
    database.register("lines", _lines(policy))


@lru_cache(maxsize=32)
def _lines(policy: Policy) -> pa.Table:
    return pa.Table.from_pandas(policy.lines(), preserve_index=False)


def counting_sql(name: str) -> str:
    """Return the text of a query with ``counting.sql`` in its place."""
    return read_sql("deciding", name).replace("-- {counting}", read_sql("deciding", "counting") + "\n--")

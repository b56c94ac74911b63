"""Outcome of each message, as a table that the summaries query."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Literal

import pandas as pd
import pyarrow as pa

from bounceanalytics import schema
from bounceanalytics.database import open_database, read_sql
from bounceanalytics.datasets import as_dataset
from bounceanalytics.errors import FrameError
from bounceanalytics.schema.summaries import NO_CODE, NO_DOMAIN, NO_NAME, SENDING_EVENTS

Freq = Literal["D", "W"]

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bounceanalytics.datasets import Frame

#: What the functions read of the frame.
COLUMNS_USED = (
    "provider",
    "event",
    "recipient",
    "domain",
    "timestamp",
    "message_id",
    "event_id",
    "reply_code",
    "enhanced_code",
    "sending_ip",
    "tags",
    "source",
    "record",
    "code_class",
    "bounce_type",
    "category",
    "reason",
    "fault",
    "action",
    "mailbox_provider",
)

#: Periods longer than this are told by week.
MOST_DAYS = 35

#: Days before the first and after the last delivery of an export within which a bounce has a rate.
_SLACK_DAYS = 5

# Words that repeat, as types of the engine: a number for each word, in the order of the words. Copying, grouping and
# sorting of numbers takes a seventh of the time. The words that queries name, and where the others are found.
_WORDS: dict[str, tuple[tuple[str, ...], str]] = {
    "provider": (schema.PROVIDERS, "provider"),
    "domain": ((NO_DOMAIN,), "domain"),
    "outcome": (("delivered", "bounced", "dropped", "pending"), "NULL"),
    "code": ((NO_CODE,), "coalesce(enhanced_code, reply_code::VARCHAR)"),
    "code_class": (schema.CODE_CLASSES, "code_class"),
    "bounce_type": (schema.BOUNCE_TYPES, "bounce_type"),
    "category": (schema.CATEGORIES, "category"),
    "reason": (tuple(schema.REASONS), "reason"),
    "fault": (schema.FAULTS, "fault"),
    "action": (schema.ACTIONS, "action"),
    "mailbox_provider": (("other",), "mailbox_provider"),
    "sending_ip": ((NO_NAME,), "sending_ip"),
    "tags": ((NO_NAME,), "array_to_string(tags, chr(31))"),
    "source": ((), "source"),
}


def _table(bounces: Frame) -> pa.Table:
    if (dataset := as_dataset(bounces)) is not None:
        return dataset.table(COLUMNS_USED)
    frame = schema.require(bounces, COLUMNS_USED, "a classified frame")
    try:
        return pa.Table.from_pandas(frame[list(COLUMNS_USED)], preserve_index=False)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise FrameError(
            f"a column of the classified frame mixes kinds of values: {type(error).__name__}; "
            "use the frame as classify() returned it"
        ) from error


def _spelled_out(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return words as strings and times as UTC; in the engine they are numbers, and have no zone."""
    if pa.types.is_dictionary(column.type):
        return column.cast(column.type.value_type)
    return column.cast(pa.timestamp("us", "UTC")) if pa.types.is_timestamp(column.type) else column


class Messages:
    """The messages of a classified frame, in an embedded DuckDB for as long as the summaries take.

    Tables to ask: ``events`` (sending events), ``sends`` (one row per message, with its ``outcome`` and whether it is
    ``rated``, part of the denominator of rates) and ``homes`` (who runs each domain).

    Parameters
    ----------
    bounces : pandas.DataFrame, Dataset or path of one
        A classified frame; read once, never changed.

    Raises
    ------
    FrameError
        If a column is missing, or holds values of several kinds.
    """

    def __init__(self, bounces: Frame) -> None:
        table = _table(bounces)
        self._stack = contextlib.ExitStack()
        self._connection = self._stack.enter_context(open_database())
        self._connection.register("frame", table)
        for name, (words, found) in _WORDS.items():
            self._connection.execute(
                f"""CREATE TYPE {name}_type AS ENUM (
                    SELECT word::VARCHAR
                    FROM (SELECT DISTINCT {found} AS word FROM frame UNION SELECT unnest({list(words)}))
                    WHERE word IS NOT NULL ORDER BY 1)"""
            )
        query = read_sql("history", "messages")
        terms = {
            "sending": SENDING_EVENTS,
            "no_domain": NO_DOMAIN,
            "no_code": NO_CODE,
            "no_name": NO_NAME,
            "slack": _SLACK_DAYS,
        }
        self._connection.execute(query.format(**terms))

    def __enter__(self) -> Messages:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def ask(self, sql: str, parameters: Sequence[object] = ()) -> pd.DataFrame:
        """Return what a query gives; words are strings."""
        table = self._connection.sql(sql, params=list(parameters)).to_arrow_table()
        plain = [_spelled_out(column) for column in table.columns]
        frame: pd.DataFrame = pa.table(plain, names=table.column_names).to_pandas()
        return frame

    def group(
        self, keys: str, measures: str, *, where: str = "true", order: str, source: str = "sends"
    ) -> pd.DataFrame:
        """Return measures of the messages by keys."""
        groups = f"SELECT {keys}, {measures} FROM {source} WHERE {where} GROUP BY ALL"
        return self.ask(f"SELECT * FROM ({groups}) ORDER BY {order}")

    def most_frequent(
        self, names: Sequence[str], *, by: str, where: str = "outcome = 'bounced'", source: str = "sends"
    ) -> pd.DataFrame:
        """Return the combination of ``names`` that most messages of each ``by`` have; ties by name."""
        values = ", ".join(names)
        return self.ask(
            f"""SELECT {by}, unnest(arg_max(struct_pack({values}), (n, {values})))
                FROM (SELECT {by}, {values}, count(*) AS n FROM {source} WHERE {where} GROUP BY ALL)
                GROUP BY {by}"""
        )

    def has(self, table: str) -> bool:
        """Tell whether there is a table of that name by now."""
        return bool(
            self.ask("SELECT count(*) > 0 AS there FROM duckdb_tables() WHERE table_name = ?", (table,))[
                "there"
            ][0]
        )

    def make(self, table: str, sql: str) -> None:
        """Keep what a query gives as a table for those to come."""
        self._connection.execute(f"CREATE TEMP TABLE {table} AS {sql}")

    def add(self, table: str, columns: Mapping[str, list[str]]) -> None:
        """Have columns of words as a table."""
        self._connection.register(
            table, pa.table({name: pa.array(words, pa.string()) for name, words in columns.items()})
        )

    def usual_freq(self) -> Freq:
        """Return days for some weeks of mail, weeks for more."""
        ((span,),) = self.ask(
            "SELECT date_diff('day', min(moment), max(moment)) AS days FROM sends"
        ).to_numpy()
        return "W" if pd.notna(span) and span > MOST_DAYS else "D"

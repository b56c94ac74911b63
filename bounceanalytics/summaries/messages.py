"""Events to messages: what became of each mail, in an embedded DuckDB that the summaries then ask."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa

from bounceanalytics.datasets import as_dataset
from bounceanalytics.errors import FrameError
from bounceanalytics.schema import require
from bounceanalytics.summaries.columns import NO_CODE, NO_DOMAIN, SENDING_EVENTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

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

_EVENTS = f"""
CREATE TEMP TABLE events AS
SELECT
    provider::VARCHAR AS provider, event::VARCHAR AS event,
    coalesce(nullif(domain, ''), '{NO_DOMAIN}') AS domain,
    lower(recipient) AS address,
    coalesce(message_id, event_id) AS message,
    timestamp::TIMESTAMPTZ AS moment,
    source, record,
    coalesce(enhanced_code, reply_code::VARCHAR, '{NO_CODE}') AS code,
    code_class::VARCHAR AS code_class, bounce_type::VARCHAR AS bounce_type,
    coalesce(category::VARCHAR, 'unclassified') AS category,
    coalesce(reason::VARCHAR, 'unclassified') AS reason,
    coalesce(fault::VARCHAR, 'unknown') AS fault, coalesce(action::VARCHAR, 'review') AS action,
    mailbox_provider::VARCHAR AS mailbox_provider
FROM frame
WHERE event IN {SENDING_EVENTS}
"""

_HOMES = """
CREATE TEMP TABLE homes AS
SELECT domain, arg_max(mailbox_provider, (n, mailbox_provider)) AS mailbox_provider
FROM (
    SELECT domain, mailbox_provider, count(*) AS n
    FROM events WHERE mailbox_provider <> 'other' GROUP BY ALL
)
GROUP BY domain
"""

_SENDS = """
CREATE TEMP TABLE sends AS
SELECT event.* EXCLUDE (mailbox_provider), coalesce(homes.mailbox_provider, 'other') AS mailbox_provider
FROM (
    SELECT *, CASE
        WHEN event IN ('dropped', 'rejected') OR event = 'bounced' AND bounce_type = 'suppressed' THEN 'dropped'
        WHEN event = 'deferred' THEN 'pending'
        ELSE event END AS outcome
    FROM events
    WHERE event <> 'deferred' OR message IS NOT NULL
    QUALIFY row_number() OVER (
        PARTITION BY address, message, CASE WHEN message IS NULL THEN rowid END
        ORDER BY CASE WHEN outcome = 'pending' THEN 3 WHEN outcome = 'dropped' THEN 2
                      WHEN outcome = 'bounced' AND reason = 'challenge' THEN 1 ELSE 0 END,
                 moment DESC NULLS LAST, outcome = 'bounced' DESC, record DESC, source DESC
    ) = 1
) AS event
LEFT JOIN homes USING (domain)
"""


def _table(bounces: Frame) -> pa.Table:
    if (dataset := as_dataset(bounces)) is not None:
        return dataset.table(COLUMNS_USED)
    frame = require(bounces, COLUMNS_USED, "a classified frame")
    try:
        return pa.Table.from_pandas(frame[list(COLUMNS_USED)], preserve_index=False)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise FrameError(
            f"a column of the classified frame mixes kinds of values: {type(error).__name__}; "
            "use the frame as classify() returned it"
        ) from error


class Messages:
    """The messages of a classified frame, in an embedded DuckDB for as long as the summaries take.

    Two tables can be asked: ``events`` (sending events) and ``sends`` (one row per message, with its ``outcome``).

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
        self._connection = duckdb.connect(config={"autoinstall_known_extensions": "false"})
        self._connection.execute("SET TimeZone = 'UTC'")
        # it would be drawn on standard output; in a notebook without ipywidgets there is none, and not even the setting
        with contextlib.suppress(duckdb.Error):
            self._connection.execute("SET enable_progress_bar = false")
        self._connection.register("frame", table)
        for statement in (_EVENTS, _HOMES, _SENDS):
            self._connection.execute(statement)

    def __enter__(self) -> Messages:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def ask(self, sql: str, parameters: Sequence[object] = ()) -> pd.DataFrame:
        """Return what a query gives."""
        frame: pd.DataFrame = self._connection.sql(sql, params=list(parameters)).to_arrow_table().to_pandas()
        return frame

    def group(self, keys: str, measures: str, *, where: str = "true", order: str) -> pd.DataFrame:
        """Return measures of the messages by keys."""
        groups = f"SELECT {keys}, {measures} FROM sends WHERE {where} GROUP BY ALL"
        return self.ask(f"SELECT * FROM ({groups}) ORDER BY {order}")

    def most_frequent(
        self, names: Sequence[str], *, by: str, where: str = "outcome = 'bounced'"
    ) -> pd.DataFrame:
        """Return the combination of ``names`` that most messages of each ``by`` have; ties by name."""
        values = ", ".join(names)
        return self.ask(
            f"""SELECT {by}, unnest(arg_max(struct_pack({values}), (n, {values})))
                FROM (SELECT {by}, {values}, count(*) AS n FROM sends WHERE {where} GROUP BY ALL)
                GROUP BY {by}"""
        )

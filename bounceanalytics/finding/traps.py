"""Addresses that refused mail for over a year and then took it: they may have become spam traps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from bounceanalytics.database import open_database
from bounceanalytics.datasets import as_frame
from bounceanalytics.finding.recovery import gather_episodes
from bounceanalytics.history.responses import ANSWER_COLUMNS, gather_answers, gather_events
from bounceanalytics.schema import TRAP_COLUMNS

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

    from bounceanalytics.datasets import Frame

#: Silence after which an address that takes mail again may have become a spam trap: providers refuse mail to abandoned
#: mailboxes for six to twelve months and more before they make traps of them.
TRAP_DAYS = 365

_SUSPICION = """
SELECT count(*) > 0
FROM (
    SELECT max(moment) FILTER (accepted) - min(moment) FILTER (NOT accepted) AS silence
    FROM answers
    GROUP BY address
)
WHERE silence > to_days({days})
"""

_TRAPS = """
SELECT address, max(refused) AS silent_from, max(accepted_again) AS accepted_again
FROM episodes
WHERE
    sign = 'delivered'
    AND accepted_again > refused + to_days({days})
    AND NOT EXISTS (
        FROM answers
        WHERE
            answers.address = episodes.address
            AND answers.moment >= accepted_again
            AND event IN ('opened', 'clicked')
    )
GROUP BY address
ORDER BY silent_from, address
"""

_NONE = pa.table(
    {
        "address": pa.array([], pa.int32()),
        "silent_from": pa.array([], pa.timestamp("us")),
        "accepted_again": pa.array([], pa.timestamp("us")),
    }
)


def trap_risk(bounces: Frame, *, late_bounce_hours: int = 120) -> pd.DataFrame:
    """Return the addresses that refused mail for over a year and then took it: they may have become spam traps.

    Mailbox providers refuse mail to abandoned mailboxes for a long time before they turn some into traps, which take
    everything and read nothing. An address that was opened or clicked since it takes mail again is not one.

    Parameters
    ----------
    bounces : pandas.DataFrame, Dataset or path of one
        Classified events, as :func:`bounceanalytics.classify` returns them.
    late_bounce_hours : int, default 120
        A delivery whose own message bounced within so many hours does not count.

    Returns
    -------
    pandas.DataFrame
        One row per address, longest silence first begun on top.

        ================== ========================================================================
        ``address``        string: in normal form
        ``silent_from``    timestamp, UTC: its first answer that it is gone since it last took mail
        ``accepted_again`` timestamp, UTC: the delivery after that, more than 365 days later
        ================== ========================================================================

    Raises
    ------
    FrameError
        If columns are missing or hold something else than a classified frame does.

    References
    ----------
    Recycled traps: https://faq.oximailing.com/index.php?lang=en&action=artikel&cat=16&id=122&artlang=en

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> from bounceanalytics.finding.traps import trap_risk
    >>> trap_risk(ba.classify(ba.load(ba.samples() / "exports" / "ses").events)).shape[0]
    0
    """
    with open_database() as database:
        addresses = gather_events(database, as_frame(bounces, list(ANSWER_COLUMNS), "a classified frame"))
        gather_answers(database, late_bounce_hours)
        traps = find_traps(database)
    named = traps.set_column(0, "address", addresses.take(traps["address"].combine_chunks()))
    return TRAP_COLUMNS.frame(named)


def find_traps(database: duckdb.DuckDBPyConnection) -> pa.Table:
    """Return what :func:`trap_risk` does, addresses as numbers, where answers have been gathered already."""
    ((suspicion,),) = database.sql(_SUSPICION.format(days=TRAP_DAYS)).fetchall()
    if not suspicion:  # nearly always, and episodes take a while
        return _NONE
    gather_episodes(database)
    return database.sql(_TRAPS.format(days=TRAP_DAYS)).to_arrow_table()

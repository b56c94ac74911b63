"""What servers answered, by address and in time: the common ground of verdicts, storms and recovery."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bounceanalytics.addresses import column_text, normal_form
from bounceanalytics.database import read_sql
from bounceanalytics.errors import FrameError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import duckdb
    import pandas as pd

_TEXT = pa.large_string()
_TIME = pa.timestamp("us", tz="UTC")

#: Answers that say of an address that it is gone. A domain counts: when the resolver of the ESP fails, all are "bad".
GONE = ("unknown_user", "mailbox_disabled", "moved", "bad_domain")

#: The columns that answers are made of, and the Arrow type in which the engine gets them.
ANSWER_COLUMNS: Mapping[str, pa.DataType] = {
    "provider": _TEXT,
    "event": _TEXT,
    "recipient": _TEXT,
    "domain": _TEXT,
    "timestamp": _TIME,
    "message_id": _TEXT,
    "bounce_type": _TEXT,
    "reason": _TEXT,
    "action": _TEXT,
    "mailbox_provider": _TEXT,
}


def gather_events(
    database: duckdb.DuckDBPyConnection,
    frame: pd.DataFrame,
    columns: Mapping[str, pa.DataType] = ANSWER_COLUMNS,
) -> pa.Array:
    """Register the columns of a frame as view ``events``, addresses as numbers, times as UTC without a zone.

    Parameters
    ----------
    database : duckdb.DuckDBPyConnection
    frame : pandas.DataFrame
        Classified events.
    columns : mapping of str to pyarrow.DataType
        Which, and as what.

    Returns
    -------
    pyarrow.Array of large_string
        Addresses in normal form, by the numbers in the column ``address``, which is missing where there is no
        recipient. Numbers are faster to group, to join and to sort than texts. The column ``row`` counts from 0.

    Raises
    ------
    FrameError
        If a column holds something else than it does in a classified frame.
    """
    arrays: dict[str, pa.Array] = {}
    wrong: list[str] = []
    for name, kind in columns.items():
        try:
            arrays[name] = _array(frame[name], kind)
        except (pa.ArrowException, TypeError, ValueError):
            wrong.append(f"{name} is {frame[name].dtype}, and must be {kind}")
    if wrong:
        raise FrameError(f"a classified frame is needed: {'; '.join(wrong)}")
    arrays["timestamp"] = arrays["timestamp"].cast(pa.timestamp("us"))
    addresses = pa.array([], _TEXT)
    if "recipient" in arrays:
        del arrays["recipient"]
        arrays["address"], addresses = _numbered(column_text(frame["recipient"]))
    arrays["row"] = pa.array(np.arange(len(frame)))
    database.register("events", pa.table(arrays))
    return addresses


def gather_mailboxes(database: duckdb.DuckDBPyConnection) -> None:
    """Make the table ``mailboxes``, a domain and who runs it, from the view ``events``."""
    database.execute(read_sql("history", "mailboxes"))


def gather_answers(database: duckdb.DuckDBPyConnection, late_bounce_hours: int) -> None:
    """Make the tables ``mailboxes`` and ``answers``, dated bounces and signs of life, from the view ``events``."""
    gather_mailboxes(database)
    database.execute(read_sql("history", "responses").format(gone=GONE, late=int(late_bounce_hours)))


def _numbered(recipients: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Return the number of each recipient's address, and the addresses by number."""
    written = recipients.dictionary_encode()
    folded = normal_form(written.dictionary)
    addresses = pc.if_else(pc.equal(folded, ""), None, folded).dictionary_encode()
    return addresses.indices.take(written.indices), addresses.dictionary


def _array(values: pd.Series, kind: pa.DataType) -> pa.Array:
    array = pa.Array.from_pandas(values)
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    plain = array.type.value_type if pa.types.is_dictionary(array.type) else array.type
    if pa.types.is_null(plain):  # a column, or a category, that never had a value
        return pa.nulls(len(array), kind)
    textual = pa.types.is_string(plain) or pa.types.is_large_string(plain)
    if textual != (kind == _TEXT) or (kind == _TIME) != pa.types.is_timestamp(plain):
        raise TypeError
    if kind == _TIME and plain.tz is None:
        raise TypeError
    # strings that repeat stay encoded: smaller, and faster to group by
    return array if pa.types.is_dictionary(array.type) else array.cast(kind)

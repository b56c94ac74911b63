"""One verdict per address, from the order of events in time and a policy.

The order of rows and files plays no part: ties in time are broken by severity, then by source and record.

Without a time, an event cannot be put in order, so:

* an entry of a suppression list, or mail that the ESP dropped, describes how things stand: no sign of life clears it;
* any other undated failure is older than every sign of life, and all of an address make one bounce day;
* an undated sign of life clears undated bounces and nothing else.
"""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from bounceanalytics import schema
from bounceanalytics.datasets import as_frame
from bounceanalytics.deciding.addresses import domain_of, normal_form
from bounceanalytics.deciding.database import open_database
from bounceanalytics.deciding.policy import Policy
from bounceanalytics.errors import FrameError, PolicyError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from bounceanalytics.datasets import Frame

_TEXT = pa.large_string()
_TIME = pa.timestamp("us", tz="UTC")

#: The columns that a verdict is made of, and the Arrow type in which the engine gets them.
_NEEDED: Mapping[str, pa.DataType] = {
    "event": _TEXT,
    "recipient": _TEXT,
    "timestamp": _TIME,
    "message_id": _TEXT,
    "reply_code": pa.int16(),
    "enhanced_code": _TEXT,
    "esp_type": _TEXT,
    "esp_reason": _TEXT,
    "source": _TEXT,
    "record": pa.int64(),
    "bounce_type": _TEXT,
    "reason": _TEXT,
    "fault": _TEXT,
    "action": _TEXT,
    "rule": _TEXT,
    "conflict": pa.bool_(),
}


def decide(bounces: Frame, policy: Policy | None = None) -> pd.DataFrame:
    """Decide for every address whether to remove, hold or keep it.

    Parameters
    ----------
    bounces : pandas.DataFrame, Dataset or path of one
        Classified events, as :func:`bounceanalytics.classify` returns them. Rows without a recipient are passed over.
    policy : Policy, optional
        How much it takes; ``Policy.preset("default")`` if not given.

    Returns
    -------
    pandas.DataFrame
        One row per address (in normal form) that has an event, in the order of addresses, with the columns of
        :data:`bounceanalytics.schema.DECISION_COLUMNS`: ``verdict`` (remove, hold, keep); what the deciding event
        said (``reason``, ``bounce_type``, ``fault``, ``rule``, ``code``, ``decided_at`` in UTC, ``source``,
        ``record``); days with a bounce (``bounce_days``, ``hard_days``, ``soft_days``, ``block_days``: all of them,
        also those that a later delivery cleared); last signs of life and wishes in UTC; and ``explanation``, a
        sentence. The deciding event of a kept address is the failure that was not enough or that was cleared.
        Where nothing ever failed there is none: ``decided_at`` is the last sign of life, ``record`` is 0.
        ``attrs["policy"]`` holds the policy as plain values.

    Raises
    ------
    FrameError
        If columns are missing or hold something else than a classified frame does.
    PolicyError
        If the policy is none.

    See Also
    --------
    Policy : The numbers, and why they are what they are.

    Notes
    -----
    What came before the last delivery, open or click of an address does not count any more. A delivery whose own
    message bounced afterwards is no delivery. Complaints and unsubscribes are wishes and stay. Deferrals are no
    bounces: the mail was still on its way. Machine opens cannot be told from others.

    Undated events: an entry of a suppression list stands until the list says otherwise; other undated failures are
    older than every sign of life and make one day together; an undated sign of life clears only undated bounces.

    References
    ----------
    RFC 3463, RFC 5321 4.5.4.1.

    Examples
    --------
    >>> from bounceanalytics import schema
    >>> decide(schema.empty((*schema.EVENT_COLUMNS, *schema.VERDICT_COLUMNS))).shape[0]
    0
    """
    policy = Policy.preset("default") if policy is None else policy
    if not isinstance(policy, Policy):
        raise PolicyError(f"a Policy is needed, found {type(policy).__name__}; say Policy.preset('default')")
    events = _events(as_frame(bounces, list(_NEEDED)))
    with open_database() as database:
        database.register("events", events)
        database.register("lines", pa.Table.from_pandas(policy.lines(), preserve_index=False))
        database.register("titles", _titles())
        sql = resources.files("bounceanalytics.deciding").joinpath("decide.sql").read_text(encoding="utf-8")
        parameters = {
            "cleared_by": list(policy.cleared_by),
            "late_seconds": policy.late_bounce_hours * 3600,
        }
        verdicts = database.sql(sql, params=parameters).to_arrow_table()
    return _frame(verdicts, policy)


def _events(bounces: pd.DataFrame) -> pa.Table:
    """Return the needed columns with the address in normal form and times as UTC without a zone."""
    arrays: dict[str, pa.Array] = {}
    wrong: list[str] = []
    for name, kind in _NEEDED.items():
        try:
            arrays[name] = _column(bounces[name], kind)
        except (pa.ArrowException, TypeError, ValueError):
            wrong.append(f"{name} is {bounces[name].dtype}, and must be {kind}")
    if wrong:
        raise FrameError(f"a classified frame is needed: {'; '.join(wrong)}")
    arrays["address"] = normal_form(arrays.pop("recipient"))
    arrays["timestamp"] = arrays["timestamp"].cast(pa.timestamp("us"))
    return pa.table(arrays)


def _column(values: pd.Series, kind: pa.DataType) -> pa.Array:
    array = pa.Array.from_pandas(values)
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    if pa.types.is_null(array.type):
        return pa.nulls(len(array), kind)
    if pa.types.is_dictionary(
        array.type
    ):  # strings that repeat stay encoded: smaller, and faster to group by
        if not (pa.types.is_string(array.type.value_type) or pa.types.is_large_string(array.type.value_type)):
            raise TypeError
        return array
    textual = pa.types.is_string(array.type) or pa.types.is_large_string(array.type)
    if textual != (kind == _TEXT) or (kind == _TIME) != pa.types.is_timestamp(array.type):
        raise TypeError
    if kind == _TIME and array.type.tz is None:
        raise TypeError
    return array.cast(kind)


def _titles() -> pa.Table:
    """Return the titles of reasons as they stand inside a sentence."""
    words = {name: reason.title for name, reason in schema.REASONS.items()}
    lowered = [title if title[:2].isupper() else title[:1].lower() + title[1:] for title in words.values()]
    return pa.table({"reason": pa.array(list(words), _TEXT), "title": pa.array(lowered, _TEXT)})


def _frame(verdicts: pa.Table, policy: Policy) -> pd.DataFrame:
    address = verdicts["address"].cast(_TEXT)
    domains = domain_of(address.combine_chunks()) if len(address) else pa.nulls(0, _TEXT)
    verdicts = verdicts.append_column("domain", domains)
    columns = []
    for column in schema.DECISION_COLUMNS:
        values = verdicts[column.name]
        if column.kind == "timestamp":
            values = pc.assume_timezone(values.cast(pa.timestamp("us")), "UTC")
        columns.append(values.cast(_TEXT) if column.kind in {"category", "string"} else values)
    frame: pd.DataFrame = pa.table(
        columns, names=[column.name for column in schema.DECISION_COLUMNS]
    ).to_pandas()
    frame = frame.astype(schema.dtypes(schema.DECISION_COLUMNS))
    frame.attrs["policy"] = policy.to_dict()
    return frame

"""One verdict per address, from the order of events in time and a policy.

The order of rows and files plays no part: ties in time are broken by severity, then by source and record.

Without a time, an event cannot be put in order, so:

* an entry of a suppression list, or mail that the ESP dropped, describes how things stand: no sign of life clears it;
* any other undated failure is older than every sign of life, and all of an address make one bounce day;
* an undated sign of life clears undated bounces and nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from bounceanalytics import schema
from bounceanalytics.addresses import domain_of
from bounceanalytics.clocks import AmbiguousTimeError
from bounceanalytics.clocks import moment as moment_of
from bounceanalytics.database import read_sql
from bounceanalytics.deciding.gathering import checked_policy, gather_evidence, register_lines
from bounceanalytics.errors import PolicyError
from bounceanalytics.esps import ESPS
from bounceanalytics.finding.retries import retry_days
from bounceanalytics.finding.traps import gather_traps
from bounceanalytics.history import History
from bounceanalytics.wording import in_short

if TYPE_CHECKING:
    from datetime import datetime

    import pandas as pd

    from bounceanalytics.datasets import Frame
    from bounceanalytics.deciding.policy import Policy

#: The columns of the view ``explained`` that verdicts are made of.
_EXPLAINED = (
    *(one.name for one in schema.DECISION_COLUMNS if one.name not in {"domain", "retry_on"}),
    "mailbox_provider",
)


def decide(
    bounces: Frame | History, policy: Policy | None = None, *, at: datetime | str | None = None
) -> pd.DataFrame:
    """Decide for every address whether to remove, hold or keep it.

    Parameters
    ----------
    bounces : pandas.DataFrame, Dataset or path of one
        Classified events, as :func:`bounceanalytics.classify` returns them. Rows without a recipient are passed over.
    policy : Policy, optional
        How much it takes; ``Policy.preset("default")`` if not given.
    at : datetime or str, optional
        The moment for which to decide, in UTC if it has no zone: whether holds are over depends on it. The time of
        the last event if not given.

    Returns
    -------
    pandas.DataFrame
        One row per address that has an event, in the order of addresses.

        =================== ========================================================================================
        ``address``         string: address in normal form: trimmed, case folded, domain in IDNA ASCII form
        ``domain``          string: its domain
        ``verdict``         category (remove, hold, keep): what to do with the address
        ``reason``          category: what speaks or spoke against the address; missing where nothing ever did
        ``bounce_type``     category (hard, soft, block, suppressed, none, unknown): kind of failure of the deciding
                            event
        ``fault``           category (recipient, receiver, sender, content, esp, unknown): who must act, by the
                            deciding event
        ``rule``            string: id of the classifier's rule for the deciding event
        ``code``            string: enhanced code of the deciding event, else its reply code
        ``confidence``      category (high, medium, low): how much stands behind the verdict
        ``storm``           bool: the deciding event lies in a storm: a server answered wrongly to many at once
        ``trap_risk``       bool: refused mail for over a year and then took it: may have become a spam trap
        ``decided_at``      timestamp, UTC: time of the deciding event
        ``hold_until``      timestamp, UTC: when the hold ends by itself; missing if it does not, or if not held
        ``retry_on``        timestamp, UTC: day from which a held address is likely to take mail again
        ``review_on``       timestamp, UTC: day on which to look at it again, if removed or held for good
        ``first_seen``      timestamp, UTC: first event of all
        ``last_seen``       timestamp, UTC: last event of all
        ``first_bounced``   timestamp, UTC: first bounce of all
        ``last_bounced``    timestamp, UTC: last bounce of all
        ``bounce_days``     int64: UTC days with a bounce of any kind; all bounces without a time count as one day
        ``hard_days``       int64: UTC days with a hard bounce
        ``soft_days``       int64: UTC days with a soft bounce
        ``block_days``      int64: UTC days with a block
        ``conflicts``       int64: events on which code, text and the ESP's word disagree
        ``last_delivered``  timestamp, UTC: last delivery
        ``last_opened``     timestamp, UTC: last open
        ``last_clicked``    timestamp, UTC: last click
        ``complained_at``   timestamp, UTC: last complaint
        ``unsubscribed_at`` timestamp, UTC: last unsubscribe
        ``suppressed_by``   string: ESP whose list keeps mail from the address, for bounces or unknown causes
        ``source``          string: file that the deciding event came from
        ``record``          int64: number of the deciding event's record in that file
        ``explanation``     string: the verdict as a sentence
        =================== ========================================================================================

        The deciding event of a kept address is the failure that was not enough, that was cleared or whose hold is over.
        Without a failure there is no deciding event: ``decided_at`` is the last sign of life, ``record`` is 0. Days
        with a bounce are all of them, also those that a later delivery cleared. ``attrs["policy"]`` holds the policy as
        plain values.

    Raises
    ------
    FrameError
        If columns are missing or hold something else than a classified frame does.
    PolicyError
        If ``policy`` is not a policy, or ``at`` not a time.

    See Also
    --------
    Policy : The numbers, and why they are what they are.
    compare_policies : What other policies would have done.
    storms, recovery : Where ``storm`` and ``retry_on`` come from.

    Notes
    -----
    What came before the last delivery, open or click of an address does not count any more; an open or a click counts
    at the time at which its message was sent, if the frame tells. A delivery whose own message bounced afterwards is no
    delivery. Deferrals are no bounces: the mail was still on its way. Machine opens cannot be told from others.

    Complaints and unsubscribes are wishes and stay, whatever arrives later; of an unsubscribe and a wish to get mail
    again the later counts. Mail that the ESP dropped, or an entry of its list, repeats the bounce behind it and says no
    more than that; it counts by itself where no bounce is known since the last delivery.

    A time in the future is no time: some clock was wrong. Such events count as undated, with a
    :class:`WrongClockWarning`.

    ``confidence`` is *high* where a wish, a sign of life, several bounce days or the server's own words decided,
    *medium* where nothing but a code or the ESP's word did, *low* where the evidence disagrees, lies in a storm, is a
    mere suspicion, or where nobody knows what it means.

    Undated events: an entry of a suppression list stands until the list says otherwise; other undated failures are
    older than every sign of life and make one day together; an undated sign of life clears only undated bounces.

    References
    ----------
    RFC 3463, RFC 5321 4.5.4.1.

    Examples
    --------
    >>> from bounceanalytics import schema
    >>> decide(schema.BOUNCE_COLUMNS.empty()).shape[0]
    0
    """
    policy = checked_policy(policy)
    with History.open(bounces) as history:
        prepare(history, policy, _moment(at))
        parts = history.collect(verdicts_of)
    return frame_of(_put_together(parts), policy)


def prepare(history: History, policy: Policy, moment: datetime | None = None) -> None:
    """Make the views that :func:`verdicts_of` asks, in every part of the history.

    Parameters
    ----------
    history : History
    policy : Policy
    moment : datetime, optional
        For which to decide, in UTC without a zone; the time of the last event if not given.
    """
    gather_evidence(history, policy.late_bounce_hours)
    register_lines(history, policy)
    history.register("titles", _titles())
    history.register(
        "esps", pa.table({"provider": list(ESPS), "esp_title": [one.title for one in ESPS.values()]})
    )
    gather_traps(history, policy.late_bounce_hours)
    if moment is None:
        moment = max(filter(None, history.collect(_last_seen)), default=None)
    history.run("deciding", "standing")
    history.run("deciding", "counting")
    history.run("deciding", "decide", at=moment)
    history.run("deciding", "explanation")
    history.register("retries", _retries(history, policy.late_bounce_hours))


def _last_seen(history: History) -> datetime | None:
    moment: datetime | None = history.table("SELECT max(last_seen) AS moment FROM facts")["moment"][0].as_py()
    return moment


def _retries(history: History, late_bounce_hours: int) -> pa.Table:
    """Return after how many days to try again; nothing where nobody is held, for it takes a while."""
    columns = ["reason", "mailbox_provider", "retry_days"]
    if any(history.collect(_holds)):
        return pa.Table.from_pandas(retry_days(history, late_bounce_hours=late_bounce_hours)[columns])
    return schema.RETRY_COLUMNS.select(columns).arrow.empty_table()


def _holds(history: History) -> bool:
    return bool(len(history.table("FROM chosen_lines WHERE verdict = 'hold' LIMIT 1")))


def verdicts_of(history: History) -> pa.Table:
    """Return the verdicts on the addresses of a history that is prepared, which is a part of one perhaps."""
    verdicts = history.table(f"SELECT {', '.join(_EXPLAINED)} FROM explained")
    held = verdicts.filter(pc.equal(verdicts["verdict"], "hold"))
    history.register("verdicts", held)
    found = history.table(read_sql("deciding", "retry_on"))
    places = pc.index_in(verdicts["address"], found["address"].combine_chunks())
    retry_on = found["retry_on"].combine_chunks().take(places.combine_chunks())
    address = history.addresses.take(verdicts["address"].combine_chunks()).cast(schema.ARROW_STRING)
    told = {
        **{name: verdicts[name] for name in verdicts.column_names},
        "address": pa.chunked_array([address]),
        "domain": pa.chunked_array([domain_of(address) if len(address) else address]),
        "retry_on": pa.chunked_array([retry_on]),
    }
    # a part may have a machine of its own: here are words numbered, and rows put in order, which makes it easy for all
    return _in_order(
        {
            one.name: told[one.name].dictionary_encode() if one.kind == "category" else told[one.name]
            for one in schema.DECISION_COLUMNS
        }
    )


def _put_together(parts: list[pa.Table]) -> pa.Table:
    """Return the verdicts of all parts, which are used up."""
    if len(parts) == 1:
        return parts.pop()
    whole = pa.concat_tables(parts).unify_dictionaries()
    parts.clear()
    columns = dict(zip(whole.column_names, whole.columns, strict=True))
    del whole
    return _in_order(columns)


def _in_order(columns: dict[str, Any]) -> pa.Table:
    """Return verdicts in the order of addresses; the columns are used up, for they are large."""
    order = pc.sort_indices(columns["address"].combine_chunks())
    # one whole column after the other: to take the rows of a table in pieces needs twice the time
    return pa.table({name: columns.pop(name).combine_chunks().take(order) for name in list(columns)})


def _moment(at: datetime | str | None) -> datetime | None:
    """Return a moment in UTC without a zone, as the engine takes it."""
    if at is None:
        return None
    try:
        return moment_of(at).time.tz_localize(None).to_pydatetime(warn=False)
    except AmbiguousTimeError as error:
        raise PolicyError(f"at: {error}") from None
    except ValueError:
        raise PolicyError(f"at is {in_short(at)}, and must be a time such as 2026-11-30T12:00") from None


def _titles() -> pa.Table:
    """Return the titles of reasons as they stand inside a sentence."""
    words = {name: reason.title for name, reason in schema.REASONS.items()}
    lowered = [title if title[:2].isupper() else title[:1].lower() + title[1:] for title in words.values()]
    return pa.table(
        {
            "reason": pa.array(list(words), schema.ARROW_STRING),
            "title": pa.array(lowered, schema.ARROW_STRING),
        }
    )


def frame_of(verdicts: pa.Table, policy: Policy) -> pd.DataFrame:
    """Return verdicts as the frame that :func:`decide` returns."""
    frame = schema.DECISION_COLUMNS.frame(verdicts)
    frame.attrs["policy"] = policy.to_dict()
    return frame

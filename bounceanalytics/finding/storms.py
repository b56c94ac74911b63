"""Storms: hours in which a server, or the sender's own relay, answered wrongly to many addresses at once.

On 14 and 15 December 2020 Gmail said "550 5.1.1 no such user" of mailboxes that exist, for two and for four hours. Who
took it at its word lost good customers. Such an hour gives itself away, because people do not leave all at once:

* **addresses that took mail before are suddenly gone.** At an ordinary mailing that happens to less than one in a
  hundred of them, and to some two in a hundred more for each month in which they got no mail;
* **addresses that were never tried before are gone** far more often than such addresses are at this mailbox provider
  and elsewhere in the same hour, and none of its old acquaintances in that hour says otherwise. An old segment of a
  list that is mailed for the first time has many unknown users everywhere;
* **nearly everything bounces, wherever it goes**: then it is the sender's relay or the ESP that is broken.

Each is a binomial test against the rate of the same mailbox provider (or ESP) at other times, more than two days away,
with a floor under that rate and a least number of addresses, so that a list of forty people makes no noise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bounceanalytics import schema
from bounceanalytics.database import read_sql
from bounceanalytics.history import History
from bounceanalytics.history.hours import DAYS_APART, Hours, share
from bounceanalytics.history.parts import Parts
from bounceanalytics.history.responses import INVALID_REASONS, gather_responses
from bounceanalytics.knowledge.rules import mailbox_title
from bounceanalytics.wording import esp_title, percent, rows

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

    from bounceanalytics.datasets import Frame

    Floats = npt.NDArray[np.float64]
    Flags = npt.NDArray[np.bool_]

#: How likely an hour like this may be by chance. A year has 8,760 hours for each mailbox provider.
SIGNIFICANCE = 1e-6
#: So many times the expected share is "far above"; a large sender makes every small change significant.
FAR_ABOVE = 3.0
#: So many addresses that took mail before must be gone, and so many that were never tried.
LEAST_PROVEN, LEAST_FRESH = 5, 10

#: Share of proven addresses that are gone at a mailing, at once, and more for each month since they took mail. Lists
#: are said to lose 20-30 % a year, 2 % a month (https://validatelist.com/blog/email-list-decay-explained).
ORDINARY, DECAY, CEILING = 0.01, 0.02, 0.5
#: The same for addresses that were never tried, where the mailbox provider's own rate is lower.
ORDINARY_FRESH = 0.02
#: Attempts before the hour without which a mailbox provider has no usual share, and for a share to compare with.
LEAST_HISTORY, LEAST_COMPARED = 50, 20
#: So many proven addresses in the hour, and no more gone than usual, show that nothing is wrong.
LEAST_WITNESSES = 10

#: "Everything bounced": share, attempts, mailbox providers, and attempts outside the largest of them.
NEARLY_ALL, LEAST_TRIED, LEAST_MAILBOXES, LEAST_BESIDE = 0.9, 10, 3, 5
#: No news for a sender of whom that much bounces anyway; and a floor under the usual share.
MOSTLY_BOUNCES, ORDINARY_BOUNCED = 0.5, 0.05

#: For a first look: the usual share is taken to be at most this; and a share of bounces at which to look closer.
_MOST_USUAL, _MOST_BOUNCED = 0.3, 0.7

#: Hours from the edge of a storm within which a proven address that is gone belongs to it.
_EDGE = 1
#: An entry of a suppression list may be written a little later than the bounce.
_LIST_DELAY = 1
#: Days without deliveries after which the export is taken to hold failures only (or twice the usual pause, if longer).
_PAUSE = 8
#: Days after which a domain that took no mail at later mailings is closed: its addresses are gone.
_CLOSED = 8

#: The columns of the first look, and those of the rows that lie in a storm.
_LOOKED_AT = ("provider", "event", "domain", "timestamp", "reason", "action", "mailbox_provider")

#: Milliseconds since an address took mail, after which it is expected to be invalid no more often.
_LONGEST = round((CEILING - ORDINARY) / DECAY * 30) * 86400 * 1000


def storms(bounces: Frame | History, *, late_bounce_hours: int = 120) -> pd.DataFrame:
    """Return the hours in which many addresses were refused that do exist, by all that one can tell.

    Parameters
    ----------
    bounces : pandas.DataFrame, Dataset or path of one
        Classified events, as :func:`bounceanalytics.classify` returns them; the order of rows plays no part.
    late_bounce_hours : int, default 120
        A delivery whose own message bounced within so many hours does not count.

    Returns
    -------
    pandas.DataFrame
        One row per storm, in the order of time.

        ==================== ======================================================================================
        ``kind``             category: unknown_users: a mailbox provider said "no such user" of users that it has;
                             everything: nearly all mail of an ESP bounced, wherever it went
        ``provider``         string: that ESP, where everything bounced
        ``mailbox_provider`` string: who said it, where it was unknown_users
        ``domain``           string: the domain, where its mailbox provider is 'other'
        ``start``            timestamp, UTC: first such answer
        ``end``              timestamp, UTC: last such answer
        ``hits``             int64: messages whose answer would remove the address
        ``addresses``        int64: different addresses refused
        ``attempts``         int64: different addresses tried in that time
        ``share``            float64: addresses / attempts (0-1)
        ``usual_share``      float64: such answers as a share of attempts at other times (0-1); missing where there
                             was none
        ``accepted_before``  int64: refused addresses that had taken mail before
        ``recovered``        int64: refused addresses that took mail later
        ``p_value``          float64: chance of so many in the most unlikely of its hours
        ``explanation``      string: a sentence, without addresses
        ==================== ======================================================================================

    Raises
    ------
    FrameError
        If columns are missing or hold something else than a classified frame does.

    See Also
    --------
    in_storm : Which events lie in one.

    Notes
    -----
    An address that is still gone more than 48 hours after it was gone first, and took no mail in between, is gone: its
    later answers belong to no storm. If most addresses of a storm were tried again after that time and at most one in
    ten of them takes mail, there was no storm but an end; nor is there one at a domain of its own (mailbox provider
    ``other``) where nobody takes mail at later mailings, of which eight days must be known.

    Shares mean something only where deliveries are recorded: an ESP of which the export holds no deliveries, or none
    for longer than it usually pauses, has no storms. Events without a time are in none. A trouble that
    strikes many small domains at once, a few addresses each, shows only where nearly everything bounced.

    References
    ----------
    Gmail in December 2020:
    https://www.greenarrowemail.com/docs/greenarrow-engine/Server-Management-and-Backups/Bounce-Recovery/Gmail-Outages

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> ba.storms(ba.classify(ba.load(ba.samples() / "exports" / "ses").events)).shape[0]
    0
    """
    with History.open(bounces) as history:
        return find_storms(history, late_bounce_hours)


def find_storms(history: History, late_bounce_hours: int) -> pd.DataFrame:
    """Return the storms of a history, as :func:`storms` does; they are looked for once."""
    return history.once(
        "storms", lambda: storms_of_parts([history], late_bounce_hours), key=late_bounce_hours
    )


def storms_of_parts(histories: Iterable[History], late_bounce_hours: int) -> pd.DataFrame:
    """Return the storms of a history that is split by address.

    Parameters
    ----------
    histories : iterable of History
        All events of an address in one of them; fresh ones, if they are several.
    late_bounce_hours : int

    Returns
    -------
    pandas.DataFrame
        What :func:`storms` returns of all their events together.
    """
    parts = Parts(histories)
    # without addresses, whose numbering takes longer than the first look
    parts.gather(_LOOKED_AT)
    if not _suspicious(parts):
        return schema.STORM_COLUMNS.empty()
    for part in parts:
        gather_responses(part, late_bounce_hours)
    parts.count("finding", "storm_attempts", "hour_counts", stale=DAYS_APART, longest=_LONGEST)
    raised = _raised(parts)
    if not raised["storm"].any():
        return schema.STORM_COLUMNS.empty()
    parts.whole.register("raised", raised)
    parts.share("raised")
    parts.finish("finding", "storm_cores", "cores", edge=_EDGE)
    parts.count("finding", "storm_edges", "edges", edge=_EDGE)
    parts.finish("finding", "storm_windows", "windows")
    parts.count("finding", "storm_counts", "storm_counts", stale=DAYS_APART)
    accounts = parts.whole.query(read_sql("finding", "storm_accounts"), closed=_CLOSED)
    return schema.STORM_COLUMNS.frame(_explained(accounts))


def _suspicious(parts: Parts) -> bool:
    """Tell whether there may be a storm at all."""
    parts.count("finding", "storm_look", "invalid_hours", "bounced_hours", invalid=INVALID_REASONS)
    parts.finish("finding", "storm_places", "suspects", least=LEAST_PROVEN)
    parts.count("finding", "storm_tried", "tried_hours", invalid=INVALID_REASONS)
    terms = {"least": LEAST_PROVEN, "tried": LEAST_TRIED, "most": _MOST_USUAL, "nearly": _MOST_BOUNCED}
    sql = read_sql("finding", "storm_suspicion")
    ((suspicion,),) = parts.whole.database.execute(sql, terms).fetchall()
    return bool(suspicion)


def in_storm(bounces: Frame | History, windows: pd.DataFrame) -> Flags:
    """Return which rows of a frame are answers to be disbelieved.

    Parameters
    ----------
    bounces : pandas.DataFrame, Dataset or path of one
        Classified events.
    windows : pandas.DataFrame
        From :func:`storms`.

    Returns
    -------
    numpy.ndarray of bool
        One per row, in their order. True for bounces that would remove the address, from that mailbox provider (of that
        ESP, where everything bounced), from ``start`` to ``end``; and for drops and entries of suppression lists that
        would, of that time or up to an hour later, for they repeat the bounce. Rows without a time are False.

    Raises
    ------
    FrameError
        If columns are missing or hold something else than they should.

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> bounces = ba.classify(ba.load(ba.samples() / "exports" / "ses").events)
    >>> int(ba.in_storm(bounces, ba.storms(bounces)).sum())
    0
    """
    schema.STORM_COLUMNS.require(windows, ("kind", "provider", "mailbox_provider", "domain", "start", "end"))
    with History.open(bounces) as history:
        history.gather(_LOOKED_AT)
        inside = np.zeros(len(history), np.bool_)
        if len(windows):
            inside[storm_rows(history, windows)] = True
    return inside


def storm_rows(history: History, windows: pd.DataFrame) -> Any:
    """Return the numbers of the rows that lie in a storm."""
    history.mailboxes()
    spans = windows[["kind", "provider", "mailbox_provider", "domain"]].astype("str").copy()
    for edge in ("start", "end"):
        spans[edge] = windows[edge].dt.tz_convert("UTC").dt.tz_localize(None)
    history.register("storms_found", spans)
    sql = read_sql("finding", "in_storm")
    return history.table(sql, invalid=INVALID_REASONS, delay=_LIST_DELAY)["row"].to_numpy()


def _raised(parts: Parts) -> pd.DataFrame:
    """Return kind, place, hour and p_value of hours in which more is invalid than usual, and which are a storm."""
    whole = parts.whole
    parts.finish("finding", "storm_senders", pause=_PAUSE)
    sql = "SELECT provider AS place, * FROM sender_hours WHERE covered ORDER BY place, hour"
    senders = Hours(whole.table(sql).to_pandas())
    broken = senders.flagged(*_everything_bounced(senders)).assign(kind="everything")
    broken_hours = broken.loc[broken["storm"], ["place", "hour"]].rename(columns={"place": "provider"})
    whole.register("broken", broken_hours)
    parts.finish("finding", "storm_mailboxes", ordinary=ORDINARY, decay=DECAY)
    sql = "SELECT mailbox AS place, * FROM mailbox_hours ORDER BY place, hour"
    mailboxes = Hours(whole.table(sql).to_pandas())
    refused = mailboxes.flagged(*_users_unknown(mailboxes)).assign(kind="unknown_users")
    return pd.concat([broken, refused], ignore_index=True)


def _chance(hits: Floats, tried: Floats, expected: Floats) -> Floats:
    """Return how likely it is that chance alone brings so many hits, or more."""
    from scipy.special import bdtrc  # noqa: PLC0415 - slow to import, and few frames hold a suspicion

    return np.asarray(bdtrc(hits - 1, tried.astype(np.int64), np.clip(expected, 0.0, 1.0)), np.float64)


def _far_above(hits: Floats, tried: Floats, expected: Floats) -> Flags:
    return np.asarray((hits > 0) & (hits >= FAR_ABOVE * expected * tried), np.bool_)


def _everything_bounced(hours: Hours) -> tuple[Flags, Flags, Floats]:
    """Return in which hours of an ESP nearly all bounced, wherever it went, as it usually does not.

    Returns
    -------
    storm, raised : numpy.ndarray of bool
        It is one; more bounced than usual.
    chance : numpy.ndarray of float64
    """
    bounced, tried = hours["bounced"], hours["tried"]
    beside = tried - hours["largest"]
    suspects = (
        (tried >= LEAST_TRIED)
        & (hours["mailboxes"] >= LEAST_MAILBOXES)
        & (hours["removals"] > 0)
        & (bounced >= NEARLY_ALL * tried)
        & (beside >= LEAST_BESIDE)
        & (bounced - hours["largest_bounced"] >= NEARLY_ALL * beside)
    )
    usual, number = hours.usual(bounced, tried, suspects)
    expected = np.maximum(usual, ORDINARY_BOUNCED)
    chance = _chance(bounced, tried, expected)
    known = (number >= LEAST_COMPARED) & (usual <= MOSTLY_BOUNCES)
    return suspects & known & (chance < SIGNIFICANCE), _far_above(bounced, tried, expected), chance


def _users_unknown(hours: Hours) -> tuple[Flags, Flags, Floats]:
    """Return in which hours of a mailbox provider many are gone who should not be, as :func:`_everything_bounced`."""
    proven, raised, proven_chance = _proven_invalid(hours)
    fresh, fresh_chance = _fresh_invalid(hours)
    return proven | fresh, raised, np.where(proven, proven_chance, fresh_chance)


def _proven_invalid(hours: Hours) -> tuple[Flags, Flags, Floats]:
    """Find storms among addresses that took mail before: they go one by one."""
    hits, tried = hours["proven_hits"], hours["proven"]

    def stands_out(expected: Floats) -> Flags:
        unlikely = _chance(hits, tried, expected) < SIGNIFICANCE
        return _far_above(hits, tried, expected) & (hits >= LEAST_PROVEN) & unlikely

    by_time = share(hours["proven_expected"], tried)
    usual, _ = hours.usual(hits, tried, stands_out(by_time))
    expected = np.maximum(by_time, usual)
    return stands_out(expected), _far_above(hits, tried, expected), _chance(hits, tried, expected)


def _fresh_invalid(hours: Hours) -> tuple[Flags, Floats]:
    """Find storms among addresses never tried before, beside the same place at other times, and others now."""
    hits, tried = hours["fresh_hits"], hours["fresh"]

    def stands_out(expected: Floats) -> Flags:
        unlikely = _chance(hits, tried, expected) < SIGNIFICANCE
        return _far_above(hits, tried, expected) & (hits >= LEAST_FRESH) & unlikely

    floor = np.full_like(tried, ORDINARY_FRESH)
    suspects = stands_out(floor)
    usual, _ = hours.usual(hits, tried, suspects)
    overall, _ = hours.usual(hours["hits"], hours["tried"], suspects)
    others = hours.beside(tried)
    now = np.where(others >= LEAST_COMPARED, share(hours.beside(hits), others), 0.0)
    expected = np.maximum.reduce([floor, usual, overall, now])
    # old acquaintances of the same hour who are no more gone than usual
    fine = ~_far_above(
        hours["proven_hits"], hours["proven"], share(hours["proven_expected"], hours["proven"])
    )
    calm = (hours["proven"] >= LEAST_WITNESSES) & fine
    known = hours.before(hours["tried"]) >= LEAST_HISTORY
    return stands_out(expected) & known & ~calm, _chance(hits, tried, expected)


def _explained(accounts: pd.DataFrame) -> pd.DataFrame:
    return accounts.assign(explanation=[_sentence(row) for row in rows(accounts)])


def _sentence(row: Any) -> str:
    """Return what happened, in words."""
    span = f"from {row.start:%Y-%m-%d %H:%M} to {row.end:%Y-%m-%d %H:%M} UTC"
    usual = "" if pd.isna(row.usual_share) else f"; usual is {percent(row.usual_share)}"
    if row.kind == "everything":
        return (
            f"{row.addresses:,} of {row.attempts:,} addresses bounced at {esp_title(row.provider)} "
            f"{span}, wherever the mail went{usual}: the relay, the name server or the ESP was at fault; "
            f"{row.accepted_before:,} had taken mail before, {row.recovered:,} did later."
        )
    return (
        f"{mailbox_title(row.mailbox_provider, row.domain)} "
        f"said of {row.addresses:,} of {row.attempts:,} addresses {span} that they do not exist{usual}; "
        f"{row.accepted_before:,} had taken mail before, {row.recovered:,} did later."
    )

"""Storms: hours in which a server, or the sender's own relay, answered wrongly to many addresses at once.

On 14 and 15 December 2020 Gmail said "550 5.1.1 no such user" of mailboxes that exist, for two and for four hours. Who
took it at its word lost good customers. Such an hour gives itself away, because people do not leave all at once:

* **addresses that took mail before are suddenly gone.** At an ordinary mailing that happens to less than one in a
  hundred of them, and to some two in a hundred more for each month in which they got no mail;
* **nearly everything bounces, wherever it goes**: then it is the sender's relay or the ESP that is broken.

Each is a binomial test against the rate of the same mailbox provider (or ESP) at other times, more than two days away,
with a floor under that rate and a least number of addresses, so that a list of forty people makes no noise. What looks
like a storm and is none has a test of its own:

* **late answers.** An attempt belongs to the hour in which its message was sent. Where nothing tells, and the hour is a
  quiet one, the refusals must stand out from all the mail that they may belong to;
* **lists that were never good** (bought, imported, made up for a test): only addresses that took mail before count;
* **messages that expired**: nobody answered;
* **a provider that removes dead accounts**: who is refused has opened nothing for long, while others have; and it goes
  on, so that the mailings before or after look alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bounceanalytics import schema
from bounceanalytics.database import read_sql
from bounceanalytics.history import History
from bounceanalytics.history.hours import DAYS_APART, Hours, share
from bounceanalytics.history.responses import (
    INVALID_REASONS,
    RESPONSE_COLUMNS,
    UNANSWERED_REASONS,
    checked_hours,
    gather_responses,
)
from bounceanalytics.knowledge.rules import mailbox_title
from bounceanalytics.wording import esp_title, percent, rows

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from bounceanalytics.datasets import Frame

    Floats = npt.NDArray[np.float64]
    Flags = npt.NDArray[np.bool_]
    #: What speaks against each hour, by name.
    Doubts = dict[str, Floats]

#: How likely an hour like this may be by chance. A year has 8,760 hours for each mailbox provider.
SIGNIFICANCE = 1e-6
#: So many times the expected share is "far above"; a large sender makes every small change significant.
FAR_ABOVE = 3.0
#: So many addresses that took mail before must be gone, and this share of those tried; a larger one at a firm, which is
#: a domain of its own with fewer people than this, for they may leave together.
LEAST_PROVEN, LEAST_SHARE, LEAST_SHARE_OF_FIRM, MOST_OF_FIRM = 5, 0.04, 0.5, 150
#: So many domains of their own must be struck at once to be one storm.
LEAST_DOMAINS = 5

#: Share of proven addresses that are gone at a mailing, at once, and more for each month since they took mail. Lists
#: are said to lose 20-30 % a year, 2 % a month (https://validatelist.com/blog/email-list-decay-explained).
ORDINARY, DECAY, CEILING = 0.01, 0.02, 0.5
#: The share at other times counts as much as that many addresses that one expects to be gone; and how far it can lead.
_WEIGHT, _LEAST_SCALE, _MOST_SCALE = 3.0, 0.1, 10.0
#: A pause so many times longer than usual is not what other times tell of.
_USUAL_PAUSE = 1.5
#: Days before and after, of which the share may not be alike; up to what share that is asked; and for how many.
_NEAR, _NEAR_SHARE, LEAST_COMPARED = (9, 45), 0.15, 20

#: "Everything bounced": share, attempts, mailbox providers, and attempts outside the largest of them; and at least this
#: share of the bounces would remove their address.
NEARLY_ALL, LEAST_TRIED, LEAST_MAILBOXES, LEAST_BESIDE, LEAST_REMOVALS = 0.9, 10, 3, 5, 0.5
#: No news for a sender of whom that much bounces anyway; and a floor under the usual share.
MOSTLY_BOUNCES, ORDINARY_BOUNCED = 0.5, 0.05

#: An hour is quiet beside one with so many times more mail; the mailing may have taken so many hours. It may also come
#: so many hours later, where clocks or time zones differ.
_TIMES, _LETTER, _WRONG = 3, 12, 24
#: Days within which an address that opens or clicks is engaged; refused ones are so this many times less often than
#: others, and how likely that may be by chance.
_ENGAGED, _UNENGAGED, _UNENGAGED_CHANCE = 180, 3.0, 1e-3

#: For a first look: the usual share is taken to be at most this; and a share of bounces at which to look closer.
_MOST_USUAL, _MOST_BOUNCED = 0.3, 0.7

#: Hours from the edge of a storm within which a proven address that is gone belongs to it.
_EDGE = 1
#: Hours after which a message is no more expected to come back, where nobody says.
_LATE = 120
#: An entry of a suppression list may be written a little later than the bounce.
_LIST_DELAY = 1
#: Days without deliveries after which the export is taken to hold failures only (or twice the usual pause, if longer).
_PAUSE = 8
#: So many of those refused, and this share of them, must have been tried again to tell that they are gone for good.
_RETRIED, _RETRIED_SHARE = 3, 0.1

#: The columns of the first look, and those of the rows that lie in a storm.
_LOOKED_AT = ("provider", "event", "domain", "timestamp", "reason", "action", "mailbox_provider")

#: Columns that tell by whom a domain of its own is run, and in which words it refuses.
_HOST_COLUMNS = ("remote_host", "diagnostic")

_REASONS = {"invalid": INVALID_REASONS, "unanswered": UNANSWERED_REASONS}

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
        ``domain``           string: the domain, where its mailbox provider is 'other'; what they have in common,
                             where many domains were struck at once: the mail server, or in quotation marks the
                             answer
        ``start``            timestamp, UTC: when the first message was sent that was refused so
        ``end``              timestamp, UTC: when the last one was
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
    An attempt belongs to the hour in which its message was sent, where another event of the message tells. Where none
    does, and little was sent in that hour, the refusals must stand out from the larger mailing near it as well: they
    may be late answers to it. Only addresses that took mail before make a storm; messages that expired, or that nobody
    answered, say nothing.

    An address that is still gone more than 48 hours after it was gone first, and took no mail in between, is gone: its
    later answers belong to no storm. If three and a tenth of the addresses of a storm were tried again after that time
    and at most one in ten of them takes mail, there was no storm but an end; nor is there one at a domain of its own
    (mailbox provider ``other``) that refuses everybody at another mailing. What the ESP dropped was not tried: where
    nobody was tried again, the explanation says how to learn more.

    Many small domains that are struck at once are one storm, where they share a mail server or the words of the answer.

    Shares mean something only where deliveries are recorded: an ESP of which the export holds no deliveries, or none
    for longer than it usually pauses, has no storms. Events without a time are in none.

    References
    ----------
    Gmail in December 2020:
    https://www.greenarrowemail.com/docs/greenarrow-engine/Server-Management-and-Backups/Bounce-Recovery/Gmail-Outages

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> found = ba.storms(ba.classify(ba.load(ba.samples() / "exports" / "ses").events))
    >>> found[["domain", "addresses", "accepted_before", "recovered"]].values.tolist()
    [['brigg-and-sons.example', 6, 6, 0]]
    """
    with History.open(bounces) as history:
        return find_storms(history, late_bounce_hours)


def find_storms(history: History, late_bounce_hours: int) -> pd.DataFrame:
    """Return the storms of a history, as :func:`storms` does; they are looked for once."""
    late = checked_hours(late_bounce_hours)
    return history.once("storms", lambda: _found(history, late), key=late)


def _found(history: History, late: int) -> pd.DataFrame:
    # without addresses, whose numbering takes longer than the first look
    history.gather(_LOOKED_AT)
    # each of so many addresses took mail and was refused: two rows
    if len(history) < 2 * LEAST_PROVEN or not _suspicious(history):
        return schema.STORM_COLUMNS.empty()
    gather_responses(history, late)
    _gather_sent(history, late)
    _gather_groups(history)
    history.count(
        "finding",
        "storm_attempts",
        "hour_counts",
        stale=DAYS_APART,
        longest=_LONGEST,
        late=late,
        unanswered=UNANSWERED_REASONS,
    )
    raised = _raised(history, late)
    if not raised["storm"].any():
        return schema.STORM_COLUMNS.empty()
    history.register("raised", raised)
    history.finish("finding", "storm_cores", "cores", edge=_EDGE)
    history.count("finding", "storm_edges", "edges", edge=_EDGE)
    history.finish("finding", "storm_windows", "windows")
    history.count("finding", "storm_counts", "storm_counts", stale=DAYS_APART)
    terms = {"retried": _RETRIED, "retried_share": _RETRIED_SHARE, "stale": DAYS_APART}
    accounts = history.query(read_sql("finding", "storm_accounts"), **terms)
    return schema.STORM_COLUMNS.frame(_explained(accounts))


def _gather_sent(history: History, late_bounce_hours: int) -> None:
    """Make the table ``sent``: when the message of a response was sent, where that is known."""

    def make() -> None:
        history.gather(RESPONSE_COLUMNS)
        history.number_addresses()
        history.run("finding", "storm_sent", late=int(late_bounce_hours))

    history.once("sent", make)


def _gather_groups(history: History) -> None:
    """Make the tables ``hosts`` and ``places``: which domains of their own have a host, or their words, in common."""

    def make() -> None:
        history.gather(_HOST_COLUMNS)
        history.count("finding", "storm_hosts", "host_counts", invalid=INVALID_REASONS)
        history.finish("finding", "storm_groups", "hosts", "places")

    history.once("hosts", make)


def _suspicious(history: History) -> bool:
    """Tell whether there may be a storm at all."""
    history.mailboxes()
    history.count("finding", "storm_look", "invalid_hours", "bounced_hours", **_REASONS)
    history.finish("finding", "storm_places", "suspects", least=LEAST_PROVEN, domains=LEAST_DOMAINS)
    history.count("finding", "storm_tried", "tried_hours", invalid=INVALID_REASONS)
    terms = {"least": LEAST_PROVEN, "tried": LEAST_TRIED, "most": _MOST_USUAL, "nearly": _MOST_BOUNCED}
    suspicion = history.table(read_sql("finding", "storm_suspicion"), **terms)
    return bool(suspicion[0][0].as_py())


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
        ESP, where everything bounced), of messages sent from ``start`` to ``end``; and for drops and entries of
        suppression lists that would, of that time or up to an hour after it or the bounce, which they repeat. Rows
        without a time are False.

    Raises
    ------
    FrameError
        If columns are missing or hold something else than they should.

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> bounces = ba.classify(ba.load(ba.samples() / "exports" / "ses").events)
    >>> int(ba.in_storm(bounces, ba.storms(bounces)).sum())
    12
    """
    windows = schema.STORM_COLUMNS.require(
        windows, ("kind", "provider", "mailbox_provider", "domain", "start", "end")
    )
    with History.open(bounces) as history:
        history.gather(_LOOKED_AT)
        if not len(windows):
            return np.zeros(len(history), np.bool_)
        gather_storm_rows(history, windows)
        return np.concatenate(history.collect(_inside))


def _inside(history: History) -> Flags:
    inside = np.zeros(len(history), np.bool_)
    inside[history.table("FROM in_storm")["row"].to_numpy()] = True
    return inside


def gather_storm_rows(history: History, windows: pd.DataFrame) -> None:
    """Make the table ``in_storm``: the numbers of the rows that lie in one of these storms."""
    _gather_sent(history, _LATE)
    history.mailboxes()
    _gather_groups(history)
    spans = windows[["kind", "provider", "mailbox_provider", "domain"]].astype(schema.STRING).copy()
    for edge in ("start", "end"):
        spans[edge] = windows[edge].dt.tz_convert("UTC").dt.tz_localize(None)
    history.register("storms_found", spans)
    history.run("finding", "in_storm", invalid=INVALID_REASONS, delay=_LIST_DELAY)


def _raised(history: History, late: int) -> pd.DataFrame:
    """Return kind, place, hour and p_value of hours in which more is invalid than usual, and which are a storm."""
    history.finish("finding", "storm_senders", pause=_PAUSE)
    sql = "SELECT provider AS place, * FROM sender_hours WHERE covered ORDER BY place, hour"
    senders = Hours(history.table(sql).to_pandas())
    broken = _everything_bounced(
        senders, lambda suspects: _doubts(history, "everything", senders, suspects, late)
    )
    broken_hours = broken.loc[broken["storm"], ["place", "hour"]].rename(columns={"place": "provider"})
    history.register("broken", broken_hours)
    history.finish("finding", "storm_mailboxes", ordinary=ORDINARY, decay=DECAY, domains=LEAST_DOMAINS)
    sql = "SELECT * FROM mailbox_hours ORDER BY place, hour"
    mailboxes = Hours(history.table(sql).to_pandas())
    refused = _users_unknown(
        mailboxes, lambda suspects: _doubts(history, "unknown_users", mailboxes, suspects, late)
    )
    history.register("refused", refused)
    joined: pd.DataFrame = history.table(read_sql("finding", "storm_joined")).to_pandas()
    return pd.concat([broken, joined], ignore_index=True)


def _doubts(history: History, kind: str, hours: Hours, suspects: Flags, late: int) -> Doubts:
    """Return what speaks against each hour that may be a storm, in the order of the hours."""
    candidates = hours.table.loc[suspects, ["place", "hour"]].assign(kind=kind)
    history.register("candidates", candidates)
    history.finish("finding", "storm_quiet", "quiet", late=late, times=_TIMES, letter=_LETTER, wrong=_WRONG)
    history.count("finding", "storm_doubts", "doubts", engaged=_ENGAGED)
    found = history.table(read_sql("finding", "storm_pooled")).to_pandas()
    found = hours.table[["place", "hour"]].merge(found, how="left", on=["place", "hour"])
    return {name: found[name].fillna(0).to_numpy(np.float64) for name in found.columns[2:]}


def _chance(hits: Floats, tried: Floats, expected: Floats) -> Floats:
    """Return how likely it is that chance alone brings so many hits, or more."""
    from scipy.special import bdtrc  # noqa: PLC0415 - slow to import, and few frames hold a suspicion

    return np.asarray(bdtrc(hits - 1, tried.astype(np.int64), np.clip(expected, 0.0, 1.0)), np.float64)


def _far_above(hits: Floats, tried: Floats, expected: Floats) -> Flags:
    return np.asarray((hits > 0) & (hits >= FAR_ABOVE * expected * tried), np.bool_)


def _everything_bounced(hours: Hours, doubts: Callable[[Flags], Doubts]) -> pd.DataFrame:
    """Return the hours of an ESP in which more bounced than usual, and in which nearly all did, wherever it went.

    Parameters
    ----------
    hours : Hours
    doubts : callable
        Looks closer at the hours that are flagged.

    Returns
    -------
    pandas.DataFrame
        Kind, place, hour, p_value, and whether it is a storm.
    """
    bounced, tried, removals = hours["proven_bounced"], hours["proven"], hours["proven_removals"]
    beside = tried - hours["largest"]
    suspects = (
        (tried >= LEAST_TRIED)
        & (hours["mailboxes"] >= LEAST_MAILBOXES)
        & (removals >= np.maximum(LEAST_PROVEN, LEAST_REMOVALS * bounced))
        & (bounced >= NEARLY_ALL * tried)
        & (beside >= LEAST_BESIDE)
        & (bounced - hours["largest_bounced"] >= NEARLY_ALL * beside)
    )
    usual, number = hours.usual(bounced, tried, suspects)
    expected = np.maximum(usual, ORDINARY_BOUNCED)
    chance = _chance(bounced, tried, expected)
    storm = suspects & (number >= LEAST_COMPARED) & (usual <= MOSTLY_BOUNCES) & (chance < SIGNIFICANCE)
    if storm.any():
        found = doubts(storm)
        sure, sure_tried = bounced - found["late"], tried - found["late"]
        storm &= ((sure_tried >= LEAST_TRIED) & (sure >= NEARLY_ALL * sure_tried)) | _stands_out(
            found["pooled_hits"], found["pooled_tried"], expected
        )
    return hours.flagged("everything", storm, _far_above(bounced, tried, expected), chance)


def _users_unknown(hours: Hours, doubts: Callable[[Flags], Doubts]) -> pd.DataFrame:
    """Return the hours of a mailbox provider in which more are gone than usual, as :func:`_everything_bounced`.

    Only addresses that took mail before are looked at: they go one by one.
    """
    hits, tried = hours["proven_hits"], hours["proven"]
    expected = _expected(hours, hits, tried)
    firm = hours.table["place"].str.startswith("@").to_numpy(np.bool_) & (tried < MOST_OF_FIRM)
    least = np.where(firm, LEAST_SHARE_OF_FIRM, LEAST_SHARE)
    storm = _stands_out(hits, tried, expected) & (hits >= least * tried) & (hours["domains"] > 0)
    if storm.any():
        found = doubts(storm)
        pooled, pooled_tried = found["pooled_hits"], found["pooled_tried"]
        storm &= _stands_out(hits - found["late"], tried - found["late"], expected) | (
            _stands_out(pooled, pooled_tried, expected) & (pooled >= least * pooled_tried)
        )
        storm &= ~_unengaged(hits, tried, found["engaged_struck"], found["engaged"])
    raised = _far_above(hits, tried, expected)
    return hours.flagged("unknown_users", storm, raised, _chance(hits, tried, expected))


def _expected(hours: Hours, hits: Floats, tried: Floats) -> Floats:
    """Return the share of addresses that is expected to be gone in each hour.

    How long they got no mail tells, and how many were gone at this place at other times beside what that told then.
    """
    by_time = share(hours["proven_expected"], tried)
    suspects = _stands_out(hits, tried, by_time)
    usual, number = hours.usual(hits, tried, suspects)
    usual_by_time, _ = hours.usual(hours["proven_expected"], tried, suspects)
    scale = (usual * number + _WEIGHT) / (usual_by_time * number + _WEIGHT)
    pause = np.maximum(by_time - _USUAL_PAUSE * usual_by_time, 0.0)
    expected = np.clip(scale, _LEAST_SCALE, _MOST_SCALE) * (by_time - pause) + pause
    near = np.minimum(hours.near(hits, tried, _NEAR, LEAST_COMPARED), _NEAR_SHARE)
    return np.asarray(np.maximum.reduce([np.full_like(tried, ORDINARY), expected, near]), np.float64)


def _stands_out(hits: Floats, tried: Floats, expected: Floats) -> Flags:
    unlikely = _chance(hits, tried, expected) < SIGNIFICANCE
    return _far_above(hits, tried, expected) & (hits >= LEAST_PROVEN) & unlikely


def _unengaged(hits: Floats, tried: Floats, engaged_hits: Floats, engaged: Floats) -> Flags:
    """Tell where the refused have opened and clicked far less than all: then dead accounts were removed."""
    from scipy.special import bdtr  # noqa: PLC0415 - as above

    usual = share(engaged, tried)
    few = _UNENGAGED * engaged_hits <= usual * hits
    return np.asarray(few & (bdtr(engaged_hits, hits.astype(np.int64), usual) < _UNENGAGED_CHANCE), np.bool_)


def _explained(accounts: pd.DataFrame) -> pd.DataFrame:
    return accounts.assign(explanation=[_sentence(row) for row in rows(accounts)])


def _sentence(row: Any) -> str:
    """Return what happened, in words, and how to learn more."""
    span = f"from {row.start:%Y-%m-%d %H:%M} to {row.end:%Y-%m-%d %H:%M} UTC"
    usual = "" if pd.isna(row.usual_share) else f"; usual is {percent(row.usual_share)}"
    fate = f"{row.accepted_before:,} had taken mail before, {row.recovered:,} did later."
    if not row.retried:
        fate += (
            " None of them was tried again since: to learn more, take a few off the suppression list of the ESP"
            " and write to them."
        )
    if row.kind == "everything":
        return (
            f"{row.addresses:,} of {row.attempts:,} addresses bounced at {esp_title(row.provider)} "
            f"{span}, wherever the mail went{usual}: the relay, the name server or the ESP was at fault; {fate}"
        )
    who = mailbox_title(row.mailbox_provider, row.domain)
    if not pd.isna(row.domains):
        common = f"that answer {who}" if who.startswith('"') else f"with the mail server of {who}"
        who = f"{row.domains:,.0f} domains {common}"
    return f"{who} said of {row.addresses:,} of {row.attempts:,} addresses {span} that they do not exist{usual}; {fate}"

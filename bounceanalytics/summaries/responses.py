"""Summaries by server response: reasons, codes, full mail systems, and actions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bounceanalytics.database import read_sql
from bounceanalytics.schema import SUMMARIES
from bounceanalytics.summaries.measures import COUNTS, REACH, SEEN, counted, messages_of, titled

if TYPE_CHECKING:
    import pandas as pd

    from bounceanalytics.datasets import Frame
    from bounceanalytics.history import History


def summarize_reasons(bounces: Frame | History) -> pd.DataFrame:
    """One row per reason: how often mail did not arrive because of it, and who must act.

    ``share`` is of all bounces; ``dropped`` messages (not tried by the ESP) are counted apart and have no share.
    ``category``, ``fault`` and ``action`` are those of most of its messages.

    Parameters
    ----------
    bounces : pandas.DataFrame, Dataset or path of one
        A classified frame.

    Returns
    -------
    pandas.DataFrame
        Most bounces first.

        ``reason`` (category), ``title`` (string), ``category``, ``fault``, ``action`` (category), ``bounced``,
        ``hard``, ``soft``, ``block``, ``unknown``, ``dropped`` (int64), ``share`` (float64), ``domains``,
        ``addresses`` (int64), ``first_seen``, ``last_seen`` (timestamp, UTC).

    Raises
    ------
    FrameError
        If columns are missing.

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> bounces = ba.classify(ba.load(ba.samples() / "exports" / "ses").events)
    >>> ba.summarize_reasons(bounces)["share"].sum().round(6).item()
    1.0
    """
    with messages_of(bounces) as history:
        tried = "outcome IN ('bounced', 'dropped')"
        order = "bounced DESC, dropped DESC, reason"
        frame = counted(history, ("reason",), COUNTS, REACH, SEEN, where=tried, order=order)
        labels = counted(history, ("reason", "category", "fault", "action"), "count(*) AS n", where=tried)
    most = labels.sort_values(["n", "category", "fault", "action"], ascending=False)
    labels = most.drop_duplicates("reason").drop(columns="n")
    share = frame["bounced"] / frame["bounced"].sum()  # 0 of 0 is missing, not an error
    return SUMMARIES["reasons"].frame(titled(frame.merge(labels, on="reason")).assign(share=share))


def summarize_domain_reasons(bounces: Frame | History) -> pd.DataFrame:
    """One row per domain and reason that occurs: the long form of the heat map.

    Messages that were not tried have no place here.

    Parameters
    ----------
    bounces : pandas.DataFrame, Dataset or path of one
        A classified frame.

    Returns
    -------
    pandas.DataFrame
        Domains with most bounces first, their reasons by count.

        ``domain`` (string), ``reason`` (category), ``title`` (string), ``bounced``, ``hard``, ``soft``, ``block``,
        ``unknown``, ``addresses`` (int64), ``first_seen``, ``last_seen`` (timestamp, UTC).

    Raises
    ------
    FrameError
        If columns are missing.

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> bounces = ba.classify(ba.load(ba.samples() / "exports" / "ses").events)
    >>> ba.summarize_domain_reasons(bounces)["reason"].notna().all().item()
    True
    """
    with messages_of(bounces) as history:
        frame = counted(
            history,
            ("domain", "reason"),
            COUNTS,
            "count(DISTINCT address) AS addresses",
            SEEN,
            where="outcome = 'bounced'",
            order="sum(bounced) OVER (PARTITION BY domain) DESC, domain, bounced DESC, reason",
        )
    return SUMMARIES["domain_reasons"].frame(titled(frame))


def summarize_codes(bounces: Frame | History) -> pd.DataFrame:
    """One row per code class, category, reason and code: what the servers said, and what it was taken for.

    ``code`` is the enhanced status code, else the reply code, else ``none``. One code under several reasons is
    usual: text outranks the code.

    Parameters
    ----------
    bounces : pandas.DataFrame, Dataset or path of one
        A classified frame.

    Returns
    -------
    pandas.DataFrame
        Most bounces first.

        ``code_class``, ``category``, ``reason`` (category), ``code`` (string), ``bounced``, ``hard``, ``soft``,
        ``block``, ``unknown``, ``domains``, ``addresses`` (int64).

    Raises
    ------
    FrameError
        If columns are missing.

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> bounces = ba.classify(ba.load(ba.samples() / "exports" / "ses").events)
    >>> ba.summarize_codes(bounces).columns[3]
    'code'
    """
    with messages_of(bounces) as history:
        frame = counted(
            history,
            ("code_class", "category", "reason", "code"),
            COUNTS,
            REACH,
            where="outcome = 'bounced'",
            order="bounced DESC, code_class, category, reason, code",
        )
    return SUMMARIES["codes"].frame(frame)


def summarize_system_full(bounces: Frame | History) -> pd.DataFrame:
    """One row per domain that answered "mail system full" (5.3.1, 4.3.1 or words to that effect).

    Counts here are messages that met such an answer, deferred ones included. ``recovered`` is True where mail was
    accepted after the last permanent answer (after the last answer where all were transient); ``weeks_out`` runs
    from the first answer to that acceptance, else to the last answer. ``accepted_between`` counts messages accepted
    meanwhile: where it is high, single mailboxes were full rather than the system.

    Parameters
    ----------
    bounces : pandas.DataFrame, Dataset or path of one
        A classified frame.

    Returns
    -------
    pandas.DataFrame
        Not recovered first, then most permanent answers.

        ``domain``, ``mailbox_provider`` (string), ``first_seen``, ``last_seen`` (timestamp, UTC), ``addresses``,
        ``bounces``, ``permanent``, ``transient``, ``accepted_between`` (int64), ``accepted_again``,
        ``last_accepted`` (timestamp, UTC), ``recovered`` (bool), ``weeks_out`` (float64).

    Raises
    ------
    FrameError
        If columns are missing.

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> bounces = ba.classify(ba.load(ba.samples() / "exports" / "ses").events)
    >>> ba.summarize_system_full(bounces).columns[0]
    'domain'
    """
    with messages_of(bounces) as history:
        history.count("summaries", "full_counts", "full_counts")
        history.finish("summaries", "full_domains", "full_domains")
        history.count("summaries", "accepted_counts", "accepted_counts")
        return SUMMARIES["system_full"].frame(history.query(read_sql("summaries", "system_full")))


def summarize_actions(bounces: Frame | History) -> pd.DataFrame:
    """One row per action and party at fault: how many messages and addresses ask for what.

    An address with several failures may stand in several rows. What becomes of an address is decided by a policy
    over all its events, not here.

    Parameters
    ----------
    bounces : pandas.DataFrame, Dataset or path of one
        A classified frame.

    Returns
    -------
    pandas.DataFrame
        Most bounces first.

        ``action``, ``fault`` (category), ``bounced``, ``hard``, ``soft``, ``block``, ``unknown``, ``domains``,
        ``addresses`` (int64).

    Raises
    ------
    FrameError
        If columns are missing.

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> bounces = ba.classify(ba.load(ba.samples() / "exports" / "ses").events)
    >>> ba.summarize_actions(bounces).columns[0]
    'action'
    """
    with messages_of(bounces) as history:
        frame = counted(
            history,
            ("action", "fault"),
            COUNTS,
            REACH,
            where="outcome = 'bounced'",
            order="bounced DESC, action, fault",
        )
    return SUMMARIES["actions"].frame(frame)

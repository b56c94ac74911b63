"""Summaries by destination and origin: domains, mailbox providers, mail servers, tags, sending IPs, ESPs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from bounceanalytics.database import read_sql
from bounceanalytics.history.messages import usual_freq
from bounceanalytics.schema import SUMMARIES
from bounceanalytics.summaries.measures import (
    COUNTS,
    REACH,
    SEEN,
    counted,
    messages_of,
    top_reasons,
    with_rates,
)
from bounceanalytics.summaries.periods import summarize_changes
from bounceanalytics.summaries.registrable import registrable_domains
from bounceanalytics.summaries.statistics import trends

if TYPE_CHECKING:
    import pandas as pd

    from bounceanalytics.datasets import Frame
    from bounceanalytics.history import History


def summarize_domains(bounces: Frame | History) -> pd.DataFrame:
    """One row per domain of the recipients: how much was tried, how much came back, how sure the rate is.

    The interval is the 95% score interval of the hard rate: 1 of 12 and 100 of 1,200 have the same rate, not the
    same weight. ``top_reason`` is the reason of most of its bounces; missing where none bounced. ``trend``, ``spike``
    and ``changed_at`` hold the domain against its own past, see :func:`summarize_changes`.

    Parameters
    ----------
    bounces : pandas.DataFrame, Dataset or path of one
        A classified frame.

    Returns
    -------
    pandas.DataFrame
        Worst first: most hard bounces, then most bounces.

        ``domain``, ``mailbox_provider``, ``registrable_domain`` (string), ``attempted``, ``delivered``,
        ``bounced``, ``hard``, ``soft``, ``block``, ``unknown``, ``dropped``, ``pending``, ``addresses``, ``rated``
        (int64), ``deliveries_known`` (bool), ``bounce_rate``, ``hard_rate``, ``hard_low``, ``hard_high``,
        ``hard_shrunk`` (float64), ``first_seen``, ``last_seen`` (timestamp, UTC), ``top_reason``, ``trend``
        (category), ``spike`` (bool), ``changed_at`` (timestamp, UTC).

    Raises
    ------
    FrameError
        If columns are missing.

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> bounces = ba.classify(ba.load(ba.samples() / "exports" / "ses").events)
    >>> ba.summarize_domains(bounces).columns[0]
    'domain'
    """
    with messages_of(bounces) as history:
        gather_domains(history)
        frame = history.query("FROM domains ORDER BY hard DESC, bounced DESC, attempted DESC, domain")
        found = summarize_changes(history, "domain", usual_freq(history))
    spikes = found.loc[found["kind"] == "spike", "name"]
    lasting = found.loc[(found["kind"] != "spike") & (found["measure"] == "hard"), ["name", "at"]]
    lasting = lasting.rename(columns={"name": "domain", "at": "changed_at"})
    frame = frame.merge(lasting, on="domain", how="left").assign(
        trend=trends(frame.rename(columns={"rated": "n", "rated_hard": "hits"})),
        spike=frame["domain"].isin(spikes),
    )
    return SUMMARIES["domains"].frame(with_rates(frame))


def summarize_registrable_domains(bounces: Frame | History) -> pd.DataFrame:
    """One row per domain as it was registered: subdomains count together.

    ``mail.example.co.uk`` and ``example.co.uk`` are of one owner; the public suffix list knows that ``co.uk`` is not.

    Parameters
    ----------
    bounces : pandas.DataFrame, Dataset or path of one
        A classified frame.

    Returns
    -------
    pandas.DataFrame
        Most hard bounces first.

        ``registrable_domain`` (string), ``attempted``, ``delivered``, ``bounced``, ``hard``, ``soft``, ``block``,
        ``unknown``, ``dropped``, ``pending``, ``domains``, ``addresses``, ``rated`` (int64), ``deliveries_known``
        (bool), ``bounce_rate``, ``hard_rate``, ``hard_low``, ``hard_high``, ``hard_shrunk`` (float64),
        ``first_seen``, ``last_seen`` (timestamp, UTC), ``top_reason`` (category).

    Raises
    ------
    FrameError
        If columns are missing.

    References
    ----------
    https://publicsuffix.org/list/ (as it ships with the package publicsuffixlist)

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> bounces = ba.classify(ba.load(ba.samples() / "exports" / "ses").events)
    >>> ba.summarize_registrable_domains(bounces).columns[0]
    'registrable_domain'
    """
    return _of_domains(bounces, "registrable_domain", "registrable_domains")


def summarize_providers(bounces: Frame | History) -> pd.DataFrame:
    """One row per mailbox provider: rates that tell a bad list from a block by one provider.

    Domains that a provider hosts for others count with it, where a server's name or text gives the provider away.
    ``summarize_mailbox_providers`` is the name to prefer: in the frame, ``provider`` is the ESP.

    Amazon SES reviews an account at a hard bounce rate of 5% and may pause it at 10%; others ask for less.

    Parameters
    ----------
    bounces : pandas.DataFrame, Dataset or path of one
        A classified frame.

    Returns
    -------
    pandas.DataFrame
        Most attempted first.

        ``mailbox_provider`` (string), ``attempted``, ``delivered``, ``bounced``, ``hard``, ``soft``, ``block``,
        ``unknown``, ``dropped``, ``pending``, ``domains``, ``addresses``, ``rated`` (int64), ``deliveries_known``
        (bool), ``bounce_rate``, ``hard_rate``, ``hard_low``, ``hard_high`` (float64), ``first_seen``, ``last_seen``
        (timestamp, UTC), ``top_reason`` (category).

    Raises
    ------
    FrameError
        If columns are missing.

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> bounces = ba.classify(ba.load(ba.samples() / "exports" / "ses").events)
    >>> ba.summarize_mailbox_providers(bounces).columns[0]
    'mailbox_provider'
    """
    return _of_domains(bounces, "mailbox_provider", "providers")


def summarize_hosts(bounces: Frame | History) -> pd.DataFrame:
    """One row per receiving mail server, to tell which servers are full or refuse mail, whatever domains they serve.

    Messages whose server no event names have no row: many bounces never reached one, and some ESPs name none. Rates are
    over the messages of ESPs that name the servers of deliveries too.

    Parameters
    ----------
    bounces : pandas.DataFrame, Dataset or path of one
        A classified frame.

    Returns
    -------
    pandas.DataFrame
        Worst first: most answers that the mail system is full, then most hard bounces.

        ``remote_host``, ``registrable_domain`` (string), ``attempted``, ``delivered``, ``bounced``, ``hard``,
        ``soft``, ``block``, ``unknown``, ``dropped``, ``pending``, ``system_full``, ``domains``, ``addresses``,
        ``rated`` (int64), ``deliveries_known`` (bool), ``bounce_rate``, ``hard_rate``, ``hard_low``, ``hard_high``
        (float64), ``first_seen``, ``last_seen`` (timestamp, UTC), ``top_reason`` (category).

        ``registrable_domain`` is that of the server, by which those of one operator belong together; a server known
        by its address alone has the address there too.

    Raises
    ------
    FrameError
        If columns are missing.

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> bounces = ba.classify(ba.load(ba.samples() / "exports" / "ses").events)
    >>> ba.summarize_hosts(bounces).columns[:2].tolist()
    ['remote_host', 'registrable_domain']
    """
    with messages_of(bounces) as history:
        # where an ESP names the servers of bounces only, every rate would be 100%
        history.count_of(
            "naming",
            "SELECT DISTINCT provider::VARCHAR AS provider FROM sends"
            " WHERE outcome = 'delivered' AND remote_host IS NOT NULL",
        )
        naming = history.table("SELECT DISTINCT provider FROM naming")["provider"].to_pylist()
        frame = counted(
            history,
            ("remote_host",),
            "counts(outcome, bounce_type, rated AND coalesce(provider::VARCHAR IN $naming, false))",
            "count(*) FILTER (reason = 'system_full' AND outcome IN ('bounced', 'pending')) AS system_full",
            REACH,
            SEEN,
            where="remote_host IS NOT NULL",
            order="system_full DESC, hard DESC, bounced DESC, attempted DESC, remote_host",
            naming=naming,
        )
        top = top_reasons(history, "remote_host")
    frame["registrable_domain"] = registrable_domains(frame["remote_host"])
    return SUMMARIES["hosts"].frame(with_rates(frame.merge(top, on="remote_host", how="left")))


def summarize_tags(bounces: Frame | History) -> pd.DataFrame:
    """One row per tag, category or campaign, in the ESP's sense, to tell which mailing went wrong.

    A message with two tags counts in both rows, so that the rows do not add up to all; ``(none)`` stands for no tag.

    Parameters
    ----------
    bounces : pandas.DataFrame, Dataset or path of one
        A classified frame.

    Returns
    -------
    pandas.DataFrame
        Most attempted first.

        ``tag`` (string), ``attempted``, ``delivered``, ``bounced``, ``hard``, ``soft``, ``block``, ``unknown``,
        ``dropped``, ``pending``, ``domains``, ``addresses``, ``rated`` (int64), ``deliveries_known`` (bool),
        ``bounce_rate``, ``hard_rate``, ``hard_low``, ``hard_high`` (float64), ``first_seen``, ``last_seen``
        (timestamp, UTC), ``top_reason`` (category).

    Raises
    ------
    FrameError
        If columns are missing.

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> bounces = ba.classify(ba.load(ba.samples() / "exports" / "ses").events)
    >>> ba.summarize_tags(bounces).columns[0]
    'tag'
    """
    return _group_rates(bounces, "tag", "tags", source="tagged")


def summarize_sending_ips(bounces: Frame | History) -> pd.DataFrame:
    """One row per address that mail left from, to tell whether one of them is blocked.

    Many events do not say; where one event of a message does, it holds for the message. ``(none)`` stands for unknown.

    Parameters
    ----------
    bounces : pandas.DataFrame, Dataset or path of one
        A classified frame.

    Returns
    -------
    pandas.DataFrame
        Most attempted first.

        ``sending_ip`` (string), ``attempted``, ``delivered``, ``bounced``, ``hard``, ``soft``, ``block``,
        ``unknown``, ``dropped``, ``pending``, ``domains``, ``addresses``, ``rated`` (int64), ``deliveries_known``
        (bool), ``bounce_rate``, ``hard_rate``, ``hard_low``, ``hard_high`` (float64), ``first_seen``, ``last_seen``
        (timestamp, UTC), ``top_reason`` (category).

    Raises
    ------
    FrameError
        If columns are missing.

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> bounces = ba.classify(ba.load(ba.samples() / "exports" / "ses").events)
    >>> ba.summarize_sending_ips(bounces).columns[0]
    'sending_ip'
    """
    return _group_rates(bounces, "sending_ip", "sending_ips", source="sends")


def summarize_esps(bounces: Frame | History) -> pd.DataFrame:
    """One row per ESP: how much its exports hold, and whether they hold deliveries.

    ``events`` counts sending events. An export without deliveries has no rates; do not mix it into those of others.

    Amazon SES keeps a list for all its customers (bounce subtype ``Suppressed``). It does not try these addresses, and
    still takes each such message for a bounce of the account; ``account_rate`` is the rate with them.

    Parameters
    ----------
    bounces : pandas.DataFrame, Dataset or path of one
        A classified frame.

    Returns
    -------
    pandas.DataFrame
        Most attempted first.

        ``provider`` (category), ``events``, ``attempted``, ``delivered``, ``bounced``, ``hard``, ``soft``,
        ``block``, ``unknown``, ``dropped``, ``pending``, ``domains``, ``addresses``, ``rated`` (int64),
        ``deliveries_known`` (bool), ``bounce_rate``, ``hard_rate``, ``hard_low``, ``hard_high`` (float64),
        ``counted`` (int64), ``account_rate`` (float64), ``first_seen``, ``last_seen`` (timestamp, UTC).

    Raises
    ------
    FrameError
        If columns are missing.

    References
    ----------
    https://docs.aws.amazon.com/ses/latest/dg/sending-email-global-suppression-list.html

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> bounces = ba.classify(ba.load(ba.samples() / "exports" / "ses").events)
    >>> ba.summarize_esps(bounces).columns[0]
    'provider'
    """
    with messages_of(bounces) as history:
        events = counted(history, ("provider",), "count(*) AS events", source="sending", where="NOT listed")
        frame = counted(
            history,
            ("provider",),
            COUNTS,
            REACH,
            SEEN,
            "count(*) FILTER (counted) AS counted",
            order="attempted DESC, provider",
        )
    frame = frame.merge(events, on="provider", how="left").fillna({"events": 0})
    account_rate = (frame["rated_hard"] + frame["counted"]) / (frame["rated"] + frame["counted"])
    return SUMMARIES["esps"].frame(
        with_rates(frame).assign(account_rate=account_rate.where(frame["rated"] > 0))
    )


#: The name to prefer: in the frame, ``provider`` is the ESP.
summarize_mailbox_providers = summarize_providers


def gather_domains(history: History) -> None:
    """Make the tables of ``domains.sql``: the sums of each domain."""

    def make() -> None:
        names = history.table("SELECT domain FROM mailboxes")["domain"].cast(pa.string())
        registered = registrable_domains(names.to_pylist())
        history.count("summaries", "domain_counts", "domain_counts", "domain_reasons")
        history.database.register(
            "registrable", pa.table({"domain": names, "registrable_domain": registered})
        )
        history.finish("summaries", "domains")

    history.once("domains", make)


def _of_domains(bounces: Frame | History, by: str, summary: str) -> pd.DataFrame:
    with messages_of(bounces) as history:
        gather_domains(history)
        frame = history.query(read_sql("summaries", "domain_groups"), by=by)
    return SUMMARIES[summary].frame(with_rates(frame.rename(columns={"name": by})))


def _group_rates(bounces: Frame | History, by: str, summary: str, *, source: str) -> pd.DataFrame:
    with messages_of(bounces) as history:
        frame = counted(history, (by,), COUNTS, REACH, SEEN, source=source, order=f"attempted DESC, {by}")
        top = top_reasons(history, by, source)
    return SUMMARIES[summary].frame(with_rates(frame.merge(top, on=by, how="left")))

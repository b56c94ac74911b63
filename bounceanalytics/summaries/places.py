"""Summaries by destination and origin: domains, mailbox providers, tags, sending IPs, ESPs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bounceanalytics.history.messages import Messages
from bounceanalytics.summaries import queries

if TYPE_CHECKING:
    import pandas as pd

    from bounceanalytics.datasets import Frame


def summarize_domains(bounces: Frame) -> pd.DataFrame:
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
    with Messages(bounces) as messages:
        return queries.domains(messages)


def summarize_registrable_domains(bounces: Frame) -> pd.DataFrame:
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
    with Messages(bounces) as messages:
        return queries.registrable(messages)


def summarize_providers(bounces: Frame) -> pd.DataFrame:
    """One row per mailbox provider: rates that tell a bad list from a block by one provider.

    Domains that a provider hosts for others count with it, where a server's name or text gives the provider away.

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
    >>> ba.summarize_providers(bounces).columns[0]
    'mailbox_provider'
    """
    with Messages(bounces) as messages:
        return queries.providers(messages)


def summarize_tags(bounces: Frame) -> pd.DataFrame:
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
    with Messages(bounces) as messages:
        return queries.tags(messages)


def summarize_sending_ips(bounces: Frame) -> pd.DataFrame:
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
    with Messages(bounces) as messages:
        return queries.sending_ips(messages)


def summarize_esps(bounces: Frame) -> pd.DataFrame:
    """One row per ESP: how much its exports hold, and whether they hold deliveries.

    ``events`` counts sending events. An export without deliveries has no rates; do not mix it into those of others.

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
        ``first_seen``, ``last_seen`` (timestamp, UTC).

    Raises
    ------
    FrameError
        If columns are missing.

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> from bounceanalytics.summaries import summarize_esps
    >>> bounces = ba.classify(ba.load(ba.samples() / "exports" / "ses").events)
    >>> summarize_esps(bounces).columns[0]
    'provider'
    """
    with Messages(bounces) as messages:
        return queries.esps(messages)

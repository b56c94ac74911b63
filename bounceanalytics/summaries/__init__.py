"""Classified frame in, small tidy frames out: by domain, reason, mailbox provider, day or week, and code.

**What is counted.** A *message* is one recipient and one ``message_id`` (the ``event_id`` where there is none, else
the row itself). It counts once, however many events an ESP sent about it:

* its last ``delivered`` or ``bounced`` event decides (at the same time a bounce outranks; events without a time come
  before all others), so a late bounce takes a delivery back and a delivery settles an earlier soft bounce; an
  automatic reply (reason ``challenge``) does not take a delivery back, for the mail has arrived;
* without either it is ``dropped`` when the ESP says that it did not try (events ``dropped`` and ``rejected``, and
  bounces that the classifier calls ``suppressed``);
* with nothing but ``deferred`` events it is ``pending``: no failure of its own. A deferral that no ``message_id``
  or ``event_id`` ties to a message is not counted.

Where an ESP reports a late bounce without the ``message_id`` of its delivery, the two count as two messages.

Entries of suppression lists (``suppressed``), complaints, opens, clicks and ``other`` are not sending events and
count nowhere. ``attempted = delivered + bounced`` and ``bounced = hard + soft + block + unknown``.

**Rates** are shares (0-1) of the attempted messages. Many exports hold failures only, and every rate would then read
100%. A message therefore counts for rates (``rated``) only where the exports of its ESP hold the deliveries of that
time: from five days before the first to five days after the last one. Where ``rated`` is 0, ``deliveries_known`` is
False and the rates are missing. A domain where all mail bounced has a rate of 100% if its ESP tells of deliveries
elsewhere.

**Few messages** make wild rates. ``hard_low`` and ``hard_high`` are the 95% score interval, and ``hard_shrunk`` is the
rate drawn towards that of all messages, the more the fewer there are: an order by it does not begin with 2 of 2.

**Mailbox provider.** A bounce often names the provider where a delivery does not (the host is only in the bounce), so
each domain has one: the one that most of its events name, ``other`` where none does.

Times are UTC. Rows come worst first, ties by name. No function changes its argument; all accept empty frames and
raise :class:`~bounceanalytics.errors.FrameError` when columns of a classified frame are missing.
:data:`MEANINGS` describes every column.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bounceanalytics.summaries import queries
from bounceanalytics.summaries.columns import COLUMNS, MEANINGS, SENDING_EVENTS, dtype
from bounceanalytics.summaries.messages import Messages

if TYPE_CHECKING:
    import pandas as pd

    from bounceanalytics.datasets import Frame
    from bounceanalytics.summaries.messages import Freq

__all__ = [
    "COLUMNS",
    "MEANINGS",
    "SENDING_EVENTS",
    "Summaries",
    "dtype",
    "summarize",
    "summarize_actions",
    "summarize_changes",
    "summarize_codes",
    "summarize_days",
    "summarize_domain_days",
    "summarize_domain_reasons",
    "summarize_domains",
    "summarize_esps",
    "summarize_providers",
    "summarize_reasons",
    "summarize_registrable_domains",
    "summarize_sending_ips",
    "summarize_system_full",
    "summarize_tags",
]


@dataclass(frozen=True, slots=True)
class Summaries:
    """Every summary of one frame.

    Attributes
    ----------
    domains, registrable_domains, reasons, providers, tags, sending_ips, days, domain_days, domain_reasons, codes, \
system_full, changes, esps, actions : pandas.DataFrame
        What the function ``summarize_<name>`` returns; ``changes`` are those of domains.
    provider_changes : pandas.DataFrame
        Those of mailbox providers.
    """

    domains: pd.DataFrame
    registrable_domains: pd.DataFrame
    reasons: pd.DataFrame
    providers: pd.DataFrame
    tags: pd.DataFrame
    sending_ips: pd.DataFrame
    days: pd.DataFrame
    domain_days: pd.DataFrame
    domain_reasons: pd.DataFrame
    codes: pd.DataFrame
    system_full: pd.DataFrame
    esps: pd.DataFrame
    actions: pd.DataFrame
    changes: pd.DataFrame
    provider_changes: pd.DataFrame


def summarize(bounces: Frame, *, freq: Freq | None = None, timezone: str = "UTC") -> Summaries:
    """Return every summary; the messages are put together once, which is most of the work.

    Parameters
    ----------
    bounces : pandas.DataFrame, Dataset or path of one
        A classified frame.
    freq : {'D', 'W'} or None, default None
        Of days and changes; None for days if the messages span at most 35 of them, else weeks.
    timezone : str, default 'UTC'
        Of :attr:`Summaries.days` and :attr:`Summaries.domain_days`.

    Returns
    -------
    Summaries

    Raises
    ------
    FrameError
        If columns are missing, or ``freq`` or ``timezone`` is unknown.

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> from bounceanalytics.summaries import summarize
    >>> bounces = ba.classify(ba.load(ba.samples() / "exports" / "ses").events)
    >>> summarize(bounces).domains.equals(ba.summarize_domains(bounces))
    True
    """
    with Messages(bounces) as messages:
        freq = freq or messages.usual_freq()
        return Summaries(
            domains=queries.domains(messages),
            registrable_domains=queries.registrable(messages),
            reasons=queries.reasons(messages),
            providers=queries.providers(messages),
            tags=queries.tags(messages),
            sending_ips=queries.sending_ips(messages),
            days=queries.days(messages, freq, timezone),
            domain_days=queries.domain_days(messages, 50, freq, timezone),
            domain_reasons=queries.domain_reasons(messages),
            codes=queries.codes(messages),
            system_full=queries.system_full(messages),
            esps=queries.esps(messages),
            actions=queries.actions(messages),
            changes=queries.changes(messages, "domain", freq),
            provider_changes=queries.changes(messages, "mailbox_provider", freq),
        )


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
        Worst first: most hard bounces, then most bounces: ``domain``, ``mailbox_provider``, ``registrable_domain``,
        ``attempted``, ``delivered``, ``bounced``, ``hard``, ``soft``, ``block``, ``unknown``, ``dropped``, ``pending``,
        ``addresses``, ``rated``, ``deliveries_known``, ``bounce_rate``, ``hard_rate``, ``hard_low``, ``hard_high``,
        ``hard_shrunk``, ``first_seen``, ``last_seen``, ``top_reason``, ``trend`` (rising, steady, falling), ``spike``
        (bool), ``changed_at`` (UTC).

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
        Most hard bounces first: ``registrable_domain``, ``attempted``, ``delivered``, ``bounced``, ``hard``,
        ``soft``, ``block``, ``unknown``, ``dropped``, ``pending``, ``domains``, ``addresses``, ``rated``,
        ``deliveries_known``, ``bounce_rate``, ``hard_rate``, ``hard_low``, ``hard_high``, ``hard_shrunk``,
        ``first_seen``, ``last_seen``, ``top_reason``.

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


def summarize_reasons(bounces: Frame) -> pd.DataFrame:
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
        Most bounces first: ``reason``, ``title``, ``category``, ``fault``, ``action``, ``bounced``, ``hard``,
        ``soft``, ``block``, ``unknown``, ``dropped``, ``share``, ``domains``, ``addresses``, ``first_seen``,
        ``last_seen``.

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
    with Messages(bounces) as messages:
        return queries.reasons(messages)


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
        Most attempted first: ``mailbox_provider``, ``attempted``, ``delivered``, ``bounced``, ``hard``,
        ``soft``, ``block``, ``unknown``, ``dropped``, ``pending``, ``domains``, ``addresses``, ``rated``,
        ``deliveries_known``, ``bounce_rate``, ``hard_rate``, ``hard_low``, ``hard_high``, ``first_seen``,
        ``last_seen``, ``top_reason``.

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
        Most attempted first: ``tag``, ``attempted``, ``delivered``, ``bounced``, ``hard``,
        ``soft``, ``block``, ``unknown``, ``dropped``, ``pending``, ``domains``, ``addresses``, ``rated``,
        ``deliveries_known``, ``bounce_rate``, ``hard_rate``, ``hard_low``, ``hard_high``, ``first_seen``,
        ``last_seen``, ``top_reason``.

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
        Most attempted first: ``sending_ip``, ``attempted``, ``delivered``, ``bounced``, ``hard``,
        ``soft``, ``block``, ``unknown``, ``dropped``, ``pending``, ``domains``, ``addresses``, ``rated``,
        ``deliveries_known``, ``bounce_rate``, ``hard_rate``, ``hard_low``, ``hard_high``, ``first_seen``,
        ``last_seen``, ``top_reason``.

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


def summarize_days(bounces: Frame, freq: Freq = "D", timezone: str = "UTC") -> pd.DataFrame:
    """One row per day or week in which something was sent.

    A message counts on the day of the event that decided about it. Periods in which nothing was sent have no row;
    messages without a time are the last row, with a missing ``period``.

    Parameters
    ----------
    bounces : pandas.DataFrame, Dataset or path of one
        A classified frame.
    freq : {'D', 'W'}, default 'D'
        Days, or weeks that begin on Monday.
    timezone : str, default 'UTC'
        IANA name of the zone whose midnight begins a day.

    Returns
    -------
    pandas.DataFrame
        In order of time: ``period``, ``attempted``, ``delivered``, ``bounced``, ``hard``, ``soft``, ``block``,
        ``unknown``, ``dropped``, ``pending``, ``rated``, ``deliveries_known``, ``bounce_rate``, ``hard_rate``,
        ``hard_low``, ``hard_high``.
        ``period`` is the start, ``datetime64[us, <timezone>]``.

    Raises
    ------
    FrameError
        If columns are missing, or ``freq`` or ``timezone`` is unknown.

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> bounces = ba.classify(ba.load(ba.samples() / "exports" / "ses").events)
    >>> ba.summarize_days(bounces, "W", timezone="Europe/Berlin").columns[0]
    'period'
    """
    with Messages(bounces) as messages:
        return queries.days(messages, freq, timezone)


def summarize_domain_days(
    bounces: Frame, freq: Freq = "W", timezone: str = "UTC", *, top: int | None = 50
) -> pd.DataFrame:
    """One row per domain and day or week in which something was sent to it.

    Periods in which nothing was sent to a domain have no row. Otherwise as :func:`summarize_days`.

    Parameters
    ----------
    bounces : pandas.DataFrame, Dataset or path of one
        A classified frame.
    freq : {'D', 'W'}, default 'W'
        Days, or weeks that begin on Monday.
    timezone : str, default 'UTC'
        IANA name of the zone whose midnight begins a day.
    top : int or None, default 50
        So many domains, those with the most bounces; None for all.

    Returns
    -------
    pandas.DataFrame
        Domains with most bounces first, each in order of time: ``domain``, ``period``, ``attempted``, ``delivered``,
        ``bounced``, ``hard``, ``soft``, ``block``, ``unknown``, ``dropped``, ``pending``, ``rated``,
        ``deliveries_known``, ``bounce_rate``, ``hard_rate``, ``hard_low``, ``hard_high``.
        ``period`` is the start, ``datetime64[us, <timezone>]``.

    Raises
    ------
    FrameError
        If columns are missing, or ``freq`` or ``timezone`` is unknown.

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> bounces = ba.classify(ba.load(ba.samples() / "exports" / "ses").events)
    >>> ba.summarize_domain_days(bounces).columns[:2].tolist()
    ['domain', 'period']
    """
    with Messages(bounces) as messages:
        return queries.domain_days(messages, top, freq, timezone)


def summarize_changes(bounces: Frame, by: str = "domain", freq: Freq = "W") -> pd.DataFrame:
    """One row per domain or mailbox provider whose rate of hard bounces or blocks became another, by its own past.

    A ``spike`` is a last period far above all before it; a ``rise`` or ``fall`` has held since ``at``. Small changes
    (less than twofold, or than one percentage point) do not count, nor do those that chance may have made; without
    deliveries in the exports there are no rates, and so no changes.

    Parameters
    ----------
    bounces : pandas.DataFrame, Dataset or path of one
        A classified frame.
    by : {'domain', 'mailbox_provider'}, default 'domain'
        Whose rates.
    freq : {'D', 'W'}, default 'W'
        Days, or weeks that begin on Monday; UTC.

    Returns
    -------
    pandas.DataFrame
        Those with the most bounces more or less than before first: ``name``, ``mailbox_provider``, ``measure`` (hard,
        block), ``kind`` (spike, rise, fall), ``at``, ``attempted_before``, ``failed_before``, ``rate_before``,
        ``attempted_after``, ``failed_after``, ``rate_after``, ``p_value``.

    Raises
    ------
    FrameError
        If columns are missing, or ``by`` or ``freq`` is unknown.

    References
    ----------
    K. J. Worsley, The power of likelihood ratio and cumulative sum tests for a change in a binomial probability,
    Biometrika 70 (1983) 455-464.

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> bounces = ba.classify(ba.load(ba.samples() / "exports").events)
    >>> ba.summarize_changes(bounces, by="mailbox_provider")["kind"].cat.categories.tolist()
    ['spike', 'rise', 'fall']
    """
    with Messages(bounces) as messages:
        return queries.changes(messages, by, freq)


def summarize_domain_reasons(bounces: Frame) -> pd.DataFrame:
    """One row per domain and reason that occurs: the long form of the heat map.

    Messages that were not tried have no place here.

    Parameters
    ----------
    bounces : pandas.DataFrame, Dataset or path of one
        A classified frame.

    Returns
    -------
    pandas.DataFrame
        Domains with most bounces first, their reasons by count: ``domain``, ``reason``, ``title``, ``bounced``,
        ``hard``, ``soft``, ``block``, ``unknown``, ``addresses``, ``first_seen``, ``last_seen``.

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
    with Messages(bounces) as messages:
        return queries.domain_reasons(messages)


def summarize_codes(bounces: Frame) -> pd.DataFrame:
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
        Most bounces first: ``code_class``, ``category``, ``reason``, ``code``, ``bounced``, ``hard``, ``soft``,
        ``block``, ``unknown``, ``domains``, ``addresses``.

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
    with Messages(bounces) as messages:
        return queries.codes(messages)


def summarize_system_full(bounces: Frame) -> pd.DataFrame:
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
        Not recovered first, then most permanent answers: ``domain``, ``mailbox_provider``, ``first_seen``,
        ``last_seen``, ``addresses``, ``bounces``, ``permanent``, ``transient``, ``accepted_between``,
        ``accepted_again``, ``last_accepted``, ``recovered``, ``weeks_out``.

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
    with Messages(bounces) as messages:
        return queries.system_full(messages)


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
        Most attempted first: ``provider``, ``events``, ``attempted``, ``delivered``, ``bounced``, ``hard``,
        ``soft``, ``block``, ``unknown``, ``dropped``, ``pending``, ``domains``, ``addresses``, ``rated``,
        ``deliveries_known``, ``bounce_rate``, ``hard_rate``, ``hard_low``, ``hard_high``, ``first_seen``,
        ``last_seen``.

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


def summarize_actions(bounces: Frame) -> pd.DataFrame:
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
        Most bounces first: ``action``, ``fault``, ``bounced``, ``hard``, ``soft``, ``block``, ``unknown``,
        ``domains``, ``addresses``.

    Raises
    ------
    FrameError
        If columns are missing.

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> from bounceanalytics.summaries import summarize_actions
    >>> bounces = ba.classify(ba.load(ba.samples() / "exports" / "ses").events)
    >>> summarize_actions(bounces).columns[0]
    'action'
    """
    with Messages(bounces) as messages:
        return queries.actions(messages)

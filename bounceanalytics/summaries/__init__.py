"""Classified frame in, small tidy frames out: by domain, reason, mailbox provider, mail server, time, and code.

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

``attempted = delivered + bounced`` and ``bounced = hard + soft + block + unknown``.

**Lists of bounces.** An entry of a suppression list (``suppressed``) is no sending event. Where it tells of a bounce,
by the answer that it keeps or because the ESP calls its list so, it counts as a bounced message without a rate: once
for an address, and not where a bounce of that address is in the history, nor where it is older than the events of its
ESP. An entry without an answer is ``hard`` if its address is to be removed. Other entries, complaints, opens, clicks
and ``other`` count nowhere.

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
:data:`bounceanalytics.schema.SUMMARIES` describes every column.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bounceanalytics.history.messages import usual_freq
from bounceanalytics.schema import SENDING_EVENTS
from bounceanalytics.summaries.measures import messages_of
from bounceanalytics.summaries.periods import (
    summarize_changes,
    summarize_days,
    summarize_domain_days,
)
from bounceanalytics.summaries.places import (
    summarize_domains,
    summarize_esps,
    summarize_hosts,
    summarize_mailbox_providers,
    summarize_providers,
    summarize_registrable_domains,
    summarize_sending_ips,
    summarize_tags,
)
from bounceanalytics.summaries.responses import (
    summarize_actions,
    summarize_codes,
    summarize_domain_reasons,
    summarize_reasons,
    summarize_system_full,
)

if TYPE_CHECKING:
    import pandas as pd

    from bounceanalytics.datasets import Frame
    from bounceanalytics.history import History
    from bounceanalytics.history.messages import Freq

__all__ = [
    "SENDING_EVENTS",
    "Summaries",
    "summarize",
    "summarize_actions",
    "summarize_changes",
    "summarize_codes",
    "summarize_days",
    "summarize_domain_days",
    "summarize_domain_reasons",
    "summarize_domains",
    "summarize_esps",
    "summarize_hosts",
    "summarize_mailbox_providers",
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
    domains, registrable_domains, reasons, providers, tags, sending_ips, hosts, days, domain_days, domain_reasons, \
codes, system_full, changes, esps, actions : pandas.DataFrame
        What the function ``summarize_<name>`` returns; ``changes`` are those of domains.
    provider_changes : pandas.DataFrame
        Those of mailbox providers.

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> every = ba.summarize(ba.classify(ba.load(ba.samples() / "exports" / "ses").events))
    >>> isinstance(every, ba.Summaries), every.esps["provider"].tolist()
    (True, ['ses'])
    """

    domains: pd.DataFrame
    registrable_domains: pd.DataFrame
    reasons: pd.DataFrame
    providers: pd.DataFrame
    tags: pd.DataFrame
    sending_ips: pd.DataFrame
    hosts: pd.DataFrame
    days: pd.DataFrame
    domain_days: pd.DataFrame
    domain_reasons: pd.DataFrame
    codes: pd.DataFrame
    system_full: pd.DataFrame
    esps: pd.DataFrame
    actions: pd.DataFrame
    changes: pd.DataFrame
    provider_changes: pd.DataFrame


def summarize(bounces: Frame | History, *, freq: Freq | None = None, timezone: str = "UTC") -> Summaries:
    """Return every summary; the messages are put together once, which is most of the work.

    Parameters
    ----------
    bounces : pandas.DataFrame, Dataset or path of one
        A classified frame.
    freq : {'D', 'W', 'M'} or None, default None
        Of days and changes; None for days if the messages span at most 35 of them, for weeks if they span at most two
        years, else months.
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
    >>> bounces = ba.classify(ba.load(ba.samples() / "exports" / "ses").events)
    >>> ba.summarize(bounces).domains.equals(ba.summarize_domains(bounces))
    True
    """
    with messages_of(bounces) as history:
        freq = freq or usual_freq(history)
        return Summaries(
            domains=summarize_domains(history),
            registrable_domains=summarize_registrable_domains(history),
            reasons=summarize_reasons(history),
            providers=summarize_mailbox_providers(history),
            tags=summarize_tags(history),
            sending_ips=summarize_sending_ips(history),
            hosts=summarize_hosts(history),
            days=summarize_days(history, freq, timezone),
            domain_days=summarize_domain_days(history, freq, timezone),
            domain_reasons=summarize_domain_reasons(history),
            codes=summarize_codes(history),
            system_full=summarize_system_full(history),
            esps=summarize_esps(history),
            actions=summarize_actions(history),
            changes=summarize_changes(history, "domain", freq),
            provider_changes=summarize_changes(history, "mailbox_provider", freq),
        )

"""Charts: a summary in, a plotly figure out; :func:`save` makes image files of them.

Each draws the summary of its name: ``charts.domains(ba.summarize_domains(bounces))``,
``charts.days(ba.summarize_days(bounces))`` and so on. ``mailbox_providers`` draws that of
:func:`bounceanalytics.summarize_providers`; ``storms``, ``unclassified`` and ``recovery_curves`` draw what the
functions of these names return, ``policies`` what :func:`bounceanalytics.compare_policies` does, ``domain_states`` and
``domain_recovery`` the history and the curves of a :class:`bounceanalytics.Monitor`. The former names
``bounce_types`` (now ``days``), ``domain_trends`` (``domain_days``), ``providers`` (``mailbox_providers``) and
``recovery`` (``recovery_curves``) go on working.

Charts neither group nor filter, show nor save. They draw the first rows of a summary, which are the worst. The same
colour always means the same bounce type or the same party at fault; every hover text is a sentence; axes begin at zero.
An empty summary gives a figure that says so in words.

All take the same options, and raise :class:`bounceanalytics.FrameError` if the summary lacks columns or there is no
such theme:

top : int
    How many rows to draw at most; the subtitle says how many there are.
theme : {'light', 'dark'}, default 'light'
compact : bool, default False
    Labels short enough for a phone.
"""

from __future__ import annotations

from bounceanalytics.charts.bars import actions, domains, reasons
from bounceanalytics.charts.changes import changes
from bounceanalytics.charts.codes import codes
from bounceanalytics.charts.full import system_full
from bounceanalytics.charts.heat import domain_reasons
from bounceanalytics.charts.images import save
from bounceanalytics.charts.policies import policies
from bounceanalytics.charts.rates import (
    esps,
    hosts,
    mailbox_providers,
    registrable_domains,
    sending_ips,
    tags,
)
from bounceanalytics.charts.recovery import domain_recovery, recovery_curves
from bounceanalytics.charts.states import domain_states
from bounceanalytics.charts.storms import storms
from bounceanalytics.charts.texts import unclassified
from bounceanalytics.charts.theme import template
from bounceanalytics.charts.times import days
from bounceanalytics.charts.trends import domain_days

#: Names that were there before each chart had the name of its summary.
bounce_types = days
domain_trends = domain_days
providers = mailbox_providers
recovery = recovery_curves

__all__ = [
    "actions",
    "bounce_types",
    "changes",
    "codes",
    "days",
    "domain_days",
    "domain_reasons",
    "domain_recovery",
    "domain_states",
    "domain_trends",
    "domains",
    "esps",
    "hosts",
    "mailbox_providers",
    "policies",
    "providers",
    "reasons",
    "recovery",
    "recovery_curves",
    "registrable_domains",
    "save",
    "sending_ips",
    "storms",
    "system_full",
    "tags",
    "template",
    "unclassified",
]

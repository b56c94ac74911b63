"""Summary in, plotly figure out: charts neither group nor filter, show or save; :func:`save` makes image files of them.

Each takes the summary named in its docstring and draws its first rows, which are the worst. The same colour always
means the same bounce type or the same party at fault; every hover text is a sentence; axes begin at zero. ``theme``
is 'light' or 'dark'; ``compact`` makes labels short enough for a phone. An empty summary gives a figure that says so
in words.
"""

from __future__ import annotations

from bounceanalytics.charts.bars import domains, reasons
from bounceanalytics.charts.changes import changes
from bounceanalytics.charts.codes import codes
from bounceanalytics.charts.full import system_full
from bounceanalytics.charts.heat import domain_reasons
from bounceanalytics.charts.images import save
from bounceanalytics.charts.policies import policies
from bounceanalytics.charts.rates import providers, registrable_domains, sending_ips, tags
from bounceanalytics.charts.recovery import recovery
from bounceanalytics.charts.storms import storms
from bounceanalytics.charts.texts import unclassified
from bounceanalytics.charts.theme import template
from bounceanalytics.charts.times import bounce_types
from bounceanalytics.charts.trends import domain_trends

__all__ = [
    "bounce_types",
    "changes",
    "codes",
    "domain_reasons",
    "domain_trends",
    "domains",
    "policies",
    "providers",
    "reasons",
    "recovery",
    "registrable_domains",
    "save",
    "sending_ips",
    "storms",
    "system_full",
    "tags",
    "template",
    "unclassified",
]

"""The report of a monitor as a page: how domains are, since when, and how soon they recover."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bounceanalytics import charts
from bounceanalytics.privacy import to_share, without_ips
from bounceanalytics.report.packing import packed_data, plotly_script, script_hash
from bounceanalytics.report.page import asset, drawn_chart, environment, versions
from bounceanalytics.schema import TROUBLES
from bounceanalytics.wording import STATES, count, days, number

if TYPE_CHECKING:
    import pandas as pd

    from bounceanalytics.domains import Monitor

#: Domains in the table.
MOST_DOMAINS = 2_000


def domains_page(monitor: Monitor, title: str = "Which domains take mail") -> str:
    """Return the report of a monitor as one HTML page, without an address.

    Parameters
    ----------
    monitor : Monitor
    title : str

    Examples
    --------
    >>> from bounceanalytics.domains import Monitor
    >>> with Monitor(":memory:") as monitor:
    ...     page = domains_page(monitor)
    >>> "No domain is watched yet" in page
    True
    """
    states, history, back = monitor.states(), monitor.history(), monitor.recovered()
    drawn = [
        drawn_chart("domain_states", charts.domain_states, (history,)),
        drawn_chart("domain_recovery", charts.domain_recovery, (monitor.recovery_curves(),)),
    ]
    bad = int(states["status"].isin(TROUBLES).sum())
    plotly, plotly_hash = plotly_script()
    script = asset("report.js")
    begin, end = history["begin"].min(), history[["begin", "last_seen"]].max().max()
    context = {
        "title": title,
        "period": days(begin, end) if len(history) else "no dates",
        "tone": "act" if bad else "good",
        "headline": _headline(states, bad),
        "sentences": _sentences(states, back),
        "charts": drawn,
        "states": to_share(states, without_ips),
        "most": MOST_DOMAINS,
        "titles": STATES,
        "versions": versions(),
        "data": packed_data({"charts": {chart.name: chart.drawn for chart in drawn}, "domains": []}),
        "plotly": plotly,
        "script": script,
        "script_hashes": f"{script_hash(script)} {plotly_hash}",
        "style": asset("report.css"),
    }
    return environment().get_template("domains.html.j2").render(context)


def _headline(states: pd.DataFrame, bad: int) -> str:
    if states.empty:
        return "No domain is watched yet"
    return f"{number(bad)} of {count(len(states), 'domain')} that are watched {'takes' if bad == 1 else 'take'} no mail"


def _sentences(states: pd.DataFrame, back: pd.DataFrame) -> list[str]:
    counted = states["status"].value_counts()
    told = ", ".join(
        f"{STATES[name].lower()}: {number(counted[name])}" for name in STATES if counted.get(name)
    )
    found = [f"{told[:1].upper()}{told[1:]}."] if told else []
    if len(back):
        middle = count(round(back["days"].median()), "day")
        verb = "does" if len(back) == 1 else "do"
        found.append(
            f"{count(len(back), 'domain')} took no mail, and {verb} again, after {middle} in the median."
        )
    return found

"""The report as a page: its charts, what the template gets, and how that is made safe to inline."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from functools import cache
from importlib import resources
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

import jinja2
import pandas as pd

from bounceanalytics import charts
from bounceanalytics.charts.theme import in_dark, without_heading
from bounceanalytics.knowledge.registry import advice, lookup
from bounceanalytics.knowledge.rules import mailbox_title
from bounceanalytics.report import verdict as says
from bounceanalytics.report.alerts import alerts, figures, on_the_whole
from bounceanalytics.report.packing import packed_data, plotly_script, script_hash
from bounceanalytics.schema import DOMAIN_STATES, REASONS, STRING
from bounceanalytics.schema.summaries import NO_CODE
from bounceanalytics.wording import (
    ACTIONS,
    STATES,
    count,
    day,
    esp_title,
    fault_title,
    number,
    percent,
    reason_title,
    rows,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    import plotly.graph_objects as go

    from bounceanalytics.report.contents import Contents

#: Domains that can be searched; more would make a file that no browser opens gladly.
MOST_DOMAINS = 10_000

#: Domains in the table before anybody searches, and on paper.
SHOWN_DOMAINS = 200

#: Names of source files that are listed one by one.
MOST_SOURCES = 40

#: Codes in the glossary.
MOST_CODES = 25

_EN_DASH = "\N{EN DASH}"


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart of the page, drawn for wide and narrow screens, light and dark."""

    name: str
    title: str
    subtitle: str
    caption: str
    high: int
    drawn: dict[str, Any]
    least_wide: int = 0


def render(contents: Contents, *, title: str | None) -> str:
    """Return the report as HTML."""
    summaries = contents.summaries
    sums = says.totals(summaries)
    sums_before = None if contents.before is None else says.totals(contents.before)
    when_before = "" if sums_before is None else str(contents.span_before or "no dates")
    drawn = _charts(contents)
    plotly, plotly_hash = plotly_script()
    script = asset("report.js")
    data = {
        "charts": {chart.name: chart.drawn for chart in drawn},
        "domains": _domain_rows(summaries.domains),
    }
    context = {
        "title": title or "Bounce report",
        "period": str(contents.span) if contents.span else "no dates",
        "before": when_before,
        "figures": figures(sums, sums_before) if sums_before else (),
        "esps": [esp_title(name) for name in summaries.esps["provider"].astype(STRING)],
        "sums": sums,
        "recovered": says.recovered(contents.recovery) if sums.tried else "",
        "verdict": says.verdict(summaries, sums, contents.events.get("suppressed", 0), contents.incidents),
        "compared": on_the_whole(sums, sums_before, when_before) if sums_before else "",
        "alerts": alerts(
            summaries,
            contents.storms,
            contents.conflicts,
            contents.unknown,
            contents.before,
            contents.incidents,
        ),
        "charts": {chart.name: chart for chart in drawn},
        "domains": _domain_rows(summaries.domains.head(SHOWN_DOMAINS)),
        "searchable": min(len(summaries.domains), MOST_DOMAINS),
        "summaries": summaries,
        "system_full": summaries.system_full.head(SHOWN_DOMAINS),
        "full_hosts": summaries.hosts[summaries.hosts["system_full"] > 0].head(SHOWN_DOMAINS),
        "checks": None if contents.checks is None else contents.checks.head(SHOWN_DOMAINS),
        "states": {} if contents.checks is None else _states(contents.checks),
        "code": lookup("5.3.1"),
        "glossary": [(REASONS[name], advice(name)) for name in summaries.reasons["reason"].astype(STRING)],
        "codes": _code_entries(summaries.codes),
        "examples": contents.examples or {},
        "redact": contents.examples is None,
        "events": contents.events,
        "rows": contents.rows,
        "sources": contents.sources,
        "verdicts": None if contents.verdicts is None else _verdicts(contents.verdicts),
        "policy": contents.policy,
        "most_sources": MOST_SOURCES,
        "versions": versions(),
        "fingerprint": contents.fingerprint,
        "data": packed_data(data),
        "plotly": plotly,
        "script": script,
        "script_hashes": f"{script_hash(script)} {plotly_hash}",
        "style": asset("report.css"),
    }
    return environment().get_template("report.html.j2").render(context)


def draw(contents: Contents) -> dict[str, tuple[Callable[..., go.Figure], tuple[Any, ...]]]:
    """Return the charts of a report by name: the function that draws each, and what it draws."""
    summaries = contents.summaries
    table: dict[str, tuple[Callable[..., go.Figure], tuple[Any, ...]]] = {
        "bounce_types": (charts.days, (summaries.days, contents.incidents)),
        "reasons": (charts.reasons, (summaries.reasons,)),
        "codes": (charts.codes, (summaries.codes,)),
        "domains": (charts.domains, (summaries.domains,)),
        "domain_reasons": (charts.domain_reasons, (summaries.domain_reasons,)),
        "domain_trends": (charts.domain_days, (summaries.domain_days,)),
        "changes": (charts.changes, (summaries.changes,)),
        "providers": (charts.mailbox_providers, (summaries.providers,)),
        "tags": (charts.tags, (summaries.tags,)),
        "sending_ips": (charts.sending_ips, (summaries.sending_ips,)),
        "storms": (charts.storms, (contents.storms,)),
        "unclassified": (charts.unclassified, (contents.unknown,)),
        "system_full": (charts.system_full, (summaries.system_full,)),
    }
    needless = {
        "tags": len(summaries.tags) < 2,
        "sending_ips": len(summaries.sending_ips) < 2,
        "storms": contents.storms.empty,
        "unclassified": contents.examples is None or contents.unknown.empty,  # it shows what servers said
    }
    return {name: chart for name, chart in table.items() if not needless.get(name)}


def _charts(contents: Contents) -> list[Chart]:
    summaries = contents.summaries
    reasons = int((summaries.reasons["bounced"] > 0).sum())
    apart = summaries.days["period"].diff().min()
    unit = next(
        (unit for unit, most in (("month", 28), ("week", 7)) if apart >= pd.Timedelta(days=most)), "day"
    )
    captions = {
        "bounce_types": says.over_time(summaries.days, unit),
        "providers": says.by_provider(summaries.providers),
    }
    least_wide = {"domain_reasons": 230 + 34 * reasons}
    return [
        drawn_chart(name, function, frames, captions.get(name, ""), least_wide=least_wide.get(name, 0))
        for name, (function, frames) in draw(contents).items()
    ]


def drawn_chart(
    name: str,
    function: Callable[..., go.Figure],
    frames: tuple[Any, ...],
    caption: str = "",
    *,
    least_wide: int = 0,
) -> Chart:
    """Return a chart, drawn for wide and narrow screens, light and dark."""
    # a chart that scrolls keeps the labels of a wide screen
    figures = {
        width: function(*frames, compact=width == "narrow" and not least_wide) for width in ("wide", "narrow")
    }
    words = figures["wide"].layout.meta
    light = {width: without_heading(figure) for width, figure in figures.items()}
    drawn = {f"light-{width}": told for width, told in light.items()}
    drawn |= {f"dark-{width}": in_dark(told) for width, told in light.items()}
    return Chart(
        name=name,
        title=words["title"],
        subtitle=words["subtitle"],
        caption=caption,
        high=light["wide"]["layout"]["height"],
        drawn=drawn,
        least_wide=least_wide,
    )


def _domain_rows(domains: pd.DataFrame) -> list[list[Any]]:
    """Return the table of domains as rows of what is shown, and what a column is sorted by where that differs."""
    return [
        [
            row.domain,
            row.hard,
            percent(row.hard_rate) if row.deliveries_known else "no rate",
            f"{100 * row.hard_low:.1f}{_EN_DASH}{100 * row.hard_high:.1f}" if row.deliveries_known else "",
            round(row.hard_shrunk, 5) if row.deliveries_known else -1,
            row.attempted if _tried(row) else 0,
            row.soft,
            row.block,
            row.dropped,
            reason_title(row.top_reason),
            mailbox_title(row.mailbox_provider),
            _past(row),
            day(row.last_seen),
            "" if pd.isna(row.last_seen) else row.last_seen.strftime("%Y%m%d"),
        ]
        for row in rows(domains.head(MOST_DOMAINS))
    ]


def _tried(row: Any) -> bool:
    """Return whether it is known how many messages were tried: where none arrived, files may hold failures only."""
    return bool(row.deliveries_known or row.delivered)


def _past(row: Any) -> str:
    """Return how a domain does by its own past, in a few words."""
    if row.spike:
        return "spike"
    if pd.notna(row.changed_at):
        return f"since {day(row.changed_at)}"
    return "" if pd.isna(row.trend) or row.trend == "steady" else str(row.trend)


def _code_entries(codes: pd.DataFrame) -> list[tuple[str, str]]:
    """Return the codes met, most frequent first, with what each means."""
    bounced = codes[codes["code"] != NO_CODE].groupby("code")["bounced"].sum()
    met = bounced.sort_values(ascending=False, kind="stable").head(MOST_CODES).index
    return [(str(code), lookup(str(code)).meaning) for code in met]


def _states(checks: pd.DataFrame) -> dict[str, int]:
    """Return how many domains are in each state that was found, those first that need a look."""
    return {
        str(name): int(n) for name, n in checks.groupby("status", sort=False, observed=True).size().items()
    }


def _verdicts(verdicts: pd.DataFrame) -> dict[str, int]:
    return {str(name): int(n) for name, n in verdicts["verdict"].value_counts(sort=False).items()}


def versions() -> str:
    """Return what made the page."""
    told = []
    for package in ("bounceanalytics", "pandas", "duckdb", "plotly"):
        try:
            told.append(f"{package} {version(package)}")
        except PackageNotFoundError:  # run from a checkout that is not installed
            told.append(f"{package} (not installed)")
    return ", ".join([*told, f"Python {platform.python_version()}"])


def asset(name: str) -> str:
    """Return the text of a file that lies beside the templates."""
    return (resources.files("bounceanalytics.report") / "templates" / name).read_text(encoding="utf-8")


@cache
def environment() -> jinja2.Environment:
    """Return what fills in the templates; whatever comes in is shown as text."""
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("bounceanalytics.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "number": number,
        "percent": percent,
        "day": day,
        "count": count,
        "provider": mailbox_title,
        "esp": esp_title,
        "reason": reason_title,
        "fault": fault_title,
        "sentence": lambda text: text[:1].upper() + text[1:] + ".",
    }
    made.globals |= {"actions": ACTIONS, "missing": pd.isna, "tried": _tried}
    made.globals |= {
        "state_meanings": DOMAIN_STATES,
        "state_titles": STATES,
    }
    return made

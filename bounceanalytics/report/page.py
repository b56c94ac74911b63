"""From summaries to the page: what the template gets, and how it is made safe to inline."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from importlib.metadata import PackageNotFoundError, version
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import jinja2
import pandas as pd
from plotly.offline import get_plotlyjs

from bounceanalytics import charts
from bounceanalytics.charts.bars import provider_title
from bounceanalytics.charts.theme import FAULT_TITLES, rows, without_heading
from bounceanalytics.charts.wording import count, day, number, percent
from bounceanalytics.knowledge.registry import advice, lookup
from bounceanalytics.report import verdict as says
from bounceanalytics.schema import REASONS, require
from bounceanalytics.summaries import SENDING_EVENTS, Summaries, summarize

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import plotly.graph_objects as go

#: Domains in the table; more would make a file that no browser opens gladly.
MOST_DOMAINS = 1_000

#: Names of source files that are listed one by one.
MOST_SOURCES = 40

#: Answers of servers shown per reason where addresses may be shown.
MOST_EXAMPLES = 3

#: Periods longer than this are drawn by week.
_MOST_DAYS = pd.Timedelta(days=35)

#: An address up to and including its @.
_LOCAL_PART = re.compile(r"[^\s/\\<>@]*@")

_ACTION_TITLES = {"remove": "remove", "retry": "try again", "fix": "keep and fix", "review": "look at"}


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart of the page, drawn for wide and narrow screens, light and dark."""

    name: str
    title: str
    subtitle: str
    caption: str
    high: int
    json: str
    least_wide: int = 0


def render(bounces: pd.DataFrame, *, title: str | None, redact: bool) -> str:
    """Return the report as HTML."""
    require(bounces, ("timestamp", "event", "source", "diagnostic"), "a classified frame")
    # entries of suppression lists may be years old; they are no part of the period
    times = pd.to_datetime(bounces.loc[bounces["event"].isin(SENDING_EVENTS), "timestamp"], utc=True)
    first, last = times.min(), times.max()
    long = pd.notna(first) and last - first > _MOST_DAYS
    summaries = _named_by_domain(summarize(bounces, freq="W" if long else "D"))
    events = bounces["event"].astype("str").value_counts()
    sums = says.totals(summaries)
    context = {
        "title": title or "Bounce report",
        "period": f"{day(first)} to {day(last)}" if pd.notna(first) else "no dates",
        "esps": [says.esp_title(name) for name in summaries.esps["provider"].astype("str")],
        "sums": sums,
        "verdict": says.verdict(summaries, sums, int(events.get("suppressed", 0))),
        "charts": {chart.name: chart for chart in _charts(summaries, "week" if long else "day")},
        "domains": summaries.domains.head(MOST_DOMAINS),
        "every_domain": len(summaries.domains),
        "summaries": summaries,
        "system_full": summaries.system_full.head(MOST_DOMAINS),
        "code": lookup("5.3.1"),
        "glossary": [(REASONS[name], advice(name)) for name in summaries.reasons["reason"].astype("str")],
        "examples": {} if redact else _examples(bounces),
        "redact": redact,
        "events": events,
        "rows": len(bounces),
        "sources": _sources(bounces, redact),
        "most_sources": MOST_SOURCES,
        "version": _version(),
        "scripts": [get_plotlyjs(), _asset("report.js")],
        "style": _asset("report.css"),
    }
    return _environment().get_template("report.html.j2").render(context)


def _charts(summaries: Summaries, unit: str) -> list[Chart]:
    reasons = int((summaries.reasons["bounced"] > 0).sum())
    return [
        _chart("bounce_types", charts.bounce_types, summaries.days, says.over_time(summaries.days, unit)),
        _chart("reasons", charts.reasons, summaries.reasons),
        _chart("domains", charts.domains, summaries.domains),
        _chart(
            "domain_reasons", charts.domain_reasons, summaries.domain_reasons, least_wide=230 + 34 * reasons
        ),
        _chart("providers", charts.providers, summaries.providers, says.by_provider(summaries.providers)),
        _chart("system_full", charts.system_full, summaries.system_full),
    ]


def _chart(
    name: str,
    draw: Callable[..., go.Figure],
    summary: pd.DataFrame,
    caption: str = "",
    *,
    least_wide: int = 0,
) -> Chart:
    drawn = {
        f"{theme}-{width}": draw(summary, theme=theme, compact=width == "narrow")
        for theme in ("light", "dark")
        for width in ("wide", "narrow")
    }
    words = drawn["light-wide"].layout.meta
    bare = {key: without_heading(figure) for key, figure in drawn.items()}
    return Chart(
        name=name,
        title=words["title"],
        subtitle=words["subtitle"],
        caption=caption,
        high=bare["light-wide"].layout.height,
        json=_inline_json({key: json.loads(figure.to_json()) for key, figure in bare.items()}),
        least_wide=least_wide,
    )


def _inline_json(data: Mapping[str, Any]) -> str:
    """Return JSON that can stand in a script element: nothing in it can end the element or begin another."""
    text = json.dumps(data, ensure_ascii=True, separators=(",", ":"))
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def _named_by_domain(summaries: Summaries) -> Summaries:
    """Return the same with nothing but the domain in a domain column, whatever the frame held there."""

    def clean(frame: pd.DataFrame) -> pd.DataFrame:
        if "domain" not in frame.columns or not frame["domain"].str.contains("@", regex=False).any():
            return frame
        return frame.assign(domain=frame["domain"].str.rpartition("@")[2])

    return Summaries(**{name: clean(getattr(summaries, name)) for name in Summaries.__dataclass_fields__})


def _sources(bounces: pd.DataFrame, redact: bool) -> list[str]:
    """Return the names of the files, without their folders; a folder tells who made the report."""
    names = sorted(
        {PurePath(str(name).replace("\\", "/")).name for name in bounces["source"].dropna().unique()}
    )
    return [_LOCAL_PART.sub("…@", name) for name in names] if redact else names


def _examples(bounces: pd.DataFrame) -> dict[str, list[tuple[str, str]]]:
    """Return a few answers per reason, with the address that each was about."""
    told = bounces.loc[
        bounces["diagnostic"].notna() & bounces["reason"].notna(), ["reason", "recipient", "diagnostic"]
    ]
    few = told.drop_duplicates(["reason", "diagnostic"]).groupby("reason", observed=True).head(MOST_EXAMPLES)
    examples: dict[str, list[tuple[str, str]]] = {}
    for row in rows(few):
        who = "" if pd.isna(row.recipient) else str(row.recipient)
        examples.setdefault(str(row.reason), []).append((who, str(row.diagnostic)[:500]))
    return examples


def _script_hash(text: str) -> str:
    """Return the source expression that lets a browser run this script and no other (CSP level 3, 2.3.1)."""
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


def _reason_title(name: Any) -> str:
    return "" if pd.isna(name) else REASONS[str(name)].title


def _version() -> str:
    try:
        return version("bounceanalytics")
    except PackageNotFoundError:  # run from a checkout that is not installed
        return "(not installed)"


def _asset(name: str) -> str:
    return (resources.files("bounceanalytics") / "templates" / name).read_text(encoding="utf-8")


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("bounceanalytics"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": number,
        "percent": percent,
        "day": day,
        "count": count,
        "provider": provider_title,
        "esp": says.esp_title,
        "reason": _reason_title,
        "script_hash": _script_hash,
        "sentence": lambda text: text[:1].upper() + text[1:] + ".",
    }
    environment.globals |= {"fault_titles": FAULT_TITLES, "action_titles": _ACTION_TITLES, "missing": pd.isna}
    return environment

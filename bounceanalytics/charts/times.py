"""Charts over time: bounce types, and domains whose mail system is full."""

from __future__ import annotations

import math
import textwrap
from dataclasses import dataclass
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from bounceanalytics.charts.theme import (
    TYPE_TITLES,
    Theme,
    ThemeName,
    count_axis,
    lay_out,
    legend_high,
    names_axis,
    rows,
    rows_high,
    says,
)
from bounceanalytics.charts.theme import theme as look_of
from bounceanalytics.charts.wording import count, day, number, percent, plain, shorten
from bounceanalytics.schema import require

_DAY = pd.Timedelta(days=1)
_MS = pd.Timedelta(milliseconds=1)

#: Room for so many periods is always kept, lest one bar fill the whole width.
_LEAST_PERIODS = 6

_INCIDENTS_NEED = ("kind", "start", "end", "reached", "title", "sentence")

#: So many incidents are marked at most.
_MOST_MARKS = 8

#: Pixels of the bars, of the labels of time below, of a row of numbers above, and of a line of the list.
_BARS, _TICKS_BELOW, _LANE, _LIST_LINE = 260, 48, 22, 15.6

#: Pixels of the narrowest plots, between the margins, on a phone and on paper; numbers keep apart in these.
_PLOT_PHONE, _PLOT_PAPER = 290, 600


@dataclass(frozen=True, slots=True)
class _Mark:
    """An incident where it is drawn."""

    number: int
    row: Any
    colour: str
    start: pd.Timestamp
    end: pd.Timestamp | None


def bounce_types(
    summary: pd.DataFrame,
    incidents: pd.DataFrame | None = None,
    *,
    theme: ThemeName = "light",
    compact: bool = False,
) -> go.Figure:
    """Return stacked bars of hard, soft and block bounces per day or week, and above them what happened when.

    Parameters
    ----------
    summary : pandas.DataFrame
        From :func:`bounceanalytics.summarize_days`, in order of time.
    incidents : pandas.DataFrame, optional
        From :func:`bounceanalytics.incidents`. Those within the periods of the summary are marked with numbers, which
        a list below the plot explains; of more than eight the ones that reached the most.
    theme : {'light', 'dark'}, default 'light'
    compact : bool, default False
        Labels short enough for a phone.

    Returns
    -------
    plotly.graph_objects.Figure

    Raises
    ------
    FrameError
        If the summary or the incidents lack columns, or there is no such theme.

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> bounces = ba.classify(ba.load(ba.samples() / "exports" / "ses").events)
    >>> figure = ba.charts.bounce_types(ba.summarize_days(bounces))
    """
    require(summary, ("period", "attempted", "hard_rate", "bounced", *TYPE_TITLES), "a summary of days")
    if incidents is not None:
        require(incidents, _INCIDENTS_NEED, "a frame of incidents")
    title = "Bounces over time"
    dated = summary[summary["period"].notna()]
    undated = summary.loc[summary["period"].isna(), "bounced"].sum()
    if not dated["bounced"].sum():
        return says(
            theme,
            title,
            "No message bounced." if not undated else "The bounces have no date.",
            compact=compact,
        )
    look = look_of(theme)
    starts = dated["period"].dt.tz_localize(None)  # wall clock of the summary's zone
    step = _step(starts)
    figure = go.Figure()
    for name, type_title in TYPE_TITLES.items():
        if dated[name].any():
            figure.add_bar(
                x=starts.tolist(),
                y=dated[name].tolist(),
                name=type_title.partition(":")[0] if compact else type_title,
                marker={"color": look.types[name], "line": {"width": 0}},
                width=0.84 * (step / _MS),
                customdata=[_period_sentence(row, name, step) for row in rows(dated)],
                hovertemplate="%{customdata}<extra></extra>",
            )
    unit = "week (from Monday)" if step > _DAY else "day"
    note = f"; {number(undated)} without a date not shown" if undated else ""
    figure.update_layout(
        barmode="stack",
        xaxis=_periods_axis(starts, step, 4 if compact else 9),
        yaxis=count_axis(dated["bounced"].max(), room=1.05),
        showlegend=True,
    )
    lanes = listed = 0
    if incidents is not None:
        met = _within(incidents, dated["period"], step)
        if len(met):
            lanes, listed = _mark(figure, met, step, look, compact=compact)
            part = f"the {_MOST_MARKS} largest of {number(len(met))} " if len(met) > _MOST_MARKS else ""
            note += f"; numbers: {part}incidents, listed below"
    legend = legend_high(len(figure.data), compact=compact)
    subtitle = f"bounced messages per {unit}{note}"
    return lay_out(
        figure,
        theme,
        title,
        subtitle,
        body=_BARS + lanes,
        above=legend,
        below=_TICKS_BELOW + listed,
        compact=compact,
    )


def _within(incidents: pd.DataFrame, periods: pd.Series[Any], step: pd.Timedelta) -> pd.DataFrame:
    """Return the incidents that began within the periods, in the wall clock of their zone."""
    walls = incidents.copy()
    for edge in ("start", "end"):
        moments = pd.to_datetime(incidents[edge], utc=True)  # ends that are all missing may have no zone
        walls[edge] = moments.dt.tz_convert(periods.dt.tz).dt.tz_localize(None)
    first, last = periods.min().tz_localize(None), periods.max().tz_localize(None)
    return walls[walls["start"].ge(first) & walls["start"].lt(last + step)]


def _mark(
    figure: go.Figure, met: pd.DataFrame, step: pd.Timedelta, look: Theme, *, compact: bool
) -> tuple[int, int]:
    """Draw the largest incidents above the bars and list them below; return the pixels that both take."""
    shown = met.nlargest(_MOST_MARKS, "reached").sort_values("start", kind="stable")
    # a bar stands around the start of its period, so a moment within it is half a step further left
    begin, end = figure.layout.xaxis.range
    begin, end = pd.Timestamp(begin), pd.Timestamp(end)
    marks = [
        _Mark(
            number=place,
            row=row,
            colour=_incident_colour(row.kind, look),
            start=row.start - step / 2,
            end=None if pd.isna(row.end) else min(row.end - step / 2, end),
        )
        for place, row in enumerate(rows(shown), start=1)
    ]
    lane_of = _lanes(marks, _LANE * (end - begin) / (_PLOT_PHONE if compact else _PLOT_PAPER))
    lanes = _LANE * (max(lane_of) + 1)
    whole = _BARS + lanes
    figure.update_layout(
        yaxis_domain=[0, _BARS / whole],
        yaxis2={
            "domain": [_BARS / whole, 1],
            "range": [0, max(lane_of) + 1],
            "visible": False,
            "anchor": "x",
        },
    )
    for mark, lane in zip(marks, lane_of, strict=True):
        height = lane + 0.5
        stem: dict[str, Any] = {"type": "line", "x0": mark.start, "x1": mark.start, "y0": 0}
        stem["line"] = {"color": look.ink, "width": 1, "dash": "1px,3px"}
        figure.add_shape(stem | {"y1": _BARS / whole, "yref": "paper"})
        figure.add_shape(stem | {"y1": height, "yref": "y2", "layer": "below"})  # below other numbers
        if mark.end is not None and mark.end > mark.start:
            span: dict[str, Any] = {
                "type": "line",
                "x0": mark.start,
                "x1": mark.end,
                "y0": height,
                "y1": height,
                "yref": "y2",
            }
            span["line"] = {"color": mark.colour, "width": 3}
            figure.add_shape(span | {"layer": "below"})
    figure.add_scatter(
        mode="markers+text",
        x=[mark.start for mark in marks],
        y=[lane + 0.5 for lane in lane_of],
        yaxis="y2",
        text=[str(mark.number) for mark in marks],
        textfont={"size": 11, "color": look.ink},
        marker={
            "size": _LANE - 4,
            "color": look.paper,
            "opacity": 1,
            "line": {"width": 2, "color": [mark.colour for mark in marks]},
        },
        customdata=[_incident_sentence(mark.row) for mark in marks],
        hovertemplate="%{customdata}<extra></extra>",
        cliponaxis=False,
        showlegend=False,
    )
    columns = 1 if compact else 2
    down = math.ceil(len(marks) / columns)
    for column in range(columns):
        part = marks[column * down : (column + 1) * down]
        if part:
            figure.add_annotation(_list(part, column / columns, 32 if compact else 36))
    return lanes, round(_LIST_LINE * down) + 12


def _lanes(marks: list[_Mark], apart: pd.Timedelta) -> list[int]:
    """Return a lane for each mark, the lowest in which it keeps clear of those before it."""
    ends: list[pd.Timestamp] = []
    lanes = []
    for mark in marks:
        lane = next((lane for lane, end in enumerate(ends) if mark.start - apart >= end), len(ends))
        ends[lane : lane + 1] = [max(mark.start, mark.end or mark.start)]
        lanes.append(lane)
    return lanes


def _list(marks: list[_Mark], x: float, length: int) -> dict[str, Any]:
    lines = [
        f'<span style="color:{mark.colour}">●</span> <b>{mark.number}</b>  {mark.row.start:%-d %b}:'
        f" {plain(shorten(mark.row.title, length))}"
        for mark in marks
    ]
    return {
        "text": "<br>".join(lines),
        "showarrow": False,
        "align": "left",
        "font": {"size": 12},
        "x": x,
        "xref": "paper",
        "xanchor": "left",
        "y": 0,
        "yref": "paper",
        "yanchor": "top",
        "yshift": -_TICKS_BELOW,
    }


def _incident_colour(kind: str, look: Theme) -> str:
    return {
        "storm": look.faults["receiver"],
        "block": look.types["block"],
        "recovery": look.accepted,
        "full": look.types["hard"],
        "spike": look.types["hard"],
    }.get(kind, look.quiet)


def _incident_sentence(row: Any) -> str:
    return f"<b>{plain(row.title)}</b><br>" + "<br>".join(map(plain, textwrap.wrap(row.sentence, 64)))


def system_full(
    summary: pd.DataFrame, *, top: int = 20, theme: ThemeName = "light", compact: bool = False
) -> go.Figure:
    """Return a timeline of the domains that answered "mail system full", and of when they took mail again.

    Parameters
    ----------
    summary : pandas.DataFrame
        From :func:`bounceanalytics.summarize_system_full`, those that have not recovered first.
    top : int, default 20
        How many domains to draw; the subtitle says how many there are.
    theme : {'light', 'dark'}, default 'light'
    compact : bool, default False
        Labels short enough for a phone.

    Returns
    -------
    plotly.graph_objects.Figure

    Raises
    ------
    FrameError
        If the summary lacks columns, or there is no such theme.

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> bounces = ba.classify(ba.load(ba.samples() / "exports" / "ses").events)
    >>> figure = ba.charts.system_full(ba.summarize_system_full(bounces))
    """
    require(summary, _SYSTEM_FULL_NEED, "a summary of full mail systems")
    title = "Mail system full: from the first to the last such answer"
    if summary.empty:
        return says(theme, title, "No domain answered that its mail system is full.", compact=compact)
    dated = summary[summary["first_seen"].notna()]
    if dated.empty:
        return says(theme, title, "These answers have no date.", compact=compact)
    look = look_of(theme)
    shown = dated.head(top)
    figure = go.Figure()
    for name, wanted, colour in (
        ("Permanent" if compact else "Permanent answer (5.3.1)", shown["permanent"] > 0, look.types["hard"]),
        ("Transient" if compact else "Transient answer (4.3.1)", shown["permanent"] == 0, look.types["soft"]),
    ):
        if wanted.any():
            figure.add_trace(_spans(shown[wanted], name, colour))
    back = shown[shown["recovered"]]
    if len(back):
        figure.add_scatter(
            mode="markers",
            name="Accepted" if compact else "Mail accepted again",
            x=_wall(back["accepted_again"]),
            y=back["domain"].tolist(),
            marker={
                "symbol": "diamond",
                "size": 13,
                "color": look.accepted,
                "line": {"width": 1.5, "color": look.paper},
            },
            customdata=[
                f"<b>{plain(row.domain)}</b><br>Mail was accepted again on {day(row.accepted_again)}."
                for row in rows(back)
            ],
            hovertemplate="%{customdata}<extra></extra>",
        )
    ends = pd.concat([shown["first_seen"], shown["last_seen"], shown["accepted_again"]]).dropna()
    figure.update_layout(
        xaxis=_moments_axis(ends.dt.tz_localize(None), 3 if compact else 7),
        yaxis=names_axis(shown["domain"].tolist(), compact=compact),
        showlegend=True,
    )
    part = f"{len(shown)} of {count(len(summary), 'domain')}; " if len(shown) < len(summary) else ""
    still = int((~summary["recovered"]).sum())
    since = (
        f"{count(still, 'domain')} not seen to accept mail since"
        if still
        else "mail was accepted again everywhere"
    )
    legend = legend_high(len(figure.data), compact=compact)
    subtitle = f"{part}{since}"
    return lay_out(
        figure, theme, title, subtitle, body=rows_high(len(shown)), above=legend, below=48, compact=compact
    )


_SYSTEM_FULL_NEED = (
    "domain",
    "first_seen",
    "last_seen",
    "addresses",
    "bounces",
    "permanent",
    "transient",
    "accepted_again",
    "recovered",
)


def _spans(shown: pd.DataFrame, name: str, colour: str) -> go.Scatter:
    """Return one line per row, from the first to the last answer; a gap keeps them apart."""
    x: list[Any] = []
    y: list[Any] = []
    hovers: list[Any] = []
    for row, first, last in zip(
        rows(shown), _wall(shown["first_seen"]), _wall(shown["last_seen"]), strict=True
    ):
        x += [first, last, None]
        y += [row.domain, row.domain, None]
        hovers += [_full_sentence(row)] * 2 + [""]
    return go.Scatter(
        mode="lines+markers",
        name=name,
        x=x,
        y=y,
        connectgaps=False,
        line={"color": colour, "width": 9},
        marker={
            "color": colour,
            "size": 9,
            "symbol": "circle",
            "line": {"width": 0},
        },  # round ends; a single day is a dot
        customdata=hovers,
        hovertemplate="%{customdata}<extra></extra>",
    )


def _wall(times: pd.Series[Any]) -> list[Any]:
    walls: list[Any] = times.dt.tz_localize(None).tolist()
    return walls


def _step(starts: pd.Series[Any]) -> pd.Timedelta:
    """Return a week where all periods begin on one weekday, else a day."""
    gaps = starts.diff().dropna()
    week = 7 * _DAY
    mondays = bool((starts.dt.day_of_week == 0).all())
    return week if mondays and (gaps >= week).all() else _DAY


def _periods_axis(starts: pd.Series[Any], step: pd.Timedelta, ticks: int) -> dict[str, Any]:
    """Return settings of an axis whose ticks stand under bars, not between them."""
    first, last = starts.min(), starts.max()
    every = math.ceil(((last - first) / step + 1) / ticks)
    edge = max(0.65 * step, (_LEAST_PERIODS * step - (last - first)) / 2)
    return {
        "type": "date",
        "range": [first - edge, last + edge],
        "tick0": first,
        "dtick": every * (step / _MS),
        "tickformat": "%-d %b\n%Y",
        "showgrid": False,
    }


def _moments_axis(moments: pd.Series[Any], ticks: int) -> dict[str, Any]:
    """Return settings of an axis of days, with ticks on whole days also where the period is short."""
    first, last = moments.min(), moments.max()
    edge = max((last - first) * 0.03, _DAY * 0.5)
    every = max(1, math.ceil((last - first) / _DAY / ticks))
    return {
        "type": "date",
        "range": [first - edge, last + edge],
        "tick0": first.normalize(),
        "dtick": every * (_DAY / _MS),
        "tickformat": "%-d %b\n%Y",
    }


def _period_sentence(row: Any, name: str, step: pd.Timedelta) -> str:
    when = f"Week of {day(row.period)}" if step > _DAY else day(row.period)
    rate = "" if pd.isna(row.hard_rate) else f"<br>The hard rate was {percent(row.hard_rate)}."
    of = f"{count(row.bounced, 'bounce')}" + (
        "" if pd.isna(row.hard_rate) else f" and {count(row.attempted, 'attempt')}"
    )
    kind = {"hard": "hard", "soft": "soft", "block": "blocks", "unknown": "not classified"}[name]
    mine = getattr(row, name)
    return f"<b>{when}</b><br>{number(mine)} of {of} {'was' if mine == 1 else 'were'} {kind}.{rate}"


def _full_sentence(row: Any) -> str:
    span = (
        f"on {day(row.first_seen)}"
        if row.first_seen.date() == row.last_seen.date()
        else f"from {day(row.first_seen)} to {day(row.last_seen)}"
    )
    after = (
        f"Mail was accepted again on {day(row.accepted_again)}."
        if row.recovered
        else "No mail was accepted since."
    )
    met = f"{count(row.bounces, 'message')} to {count(row.addresses, 'address', 'addresses')} met a full mail system"
    kinds = f"{number(row.permanent)} permanent, {number(row.transient)} transient"
    return f"<b>{plain(row.domain)}</b><br>{met}<br>{span}: {kinds}.<br>{after}"

"""Bounce types over time."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from bounceanalytics.charts.marks import BARS, MOST_MARKS, TICKS_BELOW, mark_incidents, within
from bounceanalytics.charts.theme import BOUNCED, ThemeName, count_axis, lay_out, legend_high, says
from bounceanalytics.charts.theme import theme as look_of
from bounceanalytics.schema import INCIDENT_COLUMNS, SUMMARIES
from bounceanalytics.wording import TYPES, count, day, number, percent, rows

_DAY = pd.Timedelta(days=1)
_MS = pd.Timedelta(milliseconds=1)

#: Room for so many periods is always kept, so that one bar does not fill the whole width.
_LEAST_PERIODS = 6


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
    SUMMARIES["days"].require(summary, ("period", "attempted", "hard_rate", "bounced", *BOUNCED))
    if incidents is not None:
        INCIDENT_COLUMNS.without("name").require(incidents)
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
    for name in BOUNCED:
        if dated[name].any():
            figure.add_bar(
                x=starts.tolist(),
                y=dated[name].tolist(),
                name=TYPES[name].short if compact else TYPES[name].title,
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
        met = within(incidents, dated["period"], step)
        if len(met):
            lanes, listed = mark_incidents(figure, met, step, look, compact=compact)
            part = f"the {MOST_MARKS} largest of {number(len(met))} " if len(met) > MOST_MARKS else ""
            note += f"; numbers: {part}incidents, listed below"
    legend = legend_high(len(figure.data), compact=compact)
    subtitle = f"bounced messages per {unit}{note}"
    return lay_out(
        figure,
        theme,
        title,
        subtitle,
        body=BARS + lanes,
        above=legend,
        below=TICKS_BELOW + listed,
        compact=compact,
    )


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


def _period_sentence(row: Any, name: str, step: pd.Timedelta) -> str:
    when = f"Week of {day(row.period)}" if step > _DAY else day(row.period)
    rate = "" if pd.isna(row.hard_rate) else f"<br>The hard rate was {percent(row.hard_rate)}."
    of = f"{count(row.bounced, 'bounce')}" + (
        "" if pd.isna(row.hard_rate) else f" and {count(row.attempted, 'attempt')}"
    )
    kind = {"hard": "hard", "soft": "soft", "block": "blocks", "unknown": "not classified"}[name]
    mine = getattr(row, name)
    return f"<b>{when}</b><br>{number(mine)} of {of} {'was' if mine == 1 else 'were'} {kind}.{rate}"

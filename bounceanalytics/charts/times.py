"""Bounce types over time."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pandas as pd
import plotly.graph_objects as go

from bounceanalytics.charts.marks import BARS, MOST_MARKS, TICKS_BELOW, mark_incidents, within
from bounceanalytics.charts.panels import DAY, HOVER, Sheet, count_axis, time_axis
from bounceanalytics.charts.theme import BOUNCED
from bounceanalytics.schema import INCIDENT_COLUMNS, SUMMARIES
from bounceanalytics.wording import TYPES, count, day, number, percent, rows

if TYPE_CHECKING:
    from bounceanalytics.charts.theme import ThemeName

#: Room for so many periods is always kept, so that one bar does not fill the whole width.
_LEAST_PERIODS = 6

_WEEK, _MONTH = 7 * DAY, 30 * DAY
_STEPS = {DAY: "day", _WEEK: "week (from Monday)", _MONTH: "month"}


def days(
    summary: pd.DataFrame,
    incidents: pd.DataFrame | None = None,
    *,
    theme: ThemeName = "light",
    compact: bool = False,
) -> go.Figure:
    """Return stacked bars of hard, soft and block bounces per day, week or month, and above them what happened when.

    Parameters
    ----------
    summary : pandas.DataFrame
        From :func:`bounceanalytics.summarize_days`, in order of time.
    incidents : pandas.DataFrame, optional
        From :func:`bounceanalytics.incidents`. Those within the periods of the summary are marked with numbers, which
        a list below the plot explains; of more than eight the ones that reached the most.
    theme, compact
        See :mod:`bounceanalytics.charts`.

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> bounces = ba.classify(ba.load(ba.samples() / "exports" / "ses").events)
    >>> figure = ba.charts.days(ba.summarize_days(bounces), ba.incidents(bounces))
    """
    summary = SUMMARIES["days"].require(summary, ("period", "attempted", "hard_rate", "bounced", *BOUNCED))
    if incidents is not None:
        incidents = INCIDENT_COLUMNS.without("name").require(incidents)
    sheet = Sheet("Bounces over time", theme, compact)
    dated = summary[summary["period"].notna()]
    undated = summary.loc[summary["period"].isna(), "bounced"].sum()
    if not dated["bounced"].sum():
        return sheet.empty("The bounces have no date." if undated else "No message bounced.")
    starts = dated["period"].dt.tz_localize(None)  # wall clock of the summary's zone
    step = _step(starts)
    figure = _stacked(dated, starts, step, sheet)
    note = f"; {number(undated)} without a date not shown" if undated else ""
    lanes = listed = 0
    met = None if incidents is None else within(incidents, dated["period"], step)
    if met is not None and len(met):
        lanes, listed = mark_incidents(figure, met, step, sheet.look, compact=compact)
        largest = f"the {MOST_MARKS} largest of {number(len(met))} " if len(met) > MOST_MARKS else ""
        note += f"; numbers: {largest}incidents, listed below"
    subtitle = f"bounced messages per {_STEPS[step]}{note}"
    return sheet.lay_out(figure, subtitle, body=BARS + lanes, below=TICKS_BELOW + listed)


def _stacked(dated: pd.DataFrame, starts: pd.Series[Any], step: pd.Timedelta, sheet: Sheet) -> go.Figure:
    """Return bars of each type that was met, one on the other."""
    figure = go.Figure()
    for name in BOUNCED:
        if dated[name].any():
            figure.add_bar(
                x=starts.tolist(),
                y=dated[name].tolist(),
                name=sheet.called(TYPES[name]),
                marker={"color": sheet.look.types[name], "line": {"width": 0}},
                width=0.84 * (step / pd.Timedelta(milliseconds=1)),
                customdata=[_sentence(row, name, step) for row in rows(dated)],
                **HOVER,
            )
    return figure.update_layout(
        barmode="stack",
        xaxis=_periods_axis(starts, step, 4 if sheet.compact else 9),
        yaxis=count_axis(dated["bounced"].max(), room=1.05),
        showlegend=True,
    )


def _step(starts: pd.Series[Any]) -> pd.Timedelta:
    """Return a month where all periods begin on the first, a week where they do on Monday, else a day."""
    gaps = starts.diff().dropna()
    if len(gaps) and (starts.dt.day == 1).all():
        return _MONTH
    mondays = bool((starts.dt.day_of_week == 0).all())
    return _WEEK if mondays and (gaps >= _WEEK).all() else DAY


def _periods_axis(starts: pd.Series[Any], step: pd.Timedelta, ticks: int) -> dict[str, Any]:
    """Return settings of an axis whose ticks stand under bars, not between them."""
    first, last = starts.min(), starts.max()
    every = math.ceil(((last - first) / step + 1) / ticks)
    edge = max(0.65 * step, (_LEAST_PERIODS * step - (last - first)) / 2)
    axis = time_axis(first - edge, last + edge, first, every * step) | {"showgrid": False}
    return axis | ({"dtick": f"M{every}", "tickformat": "%b\n%Y"} if step == _MONTH else {})


def _sentence(row: Any, name: str, step: pd.Timedelta) -> str:
    when = {_WEEK: f"Week of {day(row.period)}", _MONTH: f"{row.period:%b %Y}"}.get(step, day(row.period))
    rate = "" if pd.isna(row.hard_rate) else f"<br>The hard rate was {percent(row.hard_rate)}."
    of = f"{count(row.bounced, 'bounce')}" + (
        "" if pd.isna(row.hard_rate) else f" and {count(row.attempted, 'attempt')}"
    )
    kind = {"hard": "hard", "soft": "soft", "block": "blocks", "unknown": "not classified"}[name]
    mine = getattr(row, name)
    return f"<b>{when}</b><br>{number(mine)} of {of} {'was' if mine == 1 else 'were'} {kind}.{rate}"

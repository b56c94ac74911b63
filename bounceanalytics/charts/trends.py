"""Trends of the worst domains over time: one small panel each."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from bounceanalytics.charts.theme import ThemeName, lay_out, says, small_heading
from bounceanalytics.charts.theme import theme as look_of
from bounceanalytics.schema import SUMMARIES
from bounceanalytics.wording import count, day, days, number, part, percent, plain, rows, shorten

_NEED = SUMMARIES["domain_days"].select(
    ("domain", "period", "attempted", "bounced", "hard", "bounce_rate", "hard_rate", "deliveries_known")
)

_TITLE = "The worst domains over time"

#: Pixels of a panel with its heading, of the heading alone, and panels side by side.
_PANEL, _HEAD, _COLUMNS = 108, 44, 4


def domain_trends(
    summary: pd.DataFrame, *, top: int = 12, theme: ThemeName = "light", compact: bool = False
) -> go.Figure:
    """Return the bounce rate and the hard rate of the domains with most bounces over time, one small panel each.

    Where the exports hold no deliveries of any of them, numbers of bounces are drawn instead.

    Parameters
    ----------
    summary : pandas.DataFrame
        From :func:`bounceanalytics.summarize_domain_days`, domains with most bounces first.
    top : int, default 12
        How many of them to draw.
    theme : {'light', 'dark'}, default 'light'
    compact : bool, default False
        Two panels side by side, for a phone.

    Returns
    -------
    plotly.graph_objects.Figure
        All panels have the same axes; a line passes over periods in which nothing was sent.

    Raises
    ------
    FrameError
        If the summary lacks columns, or there is no such theme.

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> bounces = ba.classify(ba.load(ba.samples() / "exports" / "ses").events)
    >>> figure = ba.charts.domain_trends(ba.summarize_domain_days(bounces))
    """
    _NEED.require(summary)
    dated = summary[summary["period"].notna()]
    if not dated["bounced"].sum():
        sentence = "The bounces have no date." if summary["bounced"].sum() else "No message bounced."
        return says(theme, _TITLE, sentence, compact=compact)
    look = look_of(theme)
    every = dated["domain"].drop_duplicates().tolist()
    names = every[:top]
    shown = dated[dated["domain"].isin(names)]
    known = bool(shown["deliveries_known"].any())
    hard, every_bounce = ("hard_rate", "bounce_rate") if known else ("hard", "bounced")
    across = min(2 if compact else _COLUMNS, len(names))
    down = math.ceil(len(names) / across)
    body = down * _PANEL
    figure = make_subplots(
        rows=down,
        cols=across,
        vertical_spacing=_HEAD / body if down > 1 else 0,
        horizontal_spacing=0.08 if compact else 0.04,
    )
    for place, name in enumerate(names):
        at = {"row": place // across + 1, "col": place % across + 1}
        mine = shown[shown["domain"] == name]
        figure.add_trace(_line(name, mine, every_bounce, look.quiet, "rgba(128,138,150,0.25)", 1), **at)
        figure.add_trace(_line(name, mine, hard, look.types["hard"], None, 2.5), **at)
        head = _head(name, mine, every_bounce, look.quiet, compact=compact)
        figure.add_annotation(head | {"xref": "x domain", "yref": "y domain"}, **at)
    periods = sorted(dated["period"].unique())
    largest = float(shown[every_bounce].max()) or (0.01 if known else 1)
    figure.update_xaxes(showgrid=False, showticklabels=False, range=_edges(periods))
    form = (".0%" if largest >= 0.02 else ".1%") if known else ",d"
    figure.update_yaxes(
        range=[-0.06 * largest, largest * 1.12], tickvals=[0, largest], tickformat=form, showticklabels=False
    )
    for place, axis in enumerate(figure.select_yaxes()):
        axis.update(visible=place < len(names), showticklabels=place % across == 0)
    what = "rate of all bounces (grey) and of hard ones" if known else "bounces (grey) and hard ones"
    shape = part(len(names), len(every), "domain")
    subtitle = f"{what}, {days(periods[0], periods[-1])}; {shape}"
    subtitle += "" if compact else "; all panels have the same axes"
    return lay_out(
        figure, theme, _TITLE, subtitle, body=body - _HEAD, above=_HEAD + 4, below=20, compact=compact
    )


def _edges(periods: list[Any]) -> list[Any]:
    """Return where the axis begins and ends: half a period beyond the first and the last."""
    half = (periods[1] - periods[0]) / 2 if len(periods) > 1 else pd.Timedelta(hours=12)
    return [edge.tz_localize(None) for edge in (periods[0] - half, periods[-1] + half)]


def _line(
    name: str, mine: pd.DataFrame, measure: str, colour: str, filling: str | None, width: float
) -> go.Scatter:
    """Return a line over the periods in which something was sent, with a dot where there is only one."""
    told = mine[mine[measure].notna()]
    return go.Scatter(
        name=plain(name),
        x=[period.tz_localize(None) for period in told["period"]],
        y=told[measure].tolist(),
        mode="lines+markers",
        line={"color": colour, "width": width},
        marker={"color": colour, "size": 3 + width if len(told) > 1 else 7},
        fill="tozeroy" if filling else "none",
        fillcolor=filling,
        customdata=[_sentence(name, row) for row in rows(told)],
        hovertemplate="%{customdata}<extra></extra>",
        cliponaxis=False,
        showlegend=False,
    )


def _head(name: str, mine: pd.DataFrame, measure: str, quiet: str, *, compact: bool) -> dict[str, Any]:
    """Return the name of a panel, and the highest and the last value."""
    told = mine[measure].dropna()
    form = percent if measure == "bounce_rate" else number
    end = "no rate" if told.empty else f"max {form(told.max())}, last {form(told.iloc[-1])}"
    return small_heading(shorten(name, 17 if compact else 21), end, quiet, 12)


def _sentence(name: str, row: Any) -> str:
    rates = "" if pd.isna(row.hard_rate) else f":<br>{percent(row.bounce_rate)} and {percent(row.hard_rate)}"
    return (
        f"<b>{plain(name)}, from {day(row.period)}</b><br>{number(row.bounced)} of "
        f"{count(row.attempted, 'attempted message')} bounced, {number(row.hard)} hard{rates}."
    )

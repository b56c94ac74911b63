"""Trends of the worst domains over time: one small panel each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import plotly.graph_objects as go

from bounceanalytics.charts.panels import DAY, HOVER, Grid, Sheet, small_heading, wall
from bounceanalytics.schema import SUMMARIES
from bounceanalytics.wording import count, day, days, number, part, percent, plain, rows, shorten

if TYPE_CHECKING:
    from bounceanalytics.charts.theme import ThemeName

_NEED = SUMMARIES["domain_days"].select(
    ("domain", "period", "attempted", "bounced", "hard", "bounce_rate", "hard_rate", "deliveries_known")
)


def domain_days(
    summary: pd.DataFrame, *, top: int = 12, theme: ThemeName = "light", compact: bool = False
) -> go.Figure:
    """Return the bounce rate and the hard rate of the domains with most bounces over time, one small panel each.

    Where the exports hold no deliveries of any of them, numbers of bounces are drawn instead. All panels have the same
    axes; a line passes over periods in which nothing was sent.

    Parameters
    ----------
    summary : pandas.DataFrame
        From :func:`bounceanalytics.summarize_domain_days`, domains with most bounces first.
    top, theme, compact
        See :mod:`bounceanalytics.charts`.

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> bounces = ba.classify(ba.load(ba.samples() / "exports" / "ses").events)
    >>> figure = ba.charts.domain_days(ba.summarize_domain_days(bounces))
    """
    summary = _NEED.require(summary)
    sheet = Sheet("The worst domains over time", theme, compact)
    dated = summary[summary["period"].notna()]
    if not dated["bounced"].sum():
        return sheet.empty("The bounces have no date." if summary["bounced"].sum() else "No message bounced.")
    every = dated["domain"].drop_duplicates().tolist()
    names, periods = every[:top], sorted(dated["period"].unique())
    shown = dated[dated["domain"].isin(names)]
    known = bool(shown["deliveries_known"].any())
    measures = ("bounce_rate", "hard_rate") if known else ("bounced", "hard")
    grid = Grid(len(names), across=2 if compact else 4, high=108, head=44)
    figure = grid.figure(gap=0.08 if compact else 0.04)
    for panel, name in enumerate(names):
        _fill(figure, grid.place(panel), name, shown[shown["domain"] == name], measures, sheet)
    _set_axes(figure, grid, periods, float(shown[measures[0]].max()), known=known)
    what = "rate of all bounces (grey) and of hard ones" if known else "bounces (grey) and hard ones"
    shape = part(len(names), len(every), "domain")
    subtitle = f"{what}, {days(periods[0], periods[-1])}; {shape}"
    subtitle += "" if compact else "; all panels have the same axes"
    return grid.lay_out(sheet, figure, subtitle, below=20)


def _fill(
    figure: go.Figure,
    at: dict[str, int],
    name: str,
    mine: pd.DataFrame,
    measures: tuple[str, str],
    sheet: Sheet,
) -> None:
    """Draw one domain into its panel: all bounces, hard ones, and the heading."""
    look, (every, hard) = sheet.look, measures
    figure.add_trace(_line(name, mine, every, look.quiet, "rgba(128,138,150,0.25)", 1), **at)
    figure.add_trace(_line(name, mine, hard, look.types["hard"], None, 2.5), **at)
    told, form = mine[every].dropna(), percent if every == "bounce_rate" else number
    end = "no rate" if told.empty else f"max {form(told.max())}, last {form(told.iloc[-1])}"
    head = small_heading(shorten(name, 17 if sheet.compact else 21), end, look.quiet, 12)
    figure.add_annotation(head, **at)


def _line(
    name: str, mine: pd.DataFrame, measure: str, colour: str, filling: str | None, width: float
) -> go.Scatter:
    """Return a line over the periods in which something was sent, with a dot where there is only one."""
    told = mine[mine[measure].notna()]
    return go.Scatter(
        name=plain(name),
        x=[wall(period) for period in told["period"]],
        y=told[measure].tolist(),
        mode="lines+markers",
        line={"color": colour, "width": width},
        marker={"color": colour, "size": 3 + width if len(told) > 1 else 7},
        fill="tozeroy" if filling else "none",
        fillcolor=filling,
        customdata=[_sentence(name, row) for row in rows(told)],
        cliponaxis=False,
        showlegend=False,
        **HOVER,
    )


def _set_axes(figure: go.Figure, grid: Grid, periods: list[Any], largest: float, *, known: bool) -> None:
    """Give all panels the same axes, with labels on the left ones only, and hide those that hold nothing."""
    half = (periods[1] - periods[0]) / 2 if len(periods) > 1 else DAY / 2
    edges = [wall(periods[0] - half), wall(periods[-1] + half)]
    figure.update_xaxes(showgrid=False, showticklabels=False, range=edges)
    largest = largest or (0.01 if known else 1)
    form = (".0%" if largest >= 0.02 else ".1%") if known else ",d"
    figure.update_yaxes(range=[-0.06 * largest, largest * 1.12], tickvals=[0, largest], tickformat=form)
    for _, y, there, left, _ in grid.axes(figure):
        y.update(visible=there, showticklabels=left)


def _sentence(name: str, row: Any) -> str:
    rates = "" if pd.isna(row.hard_rate) else f":<br>{percent(row.bounce_rate)} and {percent(row.hard_rate)}"
    return (
        f"<b>{plain(name)}, from {day(row.period)}</b><br>{number(row.bounced)} of "
        f"{count(row.attempted, 'attempted message')} bounced, {number(row.hard)} hard{rates}."
    )

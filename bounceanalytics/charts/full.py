"""Domains whose mail system is full: since when, until when, and whether they took mail again."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from bounceanalytics.charts.theme import ThemeName, lay_out, legend_high, names_axis, rows_high, says
from bounceanalytics.charts.theme import theme as look_of
from bounceanalytics.schema import SUMMARIES
from bounceanalytics.wording import count, day, number, part, plain, rows

_DAY = pd.Timedelta(days=1)
_MS = pd.Timedelta(milliseconds=1)


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
    _SYSTEM_FULL_NEED.require(summary)
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
    cut = f"{part(len(shown), len(summary), 'domain')}; " if len(shown) < len(summary) else ""
    still = int((~summary["recovered"]).sum())
    since = (
        f"{count(still, 'domain')} not seen to accept mail since"
        if still
        else "mail was accepted again everywhere"
    )
    legend = legend_high(len(figure.data), compact=compact)
    subtitle = f"{cut}{since}"
    return lay_out(
        figure, theme, title, subtitle, body=rows_high(len(shown)), above=legend, below=48, compact=compact
    )


_SYSTEM_FULL_NEED = SUMMARIES["system_full"].without(
    "mailbox_provider", "accepted_between", "last_accepted", "weeks_out"
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

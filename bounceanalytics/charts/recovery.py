"""Recovery curves: how soon addresses take mail again, one small panel per reason or mailbox provider."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from bounceanalytics.charts.theme import ThemeName, lay_out, says, small_heading
from bounceanalytics.charts.theme import theme as look_of
from bounceanalytics.knowledge.rules import mailbox_title
from bounceanalytics.schema import CURVE_COLUMNS
from bounceanalytics.wording import number, part, percent, plain, reason_title, rows, shorten

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

_TITLE = "How soon addresses take mail again after a bounce"

#: Name of a group of all reasons, or of all mailbox providers.
_ALL = "all"

#: Days at which the axis has ticks; the longest curve decides how many are shown.
_TICKS = (0, 7, 14, 21, 30, 60, 90, 180, 365, 730)

#: Pixels of a panel with its title, of the title alone, and panels side by side.
_PANEL, _HEAD, _COLUMNS = 176, 48, 3


def recovery(
    curves: pd.DataFrame, *, top: int = 6, theme: ThemeName = "light", compact: bool = False
) -> go.Figure:
    """Return the share of addresses that take mail again by the days since their first bounce, one panel per reason.

    Parameters
    ----------
    curves : pandas.DataFrame
        From :func:`bounceanalytics.recovery_curves`, groups with most episodes first. Reasons over all mailbox
        providers are drawn; mailbox providers over all reasons where the curves tell no reasons apart.
    top : int, default 6
        How many of them to draw; the subtitle says how many there are.
    theme : {'light', 'dark'}, default 'light'
    compact : bool, default False
        One panel beside the other would be too narrow: one below the other.

    Returns
    -------
    plotly.graph_objects.Figure
        Each curve ends where nobody was tried for longer.

    Raises
    ------
    FrameError
        If the curves lack columns, or there is no such theme.

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> from bounceanalytics.finding.recovery import recovery_curves
    >>> from bounceanalytics.charts.recovery import recovery
    >>> bounces = ba.classify(ba.load(ba.samples() / "exports" / "ses").events)
    >>> figure = recovery(recovery_curves(bounces))
    """
    CURVE_COLUMNS.require(curves)
    name, other = ("reason", "mailbox_provider")
    if curves["reason"].eq(_ALL).all():
        name, other = other, name
    drawn = curves[curves[other].eq(_ALL) & curves[name].ne(_ALL)]
    if drawn.empty:
        return says(theme, _TITLE, "No bounce has a time, so there is nothing to follow up.", compact=compact)
    names = drawn[name].drop_duplicates()
    shown = names.head(top).tolist()
    across = 1 if compact else min(_COLUMNS, len(shown))
    down = math.ceil(len(shown) / across)
    body = down * _PANEL
    figure = make_subplots(
        rows=down,
        cols=across,
        vertical_spacing=_HEAD / body if down > 1 else 0,
        horizontal_spacing=0.05,
    )
    longest = int(drawn.loc[drawn[name].isin(shown), "day"].max())
    for place, title in enumerate(shown):
        at = {"row": place // across + 1, "col": place % across + 1}
        curve = drawn[drawn[name].eq(title)]
        for trace in _curve(curve, _called(name, title), look_of(theme).accepted, longest):
            figure.add_trace(trace, **at)
        head = _head(_called(name, title), curve, look_of(theme).quiet)
        figure.add_annotation(head | {"xref": "x domain", "yref": "y domain"}, **at)
    _set_axes(figure, longest, panels=len(shown), across=across)
    kinds = {"reason": "reason", "mailbox_provider": "mailbox provider"}[name]
    shape = part(len(shown), len(names), kinds)
    subtitle = f"share of addresses by days since the first bounce; {shape}" + (
        "" if compact else "; band: 95% interval"
    )
    return lay_out(
        figure, theme, _TITLE, subtitle, body=body - _HEAD, above=_HEAD + 4, below=56, compact=compact
    )


def _called(kind: str, name: str) -> str:
    return reason_title(name) if kind == "reason" else mailbox_title(name)


def _curve(curve: pd.DataFrame, title: str, colour: str, longest: int) -> Iterator[go.Scatter]:
    """Yield the band and the line of one group; where everybody has recovered, a dotted line says that it stays so."""
    days, share = curve["day"].tolist(), curve["share"].tolist()
    low, high = (curve[edge].fillna(curve["share"]).tolist() for edge in ("low", "high"))
    quiet: dict[str, Any] = {"mode": "lines", "hoverinfo": "skip", "showlegend": False, "x": days}
    step = {"shape": "hv", "width": 0, "color": colour}
    yield go.Scatter(y=low, line=step, **quiet)
    yield go.Scatter(y=high, line=step, fill="tonexty", fillcolor=_faint(colour), **quiet)
    if share[-1] == 1 and days[-1] < longest:
        rest = {"color": colour, "width": 1.5, "dash": "dot"}
        yield go.Scatter(y=[1, 1], line=rest, **(quiet | {"x": [days[-1], longest]}))
    yield go.Scatter(
        name=plain(title),
        x=days,
        y=share,
        mode="lines+markers",
        line={"shape": "hv", "color": colour, "width": 2.5},
        marker={"color": colour, "size": 5},
        customdata=[_sentence(title, row) for row in rows(curve)],
        hovertemplate="%{customdata}<extra></extra>",
        cliponaxis=False,
        showlegend=False,
    )


def _faint(colour: str) -> str:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.2)"


def _head(title: str, curve: pd.DataFrame, quiet: str) -> dict[str, Any]:
    """Return the name of a panel and what its curve comes to, above its left edge."""
    last = curve.iloc[-1]
    tried = curve.loc[curve["day"] > 0, "at_risk"].max() if last["day"] else last["recovered"]
    end = f"{number(tried)} of {number(last['episodes'])} tried again"
    if tried:
        end += f": {percent(last['share'])} by day {number(last['day'])}"
    return small_heading(shorten(title, 34), end, quiet, 13)


def _set_axes(figure: go.Figure, longest: int, *, panels: int, across: int) -> None:
    """Give all panels the same axes, with labels on the outer ones only, and hide those that hold nothing."""
    span = max(longest, _TICKS[1])
    ticks = [day for day in _TICKS if day <= span]
    ticks = [day for day, after in zip(ticks, [*ticks[1:], math.inf], strict=True) if after - day > span / 12]
    figure.update_xaxes(range=[-span * 0.015, span * 1.02], tickvals=ticks, showgrid=False)
    figure.update_yaxes(range=[-0.03, 1.03], tickvals=[0, 0.5, 1], tickformat=".0%")
    for place, (x, y) in enumerate(zip(figure.select_xaxes(), figure.select_yaxes(), strict=True)):
        lowest = place + across >= panels
        x.update(visible=place < panels, showticklabels=lowest, title={"text": "days"} if lowest else None)
        y.update(visible=place < panels, showticklabels=place % across == 0)


def _sentence(title: str, row: Any) -> str:
    certain = np.isnan(row.low) or np.isnan(row.high)
    interval = "" if certain else f"<br>(95% interval {percent(row.low)} to {percent(row.high)})"
    return (
        f"<b>{plain(title)}, day {number(row.day)}</b><br>By then {percent(row.share)} take mail again{interval}.<br>"
        f"{number(row.at_risk)} of {number(row.episodes)} were still tried on that day or later."
    )

"""Recovery curves: how soon addresses, and domains, take mail again, in small panels."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from bounceanalytics.charts.panels import HOVER, Grid, Sheet, small_heading
from bounceanalytics.knowledge.rules import mailbox_title
from bounceanalytics.schema import CURVE_COLUMNS, MONITOR_CURVE_COLUMNS, STRING
from bounceanalytics.wording import STATES, number, part, percent, plain, reason_title, rows, shorten

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from bounceanalytics.charts.theme import ThemeName


#: Name of a group of all reasons, or of all mailbox providers.
_ALL = "all"

#: Days at which the axis has ticks; the longest curve decides how many are shown.
_TICKS = (0, 7, 14, 21, 30, 60, 90, 180, 365, 730)


def recovery_curves(
    curves: pd.DataFrame, *, top: int = 6, theme: ThemeName = "light", compact: bool = False
) -> go.Figure:
    """Return the share of addresses that take mail again by the days since their first bounce, one panel per reason.

    Each curve ends where nobody was tried for longer.

    Parameters
    ----------
    curves : pandas.DataFrame
        From :func:`bounceanalytics.recovery_curves`, groups with most episodes first. Reasons over all mailbox
        providers are drawn; mailbox providers over all reasons where the curves tell no reasons apart.
    top, theme, compact
        See :mod:`bounceanalytics.charts`.

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> bounces = ba.classify(ba.load(ba.samples() / "exports" / "ses").events)
    >>> figure = ba.charts.recovery_curves(ba.recovery_curves(bounces))
    """
    curves = CURVE_COLUMNS.require(curves)
    sheet = Sheet("How soon addresses take mail again after a bounce", theme, compact)
    by, other, kind, called = ("reason", "mailbox_provider", "reason", reason_title)
    if curves["reason"].eq(_ALL).all():
        by, other, kind, called = ("mailbox_provider", "reason", "mailbox provider", mailbox_title)
    drawn = curves[curves[other].eq(_ALL) & curves[by].ne(_ALL)]
    if drawn.empty:
        return sheet.empty("No bounce has a time, so there is nothing to follow up.")
    names = drawn[by].drop_duplicates()
    shown = names.head(top).tolist()
    grid = Grid(len(shown), across=1 if compact else 3, high=176, head=48)
    figure = grid.figure(gap=0.05)
    longest = int(drawn.loc[drawn[by].isin(shown), "day"].max())
    for panel, name in enumerate(shown):
        curve, title = drawn[drawn[by].eq(name)], called(name)
        hovers = [_sentence(title, row) for row in rows(curve)]
        _fill(figure, grid.place(panel), curve, title, _outcome(curve), hovers, longest, sheet)
    _set_axes(figure, grid, longest)
    shape = part(len(shown), len(names), kind)
    subtitle = f"share of addresses by days since the first bounce; {shape}"
    subtitle += "" if compact else "; band: 95% interval"
    return grid.lay_out(sheet, figure, subtitle, below=56)


def domain_recovery(
    curves: pd.DataFrame, *, top: int = 6, theme: ThemeName = "light", compact: bool = False
) -> go.Figure:
    """Return the share of troubles of domains that have ended by the days since they were first seen, by what it was.

    A trouble that lasts counts up to when it was last seen; each curve ends there.

    Parameters
    ----------
    curves : pandas.DataFrame
        From :meth:`bounceanalytics.Monitor.recovery_curves`. Where there is one kind of trouble only, it is drawn
        alone; else all of them together come first.
    top, theme, compact
        See :mod:`bounceanalytics.charts`.

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> bounces = ba.classify(ba.load(ba.samples() / "exports" / "ses").events)
    >>> monitor = ba.Monitor(":memory:")
    >>> updated = monitor.update(bounces)
    >>> figure = ba.charts.domain_recovery(monitor.recovery_curves())
    """
    curves = MONITOR_CURVE_COLUMNS.require(curves)
    sheet = Sheet("How soon domains take mail again", theme, compact)
    if curves.empty:
        return sheet.empty("No domain that is watched was ever seen to take no mail.")
    every = curves["status"].astype(STRING)
    names = every.drop_duplicates().tolist()
    names = (
        [name for name in names if name != _ALL] if len(names) == 2 else names
    )  # one kind, and all of that kind
    shown = names[:top]
    grid = Grid(len(shown), across=1 if compact else 3, high=176, head=48)
    figure = grid.figure(gap=0.05)
    longest = int(curves.loc[every.isin(shown), "day"].max())
    for panel, name in enumerate(shown):
        curve, title = curves[every == name], "All troubles" if name == _ALL else STATES[name]
        last = curve.iloc[-1]
        end = f"{number(last['recovered'])} of {number(last['episodes'])} ended"
        end += f": est. {last['share']:.0%} by day {number(last['day'])}" if last["recovered"] else ""
        hovers = [_domain_sentence(title, row) for row in rows(curve)]
        _fill(figure, grid.place(panel), curve, title, end, hovers, longest, sheet)
    _set_axes(figure, grid, longest)
    subtitle = "share of troubles that have ended, by days since they were first seen"
    subtitle += f"; {part(len(shown), len(names), 'kind')}" if len(shown) < len(names) else ""
    subtitle += "" if compact else "; band: 95% interval"
    return grid.lay_out(sheet, figure, subtitle, below=56)


def _fill(
    figure: go.Figure,
    at: dict[str, int],
    curve: pd.DataFrame,
    title: str,
    end: str,
    hovers: list[str],
    longest: int,
    sheet: Sheet,
) -> None:
    """Draw one group into its panel: the curve, and the heading with what it comes to."""
    for trace in _curve(curve, title, hovers, sheet.look.accepted, longest):
        figure.add_trace(trace, **at)
    figure.add_annotation(small_heading(shorten(title, 34), end, sheet.look.quiet, 13), **at)


def _curve(
    curve: pd.DataFrame, title: str, hovers: list[str], colour: str, longest: int
) -> Iterator[go.Scatter]:
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
        customdata=hovers,
        cliponaxis=False,
        showlegend=False,
        **HOVER,
    )


def _faint(colour: str) -> str:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.2)"


def _outcome(curve: pd.DataFrame) -> str:
    """Return what a curve comes to."""
    last = curve.iloc[-1]
    tried = curve.loc[curve["day"] > 0, "at_risk"].max() if last["day"] else last["recovered"]
    end = f"{number(tried)} of {number(last['episodes'])} tried again"
    return f"{end}: {percent(last['share'])} by day {number(last['day'])}" if tried else end


def _set_axes(figure: go.Figure, grid: Grid, longest: int) -> None:
    """Give all panels the same axes, with labels on the outer ones only, and hide those that hold nothing."""
    span = max(longest, _TICKS[1])
    ticks = [day for day in _TICKS if day <= span]
    ticks = [day for day, after in zip(ticks, [*ticks[1:], math.inf], strict=True) if after - day > span / 12]
    figure.update_xaxes(range=[-span * 0.015, span * 1.02], tickvals=ticks, showgrid=False)
    figure.update_yaxes(range=[-0.03, 1.03], tickvals=[0, 0.5, 1], tickformat=".0%")
    for x, y, there, left, lowest in grid.axes(figure):
        x.update(visible=there, showticklabels=lowest, title={"text": "days"} if lowest else None)
        y.update(visible=there, showticklabels=left)


def _interval(row: Any) -> str:
    certain = np.isnan(row.low) or np.isnan(row.high)
    return "" if certain else f"<br>(95% interval {percent(row.low)} to {percent(row.high)})"


def _domain_sentence(title: str, row: Any) -> str:
    return (
        f"<b>{plain(title)}, day {number(row.day)}</b><br>By then {percent(row.share)} have ended{_interval(row)}.<br>"
        f"{number(row.at_risk)} of {number(row.episodes)} were seen for that long;<br>"
        f"{number(row.recovered)} were seen to end."
    )


def _sentence(title: str, row: Any) -> str:
    return (
        f"<b>{plain(title)}, day {number(row.day)}</b><br>"
        f"By then {percent(row.share)} take mail again{_interval(row)}.<br>"
        f"{number(row.at_risk)} of {number(row.episodes)} were still tried on that day or later;<br>"
        f"{number(row.recovered)} were seen to recover, {number(row.no_longer_tried)} were no longer tried."
    )

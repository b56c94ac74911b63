"""Chart of rate changes: before and after."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from bounceanalytics.charts.theme import ThemeName, lay_out, names_axis, rate_axis, rows_high, says
from bounceanalytics.charts.theme import theme as look_of
from bounceanalytics.schema import SUMMARIES
from bounceanalytics.wording import MEASURES, changed, count, day, number, part, percent, plain, rows

if TYPE_CHECKING:
    import pandas as pd

_NEED = SUMMARIES["changes"].without("mailbox_provider", "p_value")

_TITLE = "Whose rates changed, by their own past"


def changes(
    summary: pd.DataFrame, *, top: int = 15, theme: ThemeName = "light", compact: bool = False
) -> go.Figure:
    """Return the rates of hard bounces and blocks before and after they changed.

    Parameters
    ----------
    summary : pandas.DataFrame
        From :func:`bounceanalytics.summarize_changes`, the largest first.
    top : int, default 15
        How many to draw; the subtitle says how many there are.
    theme : {'light', 'dark'}, default 'light'
    compact : bool, default False
        Labels short enough for a phone.

    Returns
    -------
    plotly.graph_objects.Figure
        A hollow dot is the rate before, a full one the rate since.

    Raises
    ------
    FrameError
        If the summary lacks columns, or there is no such theme.

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> bounces = ba.classify(ba.load(ba.samples() / "exports" / "ses").events)
    >>> figure = ba.charts.changes(ba.summarize_changes(bounces))
    """
    _NEED.require(summary)
    if summary.empty:
        sentence = "No rate of hard bounces or blocks has changed by more than chance may do."
        return says(theme, _TITLE, sentence, compact=compact)
    look = look_of(theme)
    shown = summary.head(top)
    places = [str(place) for place in range(len(shown))]  # one name may have two changes
    figure = go.Figure()
    for measure, (name, _) in MEASURES.items():
        mine = [
            (place, row) for place, row in zip(places, rows(shown), strict=True) if row.measure == measure
        ]
        if mine:
            for trace in _dumbbells(mine, name, look.types[measure], look.paper):
                figure.add_trace(trace)
    largest = float(shown[["rate_before", "rate_after"]].max().max())
    axis = names_axis(places, compact=compact)
    axis["ticktext"] = names_axis(shown["name"].tolist(), compact=compact)["ticktext"]
    figure.update_layout(
        xaxis=rate_axis(largest, room=1.55 if compact else 1.3),
        yaxis=axis,
        showlegend=True,
        annotations=[
            _since(place, row, look.paper, compact=compact)
            for place, row in zip(places, rows(shown), strict=True)
        ],
    )
    subtitle = f"{part(len(shown), len(summary), 'change')}; hollow: rate before, full: since"
    subtitle += "" if compact else "; at the right: since when"
    return lay_out(figure, theme, _TITLE, subtitle, body=rows_high(len(shown)), above=36, compact=compact)


def _dumbbells(mine: list[tuple[str, Any]], name: str, colour: str, paper: str) -> list[go.Scatter]:
    """Return lines and hollow and full dots of one measure."""
    x: list[float | None] = []
    y: list[str | None] = []
    for place, row in mine:
        x += [row.rate_before, row.rate_after, None]
        y += [place, place, None]
    common: dict[str, Any] = {
        "y": [place for place, _ in mine],
        "mode": "markers",
        "customdata": [_sentence(row) for _, row in mine],
        "hovertemplate": "%{customdata}<extra></extra>",
        "cliponaxis": False,
    }
    line = {"color": colour, "width": 3}
    hollow = {"size": 11, "color": paper, "line": {"width": 2.5, "color": colour}}
    full = {"size": 13, "color": colour, "line": {"width": 0}}
    return [
        go.Scatter(x=x, y=y, mode="lines", line=line, hoverinfo="skip", showlegend=False),
        go.Scatter(x=[row.rate_before for _, row in mine], marker=hollow, showlegend=False, **common),
        go.Scatter(x=[row.rate_after for _, row in mine], marker=full, name=name, **common),
    ]


def _since(place: str, row: Any, ground: str, *, compact: bool) -> dict[str, Any]:
    when = f"{row.at.day} {row.at:%b}" if compact else day(row.at)
    text = f"spike, {when}" if row.kind == "spike" else when
    at = {"x": 1, "xref": "paper", "xanchor": "right", "y": place, "yanchor": "middle"}
    return {"text": text, "showarrow": False, "font": {"size": 12}, "bgcolor": ground, **at}


def _sentence(row: Any) -> str:
    _, verb = MEASURES[str(row.measure)]
    return (
        f"<b>{plain(str(row.name))}</b><br>{percent(row.rate_after)} of {count(row.attempted_after, 'message')} {verb} "
        f"{changed(row.kind, row.at)};<br>before that {percent(row.rate_before)} of {number(row.attempted_before)}."
    )

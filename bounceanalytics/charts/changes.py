"""Chart of rate changes: before and after."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from bounceanalytics.charts.panels import HOVER, Sheet, names_axis, note, rate_axis, rows_high
from bounceanalytics.schema import SUMMARIES
from bounceanalytics.wording import MEASURES, changed, count, day, number, part, percent, plain, rows

if TYPE_CHECKING:
    import pandas as pd

    from bounceanalytics.charts.theme import ThemeName

_NEED = SUMMARIES["changes"].without("mailbox_provider", "p_value")


def changes(
    summary: pd.DataFrame, *, top: int = 15, theme: ThemeName = "light", compact: bool = False
) -> go.Figure:
    """Return the rates of hard bounces and blocks before and after they changed.

    A hollow dot is the rate before, a full one the rate since.

    Parameters
    ----------
    summary : pandas.DataFrame
        From :func:`bounceanalytics.summarize_changes`, the largest first.
    top, theme, compact
        See :mod:`bounceanalytics.charts`.

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> bounces = ba.classify(ba.load(ba.samples() / "exports" / "ses").events)
    >>> figure = ba.charts.changes(ba.summarize_changes(bounces))
    """
    summary = _NEED.require(summary)
    sheet = Sheet("Whose rates changed, by their own past", theme, compact)
    if summary.empty:
        return sheet.empty("No rate of hard bounces or blocks has changed by more than chance may do.")
    shown = summary.head(top)
    placed = [(str(place), row) for place, row in enumerate(rows(shown))]  # one name may have two changes
    figure = go.Figure()
    for measure, (name, _) in MEASURES.items():
        mine = [(place, row) for place, row in placed if row.measure == measure]
        if mine:
            figure.add_traces(_dumbbells(mine, name, sheet.look.types[measure], sheet.look.paper))
    largest = float(shown[["rate_before", "rate_after"]].max().max())
    labels = names_axis(shown["name"].tolist(), compact=compact)["ticktext"]
    figure.update_layout(
        xaxis=rate_axis(largest, room=1.55 if compact else 1.3),
        yaxis=names_axis([place for place, _ in placed], compact=compact) | {"ticktext": labels},
        showlegend=True,
        annotations=[_since(place, row, sheet) for place, row in placed],
    )
    subtitle = f"{part(len(shown), len(summary), 'change')}; hollow: rate before, full: since"
    subtitle += "" if compact else "; at the right: since when"
    return sheet.lay_out(figure, subtitle, body=rows_high(len(shown)), above=36)


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
        "cliponaxis": False,
        **HOVER,
    }
    line = {"color": colour, "width": 3}
    hollow = {"size": 11, "color": paper, "line": {"width": 2.5, "color": colour}}
    full = {"size": 13, "color": colour, "line": {"width": 0}}
    return [
        go.Scatter(x=x, y=y, mode="lines", line=line, hoverinfo="skip", showlegend=False),
        go.Scatter(x=[row.rate_before for _, row in mine], marker=hollow, showlegend=False, **common),
        go.Scatter(x=[row.rate_after for _, row in mine], marker=full, name=name, **common),
    ]


def _since(place: str, row: Any, sheet: Sheet) -> dict[str, Any]:
    when = f"{row.at.day} {row.at:%b}" if sheet.compact else day(row.at)
    text = f"spike, {when}" if row.kind == "spike" else when
    right: dict[str, Any] = {"x": 1, "xref": "paper", "xanchor": "right", "y": place, "yanchor": "middle"}
    return note(text, bgcolor=sheet.look.paper, **right)


def _sentence(row: Any) -> str:
    _, verb = MEASURES[str(row.measure)]
    return (
        f"<b>{plain(str(row.name))}</b><br>{percent(row.rate_after)} of {count(row.attempted_after, 'message')} {verb} "
        f"{changed(row.kind, row.at)};<br>before that {percent(row.rate_before)} of {number(row.attempted_before)}."
    )

"""The heat map of domains and reasons."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from bounceanalytics.charts.panels import HOVER, Sheet, names_axis, rows_high, text_wide
from bounceanalytics.schema import REASONS, STRING, SUMMARIES
from bounceanalytics.wording import count, part, plain, reason_title, short_number

if TYPE_CHECKING:
    import pandas as pd

    from bounceanalytics.charts.theme import ThemeName

#: Room for so many columns is always kept, so that one cell does not fill the whole width.
_LEAST_COLUMNS = 8

#: So many columns are legible on a phone, and so many with slanted titles on paper.
_MOST_COMPACT, _MANY_COLUMNS = 8, 18


def domain_reasons(
    summary: pd.DataFrame, *, top: int = 20, theme: ThemeName = "light", compact: bool = False
) -> go.Figure:
    """Return a heat map: which domain sends mail back for which reason.

    Shades follow the logarithm of the count, so that rare reasons stay visible beside frequent ones; every cell
    holds its number. On a phone only the eight most frequent reasons are shown.

    Parameters
    ----------
    summary : pandas.DataFrame
        From :func:`bounceanalytics.summarize_domain_reasons`, domains with most bounces first.
    top, theme, compact
        See :mod:`bounceanalytics.charts`.

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> bounces = ba.classify(ba.load(ba.samples() / "exports" / "ses").events)
    >>> figure = ba.charts.domain_reasons(ba.summarize_domain_reasons(bounces))
    """
    summary = SUMMARIES["domain_reasons"].require(summary, ("domain", "reason", "bounced"))
    sheet = Sheet("What each domain says", theme, compact)
    if summary.empty:
        return sheet.empty("No message bounced.")
    every = list(dict.fromkeys(summary["domain"]))
    names = every[:top]
    table = (
        summary[summary["domain"].isin(names)]
        .astype({"reason": STRING})
        .pivot_table(index="domain", columns="reason", values="bounced", aggfunc="sum")
    )
    seen = table.columns
    frequent = table.sum().nlargest(_MOST_COMPACT if compact else len(seen)).index
    met = [reason for reason in REASONS if reason in frequent]
    figure = go.Figure(_cells(table.reindex(index=names, columns=met), sheet))
    above = _set_axes(figure, names, [reason_title(reason) for reason in met], sheet)
    cut = f"; {len(met)} of {len(seen)} reasons" if len(met) < len(seen) else ""
    shape = part(len(names), len(every), "domain")
    subtitle = f"bounces by domain and reason; {shape}, most bounces first{cut}"
    return sheet.lay_out(figure, subtitle, body=rows_high(len(names)), above=above, below=16)


def _cells(table: pd.DataFrame, sheet: Sheet) -> go.Heatmap:
    """Return a cell for each domain and reason; empty where there were no bounces."""
    titles, names = [reason_title(reason) for reason in table.columns], table.index.tolist()
    counts = [[None if value != value else int(value) for value in row] for row in table.to_numpy()]  # noqa: PLR0124
    largest = int(table.max().max())
    hovers = [
        [_sentence(name, title, value) for title, value in zip(titles, row, strict=True)]
        for name, row in zip(names, counts, strict=True)
    ]
    return go.Heatmap(
        x=titles,
        y=names,
        z=counts,
        zmin=0,
        zmax=largest,
        colorscale=_logarithmic(sheet.look.heat, largest),
        showscale=False,
        xgap=2,
        ygap=2,
        text=[["" if value is None else short_number(value) for value in row] for row in counts],
        texttemplate="%{text}",
        textfont={"size": 11 if len(titles) <= _MANY_COLUMNS else 9},
        customdata=hovers,
        hoverongaps=False,
        **HOVER,
    )


def _set_axes(figure: go.Figure, names: list[str], titles: list[str], sheet: Sheet) -> int:
    """Set the axes, titles of reasons on top, and return the pixels that these take."""
    upright = sheet.compact or len(titles) > _MANY_COLUMNS
    lengthy = max(map(text_wide, titles)) + 8
    axis: dict[str, Any] = {
        "side": "top",
        "type": "category",
        "tickvals": titles,
        "range": [-0.5, max(len(titles), _LEAST_COLUMNS) - 0.5],
        "tickangle": -90 if upright else -45,
        "showgrid": False,
        "ticks": "",
    }
    figure.update_layout(
        xaxis=axis,
        yaxis=names_axis(names, compact=sheet.compact) | {"ticks": ""},
        # the last slanted label leans over
        margin_r=24 if upright else max(24, math.ceil(lengthy * 0.71) - 40),
        plot_bgcolor=sheet.look.empty,
    )
    return math.ceil(lengthy + 12 if upright else max(lengthy * 0.71 + 24, 64))


def _logarithmic(shades: tuple[str, ...], largest: int) -> list[list[float | str]]:
    """Return a colour scale over 0..largest whose shades are evenly spread over the logarithm."""
    if largest <= 1:
        return [[0.0, shades[0]], [1.0, shades[len(shades) // 2]]]
    steps = len(shades) - 1
    stops: list[list[float | str]] = [
        [largest ** (i / steps) / largest, shade] for i, shade in enumerate(shades)
    ]
    return [[0.0, shades[0]], *stops]


def _sentence(name: str, title: str, value: int | None) -> str:
    return (
        ""
        if value is None
        else f"<b>{plain(name)}</b><br>{count(value, 'message')} came back: {title.lower()}."
    )

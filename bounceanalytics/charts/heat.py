"""The heat map of domains and reasons."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import plotly.graph_objects as go

from bounceanalytics.charts.theme import ThemeName, lay_out, names_axis, rows_high, says, text_wide
from bounceanalytics.charts.theme import theme as look_of
from bounceanalytics.schema import REASONS, SUMMARIES
from bounceanalytics.wording import count, part, plain, short_number

if TYPE_CHECKING:
    import pandas as pd

#: Room for so many columns is always kept, so that one cell does not fill the whole width.
_LEAST_COLUMNS = 8

#: So many columns are legible on a phone, and so many with slanted titles on paper.
_MOST_COMPACT, _MANY_COLUMNS = 8, 18


def domain_reasons(
    summary: pd.DataFrame, *, top: int = 20, theme: ThemeName = "light", compact: bool = False
) -> go.Figure:
    """Return a heat map: which domain sends mail back for which reason.

    Shades follow the logarithm of the count, so that rare reasons stay visible beside frequent ones; every cell
    holds its number.

    Parameters
    ----------
    summary : pandas.DataFrame
        From :func:`bounceanalytics.summarize_domain_reasons`, domains with most bounces first.
    top : int, default 20
        How many domains to draw; the subtitle says how many there are.
    theme : {'light', 'dark'}, default 'light'
    compact : bool, default False
        Labels short enough for a phone, and only the eight most frequent reasons.

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
    >>> figure = ba.charts.domain_reasons(ba.summarize_domain_reasons(bounces))
    """
    SUMMARIES["domain_reasons"].require(summary, ("domain", "reason", "bounced"))
    title = "What each domain says"
    if summary.empty:
        return says(theme, title, "No message bounced.", compact=compact)
    look = look_of(theme)
    every = list(dict.fromkeys(summary["domain"]))
    names = every[:top]
    shown = summary[summary["domain"].isin(names)]
    table = shown.astype({"reason": "str"}).pivot_table(
        index="domain", columns="reason", values="bounced", aggfunc="sum"
    )
    seen = table.columns
    frequent = table.sum().nlargest(_MOST_COMPACT if compact else len(seen)).index
    met = [reason for reason in REASONS if reason in frequent]
    table = table.reindex(index=names, columns=met)
    counts = [[None if value != value else int(value) for value in row] for row in table.to_numpy()]  # noqa: PLR0124
    titles = [REASONS[reason].title for reason in met]
    figure = go.Figure(
        go.Heatmap(
            x=titles,
            y=names,
            z=counts,
            zmin=0,
            zmax=int(table.max().max()),
            colorscale=_logarithmic(look.heat, int(table.max().max())),
            showscale=False,
            xgap=2,
            ygap=2,
            text=[["" if value is None else short_number(value) for value in row] for row in counts],
            texttemplate="%{text}",
            textfont={"size": 11 if len(met) <= _MANY_COLUMNS else 9},
            customdata=[
                [
                    ""
                    if value is None
                    else f"<b>{plain(name)}</b><br>{count(value, 'message')} came back: {reason.lower()}."
                    for reason, value in zip(titles, row, strict=True)
                ]
                for name, row in zip(names, counts, strict=True)
            ],
            hovertemplate="%{customdata}<extra></extra>",
            hoverongaps=False,
        )
    )
    upright = compact or len(met) > _MANY_COLUMNS
    lengthy = max(map(text_wide, titles)) + 8
    figure.update_layout(
        xaxis={
            "side": "top",
            "type": "category",
            "tickvals": titles,
            "range": [-0.5, max(len(titles), _LEAST_COLUMNS) - 0.5],
            "tickangle": -90 if upright else -45,
            "showgrid": False,
            "ticks": "",
        },
        yaxis=names_axis(names, compact=compact) | {"ticks": ""},
        margin_r=24
        if upright
        else max(24, math.ceil(lengthy * 0.71) - 40),  # the last slanted label leans over
        plot_bgcolor=look.empty,
    )
    shape = part(len(names), len(every), "domain")
    cut = f"; {len(met)} of {len(seen)} reasons" if len(met) < len(seen) else ""
    subtitle = f"bounces by domain and reason; {shape}, most bounces first{cut}"
    above = math.ceil(lengthy + 12 if upright else max(lengthy * 0.71 + 24, 64))
    return lay_out(
        figure, theme, title, subtitle, body=rows_high(len(names)), above=above, below=16, compact=compact
    )


def _logarithmic(shades: tuple[str, ...], largest: int) -> list[list[float | str]]:
    """Return a colour scale over 0..largest whose shades are evenly spread over the logarithm."""
    if largest <= 1:
        return [[0.0, shades[0]], [1.0, shades[len(shades) // 2]]]
    steps = len(shades) - 1
    stops: list[list[float | str]] = [
        [largest ** (i / steps) / largest, shade] for i, shade in enumerate(shades)
    ]
    return [[0.0, shades[0]], *stops]

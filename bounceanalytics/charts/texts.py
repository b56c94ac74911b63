"""Chart of texts that no rule understood."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from bounceanalytics.charts.theme import ThemeName, count_axis, lay_out, says
from bounceanalytics.charts.theme import theme as look_of
from bounceanalytics.schema import UNCLASSIFIED_COLUMNS
from bounceanalytics.wording import count, number, part, plain, rows

if TYPE_CHECKING:
    import pandas as pd

_NEED = UNCLASSIFIED_COLUMNS.select(("template", "events", "addresses", "domains", "worst_domain"))

_TITLE = "Texts that no rule understood"

#: Pixels of a text with its bar, and characters of a text.
_HIGH, _WIDE, _WIDE_COMPACT = 44, 100, 44


def unclassified(
    found: pd.DataFrame, *, top: int = 12, theme: ThemeName = "light", compact: bool = False
) -> go.Figure:
    """Return bars of the texts that no rule understood, by how often they came.

    Parameters
    ----------
    found : pandas.DataFrame
        From :func:`bounceanalytics.unclassified`, most frequent first.
    top : int, default 12
        How many to draw; the subtitle says how many there are.
    theme : {'light', 'dark'}, default 'light'
    compact : bool, default False
        Labels short enough for a phone.

    Returns
    -------
    plotly.graph_objects.Figure
        Each text stands above its bar; the hover text holds all of it.

    Raises
    ------
    FrameError
        If the frame lacks columns, or there is no such theme.

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> bounces = ba.classify(ba.load(ba.samples() / "exports").events)
    >>> figure = ba.charts.unclassified(ba.unclassified(bounces))
    """
    _NEED.require(found)
    if found.empty:
        return says(theme, _TITLE, "Every text was understood.", compact=compact)
    look = look_of(theme)
    shown = found.head(top)
    wide = _WIDE_COMPACT if compact else _WIDE
    places = list(range(len(shown)))
    figure = go.Figure(
        go.Bar(
            orientation="h",
            x=shown["events"].tolist(),
            y=places,
            width=0.3,
            text=[number(n) for n in shown["events"]],
            textposition="outside",
            textfont={"size": 12},
            cliponaxis=False,
            marker={"color": look.types["unknown"], "line": {"width": 0}},
            customdata=[_sentence(row) for row in rows(shown)],
            hovertemplate="%{customdata}<extra></extra>",
            showlegend=False,
        ),
        layout={
            "xaxis": count_axis(shown["events"].max(), room=1.2, steps=3 if compact else 5),
            "yaxis": {"range": [len(shown) - 0.6, -0.75], "visible": False},
            "annotations": [
                {
                    "text": plain(textwrap.shorten(row.template or "(no text)", wide, placeholder=" …")),
                    "showarrow": False,
                    "x": 0,
                    "xref": "paper",
                    "xanchor": "left",
                    "y": place - 0.17,
                    "yanchor": "bottom",
                    "font": {"size": 12},
                }
                for place, row in zip(places, rows(shown), strict=True)
            ],
        },
    )
    subtitle = f"{part(len(shown), len(found), 'text')}; bounces that came with each"
    return lay_out(figure, theme, _TITLE, subtitle, body=_HIGH * len(shown), compact=compact)


def _sentence(row: Any) -> str:
    text = "<br>".join(plain(line) for line in textwrap.wrap(row.template or "(no text)", 80))
    return (
        f"{text}<br><b>{count(row.events, 'bounce')}</b> to {count(row.addresses, 'address', 'addresses')} on "
        f"{count(row.domains, 'domain')}, most at {plain(str(row.worst_domain))}."
    )

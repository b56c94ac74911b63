"""Chart of texts that no rule understood."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from bounceanalytics.charts.panels import Sheet, bars, count_axis, note
from bounceanalytics.schema import UNCLASSIFIED_COLUMNS
from bounceanalytics.wording import count, number, part, plain, rows

if TYPE_CHECKING:
    import pandas as pd

    from bounceanalytics.charts.theme import ThemeName

_NEED = UNCLASSIFIED_COLUMNS.select(("template", "events", "addresses", "domains", "worst_domain"))

#: Pixels of a text with its bar, and characters of a text.
_HIGH, _WIDE, _WIDE_COMPACT = 44, 100, 44


def unclassified(
    found: pd.DataFrame, *, top: int = 12, theme: ThemeName = "light", compact: bool = False
) -> go.Figure:
    """Return bars of the texts that no rule understood, by how often they came.

    Each text stands above its bar; the hover text holds all of it.

    Parameters
    ----------
    found : pandas.DataFrame
        From :func:`bounceanalytics.unclassified`, most frequent first.
    top, theme, compact
        See :mod:`bounceanalytics.charts`.

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> bounces = ba.classify(ba.load(ba.samples() / "exports").events)
    >>> figure = ba.charts.unclassified(ba.unclassified(bounces))
    """
    found = _NEED.require(found)
    sheet = Sheet("Texts that no rule understood", theme, compact)
    if found.empty:
        return sheet.empty("Every text was understood.")
    shown = found.head(top)
    counts, places = shown["events"].tolist(), list(range(len(shown)))
    texts, hovers = [number(n) for n in counts], [_sentence(row) for row in rows(shown)]
    figure = go.Figure(
        bars(places, counts, texts, hovers, sheet.look.types["unknown"], width=0.3),
        layout={
            "xaxis": count_axis(max(counts), room=1.2, steps=3 if compact else 5),
            "yaxis": {"range": [len(shown) - 0.6, -0.75], "visible": False},
            "annotations": [_text(place, row, compact=compact) for place, row in enumerate(rows(shown))],
        },
    )
    subtitle = f"{part(len(shown), len(found), 'text')}; bounces that came with each"
    return sheet.lay_out(figure, subtitle, body=_HIGH * len(shown))


def _text(place: int, row: Any, *, compact: bool) -> dict[str, Any]:
    """Return a text above its bar."""
    wide = _WIDE_COMPACT if compact else _WIDE
    text = plain(textwrap.shorten(row.template or "(no text)", wide, placeholder=" …"))
    return note(text, x=0, xref="paper", xanchor="left", y=place - 0.17, yanchor="bottom")


def _sentence(row: Any) -> str:
    text = "<br>".join(plain(line) for line in textwrap.wrap(row.template or "(no text)", 80))
    return (
        f"{text}<br><b>{count(row.events, 'bounce')}</b> to {count(row.addresses, 'address', 'addresses')} on "
        f"{count(row.domains, 'domain')}, most at {plain(str(row.worst_domain))}."
    )

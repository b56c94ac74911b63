"""One look for all charts: colours that always mean the same, a light and a dark template.

Colours of bounce types are from the palette of Okabe and Ito, those of faults from Paul Tol's muted scheme; both are
told apart with any colour vision, and no colour stands in both sets. Where a tone is too pale for white paper or too
deep for a dark page (WCAG 2.2, 1.4.11: 3:1), the theme holds a shade of the same hue.
"""

from __future__ import annotations

import math
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import plotly.graph_objects as go

from bounceanalytics.charts.wording import plain, shorten
from bounceanalytics.errors import FrameError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd

ThemeName = Literal["light", "dark"]

#: Pixels per bar.
_ROW = 26

#: Fonts that are on the reader's machine; nothing is fetched.
FONT = '"Segoe UI", Roboto, "Helvetica Neue", Arial, "Liberation Sans", sans-serif'

#: How bounce types are called, in the order in which they are stacked.
TYPE_TITLES = {
    "hard": "Hard: the address takes no mail",
    "soft": "Soft: for a time",
    "block": "Block: sender or content refused",
    "unknown": "Not classified",
}

FAULT_TITLES = {
    "recipient": "Recipient: address or mailbox",
    "receiver": "Receiving server",
    "sender": "Sender: reputation, set-up, pace",
    "content": "Content of the message",
    "esp": "ESP",
    "unknown": "Unknown",
}


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours of one look.

    Attributes
    ----------
    paper, ink, quiet, line : str
        Background, text, secondary text, grid lines.
    types, faults : dict of str to str
        Colour of each bounce type and of each fault.
    accepted : str
        Colour of mail that arrived.
    limit : str
        Colour of lines that mark a limit.
    heat : tuple of str
        From a single bounce to the most.
    empty : str
        Cells of a heat map that hold nothing.
    """

    paper: str
    ink: str
    quiet: str
    line: str
    types: dict[str, str]
    faults: dict[str, str]
    accepted: str
    limit: str
    heat: tuple[str, ...]
    empty: str


THEMES: dict[ThemeName, Theme] = {
    "light": Theme(
        paper="#ffffff",
        ink="#1b2430",
        quiet="#5b6675",
        line="#e3e7ec",
        types={"hard": "#d55e00", "soft": "#3a9bd9", "block": "#005a8c", "unknown": "#8a929d"},
        faults={
            "recipient": "#aa4499",
            "receiver": "#8f8a2a",
            "sender": "#332288",
            "content": "#b8860b",
            "esp": "#2f9384",
            "unknown": "#8a929d",
        },
        accepted="#009e73",
        limit="#1b2430",
        heat=("#e4d9ee", "#c4aed9", "#9d7fbf", "#6b479c", "#3b1f6b"),
        empty="#f6f7f9",
    ),
    "dark": Theme(
        paper="#141a22",
        ink="#e8ecf1",
        quiet="#a3adba",
        line="#2c3541",
        types={"hard": "#f07f3c", "soft": "#7cc4f0", "block": "#2f86c6", "unknown": "#8a929d"},
        faults={
            "recipient": "#d97cc9",
            "receiver": "#b5b04a",
            "sender": "#8f86e0",
            "content": "#ddaa33",
            "esp": "#52b8a8",
            "unknown": "#8a929d",
        },
        accepted="#2cc295",
        limit="#e8ecf1",
        heat=("#2f2748", "#45346b", "#6f56a3", "#a48ad0", "#e3d7f5"),
        empty="#1a212b",
    ),
}


def theme(name: ThemeName) -> Theme:
    """Return the theme of that name, or raise FrameError."""
    if name not in THEMES:
        raise FrameError(f"unknown theme {name!r}; there are {' and '.join(THEMES)}")
    return THEMES[name]


def template(name: ThemeName) -> go.layout.Template:
    """Return the plotly template of a theme, for figures of your own as well.

    Parameters
    ----------
    name : {'light', 'dark'}

    Returns
    -------
    plotly.graph_objects.layout.Template

    Raises
    ------
    FrameError
        If there is no such theme.

    Examples
    --------
    >>> import plotly.graph_objects as go
    >>> from bounceanalytics import charts
    >>> figure = go.Figure(layout={"template": charts.template("dark")})
    """
    look = theme(name)
    axis: dict[str, Any] = {
        "gridcolor": look.line,
        "linecolor": look.line,
        "zerolinecolor": look.line,
        "zerolinewidth": 1,
        "tickfont": {"size": 12, "color": look.ink},
        "ticklabelstandoff": 4,
        "title": {"font": {"size": 12, "color": look.quiet}, "standoff": 12},
        "automargin": True,
        "fixedrange": True,  # a chart to read; the wheel keeps scrolling the page
    }
    return go.layout.Template(
        layout={
            "font": {"family": FONT, "size": 13, "color": look.ink},
            "paper_bgcolor": look.paper,
            "plot_bgcolor": "rgba(0,0,0,0)",
            "colorway": [*look.types.values(), *look.faults.values()],
            "title": {
                "x": 0,
                "xref": "container",
                "xanchor": "left",
                "y": 1,
                "yref": "container",
                "yanchor": "top",
                "pad": {"t": 28, "l": 16},
                "font": {"size": 18, "color": look.ink},
            },
            "margin": {"l": 16, "r": 24, "t": 84, "b": 32},
            "xaxis": axis,
            "yaxis": axis,
            "hovermode": "closest",
            "hoverlabel": {
                "bgcolor": look.paper,
                "bordercolor": look.quiet,
                "align": "left",
                "font": {"family": FONT, "size": 13, "color": look.ink},
                "namelength": -1,
            },
            "legend": {
                "orientation": "h",
                "x": 0,
                "xanchor": "left",
                "y": 1,
                "yanchor": "bottom",
                "font": {"size": 12, "color": look.ink},
                "traceorder": "normal",
                "itemclick": False,
                "itemdoubleclick": False,
            },
            "bargap": 0.28,
            "dragmode": False,
        }
    )


def count_axis(largest: float, *, room: float = 1.0, steps: int = 5) -> dict[str, Any]:
    """Return settings of an axis of counts: from zero, whole numbers only.

    Parameters
    ----------
    largest : float
        The largest count shown.
    room : float, default 1.0
        How much longer than that the axis is, for labels at the end of bars.
    steps : int, default 5
        About how many ticks to set up to the largest count.
    """
    largest = max(float(largest), 1.0)
    raw = largest / steps
    power = 10 ** math.floor(math.log10(raw)) if raw >= 1 else 1
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= raw)
    return {"range": [0, largest * room], "tick0": 0, "dtick": step, "tickformat": ",d"}


def names_axis(names: Sequence[str], *, compact: bool) -> dict[str, Any]:
    """Return settings of an axis of names, first one on top, long ones cut in the middle."""
    return {
        "type": "category",
        "categoryorder": "array",
        "categoryarray": list(names),
        "range": [len(names) - 0.5, -0.5],
        "tickvals": list(names),
        "ticktext": [plain(shorten(name, 18 if compact else 34)) + "  " for name in names],
        "showgrid": False,
    }


def rows(frame: pd.DataFrame) -> Iterator[Any]:
    """Return the rows of a summary as named tuples."""
    return frame.itertuples(index=False)


def lay_out(
    figure: go.Figure,
    name: ThemeName,
    title: str,
    subtitle: str,
    *,
    body: int,
    above: int = 8,
    below: int = 32,
    compact: bool = False,
) -> go.Figure:
    """Set template, heading and height of a figure.

    Parameters
    ----------
    figure : plotly.graph_objects.Figure
        Changed in place.
    name : {'light', 'dark'}
    title, subtitle : str
        Wrapped where ``compact``.
    body, above, below : int
        Pixels of the plot itself, of what stands between heading and plot, and of what stands below.
    compact : bool, default False

    Returns
    -------
    plotly.graph_objects.Figure
        The same; ``layout.meta`` holds the words and the height of the heading, see :func:`without_heading`.
    """
    lines = textwrap.wrap(title, 34) if compact else [title]
    sublines = textwrap.wrap(subtitle, 46 if compact else 120)
    heading = 16 + 24 * len(lines) + 18 * len(sublines)
    small = f'<span style="font-size:13px;color:{theme(name).quiet}">{"<br>".join(sublines)}</span>'
    return figure.update_layout(
        template=template(name),
        title={"text": "<br>".join([*lines, small] if subtitle else lines)},
        height=heading + above + body + below,
        margin={"t": heading + above, "b": below},
        meta={"heading": heading, "title": title, "subtitle": subtitle},
    )


def without_heading(figure: go.Figure) -> go.Figure:
    """Return a copy on clear ground and without its heading, for a page that has headings of its own."""
    heading = figure.layout.meta["heading"]
    bare = go.Figure(figure)
    bare.layout.title = None
    return bare.update_layout(
        height=figure.layout.height - heading,
        margin_t=figure.layout.margin.t - heading,
        paper_bgcolor="rgba(0,0,0,0)",
    )


def rows_high(number: int) -> int:
    """Return the height in pixels of so many rows."""
    return max(number, 1) * _ROW + 8


def legend_high(entries: int, *, compact: bool) -> int:
    """Return the height in pixels of a legend above a plot; a row holds two entries on a phone, else three or four."""
    if compact:
        return 12 + 20 * math.ceil(entries / 2)
    return 12 + 20 * (1 if entries <= 4 else math.ceil(entries / 3))


def says(name: ThemeName, title: str, sentence: str, *, compact: bool = False) -> go.Figure:
    """Return a figure that has nothing to draw and says so in words."""
    look = theme(name)
    words = "<br>".join(textwrap.wrap(sentence, 40 if compact else 100))
    figure = go.Figure(
        layout={
            "xaxis": {"visible": False},
            "yaxis": {"visible": False},
            "annotations": [
                {
                    "text": words,
                    "showarrow": False,
                    "xref": "paper",
                    "yref": "paper",
                    "x": 0,
                    "y": 0.5,
                    "xanchor": "left",
                    "align": "left",
                    "font": {"size": 14, "color": look.quiet},
                }
            ],
        }
    )
    return lay_out(figure, name, title, "", body=70, below=16, compact=compact)

"""One look for all charts: colours that always mean the same, a light and a dark template.

Colours of bounce types are from the palette of Okabe and Ito, those of faults from Paul Tol's muted scheme; both are
told apart with any colour vision, and no colour stands in both sets. Where a tone is too pale for white paper or too
deep for a dark page (WCAG 2.2, 1.4.11: 3:1), the theme holds a shade of the same hue.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from typing import Any, Literal

import plotly.graph_objects as go

from bounceanalytics.errors import FrameError

ThemeName = Literal["light", "dark"]

#: Fonts that are on the reader's machine; nothing is fetched.
FONT = '"Segoe UI", Roboto, "Helvetica Neue", Arial, "Liberation Sans", sans-serif'


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours of one look.

    Attributes
    ----------
    paper, ink, quiet, line : str
        Background, text, secondary text, grid lines.
    types, faults : dict of str to str
        Colour of each type of a bounced message, in the order in which they are stacked, and of each fault.
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
        types={"hard": "#f07f3c", "soft": "#7cc4f0", "block": "#338bcb", "unknown": "#8a929d"},
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


#: Types of a bounced message, in the order in which they are stacked.
BOUNCED = tuple(THEMES["light"].types)


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
            "xaxis": axis | {"ticklabelstandoff": 7},  # clear of the lowest label beside the plot
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


def without_heading(figure: go.Figure) -> dict[str, Any]:
    """Return a figure as JSON, on clear ground and without its heading, for a page that has headings of its own."""
    told: dict[str, Any] = json.loads(figure.to_json(validate=False))
    layout = told["layout"]
    heading = layout["meta"]["heading"]
    del layout["title"]
    layout["height"] -= heading
    layout["margin"]["t"] -= heading
    layout["paper_bgcolor"] = "rgba(0,0,0,0)"
    return told


def in_dark(told: dict[str, Any]) -> dict[str, Any]:
    """Return the JSON of a light figure with the colours of the dark theme; drawing it anew would take far longer."""
    dark: dict[str, Any] = json.loads(
        re.sub(r"#[0-9a-f]{6}", lambda found: _DARK.get(found[0], found[0]), json.dumps(told))
    )
    return dark


def _colours(look: Theme) -> list[str]:
    return [
        colour
        for value in asdict(look).values()
        for colour in (
            [value] if isinstance(value, str) else value.values() if isinstance(value, dict) else value
        )
    ]


#: Colour of the light theme -> of the dark one.
_DARK = dict(zip(_colours(THEMES["light"]), _colours(THEMES["dark"]), strict=True))

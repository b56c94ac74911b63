"""One look for all charts: colours that always mean the same, a light and a dark template.

Colours of bounce types are from the palette of Okabe and Ito, those of faults from Paul Tol's muted scheme; both are
told apart with any colour vision, and no colour stands in both sets. Where a tone is too pale for white paper or too
deep for a dark page (WCAG 2.2, 1.4.11: 3:1), the theme holds a shade of the same hue.
"""

from __future__ import annotations

import json
import math
import re
import textwrap
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import plotly.graph_objects as go

from bounceanalytics.errors import FrameError
from bounceanalytics.wording import plain, shorten

if TYPE_CHECKING:
    from collections.abc import Sequence

ThemeName = Literal["light", "dark"]

#: Pixels per bar, and per row of a legend.
_ROW, _ENTRY = 26, 20

#: Whether compact -> pixels of the narrowest figures, on paper and on a phone; wider ones have room to spare.
NARROWEST = {False: 700, True: 358}

#: Characters of small print that fit on paper.
_LINE = 96

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
    words = ",d" if largest < 100_000 else "~s"  # 200k, 1.5M
    return {"range": [0, largest * room], "tick0": 0, "dtick": step, "tickformat": words}


def rate_axis(largest: float, *, room: float = 1.0, steps: int = 5) -> dict[str, Any]:
    """Return settings of an axis of shares (0-1): from zero, in percent, with decimals only where ticks need them.

    Room beyond 100% has no ticks, for no share is larger.

    Parameters
    ----------
    largest : float
        The largest share shown.
    room : float, default 1.0
        How much longer than that the axis is.
    steps : int, default 5
        About how many ticks to set up to the largest share.

    Examples
    --------
    >>> [(axis["dtick"], axis["tickformat"]) for axis in map(rate_axis, (1.0, 0.08, 0.004))]
    [(0.2, '.0%'), (0.02, '.0%'), (0.001, '.1%')]
    >>> rate_axis(1.0, room=1.5)["tickvals"]
    [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    """
    largest = max(float(largest), 1e-4)
    power = math.floor(math.log10(largest / steps))
    # one step more than the largest would need is not worth a tick: 1e-9 forgives the last bit
    step = next(m * 10.0**power for m in (1, 2, 5, 10) if m * 10.0**power >= largest / steps - 1e-9)
    decimals = max(0, -math.floor(math.log10(step) + 1e-9) - 2)
    ticks = math.floor(min(largest * room, 1.0) / step + 1e-9)
    return {
        "range": [0, largest * room],
        "tick0": 0,
        "dtick": round(step, 12),
        "tickmode": "array",
        "tickvals": [round(tick * step, 12) for tick in range(ticks + 1)],
        "tickformat": f".{decimals}%",
    }


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
        Wrapped to the width of a phone where ``compact``, else to that of a sheet of paper.
    body, above, below : int
        Pixels of the plot itself, of what stands between heading and plot, and of what stands below. A legend gets
        what it needs above the plot in any case.
    compact : bool, default False

    Returns
    -------
    plotly.graph_objects.Figure
        The same; ``layout.meta`` holds the words and the height of the heading, see :func:`without_heading`.
    """
    lines = textwrap.wrap(title, 34) if compact else [title]
    sublines = textwrap.wrap(subtitle, 46 if compact else _LINE)
    legend, legend_room = _legend(figure, NARROWEST[compact])
    above = max(above, legend_room)
    heading = 16 + 24 * len(lines) + 18 * len(sublines)
    small = f'<span style="font-size:13px;color:{theme(name).quiet}">{"<br>".join(sublines)}</span>'
    return figure.update_layout(
        template=template(name),
        title={"text": "<br>".join([*lines, small] if subtitle else lines)},
        height=heading + above + body + below,
        margin={"t": heading + above, "b": below},
        legend=legend,
        meta={"heading": heading, "title": title, "subtitle": subtitle},
    )


def _legend(figure: go.Figure, wide: int) -> tuple[dict[str, Any], int]:
    """Return settings of a legend above a plot, and its height in pixels, so that it fits into a figure so wide.

    A legend in one row stays in one row on wider figures, and one in columns keeps their number; so the room that it
    takes does not depend on the width of the figure, which is not known yet.
    """
    entries = [
        trace.name
        for trace in figure.data
        if trace.name
        and trace.showlegend is not False
        and (trace.showlegend or figure.layout.showlegend is not False)
    ]
    if not entries or figure.layout.showlegend is False:
        return {}, 0
    labels = [str(label).strip() for label in figure.layout.yaxis.ticktext or ("12,345",)]
    room = wide - 44 - max(map(text_wide, labels))
    each = [40 + text_wide(entry) for entry in entries]
    if sum(each) + 5 * len(each) < room:
        return {}, 12 + _ENTRY
    across = max(1, min(len(entries), int(room / (max(each) + 5))))
    down = math.ceil(len(entries) / across)
    return {"entrywidthmode": "fraction", "entrywidth": 0.94 / across}, 12 + _ENTRY * down


def text_wide(text: str, size: float = 12) -> float:
    """Return about how many pixels a text is wide, in a wide font.

    >>> round(text_wide("mail.example.org"))
    96
    """
    return len(text) * size * 0.5


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


def panel_heading(text: str, axis: str, colour: str) -> dict[str, Any]:
    """Return the heading of one of several panels side by side, above its left edge."""
    place = {
        "xref": f"{axis} domain",
        "x": 0,
        "xanchor": "left",
        "yref": "paper",
        "y": 1,
        "yanchor": "bottom",
    }
    return {"text": text, "showarrow": False, "font": {"size": 12, "color": colour}, **place}


def small_heading(name: str, words: str, colour: str, size: int) -> dict[str, Any]:
    """Return the heading of one of many small panels: its name, and below it in a smaller size what it comes to."""
    return {
        "text": f'<b>{plain(name)}</b><br><span style="font-size:{size - 1}px;color:{colour}">{words}</span>',
        "showarrow": False,
        "x": 0,
        "xanchor": "left",
        "y": 1,
        "yanchor": "bottom",
        "yshift": size - 9,  # clear of the plot, the more the larger the letters
        "align": "left",
        "font": {"size": size},
    }


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
    words = "<br>".join(textwrap.wrap(sentence, 40 if compact else 84))
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

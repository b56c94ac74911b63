"""Parts that charts are made of: the sheet they are laid out on, axes, bars, spans of time, headings and notes."""

from __future__ import annotations

import math
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from bounceanalytics.charts.theme import Theme, ThemeName, template, theme
from bounceanalytics.wording import plain, shorten

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bounceanalytics.wording import Words

DAY, HOUR, _MS = pd.Timedelta(days=1), pd.Timedelta(hours=1), pd.Timedelta(milliseconds=1)

#: Whether compact -> pixels of the narrowest figures, on paper and on a phone; wider ones have room to spare.
NARROWEST = {False: 700, True: 358}

#: Pixels per bar, and per row of a legend.
_ROW, _ENTRY = 26, 20

#: Characters of small print that fit on paper.
_LINE = 96

#: Where a trace says in ``customdata`` what its marks say of themselves.
HOVER = {"hovertemplate": "%{customdata}<extra></extra>"}


@dataclass(frozen=True, slots=True)
class Sheet:
    """Sheet that a chart is laid out on.

    Attributes
    ----------
    title : str
    theme : {'light', 'dark'}
    compact : bool
        Whether it is for a phone.
    """

    title: str
    theme: ThemeName
    compact: bool

    @property
    def look(self) -> Theme:
        """The colours."""
        return theme(self.theme)

    def called(self, words: Words) -> str:
        """Return what a legend calls a value."""
        return words.short if self.compact else words.title

    def empty(self, sentence: str) -> go.Figure:
        """Return a figure that has nothing to draw and says so in words."""
        words = "<br>".join(textwrap.wrap(sentence, 40 if self.compact else 84))
        place = {"x": 0, "y": 0.5, "xref": "paper", "yref": "paper", "xanchor": "left", "align": "left"}
        hidden = {"visible": False}
        words_only = {"annotations": [note(words, size=14, colour=self.look.quiet, **place)]}
        figure = go.Figure(layout={"xaxis": hidden, "yaxis": hidden} | words_only)
        return self.lay_out(figure, "", body=70, below=16)

    def lay_out(
        self, figure: go.Figure, subtitle: str, *, body: int, above: int = 8, below: int = 32
    ) -> go.Figure:
        """Set template, heading and height of a figure.

        Parameters
        ----------
        figure : plotly.graph_objects.Figure
            Changed in place.
        subtitle : str
            Wrapped to the width of a phone or of a sheet of paper, as the title is.
        body, above, below : int
            Pixels of the plot itself, of what stands between heading and plot, and of what stands below. A legend gets
            what it needs above the plot in any case.

        Returns
        -------
        plotly.graph_objects.Figure
            The same; ``layout.meta`` holds the words and the height of the heading, see
            :func:`bounceanalytics.charts.theme.without_heading`.
        """
        lines = textwrap.wrap(self.title, 34) if self.compact else [self.title]
        sublines = textwrap.wrap(subtitle, 46 if self.compact else _LINE)
        legend, legend_room = _legend(figure, NARROWEST[self.compact])
        above = max(above, legend_room)
        heading = 16 + 24 * len(lines) + 18 * len(sublines)
        small = f'<span style="font-size:13px;color:{self.look.quiet}">{"<br>".join(sublines)}</span>'
        return figure.update_layout(
            template=template(self.theme),
            title={"text": "<br>".join([*lines, small] if subtitle else lines)},
            height=heading + above + body + below,
            margin={"t": heading + above, "b": below},
            legend=legend,
            meta={"heading": heading, "title": self.title, "subtitle": subtitle},
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


def rows_high(number: int) -> int:
    """Return the height in pixels of so many rows."""
    return max(number, 1) * _ROW + 8


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


def time_axis(
    begin: pd.Timestamp, end: pd.Timestamp, first_tick: pd.Timestamp, every: pd.Timedelta
) -> dict[str, Any]:
    """Return settings of an axis of time, with a tick every so many hours, days or weeks."""
    return {
        "type": "date",
        "range": [begin, end],
        "tick0": first_tick,
        "dtick": every / _MS,
        "tickformat": "%-d %b\n%Y" if every >= DAY else "%H:%M\n%-d %b %Y",
    }


def days_axis(first: pd.Timestamp, last: pd.Timestamp, ticks: int) -> dict[str, Any]:
    """Return settings of an axis of days, with so many ticks at most, on whole days also where the period is short."""
    edge = max((last - first) * 0.03, DAY * 0.5)
    every = max(1, math.ceil((last - first) / DAY / ticks))
    return time_axis(first - edge, last + edge, first.normalize(), every * DAY)


def wall(moment: pd.Timestamp) -> pd.Timestamp:
    """Return a moment by the clock of its zone; plotly would show UTC."""
    return moment.tz_localize(None)


def spans(
    lines: Iterable[tuple[str, pd.Timestamp, pd.Timestamp, str]], title: str, colour: str
) -> go.Scatter:
    """Return one line per name, begin, end and hover text; a gap keeps them apart, and a short one is a dot."""
    x: list[Any] = []
    y: list[Any] = []
    hovers: list[str] = []
    for name, begin, end, hover in lines:
        x += [wall(begin), wall(end), None]
        y += [name, name, None]
        hovers += [hover, hover, ""]
    return go.Scatter(
        mode="lines+markers",
        name=title,
        x=x,
        y=y,
        connectgaps=False,
        line={"color": colour, "width": 9},
        marker={"color": colour, "size": 9, "symbol": "circle", "line": {"width": 0}},
        customdata=hovers,
        **HOVER,
    )


def bars(
    names: Sequence[Any],
    values: Sequence[float],
    texts: Sequence[str],
    hovers: Sequence[str],
    colour: str,
    **more: Any,
) -> go.Bar:
    """Return horizontal bars with their texts at the end."""
    look = {
        "orientation": "h",
        "textposition": "outside",
        "textfont": {"size": 12},
        "textangle": 0,
        "cliponaxis": False,
        "constraintext": "none",
        "marker": {"color": colour, "line": {"width": 0}},
        "showlegend": False,
    }
    return go.Bar(x=values, y=names, text=texts, customdata=hovers, **HOVER, **look | more)


def interval(
    rate: pd.Series[float], low: pd.Series[float], high: pd.Series[float], colour: str, **look: Any
) -> dict[str, Any]:
    """Return settings of whiskers from the lower to the upper end of an interval."""
    return {
        "type": "data",
        "symmetric": False,
        "array": (high - rate).fillna(0).tolist(),
        "arrayminus": (rate - low).fillna(0).tolist(),
        "color": colour,
        **look,
    }


def note(text: str, *, size: int = 12, colour: str | None = None, **place: Any) -> dict[str, Any]:
    """Return a text on a chart, without an arrow."""
    font = {"size": size} | ({"color": colour} if colour else {})
    return {"text": text, "showarrow": False, "font": font, **place}


def row_note(row: int, of: int, text: str, **place: Any) -> dict[str, Any]:
    """Return a text in a row, of so many from 0; by its place and not by its name, which may hold markup."""
    middle: dict[str, Any] = {
        "y": 1 - (row + 0.5) / of,
        "yref": "paper",
        "yanchor": "middle",
        "xanchor": "left",
        "xshift": 6,
    }
    return note(text, **middle | place)


def rate_note(row: int, of: int, text: str) -> dict[str, Any]:
    """Return a rate in words right of the plot, in that one of so many rows."""
    return row_note(row, of, text, x=1, xref="paper")


def no_rate_note(row: int, of: int, axis: str, look: Theme) -> dict[str, Any]:
    """Return why there is no rate, at the left edge of a panel, in that one of so many rows."""
    left: dict[str, Any] = {"x": 0, "xref": f"{axis} domain", "bgcolor": look.paper}
    return row_note(row, of, "no deliveries in the export", colour=look.quiet, **left)


def panel_heading(text: str, axis: str, colour: str) -> dict[str, Any]:
    """Return the heading of one of several panels side by side, above its left edge."""
    place: dict[str, Any] = {
        "xref": f"{axis} domain",
        "x": 0,
        "xanchor": "left",
        "yref": "paper",
        "y": 1,
        "yanchor": "bottom",
    }
    return note(text, colour=colour, **place)


def small_heading(name: str, words: str, colour: str, size: int) -> dict[str, Any]:
    """Return the heading of one of many small panels: its name, and below it in a smaller size what it comes to."""
    text = f'<b>{plain(name)}</b><br><span style="font-size:{size - 1}px;color:{colour}">{words}</span>'
    place: dict[str, Any] = {"x": 0, "xanchor": "left", "y": 1, "yanchor": "bottom", "align": "left"}
    axes = {"xref": "x domain", "yref": "y domain"}
    # clear of the plot, the more the larger the letters
    return note(text, size=size, yshift=size - 9, **place, **axes)


@dataclass(frozen=True, slots=True)
class Grid:
    """Small panels with the same axes, row by row; each has a heading above it.

    Attributes
    ----------
    panels, across : int
        How many there are, and how many at most stand side by side.
    high, head : int
        Pixels of a panel with its heading, and of the heading alone.
    """

    panels: int
    across: int
    high: int
    head: int

    @property
    def columns(self) -> int:
        """How many stand side by side."""
        return min(self.across, self.panels)

    @property
    def body(self) -> int:
        """Pixels of all of them."""
        return math.ceil(self.panels / self.columns) * self.high

    def figure(self, gap: float) -> go.Figure:
        """Return a figure of empty panels, with such a share of the width between two of them."""
        down = math.ceil(self.panels / self.columns)
        spacing = self.head / self.body if down > 1 else 0
        return make_subplots(rows=down, cols=self.columns, vertical_spacing=spacing, horizontal_spacing=gap)

    def place(self, panel: int) -> dict[str, int]:
        """Return row and column of a panel, as plotly counts them."""
        return {"row": panel // self.columns + 1, "col": panel % self.columns + 1}

    def axes(self, figure: go.Figure) -> Iterator[tuple[Any, Any, bool, bool, bool]]:
        """Yield the axes of each panel, and whether it is there, in the left column, and the lowest of its column."""
        for panel, (x, y) in enumerate(zip(figure.select_xaxes(), figure.select_yaxes(), strict=True)):
            yield x, y, panel < self.panels, panel % self.columns == 0, panel + self.columns >= self.panels

    def lay_out(self, sheet: Sheet, figure: go.Figure, subtitle: str, *, below: int) -> go.Figure:
        """Lay the panels out on a sheet; the first row of headings stands above the plot."""
        above = self.head + 4
        return sheet.lay_out(figure, subtitle, body=self.body - self.head, above=above, below=below)

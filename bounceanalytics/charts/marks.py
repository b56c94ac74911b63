"""Incidents along the time: numbers above the bars of a chart, and below it what they stand for."""

from __future__ import annotations

import math
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from bounceanalytics.charts.panels import HOVER, note
from bounceanalytics.wording import plain, rows, shorten

if TYPE_CHECKING:
    from collections.abc import Iterator

    import plotly.graph_objects as go

    from bounceanalytics.charts.theme import Theme

#: So many incidents are marked at most.
MOST_MARKS = 8

#: Pixels of the bars, of the labels of time below, of a row of numbers above, and of a line of the list.
BARS, TICKS_BELOW, _LANE, _LIST_LINE = 260, 48, 22, 15.6

#: Pixels of the narrowest plots, between the margins, on a phone and on paper; numbers keep apart in these.
_PLOT_PHONE, _PLOT_PAPER = 290, 600


@dataclass(frozen=True, slots=True)
class _Mark:
    """An incident where it is drawn."""

    number: int
    row: Any
    colour: str
    start: pd.Timestamp
    end: pd.Timestamp | None


def within(incidents: pd.DataFrame, periods: pd.Series[Any], step: pd.Timedelta) -> pd.DataFrame:
    """Return the incidents that began within the periods, in the wall clock of their zone."""
    walls = incidents.copy()
    for edge in ("start", "end"):
        moments = pd.to_datetime(incidents[edge], utc=True)  # ends that are all missing may have no zone
        walls[edge] = moments.dt.tz_convert(periods.dt.tz).dt.tz_localize(None)
    first, last = periods.min().tz_localize(None), periods.max().tz_localize(None)
    return walls[walls["start"].ge(first) & walls["start"].lt(last + step)]


def mark_incidents(
    figure: go.Figure, met: pd.DataFrame, step: pd.Timedelta, look: Theme, *, compact: bool
) -> tuple[int, int]:
    """Draw the largest incidents above the bars and list them below; return the pixels that both take."""
    begin, end = map(pd.Timestamp, figure.layout.xaxis.range)
    marks = _marks(met, step, end, look)
    lane_of = _lanes(marks, _LANE * (end - begin) / (_PLOT_PHONE if compact else _PLOT_PAPER))
    lanes = _LANE * (max(lane_of) + 1)
    bars = BARS / (BARS + lanes)
    axis = {"domain": [bars, 1], "range": [0, max(lane_of) + 1], "visible": False, "anchor": "x"}
    figure.update_layout(yaxis_domain=[0, bars], yaxis2=axis)
    for mark, lane in zip(marks, lane_of, strict=True):
        for shape in _lines(mark, lane + 0.5, bars, look.ink):
            figure.add_shape(shape)
    figure.add_scatter(
        mode="markers+text",
        x=[mark.start for mark in marks],
        y=[lane + 0.5 for lane in lane_of],
        yaxis="y2",
        text=[str(mark.number) for mark in marks],
        textfont={"size": 11, "color": look.ink},
        marker={
            "size": _LANE - 4,
            "color": look.paper,
            "opacity": 1,
            "line": {"width": 2, "color": [mark.colour for mark in marks]},
        },
        customdata=[_incident_sentence(mark.row) for mark in marks],
        cliponaxis=False,
        showlegend=False,
        **HOVER,
    )
    columns = 1 if compact else 2
    down = math.ceil(len(marks) / columns)
    for column in range(columns):
        part = marks[column * down : (column + 1) * down]
        if part:
            figure.add_annotation(_list(part, column / columns, 32 if compact else 36))
    return lanes, round(_LIST_LINE * down) + 12


def _marks(met: pd.DataFrame, step: pd.Timedelta, end: pd.Timestamp, look: Theme) -> list[_Mark]:
    """Return the largest incidents in the order of time, where they are drawn."""
    shown = met.nlargest(MOST_MARKS, "reached").sort_values("start", kind="stable")
    # a bar stands around the start of its period, so a moment within it is half a step further left
    return [
        _Mark(
            number=place,
            row=row,
            colour=_incident_colour(row.kind, look),
            start=row.start - step / 2,
            end=None if pd.isna(row.end) else min(row.end - step / 2, end),
        )
        for place, row in enumerate(rows(shown), start=1)
    ]


def _lines(mark: _Mark, height: float, bars: float, ink: str) -> Iterator[dict[str, Any]]:
    """Yield the stem of a mark, through the bars and above them, and the time that the incident took."""
    thin = {"color": ink, "width": 1, "dash": "1px,3px"}
    stem = {"type": "line", "x0": mark.start, "x1": mark.start, "y0": 0, "line": thin}
    yield stem | {"y1": bars, "yref": "paper"}
    yield stem | {"y1": height, "yref": "y2", "layer": "below"}  # below other numbers
    if mark.end is not None and mark.end > mark.start:
        span = {"type": "line", "x0": mark.start, "x1": mark.end, "y0": height, "y1": height, "yref": "y2"}
        yield span | {"line": {"color": mark.colour, "width": 3}, "layer": "below"}


def _lanes(marks: list[_Mark], apart: pd.Timedelta) -> list[int]:
    """Return a lane for each mark, the lowest in which it keeps clear of those before it."""
    ends: list[pd.Timestamp] = []
    lanes = []
    for mark in marks:
        lane = next((lane for lane, end in enumerate(ends) if mark.start - apart >= end), len(ends))
        ends[lane : lane + 1] = [max(mark.start, mark.end or mark.start)]
        lanes.append(lane)
    return lanes


def _list(marks: list[_Mark], x: float, length: int) -> dict[str, Any]:
    lines = [
        f'<span style="color:{mark.colour}">●</span> <b>{mark.number}</b>  {mark.row.start.day} {mark.row.start:%b}:'
        f" {plain(shorten(mark.row.title, length))}"
        for mark in marks
    ]
    place: dict[str, Any] = {
        "x": x,
        "xref": "paper",
        "xanchor": "left",
        "y": 0,
        "yref": "paper",
        "yanchor": "top",
    }
    return note("<br>".join(lines), align="left", yshift=-TICKS_BELOW, **place)


def _incident_colour(kind: str, look: Theme) -> str:
    return {
        "storm": look.faults["receiver"],
        "block": look.types["block"],
        "refusal": look.types["block"],
        "recovery": look.accepted,
        "full": look.types["hard"],
        "spike": look.types["hard"],
    }.get(kind, look.quiet)


def _incident_sentence(row: Any) -> str:
    return f"<b>{plain(row.title)}</b><br>" + "<br>".join(map(plain, textwrap.wrap(row.sentence, 64)))

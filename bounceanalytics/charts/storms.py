"""Chart of storms: hours in which servers wrongly refused many at once."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from bounceanalytics.charts.theme import ThemeName, lay_out, legend_high, names_axis, rows_high, says
from bounceanalytics.charts.theme import theme as look_of
from bounceanalytics.knowledge.rules import mailbox_title
from bounceanalytics.schema import STORM_COLUMNS
from bounceanalytics.wording import count, day, esp_title, number, part, percent, plain, rows

_NEED = STORM_COLUMNS.without("hits", "p_value", "explanation")

_TITLE = "Storms: hours in which many good addresses were refused at once"

#: Kind of storm -> whose colour it has, and what it is called.
_KINDS = {
    "unknown_users": ("receiver", "Mailbox provider said that users do not exist", "Unknown users"),
    "everything": ("sender", "Everything bounced: relay or ESP broken", "Everything"),
}

_HOUR = pd.Timedelta(hours=1)
_MS = pd.Timedelta(milliseconds=1)

#: Hours between ticks, of which the first is taken that makes few enough.
_STEPS = (3, 6, 12, 24, 48, 24 * 7, 24 * 14)


def storms(
    found: pd.DataFrame, *, top: int = 20, theme: ThemeName = "light", compact: bool = False
) -> go.Figure:
    """Return a timeline of the storms, one row per mailbox provider, domain or ESP.

    Parameters
    ----------
    found : pandas.DataFrame
        From :func:`bounceanalytics.storms`, in the order of time.
    top : int, default 20
        How many storms to draw, the first ones; the subtitle says how many there are.
    theme : {'light', 'dark'}, default 'light'
    compact : bool, default False
        Labels short enough for a phone.

    Returns
    -------
    plotly.graph_objects.Figure

    Raises
    ------
    FrameError
        If the frame lacks columns, or there is no such theme.

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> from bounceanalytics.charts.storms import storms
    >>> from bounceanalytics.finding import storms as find_storms
    >>> bounces = ba.classify(ba.load(ba.samples() / "exports" / "ses").events)
    >>> figure = storms(find_storms(bounces))
    """
    _NEED.require(found)
    if found.empty:
        sentence = "In no hour did a server refuse far more addresses than it usually does."
        return says(theme, _TITLE, sentence, compact=compact)
    shown = found.head(top)
    names = [_place(row) for row in rows(shown)]
    colours = look_of(theme).faults
    figure = go.Figure()
    for kind, (fault, title, short) in _KINDS.items():
        mine = [(name, row) for name, row in zip(names, rows(shown), strict=True) if row.kind == kind]
        if mine:
            figure.add_trace(_spans(mine, short if compact else title, colours[fault]))
    refused = dict.fromkeys(names, 0)
    for name, row in zip(names, rows(shown), strict=True):
        refused[name] += row.addresses
    look = look_of(theme)
    figure.update_layout(
        xaxis=_time_axis(shown["start"].min(), shown["end"].max(), 3 if compact else 7),
        yaxis=names_axis(list(refused), compact=compact),
        showlegend=True,
        annotations=[
            {
                "text": number(total) if compact else f"{number(total)} refused",
                "showarrow": False,
                "x": 1,
                "xref": "paper",
                "xanchor": "right",
                "y": name,
                "font": {"size": 12},
                "bgcolor": look.paper,
            }
            for name, total in refused.items()
        ],
    )
    before, back = int(shown["accepted_before"].sum()), int(shown["recovered"].sum())
    reach = f"{count(sum(refused.values()), 'address', 'addresses')} refused"
    subtitle = (
        f"{part(len(shown), len(found), 'storm')}, UTC; {reach}, of which {number(before)} had taken mail"
    )
    subtitle += f" before and {number(back)} did later"
    legend = legend_high(len(figure.data), compact=compact)
    return lay_out(
        figure, theme, _TITLE, subtitle, body=rows_high(len(refused)), above=legend, below=48, compact=compact
    )


def _place(row: Any) -> str:
    """Return who is to blame, as one writes it."""
    if row.kind == "everything":
        return esp_title(str(row.provider))
    return mailbox_title(row.mailbox_provider, row.domain)


def _spans(storms_of_kind: list[tuple[str, Any]], title: str, colour: str) -> go.Scatter:
    """Return one line per storm, from its first to its last answer; a gap keeps them apart."""
    x: list[Any] = []
    y: list[Any] = []
    hovers: list[str] = []
    for name, row in storms_of_kind:
        x += [row.start.tz_localize(None), row.end.tz_localize(None), None]
        y += [name, name, None]
        hovers += [_sentence(name, row)] * 2 + [""]
    return go.Scatter(
        mode="lines+markers",
        name=title,
        x=x,
        y=y,
        connectgaps=False,
        line={"color": colour, "width": 9},
        marker={"color": colour, "size": 9, "symbol": "circle", "line": {"width": 0}},  # a short one is a dot
        customdata=hovers,
        hovertemplate="%{customdata}<extra></extra>",
    )


def _time_axis(first: pd.Timestamp, last: pd.Timestamp, ticks: int) -> dict[str, Any]:
    """Return settings of an axis of hours or days, with room for a column of numbers at its right."""
    first, last = first.tz_localize(None), last.tz_localize(None)
    hours = max((last - first) / _HOUR, 6)
    step = next(
        (step for step in _STEPS if hours / step <= ticks), 24 * 7 * math.ceil(hours / (24 * 7 * ticks))
    )
    edge = _HOUR * hours * 0.05
    return {
        "type": "date",
        "range": [first - edge, first + _HOUR * hours + 5 * edge],
        "tick0": first.normalize(),
        "dtick": step * (_HOUR / _MS),
        "tickformat": "%H:%M\n%-d %b %Y" if step < 24 else "%-d %b\n%Y",
    }


def _sentence(name: str, row: Any) -> str:
    begin, end = (f"{moment:%H:%M}" for moment in (row.start, row.end))
    span = f"On {day(row.start)} from {begin} to {end} UTC"
    if row.start.date() != row.end.date():
        span = f"From {day(row.start)}, {begin}, to {day(row.end)}, {end} UTC"
    what = "bounced, wherever they were" if row.kind == "everything" else "were said not to exist"
    usual = (
        "" if pd.isna(row.usual_share) else f" ({percent(row.share)}; usual is {percent(row.usual_share)})"
    )
    return (
        f"<b>{plain(name)}</b><br>{span}<br>{number(row.addresses)} of {count(row.attempts, 'address', 'addresses')} "
        f"{what}{usual}.<br>{number(row.accepted_before)} had taken mail before, {number(row.recovered)} did later."
    )

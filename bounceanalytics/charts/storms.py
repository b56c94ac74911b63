"""Chart of storms: hours in which servers wrongly refused many at once."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pandas as pd
import plotly.graph_objects as go

from bounceanalytics.charts.panels import HOUR, Sheet, names_axis, note, rows_high, spans, time_axis, wall
from bounceanalytics.knowledge.rules import mailbox_title
from bounceanalytics.schema import STORM_COLUMNS
from bounceanalytics.wording import count, day, esp_title, number, part, percent, plain, rows

if TYPE_CHECKING:
    from bounceanalytics.charts.theme import ThemeName

_NEED = STORM_COLUMNS.without("hits", "p_value", "explanation")

#: Kind of storm -> whose colour it has, and what it is called.
_KINDS = {
    "unknown_users": ("receiver", "Mailbox provider said that users do not exist", "Unknown users"),
    "everything": ("sender", "Everything bounced: relay or ESP broken", "Everything"),
}

#: Hours between ticks, of which the first is taken that makes few enough.
_STEPS = (3, 6, 12, 24, 48, 24 * 7, 24 * 14)


def storms(
    found: pd.DataFrame, *, top: int = 20, theme: ThemeName = "light", compact: bool = False
) -> go.Figure:
    """Return a timeline of the storms, one row per mailbox provider, domain or ESP.

    Parameters
    ----------
    found : pandas.DataFrame
        From :func:`bounceanalytics.storms`, in the order of time; the first ones are drawn.
    top, theme, compact
        See :mod:`bounceanalytics.charts`.

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> bounces = ba.classify(ba.load(ba.samples() / "exports" / "ses").events)
    >>> figure = ba.charts.storms(ba.storms(bounces))
    """
    found = _NEED.require(found)
    sheet = Sheet("Storms: hours in which many good addresses were refused at once", theme, compact)
    if found.empty:
        return sheet.empty("In no hour did a server refuse far more addresses than it usually does.")
    shown = [(_place(row), row) for row in rows(found.head(top))]
    figure = go.Figure()
    for kind, (fault, title, short) in _KINDS.items():
        mine = [(name, row.start, row.end, _sentence(name, row)) for name, row in shown if row.kind == kind]
        if mine:
            figure.add_trace(spans(mine, short if compact else title, sheet.look.faults[fault]))
    refused: dict[str, int] = {}
    for name, row in shown:
        refused[name] = refused.get(name, 0) + row.addresses
    first, last = min(row.start for _, row in shown), max(row.end for _, row in shown)
    figure.update_layout(
        xaxis=_time_axis(wall(first), wall(last), 3 if compact else 7),
        yaxis=names_axis(list(refused), compact=compact),
        showlegend=True,
        annotations=[_total(name, total, sheet) for name, total in refused.items()],
    )
    before, back = (sum(getattr(row, name) for _, row in shown) for name in ("accepted_before", "recovered"))
    reach = f"{count(sum(refused.values()), 'address', 'addresses')} refused"
    subtitle = (
        f"{part(len(shown), len(found), 'storm')}, UTC; {reach}, of which {number(before)} had taken mail"
    )
    subtitle += f" before and {number(back)} did later"
    return sheet.lay_out(figure, subtitle, body=rows_high(len(refused)), below=48)


def _place(row: Any) -> str:
    """Return who is to blame, as one writes it."""
    if row.kind == "everything":
        return esp_title(str(row.provider))
    return mailbox_title(row.mailbox_provider, row.domain)


def _total(name: str, total: int, sheet: Sheet) -> dict[str, Any]:
    """Return how many were refused in a row, at its right end."""
    text = number(total) if sheet.compact else f"{number(total)} refused"
    return note(text, x=1, xref="paper", xanchor="right", y=name, bgcolor=sheet.look.paper)


def _time_axis(first: pd.Timestamp, last: pd.Timestamp, ticks: int) -> dict[str, Any]:
    """Return settings of an axis of hours or days, with room for a column of numbers at its right."""
    hours = max((last - first) / HOUR, 6)
    week = 24 * 7
    every = next((step for step in _STEPS if hours / step <= ticks), week * math.ceil(hours / (week * ticks)))
    edge = HOUR * hours * 0.05
    return time_axis(first - edge, first + HOUR * hours + 5 * edge, first.normalize(), every * HOUR)


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

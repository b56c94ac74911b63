"""States of domains over time: one row per domain, from the state that it was in to the one that it is in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import plotly.graph_objects as go

from bounceanalytics.charts.panels import HOUR, HOVER, Sheet, days_axis, names_axis, rows_high, spans, wall
from bounceanalytics.schema import MONITOR_HISTORY_COLUMNS, STRING, TROUBLES
from bounceanalytics.wording import STATES, count, day, days, part, plain, rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bounceanalytics.charts.theme import Theme, ThemeName

#: Pixels of a line: what is wrong stands out, without its colour, too.
_THIN, _THICK = 3, 11
#: Share of the time that a state is drawn for at least.
_SHORTEST = 0.006


def domain_states(
    history: pd.DataFrame, *, top: int = 30, theme: ThemeName = "light", compact: bool = False
) -> go.Figure:
    """Return the states of domains over time, one row each: thick while they take no mail, thin while they do.

    A state that lasts is drawn up to when any of them was last seen.

    Parameters
    ----------
    history : pandas.DataFrame
        From :meth:`bounceanalytics.Monitor.history`, domains that take no mail first.
    top, theme, compact
        See :mod:`bounceanalytics.charts`.

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> bounces = ba.classify(ba.load(ba.samples() / "exports" / "ses").events)
    >>> monitor = ba.Monitor(":memory:")
    >>> updated = monitor.update(bounces)
    >>> figure = ba.charts.domain_states(monitor.history())
    """
    history = MONITOR_HISTORY_COLUMNS.require(history)
    sheet = Sheet("Domains: since when, and until when, they take no mail", theme, compact)
    if history.empty:
        return sheet.empty("No domain is watched yet.")
    every = history["domain"].drop_duplicates().tolist()
    names = every[:top]
    shown = history[history["domain"].isin(names)]
    first, end = shown["begin"].min(), shown[["begin", "last_seen"]].max().max()
    figure = go.Figure(list(_traces(shown, end, sheet)))
    figure.update_layout(
        xaxis=days_axis(wall(first), wall(end), 3 if compact else 7),
        yaxis=names_axis(names, compact=compact),
        showlegend=True,
    )
    now = history[history["until"].isna()]
    bad = int(now["status"].isin(TROUBLES).sum())
    verb = "takes" if bad == 1 else "take"
    told = f"{count(bad, 'domain')} {verb} no mail now" if bad else "none takes no mail now"
    subtitle = f"{part(len(names), len(every), 'domain')}, {days(first, end)}; {told}"
    return sheet.lay_out(figure, subtitle, body=rows_high(len(names)), below=48)


def _traces(shown: pd.DataFrame, end: pd.Timestamp, sheet: Sheet) -> Iterator[go.Scatter]:
    """Yield the times in each state, what is well first and so below the others, and the recoveries."""
    colours = _colours(sheet.look)
    least = max((end - shown["begin"].min()) * _SHORTEST, HOUR)
    for status in ("healthy", "unknown", *TROUBLES):
        mine = shown[shown["status"] == status]
        if len(mine):
            lines = [
                (
                    row.domain,
                    row.begin,
                    max(end if pd.isna(row.until) else row.until, row.begin + least),
                    _sentence(row),
                )
                for row in rows(mine)
            ]
            wide = _THICK if status in TROUBLES else _THIN
            yield spans(lines, STATES[status], colours[status]).update(mode="lines", line_width=wide)
    again = shown["status"].eq("healthy") & shown["domain"].eq(shown["domain"].shift())
    back = shown[again & shown["status"].astype(STRING).shift().isin(TROUBLES)]
    if len(back):
        yield go.Scatter(
            mode="markers",
            name="Recovered",
            x=[wall(moment) for moment in back["begin"]],
            y=back["domain"].tolist(),
            marker={
                "symbol": "diamond",
                "size": 13,
                "color": colours["healthy"],
                "line": {"width": 1.5, "color": sheet.look.paper},
            },
            customdata=[
                f"<b>{plain(row.domain)}</b><br>It takes mail again since {day(row.begin)}."
                for row in rows(back)
            ],
            **HOVER,
        )


def _colours(look: Theme) -> dict[str, str]:
    return {
        "healthy": look.accepted,
        "unknown": look.types["unknown"],
        "full": look.types["hard"],
        "refusing": look.types["block"],
        "no_mail": look.faults["recipient"],
        "gone": look.ink,
        "parked": look.faults["content"],
        "unreachable": look.types["soft"],
    }


def _sentence(row: Any) -> str:
    until = "that lasts" if pd.isna(row.until) else f"until {day(row.until)}"
    return (
        f"<b>{plain(row.domain)}: {STATES[row.status].lower()}</b><br>From {day(row.begin)}; {until}.<br>"
        f"Last seen on {day(row.last_seen)}."
    )

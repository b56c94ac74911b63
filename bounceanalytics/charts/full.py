"""Domains whose mail system is full: since when, until when, and whether they took mail again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import plotly.graph_objects as go

from bounceanalytics.charts.panels import HOVER, Sheet, days_axis, names_axis, rows_high, spans, wall
from bounceanalytics.schema import SUMMARIES
from bounceanalytics.wording import count, day, number, part, plain, rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bounceanalytics.charts.theme import ThemeName

_NEED = SUMMARIES["system_full"].without("mailbox_provider", "accepted_between", "last_accepted", "weeks_out")


def system_full(
    summary: pd.DataFrame, *, top: int = 20, theme: ThemeName = "light", compact: bool = False
) -> go.Figure:
    """Return a timeline of the domains that answered "mail system full", and of when they took mail again.

    Parameters
    ----------
    summary : pandas.DataFrame
        From :func:`bounceanalytics.summarize_system_full`, those that have not recovered first.
    top, theme, compact
        See :mod:`bounceanalytics.charts`.

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> bounces = ba.classify(ba.load(ba.samples() / "exports" / "ses").events)
    >>> figure = ba.charts.system_full(ba.summarize_system_full(bounces))
    """
    summary = _NEED.require(summary)
    sheet = Sheet("Mail system full: from the first to the last such answer", theme, compact)
    if summary.empty:
        return sheet.empty("No domain answered that its mail system is full.")
    dated = summary[summary["first_seen"].notna()]
    if dated.empty:
        return sheet.empty("These answers have no date.")
    shown = dated.head(top)
    figure = go.Figure(list(_traces(shown, sheet)))
    ends = pd.concat([shown["first_seen"], shown["last_seen"], shown["accepted_again"]]).dropna()
    figure.update_layout(
        xaxis=days_axis(wall(ends.min()), wall(ends.max()), 3 if compact else 7),
        yaxis=names_axis(shown["domain"].tolist(), compact=compact),
        showlegend=True,
    )
    subtitle = f"{part(len(shown), len(summary), 'domain')}; " if len(shown) < len(summary) else ""
    still = int((~summary["recovered"]).sum())
    subtitle += (
        f"{count(still, 'domain')} not seen to accept mail since"
        if still
        else "mail was accepted again everywhere"
    )
    return sheet.lay_out(figure, subtitle, body=rows_high(len(shown)), below=48)


def _traces(shown: pd.DataFrame, sheet: Sheet) -> Iterator[go.Scatter]:
    """Yield the times with permanent answers, those with transient ones only, and when mail was accepted again."""
    for title, short, kind, mine in (
        ("Permanent answer (5.3.1)", "Permanent", "hard", shown[shown["permanent"] > 0]),
        ("Transient answer (4.3.1)", "Transient", "soft", shown[shown["permanent"] == 0]),
    ):
        if len(mine):
            lines = [(row.domain, row.first_seen, row.last_seen, _sentence(row)) for row in rows(mine)]
            yield spans(lines, short if sheet.compact else title, sheet.look.types[kind])
    back = shown[shown["recovered"]]
    if len(back):
        look = sheet.look
        yield go.Scatter(
            mode="markers",
            name="Accepted" if sheet.compact else "Mail accepted again",
            x=[wall(moment) for moment in back["accepted_again"]],
            y=back["domain"].tolist(),
            marker={
                "symbol": "diamond",
                "size": 13,
                "color": look.accepted,
                "line": {"width": 1.5, "color": look.paper},
            },
            customdata=[
                f"<b>{plain(row.domain)}</b><br>Mail was accepted again on {day(row.accepted_again)}."
                for row in rows(back)
            ],
            **HOVER,
        )


def _sentence(row: Any) -> str:
    span = (
        f"on {day(row.first_seen)}"
        if row.first_seen.date() == row.last_seen.date()
        else f"from {day(row.first_seen)} to {day(row.last_seen)}"
    )
    after = (
        f"Mail was accepted again on {day(row.accepted_again)}."
        if row.recovered
        else "No mail was accepted since."
    )
    met = f"{count(row.bounces, 'message')} to {count(row.addresses, 'address', 'addresses')} met a full mail system"
    kinds = f"{number(row.permanent)} permanent, {number(row.transient)} transient"
    return f"<b>{plain(row.domain)}</b><br>{met}<br>{span}: {kinds}.<br>{after}"

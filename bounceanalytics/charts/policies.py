"""Chart of policies: what each would have saved, beside what it would have cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import plotly.graph_objects as go

from bounceanalytics.charts.panels import Sheet, bars, names_axis, panel_heading, rows_high
from bounceanalytics.schema import OUTCOME_COLUMNS
from bounceanalytics.wording import count, number, percent, plain, rows

if TYPE_CHECKING:
    from bounceanalytics.charts.theme import ThemeName


#: Per panel: its axis, numbers and shares, colour, and heading on a phone and on paper.
_PANELS = (
    ("x", "bounces_avoided", "avoided_share", "soft", "bounces avoided", "bounces avoided, and share of all"),
    (
        "x2",
        "wrongly_removed",
        "wrong_share",
        "hard",
        "good addresses lost",
        "good addresses lost, and share of those removed",
    ),
)


def policies(comparison: pd.DataFrame, *, theme: ThemeName = "light", compact: bool = False) -> go.Figure:
    """Return bars of the bounces that each policy would have avoided, beside the good addresses it would have lost.

    Parameters
    ----------
    comparison : pandas.DataFrame
        From :func:`bounceanalytics.compare_policies`; drawn in its order.
    theme, compact
        See :mod:`bounceanalytics.charts`.

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> bounces = ba.classify(ba.read(ba.samples() / "exports" / "ses" / "event_publishing_weeks_01-06.ndjson.gz"))
    >>> figure = ba.charts.policies(ba.compare_policies(bounces, ["default", "lenient"]))
    """
    comparison = OUTCOME_COLUMNS.require(comparison)
    sheet = Sheet("What each policy saves and costs", theme, compact)
    if comparison.empty or not comparison["bounced"].any():
        nothing = "No bounce has a time, so there is nothing to replay."
        return sheet.empty(nothing if len(comparison) else "No policies.")
    names = comparison["policy"].tolist()
    hovers = [_sentence(row) for row in rows(comparison)]
    figure = go.Figure()
    headings = []
    # two panels of one row of names each; bars carry their numbers, so neither needs an axis
    for axis, column, share, kind, short, heading in _PANELS:
        texts = _labels(comparison[column], comparison[share], compact=compact)
        values = comparison[column].tolist()
        figure.add_trace(bars(names, values, texts, hovers, sheet.look.types[kind], xaxis=axis))
        headings.append(panel_heading(short if compact else heading, axis, sheet.look.quiet))
    room = 2.6 if compact else 1.6
    figure.update_layout(
        yaxis=names_axis(names, compact=compact),
        xaxis=_axis([0, 0.47], comparison["bounces_avoided"].max() * room),
        xaxis2=_axis([0.53, 1], comparison["wrongly_removed"].max() * room) | {"anchor": "y"},
        annotations=headings,
    )
    bounced = count(int(comparison["bounced"].max()), "bounce")
    subtitle = f"the same history of {bounced} replayed; lost: removed, and then took mail after all"
    return sheet.lay_out(figure, subtitle, body=rows_high(len(names)), above=32)


def _labels(counts: pd.Series[int], shares: pd.Series[float], *, compact: bool) -> list[str]:
    return [
        number(n) if compact or pd.isna(share) else f"{number(n)}  ·  {percent(share)}"
        for n, share in zip(counts, shares, strict=True)
    ]


def _axis(domain: list[float], end: float) -> dict[str, Any]:
    return {"domain": domain, "range": [0, max(float(end), 1.0)], "visible": False}


def _sentence(row: Any) -> str:
    wrong = "" if pd.isna(row.wrong_share) else f" ({percent(row.wrong_share)})"
    return (
        f"<b>{plain(row.policy)}</b> would have removed {number(row.removed)} of"
        f" {count(row.addresses, 'address', 'addresses')},"
        f"<br>{number(row.wished)} of them for a complaint or an unsubscribe, and held {number(row.held)}."
        f"<br>{count(row.wrongly_removed, 'address', 'addresses')} removed for bounces{wrong} took mail after all,"
        f"<br>{count(row.deliveries_lost, 'message')} in all; {count(row.bounces_avoided, 'bounce')} of"
        f" {number(row.bounced)} would not have happened."
    )

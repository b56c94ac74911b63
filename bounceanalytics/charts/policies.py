"""Chart of policies: what each would have saved, beside what it would have cost."""

from __future__ import annotations

from typing import Any

import pandas as pd
import plotly.graph_objects as go

from bounceanalytics.charts.theme import ThemeName, lay_out, names_axis, panel_heading, rows_high, says
from bounceanalytics.charts.theme import theme as look_of
from bounceanalytics.schema import OUTCOME_COLUMNS
from bounceanalytics.wording import count, number, percent, plain, rows


def policies(comparison: pd.DataFrame, *, theme: ThemeName = "light", compact: bool = False) -> go.Figure:
    """Return bars of the bounces that each policy would have avoided, beside the good addresses it would have lost.

    Parameters
    ----------
    comparison : pandas.DataFrame
        From :func:`bounceanalytics.compare_policies`; drawn in its order.
    theme : {'light', 'dark'}, default 'light'
    compact : bool, default False
        Labels short enough for a phone.

    Returns
    -------
    plotly.graph_objects.Figure

    Raises
    ------
    FrameError
        If the comparison lacks columns, or there is no such theme.

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> bounces = ba.classify(ba.read(ba.samples() / "exports" / "ses" / "event_publishing_weeks_01-06.ndjson.gz"))
    >>> figure = ba.charts.policies(ba.compare_policies(bounces, ["default", "lenient"]))
    """
    OUTCOME_COLUMNS.require(comparison)
    title = "What each policy saves and costs"
    if comparison.empty or not comparison["bounced"].any():
        sentence = (
            "No bounce has a time, so there is nothing to replay." if len(comparison) else "No policies."
        )
        return says(theme, title, sentence, compact=compact)
    look = look_of(theme)
    names = comparison["policy"].tolist()
    hovers = [_sentence(row) for row in rows(comparison)]
    # two panels of one row of names each; bars carry their numbers, so neither needs an axis
    panels: tuple[tuple[str, str, str, str, list[str]], ...] = (
        (
            "x",
            "bounces_avoided",
            look.types["soft"],
            "bounces avoided" if compact else "bounces avoided, and share of all",
            _labels(comparison["bounces_avoided"], comparison["avoided_share"], compact=compact),
        ),
        (
            "x2",
            "wrongly_removed",
            look.types["hard"],
            "good addresses lost" if compact else "good addresses lost, and share of those removed",
            _labels(comparison["wrongly_removed"], comparison["wrong_share"], compact=compact),
        ),
    )
    figure = go.Figure()
    headings = []
    for axis, column, colour, heading, texts in panels:
        figure.add_trace(
            go.Bar(
                orientation="h",
                x=comparison[column].tolist(),
                y=names,
                xaxis=axis,
                text=texts,
                textposition="outside",
                textfont={"size": 12},
                textangle=0,
                cliponaxis=False,
                constraintext="none",
                marker={"color": colour, "line": {"width": 0}},
                customdata=hovers,
                hovertemplate="%{customdata}<extra></extra>",
                showlegend=False,
            )
        )
        headings.append(panel_heading(heading, axis, look.quiet))
    room = 2.6 if compact else 1.6
    figure.update_layout(
        yaxis=names_axis(names, compact=compact),
        xaxis=_axis([0, 0.47], comparison["bounces_avoided"].max() * room),
        xaxis2=_axis([0.53, 1], comparison["wrongly_removed"].max() * room) | {"anchor": "y"},
        annotations=headings,
    )
    bounced = count(int(comparison["bounced"].max()), "bounce")
    subtitle = f"the same history of {bounced} replayed; lost: removed, and then took mail after all"
    return lay_out(figure, theme, title, subtitle, body=rows_high(len(names)), above=32, compact=compact)


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

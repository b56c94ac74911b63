"""Bars: domains, reasons and mailbox providers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import plotly.graph_objects as go

from bounceanalytics.charts.theme import (
    FAULT_TITLES,
    ThemeName,
    count_axis,
    lay_out,
    legend_high,
    names_axis,
    rows,
    rows_high,
    says,
)
from bounceanalytics.charts.theme import theme as look_of
from bounceanalytics.charts.wording import count, number, percent, plain
from bounceanalytics.schema import REASONS, require

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Amazon SES: hard bounce rates at which an account is reviewed, and at which sending may be paused.
#: https://docs.aws.amazon.com/ses/latest/dg/reputationdashboard-bounce-rate.html
SES_REVIEW, SES_PAUSE = 0.05, 0.10

#: What Amazon SES asks its customers to stay below.
SES_ASKS = 0.02


def domains(
    summary: pd.DataFrame, *, top: int = 20, theme: ThemeName = "light", compact: bool = False
) -> go.Figure:
    """Return bars of the domains with the most hard bounces, with their hard rates.

    Parameters
    ----------
    summary : pandas.DataFrame
        From :func:`bounceanalytics.summarize_domains`, worst first.
    top : int, default 20
        How many domains to draw; the subtitle says how many there are.
    theme : {'light', 'dark'}, default 'light'
    compact : bool, default False
        Labels short enough for a phone.

    Returns
    -------
    plotly.graph_objects.Figure

    Raises
    ------
    FrameError
        If the summary lacks columns, or there is no such theme.

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> bounces = ba.classify(ba.load(ba.samples() / "exports" / "ses").events)
    >>> figure = ba.charts.domains(ba.summarize_domains(bounces))
    """
    require(summary, _DOMAINS_NEED, "a summary of domains")
    title = "Domains with the most hard bounces"
    failing = int((summary["hard"] > 0).sum())
    if not failing:
        sentence = "No domain has hard bounces." if len(summary) else "No messages were sent."
        return says(theme, title, sentence, compact=compact)
    shown = summary.head(min(top, failing))
    texts = [
        number(hard) if pd.isna(rate) else f"{number(hard)}  ·  {percent(rate)}"
        for hard, rate in zip(shown["hard"], shown["hard_rate"], strict=True)
    ]
    figure = go.Figure(
        _bars(
            shown["domain"].tolist(),
            shown["hard"].tolist(),
            texts,
            [_domain_sentence(row) for row in rows(shown)],
            look_of(theme).types["hard"],
        )
    )
    subtitle = (
        f"{len(shown)} of {count(failing, 'domain')} with hard bounces; messages and share of attempted"
        if len(shown) < failing
        else f"{count(failing, 'domain')} with hard bounces; messages and share of attempted"
    )
    _scaled(figure, shown["domain"].tolist(), shown["hard"].max(), compact)
    return lay_out(figure, theme, title, subtitle, body=rows_high(len(shown)), compact=compact)


def reasons(summary: pd.DataFrame, *, theme: ThemeName = "light", compact: bool = False) -> go.Figure:
    """Return bars of the reasons why mail did not arrive, coloured by who must act.

    Parameters
    ----------
    summary : pandas.DataFrame
        From :func:`bounceanalytics.summarize_reasons`, most frequent first.
    theme : {'light', 'dark'}, default 'light'
    compact : bool, default False
        Labels short enough for a phone.

    Returns
    -------
    plotly.graph_objects.Figure

    Raises
    ------
    FrameError
        If the summary lacks columns, or there is no such theme.

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> bounces = ba.classify(ba.load(ba.samples() / "exports" / "ses").events)
    >>> figure = ba.charts.reasons(ba.summarize_reasons(bounces))
    """
    require(summary, ("reason", "title", "fault", "bounced", "dropped", "share"), "a summary of reasons")
    title = "Why mail did not arrive"
    dropped = summary["dropped"].sum()
    apart = f"; {count(dropped, 'message')} not tried by the ESP, counted apart" if dropped else ""
    met = summary[summary["bounced"] > 0]
    if met.empty:
        return says(theme, title, f"No message bounced{apart}.", compact=compact)
    colours = look_of(theme).faults
    figure = go.Figure()
    for fault, fault_title in FAULT_TITLES.items():  # one trace per colour, for the legend
        mine = met[met["fault"] == fault]
        if len(mine):
            texts = [
                f"{number(n)}  ·  {percent(s)}" for n, s in zip(mine["bounced"], mine["share"], strict=True)
            ]
            hovers = [_reason_sentence(row) for row in rows(mine)]
            bars = _bars(mine["title"].tolist(), mine["bounced"].tolist(), texts, hovers, colours[fault])
            figure.add_trace(bars.update(name=fault.capitalize() if compact else fault_title))
    subtitle = f"{count(met['bounced'].sum(), 'bounce')} by reason; colour: who must act" + (
        "" if compact else apart
    )
    figure.update_traces(showlegend=True)
    _scaled(figure, met["title"].tolist(), met["bounced"].max(), compact)
    legend = legend_high(len(figure.data), compact=compact)
    return lay_out(figure, theme, title, subtitle, body=rows_high(len(met)), above=legend, compact=compact)


def providers(summary: pd.DataFrame, *, theme: ThemeName = "light", compact: bool = False) -> go.Figure:
    """Return the hard bounce rate of each mailbox provider, with its 95% interval and the limits of Amazon SES.

    Parameters
    ----------
    summary : pandas.DataFrame
        From :func:`bounceanalytics.summarize_providers`, largest first.
    theme : {'light', 'dark'}, default 'light'
    compact : bool, default False
        Labels short enough for a phone.

    Returns
    -------
    plotly.graph_objects.Figure

    Raises
    ------
    FrameError
        If the summary lacks columns, or there is no such theme.

    References
    ----------
    Limits: https://docs.aws.amazon.com/ses/latest/dg/reputationdashboard-bounce-rate.html

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> bounces = ba.classify(ba.load(ba.samples() / "exports" / "ses").events)
    >>> figure = ba.charts.providers(ba.summarize_providers(bounces))
    """
    require(summary, _PROVIDERS_NEED, "a summary of mailbox providers")
    title = "Hard bounce rate by mailbox provider"
    if summary.empty:
        return says(theme, title, "No messages were sent.", compact=compact)
    if not summary["deliveries_known"].any():
        return says(theme, title, "These exports hold no deliveries, so there are no rates.", compact=compact)
    look = look_of(theme)
    names = [provider_title(name) for name in summary["mailbox_provider"]]
    rate = summary["hard_rate"]
    longest = max(float(summary["hard_high"].max()), SES_PAUSE * 1.1)
    room = 1.5 if compact else 1.25
    figure = go.Figure(
        go.Bar(
            orientation="h",
            x=[None if pd.isna(value) else value for value in rate],
            y=names,
            marker={"color": look.types["hard"], "line": {"width": 0}},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": (summary["hard_high"] - rate).fillna(0).tolist(),
                "arrayminus": (rate - summary["hard_low"]).fillna(0).tolist(),
                "color": look.ink,
                "thickness": 1.5,
                "width": 4,
            },
            customdata=[_provider_sentence(row) for row in rows(summary)],
            hovertemplate="%{customdata}<extra></extra>",
            showlegend=False,
        ),
        layout={
            "xaxis": {"range": [0, longest * room], "tickformat": ".0%"},
            "yaxis": names_axis(names, compact=compact),
            "shapes": [_limit_line(limit, look.limit) for limit in (SES_REVIEW, SES_PAUSE)],
            "annotations": [
                _limits_text(look.quiet, compact=compact),
                *(
                    _rate_text(name, row, look.paper, compact=compact)
                    for name, row in zip(names, rows(summary), strict=True)
                ),
            ],
        },
    )
    subtitle = "hard bounces / attempted messages" + ("" if compact else "; whiskers: 95% interval")
    return lay_out(figure, theme, title, subtitle, body=rows_high(len(names)), above=32, compact=compact)


_DOMAINS_NEED = ("domain", "attempted", "hard", "hard_rate", "hard_low", "hard_high", "top_reason")
_PROVIDERS_NEED = (
    "mailbox_provider",
    "domains",
    "attempted",
    "bounced",
    "hard",
    "hard_rate",
    "hard_low",
    "hard_high",
    "deliveries_known",
)


def _bars(names: list[str], values: list[float], texts: list[str], hovers: list[str], colour: str) -> go.Bar:
    return go.Bar(
        orientation="h",
        x=values,
        y=names,
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


def _scaled(figure: go.Figure, names: Sequence[str], largest: float, compact: bool) -> None:
    figure.update_layout(
        barmode="overlay",
        xaxis=count_axis(largest, room=1.65 if compact else 1.18, steps=2 if compact else 5),
        yaxis=names_axis(names, compact=compact),
    )


def provider_title(name: str) -> str:
    """Return the name of a mailbox provider as one writes it."""
    return name.upper() if len(name) <= 3 else name.replace("_", " ").capitalize()  # AOL, GMX, QQ


def _limit_line(limit: float, colour: str) -> dict[str, Any]:
    line = {"color": colour, "width": 1, "dash": "4px,3px"}
    return {"type": "line", "x0": limit, "x1": limit, "y0": 0, "y1": 1, "yref": "paper", "line": line}


def _limits_text(colour: str, *, compact: bool) -> dict[str, Any]:
    """Return what the lines mean, above the right edge, where it meets neither of them nor the names."""
    text = (
        "dashed: SES limits, 5% and 10%" if compact else "dashed: Amazon SES reviews at 5%, may pause at 10%"
    )
    place = {"x": 1, "xref": "paper", "xanchor": "right", "y": 1, "yref": "paper", "yanchor": "bottom"}
    return {"text": text, "showarrow": False, "font": {"size": 11, "color": colour}, **place}


def _rate_text(name: str, row: Any, ground: str, *, compact: bool) -> dict[str, Any]:
    """Return the rate as a column at the right edge, clear of bars, whiskers and limits."""
    if not row.deliveries_known:
        text = "no deliveries" if compact else "no deliveries in the export"
    else:
        text = percent(row.hard_rate) + ("" if compact else f" of {number(row.attempted)}")
    place = {"x": 1, "xref": "paper", "xanchor": "right", "y": name, "yanchor": "middle"}
    return {"text": text, "showarrow": False, "font": {"size": 12}, "bgcolor": ground, **place}


def _domain_sentence(row: Any) -> str:
    reason = (
        f"<br>Most frequent reason: {REASONS[row.top_reason].title.lower()}."
        if pd.notna(row.top_reason)
        else ""
    )
    if pd.isna(row.hard_rate):
        return (
            f"<b>{plain(row.domain)}</b><br>{count(row.hard, 'message')} bounced hard; the export holds no delivery"
            f"<br>to this domain, so there is no rate.{reason}"
        )
    return (
        f"<b>{plain(row.domain)}</b><br>{number(row.hard)} of {count(row.attempted, 'attempted message')} bounced hard:"
        f"<br>{percent(row.hard_rate)} (95% interval {percent(row.hard_low)} to {percent(row.hard_high)}).{reason}"
    )


def _reason_sentence(row: Any) -> str:
    known = REASONS[row.reason]
    who = FAULT_TITLES[row.fault].partition(":")[0]
    return (
        f"<b>{known.title}</b><br>{count(row.bounced, 'message')} bounced for this reason,"
        f"<br>{percent(row.share)} of all bounces. Who must act: {who if who.isupper() else who.lower()}."
    )


def _provider_sentence(row: Any) -> str:
    name = f"<b>{plain(provider_title(row.mailbox_provider))}</b> ({count(row.domains, 'domain')})"
    if not row.deliveries_known:
        bounced = count(row.bounced, "message")
        return f"{name}<br>{bounced} bounced; the export holds no deliveries,<br>so there is no rate."
    return (
        f"{name}<br>{number(row.hard)} of {count(row.attempted, 'attempted message')} bounced hard:"
        f"<br>{percent(row.hard_rate)} (95% interval {percent(row.hard_low)} to {percent(row.hard_high)})."
    )

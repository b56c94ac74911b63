"""Hard bounce rates by name: mailbox providers, tags, sending addresses, registrable domains."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pandas as pd
import plotly.graph_objects as go

from bounceanalytics.charts.bars import no_rate, rate_text
from bounceanalytics.charts.theme import (
    ThemeName,
    lay_out,
    names_axis,
    rate_axis,
    rows_high,
    says,
    text_wide,
)
from bounceanalytics.charts.theme import theme as look_of
from bounceanalytics.knowledge.limits import bounce_rate_limits
from bounceanalytics.knowledge.rules import mailbox_title
from bounceanalytics.schema import SUMMARIES
from bounceanalytics.wording import count, esp_title, number, part, percent, plain, rate_sentence, rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from bounceanalytics.knowledge.limits import Limits

_NEED = (
    "domains",
    "attempted",
    "bounced",
    "hard",
    "hard_rate",
    "hard_low",
    "hard_high",
    "deliveries_known",
)


def providers(
    summary: pd.DataFrame, *, top: int = 20, theme: ThemeName = "light", compact: bool = False
) -> go.Figure:
    """Return the hard bounce rate of each mailbox provider, with its 95% interval and the limits of Amazon SES.

    Parameters
    ----------
    summary : pandas.DataFrame
        From :func:`bounceanalytics.summarize_providers`, largest first.
    top : int, default 20
        How many mailbox providers to draw; the subtitle says how many there are.
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
    words = ("mailbox provider", "mailbox providers")
    return _rates(summary, "providers", words, mailbox_title, top=top, theme=theme, compact=compact)


def tags(
    summary: pd.DataFrame, *, top: int = 20, theme: ThemeName = "light", compact: bool = False
) -> go.Figure:
    """Return the hard bounce rate of each tag, with its 95% interval and the limits of Amazon SES.

    Parameters
    ----------
    summary : pandas.DataFrame
        From :func:`bounceanalytics.summarize_tags`, largest first.
    top : int, default 20
        How many tags to draw; the subtitle says how many there are.
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
    >>> bounces = ba.classify(ba.load(ba.samples() / "exports" / "sendgrid").events)
    >>> figure = ba.charts.tags(ba.summarize_tags(bounces))
    """
    return _rates(summary, "tags", ("tag", "tags"), str, top=top, theme=theme, compact=compact)


def sending_ips(
    summary: pd.DataFrame, *, top: int = 20, theme: ThemeName = "light", compact: bool = False
) -> go.Figure:
    """Return the hard bounce rate of each address that mail left from, with its 95% interval and the limits of SES.

    Parameters
    ----------
    summary : pandas.DataFrame
        From :func:`bounceanalytics.summarize_sending_ips`, largest first.
    top : int, default 20
        How many of them to draw; the subtitle says how many there are.
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
    >>> figure = ba.charts.sending_ips(ba.summarize_sending_ips(bounces))
    """
    words = ("sending IP", "sending IPs")
    return _rates(summary, "sending_ips", words, str, top=top, theme=theme, compact=compact)


def registrable_domains(
    summary: pd.DataFrame, *, top: int = 20, theme: ThemeName = "light", compact: bool = False
) -> go.Figure:
    """Return the hard bounce rate of each registrable domain, with its 95% interval and the limits of Amazon SES.

    Parameters
    ----------
    summary : pandas.DataFrame
        From :func:`bounceanalytics.summarize_registrable_domains`, worst first.
    top : int, default 20
        How many of them to draw; the subtitle says how many there are.
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
    >>> figure = ba.charts.registrable_domains(ba.summarize_registrable_domains(bounces))
    """
    words = ("registrable domain", "registrable domains")
    return _rates(summary, "registrable_domains", words, str, top=top, theme=theme, compact=compact)


def _rates(
    summary: pd.DataFrame,
    name: str,
    words: tuple[str, str],
    called: Callable[[str], str],
    *,
    top: int,
    theme: ThemeName,
    compact: bool,
) -> go.Figure:
    """Return bars of hard rates with their intervals, one per name, in the order of the summary."""
    one, many = words
    column = SUMMARIES[name].names[0]
    SUMMARIES[name].require(summary, (column, *_NEED))
    title = f"Hard bounce rate by {one}"
    if summary.empty:
        return says(theme, title, "No messages were sent.", compact=compact)
    if not summary["deliveries_known"].any():
        return says(theme, title, "These exports hold no deliveries, so there are no rates.", compact=compact)
    look = look_of(theme)
    shown = summary.head(top)
    names = [called(name) for name in shown[column]]
    rate = shown["hard_rate"]
    highest = float(shown["hard_high"].max()) if rate.notna().any() else 0.0
    limits = bounce_rate_limits()
    # where no rate is near the limits, the axis ends long before them, so that rates stay visible
    longest = highest if highest <= limits.review / 2 else max(highest, limits.pause * 1.05)
    texts = [_rate_words(row, compact=compact) for row in rows(shown)]
    notes = [_limits_text(limits, longest, look.quiet, compact=compact)]
    notes += [
        rate_text(place, len(shown), text) if text else no_rate(place, len(shown), "x", look)
        for place, text in enumerate(texts)
    ]
    figure = go.Figure(
        go.Bar(
            orientation="h",
            x=[None if pd.isna(value) else value for value in rate],
            y=names,
            marker={"color": look.types["hard"], "line": {"width": 0}},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": (shown["hard_high"] - rate).fillna(0).tolist(),
                "arrayminus": (rate - shown["hard_low"]).fillna(0).tolist(),
                "color": look.ink,
                "thickness": 1.5,
                "width": 4,
            },
            customdata=[_sentence(name, row) for name, row in zip(names, rows(shown), strict=True)],
            hovertemplate="%{customdata}<extra></extra>",
            showlegend=False,
        ),
        layout={
            "xaxis": rate_axis(longest, room=1.02, steps=3 if compact else 6),
            "yaxis": names_axis(names, compact=compact),
            "margin": {"r": 16 + math.ceil(1.15 * max(map(text_wide, texts)))},  # holds the rates in words
            "shapes": [
                _limit_line(limit, look.limit) for limit in (limits.review, limits.pause) if limit < longest
            ],
            "annotations": notes,
        },
    )
    cut = f"{part(len(shown), len(summary), one, many)}; " if len(shown) < len(summary) else ""
    subtitle = f"{cut}hard bounces / attempted messages" + ("" if compact else "; whiskers: 95% interval")
    return lay_out(figure, theme, title, subtitle, body=rows_high(len(names)), above=32, compact=compact)


def _limit_line(limit: float, colour: str) -> dict[str, Any]:
    line = {"color": colour, "width": 1, "dash": "4px,3px"}
    return {"type": "line", "x0": limit, "x1": limit, "y0": 0, "y1": 1, "yref": "paper", "line": line}


def _limits_text(limits: Limits, longest: float, colour: str, *, compact: bool) -> dict[str, Any]:
    """Return what the lines mean, or that the limits are too far off to be shown, above the right edge."""
    esp, review, pause = esp_title(limits.esp), f"{limits.review:.0%}", f"{limits.pause:.0%}"
    if longest > limits.review:
        text = f"dashed: {esp} reviews at {review}, may pause at {pause}"
        short = f"dashed: {limits.short} limits, {review} and {pause}"
    else:
        text = f"the limits of {esp}, {review} and {pause}, are far off this scale"
        short = f"{limits.short} limits ({review}, {pause}) are far off"
    place = {"x": 1, "xref": "paper", "xanchor": "right", "y": 1, "yref": "paper", "yanchor": "bottom"}
    words = short if compact else text
    return {"text": words, "showarrow": False, "font": {"size": 11, "color": colour}, **place}


def _rate_words(row: Any, *, compact: bool) -> str:
    if not row.deliveries_known:
        return ""
    return percent(row.hard_rate) + ("" if compact else f" of {number(getattr(row, 'rated', row.attempted))}")


def _sentence(name: str, row: Any) -> str:
    called = f"<b>{plain(name)}</b> ({count(row.domains, 'domain')})"
    if not row.deliveries_known:
        bounced = count(row.bounced, "message")
        return f"{called}<br>{bounced} bounced; the export holds no deliveries,<br>so there is no rate."
    return f"{called}<br>{rate_sentence(row)}"

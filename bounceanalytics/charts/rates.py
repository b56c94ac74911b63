"""Hard bounce rates by name: mailbox providers, tags, sending addresses, mail servers, registrable domains, ESPs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pandas as pd
import plotly.graph_objects as go

from bounceanalytics.charts.panels import (
    HOVER,
    Sheet,
    interval,
    names_axis,
    no_rate_note,
    note,
    rate_axis,
    rate_note,
    rows_high,
    text_wide,
)
from bounceanalytics.knowledge.limits import bounce_rate_limits
from bounceanalytics.knowledge.rules import mailbox_title
from bounceanalytics.schema import SUMMARIES
from bounceanalytics.wording import count, esp_title, number, part, percent, plain, rate_sentence, rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from bounceanalytics.charts.theme import ThemeName
    from bounceanalytics.knowledge.limits import Limits

_NEED = ("domains", "attempted", "bounced", "hard", "hard_rate", "hard_low", "hard_high", "deliveries_known")


def mailbox_providers(
    summary: pd.DataFrame, *, top: int = 20, theme: ThemeName = "light", compact: bool = False
) -> go.Figure:
    """Return the hard bounce rate of each mailbox provider, with its 95% interval and the limits of Amazon SES.

    Parameters
    ----------
    summary : pandas.DataFrame
        From :func:`bounceanalytics.summarize_providers`, largest first.
    top, theme, compact
        See :mod:`bounceanalytics.charts`.

    References
    ----------
    Limits: https://docs.aws.amazon.com/ses/latest/dg/reputationdashboard-bounce-rate.html

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> bounces = ba.classify(ba.load(ba.samples() / "exports" / "ses").events)
    >>> figure = ba.charts.mailbox_providers(ba.summarize_providers(bounces))
    """
    words = ("mailbox provider", "mailbox providers")
    return _rates(summary, "providers", words, mailbox_title, top=top, theme=theme, compact=compact)


def tags(
    summary: pd.DataFrame, *, top: int = 20, theme: ThemeName = "light", compact: bool = False
) -> go.Figure:
    """Return the hard bounce rate of each tag, as :func:`mailbox_providers` does.

    Parameters
    ----------
    summary : pandas.DataFrame
        From :func:`bounceanalytics.summarize_tags`, largest first.
    top, theme, compact
        See :mod:`bounceanalytics.charts`.

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
    """Return the hard bounce rate of each address that mail left from, as :func:`mailbox_providers` does.

    Parameters
    ----------
    summary : pandas.DataFrame
        From :func:`bounceanalytics.summarize_sending_ips`, largest first.
    top, theme, compact
        See :mod:`bounceanalytics.charts`.

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> bounces = ba.classify(ba.load(ba.samples() / "exports" / "ses").events)
    >>> figure = ba.charts.sending_ips(ba.summarize_sending_ips(bounces))
    """
    words = ("sending IP", "sending IPs")
    return _rates(summary, "sending_ips", words, str, top=top, theme=theme, compact=compact)


def hosts(
    summary: pd.DataFrame, *, top: int = 20, theme: ThemeName = "light", compact: bool = False
) -> go.Figure:
    """Return the hard bounce rate of each receiving mail server, as :func:`mailbox_providers` does.

    Parameters
    ----------
    summary : pandas.DataFrame
        From :func:`bounceanalytics.summarize_hosts`, worst first.
    top, theme, compact
        See :mod:`bounceanalytics.charts`.

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> bounces = ba.classify(ba.load(ba.samples() / "exports" / "ses").events)
    >>> figure = ba.charts.hosts(ba.summarize_hosts(bounces))
    """
    words = ("mail server", "mail servers")
    return _rates(summary, "hosts", words, str, top=top, theme=theme, compact=compact)


def registrable_domains(
    summary: pd.DataFrame, *, top: int = 20, theme: ThemeName = "light", compact: bool = False
) -> go.Figure:
    """Return the hard bounce rate of each registrable domain, as :func:`mailbox_providers` does.

    Parameters
    ----------
    summary : pandas.DataFrame
        From :func:`bounceanalytics.summarize_registrable_domains`, worst first.
    top, theme, compact
        See :mod:`bounceanalytics.charts`.

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> bounces = ba.classify(ba.load(ba.samples() / "exports" / "ses").events)
    >>> figure = ba.charts.registrable_domains(ba.summarize_registrable_domains(bounces))
    """
    words = ("registrable domain", "registrable domains")
    return _rates(summary, "registrable_domains", words, str, top=top, theme=theme, compact=compact)


def esps(
    summary: pd.DataFrame, *, top: int = 20, theme: ThemeName = "light", compact: bool = False
) -> go.Figure:
    """Return the hard bounce rate of each ESP, as :func:`mailbox_providers` does.

    Parameters
    ----------
    summary : pandas.DataFrame
        From :func:`bounceanalytics.summaries.summarize_esps`, largest first.
    top, theme, compact
        See :mod:`bounceanalytics.charts`.

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> from bounceanalytics.summaries import summarize_esps
    >>> bounces = ba.classify(ba.load(ba.samples() / "exports").events)
    >>> figure = ba.charts.esps(summarize_esps(bounces))
    """
    return _rates(summary, "esps", ("ESP", "ESPs"), esp_title, top=top, theme=theme, compact=compact)


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
    summary = SUMMARIES[name].require(summary, (column, *_NEED))
    sheet = Sheet(f"Hard bounce rate by {one}", theme, compact)
    if summary.empty:
        return sheet.empty("No messages were sent.")
    if not summary["deliveries_known"].any():
        return sheet.empty("These exports hold no deliveries, so there are no rates.")
    shown = summary.head(top)
    figure = _bars_of_rates([called(str(name)) for name in shown[column]], shown, sheet)
    cut = f"{part(len(shown), len(summary), one, many)}; " if len(shown) < len(summary) else ""
    subtitle = f"{cut}hard bounces / attempted messages" + ("" if compact else "; whiskers: 95% interval")
    return sheet.lay_out(figure, subtitle, body=rows_high(len(shown)), above=32)


def _bars_of_rates(names: list[str], shown: pd.DataFrame, sheet: Sheet) -> go.Figure:
    """Return the bars, the limits, and at the right the rates in words."""
    look, rate, limits = sheet.look, shown["hard_rate"], bounce_rate_limits()
    highest = float(shown["hard_high"].max()) if rate.notna().any() else 0.0
    # where no rate is near the limits, the axis ends long before them, so that rates stay visible
    longest = highest if highest <= limits.review / 2 else max(highest, limits.pause * 1.05)
    texts = [_rate_words(row, compact=sheet.compact) for row in rows(shown)]
    whiskers = interval(rate, shown["hard_low"], shown["hard_high"], look.ink, thickness=1.5, width=4)
    bar = go.Bar(
        orientation="h",
        x=[None if pd.isna(value) else value for value in rate],
        y=names,
        marker={"color": look.types["hard"], "line": {"width": 0}},
        error_x=whiskers,
        customdata=[_sentence(name, row) for name, row in zip(names, rows(shown), strict=True)],
        showlegend=False,
        **HOVER,
    )
    notes = [
        rate_note(place, len(shown), text) if text else no_rate_note(place, len(shown), "x", look)
        for place, text in enumerate(texts)
    ]
    lines = [_limit_line(limit, look.limit) for limit in (limits.review, limits.pause) if limit < longest]
    return go.Figure(
        bar,
        layout={
            "xaxis": rate_axis(longest, room=1.02, steps=3 if sheet.compact else 6),
            "yaxis": names_axis(names, compact=sheet.compact),
            "margin": {"r": 16 + math.ceil(1.15 * max(map(text_wide, texts)))},  # holds the rates in words
            "shapes": lines,
            "annotations": [_limits_note(limits, longest, sheet), *notes],
        },
    )


def _limit_line(limit: float, colour: str) -> dict[str, Any]:
    line = {"color": colour, "width": 1, "dash": "4px,3px"}
    return {"type": "line", "x0": limit, "x1": limit, "y0": 0, "y1": 1, "yref": "paper", "line": line}


def _limits_note(limits: Limits, longest: float, sheet: Sheet) -> dict[str, Any]:
    """Return what the lines mean, or that the limits are too far off to be shown, above the right edge."""
    esp, review, pause = esp_title(limits.esp), f"{limits.review:.0%}", f"{limits.pause:.0%}"
    if longest > limits.review:
        text = f"dashed: {esp} reviews at {review}, may pause at {pause}"
        short = f"dashed: {limits.short} limits, {review} and {pause}"
    else:
        text = f"the limits of {esp}, {review} and {pause}, are far off this scale"
        short = f"{limits.short} limits ({review}, {pause}) are far off"
    place = {"x": 1, "xref": "paper", "xanchor": "right", "y": 1, "yref": "paper", "yanchor": "bottom"}
    return note(short if sheet.compact else text, size=11, colour=sheet.look.quiet, **place)


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

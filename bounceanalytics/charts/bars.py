"""Bars: the domains that hurt most, and the reasons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import plotly.graph_objects as go

from bounceanalytics.charts.theme import (
    NARROWEST,
    Theme,
    ThemeName,
    count_axis,
    lay_out,
    legend_high,
    names_axis,
    panel_heading,
    rate_axis,
    rows_high,
    says,
    text_wide,
)
from bounceanalytics.charts.theme import theme as look_of
from bounceanalytics.schema import SUMMARIES
from bounceanalytics.wording import (
    FAULTS,
    count,
    fault_title,
    number,
    part,
    percent,
    plain,
    rate_sentence,
    reason_title,
    rows,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def domains(
    summary: pd.DataFrame, *, top: int = 20, theme: ThemeName = "light", compact: bool = False
) -> go.Figure:
    """Return the domains with the most hard bounces: how many in one panel, at which rate in the other.

    Many messages make many bounces, so the number alone says little about a domain; a rate from few messages says
    little as well, so it is shown with its 95% interval and, where the summary has ``hard_shrunk``, with a tick at
    the rate drawn towards that of all domains.

    Parameters
    ----------
    summary : pandas.DataFrame
        From :func:`bounceanalytics.summarize_domains`, worst first.
    top : int, default 20
        How many domains to draw; the subtitle says how many there are.
    theme : {'light', 'dark'}, default 'light'
    compact : bool, default False
        Labels short enough for a phone, and one panel with number and rate in words.

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
    _DOMAINS_NEED.require(summary)
    title = "Domains with the most hard bounces"
    failing = int((summary["hard"] > 0).sum())
    if not failing:
        sentence = "No domain has hard bounces." if len(summary) else "No messages were sent."
        return says(theme, title, sentence, compact=compact)
    look = look_of(theme)
    shown = summary.head(min(top, failing))
    names = shown["domain"].tolist()
    hovers = [_domain_sentence(row) for row in rows(shown)]
    rated = shown["hard_rate"].notna()
    texts = [
        f"{number(hard)}  ·  {percent(rate)}" if compact and known else number(hard)
        for hard, rate, known in zip(shown["hard"], shown["hard_rate"], rated, strict=True)
    ]
    figure = go.Figure(_bars(names, shown["hard"].tolist(), texts, hovers, look.types["hard"]))
    subtitle = f"{part(len(shown), failing, 'domain')} with hard bounces"
    if compact:
        _scaled(figure, names, texts, shown["hard"].max(), compact=True)
        subtitle += "; messages and share of attempted"
        return lay_out(figure, theme, title, subtitle, body=rows_high(len(shown)), compact=True)
    _scaled(figure, names, texts, shown["hard"].max(), compact=False, panel=0.46, right=64)
    figure.update_layout(
        margin_r=64,  # holds the rates in words
        annotations=[
            panel_heading("hard bounces", "x", look.quiet),
            *(
                rate_text(place, len(shown), percent(rate))
                if pd.notna(rate)
                else no_rate(place, len(shown), "x2", look)
                for place, rate in enumerate(shown["hard_rate"])
            ),
        ],
    )
    if rated.any():
        shrunk = "hard_shrunk" in shown
        for trace in _rate_dots(
            shown[rated], [h for h, known in zip(hovers, rated, strict=True) if known], look
        ):
            figure.add_trace(trace)
        heading = "hard rate (dot)" + (" and cautious rate (tick)" if shrunk else "")
        figure.add_annotation(panel_heading(heading, "x2", look.quiet))
        subtitle += "; lines: 95% interval of the rate" + (
            "; cautious: drawn towards the rate of all domains, the more the fewer messages" if shrunk else ""
        )
    longest = max(float(shown["hard_high"].max()), 0.0) if rated.any() else 0.01
    figure.update_layout(
        xaxis2=rate_axis(longest, room=1.04, steps=4)
        | {"domain": [0.52, 1], "anchor": "y", "showticklabels": bool(rated.any())}
    )
    return lay_out(figure, theme, title, subtitle, body=rows_high(len(shown)), above=28)


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
    SUMMARIES["reasons"].require(summary, ("reason", "title", "fault", "bounced", "dropped", "share"))
    title = "Why mail did not arrive"
    dropped = summary["dropped"].sum()
    apart = f"; {count(dropped, 'message')} not tried by the ESP, counted apart" if dropped else ""
    met = summary[summary["bounced"] > 0]
    if met.empty:
        return says(theme, title, f"No message bounced{apart}.", compact=compact)
    colours = look_of(theme).faults
    figure = go.Figure()
    for fault, words in FAULTS.items():  # one trace per colour, for the legend
        mine = met[met["fault"] == fault]
        if len(mine):
            texts = [
                f"{number(n)}  ·  {percent(s)}" for n, s in zip(mine["bounced"], mine["share"], strict=True)
            ]
            hovers = [_reason_sentence(row) for row in rows(mine)]
            bars = _bars(mine["title"].tolist(), mine["bounced"].tolist(), texts, hovers, colours[fault])
            figure.add_trace(bars.update(name=words.short if compact else words.title))
    subtitle = f"{count(met['bounced'].sum(), 'bounce')} by reason; colour: who must act" + (
        "" if compact else apart
    )
    figure.update_traces(showlegend=True)
    labels = [text for bars in figure.data for text in bars.text]
    _scaled(figure, met["title"].tolist(), labels, met["bounced"].max(), compact=compact)
    legend = legend_high(len(figure.data), compact=compact)
    return lay_out(figure, theme, title, subtitle, body=rows_high(len(met)), above=legend, compact=compact)


_DOMAINS_NEED = SUMMARIES["domains"].select(
    ("domain", "attempted", "hard", "hard_rate", "hard_low", "hard_high", "top_reason")
)


def _rate_dots(shown: pd.DataFrame, hovers: list[str], look: Theme) -> Iterator[go.Scatter]:
    """Yield the rates with their intervals, and below them ticks at the cautious ones."""
    rate = shown["hard_rate"]
    same: dict[str, Any] = {
        "mode": "markers",
        "y": shown["domain"].tolist(),
        "xaxis": "x2",
        "customdata": hovers,
        "hovertemplate": "%{customdata}<extra></extra>",
        "showlegend": False,
        "cliponaxis": False,
    }
    if "hard_shrunk" in shown:
        tick = {"symbol": "line-ns", "size": 9, "line": {"width": 2, "color": look.ink}}
        yield go.Scatter(x=shown["hard_shrunk"].tolist(), marker=tick, **same)
    yield go.Scatter(
        x=rate.tolist(),
        marker={"color": look.types["hard"], "size": 9},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": (shown["hard_high"] - rate).tolist(),
            "arrayminus": (rate - shown["hard_low"]).tolist(),
            "color": look.types["hard"],
            "thickness": 2,
            "width": 0,
        },
        **same,
    )


def rate_text(row: int, of: int, text: str) -> dict[str, Any]:
    """Return a rate in words right of the plot, in that one of so many rows (from 0)."""
    return _row_text(row, of, text) | {"x": 1, "xref": "paper"}


def no_rate(row: int, of: int, axis: str, look: Theme) -> dict[str, Any]:
    """Return why there is no rate, at the left edge of a panel, in that one of so many rows (from 0)."""
    text = _row_text(row, of, "no deliveries in the export")
    return text | {
        "x": 0,
        "xref": f"{axis} domain",
        "bgcolor": look.paper,
        "font": {"size": 12, "color": look.quiet},
    }


def _row_text(row: int, of: int, text: str) -> dict[str, Any]:
    """Return a text in a row; by its place and not by its name, which may be a number or hold markup."""
    place = {
        "y": 1 - (row + 0.5) / of,
        "yref": "paper",
        "yanchor": "middle",
        "xanchor": "left",
        "xshift": 6,
    }
    return {"text": text, "showarrow": False, "font": {"size": 12}, **place}


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


def _scaled(
    figure: go.Figure,
    names: Sequence[str],
    texts: Sequence[str],
    largest: float,
    *,
    compact: bool,
    panel: float = 1,
    right: int = 24,
) -> None:
    """Set the axes so that the texts have room at the end of the bars, also in the narrowest figure.

    ``panel`` is the share of the plot that the bars take, from the left; ``right`` is the margin in pixels.
    """
    labels = names_axis(names, compact=compact)
    wide = (NARROWEST[compact] - 16 - right - max(map(text_wide, labels["ticktext"]))) * panel
    room = wide / max(wide - 1.15 * max(map(text_wide, texts)), wide / 4)  # digits are wider than letters
    steps = 2 if compact else 5
    figure.update_layout(
        barmode="overlay",
        xaxis=count_axis(largest, room=max(room, 1.05), steps=steps if panel == 1 else 3)
        | {"domain": [0, panel]},
        yaxis=labels,
    )


def _domain_sentence(row: Any) -> str:
    reason = (
        f"<br>Most frequent reason: {reason_title(row.top_reason).lower()}."
        if pd.notna(row.top_reason)
        else ""
    )
    if pd.isna(row.hard_rate):
        return (
            f"<b>{plain(row.domain)}</b><br>{count(row.hard, 'message')} bounced hard; the export holds no delivery"
            f"<br>to this domain, so there is no rate.{reason}"
        )
    return f"<b>{plain(row.domain)}</b><br>{rate_sentence(row)}{reason}"


def _reason_sentence(row: Any) -> str:
    who = fault_title(row.fault)
    return (
        f"<b>{reason_title(row.reason)}</b><br>{count(row.bounced, 'message')} bounced for this reason,"
        f"<br>{percent(row.share)} of all bounces. Who must act: {who if who.isupper() else who.lower()}."
    )

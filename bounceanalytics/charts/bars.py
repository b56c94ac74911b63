"""Bars: the domains that hurt most, the reasons, and what to do with the addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import plotly.graph_objects as go

from bounceanalytics.charts.panels import (
    HOVER,
    NARROWEST,
    Sheet,
    bars,
    count_axis,
    interval,
    names_axis,
    no_rate_note,
    panel_heading,
    rate_axis,
    rate_note,
    rows_high,
    text_wide,
)
from bounceanalytics.schema import SUMMARIES
from bounceanalytics.wording import (
    ACTIONS,
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

    from bounceanalytics.charts.theme import Theme, ThemeName

_DOMAINS_NEED = SUMMARIES["domains"].select(
    ("domain", "attempted", "hard", "hard_rate", "hard_low", "hard_high", "top_reason")
)


def domains(
    summary: pd.DataFrame, *, top: int = 20, theme: ThemeName = "light", compact: bool = False
) -> go.Figure:
    """Return the domains with the most hard bounces: how many in one panel, at which rate in the other.

    Many messages make many bounces, so the number alone says little about a domain; a rate from few messages says
    little as well, so it is shown with its 95% interval and, where the summary has ``hard_shrunk``, with a tick at
    the rate drawn towards that of all domains. On a phone there is one panel, with number and rate in words.

    Parameters
    ----------
    summary : pandas.DataFrame
        From :func:`bounceanalytics.summarize_domains`, worst first.
    top, theme, compact
        See :mod:`bounceanalytics.charts`.

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> bounces = ba.classify(ba.load(ba.samples() / "exports" / "ses").events)
    >>> figure = ba.charts.domains(ba.summarize_domains(bounces))
    """
    summary = _DOMAINS_NEED.require(summary)
    sheet = Sheet("Domains with the most hard bounces", theme, compact)
    failing = int((summary["hard"] > 0).sum())
    if not failing:
        return sheet.empty("No domain has hard bounces." if len(summary) else "No messages were sent.")
    shown = summary.head(min(top, failing))
    names, counts = shown["domain"].tolist(), shown["hard"].tolist()
    rates = [percent(rate) if pd.notna(rate) else "" for rate in shown["hard_rate"]]
    texts = [
        number(n) + (f"  ·  {rate}" if compact and rate else "")
        for n, rate in zip(counts, rates, strict=True)
    ]
    hovers = [_domain_sentence(row) for row in rows(shown)]
    figure = go.Figure(bars(names, counts, texts, hovers, sheet.look.types["hard"]))
    subtitle = f"{part(len(shown), failing, 'domain')} with hard bounces"
    if compact:
        _scale(figure, names, texts, max(counts), compact=True)
        return sheet.lay_out(
            figure, f"{subtitle}; messages and share of attempted", body=rows_high(len(shown))
        )
    _scale(figure, names, texts, max(counts), compact=False, panel=0.46, right=64)
    subtitle += _add_rates(figure, shown, rates, hovers, sheet.look)
    return sheet.lay_out(figure, subtitle, body=rows_high(len(shown)), above=28)


def reasons(summary: pd.DataFrame, *, theme: ThemeName = "light", compact: bool = False) -> go.Figure:
    """Return bars of the reasons why mail did not arrive, coloured by who must act.

    Parameters
    ----------
    summary : pandas.DataFrame
        From :func:`bounceanalytics.summarize_reasons`, most frequent first.
    theme, compact
        See :mod:`bounceanalytics.charts`.

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> bounces = ba.classify(ba.load(ba.samples() / "exports" / "ses").events)
    >>> figure = ba.charts.reasons(ba.summarize_reasons(bounces))
    """
    summary = SUMMARIES["reasons"].require(
        summary, ("reason", "title", "fault", "bounced", "dropped", "share")
    )
    sheet = Sheet("Why mail did not arrive", theme, compact)
    dropped = summary["dropped"].sum()
    apart = f"; {count(dropped, 'message')} not tried by the ESP, counted apart" if dropped else ""
    met = summary[summary["bounced"] > 0]
    if met.empty:
        return sheet.empty(f"No message bounced{apart}.")
    texts = [f"{number(row.bounced)}  ·  {percent(row.share)}" for row in rows(met)]
    hovers = [_reason_sentence(row) for row in rows(met)]
    figure = _by_fault(sheet, met, met["title"].tolist(), met["bounced"].tolist(), texts, hovers)
    bounced = count(met["bounced"].sum(), "bounce")
    subtitle = f"{bounced} by reason; colour: who must act" + ("" if compact else apart)
    return sheet.lay_out(figure, subtitle, body=rows_high(len(met)))


def actions(summary: pd.DataFrame, *, theme: ThemeName = "light", compact: bool = False) -> go.Figure:
    """Return bars of what to do with the addresses that bounced, coloured by who must act.

    Parameters
    ----------
    summary : pandas.DataFrame
        From :func:`bounceanalytics.summaries.summarize_actions`.
    theme, compact
        See :mod:`bounceanalytics.charts`.

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> from bounceanalytics.summaries import summarize_actions
    >>> bounces = ba.classify(ba.load(ba.samples() / "exports" / "ses").events)
    >>> figure = ba.charts.actions(summarize_actions(bounces))
    """
    summary = SUMMARIES["actions"].require(summary, ("action", "fault", "bounced", "addresses"))
    sheet = Sheet("What to do with the addresses", theme, compact)
    met = summary[summary["addresses"] > 0]
    if met.empty:
        return sheet.empty("No message bounced.")
    does = [ACTIONS[row.action].short for row in rows(met)]
    names = [f"{what} · {FAULTS[fault].short}" for what, fault in zip(does, met["fault"], strict=True)]
    hovers = [_action_sentence(row) for row in rows(met)]
    texts = [number(n) for n in met["addresses"]]
    figure = _by_fault(sheet, met, names, met["addresses"].tolist(), texts, hovers)
    if compact:  # colours tell the rest
        figure.update_layout(yaxis_ticktext=[f"{what}  " for what in does])
    subtitle = "addresses by action and by who must act; one that bounced for several reasons counts for each"
    return sheet.lay_out(figure, subtitle, body=rows_high(len(met)))


def _by_fault(
    sheet: Sheet,
    met: pd.DataFrame,
    names: list[str],
    values: list[float],
    texts: list[str],
    hovers: list[str],
) -> go.Figure:
    """Return bars of rows that have a fault, which tells their colours."""
    figure = go.Figure()
    frame = pd.DataFrame({"name": names, "value": values, "text": texts, "hover": hovers})
    for fault, words in FAULTS.items():  # one trace per colour, for the legend
        mine = frame[met["fault"].eq(fault).to_numpy()]
        if len(mine):
            labels, lengths, ends, told = (mine[column].tolist() for column in frame)
            colour, called = sheet.look.faults[fault], sheet.called(words)
            figure.add_trace(bars(labels, lengths, ends, told, colour, name=called, showlegend=True))
    _scale(figure, names, texts, max(values), compact=sheet.compact)
    return figure


def _add_rates(
    figure: go.Figure, shown: pd.DataFrame, rates: list[str], hovers: list[str], look: Theme
) -> str:
    """Add a panel of rates at the right, and return what a subtitle says of it."""
    notes = [
        rate_note(place, len(shown), rate) if rate else no_rate_note(place, len(shown), "x2", look)
        for place, rate in enumerate(rates)
    ]
    rated = shown.assign(hover=hovers)[shown["hard_rate"].notna()]
    longest = max(float(rated["hard_high"].max()), 0.0) if len(rated) else 0.01
    axis = rate_axis(longest, room=1.04, steps=4) | {"domain": [0.52, 1], "anchor": "y"}
    figure.update_layout(
        margin_r=64,  # holds the rates in words
        annotations=[panel_heading("hard bounces", "x", look.quiet), *notes],
        xaxis2=axis | {"showticklabels": bool(len(rated))},
    )
    if rated.empty:
        return ""
    figure.add_traces(list(_rate_dots(rated, look)))
    shrunk = "hard_shrunk" in shown
    heading = "hard rate (dot)" + (" and cautious rate (tick)" if shrunk else "")
    figure.add_annotation(panel_heading(heading, "x2", look.quiet))
    return "; lines: 95% interval of the rate" + (
        "; cautious: drawn towards the rate of all domains, the more the fewer messages" if shrunk else ""
    )


def _rate_dots(rated: pd.DataFrame, look: Theme) -> Iterator[go.Scatter]:
    """Yield the rates with their intervals, and below them ticks at the cautious ones."""
    rate, colour = rated["hard_rate"], look.types["hard"]
    same: dict[str, Any] = {
        "mode": "markers",
        "y": rated["domain"].tolist(),
        "xaxis": "x2",
        "customdata": rated["hover"].tolist(),
        "showlegend": False,
        "cliponaxis": False,
        **HOVER,
    }
    if "hard_shrunk" in rated:
        tick = {"symbol": "line-ns", "size": 9, "line": {"width": 2, "color": look.ink}}
        yield go.Scatter(x=rated["hard_shrunk"].tolist(), marker=tick, **same)
    yield go.Scatter(
        x=rate.tolist(),
        marker={"color": colour, "size": 9},
        error_x=interval(rate, rated["hard_low"], rated["hard_high"], colour, thickness=2, width=0),
        **same,
    )


def _scale(
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
    steps = 3 if panel < 1 else 2 if compact else 5
    counts = count_axis(largest, room=max(room, 1.05), steps=steps)
    figure.update_layout(barmode="overlay", xaxis=counts | {"domain": [0, panel]}, yaxis=labels)


def _domain_sentence(row: Any) -> str:
    reason = reason_title(row.top_reason).lower()
    reason = f"<br>Most frequent reason: {reason}." if reason else ""
    if pd.isna(row.hard_rate):
        return (
            f"<b>{plain(row.domain)}</b><br>{count(row.hard, 'message')} bounced hard; the export holds no delivery"
            f"<br>to this domain, so there is no rate.{reason}"
        )
    return f"<b>{plain(row.domain)}</b><br>{rate_sentence(row)}{reason}"


def _reason_sentence(row: Any) -> str:
    return (
        f"<b>{reason_title(row.reason)}</b><br>{count(row.bounced, 'message')} bounced for this reason,"
        f"<br>{percent(row.share)} of all bounces. Who must act: {_in_sentence(fault_title(row.fault))}."
    )


def _action_sentence(row: Any) -> str:
    reach = count(row.addresses, "address", "addresses")
    return (
        f"<b>{ACTIONS[row.action].title}</b><br>{reach}, {count(row.bounced, 'bounce')}."
        f"<br>Who must act: {_in_sentence(fault_title(row.fault))}."
    )


def _in_sentence(title: str) -> str:
    return title if title.isupper() else title.lower()

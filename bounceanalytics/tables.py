"""Summaries as tables that read well in a notebook."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import pandas as pd

from bounceanalytics.errors import FrameError
from bounceanalytics.knowledge.rules import mailbox_title
from bounceanalytics.schema import SUMMARIES, columns_of, require
from bounceanalytics.spreadsheets import no_formulas_in
from bounceanalytics.wording import day, esp_title, fault_title, number, part, percent, reason_title

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pandas.io.formats.style import Styler
    from pandas.io.formats.style_render import CSSDict

    from bounceanalytics.schema import Column

__all__ = ["table"]

#: Columns shown of a summary unless somebody asks for others: what is read first.
_SHOWN: dict[str, tuple[str, ...]] = {
    "domains": (
        "domain",
        "mailbox_provider",
        "attempted",
        "hard",
        "block",
        "hard_rate",
        "hard_shrunk",
        "top_reason",
        "trend",
    ),
    "registrable_domains": ("registrable_domain", "domains", "attempted", "hard", "block", "hard_rate", "top_reason"),
    "providers": ("mailbox_provider", "domains", "attempted", "hard", "soft", "block", "hard_rate", "top_reason"),
    "tags": ("tag", "attempted", "hard", "soft", "block", "hard_rate", "top_reason"),
    "sending_ips": ("sending_ip", "attempted", "hard", "soft", "block", "hard_rate", "top_reason"),
    "hosts": ("remote_host", "registrable_domain", "attempted", "hard", "system_full", "hard_rate", "top_reason"),
    "reasons": ("title", "fault", "action", "bounced", "share", "addresses", "domains"),
    "days": ("period", "attempted", "delivered", "hard", "soft", "block", "hard_rate"),
    "domain_days": ("domain", "period", "attempted", "hard", "soft", "block", "hard_rate"),
    "domain_reasons": ("domain", "title", "bounced", "addresses", "first_seen", "last_seen"),
    "codes": ("code", "reason", "code_class", "bounced", "domains", "addresses"),
    "system_full": ("domain", "addresses", "permanent", "transient", "first_seen", "last_seen", "accepted_again"),
    "changes": ("name", "measure", "kind", "at", "rate_before", "rate_after", "attempted_after", "failed_after"),
    "esps": ("provider", "events", "attempted", "hard", "soft", "block", "hard_rate"),
    "actions": ("action", "fault", "bounced", "addresses", "domains"),
}  # fmt: skip

#: Columns whose cells hold a bar as long as their number is large.
_BARS = ("hard", "bounced")

_TITLES = {
    "mailbox_provider": "Provider",
    "registrable_domain": "Registrable domain",
    "remote_host": "Mail server",
    "sending_ip": "Sending IP",
    "provider": "ESP",
    "title": "Reason",
    "fault": "Who must act",
    "action": "Address",
    "hard_shrunk": "Cautious rate",
    "top_reason": "Main reason",
    "code_class": "Class",
    "weeks_out": "Weeks",
}

#: What a caption adds for a column.
_NOTES = {
    "hard_rate": "hard rate: hard bounces as a share of attempted messages",
    "hard_shrunk": "cautious rate: drawn towards that of all, the more the fewer messages",
}

#: Where a rate would stand if the exports held deliveries.
_NO_RATE = '<span style="opacity: 0.6">no rate</span>'

_BAR = "rgba(213,94,0,0.28)"  # reads on white and on black
_SENTENCE = "white-space: normal; min-width: 18em"
_NUMBER = "text-align: right; font-variant-numeric: tabular-nums"


def table(frame: pd.DataFrame, *, top: int = 15, columns: Sequence[str] | None = None) -> Styler:
    """Return the first rows of a summary, formatted for people: titles, thousands, percent, dates, bars.

    Parameters
    ----------
    frame : pandas.DataFrame
        Any summary of this package, or any other frame.
    top : int, default 15
        How many rows; the caption says how many there are.
    columns : list of str or None, default None
        Which columns; None for those that are read first.

    Returns
    -------
    pandas.io.formats.style.Styler
        Shows itself at the end of a cell, in a light notebook and in a dark one. A column's head says what it means
        while the mouse is over it. The index is not shown.

    Raises
    ------
    FrameError
        If a column is not there, or there twice.

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> bounces = ba.classify(ba.load(ba.samples() / "exports" / "ses").events)
    >>> "Main reason" in ba.table(ba.summarize_domains(bounces)).to_html()
    True
    """
    frame = require(frame, (), "a summary")
    known = columns_of(frame)
    shown = no_formulas_in(_chosen(frame, columns).head(top).reset_index(drop=True))
    style = shown.style.hide(axis="index")
    formats: dict[Any, str | Callable[[object], str] | None] = {
        name: _format(known.get(str(name)), name, shown[name].dtype) for name in shown.columns
    }
    style = style.format(formats).relabel_index(
        [_head(known.get(str(name)), name) for name in shown.columns], axis="columns"
    )
    for name in _BARS:
        if name in shown.columns and pd.api.types.is_numeric_dtype(shown[name]) and shown[name].gt(0).any():
            style = style.bar(subset=[name], color=_BAR, vmin=0, align="left")
    looks: list[CSSDict] = [
        {
            "selector": "caption",
            "props": "caption-side: bottom; text-align: left; opacity: 0.7; padding-top: 6px",
        },
        {"selector": "th, td", "props": "padding: 4px 8px"},
        {"selector": "th", "props": "vertical-align: bottom"},
        {"selector": "td:first-child", "props": "font-weight: 600"},
    ]
    looks += [
        {
            "selector": f"th.col{place}, td.col{place}",
            "props": _NUMBER if pd.api.types.is_numeric_dtype(shown[name]) else "text-align: left",
        }
        for place, name in enumerate(shown.columns)
    ]
    looks += [
        {"selector": f"td.col{place}", "props": _SENTENCE if _is_long(shown[name]) else "white-space: nowrap"}
        for place, name in enumerate(shown.columns)
    ]
    rows = part(len(shown), len(frame), "row")
    return style.set_table_styles(looks).set_caption(f"{rows}{_explained(shown)}")


def _chosen(frame: pd.DataFrame, columns: Sequence[str] | None) -> pd.DataFrame:
    """Return the columns to show, each of which has a name of its own."""
    if isinstance(frame.columns, pd.MultiIndex):
        frame = frame.set_axis([" ".join(map(str, names)) for names in frame.columns], axis="columns")
    if columns is None:
        columns = _SHOWN.get(_summary_of(frame))
    if columns is not None:
        frame = require(frame, columns, "the frame")[list(columns)]
    twice = frame.columns[frame.columns.duplicated()].unique()
    if len(twice):
        raise FrameError(f"more than one column is called {', '.join(map(repr, twice))}; rename them first")
    return frame


def _summary_of(frame: pd.DataFrame) -> str:
    names = tuple(map(str, frame.columns))
    return next((summary for summary, its in SUMMARIES.items() if its.names == names), "")


def _title(name: Any) -> str:
    return _TITLES.get(str(name), str(name).replace("_", " ").capitalize())


def _head(column: Column | None, name: Any) -> str:
    """Return the title of a column, and what it means for those who point at it."""
    title = escape(_title(name))
    return f'<span title="{escape(column.meaning)}">{title}</span>' if column else title


def _explained(shown: pd.DataFrame) -> str:
    """Return what the columns mean whose titles do not say it."""
    return "".join(f"; {words}" for name, words in _NOTES.items() if name in shown.columns)


def _is_long(values: pd.Series[Any]) -> bool:
    """Return whether a column holds sentences, which may run over several lines; names and numbers may not."""
    if pd.api.types.is_numeric_dtype(values) or pd.api.types.is_datetime64_any_dtype(values):
        return False
    return any(len(text) > 40 and " " in text for text in map(_text, values))


def _format(column: Column | None, name: Any, kind: Any) -> Callable[[Any], str]:
    """Return how the values of a column are written, as HTML."""
    write = _writer(name, kind, share=column is not None and column.share)
    missing = _NO_RATE if column is not None and column.share and column in SUMMARIES["domains"] else ""
    return lambda value: missing if pd.api.types.is_scalar(value) and pd.isna(value) else escape(write(value))


def _writer(name: Any, kind: Any, *, share: bool) -> Callable[[Any], str]:
    """Return how the values of a column are written that are there."""
    if pd.api.types.is_datetime64_any_dtype(kind):
        return day
    if pd.api.types.is_bool_dtype(kind):
        return lambda value: "yes" if value else ""
    if pd.api.types.is_float_dtype(kind):
        return percent if share else _decimal
    if pd.api.types.is_integer_dtype(kind):
        return number
    words = _WORDS.get(str(name), str)
    return lambda value: words(_text(value))


def _decimal(value: float) -> str:
    return f"{value:,.1f}" if value == 0 or abs(value) >= 0.1 else f"{value:.2g}"


def _name(name: str) -> str:
    """Return a mailbox provider as one writes it, and a domain or a name that somebody wrote already as it is."""
    return name if "." in name else mailbox_title(name)


def _text(value: Any) -> str:
    several = pd.api.types.is_list_like(value) and not isinstance(value, dict)
    return ", ".join(map(str, value)) if several else str(value)


#: How the words of a column are written.
_WORDS: dict[str, Callable[[str], str]] = {
    "reason": reason_title,
    "top_reason": reason_title,
    "fault": fault_title,
    "mailbox_provider": mailbox_title,
    "name": _name,
    "provider": esp_title,
    "code_class": str.capitalize,
}

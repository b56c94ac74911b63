"""Summaries as tables that read well in a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from bounceanalytics.charts.bars import provider_title
from bounceanalytics.charts.theme import FAULT_TITLES
from bounceanalytics.charts.wording import count, day, number, percent
from bounceanalytics.schema import ESPS, REASONS, require
from bounceanalytics.summaries import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from pandas.io.formats.style import Styler
    from pandas.io.formats.style_render import CSSDict

__all__ = ["table"]

#: Columns shown of a summary unless somebody asks for others: what is read first.
_SHOWN: dict[str, tuple[str, ...]] = {
    "domains": (
        "domain",
        "mailbox_provider",
        "attempted",
        "hard",
        "soft",
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

#: Columns of shares, 0-1; other columns of numbers with a point are just numbers.
_SHARES = (
    "share",
    "bounce_rate",
    "hard_rate",
    "hard_low",
    "hard_high",
    "hard_shrunk",
    "rate_before",
    "rate_after",
)

_BAR = "rgba(213,94,0,0.28)"  # reads on white and on black


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
        Shows itself at the end of a cell, in a light notebook and in a dark one.

    Raises
    ------
    FrameError
        If a column is not there.

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> bounces = ba.classify(ba.load(ba.samples() / "exports" / "ses").events)
    >>> "Main reason" in ba.table(ba.summarize_domains(bounces)).to_html()
    True
    """
    if columns is None:
        columns = _SHOWN.get(_summary_of(frame), tuple(map(str, frame.columns)))
    shown = require(frame, columns, "the frame")[list(columns)].head(top).reset_index(drop=True)
    style = shown.style.hide(axis="index")
    formats: dict[Any, str | Callable[[object], str] | None] = {
        name: _format(name, shown[name]) for name in shown.columns
    }
    style = style.format(formats, escape="html").relabel_index(
        [_title(name) for name in shown.columns], axis="columns"
    )
    numbers: list[Hashable] = [
        name for name in shown.columns if pd.api.types.is_numeric_dtype(shown[name].dtype)
    ]
    texts: list[Hashable] = [name for name in shown.columns if name not in numbers]
    style = style.set_properties(
        subset=numbers, **{"text-align": "right", "font-variant-numeric": "tabular-nums"}
    )
    style = style.set_properties(subset=texts, **{"text-align": "left"})
    for name in _BARS:
        if name in numbers and len(shown) and shown[name].max() > 0:
            style = style.bar(subset=[name], color=_BAR, vmin=0, align="left")
    heads: list[CSSDict] = [
        {
            "selector": "caption",
            "props": "caption-side: bottom; text-align: left; opacity: 0.7; padding-top: 6px",
        },
        {"selector": "th, td", "props": "padding: 4px 10px; white-space: nowrap"},
        {"selector": "td:first-child", "props": "font-weight: 600"},
    ]
    heads += [
        {
            "selector": f"th.col_heading.col{place}",
            "props": f"text-align: {'right' if name in numbers else 'left'}",
        }
        for place, name in enumerate(shown.columns)
    ]
    rows = (
        f"{number(len(shown))} of {count(len(frame), 'row')}"
        if len(shown) < len(frame)
        else count(len(frame), "row")
    )
    return style.set_table_styles(heads).set_caption(f"{rows}{_explained(shown)}")


def _summary_of(frame: pd.DataFrame) -> str:
    names = tuple(map(str, frame.columns))
    return next((summary for summary, its in COLUMNS.items() if its == names), "")


def _title(name: Any) -> str:
    return _TITLES.get(str(name), str(name).replace("_", " ").capitalize())


def _explained(shown: pd.DataFrame) -> str:
    """Return what the columns mean whose titles do not say it."""
    return "".join(f"; {words}" for name, words in _NOTES.items() if name in shown.columns)


def _format(name: Any, values: pd.Series[Any]) -> Callable[[Any], str]:
    """Return how the values of a column are written."""
    kind = values.dtype
    if isinstance(kind, pd.DatetimeTZDtype):
        return lambda value: "" if pd.isna(value) else day(value)
    if pd.api.types.is_bool_dtype(kind):
        return lambda value: "yes" if value else ""
    if name in _SHARES:
        return lambda value: "no rate" if pd.isna(value) else percent(value)
    if pd.api.types.is_float_dtype(kind):
        return lambda value: "" if pd.isna(value) else f"{value:,.1f}"
    if pd.api.types.is_integer_dtype(kind):
        return lambda value: "" if pd.isna(value) else number(value)
    words = _WORDS.get(str(name), str)
    return lambda value: "" if pd.isna(value) else words(str(value))


#: How the words of a column are written.
_WORDS: dict[str, Callable[[str], str]] = {
    "reason": lambda name: REASONS[name].title if name in REASONS else name,
    "top_reason": lambda name: REASONS[name].title if name in REASONS else name,
    "fault": lambda name: FAULT_TITLES.get(name, name).partition(":")[0],
    "mailbox_provider": provider_title,
    "provider": lambda name: ESPS.get(name, name),
    "code_class": str.capitalize,
}

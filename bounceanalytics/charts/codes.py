"""Treemap of status codes, from class down to code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from bounceanalytics.charts.panels import HOVER, Sheet
from bounceanalytics.charts.theme import BOUNCED
from bounceanalytics.schema import REASONS, STRING, SUMMARIES
from bounceanalytics.wording import TYPES, count, number, percent, plain, reason_title

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from bounceanalytics.charts.theme import ThemeName

_NEED = SUMMARIES["codes"].without("domains", "addresses")

#: How classes of codes are written.
_CLASSES = {
    "permanent": "Permanent (5xx)",
    "transient": "Transient (4xx)",
    "success": "Success (2xx)",
    "": "No code",
}

#: Codes of one reason that are shown one by one; the others are one box.
_MOST_CODES = 8

#: Id of the box that holds all others.
_ALL = "all"

_LEVELS = ("code_class", "category", "reason", "code")


def codes(summary: pd.DataFrame, *, theme: ThemeName = "light", compact: bool = False) -> go.Figure:
    """Return boxes in boxes: code class, category, reason and code, each as large as its bounces are many.

    A box has the colour of the bounce type that most of its bounces are of; a click on one makes it fill the plot. On a
    phone there is neither class nor category.

    Parameters
    ----------
    summary : pandas.DataFrame
        From :func:`bounceanalytics.summarize_codes`, most frequent first.
    theme, compact
        See :mod:`bounceanalytics.charts`.

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> bounces = ba.classify(ba.load(ba.samples() / "exports" / "ses").events)
    >>> figure = ba.charts.codes(ba.summarize_codes(bounces))
    """
    summary = _NEED.require(summary)
    levels = _LEVELS[2:] if compact else _LEVELS
    named = "reason and code" if compact else "class, category, reason, code"
    sheet = Sheet(f"What the servers said: {named}", theme, compact)
    total = int(summary["bounced"].sum())
    if not total:
        return sheet.empty("No message bounced.")
    boxes = _boxes(summary, levels)
    types = [max(BOUNCED, key=lambda name: box["types"][name]) for box in boxes.values()]
    figure = go.Figure(
        [_icicle(boxes, types, total, sheet), *_keys(types, sheet)],
        layout={
            "uniformtext": {"minsize": 11, "mode": "hide"},
            "margin": {"l": 16, "r": 16},
            "xaxis": {"visible": False},
            "yaxis": {"visible": False},
            "showlegend": True,
        },
    )
    leaves = sum(len(path) == len(levels) for path in boxes)
    subtitle = f"{count(total, 'bounce')}; colour: the type of most of them"
    return sheet.lay_out(figure, subtitle, body=min(max(24 * leaves, 260), 620), above=36, below=16)


def _icicle(
    boxes: dict[tuple[str, ...], dict[str, Any]], types: list[str], total: int, sheet: Sheet
) -> go.Icicle:
    """Return the boxes, inside one that holds all."""
    look = sheet.look
    sizes = [total, *(box["bounced"] for box in boxes.values())]
    # deep colours need the ink of the paper, for a contrast of at least 4.5:1
    inks = [look.ink, *(look.paper if name == "block" else "#000000" for name in types)]
    hovers = (_sentence(path, box, total) for path, box in boxes.items())
    return go.Icicle(
        ids=[_ALL, *("/".join((_ALL, *path)) for path in boxes)],
        parents=["", *("/".join((_ALL, *path[:-1])) for path in boxes)],
        labels=["All", *(plain(box["label"]) for box in boxes.values())],
        values=sizes,
        branchvalues="total",
        sort=False,
        tiling={"orientation": "h", "pad": 1},
        pathbar={"visible": False},
        marker={
            "colors": [look.line, *(look.types[name] for name in types)],
            "line": {"width": 1, "color": look.paper},
        },
        text=[number(size) for size in sizes],
        texttemplate="%{label}" if sheet.compact else "%{label}  %{text}",
        leaf={"opacity": 1},  # inks are chosen for full colours
        textfont={"size": 12, "color": inks},
        customdata=[f"<b>{count(total, 'bounce')}</b> in all.", *hovers],
        **HOVER,
    )


def _keys(types: list[str], sheet: Sheet) -> Iterator[go.Scatter]:
    """Yield the entries of a legend, for boxes have none of their own."""
    for name in BOUNCED:
        if name in types:
            marker = {"symbol": "square", "size": 11, "color": sheet.look.types[name]}
            called = sheet.called(TYPES[name])
            yield go.Scatter(x=[None], y=[None], mode="markers", name=called, marker=marker, showlegend=True)


def _boxes(summary: pd.DataFrame, levels: tuple[str, ...]) -> dict[tuple[str, ...], dict[str, Any]]:
    """Return label, bounces and types by path; rare codes of a reason share one box, large enough to read."""
    frame = summary.astype({"code_class": object, "category": str, "reason": str, "code": str})
    frame = frame.assign(code_class=frame["code_class"].where(frame["code_class"].notna(), ""))
    above = list(levels[:-1])
    by_code = frame.groupby([*levels], sort=False)[["bounced", *BOUNCED]].sum().reset_index()
    by_code = by_code.sort_values("bounced", ascending=False, kind="stable")
    rare = by_code.groupby(above, sort=False).cumcount() >= _MOST_CODES
    # one rare code alone needs no box that hides its name
    rare &= rare.groupby([by_code[name] for name in above]).transform("sum") > 1
    others = rare.groupby([by_code[name] for name in above]).transform("sum")
    by_code["code"] = by_code["code"].where(~rare, "other codes (" + others.astype(STRING) + ")")
    boxes: dict[tuple[str, ...], dict[str, Any]] = {}
    for depth in range(1, len(levels) + 1):
        path = list(levels[:depth])
        sums = by_code.groupby(path, sort=False)[["bounced", *BOUNCED]].sum()
        for key, row in zip(sums.index, sums.to_dict("records"), strict=True):
            names = key if isinstance(key, tuple) else (key,)
            label = _called(levels[depth - 1], names[-1])
            boxes[tuple(map(str, names))] = {"label": label, "bounced": int(row["bounced"]), "types": row}
    return {path: box for path, box in boxes.items() if box["bounced"]}


def _called(level: str, name: str) -> str:
    if level == "reason":
        return reason_title(name)
    if level == "code_class":
        return _CLASSES.get(name, name)
    if level == "category":
        return name.replace("_", " ").capitalize()
    return "no code" if name == "none" else name


def _sentence(path: tuple[str, ...], box: dict[str, Any], total: int) -> str:
    under = f" under {reason_title(path[-2]).lower()}" if path[-2:-1] and path[-2] in REASONS else ""
    return (
        f"<b>{plain(box['label'])}</b>{under}<br>{count(box['bounced'], 'message')},"
        f" {percent(box['bounced'] / total)} of all bounces."
    )

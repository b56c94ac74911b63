"""Treemap of status codes, from class down to code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from bounceanalytics.charts.theme import BOUNCED, ThemeName, lay_out, says
from bounceanalytics.charts.theme import theme as look_of
from bounceanalytics.schema import REASONS, SUMMARIES
from bounceanalytics.wording import TYPES, count, number, percent, plain, reason_title

if TYPE_CHECKING:
    import pandas as pd

_NEED = SUMMARIES["codes"].without("domains", "addresses")

_TITLE = "What the servers said: class, category, reason, code"

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

    Parameters
    ----------
    summary : pandas.DataFrame
        From :func:`bounceanalytics.summarize_codes`, most frequent first.
    theme : {'light', 'dark'}, default 'light'
    compact : bool, default False
        Without the class and the category, for a phone.

    Returns
    -------
    plotly.graph_objects.Figure
        A box has the colour of the bounce type that most of its bounces are of. A click on one makes it fill the plot.

    Raises
    ------
    FrameError
        If the summary lacks columns, or there is no such theme.

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> bounces = ba.classify(ba.load(ba.samples() / "exports" / "ses").events)
    >>> figure = ba.charts.codes(ba.summarize_codes(bounces))
    """
    _NEED.require(summary)
    total = int(summary["bounced"].sum())
    title = "What the servers said: reason and code" if compact else _TITLE
    if not total:
        return says(theme, title, "No message bounced.", compact=compact)
    look = look_of(theme)
    boxes = _boxes(summary, _LEVELS[2:] if compact else _LEVELS)
    types = [max(BOUNCED, key=lambda name: box["types"][name]) for box in boxes.values()]
    figure = go.Figure(
        go.Icicle(
            ids=[_ALL, *("/".join((_ALL, *path)) for path in boxes)],
            parents=["", *("/".join((_ALL, *path[:-1])) for path in boxes)],
            labels=["All", *(plain(box["label"]) for box in boxes.values())],
            values=[total, *(box["bounced"] for box in boxes.values())],
            branchvalues="total",
            sort=False,
            tiling={"orientation": "h", "pad": 1},
            pathbar={"visible": False},
            marker={
                "colors": [look.line, *(look.types[name] for name in types)],
                "line": {"width": 1, "color": look.paper},
            },
            text=[number(total), *(number(box["bounced"]) for box in boxes.values())],
            texttemplate="%{label}" if compact else "%{label}  %{text}",
            leaf={"opacity": 1},  # inks are chosen for full colours
            # deep colours need the ink of the paper, for a contrast of at least 4.5:1
            textfont={
                "size": 12,
                "color": [look.ink, *(look.paper if name == "block" else "#000000" for name in types)],
            },
            customdata=[
                f"<b>{count(total, 'bounce')}</b> in all.",
                *(_sentence(path, box, total) for path, box in boxes.items()),
            ],
            hovertemplate="%{customdata}<extra></extra>",
        ),
        layout={"uniformtext": {"minsize": 11, "mode": "hide"}, "margin": {"l": 16, "r": 16}},
    )
    for name in BOUNCED:  # boxes have no legend of their own
        if name in types:
            figure.add_scatter(
                x=[None],
                y=[None],
                mode="markers",
                name=TYPES[name].short if compact else TYPES[name].title,
                marker={"symbol": "square", "size": 11, "color": look.types[name]},
                showlegend=True,
            )
    figure.update_layout(xaxis={"visible": False}, yaxis={"visible": False}, showlegend=True)
    leaves = sum(len(path) == (2 if compact else 4) for path in boxes)
    high = min(max(24 * leaves, 260), 620)
    subtitle = f"{count(total, 'bounce')}; colour: the type of most of them"
    return lay_out(figure, theme, title, subtitle, body=high, above=36, below=16, compact=compact)


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
    by_code["code"] = by_code["code"].where(~rare, "other codes (" + others.astype(str) + ")")
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
    named = [REASONS[part].title for part in path[-2:-1] if part in REASONS]
    under = f" under {named[0].lower()}" if named else ""
    return (
        f"<b>{plain(box['label'])}</b>{under}<br>{count(box['bounced'], 'message')},"
        f" {percent(box['bounced'] / total)} of all bounces."
    )

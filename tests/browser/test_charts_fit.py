"""Every chart on a phone, in a notebook and on a wide page: no text overlaps another or is cut, data leave marks."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import plotly.graph_objects as go
import pytest
from plotly.offline import get_plotlyjs

from bounceanalytics import charts, schema
from bounceanalytics.deciding import compare_policies
from bounceanalytics.finding import recovery_curves
from bounceanalytics.summaries import summarize
from tests.classified import classified, newsletter

pytestmark = pytest.mark.browser

SCRIPT = Path(__file__).with_name("fit.js")

#: Public names of the charts that draw nothing, and those that are there under another name.
NO_CHARTS = {"save", "template", "bounce_types", "domain_trends", "providers", "recovery"}

#: Pixels of a phone, of a notebook and of a wide page.
PHONE, WIDTHS = 390, (390, 760, 1040)

Frames = dict[str, tuple[Any, ...]]

LONG = [f"domain-{number:04d}.a-rather-long-name-of-a-company.example" for number in range(1000)]


def rated(column: str, names: Sequence[str], most: int, *, unrated: int = 5) -> pd.DataFrame:
    """Return a summary with rates of all sizes; every so many rows have none."""
    dice = random.Random(531)  # noqa: S311 - an example, not a secret
    rows = []
    for place, name in enumerate(names):
        attempted = max(1, most // (place + 1))
        hard = min(attempted, max(1, round(attempted * dice.random() ** 4)))
        rate = hard / attempted
        known = place % unrated != unrated - 1
        rows.append(
            {
                column: name,
                "domains": 1 + place,
                "attempted": attempted,
                "bounced": hard,
                "hard": hard,
                "rated": attempted if known else 0,
                "deliveries_known": known,
                "hard_rate": rate if known else None,
                "hard_low": rate / 2 if known else None,
                "hard_high": (1 + rate) / 2 if known else None,
                "hard_shrunk": (rate + 0.05) / 2 if known else None,
                "top_reason": "unknown_user",
            }
        )
    return pd.DataFrame(rows).sort_values("hard", ascending=False, ignore_index=True)


def incidents(number: int, hours_apart: int) -> pd.DataFrame:
    start = pd.date_range("2026-01-12T08:00Z", periods=number, freq=f"{hours_apart}h")
    kinds = ["block", "storm", "full", "spike", "recovery"]
    return pd.DataFrame(
        {
            "kind": [kinds[place % 5] for place in range(number)],
            "start": start,
            "end": [
                moment + pd.Timedelta(days=9) if place % 3 else pd.NaT for place, moment in enumerate(start)
            ],
            "name": "Google",
            "reached": [5000 - place for place in range(number)],
            "title": "a-long-name.example: blocks begin",
            "sentence": "From 12 Jan 2026 on, a-long-name.example refused mail that it had taken for months before.",
        }
    )


def storms(number: int) -> pd.DataFrame:
    start = pd.date_range("2026-01-12T08:00Z", periods=number, freq="7h")
    return pd.DataFrame(
        {
            "kind": ["everything" if place % 4 == 3 else "unknown_users" for place in range(number)],
            "provider": "ses",
            "mailbox_provider": ["google" if place % 2 else "other" for place in range(number)],
            "domain": [LONG[place] for place in range(number)],
            "start": start,
            "end": start + pd.Timedelta(hours=3),
            "addresses": 812,
            "attempts": 900,
            "share": 0.9,
            "usual_share": 0.004,
            "accepted_before": 700,
            "recovered": 690,
        }
    )


def changes(names: Sequence[str]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "name": list(names),
            "mailbox_provider": "other",
            "measure": ["block" if place % 3 == 2 else "hard" for place in range(len(names))],
            "kind": [("spike", "rise", "fall")[place % 3] for place in range(len(names))],
            "at": pd.date_range("2026-01-12", periods=len(names), freq="7D", tz="UTC")[::-1]
            if len(names) < 60
            else pd.Timestamp("2026-01-12", tz="UTC"),
            "attempted_before": 12_345,
            "failed_before": [10 + place for place in range(len(names))],
            "rate_before": [0.001 + 0.0001 * place for place in range(len(names))],
            "attempted_after": 1_234,
            "failed_after": [600 - place // 2 for place in range(len(names))],
            "rate_after": [max(0.5 - 0.0004 * place, 0.002) for place in range(len(names))],
            "p_value": 1e-9,
        }
    )


def unclassified(number: int) -> pd.DataFrame:
    text = (
        "451 4.9.9 Our most particular server number {} would rather not say what it thinks of your message"
    )
    return pd.DataFrame(
        {
            "template": ["" if place == 3 else text.format(place) for place in range(number)],
            "events": [10 * (number - place) for place in range(number)],
            "addresses": [7 * (number - place) for place in range(number)],
            "domains": [1 + number - place for place in range(number)],
            "worst_domain": LONG[:number],
            "reply_code": pd.array([451] * number, dtype="Int16"),
            "enhanced_code": "4.9.9",
            "first_seen": pd.Timestamp("2026-01-05T09:00Z"),
            "last_seen": pd.Timestamp("2026-03-05T09:00Z"),
            "rule_line": "text-999,10,,would rather not,unclassified",
        }
    )


def states(number: int) -> pd.DataFrame:
    """Return so many domains, each in trouble after two weeks, and half of them well again after two more."""
    begin, rows = pd.Timestamp("2026-01-05T09:00Z"), []
    for place in range(number):
        times = [begin + pd.Timedelta(weeks=2 * step, days=place % 5) for step in range(4)]
        trouble = [*schema.TROUBLES, "unknown"][place % (len(schema.TROUBLES) + 1)]
        for status, since, until in zip(("healthy", trouble, "healthy"), times, times[1:], strict=False):
            lasts = place % 2 and status == trouble
            rows.append((LONG[place], status, since, pd.NaT if lasts else until, until, "dns", "why"))
            if lasts:
                break
    return schema.MONITOR_HISTORY_COLUMNS.frame(rows)


def curves(number: int) -> pd.DataFrame:
    rows = [
        (status, 1_000, day, 1_000 - day, day, day / 500, day / 900, day / 480)
        for status in ("all", *schema.TROUBLES[:number])
        for day in (0, 7, 30, 400)
    ]
    return schema.MONITOR_CURVE_COLUMNS.frame(rows)


def days(number: int) -> pd.DataFrame:
    frame = pd.DataFrame({"period": pd.date_range("2026-01-05", periods=number, freq="D", tz="UTC")})
    frame["hard"] = [1_000_000 + 1000 * (place % 7) for place in range(number)]
    frame["soft"], frame["block"], frame["unknown"] = 200_000, 50_000, 7_000
    frame["bounced"] = frame[["hard", "soft", "block", "unknown"]].sum(axis=1)
    return frame.assign(attempted=40_000_000, rated=40_000_000, hard_rate=0.025)


@pytest.fixture(scope="module")
def frames(once: Callable[..., Any]) -> dict[str, list[Frames]]:
    """Return chart -> what it draws: an example, one row, and more than fits."""
    return once("frames of charts", examples_of_charts)


def examples_of_charts() -> dict[str, list[Frames]]:
    bounces = newsletter(weeks=5)
    story = summarize(bounces)
    one = summarize(
        classified(
            [
                {"recipient": "zq1@example.org", "reason": "system_full"},
                {"recipient": "zq2@example.org", "event": "delivered", "timestamp": "2026-03-02T12:00:00Z"},
            ]
        )
    )
    every = [
        {"recipient": f"zq@{name}", "domain": name, "mailbox_provider": "other", "reason": reason}
        for name in LONG[:40]
        for reason in schema.REASONS
    ]
    every += [row | {"event": "delivered", "reason": None} for row in every[::7]]
    every += [row | {"timestamp": "2025-05-06T10:00:00Z"} for row in every[::11]]
    many = summarize(classified(every))
    of = {
        name: [(getattr(summaries, frame),) for summaries in (story, one, many) if hasattr(summaries, frame)]
        for name, frame in {
            "reasons": "reasons",
            "domain_reasons": "domain_reasons",
            "system_full": "system_full",
            "codes": "codes",
            "domain_days": "domain_days",
            "actions": "actions",
            "esps": "esps",
        }.items()
    }
    big = 6_000_000
    return of | {
        "domains": [(story.domains,), (one.domains,), (rated("domain", LONG, big),)],
        "days": [
            (story.days,),
            (story.days, incidents(6, 200)),
            (one.days,),
            (days(1), incidents(1, 1)),
            (days(400), incidents(30, 1)),
            (days(3), incidents(8, 8)),
        ],
        "mailbox_providers": [(story.providers,), (one.providers,), (rated("mailbox_provider", LONG, big),)],
        "tags": [(rated("tag", [str(year) for year in range(9)], 800),), (rated("tag", LONG, big),)],
        "sending_ips": [
            (rated("sending_ip", ["(none)"], 800),),
            (rated("sending_ip", [f"2001:db8:1234:5678:9abc:def0:1234:{n:04x}" for n in range(300)], big),),
        ],
        "hosts": [(rated("remote_host", ["192.0.2.25"], 800),), (rated("remote_host", LONG, big),)],
        "registrable_domains": [
            (rated("registrable_domain", ["example.org"], 800, unrated=2),),
            (rated("registrable_domain", LONG, big),),
        ],
        "policies": [(compare_policies(bounces),), (compare_policies(bounces, ["default"]),)],
        "recovery_curves": [(recovery_curves(bounces),), (recovery_curves(classified(every)),)],
        "domain_states": [(states(5),), (states(1),), (states(len(LONG)),)],
        "domain_recovery": [(curves(2),), (curves(1),), (curves(len(schema.TROUBLES)),)],
        "storms": [(storms(4),), (storms(1),), (storms(100),)],
        "changes": [(changes(LONG[:3]),), (changes(LONG[:1]),), (changes(LONG),)],
        "unclassified": [(unclassified(6),), (unclassified(1),), (unclassified(1000),)],
    }


def test_every_public_chart_is_looked_at(frames: dict[str, list[Frames]]) -> None:
    assert set(charts.__all__) - NO_CHARTS <= set(frames)


@pytest.mark.parametrize(("theme", "width"), [*(("light", width) for width in WIDTHS), ("dark", PHONE)])
def test_texts_keep_apart_and_whole(
    frames: dict[str, list[Frames]],
    once: Callable[..., Any],
    open_page: Callable[..., Any],
    tmp_path: Path,
    width: int,
    theme: str,
) -> None:
    compact = width == PHONE
    figures: dict[str, Drawn] = once(
        f"charts {theme} {compact}",
        lambda: {
            f"{name}-{place}": drawn(getattr(charts, name)(*given, theme=theme, compact=compact))
            for name, several in frames.items()
            if name in charts.__all__
            for place, given in enumerate(
                several if theme == "light" else several[:1]
            )  # colours move no text
        },
    )
    page = open_page(
        _written(figures, tmp_path / "charts.html", width), viewport={"width": width, "height": 900}
    )
    page.wait_for_function("window.drawn === true")
    look = SCRIPT.read_text(encoding="utf-8")
    assert page.evaluate(look, {name: figure.has_data for name, figure in figures.items()}) == {}


def test_the_check_finds_what_is_wrong(open_page: Callable[..., Any], tmp_path: Path) -> None:
    place = {"xref": "paper", "yref": "paper", "showarrow": False}
    notes = [
        place | {"text": "one text", "x": 0.5, "y": 0.5},
        place | {"text": "upon another", "x": 0.5, "y": 0.5, "yshift": 5, "textangle": -45},
        place | {"text": "beyond the edge", "x": 1, "y": 0.9, "xanchor": "left", "xshift": 60},
    ]
    wrong = go.Figure(go.Bar(x=[None], y=["a"]), layout={"annotations": notes, "height": 300})
    page = open_page(
        _written({"wrong": drawn(wrong)}, tmp_path / "wrong.html", 400),
        viewport={"width": 400, "height": 900},
    )
    page.wait_for_function("window.drawn === true")
    found = page.evaluate(SCRIPT.read_text(encoding="utf-8"), {"wrong": True})
    cut, overlap, empty = found["wrong"]
    assert cut.startswith('"beyond the edge" is cut by')
    assert overlap.startswith('"one text" and "upon another" overlap by')
    assert empty == "nothing is drawn"


class Drawn(NamedTuple):
    """A figure as a page takes it."""

    json: str
    height: int
    has_data: bool


def drawn(figure: Any) -> Drawn:
    return Drawn(figure.to_json(), figure.layout.height, bool(figure.data))


def _written(figures: dict[str, Drawn], path: Path, width: int) -> Path:
    """Write a page that draws all figures, one below the other."""
    boxes = "".join(
        f'<div id="{name}" style="width:{width}px;height:{figure.height}px"></div>'
        for name, figure in figures.items()
    )
    every = ",".join(f"{json.dumps(name)}:{figure.json}" for name, figure in figures.items())
    every = every.replace("</", "<\\/")
    draw = "Promise.all(Object.entries(all).map(([id, f]) => Plotly.newPlot(id, f.data, f.layout, {staticPlot: true})))"
    script = f"const all = {{{every}}}; {draw}.then(() => {{ window.drawn = true; }});"
    path.write_text(
        f'<!doctype html><meta charset="utf-8"><title>charts</title><body style="margin:0">{boxes}'
        f"<script>{get_plotlyjs()}</script><script>{script}</script>",
        encoding="utf-8",
    )
    return path

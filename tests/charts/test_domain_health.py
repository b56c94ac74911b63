"""Charts of domain health: what is drawn is what the monitor says, and nothing breaks on one, many or none."""

from __future__ import annotations

from typing import Any

import pandas as pd
import plotly.graph_objects as go
import pytest

import bounceanalytics as ba
from bounceanalytics.charts import domain_recovery, domain_states
from bounceanalytics.charts.theme import THEMES
from bounceanalytics.errors import FrameError
from tests.classified import classified

START = pd.Timestamp("2026-01-05T09:00Z")


def monitored(domains: int) -> ba.Monitor:
    """Return a monitor: each domain is full for some weeks, every third to the end."""
    rows: list[dict[str, Any]] = []
    for number in range(domains):
        for week in range(12):
            full = number % 5 < week <= number % 5 + (20 if number % 3 == 0 else 3)
            what = {"reason": "system_full"} if full else {"event": "delivered", "reason": None}
            recipient, moment = f"zq@d{number:02}.example", START + pd.Timedelta(weeks=week)
            rows.append(
                {"recipient": recipient, "timestamp": moment, "message_id": f"{number} {week}", **what}
            )
    monitor = ba.Monitor(":memory:")
    monitor.update(classified(rows))
    return monitor


def named(figure: go.Figure) -> dict[str, go.Scatter]:
    return {trace.name: trace for trace in figure.data if trace.name}


def test_states_are_drawn_from_begin_to_end() -> None:
    history = monitored(3).history()
    drawn = named(domain_states(history))
    assert list(drawn) == ["Takes mail", "Mail system full", "Recovered"]
    full = history[history["status"] == "full"]
    end = history["last_seen"].max()
    expected = [
        (row.domain, row.begin, end if pd.isna(row.until) else row.until) for row in full.itertuples()
    ]
    x, y = drawn["Mail system full"].x, drawn["Mail system full"].y
    assert [
        (y[at], pd.Timestamp(x[at], tz="UTC"), pd.Timestamp(x[at + 1], tz="UTC"))
        for at in range(0, len(x), 3)
    ] == expected
    back = history[history["status"].eq("healthy") & history["begin"].gt(START)]
    assert list(drawn["Recovered"].y) == back["domain"].tolist()
    assert drawn["Mail system full"].line.width > 2 * drawn["Takes mail"].line.width


def test_the_worst_are_on_top_and_the_subtitle_says_how_many_there_are() -> None:
    figure = domain_states(monitored(40).history())
    names = list(figure.layout.yaxis.categoryarray)
    assert len(names) == 30
    assert names[:14] == sorted(names[:14], key=lambda name: (int(name[1:3]) % 5, name))
    assert all(int(name[1:3]) % 3 == 0 for name in names[:14])
    assert (
        "30 of 40 domains, 5 Jan 2026 to 23 Mar 2026; 14 domains take no mail now"
        in figure.layout.meta["subtitle"]
    )


def test_recovery_shows_the_numbers_of_the_curves() -> None:
    curves = monitored(9).recovery_curves()
    figure = domain_recovery(curves)
    drawn = named(figure)
    assert list(drawn) == ["Mail system full"]  # all of one kind: drawn once
    full = curves[curves["status"] == "full"]
    assert list(drawn["Mail system full"].x) == full["day"].tolist()
    assert list(drawn["Mail system full"].y) == full["share"].tolist()
    assert "6 of 9 ended" in figure.layout.annotations[0].text
    two = pd.concat([curves, full.assign(status="gone")], ignore_index=True)
    two["status"] = two["status"].astype(curves["status"].dtype)
    assert list(named(domain_recovery(two))) == ["All troubles", "Mail system full", "Does not exist"]
    assert "2 of 3 kinds" in domain_recovery(two, top=2).layout.meta["subtitle"]


@pytest.mark.parametrize("domains", [0, 1, 40])
@pytest.mark.parametrize("compact", [False, True])
@pytest.mark.parametrize("theme", THEMES)
def test_nothing_breaks(domains: int, compact: bool, theme: Any) -> None:
    monitor = monitored(domains)
    for figure in (
        domain_states(monitor.history(), theme=theme, compact=compact),
        domain_recovery(monitor.recovery_curves(), theme=theme, compact=compact),
    ):
        assert figure.layout.meta["title"]
        assert bool(figure.data) == bool(domains)
        assert figure.layout.annotations[0].text if not domains else figure.layout.height > 100


def test_names_are_no_markup() -> None:
    history = monitored(1).history().assign(domain="<b>evil</b>")
    figure = domain_states(history)
    assert all("<b>evil" not in text for trace in figure.data for text in trace.customdata)
    assert "<b>" not in figure.layout.yaxis.ticktext[0]


@pytest.mark.parametrize("draw", [domain_states, domain_recovery])
def test_another_frame_is_named(draw: Any) -> None:
    with pytest.raises(FrameError, match="needs the columns"):
        draw(pd.DataFrame({"domain": ["a.example"]}))

"""Charts of recovery and of storms: the numbers drawn are those computed, and nothing breaks on one, many or none."""

from __future__ import annotations

import json
import re
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import pytest

from bounceanalytics.charts.recovery import recovery_curves as recovery
from bounceanalytics.charts.storms import storms
from bounceanalytics.charts.theme import THEMES, without_heading
from bounceanalytics.errors import FrameError
from bounceanalytics.finding.recovery import recovery_curves
from bounceanalytics.finding.storms import storms as find_storms
from tests.classified import classified

START = pd.Timestamp("2026-01-05T09:00Z")

#: Reason -> days after which addresses take mail again, and after which they were tried in vain for the last time.
FATES = {
    "mailbox_full": ([7, 14, 14, 21], [7, 28, 28]),
    "network": ([2, 2], []),
    "unknown_user": ([], [7]),
    "bad_domain": ([], [0]),
    "spam": ([7], []),
    "blocked": ([7], []),
    "tls": ([7], []),
}


@pytest.fixture(scope="module")
def bounces() -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    for reason, (recovered, in_vain) in FATES.items():
        for number, day in enumerate([*recovered, *in_vain]):
            row = {"recipient": f"zq-{reason}-{number}@example.com", "mailbox_provider": "google"}
            end = {"event": "delivered", "reason": None} if number < len(recovered) else {"reason": reason}
            rows += [row | {"reason": reason, "timestamp": START}]
            rows += [row | end | {"timestamp": START + pd.Timedelta(days=day)}]
    return classified(rows)


@pytest.fixture(scope="module")
def curves(bounces: pd.DataFrame) -> pd.DataFrame:
    return recovery_curves(bounces)


@pytest.fixture(scope="module")
def found() -> pd.DataFrame:
    """Return two storms of a mailbox provider, one of a domain and one of an ESP."""
    rows = [
        (
            "unknown_users",
            None,
            "google",
            None,
            "2020-12-14T22:16Z",
            "2020-12-15T00:38Z",
            812,
            900,
            0.004,
            700,
            690,
        ),
        (
            "unknown_users",
            None,
            "google",
            None,
            "2020-12-15T19:38Z",
            "2020-12-15T23:57Z",
            400,
            650,
            0.004,
            390,
            0,
        ),
        (
            "unknown_users",
            None,
            "other",
            "<b>.example",
            "2020-12-16T10:00Z",
            "2020-12-16T10:00Z",
            12,
            20,
            0,
            12,
            12,
        ),
        ("everything", "ses", None, None, "2020-12-17T08:00Z", "2020-12-17T08:40Z", 98, 99, None, 98, 98),
    ]
    names = "kind provider mailbox_provider domain start end addresses attempts usual_share accepted_before recovered"
    frame = pd.DataFrame(rows, columns=names.split())
    frame["start"], frame["end"] = pd.to_datetime(frame["start"]), pd.to_datetime(frame["end"])
    return frame.assign(share=frame["addresses"] / frame["attempts"])


def lines(figure: go.Figure) -> dict[str, go.Scatter]:
    """Return title -> line of every panel; what else a panel holds has no name."""
    return {trace.name: trace for trace in figure.data if trace.name}


def texts(figure: go.Figure) -> list[str]:
    return [text for trace in figure.data for text in (trace.customdata or []) if text]


def test_recovery_shows_the_numbers_of_the_curves(curves: pd.DataFrame) -> None:
    drawn = lines(recovery(curves, top=20))
    assert list(drawn)[:2] == ["Mailbox full", "Network"]
    for title, reason in (
        ("Mailbox full", "mailbox_full"),
        ("Network", "network"),
        ("Bad domain", "bad_domain"),
    ):
        mine = curves[curves["reason"].eq(reason) & curves["mailbox_provider"].eq("all")]
        assert list(drawn[title].x) == mine["day"].tolist()
        assert list(drawn[title].y) == mine["share"].tolist()
        assert drawn[title].line.shape == "hv"
        for hover, (_, row) in zip(drawn[title].customdata, mine.iterrows(), strict=True):
            assert f"{row['at_risk']} of {row['episodes']} were still tried" in hover


def test_band_is_the_interval(curves: pd.DataFrame) -> None:
    low, high, line = recovery(curves, top=1).data
    mine = curves[curves["reason"].eq("mailbox_full") & curves["mailbox_provider"].eq("all")]
    assert list(low.y) == mine["low"].fillna(mine["share"]).tolist()
    assert list(high.y) == mine["high"].fillna(mine["share"]).tolist()
    assert (high.fill, line.name) == ("tonexty", "Mailbox full")
    assert all(a <= b <= c for a, b, c in zip(low.y, line.y, high.y, strict=True))


def test_panels_say_what_their_curves_come_to(curves: pd.DataFrame) -> None:
    heads = [note.text for note in recovery(curves, top=20).layout.annotations]
    assert len(heads) == len(FATES)
    assert re.search(r"Mailbox full.*7 of 7 tried again: 65\.7% by day 28", heads[0])
    assert any(re.search(r"Network.*2 of 2 tried again: 100% by day 2\b", head) for head in heads)
    assert any(re.search(r"Bad domain.*0 of 1 tried again<", head) for head in heads)


def test_recovery_draws_the_first_and_says_how_many_there_are(curves: pd.DataFrame) -> None:
    assert "6 of 7 reasons" in recovery(curves).layout.meta["subtitle"]
    assert len(lines(recovery(curves))) == 6
    assert "; 7 reasons" in recovery(curves, top=7).layout.meta["subtitle"]


def test_mailbox_providers_are_drawn_where_reasons_are_not_told_apart(bounces: pd.DataFrame) -> None:
    figure = recovery(recovery_curves(bounces, by="mailbox_provider"))
    assert list(lines(figure)) == ["Google"]
    assert "1 mailbox provider;" in figure.layout.meta["subtitle"]


def test_shares_have_a_whole_axis(curves: pd.DataFrame) -> None:
    for axis in recovery(curves).select_yaxes():
        assert axis.range[0] <= 0
        assert axis.range[1] >= 1
        assert axis.tickformat == ".0%"


def test_storms_shows_spans(found: pd.DataFrame) -> None:
    figure = storms(found)
    refusals, everything = figure.data
    assert refusals.name.startswith("Mailbox provider")
    assert everything.name.startswith("Everything bounced")
    walls = {edge: found[edge].dt.tz_localize(None).tolist() for edge in ("start", "end")}
    assert [pd.Timestamp(x) for x in (*refusals.x[0::3], *everything.x[0::3])] == walls["start"]
    assert [pd.Timestamp(x) for x in (*refusals.x[1::3], *everything.x[1::3])] == walls["end"]
    assert list(refusals.y[0::3]) == ["Google", "Google", "<b>.example"]
    assert list(everything.y[0::3]) == ["Amazon SES"]
    assert list(figure.layout.yaxis.tickvals) == ["Google", "<b>.example", "Amazon SES"]
    assert {note.y: note.text for note in figure.layout.annotations} == {
        "Google": "1,212 refused",
        "<b>.example": "12 refused",
        "Amazon SES": "98 refused",
    }
    assert figure.layout.meta["subtitle"].startswith(
        "4 storms, UTC; 1,322 addresses refused, of which 1,200 had"
    )
    assert "2 of 4 storms" in storms(found, top=2).layout.meta["subtitle"]


def test_storms_that_were_found_can_be_drawn() -> None:
    readers = [f"zq-{number}@example.com" for number in range(30)]
    rows = [
        {
            "recipient": reader,
            "timestamp": START + pd.Timedelta(weeks=week),
            "mailbox_provider": "google",
            **({"reason": "unknown_user"} if week == 4 and number < 20 else {"event": "delivered"}),
        }
        for week in range(5)
        for number, reader in enumerate(readers)
    ]
    figure = storms(find_storms(classified(rows)))
    (hover, _) = texts(figure)
    assert "20 of 30 addresses were said not to exist (66.7%; usual is 0%)" in hover
    assert "20 had taken mail before, 0 did later." in hover
    assert figure.layout.height < 300


@pytest.mark.parametrize("options", [{}, {"theme": "dark"}, {"compact": True}], ids=str)
def test_input_is_not_changed(curves: pd.DataFrame, found: pd.DataFrame, options: dict[str, Any]) -> None:
    for draw, frame in ((recovery, curves), (storms, found)):
        before = frame.copy(deep=True)
        figure = draw(frame, **options)
        assert figure.layout.paper_bgcolor is None
        assert figure.layout.template.layout.paper_bgcolor == THEMES[options.get("theme", "light")].paper
        pd.testing.assert_frame_equal(frame, before)


def test_colours_mean_what_they_mean_elsewhere(curves: pd.DataFrame, found: pd.DataFrame) -> None:
    for name, look in THEMES.items():
        assert {line.line.color for line in lines(recovery(curves, theme=name)).values()} == {look.accepted}
        colours = [trace.line.color for trace in storms(found, theme=name).data]
        assert colours == [look.faults["receiver"], look.faults["sender"]]


def test_empty_input_says_so_in_words(curves: pd.DataFrame, found: pd.DataFrame) -> None:
    for figure in (recovery(curves.head(0)), storms(found.head(0))):
        assert len(figure.data) == 0
        (note,) = figure.layout.annotations
        assert re.fullmatch(r"[A-Z].* .*\.", note.text)


@pytest.mark.parametrize(
    ("draw", "what"), [(recovery, "frame of recovery curves"), (storms, "summary of storms")]
)
def test_wrong_input_and_wrong_theme_are_named(
    draw: Any, what: str, curves: pd.DataFrame, found: pd.DataFrame
) -> None:
    with pytest.raises(FrameError, match=what):
        draw(pd.DataFrame({"nothing": [1]}))
    with pytest.raises(FrameError, match="light and dark"):
        draw(curves if draw is recovery else found, theme="sepia")


def test_hover_texts_are_sentences(curves: pd.DataFrame, found: pd.DataFrame) -> None:
    for figure in (recovery(curves), storms(found)):
        assert texts(figure)
        for text in texts(figure):
            words = re.sub(r"<[^>]+>", " ", text)
            assert re.search(r"\w+ .*\.$", words.strip()), text
            assert "nan" not in words.lower().split()


def test_markup_in_a_domain_is_shown_not_obeyed(found: pd.DataFrame) -> None:
    figure = storms(found)
    shown = json.dumps([list(figure.layout.yaxis.ticktext), texts(figure)])
    assert "<b>.example" not in shown
    assert "&lt;b&gt;.example" in shown


def test_heading_can_be_taken_off(curves: pd.DataFrame, found: pd.DataFrame) -> None:
    for figure in (recovery(curves), storms(found)):
        bare = without_heading(figure)
        assert bare["layout"]["height"] < figure.layout.height
        assert bare["layout"]["margin"]["t"] >= 0

"""Charts of codes, trends, changes and unknown texts: their numbers are those of the summaries."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from bounceanalytics import charts, summaries, wording
from bounceanalytics.charts.theme import THEMES
from bounceanalytics.classifying.reviewing import unclassified
from bounceanalytics.errors import FrameError
from bounceanalytics.schema import REASONS
from bounceanalytics.summaries import Summaries, summarize
from tests.classified import classified


@pytest.fixture(scope="module")
def story(letter_summaries: Summaries) -> Summaries:
    return letter_summaries


DRAWN = {
    "codes": (charts.codes, "codes"),
    "domain_days": (charts.domain_days, "domain_days"),
    "actions": (charts.actions, "actions"),
    "changes": (charts.changes, "changes"),
}


@pytest.mark.parametrize("name", DRAWN)
def test_empty_summaries_say_so_and_wrong_frames_are_refused(story: Summaries, name: str) -> None:
    function, summary = DRAWN[name]
    frame = getattr(story, summary)
    figure = function(frame.head(0))
    assert not figure.data
    assert figure.layout.annotations[0].text.endswith(".")
    with pytest.raises(FrameError, match="needs the columns"):
        function(frame.drop(columns=frame.columns[0]))
    with pytest.raises(FrameError, match="unknown theme"):
        function(frame, theme="sepia")
    before = frame.copy(deep=True)
    function(frame, theme="dark", compact=True)
    pd.testing.assert_frame_equal(frame, before)


def boxes(figure: Any) -> dict[str, int]:
    (icicle,) = [trace for trace in figure.data if trace.type == "icicle"]
    return dict(zip(icicle.ids, icicle.values, strict=True))


def test_boxes_of_codes_add_up_level_by_level(story: Summaries) -> None:
    figure = charts.codes(story.codes)
    got = boxes(figure)
    assert got["all"] == story.codes["bounced"].sum()
    (icicle,) = [trace for trace in figure.data if trace.type == "icicle"]
    for parent in set(icicle.parents) - {""}:
        inside = [value for value, its in zip(icicle.values, icicle.parents, strict=True) if its == parent]
        assert sum(inside) == got[parent]
    for row in story.codes.itertuples():
        path = f"all/{row.code_class}/{row.category}/{row.reason}/{row.code}"
        assert got[path] == row.bounced
        assert REASONS[str(row.reason)].title in icicle.labels
    short = boxes(charts.codes(story.codes, compact=True))
    by_reason = story.codes.groupby("reason", observed=True)["bounced"].sum()
    assert {name: short[f"all/{name}"] for name in by_reason.index} == by_reason.to_dict()


def test_rare_codes_of_a_reason_are_one_box() -> None:
    rows = [
        {"recipient": f"zq{n}@example.org", "enhanced_code": f"5.1.{n % 40}", "message_id": f"m{n}"}
        for n in range(40)
    ]
    rows += [{"recipient": f"zq{n}@example.net", "message_id": f"n{n}"} for n in range(5)]
    got = boxes(charts.codes(summarize(classified(rows)).codes))
    leaves = {path: value for path, value in got.items() if path.count("/") == 4}
    assert len(leaves) == 9
    assert sum(leaves.values()) == 45
    (others,) = [path for path in leaves if "other codes" in path]
    assert others.endswith("other codes (32)")


def test_a_code_that_is_missing_and_a_name_that_is_markup() -> None:
    rows = [{"recipient": "zq@x", "enhanced_code": "<b>", "code_class": None, "message_id": "m"}]
    (icicle,) = [
        trace for trace in charts.codes(summarize(classified(rows)).codes).data if trace.type == "icicle"
    ]
    assert "No code" in icicle.labels
    assert "&lt;b&gt;" in icicle.labels


def test_trends_are_the_rates_of_the_summary(story: Summaries) -> None:
    figure = charts.domain_days(story.domain_days, top=3)
    worst = story.domain_days["domain"].drop_duplicates().head(3).tolist()
    for place, name in enumerate(worst):
        mine = story.domain_days[story.domain_days["domain"] == name]
        every, hard = figure.data[2 * place : 2 * place + 2]
        assert every.name == name
        assert list(every.y) == mine["bounce_rate"].tolist()
        assert list(hard.y) == mine["hard_rate"].tolist()
        assert list(hard.x) == [period.tz_localize(None) for period in mine["period"]]
    assert len(figure.data) == 6
    assert "3 of 9 domains" in figure.layout.meta["subtitle"]
    ranges = {tuple(axis.range) for axis in figure.select_yaxes() if axis.visible}
    assert len(ranges) == 1  # all panels alike


def test_trends_without_deliveries_are_counts() -> None:
    rows = [
        {
            "recipient": f"zq{n}@example.org",
            "timestamp": f"2026-03-0{1 + n % 3}T10:00:00Z",
            "message_id": f"m{n}",
        }
        for n in range(7)
    ]
    figure = charts.domain_days(summarize(classified(rows)).domain_days)
    assert list(figure.data[0].y) == [3, 2, 2]
    assert "bounces (grey)" in figure.layout.meta["subtitle"]


def changed(number: int) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "name": [f"<i>{place}.example" for place in range(number)],
            "mailbox_provider": "other",
            "measure": ["hard", "block"] * (number // 2) + ["hard"] * (number % 2),
            "kind": ["rise", "spike", "fall"] * (number // 3) + ["rise"] * (number % 3),
            "at": pd.Timestamp("2026-03-02", tz="UTC"),
            "attempted_before": 200,
            "failed_before": 4,
            "rate_before": 0.02,
            "attempted_after": 100,
            "failed_after": 30,
            "rate_after": 0.3,
            "p_value": 1e-9,
        }
    )


def test_changes_show_before_and_after_and_since_when() -> None:
    figure = charts.changes(changed(40), top=10)
    full = [trace for trace in figure.data if trace.mode == "markers" and trace.showlegend is not False]
    assert {trace.name for trace in full} == {"Hard bounces", "Blocks"}
    assert sum(len(trace.x) for trace in full) == 10
    assert {x for trace in full for x in trace.x} == {0.3}
    hollow = [trace for trace in figure.data if trace.mode == "markers" and trace.showlegend is False]
    assert {x for trace in hollow for x in trace.x} == {0.02}
    assert "10 of 40 changes" in figure.layout.meta["subtitle"]
    assert "2 Mar 2026" in figure.layout.annotations[0].text
    assert "&lt;i&gt;0.example" in figure.layout.yaxis.ticktext[0]
    sentence = full[0].customdata[0]
    assert "30.0% of 100 messages bounced hard since 2 Mar 2026;<br>before that 2.0% of 200." in sentence


def test_texts_are_told_by_template_and_count() -> None:
    rows = [
        {"recipient": f"zq{n}@example.org", "reason": "unclassified", "diagnostic": f"550 <b>zorble</b> {n}"}
        for n in range(5)
    ]
    rows += [{"recipient": "zq@example.net", "reason": "unclassified", "diagnostic": "554 wibble"}]
    found = unclassified(classified(rows))
    figure = charts.unclassified(found)
    assert list(figure.data[0].x) == found["events"].tolist() == [5, 1]
    texts = [note.text for note in figure.layout.annotations]
    assert texts[1] == "554 wibble"
    assert "<b>" not in texts[0]
    assert "5 bounces</b> to 5 addresses" in figure.data[0].customdata[0]
    assert "1 of 2 texts" in charts.unclassified(found, top=1).layout.meta["subtitle"]
    nothing = charts.unclassified(found.head(0))
    assert nothing.layout.annotations[0].text == "Every text was understood."


def test_each_summary_is_drawn_by_the_chart_of_its_name(story: Summaries) -> None:
    others = {"mailbox_providers": "providers", "provider_changes": "changes"}
    names = {name.removeprefix("summarize_") for name in summaries.__all__ if name.startswith("summarize_")}
    assert names <= set(charts.__all__)
    for name in names - {"registrable_domains"}:
        figure = getattr(charts, name)(getattr(story, others.get(name, name)))
        assert figure.layout.meta["title"]


def test_charts_keep_their_former_names() -> None:
    assert charts.bounce_types is charts.days
    assert charts.domain_trends is charts.domain_days
    assert charts.providers is charts.mailbox_providers
    assert charts.recovery is charts.recovery_curves


def test_actions_are_bars_of_addresses_in_the_colour_of_who_must_act(story: Summaries) -> None:
    figure = charts.actions(story.actions)
    drawn = [(label, x) for bar in figure.data for label, x in zip(bar.y, bar.x, strict=True)]
    told = [
        (f"{wording.ACTIONS[row.action].short} · {wording.FAULTS[row.fault].short}", row.addresses)
        for row in wording.rows(story.actions)
    ]
    assert sorted(drawn) == sorted(told)
    faults = THEMES["light"].faults
    for bar in figure.data:
        fault = next(name for name, words in wording.FAULTS.items() if words.title == bar.name)
        assert bar.marker.color == faults[fault]
    phone = charts.actions(story.actions, compact=True)
    assert {label.strip() for label in phone.layout.yaxis.ticktext} <= {
        words.short for words in wording.ACTIONS.values()
    }

"""Charts: the numbers drawn are those of the summary; nothing is changed, nothing breaks on one, many or none."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import pytest

from bounceanalytics import charts, schema, wording
from bounceanalytics.charts import panels
from bounceanalytics.charts import theme as themes
from bounceanalytics.deciding import compare_policies
from bounceanalytics.errors import FrameError
from bounceanalytics.summaries import Summaries, summarize
from tests.classified import classified, newsletter

#: Chart -> the summary that it takes.
CHARTS = {
    "domains": "domains",
    "domain_reasons": "domain_reasons",
    "days": "days",
    "system_full": "system_full",
    "reasons": "reasons",
    "mailbox_providers": "providers",
}


@pytest.fixture(scope="module")
def story(letter_summaries: Summaries) -> Summaries:
    return letter_summaries


@pytest.fixture(scope="module")
def many() -> Summaries:
    """Return 1,000 domains, each with bounces of every reason."""
    rows = [
        {"recipient": f"zq@domain-{number:04d}.a-rather-long-name-of-a-company.example", "reason": reason}
        for number in range(1000)
        for reason in schema.REASONS
    ]
    rows += [row | {"event": "delivered", "reason": None} for row in rows[::7]]
    return summarize(classified(rows))


def draw(name: str, summaries: Summaries, **options: Any) -> go.Figure:
    return getattr(charts, name)(getattr(summaries, CHARTS[name]), **options)


def bars(figure: go.Figure) -> dict[str, float]:
    """Return label -> length over all bar traces."""
    return {
        label: x
        for trace in figure.data
        if trace.type == "bar"
        for label, x in zip(trace.y, trace.x, strict=True)
    }


def test_domains_shows_the_numbers_of_the_summary(story: Summaries) -> None:
    figure = draw("domains", story)
    assert bars(figure) == story.domains.set_index("domain")["hard"].to_dict()
    assert list(figure.layout.yaxis.categoryarray) == story.domains["domain"].tolist()
    assert list(bars(draw("domains", story, top=3))) == story.domains["domain"].head(3).tolist()
    assert "3 of 9 domains" in draw("domains", story, top=3).layout.meta["subtitle"]


def test_domains_shows_rates_with_intervals_beside_the_numbers(story: Summaries) -> None:
    summary = story.domains.assign(hard_shrunk=story.domains["hard_rate"] / 2)
    _, ticks, dots = charts.domains(summary).data
    assert list(dots.x) == summary["hard_rate"].tolist()
    assert list(dots.y) == list(ticks.y) == summary["domain"].tolist()
    assert list(ticks.x) == summary["hard_shrunk"].tolist()
    high = [x + up for x, up in zip(dots.x, dots.error_x.array, strict=True)]
    low = [x - down for x, down in zip(dots.x, dots.error_x.arrayminus, strict=True)]
    assert high == pytest.approx(summary["hard_high"].tolist())
    assert low == pytest.approx(summary["hard_low"].tolist())
    plain = charts.domains(summary.drop(columns="hard_shrunk"))
    assert len(plain.data) == 2
    assert "cautious" not in plain.to_json()


def test_domains_without_deliveries_say_so_beside_those_with_rates(story: Summaries) -> None:
    rates = ["hard_rate", "hard_low", "hard_high", "hard_shrunk"]
    summary = story.domains.assign(hard_shrunk=0.01)
    summary.loc[1, rates] = float("nan")
    figure = charts.domains(summary)
    assert len(bars(figure)) == 9
    assert len(figure.data[-1].x) == 8
    assert [note.text for note in figure.layout.annotations].count("no deliveries in the export") == 1
    assert "there is no rate" in figure.data[0].customdata[1]
    summary[rates] = float("nan")
    (only,) = charts.domains(summary).data
    assert only.type == "bar"
    assert len(charts.domains(summary, compact=True).data) == 1


def test_hovers_tell_rated_messages_from_attempted_ones(story: Summaries) -> None:
    row = story.domains.iloc[0]
    whole = charts.domains(story.domains).data[0].customdata[0]
    assert f"{row['hard']} of {row['attempted']:,} attempted messages bounced hard:" in whole
    part = charts.domains(story.domains.assign(rated=7)).data[0].customdata[0]
    assert "Deliveries are known for 7 of them" in part


def test_reasons_shows_the_numbers_of_the_summary(story: Summaries) -> None:
    figure = draw("reasons", story)
    summary = story.reasons[story.reasons["bounced"] > 0]
    assert bars(figure) == summary.set_index("title")["bounced"].to_dict()
    assert "267 messages not tried" in figure.layout.meta["subtitle"]


def test_bounce_types_shows_the_numbers_of_the_summary(story: Summaries) -> None:
    figure = draw("days", story)
    drawn = {trace.name.partition(":")[0].lower(): list(trace.y) for trace in figure.data}
    assert drawn == {name: story.days[name].tolist() for name in ("hard", "soft", "block")}
    for trace in figure.data:
        assert [pd.Timestamp(x) for x in trace.x] == story.days["period"].dt.tz_localize(None).tolist()


def incidents(starts: list[str], zone: str = "UTC") -> pd.DataFrame:
    start = pd.to_datetime(pd.Series(starts), utc=True)
    kinds = ("storm", "block", "recovery", "full", "spike")
    return pd.DataFrame(
        {
            "kind": [kinds[place % 5] for place in range(len(starts))],
            "start": start,
            "end": [
                None if place % 2 else moment + pd.Timedelta(days=3) for place, moment in enumerate(start)
            ],
            "name": "Google",
            "reached": range(100, 100 - len(starts), -1),
            "title": [f"Google <{place}>: blocks begin" for place in range(len(starts))],
            "sentence": "On 12 Jan 2026 Google began to refuse mail for the sender's reputation, to 52 addresses.",
        }
    )


def test_months_are_called_months() -> None:
    rows = [
        {"recipient": "zq@example.org", "timestamp": f"2026-{month:02d}-11T10:00:00Z"} for month in (1, 2, 4)
    ]
    figure = charts.bounce_types(summarize(classified(rows), freq="M").days)
    assert "per month" in figure.layout.meta["subtitle"]
    assert figure.layout.xaxis.dtick == "M1"
    assert figure.data[0].customdata[2].startswith("<b>Apr 2026</b>")


def test_incidents_are_numbered_in_order_of_time_and_listed(story: Summaries) -> None:
    happened = incidents(["2026-02-03T12:00Z", "2026-01-12T00:00Z", "2026-01-12T05:00Z"])
    figure = charts.days(story.days, happened)
    *types, marks = figure.data
    assert [trace.type for trace in types] == ["bar"] * 3
    assert list(marks.text) == ["1", "2", "3"]
    half = pd.Timedelta(days=3.5)  # a bar stands around the start of its week
    drawn = [pd.Timestamp(x) + half for x in marks.x]
    assert drawn == happened["start"].dt.tz_localize(None).sort_values().tolist()
    listed = "<br>".join(note.text for note in figure.layout.annotations)
    assert [listed.index(f"<b>{number}</b>") for number in (1, 2, 3)] == sorted(
        listed.index(f"<b>{number}</b>") for number in (1, 2, 3)
    )
    assert "12 Jan: Google &lt;1&gt;: blocks begin" in listed
    assert "<b>Google &lt;0&gt;: blocks begin</b><br>On 12 Jan" in marks.customdata[2]
    assert marks.y[0] != marks.y[1]  # five hours apart: one above the other


@pytest.mark.parametrize("compact", [False, True])
def test_of_many_incidents_the_largest_are_marked_each_with_a_place_of_its_own(
    story: Summaries, compact: bool
) -> None:
    figure = charts.days(story.days, incidents(["2026-01-12T05:00Z"] * 30), compact=compact)
    marks = figure.data[-1]
    assert len(marks.text) == 8
    assert len(set(zip(marks.x, marks.y, strict=True))) == 8
    assert "8 largest of 30 incidents" in figure.layout.meta["subtitle"]
    titles = " ".join(note.text for note in figure.layout.annotations)
    assert all(f"&lt;{place}&gt;" in titles for place in range(8))  # the first ones reached most addresses
    assert "&lt;8&gt;" not in titles
    assert figure.layout.yaxis2.range[1] == 8


def test_incidents_outside_the_periods_are_left_out(story: Summaries) -> None:
    alone = charts.days(story.days).to_json()
    for nothing in (None, incidents([]), incidents(["2025-12-31T23:00Z", "2027-01-01T00:00Z"])):
        assert charts.days(story.days, nothing).to_json() == alone
    with pytest.raises(FrameError, match="frame of incidents"):
        charts.days(story.days, story.days)


def test_incidents_are_drawn_in_the_zone_of_the_summary() -> None:
    summary = summarize(newsletter(weeks=2), timezone="Pacific/Auckland").days
    figure = charts.days(summary, incidents(["2026-01-05T13:00Z"]))
    assert pd.Timestamp(figure.data[-1].x[0]) == pd.Timestamp("2026-01-06T02:00") - pd.Timedelta(hours=12)


def test_heat_map_on_a_phone_shows_the_most_frequent_reasons(story: Summaries, many: Summaries) -> None:
    (heat,) = draw("domain_reasons", many, compact=True).data
    assert len(heat.x) == 8
    assert (
        f"8 of {len(many.reasons.query('bounced > 0'))} reasons"
        in draw("domain_reasons", many, compact=True).layout.meta["subtitle"]
    )
    few = story.domain_reasons[story.domain_reasons["reason"].isin(["spam", "blocked"])]
    assert len(charts.domain_reasons(few, compact=True).data[0].x) == 2


def test_heat_map_shows_the_numbers_of_the_summary(story: Summaries) -> None:
    (heat,) = draw("domain_reasons", story).data
    drawn = {
        (domain, title): value
        for domain, row in zip(heat.y, heat.z, strict=True)
        for title, value in zip(heat.x, row, strict=True)
        if value is not None
    }
    assert drawn == story.domain_reasons.set_index(["domain", "title"])["bounced"].to_dict()


def test_providers_shows_the_numbers_of_the_summary(story: Summaries) -> None:
    (bar,) = draw("mailbox_providers", story).data
    summary = story.providers
    assert list(bar.x) == summary["hard_rate"].tolist()
    high = [x + up for x, up in zip(bar.x, bar.error_x.array, strict=True)]
    low = [x - down for x, down in zip(bar.x, bar.error_x.arrayminus, strict=True)]
    assert high == pytest.approx(summary["hard_high"].tolist())
    assert low == pytest.approx(summary["hard_low"].tolist())


def test_system_full_shows_spans_and_returns(story: Summaries) -> None:
    figure = draw("system_full", story)
    summary = story.system_full.set_index("domain")
    spans, back = figure.data
    first = {label: pd.Timestamp(x) for label, x in zip(spans.y[0::3], spans.x[0::3], strict=True)}
    last = {label: pd.Timestamp(x) for label, x in zip(spans.y[1::3], spans.x[1::3], strict=True)}
    assert first == summary["first_seen"].dt.tz_localize(None).to_dict()
    assert last == summary["last_seen"].dt.tz_localize(None).to_dict()
    returned = summary.loc[summary["recovered"], "accepted_again"].dt.tz_localize(None)
    assert {label: pd.Timestamp(x) for label, x in zip(back.y, back.x, strict=True)} == returned.to_dict()
    assert len(returned) == 2


@pytest.mark.parametrize("name", CHARTS)
@pytest.mark.parametrize("options", [{}, {"theme": "dark"}, {"compact": True}], ids=str)
def test_input_is_not_changed(story: Summaries, name: str, options: dict[str, Any]) -> None:
    summary = getattr(story, CHARTS[name])
    before = summary.copy(deep=True)
    assert isinstance(draw(name, story, **options), go.Figure)
    pd.testing.assert_frame_equal(summary, before)


@pytest.mark.parametrize("name", CHARTS)
def test_empty_summary_says_so_in_words(name: str) -> None:
    figure = draw(name, summarize(classified([])))
    assert len(figure.data) == 0
    (note,) = figure.layout.annotations
    assert re.fullmatch(r"[A-Z].* .*\.", note.text)


@pytest.mark.parametrize("name", CHARTS)
def test_wrong_summary_and_wrong_theme_are_named(story: Summaries, name: str) -> None:
    with pytest.raises(FrameError, match="summary of"):
        getattr(charts, name)(pd.DataFrame({"nothing": [1]}))
    with pytest.raises(FrameError, match="light and dark"):
        draw(name, story, theme="sepia")


@pytest.mark.parametrize("name", CHARTS)
def test_one_row(name: str) -> None:
    rows = [
        {"recipient": "zq1@example.org", "reason": "system_full"},
        {"recipient": "zq2@example.org", "event": "delivered", "timestamp": "2026-03-02T12:00:00Z"},
    ]
    figure = draw(name, summarize(classified(rows)))
    assert figure.data
    assert figure.layout.height < 500


@pytest.mark.parametrize("name", ["domains", "domain_reasons", "system_full"])
def test_a_thousand_domains_show_the_first_twenty(many: Summaries, name: str) -> None:
    figure = draw(name, many)
    shown = list(figure.layout.yaxis.tickvals)
    assert shown == getattr(many, CHARTS[name])["domain"].drop_duplicates().head(20).tolist()
    assert "20 of 1,000 domains" in figure.layout.meta["subtitle"]
    assert figure.layout.height < 900
    labels = [label.strip() for label in figure.layout.yaxis.ticktext]
    assert max(map(len, labels)) <= 34
    assert len(set(labels)) == 20  # what is cut away is the middle, not what tells them apart


@pytest.mark.parametrize("name", ["domains", "reasons", "days"])
def test_axes_of_counts_begin_at_zero_and_step_in_whole_numbers(
    story: Summaries, many: Summaries, name: str
) -> None:
    for summaries in (story, many):
        layout = draw(name, summaries).layout
        axis = layout.yaxis if name == "days" else layout.xaxis
        assert axis.range[0] == 0
        assert axis.dtick >= 1
        assert float(axis.dtick).is_integer()


@pytest.mark.parametrize("largest", [1, 2, 3, 7, 10, 99, 12_345, 6_000_000])
@pytest.mark.parametrize("steps", [2, 5])
def test_count_axis_has_a_readable_number_of_ticks(largest: int, steps: int) -> None:
    axis = panels.count_axis(largest, room=1.2, steps=steps)
    assert axis["range"] == [0, largest * 1.2]
    assert 1 <= largest / axis["dtick"] <= steps
    assert math.log10(axis["dtick"]) % 1 == pytest.approx(math.log10(float(str(axis["dtick"])[0])))


@pytest.mark.parametrize(
    ("largest", "step", "form"),
    [(1, 0.2, ".0%"), (0.5, 0.1, ".0%"), (0.11, 0.05, ".0%"), (0.01, 0.002, ".1%"), (0.0004, 0.0001, ".2%")],
)
def test_axes_of_rates_have_decimals_where_they_are_needed(largest: float, step: float, form: str) -> None:
    axis = panels.rate_axis(largest, room=1.5)
    assert axis["range"] == pytest.approx([0, largest * 1.5])
    assert (axis["dtick"], axis["tickformat"]) == (step, form)
    labels = [f"{step * place:{form}}" for place in range(1, 5)]
    assert len(set(labels)) == 4
    assert panels.rate_axis(0)["range"][1] > 0


def test_a_legend_has_room_in_the_narrowest_figure(story: Summaries) -> None:
    wide, narrow = (draw("days", story, compact=compact).layout for compact in (False, True))
    assert wide.legend.entrywidthmode is None  # one row
    summary = story.days.assign(unknown=1)
    columns = charts.days(summary).layout
    assert columns.legend.entrywidth == pytest.approx(0.47)  # two columns, however wide the figure is
    assert columns.margin.t > wide.margin.t
    assert narrow.height < 500


@pytest.mark.parametrize("name", CHARTS)
def test_hover_texts_are_sentences(story: Summaries, name: str) -> None:
    for trace in draw(name, story).data:
        texts = [
            text
            for row in trace.customdata
            for text in (row if isinstance(row, list | tuple) else [row])
            if text
        ]
        assert texts
        for text in texts:
            words = re.sub(r"<[^>]+>", " ", text)
            assert re.search(r"\w+ .*\.$", words.strip()), text
            assert "nan" not in words.lower().split()


def test_colours_mean_one_thing(story: Summaries) -> None:
    for look in themes.THEMES.values():
        types = set(look.types.values()) - {look.types["unknown"]}
        faults = set(look.faults.values()) - {look.faults["unknown"]}
        assert len(types) == len(look.types) - 1
        assert len(faults) == len(look.faults) - 1
        assert not types & faults
        assert look.accepted not in types | faults
    hard = themes.THEMES["light"].types["hard"]
    assert draw("domains", story).data[0].marker.color == hard
    assert draw("days", story).data[0].marker.color == hard
    assert draw("system_full", story).data[0].marker.color == hard


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("name", themes.THEMES)
def test_colours_stand_out_from_the_paper(name: Any) -> None:
    look = themes.theme(name)

    def contrast(colour: str) -> float:
        low, high = sorted((luminance(colour), luminance(look.paper)))
        return (high + 0.05) / (low + 0.05)

    for colour in (*look.types.values(), *look.faults.values(), look.accepted):
        assert contrast(colour) >= 3.0, colour  # WCAG 2.2, 1.4.11
    assert contrast(look.ink) >= 7.0
    assert contrast(look.quiet) >= 4.5


def test_markup_in_a_domain_is_shown_not_obeyed() -> None:
    rows = [
        {"recipient": "zq1@x", "domain": "<script>alert(1)</script>", "reason": "system_full"},
        {"recipient": "zq2@x", "domain": "<script>alert(1)</script>", "event": "delivered"},
    ]
    summaries = summarize(classified(rows))
    for name in CHARTS:
        figure = draw(name, summaries)
        shown = json.dumps([figure.layout.to_plotly_json(), [t.customdata for t in figure.data]], default=str)
        data = {"categoryarray", "tickvals"}  # raw values; plotly does not show them
        for key in data:
            shown = re.sub(rf'"{key}": \[[^\]]*\]', "", shown)
        assert "<script" not in shown


def test_undated_messages_are_mentioned() -> None:
    rows = [{"recipient": "zq1@example.org"}, {"recipient": "zq2@example.org", "timestamp": None}]
    figure = draw("days", summarize(classified(rows)))
    assert "1 without a date" in figure.layout.meta["subtitle"]
    assert sum(sum(trace.y) for trace in figure.data) == 1
    alone = draw("days", summarize(classified(rows[1:])))
    assert "no date" in alone.layout.annotations[0].text


def test_providers_without_deliveries_have_no_bar_and_no_rate() -> None:
    rows = [
        {"recipient": "zq1@example.org", "mailbox_provider": "yahoo", "provider": "ses"},
        {"recipient": "zq2@example.com", "mailbox_provider": "google", "event": "delivered"},
    ]
    figure = draw("mailbox_providers", summarize(classified(rows)))
    drawn = dict(zip(figure.data[0].y, figure.data[0].x, strict=True))
    assert drawn == {"Google": 0.0, "Yahoo and AOL": None}
    assert "no deliveries in the export" in [note.text for note in figure.layout.annotations]
    bare = draw("mailbox_providers", summarize(classified(rows[:1])))
    assert "no rates" in bare.layout.annotations[0].text


@pytest.mark.parametrize("name", CHARTS)
def test_heading_can_be_taken_off(story: Summaries, name: str) -> None:
    figure = draw(name, story)
    before = figure.to_json()
    bare = themes.without_heading(figure)
    assert figure.to_json() == before
    assert "title" not in bare["layout"]
    assert bare["layout"]["height"] < figure.layout.height
    assert bare["layout"]["margin"]["t"] >= 0


@pytest.mark.parametrize(
    ("name", "length", "short"),
    [
        ("example.org", 34, "example.org"),
        ("a" * 20 + "." + "b" * 20, 11, "aaaaa…bbbbb"),
        ("abcdef", 4, "a…ef"),
    ],
)
def test_names_are_cut_in_the_middle(name: str, length: int, short: str) -> None:
    assert wording.shorten(name, length) == short


def test_policies_shows_the_numbers_of_the_comparison(letters: pd.DataFrame) -> None:
    comparison = compare_policies(letters)
    figure = charts.policies(comparison)
    avoided, lost = figure.data
    assert list(avoided.x) == comparison["bounces_avoided"].tolist()
    assert list(lost.x) == comparison["wrongly_removed"].tolist()
    assert list(avoided.y) == list(lost.y) == comparison["policy"].tolist()
    row = comparison.iloc[0]
    assert f"{row['wrongly_removed']:,} addresses removed for bounces" in avoided.customdata[0]
    assert str(row["bounces_avoided"]) in avoided.text[0]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("compact", [False, True])
def test_policies_of_one_or_of_nothing(theme: Any, compact: bool) -> None:
    one = compare_policies(newsletter(weeks=1), ["default"])
    assert len(charts.policies(one, theme=theme, compact=compact).data) == 2
    for nothing in (compare_policies(classified([])), one.head(0)):
        figure = charts.policies(nothing, theme=theme, compact=compact)
        assert not figure.data
        assert len(figure.layout.annotations) == 1
    with pytest.raises(FrameError, match="wrongly_removed"):
        charts.policies(one.drop(columns="wrongly_removed"), theme=theme, compact=compact)

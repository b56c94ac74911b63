"""Periods, alerts, incidents and the workbook of a report."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import python_calamine

import bounceanalytics as ba
from bounceanalytics.charts.theme import in_dark, without_heading
from bounceanalytics.errors import FrameError, OutputError
from bounceanalytics.report import report, spans
from bounceanalytics.report import verdict as says
from bounceanalytics.report.alerts import alerts, figures
from bounceanalytics.report.contents import compute, open_history
from bounceanalytics.report.page import draw
from bounceanalytics.report.workbook import workbook
from bounceanalytics.summaries import Summaries, summarize
from tests.classified import classified
from tests.report.test_report import Page

EVERY = spans.Span(pd.Timestamp("2026-01-05", tz="UTC"), pd.Timestamp("2026-03-16", tz="UTC"))


@pytest.fixture(scope="module")
def story(letters: pd.DataFrame) -> pd.DataFrame:
    return letters


def utc(text: str) -> pd.Timestamp:
    return pd.Timestamp(text, tz="UTC")


@pytest.mark.parametrize(
    ("period", "start", "end", "before"),
    [
        ("2026-02", "2026-02-01", "2026-03-01", "2026-01-01"),
        ("2026-Q1", "2026-01-01", "2026-04-01", "2025-10-01"),
        ("2026-02-03", "2026-02-03", "2026-02-04", "2026-02-02"),
        ("28D", "2026-02-16", "2026-03-16", "2026-01-19"),
        ("2w", "2026-03-02", "2026-03-16", "2026-02-16"),
        (("2026-02-02", "2026-02-08"), "2026-02-02", "2026-02-09", "2026-01-26"),
        (
            ("2026-02-02T06:00Z", "2026-02-02T18:00Z"),
            "2026-02-02T06:00",
            "2026-02-02T18:00",
            "2026-02-01T18:00",
        ),
        (pd.Period("2026-02", "M"), "2026-02-01", "2026-03-01", "2026-01-01"),
    ],
)
def test_periods(period: Any, start: str, end: str, before: str) -> None:
    span = spans.span(period, EVERY)
    assert (span.start, span.end) == (utc(start), utc(end))
    assert (span.before().start, span.before().end) == (utc(before), utc(start))


@pytest.mark.parametrize("period", ["soon", "2026-13", ("2026-02-08",), ("2026-02-08", "2026-02-01"), 7.5])
def test_wrong_periods_are_one_sentence(period: Any) -> None:
    with pytest.raises(FrameError, match=r"28D|before it begins"):
        spans.span(period, EVERY)


def count_in(when: spans.Span, frame: pd.DataFrame) -> int:
    """Return how many events a report of that time is about."""
    with open_history(frame, when) as history:
        return len(history)


def rows_in(period: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Return the events of a time."""
    when = spans.span(period, EVERY)
    return frame[frame["timestamp"].between(when.start, when.end, inclusive="left")]


def test_a_period_holds_its_first_moment_and_not_that_after_its_last(story: pd.DataFrame) -> None:
    weeks = [f"2026-02-{day:02d}" for day in (2, 9)]
    parts = [
        spans.span((week, str((pd.Timestamp(week) + pd.Timedelta(days=6)).date())), EVERY) for week in weeks
    ]
    both = spans.span((weeks[0], "2026-02-15"), EVERY)
    assert sum(count_in(part, story) for part in parts) == count_in(both, story) > 0
    edge = classified([{"recipient": "zq@example.org", "timestamp": "2026-02-09T00:00:00Z"}])
    with pytest.raises(FrameError, match="nothing happened"):
        count_in(parts[0], edge)
    assert count_in(parts[1], edge) == 1


def test_report_of_a_period_and_the_one_before(story: pd.DataFrame, tmp_path: Path) -> None:
    path = report(story, tmp_path / "r.html", period="2026-02", compare="previous")
    seen = Page(path.read_text(encoding="utf-8"))
    now, before = (summarize(rows_in(month, story)) for month in ("2026-02", "2026-01"))
    for name, column in (("Attempted", "attempted"), ("Hard bounces", "hard"), ("Blocks", "block")):
        told = [f"{every.domains[column].sum():,}" for every in (now, before)]
        assert f"{name} {told[0]} {told[1]}" in seen.text
    assert "1 Feb 2026 to 28 Feb 2026, compared with 1 Jan 2026 to 31 Jan 2026" in seen.text
    # the same, with the other month as a period, and as a frame
    again = report(story, tmp_path / "again.html", period="2026-02", compare="2026-01")
    assert again.read_bytes() == path.read_bytes()
    frame = rows_in("2026-01", story)
    other = Page(
        report(story, tmp_path / "other.html", period="2026-02", compare=frame).read_text(encoding="utf-8")
    )
    assert f"Attempted {now.domains['attempted'].sum():,} {before.domains['attempted'].sum():,}" in other.text


def test_previous_without_a_period_is_the_earlier_half(story: pd.DataFrame, tmp_path: Path) -> None:
    seen = Page(report(story, tmp_path / "r.html", compare="previous").read_text(encoding="utf-8"))
    dated = spans.times_of(story)
    assert dated is not None
    later = spans.halves(dated)
    assert f"{later}, compared with {later.before()}" in seen.text
    assert later.before().start >= dated.start


def test_the_first_day_of_all_is_told() -> None:
    first = pd.Timestamp.min.ceil("us").tz_localize("UTC")  # its day begins before all nanoseconds
    story = classified([{"recipient": "zq@example.org", "timestamp": when} for when in (first, "2026-02-09")])
    every = spans.times_of(story)
    assert every is not None
    assert every.start == first.as_unit("us").normalize()
    assert "1677" in str(every)


def test_periods_that_hold_nothing_are_named(story: pd.DataFrame, tmp_path: Path) -> None:
    with pytest.raises(FrameError, match=r"nothing happened.*1999.*the frame holds 5 Jan 2026"):
        report(story, tmp_path / "r.html", period="1999")
    undated = classified([{"recipient": "zq@example.org", "timestamp": None}])
    with pytest.raises(FrameError, match="no event has a time"):
        report(undated, tmp_path / "r.html", compare="previous")
    assert list(tmp_path.iterdir()) == []


def test_policy_is_told_with_its_verdicts(story: pd.DataFrame, tmp_path: Path) -> None:
    policy = ba.Policy.preset("lenient")
    verdicts = ba.decide(story, policy)["verdict"].value_counts()
    seen = Page(report(story, tmp_path / "r.html", policy=policy).read_text(encoding="utf-8"))
    assert f"lenient: of {verdicts.sum():,} addresses" in seen.text
    assert f"{verdicts['remove']:,} remove" in seen.text


def empty(columns: str) -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series(dtype="int64") for name in columns.split()})


NOTHING = (
    empty("addresses explanation"),
    empty("events addresses worst_domain"),
    empty("events worst_domain"),
)


def test_alerts_tell_what_is_new(story: pd.DataFrame, letter_summaries: Summaries) -> None:
    before = story[~story["domain"].eq("typo.example") & ~story["reason"].astype("str").eq("spam")]
    found = alerts(letter_summaries, *NOTHING, summarize(before))
    told = {alert.title: alert.sentence for alert in found}
    hard = letter_summaries.domains.set_index("domain").loc["typo.example", "hard"]
    assert f"typo.example ({hard})" in told["New domains with hard bounces"]
    spam = letter_summaries.reasons.set_index("reason").loc["spam", "bounced"]
    assert f"judged as spam ({spam})" in told["New reasons"]
    assert not [
        alert for alert in alerts(letter_summaries, *NOTHING, letter_summaries) if "New" in alert.title
    ]


def test_alerts_tell_changes_storms_conflicts_and_unknown_texts_most_urgent_first() -> None:
    rows = [
        {
            "recipient": f"zq{number}@turned.example",
            "timestamp": utc("2026-01-05T09:00") + pd.Timedelta(weeks=week),
            "event": "bounced" if week >= 5 and number < 40 else "delivered",
        }
        for week in range(10)
        for number in range(100)
    ]
    storm = pd.DataFrame({"addresses": [50], "explanation": ["Google said so."]})
    conflict = pd.DataFrame({"events": [3], "addresses": [2], "worst_domain": ["odd.example"]})
    unknown = pd.DataFrame({"events": [4], "worst_domain": ["new.example"]})
    found = alerts(summarize(classified(rows)), storm, conflict, unknown, None)
    assert [(alert.tone, alert.title) for alert in found] == [
        ("act", "Storm"),
        ("act", "Hard bounces at turned.example"),
        ("watch", "Evidence that disagrees"),
        ("watch", "Texts that no rule knows"),
    ]
    assert "40.0% of 500 messages since 9 Feb 2026; before that 0% of 500." in found[1].sentence
    assert "3 bounces to 2 addresses" in found[2].sentence
    assert "1 kind of text in 4 bounces, most at new.example" in found[3].sentence


def test_recovery_is_told_with_those_whom_nobody_tried_again() -> None:
    told = says.recovered({"episodes": 1200, "recovered": 700, "no_longer_tried": 300})
    assert told.startswith("Of 1,200 times that an address began to bounce, 700 were seen to end")
    assert "in 300 the address was no longer tried" in told
    assert says.recovered({"episodes": 0, "recovered": 0, "no_longer_tried": 0}) == ""


def refused(week: int, day: int = 0) -> list[dict[str, Any]]:
    """Return ten mailings to two providers and a firm, of which Microsoft refuses one and the firm, always, all."""
    sent = utc("2026-01-05T09:00")
    rows = []
    for number, (domain, provider) in enumerate(
        [("outlook.com", "microsoft")] * 60
        + [("gmail.com", "google")] * 60
        + [("gone.example", "other")] * 30
    ):
        for mailing in range(10):
            lost = (provider == "microsoft" and mailing == week) or domain == "gone.example"
            rows.append(
                {
                    "recipient": f"zq{number}@{domain}",
                    "mailbox_provider": provider,
                    "timestamp": sent + pd.Timedelta(weeks=mailing, days=day, minutes=number),
                    "event": "bounced" if lost else "delivered",
                    "reason": "blocked" if lost else None,
                }
            )
    return rows


@pytest.mark.parametrize("week", [0, 4, 9])
def test_a_mailing_that_a_provider_refused_comes_first_wherever_it_lies(week: int, tmp_path: Path) -> None:
    frame = classified(refused(week))
    found = ba.incidents(frame)
    (told,) = found[found["kind"].eq("refusal")].to_dict("records")
    assert told["name"] == "Microsoft"
    assert told["reached"] == 60
    assert told["start"].date() == (utc("2026-01-05") + pd.Timedelta(weeks=week)).date()
    assert "refused 60 of 60 messages on" in told["sentence"]
    assert ("60 of these took mail later" in told["sentence"]) == (week < 9)
    assert not (
        found["kind"].eq("block") & found["name"].eq("Microsoft") & found["end"].isna() & (week == 4)
    ).any()
    seen = Page(report(frame, tmp_path / "report.html").read_text(encoding="utf-8"))
    assert "Microsoft took nothing on" in seen.text
    assert "A mailing refused Microsoft refused 60 of 60" in " ".join(seen.text.split())


def test_figures_say_which_way(story: pd.DataFrame) -> None:
    now = says.totals(summarize(story[story["domain"].eq("typo.example") | story["domain"].eq("gmail.com")]))
    before = says.totals(summarize(story[story["domain"].eq("gmail.com")]))
    by_name = {figure.name: figure for figure in figures(now, before)}
    assert by_name["Hard rate"].tone == "act"
    assert by_name["Hard rate"].change.startswith("+")
    assert by_name["Soft bounces"].change == "as before"
    assert by_name["Delivered, share"].change.startswith("\N{MINUS SIGN}")
    silent = says.totals(summarize(classified([{"recipient": "zq@example.org"}])))
    assert "Hard rate" not in {figure.name for figure in figures(silent, before)}


def test_incidents_are_in_order_of_time_and_name_no_address(
    story: pd.DataFrame, letter_summaries: Summaries
) -> None:
    found = ba.incidents(story)
    assert found["start"].is_monotonic_increasing
    full = letter_summaries.system_full
    permanent = full[full["permanent"] > 0]
    told = found[found["kind"].eq("full")]
    assert sorted(told["name"]) == sorted(permanent["domain"])
    assert told.set_index("name")["reached"].to_dict() == permanent.set_index("domain")["addresses"].to_dict()
    back = found[found["kind"].eq("recovery") & found["name"].isin(permanent["domain"])]
    assert len(back) == permanent["recovered"].sum()
    assert not found[["title", "sentence"]].apply(lambda texts: texts.str.contains("@")).any(axis=None)
    assert ba.incidents(classified([])).empty


def test_workbook_holds_the_summaries(
    story: pd.DataFrame, letter_summaries: Summaries, tmp_path: Path
) -> None:
    path = report(story, tmp_path / "report.xlsx", title="Ten weeks")
    book = python_calamine.CalamineWorkbook.from_path(path)
    assert book.sheet_names[0] == "About"
    every = letter_summaries
    for name in Summaries.__dataclass_fields__:
        table = getattr(every, name)
        rows = book.get_sheet_by_name(name.replace("_", " ").capitalize()).to_python()
        assert rows[0] == list(table.columns)
        assert len(rows) - 1 == len(table)
    rows = book.get_sheet_by_name("Domains").to_python()
    assert [row[0] for row in rows[1:]] == every.domains["domain"].tolist()
    column = rows[0].index("hard_rate")
    assert [row[column] for row in rows[1:]] == pytest.approx(every.domains["hard_rate"].tolist())
    seen = rows[1][rows[0].index("last_seen")]
    assert seen == every.domains["last_seen"].iloc[0].tz_localize(None).to_pydatetime().replace(microsecond=0)
    assert path.read_bytes() == report(story, tmp_path / "again.xlsx", title="Ten weeks").read_bytes()
    with pytest.raises(OutputError, match="overwrite"):
        report(story, path)


def test_workbook_runs_nothing_and_names_nobody(tmp_path: Path) -> None:
    evil = "=cmd|' /c calc'!a0"
    rows = [
        {"recipient": "zqx@x", "domain": evil, "tags": ["https://zq.example", "+1+1"]},
        {"recipient": "zqx@example.org", "diagnostic": "550 zqx@example.org"},
    ]
    content = workbook(compute(classified(rows)), title=evil)
    parts = zipfile.ZipFile(io.BytesIO(content))
    texts = {name: parts.read(name).decode("utf-8", "replace") for name in parts.namelist()}
    assert not [name for name, text in texts.items() if "<f>" in text or "<hyperlink " in text]
    assert not [name for name, text in texts.items() if "zqx" in text]
    names = (
        python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
        .get_sheet_by_name("Domains")
        .to_python()
    )
    assert evil in [row[0] for row in names]


@pytest.fixture(scope="module")
def drawn(story: pd.DataFrame) -> dict[str, Any]:
    """Return the charts of a page that has all of them, not drawn yet."""
    rows = [
        {"recipient": f"zq{n}@x.example", "reason": "unclassified", "diagnostic": f"550 zorble {n}"}
        for n in range(9)
    ]
    frame = pd.concat([story, classified([one | {"tags": ["spring"]} for one in rows])], ignore_index=True)
    return draw(compute(frame, redact=False))


@pytest.mark.parametrize("compact", [False, True])
def test_dark_charts_of_a_page_are_those_of_the_dark_theme(drawn: dict[str, Any], compact: bool) -> None:
    assert {"tags", "unclassified", "codes", "changes"} <= set(drawn)
    for name, (function, frames) in drawn.items():
        light, dark = (
            without_heading(function(*frames, theme=theme, compact=compact)) for theme in ("light", "dark")
        )
        assert light != dark, name
        assert in_dark(light) == dark, name


def test_every_chart_can_be_saved(
    story: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "bounceanalytics.charts.images._draw", lambda figure, _: figure.layout.meta["title"].encode()
    )
    paths = ba.save_charts(story, tmp_path / "charts", form="svg", period="2026-02")
    assert {path.stem for path in paths} >= {"bounce_types", "domains", "codes", "system_full"}
    assert (tmp_path / "charts" / "reasons.svg").read_text() == "Why mail did not arrive"
    with pytest.raises(OutputError, match="overwrite=True"):
        ba.save_charts(story, tmp_path / "charts", form="svg")
    assert len(ba.save_charts(story, tmp_path / "charts", form="svg", overwrite=True)) == len(paths)

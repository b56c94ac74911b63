"""The report: its numbers, what it must not hold, and that it is written whole or not at all."""

from __future__ import annotations

import base64
import gzip
import json
import re
import stat
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from bounceanalytics.errors import FrameError, OutputError
from bounceanalytics.report import page, report
from bounceanalytics.report import verdict as says
from bounceanalytics.summaries import Summaries, summarize
from tests.classified import classified


def unpacked(text: str) -> str:
    """Return what a browser unpacks of a script of the page."""
    return gzip.decompress(base64.b64decode(text)).decode()


#: Enough where it matters how a report is written, not what it says.
NOTHING = classified([])


class Page(HTMLParser):
    """What a browser would see: elements, and the text outside of scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.scripts: dict[str, str] = {}
        self._inside: list[tuple[str, str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag in ("script", "style"):
            self._inside.append((tag, dict(attrs).get("id") or ""))

    def handle_endtag(self, tag: str) -> None:
        if self._inside and self._inside[-1][0] == tag:
            self._inside.pop()

    def handle_data(self, data: str) -> None:
        if not self._inside:
            self.texts.append(data)
        elif self._inside[-1][1]:
            self.scripts[self._inside[-1][1]] = self.scripts.get(self._inside[-1][1], "") + data

    @property
    def data(self) -> dict[str, Any]:
        """What the page unpacks: charts and the table of domains."""
        return json.loads(unpacked(self.scripts["data"]))

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())

    def count(self, tag: str) -> int:
        return sum(name == tag for name, _ in self.elements)


@pytest.fixture(scope="module")
def story(letters: pd.DataFrame) -> pd.DataFrame:
    return letters


@pytest.fixture(scope="module")
def seen(written: Path) -> Page:
    return Page(written.read_text(encoding="utf-8"))


def test_numbers_are_those_of_the_summaries(
    story: pd.DataFrame, letter_summaries: Summaries, seen: Page
) -> None:
    every = letter_summaries
    domains = every.domains
    assert (
        f"{domains['hard'].sum() / domains['attempted'].sum():.1%} of all messages bounced hard" in seen.text
    )
    assert (
        f"Of {domains['attempted'].sum():,} messages to {domains['addresses'].sum():,} addresses" in seen.text
    )
    assert f"{domains['delivered'].sum():,} arrived and {domains['bounced'].sum():,} came back" in seen.text
    assert f"{len(story):,}: " in seen.text
    assert (
        "3 domains answered that the mail system is full for good (5.3.1); 2 of them took mail again"
        in seen.text
    )
    for domain in domains["domain"]:
        assert domain in seen.text
    for title in every.reasons["title"]:
        assert title in seen.text
    drawn = seen.data["charts"]["domains"]["light-wide"]["data"][0]
    assert drawn["x"] == domains["hard"].tolist()
    assert [row[:2] for row in seen.data["domains"]] == domains[["domain", "hard"]].to_numpy().tolist()


def test_every_chart_comes_wide_and_narrow_light_and_dark(seen: Page) -> None:
    charts = [attrs["data-chart"] for tag, attrs in seen.elements if tag == "div" and "data-chart" in attrs]
    assert charts == [
        "bounce_types",
        "reasons",
        "codes",
        "domains",
        "domain_reasons",
        "domain_trends",
        "changes",
        "providers",
        "system_full",
    ]
    assert sorted(seen.data["charts"]) == sorted(charts)
    for drawn in seen.data["charts"].values():
        assert set(drawn) == {"light-wide", "light-narrow", "dark-wide", "dark-narrow"}


def everything_in(path: Path) -> str:
    """Return the file as it is, and what is packed in it; plotly's own code is nobody's data."""
    text = path.read_text(encoding="utf-8")
    page = Page(text)
    return text.replace(page.scripts["plotly"], "").replace(
        page.scripts["data"], unpacked(page.scripts["data"])
    )


def test_names_domains_only(story: pd.DataFrame, written: Path) -> None:
    text = everything_in(written)
    for column in ("recipient", "message_id", "event_id"):
        for value in story[column].dropna().unique():
            assert value not in text
    for local in {value.partition("@")[0] for value in story["recipient"].dropna()}:
        assert local not in text
    assert "zq-" not in text
    assert "is not here" not in text  # the diagnostics


def test_addresses_in_odd_places_stay_out(tmp_path: Path) -> None:
    rows = [
        {
            "recipient": "zqx@example.org",
            "domain": "zqx@example.org",
            "source": "/home/zqx/of zqx@example.org.csv",
            "tags": ["to zqx@example.org", "letter"],
            "conflict": True,
            "diagnostic": "550 zqx@example.org zorble",
            "reason": "unclassified",
        },
        {"recipient": "zqx@example.org", "source": "C:\\zqx\\export.csv", "mailbox_provider": "google"},
        {"recipient": "zqx@example.com", "event": "delivered", "tags": ["letter"]},
    ]
    text = everything_in(report(classified(rows), tmp_path / "report.html"))
    assert "zqx" not in text
    assert "zorble" not in text
    assert "…@example.org.csv" in text
    assert "to …@example.org" in text
    assert "export.csv" in text


def test_markup_in_the_data_is_text(seen: Page, tmp_path: Path) -> None:
    evil = "</script><script>alert('zq')</script>"
    rows = [
        {"recipient": "zq@x", "domain": evil, "diagnostic": evil, "source": evil, "reason": "system_full"},
        {"recipient": "zq@x", "domain": evil, "event": "delivered", "timestamp": "2026-03-03T10:00:00Z"},
    ]
    for redact in (True, False):
        path = report(classified(rows), tmp_path / f"{redact}.html", title=evil, redact=redact)
        text = path.read_text(encoding="utf-8")
        assert "<script>alert" not in text
        assert Page(text).count("script") == seen.count("script")
        assert "alert('zq')" in Page(text).text


def test_unredacted_report_shows_what_servers_said_and_warns(story: pd.DataFrame, tmp_path: Path) -> None:
    seen = Page(report(story, tmp_path / "full.html", redact=False).read_text(encoding="utf-8"))
    bounced = story[story["event"].eq("bounced")]
    assert any(text in seen.text for text in bounced["diagnostic"].unique())
    assert "Do not pass on" in seen.text


def test_needs_nothing_from_elsewhere(seen: Page) -> None:
    assert not [
        attrs for tag, attrs in seen.elements if tag in ("link", "img", "iframe", "object", "embed", "base")
    ]
    assert not [attrs for tag, attrs in seen.elements if tag == "script" and "src" in attrs]
    links = [attrs["href"] for tag, attrs in seen.elements if "href" in attrs]
    ids = {attrs["id"] for _, attrs in seen.elements if "id" in attrs}
    assert links
    assert {link.removeprefix("#") for link in links if link} <= ids
    (policy,) = [
        attrs["content"]
        for tag, attrs in seen.elements
        if attrs.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy is not None
    assert policy.startswith("default-src 'none'")
    assert "http" not in policy
    assert "unsafe-inline" not in policy.partition("script-src")[2]


def test_is_laid_out_for_assistive_technology(seen: Page) -> None:
    assert seen.count("h1") == 1
    assert seen.count("main") == 1
    assert seen.elements[0] == ("html", {"lang": "en"})
    ids = [attrs["id"] for _, attrs in seen.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    labels = [word for _, attrs in seen.elements for word in (attrs.get("aria-labelledby") or "").split()]
    assert set(labels) <= set(ids)
    levels = [int(tag[1]) for tag, _ in seen.elements if re.fullmatch(r"h[1-6]", tag)]
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert all("scope" in attrs for tag, attrs in seen.elements if tag == "th")


def test_period_is_that_of_the_sendings(tmp_path: Path) -> None:
    rows = [
        {"recipient": "zq1@example.org", "event": "suppressed", "timestamp": "2019-01-01T00:00:00Z"},
        {"recipient": "zq1@example.org", "event": "bounced", "timestamp": "2026-03-02T10:00:00Z"},
        {"recipient": "zq2@example.org", "event": "delivered", "timestamp": "2026-03-04T10:00:00Z"},
    ]
    text = Page(report(classified(rows), tmp_path / "report.html").read_text(encoding="utf-8")).text
    assert "2 Mar 2026 to 4 Mar 2026" in text
    assert "2019" not in text


def test_title_is_text(seen: Page) -> None:
    assert "Ten weeks & <more>" in seen.text


def test_input_is_not_changed_and_bytes_are_the_same(
    story: pd.DataFrame, written: Path, tmp_path: Path
) -> None:
    before = story.copy(deep=True)
    again = report(story, tmp_path / "again.html", title="Ten weeks & <more>")
    pd.testing.assert_frame_equal(story, before)
    assert again.read_bytes() == written.read_bytes()


@pytest.mark.parametrize(
    ("rows", "headline"),
    [
        ([], "These files hold no messages."),
        (
            [{"recipient": "zq@example.org", "event": "suppressed"}],
            "1 bounce on suppression lists, which hold no deliveries: there is no rate.",
        ),
        (
            [{"recipient": "zq@example.org", "event": "suppressed", "reason": "suppressed"}],
            "These files hold 1 entry of suppression lists and no sending.",
        ),
        (
            [{"recipient": "zq@example.org", "event": "dropped", "reason": "suppressed"}],
            "No message was tried: the ESP kept back all 1.",
        ),
        (
            [{"recipient": "zq@example.org", "timestamp": None}],
            "1 message bounced. The exports hold no deliveries, so there is no rate.",
        ),
        (
            [{"recipient": "zq@example.org", "event": "delivered"}],
            "0% of all messages bounced hard: below the 2% that Amazon SES asks for.",
        ),
    ],
)
def test_little_data_makes_a_report_too(rows: list[dict[str, Any]], headline: str, tmp_path: Path) -> None:
    seen = Page(report(classified(rows), tmp_path / "report.html").read_text(encoding="utf-8"))
    assert headline in seen.text
    assert " nan" not in seen.text.lower()
    assert "NaT" not in seen.text


def test_a_list_of_bounces_has_counts_and_dashes(tmp_path: Path) -> None:
    rows = [{"recipient": f"zq{n}@example.org", "event": "suppressed"} for n in range(3)]
    text = Page(report(classified(rows), tmp_path / "report.html").read_text(encoding="utf-8")).text
    dash = "\N{EN DASH}"
    for tile in (f"Attempted {dash}", f"Delivered {dash}", "Hard bounces 3", f"Soft bounces {dash}"):
        assert tile in " ".join(text.split())
    assert "2 Mar 2026 (UTC)" in text


@pytest.mark.parametrize(
    ("hard", "tone", "words"),
    [
        (1, "good", "below the 2%"),
        (2, "watch", "above the 2%"),
        (5, "act", "At 5% Amazon SES reviews"),
        (10, "act", "At 10% Amazon SES may pause"),
    ],
)
def test_headline_follows_the_limits(hard: int, tone: str, words: str) -> None:
    rows = [
        {"recipient": f"zq{n}@example.org", "event": "bounced" if n < hard else "delivered"}
        for n in range(100)
    ]
    every = summarize(classified(rows))
    verdict = says.verdict(every, says.totals(every), listed=0)
    assert verdict.tone == tone
    assert words in verdict.headline


def test_what_an_esp_counts_without_trying_is_told_beside_the_rate(tmp_path: Path) -> None:
    rows = [{"recipient": f"zq{n}@example.org", "event": "delivered", "provider": "ses"} for n in range(99)]
    rows += [{"recipient": "zq99@example.org", "provider": "ses"}]
    listed = {"event": "dropped", "reason": "suppressed", "provider": "ses"}
    rows += [listed | {"recipient": f"zqs{n}@example.org", "rule": "ses-suppressed"} for n in range(10)]
    rows += [listed | {"recipient": "zqa@example.org", "rule": "ses-onaccountsuppressionlist"}]
    every = summarize(classified(rows))
    assert every.esps["counted"].tolist() == [10]
    assert every.esps["account_rate"].tolist() == [11 / 110]
    found = says.verdict(every, says.totals(every), listed=0)
    assert found.tone == "act"
    assert found.headline.startswith("1.0% of all messages bounced hard, 10.0% as Amazon SES counts. At 10%")
    assert "counts 10 of these" in found.sentences[0]
    seen = Page(report(classified(rows), tmp_path / "report.html").read_text(encoding="utf-8"))
    assert "1.0%; 10.0% as Amazon SES counts" in seen.text


def test_rate_leaves_out_exports_without_deliveries() -> None:
    rows = [{"recipient": f"zq{n}@example.org", "event": "delivered"} for n in range(9)]
    rows += [{"recipient": "zq9@example.org"}]
    rows += [{"recipient": f"zqm{n}@example.com", "provider": "mailgun"} for n in range(50)]
    every = summarize(classified(rows))
    sums = says.totals(every)
    assert sums.hard_rate == pytest.approx(0.1)
    assert sums.hard == 51
    assert "leaves out Mailgun" in " ".join(says.verdict(every, sums, listed=0).sentences)


def test_sender_at_fault_is_good_news_for_the_addresses() -> None:
    rows = [{"recipient": f"zq{n}@example.org", "reason": "blocked"} for n in range(3)]
    every = summarize(classified(rows))
    verdict = says.verdict(every, says.totals(every), listed=0)
    assert "100% of the bounces are down to the sender" in " ".join(verdict.sentences)
    assert [(task.addresses, task.what) for task in verdict.tasks] == [(3, "Keep, and fix the sending side")]


def test_tasks_name_what_is_urgent_first(letter_summaries: Summaries) -> None:
    every = letter_summaries
    tasks = says.verdict(every, says.totals(every), listed=0).tasks
    assert sorted(task.addresses for task in tasks) == sorted(every.actions["addresses"])
    assert [task.what.split()[0].rstrip(",") for task in tasks[:2]] == ["Remove", "Remove"]
    assert tasks[-1].tone == "plain"


def test_table_is_limited_and_says_so(tmp_path: Path) -> None:
    rows = [{"recipient": f"zq@domain-{number}.example"} for number in range(page.MOST_DOMAINS + 5)]
    seen = Page(report(classified(rows), tmp_path / "report.html").read_text(encoding="utf-8"))
    assert f"The {page.MOST_DOMAINS:,} worst of {page.MOST_DOMAINS + 5:,} domains" in seen.text


def test_existing_file_stays_unless_told(tmp_path: Path) -> None:
    target = tmp_path / "report.html"
    target.write_text("precious")
    with pytest.raises(OutputError, match="overwrite=True"):
        report(NOTHING, target)
    assert target.read_text() == "precious"
    report(NOTHING, str(target), overwrite=True)
    assert target.stat().st_size > 1_000_000
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_no_half_file_when_writing_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OutputError, match="No space left"):
        report(NOTHING, tmp_path / "report.html")
    assert list(tmp_path.iterdir()) == []


def test_file_that_appears_meanwhile_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "report.html"
    monkeypatch.setattr("os.fsync", lambda _: target.write_text("somebody else's"))
    with pytest.raises(OutputError, match="exists"):
        report(NOTHING, target)
    assert target.read_text() == "somebody else's"
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_wrong_places_are_named(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="is a folder"):
        report(NOTHING, tmp_path)
    with pytest.raises(OutputError, match="make it first"):
        report(NOTHING, tmp_path / "nowhere" / "report.html")
    with pytest.raises(FrameError, match="classified frame"):
        report(pd.DataFrame(), tmp_path / "report.html")
    assert list(tmp_path.iterdir()) == []


def test_file_is_as_readable_as_any_other(written: Path, tmp_path: Path) -> None:
    usual = tmp_path / "usual"
    usual.touch()
    assert stat.S_IMODE(written.stat().st_mode) == stat.S_IMODE(usual.stat().st_mode)

"""Tables for notebooks: every cell says what the frame holds, and nothing is markup."""

from __future__ import annotations

import re
from datetime import date
from html import unescape
from typing import Any

import pandas as pd
import pytest

import bounceanalytics as ba
from bounceanalytics.errors import FrameError
from bounceanalytics.schema import SUMMARIES
from bounceanalytics.summaries import Summaries
from tests.classified import classified


@pytest.fixture(scope="module")
def story(letter_summaries: Summaries) -> Summaries:
    return letter_summaries


def cells(html: str) -> list[list[str]]:
    """Return the texts of the cells of the body, row by row."""
    body = html[html.index("<tbody>") :]
    rows = re.findall(r"<tr>(.*?)</tr>", body, re.DOTALL)
    return [[text(cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL)] for row in rows]


def text(html: str) -> str:
    return unescape(re.sub(r"<[^>]+>", "", html))


def heads(html: str) -> dict[str, str]:
    """Return what each head says, and what it says to those who point at it."""
    found = re.findall(r'<th[^>]*class="col_heading[^>]*>(.*?)</th>', html)
    return {text(head): unescape("".join(re.findall(r'title="([^"]*)"', head))) for head in found}


def test_cells_are_those_of_the_summary(story: Summaries) -> None:
    html = ba.table(story.domains, top=5).to_html()
    shown = cells(html)
    for cell, row in zip(shown, story.domains.head(5).itertuples(), strict=True):
        assert cell[0] == row.domain
        assert cell[2] == f"{row.attempted:,}"
        assert cell[3] == f"{row.hard:,}"
        assert cell[5].rstrip("%") in (f"{100 * row.hard_rate:.1f}", f"{100 * row.hard_rate:.0f}")
    assert f"5 of {len(story.domains)} rows" in html
    titles = heads(html)
    assert list(titles)[:4] == ["Domain", "Provider", "Attempted", "Hard"]
    assert titles["Provider"] == SUMMARIES["domains"]["mailbox_provider"].meaning


@pytest.mark.parametrize("name", list(Summaries.__dataclass_fields__))
def test_every_summary_has_a_table(story: Summaries, name: str) -> None:
    frame = getattr(story, name)
    html = ba.table(frame).to_html()
    assert len(cells(html)) == min(len(frame), 15)
    assert "nan" not in html.lower().replace("nano", "")
    assert "NaT" not in html
    assert "nobody" not in html
    empty = ba.table(frame.head(0)).to_html()
    assert cells(empty) == []
    assert "0 rows" in empty


def test_what_is_missing_says_so() -> None:
    silent = ba.summarize_domains(classified([{"recipient": "zq@example.org", "timestamp": None}]))
    (row,) = cells(ba.table(silent, columns=["domain", "hard_rate", "last_seen", "trend"]).to_html())
    assert row == ["example.org", "no rate", "", ""]
    holes = pd.DataFrame(
        {
            "hard": pd.array([None, 3], dtype="Int64"),
            "flag": pd.array([None, True], dtype="boolean"),
            "x": pd.array([None, 1e-9], dtype="Float64"),
            "when": pd.to_datetime([None, "2026-01-05"]),
            "none": pd.array([None, None], dtype="Int64"),
        }
    )
    assert cells(ba.table(holes).to_html()) == [[""] * 5, ["3", "yes", "1e-09", "5 Jan 2026", ""]]


def test_markup_is_text_and_any_frame_has_a_table() -> None:
    evil = '<script>alert("1")</script>'
    frame = pd.DataFrame(
        {
            "who": [evil],
            evil: [{"a": evil}],
            "tags": [["a", evil]],
            "flag": [True],
            "n": [12345],
            "x": [0.5],
            7: [date(2026, 1, 5)],
        }
    )
    html = ba.table(frame).to_html()
    assert "<script>" not in html
    (row,) = cells(html)
    assert row == [evil, str({"a": evil}), f"a, {evil}", "yes", "12,345", "0.5", "2026-01-05"]
    assert list(heads(html)) == ["Who", evil.lower().capitalize(), "Tags", "Flag", "N", "X", "7"]
    changed = pd.DataFrame({"name": ["microsoft", "mail.example", "Amazon SES", "(none)"]})
    assert cells(ba.table(changed).to_html()) == [["Microsoft"], ["mail.example"], ["Amazon SES"], ["(none)"]]
    nested = pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("hard", "sum"), ("hard", "max")]))
    assert list(heads(ba.table(nested).to_html())) == ["Hard sum", "Hard max"]
    assert cells(ba.table(pd.DataFrame()).to_html()) == []


def test_numbers_stand_below_each_other_and_counts_have_bars(story: Summaries) -> None:
    html = ba.table(story.domains, top=4, columns=["domain", "attempted", "hard"]).to_html()
    assert re.search(r"td\.col1 \{\s+text-align: right;\s+font-variant-numeric: tabular-nums", html)
    assert re.search(r"td\.col0 \{\s+text-align: left", html)
    lengths = {float(end) for end in re.findall(r"linear-gradient\([^%]*\) ([\d.]+)%, transparent", html)}
    hard = story.domains["hard"].head(4)
    assert sorted(lengths) == pytest.approx(sorted(100 * hard / hard.max()), abs=0.06)


def test_sentences_run_over_several_lines_and_names_do_not() -> None:
    frame = pd.DataFrame({"domain": ["a" * 60 + ".example"], "advice": ["word " * 20], "n": [1]})
    html = ba.table(frame).to_html()
    assert re.findall(r"td\.col(\d) \{\s+white-space: nowrap", html) == ["0", "2"]
    assert re.findall(r"td\.col(\d) \{\s+white-space: normal", html) == ["1"]


def test_columns_can_be_chosen(story: Summaries) -> None:
    chosen: Any = ba.table(story.domains, columns=["domain", "spike"], top=1)
    assert [len(row) for row in cells(chosen.to_html())] == [2]
    with pytest.raises(FrameError, match="nowhere"):
        ba.table(story.domains, columns=["nowhere"])
    with pytest.raises(FrameError, match="more than one column is called 'domain'"):
        ba.table(story.domains, columns=["domain", "domain"])
    nothing: Any = []
    with pytest.raises(FrameError, match="found list"):
        ba.table(nothing)

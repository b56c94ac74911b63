"""Tables for notebooks: every cell says what the frame holds, and nothing is markup."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pandas as pd
import pytest
from classified import classified, newsletter

import bounceanalytics as ba
from bounceanalytics.errors import FrameError
from bounceanalytics.summaries import Summaries, summarize


@pytest.fixture(scope="module")
def story() -> Summaries:
    return summarize(newsletter())


def cells(html: str) -> list[list[str]]:
    """Return the texts of the cells of the body, row by row."""
    body = html[html.index("<tbody>") :]
    rows = re.findall(r"<tr>(.*?)</tr>", body, re.DOTALL)
    return [[unescape(cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL)] for row in rows]


def test_cells_are_those_of_the_summary(story: Summaries) -> None:
    html = ba.table(story.domains, top=5).to_html()
    shown = cells(html)
    for cell, row in zip(shown, story.domains.head(5).itertuples(), strict=True):
        assert cell[0] == row.domain
        assert cell[2] == f"{row.attempted:,}"
        assert cell[3] == f"{row.hard:,}"
        assert cell[6].rstrip("%") in (f"{100 * row.hard_rate:.1f}", f"{100 * row.hard_rate:.0f}")
    assert f"5 of {len(story.domains)} rows" in html
    heads = re.findall(r'<th[^>]*class="col_heading[^>]*>(.*?)</th>', html)
    assert heads[:4] == ["Domain", "Provider", "Attempted", "Hard"]


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


def test_markup_is_text_and_any_frame_has_a_table() -> None:
    evil = "<script>alert(1)</script>"
    frame = pd.DataFrame({"who": [evil], "flag": [True], "n": [12345], "x": [0.5]})
    html = ba.table(frame).to_html()
    assert "<script>" not in html
    (row,) = cells(html)
    assert row == [evil, "yes", "12,345", "0.5"]


def test_columns_can_be_chosen(story: Summaries) -> None:
    chosen: Any = ba.table(story.domains, columns=["domain", "spike"], top=1)
    assert [len(row) for row in cells(chosen.to_html())] == [2]
    with pytest.raises(FrameError, match="nowhere"):
        ba.table(story.domains, columns=["nowhere"])

"""The state of domains in a report: those first that need a look, and only where somebody has looked."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

import bounceanalytics as ba
from bounceanalytics import schema
from tests.classified import classified


@pytest.fixture
def bounces() -> pd.DataFrame:
    full = {"reason": "system_full", "enhanced_code": "5.3.1", "remote_host": "mx1.full.example"}
    return classified(
        [
            {"recipient": "ann@full.example", **full},
            {"recipient": "bo@full.example", **full},
            {"recipient": "cy@fine.example", "event": "delivered"},
        ]
    )


def checks(**columns: list[object]) -> pd.DataFrame:
    rows = [
        {"domain": "fine.example", "status": "healthy", "advice": "Keep its addresses.", "basis": "history"},
        {"domain": "gone.example", "status": "gone", "advice": "Remove its addresses.", "basis": "dns"},
        {
            "domain": "full.example",
            "status": "full",
            "advice": "Hold <b>them</b>.",
            "mx": "10 mx1.full.example",
        },
    ]
    return schema.DOMAIN_COLUMNS.frame(rows).assign(**columns)


def section(page: Path, name: str) -> str:
    found = re.search(rf'<section id="{name}".*?</section>', page.read_text(encoding="utf-8"), re.S)
    return found[0] if found else ""


def test_the_state_of_each_domain_is_told(tmp_path: Path, bounces: pd.DataFrame) -> None:
    page = ba.report(bounces, tmp_path / "report.html", checks=checks())
    told = section(page, "states")
    assert "3 domains looked at; mail system full: 1, does not exist: 1, takes mail: 1." in told
    assert re.findall(r'<th scope="row">(.*?)</th>', told) == ["full.example", "gone.example", "fine.example"]
    assert "10 mx1.full.example" in told
    assert "Hold &lt;b&gt;them&lt;/b&gt;." in told
    assert "Since" not in told


def test_since_when_is_told_where_that_is_known(tmp_path: Path, bounces: pd.DataFrame) -> None:
    since = pd.to_datetime(["2026-03-01", None, "2026-04-02"], utc=True)
    told = section(ba.report(bounces, tmp_path / "report.html", checks=checks(since=list(since))), "states")
    assert "Since" in told
    assert "2 Apr 2026" in told


def test_where_nobody_looked_there_is_no_such_section(tmp_path: Path, bounces: pd.DataFrame) -> None:
    assert not section(ba.report(bounces, tmp_path / "report.html"), "states")


def test_servers_that_were_full_are_told_apart(tmp_path: Path, bounces: pd.DataFrame) -> None:
    told = section(ba.report(bounces, tmp_path / "report.html"), "system-full")
    assert "By receiving server" in told
    assert '<th scope="row">mx1.full.example</th>' in told


def test_a_workbook_has_a_sheet_of_states(tmp_path: Path, bounces: pd.DataFrame) -> None:
    book = ba.report(bounces, tmp_path / "report.xlsx", checks=checks())
    found = pd.read_excel(book, sheet_name="State of domains", engine="calamine")
    assert list(found.iloc[:, 0]) == ["full.example", "gone.example", "fine.example"]


def test_another_frame_is_refused(tmp_path: Path, bounces: pd.DataFrame) -> None:
    with pytest.raises(ba.FrameError, match="status"):
        ba.report(bounces, tmp_path / "report.html", checks=pd.DataFrame({"domain": ["a.example"]}))

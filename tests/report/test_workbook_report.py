"""Workbooks: what is read back is what went in, whatever the tables hold."""

from __future__ import annotations

import io
import re
import sys
import zipfile
from datetime import datetime
from typing import Any

import pandas as pd
import pytest
import python_calamine

from bounceanalytics.report.workbook import MOST_CHARACTERS, workbook_bytes
from bounceanalytics.schema import SUMMARIES
from bounceanalytics.summaries import Summaries


def read(content: bytes) -> dict[str, list[list[Any]]]:
    book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
    return {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}


def parts(content: bytes) -> dict[str, str]:
    archive = zipfile.ZipFile(io.BytesIO(content))
    return {name: archive.read(name).decode("utf-8", "replace") for name in archive.namelist()}


def written(frame: pd.DataFrame) -> list[list[Any]]:
    return read(workbook_bytes({"table": frame}, title="T", about=[]))["Table"]


def test_first_sheet_says_what_it_is_and_what_columns_mean(letter_summaries: Summaries) -> None:
    domains = letter_summaries.domains
    content = workbook_bytes({"domains": domains}, title="Ten weeks", about=[("Period", "ten weeks")])
    about = read(content)["About"]
    assert about[0][0] == "Ten weeks"
    assert ["Period", "ten weeks"] in [row[:2] for row in about]
    assert {row[0]: row[1] for row in about[5:]} == {
        column.name: column.meaning for column in SUMMARIES["domains"]
    }
    again = workbook_bytes({"domains": domains.copy()}, title="Ten weeks", about=[("Period", "ten weeks")])
    assert content == again


def test_values_come_back_as_what_they_are() -> None:
    frame = pd.DataFrame(
        {
            "n": pd.array([1234567, None], dtype="Int64"),
            "hard_rate": [0.25, float("nan")],
            "weeks_out": [1.5, float("inf")],
            "flag": pd.array([True, None], dtype="boolean"),
            "at": pd.to_datetime(["2026-01-05T01:30+02:00", None], utc=True),
            "there": pd.to_datetime(["2026-01-05T01:30", "1899-12-30T00:00"]),
            "tags": [["a", "b"], None],
            "word": pd.Categorical(["rising", None]),
        }
    )
    head, first, second = written(frame)
    assert head == list(frame.columns)
    assert first[:4] == [1234567, 0.25, 1.5, "yes"]
    assert first[4:6] == [datetime(2026, 1, 4, 23, 30), datetime(2026, 1, 5, 1, 30)]
    assert first[6:] == ["['a', 'b']", "rising"]
    assert second == ["", "", "inf", "", "", "1899-12-30 00:00", "", ""]
    eastern = frame[["at"]].assign(at=frame["at"].dt.tz_convert("Asia/Tokyo"))
    assert written(eastern)[1] == [datetime(2026, 1, 4, 23, 30)], "UTC, as every other time"


def test_numbers_shares_and_times_look_like_it(letter_summaries: Summaries) -> None:
    found = parts(workbook_bytes({"domains": letter_summaries.domains}, title="T", about=[]))
    formats = set(re.findall('formatCode="([^"]*)"', found["xl/styles.xml"]))
    assert formats >= {"#,##0", "0.0%", "yyyy-mm-dd hh:mm"}
    sheet = found["xl/worksheets/sheet2.xml"]
    assert re.search(r'<pane xSplit="1" ySplit="1"[^>]*state="frozen"', sheet)
    assert "<autoFilter" in sheet
    comments = "".join(text for name, text in found.items() if "comments" in name)
    assert SUMMARIES["domains"]["hard_shrunk"].meaning in comments


@pytest.mark.parametrize(
    "text",
    [
        "=cmd|' /c calc'!a0",
        "{=1+1}",
        "+1",
        "-1",
        "@sum(a1)",
        "https://example.com/",
        "mailto:a@example.com",
        "internal:About!A1",
        "0012",
        "1e5",
        "<b>&amp;",
        "_x0041_",
        "a\x07b",
    ],
)
def test_text_stays_text(text: str) -> None:
    content = workbook_bytes({text: pd.DataFrame({text: [text]})}, title=text, about=[(text, text)])
    found = read(content)
    assert found["About"][0][0] == text
    (sheet,) = set(found) - {"About"}
    assert found[sheet] == [[text], [text]]
    assert not [name for name, part in parts(content).items() if "<f>" in part or "<hyperlink " in part]


def test_what_is_too_long_is_cut_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[workbook_bytes.__module__], "MOST_ROWS", 2)
    tables = {"all": pd.DataFrame({"n": [1, 2, 3]}), "few": pd.DataFrame({"n": [1, 2]})}
    found = read(workbook_bytes(tables, title="T", about=[]))
    assert found["All"] == [["n"], [1], [2]]
    told = [row for row in found["About"] if str(row[0]).startswith("Cut")]
    assert told == [["Cut: all", "3 rows, of which the first 2 are here"]]
    (_, (text,)) = written(pd.DataFrame({"text": ["x" * 40_000]}))
    assert len(text) == MOST_CHARACTERS
    assert text.endswith("x…")


def test_sheets_have_names_that_excel_takes() -> None:
    names = [
        "domain_reasons",
        "About",
        "history",
        "a/b:c*d?[e]\\f",
        "'quoted'",
        "",
        "x" * 40,
        "x" * 50,
        "X" * 31,
    ]
    tables = {name: pd.DataFrame({"n": [1]}) for name in names}
    found = list(read(workbook_bytes(tables, title="T", about=[])))
    assert found[:5] == ["About", "Domain reasons", "About 2", "History 2", "A b c d e f"]
    assert len({name.casefold() for name in found}) == len(names) + 1
    assert all(0 < len(name) <= 31 and not re.search(r"[\[\]:*?/\\]|^'|'$", name) for name in found)


def test_empty_tables_have_a_sheet(letter_summaries: Summaries) -> None:
    empty = letter_summaries.domains.head(0)
    found = read(workbook_bytes({"domains": empty, "nothing": pd.DataFrame()}, title="T", about=[]))
    assert found["Domains"] == [list(empty.columns)]
    assert found["Nothing"] == []
    assert read(workbook_bytes({}, title="T", about=[]))["About"][0][0] == "T"

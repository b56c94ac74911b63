"""Mailing lists as Excel workbooks."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import datetime
from pathlib import Path

import pytest

from bounceanalytics.cleaning import clean, restore
from bounceanalytics.cleaning.lists import MailingList
from bounceanalytics.errors import FormatError, SourceError
from tests.classified import classified
from tests.cleaning.workbook import workbook

MARK = b"\xef\xbb\xbf"
GONE = [{"recipient": "gone@example.com"}]


def sentence(content: bytes, column: str | int | None = None) -> str:
    with pytest.raises((FormatError, SourceError)) as caught, MailingList(content, column):
        pass
    assert "\n" not in str(caught.value)
    assert "@" not in str(caught.value)
    return str(caught.value)


def test_a_workbook_is_cleaned_as_the_csv_that_a_spreadsheet_would_save(tmp_path: Path) -> None:
    source = tmp_path / "list.xlsx"
    source.write_bytes(
        workbook(
            Members=[
                ["Name", "E-Mail", "Since", "Points", "Share", "Active"],
                ["Müller, Jörg", "gone@example.com", datetime(2026, 3, 2), 12, 0.5, True],
                [None, "new@example.com", datetime(2026, 3, 2, 10, 30), 1e6, None, False],
                [],
                ['7" pot', "nobody", None, -3, 2.25, None],
                [None, None],
                [None, None],
            ]
        )
    )
    result = clean(source, classified(GONE), tmp_path / "out")
    assert result.rows == {"input": 4, "kept": 1, "removed": 1, "held": 0, "unreadable": 2}
    head = MARK + b"Name,E-Mail,Since,Points,Share,Active"
    assert result.files["kept"].read_bytes() == (
        head + b"\r\n,new@example.com,2026-03-02 10:30:00,1000000,,FALSE\r\n"
    )
    removed = result.files["removed"].read_bytes()
    assert removed.startswith(head + b",reason,code,date,")
    assert '"Müller, Jörg",gone@example.com,2026-03-02,12,0.5,TRUE,unknown_user,5.1.1,'.encode() in removed
    about = json.loads(result.files["manifest"].read_text())["input"]
    assert (about["name"], about["sheet"], about["bytes"]) == ("list.xlsx", "Members", source.stat().st_size)

    given = restore(result, tmp_path / "list.csv").path.read_bytes()
    assert given.decode("utf-8-sig").splitlines() == [
        "Name,E-Mail,Since,Points,Share,Active",
        '"Müller, Jörg",gone@example.com,2026-03-02,12,0.5,TRUE',
        ",new@example.com,2026-03-02 10:30:00,1000000,,FALSE",
        ",,,,,",
        '"7"" pot",nobody,,-3,2.25,',
    ]


def test_the_sheet_with_addresses_is_taken() -> None:
    book = workbook(
        Empty=[], Notes=[["read me"], ["x"]], People=[["name", "mail"], ["Ann", "ann@example.com"]]
    )
    with MailingList(book) as found:
        assert found.sheet == "People"
        assert found.dialect.header == ("name", "mail")


def test_a_column_of_one_sheet_was_asked_for() -> None:
    people = [["old", "new"], ["a@example.com", "b@example.com"]]
    book = workbook(A=[["mail"], ["c@example.com"]], B=people)
    with MailingList(book, "new") as found:
        assert found.sheet == "B"


def test_a_delimiter_inside_cells_is_text() -> None:
    book = workbook(A=[["mail"], ["a@example.com;x"], ["b@example.com;y"], ["c@example.com"]])
    with MailingList(book) as found:
        assert (found.dialect.delimiter, found.dialect.columns) == (",", 1)


def test_a_workbook_without_header() -> None:
    with MailingList(workbook(A=[["a@example.com", 1], ["b@example.com", 2]])) as found:
        assert (found.dialect.header, found.dialect.mark) == (None, MARK)


@pytest.mark.parametrize(
    ("sheets", "words"),
    [
        (
            {"A": [["mail"], ["a@example.com"]], "B": [["mail"], ["b@example.com"]]},
            "more than one sheet .*: 'A', 'B'",
        ),
        ({"A": [["x"], ["y"]], "B": [["z"], ["w"]]}, "no sheet has a column of addresses: 'A', 'B'"),
        ({"A": [["name", "town"], ["Ann", "Oslo"]]}, "the header is 'name', 'town'"),
        ({"A": []}, "is empty"),
    ],
)
def test_no_one_sheet_can_be_told(sheets: dict[str, list[list[str]]], words: str) -> None:
    with pytest.raises(FormatError, match=words), MailingList(workbook(**sheets)):
        pass


def test_what_is_no_workbook_that_can_be_read() -> None:
    book = workbook(A=[["mail"], ["a@example.com"]])
    for content in (book[:-40], book[: len(book) // 2]):
        assert sentence(content).startswith("the list is a ZIP archive that is damaged")
    assert "no workbook that can be read, or a damaged one" in sentence(b"PK\x03\x04")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as stream:
        stream.writestr("[Content_Types].xml", "<Types/>")
    assert "no workbook that can be read, or a damaged one" in sentence(archive.getvalue())
    old = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
    assert "no workbook that can be read, or a damaged one" in sentence(old)

"""The first line of a table, whoever looks at it."""

from __future__ import annotations

import pytest

import bounceanalytics as ba
from bounceanalytics.cleaning.lists import MailingList
from bounceanalytics.opening.csv import separator_line, titles


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("sep=;\r\nemail\r\n", ("sep=;\r\n", ";")),
        ("SEP=\t\nemail", ("SEP=\t\n", "\t")),
        ("sep=|\remail", ("sep=|\r", "|")),
        ("sep= \nemail", ("sep= \n", " ")),
        ("sep=\nemail", ("sep=\n", ",")),
        ("sep=;  \nemail", ("sep=;  \n", ";")),
        ("sep=a\nemail", None),
        ("sep=;;\nemail", None),
        ("sep=;", None),
        ("email\nsep=;\n", None),
    ],
)
def test_the_line_by_which_excel_is_told(text: str, found: tuple[str, str] | None) -> None:
    assert separator_line(text) == found


def test_titles_by_delimiter() -> None:
    assert titles('a;"b,c"\r', ",;") == {",": ['a;"b', 'c"'], ";": ["a", "b,c"]}
    assert list(titles("a")) == [",", ";", "\t", "|"]


TABLE = (
    "{line}recipient{sign}reason{sign}time\r\nann@example.com{sign}no such user{sign}2026-03-02 10:00:00\r\n"
)


@pytest.mark.parametrize("sign", [";", "\t", "^"])
def test_everybody_heeds_it(sign: str) -> None:
    raw = TABLE.format(line=f"sep={sign}\r\n", sign=sign).encode("utf-8-sig")
    mapping = {"recipient": "recipient", "diagnostic": "reason", "timestamp": "time"}
    assert ba.read_table(raw, mapping, timezone="UTC")["diagnostic"].tolist() == ["no such user"]
    with MailingList(raw) as mailing_list:
        dialect = mailing_list.dialect
    assert (dialect.delimiter, dialect.header) == (sign, ("recipient", "reason", "time"))


def test_an_export_that_excel_has_written_anew_is_known() -> None:
    table = "email;status;reason;created\nann@example.com;5.1.1;550 5.1.1 no such user;1772445600\n"
    plain = ba.load(table.encode())
    told = ba.load(f"sep=;\n{table}".encode())
    assert plain.files["form"].tolist() == told.files["form"].tolist()
    assert told.files[["records", "loaded", "rejected"]].to_numpy().tolist() == [[1, 1, 0]]
    assert told.events["enhanced_code"].tolist() == ["5.1.1"]
    # a damaged row is found by its place, too
    damaged = ba.load(f"sep=;\n{table}bo@example.com;x\n".encode())
    assert damaged.files[["records", "loaded", "rejected"]].to_numpy().tolist() == [[2, 1, 1]]

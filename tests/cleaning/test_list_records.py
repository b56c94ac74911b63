"""Where records and cells lie, against Python's csv module."""

from __future__ import annotations

import csv
import io
import re

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bounceanalytics.cleaning.records import Records, find_records
from tests.effort import examples


def scan(text: str, *, delimiter: str = ",", encoding: str = "utf-8", last: bool = True) -> Records:
    unit = {"utf-16-le": "<u2", "utf-16-be": ">u2"}.get(encoding, "u1")
    return find_records(
        np.frombuffer(text.encode(encoding), dtype=unit), ord(delimiter), ord("\n"), last=last
    )


def cells(text: str, number: int, *, encoding: str = "utf-8") -> list[str | None]:
    found: list[str | None] = scan(text, encoding=encoding).cell(number, encoding).to_pylist()
    return found


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "utf-16-le", "utf-16-be"])
def test_cells(encoding: str) -> None:
    text = 'a,"b ""x"", y",ü\r\n"line\nbreak",,€\r\n\r\nshort\r\n"last",2,3'
    records = scan(text, encoding=encoding)
    assert records.cells.tolist() == [3, 3, 1, 1, 3]
    assert records.cell(0, encoding).to_pylist() == ["a", "line\nbreak", "", "short", "last"]
    assert records.cell(1, encoding).to_pylist() == ['b "x", y', "", None, None, "2"]
    assert records.cell(2, encoding).to_pylist() == ["ü", "€", None, None, "3"]


def test_a_quote_in_the_middle_is_text() -> None:
    text = 'pot,6" wide,x\n"quoted, yes",7"",y\n'
    assert cells(text, 1) == ['6" wide', '7""']
    assert cells(text, 0) == ["pot", "quoted, yes"]


def test_a_quote_that_ends_in_no_cell_joins_no_rows() -> None:
    text = 'kim@example.com,"Kim\nnia@example.com,Nia\nola@example.com,"Ola"\npia@example.com,Pia\n'
    assert cells(text, 0) == [f"{name}@example.com" for name in ("kim", "nia", "ola", "pia")]


def test_a_line_break_in_a_quoted_cell_stays_in_it() -> None:
    text = 'kim@example.com,"Kim\nof Oslo" ,x\nnia@example.com,6" pot,"a\n""b"""\n'
    assert cells(text, 1) == ['"Kim\nof Oslo" ', '6" pot']


def test_cells_in_another_encoding_are_read_as_cp1252() -> None:
    raw = "Müller,1\n".encode("cp1252") + "Größe,2\n".encode()
    records = find_records(np.frombuffer(raw, dtype="u1"), ord(","), ord("\n"), last=True)
    assert records.cell(0, "utf-8").to_pylist() == ["Müller", "Größe"]


def test_an_unfinished_record_waits() -> None:
    records = scan('a,b\nc,"d\ne', last=False)
    assert len(records) == 1
    assert records.unclosed
    assert scan('a,b\nc,"d\ne').unclosed
    assert not scan('a,b\nc,"d"', last=False).unclosed


TEXTS = st.text(alphabet='ab",\n\r é', max_size=60)


@examples(400)
@example('"a""b",c\n')
@example('a"b,"c"d,e"\n"')
@given(TEXTS)
def test_records_lie_end_to_end(text: str) -> None:
    records = scan(text)
    starts, ends = records.starts.tolist(), records.ends.tolist()
    assert starts == [0, *ends][: len(starts)]
    assert (ends[-1] if ends else 0) == len(text.encode())
    assert (records.starts <= records.stops).all()
    assert (records.stops <= records.ends).all()


@examples(400)
@given(st.lists(st.lists(st.text(alphabet='ab",\n\r é', max_size=6), min_size=1, max_size=4), max_size=8))
def test_what_csv_writes_is_read_alike(rows: list[list[str]]) -> None:
    stream = io.StringIO(newline="")
    csv.writer(stream, quoting=csv.QUOTE_ALL).writerows(rows)
    records = scan(stream.getvalue())
    assert records.cells.tolist() == [len(row) for row in rows]
    for number in range(4):
        expected = [row[number] if len(row) > number else None for row in rows]
        assert records.cell(number, "utf-8").to_pylist() == expected


@examples(400)
@given(st.text(alphabet='ab",\n é', max_size=60))
def test_stray_quotes_are_read_as_csv_reads_them(text: str) -> None:
    records = scan(text)
    if records.unclosed or re.search(r'[,\n]"[^", \n]', text):
        return  # an error, or rows of their own for us; csv takes the rest of the file as one cell, or joins the rows
    expected = [row or [""] for row in csv.reader(io.StringIO(text, newline=""))]
    assert records.cells.tolist() == [len(row) for row in expected]

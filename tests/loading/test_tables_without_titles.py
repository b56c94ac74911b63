"""Tables whose first row is a record: no event of it is taken for a title and lost."""

from __future__ import annotations

import base64
import csv
import gzip
import io
import json

import pandas as pd
import pytest

import bounceanalytics as ba
from tests.loading.exports import mailgun_failed, sendgrid_bounce, ses_bounce

EVENTS = {
    "sendgrid": [sendgrid_bounce(number) for number in (1, 2, 3)],
    "ses": [ses_bounce(f"user{number}@example.com", number=number) for number in (1, 2, 3)],
    "mailgun": [mailgun_failed(number) for number in (1, 2, 3)],
}


def _base64(event):
    return base64.b64encode(json.dumps(event).encode()).decode()


CELLS = {
    "JSON": json.dumps,
    "a list": lambda event: json.dumps([event]),
    "pretty": lambda event: json.dumps(event, indent=1),
    "base64": _base64,
    "Python": repr,
    "behind words": lambda event: f"posted: {json.dumps(event)}",
}


def table(rows, delimiter=",", **how) -> bytes:
    stream = io.StringIO()
    csv.writer(stream, delimiter=delimiter, **how).writerows(rows)
    return stream.getvalue().encode()


def account(load):
    return load.files[["records", "loaded", "rejected"]].sum().tolist()


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("esp", EVENTS)
def test_the_first_row_is_an_event(esp, cell):
    load = ba.load(table([(number, CELLS[cell](event)) for number, event in enumerate(EVENTS[esp])]))
    assert account(load) == [3, 3, 0]
    assert load.files["provider"].tolist() == [esp]


WAYS = {
    "tabs": {"delimiter": "\t"},
    "bars": {"delimiter": "|"},
    "semicolons": {"delimiter": ";"},
    "all quoted": {"quoting": csv.QUOTE_ALL},
    "one column": {"columns": 1},
    "one row": {"rows": 1},
    "one row, one column": {"rows": 1, "columns": 1, "quoting": csv.QUOTE_ALL},
    "payload first": {"backwards": True},
    "behind a time": {"before": ["2026-03-11 00:00:00"]},
    "first one damaged": {"broken": True},
}


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("way", WAYS)
def test_ways_to_write_it(way, mark):
    how = dict(WAYS[way])
    width, count = how.pop("columns", 2), how.pop("rows", 3)
    before, backwards, broken = how.pop("before", []), how.pop("backwards", False), how.pop("broken", False)
    cells = list(map(json.dumps, EVENTS["sendgrid"][:count]))
    if broken:
        cells[0] = cells[0][:60]
    rows = [[*before, number, cell][-width if not before else None :] for number, cell in enumerate(cells)]
    load = ba.load(mark + table([row[::-1] if backwards else row for row in rows], **how))
    assert account(load) == [count, count - broken, int(broken)]


def test_in_a_workbook_and_written_to_disk(tmp_path):
    cells = [(number, json.dumps(event)) for number, event in enumerate(EVENTS["ses"])]
    pd.DataFrame(cells).to_excel(tmp_path / "hooks.xlsx", header=False, index=False, engine="xlsxwriter")
    assert account(ba.load(tmp_path / "hooks.xlsx")) == [3, 3, 0]
    (tmp_path / "hooks.csv.gz").write_bytes(gzip.compress(table(cells)))
    assert len(ba.convert(tmp_path / "hooks.csv.gz", tmp_path / "data.parquet")) == 3


@pytest.mark.parametrize(
    "titles",
    [
        ("id", "payload"),
        ("", "payload"),
        ("0", "1"),
        ("2026-03-11 00:00:00", "payload"),
        ("{id}", "[payload]"),
    ],
)
def test_titles_stay_titles(titles):
    rows = [(f"no. {number}", json.dumps(event)) for number, event in enumerate(EVENTS["sendgrid"])]
    assert account(ba.load(table([titles, *rows]))) == [3, 3, 0]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (
            [(1, "kim@example.com", "550 no"), (2, "lou@example.com", "551 no")],
            "whose first line holds an address",
        ),
        ([(17731, "ann", "no"), (17732, "bea", "no")], "a table without titles"),
        ([("who", 2025, 2026), ("ann", 1, 2)], "a table with the columns who, 2025, 2026"),
    ],
)
def test_without_events_the_sentence_says_what_is_missing(rows, said):
    with pytest.raises(ba.FormatError, match=said):
        ba.load(table(rows))

"""Times of files: every spelling through every loader, the order of dates from the column, and what is announced."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import pandas as pd
import pytest

import bounceanalytics as ba
from bounceanalytics.clocks import grammar
from bounceanalytics.loading.times import TIME_STYLES, UNREAD
from tests.clocks.spellings import SPELLINGS

MAPPING = {"recipient": "to", "timestamp": "at"}
READABLE = [(text, wanted) for family in SPELLINGS.values() for text, wanted in family.items() if wanted]


def table(*texts, frame=False):
    given = pd.DataFrame(
        {"to": [f"a{number}@example.com" for number in range(len(texts))], "at": list(texts)}
    )
    return given if frame else given.to_csv(index=False).encode()


def loaded(*texts, **options):
    return ba.load_table(table(*texts), MAPPING, timezone="UTC", **options)


def times(load):
    return [None if pd.isna(time) else str(time)[:16] for time in load.events["timestamp"]]


def test_all_spellings_come_through_a_table_and_through_json():
    texts = [text for text, _ in READABLE]
    wanted = [pd.Timestamp(time, tz="UTC") for _, time in READABLE]
    # alone in its file, a date of two orders would be one of the month first; none of these has two
    assert (
        ba.load_table(table(*texts, frame=True), MAPPING, timezone="UTC").events["timestamp"].tolist()
        == wanted
    )
    lines = "\n".join(
        json.dumps(
            {"email": "a@example.com", "event": "bounce", "timestamp": text, "sg_event_id": str(number)}
        )
        for number, text in enumerate(texts)
    )
    assert ba.load(lines.encode(), timezone="UTC").events["timestamp"].tolist() == wanted


def test_the_engine_and_the_grammar_read_alike():
    texts = [
        "2026-03-29 02:30",
        "2026-10-25 02:30:00.25",
        "2026-07-01",
        "2026-07-01T10:00:00+05:30",
        "1773476120.25",
    ]
    texts += ["Sat, 14 Mar 2026 08:15:20 GMT", "2026-07-01T10:00:00Z", "1773476120123", "1773476120"]
    for zone in ("UTC", "Europe/Berlin", "America/St_Johns"):
        found = ba.read_table(table(*texts, frame=True), MAPPING, timezone=zone)["timestamp"]
        assert found.tolist() == [
            pd.Timestamp(grammar.read(text).at("", zone), unit="us", tz="UTC") for text in texts
        ]


def test_one_day_over_twelve_tells_the_order_of_all():
    assert times(loaded("3/5/2026 8:15", "3/25/2026 23:40")) == ["2026-03-05 08:15", "2026-03-25 23:40"]
    assert times(loaded("3/5/2026 8:15", "25/3/2026 23:40")) == ["2026-05-03 08:15", "2026-03-25 23:40"]
    assert times(loaded("25/3/2026", "3/5/2026")) == ["2026-03-25 00:00", "2026-05-03 00:00"]
    assert times(loaded("3/5/26", "25/3/26")) == ["2026-05-03 00:00", "2026-03-25 00:00"]
    assert times(loaded("03-05-2026", "Tue 10-03-2026")) == ["2026-05-03 00:00", "2026-03-10 00:00"]
    told = loaded("3/5/2026", "25/3/2026", dayfirst=False)
    assert times(told)[0] == "2026-05-03 00:00"
    assert "two ways" not in told.files["note"][0]


def test_what_is_assumed_of_a_column_is_said():
    load = loaded("3/5/2026", "4/6/2026")
    assert times(load) == ["2026-03-05 00:00", "2026-04-06 00:00"]
    assert "'3/5/2026' may be read in two ways and are taken with the month first" in load.files["note"][0]
    load = loaded("3/5/2026", "4/6/2026", dayfirst=True)
    assert times(load) == ["2026-05-03 00:00", "2026-06-04 00:00"]
    assert "day first; say dayfirst=False" in load.files["note"][0]
    points = loaded("03.05.2026", "04.06.2026")
    assert times(points) == ["2026-05-03 00:00", "2026-06-04 00:00"]
    assert "two ways" not in points.files["note"][0]


def test_both_orders_in_one_column():
    with pytest.warns(ba.UnreadTimesWarning, match=r"has 1 times .* '3/5/2026'"):
        load = loaded("3/5/2026", "25/3/2026", "3/26/2026")
    assert times(load) == [None, "2026-03-25 00:00", "2026-03-26 00:00"]
    assert "in both orders" in load.files["note"][0]


def test_a_year_of_two_digits_between_hyphens():
    with pytest.warns(ba.UnreadTimesWarning):
        assert times(loaded("14-03-26")) == [None]
    assert times(loaded("14-03-26", dayfirst=True)) == ["2026-03-14 00:00"]
    assert times(loaded("14-03-26", dayfirst=False)) == ["2014-03-26 00:00"]


def test_the_order_is_that_of_the_file_however_long_it_is(tmp_path):
    path = tmp_path / "long.csv"
    rows = [
        f"{1 + number % 12}/{1 + number // 12 % 12}/2026 8:15,a{number}@example.com,full,5.2.2"
        for number in range(110_000)
    ]
    path.write_text(
        "\n".join(["created,email,reason,status", *rows, "25/3/2026 8:15,z@example.com,full,5.2.2"])
    )
    day_first = ba.load(path, timezone="UTC")
    assert str(day_first.events["timestamp"][1].date()) == "2026-01-02"
    assert day_first.files["records"][0] == len(rows) + 1
    dataset = ba.convert(path, tmp_path / "out", timezone="UTC")
    again = ba.load(dataset)
    assert sorted(again.events["timestamp"]) == sorted(day_first.events["timestamp"])
    assert again.files["note"].tolist() == day_first.files["note"].tolist()


def test_each_file_has_its_own_order(tmp_path):
    for name, dates in {"us.csv": ("3/5/2026", "3/25/2026"), "uk.csv": ("3/5/2026", "25/3/2026")}.items():
        (tmp_path / name).write_bytes(table(*dates))
    found = ba.read_table(tmp_path, MAPPING, timezone="UTC")
    assert found.set_index("source")["timestamp"].astype(str).str[:10].to_dict().keys() == {
        "us.csv",
        "uk.csv",
    }
    assert sorted(found["timestamp"].dt.month.tolist()) == [3, 3, 3, 5]
    for number, dates in enumerate((("3/5/2026", "3/25/2026"), ("3/5/2026", "25/3/2026"))):
        events = [
            {"email": "a@example.com", "event": "bounce", "timestamp": date, "sg_event_id": f"{number}{date}"}
            for date in dates
        ]
        (tmp_path / f"{number}.json").write_text("\n".join(map(json.dumps, events)))
    lines = ba.load(str(tmp_path / "*.json"), timezone="UTC").events
    assert lines["timestamp"].dt.month.tolist() == [3, 3, 5, 3]


def test_a_damaged_file_tells_its_order_too():
    content = table("3/5/2026", "25/3/2026") + b"one;two,three,four\n"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ba.RejectedRecordsWarning)
        load = ba.load_table(content, MAPPING, timezone="UTC")
    assert times(load) == ["2026-05-03 00:00", "2026-03-25 00:00"]
    assert len(load.rejects) == 1


def test_what_is_not_understood_is_announced():
    with pytest.warns(
        ba.UnreadTimesWarning, match=r"<bytes> has 2 times .* first of them '2026-03-14 25:00'"
    ):
        load = loaded("2026-03-14", "2026-03-14 25:00", "-", "soon", "")
    assert times(load) == ["2026-03-14 00:00", None, None, None, None]
    assert "2 times could not be read and are missing" in load.files["note"][0]
    with pytest.warns(ba.UnreadTimesWarning):
        events = ba.read_table(table("2026-03-14 25:00"), MAPPING, timezone="UTC")
    assert events["timestamp"].isna().all()


@pytest.mark.parametrize("text", ["kim@example.com", "2026-03-14 kim@example.com", "Kim Example"])
def test_no_address_and_no_name_is_shown(text):
    with pytest.warns(ba.UnreadTimesWarning) as told:
        load = loaded(text)
    for said in (str(told[0].message), load.files["note"][0]):
        assert "kim" not in said.lower()
        assert "example" not in said.lower()


def test_events_at_times_that_are_not_understood_are_no_copies():
    head = "created,email,reason,status\n"
    rows = "2026-03-14 25:00,a@example.com,full,5.2.2\n2026-03-14 26:00,a@example.com,full,5.2.2\n"
    with pytest.warns(ba.UnreadTimesWarning):
        load = ba.load((head + rows + rows).encode(), timezone="UTC")
    assert len(load.events) == 2
    assert load.duplicates.rows == 2


def test_a_list_in_two_spellings_counts_once():
    head = "created,email,reason,status\n"
    one, other = "1773476120,a@example.com,full,5.2.2\n", "3/14/2026 8:15:20,a@example.com,full,5.2.2\n"
    assert len(ba.load([(head + one).encode(), (head + other).encode()], timezone="UTC").events) == 1


def test_zones_of_naive_times():
    assert times(ba.load_table(table("14.07.2026 08:15"), MAPPING, timezone="Europe/Berlin")) == [
        "2026-07-14 06:15"
    ]
    assert times(ba.load_table(table("2026-07-14 08:15 EDT"), MAPPING, timezone="Europe/Berlin")) == [
        "2026-07-14 12:15"
    ]
    with pytest.warns(ba.NaiveTimeWarning):
        ba.read_table(table("14.07.2026 08:15"), MAPPING)


def test_rounded_times_are_said():
    load = loaded("1.77E+09", "1,77E+09", "1.77347612E+09")
    assert "a spreadsheet has rounded 2 times" in load.files["note"][0]
    assert load.events["timestamp"].notna().all()


def test_the_page_on_loading_shows_every_family():
    page = Path(ba.__file__).parent.joinpath("loading", "README.md").read_text(encoding="utf-8")
    for family, spellings in SPELLINGS.items():
        row = next((line for line in page.splitlines() if line.startswith(f"| {family} |")), "")
        shown = list(row.split("`")[1::2])
        assert len(shown) >= 3, family
        assert set(shown) <= set(spellings), family
    for style in TIME_STYLES[1:UNREAD]:
        assert style.split(" ")[0].lower() in page.lower(), style

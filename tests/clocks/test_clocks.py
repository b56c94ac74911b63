"""One grammar of times: what each spelling stands for, and that nothing is read in part."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from email.utils import format_datetime

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bounceanalytics.clocks import grammar
from bounceanalytics.clocks.moments import moment
from bounceanalytics.clocks.words import folded, words
from tests.clocks.spellings import SPELLINGS

ALL = [(text, wanted) for family in SPELLINGS.values() for text, wanted in family.items()]
UTC = dt.UTC


def instant(text):
    """The time, "" for none, None for one that is not understood or has several meanings."""
    reading = grammar.read(text)
    if reading is grammar.NO_TIME:
        return ""
    if reading is None:
        return None
    found = {reading.at(order, "UTC") for order in reading.days}
    return pd.Timestamp(found.pop(), unit="us") if len(found) == 1 and None not in found else None


def test_there_are_enough_spellings():
    assert len(ALL) >= 200


@pytest.mark.parametrize(("text", "wanted"), ALL, ids=[text for text, _ in ALL])
def test_spellings(text, wanted):
    assert instant(text) == (pd.Timestamp(wanted) if wanted else wanted)


@pytest.mark.parametrize(("text", "wanted"), ALL, ids=[text for text, _ in ALL])
def test_arguments_share_the_grammar(text, wanted):
    if wanted:
        assert moment(text).time == pd.Timestamp(wanted, tz="UTC")
    elif text not in {
        "2026-03",
        "1899-12-30",
    }:  # a month begins with its first day; a day so far back is meant
        with pytest.raises(ValueError, match=r"no date or time that can be read|may be|several meanings"):
            moment(text)


@pytest.mark.parametrize(
    ("text", "orders"),
    [
        ("03/04/2026", {"month first": "2026-03-04", "day first": "2026-04-03"}),
        ("03/04/26", {"month first": "2026-03-04", "day first": "2026-04-03"}),
        ("03.04.2026", {"month first": "2026-03-04", "day first": "2026-04-03"}),
        ("14-03-26", {"day first": "2026-03-14", "year first": "2014-03-26"}),
        ("Tue 03/10/2026", {"month first": "2026-03-10"}),  # the weekday tells
        ("Sat 03/10/2026", {"day first": "2026-10-03"}),
    ],
)
def test_dates_of_several_orders(text, orders):
    reading = grammar.read(text)
    assert {
        order: str(pd.Timestamp(reading.at(order, "UTC"), unit="us").date()) for order in reading.days
    } == orders


@pytest.mark.parametrize("text", ["03/04/2026", "3/4/26 8:15 PM", "14-03-26", "03-04-2026"])
def test_arguments_that_may_be_two_days_are_refused(text):
    with pytest.raises(ValueError, match=r"may be \d{4}-\d\d-\d\d or .*; write it as one of these"):
        moment(text)


def test_arguments_of_other_types():
    day = pd.Timestamp("2026-03-14", tz="UTC")
    assert moment(dt.date(2026, 3, 14)) == moment("2026-03-14")
    assert moment(dt.date(2026, 3, 14)).whole_day
    assert not moment(dt.datetime(2026, 3, 14)).whole_day
    assert moment(day.tz_convert("Asia/Tokyo")).time == day
    assert moment(1773476120).time == pd.Timestamp("2026-03-14 08:15:20", tz="UTC")
    assert moment("03.04.2026").time == pd.Timestamp("2026-04-03", tz="UTC")
    assert moment("today").time == pd.Timestamp.now("UTC").normalize()
    for strange in (None, pd.NaT, "", True, object()):
        with pytest.raises(ValueError, match="no date or time that can be read"):
            moment(strange)


def test_hours_that_are_skipped_or_come_twice_are_standard_time():
    for zone, skipped, twice in (
        ("Europe/Berlin", "2026-03-29 02:30", "2026-10-25 02:30"),
        ("America/New_York", "2026-03-08 02:30", "2026-11-01 01:30"),
        ("Australia/Sydney", "2026-10-04 02:30", "2026-04-05 02:30"),
    ):
        winter = min(
            dt.datetime(2026, month, 1, tzinfo=zoneinfo.ZoneInfo(zone)).utcoffset() for month in (1, 7)
        )
        for text in (skipped, twice):
            assert instant(f"{text} {zone}") == pd.Timestamp(text) - winter


def test_a_word_has_one_meaning():
    table = words()
    assert not table.zones.keys() & table.months.keys()
    assert set(table.elsewhere) - {"ect"} <= table.zones.keys()
    for halves in (table.morning, table.afternoon):
        assert not {folded(word) for word in halves} & (table.months.keys() | table.weekdays.keys())


MOMENTS = st.datetimes(dt.datetime(1990, 1, 1), dt.datetime(2099, 12, 31))
OFFSETS = st.integers(-15 * 60, 15 * 60).map(lambda minutes: dt.timezone(dt.timedelta(minutes=minutes)))
FORMS = [
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S",
    "%Y/%m/%d %I:%M:%S %p",
    "%a %b %d %H:%M:%S %Y",
    "%b %d, %Y @ %H:%M:%S.000",
    "%d-%b-%Y %H:%M:%S",
    "%A, %d %B %Y %I:%M:%S %p",
    "%d/%b/%Y:%H:%M:%S",
    "%Y%m%d%H%M%S",
    "%Y%m%dT%H%M%S",
    "%Y-%j %H:%M:%S",
    "%G-W%V-%u %H:%M:%S",
    "%H:%M:%S %d %B %Y",
]


@given(MOMENTS, st.sampled_from(FORMS))
def test_what_is_written_is_read(time, form):
    assert instant(time.strftime(form)) == pd.Timestamp(time.replace(microsecond=0))


@given(MOMENTS, OFFSETS)
def test_offsets_are_read(time, zone):
    wanted = pd.Timestamp(time.replace(tzinfo=zone).astimezone(UTC)).tz_localize(None)
    aware = time.replace(tzinfo=zone)
    assert instant(aware.isoformat()) == wanted
    assert instant(str(aware)) == wanted
    whole = aware.replace(microsecond=0)
    plain = pd.Timestamp(whole.astimezone(UTC)).tz_localize(None)
    assert instant(format_datetime(whole)) == plain
    assert instant(whole.strftime("%a %b %d %Y %H:%M:%S GMT%z (Some Time)")) == plain
    assert instant(whole.strftime("%a %b %d %H:%M:%S %z %Y")) == plain


@given(
    MOMENTS,
    st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Kolkata", "UTC", "Australia/Lord_Howe"]),
)
def test_zones_are_read(time, name):
    fitting = [time.replace(tzinfo=zoneinfo.ZoneInfo(name), fold=fold) for fold in (0, 1)]
    wanted = max(pd.Timestamp(one.astimezone(UTC)).tz_localize(None) for one in fitting)
    for text in (f"{time.isoformat()} {name}", f"{time.isoformat()}[{name}]", f"{time} {name.upper()}"):
        assert instant(text) == wanted


@given(st.datetimes(dt.datetime(2001, 9, 10), dt.datetime(2099, 12, 31)))
def test_numbers_are_read(time):
    micros = (time - dt.datetime(1970, 1, 1)) // dt.timedelta(microseconds=1)
    for size in (1_000_000, 1000, 1):
        assert instant(str(micros // size)) == pd.Timestamp(micros // size * size, unit="us")
    assert instant(f"{micros}000") == pd.Timestamp(time)
    assert instant(f"{micros // 1_000_000}.{micros % 1_000_000:06}") == pd.Timestamp(time)
    whole = time.replace(microsecond=0)
    assert instant(repr((whole - dt.datetime(1899, 12, 30)) / dt.timedelta(days=1))) == pd.Timestamp(whole)


@given(st.text(max_size=40))
def test_any_text_is_read_or_not(text):
    reading = grammar.read(text)
    assert reading is None or reading is grammar.NO_TIME or reading.days


@given(
    st.sampled_from([text for text, wanted in ALL if wanted]),
    st.sampled_from(["x", "1", "?", " 7", " nope", "%"]),
)
def test_a_rest_is_never_passed_over(text, rest):
    longer = instant(text + rest)
    assert longer is None or rest in {"1", " 7"}

"""What is in the cache comes back as it was, for as long as it holds, whatever ends the process that wrote it."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bounceanalytics.domains.cache import DomainCache
from bounceanalytics.domains.facts import Answers, Facts, Greeting, Host, Registration
from bounceanalytics.errors import SourceError
from tests.effort import examples

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)


def missing(at: datetime, **options: object) -> Facts:
    return Facts(Answers("d.example", "NXDOMAIN", **options), checked_at=at)  # type: ignore[arg-type]


def here(at: datetime) -> Facts:
    return Facts(
        Answers("d.example", "NOERROR", (Host("mx.d.example", 5, ("8.8.8.8",), 300),)), checked_at=at
    )


def read(cache: DomainCache, at: datetime = NOW, max_age: timedelta = DAY, means: str = "dns") -> list[str]:
    return list(cache.read(["d.example", "other.example"], [means], at=at, max_age=max_age))


TEXTS = st.text(max_size=20)
FACTS = st.builds(
    Facts,
    st.builds(
        Answers,
        st.just("d.example"),
        st.sampled_from(["NOERROR", "NXDOMAIN", "TIMEOUT"]),
        st.lists(st.builds(Host, TEXTS, st.integers(0, 9), st.lists(TEXTS).map(tuple)), max_size=2).map(
            tuple
        ),
        st.booleans(),
        st.booleans(),
        TEXTS,
        st.lists(TEXTS, max_size=2).map(tuple),
        st.lists(TEXTS, max_size=2).map(tuple),
        st.none() | st.integers(0, 2**31 - 1),
        st.booleans(),
    ),
    st.lists(
        st.builds(Greeting, TEXTS, TEXTS, TEXTS, st.none() | st.integers(200, 599), TEXTS), max_size=2
    ).map(tuple),
    TEXTS,
    st.none()
    | st.builds(
        Registration,
        st.none() | st.datetimes(timezones=st.just(UTC)),
        st.lists(TEXTS, max_size=2).map(tuple),
        TEXTS,
    ),
    st.just(NOW),
)


@examples(200)
@given(facts=FACTS)
def test_facts_come_back_as_they_were(facts: Facts) -> None:
    with DomainCache(":memory:") as cache:
        cache.write({"d.example": facts}, "dns")
        found = cache.read(["d.example"], ["dns"], at=NOW, max_age=DAY)
    assert found == {"d.example": facts}
    assert found["d.example"].checked_at == NOW


def test_facts_hold_for_as_long_as_they_may(tmp_path: Path) -> None:
    path = tmp_path / "domains.db"
    with DomainCache(path) as cache:
        cache.write({"d.example": here(NOW)}, "dns")
    with DomainCache(path) as cache:
        assert read(cache, NOW + DAY - MINUTE) == ["d.example"]
        assert read(cache, NOW + DAY) == []
        assert read(cache, NOW, timedelta()) == []


def test_what_is_not_certain_holds_for_ten_minutes() -> None:
    with DomainCache(":memory:") as cache:
        cache.write({"d.example": Facts(Answers("d.example", "TIMEOUT"), checked_at=NOW)}, "dns")
        assert read(cache, NOW + 9 * MINUTE) == ["d.example"]
        assert read(cache, NOW + 11 * MINUTE) == []
        assert read(cache, NOW + 2 * MINUTE, MINUTE) == []


def test_other_means_are_other_facts() -> None:
    with DomainCache(":memory:") as cache:
        cache.write({"d.example": here(NOW)}, "dns")
        assert read(cache, means="dns greeting") == []
        assert cache.read(["d.example"], ["dns greeting", "dns"], at=NOW, max_age=DAY)


def test_more_domains_than_one_query_may_name() -> None:
    many = {f"d{one}.example": here(NOW) for one in range(1_700)}
    with DomainCache(":memory:") as cache:
        cache.write(many, "dns")
        assert len(cache.read([*many, "other.example"], ["dns"], at=NOW, max_age=DAY)) == len(many)


# missing twice


@pytest.mark.parametrize(
    ("apart", "confirmed"),
    [(timedelta(), False), (59 * MINUTE, False), (HOUR, True), (6 * DAY, True), (8 * DAY, False)],
)
def test_missing_twice_an_hour_apart_is_gone(apart: timedelta, confirmed: bool) -> None:
    with DomainCache(":memory:") as cache:
        cache.write({"d.example": missing(NOW)}, "dns")
        assert cache.confirmed(missing(NOW + apart)).answers.confirmed is confirmed


def test_the_first_time_counts_while_it_is_asked_again_and_again() -> None:
    with DomainCache(":memory:") as cache:
        for minutes in range(0, 61, 20):
            facts = cache.confirmed(missing(NOW + minutes * MINUTE))
            assert facts.answers.confirmed is (minutes == 60)
            cache.write({"d.example": facts}, "dns")


def test_a_domain_that_was_back_in_between_starts_anew() -> None:
    with DomainCache(":memory:") as cache:
        cache.write({"d.example": missing(NOW)}, "dns")
        cache.write({"d.example": here(NOW + HOUR)}, "dns")
        assert not cache.confirmed(missing(NOW + 2 * HOUR)).answers.confirmed
        cache.write({"d.example": missing(NOW + 2 * HOUR)}, "dns")
        assert not cache.confirmed(missing(NOW + 2 * HOUR + MINUTE)).answers.confirmed


@pytest.mark.parametrize(
    "options", [{"errors": ("17 filtered",)}, {"name_servers": ("ns.d.example",)}], ids=["withheld", "known"]
)
def test_a_word_that_is_doubtful_is_not_remembered(options: dict[str, object]) -> None:
    with DomainCache(":memory:") as cache:
        cache.write({"d.example": missing(NOW, **options)}, "dns")
        assert not cache.confirmed(missing(NOW + 2 * HOUR)).answers.confirmed
        cache.write({"d.example": missing(NOW)}, "dns")
        assert not cache.confirmed(missing(NOW + 2 * HOUR, **options)).answers.confirmed


# files


def test_other_files_are_refused_in_one_sentence(tmp_path: Path) -> None:
    text = tmp_path / "list.csv"
    text.write_text("email\nann@example.com\n" * 100)
    with pytest.raises(
        SourceError, match=r"list\.csv is no cache of domains; it is no SQLite database at all"
    ):
        DomainCache(text)
    other = tmp_path / "other.db"
    with sqlite3.connect(other) as database:
        database.execute("CREATE TABLE a (b)")
    with pytest.raises(SourceError, match="database of another program"):
        DomainCache(other)


def test_a_damaged_row_is_told(tmp_path: Path) -> None:
    path = tmp_path / "domains.db"
    with DomainCache(path) as cache:
        cache.write({"d.example": here(NOW)}, "dns")
        cache._execute("UPDATE finished SET facts = '{}'")
        with pytest.raises(SourceError, match=r"domains\.db is damaged; name a new file"):
            read(cache)

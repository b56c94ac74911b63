"""Ledgers that an older version wrote: brought over once, with a copy of what they were."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from bounceanalytics.errors import SourceError
from bounceanalytics.suppressing import Ledger, hash_addresses
from tests.suppressing.test_ledger import ANN, BO, CY, START, event, verdicts

if TYPE_CHECKING:
    from pathlib import Path

#: Tables of version 0.1.0.
TABLES = """
CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
INSERT INTO about VALUES ('version', '1'), ('hashed', '0'), ('salt', '');
PRAGMA application_id = 1651401573;
CREATE TABLE entries (
    key TEXT PRIMARY KEY,
    hashed INTEGER NOT NULL CHECK (hashed IN (0, 1)),
    domain TEXT NOT NULL,
    verdict TEXT NOT NULL CHECK (verdict IN ('remove', 'hold', 'keep')),
    reason TEXT,
    code TEXT,
    explanation TEXT,
    source TEXT,
    record INTEGER,
    decided_at INTEGER,
    first_seen INTEGER,
    last_seen INTEGER,
    review_on INTEGER,
    lifted INTEGER NOT NULL DEFAULT 0 CHECK (lifted IN (0, 1))
) STRICT, WITHOUT ROWID;

CREATE INDEX entries_by_review ON entries (review_on) WHERE review_on IS NOT NULL;

CREATE TABLE changes (
    number INTEGER PRIMARY KEY,
    key TEXT NOT NULL,
    made_at INTEGER NOT NULL,
    run TEXT,
    verdict_before TEXT,
    verdict TEXT NOT NULL,
    reason TEXT,
    why TEXT
) STRICT;

CREATE INDEX changes_by_key ON changes (key);

CREATE TABLE full_domains (
    domain TEXT PRIMARY KEY,
    first_full INTEGER,
    last_full INTEGER,
    last_delivered INTEGER
) STRICT, WITHOUT ROWID;
"""

#: key, hashed, verdict, reason, days of decided_at, first_seen, last_seen and review_on, lifted.
ENTRIES = [
    (ANN, 0, "remove", "unknown_user", 7, 3, 9, 187, 0),
    (BO, 0, "keep", "complained", 7, 7, 9, None, 1),
    (CY, 0, "keep", "mailbox_full", 14, 1, 14, None, 0),
    ("di@example.com", 0, "hold", "mailbox_full", 7, 3, 7, 20, 0),
    ("ed@example.com", 0, "remove", "suppressed", None, None, None, None, 0),
    (hash_addresses(["fi@example.com"]).to_pylist()[0], 1, "remove", "unknown_user", 7, 7, 7, None, 0),
]


def moment(day: int | None) -> int | None:
    return None if day is None else int((START + pd.Timedelta(days=day)).value // 1000)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "suppressions.db"
    with closing(sqlite3.connect(path)) as database:
        database.executescript(TABLES)
        for key, hashed, verdict, reason, decided, first, last, review, lifted in ENTRIES:
            times = [moment(day) for day in (decided, first, last, review)]
            database.execute(
                "INSERT INTO entries "
                "VALUES (?, ?, 'example.com', ?, ?, '5.0.0', 'So it was.', 'a.csv', 1, ?, ?, ?, ?, ?)",
                [key, hashed, verdict, reason, *times, lifted],
            )
            before = "remove" if verdict == "keep" else None
            database.execute(
                "INSERT INTO changes VALUES (NULL, ?, ?, 'one', ?, ?, ?, 'So it was.')",
                [key, moment(30), before, verdict, reason],
            )
        database.execute(
            "INSERT INTO full_domains VALUES ('full.example', ?, ?, NULL)", [moment(1), moment(2)]
        )
        database.commit()
    return path


def test_it_is_brought_over_once(old: Path) -> None:
    before = old.read_bytes()
    with Ledger(old) as ledger:
        found = ledger.entries(at=START)
        kept = found["verdict"].tolist()
        ledger._execute("CREATE TEMP TABLE touched AS SELECT key FROM known")
        ledger._run("ledger_judge")
        pd.testing.assert_frame_equal(ledger.entries(at=START), found)
    assert sorted(kept) == ["hold", "keep", "keep", "remove", "remove", "remove"]
    row = found.set_index("address").loc[ANN]
    days = [(row[name] - START).days for name in ("decided_at", "first_seen", "last_seen", "review_on")]
    assert days == [7, 3, 9, 187]
    assert row[["verdict", "reason", "code", "source", "record"]].tolist() == [
        "remove",
        "unknown_user",
        "5.0.0",
        "a.csv",
        1,
    ]
    assert found["hash"].dropna().tolist() == [ENTRIES[-1][0]]
    copy = old.with_name("suppressions.version-1.db")
    with closing(sqlite3.connect(copy)) as database:
        assert database.execute("SELECT value FROM about WHERE name = 'version'").fetchall() == [("1",)]
        assert database.execute("SELECT count(*) FROM entries").fetchall() == [(6,)]
    assert len(copy.read_bytes()) == len(before)
    with Ledger(old) as ledger:
        pd.testing.assert_frame_equal(ledger.entries(at=START), found)
        assert ledger.history(BO)["verdict_before"].tolist() == ["remove"]
        assert len(ledger.news("one")) == 6
        assert ledger.domains()["domain"].tolist() == ["full.example"]
    assert sorted(one.name for one in old.parent.iterdir()) == [
        "suppressions.db",
        "suppressions.version-1.db",
    ]


def test_it_goes_on_from_there(old: Path) -> None:
    with Ledger(old) as ledger:
        told = verdicts(
            event(9, "complained", recipient=BO),  # by then it was known
            event(13, recipient=CY),
            event(9, "delivered", recipient="di@example.com"),
            event(9, "delivered", recipient="ed@example.com"),
            event(9, "delivered", recipient="fi@example.com"),
            event(7),
        )
        rows = ledger.update(told).rows
        assert {name: rows[name] for name in ("lifted", "confirmed", "older")} == {
            "lifted": 2,
            "confirmed": 2,
            "older": 2,
        }
        assert ledger.update(verdicts(event(10, "complained", recipient=BO))).rows["changed"] == 1
        assert set(ledger.entries()["address"].dropna()) == {ANN, BO, CY, "di@example.com", "ed@example.com"}
        assert not ledger.due("2027-09-01").empty


def test_what_cannot_be_brought_over_stays(old: Path) -> None:
    before = old.read_bytes()
    with pytest.raises(SourceError, match="another salt"):
        Ledger(old, salt="pepper")
    assert old.read_bytes() == before
    taken = old.with_name("suppressions.version-1.db")
    taken.write_text("something else")
    with Ledger(old):
        pass
    assert taken.read_text() == "something else"
    assert old.with_name("suppressions.version-1-2.db").is_file()

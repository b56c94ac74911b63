"""SQLite files of any kind: each is told from all others, and changes as a whole or not at all."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from bounceanalytics.errors import SourceError
from bounceanalytics.sqlite_file import FileKind, SqliteFile
from bounceanalytics.suppressing import Ledger

# the tables of a ledger will do: what matters is the header and the facts
DIARY = FileKind("diary", 0x64696172, 3, ("suppressing", "ledger"))


class Diary(SqliteFile):
    """A kind of file with one fact, whose diary it is."""

    def __init__(self, path: Path, owner: str = "ann") -> None:
        super().__init__(path, DIARY, {"owner": owner})

    def _check(self, facts: Mapping[str, str]) -> None:
        if self._about("owner") != facts["owner"]:
            raise SourceError(f"{self.path} is somebody else's diary")


def test_a_kind_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with Diary(path) as diary:
        assert [diary._about(name) for name in ("version", "owner", "colour")] == ["3", "ann", None]
    with Diary(path):
        pass
    with pytest.raises(SourceError, match=r"a\.db is somebody else's diary"):
        Diary(path, "bo")
    with pytest.raises(SourceError, match="a database of another program"):
        Ledger(path)
    with Ledger(tmp_path / "b.db"):
        pass
    with pytest.raises(SourceError, match="a database of another program"):
        Diary(tmp_path / "b.db")
    with pytest.raises(SourceError, match=r"written by another version \(3\); name a new file"):
        SqliteFile(path, replace(DIARY, version=4))


def test_messages_call_it_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="cannot be opened as a diary"):
        Diary(tmp_path / "nowhere" / "a.db")
    (tmp_path / "a.txt").write_text("dear diary " * 100)
    with pytest.raises(SourceError, match=r"a\.txt is no diary; it is no SQLite database at all"):
        Diary(tmp_path / "a.txt")
    with (
        Diary(tmp_path / "a.db") as diary,
        pytest.raises(SourceError, match="used as a diary: no such table"),
    ):
        diary._execute("SELECT * FROM pages")


def test_a_transaction_takes_place_as_a_whole(tmp_path: Path) -> None:
    def broken(diary: Diary, error: BaseException) -> None:
        with diary._writing():
            diary._execute("UPDATE about SET value = 'bo' WHERE name = 'owner'")
            raise error

    with Diary(tmp_path / "a.db") as diary:
        for error, known in (
            (KeyboardInterrupt(), KeyboardInterrupt),
            (sqlite3.OperationalError("x"), SourceError),
        ):
            if isinstance(error, sqlite3.Error):
                error.sqlite_errorname = "SQLITE_FULL"
            with pytest.raises(known):
                broken(diary, error)
            assert diary._about("owner") == "ann"


def _fail(path: Path, *before: Callable[[Diary], object]) -> None:
    with Diary(path) as diary:
        for step in before:
            step(diary)
        raise ZeroDivisionError


def _write(diary: Diary) -> None:
    with diary._writing():
        diary._execute("INSERT INTO known (key) VALUES ('monday')")


def test_a_new_file_goes_again_where_nothing_came_of_it(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with pytest.raises(ZeroDivisionError):
        _fail(path)
    assert not any(tmp_path.iterdir())
    with Diary(path):
        pass  # one that is made on purpose stays
    before = path.read_bytes()
    with pytest.raises(ZeroDivisionError):
        _fail(path)
    assert path.read_bytes() == before
    path.unlink()
    with pytest.raises(ZeroDivisionError):
        _fail(path, _write)
    assert path.exists()


def test_no_other_file_goes_where_the_process_went_to_another_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = tmp_path / "there"
    there.mkdir()
    with Diary(there / "a.db") as diary:
        _write(diary)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ZeroDivisionError):
        _fail(Path("a.db"), lambda _: monkeypatch.chdir(there))
    assert (there / "a.db").exists()
    assert not (tmp_path / "a.db").exists()


@pytest.mark.skipif(os.name == "nt", reason="Windows removes no open file")
def test_who_writes_to_a_file_that_went_again_is_told(tmp_path: Path) -> None:
    path, others = tmp_path / "a.db", []
    with pytest.raises(ZeroDivisionError):
        _fail(path, lambda _: others.append(Diary(path)))
    with others[0], pytest.raises(SourceError, match=r"a\.db was removed by another process; try again"):
        _write(others[0])


@pytest.mark.parametrize("fetch", ["fetchone", "fetchmany", "fetchall", "__next__"])
def test_texts_that_are_none_are_told_and_not_shown(tmp_path: Path, fetch: str) -> None:
    path = tmp_path / "a.db"
    with Diary(path) as diary:
        diary._execute("INSERT INTO about VALUES ('secret', CAST(x'616e6e406578616dff' AS TEXT))")
        rows = diary._execute("SELECT value FROM about WHERE name <> 'version'")
        with pytest.raises(SourceError, match=r"a\.db is damaged: it holds texts that are none") as told:
            [getattr(rows, fetch)() for _ in range(3)]
        assert "ann" not in str(told.value)

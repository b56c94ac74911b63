"""One configuration of the engine, and queries that lie beside the modules."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pytest

import bounceanalytics
from bounceanalytics.database import open_database, read_statements, run_statements

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(bounceanalytics.__file__).parent


def setting(database: duckdb.DuckDBPyConnection, name: str) -> str:
    ((value,),) = database.execute("SELECT current_setting($name)::VARCHAR", {"name": name}).fetchall()
    return str(value)


def test_every_connection_is_alike_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with open_database(memory_limit="64MiB", threads="1") as database:
        assert setting(database, "TimeZone") == "UTC"
        for name in ("enable_progress_bar", "preserve_insertion_order", "autoload_known_extensions"):
            assert setting(database, name) == "false", name
        assert setting(database, "autoinstall_known_extensions") == "false"
        spill = Path(setting(database, "temp_directory"))
        assert spill.is_dir()
        database.execute(
            "CREATE TABLE big AS SELECT range AS n, hash(range)::VARCHAR AS t FROM range(4_000_000)"
        )
        assert any(spill.iterdir())
    assert not spill.exists()
    assert not list(tmp_path.iterdir())


def test_what_is_asked_for_outranks_the_usual() -> None:
    with open_database(preserve_insertion_order=True) as database:
        assert setting(database, "preserve_insertion_order") == "true"


def test_an_interrupted_piece_of_work_leaves_nothing_behind() -> None:
    seen = []

    def work() -> None:
        with open_database() as database:
            seen.extend((database, Path(setting(database, "temp_directory"))))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work()
    database, spill = seen
    assert not spill.exists()
    with pytest.raises(duckdb.ConnectionException):
        database.execute("SELECT 1")


def modules() -> Iterator[tuple[str, str]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        yield path.relative_to(PACKAGE).as_posix(), path.read_text(encoding="utf-8")


def test_nobody_else_connects() -> None:
    calls = re.compile(r"duckdb\.(?:connect|sql|query|execute|default_connection)\b|import connect\b.*duckdb")
    assert [name for name, text in modules() if calls.search(text)] == ["database.py"]


def test_statements_get_the_terms_they_name(monkeypatch: pytest.MonkeyPatch) -> None:
    script = (
        "-- a remark; with a semicolon\nCREATE TEMP TABLE a AS SELECT unnest($words) AS word;\n"
        "DELETE FROM a WHERE word = $gone;\n"
    )
    monkeypatch.setattr("bounceanalytics.database.read_sql", lambda *_: script)
    with open_database() as database:
        run_statements(database, "folder", "name", words=["x", "y"], gone="x", other=1)
        assert database.sql("FROM a").fetchall() == [("y",)]
        with pytest.raises(KeyError, match="words"):
            run_statements(database, "folder", "name", gone="x")


@pytest.mark.parametrize("name", ["ledger", "ledger_update"])
def test_statements_one_by_one(name: str) -> None:
    assert len(read_statements("suppressing", name)) > 1

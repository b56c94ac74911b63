"""A DuckDB database for one piece of work: in memory, spilling to a folder that goes with it."""

from __future__ import annotations

import contextlib
import tempfile
from importlib import resources
from typing import TYPE_CHECKING

import duckdb

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def open_database() -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield a fresh connection; nothing of it stays behind, also when the work is interrupted."""
    with tempfile.TemporaryDirectory(prefix="bounceanalytics-") as spill, duckdb.connect() as database:
        quoted = spill.replace("'", "''")
        # it would be drawn on standard output; in a notebook without ipywidgets there is none, and not even the setting
        with contextlib.suppress(duckdb.Error):
            database.execute("SET enable_progress_bar = false")
        database.execute(f"SET temp_directory = '{quoted}'")
        database.execute(
            "SET preserve_insertion_order = false"
        )  # every query that needs an order asks for it
        yield database


def read_sql(folder: str, name: str) -> str:
    """Return the text of a query that lies in a folder of the package.

    >>> read_sql("history", "mailboxes").startswith("--")
    True
    """
    return resources.files("bounceanalytics").joinpath(folder, f"{name}.sql").read_text(encoding="utf-8")


def read_statements(folder: str, name: str) -> list[str]:
    """Return the statements of such a text one by one."""
    return [statement for statement in read_sql(folder, name).split(";\n") if statement.strip()]

"""One DuckDB configuration for every piece of work, and the queries that lie beside the modules."""

from __future__ import annotations

import contextlib
import functools
import tempfile
from importlib import resources
from typing import TYPE_CHECKING

import duckdb

if TYPE_CHECKING:
    from collections.abc import Iterator

#: In memory, in UTC, and never anything from the network.
_SETTINGS = {
    "TimeZone": "UTC",
    "preserve_insertion_order": False,  # every query that needs an order asks for it
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}


@contextlib.contextmanager
def open_database(**settings: str | bool) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield a fresh connection that spills to a folder of its own; nothing of it stays behind, also when interrupted.

    Parameters
    ----------
    **settings : str or bool
        Further settings of the engine, by their names: ``memory_limit="1GiB"``.

    Examples
    --------
    >>> with open_database(memory_limit="1GiB") as database:
    ...     database.sql("SELECT current_setting('TimeZone')").fetchall()
    [('UTC',)]
    """
    with tempfile.TemporaryDirectory(prefix="bounceanalytics-") as spill, duckdb.connect() as database:
        # it would be drawn on standard output; in a notebook without ipywidgets there is none, and not even the setting
        with contextlib.suppress(duckdb.Error):
            database.execute("SET enable_progress_bar = false")
        for name, value in {**_SETTINGS, "temp_directory": spill, **settings}.items():
            database.execute(f"SET {name} = {literal(str(value))}")
        yield database


def literal(text: str) -> str:
    """Return a text as SQL writes it, for where no parameter may stand.

    >>> literal("O'Hara")
    "'O''Hara'"
    """
    return "'" + text.replace("'", "''") + "'"


def read_sql(folder: str, name: str) -> str:
    """Return the text of a query that lies in a folder of the package.

    >>> read_sql("history", "mailboxes").startswith("--")
    True
    """
    return resources.files("bounceanalytics").joinpath(folder, f"{name}.sql").read_text(encoding="utf-8")


def read_statements(folder: str, name: str) -> list[str]:
    """Return the statements of such a text one by one."""
    return [statement for statement in read_sql(folder, name).split(";\n") if statement.strip()]


@functools.cache
def _parsed(folder: str, name: str) -> list[duckdb.Statement]:
    """Return such statements as any connection takes them; to parse them takes as long as to run them over little."""
    return duckdb.extract_statements(read_sql(folder, name))


def run_statements(database: duckdb.DuckDBPyConnection, folder: str, name: str, **terms: object) -> None:
    """Run the statements of such a text one after the other, each with those of the terms that it names.

    Examples
    --------
    >>> with open_database() as database:
    ...     _ = database.execute("CREATE TABLE events (domain VARCHAR, mailbox_provider VARCHAR, event VARCHAR)")
    ...     run_statements(database, "history", "mailbox_counts", sending=["delivered", "bounced"])
    ...     database.sql("SELECT count(*) FROM mailbox_counts").fetchall()
    [(0,)]
    """
    for statement in _parsed(folder, name):
        database.execute(statement, {term: terms[term] for term in statement.named_parameters})

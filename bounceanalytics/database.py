"""One DuckDB configuration for every piece of work, and the queries that lie beside the modules."""

from __future__ import annotations

import contextlib
import functools
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from bounceanalytics.errors import SourceError
from bounceanalytics.temporary import temporary_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

#: In memory, in UTC, and never anything from the network.
_SETTINGS: dict[str, str | bool] = {
    "TimeZone": "UTC",
    "preserve_insertion_order": False,  # every query that needs an order asks for it
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}

#: Bytes of address space without which the engine is not started: where it finds none while it starts, it crashes.
_LEAST_ROOM = 640 * 1024**2


@contextlib.contextmanager
def open_database(**settings: str | bool) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield a fresh connection that spills to a folder of its own; nothing of it stays behind, also when interrupted.

    Parameters
    ----------
    **settings : str or bool
        Further settings of the engine, by their names: ``memory_limit="1GiB"``.

    Raises
    ------
    SourceError
        If the system lets this process have hardly any more memory.

    Examples
    --------
    >>> with open_database(memory_limit="1GiB") as database:
    ...     database.sql("SELECT current_setting('TimeZone')").fetchall()
    [('UTC',)]
    """
    room = _room()
    if room is not None:
        if room < _LEAST_ROOM:
            raise SourceError(
                f"there is not enough memory: this process may take {room // 1024**2:,} MiB more and needs"
                f" {_LEAST_ROOM // 1024**2:,}; raise its limit (ulimit -v)"
            )
        settings = {"memory_limit": f"{room // 2 // 1024**2}MiB", "threads": "1", **settings}
    with temporary_folder() as spill, duckdb.connect() as database:
        try:
            _set_up(database, {**_SETTINGS, "temp_directory": spill, **settings})
            yield database
        except BaseException as error:
            database.interrupt()  # else to close it waits until the query is done
            if is_interrupted(error):
                raise KeyboardInterrupt from None
            raise


def _set_up(database: duckdb.DuckDBPyConnection, settings: dict[str, str | bool]) -> None:
    try:
        # it would be drawn on standard output; in a notebook without ipywidgets there is none, and not even the setting
        database.execute("SET enable_progress_bar = false")
    except duckdb.Error as error:
        if is_interrupted(error):
            raise
    for name, value in settings.items():
        database.execute(f"SET {name} = {literal(str(value))}")


def is_interrupted(error: BaseException) -> bool:
    """Tell whether the engine ended a query because of Ctrl-C, as which of its errors, or of Arrow's, ever."""
    said = str(error)
    return (
        isinstance(error, duckdb.InterruptException)
        or said.startswith("INTERRUPT Error")
        or (isinstance(error, RuntimeError) and said == "Query interrupted")
        # while it asks an object in Python
        or (isinstance(error, duckdb.Error) and "KeyboardInterrupt" in said)
    )


def _room() -> int | None:
    """Return how many bytes of address space this process may still take; None where the system sets no bound."""
    try:
        import resource  # noqa: PLC0415 - POSIX

        most, _ = resource.getrlimit(resource.RLIMIT_AS)
        if most == resource.RLIM_INFINITY:
            return None
        return max(0, most - int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize())
    except (ImportError, OSError):
        return None


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

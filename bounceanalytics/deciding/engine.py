"""A DuckDB connection for one piece of work: in memory, spilling to a folder that goes with it."""

from __future__ import annotations

import contextlib
import tempfile
from typing import TYPE_CHECKING

import duckdb

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def open_engine() -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield a fresh connection; nothing of it stays behind, also when the work is interrupted."""
    with tempfile.TemporaryDirectory(prefix="bounceanalytics-") as spill, duckdb.connect() as engine:
        quoted = spill.replace("'", "''")
        engine.execute(f"SET temp_directory = '{quoted}'")
        engine.execute("SET preserve_insertion_order = false")  # every query that needs an order asks for it
        yield engine

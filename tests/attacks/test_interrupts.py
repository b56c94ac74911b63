"""Ctrl-C is KeyboardInterrupt, whatever the engine, or Arrow, makes of it."""

from __future__ import annotations

import duckdb
import pyarrow as pa
import pytest

from bounceanalytics.database import open_database


@pytest.mark.parametrize(
    "error",
    [
        duckdb.InterruptException("INTERRUPT Error: Interrupted!"),
        RuntimeError("Query interrupted"),
        pa.ArrowInvalid("INTERRUPT Error: Interrupted!"),
        duckdb.InvalidInputException("offering a filter to the source 'a' failed: KeyboardInterrupt: "),
        KeyboardInterrupt(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_interrupt_is_one(error: BaseException) -> None:
    with pytest.raises(KeyboardInterrupt), open_database():
        raise error


def test_other_errors_stay_what_they_are() -> None:
    with pytest.raises(RuntimeError, match="something else"), open_database():
        raise RuntimeError("something else")
    with pytest.raises(duckdb.Error, match="something else"), open_database():
        raise duckdb.InvalidInputException("something else")

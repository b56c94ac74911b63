"""A frame as several histories, of different addresses each."""

from __future__ import annotations

import contextlib
from contextlib import ExitStack
from typing import TYPE_CHECKING
from zlib import crc32

from bounceanalytics.database import open_database
from bounceanalytics.history import History
from bounceanalytics.history.parts import Here, Histories

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd


@contextlib.contextmanager
def in_parts(bounces: pd.DataFrame, number: int) -> Iterator[Histories]:
    part = bounces["recipient"].fillna("").str.lower().map(lambda text: crc32(text.encode()) % number)
    with ExitStack() as stack:
        parts = [stack.enter_context(History.open(bounces[part == one])) for one in range(number)]
        yield Histories(stack.enter_context(open_database()), Here(parts))

"""Meanings of columns by name, for those who show a frame of any kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bounceanalytics.schema import domains, findings, frames
from bounceanalytics.schema.summaries import SUMMARIES
from bounceanalytics.schema.table import Column, Table

if TYPE_CHECKING:
    import pandas as pd

#: Every public frame; where several have the columns in question the first one tells what they mean.
TABLES: tuple[Table, ...] = (
    *SUMMARIES.values(),
    *(one for room in (findings, frames, domains) for one in vars(room).values() if isinstance(one, Table)),
)

#: Column of a summary by name: what is made of summaries is described alike.
_OF_SUMMARIES = {column.name: column for table in reversed(SUMMARIES.values()) for column in table}


def columns_of(frame: pd.DataFrame) -> dict[str, Column]:
    """Return the columns of a frame that are known, by name.

    Parameters
    ----------
    frame : pandas.DataFrame
        One of this package, some columns of one, or any other: of that the columns are known that are called like
        those of a summary.

    Examples
    --------
    >>> from bounceanalytics.schema import CODE_COLUMNS
    >>> columns_of(CODE_COLUMNS.empty())["meaning"].kind
    'string'
    """
    names = list(map(str, frame.columns))
    same = [table for table in TABLES if list(table.names) == names]
    whole = same or [table for table in TABLES if set(names) <= set(table.names)]
    known = {column.name: column for column in whole[0]} if whole else _OF_SUMMARIES
    return {name: known[name] for name in names if name in known}

"""Evidence columns of removed, held and unreadable rows, written the way the list is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from bounceanalytics.cleaning.cells import cell, plus
from bounceanalytics.schema import ARROW_STRING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from bounceanalytics.cleaning.dialect import Dialect

COLUMNS = ("reason", "code", "date", "evidence", "source", "record", "row")
REMARK = ("why", "row")


class Evidence:
    """Cells that are written behind the rows of a list.

    The last cell is the number of the row; the others come from a verdict or a word.

    Parameters
    ----------
    against : pyarrow.Table
        Columns of ``matching.EVIDENCE``: those that remove or hold.
    dialect : Dialect
        How the list is written.
    """

    def __init__(self, against: pa.Table, dialect: Dialect) -> None:
        self._dialect = dialect
        self._against = against

    def endings(self, numbers: pa.Array) -> pa.Array:
        """Return for each number of a verdict the further cells but the last one."""
        chosen = self._against.take(numbers).combine_chunks()
        dates = pc.strftime(chosen["decided_at"], "%Y-%m-%d", locale="C").cast(ARROW_STRING)
        cells = (
            chosen["reason"],
            chosen["code"],
            pc.fill_null(dates, ""),
            chosen["explanation"],
            chosen["source"],
            pc.fill_null(chosen["record"].cast(ARROW_STRING), ""),
        )
        return self._cells([cell(values.combine_chunks()) for values in cells])

    def remarks(self, words: pa.Array) -> pa.Array:
        """Return for each word the further cells but the last one."""
        return self._cells([cell(words)])

    def rows(self, numbers: NDArray[np.int64]) -> pa.Array:
        """Return for each number of a row the last cell and the line end."""
        dialect = self._dialect
        return dialect.encoded(
            plus(dialect.delimiter, pa.array(numbers).cast(ARROW_STRING), dialect.line_end)
        )

    def header(self, head: bytes, names: Sequence[str] | None = None) -> bytes:
        """Return the list's header with further columns; nothing but its mark where it has no header.

        Parameters
        ----------
        head : bytes
            Mark and header as they stand in the file.
        names : sequence of str, optional
            The further columns; those of the evidence if not given.
        """
        dialect = self._dialect
        if dialect.header is None:
            return head
        taken = {title.strip().lower() for title in dialect.header}
        names = [f"bounce_{name}" if name in taken else name for name in names or COLUMNS]
        bare = head
        for end in (dialect.encode("\n"), dialect.encode("\r")):
            bare = bare.removesuffix(end)
        return bare + dialect.encode("".join(dialect.delimiter + name for name in names) + dialect.line_end)

    def padding(self, missing: NDArray[np.int32]) -> pa.Array:
        """Return the delimiters that rows are short of, so that the further cells stand in their columns."""
        most = int(missing.max(initial=0))
        choices = pa.array(
            [self._dialect.encode(self._dialect.delimiter * count) for count in range(most + 1)]
        )
        return choices.cast(pa.large_binary()).take(pa.array(missing))

    def _cells(self, cells: Sequence[pa.Array]) -> pa.Array:
        """Return the cells with a delimiter before each, as they are written in this list."""
        line = plus("", *(part for values in cells for part in (self._dialect.delimiter, values)))
        return self._dialect.encoded(line)

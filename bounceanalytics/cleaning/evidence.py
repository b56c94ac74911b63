"""The columns that removed, held and unreadable rows get, written the way the list is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from bounceanalytics.cleaning.cells import TEXT, cell, plus, text_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from bounceanalytics.cleaning.lists import Dialect

COLUMNS = ("reason", "code", "date", "evidence", "source", "record")


class Evidence:
    """What is written behind the rows of a list.

    Parameters
    ----------
    verdicts : pandas.DataFrame
        Those that remove or hold, as :func:`bounceanalytics.decide` returns them.
    dialect : Dialect
        How the list is written.

    Attributes
    ----------
    endings : pyarrow.Array of large_binary
        For each verdict, the further cells and the line end.
    """

    def __init__(self, verdicts: pd.DataFrame, dialect: Dialect) -> None:
        self._dialect = dialect
        times = pa.array(verdicts["decided_at"], pa.timestamp("us", tz="UTC"))
        cells = (
            text_of(verdicts["reason"]),
            text_of(verdicts["code"]),
            pc.fill_null(pc.strftime(times, "%Y-%m-%d", locale="C").cast(TEXT), ""),
            text_of(verdicts["explanation"]),
            text_of(verdicts["source"]),
            pa.array(verdicts["record"], pa.int64()).cast(TEXT),
        )
        self.endings = self._ending([cell(values) for values in cells])

    def remarks(self, words: Sequence[str]) -> pa.Array:
        """Return for each word the further cell and the line end."""
        return self._ending([cell(pa.array(words, TEXT))])

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

    def _ending(self, cells: Sequence[pa.Array]) -> Any:
        line = plus(
            "", *(part for cell in cells for part in (self._dialect.delimiter, cell)), self._dialect.line_end
        )
        plain = self._dialect.unit.itemsize == 1 and pc.all(pc.string_is_ascii(line), min_count=0).as_py()
        if plain or self._dialect.encoding == "utf-8":
            return line.cast(pa.large_binary())
        return pa.array(  # lists in UTF-16, and remarks that are not ASCII in cp1252, are rare
            [self._dialect.encode(text) for text in line.to_pylist()],
            pa.large_binary(),
        )

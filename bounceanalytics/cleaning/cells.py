"""Columns of text as cells of a CSV file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bounceanalytics.addresses import column_text
from bounceanalytics.schema import ARROW_STRING
from bounceanalytics.spreadsheets import no_formulas

if TYPE_CHECKING:
    import pandas as pd

_QUOTED = r'[",;\t|\r\n]'


def text_of(values: pd.Series) -> pa.Array:
    """Return a column as text; missing becomes empty."""
    return pc.fill_null(column_text(values), "")


def cell(texts: pa.Array) -> pa.Array:
    """Return texts as cells of a file that people open: no formulas, and quotes where they are needed."""
    texts = no_formulas(texts)
    quoted = plus('"', pc.replace_substring(texts, '"', '""'), '"')
    return pc.if_else(pc.match_substring_regex(texts, _QUOTED), quoted, texts)


def plus(*parts: Any) -> pa.Array:
    """Join texts, element by element; missing where one of them is."""
    scalars = [pa.scalar(part, ARROW_STRING) if isinstance(part, str) else part for part in parts]
    return pc.binary_join_element_wise(*scalars, pa.scalar("", ARROW_STRING))


def joined(texts: pa.Array) -> memoryview:
    """Return the bytes of all texts, one after another; none may be missing."""
    if isinstance(texts, pa.ChunkedArray):
        texts = texts.combine_chunks()
    if not len(texts) or texts.buffers()[2] is None:
        return memoryview(b"")
    offsets = np.frombuffer(texts.buffers()[1], dtype=np.int64)[texts.offset : texts.offset + len(texts) + 1]
    return memoryview(texts.buffers()[2])[int(offsets[0]) : int(offsets[-1])]

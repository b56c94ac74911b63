"""Tables that are safe to open in a spreadsheet: no text of somebody else's becomes a formula there.

Made for people are what the command line writes as CSV, the columns that cleaning adds to rows, and what ``table``
shows. Made for machines, and therefore exact, are the rows of a list, what an ESP imports, the distinct rows of a
warehouse that are joined again, and Parquet. A workbook of Excel says itself of each cell that it is a text.
"""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from bounceanalytics.addresses import column_text, text_array

# A cell that begins so is a formula to a spreadsheet, which passes over blanks before it and takes signs in full width
# for their plain twins; and these texts come from servers and files of others.
_BEGINNING = (
    r"(?:[\t\r\n]|[\pZ\p{Cc}\p{Cf}]*[=+\-@\x{ff1d}\x{ff0b}\x{ff0d}\x{ff20}\x{fe66}\x{fe62}\x{fe63}\x{fe6b}])"
)
_FORMULA = rf"^{_BEGINNING}"

#: How a text begins that :func:`no_formulas` has changed; RE2.
MARKED = rf"^'({_BEGINNING})"


def no_formulas(texts: pa.Array) -> pa.Array:
    """Return texts of which a spreadsheet takes none for a formula: an apostrophe stands before what would be one.

    Examples
    --------
    >>> no_formulas(pa.array(["=1+1", " +1", "550 no"], pa.large_string())).to_pylist()
    ["'=1+1", "' +1", '550 no']
    """
    apostrophe, nothing = (pa.scalar(text, pa.large_string()) for text in ("'", ""))
    marked = pc.binary_join_element_wise(apostrophe, texts, nothing)
    return pc.if_else(pc.match_substring_regex(texts, _FORMULA), marked, texts)


def no_formulas_in(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame with :func:`no_formulas` in all its columns of texts, and in their names."""
    safe = frame.rename(
        columns=lambda name: no_formulas(text_array([name]))[0].as_py() if isinstance(name, str) else name
    )
    for place, values in enumerate(frame.items()):
        if pd.api.types.is_numeric_dtype(values[1]) or pd.api.types.is_datetime64_any_dtype(values[1]):
            continue
        texts = column_text(values[1])
        if pc.any(pc.match_substring_regex(texts, _FORMULA)).as_py():
            safe.isetitem(place, no_formulas(texts).to_pandas().set_axis(frame.index))
    return safe

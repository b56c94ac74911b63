"""Tables of what verdicts depend on, as warehouses give them: the distinct rows, without what tells the events apart.

They are told by their columns, whatever the case and the order of these, and read in pieces, as large as they may be.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from bounceanalytics.errors import FormatError
from bounceanalytics.loading import stored
from bounceanalytics.opening.archives import DAMAGED, MAGIC_SIZE, kind_of, read_up_to
from bounceanalytics.opening.csv import titles
from bounceanalytics.opening.sources import open_sources
from bounceanalytics.opening.text import BOM, decoded
from bounceanalytics.privacy import shown
from bounceanalytics.schema import EVENT_COLUMNS, EVENTS, PROVIDERS, VERDICT_INPUTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bounceanalytics.opening.places import Given
    from bounceanalytics.opening.sources import Source

ROWS = 250_000  # of a piece
_BLOCK = 16 * 1024**2  # bytes of CSV at a time
_OURS = 5  # of its columns by which a table is known, though others are missing
_WORDS = {"event": EVENTS, "provider": PROVIDERS}
_UNREADABLE: tuple[type[Exception], ...] = (FormatError, *DAMAGED)
_BROKEN: tuple[type[Exception], ...] = (pa.ArrowException, OSError, *DAMAGED)
_MOST_CODE = np.iinfo(np.int16).max


@dataclass(frozen=True, slots=True)
class InputTable:
    """A table of what verdicts depend on, and whatever else it holds beside that.

    Attributes
    ----------
    source : Source
    columns : tuple of str
        Titles of all columns.
    delimiter : str
        Of the cells of its text; empty for Parquet.
    """

    source: Source
    columns: tuple[str, ...]
    delimiter: str = ""

    def pieces(self) -> Iterator[pa.Table]:
        """Yield the rows in their order, as they stand; of a text, all are texts, and what is empty is missing.

        Raises
        ------
        FormatError
            If the file is damaged.
        """
        try:
            yield from self._texts() if self.delimiter else self._stored()
        except _BROKEN:
            raise FormatError(f"{shown(self.source.name)} is damaged; export it again") from None

    def events(self, piece: pa.Table) -> pd.DataFrame:
        """Return what verdicts depend on of a piece, with the names and types of an event frame.

        Raises
        ------
        FormatError
            If an event or a provider is none that an event frame has.
        """
        place = {title.strip().lower(): number for number, title in enumerate(self.columns)}
        frame = pd.DataFrame({name: _typed(name, piece.column(place[name])) for name in VERDICT_INPUTS.names})
        for name, words in _WORDS.items():
            wrong = int(frame[name].isna().sum())
            if wrong:
                raise FormatError(
                    f"{shown(self.source.name)} has {wrong:,} rows whose {name} is none of {', '.join(words)};"
                    " export rows of an event frame, as `bounceanalytics convert` writes it"
                )
        return VERDICT_INPUTS.frame(frame)

    def _stored(self) -> Iterator[pa.Table]:
        with pa.OSFile(self.source.path) as opened:
            file = pa.parquet.ParquetFile(opened)
            yield file.schema_arrow.empty_table()  # of a table without rows, all that there is
            for batch in file.iter_batches(ROWS):
                yield pa.Table.from_batches([batch])

    def _texts(self) -> Iterator[pa.Table]:
        with self.source.open() as stream:
            reader = pa.csv.open_csv(
                stream,
                read_options=pa.csv.ReadOptions(block_size=_BLOCK),
                parse_options=pa.csv.ParseOptions(delimiter=self.delimiter, newlines_in_values=True),
                convert_options=pa.csv.ConvertOptions(
                    column_types=dict.fromkeys(self.columns, pa.string()),
                    null_values=[""],
                    strings_can_be_null=True,
                    quoted_strings_can_be_null=False,
                ),
            )
            yield reader.schema.empty_table()
            for batch in reader:
                yield pa.Table.from_batches([batch])


def input_tables(given: Sequence[Given], folder: str) -> list[InputTable]:
    """Return the tables of what verdicts depend on that files hold; none if they hold something else.

    Parameters
    ----------
    given : sequence of Given
        The first one tells what they are.
    folder : str
        A temporary folder for what is packed.

    Raises
    ------
    FormatError
        If a column is missing, or not all of the files are such tables.
    """
    # what programs write beside their tables begins so, such as _SUCCESS
    given = [one for one in given if one.alone or not one.path.name.startswith(("_", "."))]
    if not given or given[0].problem or _packed(given[0]):
        return []
    first = _table(open_sources([given[0]], folder)[0])
    if first is None:
        return []
    tables = [first]
    for source in open_sources(given[1:], folder) if given[1:] else []:
        table = _table(source)
        if table is None or table.columns != first.columns:
            raise FormatError(
                f"{shown(source.name)} has not the columns of {shown(first.source.name)};"
                " classify tables of what verdicts depend on together that are parts of one export"
            )
        tables.append(table)
    return tables


def _packed(given: Given) -> bool:
    """Return whether it would have to be unpacked to be looked at, which no table of a warehouse has to."""
    with given.path.open("rb") as stream:
        head = read_up_to(stream, MAGIC_SIZE)
    return kind_of(head, given.path.stat().st_size, given.name) not in {"", "gzip", "zstd"}


def _table(source: Source) -> InputTable | None:
    if source.problem:
        return None
    try:
        head = source.head()
        layout = stored.layout_of(source, head)
        found = [("", stored.columns_of(source.path, layout))] if layout == "parquet" else _cut(head)
    except _UNREADABLE:
        return None  # what reads it next says why
    for delimiter, columns in found:
        there = [title.strip().lower() for title in columns]
        missing = [name for name in VERDICT_INPUTS.names if name not in there]
        if "recipient" in there or len(VERDICT_INPUTS.names) - len(missing) < _OURS:
            continue
        _refuse_columns(source, there, missing)
        return InputTable(source, tuple(columns), delimiter)
    return None


def _cut(head: bytes) -> list[tuple[str, list[str]]]:
    lines = decoded(head.removeprefix(BOM)).splitlines()
    return list(titles(lines[0]).items()) if lines else []


def _refuse_columns(source: Source, there: list[str], missing: list[str]) -> None:
    """Raise where a column is not there, or there twice."""
    if missing:
        raise FormatError(
            f"{shown(source.name)} lacks the columns {', '.join(missing)}, on which verdicts depend;"
            f" export {', '.join(VERDICT_INPUTS.names)}"
        )
    twice = sorted({name for name in there if there.count(name) > 1})
    if twice:
        raise FormatError(f"{shown(source.name)} has the columns {', '.join(twice)} twice; export each once")


def _typed(name: str, values: pa.ChunkedArray) -> Any:
    """Return a column of a warehouse as one of an event frame; numbers may be of any width, or texts."""
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    if pa.types.is_decimal(values.type):  # as Snowflake has all of its numbers
        values = values.cast(pa.float64())
    if EVENT_COLUMNS[name].kind == "Int16":
        numbers = pd.to_numeric(values.to_pandas(), errors="coerce").astype("float64")
        return numbers.where(numbers.abs() <= _MOST_CODE).round().astype("Int16")
    texts = values.cast(pa.large_string()).to_pandas(
        types_mapper={pa.large_string(): EVENT_COLUMNS["domain"].dtype}.get
    )
    words = _WORDS.get(name)
    return texts if words is None else pd.Categorical(texts.where(texts.isin(words)), words)

"""Output files of a cleaning, and the place of each row in them."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

from bounceanalytics.addresses import domain_of
from bounceanalytics.cleaning.cells import joined
from bounceanalytics.cleaning.evidence import REMARK, Evidence
from bounceanalytics.cleaning.records import binary, slices
from bounceanalytics.cleaning.result import (
    FILES,
    HELD,
    KEPT,
    PARTS,
    REMOVED,
    UNREADABLE,
    count_reasons,
    reason_frame,
)
from bounceanalytics.files import SummedFile
from bounceanalytics.schema import ARROW_STRING, ARROW_TIME

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray

    from bounceanalytics.cleaning.dialect import Dialect
    from bounceanalytics.cleaning.records import Records

    Int64s = NDArray[np.int64]

#: ``rows.parquet``: a line for each row that is not kept, in the order of the list. Together with the files of the
#: parts it gives back the list.
ROWS = pa.schema(
    [
        pa.field("row", pa.int64(), nullable=False),  # number in the list, from 1
        pa.field("part", pa.int8(), nullable=False),  # its place in PARTS
        pa.field("offset", pa.int64(), nullable=False),  # bytes of the list before it
        pa.field("bytes", pa.int64(), nullable=False),  # its bytes in the list
        pa.field("content", pa.int64(), nullable=False),  # the same without its line end
        pa.field("line_end", pa.int8(), nullable=False),  # its kind, see Dialect.kinds_of_ends
        pa.field("written", pa.int64(), nullable=False),  # its bytes in the file of its part
        pa.field("domain", pa.large_string()),
        pa.field("reason", pa.dictionary(pa.int32(), pa.large_string())),
        pa.field("code", pa.dictionary(pa.int32(), pa.large_string())),
        pa.field("decided_at", ARROW_TIME),
    ]
)
_DICTIONARIES = ["part", "reason", "code", "domain"]
_NOTHING = pa.scalar(b"", pa.large_binary())

#: Why rows are removed whose people can be told: their mailbox may be well, and nobody there knows that mail is lost.
_TO_CONTACT = "system_full"


class Parts:
    """Writes the rows of a list to their parts, block by block.

    Parameters
    ----------
    folder : Path
    dialect : Dialect
        How the list is written.
    head : bytes
        Its mark and header.
    against : pyarrow.Table
        Columns of ``matching.EVIDENCE``.

    Attributes
    ----------
    rows : numpy.ndarray of int64
        Rows written to each part so far.
    read : int
        Bytes of the list that they take, its head included.
    """

    def __init__(self, folder: Path, dialect: Dialect, head: bytes, against: pa.Table) -> None:
        self._dialect = dialect
        self._evidence = evidence = Evidence(against, dialect)
        self._against = against.select(["reason", "code", "decided_at"])
        self.rows = np.zeros(len(PARTS), dtype=np.int64)
        self.read = len(head)
        self._head_length = len(head)
        self._kept_bytes = 0
        self._counted: list[pa.Table] = []
        starts = {KEPT: head, UNREADABLE: evidence.header(head, REMARK)}
        with ExitStack() as stack:
            self._files = [stack.enter_context(SummedFile(folder / FILES[part])) for part in PARTS]
            for number, file in enumerate(self._files):
                file.write(starts.get(number, evidence.header(head)))
            self._contact = stack.enter_context(SummedFile(folder / FILES["contact"]))
            self._contact.write(head)
            path = folder / FILES["rows"]
            self._index = stack.enter_context(
                pyarrow.parquet.ParquetWriter(path, ROWS, compression="zstd", use_dictionary=_DICTIONARIES)
            )
            self._open = stack.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def write(
        self,
        records: Records,
        part: NDArray[np.int8],
        evidence: NDArray[np.int32],
        problems: pa.Array,
        addresses: pa.Array,
    ) -> None:
        """Write the records of a block.

        Parameters
        ----------
        records : Records
        part : numpy.ndarray of int8
            Where each goes.
        evidence : numpy.ndarray of int32
            Number of the evidence against each that is removed or held.
        problems, addresses : pyarrow.Array of large_string
            What is wrong with each that is unreadable; addresses in normal form.
        """
        unit = self._dialect.unit.itemsize
        first, start = int(self.rows.sum()), self.read
        self._write_kept(records, part == KEPT)
        self.read += int(records.ends[-1]) * unit
        chosen = np.flatnonzero(part != KEPT)
        if len(chosen):
            part, problems = part[chosen], problems.take(pa.array(chosen))
            speaks = pa.array(evidence[chosen], mask=part == UNREADABLE)
            verdict = self._against.take(speaks).combine_chunks()
            numbers = first + 1 + chosen
            written = self._write_others(records, chosen, part, numbers, speaks, problems)
            told = pc.fill_null(pc.equal(verdict["reason"], _TO_CONTACT), False).to_numpy(
                zero_copy_only=False
            )
            if (told := told & (part == REMOVED)).any():
                self._contact.write(_whole(records, np.isin(np.arange(len(records)), chosen[told])))
            self._write_index(
                row=numbers,
                part=part,
                offset=start + records.starts[chosen] * unit,
                bytes=(records.ends - records.starts)[chosen] * unit,
                content=(records.stops - records.starts)[chosen] * unit,
                line_end=self._dialect.kinds_of_ends(records)[chosen],
                written=written,
                domain=pc.if_else(
                    pa.array(part == UNREADABLE), None, domain_of(addresses.take(pa.array(chosen)))
                ),
                reason=pc.coalesce(verdict["reason"].combine_chunks(), problems),
                code=verdict["code"].combine_chunks(),
                decided_at=verdict["decided_at"].combine_chunks(),
            )
        self.rows += np.bincount(part, minlength=len(PARTS)) if len(chosen) else 0
        self.rows[KEPT] += len(records) - len(chosen)

    def reasons(self) -> pd.DataFrame:
        """Return columns ``part``, ``reason`` and ``rows``: why rows are not kept."""
        return reason_frame(self._counted)

    def complete(self, content_bytes: int) -> bool:
        """Return whether the rows account for every byte of the list, and for every byte that was kept."""
        kept = self._files[KEPT].bytes
        return self.read == content_bytes and kept == self._head_length + self._kept_bytes

    def checksums(self) -> dict[str, Mapping[str, object]]:
        """Return for each part the name, size, checksum and rows of its file."""
        return {
            part: {"name": FILES[part], "bytes": file.bytes, "sha256": file.sha256, "rows": int(rows)}
            for part, file, rows in zip(PARTS, self._files, self.rows, strict=True)
        }

    def _write_kept(self, records: Records, keep: NDArray[np.bool_]) -> None:
        if keep.all():
            self._files[KEPT].write(records.units[: int(records.ends[-1])].tobytes())
        else:
            self._files[KEPT].write(_whole(records, keep))
        lengths = (records.ends - records.starts)[keep]
        self._kept_bytes += int(lengths.sum()) * self._dialect.unit.itemsize

    def _write_others(
        self,
        records: Records,
        chosen: Int64s,
        part: NDArray[np.int8],
        numbers: Int64s,
        speaks: pa.Array,
        problems: pa.Array,
    ) -> Int64s:
        """Write rows with what is to stand behind them; return the bytes of each."""
        content = binary(slices(records.units, records.starts[chosen], records.stops[chosen]))
        missing = np.maximum(self._dialect.columns - records.cells[chosen], 0)
        tail = self._evidence.rows(numbers)
        written = np.zeros(len(chosen), dtype=np.int64)
        for number in (REMOVED, HELD, UNREADABLE):
            where = np.flatnonzero(part == number)
            if not len(where):
                continue
            places = pa.array(where)
            if number == UNREADABLE:
                words = problems.take(places).dictionary_encode()
                ends = self._evidence.remarks(words.dictionary).take(words.indices)
            else:
                ends = self._evidence.endings(speaks.take(places))
            lines = pc.binary_join_element_wise(
                content.take(places),
                self._evidence.padding(missing[where]),
                ends,
                tail.take(places),
                _NOTHING,
            )
            self._files[number].write(joined(lines))
            written[where] = pc.binary_length(lines).to_numpy()
        return written

    def _write_index(self, **columns: Any) -> None:
        for name in ("reason", "code"):
            columns[name] = columns[name].cast(ARROW_STRING).dictionary_encode()
        table = pa.table([pa.array(columns[name]) for name in ROWS.names], schema=ROWS)
        self._index.write_table(table)
        self._counted.append(count_reasons(table))


def _whole(records: Records, chosen: NDArray[np.bool_]) -> memoryview:
    """Return some records as they stand in the list, with their line ends."""
    ends = int(records.ends[-1])
    pieces = binary((records.units[:ends], np.append(records.starts, ends)))
    return joined(pieces.filter(pa.array(chosen)))

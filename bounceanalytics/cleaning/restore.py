"""Restoring rows that a run took out of a mailing list, exactly as they were."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import IO, TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

from bounceanalytics import schema
from bounceanalytics.addresses import domain_of, normal_form, problem, text_array
from bounceanalytics.cleaning.cells import joined
from bounceanalytics.cleaning.manifest import Run, open_run
from bounceanalytics.cleaning.records import binary, slices
from bounceanalytics.cleaning.result import (
    FILES,
    KEPT,
    PARTS,
    Cleaning,
    count_reasons,
    html_table,
    reason_frame,
    reason_lines,
)
from bounceanalytics.clocks import AmbiguousTimeError, moment
from bounceanalytics.errors import BounceAnalyticsError, FormatError, OutputError
from bounceanalytics.files import SummedFile, is_same, path_of, refuse_existing, whole_file
from bounceanalytics.privacy import discreet
from bounceanalytics.schema import ARROW_STRING, ARROW_TIME

if TYPE_CHECKING:
    import os
    from collections.abc import Collection, Iterator, Sequence
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray

    Moment = str | date | datetime

_LINES = 64 * 1024  # rows that are given back at a time
_BYTES = 32 * 1024 * 1024  # kept rows that are copied at a time
_NOTHING = pa.scalar(b"", pa.large_binary())


@dataclass(frozen=True)
class Restored:
    """Rows that were given back; prints as a table.

    Attributes
    ----------
    path : Path
        The file.
    rows : dict of str to int
        Rows of the ``output``, and those that came from each part.
    reasons : pandas.DataFrame
        Columns ``part``, ``reason``, ``rows``: why the rows that were given back had been taken out.

    Examples
    --------
    >>> import tempfile
    >>> import bounceanalytics as ba
    >>> bounces = ba.classify(ba.load(ba.samples() / "exports" / "ses").events)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     run = ba.clean(ba.samples() / "list.csv", bounces, folder + "/cleaned")
    ...     restored = ba.restore(run, folder + "/list.csv")
    >>> restored.rows["output"] == run.rows["input"]
    True
    """

    path: Path
    rows: dict[str, int]
    reasons: pd.DataFrame = field(repr=False)

    def _lines(self) -> list[tuple[str, str]]:
        lines = [(part, f"{self.rows[part]:,}") for part in PARTS]
        return [*lines, ("= output", f"{self.rows['output']:,}")]

    def __repr__(self) -> str:
        width = max(len(count) for _, count in self._lines())
        lines = [f"{part:<10}  {count:>{width}}" for part, count in self._lines()]
        return discreet("\n".join([f"{lines[-1]}  in {self.path}", *lines[:-1], *reason_lines(self.reasons)]))

    def _repr_html_(self) -> str:
        rows = [(part, count, "") for part, count in self._lines()]
        rows[-1] = (*rows[-1][:2], f"in {self.path}")
        return html_table(("from", "rows", "file"), rows, reason_lines(self.reasons))


@dataclass(frozen=True, slots=True)
class _Filter:
    """Filter of the rows to give back; None where it does not matter."""

    parts: tuple[int, ...]
    domains: pa.Array | None
    reasons: pa.Array | None
    between: tuple[datetime, datetime] | None

    def everything(self) -> bool:
        return len(self.parts) == len(PARTS) - 1 and self.domains is self.reasons is self.between is None

    def __call__(self, lines: pa.Table) -> NDArray[np.bool_]:
        mask = pc.is_in(lines["part"], pa.array(self.parts, pa.int8()))
        if self.domains is not None:
            mask = pc.and_(mask, pc.is_in(lines["domain"], self.domains))
        if self.reasons is not None:
            mask = pc.and_(mask, pc.is_in(lines["reason"].cast(ARROW_STRING), self.reasons))
        if self.between is not None:
            first, end = (pa.scalar(moment, ARROW_TIME) for moment in self.between)
            times = lines["decided_at"]
            mask = pc.and_(mask, pc.and_(pc.greater_equal(times, first), pc.less(times, end)))
        chosen: NDArray[np.bool_] = pc.fill_null(mask, False).to_numpy()
        return chosen


def restore(
    run: Cleaning | str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    domain: str | Sequence[str] | None = None,
    between: tuple[Moment, Moment] | None = None,
    reason: str | Sequence[str] | None = None,
    parts: Sequence[str] = ("removed", "held", "unreadable"),
    only: bool = False,
    overwrite: bool = False,
) -> Restored:
    r"""Give back rows that a run took out, in their places and byte for byte as they were.

    Parameters
    ----------
    run : Cleaning or path
        A result of :func:`bounceanalytics.clean`, or its folder. The list itself is not needed.
    out : path
        The file to write: a list as ``clean`` read it, with its header, delimiter, encoding and line ends. Of a list
        that was packed it is the unpacked text, of a workbook the sheet as CSV.
    domain : str or sequence of str, optional
        Give back only addresses at these domains.
    between : tuple of two dates or times, optional
        Give back only rows whose deciding event lies between the two: from the first one up to, not including, the
        second one. A date stands for its whole day, so that ``("2026-09-01", "2026-09-30")`` is all of September. UTC.
    reason : str or sequence of str, optional
        Give back only rows that were taken out for these reasons; of unreadable rows, what was wrong with them.
    parts : sequence of str, default ("removed", "held", "unreadable")
        Give back only rows of these parts.
    only : bool, default False
        Leave out the kept rows.
    overwrite : bool, default False
        Whether to replace the file if it is there.

    Returns
    -------
    Restored
        Prints as a table: how many rows came from which part, and for which reasons they had been taken out.

    Raises
    ------
    SourceError
        If there is no run, or a file of it is missing.
    FormatError
        If a file of the run was changed, another version wrote it, or what is asked for makes no sense.
    OutputError
        If the file is there already, or cannot be written.

    See Also
    --------
    clean : What is undone here.
    diff : What changed between two runs.

    Notes
    -----
    Without any filter, the file equals the list byte for byte, which is checked by its SHA-256.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from bounceanalytics import schema
    >>> from bounceanalytics.cleaning import clean
    >>> nothing = schema.BOUNCE_COLUMNS.empty()
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     run = clean(b"email\r\nann@example.com\r\nnobody\r\n", nothing, Path(folder) / "cleaned")
    ...     restored = restore(run, Path(folder) / "list.csv")
    ...     print(restored.rows["unreadable"], restored.path.read_bytes())
    1 b'email\r\nann@example.com\r\nnobody\r\n'
    """
    path = path_of(out, OutputError)
    wanted = _Filter(
        _part_numbers(parts),
        None if domain is None else _domains(_texts(domain)),
        None if reason is None else text_array(_texts(reason)),
        None if between is None else _interval(between),
    )
    folder = run.folder if isinstance(run, Cleaning) else path_of(run)
    if any(is_same(path, folder / name) for name in FILES.values()):
        raise OutputError(f"{path} is a file of the run itself; write to another one")
    refuse_existing([path], overwrite=overwrite)
    checked = open_run(run)
    if reason is not None:
        _check_reasons(_texts(reason), checked)
    with whole_file(path, overwrite=overwrite) as part:
        counts = _write(checked, part, wanted, only=only)
    given = {part: int(counts.loc[counts["part"] == part, "rows"].sum()) for part in PARTS}
    given["kept"] = 0 if only else checked.manifest["rows"]["kept"]
    return Restored(path, {"output": sum(given.values())} | given, counts)


def _texts(value: str | Sequence[str]) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def _domains(names: Sequence[str]) -> pa.Array:
    """Return domains in normal form."""
    addresses = normal_form(text_array(f"x@{name.strip().removeprefix('@')}" for name in names))
    wrong = len(addresses) - problem(addresses).null_count
    if wrong:  # they may be addresses, and are not repeated here
        raise FormatError(
            f"{wrong:,} of {len(names):,} domains cannot be one; write what stands after the @, like 'example.com'"
        )
    return domain_of(addresses)


def _part_numbers(parts: Sequence[str]) -> tuple[int, ...]:
    names = list(PARTS)
    asked = _texts(parts)
    unknown = [part for part in asked if part not in names or part == "kept"]
    if unknown:
        raise FormatError(
            f"there is no part {', '.join(map(repr, unknown))} to give back; it may be {', '.join(names[1:])}"
        )
    return tuple(sorted({names.index(part) for part in asked}))


def _interval(between: tuple[Moment, Moment]) -> tuple[datetime, datetime]:
    """Return the first moment and the one after the last; a date as the end means the whole day."""
    try:
        first, last = between
        start, until = moment(first).time.to_pydatetime(warn=False), moment(last)
    except AmbiguousTimeError as error:
        raise FormatError(f"between: {error}") from None
    except (TypeError, ValueError):
        raise FormatError(
            f"between is {between!r}, and must be two dates or times such as ('2026-09-01', '2026-09-30')"
        ) from None
    end = until.time.to_pydatetime(warn=False) + timedelta(days=until.whole_day)
    if end <= start:
        raise FormatError(f"between is {between!r}, and ends before it begins")
    return start, end


def _check_reasons(asked: Collection[str], run: Run) -> None:
    there = [entry["reason"] for entry in run.manifest["reasons"]]
    unknown = sorted(set(asked) - set(there) - set(schema.DECISION_REASONS))
    if unknown:
        names = ", ".join(sorted(set(there))) or "none"
        raise FormatError(f"there is no reason {', '.join(map(repr, unknown))}; those of the run are {names}")


def _write(run: Run, path: Path, wanted: _Filter, *, only: bool) -> pd.DataFrame:
    """Write the list with the chosen rows; return how many there are of each part and reason."""
    counted: list[pa.Table] = []
    with ExitStack() as stack:
        target = stack.enter_context(SummedFile(path))
        kept = stack.enter_context(run.file("kept").open("rb"))
        target.write(kept.read(run.head_length))
        for lines, content in _taken_out(run):
            mask = pa.array(wanted(lines))
            chosen, texts = lines.filter(mask), content.filter(mask)
            ends = run.dialect.line_ends(_kinds_of_ends(chosen, run.dialect.unit.itemsize))
            if only:
                target.write(joined(pc.binary_join_element_wise(texts, ends, _NOTHING)))
            else:
                _interleave(kept, target, chosen["place"].to_numpy(), texts, ends)
            counted.append(count_reasons(chosen))
        if not only:
            _copy(kept, target, None)
        if wanted.everything() and not only and target.sha256 != run.manifest["input"]["content_sha256"]:
            raise BounceAnalyticsError(
                f"the rows of {run.folder} do not make up the list they came from; no file was written"
            )
    return reason_frame(counted)


def _kinds_of_ends(lines: pa.Table, unit: int) -> NDArray[np.int8]:
    kinds: NDArray[np.int8]
    if "line_end" in lines.column_names:
        kinds = lines["line_end"].to_numpy()
    else:  # a run of an earlier version
        kinds = (pc.subtract(lines["bytes"], lines["content"]).to_numpy() // unit).astype(np.int8)
    return kinds


def _taken_out(run: Run) -> Iterator[tuple[pa.Table, pa.Array]]:
    """Yield lines of ``rows.parquet``, with ``place``, the bytes of ``kept.csv`` before each, and the rows' content."""
    with ExitStack() as stack:
        files: dict[int, IO[bytes]] = {
            number: stack.enter_context(run.file(part).open("rb"))
            for number, part in enumerate(PARTS)
            if number != KEPT
        }
        index = stack.enter_context(pyarrow.parquet.ParquetFile(run.file("rows")))
        written = {part: run.manifest["files"][part]["bytes"] for part in PARTS}
        sizes = index.read(columns=["part", "written"]).group_by("part").aggregate([("written", "sum")])
        rows = dict(zip(sizes["part"].to_pylist(), sizes["written_sum"].to_pylist(), strict=True))
        for number, file in files.items():
            file.seek(written[list(PARTS)[number]] - rows.get(number, 0))  # past mark and header
        before = 0
        for batch in index.iter_batches(_LINES):
            lines = pa.table(batch)
            taken = lines["bytes"].to_numpy()
            places = lines["offset"].to_numpy() - before - np.cumsum(taken) + taken
            before += int(taken.sum())
            yield lines.append_column("place", pa.array(places)), _content(lines, files)


def _content(lines: pa.Table, files: dict[int, IO[bytes]]) -> pa.Array:
    """Return the rows without their line ends and without what was written behind them."""
    part, written = lines["part"].to_numpy(), lines["written"].to_numpy()
    content = lines["content"].to_numpy()
    pieces: list[pa.Array] = []
    order: list[NDArray[np.int64]] = []
    for number, file in files.items():
        where = np.flatnonzero(part == number)
        data = file.read(int(written[where].sum()))
        starts = np.cumsum(written[where]) - written[where]
        units = np.frombuffer(data, dtype=np.uint8)
        pieces.append(binary(slices(units, starts, starts + content[where])))
        order.append(where)
    return pa.concat_arrays(pieces).take(pa.array(np.argsort(np.concatenate(order))))


def _interleave(
    kept: IO[bytes], target: SummedFile, places: NDArray[np.int64], content: pa.Array, ends: pa.Array
) -> None:
    """Write rows at their places among the kept ones."""
    at = 0
    while at < len(places):
        _copy(kept, target, int(places[at]))
        stop = int(np.searchsorted(places, places[at] + _BYTES, side="right"))
        data = kept.read(int(places[stop - 1] - places[at]))
        starts = np.concatenate((places[at : at + 1], places[at:stop])) - places[at]
        between = binary((np.frombuffer(data, dtype=np.uint8), starts))
        size = stop - at
        lines = pc.binary_join_element_wise(between, content.slice(at, size), ends.slice(at, size), _NOTHING)
        target.write(joined(lines))
        at = stop


def _copy(kept: IO[bytes], target: SummedFile, place: int | None) -> None:
    """Copy kept rows up to a place in their file, or to its end."""
    while place is None or kept.tell() < place:
        data = kept.read(_BYTES if place is None else min(_BYTES, place - kept.tell()))
        if not data:
            return
        target.write(data)

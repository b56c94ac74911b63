"""Split a mailing list by the verdicts on its addresses, without touching the rows that are kept."""

from __future__ import annotations

import json
import platform
import time
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from bounceanalytics import schema
from bounceanalytics.cleaning.cells import joined
from bounceanalytics.cleaning.evidence import Evidence
from bounceanalytics.cleaning.files import refuse_existing, whole_files
from bounceanalytics.cleaning.lists import MailingList
from bounceanalytics.cleaning.records import binary, slices
from bounceanalytics.cleaning.result import PARTS, Cleaning
from bounceanalytics.deciding import Policy, decide
from bounceanalytics.deciding.addresses import column_text, normal_form, problem
from bounceanalytics.deciding.database import open_database
from bounceanalytics.errors import BounceAnalyticsError, FrameError, PolicyError, SourceError

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping

    import duckdb
    from numpy.typing import NDArray

KEPT, REMOVED, HELD, UNREADABLE = range(len(PARTS))
_PART_OF = {"keep": KEPT, "remove": REMOVED, "hold": HELD}
FILES: Mapping[str, str] = {part: f"{part}.csv" for part in PARTS} | {"summary": "summary.json"}

_NOTHING = pa.scalar(b"", pa.large_binary())
_SHORT_ROW = "the row ends before the column of addresses"
_NEEDED = ("address", "verdict", "reason", "code", "decided_at", "explanation", "source", "record")
_PACKAGES = ("bounceanalytics", "duckdb", "numpy", "pandas", "pyarrow")


@dataclass(slots=True)
class _Rows:
    """What is known of every row of the list."""

    bytes: NDArray[np.int32]  # length with its line end
    content: NDArray[np.int32]  # length without it
    missing: NDArray[np.int32]  # cells that it is short of
    part: NDArray[np.int8]
    evidence: NDArray[np.int32]  # number of the verdict against it, or of the word for what is wrong


def clean(
    source: str | os.PathLike[str] | bytes,
    bounces: pd.DataFrame,
    out: str | os.PathLike[str],
    *,
    policy: Policy | None = None,
    column: str | int | None = None,
    overwrite: bool = False,
    progress: Callable[[str, int, int], None] | None = None,
) -> Cleaning:
    r"""Split a mailing list into rows to keep, to remove and to hold.

    Parameters
    ----------
    source : path or bytes
        The list, as CSV: comma, semicolon, tab or bar; UTF-8, UTF-16 or cp1252; any line ends; gzipped or not.
    bounces : pandas.DataFrame
        Classified events, or verdicts as :func:`bounceanalytics.decide` returns them.
    out : path
        Folder for the results; made if it is not there.
    policy : Policy, optional
        For classified events; ``Policy.preset("default")`` if not given.
    column : str or int, optional
        Name of the column of addresses, or its position from 0; found by name, then by content, if not given.
    overwrite : bool, default False
        Whether to replace files of an earlier run.
    progress : callable, optional
        Called as ``progress(description, done_bytes, total_bytes)``.

    Returns
    -------
    Cleaning
        Prints as a table. ``kept.csv`` holds rows of the input byte for byte, in their order. ``removed.csv`` and
        ``held.csv`` hold rows with further columns ``reason``, ``code``, ``date`` (UTC), ``evidence``, ``source`` and
        ``record`` (``bounce_`` before a name that the list has already); ``unreadable.csv`` has ``why``.
        ``summary.json`` has all counts, the policy and the input's SHA-256, and no address.

    Raises
    ------
    SourceError
        If the list cannot be read, or changes meanwhile.
    FormatError
        If it is no CSV file, is empty, or no column can be told to hold addresses.
    FrameError
        If ``bounces`` is neither of the two frames.
    OutputError
        If files are there already, or cannot be written.
    PolicyError
        If a policy is given for verdicts that were made already.

    Notes
    -----
    All files appear together, whole, or not at all. Memory does not grow with the size of the file but with its number
    of rows, by some 200 bytes each.

    References
    ----------
    RFC 4180 (CSV).

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from bounceanalytics import schema
    >>> nothing = schema.empty((*schema.EVENT_COLUMNS, *schema.VERDICT_COLUMNS))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     clean(b"email\nann@example.com\n", nothing, Path(folder) / "cleaned").rows["kept"]
    1
    """
    began = time.perf_counter()
    folder = Path(out)
    mailing_list = MailingList(source, column, progress)
    refuse_existing((folder / name for name in FILES.values()), overwrite=overwrite, source=mailing_list.path)
    verdicts = _verdicts(bounces, policy)
    against = verdicts.loc[verdicts["verdict"].astype("str") != "keep"].reset_index(drop=True)
    before = mailing_list.state()
    with open_database() as database:
        evidence = Evidence(against, mailing_list.dialect)
        rows, words, duplicates, without_events = _sort_rows(database, mailing_list, verdicts)
        counts = _counts(rows)
        reasons = _reasons(rows, against, words)
        used: dict[str, object] = verdicts.attrs.get("policy", {})
        result = Cleaning(
            folder,
            {part: folder / name for part, name in FILES.items()},
            counts,
            reasons,
            duplicates,
            without_events,
            used,
        )
        with whole_files(folder, last=FILES["summary"]) as part_folder:
            _write(part_folder, mailing_list, rows, evidence, words)
            size, digest = mailing_list.fingerprint()
            if mailing_list.state() != before:
                raise SourceError(f"{mailing_list.name} changed while it was read; run this again")
            summary = _summary(result, mailing_list, size, digest, time.perf_counter() - began)
            (part_folder / FILES["summary"]).write_text(summary, encoding="utf-8")
    return result


def _verdicts(bounces: pd.DataFrame, policy: Policy | None) -> pd.DataFrame:
    if not (isinstance(bounces, pd.DataFrame) and {"address", "verdict"} <= set(bounces.columns)):
        return decide(bounces, policy)
    if policy is not None:
        raise PolicyError("the frame holds verdicts already; leave policy out, or give the classified frame")
    schema.require(bounces, _NEEDED, "a frame of verdicts")
    unknown = set(bounces["verdict"].astype("str").unique()) - set(schema.VERDICTS)
    if unknown:
        raise FrameError(
            f"verdict holds {', '.join(map(repr, sorted(unknown)))}; it may be {', '.join(schema.VERDICTS)}"
        )
    addresses = normal_form(column_text(bounces["address"]))
    repeated = len(addresses) - pc.count_distinct(addresses, mode="all").as_py()
    if repeated:
        raise FrameError(f"{repeated:,} addresses have more than one verdict; keep one row for each")
    try:  # a frame that was edited elsewhere and read back has its times as text
        times = pd.to_datetime(bounces["decided_at"], utc=True, format="ISO8601").astype(
            "datetime64[us, UTC]"
        )
        numbers = bounces["record"].astype("Int64")
    except (TypeError, ValueError) as error:
        raise FrameError(
            "decided_at must hold times and record whole numbers, as decide() makes them"
        ) from error
    fresh = bounces.assign(decided_at=times, record=numbers).reset_index(drop=True)
    return fresh.assign(address=addresses.to_pandas())


def _sort_rows(
    database: duckdb.DuckDBPyConnection, mailing_list: MailingList, verdicts: pd.DataFrame
) -> tuple[_Rows, list[str], int, int]:
    """Read the list once: where its rows lie, and which part each belongs to."""
    dialect = mailing_list.dialect
    database.execute("CREATE TEMP TABLE list (row INTEGER, address VARCHAR)")
    gathered: list[tuple[NDArray[Any], ...]] = []
    words: dict[str, int] = {}
    count = 0
    for records in mailing_list.blocks():
        cells = records.cell(dialect.address, dialect.encoding)
        addresses = normal_form(cells)
        problems = pc.if_else(pc.is_null(cells), _SHORT_ROW, problem(addresses))
        codes = problems.dictionary_encode()
        known = np.array(
            [words.setdefault(word, len(words)) for word in codes.dictionary.to_pylist()], dtype=np.int32
        )
        numbers = pc.fill_null(codes.indices, -1).to_numpy(zero_copy_only=False)
        wrong = np.append(known, -1)[numbers].astype(np.int32)
        good = wrong < 0
        places = np.arange(count, count + len(records), dtype=np.int32)
        chunk = pa.table({"row": places[good], "address": addresses.filter(pa.array(good))})
        database.register("chunk", chunk)
        database.execute("INSERT INTO list FROM chunk")
        database.unregister("chunk")
        unit = dialect.unit.itemsize
        gathered.append(
            (
                ((records.ends - records.starts) * unit).astype(np.int32),
                ((records.stops - records.starts) * unit).astype(np.int32),
                np.maximum(dialect.columns - records.cells, 0).astype(np.int32),
                np.where(good, KEPT, UNREADABLE).astype(np.int8),
                wrong,
            )
        )
        count += len(records)
    empty = tuple(np.zeros(0, dtype) for dtype in (np.int32, np.int32, np.int32, np.int8, np.int32))
    rows = _Rows(*(np.concatenate(columns) for columns in zip(empty, *gathered, strict=True)))
    without_events = _match(database, rows, verdicts)
    ((duplicates,),) = database.sql("SELECT count(*) - count(DISTINCT address) FROM list").fetchall()
    return rows, list(words), int(duplicates), without_events


def _match(database: duckdb.DuckDBPyConnection, rows: _Rows, verdicts: pd.DataFrame) -> int:
    """Give rows the part and the evidence of their verdict; return how many readable rows have none."""
    parts = verdicts["verdict"].astype("str").map(_PART_OF).to_numpy(dtype=np.int8)
    table = pa.table(
        {
            "address": column_text(verdicts["address"]),
            "number": np.arange(len(verdicts), dtype=np.int32),
        }
    )
    against = np.cumsum(parts != KEPT, dtype=np.int32) - 1
    database.register("verdicts", table)
    matched = database.sql("SELECT row, number FROM list JOIN verdicts USING (address)").fetchnumpy()
    database.unregister("verdicts")
    where, numbers = np.asarray(matched["row"]), np.asarray(matched["number"])
    rows.part[where] = parts[numbers]
    rows.evidence[where] = against[numbers]
    return int((rows.part != UNREADABLE).sum()) - len(where)


def _counts(rows: _Rows) -> dict[str, int]:
    numbers = np.bincount(rows.part, minlength=len(PARTS)).tolist()
    return {"input": len(rows.part)} | dict(zip(PARTS, numbers, strict=True))


def _reasons(rows: _Rows, against: pd.DataFrame, words: list[str]) -> pd.DataFrame:
    """Count why rows are not kept."""
    reasons = against["reason"].astype("str").fillna("").to_numpy(dtype=object)
    counted: list[pd.DataFrame] = []
    for part, number in zip(PARTS, range(len(PARTS)), strict=True):
        if number == KEPT:
            continue
        of_part = rows.evidence[rows.part == number]
        names = np.array(words, dtype=object) if number == UNREADABLE else reasons
        counts = pd.Series(np.bincount(of_part, minlength=len(names)), dtype="int64").groupby(names).sum()
        counts = counts[counts > 0].sort_values(ascending=False, kind="stable")
        counted.append(
            pd.DataFrame({"part": part, "reason": counts.index.astype("str"), "rows": counts.to_numpy()})
        )
    return pd.concat(counted, ignore_index=True)


def _write(
    folder: Path, mailing_list: MailingList, rows: _Rows, evidence: Evidence, words: list[str]
) -> None:
    """Read the list again and write every row into its part; check that all of it arrived."""
    head = mailing_list.head()
    written = np.zeros(len(PARTS), dtype=np.int64)
    endings = {REMOVED: evidence.endings, HELD: evidence.endings, UNREADABLE: evidence.remarks(words)}
    with ExitStack() as stack:
        files: list[IO[bytes]] = [stack.enter_context((folder / FILES[part]).open("wb")) for part in PARTS]
        files[KEPT].write(head)
        for part in (REMOVED, HELD, UNREADABLE):
            files[part].write(evidence.header(head, ("why",) if part == UNREADABLE else None))
        for numbers, data in mailing_list.stretches(rows.bytes, "write the parts"):
            lengths, parts = rows.bytes[numbers], rows.part[numbers]
            units = np.frombuffer(data, dtype=np.uint8)
            keep = parts == KEPT
            files[KEPT].write(data if keep.all() else units[np.repeat(keep, lengths)].tobytes())
            written[KEPT] += int(keep.sum())
            starts = np.cumsum(lengths, dtype=np.int64) - lengths
            for part, texts in endings.items():
                chosen = np.flatnonzero(parts == part)
                if not len(chosen):
                    continue
                content = binary(
                    slices(units, starts[chosen], starts[chosen] + rows.content[numbers][chosen])
                )
                short = evidence.padding(rows.missing[numbers][chosen])
                ends = texts.take(pa.array(rows.evidence[numbers][chosen]))
                files[part].write(joined(pc.binary_join_element_wise(content, short, ends, _NOTHING)))
                written[part] += len(chosen)
    if (
        written.sum() != len(rows.part)
        or int(rows.bytes[rows.part == KEPT].sum()) + len(head) != (folder / FILES["kept"]).stat().st_size
    ):
        raise BounceAnalyticsError(
            f"{mailing_list.name} has {len(rows.part):,} rows and {int(written.sum()):,} were written; "
            "no file was left behind"
        )


def _summary(result: Cleaning, mailing_list: MailingList, size: int, digest: str, seconds: float) -> str:
    dialect = mailing_list.dialect
    content = {
        "input": {
            "name": mailing_list.name,
            "bytes": size,
            "sha256": digest,
            "encoding": dialect.encoding,
            "delimiter": dialect.delimiter,
            "line_end": dialect.line_end,
            "header": dialect.header is not None,
            "columns": dialect.columns,
            "address_column": dialect.header[dialect.address] if dialect.header else dialect.address,
        },
        "rows": result.rows,
        "reasons": result.reasons.to_dict("records"),
        "duplicates": result.duplicates,
        "without_events": result.without_events,
        "policy": result.policy,
        "versions": {name: _version(name) for name in _PACKAGES} | {"python": platform.python_version()},
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(seconds, 3),
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"

"""Cleaning: a mailing list split by the verdicts on its addresses, kept rows untouched."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import IO, TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bounceanalytics import schema
from bounceanalytics.addresses import SEVERAL, may_be_held, normal_form, problem
from bounceanalytics.cleaning.ledgers import beside, in_ledger, opened
from bounceanalytics.cleaning.lists import MailingList
from bounceanalytics.cleaning.manifest import account_of, checksum, manifest_text
from bounceanalytics.cleaning.matching import NEEDED, Fold, Matcher, checked_verdicts
from bounceanalytics.cleaning.parts import Parts
from bounceanalytics.cleaning.repeats import Repeats
from bounceanalytics.cleaning.result import FILES, PARTS, UNREADABLE, Cleaning
from bounceanalytics.database import open_database
from bounceanalytics.datasets import as_dataset, as_frame
from bounceanalytics.deciding import Policy, decide
from bounceanalytics.errors import BounceAnalyticsError, FrameError, OutputError, PolicyError
from bounceanalytics.files import complete_files, path_of, refuse_existing, whole_files

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import duckdb
    import pandas as pd

    from bounceanalytics.cleaning.dialect import Dialect
    from bounceanalytics.cleaning.records import Records
    from bounceanalytics.datasets import Frame
    from bounceanalytics.ledger_file import LedgerFile

# Bytes for the engine, and for each verdict where folded forms are grouped; what goes beyond is on disk.
_MEMORY, _MEMORY_TO_FOLD = 256 * 1024 * 1024, 512

_SHORT_ROW = "the row ends before the column of addresses"
SEVERAL_IN_ROW = f"{SEVERAL} in the row"


def clean(
    source: str | os.PathLike[str] | bytes | IO[bytes],
    bounces: Frame | None = None,
    out: str | os.PathLike[str] = "cleaned",
    *,
    ledger: LedgerFile | str | os.PathLike[str] | None = None,
    policy: Policy | None = None,
    column: str | int | None = None,
    fold_subaddresses: bool = False,
    fold_gmail_dots: bool = False,
    overwrite: bool = False,
    progress: Callable[[str, int, int], None] | None = None,
) -> Cleaning:
    r"""Split a mailing list into rows to keep, to remove and to hold.

    Parameters
    ----------
    source : str, path, bytes or binary file
        The list: a file, a URL, ``"-"`` for standard input, the content itself or an open file. Packed or not (ZIP,
        tar, gzip, bzip2, xz, Zstandard): of an archive with several files, the one with a column of addresses is taken,
        and a path may go on to name it, as in ``"lists.zip/customers.csv"``. As CSV: comma, semicolon, tab or bar;
        UTF-8, UTF-16, UTF-32 or cp1252; any line ends. Or as an Excel workbook (``.xlsx``): the sheet with a column of
        addresses is taken, as the CSV text that a spreadsheet would save, in UTF-8 with a mark, dates in ISO form.
    bounces : pandas.DataFrame, Dataset or path of one, optional
        Classified events, or a frame of verdicts as :func:`bounceanalytics.decide` returns them. May be left out where
        there is a ledger.
    out : path, default 'cleaned'
        Folder for the results; made if it is not there.
    ledger : Ledger or path of one, optional
        Who is in it is removed or held, too: of two verdicts the severer counts. What it says of them begins with its
        name, in ``evidence`` and in ``source``. Evidence that was lifted counts no more. One with a salt is given as an
        open :class:`Ledger`.
    policy : Policy, optional
        For classified events; ``Policy.preset("default")`` if not given.
    column : str or int, optional
        Name of the column of addresses, or its position from 0; found by name, then by content, if not given.
    fold_subaddresses : bool, default False
        Whether an address that has no verdict of its own gets that of one which differs in ``+tag`` only.
    fold_gmail_dots : bool, default False
        The same for dots before the ``@`` at gmail.com, which is then the same as googlemail.com.
    overwrite : bool, default False
        Whether to replace files of an earlier run.
    progress : callable, optional
        Called as ``progress(description, done_bytes, total_bytes)``.

    Returns
    -------
    Cleaning
        Prints as a table. Its files:

        ``kept.csv``
            Rows of the list (of a packed one, unpacked) byte for byte, in their order.
        ``removed.csv``, ``held.csv``
            Rows with further columns ``reason``, ``code``, ``date`` (UTC), ``evidence``, ``source``, ``record`` and
            ``row`` (``bounce_`` before a name that the list has already). ``row`` is the number of the row in the list,
            from 1, the header not counted. With the list's SHA-256 it names a row for good.
        ``unreadable.csv``
            Rows with further columns ``why`` and ``row``.
        ``contact.csv``
            Those of the removed rows whose domain called its mail system full (5.3.1), as they stand in the list:
            people who can be told by another way, with the columns that say how; see
            :func:`bounceanalytics.contacts`.
        ``duplicates.csv``
            Columns ``row`` and ``first_row`` of rows whose address stands on an earlier row too; they are in the parts
            as well.
        ``rows.parquet``
            Where rows that are not kept lie, for :func:`bounceanalytics.restore`.
        ``manifest.json``
            The list's name, size and SHA-256, the sources of the evidence, the policy, versions, all counts, and size
            and SHA-256 of each file; no address.

    Raises
    ------
    SourceError
        If the list cannot be read, is damaged or cut off, or changes meanwhile.
    FormatError
        If it is no list, is empty, or no column can be told to hold addresses; or if an archive holds several lists.
    FrameError
        If ``bounces`` is neither of the two frames, or there is no ledger either.
    OutputError
        If files are there already, or cannot be written.
    PolicyError
        If a policy is given for verdicts that were made already, or for a ledger alone.

    See Also
    --------
    restore : Give rows back.
    diff : What changed between two runs.

    Notes
    -----
    All files appear together, whole, or not at all. If a process is killed while it replaces the files of an earlier
    run, ``manifest.json`` is missing, and ``restore`` and ``diff`` say so.

    Memory does not grow with the list; what the engine has to remember of it goes to disk. Rows with the same address
    are treated alike. Where folded forms are asked for, a verdict on the very address wins, and an address is held if
    the verdicts on its folded form disagree.

    References
    ----------
    RFC 4180 (CSV), RFC 5233 (subaddresses).

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from bounceanalytics import schema
    >>> nothing = schema.BOUNCE_COLUMNS.empty()
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     clean(b"email\nann@example.com\n", nothing, Path(folder) / "cleaned").rows["kept"]
    1
    """
    began = time.perf_counter()
    folder = path_of(out, OutputError)
    folding = Fold(fold_subaddresses, fold_gmail_dots)
    outputs = [folder / name for name in FILES.values()]
    complete_files(folder)
    refuse_existing(outputs, overwrite=overwrite)  # before a list is fetched or unpacked
    with MailingList(source, column, progress) as mailing_list, open_database() as database:
        refuse_existing(outputs, overwrite=overwrite, source=mailing_list.path)
        frame, used, account = _verdicts(bounces, policy, ledger)
        if ledger is not None:
            with opened(ledger) as book:
                found, lifts = in_ledger(
                    book, (_addresses(mailing_list, records)[0] for records in mailing_list.blocks())
                )
                account["ledger"] = {"name": book.path.name, "addresses": len(found)}
            frame = beside(frame, found, lifts)
        verdicts = checked_verdicts(frame)
        del frame
        pa.default_memory_pool().release_unused()  # the engine does not draw on what Arrow holds ready
        memory = _MEMORY + (_MEMORY_TO_FOLD * len(verdicts.parts) if folding else 0)
        database.execute(f"SET memory_limit = '{memory} bytes'")
        matcher = Matcher(database, verdicts, folding)
        del verdicts
        pa.default_memory_pool().release_unused()
        with whole_files(folder, overwrite=overwrite, last=FILES["manifest"]) as part_folder:
            result, files = _split(database, mailing_list, matcher, used, folder, part_folder)
            seconds = time.perf_counter() - began
            text = manifest_text(result, mailing_list, account, folding, files, seconds)
            (part_folder / FILES["manifest"]).write_text(text, encoding="utf-8")
    return result


def _verdicts(
    bounces: Frame | None, policy: Policy | None, ledger: object
) -> tuple[pd.DataFrame, dict[str, object], dict[str, object]]:
    """Return the verdicts, the policy that made them as far as it is known, and an account of where they come from."""
    if bounces is None:
        if ledger is None:
            raise FrameError("there is nothing to clean by; give bounces, verdicts or a ledger")
        if policy is not None:
            raise PolicyError(
                "a ledger holds verdicts already; leave policy out, or give the classified frame"
            )
        nothing = schema.MATCH_COLUMNS.empty()
        return nothing, {}, account_of(nothing["source"], 0, "verdicts")
    if as_dataset(bounces) is None and _is_of_verdicts(bounces):
        if policy is not None:
            raise PolicyError(
                "the frame holds verdicts already; leave policy out, or give the classified frame"
            )
        given = schema.DECISION_COLUMNS.require(bounces, NEEDED)
        account = account_of(given["source"], len(given), "verdicts")
        return given, given.attrs.get("policy", {}), account
    frame = decide(bounces, policy)
    account = account_of(as_frame(bounces, ["source"])["source"], len(frame), "events")
    return frame, frame.attrs["policy"], account


def _is_of_verdicts(frame: object) -> bool:
    found = schema.require(frame, (), "a classified frame")
    return {"address", "verdict"} <= set(found.columns)


def _split(
    database: duckdb.DuckDBPyConnection,
    mailing_list: MailingList,
    matcher: Matcher,
    policy: dict[str, object],
    folder: Path,
    part_folder: Path,
) -> tuple[Cleaning, dict[str, Mapping[str, object]]]:
    """Read the list once and write each row to its part; return the result and what the files are."""
    without_events = folded = 0
    with ExitStack() as stack:
        repeats = stack.enter_context(Repeats(part_folder))
        head, dialect = mailing_list.head(), mailing_list.dialect
        parts = stack.enter_context(Parts(part_folder, dialect, head, matcher.against))
        for records in mailing_list.blocks():
            addresses, problems = _addresses(mailing_list, records)
            good = pc.is_null(problems)
            readable = np.flatnonzero(good)
            match = matcher.match(addresses.filter(good))
            repeats.add(match.hashes, int(parts.rows.sum()) + 1 + readable)
            part = np.full(len(records), UNREADABLE, dtype=np.int8)
            evidence = np.full(len(records), -1, dtype=np.int32)
            part[readable], evidence[readable] = match.part, match.evidence
            without_events += len(readable) - int(match.known.sum())
            folded += match.folded
            parts.write(records, part, evidence, problems, addresses)
        duplicates = repeats.write(database, part_folder / FILES["duplicates"])
    rows = {"input": int(parts.rows.sum())} | dict(zip(PARTS, parts.rows.tolist(), strict=True))
    if not parts.complete(mailing_list.identity().content_bytes):
        raise BounceAnalyticsError(
            f"the {rows['input']:,} rows of {mailing_list.name} do not account for all of its bytes; "
            "no file was left behind"
        )
    paths = {name: folder / file for name, file in FILES.items()}
    result = Cleaning(
        folder,
        paths,
        rows,
        parts.reasons(),
        duplicates,
        without_events,
        policy,
        folded,
        _told_of(mailing_list),
    )
    others = {name: checksum(part_folder / FILES[name]) for name in ("contact", "duplicates", "rows")}
    return result, parts.checksums() | others


def _told_of(mailing_list: MailingList) -> str:
    """Return which column was taken, and what was done to the list before."""
    dialect = mailing_list.dialect
    told = [mailing_list.note] if mailing_list.note else []
    if dialect.columns > 1 or dialect.header:
        told.append(f"the addresses are those of the column {dialect.title(dialect.address)}")
    if dialect.others:
        others = ", ".join(map(dialect.title, dialect.others))
        told.append(f"addresses in {others} were not looked at; column= takes another one")
    return "; ".join(told)


def _addresses(mailing_list: MailingList, records: Records) -> tuple[pa.Array, pa.Array]:
    """Return the addresses of a block in normal form, and what is wrong with those that are invalid."""
    dialect = mailing_list.dialect
    cells = records.cell(dialect.address, dialect.encoding)
    addresses = normal_form(cells)
    problems = pc.if_else(pc.is_null(cells), _SHORT_ROW, problem(addresses))
    several = _with_more(records, dialect, addresses)
    return addresses, problems if several is None else pc.if_else(several, SEVERAL_IN_ROW, problems)


def _with_more(records: Records, dialect: Dialect, addresses: pa.Array) -> pa.Array | None:
    """Return which records hold another address that no title accounts for; None if there is none."""
    first = 0 if dialect.header is None and not dialect.asked else dialect.columns
    likely = records.with_several_signs() if first == 0 else records.cells > dialect.columns
    if not likely.any():
        return None
    result = pa.array(np.zeros(len(records), dtype=bool))
    for number in range(first, int(records.cells[likely].max())):
        if number == dialect.address:
            continue
        cells = records.cell(number, dialect.encoding)
        if not may_be_held(cells):
            continue
        others = normal_form(cells)
        wrong = problem(others)
        held = pc.fill_null(pc.equal(wrong, SEVERAL), True)  # nothing is wrong, or just that
        differ = pc.fill_null(pc.not_equal(others, addresses), True)
        result = pc.or_(result, pc.and_(held, differ))
    return result if pc.any(pc.and_(result, pa.array(likely))).as_py() else None

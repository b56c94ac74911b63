"""Converting and classifying on several machines."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from bounceanalytics.classifying.classify import classify_part
from bounceanalytics.datasets import (
    KINDS,
    STATE,
    Dataset,
    as_dataset,
    is_dataset,
    note_of,
    room_for,
    write_about,
)
from bounceanalytics.distributed.cluster import each, needs_dask, threads
from bounceanalytics.errors import OutputError, SourceError
from bounceanalytics.files import is_remote, place, publish, remove_folder, write_text
from bounceanalytics.loading import slicing
from bounceanalytics.loading.converting import facts_of
from bounceanalytics.loading.finding import check_options
from bounceanalytics.loading.joining import rejects_frame
from bounceanalytics.loading.reading import warn_of_damage, warn_of_times
from bounceanalytics.loading.shares import Share, accounts_of, merge_share
from bounceanalytics.loading.slices import Options, Slice, slices_of
from bounceanalytics.temporary import temporary_folder

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Sequence

    import pandas as pd

    from bounceanalytics.classifying.classify import Rules
    from bounceanalytics.loading.finding import Progress
    from bounceanalytics.loading.slicing import Made

_SLICE = 256 * 1024**2  # bytes
_SHARE = 512 * 1024**2  # bytes of exports whose rows one share of the addresses should hold


def convert(  # noqa: PLR0913 - all but two are of the same names as elsewhere
    source: Any,
    out: str | os.PathLike[str],
    *,
    client: Any = None,
    provider: str | None = None,
    deduplicate: bool = True,
    timezone: str | None = None,
    dayfirst: bool | None = None,
    slice_bytes: int = _SLICE,
    partitions: int | None = None,
    progress: Progress | None = None,
    overwrite: bool = False,
) -> Dataset:
    """Turn exports into a dataset on the workers of a cluster, with the rows of :func:`bounceanalytics.convert`.

    Files are cut into slices; each becomes one file of rows, in groups by share of the addresses; then each share is
    freed of copies and written. A worker that is lost costs the slices that it was at. Run it again after a crash, and
    the slices that are done are not read again.

    Parameters
    ----------
    source : str, path, or a list of these
        Files, folders, globs and URLs that every worker can read. A large file is cut where its records are lines; one
        of another form, or a packed one, is the work of one worker.
    out : str or path
        Folder of the dataset, on a disk that every worker writes to, or a URL such as ``"s3://bucket/events"``.
    client : dask.distributed.Client, optional
        Of any cluster; without it all is done in this process.
    provider, deduplicate, timezone, dayfirst : optional
        As for :func:`bounceanalytics.convert`.
    slice_bytes : int, default 268435456
        About how many bytes of exports a worker reads at a time. It holds their rows: it needs some 300 MB, and up to
        2.5 times as many bytes.
    partitions : int, optional
        Into how many shares the addresses are put; one for each 512 MB of exports if not given.
    progress : callable, optional
        Called with a description, the parts done and the parts in total.
    overwrite : bool, default False
        Begin anew where there is a dataset.

    Returns
    -------
    Dataset
        By share of the addresses, ``partition=07/part-00001.parquet``. All events of an address lie in one part.

    Raises
    ------
    SourceError, FormatError
        As for :func:`bounceanalytics.load`; also if a source is not where every worker can read it.
    OutputError
        If ``out`` is a dataset already, or holds something else.

    Examples
    --------
    >>> import tempfile
    >>> import bounceanalytics as ba
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     dataset = ba.distributed.convert(ba.samples() / "exports" / "mailgun", f"{folder}/events", partitions=4)
    ...     print(len(dataset.parts), len(dataset) == len(ba.load(ba.samples() / "exports" / "mailgun").events))
    4 True
    """
    check_options(provider, "collect", timezone)
    home = _home(out)
    if is_dataset(home) and not overwrite:
        raise OutputError(f"{home} is a dataset already; pass overwrite=True or name another folder")
    slices = slices_of(source, slice_bytes, provider)
    shares = partitions or max(1, -(-sum(one.size for one in slices) // _SHARE))
    options = Options(provider, deduplicate, timezone, dayfirst, shares)
    with room_for(home, overwrite=overwrite) as room:
        work = partial(_convert, out=str(room), options=options)
        made = slicing.in_their_files(slices, each(client, work, slices, _telling(progress, "converting")))
        _empty(room)
        rows = [replace(one, accounts=[]) for one in made]  # all that is needed of each by every worker
        merge = partial(merge_share, made=rows, out=str(room), options=options)
        found = each(client, merge, range(shares), _telling(progress, "sorting out copies"))
        _finish(room, options, slices, made, found)
    return Dataset(home)


def _convert(one: Slice, out: str, options: Options) -> Made:
    return slicing.convert_slice(one, out, replace(options, threads=threads()))


def _finish(
    home: Path, options: Options, slices: Sequence[Slice], made: Sequence[Made], shares: Sequence[Share]
) -> None:
    """Write the accounts, and with them say that the dataset is whole; the slices are needed no more."""
    accounts = accounts_of(slices, made, shares)
    rejects = rejects_frame(slicing.rejects_of(home, made))
    if len(rejects):
        with temporary_folder() as folder:
            rejects.to_parquet(Path(folder, "rejects"), compression="zstd")
            publish(Path(folder, "rejects"), home / STATE / "rejects-00001.table")
    copies = sum(share.copies for share in shares)
    for number, account in enumerate(accounts, start=1):
        note = {
            "number": number,
            "fingerprint": f"{number}",
            "home": "",
            "copies": copies if number == 1 else 0,
            "account": facts_of(account),
        }
        write_text(home / STATE / f"unit-{number:05d}.json", note_of(note))
    write_about(home, "events", options=options.facts)
    remove_folder(home / STATE / "slices")
    warn_of_damage(accounts)
    warn_of_times(accounts, options.timezone)


def classify(
    dataset: Dataset | str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    client: Any = None,
    rules: Rules = None,
    second_reader: bool = True,
    progress: Progress | None = None,
    overwrite: bool = False,
) -> Dataset:
    """Classify a dataset part by part on the workers of a cluster; see :func:`bounceanalytics.classify`.

    Parameters
    ----------
    dataset : Dataset or path of one
        Where every worker can read it.
    out : str or path
        Folder or URL of the classified dataset, with a part for each part.
    client : dask.distributed.Client, optional
        Of any cluster; without it all is done in this process.
    rules, second_reader
        As for :func:`bounceanalytics.classify`; files of rules must lie where every worker can read them.
    progress : callable, optional
        Called with a description, the parts done and the parts in total.
    overwrite : bool, default False
        Begin anew where ``out`` is a dataset already.

    Returns
    -------
    Dataset
        Classified events.

    Raises
    ------
    SourceError
        If ``dataset`` is none.
    OutputError
        If ``out`` is a dataset already, or holds something else.

    Examples
    --------
    >>> import tempfile
    >>> import bounceanalytics as ba
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     events = ba.distributed.convert(ba.samples() / "exports" / "mailgun", f"{folder}/events", partitions=2)
    ...     bounces = ba.distributed.classify(events, f"{folder}/bounces")
    ...     print(bounces.kind, len(bounces) == len(events))
    bounces True
    """
    given = dataset_of(dataset)
    home = _home(out)
    if str(_resolved(home)) == str(_resolved(_home(given.path))):
        raise OutputError(f"{home} is the dataset itself; name another folder")
    parts = [str(part) for part in given.parts]
    with room_for(home, overwrite=overwrite) as room:
        _empty(room)
        work = partial(
            classify_part, dataset=str(given.path), out=str(room), rules=rules, second_reader=second_reader
        )
        each(client, work, parts, _telling(progress, "classifying"))
        write_about(room, "bounces")
    return Dataset(home)


def to_dask(dataset: Dataset | str | os.PathLike[str], columns: Sequence[str] | None = None) -> Any:
    """Return a dataset as a Dask DataFrame, for work of your own: a partition for each part, typed as ``load`` types.

    Parameters
    ----------
    dataset : Dataset or path of one
    columns : sequence of str, optional
        Which columns; all if not given.

    Returns
    -------
    dask.dataframe.DataFrame
        Columns of ``schema.EVENT_COLUMNS``, of classified events those of ``schema.VERDICT_COLUMNS`` too.

    Raises
    ------
    SourceError
        If ``dataset`` is none.
    MissingExtraError
        If Dask is not installed.

    Examples
    --------
    >>> import tempfile
    >>> import bounceanalytics as ba
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     events = ba.distributed.convert(ba.samples() / "exports" / "mailgun", f"{folder}/events", partitions=2)
    ...     frame = ba.distributed.to_dask(events, ["domain", "event"])
    ...     print(frame.npartitions, len(frame) == len(events))
    2 True
    """
    given = dataset_of(dataset)
    try:
        import dask  # noqa: PLC0415 - an extra
        import dask.dataframe as dd  # noqa: PLC0415
    except ImportError:
        raise needs_dask("a Dask DataFrame") from None
    names = list(given.columns.names if columns is None else columns)
    empty = given.columns.select(names).empty()
    parts = [str(part) for part in given.parts]
    with dask.config.set({"dataframe.convert-string": False}):  # our texts are strings of Arrow already
        if not parts:
            return dd.from_pandas(empty, npartitions=1)  # type: ignore[no-untyped-call]
        return dd.from_map(  # type: ignore[no-untyped-call]
            _part, parts, dataset=str(given.path), columns=names, meta=empty
        )


def _part(part: str, dataset: str, columns: Sequence[str]) -> pd.DataFrame:
    given = Dataset(place(dataset))
    pieces = list(given.tables(columns, part=place(part)))
    table = pa.concat_tables(pieces).unify_dictionaries() if pieces else None
    wanted = given.columns.select(list(columns))
    return wanted.empty() if table is None else wanted.frame(table)


def _home(out: Path | str | os.PathLike[str]) -> Path:
    """Return where all workers find a folder."""
    home = place(out)
    return home if is_remote(home) else home.expanduser().absolute()


def _resolved(home: Path) -> Path:
    return home if is_remote(home) else home.resolve()


def _empty(home: Path) -> None:
    """Remove the parts that an interrupted run left."""
    for kind in KINDS:
        for part in home.glob(f"{kind}=*"):
            remove_folder(part)


def dataset_of(value: Dataset | str | os.PathLike[str]) -> Dataset:
    """Return the dataset that a value is or names.

    Raises
    ------
    SourceError
        If it is none.
    """
    found = as_dataset(value)
    if found is None:
        raise SourceError(f"{value} is no dataset; make one with convert(sources, out)")
    return found


def _telling(progress: Progress | None, what: str) -> Callable[[int, int], None] | None:
    return partial(progress, what) if progress else None

"""Verdicts, summaries, storms, reports and clean lists of a dataset, on several machines.

Each share of the addresses becomes a history on a worker. What is counted by address adds up; what depends on all of
them (who runs a domain, which hours were a storm, after how many days to try again) is found from these counts, and
handed back. Only counts travel, and at the end the verdicts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from bounceanalytics.cleaning import clean as clean_list
from bounceanalytics.datasets import pinned
from bounceanalytics.deciding import decide as decide_all
from bounceanalytics.distributed.members import open_histories
from bounceanalytics.distributed.verbs import dataset_of
from bounceanalytics.finding import storms as all_storms
from bounceanalytics.summaries import summarize as summarize_all

if TYPE_CHECKING:
    import os
    from datetime import datetime
    from pathlib import Path

    import pandas as pd

    from bounceanalytics.cleaning import Cleaning
    from bounceanalytics.datasets import Dataset
    from bounceanalytics.deciding import Policy
    from bounceanalytics.history.messages import Freq
    from bounceanalytics.report.spans import Period
    from bounceanalytics.summaries import Summaries


def decide(
    bounces: Dataset | str | os.PathLike[str],
    policy: Policy | None = None,
    *,
    at: datetime | str | None = None,
    client: Any = None,
) -> pd.DataFrame:
    """Decide for every address of a dataset, on the workers of a cluster; see :func:`bounceanalytics.decide`.

    Parameters
    ----------
    bounces : Dataset or path of one
        Of :func:`bounceanalytics.distributed.classify`, where every worker can read it.
    policy, at
        As for :func:`bounceanalytics.decide`.
    client : dask.distributed.Client, optional
        Of any cluster; without it the shares are looked at here.

    Returns
    -------
    pandas.DataFrame
        What :func:`bounceanalytics.decide` returns, of ``schema.DECISION_COLUMNS``.

    Raises
    ------
    SourceError
        If ``bounces`` is no dataset.
    FrameError, PolicyError
        As for :func:`bounceanalytics.decide`.

    Examples
    --------
    >>> import tempfile
    >>> import bounceanalytics as ba
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     events = ba.distributed.convert(ba.samples() / "exports" / "mailgun", f"{folder}/events", partitions=2)
    ...     bounces = ba.distributed.classify(events, f"{folder}/bounces")
    ...     print(ba.distributed.decide(bounces).equals(ba.decide(bounces)))
    True
    """
    with open_histories(dataset_of(bounces), client) as history:
        return decide_all(history, policy, at=at)


def summarize(
    bounces: Dataset | str | os.PathLike[str],
    *,
    freq: Freq | None = None,
    timezone: str = "UTC",
    client: Any = None,
) -> Summaries:
    """Return every summary of a dataset, from the workers of a cluster; see :func:`bounceanalytics.summarize`.

    Parameters
    ----------
    bounces : Dataset or path of one
        Of :func:`bounceanalytics.distributed.classify`, where every worker can read it.
    freq, timezone
        As for :func:`bounceanalytics.summarize`.
    client : dask.distributed.Client, optional
        Of any cluster; without it the shares are looked at here.

    Returns
    -------
    Summaries

    Raises
    ------
    SourceError
        If ``bounces`` is no dataset.
    FrameError
        As for :func:`bounceanalytics.summarize`.

    Examples
    --------
    >>> import tempfile
    >>> import bounceanalytics as ba
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     events = ba.distributed.convert(ba.samples() / "exports" / "mailgun", f"{folder}/events", partitions=2)
    ...     bounces = ba.distributed.classify(events, f"{folder}/bounces")
    ...     print(ba.distributed.summarize(bounces).domains.equals(ba.summarize_domains(bounces)))
    True
    """
    with open_histories(dataset_of(bounces), client) as history:
        return summarize_all(history, freq=freq, timezone=timezone)


def storms(
    bounces: Dataset | str | os.PathLike[str], *, late_bounce_hours: int = 120, client: Any = None
) -> pd.DataFrame:
    """Return the storms of a dataset, from the workers of a cluster; see :func:`bounceanalytics.storms`.

    Parameters
    ----------
    bounces : Dataset or path of one
        Of :func:`bounceanalytics.distributed.classify`, where every worker can read it.
    late_bounce_hours
        As for :func:`bounceanalytics.storms`.
    client : dask.distributed.Client, optional
        Of any cluster; without it the shares are looked at here.

    Returns
    -------
    pandas.DataFrame
        What :func:`bounceanalytics.storms` returns, of ``schema.STORM_COLUMNS``.

    Raises
    ------
    SourceError
        If ``bounces`` is no dataset.

    Examples
    --------
    >>> import tempfile
    >>> import bounceanalytics as ba
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     events = ba.distributed.convert(ba.samples() / "exports" / "ses", f"{folder}/events", partitions=3)
    ...     bounces = ba.distributed.classify(events, f"{folder}/bounces")
    ...     print(ba.distributed.storms(bounces)["domain"].tolist())
    ['brigg-and-sons.example']
    """
    with open_histories(dataset_of(bounces), client) as history:
        return all_storms(history, late_bounce_hours=late_bounce_hours)


def report(
    bounces: Dataset | str | os.PathLike[str],
    path: str | os.PathLike[str],
    *,
    title: str | None = None,
    period: Period | None = None,
    compare: Period | Literal["previous"] | None = None,
    policy: Policy | None = None,
    checks: pd.DataFrame | None = None,
    overwrite: bool = False,
    redact: bool = True,
    client: Any = None,
) -> Path:
    """Write a report of a dataset, computed by the workers of a cluster; see :func:`bounceanalytics.report`.

    Parameters
    ----------
    bounces : Dataset or path of one
        Of :func:`bounceanalytics.distributed.classify`, where every worker can read it.
    path : path-like
        File to write, here; its folder must exist.
    title, period, compare, policy, checks, overwrite, redact
        As for :func:`bounceanalytics.report`; what it is compared with is a time of the same dataset.
    client : dask.distributed.Client, optional
        Of any cluster; without it the shares are looked at here.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    SourceError
        If ``bounces`` is no dataset.
    FrameError, OutputError
        As for :func:`bounceanalytics.report`.

    Examples
    --------
    >>> import tempfile
    >>> import bounceanalytics as ba
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     events = ba.distributed.convert(ba.samples() / "exports" / "mailgun", f"{folder}/events", partitions=2)
    ...     bounces = ba.distributed.classify(events, f"{folder}/bounces")
    ...     print(ba.distributed.report(bounces, f"{folder}/report.html").name)
    report.html
    """
    # what draws is loaded on use, as for the report of one machine
    from bounceanalytics.report import room_for, write_contents  # noqa: PLC0415
    from bounceanalytics.report.contents import earlier, nothing_in, spans_of, tell  # noqa: PLC0415
    from bounceanalytics.report.spans import times_of  # noqa: PLC0415

    given = pinned(dataset_of(bounces))  # all that follows is asked of the same rows
    target = room_for(path, overwrite=overwrite)
    about, against, every, before = None, None, None, None
    if period is not None or compare is not None:
        with open_histories(given, client) as history:
            (about, against), every = spans_of(period, compare, history), times_of(history)
    if against is not None:
        with open_histories(given, client, against.edges) as history:
            if not len(history):
                raise nothing_in(against, every)
            before = earlier(history, redact=redact)
    with open_histories(given, client, None if about is None else about.edges) as history:
        if about is not None and not len(history):
            raise nothing_in(about, every)
        contents = tell(
            history,
            span=about,
            policy=policy,
            redact=redact,
            checks=checks,
            before=before,
            span_before=against,
        )
    return write_contents(contents, target, title=title, overwrite=overwrite)


def clean(
    source: Any,
    bounces: Dataset | str | os.PathLike[str],
    out: str | os.PathLike[str] = "cleaned",
    *,
    policy: Policy | None = None,
    client: Any = None,
    **options: Any,
) -> Cleaning:
    """Split a mailing list by verdicts from the workers of a cluster; see :func:`bounceanalytics.clean`.

    The list is read here, once and in blocks, whatever its size; the verdicts are held in memory.

    Parameters
    ----------
    source
        The list, as for :func:`bounceanalytics.clean`.
    bounces : Dataset or path of one
        Of :func:`bounceanalytics.distributed.classify`, where every worker can read it.
    out : path, default 'cleaned'
        Folder for the results, here.
    policy : Policy, optional
        ``Policy.preset("default")`` if not given.
    client : dask.distributed.Client, optional
        Of any cluster; without it the shares are looked at here.
    **options
        Further parameters of :func:`bounceanalytics.clean`: ``ledger``, ``column``, ``overwrite`` and others.

    Returns
    -------
    Cleaning
        With the files that :func:`bounceanalytics.clean` writes.

    Raises
    ------
    SourceError, FormatError, FrameError, OutputError
        As for :func:`bounceanalytics.clean`.

    Examples
    --------
    >>> import tempfile
    >>> import bounceanalytics as ba
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     events = ba.distributed.convert(ba.samples() / "exports", f"{folder}/events", partitions=2)
    ...     bounces = ba.distributed.classify(events, f"{folder}/bounces")
    ...     made = ba.distributed.clean(ba.samples() / "list.csv", bounces, f"{folder}/cleaned")
    ...     print(made.rows["removed"])
    323
    """
    return clean_list(source, decide(bounces, policy, client=client), out, **options)

"""Summaries and charts as one self-contained HTML file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from bounceanalytics.errors import OutputError
from bounceanalytics.files import path_of, refuse_existing, require_folder, write_whole

if TYPE_CHECKING:
    import os
    from pathlib import Path

    import pandas as pd

    from bounceanalytics.charts.theme import ThemeName
    from bounceanalytics.datasets import Frame
    from bounceanalytics.deciding import Policy
    from bounceanalytics.report.contents import Contents
    from bounceanalytics.report.spans import Period

__all__ = ["report", "save_charts"]


def report(
    bounces: Frame,
    path: str | os.PathLike[str],
    *,
    title: str | None = None,
    period: Period | None = None,
    compare: Frame | Period | Literal["previous"] | None = None,
    policy: Policy | None = None,
    checks: pd.DataFrame | None = None,
    overwrite: bool = False,
    redact: bool = True,
) -> Path:
    """Write a report that can be shared: one HTML file that needs nothing else, not even a network; or a workbook.

    It holds a verdict in sentences, what needs a look at once, key figures beside those of an earlier period, charts, a
    table of domains that can be searched and sorted, the domains whose mail system is full, a glossary of the reasons
    and codes met, and what it was made from. The same frame gives the same bytes. The file is written whole or not at
    all.

    Parameters
    ----------
    bounces : pandas.DataFrame, Dataset or path of one
        A classified frame, see :func:`bounceanalytics.classify`.
    path : path-like
        File to write; its folder must exist. A name that ends in ``.xlsx`` gives a workbook with every summary.
    title : str or None, default None
        Heading of the report; None for "Bounce report".
    period : str, pandas.Period, tuple of two days, or None
        The time it is about, UTC: ``"2026-10"``, ``"2026-Q3"``, ``"28D"`` for the last 28 days, or first and last day.
        None for all there is; where it is compared with ``"previous"``, the later half of it.
    compare : "previous", period, or classified frame, or None
        What it is held against: the time just before, another period of the same frame, or another frame.
    policy : Policy or None, default None
        A cleaning policy: the report then says of how many addresses it would have them kept, held and removed.
    checks : pandas.DataFrame or None, default None
        What became of domains, from :func:`bounceanalytics.check_domains`: the report then tells the state of each,
        since when, when it last took mail, its mail servers, and what to do.
    overwrite : bool, default False
        Replace the file if it exists.
    redact : bool, default True
        Name domains only: no address, no part of one, no message id and no text of a server. False adds examples of
        what the servers said, with addresses.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    FrameError
        If columns of a classified frame are missing, or a period cannot be read or holds nothing.
    OutputError
        If the file exists and ``overwrite`` is False, or it cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> import bounceanalytics as ba
    >>> bounces = ba.classify(ba.load(ba.samples() / "exports" / "ses").events)
    >>> ba.report(bounces, tempfile.mkdtemp() + "/report.html", title="SES", compare="previous").name
    'report.html'
    """
    # what computes, draws and writes is loaded on use: an import of the package brings this room at once, and those who
    # only compute need neither plotly, jinja2 nor xlsxwriter
    from bounceanalytics.report.contents import compute  # noqa: PLC0415

    target = room_for(path, overwrite=overwrite)
    contents = compute(bounces, period=period, compare=compare, policy=policy, redact=redact, checks=checks)
    return write_contents(contents, target, title=title, overwrite=overwrite)


def room_for(path: str | os.PathLike[str], *, overwrite: bool) -> Path:
    """Return where a report goes, before it is computed.

    Raises
    ------
    OutputError
        If there is no such folder, or a file already.
    """
    target = path_of(path, OutputError)
    require_folder(target)
    refuse_existing([target], overwrite=overwrite)
    return target


def write_contents(contents: Contents, target: Path, *, title: str | None, overwrite: bool) -> Path:
    """Write what a report tells as a page, or as a workbook."""
    if target.suffix.lower() == ".xlsx":
        from bounceanalytics.report.workbook import workbook  # noqa: PLC0415

        content = workbook(contents, title=title)
    else:
        from bounceanalytics.report.page import render  # noqa: PLC0415

        content = render(contents, title=title).encode()
    write_whole(target, content, overwrite=overwrite)
    return target


def save_charts(
    bounces: Frame,
    folder: str | os.PathLike[str],
    *,
    form: Literal["png", "svg", "pdf"] = "png",
    theme: ThemeName = "light",
    period: Period | None = None,
    overwrite: bool = False,
) -> list[Path]:
    """Write every chart of a report to a file of its own, as :func:`bounceanalytics.charts.save` does.

    Parameters
    ----------
    bounces : pandas.DataFrame, Dataset or path of one
        A classified frame.
    folder : path-like
        Where the files go; made if it is not there.
    form : {'png', 'svg', 'pdf'}, default 'png'
    theme : {'light', 'dark'}, default 'light'
    period : str, pandas.Period, tuple of two days, or None
        As in :func:`report`.
    overwrite : bool, default False
        Replace files that are there.

    Returns
    -------
    list of pathlib.Path
        The files; they name domains only.

    Raises
    ------
    MissingExtraError
        If kaleido is not installed; the extra ``images`` brings it.
    OutputError
        If there is no browser to draw with, or a file exists already.
    FrameError
        If columns are missing, or the period cannot be read or holds nothing.

    Examples
    --------
    >>> import tempfile
    >>> import bounceanalytics as ba
    >>> bounces = ba.classify(ba.load(ba.samples() / "exports" / "ses").events)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     ba.save_charts(bounces, folder)[0].name
    'bounce_types.png'
    """
    from bounceanalytics.charts.images import save  # noqa: PLC0415 - see report()
    from bounceanalytics.report.contents import compute  # noqa: PLC0415
    from bounceanalytics.report.page import draw  # noqa: PLC0415

    target = path_of(folder, OutputError)
    target.mkdir(parents=True, exist_ok=True)
    contents = compute(bounces, period=period)
    figures = {name: function(*frames, theme=theme) for name, (function, frames) in draw(contents).items()}
    paths = {name: target / f"{name}.{form}" for name in figures}
    refuse_existing(paths.values(), overwrite=overwrite)
    return [save(figure, paths[name], overwrite=overwrite) for name, figure in figures.items()]

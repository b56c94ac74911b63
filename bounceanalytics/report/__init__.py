"""Summaries and charts as one self-contained HTML file."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from bounceanalytics.datasets import as_dataset
from bounceanalytics.errors import OutputError
from bounceanalytics.report.page import render
from bounceanalytics.schema import require

if TYPE_CHECKING:
    from bounceanalytics.datasets import Frame

__all__ = ["report"]


def report(
    bounces: Frame,
    path: str | os.PathLike[str],
    *,
    title: str | None = None,
    overwrite: bool = False,
    redact: bool = True,
) -> Path:
    """Write a report that can be shared: one HTML file that needs nothing else, not even a network.

    It holds a verdict in sentences, key figures, charts, a table of domains that can be searched and sorted, the
    domains whose mail system is full, a glossary of the reasons met, and what it was made from. The same frame gives
    the same bytes. The file is written whole or not at all.

    Parameters
    ----------
    bounces : pandas.DataFrame, Dataset or path of one
        A classified frame, see :func:`bounceanalytics.classify`.
    path : path-like
        File to write; its folder must exist.
    title : str or None, default None
        Heading of the report; None for "Bounce report".
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
        If columns of a classified frame are missing.
    OutputError
        If the file exists and ``overwrite`` is False, or it cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> import bounceanalytics as ba
    >>> bounces = ba.classify(ba.load(ba.samples() / "exports" / "ses").events)
    >>> ba.report(bounces, tempfile.mkdtemp() + "/report.html", title="SES").name
    'report.html'
    """
    target = Path(path)
    if target.is_dir():
        raise OutputError(f"{target} is a folder; name the file to write, such as {target / 'report.html'}")
    if not target.parent.is_dir():
        raise OutputError(f"the folder {target.parent} is not there; make it first")
    _refuse_existing(target, overwrite)
    dataset = as_dataset(bounces)
    frame = require(bounces, (), "a classified frame") if dataset is None else dataset.to_pandas()
    _write(render(frame, title=title, redact=redact), target, overwrite)
    return target


def _refuse_existing(target: Path, overwrite: bool) -> None:
    if target.exists() and not overwrite:
        raise OutputError(f"{target} exists; say overwrite=True or name another file")


def _write(text: str, target: Path, overwrite: bool) -> None:
    """Write beside the target and rename: a reader sees the old file or the new one, never half of one."""
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        with part.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        _refuse_existing(target, overwrite)  # somebody may have come first
        part.replace(target)
    except OutputError:
        raise
    except OSError as error:
        raise OutputError(f"{target} cannot be written: {error.strerror or error}") from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)

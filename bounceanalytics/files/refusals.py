"""Obstacles to writing, each told in one sentence: what exists, places that are none, errors of the system."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from bounceanalytics.errors import BounceAnalyticsError, OutputError
from bounceanalytics.files.hidden import LOCK, PART, WHOLE
from bounceanalytics.files.places import is_remote, is_same
from bounceanalytics.privacy import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def refuse_existing(
    paths: Iterable[Path], *, overwrite: bool, source: Path | None = None, folders: bool = False
) -> None:
    """Raise if writing would replace something that may not be replaced.

    Parameters
    ----------
    paths : iterable of Path
        What is going to be written.
    overwrite : bool
        Whether it may replace what exists.
    source : Path, optional
        What it is made from, which is never replaced.
    folders : bool, default False
        Folders are going to be written, not files.

    Raises
    ------
    OutputError
    """
    there = [path for path in paths if is_there(path)]
    for path in there:
        if source is not None and is_same(path, source):
            raise OutputError(f"{path} is the list itself; write to another folder")
        if path.is_dir() and not folders:
            raise OutputError(f"{path} is a folder; name a file in it")
    if there and not overwrite:
        what = f"{there[0]} and {len(there) - 1} more exist" if len(there) > 1 else f"{there[0]} exists"
        raise OutputError(f"{what}; pass overwrite=True or choose another name")


def is_there(path: Path) -> bool:
    """Return whether there is something that would be replaced; raise OutputError where nothing can be written."""
    if is_remote(path):
        return path.exists()
    with one_sentence(path):
        if path.exists():
            return True
        if path.is_symlink():
            raise OutputError(f"{path} is a link that leads nowhere; remove it, or choose another name")
        in_the_way = next((one for one in path.parents if os.path.lexists(one)), None)
        if in_the_way is not None and not in_the_way.is_dir():
            raise OutputError(f"{in_the_way} is no folder; {path.name} cannot be written in it")
        return False


def require_folder(path: Path) -> None:
    """Raise OutputError if the folder of a file that is going to be written is not there."""
    with one_sentence(path):
        there = path.parent.is_dir()
    if not there:
        raise OutputError(f"there is no folder {path.parent}; make it first")


@contextlib.contextmanager
def one_sentence(path: Path) -> Iterator[None]:
    """Turn an error of the system into one sentence."""
    try:
        yield
    except OSError as error:
        if isinstance(error, BounceAnalyticsError) or error.errno is None:
            raise  # already a sentence of ours
        other = error.filename if isinstance(error.filename, str) else ""
        where = "" if _is_beside(other, path) else f"{shown(other)}: "
        raise OutputError(f"{path} cannot be written: {where}{os.strerror(error.errno)}") from None
    except UnicodeEncodeError:
        if _is_text(path.absolute()):
            raise
        # neither Arrow nor the engine opens such a file
        raise OutputError(f"{shown(path)} cannot be written: its name is no UTF-8; choose another") from None


def _is_text(path: Path) -> bool:
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_beside(name: str, path: Path) -> bool:
    """Return whether a name is the file's own, one that it has for a while, or none."""
    return not name or Path(name) == path or any(suffix in name for suffix in (PART, WHOLE, LOCK))

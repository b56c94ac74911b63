"""One folder that takes the place of another one whole; for folders that one process at a time replaces."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from bounceanalytics.files import disk
from bounceanalytics.files.refusals import one_sentence

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextlib.contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Yield a folder beside another one, which takes its place when all is well; until then nothing of that changes.

    One process at a time may replace a folder.

    Parameters
    ----------
    path : Path
        The other one; it need not be there.

    Yields
    ------
    Path
        An empty folder. An error or an interrupt removes it; what a killed process left is removed by the next one, or,
        where it was between the two moves, completed by :func:`complete_folder`.
    """
    new, old = _beside(path)
    with one_sentence(path):
        for left in (new, old):
            disk.remove_folder(left)
        new.mkdir(parents=True)
        try:
            yield new
            for folder in [new, *(one for one in new.rglob("*") if one.is_dir())]:
                disk.flush(folder)
            if path.exists():
                path.rename(old)
            new.rename(path)
            disk.flush(path.parent)
        finally:
            disk.surely(_settle, path)


def is_between(path: Path) -> bool:
    """Return whether a folder was moved away, and the one that takes its place is not there yet."""
    return not path.exists() and all(one.exists() for one in _beside(path))


def complete_folder(path: Path) -> None:
    """Give a folder its place whose process was killed after the one before it had been moved away."""
    new, old = _beside(path)
    if is_between(path):
        new.rename(path)
        disk.remove_folder(old)


def _settle(path: Path) -> None:
    """Leave one folder: the new one if it has its place, else the old one."""
    new, old = _beside(path)
    if old.exists() and not path.exists():
        old.rename(path)
    for left in (new, old):
        disk.remove_folder(left)


def _beside(path: Path) -> tuple[Path, Path]:
    """Return the hidden names of a folder that is to be, and of one that was."""
    return path.with_name(f".{path.name}.new"), path.with_name(f".{path.name}.old")

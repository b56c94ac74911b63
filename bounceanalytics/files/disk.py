"""Steps on the disk that last, or that may be done twice."""

from __future__ import annotations

import contextlib
import os
import shutil
from typing import TYPE_CHECKING

from bounceanalytics.interrupts import surely

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["flush", "name_too", "remove", "remove_folder", "surely"]


def flush(path: Path) -> None:
    """Flush a file, or the names in a folder, to disk."""
    if path.is_dir() and os.name == "nt":
        return  # Windows has no such thing for folders
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def remove(path: Path) -> None:
    """Remove a file or a folder as far as the system lets us."""
    with contextlib.suppress(OSError):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def remove_folder(path: Path) -> None:
    """Remove a folder with all that is in it, if it is there."""
    if path.exists():
        shutil.rmtree(path)


def name_too(file: Path, name: Path) -> None:
    """Give a file, which nobody changes, another name too; its folder is made if it is not there."""
    name.parent.mkdir(parents=True, exist_ok=True)
    try:
        name.hardlink_to(file)
    except OSError:  # not every file system can
        shutil.copyfile(file, name)
        flush(name)

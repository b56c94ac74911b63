"""Temporary folders: gone when the work is done or interrupted, and with the next one where it was killed."""

from __future__ import annotations

import contextlib
import functools
import importlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bounceanalytics.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator

fcntl: Any = None
with contextlib.suppress(
    ImportError
):  # Windows, where a folder cannot be locked: what was killed leaves its own there
    fcntl = importlib.import_module("fcntl")

# not that of versions before it, whose folders nobody locks
_PREFIX = "bounceanalytics."


@contextlib.contextmanager
def temporary_folder() -> Iterator[str]:
    """Yield a folder of our own, which is removed with all that is in it; so are those of processes that were killed.

    Lists are unpacked there, and the engine puts there what goes beyond its memory: addresses, that is.

    Raises
    ------
    OutputError
        If there is no place for one.

    Examples
    --------
    >>> with temporary_folder() as folder:
    ...     Path(folder).is_dir()
    True
    """
    try:
        place = tempfile.gettempdir()
        _remove_leftovers(place)
        folder, lock = _new(place)
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise OutputError(
            f"no temporary folder can be made ({why}); let TMPDIR name a folder with room in it"
        ) from None
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if lock is not None:
            os.close(lock)


def _new(place: str) -> tuple[str, int | None]:
    """Return a new folder, and the lock that tells others that it is in use; the system drops it with the process."""
    while True:
        folder = tempfile.mkdtemp(prefix=_PREFIX, dir=place)
        if fcntl is None:
            return folder, None
        try:
            lock = os.open(folder, os.O_RDONLY)
        except FileNotFoundError:  # somebody took it for a leftover before it was locked
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
        except OSError:  # a file system without locks: nobody takes it for a leftover then
            os.close(lock)
            return folder, None
        if Path(folder).exists():  # nobody took it for a leftover meanwhile
            return folder, lock
        os.close(lock)


@functools.cache
def _remove_leftovers(place: str) -> None:
    """Remove folders whose lock nobody holds; once in a process."""
    if fcntl is None:
        return
    for folder in Path(place).glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):  # of another user, or gone
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(lock)

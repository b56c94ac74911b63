"""Temporary folders: gone when the work is done or interrupted, and with the next one where it was killed."""

from __future__ import annotations

import contextlib
import functools
import importlib
import os
import shutil
import tempfile
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bounceanalytics.errors import OutputError
from bounceanalytics.interrupts import surely

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
    with contextlib.ExitStack() as stack:
        try:
            place = tempfile.gettempdir()
            _remove_leftovers(place)
            folder = _new(place, stack)
        except OSError as error:
            why = error.strerror or type(error).__name__
            raise OutputError(
                f"no temporary folder can be made ({why}); let TMPDIR name a folder with room in it"
            ) from None
        yield folder


def _new(place: str, stack: contextlib.ExitStack) -> str:
    """Return a new folder, locked to tell others that it is in use; the system drops the lock with the process."""
    while True:
        folder = str(Path(place, f"{_PREFIX}{uuid.uuid4().hex[:12]}"))
        # before it is made: Ctrl-C may come as soon as it is
        stack.callback(surely, shutil.rmtree, folder, ignore_errors=True)
        Path(folder).mkdir(0o700)
        if fcntl is None:
            return folder
        try:
            lock = os.open(folder, os.O_RDONLY)
        except FileNotFoundError:  # somebody took it for a leftover before it was locked
            continue
        stack.callback(os.close, lock)
        with contextlib.suppress(OSError):  # a file system without locks: nobody takes it for a leftover then
            fcntl.flock(lock, fcntl.LOCK_EX)
        if Path(folder).exists():  # nobody took it for a leftover meanwhile
            return folder


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

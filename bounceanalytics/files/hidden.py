"""Hidden names beside a name: locked while they are in use, and removed where a process was killed."""

from __future__ import annotations

import contextlib
import glob
import hashlib
import os
import secrets
from typing import TYPE_CHECKING

from bounceanalytics.errors import OutputError
from bounceanalytics.files import disk

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

# suffixes of what is being written, of a set on its way to its place, and of the file that tells that it is in use
PART, WHOLE, LOCK = ".part", ".whole", ".lock"
_PATIENCE = 30  # seconds to wait for another one who is giving files their names
_LONG_NAME = 200  # bytes; hidden names have some more, and 255 is the most of most file systems


@contextlib.contextmanager
def reserved_name(home: Path, name: str, places: Iterable[Path]) -> Iterator[Path]:
    """Yield a hidden name that nobody else uses, after removing what killed processes left in some places.

    Folders that are made for it go again where nothing comes of it.
    """
    stem = stem_of(name)
    part = home / f".{stem}.{secrets.token_hex(4)}{PART}"
    made = [one for one in (home, *home.parents) if not one.exists()]
    try:
        home.mkdir(parents=True, exist_ok=True)
        with locked(part.with_suffix(LOCK)):
            for place in places:
                _remove_leftovers(place, stem, part)
            try:
                yield part
            finally:
                disk.surely(disk.remove, part)
    except BaseException:
        part.with_suffix(LOCK).unlink(missing_ok=True)  # where Ctrl-C came while it was made
        for folder in made:
            with contextlib.suppress(OSError):  # somebody may use it meanwhile
                folder.rmdir()
        raise


@contextlib.contextmanager
def turn(home: Path, name: str) -> Iterator[None]:
    """Wait until nobody else gives files their names here, or raise OutputError."""
    import filelock  # noqa: PLC0415 - see locked

    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(locked(home / f".{stem_of(name)}{LOCK}", wait=_PATIENCE))
        except filelock.Timeout:
            raise OutputError(
                f"another program is writing {home / name}; wait for it, or choose another name"
            ) from None
        yield


@contextlib.contextmanager
def locked(lock: Path, wait: float = -1) -> Iterator[None]:
    """Hold a lock that tells others that something is in use; the system drops it when the process dies."""
    import filelock  # noqa: PLC0415 - needed by those who write, and slow to import

    with filelock.FileLock(lock, timeout=wait):
        try:
            yield
        finally:
            if os.name != "nt":  # others who wait for it see that it is gone; Windows removes no open file
                disk.surely(lock.unlink, missing_ok=True)
    if os.name == "nt":
        with contextlib.suppress(PermissionError):  # who waits for it has it open, and removes it
            lock.unlink(missing_ok=True)


def stem_of(name: str) -> str:
    """Return what hidden names beside a name begin with: the name, or a sum of one that leaves no room for more."""
    encoded = os.fsencode(name)
    return name if len(encoded) <= _LONG_NAME else hashlib.sha256(encoded).hexdigest()[:32]


def _remove_leftovers(home: Path, stem: str, own: Path) -> None:
    """Remove what killed processes were writing: that whose lock nobody holds."""
    import filelock  # noqa: PLC0415 - see locked

    for lock in home.glob(f".{glob.escape(stem)}.*{LOCK}"):
        part = lock.with_suffix(PART)
        if part == own:
            continue
        with contextlib.suppress(OSError, filelock.Timeout):
            with filelock.FileLock(lock, blocking=False):
                disk.remove(part)
            lock.unlink(missing_ok=True)

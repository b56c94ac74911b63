"""Notes of a dataset's state, errors of its files, and the lock of whoever writes it."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import json
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bounceanalytics.errors import OutputError, SourceError
from bounceanalytics.files import complete_folder, is_between, is_remote, place, write_text

if TYPE_CHECKING:
    from collections.abc import Iterator

STATE = "_state"
#: What the parts are told apart by: the time of their rows, or the share of the addresses that they hold.
KINDS = ("month", "partition")
#: Name of the part of rows without a time.
NO_MONTH = "none"
ABOUT = "dataset.json"
_PATIENCE = 2  # seconds; two moves take less
_LONG_NAME = 240  # bytes; names beside it have some more, and 255 is the most of most file systems
_FORMAT = 1
_SUM = "sum"


def is_dataset(path: Any) -> bool:
    """Return whether a path is that of a dataset of this package."""
    if is_remote(path):
        return importlib.util.find_spec("upath") is not None and (place(path) / STATE / ABOUT).is_file()
    if not isinstance(path, (str, os.PathLike)):
        return False
    about = os.path.join(path, STATE, ABOUT)  # noqa: PTH118 - Path's own raises where it is no path
    if not os.path.isfile(about):  # noqa: PTH113
        with contextlib.suppress(OSError, ValueError):
            _complete(Path(path).absolute())
    return os.path.isfile(about)  # noqa: PTH113


def replaced(path: Path) -> SourceError:
    """Return the error that says so."""
    return SourceError(f"{path} was replaced by another dataset while it was read; read it again")


def read_about(path: Path) -> dict[str, Any]:
    """Return what a dataset says about itself."""
    about = read_note(path / STATE / ABOUT)
    if about.get("format") != _FORMAT:
        raise SourceError(f"the dataset {path} was written by another version; convert into a new folder")
    return about


def write_about(path: Path, kind: str, **facts: Any) -> None:
    """Write what a dataset says about itself; from here on it is one."""
    about = {"format": _FORMAT, "kind": kind, "id": secrets.token_hex(8), **facts}
    write_note(path / STATE / ABOUT, about)


def write_note(file: Path, facts: dict[str, Any]) -> None:
    """Write facts as a note of the state."""
    write_text(file, note_of(facts))


def note_of(facts: dict[str, Any]) -> str:
    """Return facts as a note of the state, which tells whether it is as it was written."""
    return json.dumps({**facts, _SUM: _sum_of(json.loads(json.dumps(facts)))})


def read_note(file: Path) -> dict[str, Any]:
    """Return the facts of a note.

    Raises
    ------
    SourceError
        If it is gone, or not as it was written.
    """
    try:
        facts = json.loads(file.read_text(encoding="utf-8"))
        found = facts.pop(_SUM, None)  # earlier versions wrote none
        if found in (None, _sum_of(facts)):
            return dict(facts)
    except OSError as error:
        raise unreadable(file, error) from None
    except (ValueError, AttributeError, TypeError, RecursionError):
        pass
    raise damaged(file)


def _sum_of(facts: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]


def content_of(file: Path) -> str:
    """Return what tells a file from all that have another content."""
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "blake2b").hexdigest()[:32]
    except OSError as error:
        raise unreadable(file, error) from None


def unreadable(file: Path, error: Exception) -> SourceError:
    """Return the error that says why a file of a dataset cannot be read: gone, as the system says, or damaged."""
    if isinstance(error, FileNotFoundError):
        return replaced(file.parent.parent)
    if isinstance(error, OSError) and error.errno:
        return SourceError(f"{file} cannot be read: {os.strerror(error.errno)}")
    return damaged(file)


def damaged(file: Path) -> SourceError:
    """Return the error that says so of a file of a dataset."""
    return SourceError(
        f"{file.parent.name}/{file.name} of the dataset {file.parent.parent} is damaged;"
        " convert into a new folder, or with overwrite=True"
    )


@contextlib.contextmanager
def alone(out: Path, *, wait: float = 0) -> Iterator[None]:
    """Hold a dataset for us, or refuse to; it is let go when the process ends, however it does.

    Parameters
    ----------
    out : pathlib.Path
    wait : float, default 0
        Seconds to wait for another one who holds it.
    """
    import filelock  # noqa: PLC0415 - slow to import, and only needed here

    file = _lock_of(out)
    file.parent.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(file, timeout=wait)
    try:
        lock.acquire()
    except filelock.Timeout:
        raise OutputError(f"another program is writing {out}; wait for it, or name another folder") from None
    try:
        yield
    finally:
        if (
            os.name != "nt" and file.parent.name != STATE
        ):  # where it cannot be removed while it is open, and goes by itself
            file.unlink(missing_ok=True)
        lock.release()


def _complete(path: Path) -> None:
    """Finish what a process left that was killed while it gave a dataset its place; wait for one that is at it."""
    if is_between(path):
        with contextlib.suppress(OutputError), alone(path, wait=_PATIENCE):
            complete_folder(path)


def is_movable(out: Path) -> bool:
    """Return whether another folder can take the place of a dataset: its parent, its name and its disk allow it."""
    parent = next((one for one in out.parents if one.exists()), out)
    return os.access(parent, os.W_OK) and len(os.fsencode(out.name)) < _LONG_NAME and not out.is_mount()


def _lock_of(out: Path) -> Path:
    """Return the file that whoever writes a dataset holds: beside the folder, where that may be moved away."""
    out = out.resolve()
    return out.with_name(f".{out.name}.lock") if is_movable(out) else out / STATE / "lock"

"""Sets of files in one folder: all of one set is there, or nothing of it."""

from __future__ import annotations

import contextlib
import glob
import os
from typing import TYPE_CHECKING

from bounceanalytics.files import disk
from bounceanalytics.files.hidden import LOCK, WHOLE, locked, reserved_name, stem_of, turn
from bounceanalytics.files.refusals import one_sentence, refuse_existing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

_AWAY = ".old"  # in a set on its way: the files whose place it takes
_GONE = ".gone"  # in a set on its way: names of files of the set before it that it does not have


@contextlib.contextmanager
def whole_files(
    folder: Path,
    *,
    overwrite: bool,
    last: str | None = None,
    earlier: Callable[[], Iterable[Path]] = tuple,
) -> Iterator[Path]:
    """Yield a fresh folder; what it holds afterwards moves into ``folder``, all of it or nothing.

    Parameters
    ----------
    folder : Path
        Made if it is not there, in one step with its files. Otherwise files move in one by one, after those of the same
        name have moved away, so that at no moment files of two sets stand side by side.
    overwrite : bool
        Whether files may be replaced. Asked when they move in, since somebody may have come first.
    last : str, optional
        The file that moves away first and in last, so that who sees it sees all of one set.
    earlier : callable, optional
        Returns the files in ``folder`` of the set before; those that the new one does not have go away. Asked when it
        moves in.

    Yields
    ------
    Path
        A hidden folder on the same file system. An error or an interrupt removes it and leaves ``folder`` as it was.
        A killed process leaves it behind, and no part of a file under its final name; the next one that writes there
        removes it, or, where it was moving in, goes on with that, as :func:`complete_files` does.

    Raises
    ------
    OutputError
        If files exist, or something cannot be written.
    """
    with one_sentence(folder):
        home = folder if folder.is_dir() else folder.parent
        complete_files(folder)
        with reserved_name(home, folder.name, {home, folder.parent}) as part:
            part.mkdir()
            yield part
            names = sorted((path.name for path in part.iterdir()), key=lambda name: (name == last, name))
            for name in names:
                disk.flush(part / name)
            disk.flush(part)
            _give_place(part, folder, names, earlier, overwrite=overwrite)
            disk.flush(folder)
            disk.flush(folder.parent)


def complete_files(folder: Path) -> None:
    """Go on with moving files into a folder where a process was killed that was at it; else do nothing."""
    with contextlib.suppress(OSError):  # of a folder that is only read
        if _on_their_way(folder):
            with turn(folder, folder.name):
                _complete(folder)


def _complete(folder: Path) -> None:
    for whole in _on_their_way(folder):
        with contextlib.suppress(OSError), locked(whole.with_suffix(LOCK), wait=0):
            (whole / _AWAY).mkdir(exist_ok=True)
            gone = (whole / _GONE).read_bytes() if (whole / _GONE).exists() else b""
            _move_away(whole, folder, [os.fsdecode(name) for name in gone.split(b"\0") if name])
            _move_in(
                whole, folder, [path.name for path in whole.iterdir() if path.name not in {_AWAY, _GONE}]
            )
            disk.flush(folder)
            _remove(whole)


def _on_their_way(folder: Path) -> list[Path]:
    pattern = f".{glob.escape(stem_of(folder.name))}.*{WHOLE}"
    return [one for home in (folder, folder.parent) for one in home.glob(pattern)]


def _give_place(
    part: Path, folder: Path, names: list[str], earlier: Callable[[], Iterable[Path]], *, overwrite: bool
) -> None:
    if not folder.is_dir():
        try:
            part.rename(folder)
        except OSError:
            if not folder.is_dir():
                raise
        else:
            return  # else somebody came first, with a folder of that name
    with turn(folder, folder.name):
        _complete(folder)
        gone = [path.name for path in earlier() if path.name not in names]
        refuse_existing((folder / name for name in [*names, *gone]), overwrite=overwrite)
        if gone:
            (part / _GONE).write_bytes(b"\0".join(map(os.fsencode, gone)))
            disk.flush(part / _GONE)
            disk.flush(part)
        whole = part.with_suffix(WHOLE)
        part.rename(whole)  # from here on, who finds it without a process goes on with it
        try:
            (whole / _AWAY).mkdir()
            _move_away(whole, folder, [*reversed(names), *gone])
            disk.flush(folder)
            _move_in(whole, folder, names)
            disk.flush(folder)
        except BaseException:
            disk.surely(_move_back, whole, folder, names)
            disk.surely(_rename, whole, part)
            raise
        disk.surely(_remove, whole)


def _remove(whole: Path) -> None:
    """Remove a set that has its place, with what it has taken the place of."""
    disk.remove(whole / _GONE)  # first: a file that comes to have such a name meanwhile is another one
    disk.remove(whole)


def _rename(old: Path, new: Path) -> None:
    if old.exists():
        old.rename(new)


def _move_away(whole: Path, folder: Path, names: list[str]) -> None:
    for name in names:
        if (folder / name).exists():
            (folder / name).rename(whole / _AWAY / name)


def _move_in(whole: Path, folder: Path, names: list[str]) -> None:
    for name in names:
        (whole / name).replace(folder / name)


def _move_back(whole: Path, folder: Path, names: list[str]) -> None:
    for name in names:
        if not (whole / name).exists():
            (folder / name).rename(whole / name)
    away = whole / _AWAY
    for path in list(away.iterdir()) if away.exists() else ():
        path.rename(folder / path.name)

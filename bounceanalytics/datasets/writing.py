"""Writing a dataset: whole, for us alone, and in the place of another one only when it is."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet

from bounceanalytics.datasets.dataset import Dataset
from bounceanalytics.datasets.state import (
    ABOUT,
    KINDS,
    STATE,
    alone,
    content_of,
    is_dataset,
    is_movable,
    read_about,
    read_note,
    write_about,
    write_note,
)
from bounceanalytics.errors import OutputError
from bounceanalytics.files import (
    HiddenFiles,
    is_remote,
    is_there,
    name_too,
    one_sentence,
    path_of,
    refuse_existing,
    remove_folder,
    whole_folder,
)

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator


#: Note of what each part of a dataset was made of.
_PARTS = "parts.json"


@dataclass(frozen=True, slots=True)
class Part:
    """A file of a dataset that is to be written.

    Attributes
    ----------
    place : pathlib.Path
        Of the file in the folder.
    source : pathlib.Path
        File that it is made of.
    tables : iterator of pyarrow.Table
        Its rows.
    """

    place: Path
    source: Path
    tables: Iterator[pa.Table]


def write_dataset(
    out: str | os.PathLike[str],
    kind: str,
    parts: Iterable[Part],
    *,
    made: dict[str, str | None],
    overwrite: bool,
) -> Dataset:
    """Write a dataset, which is one only when all of it is there.

    One that was made the same way is written anew as a whole, too, but from it are taken the parts that are as they
    were written and whose sources have not changed.

    Parameters
    ----------
    out : path
        Its folder.
    kind : str
        ``events`` or ``bounces``.
    parts : iterable of Part
    made : dict of str to str
        What it is made of and how; the names say what it is called in a message.
    overwrite : bool
        Begin anew where there is a dataset, which stays as it is until the new one is whole.

    Raises
    ------
    OutputError
        If there is something already.
    """
    out = folder_of(out)
    goes_on = not overwrite and is_dataset(out) and _is_replaceable(out.resolve())
    with room_for(out, overwrite=overwrite, goes_on=goes_on, anew=True) as home:
        # asked when nobody else can write it any more
        earlier = _made_before(out, kind, made) if goes_on else {}
        written = {}
        for part in parts:
            name = part.place.as_posix()
            written[name] = content_of(part.source)
            if earlier.get(name) == written[name]:
                name_too(out / part.place, home / part.place)
            else:
                _write_part(home / part.place, part.tables)
        files = {name: _seal_of(home / name) for name in written if (home / name).exists()}
        write_note(home / STATE / _PARTS, {"made": made, "parts": written, "files": files})
        write_about(home, kind)
    return Dataset(out)


def folder_of(out: str | os.PathLike[str]) -> Path:
    """Return the folder on disk that a dataset is to be written into.

    Raises
    ------
    OutputError
        If it is a URL, or no path.
    """
    if is_remote(out):
        raise OutputError(f"{out} is a URL; a dataset there is made by bounceanalytics.distributed")
    return path_of(out, OutputError).expanduser()


def _made_before(out: Path, kind: str, made: dict[str, str | None]) -> dict[str, str]:
    """Return the whole parts of a dataset that was made the same way, and the content that each was made of."""
    if read_about(out)["kind"] != kind or None in made.values() or not (out / STATE / _PARTS).exists():
        refuse_existing([out], overwrite=False, folders=True)
    facts = read_note(out / STATE / _PARTS)
    for what, how in made.items():
        if facts["made"].get(what) != how:
            raise OutputError(
                f"{out} was made with other {what}: name another folder, or begin anew with overwrite=True"
            )
    files = facts.get("files", {})  # not in notes of earlier versions
    return {
        name: content for name, content in facts["parts"].items() if _is_whole(out / name, files.get(name))
    }


def _seal_of(file: Path) -> list[int]:
    """Return what a file that is written again, or cut, hardly has in common with the one that it was."""
    facts = file.stat()
    return [facts.st_size, facts.st_mtime_ns]


def _is_whole(file: Path, seal: list[int] | None) -> bool:
    """Return whether a part is as it was written, as far as that is told without reading all of it."""
    try:
        pa.parquet.read_metadata(file)  # a loss of power may leave the size, and nothing in it
        return seal in (None, _seal_of(file))
    except (pa.ArrowException, OSError, ValueError):
        return False


def _write_part(path: Path, tables: Iterator[pa.Table]) -> None:
    """Write a file, whole or not at all."""
    files = HiddenFiles()
    writer = None
    try:
        for table in tables:
            writer = writer or pa.parquet.ParquetWriter(
                files.new(path), table.schema, compression="zstd", write_page_checksum=True
            )
            writer.write_table(table.cast(writer.schema))
    finally:
        if writer:
            writer.close()
    files.reveal()


@contextlib.contextmanager
def room_for(out: Path, *, overwrite: bool, goes_on: bool = False, anew: bool = False) -> Iterator[Path]:
    """Yield the folder to write a dataset into, for us alone: its own, or one that takes its place when all is well.

    Parameters
    ----------
    out : pathlib.Path
    overwrite : bool
        Begin anew where there is a dataset, which stays as it is until the new one is whole; where it cannot be moved,
        or other things lie in its folder, it is thrown away first.
    goes_on : bool, default False
        A dataset that is there is fine, since it is added to.
    anew : bool, default False
        Another one takes its place in any case: nothing that an interrupted run left is of use.

    Raises
    ------
    OutputError
        If there is something else, or a dataset that may be neither replaced nor added to, or is being written.
    """
    check_room(out, overwrite=overwrite, goes_on=goes_on)
    if is_remote(out):  # stores know no folders that could be moved
        if overwrite and is_dataset(out):
            _clear(out)
        yield out
        return
    with one_sentence(out), alone(out):
        check_room(out, overwrite=overwrite, goes_on=goes_on)  # somebody may have come first
        place = out.resolve()
        replaces = overwrite and is_dataset(place)
        if (replaces or anew) and _is_replaceable(place):
            with whole_folder(place) as home:
                yield home
        else:
            if replaces or anew:
                _clear(place)
            yield place


def _is_replaceable(out: Path) -> bool:
    """Return whether another folder can take the place of one, and nobody needs it but us."""
    if not is_movable(out):
        return False
    here = Path.cwd()
    return out != here and out not in here.parents and (not out.exists() or all(map(_ours, out.iterdir())))


def _clear(out: Path) -> None:
    # the folder stops being a dataset first, so that a half-deleted one is never taken for whole
    (out / STATE / ABOUT).unlink(missing_ok=True)
    for part in [part for kind in KINDS for part in out.glob(f"{kind}=*")]:
        remove_folder(part)
    for file in (out / STATE).glob("*") if (out / STATE).exists() else ():
        if file.name != "lock":
            remove_folder(file) if file.is_dir() else file.unlink()


def check_room(out: Path, *, overwrite: bool, goes_on: bool = False) -> None:
    """Refuse a folder that holds something else, or a dataset that may be neither replaced nor added to.

    Raises
    ------
    OutputError
        If it does.
    """
    there = is_there(out)
    if there and not out.is_dir():
        raise OutputError(f"{out} is a file; name a folder for the dataset")
    if is_dataset(out):
        refuse_existing([out], overwrite=overwrite or goes_on, folders=True)
    elif there and any(not _ours(part) for part in out.iterdir()):
        raise OutputError(f"{out} holds other things than a dataset; name a new or an empty folder")


def _ours(part: Path) -> bool:
    """Return whether an entry may be what an interrupted run left."""
    return part.is_dir() and (part.name == STATE or part.name.partition("=")[0] in KINDS)

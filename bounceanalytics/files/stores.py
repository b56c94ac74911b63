"""Steps that are taken alike on disk and in a store."""

from __future__ import annotations

import contextlib
import shutil
from typing import TYPE_CHECKING

from bounceanalytics.errors import OutputError
from bounceanalytics.files import disk
from bounceanalytics.files.one_file import whole_file
from bounceanalytics.files.places import is_remote
from bounceanalytics.files.refusals import one_sentence
from bounceanalytics.files.several_folders import HiddenFiles

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def publish(part: Path, path: Path) -> None:
    """Give a finished file on disk its place: whole or not at all, instead of one that is there."""
    if is_remote(path):
        with _stored(path):
            # never through an open file, which stores what it has got also where it is closed by an error
            path.fs.put_file(str(part), path.path)  # type: ignore[attr-defined]
        part.unlink()
        return
    with whole_file(path, overwrite=True) as hidden:
        shutil.move(part, hidden)


def write_text(path: Path, text: str) -> None:
    """Write a text, whole or not at all, instead of what is there."""
    if is_remote(path):
        with _stored(path):
            path.write_text(text, encoding="utf-8")
        return
    files = HiddenFiles()
    with one_sentence(path):
        try:
            files.new(path).write_text(text, encoding="utf-8")
            files.reveal()
        except BaseException:
            files.discard()
            raise


def remove_folder(path: Path) -> None:
    """Remove a folder with all that is in it, if it is there."""
    if is_remote(path):
        path.fs.rm(path.path, recursive=True)  # type: ignore[attr-defined]
    else:
        disk.remove_folder(path)


@contextlib.contextmanager
def _stored(path: Path) -> Iterator[None]:
    """Turn an error of a store, each of which raises what its own libraries do, into one sentence."""
    try:
        yield
    except Exception as error:
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise OutputError(
            f"{path} cannot be written: {why}; what is done stays, so run the same again"
        ) from None

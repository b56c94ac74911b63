"""Files in several folders that get their names together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bounceanalytics.files import disk
from bounceanalytics.files.refusals import one_sentence

if TYPE_CHECKING:
    from pathlib import Path


class HiddenFiles:
    """Files in any folders that are written under hidden names, and get their own names together.

    For folders that one process at a time writes to: it knows a hidden file that it finds there for what a killed one
    left.
    """

    def __init__(self) -> None:
        self._paths: list[Path] = []

    def new(self, path: Path) -> Path:
        """Return the hidden name of a file; its folder is made if it is not there."""
        with one_sentence(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        self._paths.append(path)
        return _hidden_name(path)

    @property
    def paths(self) -> list[Path]:
        """The files that are written, by the names that they will have."""
        return list(self._paths)

    def reveal(self) -> None:
        """Give the files their own names, so that all of them last, also after a loss of power."""
        for path in self._paths:
            with one_sentence(path):
                disk.flush(_hidden_name(path))
        for path in self._paths:
            with one_sentence(path):
                _hidden_name(path).replace(path)
        folders = {path.parent for path in self._paths}
        for folder in folders | {folder.parent for folder in folders}:  # a folder may be new itself
            with one_sentence(folder):
                disk.flush(folder)
        self._paths.clear()

    def discard(self) -> None:
        """Remove the files."""
        for path in self._paths:
            _hidden_name(path).unlink(missing_ok=True)
        self._paths.clear()


def _hidden_name(path: Path) -> Path:
    return path.with_name(f".{path.name}")

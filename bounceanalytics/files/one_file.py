"""One file that is there whole or not at all."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from bounceanalytics.files import disk
from bounceanalytics.files.hidden import reserved_name, turn
from bounceanalytics.files.refusals import one_sentence, refuse_existing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextlib.contextmanager
def whole_file(path: Path, *, overwrite: bool) -> Iterator[Path]:
    """Yield a hidden name; what is written under it becomes the file, whole or not at all.

    Parameters
    ----------
    path : Path
        Its folder is made if it is not there.
    overwrite : bool
        Whether it may replace a file. Asked again before it does, since somebody may have come first.

    Yields
    ------
    Path
        A name beside the file. An error or an interrupt removes what is there; what a killed process left is removed by
        the next one that writes the same file.

    Raises
    ------
    OutputError
        If the file exists, or cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with whole_file(Path(folder, "a.txt"), overwrite=False) as part:
    ...         written = part.write_text("all of it")
    ...     Path(folder, "a.txt").read_text()
    'all of it'
    """
    refuse_existing([path], overwrite=overwrite)
    with one_sentence(path):
        place = path.resolve()  # a link stays one, and leads to the new file
        with reserved_name(place.parent, place.name, {place.parent}) as part:
            yield part
            disk.flush(part)
            with turn(place.parent, place.name):
                refuse_existing([path], overwrite=overwrite)
                part.replace(place)
            disk.flush(place.parent)


def write_whole(path: Path, content: bytes, *, overwrite: bool) -> None:
    """Write a file as :func:`whole_file` does."""
    with whole_file(path, overwrite=overwrite) as part:
        part.write_bytes(content)

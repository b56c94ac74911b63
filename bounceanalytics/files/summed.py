"""New files that know their size and checksum."""

from __future__ import annotations

import hashlib
from typing import IO, TYPE_CHECKING, Self

if TYPE_CHECKING:
    from pathlib import Path


class SummedFile:
    """A new file that knows its size and checksum.

    Attributes
    ----------
    bytes : int
        Written so far.
    """

    def __init__(self, path: Path) -> None:
        self._raw: IO[bytes] = path.open("wb")
        self._digest = hashlib.sha256()
        self.bytes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._raw.close()

    def write(self, data: bytes | memoryview) -> None:
        """Write all of it."""
        self._raw.write(data)
        self._digest.update(data)
        self.bytes += len(data)

    @property
    def sha256(self) -> str:
        """SHA-256 of what was written so far."""
        return self._digest.hexdigest()

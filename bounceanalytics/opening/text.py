"""Lines of bytes as text; bytes that are not UTF-8 come from a program that wrote Windows' Western code page."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

from bounceanalytics.opening.sources import DAMAGED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO

BOM = b"\xef\xbb\xbf"
_WESTERN = "bounceanalytics.western"


def _western(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)  # noqa: S101
    return error.object[error.start : error.end].decode("cp1252", errors="replace"), error.end


codecs.register_error(_WESTERN, _western)


def decoded(raw: bytes) -> str:
    """Return bytes as text; each byte that is not UTF-8 is one of Windows-1252."""
    return raw.decode("utf-8", errors=_WESTERN)


def lines_of(stream: IO[bytes]) -> Iterator[bytes]:
    """Yield lines with their ends; of a cut archive, what could be unpacked."""
    try:
        yield from stream
    except DAMAGED:
        return

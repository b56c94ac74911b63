"""Small files that somebody wrote by hand, or that tell what a run did: policies, rules, manifests."""

from __future__ import annotations

import errno
import re
import tomllib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

#: Bytes of a policy, of a file of rules or of a manifest, which are read at once; all rules of ours take 400,000.
_LARGEST = 4 * 1024**2

#: A key of a hundred parts: the parser keeps each beginning of it.
_KEY = r"""(?:[\w-]++|"[^"\n]*"|'[^'\n]*')"""
_DEEP_KEY = re.compile(rf"(?<![\w-]){_KEY}(?:[ \t]*\.[ \t]*{_KEY}){{99}}")


def settings_text(path: Path) -> str:
    """Return the text of a small file that somebody wrote by hand, or that tells what a run did.

    Raises
    ------
    OSError, UnicodeDecodeError
        If it cannot be read, is too large to be one, or is no text.
    """
    with path.open("rb") as file:
        content = file.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        raise OSError(
            errno.EFBIG,
            f"it has more than {_LARGEST:,} bytes, and is no such file; name the one that is meant",
        )
    return content.decode("utf-8-sig")


def parsed_toml(text: str) -> dict[str, Any]:
    """Return what a text in TOML says; ValueError where it is none, or is nested too deeply."""
    try:
        if not _DEEP_KEY.search(text):
            return tomllib.loads(text)
    except RecursionError:
        pass
    raise ValueError("it is nested too deeply")

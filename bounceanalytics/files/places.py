"""Paths that callers give: of files and folders, and of objects in a store."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, cast

from bounceanalytics.errors import MissingExtraError, SourceError
from bounceanalytics.privacy import is_content, shown

if TYPE_CHECKING:
    from bounceanalytics.errors import BounceAnalyticsError

# a drive of Windows has one letter; the web has no folders
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_STORE = re.compile(r"(?!https?:|file:)(?:[A-Za-z][A-Za-z0-9+.-]+::)*[A-Za-z][A-Za-z0-9+.-]+://")


def path_of(
    path: str | os.PathLike[str],
    error: type[BounceAnalyticsError] = SourceError,
    what: str = "a file or folder",
) -> Path:
    """Return a path on disk that a caller gave; content that was given in its place is refused, and not shown.

    Raises
    ------
    SourceError
        Or the ``error`` that is given.

    Examples
    --------
    >>> path_of('{"email": "ann@example.com"}')
    Traceback (most recent call last):
        ...
    bounceanalytics.errors.SourceError: <text of 28 characters> is no path of a file or folder; give its name
    """
    try:
        name = os.fsdecode(path)
    except TypeError:
        raise error(f"a value of type {type(path).__name__} is no path of {what}; give its name") from None
    if is_content(name) and not os.path.lexists(name):
        raise error(f"{shown(name)} is no path of {what}; give its name")
    if _URL.match(name) and not os.path.lexists(name):
        raise error(f"{shown(name)} is a URL; give the name of {what} on disk")
    return Path(name)


def place(path: str | os.PathLike[str]) -> Path:
    """Return a path, also that of an object in a store (``s3://bucket/events``), which is used as one on disk is.

    Raises
    ------
    MissingExtraError
        If it is a URL, and what gives URLs the face of a path is not installed.
    """
    if not is_remote(path):
        return path_of(path)
    try:
        from upath import UPath  # noqa: PLC0415 - an extra
    except ImportError:
        raise MissingExtraError(
            f"{path} is a URL, and a dataset there needs universal_pathlib; pip install 'bounceanalytics[dask]'"
        ) from None
    return cast("Path", UPath(path))


def is_remote(path: object) -> bool:
    """Return whether a path is that of an object in a store, or of a folder of such."""
    if isinstance(path, Path):
        return False
    named = isinstance(path, (str, os.PathLike)) or hasattr(path, "joinpath")
    return named and bool(_STORE.match(str(path)))


def is_same(path: Path, other: Path) -> bool:
    """Return whether two paths lead to one thing, which is there."""
    try:
        return path.samefile(other)
    except OSError:
        return False

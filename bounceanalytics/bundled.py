"""The samples that come with the package."""

from __future__ import annotations

from pathlib import Path

from bounceanalytics.errors import SourceError


def samples() -> Path:
    """Return the folder of the bundled samples: a mailing list and ten weeks of exports from three ESPs.

    Returns
    -------
    pathlib.Path
        A folder with ``list.csv`` and a folder of exports for each ESP; its ``README.md`` tells their story.

    Raises
    ------
    SourceError
        If the installation lacks them.

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> (ba.samples() / "list.csv").exists()
    True
    """
    package = Path(__file__).resolve().parent
    for folder in (package / "_samples", package.parent / "data" / "samples"):
        if folder.is_dir():
            return folder
    raise SourceError(
        f"the samples are not part of this installation (looked in {package}); install the package anew"
    )

"""Charts as image files, for slides, letters and tickets."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from bounceanalytics.errors import MissingExtraError, OutputError
from bounceanalytics.files import path_of, refuse_existing, require_folder, write_whole

if TYPE_CHECKING:
    import os
    from pathlib import Path

    import plotly.graph_objects as go

#: How a file name may end.
FORMATS = (".png", ".svg", ".pdf")

#: Pixels of a figure that does not say how high it is.
_HIGH = 450


def save(
    figure: go.Figure,
    path: str | os.PathLike[str],
    *,
    width: int = 1040,
    scale: float = 2,
    overwrite: bool = False,
) -> Path:
    """Write a figure to an image file, which is there whole or not at all.

    A browser that is on the machine draws it (Chrome, Chromium or Edge; ``BROWSER_PATH`` may name one), and nothing
    is fetched.

    Parameters
    ----------
    figure : plotly.graph_objects.Figure
        One of :mod:`bounceanalytics.charts`, or any other.
    path : path
        Its name ends in ``.png``, ``.svg`` or ``.pdf``.
    width : int, default 1040
        Width in pixels; the height is that of the figure. About 390 suits a chart that is ``compact``.
    scale : float, default 2
        Dots per pixel of a PNG: 2 is sharp on most screens and on paper.
    overwrite : bool, default False
        Replace a file that is there.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    MissingExtraError
        If kaleido is not installed; the extra ``images`` brings it.
    OutputError
        If there is no browser, the name ends in something else, the file is there already, or its folder is not.

    Examples
    --------
    >>> import tempfile
    >>> import bounceanalytics as ba
    >>> bounces = ba.classify(ba.load(ba.samples() / "exports" / "ses").events)
    >>> figure = ba.charts.reasons(ba.summarize_reasons(bounces))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     ba.charts.save(figure, f"{folder}/reasons.png").name
    'reasons.png'
    """
    path = path_of(path, OutputError).expanduser()
    _check(path, overwrite=overwrite)
    high = int(figure.layout.height or _HIGH)
    options = {"format": path.suffix.lower()[1:], "width": width, "height": high, "scale": scale}
    write_whole(path, _draw(figure, options), overwrite=overwrite)
    return path


def _check(path: Path, *, overwrite: bool) -> None:
    """Raise OutputError where a file cannot or should not be written; a browser need not be started to know."""
    if path.suffix.lower() not in FORMATS:
        raise OutputError(f"{path.name} does not end in {', '.join(FORMATS[:-1])} or {FORMATS[-1]}")
    require_folder(path)
    refuse_existing([path], overwrite=overwrite)


def _draw(figure: go.Figure, options: dict[str, Any]) -> bytes:
    try:
        kaleido = importlib.import_module("kaleido")
        errors = importlib.import_module("kaleido.errors")
    except ImportError:
        raise MissingExtraError(
            "saving a chart as an image needs kaleido; pip install 'bounceanalytics[images]'"
        ) from None
    try:
        # without mathjax=False, the page that draws would fetch MathJax from the web; charts hold no formulas.
        # The sandbox of the browser is off unless asked for, so root in a container can draw, too.
        image: bytes = kaleido.calc_fig_sync(figure, opts=options, kopts={"mathjax": False})
    except errors.ChromeNotFoundError:
        raise OutputError(
            "no browser was found to draw the image; install Chrome or Chromium, or run plotly_get_chrome"
        ) from None
    except (errors.BrowserFailedError, errors.BrowserClosedError, errors.KaleidoError, TimeoutError) as error:
        raise OutputError(f"the browser could not draw the image ({type(error).__name__})") from None
    return image

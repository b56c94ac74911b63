"""Charts as image files: what is written, and what is said where nothing can be."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import pytest

from bounceanalytics import charts
from bounceanalytics.charts import images
from bounceanalytics.errors import MissingExtraError, OutputError

#: A file of each kind begins so.
BEGINS = {".png": b"\x89PNG", ".svg": b"<svg", ".pdf": b"%PDF"}


@pytest.fixture
def figure() -> go.Figure:
    return go.Figure(go.Bar(x=[1, 2], y=["a", "b"], orientation="h"), layout={"height": 200})


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Draw nothing, and note how it was asked for."""
    asked: list[dict[str, Any]] = []

    def draw(figure: go.Figure, options: dict[str, Any]) -> bytes:
        asked.append(options)
        return b"image"

    monkeypatch.setattr(images, "_draw", draw)
    return asked


def leftovers(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.browser
@pytest.mark.parametrize("suffix", BEGINS)
def test_a_file_of_each_kind(figure: go.Figure, tmp_path: Path, suffix: str) -> None:
    pytest.importorskip("kaleido")
    try:
        path = charts.save(figure, tmp_path / f"chart{suffix}", width=300, scale=2)
    except OutputError as error:
        if os.environ.get("BOUNCEANALYTICS_REQUIRE_BROWSER") == "1":
            raise
        pytest.skip(str(error))
    content = path.read_bytes()
    assert content.startswith(BEGINS[suffix])
    if suffix == ".png":
        assert (int.from_bytes(content[16:20]), int.from_bytes(content[20:24])) == (600, 400)
    assert leftovers(tmp_path) == [path.name]


def test_width_and_scale_are_passed_on_and_the_height_is_that_of_the_figure(
    figure: go.Figure, drawn: list[dict[str, Any]], tmp_path: Path
) -> None:
    assert charts.save(figure, str(tmp_path / "a.PNG")) == tmp_path / "a.PNG"
    charts.save(go.Figure(), tmp_path / "b.svg", width=390, scale=1)
    assert drawn == [
        {"format": "png", "width": 1040, "height": 200, "scale": 2},
        {"format": "svg", "width": 390, "height": 450, "scale": 1},
    ]
    assert leftovers(tmp_path) == ["a.PNG", "b.svg"]


def test_a_file_that_is_there_is_kept_unless_told_otherwise(
    figure: go.Figure, drawn: list[dict[str, Any]], tmp_path: Path
) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"old")
    with pytest.raises(OutputError, match=r"a\.png exists; pass overwrite=True"):
        charts.save(figure, path)
    assert path.read_bytes() == b"old"
    assert not drawn
    charts.save(figure, path, overwrite=True)
    assert path.read_bytes() == b"image"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a.gif", r"a\.gif does not end in \.png, \.svg or \.pdf"),
        ("a", "does not end in"),
        ("nowhere/a.png", "there is no folder .*nowhere"),
        ("folder.png", "is a folder; name a file in it"),
    ],
)
def test_a_place_that_does_not_do_is_named(
    figure: go.Figure, drawn: list[dict[str, Any]], tmp_path: Path, name: str, message: str
) -> None:
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(OutputError, match=message):
        charts.save(figure, tmp_path / name, overwrite=True)
    assert not drawn
    assert leftovers(tmp_path) == ["folder.png"]


def test_without_kaleido_the_extra_is_named(
    figure: go.Figure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> Any:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(images.importlib, "import_module", missing)
    with pytest.raises(MissingExtraError, match=r"needs kaleido; pip install 'bounceanalytics\[images\]'"):
        charts.save(figure, tmp_path / "a.png")
    assert leftovers(tmp_path) == []


def test_without_a_browser_it_is_said_how_to_get_one(
    figure: go.Figure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("kaleido")
    monkeypatch.setenv("BROWSER_PATH", str(tmp_path / "no-such-browser"))
    with pytest.raises(
        OutputError, match=r"no browser was found .*; install Chrome or Chromium, or run plotly_get_chrome"
    ):
        charts.save(figure, tmp_path / "a.png")
    assert leftovers(tmp_path) == []


@pytest.mark.skipif(shutil.which("false") is None, reason="there is no program that fails at once")
def test_a_browser_that_fails_leaves_the_old_file(
    figure: go.Figure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("kaleido")
    monkeypatch.setenv("BROWSER_PATH", str(shutil.which("false")))
    path = tmp_path / "a.svg"
    path.write_bytes(b"old")
    with pytest.raises(OutputError, match="the browser could not draw the image"):
        charts.save(figure, path, overwrite=True)
    assert path.read_bytes() == b"old"
    assert leftovers(tmp_path) == ["a.svg"]

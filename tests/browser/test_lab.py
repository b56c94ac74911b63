"""The notebooks in a real JupyterLab: every cell runs, every chart is drawn, and nothing comes from a network."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("jupyterlab")
pytestmark = [pytest.mark.browser, pytest.mark.slow]

NOTEBOOKS = sorted((Path(__file__).resolve().parents[2] / "notebooks").glob("*.ipynb"))
MARKS = ":is(.barlayer, .scatterlayer, .heatmaplayer, .iciclelayer) :is(path, rect, image)"

#: Cells that are out of view are drawn as well, and nobody is asked about news.
SETTINGS = {
    "@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"},
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
}

#: Cells that show a chart, or a table.
CHART = re.compile(r"^ba\.charts\.\w+\(", re.MULTILINE)
TABLE = re.compile(r"^ba\.table\(", re.MULTILINE)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start JupyterLab on copies of the notebooks, with no setting of this machine."""
    home = tmp_path_factory.mktemp("lab")
    folder = home / "notebooks"
    folder.mkdir()
    for path in NOTEBOOKS:
        shutil.copy(path, folder)
    overrides = home / "config" / "labconfig"
    overrides.mkdir(parents=True)
    (overrides / "default_setting_overrides.json").write_text(json.dumps(SETTINGS))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = {
        name: str(home / name.lower()) for name in ("JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    }
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        "--no-browser",
        "--allow-root",
        "--ip=127.0.0.1",
        f"--port={port}",
    ]
    command += [f"--ServerApp.root_dir={folder}", "--IdentityProvider.token=", "--ServerApp.password="]
    with (home / "log").open("w") as log:
        server = subprocess.Popen(
            command,
            env=os.environ | own | {"JUPYTER_CONFIG_DIR": str(home / "config")},
            stdout=log,
            stderr=log,
        )
        address = f"http://127.0.0.1:{port}"
        try:
            _wait_for(address, server, home / "log")
            yield address
        finally:
            server.terminate()
            server.wait(30)


def _wait_for(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(240):
        if server.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"{address}/api", timeout=5):  # noqa: S310 - our own server
                return
        except OSError:
            time.sleep(0.25)
    pytest.fail(f"JupyterLab did not start:\n{log.read_text()[-2000:]}")


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, id=path.stem, marks=pytest.mark.huge if number else ())
        for number, path in enumerate(NOTEBOOKS)
    ],
)
def test_every_cell_runs_and_every_chart_is_drawn(lab: str, browser: Any, path: Path, tmp_path: Path) -> None:
    import nbformat  # reads grammars for seconds, and every worker collects all tests

    cells = [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    elsewhere: list[str] = []
    page = browser.new_page(viewport={"width": 1280, "height": 900})

    def guard(route: Any) -> None:
        if route.request.url.startswith((lab, "data:", "blob:")):
            route.continue_()
        else:
            elsewhere.append(route.request.url)
            route.abort()

    page.route("**/*", guard)
    page.goto(f"{lab}/lab/workspaces/{path.stem}/tree/{path.name}?reset")
    notebook = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")
    notebook.locator(".jp-CodeCell").first.wait_for(timeout=60_000)
    page.locator("#jp-main-statusbar >> text=/Python 3.*Idle/").wait_for(timeout=60_000)
    page.locator(".lm-MenuBar-itemLabel", has_text=re.compile("^Run$")).click()
    page.locator(".lm-Menu-itemLabel", has_text=re.compile("^Run All Cells$")).click()
    done = "(count) => [...document.querySelectorAll('.jp-NotebookPanel:not(.lm-mod-hidden) .jp-CodeCell .jp-InputArea-prompt')].filter((prompt) => /\\[\\d+\\]/.test(prompt.textContent)).length >= count"  # noqa: E501
    page.wait_for_function(done, arg=len(cells), timeout=180_000)
    page.wait_for_timeout(1000)
    errors = notebook.locator(
        "[data-mime-type='application/vnd.jupyter.stderr'], [data-mime-type='application/vnd.jupyter.error']"
    )
    # where the tests run there may be no network, and the notebook says so
    assert [text for text in errors.all_inner_texts() if "NoNetworkWarning" not in text] == []
    charts = sum(bool(CHART.search(source)) for source in cells)
    plots = notebook.locator(".js-plotly-plot")
    assert plots.count() == charts
    for number in range(charts):
        plots.nth(number).scroll_into_view_if_needed()
        plots.nth(number).locator(MARKS).first.wait_for(state="attached", timeout=20_000)
    tables = notebook.locator(".jp-OutputArea-output table:has(caption)")
    assert tables.count() == sum(bool(TABLE.search(source)) for source in cells)
    assert all(table.locator("td").count() for table in tables.all()), "the samples have rows for each"
    _photograph(page, notebook, path.stem, tmp_path)
    page.close()
    assert elsewhere == []


def _photograph(page: Any, notebook: Any, name: str, folder: Path) -> None:
    """Save what the notebook looks like, for people to look at: all of it, from its first cell on."""
    folder = Path(os.environ.get("BOUNCEANALYTICS_PICTURES", folder))
    folder.mkdir(parents=True, exist_ok=True)
    high = notebook.locator(".jp-WindowedPanel-viewport").evaluate("(cells) => cells.offsetHeight")
    page.set_viewport_size({"width": 1280, "height": int(high) + 100})
    page.wait_for_timeout(500)
    notebook.locator(".jp-WindowedPanel-outer").evaluate("(panel) => panel.scrollTo(0, 0)")
    page.wait_for_timeout(500)
    notebook.screenshot(path=folder / f"{name}.png")

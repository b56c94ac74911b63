"""The notebooks run from top to bottom with a real kernel and are kept without outputs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser.chromium import chromium

NOTEBOOKS = sorted((Path(__file__).resolve().parents[2] / "notebooks").glob("*.ipynb"))


def test_there_are_notebooks() -> None:
    assert [path.stem for path in NOTEBOOKS] == [
        "01_explore_bounces",
        "02_clean_a_list",
        "03_share_domain_patterns",
        "04_watch_full_systems",
    ]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_kept_without_outputs(path: Path) -> None:
    import nbformat  # reads grammars for seconds, and every worker collects all tests

    cells = nbformat.read(path, as_version=4).cells
    code = [cell for cell in cells if cell.cell_type == "code"]
    assert code
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # the kernel's own libraries warn about event loops
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_runs(path: Path, tmp_path: Path) -> None:
    if chromium():
        pytest.skip("a JupyterLab in Chromium runs it, and looks at the same: tests/browser/test_lab.py")
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    streams = [
        output.text for output in outputs if output.output_type == "stream" and output.name == "stderr"
    ]
    assert streams == [], "a notebook shows no warnings"
    figures = [output for output in outputs if "application/vnd.plotly.v1+json" in output.get("data", {})]
    drawn = sum("\nba.charts." in f"\n{cell.source}" for cell in notebook.cells)
    assert len(figures) == drawn
    assert all(figure["data"]["application/vnd.plotly.v1+json"]["data"] for figure in figures)
    pages = [output.get("data", {}).get("text/html", "") for output in outputs]
    tables = [html for html in pages if "<caption>" in html]
    assert len(tables) == sum("\nba.table(" in f"\n{cell.source}" for cell in notebook.cells)
    assert all("<td" in html for html in tables), "the samples have rows for each"

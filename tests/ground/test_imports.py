"""What is loaded when: computing needs nothing that draws or writes, and an import is quick."""

from __future__ import annotations

import ast
import importlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import bounceanalytics as ba

#: Packages that draw and write; whoever loads, classifies, decides and cleans needs none of them.
DRAWING = ("plotly", "jinja2", "xlsxwriter", "kaleido")

CLASSIFYING = """
bounces = ba.classify(ba.load(ba.samples() / "exports" / "mailgun" / "events_week_01_page_2.json").events)
ba.explain(bounces[bounces["reason"].notna()].iloc[0])
"""

COMPUTING = f"""{CLASSIFYING}
from bounceanalytics.history import History
with History.open(bounces) as history:
    ba.decide(history), ba.incidents(history), ba.recovery(history), ba.unclassified(bounces)
    for name in ba.__all__:
        if name.startswith("summarize_"):
            getattr(ba, name)(history)
"""


WORKBOOK = """
import tempfile
ba.report(bounces, tempfile.mkdtemp() + "/report.xlsx")
"""


def loaded(*programs: str) -> list[set[str]]:
    """Return which packages a new Python has loaded after each of some programs, one after the other."""
    tell = "\nprint(json.dumps(sorted(sys.modules)))\n"
    ask = "import json, sys\nimport bounceanalytics as ba\n" + tell.join([*programs, ""])
    told = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True).stdout
    found = [{name.partition(".")[0] for name in json.loads(line)} for line in told.splitlines()]
    assert len(found) == len(programs)
    return found


@pytest.fixture(scope="module")
def step_by_step(once: Callable[..., Any]) -> dict[str, set[str]]:
    """Return what one Python has loaded after an import, after all that computes, and after a workbook."""
    names = ("import", "computing", "workbook")
    return once("imports", lambda: dict(zip(names, loaded("", COMPUTING, WORKBOOK), strict=True)))


def test_an_import_loads_nothing_that_only_some_need(step_by_step: dict[str, set[str]]) -> None:
    rare = ("scipy", "filelock", "IPython", "fsspec", "dask", "click", "rich", "dns", "whodap")
    assert step_by_step["import"].isdisjoint({*DRAWING, *rare})


def test_an_import_loads_no_frames_and_no_engine(step_by_step: dict[str, set[str]]) -> None:
    assert step_by_step["import"].isdisjoint({"pandas", "numpy", "pyarrow", "duckdb"})


def test_every_public_name_is_found_where_type_checkers_see_it() -> None:
    """What is loaded on first use is the same that the imports for type checkers name."""
    source = ast.parse(Path(str(ba.__file__)).read_text(encoding="utf-8"))
    imports = [node for node in ast.walk(source) if isinstance(node, ast.ImportFrom)]
    seen = {one.asname or one.name: (node.module, one.name) for node in imports for one in node.names}
    for name in ba.__all__:
        module, original = seen[name]
        assert getattr(ba, name) is getattr(importlib.import_module(str(module)), original), name


def test_computing_loads_nothing_that_draws(step_by_step: dict[str, set[str]]) -> None:
    assert step_by_step["computing"].isdisjoint(DRAWING)


@pytest.mark.parametrize(
    "program",
    [
        "ba.charts.domains",
        "from bounceanalytics import *; charts.domains",
    ],
)
def test_charts_are_loaded_on_use(program: str) -> None:
    assert loaded(program)[0].intersection(DRAWING) == {"plotly"}


def test_a_workbook_needs_no_plotly(step_by_step: dict[str, set[str]]) -> None:
    assert step_by_step["workbook"].intersection(DRAWING) == {"xlsxwriter"}


def test_the_rooms_of_reports_and_charts_do_not_hide_what_is_public() -> None:
    program = (
        "import bounceanalytics.report.page, bounceanalytics.charts.bars\nba.report.__call__, ba.charts.save"
    )
    assert loaded(program)[0] >= {"plotly", "jinja2"}


def test_dir_tells_every_public_name_and_others_are_refused() -> None:
    assert set(ba.__all__) <= set(dir(ba))
    with pytest.raises(AttributeError, match="no attribute 'chart'"):
        ba.chart  # noqa: B018

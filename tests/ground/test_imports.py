"""What is loaded when: computing needs nothing that draws or writes, and an import is quick."""

from __future__ import annotations

import json
import subprocess
import sys

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


def loaded(program: str, *names: str) -> set[str]:
    """Return which of the packages a new Python has loaded after a program."""
    ask = f"import json, sys\nimport bounceanalytics as ba\n{program}\nprint(json.dumps(sorted(sys.modules)))"
    told = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True).stdout
    return {name.partition(".")[0] for name in json.loads(told)}.intersection(names)


def test_an_import_loads_nothing_that_only_some_need() -> None:
    rare = ("scipy", "filelock", "IPython", "fsspec", "dask", "click", "rich", "dns", "whodap")
    assert not loaded("", *DRAWING, *rare)


def test_computing_loads_nothing_that_draws() -> None:
    assert not loaded(COMPUTING, *DRAWING)


@pytest.mark.parametrize(
    "program",
    [
        "ba.charts.domains",
        "from bounceanalytics import *; charts.domains",
    ],
)
def test_charts_are_loaded_on_use(program: str) -> None:
    assert loaded(program, *DRAWING) == {"plotly"}


def test_a_workbook_needs_no_plotly() -> None:
    program = f"""{CLASSIFYING}
import tempfile
ba.report(bounces, tempfile.mkdtemp() + "/report.xlsx")
"""
    assert loaded(program, *DRAWING) == {"xlsxwriter"}


def test_the_rooms_of_reports_and_charts_do_not_hide_what_is_public() -> None:
    program = (
        "import bounceanalytics.report.page, bounceanalytics.charts.bars\nba.report.__call__, ba.charts.save"
    )
    assert loaded(program, "plotly", "jinja2") == {"plotly", "jinja2"}


def test_dir_tells_every_public_name_and_others_are_refused() -> None:
    assert set(ba.__all__) <= set(dir(ba))
    with pytest.raises(AttributeError, match="no attribute 'chart'"):
        ba.chart  # noqa: B018

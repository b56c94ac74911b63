"""The benchmarks run, with so few events that nothing is timed, and their pages have what they say."""

from __future__ import annotations

import hashlib
import importlib
import json
import re
import subprocess
import sys
from itertools import product
from pathlib import Path
from typing import Any

import pytest

import bounceanalytics as ba

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
STEPS = [
    "Load",
    "Load and classify",
    "Classify",
    "Decide",
    "Summaries",
    "Storms",
    "Report",
    "Clean",
    "Convert",
]
BROKEN = [
    "What breaks first",
    "What fits into a worker",
    "How long it takes",
    "The shuffle",
    "Small files",
    "Tables of addresses and of keys",
    "One provider's partition",
]


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return what imports a benchmark by its name."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module


@pytest.fixture
def measure(module: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    measure = module("measure")
    monkeypatch.setattr(measure, "FOLDER", tmp_path)
    return measure


def titles(text: str) -> list[str]:
    return re.findall(r"^##+ (.*)$", text, flags=re.MULTILINE)


def digest(lines: Any) -> str:
    return hashlib.sha256("".join(lines).encode()).hexdigest()[:16]


@pytest.mark.parametrize(
    ("provider", "expected"),
    [("sendgrid", "a3b15825686ef4ab"), ("ses", "f1628a647d966c9a"), ("mailgun", "cd95f1c82fcf0636")],
)
def test_the_same_seed_gives_the_same_bytes_as_ever(module: Any, provider: str, expected: str) -> None:
    events = module("generate").MAKERS[provider]
    assert digest(events(300)) == expected
    assert digest(events(300, varied=True, recipients=50)) == digest(events(300, varied=True, recipients=50))
    assert digest(events(300, seed=2)) != expected


@pytest.mark.parametrize(
    ("provider", "wrap"),
    [
        *product(["sendgrid", "ses", "mailgun"], [None]),
        ("ses", "sns"),
        ("ses", "eventbridge"),
        ("mailgun", "webhook"),
    ],
)
def test_varied_events_load_like_others(module: Any, tmp_path: Path, provider: str, wrap: str | None) -> None:
    path = tmp_path / "events.ndjson"
    module("generate").write(path, 400, provider, wrap=wrap, varied=True, recipients=60, domains=7, new=1.0)
    load = ba.load(path)
    assert load.files["provider"].tolist() == [provider]
    assert len(load.rejects) == 0
    assert len(load.events) >= 400
    assert load.events["recipient"].nunique() <= 60
    assert load.events["domain"].nunique() <= 7
    texts = load.events["diagnostic"].dropna().astype(str)
    assert texts.str.contains("[^\\x00-\\x7f]").any()
    assert texts.str.contains("(?s)später erneut versuchen.{1,20}Noch").any()  # of two lines


def test_ways_take_turns_and_are_compared(measure: Any) -> None:
    ways = {
        "bare": "start = begin()\ndone(start, number)",
        "twice": "start = begin()\ndone(start, 2 * number, found=words)",
        "killed": "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)",
        "left out": "",
    }
    results = measure.compare(ways, 2, at_most={"twice": 1, "left out": 0}, number=21, words=["a"])
    assert {name: len(runs) for name, runs in results.items()} == {"bare": 2, "twice": 1, "killed": 0}
    assert results["twice"][0].more == {"found": ["a"]}
    assert results["bare"][0].peak > 1
    rows = measure.rows_of(results, size=1e6, against={"x": "bare"})
    assert [row["rows"] for row in rows[:2]] == ["21", "42"]
    assert rows[0]["x"] == "1.00"
    assert rows[2]["seconds"] == "killed: not enough memory"
    lines = measure.markdown(rows).splitlines()
    assert len({len(line) for line in lines}) == 1
    assert len(lines) == 5


def test_a_program_that_fails_says_why(measure: Any) -> None:
    with pytest.raises(SystemExit, match="no such thing"):
        measure.run("raise ValueError('no such thing')")


def test_a_page_is_written_between_its_marks(measure: Any, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("one\n<!-- a -->\nold\n<!-- end of a -->\ntwo\n", "utf-8")
    measure.into(page, "a", "new")
    assert page.read_text("utf-8") == "one\n<!-- a -->\nnew\n<!-- end of a -->\ntwo\n"
    with pytest.raises(SystemExit, match="lacks the marks"):
        measure.into(page, "b", "new")


def test_the_fit_finds_what_it_was_made_of(module: Any) -> None:
    model = module("cost_model")
    true = {"events": 2e-6, "recipients": 5e-6, "domains": 0.0, "texts": 1e-5}
    points = [
        {
            "counts": (
                counts := {
                    name: 1e6 * getattr(point, {"texts": "new"}.get(name, name)) + 1000 for name in true
                }
            ),
            "steps": {"decide": {"seconds": 0.7 + sum(true[name] * counts[name] for name in true)}},
        }
        for point in model.FIT
    ]
    cost = model.fit(points, "decide", "seconds")
    assert cost.fixed == pytest.approx(0.7, abs=1e-6)
    assert cost.each == pytest.approx(true, abs=1e-10)
    assert model.error(cost, points[0], "decide", "seconds") == pytest.approx(0, abs=1e-6)


def test_pages_have_a_section_for_each_step(root: Path, module: Any) -> None:
    results = (BENCHMARKS / "RESULTS.md").read_text("utf-8")
    assert titles(results) == STEPS
    assert "- Machine: " in results
    model = module("cost_model")
    measured = json.loads((BENCHMARKS / "COST_MODEL.json").read_text("utf-8"))
    page = (root / "docs" / "scale.md").read_text("utf-8")
    assert titles(model.arithmetic(measured)) == BROKEN
    for title in [*titles(model.tables(measured)), *BROKEN]:
        assert f"### {title}\n" in page


@pytest.mark.slow
@pytest.mark.parametrize("path", sorted(BENCHMARKS.glob("*.py")), ids=lambda path: path.stem)
def test_each_program_says_how_it_is_called(path: Path) -> None:
    if "__main__" in path.read_text("utf-8"):
        told = subprocess.run([sys.executable, path, "--help"], capture_output=True, text=True, check=True)
        assert "usage: " in told.stdout


@pytest.mark.slow
@pytest.mark.huge
def test_every_step_is_measured(tmp_path: Path) -> None:
    out = tmp_path / "RESULTS.md"
    options = ["--quick", "--count", "2000", "--rounds", "1", "--out", out]
    subprocess.run([sys.executable, BENCHMARKS / "bench.py", *options], check=True, capture_output=True)
    assert titles(out.read_text("utf-8")) == STEPS
    assert "killed" not in out.read_text("utf-8")


@pytest.mark.slow
@pytest.mark.huge
def test_costs_are_measured_and_written(
    module: Any,
    measure: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    model, convert = module("cost_model"), module("convert")
    monkeypatch.setattr(convert, "FOLDER", tmp_path)
    for name, value in {"FIT": model.FIT[:2], "CHECK": model.FIT[2:3], "CUTS": (1, 4)}.items():
        monkeypatch.setattr(model, name, value)
    page, measured = tmp_path / "page.md", tmp_path / "measured.json"
    marks = ("cost model", "arithmetic")
    page.write_text("".join(f"<!-- {name} -->\n<!-- end of {name} -->\n" for name in marks), "utf-8")
    words = ["cost_model.py", "--unit", "2000", "--measured", str(measured), "--into", str(page)]
    monkeypatch.setattr(sys, "argv", words)
    model.main()
    text = page.read_text("utf-8")
    assert [title for title in titles(text) if title in BROKEN] == BROKEN
    assert len(json.loads(measured.read_text("utf-8"))["fit"]) == 2
    monkeypatch.setattr(sys, "argv", [*words, "--page"])
    model.main()
    assert page.read_text("utf-8") == text

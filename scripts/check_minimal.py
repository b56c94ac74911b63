"""Install the built wheel with what it needs and nothing else, and use it from there: the samples, the verbs, the demo.

What only an extra or the test tools bring must not be needed, and must be asked for by name where it is.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path

from environments import ROOT, build_wheel, make_environment

PROGRAM = """
import json
from importlib.resources import files
from importlib.util import find_spec

import bounceanalytics as ba

bounces = ba.classify(ba.load(ba.samples() / "exports").events)
try:
    ba.charts.save(ba.charts.reasons(ba.summarize_reasons(bounces)), "reasons.png")
except ba.MissingExtraError as error:
    missing = str(error)
print(json.dumps({
    "file": ba.__file__,
    "samples": str(ba.samples()),
    "typed": files("bounceanalytics").joinpath("py.typed").is_file(),
    "extras": [name for name in ("IPython", "fsspec", "itables", "kaleido", "pytest") if find_spec(name)],
    "missing": missing,
    "events": len(bounces),
    "removed": int((ba.decide(bounces)["verdict"] == "remove").sum()),
    "reason": ba.classify_text(["550 5.3.1 Mail system full"])["reason"].iloc[0],
}))
"""


def check(folder: Path) -> None:
    """Raise AssertionError where the wheel is not whole."""
    wheel = build_wheel(folder / "dist")
    python = make_environment(folder / "minimal", str(wheel), "--constraints", str(ROOT / "constraints.txt"))

    # -I keeps the working folder and the user's packages out of sight
    told = subprocess.run(
        [python, "-I", "-c", PROGRAM], check=True, stdout=subprocess.PIPE, text=True, cwd=folder
    )
    facts = json.loads(told.stdout.splitlines()[-1])
    for name in ("file", "samples"):
        assert Path(facts[name]).is_relative_to(folder / "minimal"), facts
    assert facts["typed"], facts
    assert facts["extras"] == [], facts
    assert "bounceanalytics[images]" in facts["missing"], facts
    assert facts["events"] > 10_000, facts
    assert facts["removed"] > 50, facts
    assert facts["reason"] == "system_full", facts

    command = python.with_name("bounceanalytics")
    explained = subprocess.run([command, "explain", "5.3.1"], check=True, stdout=subprocess.PIPE, text=True)
    assert "Mail system full" in explained.stdout
    subprocess.run([command, "demo", "--out", folder / "demo"], check=True, stdout=subprocess.DEVNULL)
    assert (folder / "demo" / "report.html").stat().st_size > 100_000
    assert (folder / "demo" / "cleaned" / "kept.csv").exists()
    print(f"{wheel.name} does its work with what it needs and nothing else")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        check(Path(name).resolve())

"""The wheel is whole: built, installed into an empty environment and used from there, samples included."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

PROGRAM = """
import json
from importlib.resources import files
import bounceanalytics as ba

bounces = ba.classify(ba.load(ba.samples() / "exports").events)
verdicts = ba.decide(bounces)
ba.report(bounces, "report.html")
cleaned = ba.clean(ba.samples() / "list.csv", bounces, "cleaned")
print(json.dumps({
    "file": ba.__file__,
    "samples": str(ba.samples()),
    "typed": files("bounceanalytics").joinpath("py.typed").is_file(),
    "events": len(bounces),
    "removed": int((verdicts["verdict"] == "remove").sum()),
    "reason": ba.classify_text(["550 5.3.1 Mail system full"])["reason"].iloc[0],
    "explained": str(ba.explain("5.3.1"))[:200],
}))
"""


@pytest.mark.slow
def test_wheel_in_an_empty_environment(root: Path, tmp_path: Path) -> None:
    # no build isolation from the outside world is needed: build makes an environment of its own
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--outdir", str(tmp_path / "dist"), str(root)],
        check=True,
        capture_output=True,
    )
    (wheel,) = (tmp_path / "dist").glob("*.whl")

    environment = tmp_path / "empty"
    venv.create(environment, with_pip=True)
    python = environment / ("Scripts" if os.name == "nt" else "bin") / "python"
    pip = [str(python), "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
    subprocess.run([*pip, "-c", str(root / "constraints.txt"), str(wheel)], check=True, capture_output=True)

    # -I keeps the working folder and the user's packages out of sight
    answer = subprocess.run(
        [str(python), "-I", "-c", PROGRAM], check=True, capture_output=True, text=True, cwd=tmp_path
    )
    facts = json.loads(answer.stdout.splitlines()[-1])
    assert str(environment) in facts["file"]
    assert str(environment) in facts["samples"]
    assert facts["typed"]
    assert facts["events"] > 10_000
    assert facts["removed"] > 50
    assert facts["reason"] == "system_full"
    assert "5.3.1" in facts["explained"]
    assert (tmp_path / "report.html").stat().st_size > 100_000
    assert (tmp_path / "cleaned" / "kept.csv").exists()

    command = python.with_name("bounceanalytics" + (".exe" if os.name == "nt" else ""))
    shown = subprocess.run([str(command), "explain", "5.3.1"], check=True, capture_output=True, text=True)
    assert "Mail system full" in shown.stdout

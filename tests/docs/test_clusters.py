"""The page on clusters: its example runs as it is written."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import bounceanalytics as ba


@pytest.mark.slow
def test_the_example_runs(root: Path, tmp_path: Path) -> None:
    text = (root / "docs" / "clusters.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"^```python\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)
    (tmp_path / "exports").symlink_to(ba.samples() / "exports" / "mailgun")
    (tmp_path / "example.py").write_text(example, encoding="utf-8")
    ran = subprocess.run(
        [sys.executable, "example.py"], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300
    )
    assert ran.returncode == 0, ran.stderr
    events = ba.load(tmp_path / "exports").events
    assert len(ba.Dataset(tmp_path / "bounces")) == len(events)
    kept = ba.decide(ba.classify(events))["verdict"].value_counts()["keep"]
    assert re.search(rf"^keep +{kept}$", ran.stdout, flags=re.MULTILINE)

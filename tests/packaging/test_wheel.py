"""The wheel is whole: built, installed into an empty environment and used from there, samples included."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_wheel_in_an_empty_environment(root: Path) -> None:
    done = subprocess.run(
        [sys.executable, root / "scripts" / "check_minimal.py"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr

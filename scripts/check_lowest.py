"""Run the examples and some tests with the lowest versions that pyproject.toml allows."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from environments import ROOT, install, make_environment

#: What touches every verb and every dependency, and is soon done.
TESTS = (
    "bounceanalytics",
    "tests/samples",
    "tests/cli",
    "tests/finding",
    "tests/report/test_workbook_report.py",
)


def main() -> None:
    """End with what pytest ends with."""
    with tempfile.TemporaryDirectory() as name:
        python = make_environment(Path(name) / "lowest", "--resolution", "lowest-direct", str(ROOT))
        install(python, "pytest", "pytest-xdist", "hypothesis")
        options = ("-m", "not slow and not hypothesis", "-p", "no:cacheprovider", "-n", "logical")
        sys.exit(subprocess.run([python, "-m", "pytest", *TESTS, *options], cwd=ROOT, check=False).returncode)


if __name__ == "__main__":
    main()

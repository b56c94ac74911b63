"""What the tests of the command line share: a small set of exports, and a list that was cleaned."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_cli import run


@pytest.fixture(scope="session")
def exports(samples: Path) -> Path:
    """Return a third of the samples, where a part says as much as the whole."""
    return samples / "exports" / "mailgun"


@pytest.fixture(scope="session")
def cleaned(once: Callable[..., Any], samples: Path, session_folder: Path) -> Path:
    """Return a folder with two runs of cleaning, by two policies."""

    def clean_twice() -> Path:
        for policy in ("default", "strict"):
            given = [samples / "list.csv", samples / "exports", "--policy", policy]
            done = run("clean", *given, "--out", session_folder / "cleaned" / policy)
            assert done.exit_code == 0, done.output
        return session_folder / "cleaned"

    return once("cleaned", clean_twice)

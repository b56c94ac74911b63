"""What the tests of the command line share: a small set of exports, and a list that was cleaned."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import bounceanalytics as ba
from tests.cli.test_cli import run


@pytest.fixture(scope="session")
def exports(once: Callable[..., Any], samples: Path, session_folder: Path) -> Path:
    """Return a third of the samples as a dataset, which every verb takes as it takes exports, and sooner."""
    path = session_folder / "exports.parquet"
    return once("exports", lambda: ba.convert(samples / "exports" / "mailgun", path).path)


@pytest.fixture
def few(samples: Path, tmp_path: Path) -> Path:
    """Return a folder with an export of each ESP, one of them damaged."""
    folder = tmp_path / "few"
    folder.mkdir()
    for name in (
        "mailgun/webhooks_weeks_07-09.ndjson.gz",
        "sendgrid/suppression_blocks.csv",
        "ses/suppressed_destinations.json",
    ):
        shutil.copy(samples / "exports" / name, folder)
    return folder


@pytest.fixture(scope="session")
def cleaned(once: Callable[..., Any], samples: Path, exports: Path, session_folder: Path) -> Path:
    """Return a folder with two runs of cleaning, by two policies."""

    def clean_twice() -> Path:
        for policy in ("default", "strict"):
            given = [samples / "list.csv", exports, "--policy", policy]
            done = run("clean", *given, "--out", session_folder / "cleaned" / policy)
            assert done.exit_code == 0, done.output
        return session_folder / "cleaned"

    return once("cleaned", clean_twice)

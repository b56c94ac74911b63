"""Fixtures that every test may use."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the project's root folder."""
    return ROOT


@pytest.fixture(scope="session")
def samples() -> Path:
    """Return the folder of the bundled samples."""
    return ROOT / "data" / "samples"


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder beside the project that holds further material, or skip where it is absent."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip("../shared is not there")
    return folder

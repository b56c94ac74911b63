"""The arena that all attacks of a session share."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from tests.attacks.attack import Arena


@pytest.fixture(scope="session")
def arena() -> Iterator[Arena]:
    """Return the process that carries out attacks."""
    if sys.platform != "linux":
        pytest.skip("attacks fork, and are watched through /proc")
    with Arena() as one:
        yield one

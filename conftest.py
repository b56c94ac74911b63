"""Examples in docstrings run with the tests, and share the samples, which most of them load, classify or decide on."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any

import pytest
from _pytest.doctest import DoctestItem

import bounceanalytics as ba
from tests.browser.chromium import require_chromium

#: Examples that draw images with a browser, which takes its time.
MANY = "bounceanalytics.report.save_charts"
DRAWING = {"bounceanalytics.charts.images.save", MANY}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let examples that draw images be slow ones, and the one that draws all of them run before a release only."""
    for item in items:
        if isinstance(item, DoctestItem) and item.name in DRAWING:
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.browser)
            if item.name == MANY:
                item.add_marker(pytest.mark.huge)


class Shared:
    """Remembers what a function made of the samples: they are files, and frames made of them, all known here."""

    def __init__(self) -> None:
        self.made: dict[Hashable, Any] = {}
        self.known: dict[int, Any] = {}

    def once(self, function: Callable[..., Any], given: Callable[[Any], Any] = lambda value: value) -> Any:
        """Return a function that makes the same of the same only once."""

        def shared(value: Any, *rest: Any, **options: Any) -> Any:
            if rest or options or not (isinstance(value, Path) or id(value) in self.known):
                return function(value, *rest, **options)
            key = (function.__name__, value if isinstance(value, Path) else id(value))
            if key not in self.made:
                self.made[key] = function(value)
                self.known[id(given(self.made[key]))] = given(self.made[key])
            return self.made[key]

        return shared


@pytest.fixture(scope="session")
def shared_samples() -> dict[str, Callable[..., Any]]:
    """Return the verbs with which examples begin, each of which does the same work once."""
    shared = Shared()
    return {
        "load": shared.once(ba.load, lambda load: load.events),
        "classify": shared.once(ba.classify),
        "decide": shared.once(ba.decide),
    }


@pytest.fixture(autouse=True)
def _examples_share_the_samples(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if isinstance(request.node, DoctestItem):
        if request.node.get_closest_marker("browser"):
            require_chromium()
        for name, function in request.getfixturevalue("shared_samples").items():
            monkeypatch.setattr(ba, name, function)

"""A page in headless Chromium that fails the test for anything it should not do."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.chromium import require_chromium


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Start Chromium once; skip without one, or fail where the environment demands it."""
    from playwright.sync_api import sync_playwright

    found = require_chromium()
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        yield chromium
        chromium.close()


@contextlib.contextmanager
def watched_pages(browser: Any) -> Iterator[Callable[..., Any]]:
    """Yield a function that opens a file; console errors, script errors and requests to elsewhere are errors here."""
    complaints: list[str] = []
    pages = []

    def open_file(path: Path, **options: Any) -> Any:
        page = browser.new_page(**options)
        pages.append(page)

        def guard(route: Any) -> None:
            if route.request.url.startswith(("file:", "data:", "blob:")):
                route.continue_()
            else:
                complaints.append(f"request to {route.request.url}")
                route.abort()

        page.route("**/*", guard)
        page.on("console", lambda message: message.type == "error" and complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(path.resolve().as_uri())
        if page.locator("#plotly").count():  # a report unpacks itself first
            page.locator("html[data-ready]").wait_for(state="attached")
        return page

    yield open_file
    for page in pages:
        page.close()
    assert complaints == []


@pytest.fixture
def open_page(browser: Any) -> Iterator[Callable[..., Any]]:
    """Return a function that opens a file; console errors, script errors and requests to elsewhere fail the test."""
    with watched_pages(browser) as open_file:
        yield open_file


@pytest.fixture(scope="module")
def keep_page(browser: Any) -> Iterator[Callable[..., Any]]:
    """Return the same for pages that stay open for several tests, of which the last one fails."""
    with watched_pages(browser) as open_file:
        yield open_file

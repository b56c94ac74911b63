"""Whether there is a browser, and whether there must be one."""

from __future__ import annotations

import os
import shutil
from functools import cache
from pathlib import Path

import pytest

#: Where Chromium may be, besides the one that playwright installs.
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@cache
def chromium() -> str | None:
    """Return the path of Chromium on this machine."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        try:
            from playwright.sync_api import sync_playwright
        except ImportError:
            return None
        with sync_playwright() as playwright:
            own = playwright.chromium.executable_path
        found = own if Path(own).exists() else None
    return found


def require_chromium() -> str:
    """Return the path of Chromium; without one, skip the test, or fail it where the environment demands a browser."""
    found = chromium()
    if found is None:
        why = f"no Chromium was found (looked for {', '.join(NAMES)} and playwright's own)"
        if os.environ.get("BOUNCEANALYTICS_REQUIRE_BROWSER") == "1":
            pytest.fail(f"BOUNCEANALYTICS_REQUIRE_BROWSER=1, and {why}")
        pytest.skip(why)
    return found

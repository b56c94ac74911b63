"""Draw the pictures of the README from the samples, with Chromium; ``make pictures`` calls it.

Beside the pictures lies ``made_from.json``, a hash of what each was drawn from. A test holds these against the samples
and the code of today, so that no picture goes stale unnoticed.

    python scripts/make_pictures.py
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
import tempfile
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bounceanalytics as ba
from bounceanalytics.report.contents import compute
from bounceanalytics.report.page import draw

if TYPE_CHECKING:
    from bounceanalytics.charts.theme import ThemeName

PICTURES = Path(__file__).resolve().parent.parent / "docs" / "pictures"
MADE_FROM = PICTURES / "made_from.json"
TITLE = "Ten weeks of a newsletter"

#: Charts of the report that have a picture of their own.
CHARTS = ("domains", "bounce_types", "codes", "domain_trends", "system_full")


def hashes() -> dict[str, str]:
    """Return a hash for each picture of what it shows, as the samples and the code have it today."""
    bounces = ba.classify(ba.load(ba.samples() / "exports").events)
    contents = compute(bounces)
    drawn = draw(contents)
    told = {
        f"{name}_{theme}": _rounded(_figure(drawn[name], theme))
        for name in drawn
        for theme in ("light", "dark")
    }
    page = [
        (resources.files("bounceanalytics.report") / "templates" / name).read_text(encoding="utf-8")
        for name in ("report.html.j2", "report.css")
    ]
    found = {f"chart_{name}_light.png": _hash([told[f"{name}_light"]]) for name in CHARTS}
    for theme in ("light", "dark"):
        figures = [told[f"{name}_{theme}"] for name in drawn]
        found[f"report_{theme}.png"] = _hash([*figures, *page, TITLE])
    return dict(sorted(found.items()))


def _figure(chart: Any, theme: ThemeName) -> Any:
    function, frames = chart
    return json.loads(function(*frames, theme=theme).to_json(validate=False))


def _rounded(value: Any) -> Any:
    """Return the same with numbers that no other machine has otherwise."""
    if isinstance(value, float):
        return round(value, 6)
    if isinstance(value, list):
        return [_rounded(one) for one in value]
    if isinstance(value, dict):
        return {name: _rounded(one) for name, one in value.items()}
    return value


def _hash(parts: list[Any]) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def main() -> None:
    """Draw all pictures."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - the test of the hashes does without a browser

    bounces = ba.classify(ba.load(ba.samples() / "exports").events)
    PICTURES.mkdir(parents=True, exist_ok=True)
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    found = next(filter(None, map(shutil.which, names)), None)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        report = ba.report(bounces, Path(folder) / "report.html", title=TITLE)
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        for theme in ("light", "dark"):
            page = browser.new_page(
                viewport={"width": 1280, "height": 860}, color_scheme=theme, device_scale_factor=1.5
            )
            page.goto(report.as_uri())
            page.locator("html[data-ready]").wait_for(state="attached")
            page.screenshot(path=PICTURES / f"report_{theme}.png")
            if theme == "light":
                for name in CHARTS:
                    chart = page.locator(f"figure:has([data-chart={name}])")
                    page.evaluate("document.querySelectorAll('details').forEach((one) => one.remove())")
                    chart.screenshot(path=PICTURES / f"chart_{name}_light.png")
        browser.close()
    MADE_FROM.write_text(json.dumps(hashes(), indent=2) + "\n", encoding="utf-8")
    for path in sorted(PICTURES.glob("*.png")):
        print(f"{path.name}: {path.stat().st_size / 1000:,.0f} kB")


if __name__ == "__main__":
    sys.exit(main())

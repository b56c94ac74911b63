"""The report in a browser: drawn, searchable, sortable, on a phone, in the dark, on paper."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bounceanalytics.report import report
from bounceanalytics.report.page import SHOWN_DOMAINS
from bounceanalytics.summaries import Summaries
from tests.classified import classified

pytestmark = pytest.mark.browser

CHARTS = [
    "bounce_types",
    "reasons",
    "codes",
    "domains",
    "domain_reasons",
    "domain_trends",
    "changes",
    "providers",
    "system_full",
]
#: Looks for texts that overlap or are cut.
FIT = Path(__file__).with_name("fit.js")
#: What traces consist of; axes, grids and legends are elsewhere.
MARKS = ":is(.barlayer, .scatterlayer, .heatmaplayer, .iciclelayer) :is(path, rect, image)"
DARK_INK = "rgb(27, 36, 48)"
WIDE = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}


def in_scheme(page: Any, scheme: str) -> Any:
    """Have a page drawn in the colours of a scheme."""
    page.emulate_media(color_scheme=scheme)
    # a change is told before the next frame is drawn
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    ink = page.evaluate("getComputedStyle(document.querySelector('[data-chart=domains] .ytick text')).fill")
    assert (ink == DARK_INK) == (scheme == "light")
    return page


@pytest.fixture(scope="module")
def shown(keep_page: Callable[..., Any], written: Path) -> Callable[..., Any]:
    """Return a function that shows the report: wide, where it opens light, or on a phone, where it opens dark."""
    pages: dict[int, Any] = {}

    def show(viewport: dict[str, int] = WIDE, scheme: str = "light") -> Any:
        width = viewport["width"]
        if width not in pages:
            first = "light" if viewport == WIDE else "dark"
            pages[width] = keep_page(written, viewport=viewport, color_scheme=first)
        return in_scheme(pages[width], scheme)

    return show


def marks(page: Any, name: str) -> int:
    return int(page.locator(f"[data-chart={name}] .plot-container {MARKS}").count())


@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_chart_is_drawn_and_nothing_overflows(
    shown: Callable[..., Any], viewport: dict[str, int], scheme: str
) -> None:
    page = shown(viewport, scheme)
    for name in CHARTS:
        page.locator(f"[data-chart={name}] .plot-container").wait_for()
        assert marks(page, name) > 0, name
    assert page.evaluate("document.documentElement.scrollWidth") == viewport["width"]
    assert page.evaluate(FIT.read_text(encoding="utf-8"), {f"plot-{name}": True for name in CHARTS}) == {}


@pytest.fixture(scope="module")
def unfolded(keep_page: Callable[..., Any], written: Path) -> Any:
    """Return the report with all that can be unfolded, as another script may look at it."""
    page = keep_page(written, viewport=WIDE, color_scheme="light", bypass_csp=True)
    for details in page.locator("details").all():
        details.evaluate("(element) => { element.open = true; }")
    return page


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(unfolded: Any, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    found = axe.Axe().run(in_scheme(unfolded, scheme)).response["violations"]
    assert [(one["id"], one["impact"], one["nodes"][0]["html"][:200]) for one in found] == []


def test_a_domain_beyond_the_first_page_is_found(open_page: Callable[..., Any], tmp_path: Path) -> None:
    rows = [
        {"recipient": f"zq@domain-{number}.example", "timestamp": None}
        for number in range(SHOWN_DOMAINS + 60)
    ]
    page = open_page(report(classified(rows), tmp_path / "report.html"), viewport=WIDE)
    lines = page.locator("#domain-table tbody tr")
    assert lines.count() == SHOWN_DOMAINS
    page.get_by_role("button", name="Show 60 more of 60").click()
    assert lines.count() == SHOWN_DOMAINS + 60
    assert not page.locator("#more").is_visible()
    page.get_by_label("Search domain").fill(f"domain-{SHOWN_DOMAINS + 59 - 1}.")
    assert lines.count() == 1
    page.get_by_role("button", name="Domain").click()  # sorts what is found, and all the rest
    page.get_by_label("Search domain").fill("")
    assert lines.locator("th").first.inner_text() == "domain-0.example"


def test_bars_are_as_many_as_domains(shown: Callable[..., Any], letter_summaries: Summaries) -> None:
    page = shown()
    hard = letter_summaries.domains["hard"]
    assert page.locator("[data-chart=domains] .bars .point").count() == (hard > 0).sum()


def test_charts_follow_the_colour_scheme(shown: Callable[..., Any]) -> None:
    page = shown(scheme="light")
    colour = "getComputedStyle(document.querySelector('[data-chart=domains] .ytick text')).fill"
    light = page.evaluate(colour)
    in_scheme(page, "dark")
    assert page.evaluate(colour) != light
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != "rgb(244, 245, 247)"


def test_search_filters_rows(shown: Callable[..., Any]) -> None:
    page = shown()
    rows = page.locator("#domain-table tbody tr:visible")
    assert rows.count() == 9
    page.get_by_label("Search domain").fill("FULL.EXAMPLE")
    assert rows.count() == 1
    assert rows.locator("th").inner_text() == "full.example"
    assert page.locator("#found").inner_text() == "1 of 9 domains"
    page.get_by_label("Search domain").fill("no such domain")
    assert rows.count() == 0
    page.get_by_label("Search domain").fill("")
    assert rows.count() == 9


def test_columns_sort_by_value_with_the_keyboard(shown: Callable[..., Any]) -> None:
    page = shown()
    column = page.locator("#domain-table tbody tr td:nth-child(4)")
    button = page.get_by_role("button", name="Attempted")
    button.focus()
    page.keyboard.press("Enter")
    numbers = [int(text.replace(",", "")) for text in column.all_inner_texts()]
    assert numbers == sorted(numbers, reverse=True)
    page.keyboard.press("Enter")
    numbers = [int(text.replace(",", "")) for text in column.all_inner_texts()]
    assert numbers == sorted(numbers)
    assert page.locator("#domain-table th[aria-sort]").get_attribute("aria-sort") == "ascending"
    page.get_by_role("button", name="Domain").click()
    names = page.locator("#domain-table tbody th").all_inner_texts()
    assert names == sorted(names)


def test_paper_is_light_and_charts_fit_on_it(open_page: Callable[..., Any], written: Path) -> None:
    page = open_page(written, viewport={"width": 700, "height": 1000}, color_scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    for name in CHARTS:
        box = page.locator(f"[data-chart={name}] .main-svg").first.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 700
        if page.locator(f"[data-chart={name}] .xtick text").count():  # boxes and small panels have none
            colour = f"getComputedStyle(document.querySelector('[data-chart={name}] .xtick text')).fill"
            assert page.evaluate(colour) == DARK_INK, name
    assert page.evaluate("getComputedStyle(document.querySelector('h2')).color") == DARK_INK
    assert page.evaluate("document.documentElement.scrollWidth") == 700
    assert not page.locator("nav").is_visible()


@pytest.mark.parametrize("rows", [[], [{"recipient": "zq@example.org"}]], ids=["no rows", "one row"])
def test_little_data_makes_a_page_too(
    open_page: Callable[..., Any], tmp_path: Path, rows: list[dict[str, Any]]
) -> None:
    page = open_page(report(classified(rows), tmp_path / "report.html"), viewport=WIDE)
    for name in CHARTS:
        page.locator(f"[data-chart={name}] .plot-container").wait_for()
    assert page.evaluate(FIT.read_text(encoding="utf-8"), {f"plot-{name}": False for name in CHARTS}) == {}
    assert page.locator("#domain-table tbody tr").count() == len(rows)


def test_markup_in_a_domain_does_not_run(open_page: Callable[..., Any], tmp_path: Path) -> None:
    evil = "<img src=x onerror=document.title='zq'></script><script>document.title='zq'</script>"
    rows = [
        {"recipient": "zq1@x", "domain": evil, "reason": "system_full"},
        {"recipient": "zq2@x", "domain": evil, "event": "delivered", "timestamp": "2026-03-03T10:00:00Z"},
    ]
    page = open_page(report(classified(rows), tmp_path / "report.html"), viewport=WIDE)
    page.locator("[data-chart=system_full] .plot-container").wait_for()
    page.locator("[data-chart=domains]").scroll_into_view_if_needed()
    bar = page.locator("[data-chart=domains] .point").first.bounding_box()
    assert bar is not None
    page.mouse.move(bar["x"] + bar["width"] / 2, bar["y"] + bar["height"] / 2)
    page.locator("[data-chart=domains] .hovertext").wait_for()
    assert "<img src=x" in page.locator("[data-chart=domains] .hovertext").text_content()
    assert page.title() == "Bounce report"
    assert page.locator("img").count() == 0

"""The pictures of the README show what the samples and the code give today."""

from __future__ import annotations

import json
import re
import runpy
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ROOT / "docs" / "pictures"


def test_pictures_are_those_of_today() -> None:
    script = runpy.run_path(str(ROOT / "scripts" / "make_pictures.py"))
    kept = json.loads((PICTURES / "made_from.json").read_text(encoding="utf-8"))
    assert script["hashes"]() == kept, "pictures are stale; run: make pictures"
    assert {path.name for path in PICTURES.glob("*.png")} == set(kept)


def test_the_readme_shows_pictures_that_are_there_and_says_what_they_show() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = re.findall(r"!\[([^\]]*)\]\((docs/pictures/[^)]+)\)", readme)
    assert len(shown) >= 3
    for words, path in shown:
        assert (ROOT / path).is_file(), path
        assert len(words.split()) >= 4, path


def test_pictures_are_small_enough_to_keep() -> None:
    assert all(path.stat().st_size < 300_000 for path in PICTURES.glob("*.png"))

"""The guides for contributors: the module in ADDING_ESPS.md reads an export, the changelog has its shape."""

from __future__ import annotations

import dataclasses
import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

import bounceanalytics as ba
from bounceanalytics import schema
from bounceanalytics.knowledge.rules import EspWord
from bounceanalytics.loading import finding


def block(page: Path, language: str) -> str:
    (found,) = re.findall(
        rf"^```{language}\n(.*?)^```", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE
    )
    return found


@pytest.fixture
def orchard(root: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(compile(block(root / "ADDING_ESPS.md", "python"), "ADDING_ESPS.md", "exec"), names)  # noqa: S102
    # "generic" stands in for a name that has no line in esps.py
    formats = tuple(dataclasses.replace(one, provider="generic") for one in names["FORMATS"])
    monkeypatch.setattr(finding, "FORMATS", formats)
    return names


def test_the_module_of_the_guide_reads_an_export(orchard: dict[str, Any], tmp_path: Path) -> None:
    event = {
        "kind": "returned",
        "recipient": "Ann <ann@example.com>",
        "orchard_id": "o-1",
        "at": "2026-11-20T08:00:00Z",
        "smtp": {"code": 550, "text": "5.1.1 no such user"},
        "class": "hard",
    }
    file = tmp_path / "events.ndjson"
    file.write_text("".join(json.dumps(event | {"orchard_id": f"o-{n // 2}"}) + "\n" for n in range(4)))
    page = json.dumps({"events": [event, event | {"kind": "new word", "orchard_id": "o-9"}]}).encode()
    events = ba.load(file).events
    assert events["event_id"].tolist() == ["o-0", "o-1"]
    first = events.iloc[0]
    assert (first["event"], first["recipient"], first["reply_code"], first["enhanced_code"]) == (
        "bounced",
        "ann@example.com",
        550,
        "5.1.1",
    )
    assert ba.load(page).events["event"].tolist() == ["bounced", "other"]
    assert set(orchard["EVENTS"].values()) <= set(schema.EVENTS)
    with pytest.raises(ba.FormatError, match="totals per day"):
        ba.load(b'{"stats": [{"day": "2026-11-20", "sent": 3, "returned": 1}]}')


def test_the_words_of_the_guide_have_the_columns_of_the_table(root: Path) -> None:
    rows = tomllib.loads(block(root / "ADDING_ESPS.md", "toml"))["word"]
    columns = {field.name for field in dataclasses.fields(EspWord)}
    assert all(set(row) <= columns for row in rows)


def test_the_changelog_has_what_is_unreleased_on_top_and_releases_with_their_day(root: Path) -> None:
    titles = re.findall(r"^## (.*)$", (root / "CHANGELOG.md").read_text("utf-8"), flags=re.MULTILINE)
    assert titles[0] == "Unreleased"
    assert all(re.fullmatch(r"\d+\.\d+\.\d+ \(\d{4}-\d\d-\d\d\)", title) for title in titles[1:])

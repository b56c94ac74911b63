"""Texts that each rule wins, kept beside the rules: a rule that goes, or comes in between, is noticed."""

from __future__ import annotations

import json
from pathlib import Path

from bounceanalytics.classifying.classify import classify_text
from bounceanalytics.knowledge.rules import rules

ROWS = [
    json.loads(line) for line in (Path(__file__).parent / "verdicts.jsonl").read_text("utf-8").splitlines()
]


def test_every_text_has_the_verdict_that_it_had() -> None:
    found = classify_text(
        [row["text"] for row in ROWS],
        domain=[row.get("domain", "") for row in ROWS],
        second_reader=False,
    )
    said = found[["rule", "reason", "action"]].astype("str").to_dict("records")
    other = {
        row["text"]: got
        for row, got in zip(ROWS, said, strict=True)
        if got != {name: row[name] for name in got}
    }
    assert other == {}


def test_every_rule_has_a_text() -> None:
    assert {row["rule"] for row in ROWS} == {rule.id for rule in rules()}

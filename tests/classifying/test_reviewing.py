"""Conflicts and unknown texts: grouped by template, counted in addresses, without a word that names anybody."""

from __future__ import annotations

import re

import pandas as pd
import pytest

import bounceanalytics as ba
from bounceanalytics.classifying.reviewing import rule_line, templates
from bounceanalytics.schema import EVENT_COLUMNS


def frame(*rows: dict) -> pd.DataFrame:
    """Return a classified frame of bounces."""
    whole = [
        {"provider": "generic", "event": "bounced", "record": 1, "domain": "example.com", **row}
        for row in rows
    ]
    events = pd.DataFrame(
        {
            column.name: pd.Series([row.get(column.name) for row in whole], dtype=column.dtype)
            for column in EVENT_COLUMNS
        }
    )
    return ba.classify(events)


ZORBLE = [
    {
        "recipient": f"reader{n % 3}@example.com",
        "diagnostic": f"550 Zorble wibble for reader{n}@example.com on mx{n}.example.net",
    }
    for n in range(5)
]


def test_unknown_texts_are_grouped_by_what_they_say() -> None:
    rows = [*ZORBLE, {"recipient": "x@example.org", "diagnostic": "550 5.1.1 user unknown"}]
    found = ba.unclassified(frame(*rows))
    assert found[["template", "events", "addresses", "domains"]].to_numpy().tolist() == [
        ["550 zorble wibble for <addr> on <host>", 5, 3, 1]
    ]
    assert "example.com" not in found["template"].str.cat() + found["rule_line"].str.cat()


def test_most_events_come_first_and_a_bounce_without_a_text_has_no_rule() -> None:
    rows = [{"recipient": "a@example.com"}, *ZORBLE]
    found = ba.unclassified(frame(*rows))
    assert found["events"].tolist() == [5, 1]
    assert found["rule_line"].tolist()[1] == ""


def test_a_filled_in_rule_settles_its_texts(tmp_path) -> None:
    bounces = frame(*ZORBLE, {"recipient": "b@example.com", "diagnostic": "wobble 'n (glug) [7]: [9] é"})
    lines = ba.unclassified(bounces)["rule_line"]
    path = tmp_path / "own.toml"
    path.write_text(re.sub('reason = "[a-z_]+"', 'reason = "policy"', "\n".join(lines)), "utf-8")
    assert ba.lint_rules(path).to_dict("records") == []
    settled = ba.classify(bounces, rules=path)
    assert settled["reason"].astype(str).tolist() == ["policy"] * len(bounces)
    assert len(ba.unclassified(settled)) == 0


@pytest.mark.parametrize(
    ("text", "template"),
    [
        ("550 5.1.1 <a@example.com> Zorble", "<addr> zorble"),
        ("550 Zorble, see https://example.com/a?b=c now", "550 zorble, see <link> now"),
        ("Zorble at mx1.example.co.uk [192.0.2.1]", "zorble at <host> [<id>]"),
        ("Zorble id 7d98d26f65fc4 of 12 in 5.7.1", "zorble id <id> of <id> in 5.7.1"),
        ("", ""),
        (None, ""),
    ],
)
def test_templates_hold_what_servers_say(text: str | None, template: str) -> None:
    assert templates(pd.Series([text], dtype="str")).tolist() == [template]


def test_templates_keep_the_index() -> None:
    texts = pd.Series(["zorble", "wibble"], index=[7, 7], dtype="str")
    assert templates(texts).index.tolist() == [7, 7]


def test_a_rule_line_is_short_and_may_be_empty() -> None:
    assert rule_line("", 1, "spam") == ""
    assert rule_line("550 <addr> <id>", 1, "spam") == ""
    pattern = re.search("pattern = '(.*)'", rule_line("a b c d <host> e f g h i j k l", 3, "spam"))
    assert pattern
    assert pattern[1] == "a b c d.{0,80}e f g h"


def test_conflicts_come_by_addresses_at_stake() -> None:
    def row(name: str, text: str, **known) -> dict:
        return {"recipient": f"{name}@example.com", "provider": "ses", "diagnostic": text, **known}

    soft = {"esp_type": "Transient", "esp_reason": "MailboxFull", "enhanced_code": "4.2.2", "reply_code": 452}
    bounces = frame(
        row("a", "user unknown", **soft),
        row("a", "user unknown", **soft),
        row("a", "mailbox full", enhanced_code="5.1.1", reply_code=550),
        row("b", "mailbox full", enhanced_code="5.1.1", reply_code=550),
        row("c", "mailbox full", **soft),
    )
    found = ba.conflicts(bounces)
    assert found[
        ["template", "addresses", "events", "text_says", "code_says", "esp_says"]
    ].to_numpy().tolist() == [
        ["mailbox full", 2, 2, "keep", "remove", ""],
        ["user unknown", 1, 2, "remove", "keep", "keep"],
    ]
    assert found["events"].sum() == bounces["conflict"].sum()


def test_frames_without_anything_to_review(bounces: pd.DataFrame) -> None:
    single = frame({"recipient": "c@example.com", "diagnostic": "550 5.1.1 user unknown"})
    for found in (ba.conflicts(single), ba.unclassified(single), ba.conflicts(single.iloc[:0])):
        assert len(found) == 0
        assert "template" in found.columns
    assert ba.conflicts(single).dtypes.to_dict() == ba.conflicts(bounces).dtypes.to_dict()


def test_a_frame_that_is_not_classified_is_refused() -> None:
    with pytest.raises(ba.FrameError, match="conflict"):
        ba.conflicts(ba.classify(frame()).drop(columns="conflict"))

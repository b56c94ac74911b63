"""The words that a pattern cannot do without stand in whatever it matches."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bounceanalytics.knowledge.literals import required_literals
from bounceanalytics.knowledge.rules import TextRule, rules
from tests.effort import examples


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("over quota", [["over quota"]]),
        ("mail ?box full", [["mail box full", "mailbox full"]]),
        ("user.{0,40}(?:unknown|gone)", [["user"], ["gone", "unknown"]]),
        ("(?:user|mailbox)s? (?:is )*unknown", [["mailbox ", "mailboxs ", "user ", "users "], ["unknown"]]),
        (r"\bno such\b", [["no such"]]),
        (r"error \(5\.1\.1\)$", [["error (5.1.1)"]]),
        ("(?:the )?user[s]?x", [["usersx", "userx"]]),
        ("a.b", []),
        ("ab?", []),
        ("(?:unknown|ab)", []),
        (r"[a-z]+ \d{2,4} quota", [[" quota"]]),
        ("(?:abc){2,3}", [["abc"]]),
        ("(?:abc)?defg", [["defg"]]),
        ("unknown|unknown user", [["unknown"]]),
        ("满了", [["满了"]]),
    ],
)
def test_required_words(pattern: str, words: list[list[str]]) -> None:
    assert [sorted(choice) for choice in required_literals(pattern)] == words


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.id)
def test_every_rule_needs_some_word(rule: TextRule) -> None:
    assert required_literals(rule.pattern), "without a word the pattern is tried on every text"


@examples(8)
@given(st.data())
@pytest.mark.parametrize("number", range(0, len(rules()), 25))
def test_whatever_a_rule_matches_holds_its_words(number: int, data) -> None:
    pattern = rules()[number].pattern
    text = data.draw(st.from_regex(re.compile(pattern.encode())))
    for choice in required_literals(pattern):
        assert any(word.encode() in text for word in choice), (pattern, text)

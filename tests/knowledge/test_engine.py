"""Both engines give the same answer, which is that of Python's own ``re`` on bytes."""

from __future__ import annotations

import json
import re

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bounceanalytics.classifying.texts import normal_form
from bounceanalytics.errors import MissingExtraError
from bounceanalytics.knowledge import engine
from bounceanalytics.knowledge.engine import ArrowEngine, make_engine
from bounceanalytics.knowledge.rules import rules

PATTERNS = (
    "user unknown",
    r"mail ?box.{0,20}full\b",
    "^no such",
    r"\bip\b",
    "gesperrt$",
    "邮箱.{0,9}满",
    r"[?&]p=\d",
)
WORDS = (
    "user",
    "unknown",
    "mailbox",
    "mail box",
    "is",
    "full",
    "fully",
    "no",
    "such",
    "ip",
    "recipient",
    "gesperrt",
    "邮箱",
    "已",
    "满",
    "?p=1",
)

needs_hyperscan = pytest.mark.skipif(engine.hyperscan is None, reason="hyperscan is not installed")


def pairs(found) -> set[tuple[int, int]]:
    texts, patterns = found
    assert len(texts) == len(patterns)
    answer = set(zip(texts.tolist(), patterns.tolist(), strict=True))
    assert len(answer) == len(texts), "each pair once"
    return answer


def expected(texts: list[str], patterns) -> set[tuple[int, int]]:
    return {
        (row, number)
        for number, pattern in enumerate(patterns)
        for row, text in enumerate(texts)
        if re.search(pattern.encode(), text.encode())
    }


def column(texts: list[str]) -> pa.Array:
    return pa.array(texts, pa.large_string())


texts_of_words = st.lists(st.lists(st.sampled_from(WORDS), max_size=6).map(" ".join), max_size=12)


@given(texts_of_words)
def test_arrow_is_right(texts: list[str]) -> None:
    assert pairs(ArrowEngine(PATTERNS).match(column(texts))) == expected(texts, PATTERNS)


@needs_hyperscan
@given(texts_of_words)
def test_hyperscan_is_right(texts: list[str]) -> None:
    assert pairs(WORD_ENGINE.match(column(texts))) == expected(texts, PATTERNS)


WORD_ENGINE = engine.HyperscanEngine(PATTERNS) if engine.hyperscan is not None else None


@needs_hyperscan
def test_engines_agree_on_all_examples(monkeypatch) -> None:
    patterns = [rule.pattern for rule in rules()]
    forms = normal_form(column([rule.example for rule in rules()]))
    monkeypatch.setenv("BOUNCEANALYTICS_ENGINE", "arrow")
    slow = make_engine(patterns).match(forms)
    monkeypatch.setenv("BOUNCEANALYTICS_ENGINE", "hyperscan")
    quick = make_engine(patterns).match(forms)
    np.testing.assert_array_equal(slow[0], quick[0])
    np.testing.assert_array_equal(slow[1], quick[1])
    assert len(slow[0]) >= len(patterns)


@needs_hyperscan
def test_engines_agree_on_texts_of_the_world(shared, monkeypatch) -> None:
    path = shared / "corpus" / "dev.jsonl"
    texts = [json.loads(line)["text"] for line in path.read_text("utf-8").splitlines()]
    forms = normal_form(column(texts))
    patterns = [rule.pattern for rule in rules()]
    quick = engine.HyperscanEngine(patterns).match(forms)
    slow = ArrowEngine(patterns).match(forms)
    np.testing.assert_array_equal(slow[0], quick[0])
    np.testing.assert_array_equal(slow[1], quick[1])


@needs_hyperscan
def test_a_slice_of_an_array_starts_at_zero(monkeypatch) -> None:
    texts = column(["user unknown", "full", "user unknown"])
    monkeypatch.setattr(engine, "_BLOCK", 1)
    for one in (ArrowEngine(PATTERNS), WORD_ENGINE):
        assert pairs(one.match(texts.slice(1))) == {(1, 0)}


@pytest.mark.parametrize("choice", ["arrow", "hyperscan", ""])
def test_no_texts_and_no_patterns(choice: str, monkeypatch) -> None:
    monkeypatch.setenv("BOUNCEANALYTICS_ENGINE", choice)
    assert pairs(make_engine(PATTERNS).match(column([]))) == set()
    assert pairs(make_engine(()).match(column(["user unknown"]))) == set()


def test_many_texts_are_matched_like_few(monkeypatch) -> None:
    monkeypatch.delenv("BOUNCEANALYTICS_ENGINE", raising=False)
    texts = [f"{word} unknown" for word in WORDS]
    few = make_engine(PATTERNS).match(column(texts))
    monkeypatch.setattr(engine, "_FEW", 1)
    many = make_engine(PATTERNS).match(column(texts))
    assert pairs(few) == pairs(many) == expected(texts, PATTERNS)


@needs_hyperscan
def test_words_are_looked_for_once_it_was_asked_often(monkeypatch) -> None:
    monkeypatch.delenv("BOUNCEANALYTICS_ENGINE", raising=False)
    texts = ["mailbox is full", "no such user"]
    sized = make_engine((*PATTERNS, "asked often"))
    answers = [pairs(sized.match(column(texts))) for _ in range(engine._OFTEN)]
    monkeypatch.setattr(sized, "_few", None)
    answers.append(pairs(sized.match(column(texts))))
    assert answers == [expected(texts, PATTERNS)] * (engine._OFTEN + 1)


def test_without_hyperscan_arrow_does_it_all(monkeypatch) -> None:
    monkeypatch.setattr(engine, "hyperscan", None)
    monkeypatch.setenv("BOUNCEANALYTICS_ENGINE", "")
    assert isinstance(make_engine(("only here",)), ArrowEngine)
    monkeypatch.setenv("BOUNCEANALYTICS_ENGINE", "hyperscan")
    with pytest.raises(MissingExtraError, match="pip install hyperscan"):
        make_engine(("only here",))

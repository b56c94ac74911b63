"""The linter: nothing is wrong with our rules, and each kind of mistake in a user's file is found."""

from __future__ import annotations

import re
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

import bounceanalytics as ba
from bounceanalytics.classifying.linting import _repeats_repetition

RULE = '[[rule]]\nid = "{0}"\npattern = \'{1}\'\nreason = "{3}"\nexample = "{2}"\n'


def own(tmp_path, *rows: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return the rules and kinds of what is found in a file of (pattern, example, reason)."""
    path = tmp_path / "own.toml"
    whole = [RULE.format(f"own-{number}", *(*row, "policy")[:3]) for number, row in enumerate(rows, 1)]
    path.write_text("".join(whole), "utf-8")
    return list(ba.lint_rules(path)[["rule", "kind"]].itertuples(index=False, name=None))


def test_nothing_is_wrong_with_our_rules() -> None:
    found = ba.lint_rules()
    assert found.to_dict("records") == []
    assert found.dtypes.astype(str).tolist() == ["str"] * 3


def test_a_sound_file(tmp_path) -> None:
    assert own(tmp_path, ("lazy llama", "550 The lazy llama sleeps"), ("tired llama", "tired llama")) == []


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([("Lazy", "lazy")], [("own-1", "broken")]),
        ([("lazy(", "lazy")], [("own-1", "broken")]),
        ([("lazy", "lazy", "nonsense")], [("own-1", "broken")]),
        ([("lazy (?:llama ?)+llama", "lazy llama llama")], []),
        ([("lazy (?:(?:llama )+)+x", "lazy llama x")], [("own-1", "catastrophic")]),
        ([("lazy(?:llama){1001}", "lazy")], [("own-1", "broken")]),
        ([("[a-z] [a-z]{5}", "y llama")], [("own-1", "slow")]),
        ([("llama", "llama"), ("lazy llama", "lazy llama")], [("own-2", "unreachable")]),
        ([("lazy llama", "lazy llama"), ("llama", "llama")], []),
        ([("lazy.llama", "lazy llama"), ("lazy.llama", "lazy llama")], [("own-2", "unreachable")]),
        ([("lazy llama", "")], [("own-1", "no example")]),
        ([("lazy.llama", "Lazy llama"), ("llam[aou]", "lazy LLAMA")], [("own-2", "fight")]),
        ([("lazy.llama", "550 llamas")], [("own-1", "lost")]),
        ([("llam[aou]", "llama"), ("lazy.llama", "a lazy llama")], [("own-2", "lost")]),
    ],
)
def test_each_kind_of_mistake_is_found(tmp_path, rows, expected) -> None:
    assert own(tmp_path, *rows) == expected


def test_a_finding_is_a_sentence_that_helps(tmp_path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(RULE.format("own-1", "lazy llama", "550 5.1.1 User unknown", "policy"), "utf-8")
    (says,) = ba.lint_rules(path)["finding"]
    assert says.startswith("its example is won by unknown-user-")


@given(st.text("ab(?:)*+{2,}[]\\.|", max_size=12))
def test_any_pattern_that_compiles_is_looked_through(pattern: str) -> None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # about [[, which is read as it is written
            re.compile(pattern)
    except (re.error, OverflowError):
        return
    assert _repeats_repetition(pattern) in {True, False}


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("(a+)+", True),
        ("(?:a*b)*", True),
        ("((a+)b?)+", True),
        ("(?:a+){2,}", True),
        ("(?:a+){2,3}", False),
        ("(?:a+)?", False),
        (r"(?:a\+)+", False),
        ("(?:[a+]b)+", False),
        (r"(?:[\]+]b)+", False),
        ("a+b+", False),
    ],
)
def test_a_repeated_repetition_is_told_from_a_plain_one(pattern: str, expected: bool) -> None:
    assert _repeats_repetition(pattern) is expected

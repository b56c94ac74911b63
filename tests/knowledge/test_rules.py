"""Text rules, ESP words and mailbox providers: the tables hold what they promise, and own rules are read with care."""

from __future__ import annotations

import re

import pytest

from bounceanalytics.classifying.classify import classify_text
from bounceanalytics.errors import FormatError, SourceError
from bounceanalytics.knowledge.registry import code_reasons
from bounceanalytics.knowledge.rules import (
    WISHES,
    WORD_COLUMNS,
    TextRule,
    esp_words,
    mailbox_providers,
    plain_word,
    problems_of,
    read_rules,
    rules,
    why_not_in_dialect,
    without_accents,
)
from bounceanalytics.schema import ACTIONS, EVENTS, PROVIDERS, REASONS

OWN = """
[[rule]]
id = "own-1"
pattern = 'lazy llama'
reason = "policy"
"""


def test_nothing_is_wrong_with_the_rules() -> None:
    assert problems_of(rules()) == []
    assert len(rules()) > 500


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.id)
def test_a_rule_says_where_it_is_known_from(rule: TextRule) -> None:
    assert rule.source
    assert rule.example
    assert rule.added.year >= 2026
    assert re.fullmatch(r"[a-z-]+-\d{3}", rule.id)
    assert re.fullmatch(r"[a-z]{2}", rule.language)


def test_every_rule_wins_its_own_example() -> None:
    homes = {row.name: row.domains[0].replace("*", "com") for row in mailbox_providers() if row.domains}
    found = classify_text(
        [rule.example for rule in rules()],
        domain=[homes.get(rule.provider, "") for rule in rules()],
        second_reader=False,
    )
    lost = {rule.id: winner for rule, winner in zip(rules(), found["rule"], strict=True) if winner != rule.id}
    assert lost == {}
    assert found["reason"].astype(str).tolist() == [rule.reason for rule in rules()]


def test_rules_belong_to_known_providers() -> None:
    names = {row.name for row in mailbox_providers()}
    assert {rule.provider for rule in rules()} <= names | {""}


def test_rules_are_in_the_order_of_their_files() -> None:
    themes = [rule.id.rpartition("-")[0] for rule in rules()]
    first = {theme: themes.index(theme) for theme in themes}
    for theme, start in first.items():
        assert set(themes[start : start + themes.count(theme)]) == {theme}, theme
    assert (
        first["google"]
        < first["blocklists"]
        < first["unknown-user-first"]
        < first["spam"]
        < first["unknown-user"]
    )
    assert first["mailbox-full-first"] < first["unknown-user-first"]
    assert first["sender-first"] < first["unknown-user-first"]


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("user unknown", ""),
        (r"mail ?box .{0,40}full\b", ""),
        (r"\(in reply", ""),
        ("User", "capital"),
        ("a(?!b)", "look-around"),
        (r"(a)\1", "back-reference"),
        ("[^a]b", "negated"),
        (r"a\sb", "escapes"),
        ("full.*", "open end"),
        ("öß+", "quantifier"),
        ("a[äb]", "class"),
        ("a(", "mistake"),
        ("(?:a)?", "empty"),
    ],
)
def test_the_dialect(pattern: str, said: str) -> None:
    why = why_not_in_dialect(pattern)
    assert (said in why) if said else why == ""


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Empfänger", "empfanger"),
        ("Übergröße", "ubergrosse"),
        ("Łódź", "lodz"),
        ("\uff26\uff35\uff2c\uff2c", "full"),
        ("й", "и"),
        ("が", "が"),
    ],
)
def test_letters_become_plain(text: str, plain: str) -> None:
    assert without_accents(text) == plain


def test_esp_words_are_right() -> None:
    words = esp_words()
    assert len({word.id for word in words}) == len(words)
    for word in words:
        assert word.provider in PROVIDERS
        assert set(word.column.split()) <= set(WORD_COLUMNS)
        assert word.word == plain_word(word.word)
        assert word.reason in {*REASONS, ""}
        assert word.event in {*EVENTS, ""}
        assert word.vote in {"remove", "keep", ""}
        assert word.type in {"hard", "soft", "block", ""}
        assert word.wish in {*WISHES, ""}
        assert set(word.silent) <= set(REASONS)
        assert word.vote or not word.silent
        assert word.action in {*ACTIONS, ""}
        assert not (word.tried and word.reason == "suppressed")
        assert bool(word.action) == (word.reason == "suppressed")
        assert word.source


def test_mailbox_providers_are_right() -> None:
    rows = mailbox_providers()
    assert len({row.name for row in rows}) == len(rows)
    domains = [domain for row in rows for domain in row.domains]
    assert len(set(domains)) == len(domains)
    for row in rows:
        assert row.title
        assert row.domains or row.hosts
        assert [why_not_in_dialect(text) for text in row.texts] == [""] * len(row.texts)


def test_no_id_is_also_a_code() -> None:
    codes = {f"enhanced-{code}" for code in code_reasons()["code"]} | {
        f"reply-{code}" for code in code_reasons()["code"]
    }
    assert not codes & ({rule.id for rule in rules()} | {word.id for word in esp_words()})


def test_own_rules_are_read(tmp_path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(OWN, "utf-8")
    (rule,) = read_rules(path)
    assert (rule.id, rule.reason, rule.source) == ("own-1", "policy", "the user")
    assert read_rules([str(path)]) == (rule,)


def test_own_words_stand_for_themselves(tmp_path) -> None:
    path = tmp_path / "own.toml"
    path.write_text('[words]\nbox = "(?:kiste|truhe)"\n' + OWN.replace("lazy llama", "%box% voll"), "utf-8")
    assert read_rules(path)[0].pattern == "(?:kiste|truhe) voll"


def test_all_problems_are_named_at_once(tmp_path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(OWN + OWN.replace("policy", "nonsense").replace("lazy", "Lazy"), "utf-8")
    with pytest.raises(FormatError) as error:
        read_rules(path)
    for part in ("own.toml", "stands twice", "nonsense", "capital"):
        assert part in str(error.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("a = ", "not valid TOML"),
        ("a = 1", "no [[rule]] tables; found: a"),
        ("", "found: nothing"),
        ('[[rule]]\nid = "x"\npattern = "y"', "missing reason"),
        (OWN + 'colour = "red"', "unknown colour"),
        (OWN + "final = 1", "final must be true or false"),
        (OWN + 'added = "yesterday"', "added must be a date"),
        (
            OWN.replace("[[rule]]", '[words]\nthing = ["a"]\n[[rule]]'),
            "thing must be a table, or a text in [words]",
        ),
        ("words = 1\n" + OWN, "words must be a table"),
        (
            "[[rule]]\nid = 1\npattern = []\nreason = {}",
            "id must be a text; pattern must be a text; reason must",
        ),
    ],
)
def test_a_file_that_holds_no_rules(tmp_path, content: str, said: str) -> None:
    path = tmp_path / "own.toml"
    path.write_text(content, "utf-8")
    with pytest.raises(FormatError, match=re.escape(said)):
        read_rules(path)


def test_a_file_that_is_not_there(tmp_path) -> None:
    with pytest.raises(SourceError, match=r"none\.toml"):
        read_rules(tmp_path / "none.toml")

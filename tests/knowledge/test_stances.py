"""What the words of ESPs say about an address when a reason is named: every pair of word and reason."""

from __future__ import annotations

import pandas as pd
import pytest

import bounceanalytics as ba
from bounceanalytics.classifying.verdicts import stances
from bounceanalytics.knowledge.registry import outcome
from bounceanalytics.knowledge.rules import esp_words
from bounceanalytics.schema import REASONS

WORDS = esp_words()
SAYS = {"remove": -1, "retry": 1, "fix": 1, "review": 0}


def said(word: str, reason: str) -> int:
    number = next(number for number, row in enumerate(WORDS) if row.id == word)
    return int(stances()[number, list(REASONS).index(reason)])


@pytest.mark.parametrize("word", [row for row in WORDS if row.reason and row.tried], ids=lambda row: row.id)
def test_no_word_contradicts_the_reason_that_it_names(word) -> None:
    action = outcome(word.reason, "permanent").action
    assert said(word.id, word.reason) * SAYS[action] >= 0


@pytest.mark.parametrize(
    "word",
    [
        "sendgrid-type-bounce",
        "sendgrid-class-technical",
        "sendgrid-class-technical-failure",
        "sendgrid-class-mailbox-unavailable",
        "ses-transient",
        "ses-permanent",
        "ses-mailbox-full",
        "mailgun-permanent",
        "mailgun-reason-bounce",
        "mailgun-reason-generic",
        "mailgun-reason-overquota",
    ],
)
def test_words_that_group_a_full_system_with_others_do_not_contradict_it(word: str) -> None:
    assert said(word, "system_full") <= 0


@pytest.mark.parametrize(
    "word", ["sendgrid-type-blocked", "ses-transient", "sendgrid-class-reputation", "mailgun-temporary"]
)
def test_what_stays_deliverable_contradicts_an_unknown_user(word: str) -> None:
    assert said(word, "unknown_user") == 1


def test_a_word_is_silent_only_where_it_would_contradict() -> None:
    for word in WORDS:
        votes = {"remove": -1, "keep": 1}.get(word.vote, 0)
        for reason in word.silent:
            assert votes * SAYS[outcome(reason, "permanent").action] < 0, (word.id, reason)


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("Hard bounced", "hard"),
        ("hard_bounce", "hard"),
        ("HardBounce", "hard"),
        ("permanent_fail", "hard"),
        ("Permanent Failure", "hard"),
        ("invalid_email", "hard"),
        ("Bounce - hard", "hard"),
        ("Soft bounces", "soft"),
        ("temporary_fail", "soft"),
        ("transient", "soft"),
        ("Blocked bounce", "block"),
        ("something else", "unknown"),
    ],
)
def test_the_words_of_other_tools_say_hard_soft_or_block(word: str, kind: str) -> None:
    table = pd.DataFrame({"mail": ["kim@example.com"], "kind": [word], "at": ["2026-03-10T08:15:20Z"]})
    events = ba.read_table(table, mapping={"recipient": "mail", "esp_type": "kind", "timestamp": "at"})
    assert ba.classify(events)["bounce_type"].tolist() == [kind]

"""5.3.1, the code that the project began with, and its kin, in the spellings in which servers and exports have them."""

from __future__ import annotations

from pathlib import Path

import pytest

import bounceanalytics as ba

SEED = Path(__file__).parents[2].parent / "shared" / "seed" / "code-5.3.1.txt"

# text, reply code, enhanced code -> reason, action
SPELLINGS = [
    # text, reply, enhanced, reason, action
    ("550 5.3.1 Mail system full", None, None, "system_full", "remove"),
    ("552 #5.3.1 mail system full", None, None, "system_full", "remove"),
    ("552 #5.3.1", None, None, "system_full", "remove"),
    ("5.3.1", None, None, "system_full", "remove"),
    ("550 5.3.1", None, None, "system_full", "remove"),
    ("554-5.3.1 Mail system full\r\n554 5.3.1 Try another day", None, None, "system_full", "remove"),
    (None, None, "5.3.1", "system_full", "remove"),
    ("", 550, "5.3.1", "system_full", "remove"),
    ("Sorry", 550, "5.3.1", "system_full", "remove"),
    ("smtp; 550 5.3.1 system full", None, None, "system_full", "remove"),
    (
        "host mx.example.net[192.0.2.7] said: 554 5.3.1 Mail system full (in reply to RCPT TO command)",
        None,
        None,
        "system_full",
        "remove",
    ),
    ("550 The mail system is full (5.3.1)", None, None, "system_full", "remove"),
    ("550 [5.3.1] No space left in the mail store", None, None, "system_full", "remove"),
    ("5.3.0 - Other mail system problem 550-'5.3.1 Mail system full'", None, None, "system_full", "remove"),
    ("452 4.3.1 Insufficient system storage", None, None, "system_full", "retry"),
    ("452 4.3.1", None, None, "system_full", "retry"),
    ("452 Insufficient system storage", None, None, "system_full", "retry"),
    ("Insufficient system storage", None, None, "system_full", "retry"),
    (None, 452, "4.3.1", "system_full", "retry"),
    ("452 4.3.1 Out of disk space", None, None, "system_full", "retry"),
    (
        "452 4.3.1 Insufficient system resources (UsedDiskSpace[C:\\Queue])",
        None,
        None,
        "system_full",
        "retry",
    ),
    ("452 #4.3.1 queue file write error: no space left on device", None, None, "system_full", "retry"),
    ("451 4.3.1 mail server temporarily rejected message: disk full", None, None, "system_full", "retry"),
    (
        "message expired, unable to deliver in 840 minutes.<452 4.3.1 Insufficient system storage>",
        None,
        None,
        "system_full",
        "retry",
    ),
    # the words are those of RFC 5321 for a mailbox; such a row is a conflict, and removes nobody
    ("550 5.3.1 Exceeded storage allocation", None, None, "mailbox_full", "retry"),
    ("552 Requested mail action aborted: exceeded storage allocation", None, None, "mailbox_full", "retry"),
    ("552 5.2.2 Mailbox full", None, None, "mailbox_full", "retry"),
    ("552 5.3.1 The recipient's mailbox is full", None, None, "mailbox_full", "retry"),
    ("452 4.2.2 Mailbox full", None, None, "mailbox_full", "retry"),
    ("550 5.3.0 Other mail system problem", None, None, "system_error", "retry"),
    ("550 5.3.2 System not accepting network messages", None, None, "system_error", "retry"),
    ("552 5.3.4 Message too big for system", None, None, "message_too_large", "fix"),
    ("550 5.3.1 Das Mailsystem ist voll", None, None, "system_full", "remove"),
    ("550 5.3.1 Kein Speicherplatz auf dem Server", None, None, "system_full", "remove"),
    ("550 5.3.1 メールシステムの容量が不足しています", None, None, "system_full", "remove"),
    ("550 5.3.1 Le système de messagerie est plein", None, None, "system_full", "remove"),
    ("550 5.3.1 El sistema de correo está lleno", None, None, "system_full", "remove"),
    ("550 5.3.1 Il sistema di posta è pieno", None, None, "system_full", "remove"),
    ("550 5.3.1 O sistema de correio está cheio", None, None, "system_full", "remove"),
    ("550 5.3.1 Почтовая система переполнена", None, None, "system_full", "remove"),
    ("550 5.3.1 邮件系统已满", None, None, "system_full", "remove"),
    ("550 5.3.1 메일 시스템의 저장 공간이 부족합니다", None, None, "system_full", "remove"),
    ("550 5.3.1 Posta sistemi dolu", None, None, "system_full", "remove"),
    ("550 5.3.1 Poštovní systém je plný", None, None, "system_full", "remove"),
    ("550 5.3.1 System pocztowy jest przepełniony", None, None, "system_full", "remove"),
    ("550 5.3.1 Het mailsysteem is vol", None, None, "system_full", "remove"),
    ("550 5.3.1 Поштова система переповнена", None, None, "system_full", "remove"),
]


def verdict(text: str | None, reply: int | None = None, enhanced: str | None = None):
    return ba.classify_text([text], reply_code=reply, enhanced_code=enhanced).iloc[0]


@pytest.mark.parametrize(("text", "reply", "enhanced", "reason", "action"), SPELLINGS)
def test_a_spelling_means_what_it_should(text, reply, enhanced, reason, action) -> None:
    found = verdict(text, reply, enhanced)
    assert (str(found["reason"]), str(found["action"])) == (reason, action)


def test_there_are_enough_spellings() -> None:
    assert len({row[:3] for row in SPELLINGS}) >= 30


@pytest.mark.parametrize(("text", "reply", "enhanced", "reason", "action"), SPELLINGS)
def test_only_a_permanent_full_system_is_hard(text, reply, enhanced, reason, action) -> None:
    found = verdict(text, reply, enhanced)
    if reason == "system_full":
        assert (found["bounce_type"], found["category"], found["fault"]) == (
            "hard" if action == "remove" else "soft",
            "technical",
            "receiver",
        )


def test_words_against_the_code_are_a_conflict() -> None:
    assert verdict("550 5.3.1 Exceeded storage allocation")["conflict"]
    assert not verdict("550 5.3.1 Mail system full")["conflict"]


@pytest.mark.skipif(not SEED.exists(), reason="the page is not part of the project")
@pytest.mark.parametrize("kind", ["Generic", "Storage Error", "System Error", "Enterprise"])
def test_the_variants_of_the_page_mean_a_full_system(kind: str) -> None:
    variant = SEED.read_text("utf-8").split(f'{kind} : "', 1)[1].split('"', 1)[0]
    text = variant if variant.startswith("550") else f"550 5.3.1 {variant}"
    assert verdict(text)["reason"] == "system_full"

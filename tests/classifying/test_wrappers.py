"""Texts taken apart: what the server said, who it is, what it answered to."""

from __future__ import annotations

import pyarrow as pa
import pytest

from bounceanalytics.classifying.classify import classify_text
from bounceanalytics.classifying.texts import lower_line
from bounceanalytics.classifying.wrappers import take_apart
from bounceanalytics.knowledge.wrappers import COMMANDS, Wrapper, wrappers


def apart(text: str) -> tuple[str, str, str]:
    parts = take_apart(lower_line(pa.array([text], pa.large_string())))
    command = int(parts.command[0])
    return parts.reply[0].as_py(), parts.host[0].as_py(), COMMANDS[command] if command >= 0 else ""


@pytest.mark.parametrize("wrapper", wrappers(), ids=lambda wrapper: wrapper.id)
def test_every_wrapper_is_taken_off_its_example(wrapper: Wrapper) -> None:
    assert apart(wrapper.example) == (wrapper.reply, wrapper.host, wrapper.command)
    assert wrapper.source


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("550 5.1.1 User unknown", ("550 5.1.1 user unknown", "", "")),
        ("", ("", "", "")),
        (
            "smtp; host mx1.example.com[192.0.2.7]:25 said: 550 no (in reply to end of DATA command)",
            ("550 no", "mx1.example.com", "data"),
        ),
        ("550 no (in reply to RCPT T", ("550 no", "", "")),
        (
            "SMTP error from remote mailer after MAIL FROM:<> SIZE=2048: host mx.example.com [192.0.2.7]: 550 no",
            ("550 no", "mx.example.com", "mail"),
        ),
        ("SMTP error from remote mail server after pipelined end of data: 550 no", ("550 no", "", "data")),
        (
            "User unknown. The other server answered: 554 this is spam, we think",
            ("554 this is spam, we think", "", ""),
        ),
        # a reply about the sender, got when the server asked the sender's own
        (
            "550 5.1.7 Sender address rejected: host mx1.example.com[192.0.2.7] said: 550 no",
            (
                "550 5.1.7 sender address rejected: host mx1.example.com[192.0.2.7] said: 550 no",
                "",
                "",
            ),
        ),
        # a number alone says less than the words before it
        ("No such user: the server returned 550", ("no such user: the server returned 550", "", "")),
    ],
)
def test_texts_are_taken_apart(text: str, parts: tuple[str, str, str]) -> None:
    assert apart(text) == parts


@pytest.mark.parametrize(
    ("text", "reason", "action"),
    [
        ("550 5.1.1 example.com not found (in reply to MAIL FROM command)", "sender_rejected", "fix"),
        ("550 5.1.1 who (in reply to MAIL FROM command)", "unclassified", "review"),
        ("550 5.1.1 who (in reply to RCPT TO command)", "unknown_user", "remove"),
        (
            "SMTP error from remote mail server after EHLO mail.example.com: 550 host not found",
            "reverse_dns",
            "fix",
        ),
        ("550 5.1.1 Not delivered (remote server returned '554 5.7.1 this is spam')", "spam", "fix"),
        ("Permanent failure: user unknown <<< 552 mailbox full", "mailbox_full", "retry"),
        ("5.1.0 - Unknown address error 550-'spam message rejected'", "spam", "fix"),
    ],
)
def test_the_reply_and_its_command_decide(text: str, reason: str, action: str) -> None:
    assert classify_text([text])[["reason", "action"]].astype("str").values.tolist() == [[reason, action]]


@pytest.mark.parametrize(
    "text",
    [
        "host gmail-smtp-in.l.google.com[192.0.2.7] said: 550 no",
        "SMTP error from remote mail server after RCPT TO:<a@b.example>: host aspmx.l.google.com [192.0.2.7]: 550 no",
    ],
)
def test_the_host_in_the_wrapper_tells_who_runs_the_mailbox(text: str) -> None:
    assert classify_text([text])["mailbox_provider"].astype("str").tolist() == ["google"]
    assert classify_text([text], domain="web.de")["mailbox_provider"].astype("str").tolist() == ["gmx"]

"""The normal form of texts, and the codes written in them."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bounceanalytics.classifying import texts as module
from bounceanalytics.classifying.texts import codes_in, enhanced_codes, enhanced_text, lower_line, normal_form
from bounceanalytics.knowledge.rules import without_accents


def column(*values: str | None) -> pa.Array:
    return pa.array(values, pa.large_string())


def form(text: str) -> str:
    return normal_form(column(text))[0].as_py()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("550 5.1.1 <Reader@Example.COM>... User unknown", "<addr>... user unknown"),
        ("User.Unknown@example.com is full.", "<addr> is full."),
        ("550-5.1.1 There is\r\n550-5.1.1 no such\r\n550 5.1.1 user", "there is no such user"),
        ("550-5.1.1 There is 550-5.1.1 no such 550 5.1.1 user", "there is no such user"),
        ("550-No\\r\\n550-such user", "550-no such user"),
        ("mailbox\u00a0\u2018full\u2019 \u2014 sorry", "mailbox 'full' - sorry"),
        ("Empf\u00e4nger gel\u00f6scht", "empfanger geloscht"),
        ("Empfa\u0308nger", "empfanger"),
        ("IP 192.0.2.7 blocked, ticket 9f86d081884c7d65", "ip 0 blocked, ticket 0"),
        (
            "see https://support.google.com/mail/?p=NoSuchUser x1si42.7 - gsmtp",
            "see https://support.google.com/mail/?p=nosuchuser 0.7 - gsmtp",
        ),
        ("2026-11-24T09:04:02.679Z expired", "0 expired"),
        ("[TSS04] deferred", "[tss04] deferred"),
        (
            "Connected to 192.0.2.7 but sender was rejected. Remote host said: 550 no mailbox",
            "550 no mailbox",
        ),
        ("It was rejected. The error that the other server returned was: 550 no mailbox", "550 no mailbox"),
        ("  a \t b\x00c ", "a b c"),
        ("", ""),
    ],
)
def test_normal_form(text: str, expected: str) -> None:
    assert form(text) == expected


def test_texts_that_differ_in_ids_alone_become_equal() -> None:
    first = "450 4.2.0 <a@example.com> greylisted, 7fa21bc09d by mx1 at 192.0.2.1, id 4cR8xq12zz"
    second = "450 4.2.0 <bb@example.net> greylisted, 00b1e5c2aa by mx1 at 198.51.100.22, id 9zzQ7x3a1"
    assert form(first) == form(second)


@given(st.text(max_size=60))
def test_the_normal_form_is_one_line_of_small_letters(text: str) -> None:
    found = form(text)
    assert not set("\r\n\t\x00") & set(found)
    assert found == found.strip()


@given(st.text(alphabet=st.characters(codec="utf-8", categories=("L", "Zs")), max_size=30))
def test_patterns_and_texts_get_the_same_plain_letters(text: str) -> None:
    assert " ".join(lower_line(column(text))[0].as_py().split()) == " ".join(
        without_accents(text).lower().split()
    )


def test_parts_are_put_together_in_order(monkeypatch) -> None:
    values = column(*(f"text {chr(97 + number % 26) * 3}" for number in range(100)))
    whole = normal_form(values)
    monkeypatch.setattr(module, "_PART", 7)
    assert normal_form(values).equals(whole)


@pytest.mark.parametrize(
    ("text", "reply", "enhanced"),
    [
        ("550 5.1.1 User unknown", 550, "5.1.1"),
        ("550-5.1.1 User unknown", 550, "5.1.1"),
        ("smtp; 550 5.4.4 Invalid domain", 550, "5.4.4"),
        ("smtp;550 5.7.133 RESOLVER", 550, "5.7.133"),
        ("host mx.example.net[192.0.2.7] said: 452 4.2.2 full", 452, "4.2.2"),
        ("sorry, no mailbox here (#5.1.1)", 0, "5.1.1"),
        ("Remote host said: 553 sorry", 553, ""),
        ("550: no", 550, ""),
        ("220 mx1.example.com ready 421 4.2.1 not now", 421, "4.2.1"),
        ("550 5.1.1 It came back: the remote server returned '554 no'", 554, ""),
        ("5.1.0 - Unknown address error 550-'5.7.1 no'", 550, "5.7.1"),
        ("421", 421, ""),
        ("Message expired: unable to deliver.<421 4.4.1 no answer>", 421, "4.4.1"),
        ("550 4.4.7 Message expired.<452 4.2.2 full>", 452, "4.2.2"),
        # no codes
        ("x-unix; 255", 0, ""),
        ("host 5.1.1.7 refused", 0, ""),
        ("192.5.1.1 refused", 0, ""),
        ("postfix 4.2.1b and mta-5.3.1 and v5.1.2", 0, ""),
        ("4.16.55.1", 0, ""),
        ("552 bytes too many", 0, ""),
        ("limit: 550 messages", 0, ""),
        ("message 1550 refused", 0, ""),
        ("see https://example.com/550 or ?code=5501", 0, ""),
        ("size 10.5.1.1 of 512", 0, ""),
    ],
)
def test_codes_in_a_text(text: str, reply: int, enhanced: str) -> None:
    replies, found = codes_in(column(text))
    assert int(replies[0]) == reply
    assert (enhanced_text(int(found[0])) if found[0] else "") == enhanced


def test_enhanced_codes() -> None:
    found = enhanced_codes(column("5.1.1", " #4.7.25 ", "5.1", "550", "6.1.1", None, ""))
    assert found.tolist() == [5_001_001, 4_007_025, 0, 0, 0, 0, 0]
    assert enhanced_text(4_007_025) == "4.7.25"


def test_letters_that_become_capitals_on_the_way_are_lowered() -> None:
    assert lower_line(pa.array(["\U0001d6e2bc"], pa.large_string()))[0].as_py() == "\u03b1bc"

"""What counts as the same address, and what is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bounceanalytics.addresses import (
    domain_of,
    fold,
    mailed_to,
    normal_form,
    problem,
    text_array,
)


@pytest.mark.parametrize(
    ("written", "compared"),
    [
        (" Ann@Example.COM ", "ann@example.com"),
        ("\ufeffann@example.com\u200b\u00a0", "ann@example.com"),
        ("Ann Lee <ann@example.com>", "ann@example.com"),
        ('"Lee, Ann" <ann@example.com>', "ann@example.com"),
        ("<ann@example.com>", "ann@example.com"),
        ("mailto:ann@example.com?subject=hello", "ann@example.com"),
        ("- ann@example.com", "ann@example.com"),
        ("12. Ann <ann@example.com>", "ann@example.com"),
        ("> * [x] ann@example.com", "ann@example.com"),
        ("-ann@example.com", "-ann@example.com"),
        ("email=ann@example.com", "ann@example.com"),
        ("bounce+ann=example.com@example.org", "bounce+ann=example.com@example.org"),
        ("ann@example.com.", "ann@example.com"),
        ("ann@BÜCHER.example", "ann@xn--bcher-kva.example"),
        ("ann@xn--bcher-kva.example", "ann@xn--bcher-kva.example"),
        ("Ann+List@example.com", "ann+list@example.com"),
        ("a.n.n@example.com", "a.n.n@example.com"),
        ("ÄNNE@example.com", "änne@example.com"),
        ("straße@example.com", "straße@example.com"),
        ("ann\uff20example.com", "ann@example.com"),
        ("\uff41nn\uff20example\uff0ecom", "ann@example.com"),
        ("an\u200bn@exam\u2060ple.com", "ann@example.com"),
        ("'ann@example.com'", "ann@example.com"),
        ("\u201cann@example.com\u201d,", "ann@example.com"),
        ("['ann@example.com']", "ann@example.com"),
        ('"ann.lee"@example.com', "ann.lee@example.com"),
        ('"ann lee"@example.com', '"ann lee"@example.com'),
        ("Lee, Ann <ann@example.com>;", "ann@example.com"),
        ("ann@example.com <Ann@example.com>", "ann@example.com"),
        ("ann@example.com (Ann)", "ann@example.com"),
        ("[ann@example.com](mailto:ann@example.com)", "ann@example.com"),
        ("SMTP:ann@example.com", "ann@example.com"),
        ("rfc822; ann@example.com", "ann@example.com"),
        ("o'ann@example.com", "o'ann@example.com"),
    ],
)
def test_normal_form(written: str, compared: str) -> None:
    form = normal_form(text_array([written, None]))
    assert form.to_pylist() == [compared, None]
    assert normal_form(form).to_pylist() == [compared, None]
    assert problem(form)[0].as_py() is None


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (None, "empty"),
        ("", "empty"),
        ("ann", "no @"),
        ("@example.com", "nothing before the @"),
        ("ann@", "nothing after the @"),
        ("ann@localhost", "no dot after the @"),
        ("ann@bob@example.com", "more than one @"),
        ("ann@example.com, bob@example.com", "more than one address"),
        ("ann@example.com;bob@example.com", "more than one address"),
        ("ann lee@example.com", "blank inside"),
        ("ann@example..com", "not an address"),
        ("ann@192.0.2.7", "not an address"),
        ("ann@[192.0.2.7]", "not an address"),
        ("x" * 250 + "@example.com", "longer than 254 characters"),
    ],
)
def test_what_is_no_address(text: str | None, why: str) -> None:
    assert problem(normal_form(text_array([text])))[0].as_py() == why


@pytest.mark.parametrize(
    "text",
    [
        "a@b.example",
        "o'neil@example.com",
        "a..b.@docomo.example",
        '"two words"@example.com',
        "用户@例え.example",
    ],
)
def test_unusual_addresses_are_addresses(text: str) -> None:
    assert problem(normal_form(text_array([text])))[0].as_py() is None


def test_domain() -> None:
    assert domain_of(text_array(["ann@example.com", "ann", None])).to_pylist() == ["example.com", None, None]


@pytest.mark.parametrize(
    ("address", "without_tag", "without_dots", "without_both"),
    [
        ("ann+news@example.com", "ann@example.com", "ann+news@example.com", "ann@example.com"),
        ("ann+a+b@example.com", "ann@example.com", "ann+a+b@example.com", "ann@example.com"),
        ("a.n.n+x@gmail.com", "a.n.n@gmail.com", "ann+x@gmail.com", "ann@gmail.com"),
        ("a.n.n@googlemail.com", "a.n.n@googlemail.com", "ann@gmail.com", "ann@gmail.com"),
        ("a.n.n@example.com",) * 4,
        ("a.n.n@mail.gmail.com",) * 4,
        ("+x@example.com",) * 4,
        ("..@gmail.com",) * 4,
        ('"a.b+c"@gmail.com',) * 4,
        ("no address",) * 4,
        (None,) * 4,
    ],
)
def test_fold(address: str, without_tag: str, without_dots: str, without_both: str) -> None:
    def folded(**what: bool) -> list[str | None]:
        return fold(text_array([address]), **what).to_pylist()

    assert folded() == [address]
    assert folded(subaddresses=True) == [without_tag]
    assert folded(gmail_dots=True) == [without_dots]
    assert folded(subaddresses=True, gmail_dots=True) == [without_both]


@given(st.lists(st.from_regex(r"[a.+\"]{0,6}@(gmail|googlemail|example)\.com", fullmatch=True)))
def test_folding_twice_is_folding_once(texts: list[str]) -> None:
    once = fold(text_array(texts), subaddresses=True, gmail_dots=True)
    assert fold(once, subaddresses=True, gmail_dots=True).to_pylist() == once.to_pylist()


@given(st.lists(st.one_of(st.none(), st.text(max_size=40))))
def test_any_text_has_one_normal_form(texts: list[str | None]) -> None:
    form = normal_form(text_array(texts))
    words = problem(form)
    assert len(form) == len(words) == len(texts)
    good = [text for text, word in zip(form.to_pylist(), words.to_pylist(), strict=True) if word is None]
    assert normal_form(text_array(good)).to_pylist() == good


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("NULL", "no @"),
        ("#N/A", "no @"),
        ("---", "no @"),
        ("2026-03-10", "no @"),
        ("Office Manager", "no @"),
        ("[a@example.com, c@example.com]", "more than one address"),
        ("Ann <ann@example.com>; Bo <bo@example.com>", "more than one address"),
        ("bo@example.com <ann@example.com>", "more than one address"),
        ("a@example.com ::: b@example.com", "more than one address"),
        ("a@example.com/b@example.com", "more than one address"),
        ("\uff20ann@example.com", "more than one @"),
        ("Ann Lee ann@example.com", "blank inside"),
        ("\u2022ann@example.com", "not an address"),
    ],
)
def test_what_is_no_address_is_none_on_either_side(text: str, why: str) -> None:
    texts = text_array(["bo@example.com", text, None])
    _, reasons = mailed_to(texts)
    assert reasons is not None
    assert reasons.to_pylist() == [None, why, None]
    assert problem(normal_form(texts))[1].as_py() == why


def test_mail_is_sent_to_wrong_addresses_too() -> None:
    texts = text_array(["ann@localhost", "ann@example..com", "'ann@example.com", "ann@[192.0.2.1]"])
    assert mailed_to(texts)[1] is None

"""The registry of codes: every row is sound, every statement that the verdicts rest on holds."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bounceanalytics.classifying.classify import classify_text
from bounceanalytics.errors import UnknownCodeError
from bounceanalytics.knowledge import registry
from bounceanalytics.knowledge.rules import mailbox_providers
from bounceanalytics.schema import ACTIONS, BOUNCE_TYPES, CATEGORIES, FAULTS, REASONS

if TYPE_CHECKING:
    from collections.abc import Iterator

VENDORS = list(registry.vendor_codes().values())
ROWS = [*registry.codes().values(), *registry.replies().values(), *VENDORS]
FAILURES = [row for row in ROWS if row.code_class != "success"]
FOLDER = Path(registry.__file__).parent

#: Words that a sentence of the registry may have.
LONGEST_SENTENCE = 40

#: The enumerated codes of the IANA registry "SMTP Enhanced Status Codes", without their class.
IANA = {
    0: [0],
    1: range(11),
    2: range(5),
    3: range(7),
    4: range(8),
    5: range(7),
    6: range(11),
    7: range(31),
}

#: Reply codes of RFC 5321 and of the extensions that register enhanced codes beside them.
STANDARD_REPLIES = [
    *("211", "214", "220", "221", "235", "250", "251", "252", "334", "354"),
    *("421", "432", "450", "451", "452", "454", "455"),
    *("500", "501", "502", "503", "504", "521", "523", "524", "525", "530", "534", "535", "538"),
    *("550", "551", "552", "553", "554", "555", "556"),
]

VERDICTS = [
    # code, reason, bounce type, action
    ("5.1.1", "unknown_user", "hard", "remove"),
    ("4.1.1", "unknown_user", "soft", "retry"),
    ("5.1.2", "bad_domain", "hard", "remove"),
    ("5.1.3", "bad_syntax", "hard", "remove"),
    ("5.1.6", "moved", "hard", "remove"),
    ("5.1.8", "sender_rejected", "block", "fix"),
    ("5.1.10", "bad_domain", "hard", "remove"),
    ("5.2.0", "recipient_refused", "hard", "review"),
    ("5.2.1", "mailbox_disabled", "hard", "remove"),
    ("4.2.1", "rate_limited", "soft", "retry"),
    ("4.2.2", "mailbox_full", "soft", "retry"),
    ("5.2.2", "mailbox_full", "soft", "retry"),
    ("5.2.3", "message_too_large", "soft", "fix"),
    ("4.3.1", "system_full", "soft", "retry"),
    ("5.3.1", "system_full", "hard", "remove"),
    ("5.3.4", "message_too_large", "soft", "fix"),
    ("5.3.2", "system_error", "soft", "retry"),
    ("4.4.1", "network", "soft", "retry"),
    ("4.4.4", "dns_failure", "soft", "retry"),
    ("5.4.4", "bad_domain", "hard", "remove"),
    ("5.4.14", "routing_loop", "soft", "retry"),
    ("4.4.7", "expired", "soft", "retry"),
    ("4.5.3", "rate_limited", "soft", "retry"),
    ("5.6.0", "content_rejected", "block", "fix"),
    ("5.7.1", "policy", "block", "fix"),
    ("5.7.13", "mailbox_disabled", "hard", "remove"),
    ("5.7.25", "reverse_dns", "block", "fix"),
    ("5.7.26", "authentication", "block", "fix"),
    ("5.7.27", "sender_rejected", "block", "fix"),
    ("4.7.28", "rate_limited", "soft", "retry"),
    ("4.7.650", "rate_limited", "soft", "retry"),
    ("5.7.133", "recipient_refused", "hard", "review"),
    ("5.7.515", "authentication", "block", "fix"),
    ("5.7.606", "blocked", "block", "fix"),
    ("5.7.649", "blocked", "block", "fix"),
    ("452", "system_full", "soft", "retry"),
    ("550", "unknown_user", "hard", "remove"),
    ("552", "mailbox_full", "soft", "retry"),
    ("556", "bad_domain", "hard", "remove"),
]


def defects(row: registry.Code) -> Iterator[str]:
    """Yield what is wrong with a row."""
    if not all(text.strip() for text in (row.title, row.meaning, row.source, row.registered)):
        yield "an empty text"
    if not row.meaning.endswith("."):
        yield "the meaning is no sentence"
    if not all(is_known(item.code) for item in row.related):
        yield "a related code does not exist"
    if any(len(sentence.split()) > LONGEST_SENTENCE for sentence in sentences(row)):
        yield "a sentence is too long to be read at once"
    if row.code in {item.code for item in row.related}:
        yield "it is related to itself"
    if row.code_class == "success":
        if (row.reason, row.bounce_type, row.action) != (None, "none", None):
            yield "success has a verdict"
        return
    if row.reason not in REASONS:
        yield f"unknown reason {row.reason}"
    if not row.do_now:
        yield "it does not say what to do"
    yield from misleading_texts(row)


def is_known(code: str) -> bool:
    return registry.lookup(code).registered != "not registered"


def sentences(row: registry.Code) -> Iterator[str]:
    """Yield every sentence of a row that is ours; typical texts are the servers'."""
    lists = (
        row.causes,
        row.do_now,
        row.do_later,
        row.investigate,
        row.recipient_side,
        row.practices,
    )
    for text in (row.meaning, row.disputed, *(text for texts in lists for text in texts)):
        yield from re.split(r"(?<=[.:;!?]) ", text)


def misleading_texts(row: registry.Code) -> Iterator[str]:
    for wording in row.texts:
        stated = re.findall(r"(?<![\d.])[245]\.\d{1,3}\.\d{1,3}(?![\d.])", wording.text)
        if row.kind == "enhanced" and stated and row.code not in stated:
            yield f"a typical text states {stated[0]}"
        if row.kind == "reply" and not wording.text.startswith(row.code):
            yield "a typical text starts with another reply"


def test_every_row_is_sound() -> None:
    assert [(row.code, defect) for row in ROWS for defect in defects(row)] == []


def test_every_verdict_is_in_the_schema() -> None:
    for row in FAILURES:
        assert row.bounce_type in BOUNCE_TYPES
        assert row.category in CATEGORIES
        assert row.fault in FAULTS
        assert row.action in ACTIONS


def test_the_check_of_rows_finds_defects() -> None:
    broken = replace(
        registry.lookup("5.3.1"), meaning="", reason="tired", related=(registry.Related("5.3.1", "same"),)
    )
    assert {"an empty text", "unknown reason tired", "it is related to itself"} <= set(defects(broken))


@pytest.mark.parametrize(("code", "reason", "bounce_type", "action"), VERDICTS)
def test_verdict_of_a_code_alone(code: str, reason: str, bounce_type: str, action: str) -> None:
    row = registry.lookup(code)
    assert (row.reason, row.bounce_type, row.action) == (reason, bounce_type, action)


def test_holds_every_code_of_the_iana_registry() -> None:
    known = {tuple(int(part) for part in code.split("."))[1:] for code in registry.codes()}
    wanted = {(subject, detail) for subject, details in IANA.items() for detail in details}
    assert wanted <= known
    by_iana = {
        tuple(int(part) for part in row.code.split("."))[1:]
        for row in registry.codes().values()
        if row.registered == "IANA"
    }
    assert by_iana <= wanted, "a code of a vendor claims to be registered"


def test_holds_every_standard_reply() -> None:
    assert set(STANDARD_REPLIES) <= set(registry.replies())


@pytest.mark.parametrize(
    "code", ["5.0.0", "5.1.0", "5.2.0", "5.3.0", "5.4.0", "5.5.0", "5.6.0", "5.7.0", "5.7.1"]
)
def test_general_codes_are_not_specific(code: str) -> None:
    assert not registry.lookup(code).specific
    assert not registry.lookup("4" + code[1:]).specific


def test_no_transient_code_removes_an_address() -> None:
    assert [row.code for row in FAILURES if row.code_class == "transient" and row.action == "remove"] == []
    assert [row.code for row in FAILURES if row.code_class == "transient" and row.bounce_type == "hard"] == []


def test_system_full_is_told_in_full() -> None:
    row = registry.lookup("5.3.1")
    assert [part for part, _ in registry.digits(row)] == ["5", "3", "1"]
    assert (len(row.causes), len(row.do_now), len(row.do_later), len(row.investigate)) == (8, 5, 5, 5)
    assert len(row.practices) == 7
    assert {item.code for item in row.related} == {"4.3.1", "5.3.0", "5.3.2", "4.2.2"}
    assert [item.kind for item in row.texts] == ["generic", "storage error", "system error", "enterprise"]
    assert (row.category, row.fault) == ("technical", "receiver")
    assert "RFC 3463" in row.disputed
    assert "policy can hold" in row.disputed


@pytest.mark.parametrize("written", ["5.3.1", "#5.3.1", " 5.3.1 ", "5.03.01"])
def test_lookup_takes_the_usual_spellings(written: str) -> None:
    assert registry.lookup(written).code == "5.3.1"


def test_lookup_takes_a_number() -> None:
    assert registry.lookup(550) is registry.lookup("550")


def test_an_unregistered_detail_is_answered_from_its_subject() -> None:
    row = registry.lookup("5.1.99")
    assert row.code == "5.1.99"
    assert row.registered == "not registered"
    assert row.reason == registry.lookup("5.1.0").reason
    assert not row.specific
    assert "5.1.0" in row.meaning


def test_an_unknown_subject_is_answered_from_its_class() -> None:
    assert registry.lookup("4.42.7").reason == registry.lookup("4.0.0").reason
    assert registry.digits(registry.lookup("4.42.7"))[1] == ("42", "No subject of RFC 3463")


def test_an_unlisted_reply_is_answered_from_its_first_digit() -> None:
    assert registry.lookup(599).reason == "unclassified"
    assert registry.lookup(299).reason is None


@pytest.mark.parametrize(
    "what", ["", "605", "1.2.3", "3.1.1", "5.3", "5.3.1.4", "5.3.1000", "550 5.1.1", "none", "\u0665.3.1"]
)
def test_what_is_no_code_is_refused(what: str) -> None:
    with pytest.raises(UnknownCodeError, match=r"expected an enhanced status code such as 5\.3\.1"):
        registry.lookup(what)


def test_an_error_repeats_no_address() -> None:
    with pytest.raises(UnknownCodeError) as caught:
        registry.lookup("550 <somebody@example.com>: User unknown")
    assert "somebody" not in str(caught.value)


@given(st.sampled_from("245"), st.integers(0, 999), st.integers(0, 999))
def test_every_well_formed_code_is_answered(digit: str, subject: int, detail: int) -> None:
    row = registry.lookup(f"{digit}.{subject}.{detail}")
    assert row.code == f"{digit}.{subject}.{detail}"
    assert row.code_class == {"2": "success", "4": "transient", "5": "permanent"}[digit]
    assert (row.reason is None) == (digit == "2")


@given(st.text(max_size=12))
def test_any_text_is_answered_or_refused(text: str) -> None:
    try:
        row = registry.lookup(text)
    except UnknownCodeError:
        return
    assert row.kind == "vendor" or re.fullmatch(r"[245]\.\d{1,3}\.\d{1,3}|[2-5]\d\d", row.code)


def test_code_reasons_agree_with_lookup() -> None:
    frame = registry.code_reasons()
    assert list(frame.columns) == ["code", "reason", "specific"]
    assert frame["code"].is_unique
    assert frame["specific"].dtype == bool
    for code, reason, specific in frame.itertuples(index=False):
        row = registry.lookup(code)
        assert row.reason == (None if pd.isna(reason) else reason)
        assert row.specific == specific


def test_codes_frame_holds_the_whole_registry() -> None:
    frame = registry.codes_frame().set_index("code")
    assert len(frame) == len(ROWS)
    assert frame.loc["5.3.1", ["reason", "bounce_type", "category", "fault", "action"]].tolist() == [
        "system_full",
        "hard",
        "technical",
        "receiver",
        "remove",
    ]
    assert len(frame.loc["5.3.1", "causes"]) == 8
    assert frame.loc["5.3.1", "texts"][0] == "generic: 550 5.3.1 Mail system full"
    assert frame.loc["550", "kind"] == "reply"
    assert frame.loc["TSS04", ["kind", "code_class", "registered"]].tolist() == [
        "vendor",
        "transient",
        "Yahoo",
    ]
    assert frame.loc["4.3.1", "code_class"] == "transient"
    assert frame[["title", "meaning", "source", "registered"]].notna().all(axis=None)
    assert (frame["source"] != "").all()


def test_a_frame_handed_out_is_the_callers_own() -> None:
    frame = registry.codes_frame()
    frame.loc[:, "title"] = "changed"
    assert registry.codes_frame().set_index("code").loc["5.3.1", "title"] == "Mail system full"


def test_every_reason_has_advice() -> None:
    rows = tomllib.loads((FOLDER / "reasons.toml").read_text("utf-8"))
    assert set(rows) == set(REASONS)
    for reason in REASONS:
        told = registry.advice(reason)
        assert told.reason == reason
        assert told.meaning.endswith(".")
        assert told.do_now


def test_a_code_with_an_unknown_column_is_refused() -> None:
    with pytest.raises(ValueError, match=r"code 5\.9\.9: unknown columns colour"):
        registry._build("5.9.9", "enhanced", {"title": "x", "meaning": "y", "source": "z", "colour": "red"})


def test_a_code_stated_twice_is_refused() -> None:
    row = registry.lookup("5.3.1")
    with pytest.raises(ValueError, match=r"5\.3\.1 is stated twice"):
        registry._by_code([row, row])


def test_files_are_named_by_subject() -> None:
    files = sorted((FOLDER / "codes").glob("*.toml"))
    assert [int(file.name.split("_")[0]) for file in files] == list(range(8))
    for file in files:
        table = tomllib.loads(file.read_text("utf-8"))
        number = table["subject"]["number"]
        assert file.name.startswith(f"{number}_")
        assert {int(row["number"].split(".")[0]) for row in table["code"]} == {number}


#: What analysts meet; each is told in full.
_LINES = (
    "5.0.0 4.1.1 5.1.0 5.1.1 5.1.2 5.1.3 5.1.6 5.1.8 5.1.10",
    "4.2.0 5.2.0 4.2.1 5.2.1 4.2.2 5.2.2 5.2.3",
    "4.3.0 5.3.0 4.3.1 5.3.1 4.3.2 5.3.2 5.3.4",
    "4.4.1 5.4.1 4.4.2 5.4.2 4.4.4 5.4.4 4.4.5 5.4.6 4.4.7 5.4.7 5.4.14 5.4.300 5.4.310 5.4.312 5.4.316",
    "4.5.3 5.5.0 5.6.0",
    "4.7.0 5.7.0 4.7.1 5.7.1 5.7.9 5.7.13 5.7.20 5.7.21 5.7.22 4.7.23 5.7.23 5.7.24 5.7.25 4.7.26 5.7.26 4.7.27 5.7.27",
    "4.7.28 5.7.28 4.7.29 5.7.29 4.7.30 5.7.30 4.7.31 5.7.31 4.7.32 5.7.32 4.7.40 5.7.40 5.7.124 5.7.133 5.7.134",
    "5.7.504 5.7.509 5.7.511 5.7.513 5.7.515 5.7.520 5.7.606 5.7.705",
    "421 450 451 452 550 552 553 554",
    "TSS04 BL21 554.30 PH01 S3150 S77719 S775 AS(201806281) CS01 OFR_506",
)
EVERYDAY = [code for line in _LINES for code in line.split()]


@pytest.mark.parametrize("code", EVERYDAY)
def test_everyday_codes_are_told_in_full(code: str) -> None:
    row = registry.lookup(code)
    for part in ("causes", "do_now", "do_later", "investigate", "related", "texts"):
        assert getattr(row, part), f"{code} lacks {part}"


# --- codes of vendors -------------------------------------------------------------------------------------------

#: Rows whose typical text the rules read in another way; a row is struck off when its text is read right.
READ_OTHERWISE = {
    "S775",
    "AS345",
    "CXSNDR",
    "AUP#…1090",
    "AUP#…1100",
    "AUP#…1160",
    "AUP#…1260",
    "AUP#…1300",
    "AUP#…1350",
    "AUP#…1500",
    "AUP#…1530",
    "AUP#…1540",
    "AUP#…1560",
    "LPN_510",
    "550 : User unknown",
}


def test_vendors_rows_say_what_they_need() -> None:
    providers = {row.name for row in mailbox_providers()} | {""}
    for row in VENDORS:
        assert row.provider in providers, row.code
        assert row.registered not in {"IANA", "not registered"}, row.code
        assert row.code_class in {"transient", "permanent"}, row.code
        assert row.texts, row.code
        assert not row.ambiguous or row.provider, row.code


@pytest.mark.parametrize("row", VENDORS, ids=lambda row: row.code)
def test_a_vendors_code_is_found_by_its_own_spellings_alone(row: registry.Code) -> None:
    if "…" not in row.code:
        assert registry.lookup(row.code) is row
        assert registry.lookup(f" {row.code.lower()} ").title == row.title
    for written in (*row.spellings, *(item.text for item in row.texts)):
        found = registry.vendor_codes_in(written, row.provider or None)
        assert row.title in [item.title for item in found], written
    for written in row.spellings:
        if len(written) <= 12:
            assert registry.lookup(written).title == row.title


def test_typical_texts_of_vendors_are_read_as_their_rows_say() -> None:
    wanted = [(row, item.text) for row in VENDORS for item in row.texts]
    read = classify_text([text for _, text in wanted])
    wrong = {
        row.code
        for (row, _), reason, kind in zip(wanted, read["reason"], read["bounce_type"], strict=True)
        if (reason, kind) != (row.reason, row.bounce_type)
    }
    assert wrong <= READ_OTHERWISE


@pytest.mark.parametrize(
    ("written", "title", "action"),
    [
        ("TSS04", "Deferred for volume or complaints", "retry"),
        ("[tss09]", "Permanently deferred", "fix"),
        ("(s3150)", "Network on Outlook.com's block list", "fix"),
        ("ofr004_506", "Message refused as spam", "fix"),
        ("as201806281", "Refused at the edge: no such recipient", "remove"),
        ("AUP#CXBL", "Cox's own block of the IP address", "fix"),
        ("lpn007_426", "Recipient's account blocked", "remove"),
    ],
)
def test_lookup_takes_the_spellings_of_vendors(written: str, title: str, action: str) -> None:
    row = registry.lookup(written)
    assert (row.title, row.action) == (title, action)


def test_a_family_is_shown_as_it_was_met() -> None:
    assert registry.lookup("ipbl1001").code == "IPBL1001"
    assert [row.code for row in registry.vendor_codes_in("554 refused. AUP#In-1220")] == ["AUP#In-1220"]


def test_a_short_code_counts_at_its_provider_or_in_brackets() -> None:
    def found(text: str, provider: str | None) -> list[str]:
        return [row.code for row in registry.vendor_codes_in(text, provider)]

    assert found("553 5.7.1 BL21 not accepted", "yahoo") == ["BL21"]
    assert found("553 5.7.1 BL21 not accepted", "google") == []
    assert found("553 5.7.1 BL21 not accepted", None) == []
    assert found("553 5.7.1 [BL21] not accepted", None) == ["BL21"]
    assert found("553 5.7.1 [BL21] not accepted", "google") == []


def test_codes_of_vendors_are_found_in_their_order_and_in_whole() -> None:
    text = "550 5.7.606 banned AS(1430), see S3150 and TSS041 or XTSS04"
    assert [row.code for row in registry.vendor_codes_in(text)] == ["AS(1430)", "S3150"]
    assert registry.vendor_codes_in("") == ()


def test_codes_of_vendors_take_no_part_in_classifying() -> None:
    assert not set(registry.code_reasons()["code"]) & set(registry.vendor_codes())

"""What explain() says: of codes, of texts and of rows."""

from __future__ import annotations

from html import unescape
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bounceanalytics.classifying.classify import classify
from bounceanalytics.errors import FrameError, UnknownCodeError
from bounceanalytics.explaining.explain import explain
from bounceanalytics.explaining.explanation import readable, readable_part
from bounceanalytics.knowledge import registry
from bounceanalytics.schema import EVENT_COLUMNS, REASONS
from tests.effort import examples

EVERY_CODE = [*registry.codes(), *registry.replies()]
VENDORS_CODES = [code for code in registry.vendor_codes() if "…" not in code]


class Tags(HTMLParser):
    """Collects the elements of a card and checks that each is closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.text: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert {name for name, _ in attrs} <= {"class"}
        self.open.append(tag)
        self.seen.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.text.append(data)


def event_frame(**values: object) -> pd.DataFrame:
    """Return an event frame of one bounce."""
    row = {
        "provider": "sendgrid",
        "event": "bounced",
        "recipient": "somebody@example.com",
        "domain": "example.com",
        "source": "bounces.json",
        "record": 7,
        **values,
    }
    return pd.DataFrame(
        {column.name: pd.Series([row.get(column.name)], dtype=column.dtype) for column in EVENT_COLUMNS}
    )


def sections(what: object) -> dict[str, list[str]]:
    return {section.title: [text for _, text in section.rows] for section in explain(what).sections}


# --- codes ------------------------------------------------------------------------------------------------------


def test_system_full_says_everything() -> None:
    told = explain("5.3.1")
    assert told.title == "5.3.1 Mail system full"
    assert (told.reason, told.bounce_type, told.category, told.fault, told.action) == (
        "system_full",
        "hard",
        "technical",
        "receiver",
        "remove",
    )
    assert told.summary == "Hard bounce, technical: remove the address."
    parts = {section.title: section.rows for section in told.sections}
    assert [label for label, _ in parts["How the code reads"]] == ["5", "3", "1"]
    assert len(parts["Why it happens"]) == 8
    assert len(parts["What to do now"]) == 5
    assert len(parts["What to keep doing"]) == 5
    assert len(parts["What to look into"]) == 5
    assert len(parts["Good practice"]) == 7
    assert [label for label, _ in parts["Not to be confused with"]] == ["4.3.1", "5.3.0", "5.3.2", "4.2.2"]
    assert [label for label, _ in parts["Typical texts"]] == [
        "generic",
        "storage error",
        "system error",
        "enterprise",
    ]
    assert "policy can hold" in parts["Where views differ"][0][1]
    printed = str(told)
    for rows in parts.values():
        for _, text in rows:
            assert text.split()[0] in printed


@pytest.mark.parametrize("written", ["5.3.1", "#5.3.1", " 5.3.1\n"])
def test_spellings_of_a_code(written: str) -> None:
    assert explain(written) == explain("5.3.1")


def test_a_reply_as_a_number_and_as_text() -> None:
    for written in (550, 550.0, np.int16(550), np.float64(550)):
        assert explain(written) == explain("550")
    assert explain(550).code == "550"
    assert "How sure it is" in sections(550)


def test_both_codes_together() -> None:
    told = explain("550 5.3.1")
    assert told.code == "5.3.1"
    assert told.title.startswith("550 5.3.1")
    assert "Mailbox unavailable" in sections("550 5.3.1")["The reply code 550 beside it"][0]
    assert explain("550-5.3.1").code == "5.3.1"


def test_two_codes_that_disagree_are_pointed_out() -> None:
    assert "The two disagree" in sections("450 5.1.1")["The reply code 450 beside it"][0]
    assert "The two disagree" not in sections("550 5.1.1")["The reply code 550 beside it"][0]


def test_success_is_no_failure() -> None:
    told = explain("2.0.0")
    assert (told.reason, told.bounce_type, told.action) == (None, "none", None)
    assert told.summary == "No failure."
    assert "What it counts as" not in sections("2.0.0")


def test_a_transient_unknown_user_is_no_proof() -> None:
    told = explain("4.1.1")
    assert (told.bounce_type, told.action) == ("soft", "retry")
    assert "no proof" in sections("4.1.1")["Where views differ"][0]


def test_an_unregistered_detail_says_so() -> None:
    assert "not registered" in explain("5.1.99").title
    assert sections("5.1.99")["Source"] == ["RFC 3463, section 2", "nowhere"]


@pytest.mark.parametrize("reason", list(REASONS))
def test_a_reason_can_be_explained(reason: str) -> None:
    told = explain(reason)
    assert told.reason == reason
    assert "What to do now" in sections(reason)


def test_every_code_is_explained_within_the_width() -> None:
    for code in (*EVERY_CODE, *VENDORS_CODES):
        told = explain(code, width=60)
        assert told.code == code
        assert max(map(len, str(told).splitlines())) <= 60, code


def test_every_code_makes_a_sound_card() -> None:
    for code in (*EVERY_CODE, *VENDORS_CODES):
        shown = Tags(explain(code)._repr_html_())
        assert {"h3", "h4", "dl"} <= shown.seen
        assert registry.lookup(code).title in "".join(shown.text)


@pytest.mark.parametrize(
    ("written", "title", "action"),
    [
        ("TSS04", "TSS04 Deferred for volume or complaints (Yahoo)", "retry"),
        ("s3150", "S3150 Network on Outlook.com's block list (Microsoft)", "fix"),
        ("ofr_506", "OFR_506 Message refused as spam (Orange)", "fix"),
        ("as(201806281)", "AS(201806281) Refused at the edge: no such recipient (Microsoft)", "remove"),
    ],
)
def test_a_code_of_a_vendor(written: str, title: str, action: str) -> None:
    told = explain(written)
    assert (told.title, told.action) == (title, action)
    parts = sections(written)
    assert parts["Source"][1].startswith("by nobody; made up by ")
    assert "How the code reads" not in parts
    assert {"Why it happens", "What to do now", "Typical texts"} <= set(parts)


def test_the_spellings_of_a_vendors_code_are_shown() -> None:
    assert sections("IPBL0001")["How it is written"] == ["IPBL0001, IPBL0010, IPBL1000, IPBL1001"]


def test_repr_and_print_are_the_same_text() -> None:
    told = explain("5.3.1", width=80)
    assert repr(told) == str(told)
    assert str(told).splitlines()[0] == "5.3.1 Mail system full"


def test_the_width_of_the_terminal_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    assert max(map(len, str(explain("5.3.1")).splitlines())) <= 50
    monkeypatch.setenv("COLUMNS", "400")
    assert max(map(len, str(explain("5.3.1")).splitlines())) <= 100


# --- texts and rows ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "550 5.3.1 Mail system full",
        "550 5.3.1 Permanent storage capacity issue",
        "550 5.3.1 Mail system permanently unavailable",
        "550 5.3.1 Server storage permanently exceeded",
    ],
)
def test_texts_of_a_full_system(text: str) -> None:
    told = explain(text)
    assert (told.reason, told.action, told.code) == ("system_full", "remove", "5.3.1")
    assert told.title == "Mail system full (550 5.3.1)"
    assert told.rule
    assert [item for item in told.candidates if item.won]
    assert f"“{text}”" in sections(text)["What came in"]


def test_the_text_wins_over_the_code_and_the_code_is_told_why() -> None:
    told = explain("550 5.1.1 <somebody@example.com>: Mailbox full, over quota")
    assert told.reason == "mailbox_full"
    assert told.code == "5.1.1"
    lost = [item for item in told.candidates if not item.won]
    assert "unknown_user" in {item.reason for item in lost}
    assert all(item.why for item in lost)
    parts = sections("550 5.1.1 <somebody@example.com>: Mailbox full, over quota")
    assert any("unknown_user" in text for text in parts["What else spoke, and why it lost"])
    assert any("5.1.1 by itself would mean unknown_user" in text for text in parts["The codes beside it"])


def test_a_classified_row() -> None:
    frame = classify(
        event_frame(
            diagnostic="550 5.1.1 <somebody@example.com>: Recipient address rejected: User unknown",
            reply_code=550,
            enhanced_code="5.1.1",
            esp_event="bounce",
            esp_type="bounce",
            timestamp=pd.Timestamp("2026-03-01 09:30", tz="UTC"),
            attempt=2,
        )
    )
    told = explain(frame.iloc[0])
    assert (told.reason, told.rule) == (frame["reason"].iloc[0], frame["rule"].iloc[0])
    assert told.title == "Unknown user (550 5.1.1)"
    came = dict(told.sections[0].rows)
    assert came["recipient"] == "…@example.com"
    assert came["event"] == "bounced on 2026-03-01 09:30 UTC, attempt 2"
    assert came["reply code"] == "550 Mailbox unavailable"
    assert came["words of sendgrid"] == "event “bounce”, type “bounce”"
    assert came["found in"] == "bounces.json, record 7"
    assert [item.rule for item in told.candidates if item.won] == [told.rule]


def test_row_frame_and_mapping_are_explained_alike() -> None:
    frame = classify(event_frame(diagnostic="452 4.2.2 Mailbox full", reply_code=452, enhanced_code="4.2.2"))
    before = frame.copy()
    told = explain(frame)
    assert told == explain(frame.iloc[0])
    assert told == explain(frame.iloc[0].to_dict())
    pd.testing.assert_frame_equal(frame, before)


def test_a_row_that_was_not_classified_is_classified() -> None:
    raw = event_frame(diagnostic="552 5.2.2 Over quota", reply_code=552, enhanced_code="5.2.2")
    assert explain(raw) == explain(classify(raw))


def test_a_row_decided_by_a_rule_of_the_users_own_says_so() -> None:
    frame = classify(event_frame(diagnostic="550 5.1.1 User unknown", reply_code=550, enhanced_code="5.1.1"))
    row = frame.iloc[0].to_dict() | {"rule": "mine-001", "reason": "blocked"}
    assert sections(row)["Why"][0].startswith("Rule mine-001 decided. It is a rule of your own")
    assert explain(row).reason == "blocked"


def test_a_mapping_needs_only_what_there_is() -> None:
    told = explain({"enhanced_code": "5.1.2"})
    assert told.reason == "bad_domain"
    assert dict(told.sections[0].rows)["text"] == "none"


def test_a_delivery_is_no_failure() -> None:
    told = explain(classify(event_frame(event="delivered", diagnostic="250 2.0.0 OK")))
    assert told.bounce_type == "none"
    assert told.summary == "No failure."
    assert told.reason is None


def test_no_address_is_shown_whole() -> None:
    told = explain(
        classify(
            event_frame(
                diagnostic="550 no mailbox somebody@example.com (also somebody.else@mail.example.com)"
            )
        )
    )
    for shown in (str(told), told._repr_html_()):
        assert "somebody" not in shown
        assert "…@mail.example.com" in shown


def test_a_hostile_text_is_defused() -> None:
    text = "550 5.1.1 <script>alert(1)</script> \x1b]0;title\x07\x1b[31m \u202euser unknown\x00"
    told = explain(
        classify(event_frame(diagnostic=text, remote_host="<img src=x onerror=alert(1)>", esp_reason="<b>"))
    )
    shown = Tags(told._repr_html_())
    assert not shown.seen & {"script", "img", "b"}
    assert "<script>alert(1)</script>" in "".join(shown.text)
    assert not {"\x1b", "\x07", "\u202e", "\x00"} & set(str(told))


def test_a_very_long_text_is_cut() -> None:
    told = explain({"diagnostic": "550 user unknown " + "x" * 200_000})
    assert len(str(told)) < 20_000
    assert "200,017 characters in all" in str(told)


@examples(25)
@given(st.text(min_size=1, max_size=300), st.integers(40, 120))
@example("550 \u202e\u200e user\x9b31m", 40)
@example("a" * 300, 40)
def test_any_text_is_explained_within_the_width_and_safely(text: str, width: int) -> None:
    told = explain({"diagnostic": text + " failed"}, width=width)
    assert max(map(len, str(told).splitlines())) <= width
    assert not any(ord(char) < 32 or 0x7F <= ord(char) < 0xA0 for char in str(told) if char != "\n")
    Tags(told._repr_html_())


# --- the part that decided --------------------------------------------------------------------------------------


def came_in(what: object) -> tuple[str, str]:
    """Return the line of the text as it is printed, and the part that is set off in the card."""
    told = explain(what, width=400)
    line = next(line for line in str(told).splitlines() if line.strip().startswith("text"))
    marked = told._repr_html_().partition("<mark>")[2].partition("</mark>")[0]
    return line.strip(), unescape(marked)


def test_the_words_that_decided_are_set_off() -> None:
    text = "550 5.1.1 <somebody@example.com>: Mailbox is full, sorry"
    line, marked = came_in(text)
    assert line.startswith("text")
    assert "<…@example.com>" in line
    assert "somebody" not in line
    assert marked
    assert f"»{marked}«" in line
    won = next(item for item in explain(text).candidates if item.won)
    assert marked == text[won.start : won.end]


def test_the_text_of_a_section_stays_without_signs() -> None:
    told = explain("552 5.2.2 Over quota")
    (part,) = (section for section in told.sections if section.title == "What came in")
    (mark,) = part.marks
    number, start, end = mark
    assert part.rows[number] == ("text", "“552 5.2.2 Over quota”")
    assert part.rows[number][1][start:end].lower() == "over quota"


def test_the_code_that_decided_is_set_off() -> None:
    assert came_in("550 5.1.2 zzz qqq")[1] == "5.1.2"


def test_words_are_found_where_the_rules_saw_another_form() -> None:
    # The rule sees one blank and no code between the words of two lines.
    line, marked = came_in("550-5.1.1 The email account that you tried to\r\n550-5.1.1 reach does not exist")
    assert f"»{marked}«" in line
    assert marked


def test_nothing_is_set_off_where_the_words_are_not_known() -> None:
    assert came_in({"enhanced_code": "5.1.1", "diagnostic": "zzz qqq"})[1] == ""
    frame = classify(event_frame(diagnostic="550 5.1.1 User unknown", reply_code=550, enhanced_code="5.1.1"))
    own = frame.iloc[0].to_dict() | {"rule": "mine-001", "reason": "blocked"}
    assert came_in(own)[1] == ""


def test_a_text_cannot_set_itself_off() -> None:
    told = explain({"diagnostic": "550 \ue000user\ue001 <mark>unknown</mark> zzz", "enhanced_code": "5.1.1"})
    shown = told._repr_html_()
    assert "&lt;mark&gt;unknown" in shown
    Tags(shown)


@given(
    st.text(st.sampled_from("ab @.<>\t\x00ß\u202e"), max_size=60),
    st.text("xy z", min_size=1, max_size=20),
    st.text(st.sampled_from("ab @.<>\n"), max_size=60),
)
@example("to somebody@exam", "xple.com", "")
@example("", "somebody@example.com", "")
def test_a_part_keeps_its_words_when_the_text_is_made_safe(before: str, part: str, after: str) -> None:
    text = before + part + after
    shown, start, end = readable_part(text, len(before), len(before) + len(part))
    assert shown == readable(text)
    assert 0 <= start <= end <= len(shown)
    if "@" not in text:
        assert shown[start:end].split() == part.split()


@given(st.text(max_size=400), st.integers(0, 500), st.integers(0, 500))
def test_any_part_of_any_text_stays_within_it(text: str, start: int, length: int) -> None:
    shown, first, last = readable_part(text, start, start + length)
    assert shown == readable(text)
    assert 0 <= first <= last <= len(shown)


def test_a_part_that_is_cut_off_is_not_shown() -> None:
    text = "x" * 2000 + " user unknown"
    shown, start, end = readable_part(text, 2001, 2013)
    assert start == end
    assert "2,013 characters in all" in shown


# --- codes of vendors in a text ---------------------------------------------------------------------------------


def test_a_vendors_code_in_a_text_is_told() -> None:
    text = "421 4.7.0 [TSS04] Messages from 192.0.2.10 temporarily deferred due to unexpected volume or user complaints"
    parts = sections(text)
    assert parts["The code TSS04 in the text"][0] == "Yahoo"
    assert "unexpected volume" not in parts["What to do now"][0]
    assert parts["Meaning"][0].startswith("Yahoo holds back")


def test_a_vendors_code_that_means_otherwise_says_so() -> None:
    row = {"diagnostic": "550 5.1.1 User unknown. OFR_506", "domain": "orange.fr"}
    told = dict(next(item for item in explain(row).sections if "OFR_506" in item.title).rows)
    assert told["who writes it"] == "Orange"
    if explain(row).reason != "spam":
        assert told["by itself"] == "it would mean spam"


def test_a_short_code_is_told_at_its_provider_only() -> None:
    text = "550 5.7.1 CS01 Message rejected due to local policy"
    assert any("CS01" in title for title in sections({"diagnostic": text, "domain": "icloud.com"}))
    assert not any("CS01" in title for title in sections({"diagnostic": text, "domain": "example.com"}))


# --- what cannot be explained -----------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["", "605", "9.9.9", "5.3", 605, 0, -1])
def test_what_is_no_code_and_no_text(what: object) -> None:
    with pytest.raises(UnknownCodeError, match="is no status code"):
        explain(what)


@pytest.mark.parametrize("what", [None, pd.NA, True, 5.31, float("nan"), [], ["5.3.1"], b"5.3.1"])
def test_what_has_a_wrong_type(what: object) -> None:
    with pytest.raises(FrameError, match="explain takes a code, a text or one row, found"):
        explain(what)


def test_a_frame_must_have_one_row() -> None:
    frame = pd.concat([event_frame(), event_frame()], ignore_index=True)
    with pytest.raises(FrameError, match="found a frame of 2"):
        explain(frame)
    with pytest.raises(FrameError, match="found a frame of 0"):
        explain(frame.iloc[:0])


def test_a_row_without_evidence() -> None:
    with pytest.raises(FrameError, match=r"needs a value in one of .*its columns: recipient"):
        explain({"recipient": "somebody@example.com", "diagnostic": None})


# --- masking ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("to somebody@example.com", "to …@example.com"),
        ('to "some body"@example.com', "to …@example.com"),
        ("bounce+user=example.org@example.com", "…@example.com"),
        ("<o'neil@example.com>", "<…@example.com>"),
        ("jörg@bücher.example", "…@bücher.example"),
        ("no address here @ all", "no address here @ all"),
    ],
)
def test_addresses_are_masked(text: str, shown: str) -> None:
    assert readable(text) == shown


@given(st.from_regex(r"[a-z][a-z0-9._+-]{3,20}", fullmatch=True))
def test_no_local_part_survives_masking(local: str) -> None:
    assert local not in readable(f"550 <{local}@example.com> rejected")

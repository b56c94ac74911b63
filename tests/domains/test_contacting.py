"""Contacts: who is affected, how many, since when and what was said, in seven languages and without addresses."""

from __future__ import annotations

import inspect
import io
import re
import string
import textwrap
from typing import Any

import pandas as pd
import pytest

from bounceanalytics.domains.contacting import _SENTENCES, CONCERNS, _languages, contacts, other_addresses
from bounceanalytics.errors import FrameError
from bounceanalytics.history import History
from bounceanalytics.schema import CONTACT_COLUMNS, OTHER_ADDRESS_COLUMNS, REASONS
from tests.classified import COLUMNS, classified

LANGUAGES = ("en", "de", "fr", "es", "it", "nl", "pt")
START = pd.Timestamp("2026-03-02T09:00Z")


def event(
    who: str, day: float | None, what: str = "bounced", reason: str | None = None, **more: Any
) -> dict[str, Any]:
    if what != "delivered":
        reason = reason or "system_full"
    when = None if day is None else START + pd.Timedelta(days=day)
    return {"recipient": who, "timestamp": when, "event": what, "reason": reason} | more


def checked(**status: str) -> pd.DataFrame:
    names = [name.replace("_", ".") for name in status]
    return pd.DataFrame({"domain": names, "status": pd.Categorical(list(status.values()))})


FULL = classified(
    [
        event("zq-ann@full.example", 0, diagnostic="552 5.3.1 <zq-ann@full.example>: mail system full"),
        event("zq-bo@full.example", 1, diagnostic="552 5.3.1 mailbox zq-bo: mail\r\n system full"),
        event("zq-cy@full.example", -1, "delivered"),
        event("zq-ann@full.example", 3, "deferred"),
        event("zq-di@again.example", 0),
        event("zq-di@again.example", 1, "delivered"),
        event("zq-ed@other.example", 0, reason="unknown_user"),
        event("zq-fe@small.example", 5, reply_code=552, diagnostic=None),
    ]
)


def test_a_row_for_each_domain_that_is_full_most_addresses_first() -> None:
    found = contacts(FULL)
    assert found["domain"].tolist() == ["full.example", "small.example"]
    assert found["addresses"].tolist() == [3, 1]
    assert found["postmaster"].tolist() == ["postmaster@full.example", "postmaster@small.example"]
    assert found["abuse"].tolist() == ["abuse@full.example", "abuse@small.example"]
    assert found[["status", "registry_contact"]].isna().all(axis=None)
    assert found.loc[0, "subject"] == "full.example: mail is refused because the mail system is full"
    assert found.loc[0, "message"] == (
        "Dear postmaster,\n\n"
        "Your mail system refuses our mail and says that it is full (out of storage). This concerns 2 addresses at "
        "full.example to which we send mail. We have seen it since 2026-03-02 (UTC).\n\n"
        "The last reply was:\n552 5.3.1 mailbox …: mail system full\n\n"
        "Could you make room, or tell us by when it will take mail again? Until then we hold our mail back.\n\n"
        "Thank you for your help.\n"
    )


def test_one_that_took_mail_since_is_not_affected() -> None:
    # a delivery after the last permanent answer, whatever else it said since
    rows = [
        event("zq-a@x.example", 0),
        event("zq-b@x.example", 2, "delivered"),
        event("zq-c@x.example", 3, "deferred"),
    ]
    assert contacts(classified(rows)).empty
    assert len(contacts(classified(rows[:1]))) == 1
    # and with transient answers only, after the last of them
    rows = [event("zq-a@x.example", 0, "deferred"), event("zq-b@x.example", 1, "delivered")]
    assert contacts(classified(rows)).empty
    assert len(contacts(classified([*rows, event("zq-a@x.example", 2, "deferred")]))) == 1


def test_what_is_counted() -> None:
    rows = [
        *(event(f"zq-{number}@x.example", 0) for number in range(3)),
        event("zq-0@x.example", 7),
        event("zq-9@x.example", -1, "delivered"),
        event("zq-8@x.example", -3, "deferred"),
        event("zq-8@x.example", -2, "delivered"),  # that was another time
    ]
    (row,) = contacts(classified(rows)).itertuples()
    assert row.addresses == 5
    assert "3 addresses at x.example" in row.message
    assert "since 2026-03-02 (UTC)" in row.message
    (row,) = contacts(classified(rows[:1])).itertuples()
    assert "one address at x.example" in row.message


def test_events_without_a_time_or_a_text() -> None:
    (row,) = contacts(classified([event("zq-a@x.example", None, reply_code=552)])).itertuples()
    assert "since" not in row.message
    assert "The last reply was:\n552 5.3.1\n" in row.message


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("552 5.3.1 <zq-ann@x.example>: full", "552 5.3.1 …: full"),
        ("552 5.3.1 mailbox ZQ-Ann is on a full disk", "552 5.3.1 mailbox … is on a full disk"),
        ('552 5.3.1 "a b"@x.example full', "552 5.3.1 …@x.example full"),
        ("552 5.3.1 full\r\n\tdisk\x00 now", "552 5.3.1 full disk now"),
        ("full, zq-other=x.example@relay.example", "552 5.3.1 full, …@relay.example"),
        ("552-5.3.1 full", "552-5.3.1 full"),
        ("552 5.3.1 {domain} {since} is full", "552 5.3.1 x.example {since} is full"),
        ("552 5.3.1 " + "x" * 1000, "552 5.3.1 " + "x" * 390),
    ],
)
def test_the_reply_is_quoted_without_addresses(said: str, shown: str) -> None:
    (row,) = contacts(
        classified([event("zq-ann@x.example", 0, reply_code=552, diagnostic=said)])
    ).itertuples()
    assert f"The last reply was:\n{shown}\n\n" in row.message


@pytest.mark.parametrize(
    ("who", "said"),
    [
        ('"zq ann"', 'full: "zq ann"@x.example, mailbox zq ann'),
        ("zqjösé", "mailbox zqjösé is full"),
        ("12345678", "mailbox 12345678 is full"),
        ("zq'ann", "<zq'ann@x.example>: mailbox zq'ann is full"),
        ("zq-ann+news", "mailbox zq-ann is full (zq-ann+news@x.example)"),
    ],
)
def test_no_name_of_any_form_is_quoted(who: str, said: str) -> None:
    (row,) = contacts(classified([event(f"{who}@x.example", 0, diagnostic=said)])).itertuples()
    assert "full" in row.message
    assert not re.search("zq|ann|123|jös", row.message)


def test_a_code_is_no_name() -> None:
    rows = [event(f"{who}@x{who}.example", 0, diagnostic="552 5.3.1 full") for who in ("552", "5.3.1")]
    assert contacts(classified(rows))["message"].str.contains("552 5.3.1 full", regex=False).all()


def test_the_last_reply_with_a_text_is_quoted() -> None:
    rows = [
        event("zq-a@x.example", 0, diagnostic="552 5.3.1 first"),
        event("zq-b@x.example", 2, diagnostic="552 5.3.1 second"),
        event("zq-c@x.example", 3, diagnostic=None),
        event("zq-d@x.example", 4, reason="mailbox_full", diagnostic="452 4.2.2 another matter"),
    ]
    (row,) = contacts(classified(rows)).itertuples()
    assert "552 5.3.1 second" in row.message


def test_a_check_counts_more_than_the_history() -> None:
    states = {"full": 1, "refusing": 1, "unreachable": 1, "gone": 1, "unknown": 1}
    states |= dict.fromkeys(("healthy", "no_mail", "parked"), 0)
    for status, rows in states.items():
        found = contacts(FULL, checks=checked(full_example=status))
        assert found["domain"].eq("full.example").sum() == rows, status
    found = contacts(
        FULL, checks=checked(other_example="unreachable", nobody_example="gone", again_example="full")
    )
    assert found["domain"].tolist() == [
        "full.example",
        "again.example",
        "other.example",
        "small.example",
        "nobody.example",
    ]
    found = found.set_index("domain")
    assert found["status"].dropna().to_dict() == {
        "again.example": "full",
        "other.example": "unreachable",
        "nobody.example": "gone",
    }
    assert found.loc["nobody.example", "addresses"] == 0
    assert "address" not in found.loc["nobody.example", "message"].partition("\n\n")[2].partition("\n\n")[0]
    assert found.loc["nobody.example", ["postmaster", "abuse"]].isna().all()
    assert found.loc["other.example", "postmaster"] == "postmaster@other.example"
    assert found.loc["other.example", "abuse"] == "abuse@other.example"
    # unknown users are no sign that servers cannot be reached
    assert "last reply" not in found.loc["other.example", "message"]


def test_what_a_check_says_beside_the_status() -> None:
    checks = checked(x_example="refusing").assign(
        reply="554 5.7.1 ask admin@x.example", registry_contact="abuse@registrar.example"
    )
    (row,) = (
        contacts(FULL, checks=pd.concat([checks, checks]))
        .loc[lambda found: found["domain"] == "x.example"]
        .itertuples()
    )
    assert row.registry_contact == "abuse@registrar.example"
    assert "554 5.7.1 ask …" in row.message


def test_addresses_of_a_list_are_counted() -> None:
    mails = [
        "zq-1@full.example",
        "Zq-1@FULL.example",
        "zq-2@full.example",
        "no address",
        None,
        "zq-3@small.example",
    ]
    people = pd.DataFrame({"name": ["a"] * 6, "mail": mails, "also": ["zq-9@full.example", *[None] * 5]})
    found = contacts(FULL, mailing_list=people).set_index("domain")
    assert found["addresses"].to_dict() == {"full.example": 2, "small.example": 1}
    found = contacts(FULL, mailing_list=people, column="also").set_index("domain")
    assert found["addresses"].to_dict() == {"full.example": 1, "small.example": 0}
    # where nothing bounced, those of the list are concerned
    found = contacts(COLUMNS.empty(), checks=checked(full_example="unreachable"), mailing_list=people)
    assert "2 addresses" in found.loc[0, "message"]


def test_a_list_without_addresses() -> None:
    with pytest.raises(FrameError, match="no column of the mailing list can be told to hold"):
        contacts(FULL, mailing_list=pd.DataFrame({"name": ["ann"]}))
    with pytest.raises(FrameError, match="no column of the mailing list holds e-mail addresses"):
        contacts(FULL, mailing_list=pd.DataFrame({"name": ["ann"]}), column="name")
    with pytest.raises(FrameError, match="a mailing list needs the columns mail"):
        contacts(FULL, mailing_list=pd.DataFrame({"name": ["ann"]}), column="mail")
    assert contacts(FULL, mailing_list=pd.DataFrame({"mail": pd.Series(dtype="str")}))[
        "addresses"
    ].tolist() == [0, 0]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_messages_of_a_language(language: str) -> None:
    checks = checked(a_example="refusing", b_example="unreachable", c_example="gone")
    found = contacts(FULL, checks=checks, language=language)
    assert len(found) == 5
    text = "\n".join([*found["subject"], *found["message"]])
    assert not re.search(r"[{}]|zq-|\S@\S|\bnan\b|None|  ", text), text
    assert all(
        row.domain in row.subject and row.domain in row.message for row in found.itertuples() if row.addresses
    )
    message = found.set_index("domain").loc["full.example", "message"]
    assert " 2 " in message
    assert "2026-03-02" in message
    assert "552 5.3.1 mailbox …: mail system full" in message


def test_every_language_says_all_of_it() -> None:
    assert tuple(_languages()) == LANGUAGES
    fields = {
        name: sorted(field for _, field, _, _ in string.Formatter().parse(text) if field)
        for name, text in _flat(_languages()["en"]).items()
    }
    for language in LANGUAGES:
        texts = _flat(_languages()[language])
        assert set(texts) == set(fields), language
        assert set(texts) == {
            *_SENTENCES,
            *(f"{state}.{part}" for state in CONCERNS for part in ("subject", "fact", "ask")),
        }
        for name, text in texts.items():
            found = sorted(field for _, field, _, _ in string.Formatter().parse(text) if field)
            assert found == fields[name], (language, name)
            assert text == text.strip()


def _flat(table: dict[str, Any], before: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in table.items():
        found |= _flat(value, f"{before}{name}.") if isinstance(value, dict) else {before + name: value}
    return found


def test_no_messages_in_a_language() -> None:
    with pytest.raises(FrameError, match="there are no messages in 'xx'; there are some in en, de, fr"):
        contacts(FULL, language="xx")


def test_which_reasons_belong_to_servers_that_refuse() -> None:
    assert set(REASONS) - set(CONCERNS["refusing"]) == {
        "unknown_user", "bad_syntax", "moved", "mailbox_disabled", "mailbox_full", "message_too_large",
        "content_rejected", "spam", "virus", "suppressed", "challenge",
    }  # fmt: skip


def test_as_csv() -> None:
    found = contacts(FULL)
    again = pd.read_csv(io.StringIO(found.to_csv(index=False)))
    assert again["message"].tolist() == found["message"].tolist()


def test_nothing_is_changed_and_a_history_may_be_asked_again() -> None:
    before = FULL.copy()
    with History.open(FULL) as history:
        first = contacts(history)
        second = contacts(history, checks=checked(full_example="healthy"))
        third = contacts(history)
    pd.testing.assert_frame_equal(FULL, before)
    pd.testing.assert_frame_equal(first, third)
    assert len(second) == len(first) - 1


@pytest.fixture
def people() -> pd.DataFrame:
    rows = [
        (1, "Zq-Ann@full.example"),
        (1, "zq-ann@private.example"),
        (1, "zq-ann@work.example"),
        (1, "zq-ann@small.example"),
        (1, "zq-ann@private.example"),
        (2, "zq-bo@full.example"),
        (3, "zq-cy@private.example"),
        (None, "zq-di@full.example"),
        (None, "zq-di@private.example"),
        (4, "zq-ed@small.example"),
        (4, "no address"),
    ]
    return pd.DataFrame(rows, columns=["customer", "mail"]).astype({"customer": "Int64"})


def test_other_addresses_of_the_same_people(people: pd.DataFrame) -> None:
    found = other_addresses(people, FULL, key="customer")
    assert found.values.tolist() == [  # noqa: PD011
        ["1", "full.example", "zq-ann@full.example", "zq-ann@private.example"],
        ["1", "full.example", "zq-ann@full.example", "zq-ann@work.example"],
        ["1", "small.example", "zq-ann@small.example", "zq-ann@private.example"],
        ["1", "small.example", "zq-ann@small.example", "zq-ann@work.example"],
    ]
    found = other_addresses(
        people, FULL, key="customer", checks=checked(full_example="healthy", work_example="gone")
    )
    assert found["other_address"].unique().tolist() == ["zq-ann@full.example", "zq-ann@private.example"]
    assert set(found["domain"]) == {"small.example", "work.example"}


def test_other_addresses_by_a_text(people: pd.DataFrame) -> None:
    people["customer"] = people["customer"].map({1: " a ", 2: "b", 3: "c", 4: ""}).astype("str")
    found = other_addresses(people, FULL, key="customer", column="mail")
    assert found["key"].unique().tolist() == ["a"]


def test_other_addresses_need_their_columns(people: pd.DataFrame) -> None:
    with pytest.raises(FrameError, match="needs the columns person"):
        other_addresses(people, FULL, key="person")


@pytest.mark.parametrize("name", [0, ["email"], {}, pd.NaT])
def test_what_names_no_column(name: Any) -> None:
    people = pd.DataFrame({"customer": [7], "email": ["ann@full.example"]})
    for given in ({"key": name}, {"key": "customer", "column": name}):
        with pytest.raises(FrameError, match="column"):
            other_addresses(people, FULL, **given)
    with pytest.raises(FrameError, match="key must name"):
        other_addresses(people, FULL, key=None)  # type: ignore[arg-type]


@pytest.mark.parametrize("language", [None, ["de"], 5])
def test_what_is_no_language(language: Any) -> None:
    with pytest.raises(FrameError, match="there are no messages in"):
        contacts(FULL, language=language)


def test_frames_of_nothing_have_the_columns(people: pd.DataFrame) -> None:
    nothing = COLUMNS.empty()
    for frame, table in (
        (contacts(nothing), CONTACT_COLUMNS),
        (contacts(FULL), CONTACT_COLUMNS),
        (other_addresses(people, nothing, key="customer"), OTHER_ADDRESS_COLUMNS),
        (other_addresses(people, FULL, key="customer"), OTHER_ADDRESS_COLUMNS),
    ):
        assert dict(frame.dtypes) == table.dtypes


@pytest.mark.parametrize(
    ("function", "table"), [(contacts, CONTACT_COLUMNS), (other_addresses, OTHER_ADDRESS_COLUMNS)]
)
def test_the_docstrings_list_the_columns(function: Any, table: Any) -> None:
    assert textwrap.indent(table.numpydoc(), "    ") in (inspect.getdoc(function) or "")

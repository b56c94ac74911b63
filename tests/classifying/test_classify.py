"""The classifier: which evidence decides, what follows for the address, and what never happens to a frame."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bounceanalytics.classifying.classify import candidates, classify, classify_text
from bounceanalytics.errors import FormatError, FrameError
from bounceanalytics.knowledge.registry import outcome
from bounceanalytics.knowledge.rules import rules
from bounceanalytics.schema import (
    EVENT_COLUMNS,
    EVENTS,
    FAILURE_EVENTS,
    PROVIDERS,
    REASONS,
    VERDICT_COLUMNS,
)


def frame(*rows: dict) -> pd.DataFrame:
    """Return an event frame; what a row leaves out is missing."""
    whole = [{"provider": "generic", "event": "bounced", "record": 1, **row} for row in rows]
    return pd.DataFrame(
        {
            column.name: pd.Series([row.get(column.name) for row in whole], dtype=column.dtype)
            for column in EVENT_COLUMNS
        }
    )


def verdict(**row) -> pd.Series:
    return classify(frame(row)).iloc[0]


def reason(text: str, **known) -> str:
    return str(classify_text([text], **known)["reason"].iloc[0])


# --- the order of evidence


@pytest.mark.parametrize(
    ("text", "known", "expected", "action"),
    [
        # GoDaddy uses 5.1.1 for a rate limit, Orange for a full mailbox
        (
            "550 5.1.1 <a@example.com> - 192.0.2.7 has sent to too many people. IB607",
            {},
            "rate_limited",
            "retry",
        ),
        (
            "552 5.1.1 La boite du destinataire est pleine. OFR_417",
            {"domain": "orange.fr"},
            "mailbox_full",
            "retry",
        ),
        # Yandex uses 5.7.1 for an unknown user, Charter 5.1.0 for a blocked sender
        ("550 5.7.1 There is no such user here", {"domain": "yandex.ru"}, "unknown_user", "remove"),
        (
            "550 5.1.0 <a@example.com> sender rejected. AUP#Out-1320",
            {"domain": "charter.net"},
            "blocked",
            "fix",
        ),
        ("smtp; 550 5.4.4 This domain is invalid", {}, "bad_domain", "remove"),
        # a text that says nothing leaves it to the code
        ("550 5.2.2 Lorem ipsum dolor", {}, "mailbox_full", "retry"),
        ("550 5.7.1 Lorem ipsum dolor", {}, "policy", "fix"),
        # the provider's own words outrank general ones
        (
            "550 5.4.1 Recipient address rejected: Access denied [AB1.prod.protection.outlook.com]",
            {},
            "unknown_user",
            "remove",
        ),
        ("550 5.4.1 Access denied", {}, "policy", "fix"),
        # a specific code outranks words that are too general
        ("550 5.2.2 mailbox unavailable", {}, "mailbox_full", "retry"),
        ("550 5.1.1 message rejected", {}, "unknown_user", "remove"),
    ],
)
def test_text_outranks_the_code(text: str, known: dict, expected: str, action: str) -> None:
    found = classify_text([text], **known, second_reader=False).iloc[0]
    assert (found["reason"], found["action"]) == (expected, action)


@pytest.mark.parametrize(
    "text",
    [
        "550 5.3.1 The mail system is full",
        "550 5.3.1 Permanent problem of storage capacity: permanent storage problem",
        "550 5.3.1 The mail system is permanently unavailable",
        "550 5.3.1 Storage of the server: server storage permanently exceeded",
    ],
)
def test_the_code_that_this_project_began_with(text: str) -> None:
    found = classify_text([text]).iloc[0]
    assert found["reason"] == "system_full"
    assert found["bounce_type"] == "hard"
    assert found["category"] == "technical"
    assert found["action"] == "remove"
    soft = classify_text([text.replace("550 5.3.1", "452 4.3.1")]).iloc[0]
    assert (soft["reason"], soft["bounce_type"], soft["action"]) == ("system_full", "soft", "retry")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("550 Requested action not taken: mailbox unavailable, see spamhaus.org for your ip", "blocked"),
        ("550 5.7.1 <a@example.com>: Recipient address rejected: SPF check failed", "authentication"),
        ("450 4.1.8 <a@example.com>: Sender address rejected: Domain not found", "sender_rejected"),
        ("550 Sender verify failed: there is no such user", "sender_rejected"),
        ("554 5.7.1 <a@example.com>: Relay access denied", "relay_denied"),
        ("Message expired: unable to deliver in 840 minutes.<421 4.4.1 Failed to connect>", "expired"),
        ("452 4.3.1 Insufficient system storage", "system_full"),
        ("452 4.2.2 Insufficient storage in the mailbox", "mailbox_full"),
        ("452 4.5.3 Too many recipients", "rate_limited"),
        ("550 Too many unknown users from your host", "rate_limited"),
        ("550 Your account has been suspended for sending spam", "blocked"),
        ("550 The account of this user has been suspended", "mailbox_disabled"),
        ("552 5.7.0 executable attachments are refused", "content_rejected"),
        ("550 You are not a member of this list", "recipient_refused"),
        ("550 5.1.1 <user.unknown@example.com> Lorem: quota exceeded", "mailbox_full"),
        ("550 message for user-unknown@example.com is spam", "spam"),
        (
            "Host or domain name not found. Name service error for name=a.example: Host not found, try again",
            "dns_failure",
        ),
        (
            "Host or domain name not found. Name service error for name=a.example: Host not found",
            "bad_domain",
        ),
        ("Lorem ipsum dolor sit amet", "unclassified"),
        ("550 Lorem ipsum dolor sit amet", "unclassified"),
    ],
)
def test_traps(text: str, expected: str) -> None:
    assert reason(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("550 Benutzer unbekannt", "unknown_user"),
        ("550 L'utilisateur n'existe pas", "unknown_user"),
        ("550 El usuario no existe", "unknown_user"),
        ("550 Utente sconosciuto", "unknown_user"),
        ("550 Usuário não encontrado", "unknown_user"),
        ("550 Onbekende ontvanger", "unknown_user"),
        ("550 Nieznany odbiorca", "unknown_user"),
        ("550 Пользователь не найден", "unknown_user"),
        ("550 Користувача не знайдено", "unknown_user"),
        ("550 宛先が見つかりません", "unknown_user"),
        ("550 收件人不存在", "unknown_user"),
        ("550 使用者不存在", "unknown_user"),
        ("550 존재하지 않는 사용자", "unknown_user"),
        ("550 Kullan\u0131c\u0131 bulunamad\u0131", "unknown_user"),
        ("550 Příjemce neexistuje", "unknown_user"),
        ("552 Postfach überfüllt", "mailbox_full"),
        ("552 Boîte pleine", "mailbox_full"),
        ("552 Buzón lleno", "mailbox_full"),
        ("552 Casella piena", "mailbox_full"),
        ("552 Caixa cheia", "mailbox_full"),
        ("552 De mailbox is vol", "mailbox_full"),
        ("552 Skrzynka przepełniona", "mailbox_full"),
        ("552 Ящик переполнен", "mailbox_full"),
        ("552 メールボックスが満杯です", "mailbox_full"),
        ("552 邮箱已满", "mailbox_full"),
        ("552 郵箱已滿", "mailbox_full"),
        ("552 메일함이 가득 찼습니다", "mailbox_full"),
        ("552 Posta kutusu dolu", "mailbox_full"),
        ("552 Schránka je plná", "mailbox_full"),
        ("550 Konto gesperrt", "mailbox_disabled"),
        ("550 Compte désactivé", "mailbox_disabled"),
        ("550 Аккаунт заблокирован", "mailbox_disabled"),
        ("554 Als Spam erkannt", "spam"),
        ("554 Письмо похоже на спам", "spam"),
    ],
)
def test_languages(text: str, expected: str) -> None:
    assert reason(text) == expected


# --- what follows from a transient failure


@pytest.mark.parametrize(
    ("known", "bounce_type", "action"),
    [
        ({"reply_code": 550}, "hard", "remove"),
        ({"reply_code": 450}, "soft", "retry"),
        ({"enhanced_code": "4.1.1"}, "soft", "retry"),
        ({}, "hard", "remove"),
        ({"event": "deferred"}, "soft", "retry"),
        ({"event": "deferred", "reply_code": 550}, "soft", "retry"),
    ],
)
def test_a_transient_failure_removes_nobody(known: dict, bounce_type: str, action: str) -> None:
    found = verdict(diagnostic="User unknown", **known)
    assert found["reason"] == "unknown_user"
    assert (found["bounce_type"], found["action"]) == (bounce_type, action)


def test_unless_the_words_leave_no_doubt() -> None:
    found = verdict(
        diagnostic="DNS Error: the lookup of a.example responded with NXDOMAIN", enhanced_code="4.0.0"
    )
    assert (found["reason"], found["action"], found["code_class"]) == ("bad_domain", "remove", "transient")


@pytest.mark.parametrize(("code", "class_"), [("5.9.9", "permanent"), ("4.9.9", "transient")])
def test_the_columns_follow_from_the_reason(code: str, class_: str) -> None:
    plain = [rule for rule in rules() if not (rule.action or rule.final or rule.provider)]
    found = classify_text([rule.example for rule in plain], enhanced_code=code, second_reader=False)
    assert {rule.reason for rule in plain} >= set(REASONS) - {"suppressed", "unclassified"}
    for column in ("bounce_type", "category", "fault", "action"):
        wanted = [getattr(outcome(rule.reason, class_), column) for rule in plain]
        assert found[column].astype(str).tolist() == wanted, column


# --- codes


@pytest.mark.parametrize(
    ("known", "class_"),
    [
        ({"reply_code": 550}, "permanent"),
        ({"reply_code": 450, "enhanced_code": "5.1.1"}, "permanent"),
        ({"reply_code": 550, "enhanced_code": "4.4.7"}, "transient"),
        ({"reply_code": 250}, "success"),
        ({"diagnostic": "452 4.2.2 full"}, "transient"),
        ({"diagnostic": "550 full", "enhanced_code": "4.0.0"}, "permanent"),
        ({"diagnostic": "full", "enhanced_code": "4.0.0"}, "transient"),
        ({"diagnostic": "550 5.1.1 x", "enhanced_code": "4.0.0"}, "permanent"),
        ({"diagnostic": "550 5.1.1 x", "enhanced_code": "4.2.2"}, "transient"),
    ],
)
def test_class_of_the_code(known: dict, class_: str) -> None:
    assert verdict(**known)["code_class"] == class_


def test_no_code_no_class() -> None:
    assert pd.isna(verdict(diagnostic="full")["code_class"])


@pytest.mark.parametrize(
    ("known", "expected", "rule"),
    [
        ({"enhanced_code": "5.1.1"}, "unknown_user", "enhanced-5.1.1"),
        ({"enhanced_code": "5.1.99"}, "unknown_user", "enhanced-5.1.99"),
        ({"enhanced_code": "5.7.25"}, "reverse_dns", "enhanced-5.7.25"),
        ({"reply_code": 556}, "bad_domain", "reply-556"),
        ({"reply_code": 550, "enhanced_code": "5.0.0", "diagnostic": "?"}, "unclassified", "enhanced-5.0.0"),
        ({"reply_code": 550}, "unknown_user", "reply-550"),
        ({"reply_code": 599}, "unclassified", "class-permanent"),
    ],
)
def test_codes_decide_where_the_text_does_not(known: dict, expected: str, rule: str) -> None:
    found = verdict(**known)
    assert (found["reason"], found["rule"]) == (expected, rule)


# --- the ESP's words


@pytest.mark.parametrize(
    ("row", "expected", "action", "rule"),
    [
        (
            {
                "provider": "mailgun",
                "event": "dropped",
                "esp_reason": "suppress-bounce",
                "esp_type": "permanent",
            },
            "suppressed",
            "remove",
            "mailgun-suppress-bounce",
        ),
        (
            {"provider": "mailgun", "event": "dropped", "esp_reason": "625"},
            "suppressed",
            "review",
            "mailgun-625",
        ),
        (
            {
                "provider": "ses",
                "event": "dropped",
                "esp_type": "Permanent",
                "esp_reason": "OnAccountSuppressionList",
                "enhanced_code": "5.1.1",
                "diagnostic": "Amazon SES did not send the message",
            },
            "suppressed",
            "remove",
            "ses-onaccountsuppressionlist",
        ),
        (
            {"provider": "ses", "event": "bounced", "esp_type": "Permanent", "esp_reason": "Suppressed"},
            "suppressed",
            "remove",
            "ses-suppressed",
        ),
        (
            {"provider": "sendgrid", "event": "dropped", "esp_reason": "Bounced Address"},
            "suppressed",
            "remove",
            "sendgrid-drop-bounced",
        ),
        (
            {"provider": "sendgrid", "event": "dropped", "esp_reason": "Recipient List over Package Quota"},
            "suppressed",
            "fix",
            "sendgrid-drop-quota",
        ),
        (
            {"provider": "sendgrid", "event": "dropped", "esp_reason": "something new"},
            "suppressed",
            "review",
            "event-dropped",
        ),
        (
            {"provider": "sendgrid", "event": "suppressed", "esp_type": "blocks"},
            "suppressed",
            "review",
            "sendgrid-list-blocks",
        ),
        (
            {"provider": "mailgun", "event": "suppressed", "esp_type": "bounces", "reply_code": 550},
            "suppressed",
            "remove",
            "mailgun-list-bounces",
        ),
        (
            {
                "provider": "sendgrid",
                "event": "bounced",
                "esp_type": "bounce",
                "esp_reason": "Invalid Address",
            },
            "unknown_user",
            "remove",
            "sendgrid-class-invalid-address",
        ),
        (
            {"provider": "sendgrid", "event": "bounced", "esp_type": "bounce", "esp_reason": "invalid"},
            "unknown_user",
            "remove",
            "sendgrid-class-invalid",
        ),
        (
            {"provider": "ses", "event": "bounced", "esp_type": "Transient", "esp_reason": "MailboxFull"},
            "mailbox_full",
            "retry",
            "ses-mailbox-full",
        ),
        (
            {"provider": "ses", "event": "deferred", "esp_type": "IPFailure"},
            "blocked",
            "fix",
            "ses-delay-ipfailure",
        ),
        (
            {"provider": "mailgun", "event": "deferred", "esp_type": "temporary", "esp_reason": "greylisted"},
            "greylisted",
            "retry",
            "mailgun-reason-greylisted",
        ),
    ],
)
def test_words_of_the_esp(row: dict, expected: str, action: str, rule: str) -> None:
    found = verdict(**row)
    assert (found["reason"], found["action"], found["rule"]) == (expected, action, rule)
    if expected == "suppressed":
        assert (found["bounce_type"], found["fault"], found["category"]) == (
            "suppressed",
            "esp",
            "suppressed",
        )


def test_an_entry_of_a_list_is_judged_by_its_text() -> None:
    found = verdict(
        provider="mailgun",
        event="suppressed",
        esp_type="bounces",
        reply_code=552,
        diagnostic="5.2.2 mailbox full",
    )
    assert (found["reason"], found["action"]) == ("mailbox_full", "retry")
    assert found["conflict"], "the list says remove, the text says retry"


def test_the_words_of_another_esp_mean_nothing() -> None:
    assert verdict(provider="generic", esp_reason="suppress-bounce")["reason"] == "unclassified"


# --- conflict


@pytest.mark.parametrize(
    ("row", "conflict"),
    [
        ({"diagnostic": "550 5.1.1 user unknown"}, False),
        ({"diagnostic": "550 5.1.1 mailbox full"}, True),
        ({"diagnostic": "450 4.1.1 user unknown"}, True),
        ({"diagnostic": "550 5.7.1 no such user"}, False),
        ({"diagnostic": "550 user unknown", "provider": "sendgrid", "esp_type": "blocked"}, True),
        ({"diagnostic": "550 user unknown", "provider": "sendgrid", "esp_type": "bounce"}, False),
        (
            {
                "diagnostic": "550 5.4.4 Invalid domain",
                "provider": "ses",
                "esp_type": "Transient",
                "esp_reason": "General",
            },
            True,
        ),
        (
            {
                "diagnostic": "552 5.2.2 full mailbox",
                "provider": "ses",
                "esp_type": "Permanent",
                "esp_reason": "General",
            },
            True,
        ),
        (
            {
                "diagnostic": "550 5.1.1 gone",
                "provider": "mailgun",
                "esp_type": "permanent",
                "esp_reason": "bounce",
            },
            False,
        ),
        ({"diagnostic": "550 you are not a member", "provider": "ses", "esp_type": "Permanent"}, False),
    ],
)
def test_conflict(row: dict, conflict: bool) -> None:
    assert verdict(**row)["conflict"] == conflict


# --- mailbox providers


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"domain": "gmail.com"}, "google"),
        ({"domain": "hotmail.co.uk"}, "microsoft"),
        ({"domain": "yahoo.fr"}, "yahoo"),
        ({"domain": "tampabay.rr.com"}, "charter"),
        ({"domain": "yahoo.example.com"}, "other"),
        ({"domain": "notgmail.com"}, "other"),
        ({"domain": "example.org", "remote_host": "mx-aol.mail.gm0.yahoodns.net."}, "yahoo"),
        ({"domain": "example.org", "remote_host": "ASPMX.L.GOOGLE.COM"}, "google"),
        ({"domain": "example.org", "remote_host": "evil-google.com"}, "other"),
        ({"domain": "example.org", "diagnostic": "550 5.1.1 x - gsmtp"}, "google"),
        ({"domain": "example.org", "diagnostic": "550 x [AB1.prod.protection.outlook.com]"}, "microsoft"),
        ({"domain": "gmail.com", "diagnostic": "550 x [AB1.prod.protection.outlook.com]"}, "google"),
        ({"domain": "gmail.com", "event": "delivered"}, "google"),
        ({}, "other"),
    ],
)
def test_mailbox_provider(row: dict, expected: str) -> None:
    assert verdict(**row)["mailbox_provider"] == expected


# --- the frame


@pytest.mark.parametrize("event", [event for event in EVENTS if event not in FAILURE_EVENTS])
def test_no_failure_no_reason(event: str) -> None:
    found = verdict(event=event, diagnostic="550 5.1.1 user unknown", reply_code=550, domain="gmail.com")
    assert found["bounce_type"] == "none"
    assert found[["code_class", "category", "reason", "fault", "action", "rule"]].isna().all()
    assert not found["conflict"]


cells = st.sampled_from(
    [
        None,
        "",
        "550 5.1.1 user unknown",
        "mailbox full",
        "x",
        "452",
        "suppress-bounce",
        "Permanent",
        "bounces",
        "5.1.1",
        "4.0.0",
        "\ud55c",
    ]
)
event_rows = st.fixed_dictionaries(
    {
        "provider": st.sampled_from(PROVIDERS),
        "event": st.sampled_from(EVENTS),
        "diagnostic": st.one_of(cells, st.text(max_size=30)),
        "enhanced_code": cells,
        "esp_type": cells,
        "esp_reason": cells,
        "domain": st.sampled_from([None, "", "gmail.com", "a.example"]),
        "remote_host": st.sampled_from([None, "mx.yahoodns.net", "192.0.2.7"]),
        "reply_code": st.sampled_from([None, 0, 250, 450, 550, 999]),
    }
)


@given(st.lists(event_rows, max_size=6), st.randoms(use_true_random=False))
def test_rows_and_index_survive_and_nothing_is_changed(rows: list[dict], random) -> None:
    events = frame(*rows)
    events.index = pd.Index(random.sample(range(1000), len(rows)), name="row")
    before = events.copy(deep=True)
    found = classify(events)
    pd.testing.assert_frame_equal(events, before)
    pd.testing.assert_index_equal(found.index, events.index)
    pd.testing.assert_frame_equal(found[list(events.columns)], before)
    assert [*events.columns, *VERDICT_COLUMNS.names] == list(found.columns)
    for column in VERDICT_COLUMNS:
        if column.values:  # noqa: PD011 - the allowed values of a column
            assert found[column.name].dtype == column.dtype
    failures = events["event"].isin(FAILURE_EVENTS)
    assert found["reason"].notna().equals(failures)
    assert found["bounce_type"].ne("none").equals(failures)


@given(st.lists(event_rows, min_size=1, max_size=5))
def test_a_row_is_judged_by_itself(rows: list[dict]) -> None:
    names = list(VERDICT_COLUMNS.names)
    together = classify(frame(*rows))[names].astype(object)
    for number, row in enumerate(rows):
        alone = classify(frame(row))[names].astype(object)
        pd.testing.assert_series_equal(together.iloc[number], alone.iloc[0], check_names=False)


def test_an_empty_frame() -> None:
    found = classify(EVENT_COLUMNS.empty())
    assert len(found) == 0
    assert set(VERDICT_COLUMNS.names) <= set(found.columns)


def test_classifying_twice_changes_nothing() -> None:
    once = classify(frame({"diagnostic": "550 user unknown"}, {"event": "opened"}))
    pd.testing.assert_frame_equal(classify(once), once)


def test_a_frame_of_plain_objects_will_do() -> None:
    plain = frame({"diagnostic": "550 5.2.2 mailbox full"}, {"event": "opened"}).astype(object)
    assert classify(plain)["reason"].astype(object).tolist()[0] == "mailbox_full"


def test_missing_columns_are_named() -> None:
    with pytest.raises(FrameError, match="diagnostic"):
        classify(pd.DataFrame({"event": ["bounced"]}))


# --- own rules


def test_own_rules_come_first(tmp_path) -> None:
    path = tmp_path / "own.toml"
    path.write_text('[[rule]]\nid = "own-1"\npattern = "user unknown"\nreason = "policy"\n', "utf-8")
    events = frame({"diagnostic": "550 5.1.1 User unknown"}, {"diagnostic": "550 mailbox full"})
    found = classify(events, rules=path)
    assert found["rule"].tolist()[0] == "own-1"
    assert found["reason"].astype(str).tolist() == ["policy", "mailbox_full"]
    assert classify(events)["reason"].astype(str).tolist() == ["unknown_user", "mailbox_full"]


def test_own_rules_for_one_mailbox_provider(tmp_path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(
        '[[rule]]\nid = "own-1"\npattern = "user unknown"\nreason = "policy"\nprovider = "apple"\n', "utf-8"
    )
    events = frame(
        {"diagnostic": "user unknown", "domain": "me.com"},
        {"diagnostic": "user unknown", "domain": "gmail.com"},
    )
    assert classify(events, rules=[path])["reason"].astype(str).tolist() == ["policy", "unknown_user"]


def test_wrong_own_rules(tmp_path) -> None:
    path = tmp_path / "own.toml"
    path.write_text('[[rule]]\nid = "own-1"\npattern = "(?!x)"\nreason = "policy"\n', "utf-8")
    with pytest.raises(FormatError, match="look-around"):
        classify(frame({}), rules=path)


# --- texts alone


def test_texts_in_a_series_keep_their_index() -> None:
    texts = pd.Series(["550 user unknown", None, np.nan], index=[7, 3, 5])
    found = classify_text(texts, reply_code=[None, 552, math.nan])
    assert found.index.tolist() == [7, 3, 5]
    assert found["reason"].astype(str).tolist() == ["unknown_user", "mailbox_full", "unclassified"]
    assert found["rule"].isna().tolist() == [False, False, True]


@pytest.mark.parametrize(
    "code", [550, "550", 550.0, [550, "550"], pd.Series([550, 550]), np.array([550, 550])]
)
def test_codes_as_numbers_and_as_texts(code: object) -> None:
    assert (
        classify_text([None, None], reply_code=code)["code_class"].astype(str).tolist() == ["permanent"] * 2
    )


def test_arguments_of_other_lengths() -> None:
    with pytest.raises(FrameError, match="domain has 1 values for 2 texts"):
        classify_text(["a", "b"], domain=["example.com"])
    with pytest.raises(FrameError, match="list"):
        classify_text("550 user unknown")


def test_no_texts() -> None:
    assert len(classify_text([])) == 0


# --- candidates


@pytest.mark.parametrize(
    "row",
    [
        {"diagnostic": "550 5.1.1 mailbox full"},
        {"diagnostic": "550 5.4.1 Recipient address rejected: Access denied [x.prod.outlook.com]"},
        {"diagnostic": "lorem", "reply_code": 550, "provider": "sendgrid", "esp_reason": "Invalid Address"},
        {"provider": "mailgun", "event": "dropped", "esp_reason": "suppress-complaint"},
        {
            "provider": "mailgun",
            "event": "suppressed",
            "esp_type": "bounces",
            "diagnostic": "550 user unknown",
        },
        {"enhanced_code": "5.1.1"},
        {"reply_code": 599},
    ],
)
def test_the_winner_is_the_rule_of_the_frame(row: dict) -> None:
    asked = {name: value for name, value in row.items() if name != "diagnostic"}
    found = candidates(row.get("diagnostic"), **asked)
    won = [item for item in found if item.won]
    assert [item.rule for item in won] == [verdict(**row)["rule"]]
    assert won[0].reason == verdict(**row)["reason"]
    assert [item.order for item in found] == list(range(1, len(found) + 1))
    assert all(item.why for item in found)


def test_candidates_say_where_their_words_stand() -> None:
    text = "550 5.1.1 Sorry, the Mailbox full"
    for item in candidates(text):
        if item.source == "reader":  # it weighs all words
            continue
        assert item.start >= 0
        assert text[item.start : item.end].lower() == item.matched


def test_rules_of_others_say_so() -> None:
    text = "550 5.4.1 Recipient address rejected: Access denied"
    (item,) = (item for item in candidates(text, domain="gmail.com") if item.source == "provider text")
    assert not item.won
    assert "Microsoft" in item.why


def test_no_candidates_for_what_is_no_failure() -> None:
    assert candidates("250 ok", event="delivered") == []
    assert candidates(None) == []

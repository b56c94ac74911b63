"""Every format that the registry names is read, and what is refused is refused with a sentence."""

from __future__ import annotations

import json

import pytest

import bounceanalytics as ba
from bounceanalytics.loading.finding import FORMATS
from bounceanalytics.schema import ESPS, EVENT_COLUMNS, VERDICT_INPUTS
from tests.loading.format_cases import CASES, IGNORED
from tests.loading.format_cases.case import person

COUNT = 20


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.id} {case.name}")
def test_a_form_is_found_and_read(case, tmp_path):
    file = tmp_path / case.name
    file.write_bytes(case.content(range(COUNT)))
    load = ba.load(file, timezone="UTC")
    assert load.events.dtypes.to_dict() == EVENT_COLUMNS.dtypes
    (account,) = load.files.to_dict("records")
    assert (account["provider"], account["form"]) == (case.provider, case.form)
    assert (account["records"], account["loaded"], account["rows"]) == (COUNT, COUNT, COUNT)
    assert load.events["recipient"].tolist() == [person(number) for number in range(COUNT)]
    assert load.events["record"].tolist() == list(range(1, COUNT + 1))
    assert (load.events["event"] != "other").all() or case.form in {
        "email activity, messages",
        "addresses to take off a list",
        "addresses to take off the suppression list",
        "contact list",
    }


@pytest.mark.parametrize("case", IGNORED, ids=lambda case: case.id)
def test_what_is_no_suppression_is_ignored_with_a_reason(case, tmp_path):
    file = tmp_path / case.name
    file.write_bytes(case.content(range(COUNT)))
    load = ba.load(file)
    assert load.files["form"].tolist() == [case.form]
    assert load.ignored["records"].tolist() == [COUNT]
    assert len(load.events) == 0


#: Lists as tables of any make have tests of their own.
OF_TABLES = {("ses", "suppression list", "csv")}


def test_no_form_is_without_a_case():
    cases = {
        (case.provider, case.form, case.kind)
        for case in (*CASES, *IGNORED)
        if not case.form.endswith(", wrapped")
    }
    forms = {
        (form.provider, form.name, form.kind) for form in FORMATS if form.provider in ESPS and not form.refuse
    }
    assert forms - OF_TABLES == cases


REFUSED = {
    "sendgrid totals": ({"result": [{"date": "2024-06-11", "stats": []}]}, "totals per day"),
    "sendgrid look-up": (
        {"suppressions": [{"id": 1, "is_default": False, "name": "x", "suppressed": True}]},
        "does not name",
    ),
    "sendgrid error": (
        {"errors": [{"field": None, "message": "access forbidden"}]},
        "answered with an error",
    ),
    "ses statistics": (
        {"SendDataPoints": [{"Timestamp": "x", "DeliveryAttempts": 1}]},
        "counts and no recipients",
    ),
    "ses metrics": ({"Results": [{"Id": "x", "Timestamps": [], "Values": []}]}, "counts and no recipients"),
    "ses incoming": ({"Records": [{"eventSource": "aws:ses", "ses": {}}]}, "mail that came in"),
    "mailgun members": ({"items": [{"address": "a@example.com", "subscribed": True}]}, "mailing list"),
    "mailgun metrics": ({"items": [{"metrics": {}}]}, "counts and no recipients"),
    "mailgun statistics": ({"stats": [], "resolution": "day"}, "counts and no recipients"),
    "yandex": ({"eventType": "Bounce", "eventId": "x", "mail": {}, "bounce": {}}, "Yandex Cloud Postbox"),
    "text messages": ({"eventType": "TEXT_SENT", "destinationPhoneNumber": "x"}, "text messages"),
    "pinpoint": ({"event_type": "_email.send", "event_timestamp": 1, "arrival_timestamp": 2}, "Pinpoint"),
    "resend": ({"type": "email.bounced", "created_at": "x", "data": {"bounce": {}}}, "Resend"),
    "sparkpost": ({"msys": {"message_event": {}}}, "SparkPost"),
    "sparkpost page": ({"results": [{"rcpt_to": "x", "bounce_class": "10"}]}, "SparkPost"),
    "postmark": ({"RecordType": "Bounce", "MessageID": "x", "Email": "a@example.com"}, "Postmark"),
    "postmark page": ({"Bounces": [{"TypeCode": 1, "Email": "a@example.com", "BouncedAt": "x"}]}, "Postmark"),
    "postmark request": ({"Suppressions": [{"EmailAddress": "a@example.com"}]}, "put addresses on a list or"),
    "mandrill": ({"event": "hard_bounce", "_id": "x", "msg": {}}, "Mandrill"),
    "brevo": ({"event": "hard_bounce", "email": "a@example.com", "message-id": "x", "ts_event": 1}, "Brevo"),
    "mailjet": ({"event": "bounce", "email": "a@example.com", "MessageID": 1, "mj_contact_id": 1}, "Mailjet"),
    "kumo": ({"type": "Bounce", "recipient": "a@example.com", "bounce_classification": "x"}, "KumoMTA"),
    "elastic": (
        {"transaction": "x", "to": "a@example.com", "status": "Error", "channel": "x"},
        "Elastic Email",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_holds_no_events_of_ours_is_refused_with_a_sentence(name):
    record, sentence = REFUSED[name]
    with pytest.raises(ba.FormatError, match=sentence) as caught:
        ba.load(json.dumps(record).encode())
    assert "\n" not in str(caught.value)
    assert "@" not in str(caught.value)


def test_refused_tables_and_bodies():
    for content, sentence in (
        (b"address,name,subscribed,vars\na@example.com,A,yes,\n", "mailing list"),
        (b"date,blocks,bounces,clicks\n2024-06-11,1,2,3\n", "totals"),
        (b"mandrill_events=%5B%7B%22event%22%3A%22send%22%7D%5D&event=x\n", "Mandrill"),
        (b"email,first_name\na@example.com,A\n", "read_table"),
        (b"a@example.com\nb@example.com\n", "a list of addresses"),
        (b"E-Mail Address\na@example.com\n", "a list of addresses"),
        (",".join(VERDICT_INPUTS.names).encode() + b"\nses,bounced,,550,,,,,,\n", "names no recipients"),
    ):
        with pytest.raises(ba.FormatError, match=sentence):
            ba.load(content)


def test_every_refused_form_has_a_case():
    assert {form.provider for form in FORMATS if form.refuse} == {*ESPS, ""}
    assert sum(bool(form.refuse) for form in FORMATS) <= len(REFUSED) + 7

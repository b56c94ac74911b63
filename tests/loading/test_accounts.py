"""Events of several accounts of one ESP stay apart where the export tells the account, and copies are still found."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import bounceanalytics as ba
from bounceanalytics.loading.copies import SeenKeys, in_order, keys_of, repeated
from tests.effort import some_quick
from tests.loading.exports import lines, mailgun_failed, sendgrid_bounce, ses_bounce


def ses(**mail: Any) -> dict[str, Any]:
    event = ses_bounce("ann@example.org")
    event["mail"] |= mail
    return event


def arn(account: str, service: str = "ses", what: str = "identity/example.com") -> str:
    return f"arn:aws:{service}:eu-west-1:{account}:{what}"


def bus(account: str) -> dict[str, Any]:
    return {
        "version": "0",
        "id": "1-2-3",
        "detail-type": "Email Bounced",
        "source": "aws.ses",
        "account": account,
        "time": "2025-09-14T07:00:02Z",
        "region": "eu-west-1",
        "detail": ses(),
    }


def topic(account: str, event: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "Type": "Notification",
        "MessageId": "1-2-3",
        "TopicArn": arn(account, "sns", "bounces"),
        "Message": json.dumps(event or ses()),
        "Timestamp": "2025-09-14T07:00:02Z",
    }


ONE, TWO = "111111111111", "222222222222"
MAILGUN = {"domain": {"name": "mg.example.com"}}

#: Two accounts as an ESP tells them, and the same event as told by a carrier that does not say whose it is.
TOLD = {
    "ses: account": (ses(sendingAccountId=ONE), ses(sendingAccountId=TWO), ses()),
    "ses: identity": (ses(sourceArn=arn(ONE)), ses(sourceArn=arn(TWO)), ses()),
    "ses: bus": (bus(ONE), bus(TWO), ses()),
    "ses: topic": (topic(ONE), topic(TWO), ses()),
    "sendgrid: user": (sendgrid_bounce(sg_user_id=1), sendgrid_bounce(sg_user_id=2), sendgrid_bounce()),
    "sendgrid: subuser": (sendgrid_bounce(subuser="a"), sendgrid_bounce(subuser="b"), sendgrid_bounce()),
    "mailgun: account": (
        mailgun_failed(account={"id": "a"}, **MAILGUN),
        mailgun_failed(account={"id": "b"}, **MAILGUN),
        mailgun_failed(**MAILGUN),
    ),
    "mailgun: account, flat": (
        mailgun_failed(**{"account-id": "a"}),
        mailgun_failed(**{"account-id": "b"}),
        mailgun_failed(),
    ),
    "mailgun: domain": (
        mailgun_failed(domain={"name": "a.example.com"}),
        mailgun_failed(domain="b.example.com"),
        mailgun_failed(),
    ),
    "mailgun: webhook": (
        {"signature": {"token": "1"}, "event-data": mailgun_failed(account={"id": "a"})},
        {"signature": {"token": "2"}, "event-data": mailgun_failed(account={"id": "b"})},
        mailgun_failed(),
    ),
}


@pytest.mark.parametrize("told", some_quick(TOLD, 2))
def test_accounts_stay_apart(told, tmp_path):
    one, other, bare = map(lines, TOLD[told])
    for events in ([one, other, one, bare], [bare, one, one, other], [one, bare, other]):
        assert len(ba.read(events)) == 2
    assert len(ba.convert([bare, other, one], tmp_path / "out")) == 2
    assert len(ba.read([one, bare])) == len(ba.read([bare, one])) == 1


def test_the_account_that_sent_counts():
    event = ses(sendingAccountId=ONE)
    assert len(ba.read([lines(topic(TWO, event)), lines(topic(ONE, event)), lines(event)])) == 1


@pytest.mark.parametrize(
    "hidden",
    [
        "REDACTED",
        "null",
        "xxxx",
        "<redacted>",
        "x" * 60,
        "***",
        "00000000-0000-0000-0000-000000000000",
        "[REMOVED]",
    ],
)
def test_what_cannot_be_an_id_is_none(hidden):
    events = [ses(messageId=hidden), ses(messageId=hidden)]
    assert len(ba.read(lines(*events))) == 2
    events = [sendgrid_bounce(sg_event_id=hidden), sendgrid_bounce(sg_event_id=hidden)]
    assert len(ba.read(lines(*events))) == 2
    events = [mailgun_failed(id=hidden), mailgun_failed(id=hidden)]
    assert len(ba.read(lines(*events))) == 2
    events = [ses(sendingAccountId=hidden), ses(sendingAccountId=ONE)]
    assert len(ba.read(lines(*events))) == 1


def test_one_id_of_several_recipients_is_none():
    assert len(ba.read(lines(*(sendgrid_bounce(number, sg_event_id="same") for number in range(3))))) == 3
    assert len(ba.read(lines(*(mailgun_failed(number, id="same") for number in range(3))))) == 3
    assert len(ba.read(lines(*(ses_bounce(f"reader{number}@example.com") for number in range(3))))) == 3
    legacy = {
        "event": "bounced",
        "domain": "mg.example.com",
        "token": "same",
        "signature": "s",
        "timestamp": "1773043200",
    }
    assert (
        len(ba.read(lines(*({**legacy, "recipient": f"reader{number}@example.com"} for number in range(3)))))
        == 3
    )


OWNER = st.none() | st.integers(1, 3)


@given(st.lists(st.lists(st.tuples(st.integers(1, 4), OWNER), max_size=12), max_size=4))
def test_as_many_are_kept_as_accounts_are_told(batches):
    spread = 2**64 // 97
    seen, kept = SeenKeys(), 0
    tables = [
        keys_of(
            pa.table(
                {
                    "key": pa.array([key * spread for key, _ in batch], pa.uint64()),
                    "owner_1": pa.array([owner and str(owner) for _, owner in batch], pa.string()),
                }
            )
        )
        for batch in batches
    ]
    for table in tables:
        again, new = repeated(table, seen)
        seen.add(in_order(new))
        kept += int((~again).sum())
    events = [one for batch in batches for one in batch]
    told = {key: {owner for one, owner in events if one == key and owner} for key, _ in events}
    assert kept == sum(max(1, len(owners)) for owners in told.values())
    if tables:
        again, _ = repeated(pa.concat_tables(tables))
        assert int((~again).sum()) == kept

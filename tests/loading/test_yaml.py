"""Lists and events as YAML, as the AWS CLI and programs print them: what JSON tells, and nothing guessed."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pytest
import yaml

import bounceanalytics as ba

SENDGRID = {
    "email": "kim@example.com",
    "event": "bounce",
    "timestamp": 1773130520,
    "sg_event_id": "a",
    "status": "5.1.1",
    "reason": "550 5.1.1 no: such user",
    "type": "bounce",
}
SES = {
    "eventType": "Bounce",
    "bounce": {
        "bounceType": "Permanent",
        "bounceSubType": "General",
        "feedbackId": "f1",
        "timestamp": "2026-03-10T08:15:20.000Z",
        "bouncedRecipients": [
            {
                "emailAddress": f"{name}@example.com",
                "status": "5.1.1",
                "diagnosticCode": "smtp; 550 5.1.1 unknown",
            }
            for name in ("ann", "bo")
        ],
    },
    "mail": {"messageId": "m1", "timestamp": "2026-03-10T08:15:10.000Z", "destination": ["x@example.com"]},
}
MAILGUN = {
    "event": "failed",
    "severity": "permanent",
    "id": "m",
    "timestamp": 1773130520.25,
    "recipient": "lou@example.com",
    "log-level": "error",
    "delivery-status": {"code": 550, "message": "5.1.1 nobody", "tls": True, "description": None},
    "flags": {"is-routed": False},
    "message": {"headers": {"message-id": "x@example.net"}},
}
INSIGHTS = {
    "MessageId": "m1",
    "FromEmailAddress": "news@example.net",
    "Subject": "Hello: you",
    "Insights": [
        {
            "Destination": "kim@example.com",
            "Isp": "Other",
            "Events": [
                {"Timestamp": "2026-03-10T08:15:20+00:00", "Type": "SEND"},
                {
                    "Timestamp": "2026-03-10T08:15:22+00:00",
                    "Type": "BOUNCE",
                    "Details": {
                        "Bounce": {"BounceType": "PERMANENT", "DiagnosticCode": "smtp; 550 5.1.1 unknown"}
                    },
                },
            ],
        }
    ],
}
LISTED = {
    "SuppressedDestinationSummaries": [
        {
            "EmailAddress": f"{name}@example.com",
            "LastUpdateTime": "2026-03-10T08:15:20+00:00",
            "Reason": "BOUNCE",
        }
        for name in ("ann", "bo", "no")
    ]
}
DOCUMENTS: dict[str, list[Any]] = {
    "sendgrid": [SENDGRID],
    "sendgrid list": [[SENDGRID, SENDGRID | {"email": "yes@example.com"}]],
    "ses": [SES],
    "mailgun": [MAILGUN],
    "insights": [INSIGHTS],
    "suppressed": [LISTED],
    "several": [SENDGRID, SES, MAILGUN],
}


def as_yaml(*documents: Any) -> str:
    return yaml.safe_dump_all(documents, sort_keys=False, explicit_start=len(documents) > 1)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_yaml_tells_what_json_tells(name: str) -> None:
    documents = DOCUMENTS[name]
    expected = ba.load("\n".join(map(json.dumps, documents)).encode())
    load = ba.load(as_yaml(*documents).encode())
    load.check()
    pd.testing.assert_frame_equal(load.events, expected.events)
    assert load.files["note"][0].startswith("YAML")
    counts = ["form", "records", "loaded", "rejected"]
    assert load.files[counts].equals(expected.files[counts])


def test_nothing_is_guessed() -> None:
    """Of YAML's own kinds of value, texts stay that a program may have written without quotes."""
    text = "- who: no@example.com\n  code: 550\n  at: 2026-03-10\n  status: 5.1\n  tag: no\n  said:\n    deep: ~\n"
    mapping = {"recipient": "who", "reply_code": "code", "timestamp": "at", "esp_reason": "tag"}
    mapping |= {"diagnostic": "said.deep", "enhanced_code": "status"}
    (row,) = ba.read_table(text.encode(), mapping, timezone="UTC").to_dict("records")
    assert (row["recipient"], row["reply_code"], row["esp_reason"]) == ("no@example.com", 550, "no")
    assert row["timestamp"] == pd.Timestamp("2026-03-10", tz="UTC")
    assert pd.isna(row["diagnostic"])
    with pytest.raises(ba.FormatError, match=r"looks like YAML with the fields .*\"recipient\": 'who'"):
        ba.load(text.encode())


def test_what_is_cut_or_damaged_costs_what_follows() -> None:
    text = as_yaml(LISTED)
    load = ba.load(text[: text.rindex("2026")].encode() + b"'2026")
    load.check()
    assert load.events["recipient"].tolist() == ["ann@example.com", "bo@example.com"]
    assert load.files[["records", "loaded", "rejected"]].to_numpy().tolist() == [[3, 2, 1]]
    assert "no@example.com" in load.rejects["text"][0]
    load = ba.load((as_yaml(SENDGRID, MAILGUN) + "---\na: [\n").encode())
    assert load.files[["records", "loaded", "rejected"]].to_numpy().tolist() == [[3, 2, 1]]


def test_aliases_are_followed_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    shared = yaml.safe_dump([SES, SES])
    assert "*id" in shared
    assert len(ba.load(shared.encode(), deduplicate=False).events) == 4
    bomb = "a0: &a0 kim@example.com\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)
    )
    monkeypatch.setattr("bounceanalytics.loading.translating.yaml_documents.FLOOR", 100_000)
    for read in (ba.load, lambda source: ba.read_table(source, {"recipient": "a0"})):
        with pytest.raises(ba.FormatError, match="YAML that unfolds to more than an archive may unpack to"):
            read(bomb.encode())


@pytest.mark.parametrize(
    "text",
    [
        "a: " + "[" * 200_000,
        "- " * 100_000 + "a",
        "? [a]\n: b\n",
        "a: *nobody\n",
        "a: b\na: c\n",
        "- a\n- b\n",
        "--- text\n--- more\n",
        "a: !!python/object/apply:os.system ['true']\n",
    ],
)
def test_what_holds_no_records_is_refused(text: str) -> None:
    with pytest.raises(ba.FormatError):
        ba.load(text.encode())

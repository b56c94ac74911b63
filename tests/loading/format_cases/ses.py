"""A record of every format of Amazon SES."""

from __future__ import annotations

import base64
import json
from typing import Any

from tests.loading.exports import ses_bounce
from tests.loading.format_cases.case import Case, clock, person, report_mail, rows


def event(number: int) -> dict[str, Any]:
    return ses_bounce(person(number), number=number)


def sns(number: int) -> dict[str, Any]:
    return {
        "Type": "Notification",
        "MessageId": f"{number}",
        "TopicArn": "arn:x",
        "Message": json.dumps(event(number)),
    }


def event_bridge(number: int) -> dict[str, Any]:
    return {"version": "0", "detail-type": "Email Bounced", "source": "aws.ses", "detail": event(number)}


def ses_flat(number: int) -> dict[str, Any]:
    bounced = event(number)["bounce"]["bouncedRecipients"]
    return {
        "eventType": "Bounce",
        "timestamp": clock(number) + "Z",
        "messageId": f"mail-{number}",
        "destination": [person(number)],
        "bounceType": "Permanent",
        "bouncedRecipients": bounced,
        "complainedRecipients": [{"emailAddress": ""}],
        "recipients": [],
    }


def insights(number: int) -> dict[str, Any]:
    details = {
        "Bounce": {
            "BounceType": "PERMANENT",
            "BounceSubType": "General",
            "DiagnosticCode": "smtp; 550 5.1.1 no",
        }
    }
    events = [{"Timestamp": clock(number) + "+00:00", "Type": "BOUNCE", "Details": details}]
    return {
        "MessageId": f"mail-{number}",
        "FromEmailAddress": "news@example.net",
        "EmailTags": [],
        "Insights": [{"Destination": person(number), "Isp": "Gmail", "Events": events}],
    }


CASES = (
    Case("ses", "event publishing", "lines", event),
    Case("ses", "event publishing", "array", event),
    Case(
        "ses",
        "feedback notifications",
        "lines",
        lambda number: {
            "notificationType": "Bounce",
            **{key: value for key, value in event(number).items() if key != "eventType"},
        },
    ),
    Case("ses", "event publishing, wrapped", "lines", sns),
    Case("ses", "event publishing, wrapped", "lines", event_bridge),
    Case("ses", "event publishing, wrapped", "log", event_bridge),
    Case(
        "ses",
        "event publishing, wrapped",
        "page Messages",
        lambda number: {"MessageId": f"{number}", "ReceiptHandle": "x", "Body": json.dumps(sns(number))},
    ),
    Case(
        "ses",
        "event publishing, wrapped",
        "page Records",
        lambda number: {"EventSource": "aws:sns", "Sns": sns(number)},
    ),
    Case(
        "ses",
        "event publishing, wrapped",
        "page events",
        lambda number: {
            "logStreamName": "s",
            "timestamp": 1,
            "ingestionTime": 1,
            "message": json.dumps(event_bridge(number)),
        },
    ),
    Case(
        "ses",
        "event publishing, wrapped",
        "page logEvents",
        lambda number: {
            "id": f"{number}",
            "timestamp": 1,
            "message": "INFO\tid\t" + json.dumps(event_bridge(number)),
        },
    ),
    Case(
        "ses",
        "event publishing, wrapped",
        "csv",
        lambda number: {
            "@timestamp": clock(number).replace("T", " "),
            "@message": json.dumps(event_bridge(number)),
        },
    ),
    Case(
        "ses",
        "event publishing, wrapped",
        "page results",
        lambda number: [
            {"field": "@timestamp", "value": clock(number)},
            {"field": "@message", "value": json.dumps(event_bridge(number))},
        ],
    ),
    Case(
        "ses",
        "event publishing, wrapped",
        "lines",
        lambda number: {
            "attemptsMade": 4,
            "errorCode": "x",
            "rawData": base64.b64encode(json.dumps(event(number)).encode()).decode(),
        },
    ),
    Case(
        "ses",
        "mail",
        "mail",
        report_mail("From: MAILER-DAEMON@eu-west-1.amazonses.com\nX-SES-Outgoing: 2025.09.14-192.0.2.61"),
    ),
    Case("ses", "message insights", "lines", insights),
    Case(
        "ses",
        "message insights export",
        "csv",
        lambda number: {
            "Message ID": f"m{number}",
            "Destination": person(number),
            "Subject": "News, weekly",
            "Last Delivery Event": "PERMANENT_BOUNCE",
            "Sent Date": clock(number) + "Z",
        },
    ),
    Case("ses", "event publishing, wrapped", "lines", ses_flat),
    Case(
        "ses",
        "bounce dashboard",
        "csv",
        lambda number: {
            "Date": clock(number) + "Z",
            "Type": "Bounce",
            "From": "News, weekly &lt;news@example.net&gt;",
            "Recipient": person(number),
            "Error": "Message has bounced",
            "ID": f"id{number}",
        },
    ),
    Case(
        "ses",
        "suppression list",
        "page SuppressedDestinationSummaries",
        rows(EmailAddress=person, Reason="BOUNCE", LastUpdateTime=lambda number: clock(number) + "+00:00"),
    ),
    Case(
        "ses",
        "suppression list",
        "array",
        rows(EmailAddress=person, Reason="COMPLAINT", LastUpdateTime=1_757_833_205.002),
    ),
    Case(
        "ses",
        "suppression look-up",
        "lines",
        lambda number: {
            "SuppressedDestination": {
                "EmailAddress": person(number),
                "Reason": "BOUNCE",
                "LastUpdateTime": 1_757_833_205,
            }
        },
    ),
    Case("ses", "suppression list to import", "lines", rows(emailAddress=person, reason="BOUNCE")),
    Case("ses", "suppression list to import", "bare csv", rows(emailAddress=person, reason="BOUNCE")),
    Case("ses", "addresses to take off the suppression list", "lines", rows(emailAddress=person)),
    Case(
        "ses",
        "addresses to take off the suppression list",
        "bare csv",
        rows(emailAddress=person),
        "suppression_delete",
    ),
    Case("ses", "contact list", "lines", rows(emailAddress=person, unsubscribeAll=True)),
    Case(
        "ses",
        "contact list",
        "csv",
        rows(emailAddress=person, unsubscribeAll="false", attributesData='{"a":"b"}'),
    ),
)

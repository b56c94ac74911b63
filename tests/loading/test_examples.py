"""Every example export yields just the rows that its README names, plain and gzipped, alone and together."""

from __future__ import annotations

import gzip

import pandas as pd
import pytest

from bounceanalytics import schema
from bounceanalytics.errors import FormatError
from bounceanalytics.loading import load

ROWS = {
    "sendgrid/webhook_array.json": 14,
    "sendgrid/webhook_events.ndjson": 14,
    "sendgrid/webhook_batches.ndjson": 5,
    "sendgrid/webhook_concatenated.json": 6,
    "sendgrid/webhook_wrapped.ndjson": 5,
    "sendgrid/webhook_test_button.json": 7,
    "sendgrid/webhook_v2_legacy.ndjson": 6,
    "sendgrid/suppression_bounces_api.json": 8,
    "sendgrid/suppression_blocks_api.json": 7,
    "sendgrid/suppression_invalid_emails_api.json": 5,
    "sendgrid/suppression_spam_reports_api.json": 5,
    "sendgrid/suppression_unsubscribes_api.json": 5,
    "sendgrid/asm_suppressions_api.json": 5,
    "sendgrid/suppression_bounces.csv": 8,
    "sendgrid/suppression_blocks.csv": 7,
    "sendgrid/suppression_invalid_emails.csv": 5,
    "sendgrid/suppression_spam_reports.csv": 5,
    "sendgrid/suppression_unsubscribes.csv": 5,
    "sendgrid/suppression_bounces_spreadsheet.csv": 6,
    "sendgrid/email_activity.csv": 11,
    "sendgrid/v2_bounces.json": 6,
    "sendgrid/v2_spamreports.json": 5,
    "ses/feedback_notifications.jsonl": 17,
    "ses/event_publishing.ndjson": 15,
    "ses/event_publishing_concatenated.json": 10,
    "ses/sns_http_posts.json": 9,
    "ses/sns_via_firehose.ndjson": 8,
    "ses/sqs_receive_message.json": 6,
    "ses/lambda_sns_records.json": 8,
    "ses/lambda_sqs_records.json": 6,
    "ses/eventbridge_events.ndjson": 12,
    "ses/eventbridge_concatenated.json": 8,
    "ses/cloudwatch_filter_log_events.json": 7,
    "ses/cloudwatch_subscription.json": 7,
    "ses/suppressed_destinations_cli_v2.json": 9,
    "ses/suppressed_destinations_two_pages.json": 9,
    "ses/suppressed_destinations_wire_epoch.json": 9,
    "ses/suppressed_destinations_boto3_str.json": 9,
    "ses/get_suppressed_destination.jsonl": 6,
    "mailgun/events_page.json": 12,
    "mailgun/events.ndjson": 15,
    "mailgun/events_flat_underscore.ndjson": 10,
    "mailgun/webhooks.ndjson": 11,
    "mailgun/webhook_single.json": 1,
    "mailgun/logs_api_page.json": 12,
    "mailgun/logs_export_assumed_layout.csv": 12,
    "mailgun/suppressions_bounces.json": 8,
    "mailgun/suppressions_complaints.json": 5,
    "mailgun/suppressions_unsubscribes.json": 5,
    "mailgun/suppressions_bounces_v2_legacy.json": 5,
    "mailgun/suppressions_bounces_js_sdk.json": 6,
    "mailgun/bounces_batch_array.json": 5,
    "mailgun/bounces_export.csv": 8,
    "mailgun/bounces_export_api_order.csv": 8,
    "mailgun/bounces_import.csv": 5,
    "mailgun/complaints.csv": 5,
    "mailgun/unsubscribes.csv": 6,
}

#: Nothing of these is an event; the allowlist is the opposite of a suppression.
NO_ROWS = ("mailgun/suppressions_allowlist.json", "mailgun/allowlist_import.csv")

REFUSED = {
    "sendgrid/bounce_classifications.json": "totals",
    "sendgrid/bounce_classification_by_domain.json": "totals",
    "sendgrid/mailbox_provider_stats.csv": "totals",
    "mailgun/bounce_classification_metrics.json": "counts",
    "mailgun/members_page.json": "mailing list",
    "mailgun/members_import.csv": "mailing list",
    "sendgrid/import_contacts.csv": "a table with the columns email, first_name",
}


@pytest.fixture(scope="module")
def examples(shared):
    return shared / "formats" / "examples"


@pytest.mark.parametrize("name", ROWS)
def test_rows(examples, name, tmp_path):
    plain = load(examples / name, deduplicate=False)
    assert len(plain.events) == ROWS[name]
    assert plain.files["provider"].tolist() == [name.split("/")[0]]
    assert plain.files["rejected"].sum() == 0
    assert {column: str(kind) for column, kind in plain.events.dtypes.items()} == {
        column.name: str(column.dtype) for column in schema.EVENT_COLUMNS
    }
    packed = (
        tmp_path / (examples / name).name
    )  # the name does not say that it is packed, and still tells lists apart
    packed.write_bytes(gzip.compress((examples / name).read_bytes()))
    zipped = load(packed, deduplicate=False)
    pd.testing.assert_frame_equal(plain.events.drop(columns="source"), zipped.events.drop(columns="source"))


@pytest.mark.parametrize("name", NO_ROWS)
def test_an_allowlist_is_ignored_with_a_reason(examples, name):
    result = load(examples / name)
    assert len(result.events) == 0
    assert result.ignored["records"].tolist() == [5]


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_events_is_refused_in_a_sentence(examples, name):
    with pytest.raises(FormatError, match=REFUSED[name]) as caught:
        load(examples / name)
    assert "@" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("provider", ["sendgrid", "ses", "mailgun"])
def test_a_folder(examples, provider):
    result = load(examples / provider, deduplicate=False)
    names = {name for name in ROWS if name.startswith(provider)}
    rows = result.files.set_index("source")["rows"]
    for name in names:
        assert rows[name.split("/")[1]] == ROWS[name]
    assert len(result.files) == sum(one.is_file() for one in (examples / provider).rglob("*"))
    unknown = result.files[result.files["provider"] == ""]
    assert (unknown["note"] != "").all()

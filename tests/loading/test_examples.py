"""Every example export yields just the rows that its README names: plain, packed, marked and shuffled."""

from __future__ import annotations

import gzip
import io
import random
import zipfile
from functools import partial

import pandas as pd
import pytest

from bounceanalytics import schema
from bounceanalytics.errors import FormatError
from bounceanalytics.loading import load as load_
from tests.effort import RARE

load = partial(load_, timezone="UTC")

ROWS = {
    "sendgrid/webhook_array.json": 14,
    "sendgrid/webhook_events.ndjson": 13,
    "sendgrid/webhook_batches.ndjson": 5,
    "sendgrid/webhook_indexed_object.json": 5,
    "sendgrid/webhook_v1_form.txt": 5,
    "sendgrid/asm_group_suppressions_api.json": 5,
    "sendgrid/asm_groups_4410_suppressions.csv": 5,
    "sendgrid/messages_list.json": 5,
    "sendgrid/message_details.ndjson": 10,
    "sendgrid/logs_search.json": 5,
    "sendgrid/log_details.ndjson": 7,
    "sendgrid/v2_bounces.xml": 5,
    "sendgrid/forwarded_bounces.mbox": 5,
    "sendgrid/import_group_unsubscribes.csv": 5,
    "sendgrid/import_global_suppressions.json": 5,
    "sendgrid/delete_bounces_request.json": 5,
    "sendgrid/webhook_concatenated.json": 6,
    "sendgrid/webhook_wrapped.ndjson": 5,
    "sendgrid/webhook_test_button.json": 7,
    "sendgrid/webhook_v2_legacy.ndjson": 6,
    "sendgrid/suppression_bounces_api.json": 8,
    "sendgrid/suppression_blocks_api.json": 7,
    "sendgrid/suppression_invalid_emails_api.json": 2,
    "sendgrid/suppression_spam_reports_api.json": 5,
    "sendgrid/suppression_unsubscribes_api.json": 5,
    "sendgrid/asm_suppressions_api.json": 5,
    "sendgrid/suppression_bounces.csv": 8,
    "sendgrid/suppression_blocks.csv": 7,
    "sendgrid/suppression_invalid_emails.csv": 2,
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
    "ses/cloudwatch_export_task.log": 7,
    "ses/cloudwatch_insights.csv": 7,
    "ses/message_insights.jsonl": 16,
    "ses/feedback_mailbox.mbox": 6,
    "ses/flattened_aws_sample.ndjson": 9,
    "ses/bounce_dashboard_export.csv": 6,
    "ses/import_suppression_put.csv": 5,
    "ses/import_suppression_put.jsonl": 6,
    "ses/import_suppression_delete.csv": 5,
    "ses/import_suppression_delete.jsonl": 5,
    "ses/import_contacts.csv": 5,
    "ses/import_contacts.jsonl": 5,
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
    "mailgun/webhooks_legacy_form.txt": 10,
    "mailgun/log_legacy.json": 5,
}

#: Nothing of these is an event; the allowlist is the opposite of a suppression.
NO_ROWS = ("mailgun/suppressions_allowlist.json", "mailgun/allowlist_import.csv")

#: Records without an address: those are rejected.
NO_ADDRESS = {
    "sendgrid/webhook_events.ndjson": 1,
    "sendgrid/suppression_invalid_emails_api.json": 3,
    "sendgrid/suppression_invalid_emails.csv": 3,
}

#: Records that are no events of a message, among others that are.
IGNORED = {
    "sendgrid/webhook_events.ndjson": 1,
    "ses/sns_http_posts.json": 4,
    "ses/sqs_receive_message.json": 1,
    "ses/eventbridge_events.ndjson": 2,
    "ses/cloudwatch_export_task.log": 2,
    "ses/cloudwatch_subscription.json": 1,
}

REFUSED = {
    "sendgrid/bounce_classifications.json": "totals",
    "sendgrid/bounce_classification_by_domain.json": "totals",
    "sendgrid/mailbox_provider_stats.csv": "totals",
    "mailgun/bounce_classification_metrics.json": "counts",
    "mailgun/members_page.json": "mailing list",
    "mailgun/members_import.csv": "mailing list",
    "sendgrid/import_contacts.csv": "a table with the columns email, first_name.*read_table",
}

#: Files that hold a record a line, and where they begin.
LINES = {name: 0 for name in ROWS if name.endswith((".ndjson", ".jsonl", ".log", "form.txt"))} | {
    "ses/bounce_dashboard_export.csv": 1,
    "sendgrid/suppression_spam_reports.csv": 1,
    "sendgrid/suppression_unsubscribes.csv": 1,
    "mailgun/complaints.csv": 1,
}


@pytest.fixture(scope="module")
def examples(shared):
    return shared / "formats" / "examples"


@pytest.fixture(scope="module")
def folders(examples, once):
    """Return a folder of examples as it loads."""
    return lambda esp: once(f"examples-{esp}", lambda: load(examples / esp, deduplicate=False))


def told(load):
    return load.events.drop(columns="source")


def told_of(load, name):
    """Return what a folder's load tells of one file of it."""
    events = load.events
    return events[events["source"] == name].drop(columns="source").reset_index(drop=True)


def test_every_file_is_in_a_table(examples):
    files = {
        f"{folder.name}/{file.name}"
        for folder in examples.iterdir()
        for file in folder.iterdir()
        if file.name != "README.md"
    }
    assert files == {*ROWS, *NO_ROWS, *REFUSED}


@pytest.mark.parametrize("name", ROWS)
def test_rows(folders, name):
    esp, file = name.split("/")
    found = folders(esp)
    (account,) = found.files[found.files["source"] == file].to_dict("records")
    assert (account["provider"], account["rows"], account["rejected"]) == (
        esp,
        ROWS[name],
        NO_ADDRESS.get(name, 0),
    )
    assert account["ignored"] == IGNORED.get(name, 0)
    assert len(told_of(found, file)) == ROWS[name]


@pytest.mark.parametrize("esp", schema.ESPS)
def test_a_folder(folders, examples, esp):
    found = folders(esp)
    assert len(found.files) == sum(one.is_file() for one in (examples / esp).rglob("*"))
    unknown = found.files[found.files["provider"] == ""]
    assert (unknown["note"] != "").all()
    assert {column: str(kind) for column, kind in found.events.dtypes.items()} == {
        column.name: str(column.dtype) for column in schema.EVENT_COLUMNS
    }


def zipped(name, content):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return out.getvalue()


#: How a file may come: as it is, or packed, or with a mark at its beginning.
PACKINGS = {
    "plain": lambda _, content: content,
    "gzip": lambda _, content: gzip.compress(content),
    "marked": lambda _, content: b"\xef\xbb\xbf" + content.removeprefix(b"\xef\xbb\xbf"),
    "zip": zipped,
}

#: Every file in every packing; those of every day show every file alone, and every packing with a fourth of them.
PACKED = [
    pytest.param(name, packing, marks=[] if place % len(PACKINGS) == number else RARE)
    for place, name in enumerate(ROWS)
    for number, packing in enumerate(PACKINGS)
]


@pytest.mark.parametrize(("name", "packing"), PACKED)
def test_alone_and_packed(examples, folders, name, packing, tmp_path):
    """The name stays, since it tells lists apart; it says nothing of how the file is packed."""
    esp, file = name.split("/")
    path = tmp_path / ("export.zip" if packing == "zip" else file)
    path.write_bytes(PACKINGS[packing](file, (examples / name).read_bytes()))
    pd.testing.assert_frame_equal(told(load(path, deduplicate=False)), told_of(folders(esp), file))


@pytest.mark.parametrize("name", LINES)
def test_shuffled(examples, folders, name, tmp_path):
    esp, title = name.split("/")
    lines = [line for line in (examples / name).read_bytes().splitlines(keepends=True) if line.strip()]
    lines[-1] = lines[-1].rstrip() + b"\n"
    head, rest = lines[: LINES[name]], lines[LINES[name] :]
    random.Random(20261125).shuffle(rest)  # noqa: S311
    file = tmp_path / title
    file.write_bytes(b"".join([*head, *rest]))
    frames = []
    for events in (told(load(file, deduplicate=False)), told_of(folders(esp), title)):
        frame = events.drop(columns="record")
        frames.append(frame.sort_values(list(frame.columns)).reset_index(drop=True))
    pd.testing.assert_frame_equal(*frames)


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

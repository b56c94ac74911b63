"""Formats that are recognised and cannot be loaded, so that the refusal says whose they are."""

from __future__ import annotations

from bounceanalytics.esps import esp_titles
from bounceanalytics.loading.formats.format import Format, Kind

_ADVICE = f"this package reads {esp_titles('and')}; as a table it gets in through read_table"


def _of(vendor: str, *needs: str, kind: Kind = "json", container: str = "", refuse: str = "") -> Format:
    return Format(
        provider="",
        name=f"an export of {vendor}",
        kind=kind,
        needs=needs,
        container=container,
        refuse=refuse or _ADVICE,
    )


FORMATS = (
    # nearly SES's records, with an id of the event and other zones
    _of("Yandex Cloud Postbox", "eventType mail eventId"),
    _of(
        "AWS text messaging",
        "eventType destinationPhoneNumber",
        refuse="it is about text messages, not about mail",
    ),
    _of("Amazon Pinpoint", "event_type event_timestamp arrival_timestamp"),
    _of("Resend", "type created_at data"),
    _of("SparkPost", "msys"),
    _of("SparkPost", "rcpt_to bounce_class", container="results"),
    _of("Postmark", "RecordType MessageID", "RecordType ServerID"),
    _of("Postmark", "TypeCode Email BouncedAt", container="Bounces"),
    _of("Mandrill", "event _id msg", "event _id ts"),
    _of("Mandrill", "mandrill_events", kind="body"),
    _of("Brevo", "event email message-id", "event email ts_event"),
    _of("Mailjet", "event MessageID email", "event mj_contact_id"),
    _of("KumoMTA", "type recipient bounce_classification", "type recipient response peer_address"),
    _of("Elastic Email", "transaction to status channel"),
)

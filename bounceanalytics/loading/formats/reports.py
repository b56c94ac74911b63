"""Delivery reports by mail: the names of their fields, and what the words mean.

References
----------
.. [1] RFC 3464, An Extensible Message Format for Delivery Status Notifications, section 2.3.3: Action
"""

from __future__ import annotations

from typing import Any

from bounceanalytics.loading.formats.format import Format, words_sql

#: The report's word -> ours. ``relayed`` left for a system that reports nothing; ``expanded`` became several.
ACTIONS = {
    "failed": "bounced",
    "expired": "bounced",
    "delayed": "deferred",
    "delivered": "delivered",
    "relayed": "other",
    "expanded": "other",
}

_RECIPIENT = dict.fromkeys(
    ("address", "original", "action", "status", "diagnostic", "remote_host"), "VARCHAR"
)

REPORT_FIELDS: dict[str, str | tuple[str, Any]] = {
    "reported": ("report/recipients", [_RECIPIENT]),
    "report_date": "report/date",
    "report_arrival": "report/arrival_date",
    "report_ip": "report/sending_ip",
    "report_message": "report/message_id",
    "report_kind": "report/sender_kind",
}

#: One recipient of a report, as SQL over ``one``.
REPORTED = (
    "{address: coalesce(nullif(one.address, ''), one.original), status: one.status, text: one.diagnostic,"
    " action: one.action, host: one.remote_host}"
)

REPORT_COLUMNS = {
    # a report in words alone names no action
    "event": words_sql("coalesce(each.action, 'failed')", ACTIONS, "'other'"),
    "esp_event": "each.action",
    "recipient": "each.address",
    "time": "coalesce(report_date, report_arrival)",
    "message_id": "report_message",
    "status": "each.status",
    "text": "each.text",
    "remote_host": "each.host",
    "sending_ip": "report_ip",
}


def report_format(provider: str, name: str = "forwarded bounces") -> Format:
    """Return the format of a mailbox with delivery reports of one sender; other mails in it are looked into, too."""
    return Format(
        provider=provider,
        name=name,
        needs=(f"report-of-{provider}",),
        fields=REPORT_FIELDS,
        columns=REPORT_COLUMNS,
        explode=f"list_transform(reported, lambda one: {REPORTED})",
        key=("message_id", "event", "recipient", "again"),
    )

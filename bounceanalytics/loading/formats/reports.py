"""Delivery reports and complaints by mail: the names of their fields, and what the words mean.

References
----------
.. [1] RFC 3464, An Extensible Message Format for Delivery Status Notifications, section 2.3.3: Action
.. [2] RFC 5965, An Extensible Format for Email Feedback Reports, section 7.3: Feedback Types
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

#: What somebody complains of -> ours.
COMPLAINTS = {
    "abuse": "complained",
    "fraud": "complained",
    "opt-out": "unsubscribed",
    "opt-out-list": "unsubscribed",
    "not-spam": "other",
}

#: Of a word that is none of these the status tells the class.
_BY_STATUS = (
    "CASE each.status[:2] WHEN '5.' THEN 'bounced' WHEN '4.' THEN 'deferred' WHEN '2.' THEN 'delivered'"
    " ELSE 'other' END"
)

_RECIPIENT = dict.fromkeys(
    ("address", "original", "action", "reply", "status", "diagnostic", "remote_host"), "VARCHAR"
)

REPORT_FIELDS: dict[str, str | tuple[str, Any]] = {
    "reported": ("report/recipients", [_RECIPIENT]),
    "report_date": "report/date",
    "report_arrival": "report/arrival_date",
    "report_ip": "report/sending_ip",
    "report_message": "report/message_id",
    "report_id": "report/id",
}

#: One recipient of a report, as SQL over ``one``.
REPORTED = (
    "{address: coalesce(nullif(one.address, ''), one.original), status: one.status, text: one.diagnostic,"
    " action: one.action, reply: one.reply, host: one.remote_host}"
)

REPORT_COLUMNS = {
    # a report in words alone names no action
    "event": words_sql("coalesce(each.action, 'failed')", ACTIONS | COMPLAINTS, _BY_STATUS),
    "suspect": "len(reported) > 1 AND each.action IN ('abuse', 'fraud')",
    "esp_event": "each.action",
    "recipient": "each.address",
    "time": "coalesce(report_date, report_arrival)",
    "message_id": "report_message",
    "event_id": "report_id",
    "reply": "each.reply",
    "status": "each.status",
    "text": "each.text",
    "remote_host": "each.host",
    "sending_ip": "report_ip",
}


#: Begins the name of a key that says whose report a mail holds.
REPORT_OF = "report-of-"


def report_format(provider: str, name: str = "forwarded bounces") -> Format:
    """Return the format of the reports that one sender writes."""
    return Format(
        provider=provider,
        name=name,
        needs=(f"{REPORT_OF}{provider}",),
        fields=REPORT_FIELDS,
        columns=REPORT_COLUMNS,
        explode=f"list_transform(reported, lambda one: {REPORTED})",
        key=("message", "event", "recipient", "again"),
    )


#: Of any server, and of the mailbox providers that pass complaints on.
ANY_SERVER = report_format("generic", "delivery reports")

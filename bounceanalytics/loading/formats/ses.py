"""Amazon SES: what its fields are called, what its words mean, one reader.

References
----------
.. [1] Event publishing: https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html
.. [2] Feedback notifications: https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html
.. [3] Account-level suppression list: https://docs.aws.amazon.com/ses/latest/dg/sending-email-suppression-list.html
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from bounceanalytics.database import literal
from bounceanalytics.loading.formats.format import Format, Sign, json_list_sql, words_sql
from bounceanalytics.loading.formats.mail_marks import MailMarks
from bounceanalytics.loading.formats.reports import report_format
from bounceanalytics.loading.formats.spelling import OWN_KEYS

if TYPE_CHECKING:
    from bounceanalytics.loading.formats.spelling import Structure

#: SES's word, without blanks and underscores -> ours.
EVENTS = {
    "send": "accepted",
    "delivery": "delivered",
    "deliverydelay": "deferred",
    "bounce": "bounced",
    "complaint": "complained",
    "reject": "rejected",
    "renderingfailure": "rejected",
    "open": "opened",
    "click": "clicked",
}

#: Bounces that SES reports without having tried to deliver.
NOT_TRIED = (
    "Suppressed",
    "OnAccountSuppressionList",
    "OnTenantSuppressionList",
    "EmailValidationSuppressed",
    "UnsubscribedRecipient",
)

#: Records that are no sending events -> why they are left out.
IGNORED = {
    "amazonsnssubscriptionsucceeded": "a notice that the notifications were set up",
    "received": "a message on its way in",
}

_RECIPIENT: Structure = {"emailAddress": "VARCHAR", "status": "VARCHAR", "diagnosticCode": "VARCHAR"}
_TOPIC = {"topicName": "VARCHAR", "subscriptionStatus": "VARCHAR"}

FIELDS: dict[str, str | tuple[str, Structure]] = {
    "event_type": "eventType",
    "notification_type": "notificationType",
    "sent": "mail/timestamp",
    "mail_id": "mail/messageId",
    "destination": ("mail/destination", ["VARCHAR"]),
    "account": "mail/sendingAccountId",
    "arn": "mail/sourceArn",
    "carrier": "carrierAccount",
    "mail_tags": ("mail/tags", OWN_KEYS),
    "bounce_type": "bounce/bounceType",
    "bounce_subtype": "bounce/bounceSubType",
    "bounced": ("bounce/bouncedRecipients", [_RECIPIENT]),
    "bounce_time": "bounce/timestamp",
    "bounce_id": "bounce/feedbackId",
    "bounce_ip": "bounce/remoteMtaIp",
    "bounce_mta": "bounce/reportingMTA",
    "complaint_type": "complaint/complaintFeedbackType",
    "complaint_subtype": "complaint/complaintSubType",
    "complained": ("complaint/complainedRecipients", [{"emailAddress": "VARCHAR"}]),
    "complaint_time": "complaint/timestamp",
    "complaint_id": "complaint/feedbackId",
    "delivered": ("delivery/recipients", ["VARCHAR"]),
    "delivery_time": "delivery/timestamp",
    "delivery_reply": "delivery/smtpResponse",
    "delivery_ip": "delivery/remoteMtaIp",
    "delay_type": "deliveryDelay/delayType",
    "delayed": ("deliveryDelay/delayedRecipients", [_RECIPIENT]),
    "delay_time": "deliveryDelay/timestamp",
    "reject_reason": "reject/reason",
    "failure_message": "failure/errorMessage",
    "open_time": "open/timestamp",
    "click_time": "click/timestamp",
    "click_link": "click/link",
    "subscription_time": "subscription/timestamp",
    "subscription_source": "subscription/source",
    "unsubscribe_all": "subscription/newTopicPreferences/unsubscribeAll",
    "new_topics": ("subscription/newTopicPreferences/topicSubscriptionStatus", [_TOPIC]),
    "old_topics": ("subscription/oldTopicPreferences/topicSubscriptionStatus", [_TOPIC]),
}

# told once a record, since much depends on them
_WORD_SQL = (
    "coalesce(event_type, notification_type, CASE WHEN bounce_type IS NOT NULL THEN 'Bounce'"
    " WHEN complained IS NOT NULL THEN 'Complaint' WHEN delay_type IS NOT NULL THEN 'DeliveryDelay'"
    " WHEN delivered IS NOT NULL THEN 'Delivery' END)"
)
_MADE = {"word": _WORD_SQL, "kind": f"lower(translate({_WORD_SQL}, ' _', ''))"}
_WORD, _KIND = _MADE

# the account that sent counts; a topic or a bus may be of another one
_ACCOUNT = "coalesce(nullif(account, ''), nullif(split_part(arn, ':', 5), ''))"

_NEWLY_OUT = (
    "len(list_filter(new_topics, lambda topic: topic.subscriptionStatus = 'OptOut' AND NOT coalesce(list_contains("
    "list_transform(list_filter(old_topics, lambda old: old.subscriptionStatus = 'OptOut'), lambda old: old.topicName),"
    " topic.topicName), false))) > 0"
)


def _topics(status: str) -> str:
    """Return as SQL the topics that have a status, as a text that begins with it; NULL if there are none."""
    chosen = f"list_filter(new_topics, lambda topic: topic.subscriptionStatus = {literal(status)})"
    names = f"array_to_string(list_sort(list_transform({chosen}, lambda topic: topic.topicName)), ', ')"
    return f"CASE WHEN len({chosen}) > 0 THEN {literal(status + ': ')} || {names} END"


# what the recipient wants from then on: the words are ours, the names in them SES's
_PREFERENCES = (
    f"CASE WHEN unsubscribe_all = 'true' THEN 'unsubscribeAll'"
    f" ELSE coalesce({_topics('OptOut')}, {_topics('OptIn')}) END"
)

_EVENT = f"""CASE
    WHEN {_KIND} = 'bounce' AND list_contains([{", ".join(map(literal, NOT_TRIED))}], bounce_subtype) THEN 'dropped'
    WHEN {_KIND} = 'complaint' AND nullif(complaint_subtype, '') IS NOT NULL THEN 'dropped'
    WHEN {_KIND} = 'complaint' AND complaint_type = 'not-spam' THEN 'other'
    WHEN {_KIND} = 'subscription' AND (unsubscribe_all = 'true' OR {_NEWLY_OUT}) THEN 'unsubscribed'
    ELSE {words_sql(_KIND, EVENTS, "'other'")} END"""

# The service's own tags, which it writes beside the sender's.
_OWN_TAG = "starts_with(name, 'ses:')"
_TAG_VALUES = (
    "from_json(json_extract(mail_tags, '/' || replace(replace(name, '~', '~0'), '/', '~1')), '[\"VARCHAR\"]')"
)

# The body names the recipients that it is about; `mail.destination` names everyone the message went to, and making
# rows of that would mark the innocent. It stands in only where it holds one address.
_NOBODY = "{address: CAST(NULL AS VARCHAR), status: CAST(NULL AS VARCHAR), text: CAST(NULL AS VARCHAR)}"
_FROM_BODY = "{address: one.emailAddress, status: one.status, text: one.diagnosticCode}"
_ADDRESS = "{address: one, status: CAST(NULL AS VARCHAR), text: CAST(NULL AS VARCHAR)}"
_EVERYONE = f"list_transform(destination, lambda one: {_ADDRESS})"
_ONLY_ONE = f"CASE WHEN len(destination) = 1 THEN {_EVERYONE} ELSE [{_NOBODY}] END"
_ABOUT = f"""CASE {_KIND}
    WHEN 'bounce' THEN list_transform(bounced, lambda one: {_FROM_BODY})
    WHEN 'deliverydelay' THEN list_transform(delayed, lambda one: {_FROM_BODY})
    WHEN 'complaint' THEN list_transform(complained,
        lambda one: {{address: one.emailAddress, status: CAST(NULL AS VARCHAR), text: CAST(NULL AS VARCHAR)}})
    WHEN 'delivery' THEN list_transform(delivered,
        lambda one: {{address: one, status: CAST(NULL AS VARCHAR), text: delivery_reply}})
    WHEN 'open' THEN {_ONLY_ONE}
    WHEN 'click' THEN {_ONLY_ONE}
    ELSE {_EVERYONE} END"""

_MTA_HOST = r"lower(regexp_replace(bounce_mta, '^\s*(?:dns|dsn)\s*;\s*', ''))"

COLUMNS = {
    "event": _EVENT,
    "suspect": "len(complained) > 1",
    "esp_event": _WORD,
    "esp_type": f"coalesce(bounce_type, complaint_type, delay_type, {_PREFERENCES})",
    "esp_reason": "coalesce(bounce_subtype, complaint_subtype, reject_reason, subscription_source)",
    "recipient": "each.address",
    "time": "coalesce(bounce_time, complaint_time, delivery_time, delay_time, open_time, click_time,"
    " subscription_time, sent)",
    "message_id": "mail_id",
    "event_id": "coalesce(bounce_id, complaint_id)",
    "status": "each.status",
    "text": "each.text",
    "own_text": "coalesce(failure_message, reject_reason)",
    # SES's own sending hosts report most bounces; only another host is the one that refused
    "remote_host": "coalesce(bounce_ip, delivery_ip,"
    f" CASE WHEN NOT regexp_matches({_MTA_HOST}, '(?:^|[.])amazon(?:ses|aws)?[.]com$')"
    f" THEN {_MTA_HOST} END)",
    "sending_ip": """json_extract_string(mail_tags, '$."ses:outgoing-ip"[0]')""",
    "tags": json_list_sql(
        f"flatten(list_transform(list_filter(json_keys(mail_tags), lambda name: NOT {_OWN_TAG}),"
        f" lambda name: list_transform({_TAG_VALUES}, lambda value: name || ':' || value)))"
    ),
}

_WORDS = frozenset({"subscription", *EVENTS})
_YANDEX = "eventid"  # Yandex Cloud Postbox writes nearly the same records

SIGNS = (
    *(
        Sign(f"{word} {part}", words=_WORDS | {"received"}, lacks=_YANDEX)
        for word in ("eventtype", "notificationtype")
        for part in ("mail", "mailmessageid", "maildestination", "bounce", "bouncebouncetype", "complaint")
    ),
    # without a word, and as programmes that keep no order of parts write it
    *(
        Sign(f"mailmessageid {part}", lacks=_YANDEX)
        for part in ("bouncebouncetype", "complaintcomplainedrecipients", "deliverysmtpresponse")
    ),
    *(
        Sign(f"{word} {keys}", words=_WORDS, lacks=_YANDEX)
        for word in ("eventtype", "notificationtype")
        for keys in (
            "bouncedrecipients",
            "complainedrecipients",
            "messageid destination",
            "messageid emailaddress",
            "bouncetype emailaddress",
        )
    ),
    Sign("bouncetype bouncesubtype emailaddress"),
    Sign("notificationtype", words=frozenset(IGNORED)),
)

#: Keys of a record whose parts were taken out of their places -> where they belong.
ALSO = {
    "timestamp": "mail/timestamp",
    "messageid": "mail/messageId",
    "destination": "mail/destination",
    "sesoutgoingip": "mail/tags/ses:outgoing-ip",
    "bouncetype": "bounce/bounceType",
    "bouncesubtype": "bounce/bounceSubType",
    "bouncedrecipients": "bounce/bouncedRecipients",
    "bouncetime": "bounce/timestamp",
    "bouncetimestamp": "bounce/timestamp",
    "feedbackid": "bounce/feedbackId",
    "reportingmta": "bounce/reportingMTA",
    "complaintfeedbacktype": "complaint/complaintFeedbackType",
    "complaintsubtype": "complaint/complaintSubType",
    "complainedrecipients": "complaint/complainedRecipients",
    "complainttimestamp": "complaint/timestamp",
    "recipients": "delivery/recipients",
    "smtpresponse": "delivery/smtpResponse",
    "delaytype": "deliveryDelay/delayType",
    "delayedrecipients": "deliveryDelay/delayedRecipients",
    "reason": "reject/reason",
    "errormessage": "failure/errorMessage",
    "link": "click/link",
    "emailaddress": "bounce/bouncedRecipients/emailAddress complaint/complainedRecipients/emailAddress"
    " deliveryDelay/delayedRecipients/emailAddress",
    "status": "bounce/bouncedRecipients/status deliveryDelay/delayedRecipients/status",
    "diagnosticcode": "bounce/bouncedRecipients/diagnosticCode deliveryDelay/delayedRecipients/diagnosticCode",
}

PUBLISHING = Format(
    provider="ses",
    name="event publishing",
    needs=("eventType mail",),
    lacks="eventId",
    carried=True,
    signs=SIGNS,
    also=ALSO,
    clock=("sent", "bounce_time", "complaint_time", "delivery_time", "delay_time", "open_time", "click_time"),
    plain=True,
    fields=FIELDS,
    columns=COLUMNS,
    made=_MADE,
    explode=_ABOUT,
    otherwise=f"CASE WHEN mail_id IS NULL AND {_WORD} IS NULL THEN [NULL] ELSE {_ONLY_ONE} END",
    ignored=words_sql(_KIND, IGNORED),
    # not by the wrapper's ids or the wording of the time: both dialects, and every repetition, tell the same event
    key=("message_id", "event", "recipient", "esp_type", "esp_reason", "again", "click_link"),
    accounts=(_ACCOUNT, f"CASE WHEN {_ACCOUNT} IS NULL THEN carrier END"),
    carrier="carrier",
)

NOTIFICATIONS = replace(
    PUBLISHING,
    name="feedback notifications",
    needs=("notificationType mail", "notificationType message"),
    lacks="",
    signs=(),
    plain=False,
)

MAIL_MARKS = MailMarks(
    sender=re.compile(r"[@.]amazonses\.com\b", re.IGNORECASE),
    places=("from", "reporting-mta"),
    headers=("x-ses-outgoing", "x-aws-outgoing"),
    outgoing=re.compile(r"(?:\d{4}\.\d\d\.\d\d-)?([0-9A-Fa-f.:]+)"),
    own_id=True,
)

# a report by mail (RFC 3464) stands beside notifications by mail in one mailbox
MAIL = report_format("ses", "mail")

_DETAILS = {
    "Bounce": {"BounceType": "VARCHAR", "BounceSubType": "VARCHAR", "DiagnosticCode": "VARCHAR"},
    "Complaint": {"ComplaintSubType": "VARCHAR", "ComplaintFeedbackType": "VARCHAR"},
}
_INSIGHT_EVENT = {"Timestamp": "VARCHAR", "Type": "VARCHAR", "Details": _DETAILS}
_INSIGHT_KIND = "lower(replace(each.event.Type, '_', ''))"
_INSIGHT_TRIED = (
    f"list_contains([{', '.join(literal(name.lower()) for name in NOT_TRIED)}],"
    " lower(each.event.Details.Bounce.BounceSubType))"
)

_INSIGHT_BOUNCE, _INSIGHT_COMPLAINT = (f"each.event.Details.{kind}" for kind in _DETAILS)

INSIGHTS = Format(
    provider="ses",
    name="message insights",
    needs=("Insights FromEmailAddress", "Insights MessageId"),
    fields={
        "mail_id": "MessageId",
        "mail_tags": ("EmailTags", [{"Name": "VARCHAR", "Value": "VARCHAR"}]),
        "insights": ("Insights", [{"Destination": "VARCHAR", "Events": [_INSIGHT_EVENT]}]),
    },
    explode="flatten(list_transform(insights, lambda one: list_transform(one.Events,"
    " lambda event: {address: one.Destination, event: event})))",
    columns={
        "event": f"CASE WHEN {_INSIGHT_KIND} = 'bounce' AND {_INSIGHT_TRIED} THEN 'dropped'"
        f" WHEN {_INSIGHT_KIND} = 'complaint' AND each.event.Details.Complaint.ComplaintSubType <> '' THEN 'dropped'"
        f" WHEN {_INSIGHT_KIND} = 'complaint' AND each.event.Details.Complaint.ComplaintFeedbackType = 'not-spam'"
        f" THEN 'other' ELSE {words_sql(_INSIGHT_KIND, EVENTS, literal('other'))} END",
        "esp_event": "each.event.Type",
        "esp_type": f"coalesce({_INSIGHT_BOUNCE}.BounceType, {_INSIGHT_COMPLAINT}.ComplaintFeedbackType)",
        "esp_reason": f"coalesce({_INSIGHT_BOUNCE}.BounceSubType, {_INSIGHT_COMPLAINT}.ComplaintSubType)",
        "recipient": "each.address",
        "time": "each.event.Timestamp",
        "message_id": "mail_id",
        "text": "each.event.Details.Bounce.DiagnosticCode",
        "tags": json_list_sql(
            "list_transform(list_filter(mail_tags, lambda tag: NOT starts_with(tag.Name, 'ses:')),"
            " lambda tag: tag.Name || ':' || tag.Value)"
        ),
    },
    key=("message_id", "event", "recipient", "again"),
)

#: Words of the last event of a message in an insights export.
_LAST_EVENTS = {
    "send": "accepted",
    "delivery": "delivered",
    "transientbounce": "bounced",
    "permanentbounce": "bounced",
    "undeterminedbounce": "bounced",
    "complaint": "complained",
}
_LAST = "replace(replace(last_event, '_', ''), ' ', '')"

INSIGHTS_EXPORT = Format(
    provider="ses",
    name="message insights export",
    kind="csv",
    loose=True,
    needs=(
        "destination lastdeliveryevent",
        "recipient lastdeliveryevent",
        "destination messageid diagnosticcode",
    ),
    fields={
        "mail_id": "messageid",
        "address": "destination|recipient|to",
        "last_event": "lastdeliveryevent",
        "time": "timestamp|sentdate|sendtime|date",
        "bounce_type": "bouncetype",
        "bounce_subtype": "bouncesubtype",
        "diagnostic": "diagnosticcode",
    },
    columns={
        "event": f"coalesce({words_sql(_LAST, _LAST_EVENTS)},"
        " CASE WHEN bounce_type <> '' THEN 'bounced' ELSE 'other' END)",
        "esp_event": "last_event",
        "esp_type": "coalesce(nullif(bounce_type, ''), regexp_extract(last_event, '(?i)^([a-z]+)_bounce', 1))",
        "esp_reason": "bounce_subtype",
        "recipient": "address",
        "time": "time",
        "message_id": "mail_id",
        "text": "diagnostic",
    },
    key=("message_id", "event", "recipient"),
    note="its layout is not documented: columns were found by their titles, one row for the last event of a message",
)


def _unescaped(text: str) -> str:
    """Return SQL for a text without the escapes of HTML."""
    for escape, sign in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&#39;", "'"), ("&amp;", "&")):
        text = f"replace({text}, {literal(escape)}, {literal(sign)})"
    return text


DASHBOARD = Format(
    provider="ses",
    name="bounce dashboard",
    kind="csv",
    needs=("date type from recipient error id",),
    fields={name: name for name in ("date", "type", "recipient", "error", "id")},
    columns={
        "event": words_sql("type", EVENTS, "'other'"),
        "esp_event": "type",
        "recipient": _unescaped("recipient"),
        "time": "date",
        "event_id": "id",
        "own_text": _unescaped("error"),
    },
    key=("event_id", "recipient"),
    note="it names the first recipient of each message, who need not be the one that bounced",
)

SUPPRESSION_LIST = Format(
    provider="ses",
    name="suppression list",
    needs=("EmailAddress Reason LastUpdateTime", "EmailAddress Reason"),
    container="SuppressedDestinationSummaries",
    inner="coalesce(CAST(TRY(json_extract(text, '$.SuppressedDestination')) AS VARCHAR), text)",
    fields={
        "address": "EmailAddress",
        "reason": "Reason",
        "updated": "LastUpdateTime",
        "mail_id": "Attributes/MessageId",
        "feedback_id": "Attributes/FeedbackId",
        "tenant": "TenantName",
    },
    columns={
        "event": "'suppressed'",
        "esp_type": "reason",
        "recipient": "address",
        "time": "updated",
        "message_id": "mail_id",
        "event_id": "feedback_id",
    },
    key=("recipient", "esp_type", "time", "tenant"),
    last_page=(
        r'"NextToken"\s*:\s*"',
        "its last page names a next one, so the list goes on: fetch the other pages too",
    ),
)

_LIST_TIMES = (
    "lastupdatetime|lastupdate|lastupdated|lastupdatedtime|lastupdatedtimestamp|lastupdatetimestamp|dateadded"
)
_LIST_ADDRESS = "emailaddress|suppresseddestinationemailaddress"
_LIST_REASON = "reason|suppressionreason|suppresseddestinationreason"

#: The same as a table, since AWS offers no download of it: whatever a script has called the columns.
SUPPRESSION_TABLE = replace(
    SUPPRESSION_LIST,
    kind="csv",
    loose=True,
    needs=(
        *(
            f"{address} {reason} {time}"
            for address in ("email", "address", "destination")
            for reason in ("reason", "suppressionreason")
            for time in _LIST_TIMES.split("|")
        ),
        *(
            f"{address} {reason}"
            for address in _LIST_ADDRESS.split("|")
            for reason in _LIST_REASON.split("|")
        ),
    ),
    lacks="event eventtype bouncetype code messagestream",
    says=("reason", "bounce|complaint"),
    container="",
    inner="",
    fields={
        "address": f"{_LIST_ADDRESS}|email|address|destination",
        "reason": _LIST_REASON,
        "updated": f"{_LIST_TIMES}|suppresseddestinationlastupdatetime|updatedat|updated|timestamp|date|created"
        "|createdat",
        "mail_id": "messageid|attributesmessageid|suppresseddestinationattributesmessageid",
        "feedback_id": "feedbackid|attributesfeedbackid|suppresseddestinationattributesfeedbackid",
        "tenant": "tenantname|tenant",
    },
    last_page=("", ""),
)

_PUT = replace(
    SUPPRESSION_LIST,
    name="suppression list to import",
    needs=("emailAddress reason",),
    only="emailAddress reason",
    container="",
    inner="",
    fields={"address": "emailAddress", "reason": "reason"},
    columns={"event": "'suppressed'", "esp_type": "reason", "recipient": "address"},
    key=("recipient", "esp_type"),
    last_page=("", ""),
)
_DELETE = replace(
    _PUT,
    name="addresses to take off the suppression list",
    needs=("emailAddress",),
    only="emailAddress",
    fields={"address": "emailAddress"},
    columns={"event": "'other'", "recipient": "address", "esp_type": "'DELETE'"},
    key=("recipient",),
)
_CONTACTS = replace(
    _PUT,
    name="contact list",
    needs=("emailAddress unsubscribeAll", "emailAddress topicPreferences", "emailAddress attributesData"),
    only="",
    fields={"address": "emailAddress", "all": "unsubscribeAll"},
    columns={
        "event": "CASE WHEN lower(\"all\") = 'true' THEN 'unsubscribed' ELSE 'other' END",
        "esp_type": "'contact'",
        "recipient": "address",
    },
    key=("recipient",),
)

IMPORTS = (
    _PUT,
    replace(
        _PUT,
        kind="csv",
        needs=(),
        only="",
        rows=r"(?i)\"?[^\s,;]+@[^\s,;]+\"?[,;]\s*\"?(?:BOUNCE|COMPLAINT)\"?\s*",
        fields={"address": "address", "reason": "reason"},
    ),
    _DELETE,
    replace(
        _DELETE,
        kind="csv",
        needs=(),
        only="",
        rows=r"\"?[^\s,;@]+@[^\s,;@]+\"?\s*",
        hint=r"delete|take.?off",
        fields={"address": "address"},
    ),
    _CONTACTS,
    replace(
        _CONTACTS,
        kind="csv",
        needs=("emailaddress unsubscribeall",),
        fields={"address": "emailaddress", "all": "unsubscribeall"},
    ),
)

FORMATS = (
    PUBLISHING,
    NOTIFICATIONS,
    MAIL,
    INSIGHTS,
    INSIGHTS_EXPORT,
    DASHBOARD,
    SUPPRESSION_LIST,
    SUPPRESSION_TABLE,
    *IMPORTS,
    replace(SUPPRESSION_LIST, name="suppression look-up", needs=("SuppressedDestination",), container=""),
    Format(
        provider="ses",
        name="statistics",
        needs=("DeliveryAttempts Timestamp",),
        container="SendDataPoints",
        refuse="it holds counts and no recipients",
    ),
    Format(
        provider="ses",
        name="incoming mail",
        needs=("eventSource ses",),
        container="Records",
        refuse="it is about mail that came in, not about mail that was sent",
    ),
    Format(
        provider="ses",
        name="metrics",
        needs=("Id Timestamps Values",),
        container="Results",
        refuse="it holds counts and no recipients",
    ),
)

"""Amazon SES: what its fields are called, what its words mean, one reader.

References
----------
.. [1] Event publishing: https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html
.. [2] Feedback notifications: https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html
.. [3] Account-level suppression list: https://docs.aws.amazon.com/ses/latest/dg/sending-email-suppression-list.html
"""

from __future__ import annotations

from dataclasses import replace

from bounceanalytics.loading.forms import Form, Structure, literal, words_sql

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

# Where the next layer of wrapping keeps its content: SNS, EventBridge, SQS, Lambda, CloudWatch Logs. Layers stack.
_LAYERS = ("$.Message", "$.detail", "$.Sns.Message", "$.Body", "$.body", "$.message")
_DEPTH = 6


def _unwrapped(text: str, level: int = 0) -> str:
    """Return SQL for the innermost content; a layer is opened only where it is no SES record yet."""
    if level == _DEPTH:
        return text
    layers = ", ".join(map(literal, _LAYERS))
    at = f"layer{level}"
    content = f"list_filter(json_extract_string({text}, [{layers}]), lambda found{level}: found{level} IS NOT NULL)[1]"
    return (
        f"CASE WHEN NOT json_valid({text}) OR json_exists({text}, '$.mail') THEN {text} ELSE"
        f" list_transform([{content}], lambda {at}: CASE WHEN {at} IS NULL THEN {text}"
        f" ELSE {_unwrapped(at, level + 1)} END)[1] END"
    )


_RECIPIENT: Structure = {"emailAddress": "VARCHAR", "status": "VARCHAR", "diagnosticCode": "VARCHAR"}
_TOPIC = {"topicName": "VARCHAR", "subscriptionStatus": "VARCHAR"}

FIELDS: dict[str, str | tuple[str, Structure]] = {
    "event_type": "eventType",
    "notification_type": "notificationType",
    "sent": "mail/timestamp",
    "mail_id": "mail/messageId",
    "destination": ("mail/destination", ["VARCHAR"]),
    "mail_tags": ("mail/tags", "MAP(VARCHAR, VARCHAR[])"),
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

_WORD = (
    "coalesce(event_type, notification_type, CASE WHEN bounce_type IS NOT NULL THEN 'Bounce'"
    " WHEN complained IS NOT NULL THEN 'Complaint' WHEN delay_type IS NOT NULL THEN 'DeliveryDelay'"
    " WHEN delivered IS NOT NULL THEN 'Delivery' END)"
)
_KIND = f"lower(translate({_WORD}, ' _', ''))"

_OPTED_OUT = (
    "len(list_filter(new_topics, lambda topic: topic.subscriptionStatus = 'OptOut' AND NOT coalesce(list_contains("
    "list_transform(list_filter(old_topics, lambda old: old.subscriptionStatus = 'OptOut'), lambda old: old.topicName),"
    " topic.topicName), false))) > 0"
)

_EVENT = f"""CASE
    WHEN {_KIND} = 'bounce' AND list_contains([{", ".join(map(literal, NOT_TRIED))}], bounce_subtype) THEN 'dropped'
    WHEN {_KIND} = 'complaint' AND nullif(complaint_subtype, '') IS NOT NULL THEN 'dropped'
    WHEN {_KIND} = 'complaint' AND complaint_type = 'not-spam' THEN 'other'
    WHEN {_KIND} = 'subscription' AND (unsubscribe_all = 'true' OR {_OPTED_OUT}) THEN 'unsubscribed'
    ELSE {words_sql(_KIND, EVENTS, "'other'")} END"""

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
    "esp_event": _WORD,
    "esp_type": "coalesce(bounce_type, complaint_type, delay_type)",
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
    "sending_ip": "mail_tags['ses:outgoing-ip'][1]",
    "tags": "flatten(list_transform(list_filter(map_entries(mail_tags), lambda tag: NOT starts_with(tag.key, 'ses:')),"
    " lambda tag: list_transform(tag.value, lambda one: tag.key || ':' || one)))",
}

PUBLISHING = Form(
    provider="ses",
    name="event publishing",
    needs=("eventType mail",),
    lacks="eventId",  # Yandex Cloud Postbox writes nearly the same records
    inner=_unwrapped("text"),
    fields=FIELDS,
    columns=COLUMNS,
    explode=f"CASE WHEN len({_ABOUT}) > 0 THEN {_ABOUT} ELSE {_ONLY_ONE} END",
    ignored=f"CASE WHEN mail_id IS NULL AND {_WORD} IS NULL THEN 'a notice of the service that carried the records'"
    f" ELSE {words_sql(_KIND, IGNORED)} END",
    key=("message_id", "esp_event", "recipient", "time", "click_link"),
)


def _wrapped(name: str, *needs: str, container: str = "") -> Form:
    return replace(PUBLISHING, name=name, needs=needs, lacks="", container=container, bare=not container)


EVENT_FORMS = (
    PUBLISHING,
    _wrapped("feedback notifications", "notificationType mail", "notificationType message"),
    _wrapped("SNS messages", "Type TopicArn Message", "Type MessageId Message"),
    _wrapped("EventBridge events", "detail-type detail"),
    _wrapped("SQS messages", "Body MessageId", "Body ReceiptHandle", container="Messages"),
    _wrapped("Lambda events", "EventSource Sns", "eventSource body", container="Records"),
    _wrapped("CloudWatch log events", "id message timestamp", container="logEvents"),
    _wrapped("CloudWatch log events", "message timestamp ingestionTime", container="events"),
)

SUPPRESSION_LIST = Form(
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

FORMS = (
    *EVENT_FORMS,
    SUPPRESSION_LIST,
    replace(SUPPRESSION_LIST, name="suppression look-up", needs=("SuppressedDestination",), container=""),
    Form(
        provider="ses",
        name="statistics",
        needs=("DeliveryAttempts Timestamp",),
        container="SendDataPoints",
        refuse="it holds counts and no recipients",
    ),
    Form(
        provider="ses",
        name="metrics",
        needs=("Id Timestamps Values",),
        container="Results",
        refuse="it holds counts and no recipients",
    ),
)

"""What queues, logs, buses, stores and automation tools put around an event: a function for each."""

from __future__ import annotations

import base64
import csv
import gzip
import io
import json
from collections.abc import Callable
from typing import Any


def text(value: Any) -> str:
    return json.dumps(value)


def base64_of(value: Any) -> str:
    return base64.b64encode(text(value).encode()).decode()


def gzip_of(value: Any) -> str:
    return base64.b64encode(gzip.compress(text(value).encode())).decode()


def sns(message: Any) -> dict[str, Any]:
    return {
        "Type": "Notification",
        "MessageId": "95df01b4",
        "TopicArn": "arn:aws:sns:eu-west-1:111122223333:mail",
        "Message": text(message),
        "Timestamp": "2026-03-10T08:15:22.000Z",
    }


def log_events(message: Any) -> dict[str, Any]:
    return {
        "messageType": "DATA_MESSAGE",
        "logGroup": "/mail",
        "subscriptionFilters": ["all"],
        "logEvents": [{"id": "1", "timestamp": 1773130521000, "message": text(message)}],
    }


def dynamo(value: Any) -> Any:
    if isinstance(value, dict):
        return {"M": {key: dynamo(one) for key, one in value.items()}}
    if isinstance(value, list):
        return {"L": [dynamo(one) for one in value]}
    if isinstance(value, bool):
        return {"BOOL": value}
    return {"N": str(value)} if isinstance(value, (int, float)) else {"S": value}


#: JSON around JSON: each takes what it wraps, which may be wrapped already.
JSON: dict[str, Callable[[Any], Any]] = {
    "sns": sns,
    "sns in lambda": lambda one: {"Records": [{"EventSource": "aws:sns", "Sns": sns(one)}]},
    "sqs": lambda one: {"Messages": [{"MessageId": "1", "ReceiptHandle": "r", "Body": text(one)}]},
    "sqs in lambda": lambda one: {
        "Records": [{"messageId": "1", "receiptHandle": "r", "body": text(one), "eventSource": "aws:sqs"}]
    },
    "sns in sqs": lambda one: {
        "Messages": [{"MessageId": "1", "ReceiptHandle": "r", "Body": text(sns(one))}]
    },
    "eventbridge": lambda one: {
        "version": "0",
        "detail-type": "Mail",
        "source": "shop.mail",
        "time": "2026-03-10T08:15:21Z",
        "detail": one,
    },
    "cloudwatch subscription": log_events,
    "cloudwatch subscription in lambda": lambda one: {"awslogs": {"data": gzip_of(log_events(one))}},
    "cloudwatch filter": lambda one: {
        "events": [{"logStreamName": "s", "timestamp": 1, "ingestionTime": 1, "message": text(one)}]
    },
    "cloudwatch insights": lambda one: {
        "results": [[{"field": "@timestamp", "value": "x"}, {"field": "@message", "value": text(one)}]]
    },
    "lambda's own log": lambda one: {
        "logEvents": [{"id": "1", "timestamp": 1, "message": "2026-03-10T08:15:21Z\tid\tINFO\t" + text(one)}]
    },
    "kinesis": lambda one: {"Records": [{"kinesis": {"partitionKey": "1", "data": base64_of(one)}}]},
    "kinesis get-records": lambda one: {"Records": [{"Data": base64_of(one), "SequenceNumber": "4"}]},
    "firehose transformation": lambda one: {"records": [{"recordId": "1", "data": base64_of(one)}]},
    "firehose failure": lambda one: {"attemptsMade": 4, "errorCode": "x", "rawData": base64_of(one)},
    "api gateway": lambda one: {
        "resource": "/mail",
        "httpMethod": "POST",
        "headers": {"Content-Type": "application/json"},
        "isBase64Encoded": False,
        "body": text(one),
    },
    "api gateway, base64": lambda one: {"version": "2.0", "isBase64Encoded": True, "body": base64_of(one)},
    "load balancer": lambda one: {
        "requestContext": {"elb": {"targetGroupArn": "arn"}},
        "httpMethod": "POST",
        "path": "/mail",
        "isBase64Encoded": False,
        "body": text(one),
    },
    "step functions": lambda one: {"executionArn": "arn", "input": text(one), "output": text({"done": True})},
    "dynamodb": lambda one: {"Items": [{"pk": {"S": "1"}, "payload": dynamo(one)}], "Count": 1},
    "dynamodb stream": lambda one: {
        "Records": [
            {"eventName": "INSERT", "dynamodb": {"NewImage": {"id": {"S": "1"}, "event": dynamo(one)}}}
        ]
    },
    "pub/sub push": lambda one: {"message": {"data": base64_of(one), "messageId": "1"}, "subscription": "s"},
    "pub/sub pull": lambda one: {"receivedMessages": [{"ackId": "a", "message": {"data": base64_of(one)}}]},
    "google cloud logging": lambda one: {"insertId": "1", "logName": "projects/shop", "jsonPayload": one},
    "google cloud logging, text": lambda one: {"insertId": "1", "logName": "x", "textPayload": text(one)},
    "event grid": lambda one: [{"id": "1", "subject": "mail", "eventType": "Mail", "data": one}],
    "event hubs": lambda one: {"SequenceNumber": 1, "EnqueuedTimeUtc": "x", "Body": base64_of(one)},
    "cloudevents": lambda one: {"specversion": "1.0", "id": "7", "type": "org.example.mail", "data": one},
    "cloudevents, base64": lambda one: {"specversion": "1.0", "id": "7", "data_base64": base64_of(one)},
    "kafka connect": lambda one: {"schema": {"type": "struct"}, "payload": one},
    "kafka, as text": lambda one: {"topic": "mail", "partition": 0, "offset": 1, "value": text(one)},
    "kafka rest": lambda one: [{"key": None, "value": one, "partition": 0, "offset": 1}],
    "debezium": lambda one: {"payload": {"before": None, "after": {"id": 1, "body": text(one)}, "op": "c"}},
    "rabbitmq": lambda one: [{"payload": text(one), "payload_encoding": "string", "routing_key": "mail"}],
    "elasticsearch": lambda one: {
        "took": 1,
        "hits": {"total": {"value": 1}, "hits": [{"_id": "c", "_source": one}]},
    },
    "logstash": lambda one: {"@timestamp": "x", "@version": "1", "message": text(one), "host": "web1"},
    "splunk": lambda one: {"preview": False, "offset": 0, "result": {"_raw": text(one), "source": "mail"}},
    "splunk hec": lambda one: {"time": 1, "host": "web1", "event": one},
    "docker": lambda one: {"log": text(one) + "\n", "stream": "stdout", "time": "2026-03-10T08:15:21Z"},
    "n8n": lambda one: [{"headers": {}, "params": {}, "query": {}, "body": one, "webhookUrl": "x"}],
    "zapier": lambda one: {"id": "1", "querystring": {}, "raw_body": text(one)},
    "webhook.site": lambda one: {"data": [{"uuid": "1", "method": "POST", "content": text(one)}], "total": 1},
    "svix": lambda one: {
        "data": [{"eventType": "mail.hook", "payload": one, "timestamp": "x"}],
        "done": True,
    },
    "odata": lambda one: {"@odata.context": "x", "value": [{"id": 1, "content": text(one)}]},
    "har": lambda one: {
        "log": {"entries": [{"request": {"method": "POST", "postData": {"text": text(one)}}}]}
    },
    "mongodb": lambda one: {
        "_id": {"$oid": "65"},
        "receivedAt": {"$date": "2026-03-10T08:15:21Z"},
        "event": one,
    },
    "segment": lambda one: {"type": "track", "event": "Mail Event", "properties": one, "messageId": "s"},
    "airbyte": lambda one: {"_airbyte_ab_id": "1", "_airbyte_emitted_at": 1, "_airbyte_data": one},
    "text in text in text": lambda one: {"data": text(text(text(one)))},
}


def table(*columns: str) -> Callable[[Any], bytes]:
    def make(one: Any) -> bytes:
        out = io.StringIO()
        rows = csv.writer(out)
        rows.writerow(columns)
        rows.writerow([text(one) if name == "payload" else f"{name} of it" for name in columns])
        return out.getvalue().encode()

    return make


#: What is no JSON around JSON: each gives the content of a file.
FILES: dict[str, Callable[[Any], bytes]] = {
    "a column": table("payload"),
    "the last column": table("id", "received_at", "payload"),
    "a column among others": table("id", "payload", "exception", "created_at"),
    "python logging": lambda one: (
        f"2026-03-10 08:15:21,481 INFO [mail.webhook] received {text(one)}\n".encode()
    ),
    "syslog": lambda one: f"Mar 10 08:15:21 web1 mailhook[812]: {text(one)}\n".encode(),
    "syslog, RFC 5424": lambda one: f"<165>1 2026-03-10T08:15:21Z web1 hook 8 ID47 - {text(one)}\n".encode(),
    "heroku": lambda one: f"2026-03-10T08:15:21.481+00:00 app[web.2]: {text(one)}\n".encode(),
    "laravel": lambda one: f"[2026-03-10 08:15:21] production.INFO: Webhook {text(one)} []\n".encode(),
    "kubernetes": lambda one: f"2026-03-10T08:15:21.48Z stdout F {text(one)}\n".encode(),
    "nginx": lambda one: (
        f'192.0.2.1 - - [10/Mar/2026:08:15:21 +0000] "POST /hook" body={text(text(one))}\n'.encode()
    ),
    "python's notation": lambda one: f"2026-03-10 08:15:21 INFO hook: {one!r}\n".encode(),
    "python's notation alone": lambda one: f"{one!r}\n".encode(),
}

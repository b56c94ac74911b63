"""The bundled samples: made by their script, whole, free of real people, and counted right."""

from __future__ import annotations

import csv
import gzip
import ipaddress
import json
import re
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from bounceanalytics import schema
from bounceanalytics.loading import Load, load

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ADDRESS = re.compile(r"[\w.+-]+@[\w.-]+\.[a-z]{2,}")
RESERVED = re.compile(r"@([\w-]+\.)*(example|example\.(com|org|net))$", re.IGNORECASE)
IPV6 = re.compile(r"(?<![\w:])[0-9a-f:]+::[0-9a-f:]*")
IPV4 = re.compile(r"(?<![\w./-])\d{1,3}(?:\.\d{1,3}){3}(?![\w.])")
DOCUMENTATION = tuple(
    map(ipaddress.ip_network, ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32"))
)


def unpacked(path: Path) -> bytes:
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


@pytest.fixture(scope="module")
def expected(samples: Path) -> dict[str, Any]:
    return json.loads((samples / "expected.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def story(samples: Path) -> list[dict[str, str]]:
    with (samples / "story.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def mailing_list(samples: Path) -> list[dict[str, str]]:
    with (samples / "list.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


@pytest.fixture(scope="module")
def made_anew(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("samples")
    subprocess.run(
        [sys.executable, root / "scripts" / "make_samples.py", "--into", folder],
        check=True,
        capture_output=True,
    )
    return folder


def test_script_writes_the_same_files(samples: Path, made_anew: Path) -> None:
    assert files(made_anew) == files(samples)
    # packed bytes depend on the zlib at hand, what is in them does not
    assert [name for name in files(samples) if unpacked(samples / name) != unpacked(made_anew / name)] == []


def test_packed_files_carry_no_time_or_name(samples: Path) -> None:
    for path in samples.rglob("*.gz"):
        header = path.read_bytes()[:8]
        assert header[3] == 0, f"{path.name} holds a file name"
        assert header[4:8] == bytes(4), f"{path.name} holds a time"


def test_size(samples: Path, expected: dict[str, Any]) -> None:
    assert sum(path.stat().st_size for path in samples.rglob("*") if path.is_file()) <= 4 * 1024 * 1024
    assert 11_000 <= expected["totals"]["rows"] <= 13_000
    assert len({file["form"] for file in expected["files"].values()}) >= 12


def test_expectations_add_up(samples: Path, expected: dict[str, Any]) -> None:
    assert sorted(expected["files"]) == files(samples / "exports")
    for name, file in expected["files"].items():
        assert sum(file["events"].values()) == file["rows"], name
        assert set(file["events"]) <= set(schema.EVENTS), name
        assert file["rows"] >= file["records"] - file["ignored"] - file["rejected"], name
        assert file["repeats"] <= file["rows"], name
    totals = expected["totals"]
    for count in ("records", "ignored", "rejected", "rows", "repeats"):
        assert totals[count] == sum(file[count] for file in expected["files"].values()), count
    assert sum(totals["events"].values()) == totals["rows"]


# A second reader, written without the first: the simplest thing that understands each form.


def concatenated(text: str) -> Iterator[Any]:
    """Yield JSON values that stand one after another; skip to the next object where there is something else."""
    decoder, at = json.JSONDecoder(), 0
    while at < len(text):
        if text[at] not in "{[":
            following = re.compile(r"[{\[]").search(text, at)
            broken = text[at : following.start() if following else len(text)]
            at += len(broken)
            if broken.strip():
                yield broken
            continue
        try:
            value, at = decoder.raw_decode(text, at)
        except json.JSONDecodeError:
            yield text[at:]
            return
        yield value


def json_lines(text: str) -> Iterator[Any]:
    for line in text.splitlines():
        try:
            yield json.loads(line)
        except json.JSONDecodeError:
            yield line


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(text.splitlines(keepends=True)))


def plain_records(name: str, text: str) -> list[Any]:
    """Return the records of a file."""
    if name.endswith(".csv"):
        return table(text)
    if ".ndjson" in name:
        return list(json_lines(text))
    if "suppressed_destinations" in name:
        return [item for page in concatenated(text) for item in page["SuppressedDestinationSummaries"]]
    if "eventbridge" in name:
        return list(concatenated(text))
    if name.startswith("mailgun/"):
        return json.loads(text)["items"]
    return [event for post in concatenated(text) for event in post]


SES_EVENTS = {
    "Delivery": ("delivered", lambda r: r["delivery"]["recipients"]),
    "Bounce": ("bounced", lambda r: [x["emailAddress"] for x in r["bounce"]["bouncedRecipients"]]),
    "Complaint": (
        "complained",
        lambda r: [x["emailAddress"] for x in r["complaint"]["complainedRecipients"]],
    ),
    "DeliveryDelay": (
        "deferred",
        lambda r: [x["emailAddress"] for x in r["deliveryDelay"]["delayedRecipients"]],
    ),
    "Open": ("opened", lambda r: r["mail"]["destination"]),
    "Click": ("clicked", lambda r: r["mail"]["destination"]),
    "Subscription": ("unsubscribed", lambda r: r["mail"]["destination"]),
    "Reject": ("rejected", lambda r: r["mail"]["destination"]),
}
SENDGRID_EVENTS = {
    "bounce": "bounced",
    "open": "opened",
    "click": "clicked",
    "spamreport": "complained",
    "unsubscribe": "unsubscribed",
}


def ses_rows(record: dict[str, Any]) -> list[tuple[str, str]] | str:
    if record.get("Type") == "SubscriptionConfirmation":
        return "ignored"
    if "Message" in record:
        if not record["Message"].startswith("{"):
            return "ignored"
        record = json.loads(record["Message"])
    if "detail" in record:
        if not record["detail-type"].startswith("Email "):
            return "ignored"
        record = record["detail"]
    event, recipients = SES_EVENTS[record.get("eventType") or record["notificationType"]]
    not_tried = {"OnAccountSuppressionList", "UnsubscribedRecipient"}
    if record.get("bounce", {}).get("bounceSubType") in not_tried:
        event = "dropped"
    return [(event, address) for address in recipients(record)]


def sendgrid_rows(record: dict[str, Any]) -> list[tuple[str, str]] | str:
    if record["event"] == "account_status_change":
        return "ignored"
    return [(SENDGRID_EVENTS.get(record["event"], record["event"]), record["email"])]


def mailgun_rows(record: dict[str, Any]) -> list[tuple[str, str]] | str:
    event = record.get("event-data", record)
    if not isinstance(event, dict):
        return "rejected"
    kind = event["event"]
    if kind == "failed":
        suppressed = event["reason"].startswith("suppress-")
        kind = "dropped" if suppressed else "deferred" if event["severity"] == "temporary" else "bounced"
    return [(kind, event["recipient"])]


EVENT_ROWS = {"sendgrid": sendgrid_rows, "ses": ses_rows, "mailgun": mailgun_rows}


def plain_rows(name: str, record: Any) -> list[tuple[str, str]] | str:
    """Return (event, recipient) of a record, or what became of it."""
    if not isinstance(record, dict):
        return "rejected"
    for key in ("email", "address", "EmailAddress"):
        if key in record and "event" not in record:
            return [("suppressed", record[key])]
    return EVENT_ROWS[name.partition("/")[0]](record)


@pytest.fixture(scope="module")
def read_plainly(samples: Path) -> dict[str, list[list[tuple[str, str]] | str]]:
    exports = samples / "exports"
    return {
        name: [plain_rows(name, record) for record in plain_records(name, unpacked(exports / name).decode())]
        for name in files(exports)
    }


def test_expectations_hold(
    expected: dict[str, Any], read_plainly: dict[str, list[list[tuple[str, str]] | str]]
) -> None:
    for name, fates in read_plainly.items():
        rows = [row for fate in fates if not isinstance(fate, str) for row in fate]
        found = {
            "records": len(fates),
            "ignored": fates.count("ignored"),
            "rejected": fates.count("rejected"),
            "rows": len(rows),
            "events": dict(Counter(event for event, _ in rows)),
        }
        assert found == {key: expected["files"][name][key] for key in found}, name


def test_list(
    mailing_list: list[dict[str, str]], story: list[dict[str, str]], expected: dict[str, Any]
) -> None:
    addresses = [
        row["email"].lower() for row in mailing_list if ADDRESS.fullmatch(on_the_wire(row["email"]).lower())
    ]
    verdicts = {row["address"].lower(): row["verdict"] for row in story}
    assert expected["list"] == {
        "rows": len(mailing_list),
        "unreadable": len(mailing_list) - len(addresses),
        "repeated": len(addresses) - len(set(addresses)),
        "addresses": len(set(addresses)),
        "verdicts": dict(Counter(verdicts.get(address, "keep") for address in set(addresses))),
    }
    assert 3 <= expected["list"]["unreadable"] <= 5
    assert expected["list"]["repeated"] >= 3
    notes = "".join(row["note"] for row in mailing_list)
    assert {",", '"', "\n", "é", "ß"} <= set(notes)


def on_the_wire(address: str) -> str:
    local, _, domain = address.rpartition("@")
    try:
        return f"{local}@{domain.encode('idna').decode()}"
    except UnicodeError:
        return address


def test_story(
    story: list[dict[str, str]],
    mailing_list: list[dict[str, str]],
    read_plainly: dict[str, list[list[tuple[str, str]] | str]],
) -> None:
    listed = {row["email"].lower() for row in mailing_list}
    told = {
        address
        for fates in read_plainly.values()
        for fate in fates
        if not isinstance(fate, str)
        for _, address in fate
    }
    addresses = [row["address"].lower() for row in story]
    assert len(addresses) == len(set(addresses))
    assert {row["verdict"] for row in story} == {"remove", "hold", "keep"}
    assert {row["reason"] for row in story} <= {*schema.DECISION_REASONS, ""}
    for row in story:
        assert on_the_wire(row["address"]) in told, row["case"]
        assert (row["address"].lower() in listed) == (row["case"] != "not_on_list"), row["case"]
        assert set(row["provider"].split("+")) <= set(schema.PROVIDERS), row["case"]
    strangers = told - {on_the_wire(row["email"]) for row in mailing_list}
    assert len(strangers) == sum(row["case"] == "not_on_list" for row in story)


def test_nobody_is_real(samples: Path) -> None:
    for name in files(samples):
        text = unpacked(samples / name).decode()
        addresses = set(ADDRESS.findall(text))
        assert not {address for address in addresses if not RESERVED.search(address.strip("."))}, name
        numbers = {ipaddress.ip_address(number) for number in IPV4.findall(text) + IPV6.findall(text)}
        assert not {number for number in numbers if not any(number in net for net in DOCUMENTATION)}, name


def test_readme_names_every_file_and_case(samples: Path, story: list[dict[str, str]]) -> None:
    text = (samples / "README.md").read_text(encoding="utf-8")
    assert [name for name in files(samples / "exports") if f"`{name}`" not in text] == []
    assert [case for case in {row["case"] for row in story} if f"`{case}`" not in text] == []


@pytest.fixture(scope="module")
def with_repeats(samples: Path) -> Load:
    return load(samples / "exports", deduplicate=False)


def test_loader_counts_what_is_expected(with_repeats: Load, expected: dict[str, Any]) -> None:
    counts = with_repeats.files.set_index("source")[["records", "ignored", "rejected", "rows"]]
    assert counts.astype(object).to_dict("index") == {
        name: {count: file[count] for count in counts.columns} for name, file in expected["files"].items()
    }


def test_loader_finds_the_events_expected(with_repeats: Load, expected: dict[str, Any]) -> None:
    found = with_repeats.events.groupby(["source", "event"], observed=True).size()
    assert found.to_dict() == {
        (name, event): count
        for name, file in expected["files"].items()
        for event, count in file["events"].items()
    }


def test_loader_leaves_repeats_out(loaded: Load, expected: dict[str, Any]) -> None:
    assert loaded.duplicates.rows == expected["totals"]["repeats"]

"""Who answers is not what is said: the name of a host changes no verdict."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest

from bounceanalytics.classifying.classify import classify_text
from bounceanalytics.classifying.texts import masked, normal_form

TEXTS = [
    json.loads(line)["text"]
    for line in (Path(__file__).parents[1] / "knowledge" / "verdicts.jsonl").read_text("utf-8").splitlines()
][::4]

WRAPPERS = (
    "host {host}[192.0.2.34] said: {text} (in reply to RCPT TO command)",
    "SMTP error from remote mail server after RCPT TO:<kim@example.com>: host {host} [192.0.2.34]: {text}",
    "Remote server at {host} (192.0.2.34) returned: {text}",
    "{text} ... while talking to {host}.:",
)
#: Names that sound like a reason.
MISLEADING = (
    "mx10.mailspamprotection.example",
    "unknown.example.org",
    "full.example.org",
    "blocked-ips.example.net",
    "virus-scan.example.org",
    "relay3.example.org",
    "mta5.hostingdns.example",
    "greylist.example",
    "no-such-user.example",
    "dnsbl-relay.example.org",
    "disabled.example",
    "timeout.example.net",
)


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_no_name_of_a_host_changes_a_verdict(wrapper: str) -> None:
    def said(hosts: list[str]) -> list[list[str]]:
        found = classify_text(
            [wrapper.format(host=host, text=text) for host, text in zip(hosts, TEXTS, strict=True)]
        )
        return found[["rule", "reason", "action"]].astype("str").values.tolist()

    plain = said(["mx1.example.com"] * len(TEXTS))
    # each text meets another name in each round, and in each wrapper
    for turn in range(3):
        first = 3 * WRAPPERS.index(wrapper) + turn
        hosts = [MISLEADING[(first + number) % len(MISLEADING)] for number in range(len(TEXTS))]
        told = zip(hosts, TEXTS, said(hosts), plain, strict=True)
        assert [(host, text) for host, text, found, wanted in told if found != wanted] == []


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("host mx.spamguard.example[192.0.2.7] said: no such user", "no such user"),
        ("connect to dnsbl-relay.example.org[192.0.2.36]:25: refused", "connect to x.xx[0]:25: refused"),
        ("listed at zen.spamhaus.org", "listed at zen.spamhaus.org"),
        ("see https://help.example.org/full", "see https://help.example.org/full"),
        ("RESOLVER.ADR.RecipNotFound; not found", "resolver.adr.recipnotfound; not found"),
        ("domain corp.example unknown, a.b.example too", "domain x.xx unknown, x.xx too"),
        ("version 2.1 of 3.4.5", "version 2.1 of 3.4.5"),
    ],
)
def test_what_the_rules_see(text: str, seen: str) -> None:
    assert masked(normal_form(pa.array([text], pa.large_string())))[0].as_py() == seen

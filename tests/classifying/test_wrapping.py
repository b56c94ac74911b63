"""Whatever is put around a reply, whoever answers and whomever it is about: reason and action stay as they were.

Every labelled text that begins with a reply code is wrapped some times over, by chance but the same way each run.
"""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from bounceanalytics.classifying.classify import classify_text
from bounceanalytics.classifying.texts import read_texts

ROOT = Path(__file__).parents[2]
OURS = sorted((ROOT / "data" / "scoreboard").glob("*.jsonl"))
OTHERS = sorted((ROOT.parent / "shared" / "corpus").glob("*.jsonl"))
ROUNDS = 2

#: For replies to RCPT TO, which say the same as replies alone.
WRAPPERS = (
    "{text}",
    "smtp; {text}",
    "Diagnostic-Code: smtp;{text}",
    "host {host}[192.0.2.34] said: {text} (in reply to RCPT TO command)",
    "<{address}>: host {host}[192.0.2.34]:25 said: {text} (in reply to RCPT TO command)",
    "X-Postfix; host {host}[192.0.2.34] said: {text} (in reply to RCPT T",
    "SMTP error from remote mail server after RCPT TO:<{address}>: host {host} [192.0.2.34]: {text}",
    "host {host} [192.0.2.34] SMTP error from remote mail server after RCPT TO:<{address}>: {text}",
    "<{address}>: 192.0.2.34 does not like recipient. Remote host said: {text} Giving up on 192.0.2.34.",
    "... while talking to {host}.: >>> RCPT To:<{address}> <<< {text}",
    "{text} ... while talking to {host}.:",
    "Remote Server at {host} (192.0.2.34) returned '{text}'",
    "Remote server returned '{text}'",
    "Remote server at {host} (192.0.2.34) returned: {text}",
    "It was rejected by {host}. [192.0.2.34]. The error that the other server returned was: {text}",
    "Your message to {address} came back. The response from the remote server was: {text}",
    "Remote host said: {text} [RCPT_TO]",
)
#: Names that sound like a reason, or like somebody else's server.
HOSTS = (
    "mx1.example.com",
    "mx10.mailspamprotection.com",
    "unknown.example",
    "mta5.am0.yahoodns.net",
    "mx-full.example",
    "blocked.example",
    "dns1.hoster.example",
    "spamhaus-mirror.example.org",
    "quota.example",
    "virus-scan.example",
    "no-such-user.example",
    "greylist.example",
    "mail.disabled.example",
    "timeout.example.net",
    "policy.relay.example",
)
ADDRESSES = (
    "kim@example.com",
    "user.unknown@full.example",
    "spam@blocked.example",
    "mailbox-disabled+quota=5.1.1@example.org",
)


def bare(paths: list[Path]) -> list[dict[str, str]]:
    """Return the texts that are a reply and nothing else."""
    rows = [json.loads(line) for path in paths for line in path.read_text("utf-8").splitlines()]
    rows = [row for row in rows if re.match(r"[245]\d\d[ -]", row["text"])]
    found = read_texts(pa.array([row["text"] for row in rows], pa.large_string()))
    alone = pc.equal(found.line, found.reply).to_pylist()
    return [row for row, kept in zip(rows, alone, strict=True) if kept]


def judged(rows: list[dict[str, str]], texts: list[str]) -> list[list[str]]:
    # where no domain is known, the host may tell whose rules hold
    found = classify_text(
        texts,
        reply_code=[row.get("reply_code") for row in rows],
        enhanced_code=[row.get("enhanced_code") for row in rows],
        domain=[row.get("domain", "example.com") for row in rows],
    )
    return found[["reason", "action"]].astype("str").values.tolist()


@pytest.mark.parametrize(
    "paths",
    [
        pytest.param(OURS, id="ours"),
        pytest.param(OTHERS, id="others", marks=pytest.mark.skipif(not OTHERS, reason="no such texts here")),
    ],
)
def test_nothing_around_a_reply_changes_the_verdict(paths: list[Path]) -> None:
    rows = bare(paths)
    assert len(rows) > 300
    plain = judged(rows, [row["text"] for row in rows])
    chance = random.Random(7)  # noqa: S311 - no secret
    changed = []
    for _ in range(ROUNDS):
        texts = [
            chance.choice(WRAPPERS).format(
                text=row["text"], host=chance.choice(HOSTS), address=chance.choice(ADDRESSES)
            )
            for row in rows
        ]
        verdicts = zip(texts, plain, judged(rows, texts), strict=True)
        changed += [(text, before, after) for text, before, after in verdicts if before != after]
    assert changed == []

"""The verbs for addresses on the command line: deciding, cleaning, undoing, suppressing, and the ledger."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from bounceanalytics.deciding import Policy
from tests.cli.test_cli import run, sentence


def test_decide(exports: Path, tmp_path: Path) -> None:
    target = tmp_path / "verdicts.parquet"
    result = run("decide", exports, "--out", target)
    assert result.exit_code == 0, result.output
    verdicts = pd.read_parquet(target)
    counts = verdicts["verdict"].astype("str").value_counts()
    assert (
        f"{counts['remove']:,} to remove, {counts['hold']:,} to hold, {counts['keep']:,} to keep"
        in result.output
    )
    assert "@" not in result.output
    later = run("decide", exports, "--at", "2027-06-01")
    assert f"{counts['hold']:,} to hold" not in later.output  # holds of full mailboxes are over by then
    assert "must be a time" in sentence(run("decide", exports, "--at", "soon"))


def test_decide_says_whom_the_list_of_the_esp_keeps_mail_from(tmp_path: Path) -> None:
    said = [
        {
            "event": "bounce",
            "type": "bounce",
            "status": "5.2.2",
            "reason": "552 5.2.2 mailbox is over its quota",
        },
        {"event": "dropped", "reason": "Bounced Address"},
    ]
    records = [
        {
            "email": "kim@example.com",
            "timestamp": 1_773_130_520 + day,
            "sg_event_id": f"e{day}",
            "sg_message_id": f"m{day}",
        }
        | one
        for day, one in enumerate(said)
    ]
    (tmp_path / "events.json").write_text(json.dumps(records))
    shown = " ".join(run("decide", tmp_path / "events.json").output.split())
    assert "SendGrid drops mail to 1 that are kept or held: 1 for mailbox full." in shown
    assert (
        run(
            "suppress", tmp_path / "events.json", "--for", "sendgrid", "--off", "--out", tmp_path / "off"
        ).exit_code
        == 0
    )
    assert (tmp_path / "off").read_text() == '{"emails":["kim@example.com"]}\n'


def test_a_policy_of_ones_own(samples: Path, exports: Path, tmp_path: Path) -> None:
    printed = run("policy", "klaviyo")
    (tmp_path / "ours.toml").write_text(
        printed.output.replace('system_full = "remove"', 'system_full = "hold"')
    )
    assert Policy.load(tmp_path / "ours.toml").system_full == "hold"
    compared = run("policies", exports, "--policy", tmp_path / "ours.toml", "--policy", "default")
    assert "several policies" not in compared.output
    assert compared.exit_code == 0, compared.output
    assert "klaviyo" in compared.output
    (tmp_path / "bad.toml").write_text("[soft]\nremove_after = 0\nfoo = 1\n")
    message = sentence(run("decide", exports, "--policy", tmp_path / "bad.toml"))
    assert "soft.foo" in message
    assert "soft.remove_after is 0" in message
    assert "there is no policy called 'x'" in sentence(
        run("clean", samples / "list.csv", samples, "--policy", "x")
    )


def test_rows_come_back(samples: Path, cleaned: Path, tmp_path: Path) -> None:
    result = run("restore", cleaned / "default", "--out", tmp_path / "back.csv")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "back.csv").read_bytes() == (samples / "list.csv").read_bytes()
    result = run(
        "restore", cleaned / "default", "--out", tmp_path / "full.csv", "--reason", "system_full", "--only"
    )
    rows = json.loads((cleaned / "default" / "manifest.json").read_text(encoding="utf-8"))["reasons"]
    (expected,) = [row["rows"] for row in rows if row["reason"] == "system_full" and row["part"] == "removed"]
    assert len(pd.read_csv(tmp_path / "full.csv")) == expected
    some = run(
        "restore", cleaned / "default", "--out", tmp_path / "some.csv", "--since", "2026-11-01", "--only"
    )
    assert some.exit_code == 0, some.output
    assert 0 < len(pd.read_csv(tmp_path / "some.csv")) < 300
    assert "overwrite" in sentence(run("restore", cleaned / "default", "--out", tmp_path / "full.csv"))
    assert "manifest" in sentence(run("restore", tmp_path, "--out", tmp_path / "x.csv"))


def test_who_moved(cleaned: Path, tmp_path: Path) -> None:
    result = run("diff", cleaned / "default", cleaned / "strict", "--out", tmp_path / "moved.csv")
    assert result.exit_code == 0, result.output
    moved = pd.read_csv(tmp_path / "moved.csv")
    assert f"{len(moved):,} moved" in result.output
    assert set(moved["part_after"]) == {"removed", "held"}
    assert "@" not in result.output
    assert "0 moved" in run("diff", cleaned / "strict", cleaned / "strict").output


def test_storms_and_recovery(exports: Path) -> None:
    result = run("storms", exports)
    assert result.exit_code == 0, result.output
    assert "0 storms" in result.output
    result = run("recovery", exports)
    assert result.exit_code == 0, result.output
    assert "mailbox_full" in result.output


def test_suppression_files_and_back(samples: Path, exports: Path, tmp_path: Path) -> None:
    for target, name in (("ses-json", "s.jsonl"), ("klaviyo", "suppress_k.csv"), ("hashed", "h.csv")):
        result = run("suppress", exports, "--for", target, "--out", tmp_path / name)
        assert result.exit_code == 0, result.output
    assert run("load", tmp_path / "suppress_k.csv").exit_code == 0
    off = run("suppress", exports, "--for", "ses", "--out", tmp_path / "off.csv", "--off")
    assert off.exit_code == 0, off.output
    assert "takes addresses off" in sentence(
        run("suppress", exports, "--for", "plain", "--out", tmp_path / "p.txt", "--off")
    )
    matched = run("match", samples / "list.csv", tmp_path / "h.csv", "--out", tmp_path / "matched")
    assert matched.exit_code == 0, matched.output
    rows = json.loads((tmp_path / "matched" / "manifest.json").read_text(encoding="utf-8"))["rows"]
    with (tmp_path / "h.csv").open() as lines:
        assert 0 < rows["removed"] <= sum(1 for _ in lines) - 1
    assert "another salt" in sentence(
        run("match", samples / "list.csv", tmp_path / "h.csv", "--salt", "x", "--out", tmp_path / "m2")
    )


def test_exports_that_cannot_be_read_make_no_ledger(exports: Path, tmp_path: Path) -> None:
    path, unread = tmp_path / "s.db", tmp_path / "a.csv"
    unread.write_text("colour,size\nred,1\n")
    for verb in (("update", path, unread), ("add", path, "ann", "--reason", "rival", "--why", "a rival")):
        assert sentence(run("ledger", *verb))
        assert [file.name for file in tmp_path.iterdir()] == ["a.csv"]
    assert run("ledger", "update", path, exports).exit_code == 0
    before = path.read_bytes()
    assert sentence(run("ledger", "update", path, unread))
    assert path.read_bytes() == before


def test_the_ledger(samples: Path, exports: Path, tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    assert "does not exist" in sentence(run("ledger", "due", path))
    first = run("ledger", "update", path, exports, "--run", "November")
    assert first.exit_code == 0, first.output
    added = int(first.output.split("added")[1].split()[0])
    assert added > 50
    again = run("ledger", "update", path, exports)
    assert f"{added}  as they were" in again.output
    assert "entries are due" in run("ledger", "due", path, "--date", "2027-06-01").output
    domains = run("ledger", "domains", path)
    assert "northquay.example" in domains.output
    assert "takes mail again" in " ".join(domains.output.split())
    story = pd.read_csv(samples / "story.csv", keep_default_na=False)
    address = story.loc[(story["verdict"] == "remove") & (story["reason"] == "unknown_user"), "address"].iloc[
        0
    ]
    assert "1 of 1 addresses erased" in run("ledger", "forget", path, address).output
    assert address.encode() not in path.read_bytes()
    assert "1 of 1 addresses lifted" in run("ledger", "lift", path, address, "--why", "asked to").output
    assert "1 lifted" not in run("ledger", "news", path, "--since", "November").output  # new, and gone again
    typed = ["ledger", "add", path, "ann@example.com", "--reason", "rival", "--why", "a rival"]
    assert "1 addresses entered" in run(*typed).output
    news = run("ledger", "news", path, "--addresses", "--out", tmp_path / "news.csv")
    assert "added" in news.output
    assert "ann@example.com" in pd.read_csv(tmp_path / "news.csv")["address"].tolist()
    assert "nothing has changed" in run("ledger", "news", path, "--since", "2099-01-01").output
    export = ["ledger", "export", path, "--for", "plain", "--out", tmp_path]
    assert "known by their hash only" not in run(*export).output
    assert "overwrite" in sentence(run(*export))
    assert "ann@example.com" in (tmp_path / "suppress-plain.csv").read_text()
    (tmp_path / "list.csv").write_text("email\nann@example.com\nnobody@example.com\n")
    cleaned = run("clean", tmp_path / "list.csv", "--ledger", path, "--out", tmp_path / "c")
    assert cleaned.exit_code == 0, cleaned.output
    assert "In the ledger s.db" in (tmp_path / "c" / "removed.csv").read_text()
    both = run(
        "clean", tmp_path / "list.csv", exports, "--ledger", path, "--out", tmp_path / "c", "--overwrite"
    )
    assert both.exit_code == 0, both.output
    assert run("clean", tmp_path / "list.csv").exit_code == 2
    assert "does not exist" in sentence(run("clean", tmp_path / "list.csv", "--ledger", tmp_path / "no.db"))

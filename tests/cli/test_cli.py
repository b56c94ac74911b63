"""The command line: the verbs of the package, sentences instead of tracebacks, nothing overwritten unasked."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner, Result

import bounceanalytics as ba
from bounceanalytics.cli import main


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def sentence(result: Result) -> str:
    """Return the message of a failed command; it must be one line and no traceback."""
    assert result.exit_code in {1, 2}, result.output
    assert "Traceback" not in result.output
    lines = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    assert len(lines) == 1
    return lines[0]


def test_load_shows_files_and_writes_events_and_rejects(few: Path, tmp_path: Path) -> None:
    target, rejects = tmp_path / "events.parquet", tmp_path / "rejects.csv"
    result = run("load", few, "--out", target, "--rejects", rejects)
    assert result.exit_code == 0, result.output
    for provider in ("sendgrid", "ses", "mailgun"):
        assert provider in result.output
    events, loaded = pd.read_parquet(target), ba.load(few)
    assert len(events) == len(loaded.events) > 1_000
    assert f"{len(events):,} rows written" in result.output
    assert len(pd.read_csv(rejects)) == len(loaded.rejects) > 0


def test_convert_writes_a_dataset_that_the_other_verbs_take(samples: Path, few: Path, tmp_path: Path) -> None:
    target = tmp_path / "events.parquet"
    result = run("convert", few, "--out", target)
    assert result.exit_code == 0, result.output
    events = len(ba.load(few).events)
    assert f"{events:,} events" in result.output
    assert run("convert", few, "--out", target).output == result.output
    loaded = run("load", target)
    assert loaded.exit_code == 0, loaded.output
    assert f"{events:,} events from" in loaded.output
    assert "holds other things" in sentence(run("convert", samples / "exports", "--out", samples))


@pytest.mark.parametrize(
    ("zone", "advice"), [("berlin", "did you mean 'Europe/Berlin'"), ("+02:00", "give a name such as")]
)
def test_a_zone_that_is_not_known(zone: str, advice: str, few: Path) -> None:
    assert advice in sentence(run("load", few, "--timezone", zone))


def test_classify_counts_reasons(samples: Path) -> None:
    result = run("classify", samples / "exports" / "mailgun")
    assert result.exit_code == 0, result.output
    assert "system_full" in result.output


def test_report(exports: Path, tmp_path: Path) -> None:
    target = tmp_path / "r.html"
    target.write_text("mine", encoding="utf-8")
    assert "exists; pass --overwrite or choose another name" in sentence(
        run("report", exports, "--out", target)
    )
    assert target.read_text(encoding="utf-8") == "mine"
    assert run("report", exports, "--out", target, "--overwrite").exit_code == 0
    assert target.read_text(encoding="utf-8").lstrip().lower().startswith("<!doctype html")


def test_clean_adds_up(samples: Path, exports: Path, cleaned: Path) -> None:
    target = cleaned / "default"
    rows = json.loads((target / "manifest.json").read_text(encoding="utf-8"))["rows"]
    assert rows["input"] == rows["kept"] + rows["removed"] + rows["held"] + rows["unreadable"]
    assert rows["removed"] > 0
    again = run("clean", samples / "list.csv", exports, "--out", target)
    assert sentence(again).endswith("7 more exist; pass --overwrite or choose another name")


def test_a_list_in_an_archive_is_cleaned(samples: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "lists.zip", "w") as archive:
        for name in ("a.csv", "b.csv"):
            archive.write(samples / "list.csv", name)
    exports = samples / "exports" / "mailgun"
    asked = run("clean", tmp_path / "lists.zip", exports, "--out", tmp_path / "out")
    assert "holds 2 mailing lists: a.csv, b.csv; name one of them" in sentence(asked)
    done = run("clean", tmp_path / "lists.zip" / "b.csv", exports, "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert "2,497" in done.output


def test_conflicts_and_unknown_texts_are_listed(samples: Path, tmp_path: Path) -> None:
    listed = run("conflicts", samples / "exports" / "ses")
    assert listed.exit_code == 0, listed.output
    assert "none of them removes anybody" in listed.output
    assert "ESP: keep" in listed.output
    odd = tmp_path / "odd.ndjson"
    odd.write_text(
        '{"email": "a@example.com", "event": "bounce", "sg_event_id": "x", "reason": "550 Zorble wibble"}',
        "utf-8",
    )
    rules = tmp_path / "own.toml"
    assert "1 kinds of texts, 1 events" in run("unclassified", odd, "--out", rules).output
    rules.write_text(re.sub('reason = "[a-z_]+"', 'reason = "policy"', rules.read_text("utf-8")), "utf-8")
    assert "Nothing is wrong" in run("lint", rules).output
    assert "policy" in run("classify", odd, "--rules", rules).output


def test_a_mistake_in_own_rules_is_told_first(samples: Path, tmp_path: Path) -> None:
    rules = tmp_path / "own.toml"
    rules.write_text('[[rule]]\nid = "own-1"\npattern = "Zorble"\nreason = "policy"\n', "utf-8")
    assert "capital letters" in sentence(run("classify", samples / "exports", "--rules", rules))
    found = run("lint", rules)
    assert found.exit_code == 1
    assert "broken" in found.output


def test_suppress(exports: Path, tmp_path: Path) -> None:
    target = tmp_path / "suppress.csv"
    result = run("suppress", exports, "--for", "ses", "--out", target)
    assert result.exit_code == 0, result.output
    assert target.read_text(encoding="utf-8").splitlines()[0].endswith((",BOUNCE", ",COMPLAINT"))


@pytest.mark.parametrize(
    "what", [["5.3.1"], ["550", "5.3.1", "Mail", "system", "full"], ["552 5.2.2 Mailbox full"]]
)
def test_explain(what: list[str]) -> None:
    result = run("explain", *what)
    assert result.exit_code == 0, result.output
    assert "full" in result.output


def test_codes() -> None:
    result = run("codes", "--find", "5.3.1")
    assert result.exit_code == 0, result.output
    assert "Mail system full" in result.output


def test_demo(tmp_path: Path) -> None:
    result = run("demo", "--out", tmp_path / "demo")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "demo" / "report.html").exists()
    assert (tmp_path / "demo" / "cleaned" / "kept.csv").exists()
    assert "demo exists; pass --overwrite or choose another name" in sentence(
        run("demo", "--out", tmp_path / "demo")
    )


def test_no_such_file(tmp_path: Path) -> None:
    assert "nothing.json" in sentence(run("load", tmp_path / "nothing.json"))


def test_a_web_page_is_not_an_export(tmp_path: Path) -> None:
    page = tmp_path / "page.json"
    page.write_text("<!DOCTYPE html><html><body>Session expired, log in again</body></html>")
    assert "page.json" in sentence(run("load", page))


def test_unknown_code() -> None:
    assert "9.9.9" in sentence(run("explain", "9.9.9"))


def test_unknown_policy(samples: Path, exports: Path, tmp_path: Path) -> None:
    message = sentence(
        run("clean", samples / "list.csv", exports, "--policy", "gentle", "--out", tmp_path / "c")
    )
    assert "default" in message


def test_standard_input(samples: Path) -> None:
    export = next(iter(sorted((samples / "exports" / "sendgrid").glob("*.csv"))))
    result = CliRunner().invoke(main, ["load", "-"], input=export.read_bytes())
    # a suppression CSV without its name cannot say which list it is; it must still load, and say so
    assert result.exit_code == 0, result.output
    assert "sendgrid" in result.output


def test_brackets_of_a_server_are_no_markup(tmp_path: Path) -> None:
    text = "550 5.1.1 [/spam] mailbox over quota [b]"
    line = {"email": "kim@example.com", "event": "bounce", "timestamp": 1773130520, "sg_event_id": "e"}
    file = tmp_path / "e.json"
    file.write_text(json.dumps(line | {"type": "bounce", "status": "5.0.0", "reason": "550 qwx [/b7] zzz"}))
    assert "qwx [/b7] zzz" in run("unclassified", file).output
    file.write_text(json.dumps(line | {"type": "bounce", "status": "5.1.1", "reason": text}))
    assert "[/spam]" in run("conflicts", file).output


@pytest.mark.parametrize("verb", ["decide", "report", "suppress", "clean"])
def test_nothing_to_work_by_is_an_error(tmp_path: Path, verb: str) -> None:
    folder = tmp_path / "exports"
    folder.mkdir()
    (folder / "notes.txt").write_text("nothing to see\n")
    mailing = tmp_path / "list.csv"
    mailing.write_text("email\nkim@example.com\n")
    arguments = {
        "decide": [folder],
        "report": [folder, "--out", tmp_path / "report.html"],
        "suppress": [folder, "--for", "mailgun", "--out", tmp_path / "off.csv"],
        "clean": [mailing, folder, "--out", tmp_path / "cleaned"],
    }[verb]
    failed = run(verb, *arguments)
    assert failed.exit_code == 1
    assert "no events" in sentence(failed)
    assert run(verb, *arguments, "--allow-empty").exit_code == 0


@pytest.mark.filterwarnings("default")
def test_a_warning_is_a_sentence(samples: Path, tmp_path: Path) -> None:
    path = tmp_path / "cut.ndjson.gz"
    path.write_bytes((samples / "exports" / "mailgun" / "webhooks_weeks_07-09.ndjson.gz").read_bytes()[:-6])
    assert run("load", path).stderr.splitlines() == [
        f"Warning: {path} could not be read as a whole: damaged, or cut; the command load says what is missing"
    ]

"""Verbs of domains on the command line."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

import bounceanalytics as ba
from tests.cli.test_cli import run, sentence
from tests.domains.servers import NameServer

ZONE = """
well.example. 300 IN MX 10 mx.well.example.
mx.well.example. 300 IN A 8.8.8.8
nomail.example. 300 IN MX 0 .
"""


@pytest.fixture
def server() -> Iterator[NameServer]:
    with NameServer(ZONE) as one:
        yield one


@pytest.fixture
def nobody() -> str:
    """Return where no resolver is."""
    with NameServer(ZONE) as one:
        return one.address


def export(path: Path, *rows: tuple[str, str, int], begin: int = 1772445600, name: str = "zq") -> Path:
    """Write an export: domain, event, day; a bounce says that the mail system is full."""
    lines = [
        json.dumps(
            {
                "email": f"{name}{at}@{domain}",
                "event": event,
                "sg_event_id": f"{name}{domain}{at}{day}",
                "timestamp": begin + 86400 * day,
                **({"reason": "552 5.3.1 Mail system full", "status": "5.3.1"} if event == "bounce" else {}),
            }
        )
        for at, (domain, event, day) in enumerate(rows)
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


@pytest.fixture
def mistyped(tmp_path: Path) -> Path:
    """Return an export with bounces at gmial.com."""
    path = tmp_path / "export.ndjson"
    lines = [
        json.dumps(
            {
                "email": f"zq{at}@gmial.com",
                "event": "bounce",
                "sg_event_id": f"{at}",
                "timestamp": 1772445600,
                "reason": "550 5.1.2 Host unknown",
            }
        )
        for at in range(3)
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_typos_are_shown_without_addresses(mistyped: Path, tmp_path: Path) -> None:
    target = tmp_path / "typos.csv"
    result = run("domains", "typos", mistyped, "--out", target)
    assert result.exit_code == 0, result.output
    assert "gmail.com" in result.output
    assert "@" not in result.output
    assert result.output.splitlines()[-1] == "1 domain is likely a typing error: 3 addresses, 3 bounced"
    assert pd.read_csv(target)["domain"].tolist() == ["gmial.com"]
    assert "exists; pass --overwrite" in sentence(run("domains", "typos", mistyped, "--out", target))


def test_json_is_one_document(mistyped: Path, tmp_path: Path) -> None:
    listed = tmp_path / "list.csv"
    listed.write_text("email\nzq1@gmial.com\nzq@example.org\n", encoding="utf-8")
    target = tmp_path / "typos.parquet"
    result = run("domains", "typos", mistyped, "--list", listed, "--json", "--out", target)
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert [row["suggestion"] for row in told["typos"]] == ["gmail.com"]
    assert told["typos"][0]["addresses"] == 1
    assert told["summary"] == "1 domain is likely a typing error: 1 address, 3 bounced"
    assert target.is_file()


def test_nothing_found_and_nothing_given(mistyped: Path, tmp_path: Path) -> None:
    listed = tmp_path / "list.csv"
    listed.write_text("email\nzq@example.org\n", encoding="utf-8")
    result = run("domains", "typos", mistyped, "--list", listed)
    assert (result.exit_code, result.output) == (0, "no domain is likely a typing error\n")
    assert json.loads(run("domains", "typos", mistyped, "--list", listed, "--json").stdout)["typos"] == []
    assert sentence(run("domains", "typos", mistyped, "--ratio", "1"))


def test_check_sums_up_by_status(server: NameServer, tmp_path: Path) -> None:
    listed, target = tmp_path / "list.csv", tmp_path / "found.csv"
    listed.write_text("email\nzq1@well.example\nzq2@nomail.example\n", encoding="utf-8")
    result = run(
        "domains", "check", "none.example", "--list", listed, "--resolver", server.address, "--out", target
    )
    assert result.exit_code == 3, result.output
    assert result.output.splitlines()[-1] == "3 domains: 1 no_mail, 1 unknown, 1 healthy"
    assert "@" not in result.output
    assert pd.read_csv(target)["domain"].tolist() == ["none.example", "well.example", "nomail.example"]
    well = run("domains", "check", "well.example", "--resolver", server.address, "--json")
    assert well.exit_code == 0
    told = json.loads(well.stdout)
    assert (told["domains"][0]["status"], told["summary"]) == ("healthy", "1 domain: 1 healthy")
    assert "name domains" in sentence_of_usage("domains", "check")


def test_check_takes_exports_for_history(server: NameServer, tmp_path: Path) -> None:
    path = export(
        tmp_path / "export.ndjson", ("full.example", "bounce", 0), ("nomail.example", "delivered", 0)
    )
    result = run("domains", "check", "--exports", path, "--resolver", server.address, "--json")
    assert [row["domain"] for row in json.loads(result.stdout)["domains"]] == [
        "full.example",
        "nomail.example",
    ]


def sentence_of_usage(*arguments: str) -> str:
    result = run(*arguments)
    assert result.exit_code == 2
    return result.stderr


def test_without_a_network_one_sentence_and_what_is_known(nobody: str, tmp_path: Path) -> None:
    result = run("domains", "check", "well.example", "--resolver", nobody, "--timeout", "0.2")
    assert result.exit_code == 1
    assert "no name server can be reached" in sentence(result)
    assert "1 domain: 1 unknown" in result.stdout
    path = export(tmp_path / "export.ndjson", ("full.example", "bounce", 0))
    file = tmp_path / "domains.db"
    watched = run("domains", "watch", file, path, "--resolver", nobody, "--timeout", "0.2")
    assert "no name server can be reached" in sentence(watched)
    assert "full.example" in watched.stdout
    assert "0 checked, 1 changed" in watched.stdout
    assert run("domains", "due", file).exit_code == 3
    assert run("domains", "report", file).exit_code == 0


def test_watch_prints_changes_only(server: NameServer, tmp_path: Path) -> None:
    file = tmp_path / "domains.db"
    first = export(tmp_path / "first.ndjson", ("full.example", "bounce", 0), ("full.example", "bounce", 1))
    options = ("--resolver", server.address, "--timeout", "0.5")
    result = run("domains", "watch", file, first, "--also", "well.example", *options)
    assert result.exit_code == 3, result.output
    assert "full.example" in result.output
    assert "well.example" not in result.output
    assert result.output.splitlines()[-1] == "2 checked, 1 changed; watched are 2 domains: 1 full, 1 healthy"
    again = run("domains", "watch", file, first, *options)
    assert (again.exit_code, again.output) == (
        0,
        "0 checked, 0 changed; watched are 2 domains: 1 full, 1 healthy\n",
    )
    back = export(tmp_path / "second.ndjson", ("full.example", "delivered", 9))
    told = json.loads(run("domains", "watch", file, back, "--json", *options).stdout)
    assert [(row["domain"], row["before"], row["after"]) for row in told["changes"]] == [
        ("full.example", "full", "healthy")
    ]
    assert run("domains", "watch", file, "--not", "well.example", *options).exit_code == 3


def test_recovered_domains_bring_their_addresses_up_for_review(server: NameServer, tmp_path: Path) -> None:
    file, book = tmp_path / "domains.db", tmp_path / "ledger.db"
    begin = int(time.time()) - 4 * 86400
    rows = [("full.example", "bounce", 0), ("full.example", "bounce", 1)]
    full = export(tmp_path / "first.ndjson", *rows, begin=begin)
    back = export(tmp_path / "second.ndjson", ("full.example", "delivered", 3), begin=begin, name="yx")
    options = ("--resolver", server.address, "--timeout", "0.5", "--ledger", book)
    assert "does not exist" in sentence(run("domains", "watch", file, full, *options))
    run("ledger", "update", book, full)
    suppressed = len(ba.Ledger(book))
    assert "0 addresses up for review" in run("domains", "watch", file, full, *options).output
    result = run("domains", "watch", file, back, *options)
    assert f"{suppressed} addresses up for review" in result.output
    assert len(ba.Ledger(book)) == suppressed == 2
    assert "0 addresses up for review" in run("domains", "watch", file, *options).output


def test_due_and_report(server: NameServer, tmp_path: Path) -> None:
    file = tmp_path / "domains.db"
    path = export(tmp_path / "first.ndjson", ("full.example", "bounce", 0))
    for verb in ("due", "report"):
        assert "does not exist" in sentence(run("domains", verb, file))
    run("domains", "watch", file, path, "--resolver", server.address, "--timeout", "0.5")
    assert run("domains", "due", file).output == "0 of 1 domain due\n"
    later = run("domains", "due", file, "--date", "2050-01-01", "--json")
    assert later.exit_code == 3
    assert json.loads(later.stdout)["due"][0]["domain"] == "full.example"
    assert "someday" in sentence(run("domains", "due", file, "--date", "someday"))
    page, table = tmp_path / "page.html", tmp_path / "table.csv"
    told = run("domains", "report", file, "--out", page)
    assert told.exit_code == 0, told.output
    assert told.output.splitlines()[-1] == "1 domain: 1 full; 0 recovered"
    assert "full.example" in page.read_text(encoding="utf-8")
    assert "@full" not in page.read_text(encoding="utf-8")
    assert "--overwrite" in sentence(run("domains", "report", file, "--out", page))
    assert json.loads(run("domains", "report", file, "--json", "--out", table).stdout)["recovered"] == []
    assert pd.read_csv(table)["status"].tolist() == ["full"]

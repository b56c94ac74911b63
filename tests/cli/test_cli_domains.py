"""Verbs of domains on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from tests.cli.test_cli import run, sentence


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

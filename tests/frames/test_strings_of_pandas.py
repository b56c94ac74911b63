"""What an option of pandas says of texts changes no file and no value."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

import bounceanalytics as ba
from bounceanalytics.addresses import column_text

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.filterwarnings("ignore:The .future.infer_string. option is deprecated")
PROVIDERS = ("sendgrid", "ses", "mailgun", "klaviyo", "mailchimp", "hubspot", "postmark", "hashed")


def made(folder: Path) -> dict[str, Any]:
    """Return frames and files of all that is written for others."""
    folder.mkdir()
    bounces = ba.classify(ba.load(ba.samples() / "exports" / "ses").events)
    verdicts = ba.decide(bounces)
    people = "".join(f"{name}\n" for name in verdicts["address"])
    ba.clean(f"email\n{people}".encode(), verdicts, folder / "cleaned")
    (folder / "cleaned" / "manifest.json").unlink()  # tells the time
    for provider in PROVIDERS:
        ba.export_suppressions(verdicts, provider, folder / f"{provider}.out")
    with ba.Ledger(folder / "x.ledger") as ledger:
        ledger.update(verdicts)
        entries = ledger.entries()
        ledger.verdicts().to_csv(folder / "ledger.csv")
    (folder / "x.ledger").unlink()
    files = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    frames = {"bounces": bounces, "verdicts": verdicts, "entries": entries, "storms": ba.storms(bounces)}
    return {
        **files,
        **{
            name: frame.astype(object).where(frame.notna(), None).to_dict("list")
            for name, frame in frames.items()
        },
    }


def test_texts_are_the_same_whatever_pandas_makes_of_them(tmp_path: Path) -> None:
    usual = made(tmp_path / "usual")
    with pd.option_context("future.infer_string", False):
        other = made(tmp_path / "other")
    assert [name for name, content in usual.items() if other[name] != content] == []
    assert usual.keys() == other.keys()


def test_nobody_asks_pandas_for_str(root: Path) -> None:
    asked = re.compile(r"astype\(\s*(?:\"str\"|str\b)|dtype=(?:\"str\"|str\b)|: \"str\"\}")
    files = sorted((root / "bounceanalytics").rglob("*.py"))
    found = {path.name for path in files if asked.search(re.sub(r">>> .*", "", path.read_text("utf-8")))}
    assert not found, "it means what an option says: say schema.STRING"


@pytest.mark.parametrize("missing", [None, float("nan"), pd.NA])
def test_what_is_missing_in_a_column_of_objects_is_no_text(missing: object) -> None:
    addresses = pd.Series(["ann@example.com", missing], dtype=object)
    with pd.option_context("future.infer_string", False):
        assert column_text(addresses).to_pylist() == ["ann@example.com", None]

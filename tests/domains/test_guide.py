"""The table of the guide: what is said of 5.3.1, and a call for each, all of which run."""

from __future__ import annotations

import re
import shutil
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import bounceanalytics as ba
from bounceanalytics.domains import check
from bounceanalytics.domains.asking import addresses_of
from bounceanalytics.domains.registering import Registries
from tests.domains.servers import NameServer, addresses
from tests.domains.test_registering import ENDING, Fetching

GUIDE = Path(__file__).resolve().parents[2] / "bounceanalytics" / "domains" / "README.md"
ROWS = re.findall(
    r"^\| ([^|`]+) \| `(.+)` \|$", GUIDE.read_text("utf-8").partition("What is said of 5.3.1")[2], re.M
)
ZONE = """
saltworks.example. 300 IN MX 10 mx.saltworks.example.
saltworks.example. 300 IN MX 20 backup.saltworks.example.
mx.saltworks.example. 300 IN A 127.0.0.1
backup.saltworks.example. 300 IN A 10.0.0.1
"""


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return what the calls are about."""
    bounces = ba.classify(ba.load(ba.samples() / "exports" / "ses").events)
    folder = tmp_path_factory.mktemp("guide")
    shutil.copy(ba.samples() / "list.csv", folder / "list.csv")
    at_full = bounces.loc[bounces["reason"] == "system_full", "recipient"].drop_duplicates()
    people = pd.DataFrame({"customer": range(len(at_full)), "email": list(at_full)})
    others = people.assign(email=[f"other{number}@example.com" for number in people["customer"]])
    return {
        "ba": ba,
        "bounces": bounces,
        "verdicts": ba.decide(bounces),
        "full": ba.summarize_system_full(bounces),
        "people": pd.concat([people, others]),
        "monitor": ba.Monitor(folder / "domains.db"),
        "ledger": ba.Ledger(folder / "suppressions.db"),
        "folder": folder,
    }


def test_the_table_was_found() -> None:
    assert len(ROWS) >= 20


@pytest.mark.parametrize(("said", "call"), ROWS, ids=[call for _, call in ROWS])
def test_each_call_runs(said: str, call: str, names: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(names["folder"])
    registry = Fetching({"saltworks.example": (200, ENDING)})
    monkeypatch.setattr(Registries, "open", partial(Registries.open, http=registry))
    with NameServer(ZONE) as first, NameServer(ZONE) as second:
        monkeypatch.setattr(check, "addresses_of", lambda _: addresses_of(addresses(first, second)))
        found = eval(call, dict(names))  # noqa: S307 - our own page
    assert found is not None, said
    if isinstance(found, pd.DataFrame) and {"status", "explanation"} <= set(found):
        assert found["explanation"].notna().all()

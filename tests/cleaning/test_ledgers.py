"""Lists cleaned with a ledger: beside verdicts, or instead of them."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from bounceanalytics.cleaning import clean
from bounceanalytics.deciding import Policy
from bounceanalytics.errors import FrameError, PolicyError, SourceError
from bounceanalytics.suppressing import Ledger
from tests.suppressing.test_ledger import ANN, BO, CY, event, verdicts

if TYPE_CHECKING:
    from pathlib import Path

DI, ED = "di@example.com", "ed@example.com"
LIST = f"email\n{ANN}\nBO@example.net\n{CY}\n{DI}\n{ED}\n".encode()
TOLD = (
    event(0),
    event(0, "complained", recipient=BO),
    *(event(day, "bounced", "mailbox_full", recipient=CY) for day in range(3)),
    event(0, recipient=ED),
)


def parts(folder: Path) -> dict[str, dict[str, dict[str, str]]]:
    return {
        part: {
            row["email"].lower(): row
            for row in csv.DictReader((folder / f"{part}.csv").read_text().splitlines())
        }
        for part in ("kept", "removed", "held")
    }


@pytest.fixture(params=["by name", "erased", "hashed", "with a salt"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    salt = "pepper" if request.param == "with a salt" else None
    with Ledger(tmp_path / "s.db", hashed=request.param in ("hashed", "with a salt"), salt=salt) as one:
        one.update(verdicts(*TOLD))
        one.add(CY, reason="holidays", why="is away", until="2099-01-01")
        one.lift(ED, "was wrong")
        if request.param == "erased":
            one.forget([BO, ED])
        yield one


def test_a_ledger_alone(ledger: Ledger, tmp_path: Path) -> None:
    rows = clean(LIST, out=tmp_path / "out", ledger=ledger).rows
    assert {name: rows[name] for name in ("kept", "removed", "held")} == {"kept": 2, "removed": 2, "held": 1}
    found = parts(tmp_path / "out")
    assert set(found["removed"]) == {ANN, BO}
    assert set(found["kept"]) == {DI, ED}
    for row in (*found["removed"].values(), *found["held"].values()):
        assert row["evidence"].startswith("In the ledger s.db: ")
        assert row["source"].startswith("s.db")
    assert found["removed"][BO]["reason"] == "complained"
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())["evidence"]
    assert manifest["ledger"]["name"] == "s.db"


def test_a_ledger_beside_verdicts(ledger: Ledger, tmp_path: Path) -> None:
    mine = verdicts(
        event(40, recipient=DI),
        event(0, recipient=ED),  # what was lifted
        event(50, "delivered"),  # the ledger has to be told of it
        event(40, recipient=CY),
    )
    clean(LIST, mine, tmp_path / "out", ledger=ledger)
    found = parts(tmp_path / "out")
    assert {part: set(rows) for part, rows in found.items()} == {
        "kept": {ED},
        "removed": {ANN, BO, CY, DI},
        "held": set(),
    }
    assert found["removed"][DI]["source"] == "export.json"
    clean(LIST, verdicts(event(1, recipient=ED)), tmp_path / "later", ledger=ledger)
    assert ED in parts(tmp_path / "later")["removed"]


def test_a_ledger_by_path(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    with pytest.raises(SourceError, match="does not exist"):
        clean(LIST, out=tmp_path / "out", ledger=path)
    assert not path.exists()
    with Ledger(path) as one:
        one.update(verdicts(*TOLD))
    assert clean(LIST, out=tmp_path / "out", ledger=path).rows["removed"] == 3
    assert (
        clean(LIST, out=tmp_path / "out", ledger=str(path), overwrite=True).rows["held"] == 0
    )  # its day is over


def test_nothing_to_clean_by(tmp_path: Path) -> None:
    with pytest.raises(FrameError, match="give bounces, verdicts or a ledger"):
        clean(LIST)
    with Ledger(":memory:") as one:
        with pytest.raises(PolicyError, match="leave policy out"):
            clean(LIST, out=tmp_path / "out", ledger=one, policy=Policy())
        mine = verdicts(event(0))
        with pytest.raises(FrameError, match="1 addresses have more than one verdict"):
            clean(LIST, pd.concat([mine, mine]), tmp_path / "out", ledger=one)
        assert clean(LIST, mine, tmp_path / "out", ledger=one).rows["removed"] == 1

"""The whole way over the bundled samples: every planted case ends as a careful sender would have it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
import pytest

import bounceanalytics as ba
from bounceanalytics.addresses import normal_form

if TYPE_CHECKING:
    from pathlib import Path

#: Reasons that are as right as the one that the story names: the ESP's list says why it holds an address, "expired"
#: tells less than the cause within, an address that cannot be routed has no such user, and who moved left a mailbox.
AS_RIGHT = {
    ("suppressed", "unknown_user"),
    ("network", "expired"),
    ("unknown_user", "bad_domain"),
    ("moved", "mailbox_disabled"),
}


@pytest.fixture(scope="module")
def story(samples: Path, decided: pd.DataFrame) -> pd.DataFrame:
    """Return the planted cases with the verdict they got beside the verdict they should get."""
    planted = pd.read_csv(samples / "story.csv", keep_default_na=False)
    planted["address"] = normal_form(pa.array(planted["address"], pa.large_string())).to_pandas()
    verdicts = decided.astype({"verdict": "str", "reason": "str"})
    return planted.merge(verdicts, on="address", how="left", suffixes=("_planted", ""))


def test_every_planted_verdict(story: pd.DataFrame) -> None:
    assert len(story) > 600
    wrong = story[story["verdict"] != story["verdict_planted"]]
    assert wrong.groupby(["case", "verdict_planted", "verdict"]).size().to_dict() == {}


def test_reasons_of_what_is_removed_or_held(story: pd.DataFrame) -> None:
    acted = story[story["verdict_planted"] != "keep"]
    pairs = zip(acted["reason_planted"], acted["reason"], strict=True)
    other = {pair for pair in pairs if pair[0] != pair[1]}
    assert other <= AS_RIGHT


def test_nobody_else_is_removed_or_held(decided: pd.DataFrame, story: pd.DataFrame) -> None:
    acted = decided.loc[decided["verdict"] != "keep", "address"]
    assert set(acted) <= set(story["address"])


def test_full_mail_systems_are_found(bounces: pd.DataFrame) -> None:
    full = ba.summarize_system_full(bounces).set_index("domain")
    assert full["recovered"].sum() >= 1, "the hosting domain takes mail again"
    assert (~full["recovered"]).sum() >= 1, "the small one does not"


def test_the_block_is_the_senders_business(bounces: pd.DataFrame) -> None:
    blocked = bounces[(bounces["event"] == "bounced") & (bounces["reason"] == "blocked")]
    assert len(blocked) > 50
    assert set(blocked["fault"]) == {"sender"}
    assert "remove" not in set(blocked["action"])


def test_list_adds_up(samples: Path, bounces: pd.DataFrame, tmp_path: Path) -> None:
    rows = ba.clean(samples / "list.csv", bounces, tmp_path / "cleaned").rows
    assert rows["kept"] + rows["removed"] + rows["held"] + rows["unreadable"] == rows["input"]
    assert rows["unreadable"] == 5
    original = (samples / "list.csv").read_bytes()
    kept = (tmp_path / "cleaned" / "kept.csv").read_bytes()
    assert kept.splitlines()[0] == original.splitlines()[0]
    assert set(kept.splitlines()) <= set(original.splitlines())

"""A history: one gathering, one identity of addresses, and counts that add up over parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

import bounceanalytics as ba
from bounceanalytics import summaries
from bounceanalytics.database import open_database
from bounceanalytics.errors import FrameError
from bounceanalytics.history import History
from bounceanalytics.history.parts import Here, Histories
from bounceanalytics.history.responses import gather_responses
from tests.classified import classified, newsletter

if TYPE_CHECKING:
    from pathlib import Path

#: One mailbox, as three exports write it.
SPELLINGS = ("a@bücher.example", "a@xn--bcher-kva.example", "A@BÜCHER.example.")
COUNTING = [
    function
    for name in summaries.__all__
    if name.startswith("summarize_")
    and "addresses" in ba.schema.SUMMARIES[(function := getattr(summaries, name)).__name__[10:]].names
]


@pytest.fixture(scope="module")
def some(frames: dict[str, Any]) -> pd.DataFrame:
    """Return few events of every kind, and a storm."""
    return frames["bounces"]


def spelled(**more: Any) -> pd.DataFrame:
    rows = [
        {"recipient": one, "domain": "xn--bcher-kva.example", "timestamp": f"2026-03-0{day}T10:00Z"} | more
        for day, one in enumerate(SPELLINGS, start=1)
    ]
    return classified(rows)


@pytest.mark.parametrize("function", COUNTING, ids=lambda function: str(function.__name__))
def test_an_address_is_one_however_it_is_written(function: Any) -> None:
    bounces = spelled(
        reason="system_full", tags=["spring"], sending_ip="192.0.2.1", remote_host="mx.example.net"
    )
    assert len(ba.decide(bounces)) == 1
    summary = function(bounces)
    assert summary["addresses"].tolist() == [1]
    assert summary.get("bounced", summary.get("bounces")).tolist() == [3]


def test_a_message_is_one_however_its_address_is_written() -> None:
    told = ba.summarize_domains(spelled(message_id="one"))
    assert told[["attempted", "addresses"]].to_numpy().tolist() == [[1, 1]]


def test_another_mailbox_is_another_address() -> None:
    others = classified([{"recipient": f"a{tail}@example.com"} for tail in ("", "+news", ".b")])
    assert ba.summarize_domains(others)["addresses"].tolist() == [3] == [len(ba.decide(others))]


def test_an_open_history_is_asked_again_and_stays_open(some: pd.DataFrame, frames: dict[str, Any]) -> None:
    asked = {"verdicts": ba.decide, "storms": ba.storms, "incidents": ba.incidents}
    asked |= {"summarize_domains": ba.summarize_domains}
    with History.open(some) as history:
        answers = {name: function(history) for name, function in asked.items()}
        with History.open(history) as same:
            assert same is history
        pd.testing.assert_frame_equal(ba.decide(history), answers["verdicts"])
        found = ba.compare_policies(history, ["default", "ses"])
        retries = ba.retry_days(history)
    for name, answer in answers.items():
        assert len(answer)
        pd.testing.assert_frame_equal(frames[name], answer)
    pd.testing.assert_frame_equal(ba.compare_policies(some, ["default", "ses"]), found)
    pd.testing.assert_frame_equal(frames["retry_days"], retries)


def test_what_is_asked_with_other_hours_is_made_anew() -> None:
    """A delivery that comes back after 30 hours counts where so late a bounce takes nothing back."""
    late = classified(
        [
            {"recipient": "a@example.com", "event": "delivered", "message_id": "m", "timestamp": "2026-03-02T10:00Z"},
            {"recipient": "a@example.com", "message_id": "m", "timestamp": "2026-03-03T16:00Z"},
        ]
    )  # fmt: skip
    with History.open(late) as history:
        rows = []
        for hours in (120, 24, 120):
            gather_responses(history, hours)
            rows.append(len(history.table("FROM responses")))
            assert ba.storms(history, late_bounce_hours=hours).empty
    assert rows == [1, 2, 1]


def test_columns_are_gathered_once_and_when_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    calm = newsletter(weeks=1)
    asked: list[str] = []
    real = pd.DataFrame.__getitem__

    def watched(frame: pd.DataFrame, key: Any) -> Any:
        if frame is calm and isinstance(key, str):
            asked.append(key)
        return real(frame, key)

    monkeypatch.setattr(pd.DataFrame, "__getitem__", watched)
    with History.open(calm) as history:
        ba.storms(history)
        assert "recipient" not in asked
        ba.summarize(history)
        ba.decide(history)
        ba.incidents(history)
    assert len(asked) == len(set(asked))


def test_a_report_looks_for_storms_once(
    some: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[Any] = []
    real = History.count

    def counted(history: History, folder: str, name: str, *counts: str, **terms: object) -> None:
        looks.append(name)
        real(history, folder, name, *counts, **terms)

    monkeypatch.setattr(History, "count", counted)
    ba.report(some, tmp_path / "report.html", policy=ba.Policy.preset("default"))
    assert looks.count("storm_look") == 1


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> ba.Dataset:
    folder = tmp_path_factory.mktemp("dataset")
    events = ba.samples() / "exports" / "mailgun" / "bounces.csv"
    return ba.classify(ba.convert(events, folder / "events"), out=folder / "bounces")


@pytest.mark.parametrize(
    "function", [ba.decide, ba.storms, ba.summarize_domains, ba.incidents, ba.conflicts, ba.unclassified]
)
def test_a_dataset_is_gathered_as_its_frame_is(function: Any, dataset: ba.Dataset) -> None:
    pd.testing.assert_frame_equal(function(dataset), function(dataset.to_pandas()))


def test_every_wrong_column_is_named(some: pd.DataFrame) -> None:
    wrong = some.assign(reason=1, timestamp=some["timestamp"].dt.tz_localize(None), record="x", tags=1)
    with (
        History.open(wrong) as history,
        pytest.raises(FrameError, match="a classified frame is needed") as told,
    ):
        history.gather(["event", "reason", "timestamp", "record", "tags"])
    for name, kind in (
        ("reason", "int64"),
        ("timestamp", r"datetime64"),
        ("record", "str"),
        ("tags", "int64"),
    ):
        assert f"{name} is {kind}" in str(told.value)
    assert "event" not in str(told.value)
    for nothing in (None, 5, some["event"]):
        with pytest.raises(FrameError, match="expected a classified frame"):
            ba.summarize_days(nothing)  # type: ignore[arg-type]


def test_columns_that_never_had_a_value_are_fine(some: pd.DataFrame) -> None:
    bare = some.assign(tags=None, sending_ip=None, enhanced_code=None, reply_code=None)
    assert ba.summarize_tags(bare)["tag"].tolist() == ["(none)"]
    assert ba.summarize_codes(bare)["code"].unique().tolist() == ["none"]


def test_who_runs_a_domain_is_the_same_over_parts(some: pd.DataFrame) -> None:
    """Half of the events of a domain name another provider: only all parts together tell which names it more often."""
    rows = [
        {"recipient": f"a{n}@one.example", "event": "delivered", "mailbox_provider": "google" if n % 5 < 3 else "yahoo"}
        for n in range(50)
    ]  # fmt: skip
    bounces = classified(rows)
    ours = bounces.index % 5 == 2
    with History.open(bounces[ours]) as first, History.open(bounces[~ours]) as second, open_database() as own:
        Histories(own, Here([first, second])).mailboxes()
        for part in (first, second):
            found = part.table("SELECT mailbox_provider, mailbox FROM mailboxes").to_pylist()
            assert found == [{"mailbox_provider": "google", "mailbox": "google"}]

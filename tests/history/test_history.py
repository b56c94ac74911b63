"""A history: one gathering, one identity of addresses, and counts that add up over parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

import bounceanalytics as ba
from bounceanalytics import summaries
from bounceanalytics.errors import FrameError
from bounceanalytics.history import History
from bounceanalytics.history.parts import Parts
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
def letters() -> pd.DataFrame:
    return newsletter(weeks=3)


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


def test_an_open_history_is_asked_again_and_stays_open(letters: pd.DataFrame) -> None:
    with History.open(letters) as history:
        asked = [function(history) for function in (ba.decide, ba.storms, ba.incidents, ba.summarize_domains)]
        with History.open(history) as same:
            assert same is history
        pd.testing.assert_frame_equal(ba.decide(history), asked[0])
        found = ba.compare_policies(history, ["default", "ses"])
        retries = ba.retry_days(history)
    for function, frame in zip(
        (ba.decide, ba.storms, ba.incidents, ba.summarize_domains), asked, strict=True
    ):
        pd.testing.assert_frame_equal(function(letters), frame)
    pd.testing.assert_frame_equal(ba.compare_policies(letters, ["default", "ses"]), found)
    pd.testing.assert_frame_equal(ba.retry_days(letters), retries)


def test_what_is_asked_with_other_hours_is_made_anew(letters: pd.DataFrame) -> None:
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


def test_columns_are_gathered_once_and_when_needed(
    letters: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    real = pd.DataFrame.__getitem__

    def watched(frame: pd.DataFrame, key: Any) -> Any:
        if frame is letters and isinstance(key, str):
            asked.append(key)
        return real(frame, key)

    monkeypatch.setattr(pd.DataFrame, "__getitem__", watched)
    with History.open(letters) as history:
        ba.storms(history)
        assert "recipient" not in asked
        ba.summarize(history)
        ba.decide(history)
        ba.incidents(history)
    assert len(asked) == len(set(asked))


def test_a_report_looks_for_storms_once(
    letters: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[Any] = []
    real = Parts.gather
    monkeypatch.setattr(Parts, "gather", lambda parts, columns: (looks.append(columns), real(parts, columns)))
    ba.report(letters, tmp_path / "report.html", policy=ba.Policy.preset("default"))
    assert len(looks) == 1


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> ba.Dataset:
    folder = tmp_path_factory.mktemp("dataset")
    events = ba.samples() / "exports" / "mailgun" / "bounces.csv"
    return ba.classify(ba.convert(events, folder / "events"), out=folder / "bounces")


@pytest.mark.parametrize("function", [ba.decide, ba.storms, ba.summarize_domains, ba.incidents])
def test_a_dataset_is_gathered_as_its_frame_is(function: Any, dataset: ba.Dataset) -> None:
    pd.testing.assert_frame_equal(function(dataset), function(dataset.to_pandas()))


def test_every_wrong_column_is_named(letters: pd.DataFrame) -> None:
    wrong = letters.assign(reason=1, timestamp=letters["timestamp"].dt.tz_localize(None), record="x", tags=1)
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
    for nothing in (None, 5, letters["event"]):
        with pytest.raises(FrameError, match="expected a classified frame"):
            ba.summarize_days(nothing)  # type: ignore[arg-type]


def test_columns_that_never_had_a_value_are_fine(letters: pd.DataFrame) -> None:
    bare = letters.assign(tags=None, sending_ip=None, enhanced_code=None, reply_code=None)
    assert ba.summarize_tags(bare)["tag"].tolist() == ["(none)"]
    assert ba.summarize_codes(bare)["code"].unique().tolist() == ["none"]


def test_who_runs_a_domain_is_the_same_over_parts(letters: pd.DataFrame) -> None:
    """Half of the events of a domain name another provider: only all parts together tell which names it more often."""
    rows = [
        {"recipient": f"a{n}@one.example", "event": "delivered", "mailbox_provider": "google" if n % 5 < 3 else "yahoo"}
        for n in range(50)
    ]  # fmt: skip
    bounces = classified(rows)
    with History.open(bounces.iloc[2::5]) as first, History.open(bounces[bounces.index % 5 != 2]) as second:
        parts = Parts([first, second])
        parts.gather(["provider"])
        for part in parts:
            found = part.table("SELECT mailbox_provider, mailbox FROM mailboxes").to_pylist()
            assert found == [{"mailbox_provider": "google", "mailbox": "google"}]

"""Verdicts, summaries, storms, reports and clean lists of a dataset: by share as of the whole."""

from __future__ import annotations

import contextlib
import json

import pandas as pd
import pytest

import bounceanalytics as ba
from bounceanalytics.distributed import members
from bounceanalytics.errors import FrameError, PolicyError, SourceError


@pytest.fixture(scope="module")
def bounces(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dataset")
    events = ba.distributed.convert(ba.samples() / "exports" / "ses", folder / "events", partitions=3)
    return ba.distributed.classify(events, folder / "bounces")


def test_verdicts_are_those_of_one_machine(bounces):
    policy = ba.Policy.preset("ses")
    found = ba.distributed.decide(bounces, policy, at="2027-01-01")
    pd.testing.assert_frame_equal(found, ba.decide(bounces, policy, at="2027-01-01"))
    assert found.attrs["policy"] == policy.to_dict()


def test_every_summary_is_that_of_one_machine(bounces):
    found = ba.distributed.summarize(bounces, freq="W", timezone="Europe/Berlin")
    whole = ba.summarize(bounces, freq="W", timezone="Europe/Berlin")
    for name in whole.__dataclass_fields__:
        pd.testing.assert_frame_equal(getattr(found, name), getattr(whole, name), obj=name)


def test_a_report_is_that_of_one_machine(bounces, tmp_path):
    options = {"policy": ba.Policy.preset("default"), "compare": "previous", "title": "All"}
    there = ba.distributed.report(bounces, tmp_path / "there.html", **options)
    here = ba.report(bounces, tmp_path / "here.html", **options)
    assert there.read_bytes() == here.read_bytes()


@pytest.mark.slow
@pytest.mark.huge  # a report of all and a history of a period are looked at every time
def test_a_report_of_a_period(bounces, tmp_path):
    last = ba.summarize_days(bounces)["period"].max()
    options = {"period": "7D", "compare": str(last.date()), "redact": False}
    there = ba.distributed.report(bounces, tmp_path / "there.html", **options)
    assert there.read_bytes() == ba.report(bounces, tmp_path / "here.html", **options).read_bytes()
    for period in ("2001", ("2001-01-01", "2001-02-01")):
        with pytest.raises(FrameError, match=r"nothing happened in the period .*; the frame holds "):
            ba.distributed.report(bounces, tmp_path / "nothing.html", period=period)


def test_a_list_is_cleaned_as_on_one_machine(bounces, tmp_path):
    there = ba.distributed.clean(ba.samples() / "list.csv", bounces, tmp_path / "there")
    here = ba.clean(ba.samples() / "list.csv", bounces, tmp_path / "here")
    assert there.rows == here.rows
    for name in ("kept", "removed", "held"):
        file = f"{name}.csv"
        assert (tmp_path / "there" / file).read_bytes() == (tmp_path / "here" / file).read_bytes()


def test_parts_by_month_are_one_share(tmp_path):
    events = ba.convert(ba.samples() / "exports" / "mailgun", tmp_path / "events")
    bounces = ba.classify(events, out=tmp_path / "bounces")
    assert len({part.parent for part in bounces.parts}) > 1
    pd.testing.assert_frame_equal(ba.distributed.decide(bounces), ba.decide(bounces))


def test_a_dataset_without_rows(tmp_path):
    nothing = {"event": "processed", "email": "a@example.com", "timestamp": 1, "sg_event_id": "1"}
    (tmp_path / "none.jsonl").write_text(json.dumps(nothing) + "\n")
    events = ba.distributed.convert(tmp_path / "none.jsonl", tmp_path / "events", provider="sendgrid")
    bounces = ba.distributed.classify(events, tmp_path / "bounces")
    pd.testing.assert_frame_equal(ba.distributed.decide(bounces), ba.decide(bounces))


def test_what_is_wrong_is_said(bounces, tmp_path):
    with pytest.raises(SourceError, match="is no dataset"):
        ba.distributed.decide(tmp_path)
    with pytest.raises(PolicyError, match="a Policy is needed"):
        ba.distributed.decide(bounces, "default")
    events = ba.distributed.convert(ba.samples() / "exports" / "mailgun", tmp_path / "events")
    with pytest.raises(FrameError, match="classify it first"):
        ba.distributed.decide(events)


def test_one_folder_of_a_dataset(bounces):
    shares = [ba.Dataset(bounces.path, part.parent.name) for part in bounces.parts]
    assert len(shares) == 3
    assert sum(len(share) for share in shares) == len(bounces)
    assert not set(shares[0].to_pandas(["recipient"])["recipient"]) & set(
        shares[1].to_pandas(["recipient"])["recipient"].dropna()
    )


def test_a_share_of_another_dataset_is_not_taken(bounces):
    share = members._Share(str(bounces.path), "another", bounces.parts[0].parent.name, None, 0)
    with contextlib.ExitStack() as stack, pytest.raises(SourceError, match="was replaced by another dataset"):
        share.open(stack)

"""A hole in a text costs what lay in it, whoever notices it: the engine, of plain lines, or whoever opens the file."""

from __future__ import annotations

import json
import random
from itertools import pairwise

import pandas as pd
import pytest

import bounceanalytics as ba
from bounceanalytics import loading
from bounceanalytics.loading import finding
from bounceanalytics.opening import sources
from bounceanalytics.opening.encodings import FILLED_HOLE
from bounceanalytics.opening.sources import open_sources
from tests.effort import some_quick
from tests.loading.exports import array, lines, mailgun_failed, sendgrid_bounce, ses_bounce

MAKERS = {
    "sendgrid": sendgrid_bounce,
    "ses": lambda number: ses_bounce(f"x{number}@example.com", number=number),
    "mailgun": mailgun_failed,
}
COUNT = 60
_ROWS = [f"5.1.1,550 5.1.1 no {number},a{number}@example.com,1718093404" for number in range(COUNT)]
FORMS = {
    "lines": lines(*map(sendgrid_bounce, range(COUNT))),
    "array": array(*map(sendgrid_bounce, range(COUNT))),
    "table": "\n".join(["status,reason,email,created", *_ROWS, ""]).encode(),
    "table of Windows": "\r\n".join(["status,reason,email,created", *_ROWS, ""]).encode(),
}

pytestmark = pytest.mark.filterwarnings("ignore::bounceanalytics.RejectedRecordsWarning")


def with_hole(content, place, size, lost):
    return content[:place] + bytes(size) + content[place + lost :]


def holes(content, count):
    """Yield holes anywhere: short and long, in place of something or between two signs, at both ends too."""
    chance = random.Random(3)  # noqa: S311
    ends = [place for place, sign in enumerate(content) if sign == ord("\n")]
    places = [
        0,
        1,
        len(content),
        len(content) - 1,
        ends[7],
        ends[7] + 1,
        *chance.sample(range(len(content)), count),
    ]
    for place in places:
        size = chance.choice([64, 100, 4096, 70_000])
        yield place, size, chance.choice([0, 1, min(size, len(content) // 3)])


@pytest.mark.parametrize("provider", some_quick(MAKERS))
def test_holes_that_the_engine_notices_cost_what_those_cost_that_are_looked_for(
    provider, tmp_path, monkeypatch
):
    for module in (sources, finding):  # what is looked at first is filled at once
        monkeypatch.setattr(module, "HEAD_SIZE", 5_000)
    content = lines(*(MAKERS[provider](number) for number in range(COUNT)))
    path = tmp_path / "export.json"
    for hole in holes(content, 5):
        path.write_bytes(with_hole(content, *hole))
        with pytest.warns(ba.RejectedRecordsWarning, match="could not be read as a whole"):
            loaded = ba.load(path)
        with monkeypatch.context() as changed:
            changed.setattr(loading, "open_sources", lambda given, folder, **_: open_sources(given, folder))
            filled = ba.load(path)
        pd.testing.assert_frame_equal(loaded.events, filled.events, obj=f"{hole}")
        pd.testing.assert_frame_equal(loaded.rejects, filled.rejects, obj=f"{hole}")
        assert f"has {hole[1]:,} zero bytes in the place of text" in loaded.files["note"].item(), hole


@pytest.mark.parametrize("size", [64, 5_000, 300_000, 700_000])
@pytest.mark.parametrize("form", ["lines", "array", "table", "table of Windows"])
def test_a_hole_or_empty_lines_before_all_else_hide_nothing(form, size, tmp_path):
    path = tmp_path / "export"
    for blank in (bytes(size), b"\n" * size, b"\r\n" * (size // 2), b"\xef\xbb\xbf" + b" \n" * (size // 2)):
        path.write_bytes(blank + FORMS[form])
        loaded = ba.load(path)
        assert len(loaded.events) == COUNT
        assert ("zero bytes" in loaded.files["note"].item()) is (blank[:1] == b"\0")


def test_files_with_and_without_holes_are_read_together(tmp_path):
    folder = tmp_path / "exports"
    folder.mkdir()
    for number, (first, after) in enumerate(pairwise(range(0, 121, 20))):
        content = lines(*map(sendgrid_bounce, range(first, after)))
        damaged = with_hole(content, len(content) // 2 + 40, 500, 0) if number in {1, 4} else content
        (folder / f"{number}.json").write_bytes(damaged)
    loaded = ba.load(folder)
    assert loaded.files["note"].str.contains("zero bytes").tolist() == [
        False,
        True,
        False,
        False,
        True,
        False,
    ]
    assert len(loaded.events) == 118
    for _ in range(2):  # what is done already is damaged, too
        with pytest.warns(
            ba.RejectedRecordsWarning, match=r"1\.json and 1 other files could not be read as a whole"
        ):
            out = ba.convert(folder, tmp_path / "out")
    converted = ba.load(out)
    pd.testing.assert_frame_equal(converted.files, loaded.files)
    pd.testing.assert_frame_equal(converted.rejects, loaded.rejects)
    with pytest.warns(ba.RejectedRecordsWarning, match="could not be read as a whole"):
        there = ba.distributed.convert(folder, tmp_path / "there", slice_bytes=4_000, partitions=2)
    assert len(there) == 118


def test_holes_in_ranges_of_wrapped_lines(tmp_path, monkeypatch):
    for module in (sources, finding):
        monkeypatch.setattr(module, "HEAD_SIZE", 5_000)
    records = lines(*map(sendgrid_bounce, range(COUNT))).decode().splitlines()
    wrapped = b"".join(
        json.dumps({"_index": "mail", "_source": json.loads(one)}).encode() + b"\n" for one in records
    )
    path = tmp_path / "export.json"
    path.write_bytes(with_hole(wrapped, len(wrapped) // 2 + 60, 500, 0))
    here = ba.load(ba.convert(path, tmp_path / "here"))
    there = ba.load(ba.distributed.convert(path, tmp_path / "there", slice_bytes=8_000, partitions=2))
    assert here.files[["records", "loaded", "rejected"]].equals(
        there.files[["records", "loaded", "rejected"]]
    )
    assert "zero bytes" in there.files["note"].item()


@pytest.mark.filterwarnings("ignore::bounceanalytics.UnreadTimesWarning")
@pytest.mark.parametrize("form", ["array", "table"])
def test_a_hole_in_what_is_no_plain_lines(form, tmp_path):
    content = FORMS[form]
    path = tmp_path / "export"
    for place in (len(content) // 2, len(content) // 3, len(content) - 40):
        path.write_bytes(with_hole(content, place, 64, 0))
        with pytest.warns(ba.RejectedRecordsWarning, match="could not be read as a whole"):
            loaded = ba.load(path)
        assert COUNT - 2 <= len(loaded.events) <= COUNT
        assert "64 zero bytes" in loaded.files["note"].item()


def test_fewer_zeros_are_no_hole(tmp_path):
    path = tmp_path / "export.json"
    path.write_bytes(with_hole(FORMS["lines"], len(FORMS["lines"]) // 2 + 40, len(FILLED_HOLE) - 1, 0))
    loaded = ba.load(path)
    assert COUNT - 1 <= len(loaded.events) <= COUNT
    assert "zero" not in loaded.files["note"].item()

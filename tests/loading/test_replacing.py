"""A dataset that is replaced or added to: whole at any moment, whoever is killed, reads or writes meanwhile."""

from __future__ import annotations

import contextlib
import errno
import os
import random
import threading
from typing import TYPE_CHECKING

import pandas as pd
import pytest

import bounceanalytics as ba
from bounceanalytics import datasets
from bounceanalytics.history import History
from bounceanalytics.loading import converting
from tests.killing import Nursery, needs_fork
from tests.loading.exports import lines, sendgrid_bounce

if TYPE_CHECKING:
    from pathlib import Path


def write(folder: Path, *names: str, first: int = 0, number: int = 300) -> Path:
    folder.mkdir(exist_ok=True)
    for place, name in enumerate(names):
        start = first + place * number
        content = lines(*(sendgrid_bounce(one) for one in range(start, start + number)))
        (folder / name).write_bytes(content)
    return folder


def ids(dataset: ba.Dataset | Path) -> set[str]:
    frame = ba.Dataset(dataset if not isinstance(dataset, ba.Dataset) else dataset.path).to_pandas(
        ["event_id"]
    )
    assert frame["event_id"].is_unique
    return set(frame["event_id"])


PROGRAM = """
import sys
import bounceanalytics as ba

def work(name):
    if name == "convert":
        ba.convert(sys.argv[2], sys.argv[1] + "/events", overwrite=True)
    else:
        ba.classify(sys.argv[1] + "/events", out=sys.argv[1] + "/bounces", overwrite=True)
"""


@needs_fork
@pytest.mark.parametrize("work", ["convert", "classify"])
@pytest.mark.parametrize("kills", [2, pytest.param(50, marks=[pytest.mark.slow, pytest.mark.huge])])
def test_replacing_that_is_killed_leaves_the_old_one_or_the_new_one(tmp_path, work, kills):
    old, new = (
        write(tmp_path / name, "a.json", "b.json", first=first) for name, first in (("old", 0), ("new", 5000))
    )
    out = tmp_path / ("events" if work == "convert" else "bounces")
    before = ids(ba.convert(old, tmp_path / "events"))
    if work == "classify":
        ba.classify(tmp_path / "events", out=out)
        ba.convert(new, tmp_path / "events", overwrite=True)
    with Nursery(PROGRAM, tmp_path, new) as nursery:
        whole = nursery.run(work)
        after = ids(out)
        assert not before & after
        for number in range(kills):
            ba.convert(old, tmp_path / "other", overwrite=True)
            nursery.run(work, seconds=whole * (number + 0.5) / kills)
            assert ids(out) == after
    # the other way round, so that the two can be told apart
    with Nursery(PROGRAM, tmp_path, old) as nursery:
        if work == "classify":
            ba.convert(old, tmp_path / "events", overwrite=True)
        for number in range(kills):
            nursery.run(work, seconds=whole * (number + 0.5) / kills)
            assert ids(out) in (before, after)
        nursery.run(work)
        assert ids(out) == before
    assert {one.name for one in tmp_path.iterdir() if one.name.startswith(".")} == set()


def test_between_the_two_moves_the_new_one_is_there(tmp_path, monkeypatch):
    old, new = write(tmp_path / "old", "a.json"), write(tmp_path / "new", "a.json", first=1000)
    out = tmp_path / "events"
    before = ids(ba.convert(old, out))
    real, calls = type(out).rename, []

    def cut(path, target):
        calls.append(path)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(path, target)

    monkeypatch.setattr(type(out), "rename", cut)
    with pytest.raises(KeyboardInterrupt):
        ba.convert(new, out, overwrite=True)
    monkeypatch.undo()
    assert ids(out) == before  # an interrupt takes back
    new_one = tmp_path / ".events.new"  # a power cut does not
    after = ids(ba.convert(new, new_one))
    out.rename(tmp_path / ".events.old")
    assert ids(out) == after != before
    assert not {one.name for one in tmp_path.iterdir() if one.name.startswith(".")}


def test_one_of_two_that_write_is_told(tmp_path):
    exports = write(tmp_path / "exports", "a.json")
    ba.convert(exports, tmp_path / "events")
    with datasets.alone(tmp_path / "events"):
        for overwrite in (False, True):
            with pytest.raises(ba.OutputError, match="another program is writing"):
                ba.convert(exports, tmp_path / "events", overwrite=overwrite)
    with (
        datasets.alone(tmp_path / "bounces"),
        pytest.raises(ba.OutputError, match="another program is writing"),
    ):
        ba.classify(tmp_path / "events", out=tmp_path / "bounces")


def test_a_folder_that_goes_while_it_is_looked_into(tmp_path, monkeypatch):
    dataset = ba.convert(write(tmp_path / "exports", "a.json"), tmp_path / "events")

    def gone(*_):
        raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr(type(dataset.path), "glob", gone)
    with pytest.raises(ba.SourceError, match="was replaced by another dataset"):
        _ = dataset.parts


def test_who_reads_meanwhile_gets_one_whole_dataset_or_is_told(tmp_path):
    folders = [write(tmp_path / str(first), "a.json", "b.json", first=first) for first in (0, 5000)]
    out = tmp_path / "events"
    whole = [ids(ba.convert(folder, tmp_path / f"of-{folder.name}")) for folder in folders]
    ba.convert(folders[0], out)
    done = threading.Event()

    def replace():
        for number in range(12):
            ba.convert(folders[(number + 1) % 2], out, overwrite=True)
        done.set()

    writer = threading.Thread(target=replace)
    writer.start()
    found, told = 0, []
    while not done.is_set():
        try:
            assert ids(out) in whole
            found += 1
        except ba.SourceError as error:
            told.append(str(error))
    writer.join()
    assert found
    assert not [one for one in told if "read it again" not in one]


def test_what_is_asked_in_several_steps_is_asked_of_one_dataset(tmp_path):
    folders = [write(tmp_path / str(first), "a.json", first=first) for first in (0, 5000)]
    ba.convert(folders[0], tmp_path / "events")
    with History.open(ba.classify(tmp_path / "events", out=tmp_path / "bounces")) as history:
        history.gather(["event"])
        ba.convert(folders[1], tmp_path / "events", overwrite=True)
        ba.classify(tmp_path / "events", out=tmp_path / "bounces", overwrite=True)
        with pytest.raises(ba.SourceError, match="was replaced by another dataset"):
            history.gather(["recipient"])


def test_what_is_asked_is_asked_of_the_parts_that_were_there(tmp_path):
    exports = write(tmp_path / "exports", "a.json")
    events = ba.convert(exports, tmp_path / "events")
    pinned = datasets.pinned(events)
    write(exports, "b.json", first=1000)
    assert len(ba.convert(exports, tmp_path / "events")) == 600
    assert len(pinned) == len(pinned.to_pandas(["event"])) == 300


def test_other_things_in_the_folder_stay(tmp_path):
    exports = write(tmp_path / "exports", "a.json")
    out = tmp_path / "events"
    ba.convert(exports, out)
    (out / "README.md").write_text("mine", encoding="utf-8")
    (out / "raw").mkdir()
    assert len(ba.convert(write(tmp_path / "more", "c.json", "d.json"), out, overwrite=True)) == 600
    assert (out / "README.md").read_text(encoding="utf-8") == "mine"
    assert (out / "raw").is_dir()


def test_a_dataset_in_a_folder_that_cannot_be_moved(tmp_path, monkeypatch):
    exports = write(tmp_path / "exports", "a.json")
    (tmp_path / "disk" / "events").mkdir(parents=True)
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "disk" / "events", target_is_directory=True)
    for overwrite in (False, True, True):
        assert len(ba.convert(exports, link, overwrite=overwrite)) == 300
        assert link.is_symlink()
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    for overwrite in (False, True):
        assert len(ba.convert(exports, ".", overwrite=overwrite)) == 300
    long = tmp_path / ("x" * 250)
    for overwrite in (False, True):
        assert len(ba.convert(exports, long, overwrite=overwrite)) == 300


def test_classified_into_itself_under_another_name(tmp_path):
    events = ba.convert(write(tmp_path / "exports", "a.json"), tmp_path / "events")
    (tmp_path / "sub").mkdir()
    for classify in (ba.classify, ba.distributed.classify):
        with pytest.raises(ba.OutputError, match="is the dataset itself"):
            classify(events, out=tmp_path / "sub" / ".." / "events", overwrite=True)
    assert events.kind == "events"


def test_a_damaged_part_is_named(tmp_path):
    events = ba.convert(write(tmp_path / "exports", "a.json"), tmp_path / "events")
    events.parts[0].write_bytes(b"no")
    with pytest.raises(ba.SourceError, match="is damaged"):
        events.to_pandas()


def test_leftovers_of_another_run_are_not_taken_for_ours(tmp_path):
    exports = write(tmp_path / "exports", "a.json")
    events = ba.convert(exports, tmp_path / "events")
    left = tmp_path / "bounces" / "month=2001-01"
    left.mkdir(parents=True)
    (left / "part-00001-001.parquet").write_bytes(events.parts[0].read_bytes())
    assert len(ba.classify(events, out=tmp_path / "bounces")) == len(events)


@pytest.mark.parametrize("size", [300, 4000])
def test_a_file_that_has_changed_in_the_middle_is_not_taken_for_done(tmp_path, size):
    file = write(tmp_path / "exports", "a.json", number=size) / "a.json"
    whole = file.read_bytes()
    ba.convert(file, tmp_path / "events")
    middle = (
        whole.index(b'"email":', len(whole) // 2)
        if b'"email":' in whole
        else whole.index(b"example", len(whole) // 2)
    )
    file.write_bytes(whole[:middle] + whole[middle:].replace(b"example", b"exbmple", 1))
    assert file.stat().st_size == len(whole)
    os.utime(file, ns=(1, 1))
    with pytest.raises(ba.OutputError, match="has changed since"):
        ba.convert(file, tmp_path / "events")


def test_a_copy_in_another_folder_is_done(tmp_path):
    file = write(tmp_path / "exports", "a.json", number=4000) / "a.json"
    rows = len(ba.convert(file, tmp_path / "events"))
    (tmp_path / "copy").mkdir()
    copy = tmp_path / "copy" / "a.json"
    copy.write_bytes(file.read_bytes())
    os.utime(copy, ns=(1, 1))
    assert len(ba.convert(copy, tmp_path / "events")) == rows


@pytest.mark.parametrize("kind", ["dataset.json", "unit-*.json", "rejects-*", "keys-*", "part-*"])
def test_what_a_disk_made_of_a_dataset_is_no_data(tmp_path, kind):
    exports = write(tmp_path / "exports", "a.json", "b.json", number=40)
    (exports / "b.json").write_bytes((exports / "b.json").read_bytes() + b'{"event"')
    dice = random.Random(kind)  # noqa: S311 - where to strike
    events = ba.convert(exports, tmp_path / "events")
    whole = events.to_pandas()
    (file, *_) = sorted(events.path.rglob(kind))
    content = bytearray(file.read_bytes())
    content[dice.randrange(len(content))] ^= 1 << dice.randrange(8)
    file.write_bytes(content)
    for ask in (ba.load, ba.decide, lambda path: ba.convert(exports, path)):
        with contextlib.suppress(ba.SourceError):
            told = ask(ba.classify(events.path) if ask is ba.decide else events.path)
            if isinstance(told, ba.Load):
                pd.testing.assert_frame_equal(told.events, whole)
                assert len(told.rejects) == 1
            elif isinstance(told, ba.Dataset):
                pd.testing.assert_frame_equal(told.to_pandas(), whole)
    assert len(ba.convert(exports, events.path, overwrite=True)) == len(whole)


@pytest.mark.parametrize("kind", ["rejects-*", "keys-*", "part-*"])
def test_what_is_lost_of_a_dataset_is_missed(tmp_path, kind):
    exports = write(tmp_path / "exports", "a.json", "b.json", number=40)
    (exports / "b.json").write_bytes((exports / "b.json").read_bytes() + b'{"event"')
    events = ba.convert(exports, tmp_path / "events")
    next(events.path.rglob(kind)).unlink()
    for ask in (ba.load, lambda path: ba.convert(exports, path)):
        with pytest.raises(ba.SourceError, match="is damaged"):
            ask(events.path)


def test_the_account_is_of_the_rows_whoever_adds_meanwhile(tmp_path, monkeypatch):
    exports = write(tmp_path / "exports", "a.json")
    events = ba.convert(exports, tmp_path / "events")
    whole = events.to_pandas()
    real = converting.pinned

    def added(*given):
        write(tmp_path / "exports", "a.json", "b.json")
        ba.convert(exports, tmp_path / "events")
        return real(*given)

    monkeypatch.setattr(converting, "pinned", added)
    found = ba.load(tmp_path / "events")
    pd.testing.assert_frame_equal(found.events, whole)
    assert len(events) == 2 * len(whole)


@pytest.mark.parametrize("work", ["convert", "classify"])
def test_a_full_disk_is_one_sentence(tmp_path, monkeypatch, work):
    events = ba.convert(write(tmp_path / "exports", "a.json"), tmp_path / "events")
    before = ids(events)

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "Error writing bytes to file. Detail: [errno 28] No space left on device")

    monkeypatch.setattr("pyarrow.parquet.ParquetWriter.write_table", full)
    work = {
        "convert": lambda: ba.convert(tmp_path / "exports", tmp_path / "events", overwrite=True),
        "classify": lambda: ba.classify(events, out=tmp_path / "bounces"),
    }[work]
    with pytest.raises(ba.OutputError, match=r"(events|bounces) cannot be written: No space left on device"):
        work()
    monkeypatch.undo()
    assert ids(events) == before
    assert {one.name for one in tmp_path.iterdir()} == {"exports", "events"}

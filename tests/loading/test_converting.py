"""Exports of any size become a dataset, also when the program is killed on the way."""

from __future__ import annotations

import gzip
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

import bounceanalytics as ba
from bounceanalytics import datasets, schema
from bounceanalytics.cli import main
from bounceanalytics.datasets.state import note_of, read_note
from bounceanalytics.files import disk
from bounceanalytics.loading import converting
from bounceanalytics.loading.copies import SeenKeys, in_order, keys_of, repeated
from tests.effort import examples
from tests.loading.exports import array, lines, mailgun_failed, sendgrid_bounce, ses_bounce

ORDER = ["source", "record", "recipient", "event", "timestamp"]


def ordered(frame):
    return frame.sort_values(ORDER, kind="stable").reset_index(drop=True)


def same(one, other):
    pd.testing.assert_frame_equal(ordered(one), ordered(other))


def write_exports(folder):
    folder.mkdir()
    (folder / "a.ndjson").write_bytes(lines(*(sendgrid_bounce(number) for number in range(200))))
    damaged = lines(*(sendgrid_bounce(number) for number in range(190, 260)))
    (folder / "b.ndjson").write_bytes(damaged[:4000] + b"{broken" + damaged[4000:])
    (folder / "c.json.gz").write_bytes(
        gzip.compress(array(*(mailgun_failed(number) for number in range(50))))
    )
    several = [
        ses_bounce(f"x{number}@example.com", f"y{number}@example.net", number=number) for number in range(60)
    ]
    (folder / "d.json").write_bytes(lines(*several, *several[:9]))
    (folder / "e.csv").write_text(
        "created,email,reason,status\n,a@example.com,full,5.2.2\n", encoding="utf-8"
    )
    (folder / "notes.txt").write_text("call the printer", encoding="utf-8")
    (folder / "empty.json").write_bytes(b"")
    return folder


@pytest.fixture
def exports(tmp_path):
    return write_exports(tmp_path / "exports")


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """Return a folder of exports that nobody changes, and its events."""
    folder = write_exports(tmp_path_factory.mktemp("kept") / "exports")
    return folder, ba.load(folder).events


def test_a_dataset_holds_what_load_gives(exports, tmp_path):
    load = ba.load(exports)
    dataset = ba.convert(exports, tmp_path / "events.parquet")
    assert len(dataset) == len(load.events)
    assert dataset.kind == "events"
    same(dataset.to_pandas(), load.events)
    again = ba.load(tmp_path / "events.parquet")
    same(again.events, load.events)
    pd.testing.assert_frame_equal(again.files, load.files)
    assert len(again.rejects) == 1
    pd.testing.assert_frame_equal(again.rejects, load.rejects)
    pd.testing.assert_frame_equal(again.ignored, load.ignored)
    assert again.duplicates == load.duplicates
    assert again.duplicates.rows == 10 + 18
    assert repr(again) == repr(load)


def test_rows_lie_by_month_and_any_program_can_read_them(exports, tmp_path):
    dataset = ba.convert(exports, tmp_path / "events.parquet")
    assert {part.parent.name for part in dataset.parts} == {
        "month=2024-06",
        "month=2025-09",
        "month=2026-03",
        "month=none",
    }
    for part in dataset.parts:
        table = pq.read_table(part, partitioning=None)
        assert table.schema.names == list(schema.EVENT_COLUMNS.names)
        assert pq.ParquetFile(part).metadata.row_group(0).column(2).compression == "ZSTD"
        months = {f"{one:%Y-%m}" if one else "none" for one in table["timestamp"].to_pylist()}
        assert months == {part.parent.name.removeprefix("month=")}
    assert len(pd.read_parquet(dataset.path)) == len(dataset)


def test_running_again_adds_nothing(exports, tmp_path):
    out = tmp_path / "events.parquet"
    first = ba.convert(exports, out)
    parts = {part: part.stat().st_mtime_ns for part in first.parts}
    second = ba.convert(exports, out)
    assert {part: part.stat().st_mtime_ns for part in second.parts} == parts


def test_more_exports_are_added_and_events_count_once(exports, tmp_path):
    out = tmp_path / "events.parquet"
    ba.convert(exports, out)
    new = tmp_path / "new.ndjson"
    new.write_bytes(lines(*(sendgrid_bounce(number) for number in range(250, 270))))
    assert len(ba.convert(new, out)) == len(ba.load([exports, new]).events)
    assert len(ba.convert([exports, new], out)) == len(ba.load([exports, new]).events)


def test_copies_stay_on_request(exports, tmp_path):
    dataset = ba.convert(exports, tmp_path / "events.parquet", deduplicate=False)
    load = ba.load(exports, deduplicate=False)
    same(dataset.to_pandas(), load.events)


def test_a_file_that_breaks_in_the_middle_is_read_again_and_counted_once(tmp_path, monkeypatch):
    monkeypatch.setattr("bounceanalytics.loading.reading._PIECE", 64)
    content = lines(*(sendgrid_bounce(number) for number in range(9000)))
    middle = content.index(b"\n", len(content) // 2) + 1
    file = tmp_path / "events.json"
    file.write_bytes(content[:middle] + b"{no record}\n" + content[middle:])
    dataset = ba.convert(file, tmp_path / "out")
    assert dataset.to_pandas()["recipient"].nunique() == len(dataset) == 9000
    account = ba.load(tmp_path / "out")
    assert account.files[["records", "loaded", "rejected", "rows"]].to_numpy().tolist() == [
        [9001, 9000, 1, 9000]
    ]
    assert account.rejects["offset"].tolist() == [middle]


def test_records_that_go_on_in_the_next_piece_count_once(tmp_path, monkeypatch):
    people = [f"p{number}@example.com" for number in range(3000)]
    monkeypatch.setattr("bounceanalytics.loading.reading._PIECE", 100)
    file = tmp_path / "events.json"
    file.write_bytes(
        lines(ses_bounce(*people, number=1), ses_bounce(*people, number=1), ses_bounce(*people, number=2))
    )
    load = ba.load(file)
    converted = ba.convert(file, tmp_path / "out")
    same(converted.to_pandas(), load.events)
    pd.testing.assert_frame_equal(ba.load(tmp_path / "out").files, load.files)
    assert load.files["loaded"].tolist() == [2]


class Stop(BaseException):
    """Stands for a power cut."""


@pytest.mark.parametrize(
    "moment", [pytest.param(one, marks=pytest.mark.slow if one % 6 else []) for one in range(0, 36, 3)]
)
def test_a_crash_at_any_moment_loses_and_doubles_nothing(kept, tmp_path, monkeypatch, moment):
    exports, events = kept
    out = tmp_path / "events.parquet"
    left = moment

    def perhaps(real):
        def wrapped(*args, **kwargs):
            nonlocal left
            if left == 0:
                raise Stop
            left -= 1
            return real(*args, **kwargs)

        return wrapped

    with monkeypatch.context() as patch:
        patch.setattr(disk, "flush", perhaps(disk.flush))
        patch.setattr(Path, "replace", perhaps(Path.replace))
        patch.setattr(converting._Unit, "_write", perhaps(converting._Unit._write))
        patch.setattr(converting._Unit, "_take_back", lambda _: None)  # nobody tidies up after a power cut
        with pytest.raises(Stop):
            ba.convert(exports, out)
    same(ba.convert(exports, out).to_pandas(), events)
    assert not [one for one in out.rglob("*") if one.name.startswith(".")]


#: Converts until three files are done, says so, and waits for its end.
KILLED = """
import pathlib, sys
import bounceanalytics as ba

def wait(*_):
    if len(list(pathlib.Path(sys.argv[2], "_state").glob("unit-*.json"))) >= 3:
        print("three are done", flush=True)
        sys.stdin.read()

ba.convert(sys.argv[1], sys.argv[2], progress=wait)
"""


def test_a_killed_program_goes_on_where_it_was(tmp_path):
    folder = tmp_path / "exports"
    folder.mkdir()
    for number in range(10):
        content = lines(*(sendgrid_bounce(1000 * number + one) for one in range(1000)))
        (folder / f"{number:02d}.json").write_bytes(content)
    out = tmp_path / "events.parquet"
    state = out / "_state"
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, folder, out], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout.readline().strip() == b"three are done"
        process.send_signal(signal.SIGKILL if os.name == "posix" else signal.SIGTERM)
    done = {one.name: one.stat().st_mtime_ns for one in state.glob("unit-*.json")}
    assert done
    dataset = ba.convert(folder, out)
    assert {one.name: one.stat().st_mtime_ns for one in state.glob("unit-*.json")}.items() >= done.items()
    assert len(dataset) == dataset.to_pandas()["event_id"].nunique() == 10_000


def test_a_file_that_has_changed_is_not_taken_for_done(tmp_path):
    file = tmp_path / "events.json"
    file.write_bytes(lines(sendgrid_bounce(1)))
    ba.convert(file, tmp_path / "out")
    file.write_bytes(lines(sendgrid_bounce(1), sendgrid_bounce(2)))
    with pytest.raises(ba.OutputError, match=r"events\.json has changed since"):
        ba.convert(file, tmp_path / "out")
    assert len(ba.convert(file, tmp_path / "out", overwrite=True)) == 2


def test_a_dataset_is_not_thrown_away_for_what_cannot_be_read(exports, tmp_path):
    out = tmp_path / "out"
    rows = len(ba.convert(exports, out))
    with pytest.raises(ba.SourceError):
        ba.convert(tmp_path / "nothing here", out, overwrite=True)
    with pytest.raises(ba.FormatError):
        ba.convert(exports / "notes.txt", out, overwrite=True)
    assert len(ba.convert(exports, out)) == rows


def test_files_of_the_same_content_are_two_files(tmp_path):
    for name in ("a.json", "b.json"):
        (tmp_path / name).write_bytes(lines(sendgrid_bounce(1), sendgrid_bounce(2)))
    sources = [tmp_path / "a.json", tmp_path / "b.json"]
    for deduplicate, rows in ((True, 2), (False, 4)):
        out = tmp_path / f"out-{deduplicate}"
        assert len(ba.convert(sources, out, deduplicate=deduplicate)) == rows
        assert ba.load(out).files["records"].tolist() == [2, 2]
        assert len(ba.load(sources, deduplicate=deduplicate).events) == rows


def test_what_is_said_by_default_may_be_said(exports, tmp_path):
    rows = len(ba.convert(exports, tmp_path / "out"))
    assert len(ba.convert(exports, tmp_path / "out", timezone="UTC")) == rows
    said = CliRunner().invoke(main, ["convert", str(exports), "--out", str(tmp_path / "out")])
    assert said.exit_code == 0, said.output


def test_other_options_and_other_folders_are_refused(exports, tmp_path):
    out = tmp_path / "out"
    ba.convert(exports, out)
    with pytest.raises(ba.OutputError, match="other options"):
        ba.convert(exports, out, timezone="Europe/Berlin")
    with pytest.raises(ba.OutputError, match="holds other things"):
        ba.convert(exports, exports, overwrite=True)
    assert (exports / "a.ndjson").exists()
    file = tmp_path / "file"
    file.write_text("x", encoding="utf-8")
    with pytest.raises(ba.OutputError, match="is a file"):
        ba.convert(exports, file)


def test_two_programs_do_not_write_one_dataset(exports, tmp_path):
    out = tmp_path / "out"
    ba.convert(exports, out)
    with datasets.alone(out), pytest.raises(ba.OutputError, match="another program is writing"):
        ba.convert(exports, out)


def test_progress_and_naive_times(exports, tmp_path):
    told = []
    (exports / "e.csv").write_text(
        "created,email,reason,status\n2014-01-01 10:00:00,a@example.com,full,5.2.2\n", encoding="utf-8"
    )
    with pytest.warns(ba.NaiveTimeWarning, match=r"e\.csv"):
        ba.convert(exports, tmp_path / "out", progress=lambda *one: told.append(one))
    done = [one for _, one, _ in told]
    assert done == sorted(done)
    assert told[-1][1] == told[-1][2] == sum(one.stat().st_size for one in exports.iterdir())


@pytest.mark.slow
def test_a_dataset_is_taken_as_a_frame_is(tmp_path, samples):
    exports = samples / "exports" / "mailgun"  # a third of the samples says as much as the whole
    events = ba.convert(exports, tmp_path / "events.parquet")
    frame = ba.classify(ba.load(exports).events)
    same(ba.classify(events), frame)
    same(ba.classify(str(tmp_path / "events.parquet")), frame)
    bounces = ba.classify(events, out=tmp_path / "bounces.parquet")
    assert bounces.kind == "bounces"
    same(bounces.to_pandas(), frame)
    for summarize in (
        ba.summarize_domains,
        ba.summarize_reasons,
        ba.summarize_providers,
        ba.summarize_days,
        ba.summarize_domain_reasons,
        ba.summarize_codes,
        ba.summarize_system_full,
    ):
        pd.testing.assert_frame_equal(summarize(bounces), summarize(frame))
    pd.testing.assert_frame_equal(ba.decide(bounces), ba.decide(frame))
    assert ba.report(tmp_path / "bounces.parquet", tmp_path / "report.html").exists()
    with pytest.raises(ba.FrameError, match="classify it first"):
        ba.decide(events)
    same(ba.classify(events, out=tmp_path / "bounces.parquet").to_pandas(), frame)
    with pytest.raises(ba.OutputError, match="was made with other rules"):
        ba.classify(events, out=tmp_path / "bounces.parquet", second_reader=False)
    with pytest.raises(ba.SourceError, match="holds classified events"):
        ba.load(tmp_path / "bounces.parquet")
    assert len(ba.classify(events, out=tmp_path / "bounces.parquet", overwrite=True)) == len(frame)


def test_nothing_is_a_dataset_too(tmp_path):
    dataset = ba.convert(b"[]", tmp_path / "out")
    assert len(dataset) == 0
    assert dataset.to_pandas().dtypes.equals(schema.EVENT_COLUMNS.empty().dtypes)
    assert len(ba.classify(dataset)) == 0


@examples(100)
@given(st.lists(st.lists(st.tuples(st.integers(0, 40), st.booleans()), max_size=30), max_size=8))
def test_seen_keys_are_a_set(batches):
    seen, known = SeenKeys(), set()
    spread = 2**64 // 41 & ~3
    for batch in batches:
        keys = [key * spread for key, _ in batch]
        told = [one for _, one in batch]
        shown = [key if one else None for key, one in zip(keys, told, strict=True)]
        again, new = repeated(keys_of(pa.table({"key": pa.array(shown, pa.uint64())})), seen)
        seen.add(in_order(new))
        expected = []
        for key, one in zip(keys, told, strict=True):
            expected.append(bool(one) and key in known)
            if one:
                known.add(key)
        assert again.tolist() == expected
        assert [key for keys in seen.ascending() for key in keys.tolist()] == sorted(known)
        assert len(seen) == len(known)


@pytest.mark.parametrize("order", [1, -1])  # of earlier versions' keys nobody said in which order they are
def test_keys_of_files_that_are_done_are_read_again(tmp_path, order):
    first, second = tmp_path / "a.json", tmp_path / "b.json"
    first.write_bytes(lines(*(sendgrid_bounce(number) for number in range(50))))
    second.write_bytes(lines(*(sendgrid_bounce(number) for number in range(40, 60))))
    out = ba.convert(first, tmp_path / "out").path
    (kept,) = (out / "_state").glob("keys-*.npy")
    keys = np.load(kept)
    assert len(keys) == 50
    assert (np.diff(keys.astype(object)) > 0).all()
    note = next((out / "_state").glob("unit-*.json"))
    np.save(kept, keys[::order])
    note.write_text(note_of(read_note(note) | {"contents": {}}), encoding="utf-8")
    assert len(ba.convert([first, second], out)) == 60


def test_files_of_several_folders_may_have_one_name(tmp_path):
    folders = []
    for number, name in enumerate(("january", "february")):
        folders.append(tmp_path / name)
        folders[-1].mkdir()
        (folders[-1] / "events.json").write_bytes(lines(sendgrid_bounce(number)))
    assert len(ba.convert(folders, tmp_path / "out")) == 2
    assert len(ba.convert(folders, tmp_path / "out")) == 2
    for number, folder in enumerate(folders, start=1):  # or one folder after the other
        assert len(ba.convert(folder, tmp_path / "each")) == number
    (folders[0] / "events.json").write_bytes(lines(sendgrid_bounce(0), sendgrid_bounce(7)))
    with pytest.raises(ba.OutputError, match=r"events\.json has changed since"):
        ba.convert(folders[0], tmp_path / "each")


def test_rejected_records_are_written_as_they_come(tmp_path, monkeypatch):
    monkeypatch.setattr(converting, "_REJECTS", 3)
    good = lines(*(sendgrid_bounce(number) for number in range(20))).splitlines()
    broken = b"\n".join(line if number % 3 else line[:50] for number, line in enumerate(good))
    (tmp_path / "a.json").write_bytes(broken)
    found = ba.load(ba.convert(tmp_path / "a.json", tmp_path / "events"))
    whole = ba.load(tmp_path / "a.json")
    pd.testing.assert_frame_equal(found.rejects, whole.rejects)
    assert len(found.rejects) == 7
    assert not [one for one in (tmp_path / "events" / datasets.STATE).iterdir() if one.name.startswith(".")]

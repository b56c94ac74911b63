"""Exports cut into slices give the rows and the account of one machine, however they are cut."""

from __future__ import annotations

import gzip
import io
import json
from itertools import pairwise

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import bounceanalytics as ba
from bounceanalytics.loading import slices, slicing
from bounceanalytics.loading.slices import Options
from tests.effort import examples, some_quick
from tests.loading.exports import lines, sendgrid_bounce
from tests.loading.test_converting import write_exports

ORDER = ["source", "record", "recipient", "event", "timestamp"]


def ordered(frame, by):
    return frame.sort_values(by, kind="stable").reset_index(drop=True)


def assert_same(one: ba.Dataset, other: ba.Dataset) -> None:
    """All of a load is the same: rows, accounts, what was ignored and rejected, and copies."""
    left, right = ba.load(one), ba.load(other)
    pd.testing.assert_frame_equal(ordered(left.events, ORDER), ordered(right.events, ORDER))
    pd.testing.assert_frame_equal(ordered(left.files, ["source"]), ordered(right.files, ["source"]))
    by = ["source", "reason"]
    pd.testing.assert_frame_equal(ordered(left.ignored, by), ordered(right.ignored, by))
    by = ["source", "record"]
    pd.testing.assert_frame_equal(ordered(left.rejects, by), ordered(right.rejects, by))
    assert left.duplicates == right.duplicates


@pytest.fixture
def exports(tmp_path):
    return write_exports(tmp_path / "exports")


@pytest.mark.filterwarnings("ignore::bounceanalytics.NaiveTimeWarning")
@pytest.mark.parametrize("size", some_quick([2_000, 30_000, 10**9]))
def test_a_folder_of_all_kinds_gives_what_one_machine_gives(exports, tmp_path, size):
    whole = ba.convert(exports, tmp_path / "whole")
    cut = ba.distributed.convert(exports, tmp_path / "cut", slice_bytes=size, partitions=5)
    assert_same(whole, cut)


@pytest.mark.filterwarnings("ignore::bounceanalytics.NaiveTimeWarning")
def test_copies_may_be_kept(exports, tmp_path):
    whole = ba.convert(exports, tmp_path / "whole", deduplicate=False)
    cut = ba.distributed.convert(
        exports, tmp_path / "cut", slice_bytes=9_000, partitions=3, deduplicate=False
    )
    assert_same(whole, cut)


def test_all_events_of_an_address_lie_in_one_part(tmp_path):
    names = ("Ann", "bob", "ANN", "kim")
    events = [sendgrid_bounce(number, email=f"{names[number % 4]}@example.com") for number in range(40)]
    (tmp_path / "a.ndjson").write_bytes(lines(*events))
    made = ba.distributed.convert(tmp_path / "a.ndjson", tmp_path / "out", slice_bytes=900, partitions=16)
    addresses = [
        address
        for part in made.parts
        for table in made.tables(["recipient"], part=part)
        for address in table.column("recipient").to_pandas().str.lower().unique()
    ]
    assert sorted(addresses) == ["ann@example.com", "bob@example.com", "kim@example.com"]


@examples(60)
@given(
    st.lists(st.sampled_from([b"{}", b"", b" ", b"\r", b'{"a": 1}', b"x" * 70]), max_size=12),
    st.sampled_from([b"\n", b"\r\n"]),
    st.booleans(),
    st.integers(1, 40),
)
def test_each_line_lies_in_one_range(rows, end, closed, size):
    content = end.join(rows) + (end if closed else b"")
    edges = [*range(0, len(content), size), len(content)]
    parts = []
    for start, stop in pairwise(edges):
        out = io.BytesIO()
        slices._copy_lines(io.BytesIO(content), out, start, stop)
        parts.append(out.getvalue())
    assert b"".join(parts) == content
    assert all(part.endswith(b"\n") for part in parts[:-1] if part and not content.endswith(part))


@pytest.mark.filterwarnings("ignore::bounceanalytics.RejectedRecordsWarning")
def test_a_file_that_is_cut_is_rejected_where_it_is_damaged(tmp_path):
    good = [json.dumps(sendgrid_bounce(number)) for number in range(40)]
    good[17] = '{"email": "ann@exa'
    good[33] = "[1, 2"
    (tmp_path / "a.ndjson").write_text("\n\n".join(good) + "\n", encoding="utf-8")
    whole = ba.convert(tmp_path / "a.ndjson", tmp_path / "whole")
    cut = ba.distributed.convert(tmp_path / "a.ndjson", tmp_path / "cut", slice_bytes=1_500, partitions=2)
    assert_same(whole, cut)
    assert ba.load(cut).rejects["record"].tolist() == [18, 34]


def members(*texts: bytes) -> bytes:
    """Texts packed one by one, one behind the other."""
    return b"".join(gzip.compress(text, mtime=0) for text in texts)


def some_lines(start: int, count: int) -> bytes:
    return lines(*(sendgrid_bounce(number) for number in range(start, start + count)))


@pytest.mark.filterwarnings("ignore::bounceanalytics.RejectedRecordsWarning")
def test_a_gzip_file_is_cut_between_its_members(tmp_path):
    path = tmp_path / "a.ndjson.gz"
    texts = [some_lines(60 * number, 60) for number in range(12)]
    texts[3] += b'{"email": "ann@exa\n'
    texts[8] += b"\n[1, 2\n"
    path.write_bytes(members(*texts))
    pieces = [one.pieces[0] for one in slices.slices_of(path, 20_000)]
    assert len(pieces) > 4
    assert all(one.packed for one in pieces)
    assert len(slices.slices_of(path, 1_000)) == len(texts)  # a range holds one member at least
    whole = ba.convert(path, tmp_path / "whole")
    cut = ba.distributed.convert(path, tmp_path / "cut", slice_bytes=20_000, partitions=3)
    assert_same(whole, cut)
    rejects = ba.load(cut).rejects
    content = gzip.decompress(path.read_bytes())
    assert [content[place : place + 6] for place in rejects["offset"]] == [b'{"emai', b"[1, 2\n"]


@pytest.mark.parametrize("size", [3_000, 40_000])
def test_members_that_end_within_a_line_stay_together(tmp_path, size):
    text = some_lines(0, 900)
    edges = [*range(0, len(text), 7_001), len(text)]
    texts = [text[start:stop] for start, stop in pairwise(edges)]
    texts[20:22] = [
        texts[20] + texts[21][: texts[21].index(b"\n") + 1],
        texts[21][texts[21].index(b"\n") + 1 :],
    ]
    path = tmp_path / "a.ndjson.gz"
    path.write_bytes(members(*texts))
    found = [one.pieces[0] for one in slices.slices_of(path, size)]
    assert [one.start for one in found] in ([0], [0, len(members(*texts[:21]))])
    assert_same(
        ba.convert(path, tmp_path / "whole"),
        ba.distributed.convert(path, tmp_path / "cut", slice_bytes=size, partitions=2),
    )


@pytest.mark.parametrize("odd", ["one member", "zeros between", "marks in it", "table", "no gzip"])
def test_gzip_files_that_have_no_ranges_are_one_piece(tmp_path, odd):
    path = tmp_path / "a.ndjson.gz"
    text = some_lines(0, 400)
    path.write_bytes(
        {
            "one member": members(text),
            "zeros between": b"\0".join(members(some_lines(n, 40)) for n in range(0, 400, 40)),
            "marks in it": members(text) + b"\x1f\x8b\x08" + bytes(9_000),
            "table": members(b"email,event\n" + b"ann@example.com,bounce\n" * 9_000),
            "no gzip": b"\x1f\x8b\x08" + b"x" * 90_000,
        }[odd]
    )
    (one,) = slices.slices_of(path, 9_000)
    assert one.pieces[0].found is None


@pytest.mark.filterwarnings("ignore::bounceanalytics.RejectedRecordsWarning")
def test_a_range_of_a_damaged_gzip_file_says_so(tmp_path):
    path = tmp_path / "a.ndjson.gz"
    path.write_bytes(members(*(some_lines(60 * number, 60) for number in range(6)))[:-40])
    cut = ba.load(ba.distributed.convert(path, tmp_path / "cut", slice_bytes=60_000, partitions=2))
    assert len(cut.events) >= 300
    assert "damaged or ends too early" in cut.files["note"][0]


def test_what_is_done_is_not_done_again(exports, tmp_path, monkeypatch):
    out = tmp_path / "out"
    made, seen = slicing._make, []

    def stops(one, target, options):
        if one.number == 2:
            raise KeyboardInterrupt
        seen.append(one.number)
        made(one, target, options)

    arguments = {"slice_bytes": 20_000, "partitions": 2, "timezone": "UTC"}
    monkeypatch.setattr(slicing, "_make", stops)
    with pytest.raises(KeyboardInterrupt):
        ba.distributed.convert(exports, out, **arguments)
    assert seen == [0, 1]
    with pytest.raises(ba.SourceError, match="is no dataset"):
        ba.Dataset(out)
    monkeypatch.setattr(slicing, "_make", lambda one, *rest: (seen.append(one.number), made(one, *rest)))
    done = ba.distributed.convert(exports, out, **arguments)
    assert seen[2:] == list(range(2, len(slices.slices_of(exports, 20_000))))
    assert_same(ba.convert(exports, tmp_path / "whole", timezone="UTC"), done)
    assert not list(out.rglob("slice-*"))


def test_a_file_that_has_changed_is_another_slice(tmp_path):
    path = tmp_path / "a.ndjson"
    path.write_bytes(lines(sendgrid_bounce(1)))
    (one,) = slices.slices_of(path, 10**6)
    path.write_bytes(lines(sendgrid_bounce(1), sendgrid_bounce(2)))
    (other,) = slices.slices_of(path, 10**6)
    assert one.file(tmp_path, Options()) != other.file(tmp_path, Options())
    assert one.file(tmp_path, Options()) != one.file(tmp_path, Options(partitions=2))


def test_what_workers_cannot_read_is_refused(tmp_path):
    with pytest.raises(ba.SourceError, match="give paths or URLs"):
        ba.distributed.convert(lines(sendgrid_bounce(1)), tmp_path / "out")
    with pytest.raises(ba.SourceError, match="no file or folder"):
        ba.distributed.convert(tmp_path / "nothing", tmp_path / "out")


def test_a_dataset_is_replaced_only_if_asked(exports, tmp_path):
    out = tmp_path / "out"
    ba.distributed.convert(exports / "a.ndjson", out, partitions=3)
    with pytest.raises(ba.OutputError, match="overwrite=True"):
        ba.distributed.convert(exports / "d.json", out)
    made = ba.distributed.convert(exports / "d.json", out, overwrite=True, partitions=2)
    assert len(made.parts) == 2
    with pytest.raises(ba.OutputError, match="other options"):
        ba.convert(exports / "a.ndjson", out)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(ba.OutputError, match="holds other things"):
        ba.distributed.convert(exports / "d.json", tmp_path / "full")


def test_a_file_that_was_named_and_is_no_export_is_an_error(tmp_path):
    (tmp_path / "notes.txt").write_text("call the printer", encoding="utf-8")
    with pytest.raises(ba.FormatError, match=r"notes.txt"):
        ba.distributed.convert(tmp_path / "notes.txt", tmp_path / "out")


def test_no_events_are_a_dataset_too(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "empty.json").write_bytes(b"[]")
    made = ba.distributed.convert(tmp_path / "in", tmp_path / "out", partitions=3)
    assert len(made) == 0
    assert made.to_pandas().empty
    assert len(ba.distributed.classify(made, tmp_path / "bounces")) == 0


def test_classifying_part_by_part_is_classifying(exports, tmp_path):
    made = ba.distributed.convert(exports / "d.json", tmp_path / "out", partitions=4)
    ba.distributed.classify(made, tmp_path / "bounces")
    found = ba.distributed.classify(made, tmp_path / "bounces", overwrite=True)
    pd.testing.assert_frame_equal(found.to_pandas(), ba.classify(made))
    pd.testing.assert_frame_equal(
        ba.decide(found), ba.decide(ba.classify(ba.load(exports / "d.json").events))
    )
    with pytest.raises(ba.SourceError, match="is no dataset"):
        ba.distributed.classify(exports, tmp_path / "more")


def test_a_dask_frame_has_the_types_of_the_frame(exports, tmp_path):
    made = ba.distributed.convert(exports / "a.ndjson", tmp_path / "out", partitions=3)
    frame = ba.distributed.to_dask(made)
    assert frame.npartitions == 3
    pd.testing.assert_frame_equal(frame.compute().reset_index(drop=True), made.to_pandas())
    assert frame.dtypes.to_dict() == made.to_pandas().dtypes.to_dict()
    counts = ba.distributed.to_dask(made, ["domain"])["domain"].value_counts().compute()
    assert counts.to_dict() == made.to_pandas(["domain"])["domain"].value_counts().to_dict()


@pytest.mark.filterwarnings("ignore::bounceanalytics.RejectedRecordsWarning")
def test_files_of_one_name_keep_their_own_accounts_and_rejects(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.ndjson").write_bytes(
            lines(*(sendgrid_bounce(number, sg_event_id=f"{name}{number}") for number in range(9)))
            + b"{broken\n"
        )
    given = [tmp_path / "one", tmp_path / "two", tmp_path / "one"]  # a file that is named twice is one
    made = ba.load(ba.distributed.convert(given, tmp_path / "out", slice_bytes=900, partitions=3))
    assert made.files["records"].tolist() == [10, 10]
    assert made.files["rejected"].tolist() == [1, 1]
    assert made.rejects["record"].tolist() == [10, 10]
    assert len(made.events) == 18


@pytest.mark.filterwarnings("ignore::bounceanalytics.RejectedRecordsWarning")
def test_a_line_may_be_longer_than_several_ranges(tmp_path):
    events = [sendgrid_bounce(number) for number in range(20)]
    events[7]["reason"] = "550 5.1.1 " + "unknown user " * 3_000
    (tmp_path / "a.ndjson").write_bytes(lines(*events))
    whole = ba.convert(tmp_path / "a.ndjson", tmp_path / "whole")
    assert_same(whole, ba.distributed.convert(tmp_path / "a.ndjson", tmp_path / "cut", slice_bytes=3_000))


def test_a_dataset_is_not_classified_into_itself(exports, tmp_path):
    made = ba.distributed.convert(exports / "a.ndjson", tmp_path / "out")
    for classify in (
        ba.distributed.classify,
        lambda dataset, out, **more: ba.classify(dataset, out=out, **more),
    ):
        with pytest.raises(ba.OutputError, match="the dataset itself"):
            classify(made, tmp_path / "out", overwrite=True)
    assert len(made) == 200

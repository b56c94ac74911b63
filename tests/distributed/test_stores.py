"""Exports and datasets in an object store."""

from __future__ import annotations

import pandas as pd
import pytest
import s3fs

import bounceanalytics as ba
from tests.distributed.test_slices import ORDER, assert_same, ordered
from tests.loading.exports import lines, mailgun_failed, sendgrid_bounce, ses_bounce

pytestmark = pytest.mark.slow


@pytest.fixture
def local(tmp_path):
    folder = tmp_path / "exports"
    folder.mkdir()
    (folder / "a.ndjson").write_bytes(lines(*(sendgrid_bounce(number) for number in range(300))))
    (folder / "b.ndjson").write_bytes(lines(*(mailgun_failed(number) for number in range(60))))
    several = [
        ses_bounce(f"x{number}@example.com", f"y{number}@example.net", number=number) for number in range(40)
    ]
    (folder / "c.ndjson").write_bytes(lines(*several, *several[:9]))
    return folder


@pytest.fixture
def bucket(store, local, request):
    system = s3fs.S3FileSystem()
    name = f"exports/{request.node.name.replace('[', '-').rstrip(']')}"
    system.put(f"{local}/", f"{name}/in/", recursive=True)
    return f"s3://{name}"


def test_exports_and_dataset_lie_in_a_store(bucket, local, tmp_path):
    there = ba.distributed.convert(f"{bucket}/in", f"{bucket}/events", slice_bytes=40_000, partitions=3)
    here = ba.convert(local, tmp_path / "events")
    assert_same(here, there)
    assert str(there.path) == f"{bucket}/events"
    assert ba.Dataset(f"{bucket}/events").kind == "events"
    bounces = ba.distributed.classify(there, f"{bucket}/bounces")
    wanted = ba.classify(here)
    pd.testing.assert_frame_equal(ordered(bounces.to_pandas(), ORDER), ordered(wanted, ORDER))
    pd.testing.assert_frame_equal(ba.decide(bounces), ba.decide(wanted))
    assert len(ba.distributed.to_dask(f"{bucket}/bounces")) == len(wanted)
    with pytest.raises(ba.OutputError, match="overwrite=True"):
        ba.distributed.convert(f"{bucket}/in", f"{bucket}/events")
    again = ba.distributed.convert(f"{bucket}/in/b.ndjson", f"{bucket}/events", overwrite=True)
    assert len(again) == 60


def test_a_dataset_in_a_store_is_one_for_one_machine_too(bucket, local, tmp_path):
    (local / "d.ndjson").write_bytes(
        lines(sendgrid_bounce(301)) + b'{"email": "ann@example.com", "event": "bou\n'
    )
    s3fs.S3FileSystem().put(f"{local}/d.ndjson", f"{bucket}/in/d.ndjson")
    there = ba.distributed.convert(f"{bucket}/in", f"{bucket}/events", partitions=2)
    bounces = ba.classify(f"{bucket}/events", out=tmp_path / "bounces")
    pd.testing.assert_frame_equal(ordered(bounces.to_pandas(), ORDER), ordered(ba.classify(there), ORDER))
    before = [part.stat().st_ino for part in bounces.parts]
    again = ba.classify(there, out=tmp_path / "bounces")
    assert [part.stat().st_ino for part in again.parts] == before  # not classified again
    found, wanted = ba.load(f"{bucket}/events"), ba.load(local)
    assert len(found.events) == len(wanted.events)
    assert found.rejects["error"].tolist() == wanted.rejects["error"].tolist()
    assert len(found.rejects) == 1


def test_who_writes_on_disk_only_says_so(bucket, local, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    dataset = ba.convert(local, tmp_path / "events")
    verdicts = ba.decide(bounces := ba.classify(dataset))
    for write in (
        lambda url: ba.classify(dataset, out=url),
        lambda url: ba.convert(local, url),
        lambda url: ba.report(bounces, url),
        lambda url: ba.clean(b"email\nann@example.com\n", verdicts, url),
        lambda url: ba.export_suppressions(verdicts, "plain", url),
        lambda url: ba.Policy().save(url),
    ):
        with pytest.raises(ba.OutputError, match=r"s3://\S+ is a URL; (a dataset there|give the name of)"):
            write(f"{bucket}/out")
    with pytest.raises(ba.SourceError, match="is a URL; give the name of a file or folder on disk"):
        ba.Ledger(f"{bucket}/ledger.db")
    assert {path.name for path in tmp_path.iterdir()} == {"exports", "events"}


def test_what_is_not_in_a_store_is_said_in_a_sentence(bucket):
    with pytest.raises(ba.SourceError, match="cannot read s3://"):
        ba.distributed.convert(f"{bucket}/nothing", f"{bucket}/events")
    with pytest.raises(ba.SourceError, match="is no dataset"):
        ba.Dataset(f"{bucket}/in")


def test_a_store_that_goes_away_costs_nothing_that_was_done(bucket, local, tmp_path, monkeypatch):
    put, done = s3fs.S3FileSystem._put_file, []

    async def breaks(self, *arguments, **options):
        if len(done) == 2:
            raise ConnectionResetError(104, "the connection was dropped")
        done.append(1)
        await put(self, *arguments, **options)

    arguments = {"slice_bytes": 40_000, "partitions": 2}
    with monkeypatch.context() as patch:
        patch.setattr(s3fs.S3FileSystem, "_put_file", breaks)
        s3fs.S3FileSystem.clear_instance_cache()
        with pytest.raises(ba.OutputError, match=r"cannot be written: .*dropped.*run the same again"):
            ba.distributed.convert(f"{bucket}/in", f"{bucket}/events", **arguments)
        patch.setattr(
            s3fs.S3File, "_fetch_range", lambda *_: (_ for _ in ()).throw(ConnectionResetError(104, "gone"))
        )
        with pytest.raises(ba.SourceError, match=r"cannot read .*c.ndjson: gone"):
            ba.distributed.convert(f"{bucket}/in/c.ndjson", f"{bucket}/other")
    s3fs.S3FileSystem.clear_instance_cache()
    there = ba.distributed.convert(f"{bucket}/in", f"{bucket}/events", **arguments)
    assert_same(ba.convert(local, tmp_path / "events"), there)

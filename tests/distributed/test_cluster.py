"""A cluster of processes gives what one process gives, also where a worker is killed on the way."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time

import pandas as pd
import pytest

import bounceanalytics as ba
from bounceanalytics.distributed import members
from tests.distributed.test_slices import assert_same
from tests.loading.exports import lines, sendgrid_bounce, ses_bounce

pytestmark = pytest.mark.slow


@pytest.fixture
def exports(tmp_path):
    folder = tmp_path / "exports"
    folder.mkdir()
    (folder / "a.ndjson").write_bytes(lines(*(sendgrid_bounce(number) for number in range(6_000))))
    several = [
        ses_bounce(f"x{number}@example.com", f"y{number}@example.net", number=number) for number in range(900)
    ]
    (folder / "b.ndjson").write_bytes(lines(*several, *several[:99]))
    return folder


@pytest.fixture
def client():
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0", memory_limit=0
        ) as cluster,
        distributed.Client(cluster) as found,
    ):
        yield found


def test_a_cluster_gives_what_one_process_gives(client, exports, tmp_path):
    told = []
    there = ba.distributed.convert(
        exports,
        tmp_path / "there",
        client=client,
        slice_bytes=500_000,
        partitions=4,
        progress=lambda *said: told.append(said),
    )
    here = ba.convert(exports, tmp_path / "here")
    assert_same(here, there)
    assert {said[0] for said in told} == {"converting", "sorting out copies"}
    bounces = ba.distributed.classify(there, tmp_path / "bounces", client=client)
    pd.testing.assert_frame_equal(ba.decide(bounces), ba.decide(ba.classify(here)))


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_worker_that_is_killed_costs_nothing(client, exports, tmp_path):
    (victim, *_) = client.run(os.getpid).values()
    done = threading.Event()

    def kill():
        while not done.is_set() and not list((tmp_path / "there").rglob("slice-*")):
            time.sleep(0.02)
        os.kill(victim, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    there = ba.distributed.convert(
        exports, tmp_path / "there", client=client, slice_bytes=300_000, partitions=4
    )
    done.set()
    killer.join()
    assert victim not in client.run(os.getpid).values()
    assert_same(ba.convert(exports, tmp_path / "here"), there)


def bounces_of(exports, folder, client, partitions=5):
    events = ba.distributed.convert(
        exports, folder / "events", client=client, slice_bytes=500_000, partitions=partitions
    )
    return ba.distributed.classify(events, folder / "bounces", client=client)


def test_a_cluster_answers_as_one_process_does(client, tmp_path):
    bounces = bounces_of(ba.samples() / "exports" / "ses", tmp_path, client)
    pd.testing.assert_frame_equal(ba.distributed.decide(bounces, client=client), ba.decide(bounces))
    pd.testing.assert_frame_equal(ba.distributed.storms(bounces, client=client), ba.storms(bounces))
    found, whole = ba.distributed.summarize(bounces, client=client), ba.summarize(bounces)
    for name in whole.__dataclass_fields__:
        pd.testing.assert_frame_equal(getattr(found, name), getattr(whole, name), obj=name)
    there = ba.distributed.report(bounces, tmp_path / "there.html", compare="previous", client=client)
    assert there.read_bytes() == ba.report(bounces, tmp_path / "here.html", compare="previous").read_bytes()
    with pytest.raises(ba.PolicyError, match="a Policy is needed"):
        ba.distributed.decide(bounces, "default", client=client)
    held = client.run(lambda: len(sys.modules["bounceanalytics.distributed.members"]._held))
    assert set(held.values()) == {0}


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_worker_that_is_killed_is_replaced_while_others_are_asked(client, exports, tmp_path, monkeypatch):
    bounces = bounces_of(exports, tmp_path, client)
    asked = []
    real = members.OnWorkers.collect

    def killing(self, work, *given):
        asked.append(work)
        if len(asked) == 6:
            os.kill(next(iter(client.run(os.getpid).values())), signal.SIGKILL)
        return real(self, work, *given)

    monkeypatch.setattr(members.OnWorkers, "collect", killing)
    found = ba.distributed.decide(bounces, client=client)
    assert len(asked) > 6
    pd.testing.assert_frame_equal(found, ba.decide(bounces))


def test_a_worker_that_waits_does_not_make_anew_what_another_one_holds(
    client, exports, tmp_path, monkeypatch
):
    bounces = bounces_of(exports, tmp_path, client, partitions=8)
    # as of shares that no machine is fast enough to make anew; the workers have no limit that these would reach
    monkeypatch.setattr(members, "_UNPACKED", 10**9)
    with members.open_histories(bounces, client) as history:
        history.gather(["recipient"])
        history.collect(_at_work, 0.1)
        seen = [history.collect(_at_work, seconds) for seconds in (0.0, 0.2, 0.0, 0.3)]
    assert seen[0] == seen[1] == seen[2] == seen[3]
    assert len(set(seen[0])) == 2


def test_how_long_each_kind_of_work_takes_is_remembered_by_itself(client, exports, tmp_path):
    bounces = bounces_of(exports, tmp_path, client, partitions=2)
    with members.open_histories(bounces, client) as history:
        history.gather(["recipient"])
        history.collect(_at_work, 0.0)
        assert len(history)
    known = client.run_on_scheduler(lambda dask_scheduler: set(dask_scheduler.task_prefixes))
    assert {"ask_at_work", "ask_len", "classify_part", "merge_share"} <= known


def _at_work(_, seconds):
    """Return which worker has a history; the first of them takes longer."""
    name = sys.modules["distributed"].get_worker().name
    time.sleep(seconds if name else 2 * seconds)
    return name

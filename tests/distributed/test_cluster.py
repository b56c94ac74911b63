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
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
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

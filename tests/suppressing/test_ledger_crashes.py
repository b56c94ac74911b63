"""Two writers at once, and writers that are killed: the ledger opens clean, and holds whole updates only."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from bounceanalytics.suppressing.ledger import Ledger

#: Adds so many addresses an update, all of one run, and says when each is done.
WRITER = """
import sys
from bounceanalytics.suppressing.ledger import Ledger
from bounceanalytics import schema
import pandas as pd

path, name, updates, size = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])

def verdicts(update):
    frame = schema.DECISION_COLUMNS.empty().reindex(range(size))
    frame["address"] = [f"{name}-{update}-{number}@example.com" for number in range(size)]
    frame["domain"], frame["verdict"], frame["reason"], frame["record"] = "example.com", "remove", "unknown_user", 1
    return frame

with Ledger(path) as ledger:
    print("open", flush=True)
    for update in range(updates):
        ledger.update(verdicts(update), run=f"{name}-{update}")
        print(update, flush=True)
"""


def writer(path: Path, name: str, updates: int, size: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, str(path), name, str(updates), str(size)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_two_processes_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    children = [
        writer(path, name, 12, 40) for name in ("one", "two")
    ]  # both may be the one that makes the file
    for child in children:
        child.communicate(timeout=120)
        assert child.returncode == 0
    with Ledger(path) as ledger:
        assert len(ledger) == 2 * 12 * 40
        runs = ledger._execute("SELECT run, count(*) FROM changes GROUP BY run").fetchall()
    assert dict(runs) == {f"{name}-{update}": 40 for name in ("one", "two") for update in range(12)}


#: Imports everything once, and then makes a writer for every line it gets: a file for what is done, and a name.
NURSERY = """
import os, signal, sys
import pandas as pd
from bounceanalytics import schema
from bounceanalytics.suppressing.ledger import Ledger

signal.signal(signal.SIGCHLD, signal.SIG_IGN)

def write(path, log, name):
    frame = schema.DECISION_COLUMNS.empty().reindex(range(200))
    frame["domain"], frame["verdict"], frame["reason"], frame["record"] = "example.com", "remove", "unknown_user", 1
    with Ledger(path) as ledger, open(log, "a", buffering=1) as done:
        for update in range(10_000):
            frame["address"] = [f"{name}-{update}-{number}@example.com" for number in range(200)]
            ledger.update(frame, run=f"{name}-{update}")
            done.write(f"{name}-{update}\\n")

for line in sys.stdin:
    child = os.fork()
    if not child:
        write(sys.argv[1], sys.argv[2], line.strip())
    print(child, flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_killed_at_fifty_moments(tmp_path: Path) -> None:
    path, log, dice = tmp_path / "s.db", tmp_path / "done.txt", random.Random(531)  # noqa: S311
    log.touch()
    command = [sys.executable, "-c", NURSERY, str(path), str(log)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as nursery:
        assert nursery.stdin is not None
        assert nursery.stdout is not None
        longest = 0.4
        for kill in range(50):
            nursery.stdin.write(f"k{kill}\n")
            nursery.stdin.flush()
            child = int(nursery.stdout.readline())
            time.sleep(dice.uniform(0, longest))
            if not log.stat().st_size:  # a busy machine needs longer to get anything done
                longest = min(1.5 * longest, 10.0)
            os.kill(child, signal.SIGKILL)
            while alive(child):
                time.sleep(0.002)
            with closing(sqlite3.connect(path)) as database:
                assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        nursery.stdin.close()
    told = set(log.read_text().splitlines())
    with Ledger(path) as ledger:
        runs = dict(ledger._execute("SELECT run, count(*) FROM changes GROUP BY run").fetchall())
        assert len(ledger) == sum(runs.values())
    assert set(runs.values()) == {200}, "a half update is in the ledger"
    assert told <= set(runs), "an update that was reported done is not in the ledger"
    assert told, "no update was ever done: the machine is too slow for this test"


def alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_rerun_after_a_kill_gives_the_same(tmp_path: Path) -> None:
    for path, killed in ((tmp_path / "a.db", True), (tmp_path / "b.db", False)):
        child = writer(path, "w", 5, 2000)
        assert child.stdout is not None
        if killed:
            assert child.stdout.readline() == "open\n"
            time.sleep(0.05)
            child.send_signal(signal.SIGKILL)
            child.communicate(timeout=60)
            child = writer(path, "w", 5, 2000)
        child.communicate(timeout=120)
        assert child.returncode == 0
    with Ledger(tmp_path / "a.db") as a, Ledger(tmp_path / "b.db") as b:
        assert a.entries().equals(b.entries())
        assert len(a) == 10_000

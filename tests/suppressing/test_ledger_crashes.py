"""Two writers at once, and writers that are killed: the ledger opens clean, and holds whole updates only."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from bounceanalytics.suppressing.ledger import Ledger
from tests.killing import Nursery, needs_fork

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


#: Makes update after update, three of them, and notes in a file which are done.
UPDATES = """
import sys
import pandas as pd
from bounceanalytics import schema
from bounceanalytics.suppressing.ledger import Ledger

def work(name):
    frame = schema.DECISION_COLUMNS.empty().reindex(range(200))
    frame["domain"], frame["verdict"], frame["reason"], frame["record"] = "example.com", "remove", "unknown_user", 1
    with Ledger(sys.argv[1]) as ledger, open(sys.argv[2], "a", buffering=1) as done:
        for update in range(3):
            frame["address"] = [f"{name}-{update}-{number}@example.com" for number in range(200)]
            ledger.update(frame, run=f"{name}-{update}")
            done.write(f"{name}-{update}\\n")
"""


@pytest.mark.slow
@needs_fork
def test_killed_at_fifty_moments(tmp_path: Path) -> None:
    path, log, dice = tmp_path / "s.db", tmp_path / "done.txt", random.Random(531)  # noqa: S311
    with Nursery(UPDATES, path, log) as nursery:
        longest = nursery.run("whole")
        for kill in range(50):
            nursery.run(f"k{kill}", seconds=dice.uniform(0, longest))
            with closing(sqlite3.connect(path)) as database:
                assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    told = set(log.read_text().splitlines())
    with Ledger(path) as ledger:
        runs = dict(ledger._execute("SELECT run, count(*) FROM changes GROUP BY run").fetchall())
        assert len(ledger) == sum(runs.values())
    assert set(runs.values()) == {200}, "a half update is in the ledger"
    assert told <= set(runs), "an update that was reported done is not in the ledger"
    assert 10 < len(told) < 3 * 51, "the moments are not spread over the work"


def test_a_rerun_after_a_kill_gives_the_same(tmp_path: Path) -> None:
    for path, killed in ((tmp_path / "a.db", True), (tmp_path / "b.db", False)):
        child = writer(path, "w", 5, 2000)
        assert child.stdout is not None
        if killed:
            assert [child.stdout.readline() for _ in range(3)] == ["open\n", "0\n", "1\n"]
            child.send_signal(signal.SIGKILL)
            child.communicate(timeout=60)
            child = writer(path, "w", 5, 2000)
        child.communicate(timeout=120)
        assert child.returncode == 0
    with Ledger(tmp_path / "a.db") as a, Ledger(tmp_path / "b.db") as b:
        assert a.entries().equals(b.entries())
        assert len(a) == 10_000

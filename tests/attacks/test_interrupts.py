"""Ctrl-C is KeyboardInterrupt, wherever the engine is at that moment."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import os, signal, sys, threading
from bounceanalytics.database import open_database

long = "SELECT sum(a.range * b.range % 7) AS n FROM range(1000000) a, range(1000000) b"
ways = {
    "execute": lambda database: database.execute(long),
    "arrow": lambda database: database.sql(long).to_arrow_table(),
    "reader": lambda database: [
        None for piece in database.sql("SELECT * FROM range(100000000000)").to_arrow_reader(1000) if not piece
    ],
    "frame": lambda database: database.sql(long).df(),
}
try:
    with open_database() as database:
        threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
        ways[sys.argv[1]](database)
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no signal can be sent to oneself")
@pytest.mark.parametrize("way", ["execute", "arrow", "reader", "frame"])
def test_an_interrupt_is_one(way: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, way], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.strip() == "interrupted", done.stderr[-300:]

"""Work that is ended at any moment: a process that forks, and forks that die after so much of their own CPU time.

Time of the clock says little on a busy machine, and waiting for it costs the tests more than the work does. A timer of
the process's CPU time ends it where it is, in the middle of a statement, of a write or of another library, as SIGKILL
would: nothing handles the signal.
"""

from __future__ import annotations

import subprocess
import sys
from typing import IO, TYPE_CHECKING, Self

import pytest

if TYPE_CHECKING:
    from pathlib import Path

needs_fork = pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")

# The program defines work(name). A fork has not started a thread yet, and is killed after so many seconds, 0 for never.
_LOOP = """
import os as _os, signal as _signal, sys as _sys

for _line in _sys.stdin:
    _name, _seconds = _line.split()
    _child = _os.fork()
    if not _child:
        try:
            _signal.setitimer(_signal.ITIMER_PROF, float(_seconds))
            work(_name)
        finally:
            _os._exit(0)
    _used = _os.wait4(_child, 0)[2]
    print(_used.ru_utime + _used.ru_stime, flush=True)
"""


class Nursery:
    """Runs the function ``work(name)`` of a program in forks of a process that has imported everything once."""

    def __init__(self, program: str, *arguments: Path) -> None:
        command = [sys.executable, "-W", "ignore", "-c", program + _LOOP, *map(str, arguments)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._process:
            self._pipe(self._process.stdin).close()

    def run(self, name: str, *, seconds: float = 0) -> float:
        """Do the work, kill it after so much CPU time if any is given, and return how much it took."""
        print(name, max(seconds, 0.001) if seconds else 0, file=self._pipe(self._process.stdin), flush=True)
        return float(self._pipe(self._process.stdout).readline())

    @staticmethod
    def _pipe(pipe: IO[str] | None) -> IO[str]:
        assert pipe is not None
        return pipe

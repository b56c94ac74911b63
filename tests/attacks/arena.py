"""The program that carries out attacks: a line of JSON on standard input for each, and another for how it ended.

It imports first what calls would import, for that is no cost of theirs, and starts no thread, so that it can be forked.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import resource
import shlex
import signal
import sys
import tempfile
import time
import traceback
from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd

import bounceanalytics as ba
from bounceanalytics.cli import main, shell

MIB = 1024**2
_TOLD = 2000  # characters of what went wrong
_SPARE = 200  # MiB beyond the limit at which a fork is killed; up to there it may end, and tell how
_USED = (
    "bounceanalytics.distributed bounceanalytics.domains bounceanalytics.explaining.explain bounceanalytics.report.page"
    " bounceanalytics.loading.stored bounceanalytics.classifying.reader bounceanalytics.cleaning.clean"
    " bounceanalytics.suppressing fastavro idna python_calamine xlsxwriter yaml"
)


def size_of(process: int | str) -> tuple[float, float]:
    """Return the memory of a process, and its address space, in MiB."""
    whole, resident, *_ = Path(f"/proc/{process}/statm").read_text().split()
    page = resource.getpagesize() / MIB
    return int(resident) * page, int(whole) * page


def python(task: dict[str, Any], given: dict[str, Any]) -> str | None:
    """Run a snippet; return the sentence of its error, if it ends with one."""
    try:
        exec(task["call"], given)  # noqa: S102 - the tests' own
    except ba.BounceAnalyticsError as error:
        return str(error)
    return None


def command(task: dict[str, Any], given: dict[str, Any]) -> str | None:
    """Run a command line; return what it says, if it fails."""
    out, err = io.StringIO(), io.StringIO()
    shell.out.file, shell.err.file = out, err
    failed: Any = 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main(shlex.split(task["call"])[1:], prog_name="bounceanalytics")
        except SystemExit as end:
            failed = end.code
    given["out"] = out.getvalue()
    return err.getvalue().strip().removeprefix("Error: ") if failed else None


def carried_out(task: dict[str, Any]) -> dict[str, str]:
    """Carry out a call; return its outcome, and the words that belong to it."""
    os.chdir(task["folder"])
    tempfile.tempdir = task["temporary"]
    given: dict[str, Any] = {"ba": ba, "pd": pd, "Path": Path}
    if task["room"]:
        most = int((size_of("self")[1] + task["room"]) * MIB)
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    try:
        run = command if task["call"].startswith("bounceanalytics ") else python
        refused = run(task, given)
        if refused is not None:
            return {"outcome": "refused", "words": refused}
        if not task["check"] or eval(task["check"], given):  # noqa: S307 - the tests' own
            return {"outcome": "right", "words": ""}
        return {"outcome": "wrong", "words": str(given.get("seen", given.get("out", "")))[:_TOLD]}
    except BaseException as error:
        said = "".join(traceback.format_exception(error, limit=-3))
        return {"outcome": "foreign", "words": said[-_TOLD:]}


def watched(child: int, clock: float, mib: float) -> tuple[int, resource.struct_rusage, str]:
    """Wait for a fork, and kill one that takes far more than it may; return how it ended, and why it was killed."""
    began, why = time.monotonic(), ""
    while True:
        done, status, used = os.wait4(child, 0 if why else os.WNOHANG)
        if done:
            return status, used, why
        if size_of(child)[0] > mib + _SPARE:
            why = f"it took more than {mib + _SPARE:,.0f} MiB"
        elif time.monotonic() - began > clock:
            why = f"it did not end within {clock:.0f} seconds"
        if why:
            os.kill(child, signal.SIGKILL)
        else:
            time.sleep(0.01)


def fight(task: dict[str, Any]) -> dict[str, Any]:
    """Fork for an attack; return its outcome, and what it cost."""
    told = Path(task["told"])
    child = os.fork()
    if not child:
        os.dup2(2, 1)
        begun = {"before": size_of("self")[0]}  # less than before the fork, for files are mapped anew
        told.write_text(json.dumps(begun))
        told.write_text(json.dumps(begun | carried_out(task)))
        os._exit(0)
    status, used, why = watched(child, task["clock"], size_of("self")[0] + task["mib"])
    end = json.loads(told.read_text())
    if status:
        end["outcome"], end["words"] = (
            "killed",
            why or f"it ended with status {os.waitstatus_to_exitcode(status)}",
        )
    seconds, mib = used.ru_utime + used.ru_stime, used.ru_maxrss / 1024 - end["before"]
    return end | {"seconds": seconds, "mib": mib}


if __name__ == "__main__":
    for name in _USED.split():
        import_module(name)
    for name in ba.__all__:
        getattr(ba, name)
    for line in sys.stdin:
        print(json.dumps(fight(json.loads(line))), flush=True)

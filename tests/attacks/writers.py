"""Every call that writes: how it is called, what its files are, and forks in which it is stopped, refused or overtaken.

A fork carries out one task. What befalls it there is done where the interpreter asks the system for something: an audit
hook counts the steps that change the files of a folder, and at one of them ends the process, raises an error of the
system, or lets another one go first.
"""

from __future__ import annotations

import contextlib
import errno
import io
import json
import os
import resource
import shutil
import signal
import sqlite3
import sys
import tempfile
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd

import bounceanalytics as ba
from bounceanalytics import sqlite_file
from bounceanalytics.cleaning.manifest import open_run
from bounceanalytics.cli import main, shell
from bounceanalytics.datasets import is_dataset
from bounceanalytics.files import hidden
from bounceanalytics.knowledge.suppression_files import FORMATS
from tests.classified import classified
from tests.loading.exports import lines, sendgrid_bounce

#: What is written: one set of files, the one that takes its place, and that of another program at the same time.
RUNS = {"old": 300, "new": 420, "rival": 510}
#: Whom SQLite, DuckDB and Arrow are, so that all of a task is done by them.
NOBODY = 65534
_CLOCK = 30  # seconds after which a task hangs
_KINDS = ("bounced", "bounced", "complained", "unsubscribed", "delivered")


# what calls would import: a fork would do so each time, and nobody else may look into the folder of the interpreter
_USED = (
    "bounceanalytics.classifying.reader bounceanalytics.cleaning.clean bounceanalytics.report.contents scipy.sparse"
    " bounceanalytics.report.page bounceanalytics.report.workbook bounceanalytics.suppressing filelock"
    " encodings.cp437 encodings.idna encodings.punycode encodings.unicode_escape encodings.utf_32_le"
    " encodings.utf_8_sig"
)
for _name in _USED.split():
    import_module(_name)
for _name in ba.__all__:
    getattr(ba, _name)


# what is given


def make_given(folder: Path) -> None:
    """Make what each run is made from: exports, a list, verdicts, a run of ``clean``, and a dataset."""
    for name, size in RUNS.items():
        home = folder / name
        home.mkdir(parents=True)
        people = [f"{name}-{number}@example.com" for number in range(size)]
        (home / "events.json").write_bytes(
            lines(*(sendgrid_bounce(number, email=one) for number, one in enumerate(people)))
        )
        (home / "list.csv").write_text(
            "email,name\n" + "".join(f"{one},reader of {name}\n" for one in people)
        )
        events = [
            {"recipient": one, "event": _KINDS[number % len(_KINDS)]}
            for number, one in enumerate(people)
            if number % 2
        ]
        bounces = classified(events)
        bounces.to_pickle(home / "bounces")
        verdicts = ba.decide(bounces)
        verdicts.to_pickle(home / "verdicts")
        ba.clean(home / "list.csv", verdicts, home / "cleaned")
        ba.convert(home / "events.json", home / "dataset")


def _kept(given: Path, name: str) -> pd.DataFrame:
    frame: pd.DataFrame = pd.read_pickle(given / name)  # noqa: S301 - our own
    return frame


# the writers


def _command(*words: object) -> None:
    """Run a command line; what it says when it fails is an error."""
    out, err = io.StringIO(), io.StringIO()
    shell.out.file, shell.err.file = out, err
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main([str(word) for word in words], prog_name="bounceanalytics")
        except SystemExit as end:
            if end.code == 130:
                raise KeyboardInterrupt from None
            if end.code:
                raise ba.BounceAnalyticsError(err.getvalue().strip().removeprefix("Error: ")) from None


def _over(overwrite: bool) -> list[str]:
    return ["--overwrite"] if overwrite else []


def _clean(given: Path, out: Path, overwrite: bool) -> None:
    ba.clean(given / "list.csv", _kept(given, "verdicts"), out, overwrite=overwrite)


def _restore(given: Path, out: Path, overwrite: bool) -> None:
    ba.restore(given / "cleaned", out, overwrite=overwrite)


def _load(given: Path, out: Path, overwrite: bool) -> None:
    _command("load", given / "events.json", "--out", out, *_over(overwrite))


def _report(given: Path, out: Path, overwrite: bool) -> None:
    ba.report(_kept(given, "bounces"), out, overwrite=overwrite)


def _ledger(given: Path, out: Path, overwrite: bool) -> None:
    del overwrite  # it is added to
    with ba.Ledger(out) as ledger:
        ledger.update(_kept(given, "verdicts"), run=given.name)


def _suppressions(esp: str) -> Callable[[Path, Path, bool], None]:
    def write(given: Path, out: Path, overwrite: bool) -> None:
        ba.export_suppressions(_kept(given, "verdicts"), esp, out, overwrite=overwrite)

    return write


def _convert(given: Path, out: Path, overwrite: bool) -> None:
    ba.convert(given / "events.json", out, overwrite=overwrite)


def _classify(given: Path, out: Path, overwrite: bool) -> None:
    ba.classify(given / "dataset", out=out, overwrite=overwrite)


def _policy(given: Path, out: Path, overwrite: bool) -> None:
    ba.Policy(name=given.name).save(out, overwrite=overwrite)


def _samples(given: Path, out: Path, overwrite: bool) -> None:
    del given, overwrite  # a new folder, always
    _command("samples", "--out", out)


def _is_run(out: Path) -> None:
    with contextlib.suppress(ba.SourceError):
        open_run(out)


@dataclass(frozen=True, kw_only=True)
class Writer:
    """A call that writes.

    Attributes
    ----------
    name : str
    out : str
        What it writes is called so.
    write : callable
        Called with the folder of what is given, where to write to, and whether to overwrite.
    folder : bool
        It writes a folder.
    adds : bool
        It adds to what is there.
    look : callable
        What who reads it does first.
    several : bool
        It writes several files that nothing binds together: where it was killed, some of one run may be there.
    goes_on : bool
        What it has done when it is stopped stays, and the next one goes on from there.
    """

    name: str
    out: str
    write: Callable[[Path, Path, bool], None]
    folder: bool = False
    adds: bool = False
    goes_on: bool = False
    several: bool = False
    look: Callable[[Path], object] = bool


_WRITERS = [
    Writer(name="clean", out="cleaned", write=_clean, folder=True, look=_is_run),
    Writer(name="restore", out="list.csv", write=_restore),
    Writer(name="load-csv", out="events.csv", write=_load),
    Writer(name="load-parquet", out="events.parquet", write=_load),
    Writer(name="report-html", out="report.html", write=_report),
    Writer(name="report-xlsx", out="report.xlsx", write=_report),
    Writer(name="ledger", out="ledger.db", write=_ledger, adds=True),
    *(
        Writer(name=f"suppress-{esp}", out=f"suppress-{esp}.txt", write=_suppressions(esp), several=True)
        for esp in FORMATS
    ),
    Writer(name="convert", out="events", write=_convert, folder=True, look=is_dataset, goes_on=True),
    Writer(name="classify", out="bounces", write=_classify, folder=True, look=is_dataset),
    Writer(name="policy", out="ours.toml", write=_policy),
]
WRITERS = {one.name: one for one in _WRITERS}


# what is there


def tree(folder: Path) -> dict[str, Any]:
    """Return all that is in a folder, hidden things as well, without what tells one moment from another."""
    found: dict[str, Any] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            found[name] = str(path.readlink())
        elif path.is_dir():
            found[f"{name}/"] = ""
        elif path.exists():  # a journal goes as soon as somebody looks into its database
            found[name] = _content(path)
    return found


def visible(found: dict[str, Any]) -> dict[str, Any]:
    """Return what of it is not hidden, nor a journal of SQLite, which the next one who writes removes."""
    return {
        name: content
        for name, content in found.items()
        if not name.startswith(".") and "/." not in name and not name.endswith("-journal")
    }


def _content(path: Path) -> Any:
    content = path.read_bytes()
    if path.suffix == ".json" and content.startswith(b"{"):
        facts = json.loads(content)
        moments = {"time", "seconds", "id", "sum", "files"}
        return {name: fact for name, fact in facts.items() if name not in moments}
    if path.suffix == ".db" and content:
        with contextlib.closing(sqlite3.connect(path)) as database:
            ((whole,),) = database.execute("PRAGMA integrity_check").fetchall()
            if not database.execute("SELECT 1 FROM sqlite_schema WHERE name = 'entries'").fetchall():
                return [whole, [], []]  # it was just being made
            entries = database.execute("SELECT key, verdict, reason FROM entries ORDER BY key").fetchall()
            changes = database.execute("SELECT run, count(*) FROM changes GROUP BY run").fetchall()
            return [whole, entries, changes]
    return content


# one task


class _Steps:
    """Counts the steps that change files of a folder, and does something at one of them."""

    def __init__(self, folder: str, at: int, act: Callable[[str], None]) -> None:
        self.count = 0
        self._folder, self._at, self._act, self._busy = folder, at, act, False

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            flags = arguments[2]
            if not isinstance(flags, int) or not flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
                return
        elif event not in {"os.rename", "os.remove", "os.mkdir", "os.rmdir"}:
            return
        if self._busy or not isinstance(arguments[0], (str, bytes, os.PathLike)):
            return
        if not os.fsdecode(arguments[0]).startswith(self._folder):
            return
        self.count += 1
        if self._at and self.count >= self._at:
            self._busy = True
            try:
                self._act(event)
            finally:
                self._busy = False


def _fails(code: int, events: set[str], *, once: bool) -> Callable[[str], None]:
    """Return what raises an error of the system at a step, or at all from there."""
    done = False

    def fail(event: str) -> None:
        nonlocal done
        if event in events and not done:
            done = once
            raise OSError(code, os.strerror(code), "a file")

    return fail


def _once(act: Callable[[], object]) -> Callable[[str], None]:
    done = False

    def do(_: str) -> None:
        nonlocal done
        if not done:
            done = True
            act()

    return do


def _interrupt() -> None:
    raise KeyboardInterrupt


def _act(how: str, first: Callable[[], object]) -> Callable[[str], None]:
    """Return what happens at a step."""
    making = {"open", "os.mkdir"}
    return {
        "kill": _once(lambda: os.kill(os.getpid(), signal.SIGKILL)),
        "interrupt": _once(_interrupt),
        "full": _fails(errno.ENOSPC, making, once=False),
        "denied": _fails(errno.EACCES, {*making, "os.rename"}, once=True),
        "overtaken": _once(first),
    }.get(how, lambda _: None)


def carried_out(task: dict[str, Any]) -> dict[str, Any]:
    """Carry out a call; return how it ended, and how many steps it took."""
    writer = WRITERS[task["writer"]]
    out = Path(os.fsdecode(bytes.fromhex(task["out"])))
    given = Path(task["given"])
    steps: _Steps | None = None
    go = lambda: None  # noqa: E731
    if task["how"] == "overtaken":
        go = _rival(task, writer, out, given.parent / "rival")
    try:
        steps = _Steps(task["folder"], task["at"], _act(task["how"], go))
        sys.addaudithook(steps)
        writer.write(given, out, task["overwrite"])
        end = {"outcome": "right", "words": ""}
    except ba.BounceAnalyticsError as error:
        end = {"outcome": "refused", "words": str(error)}
    except KeyboardInterrupt:
        end = {"outcome": "interrupted", "words": ""}
    except BaseException as error:
        said = "".join(traceback.format_exception(error))
        end = {"outcome": "foreign", "words": said[-3000:]}
    signal.setitimer(signal.ITIMER_PROF, 0)
    if steps is not None:
        steps._at = 0
    go()
    return end | {"steps": steps.count if steps else 0}


def _rival(task: dict[str, Any], writer: Writer, out: Path, given: Path) -> Callable[[], None]:
    """Return what lets another process write the same, all of it, once."""
    there, here = os.pipe()
    child = os.fork()
    if not child:
        os.close(here)
        os.read(there, 1)
        # the other one waits for this one, which would wait for it
        hidden._PATIENCE = sqlite_file._PATIENCE = 0.2
        _tell(task, "rival", _ended(writer, given, out, task["overwrite"]))
        os._exit(0)
    os.close(there)
    waited = False

    def go() -> None:
        nonlocal waited
        if not waited:
            waited = True
            os.close(here)
            os.waitpid(child, 0)

    return go


def _ended(writer: Writer, given: Path, out: Path, overwrite: bool) -> dict[str, Any]:
    try:
        writer.write(given, out, overwrite)
    except ba.BounceAnalyticsError as error:
        return {"outcome": "refused", "words": str(error)}
    except BaseException as error:
        return {"outcome": "foreign", "words": "".join(traceback.format_exception(error))[-3000:]}
    return {"outcome": "right", "words": ""}


def _tell(task: dict[str, Any], name: str, end: dict[str, Any]) -> None:
    Path(task["told"], f"{name}.json").write_text(json.dumps(end, ensure_ascii=True))


def work(name: str) -> None:
    """Carry out the task that is in a file, in this process, and tell how it ended."""
    task = json.loads(Path(name).read_text())
    signal.alarm(_CLOCK)
    if task["how"] == "interrupted":
        signal.signal(signal.SIGPROF, signal.default_int_handler)
    tempfile.tempdir = task["temporary"]
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    if task["room"]:
        resource.setrlimit(resource.RLIMIT_FSIZE, (task["room"], hard))
    if task["nobody"]:
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    if task["how"] == "together":
        _together(task)
        return
    end = carried_out(task)
    if task["room"]:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    _tell(task, "end", end)


def _together(task: dict[str, Any]) -> None:
    """Let another process begin at once, and be killed when it was to be this one; this one goes on to its end."""
    left, _ = signal.setitimer(signal.ITIMER_PROF, 0)
    child = os.fork()
    given = Path(task["given"])
    if child:
        _tell(task, "rival", carried_out(task | {"how": "", "given": str(given.parent / "rival")}))
        os.waitpid(child, 0)
    else:
        signal.setitimer(signal.ITIMER_PROF, left)
        _tell(task, "end", carried_out(task | {"how": ""}))


def emptied(folder: Path) -> None:
    """Remove all that is in a folder."""
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()

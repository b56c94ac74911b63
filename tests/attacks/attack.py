"""What runs an attack: a fork of one process that has imported everything, so that nothing it does reaches the tests.

An attack is a row: files that are made in a folder, a call, how much it may cost, and what is wanted of it. Whatever
the call does, it has to end within its limits, with its result or with one sentence of an error of this package, and
never with a traceback, an error of a library or a signal. A topic is a module ``test_<topic>.py`` beside this one, with
a table of attacks and a test that is parametrised by :func:`attacks`.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

#: Parts of a message that no user should see.
_FOREIGN = re.compile(
    r"Traceback|Exception:|Error:.*Error:|panicked|\bSQL\b|INTERNAL|\bnan\b|<class|0x[0-9a-f]{6}"
)
_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_LONGEST = 4_000  # characters of a sentence that names several things


def no_files(folder: Path) -> None:
    """Make nothing, for calls that bring what they need."""


@dataclass(frozen=True, kw_only=True)
class Attack:
    """A call that was made to cost or to mislead.

    Attributes
    ----------
    name : str
    call : str
        A Python snippet, in which ``ba`` is the package and ``pd`` is pandas, or a command line that begins with
        ``bounceanalytics``.
    make : callable
        Makes the files, in a folder that it is given; the call works in that folder.
    error : str
        Pattern that is found in the sentence of the error, where one is wanted.
    check : str
        Python that has to be true behind a snippet that ends well; of a command line, ``out`` is what it has printed.
        A snippet may name ``seen`` what a failure should show. Where ``error`` is given, too, either end is right.
    seconds, mib : float and int
        CPU time, and memory beyond what the process has before the call, that it may cost.
    clock : float
        Seconds after which it hangs, however busy the machine is.
    room : int
        MiB of address space that the call is given beyond what it has, if any: less than it would like to have.
    slow : bool
        It takes more than half a second, and one that is like it is quick: it runs before a release.
    """

    name: str
    call: str
    make: Callable[[Path], object] = no_files
    error: str = ""
    check: str = ""
    seconds: float = 3
    mib: int = 200
    clock: float = 60
    room: int = 0
    slow: bool = False

    def __post_init__(self) -> None:
        assert self.error or self.check, f"{self.name}: say what is wanted"


def attacks(rows: Iterable[Attack]) -> Any:
    """Return the decorator that runs a test once for each row, as its argument ``attack``."""
    rare = [pytest.mark.slow, pytest.mark.huge]
    marked = [pytest.param(row, id=row.name, marks=rare if row.slow else []) for row in rows]
    return pytest.mark.parametrize("attack", marked)


class Arena:
    """The process that forks for each attack; POSIX only, and memory is watched where there is ``/proc``."""

    def __init__(self) -> None:
        command = [sys.executable, "-W", "ignore", str(Path(__file__).with_name("arena.py"))]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._process:
            assert self._process.stdin is not None
            self._process.stdin.close()

    def faults(self, attack: Attack, folder: Path) -> list[str]:
        """Carry out an attack, say what it cost, and return what of it is not as it should be."""
        work, temporary = folder / "work", folder / "temporary"
        work.mkdir()
        temporary.mkdir()
        attack.make(work)
        task = {
            "folder": str(work),
            "temporary": str(temporary),
            "told": str(folder / "told.json"),
            "call": attack.call,
            "check": attack.check,
            "clock": attack.clock,
            "mib": attack.mib,
            "room": attack.room,
        }
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(task), file=self._process.stdin, flush=True)
        end = json.loads(self._process.stdout.readline())
        print(
            f"{attack.name}: {end['seconds']:.2f} s, {end['mib']:.0f} MiB; {end['outcome']}: {end['words']}"
        )
        left = ["it has left temporary files"] if any(temporary.iterdir()) else []
        return [*_faults(attack, end), *left]


def _faults(attack: Attack, end: dict[str, Any]) -> Iterator[str]:
    outcome, words = end["outcome"], end["words"]
    if outcome in {"killed", "foreign"}:
        yield f"{outcome}: {words}"
    if end["seconds"] > attack.seconds:
        yield f"took {end['seconds']:.1f} s; {outcome}: {words}"
    if end["mib"] > attack.mib:
        yield f"took {end['mib']:.0f} MiB; {outcome}: {words}"
    if outcome == "refused":
        yield from _faults_of_sentence(words, attack.error)
    elif not attack.check:
        yield f"{attack.error!r} was wanted, and it ended well"
    elif outcome != "right":
        yield f"{attack.check} is not so: {words}"


def _faults_of_sentence(words: str, wanted: str) -> Iterator[str]:
    if not wanted:
        yield f"refused: {words}"
    elif not re.search(wanted, words):
        yield f"{words!r} does not say {wanted!r}"
    if len(words) > _LONGEST:
        yield f"{len(words):,} characters are no sentence: {words[:200]!r} …"
    if "\n" in words:
        yield f"more than a line: {words!r}"
    if _FOREIGN.search(words):
        yield f"foreign words: {words!r}"
    if _ADDRESS.search(words):
        yield f"a whole address: {words!r}"

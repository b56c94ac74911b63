"""Whatever writes is stopped, refused, or overtaken, at any moment: what is there is the old or the new, and nothing else."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.attacks.writers import NOBODY, WRITERS, Writer, emptied, make_given, tree, visible
from tests.killing import Nursery

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="writers fork, and steps are those of Linux")

PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
from tests.attacks.writers import work
"""

_FOREIGN = re.compile(r"Traceback|Exception|Error\b|errno|\.part\b|\.whole\b")
OFTEN = [pytest.mark.slow, pytest.mark.huge]


class Court:
    """Where writers write: what is given to them, a folder to write in, one for temporary files, and forks."""

    def __init__(self, home: Path, nursery: Nursery) -> None:
        self._home, self._nursery = home, nursery
        self.given, self.work, self.temporary = home / "given", home / "work", home / "temporary"
        self._told = home / "told"
        make_given(self.given)
        for folder in (self.work, self.temporary, self._told):
            folder.mkdir()
        subprocess.run(["chmod", "-R", "a+rX", str(home)], check=True)
        for folder in (self._told, self.temporary):
            folder.chmod(0o777)
        self._trees: dict[tuple[str, ...], dict[str, Any]] = {}

    def clear(self) -> None:
        """Make both folders empty."""
        for folder in (self.work, self.temporary):
            folder.chmod(0o777)
            emptied(folder)

    def out(self, writer: Writer) -> Path:
        return self.work / writer.out

    def run(
        self,
        writer: Writer,
        name: str,
        out: Path | None = None,
        *,
        how: str = "",
        at: int = 0,
        overwrite: bool = False,
        seconds: float = 0,
        room: int = 0,
        nobody: bool = False,
        temporary: Path | None = None,
        given: Path | None = None,
    ) -> dict[str, Any]:
        """Let a writer write a run; return how that ended."""
        for path in self._told.iterdir():
            path.unlink()
        task = {
            "writer": writer.name,
            "given": str((given or self.given) / name),
            "out": os.fsencode(out or self.out(writer)).hex(),
            "folder": str(self.work),
            "temporary": str(temporary or self.temporary),
            "told": str(self._told),
            "how": how,
            "at": at,
            "overwrite": overwrite and not writer.adds,
            "room": room,
            "nobody": nobody,
        }
        (self._home / "task.json").write_text(json.dumps(task))
        used = self._nursery.run(str(self._home / "task.json"), seconds=seconds)
        return {"outcome": "killed", "words": "", "steps": 0} | self.told("end") | {"used": used}

    def told(self, name: str) -> dict[str, Any]:
        path = self._told / f"{name}.json"
        found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
        return found

    def tree(self, writer: Writer, *names: str) -> dict[str, Any]:
        """Return what is there after some runs, and nothing else."""
        if (writer.name, *names) not in self._trees:
            before = self._kept()
            self.clear()
            for name in names:
                end = self.run(writer, name, overwrite=True)
                assert end["outcome"] == "right", end["words"]
            self._trees[writer.name, *names] = tree(self.work)
            self._put_back(before)
        return self._trees[writer.name, *names]

    def begin(self, writer: Writer, *names: str) -> None:
        """See to it that some runs are there, and nothing else."""
        home = self._home / "kept" / writer.name / "-".join(("of", *names))
        if not home.exists():
            self.clear()
            for name in names:
                end = self.run(writer, name, overwrite=True)
                assert end["outcome"] == "right", end["words"]
            shutil.copytree(self.work, home)
        self.clear()
        shutil.copytree(home, self.work, dirs_exist_ok=True)

    def _kept(self) -> Path:
        kept = self._home / "aside"
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(self.work, kept, symlinks=True)
        return kept

    def _put_back(self, kept: Path) -> None:
        self.clear()
        shutil.copytree(kept, self.work, dirs_exist_ok=True, symlinks=True)


@pytest.fixture(scope="module")
def court() -> Iterator[Court]:
    """Return one for all tests, in a folder that others may enter."""
    # a name of pytest's lies in a folder that is closed to others
    home = Path(tempfile.mkdtemp(prefix="writers-"))
    home.chmod(0o755)
    try:
        with Nursery(PROGRAM, Path(__file__).parents[2]) as nursery:
            yield Court(home, nursery)
    finally:
        shutil.rmtree(home)


def writers(few: object, many: object, quick: str = "policy suppress-mailgun", *, but: str = "") -> Any:
    """Return the decorator that runs a test once for each writer, with and without an old run.

    Its last argument is one of two values: of some writers a test with few is quick; of all of them, one with many is not.
    """
    rows = [
        pytest.param(one, over, number, id=f"{one.name}-{'over' if over else 'new'}-{number}", marks=marks)
        for number, marks in ((few, []), (many, OFTEN))
        for one in WRITERS.values()
        for over in (False, True)
        if one.name not in but.split() and (number is many or one.name in quick.split())
        if not (one.goes_on and over)  # that is in tests/loading/test_replacing.py
    ]
    return pytest.mark.parametrize(("writer", "over", "times"), rows)


def before_of(*, over: bool) -> tuple[str, ...]:
    return ("old",) if over else ()


def after_of(writer: Writer, *, over: bool, name: str = "new") -> tuple[str, ...]:
    return ("old", name) if writer.adds and over else (name,)


def check(court: Court, writer: Writer, *, over: bool, names: tuple[str, ...] = ("new",)) -> str:
    """See to it that what is there is one run, as those see it who read it; return which."""
    writer.look(court.out(writer))
    seen = visible(tree(court.work))
    known = {"old": before_of(over=over)} | {name: after_of(writer, over=over, name=name) for name in names}
    found = [name for name, runs in known.items() if seen == visible(court.tree(writer, *runs))]
    if (
        not found
        and not over
        and (writer.goes_on or (writer.adds and not any(ledger[1] for ledger in seen.values() if ledger)))
    ):
        return "begun"
    if not found and writer.several:
        known_trees = [visible(court.tree(writer, *runs)) for runs in known.values()]
        assert any(seen.items() <= whole.items() for whole in known_trees), f"a mixture: {sorted(seen)}"
        return "begun"
    assert found, f"there is something else: {sorted(seen)}"
    return found[0]


def check_next(court: Court, writer: Writer, *, over: bool) -> None:
    """See to it that the next run works, and leaves nothing of those before it."""
    court_before = ("old",) if over else ()
    end = court.run(writer, "new", overwrite=not writer.goes_on)
    assert end["outcome"] == "right", end["words"]
    there = tree(court.work)
    if writer.adds:  # whether the one before took place or not
        there = {name: [whole, entries] for name, (whole, entries, _) in there.items()}
        wanted = {
            name: [whole, entries]
            for name, (whole, entries, _) in court.tree(writer, *court_before, "new").items()
        }
        assert there == wanted
    else:
        assert there == court.tree(writer, "new")


def check_words(end: dict[str, Any]) -> None:
    assert end["outcome"] == "refused", end["words"]
    assert "\n" not in end["words"]
    assert not _FOREIGN.search(end["words"]), end["words"]


# kills


@writers(3, 50, "clean restore ledger suppress-mailgun")
def test_killed_at_any_moment(court: Court, writer: Writer, over: bool, times: int) -> None:
    before = before_of(over=over)
    court.begin(writer, *before)
    whole = court.run(writer, "new", overwrite=over)["used"]
    seen = {"old": 0, "new": 0, "begun": 0}
    for number in range(times):
        court.begin(writer, *before)
        court.run(writer, "new", overwrite=over, seconds=whole * (number + 0.5) / times)
        seen[check(court, writer, over=over)] += 1
        if times < 10 or number % 5 == 0:
            check_next(court, writer, over=over)


def some(number: int) -> list[int]:
    """Return three of so many steps, the last ones among them, where files get their names."""
    return sorted({number // 2 + 1, max(1, number - 2), number})


@writers("some", "all")
@pytest.mark.parametrize("how", ["kill", "interrupt", "full", "denied", "overtaken"])
def test_at_any_step(court: Court, writer: Writer, over: bool, times: str, how: str) -> None:
    before = before_of(over=over)
    court.begin(writer, *before)
    steps = court.run(writer, "new", overwrite=over)["steps"]
    seen: dict[str, int] = {}
    for step in some(steps) if times == "some" else range(1, steps + 1):
        court.begin(writer, *before)
        end = court.run(writer, "new", how=how, at=step, overwrite=over)
        if how == "kill":
            found = check(court, writer, over=over)
            check_next(court, writer, over=over)
        elif how == "overtaken":
            found = check_rivals(court, writer, end, over=over)
        else:
            found = check_stopped(court, writer, end, over=over)
        seen[found] = seen.get(found, 0) + 1


def check_stopped(court: Court, writer: Writer, end: dict[str, Any], *, over: bool) -> str:
    """See to it that what was stopped, or refused, left the old run or the new one, and nothing else at all."""
    if end["outcome"] == "foreign":
        raise AssertionError(end["words"])
    if end["outcome"] == "refused":
        check_words(end)
    found = check(court, writer, over=over)
    assert end["outcome"] != "right" or found == "new"
    if found != "begun":
        there = tree(court.work)
        if (
            end["outcome"] == "interrupted"
        ):  # Ctrl-C may come while the lock goes: nobody holds what is left of it
            there = {
                name: content for name, content in there.items() if content or not name.endswith(".lock")
            }
        assert there == court.tree(
            writer, *(before_of(over=over) if found == "old" else after_of(writer, over=over))
        )
    assert list(court.temporary.iterdir()) == []
    return f"{found}, {end['outcome']}"


def check_rivals(court: Court, writer: Writer, end: dict[str, Any], *, over: bool) -> str:
    """See to it that of two at once one run is there whole, and that who has not written it is told."""
    ends = {"new": end, "rival": court.told("rival")}
    right = [name for name, one in ends.items() if one["outcome"] == "right"]
    for one in ends.values():
        if one["outcome"] != "right":
            check_words(one)
    assert right
    if writer.adds or (writer.goes_on and len(right) == 2):
        return "both"
    assert over or len(right) == 1, "both believe that the file is theirs"
    found = check(court, writer, over=over, names=tuple(right))
    assert found in right
    assert tree(court.work) == court.tree(writer, *after_of(writer, over=over, name=found))
    return " and ".join(right)


@writers(2, 50, but="convert")
def test_two_at_once_one_of_which_is_killed(court: Court, writer: Writer, over: bool, times: int) -> None:
    before = before_of(over=over)
    court.begin(writer, *before)
    whole = court.run(writer, "new", overwrite=over)["used"]
    seen: dict[str, int] = {}
    for number in range(times):
        court.begin(writer, *before)
        court.run(writer, "new", how="together", overwrite=over, seconds=whole * (number + 0.5) / times)
        rival = court.told("rival")
        if rival["outcome"] != "right":
            check_words(rival)
        if not writer.adds:
            found = check(court, writer, over=over, names=("new", "rival"))
            # a set that is replaced once more may be between two states, and the next one completes it
            assert found == "rival" or rival["outcome"] != "right" or (found in {"new", "begun"} and over)
            if times < 10 or number % 5 == 0:
                check_next(court, writer, over=over)
            seen[found] = seen.get(found, 0) + 1


# interrupts


@writers(2, 50)
def test_interrupted_at_any_moment(court: Court, writer: Writer, over: bool, times: int) -> None:
    before = before_of(over=over)
    court.begin(writer, *before)
    whole = court.run(writer, "new", overwrite=over)["used"]
    seen: dict[str, int] = {}
    for number in range(times):
        court.begin(writer, *before)
        end = court.run(
            writer, "new", how="interrupted", overwrite=over, seconds=whole * (number + 0.5) / times
        )
        if end["outcome"] == "killed":  # before or behind the call
            continue
        found = check_stopped(court, writer, end, over=over)
        seen[found] = seen.get(found, 0) + 1


# places


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where nothing can be written, or where it is doubtful.

    Attributes
    ----------
    name : str
    out : callable
        Makes it of the folder and the name of what is to be written, and returns where that is.
    over : bool
        An old run is there.
    may : bool
        It may be written after all.
    options : dict
        How it is called.
    """

    name: str
    out: Callable[[Path], Path] = lambda out: out
    over: bool = False
    may: bool = False
    options: Any = None


def _mode(mode: int) -> Callable[[Path], Path]:
    def make(out: Path) -> Path:
        out.parent.chmod(mode)
        return out

    return make


def _in(name: str, make: Callable[[Path], object]) -> Callable[[Path], Path]:
    """Return what makes a thing in the folder, in which the file is to be."""

    def place(out: Path) -> Path:
        make(out.parent / name)
        return out.parent / name / out.name

    return place


def _at(make: Callable[[Path], object]) -> Callable[[Path], Path]:
    def place(out: Path) -> Path:
        make(out)
        return out

    return place


def _named(name: str) -> Callable[[Path], Path]:
    return lambda out: out.with_name(name + out.suffix)


def _no_file(path: Path) -> None:
    """Make a folder with something in it, in the way of a file and of a folder of files."""
    path.mkdir()
    (path / "other").write_text("other")
    (path / "kept.csv").mkdir()


PLACES = [
    Place(name="folder-not-writable", out=_mode(0o555), options={"nobody": True}),
    Place(name="folder-not-writable-old", out=_mode(0o555), over=True, may=True, options={"nobody": True}),
    Place(name="folder-closed", out=_mode(0o000), options={"nobody": True}),
    Place(
        name="new-folder-in-not-writable",
        out=lambda out: _mode(0o555)(out).parent / "new" / out.name,
        options={"nobody": True},
    ),
    Place(name="folder-in-the-way", out=_at(_no_file)),
    Place(name="file-in-the-way", out=_in("file", lambda path: path.write_text("x"))),
    Place(
        name="file-in-the-way-deeper",
        out=lambda out: _in("file", lambda path: path.write_text("x"))(out).parent / "more" / out.name,
    ),
    Place(name="too-long", out=_named("x" * 300)),
    Place(name="long", out=lambda out: out.with_name("x" * (255 - len(out.suffix)) + out.suffix), may=True),
    Place(name="long-in-bytes", out=_named("é" * 125), may=True),
    Place(name="too-long-path", out=lambda out: out.parent.joinpath(*(["x" * 200] * 25), out.name)),
    Place(name="not-utf-8", out=_named(os.fsdecode(b"caf\xe9")), may=True),
    Place(name="in-not-utf-8", out=_in(os.fsdecode(b"caf\xe9"), Path.mkdir), may=True),
    Place(name="nul", out=_named("a\0b")),
    Place(name="dangling", out=_at(lambda path: path.symlink_to(path.parent / "nowhere" / "x")), may=True),
    Place(name="loop", out=_at(lambda path: path.symlink_to(path)), may=True),
    Place(name="in-dangling", out=_in("link", lambda path: path.symlink_to(path.parent / "nowhere"))),
    Place(name="in-loop", out=_in("link", lambda path: path.symlink_to(path))),
    Place(name="no-room", over=True, options={"room": 50}),
    Place(name="no-room-new", options={"room": 50}),
    Place(name="hardly-room", options={"room": 1500}, may=True),
    Place(name="no-temporary-folder", options={"temporary": Path("/nowhere")}, may=True),
    Place(name="temporary-folder-closed", options={"temporary": Path("/usr"), "nobody": True}, may=True),
]
#: One for each way in which files are written, and all that need another library to write; those of datasets are told
#: in words of the system yet.
QUICK, SLOW = ["restore", "ledger", "suppress-mailgun", "policy"], ["clean", "load-csv", "load-parquet"]


@pytest.mark.parametrize("place", PLACES, ids=lambda one: one.name)
@pytest.mark.parametrize("name", [*QUICK, *(pytest.param(one, marks=OFTEN) for one in SLOW)])
def test_where_it_cannot_write(court: Court, name: str, place: Place) -> None:
    writer = WRITERS[name]
    options = dict(place.options or {})
    if options.get("nobody") and os.getuid() != 0:
        pytest.skip("only root can be somebody else")
    court.begin(writer, *(["old"] if place.over else []))
    if options.get("nobody"):
        for path in [court.work, *court.work.rglob("*")]:
            os.chown(path, NOBODY, NOBODY)
    try:
        out = place.out(court.out(writer))
        before = tree(court.work)
        end = court.run(writer, "new", out, overwrite=True, **options)
        court.work.chmod(0o777)
        assert end["outcome"] != "foreign", end["words"]
        if end["outcome"] == "right" and place.may:
            return
        check_words(end)
        assert tree(court.work) == before
        assert list(court.temporary.iterdir()) == []
    finally:
        for path in [court.work, *court.work.rglob("*")]:
            if not path.is_symlink():
                path.chmod(0o777)


@pytest.mark.parametrize("name", ["clean", "restore", "load-csv"])
def test_what_cannot_be_read_is_told(court: Court, name: str) -> None:
    writer = WRITERS[name]
    if os.getuid() != 0:
        pytest.skip("only root can be somebody else")
    given = court.given.with_name("closed")
    if not given.exists():
        shutil.copytree(court.given, given)
        for path in given.rglob("*"):
            if path.is_file() and path.suffix:  # what tests are made of lies beside
                path.chmod(0)
    court.begin(writer, "old")
    for path in [court.work, *court.work.rglob("*")]:
        os.chown(path, NOBODY, NOBODY)
    before = tree(court.work)
    end = court.run(writer, "new", overwrite=True, nobody=True, given=given)
    check_words(end)
    assert tree(court.work) == before
    assert list(court.temporary.iterdir()) == []

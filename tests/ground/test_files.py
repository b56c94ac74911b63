"""Files and sets of files that are written whole or not at all, and by one room only."""

from __future__ import annotations

import ast
import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import filelock
import pytest

import bounceanalytics
from bounceanalytics.errors import OutputError
from bounceanalytics.files import (
    HiddenFiles,
    SummedFile,
    complete_files,
    refuse_existing,
    require_folder,
    whole_file,
    whole_files,
    whole_folder,
    write_whole,
)


class Killed(BaseException):
    """Stands for a process that ends here: nothing runs after it."""


def write(folder: Path, text: str, names: tuple[str, ...] = ("a", "b", "last")) -> None:
    with whole_files(folder, last="last", overwrite=True) as part:
        for name in names:
            (part / name).write_text(text)


def content(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir() if not path.name.startswith(".")}


def test_a_new_folder_comes_into_being_with_its_files(tmp_path: Path) -> None:
    write(tmp_path / "x" / "out", "1")
    assert content(tmp_path / "x" / "out") == {"a": "1", "b": "1", "last": "1"}
    assert [path.name for path in (tmp_path / "x").iterdir()] == ["out"]


@pytest.mark.parametrize("step", range(1, 5))
def test_files_that_cannot_all_move_in_move_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    out = tmp_path / "out"
    write(out, "old")
    moves = 0
    replace = Path.replace

    def killed(self: Path, target: Path) -> Path:
        nonlocal moves
        moves += 1
        if moves == step:
            raise Killed
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", killed)
    try:
        write(out, "new")
    except Killed:
        assert content(out) == {"a": "old", "b": "old", "last": "old"}
    else:
        assert step == 4
        assert content(out) == {"a": "new", "b": "new", "last": "new"}
    monkeypatch.undo()
    write(out, "again")
    assert content(out) == {"a": "again", "b": "again", "last": "again"}


def fewer(folder: Path, text: str) -> None:
    """Write a set without ``b``, which the one before it has."""
    with whole_files(folder, overwrite=True, earlier=lambda: folder.glob("[ab]")) as part:
        (part / "a").write_text(text)


@pytest.mark.parametrize("call", ["rename", "replace"])
@pytest.mark.parametrize("step", range(1, 5))
def test_what_a_set_does_not_have_goes_with_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, step: int
) -> None:
    """Also where the process is killed, or fails, at any of its moves."""
    out = tmp_path / "out"
    for alive in (True, False):
        write(out, "old")
        moves = 0
        move = getattr(Path, call)

        def stopped(self: Path, target: Path, move: Callable[..., Path] = move, alive: bool = alive) -> Path:
            nonlocal moves
            moves += 1
            if moves == step or (moves > step and not alive):
                raise Killed
            return move(self, target)

        monkeypatch.setattr(Path, call, stopped)
        if not alive:
            monkeypatch.setattr("bounceanalytics.files.disk.surely", lambda *_, **__: None)
        with contextlib.suppress(Killed):
            fewer(out, "new")
        monkeypatch.undo()
        if not alive:
            complete_files(out)
        assert content(out) in ({"a": "old", "b": "old", "last": "old"}, {"a": "new", "last": "old"})
        fewer(out, "again")
        assert content(out) == {"a": "again", "last": "old"}


def test_an_error_leaves_everything_as_it_was(tmp_path: Path) -> None:
    out = tmp_path / "out"
    write(out, "old")

    def run_full() -> None:
        with whole_files(out, last="last", overwrite=True) as part:
            (part / "a").write_text("new")
            raise OSError(28, os.strerror(28))

    with pytest.raises(OutputError, match="cannot be written: No space left"):
        run_full()
    assert content(out) == {"a": "old", "b": "old", "last": "old"}
    assert len(list(out.iterdir())) == 3


def test_what_dead_processes_left_behind_is_removed(tmp_path: Path) -> None:
    out = tmp_path / "out"
    for home in (tmp_path, out):
        home.mkdir(exist_ok=True)
        for name in (".out.dead", ".out.alive", ".other.dead"):
            (home / f"{name}.part").mkdir()
            (home / f"{name}.part" / "kept.csv").write_text("half")
            (home / f"{name}.lock").write_text("")
    with filelock.FileLock(out / ".out.alive.lock"):
        write(out, "new")
        left = {path.name for path in out.iterdir()} - {"a", "b", "last"}
        assert left == {".out.alive.part", ".out.alive.lock", ".other.dead.part", ".other.dead.lock"}
    assert not list(tmp_path.glob(".out.*"))  # from before there was the folder


def test_two_at_once_are_in_nobodys_way(tmp_path: Path) -> None:
    out = tmp_path / "out"
    write(out, "old")
    with whole_files(out, last="last", overwrite=True) as first:
        (first / "a").write_text("first")
        write(out, "second")
        assert content(out) == {"a": "second", "b": "second", "last": "second"}
    assert content(out)["a"] == "first"


def test_a_file_knows_its_size_and_checksum(tmp_path: Path) -> None:
    with SummedFile(tmp_path / "x") as file:
        file.write(b"ab")
        file.write(memoryview(b"c"))
    assert (tmp_path / "x").read_bytes() == b"abc"
    assert file.bytes == 3
    assert file.sha256.startswith("ba7816bf")


# one file


def test_a_file_comes_whole_with_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "x" / "a.csv"
    with whole_file(path, overwrite=False) as part:
        part.write_text("all of it")
        assert not path.exists()
    assert path.read_text() == "all of it"
    assert list(path.parent.iterdir()) == [path]


def test_a_file_is_replaced_only_on_request(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    write_whole(path, b"old", overwrite=False)
    with pytest.raises(OutputError) as caught:
        write_whole(path, b"new", overwrite=False)
    assert str(caught.value) == f"{path} exists; pass overwrite=True or choose another name"
    assert path.read_bytes() == b"old"
    write_whole(path, b"new", overwrite=True)
    assert path.read_bytes() == b"new"


def test_a_file_that_comes_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"

    def overtaken() -> None:
        with whole_file(path, overwrite=False) as part:
            part.write_text("second")
            path.write_text("first")

    with pytest.raises(OutputError, match="exists"):
        overtaken()
    assert path.read_text() == "first"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), ValueError("no"), Killed()])
def test_a_file_that_fails_leaves_the_old_one_alone(tmp_path: Path, error: BaseException) -> None:
    path = tmp_path / "a.csv"
    path.write_text("old")

    def failing() -> None:
        with whole_file(path, overwrite=True) as part:
            part.write_text("half")
            raise error

    told = isinstance(error, OSError)
    with pytest.raises(
        OutputError if told else type(error), match=r"a\.csv cannot be written" if told else None
    ):
        failing()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_killed_process_left_beside_a_file_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    program = """
import os, sys
from pathlib import Path
from bounceanalytics.files import whole_file
with whole_file(Path(sys.argv[1]), overwrite=False) as part:
    part.write_text("half")
    os._exit(9)
"""
    assert subprocess.run([sys.executable, "-c", program, path], check=False).returncode == 9
    assert not path.exists()
    assert len(list(tmp_path.iterdir())) == 2  # what it wrote, and its lock
    with whole_file(path, overwrite=False) as part:
        part.write_text("whole")
        assert {one.suffix for one in tmp_path.iterdir()} == {".part", ".lock"}
        write_whole(path.with_name("b.csv"), b"another", overwrite=False)
    assert {one.name: one.read_text() for one in tmp_path.iterdir()} == {"a.csv": "whole", "b.csv": "another"}


# one folder


@pytest.mark.parametrize("step", ["rename", "rmtree", "fsync"])
@pytest.mark.parametrize("number", [1, 2, 3])
def test_ctrl_c_at_any_step_leaves_one_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, number: int
) -> None:
    out = tmp_path / "out"
    for text in ("old", "new"):
        calls = 0
        home = {"rename": Path, "rmtree": shutil, "fsync": os}[step]
        real = getattr(home, step)

        def interrupted(*arguments: Any, **options: Any) -> Any:
            nonlocal calls
            calls += 1
            done = real(*arguments, **options)  # noqa: B023 - of this round
            if calls == number:
                raise KeyboardInterrupt
            return done

        if text == "new":
            monkeypatch.setattr(home, step, interrupted)
        with contextlib.suppress(KeyboardInterrupt), whole_folder(out) as part:
            (part / "a").write_text(text)
    assert content(out)["a"] in {"old", "new"}
    assert list(tmp_path.iterdir()) == [out]


# files in several folders


def test_hidden_files_get_their_names_together(tmp_path: Path) -> None:
    files = HiddenFiles()
    paths = [tmp_path / "x" / "a", tmp_path / "y" / "z" / "b"]
    for path in paths:
        files.new(path).write_text("1")
    assert not any(path.exists() for path in paths)
    files.reveal()
    assert [path.read_text() for path in paths] == ["1", "1"]
    files.new(paths[0]).write_text("2")
    files.discard()
    files.reveal()
    assert paths[0].read_text() == "1"
    assert [one.name for one in paths[0].parent.iterdir()] == ["a"]


# the one refusal


def test_all_that_exists_is_told_in_one_sentence(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in "abc"]
    refuse_existing(paths, overwrite=False)
    for path in paths[1:]:
        path.touch()
    with pytest.raises(OutputError) as caught:
        refuse_existing(paths, overwrite=False)
    assert str(caught.value) == f"{paths[1]} and 1 more exist; pass overwrite=True or choose another name"
    refuse_existing(paths, overwrite=True)
    with pytest.raises(OutputError, match="c is the list itself; write to another folder"):
        refuse_existing(paths, overwrite=True, source=paths[2])


def test_a_folder_is_never_replaced_by_a_file(tmp_path: Path) -> None:
    for overwrite in (False, True):
        with pytest.raises(OutputError, match="is a folder; name a file in it"):
            refuse_existing([tmp_path], overwrite=overwrite)
    refuse_existing([tmp_path], overwrite=True, folders=True)
    with pytest.raises(OutputError, match="exists; pass overwrite=True"):
        refuse_existing([tmp_path], overwrite=False, folders=True)
    require_folder(tmp_path / "a")
    with pytest.raises(OutputError, match=r"there is no folder .*nowhere; make it first"):
        require_folder(tmp_path / "nowhere" / "a")


# the one writer

HOME = Path(bounceanalytics.__file__).parent

#: What only ``files`` does. Of a method, called with one argument: text.replace takes two, frame.rename takes names.
ONCE = {"fsync", "replace", "rename", "renames", "NamedTemporaryFile", "mkstemp", "move", "copyfile", "link"}
#: Where something is written that is no output, or lies in a folder or under a name that ``files`` gave.
ELSEWHERE = {
    "cleaning/clean.py": {"write_text"},  # in the folder of whole_files
    "cli/shell.py": {"open"},  # os.devnull, for "| head"
    "datasets/state.py": {"write_text"},  # a hidden file
    "distributed/verbs.py": {"write_text"},  # of files
    "loading/converting.py": {"open", "write_text"},  # hidden files
    "loading/slices.py": {"NamedTemporaryFile", "write_bytes"},  # temporary files
    "opening/archives.py": {"open"},  # temporary files
    "opening/sources.py": {"copyfile"},  # temporary, where there are no links
    "suppressing/suppressions.py": {"open"},  # in the folder of whole_files
}


def _writes(call: ast.Call) -> str:
    """Return the name of what a call does to the disk, else nothing."""
    method = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    name = method or getattr(call.func, "id", "")
    if name == "open":
        words = [*call.args, *(one.value for one in call.keywords if one.arg == "mode")]
        modes = {
            word.value for word in words if isinstance(word, ast.Constant) and isinstance(word.value, str)
        }
        return name if any(set(mode) <= set("wxarbt+") and set(mode) & set("wxa+") for mode in modes) else ""
    if name in {"write_text", "write_bytes"}:
        return name
    if name in ONCE and (name not in {"replace", "rename"} or (len(call.args) == 1 and not call.keywords)):
        return name
    return ""


def test_no_other_room_writes_files_of_its_own() -> None:
    found: dict[str, set[str]] = {}
    for path in HOME.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names = {_writes(node) for node in ast.walk(tree) if isinstance(node, ast.Call)} - {""}
        if names:
            found[path.relative_to(HOME).as_posix()] = names
    ours = set().union(*(found.pop(name) for name in list(found) if name.startswith("files/")))
    assert {"replace", "rename", "fsync"} <= ours
    assert found == ELSEWHERE


def test_no_other_room_refuses_what_exists() -> None:
    sentences = {
        path.relative_to(HOME).as_posix()
        for path in HOME.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.JoinedStr) and "choose another name" in ast.unparse(node)
    }
    assert {name.partition("/")[0] for name in sentences} == {"files"}

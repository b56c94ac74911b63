"""Sets of files that are written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import filelock
import pytest

from bounceanalytics.errors import OutputError
from bounceanalytics.files import SummedFile, whole_files


class Killed(BaseException):
    """Stands for a process that ends here: nothing runs after it."""


def write(folder: Path, text: str, names: tuple[str, ...] = ("a", "b", "last")) -> None:
    with whole_files(folder, last="last") as part:
        for name in names:
            (part / name).write_text(text)


def content(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir() if not path.name.startswith(".")}


def test_a_new_folder_comes_into_being_with_its_files(tmp_path: Path) -> None:
    write(tmp_path / "x" / "out", "1")
    assert content(tmp_path / "x" / "out") == {"a": "1", "b": "1", "last": "1"}
    assert [path.name for path in (tmp_path / "x").iterdir()] == ["out"]


@pytest.mark.parametrize("step", range(1, 5))
def test_a_mixture_of_two_sets_lacks_the_last_file(
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
        assert "last" not in content(out)
        assert set(content(out).values()) <= {"old", "new"}
    else:
        assert content(out) == {"a": "new", "b": "new", "last": "new"}
    monkeypatch.undo()
    write(out, "again")
    assert content(out) == {"a": "again", "b": "again", "last": "again"}


def test_an_error_leaves_everything_as_it_was(tmp_path: Path) -> None:
    out = tmp_path / "out"
    write(out, "old")

    def run_full() -> None:
        with whole_files(out, last="last") as part:
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
    with whole_files(out, last="last") as first:
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

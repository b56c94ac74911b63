"""Temporary folders go with the work, or with the next one where it was killed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from bounceanalytics import temporary
from bounceanalytics.errors import OutputError
from bounceanalytics.temporary import temporary_folder

KILLED = """
import os, sys, tempfile
from pathlib import Path
from bounceanalytics.temporary import temporary_folder

tempfile.tempdir = sys.argv[1]
with temporary_folder() as folder:
    Path(folder, "list.csv").write_text("email")
    os._exit(9)
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return where temporary folders are made; nobody has looked there yet."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    temporary._remove_leftovers.cache_clear()
    return tmp_path


@pytest.mark.skipif(sys.platform == "win32", reason="folders cannot be locked there")
def test_what_a_killed_process_left_goes_with_the_next_one(place: Path) -> None:
    with temporary_folder() as mine:
        assert subprocess.run([sys.executable, "-c", KILLED, place], check=False).returncode == 9
        left = [one for one in place.iterdir() if one != Path(mine)]
        assert [one.name for one in left[0].iterdir()] == ["list.csv"]
        temporary._remove_leftovers.cache_clear()
        with temporary_folder() as other:
            assert {str(one) for one in place.iterdir()} == {mine, other}
    assert list(place.iterdir()) == []


def test_an_error_takes_it_along(place: Path) -> None:
    def interrupted() -> None:
        with temporary_folder() as folder:
            Path(folder, "a").write_text("a")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(place.iterdir()) == []


def test_no_place_for_one_is_told(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(place / "nowhere"))
    with pytest.raises(OutputError, match=r"no temporary folder can be made \(No such file .*\); let TMPDIR"):
        temporary_folder().__enter__()


@pytest.mark.skipif(temporary.fcntl is None, reason="nobody removes leftovers there")
def test_one_that_is_taken_for_a_leftover_before_it_is_locked_is_made_again(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    make, taken = Path.mkdir, []

    def made(path, mode):
        make(path, mode)
        if not taken:
            taken.append(str(path))
            path.rmdir()

    monkeypatch.setattr(Path, "mkdir", made)
    with temporary_folder() as folder:
        assert Path(folder).is_dir()
    assert taken != [folder]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("call", ["mkdir", "exists", "rmtree", "open"])
@pytest.mark.parametrize("done", [False, True])
def test_an_interrupt_at_any_step_leaves_none(
    place: Path, monkeypatch: pytest.MonkeyPatch, call: str, done: bool
) -> None:
    """Before the step, or right behind it."""
    owner: Any = {"rmtree": shutil, "open": os}.get(call, Path)
    real, calls = getattr(owner, call), []

    def interrupted(*given: Any, **options: Any) -> Any:
        calls.append(call)
        if len(calls) > 1:
            return real(*given, **options)
        if done:
            real(*given, **options)
        raise KeyboardInterrupt

    monkeypatch.setattr(owner, call, interrupted)
    with pytest.raises(KeyboardInterrupt), temporary_folder():
        pass
    assert calls
    assert list(place.iterdir()) == []

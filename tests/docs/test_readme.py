"""The README's example runs as it is written, and its commands are real."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import bounceanalytics as ba


def blocks(root: Path, language: str) -> list[str]:
    text = (root / "README.md").read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)


def test_python_example(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    examples = blocks(root, "python")
    assert examples
    names: dict[str, object] = {}
    for example in examples:
        exec(compile(example, "README.md", "exec"), names)  # noqa: S102
    assert (tmp_path / "report.html").exists()
    assert (tmp_path / "cleaned" / "kept.csv").exists()


def test_commands_exist(root: Path) -> None:
    makefile = (root / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^(\w+):", makefile, flags=re.MULTILINE))
    used = {
        word for block in blocks(root, "sh") for word in re.findall(r"^make (\w+)", block, flags=re.MULTILINE)
    }
    assert {"demo", "test"} <= used <= targets


def test_public_names_are_what_they_say() -> None:
    assert sorted(ba.__all__, key=str) == sorted(set(ba.__all__), key=str)
    assert all(hasattr(ba, name) for name in ba.__all__)

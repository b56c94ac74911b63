"""The README's examples and commands run as they are written."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

import bounceanalytics as ba
from bounceanalytics.cli import main
from bounceanalytics.domains import check
from bounceanalytics.domains.asking import addresses_of
from tests.domains.servers import NameServer, addresses


def blocks(root: Path, language: str) -> list[str]:
    text = (root / "README.md").read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)


@pytest.mark.slow
def test_python_example(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    examples = blocks(root, "python")
    assert examples
    names: dict[str, object] = {}
    with NameServer() as first, NameServer() as second:  # nobody out there is asked
        monkeypatch.setattr(check, "addresses_of", lambda _: addresses_of(addresses(first, second)))
        for example in examples:
            exec(compile(example, "README.md", "exec"), names)  # noqa: S102
    assert (tmp_path / "report.html").exists()
    assert (tmp_path / "cleaned" / "kept.csv").exists()


@pytest.mark.slow
def test_command_lines(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (lines,) = [block for block in blocks(root, "sh") if block.startswith("bounceanalytics ")]
    used = set()
    for line in lines.splitlines():
        words = shlex.split(line, comments=True)
        command, target = (words, None) if ">" not in words else (words[:-2], words[-1])
        if command[0] == "cd":
            monkeypatch.chdir(command[1])
            continue
        assert command[0] == "bounceanalytics"
        used.add(command[1])
        result = CliRunner().invoke(main, command[1:])
        assert result.exit_code == 0, f"{line}\n{result.output}"
        if target:
            Path(target).write_text(result.stdout, encoding="utf-8")
    assert used > {"load", "report", "clean", "restore", "suppress", "ledger"}
    for made in (
        "report.html",
        "cleaned/kept.csv",
        "cleaned_by_ours/kept.csv",
        "list_again.csv",
        "suppress.csv",
    ):
        assert (tmp_path / "samples" / made).exists()


def test_make_targets_exist(root: Path) -> None:
    makefile = (root / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^(\w+):", makefile, flags=re.MULTILINE))
    text = (root / "README.md").read_text(encoding="utf-8")
    used = set(re.findall(r"^make (\w+)|`make (\w+)`", text, flags=re.MULTILINE))
    names = {name for pair in used for name in pair if name}
    assert {"demo", "test"} <= names <= targets


def test_links_lead_somewhere(root: Path) -> None:
    folders = ("*.md", "bounceanalytics/**/*.md", "data/**/*.md", "docs/**/*.md", "benchmarks/*.md")
    pages = [page for folder in folders for page in root.glob(folder)]
    for page in pages:
        for target in re.findall(r"\]\((?!https?://)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page}: {target}"


def test_public_names_are_what_they_say() -> None:
    assert sorted(ba.__all__, key=str) == sorted(set(ba.__all__), key=str)
    assert all(hasattr(ba, name) for name in ba.__all__)

"""Starting: version, help, `python -m`, shell completion, and samples to try the verbs on."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

import bounceanalytics as ba
from bounceanalytics.cli import main


@pytest.mark.parametrize("option", ["-V", "--version"])
def test_version(option: str) -> None:
    result = CliRunner().invoke(main, [option])
    assert (result.exit_code, result.output) == (0, f"bounceanalytics, version {ba.__version__}\n")


def test_help_is_the_same_for_both_spellings_and_every_verb_has_it() -> None:
    short, long = (CliRunner().invoke(main, [option]) for option in ("-h", "--help"))
    assert short.exit_code == 0
    assert short.output == long.output
    for verb, command in main.commands.items():
        assert command.help, verb
        assert verb in short.output
        assert CliRunner().invoke(main, [verb, "-h"]).exit_code == 0


def test_python_m(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["bounceanalytics", "explain", "5.3.1"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("bounceanalytics", run_name="__main__")
    assert ended.value.code == 0
    assert "Mail system full" in capsys.readouterr().out


def test_a_shell_completes_verbs_and_options(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("_BOUNCEANALYTICS_COMPLETE", "zsh_source")
    with pytest.raises(SystemExit) as ended:
        main([], prog_name="bounceanalytics")
    assert ended.value.code == 0
    assert "#compdef bounceanalytics" in capsys.readouterr().out
    completion = ShellComplete(main, {}, "bounceanalytics", "_BOUNCEANALYTICS_COMPLETE")
    assert [item.value for item in completion.get_completions([], "cl")] == ["classify", "clean"]
    assert "--policy" in [item.value for item in completion.get_completions(["clean"], "--p")]


def test_samples_are_copied_once(tmp_path: Path, samples: Path) -> None:
    target = tmp_path / "samples"
    result = CliRunner().invoke(main, ["samples", "--out", str(target)])
    assert result.exit_code == 0, result.output
    for name in ("list.csv", "README.md", "exports/sendgrid/suppression_bounces.csv"):
        assert (target / name).read_bytes() == (samples / name).read_bytes()
    (target / "list.csv").write_text("mine", encoding="utf-8")
    again = CliRunner().invoke(main, ["samples", "--out", str(target)])
    assert again.exit_code == 1
    assert again.stderr.splitlines() == [f"Error: {target} is not empty; name another folder with --out"]
    assert (target / "list.csv").read_text(encoding="utf-8") == "mine"


def test_no_file_of_rules_is_written_where_there_is_nothing_to_fill_in(tmp_path: Path, samples: Path) -> None:
    rules = tmp_path / "own.toml"
    known = samples / "exports" / "sendgrid" / "suppression_invalid_emails.json"
    result = CliRunner().invoke(main, ["unclassified", str(known), "--out", str(rules)])
    assert result.exit_code == 0, result.output
    assert "was not written" in result.output
    assert not rules.exists()

"""What runs attacks tells those that succeed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.attacks.attack import Arena, Attack

LOST = {
    "time": ("while True: pass", "took .* s|did not end within"),
    "memory": ("held = b'x' * 140 * 1024**2; right = True", "took .* MiB"),
    "more memory than may be told": ("held = b'x' * 2000 * 1024**2", "killed: it took more than"),
    "a signal": ("import os; os.abort()", "killed: it ended with status -6"),
    "a foreign error": ("{}['key']", "foreign: (?s:.*)KeyError"),
    "an end of the process": ("import sys; sys.exit(1)", "foreign: (?s:.*)SystemExit"),
    "another sentence": ("ba.load('nowhere.json')", "does not say 'something else'"),
    "no sentence": ("raise ba.SourceError('something else\\nand more')", "more than a line"),
    "an address": (
        # the package's own errors hide it, whoever writes their message
        "class Bare(ba.SourceError): __str__ = lambda _: 'something else: ann@example.com'\nraise Bare",
        "a whole address",
    ),
    "another result": ("right = False", "is not so"),
    "files": ("import tempfile; tempfile.mkdtemp(); right = True", "left temporary files"),
    "a command": ("bounceanalytics load nowhere.json", "does not say 'something else'"),
}


@pytest.mark.parametrize("name", LOST)
def test_an_attack_that_succeeds_is_told(name: str, arena: Arena, tmp_path: Path) -> None:
    call, words = LOST[name]
    attack = Attack(
        name=name, call=call, error="something else", check="right", seconds=0.5, mib=100, clock=2
    )
    assert re.search(words, "\n".join(arena.faults(attack, tmp_path)))


def test_an_attack_that_fails_is_right(arena: Arena, tmp_path: Path) -> None:
    attack = Attack(
        name="none", call="bounceanalytics --version", check="'bounceanalytics' in out", seconds=1
    )
    assert not arena.faults(attack, tmp_path)

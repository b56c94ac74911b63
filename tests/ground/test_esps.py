"""ESPs are named in the registry, by their formats and in the tables of knowledge, and nowhere else."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import bounceanalytics as ba
from bounceanalytics.esps import ESPS, esp_titles
from bounceanalytics.knowledge.rules import esp_words
from bounceanalytics.loading.formats import esp_modules

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(ba.__file__).parent
NAMED_IN = ("esps.py", "loading/formats/", "knowledge/")
WORDS = re.compile(
    "|".join(
        rf"(?<![a-z]){re.escape(word)}(?![a-z])" for esp in ESPS.values() for word in (esp.name, esp.title)
    ),
    re.IGNORECASE,
)
#: The readers of one ESP bear its name.
READERS = {f"read_{name}" for name in ESPS}


def named(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield what code says: names and texts, without docstrings, and without the readers of one ESP."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef) and node.name in READERS:
            continue
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value not in READERS:
            yield node.lineno, node.value
        for field in ("id", "attr", "name", "arg", "module"):
            text = getattr(node, field, None)
            if isinstance(text, str) and text not in READERS:
                yield getattr(node, "lineno", 0), text
        yield from named(node)


def outside(pattern: str) -> list[Path]:
    """Return the files of the package in which no ESP is to be named."""
    files = sorted(PACKAGE.rglob(pattern))
    return [file for file in files if not file.relative_to(PACKAGE).as_posix().startswith(NAMED_IN)]


def test_no_other_module_names_an_esp() -> None:
    found = [
        f"{file.relative_to(PACKAGE)}:{line}: {text[:60]}"
        for file in outside("*.py")
        for line, text in named(ast.parse(file.read_text(encoding="utf-8")))
        if WORDS.search(text)
    ]
    assert not found, "\n".join(found)


def test_no_query_names_an_esp() -> None:
    for file in outside("*.sql"):
        assert not WORDS.search(file.read_text(encoding="utf-8")), file


@pytest.mark.parametrize("name", ESPS)
def test_each_has_formats_words_and_samples(name: str) -> None:
    module = esp_modules()[name]
    assert module.FORMATS
    assert module.EVENTS
    assert any(word.provider == name for word in esp_words())
    assert (ba.samples() / "exports" / name).is_dir()
    assert callable(getattr(ba, f"read_{name}"))


def test_titles_in_a_sentence() -> None:
    assert esp_titles("and") == "SendGrid, Amazon SES and Mailgun"

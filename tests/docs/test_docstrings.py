"""Every public name has an example in its docstring, and the examples run with the tests."""

from __future__ import annotations

import doctest
import inspect
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import bounceanalytics as ba


def public_methods(one: type) -> dict[str, Any]:
    """Return the methods that a public class of ours defines or inherits from a class of ours."""
    found = {}
    for name, value in inspect.getmembers(one, inspect.isroutine):
        if not name.startswith("_") and (getattr(value, "__module__", None) or "").startswith(
            "bounceanalytics"
        ):
            found[f"{one.__name__}.{name}"] = value
    return found


def public_objects() -> dict[str, Any]:
    """Return what users call, by name: functions and classes of the package, of its modules, and their methods."""
    found: dict[str, Any] = {}
    for name in ba.__all__:
        value = getattr(ba, name)
        if isinstance(value, ModuleType):
            found |= {f"{name}.{inner}": getattr(value, inner) for inner in value.__all__}
        else:
            found[name] = value
            found |= public_methods(value) if inspect.isclass(value) else {}
    return found


PUBLIC = public_objects()


@pytest.fixture(scope="module")
def collected(root: Path) -> set[str]:
    """Return the names of the examples that the tests run."""
    command = [sys.executable, "-m", "pytest", "bounceanalytics", "--collect-only", "--no-header"]
    listed = subprocess.run(
        [*command, "-p", "no:cacheprovider"], cwd=root, check=True, capture_output=True, text=True
    )
    return {line.partition("::")[2] for line in listed.stdout.splitlines() if "::" in line}


@pytest.mark.parametrize("name", PUBLIC)
def test_it_has_an_example_that_runs(name: str, collected: set[str]) -> None:
    value = PUBLIC[name]
    examples = doctest.DocTestParser().get_examples(inspect.cleandoc(value.__doc__ or ""))
    assert examples, f"the docstring of {name} has no example"
    assert not [one.source for one in examples if one.options.get(doctest.SKIP)]
    assert f"{value.__module__}.{value.__qualname__}" in collected


def test_the_tests_run_the_examples(pytestconfig: pytest.Config) -> None:
    assert "bounceanalytics" in pytestconfig.getini("testpaths")

"""Compare what users may call with the snapshot of it, or write the snapshot anew (``--write``).

The names are those of ``bounceanalytics.__all__``, of the public modules among them, and of the public members of
classes. The code is read, not run, so that types stand as they are written.
"""

from __future__ import annotations

import argparse
import difflib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import griffe

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
SNAPSHOT = ROOT / "tests" / "api" / "public_api.txt"


def public_api() -> str:
    """Return a line for each public name with its signature."""
    package = griffe.load("bounceanalytics", search_paths=[ROOT])
    return "\n".join(line for name, found in _exported(package) for line in _lines(name, found)) + "\n"


def _exported(module: griffe.Object) -> Iterator[tuple[str, griffe.Object]]:
    """Yield the public names of a module and what they stand for."""
    for name in sorted(map(str, module.exports or ())):
        yield name, _found(module, name)


def _found(module: griffe.Object, name: str) -> griffe.Object:
    """Follow imports to where a name is defined: ``clean`` is a function, and a module of the same name beside it."""
    source = module.imports.get(name)
    if source is None or source == f"{module.path}.{name}":
        return module[name]
    package, _, name = source.rpartition(".")
    return _found(module.modules_collection.get_member(package), name)


def _lines(name: str, found: griffe.Object) -> Iterator[str]:
    """Yield the lines of a name and of what is in it."""
    if found.is_module:
        for inner, member in _exported(found):
            yield from _lines(f"{name}.{inner}", member)
    elif found.is_class:
        bases = ", ".join(map(str, found.bases))
        yield f"class {name}({bases})" if bases else f"class {name}"
        for inner, member in sorted(found.all_members.items()):
            if (inner == "__init__" or not inner.startswith("_")) and member.canonical_path.startswith(
                "bounceanalytics."
            ):
                yield from _lines(f"{name}.{inner}", member.final_target if member.is_alias else member)
    elif found.is_function:
        yield from (one.signature(name=name) for one in found.overloads or [found])
    else:
        typed = "" if found.annotation is None else f": {found.annotation}"
        yield f"{name}{typed}" if found.value is None else f"{name}{typed} = {found.value}"


def main() -> None:
    """Compare or write."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--write", action="store_true", help="write the snapshot anew")
    if parser.parse_args().write:
        SNAPSHOT.write_text(public_api(), encoding="utf-8")
        return
    changed = changes()
    if changed:
        sys.exit(changed)


def changes() -> str:
    """Return how the public names differ from the snapshot, and what to do about it; empty where they do not."""
    before = SNAPSHOT.read_text(encoding="utf-8") if SNAPSHOT.exists() else ""
    diff = list(
        difflib.unified_diff(
            before.splitlines(), public_api().splitlines(), "snapshot", "today", n=0, lineterm=""
        )
    )
    if not diff:
        return ""
    return "\n".join(
        [
            "What users may call has changed:",
            *diff,
            "If that is meant: run `make api`, commit tests/api/public_api.txt, and tell it in CHANGELOG.md.",
        ]
    )


if __name__ == "__main__":
    main()

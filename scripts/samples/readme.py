"""The text of ``data/samples/README.md``."""
from __future__ import annotations
from typing import Any
def readme(expected: dict[str, Any], story: list[list[str]]) -> str:
    return "# Samples\n"

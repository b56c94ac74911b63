"""The export formats of each ESP, as tables."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from bounceanalytics.esps import ESPS

if TYPE_CHECKING:
    from types import ModuleType


def esp_module(name: str) -> ModuleType:
    """Return the module of an ESP of the registry: its formats, its words for events, its marks in mails."""
    return importlib.import_module(f"{__name__}.{name}")


def esp_modules() -> dict[str, ModuleType]:
    """Return the modules of all ESPs by name."""
    return {name: esp_module(name) for name in ESPS}

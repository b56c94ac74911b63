"""A record of every format that can be loaded, made anew for the tests; each is about one reader, known by a number.

Each ESP has a module of its own, found by its name in ``esps.py``: ``CASES``, and ``IGNORED`` for formats whose records
are all left out on purpose.
"""

from __future__ import annotations

import importlib

from bounceanalytics.esps import ESPS
from tests.loading.format_cases.case import Case

_MODULES = [importlib.import_module(f"{__name__}.{name}") for name in ESPS]

CASES: tuple[Case, ...] = tuple(case for module in _MODULES for case in module.CASES)
IGNORED: tuple[Case, ...] = tuple(case for module in _MODULES for case in getattr(module, "IGNORED", ()))

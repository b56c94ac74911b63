"""What users may call is what the snapshot says: a change of it is meant, told and committed."""

from __future__ import annotations

import runpy
from pathlib import Path


def test_public_names_are_those_of_the_snapshot(root: Path) -> None:
    changed = runpy.run_path(str(root / "scripts" / "check_api.py"))["changes"]()
    assert not changed, changed

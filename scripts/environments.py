"""Fresh environments for checks of what is installed: made by uv, thrown away afterwards."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
UV = (sys.executable, "-m", "uv", "--quiet")


def make_environment(folder: Path, *packages: str) -> Path:
    """Make an environment with packages, said as for ``uv pip install``; return its Python."""
    subprocess.run([*UV, "venv", "--python", sys.executable, folder], check=True)
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    install(python, *packages)
    return python


def install(python: Path, *packages: str) -> None:
    """Install further packages."""
    subprocess.run([*UV, "pip", "install", "--python", python, *packages], check=True, cwd=ROOT)


def build_wheel(folder: Path) -> Path:
    """Build the package as it would be uploaded."""
    subprocess.run([*UV, "build", "--wheel", "--out-dir", folder, ROOT], check=True)
    (wheel,) = folder.glob("*.whl")
    return wheel

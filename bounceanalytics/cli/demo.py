"""The bundled samples: the main job on them, step by step, and a copy to try the other verbs on."""

from __future__ import annotations

import shutil
import time

import click

import bounceanalytics as ba
from bounceanalytics.cli.shell import main, out, overwrite_option, print_reasons, progress
from bounceanalytics.files import path_of, refuse_existing, whole_files


@main.command()
@click.option(
    "--out", "folder", default="demo", show_default=True, help="Folder for the report and the lists."
)
@overwrite_option
def demo(folder: str, overwrite: bool) -> None:
    """Do the main job on the bundled samples: load, classify, report, clean."""
    samples = ba.samples()
    target = path_of(folder, ba.OutputError)
    if target.exists() and any(target.iterdir()):
        refuse_existing([target], overwrite=overwrite, folders=True)
    target.mkdir(parents=True, exist_ok=True)
    clock = _Clock()

    _step("1. Load", f"the exports in {samples / 'exports'}")
    with progress() as update:
        loaded = ba.load(samples / "exports", progress=update)
    out.print(loaded.to_text())
    clock.lap()

    _step("2. Classify")
    bounces = ba.classify(loaded.events)
    print_reasons(bounces)
    clock.lap()

    _step("3. Report")
    written = ba.report(bounces, target / "report.html", title="Ten weeks of a newsletter", overwrite=True)
    out.print(f"One file to share, domains only: {written} ({written.stat().st_size / 1e6:.1f} MB)")
    clock.lap()

    _step("4. Clean", f"the list {samples / 'list.csv'}")
    result = ba.clean(samples / "list.csv", bounces, target / "cleaned", overwrite=True)
    out.print(str(result))
    clock.lap()

    _step("5. Explain", "the code that stands for a full mail system")
    out.print("\n".join(str(ba.explain("5.3.1")).splitlines()[:12]))
    out.print("… the rest: bounceanalytics explain 5.3.1")


@main.command()
@click.option("--out", "folder", default="samples", show_default=True, help="A new folder.")
def samples(folder: str) -> None:
    """Copy the bundled samples, to try the other verbs on: list.csv, and exports of each ESP in exports/."""
    target = path_of(folder, ba.OutputError)
    if target.exists() and not (target.is_dir() and not any(target.iterdir())):
        raise ba.OutputError(f"{target} is not empty; name another folder with --out")
    with whole_files(target, overwrite=False) as part:
        shutil.copytree(ba.samples(), part, dirs_exist_ok=True)
    out.print(f"Samples copied to {target}; {target / 'README.md'} tells their story")


def _step(title: str, what: str = "") -> None:
    out.print(title, style="bold", end=" " if what else "\n")
    if what:
        out.print(what)


class _Clock:
    def __init__(self) -> None:
        self._last = time.perf_counter()

    def lap(self) -> None:
        now = time.perf_counter()
        out.print(f"{now - self._last:.1f} s\n", style="dim")
        self._last = now

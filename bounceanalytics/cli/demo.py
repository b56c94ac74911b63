"""The main job on the bundled samples, step by step."""

from __future__ import annotations

import time
from pathlib import Path

import click

import bounceanalytics as ba
from bounceanalytics.cli.shell import main, out, overwrite_option, print_reasons, progress


@main.command()
@click.option(
    "--out", "folder", default="demo", show_default=True, help="Folder for the report and the lists."
)
@overwrite_option
def demo(folder: str, overwrite: bool) -> None:
    """Do the main job on the bundled samples: load, classify, report, clean."""
    samples = ba.samples()
    target = Path(folder)
    if target.exists() and any(target.iterdir()) and not overwrite:
        raise ba.OutputError(f"{target} is not empty; say --overwrite or name another folder with --out")
    target.mkdir(parents=True, exist_ok=True)
    clock = _Clock()

    out.print(f"[bold]1. Load[/bold] the exports in {samples / 'exports'}")
    with progress() as update:
        loaded = ba.load(samples / "exports", progress=update)
    click.echo(loaded.to_text())
    clock.lap()

    out.print("[bold]2. Classify[/bold]")
    bounces = ba.classify(loaded.events)
    print_reasons(bounces)
    clock.lap()

    out.print("[bold]3. Report[/bold]")
    written = ba.report(bounces, target / "report.html", title="Ten weeks of a newsletter", overwrite=True)
    out.print(f"One file to share, domains only: {written} ({written.stat().st_size / 1e6:.1f} MB)")
    clock.lap()

    out.print(f"[bold]4. Clean[/bold] the list {samples / 'list.csv'}")
    result = ba.clean(samples / "list.csv", bounces, target / "cleaned", overwrite=True)
    click.echo(str(result))
    clock.lap()

    out.print("[bold]5. Explain[/bold] the code that stands for a full mail system")
    click.echo("\n".join(str(ba.explain("5.3.1")).splitlines()[:12]))
    out.print("… the rest: bounceanalytics explain 5.3.1")


class _Clock:
    def __init__(self) -> None:
        self._last = time.perf_counter()

    def lap(self) -> None:
        now = time.perf_counter()
        out.print(f"[dim]{now - self._last:.1f} s[/dim]\n")
        self._last = now

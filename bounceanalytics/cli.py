"""The verbs of the package on the command line.

Every command ends with exit status 0, or prints one sentence and ends with 1 (the work could not be done) or 2 (the
command was not understood). Results go to standard output, progress to standard error.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

import bounceanalytics as ba
from bounceanalytics.datasets import write_whole
from bounceanalytics.knowledge.rules import read_rules
from bounceanalytics.schema import ESPS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pandas as pd

    ProgressCallback = Callable[[str, int, int], None]

out = Console(soft_wrap=True, highlight=False)
err = Console(stderr=True, highlight=False)


class Sentences(click.Group):
    """A command group that turns errors into one sentence."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; show our own errors, and those of the system, without a traceback."""
        try:
            return super().invoke(ctx)
        except (ba.BounceAnalyticsError, OSError, duckdb.Error, MemoryError) as error:
            if ctx.params.get("debug"):
                raise
            if isinstance(error, BrokenPipeError):  # "| head" closed our output: nothing to complain about
                sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123
                ctx.exit(0)
            raise click.ClickException(_sentence(error)) from error
        except KeyboardInterrupt:
            err.print("Interrupted; nothing was left half-written.")
            ctx.exit(130)


def _sentence(error: BaseException) -> str:
    if isinstance(error, ba.BounceAnalyticsError):
        return str(error)
    if isinstance(error, OSError):
        return f"{error.filename or 'a file'}: {error.strerror or error}"
    if isinstance(error, MemoryError):
        return "there is not enough memory for this; load fewer files at a time"
    return f"the database engine stopped: {str(error).splitlines()[0]}"


@contextlib.contextmanager
def _progress() -> Iterator[ProgressCallback]:
    """Yield a callback ``(description, done, total)`` that draws bars on a terminal's standard error."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bars:
        tasks: dict[str, TaskID] = {}

        def update(description: str, done: int, total: int) -> None:
            if description not in tasks:
                tasks[description] = bars.add_task(description, total=total)
            bars.update(tasks[description], completed=done, total=total)

        yield update


def _source(sources: tuple[str, ...]) -> Any:
    return list(sources) if len(sources) > 1 else sources[0]


def _load(sources: tuple[str, ...], provider: str | None, timezone: str = "UTC") -> ba.Load:
    with _progress() as progress:
        return ba.load(_source(sources), provider=provider, timezone=timezone, progress=progress)


def _classified(
    sources: tuple[str, ...], provider: str | None, timezone: str, rules: tuple[str, ...]
) -> pd.DataFrame:
    own = list(rules) or None
    if own:
        read_rules(own)  # a mistake in them is told before hours of reading
    return ba.classify(_load(sources, provider, timezone).events, rules=own)


def _new_file(path: str, overwrite: bool) -> Path:
    target = Path(path)
    if target.exists() and not overwrite:
        raise ba.OutputError(f"{target} is there already; say --overwrite to replace it")
    return target


def _write_frame(frame: pd.DataFrame, path: str, overwrite: bool) -> None:
    """Write Parquet or CSV, whole or not at all."""
    target = _new_file(path, overwrite)
    part = target.with_name(f".{target.name}.part")
    try:
        if target.suffix == ".parquet":
            # without pandas' own metadata, which pandas itself cannot read back for columns of lists
            table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
            pq.write_table(table, part, compression="zstd")
        elif target.suffix in {".csv", ".gz"}:
            frame.to_csv(part, index=False, compression="gzip" if target.suffix == ".gz" else None)
        else:
            raise ba.FormatError(
                f"cannot tell how to write {target.name}; let it end in .parquet, .csv or .csv.gz"
            )
        with part.open("rb+") as handle:
            os.fsync(handle.fileno())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    out.print(f"{len(frame):,} rows written to {target}")


provider_option = click.option(
    "--provider",
    type=click.Choice([*ESPS]),
    help="Whose exports these are; found from content if not given.",
)
overwrite_option = click.option("--overwrite", is_flag=True, help="Replace what is there.")
timezone_option = click.option(
    "--timezone", default="UTC", show_default=True, help="Zone of times that are written without one."
)
rules_option = click.option(
    "--rules", multiple=True, metavar="FILE", help="TOML file with rules of your own; asked before ours."
)
sources_argument = click.argument("sources", nargs=-1, required=True)


@click.group(cls=Sentences, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(ba.__version__, prog_name="bounceanalytics")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def main(debug: bool) -> None:
    """Understand e-mail bounces: exports of SendGrid, Amazon SES and Mailgun in, reports and clean lists out.

    SOURCES are files, folders, globs, archives, or URLs such as s3://…, in any mix; "-" is standard input; a dataset
    that `convert` wrote is one, too. Nothing is sent anywhere.
    """
    _ = debug  # read from the context where an error is shown


@main.command()
@sources_argument
@provider_option
@timezone_option
@click.option("--out", "path", help="Write the events to this .parquet, .csv or .csv.gz file.")
@click.option("--rejects", help="Write the rejected records to this .parquet or .csv file.")
@overwrite_option
def load(
    sources: tuple[str, ...],
    provider: str | None,
    timezone: str,
    path: str | None,
    rejects: str | None,
    overwrite: bool,
) -> None:
    """Read exports into one frame and show what each file held."""
    for target in filter(None, (path, rejects)):
        _new_file(target, overwrite)
    loaded = _load(sources, provider, timezone)
    click.echo(loaded.to_text())
    if path:
        _write_frame(loaded.events, path, overwrite)
    if rejects:
        _write_frame(loaded.rejects, rejects, overwrite)


@main.command()
@sources_argument
@provider_option
@timezone_option
@click.option("--out", "path", required=True, help="Folder of the dataset, such as events.parquet.")
@click.option("--keep-copies", is_flag=True, help="Do not count an event once that was told several times.")
@overwrite_option
@click.pass_context
def convert(
    ctx: click.Context,
    sources: tuple[str, ...],
    provider: str | None,
    timezone: str,
    path: str,
    keep_copies: bool,
    overwrite: bool,
) -> None:
    """Turn exports of any size into a Parquet dataset; run it again to go on after a crash, or to add exports."""
    try:
        with _progress() as progress:
            dataset = ba.convert(
                _source(sources),
                path,
                provider=provider,
                deduplicate=not keep_copies,
                timezone=timezone,
                progress=progress,
                overwrite=overwrite,
            )
    except KeyboardInterrupt:
        err.print("Interrupted; what is done stays, and the same command goes on from there.")
        ctx.exit(130)
    out.print(repr(dataset))


@main.command()
@sources_argument
@provider_option
@timezone_option
@rules_option
@click.option("--out", "path", help="Write the classified events to this .parquet, .csv or .csv.gz file.")
@overwrite_option
def classify(
    sources: tuple[str, ...],
    provider: str | None,
    timezone: str,
    rules: tuple[str, ...],
    path: str | None,
    overwrite: bool,
) -> None:
    """Read and classify exports; show how many messages bounced for which reason."""
    if path:
        _new_file(path, overwrite)
    bounces = _classified(sources, provider, timezone, rules)
    _print_reasons(bounces)
    if path:
        _write_frame(bounces, path, overwrite)


@main.command()
@sources_argument
@provider_option
@timezone_option
@rules_option
@click.option("--out", "path", default="report.html", show_default=True, help="The HTML file to write.")
@click.option("--title", help="Headline of the report.")
@overwrite_option
def report(
    sources: tuple[str, ...],
    provider: str | None,
    timezone: str,
    rules: tuple[str, ...],
    path: str,
    title: str | None,
    overwrite: bool,
) -> None:
    """Write one self-contained HTML report; it names domains, never addresses."""
    _new_file(path, overwrite)
    bounces = _classified(sources, provider, timezone, rules)
    written = ba.report(bounces, path, title=title, overwrite=overwrite)
    out.print(f"Report on {len(bounces):,} events written to {written}")


@main.command()
@click.argument("mailing_list", metavar="LIST", type=click.Path(dir_okay=False))
@sources_argument
@provider_option
@timezone_option
@rules_option
@click.option(
    "--out",
    "folder",
    default="cleaned",
    show_default=True,
    help="Folder for kept.csv, removed.csv, held.csv …",
)
@click.option("--policy", default="default", show_default=True, help="Name of a policy preset.")
@click.option("--column", help="Column of the list that holds the addresses; found if not given.")
@overwrite_option
def clean(
    mailing_list: str,
    sources: tuple[str, ...],
    provider: str | None,
    timezone: str,
    rules: tuple[str, ...],
    folder: str,
    policy: str,
    column: str | None,
    overwrite: bool,
) -> None:
    """Split the mailing list LIST into kept, removed and held rows by what the exports in SOURCES say."""
    chosen = ba.Policy.preset(policy)
    bounces = _classified(sources, provider, timezone, rules)
    with _progress() as progress:
        result = ba.clean(
            mailing_list,
            bounces,
            folder,
            policy=chosen,
            column=column,
            overwrite=overwrite,
            progress=progress,
        )
    click.echo(str(result))


@main.command()
@sources_argument
@provider_option
@timezone_option
@rules_option
@click.option(
    "--for",
    "target",
    type=click.Choice(["sendgrid", "ses", "mailgun", "plain"]),
    required=True,
    help="Whose import format to write.",
)
@click.option("--out", "path", required=True, help="The file to write.")
@click.option("--policy", default="default", show_default=True, help="Name of a policy preset.")
@overwrite_option
def suppress(
    sources: tuple[str, ...],
    provider: str | None,
    timezone: str,
    rules: tuple[str, ...],
    target: str,
    path: str,
    policy: str,
    overwrite: bool,
) -> None:
    """Write a suppression file that SendGrid, SES or Mailgun can import."""
    verdicts = ba.decide(_classified(sources, provider, timezone, rules), ba.Policy.preset(policy))
    click.echo(str(ba.export_suppressions(verdicts, target, path, overwrite=overwrite)))


@main.command()
@sources_argument
@provider_option
@timezone_option
@rules_option
def conflicts(sources: tuple[str, ...], provider: str | None, timezone: str, rules: tuple[str, ...]) -> None:
    """List bounces where text, code and the ESP's word disagree, most addresses at stake first."""
    found = ba.conflicts(_classified(sources, provider, timezone, rules), rules=list(rules) or None)
    voices = {"text_says": "text", "code_says": "code", "esp_says": "ESP"}
    said = [
        ", ".join(f"{voice}: {says}" for voice, says in zip(voices.values(), row, strict=True) if says)
        for row in found[list(voices)].itertuples(index=False)
    ]
    shown = found.assign(disagreement=said)[["template", "disagreement", "addresses", "worst_domain"]]
    _print_frame(shown.rename(columns={"worst_domain": "most at"}))
    out.print(
        f"{len(found):,} kinds of bounces, {found['events'].sum():,} events; none of them removes anybody"
    )


@main.command()
@sources_argument
@provider_option
@timezone_option
@rules_option
@click.option("--out", "path", help="Write a rule for each text to this .toml file, for you to fill in.")
@overwrite_option
def unclassified(
    sources: tuple[str, ...],
    provider: str | None,
    timezone: str,
    rules: tuple[str, ...],
    path: str | None,
    overwrite: bool,
) -> None:
    """List the texts that no rule understood, and write rules to fill in."""
    target = _new_file(path, overwrite) if path else None
    found = ba.unclassified(_classified(sources, provider, timezone, rules))
    _print_frame(found[["template", "events", "addresses", "domains", "worst_domain"]])
    out.print(f"{len(found):,} kinds of texts, {found['events'].sum():,} events")
    if target:
        lines = [line for line in found["rule_line"] if line]
        write_whole(target, "\n".join(lines).encode())
        out.print(f"{len(lines):,} rules to fill in written to {target}; then: bounceanalytics lint {target}")


@main.command()
@click.argument("files", nargs=-1, metavar="[FILE]…")
@click.pass_context
def lint(ctx: click.Context, files: tuple[str, ...]) -> None:
    """Look for what is wrong with rules of your own, or with ours if no FILE is given; exit status 1 if anything is."""
    found = ba.lint_rules(list(files) or None)
    if len(found):
        _print_frame(found)
        ctx.exit(1)
    out.print("Nothing is wrong with these rules.")


@main.command()
@click.argument("what", nargs=-1, required=True)
def explain(what: tuple[str, ...]) -> None:
    """Explain a code or a server's answer, such as 5.3.1 or "550 5.1.1 User unknown"."""
    click.echo(str(ba.explain(" ".join(what))))


@main.command()
@click.option("--find", help="Only codes whose number, title or reason holds this.")
def codes(find: str | None) -> None:
    """List the status codes that are known."""
    frame = ba.codes()[["code", "title", "reason", "bounce_type", "action"]]
    if find:
        hit = frame.apply(lambda column: column.astype(str).str.contains(find, case=False, regex=False)).any(
            axis=1
        )
        frame = frame[hit]
    _print_frame(frame)
    out.print(f"{len(frame):,} codes")


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
    with _progress() as progress:
        loaded = ba.load(samples / "exports", progress=progress)
    click.echo(loaded.to_text())
    clock.lap()

    out.print("[bold]2. Classify[/bold]")
    bounces = ba.classify(loaded.events)
    _print_reasons(bounces)
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


def _print_reasons(bounces: pd.DataFrame) -> None:
    reasons = ba.summarize_reasons(bounces)
    shown = reasons.loc[
        reasons["bounced"] > 0, ["reason", "bounced", "domains", "addresses", "fault", "action"]
    ]
    _print_frame(shown, title="Why mail did not arrive: bounced messages, and what to do with the addresses")


class _Clock:
    def __init__(self) -> None:
        self._last = time.perf_counter()

    def lap(self) -> None:
        now = time.perf_counter()
        out.print(f"[dim]{now - self._last:.1f} s[/dim]\n")
        self._last = now


def _print_frame(frame: pd.DataFrame, title: str | None = None) -> None:
    table = Table(title=title, title_justify="left", show_edge=False, header_style="bold")
    numbers = frame.select_dtypes("number").columns
    for name in frame.columns:
        table.add_column(str(name), justify="right" if name in numbers else "left", overflow="fold")
    for row in frame.itertuples(index=False):
        table.add_row(*(_cell(value) for value in row))
    out.print(table)


def _cell(value: Any) -> str:
    if value is None or value != value:  # noqa: PLR0124 - missing values are not equal to themselves
        return ""
    if isinstance(value, float):
        return f"{value:,.3f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


if __name__ == "__main__":
    main()

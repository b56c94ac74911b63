"""Shared by the verbs: the command group, options, progress bars, and printing and writing frames.

Every command ends with exit status 0, or prints one sentence and ends with 1 (the work could not be done) or 2 (the
command was not understood). Results go to standard output, progress to standard error.
"""

from __future__ import annotations

import contextlib
import functools
import glob
import io
import os
import re
import sys
import warnings
from dataclasses import dataclass, replace
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
from bounceanalytics.datasets import is_dataset
from bounceanalytics.errors import Discreet
from bounceanalytics.files import path_of, refuse_existing, whole_file
from bounceanalytics.knowledge.rules import read_rules
from bounceanalytics.loading.finding import check_timezone
from bounceanalytics.loading.result import nothing_found
from bounceanalytics.loading.verdict_inputs import input_tables
from bounceanalytics.opening.places import given_files
from bounceanalytics.privacy import discreet, printable, shown
from bounceanalytics.schema import ESPS
from bounceanalytics.spreadsheets import no_formulas_in
from bounceanalytics.temporary import temporary_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import pandas as pd
    from rich.text import Text

    from bounceanalytics.loading.verdict_inputs import InputTable

    ProgressCallback = Callable[[str, int, int], None]


class Terminal(Console):
    """A terminal to which texts of others do no harm: brackets are no markup, escapes and names of smileys are texts.

    Of every address it shows the domain, unless it is made to show ``addresses``.
    """

    def __init__(self, *, addresses: bool = False, **options: Any) -> None:
        super().__init__(soft_wrap=True, highlight=False, markup=False, emoji=False, **options)
        self._addresses = addresses

    def render_str(self, text: str, **options: Any) -> Text:
        """Return a text as it is printed; every text on its way to the terminal, of a table as well, comes by here."""
        return super().render_str(printable(text) if self._addresses else discreet(text), **options)


out = Terminal()
err = Terminal(stderr=True)
#: For those who have asked to see addresses.
open_out = Terminal(addresses=True)


class Sentences(click.Group):
    """A command group that turns errors into one sentence."""

    def main(self, *args: Any, **options: Any) -> Any:
        """Run the command; signs that the terminal cannot show are shown as question marks."""
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="replace")
        return super().main(*args, **options)

    def make_context(self, *args: Any, **options: Any) -> click.Context:
        """Read the command line; an error shows no address of it."""
        with _discreet():
            return super().make_context(*args, **options)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; show our own errors, and those of the system, without a traceback."""
        try:
            with _discreet(), _told_in_sentences():
                return super().invoke(ctx)
        except (ba.BounceAnalyticsError, OSError, duckdb.Error, MemoryError) as error:
            if ctx.params.get("debug"):
                raise
            if isinstance(error, BrokenPipeError):  # "| head" closed our output: nothing to complain about
                sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123
                ctx.exit(0)
            raise click.ClickException(sentence(error)) from error
        except KeyboardInterrupt:
            err.print("Interrupted; nothing was left half-written.")
            ctx.exit(130)


@contextlib.contextmanager
def _discreet() -> Iterator[None]:
    """See to it that what was wrong with a command line is told without addresses."""
    try:
        yield
    except click.UsageError as error:
        raise click.UsageError(discreet(error.format_message()), error.ctx) from None
    except click.ClickException as error:
        raise click.ClickException(discreet(error.format_message())) from None


@contextlib.contextmanager
def _told_in_sentences() -> Iterator[None]:
    """Have warnings of ours told as errors are, without the line of code that they come from."""
    with warnings.catch_warnings():
        usual = warnings.showwarning

        def show(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
            if issubclass(category, Discreet):
                err.print(f"Warning: {_on_the_command_line(str(message))}")
            else:
                usual(message, category, *place, **more)

        warnings.showwarning = show
        yield


#: What sentences call something in Python, and what it is called here.
_CALLED = {
    "overwrite=True": "--overwrite",
    "load(…).files says": "the command load says",
    "load(…).rejects shows": "the command load with --rejects shows",
}


def _on_the_command_line(text: str) -> str:
    for name, called in _CALLED.items():
        text = text.replace(name, called)
    return text


def sentence(error: BaseException) -> str:
    """Return what went wrong, as a sentence for people."""
    if isinstance(error, ba.BounceAnalyticsError):
        return _on_the_command_line(str(error))
    if isinstance(error, OSError):
        return f"{shown(error.filename or 'a file')}: {error.strerror or type(error).__name__}"
    if isinstance(error, MemoryError):
        return "there is not enough memory for this; load fewer files at a time"
    # what it quotes is of the files
    return f"the database engine stopped: {re.sub(_QUOTED, '…', str(error).splitlines()[0])}"


_QUOTED = r"\"[^\"]*\"?|'[^']*'?"


@contextlib.contextmanager
def progress() -> Iterator[ProgressCallback]:
    """Yield a callback ``(description, done, total)`` that draws bars on a terminal's standard error."""
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bars:
        tasks: dict[str, TaskID] = {}

        def update(description: str, done: int, total: int) -> None:
            if description not in tasks:
                tasks[description] = bars.add_task(discreet(description), total=total)
            bars.update(tasks[description], completed=done, total=total)

        yield update


@dataclass(frozen=True, slots=True)
class Exports:
    """The exports that a command was given, and how to read them."""

    sources: tuple[Any, ...]
    provider: str | None
    timezone: str
    rules: tuple[str, ...] = ()
    dayfirst: bool | None = None
    empty: bool = True

    @property
    def source(self) -> Any:
        """One source as itself, several as a list."""
        return list(self.sources) if len(self.sources) > 1 else self.sources[0]

    def load(self) -> ba.Load:
        """Read them, with a bar for each file."""
        with progress() as update, warnings.catch_warnings():
            warnings.simplefilter("ignore", ba.NoEventsWarning)  # the account says so, or an error
            return ba.load(
                self.source,
                provider=self.provider,
                timezone=self.timezone,
                dayfirst=self.dayfirst,
                progress=update,
            )

    @contextlib.contextmanager
    def fetched(self) -> Iterator[tuple[Exports, list[InputTable]]]:
        """Yield exports that are on disk, and the tables of what verdicts depend on that they are instead, if they are.

        What is elsewhere, or comes through a pipe, is fetched once, whatever it turns out to be.
        """
        if any(map(is_dataset, self.sources)):
            yield self, []
            return
        with temporary_folder() as folder:
            given = list(given_files(list(self.sources), folder))
            yield replace(self, sources=tuple(given)), input_tables(given, folder)

    def own_rules(self) -> list[str] | None:
        """Return the files with rules of the user's own; a mistake in them is told before hours of reading."""
        own = list(self.rules) or None
        if own:
            read_rules(own)
        return own

    def classified(self) -> pd.DataFrame:
        """Read and classify them, by rules of the user's own as well."""
        own = self.own_rules()
        loaded = self.load()
        if not self.empty and not len(loaded.events):
            raise ba.FormatError(f"{nothing_found(loaded)}; --allow-empty goes on all the same")
        return ba.classify(loaded.events, rules=own)


def refuse_outputs(*paths: str | None, overwrite: bool) -> None:
    """Raise if a file exists that a command is going to write; one that was not asked for is None.

    Whatever may be written over, it is never what the command reads, nor another of its results.
    """
    targets = [path_of(path, ba.OutputError) for path in paths if path]
    places = [os.path.realpath(target) for target in targets]
    for target, place in zip(targets, places, strict=True):
        if places.count(place) > 1:
            raise ba.OutputError(f"{target} is named twice; write each result to a file of its own")
    refuse_read(targets)
    refuse_existing(targets, overwrite=overwrite)


def refuse_read(targets: Iterable[Path]) -> None:
    """Raise if a file is what the command in hand reads, by its own name or in a folder or a glob."""
    files, folders = _read_by_command()
    for target in targets:
        place = Path(os.path.realpath(target))
        if place in files or (place.is_file() and any(map(place.is_relative_to, folders))):
            raise ba.OutputError(f"{target} is what this command reads; write to another file")


#: Options that name files to read; arguments always do.
_READ = {"rules", "policy", "book", "listed", "monitor", "cache"}


def _read_by_command() -> tuple[set[Path], set[Path]]:
    """Return the files that the command in hand reads, and the folders of which it reads all files."""
    files: set[Path] = set()
    folders: set[Path] = set()
    for name in _named_by_command():
        there = [name] if os.path.lexists(name) else glob.glob(name, recursive=True)  # noqa: PTH207 - as sources are found
        found = [Path(os.path.realpath(one)) for one in there]
        named = [one for one in found if not one.is_dir()]
        files.update(named)
        folders.update([] if named else found)
    return files, folders


def _named_by_command() -> Iterator[str]:
    context = click.get_current_context(silent=True)
    for parameter in context.command.params if context else ():
        if context and (isinstance(parameter, click.Argument) or parameter.name in _READ):
            given = context.params.get(str(parameter.name)) or ()
            yield from [given] if isinstance(given, str) else given


def frame_file(path: str) -> Path:
    """Return the path of a file that a frame can be written to; its ending tells how."""
    target = path_of(path, ba.OutputError)
    if target.suffix not in {".parquet", ".csv", ".gz"}:
        raise ba.FormatError(
            f"cannot tell how to write {target.name}; let it end in .parquet, .csv or .csv.gz"
        )
    return target


def write_frame(frame: pd.DataFrame, path: str, overwrite: bool, *, quiet: bool = False) -> None:
    """Write Parquet or CSV, whole or not at all, and say so unless ``quiet``.

    Parquet is for programs, and exact. CSV is for people, so nothing in it is a formula to a spreadsheet.
    """
    target = frame_file(path)
    with whole_file(target, overwrite=overwrite) as part:
        if target.suffix == ".parquet":
            # without pandas' own metadata, which pandas itself cannot read back for columns of lists
            table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
            pq.write_table(table, part, compression="zstd")
        else:
            no_formulas_in(frame).to_csv(
                part, index=False, compression="gzip" if target.suffix == ".gz" else None
            )
    if not quiet:
        out.print(f"{len(frame):,} rows written to {target}")


overwrite_option = click.option("--overwrite", is_flag=True, help="Replace what is there.")
policy_option = click.option(
    "--policy",
    default="default",
    show_default=True,
    help="Name of a policy, or a TOML file with one of your own.",
)


at_option = click.option(
    "--at", help="Decide for this moment, such as 2026-11-30; the time of the last event if not given."
)


salt_option = click.option(
    "--salt",
    envvar="BOUNCEANALYTICS_SALT",
    default="",
    help="What is put before addresses when they are hashed; better given as BOUNCEANALYTICS_SALT.",
)


def chosen_policy(name: str) -> ba.Policy:
    """Return the policy of that name, or that a file holds."""
    return ba.Policy.load(name) if name.endswith(".toml") else ba.Policy.preset(name)


def existing_ledger(path: str, salt: str) -> ba.Ledger:
    """Return a ledger that is there already."""
    if not path_of(path).is_file():
        raise ba.SourceError(
            f"{path} does not exist; make it with: bounceanalytics ledger update {path} EXPORTS"
        )
    return ba.Ledger(path, salt=salt or None)


def existing_monitor(path: str) -> ba.Monitor:
    """Return a monitor that is there already."""
    if not path_of(path).is_file():
        raise ba.SourceError(
            f"{path} does not exist; make it with: bounceanalytics domains watch {path} EXPORTS"
        )
    return ba.Monitor(path)


def takes_exports(
    *, rules: bool = True, required: bool = True, events: bool = False
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command the argument SOURCES and its options, as one argument ``exports``.

    Where the command needs ``events``, exports without any are an error unless ``--allow-empty`` is given.
    """
    added = [
        click.argument("sources", nargs=-1, required=required),
        click.option(
            "--provider",
            type=click.Choice([*ESPS]),
            help="Whose exports these are; found from content if not given.",
        ),
        click.option(
            "--timezone",
            default="UTC",
            show_default=True,
            callback=_zone,
            help="Zone of times that are written without one.",
        ),
        click.option(
            "--day-first/--month-first",
            "dayfirst",
            default=None,
            help="Order of dates such as 3/5/2026 where nothing in the file tells it.",
        ),
    ]
    if rules:
        added.append(
            click.option(
                "--rules",
                multiple=True,
                metavar="FILE",
                help="TOML file with rules of your own; asked before ours.",
            )
        )

    if events:
        added.append(
            click.option(
                "--allow-empty",
                is_flag=True,
                help="Go on where the exports hold no events, or none is an export.",
            )
        )

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(command)
        def run(
            *args: Any,
            sources: tuple[str, ...],
            provider: str | None,
            timezone: str,
            dayfirst: bool | None,
            rules: tuple[str, ...] = (),
            allow_empty: bool = False,
            **options: Any,
        ) -> Any:
            given = Exports(sources, provider, timezone, rules, dayfirst, empty=allow_empty or not events)
            return command(*args, exports=given, **options)

        for add in reversed(added):
            run = add(run)
        return run

    return decorate


def _zone(_: click.Context, __: click.Parameter, name: str) -> str:
    try:
        check_timezone(name)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error
    return name


@click.group(cls=Sentences, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(ba.__version__, "-V", "--version", prog_name="bounceanalytics")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def main(debug: bool) -> None:
    """Understand e-mail bounces: exports of SendGrid, Amazon SES and Mailgun in, reports and clean lists out.

    SOURCES are files, folders, globs, archives, or URLs such as s3://…, in any mix; "-" is standard input; a dataset
    that `convert` wrote is one, too. Nothing is sent anywhere.
    """
    _ = debug  # read from the context where an error is shown


def print_reasons(bounces: pd.DataFrame) -> None:
    """Print how many messages bounced for which reason."""
    reasons = ba.summarize_reasons(bounces)
    shown = reasons.loc[
        reasons["bounced"] > 0, ["reason", "bounced", "domains", "addresses", "fault", "action"]
    ]
    print_frame(shown, title="Why mail did not arrive: bounced messages, and what to do with the addresses")


def print_frame(frame: pd.DataFrame, title: str | None = None, *, terminal: Console = out) -> None:
    """Print a frame as a table, long cells folded."""
    table = Table(title=title, title_justify="left", show_edge=False, header_style="bold")
    numbers = frame.select_dtypes("number").columns
    for name in frame.columns:
        table.add_column(str(name), justify="right" if name in numbers else "left", overflow="fold")
    for row in frame.itertuples(index=False):
        table.add_row(*(_cell(value) for value in row))
    terminal.print(table)


def _cell(value: Any) -> str:
    if value is None or value != value:  # noqa: PLR0124 - missing values are not equal to themselves
        return ""
    if isinstance(value, float):
        return f"{value:,.3f}"
    return f"{value:,}" if isinstance(value, int) else str(value)

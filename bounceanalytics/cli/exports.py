"""Verbs that read exports: what is in them, and what it means."""

from __future__ import annotations

from typing import Literal

import click

import bounceanalytics as ba
from bounceanalytics.cli.inputs import classify_tables
from bounceanalytics.cli.shell import (
    Exports,
    chosen_policy,
    err,
    existing_monitor,
    main,
    out,
    overwrite_option,
    print_frame,
    print_reasons,
    progress,
    refuse_outputs,
    takes_exports,
    write_frame,
)
from bounceanalytics.files import path_of, write_whole
from bounceanalytics.schema import STRING


@main.command()
@takes_exports(rules=False)
@click.option("--out", "path", help="Write the events to this .parquet, .csv or .csv.gz file.")
@click.option("--rejects", help="Write the rejected records to this .parquet or .csv file.")
@click.option("--each", is_flag=True, help="Show a line for each file, however many there are.")
@overwrite_option
def load(
    exports: Exports,
    path: str | None,
    rejects: str | None,
    each: bool,
    overwrite: bool,
) -> None:
    """Read exports into one frame and show what each file held."""
    refuse_outputs(path, rejects, overwrite=overwrite)
    loaded = exports.load()
    out.print(loaded.to_text(limit=None) if each else loaded.to_text())
    if path:
        write_frame(loaded.events, path, overwrite)
    if rejects:
        write_frame(loaded.rejects, rejects, overwrite)


@main.command()
@takes_exports(rules=False)
@click.option("--out", "path", required=True, help="Folder of the dataset, such as events.parquet.")
@click.option("--keep-copies", is_flag=True, help="Do not count an event once that was told several times.")
@overwrite_option
@click.pass_context
def convert(
    ctx: click.Context,
    exports: Exports,
    path: str,
    keep_copies: bool,
    overwrite: bool,
) -> None:
    """Turn exports of any size into a Parquet dataset; run it again to go on after a crash, or to add exports."""
    try:
        with progress() as update:
            dataset = ba.convert(
                exports.source,
                path,
                provider=exports.provider,
                deduplicate=not keep_copies,
                timezone=exports.timezone,
                dayfirst=exports.dayfirst,
                progress=update,
                overwrite=overwrite,
            )
    except KeyboardInterrupt:
        err.print("Interrupted; what is done stays, and the same command goes on from there.")
        ctx.exit(130)
    out.print(repr(dataset))


@main.command()
@takes_exports()
@click.option("--out", "path", help="Write the classified events to this .parquet, .csv or .csv.gz file.")
@overwrite_option
def classify(
    exports: Exports,
    path: str | None,
    overwrite: bool,
) -> None:
    """Read and classify exports; show how many messages bounced for which reason.

    A Parquet or CSV file of what verdicts depend on, without recipients, is classified row by row: the distinct rows of
    a warehouse, to be joined to its events again. docs/warehouses.md has the SQL.
    """
    refuse_outputs(path, overwrite=overwrite)
    with exports.fetched() as (fetched, tables):
        if tables:
            classify_tables(fetched, tables, path, overwrite=overwrite)
            return
        bounces = fetched.classified()
    print_reasons(bounces)
    if path:
        write_frame(bounces, path, overwrite)


@main.command()
@takes_exports(events=True)
@click.option(
    "--out",
    "path",
    default="report.html",
    show_default=True,
    help="The HTML file to write; a name that ends in .xlsx gives a workbook.",
)
@click.option("--title", help="Headline of the report.")
@click.option(
    "--period", help="What it is about: 2026-10, 2026-Q3, or 28D for the last 28 days. [default: all]"
)
@click.option(
    "--compare", help="What it is held against: previous, for the time before, or a period such as 2026-09."
)
@click.option("--policy", help="Tell what a policy would do: its name, or a TOML file.")
@click.option("--domains", "monitor", help="Tell the state of domains: a FILE of `domains watch`.")
@click.option("--images", "folder", help="Write each chart to this folder as well (needs the extra images).")
@click.option("--image-form", type=click.Choice(["png", "svg", "pdf"]), default="png", show_default=True)
@overwrite_option
def report(
    exports: Exports,
    path: str,
    title: str | None,
    period: str | None,
    compare: str | None,
    policy: str | None,
    monitor: str | None,
    folder: str | None,
    image_form: Literal["png", "svg", "pdf"],
    overwrite: bool,
) -> None:
    """Write one self-contained HTML report; it names domains, never addresses."""
    refuse_outputs(path, overwrite=overwrite)
    chosen = chosen_policy(policy) if policy else None
    states = None
    if monitor:
        with existing_monitor(monitor) as watched:
            states = watched.states()
    bounces = exports.classified()
    written = ba.report(
        bounces,
        path,
        title=title,
        period=period,
        compare=compare,
        policy=chosen,
        checks=states,
        overwrite=overwrite,
    )
    out.print(f"Report on {len(bounces):,} events written to {written}")
    if folder:
        drawn = ba.save_charts(bounces, folder, form=image_form, period=period, overwrite=overwrite)
        out.print(f"{len(drawn)} charts written to {folder}")


@main.command()
@takes_exports()
def conflicts(exports: Exports) -> None:
    """List bounces where text, code and the ESP's word disagree, most addresses at stake first."""
    found = ba.conflicts(exports.classified(), rules=list(exports.rules) or None)
    voices = {"text_says": "text", "code_says": "code", "esp_says": "ESP"}
    said = [
        ", ".join(f"{voice}: {says}" for voice, says in zip(voices.values(), row, strict=True) if says)
        for row in found[list(voices)].itertuples(index=False)
    ]
    shown = found.assign(disagreement=said)[["template", "disagreement", "addresses", "worst_domain"]]
    print_frame(shown.rename(columns={"worst_domain": "most at"}))
    out.print(
        f"{len(found):,} kinds of bounces, {found['events'].sum():,} events; none of them removes anybody"
    )


@main.command()
@takes_exports()
@click.option("--out", "path", help="Write a rule for each text to this .toml file, for you to check.")
@overwrite_option
def unclassified(
    exports: Exports,
    path: str | None,
    overwrite: bool,
) -> None:
    """List the texts that no rule understood, and write rules to check."""
    refuse_outputs(path, overwrite=overwrite)
    found = ba.unclassified(exports.classified())
    print_frame(found[["template", "events", "addresses", "domains", "worst_domain"]])
    out.print(f"{len(found):,} kinds of texts, {found['events'].sum():,} events")
    if not path:
        return
    lines = [line for line in found["rule_line"] if line]
    if lines:
        write_whole(path_of(path, ba.OutputError), "\n".join(lines).encode(), overwrite=overwrite)
        out.print(f"{len(lines):,} rules to check written to {path}; then: bounceanalytics lint {path}")
    else:
        out.print(f"There is no text that a rule could be written for; {path} was not written")


@main.command()
@click.argument("files", nargs=-1, metavar="[FILE]…")
@click.pass_context
def lint(ctx: click.Context, files: tuple[str, ...]) -> None:
    """Check rules of your own, or ours if no FILE is given; exit status 1 if anything is wrong."""
    found = ba.lint_rules(list(files) or None)
    if len(found):
        print_frame(found)
        ctx.exit(1)
    out.print("Nothing is wrong with these rules.")


@main.command()
@click.argument("what", nargs=-1, required=True)
def explain(what: tuple[str, ...]) -> None:
    """Explain a code or a server's answer, such as 5.3.1 or "550 5.1.1 User unknown"."""
    out.print(str(ba.explain(" ".join(what))))


@main.command()
@click.option("--find", help="Only codes whose number, title or reason holds this.")
def codes(find: str | None) -> None:
    """List the status codes that are known."""
    frame = ba.codes()[["code", "title", "reason", "bounce_type", "action"]]
    if find:
        hit = frame.apply(
            lambda column: column.astype(STRING).str.contains(find, case=False, regex=False)
        ).any(axis=1)
        frame = frame[hit]
    print_frame(frame)
    out.print(f"{len(frame):,} codes")

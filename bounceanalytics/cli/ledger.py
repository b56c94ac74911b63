"""Verbs of the suppression ledger."""

from __future__ import annotations

import click

import bounceanalytics as ba
from bounceanalytics.cli.shell import (
    Exports,
    chosen_policy,
    existing_ledger,
    main,
    open_out,
    out,
    overwrite_option,
    policy_option,
    print_frame,
    refuse_outputs,
    salt_option,
    takes_exports,
    write_frame,
)
from bounceanalytics.suppressing import FORMATS

#: Rows of a long table that are shown; all of them go into a file.
SHOWN = 50


@main.group()
def ledger() -> None:
    """Keep who is suppressed, since when and why, over many runs, in one file."""


@ledger.command()
@click.argument("path", metavar="FILE")
@takes_exports()
@policy_option
@click.option("--hashed", is_flag=True, help="Hold hashes instead of addresses, where FILE is new.")
@salt_option
@click.option("--run", help="What to call this run in the history.")
def update(path: str, exports: Exports, policy: str, hashed: bool, salt: str, run: str | None) -> None:
    """Bring the ledger FILE up to date with the exports in SOURCES; it is made if it is not there."""
    chosen = chosen_policy(policy)
    with ba.Ledger(path, hashed=hashed, salt=salt or None) as book:
        out.print(str(book.update(ba.decide(exports.classified(), chosen), run=run)))
        out.print(repr(book))


@ledger.command()
@click.argument("path", metavar="FILE")
@click.option("--date", help="The day, such as 2026-12-01; today if not given.")
@salt_option
def due(path: str, date: str | None, salt: str) -> None:
    """Show how many entries are due for a review, by domain and reason."""
    with existing_ledger(path, salt) as book:
        found = book.due(date)
    counted = found.groupby(["domain", "reason", "verdict"], dropna=False).agg(
        addresses=("domain", "size"), longest_due=("review_on", "min")
    )
    shown = counted.sort_values(["longest_due", "addresses"]).reset_index()
    print_frame(shown.assign(longest_due=shown["longest_due"].dt.strftime("%Y-%m-%d")))
    out.print(f"{len(found):,} entries are due")


@ledger.command()
@click.argument("path", metavar="FILE")
@salt_option
def domains(path: str, salt: str) -> None:
    """Show the domains whose mail system was full (5.3.1), and whether they take mail again."""
    with existing_ledger(path, salt) as book:
        found = book.domains()
    for row in found.itertuples(index=False):
        out.print(
            f"- {row.domain} was full from {row.first_full:%Y-%m-%d} to {row.last_full:%Y-%m-%d}; {row.advice}"
        )
    out.print(f"{len(found):,} domains, {int(found['recovered'].sum()):,} of them take mail again")


@ledger.command()
@click.argument("path", metavar="FILE")
@click.argument("addresses", nargs=-1, required=True)
@salt_option
def forget(path: str, addresses: tuple[str, ...], salt: str) -> None:
    """Erase addresses from the ledger and go on suppressing them by their hash."""
    with existing_ledger(path, salt) as book:
        out.print(f"{book.forget(list(addresses)):,} of {len(addresses):,} addresses erased")


@ledger.command()
@click.argument("path", metavar="FILE")
@click.argument("addresses", nargs=-1, required=True)
@click.option("--why", required=True, help="For the history.")
@salt_option
def lift(path: str, addresses: tuple[str, ...], why: str, salt: str) -> None:
    """Take addresses off the ledger; their history stays."""
    with existing_ledger(path, salt) as book:
        out.print(f"{book.lift(list(addresses), why):,} of {len(addresses):,} addresses lifted")


@ledger.command()
@click.argument("path", metavar="FILE")
@click.argument("addresses", nargs=-1, required=True)
@click.option("--reason", required=True, help="In a word, such as unsubscribed.")
@click.option("--why", required=True, help="For the history.")
@click.option("--until", help="Hold them up to this day, such as 2026-12-31; removed for good if not given.")
@salt_option
def add(path: str, addresses: tuple[str, ...], reason: str, why: str, until: str | None, salt: str) -> None:
    """Enter addresses by hand; the ledger FILE is made if it is not there."""
    with ba.Ledger(path, salt=salt or None) as book:
        out.print(f"{book.add(list(addresses), reason=reason, why=why, until=until):,} addresses entered")


@ledger.command()
@click.argument("path", metavar="FILE")
@click.option("--since", help="The name of a run, whose changes count, or a day; all changes if not given.")
@click.option("--addresses", is_flag=True, help="Show addresses, too.")
@click.option("--out", "target", help="Write who changed to this .parquet, .csv or .csv.gz file.")
@salt_option
@overwrite_option
def news(
    path: str, since: str | None, addresses: bool, target: str | None, salt: str, overwrite: bool
) -> None:
    """Show who was added, held, lifted or changed since a run or a day."""
    refuse_outputs(target, overwrite=overwrite)
    with existing_ledger(path, salt) as book:
        found = book.news(since)
    names = [
        *(["address"] if addresses else ["domain"]),
        "change",
        "verdict_before",
        "verdict",
        "reason",
        "why",
    ]
    print_frame(found[names].head(SHOWN), terminal=open_out if addresses else out)
    counted = ", ".join(f"{count:,} {change}" for change, count in found["change"].value_counts().items())
    out.print(counted or "nothing has changed")
    if len(found) > SHOWN:
        out.print(f"the first {SHOWN} are shown")
    if target:
        write_frame(found, target, overwrite)


@ledger.command()
@click.argument("path", metavar="FILE")
@click.option(
    "--for", "target", type=click.Choice(FORMATS), required=True, help="Whose import format to write."
)
@click.option("--out", "written", required=True, help="The file to write, or a folder.")
@click.option("--off", is_flag=True, help="Write what takes those off the ESP's list who were lifted.")
@salt_option
@overwrite_option
def export(path: str, target: str, written: str, off: bool, salt: str, overwrite: bool) -> None:
    """Write a suppression file that an ESP can import; held addresses are never in it."""
    with existing_ledger(path, salt) as book:
        out.print(str(book.export(target, written, action="remove" if off else "add", overwrite=overwrite)))

"""Verbs of the suppression ledger."""

from __future__ import annotations

from pathlib import Path

import click

import bounceanalytics as ba
from bounceanalytics.cli.shell import (
    Exports,
    chosen_policy,
    main,
    out,
    policy_option,
    print_frame,
    salt_option,
    takes_exports,
)


@main.group()
def ledger() -> None:
    """Keep who is suppressed, since when and why, over many runs, in one file."""


def _existing(path: str, salt: str) -> ba.Ledger:
    if not Path(path).is_file():
        raise ba.SourceError(
            f"{path} does not exist; make it with: bounceanalytics ledger update {path} EXPORTS"
        )
    return ba.Ledger(path, salt=salt or None)


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
        click.echo(str(book.update(ba.decide(exports.classified(), chosen), run=run)))
        out.print(repr(book))


@ledger.command()
@click.argument("path", metavar="FILE")
@click.option("--date", help="The day, such as 2026-12-01; today if not given.")
@salt_option
def due(path: str, date: str | None, salt: str) -> None:
    """Show how many entries are due for a review, by domain and reason."""
    with _existing(path, salt) as book:
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
    with _existing(path, salt) as book:
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
    with _existing(path, salt) as book:
        out.print(f"{book.forget(list(addresses)):,} of {len(addresses):,} addresses erased")


@ledger.command()
@click.argument("path", metavar="FILE")
@click.argument("addresses", nargs=-1, required=True)
@click.option("--why", required=True, help="For the history.")
@salt_option
def lift(path: str, addresses: tuple[str, ...], why: str, salt: str) -> None:
    """Take addresses off the ledger; their history stays."""
    with _existing(path, salt) as book:
        out.print(f"{book.lift(list(addresses), why):,} of {len(addresses):,} addresses lifted")

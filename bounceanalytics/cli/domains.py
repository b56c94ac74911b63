"""Verbs of domains: which are likely typing errors."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

import bounceanalytics as ba
from bounceanalytics.cli.shell import (
    Exports,
    main,
    out,
    overwrite_option,
    print_frame,
    refuse_outputs,
    takes_exports,
    write_frame,
)

if TYPE_CHECKING:
    import pandas as pd

#: Rows of a long table that are shown; all of them go into a file.
SHOWN = 50


@main.group()
def domains() -> None:
    """Look after the domains of a list: which of them are typing errors."""


@domains.command()
@takes_exports(events=True)
@click.option("--list", "listed", metavar="LIST", help="The mailing list to look at, as `clean` takes it.")
@click.option(
    "--ratio",
    type=click.FloatRange(min=1, min_open=True),
    default=100,
    show_default=True,
    help="How many times as frequent a domain has to be to be suggested.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of a table.")
@click.option("--out", "path", help="Write all of them to this .parquet, .csv or .csv.gz file.")
@overwrite_option
def typos(
    exports: Exports, listed: str | None, ratio: float, as_json: bool, path: str | None, overwrite: bool
) -> None:
    """Show domains that are likely typing errors, and what was meant; nothing is changed, no address is shown."""
    refuse_outputs(path, overwrite=overwrite)
    found = ba.domain_typos(exports.classified(), mailing_list=listed, ratio=ratio)
    if path:
        write_frame(found, path, overwrite, quiet=as_json)
    if as_json:
        click.echo(
            json.dumps({"typos": found.to_dict("records"), "summary": _summary(found)}, ensure_ascii=False)
        )
        return
    if len(found):
        shown = ["domain", "suggestion", "addresses", "bounced", "change"]
        print_frame(found[shown].head(SHOWN))
    if len(found) > SHOWN:
        out.print(f"the first {SHOWN} are shown")
    out.print(_summary(found))


def _summary(found: pd.DataFrame) -> str:
    if found.empty:
        return "no domain is likely a typing error"
    one = len(found) == 1
    addresses, bounced = int(found["addresses"].sum()), int(found["bounced"].sum())
    return (
        f"{len(found):,} {'domain is likely a typing error' if one else 'domains are likely typing errors'}: "
        f"{addresses:,} {'address' if addresses == 1 else 'addresses'}, {bounced:,} bounced"
    )

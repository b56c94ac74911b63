"""Verbs for addresses: who goes, who waits, and how to get somebody back."""

from __future__ import annotations

import click

import bounceanalytics as ba
from bounceanalytics.cli.shell import (
    Exports,
    at_option,
    chosen_policy,
    main,
    new_file,
    out,
    overwrite_option,
    policy_option,
    print_frame,
    progress,
    takes_exports,
    write_frame,
)
from bounceanalytics.schema import VERDICTS


@main.command()
@takes_exports()
@policy_option
@at_option
@click.option("--out", "path", help="Write the verdicts to this .parquet, .csv or .csv.gz file.")
@overwrite_option
def decide(exports: Exports, policy: str, at: str | None, path: str | None, overwrite: bool) -> None:
    """Decide who is removed, held or kept; show how many, and why."""
    chosen = chosen_policy(policy)
    if path:
        new_file(path, overwrite)
    verdicts = ba.decide(exports.classified(), chosen, at=at)
    counted = verdicts.groupby(["verdict", "reason"], observed=True).agg(
        addresses=("address", "size"), domains=("domain", "nunique"), last=("decided_at", "max")
    )
    shown = counted.sort_values(["verdict", "addresses"], ascending=[True, False]).reset_index()
    shown = shown[shown["verdict"] != "keep"].assign(last=shown["last"].dt.strftime("%Y-%m-%d"))
    print_frame(shown, title=f"Who goes and who waits, by the policy {chosen.name}")
    totals = verdicts["verdict"].value_counts().reindex(VERDICTS, fill_value=0)
    out.print(", ".join(f"{count:,} to {verdict}" for verdict, count in totals.items()))
    if path:
        write_frame(verdicts, path, overwrite)


@main.command()
@takes_exports()
@click.option(
    "--policy", "names", multiple=True, help="Name of a policy, or a TOML file; all presets if not given."
)
def policies(exports: Exports, names: tuple[str, ...]) -> None:
    """Replay the exports under several policies: who would have been lost, and which bounces avoided."""
    chosen = [chosen_policy(name) for name in names] or None
    found = ba.compare_policies(exports.classified(), chosen)
    titles = {
        "policy": "policy",
        "removed": "removed",
        "held": "held",
        "wrongly_removed": "good ones lost",
        "deliveries_lost": "mails lost",
        "bounces_avoided": "bounces avoided",
    }
    print_frame(found[list(titles)].rename(columns=titles), title="The same history under each policy")
    first = found.iloc[0]
    out.print(
        f"{first['addresses']:,} addresses, {first['bounced']:,} bounces with a time; good ones lost: removed for "
        "bounces, and took mail after all"
    )


@main.command()
@click.argument("name", default="default")
def policy(name: str) -> None:
    """Print a policy as TOML, to change it: bounceanalytics policy default > ours.toml."""
    click.echo(chosen_policy(name).to_toml(), nl=False)


@main.command()
@click.argument("mailing_list", metavar="LIST", type=click.Path(dir_okay=False))
@takes_exports()
@click.option(
    "--out",
    "folder",
    default="cleaned",
    show_default=True,
    help="Folder for kept.csv, removed.csv, held.csv …",
)
@policy_option
@click.option("--column", help="Column of the list that holds the addresses; found if not given.")
@overwrite_option
def clean(
    mailing_list: str,
    exports: Exports,
    folder: str,
    policy: str,
    column: str | None,
    overwrite: bool,
) -> None:
    """Split the mailing list LIST into kept, removed and held rows by what the exports in SOURCES say."""
    chosen = chosen_policy(policy)
    bounces = exports.classified()
    with progress() as update:
        result = ba.clean(
            mailing_list,
            bounces,
            folder,
            policy=chosen,
            column=column,
            overwrite=overwrite,
            progress=update,
        )
    click.echo(str(result))


@main.command()
@takes_exports()
@click.option(
    "--for",
    "target",
    type=click.Choice(["sendgrid", "ses", "mailgun", "plain"]),
    required=True,
    help="Whose import format to write.",
)
@click.option("--out", "path", required=True, help="The file to write.")
@policy_option
@overwrite_option
def suppress(
    exports: Exports,
    target: str,
    path: str,
    policy: str,
    overwrite: bool,
) -> None:
    """Write a suppression file that SendGrid, SES or Mailgun can import."""
    verdicts = ba.decide(exports.classified(), chosen_policy(policy))
    click.echo(str(ba.export_suppressions(verdicts, target, path, overwrite=overwrite)))

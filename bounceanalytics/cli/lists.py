"""Verbs for addresses: decide, clean, restore, compare, suppress."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

import click

import bounceanalytics as ba
from bounceanalytics.cleaning.result import FILES
from bounceanalytics.cli.shell import (
    Exports,
    at_option,
    chosen_policy,
    existing_ledger,
    main,
    open_out,
    out,
    overwrite_option,
    policy_option,
    print_frame,
    progress,
    refuse_outputs,
    refuse_read,
    salt_option,
    takes_exports,
    write_frame,
)
from bounceanalytics.files import path_of
from bounceanalytics.knowledge.suppression_files import REMOVE
from bounceanalytics.schema import VERDICTS
from bounceanalytics.suppressing import FORMATS
from bounceanalytics.suppressing.suppressions import files_of
from bounceanalytics.wording import esp_title, reason_title

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from bounceanalytics.suppressing.suppressions import Action

#: Rows of a long table that are shown; all of them go into a file.
_SHOWN = 50


@main.command()
@takes_exports(events=True)
@policy_option
@at_option
@click.option("--out", "path", help="Write the verdicts to this .parquet, .csv or .csv.gz file.")
@overwrite_option
def decide(exports: Exports, policy: str, at: str | None, path: str | None, overwrite: bool) -> None:
    """Decide who is removed, held or kept; show how many, and why."""
    chosen = chosen_policy(policy)
    refuse_outputs(path, overwrite=overwrite)
    verdicts = ba.decide(exports.classified(), chosen, at=at)
    counted = verdicts.groupby(["verdict", "reason"], observed=True).agg(
        addresses=("address", "size"), domains=("domain", "nunique"), last=("decided_at", "max")
    )
    shown = counted.sort_values(["verdict", "addresses"], ascending=[True, False]).reset_index()
    shown = shown[shown["verdict"] != "keep"].assign(last=shown["last"].dt.strftime("%Y-%m-%d"))
    print_frame(shown, title=f"Who goes and who waits, by the policy {chosen.name}")
    totals = verdicts["verdict"].value_counts().reindex(VERDICTS, fill_value=0)
    out.print(", ".join(f"{count:,} to {verdict}" for verdict, count in totals.items()))
    for sentence in _listed(verdicts):
        out.print(sentence)
    if path:
        write_frame(verdicts, path, overwrite)


def _listed(verdicts: pd.DataFrame) -> Iterator[str]:
    """Yield for each ESP whom its list keeps mail from although they are kept or held, and how to take them off."""
    found = verdicts[verdicts["verdict"] != "remove"].dropna(subset=["suppressed_by"])
    for esp in sorted(set(found["suppressed_by"])):
        mine = found[found["suppressed_by"] == esp]
        reasons = ", ".join(
            f"{count:,} for {reason_title(reason).lower()}"
            for reason, count in mine["reason"].value_counts().items()
            if count
        )
        cure = f"suppress --for {esp} --off writes what takes them off." if esp in REMOVE else ""
        yield f"{esp_title(esp)} drops mail to {len(mine):,} that are kept or held: {reasons}. {cure}".rstrip()


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
    click.echo(chosen_policy(name).to_toml().encode(), nl=False)  # as a file of TOML has to be


@main.command()
@click.argument("mailing_list", metavar="LIST", type=click.Path(dir_okay=False))
@takes_exports(required=False, events=True)
@click.option(
    "--out",
    "folder",
    default="cleaned",
    show_default=True,
    help="Folder for kept.csv, removed.csv, held.csv …",
)
@policy_option
@click.option("--ledger", "book", metavar="FILE", help="A ledger: who is in it is removed or held, too.")
@salt_option
@click.option("--column", help="Column of the list that holds the addresses; found if not given.")
@click.option("--fold-subaddresses", is_flag=True, help="Take ann+news@ for ann@.")
@click.option("--fold-gmail-dots", is_flag=True, help="Take a.n.n@gmail.com for ann@gmail.com.")
@overwrite_option
def clean(
    mailing_list: str,
    exports: Exports,
    folder: str,
    policy: str,
    book: str | None,
    salt: str,
    column: str | None,
    fold_subaddresses: bool,
    fold_gmail_dots: bool,
    overwrite: bool,
) -> None:
    """Split the mailing list LIST into kept, removed and held rows by what the exports in SOURCES say, or a ledger.

    LIST is a CSV file or an Excel workbook, packed or not, a file in an archive such as lists.zip/customers.csv, a URL,
    or "-" for standard input.
    """
    refuse_outputs(*(str(Path(folder, name)) for name in FILES.values()), overwrite=overwrite)
    chosen = chosen_policy(policy)
    if not (exports.sources or book):
        raise click.UsageError("there is nothing to clean by; give exports or --ledger")
    with contextlib.ExitStack() as stack:
        ledger = stack.enter_context(existing_ledger(book, salt)) if book else None
        bounces = exports.classified() if exports.sources else None
        update = stack.enter_context(progress())
        result = ba.clean(
            mailing_list,
            bounces,
            folder,
            ledger=ledger,
            policy=chosen if exports.sources else None,
            column=column,
            fold_subaddresses=fold_subaddresses,
            fold_gmail_dots=fold_gmail_dots,
            overwrite=overwrite,
            progress=update,
        )
    out.print(str(result))


@main.command()
@click.argument("run", type=click.Path(exists=True, file_okay=False))
@click.option("--out", "path", required=True, help="The list to write: kept rows and those given back.")
@click.option("--domain", multiple=True, help="Only rows of this domain; may be given several times.")
@click.option("--reason", multiple=True, help="Only rows of this reason; may be given several times.")
@click.option("--since", help="Only rows decided from this day on, such as 2026-11-01.")
@click.option("--until", help="Only rows decided up to this day.")
@click.option("--only", is_flag=True, help="Write the rows given back alone.")
@overwrite_option
def restore(
    run: str,
    path: str,
    domain: tuple[str, ...],
    reason: tuple[str, ...],
    since: str | None,
    until: str | None,
    only: bool,
    overwrite: bool,
) -> None:
    """Give rows back exactly as they were, out of the folder RUN that `clean` wrote; all if no filter is given."""
    between = (since or "1970-01-01", until or "9999-01-01") if since or until else None
    restored = ba.restore(
        run,
        path,
        domain=list(domain) or None,
        reason=list(reason) or None,
        between=between,
        only=only,
        overwrite=overwrite,
    )
    out.print(str(restored))


@main.command()
@click.argument("run1", type=click.Path(exists=True, file_okay=False))
@click.argument("run2", type=click.Path(exists=True, file_okay=False))
@click.option("--addresses", is_flag=True, help="Show addresses, too.")
@click.option("--out", "path", help="Write who moved to this .parquet, .csv or .csv.gz file.")
@overwrite_option
def diff(run1: str, run2: str, addresses: bool, path: str | None, overwrite: bool) -> None:
    """Show who moved between two runs of `clean`, and why."""
    refuse_outputs(path, overwrite=overwrite)
    moved = ba.diff(run1, run2, addresses=addresses)
    names = [*(["address"] if addresses else ["domain"]), "part_before", "part_after", "why"]
    print_frame(moved[names].head(_SHOWN), terminal=open_out if addresses else out)
    out.print(f"{len(moved):,} moved" + (f"; the first {_SHOWN} are shown" if len(moved) > _SHOWN else ""))
    if path:
        write_frame(moved, path, overwrite)


@main.command()
@takes_exports()
def storms(exports: Exports) -> None:
    """List the hours in which a server, or your own relay, wrongly refused many at once; their removals are held."""
    found = ba.storms(exports.classified())
    for sentence in found["explanation"]:
        out.print(f"- {sentence}")
    out.print(f"{len(found):,} storms")


@main.command()
@takes_exports()
def recovery(exports: Exports) -> None:
    """Show how many addresses take mail again after a bounce, and when, by reason."""
    found = ba.recovery(exports.classified(), by="reason")
    days = {f"share_{day}": f"{day} days" for day in (7, 14, 30, 60)}
    shown = found[["reason", "episodes", "recovered", *days]].rename(columns=days)
    print_frame(
        shown, title="Share of addresses that take mail again within so many days of their first bounce"
    )


@main.command()
@takes_exports(events=True)
@click.option(
    "--for",
    "target",
    type=click.Choice(FORMATS),
    required=True,
    help="Whose import format to write.",
)
@click.option("--out", "path", required=True, help="The file to write.")
@click.option(
    "--off", is_flag=True, help="Write what takes kept and held addresses off the ESP's list again."
)
@salt_option
@policy_option
@overwrite_option
def suppress(
    exports: Exports, target: str, path: str, off: bool, salt: str, policy: str, overwrite: bool
) -> None:
    """Write a suppression file that an ESP can import: whom to suppress, or with --off whom no longer."""
    refuse_outputs(path, overwrite=overwrite)
    action: Action = "remove" if off else "add"
    refuse_read(files_of(path_of(path), target, action))
    verdicts = ba.decide(exports.classified(), chosen_policy(policy))
    written = ba.export_suppressions(verdicts, target, path, action=action, salt=salt, overwrite=overwrite)
    out.print(str(written))


@main.command()
@click.argument("mailing_list", metavar="LIST", type=click.Path(dir_okay=False))
@click.argument("hashes", type=click.Path(dir_okay=False))
@click.option(
    "--out", "folder", default="cleaned", show_default=True, help="Folder for kept.csv, removed.csv …"
)
@salt_option
@overwrite_option
def match(mailing_list: str, hashes: str, folder: str, salt: str, overwrite: bool) -> None:
    """Clean the mailing list LIST against the file HASHES that `suppress --for hashed` wrote."""
    refuse_outputs(*(str(Path(folder, name)) for name in FILES.values()), overwrite=overwrite)
    found = ba.match_hashes(mailing_list, hashes, salt=salt)
    with progress() as update:
        out.print(str(ba.clean(mailing_list, found, folder, overwrite=overwrite, progress=update)))

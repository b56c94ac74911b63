"""Verbs of domains: whether they take mail, since when, which changed, and which are likely typing errors."""

from __future__ import annotations

import contextlib
import functools
import json
import warnings
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click
import pyarrow.compute as pc

import bounceanalytics as ba
from bounceanalytics.addresses import domain_of
from bounceanalytics.cli.shell import (
    Exports,
    existing_ledger,
    existing_monitor,
    main,
    out,
    overwrite_option,
    print_frame,
    progress,
    refuse_outputs,
    salt_option,
    takes_exports,
    write_frame,
)
from bounceanalytics.domains.listed import listed_addresses
from bounceanalytics.domains.plans import LEVELS
from bounceanalytics.files import path_of, write_whole
from bounceanalytics.privacy import to_share
from bounceanalytics.report.domains import domains_page
from bounceanalytics.schema import STRING, TROUBLES
from bounceanalytics.wording import STATES, count

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import pandas as pd

#: Rows of a long table that are shown; all of them go into a file.
SHOWN = 50
#: Exit status where somebody should look at what was found; 1 is that of an error.
ATTENTION = 3
_ORDER = {status: place for place, status in enumerate(STATES)}

json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document instead of a table."
)


def _asks(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of whoever asks name servers, as one argument ``asking``."""
    options = [
        click.option(
            "--level",
            type=click.Choice(LEVELS),
            multiple=True,
            default=("dns",),
            show_default=True,
            help="Whom to ask: name servers always; mail servers, too (greeting); the registry, too (rdap).",
        ),
        click.option(
            "--resolver",
            "resolvers",
            metavar="IP",
            multiple=True,
            help="A resolver to ask, perhaps with a port; that of this machine if not given.",
        ),
        click.option("--cache", metavar="FILE", help="A file that remembers what was found out."),
        click.option(
            "--timeout",
            type=click.FloatRange(min=0, min_open=True, max=600),
            default=3.0,
            show_default=True,
            help="Seconds to wait for an answer of a name server.",
        ),
    ]

    @functools.wraps(command)
    def run(
        *args: Any,
        level: tuple[str, ...],
        resolvers: tuple[str, ...],
        cache: str | None,
        timeout: float,
        **more: Any,
    ) -> Any:
        asking = {"level": level, "resolvers": resolvers or None, "cache": cache, "timeout": timeout}
        return command(*args, asking=asking, **more)

    for add in reversed(options):
        run = add(run)
    return run


@main.group()
def domains() -> None:
    """Look after the domains of a list: whether they take mail, since when, and which are typing errors.

    \b
    For cron, every verb ends with one line that sums up, and with an exit status:
      0  nothing to look at
      1  it could not be done, such as without a network; one sentence says why
      2  the command was not understood
      3  something to look at: domains that take no mail (check), that changed (watch), that are due (due)
    """  # noqa: D301 - click reads it as "do not wrap"


@domains.command()
@click.argument("names", metavar="DOMAIN...", nargs=-1)
@click.option(
    "--exports", "sources", metavar="SOURCES", multiple=True, help="Check the domains in these exports, too."
)
@click.option("--list", "listed", metavar="LIST", help="Check the domains of this mailing list, too.")
@_asks
@json_option
@click.option("--out", "path", help="Write all that was found to this .parquet, .csv or .csv.gz file.")
@overwrite_option
@click.pass_context
def check(
    ctx: click.Context,
    names: tuple[str, ...],
    sources: tuple[str, ...],
    listed: str | None,
    asking: dict[str, Any],
    as_json: bool,
    path: str | None,
    overwrite: bool,
) -> None:
    """Show whether domains take mail; no message is sent, no address is shown.

    Where exports are given, a domain that took mail within 30 days is not asked. Ends with 3 if a domain takes no mail.
    """
    if not (names or sources or listed):
        raise click.UsageError("name domains, or give --exports or --list")
    refuse_outputs(path, overwrite=overwrite)
    bounces = Exports(sources, None, "UTC").classified() if sources else None
    wanted = [
        *names,
        *(_domains(bounces) if bounces is not None else ()),
        *(_listed(listed) if listed else ()),
    ]
    offline, found = _asked(
        lambda update: ba.check_domains(wanted, bounces=bounces, progress=update, **asking)
    )
    found = to_share(found)
    if path:
        write_frame(found, path, overwrite, quiet=as_json)
    summary = _states_summary(found)
    if as_json:
        _print_json({"domains": _records(found), "summary": summary})
    else:
        _print_states(found, ["domain", "status", "basis", "explanation"])
        out.print(summary)
    _end(ctx, offline, attention=bool(found["status"].isin(TROUBLES).any()))


@domains.command()
@click.argument("path", metavar="FILE")
@takes_exports(required=False)
@click.option("--also", metavar="DOMAIN", multiple=True, help="Watch this domain from now on, too.")
@click.option("--not", "unwanted", metavar="DOMAIN", multiple=True, help="Watch this domain no more.")
@_asks
@click.option(
    "--ledger",
    "book",
    metavar="LEDGER",
    help="Have the addresses at recovered domains come up for review in this ledger; nobody is lifted.",
)
@salt_option
@json_option
@click.pass_context
def watch(
    ctx: click.Context,
    path: str,
    exports: Exports,
    also: tuple[str, ...],
    unwanted: tuple[str, ...],
    asking: dict[str, Any],
    book: str | None,
    salt: str,
    as_json: bool,
) -> None:
    """Take in the exports in SOURCES, ask for the domains that are due, and show what changed.

    FILE is the monitor; it is made if it is not there. Without SOURCES, only those that are due are asked for. Whoever
    is interrupted and starts again goes on where it was. Ends with 3 if a domain changed.
    """
    with contextlib.ExitStack() as open_files:
        ledger = open_files.enter_context(existing_ledger(book, salt)) if book else None
        bounces = exports.classified() if exports.sources else None
        monitor = open_files.enter_context(ba.Monitor(path))
        began = datetime.now(UTC)
        if bounces is not None:
            monitor.update(bounces)
        monitor.watch(also)
        monitor.unwatch(unwanted)
        offline, checked = _asked(lambda update: monitor.check(progress=update, **asking))
        asked = int(checked["checked_at"].notna().sum())  # whoever could not be asked was not checked
        changed = to_share(monitor.changed(began))
        # that one is watched from now on, and is well, is no news
        changed = changed[changed["before"].notna() | changed["after"].isin(TROUBLES)]
        reviews = ledger.review(monitor.recovered()) if ledger is not None else None
        summary = _watch_summary(monitor.states(), asked, len(changed), reviews)
    if as_json:
        told = {"changes": _records(changed), "checked": asked, "reviews": reviews}
        _print_json({**told, "summary": summary})
    else:
        if len(changed):
            print_frame(_dated(changed[["domain", "before", "after", "since", "explanation"]].head(SHOWN)))
        if len(changed) > SHOWN:
            out.print(f"the first {SHOWN} are shown")
        out.print(summary)
    _end(ctx, offline, attention=bool(len(changed)))


@domains.command()
@click.argument("path", metavar="FILE")
@click.option("--date", help="The day, such as 2026-12-01; today if not given.")
@json_option
@click.pass_context
def due(ctx: click.Context, path: str, date: str | None, as_json: bool) -> None:
    """Show the domains that the monitor FILE would ask for, longest due first. Ends with 3 if there are any."""
    with existing_monitor(path) as monitor:
        found, watched = to_share(monitor.due(date)), len(monitor)
    summary = f"{len(found):,} of {count(watched, 'domain')} due"
    if as_json:
        _print_json({"due": _records(found), "summary": summary})
    else:
        if len(found):
            print_frame(_dated(found[["domain", "status", "since", "checked_at", "due_on"]].head(SHOWN)))
        if len(found) > SHOWN:
            out.print(f"the first {SHOWN} are shown")
        out.print(summary)
    _end(ctx, "", attention=bool(len(found)))


@domains.command()
@click.argument("path", metavar="FILE")
@click.option(
    "--out", "target", help="Write it to this .html page, or the table to a .csv, .csv.gz or .parquet file."
)
@json_option
@overwrite_option
def report(path: str, target: str | None, as_json: bool, overwrite: bool) -> None:
    """Show how the domains in the monitor FILE are, and how soon they recover; a page has charts, too."""
    refuse_outputs(target, overwrite=overwrite)
    with existing_monitor(path) as monitor:
        found, back = to_share(monitor.states()), monitor.recovered()
        if target and target.endswith((".html", ".htm")):
            write_whole(path_of(target, ba.OutputError), domains_page(monitor).encode(), overwrite=overwrite)
            if not as_json:
                out.print(f"{target} written")
        elif target:
            write_frame(found, target, overwrite, quiet=as_json)
    summary = f"{_states_summary(found)}; {len(back):,} recovered"
    if as_json:
        _print_json({"domains": _records(found), "recovered": _records(to_share(back)), "summary": summary})
        return
    _print_states(_dated(found), ["domain", "status", "since", "due_on", "explanation"])
    out.print(summary)


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
@json_option
@click.option("--out", "path", help="Write all of them to this .parquet, .csv or .csv.gz file.")
@overwrite_option
def typos(
    exports: Exports, listed: str | None, ratio: float, as_json: bool, path: str | None, overwrite: bool
) -> None:
    """Show domains that are likely typing errors, and what was meant; nothing is changed, no address is shown."""
    refuse_outputs(path, overwrite=overwrite)
    found = to_share(ba.domain_typos(exports.classified(), mailing_list=listed, ratio=ratio))
    if path:
        write_frame(found, path, overwrite, quiet=as_json)
    if as_json:
        _print_json({"typos": found.to_dict("records"), "summary": _summary(found)})
        return
    if len(found):
        shown = ["domain", "suggestion", "addresses", "bounced", "change"]
        print_frame(found[shown].head(SHOWN))
    if len(found) > SHOWN:
        out.print(f"the first {SHOWN} are shown")
    out.print(_summary(found))


def _domains(bounces: pd.DataFrame) -> Iterable[str]:
    """Return the different domains of a classified frame."""
    return [str(name) for name in bounces["domain"].dropna().unique() if name]


def _listed(path: str) -> Iterable[str]:
    """Return the different domains of a mailing list."""
    names: dict[str, None] = {}
    for block in listed_addresses(path):
        names |= dict.fromkeys(pc.unique(domain_of(block).drop_null()).to_pylist())
    return names


def _asked(ask: Callable[[Any], pd.DataFrame]) -> tuple[str, pd.DataFrame]:
    """Return why nobody could be asked, if so, and what was found all the same."""
    with progress() as update, warnings.catch_warnings(record=True) as met:
        warnings.simplefilter("always")
        found = ask(update)
    offline = ""
    for one in met:
        if issubclass(one.category, ba.NoNetworkWarning):
            offline = str(one.message)
        else:
            warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)
    return offline, found


def _end(ctx: click.Context, offline: str, *, attention: bool) -> None:
    if offline:
        raise click.ClickException(offline)
    ctx.exit(ATTENTION if attention else 0)


def _dated(found: pd.DataFrame) -> pd.DataFrame:
    """Return a frame with days instead of times."""
    times = found.select_dtypes("datetimetz").columns
    return found.assign(**{name: found[name].dt.strftime("%Y-%m-%d") for name in times})


def _print_states(found: pd.DataFrame, columns: list[str]) -> None:
    order = found["status"].astype(STRING).map(_ORDER).sort_values(kind="stable").index
    if len(found):
        print_frame(found.loc[order, columns].head(SHOWN))
    if len(found) > SHOWN:
        out.print(f"the first {SHOWN} are shown")


def _states_summary(found: pd.DataFrame) -> str:
    counted = found["status"].astype(STRING).value_counts()
    told = ", ".join(f"{counted[status]:,} {status}" for status in _ORDER if status in counted)
    return f"{count(len(found), 'domain')}{f': {told}' if told else ''}"


def _watch_summary(states: pd.DataFrame, checked: int, changed: int, reviews: int | None) -> str:
    told = [f"{checked:,} checked", f"{changed:,} changed"]
    told += [] if reviews is None else [f"{count(reviews, 'address', 'addresses')} up for review"]
    return f"{', '.join(told)}; watched are {_states_summary(states)}"


def _records(found: pd.DataFrame) -> list[dict[str, Any]]:
    """Return rows as JSON has them: times as ISO texts, None for what is missing."""
    records: list[dict[str, Any]] = json.loads(
        found.to_json(orient="records", date_format="iso", date_unit="s")
    )
    return records


def _print_json(document: dict[str, Any]) -> None:
    click.echo(json.dumps(document))  # in ASCII, which every terminal and every pipe takes


def _summary(found: pd.DataFrame) -> str:
    if found.empty:
        return "no domain is likely a typing error"
    one = len(found) == 1
    addresses, bounced = int(found["addresses"].sum()), int(found["bounced"].sum())
    return (
        f"{len(found):,} {'domain is likely a typing error' if one else 'domains are likely typing errors'}: "
        f"{addresses:,} {'address' if addresses == 1 else 'addresses'}, {bounced:,} bounced"
    )

"""Who may see what: made-up addresses in every spelling and every place, and no trace of them in what others read."""

from __future__ import annotations

import contextlib
import csv
import functools
import io
import itertools
import json
import os
import subprocess
import sys
import traceback
import warnings
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner
from rich.table import Table

import bounceanalytics as ba
from bounceanalytics.cli import main
from bounceanalytics.cli.shell import Terminal
from bounceanalytics.privacy import printable, shown, without_addresses, without_ips
from bounceanalytics.report.contents import compute
from bounceanalytics.report.domains import domains_page
from bounceanalytics.report.page import draw
from bounceanalytics.spreadsheets import no_formulas_in
from tests.loading.exports import lines, mailgun_failed, sendgrid_bounce
from tests.loading.format_cases import CASES
from tests.report.test_report import unpacked

#: How an address is written -> text with the secret and with a domain.
SPELLINGS: dict[str, str] = {
    "plain": "{}@example.com",
    "brackets": "<{}@example.com>",
    "name": "Zoe Z <{}@example.com>",
    "blanks": "{} @ example.com",
    "blank before": "{} @example.com",
    "percent": "{}%40example.com",
    "percent twice": "{}%2540example.com",
    "full width": "{}\uff20example.com",
    "small": "{}\ufe6bexample.com",
    "at": "{}(at)example.com",
    "at and dot": "{} [at] example [dot] com",
    "entity": "{}&#64;example.com",
    "named entity": "{}&commat;example.com",
    "escape": "{}\\u0040example.com",
    "quoted printable": "{}=40example.com",
    "invisible": "{}\u200b@\u200bexample.com",
    "quoted": '"{} b"@example.com',
    "apostrophe": "o'{}@example.com",
    "slashes": "/c=us/s={}/@example.com",
    "comment": "{}(home)@example.com",
    "comment after a blank": "{} (home)@example.com",
    "sign twice": "{}@@example.com",
    "half a quote": "{}'@example.com",
    "typographic quotes": "\u201c{}\u201d@example.com",
    "braces": "{{{}}}@example.com",
    "backslash": "{}\\@example.com",
    "tag": "news+{}@example.com",
    "no dot": "{}@localhost",
    "literal": "{}@[192.0.2.9]",
    "percent route": "{}%example.com@relay.example",
    "return path": "bounce+{}=example.com@relay.example",
    "bare return path": "user:{}=example.com",
    "scheme": "SRS0=HHH=TT=example.com={}@relay.example",
    "bare scheme": "SRS0=HHH=TT=example.com={}",
    "signed": "prvs=12ab34={}@example.com",
    "mailto": "mailto:{}@example.com",
    "query": "https://example.com/?email={}%40example.com&n=1",
    "domain twice": "{}@example.com@example.org",
    "foreign": "é{}@bücher.example",
}
#: What is no address, and is told as it is.
NO_ADDRESSES = (
    "mx1.example.net",
    "5.3.1",
    "550 5.1.1 User unknown",
    "ask dsn@ of your domain",
    "@example.com",
    "helo=mx.example.net smtp.mailfrom=example.com header.d=example.org",
    "look (at) this",
    "load=40% full",
    "pass overwrite=True",
    "x @ 10:04",
    "s3://bucket/events",
    r"\S+@\S+",
    "a@",
    "key '@timestamp' and \"@type\"",
    "<@example.com>",
)


@dataclass
class Secrets:
    """Local parts, each unlike any other text, and where each was put."""

    places: dict[str, str] = field(default_factory=dict)
    _spellings: Iterator[str] = field(default_factory=lambda: itertools.cycle(SPELLINGS.values()))

    def new(self, place: str, spelling: str | None = None) -> str:
        """Return an address in the next spelling, or in this one."""
        secret = f"zq{len(self.places):05d}wx"
        self.places[secret] = place
        return (spelling or next(self._spellings)).format(secret)

    def planted(self, value: Any, place: str) -> Any:
        """Return a record with an address behind each of its texts."""
        if isinstance(value, dict):
            return {key: self.planted(one, f"{place}.{key}") for key, one in value.items()}
        if isinstance(value, list):
            return [self.planted(one, place) for one in value]
        if not isinstance(value, str) or any(sign.isdigit() for sign in value[:4]):
            return value  # a number, a time or a code
        plain = SPELLINGS["plain"]
        return self.new(place, plain) if "@" in value else f"{value} {self.new(place)}"

    def in_(self, *texts: str) -> set[str]:
        """Return where those were put that stand in a text."""
        return {self.places[secret] for text in texts for secret in self.places if secret in text}


def one_by_one(secrets: Secrets, record: Any, place: str) -> Iterator[Any]:
    """Yield a record as often as it has texts, each time with an address behind another one."""
    if isinstance(record, dict):
        for key, value in record.items():
            for changed in one_by_one(secrets, value, f"{place}.{key}"):
                yield record | {key: changed}
    elif isinstance(record, list):
        for number, value in enumerate(record):
            for changed in one_by_one(secrets, value, place):
                yield [*record[:number], changed, *record[number + 1 :]]
    else:
        planted = secrets.planted(record, place)
        if planted != record:
            yield planted


# --- the function --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS)
@pytest.mark.parametrize("around", ["{}", "550 5.1.1 <{}>: unknown", "lists/{}.csv", "a,'{}',b", "{} {}"])
def test_no_spelling_is_shown(spelling: str, around: str) -> None:
    secrets = Secrets()
    text = around.replace("{}", secrets.new("text", spelling))
    told = without_addresses(text)
    assert not secrets.in_(told), told
    assert without_addresses(told) == told


@pytest.mark.parametrize("text", NO_ADDRESSES)
def test_what_is_no_address_is_told(text: str) -> None:
    assert without_addresses(text) == text


def test_the_domain_is_told() -> None:
    for spelling in ("plain", "percent", "full width", "blanks", "return path"):
        assert "example" in without_addresses(SPELLINGS[spelling].format("zq"))


def test_machines_are_hidden_and_nothing_else() -> None:
    assert without_ips("[192.0.2.7] 2001:db8::7, ::ffff:192.0.2.7.") == "[…] …, …."
    assert without_ips("5.3.1 at 10:04:05, 1.2.3.4.5, a::b") == "5.3.1 at 10:04:05, 1.2.3.4.5, a::b"


@pytest.mark.parametrize(
    "piece", ['"', "=", "a=", "'a", "/a", "a:", "(at", "%4", "a&", "a.b", "SRS0=", "x@", "a  "]
)
def test_texts_that_lead_astray_are_soon_done(piece: str) -> None:
    text = piece * 100_000 + "@example.com"
    without_addresses(text)
    without_ips(text)


# --- exports of every form -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class World:
    """Exports with secrets in every field, what was made of them, and what was said meanwhile."""

    secrets: Secrets
    folder: Path
    load: ba.Load
    bounces: pd.DataFrame
    said: tuple[str, ...]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    secrets = Secrets()
    folder = tmp_path_factory.mktemp("secrets")
    exports = folder / "exports"
    for number, case in enumerate(CASES):
        first = case.make(number)
        records = [first, *one_by_one(secrets, first, case.id)] if isinstance(first, dict) else [first]
        place = exports / f"{number} {secrets.new('folder', SPELLINGS['plain'])}"
        place.mkdir(parents=True)
        content = replace(case, make=records.__getitem__).content(range(len(records)))
        (place / f"{case.name} {secrets.new('file', SPELLINGS['plain'])}").write_bytes(content)
    with warnings.catch_warnings(record=True, action="always") as met:
        load = ba.load(exports)
        bounces = ba.classify(load.events)
        bounces = bounces.assign(
            domain=bounces["domain"].mask(bounces.index % 7 == 0, secrets.new("domain", SPELLINGS["plain"]))
        )
    return World(secrets, folder, load, bounces, tuple(str(one.message) for one in met))


def test_secrets_are_in_every_form(world: World) -> None:
    assert len(world.secrets.places) > 300
    assert world.load.files["form"].ne("").mean() > 0.7
    everything = world.bounces.to_csv()
    assert len(world.secrets.in_(everything)) > 100


def test_what_prints_itself_shows_none(world: World) -> None:
    load = world.load
    assert not world.secrets.in_(repr(load), load.to_text(limit=None), load._repr_html_(), *world.said)


def pages_of(text: str) -> Iterator[str]:
    """Yield what a page has packed."""
    for part in text.split('type="application/octet-stream"')[1:]:
        if "plotly" not in part[:20]:  # its own code is nobody's data
            yield unpacked(part.partition(">")[2].partition("<")[0])


def pages(path: Path) -> Iterator[str]:
    """Yield what is in a file that is made to be shared, unpacked as well."""
    content = path.read_bytes()
    if path.suffix == ".xlsx":
        with zipfile.ZipFile(io.BytesIO(content)) as book:
            yield from (book.read(name).decode("utf-8", "replace") for name in book.namelist())
        return
    text = content.decode("utf-8")
    yield text
    yield from pages_of(text)


@pytest.mark.parametrize("name", ["report.html", pytest.param("report.xlsx", marks=pytest.mark.slow)])
def test_a_report_names_domains_only(world: World, tmp_path: Path, name: str) -> None:
    policy = replace(ba.Policy(), name=world.secrets.new("policy", SPELLINGS["plain"]))
    path = ba.report(world.bounces, tmp_path / name, policy=policy)
    texts = list(pages(path))
    assert len(texts) > 1
    assert not world.secrets.in_(*texts)
    ips = set(world.bounces["sending_ip"].dropna())
    assert ips
    assert not {ip for ip in ips for text in texts if ip in text}


@pytest.mark.slow
def test_charts_and_the_page_of_domains_name_domains_only(world: World, tmp_path: Path) -> None:
    contents = compute(world.bounces)
    for function, frames in draw(contents).values():
        assert not world.secrets.in_(function(*frames).to_json())
    reply = f"550 {world.secrets.new('reply', SPELLINGS['percent'])} [203.0.113.77] is blocked"
    with ba.Monitor(tmp_path / f"{world.secrets.new('monitor', SPELLINGS['plain'])}.db") as monitor:
        monitor.update(world.bounces.assign(diagnostic=reply))
        page = domains_page(monitor)
        assert not world.secrets.in_(page, repr(monitor), *pages_of(page))
        assert "203.0.113.77" not in page


@pytest.mark.slow
def test_addresses_are_shown_where_somebody_asks(world: World) -> None:
    told = compute(world.bounces, redact=False)
    assert "@example.com" in str(told.examples)
    assert set(told.summaries.sending_ips["sending_ip"]) & set(world.bounces["sending_ip"].dropna())
    assert compute(world.bounces).examples is None


# --- lists, ledgers, policies, rules -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cleaned:
    """A list that was cleaned, its secrets, and what the run has written and said."""

    secrets: Secrets
    folder: Path
    run: ba.Cleaning
    verdicts: pd.DataFrame
    listed: bytes


@pytest.fixture(scope="module")
def cleaned(tmp_path_factory: pytest.TempPathFactory) -> Cleaned:
    secrets = Secrets()
    plain = SPELLINGS["plain"]
    folder = tmp_path_factory.mktemp("lists") / secrets.new("folder", plain)
    folder.mkdir()
    readers = [secrets.new("reader", plain) for _ in range(6)]
    events = [
        sendgrid_bounce(
            number, email=reader, reason=f"550 5.1.1 {reader}: no such user, write to {secrets.new('reason')}"
        )
        for number, reader in enumerate(readers[:3])
    ]
    export = folder / f"{secrets.new('export', plain)}.json"
    export.write_bytes(lines(*events))
    titles = ["email", secrets.new("title", SPELLINGS["at"]), secrets.new("title", SPELLINGS["percent"])]
    rows = [titles, *([reader, secrets.new("cell"), "=1+1"] for reader in readers), ["nobody", "x", "y"]]
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    listed = text.getvalue().encode()
    given = folder / f"{secrets.new('list', plain)}.csv"
    given.write_bytes(listed)
    verdicts = ba.decide(ba.classify(ba.load(export).events))
    run = ba.clean(given, ba.classify(ba.load(export).events), folder / "cleaned")
    return Cleaned(secrets, folder, run, verdicts, listed)


def test_a_manifest_holds_no_address(cleaned: Cleaned) -> None:
    manifest = cleaned.run.files["manifest"].read_text(encoding="utf-8")
    assert json.loads(manifest)["rows"]["removed"] == 3
    assert not cleaned.secrets.in_(manifest)


def test_what_a_run_prints_shows_none(cleaned: Cleaned, tmp_path: Path) -> None:
    restored = ba.restore(cleaned.run, cleaned.folder / "again.csv")
    assert restored.path.read_bytes() == cleaned.listed
    written = ba.export_suppressions(cleaned.verdicts, "mailgun", cleaned.folder / "suppress.csv")
    with ba.Ledger(cleaned.folder / "ledger.db") as ledger:
        update = ledger.update(cleaned.verdicts)
        told = [cleaned.run, restored, written, ledger, update]
        texts = [repr(one) for one in told] + [one._repr_html_() for one in (cleaned.run, restored)]
    dataset = ba.convert(lines(sendgrid_bounce()), cleaned.folder / "events.parquet")
    assert not cleaned.secrets.in_(*texts, repr(dataset))


def test_what_an_esp_imports_has_its_addresses_as_they_are(tmp_path: Path) -> None:
    odd = ["+49@example.com", "=ann@example.com", "-x@example.com"]
    verdicts = ba.decide(
        ba.classify(ba.load(lines(*(sendgrid_bounce(n, email=one) for n, one in enumerate(odd)))).events)
    )
    ba.export_suppressions(verdicts, "plain", tmp_path / "plain.txt")
    assert sorted((tmp_path / "plain.txt").read_text().split()) == sorted(odd)


# --- messages ------------------------------------------------------------------------------------------------------

_ROW = "Nia Qnoll;+49 30 5550123;Qstreet 5"
#: What is said of somebody beside an address, in content that is given in the wrong place.
_OTHERS = ("Qnoll", "5550123", "Qstreet")


def contents(secrets: Secrets) -> dict[str, str]:
    """Return content that may be given where a path belongs."""
    who = secrets.new("content", SPELLINGS["plain"])
    record = {"email": who, "name": "Nia Qnoll", "phone": "+49 30 5550123"}
    return {
        "json": json.dumps(record),
        "pretty": json.dumps(record, indent=1),
        "array": json.dumps([record] * 40),
        "lines": f"email;name\n{who};Nia Qnoll\n",
        "long": f"{who};{_ROW};" * 20,
        "longer": f"{who};{_ROW};" * 400,
        "address": who,
        "blanks": secrets.new("content", SPELLINGS["blanks"]),
        "null": f"{who}\0Qnoll",
        "file": f"nowhere/{who}.csv",
        "toml": f'[[rule]]\nid = "{who}"\n',
        "xml": f"<list><email>{who}</email><name>Qnoll</name></list>",
    }


#: What takes a path -> how it is called with a text.
DOORS: dict[str, Callable[[str], object]] = {
    "load": ba.load,
    "read": ba.read,
    "read_sendgrid": ba.read_sendgrid,
    "read_table": lambda text: ba.read_table(text, mapping={"recipient": "email"}),
    "convert": lambda text: ba.convert(text, "out.parquet"),
    "convert to": lambda text: ba.convert(lines(sendgrid_bounce()), text),
    "Dataset": ba.Dataset,
    "classify": ba.classify,
    "classify rules": lambda text: ba.classify(_events(), rules=text),
    "lint": ba.lint_rules,
    "decide": ba.decide,
    "clean": lambda text: ba.clean(text, b"", "cleaned"),
    "clean by": lambda text: ba.clean(b"email\nann@example.com\n", text, "cleaned"),
    "clean column": lambda text: ba.clean(b"email\nann@example.com\n", _events(), "cleaned", column=text),
    "clean ledger": lambda text: ba.clean(b"email\nann@example.com\n", None, "cleaned", ledger=text),
    "clean to": lambda text: ba.clean(b"email\nann@example.com\n", _events(), text + "/x\0"),
    "restore": lambda text: ba.restore(text, "again.csv"),
    "diff": lambda text: ba.diff(text, text),
    "policy": ba.Policy.load,
    "preset": ba.Policy.preset,
    "policy value": lambda text: ba.Policy(system_full=text),
    "ledger": lambda text: ba.Ledger(f"{text}/no/such"),
    "monitor": lambda text: ba.Monitor(f"{text}/no/such"),
    "report": lambda text: ba.report(text, "report.html"),
    "report to": lambda text: ba.report(_events(), f"{text}/no/such.html"),
    "report period": lambda text: ba.report(_events(), "report.html", period=text),
    "suppress": lambda text: ba.export_suppressions(_verdicts(), text, "out.csv"),
    "match_hashes": lambda text: ba.match_hashes(b"email\nann@example.com\n", text),
    "explain": ba.explain,
    "provider": lambda text: ba.load(b"{}", provider=text),
    "timezone": lambda text: ba.load(b"{}", timezone=text),
    "frame": lambda text: ba.classify(pd.DataFrame({text: [1]})),
    "content": lambda text: ba.load(text.encode()),
    "table": lambda text: ba.read_table(f"{_ROW}\n{text};a;b\n".encode(), mapping={"recipient": "mail"}),
    "list": lambda _: ba.clean(
        f"{_ROW}\nOla Qnoll;+49 30 5550124;Qstreet 6\n".encode(), _events(), "cleaned"
    ),
    "keys": lambda text: ba.read_sendgrid(json.dumps({text: {"Nia Qnoll": 1}}).encode()),
}


@functools.cache
def _events() -> pd.DataFrame:
    return ba.classify(ba.load(lines(sendgrid_bounce())).events)


@functools.cache
def _verdicts() -> pd.DataFrame:
    return ba.decide(_events())


#: Those that are like another one, or take seconds.
_SLOW = {"read", "read_sendgrid", "convert", "decide", "clean by", "clean ledger", "explain"}


@pytest.mark.parametrize(
    "door", [pytest.param(door, marks=[pytest.mark.slow] if door in _SLOW else []) for door in DOORS]
)
def test_no_message_shows_what_was_given(door: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    secrets = Secrets()
    for kind, text in contents(secrets).items():
        told = ""
        with warnings.catch_warnings(record=True, action="always") as met:
            try:
                told = (
                    repr(DOORS[door](text))
                    if door not in {"explain", "ledger", "monitor"}
                    else str(DOORS[door](text))
                )
            except ba.BounceAnalyticsError as error:
                told = str(error)
                lines_of = traceback.format_exception(error)
                told += "".join(line for line in lines_of if not line.startswith("  File "))
        told += "".join(str(one.message) for one in met)
        if door == "frame" and kind in {"long", "longer"}:
            told = told.replace(_ROW, "")  # the name of a column, which the caller gave it
        assert not secrets.in_(told), f"{kind}: {told[:500]}"
        if kind not in {"address", "blanks", "file"} and door not in {"explain", "preset", "frame"}:
            assert not [one for one in _OTHERS if one in told], f"{kind}: {told[:500]}"


# --- the command line ----------------------------------------------------------------------------------------------


def commands(cleaned: Cleaned) -> dict[str, list[str]]:
    """Return a call of every command, and some that fail."""
    folder, secrets = cleaned.folder, cleaned.secrets
    export = next(str(path) for path in folder.glob("*.json"))
    given = next(str(path) for path in folder.glob("zq*.csv"))
    who = secrets.new("argument", SPELLINGS["plain"])
    rules = folder / f"{secrets.new('rules', SPELLINGS['plain'])}.toml"
    rules.write_text(
        f'[[rule]]\nid = "{secrets.new("rule", SPELLINGS["plain"])}"\npattern = "("\n', encoding="utf-8"
    )
    policy = folder / f"{secrets.new('policy', SPELLINGS['plain'])}.toml"
    policy.write_text(
        f'name = "{secrets.new("name", SPELLINGS["plain"])}"\nwrong = "{who}"\n', encoding="utf-8"
    )
    book, run = str(folder / "cli ledger.db"), str(cleaned.run.folder)
    return {
        "load": ["load", export, "--each"],
        "load several": ["load", export, given],
        "convert": ["convert", export, "--out", str(folder / "cli.parquet")],
        "classify": ["classify", export],
        "classify table": ["classify", given],
        "report": ["report", export, "--out", str(folder / "cli.html")],
        "conflicts": ["conflicts", export],
        "unclassified": ["unclassified", export],
        "decide": ["decide", export],
        "policies": ["policies", export],
        "policy": ["policy", str(policy)],
        "lint": ["lint", str(rules)],
        "clean": ["clean", given, export, "--out", str(folder / "cli cleaned")],
        "clean column": ["clean", given, export, "--column", who, "--out", str(folder / "cli other")],
        "clean again": ["clean", given, export, "--out", run],
        "restore": ["restore", run, "--out", str(folder / "cli again.csv")],
        "restore what is there": ["restore", run, "--out", given],
        "restore domain": ["restore", run, "--out", str(folder / "no.csv"), "--domain", who],
        "diff": ["diff", run, run],
        "diff nothing": ["diff", who, who],
        "suppress": ["suppress", export, "--for", "mailgun", "--out", str(folder / "cli suppress.csv")],
        "ledger update": ["ledger", "update", book, export, "--run", who],
        "ledger due": ["ledger", "due", book, "--date", "2100-01-01"],
        "ledger add": ["ledger", "add", book, who, "--reason", "unsubscribed", "--why", who],
        "ledger add nobody": ["ledger", "add", book, who + who, "--reason", "unsubscribed", "--why", who],
        "ledger news": ["ledger", "news", book],
        "ledger since": ["ledger", "news", book, "--since", who + " " + who],
        "ledger lift": ["ledger", "lift", book, who, "--why", who],
        "ledger domains": ["ledger", "domains", book],
        "no ledger": ["ledger", "due", f"{folder}/no.db"],
        "explain": ["explain", f"550 5.1.1 {who} unknown"],
        "storms": ["storms", export],
        "recovery": ["recovery", export],
        "typos": ["domains", "typos", export, "--list", given],
        "typos in JSON": ["domains", "typos", export, "--json"],
        "watch report": ["domains", "report", f"{folder}/no.db"],
        "no such command": [who],
        "no such option": ["load", f"--{who}"],
        "no such choice": ["load", export, "--provider", who],
        "too many": ["policy", "default", who],
        "no such file": ["load", f"{folder}/{who}/x.json"],
        "no such zone": ["load", export, "--timezone", who],
        "out as it cannot be": ["load", export, "--out", f"{folder}/{who}.xyz"],
    }


#: Commands that are soon done.
_QUICK = (
    "load", "policy", "lint", "clean column", "clean again", "restore domain", "diff nothing", "ledger add", "ledger news",
    "ledger since", "no ledger", "explain", "watch report", "no such command", "no such option", "no such choice",
    "too many", "no such file", "no such zone", "out as it cannot be",
)  # fmt: skip


@pytest.mark.parametrize("names", [_QUICK, pytest.param((), marks=pytest.mark.slow)], ids=["quick", "all"])
def test_no_command_shows_an_address(cleaned: Cleaned, names: tuple[str, ...]) -> None:
    shown_by = {}
    every = commands(cleaned)
    for name in names or every:
        arguments = every[name]
        result = CliRunner().invoke(main, arguments, env={"COLUMNS": "400"})
        assert result.exit_code in {0, 1, 2, 3}, f"{name}: {result.output}"
        assert result.exception is None or isinstance(result.exception, SystemExit), name
        if found := cleaned.secrets.in_(result.output):
            shown_by[name] = found, result.output[-300:]
    assert not shown_by


def test_who_asks_is_shown_addresses(cleaned: Cleaned, tmp_path: Path) -> None:
    book = str(tmp_path / "ledger.db")
    who = cleaned.secrets.new("asked for", SPELLINGS["plain"])
    for arguments in (
        ["add", book, who, "--reason", "unsubscribed", "--why", "x"],
        ["news", book, "--addresses"],
    ):
        result = CliRunner().invoke(main, ["ledger", *arguments], env={"COLUMNS": "400"})
        assert result.exit_code == 0, result.output
    assert who in result.output


# --- spreadsheets --------------------------------------------------------------------------------------------------

FORMULAS = (
    "=1+1", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", "\n=1", " =1", "\u00a0=1", "\u200b=1", "\uff1d1+1", "\uff0b1",
    "\uff0d1", "\uff20x", "\tx", "\rx", "\nx", "=cmd|' /C calc'!A0", '=HYPERLINK("x")',
)  # fmt: skip


def safe(cell: str) -> bool:
    """Return whether a spreadsheet takes a cell for a text."""
    bare = cell.lstrip(" \u00a0\u200b\u3000\r\n\t\v\f")
    return not (bare[:1] in set("=+-@\uff1d\uff0b\uff0d\uff20") and bare) and cell[:1] not in set("\t\r\n")


@pytest.mark.parametrize("text", FORMULAS)
def test_no_text_is_a_formula(text: str) -> None:
    frame = no_formulas_in(pd.DataFrame({"said": [text, "550 no", None], text: [1, -2, 3]}))
    assert safe(frame["said"][0])
    assert frame["said"][0].endswith(text)
    assert frame["said"][1] == "550 no"
    assert pd.isna(frame["said"][2])
    assert safe(frame.columns[1])
    assert list(frame.iloc[:, 1]) == [1, -2, 3]


def test_a_table_of_a_notebook_holds_no_formulas() -> None:
    shown_table = ba.table(
        pd.DataFrame({"tag": [*FORMULAS], "hard": range(len(FORMULAS))}), top=len(FORMULAS)
    )
    assert all(map(safe, shown_table.data["tag"]))


@pytest.mark.slow
def test_tables_for_people_hold_no_formulas(tmp_path: Path) -> None:
    export, given = tmp_path / "=export.json", tmp_path / "list.csv"
    events = [
        sendgrid_bounce(
            number, reason=f"{text} 550 5.1.1 user unknown", category=[text], email=f"r{number}@example.com"
        )
        for number, text in enumerate(FORMULAS)
    ]
    export.write_bytes(lines(*events) + b"=1+1 broken\n")
    rows = [["email", "=title"], *([f"r{number}@example.com", text] for number, text in enumerate(FORMULAS))]
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    given.write_text(text.getvalue(), encoding="utf-8", newline="")
    made = {name: tmp_path / f"{name}.csv" for name in ("load", "rejects", "classify", "decide")}
    for arguments in (
        ["load", export, "--out", made["load"], "--rejects", made["rejects"]],
        ["classify", export, "--out", made["classify"]],
        ["decide", export, "--out", made["decide"]],
        ["clean", given, export, "--out", tmp_path / "cleaned"],
    ):
        result = CliRunner().invoke(main, list(map(str, arguments)))
        assert result.exit_code == 0, result.output
    for path in made.values():
        read = list(csv.reader(io.StringIO(path.read_bytes().decode(), newline="")))
        assert len(read) > 1
        assert all(safe(cell) for row in read for cell in row if not is_number(cell)), path.name
    removed = (tmp_path / "cleaned" / "removed.csv").read_bytes().decode()
    read = list(csv.reader(io.StringIO(removed, newline="")))
    assert len(read) == len(rows)
    assert all(safe(cell) for row in read for cell in row[2:])
    assert [row[:2] for row in read[1:]] == rows[1:]  # the row itself is as it was
    again = ba.restore(tmp_path / "cleaned", tmp_path / "again.csv")
    assert again.path.read_bytes() == given.read_bytes()


def is_number(cell: str) -> bool:
    """Return whether a cell is a number of ours."""
    with contextlib.suppress(ValueError):
        float(cell)
        return True
    return False


def test_a_workbook_holds_no_formulas(tmp_path: Path) -> None:
    events = [
        sendgrid_bounce(n, category=[text], reason=f"{text} 550 5.1.1 unknown")
        for n, text in enumerate(FORMULAS)
    ]
    path = ba.report(ba.classify(ba.load(lines(*events)).events), tmp_path / "report.xlsx", redact=False)
    texts = list(pages(path))
    assert any("SUM(1)" in text for text in texts)
    assert not [text for text in texts if "<f>" in text or "<hyperlink" in text]


# --- terminals -----------------------------------------------------------------------------------------------------

EVIL = "a[/b][red]x[/red] \x1b]8;;http://x.test\x07y\x1b[2J \x9b2J \u202ez\u2066 :smile: [/]\udce9"


def harmless(text: str) -> bool:
    """Return whether a terminal obeys nothing in a text."""
    return not any(sign in text for sign in "\x1b\x07\x9b\u202e\u2066\udce9")


def test_a_terminal_shows_texts_of_others_as_they_are() -> None:
    said = io.StringIO()
    terminal = Terminal(file=said, force_terminal=True, color_system=None, width=200)
    terminal.print(EVIL)
    table = Table(EVIL, title=EVIL)
    table.add_row(EVIL)
    terminal.print(table)
    assert harmless(said.getvalue())
    assert said.getvalue().count("[/b][red]x[/red]") == 4
    assert ":smile:" in said.getvalue()


def test_names_of_files_are_shown_harmlessly(tmp_path: Path) -> None:
    name = "[bold]x[red] \x1b[2J\x07\u202e.json"
    (tmp_path / name).write_bytes(lines(sendgrid_bounce()))
    load = ba.load(tmp_path)
    assert harmless(repr(load))
    with pytest.raises(ba.SourceError) as caught:
        ba.load(tmp_path / f"no {name}")
    assert harmless(str(caught.value))
    assert printable(EVIL).count("\ufffd") >= 6
    assert harmless(shown(EVIL))
    assert harmless(shown("half of a sign \ud800"))


@pytest.mark.parametrize(
    "encoding",
    ["ascii", *(pytest.param(one, marks=pytest.mark.slow) for one in ("cp1252", "latin-1", "utf-8"))],
)
def test_every_encoding_of_a_terminal_will_do(encoding: str, tmp_path: Path) -> None:
    (tmp_path / "[b]é日\x1b[2J.json").write_bytes(
        lines(
            mailgun_failed(1, tags=["[/x]"]), sendgrid_bounce(reason="550 5.1.1 日本 [/b] \x1b[31m unknown")
        )
    )
    snippet = (
        "import sys; from bounceanalytics.cli import main\n"
        "for line in sys.argv[1:]:\n main(line.split('|'), standalone_mode=False)\n"
    )
    calls = [
        f"load|{tmp_path}",
        f"conflicts|{tmp_path}",
        "explain|550 5.1.1 日本 — \x1b[2J",
        "policy",
        f"decide|{tmp_path}",
    ]
    done = subprocess.run(
        [sys.executable, "-c", snippet, *calls],
        env=os.environ | {"PYTHONIOENCODING": encoding},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    assert harmless(done.stdout.decode(encoding, errors="replace"))
    assert b"Traceback" not in done.stderr

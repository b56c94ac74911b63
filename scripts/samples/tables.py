"""The tables as typed rows: what servers say, how ESPs label it, who lives where, what is planted."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parent / "tables"
PROVIDERS = ("sendgrid", "ses", "mailgun")


def read(name: str) -> list[dict[str, str]]:
    """Return the rows of a table by column, escaped line breaks resolved."""
    lines = (FOLDER / f"{name}.tsv").read_text(encoding="utf-8").splitlines()
    rows = csv.DictReader(
        (line for line in lines if not line.startswith("#")), delimiter="\t", quoting=csv.QUOTE_NONE
    )
    return [{column: cell.replace("\\n", "\n") for column, cell in row.items()} for row in rows]


class Domain(NamedTuple):
    """A mail domain: how its server talks, which names its users have, how many readers of 1,000 it has."""

    name: str
    kind: str
    style: str
    locale: str
    weight: float
    mx: str
    greylists: bool

    @property
    def wire(self) -> str:
        """The domain in ASCII form."""
        return self.name.encode("idna").decode()


class Names(NamedTuple):
    """First names, last names and towns of one language."""

    first: tuple[str, ...]
    last: tuple[str, ...]
    towns: tuple[str, ...]


class Case(NamedTuple):
    """One kind of planted reader, and what a careful sender should do about it."""

    name: str
    verdict: str
    reason: str
    why: str
    domains: tuple[str, ...]
    plans: tuple[str, ...] = ()
    people: int = 0
    providers: tuple[str, ...] = PROVIDERS
    weekly: bool = True
    reads: float = 0.0


class Episode(NamedTuple):
    """A week in which one trouble struck many readers of some domains at once."""

    case: Case
    week: int
    step: str
    share: float


class Label(NamedTuple):
    """The words of the three ESPs for one cause."""

    sendgrid_type: str
    sendgrid_class: str
    ses_type: str
    ses_subtype: str
    ses_delay: str
    mailgun_reason: str
    mailgun_type: str

    def list_for(self, provider: str) -> str:
        """Return the suppression list on which the ESP puts the address, or an empty string."""
        hard = {
            "sendgrid": self.sendgrid_type == "bounce",
            "ses": self.ses_type == "Permanent",
            "mailgun": self.mailgun_type == "hard",
        }
        if not hard[provider]:
            return ""
        return "invalid" if provider == "sendgrid" and self.mailgun_reason == "no mx" else "bounce"


@cache
def domains() -> dict[str, Domain]:
    return {
        row["name"]: Domain(
            row["name"],
            row["kind"],
            row["style"],
            row["locale"],
            float(row["weight"]),
            row["mx"],
            row["greylists"] == "yes",
        )
        for row in read("domains")
    }


@cache
def names() -> dict[str, Names]:
    return {
        row["locale"]: Names(*(tuple(row[part].split("|")) for part in Names._fields))
        for row in read("names")
    }


@cache
def cases() -> tuple[Case, ...]:
    return tuple(
        Case(
            name=row["name"],
            verdict=row["verdict"],
            reason=row["reason"],
            why=row["why"],
            domains=tuple(row["domains"].split()),
            plans=tuple(plan.strip() for plan in row["plans"].split("|")),
            people=int(row["people"]),
            providers=PROVIDERS if row["providers"] == "all" else tuple(row["providers"].split()),
            weekly=row["edition"] == "weekly",
            reads=float(row["reads"]),
        )
        for row in read("cases")
    )


@cache
def episodes() -> tuple[Episode, ...]:
    return tuple(
        Episode(
            Case(row["name"], row["verdict"], row["reason"], row["why"], tuple(row["domains"].split())),
            int(row["week"]), row["step"], float(row["share"]),
        )
        for row in read("episodes")
    )  # fmt: skip


@cache
def labels() -> dict[str, Label]:
    return {row["cause"]: Label(*(row[field] for field in Label._fields)) for row in read("labels")}


@cache
def replies() -> dict[tuple[str, str], tuple[str, ...]]:
    """Return (cause, style) -> what such servers say."""
    table: dict[tuple[str, str], tuple[str, ...]] = {}
    for row in read("replies"):
        key = row["cause"], row["style"]
        table[key] = (*table.get(key, ()), row["text"])
    return table


@cache
def notes(column: str) -> tuple[str, ...]:
    return tuple(row["text"] for row in read("notes") if row["column"] == column)

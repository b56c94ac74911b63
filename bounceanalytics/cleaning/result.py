"""Result of cleaning a list: counts that add up."""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow as pa

from bounceanalytics.privacy import discreet
from bounceanalytics.schema import ARROW_STRING, REASON_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    import pandas as pd

#: The parts that a list falls into, and what they hold.
PARTS: Mapping[str, str] = {
    "kept": "as they were, byte for byte",
    "removed": "with the evidence",
    "held": "with the evidence; look at them before mailing",
    "unreadable": "no address to be found",
}
KEPT, REMOVED, HELD, UNREADABLE = range(len(PARTS))

#: What a run leaves in its folder.
FILES: Mapping[str, str] = {part: f"{part}.csv" for part in PARTS} | {
    "contact": "contact.csv",
    "duplicates": "duplicates.csv",
    "rows": "rows.parquet",
    "manifest": "manifest.json",
}

_COUNTS = pa.schema([("part", pa.int8()), ("reason", ARROW_STRING), ("rows", pa.int64())])


@dataclass(frozen=True)
class Cleaning:
    """Result of cleaning a mailing list; prints as a table.

    Attributes
    ----------
    folder : Path
        Where the files are.
    files : dict of str to Path
        ``kept``, ``removed``, ``held``, ``unreadable``, ``contact``, ``duplicates``, ``rows`` and ``manifest``.
    rows : dict of str to int
        Rows of the ``input`` and of each part; the parts add up to the input.
    reasons : pandas.DataFrame
        Columns ``part``, ``reason``, ``rows``: why rows were removed, held or unreadable.
    duplicates : int
        Readable rows whose address stands on an earlier row too; they are treated like it and stay.
    without_events : int
        Kept rows whose address does not occur in the events at all: nothing is known against or for them.
    policy : dict
        The policy as plain values; empty if the verdicts came without it.
    folded : int
        Rows whose verdict was found only by what ``clean`` was asked to pass over in addresses.
    read_as : str
        Which column the addresses were taken from, which others hold some, and whether lines with several of them were
        taken apart.

    Examples
    --------
    >>> import tempfile
    >>> import bounceanalytics as ba
    >>> bounces = ba.classify(ba.load(ba.samples() / "exports" / "ses").events)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     run = ba.clean(ba.samples() / "list.csv", bounces, folder + "/cleaned")
    >>> run.rows["input"] == sum(run.rows[part] for part in ("kept", "removed", "held", "unreadable"))
    True
    """

    folder: Path
    files: dict[str, Path]
    rows: dict[str, int]
    reasons: pd.DataFrame = field(repr=False)
    duplicates: int
    without_events: int
    policy: dict[str, object] = field(repr=False)
    folded: int = 0
    read_as: str = ""

    def _lines(self) -> list[tuple[str, int, str, str]]:
        total = self.rows["input"] or 1
        return [
            (part, self.rows[part], f"{self.rows[part] / total:.1%}", f"{self.files[part].name}: {what}")
            for part, what in PARTS.items()
        ]

    def _notes(self) -> list[str]:
        folded = [f"{self.folded:,} rows have the verdict of an address that differs in tag or dots"]
        return [
            *reason_lines(self.reasons),
            f"{self.duplicates:,} rows repeat an address of the list",
            f"{self.without_events:,} kept rows have no event at all",
            *(folded if self.folded else []),
            *([self.read_as] if self.read_as else []),
        ]

    def __repr__(self) -> str:
        width = max(len(f"{count:,}") for count in self.rows.values())
        lines = [
            f"{part:<10}  {count:>{width},}  {share:>6}  {what}" for part, count, share, what in self._lines()
        ]
        total = f"{'= input':<10}  {self.rows['input']:>{width},}  {'100.0%':>6}  in {self.folder}"
        return discreet("\n".join([*lines, total, *self._notes()]))

    def _repr_html_(self) -> str:
        rows = [*self._lines(), ("= input", self.rows["input"], "100.0%", f"in {self.folder}")]
        cells = [(part, f"{count:,}", share, what) for part, count, share, what in rows]
        return html_table(("part", "rows", "share", "file"), cells, self._notes())


def count_reasons(lines: pa.Table) -> pa.Table:
    """Return how many lines have each ``part`` and ``reason``."""
    plain = pa.table({"part": lines["part"], "reason": lines["reason"].cast(ARROW_STRING)})
    return (
        plain.group_by(["part", "reason"])
        .aggregate([([], "count_all")])
        .rename_columns(_COUNTS.names)
        .cast(_COUNTS)
    )


def reason_frame(counts: Sequence[pa.Table]) -> pd.DataFrame:
    """Return columns ``part``, ``reason``, ``rows`` of several counts, by part, the most frequent first."""
    keys = ["part", "reason"]
    whole = pa.concat_tables([_COUNTS.empty_table(), *counts]).group_by(keys).aggregate([("rows", "sum")])
    order = [("part", "ascending"), ("rows_sum", "descending"), ("reason", "ascending")]
    counted = whole.sort_by(order).rename_columns({"rows_sum": "rows"})
    parts = pa.array(list(PARTS), ARROW_STRING).take(counted["part"].combine_chunks())
    return REASON_COLUMNS.frame(counted.set_column(0, "part", parts))


def reason_lines(reasons: pd.DataFrame) -> list[str]:
    """Return a line for each part: how many of its rows have which reason."""
    return [
        f"{part}: "
        + ", ".join(f"{count:,} {reason}" for reason, count in zip(rows["reason"], rows["rows"], strict=True))
        for part, rows in reasons.groupby("part", sort=False)
    ]


def html_table(head: Sequence[str], rows: Iterable[Sequence[str]], notes: Iterable[str]) -> str:
    """Return a table with notes below it; cells between the first and the last one are numbers."""
    last = len(head) - 1
    aligned = ["right" if 0 < at < last else "left" for at in range(len(head))]

    def line(tag: str, cells: Sequence[str]) -> str:
        inner = (
            f"<{tag} style='text-align:{side}'>{html.escape(discreet(cell))}</{tag}>"
            for side, cell in zip(aligned, cells, strict=True)
        )
        return f"<tr>{''.join(inner)}</tr>"

    body = "".join(line("td", cells) for cells in rows)
    below = "<br>".join(html.escape(discreet(note)) for note in notes)
    return f"<table><thead>{line('th', head)}</thead><tbody>{body}</tbody></table><p>{below}</p>"

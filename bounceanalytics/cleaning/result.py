"""What cleaning a list came to."""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd

#: The parts that a list falls into, and what they hold.
PARTS: Mapping[str, str] = {
    "kept": "as they were, byte for byte",
    "removed": "with the evidence",
    "held": "with the evidence; look at them before mailing",
    "unreadable": "no address to be found",
}


@dataclass(frozen=True)
class Cleaning:
    """What became of a mailing list; prints as a table.

    Attributes
    ----------
    folder : Path
        Where the files are.
    files : dict of str to Path
        ``kept``, ``removed``, ``held``, ``unreadable`` and ``summary``.
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
    """

    folder: Path
    files: dict[str, Path]
    rows: dict[str, int]
    reasons: pd.DataFrame = field(repr=False)
    duplicates: int
    without_events: int
    policy: dict[str, object] = field(repr=False)

    def _lines(self) -> list[tuple[str, int, str, str]]:
        total = self.rows["input"] or 1
        return [
            (part, self.rows[part], f"{self.rows[part] / total:.1%}", f"{self.files[part].name}: {what}")
            for part, what in PARTS.items()
        ]

    def _notes(self) -> list[str]:
        why = [
            f"{part}: "
            + ", ".join(
                f"{count:,} {reason}" for reason, count in zip(rows["reason"], rows["rows"], strict=True)
            )
            for part, rows in self.reasons.groupby("part", sort=False)
        ]
        return [
            *why,
            f"{self.duplicates:,} rows repeat an address of the list",
            f"{self.without_events:,} kept rows have no event at all",
        ]

    def __repr__(self) -> str:
        width = max(len(f"{count:,}") for count in self.rows.values())
        lines = [
            f"{part:<10}  {count:>{width},}  {share:>6}  {what}" for part, count, share, what in self._lines()
        ]
        total = f"{'= input':<10}  {self.rows['input']:>{width},}  {'100.0%':>6}  in {self.folder}"
        return "\n".join([*lines, total, *self._notes()])

    def _repr_html_(self) -> str:
        cells = "".join(
            f"<tr><td>{part}</td><td style='text-align:right'>{count:,}</td><td style='text-align:right'>{share}</td>"
            f"<td style='text-align:left'>{html.escape(what)}</td></tr>"
            for part, count, share, what in (
                *self._lines(),
                ("= input", self.rows["input"], "100.0%", f"in {self.folder}"),
            )
        )
        notes = "<br>".join(html.escape(note) for note in self._notes())
        head = "<tr><th>part</th><th>rows</th><th>share</th><th style='text-align:left'>file</th></tr>"
        return f"<table><thead>{head}</thead><tbody>{cells}</tbody></table><p>{notes}</p>"

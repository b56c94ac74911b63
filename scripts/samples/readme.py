"""Fills ``tables/README.in.md`` with the numbers of what was written."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from samples.tables import FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def _table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def readme(expected: dict[str, Any], story: Sequence[Sequence[str]]) -> str:
    """Return the page."""
    totals, people = expected["totals"], expected["list"]
    events = totals["events"]
    shown = ("records", "ignored", "rejected", "rows", "repeats")
    files = [
        [f"`{path}`", file["form"], *(f"{file[count]:,}" for count in shown)]
        for path, file in expected["files"].items()
    ]
    files.append(["**together**", "", *(f"{totals[count]:,}" for count in shown)])
    counted = Counter((row[0], row[3], row[5]) for row in story)
    return (
        (FOLDER / "README.in.md")
        .read_text(encoding="utf-8")
        .format(
            people=people["addresses"],
            list_rows=people["rows"],
            addresses=people["addresses"],
            doubles=people["repeated"],
            unreadable=people["unreadable"],
            **people["verdicts"],
            rows=totals["rows"],
            repeated=totals["repeats"],
            share=events["bounced"] / (events["bounced"] + events["delivered"]),
            files=_table(("file", "form", "records", "ignored", "rejected", "rows", "repeats"), files),
            cases=_table(
                ("case", "addresses", "verdict", "why"),
                [(f"`{case}`", count, verdict, why) for (case, verdict, why), count in counted.items()],
            ),
            **{name: events[name] for name in EVENTS},
        )
    )


EVENTS = (
    "bounced", "clicked", "complained", "deferred", "delivered", "dropped", "opened", "suppressed", "unsubscribed",
)  # fmt: skip

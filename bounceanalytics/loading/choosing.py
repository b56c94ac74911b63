"""The choice of a format for records, by their keys, by the events in them, and by the name of their file."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from bounceanalytics.loading.unwrapping.keys import Event
from bounceanalytics.loading.unwrapping.walk import WALK

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bounceanalytics.loading.formats.format import Format

#: Records, rows and lines of a file that are looked at.
SAMPLE = 50


def clues(name: str) -> list[str]:
    """Return what a file's name may tell: itself, then the folder it lies in, which ends in a slash.

    A folder called key=value tells nothing of what lies in it.
    """
    parts = [part for part in re.split(r"[/\\]", name) if part]
    return [*parts[-1:], *(f"{folder}/" for folder in parts[-2:-1] if "=" not in folder)]


def choose(
    records: list[dict[str, Any]], kind: str, clues: list[str], formats: Sequence[Format]
) -> Format | None:
    """Return the format that most of the records fit; of two, the one that a clue speaks for, else the earlier."""
    # a value under an empty key may be anything where it is not ours
    shapes = Counter(
        (str(record.get("", "")), frozenset(key for key in record if key)) for record in records[:SAMPLE]
    )
    fitting = [(_fitting(shapes, fmt), fmt) for fmt in formats if fmt.kind == kind]
    fitting = [(count, fmt) for count, fmt in fitting if count]
    most = max((count for count, _ in fitting), default=0)
    best = [fmt for count, fmt in fitting if count == most]
    for clue in clues:
        for fmt in best:
            if fmt.hint and re.search(fmt.hint, clue.lower()):
                return fmt
    return next((fmt for fmt in best if not fmt.hint), None)


def _fitting(shapes: Counter[tuple[Any, frozenset[str]]], fmt: Format) -> int:
    """Return how many records fit, of which is known in what container they lie and which keys they have."""
    places = {"", fmt.container} if fmt.bare else {fmt.container}
    return sum(count for (place, keys), count in shapes.items() if place in places and fmt.fits(keys))


def known_inside(found: Iterable[list[list[Any]]]) -> Format | None:
    """Return the format of most of the events that a walk has found; None if it has found none."""
    events = Counter(
        WALK.place(one) for records in found for record in records for one in record if isinstance(one, Event)
    )
    return WALK.formats[events.most_common(1)[0][0]] if events else None

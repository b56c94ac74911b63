"""Columns of a table that nobody foresaw: which of them holds addresses, and what each is that has no title."""

from __future__ import annotations

import csv
import re
from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING, Any

from bounceanalytics.addresses import normal_form, problem, text_array
from bounceanalytics.clocks.grammar import Reading, read
from bounceanalytics.loading.unwrapping.texts import opened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

_SAMPLE = 200

#: Title -> what most of the filled cells of such a column are. The first that fits gives a column its title.
_KINDS: dict[str, Callable[[str], object]] = {
    "status": re.compile(r"[245]\.\d{1,3}\.\d{1,3}").fullmatch,
    "code": re.compile(r"[45]\d\d").fullmatch,
    "created": lambda cell: isinstance(read(cell), Reading),
    "reason": re.compile(r".*[^\W\d_]{2}.*\s.*", re.DOTALL).fullmatch,
}


def column_of_addresses(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return the title of the column of addresses, most of its filled cells being some; else nothing.

    Of several, it is the one that means a recipient; never one that means a sender beside others.

    >>> column_of_addresses([{"id": "1", "Mail": "ann@example.com"}])
    'Mail'
    >>> column_of_addresses([{"from": "news@example.org", "who": "ann@example.com"}])
    'who'
    """
    most = _columns_of_addresses(rows)
    return max(most, key=lambda title: (_means(title), most[title]), default="")


def _columns_of_addresses(rows: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Return the titles of the columns most of whose filled cells are addresses, with how many are."""
    cells = [
        (title, value)
        for row in islice(rows, _SAMPLE)
        for title, value in row.items()
        if title and isinstance(value, str) and value.strip()
    ]
    good = problem(normal_form(text_array([value for _, value in cells]))).is_null().to_pylist()
    filled = Counter(title for title, _ in cells)
    addresses = Counter(title for (title, _), fits in zip(cells, good, strict=True) if fits)
    return {title: count for title, count in addresses.items() if 2 * count > filled[title]}


_RECIPIENT = re.compile(
    r"recipient|rcpt|subscriber|customer|contact|^to$|(?:^|_)to_?(?:e?mail|addr)|destination", re.IGNORECASE
)
_SENDER = re.compile(
    r"sender|from|return.?path|reply.?to|bounce.?addr|envelope|owner|created.?by", re.IGNORECASE
)


def _means(title: str) -> int:
    """Return 1 for a title that means who was written to, -1 for one that means who wrote, 0 for any other."""
    return bool(_RECIPIENT.search(title)) - bool(_SENDER.search(title))


def has_titles(rows: Sequence[Sequence[str]]) -> bool:
    """Return whether the first row of a table names what is in the others: is none of them, by what it holds.

    >>> has_titles([["id", "mail"], ["1", "ann@example.com"]])
    True
    >>> has_titles([["1", "Ann"], ["2", "Bea"]])
    False
    """
    first = [cell.strip() for cell in rows[0][:_SAMPLE]]
    if not first or problem(normal_form(text_array(first))).null_count:
        return False
    if any(_STRUCTURE.match(cell) and opened(cell) for cell in first):
        return False
    counted = [int(cell) for cell in first if cell.isdecimal()]
    if len(counted) > 1 and counted == list(range(counted[0], counted[0] + len(counted))):
        return True  # years, or the titles that pandas gives
    below = [row for row in rows[1:_SAMPLE] if len(row) == len(rows[0])]
    for place, cell in enumerate(first):
        kind = _kind(cell)
        if kind and below and 2 * sum(_kind(row[place].strip()) == kind for row in below) > len(below):
            return False
    return True


_STRUCTURE = re.compile(r"[\[{]|\"[\[{]|[A-Za-z0-9+/]{40}")
_NUMBER = re.compile(r"-?\d+(?:[.,]\d+)?")


def _kind(cell: str) -> str:
    if _NUMBER.fullmatch(cell):
        return "a number"
    return "a time" if isinstance(read(cell), Reading) else ""


def titles_by_cells(rows: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Return titles for the columns of a table that has none, by what is in their cells; empty without addresses.

    Also if two columns hold different addresses: one may be the sender's, and nothing tells which.

    >>> titles_by_cells([["1", "ann@example.com", "550 5.1.1 no such user", "2026-03-10"]])
    ('column 1', 'email', 'reason', 'created')
    """
    numbered = [{str(place): cell for place, cell in enumerate(row)} for row in rows]
    several = [int(title) for title in _columns_of_addresses(numbered)]
    if not several or any(len({row[place].strip().casefold() for place in several}) > 1 for row in rows):
        return ()
    addresses = str(several[0])
    left = dict(_KINDS)
    titles = []
    for place, column in enumerate(zip(*rows, strict=True)):
        filled = [cell.strip() for cell in column[:_SAMPLE] if cell.strip()]
        fitting = (
            kind
            for kind, fits in left.items()
            if filled and 2 * sum(map(bool, map(fits, filled))) > len(filled)
        )
        kind = "email" if str(place) == addresses else next(fitting, f"column {place + 1}")
        left.pop(kind, None)
        titles.append(kind)
    return tuple(titles)


def rows_of_text(text: str, titles: Iterable[str], delimiter: str) -> Iterator[dict[str, str]]:
    """Yield the rows below the header of a table."""
    lines = text.splitlines(keepends=True)
    try:
        for cells in islice(csv.reader(lines, delimiter=delimiter), 1, None):
            yield dict(zip(titles, cells, strict=False))
    except csv.Error:
        return


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield path and value of what an object holds, lists being gone into; paths as ``read_table`` takes them.

    >>> list(leaves({"user": {"mail": "ann@example.com"}, "n": [1]}))
    [('user.mail', 'ann@example.com'), ('n[0]', 1)]
    """
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for number, inner in enumerate(value[:3]):
            yield from leaves(inner, f"{path}[{number}]")
    else:
        yield path, value


def flat(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an object holds by paths, those of its own keys and of the objects in it included.

    >>> flat({"user": {"mail": "ann@example.com"}})["user.mail"]
    'ann@example.com'
    """
    return dict(record) | dict(leaves(record))

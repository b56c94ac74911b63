"""Tables that a program has printed, Markdown among them, as rows with a header.

Each reader takes the lines of a text and returns the rows of the table that they are, the titles first; None if they
are none of its kind. Lines around a table (its title, a count of rows) are passed over unless an address is in them.
"""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    Rows = list[list[str]]

#: Lines and corners that some programs draw with -> those that all of them may draw with.
_DRAWN = str.maketrans(
    dict.fromkeys("│┃║", "|")
    | dict.fromkeys("─━═", "-")
    | dict.fromkeys("┌┐└┘├┤┬┴┼╭╮╰╯╞╡╪┏┓┗┛┡┩╇┠╂╔╗╚╝╠╣╦╩╬┯┷┳┻╋", "+")
)
_RULE = re.compile(r"(?=.*[-=]{2})[|+:\s=-]+")
_BAR = re.compile(r"(?<!\\)\|")
_UNDERLINED = re.compile(r"\s*[-=]{2,}(?:\s+[-=]{2,})+\s*")
_FEW = 8  # lines that may stand around a table
_CUT = ("…", "...")  # how a narrow terminal cuts an address

_PAIR = re.compile(r"\s*([A-Za-z_][\w .-]*?)\s*:(?:\s+(.*))?")
#: Keys of pages: not of a record.
_PAGING = {"nexttoken", "starttoken"}

_AWS_TEXT = re.compile(r"[A-Z]{3,}\t")
_AWS_REASON = re.compile(r"BOUNCE|COMPLAINT", re.IGNORECASE)
_DATE = re.compile(r"\d{4}-\d\d-\d\d.*|\d{9,}(?:[.]\d+)?")


def table_of(text: str) -> tuple[str, bytes] | None:
    """Return what a printed table is called and the table as CSV; None if a text is no such table.

    Parameters
    ----------
    text : str
        The whole of it.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for what, read in READERS.items():
        rows = read(lines)
        if rows and len(rows) > 1:
            return what, as_csv(rows)
    return None


def as_csv(rows: Rows) -> bytes:
    """Return rows as CSV."""
    stream = io.StringIO(newline="")
    csv.writer(stream, lineterminator="\n").writerows(rows)
    return stream.getvalue().encode("utf-8", "replace")


def is_ruled(text: str) -> bool:
    """Return whether a text may be a table with lines drawn between its cells, not a table with bars for commas."""
    return any("|" in line or "+" in line for line in _first(text) if _RULE.fullmatch(line))


def _first(text: str) -> list[str]:
    return [line.translate(_DRAWN).strip() for line in text[:8192].splitlines()[:_FEW] if line.strip()]


def readings(text: str) -> list[tuple[str, bytes]]:
    """Return what a text may be as CSV, and how it was read: a printed table, or one below other lines."""
    below = [
        ("a table below other lines", rest.encode("utf-8", "replace")) for rest in without_preamble(text)
    ]
    table = table_of(text)
    return [table, *below] if table else below


def _grid(lines: list[str]) -> Rows | None:
    """Read cells between bars: Markdown, ``--output table``, what databases print."""
    drawn = [line.translate(_DRAWN).strip() for line in lines if line.strip()]
    ruled = any(_RULE.fullmatch(line) for line in drawn)
    rows: Rows = []
    around = []
    for line in drawn:
        if _RULE.fullmatch(line):
            continue
        if "|" not in line:
            around.append(line)
            continue
        cells = _BAR.split(re.sub(r"^\|+|(?<!\\)\|+$", "", line))
        rows.append([cell.strip().strip("`").replace("\\|", "|") for cell in cells])
    if not ruled or not rows or len(around) > _FEW or any("@" in line for line in around):
        return None
    width = max(map(len, rows))
    start = next(place for place, row in enumerate(rows) if len(row) == width)
    header = rows[start]
    # titles, and those of a further page, are no rows
    kept = [row for row in rows[start + 1 :] if row != header and (len(row) == width or _addressed(row))]
    return _whole([header, *kept])


def _underlined(lines: list[str]) -> Rows | None:
    """Read columns of one width under titles that are underlined: ``Format-Table``, ``sqlcmd``."""
    place = next((n for n, line in enumerate(lines) if n and _UNDERLINED.fullmatch(line)), 0)
    if not place or any("@" in line for line in lines[:place]):
        return None
    starts = [run.start() for run in re.finditer(r"[-=]+", lines[place])]
    ends = [*starts[1:], None]
    titles_, rule = lines[place - 1], lines[place]
    body = [line for line in lines[place + 1 :] if line.strip() and line not in {titles_, rule}]
    body = [line for line in body if "@" in line or not re.fullmatch(r"\s*\(?\d+ rows?\b.*", line)]
    cut = [
        [line[start:end].strip() for start, end in zip(starts, ends, strict=True)]
        for line in [titles_, *body]
    ]
    return _whole(cut) if all(cut[0]) else None


def _pairs(lines: list[str]) -> Rows | None:
    """Read a key and a value a line (``Format-List``); a blank line or a key met again begins a record."""
    records: list[dict[str, str]] = [{}]
    last = ""
    for line in lines:
        pair = _PAIR.fullmatch(line)
        if not line.strip():
            records.append({})
        elif pair:
            last = pair[1]
            if last in records[-1]:
                records.append({})
            records[-1][last] = (pair[2] or "").strip()
        elif last and line[0].isspace():
            records[-1][last] = f"{records[-1].get(last, '')} {line.strip()}".strip()
        else:
            return None
    kept = [one for one in records if any(one.values())]
    keys = list(dict.fromkeys(key for one in kept for key in one))
    if not any(_addressed(list(one.values())) for one in kept):
        return None
    return _whole([keys, *([one.get(key, "") for key in keys] for one in kept)])


def _aws(lines: list[str]) -> Rows | None:
    """Read SES's suppression list as ``--output text`` prints it: no titles, the columns told by what is in them."""
    cut = [line.split("\t") if "\t" in line else line.split() for line in lines if line.strip()]
    if any(_AWS_TEXT.match(line) for line in lines):
        cut = [cells[1:] for cells in cut if cells[0].isupper() and cells[0].lower() not in _PAGING]
    rows = [dict(filter(None, map(_told, cells))) for cells in cut]
    titles_ = ["EmailAddress", "LastUpdateTime", "Reason"]
    if not rows or any(not {"EmailAddress", "Reason"} <= row.keys() for row in rows):
        return None
    return _whole([titles_, *([row.get(title, "") for title in titles_] for row in rows)])


def _told(cell: str) -> tuple[str, str] | None:
    value = cell.strip().strip('"')
    if "@" in value:
        return "EmailAddress", value
    if _AWS_REASON.fullmatch(value):
        return "Reason", value
    return ("LastUpdateTime", value) if _DATE.fullmatch(value) else None


def _addressed(row: list[str]) -> bool:
    return any("@" in cell for cell in row)


def _whole(rows: Rows) -> Rows | None:
    """Return rows unless their addresses were cut to fit a terminal, so that none of them can be trusted."""
    if any("@" in cell and cell.endswith(_CUT) and " " not in cell for row in rows for cell in row):
        return None
    return rows


#: What each kind is called -> its reader.
READERS: dict[str, Callable[[list[str]], Rows | None]] = {
    "a list as the AWS CLI prints it as text": _aws,
    "a printed table": _grid,
    "a printed table with underlined titles": _underlined,
    "a key and a value a line": _pairs,
}

#: A line before a table: PowerShell's type, a comment, a title.
_TYPE_LINE = re.compile(r"#")
_BEFORE = 5


def without_preamble(text: str) -> list[str]:
    r"""Return what a text may be without the first lines, which say what it is: a type, a comment, a title.

    Examples
    --------
    >>> without_preamble("#TYPE Selected\nEmail,Reason\nkim@example.com,BOUNCE\n")[0].splitlines()[0]
    'Email,Reason'
    """
    lines = text.splitlines(keepends=True)
    found = []
    for count, line in enumerate(lines[:_BEFORE], 1):
        following = next((one for one in lines[count:] if one.strip()), "")
        if "@" in line or not following:
            break
        if not line.strip() or _TYPE_LINE.match(line) or _cells(line) < _cells(following):
            found.append("".join(lines[count:]).lstrip("\r\n"))
    return found


def _cells(line: str) -> int:
    return max(line.count(sign) for sign in ",;\t|")

"""Other readings of a text that is no format as it stands: records or a table in YAML, JSON, Python or print."""

from __future__ import annotations

import contextlib
import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bounceanalytics.loading.translating import printed
from bounceanalytics.loading.translating.yaml_documents import documents
from bounceanalytics.loading.unwrapping.shapes import reshaped
from bounceanalytics.loading.unwrapping.texts import literal_of
from bounceanalytics.opening import archives
from bounceanalytics.schema import BOUNCE_COLUMNS, EVENT_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bounceanalytics.opening.sources import Source

#: The longest text that is read in another notation, which is done in memory.
LONGEST = 16 * 1024**2
LONGEST_JSON = 256 * 1024**2


def as_copy(source: Source, content: bytes, what: str, folder: str) -> Source:
    """Return a source as it is read: its content in another notation."""
    with archives.temporary(folder) as out:
        archives.write(out, content)
    return replace(source, path=out.name, size=len(content), packing="none", notes=(*source.notes, what))


#: What a terminal is told, colours above all.
_COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def readings(text: str) -> Iterator[tuple[str, bytes]]:
    """Yield how a text may be read, and what it is then: JSON or CSV.

    Raises
    ------
    UnfoldedError
        As for :func:`.yaml_documents.documents`.
    """
    if "\x1b[" in text:
        text = _COLOUR.sub("", text)
        yield "text without the colours of a terminal", text.encode("utf-8", "replace")
    is_json = text.lstrip()[:1] in {"{", "["}
    if is_json and _value(text) is None and (value := literal_of(text.strip())):
        yield "what Python prints", json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
    what = "a table in JSON" if is_json else "YAML"
    values = _rows(text) if is_json else documents(text)
    if values:
        yield what, "\n".join(values).encode("utf-8", "replace")
        with contextlib.suppress(ValueError):
            rows = _flat(list(map(_value, values)))
            titles = list(dict.fromkeys(title for row in rows for title in row))
            yield (
                what,
                printed.as_csv([titles, *([_cell(row.get(title)) for title in titles] for row in rows)]),
            )
    if not is_json:
        yield from printed.readings(text)


def _rows(text: str) -> list[str]:
    """Return the rows of a table in JSON: by columns, with its titles beside them, or of a frame without titles."""
    value = _value(text)
    rows = reshaped(value)
    if isinstance(value, list) and all(isinstance(row, list) for row in rows):
        known = (one.names for one in (EVENT_COLUMNS, BOUNCE_COLUMNS))
        names = next((names for names in known if all(len(names) == len(row) for row in value)), ())
        rows = [dict(zip(names, row, strict=False)) for row in value]
    if rows is value or not isinstance(rows, list) or not all(isinstance(row, dict) and row for row in rows):
        return []
    return [json.dumps(row, ensure_ascii=False) for row in rows]


def _value(text: str) -> Any:
    try:
        return json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return None


def _flat(value: Any) -> list[dict[str, Any]]:
    """Return the records of a list or a page, all of which hold texts and numbers alone.

    Raises
    ------
    ValueError
        If there are others.
    """
    if isinstance(value, list):
        return [row for one in value for row in _flat(one)]
    if not isinstance(value, dict):
        raise ValueError("a value that is no record")  # noqa: TRY004 - it is of the data, not of the program
    inside = [one for one in value.values() if isinstance(one, (dict, list))]
    if not inside:
        return [value]
    if (
        len(inside) > 1
        or isinstance(inside[0], dict)
        or any("@" in str(one) for one in value.values() if one is not inside[0])
    ):
        raise ValueError("a record with lists or objects in it")
    return _flat(inside[0])


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

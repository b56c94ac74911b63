"""Shapes that stores give to records: typed values, columns of rows, lists of names and values -> plain records."""

from __future__ import annotations

import re
from typing import Any

from bounceanalytics.loading.formats.spelling import TYPE_MARKS

#: Marks beside an object -> the key of the value in it.
_PARTS = {"$binary": "base64", "$timestamp": "t"}
#: A title of a column: no number, no address, no JSON.
_TITLE = re.compile(r"[@$#]?[^\W\d][\w .:/$()#-]*")
_NAMES = ("field", "name", "key", "Name", "Key", "Field", "column")
_VALUES = ("value", "Value", "stringValue", "StringValue")
_COLUMNS = ("columns", "meta", "fields", "header", "headers", "columnNames", "column_names")
_ROWS = ("data", "rows", "values", "records", "dataArray", "data_array")


def reshaped(value: Any) -> Any:
    """Return a value as plain records where a store has given it another shape; else the value itself."""
    if isinstance(value, dict):
        if _is_typed(value):
            return {key: untyped(one) for key, one in value.items()}
        return _of_table(value) or _of_columns(value) or value
    return _of_pairs(value) or _of_rows(_listed(value)) or value


def _is_typed(record: dict[str, Any]) -> bool:
    """Return whether most values of a record have their type beside them."""
    typed = sum(_mark(one) is not None for one in record.values())
    return typed > 1 and 2 * typed > len(record)


def _mark(value: Any) -> str | None:
    if isinstance(value, dict) and len(value) == 1:
        (key,) = value
        return key if key in TYPE_MARKS else None
    return None


def untyped(value: Any) -> Any:
    """Return a value that stands beside its type, without that; any other as it is."""
    mark = _mark(value)
    if mark is None:
        return value
    inner = value[mark]
    if mark in {"NULL", "nullValue", "null"}:
        return None
    if isinstance(inner, dict):
        if mark in _PARTS:
            return inner.get(_PARTS[mark])
        return untyped(inner) if _mark(inner) else {key: untyped(one) for key, one in inner.items()}
    return [untyped(one) for one in inner] if isinstance(inner, list) else inner


def _of_columns(record: dict[str, Any]) -> list[dict[str, Any]] | None:
    """Return the rows of a frame that was written by columns, each an object by the number of the row, or a list."""
    columns = list(record.values())
    first = columns[0] if columns else None
    if isinstance(first, dict):
        if all(map(str.isdecimal, record)):  # by rows
            return columns if all(isinstance(one, dict) for one in columns) else None
        alike = all(isinstance(one, dict) and one.keys() == first.keys() for one in columns)
        if len(columns) > 1 and alike and first and all(map(str.isdecimal, first)):
            return [{title: one[place] for title, one in record.items()} for place in first]
    elif isinstance(first, list) and len(columns) > 1 and first and not isinstance(first[0], (dict, list)):
        alike = all(isinstance(one, list) and len(one) == len(first) for one in columns)
        if alike:
            return [dict(zip(record, row, strict=True)) for row in zip(*columns, strict=True)]
    return None


def _of_table(record: dict[str, Any]) -> list[dict[str, Any]] | None:
    """Return the rows of a table whose titles stand beside them."""
    for columns in _COLUMNS:
        schema = record.get("schema")
        titles = record.get(columns) or (schema.get(columns) if isinstance(schema, dict) else None)
        if not isinstance(titles, list) or not titles:
            continue
        named = [one.get("name") if isinstance(one, dict) else one for one in titles]
        names = [name for name in named if isinstance(name, str)]
        if len(names) < len(titles):
            continue
        for rows in _ROWS:
            listed = _listed(record.get(rows))
            if rows == columns or not listed:
                continue
            if all(isinstance(row, list) for row in listed):
                return [dict(zip(names, row, strict=False)) for row in listed]
            if all(isinstance(row, dict) and row.keys() <= set(names) for row in listed):
                return listed
    return None


def _listed(rows: Any) -> list[Any]:
    """Return rows as lists where each is an object with nothing but a list of cells."""
    if not isinstance(rows, list):
        return []
    alone = [next(iter(row.values())) for row in rows if isinstance(row, dict) and len(row) == 1]
    if len(alone) < len(rows) or not all(isinstance(cells, list) for cells in alone):
        return rows
    return [[untyped(cell) for cell in cells] for cells in alone]


def _of_pairs(values: list[Any]) -> dict[str, Any] | None:
    """Return the record that a list of names and values is."""
    if not values or not isinstance(values[0], dict):
        return None
    name = next((key for key in _NAMES if key in values[0]), None)
    value = next((key for key in _VALUES if key in values[0]), None)
    if (
        name is None
        or value is None
        or not all(isinstance(one, dict) and len(one) <= 3 and name in one for one in values)
    ):
        return None
    return {str(one[name]): one.get(value) for one in values}


def _of_rows(values: list[Any]) -> list[dict[str, Any]] | None:
    """Return the rows of a list of lists whose first one holds the titles."""
    if len(values) < 2 or not all(isinstance(row, list) for row in values):
        return None
    titles = values[0]
    if len(titles) < 2 or not all(
        isinstance(name, str) and _TITLE.fullmatch(name.strip()) for name in titles
    ):
        return None
    if not all(len(row) == len(titles) for row in values):
        return None
    return [dict(zip(titles, row, strict=True)) for row in values[1:]]

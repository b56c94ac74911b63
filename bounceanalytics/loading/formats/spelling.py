"""The spelling of a format's keys, and the test whether a record has them just so, at any depth."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

#: One piece of a JSON structure: a type name of the engine, or a list or dict of such pieces.
Structure = Any

#: The leaf for an object whose keys are the sender's own, each with a list of values. The engine takes it as a text,
#: for to make a map of it takes longer than to read all the rest of a record.
OWN_KEYS = "JSON"

#: Marks of a type beside a value, as DynamoDB, MongoDB and Avro write them.
TYPE_MARKS = frozenset(
    {"S", "N", "B", "BOOL", "NULL", "M", "L", "SS", "NS", "BS", "s", "n", "m", "l", "bool"}
    | {"$date", "$oid", "$numberInt", "$numberLong", "$numberDouble", "$numberDecimal", "$symbol", "$uuid"}
    | {"$binary", "$timestamp"}
    | {"string", "int", "long", "float", "double", "boolean", "array", "map", "null", "bytes"}
    | {
        "stringValue",
        "integerValue",
        "doubleValue",
        "booleanValue",
        "timestampValue",
        "mapValue",
        "arrayValue",
    }
    | {"nullValue", "fields", "values", "VarCharValue", "v"}
)
#: Texts that say nothing.
MISSING = ("", "nan", "NaN", "None", "null", "NULL", "\\N")


def squeezed(title: str) -> str:
    """Return the letters and digits of a title, in lower case."""
    return "".join(sign for sign in title.lower() if sign.isalnum())


#: The same for keys, of which there are few.
plain = lru_cache(maxsize=65_536)(squeezed)


def is_told(value: Any) -> bool:
    """Return whether a value says anything."""
    if isinstance(value, str):
        return value.strip() not in MISSING
    return value is not None and value not in ([], {}) and value == value  # noqa: PLR0124 - NaN is not


class Spelling:
    """The keys of a format, by which the engine can read a record at once.

    Parameters
    ----------
    structure : dict
        Keys of the record, as :meth:`.Format.structure` has them.
    inside : tuple of str
        Keys that the record itself lies under, one of them; none where it lies open.
    """

    def __init__(self, structure: dict[str, Structure], inside: tuple[str, ...] = ()) -> None:
        self._tree = _tree(structure)
        self._inside = inside

    def is_of(self, record: Mapping[str, Any]) -> bool:
        """Return whether all that a record tells in fields of the format is spelled as the format spells it.

        A key that is alike one of the format's is the sender's own where that one is there, too.
        """
        if self._inside:
            record = next((record[key] for key in self._inside if key in record), {})
        return _is_spelled(record, self._tree)


def _tree(structure: Structure) -> Structure:
    """Return a structure by plain keys, each with the spellings that it may have; none where it joins several keys."""
    if isinstance(structure, list):
        return [_tree(structure[0])]
    if not isinstance(structure, dict):
        return structure
    tree: dict[str, dict[str, Structure]] = {name: {} for name in _joined(structure)}
    for key, inner in structure.items():
        tree.setdefault(plain(key), {})[key] = _tree(inner)
    return tree


def _joined(structure: dict[str, Structure], before: str = "") -> set[str]:
    found = set()
    for key, inner in structure.items():
        name = before + plain(key)
        if before:
            found.add(name)
        if isinstance(inner, dict):
            found |= _joined(inner, name)
    return found


def _is_spelled(value: Any, tree: Structure) -> bool:
    if not is_told(value):
        return True
    if isinstance(tree, list):
        return isinstance(value, list) and all(_is_spelled(one, tree[0]) for one in value)
    if isinstance(tree, dict):
        return isinstance(value, Mapping) and all(_is_key(key, value, tree) for key in value)
    if tree == OWN_KEYS:
        return isinstance(value, Mapping) and all(isinstance(one, list) for one in value.values())
    return not (isinstance(value, Mapping) and len(value) == 1 and not TYPE_MARKS.isdisjoint(value))


def _is_key(key: str, record: Mapping[str, Any], tree: dict[str, dict[str, Structure]]) -> bool:
    """Return whether a key of a record is spelled as it must be, with what is under it."""
    known = tree.get(plain(key))
    if known is None:
        return True
    if key in known:
        return _is_spelled(record[key], known[key])
    return not is_told(record[key]) or any(is_told(record.get(one)) for one in known)

"""Keys of an event, however a lake, a warehouse or a data frame spells them -> the ESP's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from bounceanalytics.loading.formats.spelling import OWN_KEYS, is_told, plain
from bounceanalytics.loading.unwrapping.shapes import untyped
from bounceanalytics.loading.unwrapping.texts import structure_of

if TYPE_CHECKING:
    from bounceanalytics.loading.formats.format import Format, Sign
    from bounceanalytics.loading.formats.spelling import Structure

_DEEPEST = 5  # parts of a key
_TRUTHS = {"True": True, "False": False}

#: Field of an unwrapped record that is the carrier's own: what it says of itself.
NOTICE = "notice of a carrier"


@dataclass(frozen=True, slots=True)
class Event:
    """An event that was found: its format, and the record as the ESP writes it."""

    known: Known
    record: Mapping[str, Any]
    size: int  # fields of the format that it tells


class Carried(NamedTuple):
    """What carriers say of an event beside it: when it came, and whose account they are."""

    time: Any = None
    account: Any = None


class Known:
    """A format whose records are known by their own keys, wherever they lie.

    Parameters
    ----------
    fmt : Format
        One with signs.
    """

    def __init__(self, fmt: Format) -> None:
        self.origin = fmt
        self.signs = fmt.signs
        self._only = set(map(plain, fmt.only.split()))
        self.provider = fmt.provider
        self.format = unwrapped(fmt)
        places = [place if isinstance(place, tuple) else (place, "VARCHAR") for place in fmt.fields.values()]
        self._leaves = [
            (plain(path), tuple(path.split("/")), leaf) for path, leaf in places if leaf != OWN_KEYS
        ]
        self._maps = [(plain(path), tuple(path.split("/"))) for path, leaf in places if leaf == OWN_KEYS]
        leaves = {path: leaf for _, path, leaf in self._leaves}
        self._also = [
            (plain(name), path, leaves.get(path, "VARCHAR"), isinstance(leaves.get(path[:-1]), list))
            for name, paths in fmt.also.items()
            for path in (tuple(one.split("/")) for one in paths.split())
        ]
        self.times = [
            tuple(dict(zip(fmt.fields, places, strict=True))[name][0].split("/")) for name in fmt.clock
        ]
        self.carrier = dict(zip(fmt.fields, places, strict=True))[fmt.carrier][0] if fmt.carrier else ""
        self._moved = {plain(name) for name in fmt.also} & {
            name for sign in fmt.signs for name in sign.needs.split()
        }
        self._signs: dict[str, list[Sign]] = {}
        for sign in fmt.signs:
            self._signs.setdefault(sign.needs.split()[0], []).append(sign)
        self.deep = {plain(path) for path, _ in places if "/" in path}
        self.first = {plain(path.split("/")[0]) for path, _ in places} | {plain(name) for name in fmt.also}

    def fits(self, flat: Mapping[str, Any], *, table: bool, loose: bool) -> bool:
        """Return whether a record with these joined keys is one of this format."""
        if self._only and not self._only >= flat.keys():
            return False
        return any(
            sign.loose == loose and not (table and sign.loose) and _fits(sign, flat)
            for first, signs in self._signs.items()
            if first in flat
            for sign in signs
        )

    def as_it_is(self, record: Mapping[str, Any], keys: Mapping[str, Any], carried: Carried) -> Event | None:
        """Return a record that is spelled as the ESP spells it, as an event; None if it is not, or none of this format.

        Parameters
        ----------
        record : mapping
        keys : mapping
            Its values by keys without case and punctuation; none of them is joined.
        carried : Carried
            As for :meth:`native`.
        """
        if any(name in keys for name in self._moved) or not self.fits(keys, table=False, loose=False):
            return None
        if not self.origin.spelling.is_of(record):
            return None
        if carried.time is not None and self.times and all(_at(record, path) is None for path in self.times):
            return None
        size = len(self.first & keys.keys())
        if self.carrier and carried.account is not None:
            record = {**record, self.carrier: carried.account}
        return Event(self, record, size)

    def native(
        self,
        flat: Mapping[str, Any],
        names: Mapping[str, str],
        carried: Carried,
        written: Mapping[str, Any] | None = None,
    ) -> Event:
        """Return the event as the ESP writes it.

        Parameters
        ----------
        flat : mapping
            Its values by joined keys, from :func:`flattened`.
        names : mapping
            The keys as they were written, by joined keys.
        carried : Carried
            What its carrier says; its time is for an event that has none of its own.
        written : mapping, optional
            The record whose keys were joined: what it spells as the ESP does counts before what is alike.
        """
        record: dict[str, Any] = {}
        size = 0
        taken = set()
        for name, path, leaf in self._leaves:
            exact = _at(written, path)
            exact = structure_of(exact) if isinstance(exact, str) else exact
            value = _shaped(exact if is_told(exact) else flat.get(name), leaf)
            if value is None and isinstance(leaf, list):
                value = _gathered(flat, name, leaf)
            if value is not None:
                _put(record, path, value)
                taken.add(path)
                size += 1
        for name, path in self._maps:
            value = flat.get(name)
            if not isinstance(value, Mapping):
                value = {
                    _written(names[key], len(key) - len(name)): one
                    for key, one in flat.items()
                    if key.startswith(name) and key != name
                }
            lists = {
                key: one if isinstance(one, list) else [one] for key, one in value.items() if is_told(one)
            }
            if lists:
                _put(record, path, lists)
        told = set(record)
        for name, path, leaf, in_item in self._also:
            if (
                path not in taken
                and path[0] not in told
                and (value := _shaped(flat.get(name), leaf)) is not None
            ):
                if in_item:
                    _put_in_item(record, path, value)
                else:
                    _put(record, path, value)
                taken.add(path)
                size += 1
        if carried.time is not None and self.times and not taken.intersection(self.times):
            _put(record, self.times[0], carried.time)
        if self.carrier and carried.account is not None:
            record[self.carrier] = carried.account
        return Event(self, record, size)


def unwrapped(fmt: Format) -> Format:
    """Return a format for lists of its records, and for what a carrier says of itself."""
    return replace(
        fmt,
        kind="json",
        container="",
        inner="",
        several=True,
        opens="[",
        plain=False,
        fields={**fmt.fields, "notice": NOTICE},
        ignored=f"coalesce(notice, {fmt.ignored})",
    )


def flattened(record: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the values of a record by joined keys without case and punctuation, and those keys as they were written.

    A text that holds a structure is opened, and so is an object that is alone in a list. Of two keys that are alike the
    first one with a value counts.
    """
    flat: dict[str, Any] = {}
    names: dict[str, str] = {}
    stack: list[tuple[str, str, Mapping[str, Any], int]] = [("", "", record, 1)]
    while stack:
        before, written, node, depth = stack.pop()
        for key, one in node.items():
            name = before + plain(key)
            value = structure_of(one) if isinstance(one, str) else one
            if isinstance(value, Mapping) and not isinstance(alone := untyped(value), (Mapping, list)):
                value = alone
            if not is_told(flat.get(name)):
                flat[name] = value
                names[name] = written + key
            if isinstance(value, list) and len(value) == 1:
                value = value[0]
            if isinstance(value, Mapping) and depth < _DEEPEST:
                stack.append((name, f"{written}{key}.", value, depth + 1))
    return flat, names


def without(prefix: str, flat: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values whose joined key begins with a prefix, without it."""
    return {
        name[len(prefix) :]: value
        for name, value in flat.items()
        if name.startswith(prefix) and name != prefix
    }


def _written(name: str, count: int) -> str:
    """Return the end of a name as it was written, with so many letters and digits."""
    start = len(name)
    while count:
        start -= 1
        count -= name[start].isalnum()
    tail = name[start:]
    return tail.lower() if tail.isupper() else tail


def _fits(sign: Sign, flat: Mapping[str, Any]) -> bool:
    needs = sign.needs.split()
    if not all(is_told(flat.get(name)) for name in needs):
        return False
    if any(is_told(flat.get(name)) for name in sign.lacks.split()):
        return False
    word = flat[needs[0]]
    if not isinstance(word, str):
        return False
    return not sign.words or plain(word) in sign.words


def _shaped(value: Any, leaf: Structure) -> Any:
    """Return a value in the shape of a structure; None where it tells nothing."""
    value = untyped(value)
    if not is_told(value):
        return None
    if isinstance(leaf, list):
        if isinstance(value, str):
            value = structure_of(value, names=leaf[0] if isinstance(leaf[0], dict) else None)
        items = value if isinstance(value, list) else [value]
        shaped = [one for item in items if (one := _shaped(item, leaf[0])) is not None]
        return shaped or None
    if isinstance(leaf, dict):
        if isinstance(value, str):
            value = structure_of(value, names=leaf)
        if isinstance(value, str):  # the address alone
            return {next(iter(leaf)): value}
        if not isinstance(value, Mapping):
            return None
        flat, _ = flattened(value)
        found = {
            name: one
            for name, inner in leaf.items()
            if (one := _shaped(flat.get(plain(name)), inner)) is not None
        }
        return found or None
    return _TRUTHS.get(value, value) if isinstance(value, str) else value


def _gathered(flat: Mapping[str, Any], name: str, leaf: Structure) -> list[Any] | None:
    """Return a list whose items were spread over keys such as ``recipients.0.emailAddress``, or one item without."""
    items: dict[int, Any] = {}
    for key, value in flat.items():
        if key.startswith(name) and key != name and is_told(value):
            rest = key[len(name) :]
            field = rest.lstrip("0123456789")
            place = int(rest[: len(rest) - len(field)] or 0)
            if not field:
                items[place] = value
            elif isinstance(leaf[0], dict) and isinstance(items.setdefault(place, {}), dict):
                items[place][field] = value
    found: list[Any] | None = _shaped([items[place] for place in sorted(items)], leaf)
    return found


def _at(record: Any, path: tuple[str, ...]) -> Any:
    for part in path:
        record = record.get(part) if isinstance(record, dict) else None
    return record


def _put(record: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    for part in path[:-1]:
        record = record.setdefault(part, {})
    record[path[-1]] = value


def _put_in_item(record: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    """Put a value into the only item of a list."""
    for part in path[:-2]:
        record = record.setdefault(part, {})
    record.setdefault(path[-2], [{}])[0][path[-1]] = value

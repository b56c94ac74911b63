"""The walk through a record to the events in it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from bounceanalytics.loading.formats import esp_modules
from bounceanalytics.loading.formats.spelling import plain
from bounceanalytics.loading.unwrapping import carriers
from bounceanalytics.loading.unwrapping.carriers import Notice, by_plain_keys
from bounceanalytics.loading.unwrapping.keys import Carried, Event, Known, flattened, without
from bounceanalytics.loading.unwrapping.shapes import reshaped
from bounceanalytics.loading.unwrapping.texts import opened

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bounceanalytics.loading.formats.format import Format

_LAYERS = 8  # texts in texts
_DEEPEST = 40  # dicts and lists in one another, texts counted with what they hold
_STEPS = 200_000  # of one record
_COMMON = {"messageid", "timestamp", "recipient", "destination", "createdat"}  # keys that carriers have, too
_SHORT = 60  # characters; what is shorter holds no event
_PAGE = 4  # what is looked at of a page to see what it is


@dataclass(frozen=True, slots=True)
class Nothing:
    """A record among others that holds neither, and why it is rejected."""

    reason: str


#: What one record holds.
Record = list[Event | Notice | Nothing]


class Walk:
    """The walk, for some formats that are known by their keys.

    Parameters
    ----------
    formats : sequence of Format
        Those without signs are left out.
    """

    def __init__(self, formats: Sequence[Format]) -> None:
        self._known = [Known(fmt) for fmt in formats if fmt.signs]
        self.needs = {name for known in self._known for sign in known.signs for name in sign.needs.split()}
        self.firsts = firsts = {sign.needs.split()[0] for known in self._known for sign in known.signs}
        tails = tuple(name for name in self.needs - _COMMON if len(name) >= 8)
        self._deep = {name for known in self._known for name in known.deep}
        self._may_be = lru_cache(maxsize=65_536)(lambda name: name in firsts or name.endswith(tails))
        self._tail = lru_cache(maxsize=65_536)(
            lambda name: max(
                (tail for tail in tails if name.endswith(tail) and name != tail), key=len, default=""
            )
        )

    @property
    def formats(self) -> list[Format]:
        """The formats, as they were given."""
        return [known.origin for known in self._known]

    def place(self, event: Event) -> int:
        """Return which of them an event has."""
        return self._known.index(event.known)

    def is_native(self, record: Mapping[str, Any], formats: Iterable[Format]) -> bool:
        """Return whether a record is of one of some formats and spelled so that the engine can read it at once."""
        if any(plain(key) in self._deep for key in record):  # joined of several
            return False
        return any(
            one.fits(key for key in record if key)
            and one.spelling.is_of(record)
            and not (one.signs and not one.inner and self._is_carrier(record))
            for one in formats
        )

    def _is_carrier(self, record: Mapping[str, Any]) -> bool:
        """Return whether a record that has some keys of an event, and no sign of its own, holds another event."""
        keys = by_plain_keys(record)
        if self.is_signed(keys) or not any(
            isinstance(one, (dict, list)) or (isinstance(one, str) and len(one) > _SHORT)
            for one in record.values()
        ):
            return False
        own = self.recognised(record, Carried())
        inside = [one for some in self.records(record) for one in some if isinstance(one, Event)]
        return any(own is None or one.record != own.record for one in inside)

    def is_signed(self, keys: Mapping[str, Any]) -> bool:
        """Return whether a record has the keys that nothing but an event has, not only those of many things."""
        return any(known.fits(keys, table=False, loose=False) for known in self._known)

    def is_none(self, shape: Mapping[str, Any], passed: str | None = None) -> bool:
        """Return whether an object of some shape can be no event itself, whatever its values are.

        Parameters
        ----------
        shape : mapping
            An object in which no text is opened.
        passed : str, optional
            Key of which nothing is known.
        """
        keys = by_plain_keys(shape)
        if not any(map(self._may_be, keys)):
            return True
        flat, _ = flattened({key: one for key, one in shape.items() if key != passed})
        before = None if passed is None else plain(passed)
        return not any(map(self._tail, keys)) and not any(
            all(
                name in flat or (before is not None and name.startswith(before))
                for name in sign.needs.split()
            )
            for known in self._known
            for sign in known.signs
        )

    def is_of_one(self, keys: Mapping[str, Any], known: Known) -> bool:
        """Return whether a record with some keys can be of no other format than one, whatever their values are."""
        others = (one for one in self._known if one is not known)
        return self._deep.isdisjoint(keys) and not any(
            all(name in keys for name in sign.needs.split())
            for one in others
            for sign in one.signs
            if not sign.loose
        )

    def is_respelled(self, value: Any, provider: str) -> bool:
        """Return whether a value holds events and is no record that is spelled as an ESP spells its own."""
        if isinstance(value, dict) and self.is_native(value, _own(provider)):
            return False
        return any(isinstance(one, Event) for record in self.records(value) for one in record)

    def is_carried(self, value: Any, depth: int = 0) -> bool:
        """Return whether a value that holds no event is what a queue or a topic gave, or a notice of a carrier."""
        if depth > _PAGE:
            return False
        if isinstance(value, list):
            return any(self.is_carried(one, depth + 1) for one in value[:_PAGE])
        if not isinstance(value, dict):
            return False
        keys = by_plain_keys(value)
        if carriers.is_queued(keys) or carriers.notice(keys):
            return True
        return any(self.is_carried(one, depth + 1) for one in value.values() if isinstance(one, (dict, list)))

    def records(self, value: Any) -> list[Record]:
        """Return what is in a value: a record for each item of a list that holds any, else one."""
        return _Step(self).into(value, Carried(), 0, 0)

    def record(self, values: Iterable[Any], *, table: bool = False) -> Record:
        """Return what is in values that are one record together, such as the structures in a line."""
        step = _Step(self)
        return _joined([one for value in values for one in step.into(value, Carried(), 0, 0, table=table)])

    def row(self, cells: Mapping[str, Any]) -> Record:
        """Return what is in a row of a table."""
        return self.record([cells], table=True)

    def line(self, text: str) -> Record:
        """Return what is in a line of a log, behind its own words."""
        found = self.record(opened(text))
        if not found and (noticed := carriers.line_notice(text)):
            return [noticed]
        return found

    def recognised(self, record: Mapping[str, Any], carried: Carried, *, table: bool = False) -> Event | None:
        """Return the event that a record is; None if it is none itself."""
        keys = by_plain_keys(record)
        if not any(map(self._may_be, keys)):
            return None
        if not table and not any(name in self._deep for name in keys):
            for known in self._known:
                if event := known.as_it_is(record, keys, carried):
                    return event
        flat, names = flattened(record)
        if event := self._of(flat, names, carried, record, table=table):
            return event
        tails = {(name, tail) for name in keys if (tail := self._tail(name))}
        for prefix in sorted({name[: -len(tail)] for name, tail in tails}, key=len)[:4]:
            rest = without(prefix, flat)
            named = {name: names[prefix + name] for name in rest}
            if event := self._of(rest, named, carried, None, table=table):
                return event
        return None

    def _of(
        self,
        flat: dict[str, Any],
        names: dict[str, str],
        carried: Carried,
        record: Mapping[str, Any] | None,
        *,
        table: bool,
    ) -> Event | None:
        for loose in (False, True):
            for known in self._known:
                if known.fits(flat, table=table, loose=loose):
                    return known.native(flat, names, carried, record)
        return None


@cache
def _own(provider: str) -> list[Format]:
    module = esp_modules().get(provider)
    return [fmt for fmt in module.FORMATS if fmt.kind == "json"] if module else []


class _Step:
    """The walk through one value, with its bounds."""

    def __init__(self, walk: Walk) -> None:
        self._walk = walk
        self._left = _STEPS

    def into(
        self, value: Any, carried: Carried, depth: int, layers: int, *, table: bool = False
    ) -> list[Record]:
        self._left -= 1
        if depth > _DEEPEST or self._left < 0:
            return []
        if isinstance(value, str):
            return self._text(value, carried, depth, layers)
        if isinstance(value, list):
            value = reshaped(value)
            if isinstance(value, list):
                found = [self.into(item, carried, depth + 1, layers) for item in value]
                if not any(found):
                    return []
                return [
                    one
                    for item, some in zip(value, found, strict=True)
                    for one in some or [[Nothing(why_rejected(item))]]
                ]
        return self._dict(value, carried, depth, layers, table=table) if isinstance(value, dict) else []

    def _text(
        self, text: str, carried: Carried, depth: int, layers: int, *, packed: bool = False
    ) -> list[Record]:
        if layers >= _LAYERS or not (packed or len(text) > 8):
            return []
        found = [self.into(one, carried, depth + 1, layers + 1) for one in opened(text, packed=packed)]
        joined = _joined([one for some in found for one in some])
        return [joined] if joined else []

    def _dict(
        self, record: dict[str, Any], carried: Carried, depth: int, layers: int, *, table: bool
    ) -> list[Record]:
        shaped = reshaped(record)
        if shaped is not record:
            return self.into(shaped, carried, depth + 1, layers)
        keys = by_plain_keys(record)
        carried = carriers.told_by(keys, carried)
        event = self._walk.recognised(record, carried, table=table)
        if event is not None:
            inside = self._below(event, record, carried, depth, layers)
            return [inside or [event]]
        found = []
        for key, value in record.items():
            if isinstance(value, str):
                name = plain(key)
                found.append(self._text(value, carried, depth, layers, packed=carriers.is_packed(name, keys)))
            elif isinstance(value, (dict, list)):
                found.append(self.into(value, carried, depth + 1, layers))
        found = [some for some in found if some]
        if not found:
            noticed = carriers.notice(keys)
            return [[noticed]] if noticed else []
        if len(found) > 1 and all(len(some) == 1 for some in found):
            return [_joined([some[0] for some in found])]
        return [one for some in found for one in some]

    def _below(
        self, event: Event, record: dict[str, Any], carried: Carried, depth: int, layers: int
    ) -> Record:
        """Return what is in a record that is one itself but has another column for the whole of it, or of several."""
        for key, value in record.items():
            if plain(key) in event.known.first or not isinstance(value, (str, dict, list)):
                continue
            found = self.into(value, carried, depth + 1, layers)
            sizes = [max((one.size for one in some if isinstance(one, Event)), default=0) for some in found]
            if not sizes or min(sizes) < event.size:
                continue
            if len(found) == 1 or not self._walk.is_signed(by_plain_keys(record)):
                return _joined(found)
        return []


#: For the formats of every ESP.
WALK = Walk([fmt for module in esp_modules().values() for fmt in module.FORMATS])


def _joined(records: list[Record]) -> Record:
    """Return several records as one, each event once: one may be stored beside its own text."""
    if len(records) == 1 and len(records[0]) == 1:
        return records[0]
    seen = set()
    joined: Record = []
    for one in (one for record in records for one in record):
        mark = (
            (one.known.format.name, json.dumps(one.record, sort_keys=True, default=str))
            if isinstance(one, Event)
            else one
        )
        if mark not in seen:
            seen.add(mark)
            joined.append(one)
    events = [one for one in joined if isinstance(one, Event)]
    return list(events) or joined[:1]


def why_rejected(value: Any) -> str:
    """Return why a record is rejected that nothing was found in; without what it holds."""
    what = "a line of the log" if isinstance(value, str) else "it is a record"
    if isinstance(value, dict):
        shown = [key[:40] for key in value if isinstance(key, str) and key and "@" not in key]
        listed = ", ".join(shown[:8]) + (" …" if len(shown) > 8 else "")
        what = carriers.title(by_plain_keys(value)) or f"a record with the fields {listed or '(none)'},"
    return f"{what} without a mail event of an ESP that is known"

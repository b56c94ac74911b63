"""Wrappers taken off by the engine, many lines at a time, where that gives just what the walk gives.

Most files hold one wrapper again and again. Where the event of a line lies is learnt from the walk
(:class:`.walk.Walk`), and the engine takes it out of all lines alike. What the walk does with a line depends on its
keys, on a few words in it, and on whether its other texts hold anything. The engine tells the keys and the words of a
line as one number, its *kind*, and whether it is *sound*: that no other text in it can hold anything. One line of each
kind is walked through and looked at; where the engine does the same, all sound lines of that kind are taken. All others
are walked through one by one.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bounceanalytics.database import literal
from bounceanalytics.loading.formats.spelling import MISSING, OWN_KEYS, TYPE_MARKS, plain
from bounceanalytics.loading.unwrapping import carriers
from bounceanalytics.loading.unwrapping.carriers import by_plain_keys
from bounceanalytics.loading.unwrapping.keys import Carried, Event
from bounceanalytics.loading.unwrapping.shapes import reshaped

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    import duckdb
    from numpy.typing import NDArray

    from bounceanalytics.loading.formats.spelling import Structure
    from bounceanalytics.loading.unwrapping.keys import Known
    from bounceanalytics.loading.unwrapping.walk import Walk

    #: Keys, and places in lists, from the outermost one to the innermost.
    Path = tuple[str | int, ...]
    #: Keys of each object on the way through the layers.
    _Keys = tuple[tuple[str, ...], ...]

LONGEST = 256 * 1024  # bytes of a line, so that the walk through it is never given up for its steps

_MOST_SIDES = 60  # values beside the way to the event; a line with others is walked through
_MOST_KINDS = 1000  # of lines; where there are more, there is no wrapper that comes again and again

# Wider than what the walk looks for: a text too many costs a walk, one too few an event. Texts begin behind a quote.
_BEGINS = r'"(?:[^!-~\p{L}]|\\|ey|ew|W[1-3wy]|H4sI)'  # of a text that is packed, or that the walk would strip
_FORM = r'"[\w.%+\-]+=[^"&]*&'
_CALLED = r"\((?:<class |[A-Za-z_]\w*=)"
_NO_BRACKETS = r'(?:[^"]|"(?:[^"\\{\[]|\\.)*")*'  # in texts, while there may be lists and objects
_TYPED = rf'\{{\s*"(?:{"|".join(map(re.escape, sorted(TYPE_MARKS)))})"'
# What the engine takes for JSON and Python does not, or reads in another way; in a text in a text, blanks are escaped.
_ODD = (r"\\u(?:0000|[dD])", r",(?:\s|\\+[nrt])*[}\]]", r":(?:\s|\\+[nrt])*[-+]?(?i:nan|inf)")


@dataclass(frozen=True, slots=True)
class Peeled:
    """Lines whose events the engine has taken out.

    Attributes
    ----------
    known : Known
        The format of the events.
    place : array of int
        Which lines they are, in order.
    events : pyarrow.Array
        The record of each, as JSON.
    account : pyarrow.Array
        What its carriers say of the account.
    """

    known: Known
    place: NDArray[np.int64]
    events: pa.Array
    account: pa.Array


@dataclass(slots=True)
class _Query:
    """A query over lines that grows: its rows, and as SQL what makes their kind, their soundness and their account."""

    rows: str
    kinds: list[str] = field(default_factory=list)
    sound: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    def make(self, name: str, sql: str) -> str:
        """Give the rows one column more; return its name."""
        self.rows = f"SELECT *, {sql} AS {name} FROM ({self.rows})"
        return name


@dataclass(slots=True)
class _Layer:
    """A text that is JSON: where the next text, or the event, lies in it, and what lies beside that."""

    path: Path
    nodes: list[Path]  # of objects and lists on the way
    sides: dict[Path, bool] = field(
        default_factory=dict
    )  # what lies beside -> whether it is a list or an object

    @classmethod
    def to(cls, path: Path) -> _Layer:
        return cls(path, [path[:size] for size in range(len(path))])

    @property
    def flat(self) -> list[Path]:
        return [side for side, wide in self.sides.items() if not wide]

    @property
    def wide(self) -> list[Path]:
        return [side for side, wide in self.sides.items() if wide]

    @property
    def told(self) -> list[Path]:
        """Where something may be said of the account."""
        return [side for side in self.flat if plain(str(side[-1])) in carriers.TELLING]

    def beside(self, value: Any, own: Collection[str]) -> Iterator[tuple[Path, bool]]:
        """Yield what lies beside the way in a value, and whether it is a list or an object."""
        for node in self.nodes:
            keys = _at(value, node)
            if isinstance(keys, dict):
                for key in keys.keys() - {*own, *self.path[len(node) : len(node) + 1]}:
                    yield (*node, key), isinstance(keys[key], (dict, list))

    def ask(
        self, query: _Query, text: str, paths: Sequence[Path], *, quoted: bool = False
    ) -> dict[Path, str]:
        """Ask for values in a text, and for all that lies beside the way; return each as SQL.

        Texts are ``quoted`` as JSON, or bare.
        """
        every = [*paths, *self.flat, *self.wide]
        if not every:
            return {}
        take, sign = ("json_extract", ",") if quoted else ("json_extract_string", '"')
        values = query.make(f"values_{text}", f"{_read(take, text, every)}::VARCHAR[]")
        found = {path: f"{values}[{place}]" for place, path in enumerate(every, start=1)}
        first, then = len(paths) + 1, len(paths) + len(self.flat) + 1
        if self.flat:
            flat = query.make(f"flat_{text}", _joined(f"{values}[{first}:{then - 1}]", sign))
            query.sound += [f"NOT (contains({flat}, '{{') OR contains({flat}, '['))", *_holds_nothing(flat)]
        if self.wide:
            wide = query.make(f"wide_{text}", _joined(f"{values}[{then}:]", ","))
            query.sound += [f"regexp_full_match({wide}, {literal(_NO_BRACKETS)})", *_holds_nothing(wide)]
        for path in self.wide:
            query.sound.append(f"coalesce({found[path]}[1] IN ('{{', '['), true)")
            query.kinds.append(_read("json_structure", found[path]))
        return found


class Peel:
    """A wrapper around events of one format, as learnt from the walk.

    Parameters
    ----------
    walk : Walk
    known : Known
    paths : sequence of tuple
        From text to text, the last one to the event.
    """

    def __init__(self, walk: Walk, known: Known, paths: Iterable[Path]) -> None:
        self._walk = walk
        self._known = known
        self._layers = [_Layer.to(path) for path in paths]
        self._event = _Layer((), [()])
        self._structure = known.origin.structure()
        self._lacks = {name for sign in known.signs for name in sign.lacks.split()}
        scalars = [key for key, leaf in self._structure.items() if leaf == "VARCHAR"]
        self._words = [key for key in scalars if plain(key) in walk.firsts]
        self._needed = [key for key in scalars if plain(key) in walk.needs - walk.firsts]
        # kind -> keys of each object on the way; None where the walk does something else
        self._kinds: dict[int, _Keys | None] = {}

    @classmethod
    def of(cls, walk: Walk, text: str) -> Peel | None:
        """Return the wrapper of a line that holds one event; None if it is none that the engine can take off."""
        if any(re.search(odd, text) for odd in _ODD):
            return None
        value = _parsed(text)
        event = _event_of(walk, value)
        if event is None:
            return None
        wanted = {key: one for key, one in event.record.items() if key != event.known.carrier}
        paths = _way(value, wanted, (), ())
        if paths is None:
            return None
        peel = cls(walk, event.known, paths)
        peel._learn(peel._news(value))
        return peel if peel._looked_at(text) is not None else None

    @property
    def provider(self) -> str:
        """Whose events they are."""
        return self._known.provider

    def peeled(
        self, lines: pa.Array, place: NDArray[np.int64], engine: duckdb.DuckDBPyConnection
    ) -> Iterator[Peeled]:
        """Yield those of some lines whose wrapper this is."""
        fresh = True
        while fresh and len(place):
            some = lines if len(place) == len(lines) else lines.take(pa.array(place))
            found, taken, fresh = self._peeled(some, place, engine)
            place = place[~taken]
            if found is not None:
                yield found

    def _peeled(
        self, some: pa.Array, place: NDArray[np.int64], engine: duckdb.DuckDBPyConnection
    ) -> tuple[Peeled | None, NDArray[np.bool_], bool]:
        """Return what the engine takes out of some lines, out of which, and whether another look may give more."""
        engine.register("lines", pa.table({"t0": some}))
        try:
            table = engine.sql(self._sql()).to_arrow_table()
        finally:
            engine.unregister("lines")
        sound = pc.fill_null(table["sound"], fill_value=False).to_numpy()
        kind = pc.fill_null(table["kind"], 0).to_numpy()
        kinds, first = np.unique(kind[sound], return_index=True)
        examples = dict(zip(kinds.tolist(), np.flatnonzero(sound)[first].tolist(), strict=True))
        news = self._look_at(
            {one: some[at].as_py() for one, at in examples.items() if one not in self._kinds}
        )
        taken = np.zeros(len(some), bool)
        account = np.full(len(some), None, object)
        by_keys: dict[_Keys, list[int]] = {}
        for one in examples:
            if (keys := self._kinds.get(one)) is not None:
                by_keys.setdefault(keys, []).append(one)
        for keys, alike in by_keys.items():
            rows = np.flatnonzero(sound & np.isin(kind, np.array(alike, kind.dtype)))
            account[rows] = self._accounts(table, keys, rows)
            taken[rows] = True
        self._learn(news)
        if not taken.any():
            return None, taken, bool(news)
        events = table["event"].combine_chunks()
        if not taken.all():
            events, account = events.filter(pa.array(taken)), account[taken]
        return (
            Peeled(self._known, place[taken], events, pa.array(account, pa.large_string())),
            taken,
            bool(news),
        )

    def _look_at(self, examples: dict[int, str]) -> list[tuple[_Layer, Path, bool]]:
        """Look at a line of each kind; return what lies in them that nothing was known of."""
        found: list[tuple[_Layer, Path, bool]] = []
        room = _MOST_SIDES - sum(len(layer.sides) for layer in [*self._layers, self._event])
        for kind, text in list(examples.items())[: _MOST_KINDS - len(self._kinds)]:
            if news := self._news(_parsed(text)):
                found += news
            else:
                self._kinds[kind] = self._looked_at(text)
        return found if len({side for _, side, _ in found}) <= room else []

    # what the engine does

    def _sql(self) -> str:
        """Return the query for ``event`` in each of ``lines``, ``sound``, ``kind``, and what tells the account."""
        query = _Query("FROM lines", sound=[f"NOT regexp_matches(t0, {literal(odd)})" for odd in _ODD])
        text = "t0"
        for number, layer in enumerate(self._layers, start=1):
            if layer.nodes:
                # what is asked for of a text as a whole is quicker than a list of one
                places = [*layer.nodes, *((*node, 1) for node in layer.nodes if layer.path[len(node)] == 0)]
                keys = _read("json_keys", text, [] if places == [()] else places)
                query.kinds.append(query.make(f"keys_{text}", keys))
            whole = not layer.path and layer is self._layers[-1]
            found = layer.ask(query, text, [] if whole else [layer.path])
            query.told += [found[side] for side in layer.told]
            text = text if whole else query.make(f"t{number}", found[layer.path])
        self._ask_event(query, text)
        query.sound += [f"NOT contains(coalesce({one}, ''), chr(10))" for one in query.told]
        told = "".join(f", {one} AS told{place}" for place, one in enumerate(query.told))
        return (
            f"SELECT {text} AS event, hash({', '.join(query.kinds)}) AS kind,"
            f" {' AND '.join(query.sound)} AS sound{told} FROM ({query.rows})"
        )

    def _ask_event(self, query: _Query, text: str) -> None:
        """Ask for all that the walk looks at in an event."""
        keys = query.make("keys", _read("json_keys", text, list(_objects(self._structure))))
        leaves = dict(_leaves(self._structure))
        words, needed = ([(key,) for key in some] for some in (self._words, self._needed))
        own = [path for path, leaf in leaves.items() if leaf == OWN_KEYS]
        lists = [path for path, leaf in leaves.items() if isinstance(leaf, list)]
        times = self._known.times
        found = self._event.ask(
            query, text, list(dict.fromkeys([*words, *needed, *own, *lists, *times])), quoted=True
        )
        query.kinds += [
            keys,
            *(found[path] for path in words),
            *(_is_missing(found[path]) for path in needed),
        ]
        query.sound += [f"{keys} IS NOT NULL", f"NOT regexp_matches({text}, {literal(_TYPED)})"]
        query.sound += [_is_of_lists(found[path]) for path in own]
        for path in lists:
            query.sound.append(f"coalesce({found[path]} = 'null' OR {found[path]}[1] = '[', true)")
            if isinstance(leaves[path][0], dict):
                query.kinds.append(_read("json_structure", found[path]))
        if times:
            query.sound.append(f"coalesce({', '.join(_told(found[path]) for path in times)}) IS NOT NULL")

    def _accounts(self, table: pa.Table, keys: _Keys, rows: NDArray[np.int64]) -> list[Any]:
        """Return what the carriers of some events say of their account."""
        columns = [table[name] for name in table.column_names if name.startswith("told")]
        if not columns:
            return [None] * len(rows)
        nothing, between = (pa.scalar(text, columns[0].type) for text in ("", "\n"))
        texts = [pc.fill_null(one, nothing).take(pa.array(rows)).combine_chunks() for one in columns]
        joined = pc.binary_join_element_wise(*texts, between).dictionary_encode()
        accounts = [self._account(keys, text.split("\n")) for text in joined.dictionary.to_pylist()]
        return [accounts[place] for place in joined.indices.to_pylist()]

    def _account(self, keys: _Keys, texts: list[str]) -> Any:
        """Return the account by the keys of the carriers, from the outermost to the innermost, and what tells it."""
        carried, there, left = Carried(), iter(keys), iter(texts)
        for layer in self._layers:
            values = {side: next(left) for side in layer.told}
            for node in layer.nodes:
                told = {key: values.get((*node, key)) for key in next(there)}
                carried = carriers.told_by(by_plain_keys(told), carried)
        return carried.account

    # what is looked at

    def _news(self, value: Any) -> list[tuple[_Layer, Path, bool]]:
        """Return what lies beside the way to the event of a line, as far as nothing is known of it."""
        found: list[tuple[_Layer, Path, bool]] = []
        for layer in self._layers:
            found += [(layer, *side) for side in layer.beside(value, ())]
            value = _at(value, layer.path)
            value = _parsed(value) if isinstance(value, str) else value
        if isinstance(value, dict):
            own = [key for key in value if plain(key) in self._known.first]
            found += [(self._event, *side) for side in self._event.beside(value, own)]
        return [(layer, side, wide) for layer, side, wide in found if wide > layer.sides.get(side, -1)]

    def _learn(self, news: Iterable[tuple[_Layer, Path, bool]]) -> None:
        for layer, side, wide in news:
            layer.sides[side] = wide or layer.sides.get(side, False)
            self._kinds.clear()

    def _looked_at(self, text: str) -> _Keys | None:
        """Return the keys on the way in a line; None if the walk does anything else than the engine with its kind."""
        keys: list[tuple[str, ...]] = []
        try:
            whole = value = json.loads(text, object_pairs_hook=_once)
            for layer in self._layers:
                for node in layer.nodes:
                    passed = _at(value, node)
                    if not self._is_passed(passed, layer.path[len(node)]):
                        return None
                    keys.append(tuple(passed) if isinstance(passed, dict) else ())
                value = _at(value, layer.path)
                if layer is not self._layers[-1]:
                    value = json.loads(value, object_pairs_hook=_once)
        except (ValueError, TypeError, RecursionError):
            return None
        event = _event_of(self._walk, whole)
        alike = event is not None and event.known is self._known and self._is_whole(value, event)
        return tuple(keys) if alike else None

    def _is_whole(self, record: Any, event: Event) -> bool:
        """Return whether an event is a record as it is, as is that of each record of its kind."""
        if not isinstance(record, dict):
            return False
        keys = by_plain_keys(record)
        return (
            record == {key: one for key, one in event.record.items() if key != self._known.carrier}
            and self._known.as_it_is(record, keys, Carried()) is not None
            and self._walk.is_of_one(keys, self._known)
            and self._lacks.isdisjoint(keys)
            and not carriers.is_telling(keys)
            and _is_strict(record, self._structure)
            and _is_plain(_shape(record))
            and all(
                self._is_barren(_shape(one))
                for key, one in record.items()
                if plain(key) not in self._known.first
            )
        )

    def _is_passed(self, node: Any, key: str | int) -> bool:
        """Return whether the walk goes on from an object or a list to what is under a key, and finds nothing beside."""
        if isinstance(node, list):
            return len(node) == 1 and reshaped(node) is node
        keys = by_plain_keys(node)
        shape = _shape(node)
        return (
            len(keys) == len(node)
            and self._walk.is_none(shape, str(key))
            and _is_plain(shape)
            and not any(carriers.may_be_packed(plain(one), keys) for one in node)
            and all(self._is_barren(shape[one]) for one in node if one != key)
        )

    def _is_barren(self, shape: Any) -> bool:
        """Return whether there is no event in a value of this shape, if there is none in its texts."""
        if isinstance(shape, list):
            return not any(isinstance(one, (dict, list)) for one in shape)
        if not isinstance(shape, dict):
            return True
        keys = by_plain_keys(shape)
        return (
            self._walk.is_none(shape)
            and _is_plain(shape)
            and not any(carriers.may_be_packed(plain(one), keys) for one in shape)
            and all(map(self._is_barren, shape.values()))
        )


def _event_of(walk: Walk, value: Any) -> Event | None:
    """Return the one event in a value; None if there are several, or none."""
    records = walk.records(value)
    only = records[0][0] if len(records) == 1 and len(records[0]) == 1 else None
    return only if isinstance(only, Event) else None


def _way(value: Any, wanted: dict[str, Any], path: Path, before: tuple[Path, ...]) -> tuple[Path, ...] | None:
    """Return the paths from text to text to an object; None if it is not there as it is."""
    if isinstance(value, dict):
        if value == wanted:
            return (*before, path)
        ways = (_way(one, wanted, (*path, key), before) for key, one in value.items())
        return next((way for way in ways if way), None)
    if isinstance(value, list):
        return _way(value[0], wanted, (*path, 0), before) if len(value) == 1 else None
    inner = _parsed(value) if isinstance(value, str) and value.lstrip()[:1] in ("{", "[", '"') else None
    return None if inner is None else _way(inner, wanted, (), (*before, path))


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object, each of whose keys is there once."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key is there twice")
    return found


def _at(value: Any, path: Path) -> Any:
    for part in path:
        if isinstance(value, list):
            value = value[part] if isinstance(part, int) and part < len(value) else None
        else:
            value = value.get(part) if isinstance(value, dict) else None
    return value


def _shape(value: Any) -> Any:
    """Return a value with the same word in the place of each that is no list and no object."""
    if isinstance(value, dict):
        return {key: _shape(one) for key, one in value.items()}
    return list(map(_shape, value)) if isinstance(value, list) else "x"


def _is_plain(shape: dict[str, Any]) -> bool:
    """Return whether an object of this shape is no typed one, and no table."""
    typed = any(
        isinstance(one, dict) and len(one) == 1 and not TYPE_MARKS.isdisjoint(one) for one in shape.values()
    )
    # how long lists are is not told by the kind of a line, and a list may be that of titles or of cells
    longer = {key: one * 2 if isinstance(one, list) else one for key, one in shape.items()}
    return not typed and reshaped(shape) is shape and reshaped(longer) is longer


def _is_strict(value: Any, structure: Structure, *, listed: bool = False) -> bool:
    """Return whether what a record has of a structure is so shaped that its kind tells it."""
    if isinstance(structure, dict):
        return (
            isinstance(value, dict)
            and (listed or bool(value))
            and len(by_plain_keys(value)) == len(value)
            and all(_is_strict(value[key], inner) for key, inner in structure.items() if key in value)
        )
    if value is None:
        return True
    if isinstance(structure, list):
        return isinstance(value, list) and all(_is_strict(one, structure[0], listed=True) for one in value)
    return structure != OWN_KEYS or isinstance(value, dict)


def _objects(structure: Structure, path: Path = ()) -> Iterator[Path]:
    """Yield the places of objects in a structure that are in no list."""
    if isinstance(structure, dict):
        yield path
        for key, inner in structure.items():
            yield from _objects(inner, (*path, key))


def _leaves(structure: Structure, path: Path = ()) -> Iterator[tuple[Path, Structure]]:
    if isinstance(structure, dict):
        for key, inner in structure.items():
            yield from _leaves(inner, (*path, key))
    else:
        yield path, structure


def _pointer(path: Path) -> str:
    """Return a path as a JSON pointer (RFC 6901), as the engine reads it."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path) or "$"


def _pointers(paths: Iterable[Path]) -> str:
    return f"[{', '.join(literal(_pointer(path)) for path in paths)}]::VARCHAR[]"


def _read(function: str, text: str, paths: Collection[Path] = ()) -> str:
    """Return SQL for what a function makes of a text as JSON, and of some places in it; missing if it is none."""
    return f"TRY({function}({text}, {_pointers(paths)}))" if paths else f"TRY({function}({text}))"


def _holds_nothing(text: str) -> list[str]:
    """Return SQL for what is true of values as JSON none of whose texts the walk would open."""
    return [
        f"NOT regexp_matches({text}, {literal(_BEGINS)})",
        f"NOT (contains({text}, '&') AND regexp_matches({text}, {literal(_FORM)}))",
        f"NOT (contains({text}, '(') AND regexp_matches({text}, {literal(_CALLED)}))",
    ]


def _joined(texts: str, sign: str) -> str:
    """Return SQL for a list of texts in a row, a sign before each."""
    return f"{literal(sign)} || coalesce(array_to_string({texts}, {literal(sign)}), '')"


def _is_missing(value: str) -> str:
    """Return SQL for whether a value as JSON says nothing."""
    words = ", ".join(map(literal, [*MISSING, "[]", "{}"]))
    return f"coalesce(trim(trim({value}, '\"')) IN ({words}), true)"


def _told(value: str) -> str:
    """Return SQL for a value as JSON, which is missing if it is null."""
    return f"nullif({value}, 'null')"


def _is_of_lists(value: str) -> str:
    """Return SQL for whether a value as JSON is an object of lists, or is not there."""
    other = literal(r'":[^\[]')
    return f"coalesce({value} = 'null' OR ({value}[1] = '{{' AND NOT regexp_matches({value}, {other})), true)"

"""Times of a file: the usual spellings in SQL, all others by the grammar of :mod:`bounceanalytics.clocks`.

The engine reads what nearly all exports hold, ISO 8601 and numbers since 1970, by itself, and only where the whole text
is such. Every other text is handed to :class:`Clocks`. A date such as 3/5/2026 is read as the whole column tells: one
value with a day over 12, or a weekday, decides for all.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bounceanalytics import schema
from bounceanalytics.clocks import grammar
from bounceanalytics.clocks.grammar import DAY_FIRST, EARLIEST, MONTH_FIRST, YEAR_FIRST, Reading
from bounceanalytics.database import literal
from bounceanalytics.privacy import HIDDEN, without_addresses

if TYPE_CHECKING:
    from collections.abc import Iterable

    import duckdb
    from numpy.typing import NDArray

#: How a time was written, by number; 0 means missing. Datasets keep the numbers: new ones go to the end.
TIME_STYLES = (
    "",
    "seconds since 1970",
    "milliseconds since 1970",
    "microseconds since 1970",
    grammar.ISO,
    grammar.MAIL,
    grammar.NAIVE,
    "nanoseconds since 1970",
    grammar.SERIAL,
    grammar.ROUNDED,
    grammar.OTHER,
    grammar.OTHER_NAIVE,
    "unknown to us",
    grammar.FILETIME,
    grammar.TICKS,
)
_STYLE: dict[str, int] = {name: place for place, name in enumerate(TIME_STYLES)}
UNREAD = _STYLE["unknown to us"]
ROUNDED = _STYLE[grammar.ROUNDED]
#: Those without a zone.
NAIVE = [_STYLE[name] for name in (grammar.NAIVE, grammar.SERIAL, grammar.OTHER_NAIVE)]

_SHIFT: int = 4  # bits for the number of a style beside a time
STYLES = 1 << _SHIFT

#: What the engine itself reads, told so that a text fits as a whole.
_ISO_NAIVE = r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?)?"
_ISO_ZONED = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d(?::?\d\d)?)"
_MAIL = "%a, %d %b %Y %H:%M:%S"
_MAIL_SIZE = len("Sat, 14 Mar 2026 08:15:20")

#: The function of the engine that asks :class:`Clocks`.
_FUNCTION = "read_clock"


def time_sql(text: str, timezone: str) -> str:
    """Return SQL for the time and the style of a text in any style that exports use.

    A date without a zone is in ``timezone``; of an hour that its clocks skip, or show twice, standard time is meant.

    Both come in one number, since they are told by the same tests: sixteen times the microseconds since 1970, and the
    place of the style in :data:`TIME_STYLES`. What is not understood is negative, and equal where the text is.
    """
    asked = f"{_FUNCTION}(CAST(file AS BIGINT), {text})"
    number = f"TRY_CAST({text} AS DOUBLE)"
    whole = f"TRY_CAST({text} AS BIGINT)"  # of ten or thirteen digits: the usual case, and the fastest
    naive = f"TRY_CAST({text} AS TIMESTAMP)"
    local = naive if timezone == "UTC" else f"timezone({literal(timezone)}, {naive})"
    zoned = f"epoch_us(TRY_CAST({text} AS TIMESTAMPTZ))"
    mail = f"epoch_us(try_strptime(left({text}, {_MAIL_SIZE}), {literal(_MAIL)}))"

    def both(micros: str, style: str) -> str:
        # zero dates, and what the engine cannot make a time of, are the grammar's
        known = f"nullif(greatest({micros}, {EARLIEST}), {EARLIEST})"
        return f"coalesce({known} * {STYLES} + {_STYLE[style]}, {asked})"

    seconds, millis = TIME_STYLES[1:3]
    return f"""CASE
        WHEN {text} IS NULL OR {text} = '' THEN NULL
        WHEN length({text}) = 10 AND {text}[2] <> '.' AND {whole} > 999999999
        THEN {whole} * 1000000 * {STYLES} + {_STYLE[seconds]}
        WHEN ends_with({text}, 'Z') AND {text}[11] = 'T' AND length({text}) IN (20, 24, 27)
        THEN {both(zoned, grammar.ISO)}
        WHEN {text}[11] = '.' AND {number} > 999999999
        THEN CAST(round({number} * 1e6) AS BIGINT) * {STYLES} + {_STYLE[seconds]}
        WHEN length({text}) = 13 AND {text}[2] <> '.' AND {whole} > 999999999999
        THEN {whole} * 1000 * {STYLES} + {_STYLE[millis]}
        WHEN regexp_full_match({text}, {literal(_ISO_NAIVE)}) THEN {both(f"epoch_us({local})", grammar.NAIVE)}
        WHEN regexp_full_match({text}, {literal(_ISO_ZONED)}) THEN {both(zoned, grammar.ISO)}
        WHEN {text}[4] = ',' AND right({text}, 4) IN (' GMT', ' UTC') AND length({text}) = {_MAIL_SIZE + 4}
        THEN {both(mail, grammar.MAIL)}
        ELSE {asked} END"""


def times(table: pa.Table) -> tuple[pa.Array, NDArray[np.int64]]:
    """Return the times of what :func:`time_sql` gives, in UTC, and the place of their style in TIME_STYLES."""
    if "timestamp" not in table.column_names:
        return pa.nulls(len(table), schema.ARROW_TIME), np.zeros(len(table), np.int64)
    both = table["timestamp"]
    values = (pc.fill_null(both, 0) if both.null_count else both).to_numpy()
    unknown = values <= 0  # missing, or not understood
    styles = values & (STYLES - 1)
    if not unknown.any():
        return pa.array(values >> _SHIFT).cast(schema.ARROW_TIME), styles
    return pa.array(values >> _SHIFT, mask=unknown).cast(schema.ARROW_TIME), styles


@dataclass
class _Column:
    """The times of one file, as far as they have been met."""

    zone: str = "UTC"
    values: dict[str, int] = field(default_factory=dict)
    unread: dict[int, str] = field(default_factory=dict)
    fitting: dict[str, set[str]] = field(default_factory=dict)  # sign -> orders that fit all dates so far
    doubtful: dict[str, str] = field(default_factory=dict)  # sign -> the first date that has two readings
    used: dict[str, str] = field(default_factory=dict)  # sign -> the order that such dates were read in

    def start(self, zone: str) -> None:
        """Begin anew, with what an earlier reading has found of orders."""
        self.zone = zone
        self.values.clear()


class Clocks:
    """Reads the times that the engine does not, and knows of each file in which order its dates are written.

    Parameters
    ----------
    dayfirst : bool, optional
        The order of a date that may be read in two ways where nothing in its file tells: the month first if not given.
    """

    def __init__(self, dayfirst: bool | None = None) -> None:
        self._dayfirst = dayfirst
        self._columns: dict[int, _Column] = {}
        self._files: list[int] = []

    def attach(self, engine: duckdb.DuckDBPyConnection) -> None:
        """Make the function that :func:`time_sql` calls known to the engine."""
        kind: Any = "arrow"  # the name will do, though the engine's types ask for more
        engine.create_function(
            _FUNCTION, self._read, ["BIGINT", "VARCHAR"], "BIGINT", type=kind, side_effects=False
        )

    def start(self, places: Iterable[int], zone: str) -> None:
        """Say which files the next query reads, by their places in the list of accounts."""
        self._files = [int(place) for place in places]
        for place in self._files:
            self._columns.setdefault(place, _Column()).start(zone)

    def settle(self) -> bool:
        """Return whether the files of the last query must be read again, since a later date told their order."""
        again = False
        for place in self._files:
            column = self._columns[place]
            for sign, used in column.used.items():
                order = self._order(column, sign)
                if order != used:
                    column.used[sign] = order
                    again = True
        return again

    def told(self, place: int, value: int) -> str:
        """Return the text that was not understood, fit to be shown."""
        return _shown(self._columns[place].unread.get(value, ""))

    def assumed(self, place: int) -> str:
        """Return what is to be said of dates that may be read in two ways; empty where nothing was assumed."""
        column = self._columns.get(place, _Column())
        said = []
        for sign, text in column.doubtful.items():
            fitting, used = column.fitting[sign], column.used[sign]
            if not fitting:
                said.append(
                    f"its dates are written in both orders, so that those which may be either are missing,"
                    f" such as {_shown(text)!r}"
                )
            elif len(fitting) > 1 and used and sign != ".":
                other = "dayfirst=False" if used == DAY_FIRST else "dayfirst=True"
                said.append(
                    f"dates such as {_shown(text)!r} may be read in two ways and are taken with the"
                    f" {used}; say {other} if that is wrong"
                )
        return "; ".join(said)

    def _read(self, file: pa.ChunkedArray, text: pa.ChunkedArray) -> pa.Array:
        found = [
            self._value(self._columns[self._files[place]], one)
            for place, one in zip(file.to_pylist(), text.to_pylist(), strict=True)
        ]
        return pa.array(found, pa.int64())

    def _value(self, column: _Column, text: str) -> int:
        value = column.values.get(text)
        if value is None:
            value = self._found(column, text)
            if len(column.values) < _KEPT:
                column.values[text] = value
        return value

    def _found(self, column: _Column, text: str) -> int:
        reading = grammar.read(text)
        if isinstance(reading, grammar.NoTime):
            return 0
        micros = None if reading is None else self._instant(column, text, reading)
        if reading is None or micros is None or micros < EARLIEST:
            value: int = -_number(text) * STYLES + UNREAD
            if len(column.unread) < _KEPT:
                column.unread[value] = text
            return value
        return micros * STYLES + _STYLE[reading.style]

    def _instant(self, column: _Column, text: str, reading: Reading) -> int | None:
        sign = reading.sign
        if not sign:
            return reading.at("", column.zone)
        orders = set(reading.days)
        column.fitting[sign] = column.fitting.get(sign, orders) & orders
        if len(set(reading.days.values())) == 1:  # 25/3/2026, or 5/5/2026
            return reading.at(next(iter(reading.days)), column.zone)
        column.doubtful.setdefault(sign, text)
        order = column.used.setdefault(sign, self._order(column, sign))
        return reading.at(order, column.zone) if order in orders else None

    def _order(self, column: _Column, sign: str) -> str:
        """Return the order of dates that may be read in two ways; empty where they are better not read."""
        fitting = column.fitting[sign]
        if len(fitting) == 1:
            return next(iter(fitting))
        if sign == "." and DAY_FIRST in fitting:  # nobody writes the month first with points
            return DAY_FIRST
        if self._dayfirst is not None and fitting:
            wanted = [DAY_FIRST] if self._dayfirst else [MONTH_FIRST, YEAR_FIRST]
            return next((order for order in wanted if order in fitting), "")
        return MONTH_FIRST if fitting == {MONTH_FIRST, DAY_FIRST} else ""


_KEPT = 200_000


def _number(text: str) -> int:
    """Return a number that is the same wherever a text is met."""
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=6).digest(), "big") + 1


_SHOWN = 40
_LONG_WORD = re.compile(r"[^\W\d_]{5,}")


def _shown(text: str) -> str:
    """Return a text that should have been a time; what may be anything else is not shown."""
    is_like_one = (
        len(text) <= _SHOWN and any(sign.isdecimal() for sign in text) and not _LONG_WORD.search(text)
    )
    return text if is_like_one and without_addresses(text) == text else HIDDEN

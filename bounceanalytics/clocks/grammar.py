"""One text -> what it says of a time: the grammar that all loaders and all arguments share.

A text is read whole or not at all. Its parts (date, clock, half of the day, zone, weekday) may stand in any order that
people and programs use; each occurs once, and whatever is none of them makes the text one that is not understood.

References
----------
.. [1] ISO 8601-1:2019; RFC 3339; RFC 9557, a zone in brackets behind a time
.. [2] RFC 5322, sections 3.3 and 4.3
"""

from __future__ import annotations

import datetime as dt
import functools
import re
import unicodedata
import zoneinfo
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from bounceanalytics.clocks.words import Zone, folded, region, words

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SECOND = 1_000_000
DAY = 86_400 * SECOND
_EPOCH = dt.date(1970, 1, 1).toordinal()
#: The first moment that is no zero date in another zone.
EARLIEST = 2 * DAY

FILETIME, TICKS = "100 nanoseconds since 1601 (Windows)", "100 nanoseconds since the year 1 (.NET)"
#: Seconds from the beginning of 1601, and of the year 1, to 1970.
_SINCE_1601, _SINCE_1 = 11_644_473_600, 62_135_596_800
#: Numbers by their size: size, microseconds of one, and what it is called. They are since 1970, seconds from 1973 on,
#: or those of Windows and .NET from 1990 to 2099; as nanoseconds these would be of 1973 to 1990, before any event.
_UNITS = (
    (Decimal(10) ** 8, Decimal(10) ** 10, Decimal(10) ** 6, "seconds since 1970"),
    (Decimal(10) ** 11, Decimal(10) ** 13, Decimal(10) ** 3, "milliseconds since 1970"),
    (Decimal(10) ** 14, Decimal(10) ** 16, Decimal(1), "microseconds since 1970"),
    (Decimal(122_756_256) * 10**9, Decimal(157_469_184) * 10**9, Decimal("0.1"), FILETIME),
    (Decimal(627_667_488) * 10**9, Decimal(662_380_416) * 10**9, Decimal("0.1"), TICKS),
    (Decimal(788_918_400) * 10**9, Decimal(10) ** 19, Decimal(10) ** -3, "nanoseconds since 1970"),
)
_BEFORE = {FILETIME: _SINCE_1601 * SECOND, TICKS: _SINCE_1 * SECOND}
ROUNDED = "numbers that a spreadsheet has rounded"
SERIAL = "serial numbers of a spreadsheet"
ISO, MAIL, NAIVE = "ISO 8601", "RFC 2822", "without a zone"
OTHER, OTHER_NAIVE = "another form, with a zone", "another form, without a zone"
#: Days of a spreadsheet from 1990 to 2099; they count from 30 December 1899, by a leap day that never was.
_SERIALS = (32_874, 73_051)
_SERIAL_ZERO = dt.date(1899, 12, 30).toordinal()

#: Orders of a date of three numbers whose year stands last: which is day and which is month, and with two digits
#: between hyphens perhaps the year first.
MONTH_FIRST, DAY_FIRST, YEAR_FIRST = "month first", "day first", "year first"


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text says of a time.

    Attributes
    ----------
    days : mapping of str to int
        Order of the date -> its day since 1970. The key of a date that has one order only is empty.
    clock : int
        Microseconds of the day.
    zones : tuple of tuple
        The meanings of each zone that is written; none for a time without one.
    style : str
        How it is written.
    sign : str
        What stands between the numbers of a date that may have several orders; empty for others.
    whole_day : bool
        A date without a clock.
    """

    days: Mapping[str, int]
    clock: int = 0
    zones: tuple[tuple[Zone, ...], ...] = ()
    style: str = ISO
    sign: str = ""
    whole_day: bool = False

    def at(self, order: str, zone: str) -> int | None:
        """Return the microseconds since 1970, UTC, with the date in this order; None where meanings disagree."""
        day = self.days.get(order, self.days.get(""))
        if day is None:
            return None
        wall = day * DAY + self.clock
        if not self.zones:
            return _instant(wall, zone)
        found = [{_instant(wall, meaning) for meaning in meanings} for meanings in self.zones]
        common = set.intersection(*found)
        return common.pop() if len(common) == 1 else None


class NoTime:
    """A text that says that there is no time."""


NO_TIME = NoTime()

_BLANKS = re.compile(r"[\s\u00a0]+")
_EASTERN = (
    (re.compile(r"(\d{4})\s*[年년]\s*(\d{1,2})\s*[月월]\s*(\d{1,2})\s*[日일]"), r"\1-\2-\3 "),
    (re.compile(r"(\d{1,2})\s*[時时시]\s*(\d{2})\s*[分분]\s*(\d{2})\s*[秒초]"), r"\1:\2:\3"),
    (re.compile(r"(\d{1,2})\s*[時时시]\s*(\d{2})\s*[分분]"), r"\1:\2"),
)
_NUMBER = re.compile(r"([+-]?)(\d+)(?:[.,](\d*))?(?:[eE]\+?(\d{1,2}))?")
_GROUPED = re.compile(
    r"\d{1,3}(?:,\d{3}){3,}|\d{1,3}(?:\.\d{3}){3,}|\d{1,3}(?: \d{3}){3,}|\d{1,3}(?:'\d{3}){3,}"
)
_ZERO = re.compile(r"0000-00-00(?:[T ]00:00(?::00(?:\.0+)?)?)?Z?|00?/00?/0000.*|1/0/1900(?: 0?0:00(?::00)?)?")


def read(text: str) -> Reading | NoTime | None:
    """Return what a text says of a time, NO_TIME if it says that there is none, None if it is not understood.

    >>> read("Mar 10, 2026 @ 08:00:00.000").style
    'another form, without a zone'
    >>> sorted(read("03/04/2026").days)
    ['day first', 'month first']
    >>> read("2026-03-10 or later") is None
    True
    """
    text = _cleaned(text)
    if len(text) > _LONGEST:
        return None
    text = _OFFSET_IN_PARENTHESES.sub(r"\1", text)
    clock = _PLAIN.search(text)
    if clock is None or _PLAIN.search(text, clock.end()):
        return _read(text)
    # days repeat and minutes do not: what stands around these is read once
    minute, second, fraction = clock.groups()
    whole = _read(f"{text[: clock.start(1)]}{'00:00' if second else '00'}{text[clock.end() :]}")
    if not isinstance(whole, Reading):
        return whole
    micros = (int(minute) * 60 + int(second or 0)) * SECOND + int((fraction or "0")[:6].ljust(6, "0"))
    return Reading(whole.days, whole.clock + micros, whole.zones, whole.style, whole.sign)


_LONGEST = 120
#: As the console of SES writes its zone; behind an offset it is a comment.
_OFFSET_IN_PARENTHESES = re.compile(r"(?<![+-]\d{4} )\(((?:UTC|GMT)[+-]\d\d?(?::?\d\d)?)\)$")
_PLAIN = re.compile(
    r"(?<![0-9:+-])(?:0?[0-9]|1[0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9])(?:[.,:]([0-9]{1,12}))?)?(?![0-9:])"
)
_WRAPPED = re.compile(r"[\"'=/{@\[]|[A-Za-z ]+\(")


@functools.lru_cache(maxsize=16_384)
def _read(text: str) -> Reading | NoTime | None:
    table = words()
    if text.casefold() in table.missing or _ZERO.fullmatch(text):
        return NO_TIME
    if _WRAPPED.match(text):
        for wrapper in table.wrappers:
            if inner := wrapper.match(text):
                return read(next(group for group in inner.groups() if group is not None))
    if _GROUPED.fullmatch(text):
        text = re.sub(r"\D", "", text)
    if number := _NUMBER.fullmatch(text):
        return _number(number)
    return _Scan(text).reading()


def _cleaned(text: str) -> str:
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
        text = "".join(sign for sign in text if unicodedata.category(sign) != "Cf").replace("\u2212", "-")
        text = "".join(str(unicodedata.decimal(sign)) if sign.isdecimal() else sign for sign in text)
        for pattern, plain in _EASTERN:
            text = pattern.sub(plain, text)
    return _BLANKS.sub(" ", text).strip()


# -- numbers


def _number(match: re.Match[str]) -> Reading | NoTime | None:
    sign, whole, fraction, exponent = match.groups()
    digits = whole + (fraction or "")
    value = Decimal(digits).scaleb(int(exponent or 0) - len(fraction or ""))
    if sign == "-" or not value:
        return NO_TIME  # what lies before 1970 is what programs write for no time
    if fraction is None and exponent is None and (calendar := _calendar(whole)):
        return calendar
    if _SERIALS[0] <= value < _SERIALS[1] and exponent is None:
        return _serial(value, len(fraction or ""))
    for least, beyond, micros, style in _UNITS:
        if least <= value < beyond:
            known = len(digits.rstrip("0")) if exponent else len(digits)
            # what a spreadsheet shows as 1.77E+09 has lost its last digits
            rounded = exponent is not None and len(digits) < value.adjusted() + 1 and known < 9
            instant = int((value * micros).to_integral_value()) - _BEFORE.get(style, 0)
            return Reading({"": instant // DAY}, instant % DAY, ((0,),), ROUNDED if rounded else style)
    return None


def _serial(value: Decimal, places: int) -> Reading:
    """Return a spreadsheet's day: to the second where it is written with few digits, else to the millisecond."""
    step = SECOND if places < 8 else 1000
    micros = int((value % 1 * DAY / step).to_integral_value()) * step
    return Reading({"": int(value) + _SERIAL_ZERO - _EPOCH}, micros, style=SERIAL, whole_day=places == 0)


_CALENDAR = re.compile(r"((?:19[7-9]|20\d)\d)(\d\d)(\d\d)(?:(\d\d)(\d\d)(?:(\d\d)(\d{3}|\d{6})?)?)?")


def _calendar(digits: str) -> Reading | None:
    """Return the date that eight, twelve, fourteen or more digits spell."""
    match = _CALENDAR.fullmatch(digits)
    if not match:
        return None
    year, month, day, hour, minute, second, fraction = match.groups()
    days = _day(int(year), int(month), int(day))
    clock = _clock(hour or "0", minute, second, fraction)
    if days is None or clock is None:
        return None
    return Reading({"": days}, clock, style=OTHER_NAIVE, whole_day=hour is None)


# -- texts

_TRIPLE = re.compile(
    r"(\d{1,4})( ?[-/.] ?)(\d{1,2})\2(\d{4}(?!\d)|\d{1,2}(?![\d:]))\.?(?![-/.]\d(?!\d\.\d\d))"
)
_COMPACT = re.compile(r"(\d{4})(\d\d)(\d\d)(?=[Tt _:-]\d|Z|$)")
_WEEK = re.compile(r"(\d{4})-?W(\d\d)-?([1-7])(?!\d)")
_ORDINAL = re.compile(r"(\d{4})-(\d{3})(?![\d-])")
_WORD = r"([^\W\d_]+)\.?"
_DIGITS_OF_YEAR = r"(\d{4}(?!\d)|\d\d(?!\d|[-/.:]\d))"
_JOINT = r"[-/ ,.']*"
_DAY_NAMED = re.compile(
    rf"(\d{{1,2}})(?:st|nd|rd|th|er|º|ª|o(?= ))?\.?{_JOINT}(?:of |de )?{_WORD}{_JOINT}(?:de |del )?{_DIGITS_OF_YEAR}"
)
_MONTH_NAMED = re.compile(rf"{_WORD}{_JOINT}(\d{{1,2}})(?:st|nd|rd|th)?(?:, ?|[-/ ]+){_DIGITS_OF_YEAR}")
_YEAR_NAMED = re.compile(rf"(\d{{4}}){_JOINT}{_WORD}{_JOINT}(\d{{1,2}})(?!\d)")
_NO_YEAR = re.compile(rf"{_WORD} (\d{{1,2}}),?(?= \d{{1,2}}:)")
_YEAR = re.compile(r"(\d{4})(?![\d:])")

_COLONS = re.compile(r"(\d{1,2}):(\d\d)(?::(\d\d)(?:[.,:](\d{1,12}))?)?(?![\d:])")
_HOURS = re.compile(r"(\d{1,2}) ?h ?(\d\d)(?: ?m(?:in)? ?(\d\d) ?s)?(?![\d:])", re.IGNORECASE)
_HOUR = re.compile(r"(\d{1,2})(?= ?[ap]\.? ?m\b)", re.IGNORECASE)
_DOTS = re.compile(r"(\d{1,2})\.(\d\d)(?:\.(\d\d)(?:[.,](\d{1,12}))?)?(?![\d:.])")
_RUN = re.compile(r"(\d\d)(\d\d)(?:(\d\d)(?:[.,]?(\d{1,12}))?|(?<=[Tt]\d{4}))(?![\d:])")
_BARE_HOUR = re.compile(r"(\d\d)(?=Z|[+-]\d\d|$)")

_HALF_SHORT = re.compile(r"[ap](?![\w.])", re.IGNORECASE)
_OFFSET = re.compile(
    r"(?:(?:GMT|UTC|UT|Z) ?)?([+-])(\d{1,2})(?::?(\d\d))?(?::?(\d\d))?(?![\d:.])", re.IGNORECASE
)
_REGION = re.compile(r"[A-Za-z_]+(?:/[A-Za-z0-9_+-]+)+|[A-Z]{3}\d[A-Z]{3}")
_BRACKETS = re.compile(r"\[([^\[\]]*)\]")
_PARENTHESES = re.compile(r"\(([^()]*)\)")
_COMMENT = re.compile(r"[\w .,'\u2019+:&/-]*")
_MONOTONIC = re.compile(r"m=[+-]\d+\.\d+")
_BETWEEN = re.compile(r"[ ,;]+|[Tt](?=\d)|@(?= )|[-_:](?=\d\d)|(?<=[^\W\d_])[.·]|/(?=\d)")
_WEEKDAY = re.compile(r"[^\W\d_]+(?:-feira)?")


@dataclass
class _Scan:
    """Reads a text from left to right; each part that is found takes its place, and no part comes twice."""

    text: str
    place: int = 0
    days: dict[str, int] | None = None
    sign: str = ""
    iso: bool = False
    named: bool = False
    yearless: tuple[int, int] | None = None
    weekday: tuple[int, ...] = ()
    parts: tuple[str, str | None, str | None, str | None] | None = None
    half: str = ""
    offset: int | None = None
    zones: list[tuple[str, tuple[Zone, ...]]] = field(default_factory=list)
    comment: str = ""

    def reading(self) -> Reading | NoTime | None:
        """Return what the text says; None if a part of it says nothing."""
        steps: tuple[Callable[[], bool], ...] = (
            self._date,
            self._half,
            self._time,
            self._zone,
            self._weekday,
            self._filler,
        )
        while self.place < len(self.text):
            if not any(step() for step in steps) and not self._take(_BETWEEN):
                return None
        return self._whole()

    def _take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """Go on behind what stands here, if it is this."""
        match = pattern.match(self.text, self.place)
        if match:
            self.place = match.end()
        return match

    def _date(self) -> bool:
        if self.days is not None:
            return False
        if self.yearless:
            match = _YEAR.match(self.text, self.place) if self.parts else None
            days = _day(int(match[1]), *self.yearless) if match else None
            if not match or days is None:
                return False
            self.days, self.place = {"": days}, match.end()
            return True
        start = self.text[self.place : self.place + 1]
        forms = _NUMBERED if start.isdecimal() else _WORDED if start.isalpha() else ()
        for pattern, make in forms:
            if (match := pattern.match(self.text, self.place)) and make(self, match):
                self.place = match.end()
                return True
        return False

    def _triple(self, match: re.Match[str]) -> bool:
        first, sign, second, last = match.groups()
        one, two, three = int(first), int(second), int(last)
        sign = sign.strip()
        if len(first) == 4:
            days = {"": _day(one, two, three)} if len(last) <= 2 else {}
            self.iso = sign == "-"
        elif len(first) > 2:
            return False
        else:
            year = three if len(last) == 4 else _full(three) if len(last) == 2 else None
            if year is None:
                return False
            days = {MONTH_FIRST: _day(year, one, two), DAY_FIRST: _day(year, two, one)}
            if len(last) == len(first) == 2 and sign == "-":
                days[YEAR_FIRST] = _day(_full(one), two, three)
            self.sign = sign
        found = {order: day for order, day in days.items() if day is not None}
        self.days = found or None
        return bool(found)

    def _compact(self, match: re.Match[str]) -> bool:
        self.iso = True
        return self._one(_day(*map(int, match.groups())))

    def _week(self, match: re.Match[str]) -> bool:
        self.iso = True
        try:
            return self._one(dt.date.fromisocalendar(*map(int, match.groups())).toordinal() - _EPOCH)
        except ValueError:
            return False

    def _ordinal(self, match: re.Match[str]) -> bool:
        self.iso = True
        first = _day(int(match[1]), 1, 1)
        last = _day(int(match[1]), 12, 31)
        if first is None or last is None or not first <= first + int(match[2]) - 1 <= last:
            return False
        return self._one(first + int(match[2]) - 1)

    def _day_named(self, match: re.Match[str]) -> bool:
        day, word, year = match.groups()
        self.named = " " in match[0]
        return self._spelt(year, word, day)

    def _month_named(self, match: re.Match[str]) -> bool:
        word, day, year = match.groups()
        return self._spelt(year, word, day)

    def _year_named(self, match: re.Match[str]) -> bool:
        year, word, day = match.groups()
        return self._spelt(year, word, day)

    def _without_year(self, match: re.Match[str]) -> bool:
        month = words().months.get(folded(match[1]))
        if month is None:
            return False
        self.yearless = month, int(match[2])
        return True

    def _spelt(self, year: str, word: str, day: str) -> bool:
        month = words().months.get(folded(word))
        if month is None:
            return False
        return self._one(_day(int(year) if len(year) == 4 else _full(int(year)), month, int(day)))

    def _one(self, day: int | None) -> bool:
        self.days = None if day is None else {"": day}
        return day is not None

    def _time(self) -> bool:
        if self.parts is not None or not self.text[self.place].isdecimal():
            return False
        before = self.text[self.place - 1 : self.place]
        dated = self.days is not None
        for pattern, allowed in (
            (_COLONS, True),
            (_HOURS, True),
            (_HOUR, True),
            (_DOTS, dated and before not in {"/", "."}),
            (_RUN, dated and self.iso and before in {"T", "t", " ", "_", "-", ":"}),
            (_BARE_HOUR, dated and self.iso and before in {"T", "t"}),
        ):
            if allowed and (match := self._take(pattern)):
                hour, minute, second, fraction = (*match.groups(), None, None, None)[:4]
                self.parts = str(hour), minute, second, fraction
                return True
        return False

    def _half(self) -> bool:
        if self.half:
            return False
        table = words()
        if (match := self._take(table.halves)) or (
            self.parts and self.text[self.place - 1].isdecimal() and (match := self._take(_HALF_SHORT))
        ):
            word = match[0].casefold()
            self.half = "am" if word in table.morning or word == "a" else "pm"
            return True
        return False

    def _zone(self) -> bool:
        if self.parts is None and (self.days is None or self.text[self.place] in " ,"):
            return False
        for pattern, make in _ZONES if self.parts else _ZONES_OF_DAYS:
            if (match := pattern.match(self.text, self.place)) and make(self, match):
                self.place = match.end()
                return True
        return False

    def _offset_behind(self, match: re.Match[str]) -> bool:
        """Take an offset; a second one is what Go prints as the name of a zone that has none."""
        offset = _seconds(match)
        if offset is None or self.offset not in {None, offset}:
            return False
        if self.days is None and self.yearless is None:  # "08:15-09:00 14.03.2026" are two clocks
            return False
        self.offset = offset
        return True

    def _offset_of_day(self, match: re.Match[str]) -> bool:
        # "2026-03-14-05" is no offset
        return match[1] == "+" and match[3] is not None and self._offset_behind(match)

    def _bracketed(self, match: re.Match[str]) -> bool:
        inside = match[1].lstrip("!")
        return inside.startswith("u-ca=") or self._name(inside)

    def _in_parentheses(self, match: re.Match[str]) -> bool:
        """Take a comment: behind an offset it may be any words, else it must be the name of a zone."""
        inside = match[1].strip()
        if self._name(inside):
            return True
        self.comment = inside
        return _COMMENT.fullmatch(inside) is not None

    def _monotonic(self, _: re.Match[str]) -> bool:
        return self.offset is not None

    def _named_zone(self, match: re.Match[str]) -> bool:
        return self._name(match[0])

    def _name(self, name: str) -> bool:
        word = folded(name)
        meanings = words().zones.get(word)
        if meanings is None:
            found = region(name)
            meanings = None if found is None else (found,)
        if meanings is None:
            return False
        self.zones.append((word, meanings))
        return True

    def _weekday(self) -> bool:
        if self.weekday or not (match := _WEEKDAY.match(self.text, self.place)):
            return False
        days = words().weekdays.get(folded(match[0]))
        if days is None:
            return False
        self.weekday, self.place = days, match.end()
        return True

    def _filler(self) -> bool:
        return self._take(words().fillers) is not None

    def _whole(self) -> Reading | NoTime | None:
        if self.days is None or (self.half and self.parts is None) or (self.comment and self.offset is None):
            return None
        clock = _clock(*self.parts, half=self.half) if self.parts else 0
        days = self._ordered()
        first = min(days.values())
        if first + _EPOCH > 0 and str(dt.date.fromordinal(first + _EPOCH)) in words().nodays:
            return NO_TIME
        if clock is None or first < 0:
            return None
        zones = self._zones()
        if zones:
            style = ISO if self.iso and not self.half else MAIL if self.named else OTHER
        else:
            style = NAIVE if self.iso and not self.half else OTHER_NAIVE
        return Reading(days, clock, zones, style, self.sign, whole_day=self.parts is None)

    def _zones(self) -> tuple[tuple[Zone, ...], ...]:
        """Return what each part that names a zone may mean."""
        if self.offset is None:
            return tuple(meanings for _, meanings in self.zones)
        elsewhere = words().elsewhere
        further = tuple(
            (*meanings, *elsewhere.get(word, ())) for word, meanings in self.zones if meanings != (0,)
        )
        return (self.offset,), *further

    def _ordered(self) -> dict[str, int]:
        """Return the orders of the date that its weekday leaves; one that fits none tells nothing."""
        assert self.days is not None  # noqa: S101
        fitting = {order: day for order, day in self.days.items() if (day + 3) % 7 in self.weekday}
        if fitting and len(self.days) > 1:
            return fitting
        return self.days


_NUMBERED: tuple[tuple[re.Pattern[str], Callable[[_Scan, re.Match[str]], bool]], ...] = (
    (_TRIPLE, _Scan._triple),  # noqa: SLF001
    (_WEEK, _Scan._week),  # noqa: SLF001
    (_ORDINAL, _Scan._ordinal),  # noqa: SLF001
    (_COMPACT, _Scan._compact),  # noqa: SLF001
    (_DAY_NAMED, _Scan._day_named),  # noqa: SLF001
    (_YEAR_NAMED, _Scan._year_named),  # noqa: SLF001
)
_WORDED: tuple[tuple[re.Pattern[str], Callable[[_Scan, re.Match[str]], bool]], ...] = (
    (_MONTH_NAMED, _Scan._month_named),  # noqa: SLF001
    (_NO_YEAR, _Scan._without_year),  # noqa: SLF001
)


_ZONES = (
    (_OFFSET, _Scan._offset_behind),  # noqa: SLF001
    (_BRACKETS, _Scan._bracketed),  # noqa: SLF001
    (_PARENTHESES, _Scan._in_parentheses),  # noqa: SLF001
    (_MONOTONIC, _Scan._monotonic),  # noqa: SLF001
    (_REGION, _Scan._named_zone),  # noqa: SLF001
    (words().zone_names, _Scan._named_zone),  # noqa: SLF001
)
#: A day without a clock may have a zone right behind it, as in XML.
_ZONES_OF_DAYS = (
    (_OFFSET, _Scan._offset_of_day),  # noqa: SLF001
    (re.compile("Z$", re.IGNORECASE), _Scan._named_zone),  # noqa: SLF001
)


def _seconds(match: re.Match[str]) -> int | None:
    """Return the offset that is written, in seconds."""
    sign, hours, minutes, seconds = match.groups()
    offset = int(hours) * 3600 + int(minutes or 0) * 60 + int(seconds or 0)
    if offset >= _LARGEST_OFFSET or int(minutes or 0) >= _MINUTES or int(seconds or 0) >= _MINUTES:
        return None
    return -offset if sign == "-" else offset


_LARGEST_OFFSET = 16 * 3600


#: Years behind it are of another calendar, such as 2569 in Thailand; the last of all is "for ever".
_LAST_YEAR, _FOR_EVER = 2200, 9999


def _day(year: int, month: int, day: int) -> int | None:
    if _LAST_YEAR < year < _FOR_EVER:
        return None
    try:
        return dt.date(year, month, day).toordinal() - _EPOCH
    except ValueError:
        return None


def _full(year: int) -> int:
    """Return a year of two digits in full, as POSIX does."""
    return year + (1900 if year >= 69 else 2000)


_TWELVE = 12
_HOURS_A_DAY = 24
_MINUTES = 60


def _clock(
    hour: str, minute: str | None, second: str | None, fraction: str | None, *, half: str = ""
) -> int | None:
    """Return the microseconds of the day; 24:00:00 is the end of it, and a leap second is the next minute's first."""
    h, m, s = int(hour), int(minute or 0), int(second or 0)
    micros = int((fraction or "0")[:6].ljust(6, "0"))
    if half:
        if not 1 <= h <= _TWELVE:
            return None
        h = h % _TWELVE + (_TWELVE if half == "pm" else 0)
    if m >= _MINUTES or s > _MINUTES or h > _HOURS_A_DAY or (h == _HOURS_A_DAY and (m or s or micros)):
        return None
    if s == _MINUTES and (m != _MINUTES - 1 or micros):
        return None
    return ((h * 60 + m) * 60 + s) * SECOND + micros


@functools.lru_cache(maxsize=256)
def _zone_info(name: str) -> zoneinfo.ZoneInfo:
    return zoneinfo.ZoneInfo(name)


def _instant(wall: int, zone: Zone) -> int:
    """Return the instant of a wall clock: of an hour that is skipped, or comes twice, that of standard time."""
    if isinstance(zone, int):
        return wall - zone * SECOND
    if zone == "UTC":
        return wall
    return wall - _offset(zone, wall // _QUARTER) * SECOND


_QUARTER = 900 * SECOND  # since 1970 no zone has moved its clocks at another time than a quarter


@functools.lru_cache(maxsize=65_536)
def _offset(zone: str, quarter: int) -> int:
    time = dt.datetime(1970, 1, 1) + dt.timedelta(seconds=quarter * 900)
    both = (time.replace(tzinfo=_zone_info(zone), fold=fold).utcoffset() for fold in (0, 1))
    return int(min(one.total_seconds() for one in both if one is not None))

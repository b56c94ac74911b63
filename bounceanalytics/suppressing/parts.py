"""Building blocks of the lines of suppression files: a name in a format -> a column of text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from bounceanalytics import schema
from bounceanalytics.cleaning.cells import cell, plus, text_of
from bounceanalytics.errors import FrameError
from bounceanalytics.hashes import hash_addresses, salt_check
from bounceanalytics.knowledge.suppression_files import KINDS
from bounceanalytics.schema import ARROW_STRING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: Columns of a frame of verdicts that the parts are made of.
NEEDED = ("address", "verdict", "reason", "code", "decided_at")

_SECONDS = pa.timestamp("s")
_CONTROLS = r"\x00-\x1f\x7f"


@dataclass(frozen=True, slots=True)
class Entries:
    """Addresses, and the facts about each.

    Attributes
    ----------
    address, kind, reason, code : pyarrow.Array of large_string
        ``kind`` is one of ``formats.KINDS``; nothing is missing.
    time : pyarrow.Array of timestamp
        Whole seconds in UTC; may be missing.
    salt : str
        For hashes.
    """

    address: pa.Array
    kind: pa.Array
    reason: pa.Array
    code: pa.Array
    time: pa.Array
    salt: str

    @classmethod
    def of(cls, verdicts: pd.DataFrame, salt: str) -> Entries:
        """Return the rows of a frame of verdicts as entries."""
        address, reason, code = (text_of(verdicts[name]) for name in ("address", "reason", "code"))
        kind = pc.if_else(pc.is_in(reason, pa.array(KINDS[1:], ARROW_STRING)), reason, KINDS[0])
        try:
            times = pd.to_datetime(verdicts["decided_at"], utc=True, format="ISO8601")
        except (TypeError, ValueError):
            raise FrameError("the column decided_at holds something that is no time") from None
        time = times.dt.tz_localize(None).dt.as_unit("s")
        return cls(address, kind.cast(ARROW_STRING), reason, code, pa.array(time, _SECONDS), salt)

    def where(self, mask: pa.Array) -> Entries:
        """Return those of which the mask is true."""
        address, kind, reason, code, time = (
            column.filter(mask) for column in (self.address, self.kind, self.reason, self.code, self.time)
        )
        return Entries(address, kind, reason, code, time, self.salt)

    def part(self, name: str) -> pa.Array | str:
        """Return a part by its name; what is no name is the text between parts."""
        make = PARTS.get(name)
        return make(self) if make else name


@dataclass(frozen=True, slots=True)
class Unfit:
    """Addresses that a part cannot hold.

    Attributes
    ----------
    pattern : str
        Regular expression that is found in them.
    why : str
        A few words.
    """

    pattern: str
    why: str


#: Part that is an address -> which it cannot hold. A hash can be of any.
UNFIT: Mapping[str, Unfit] = {
    "address": Unfit(rf'[",;\\\s{_CONTROLS}]', "would need quotes"),
    "csv": Unfit(f"[{_CONTROLS}]", "hold control characters"),
    "json": Unfit(f"[{_CONTROLS}]", "hold control characters"),
}


def _csv(entries: Entries) -> pa.Array:
    """Return addresses as cells; unlike other cells they never get an apostrophe, as it would be another address."""
    quoted = plus('"', pc.replace_substring(entries.address, '"', '""'), '"')
    return pc.if_else(pc.match_substring_regex(entries.address, r'[",;\s]'), quoted, entries.address)


def _json(entries: Entries) -> pa.Array:
    return pc.replace_substring_regex(entries.address, r'(["\\])', r"\\\1")


def _is_reply(entries: Entries) -> pa.Array:
    return pc.match_substring_regex(entries.code, r"^[45]\d\d$")


def _error(entries: Entries) -> pa.Array:
    """Return the reason in words, after the enhanced code if there is one."""
    coded = entries.reason.dictionary_encode()
    titles = {name: row.title for name, row in schema.REASONS.items()}
    words = pa.array([titles.get(name, "") for name in coded.dictionary.to_pylist()], ARROW_STRING).take(
        coded.indices
    )
    enhanced = pc.and_not(pc.not_equal(entries.code, ""), _is_reply(entries))
    return cell(pc.if_else(enhanced, plus(entries.code, " ", words), words))


def _written(times: pa.Array, day: str, clock: str) -> pa.Array:
    """Return times as text, empty where missing. Days, and the seconds of a day, are few and written once each."""
    days = pc.floor_temporal(times, unit="day")
    seconds = pc.subtract(times.cast(pa.int64()), days.cast(pa.int64())).cast(_SECONDS)
    texts = []
    for values, form in ((days, day), (seconds, clock)):
        coded = values.dictionary_encode()
        texts.append(pc.strftime(coded.dictionary, form, locale="C").cast(ARROW_STRING).take(coded.indices))
    return pc.fill_null(plus(*texts), "")


PARTS: Mapping[str, Callable[[Entries], pa.Array]] = {
    "address": lambda entries: entries.address,
    "csv": _csv,
    "json": _json,
    "hash": lambda entries: hash_addresses(entries.address, entries.salt),
    "salt": lambda entries: pa.repeat(
        pa.scalar(salt_check(entries.salt), ARROW_STRING), len(entries.address)
    ),
    "why": lambda entries: entries.reason,
    "day": lambda entries: _written(entries.time, "%Y-%m-%d", "T%H:%M:%SZ"),
    "date": lambda entries: cell(_written(entries.time, "%a, %d %b %Y", " %H:%M:%S UTC")),
    "reply": lambda entries: pc.if_else(_is_reply(entries), entries.code, ""),
    "error": _error,
    "list_word": lambda entries: pc.if_else(pc.equal(entries.kind, "complained"), "COMPLAINT", "BOUNCE").cast(
        ARROW_STRING
    ),
}

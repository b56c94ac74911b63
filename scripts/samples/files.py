"""A sample file together with the count of what a reader must find in it."""

from __future__ import annotations

import gzip
import io
import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Row:
    """One row that a record must yield: the event in the package's words, its recipient, what tells copies apart."""

    event: str
    recipient: str
    event_id: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One record of a file and its fate: ``rows``, ``ignored`` (not about mail) or ``rejected`` (broken)."""

    record: Any
    rows: tuple[Row, ...] = ()
    fate: str = "rows"


def ignored(record: Any) -> Entry:
    return Entry(record, fate="ignored")


def rejected(text: str) -> Entry:
    return Entry(text, fate="rejected")


@dataclass(frozen=True, slots=True)
class Sample:
    """A file of the samples: where it goes, what form it has, its bytes before packing and its records."""

    path: str
    form: str
    data: bytes
    entries: tuple[Entry, ...]

    @property
    def packed(self) -> bytes:
        """The bytes as they lie in the folder: the same on every machine that has the same zlib."""
        if not self.path.endswith(".gz"):
            return self.data
        packed = io.BytesIO()
        with gzip.GzipFile(fileobj=packed, mode="wb", filename="", mtime=0, compresslevel=9) as file:
            file.write(self.data)
        return packed.getvalue()

    def counts(self, seen: set[tuple[str, str]]) -> dict[str, Any]:
        """Return the counts; ``seen`` holds the events of the files before this one and is added to."""
        fates = Counter(entry.fate for entry in self.entries)
        rows = [row for entry in self.entries for row in entry.rows]
        repeats = 0
        for row in rows:
            key = (row.event_id, row.recipient)
            repeats += bool(row.event_id) and key in seen
            seen.add(key)
        return {
            "form": self.form,
            "records": len(self.entries),
            "ignored": fates["ignored"],
            "rejected": fates["rejected"],
            "rows": len(rows),
            "events": dict(sorted(Counter(row.event for row in rows).items())),
            "repeats": repeats,
        }


def compact(record: Any) -> str:
    return json.dumps(record, ensure_ascii=False, separators=(",", ":"))


def text_of(entry: Entry) -> str:
    """Return the record as text; broken ones and control lines are text already."""
    return entry.record if isinstance(entry.record, str) else compact(entry.record)


def lines(entries: Iterable[Entry]) -> bytes:
    return "".join(text_of(entry) + "\n" for entry in entries).encode()


def insert(entries: list[Entry], *extra: tuple[float, Entry]) -> list[Entry]:
    """Return the entries with others put in at a share of their length."""
    entries = list(entries)
    for share, entry in sorted(extra, key=lambda pair: -pair[0]):
        entries.insert(int(share * len(entries)), entry)
    return entries

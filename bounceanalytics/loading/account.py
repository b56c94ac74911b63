"""The account of a file, what became of its records, and the batches of rows that were made of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from bounceanalytics.loading.times import NAIVE, ROUNDED, TIME_STYLES, UNREAD

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bounceanalytics.opening.sources import Source


@dataclass
class Account:
    """What became of the records of one file."""

    source: str
    provider: str = ""
    form: str = ""
    records: int = 0
    loaded: int = 0
    ignored: dict[str, int] = field(default_factory=dict)
    rejected: int = 0
    rows: int = 0
    styles: NDArray[np.int64] = field(default_factory=lambda: np.zeros(len(TIME_STYLES), np.int64))
    zone: str = ""  # of its times without one, where the format tells
    unread: str = ""  # the first of its times that is not understood
    assumed: str = ""  # what was assumed of its dates
    nameless: int = 0  # rows without a recipient
    # numbers of some records that lack what their events tell
    hollow: list[NDArray[np.int64]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    cut: bool = False  # more may have been in it than was read

    @property
    def times(self) -> str:
        """How its times were written, the most frequent way first."""
        order = sorted(range(1, len(TIME_STYLES)), key=lambda style: -self.styles[style])
        return "; ".join(TIME_STYLES[style] for style in order if self.styles[style] and style != UNREAD)

    @property
    def row_notes(self) -> list[str]:
        """What is to be said about its rows."""
        if not self.nameless:
            return self.times_notes
        named = "1 event names" if self.nameless == 1 else f"{self.nameless:,} events name"
        return [f"{named} no recipient", *self.times_notes]

    @property
    def times_notes(self) -> list[str]:
        """What is to be said about its times."""
        said = [self.assumed] if self.assumed else []
        if count := self.styles[UNREAD]:
            said.append(
                f"{count:,} times could not be read and are missing, the first of them {self.unread!r}"
            )
        if count := self.styles[ROUNDED]:
            said.append(f"a spreadsheet has rounded {count:,} times; export the file anew if they matter")
        return said

    @property
    def naive(self) -> bool:
        """Whether it has times whose zone nobody told."""
        return bool(self.styles[NAIVE].any()) and not self.zone

    def ignore(self, reason: str, count: int) -> None:
        """Count records that are left out on purpose."""
        self.ignored[reason] = self.ignored.get(reason, 0) + count

    def add(self, other: Account) -> None:
        """Take in the account of another part of the same file."""
        self.records += other.records
        self.rejected += other.rejected
        self.nameless += other.nameless
        self.styles += other.styles
        for reason, count in other.ignored.items():
            self.ignore(reason, count)
        self.provider, self.form = self.provider or other.provider, self.form or other.form
        self.zone, self.unread = self.zone or other.zone, self.unread or other.unread
        self.assumed = self.assumed or other.assumed
        self.notes = list(dict.fromkeys([*self.notes, *other.notes]))
        self.cut |= other.cut

    def forget(self) -> None:
        """Start anew, since the file is read again."""
        self.records = self.loaded = self.rejected = self.rows = self.nameless = 0
        self.ignored.clear()
        self.hollow.clear()
        self.styles[:] = 0
        self.unread = self.assumed = ""


def account_of_source(source: Source) -> Account:
    """Return the account of a file of which nothing has been read."""
    return Account(source.name, notes=list(source.notes), cut=source.cut)


@dataclass(frozen=True)
class Batch:
    """Rows of some files: the event columns, and beside them the key and the record's account."""

    table: pa.Table
    keys: pa.Table  # from copies.keys_of
    account: NDArray[np.int64]  # place of the file in the list of accounts
    record: NDArray[np.int64]

    def kept(self, which: NDArray[np.bool_]) -> Batch:
        """Return some of its rows."""
        mask = pa.array(which)
        return Batch(self.table.filter(mask), self.keys.filter(mask), self.account[which], self.record[which])

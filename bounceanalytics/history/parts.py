"""A history in parts: count in each, add up, finish.

Where addresses are spread over several histories, all events of an address in one of them, what is counted by address
adds up. Counting runs in every part; the counts are added up in the first one, which finishes, and what it found is
handed to the others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bounceanalytics.history.history import MAILBOX_COLUMNS
from bounceanalytics.schema import SENDING_EVENTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bounceanalytics.history.history import History


class Parts:
    """Histories that hold different addresses; a single one is the usual case, and costs nothing more.

    Parameters
    ----------
    parts : iterable of History
        Fresh ones, if they are several.
    """

    def __init__(self, parts: Iterable[History]) -> None:
        self.whole, *self._others = parts

    def __iter__(self) -> Iterator[History]:
        return iter((self.whole, *self._others))

    def gather(self, columns: Iterable[str]) -> None:
        """Add columns to every part, and ``mailboxes``, which are those of all parts."""
        wanted = (*columns, *MAILBOX_COLUMNS)
        for part in self:
            part.gather(wanted)
        if not self._others:
            self.whole.mailboxes()
            return
        self.count("history", "mailbox_counts", "mailbox_counts", sending=SENDING_EVENTS)
        self.finish("history", "mailboxes", "mailboxes")
        for part in self:
            part.once("mailboxes", lambda: None)

    def count(self, folder: str, name: str, *counts: str, **terms: object) -> None:
        """Run an SQL file of the package in every part, and add the tables of counts that it makes in the first one."""
        for part in self:
            part.run(folder, name, **terms)
        for table in counts:
            for other in self._others:
                self.whole.register("counted", other.table(f"FROM {table}"))
                self.whole.database.execute(f"INSERT INTO {table} BY NAME FROM counted")

    def finish(self, folder: str, name: str, *tables: str, **terms: object) -> None:
        """Run an SQL file of the package in the first part, and hand the tables that it makes to the others."""
        self.whole.run(folder, name, **terms)
        self.share(*tables)

    def share(self, *tables: str) -> None:
        """Hand tables of the first part to the others."""
        for table in tables:
            for other in self._others:
                other.register("shared", self.whole.table(f"FROM {table}"))
                other.database.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS FROM shared")

"""Result of detection: the format of a file, and the layout of its records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from bounceanalytics.loading.formats.format import Format

Layout = Literal[
    "lines",
    "log",
    "array",
    "values",
    "csv",
    "mail",
    "xml",
    "bodies",
    "empty",
    "parquet",
    "feather",
    "orc",
    "avro",
]


@dataclass(frozen=True, slots=True)
class Found:
    """Result of detection.

    Attributes
    ----------
    format : Format or None
        None where the file is empty, or no export that is known.
    layout : str
        How its records lie in it.
    nested : bool
        Its values are lists or pages of records.
    indexed : bool
        Its lists became objects with the keys "0", "1" …
    looks : str
        What it looks like, for a message; never holds its content.
    header, delimiter : tuple of str, str
        Of a table, and of a file of addresses alone.
    headless : bool
        The table has no header; the one given is own_exports.
    titles : tuple of str
        The header as it stands in the table, where ``header`` has other names.
    addresses : str
        Title of the column that holds addresses, or path of the field, where there is no format.
    skip, blank : int
        Lines with signs, and without any, before the header.
    wrapped : bool
        Its events lie in something that is not their ESP's, so that they have to be looked for in each record.
    among : bool
        They are values among words.
    container : str
        Key of the list that the records of such a file lie in.
    only : str
        Take events of this ESP alone; of all if empty.
    """

    format: Format | None
    layout: Layout
    looks: str
    nested: bool = False
    indexed: bool = False
    header: tuple[str, ...] = ()
    delimiter: str = ""
    headless: bool = False
    titles: tuple[str, ...] = ()
    addresses: str = ""
    skip: int = 0
    blank: int = 0
    wrapped: bool = False
    among: bool = False
    container: str = ""
    only: str = ""

    @property
    def form(self) -> str:
        """What the table of files calls it."""
        name = self.format.name if self.format else ""
        return f"{name}, wrapped" if self.wrapped and self.layout != "mail" else name

    @property
    def plain(self) -> bool:
        """Whether each line is a record that the engine can read at once."""
        return self.format is not None and self.format.plain and self.layout == "lines" and not self.nested

"""Frames of this package, as pandas has saved them in any form, verdicts included.

Every value is taken as text, so that all forms are read by one query and none of them can say more than another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bounceanalytics import schema
from bounceanalytics.database import literal
from bounceanalytics.loading import stored
from bounceanalytics.loading.detect_tables import with_cells
from bounceanalytics.loading.formats.format import identifier
from bounceanalytics.loading.formats.own_exports import FRAME, INPUTS
from bounceanalytics.loading.found import Found
from bounceanalytics.loading.normalise import ACCOUNT
from bounceanalytics.loading.times import STYLES, time_sql
from bounceanalytics.spreadsheets import MARKED

if TYPE_CHECKING:
    from bounceanalytics.opening.sources import Source

#: What tells that a frame was classified.
_VERDICT = "bounce_type"
#: Columns beside those of the schema: where a row came from, as the frame tells.
OWN_SOURCE, OWN_RECORD = "own_source", "own_record"


def look(source: Source, head: bytes) -> Found | None:
    """Return what a file is that is no text; None if it is text.

    Raises
    ------
    FormatError, MissingExtraError
        If it cannot be read; the message goes on after its name.
    """
    layout = stored.layout_of(source, head)
    if layout is None:
        return None
    header = tuple(title.strip().lower() for title in stored.columns_of(source.path, layout))
    for ours in (FRAME, INPUTS):
        if ours.fits(header):
            return Found(ours, layout, ours.title, header=header)
    shown = tuple(title for title in header if title and "@" not in title)
    looks = f"{stored.title_of(layout)} with the columns {', '.join(shown[:8])}"
    return with_cells(Found(None, layout, looks, header=shown), stored.rows_of(source.path, layout))


# the query


def frame_sql(fields: str, header: tuple[str, ...], *, tolerant: bool, csv: bool = False) -> str:
    """Return the query that turns the texts of a frame into typed columns, beside the account of each record.

    Parameters
    ----------
    fields : str
        A query with a text for each column of a classified frame, and ``file``, ``head`` and ``bad``.
    header : tuple of str
        Columns that are there.
    tolerant : bool
        The query has the columns of :data:`bounceanalytics.loading.normalise.ACCOUNT`, too.
    csv : bool, default False
        The texts come from a CSV file, where an apostrophe stands before what a spreadsheet would take for a formula.
    """
    through = "".join(f", {name}" for name in ACCOUNT) if tolerant else ""
    classified = _VERDICT in header
    columns = schema.BOUNCE_COLUMNS if classified else schema.EVENT_COLUMNS
    told = [
        f"{_typed(column, csv=csv)} AS {identifier(_NAMES.get(column.name, column.name))}"
        for column in columns
    ]
    known = {"event": schema.EVENTS, "provider": schema.PROVIDERS}
    wrong = " ".join(
        f"WHEN {name} IS NULL OR {name} NOT IN ({', '.join(map(literal, words))})"
        f" THEN 'its {name} is none that an event frame has'"
        for name, words in known.items()
    )
    everything = ", ".join(identifier(_NAMES.get(name, name)) for name in schema.EVENT_COLUMNS.names)
    typed = f"""SELECT file, head, bad{through}, CAST(NULL AS VARCHAR) AS ignored, {", ".join(told)},
            CASE WHEN bad IS NOT NULL THEN NULL {wrong} END AS problem
        FROM ({fields})"""
    # the style in which a time was written is no part of it
    return f"""SELECT *, hash('frame', timestamp // {STYLES}, {everything.replace('"timestamp", ', "")}) AS key
        FROM ({typed})"""


_NAMES = {"source": OWN_SOURCE, "record": OWN_RECORD}

#: Lists as earlier versions wrote them into CSV: ['spring' 'news'].
_QUOTED = r"'((?:[^'\\]|\\.)*)'"


def _typed(column: schema.Column, *, csv: bool) -> str:
    """Return SQL for the value of a column, from its text."""
    name = identifier(column.name)
    number = f"TRY_CAST({name} AS DOUBLE)"
    if column.name == "event":
        words = ", ".join(map(literal, schema.EVENTS))
        return f"TRY_CAST({name} AS ENUM({words}))"
    if column.name == "tags":
        pieces = f"to_json(regexp_extract_all({name}, {literal(_QUOTED)}, 1))"
        return f"CASE WHEN {name} LIKE '[''%' THEN CAST({pieces} AS VARCHAR) ELSE nullif({name}, '') END"
    if column.kind == "timestamp":
        return time_sql(name, "UTC")
    if column.kind == "bool":
        return f"coalesce(lower({name}) IN ('true', '1'), false)"
    kinds = {"Int16": "SMALLINT", "Int64": "BIGINT", "int64": "BIGINT", "float64": "DOUBLE"}
    if column.kind in kinds:
        return f"TRY_CAST({number} AS {kinds[column.kind]})"
    text = f"regexp_replace({name}, {literal(MARKED)}, {literal(_WITHOUT)})" if csv else name
    return f"nullif({text}, '')"


_WITHOUT = r"\1"

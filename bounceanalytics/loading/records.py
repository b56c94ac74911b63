"""Numbered records from bytes, read by the engine itself.

Where it stops, or meets a record that it cannot read, :mod:`.tolerant` reads the file again.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from bounceanalytics.database import literal
from bounceanalytics.loading.formats.format import identifier, type_sql

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bounceanalytics.loading.formats.format import Format
    from bounceanalytics.loading.found import Found
    from bounceanalytics.opening.sources import Source

#: Four control characters in a row: no export holds them, so every line is one column to the CSV reader.
_NO_DELIMITER = "\x1f\x1e\x1f\x1e"
_BLANK = " \t\n\r\x0b\x0c"  # a line of these is no record; the tolerant reader counts in the same way
_OBJECT_SIZES = (16 * 1024**2, 1024**3)  # usual and largest size of a single JSON value

#: A folder called key=value is no column of what lies in it, whatever the engine makes of its name.
_NO_HIVE = "hive_partitioning = false"


def native_sql(sources: Sequence[Source], found: Found) -> str:
    """Return a query with ``file`` (its place in ``sources``) and ``text``, read by the engine."""
    paths = ", ".join(literal(source.path) for source in sources)
    packing = sources[0].packing
    if found.layout in {"lines", "log"}:
        rows = (
            f"read_csv([{paths}], columns = {{'text': 'VARCHAR'}}, delim = {literal(_NO_DELIMITER)}, quote = '',"
            f" escape = '', header = false, auto_detect = false, max_line_size = {_OBJECT_SIZES[0]}, {_NO_HIVE},"
            f" compression = '{packing}')"
        )
        return (
            f"SELECT file_index AS file, text FROM {rows}"
            f" WHERE starts_with(text, '{{') OR trim(text, {literal(_BLANK)}) <> ''"
        )
    largest = max(source.size for source in sources) * (1 if packing == "none" else 20)
    limit = min(max(largest, _OBJECT_SIZES[0]), _OBJECT_SIZES[1])
    if found.layout == "array":
        limit = _OBJECT_SIZES[0]
    shape = "array" if found.layout == "array" else "unstructured"
    return (
        f"SELECT file_index AS file, CAST(json AS VARCHAR) AS text FROM read_json_objects([{paths}],"
        f" format = '{shape}', maximum_object_size = {limit}, {_NO_HIVE}, compression = '{packing}')"
    )


def direct_sql(sources: Sequence[Source], found: Found) -> str:
    """Return the query that reads the fields of plain lines at once; a bad line has none of them."""
    fmt = found.format
    assert fmt is not None  # noqa: S101 - for the type checker; files without a format are never read
    columns = {name: type_sql(structure) for name, structure in fmt.structure().items()}
    wanted = ", ".join(f"{literal(name)}: {literal(kind)}" for name, kind in columns.items())
    nothing = " AND ".join(f"{identifier(name)} IS NULL" for name in columns)
    paths = ", ".join(literal(source.path) for source in sources)
    rows = (
        f"SELECT file_index AS file, CASE WHEN {nothing} THEN '' END AS bad, true AS head, {fmt.field_sql('')}"
        f" FROM read_json([{paths}], format = 'newline_delimited', columns = {{{wanted}}}, ignore_errors = true,"
        f" maximum_object_size = {_OBJECT_SIZES[0]}, {_NO_HIVE}, compression = '{sources[0].packing}')"
    )
    return _exploded(fmt, rows)


def fields_sql(found: Found, values: str, *, tolerant: bool) -> str:
    """Return the query that takes the fields of a format out of JSON values.

    ``values`` has ``file`` and ``text``, and the columns of a tolerant reader if ``tolerant``.
    """
    fmt = found.format
    assert fmt is not None  # noqa: S101 - for the type checker; files without a format are never read
    through = ", _offset, _error, _raw" if tolerant else ""
    bad = "bad" if tolerant else "CAST(NULL AS VARCHAR) AS bad"
    records = _records_sql(found, f"SELECT file, text, {bad}{through} FROM ({values})", through)
    rows = f"SELECT file, text, bad{through}, true AS head, {fmt.inner or 'text'} AS record FROM ({records})"
    lone = ""
    if fmt.several:
        lone = ", lone"
        rows = (
            f"SELECT * EXCLUDE (every) REPLACE (generate_subscripts(every, 1) = 1 AS head,"
            f" CAST(unnest(every) AS VARCHAR) AS record), len(every) = 1 AS lone"
            f" FROM (SELECT *, CASE WHEN len({_EVERY}) > 0 THEN {_EVERY} ELSE ['{{}}'] END AS every FROM ({rows}))"
        )
    wanted = literal(json.dumps(fmt.structure()))
    read = f"SELECT file, text, bad{through}, head{lone}, TRY(json_transform(record, {wanted})) AS r FROM ({rows})"
    fields = f"SELECT file, {_bad_sql(found)} AS bad{through}, head{lone}, {fmt.field_sql()} FROM ({read})"
    return _exploded(fmt, fields)


def taken_out_sql(found: Found, values: str) -> str:
    """Return the query that takes the fields of a format out of records that lie open, each a file's record by itself.

    ``values`` has ``file``, ``text``, ``_offset`` and ``_account``, which is what the carrier says.
    """
    fmt = found.format
    assert fmt is not None  # noqa: S101 - for the type checker; files without a format are never read
    wanted = literal(json.dumps(fmt.structure()))
    read = f"SELECT *, TRY(json_transform(text, {wanted})) AS r FROM ({values})"
    carried = f" REPLACE (_account AS {identifier(fmt.carrier)})" if fmt.carrier else ""
    fields = (
        "SELECT file, CASE WHEN r IS NULL THEN '' END AS bad, _offset, CAST(NULL AS VARCHAR) AS _error,"
        f" CAST(NULL AS VARCHAR) AS _raw, true AS head, true AS lone, _account, {fmt.field_sql()} FROM ({read})"
    )
    return _exploded(fmt, f"SELECT * EXCLUDE (_account){carried} FROM ({fields})")


def numbered_sql(source: Source, found: Found) -> str:
    """Return a query with ``number``, from 1, and ``text`` of each record of a file that the engine can read."""
    values = f"SELECT file, text, NULL AS bad FROM ({native_sql([source], found)})"
    return f"SELECT row_number() OVER () AS number, text FROM ({_records_sql(found, values, '')})"


def _records_sql(found: Found, values: str, through: str) -> str:
    """Return the query for a record's text apiece from values that may be lists or pages of them."""
    fmt = found.format
    assert fmt is not None  # noqa: S101
    records = values
    if found.layout == "log":  # what stands before the record is the log's own
        records = _with_text(
            records, f"CASE WHEN {_HAS_OBJECT} THEN substr(text, strpos(text, '{{')) ELSE text END"
        )
    if found.nested:
        items = _items_sql(found)
        records = f"SELECT file, CAST(unnest({items}) AS VARCHAR) AS text, bad{through} FROM ({records})"
    if '"' not in fmt.opens:  # JSON in a JSON text is read all the same, to a depth of two
        for _ in range(2):
            records = _with_text(records, _DECODED)
    return records


_HAS_OBJECT = "contains(text, '{')"
_DECODED = (
    "CASE WHEN starts_with(text, '\"') THEN coalesce(TRY(json_extract_string(text, '$')), text) ELSE text END"
)
# a list of JSON beside one of text would make the engine read the text as JSON, too, and stop where it is not
_EVERY = (
    "CASE WHEN starts_with(ltrim(record), '[')"
    " THEN coalesce(CAST(TRY(json_extract(record, '$[*]')) AS VARCHAR[]), [record])"
    " ELSE [record] END"
)


def _with_text(rows: str, text: str) -> str:
    return f"SELECT * REPLACE ({text} AS text) FROM ({rows})"


def _bad_sql(found: Found) -> str:
    """Return SQL for what a record says that cannot be read; NULL where it can."""
    fmt = found.format
    assert fmt is not None  # noqa: S101
    cases = ["WHEN bad IS NOT NULL THEN bad"]
    # a value that is no object reads as one without fields; inside a wrapper, what is no JSON is a notice
    broken = "r IS NULL"
    if fmt.inner:
        broken += " AND NOT json_valid(text)"
    if found.layout == "log":
        cases.append(f"WHEN NOT {_HAS_OBJECT} THEN NULL")
        broken = "NOT json_valid(text)"
    begins = [f"starts_with(text, {literal(sign)})" for sign in fmt.opens]
    begins += [f"starts_with(ltrim(text, E' \\t\\r\\n'), {literal(sign)})" for sign in fmt.opens]
    cases.append(f"WHEN {broken} OR NOT ({' OR '.join(begins)}) THEN coalesce(text, '')")
    return f"CASE {' '.join(cases)} END"


def _items_sql(found: Found) -> str:
    """Return SQL for the list of records in a value: a list, a page, or a list that became an object."""
    fmt = found.format
    assert fmt is not None  # noqa: S101
    cases = ["WHEN text IS NULL THEN [NULL]"]

    def case(condition: str, path: str) -> None:
        cases.append(
            f"WHEN {condition} THEN coalesce(CAST(TRY(json_extract(text, {literal(path)})) AS VARCHAR[]), [text])"
        )

    if "[" not in fmt.opens:
        case("starts_with(ltrim(text), '[')", "$[*]")
    if found.indexed:
        case(r"""regexp_matches(text, '^\s*\{\s*"\d+"\s*:\s*\{')""", "$.*")
    if fmt.container:
        place = f'$."{fmt.container}"'
        case(f"TRY(json_type(text, {literal(place)})) = 'ARRAY'", place + "[*]")
    return f"CASE {' '.join(cases)} ELSE [text] END"


def _exploded(fmt: Format, rows: str) -> str:
    """Return the query with a row for each recipient (or event) that a record names, at least one."""
    rows = _with_made(fmt, rows)
    if not fmt.explode:
        return rows
    several = f"SELECT *, CASE WHEN bad IS NULL THEN {fmt.explode} END AS several FROM ({rows})"
    other = f"CASE WHEN bad IS NULL THEN {fmt.otherwise} ELSE [NULL] END"
    filled = f"SELECT * REPLACE (CASE WHEN len(several) > 0 THEN several ELSE {other} END AS several) FROM ({several})"
    return (
        "SELECT * EXCLUDE (several) REPLACE (head AND generate_subscripts(several, 1) = 1 AS head),"
        f" unnest(several) AS each FROM ({filled})"
    )


def _with_made(fmt: Format, rows: str) -> str:
    if not fmt.made:
        return rows
    made = ", ".join(f"{sql} AS {identifier(name)}" for name, sql in fmt.made.items())
    return f"SELECT *, {made} FROM ({rows})"


def table_sql(source: Source, found: Found) -> str:
    """Return the query that reads the fields of a format out of a table, by the names of its columns."""
    columns = ", ".join(f"{literal(f'c{place}')}: 'VARCHAR'" for place in range(len(found.header)))
    skip = found.skip + found.blank
    rows = (
        f"read_csv({literal(source.path)}, columns = {{{columns}}}, delim = {literal(found.delimiter)}, quote = '\"',"
        f" escape = '\"', header = {str(not found.headless).lower()}, skip = {skip}, auto_detect = false,"
        f" max_line_size = {_OBJECT_SIZES[0]}, {_NO_HIVE}, compression = '{source.packing}')"
    )
    return table_fields_sql(
        found, f"SELECT 0 AS file, CAST(NULL AS VARCHAR) AS bad, * FROM {rows}", tolerant=False
    )


def table_fields_sql(found: Found, rows: str, *, tolerant: bool) -> str:
    """Return the query that names the fields of rows with ``file``, ``bad`` and columns ``c0``, ``c1`` and so on."""
    fmt = found.format
    assert fmt is not None  # noqa: S101
    if fmt.column:
        place = found.header.index(fmt.column)
        return fields_sql(found, f"SELECT *, c{place} AS text FROM ({rows})", tolerant=tolerant)
    picked = [f"{_first_filled(fmt.places(name, found.header))} AS {identifier(name)}" for name in fmt.fields]
    for name in set(re.findall(r"\w+", fmt.columns.get("recipient", ""))) & fmt.fields.keys():
        twice = fmt.places(name, found.header)
        if len(twice) > 1:
            rows = _without_doubt(rows, twice, (found.titles or found.header)[twice[0]], tolerant=tolerant)
    through = ", _offset, _error, _raw" if tolerant else ""
    return _with_made(fmt, f"SELECT file, true AS head, bad{through}, {', '.join(picked)} FROM ({rows})")


def _first_filled(places: Sequence[int]) -> str:
    """Return the SQL of a field: of several columns of its name, what the first one that is filled says."""
    if len(places) < 2:
        return f"c{places[0]}" if places else "CAST(NULL AS VARCHAR)"
    return f"coalesce({', '.join(map(_filled, places))})"


def _filled(place: int) -> str:
    return f"nullif(trim(c{place}), '')"


def _without_doubt(rows: str, places: Sequence[int], title: str, *, tolerant: bool) -> str:
    """Return rows of which those are bad whose columns of one name hold several addresses."""
    said = ", ".join(f"lower({_filled(place)})" for place in places)
    doubt = f"bad IS NULL AND len(list_distinct([{said}])) > 1"
    error = literal(f"{len(places)} columns are called {title}, and hold different addresses")
    told = f", CASE WHEN {doubt} THEN {error} ELSE _error END AS _error" if tolerant else ""
    shown = "coalesce(_raw, '')" if tolerant else "''"
    return f"SELECT * REPLACE (CASE WHEN {doubt} THEN {shown} ELSE bad END AS bad{told}) FROM ({rows})"


REPEATED = "a repeated header line"


def without_headers(found: Found) -> Format:
    """Return the format of a file, which ignores rows that say the titles of the columns again."""
    fmt = found.format
    assert fmt is not None  # noqa: S101
    titles = found.titles or found.header
    if found.layout != "csv" or found.headless or found.wrapped or fmt.column or not titles:
        return fmt
    said = []
    for name in fmt.fields:
        place = fmt.place(name, found.header)
        if place >= 0:
            title = titles[place].strip().lower()
            said.append(f"lower(trim({identifier(name)})) = {literal(title)}")
    if not said:
        return fmt
    # nearly no row gets further than the first
    again = f"CASE WHEN {said[0]} THEN CASE WHEN {' AND '.join(said)} THEN {literal(REPEATED)} END END"
    return replace(fmt, ignored=again if fmt.ignored == "NULL" else f"coalesce({again}, {fmt.ignored})")


def text_rows_sql(relation: str, titles: Sequence[str]) -> str:
    """Return the query for rows with the columns of a tolerant reader, and every value as text."""
    texts = [_text_sql(identifier(title)) for title in titles]
    columns = ", ".join(f"{text} AS c{number}" for number, text in enumerate(texts))
    raw = f"left(concat_ws(', ', {', '.join(texts)}), 500)"
    return (
        "SELECT 0 AS file, CAST(NULL AS VARCHAR) AS bad, CAST(NULL AS BIGINT) AS _offset,"
        f" CAST(NULL AS VARCHAR) AS _error, {raw} AS _raw, {columns} FROM {relation}"
    )


def _text_sql(column: str) -> str:
    """Return SQL for a value of any type as text: 550.0 is 550, lists are JSON, times with a zone are ISO 8601."""
    return (
        f"CASE typeof({column}) WHEN 'VARCHAR' THEN CAST({column} AS VARCHAR)"
        f" WHEN 'DOUBLE' THEN regexp_replace(nullif(CAST({column} AS VARCHAR), 'nan'), '[.]0$', '')"
        f" WHEN 'FLOAT' THEN regexp_replace(nullif(CAST({column} AS VARCHAR), 'nan'), '[.]0$', '')"
        f" ELSE CASE WHEN ends_with(typeof({column}), '[]') THEN CAST(to_json({column}) AS VARCHAR)"
        f" ELSE CAST({column} AS VARCHAR) END END"
    )

"""Numbered records from bytes, read by the engine itself.

Where it stops, or meets a record that it cannot read, :mod:`.careful` reads the file again.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from bounceanalytics.database import literal
from bounceanalytics.loading.formats.format import identifier, type_sql

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bounceanalytics.loading.formats.format import Form
    from bounceanalytics.loading.found import Found
    from bounceanalytics.opening.sources import Source

#: Four control characters in a row: no export holds them, so every line is one column to the CSV reader.
_NO_DELIMITER = "\x1f\x1e\x1f\x1e"
_BLANK = " \t\n\r\x0b\x0c"  # a line of these is no record; the careful reader counts in the same way
_OBJECT_SIZES = (16 * 1024**2, 1024**3)  # usual and largest size of a single JSON value


def native_sql(sources: Sequence[Source], found: Found) -> str:
    """Return a query with ``file`` (its place in ``sources``) and ``text``, read by the engine."""
    paths = ", ".join(literal(source.path) for source in sources)
    packing = sources[0].packing
    if found.layout in {"lines", "log"}:
        rows = (
            f"read_csv([{paths}], columns = {{'text': 'VARCHAR'}}, delim = {literal(_NO_DELIMITER)}, quote = '',"
            f" escape = '', header = false, auto_detect = false, max_line_size = {_OBJECT_SIZES[0]},"
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
        f" format = '{shape}', maximum_object_size = {limit}, compression = '{packing}')"
    )


def direct_sql(sources: Sequence[Source], found: Found) -> str:
    """Return the query that reads the fields of plain lines at once; a bad line has none of them."""
    form = found.form
    assert form is not None  # noqa: S101 - for the type checker; files without a form are never read
    columns = {name: type_sql(structure) for name, structure in form.structure().items()}
    wanted = ", ".join(f"{literal(name)}: {literal(kind)}" for name, kind in columns.items())
    nothing = " AND ".join(f"{identifier(name)} IS NULL" for name in columns)
    paths = ", ".join(literal(source.path) for source in sources)
    rows = (
        f"SELECT file_index AS file, CASE WHEN {nothing} THEN '' END AS bad, true AS head, {form.field_sql('')}"
        f" FROM read_json([{paths}], format = 'newline_delimited', columns = {{{wanted}}}, ignore_errors = true,"
        f" maximum_object_size = {_OBJECT_SIZES[0]}, compression = '{sources[0].packing}')"
    )
    return _exploded(form, rows)


def fields_sql(found: Found, values: str, *, careful: bool) -> str:
    """Return the query that takes the fields of a form out of JSON values.

    ``values`` has ``file`` and ``text``, and the columns of a careful reader if ``careful``.
    """
    form = found.form
    assert form is not None  # noqa: S101 - for the type checker; files without a form are never read
    through = ", _offset, _error, _raw" if careful else ""
    bad = "bad" if careful else "CAST(NULL AS VARCHAR) AS bad"
    records = f"SELECT file, text, {bad}{through} FROM ({values})"
    if found.layout == "log":  # what stands before the record is the log's own
        records = _with_text(
            records, f"CASE WHEN {_HAS_OBJECT} THEN substr(text, strpos(text, '{{')) ELSE text END"
        )
    if found.nested:
        items = _items_sql(found)
        records = f"SELECT file, CAST(unnest({items}) AS VARCHAR) AS text, bad{through} FROM ({records})"
    if '"' not in form.opens:  # JSON in a JSON text is read all the same, to a depth of two
        for _ in range(2):
            records = _with_text(records, _DECODED)
    rows = f"SELECT file, text, bad{through}, true AS head, {form.inner or 'text'} AS record FROM ({records})"
    lone = ""
    if form.several:
        lone = ", lone"
        rows = (
            f"SELECT * EXCLUDE (every) REPLACE (generate_subscripts(every, 1) = 1 AS head,"
            f" CAST(unnest(every) AS VARCHAR) AS record), len(every) = 1 AS lone"
            f" FROM (SELECT *, CASE WHEN len({_EVERY}) > 0 THEN {_EVERY} ELSE ['{{}}'] END AS every FROM ({rows}))"
        )
    wanted = literal(json.dumps(form.structure()))
    read = f"SELECT file, text, bad{through}, head{lone}, TRY(json_transform(record, {wanted})) AS r FROM ({rows})"
    fields = f"SELECT file, {_bad_sql(found)} AS bad{through}, head{lone}, {form.field_sql()} FROM ({read})"
    return _exploded(form, fields)


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
    form = found.form
    assert form is not None  # noqa: S101
    cases = ["WHEN bad IS NOT NULL THEN bad"]
    # a value that is no object reads as one without fields; inside a wrapper, what is no JSON is a notice
    broken = "r IS NULL"
    if form.inner:
        broken += " AND NOT json_valid(text)"
    if found.layout == "log":
        cases.append(f"WHEN NOT {_HAS_OBJECT} THEN NULL")
        broken = "NOT json_valid(text)"
    begins = [f"starts_with(text, {literal(sign)})" for sign in form.opens]
    begins += [f"starts_with(ltrim(text, E' \\t\\r\\n'), {literal(sign)})" for sign in form.opens]
    cases.append(f"WHEN {broken} OR NOT ({' OR '.join(begins)}) THEN coalesce(text, '')")
    return f"CASE {' '.join(cases)} END"


def _items_sql(found: Found) -> str:
    """Return SQL for the list of records in a value: a list, a page, or a list that became an object."""
    form = found.form
    assert form is not None  # noqa: S101
    cases = ["WHEN text IS NULL THEN [NULL]"]

    def case(condition: str, path: str) -> None:
        cases.append(
            f"WHEN {condition} THEN coalesce(CAST(TRY(json_extract(text, {literal(path)})) AS VARCHAR[]), [text])"
        )

    if "[" not in form.opens:
        case("starts_with(ltrim(text), '[')", "$[*]")
    if found.indexed:
        case(r"""regexp_matches(text, '^\s*\{\s*"\d+"\s*:\s*\{')""", "$.*")
    if form.container:
        place = f'$."{form.container}"'
        case(f"TRY(json_type(text, {literal(place)})) = 'ARRAY'", place + "[*]")
    return f"CASE {' '.join(cases)} ELSE [text] END"


def _exploded(form: Form, rows: str) -> str:
    """Return the query with a row for each recipient (or event) that a record names, at least one."""
    rows = _with_made(form, rows)
    if not form.explode:
        return rows
    several = f"SELECT *, CASE WHEN bad IS NULL THEN {form.explode} END AS several FROM ({rows})"
    other = f"CASE WHEN bad IS NULL THEN {form.otherwise} ELSE [NULL] END"
    filled = f"SELECT * REPLACE (CASE WHEN len(several) > 0 THEN several ELSE {other} END AS several) FROM ({several})"
    return (
        "SELECT * EXCLUDE (several) REPLACE (head AND generate_subscripts(several, 1) = 1 AS head),"
        f" unnest(several) AS each FROM ({filled})"
    )


def _with_made(form: Form, rows: str) -> str:
    if not form.made:
        return rows
    made = ", ".join(f"{sql} AS {identifier(name)}" for name, sql in form.made.items())
    return f"SELECT *, {made} FROM ({rows})"


def table_sql(source: Source, found: Found) -> str:
    """Return the query that reads the fields of a form out of a table, by the names of its columns."""
    columns = ", ".join(f"{literal(f'c{place}')}: 'VARCHAR'" for place in range(len(found.header)))
    rows = (
        f"read_csv({literal(source.path)}, columns = {{{columns}}}, delim = {literal(found.delimiter)}, quote = '\"',"
        f" escape = '\"', header = {str(not found.headless).lower()}, skip = {found.skip}, auto_detect = false,"
        f" max_line_size = {_OBJECT_SIZES[0]}, compression = '{source.packing}')"
    )
    return table_fields_sql(
        found, f"SELECT 0 AS file, CAST(NULL AS VARCHAR) AS bad, * FROM {rows}", careful=False
    )


def table_fields_sql(found: Found, rows: str, *, careful: bool) -> str:
    """Return the query that names the fields of rows with ``file``, ``bad`` and columns ``c0``, ``c1`` and so on."""
    form = found.form
    assert form is not None  # noqa: S101
    if form.column:
        place = found.header.index(form.column)
        return fields_sql(found, f"SELECT *, c{place} AS text FROM ({rows})", careful=careful)
    picked = []
    for name in form.fields:
        place = form.place(name, found.header)
        picked.append(f"{f'c{place}' if place >= 0 else 'CAST(NULL AS VARCHAR)'} AS {identifier(name)}")
    through = ", _offset, _error, _raw" if careful else ""
    return _with_made(form, f"SELECT file, true AS head, bad{through}, {', '.join(picked)} FROM ({rows})")

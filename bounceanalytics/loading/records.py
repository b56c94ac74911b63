"""Bytes -> numbered records.

Clean files are read by the engine itself. Where it stops, or meets a record that it cannot read, the file is read
again with care: a JSON decoder, or a CSV reader, finds where the next good record begins, so that one bad record
never costs another, and can say at which byte the bad one is.
"""

from __future__ import annotations

import csv
import io
import json
import re
import zlib
from gzip import BadGzipFile
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa

from bounceanalytics.loading.forms import identifier, literal, type_sql

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from bounceanalytics.loading.detect import Found
    from bounceanalytics.loading.sources import Source

#: Four control characters in a row: no export holds them, so every line is one column to the CSV reader.
_NO_DELIMITER = "\x1f\x1e\x1f\x1e"
_BATCH = 20_000
_OBJECT_SIZES = (16 * 1024**2, 1024**3)  # usual and largest size of a single JSON value
_TEXT_KEPT = 500


class Span(NamedTuple):
    """A piece of a file: a record, or something that could not be read as one."""

    offset: int
    text: str | None
    error: str | None = None


#: What the careful readers hand to the engine.
SPAN_SCHEMA = pa.schema(
    [
        ("file", pa.int64()),
        ("text", pa.large_string()),
        ("bad", pa.large_string()),
        ("offset", pa.int64()),
        ("error", pa.large_string()),
    ]
)


def native_sql(sources: Sequence[Source], found: Found) -> str:
    """Return a query with ``file`` (its place in ``sources``) and ``text``, read by the engine."""
    paths = ", ".join(literal(source.path) for source in sources)
    packing = "gzip" if sources[0].gzipped else "none"
    if found.layout == "lines":
        rows = (
            f"read_csv([{paths}], columns = {{'text': 'VARCHAR'}}, delim = {literal(_NO_DELIMITER)}, quote = '',"
            f" escape = '', header = false, auto_detect = false, max_line_size = {_OBJECT_SIZES[0]},"
            f" compression = '{packing}')"
        )
        return (
            f"SELECT file_index AS file, text FROM {rows} WHERE starts_with(text, '{{') OR trim(text) <> ''"
        )
    largest = max(source.size for source in sources) * (20 if packing == "gzip" else 1)
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
    return (
        f"SELECT file_index AS file, true AS head, CASE WHEN {nothing} THEN '' END AS bad, {form.field_sql('')}"
        f" FROM read_json([{paths}], format = 'newline_delimited', columns = {{{wanted}}}, ignore_errors = true,"
        f" maximum_object_size = {_OBJECT_SIZES[0]}, compression = '{'gzip' if sources[0].gzipped else 'none'}')"
    )


def fields_sql(found: Found, values: str, *, careful: bool) -> str:
    """Return the query that takes the fields of a form out of JSON values.

    ``values`` has ``file`` and ``text``, and ``bad`` too if ``careful``.
    """
    form = found.form
    assert form is not None  # noqa: S101 - for the type checker; files without a form are never read
    given = "bad" if careful else "CAST(NULL AS VARCHAR) AS bad"
    records = f"SELECT file, text, {given} FROM ({values})"
    if found.nested:
        place = f'$."{form.container}"'
        page = f"TRY(json_extract(text, {literal(place + '[*]')}))" if form.container else "[text]"
        shape = f"TRY(json_type(text, {literal(place)}))" if form.container else "''"
        items = (
            "CASE WHEN text IS NULL THEN [NULL] WHEN starts_with(ltrim(text), '[') THEN"
            " coalesce(TRY(json_extract(text, '$[*]')), [text])"
            f" WHEN {shape} = 'ARRAY' THEN {page} ELSE [text] END"
        )
        records = f"SELECT file, CAST(unnest({items}) AS VARCHAR) AS text, bad FROM ({records})"
    inner = form.inner or "text"
    wanted = literal(json.dumps(form.structure()))
    read = f"SELECT file, text, bad, TRY(json_transform({inner}, {wanted})) AS r FROM ({records})"
    # a value that is no object reads as one without fields; inside a wrapper, what is no JSON is a notice
    broken = "r IS NULL AND NOT json_valid(text)" if form.inner else "r IS NULL"
    stray = f"{broken} OR NOT (starts_with(text, '{{') OR starts_with(ltrim(text), '{{'))"
    spoiled = f"CASE WHEN bad IS NOT NULL THEN bad WHEN {stray} THEN coalesce(text, '') END"
    columns = f"SELECT file, {spoiled} AS bad, r FROM ({read})"
    if not form.explode:
        return f"SELECT file, true AS head, bad, {form.field_sql()} FROM ({columns})"
    each = f"SELECT file, bad, {form.field_sql()} FROM ({columns})"
    several = f"SELECT *, CASE WHEN bad IS NULL THEN {form.explode} END AS several FROM ({each})"
    filled = f"SELECT * REPLACE (CASE WHEN len(several) > 0 THEN several ELSE [NULL] END AS several) FROM ({several})"
    return (
        "SELECT * EXCLUDE (several), generate_subscripts(several, 1) = 1 AS head, unnest(several) AS each"
        f" FROM ({filled})"
    )


def table_sql(source: Source, found: Found) -> str:
    """Return the query that reads the fields of a form out of a table, by the names of its columns."""
    columns = ", ".join(f"{literal(f'c{place}')}: 'VARCHAR'" for place in range(len(found.header)))
    rows = (
        f"read_csv({literal(source.path)}, columns = {{{columns}}}, delim = {literal(found.delimiter)}, quote = '\"',"
        f" escape = '\"', header = true, auto_detect = false, max_line_size = {_OBJECT_SIZES[0]},"
        f" compression = '{'gzip' if source.gzipped else 'none'}')"
    )
    return _table_fields(found, f"SELECT 0 AS file, CAST(NULL AS VARCHAR) AS bad, * FROM {rows}")


def _table_fields(found: Found, rows: str) -> str:
    form = found.form
    assert form is not None  # noqa: S101
    picked = []
    for name, title in form.fields.items():
        place = found.header.index(title) if title in found.header else -1
        picked.append(f"{f'c{place}' if place >= 0 else 'CAST(NULL AS VARCHAR)'} AS {identifier(name)}")
    return f"SELECT file, true AS head, bad, {', '.join(picked)} FROM ({rows})"


# reading with care


def careful_json(
    sources: Sequence[Source], found: Found, bad: Collection[int] | None
) -> Iterator[pa.RecordBatch]:
    """Yield the records of one file as batches of :data:`SPAN_SCHEMA`.

    Parameters
    ----------
    sources : sequence of Source
        One file.
    found : Found
    bad : collection of int or None
        Numbers, from 0, of the lines that are known to be bad; all are looked at if None.
    """
    (source,) = sources
    form = found.form
    markers = form.markers if form else frozenset()
    if found.layout == "lines":
        spans = _careful_lines(source, markers, bad)
    else:
        text, base = _whole_text(source)
        spans = _split(text, base, markers, found.form.container if found.form else "")
    yield from _batches(spans)


def _batches(spans: Iterator[Span]) -> Iterator[pa.RecordBatch]:
    batch: list[Span] = []
    for span in spans:
        batch.append(span)
        if len(batch) >= _BATCH:
            yield _batch(batch)
            batch = []
    yield _batch(batch)


def _batch(spans: list[Span]) -> pa.RecordBatch:
    bad = [(span.text or "")[:_TEXT_KEPT] if span.error else None for span in spans]
    return pa.record_batch(
        [
            pa.array([0] * len(spans), pa.int64()),
            pa.array([None if span.error else span.text for span in spans], pa.large_string()),
            pa.array(bad, pa.large_string()),
            pa.array([span.offset for span in spans], pa.int64()),
            pa.array([span.error for span in spans], pa.large_string()),
        ],
        schema=SPAN_SCHEMA,
    )


def _decoded(raw: bytes) -> str:
    """Return text; bytes that are not UTF-8 come from a program that wrote Windows' Western code page."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace")


def _lines(source: Source) -> Iterator[bytes]:
    with source.open() as stream:
        try:
            yield from stream
        except (EOFError, zlib.error, BadGzipFile):
            return  # a cut archive: what could be unpacked has been given


def _careful_lines(source: Source, markers: frozenset[str], bad: Collection[int] | None) -> Iterator[Span]:
    offset = 0
    number = 0
    run: list[
        bytes
    ] = []  # bad lines that follow one another: perhaps one record that was broken into several
    run_offset = 0
    for raw in _lines(source):
        line = raw.removeprefix(b"\xef\xbb\xbf") if offset == 0 else raw
        if line.strip():
            text = _decoded(line)
            good = _is_value(text) if bad is None else number not in bad
            number += 1
            if good:
                if run:
                    yield from _split(_decoded(b"".join(run)), run_offset, markers, "")
                    run = []
                yield Span(offset, text.strip())
            else:
                if not run:
                    run_offset = offset
                run.append(line)
        offset += len(raw)
    if run:
        yield from _split(_decoded(b"".join(run)), run_offset, markers, "")


def _is_value(text: str) -> bool:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, (dict, list)) and not _SURROGATE.search(text)


def _whole_text(source: Source) -> tuple[str, int]:
    raw = b"".join(_lines(source))
    if raw.startswith(b"\xef\xbb\xbf"):
        return _decoded(raw[3:]), 3
    return _decoded(raw), 0


_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_OPENING = re.compile(r"\{")
_BLANKS = " \t\r\n,"
_STRICT = json.JSONDecoder()
_LENIENT = json.JSONDecoder(strict=False, parse_constant=lambda _: None)


def _decode(text: str, start: int) -> tuple[Any, int, str]:
    """Return a value, where it ends, and its text as strict JSON."""
    try:
        value, end = _STRICT.raw_decode(text, start)
    except ValueError:
        value, end = _LENIENT.raw_decode(text, start)
        return value, end, _rewritten(value)
    piece = text[start:end]
    if _SURROGATE.search(piece) or "NaN" in piece or "Infinity" in piece:
        value, end = _LENIENT.raw_decode(text, start)
        return value, end, _rewritten(value)
    return value, end, piece


def _rewritten(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace").decode("utf-8")


def _split(text: str, base: int, markers: frozenset[str], container: str) -> Iterator[Span]:
    """Yield the JSON values of a text; what lies between them and is no value is an error of its own."""
    at = 0
    offset = base
    inside = False  # within a list that cannot be read as a whole
    while True:
        start = at
        while start < len(text) and text[start] in _BLANKS:
            start += 1
        offset += _length(text[at:start])
        if start >= len(text):
            return
        at = start
        try:
            value, at, piece = _decode(text, start)
            error = "" if isinstance(value, (dict, list)) else "it is no JSON object"
        except (ValueError, RecursionError) as problem:
            piece, error = "", _message(problem, start)
        if not error:
            yield Span(offset, piece)
        elif at > start:
            yield Span(offset, piece, error)
        elif not inside and (opening := _list_opening(container).match(text, start)):
            inside, at = True, opening.end()
        elif inside and text[start] == "]":
            inside, at = False, _end_of_page(text, start)
        else:
            at = _next_record(text, start, markers)
            yield Span(offset, text[start:at].rstrip(_BLANKS)[:_TEXT_KEPT], error)
        offset += _length(text[start:at])


def _length(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def _list_opening(container: str) -> re.Pattern[str]:
    page = rf"\{{(?:[^{{}}\[\]]|\{{[^{{}}]*\}})*?\"{re.escape(container)}\"\s*:\s*\[|" if container else ""
    return re.compile(rf"(?:{page}\[)(?=\s*[\[{{])")


def _end_of_page(text: str, start: int) -> int:
    """Return where the rest of a page ends: what follows its list up to its closing brace, if that can be read."""
    rest = text[start + 1 :].lstrip()
    if not rest.startswith(","):
        blanks = len(text) - start - 1 - len(rest)
        return start + 1 + blanks + (1 if rest.startswith("}") else 0)
    try:
        _, end = _LENIENT.raw_decode("{" + rest[1:])
    except (ValueError, RecursionError):
        return start + 1
    return len(text) - len(rest) + end


def _message(error: Exception, start: int) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"not valid JSON: {error.msg.lower()} at character {error.pos - start + 1:,} of the record"
    return "not valid JSON: nested too deeply"


def _next_record(text: str, start: int, markers: frozenset[str]) -> int:
    """Return where the next record begins: an object with the keys of one, that no key stands before."""
    for match in _OPENING.finditer(text, start + 1):
        before = text[start : match.start()].rstrip()[-1:]
        if before == ":":
            continue
        try:
            value, _ = _LENIENT.raw_decode(text, match.start())
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict) and (markers & value.keys() or not markers):
            bracket = text[start : match.start()].rstrip()
            return (
                start + len(bracket) - 1
                if bracket.endswith("[") and len(bracket) > 1 and _decodes(text, start + len(bracket) - 1)
                else match.start()
            )
    return len(text)


def _decodes(text: str, start: int) -> bool:
    try:
        _LENIENT.raw_decode(text, start)
    except (ValueError, RecursionError):
        return False
    return True


def careful_table(source: Source, found: Found) -> pa.Table:
    """Return the rows of a table that the engine could not read; short and long rows are errors of their own."""
    text, _ = _whole_text(source)
    width = len(found.header)
    columns: list[list[str | None]] = [[] for _ in range(width)]
    bad: list[str | None] = []
    errors: list[str | None] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=found.delimiter)
    next(reader, None)
    for row in reader:
        if not any(cell.strip() for cell in row):
            continue
        wrong = len(row) != width
        bad.append(found.delimiter.join(row)[:_TEXT_KEPT] if wrong else None)
        errors.append(f"it has {len(row):,} columns where the header has {width:,}" if wrong else None)
        for place in range(width):
            columns[place].append(None if wrong else row[place])
    arrays = [pa.array(column, pa.large_string()) for column in columns]
    return pa.table(
        [
            pa.array([0] * len(bad), pa.int64()),
            pa.array(bad, pa.large_string()),
            pa.array(errors, pa.large_string()),
            *arrays,
        ],
        names=["file", "bad", "error", *(f"c{place}" for place in range(width))],
    )


def careful_table_sql(found: Found, name: str) -> str:
    """Return the query over the registered table of :func:`careful_table`."""
    return _table_fields(found, f"SELECT * FROM {identifier(name)}")

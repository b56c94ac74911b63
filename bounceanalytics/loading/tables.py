"""Any sender's own table -> the event frame, by a mapping of our columns to its titles."""

from __future__ import annotations

import contextlib
import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from bounceanalytics import esps
from bounceanalytics.database import literal
from bounceanalytics.errors import FormatError, MissingExtraError
from bounceanalytics.loading import stored
from bounceanalytics.loading.account import Account, account_of_source
from bounceanalytics.loading.finding import check_options, ticker
from bounceanalytics.loading.formats import esp_module
from bounceanalytics.loading.formats.format import Format, tags_sql, words_sql
from bounceanalytics.loading.found import Found
from bounceanalytics.loading.hints import flat
from bounceanalytics.loading.joining import result_of
from bounceanalytics.loading.normalise import NO_ADDRESS
from bounceanalytics.loading.reading import Reader, open_engine, warn_of_damage, warn_of_times
from bounceanalytics.loading.readings import LONGEST, as_copy, readings
from bounceanalytics.loading.records import text_rows_sql
from bounceanalytics.loading.spans import span_batch
from bounceanalytics.loading.tolerant import spans_of
from bounceanalytics.loading.translating.printed import is_ruled
from bounceanalytics.loading.translating.yaml_documents import UnfoldedError
from bounceanalytics.loading.unwrapping.shapes import reshaped
from bounceanalytics.opening.archives import read_up_to
from bounceanalytics.opening.csv import (
    DELIMITERS,
    MOST_COLUMNS,
    before_header,
    separator_line,
    titles,
    too_wide,
)
from bounceanalytics.opening.sources import HEAD_SIZE, open_sources
from bounceanalytics.opening.text import BOM, decoded
from bounceanalytics.privacy import shown_titles
from bounceanalytics.schema import ESPS, EVENT_COLUMNS, EVENTS, STRING
from bounceanalytics.temporary import temporary_folder
from bounceanalytics.wording import in_short

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import duckdb

    from bounceanalytics.loading.account import Batch
    from bounceanalytics.loading.finding import OnError, Progress
    from bounceanalytics.loading.result import Load
    from bounceanalytics.loading.spans import Span
    from bounceanalytics.opening.sources import Source

#: Our column -> SQL for the raw column that it is made of, over the table's field of the same name.
_RAW = {
    "recipient": ("recipient", "recipient"),
    "timestamp": ("time", "timestamp"),
    "message_id": ("message_id", "trim(message_id, '<> ')"),
    "event_id": ("event_id", "event_id"),
    "reply_code": ("reply", "reply_code"),
    "enhanced_code": ("status", "enhanced_code"),
    "diagnostic": ("text", "diagnostic"),
    "remote_host": ("remote_host", "remote_host"),
    "sending_ip": ("sending_ip", "sending_ip"),
    "esp_event": ("esp_event", "esp_event"),
    "esp_type": ("esp_type", "esp_type"),
    "esp_reason": ("esp_reason", "esp_reason"),
    "tags": ("tags", tags_sql("tags")),
    "attempt": ("attempt", "TRY_CAST(TRY_CAST(attempt AS DOUBLE) AS INTEGER)"),
}
MAPPED = ("event", *_RAW)


def read_table(
    source: Any,
    mapping: Mapping[str, str],
    *,
    provider: str | None = None,
    event: str | None = None,
    words: Mapping[str, str] | None = None,
    timezone: str | None = None,
    dayfirst: bool | None = None,
    on_error: OnError = "collect",
    progress: Progress | None = None,
) -> pd.DataFrame:
    r"""Read a table of bounces or events that no loader knows.

    Parameters
    ----------
    source : str, path, bytes, binary file, list of these, or pandas.DataFrame
        CSV (with commas, semicolons, tabs or bars, as Excel makes it too), JSON, Parquet, Feather, ORC, Avro (where
        fastavro is installed) or a workbook (xlsx, xls, ods), packed or not, in any of the places that
        :func:`bounceanalytics.load` takes; or a frame, which is not changed.
    mapping : mapping of str to str
        Our column -> title of the table's column; in JSON, keys joined by dots, as in ``user.mails[0]``.
        ``recipient`` must be among them; the others are ``event``,
        ``timestamp``, ``message_id``, ``event_id``, ``reply_code``, ``enhanced_code``, ``diagnostic``,
        ``remote_host``, ``sending_ip``, ``esp_event``, ``esp_type``, ``esp_reason``, ``tags`` and ``attempt``. Titles
        are compared as they are, else without regard to case and blanks around them.
    provider : {'sendgrid', 'ses', 'mailgun', 'generic'}, optional
        Whose events these are, and whose words the column ``event`` uses; ``generic`` if not given.
    event : str, optional
        What every row is where no column says it, one of ``schema.EVENTS``; ``bounced`` if not given.
    words : mapping of str to str, optional
        Words of the column ``event`` -> ours, before those of the ESP and ours themselves, such as
        ``{"hard": "bounced"}``. A word that nobody knows becomes ``other``; the word itself is in ``esp_event``.
    timezone : str, optional
        Zone of times that are written without one; UTC, with a warning, if not given.
    dayfirst : bool, optional
        Order of dates such as 3/5/2026 where no date of the file (such as 25/3/2026) tells it: the day first, or the
        month. The month, with a note in ``files``, if not given.
    on_error : {'collect', 'raise'}, default 'collect'
        Leave out rows that cannot be read, with a warning, or raise at the first one.
    progress : callable, optional
        Called with a description, the bytes done and the bytes in total.

    Returns
    -------
    pandas.DataFrame
        One row per row of the table, columns of ``schema.EVENT_COLUMNS``. Codes that are not mapped are read in the
        diagnostic. Times are read in any form that ``loading/README.md`` lists; others are
        missing, and a warning says so.

    Raises
    ------
    SourceError
        If there is nothing to read, or it cannot be opened.
    FormatError
        If a table has no such columns, or is not a table; all problems are named at once. If none of the cells that
        should hold recipients is an address.
    ValueError
        If an argument is not one of its values.

    Warns
    -----
    RejectedRecordsWarning, UnreadTimesWarning
        If rows, or times in them, could not be read.

    Examples
    --------
    >>> from bounceanalytics.loading import read_table
    >>> table = b"Email;Reply\nann@example.com;550 5.1.1 no such user\n"
    >>> read_table(table, {"recipient": "email", "diagnostic": "reply"})["enhanced_code"].tolist()
    ['5.1.1']
    """
    load = load_table(
        source,
        mapping,
        provider=provider,
        event=event,
        words=words,
        timezone=timezone,
        dayfirst=dayfirst,
        on_error=on_error,
        progress=progress,
    )
    load.warn(stacklevel=3)
    return load.events


def load_table(
    source: Any,
    mapping: Mapping[str, str],
    *,
    provider: str | None = None,
    event: str | None = None,
    words: Mapping[str, str] | None = None,
    timezone: str | None = None,
    dayfirst: bool | None = None,
    on_error: OnError = "collect",
    progress: Progress | None = None,
) -> Load:
    r"""Read a table of bounces or events, and account for every row; see :func:`read_table`.

    Parameters
    ----------
    source, mapping, provider, event, words, timezone, dayfirst, on_error, progress
        As for :func:`read_table`.

    Returns
    -------
    Load

    Raises
    ------
    SourceError, FormatError, ValueError
        As for :func:`read_table`.

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> ba.load_table(b"Email\nann@example.com\n", {"recipient": "Email"}).files["rows"].tolist()
    [1]
    """
    fmt = _format(mapping, provider or "generic", event or "bounced", words or {})
    check_options(None, on_error, timezone)
    batches: list[Batch] = []
    with temporary_folder() as folder, open_engine() as engine:
        frame = EVENT_COLUMNS.without(*EVENT_COLUMNS.names).bring(source)
        sources = [] if frame is not None else open_sources(source, folder)
        accounts = [account_of_source(one) for one in sources] or [Account("<frame>")]
        reader = Reader(accounts, timezone or "UTC", on_error, engine, dayfirst)
        for account in accounts:
            account.provider, account.form = fmt.provider, fmt.name
        if frame is not None:
            found = _found(fmt, list(map(str, frame.columns)), mapping, "the frame")
            engine.register("given", _texts(frame, found.titles))
            batches += reader.read_rows(0, "the frame", found.found, text_rows_sql('"given"', found.titles))
        total, done = sum(one.size for one in sources), 0
        for place, one in enumerate(sources):
            if progress:
                progress("reading", done, total)
                reader.watch(ticker(progress, "reading", done, one.size, total))
            batches += _read(reader, place, one, fmt, mapping, folder, engine)
            done += one.size
        if progress and sources:
            progress("reading", total, total)
    warn_of_damage(accounts)
    warn_of_times(accounts, timezone)
    load = result_of(reader, batches, deduplicate="event_id" in mapping)
    _refuse_no_addresses(load, mapping["recipient"])
    return load if "timestamp" not in mapping else _with_lost_times(load, mapping["timestamp"])


@dataclass(frozen=True)
class _Table:
    """Result of detection for a table, with the titles of the columns that are read of it."""

    found: Found
    titles: tuple[str, ...]


def _format(mapping: Mapping[str, str], provider: str, event: str, words: Mapping[str, str]) -> Format:
    """Return the format of a table with this mapping; all that is wrong with the arguments is said at once."""
    problems = [
        f"{in_short(name)} is no column of ours that can be mapped" for name in mapping if name not in MAPPED
    ]
    if "recipient" not in mapping:
        problems.append("the mapping must say which column holds the recipient")
    if provider not in {*ESPS, "generic"}:
        problems.append(f"provider is {in_short(provider)}; it must be one of {', '.join(ESPS)}, generic")
    strange = sorted({word for word in (event, *words.values()) if word not in EVENTS})
    if strange:
        problems.append(f"there is no event {', '.join(map(repr, strange))}; events are {', '.join(EVENTS)}")
    if problems:
        raise ValueError("; ".join(problems) + f". Columns that can be mapped: {', '.join(MAPPED)}")
    columns = {raw: sql for name, (raw, sql) in _RAW.items() if name in mapping}
    made_up = [_made_up_sql(name, provider) for name in ("reply_code", "enhanced_code") if name in mapping]
    if made_up:
        said = ["nullif(trim(esp_reason), '')"] if "esp_reason" in mapping else []
        columns["esp_reason"] = f"coalesce({', '.join([*said, *made_up])})"
    if "event" in mapping:
        theirs = esp_module(provider).EVENTS if provider in ESPS else {}
        known = {name: name for name in EVENTS} | dict(theirs)
        known |= {word.strip().lower(): meaning for word, meaning in words.items()}
        columns["event"] = words_sql('trim("event")', known, "'other'")
        columns.setdefault("esp_event", '"event"')
    else:
        columns["event"] = literal(event)
    return Format(
        provider=provider,
        name="table",
        kind="csv",
        needs=("recipient",),
        fields={name: f"c{place}" for place, name in enumerate(mapping)},
        columns=columns,
        key=("event_id",) if "event_id" in mapping else (),
    )


def _made_up_sql(name: str, provider: str) -> str:
    """Return SQL for a number in the place of a reply that is none, since the ESP made it up; NULL for others."""
    number = f"regexp_replace(trim({name}), '[.]0+$', '')"
    own = esps.ESPS[provider].invented_replies if provider in ESPS else ()
    listed = f" OR {number} IN ({', '.join(literal(str(code)) for code in own)})" if own else ""
    return f"CASE WHEN regexp_matches({number}, '^[016-9]\\d\\d$'){listed} THEN {number} END"


def _read(
    reader: Reader,
    place: int,
    source: Source,
    fmt: Format,
    mapping: Mapping[str, str],
    folder: str,
    engine: duckdb.DuckDBPyConnection,
) -> Iterator[Batch]:
    if source.problem:
        reader.accounts[place].notes.append(source.problem)
        return
    head = source.head()
    relation = None
    spans: list[Span] = []
    if (layout := stored.layout_of(source, head)) is not None:
        try:
            titles_, relation = stored.relation_of(source.path, layout, engine)
        except (FormatError, MissingExtraError) as error:
            raise type(error)(f"{source.name} {error}") from None
    elif head.removeprefix(BOM).lstrip()[:1] in {b"{", b"["}:
        try:
            objects = _objects(source, mapping)
        except FormatError:
            objects, spans = _salvaged(source, mapping)
        engine.register("given", objects)
        titles_, relation = objects.column_names, '"given"'
    if relation is not None:
        table = _found(fmt, titles_, mapping, source.name)
        rows = text_rows_sql(relation, table.titles)
        if spans:
            engine.register("spans", span_batch(spans))
            rows = _AT_SPANS.format(rows=rows)
        yield from reader.read_rows(place, source.name, table.found, rows)
        return
    try:
        found = None if is_ruled(decoded(head)) else _found_text(fmt, head, mapping, source.name)
        printed = found is None and bool(decoded(head).strip())
    except FormatError:
        printed = True
    if printed:
        source, found = _printed(source, fmt, mapping, folder)
        reader.accounts[place].notes += source.notes[-1:]
        if found is None:
            yield from _read(reader, place, source, fmt, mapping, folder, engine)
    if found is not None:
        yield from reader.read([(place, source, found)], folder)


def _objects(source: Source, mapping: Mapping[str, str]) -> pa.Table:
    """Return the objects of JSON as a table; what is not asked for may be of any number."""
    return _as_table(_records(source), mapping)


def _as_table(records: Iterable[Mapping[str, Any]], mapping: Mapping[str, str]) -> pa.Table:
    rows = [flat(record) for record in records]
    wanted = {title.strip().lower() for title in map(str, mapping.values())}
    titles = list(dict.fromkeys(title for row in rows for title in row))
    titles = [title for title in titles if title.strip().lower() in wanted] or titles
    columns = [pa.array([_text(row.get(title)) for row in rows], pa.large_string()) for title in titles]
    return pa.table(columns, titles)


def _records(source: Source) -> Iterator[Mapping[str, Any]]:
    """Yield the objects of JSON: of a list, one after another, or of the list that lies in an only object."""
    with source.open() as stream:
        text = stream.read().removeprefix(BOM).decode("utf-8", errors="replace")
    values, end, decoder = list[Any](), 0, json.JSONDecoder(strict=False)
    while (start := _BETWEEN.match(text, end).end()) < len(text):  # type: ignore[union-attr]
        try:
            value, end = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            raise FormatError(f"{source.name} holds damaged JSON behind {len(values):,} values") from None
        values.append(value)
    while len(values) == 1:
        inside = reshaped(values[0])
        if isinstance(inside, dict):
            lists = [
                one for one in inside.values() if isinstance(one, list) and one and isinstance(one[0], dict)
            ]
            inside = (
                lists[0] if len(lists) == 1 and not any("@" in str(one) for one in _plain(inside)) else None
            )
        if not isinstance(inside, list):
            break
        values = inside
    yield from (one for one in values if isinstance(one, dict))


def _salvaged(source: Source, mapping: Mapping[str, str]) -> tuple[pa.Table, list[Span]]:
    """Return the objects among damaged JSON, a row of nothing for each damage, and where each row stands."""
    with source.open() as stream:
        found = [
            (span, None if span.error else json.loads(span.text or "null"))
            for span in spans_of(stream.read())
        ]
    found = [(span, value) for span, value in found if span.error or isinstance(value, dict)]
    objects = _as_table((value or {} for _, value in found), mapping)
    if _places(objects.column_names, mapping)[1]:
        raise FormatError(f"{source.name} is damaged JSON of which no record can be read; export it again")
    return objects, [span for span, _ in found]


_AT_SPANS = """
SELECT spans.* EXCLUDE (text), given_rows.* EXCLUDE (file, bad, _offset, _error, _raw)
FROM spans POSITIONAL JOIN ({rows}) AS given_rows
"""


def _plain(value: Mapping[str, Any]) -> list[Any]:
    return [one for one in value.values() if not isinstance(one, list)]


_BETWEEN = re.compile(r"[\s,]*")


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value) if isinstance(value, (dict, list, bool)) else str(value)


def _printed(
    source: Source, fmt: Format, mapping: Mapping[str, str], folder: str
) -> tuple[Source, Found | None]:
    """Return a text as it is to be read, as JSON (without more) or CSV; what is wrong with it, where it is no table."""
    with source.open() as stream:
        raw = read_up_to(stream, LONGEST)
    try:
        for what, content in readings(decoded(raw.removeprefix(BOM))) if len(raw) < LONGEST else ():
            copy = as_copy(source, content, what, folder)
            with contextlib.suppress(FormatError):
                if content[:1] in b"{[":
                    _checked(_objects(copy, mapping).column_names, mapping, source.name)
                    return copy, None
                return copy, _found_text(fmt, content, mapping, source.name)
    except UnfoldedError:
        raise FormatError(
            f"{source.name} is YAML that unfolds to more than an archive may unpack to"
        ) from None
    return source, _found_text(fmt, raw[:HEAD_SIZE], mapping, source.name)


def _found_text(fmt: Format, head: bytes, mapping: Mapping[str, str], name: str) -> Found | None:
    """Return how a text is cut into columns: by the sign that makes the titles of the mapping out of its first line."""
    text = head.removeprefix(BOM).decode("utf-8", errors="replace")
    if not text.strip():
        return None
    if b"\x00" in head[:4096]:
        raise FormatError(
            f"{name} holds binary data; read_table reads CSV, JSON, Parquet, Feather, ORC, Avro and Excel"
        )
    size, skip, blank = before_header(text)
    separator = separator_line(text[size:])
    line, delimiters = separator or ("", DELIMITERS)
    headers = titles(text[size:].removeprefix(line).partition("\n")[0], delimiters)
    if not headers:
        raise FormatError(f"{name} is no table: its first line cannot be cut into titles")
    best = min(headers, key=lambda sign: (len(_places(headers[sign], mapping)[1]), -len(headers[sign])))
    header = headers[best]
    if len(header) > MOST_COLUMNS:
        raise FormatError(f"{name} is {too_wide(len(header))}")
    places = _checked(header, mapping, name)
    named = ["" for _ in header]
    for number, place in enumerate(places):
        named[place] = named[place] or f"c{number}"
    fields = {field: named[place] for field, place in zip(mapping, places, strict=True)}
    return Found(
        replace(fmt, fields=fields),
        "csv",
        "a table",
        header=tuple(named),
        delimiter=best,
        titles=tuple(header),
        skip=skip + int(separator is not None),
        blank=blank,
    )


def _found(fmt: Format, there: Sequence[str], mapping: Mapping[str, str], name: str) -> _Table:
    """Return what is read of columns that have been found already."""
    places = _checked(there, mapping, name)
    header = tuple(f"c{number}" for number in range(len(places)))
    titles = tuple(there[place] for place in places)
    return _Table(Found(fmt, "csv", "a table", header=header, titles=titles), titles)


def _checked(there: Sequence[str], mapping: Mapping[str, str], name: str) -> list[int]:
    places, problems = _places(there, mapping)
    if problems:
        listed = shown_titles(there, most=30)
        raise FormatError(
            f"{name} cannot be read with this mapping: {'; '.join(problems)}. Its columns: {listed}"
        )
    return places


def _places(there: Sequence[str], mapping: Mapping[str, str]) -> tuple[list[int], list[str]]:
    """Return the place of each mapped title, and the problems of those not found."""
    places, problems = [], []
    plain = [title.strip().lower() for title in there]
    for title in map(str, mapping.values()):
        fitting = [place for place, one in enumerate(there) if one == title]
        fitting = fitting or [place for place, one in enumerate(plain) if one == title.strip().lower()]
        if len(fitting) == 1:
            places.append(fitting[0])
        elif fitting:
            problems.append(f"{len(fitting)} columns are called {in_short(title)}")
        else:
            problems.append(f"there is no column {in_short(title)}")
    return places, problems


def _texts(frame: pd.DataFrame, titles: Sequence[str]) -> pa.Table:
    """Return some columns of a frame for the engine; what is of no one kind becomes text."""
    names = list(map(str, frame.columns))
    arrays = []
    for title in titles:
        column = frame.iloc[:, names.index(title)]
        try:
            arrays.append(pa.array(column, from_pandas=True))
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
            values = [None if _missing(value) else str(value) for value in column]
            arrays.append(pa.array(values, pa.large_string()))
    return pa.table(dict(zip(titles, arrays, strict=True)))


def _missing(value: Any) -> bool:
    return (
        value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and np.isnan(value))
    )


def _refuse_no_addresses(load: Load, title: str) -> None:
    """Raise if none of the cells that should hold recipients is an address."""
    wrong = load.rejects["error"].astype(STRING).str.startswith(NO_ADDRESS)
    if wrong.any() and load.events["recipient"].isna().all():
        raise FormatError(
            f"the column {title!r} holds no addresses: {int(wrong.sum()):,} of {len(load.events) + len(wrong):,} cells"
            " are none; name the column of the recipients in the mapping"
        )


def _with_lost_times(load: Load, title: str) -> Load:
    """Warn where times were to be read and none could be."""
    lost = int(load.events["timestamp"].isna().sum())
    if lost:
        note = f"{lost:,} of {len(load.events):,} rows have no time that can be read in {title!r}"
        load.files["note"] = [f"{one}; {note}" if one else note for one in load.files["note"]]
    return load

"""Normalising, the shared last step of every ESP: raw texts -> the columns of the event frame, in SQL.

References
----------
.. [1] RFC 3463, Enhanced Mail System Status Codes
.. [2] RFC 5321, section 4.2: SMTP Replies
.. [3] RFC 5890, Internationalized Domain Names
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import idna
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bounceanalytics import schema
from bounceanalytics.addresses import domain_of, mailed_to
from bounceanalytics.database import literal
from bounceanalytics.esps import INVENTED_REPLIES
from bounceanalytics.knowledge.rules import mailbox_providers
from bounceanalytics.loading.times import STYLES, time_sql

if TYPE_CHECKING:
    import pandas as pd

    from bounceanalytics.loading.formats.format import Format

# the type word of a DSN's Diagnostic-Code (RFC 3464, section 2.3.6), which is no part of the text
_TYPE_WORD = r"^\s*(?i:smtp|lmtp|esmtp|dns|x-[a-z][a-z0-9-]*)\s*;\s*"

# a local program's exit status is no reply (RFC 3464, 2.3.6): its type word stays before it
_EXIT_STATUS = r"^\s*(?i:x-(?:unix|local|shell|exec|pipe|program)[a-z0-9-]*)\s*;\s*\d"

# a line break and the reply code that each line of a reply repeats, with its enhanced code if it has one
_LINE_BREAK = r"\s*[\r\n]+\s*(?:[245]\d\d[ -])?(?:#?[245]\.\d{1,3}\.\d{1,3}[ ,;:])?\s*"

# A code is not a piece of an IP address, a size, a limit or an id: it opens the text, perhaps after "host … said:",
# or stands where an enhanced code follows, or after a word that announces it.
# A greeting (220) before it is none.
_OPENING = (
    r"^(?:host \S+ (?:said|refused[^:]*): ?)?[\"'(<\[]?(2[013-9]\d|22[1-9]|[45]\d\d)"
    r"(?:[ \-:,;)\]>\"'#]|\.(?:\D|$)|$)"
)
_FOLLOWED = r"(?:^|[^\d.\w@-])([245]\d\d)[ \-]+(?:\(?#?[245]\.\d{1,3}\.\d{1,3}(?:[^\d.]|\.\D|\.?$))"
_ANNOUNCED = (
    r"(?i)(?:said|error|reply|replied|response|responded|answer|returned|server)"
    r"(?: code)?[:=]? ?[\"'(<]?([245]\d\d)(?:[ \-:,;)\"']|$)"
)
_QUOTED = r"(?:^|[^\d.\w])([45]\d\d)-[\"']"

# Nine of ten texts begin with both codes, or with the enhanced one; these are found in one go.
_FRONT = r"^(?:([245]\d\d)[ -])?([245]\.\d{1,3}\.\d{1,3})(?:[^\d.]|$)"

REPLY_PATTERNS = (_OPENING, _FOLLOWED, _ANNOUNCED, _QUOTED)

# Directly behind the reply code any three numbers are an enhanced code; further on only those with a subject of
# RFC 3463 (0-7), since program versions and parts of addresses look alike.
_BEHIND_REPLY = (
    r"^(?:host \S+ (?:said|refused[^:]*): ?)?[\"'(<\[]?[245]\d\d[ \-.:,]+"
    r"\(?#?([245]\.\d{1,3}\.\d{1,3})(?:[^\d.]|\.\D|\.?$)"
)
_AT_START = r"^[\"'(<\[#]*([245]\.\d{1,3}\.\d{1,3})(?:[^\d.]|\.\D|\.?$)"
_ANYWHERE = r"(?:^|[^\d.\w/@-])#?([245]\.[0-7]\.\d{1,3})(?:[^\d.\w-]|\.(?:\D|$)|$)"
ENHANCED_PATTERNS = (_BEHIND_REPLY, _AT_START, _ANYWHERE)

#: What each of the patterns needs, and most texts without a code lack.
_REPLY_GATE = r"[245]\d\d"
_ENHANCED_GATE = r"[245]\.\d{1,3}\."

_ENHANCED_FIELD = r"^([245]\.\d{1,3}\.\d{1,3})(?:\D|$)"
_REPLY_FIELD = r"^\s*([2345]\d\d)(?:\.0+)?\s*$"


def _first(text: str, patterns: tuple[str, ...], gate: str = "") -> str:
    """Return SQL for what the first pattern that matches finds; later ones see only the texts left over.

    No pattern is tried on a text in which ``gate`` does not occur.
    """
    closed = f"WHEN NOT regexp_matches({text}, {literal(gate)}) THEN NULL " if gate else ""
    tries = ", ".join(f"nullif(regexp_extract({text}, {literal(pattern)}, 1), '')" for pattern in patterns)
    return f"CASE WHEN {text} IS NULL OR {text} = '' THEN NULL {closed}ELSE coalesce({tries}, NULL) END"


def _untyped_sql(text: str) -> str:
    """Return SQL for a diagnostic without the type word before it."""
    # a text that begins with a digit has none, and comparing is far cheaper than looking
    return f"""CASE WHEN ({text} >= 'A' OR {text} < '0') AND regexp_matches({text}, {literal(_TYPE_WORD)})
            AND NOT regexp_matches({text}, {literal(_EXIT_STATUS)})
        THEN regexp_replace({text}, {literal(_TYPE_WORD)}, '') ELSE {text} END"""


def _joined_sql(text: str) -> str:
    """Return SQL for a diagnostic in one line; most are so already."""
    joined = f"regexp_replace(trim({text}, E' \\t\\r\\n'), {literal(_LINE_BREAK)}, ' ', 'g')"
    return f"""CASE WHEN contains({text}, chr(10)) OR contains({text}, chr(13)) THEN nullif({joined}, '')
        WHEN starts_with({text}, ' ') OR ends_with({text}, ' ') THEN nullif(trim({text}), '')
        ELSE nullif({text}, '') END"""


def events_sql(fmt: Format, fields: str, *, timezone: str, tolerant: bool = False) -> str:
    """Return the query that turns the fields of a format's records into event columns.

    Parameters
    ----------
    fmt : Format
    fields : str
        A query with a column for each field, and ``file``, ``head`` (this row begins a record) and ``bad`` (what
        the record says, if it could not be read).
    timezone : str
        Zone of times that are written without one, unless the format's own is known.
    tolerant : bool, default False
        The query has the columns of :data:`ACCOUNT`, too.

    Returns
    -------
    str
        A query with ``file``, ``head``, ``bad``, ``ignored``, ``problem``, ``key``, :data:`OWNERS` and the columns of
        the event frame that the format tells something of; the timestamp is what :func:`.times.time_sql` gives.
        :func:`.times.times` and :func:`completed` make the rest of it.
    """
    events = ", ".join(map(literal, schema.EVENTS))
    names = [name for name in fmt.key if name in fmt.fields]
    owners = dict(zip(OWNERS, fmt.accounts, strict=False))
    through = "".join(f', "{name}"' for name in ACCOUNT) if tolerant else ""
    extra = "".join(f", {name} AS key_{name}" for name in names)
    extra += "".join(f", CAST({sql} AS VARCHAR) AS {name}" for name, sql in owners.items())
    told_owners = "".join(f", {name}" for name in owners)
    passed = "".join(f", key_{name}" for name in names) + told_owners
    # a row among several of one record is never left out, or the record would be loaded and ignored at once
    lone = "lone" if fmt.several else "each IS NULL" if fmt.explode else "true"
    ignored = f"CASE WHEN bad IS NULL{' AND lone' if fmt.several else ''} THEN {fmt.ignored} END"
    raw = f"""SELECT file, head, bad{through}, {ignored} AS ignored, {lone} AS single{extra},
        {fmt.raw_sql()} FROM ({fields})"""
    # nearly every text begins with a sign above the blank, which is told faster than by trimming
    either = "CASE WHEN text >= '!' OR trim(text) <> '' THEN text ELSE own_text END"
    said = either if "own_text" in fmt.columns else "text"
    cleaned = f"""SELECT * REPLACE (nullif(recipient, '') AS recipient, {_joined_sql("said")} AS said)
        FROM (SELECT * REPLACE ({_untyped_sql("said")} AS said) FROM (SELECT *, {said} AS said FROM ({raw})))"""
    # what stands in coalesce is only looked at where what stands before it gave nothing
    short = "length(reply) = 3 AND TRY_CAST(reply AS SMALLINT) BETWEEN 200 AND 599"
    reply_field = f"CASE WHEN {short} THEN reply ELSE {_first('reply', (_REPLY_FIELD,))} END"
    reply_status = f"CASE WHEN status[2] <> '.' THEN {_first('status', (_REPLY_FIELD,))} END"
    enhanced_field = f"CASE WHEN status[2] = '.' THEN {_first('trim(status)', (_ENHANCED_FIELD,))} END"
    reply_said = f"nullif(front.reply, ''), {_first('said', REPLY_PATTERNS, _REPLY_GATE)}"
    exact = "CASE WHEN NOT ends_with({0}, '.0.0') THEN {0} END".format
    parsed = f"""SELECT *,
            CASE WHEN front.enhanced <> '' THEN front.enhanced
                ELSE {_first("said", ENHANCED_PATTERNS, _ENHANCED_GATE)} END AS enhanced_said,
            CASE WHEN behind = '' THEN NULL
                WHEN contains(behind, '@') THEN nullif(lower(split_part(behind, '@', -1)), '')
                ELSE lower(behind) END AS domain_said
        FROM (SELECT *, regexp_extract(said, {literal(_FRONT)}, ['reply', 'enhanced']) AS front,
            CASE WHEN contains(recipient, '@') THEN substr(recipient, strpos(recipient, '@') + 1) END AS behind
            FROM ({cleaned}))"""
    given = {
        "event": f"CAST(event AS ENUM({events}))",
        "recipient": """CASE WHEN domain_said IS NULL OR ends_with(recipient, domain_said) THEN recipient
            ELSE left(recipient, length(recipient) - length(domain_said)) || domain_said END""",
        "domain": "domain_said",
        "timestamp": time_sql("time", fmt.zone or timezone),
        "message_id": "nullif(message_id, '')",
        "event_id": "nullif(event_id, '')",
        "reply_code": f"TRY_CAST(coalesce({reply_field}, {reply_said}, {reply_status}) AS SMALLINT)",
        "enhanced_code": f"CASE WHEN enhanced_said = status THEN enhanced_said ELSE coalesce({exact('enhanced_said')},"
        f" {exact(enhanced_field)}, enhanced_said, {enhanced_field}) END",
        "diagnostic": "said",
        "remote_host": "nullif(remote_host, '')",
        "sending_ip": "nullif(sending_ip, '')",
        "esp_event": "nullif(esp_event, '')",
        "esp_type": "nullif(esp_type, '')",
        "esp_reason": "nullif(esp_reason, '')",
        "tags": "tags",
        "attempt": "TRY_CAST(attempt AS SMALLINT)",
        "suspect": "coalesce(suspect, false)",
    }
    # what no field of the format tells is not asked for; the frame gets it afterwards, at no cost
    told = [name for name in given if {name, *_MADE_OF.get(name, ())} & fmt.columns.keys()]
    selected = ", ".join(f"{given[name]} AS {name}" for name in given if name in told or name in _ALWAYS)
    final = f"""SELECT file, head, bad{through}, ignored, single{passed}, {selected}
        FROM ({parsed})"""
    made_up = ", ".join(map(str, INVENTED_REPLIES))
    checked = f"CASE WHEN reply_code NOT IN ({made_up}) THEN reply_code END AS reply_code"
    shown = ", ".join(checked if name == "reply_code" else name for name in told)
    # among events that are known by their keys, one that says nothing else is of another form
    unnamed = "message_id IS NULL AND event_id IS NULL" if fmt.signs else "false"
    nobody = "bad IS NULL AND ignored IS NULL AND single AND recipient IS NULL"
    # a webhook may tell of nobody, while an empty cell in a column of addresses has lost one
    other = literal(_NOBODY) if fmt.kind == "csv" else "NULL"
    nothing = f"CASE WHEN esp_event IS NULL OR ({unnamed}) THEN {literal(_NOTHING)} ELSE {other} END"
    return f"""SELECT file, head, bad{through}, ignored, {shown}, {_key_sql(fmt)} AS key{told_owners},
            CASE WHEN {nobody} THEN {nothing} END AS problem, single
        FROM ({final})"""


#: Columns of the frame -> raw columns that they are made of, where the names differ.
_MADE_OF = {
    "domain": ("recipient",),
    "timestamp": ("time",),
    "reply_code": ("reply", "status", "text"),
    "enhanced_code": ("status", "text"),
    "diagnostic": ("text", "own_text"),
}
#: Columns that keys and checks are made of, whether the format tells them or not.
_ALWAYS = (
    "event",
    "recipient",
    "timestamp",
    "message_id",
    "event_id",
    "esp_event",
    "esp_type",
    "esp_reason",
    "attempt",
)


NO_ADDRESS = "no address: "
_NOBODY = NO_ADDRESS + "the cell is empty"
_NOTHING = "it has neither an address nor an event"


def with_addresses(piece: pa.RecordBatch) -> pa.RecordBatch:
    """Return rows of :func:`events_sql` with the address in ``recipient`` alone; where there is none, as a problem.

    A row among several of one record loses what is no address and stays, since the record was read.
    """
    place = piece.schema.get_field_index("recipient")
    if place < 0:
        return piece
    given = piece.column(place)
    texts, reasons = mailed_to(given)
    changed = None if texts.equals(given) else pc.fill_null(pc.not_equal(texts, given), False)
    if reasons is not None:
        read = pc.and_(piece["bad"].is_null(), piece["ignored"].is_null())
        wrong = pc.and_(reasons.is_valid(), read)
        single = piece["single"] if "single" in piece.schema.names else pa.repeat(True, len(piece))
        told = pc.binary_join_element_wise(
            pa.scalar(NO_ADDRESS, pa.large_string()), reasons, pa.scalar("", pa.large_string())
        )
        problem = pc.if_else(pc.and_(wrong, single), told, piece["problem"].cast(pa.large_string()))
        texts = pc.if_else(pc.and_(wrong, pc.invert(single)), pa.scalar(None, pa.large_string()), texts)
        piece = _with(piece, "problem", problem)
    if changed is not None and pc.any(changed).as_py() and "domain" in piece.schema.names:
        behind = pc.utf8_lower(domain_of(texts))
        domain = pc.if_else(changed, behind, piece["domain"].cast(pa.large_string()))
        local = pc.replace_substring_regex(texts, r"@[^@]*$", "@")
        written = pc.binary_join_element_wise(local, behind, pa.scalar("", pa.large_string()))
        texts = pc.if_else(changed, pc.coalesce(written, texts), texts)
        piece = _with(piece, "domain", domain)
    return _with(piece, "recipient", texts)


def _with(piece: pa.RecordBatch, name: str, values: pa.Array) -> pa.RecordBatch:
    place = piece.schema.get_field_index(name)
    return piece.set_column(place, name, values.cast(piece.schema.field(place).type))


def completed(table: pa.Table, provider: str, moments: pa.Array) -> pa.Table:
    """Return all columns of the event frame but for ``source`` and ``record``."""
    size, columns = len(table), {}
    for column in schema.EVENT_COLUMNS:
        if column.name == "timestamp":
            columns[column.name] = moments
        elif column.name == "provider":
            place = np.full(size, schema.PROVIDERS.index(provider), np.uint8)
            if "provider" in table.column_names:  # of rows that tell it themselves
                places = pc.index_in(
                    table["provider"].combine_chunks(), pa.array(schema.PROVIDERS, table["provider"].type)
                )
                place = pc.fill_null(places, 0).to_numpy().astype(np.uint8)
            columns[column.name] = pa.DictionaryArray.from_arrays(place, pa.array(schema.PROVIDERS))
        elif column.name in table.column_names:
            columns[column.name] = table[column.name]
        elif column.kind == "bool":
            columns[column.name] = pa.repeat(pa.scalar(False), size)
        elif column.name not in {"source", "record"}:
            columns[column.name] = pa.nulls(size, column.arrow)
    own = [
        name for name in table.column_names if name.startswith("own_") or name in schema.VERDICT_COLUMNS.names
    ]
    return pa.table(columns | {name: table[name] for name in own})


#: What a tolerant reader knows about a piece of a file beside its fields.
ACCOUNT = ("_offset", "_error", "_raw")

#: Columns beside the key: what tells the account, each of a kind of its own.
OWNERS = ("owner_1", "owner_2")

#: What stands in the place of an id that somebody has taken out: a word, or signs alone.
_NO_IDS = (
    *(
        "redacted",
        "removed",
        "hidden",
        "masked",
        "anonymized",
        "anonymised",
        "null",
        "none",
        "nan",
        "n/a",
        "na",
        "nil",
    ),
    *("undefined", "unknown", "test"),
)
NO_ID = rf"(?i:[\W_]*(?:{'|'.join(_NO_IDS)})?[\W_]*|[x0*#\W_]+)"

#: Names in ``Format.key`` that are columns or made of some, as SQL; the others are fields.
_KEYS = {
    name: name
    for name in (
        "recipient",
        "event",
        "message_id",
        "event_id",
        "esp_event",
        "esp_type",
        "esp_reason",
        "attempt",
    )
} | {
    # a mail about a message whose headers it lacks has an id of its own
    "message": "coalesce(message_id, event_id)",
    "time": f"timestamp // {STYLES}",
    "day": f"timestamp // {86_400_000_000 * STYLES}",
    # what can happen to a message and recipient more than once
    "again": "CASE WHEN event IN ('opened', 'clicked', 'deferred', 'unsubscribed', 'other')"
    f" THEN timestamp // {STYLES} END",
}


def _key_sql(fmt: Format) -> str:
    """Return SQL for a number that is equal in copies of one event, and missing where the copy cannot be told."""
    if not fmt.key:
        return "CAST(NULL AS UBIGINT)"
    columns = [f"key_{name}" if name in fmt.fields else _KEYS[name] for name in fmt.key]
    told = f"{columns[0]} IS NOT NULL"
    if fmt.key[0] in {"message", "message_id", "event_id"}:
        told += f" AND NOT regexp_full_match({columns[0]}, {literal(NO_ID)})"
    return f"CASE WHEN {told} THEN hash({literal(fmt.provider)}, {', '.join(columns)}) END"


def to_ascii_domains(domains: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return domains in IDNA ASCII form; those that IDNA refuses stay as they are."""
    ascii_already = pc.fill_null(pc.string_is_ascii(domains), True)
    if pc.all(ascii_already).as_py() is not False:
        return domains
    distinct = pc.unique(pc.filter(domains, pc.invert(ascii_already))).to_pylist()
    forms = pa.array([_to_ascii(domain) for domain in distinct], pa.large_string())
    found = pc.index_in(domains, pa.array(distinct, domains.type))
    return pc.coalesce(pc.take(forms, found), domains.cast(pa.large_string()))


def _to_ascii(domain: str) -> str:
    try:
        return idna.encode(domain, uts46=True).decode("ascii")
    except idna.IDNAError:
        return domain


def to_events(table: pa.Table) -> pa.Table:
    """Return a table with domains in IDNA ASCII form and the columns of the event frame in their Arrow types."""
    columns = []
    wanted = _columns_in(table)
    for column in wanted:
        values = table.column(column.name)
        if column.kind == "category" and not pa.types.is_dictionary(values.type):
            values = values.cast(pa.large_string()).dictionary_encode()
        if column.name == "domain":
            values = to_ascii_domains(values)
        columns.append(values if pa.types.is_dictionary(values.type) else values.cast(column.arrow))
    return pa.table(columns, names=wanted.names)


def _columns_in(table: pa.Table) -> schema.Table:
    """Return the columns of a frame: those of a verdict where they are there."""
    there = [column.name for column in schema.VERDICT_COLUMNS if column.name in table.column_names]
    return schema.BOUNCE_COLUMNS.select([*schema.EVENT_COLUMNS.names, *there])


def to_frame(table: pa.Table) -> pd.DataFrame:
    """Return an Arrow table of event columns as the event frame; strings are not copied."""
    frame = _columns_in(table).frame(to_events(table))
    if "mailbox_provider" in frame.columns:  # in the order that the classifier has
        known = [*(row.name for row in mailbox_providers()), "other"]
        others = sorted(set(frame["mailbox_provider"].cat.categories) - set(known))
        frame["mailbox_provider"] = frame["mailbox_provider"].cat.set_categories([*known, *others])
    return frame

"""Verdicts as evidence: what a run tells of each address, in the words of the table ``evidence``.

A verdict is a word on one moment, that of its deciding event. It belongs to a class, and words of different classes do
not speak about each other:

``failed``
    Bounces and the like: to remove, to hold, or to keep in spite of them. A later sign of life clears them.
``complained``, ``unsubscribed``
    Wishes. A run that knows of the same unsubscribe and goes on mailing (the reader came back) takes it back.
``listed``
    Undated entries of an ESP's list.
``manual``
    What somebody has entered by hand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from bounceanalytics import schema
from bounceanalytics.addresses import column_text, domain_of, normal_form
from bounceanalytics.errors import FrameError

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Reasons that are wishes where they remove.
WISHES = ("complained", "unsubscribed")

#: Columns of a frame of verdicts that evidence is made of.
NEEDED = (
    "address", "verdict", "reason", "code", "explanation", "source", "record", "decided_at", "hold_until", "retry_on",
    "review_on", "first_seen", "last_seen", "unsubscribed_at",
    *(f"last_{sign}" for sign in schema.SIGNS_OF_LIFE),
)  # fmt: skip

#: Columns of words, in their order. By the last one of two words on the same one always comes first.
WORDS = {
    "key": "TEXT",
    "class": "TEXT",
    "moment": "INTEGER",
    "known_from": "INTEGER",
    "known_to": "INTEGER",
    "up_to": "INTEGER",
    "weight": "INTEGER",
    "verdict": "TEXT",
    "domain": "TEXT",
    "reason": "TEXT",
    "code": "TEXT",
    "explanation": "TEXT",
    "source": "TEXT",
    "record": "INTEGER",
    "hold_until": "INTEGER",
    "review_on": "INTEGER",
    "content": "TEXT",
}
_CONTENT = ("reason", "code", "source", "record", "explanation", "review_on")

#: How severe words are. A hold weighs as much as the moment of its end, so that of two the longer one does.
REMOVES, WISHED = 1 << 61, 1 << 62
_HOLDS = REMOVES - 1
#: The moment of what has no time, and from when on an address is known of which nobody has told when it was seen.
UNDATED, _NEVER = -1, 1 << 62

_INT, _TEXT = pa.int64(), schema.ARROW_STRING


def read_verdicts(verdicts: pd.DataFrame) -> pa.Table:
    """Return a frame of verdicts with keys, times as microseconds, and the last sign of life.

    Raises
    ------
    FrameError
        If it is none, or an address has more than one verdict.
    """
    verdicts = schema.DECISION_COLUMNS.require(verdicts, NEEDED)
    unknown = set(verdicts["verdict"].astype(schema.STRING).unique()) - set(schema.VERDICTS)
    if unknown:
        names = ", ".join(map(repr, sorted(unknown)))
        raise FrameError(f"verdict holds {names}; it may be {', '.join(schema.VERDICTS)}")
    addresses = normal_form(column_text(verdicts["address"]))
    repeated = len(addresses) - pc.count_distinct(addresses, mode="all").as_py()
    if repeated:
        raise FrameError(f"{repeated:,} addresses have more than one verdict; keep one row for each")
    texts = {name: column_text(verdicts[name]) for name in NEEDED[1:6]}
    times = {
        name: _stored(verdicts[name]) for name in NEEDED if name.endswith(("_at", "_on", "_until", "_seen"))
    }
    held = pc.equal(texts["verdict"], "hold")
    again = pc.min_element_wise(times["hold_until"], times.pop("retry_on"))
    times["review_on"] = pc.if_else(held, pc.coalesce(again, times["review_on"]), times["review_on"])
    signs = {f"last_{sign}": _stored(verdicts[f"last_{sign}"]) for sign in schema.SIGNS_OF_LIFE}
    found = pa.table(
        {
            "key": addresses,
            "domain": pc.fill_null(domain_of(addresses), ""),
            "record": pa.array(verdicts["record"], _INT),
            "last_delivered": signs["last_delivered"],
            **texts,
            **times,
        }
    )
    return found.append_column("alive", _alive(found, signs.values()))


def _alive(told: pa.Table, signs: Iterable[pa.Array]) -> pa.ChunkedArray:
    """Return the last sign of life that counts: where a failure stands after it, its policy did not count it."""
    failed = pc.and_(pc.not_equal(told["verdict"], "keep"), pc.invert(_wished(told)))
    counted = [
        pc.if_else(_true(pc.and_(failed, pc.greater(sign, told["decided_at"]))), pa.scalar(None, _INT), sign)
        for sign in signs
    ]
    return pc.max_element_wise(*counted)


def evidence_of(told: pa.Table) -> pa.Table:
    """Return the words of a run, as rows of the table ``evidence``; those that keep only where they contradict."""
    wished, keeps = _wished(told), pc.equal(told["verdict"], "keep")
    undated = pc.is_null(told["decided_at"])
    # who was alive and is held or removed all the same for something undated stands on a list
    listed = pc.and_(undated, pc.or_(pc.equal(told["verdict"], "remove"), pc.is_valid(told["alive"])))
    kind = pc.if_else(wished, told["reason"], pc.if_else(listed, "listed", "failed"))
    weight = pc.if_else(
        keeps,
        0,
        pc.if_else(
            wished,
            WISHED,
            pc.if_else(
                pc.equal(told["verdict"], "remove"), REMOVES, pc.fill_null(told["hold_until"], _HOLDS)
            ),
        ),
    )
    # what was kept in spite of a failure contradicts who thinks otherwise of it; after a sign of life nobody does
    failed = pc.and_(
        pc.is_valid(told["reason"]), pc.invert(_true(pc.is_in(told["reason"], pa.array(WISHES, _TEXT))))
    )
    spoken = pc.and_(failed, pc.invert(pc.or_(undated, _true(pc.greater(told["alive"], told["decided_at"])))))
    facts = told.append_column("class", kind).append_column("weight", pc.cast(weight, _INT))
    facts = facts.append_column("moment", pc.fill_null(told["decided_at"], UNDATED))
    words = [facts.filter(pc.or_(pc.invert(keeps), spoken))]
    # who is mailed although the run knows of an unsubscribe has come back since
    back = facts.filter(pc.and_(pc.is_valid(told["unsubscribed_at"]), pc.invert(wished)))
    words.append(_kept(back, "unsubscribed", back["unsubscribed_at"]))
    found = pa.concat_tables(words)
    up_to = pc.fill_null(pc.max(told["last_seen"]), UNDATED)
    dated = pc.equal(found["class"], "failed")
    columns = {
        "known_from": pc.if_else(dated, pc.fill_null(found["first_seen"], _NEVER), UNDATED),
        "known_to": pc.fill_null(found["last_seen"], UNDATED),
        "up_to": pa.repeat(up_to, len(found)),
    }
    for name, values in columns.items():
        found = found.append_column(name, values)
    return _with_content(found)


def _with_content(words: pa.Table) -> pa.Table:
    """Return the columns of words, with their content, as the table ``evidence`` spells it."""
    texts = [pc.fill_null(pc.cast(words[name], _TEXT), "") for name in _CONTENT]
    content = pc.binary_join_element_wise(*texts, pa.scalar("\x1f", _TEXT))
    return words.append_column("content", content).select(list(WORDS))


def _kept(told: pa.Table, kind: str, moment: pa.ChunkedArray) -> pa.Table:
    """Return the rows as words that keep in spite of something else than their own reason."""
    values = {
        "class": pa.scalar(kind, _TEXT),
        "verdict": pa.scalar("keep", _TEXT),
        "weight": pa.scalar(0, _INT),
        "moment": moment,
    } | {name: pa.scalar(None, _TEXT) for name in ("reason", "code", "explanation", "source")}
    for name, value in values.items():
        column = value if isinstance(value, pa.ChunkedArray) else pa.repeat(value, len(told))
        told = told.set_column(told.schema.get_field_index(name), name, column)
    return told


def evidence_by_hand(
    keys: pa.Array, addresses: pa.Array, moment: int, reason: str, why: str, until: int | None
) -> pa.Table:
    """Return what somebody enters: to remove, or to hold for some time."""
    given: dict[str, str | int | None] = {
        "class": "manual",
        "moment": moment,
        "known_from": UNDATED,
        "known_to": moment,
        "up_to": moment,
        "verdict": "remove" if until is None else "hold",
        "reason": reason,
        "code": None,
        "explanation": why,
        "source": None,
        "record": None,
        "hold_until": until,
        "review_on": until,
    }
    removes = WISHED if reason in WISHES else REMOVES
    columns = {"key": keys, "domain": pc.fill_null(domain_of(addresses), "")}
    columns |= {name: _repeated(value, len(keys)) for name, value in given.items()}
    columns["weight"] = _repeated(removes if until is None else until, len(keys))
    return _with_content(pa.table(columns))


def domains_of(told: pa.Table) -> pa.Table:
    """Return when each domain had no room, and when it last took mail, whoever it was."""
    full = _true(pc.and_(pc.not_equal(told["verdict"], "keep"), pc.equal(told["reason"], "system_full")))
    times = told.select(["domain", "last_delivered"]).append_column(
        "full", pc.if_else(full, told["decided_at"], pa.scalar(None, _INT))
    )
    found = (
        times.append_column("is_full", full)
        .group_by("domain")
        .aggregate([("full", "min"), ("full", "max"), ("last_delivered", "max"), ("is_full", "any")])
    )
    some = pc.or_(found["is_full_any"], pc.is_valid(found["last_delivered_max"]))
    columns = ["domain", "full_min", "full_max", "last_delivered_max", "is_full_any"]
    return found.filter(some).select(columns).sort_by("domain")


def _wished(told: pa.Table) -> pa.ChunkedArray:
    wishes = pc.is_in(told["reason"], pa.array(WISHES, _TEXT))
    return _true(pc.and_(pc.equal(told["verdict"], "remove"), wishes))


def _repeated(value: str | int | None, count: int) -> pa.Array:
    return pa.repeat(pa.scalar(value, _INT if isinstance(value, int) else _TEXT), count)


def _true(values: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.fill_null(values, False)


def _stored(values: pd.Series) -> pa.Array:
    """Return times as microseconds since 1970."""
    try:
        times = pa.array(pd.to_datetime(values, utc=True), schema.ARROW_TIME)
    except (TypeError, ValueError):
        raise FrameError(f"{values.name} must hold times, as decide() makes them") from None
    return times.cast(_INT)

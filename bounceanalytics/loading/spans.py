"""Spans of a file: records, and the unreadable bytes between them.

Whatever the engine cannot read by itself (mails, XML, form bodies, damaged JSON) is cut into spans, and the engine goes
on from there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_BATCH = 20_000
TEXT_KEPT = 500


class Span(NamedTuple):
    """A piece of a file: a record, or something that could not be read as one.

    Attributes
    ----------
    offset : int
        Where it begins, in bytes of the unpacked file.
    text : str or None
        The record as strict JSON; of something unreadable, its first 500 characters.
    error : str or None
        Why it cannot be read; None for a record.
    """

    offset: int
    text: str | None
    error: str | None = None


#: What the engine is handed: ``text`` of a record, or ``bad`` and ``error`` of what could not be read.
SPAN_SCHEMA = pa.schema(
    [
        ("file", pa.int64()),
        ("text", pa.large_string()),
        ("bad", pa.large_string()),
        ("_offset", pa.int64()),
        ("_error", pa.large_string()),
        ("_raw", pa.large_string()),  # the first characters of either
    ]
)


def batches(spans: Iterable[Span]) -> Iterator[pa.RecordBatch]:
    """Yield spans as batches of :data:`SPAN_SCHEMA`, at least one."""
    batch: list[Span] = []
    for span in spans:
        batch.append(span)
        if len(batch) >= _BATCH:
            yield span_batch(batch)
            batch = []
    yield span_batch(batch)


def span_batch(spans: list[Span], raw: list[str] | None = None) -> pa.RecordBatch:
    """Return spans as a batch, with the first characters of each if they are not those of its text."""
    raw = raw or [(span.text or "")[:TEXT_KEPT] for span in spans]
    bad = [text if span.error else None for span, text in zip(spans, raw, strict=True)]
    return pa.record_batch(
        [
            pa.array([0] * len(spans), pa.int64()),
            pa.array([None if span.error else span.text for span in spans], pa.large_string()),
            pa.array(bad, pa.large_string()),
            pa.array([span.offset for span in spans], pa.int64()),
            pa.array([span.error for span in spans], pa.large_string()),
            pa.array(raw, pa.large_string()),
        ],
        schema=SPAN_SCHEMA,
    )

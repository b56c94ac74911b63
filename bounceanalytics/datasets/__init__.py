"""Frames that lie on disk: a folder of Parquet files with one schema, read in pieces or whole.

A dataset is a folder with a part for each month (``month=2025-09/part-00001.parquet``), or for each share of the
addresses where several machines made it (``partition=07/part-00001.parquet``), and a folder ``_state`` with the account
of what went into it. Any program that reads Parquet can read it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bounceanalytics.datasets.dataset import Dataset, as_dataset, as_frame, identity_of, pinned
from bounceanalytics.datasets.state import (
    KINDS,
    NO_MONTH,
    STATE,
    alone,
    content_of,
    damaged,
    is_dataset,
    note_of,
    read_about,
    read_note,
    replaced,
    unreadable,
    write_about,
)
from bounceanalytics.datasets.writing import Part, check_room, folder_of, room_for, write_dataset

if TYPE_CHECKING:
    from bounceanalytics.datasets.dataset import Frame as Frame

__all__ = [
    "KINDS",
    "NO_MONTH",
    "STATE",
    "Dataset",
    "Part",
    "alone",
    "as_dataset",
    "as_frame",
    "check_room",
    "content_of",
    "damaged",
    "folder_of",
    "identity_of",
    "is_dataset",
    "note_of",
    "pinned",
    "read_about",
    "read_note",
    "replaced",
    "room_for",
    "unreadable",
    "write_about",
    "write_dataset",
]

"""Verdicts matched to a list's addresses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from bounceanalytics import schema
from bounceanalytics.addresses import column_text, fold, normal_form
from bounceanalytics.cleaning.cells import plus, text_of
from bounceanalytics.cleaning.lookup import Lookup, hash_texts
from bounceanalytics.cleaning.result import HELD, KEPT, REMOVED
from bounceanalytics.errors import FrameError
from bounceanalytics.schema import ARROW_STRING, ARROW_TIME

if TYPE_CHECKING:
    import duckdb
    from numpy.typing import NDArray

#: What a verdict on one address means for its rows.
PART_OF = {"keep": KEPT, "remove": REMOVED, "hold": HELD}

#: What is written behind a row.
EVIDENCE = ("reason", "code", "decided_at", "explanation", "source", "record")
NEEDED = ("address", "verdict", *EVIDENCE)
_SLICE = 100_000  # verdicts looked at at a time: memory for the steps between is small

_AGREE = "By an address that differs only in what was asked to be passed over. "
_DISAGREE = "Held: addresses that differ only in what was asked to be passed over disagree. One of them: "


@dataclass(frozen=True, slots=True)
class Fold:
    """Differences that are passed over where two addresses are compared; none unless asked for."""

    subaddresses: bool = False
    gmail_dots: bool = False

    def __bool__(self) -> bool:
        return self.subaddresses or self.gmail_dots

    def __call__(self, addresses: pa.Array) -> pa.Array:
        """Return addresses in folded form."""
        return fold(addresses, subaddresses=self.subaddresses, gmail_dots=self.gmail_dots)


@dataclass(frozen=True, slots=True)
class Verdicts:
    """Verdicts that were checked, as little of them as cleaning needs.

    Attributes
    ----------
    addresses : pyarrow.ChunkedArray of large_string
        In normal form.
    parts : numpy.ndarray of int8
        Which part each sends its rows to.
    against : pyarrow.Table
        Columns of ``EVIDENCE`` for those that do not keep, in their order.
    """

    addresses: pa.ChunkedArray
    parts: NDArray[np.int8]
    against: pa.Table


@dataclass(frozen=True, slots=True)
class Match:
    """Outcomes of some addresses.

    Attributes
    ----------
    part : numpy.ndarray of int8
    evidence : numpy.ndarray of int32
        Number of the row of ``Matcher.against``; else -1.
    known : numpy.ndarray of bool
        Whether there is any verdict.
    folded : int
        How many were found only in folded form.
    hashes : numpy.ndarray of uint64
        Equal for equal addresses.
    """

    part: NDArray[np.int8]
    evidence: NDArray[np.int32]
    known: NDArray[np.bool_]
    folded: int
    hashes: NDArray[np.uint64]


def checked_verdicts(frame: pd.DataFrame) -> Verdicts:
    """Return the verdicts of a frame, which may have been edited elsewhere.

    Raises
    ------
    FrameError
        If columns are missing, hold something else, or an address has more than one verdict.
    """
    frame = schema.DECISION_COLUMNS.require(frame, NEEDED)
    words = text_of(frame["verdict"]).dictionary_encode()
    unknown = set(words.dictionary.to_pylist()) - set(schema.VERDICTS)
    if unknown:
        raise FrameError(
            f"verdict holds {', '.join(map(repr, sorted(unknown)))}; it may be {', '.join(schema.VERDICTS)}"
        )
    known = np.array([PART_OF[word] for word in words.dictionary.to_pylist()], dtype=np.int8)
    parts = known[words.indices.to_numpy()]
    texts = column_text(frame["address"])
    pieces = [normal_form(texts.slice(at, _SLICE)) for at in range(0, len(texts), _SLICE)]
    return Verdicts(pa.chunked_array(pieces, ARROW_STRING), parts, _evidence(frame, parts != KEPT))


def _evidence(frame: pd.DataFrame, chosen: NDArray[np.bool_]) -> pa.Table:
    """Return the evidence of chosen verdicts; column by column, as the frame may be much of what memory there is."""
    try:  # a frame that was edited elsewhere and read back has its times as text
        times = pd.to_datetime(frame["decided_at"][chosen], utc=True, format="ISO8601")
        numbers = frame["record"][chosen].astype("Int64")
    except (TypeError, ValueError):
        raise FrameError(
            "decided_at must hold times and record whole numbers, as decide() makes them"
        ) from None
    mask = pa.array(chosen)
    columns = {
        name: text_of(frame[name]).filter(mask) for name in ("reason", "code", "explanation", "source")
    }
    columns["decided_at"] = pa.array(times.astype("datetime64[us, UTC]"), ARROW_TIME)
    columns["record"] = pa.array(numbers, pa.int64())
    return pa.table(columns).select(EVIDENCE)


class Matcher:
    """Looks addresses up in the verdicts.

    Parameters
    ----------
    database : duckdb.DuckDBPyConnection
    verdicts : Verdicts
    folding : Fold
        An address whose own form has no verdict is looked up by its folded form. Where the verdicts on one folded form
        disagree, it is held.

    Attributes
    ----------
    against : pyarrow.Table
        Columns of ``EVIDENCE``: everything that can speak against a row.

    Raises
    ------
    FrameError
        If an address has more than one verdict.
    """

    def __init__(self, database: duckdb.DuckDBPyConnection, verdicts: Verdicts, folding: Fold) -> None:
        self._database, self._folding = database, folding
        # an outcome is a part with its evidence; first those of the verdicts, then those of the folded forms
        self._parts = verdicts.parts
        speaks = self._parts != KEPT
        self._evidence = np.where(speaks, np.cumsum(speaks) - 1, -1).astype(np.int32)
        self.against = verdicts.against
        self._own = Lookup(database, verdicts.addresses)
        if self._own.repeated:
            raise FrameError(
                f"{self._own.repeated:,} addresses have more than one verdict; keep one row for each"
            )
        self._forms = self._fold(verdicts.addresses) if folding else None

    def match(self, addresses: pa.Array) -> Match:
        """Look up addresses in normal form."""
        hashes = hash_texts(self._database, addresses)
        outcome = self._own.find(addresses, hashes)
        folded = 0
        if self._forms is not None:
            others = np.flatnonzero(outcome < 0)
            forms = self._folding(addresses.take(pa.array(others)))
            found = self._forms.find(forms, hash_texts(self._database, forms))
            folded = int((found >= 0).sum())
            outcome[others] = np.where(found >= 0, found + self._own.size, -1)
        known = outcome >= 0
        part = np.full(len(addresses), KEPT, dtype=np.int8)
        part[known] = self._parts[outcome[known]]
        evidence = np.full(len(addresses), -1, dtype=np.int32)
        evidence[known] = self._evidence[outcome[known]]
        return Match(part, evidence, known, folded, hashes)

    def _fold(self, addresses: pa.ChunkedArray) -> Lookup:
        """Make an outcome for every folded form; of several verdicts, the severest and first tells the evidence."""
        severity = np.array([2, 0, 1], dtype=np.int8)[self._parts]  # of keep, remove and hold
        given = pa.table(
            {
                "form": pa.chunked_array(list(map(self._folding, addresses.chunks)), ARROW_STRING),
                "address": addresses,
                "part": self._parts,
                "severity": severity,
                "number": np.arange(len(addresses), dtype=np.int32),
            }
        )
        self._database.register("given", given)
        groups = self._database.sql(
            """
            SELECT form, min(part) <> max(part) AS disagree, arg_min(number, (severity, address)) AS number
            FROM given GROUP BY form ORDER BY form
            """
        ).to_arrow_table()
        self._database.unregister("given")
        number = groups["number"].to_numpy()
        disagree = groups["disagree"].to_numpy()
        part = np.where(disagree, HELD, self._parts[number]).astype(np.int8)
        speaks = part != KEPT
        evidence = np.full(len(part), -1, dtype=np.int32)
        evidence[speaks] = len(self.against) + np.arange(speaks.sum())
        more = self.against.take(pa.array(self._evidence[number[speaks]]))
        start = pc.if_else(pa.array(disagree[speaks]), _DISAGREE, _AGREE).cast(ARROW_STRING)
        place = more.schema.get_field_index("explanation")
        more = more.set_column(place, "explanation", plus(start, more["explanation"]))
        self._parts = np.concatenate((self._parts, part))
        self._evidence = np.concatenate((self._evidence, evidence))
        self.against = pa.concat_tables([self.against, more]).combine_chunks()
        return Lookup(self._database, groups["form"].cast(ARROW_STRING))

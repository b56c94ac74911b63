"""A ledger beside the verdicts that a list is cleaned by, or instead of them."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pandas as pd

from bounceanalytics import schema
from bounceanalytics.addresses import column_text, normal_form
from bounceanalytics.cleaning.matching import NEEDED
from bounceanalytics.errors import FrameError, SourceError
from bounceanalytics.files import path_of
from bounceanalytics.ledger_file import LedgerFile, lifted, named, suppressed

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator

    import pyarrow as pa

#: The severest first.
_SEVERITY = {"remove": 0, "hold": 1, "keep": 2}


@contextlib.contextmanager
def opened(ledger: LedgerFile | str | os.PathLike[str]) -> Iterator[LedgerFile]:
    """Yield a ledger, which is opened if it is given by path, and then closed.

    Raises
    ------
    SourceError
        If there is none.
    """
    if isinstance(ledger, LedgerFile):
        yield ledger
        return
    if not path_of(ledger, what="a ledger").is_file():
        raise SourceError(f"{ledger} does not exist; make it with Ledger.update")
    with LedgerFile(ledger) as book:
        yield book


def in_ledger(ledger: LedgerFile, lists: Iterable[pa.Array]) -> tuple[pd.DataFrame, pd.Series]:
    """Return the verdicts of a ledger, and up to when those on addresses that were lifted do not count.

    Parameters
    ----------
    ledger : LedgerFile
    lists : iterable of pyarrow.Array of large_string
        The addresses to clean, in normal form: of what the ledger knows by hash, those are found that are among them.
    """
    found, lifts = suppressed(ledger), lifted(ledger)
    name = ledger.path.name
    hashes = pd.Index(
        [*found["hash"].dropna(), *lifts.index[lifts.index.str.fullmatch("[0-9a-f]{64}")]]
    ).unique()
    if len(hashes):
        names = named(ledger, hashes, lists)
        found = found.assign(address=found["address"].fillna(found["hash"].map(names))).dropna(
            subset="address"
        )
        lifts = lifts.rename(index=names)
    told = found["source"].fillna("")
    verdicts = found.assign(
        explanation=f"In the ledger {name}: " + found["explanation"].fillna("its address was erased."),
        source=f"{name}: " + told,
        record=found["record"].fillna(0),
    )
    return verdicts.assign(source=verdicts["source"].where(told != "", name))[list(NEEDED)], lifts


def beside(verdicts: pd.DataFrame, found: pd.DataFrame, lifts: pd.Series) -> pd.DataFrame:
    """Return verdicts together with those of a ledger: the severer counts, but of what was lifted only later evidence.

    Raises
    ------
    FrameError
        If the frame holds no verdicts, or an address has more than one.
    """
    verdicts = schema.DECISION_COLUMNS.require(verdicts, NEEDED)
    mine = verdicts[list(NEEDED)].assign(
        address=pd.Series(
            normal_form(column_text(verdicts["address"])).to_pandas(),
            index=verdicts.index,
            dtype=schema.STRING,
        ),
        verdict=verdicts["verdict"].astype(schema.STRING),
    )
    repeated = int(mine["address"].duplicated().sum())
    if repeated:
        raise FrameError(f"{repeated:,} addresses have more than one verdict; keep one row for each")
    reach = lifts.reindex(mine["address"]).set_axis(mine.index)
    known = reach.notna() & ~(pd.to_datetime(mine["decided_at"], utc=True) > reach)
    mine["verdict"] = mine["verdict"].mask(known, "keep")
    both = pd.concat([mine, found], ignore_index=True)
    order = both["verdict"].map(_SEVERITY).sort_values(kind="stable").index
    return both.loc[order].drop_duplicates("address").sort_index().reset_index(drop=True)

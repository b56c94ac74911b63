"""Addresses as hashes, so that a suppression survives the erasure of its address.

The hash is SHA-256 of the salt followed by the address in normal form, both UTF-8, in lower-case hexadecimal:
``hashlib.sha256((salt + address).encode()).hexdigest()``. Addresses are few and easily guessed, so a hash without a
salt hides them from a glance and from nobody who has a list to compare with; a salt that is kept elsewhere hides them
from everybody who has not got it.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from bounceanalytics.cleaning.lists import MailingList
from bounceanalytics.deciding.addresses import normal_form, text_array
from bounceanalytics.errors import FormatError, SourceError

if TYPE_CHECKING:
    from collections.abc import Iterable

    Given = str | os.PathLike[str] | pd.Series[str] | Iterable[str]

#: Columns of a file of hashes.
HASHED_COLUMNS = ("sha256", "suppressed_for", "suppressed_on", "salt_check")

_STRING = pd.StringDtype("pyarrow", na_value=float("nan"))
_TIME = pd.DatetimeTZDtype("us", "UTC")

_CHECKED = "bounceanalytics: is it the same salt?"


def hash_addresses(addresses: pa.Array | pd.Series[str] | Iterable[str], salt: str = "") -> pa.Array:
    """Return the hash of every address.

    Parameters
    ----------
    addresses : pyarrow.Array, pandas.Series or iterable of str
        However they are written; their normal form is hashed.
    salt : str
        What is put before the address.

    Returns
    -------
    pyarrow.Array of large_string
        64 hexadecimal digits each, in the same order; missing stays missing.

    Examples
    --------
    >>> hash_addresses(["Ann@Example.com", "ann@example.com "], "pepper").unique().to_pylist()[0][:16]
    '831740710d6a8225'
    """
    array = addresses if isinstance(addresses, pa.Array) else text_array(list(addresses))
    table = pa.table({"place": pa.array(range(len(array)), pa.int64()), "address": normal_form(array)})
    with duckdb.connect() as database:
        database.register("given", table)
        hashes = database.sql(
            "SELECT sha256($salt || address) AS hash FROM given ORDER BY place", params={"salt": salt}
        ).to_arrow_table()
    return hashes["hash"].cast(pa.large_string()).combine_chunks()


def match_hashes(addresses: Given, hashes: Given, *, salt: str = "") -> pd.DataFrame:
    """Return verdicts on those of the given addresses whose hashes are on a suppression list.

    Parameters
    ----------
    addresses : path, pandas.Series or iterable of str
        A mailing list (a file as :func:`bounceanalytics.clean` takes it), or addresses however they are written.
    hashes : path, pandas.Series or iterable of str
        A file that ``export_suppressions(…, "hashed", …)`` wrote, or hashes as :func:`hash_addresses` makes them.
    salt : str
        What was put before the addresses when they were hashed.

    Returns
    -------
    pandas.DataFrame
        One row per address that is on the list, in the form that :func:`bounceanalytics.clean` takes: ``address`` in
        normal form, ``verdict`` (``remove``), ``reason``, ``code``, ``explanation``, ``source`` (string), ``record``
        (int64: the hash's number in its file) and ``decided_at`` (timestamp, UTC).

    Raises
    ------
    SourceError
        If a file cannot be read.
    FormatError
        If it holds no hashes, or those of another salt.

    Examples
    --------
    >>> match_hashes(["ann@example.com", "bo@example.com"], hash_addresses(["Ann@example.com"]))["address"].tolist()
    ['ann@example.com']
    """
    known, source = _known(hashes, salt)
    keys = pc.unique(normal_form(_addresses(addresses)).drop_null())
    mine = pd.DataFrame(
        {"address": keys.to_pandas(), "sha256": hash_addresses(keys, salt).to_pandas()}, dtype=_STRING
    )
    found = mine.merge(known, on="sha256").drop_duplicates("address", ignore_index=True)
    times = pd.to_datetime(found["suppressed_on"], utc=True, errors="coerce").astype(_TIME)
    since = times.dt.strftime("%Y-%m-%d").radd(" since ").fillna("")
    return pd.DataFrame(
        {
            "address": found["address"],
            "verdict": pd.Series("remove", found.index, dtype=_STRING),
            "reason": found["suppressed_for"],
            "code": pd.Series(pd.NA, found.index, dtype=_STRING),
            "explanation": ("Removed: on the hashed suppression list" + since + ".").astype(_STRING),
            "source": pd.Series(source, found.index, dtype=_STRING),
            "record": found["record"].astype("int64"),
            "decided_at": times,
        }
    )


def _known(hashes: Given, salt: str) -> tuple[pd.DataFrame, str]:
    """Return hashes with what stands beside them, and the name of their file."""
    if not isinstance(hashes, str | os.PathLike):
        values = pd.Series(list(hashes), dtype=_STRING).str.strip().str.lower()
        known = pd.DataFrame(
            {"sha256": values, "suppressed_for": "suppressed", "suppressed_on": ""}, dtype=_STRING
        )
        source = "hashes"
    else:
        path = Path(hashes)
        source = path.name
        try:
            known = pd.read_csv(path, dtype=_STRING, keep_default_na=False)
        except OSError as error:
            raise SourceError(f"{path} cannot be read: {error.strerror}") from error
        except ValueError as error:
            raise FormatError(
                f"{source} is no CSV file of hashes; write one with export_suppressions"
            ) from error
        missing = [name for name in HASHED_COLUMNS if name not in known.columns]
        if missing:
            raise FormatError(
                f"{source} is no hashed suppression list; it has no column {', '.join(missing)}"
            )
        if len(known) and set(known["salt_check"]) != {salt_check(salt)}:
            raise FormatError(f"{source} was written with another salt; give the one that was used, as salt=")
    if not known["sha256"].str.fullmatch("[0-9a-f]{64}").all():
        raise FormatError(f"{source} holds something else than SHA-256 hashes of 64 hexadecimal digits")
    return known.assign(record=range(1, len(known) + 1)), source


def _addresses(given: Given) -> pa.Array:
    if not isinstance(given, str | os.PathLike):
        return text_array(list(given))
    mailing_list = MailingList(given)
    dialect = mailing_list.dialect
    cells = [records.cell(dialect.address, dialect.encoding) for records in mailing_list.blocks()]
    return pa.chunked_array(cells, pa.large_string()).combine_chunks()


def salt_check(salt: str) -> str:
    """Return what tells a wrong salt from the right one, and nothing about it but that."""
    return hashlib.sha256((salt + _CHECKED).encode()).hexdigest()

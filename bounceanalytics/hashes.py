"""Addresses as hashes, so that a suppression survives the erasure of its address.

The hash is SHA-256 of the salt followed by the address in normal form, both UTF-8, in lower-case hexadecimal:
``hashlib.sha256((salt + address).encode()).hexdigest()``.

What it protects from: addresses are few and easily guessed, so a hash without a salt hides them from a glance, and from
nobody who has a list to compare with. A salt hides them from those who have not got it, if it is long, random
(``secrets.token_hex(16)``) and kept apart from the file: a word can be guessed by trying words on the file's check
value, or on the hash of an address known to be in it. Who has the salt can look up any address. Hashed addresses
therefore still are personal data (pseudonymous, in the words of the GDPR), and a lost salt makes a list useless.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa

from bounceanalytics.addresses import column_text, normal_form, text_array
from bounceanalytics.database import open_database
from bounceanalytics.errors import FrameError
from bounceanalytics.schema import ARROW_STRING

if TYPE_CHECKING:
    from collections.abc import Iterable

_CHECKED = "bounceanalytics: is it the same salt?"
_CHECK_DIGITS = 8  # they stand on every line of a file; enough to notice a mistake


def hash_addresses(addresses: pa.Array | pd.Series[str] | Iterable[str], salt: str = "") -> pa.Array:
    """Return the hash of every address.

    Parameters
    ----------
    addresses : pyarrow.Array, pandas.Series or iterable of str
        However they are written; their normal form is hashed.
    salt : str
        What is put before the address; keep it apart from the hashes, and make it long and random.

    Returns
    -------
    pyarrow.Array of large_string
        64 hexadecimal digits each, in the same order; missing stays missing.

    Examples
    --------
    >>> hash_addresses(["Ann@Example.com", "ann@example.com "], "pepper").unique().to_pylist()[0][:16]
    '831740710d6a8225'
    """
    keys = normal_form(as_texts(addresses))
    table = pa.table({"place": np.arange(len(keys)), "address": keys})
    with open_database() as database:
        database.register("given", table)
        hashes = database.sql(
            "SELECT sha256($salt || address) AS hash FROM given ORDER BY place", params={"salt": salt}
        ).to_arrow_table()
    return hashes["hash"].cast(ARROW_STRING).combine_chunks()


def salt_check(salt: str) -> str:
    """Return what tells a wrong salt from the right one; empty without a salt."""
    return hashlib.sha256((salt + _CHECKED).encode()).hexdigest()[:_CHECK_DIGITS] if salt else ""


def as_texts(texts: Iterable[str] | pa.Array) -> pa.Array:
    """Return texts, however they come, as Arrow holds them.

    Raises
    ------
    FrameError
        If they are none.
    """
    if isinstance(texts, pa.Array):
        return texts
    try:
        return column_text(texts) if isinstance(texts, pd.Series) else text_array(list(texts))
    except (TypeError, pa.ArrowInvalid):
        raise FrameError(f"expected a list of texts, found {type(texts).__name__}") from None

"""Suppression lists of hashes: addresses in, verdicts on those that are on the list out."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from bounceanalytics.addresses import normal_form
from bounceanalytics.cleaning.lists import MailingList
from bounceanalytics.errors import FormatError, SourceError
from bounceanalytics.files import path_of
from bounceanalytics.hashes import as_texts, hash_addresses, salt_check
from bounceanalytics.schema import ARROW_STRING, MATCH_COLUMNS, STRING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import IO

    Given = str | os.PathLike[str] | bytes | IO[bytes] | pd.Series[str] | Iterable[str]

#: Columns of a file of hashes.
HASHED_COLUMNS = ("sha256", "suppressed_for", "suppressed_on", "salt_check")


#: What is known of hashes that come alone.
_UNKNOWN = {"suppressed_for": "suppressed", "suppressed_on": "", "salt_check": ""}


def match_hashes(addresses: Given, hashes: Given, *, salt: str = "") -> pd.DataFrame:
    """Return verdicts on those of the given addresses whose hashes are on a suppression list.

    Parameters
    ----------
    addresses : path, bytes, binary file, pandas.Series or iterable of str
        A mailing list (as :func:`bounceanalytics.clean` takes it), or addresses however they are written.
    hashes : path, pandas.Series or iterable of str
        A file that ``export_suppressions(…, "hashed", …)`` wrote, or hashes as :func:`hash_addresses` makes them.
    salt : str
        What was put before the addresses when they were hashed.

    Returns
    -------
    pandas.DataFrame
        One row per address that is on the list, in the form that :func:`bounceanalytics.clean` takes.

        =============== =============================================
        ``address``     string: in normal form
        ``verdict``     string: always 'remove'
        ``reason``      string: what speaks against the address
        ``code``        string: always missing
        ``explanation`` string: the verdict as a sentence
        ``source``      string: name of the file of hashes
        ``record``      int64: number of the hash in its file, from 1
        ``decided_at``  timestamp, UTC: since when it is suppressed
        =============== =============================================

    Raises
    ------
    SourceError
        If a file cannot be read.
    FormatError
        If it holds no hashes, or those of another salt.

    Notes
    -----
    Of an address whose hash is there twice, the first one counts. Hashes know nothing of tags and dots: ``ann+x@`` does
    not match ``ann@``.

    Examples
    --------
    >>> match_hashes(["ann@example.com", "bo@example.com"], hash_addresses(["Ann@example.com"]))["address"].tolist()
    ['ann@example.com']
    """
    known, source = _known(hashes, salt)
    keys = pc.unique(normal_form(_addresses(addresses)).drop_null())
    place = pc.index_in(hash_addresses(keys, salt), value_set=known["sha256"])
    on_it = pc.is_valid(place)
    found = known.take(place.filter(on_it)).to_pandas(types_mapper={ARROW_STRING: STRING}.get)
    times = pd.to_datetime(found["suppressed_on"], utc=True, format="ISO8601", errors="coerce")
    since = found["suppressed_on"].str[:10].radd(" since ").where(times.notna(), "")
    return MATCH_COLUMNS.frame(
        {
            "address": keys.filter(on_it).to_pandas(),
            "verdict": "remove",
            "reason": found["suppressed_for"],
            "code": None,
            "explanation": "Removed: on the hashed suppression list" + since + ".",
            "source": source,
            "record": place.filter(on_it).to_pandas() + 1,
            "decided_at": times,
        }
    )


def _known(hashes: Given, salt: str) -> tuple[pa.Table, str]:
    """Return hashes with what stands beside them, and the name of their file."""
    if isinstance(hashes, str | os.PathLike):
        known, source = _read(path_of(hashes), salt), Path(hashes).name
    else:
        values = as_texts(hashes)
        words = {
            name: pa.repeat(pa.scalar(word, ARROW_STRING), len(values)) for name, word in _UNKNOWN.items()
        }
        known, source = pa.table({"sha256": values, **words}), "hashes"
    digests = pc.ascii_lower(pc.utf8_trim_whitespace(known["sha256"]))
    good = pc.fill_null(pc.match_substring_regex(digests, "^[0-9a-f]{64}$"), False)
    if not pc.all(good, min_count=0).as_py():
        raise FormatError(f"{source} holds something else than SHA-256 hashes of 64 hexadecimal digits")
    return known.set_column(0, "sha256", digests), source


def _read(path: Path, salt: str) -> pa.Table:
    """Return the columns of a file of hashes, of this salt."""
    options = pyarrow.csv.ConvertOptions(
        column_types=dict.fromkeys(HASHED_COLUMNS, ARROW_STRING), strings_can_be_null=False
    )
    try:
        with path.open("rb") as file:
            known = pyarrow.csv.read_csv(file, convert_options=options)
        missing = [name for name in HASHED_COLUMNS if name not in known.column_names]
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}") from None
    except (pa.ArrowInvalid, UnicodeDecodeError):
        raise FormatError(
            f"{path.name} is no CSV file of hashes; write one with export_suppressions"
        ) from None
    if missing:
        raise FormatError(f"{path.name} is no hashed suppression list; it has no column {', '.join(missing)}")
    checks = set(pc.unique(known["salt_check"]).to_pylist())
    if len(checks) > 1:
        raise FormatError(
            f"{path.name} mixes hashes of several salts; match the files it was made of one by one"
        )
    if checks - {salt_check(salt)}:
        there = "none at all, so give none" if checks == {""} else "give the one that was used, as salt="
        raise FormatError(f"{path.name} was written with another salt: {there}")
    return known.select(HASHED_COLUMNS)


def _addresses(given: Given) -> pa.Array:
    if not isinstance(given, str | os.PathLike | bytes) and not hasattr(given, "read"):
        return as_texts(given)
    with MailingList(given) as mailing_list:
        dialect = mailing_list.dialect
        cells = [records.cell(dialect.address, dialect.encoding) for records in mailing_list.blocks()]
    return pa.chunked_array(cells, ARROW_STRING).combine_chunks()

"""Mailing lists as callers hand them in: a file, a frame or addresses, in blocks of addresses in normal form."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from bounceanalytics.addresses import column_text, no_address, normal_form, text_array
from bounceanalytics.cleaning.columns import address_column
from bounceanalytics.cleaning.lists import MailingList
from bounceanalytics.errors import FormatError, FrameError
from bounceanalytics.hashes import as_texts
from bounceanalytics.schema import require
from bounceanalytics.schema.others import arrow_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import IO

    Listed = str | os.PathLike[str] | bytes | IO[bytes] | pd.DataFrame | pd.Series[str] | Iterable[str]

#: Rows of a frame that are looked at to find its column of addresses.
_LOOKED_AT = 1_000


def listed_addresses(mailing_list: Listed) -> Iterator[pa.Array]:
    """Yield the addresses of a list in blocks, in normal form; those that no mail may have been sent to are left out.

    Parameters
    ----------
    mailing_list : path, bytes, binary file, frame, pandas.Series or iterable of str
        A file as :func:`bounceanalytics.clean` takes it, a frame with a column of addresses, or addresses.

    Raises
    ------
    SourceError, FormatError
        If a file cannot be read, or is no list.
    FrameError
        If a frame has no column of addresses.

    Examples
    --------
    >>> [block.to_pylist() for block in listed_addresses(["Ann@Example.com", "nobody"])]
    [['ann@example.com']]
    """
    source: Any = mailing_list
    if isinstance(source, str | os.PathLike | bytes) or hasattr(source, "read"):
        with MailingList(source) as found:
            dialect = found.dialect
            for records in found.blocks():
                yield _addresses(records.cell(dialect.address, dialect.encoding))
    else:
        yield _addresses(_texts(source))


def _addresses(texts: pa.Array) -> pa.Array:
    addresses = normal_form(texts.drop_null())
    return addresses.filter(pc.is_null(no_address(addresses)))


def _texts(given: Any) -> pa.Array:
    if isinstance(given, pd.DataFrame) or arrow_of(given) is not None:
        return address_cells(require(given, (), "a mailing list"))
    if isinstance(given, pa.ChunkedArray):
        return given.combine_chunks()
    return as_texts(given)


def address_cells(frame: pd.DataFrame) -> pa.Array:
    """Return the cells of the column of addresses of a frame, which is found as :func:`bounceanalytics.clean` finds it.

    Raises
    ------
    FrameError
        If it has none.
    """
    titles = [str(name) for name in frame.columns]
    for name in ("recipient", "address"):
        if titles.count(name) == 1:
            return column_text(frame.iloc[:, titles.index(name)])
    head = frame.head(_LOOKED_AT)
    cells = [
        pa.concat_arrays([text_array([title]), pc.fill_null(column_text(head.iloc[:, place]), "")])
        for place, title in enumerate(titles)
    ]
    if not cells:
        raise FrameError("the mailing list is a frame without columns; give one with a column of addresses")
    try:
        _, place, _ = address_column(titles, cells, "the mailing list", None)
    except FormatError:  # it speaks of headers and positions, which a file has
        raise FrameError(
            "no column of the mailing list can be told to hold its e-mail addresses; call it 'recipient'"
        ) from None
    return column_text(frame.iloc[:, place])

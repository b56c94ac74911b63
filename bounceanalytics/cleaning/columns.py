"""Which column of a mailing list holds the address."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pyarrow.compute as pc

from bounceanalytics.deciding.addresses import normal_form, problem, text_array
from bounceanalytics.errors import FormatError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

#: What the column is called, letters only, in several languages; earlier names win. Those of the second row may
#: stand over street addresses as well, so their content has to look right.
_NAMES = (
    "email", "emailaddress", "mail", "mailaddress", "emailadresse", "mailadresse", "emailadress", "recipient",
    "subscriber", "courriel", "adressemail", "adresseemail", "correo", "correoelectronico", "indirizzoemail",
    "emailadres", "epost", "epostadress", "useremail", "contactemail", "emailid", "primaryemail", "workemail",
)  # fmt: skip
_DOUBTFUL = ("address", "adresse", "adres", "indirizzo", "to", "contact", "username", "user", "login", "id")


def address_column(
    first: Sequence[str], cells: Sequence[pa.Array], name: str, column: str | int | None
) -> tuple[tuple[str, ...] | None, int]:
    """Tell the header from the data, and find the column of addresses.

    Parameters
    ----------
    first : sequence of str
        Cells of the first record.
    cells : sequence of pyarrow.Array
        The same columns in the first records of the list, the very first one included.
    name : str
        What to call the list in an error.
    column : str, int or None
        What the caller asked for: a name, or a position from 0.

    Returns
    -------
    tuple of (tuple of str or None) and int
        The header, None where the first record is data, and the position of the column.

    Raises
    ------
    FormatError
        If there is no such column, or none that can be told from its name or its content.
    """
    addressed = [share > 0 for share in _shares([text_array([cell]) for cell in first])]
    header = None if any(addressed) else tuple(first)
    if column is not None:
        return header, _asked_for(column, first, header, name)
    shares = _shares([values[1:] for values in cells] if header is not None else list(cells))
    if header is not None:
        keys = [re.sub(r"[\W_]", "", title.lower()) for title in header]
        names_only = (*_NAMES, *_DOUBTFUL) if len(cells[0]) == 1 else _NAMES
        for names, needed in ((_NAMES, 0.5), (_DOUBTFUL, 0.5), (names_only, 0.0)):
            found = [
                (-names.index(key), shares[at], -at)
                for at, key in enumerate(keys)
                if key in names and shares[at] >= needed
            ]
            if found and (needed or not any(share > 0.5 for share in shares)):
                return header, -max(found)[2]
    best = max(range(len(shares)), key=lambda at: shares[at])
    if header is None:  # the cell that gave it away may be one of several columns with addresses
        best = max((at for at, hit in enumerate(addressed) if hit), key=lambda at: (shares[at], -at))
        return header, best
    if shares[best] > 0.5:
        return header, best
    raise FormatError(
        f"{name}: no column looks like e-mail addresses; {_columns(header, len(first))}; "
        "say which one it is with column="
    )


def _shares(columns: Sequence[pa.Array]) -> list[float]:
    """Return which part of each column's filled cells are addresses."""
    shares = []
    for column in columns:
        texts = normal_form(column)
        texts = pc.filter(texts, pc.not_equal(texts, ""))
        shares.append(problem(texts).null_count / len(texts) if len(texts) else 0.0)
    return shares


def _asked_for(column: str | int, first: Sequence[str], header: tuple[str, ...] | None, name: str) -> int:
    if isinstance(column, int):
        if 0 <= column < len(first):
            return column
        raise FormatError(f"{name}: there is no column {column}; positions run from 0 to {len(first) - 1}")
    titles = [title.strip() for title in header or ()]
    found = [at for at, title in enumerate(titles) if title == column.strip()]
    found = found or [at for at, title in enumerate(titles) if title.lower() == column.strip().lower()]
    if len(found) == 1:
        return found[0]
    if found:
        places = ", ".join(map(str, found))
        raise FormatError(
            f"{name}: {len(found)} columns are called {column!r}; give a position instead: {places}"
        )
    raise FormatError(f"{name}: there is no column {column!r}; {_columns(header, len(first))}")


def _columns(header: tuple[str, ...] | None, count: int) -> str:
    if header is None:
        return f"the list has no header and {count} column{'s' * (count != 1)}, so give a position from 0"
    names = ", ".join(repr(title[:60]) for title in header[:20])
    return f"the header is {names}{' …' if len(header) > 20 else ''}"

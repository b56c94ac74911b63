"""The address column of a mailing list: named, or found by title and content."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from bounceanalytics.addresses import SEVERAL, may_be_held, normal_form, problem, text_array
from bounceanalytics.errors import FormatError
from bounceanalytics.privacy import is_a_row, without_addresses
from bounceanalytics.wording import in_short

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

#: What the column is called, letters only, in several languages; earlier names win. Those of the second row may
#: stand over street addresses as well, so their content has to look right.
_NAMES = (
    "email", "emailaddress", "mail", "mailaddress", "emailadresse", "mailadresse", "emailadress", "recipient",
    "subscriber", "courriel", "adressemail", "adresseemail", "correo", "correoelectronico", "indirizzoemail",
    "emailadres", "epost", "epostadress", "useremail", "contactemail", "emailid", "primaryemail", "workemail",
)  # fmt: skip
_LONGEST = 200  # characters of a title that are looked at
_DOUBTFUL = ("address", "adresse", "adres", "indirizzo", "to", "contact", "username", "user", "login", "id")


def address_column(
    first: Sequence[str], cells: Sequence[pa.Array], name: str, column: str | int | None
) -> tuple[tuple[str, ...] | None, int, tuple[int, ...]]:
    """Find the header, the column of addresses and others that hold some, too.

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
    tuple of (tuple of str or None), int and tuple of int
        The header, None where the first record is data; the position of the column; those of others with addresses.

    Raises
    ------
    FormatError
        If there is no such column, none that can be told from its name or its content, or several of one name.

    Notes
    -----
    A column that is called so is taken unless another one holds more than twice as many addresses; else the one with
    the most of them, if most of its filled cells are some. Of columns with the same name, too, the one with the most
    addresses is taken. If another one has many too, and different
    ones, there is no telling which of them mail goes to: going by the wrong one would remove good customers and keep
    dead addresses, so the caller has to say.
    """
    addressed = (~_none(_addresses(text_array(first))[1])).tolist()
    header = None if any(addressed) else tuple(first)
    columns = [_addresses(values[1:] if header is not None else values) for values in cells]
    shares = _shares(columns)
    counts = [_hits(problems) for _, problems in columns]

    def found(best: int) -> tuple[tuple[str, ...] | None, int, tuple[int, ...]]:
        others = (at for at, share in enumerate(shares) if share > 0.5 and at != best)
        return header, best, tuple(others)

    if column is not None:
        return found(_asked_for(column, cells, header, name))
    if header is not None:
        keys = [re.sub(r"[\W_]", "", title.lower()) for title in header]
        names_only = (*_NAMES, *_DOUBTFUL) if len(cells[0]) == 1 else _NAMES
        fullest = max((count for count, share in zip(counts, shares, strict=True) if share > 0.5), default=0)
        for names, needed in ((_NAMES, 0.5), (_DOUBTFUL, 0.5), (names_only, 0.0)):
            named = [
                (-names.index(key), counts[at], -at)
                for at, key in enumerate(keys)
                if key in names and shares[at] >= needed and 2 * counts[at] >= fullest
            ]
            if named and (needed or not any(share > 0.5 for share in shares)):
                best = -max(named)[2]
                rivals = [
                    at for at, key in enumerate(keys) if key == keys[best] and 2 * counts[at] > counts[best]
                ]
                _refuse_rivals(rivals, columns, header, name)
                return found(best)
    # without a header, the cell that gave it away may be one of several columns with addresses
    likely = [at for at, share in enumerate(shares) if share > 0.5]
    if header is None:
        likely = [at for at, hit in enumerate(addressed) if hit and at in likely] or [
            at for at, hit in enumerate(addressed) if hit
        ]
    if likely:
        return found(max(likely, key=lambda at: (counts[at], shares[at], -at)))
    raise FormatError(
        f"{name}: no column looks like e-mail addresses; {_columns(header, cells)}; "
        "say which one it is with column="
    )


def _addresses(column: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Return the cells in normal form, and what keeps each from being an address."""
    if not may_be_held(column):
        return pc.utf8_trim_whitespace(column), pa.repeat(pa.scalar("no @", pa.large_string()), len(column))
    texts = normal_form(column)
    return texts, problem(texts)


def _none(problems: pa.Array) -> NDArray[np.bool_]:
    """Return which cells hold neither an address nor several."""
    none: NDArray[np.bool_] = pc.fill_null(pc.not_equal(problems, SEVERAL), False).to_numpy(
        zero_copy_only=False
    )
    return none


def _hits(problems: pa.Array) -> int:
    """Return how many cells hold an address, or several."""
    return int((~_none(problems)).sum())


def _shares(columns: Sequence[tuple[pa.Array, pa.Array]]) -> list[float]:
    """Return which part of each column's filled cells are addresses."""
    filled = [pc.sum(pc.not_equal(texts, "")).as_py() or 0 for texts, _ in columns]
    return [
        _hits(problems) / count if count else 0.0
        for (_, problems), count in zip(columns, filled, strict=True)
    ]


def _refuse_rivals(
    rivals: Sequence[int], columns: Sequence[tuple[pa.Array, pa.Array]], header: tuple[str, ...], name: str
) -> None:
    """Raise if columns of one name hold different addresses; the same ones twice do no harm."""
    texts = [pc.if_else(pc.is_null(columns[at][1]), columns[at][0], None) for at in rivals]
    if any(pc.any(pc.not_equal(texts[0], other)).as_py() for other in texts[1:]):
        raise FormatError(
            f"{name}: {len(rivals)} columns are called {shown(header[rivals[0]])} and hold different addresses; "
            f"say which one you mail to with column= and its position: {', '.join(map(str, rivals))}"
        )


def _asked_for(
    column: str | int, cells: Sequence[pa.Array], header: tuple[str, ...] | None, name: str
) -> int:
    if isinstance(column, int):
        if 0 <= column < len(cells):
            return column
        raise FormatError(f"{name}: there is no column {column}; positions run from 0 to {len(cells) - 1}")
    titles = [title.strip() for title in header or ()]
    found = [at for at, title in enumerate(titles) if title == column.strip()]
    found = found or [at for at, title in enumerate(titles) if title.lower() == column.strip().lower()]
    if len(found) == 1:
        return found[0]
    if found:
        places = ", ".join(map(str, found))
        raise FormatError(
            f"{name}: {len(found)} columns are called {in_short(column)}; give a position instead: {places}"
        )
    raise FormatError(f"{name}: there is no column {in_short(column)}; {_columns(header, cells)}")


def _columns(header: tuple[str, ...] | None, cells: Sequence[pa.Array]) -> str:
    """Return how columns can be named, without a cell of somebody in the list."""
    count = len(cells)
    if header is None or is_a_row(header, [values[1:100].to_pylist() for values in cells]):
        none = "no header" if header is None else "no header that can be told from its rows"
        return f"the list has {none} and {count} column{'s' * (count != 1)}, so give a position from 0"
    names = ", ".join(map(shown, header[:20]))
    return f"the header is {names}{' …' if count > 20 else ''}"


def shown(title: str) -> str:
    """Return a title as a message shows it; what was taken for one may be an address, which none shows."""
    return repr(without_addresses(title[:_LONGEST])[:60])

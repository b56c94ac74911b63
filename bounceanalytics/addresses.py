"""Normal form of addresses, and why a text is no address.

Both sides of the comparison, events and mailing lists, go through :func:`normal_form`: trimmed, case folded, the
domain in IDNA ASCII form. RFC 5321 lets a server tell ``Ann@`` from ``ann@``; none that matters does, and ESPs
change the case on their own account. Dots and ``+tags`` stay, because they mean different mailboxes at most servers;
who knows better can have them folded, with :func:`fold`.
"""

from __future__ import annotations

import functools
import unicodedata
from typing import TYPE_CHECKING

import idna
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

#: What people and programs leave around an address: blanks of all kinds, byte order marks, zero-width characters.
_AROUND = " \t\r\n\f\v\u00a0\u00ad\u200b\u200c\u200d\u2060\u3000\ufeff"

# A dot-atom or a quoted string. Dots may stand anywhere: some providers gave out addresses with ".." and "x.@".
_LOCAL = r'(?:[^\s@"(),:;<>\[\]\\\x00-\x1f]+|"(?:[^"\\\r\n]|\\.)+")'
_NOT_IN_NAMES = (
    r"\s\x00-\x2c\x2e\x2f\x3a-\x40\x5b-\x5e\x60\x7b-\x7f"  # ASCII but letters, digits, "-" and "_"
)
_LABEL = rf"[^{_NOT_IN_NAMES}]{{1,63}}"
_TOP_LABEL = rf"[^{_NOT_IN_NAMES}0-9][^{_NOT_IN_NAMES}]{{0,62}}"  # no top-level domain begins with a digit
_ADDRESS = rf"^{_LOCAL}@(?:{_LABEL}\.)+{_TOP_LABEL}$"

#: What is wrong with a text that is not an address: the first pattern that fits, on the trimmed text.
_PROBLEMS: tuple[tuple[str, str], ...] = (
    ("empty", r"^$"),
    ("no @", r"^[^@]*$"),
    ("more than one address", r"@.*[\s,;].*@"),
    ("more than one @", r"@.*@"),
    ("nothing before the @", r"^@"),
    ("nothing after the @", r"@$"),
    ("blank inside", r"\s"),
    ("no dot after the @", r"@[^.]*$"),
)
_OTHERWISE = "not an address"


def text_array(values: Iterable[str | None]) -> pa.Array:
    """Return the values as Arrow strings of the width used here."""
    return pa.array(values, type=pa.large_string())


def column_text(values: pd.Series) -> pa.Array:
    """Return a pandas column as Arrow strings in one piece, whatever pieces it is stored in."""
    array = pa.Array.from_pandas(values.astype("str"))
    return (array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array).cast(pa.large_string())


def normal_form(texts: pa.Array) -> pa.Array:
    """Return every text in the form in which addresses are compared.

    Parameters
    ----------
    texts : pyarrow.Array of strings
        Addresses; ``Name <address>`` and ``mailto:address`` give the address.

    Returns
    -------
    pyarrow.Array of large_string
        Same length; missing stays missing. A text that is no address is trimmed and folded all the same.

    Examples
    --------
    >>> normal_form(text_array([" Ann@Example.COM", "Bo <bo@bücher.example>"])).to_pylist()
    ['ann@example.com', 'bo@xn--bcher-kva.example']
    """
    texts = pc.utf8_trim(texts.cast(pa.large_string()), characters=_AROUND)
    texts = _unwrapped(texts)
    folded = pc.ascii_lower(texts)
    if not _any(pc.or_(pc.invert(pc.string_is_ascii(folded)), pc.ends_with(folded, "."))):
        return folded
    unusual = pc.fill_null(pc.or_(pc.invert(pc.string_is_ascii(folded)), pc.ends_with(folded, ".")), False)
    values = pc.filter(folded, unusual).dictionary_encode()
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    replaced = text_array([_folded(value) for value in values.dictionary.to_pylist()])
    return pc.replace_with_mask(folded, unusual, replaced.take(values.indices))


def fold(addresses: pa.Array, *, subaddresses: bool = False, gmail_dots: bool = False) -> pa.Array:
    """Return addresses without what some providers pass over; several addresses may become one.

    Parameters
    ----------
    addresses : pyarrow.Array of large_string
        As :func:`normal_form` returns them.
    subaddresses : bool, default False
        Whether ``ann+news@example.com`` becomes ``ann@example.com``. Most servers deliver both to one mailbox, and some
        do not.
    gmail_dots : bool, default False
        Whether dots before the ``@`` go at gmail.com and googlemail.com, which are made one domain.

    Returns
    -------
    pyarrow.Array of large_string
        Same length; missing stays missing. A folded form serves to compare and never to write to.

    References
    ----------
    RFC 5233 (subaddresses); Gmail Help, "Dots don't matter in Gmail addresses".

    Examples
    --------
    >>> fold(text_array(["ann+news@example.com"]), subaddresses=True)[0].as_py()
    'ann@example.com'
    >>> fold(text_array(["a.n.n@googlemail.com"]), gmail_dots=True)[0].as_py()
    'ann@gmail.com'
    """
    if subaddresses:
        addresses = pc.replace_substring_regex(addresses, r'^([^"+@][^+@]*)\+[^@]*@', r"\1@")
    if not gmail_dots:
        return addresses
    at_gmail = pc.match_substring_regex(addresses, r'^[^"@]*[^".@][^"@]*@(?:gmail|googlemail)\.com$')
    if not _any(at_gmail):
        return addresses
    locals_ = pc.struct_field(pc.extract_regex(addresses, r"^(?P<local>[^@]*)@"), "local")
    bare = pc.replace_substring(locals_, ".", "")
    domain, nothing = (pa.scalar(text, pa.large_string()) for text in ("@gmail.com", ""))
    gmail = pc.binary_join_element_wise(bare, domain, nothing)
    return pc.if_else(at_gmail, gmail, addresses)


def problem(addresses: pa.Array) -> pa.Array:
    """Return what keeps each text, in normal form, from being an address.

    Parameters
    ----------
    addresses : pyarrow.Array of large_string
        As :func:`normal_form` returns them; missing counts as empty.

    Returns
    -------
    pyarrow.Array of large_string
        Missing where the text is an address, else a few words such as ``no @``.

    Examples
    --------
    >>> problem(text_array(["ann@example.com", "ann", None])).to_pylist()
    [None, 'no @', 'empty']
    """
    addresses = pc.fill_null(addresses, "")
    bad = pc.invert(pc.match_substring_regex(addresses, _ADDRESS))
    long = pc.greater(pc.binary_length(addresses), 254)  # RFC 5321 4.5.3.1.3: a path of 256 with its brackets
    bad = pc.or_(bad, long)
    result = pa.nulls(len(addresses), pa.large_string())
    if not _any(bad):
        return result
    texts = pc.filter(addresses, bad)
    tests = [pc.match_substring_regex(texts, pattern) for _, pattern in _PROBLEMS]
    tests.append(pc.greater(pc.binary_length(texts), 254))
    names = [*(name for name, _ in _PROBLEMS), "longer than 254 characters"]
    words = pc.case_when(
        pc.make_struct(*tests), *(pa.scalar(name, pa.large_string()) for name in (*names, _OTHERWISE))
    )
    return pc.replace_with_mask(result, bad, words)


def domain_of(addresses: pa.Array) -> pa.Array:
    """Return what stands after the last ``@``, else missing."""
    return pc.struct_field(pc.extract_regex(addresses, r"@(?P<domain>[^@]+)$"), "domain")


def _any(mask: pa.Array) -> bool:
    return bool(pc.any(mask).as_py())


def _holds(texts: pa.Array, characters: bytes) -> bool:
    """Return whether any of the characters may be in the texts; some twenty times faster than a pattern."""
    if not isinstance(texts, pa.LargeStringArray) or texts.buffers()[2] is None:
        return True
    data = np.frombuffer(texts.buffers()[2], dtype=np.uint8)
    return any((data == character).any() for character in characters)


def _unwrapped(texts: pa.Array) -> pa.Array:
    if not _holds(texts, b"<:"):
        return texts
    wrapped = pc.match_substring_regex(texts, r"(?is)^(?:mailto:.+|.*<[^<>@]+@[^<>@]+>)$")
    if not _any(wrapped):
        return texts
    inner = pc.replace_substring_regex(texts, r"(?is)^.*<([^<>]+)>$", r"\1")
    inner = pc.replace_substring_regex(inner, r"(?is)^\s*mailto:([^?]*).*$", r"\1")
    return pc.if_else(wrapped, pc.utf8_trim(inner, characters=_AROUND), texts)


@functools.lru_cache(maxsize=4096)
def _ascii_domain(domain: str) -> str:
    try:
        return idna.encode(domain, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        return domain  # no such domain can exist; the text stays what it is and equals itself


def _folded(text: str) -> str:
    # lower(), as casefold() would make one mailbox of "straße" and "strasse"
    local, at, domain = unicodedata.normalize("NFC", text).lower().rpartition("@")
    return f"{local}{at}{_ascii_domain(domain.rstrip('.'))}" if at else domain

"""Normal form of addresses, and why a text is no address.

Both sides of the comparison, events and mailing lists, go through :func:`normal_form`: what people and programs write
around an address taken off (:func:`read_addresses`), case folded, the domain in IDNA ASCII form. RFC 5321 lets a server
tell ``Ann@`` from ``ann@``; none that matters does, and ESPs change the case on their own account. Dots and ``+tags``
stay, because they mean different mailboxes at most servers; who knows better can have them folded, with :func:`fold`.
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
    from collections.abc import Callable, Iterable

    import pandas as pd
    from numpy.typing import NDArray

#: What people and programs leave around an address: blanks of all kinds, byte order marks, zero-width characters.
_AROUND = " \t\r\n\f\v\u00a0\u00ad\u200b\u200c\u200d\u2060\u3000\ufeff"

# Signs that are not ASCII and stand for one that is, or for nothing, wherever in the text they are.
_INVISIBLE = (
    0xAD,
    0x34F,
    0x61C,
    0x180E,
    *range(0x200B, 0x2010),
    *range(0x202A, 0x202F),
    *range(0x2060, 0x2070),
    0xFEFF,
)
_BLANKS = (0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000)
_MEANT = (
    dict.fromkeys(_INVISIBLE, "")
    | dict.fromkeys(_BLANKS, " ")
    | {0xFF01 + number: chr(0x21 + number) for number in range(94)}  # in full width
    | {ord(sign): meant for sign, meant in zip("﹫﹒﹐﹔。｡、", "@.,;..,", strict=True)}
    | {ord(sign): '"' for sign in "\u201c\u201d\u201e\u201f\u00ab\u00bb\u2039\u203a"}
    | {ord(sign): "'" for sign in "\u2018\u2019\u201a\u201b"}
)

_ATOM = r"0-9A-Za-z!#$%&*+/=?^_`{|}~.\-"  # but for the apostrophe
_BEYOND = r"\x{80}-\x{10ffff}"
# Beyond ASCII and no letter, mark, number or picture: looked for apart, as a class of so many is slow to compile.
_NO_WORD = r"[^\x00-\x7f\p{L}\p{M}\p{N}\p{So}]"
# A dot-atom or a quoted string. Dots may stand anywhere: some providers gave out addresses with ".." and "x.@".
# An apostrophe in front is a spreadsheet's or half of a pair.
_QUOTED = r'"(?:[^"\\\r\n]|\\.)+"'
_LOCAL = rf"(?:[{_ATOM}{_BEYOND}][{_ATOM}{_BEYOND}']*|{_QUOTED})"
_LABEL = rf"[\-_0-9A-Za-z{_BEYOND}]{{1,63}}"
_TOP_LABEL = (
    rf"[\-_A-Za-z{_BEYOND}][\-_0-9A-Za-z{_BEYOND}]{{0,62}}"  # no top-level domain begins with a digit
)
_ADDRESS = rf"^{_LOCAL}@(?:{_LABEL}\.)+{_TOP_LABEL}$"

#: How an address is taken out of what stands around it: signs without which a step has nothing to do, a pattern, and
#: what is put in its place. One after the other; what is left is the address, or no address at all.
_STEPS: tuple[tuple[bytes, str, str], ...] = (
    (b" \t\r\n,;:.", r"^[\s,;:]+|[\s,;:.]+$", ""),
    (
        b"-*+>|.)\xe2\xc2",
        r"^(?:(?:[-*+>|\x{2022}\x{b7}\x{2013}\x{2014}\x{25aa}\x{25e6}\x{2023}]|\d{1,6}[.)])\s+)+(?:\[[ xX]\]\s+)?",
        "",
    ),  # of a list
    (b'"', r'^(?:=\s*)?"+([^"]*)"+$', r"\1"),  # Excel's formula of a text, too
    (b"'", r"^'([^']*)'$", r"\1"),
    (b"(", r"^([^()]*@[^()\s]*)\s*\([^()@]*\)$", r"\1"),  # a comment of RFC 5322
    (b"]", r"^\[[^\[\]]*\]\(\s*([^()]*@[^()]*)\)$", r"\1"),  # a link of Markdown
    (b"<", r'(?s)^(?:[^<>@]*|\s*"(?:[^"\\]|\\.)*"\s*|\s*\'[^\'<>]*\'\s*)<+\s*([^<>]*@[^<>]*?)\s*>+$', r"\1"),
    (b'"', r'^"[^"@]*"\s+([^\s"]+@[^\s"]+)$', r"\1"),
    (b"?", r"(?is)^(mailto:[^?]*)\?.*$", r"\1"),
    (b":;=", r"(?i)^(?:mailto\s*[:;]\s*(?://)?|(?:smtp|e-?mail|rfc822|e-?mail.?address)\s*[:;=]\s*)", ""),
    (b"\"'`[({<", r"""^[\s"'`\[({<]+([^\s"`\[\](){}<>,;]+@[^\s"'`\[\](){}<>,;]+)[\s"'`\])}>]+$""", r"\1"),
    (b'"', r'^"([^\s@"(),:;<>\[\]\\\x00-\x1f]+)"@', r"\1@"),  # RFC 5322, 3.2.4: quotes that it does not need
    (b" ,;:.", r"^[\s,;:]+|[\s,;:.]+$", ""),
)
#: An address that is its own name: ``ann@example.com <ann@example.com>``.
_TWICE = r"^(?P<name>[^\s<>,;\"]+@[^\s<>,;\"]+)\s*<\s*(?P<inner>[^<>\s]+@[^<>\s]+)\s*>$"

#: What is wrong with a text that is not an address: the first pattern that fits, on the trimmed text.
_PROBLEMS: tuple[tuple[str, str], ...] = (
    ("empty", r"^$"),
    ("no @", r"^[^@]*$"),
    ("more than one address", r"""@[^@]*[\s,;:|/\\<>\[\](){}"'&][^@]*@"""),
    ("more than one @", r"@.*@"),
    ("nothing before the @", r"^@"),
    ("nothing after the @", r"@$"),
    ("blank inside", r"\s"),
    ("no dot after the @", r"@[^.]*$"),
)
_OTHERWISE = "not an address"
SEVERAL = "more than one address"

# What a mail may have been sent to, though no server takes it: "ann@localhost", "ann@example..com".
_MAILED_TO = rf"""^(?:[{_ATOM}{_BEYOND}']+|{_QUOTED})@(?:[^\s@<>\[\](){{}}"',;]+|\[[0-9A-Za-z.:]+\])$"""


def text_array(values: Iterable[str | None]) -> pa.Array:
    """Return the values as Arrow strings of the width used here."""
    return pa.array(values, type=pa.large_string())


def column_text(values: pd.Series) -> pa.Array:
    """Return a pandas column as Arrow strings in one piece, whatever pieces it is stored in."""
    import pandas as pd  # noqa: PLC0415 - slow to import, and who gives a column has it loaded

    # "str" means what an option of pandas says, and makes texts of what is missing
    array = pa.Array.from_pandas(values.astype(pd.StringDtype(na_value=float("nan"))))
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
    folded = pc.ascii_lower(read_addresses(texts))
    if _is_ascii(folded):
        return folded
    unusual = pc.fill_null(pc.invert(pc.string_is_ascii(folded)), False)
    return pc.replace_with_mask(folded, unusual, _each(_folded, pc.filter(folded, unusual)))


def read_addresses(texts: pa.Array) -> pa.Array:
    """Return each text as the address that it holds, in the case in which it is written.

    Parameters
    ----------
    texts : pyarrow.Array of strings

    Returns
    -------
    pyarrow.Array of large_string
        Same length; missing stays missing. Names, brackets, quotes, ``mailto:``, invisible signs and signs at the ends
        are taken off, full width made plain. A text with no address, or with several, is trimmed and left.

    Examples
    --------
    >>> read_addresses(text_array(["'Ann@example.com',", "Bo, of Sales <bo@example.com>"])).to_pylist()
    ['Ann@example.com', 'bo@example.com']
    """
    texts = pc.utf8_trim(texts.cast(pa.large_string()), characters=_AROUND)
    strange = _strange(texts)
    if not strange.any():
        return texts
    odd = pa.array(strange)
    some = pc.filter(texts, odd)
    foreign = pc.invert(pc.string_is_ascii(some))
    if _any(foreign):
        meant = _each(lambda text: text.translate(_MEANT).strip(), pc.filter(some, foreign))
        some = pc.replace_with_mask(some, foreign, meant)
    for signs, pattern, put in _STEPS:
        if _holds(some, signs):
            some = pc.replace_substring_regex(some, pattern, put)
    if _holds(some, b"<"):
        twice = pc.extract_regex(some, _TWICE)
        inner = pc.struct_field(twice, "inner")
        same = pc.equal(pc.utf8_lower(pc.struct_field(twice, "name")), pc.utf8_lower(inner))
        some = pc.if_else(pc.fill_null(same, False), inner, some)
    return pc.replace_with_mask(texts, odd, some)


def may_be_held(texts: pa.Array) -> bool:
    """Return whether any text has a sign that every address has; quick, for tables with many columns.

    >>> may_be_held(text_array(["Ann", "ann\uff20example.com"])), may_be_held(text_array(["Ann", None]))
    (True, False)
    """
    return _holds(texts, b"@\xef")  # and those that stand for it begin with this byte


def mailed_to(texts: pa.Array) -> tuple[pa.Array, pa.Array | None]:
    """Return the address that each text holds, and why where it holds none that a mail may have been sent to.

    Parameters
    ----------
    texts : pyarrow.Array of strings

    Returns
    -------
    tuple of two pyarrow.Array of large_string
        As :func:`read_addresses` and :func:`no_address` return them; None instead of the second one if nothing is
        wrong. A missing text is nothing to be wrong with.
    """
    texts = texts.cast(pa.large_string())
    odd = pa.array((_strange(texts) | ~_one_sign(texts)) & texts.is_valid().to_numpy(zero_copy_only=False))
    if not _any(odd):
        return texts, None
    some = read_addresses(pc.filter(texts, odd))
    reasons = no_address(some)
    if reasons.null_count < len(reasons):
        reasons = pc.replace_with_mask(pa.nulls(len(texts), pa.large_string()), odd, reasons)
    else:
        reasons = None
    return pc.replace_with_mask(texts, odd, some), reasons


def no_address(texts: pa.Array) -> pa.Array:
    """Return why each text is nothing that a mail may have been sent to; missing where it is.

    More is let through than by :func:`problem`: mail is sent to wrong addresses, too, and bounces.

    Parameters
    ----------
    texts : pyarrow.Array of large_string
        As :func:`read_addresses` returns them.

    Examples
    --------
    >>> no_address(text_array(["ann@localhost", "#N/A"])).to_pylist()
    [None, 'no @']
    """
    texts = pc.fill_null(texts, "")
    good = pc.and_not(pc.match_substring_regex(texts, _MAILED_TO), _holds_signs(texts))
    return pc.if_else(good, pa.scalar(None, pa.large_string()), pc.coalesce(problem(texts), _OTHERWISE))


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
    if not _is_ascii(addresses):
        bad = pc.or_(bad, _holds_signs(addresses))
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


def _holds_signs(texts: pa.Array) -> pa.Array:
    """Return which texts hold signs beyond ASCII that stand in no address."""
    foreign = pc.invert(pc.string_is_ascii(texts))
    if not _any(foreign):
        return foreign
    signs = pc.match_substring_regex(pc.filter(texts, foreign), _NO_WORD)
    return pc.replace_with_mask(foreign, foreign, signs)


def domain_of(addresses: pa.Array) -> pa.Array:
    """Return what stands after the last ``@``, else missing."""
    return pc.struct_field(pc.extract_regex(addresses, r"@(?P<domain>[^@]+)$"), "domain")


def _any(mask: pa.Array) -> bool:
    return bool(pc.any(mask).as_py())


def _each(change: Callable[[str], str], texts: pa.Array) -> pa.Array:
    """Return texts changed one by one, equal ones once."""
    values = texts.dictionary_encode()
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    return text_array([change(text) for text in values.dictionary.to_pylist()]).take(values.indices)


def _bytes_of(texts: pa.Array) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return the bytes of texts, and where each begins and the last one ends."""
    _, offsets, data = texts.buffers()
    if not len(texts) or data is None or offsets is None:
        return np.zeros(0, np.uint8), np.zeros(len(texts) + 1, np.int64)
    places = np.frombuffer(offsets, np.int64)[texts.offset : texts.offset + len(texts) + 1]
    return np.frombuffer(data, np.uint8)[places[0] : places[-1]], places - places[0]


def _is_ascii(texts: pa.Array) -> bool:
    return not (_bytes_of(texts)[0] >= 0x80).any()


def _holds(texts: pa.Array, characters: bytes) -> bool:
    """Return whether any of the characters may be in the texts; some twenty times faster than a pattern."""
    data, _ = _bytes_of(texts)
    return any((data == character).any() for character in characters)


_SIGNS = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&'*+/?^_`{|}~.-@"
_PLAIN = np.zeros(256, dtype=bool)
_PLAIN[list(_SIGNS)] = True


def _strange(texts: pa.Array) -> NDArray[np.bool_]:
    """Return which texts have signs, anywhere or at an end, that an address as it should be has not."""
    data, places = _bytes_of(texts)
    odd = np.zeros(len(texts), dtype=bool)
    if not len(data):
        return odd
    if data.tobytes().translate(None, _SIGNS):  # three times as fast as to look where they are
        odd[_rows(np.flatnonzero(~_PLAIN[data]), places)] = True
    filled = places[1:] > places[:-1]
    last = data[np.maximum(places[1:] - 1, 0)]
    odd |= filled & (last == ord("."))
    if (data == ord("'")).any():
        first = data[np.minimum(places[:-1], len(data) - 1)]
        odd |= filled & ((last == ord("'")) | (first == ord("'")))
    return odd


def _one_sign(texts: pa.Array) -> NDArray[np.bool_]:
    """Return which texts have one ``@``, with something on both sides."""
    data, places = _bytes_of(texts)
    signs = np.flatnonzero(data == ord("@"))
    rows = _rows(signs, places)
    inside = (signs > places[rows]) & (signs < places[rows + 1] - 1)
    good: NDArray[np.bool_] = np.bincount(rows, minlength=len(texts)) == 1
    good[rows[~inside]] = False
    return good


def _rows(positions: NDArray[np.int64], places: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.searchsorted(places, positions, side="right") - 1


@functools.lru_cache(maxsize=4096)
def _ascii_domain(domain: str) -> str:
    try:
        return idna.encode(domain, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        return domain  # no such domain can exist; the text stays what it is and equals itself


def _folded(text: str) -> str:
    # lower(), as casefold() would make one mailbox of "straße" and "strasse"
    local, at, domain = unicodedata.normalize("NFC", text).lower().rpartition("@")
    return f"{local}{at}{_ascii_domain(domain)}" if at else domain

r"""Hiding: texts without the addresses, and without the signs that a terminal would obey, that they hold.

Whatever leaves the process and was not asked to show addresses goes through here: messages, warnings, what prints
itself, progress, a terminal, manifests, and what is made to be shared.

An address is what stands before an ``@`` and the name of a host, with or without a dot; the name is not hidden. The
``@`` may be in full width, written as ``%40``, ``&#64;``, ``\u0040`` or ``(at)``, and have blanks around it where a
name with a dot follows. So is what stands before the ``=`` of a return path: ``bounce+ann=example.com``, ``SRS0=…``. No
address are a host or a domain alone, a code, ``dsn@`` or ``@example.com`` without the other half, and the words that
servers give values to, as in ``helo=mx.example.net``.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import pandas as pd

#: What stands where something is not shown.
HIDDEN = "…"

#: Longest name of a file that is shown whole; the longest, and the longest with its folders, that a file system takes.
_LONGEST, _POSSIBLE, _DEEPEST = 200, 255, 4095

#: Longest title of a column that is shown.
_LONGEST_TITLE = 40

# Signs without which no address is there: a first look that costs little.
_FIRST_LOOK = re.compile(
    r"[@\uff20\ufe6b=]|%(?:25)*40|&(?:#|commat)|\\(?:u00|x)40|[(\[{<]\s?at\s?[)\]}>]|SRS|PRVS", re.IGNORECASE
)

_INVISIBLE = "\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff"
_SIGN = (
    r"(?:[@\uff20\ufe6b]|%(?:25)*40|&(?:\#0*64|\#x0*40|commat);|\\(?:u00|x)40|[(\[{<]\s?at\s?[)\]}>]"
    rf")[{_INVISIBLE}]*"
)
_LABEL = r"[^\W_](?:[\w-]*[^\W_])?"
_DOTS = r"(?:[.\uff0e\u3002]|\s?[(\[{]dot[)\]}]\s?)"
_DOTTED = rf"{_LABEL}(?:{_DOTS}{_LABEL})*{_DOTS}[^\W\d_]"
# A run of what may stand before the sign; a slash, a colon or a bracket begins another word.
_PLAIN = r"""[^\s<>()\[\]{},;:"'`/\\|@\uff20\ufe6b%&=\u2018-\u201f\u00ab\u00bb]"""
_RUN = rf"(?<!{_PLAIN})(?<![%&=])(?<!\w')(?:{_PLAIN}|%(?!(?:25)*40)|&(?!\#|commat)|=(?!40)|(?<=\w)'(?=\w))++"
_QUOTED = r'"{1,2}(?:[^"\n\\]|\\.){1,64}?\\?"{1,2}'
_SLASHES = r"(?:/[^\s/@]{1,64}){2,10}/"  # of X.400
_COMMENT = r"(?:\s?\([^()\n]{0,64}\))?"
# what may stand between a name and its sign: a comment, and what closes or doubles by mistake
_BETWEEN = r"""(?:\s?\([^()\n]{0,64}\)|[)\]}>'"`\\@\uff20\u2018-\u201f\u00ab\u00bb]){0,3}"""

_ADDRESS = re.compile(
    rf"(?:(?:{_QUOTED}|{_SLASHES}){_COMMENT}|{_RUN}{_BETWEEN})"
    rf"(?={_SIGN}[\w\[]|\s{{0,3}}{_SIGN}\s{{0,3}}{_DOTTED}|=40{_DOTTED})",
    re.IGNORECASE,
)
_SENDERS_SCHEME = re.compile(r"\b(?:SRS[01]|PRVS)[=+-][^\s<>@\"']+", re.IGNORECASE)
_RETURN_PATH = re.compile(rf"(?<![\w.+:?&;=@%-])(?P<name>[\w.+:-]++)=(?={_DOTTED}[\w.-]*(?![\w@]))")
_WORDS_OF_SERVERS = re.compile(
    "a|action|arc|b|by|client|column|d|dkim|dmarc|dns|domain|ehlo|file|from|h|helo|host|hostname|href|i|id|identity|ip|mta"
    "|mx|name|ns|out|path|policy|ptr|rdns|receiver|relay|s|sender|server|site|source|spf|src|to|url|v|with|zone"
    r"|(?:smtp\.)?m(?:ail)?from|envelope-from|header\.[a-z]+|smtp\.[a-z]+",
    re.IGNORECASE,
)

_IP = re.compile(
    r"(?<![\w.:])(?:(?:\d{1,3}\.){3}\d{1,3}|[0-9a-f]{0,4}:[0-9a-f:.]*:[0-9a-f.]*)(?![\w:]|\.\d)",
    re.IGNORECASE,
)

# what begins like an export, or has lines, is no name of a file
_CONTENT = re.compile(r"""\s*(?:\{\s*["'{\[}]|\[\s*["'{\[\]]|<[?!]|<[^>]*>.*<)|[^\n]*[\n\0]""")


def without_addresses(text: str) -> str:
    """Return a text in which of every address only the domain is left.

    Examples
    --------
    >>> without_addresses("550 <ann@example.com>: write to bo (at) example.org, or ask mx1.example.net")
    '550 <…@example.com>: write to … (at) example.org, or ask mx1.example.net'
    >>> without_addresses("lists/bounce+ann=example.com and dsn@")
    'lists/…=example.com and dsn@'
    """
    if not _FIRST_LOOK.search(text):
        return text
    for pattern, put in HIDES:
        text = pattern.sub(put, text)
    return text


def _hidden(_: re.Match[str]) -> str:
    return HIDDEN


def _unless_said(match: re.Match[str]) -> str:
    word = re.split(r"[:+]", match["name"])[-1]
    return match[0] if _WORDS_OF_SERVERS.fullmatch(word) else f"{HIDDEN}="


#: What hides addresses in a text, one after the other: a pattern, and what is put in the place of what it finds.
HIDES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (_ADDRESS, _hidden),
    (_SENDERS_SCHEME, _hidden),
    (_RETURN_PATH, _unless_said),
)


def without_ips(text: str) -> str:
    """Return a text without the addresses of machines.

    Examples
    --------
    >>> without_ips("[192.0.2.7] and 2001:db8::7 at 10:04:05, version 1.2.3")
    '[…] and … at 10:04:05, version 1.2.3'
    """
    return _IP.sub(_unless_other, text)


def _unless_other(match: re.Match[str]) -> str:
    bare = match[0].rstrip(".")
    try:
        ipaddress.ip_address(bare)
    except ValueError:
        return match[0]
    if not any(sign.isdigit() for sign in bare):
        return match[0]  # std::abc
    return HIDDEN + match[0][len(bare) :]


def domains_only(values: pd.Series[str], *also: Callable[[str], str]) -> pd.Series[str]:
    """Return a column of texts in which of every address only the domain is left, and what else is to be hidden.

    Examples
    --------
    >>> import pandas as pd
    >>> domains_only(pd.Series(["550 write to ann@example.com"]))[0]
    '550 write to …@example.com'
    """
    told: dict[str, str] = {}
    for text in values.dropna().unique():
        if isinstance(text, str):
            changed = without_addresses(text)
            for change in also:
                changed = change(changed)
            if changed != text:
                told[text] = changed
    if not told:
        return values
    plain: Any = values.astype(values.cat.categories.dtype) if values.dtype == "category" else values
    shown: pd.Series[str] = plain.map(lambda text: told.get(text, text), na_action="ignore")
    return shown.astype(plain.dtype)


def to_share(frame: pd.DataFrame, *also: Callable[[str], str]) -> pd.DataFrame:
    """Return a frame with :func:`domains_only` in all its columns of texts.

    Examples
    --------
    >>> import pandas as pd
    >>> to_share(pd.DataFrame({"domain": ["example.com"], "reply": ["no ann@example.com"]})).loc[0, "reply"]
    'no …@example.com'
    """
    texts = frame.select_dtypes(["string", "object", "category"])
    return frame.assign(**{str(name): domains_only(column, *also) for name, column in texts.items()})


def printable(text: str) -> str:
    r"""Return a text without what a terminal would obey: escapes, bells, and what turns the direction of writing.

    Lines and tabs stay.

    Examples
    --------
    >>> printable("a\x1b[2Jb\u202ec")
    'a�[2Jb�c'
    """
    if text.isprintable():
        return text
    return "".join("�" if sign not in "\n\t" and _obeyed(sign) else sign for sign in text)


def _obeyed(sign: str) -> bool:
    # "Cf" are those that nobody sees, and those that reverse the direction; "Zl" and "Zp" end a line in some terminals
    return unicodedata.category(sign) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}


def discreet(text: str) -> str:
    """Return a text of ours as a message shows it, whatever of others is quoted in it."""
    return printable(without_addresses(text))


def shown(name: object) -> str:
    """Return a name of a file as a message shows it: in one line, not long, and without addresses.

    Content that was given where a name belongs is not shown at all.

    Examples
    --------
    >>> shown("lists/ann@example.com.csv"), shown('{"email": "ann@example.com"}')
    ('lists/…@example.com.csv', '<text of 28 characters>')
    """
    text = str(name)
    if is_content(text):
        return f"<text of {len(text):,} characters>"
    text = discreet(text.encode("utf-8", "replace").decode()).replace("\t", "�")
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST // 2 - 1]}…{text[-_LONGEST // 2 :]}"


def is_content(text: str) -> bool:
    """Return whether a text can be no name of a file: it has lines, begins like JSON or XML, or is too long for one."""
    if _CONTENT.match(text):
        return True
    name = text.encode("utf-8", "replace")
    return len(name) > _DEEPEST or max(map(len, name.split(b"/"))) > _POSSIBLE


# titles of columns, and keys


def shown_titles(names: Iterable[object], columns: Iterable[Iterable[object]] = (), most: int = 8) -> str:
    """Return the titles of a table as a message shows them; of what is somebody's row, only how many cells it has.

    Parameters
    ----------
    names : iterable of str
        What was taken for titles.
    columns : iterable of iterables of str, optional
        Some of the cells below each.
    most : int, default 8
        How many are shown.

    Examples
    --------
    >>> shown_titles(["id", "name"]), shown_titles(["Ann Ash", "+49 30"], [["Bo Bay", "Cy Cox"], ["+33 1"]])
    ('id, name', '(2 without titles)')
    """
    listed = [str(name) for name in names]
    if not listed:
        return "(none)"
    if is_a_row(listed, columns):
        return f"({len(listed)} without titles)"
    shortened = [discreet(name.replace("\n", " "))[:_LONGEST_TITLE] for name in listed[:most]]
    return ", ".join(shortened) + (" …" if len(listed) > most else "")


def is_a_row(names: Sequence[str], columns: Iterable[Iterable[object]] = ()) -> bool:
    """Return whether what was taken for titles is somebody's row: with an address, or built as the cells below."""
    if any(_NUMBER.fullmatch(name) or _is_address(name) for name in names):
        return True
    usual = [{_built(cell) for cell in cells if isinstance(cell, str) and cell} for cells in columns]
    alike = sum(_built(name) in built for name, built in zip(names, usual, strict=False))
    return 2 * alike > len(names)


def _is_address(name: str) -> bool:
    hidden = without_addresses(name)
    return hidden != name and hidden.startswith(HIDDEN)


_NUMBER = re.compile(r"[\d\s()+./-]{6,}")  # of a telephone
_YEAR = re.compile(r"(?:19|20)\d\d")


def _built(text: str) -> str:
    """Return a text with a sign for each run of letters or digits.

    >>> _built("Nia Noll, +49 30"), _built("first_name")
    ('Aa Aa, +9 9', 'a_a')
    """
    if _YEAR.fullmatch(text):
        return "year"  # the title of a column of numbers
    for run, sign in ((r"\d+", "9"), (r"[^\W\d_a-z]+", "A"), (r"[a-z]+", "a")):
        text = re.sub(run, sign, text)
    return text

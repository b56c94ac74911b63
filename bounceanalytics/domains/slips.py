"""Slips of the finger: what was mistyped, if one domain is another one mistyped.

A slip is one letter dropped, doubled, swapped with its neighbour, or hit beside or together with another one on a
QWERTY, QWERTZ or AZERTY keyboard; a dot or hyphen missing, too many or in the wrong place; a sign that looks like
another one, of any script. In a top-level domain that does not exist any letter may be wrong: ``.cok`` is ``.com``.
"""

from __future__ import annotations

import tomllib
import unicodedata
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from bounceanalytics.domains.suffixes import is_top_level

if TYPE_CHECKING:
    from collections.abc import Iterator

_KEYBOARDS = (
    ("1234567890-", "qwertyuiop", "asdfghjkl", "zxcvbnm"),
    ("1234567890", "qwertzuiop", "asdfghjkl", "yxcvbnm.-"),
    ("1234567890", "azertyuiop", "qsdfghjklm", "wxcvbn"),
)


def _neighbours() -> dict[str, frozenset[str]]:
    """Return the keys beside each key, of all keyboards; a row stands half a key right of the one above it."""
    found: dict[str, set[str]] = {}
    for rows in _KEYBOARDS:
        for upper, row in zip((None, *rows), rows, strict=False):
            for place, key in enumerate(row):
                beside = set(row[max(place - 1, 0) : place + 2])
                if upper is not None:
                    beside |= set(upper[place : place + 2])
                for other in beside - {key}:
                    found.setdefault(key, set()).add(other)
                    found.setdefault(other, set()).add(key)
    return {key: frozenset(others) for key, others in found.items()}


NEIGHBOURS = _neighbours()

#: Signs that are taken for one another when they are read off paper or a screen.
_ALIKE = {
    frozenset(pair) for pair in ("1l", "1i", "il", "0o", "5s", "8b", "2z", "6b", "9g", "9q", "gq", "uv", "-_")
}

#: Two letters that together look like one.
_TWO_ALIKE = (("rn", "m"), ("vv", "w"), ("cl", "d"))


@cache
def _looks() -> dict[str, str]:
    """Return the Latin letters that letters of ``look_alikes.toml`` look like."""
    text = (resources.files("bounceanalytics.domains") / "look_alikes.toml").read_text("utf-8")
    return {sign: letter for letter, signs in tomllib.loads(text).items() for sign in signs}


def readable(domain: str) -> str:
    """Return a domain as people read it.

    >>> readable("xn--bcher-kva.example")
    'bücher.example'
    """
    if "xn--" not in domain:
        return domain
    return ".".join(map(_read_label, domain.split(".")))


def _read_label(label: str) -> str:
    try:
        return label[4:].encode("ascii").decode("punycode") if label.startswith("xn--") else label
    except (UnicodeError, ValueError):
        return label


def latin(text: str) -> str:
    r"""Return a text with the Latin letters that its letters look like, one for each.

    Examples
    --------
    >>> latin("gma\u0131l.com"), latin("bücher.example")
    ('gmail.com', 'bucher.example')
    """
    return "".join(map(_latin_letter, unicodedata.normalize("NFC", text)))


def _latin_letter(sign: str) -> str:
    if sign.isascii():
        return sign
    parts = unicodedata.normalize("NFD", sign)
    base, marks = parts[0], parts[1:]
    looks = _looks().get(base, base)
    return looks if all(map(unicodedata.combining, marks)) else sign


def is_accented(typed: str, meant: str) -> bool:
    r"""Return whether nothing but accents tells the two apart, which often stand in names on purpose.

    Examples
    --------
    >>> is_accented("muller.example", "müller.example"), is_accented("gma\u0131l.com", "gmail.com")
    (True, False)
    """
    return _without_marks(typed) == _without_marks(meant)


def _without_marks(text: str) -> str:
    return "".join(sign for sign in unicodedata.normalize("NFD", text) if not unicodedata.combining(sign))


def spelled_alike(domain: str) -> Iterator[str]:
    """Yield what looks like a domain with two letters for one or one for two: ``grnail.com`` for ``gmail.com``.

    Examples
    --------
    >>> list(spelled_alike("modern.example"))
    ['modem.example', 'rnodern.example', 'modern.exarnple', 'moclern.example']
    """
    for two, one in _TWO_ALIKE:
        for old, new in ((two, one), (one, two)):
            at = domain.find(old)
            while at >= 0:
                yield domain[:at] + new + domain[at + len(old) :]
                at = domain.find(old, at + 1)


def slip(typed: str, meant: str) -> str | None:
    """Say what was mistyped; None if one slip does not make the one of the other.

    Parameters
    ----------
    typed, meant : str
        Domains, in the form in which they are read.

    Examples
    --------
    >>> slip("gmial.com", "gmail.com"), slip("gmail.con", "gmail.com"), slip("company.dk", "company.de")
    ('a and i changed places', '.con instead of .com', None)
    """
    if latin(typed) == latin(meant):
        return _looking_alike(typed, meant)
    start, end = _common(typed, meant)
    wrong, right = typed[start : len(typed) - end], meant[start : len(meant) - end]
    said = _slip(wrong, right, typed[:start], typed[len(typed) - end :])
    head, _, suffix = typed.rpartition(".")
    meant_head, _, meant_suffix = meant.rpartition(".")
    if head == meant_head and suffix != meant_suffix:
        lost = not is_top_level(suffix) and is_top_level(meant_suffix)
        possible = said is not None or (lost and max(len(wrong), len(right)) <= 1)
        return f".{suffix} instead of .{meant_suffix}" if possible else None
    return said


def _common(typed: str, meant: str) -> tuple[int, int]:
    """Return how many signs two texts share at the beginning and, of the rest, at the end."""
    least = min(len(typed), len(meant))
    start = next((at for at in range(least) if typed[at] != meant[at]), least)
    end = next((at for at in range(least - start) if typed[-1 - at] != meant[-1 - at]), least - start)
    return start, end


def _slip(wrong: str, right: str, before: str, after: str) -> str | None:
    """Say how one part became another one between two that are right."""
    if len(wrong) == len(right) == 2 and wrong == right[::-1]:
        return _swapped(right)
    if (wrong, right) in _TWO_ALIKE or (right, wrong) in _TWO_ALIKE:
        return f"{wrong} instead of {right}, which looks alike"
    if len(wrong) + len(right) == 1:
        return _missing(right) if right else _extra(wrong, before[-1:], after[:1])
    return _replaced(wrong, right) if len(wrong) == len(right) == 1 else None


def _swapped(right: str) -> str | None:
    if right.isdigit():
        return None  # numbers are names
    if "." in right:
        return "the dot is in the wrong place"
    return f"{right[0]} and {right[1]} changed places"


def _missing(right: str) -> str | None:
    if right.isdigit():
        return None
    return {".": "a dot is missing", "-": "a hyphen is missing"}.get(right, f"{right} is missing")


def _extra(wrong: str, before: str, after: str) -> str | None:
    if wrong.isdigit():
        return None
    if wrong in ".-":
        return "a dot too many" if wrong == "." else "a hyphen too many" if before == "-" else None
    if wrong in (before, after):
        return f"{wrong} is doubled"
    beside = next((key for key in (before, after) if wrong in NEIGHBOURS.get(key, ())), None)
    return f"{wrong} was hit as well as {beside}" if beside else None


def _replaced(wrong: str, right: str) -> str | None:
    if wrong.isdigit() and right.isdigit():
        return None
    if frozenset((wrong, right)) in _ALIKE:
        return f"{wrong} instead of {right}, which looks alike"
    if {wrong, right} == {".", "-"}:
        return "a dot instead of a hyphen" if wrong == "." else "a hyphen instead of a dot"
    return f"{wrong} instead of {right}, the key beside it" if wrong in NEIGHBOURS.get(right, ()) else None


def _looking_alike(typed: str, meant: str) -> str | None:
    normal = unicodedata.normalize("NFC", typed), unicodedata.normalize("NFC", meant)
    pairs = dict.fromkeys(pair for pair in zip(*normal, strict=True) if pair[0] != pair[1])
    said = " and ".join(f"{wrong} instead of {right}" for wrong, right in pairs)
    return f"{said}, which looks alike" if said else None

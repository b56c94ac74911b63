"""Status codes, reply codes and vendors' codes: what each means, why it comes and what to do about it.

The knowledge lies in ``codes/*.toml`` (a file per subject of RFC 3463), ``replies.toml`` and ``vendor_codes.toml``;
this module reads it and derives what follows from a code's reason and class. A row of ``codes/`` states what its
classes share, and a table per class (``[code.2]``, ``[code.4]``, ``[code.5]``) states the rest; only the classes that
have a table exist.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, fields, replace
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from bounceanalytics.errors import UnknownCodeError
from bounceanalytics.knowledge.records import Advice, Code, Related, Wording, outcome
from bounceanalytics.schema import CODE_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import pandas as pd

__all__ = [
    "Advice",
    "Code",
    "Related",
    "Wording",
    "advice",
    "code_reasons",
    "codes",
    "codes_frame",
    "digits",
    "lookup",
    "outcome",
    "replies",
    "vendor_codes",
    "vendor_codes_in",
]


#: First digit of either kind of code.
_CLASS_TITLES = {
    "2": "Success",
    "3": "Positive so far: the server waits for more input",
    "4": "Transient failure (a later attempt may succeed)",
    "5": "Permanent failure (the same message will fail again)",
}

#: Second digit of a reply code; RFC 5321, section 4.2.1. Digits 3 and 4 are unspecified there.
_REPLY_GROUPS = {
    "0": "Syntax",
    "1": "Information",
    "2": "Connection",
    "3": "Not specified",
    "4": "Not specified",
    "5": "Mail system",
}

_ENHANCED = re.compile(r"#?([245])\.(\d{1,3})\.(\d{1,3})", re.ASCII)
_REPLY = re.compile(r"[2-5]\d\d", re.ASCII)

#: Longest text that is taken for a vendor's code, and how much of a text is searched for one.
_LONGEST_CODE, _SEARCHED = 40, 20_000


@dataclass(frozen=True, slots=True)
class _Subject:
    number: int
    title: str
    meaning: str


def digits(code: Code) -> tuple[tuple[str, str], ...]:
    """Return each part of a code with what it says.

    Examples
    --------
    >>> [part for part, meaning in digits(lookup("5.3.1"))]
    ['5', '3', '1']
    """
    if code.kind == "reply":
        first, second, third = list(code.code)
        group = _REPLY_GROUPS.get(second, "Outside the standard's groups")
    else:
        first, second, third = code.code.split(".")
        subject = _subjects().get(int(second))
        group = f"{subject.title}: {subject.meaning}" if subject else "No subject of RFC 3463"
    return ((first, _CLASS_TITLES[first]), (second, group), (third, code.title))


@cache
def codes() -> Mapping[str, Code]:
    """Return every known enhanced status code, by code, in numeric order."""
    return _by_code(code for table in _tables() for row in table["code"] for code in _expand(row))


@cache
def replies() -> Mapping[str, Code]:
    """Return every known SMTP reply code, by code, in numeric order."""
    table = tomllib.loads((_knowledge() / "replies.toml").read_text("utf-8"))
    return _by_code(_build(str(row.pop("code")), "reply", row) for row in table["reply"])


@cache
def vendor_codes() -> Mapping[str, Code]:
    """Return every known code of a mailbox provider or gateway, by code, in the order of the table."""
    table = tomllib.loads((_knowledge() / "vendor_codes.toml").read_text("utf-8"))
    return _unique(_build_vendor(row) for row in table["code"])


def vendor_codes_in(text: str, provider: str | None = None) -> tuple[Code, ...]:
    """Return the vendors' codes that stand in a text, in their order there.

    Parameters
    ----------
    text : str
        Diagnostic.
    provider : str, optional
        Who runs the mailbox, if that is known. Short codes count in texts of their own provider only; where nobody
        is known, if they stand in brackets, as their provider writes them.

    Returns
    -------
    tuple of Code
        With the spelling of the text where a row stands for a family of codes.

    Examples
    --------
    >>> [item.code for item in vendor_codes_in("421 4.7.0 [TSS04] Messages temporarily deferred")]
    ['TSS04']
    """
    searched = text[:_SEARCHED]
    found: dict[str, tuple[int, Code]] = {}
    for row in vendor_codes().values():
        # Case counts here, unlike in a question: "bl21" is no code, and "rp:" stands for other things.
        hit = re.search(rf"(?<!\w)(?:{_spelling(row)})(?!\w)", searched)
        if hit and (not row.ambiguous or _is_of(row, provider, searched, hit.start())):
            found[row.code] = (hit.start(), _as_written(row, hit.group()))
    return tuple(row for _, row in sorted(found.values(), key=lambda item: item[0]))


@cache
def advice(reason: str) -> Advice:
    """Return what a reason means and what to do about it.

    Parameters
    ----------
    reason : str
        Name in :data:`bounceanalytics.schema.REASONS`.

    Returns
    -------
    Advice

    Examples
    --------
    >>> advice("greylisted").do_now[0].startswith("Keep the address")
    True
    """
    row = tomllib.loads((_knowledge() / "reasons.toml").read_text("utf-8"))[reason]
    return Advice(reason, **_frozen(row))


def lookup(code: str | int) -> Code:
    """Return what is known about one code.

    A well-formed code that no registry lists is answered from its class and subject, and says so.

    Parameters
    ----------
    code : str or int
        Enhanced status code (``"5.3.1"``, ``"#5.3.1"``), reply code (``550``, ``"550"``) or code of a vendor
        (``"TSS04"``, ``"[tss04]"``).

    Returns
    -------
    Code

    Raises
    ------
    UnknownCodeError
        If it is no status code.

    References
    ----------
    RFC 3463, section 2 (enhanced status codes); RFC 5321, section 4.2 (reply codes).

    Examples
    --------
    >>> lookup("5.3.1").title
    'Mail system full'
    >>> lookup("5.1.99").registered
    'not registered'
    """
    text = str(code).strip()
    if match := _ENHANCED.fullmatch(text):
        key = ".".join(str(int(part)) for part in match.groups())
        return codes().get(key) or _unregistered(key)
    if _REPLY.fullmatch(text):
        return replies().get(text) or _unlisted(text)
    if vendor := _vendor_code(text):
        return vendor
    # What is no code may be a whole text with somebody's address in it, which no error repeats.
    shown = repr(text) if len(text) <= 12 and "@" not in text else f"a text of {len(text)} characters"
    raise UnknownCodeError(
        f"{shown} is no status code: expected an enhanced status code such as 5.3.1 or an SMTP reply code from 200 "
        f"to 599 such as 550; other numbers, such as Mailgun's 605, are an ESP's own words"
    )


def code_reasons() -> pd.DataFrame:
    """Return the reason of every code, for joining to a frame of events.

    Returns
    -------
    pandas.DataFrame
        ``code`` (enhanced and reply codes alike, as strings), ``reason`` (missing for success), ``specific`` (bool).
        Codes of vendors are left out: the rules of their texts judge them.
        For a detail that is not listed, ask for the subject's general code: ``5.1.99`` is no more than ``5.1.0``.

    Examples
    --------
    >>> frame = code_reasons().set_index("code")
    >>> frame.loc["5.3.1", "reason"]
    'system_full'
    """
    rows = [(row.code, row.reason, row.specific) for row in _all()]
    return CODE_COLUMNS.select(("code", "reason", "specific")).frame(rows)


def codes_frame() -> pd.DataFrame:
    """Return the whole registry as a frame: enhanced status codes, then reply codes, then codes of vendors.

    Returns
    -------
    pandas.DataFrame
        One row per code.

        ======================== ===================================================================================
        ``code``                 string: enhanced status code, reply code, or code of a vendor
        ``kind``                 category: enhanced, reply or vendor
        ``code_class``           category: success, transient or permanent
        ``title``                string: what it is called
        ``meaning``              string: what it means
        ``reason``, ``category`` category: what follows from the code alone
        ``bounce_type``          category (hard, soft, block, suppressed, none, unknown): what follows from the code
                                 alone
        ``fault``                category (recipient, receiver, sender, content, esp, unknown): what follows from
                                 the code alone
        ``action``               category (remove, retry, fix, review): what follows from the code alone
        ``specific``             bool: whether the code alone tells the reason
        ``causes``               list of strings: why it comes
        ``do_now``               list of strings: what to do at once
        ``do_later``             list of strings: what to do later
        ``investigate``          list of strings: what to look into
        ``recipient_side``       list of strings: what the recipient's side can do
        ``practices``            list of strings: good practice
        ``related``              list of strings: "code: difference"
        ``texts``                list of strings: "kind: text"
        ``disputed``             string: where sources disagree on it
        ``source``               string: RFC section or page of the vendor
        ``registered``           string: IANA, the vendor that made the code up, or not registered
        ======================== ===================================================================================

    Examples
    --------
    >>> frame = codes_frame().set_index("code")
    >>> frame.loc["5.3.1", ["reason", "bounce_type", "action"]].tolist()
    ['system_full', 'hard', 'remove']
    """
    rows = [*_all(), *vendor_codes().values()]
    outcomes = [outcome(row.reason, row.code_class) for row in rows]

    concluded = ("bounce_type", "category", "fault", "action")
    columns: dict[str, list[Any]] = {
        name: [getattr(one, name) for one in (outcomes if name in concluded else rows)]
        for name in CODE_COLUMNS.names
    }
    columns["related"] = [[f"{one.code}: {one.difference}" for one in row.related] for row in rows]
    columns["texts"] = [
        [f"{one.kind}: {one.text}" if one.kind else one.text for one in row.texts] for row in rows
    ]
    return CODE_COLUMNS.frame(columns)


def _all() -> list[Code]:
    return [*codes().values(), *replies().values()]


def _knowledge() -> Any:
    return resources.files("bounceanalytics.knowledge")


@cache
def _tables() -> tuple[dict[str, Any], ...]:
    folder = _knowledge() / "codes"
    files = sorted(
        (item for item in folder.iterdir() if item.name.endswith(".toml")), key=lambda item: item.name
    )
    return tuple(tomllib.loads(item.read_text("utf-8")) for item in files)


@cache
def _subjects() -> dict[int, _Subject]:
    return {table["subject"]["number"]: _Subject(**table["subject"]) for table in _tables()}


def _expand(row: Mapping[str, Any]) -> Iterator[Code]:
    """Yield a row once per class that it has a table for, and once per number of its range."""
    shared = {name: value for name, value in row.items() if name not in {"number", "through", "2", "4", "5"}}
    subject, detail = (int(part) for part in row["number"].split("."))
    for digit in "245":
        if digit not in row:
            continue
        for number in range(detail, row.get("through", detail) + 1):
            yield _build(f"{digit}.{subject}.{number}", "enhanced", {**shared, **row[digit]})


def _build(code: str, kind: Literal["enhanced", "reply", "vendor"], row: Mapping[str, Any]) -> Code:
    known = {field.name for field in fields(Code)}
    if unknown := set(row) - known:
        raise ValueError(f"code {code}: unknown columns {', '.join(sorted(unknown))}")
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in row.items()
    }
    values["related"] = tuple(Related(**item) for item in row.get("related", ()))
    values["texts"] = tuple(Wording(**item) for item in row.get("texts", ()))
    built = Code(code=code, kind=kind, **values)
    # What the classes of a row share need not fit success, which has no reason to act upon.
    return replace(built, reason=None, specific=True) if built.code_class == "success" else built


def _build_vendor(row: Mapping[str, Any]) -> Code:
    values = {name: value for name, value in row.items() if name not in {"code", "vendor", "class"}}
    return _build(
        row["code"],
        "vendor",
        {**values, "registered": row["vendor"], "stated_class": row.get("class", "permanent")},
    )


def _vendor_code(text: str) -> Code | None:
    """Return the vendor's code that a text consists of, in whatever case and brackets it is written."""
    if len(text) > _LONGEST_CODE:
        return None
    bare = text.strip("[]()")
    for row in vendor_codes().values():
        wanted = re.compile(_spelling(row), re.IGNORECASE)
        if match := wanted.fullmatch(text) or wanted.fullmatch(bare):
            return _as_written(row, match.group().upper())
        if text.lower() == row.code.lower():
            return row
    return None


def _is_of(row: Code, provider: str | None, text: str, start: int) -> bool:
    """Return whether a short code that begins at ``start`` is the one of its provider."""
    if provider:
        return provider == row.provider
    return not {"[", "("}.isdisjoint(text[max(start - 1, 0) : start + 1])


def _spelling(row: Code) -> str:
    return row.pattern or re.escape(row.code)


def _as_written(row: Code, text: str) -> Code:
    """Return a row under the spelling that was met, where it stands for a family of codes."""
    return replace(row, code=text) if "…" in row.code else row


def _by_code(rows: Iterable[Code]) -> Mapping[str, Code]:
    return _unique(sorted(rows, key=_numeric))


def _unique(rows: Iterable[Code]) -> Mapping[str, Code]:
    known: dict[str, Code] = {}
    for row in rows:
        if row.code in known:
            raise ValueError(f"code {row.code} is stated twice")
        known[row.code] = row
    return MappingProxyType(known)


def _frozen(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in row.items()}


def _unregistered(code: str) -> Code:
    """Return what class and subject alone say of an enhanced code that no registry lists."""
    digit, subject, detail = code.split(".")
    general = codes().get(f"{digit}.{subject}.0") or codes()[f"{digit}.0.0"]
    known = _subjects().get(int(subject))
    about = (
        f"subject {subject} ({known.title.lower()})"
        if known
        else f"subject {subject}, which no standard defines"
    )
    return replace(
        general,
        code=code,
        title=f"{known.title if known else 'Unknown subject'}, detail {detail} (not registered)",
        meaning=f"{_CLASS_TITLES[digit]}, {about}. No registry known to this package lists the detail {detail}, so "
        f"the code says no more than {general.code}; the text beside it has the answer.",
        source="RFC 3463, section 2",
        registered="not registered",
        specific=False,
        related=(Related(general.code, "the registered general code of the same class and subject"),),
        texts=(),
        disputed="",
    )


def _unlisted(code: str) -> Code:
    """Return what the first digit alone says of a reply code that no standard lists."""
    general = {"2": "250", "3": "354", "4": "451", "5": "554"}[code[0]]
    reason = None if code[0] in "23" else "unclassified"
    return Code(
        code=code,
        kind="reply",
        title=f"Reply {code} (not registered)",
        meaning=f"{_CLASS_TITLES[code[0]]}. No standard lists this reply code; RFC 5321 tells a sender to act on the "
        f"first digit alone, and the text beside it has the answer.",
        source="RFC 5321, section 4.2",
        registered="not registered",
        reason=reason,
        specific=reason is None,
        related=(Related(general, "the general reply of the same class"),),
    )


def _numeric(row: Code) -> tuple[int, ...]:
    return tuple(int(part) for part in row.code.split("."))

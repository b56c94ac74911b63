"""Text rules, the ESPs' own words and mailbox providers, read from the tables beside this module and checked.

``rules/*.toml`` hold the text rules, one file per theme; ``esps/*.toml`` say what the words of an ESP mean;
``mailbox_providers.toml`` tells who runs a mailbox. ``README.md`` describes the columns and the precedence.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from dataclasses import MISSING, dataclass, fields
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from bounceanalytics.errors import FormatError, SourceError, listed
from bounceanalytics.files import parsed_toml, path_of, settings_text
from bounceanalytics.knowledge.wrappers import COMMANDS
from bounceanalytics.schema import ACTIONS, PROVIDERS, REASONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_Row = TypeVar("_Row", "TextRule", "EspWord", "MailboxProvider")

#: Letters that no Unicode decomposition makes plain.
PLAIN_LETTERS = (("ß", "ss"), ("ł", "l"), ("ø", "o"), ("æ", "ae"), ("œ", "oe"), ("\u0131", "i"), ("đ", "d"))

#: The columns of an ESP's own words: what the first says of an address counts before what the others say.
WORD_COLUMNS = ("esp_reason", "esp_type", "esp_event")

#: Wishes of a recipient: no mail at all, none of one kind, mail again.
WISHES = ("complained", "unsubscribed", "unsubscribed_partly", "resubscribed")

#: What does not tell words of ESPs apart: ``Hard Bounce``, ``hard_bounce`` and ``hardbounce`` are one.
BETWEEN_WORDS = r"[\s_.-]+"

_NOTHING = pa.array([""], pa.large_string())
_MARKS = re.compile("[\u0300-\u036f]")

#: Characters of a pattern, words put in. Ours have 2,250 at most; a search takes time and memory for each.
LONGEST_PATTERN = 20_000

#: What the shared dialect of Hyperscan, RE2 and ``re`` leaves out, and why.
_NOT_IN_DIALECT = (
    (re.compile(r"(?<!\\)\(\?(?!:)"), "look-around, flags and named groups"),
    (re.compile(r"\\[1-9]"), "back-references"),
    (re.compile(r"\[\^"), "negated classes (they would run over the end of a text)"),
    (re.compile(r"\\[^bd.?*+()\[\]{}|^$\\/-]"), "escapes other than \\b, \\d and those of a sign"),
    (re.compile(r"[*+?}][+]"), "possessive quantifiers"),
    (re.compile(r"(?<!\\)\.[*+]\??$"), "an open end"),
    (re.compile(r"[^\x00-\x7f]\\b|\\b[^\x00-\x7f]"), "\\b beside a letter outside ASCII"),
    (re.compile(r"[^\x00-\x7f][*+?{]"), "a quantifier on a letter outside ASCII (texts are read as bytes)"),
    (
        re.compile(r"\[[^\]]*[^\x00-\x7f][^\]]*\]"),
        "letters outside ASCII in a class (texts are read as bytes)",
    ),
    (re.compile(r"\n"), "line breaks"),
)


@dataclass(frozen=True, slots=True)
class TextRule:
    """A phrase that servers use, and what it means.

    Attributes
    ----------
    id : str
        Stable; stands in the ``rule`` column.
    pattern : str
        Regular expression in the shared dialect, searched in the normal form of a text.
    reason : str
        Name in :data:`bounceanalytics.schema.REASONS`.
    example : str
        A text that this rule wins.
    source : str
        Whose phrase it is: server, ESP or postmaster page.
    added : datetime.date
    language : str
        ISO 639-1 code of the phrase.
    provider : str
        Mailbox provider whose texts it is for; empty for all.
    after : str
        ``code`` for a phrase so general that a specific enhanced status code knows better; ``keeping code`` for one
        that is asked before such a code, but only where that would remove the address; else empty.
    command : str
        What the server answered to, as in :data:`bounceanalytics.knowledge.wrappers.COMMANDS`; several with blanks
        between. The rule is then asked about replies to these only; empty for all texts.
    action : str
        What to do with the address, for the reason ``suppressed`` only; empty for the reason's own action.
    final : bool
        True if the phrase leaves no doubt, so that a transient code does not soften the verdict.
    """

    id: str
    pattern: str
    reason: str
    example: str
    source: str
    added: dt.date
    language: str = "en"
    provider: str = ""
    after: str = ""
    command: str = ""
    action: str = ""
    final: bool = False


@dataclass(frozen=True, slots=True)
class EspWord:
    """What a word of an ESP means.

    Attributes
    ----------
    id : str
    provider : str
        One of :data:`bounceanalytics.schema.PROVIDERS`.
    column : str
        ``esp_type``, ``esp_reason`` or ``esp_event``; several with blanks between.
    word : str
        In plain form (:func:`plain_word`); compared with the whole value, with its beginning if it ends in ``*``, with
        any part of it if it begins with one, too.
    tried : bool
        False if the ESP did not try to deliver.
    counted : bool
        True if such a message counts in the bounce rate that the ESP holds against the account, tried or not.
    reason : str
        Name in :data:`bounceanalytics.schema.REASONS`; empty if the word alone tells nothing.
    action : str
        For the reason ``suppressed``; empty for the reason's own action.
    type : str
        ``hard``, ``soft`` or ``block``: the kind of bounce where nothing names a reason; empty if it does not say.
    vote : str
        ``remove``, ``keep`` or empty: what the word says about the address, for the ``conflict`` column.
    silent : tuple of str
        Reasons about which it says nothing after all, since it groups them with others.
    wish : str
        One of :data:`WISHES`: what the recipient wants; empty if the word tells no wish.
    anew : bool
        The wish is all that holds from then on: earlier ones of the address count no more, complaints aside.
    passing : bool
        It is the name of a list that is a log: mail is still sent to who is on it.
    source : str
    event : str
        Event that the word is read for; empty for all.
    """

    id: str
    provider: str
    column: str
    word: str
    source: str
    event: str = ""
    tried: bool = True
    counted: bool = False
    reason: str = ""
    action: str = ""
    type: str = ""
    vote: str = ""
    silent: tuple[str, ...] = ()
    wish: str = ""
    anew: bool = False
    passing: bool = False


@dataclass(frozen=True, slots=True)
class MailboxProvider:
    """Who runs mailboxes, and what gives them away.

    Attributes
    ----------
    name : str
        Value of the ``mailbox_provider`` column.
    title : str
    domains : tuple of str
        Domains of addresses, as they stand behind the @; ``yahoo.*`` stands for every ending, ``*.rr.com`` for every
        domain below.
    hosts : tuple of str
        Ends of the names of receiving hosts.
    texts : tuple of str
        Patterns in the shared dialect, found in the texts of these servers only.
    """

    name: str
    title: str
    domains: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()


def without_accents(text: str) -> str:
    """Return a text in lower case with its letters in their plain form: ``é`` is ``e``, ``ß`` is ``ss``.

    Parameters
    ----------
    text : str

    Returns
    -------
    str
        Compatibility forms are unified as well (Unicode NFKC).

    Examples
    --------
    >>> without_accents("Empfänger gelöscht")
    'empfanger geloscht'
    """
    if text.isascii():
        return text.lower()
    bare = _MARKS.sub("", unicodedata.normalize("NFKD", text.lower()))
    for letter, plain in PLAIN_LETTERS:
        bare = bare.replace(letter, plain)
    return unicodedata.normalize("NFKC", bare)


def why_not_in_dialect(pattern: str) -> str:
    """Return what a pattern holds that the three engines do not read alike; empty if it is fine.

    Parameters
    ----------
    pattern : str

    Returns
    -------
    str

    Examples
    --------
    >>> why_not_in_dialect(r"user (?:is )?unknown")
    ''
    >>> why_not_in_dialect(r"user (?!known)")
    'look-around, flags and named groups'
    """
    if pattern != pattern.lower():
        return "capital letters (texts are compared in lower case)"
    if len(pattern) > LONGEST_PATTERN:
        return f"more than {LONGEST_PATTERN:,} characters; make several rules of it"
    for forbidden, name in _NOT_IN_DIALECT:
        if forbidden.search(pattern):
            return name
    try:
        found = re.compile(pattern, re.ASCII)
        pc.match_substring_regex(_NOTHING, pattern)
    except re.error as error:
        return f"a mistake ({error})"
    except (RecursionError, OverflowError, pa.ArrowInvalid):
        return "more groups or repetitions than a search can bear; make several rules of it"
    return "a match of the empty text" if found.search("") else ""


@cache
def rules() -> tuple[TextRule, ...]:
    """Return the text rules of the package in the order in which they are asked."""
    folder = resources.files("bounceanalytics.knowledge") / "rules"
    tables = [
        (item.name, _parse(item.read_text("utf-8"), item.name))
        for item in folder.iterdir()
        if item.name.endswith(".toml")
    ]
    ordered = sorted(tables, key=lambda entry: (entry[1].get("order", 0), entry[0]))
    # checked by the tests; checking here would cost every program half a second
    return tuple(rule for name, table in ordered for rule in _rules_of(table, name))


def read_rules(paths: str | Path | Iterable[str | Path]) -> tuple[TextRule, ...]:
    """Read the user's own rules.

    Parameters
    ----------
    paths : path or list of paths
        TOML files with ``[[rule]]`` tables; ``id``, ``pattern`` and ``reason`` are needed.

    Returns
    -------
    tuple of TextRule
        In the order of the files and of the rows in them.

    Raises
    ------
    SourceError
        If a file cannot be read.
    FormatError
        If a file is no TOML, or a rule in it is not right; all problems are named at once.
    """
    files = _paths(paths)
    found = parse_rules(files)
    if problems := problems_of(found):
        raise FormatError(f"{', '.join(map(str, files))}: {listed(problems, '; ')}")
    return found


def parse_rules(paths: str | Path | Iterable[str | Path]) -> tuple[TextRule, ...]:
    """Read the user's own rules without a look at what is in them; see :func:`read_rules`."""
    files = _paths(paths)
    found: list[TextRule] = []
    for file in files:
        try:
            text = settings_text(file)
        except UnicodeDecodeError:
            raise SourceError(f"cannot read the rules in {file}: it is no text in UTF-8") from None
        except OSError as error:
            raise SourceError(f"cannot read the rules in {file}: {error.strerror}") from None
        found.extend(_rules_of(_parse(text, str(file)), str(file), {"example": "", "source": "the user"}))
    return tuple(found)


def _paths(paths: str | Path | Iterable[str | Path]) -> list[Path]:
    return [path_of(path, what="rules") for path in ([paths] if isinstance(paths, str | Path) else paths)]


def problems_of(found: Iterable[TextRule]) -> list[str]:
    """Return everything that is wrong with some rules, a sentence each; empty if nothing is.

    Parameters
    ----------
    found : iterable of TextRule

    Returns
    -------
    list of str
    """
    problems: list[str] = []
    seen: set[str] = set()
    for rule in found:
        if rule.id in seen:
            problems.append(f"{rule.id}: the id stands twice")
        seen.add(rule.id)
        if rule.reason not in REASONS:
            problems.append(f"{rule.id}: unknown reason {rule.reason!r}")
        if rule.after not in {"", "code", "keeping code"}:
            problems.append(f"{rule.id}: after must be 'code', 'keeping code' or empty")
        if unknown := set(rule.command.split()) - set(COMMANDS):
            problems.append(f"{rule.id}: unknown command {', '.join(sorted(unknown))}")
        if rule.action and (rule.reason != "suppressed" or rule.action not in ACTIONS):
            problems.append(f"{rule.id}: action is for the reason suppressed, one of {', '.join(ACTIONS)}")
        if why := why_not_in_dialect(rule.pattern):
            problems.append(f"{rule.id}: the pattern holds {why}")
    return problems


@cache
def esp_words() -> tuple[EspWord, ...]:
    """Return what the ESPs' words mean."""
    tables = ((name, f"esps/{name}.toml") for name in PROVIDERS)
    return tuple(
        _build(EspWord, _plain_row(row) | {"provider": name}, file)
        for name, file in tables
        for row in _package_table(file)["word"]
    )


def plain_word(word: str) -> str:
    """Return a word of an ESP as words are compared: in lower case, with nothing between its parts.

    >>> plain_word("Hard_Bounce")
    'hardbounce'
    """
    return re.sub(BETWEEN_WORDS, "", word.lower())


def _plain_row(row: Mapping[str, Any]) -> dict[str, Any]:
    plain = {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}
    return plain | ({"word": plain_word(row["word"])} if "word" in row else {})


@cache
def mailbox_providers() -> tuple[MailboxProvider, ...]:
    """Return the known mailbox providers; the first one that fits is taken."""
    table = _package_table("mailbox_providers.toml")
    return tuple(
        _build(
            MailboxProvider,
            {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()},
            "mailbox_providers.toml",
        )
        for row in table["provider"]
    )


def mailbox_title(name: str, domain: str = "") -> str:
    """Return the name of a mailbox provider as it writes itself.

    Parameters
    ----------
    name : str
        Value of the ``mailbox_provider`` column.
    domain : str, default ""
        What to say instead of "Other".

    Returns
    -------
    str
        Its title without what stands there in brackets; a name that is not in the table as it is, with a capital.

    Examples
    --------
    >>> mailbox_title("laposte"), mailbox_title("google"), mailbox_title("other")
    ('La Poste', 'Google', 'Other')
    """
    if name == "other" and domain:
        return domain
    return _mailbox_titles().get(name) or name[:1].upper() + name[1:].replace("_", " ")


@cache
def _mailbox_titles() -> dict[str, str]:
    return {one.name: one.title.partition(" (")[0] for one in mailbox_providers()}


def _package_table(name: str) -> dict[str, Any]:
    return _parse((resources.files("bounceanalytics.knowledge") / name).read_text("utf-8"), name)


def _parse(text: str, name: str) -> dict[str, Any]:
    try:
        return parsed_toml(text)
    except ValueError as error:
        raise FormatError(f"{name} is not valid TOML: {error}") from None


def _rules_of(
    table: Mapping[str, Any], name: str, optional: Mapping[str, Any] | None = None
) -> list[TextRule]:
    rows = table.get("rule")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise FormatError(f"{name} holds no [[rule]] tables; found: {listed(list(table)) or 'nothing'}")
    start = {"added": dt.date.today()} if optional is not None else {}
    tables = {one: table.get(one, {}) for one in ("defaults", "words")}
    wrong = [one for one, values in tables.items() if not isinstance(values, dict)]
    wrong += (
        [one for one, value in tables["words"].items() if not isinstance(value, str)] if not wrong else []
    )
    if wrong:
        raise FormatError(f"{name}: {listed(wrong)} must be a table, or a text in [words]")
    defaults = {**start, **(optional or {}), **tables["defaults"]}
    return [
        _build(TextRule, _expanded({**defaults, **row}, tables["words"], where), where)
        for row, where in ((row, f"{name}, rule {number}") for number, row in enumerate(rows, 1))
    ]


def _expanded(row: dict[str, Any], words: Mapping[str, str], where: str) -> dict[str, Any]:
    pattern = row.get("pattern", "")
    return {**row, "pattern": _expand(pattern, words, where) if isinstance(pattern, str) else pattern}


def _expand(pattern: str, words: Mapping[str, str], where: str) -> str:
    """Put the file's own vocabulary in place of ``%name%``."""
    for name, expression in words.items():
        length = len(pattern) + pattern.count(f"%{name}%") * len(expression)
        if length > LONGEST_PATTERN:  # told before it is done: words within words multiply
            raise FormatError(
                f"{where}: the pattern has more than {LONGEST_PATTERN:,} characters with the words in it;"
                " shorten it, or make several rules of it"
            )
        pattern = pattern.replace(f"%{name}%", expression)
    return pattern if pattern.isascii() else without_accents(pattern)


#: What a field of a row may be, by the name of its type, and how a message calls it.
_KINDS: dict[Any, tuple[type, str]] = {
    "str": (str, "a text"),
    "bool": (bool, "true or false"),
    "dt.date": (dt.date, "a date"),
}


def _build(kind: type[_Row], values: Mapping[str, Any], where: str) -> _Row:
    known = {field.name: field for field in fields(kind)}
    strange = [name for name in values if name not in known]
    missing = [name for name, field in known.items() if field.default is MISSING and name not in values]
    wrong: list[str] = [
        f"{name} must be {_KINDS[field.type][1]}"
        for name, field in known.items()
        if name in values and field.type in _KINDS and not isinstance(values[name], _KINDS[field.type][0])
    ]
    if strange or missing or wrong:
        parts: list[str] = [f"unknown {listed(strange)}"] if strange else []
        parts += [f"missing {', '.join(missing)}"] if missing else []
        raise FormatError(f"{where}: {'; '.join([*wrong, *parts])}; a row may have {', '.join(known)}")
    return kind(**values)

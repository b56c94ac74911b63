"""An export format: how it is recognised and how its fields become event columns, as a row of a table."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from bounceanalytics.database import literal
from bounceanalytics.loading.formats.spelling import Spelling, Structure, squeezed
from bounceanalytics.schema import ESPS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

#: What an ESP module says about each row, as SQL over the fields of a record; what is left out is NULL.
#: All are text except ``event`` (a value of ``schema.EVENTS``), ``attempt`` (a number from 1) and ``suspect`` (a truth
#: value); ``tags`` are a JSON list.
RAW_COLUMNS = (
    "event",
    "esp_event",
    "esp_type",
    "esp_reason",
    "recipient",  # may still carry a display name or brackets
    "time",  # in any of the styles that normalise.py reads
    "message_id",
    "event_id",
    "reply",  # a field of its own that holds the SMTP reply code
    "status",  # a field of its own that holds the enhanced status code, or a bare reply code
    "text",  # what the remote server said
    "own_text",  # what the ESP said where no remote server spoke
    "remote_host",
    "sending_ip",
    "tags",
    "attempt",
    "suspect",  # one of several who may have done it
)

_TYPES = {"attempt": "INTEGER", "suspect": "BOOLEAN"}

Kind = Literal["json", "csv", "body"]


@dataclass(frozen=True, slots=True)
class Sign:
    """Keys by which a record of a format is known wherever it lies.

    Keys are joined from the outermost one to the innermost, and compared without case and punctuation.

    Attributes
    ----------
    needs : str
        Keys that it has, separated by blanks; the value of the first is a word.
    words : collection of str
        The word is one of these, in lower case and without punctuation; any word if empty.
    lacks : str
        Keys that it does not have.
    loose : bool
        So little that it is asked after all others, and not of a table, which may be anybody's.
    """

    needs: str
    words: frozenset[str] = frozenset()
    lacks: str = ""
    loose: bool = False


@dataclass(frozen=True, kw_only=True)
class Format:
    """One format of export of one ESP.

    Attributes
    ----------
    provider, name : str
        Whose it is and what it is called in the table of files.
    kind : {'json', 'csv', 'body'}
        ``body`` is JSON that was a form body: any other JSON with these keys would be somebody else's.
    needs : tuple of str
        Alternatives; each names the keys (or columns) that a record must have, separated by blanks.
    only : str
        If given, a record has no other keys than these.
    lacks : str
        Keys that a record of this format never has.
    container : str
        Key of the list of records in a page; empty where there are no pages.
    bare : bool
        Whether a record may also stand outside a page.
    hint : str
        Regular expression that the file's name, or a URL in the page, must match; for formats that look alike.
    inner : str
        SQL over ``text`` for the JSON of the record, where it is wrapped into something else.
    inside : tuple of str
        Keys that the record itself lies under, one of them; none where it lies open.
    several : bool
        What is inside may be a list of records; they are rows of one record.
    opens : str
        The signs that a record may begin with: an object as a rule, a text where the list holds bare addresses.
    signs : tuple of Sign
        Alternatives by which a record is known in a wrapper of any kind; none where it is looked for in no wrapper.
    also : mapping of str to str
        Other joined keys -> paths of fields (separated by blanks) that they mean in a record that is known.
    carried : bool
        It comes through queues and topics, so that a file of nothing but their notices counts as one of this format.
    clock : tuple of str
        Fields that hold the time; the first takes the wrapper's where the record has none.
    rows : str
        Regular expression for a row of a table without a header (cells joined by the delimiter).
    says : (str, str)
        A field of a table, and a regular expression that most of its values match, in any case; any value if empty.
    column : str
        Column of a table that holds JSON records.
    loose : bool
        Titles of columns are compared by their letters and digits alone.
    plain : bool
        Lines of such records can be read by the engine at once, without a look at each as JSON first.
    fields : mapping of str to (str or tuple)
        Short name -> path in the record (keys joined by ``/``), or path and structure; for CSV the column's name, or
        several spellings of it (joined by ``|``).
    columns : mapping of str to str
        Name of :data:`RAW_COLUMNS` -> SQL over the fields.
    made : mapping of str to str
        More fields -> SQL over the others; for what is used again and again.
    explode : str
        SQL for a list of recipients; its items are the field ``each`` of one row apiece. Empty for one row a record.
    otherwise : str
        SQL for the list that stands in where that is empty.
    ignored : str
        SQL for the reason why a record is left out on purpose; NULL keeps it.
    key : tuple of str
        Raw columns or fields that are equal in two copies of the same event; no key where the first is missing.
    accounts : tuple of str
        SQL over the fields for what tells the account of the ESP, each of a kind of its own; two events whose records
        both tell one and differ in it are no copies. What is missing is no difference, and an object in JSON is the
        same as its ``id`` or ``name``.
    carrier : str
        Field that takes the account of a carrier (a topic, a bus), where that tells one.
    zone : str
        Zone of times that are written without one, where it is known; empty where only the caller can know.
    refuse : str
        Why files of this format cannot be loaded; empty where they can.
    note : str
        What the reader of the table of files should know.
    typed : bool
        Its fields are the columns of a classified frame, each row as a frame of this package had it.
    page_size : int
        Largest number of records that the ESP gives at once; a file with just as many is perhaps cut.
    last_page : tuple of str
        Regular expression for a page that another one follows, and what to say if every page of a file is such.
    traces : tuple of (str, str)
        Regular expressions to look for at the beginning of a file, and what to say where they are found.
    """

    provider: str
    name: str
    kind: Kind = "json"
    needs: tuple[str, ...]
    only: str = ""
    lacks: str = ""
    container: str = ""
    bare: bool = True
    hint: str = ""
    inner: str = ""
    inside: tuple[str, ...] = ()
    several: bool = False
    opens: str = "{"
    signs: tuple[Sign, ...] = ()
    also: Mapping[str, str] = field(default_factory=dict)
    carried: bool = False
    clock: tuple[str, ...] = ()
    rows: str = ""
    says: tuple[str, str] = ("", "")
    column: str = ""
    loose: bool = False
    plain: bool = False
    fields: Mapping[str, str | tuple[str, Structure]] = field(default_factory=dict)
    columns: Mapping[str, str] = field(default_factory=dict)
    made: Mapping[str, str] = field(default_factory=dict)
    explode: str = ""
    otherwise: str = "[NULL]"
    ignored: str = "NULL"
    key: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    carrier: str = ""
    zone: str = ""
    refuse: str = ""
    note: str = ""
    typed: bool = False
    page_size: int = 0
    last_page: tuple[str, str] = ("", "")
    traces: tuple[tuple[str, str], ...] = ()

    def fits(self, keys: Iterable[str]) -> bool:
        """Return whether a record with these keys can be of this format."""
        there = set(map(squeezed, keys) if self.loose else keys)
        if self.only and not there <= set(self.only.split()):
            return False
        if there & set(self.lacks.split()):
            return False
        return any(set(need.split()) <= there for need in self.needs)

    @property
    def title(self) -> str:
        """Name for messages, such as "SendGrid event webhook"."""
        return f"{ESPS.get(self.provider, self.provider)} {self.name}".strip()

    @property
    def markers(self) -> frozenset[str]:
        """Keys that tell a record of this format from the objects inside it."""
        return frozenset(" ".join(self.needs).split())

    @cached_property
    def spelling(self) -> Spelling:
        """How its keys are spelled."""
        return Spelling(self.structure(), self.inside)

    def place(self, name: str, header: Sequence[str]) -> int:
        """Return the column of a table that holds a field, else -1; earlier spellings come first."""
        return next(iter(self.places(name, header)), -1)

    def places(self, name: str, header: Sequence[str]) -> list[int]:
        """Return the columns of a table that are called as a field is: several, where a title stands there twice."""
        spellings = self.fields[name]
        assert isinstance(spellings, str)  # noqa: S101 - columns have no inner structure
        there = [squeezed(title) for title in header] if self.loose else list(header)
        for spelling in spellings.split("|"):
            wanted = squeezed(spelling) if self.loose else spelling
            if wanted in there:
                return [place for place, title in enumerate(there) if title == wanted]
        return []

    def structure(self) -> dict[str, Structure]:
        """Return which keys to take out of a record, and as what."""
        tree: dict[str, Structure] = {}
        for place in self.fields.values():
            path, leaf = place if isinstance(place, tuple) else (place, "VARCHAR")
            *parents, last = path.split("/")
            node = tree
            for parent in parents:
                node = node.setdefault(parent, {})
            node[last] = leaf
        return tree

    def field_sql(self, record: str = "r.") -> str:
        """Return the select list that names the fields of the struct ``r``, or of columns if ``record`` is empty."""
        paths = {
            name: (place[0] if isinstance(place, tuple) else place).split("/")
            for name, place in self.fields.items()
        }
        return ", ".join(
            record + ".".join(identifier(part) for part in path) + f" AS {identifier(name)}"
            for name, path in paths.items()
        )

    def raw_sql(self) -> str:
        """Return the select list of :data:`RAW_COLUMNS`."""
        unknown = self.columns.keys() - set(RAW_COLUMNS)
        if unknown:
            raise ValueError(f"{self.title}: no such columns: {', '.join(sorted(unknown))}")
        return ", ".join(
            f"CAST({self.columns.get(name, 'NULL')} AS {_TYPES.get(name, 'VARCHAR')}) AS {name}"
            for name in RAW_COLUMNS
        )


#: What turns the word in a name into its opposite: a list without the suppressed is a list to mail.
_DENIED = r"with.?out|(?<![a-z])(?:un|no|not|non|minus|except|after|before|clean(?:ed)?|kept)(?![a-z])"


def named(words: str, *, unless: str = "") -> str:
    """Return a pattern for the name of a file, not of a folder, that says what the file is and does not deny it.

    Parameters
    ----------
    words : str
        Patterns of what it must say one of, joined by ``|``; they begin where a word begins.
    unless : str
        Patterns of what it must not say anywhere.
    """
    denied = f"{_DENIED}|{unless}" if unless else _DENIED
    return rf"^(?!.*(?:{denied}))[^/]*(?<![a-z])(?:{words})[^/]*$"


def identifier(name: str) -> str:
    """Quote a name for SQL."""
    return '"' + name.replace('"', '""') + '"'


def type_sql(structure: Structure) -> str:
    """Return the engine's type for a structure."""
    if isinstance(structure, dict):
        members = ", ".join(f"{identifier(name)} {type_sql(member)}" for name, member in structure.items())
        return f"STRUCT({members})"
    if isinstance(structure, list):
        return f"{type_sql(structure[0])}[]"
    return str(structure)


def words_sql(expression: str, words: Mapping[str, str], default: str = "NULL") -> str:
    """Return SQL that looks a word up in a table; words are compared in lower case.

    Nearly all are in lower case already, so that they are compared as they are first.
    """
    whens = " ".join(f"WHEN {literal(word)} THEN {literal(meaning)}" for word, meaning in words.items())
    lowered = f"lower({expression})"
    return (
        f"CASE {expression} {whens} ELSE"
        f" CASE WHEN {lowered} = {expression} THEN {default} ELSE CASE {lowered} {whens} ELSE {default} END END END"
    )


def id_sql(expression: str) -> str:
    """Return SQL for a message's id without angle brackets; trimming is slow and rarely needed."""
    bracketed = f"starts_with({expression}, '<') OR ends_with({expression}, '>')"
    return f"CASE WHEN {bracketed} THEN trim({expression}, '<>') ELSE {expression} END"


# a list of texts just as the engine would write it, which need not be taken apart
_COMPACT = r'\["[^"\\]+"(?:,"[^"\\]+")*\]'


def tags_sql(expression: str) -> str:
    """Return SQL for the tags in a JSON list, or in a single text, as a JSON list."""
    listed = f"list_filter(TRY(from_json({expression}, '[\"VARCHAR\"]')), lambda tag: tag <> '')"
    return (
        f"CASE WHEN {expression} IS NULL OR {expression} IN ('', '[]') THEN NULL"
        f" WHEN regexp_full_match({expression}, {literal(_COMPACT)}) THEN {expression}"
        f" WHEN starts_with({expression}, '[') THEN {json_list_sql(listed)}"
        f" ELSE {json_list_sql(f'[{expression}]')} END"
    )


def json_list_sql(texts: str) -> str:
    """Return SQL for a list of texts as JSON; NULL for an empty one."""
    return f"nullif(CAST(to_json({texts}) AS VARCHAR), '[]')"

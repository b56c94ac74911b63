"""Evidence of events as arrays of small numbers, ready to be weighed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bounceanalytics.classifying import mailboxes
from bounceanalytics.classifying.reader import margins
from bounceanalytics.classifying.texts import codes_of, enhanced_codes, enhanced_text
from bounceanalytics.knowledge.registry import code_reasons, outcome
from bounceanalytics.knowledge.rules import BETWEEN_WORDS, WORD_COLUMNS, esp_words
from bounceanalytics.knowledge.wrappers import BEFORE_RECIPIENT, COMMANDS
from bounceanalytics.schema import EVENTS, PROVIDERS, REASONS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from bounceanalytics.classifying.rulebook import Rulebook
    from bounceanalytics.classifying.texts import Texts

    Numbers = np.ndarray[Any, Any]

NONE = -1

BLAMES_RECIPIENT = np.array([outcome(name, "permanent").fault == "recipient" for name in REASONS])
_REASON = {name: number for number, name in enumerate(REASONS)}

#: A text that calls its failure permanent, where no code tells; in the languages that servers write.
_PERMANENT = r"(?i)\b(?:permanent|dauerhaft|endg(?:ü|ue)ltig|d(?:é|e)finiti[fv]|definiti[vt])"

_EARLY = tuple(COMMANDS.index(name) for name in BEFORE_RECIPIENT)

#: A word, in a masked text.
_WORD = r"(?:^|[ (\['\":;,=-])[a-z]{3}|[^\x00-\x7f]"


#: One that calls it temporary; searched in plain letters.
_TRANSIENT = (
    r"\b(?:temporar(?:y|ily)|transient|vor(?:u|ue)bergehend|zeitweilig|temporairement|temporanea(?:mente)?|temporalmente"
    r"|temporariamente|tijdelijk|tymczasowo|docasne|tillfalligt|midlertidigt?)\b|временно|тимчасово|gecici"
    r"|一時的|暂时|暫時|일시적"
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """One entry per row in every array; -1 stands for nothing, 0 for no code.

    Attributes
    ----------
    event : numpy.ndarray of int8
        Number in :data:`bounceanalytics.schema.EVENTS`.
    mailbox : numpy.ndarray of int32
        Number in :func:`bounceanalytics.classifying.mailboxes.names`.
    rules : dict of int to numpy.ndarray of int32
        Tier -> rule that wins it.
    reply, enhanced : numpy.ndarray of int32
        The codes that count.
    not_tried, word, voter, typed : numpy.ndarray of int32
        Row of the table of ESP words that says so: that it was not tried, why, what the address deserves, what kind of
        bounce it is.
    has_text, permanent, transient : numpy.ndarray of bool
        There is a text; it calls the failure permanent; it calls it temporary, and not permanent.
    early : numpy.ndarray of bool
        It answers to a command before any recipient was named.
    form : numpy.ndarray of int32
        Which masked text it is.
    margins : numpy.ndarray of float32, masked text x reason
        What the second reader makes of each masked text; no rows where it was not asked.
    """

    event: Numbers
    mailbox: Numbers
    rules: dict[int, Numbers]
    reply: Numbers
    enhanced: Numbers
    not_tried: Numbers
    word: Numbers
    voter: Numbers
    typed: Numbers
    has_text: Numbers
    permanent: Numbers
    transient: Numbers
    early: Numbers
    form: Numbers
    margins: Numbers


def gather(columns: Mapping[str, Any], book: Rulebook, *, second_reader: bool = True) -> Evidence:
    """Gather the evidence of rows that are failures.

    Parameters
    ----------
    columns : mapping
        ``event``, ``provider`` and ``mailbox`` (from domain and host) as arrays of numbers, ``reply_code`` as array of
        int32 (0 means missing); ``diagnostic``, ``enhanced_code`` and the ESP's words as for :func:`encode`.
    book : Rulebook
    second_reader : bool, default True
        Ask it, too.

    Returns
    -------
    Evidence
    """
    text, texts = encode(columns["diagnostic"])
    reading = book.read(texts)
    line = _take(reading.place, text, NONE)
    own = columns["mailbox"]
    mailbox = np.where(own == NONE, _take(reading.signature, line, NONE), own)
    reply, enhanced = _codes(columns, line, reading.texts)
    command = _take(reading.texts.command, line, NONE)
    early = np.isin(command, _EARLY)
    enhanced = _of_nobody(enhanced, early)
    rules = _winners(book, reading.winners, line, mailbox)
    permanent = _take(np.asarray(pc.match_substring_regex(reading.texts.line, _PERMANENT)), line, False)
    passing = _take(np.asarray(pc.match_substring_regex(reading.texts.reply, _TRANSIENT)), line, False)
    words = _words(columns)
    said, form = _wordy(reading.said, _take(reading.form, line, NONE))
    return Evidence(
        columns["event"],
        mailbox,
        rules,
        reply,
        enhanced,
        *words,
        text != NONE,
        permanent,
        passing & ~permanent,
        early,
        form,
        margins(said if second_reader else said[:0]),
    )


def _wordy(said: pa.Array, form: Numbers) -> tuple[pa.Array, Numbers]:
    """Leave out the masked texts without a word: those have nothing to be read."""
    wordy = pc.match_substring_regex(said, _WORD)
    place = np.where(wordy.to_numpy(zero_copy_only=False), np.cumsum(wordy) - 1, NONE)
    return said.filter(wordy), _take(place, form, NONE)


class Coded(NamedTuple):
    """A column of strings: the number of each value among the distinct ones, -1 for null and empty, and those."""

    number: Numbers
    values: pa.Array


def encode(column: pa.Array | pa.ChunkedArray | Coded) -> Coded:
    """Return a column with its distinct values numbered; one that is so already is returned as it is."""
    if isinstance(column, Coded):
        return column
    coded = pc.dictionary_encode(column)
    if isinstance(coded, pa.ChunkedArray):
        coded = coded.combine_chunks()
    numbers = coded.indices if coded.null_count == 0 else pc.fill_null(coded.indices, NONE)
    number = numbers.to_numpy(zero_copy_only=False)
    empty = pc.index(coded.dictionary, "").as_py()
    return Coded(np.where(number == empty, NONE, number) if empty >= 0 else number, coded.dictionary)


@dataclass(frozen=True, slots=True)
class CodeReasons:
    """Distinct codes of some rows, and what each means.

    Attributes
    ----------
    names : tuple of str
    reason : numpy.ndarray of int8
    specific : numpy.ndarray of bool
    place : numpy.ndarray of int64
        Per row the number of its code; the last one stands for no code.
    """

    names: tuple[str, ...]
    reason: Numbers
    specific: Numbers
    place: Numbers


def code_meanings(codes: Numbers) -> CodeReasons:
    """Look up enhanced codes (as numbers) or reply codes; 0 means missing.

    A detail that is not registered says no more than the general code of its subject.
    """
    table = _registered()
    distinct, place = np.unique(codes, return_inverse=True)
    names = tuple(enhanced_text(int(code)) if code > 999 else str(code) for code in distinct)
    known = [
        table.get(name) or (table.get(f"{name[: name.rfind('.')]}.0", (NONE, False))[0], False)
        for name in names
    ]
    reason = np.array([row[0] for row in known], dtype=np.int8)
    specific = np.array([row[1] for row in known], dtype=bool)
    return CodeReasons(names, reason, specific, place)


@cache
def _registered() -> dict[str, tuple[int, bool]]:
    frame = code_reasons()
    rows = zip(frame["code"], frame["reason"].astype(object), frame["specific"], strict=True)
    return {code: (_REASON.get(reason, NONE), bool(specific)) for code, reason, specific in rows}


def _codes(columns: Mapping[str, Any], text: Numbers, texts: Texts) -> tuple[Numbers, Numbers]:
    """Choose between the codes that the export carries and those in the text.

    The export's codes count, except x.0.0, which ESPs make up where they know nothing: there the text's code does.
    """
    number, distinct = encode(columns["enhanced_code"])
    given = _take(enhanced_codes(distinct), number, 0)
    vague = given % 1_000_000 == 0
    # only the texts are read whose rows lack something
    said_reply, said = np.zeros((2, len(texts.line)), dtype=np.int32)
    lacking = np.unique(text[(vague | (columns["reply_code"] == 0)) & (text != NONE)])
    rows = pa.array(lacking)
    said_reply[lacking], said[lacking] = codes_of(texts.line.take(rows), texts.reply.take(rows))
    said_reply, said = _take(said_reply, text, 0), _take(said, text, 0)
    enhanced = np.where(vague & (said > 0), said, given)
    reply = np.where(columns["reply_code"] > 0, columns["reply_code"], said_reply)
    class_ = enhanced // 1_000_000
    # a made-up class that goes against the reply in the text does not count
    against = (enhanced > 0) & (enhanced % 1_000_000 == 0) & (said_reply > 0) & (class_ != said_reply // 100)
    return reply, np.where(against, 0, enhanced)


def _of_nobody(enhanced: Numbers, early: Numbers) -> Numbers:
    """Return x.0.0 for a code about a recipient with which a server answered before one was named."""
    if not early.any():
        return enhanced
    meanings = code_meanings(enhanced)
    blames = np.append(BLAMES_RECIPIENT, False)[meanings.reason[meanings.place]]
    return np.where(early & blames, enhanced // 1_000_000 * 1_000_000, enhanced)


def _winners(book: Rulebook, winners: Numbers, text: Numbers, mailbox: Numbers) -> dict[int, Numbers]:
    """Return the winning rule of each tier, taking the scopes of other mailbox providers out."""
    chosen: dict[int, Numbers] = {}
    for number, (tier, home) in enumerate(book.scopes):
        rule = _take(winners[number], text, NONE)
        if home != NONE:
            rule = np.where(mailbox == home, rule, NONE)
        best = chosen.get(tier)
        if best is None:
            chosen[tier] = rule
        else:
            chosen[tier] = np.where((best == NONE) | ((rule != NONE) & (rule < best)), rule, best)
    return chosen


def _words(columns: Mapping[str, Any]) -> tuple[Numbers, Numbers, Numbers, Numbers]:
    """Return per row the ESP's word that it did not try, that names a reason, that votes, and that tells the type."""
    event, provider = columns["event"], columns["provider"]
    not_tried, word, typed = np.full((3, len(event)), NONE, dtype=np.int32)
    voters = {name: np.full(len(event), NONE, dtype=np.int32) for name in WORD_COLUMNS}
    coded = {name: encode(columns[name]) for name in WORD_COLUMNS}
    plain = {
        name: pc.replace_substring_regex(pc.utf8_lower(values), BETWEEN_WORDS, "")
        for name, (_, values) in coded.items()
    }
    for number, row in enumerate(esp_words()):
        for column in row.column.split():
            values = plain[column]
            fits = _fits(values, row.word)
            if not fits.true_count:
                continue
            # the last place is for rows without a value
            places = np.append(fits.to_numpy(zero_copy_only=False), False)
            hit = places[coded[column].number] & (provider == PROVIDERS.index(row.provider))
            if row.event:
                hit &= event == EVENTS.index(row.event)
            if row.vote:
                voters[column][hit] = number
            if row.reason:
                target = word if row.tried else not_tried
                target[hit & (target == NONE)] = number
            if row.type:
                typed[hit & (typed == NONE)] = number
    voter = voters[WORD_COLUMNS[0]]
    for name in WORD_COLUMNS[1:]:
        voter = np.where(voter == NONE, voters[name], voter)
    return not_tried, word, voter, typed


def _fits(values: pa.Array, word: str) -> pa.Array:
    """Return which values a word means: all of one, its beginning, or any part of it."""
    if word.startswith("*"):
        return pc.match_substring(values, word.strip("*"))
    return pc.starts_with(values, word[:-1]) if word.endswith("*") else pc.equal(values, word)


def _take(values: Numbers, places: Numbers, nothing: int) -> Numbers:
    """Return ``values[places]`` with ``nothing`` where the place is -1."""
    return np.append(values, nothing)[places]


def mailbox_numbers(domains: pa.Array, hosts: pa.Array) -> Numbers:
    """Return who runs the mailbox of each row, by its domain, else by the receiving host; -1 for unknown."""
    number, distinct = encode(domains)
    of_domain = mailboxes.by_domain(pc.ascii_lower(distinct))
    found = _take(of_domain, number, NONE)
    if (of_domain == NONE).any() or (number == NONE).any():
        number, distinct = encode(hosts)
        of_host = mailboxes.by_host(distinct)
        if (of_host != NONE).any():
            found = np.where(found == NONE, _take(of_host, number, NONE), found)
    return found

"""Normal form of bounce texts, and the codes written in them.

The normal form of a text is lower-case on one line. What differs from one recipient, message or minute to the next is
replaced, so that texts which say the same become equal and no part of an address can look like a phrase:

* addresses, with their angle brackets, become ``<addr>``;
* IP addresses, ids, times and numbers of four digits or more become ``0``; so do digits in long names;
* reply codes with an enhanced code (``550-5.1.1``) are cut out, wherever the lines of a reply were joined;
* accents go, and curly quotes, long dashes, wide letters and odd blanks become their plain forms (Unicode NFKC).

Before that, what a sending tool puts around the reply is taken off (:mod:`bounceanalytics.classifying.wrappers`).

Who speaks, and what is said, are two things. The normal form has the names of hosts, which say who runs the mailbox.
Before the rules see it, :func:`masked` makes all of them the same: a server called ``spamfilter`` or ``unknown`` says
nothing by its name. Links stay, and so do the domains of public blocklists outside the sender's own words, and what
Exchange and virus scanners write with dots (``RESOLVER.ADR.RecipNotFound``, ``Trojan.Generic``).
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bounceanalytics.classifying.wrappers import take_apart
from bounceanalytics.knowledge.rules import PLAIN_LETTERS

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

#: Texts that one thread works on at a time.
_PART = 16_384

# local parts of plain signs: where no blanks part words, others would take the words before them in
_ADDRESS = (
    r"<[^ <>@]+@[a-z0-9-]+(?:\.[a-z0-9-]+)*>"
    r"""|<?[^ <>"'(),;:\[\]/?=\x{80}-\x{10ffff}]+@[a-z0-9-]+(?:\.[a-z0-9-]+)*>?"""
)
_IDS = (
    r"[0-9]+(?:\.[0-9]+){3}"  # IPv4
    r"|[0-9]{4}-[0-9]{2}-[0-9]{2}t[0-9:.]+z?"
    r"|\b[a-z]*[0-9]+[a-z]+[0-9]+[a-z0-9]*"  # letters and digits by turns
    r"|[0-9a-f]{8,}"
    r"|[0-9]{4,}"
)
_CODE_PAIR = r"\b[245][0-9][0-9][ -]#?[245]\.[0-9]{1,3}\.[0-9]{1,3}(?:[ ]|$)"

# the lines of one reply, joined by blanks
_LINES = r"^[245][0-9][0-9]-[a-z<]"
_LATER_CODE = r" +[245][0-9][0-9]-([a-z<(])"

#: What stands for a host, in the shape of one.
_HOST = "x.xx"
_NAME = r"(?:[a-z0-9_-]+\.)+[a-z]{2,24}"
#: The host that answered, as the sending side writes it: with its address, or before what it said.
_ANSWERING = rf"\b{_NAME}\.?( ?[\[(](?:0|[0-9a-f:.]+)[\])]| said:| refused to talk| gave this error)"
_BLOCKLISTS = (
    r"spamhaus|spamcop|sorbs|uceprotect|invaluement|abusix|barracudacentral|senderscore|psbl|surriel|mailspike|s5h"
    r"|dronebl|manitu|junkemailfilter|spamrats|truncate|gbudb|backscatterer|surbl|uribl"
)
_KEPT_NAMES = (
    rf"\b((?:[a-z0-9_-]+\.)*(?:{_BLOCKLISTS})\.|gr[ae]y\.rbl"
    r"|(?:resolver|transport(?:rules)?|storedrv|smtpsend|routing)\."
    r"|(?:trojan|worm|win32|w32|heur(?:istics)?|eicar|exploit|backdoor|phishing|malware|ransom)\.)"
)
_KEPT = "\x01"  # stands before what is not a host, and in no text
_ANY_NAME = rf"(^|[^a-z0-9._/@{_KEPT}-]){_NAME}"

_MARKS = r"[\x{300}-\x{36f}]"
_UNUSUAL_BLANKS = r"[\x00-\x1f\x7f]|  |\\[rn]"
_BLANKS = r"(?:\\r|\\n|[\s\x00-\x1f])+"
_NEXT_LINE = r"(?:\r\n|\r|\n|\\r\\n|\\n)\s*[245][0-9][0-9][ -](?:#?[245]\.[0-9]{1,3}\.[0-9]{1,3} )?"
_PLAIN = (  # quotation marks, double ones, dashes
    (r"[\x{2018}-\x{201b}`\x{b4}\x{2032}]", "'"),
    (r"[\x{201c}-\x{201f}\x{2033}\x{ab}\x{bb}]", '"'),
    (r"[\x{2010}-\x{2015}\x{2212}]", "-"),
)

# A blank, a bracket or a quote stands before a code, never a digit, a dot or a letter (192.0.2.7, v5.1.2, 1550).
_ENHANCED = (
    r"(?:^|[ (\[#<:;,\"'>=]|[245][0-9][0-9][- ]#?)"
    r"(?P<class>[245])\.(?P<subject>[0-7])\.(?P<detail>[0-9]{1,3})(?:[^0-9a-z.]|\.[^0-9a-z]|\.?$)"
)
_REPLY_PAIR = r"(?:^|[^0-9.])(?P<reply>[245][0-5][0-9])[- ]#?[245]\.[0-9]{1,3}\.[0-9]{1,3}(?:[^0-9.]|\.?$)"
_REPLY = (
    r"(?:^|[a-z]; ?|: ?|['\"(\[<] ?|<<< ?|said |returned |error |code |status )"
    r"(?P<reply>[245][0-5][0-9])(?:$|[ :;,)\]'\"<\-]) ?"
    r"(?P<unit>bytes|[km]i?b\b|octets|seconds|sec|minutes|hours|days|messages|recipients|connections)?"
)
#: With what status a local program ended is told like a reply (RFC 3464, 2.3.6).
_EXIT_STATUS = r"\bx-(?:unix|local|shell|exec|pipe|program)[a-z0-9-]*; ?[0-9]{1,3}\b"
# What a sender gives up on last stands in angle brackets: "message expired ... <421 4.4.1 no answer>"
_INNER = (
    r"(?:expired|unable to deliver).*<(?P<reply>[45][0-9][0-9])[ -]"
    r"(?P<class>[45])\.(?P<subject>[0-7])\.(?P<detail>[0-9]{1,3})[ >]"
)


def normal_form(texts: pa.Array) -> pa.Array:
    r"""Return the form of each text that the rules see.

    Parameters
    ----------
    texts : pyarrow.Array of large_string
        Without nulls.

    Returns
    -------
    pyarrow.Array of large_string

    Examples
    --------
    >>> texts = pa.array(["550-5.1.1 <Reader@example.com>:\r\n550 5.1.1 User  unknown"], pa.large_string())
    >>> normal_form(texts)[0].as_py()
    '<addr>: user unknown'
    """
    return read_texts(texts).form


class Texts(NamedTuple):
    """Distinct texts, taken apart and in normal form, one entry per text in each.

    Attributes
    ----------
    line, reply : pyarrow.Array of large_string
        The whole text, and what the server said in it, in lower case on one line.
    host : pyarrow.Array of large_string
        As in :class:`bounceanalytics.classifying.wrappers.Parts`.
    command : numpy.ndarray of int8
        As there.
    form : pyarrow.Array of large_string
        The normal form of ``reply``.
    """

    line: pa.Array
    reply: pa.Array
    host: pa.Array
    command: np.ndarray[Any, Any]
    form: pa.Array


def read_texts(texts: pa.Array) -> Texts:
    """Take texts apart and bring what the servers said into normal form.

    Parameters
    ----------
    texts : pyarrow.Array of large_string
        Without nulls.

    Returns
    -------
    Texts
    """
    return read_lines(bare_lines(texts))


def bare_lines(texts: pa.Array) -> pa.Array:
    """Return texts in lower case on one line, without what differs from one recipient or message to the next.

    Parameters
    ----------
    texts : pyarrow.Array of large_string
        Without nulls.

    Returns
    -------
    pyarrow.Array of large_string
    """

    def bare(some: pa.Array) -> pa.Array:
        some = pc.replace_substring_regex(lower_line(some), _ADDRESS, "<addr>")
        return pc.replace_substring_regex(some, _IDS, "0")

    return in_parts(bare, texts)


def read_lines(lines: pa.Array) -> Texts:
    """Do what :func:`read_texts` does with lines of :func:`bare_lines`, of which each need be read but once."""

    def apart(some: pa.Array) -> pa.Array:
        reply, host, command = take_apart(some)
        columns = [some, reply, host, pa.array(command), _normal(reply)]
        return pa.StructArray.from_arrays(columns, list(Texts._fields))

    line, reply, host, command, form = in_parts(apart, lines).flatten()
    return Texts(line, reply, host, command.to_numpy(), form)


def _normal(replies: pa.Array) -> pa.Array:
    replies = pc.replace_substring_regex(replies, _CODE_PAIR, "")
    replies = _where(replies, _LINES, lambda some: pc.replace_substring_regex(some, _LATER_CODE, r" \1"))
    return pc.utf8_trim_whitespace(replies)


def masked(forms: pa.Array) -> pa.Array:
    """Return texts in normal form with one name in place of every host's.

    Parameters
    ----------
    forms : pyarrow.Array of large_string
        From :func:`normal_form`.

    Returns
    -------
    pyarrow.Array of large_string

    Examples
    --------
    >>> said = pa.array(["550 refused by mx.spamguard.example"], pa.large_string())
    >>> masked(normal_form(said))[0].as_py()
    '550 refused by x.xx'
    """

    def named(some: pa.Array) -> pa.Array:
        some = pc.replace_substring_regex(some, _ANSWERING, rf"{_HOST}\1")
        some = pc.replace_substring_regex(some, _KEPT_NAMES, rf"{_KEPT}\1")
        some = pc.replace_substring_regex(some, _ANY_NAME, rf"\1{_HOST}")
        return pc.replace_substring(some, _KEPT, "")

    return in_parts(lambda some: _where(some, _NAME, named), forms)


def in_parts(change: Callable[[pa.Array], pa.Array], texts: pa.Array) -> pa.Array:
    """Apply a change to slices of an array at the same time; Arrow's functions let other threads run."""
    starts = range(0, len(texts), _PART)
    if len(starts) < 2:
        return change(texts)
    with ThreadPoolExecutor(pa.cpu_count()) as pool:
        return pa.concat_arrays(pool.map(lambda start: change(texts.slice(start, _PART)), starts))


def lower_line(texts: pa.Array) -> pa.Array:
    """Return each text in lower case on one line, in plain letters, without the codes that begin further lines."""

    def one(some: pa.Array) -> pa.Array:
        some = pc.replace_substring_regex(some, _NEXT_LINE, " ")
        return pc.replace_substring_regex(some, _BLANKS, " ")

    plain = pc.string_is_ascii(texts)
    if plain.false_count:
        other = pc.invert(plain)
        changed = pc.cast(pc.utf8_lower(_plain_letters(texts.filter(other))), texts.type)
        texts = pc.replace_with_mask(texts, other, changed)
    return _where(pc.ascii_lower(texts), _UNUSUAL_BLANKS, one)


def _plain_letters(texts: pa.Array) -> pa.Array:
    """Do what :func:`bounceanalytics.knowledge.rules.without_accents` does with a pattern."""
    texts = pc.utf8_normalize(pc.utf8_lower(texts), form="NFKD")
    texts = pc.replace_substring_regex(texts, _MARKS, "")
    for letter, plain in PLAIN_LETTERS:
        texts = pc.replace_substring(texts, letter, plain)
    texts = pc.utf8_normalize(texts, form="NFKC")
    for pattern, sign in _PLAIN:
        texts = pc.replace_substring_regex(texts, pattern, sign)
    return texts


def codes_in(texts: pa.Array) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return the reply code and the enhanced code that each text names; 0 means missing.

    A number in an IP address, a size or an id is no code, nor is the status that a local program ended with
    (``x-unix; 255``). The codes of a quoted reply count, not what is written around it. Where a sender gave up, the
    code of the last attempt, in angle brackets, counts.

    Parameters
    ----------
    texts : pyarrow.Array of large_string
        Without nulls.

    Returns
    -------
    reply, enhanced : numpy.ndarray of int32
        Enhanced codes as :func:`enhanced_number` gives them.
    """
    found = read_texts(texts)
    return codes_of(found.line, found.reply)


def codes_of(lines: pa.Array, replies: pa.Array) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return what :func:`codes_in` does, of texts that were taken apart: see :class:`Texts`."""
    reply, enhanced = _codes(replies)
    # those of the wrapper count where the reply in it has none of its kind, and no other
    bare = np.flatnonzero(((reply == 0) | (enhanced == 0)) & np.asarray(pc.not_equal(replies, lines)))
    if len(bare):
        outer_reply, outer_enhanced = _codes(lines.take(pa.array(bare)))
        inner_reply, inner_enhanced = reply[bare], enhanced[bare]
        reply[bare] = np.where(inner_reply == 0, outer_reply, inner_reply)
        enhanced[bare] = np.where((inner_reply == 0) & (inner_enhanced == 0), outer_enhanced, inner_enhanced)
    return reply, enhanced


def _codes(texts: pa.Array) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    texts = _where(texts, _EXIT_STATUS, lambda some: pc.replace_substring_regex(some, _EXIT_STATUS, ""))
    inner = pc.extract_regex(texts, _INNER)
    pair = _number(pc.extract_regex(texts, _REPLY_PAIR), "reply")
    lone = pc.extract_regex(texts, _REPLY)
    counted = pc.not_equal(pc.fill_null(pc.struct_field(lone, "unit"), ""), "").to_numpy(False)
    outer_reply = np.where(pair > 0, pair, np.where(counted, 0, _number(lone, "reply")))
    inner_reply = _number(inner, "reply")
    outer = _enhanced(pc.extract_regex(texts, _ENHANCED))
    return np.where(inner_reply > 0, inner_reply, outer_reply), np.where(
        inner_reply > 0, _enhanced(inner), outer
    )


def enhanced_codes(codes: pa.Array) -> np.ndarray[Any, Any]:
    """Return enhanced status codes given as text as numbers (5.1.10 -> 5001010); 0 means missing."""
    pattern = r"^\s*#?(?P<class>[245])\.(?P<subject>[0-9]{1,3})\.(?P<detail>[0-9]{1,3})\s*$"
    return _enhanced(pc.extract_regex(pc.fill_null(codes, ""), pattern))


def enhanced_text(number: int) -> str:
    """Return the enhanced status code of a number: 5001010 -> 5.1.10."""
    return f"{number // 1_000_000}.{number // 1_000 % 1_000}.{number % 1_000}"


def _enhanced(found: pa.Array) -> np.ndarray[Any, Any]:
    class_, subject, detail = (_number(found, name) for name in ("class", "subject", "detail"))
    return np.asarray(class_ * 1_000_000 + subject * 1_000 + detail)


def _number(found: pa.Array, name: str) -> np.ndarray[Any, Any]:
    digits = pc.fill_null(pc.struct_field(found, name), "0")
    digits = pc.if_else(pc.equal(digits, ""), "0", digits)
    return np.asarray(pc.cast(digits, pa.int32()))


def _where(texts: pa.Array, pattern: str, change: Any) -> pa.Array:
    """Apply a change to the texts in which a pattern occurs; most texts have none, and pass untouched."""
    mask = pc.match_substring_regex(texts, pattern)
    if mask.true_count == 0:
        return texts
    return pc.replace_with_mask(texts, mask, pc.cast(change(texts.filter(mask)), texts.type))

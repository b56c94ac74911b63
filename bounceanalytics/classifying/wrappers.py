"""A text taken apart: what the answering server said, who it is, and what it answered to.

A diagnostic is a reply inside wrappers. Postfix writes ``host mx1.example.com[192.0.2.7] said: 550 no (in reply to RCPT
TO command)``, Exim ``SMTP error from remote mail server after RCPT TO:<…>: 550 no``, Exchange quotes the reply behind a
sentence of its own. The wrappers are rows of ``knowledge/wrappers.toml``; each is taken off once, the outer ones first,
so that rules see the reply and nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bounceanalytics.knowledge.wrappers import COMMANDS, Wrapper, command_words, wrappers

if TYPE_CHECKING:
    from typing import Any

NONE = -1


class Parts(NamedTuple):
    """Texts taken apart, one entry per text in each.

    Attributes
    ----------
    reply : pyarrow.Array of large_string
        What the server said; the whole text where there is no wrapper.
    host : pyarrow.Array of large_string
        Its name in the wrapper; empty where none is told.
    command : numpy.ndarray of int8
        Number in :data:`bounceanalytics.knowledge.wrappers.COMMANDS` of what it answered to; -1 where that is not told.
    """

    reply: pa.Array
    host: pa.Array
    command: np.ndarray[tuple[int], np.dtype[np.int8]]


def take_apart(lines: pa.Array) -> Parts:
    """Take the wrappers off texts.

    Parameters
    ----------
    lines : pyarrow.Array of large_string
        From :func:`bounceanalytics.classifying.texts.lower_line`.

    Returns
    -------
    Parts

    Examples
    --------
    >>> line = "host mx1.example.com[192.0.2.7] said: 550 no such user (in reply to rcpt to command)"
    >>> parts = take_apart(pa.array([line], pa.large_string()))
    >>> parts.reply[0].as_py(), parts.host[0].as_py(), COMMANDS[parts.command[0]]
    ('550 no such user', 'mx1.example.com', 'rcpt')
    """
    reply = lines
    host = pa.repeat(pa.scalar("", lines.type), len(lines))
    command = np.full(len(lines), NONE, dtype=np.int8)
    for wrapper in wrappers():
        places, some, found = _wrapped(wrapper, reply)
        if not len(places):
            continue
        kept = rf"\{wrapper.groups['kept']}" if "kept" in wrapper.groups else ""
        some = pc.replace_substring_regex(some, wrapper.pattern, kept, max_replacements=1)
        if wrapper.closes:
            some = pc.replace_substring_regex(some, wrapper.closes, "", max_replacements=1)
        reply = _put(reply, places, some)
        if "host" in wrapper.groups:
            name = pc.struct_field(found, "host")
            told = pc.not_equal(name, "")
            host = _put(host, places[np.asarray(told)], name.filter(told))
        if "command" in wrapper.groups:
            answered = _commands(pc.struct_field(found, "command"))
            command[places] = np.where(answered == NONE, command[places], answered)
        elif wrapper.command:
            command[places] = COMMANDS.index(wrapper.command)
    return Parts(reply, host, command)


def _wrapped(wrapper: Wrapper, texts: pa.Array) -> tuple[np.ndarray[Any, Any], pa.Array, pa.Array | None]:
    """Return the places of the texts that a wrapper is around, those texts, and its groups in them."""
    places = np.flatnonzero(pc.match_substring_regex(texts, wrapper.hint))
    some = texts.take(pa.array(places))
    if not wrapper.groups:
        fits, found = pc.match_substring_regex(some, wrapper.pattern), None
    else:
        found = pc.extract_regex(some, wrapper.pattern)
        fits = pc.is_valid(found)
    if wrapper.unless:
        elsewhere = pc.match_substring_regex(pc.struct_field(found, "before"), wrapper.unless)
        fits = pc.and_(fits, pc.invert(pc.fill_null(elsewhere, False)))
    kept = np.flatnonzero(fits)
    if len(kept) == len(places):
        return places, some, found
    rows = pa.array(kept)
    return places[kept], some.take(rows), None if found is None else found.take(rows)


def _put(values: pa.Array, places: np.ndarray[Any, Any], new: pa.Array) -> pa.Array:
    mask = np.zeros(len(values), dtype=bool)
    mask[places] = True
    return pc.replace_with_mask(values, mask, pc.cast(new, values.type))


def _commands(words: pa.Array) -> np.ndarray[Any, Any]:
    """Return the number of the command that each word stands for, -1 for none."""
    table = command_words()
    place = pc.index_in(words, value_set=pa.array(list(table), words.type))
    numbers = np.array([*table.values(), NONE], dtype=np.int8)
    return np.asarray(numbers[pc.fill_null(place, len(table)).to_numpy(zero_copy_only=False)])

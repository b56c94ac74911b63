"""Review lists: bounces whose evidence disagrees, and texts that no rule understood.

Both are told by *template*: what a text says when addresses, hosts and ids are taken out, so that a thousand bounces
of one kind are one row, and a table can be shown to others.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from bounceanalytics.classifying.classify import votes_on
from bounceanalytics.classifying.evidence import encode
from bounceanalytics.classifying.opinion import guesses
from bounceanalytics.classifying.texts import normal_form
from bounceanalytics.classifying.verdicts import READER
from bounceanalytics.datasets import as_frame
from bounceanalytics.errors import FrameError
from bounceanalytics.schema import (
    ARROW_STRING,
    BOUNCE_COLUMNS,
    CONFLICT_COLUMNS,
    FAILURE_EVENTS,
    STRING,
    UNCLASSIFIED_COLUMNS,
    VERDICT_INPUTS,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bounceanalytics.classifying.classify import Rules
    from bounceanalytics.datasets import Frame

__all__ = ["conflicts", "unclassified"]

_READ = (
    "provider",
    "event",
    "recipient",
    "domain",
    "timestamp",
    "reply_code",
    "enhanced_code",
    "diagnostic",
    "remote_host",
    "esp_type",
    "esp_reason",
    "reason",
    "action",
    "rule",
    "conflict",
)
#: The columns that the lists are made of: conflicts are weighed once more.
REVIEWED = tuple(dict.fromkeys((*_READ, *VERDICT_INPUTS.names)))
_SAYS = {-1: "remove", 0: "", 1: "keep"}

# What differs from one bounce to the next, in the normal form: links, hosts, ids (which are 0 there), long words with
# digits, and short numbers but for codes in front.
_MASKS = (
    (r"https?://[^ >)\"']+", "<link>"),
    (r"\b[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.[a-z]{2,}\b", "<host>"),
    (r"\b[a-z0-9_=+-]*[0-9][a-z0-9_=+-]{5,}", "<id>"),
    (r"(^|[^0-9.])0([^0-9.]|$)", r"\1<id>\2"),
    (r" [0-9]+([ ,;:)\]]|$)", r" <id>\1"),
)
_CUT = 300  # signs of a template that are kept; what differs later on is seldom said by a server

_CODES = re.compile(r"^[245]\d\d\b[ -]*|^#?[245]\.\d{1,3}\.\d{1,3}\b[ -]*")
_GAPS = re.compile(r"<(?:addr|host|link|id)>")
_GAP = ".{0,80}"  # what stands in a rule for a piece that was taken out
_SPECIAL = re.compile(r"[.?*+()\[\]{}|^$]")
_WORDS = 8  # words of a pattern, at most: enough to tell one phrase from others


def conflicts(bounces: Frame, *, rules: Rules = None) -> pd.DataFrame:
    """List the bounces where text, code and the ESP's word disagree on the address, most addresses at stake first.

    Where it is the second reader that reads the text otherwise than the rules, ``text_says`` is what the rules say.
    Such rows never remove an address unless the policy says so, but somebody should look at them: a rule of your own
    settles them for good.

    Parameters
    ----------
    bounces : pandas.DataFrame, Dataset or path of one
        A classified frame.
    rules : path or list of paths, optional
        Your own rules, if it was classified by them.

    Returns
    -------
    pandas.DataFrame
        One row per kind of text, codes and ESP's words. Templates hold no address.

        ========================================== ============================================================
        ``template``                               string: what the text says, without addresses, hosts and ids
        ``reply_code``                             Int16: SMTP reply
        ``enhanced_code``                          string: enhanced status code
        ``esp_type``                               string: the ESP's own type
        ``esp_reason``                             string: the ESP's own reason
        ``reason``                                 string: why mail did not arrive, as concluded
        ``action``                                 string: what to do with the address, as concluded
        ``rule``                                   string: id of the rule that decided
        ``text_says``, ``code_says``, ``esp_says`` string: 'remove', 'keep' or empty
        ``addresses``                              int64: different addresses
        ``events``                                 int64: events
        ``domains``                                int64: different domains
        ``worst_domain``                           string: the domain with the most events
        ``first_seen``                             timestamp, UTC: first event
        ``last_seen``                              timestamp, UTC: last event
        ========================================== ============================================================

    Raises
    ------
    FrameError
        If a column is missing.

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> bounces = ba.classify(ba.load(ba.samples() / "exports").events)
    >>> ba.conflicts(bounces)[["text_says", "code_says", "esp_says"]].ne("").any(axis=1).all()
    np.True_
    """
    frame = _typed(bounces, REVIEWED)
    frame = frame.loc[frame["conflict"].astype(bool)]
    voted = votes_on(frame, rules=rules)
    told = {f"{name}_says": voted[name].map(_SAYS) for name in voted.columns}
    by = [
        "template",
        "reply_code",
        "enhanced_code",
        "esp_type",
        "esp_reason",
        "reason",
        "action",
        "rule",
        *told,
    ]
    return CONFLICT_COLUMNS.frame(_grouped(frame.assign(template=templates(frame["diagnostic"]), **told), by))


def unclassified(bounces: Frame) -> pd.DataFrame:
    """List the texts that no rule understood, most events first, each with a rule to check.

    Texts for which the second reader alone found a reason are among them.

    Parameters
    ----------
    bounces : pandas.DataFrame, Dataset or path of one
        A classified frame.

    Returns
    -------
    pandas.DataFrame
        One row per template. Templates and rules hold no address. Bounces without a text have an empty template and no
        rule.

        ================= ============================================================
        ``template``      string: what the text says, without addresses, hosts and ids
        ``addresses``     int64: different addresses
        ``events``        int64: events
        ``domains``       int64: different domains
        ``worst_domain``  string: the domain with the most events
        ``first_seen``    timestamp, UTC: first event
        ``last_seen``     timestamp, UTC: last event
        ``reply_code``    Int16: SMTP reply; of several the most frequent
        ``enhanced_code`` string: enhanced status code; of several the most frequent
        ``rule_line``     string: TOML for a file of own rules; its reason is a guess
        ================= ============================================================

    Raises
    ------
    FrameError
        If a column is missing.

    Examples
    --------
    >>> import pandas as pd
    >>> import bounceanalytics as ba
    >>> events = ba.read_table(pd.DataFrame({"to": ["a@example.com"], "said": ["550 Zorble wibble 17"]}),
    ...                       mapping={"recipient": "to", "diagnostic": "said"})
    >>> ba.unclassified(ba.classify(events))["template"].tolist()
    ['550 zorble wibble <id>']
    """
    frame = _typed(bounces, _READ)
    frame = frame.loc[is_unclassified(frame)]
    found = _grouped(frame.assign(template=templates(frame["diagnostic"])), ["template"])
    found = found.sort_values(["events", "template"], ascending=[False, True], ignore_index=True)
    guessed = guesses(found["template"].tolist())
    lines = [
        rule_line(template, number, guess)
        for number, (template, guess) in enumerate(zip(found["template"], guessed, strict=True), 1)
    ]
    return UNCLASSIFIED_COLUMNS.frame(found.assign(rule_line=lines))


def _typed(bounces: Frame, columns: Sequence[str]) -> pd.DataFrame:
    """Return columns of a classified frame with the dtypes that they have in one.

    Raises
    ------
    FrameError
        If a column is missing, or holds something else.
    """
    frame = as_frame(bounces, columns)[list(columns)].reset_index(drop=True)
    try:
        return BOUNCE_COLUMNS.select(columns).frame(frame)
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        raise FrameError(
            f"a column of the classified frame holds something else than classify gives it: {type(error).__name__}; "
            "classify the events again"
        ) from None


def is_unclassified(frame: pd.DataFrame) -> pd.Series[bool]:
    """Return which rows :func:`unclassified` lists."""
    unknown = (frame["reason"].astype(object) == "unclassified") | (frame["rule"] == READER)
    return unknown & frame["event"].isin(FAILURE_EVENTS)


def templates(texts: pd.Series[Any]) -> pd.Series[Any]:
    """Return each text with addresses, hosts, links and ids taken out; a missing one is empty.

    Parameters
    ----------
    texts : pandas.Series of str

    Returns
    -------
    pandas.Series of str
        Same index.
    """
    number, values = encode(pa.array(texts.astype(STRING).array, ARROW_STRING))
    forms = normal_form(pa.concat_arrays([values, pa.array([""], values.type)]))  # the last is for nothing
    for pattern, sign in _MASKS:
        forms = pc.replace_substring_regex(forms, pattern, sign)
    forms = pc.utf8_slice_codeunits(forms, 0, _CUT)
    places = pa.array(np.where(number < 0, len(values), number))
    return pd.Series(forms.take(places).to_pandas().array, index=texts.index, dtype=STRING)


def rule_line(template: str, number: int, guess: str) -> str:
    """Return a rule in TOML that fits a template, with a guess at its reason; empty for an empty template."""
    words = [piece for piece in _pieces(template) if piece]
    if not words:
        return ""
    pattern = _GAP.join(_SPECIAL.sub(r"\\\g<0>", piece).replace("'", ".") for piece in words)
    said = template.replace("\\", " ").replace('"', "'")
    return (
        f'[[rule]]\nid = "own-{number:03d}"\n'
        f"pattern = '{pattern}'\n"
        f'reason = "{guess}"  # a guess: read the text, and correct it\n'
        f'example = "{said}"\n'
    )


def _pieces(template: str) -> list[str]:
    """Return the wordings between the gaps of a template, of eight words in all at most."""
    found, left = [], _WORDS
    for piece in _GAPS.split(_CODES.sub("", template)):
        words = re.findall(r"[^\s\\]+", piece)[:left]
        left -= len(words)
        found.append(" ".join(words).strip(" .,;:-"))
    return found


def _grouped(frame: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Return a row per value of ``by``, most addresses first."""
    keys = {name: frame[name].astype(STRING if name != "reply_code" else "Int16") for name in by}
    rows = frame.assign(**keys, address=frame["recipient"].str.lower())
    rows = rows.assign(kind=rows.groupby(by, dropna=False, observed=True, sort=False).ngroup())
    kinds = rows.groupby("kind").agg(
        addresses=("address", "nunique"),
        events=("kind", "size"),
        domains=("domain", "nunique"),
        first_seen=("timestamp", "min"),
        last_seen=("timestamp", "max"),
    )
    found = rows.drop_duplicates("kind").set_index("kind")[by].join(kinds)
    most = {"worst_domain": "domain", "reply_code": "reply_code", "enhanced_code": "enhanced_code"}
    for name, column in most.items():
        if name not in by:
            found[name] = _most_frequent(rows, column).reindex(found.index).astype(rows[column].dtype)
    return found.sort_values(
        ["addresses", "events", "template"], ascending=[False, False, True], ignore_index=True
    )


def _most_frequent(rows: pd.DataFrame, column: str) -> pd.Series[Any]:
    """Return the most frequent value of a column for each kind, the first in order where several are."""
    counts = rows.groupby(["kind", column], observed=True).size().reset_index(name="count")
    ordered = counts.sort_values(["kind", "count", column], ascending=[True, False, True])
    return ordered.drop_duplicates("kind").set_index("kind")[column]

"""Linter of text rules: those of the package, and those of a user's own files."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

import pyarrow as pa
import pyarrow.compute as pc

from bounceanalytics.classifying.classify import classify_text
from bounceanalytics.classifying.texts import normal_form
from bounceanalytics.knowledge.literals import required_literals
from bounceanalytics.knowledge.rules import (
    mailbox_providers,
    parse_rules,
    problems_of,
    rules,
    why_not_in_dialect,
)
from bounceanalytics.schema import LINT_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd

    from bounceanalytics.classifying.classify import Rules
    from bounceanalytics.knowledge.rules import TextRule

__all__ = ["lint_rules"]

Kind = Literal["broken", "too big", "catastrophic", "slow", "unreachable", "no example", "fight", "lost"]

_UNBOUNDED = re.compile(r"[*+]|\{\d+,\}")
_QUANTIFIER = re.compile(r"[*+?]|\{\d+(?:,\d*)?\}")
_CLASS = re.compile(r"\[\]?(?:\\.|[^\]\\])*\]")
_SPECIAL = re.compile(r"[.?*+()\[\]{}|^$\\]")


def lint_rules(files: Rules = None) -> pd.DataFrame:
    r"""Check text rules and report what is wrong with them.

    Parameters
    ----------
    files : path or list of paths, optional
        TOML files with rules of your own; the rules of the package if not given.

    Returns
    -------
    pandas.DataFrame
        One row per finding, none if all is well.

        =========== =======================
        ``rule``    string: id of the rule
        ``kind``    string: kind of finding
        ``finding`` string: a sentence
        =========== =======================

        Kinds: ``broken`` (cannot be used at all), ``too big`` (the engine refuses to compile it), ``catastrophic`` (a
        repeated repetition, which a backtracking engine would try in endless ways), ``slow`` (has no word that must
        occur, so that it is tried on every text), ``unreachable`` (an earlier rule fits whenever it does), ``no
        example``, ``fight`` (another rule has the same example) and ``lost`` (another rule wins its example).

    Raises
    ------
    SourceError
        If a file cannot be read.
    FormatError
        If a file is no TOML, or a row in it is no rule.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "own.toml"
    >>> _ = path.write_text('[[rule]]\nid = "own-1"\npattern = "Zorble"\nreason = "policy"\nexample = "zorble"\n')
    >>> lint_rules(path)[["rule", "kind"]].to_numpy().tolist()
    [['own-1', 'broken']]
    """
    found = rules() if files is None else parse_rules(files)
    rows = [(*problem.split(": ", 1), "broken") for problem in problems_of(found)]
    sound = [rule for rule in found if not why_not_in_dialect(rule.pattern)]
    rows += [(rule.id, says, kind) for rule in sound for kind, says in _about_pattern(rule)]
    rows += [(rule.id, says, "unreachable") for rule, says in _unreachable(sound)]
    if not rows or files is None:  # who wins is only known where all rules can be used
        rows += [(rule.id, says, kind) for rule, kind, says in _about_examples(found, files)]
    return LINT_COLUMNS.frame([(rule, kind, says) for rule, says, kind in rows])


def _about_pattern(rule: TextRule) -> Iterator[tuple[Kind, str]]:
    try:
        pc.match_substring_regex(pa.array([b""], pa.large_binary()), rule.pattern)
    except pa.ArrowInvalid as error:
        yield "too big", f"the engine does not compile the pattern: {str(error).splitlines()[0]}"
    if _repeats_repetition(rule.pattern):
        yield (
            "catastrophic",
            "a repetition is repeated, as in (a+)+: say it without the outer or the inner one",
        )
    if not required_literals(rule.pattern):
        yield (
            "slow",
            "no word of three letters or more must occur, so that it is tried on every text: name one",
        )


def _repeats_repetition(pattern: str) -> bool:
    """Return whether a group that holds an endless repetition is itself repeated without end."""
    endless = [False]  # per open group, the outermost first
    place = 0
    while place < len(pattern):
        sign = pattern[place]
        place += 1
        if sign == "\\":
            place += 1
        elif sign == "[":
            closed = _CLASS.match(pattern, place - 1)
            place = closed.end() if closed else len(pattern)
        elif sign == "(":
            endless.append(False)
        elif sign == ")":
            inner = endless.pop()
            after = _QUANTIFIER.match(pattern, place)
            repeated = bool(after and _UNBOUNDED.fullmatch(after.group()))
            if inner and repeated:
                return True
            endless[-1] |= inner or repeated
        elif _UNBOUNDED.match(pattern, place - 1):
            endless[-1] = True
    return False


def _unreachable(found: Sequence[TextRule]) -> Iterator[tuple[TextRule, str]]:
    """Yield rules that an earlier one of the same scope always forestalls, as far as that can be proved.

    An earlier rule that is plain words forestalls every pattern that cannot do without a word which holds them.
    """
    earlier: dict[tuple[str, str], list[TextRule]] = {}
    for rule in found:
        before = earlier.setdefault((rule.provider, rule.after), [])
        needs = required_literals(rule.pattern)
        for other in before:
            plain = not _SPECIAL.search(other.pattern)
            covered = plain and any(all(other.pattern in word for word in choice) for choice in needs)
            if covered or other.pattern == rule.pattern:
                yield rule, f"{other.id}, which is asked before it, fits whenever it does"
                break
        before.append(rule)


def _about_examples(found: Sequence[TextRule], files: Rules) -> Iterator[tuple[TextRule, Kind, str]]:
    """Yield what is wrong with the examples: each must be won by the rule that it stands at."""
    homes = {row.name: row.domains[0].replace("*", "com") for row in mailbox_providers() if row.domains}
    told = [rule for rule in found if rule.example]
    for rule in found:
        if not rule.example:
            yield rule, "no example", "it has no example: write a text that it is to win"
    if not told:
        return
    examples = [rule.example for rule in told]
    won = classify_text(
        examples, domain=[homes.get(rule.provider, "") for rule in told], rules=files, second_reader=False
    )
    forms = normal_form(pa.array(examples, pa.large_string())).to_pylist()
    first: dict[str, str] = {}
    for rule, winner, form in zip(told, won["rule"], forms, strict=True):
        other = first.setdefault(form, rule.id)
        if other != rule.id:
            yield rule, "fight", f"{other} has the same example, and only one can win it"
        elif winner != rule.id:
            yield (
                rule,
                "lost",
                f"its example is won by {winner if isinstance(winner, str) else 'no rule at all'}",
            )

"""Explanation of a code, a bounce text or a row of a classified frame."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bounceanalytics.errors import FrameError, UnknownCodeError
from bounceanalytics.explaining.explanation import Explanation, Section
from bounceanalytics.explaining.rows import explain_row, explain_text
from bounceanalytics.explaining.sections import (
    advice_sections,
    certainty_sections,
    in_a_sentence,
    list_sections,
    spelling_sections,
    unlabelled,
    verdict_section,
)
from bounceanalytics.knowledge import registry
from bounceanalytics.schema import BOUNCE_COLUMNS, REASONS

if TYPE_CHECKING:
    from bounceanalytics.knowledge.registry import Code

__all__ = ["Explanation", "explain"]

_TOGETHER = re.compile(r"#?(?P<reply>[2-5]\d\d)[ -]+#?(?P<enhanced>[245]\.\d{1,3}\.\d{1,3})", re.ASCII)


def explain(what: object, *, width: int | None = None) -> Explanation:
    """Explain a code, a bounce text or a row: what it means, why it was so decided, and what to do.

    Parameters
    ----------
    what : str, int, pandas.Series, mapping or pandas.DataFrame of one row
        An enhanced status code (``"5.3.1"``), a reply code (``550``), both (``"550 5.3.1"``), a code of one vendor
        (``"TSS04"``, ``"S3150"``), a reason (``"system_full"``), the text of a bounce, or a row of an event frame,
        classified or not.
    width : int, optional
        Columns of the text form; by default the width of the terminal, 100 at most.

    Returns
    -------
    Explanation
        Prints as text, shows as a card in a notebook; ``.reason``, ``.action``, ``.sections`` and others hold its
        parts. In a text, the words that decided stand in ``»…«``. Addresses are shown by their first letter.

    Raises
    ------
    UnknownCodeError
        If a string or number is neither a code nor a text.
    FrameError
        If a frame has not one row, or a row has nothing to explain.

    References
    ----------
    RFC 3463 (enhanced status codes), RFC 5321 section 4.2 (reply codes).

    Examples
    --------
    >>> told = explain("5.3.1")
    >>> told.title, told.bounce_type, told.action
    ('5.3.1 Mail system full', 'hard', 'remove')
    """
    if not isinstance(what, (str, int, float, np.number, pd.Series, Mapping)):
        frame = BOUNCE_COLUMNS.bring(what)
        if frame is not None:
            if len(frame) != 1:
                raise FrameError(
                    f"explain takes one row, found a frame of {len(frame):,}; pass one, as frame.iloc[[0]]"
                )
            what = frame.iloc[0]
    if isinstance(what, (pd.Series, Mapping)):
        return explain_row(dict(what.items()), width)
    if isinstance(what, (float, np.integer, np.floating)) and float(what).is_integer():
        what = int(what)  # a reply code out of a column: int16, or a float where others are missing
    if isinstance(what, bool) or not isinstance(what, (str, int)):
        raise FrameError(f"explain takes a code, a text or one row, found {type(what).__name__}")
    text = str(what).strip()
    if text in REASONS:
        return _explain_reason(text, width)
    if both := _TOGETHER.fullmatch(text):
        return _explain_code(registry.lookup(both["enhanced"]), registry.lookup(both["reply"]), width)
    try:
        return _explain_code(registry.lookup(text), None, width)
    except UnknownCodeError:
        if not re.search(r"[^\W\d_]{2}", text):  # no word in it: a number that is no code
            raise
    return explain_text(text, width)


def _explain_code(code: Code, reply: Code | None, width: int | None) -> Explanation:
    """Explain a code, with the reply code that stood before it, if any."""
    sections = [Section("Meaning", unlabelled([code.meaning]))]
    if code.kind == "vendor":
        sections.extend(spelling_sections(code))
    else:
        sections.append(Section("How the code reads", registry.digits(code), "facts"))
    if reply:
        sections.append(_beside(code, reply))
    if code.reason:
        sections.append(
            verdict_section(code.reason, code.bounce_type, code.category, code.fault, code.action)
        )
    sections.extend(certainty_sections(code))
    sections.extend(advice_sections(code))
    sections.append(
        Section("Source", (("stated in", code.source), ("registered", _registered(code))), "facts"),
    )
    return Explanation(
        title=f"{f'{reply.code} ' if reply else ''}{code.code} {code.title}"
        f"{f' ({code.registered})' if code.kind == 'vendor' else ''}",
        summary=in_a_sentence(code.reason, code.bounce_type, code.category, code.action),
        sections=tuple(sections),
        code=code.code,
        reason=code.reason,
        bounce_type=code.bounce_type,
        category=code.category,
        fault=code.fault,
        action=code.action,
        width=width,
    )


def _explain_reason(reason: str, width: int | None) -> Explanation:
    """Explain a value of the ``reason`` column."""
    row, advice = REASONS[reason], registry.advice(reason)
    named = [item for item in registry.codes().values() if item.reason == reason and item.specific]
    sections = [
        Section("Meaning", unlabelled([advice.meaning])),
        verdict_section(reason, row.bounce_type, row.category, row.fault, row.action),
        *list_sections(do_now=advice.do_now, do_later=advice.do_later, investigate=advice.investigate),
    ]
    if named:
        sections.append(
            Section("Codes that name it", tuple((item.code, item.title) for item in named[:12]), "facts")
        )
    return Explanation(
        title=f"{row.title} ({reason})",
        summary=in_a_sentence(reason, row.bounce_type, row.category, row.action),
        sections=tuple(sections),
        reason=reason,
        bounce_type=row.bounce_type,
        category=row.category,
        fault=row.fault,
        action=row.action,
        width=width,
    )


def _beside(code: Code, reply: Code) -> Section:
    said = f"{reply.title}. {reply.meaning}"
    if reply.code_class != code.code_class:
        said += (
            f" The two disagree: {reply.code} is {reply.code_class}, {code.code} is {code.code_class}; "
            f"the enhanced code is the more exact one."
        )
    return Section(f"The reply code {reply.code} beside it", unlabelled([said]))


def _registered(code: Code) -> str:
    return {"IANA": "by IANA", "not registered": "nowhere"}.get(
        code.registered, f"by nobody; made up by {code.registered}"
    )

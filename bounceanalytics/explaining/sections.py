"""Sections of an explanation that come from the registry: verdict, certainty, advice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bounceanalytics.explaining.explanation import Section
from bounceanalytics.knowledge import registry
from bounceanalytics.schema import REASONS
from bounceanalytics.wording import ACTIONS, FAULTS, TYPES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bounceanalytics.knowledge.registry import Code
    from bounceanalytics.wording import Words

_UNSURE = (
    "The code alone does not tell the reason: it is general, or used for other things. The text beside it decides; "
    "the verdict above is what is left without one."
)


def certainty_sections(code: Code) -> Iterable[Section]:
    """Return a caution where the code alone does not settle the reason."""
    if code.reason and not code.specific:
        yield Section("How sure it is", unlabelled([_UNSURE]))


def advice_sections(code: Code) -> Iterable[Section]:
    """Return all advice that a code has: disputes, causes, steps, related codes, typical texts."""
    if code.disputed:
        yield Section("Where views differ", unlabelled([code.disputed]))
    yield from list_sections(
        code.causes, code.do_now, code.do_later, code.investigate, code.recipient_side, code.practices
    )
    if code.related:
        named = (
            (item.code, f"{registry.lookup(item.code).title}: {item.difference}") for item in code.related
        )
        yield Section("Not to be confused with", tuple(named), "facts")
    if code.texts:
        yield Section("Typical texts", tuple((item.kind, item.text) for item in code.texts), "quotes")


def spelling_sections(code: Code) -> Iterable[Section]:
    """Show how a vendor's code is written, where that is not always the same."""
    if code.spellings:
        yield Section("How it is written", unlabelled([", ".join(code.spellings)]))


def vendor_section(code: Code, reason: str | None, *, told: bool) -> Section:
    """Return in short what a vendor's code in a text means.

    Parameters
    ----------
    code : Code
    reason : str or None
        What was concluded.
    told : bool
        True if its meaning and advice stand in the explanation already.
    """
    rows = [("who writes it", code.registered)]
    rows.append(("what it says", f"{code.title}{'' if told else f'. {code.meaning}'}"))
    if code.reason and code.reason != reason:
        rows.append(("by itself", f"it would mean {code.reason}"))
        rows.extend(("advice", text) for text in code.do_now[:1])
    rows.append(("source", code.source))
    return Section(f"The code {code.code} in the text", tuple(rows), "facts")


def list_sections(
    causes: Sequence[str] = (),
    do_now: Sequence[str] = (),
    do_later: Sequence[str] = (),
    investigate: Sequence[str] = (),
    recipient_side: Sequence[str] = (),
    practices: Sequence[str] = (),
) -> Iterable[Section]:
    """Return a section for each kind of advice that is not empty."""
    if causes:
        yield Section("Why it happens", unlabelled(causes), "list")
    if do_now:
        yield Section("What to do now", unlabelled(do_now), "steps")
    if do_later:
        yield Section("What to keep doing", unlabelled(do_later), "list")
    if investigate:
        yield Section("What to look into", unlabelled(investigate), "list")
    if recipient_side:
        yield Section("What the receiving side can do", unlabelled(recipient_side), "list")
    if practices:
        yield Section("Good practice", unlabelled(practices), "list")


def verdict_section(
    reason: str | None, bounce_type: str | None, category: str | None, fault: str | None, action: str | None
) -> Section:
    """Return the verdict in words."""
    rows = []
    if reason:
        rows.append(("reason", f"{reason} ({REASONS[reason].title})" if reason in REASONS else reason))
    if bounce_type:
        rows.append(("type", _explained(TYPES, bounce_type)))
    if category:
        rows.append(("category", category.replace("_", " ")))
    if fault:
        rows.append(("who must act", _explained(FAULTS, fault)))
    if action:
        rows.append(("action", _explained(ACTIONS, action)))
    return Section("What it counts as", tuple(rows), "facts")


def _explained(table: Mapping[str, Words], name: str) -> str:
    return table[name].explained if name in table else name


def in_a_sentence(
    reason: str | None, bounce_type: str | None, category: str | None, action: str | None
) -> str:
    """Return the verdict as one sentence."""
    if not reason:
        return "No failure."
    kind = TYPES.get(str(bounce_type), TYPES["unknown"]).phrase.capitalize()
    does = ACTIONS[action].phrase if action in ACTIONS else "no action"
    return f"{kind}, {str(category).replace('_', ' ')}: {does}."


def unlabelled(texts: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Return texts as rows of a section that has no labels."""
    return tuple(("", text) for text in texts)

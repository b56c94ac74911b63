"""Explanation of one event, or of a text: what came in, what was concluded, and which rule won over which."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pandas as pd

from bounceanalytics.classifying.classify import candidates, classify, classify_text
from bounceanalytics.classifying.opinion import opinion
from bounceanalytics.errors import FrameError, UnknownCodeError
from bounceanalytics.explaining.explanation import Explanation, Section, readable, readable_part
from bounceanalytics.explaining.sections import (
    advice_sections,
    in_a_sentence,
    list_sections,
    unlabelled,
    vendor_section,
    verdict_section,
)
from bounceanalytics.knowledge import registry
from bounceanalytics.knowledge.rules import without_accents
from bounceanalytics.schema import EVENT_COLUMNS, REASONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bounceanalytics.classifying.classify import Candidate
    from bounceanalytics.knowledge.registry import Code

#: Source of a candidate -> how it is named in a table, and in a sentence.
_SOURCES = {
    "not tried": ("not tried", "The ESP's word that it did not try"),
    "provider text": ("provider's text", "A phrase of this mailbox provider"),
    "text": ("text", "A phrase in the text"),
    "enhanced code": ("enhanced code", "The enhanced code"),
    "reply code": ("reply code", "The reply code"),
    "esp word": ("ESP's word", "The ESP's word"),
    "class": ("class", "The class of the code"),
    "reader": ("second reader", "The second reader"),
}

#: A row says something if it has a value in one of these.
_EVIDENCE = ("diagnostic", "enhanced_code", "reply_code", "esp_reason", "esp_type", "event", "bounce_type")

#: What tells who runs the mailbox.
_PLACES = {"domain", "recipient", "remote_host"}

_ASKED = ("reply_code", "enhanced_code", "domain", "provider", "event", "esp_type", "esp_reason", "esp_event")
_VERDICT = ("reason", "bounce_type", "category", "fault", "action", "rule")
_ESP_WORDS = ("esp_event", "esp_type", "esp_reason")
_NUMBERS = ("reply_code", "attempt", "record")

_CONFLICT = (
    "Text, code and the ESP's word disagree on whether the address is to be kept, so cleaning never "
    "removes it for this event alone. Read the text: people judge it better than any rule."
)

#: Characters of a text in which the words of a rule are looked for.
_SEARCHED = 4800

#: What stands in the normal form of a text for an address, a number and a blank -> how that may look in the text.
_SHAPES = {
    "<addr>": r"<?[^\s<>]{1,320}>?",
    "0": r"[\w.:-]{1,80}",
    " ": r"(?:\s|\\[rn]){1,8}(?:[245]\d\d[ -])?(?:[245]\.\d{1,3}\.\d{1,3}\s)?",
}

#: Codes at the beginning of a text, as servers write them.
_BEGINNING = re.compile(
    r"\s*(?:smtp;\s*)?(?=\d)(?:(?P<reply>[2-5]\d\d)\b(?!\.))?[ -]*#?(?P<enhanced>[245]\.\d{1,3}\.\d{1,3}(?![\d.]))?",
    re.ASCII,
)


def explain_text(text: str, width: int | None) -> Explanation:
    """Explain a bounce text that comes without anything else."""
    verdict = classify_text([text]).iloc[0]
    return _explained({"diagnostic": text}, _known(verdict.to_dict()), width)


def explain_row(row: Mapping[Any, Any], width: int | None) -> Explanation:
    """Explain a row of an event frame; one that was not classified yet is classified here."""
    known = _known(row)
    if not known.keys() & set(_EVIDENCE):
        found = ", ".join(map(str, list(row)[:20])) or "nothing"
        raise FrameError(
            f"a row to explain needs a value in one of {', '.join(_EVIDENCE)}; its columns: {found}"
        )
    if "bounce_type" in known:
        return _explained(known, known, width)
    event = {"provider": "generic", "event": "bounced", "record": 1, **known}
    frame = pd.DataFrame(
        {item.name: pd.Series([event.get(item.name)], dtype=item.dtype) for item in EVENT_COLUMNS}
    )
    return _explained(known, _known(classify(frame).iloc[0].to_dict()), width)


def _explained(row: Mapping[str, Any], verdict: Mapping[str, Any], width: int | None) -> Explanation:
    """Explain what came in (``row``) by what was concluded (``verdict``)."""
    spoken = tuple(candidates(str(row.get("diagnostic", "")), **{name: row.get(name) for name in _ASKED}))
    reason, bounce_type, category, fault, action, rule = (_word(verdict, name) for name in _VERDICT)
    reply, enhanced = _codes_of(row)
    code = enhanced or reply
    mailbox_provider = _word(verdict, "mailbox_provider")
    # Without domain and host, "other" means that nothing is known of the mailbox.
    asked_of = None if mailbox_provider == "other" and not row.keys() & _PLACES else mailbox_provider
    of_vendors = registry.vendor_codes_in(str(row.get("diagnostic", "")), asked_of)
    sections = [
        _came_in(row, reply, enhanced, mailbox_provider, _deciding(spoken, rule)),
        verdict_section(reason, bounce_type, category, fault, action),
        *_reasoning(spoken, rule),
        *_certainty(row, verdict),
    ]
    if verdict.get("conflict"):
        sections.append(Section("Disagreement", unlabelled([_CONFLICT])))
    if reason in REASONS:
        sections.extend(_advice_for(reason, [item for item in (*of_vendors, enhanced, reply) if item]))
    told = next((item for item in of_vendors if item.reason == reason), None)  # its advice stands above
    sections.extend(vendor_section(item, reason, told=item is told) for item in of_vendors)
    title = REASONS[reason].title if reason in REASONS else _word(row, "event") or "No failure"
    numbers = " ".join(item.code for item in (reply, enhanced) if item)
    return Explanation(
        title=f"{title[:1].upper()}{title[1:]}{f' ({numbers})' if numbers else ''}",
        summary=in_a_sentence(reason, bounce_type, category, action),
        sections=tuple(sections),
        code=code.code if code else None,
        reason=reason,
        bounce_type=bounce_type,
        category=category,
        fault=fault,
        action=action,
        rule=rule,
        candidates=spoken,
        width=width,
    )


def _known(row: Mapping[Any, Any]) -> dict[str, Any]:
    """Return the values of a row that are there, as plain Python values."""
    known = {}
    for name, value in row.items():
        if isinstance(value, (list, tuple, dict)) or not pd.api.types.is_scalar(value) or pd.isna(value):
            continue  # lists are tags, which explain nothing
        plain = value.item() if hasattr(value, "item") else value
        known[str(name)] = int(plain) if name in _NUMBERS else plain
    return {name: value for name, value in known.items() if value != ""}


def _word(row: Mapping[str, Any], name: str) -> str | None:
    return str(row[name]) if name in row else None


def _codes_of(row: Mapping[str, Any]) -> tuple[Code | None, Code | None]:
    """Return reply code and enhanced code of a row; where its columns have none, those that its text begins with."""
    text = str(row.get("diagnostic", ""))
    written = _BEGINNING.match(text)
    reply = row.get("reply_code") or (written["reply"] if written else None)
    enhanced = row.get("enhanced_code") or (written["enhanced"] if written else None)
    return _looked_up(reply), _looked_up(enhanced)


def _looked_up(code: object) -> Code | None:
    try:
        return registry.lookup(str(code)) if code else None
    except UnknownCodeError:
        return None


def _deciding(spoken: Sequence[Candidate], rule: str | None) -> Candidate | None:
    """Return the candidate that decided; None where it was a rule of the user's own, whose words are not known."""
    return next((item for item in spoken if item.won and rule in {None, item.rule}), None)


def _came_in(
    row: Mapping[str, Any],
    reply: Code | None,
    enhanced: Code | None,
    mailbox_provider: str | None,
    decided: Candidate | None,
) -> Section:
    """Return all that is known of the event, with the words that decided set off in the text."""
    text = str(row.get("diagnostic", ""))
    shown, start, end = readable_part(text, *(_place(text, decided) if decided else (0, 0)))
    rows = tuple(_evidence(row, reply, enhanced, mailbox_provider, shown))
    number = [label for label, _ in rows].index("text")
    marks = ((number, start + 1, end + 1),) if end > start else ()  # 1 for the quotation mark
    return Section("What came in", rows, "facts", marks)


def _place(text: str, item: Candidate) -> tuple[int, int]:
    """Return where the words of a candidate stand in the text as given; twice 0 where they cannot be found."""
    if item.start >= 0 and text[item.start : item.end].lower() == item.matched.lower():
        return item.start, item.end
    if not item.source.endswith("text") or not item.matched:
        return 0, 0  # a word of the ESP, or a code that stands in a column only
    # The rules saw the normal form: addresses, numbers and line ends stand there in another shape.
    words = "".join(
        _SHAPES.get(part) or re.escape(part) for part in re.split(r"(<addr>|\b0\b| )", item.matched) if part
    )
    searched = text[:_SEARCHED]
    plain = without_accents(searched)
    hit = re.search(words, plain if len(plain) == len(searched) else searched, re.IGNORECASE)
    return hit.span() if hit else (0, 0)


def _evidence(
    row: Mapping[str, Any],
    reply: Code | None,
    enhanced: Code | None,
    mailbox_provider: str | None,
    shown: str,
) -> Iterable[tuple[str, str]]:
    if "recipient" in row:
        yield "recipient", readable(str(row["recipient"]))
    if "event" in row:
        time = f" on {row['timestamp']:%Y-%m-%d %H:%M} UTC" if "timestamp" in row else ""
        attempt = f", attempt {row['attempt']}" if "attempt" in row else ""
        yield "event", f"{row['event']}{time}{attempt}"
    if reply:
        yield "reply code", f"{reply.code} {reply.title}"
    if enhanced:
        yield "enhanced code", f"{enhanced.code} {enhanced.title}"
    yield "text", f"“{shown}”" if "diagnostic" in row else "none"
    if mailbox_provider:
        host = f", host {readable(str(row['remote_host']))}" if "remote_host" in row else ""
        yield "mailbox provider", f"{mailbox_provider}{host}"
    words = [
        f"{name.removeprefix('esp_')} “{readable(str(row[name]))}”" for name in _ESP_WORDS if name in row
    ]
    if words:
        yield f"words of {row.get('provider', 'the ESP')}", ", ".join(words)
    if "source" in row:
        record = f", record {row['record']}" if "record" in row else ""
        yield "found in", f"{row['source']}{record}"


def _reasoning(spoken: Sequence[Candidate], rule: str | None) -> Iterable[Section]:
    """Yield which candidate decided, and why each of the others lost."""
    won = next((item for item in spoken if item.won), None)
    if won is None:
        said = (
            "Nothing in the text, the codes or the ESP's words names a reason."
            if not rule
            else f"Rule {rule} decided."
        )
    elif rule in {None, won.rule}:
        said = f"{_named(won)[1]} decided: {_claim(won)}. {_sentence(won.why)}"
    else:
        said = (
            f"Rule {rule} decided. It is a rule of your own, or the row was classified by another version; by the "
            f"rules of this package {_claim(won)} would decide."
        )
    yield Section("Why", unlabelled([said]))
    if lost := [item for item in spoken if not item.won]:
        rows = ((_named(item)[0], f"{_claim(item)}. {_sentence(item.why)}") for item in lost)
        yield Section("What else spoke, and why it lost", tuple(rows), "facts")


def _certainty(row: Mapping[str, Any], verdict: Mapping[str, Any]) -> Iterable[Section]:
    """Yield how probable the reason is, and what the second reader makes of the text by itself."""
    told = []
    if "confidence" in verdict:
        told.append(("the reason is right", f"with a probability of {float(verdict['confidence']):.2f}"))
    if found := opinion(str(row.get("diagnostic", ""))):
        by = ", ".join(f"“{readable(piece.words)}”" for piece in found.pieces)
        told.append(("second reader", f"the words alone make it {found.reason}, most by {by}"))
        told.append(
            ("nearest example", f"“{found.example}” is {found.example_reason}; {found.likeness:.2f} alike")
        )
    if told:
        yield Section("How sure", tuple(told), "facts")


def _named(item: Candidate) -> tuple[str, str]:
    return _SOURCES.get(item.source, (item.source, item.source.capitalize()))


def _claim(item: Candidate) -> str:
    found = f"“{readable(item.matched)}” " if item.matched else ""
    by = "" if item.source == "reader" else f" (rule {item.rule})"
    return f"{found}means {item.reason or 'nothing certain'}{by}"


def _sentence(text: str) -> str:
    """Return a clause as a sentence; an id at its beginning keeps its spelling."""
    text = readable(text).rstrip(".")
    first = text.split(" ", 1)[0]
    return f"{text[:1].upper() if first.isalpha() else text[:1]}{text[1:]}." if text else ""


def _advice_for(reason: str, codes: Sequence[Code]) -> Iterable[Section]:
    """Advise by a code that means what was concluded, else by the reason; codes that mean otherwise are named."""
    code = next((item for item in codes if item.reason == reason and item.do_now), None)
    if code:
        yield Section("Meaning", unlabelled([code.meaning]))
        yield from advice_sections(code)
        return
    advice = registry.advice(reason)
    yield Section("Meaning", unlabelled([advice.meaning]))
    yield from list_sections(do_now=advice.do_now, do_later=advice.do_later, investigate=advice.investigate)
    if others := [
        f"{item.code} by itself would mean {item.reason}. {item.disputed}"
        for item in codes
        if item.reason and item.kind != "vendor"
    ]:
        yield Section("The codes beside it", unlabelled(others), "list")

"""An explanation as a value: sections of short texts that print in a terminal and show as a card in a notebook.

What stands in the sections may come from a remote server, so the text form drops control characters (a terminal
would obey them) and the card escapes everything.
"""

from __future__ import annotations

import re
import shutil
import textwrap
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any, Literal

from bounceanalytics.privacy import HIDES, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: Widest text that is still pleasant to read, and the narrowest that holds a label beside its text.
_WIDEST, _NARROWEST = 100, 40

#: Characters of a remote text that are shown, and that are read for it; some bounces carry whole messages.
_LONGEST = 1200
_READ = 4 * _LONGEST

#: How a part that is set off looks in plain text.
_OPEN, _CLOSE = "»", "«"

_ENDS = re.compile(r"\A\s+|\s+\Z")
_BLANKS = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Section:
    """A headed part of an explanation.

    Attributes
    ----------
    title : str
    rows : tuple of (str, str)
        Label and text; the label is empty except in ``facts``.
    style : {'prose', 'list', 'steps', 'facts', 'quotes'}
        How the rows are set.
    marks : tuple of (int, int, int)
        Number of a row, start and end in its text: a part that is set off, as ``»…«`` or ``<mark>``. It is kept apart
        from the text, so that nothing in a remote text can pass for it.
    """

    title: str
    rows: tuple[tuple[str, str], ...]
    style: Literal["prose", "list", "steps", "facts", "quotes"] = "prose"
    marks: tuple[tuple[int, int, int], ...] = ()

    def mark_of(self, number: int) -> tuple[int, int] | None:
        """Return start and end of what is set off in a row; None if nothing is."""
        return next(((start, end) for row, start, end in self.marks if row == number), None)


@dataclass(frozen=True, slots=True, repr=False)
class Explanation:
    """Explanation of a code, a text or a row of a classified frame: what it means, why, and what to do.

    ``print`` shows it as text, a notebook as a card.

    Attributes
    ----------
    title : str
        A few words, such as ``5.3.1 Mail system full``.
    summary : str
        The verdict in a sentence.
    sections : tuple of Section
    code : str or None
        The code that was explained, or the most exact one that the text or row carries.
    reason, bounce_type, category, fault, action : str or None
        The verdict in the words of the frame; None where there is no failure.
    rule : str or None
        Id of the rule that decided; None for a code.
    candidates : tuple
        Every rule that spoke, the winner included; empty for a code.
    width : int or None
        Columns of the text; None for the width of the terminal.

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> explanation = ba.explain("5.3.1")
    >>> explanation.title, explanation.reason, explanation.fault
    ('5.3.1 Mail system full', 'system_full', 'receiver')
    >>> [section.title for section in explanation.sections][:2]
    ['Meaning', 'How the code reads']
    """

    title: str
    summary: str
    sections: tuple[Section, ...]
    code: str | None = None
    reason: str | None = None
    bounce_type: str | None = None
    category: str | None = None
    fault: str | None = None
    action: str | None = None
    rule: str | None = None
    candidates: tuple[Any, ...] = ()
    width: int | None = field(default=None, compare=False)

    def __str__(self) -> str:
        width = self.width or min(shutil.get_terminal_size().columns, _WIDEST)
        return "\n".join(_text(self, max(width, _NARROWEST)))

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return _card(self)


def readable(text: str) -> str:
    """Return a remote text made safe to show: addresses masked, control characters dropped, length bounded.

    Examples
    --------
    >>> readable("550 <somebody@example.com>: User unknown")
    '550 <…@example.com>: User unknown'
    """
    return readable_part(text, 0, 0)[0]


def readable_part(text: str, start: int, end: int) -> tuple[str, int, int]:
    """Return a remote text made safe to show, and where a part of it stands there.

    Parameters
    ----------
    text : str
    start, end : int
        The part, as the text was given.

    Returns
    -------
    str
        As :func:`readable` makes it.
    int, int
        The part in it; twice the same number where nothing of it is shown. Of an address that the part begins or ends
        in, all that is shown belongs to it.

    Examples
    --------
    >>> shown, start, end = readable_part("550 <somebody@example.com>:  User unknown", 29, 41)
    >>> shown[start:end]
    'User unknown'
    """
    shown = printable(text[:_READ].replace("\r", " "))
    part = (min(start, len(shown)), min(end, len(shown)))
    for pattern, put in ((_ENDS, _nothing), (_BLANKS, _blank), *HIDES):
        shown, part = _replaced(pattern, put, shown, part)
    start, end = (min(place, _LONGEST) for place in part)
    if len(shown) > _LONGEST or len(text) > _READ:
        shown = f"{shown[:_LONGEST]} … ({len(text):,} characters in all)"
    return shown, start, end


def _blank(_: re.Match[str]) -> str:
    return " "


def _nothing(_: re.Match[str]) -> str:
    return ""


def _replaced(
    pattern: re.Pattern[str], put: Callable[[re.Match[str]], str], text: str, part: tuple[int, int]
) -> tuple[str, tuple[int, int]]:
    """Replace what a pattern finds, and say where a part of the text stands afterwards."""
    start, end = part
    moved_start, moved_end = part
    pieces: list[str] = []
    done = shift = 0
    for match in pattern.finditer(text):
        new = put(match)
        pieces += (text[done : match.start()], new)
        done = match.end()
        at = match.start() + shift
        shift += len(new) - (match.end() - match.start())
        # What is replaced is in the part as a whole or not at all: a mark never splits a masked address.
        if start > match.start():
            moved_start = at if start < match.end() else start + shift
        if end > match.start():
            moved_end = at + len(new) if end < match.end() else end + shift
    return "".join((*pieces, text[done:])), (moved_start, moved_end)


def _text(item: Explanation, width: int) -> Iterator[str]:
    title = textwrap.wrap(item.title, width) or [""]
    yield from title
    yield "═" * max(map(len, title))
    if item.summary:
        yield from textwrap.wrap(item.summary, width)
    for section in item.sections:
        yield ""
        yield section.title
        yield "─" * len(section.title)
        yield from _section_text(section, width)


def _section_text(section: Section, width: int) -> Iterator[str]:
    # A long label would leave no room for its text: such rows put the text on the lines below.
    longest = max((len(label) for label, _ in section.rows), default=0)
    column = min(longest, 22)
    for number, (label, text) in enumerate(section.rows, start=1):
        if section.style == "facts":
            if len(label) > column:
                yield from textwrap.wrap(label, width, initial_indent="  ", subsequent_indent="  ")
                first = " " * (column + 4)
            else:
                first = f"  {label:<{column}}  "
        else:
            first = {"list": "  • ", "steps": f"  {number}. ", "quotes": "  · "}.get(section.style, "  ")
        shown = _marked_text(text, section.mark_of(number - 1))
        said = f"“{shown}” ({label})" if section.style == "quotes" and label else shown
        indent = " " * len(first)
        yield from textwrap.wrap(
            said, width, initial_indent=first, subsequent_indent=indent, break_on_hyphens=False
        ) or [first.rstrip()]


def _marked_text(text: str, mark: tuple[int, int] | None) -> str:
    if not mark:
        return text
    start, end = mark
    return f"{text[:start]}{_OPEN}{text[start:end]}{_CLOSE}{text[end:]}"


#: Only translucent greys and inherited colours, so that the card suits light and dark notebooks alike.
_STYLE = """<style>
.ba-card{max-width:72em;padding:1em 1.25em;border:1px solid rgba(128,128,128,.4);border-radius:8px;line-height:1.5;
color:inherit;font-family:system-ui,-apple-system,"Segoe UI",sans-serif;font-size:14px}
.ba-card h3{margin:0 0 .2em;font-size:1.3em;font-weight:650}
.ba-card h4{margin:0 0 .3em;font-size:1em;font-weight:650}
.ba-card p{margin:.2em 0 .5em}
.ba-card .ba-tags{margin:.5em 0 .6em}
.ba-card .ba-tag{display:inline-block;margin:0 .4em .3em 0;padding:.05em .65em;border-radius:1em;
border:1px solid rgba(128,128,128,.5);background:rgba(128,128,128,.12)}
.ba-card .ba-hard,.ba-card .ba-remove{background:rgba(214,39,40,.2);border-color:rgba(214,39,40,.6)}
.ba-card .ba-soft,.ba-card .ba-retry{background:rgba(240,160,0,.2);border-color:rgba(240,160,0,.65)}
.ba-card .ba-block,.ba-card .ba-fix{background:rgba(120,90,220,.2);border-color:rgba(120,90,220,.6)}
.ba-card .ba-parts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,23em),1fr));gap:1em 2em;
border-top:1px solid rgba(128,128,128,.3);padding-top:.9em}
.ba-card .ba-wide{grid-column:1/-1}
.ba-card ul,.ba-card ol{margin:0;padding-left:1.4em}
.ba-card li{margin:.15em 0}
.ba-card.ba-card dl{display:grid;grid-template-columns:max-content 1fr;gap:.15em 1em;margin:0}
.ba-card.ba-card dt{float:none;width:auto;padding:0;font-weight:600;opacity:.75;overflow-wrap:break-word;max-width:14em}
.ba-card.ba-card dd{float:none;width:auto;padding:0;margin:0;overflow-wrap:anywhere;min-width:0}
.ba-card q{font-family:ui-monospace,Menlo,Consolas,monospace;font-size:.92em;overflow-wrap:anywhere}
.ba-card small{opacity:.75}
.ba-card mark{padding:0 .15em;border-radius:3px;color:inherit;background:rgba(240,160,0,.35)}
</style>"""

_TAGS = ("bounce_type", "category", "action")


def _card(item: Explanation) -> str:
    tags = "".join(
        f'<span class="ba-tag ba-{escape(value)}">{escape(name.replace("_", " "))}: {escape(value)}</span>'
        for name in _TAGS
        if (value := getattr(item, name))
    )
    parts = "".join(_section_html(section) for section in item.sections)
    return (
        f'{_STYLE}<div class="ba-card"><h3>{escape(item.title)}</h3><p>{escape(item.summary)}</p>'
        f'<div class="ba-tags">{tags}</div><div class="ba-parts">{parts}</div></div>'
    )


def _section_html(section: Section) -> str:
    long = any(len(label) + len(text) > 110 for label, text in section.rows)
    wide = " ba-wide" if section.style == "prose" or (section.style == "facts" and long) else ""
    return f'<div class="ba-part{wide}"><h4>{escape(section.title)}</h4>{_rows_html(section)}</div>'


def _rows_html(section: Section) -> str:
    if section.style == "facts":
        rows = (
            f"<dt>{escape(label)}</dt><dd>{_marked_html(text, section.mark_of(number))}</dd>"
            for number, (label, text) in enumerate(section.rows)
        )
        return f"<dl>{''.join(rows)}</dl>"
    if section.style == "prose":
        return "".join(f"<p>{escape(text)}</p>" for _, text in section.rows)
    if section.style == "quotes":
        items = (
            f"<li><q>{escape(text)}</q>{f' <small>{escape(label)}</small>' if label else ''}</li>"
            for label, text in section.rows
        )
        return f"<ul>{''.join(items)}</ul>"
    tag = "ol" if section.style == "steps" else "ul"
    return f"<{tag}>{''.join(f'<li>{escape(text)}</li>' for _, text in section.rows)}</{tag}>"


def _marked_html(text: str, mark: tuple[int, int] | None) -> str:
    if not mark:
        return escape(text)
    start, end = mark
    return f"{escape(text[:start])}<mark>{escape(text[start:end])}</mark>{escape(text[end:])}"

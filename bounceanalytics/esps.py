"""The email service providers (ESPs) whose exports are read: one line each.

The name stands in the column ``provider``; it is also the name of the module in ``loading/formats``, of the words in
``knowledge/esps`` and of the samples. ``ADDING_ESPS.md`` says what else a new one needs.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Esp:
    """An email service provider.

    Attributes
    ----------
    name : str
        Value of the column ``provider``.
    title : str
        What it calls itself.
    invented_replies : tuple of int
        Codes of its own that have the shape of an SMTP reply although no server sent them.
    """

    name: str
    title: str
    invented_replies: tuple[int, ...] = ()


_ROWS = (
    Esp("sendgrid", "SendGrid"),
    Esp("ses", "Amazon SES"),
    Esp("mailgun", "Mailgun", invented_replies=(498, 499)),
)

#: Every ESP by its name.
ESPS: dict[str, Esp] = {row.name: row for row in _ROWS}

#: Codes that look like SMTP replies and are inventions of an ESP.
INVENTED_REPLIES: tuple[int, ...] = tuple(code for row in _ROWS for code in row.invented_replies)


def esp_titles(last: str) -> str:
    """Return the titles of all ESPs as they stand in a sentence, the last one behind the given word.

    >>> esp_titles("or")
    'SendGrid, Amazon SES or Mailgun'
    """
    *others, final = (esp.title for esp in ESPS.values())
    return f"{', '.join(others)} {last} {final}"

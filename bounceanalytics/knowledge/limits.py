"""Bounce rates that an ESP holds its customers to, read from ``limits.toml``."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True, slots=True)
class Limits:
    """Shares (0-1) of the messages sent that may bounce.

    Attributes
    ----------
    esp : str
        Whose limits they are: one of :data:`bounceanalytics.schema.ESPS`.
    short : str
        How it is called where there is no room for its title.
    wanted, review, pause : float
        Customers are asked to stay below; the account is reviewed; sending may be paused.
    source : str
        Page of the ESP.
    """

    esp: str
    short: str
    wanted: float
    review: float
    pause: float
    source: str


@cache
def bounce_rate_limits() -> Limits:
    """Return the limits of bounce rates that charts and reports show.

    Examples
    --------
    >>> bounce_rate_limits().review
    0.05
    """
    text = (resources.files("bounceanalytics.knowledge") / "limits.toml").read_text("utf-8")
    return Limits(**tomllib.loads(text)["bounce_rate"])

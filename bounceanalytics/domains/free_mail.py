"""Free-mail domains: where anybody can have a mailbox, read from ``free_mail.toml``."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import NamedTuple

from bounceanalytics.knowledge.rules import mailbox_providers


class FreeMail(NamedTuple):
    """Domains at which anybody can have a mailbox, free or with an internet access.

    Attributes
    ----------
    likely : dict of str to int
        Those with so many users that a typing error of them is one wherever it turns up; place in that order, from 0.
    known : frozenset of str
        All of them.
    """

    likely: dict[str, int]
    known: frozenset[str]


@cache
def free_mail() -> FreeMail:
    """Return the free-mail domains.

    Examples
    --------
    >>> "gmail.com" in free_mail().likely, "hotmail.sk" in free_mail().known, "example.com" in free_mail().known
    (True, True, False)
    """
    text = (resources.files("bounceanalytics.domains") / "free_mail.toml").read_text("utf-8")
    groups = tomllib.loads(text)["group"]
    likely = [domain for group in groups for domain in group["domains"]]
    also = [domain for group in groups for domain in group.get("also", ())]
    return FreeMail({domain: place for place, domain in enumerate(likely)}, frozenset((*likely, *also)))


@cache
def well_known() -> frozenset[str]:
    """Return the domains that are no typing error of another one: free mail, and the mailbox providers' own.

    Examples
    --------
    >>> {"gmx.at", "google.com"} <= well_known()
    True
    """
    own = (domain for provider in mailbox_providers() for domain in provider.domains)
    return free_mail().known | {domain for domain in own if "*" not in domain}

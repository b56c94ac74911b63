"""Contacts: who to write to about a domain that takes no mail, what to write, and where its people are reached else."""

from __future__ import annotations

import tomllib
from collections.abc import Hashable
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from bounceanalytics.addresses import column_text, domain_of, normal_form, problem
from bounceanalytics.database import read_sql
from bounceanalytics.domains.listed import address_cells
from bounceanalytics.errors import FrameError
from bounceanalytics.history import History
from bounceanalytics.privacy import without_addresses
from bounceanalytics.schema import (
    CONTACT_COLUMNS,
    DOMAIN_COLUMNS,
    FAILURE_EVENTS,
    NO_DOMAIN,
    OTHER_ADDRESS_COLUMNS,
    REASONS,
    require,
)
from bounceanalytics.wording import in_short

if TYPE_CHECKING:
    from bounceanalytics.datasets import Frame

#: State of a domain -> the reasons of bounces that belong to it.
CONCERNS = {
    "full": ("system_full",),
    "unreachable": ("network", "dns_failure", "expired", "system_error"),
    "gone": ("bad_domain", "dns_failure"),
    # whatever does not speak of one mailbox, of the ESP or of one message
    "refusing": tuple(
        name
        for name, reason in REASONS.items()
        if reason.category in {"technical", "reputation", "authentication", "volume", "unclassified"}
        or name in {"bad_domain", "recipient_refused"}
        if name not in {"challenge"}
    ),
}
_UNSURE = ("unknown",)

_NEEDED = (
    "event",
    "recipient",
    "domain",
    "timestamp",
    "bounce_type",
    "reason",
    "reply_code",
    "enhanced_code",
    "diagnostic",
)
_LONGEST = 400  # characters of a reply
_SENTENCES = ("hello", "one", "many", "since", "reply", "thanks")


def contacts(
    bounces: Frame | History,
    *,
    checks: Frame | None = None,
    language: str = "en",
    mailing_list: Frame | None = None,
    column: str | None = None,
) -> pd.DataFrame:
    """List whom to contact about domains that take no mail, with a message to send.

    Affected are domains that answered "mail system full" and have not taken mail since the last permanent answer (since
    the last one where all were transient), and those that a check found to be full, refusing, unreachable or gone; what
    a check found counts more than the history. Messages tell how many addresses were refused and took no mail since.

    Parameters
    ----------
    bounces : pandas.DataFrame, Dataset or path of one
        A classified frame.
    checks : pandas.DataFrame, optional
        What checking domains returned; of its columns ``domain`` and ``status`` are needed, ``reply`` is quoted where
        the history has none, and ``registry_contact`` is passed on.
    language : {'en', 'de', 'fr', 'es', 'it', 'nl', 'pt'}, default 'en'
        Of the messages.
    mailing_list : pandas.DataFrame, optional
        The list whose addresses are counted; without it, the addresses of the history are.
    column : str, optional
        Its column with the addresses; found as :func:`bounceanalytics.clean` finds it if not given.

    Returns
    -------
    pandas.DataFrame
        Most addresses first. Nothing in it is an address of a recipient.

        ==================== =======================================================================
        ``domain``           string: whose mail system is full, or that is otherwise affected
        ``addresses``        int64: addresses of ours at it
        ``status``           string: what became of it, where it was checked
        ``postmaster``       string: address that every domain with mail must have (RFC 5321, 4.5.1)
        ``abuse``            string: address for complaints (RFC 2142)
        ``registry_contact`` string: contact that the registry names, where it was asked for
        ``subject``          string: of a message to send, without addresses
        ``message``          string: a short text to send, without addresses
        ==================== =======================================================================

        A domain that is gone has no postmaster. Mail to the postmaster of one that is full may be refused, too: then
        the registry's contact is left, or another way than mail.

    Raises
    ------
    FrameError
        If columns are missing, no column of the list holds addresses, or there are no messages in the language.

    References
    ----------
    RFC 5321, 4.5.1 (postmaster); RFC 2142 (abuse).

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> from bounceanalytics.domains.contacting import contacts
    >>> bounces = ba.classify(ba.load(ba.samples() / "exports" / "sendgrid").events)
    >>> found = contacts(bounces, language="de")
    >>> found.loc[0, "subject"]
    'saltworks.example: E-Mails werden abgelehnt, weil das Mailsystem voll ist'
    >>> found[["domain", "postmaster", "subject", "message"]].to_csv().count("postmaster@")
    1
    """
    texts = _messages(language)
    with History.open(bounces) as history:
        addresses = _find_affected(history, checks)
        numbers = pa.array(np.arange(len(addresses)), pa.int32())
        history.register("numbered", pa.table({"address": numbers, "text": addresses}))
        pairs = [(state, reason) for state, reasons in CONCERNS.items() for reason in reasons]
        history.register("concerns", pd.DataFrame(pairs, columns=["state", "reason"]))
        history.register("texts", texts)
        listed = None if mailing_list is None else _listed(mailing_list, column)
        history.register("listed", _by_domain(listed))
        history.once("without_addresses", lambda: _without_addresses(history))
        frame = history.query(
            read_sql("domains", "contacting"),
            failures=FAILURE_EVENTS,
            longest=_LONGEST,
            counted=listed is not None,
        )
    return CONTACT_COLUMNS.frame(frame)


def other_addresses(
    mailing_list: Frame,
    bounces: Frame | History,
    *,
    key: str,
    column: str | None = None,
    checks: Frame | None = None,
) -> pd.DataFrame:
    """List other addresses of the people whose address is at a domain that takes no mail.

    Parameters
    ----------
    mailing_list : pandas.DataFrame
        It has several rows for a person with several addresses.
    bounces : pandas.DataFrame, Dataset or path of one
        A classified frame.
    key : str
        The column of the list that tells one person, such as a customer number; who has none is left out.
    column : str, optional
        The column with the addresses; found as :func:`bounceanalytics.clean` finds it if not given.
    checks : pandas.DataFrame, optional
        As for :func:`contacts`, which tells which domains are affected.

    Returns
    -------
    pandas.DataFrame
        A row for each address at an affected domain and each other address of the same person that is at none. Whether
        the other one takes mail is to be asked of a policy.

        ================= =======================================================================
        ``key``           string: what tells one person in the mailing list
        ``domain``        string: whose mail system is full, or that is otherwise affected
        ``address``       string: address of the person at it
        ``other_address`` string: another address of the person, at a domain that is not affected
        ================= =======================================================================

    Raises
    ------
    FrameError
        If columns are missing, or no column of the list holds addresses.

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> import pandas as pd
    >>> from bounceanalytics.domains.contacting import other_addresses
    >>> bounces = ba.classify(ba.load(ba.samples() / "exports" / "sendgrid").events)
    >>> mails = ["ann@saltworks.example", "ann@example.com", "bo@example.com"]
    >>> people = pd.DataFrame({"customer": [7, 7, 8], "email": mails})
    >>> other_addresses(people, bounces, key="customer")["other_address"].tolist()
    ['ann@example.com']
    """
    if key is None:
        raise FrameError("key must name the column of the list that tells one person")
    listed = _listed(mailing_list, column, key)
    with History.open(bounces) as history:
        _find_affected(history, checks)
        history.register("listed", listed)
        return OTHER_ADDRESS_COLUMNS.frame(history.query(read_sql("domains", "other_addresses")))


def _find_affected(history: History, checks: Frame | None) -> pa.Array:
    """Make the table ``affected``; return the addresses of the history by their numbers."""
    history.gather(_NEEDED)
    addresses = history.addresses
    history.register("checked", _checked(checks))
    history.run(
        "domains",
        "affected",
        failures=FAILURE_EVENTS,
        no_domain=NO_DOMAIN,
        troubles=tuple(CONCERNS),
        unsure=_UNSURE,
    )
    return addresses


def _without_addresses(history: History) -> None:
    """Give the engine the function that hides addresses."""
    history.database.create_function("without_addresses", without_addresses, ["VARCHAR"], "VARCHAR")


def _checked(checks: Frame | None) -> pa.Table:
    names = ("domain", "status", "reply", "registry_contact")
    if checks is None:
        return pa.table({name: pa.array([], pa.large_string()) for name in names})
    frame = DOMAIN_COLUMNS.require(checks, ["domain", "status"]).drop_duplicates("domain")
    missing = pa.nulls(len(frame), pa.large_string())
    return pa.table({name: column_text(frame[name]) if name in frame else missing for name in names})


def _listed(mailing_list: Frame, column: str | None, key: str | None = None) -> pa.Table:
    """Return address and domain, and key where one is asked for, of the rows of a list that have them."""
    named = [name for name in (column, key) if name is not None]
    if wrong := [name for name in named if not isinstance(name, Hashable)]:
        raise FrameError(f"{in_short(wrong[0])} is no name of a column")
    frame = require(mailing_list, named, "a mailing list")
    held = frame.drop(columns=key) if key is not None else frame
    addresses = _addresses(address_cells(held) if column is None else column_text(frame[column]))
    if addresses.null_count == len(addresses) > 0:
        raise FrameError(
            "no column of the mailing list holds e-mail addresses; say which one it is with column="
        )
    columns = {"address": addresses, "domain": domain_of(addresses)}
    if key is not None:
        keys = pc.utf8_trim_whitespace(column_text(frame[key]))
        columns["key"] = pc.if_else(pc.equal(keys, ""), None, keys)
    return pa.table(columns).drop_null()


def _addresses(cells: pa.Array) -> pa.Array:
    """Return cells in normal form; missing where they are no address."""
    texts = normal_form(cells)
    return pc.if_else(pc.is_null(problem(texts)), texts, None)


def _by_domain(listed: pa.Table | None) -> pa.Table:
    if listed is None:
        return pa.table({"domain": pa.array([], pa.large_string()), "addresses": pa.array([], pa.int64())})
    counted = listed.group_by("domain").aggregate([("address", "count_distinct")])
    return counted.rename_columns({"domain": "domain", "address_count_distinct": "addresses"})


def _messages(language: str) -> pd.DataFrame:
    """Return the sentences of a language, a row for each state.

    Raises
    ------
    FrameError
    """
    table = _languages()
    if not isinstance(language, str) or language not in table:
        raise FrameError(
            f"there are no messages in {in_short(language)}; there are some in {', '.join(table)}"
        )
    sentences = table[language]
    shared = {name: sentences[name] for name in _SENTENCES}
    return pd.DataFrame([{"state": state} | shared | sentences[state] for state in CONCERNS])


@cache
def _languages() -> dict[str, dict[str, Any]]:
    text = resources.files("bounceanalytics.domains").joinpath("contacting.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)

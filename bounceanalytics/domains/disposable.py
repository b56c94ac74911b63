"""Labels of domains: registered as what, free mail, disposable (the package ``disposable-email-domains``)."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow.compute as pc

from bounceanalytics.addresses import domain_of, normal_form
from bounceanalytics.domains.free_mail import free_mail
from bounceanalytics.errors import MissingExtraError
from bounceanalytics.hashes import as_texts
from bounceanalytics.schema import ARROW_STRING, LABEL_COLUMNS, STRING
from bounceanalytics.summaries.registrable import registrable_domains

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    import pyarrow as pa


def label_domains(domains: pd.Series[str] | pa.Array | Iterable[str]) -> pd.DataFrame:
    """Say of each domain as what it was registered, whether it is free mail, and whether it is disposable.

    A label tells what a domain is, not what to do: who gives a disposable address rarely wants to be mailed again, and
    who sells to companies looks twice at free mail.

    Parameters
    ----------
    domains : pandas.Series, pyarrow.Array or iterable of str
        Domains; of an address, what stands after the ``@``.

    Returns
    -------
    pandas.DataFrame
        One row per domain, in the order given, with the index of the Series.

        ====================== ===========================================================================
        ``domain``             string: lower-case, IDNA ASCII form
        ``registrable_domain`` string: the part of it that somebody registered
        ``free_mail``          bool: anybody can have a mailbox there: free, or with an internet access
        ``disposable``         boolean: its mailboxes are thrown away after use; missing without the extra
        ====================== ===========================================================================

    See Also
    --------
    domain_typos : Domains that are likely typing errors.

    Notes
    -----
    ``disposable`` is missing throughout where the package disposable-email-domains is not installed; the extra
    ``disposable`` brings it. Subdomains of a disposable domain are disposable; some of these domains are misspelt free
    mail that somebody bought.

    References
    ----------
    https://pypi.org/project/disposable-email-domains/

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> labels = ba.label_domains(["gmail.com", "mail.example.co.uk"])
    >>> labels["registrable_domain"].tolist(), labels["free_mail"].tolist()
    (['gmail.com', 'example.co.uk'], [True, False])
    """
    plain = _plain(domains)
    known = free_mail().known
    try:
        disposable: pd.Series[bool] | None = disposable_domains(plain)
    except MissingExtraError:
        disposable = None
    each = {domain: domain in known for domain in plain.dropna().unique()}
    registered = dict(zip(each, registrable_domains(each), strict=True))
    return LABEL_COLUMNS.frame(
        pd.DataFrame(
            {
                "domain": plain,
                "registrable_domain": plain.map(registered),
                "free_mail": plain.map(each).eq(True),
                "disposable": pd.Series(pd.NA, plain.index, "boolean") if disposable is None else disposable,
            }
        )
    ).set_axis(plain.index)


def disposable_domains(domains: pd.Series[str] | pa.Array | Iterable[str]) -> pd.Series[bool]:
    """Return whether each domain is disposable: made for mailboxes that are thrown away after use.

    Parameters
    ----------
    domains : pandas.Series, pyarrow.Array or iterable of str
        Domains; of an address, what stands after the ``@``.

    Returns
    -------
    pandas.Series of boolean
        In the order given, with the index of the Series; missing where the domain is.

    Raises
    ------
    MissingExtraError
        If disposable-email-domains is not installed; the extra ``disposable`` brings it.

    Examples
    --------
    >>> disposable_domains(["mailinator.com", "a.mailinator.com", "example.com"]).tolist()
    [True, True, False]
    """
    plain = _plain(domains)
    listed = _listed()
    each = {domain: _is_in(domain, listed) for domain in plain.dropna().unique()}
    return plain.map(each).astype("boolean")


def _is_in(domain: str, listed: Collection[str]) -> bool:
    """Return whether a domain, or one that it is below, is listed."""
    while domain:
        if domain in listed:
            return True
        domain = domain.partition(".")[2]
    return False


def _listed() -> Collection[str]:
    try:
        package = importlib.import_module("disposable_email_domains")
    except ImportError:
        raise MissingExtraError(
            "telling disposable domains needs disposable-email-domains; pip install 'bounceanalytics[disposable]'"
        ) from None
    listed: Collection[str] = package.blocklist
    return listed


def _plain(domains: pd.Series[str] | pa.Array | Iterable[str]) -> pd.Series[str]:
    """Return domains in the form in which they are compared; missing where a text holds none."""
    texts = as_texts([domains] if isinstance(domains, str) else domains).cast(ARROW_STRING)
    # addresses have a normal form, which holds that of the domain
    addresses = pc.if_else(
        pc.match_substring(texts, "@"),
        texts,
        pc.replace_substring_regex(texts, r"^[\s.]*", "a@"),
    )
    plain: pd.Series[str] = domain_of(normal_form(addresses)).to_pandas(
        types_mapper={ARROW_STRING: STRING}.get
    )
    return plain.set_axis(domains.index) if isinstance(domains, pd.Series) else plain

"""Hosts that tell what became of a domain: parkers, and names that mean "no mail", read from ``known_hosts.toml``."""

from __future__ import annotations

import ipaddress
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True, slots=True)
class KnownHosts:
    """The tables.

    Attributes
    ----------
    parkers, parkers_mail : mapping of str to str
        End of the name of a name server, or of a mail server -> who runs it.
    no_mail : frozenset of str
        Names of mail servers that mean "no mail".
    no_mail_suffixes : tuple of str
        Ends of such names.
    withheld, lame, bogus : mapping of str to str
        Code of an extended DNS error -> what it says.
    """

    parkers: Mapping[str, str]
    parkers_mail: Mapping[str, str]
    no_mail: frozenset[str]
    no_mail_suffixes: tuple[str, ...]
    withheld: Mapping[str, str]
    lame: Mapping[str, str]
    bogus: Mapping[str, str]

    def parker_of(self, name_servers: Iterable[str]) -> str:
        """Return who parks a domain with these name servers; empty unless all of them are a parker's.

        Examples
        --------
        >>> known_hosts().parker_of(["ns1.sedoparking.com", "ns2.sedoparking.com"])
        'Sedo'
        >>> known_hosts().parker_of(["ns1.sedoparking.com", "ns.example.com"])
        ''
        """
        return _all_in(self.parkers, name_servers)

    def parker_of_mail(self, hosts: Iterable[str]) -> str:
        """Return who parks a domain with these mail servers; empty unless all of them are a parker's."""
        return _all_in(self.parkers_mail, hosts)

    def means_no_mail(self, host: str) -> bool:
        """Return whether a name, or an address in the place of a name, stands for no mail server.

        Examples
        --------
        >>> [known_hosts().means_no_mail(name) for name in (".", "mail.invalid", "127.0.0.2", "mx.localhost.example")]
        [True, True, True, False]
        """
        if host in self.no_mail or host.rpartition(".")[2] in self.no_mail_suffixes:
            return True
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return False
        return address.is_loopback or address.is_unspecified


@cache
def known_hosts() -> KnownHosts:
    """Return the tables as they ship."""
    text = (resources.files("bounceanalytics.domains") / "known_hosts.toml").read_text("utf-8")
    tables = tomllib.loads(text)
    return KnownHosts(
        tables["parkers"],
        tables["parkers_mail"],
        frozenset(tables["no_mail"]["names"]),
        tuple(tables["no_mail"]["suffixes"]),
        tables["withheld"],
        tables["lame"],
        tables["bogus"],
    )


def said(table: Mapping[str, str], errors: Iterable[str]) -> str:
    """Return what the first of the extended DNS errors says that is in a table; empty if none is.

    >>> said(known_hosts().lame, ["3 stale", "22 at delegation"])
    'no name server in charge can be reached'
    """
    return next((table[code] for code in (error.partition(" ")[0] for error in errors) if code in table), "")


def _all_in(table: Mapping[str, str], hosts: Iterable[str]) -> str:
    owners = [_owner(table, host) for host in hosts]
    return owners[0] if owners and all(owners) else ""


def _owner(table: Mapping[str, str], host: str) -> str:
    while host:
        if host in table:
            return table[host]
        host = host.partition(".")[2]
    return ""

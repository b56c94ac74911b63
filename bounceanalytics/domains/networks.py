"""Networks in which nobody from outside is reached: private ones, and this machine itself."""

from __future__ import annotations

import ipaddress

_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def is_private(address: str) -> bool:
    """Return whether an address is none of the public internet, so that nobody is to be connected to there.

    Parameters
    ----------
    address : str
        IPv4 or IPv6; what is neither counts as private.

    Returns
    -------
    bool
        For loopback, private and link-local networks, those of carriers (RFC 6598) and of documentation, the
        unspecified address, multicast and reserved ones, also where they are written as IPv6 (``::ffff:10.0.0.1``,
        6to4, NAT64).

    Examples
    --------
    >>> [is_private(one) for one in ("127.0.0.1", "::ffff:10.0.0.1", "100.64.0.1", "9.9.9.9")]
    [True, True, True, False]
    """
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return True
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour
        if found in _NAT64:
            inner = ipaddress.IPv4Address(int(found) & 0xFFFF_FFFF)
        if inner is not None:
            return is_private(str(inner))
    return not found.is_global or found.is_multicast or found.is_reserved


def is_at_home(address: str) -> bool:
    """Return whether an address is that of the machine that asks.

    Examples
    --------
    >>> [is_at_home(one) for one in ("127.0.0.2", "::ffff:127.0.0.1", "0.0.0.0", "10.0.0.1")]
    [True, True, True, False]
    """
    found = ipaddress.ip_address(address)
    found = (found.ipv4_mapped or found) if isinstance(found, ipaddress.IPv6Address) else found
    return found.is_loopback or found.is_unspecified

"""Names of domains: taken from whatever a caller hands in, and why a text is none that could be asked for."""

from __future__ import annotations

import ipaddress
import os
import re
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from bounceanalytics import schema
from bounceanalytics.addresses import domain_of, normal_form, text_array
from bounceanalytics.datasets import as_dataset
from bounceanalytics.errors import FrameError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bounceanalytics.datasets import Frame

    #: What names domains: texts, or a frame that has them.
    Domains = str | Iterable[str | None] | pd.Series[str] | Frame

_FRAME = schema.Table("a frame of domains", schema.DOMAIN_COLUMNS["domain"])
LONGEST, _LONGEST_LABEL = 253, 63  # RFC 1035, 2.3.4, as it is written
_LETTERS = re.compile(r"[0-9a-z_-]+")  # the underscore is in no host name, and in some domains


def names_of(domains: Domains) -> list[str]:
    """Return the different domains in order of first appearance: lower-case, IDNA, without the last dot.

    Parameters
    ----------
    domains : str, iterable of str, pandas.Series, frame or Dataset
        A frame by its column ``domain``; texts with an ``@`` by what follows it. What is missing or empty is left out.

    Raises
    ------
    FrameError
        If a frame has no column ``domain``, or it is none of these.

    Examples
    --------
    >>> names_of(["Example.COM.", None, "ann@example.com", "bücher.example"])
    ['example.com', 'xn--bcher-kva.example']
    """
    texts = _texts(domains)
    if not len(texts):
        return []
    texts = pc.utf8_trim_whitespace(pc.unique(texts.drop_null()))
    bare = pc.invert(pc.match_substring(texts, "@"))
    # in the form of an address, a domain is read as those of addresses are
    at = pa.scalar("x@", pa.large_string())
    addresses = pc.if_else(
        bare, pc.binary_join_element_wise(at, texts, pa.scalar("", pa.large_string())), texts
    )
    read = domain_of(normal_form(addresses))
    found = dict.fromkeys(
        (name or "").strip().rstrip(".")
        for name in read.to_pylist()
        if name is not None and name != schema.NO_DOMAIN
    )
    return [name for name in found if name]


def problem_of(name: str) -> str:
    """Return why a name cannot be asked for; empty if it can.

    Examples
    --------
    >>> problem_of("example.com"), problem_of("a..example"), problem_of("192.0.2.1")
    ('', 'a part between its dots is empty', 'it is an IP address')
    """
    if is_address(name):
        return "it is an IP address"
    labels = name.split(".")
    if not all(labels):
        return "a part between its dots is empty"
    if max(map(len, labels)) > _LONGEST_LABEL:
        return f"a part between its dots is longer than {_LONGEST_LABEL} characters"
    if len(name) > LONGEST:
        return f"it is longer than {LONGEST} characters"
    if not all(map(_LETTERS.fullmatch, labels)):
        return "it has characters that no domain has"
    return ""


def is_address(name: str) -> bool:
    """Return whether what stands in the place of a name is an IP address, also in brackets.

    Examples
    --------
    >>> is_address("192.0.2.1"), is_address("[ipv6:2001:db8::1]"), is_address("192.example.com")
    (True, True, False)
    """
    try:
        ipaddress.ip_address(name.strip("[]").removeprefix("ipv6:"))
    except ValueError:
        return False
    return True


def _texts(domains: Any) -> pa.Array:
    if isinstance(domains, pd.Series | pd.Index):
        values = domains.tolist()
    elif (dataset := as_dataset(domains)) is not None:
        column = dataset.table(["domain"])["domain"]
        return pc.unique(column).cast(pa.large_string())
    elif isinstance(domains, str):
        values = [domains]
    elif isinstance(domains, bytes | os.PathLike) or domains is None:
        raise FrameError(f"expected domains or a frame of them, found {type(domains).__name__}")
    elif (frame := _FRAME.bring(domains)) is not None:
        values = _FRAME.require(frame)["domain"].unique().tolist()
    elif isinstance(domains, dict) or not hasattr(domains, "__iter__"):
        raise FrameError(f"expected domains or a frame of them, found {type(domains).__name__}")
    else:
        values = list(domains)
    return text_array([value for value in values if isinstance(value, str)])

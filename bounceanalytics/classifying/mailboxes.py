"""Mailbox provider of an event: by domain, by receiving host, by the words of the text."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bounceanalytics.knowledge.rules import mailbox_providers

if TYPE_CHECKING:
    from typing import Any

NONE = -1

# example.*: one or two short labels, as in yahoo.fr and yahoo.co.uk
_ENDING = r"^([a-z0-9-]+)\.[a-z]{2,4}(?:\.[a-z]{2})?$"


def names() -> tuple[str, ...]:
    """Return the values of the ``mailbox_provider`` column; the last one is ``other``."""
    return (*(row.name for row in mailbox_providers()), "other")


def by_domain(domains: pa.Array) -> np.ndarray[Any, Any]:
    """Return the number of the provider of each domain, -1 where the domain does not tell."""
    exact, any_ending, below = _domain_tables()
    found = _look_up(domains, exact)
    labels = pc.replace_substring_regex(domains, _ENDING, r"\1")
    found = np.where(found == NONE, _look_up(labels, any_ending), found)
    if not (found == NONE).any():
        return found
    return np.where(found == NONE, _by_suffix(domains, below), found)


def by_host(hosts: pa.Array) -> np.ndarray[Any, Any]:
    """Return the number of the provider that each host belongs to, -1 where its name does not tell."""
    table = [(suffix, number) for number, row in enumerate(mailbox_providers()) for suffix in row.hosts]
    return _by_suffix(pc.utf8_rtrim(pc.ascii_lower(hosts), "."), table)


@cache
def _domain_tables() -> tuple[dict[str, int], dict[str, int], list[tuple[str, int]]]:
    exact, any_ending, below = {}, {}, []
    for number, row in enumerate(mailbox_providers()):
        for domain in row.domains:
            if domain.endswith(".*"):
                any_ending[domain[:-2]] = number
            elif domain.startswith("*."):
                below.append((domain[2:], number))
            else:
                exact[domain] = number
    return exact, any_ending, below


def _look_up(values: pa.Array, table: dict[str, int]) -> np.ndarray[Any, Any]:
    place = pc.index_in(values, value_set=pa.array(list(table), values.type))
    numbers = np.array([*table.values(), NONE], dtype=np.int32)
    return np.asarray(numbers[pc.fill_null(place, len(table)).to_numpy(zero_copy_only=False)])


def _by_suffix(values: pa.Array, table: list[tuple[str, int]]) -> np.ndarray[Any, Any]:
    found = np.full(len(values), NONE, dtype=np.int32)
    if not len(values):
        return found
    anything = "|".join(re.escape(suffix) for suffix, _ in table)
    for place in np.flatnonzero(_matches(values, anything)):  # the few distinct hosts of known providers
        value = values[int(place)].as_py()
        found[place] = next(
            number for suffix, number in table if value == suffix or value.endswith("." + suffix)
        )
    return found


def _matches(values: pa.Array, suffixes: str) -> np.ndarray[Any, Any]:
    hit = pc.match_substring_regex(values, rf"(?:^|\.)(?:{suffixes})$")
    return np.asarray(pc.fill_null(hit, False).to_numpy(zero_copy_only=False))

"""Tags of a message in one text: a JSON list, such as ``["newsletter", "spring"]``.

A column of lists does not survive what people do with frames: pandas cannot read its own Parquet and Feather files of
one, ``drop_duplicates`` and ``nunique`` fail, Dask cannot shuffle it, and CSV and Excel write a picture of it. A text
does, and JSON is the form of it that needs no rule of its own for a tag that holds the separator, and that other
programs read.
"""

from __future__ import annotations

import functools
import json
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterable


def join_tags(lists: Iterable[Any]) -> pa.Array:
    """Return lists of tags as texts; no tags are a missing one.

    Parameters
    ----------
    lists : iterable of (sequence of str, or None)

    Examples
    --------
    >>> join_tags([["newsletter", "a, b"], [], None]).to_pylist()
    ['["newsletter","a, b"]', None, None]
    """
    known: dict[tuple[Any, ...], str | None] = {}
    texts: list[str | None] = []
    for tags in lists:
        key = () if tags is None else tuple(tags)
        if key not in known:
            told = [str(tag) for tag in key if tag is not None]
            known[key] = json.dumps(told, ensure_ascii=False, separators=(",", ":")) if told else None
        texts.append(known[key])
    return pa.array(texts, pa.large_string())


def split_tags(tags: pd.Series[Any]) -> pd.Series[Any]:
    """Return the tags of each row as a list.

    Parameters
    ----------
    tags : pandas.Series of str
        The column ``tags`` of an event frame: JSON lists. Any other text is one tag.

    Returns
    -------
    pandas.Series of list
        Same index; empty lists where there are none.

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> events = ba.load(ba.samples() / "exports" / "mailgun").events
    >>> by_tag = events.assign(tag=ba.split_tags(events["tags"])).explode("tag")
    >>> by_tag["tag"].notna().any()
    np.True_
    """
    listed = functools.cache(_listed)  # a text is that of many rows
    found = [list(listed(one)) if isinstance(one, str) else _others(one) for one in tags.tolist()]
    return pd.Series(found, index=tags.index, name=tags.name, dtype=object)


def _listed(text: str) -> list[str]:
    try:
        found = json.loads(text) if text.startswith("[") else None
    except ValueError:
        found = None
    if isinstance(found, list):
        return [str(tag) for tag in found if tag is not None]
    return [text] if text else []


def _others(value: Any) -> list[str]:
    """Return the tags of a missing value, or of a list, as a frame of an earlier version holds."""
    return [] if pd.api.types.is_scalar(value) else [str(tag) for tag in value]

"""Tags of a message in one text: a JSON list, such as ``["newsletter", "spring"]``.

A column of lists does not survive what people do with frames: pandas cannot read its own Parquet and Feather files of
one, ``drop_duplicates`` and ``nunique`` fail, Dask cannot shuffle it, and CSV and Excel write a picture of it. A text
does, and JSON is the form of it that needs no rule of its own for a tag that holds the separator, and that other
programs read.

A cell is such a text and knows its list: it is a :class:`Tags`, whose ``tolist()`` gives it. The column is one of texts
like any other to pandas, Arrow and every file, with the same dtype; only what is taken out of it differs.
"""

from __future__ import annotations

import functools
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Tags(str):
    """A JSON list of tags, as a cell of the column ``tags``: a text like any other that knows its list.

    Examples
    --------
    >>> tags = Tags('["newsletter","spring"]')
    >>> tags.tolist()
    ['newsletter', 'spring']
    >>> tags == '["newsletter","spring"]'
    True
    """

    __slots__ = ()

    def tolist(self) -> list[str]:
        """Return the tags; any other text is one tag."""
        return _listed(self)


class TagsArray(pd.arrays.ArrowStringArray):
    """Texts of a column, of which pandas hands out :class:`Tags`.

    The texts, their dtype and all that pandas does with them stay those of its own strings.
    """

    def __getitem__(self, item: Any) -> Any:
        """Return a cell, or an array of several."""
        found = super().__getitem__(item)
        return Tags(found) if isinstance(found, str) else found

    def __iter__(self) -> Iterator[Any]:
        """Iterate over the cells, of which those that are alike are one object."""
        return iter(self.to_numpy(object))

    def to_numpy(self, dtype: Any = None, *args: Any, **options: Any) -> Any:
        """Return the cells as an array of numpy; pandas' ``map``, ``apply`` and ``astype(object)`` come by here."""
        cells = super().to_numpy(dtype, *args, **options)
        if cells.dtype == object:
            coded = self.__arrow_array__().combine_chunks().dictionary_encode()
            known = coded.is_valid().to_numpy(zero_copy_only=False)
            words = np.array([Tags(text) for text in coded.dictionary.to_pylist()], object)
            cells[known] = words.take(coded.indices.drop_null().to_numpy())
        return cells


def as_tags(texts: pd.Series[Any]) -> pd.Series[Any]:
    """Return a column of texts as one whose cells are :class:`Tags`; no text is copied.

    Parameters
    ----------
    texts : pandas.Series of str
        A column of anything else is returned as it is.

    Examples
    --------
    >>> texts = pd.Series(['["a","b"]', None], dtype="str")
    >>> as_tags(texts)[0].tolist()
    ['a', 'b']
    """
    if not isinstance(texts.array, pd.arrays.ArrowStringArray):
        return texts
    array = TagsArray(texts.array.__arrow_array__(), dtype=texts.dtype)  # type: ignore[call-arg]  # the stubs lack it
    return pd.Series(array, index=texts.index, name=texts.name)


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
        The column ``tags`` of an event frame: JSON lists. Any other text is one tag. A cell of such a frame gives its
        own with ``tolist()``.

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

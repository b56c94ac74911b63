"""The second reader: a linear model over the grams of masked texts.

Rules know the phrases that somebody met. The second reader has weights for every run of signs and of words in some
thousands of labelled texts, and gives each reason a margin for any text, also for one in words that no rule has. It
sees neither codes nor names. ``scripts/train_reader.py`` makes the weights, which lie in ``knowledge/reader.npz``;
:mod:`bounceanalytics.classifying.pooling` weighs the margins against everything else.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bounceanalytics.classifying.grams import BITS, grams
from bounceanalytics.schema import REASONS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    import pyarrow as pa
    from scipy import sparse

    from bounceanalytics.classifying.grams import Grams

    Numbers = np.ndarray[Any, Any]

__all__ = ["Model", "Weighed", "features", "margins", "nearest", "weighed"]

_FILE = "reader.npz"
_PART = 4_096  # texts read at a time: bounds memory
_SHOWN = 5
#: What a gram that nobody has met adds to the length of a text, beside the rarest one: strange texts get small margins.
_STRANGE = 0.3


class Model(NamedTuple):
    """What the second reader knows.

    Attributes
    ----------
    gram : numpy.ndarray of uint32
        Grams that have weights, ascending.
    scale : numpy.ndarray of float32
        How much each counts: the rarer in training, the more.
    weight : numpy.ndarray of float32, gram x reason
    bias : numpy.ndarray of float32
        Margin of each reason before anything is read. Reasons are in the order of
        :data:`bounceanalytics.schema.REASONS`.
    """

    gram: Numbers
    scale: Numbers
    weight: Numbers
    bias: Numbers


class Weighed(NamedTuple):
    """A piece of a text, and how much it spoke for a reason and against the next best one."""

    words: str
    weight: float


@cache
def model() -> Model:
    """Return the model that the package carries."""
    with (files("bounceanalytics.knowledge") / _FILE).open("rb") as stream, np.load(stream) as kept:
        known = [list(REASONS).index(name) for name in kept["reasons"].tolist()]
        weight = np.zeros((len(kept["gram"]), len(REASONS)), np.float32)
        weight[:, known] = kept["weight"] * kept["step"]
        bias = np.full(len(REASONS), kept["bias"].min(), np.float32)  # what was never trained is never likely
        bias[known] = kept["bias"]
        return Model(kept["gram"], kept["scale"].astype(np.float32), weight, bias)


@cache
def _places() -> Numbers:
    """Return per gram its row in the model, -1 for one without weights."""
    places = np.full(1 << BITS, -1, np.int32)
    places[model().gram] = np.arange(len(model().gram))
    return places


def margins(forms: pa.Array) -> Numbers:
    """Return what the reader makes of masked texts.

    Parameters
    ----------
    forms : pyarrow.Array of large_string
        From :func:`bounceanalytics.classifying.texts.masked`; distinct ones cost least.

    Returns
    -------
    numpy.ndarray of float32, text x reason
        The greater, the likelier; only differences within a text mean something.
    """
    known = model()
    made = np.empty((len(forms), len(REASONS)), np.float32)
    for start in range(0, len(forms), _PART):
        some = forms.slice(start, _PART).to_pylist()
        found = grams(some)
        rows = _rows_of(found, len(some), _places(), known.scale) @ known.weight
        made[start : start + len(some)] = np.where(_met(found, some)[:, None], rows, 0)
    return made + known.bias


def features(forms: Sequence[str], places: Numbers, scale: Numbers) -> sparse.csr_matrix:
    """Return texts as rows of length one over the grams that have a place.

    Parameters
    ----------
    forms : sequence of str
    places : numpy.ndarray of int32
        Per gram its column, -1 for none.
    scale : numpy.ndarray of float32
        Per column how much it counts.

    Returns
    -------
    scipy.sparse.csr_matrix of float32, text x column
    """
    return _rows_of(grams(forms), len(forms), places, scale)


def _rows_of(found: Grams, texts: int, places: Numbers, scale: Numbers) -> sparse.csr_matrix:
    from scipy import sparse  # noqa: PLC0415 - slow to import; loading and cleaning need none of it

    place = places[found.gram]
    width = len(scale) + 1
    place = np.where(place < 0, len(scale), place)
    key, count = np.unique(found.text.astype(np.int64) * width + place, return_counts=True)
    row, column = np.divmod(key, width)
    met = column < len(scale)
    square = np.append(scale, scale.max(initial=1)).astype(np.float64)[column] ** 2
    squares = np.bincount(row, weights=square * np.where(met, 1, count * _STRANGE), minlength=texts)
    row, column = row[met], column[met]
    length = np.sqrt(np.where(squares > 0, squares, 1))
    values = (scale[column] / length[row]).astype(np.float32)
    return sparse.csr_matrix((values, (row, column)), shape=(texts, len(scale)))


def _met(found: Grams, forms: Sequence[str]) -> Numbers:
    """Return which texts have a word that was met in training, or letters of which a few are a word."""
    met = np.array([not form.isascii() for form in forms], bool)
    signs = np.frombuffer(f" {' '.join(forms)} ".encode("utf-32-le", "replace"), np.uint32)
    word = (found.words == 1) & (signs[found.start] > ord("9"))
    met[found.text[word & (_places()[found.gram] >= 0)]] = True
    return met


def weighed(form: str, reason: str, shown: int = _SHOWN) -> list[Weighed]:
    """Return the words of a masked text that spoke most for a reason and against the next best, the strongest first.

    Parameters
    ----------
    form : str
    reason : str
    shown : int, default 5
        How many at most.

    Returns
    -------
    list of Weighed
        What a gram adds is shared among the words in which it stands; words side by side are one piece.
    """
    known, number = model(), list(REASONS).index(reason)
    row = features([form], _places(), known.scale)
    margin = np.asarray(row @ known.weight)[0] + known.bias
    margin[number] = -np.inf
    added = np.zeros(len(known.gram) + 1, np.float32)  # the last one is for grams without weight
    against = known.weight[:, number] - known.weight[:, int(margin.argmax())]
    added[row.indices] = row.data * against[row.indices]
    found, words = grams([form]), form.split(" ")
    starts = np.cumsum([1, *(len(word) + 1 for word in words[:-1])])
    first = np.searchsorted(starts, found.start, "right").clip(1) - 1
    last = np.searchsorted(starts, found.end - 1, "right").clip(1) - 1
    value = added[_places()[found.gram]] / (last - first + 1)
    worth = np.zeros(len(words) + 1, np.float64)
    np.add.at(worth, first, value)
    np.subtract.at(worth, last + 1, value)
    worth = np.cumsum(worth)[:-1]
    best = sorted(np.flatnonzero(worth > 0), key=lambda at: -worth[at])[:shown]
    pieces: list[list[int]] = []
    for at in sorted(map(int, best)):
        if pieces and at == pieces[-1][-1] + 1:
            pieces[-1].append(at)
        else:
            pieces.append([at])
    told = [Weighed(" ".join(words[at] for at in piece), float(worth[piece].sum())) for piece in pieces]
    return sorted(told, key=lambda piece: -piece.weight)


def nearest(form: str, forms: tuple[str, ...]) -> tuple[int, float]:
    """Return which of some masked texts shares most with one, and how much: 1 is all, 0 nothing."""
    likeness = _rows(forms) @ features([form], _places(), model().scale).T
    values = likeness.toarray()[:, 0]
    best = int(values.argmax())
    return best, float(values[best])


@cache
def _rows(forms: tuple[str, ...]) -> sparse.csr_matrix:
    return features(list(forms), _places(), model().scale)

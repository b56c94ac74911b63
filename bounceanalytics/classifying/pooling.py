"""Weights of all kinds of evidence, and the probabilities of reasons that they add up to.

Each piece of evidence adds its weight to the reason that it names, the second reader adds its margin to every reason,
and the sums become probabilities: ``p(reason) ∝ exp(reader · margin + Σ weight of what names it)``. The weights lie in
``knowledge/weights.toml``. They are fitted by ``scripts/train_reader.py`` on texts from which neither rules nor margins
were made, so that a reason of probability 0.9 is right nine times in ten.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    Numbers = np.ndarray[Any, Any]

__all__ = ["Weights", "probabilities", "rule_weights", "weights"]

_FILE = "weights.toml"


class Weights(NamedTuple):
    """What each kind of evidence counts.

    Attributes
    ----------
    reader : float
        Of the reader's margin.
    claims : mapping of str to float
        Kind of evidence -> weight.
    rules : mapping of str to float
        Group of rules -> what its rules count beyond their kind.
    alone : mapping of str to float
        Kind of evidence -> how often it is right where nothing was read beside it.
    remove : mapping of str to float
        How probable a removal must be: where rules and code agree, where the rules do, where they say nothing of the
        address, and where they are against it.
    guess : float
        How probable a reason must be that the reader alone names.
    """

    reader: float
    claims: Mapping[str, float]
    rules: Mapping[str, float]
    alone: Mapping[str, float]
    remove: Mapping[str, float]
    guess: float


@cache
def weights() -> Weights:
    """Return the weights that the package carries."""
    table = tomllib.loads((files("bounceanalytics.knowledge") / _FILE).read_text("utf-8"))
    return Weights(**{name: table[name] for name in Weights._fields})


def rule_weights(ids: Iterable[str]) -> Numbers:
    """Return what each rule counts beyond its kind, by the group in its id; the last entry is for no rule."""
    known = weights().rules
    return np.array([*(known.get(name.rpartition("-")[0], 0.0) for name in ids), 0.0], np.float32)


def probabilities(total: Numbers) -> Numbers:
    """Return sums as probabilities; each row adds up to 1."""
    raised = np.exp(total - total.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))

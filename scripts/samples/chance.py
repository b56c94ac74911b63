"""Repeatable chance: every decision has a name, so adding one changes no other.

Only :meth:`random.Random.random` and hash functions are used; they alone give the same values on every Python version.
"""

from __future__ import annotations

import base64
import hashlib
import random
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")
SEED = "slack-water-1"


class Chance:
    """A stream of chance of one name."""

    def __init__(self, *name: object) -> None:
        self._random = random.Random(":".join([SEED, *map(str, name)]))

    def share(self) -> float:
        """Return a number from 0 to 1, 1 not included."""
        return self._random.random()

    def happens(self, probability: float) -> bool:
        """Return True with the given probability."""
        return self.share() < probability

    def between(self, low: float, high: float) -> float:
        """Return a number from low to high."""
        return low + self.share() * (high - low)

    def whole(self, low: int, high: int) -> int:
        """Return a whole number from low to high, both included."""
        return low + int(self.share() * (high - low + 1))

    def pick(self, values: Sequence[T]) -> T:
        """Return one of the values."""
        return values[int(self.share() * len(values))]

    def weighted(self, weights: dict[T, float]) -> T:
        """Return one of the keys, as often as its value says."""
        mark = self.share() * sum(weights.values())
        for value, weight in weights.items():
            mark -= weight
            if mark < 0:
                return value
        return next(reversed(weights))

    def shuffled(self, values: Sequence[T]) -> list[T]:
        """Return the values in another order."""
        return [
            value
            for _, _, value in sorted((self.share(), place, value) for place, value in enumerate(values))
        ]


def digest(*name: object, length: int = 32) -> str:
    """Return hexadecimal digits that depend on the name alone."""
    return hashlib.sha512(":".join([SEED, *map(str, name)]).encode()).hexdigest()[:length]


def token(*name: object, length: int = 22) -> str:
    """Return URL-safe characters that depend on the name alone."""
    return base64.urlsafe_b64encode(
        hashlib.sha512(":".join([SEED, *map(str, name)]).encode()).digest()
    ).decode()[:length]


def uuid(*name: object) -> str:
    d = digest(*name)
    return f"{d[:8]}-{d[8:12]}-{d[12:16]}-{d[16:20]}-{d[20:32]}"

"""Multi-pattern search: which of many patterns occur in which of many texts.

Two engines give the same answer. RE2, as it comes with pyarrow, tries one pattern after another and is ready at once.
For more than some thousand texts, and for any texts once it was asked before, one looks first for all the words that
the patterns cannot do without, and RE2 then tries a pattern only on the texts that hold its words. The words of some
dozen texts are looked for one by one, those of more by Hyperscan in one pass. (Hyperscan could search for the patterns
themselves; compiling phrases with gaps takes it minutes, and their words a fraction of a second.)

The environment variable ``BOUNCEANALYTICS_ENGINE`` (``hyperscan`` or ``arrow``) asks for one of them. Texts are read as
bytes by both, so that a gap of 40 is 40 bytes in any language.
"""

from __future__ import annotations

import os
import threading
from collections import defaultdict
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bounceanalytics.errors import MissingExtraError
from bounceanalytics.knowledge.literals import required_literals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    Numbers = np.ndarray[Any, Any]

try:
    import hyperscan
except ImportError:  # no wheel for this machine
    hyperscan = None  # type: ignore[assignment]

#: Below this many texts, looking for words first costs more than it saves.
_FEW = 1_500

#: Telling the words of the patterns takes as long as so many searches without them.
_OFTEN = 1

#: Hyperscan takes as long to make the words ready as it takes to look for each of them in so many texts.
_ONE_BY_ONE = 64

#: Texts that are looked at together: a table of words by texts is held for them.
_BLOCK = 8_192


_NOTHING, _LINE_FEED = (pa.scalar(value, pa.large_binary()) for value in (b"", b"\n"))


class Engine(Protocol):
    """Finds patterns in texts."""

    def match(self, texts: pa.Array) -> tuple[Numbers, Numbers]:
        """Return every pair of a text and a pattern that occurs in it.

        Parameters
        ----------
        texts : pyarrow.Array of large_string
            Without line breaks and without nulls.

        Returns
        -------
        text_index, pattern_index : numpy.ndarray of int64
            Of equal length, by pattern and then by text; each pair once.
        """


class ArrowEngine:
    """One RE2 search after another."""

    def __init__(self, patterns: Sequence[str]) -> None:
        self._patterns = tuple(patterns)

    def match(self, texts: pa.Array) -> tuple[Numbers, Numbers]:
        """Return every pair of a text and a pattern that occurs in it; see :meth:`Engine.match`."""
        values = texts.cast(pa.large_binary())
        return _pairs([np.flatnonzero(_occurs(values, pattern)) for pattern in self._patterns])


class HyperscanEngine:
    """Words by Hyperscan, then RE2 where all words of a pattern are there."""

    def __init__(self, patterns: Sequence[str]) -> None:
        self._patterns = tuple(patterns)
        required = [required_literals(pattern) for pattern in self._patterns]
        self._words = sorted({word for choices in required for choice in choices for word in choice})
        self._sought = [word.encode() for word in self._words]
        number = {word: place for place, word in enumerate(self._words)}
        # one list of words, where each choice begins in it, and where each pattern begins among the choices; a pattern
        # that requires no word has a choice of one that is in every text
        everywhere = [[len(self._words)]]
        choices = [[[number[word] for word in choice] for choice in one] or everywhere for one in required]
        flat = [choice for one in choices for choice in one]
        self._choice_words = np.array([word for choice in flat for word in choice], np.int64)
        self._choices = _begins(flat)
        self._pattern_choices = _begins(choices)
        self._seen = 0
        self._guard = threading.Lock()
        self._own = threading.local()  # what the library works in, which is of one thread at a time

    @cached_property
    def _database(self) -> Any:
        database = hyperscan.Database()
        count = len(self._words)
        database.compile(
            expressions=self._sought,
            ids=list(range(count)),
            elements=count,
            flags=[0] * count,
            literal=True,
        )
        return database

    def match(self, texts: pa.Array) -> tuple[Numbers, Numbers]:
        """Return every pair of a text and a pattern that occurs in it; see :meth:`Engine.match`."""
        values = texts.cast(pa.large_binary())
        likely: dict[int, list[Numbers]] = defaultdict(list)
        for start in range(0, len(values) if self._patterns else 0, _BLOCK):
            for pattern, rows in self._likely(values.slice(start, _BLOCK)):
                likely[pattern].append(rows + start)
        hits = [np.empty(0, np.int64)] * len(self._patterns)
        for pattern, parts in likely.items():
            rows = np.concatenate(parts)
            hits[pattern] = rows[_occurs(values.take(pa.array(rows)), self._patterns[pattern])]
        return _pairs(hits)

    def _likely(self, block: pa.Array) -> Iterator[tuple[int, Numbers]]:
        """Yield patterns, each with the texts of a block that hold one word of each of its choices."""
        held = np.packbits(self._held(block), axis=1)
        held = np.append(held, np.full((1, held.shape[1]), 255, np.uint8), axis=0)
        chosen = np.bitwise_or.reduceat(held[self._choice_words], self._choices)
        texts = np.bitwise_and.reduceat(chosen, self._pattern_choices)
        for pattern in np.flatnonzero(texts.any(axis=1)):
            yield int(pattern), np.flatnonzero(np.unpackbits(texts[pattern], count=len(block)))

    def _held(self, block: pa.Array) -> Numbers:
        """Return a table of words by texts: True where the word stands in the text."""
        self._seen += len(block)
        if self._seen <= _ONE_BY_ONE:
            held = [[word in text for word in self._sought] for text in block.to_pylist()]
            return np.array(held, bool).T
        # Texts are scanned as one buffer, because a call per text would cost more than the scan. No word holds the
        # line feed that parts them, and the end of a hit tells which text it lies in.
        lines = pc.binary_join_element_wise(block, _NOTHING, _LINE_FEED)
        offsets = np.frombuffer(lines.buffers()[1], dtype=np.int64)[
            lines.offset : lines.offset + len(lines) + 1
        ]
        data = memoryview(lines.buffers()[2])[offsets[0] : offsets[-1]] if len(lines) else memoryview(b"")
        words: list[int] = []
        ends: list[int] = []
        add_word, add_end = words.append, ends.append

        def on_hit(word: int, _start: int, end: int, _flags: int, _context: object) -> None:
            add_word(word)
            add_end(end)

        if self._words:
            self._scan(data, on_hit)
        table = np.zeros((len(self._words), len(block)), dtype=bool)
        table[words, np.searchsorted(offsets - offsets[0], ends, "left") - 1] = True
        return table

    def _scan(self, data: memoryview, on_hit: Callable[[int, int, int, int, object], None]) -> None:
        with self._guard:
            database = self._database
        if not hasattr(self._own, "scratch"):
            self._own.scratch = hyperscan.Scratch(database)
        database.scan(data, match_event_handler=on_hit, scratch=self._own.scratch)


class _SizedEngine:
    """The first engine for few texts at first, the second one, made when it is first needed, for all else."""

    def __init__(self, patterns: Sequence[str]) -> None:
        self._patterns = tuple(patterns)
        self._few = ArrowEngine(patterns)
        self._asked = 0
        self._guard = threading.Lock()

    @cached_property
    def _made(self) -> HyperscanEngine:
        return HyperscanEngine(self._patterns)

    @property
    def _many(self) -> HyperscanEngine:
        with self._guard:
            return self._made

    def match(self, texts: pa.Array) -> tuple[Numbers, Numbers]:
        """Return every pair of a text and a pattern that occurs in it; see :meth:`Engine.match`."""
        if not len(texts):
            return _pairs([])
        self._asked += 1
        few = len(texts) < _FEW and self._asked <= _OFTEN
        return (self._few if few else self._many).match(texts)


def make_engine(patterns: Sequence[str]) -> Engine:
    """Return the engine for the patterns; made once per set of patterns and choice of engine.

    Parameters
    ----------
    patterns : sequence of str
        In the shared dialect; see :func:`bounceanalytics.knowledge.rules.why_not_in_dialect`.

    Returns
    -------
    Engine

    Raises
    ------
    MissingExtraError
        If ``BOUNCEANALYTICS_ENGINE`` asks for Hyperscan and it is not installed.
    """
    return _make_engine(tuple(patterns), os.environ.get("BOUNCEANALYTICS_ENGINE", ""))


@lru_cache(maxsize=8)
def _make_engine(patterns: tuple[str, ...], choice: str) -> Engine:
    if choice == "hyperscan" and hyperscan is None:
        raise MissingExtraError(
            "BOUNCEANALYTICS_ENGINE asks for hyperscan; install it: pip install hyperscan"
        )
    if choice == "arrow" or hyperscan is None:
        return ArrowEngine(patterns)
    return HyperscanEngine(patterns) if choice == "hyperscan" else _SizedEngine(patterns)


def _begins(groups: Sequence[Sequence[object]]) -> Numbers:
    """Return the place of the first member of each group, where one comes after the other."""
    return np.cumsum([0, *map(len, groups)])[:-1]


def _occurs(values: pa.Array, pattern: str) -> Numbers:
    return np.asarray(pc.match_substring_regex(values, pattern).to_numpy(zero_copy_only=False))


def _pairs(hits: list[Numbers]) -> tuple[Numbers, Numbers]:
    """Return texts and patterns side by side, given the texts of each pattern."""
    texts = np.concatenate(hits) if hits else np.empty(0)
    counts = [len(rows) for rows in hits]
    return texts.astype(np.int64), np.repeat(np.arange(len(hits), dtype=np.int64), counts)

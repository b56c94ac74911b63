"""Repeated membership tests on large string arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    import duckdb
    from numpy.typing import NDArray


class Lookup:
    """Finds texts by their hashes. A join in the engine would go through all of them each time.

    Parameters
    ----------
    database : duckdb.DuckDBPyConnection
        Its hash function is used.
    texts : pyarrow.ChunkedArray of large_string
        None may be missing.

    Attributes
    ----------
    size : int
        Number of texts.
    repeated : int
        How many are there already.
    """

    def __init__(self, database: duckdb.DuckDBPyConnection, texts: pa.ChunkedArray) -> None:
        self.size = len(texts)
        hashes = pd.Index(hash_texts(database, texts))
        later = hashes.duplicated()
        self.repeated = self.size - pc.count_distinct(texts).as_py() if later.any() else 0
        self._texts = texts.combine_chunks()
        self._index = hashes[~later]
        self._numbers = np.flatnonzero(~later).astype(np.int32)
        self._later = np.flatnonzero(later).astype(np.int32)  # different texts of one hash: hardly ever any

    def find(self, texts: pa.Array, hashes: NDArray[np.uint64]) -> NDArray[np.int32]:
        """Return the number of each text; -1 for one that is not there.

        Parameters
        ----------
        texts : pyarrow.Array of large_string
        hashes : numpy.ndarray of uint64
            As :func:`hash_texts` returns them.
        """
        place = self._index.get_indexer(pd.Index(hashes))
        hit = np.flatnonzero(place >= 0)
        number = np.full(len(texts), -1, dtype=np.int32)
        number[hit] = self._numbers[place[hit]]
        same = pc.fill_null(
            pc.equal(self._texts.take(pa.array(number[hit])), texts.take(pa.array(hit))), False
        )
        number[hit[~same.to_numpy(zero_copy_only=False)]] = -1
        if len(self._later):
            other = pc.fill_null(pc.index_in(texts, self._texts.take(pa.array(self._later))), -1).to_numpy()
            number = np.where(other >= 0, self._later[other], number)
        return number


def hash_texts(database: duckdb.DuckDBPyConnection, texts: pa.Array | pa.ChunkedArray) -> NDArray[np.uint64]:
    """Return 64 bits for each text, in their order."""
    database.register("texts", pa.table({"place": np.arange(len(texts)), "text": texts}))
    found = database.sql("SELECT place, hash(text) AS hash FROM texts").fetchnumpy()
    database.unregister("texts")
    hashes = np.empty(len(texts), dtype=np.uint64)
    hashes[found["place"]] = found["hash"]
    return hashes

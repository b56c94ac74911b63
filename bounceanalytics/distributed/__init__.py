"""The same verbs on several machines: a map over slices and shares of the addresses, on any Dask cluster.

Only names of files and small accounts travel; the rows lie in a folder that all workers reach, on a shared disk or in
an object store. Without a client all is done in this process, one part after the other, with the same result.
"""

from __future__ import annotations

from bounceanalytics.distributed.asking import clean, decide, report, storms, summarize
from bounceanalytics.distributed.verbs import classify, convert, to_dask

__all__ = ["classify", "clean", "convert", "decide", "report", "storms", "summarize", "to_dask"]

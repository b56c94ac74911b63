"""Several threads classify at once, each with its own result."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import repeat

import pandas as pd

import bounceanalytics as ba


def test_threads_do_not_disturb_each_other() -> None:
    events = ba.load(ba.samples() / "exports" / "ses").events
    whole = ba.classify(events)
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(ba.classify, repeat(events, 8)):
            pd.testing.assert_frame_equal(found, whole)

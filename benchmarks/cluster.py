"""Convert, classify, decide and sum up on local clusters of one worker and of several, and compare what they give.

    python benchmarks/cluster.py --events 10000000 --workers 1 2

Workers are processes of one thread. The same exports, a third of each ESP's, are read by each cluster. What several
cores of this machine are worth is told by work that shares nothing, which every worker does at once before all else.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from distributed import Client, LocalCluster

import bounceanalytics as ba
from benchmarks import generate
from bounceanalytics.database import open_database

if TYPE_CHECKING:
    from collections.abc import Callable

ESPS = ("sendgrid", "ses", "mailgun")


def run(exports: Path, folder: Path, workers: int) -> dict[str, Any]:
    """Return what each step gave and took."""
    took: dict[str, float] = {}
    for file in exports.iterdir():  # from memory for all, not from disk for those who come later
        with file.open("rb", buffering=0) as stream:
            while stream.read(1 << 24):
                pass

    def timed(name: str, work: Callable[..., Any], *given: Any, **more: Any) -> Any:
        begin = time.perf_counter()
        made = work(*given, **more)
        took[name] = time.perf_counter() - begin
        return made

    with (
        LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster, direct_to_workers=True) as client,
    ):
        alone = max(client.run(_alone).values())
        events = timed("convert", ba.distributed.convert, exports, folder / "events", client=client)
        bounces = timed("classify", ba.distributed.classify, events, folder / "bounces", client=client)
        verdicts = timed("decide", ba.distributed.decide, bounces, client=client)
        summaries = timed("summarize", ba.distributed.summarize, bounces, client=client)
        peak = max(client.run(_peak).values())
    return {
        "took": took,
        "alone": alone,
        "verdicts": verdicts,
        "summaries": summaries,
        "rows": len(bounces),
        "peak": peak,
    }


def _alone() -> float:
    """Return the seconds that a worker takes for a query over numbers."""
    begin = time.perf_counter()
    with open_database(threads="1") as engine:
        engine.sql("SELECT count(DISTINCT hash(n) % 3_000_000) FROM range(20_000_000) _(n)").fetchall()
    return time.perf_counter() - begin


def _peak() -> float:
    """Return the largest memory of this process so far, MiB."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Tell whether two clusters gave the same verdicts and summaries."""
    pd.testing.assert_frame_equal(one["verdicts"], other["verdicts"])
    for name in one["summaries"].__dataclass_fields__:
        pd.testing.assert_frame_equal(
            getattr(one["summaries"], name), getattr(other["summaries"], name), obj=name
        )
    return bool(one["rows"] == other["rows"])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--exports", type=Path, help="a folder of exports that is there already")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        exports = options.exports or Path(folder, "exports")
        if not options.exports:
            for esp in ESPS:
                generate.write(exports / f"{esp}.jsonl", options.events // len(ESPS), esp)
        first = None
        for workers in options.workers:
            found = run(exports, Path(folder, str(workers)), workers)
            took = found["took"]
            steps = ", ".join(f"{name} {seconds:.1f}" for name, seconds in took.items())
            print(
                f"{workers} workers, {found['rows']:,} events, {len(found['verdicts']):,} addresses: {steps}, "
                f"together {sum(took.values()):.1f} s; peak of a worker {found['peak']:,.0f} MiB",
                flush=True,
            )
            if first is None:
                first = found
            else:
                ratio = sum(first["took"].values()) / sum(took.values())
                possible = workers / options.workers[0] * first["alone"] / found["alone"]
                print(
                    f"same result: {same(first, found)}; {ratio:.2f} times as fast,"
                    f" where work that shares nothing is {possible:.2f} times as fast",
                    flush=True,
                )


if __name__ == "__main__":
    main()

"""Classify bounces with many, only and few distinct texts, beside DuckDB's bare reader and a loop of ``re``, in one run.

1. A million bounces of which half have a text that no other has: the time of ``classify`` against that of DuckDB's
   bare ``read_json`` of the same file, for each ESP.
2. Half a million texts, all different: ``classify_text`` against a loop over the texts and, until one fits, over the same
   rules, compiled by ``re``. The loop does a part of the texts, and its time per text is compared.
3. Ten million bounces of 20,000 distinct texts: ``classify`` against the bare reader. The file of a million is read, and
   its frame taken, ten times over.

Each way runs in a process of its own, so that its peak memory is its own; the time is that of the work, without starting
Python, importing and, for ``classify``, loading. The ways take turns, and the median of the rounds is shown.

    python benchmarks/classify.py
    python benchmarks/classify.py --count 100000 --texts 50000 --rounds 3
"""

from __future__ import annotations

import argparse
import statistics
from typing import TYPE_CHECKING, Any

import generate
import load_and_classify as common

if TYPE_CHECKING:
    from pathlib import Path

FILE = """
import duckdb, pyarrow
connection = duckdb.connect()
paths = [path] * {times}
start = time.perf_counter()
query = f"SELECT * FROM read_json({{paths}}, format='newline_delimited', columns={{{{{{columns}}}}}})"
rows = 0
for batch in connection.sql(query).to_arrow_reader(100_000):
    rows += len(batch)
done(start, rows)
"""

CLASSIFY = """
import bounceanalytics as ba, pandas as pd
events = ba.load(path, deduplicate=False).events
events = pd.concat([events] * {times}, ignore_index=True) if {times} > 1 else events
ba.classify(events.head(5000))  # rules are read and compiled once a session
held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
start = time.perf_counter()
bounces = ba.classify(events)
done(start, len(bounces))
"""

TEXTS = """
import bounceanalytics as ba
texts = open(path, encoding="utf-8").read().splitlines()
ba.classify_text(texts[:5000])
start = time.perf_counter()
verdicts = ba.classify_text(texts)
done(start, len(verdicts))
"""

LOOP = """
import re
from bounceanalytics.knowledge.rules import rules, without_accents
texts = open(path, encoding="utf-8").read().splitlines()[:{part}]
compiled = [(re.compile(rule.pattern), rule) for rule in rules()]
start = time.perf_counter()
found = []
for text in texts:
    form = without_accents(text)
    for pattern, rule in compiled:
        if pattern.search(form):
            found.append(rule.reason)
            break
    else:
        found.append(None)
done(start, len(texts))
"""


def show(results: dict[str, list[dict[str, Any]]], first: str) -> None:
    """Print the medians; the first way is what the others are compared with, by the time of a row."""
    print(
        f"{'':44s} {'seconds':>8s} {'min':>7s} {'max':>7s} {'µs/row':>8s} {'ratio':>7s} {'peak MB':>8s} {'rows':>11s}"
    )
    base = statistics.median(one["seconds"] / one["rows"] for one in results[first])
    for name, runs in results.items():
        seconds = [one["seconds"] for one in runs]
        each = statistics.median(seconds) / runs[0]["rows"]
        peak = max(one["peak_mb"] for one in runs)
        print(
            f"{name:44s} {statistics.median(seconds):8.2f} {min(seconds):7.2f} {max(seconds):7.2f} {each * 1e6:8.2f}"
            f" {each / base:7.2f} {peak:8,.0f} {runs[0]['rows']:11,}"
        )
    print(flush=True)


def compare(ways: dict[str, str], path: Path, columns: str, rounds: int) -> None:
    results: dict[str, list[dict[str, Any]]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, program in ways.items():
            once = common.run(program, path, columns)
            if once is None:
                raise SystemExit(f"{name}: there was not enough memory")
            results[name].append(once)
    show(results, next(iter(ways)))


def bounces(provider: str, count: int, distinct: int | None) -> Path:
    """Return a file of bounces only; half of their texts are unique, or there are so many distinct ones."""
    kind = "half" if distinct is None else str(distinct)
    path = common.FOLDER / f"{provider}-bounces-{kind}-{count}.ndjson"
    if not path.exists():
        print(f"Making {path} …", flush=True)
        options = {} if distinct is None else {"pool": distinct, "new": 0.0}
        generate.write_lines(path, generate.failures(provider, count, **options))
    return path


def texts(count: int) -> Path:
    path = common.FOLDER / f"texts-{count}.txt"
    if not path.exists():
        generate.write_lines(path, (text + "\n" for text in generate.unique_texts(count)))
    return path


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--texts", type=int, default=500_000)
    parser.add_argument("--distinct", type=int, default=20_000)
    parser.add_argument("--part", type=int, default=5_000, help="texts that the loop of re does")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--provider", choices=common.FORMATS, action="append", help="all if not given")
    parser.add_argument("--only", type=int, choices=(1, 2, 3), help="one part only")
    arguments = parser.parse_args()
    providers = arguments.provider or list(common.FORMATS)

    if arguments.only in {None, 1}:
        for provider in providers:
            path = bounces(provider, arguments.count, None)
            print(
                f"{provider}: {arguments.count:,} bounces, half of the texts unique, {path.stat().st_size / 1e6:,.0f} MB"
            )
            ways = {"DuckDB read_json": FILE.format(times=1), "classify": CLASSIFY.format(times=1)}
            compare(ways, path, common.columns_of(provider), arguments.rounds)
    if arguments.only in {None, 2}:
        print(f"{arguments.texts:,} texts, all different")
        ways = {"a loop of re over the same rules": LOOP.format(part=arguments.part), "classify_text": TEXTS}
        compare(ways, texts(arguments.texts), "", arguments.rounds)
    if arguments.only in {None, 3}:
        for provider in providers:
            path = bounces(provider, arguments.count, arguments.distinct)
            print(f"{provider}: {10 * arguments.count:,} bounces, {arguments.distinct:,} distinct texts")
            ways = {"DuckDB read_json": FILE.format(times=10), "classify": CLASSIFY.format(times=10)}
            compare(ways, path, common.columns_of(provider), arguments.rounds)
    print(
        "ratio: the time of a row against that of the first line; of the loop, against which classify_text is 1 / ratio times as fast."
    )


if __name__ == "__main__":
    main()

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
from typing import TYPE_CHECKING

import generate
import measure
from load_and_classify import FORMATS, columns_of

if TYPE_CHECKING:
    from pathlib import Path

FILE = """
import duckdb, pyarrow
connection = duckdb.connect()
paths = [path] * times
start = begin()
query = f"SELECT * FROM read_json({paths}, format='newline_delimited', columns={{{columns}}})"
rows = 0
for batch in connection.sql(query).to_arrow_reader(100_000):
    rows += len(batch)
done(start, rows)
"""

CLASSIFY = """
import bounceanalytics as ba, pandas as pd
events = ba.load(path, deduplicate=False).events
events = pd.concat([events] * times, ignore_index=True) if times > 1 else events
ba.classify(events.head(5000))  # rules are read and compiled once a session
start = begin()
bounces = ba.classify(events)
done(start, len(bounces))
"""

TEXTS = """
import bounceanalytics as ba
texts = open(path, encoding="utf-8").read().splitlines()
ba.classify_text(texts[:5000])
start = begin()
verdicts = ba.classify_text(texts)
done(start, len(verdicts))
"""

LOOP = """
import re
from bounceanalytics.knowledge.rules import rules, without_accents
texts = open(path, encoding="utf-8").read().splitlines()[:part]
compiled = [(re.compile(rule.pattern), rule) for rule in rules()]
start = begin()
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


def compare(ways: dict[str, str], rounds: int, **given: object) -> None:
    """Print the medians; the first way is what the others are compared with, by the time of a row."""
    results = measure.compare(ways, rounds, **given)
    rows = measure.rows_of(results, against={"ratio": next(iter(ways))}, each_row=True)
    print(measure.markdown(rows), "\n", flush=True)


def bounces(provider: str, count: int, distinct: int | None) -> Path:
    """Return a file of bounces only; half of their texts are unique, or there are so many distinct ones."""
    kind = "half" if distinct is None else str(distinct)
    path = measure.FOLDER / f"{provider}-bounces-{kind}-{count}.ndjson"
    if not path.exists():
        print(f"Making {path} …", flush=True)
        options = {} if distinct is None else {"pool": distinct, "new": 0.0}
        generate.write_lines(path, generate.failures(provider, count, **options))
    return path


def texts(count: int) -> Path:
    path = measure.FOLDER / f"texts-{count}.txt"
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
    parser.add_argument("--provider", choices=FORMATS, action="append", help="all if not given")
    parser.add_argument("--only", type=int, choices=(1, 2, 3), help="one part only")
    arguments = parser.parse_args()
    providers = arguments.provider or list(FORMATS)

    through = {"DuckDB read_json": FILE, "classify": CLASSIFY}
    if arguments.only in {None, 1}:
        for provider in providers:
            path = bounces(provider, arguments.count, None)
            print(
                f"{provider}: {arguments.count:,} bounces, half of the texts unique, {path.stat().st_size / 1e6:,.0f} MB"
            )
            compare(through, arguments.rounds, path=path, columns=columns_of(provider), times=1)
    if arguments.only in {None, 2}:
        print(f"{arguments.texts:,} texts, all different")
        ways = {"a loop of re over the same rules": LOOP, "classify_text": TEXTS}
        compare(ways, arguments.rounds, path=texts(arguments.texts), part=arguments.part)
    if arguments.only in {None, 3}:
        for provider in providers:
            path = bounces(provider, arguments.count, arguments.distinct)
            print(f"{provider}: {10 * arguments.count:,} bounces, {arguments.distinct:,} distinct texts")
            compare(through, arguments.rounds, path=path, columns=columns_of(provider), times=10)
    print(
        "ratio: the time of a row against that of the first line; of the loop, against which classify_text is 1 / ratio times as fast."
    )


if __name__ == "__main__":
    main()

"""Load and classify SendGrid event lines, beside DuckDB's bare reader and pandas, in one run.

Each way runs in a process of its own, so that its peak memory is its own; the time is that of the work, without
starting Python and importing. The ways take turns, and the median of the rounds is shown.

    python benchmarks/load_and_classify.py                 # 1,000,000 events, 3 rounds
    python benchmarks/load_and_classify.py --count 100000 --rounds 5
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

import generate

FOLDER = Path(__file__).parent / "data"

COLUMNS = [
    "email",
    "event",
    "timestamp",
    "sg_event_id",
    "sg_message_id",
    "smtp-id",
    "ip",
    "category",
    "type",
    "bounce_classification",
    "status",
    "reason",
    "response",
    "attempt",
    "tls",
]

PRELUDE = """
import json, resource, sys, time
path = sys.argv[1]
def done(start, rows):
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": time.perf_counter() - start, "rows": rows, "peak_mb": peak}))
"""

# name -> the program that is timed
WAYS = {
    "DuckDB read_json, same columns, to Arrow": """
import duckdb, pyarrow
connection = duckdb.connect()
columns = ", ".join(f"'{name}': 'VARCHAR'" for name in COLUMNS)
start = time.perf_counter()
table = connection.sql(f"SELECT * FROM read_json('{path}', format='newline_delimited', columns={{{columns}}})").to_arrow_table()
done(start, len(table))
""",
    "DuckDB read_json, same columns, to pandas": """
import duckdb, pandas
connection = duckdb.connect()
columns = ", ".join(f"'{name}': 'VARCHAR'" for name in COLUMNS)
start = time.perf_counter()
query = f"SELECT * FROM read_json('{path}', format='newline_delimited', columns={{{columns}}})"
frame = connection.sql(query).df()
done(start, len(frame))
""",
    "bounceanalytics load": """
import bounceanalytics as ba
start = time.perf_counter()
events = ba.load(path).events
done(start, len(events))
""",
    "bounceanalytics load + classify": """
import bounceanalytics as ba
start = time.perf_counter()
bounces = ba.classify(ba.load(path).events)
done(start, len(bounces))
""",
    "pandas read_json(lines=True), reading only": """
import pandas as pd
start = time.perf_counter()
frame = pd.read_json(path, lines=True)
done(start, len(frame))
""",
}


def run(program: str, path: Path) -> dict[str, float]:
    source = PRELUDE + f"COLUMNS = {COLUMNS!r}\n" + program
    answer = subprocess.run(
        [sys.executable, "-c", source, str(path)], capture_output=True, text=True, check=True
    )
    result: dict[str, float] = json.loads(answer.stdout.splitlines()[-1])
    return result


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()

    path = FOLDER / f"sendgrid-{arguments.count}.ndjson"
    if not path.exists():
        print(f"Making {path} …", flush=True)
        generate.write(path, arguments.count)
    print(
        f"{arguments.count:,} events, {path.stat().st_size / 1e6:,.0f} MB, median of {arguments.rounds} rounds in turn\n"
    )

    results: dict[str, list[dict[str, float]]] = {name: [] for name in WAYS}
    for _ in range(arguments.rounds):
        for name, program in WAYS.items():
            results[name].append(run(program, path))

    base = statistics.median(one["seconds"] for one in results[next(iter(WAYS))])
    print(f"{'':44s} {'seconds':>8s} {'min':>7s} {'max':>7s} {'x bare':>7s} {'peak MB':>8s} {'rows':>10s}")
    for name, runs in results.items():
        seconds = [one["seconds"] for one in runs]
        median = statistics.median(seconds)
        peak = max(one["peak_mb"] for one in runs)
        print(
            f"{name:44s} {median:8.2f} {min(seconds):7.2f} {max(seconds):7.2f} {median / base:7.2f} {peak:8,.0f} {runs[0]['rows']:10,}"
        )


if __name__ == "__main__":
    main()

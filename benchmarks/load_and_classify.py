"""Load and classify event lines of each ESP, beside DuckDB's bare reader and pandas, in one run.

Each way runs in a process of its own, so that its peak memory is its own; the time is that of the work, without
starting Python and importing. The ways take turns, and the median of the rounds is shown. pandas needs some 13 GB for a
million records of SES; where that is not there it is left out of the table.

    python benchmarks/load_and_classify.py                 # 1,000,000 events of each ESP, 5 rounds
    python benchmarks/load_and_classify.py --provider ses --count 100000 --rounds 3
"""

from __future__ import annotations

import argparse
import json
import math
import signal
import statistics
import subprocess
import sys
from pathlib import Path

import generate

from bounceanalytics.loading.formats import mailgun, sendgrid, ses
from bounceanalytics.loading.formats.format import literal, type_sql

FOLDER = Path(__file__).parent / "data"

# the form that the lines of each ESP have, with the fields that the loader asks the engine for
FORMATS = {"sendgrid": sendgrid.WEBHOOK, "ses": ses.PUBLISHING, "mailgun": mailgun.EVENT_PAGE}

PRELUDE = """
import json, resource, sys, time
path, columns = sys.argv[1:]
def done(start, rows):
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "rows": rows, "peak_mb": peak}))
"""

BARE = "DuckDB read_json, same columns, to Arrow"
PANDAS = "pandas read_json(lines=True), reading only"

# name -> the program that is timed
WAYS = {
    BARE: """
import duckdb, pyarrow
connection = duckdb.connect()
start = time.perf_counter()
query = f"SELECT * FROM read_json('{path}', format='newline_delimited', columns={{{columns}}})"
table = connection.sql(query).to_arrow_table()
done(start, len(table))
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
    PANDAS: """
import pandas as pd
start = time.perf_counter()
frame = pd.read_json(path, lines=True)
done(start, len(frame))
""",
}


def columns_of(provider: str) -> str:
    """Return the columns that the loader asks for, with their types, as the engine wants them."""
    structure = FORMATS[provider].structure()
    return ", ".join(f"{literal(name)}: {literal(type_sql(member))}" for name, member in structure.items())


def run(program: str, path: Path, columns: str) -> dict[str, float] | None:
    """Run a way in its own process; None if the system killed that, as it does when memory runs out."""
    answer = subprocess.run(
        [sys.executable, "-c", PRELUDE + program, str(path), columns],
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode == -signal.SIGKILL:
        return None
    if answer.returncode:
        sys.exit(f"A process ended with {answer.returncode}:\n{program}\n{answer.stderr}")
    result: dict[str, float] = json.loads(answer.stdout.splitlines()[-1])
    return result


def measure(provider: str, count: int, rounds: int, pandas_rounds: int) -> None:
    path = FOLDER / f"{provider}-{count}.ndjson"
    if not path.exists():
        print(f"Making {path} …", flush=True)
        generate.write(path, count, provider)
    size = path.stat().st_size / 1e6
    print(
        f"{provider}: {count:,} events, {size:,.0f} MB, median of {rounds} rounds in turn ({min(pandas_rounds, rounds)} of pandas)\n",
        flush=True,
    )

    columns = columns_of(provider)
    results: dict[str, list[dict[str, float]]] = {name: [] for name in WAYS}
    killed: set[str] = set()
    for number in range(rounds):
        for name in [name for name in WAYS if name not in killed]:
            if name == PANDAS and number >= pandas_rounds:
                continue
            once = run(WAYS[name], path, columns)
            if once is None:
                killed.add(name)
            else:
                results[name].append(once)

    medians = {
        name: math.nan if name in killed else statistics.median(one["seconds"] for one in runs)
        for name, runs in results.items()
    }
    print(
        f"{'':44s} {'seconds':>8s} {'min':>7s} {'max':>7s} {'x bare':>7s} {'x pandas':>9s} {'peak MB':>8s} {'rows':>11s}"
    )
    for name, runs in results.items():
        if name in killed:
            print(f"{name:44s} was killed; there was not enough memory for it")
            continue
        seconds = [one["seconds"] for one in runs]
        median = medians[name]
        peak = max(one["peak_mb"] for one in runs)
        print(
            f"{name:44s} {median:8.2f} {min(seconds):7.2f} {max(seconds):7.2f} {median / medians[BARE]:7.2f}"
            f" {medians[PANDAS] / median:9.1f} {peak:8,.0f} {runs[0]['rows']:11,}"
        )
    print(flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--provider", choices=FORMATS, help="one ESP only; all in turn if not given")
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--pandas-rounds", type=int, default=2, help="fewer for pandas, which takes minutes")
    arguments = parser.parse_args()

    for provider in [arguments.provider] if arguments.provider else FORMATS:
        measure(provider, arguments.count, arguments.rounds, arguments.pandas_rounds)
    print(
        "x bare: times the seconds of the bare reader. x pandas: times faster than pandas, which only reads."
    )


if __name__ == "__main__":
    main()

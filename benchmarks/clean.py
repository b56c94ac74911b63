"""Clean a mailing list of ten million rows, beside what one would write in DuckDB's SQL for it, in one run.

The list (some 650 MB of CSV) has quoted commas and newlines, names beyond ASCII, addresses in mixed case and a few
repeated ones. There are verdicts on a million addresses: 300,000 to remove, 50,000 to hold; six in ten stand in the list.

DuckDB reads the CSV, and writes the rows that are not to be removed or held to one file and the others to another. That
is the least that any program has to do. It rewrites the quotes, gives no reasons, counts nothing and can undo nothing.

Each way runs in a process of its own; the time is that of the work without imports and without reading the verdicts into a
frame, the peak memory that of the whole process, the frame included. A bare copy of the file shows what the disk takes.

    python benchmarks/clean.py
    python benchmarks/clean.py --rows 200000 --rounds 1    # to try it
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent / "data"
MEBIBYTE = 1024 * 1024
TIMES, PEAK = 3.0, 1024.0  # what is asked of cleaning: times the bare SQL, and MiB

BARE, COPY, CLEAN = "DuckDB, same bytes read and written", "copy of the file", "bounceanalytics clean"

PRELUDE = """
import json, resource, sys, time
from pathlib import Path
list_path, verdicts_path, out = map(Path, sys.argv[1:])
def done(start, **numbers):
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "peak": peak} | numbers))
"""

WAYS = {
    COPY: """
import shutil
out.mkdir()
start = time.perf_counter()
shutil.copyfile(list_path, out / "copy.csv")
done(start)
""",
    BARE: """
import duckdb
out.mkdir()
connection = duckdb.connect()
connection.execute("SET enable_progress_bar = false")
start = time.perf_counter()
connection.execute(f"CREATE VIEW list AS FROM read_csv('{list_path}', all_varchar = true)")
connection.execute(
    f"CREATE TABLE against AS SELECT address FROM '{verdicts_path}' WHERE verdict IN ('remove', 'hold')"
)
for name, join in (("kept", "ANTI"), ("removed", "SEMI")):
    connection.execute(
        f"COPY (FROM list {join} JOIN against ON lower(trim(list.email)) = against.address) TO '{out}/{name}.csv'"
    )
done(start)
""",
    CLEAN: """
import pandas as pd
import pyarrow.parquet as pq
import bounceanalytics as ba
from bounceanalytics import schema
read = lambda name: schema.DECISION_COLUMNS.select([name]).frame(pq.read_table(verdicts_path, columns=[name]))[name]
verdicts = pd.DataFrame({name: read(name) for name in schema.DECISION_COLUMNS.names}, copy=False)
start = time.perf_counter()
result = ba.clean(list_path, verdicts, out)
done(start, rows=result.rows, duplicates=result.duplicates)
""",
}

# One address for each number. Every twentieth is written in capitals, and one in a hundred repeats an earlier one.
LIST = """
COPY (
    WITH numbers AS (
        SELECT i, hash(i) AS dice, CASE WHEN i % 100 = 99 THEN i - 98 ELSE i END AS who FROM range({rows}) AS r(i)
    )
    SELECT
        i AS id,
        CASE dice % 20
            WHEN 0 THEN 'Müller, Jörg ' || (dice % 977)
            WHEN 1 THEN 'Ann "Annie" Lee'
            WHEN 2 THEN '王小明'
            WHEN 3 THEN 'Flat 3' || chr(10) || 'Harbour Road ' || (dice % 311)
            ELSE list_extract(['Ada', 'Bo', 'Cy', 'Dee', 'Eve', 'Finn', 'Gus'], 1 + (dice % 7)::INT) || ' '
                || list_extract(['Smith', 'Jones', 'García', 'Nowak', 'Rossi'], 1 + (dice // 7 % 5)::INT)
        END AS name,
        CASE WHEN i % 20 = 7 THEN upper({address}) ELSE {address} END AS email,
        list_extract(['Oslo', 'Zürich', 'Paris', 'São Paulo', 'Leeds'], 1 + (dice // 35 % 5)::INT) AS town,
        DATE '2019-01-01' + (dice % 2500)::INT AS since
    FROM numbers
) TO '{path}'
"""
ADDRESS = """('person.' || {number} || '@' || list_extract(
    ['gmail.com', 'outlook.com', 'yahoo.com', 'mail.example.com', 'example.org', 'example.net'],
    1 + (hash({number}) // 11 % 6)::INT))"""

# Every 17th number, so that they lie all over the list; the strangers come after its end.
VERDICTS = """
COPY (
    WITH chosen AS (
        SELECT n, CASE WHEN n < {listed} THEN (n * 17) % {rows} ELSE {rows} + n END AS who
        FROM range({count}) AS r(n)
    )
    SELECT DISTINCT ON (who)
        {address} AS address, split_part(address, '@', 2) AS domain,
        CASE WHEN n % 20 < 6 THEN 'remove' WHEN n % 20 < 7 THEN 'hold' ELSE 'keep' END AS verdict,
        CASE WHEN n % 20 < 7 THEN 'unknown_user' END AS reason, 'hard' AS bounce_type, 'recipient' AS fault,
        'google-unknown-user' AS rule, '5.1.1' AS code, 'high' AS confidence, false AS storm, false AS trap_risk,
        TIMESTAMP '2026-03-02 10:00:00' + to_minutes((n % 400000)::INT) AS decided_at,
        NULL::TIMESTAMP AS hold_until, NULL::TIMESTAMP AS retry_on, NULL::TIMESTAMP AS review_on,
        TIMESTAMP '2025-03-02 10:00:00' AS first_seen, decided_at AS last_seen,
        decided_at AS first_bounced, decided_at AS last_bounced,
        1 AS bounce_days, 1 AS hard_days, 0 AS soft_days, 0 AS block_days, 0 AS conflicts,
        NULL::TIMESTAMP AS last_delivered, NULL::TIMESTAMP AS last_opened, NULL::TIMESTAMP AS last_clicked,
        NULL::TIMESTAMP AS complained_at, NULL::TIMESTAMP AS unsubscribed_at,
        'sendgrid-' || (n % 30) || '.ndjson.gz' AS source, n AS record,
        'Removed: 550 5.1.1 unknown user on ' || decided_at::DATE || ', no delivery since.' AS explanation
    FROM chosen
) TO '{path}' (FORMAT parquet)
"""


def make(rows: int, list_path: Path, verdicts_path: Path) -> None:
    """Make the list and the verdicts, if they are not there yet."""
    import duckdb

    FOLDER.mkdir(exist_ok=True)
    count = rows // 10
    statements = {
        list_path: LIST.format(rows=rows, address=ADDRESS.format(number="who"), path="{path}"),
        verdicts_path: VERDICTS.format(
            rows=rows,
            count=count,
            listed=count * 6 // 10,
            address=ADDRESS.format(number="who"),
            path="{path}",
        ),
    }
    for path, statement in statements.items():
        if not path.exists():
            part = path.with_suffix(".part")
            with duckdb.connect() as connection:
                connection.execute("SET enable_progress_bar = false")
                connection.execute(statement.format(path=part))
            part.rename(path)


def run(program: str, *paths: Path) -> dict[str, float]:
    out = FOLDER / "cleaned"
    shutil.rmtree(out, ignore_errors=True)
    done = subprocess.run(
        [sys.executable, "-c", PRELUDE + program, *map(str, paths), str(out)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    shutil.rmtree(out)
    numbers: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return numbers


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    if arguments.rows < 1000:
        parser.error("at least 1,000 rows")

    paths = (FOLDER / f"list-{arguments.rows}.csv", FOLDER / f"list-{arguments.rows}-verdicts.parquet")
    # in another process, as the peak memory of a process begins with that of the one that started it
    making = multiprocessing.Process(target=make, args=(arguments.rows, *paths))
    making.start()
    making.join()
    if making.exitcode:
        sys.exit("The list could not be made")
    size = paths[0].stat().st_size
    load = ", ".join(f"{number:.2f}" for number in os.getloadavg())
    print(
        f"{arguments.rows:,} rows, {size / MEBIBYTE:,.0f} MiB; {os.cpu_count()} cores, load {load}",
        flush=True,
    )
    results: dict[str, list[dict[str, float]]] = {name: [] for name in WAYS}
    for _ in range(arguments.rounds):
        for name, program in WAYS.items():
            results[name].append(run(program, *paths))

    medians = {name: statistics.median(one["seconds"] for one in runs) for name, runs in results.items()}
    print(f"{'':38s} {'seconds':>8s} {'min':>7s} {'max':>7s} {'MiB/s':>7s} {'x DuckDB':>9s} {'peak MiB':>9s}")
    for name, runs in results.items():
        seconds = [one["seconds"] for one in runs]
        print(
            f"{name:38s} {medians[name]:8.2f} {min(seconds):7.2f} {max(seconds):7.2f}"
            f" {size / MEBIBYTE / medians[name]:7.0f} {medians[name] / medians[BARE]:9.2f}"
            f" {max(one['peak'] for one in runs):9,.0f}"
        )
    print("rows", results[CLEAN][0]["rows"], "duplicates", results[CLEAN][0]["duplicates"])
    times, peak = medians[CLEAN] / medians[BARE], max(one["peak"] for one in results[CLEAN])
    good = times <= TIMES and peak <= PEAK
    print(
        f"{times:.2f} times DuckDB (at most {TIMES:.0f}), {peak:,.0f} MiB (at most {PEAK:,.0f}):"
        f" {'good' if good else 'NOT good'}"
    )
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()

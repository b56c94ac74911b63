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
import shutil
import sys
from typing import TYPE_CHECKING

import measure

if TYPE_CHECKING:
    from pathlib import Path

MEBIBYTE = 1024 * 1024
TIMES, PEAK = 3.0, 1024.0  # what is asked of cleaning: times the bare SQL, and MiB

BARE, COPY, CLEAN = "DuckDB, same bytes read and written", "copy of the file", "bounceanalytics clean"

WAYS = {
    COPY: """
import os, shutil
os.mkdir(out)
start = begin()
shutil.copyfile(list_path, out + "/copy.csv")
done(start)
""",
    BARE: """
import duckdb, os
os.mkdir(out)
connection = duckdb.connect()
connection.execute("SET enable_progress_bar = false")
start = begin()
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
start = begin()
result = ba.clean(list_path, verdicts, out)
done(start, result.rows["input"], duplicates=result.duplicates)
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
        NULL::VARCHAR AS suppressed_by,
        'sendgrid-' || (n % 30) || '.ndjson.gz' AS source, n AS record,
        'Removed: 550 5.1.1 unknown user on ' || decided_at::DATE || ', no delivery since.' AS explanation
    FROM chosen
) TO '{path}' (FORMAT parquet)
"""


def make(rows: int) -> tuple[Path, Path]:
    """Return the list and the verdicts, which are made if they are not there yet."""
    import duckdb

    measure.FOLDER.mkdir(exist_ok=True)
    list_path = measure.FOLDER / f"list-{rows}.csv"
    verdicts_path = measure.FOLDER / f"list-{rows}-verdicts.parquet"
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
    return list_path, verdicts_path


def compare(ways: dict[str, str], rows: int, rounds: int) -> tuple[dict[str, list[measure.Run]], int]:
    """Return what the ways took, and the bytes of the list."""
    list_path, verdicts_path = make(rows)
    out = measure.FOLDER / "cleaned"
    tidy = f"import shutil\nshutil.rmtree({str(out)!r}, ignore_errors=True)\n"
    given = {"list_path": list_path, "verdicts_path": verdicts_path, "out": out}
    results = measure.compare({name: tidy + program for name, program in ways.items()}, rounds, **given)
    shutil.rmtree(out)
    return results, list_path.stat().st_size


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    if arguments.rows < 1000:
        parser.error("at least 1,000 rows")

    results, size = compare(WAYS, arguments.rows, arguments.rounds)
    print(f"{arguments.rows:,} rows, {size / MEBIBYTE:,.0f} MiB")
    print(measure.markdown(measure.rows_of(results, size=size, against={"x DuckDB": BARE})))
    print("duplicates", results[CLEAN][0].more["duplicates"])
    print(measure.told_machine())
    times = measure.median(results[CLEAN]) / measure.median(results[BARE])
    peak = max(one.peak for one in results[CLEAN])
    good = times <= TIMES and peak <= PEAK
    print(
        f"{times:.2f} times DuckDB (at most {TIMES:.0f}), {peak:,.0f} MiB (at most {PEAK:,.0f}):"
        f" {'good' if good else 'NOT good'}"
    )
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()

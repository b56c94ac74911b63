"""Turn gzipped SES event publishing records, as Firehose leaves them, into a dataset: time, memory, and a kill half-way.

The records are made in parts, which the sizes share. Each conversion runs in a process of its own; its peak memory is
that of this process. With ``--kill``, the middle size is converted once more, killed (SIGKILL) at half of the time that
it took undisturbed, and started anew; both datasets must hold the same rows.

    python benchmarks/convert.py                            # 2, 10 and 20 million records, 31 GB of JSON
    python benchmarks/convert.py --sizes 2000000 --kill
    python benchmarks/convert.py --sizes 20000,40000 --parts-size 10000 --kill    # to try it
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import generate

FOLDER = Path(__file__).parent / "data"
PARTS_SIZE = 500_000
SPAN = 0.13  # seconds between two records, on average

# says when the work begins; what it imports before does not count
CONVERT = """
import json, resource, sys, time
import bounceanalytics as ba
out, *sources = sys.argv[1:]
print("begins", flush=True)
start = time.perf_counter()
ba.convert(sources, out)
seconds = time.perf_counter() - start
own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
workers = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024  # the largest one of them
print(json.dumps({"seconds": seconds, "peak_mib": own, "worker_mib": workers}))
"""

# Rows, and checksums of them and of each column for which their order does not matter. The sum stands beside the xor since
# two equal rows cancel each other there.
CHECKSUM = """
import json, sys
import duckdb
connection = duckdb.connect()
connection.execute("SET enable_progress_bar = false")
parts = f"read_parquet('{sys.argv[1]}/**/*.parquet', hive_partitioning=false)"
names = [row[0] for row in connection.execute(f"DESCRIBE SELECT * FROM {parts}").fetchall()]
sums = ", ".join(f'bit_xor(hash({name})), sum(hash({name})::HUGEINT)' for name in ["part", *(f'part."{name}"' for name in names)])
rows, *found = connection.execute(f"SELECT count(*), {sums} FROM {parts} AS part").fetchone()
rows_sum, *column_sums = (f"{mixed:016x}-{total:x}" for mixed, total in zip(found[::2], found[1::2]))
print(json.dumps({"rows": rows, "checksum": rows_sum, "columns": dict(zip(names, column_sums))}))
"""


@dataclass
class Run:
    seconds: float
    peak_mib: float
    worker_mib: float
    rows: int
    checksum: str
    columns: dict[str, str]


def make_part(path: Path, number: int, count: int) -> None:
    start = generate.START + number * count * SPAN
    generate.write(path, count, "ses", seed=generate.SEED + number, start=start)


def make_parts(total: int, size: int, jobs: int) -> list[Path]:
    """Return the parts that hold ``total`` records; those that are not there yet are made."""
    folder = FOLDER / ("ses-parts" if size == PARTS_SIZE else f"ses-parts-{size}")
    parts = [folder / f"part-{number:03}.ndjson.gz" for number in range(total // size)]
    missing = [(number, path) for number, path in enumerate(parts) if not path.exists()]
    if missing:
        print(f"Making {len(missing)} parts of {size:,} records in {folder} …", flush=True)
        with ProcessPoolExecutor(jobs) as pool:
            done = [pool.submit(make_part, path, number, size) for number, path in missing]
            for one in done:
                one.result()
    return parts


def unpacked(path: Path) -> int:
    """Return the size of what was gzipped, which its last four bytes tell where it is below 4 GB."""
    with path.open("rb") as file:
        file.seek(-4, os.SEEK_END)
        return int.from_bytes(file.read(4), "little")


def begin(parts: list[Path], out: Path) -> subprocess.Popen[str]:
    """Start a conversion in a session of its own, and return when its work begins."""
    process = subprocess.Popen(
        [sys.executable, "-c", CONVERT, str(out), *map(str, parts)],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None  # noqa: S101 - for the type checker
    if process.stdout.readline() != "begins\n":
        sys.exit(f"The conversion did not begin; its process ended with {process.wait()}")
    return process


def finish(process: subprocess.Popen[str], out: Path) -> Run:
    answer, _ = process.communicate()
    if process.returncode:
        sys.exit(f"The conversion ended with {process.returncode}")
    summed = subprocess.run(
        [sys.executable, "-c", CHECKSUM, str(out)], stdout=subprocess.PIPE, text=True, check=True
    )
    return Run(**json.loads(answer.splitlines()[-1]), **json.loads(summed.stdout.splitlines()[-1]))


def fresh(name: str) -> Path:
    out = FOLDER / "converted" / name
    shutil.rmtree(out, ignore_errors=True)
    out.parent.mkdir(parents=True, exist_ok=True)
    return out


def kill_and_resume(parts: list[Path], undisturbed: Run) -> bool:
    """Return whether a conversion that was killed and started anew gives the same rows as one undisturbed."""
    out = fresh("killed")
    process = begin(parts, out)
    time.sleep(undisturbed.seconds / 2)
    if process.poll() is not None:
        sys.exit("The conversion was over before it could be killed; take a larger size")
    os.killpg(process.pid, signal.SIGKILL)  # its workers too, if it has any
    process.wait()
    resumed = finish(begin(parts, out), out)
    same = (resumed.rows, resumed.checksum) == (undisturbed.rows, undisturbed.checksum)
    differing = [
        name for name, checksum in undisturbed.columns.items() if resumed.columns.get(name) != checksum
    ]
    print(
        f"\nKilled after {undisturbed.seconds / 2:,.1f} of {undisturbed.seconds:,.1f} s, started anew:"
        f" {resumed.seconds:,.1f} s more, peak {resumed.peak_mib:,.0f} MiB\n"
        f"  undisturbed: {undisturbed.rows:,} rows, checksum {undisturbed.checksum}\n"
        f"  resumed:     {resumed.rows:,} rows, checksum {resumed.checksum}\n"
        f"  {'the same' if same else 'NOT the same, in the columns: ' + ', '.join(differing)}"
    )
    shutil.rmtree(out)
    return same


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--sizes", default="2000000,10000000,20000000", help="numbers of records, with commas"
    )
    parser.add_argument("--parts-size", type=int, default=PARTS_SIZE, help="records of a part")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes that make the parts")
    parser.add_argument("--kill", action="store_true", help="kill the middle size half-way and resume")
    arguments = parser.parse_args()
    sizes = sorted(int(size) for size in arguments.sizes.split(","))
    if not 0 < arguments.parts_size <= 2_000_000:
        parser.error("a part has 1 to 2,000,000 records")
    if any(size <= 0 or size % arguments.parts_size for size in sizes):
        parser.error(f"the sizes must be multiples of {arguments.parts_size:,}, the size of a part")

    parts = make_parts(sizes[-1], arguments.parts_size, arguments.jobs)
    middle = sizes[len(sizes) // 2]
    undisturbed: Run | None = None
    print(
        f"{'records':>12s} {'JSON GB':>8s} {'gzip GB':>8s} {'rows':>12s} {'seconds':>9s} {'rows/s':>9s} {'peak MiB':>9s} {'out GB':>7s}",
        flush=True,
    )
    for size in sizes:
        chosen = parts[: size // arguments.parts_size]
        out = fresh(str(size))
        done = finish(begin(chosen, out), out)
        stored = sum(file.stat().st_size for file in out.rglob("*.parquet"))
        workers = f"  (and {done.worker_mib:,.0f} in a worker)" if done.worker_mib else ""
        print(
            f"{size:12,} {sum(map(unpacked, chosen)) / 1e9:8.2f} {sum(one.stat().st_size for one in chosen) / 1e9:8.2f}"
            f" {done.rows:12,} {done.seconds:9.1f} {done.rows / done.seconds:9,.0f} {done.peak_mib:9,.0f} {stored / 1e9:7.2f}{workers}",
            flush=True,
        )
        shutil.rmtree(out)
        if size == middle:
            undisturbed = done
    if arguments.kill and undisturbed:
        same = kill_and_resume(parts[: middle // arguments.parts_size], undisturbed)
        sys.exit(0 if same else 1)


if __name__ == "__main__":
    main()

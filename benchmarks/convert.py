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
import os
import shutil
import signal
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from typing import TYPE_CHECKING, Any

import generate
import measure
from measure import Run

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

FOLDER = measure.FOLDER
PARTS_SIZE = 500_000
SPAN = 0.13  # seconds between two records, on average

CONVERT = """
import bounceanalytics as ba
start = begin()
done(start, len(ba.convert(sources, out)))
"""

# Rows, and checksums of them and of each column for which their order does not matter. The sum stands beside the xor since
# two equal rows cancel each other there.
CHECKSUM = """
import duckdb
start = begin()
connection = duckdb.connect()
connection.execute("SET enable_progress_bar = false")
parts = f"read_parquet('{out}/**/*.parquet', hive_partitioning=false)"
names = [row[0] for row in connection.execute(f"DESCRIBE SELECT * FROM {parts}").fetchall()]
sums = ", ".join(f'bit_xor(hash({name})), sum(hash({name})::HUGEINT)' for name in ["part", *(f'part."{name}"' for name in names)])
rows, *found = connection.execute(f"SELECT count(*), {sums} FROM {parts} AS part").fetchone()
rows_sum, *column_sums = (f"{mixed:016x}-{total:x}" for mixed, total in zip(found[::2], found[1::2]))
done(start, rows, sums={"the rows": rows_sum} | dict(zip(names, column_sums)))
"""


def make_part(path: Path, number: int, count: int, options: dict[str, Any]) -> None:
    start = generate.START + number * count * options.get("gap", SPAN)
    generate.write(path, count, "ses", seed=generate.SEED + number, start=start, **options)


def make_parts(total: int, size: int, jobs: int | None = None, **options: Any) -> list[Path]:
    """Return the parts that hold ``total`` records; those that are not there yet are made, with options of the maker."""
    words = "".join(f"-{name}-{value}" for name, value in options.items())
    folder = FOLDER / ("ses-parts" if size == PARTS_SIZE else f"ses-parts-{size}")
    folder = folder.with_name(folder.name + words)
    parts = [folder / f"part-{number:03}.ndjson.gz" for number in range(total // size)]
    missing = [(number, path) for number, path in enumerate(parts) if not path.exists()]
    if missing:
        print(f"Making {len(missing)} parts of {size:,} records in {folder} …", flush=True)
        with ProcessPoolExecutor(jobs) as pool:
            done = [pool.submit(make_part, path, number, size, options) for number, path in missing]
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
    process = measure.start(CONVERT, sources=list(map(str, parts)), out=out)
    assert process.stdout is not None  # noqa: S101 - for the type checker
    if process.stdout.readline() != "begins\n":
        measure.finish(process)
    return process


def summed(out: Path) -> dict[str, str]:
    """Return checksums of the rows of a dataset and of its columns, for which their order does not matter."""
    sums: dict[str, str] = finished(measure.start(CHECKSUM, out=out)).more["sums"]
    return sums


def finished(process: subprocess.Popen[str]) -> Run:
    return measure.finish(process) or sys.exit("There was not enough memory")


def fresh(name: str) -> Path:
    out = FOLDER / "converted" / name
    shutil.rmtree(out, ignore_errors=True)
    out.parent.mkdir(parents=True, exist_ok=True)
    return out


def kill_and_resume(parts: list[Path], undisturbed: Run, sums: dict[str, str]) -> bool:
    """Return whether a conversion that was killed and started anew gives the same rows as one undisturbed."""
    out = fresh("killed")
    process = begin(parts, out)
    time.sleep(undisturbed.seconds / 2)
    if process.poll() is not None:
        sys.exit("The conversion was over before it could be killed; take a larger size")
    os.killpg(process.pid, signal.SIGKILL)  # its workers too, if it has any
    process.communicate()
    resumed = finished(begin(parts, out))
    found = summed(out)
    differing = [name for name, checksum in sums.items() if found.get(name) != checksum]
    print(
        f"\nKilled after {undisturbed.seconds / 2:,.1f} of {undisturbed.seconds:,.1f} s, started anew:"
        f" {resumed.seconds:,.1f} s more, peak {resumed.peak:,.0f} MiB\n"
        f"  undisturbed: {undisturbed.rows:,} rows, checksum {sums['the rows']}\n"
        f"  resumed:     {resumed.rows:,} rows, checksum {found['the rows']}\n"
        f"  {'NOT the same: ' + ', '.join(differing) if differing else 'the same'}"
    )
    shutil.rmtree(out)
    return not differing


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
    sums: dict[str, str] = {}
    table = []
    for size in sizes:
        chosen = parts[: size // arguments.parts_size]
        out = fresh(str(size))
        done = finished(begin(chosen, out))
        stored = sum(file.stat().st_size for file in out.rglob("*.parquet"))
        unpacked_size = sum(map(unpacked, chosen))
        (row,) = measure.rows_of({f"{size:,} records": [done]}, size=unpacked_size)
        table.append(
            row
            | {"worker MiB": f"{done.workers:,.0f}"}
            | {"JSON GB": f"{unpacked_size / 1e9:.2f}", "out GB": f"{stored / 1e9:.2f}"}
            | {"gzip GB": f"{sum(one.stat().st_size for one in chosen) / 1e9:.2f}"}
        )
        print(f"{size:,} records: {done.seconds:,.1f} s", flush=True)
        if size == middle and arguments.kill:
            undisturbed, sums = done, summed(out)
        shutil.rmtree(out)
    print(measure.markdown(table))
    print(measure.told_machine())
    if undisturbed:
        same = kill_and_resume(parts[: middle // arguments.parts_size], undisturbed, sums)
        sys.exit(0 if same else 1)


if __name__ == "__main__":
    main()

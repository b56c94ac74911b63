"""Run programs in processes of their own, in turn, and tell their time, memory and rows, and on which machine that was.

A program is Python text. It has the names that :func:`run` is given, does what is not to be timed, then::

    start = begin()
    rows = len(work())
    done(start, rows)

The peak memory is that of its whole process, as the system counts it; seconds are those between the two calls.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import shlex
import signal
import statistics
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

ROOT = Path(__file__).parent.parent
FOLDER = Path(__file__).parent / "data"  # git ignores it
ABSENT = "not installed"
PACKAGES = ("bounceanalytics", "duckdb", "pyarrow", "pandas", "numpy", "polars", "orjson", "hyperscan")

_PRELUDE = f"""
import json, sys
sys.path.append({str(Path(__file__).parent)!r})
from measure import begin, done
globals().update(json.loads(sys.argv[1]))
"""


@dataclass(frozen=True)
class Run:
    """What one run took.

    Attributes
    ----------
    seconds, cpu : float
        On the clock, and of all cores together.
    peak, workers : float
        MiB of the process, and of the largest process that it started; 0 where nobody has looked.
    rows : int
    more : dict
        What else the program tells.
    """

    seconds: float
    cpu: float
    rows: int = 0
    peak: float = 0.0
    workers: float = 0.0
    more: dict[str, Any] = field(default_factory=dict)


def begin() -> tuple[float, float]:
    """Say that the work begins; what was imported and read before does not count."""
    print("begins", flush=True)
    return time.perf_counter(), _cpu()


def done(start: tuple[float, float], rows: int = 0, **more: Any) -> None:
    """Say that the work is done, and what it took."""
    seconds, cpu = time.perf_counter() - start[0], _cpu() - start[1]
    workers = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(json.dumps(asdict(Run(seconds, cpu, rows, peak_memory(), workers, more))))


def peak_memory() -> float:
    """Return the most memory that this process had, in MiB.

    ``ru_maxrss`` begins with the memory of the process that started this one; Linux knows better.
    """
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (
        1024**2 if sys.platform == "darwin" else 1024
    )


def _cpu() -> float:
    return sum(os.times()[:4])


def start(program: str, **given: Any) -> subprocess.Popen[str]:
    """Start a program in a session of its own; ``given`` are names that it has, with values that JSON knows or paths."""
    return subprocess.Popen(
        [sys.executable, "-c", _PRELUDE + program, json.dumps(given, default=str)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def finish(process: subprocess.Popen[str]) -> Run | None:
    """Wait for a program; None if the system killed it, as it does when memory runs out."""
    answer, errors = process.communicate()
    if process.returncode == -signal.SIGKILL:
        return None
    if process.returncode:
        sys.exit(f"A process ended with {process.returncode}:\n{errors}")
    told = [line for line in answer.splitlines() if line.startswith('{"seconds"')]  # beside progress bars
    return Run(**json.loads(told[-1]))


def run(program: str, **given: Any) -> Run | None:
    """Run a program; see :func:`start` and :func:`finish`."""
    return finish(start(program, **given))


def compare(
    ways: Mapping[str, str], rounds: int, *, at_most: Mapping[str, int] | None = None, **given: Any
) -> dict[str, list[Run]]:
    """Run all ways in turn, round by round.

    Parameters
    ----------
    ways : mapping of str to str
        Name -> program.
    rounds : int
    at_most : mapping of str to int, optional
        Rounds of ways that take long; 0 leaves a way out.
    **given
        Names that all programs have.

    Returns
    -------
    dict of str to list of Run
        Empty for a way that was killed, since there was not enough memory for it.
    """
    limits = {name: (at_most or {}).get(name, rounds) for name in ways}
    results: dict[str, list[Run]] = {name: [] for name in ways if limits[name]}
    for number in range(rounds):
        for name, runs in results.items():
            if number >= limits[name]:
                continue
            once = run(ways[name], **given)
            if once is None:
                limits[name] = 0
                runs.clear()
            else:
                runs.append(once)
    return results


def repeat(work: Callable[[], Any], rounds: int, rows: int = 0) -> list[Run]:
    """Time a call in this process; its memory cannot be told from that of what went before."""
    runs = []
    for _ in range(rounds):
        seconds, cpu = time.perf_counter(), _cpu()
        work()
        runs.append(Run(time.perf_counter() - seconds, _cpu() - cpu, rows))
    return runs


def median(runs: Iterable[Run], each_row: bool = False) -> float:
    """Return the median of the seconds, of each row if asked for; nan if there are none."""
    values = [one.seconds / (one.rows if each_row else 1) for one in runs]
    return statistics.median(values) if values else float("nan")


def rows_of(
    results: Mapping[str, list[Run]],
    *,
    size: float = 0,
    against: Mapping[str, str] | None = None,
    each_row: bool = False,
) -> list[dict[str, str]]:
    """Return a row of a table for each way: medians, with least and most seconds.

    Parameters
    ----------
    results : mapping of str to list of Run
    size : float, optional
        Bytes that all of them read, for MB/s.
    against : mapping of str to str, optional
        Title of a column -> the way by whose seconds it divides.
    each_row : bool, default False
        Divide seconds of a row, for ways that do not all do the same rows.
    """
    table = []
    for name, runs in results.items():
        row = {"": name}
        if not runs:
            table.append(row | {"seconds": "killed: not enough memory"})
            continue
        seconds = [one.seconds for one in runs]
        middle, rows = statistics.median(seconds), runs[0].rows
        row |= {
            "seconds": f"{middle:,.2f}",
            "least-most": f"{min(seconds):,.2f}-{max(seconds):,.2f}" if len(runs) > 1 else "one round",
            "CPU s": f"{statistics.median(one.cpu for one in runs):,.2f}",
            "rows": f"{rows:,}" if rows else "",
            "rows/s": f"{rows / middle:,.0f}" if rows else "",
        }
        if size:
            row["MB/s"] = f"{size / 1e6 / middle:,.0f}"
        if any(one.peak for one in runs):
            row["peak MiB"] = f"{max(one.peak for one in runs):,.0f}"
        for title, other in (against or {}).items():
            row[title] = f"{median(runs, each_row) / median(results.get(other, []), each_row):,.2f}"
        table.append(row)
    return table


def markdown(rows: Iterable[Mapping[str, object]]) -> str:
    """Return a table in Markdown, in columns that line up for the eye; all but the first to the right."""
    rows = list(rows)
    titles = list(dict.fromkeys(title for row in rows for title in row))
    cells = [titles, *([str(row.get(title, "")) for title in titles] for row in rows)]
    widths = [max(3, *(len(line[place]) for line in cells)) for place in range(len(titles))]

    def line(values: list[str]) -> str:
        fitted = [
            value.rjust(width) if place else value.ljust(width)
            for place, (value, width) in enumerate(zip(values, widths, strict=True))
        ]
        return f"| {' | '.join(fitted)} |"

    rule = "|".join("-" * (width + 1) + ("-" if place == 0 else ":") for place, width in enumerate(widths))
    return "\n".join([line(cells[0]), f"|{rule}|", *map(line, cells[1:])])


def machine() -> dict[str, str]:
    """Return what was measured, on what, when and how it was called."""
    return {
        "Measured": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, load {', '.join(f'{one:.1f}' for one in os.getloadavg())} at the end",
        "Command": shlex.join(["python", *_from_root(sys.argv)]),
        "Machine": f"{_cpu_name()}, {os.cpu_count()} cores, {_memory() / 2**30:,.0f} GiB of memory",
        "System": f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        "Packages": ", ".join(f"{name} {version(name)}" for name in PACKAGES),
    }


def told_machine() -> str:
    """Return :func:`machine` as a list in Markdown."""
    return "\n".join(f"- {name}: {value}" for name, value in machine().items())


def into(path: Path, name: str, text: str) -> None:
    """Put a text between the two marks of a page: ``<!-- name -->`` and ``<!-- end of name -->``."""
    begins, ends = f"<!-- {name} -->", f"<!-- end of {name} -->"
    before, _, rest = path.read_text("utf-8").partition(begins)
    _, found, after = rest.partition(ends)
    if not found:
        sys.exit(f"{path} lacks the marks {begins} and {ends}")
    path.write_text(f"{before}{begins}\n{text}\n{ends}{after}", "utf-8")


def _from_root(words: list[str]) -> list[str]:
    first = Path(words[0]).resolve()
    return [str(first.relative_to(ROOT)) if first.is_relative_to(ROOT) else first.name, *words[1:]]


def version(name: str) -> str:
    if name == "bounceanalytics":  # the one that is imported, whichever is installed
        import bounceanalytics

        return bounceanalytics.__version__
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ABSENT


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next(
        (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine()
    )


def _memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")

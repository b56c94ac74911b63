"""Fit what events, recipients, domains and texts cost, check it where it was not fitted, and write ``docs/scale.md``.

Events of SES are made in files of half a unit; each point has its own numbers of events, recipients, domains and distinct
texts, so that their shares can be told apart. Every step runs in a process of its own: ``convert`` to a dataset,
``classify`` from dataset to dataset, then ``decide``, all summaries and ``storms`` on the classified one. Seconds, seconds of
all cores together, peak memory and bytes on disk are each fitted by least squares of relative errors, without negative
coefficients::

    seconds = a + b * events + c * recipients + d * domains + e * texts

What was measured is written to ``COST_MODEL.json``; tables and arithmetic are put between the marks of the page.

    python benchmarks/cost_model.py                 # 1 to 4 million events, checked at 3 and 8 million; 26 million in all
    python benchmarks/cost_model.py --unit 2500000  # 2.5 to 10 million, checked at 7.5 and 20 million
    python benchmarks/cost_model.py --page          # the page anew, from what was measured
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import convert
import measure
import numpy as np
from scipy.optimize import nnls

PAGE = measure.ROOT / "docs" / "scale.md"
MEASURED = Path(__file__).parent / "COST_MODEL.json"
UNIT = 1_000_000
DAYS = 60  # from the first event to the last


@dataclass(frozen=True)
class Point:
    """How many there are, in units; ``new`` is the share of texts that no other event has."""

    events: float
    recipients: float
    domains: float
    new: float


FIT = (
    Point(1, 0.2, 0.005, 0.0),
    Point(1, 1.0, 0.005, 0.0),
    Point(1, 0.2, 0.2, 0.0),
    Point(1, 0.2, 0.005, 1.0),
    Point(2, 0.4, 0.01, 0.5),
    Point(2, 1.5, 0.3, 0.0),
    Point(3, 0.3, 0.1, 0.8),
    Point(4, 2.0, 0.02, 0.2),
)
CHECK = (Point(3, 1.0, 0.1, 0.4), Point(8, 1.6, 0.05, 0.3))
#: Files that the same events of a tenth of a unit are cut into, for what a file costs.
CUTS = (1, 30, 100)

_COUNT = """
import duckdb
start = begin()
connection = duckdb.connect()
counts = (
    "count(DISTINCT recipient), count(DISTINCT domain),"
    " count(DISTINCT diagnostic) FILTER (event IN ('bounced', 'deferred'))"  # what deliveries say, nobody classifies
)
rows, *found = connection.execute(f"SELECT count(*), {counts} FROM read_parquet('{events}/month=*/*.parquet')").fetchone()
done(start, rows, **dict(zip(("recipients", "domains", "texts"), found)))
"""
_HEAD = "import os\nfrom pathlib import Path\nimport bounceanalytics as ba\n"
_SIZE = "sum(file.stat().st_size for file in Path({}).rglob('*') if file.is_file())"
STEPS = {
    "convert": f"""{_HEAD}
start = begin()
made = ba.convert(sources, events, overwrite=True)
done(start, len(made), disk={_SIZE.format("events")})
""",
    "classify": f"""{_HEAD}
start = begin()
made = ba.classify(ba.Dataset(events), out=bounces, overwrite=True)
done(start, len(made), disk={_SIZE.format("bounces")})
""",
    "decide": f"""{_HEAD}
start = begin()
verdicts = ba.decide(ba.Dataset(bounces))
done(start, len(verdicts), disk=(verdicts.to_parquet(bounces + ".verdicts", compression="zstd"), os.stat(bounces + ".verdicts").st_size)[1])
""",
    "summaries": f"""{_HEAD}
start = begin()
ba.summarize(ba.Dataset(bounces))
done(start)
""",
    "storms": f"""{_HEAD}
start = begin()
done(start, len(ba.storms(ba.Dataset(bounces))))
""",
}
PARTS = ("events", "recipients", "domains", "texts")


def measured(point: Point, unit: int, rounds: int) -> dict[str, Any]:
    """Return what a point is, and what each step took there."""
    sources = convert.make_parts(
        round(point.events * unit),
        unit // 2,
        recipients=round(point.recipients * unit),
        domains=round(point.domains * unit),
        new=point.new,
        providers=True,
        gap=round(DAYS * 86_400 / (point.events * unit), 3),
    )
    return {"point": asdict(point), **steps_on(sources, rounds)}


def steps_on(sources: list[Path], rounds: int, steps: dict[str, str] = STEPS) -> dict[str, Any]:
    """Run the steps one after the other, each as often as there are rounds; return counts, medians and sizes."""
    work = measure.FOLDER / "cost-model"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    given = {
        "sources": [str(path) for path in sources],
        "events": work / "events",
        "bounces": work / "bounces",
    }
    taken = {}
    for name, program in steps.items():
        runs = measure.compare({name: program}, rounds, **given)[name]
        if not runs:
            raise SystemExit(f"There was not enough memory for {name}; take a smaller --unit")
        taken[name] = {
            "seconds": statistics.median(one.seconds for one in runs),
            "cpu": statistics.median(one.cpu for one in runs),
            "peak": max(one.peak for one in runs),
            "disk": runs[0].more.get("disk"),
        }
    counted = measure.run(_COUNT, **given)
    assert counted  # noqa: S101 - for the type checker
    shutil.rmtree(work)
    json_bytes = sum(map(convert.unpacked, sources))
    return {
        "files": len(sources),
        "json": json_bytes,
        "counts": {"events": counted.rows, **counted.more},
        "steps": taken,
    }


def cut_up(unit: int, rounds: int) -> list[dict[str, Any]]:
    """Return what the first three steps take on the same number of events in few and in many files."""
    total = unit // 10 // CUTS[-1] * CUTS[-1]
    few = dict(list(STEPS.items())[:3])
    return [
        steps_on(
            convert.make_parts(
                total, total // cut, recipients=total // 10, domains=500, gap=round(DAYS * 86_400 / total, 3)
            ),
            rounds,
            few,
        )
        for cut in CUTS
    ]


@dataclass(frozen=True)
class Cost:
    """What was fitted: a fixed part, and one for each of the counts."""

    fixed: float
    each: dict[str, float]

    def __call__(self, counts: dict[str, float]) -> float:
        return self.fixed + sum(self.each[name] * counts[name] for name in PARTS)


def fit(points: list[dict[str, Any]], step: str, quantity: str) -> Cost:
    """Return the cost that fits best; errors are relative, so that small points count as much as large ones."""
    target = np.array([point["steps"][step][quantity] for point in points], float)
    counts = np.array([[1, *(point["counts"][name] for name in PARTS)] for point in points], float)
    scale = counts.max(axis=0)
    found, _ = nnls(counts / scale / target[:, None], np.ones(len(points)))
    fixed, *each = map(float, found / scale)
    return Cost(fixed, dict(zip(PARTS, each, strict=True)))


def costs_of(results: dict[str, Any]) -> dict[tuple[str, str], Cost]:
    """Return the cost of each step in seconds, MiB of memory and bytes on disk."""
    points = results["fit"]
    return {
        (step, quantity): fit(points, step, quantity)
        for step in STEPS
        for quantity in SHOWN
        if points[0]["steps"][step][quantity]
    }


def error(cost: Cost, point: dict[str, Any], step: str, quantity: str) -> float:
    return cost(point["counts"]) / point["steps"][step][quantity] - 1


def fit_errors(results: dict[str, Any]) -> dict[str, float]:
    """Return the relative errors at the points that were not fitted."""
    costs = costs_of(results)
    return {
        f"{step}, {quantity}, {point['counts']['events']:,} events": error(cost, point, step, quantity)
        for (step, quantity), cost in costs.items()
        for point in results["check"]
    }


# ---- the page


#: Quantity -> title, factor and unit of the coefficients in the tables.
SHOWN = {
    "cpu": ("Core seconds", "fixed, s", 1e6, "µs"),
    "seconds": ("Seconds on the clock", "fixed, s", 1e6, "µs"),
    "peak": ("Peak memory", "fixed, MiB", 2**20, "bytes"),
    "disk": ("Bytes on disk", "fixed, bytes", 1, "bytes"),
}


def tables(results: dict[str, Any]) -> str:
    """Return what was fitted, and how well it holds elsewhere."""
    costs = costs_of(results)
    pages = []
    for quantity, (title, fixed, factor, unit) in SHOWN.items():
        rows = []
        for (step, which), cost in costs.items():
            if which != quantity:
                continue
            rows.append(
                {"": step, fixed: f"{cost.fixed:,.2f}"}
                | {
                    f"{unit} per {name.removesuffix('s')}": f"{cost.each[name] * factor:,.2f}"
                    for name in PARTS
                }
                | {
                    "worst fitted": f"{100 * max(abs(error(cost, point, step, which)) for point in results['fit']):.0f} %"
                }
                | {
                    f"at {point['counts']['events'] / 1e6:,.2f} M": f"{100 * error(cost, point, step, which):+.0f} %"
                    for point in results["check"]
                }
            )
        pages.append(f"### {title}\n\n{measure.markdown(rows)}")
    return "\n\n".join([about(results), *pages, f"### The points\n\n{points_table(results)}"])


def about(results: dict[str, Any]) -> str:
    errors = fit_errors(results)
    off = [f"{name} ({100 * value:+.0f} %)" for name, value in errors.items() if abs(value) > 0.15]
    within = len(errors) - len(off)
    said = f"Of {len(errors)} predictions for points that were not fitted, {within} are within 15 %"
    machine = "\n".join(f"- {name}: {value}" for name, value in results["machine"].items())
    return f"{machine}\n\n{said}" + (f"; these are not: {'; '.join(off)}." if off else ".")


def points_table(results: dict[str, Any]) -> str:
    rows = []
    for kind, said in (("fit", "fitted"), ("check", "checked")):
        rows += [
            {"": said}
            | {name: f"{point['counts'][name]:,}" for name in PARTS}
            | {"JSON GB": f"{point['json'] / 1e9:.2f}"}
            | {f"{name}, core s": f"{took['cpu']:,.1f}" for name, took in point["steps"].items()}
            for point in results[kind]
        ]
    return measure.markdown(rows)


def per_file(results: dict[str, Any]) -> dict[str, float]:
    """Return the core seconds that a file takes, whatever is in it: the slope over the number of files."""
    files = [one["files"] for one in results["cuts"]]
    steps = results["cuts"][0]["steps"]
    return {
        step: max(0.0, float(np.polyfit(files, [one["steps"][step]["cpu"] for one in results["cuts"]], 1)[0]))
        for step in steps
    }


#: What is assumed of a sender, since it cannot be measured here: how many events there are for each of these, and the
#: share of the events at the largest mailbox provider.
EVENTS_PER = {"recipients": 20, "domains": 2000, "texts": 10}
LARGEST = 0.4
KEYS = 16  # bytes of memory for an event whose copies are found, as the docstring of convert says
TOTALS = (10**9, 10**11)
WORKERS = (10, 100, 1000)
MEMORY = 8 * 2**10  # MiB that a worker, which is one core, has for its process


def counts_for(events: float) -> dict[str, float]:
    return {"events": events, **{name: events / each for name, each in EVENTS_PER.items()}}


def span(seconds: float) -> str:
    """Return seconds as people say them."""
    for name, size in (("days", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:,.1f} {name}"
    return f"{seconds:,.0f} s"


def amount(size: float) -> str:
    for name, unit in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if size >= unit:
            return f"{size / unit:,.1f} {name}"
    return f"{size:,.0f} bytes"


def arithmetic(results: dict[str, Any]) -> str:
    """Return what many workers do with many events, step by step."""
    model = Model(results)
    parts = (_breaks, _pieces, _hours, _shuffle, _files, _lists, _partition)
    return "\n\n".join(part(model) for part in parts)


class Model:
    """The costs for events of the assumed sender."""

    def __init__(self, results: dict[str, Any]) -> None:
        self.results = results
        self.costs = costs_of(results)
        self.largest = max(point["counts"]["events"] for point in (*results["fit"], *results["check"]))

    def __call__(self, step: str, quantity: str, events: float) -> float:
        """Return what a step takes for so many events in one piece."""
        return self.costs[step, quantity](counts_for(events))

    def each(self, step: str, quantity: str) -> float:
        """Return what an event takes, with its share of a recipient, a domain and a text."""
        slope = (self(step, quantity, 1e9) - self.costs[step, quantity].fixed) / 1e9
        return max(slope, 1e-12)  # of a few events, all may seem to be fixed

    def fitting(self, step: str) -> float:
        """Return how many events fit into the memory of a worker."""
        return (MEMORY - self.costs[step, "peak"].fixed) / self.each(step, "peak")

    def pieces(self, step: str, events: float) -> float:
        """Return in how many pieces these are done: as memory asks for, and none larger than what was measured."""
        return max(1.0, float(np.ceil(events / min(self.fitting(step), self.largest))))

    def seconds(self, step: str, events: float) -> float:
        """Return the core seconds for events that are done piece by piece."""
        pieces = self.pieces(step, events)
        return pieces * self(step, "cpu", events / pieces)


def _breaks(model: Model) -> str:
    total, large, workers = *TOTALS, WORKERS[-1]
    each = per_file(model.results)
    keys = MEMORY * 2**20 / KEYS
    tight = min(STEPS, key=model.fitting)
    small = {step: seconds / model.each(step, "cpu") for step, seconds in each.items()}
    worst = max(small, key=lambda step: small[step])
    verdict = model.each("decide", "disk")
    share = LARGEST * total
    rows = [
        (
            f"memory of one process, `{tight}`",
            f"{model.fitting(tight) / 1e6:,.1f} M events in one piece",
            f"({MEMORY:,} MiB - {model.costs[tight, 'peak'].fixed:,.0f} MiB) / {model.each(tight, 'peak') * 2**20:,.0f} bytes",
        ),
        (
            "one provider's partition, `summaries`",
            f"{1 / LARGEST:.1f} workers; {_power(total)} events: {span(model.seconds('summaries', share))} in one of them",
            f"1 / {LARGEST}; {share:,.0f} * {model.each('summaries', 'cpu') * 1e6:,.2f} µs + {model.pieces('summaries', share):,.0f} * {model.costs['summaries', 'cpu'].fixed:,.2f} s",
        ),
        (
            f"small files, `{worst}`",
            f"{small[worst]:,.0f} events a file: below, files take longer than events",
            f"{each[worst] * 1000:,.1f} ms / {model.each(worst, 'cpu') * 1e6:,.2f} µs",
        ),
        (
            "keys that find copies, `convert`",
            f"{keys / 1e6:,.0f} M events in one dataset",
            f"{MEMORY:,} MiB / {KEYS} bytes",
        ),
        (
            "table of verdicts, sent whole to each worker",
            f"{MEMORY * 2**20 / verdict / 1e9:,.1f} * 10^9 events, were it as small in memory as it is as Parquet",
            f"{MEMORY:,} MiB / {verdict:,.1f} bytes per event",
        ),
        (
            "shuffle",
            f"{model.each('classify', 'disk') / model.each('decide', 'cpu') / 1e6:,.1f} MB/s for each worker: below, it takes longer than `decide`",
            f"{model.each('classify', 'disk'):,.0f} bytes / {model.each('decide', 'cpu') * 1e6:,.2f} µs",
        ),
    ]
    table = measure.markdown({"": what, "breaks at": at, "since": since} for what, at, since in rows)
    hours = model.seconds("convert", large / workers) + model.seconds("classify", large / workers)
    return f"""### What breaks first

{table}

What follows is how each of these is come by. `convert` and `classify` take files as they come and share them among any number of
workers: {_power(large)} events take {workers:,} workers {span(hours)}.

"Per event" is with its share of a recipient, a domain and a text, as assumed below."""


def _pieces(model: Model) -> str:
    rows = [
        {
            "": step,
            "fixed, MiB": f"{model.costs[step, 'peak'].fixed:,.0f}",
            "bytes of memory per event": f"{model.each(step, 'peak') * 2**20:,.0f}",
            "events that fit": f"{model.fitting(step) / 1e6:,.1f} M",
            "core s, fixed": f"{model.costs[step, 'cpu'].fixed:,.2f}",
            "core µs per event": f"{model.each(step, 'cpu') * 1e6:,.2f}",
        }
        | {f"pieces of {_power(total)}": f"{model.pieces(step, total):,.0f}" for total in TOTALS}
        for step in STEPS
    ]
    one = ", ".join(f"{number:,} to a {name.removesuffix('s')}" for name, number in EVENTS_PER.items())
    return f"""### What fits into a worker

Assumed, since it cannot be measured here: a worker is one core with {MEMORY // 2**10} GiB of memory; of events there are {one}.
Per event = the coefficient of events + those of the others, each divided by its number of events. Events that fit =
({MEMORY:,} MiB - fixed) / bytes per event. A piece is as large as fits, and no larger than the largest point, {model.largest:,} events,
so that no time is foretold for a size that nobody has seen.

{measure.markdown(rows)}"""


def _hours(model: Model) -> str:
    rows = []
    for total in TOTALS:
        for workers in WORKERS:
            took = {step: model.seconds(step, total / workers) for step in STEPS}
            rows.append(
                {
                    "": f"{_power(total)} events, {workers:,} workers",
                    "events of each": f"{total / workers:,.0f}",
                }
                | {step: span(seconds) for step, seconds in took.items()}
                | {"all": span(sum(took.values()))}
            )
    total, workers = TOTALS[0], WORKERS[0]
    share = total / workers
    pieces, fixed = model.pieces("convert", share), model.costs["convert", "cpu"].fixed
    return f"""### How long it takes

Each worker takes the same share, piece by piece: pieces * fixed + events * core seconds per event. `convert`, {_power(total)} events
and {workers} workers: {pieces:,.0f} * {fixed:,.2f} s + {share:,.0f} * {model.each("convert", "cpu") * 1e6:,.2f} µs = {model.seconds("convert", share):,.0f} s. This is
computing only: no network, no merging, nobody who waits for the slowest.

{measure.markdown(rows)}"""


def _shuffle(model: Model) -> str:
    rows = []
    for total in TOTALS:
        for workers in WORKERS:
            moved = model.each("classify", "disk") * total / workers * (workers - 1) / workers
            seconds = model.seconds("decide", total / workers)
            rows.append(
                {
                    "": f"{_power(total)} events, {workers:,} workers",
                    "sent by each": amount(moved),
                    "by all": amount(moved * workers),
                    "streams": f"{workers * (workers - 1):,}",
                    "bytes of a stream": amount(moved / (workers - 1)),
                    "decide, each": span(seconds),
                    "MB/s that take as long": f"{moved / 1e6 / seconds:,.1f}",
                }
            )
    return f"""### The shuffle

`convert` and `classify` take files as they come; `decide` needs all events of an address in one place, so each classified row
moves once: {model.each("classify", "disk"):,.0f} bytes, compressed. Sent by each = events / workers * bytes * (workers - 1) / workers. A network
that gives a worker less than the last column makes the shuffle longer than `decide`. Streams grow with the square of the
workers, and what is in one shrinks likewise.

{measure.markdown(rows)}"""


def _files(model: Model) -> str:
    each = per_file(model.results)
    rows = []
    for events in (100, 1000, 10_000, 100_000):
        row = {"": f"{events:,} events a file"}
        row |= {f"files of {_power(total)}": f"{total / events:,.0f}" for total in TOTALS}
        for step, seconds in each.items():
            row[f"{step}: file / its events"] = f"{seconds / (model.each(step, 'cpu') * events):,.2f}"
        more = sum(each.values()) * TOTALS[-1] / events / WORKERS[-1]
        row[f"more for {_power(TOTALS[-1])}, {WORKERS[-1]:,} workers"] = span(more)
        rows.append(row)
    cuts = model.results["cuts"]
    took = ", ".join(f"{step} {1000 * seconds:,.1f} ms" for step, seconds in each.items())
    return f"""### Small files

{cuts[0]["counts"]["events"]:,} events in {", ".join(f"{one['files']:,}" for one in cuts)} files: each file more takes, in core time, {took}, whatever is in it;
a file becomes a part of the dataset for each month that it has. Where a number below is above 1, files take longer than
the events in them.

{measure.markdown(rows)}"""


def _lists(model: Model) -> str:
    rows = []
    for total in TOTALS:
        verdicts = model("decide", "disk", total)
        rows.append(
            {
                "": f"{_power(total)} events",
                "recipients": f"{counts_for(total)['recipients']:,.0f}",
                "verdicts": amount(verdicts),
                **{f"of {workers:,} workers, each": amount(verdicts / workers) for workers in WORKERS},
                "keys": amount(total * KEYS),
                "keys / memory of a worker": f"{total * KEYS / (MEMORY * 2**20):,.1f}",
            }
        )
    each = model("decide", "disk", 1e9) / counts_for(1e9)["recipients"]
    return f"""### Tables of addresses and of keys

A verdict has {each:,.0f} bytes as Parquet. A mailing list is cleaned with all of them: where every worker gets the whole table, it is
the column "verdicts" that each has to take; cut by address, as events are for `decide`, it is a column to the right.
`convert` keeps {KEYS} bytes in memory for each event to find copies, as its docstring says, one table for all files: copies in
files of two workers are not found unless keys are cut by their hash as well.

{measure.markdown(rows)}"""


def _partition(model: Model) -> str:
    rows = []
    for total in TOTALS:
        share = total * LARGEST
        for step in ("summaries", "storms"):
            memory = model(step, "peak", share)
            others = {
                f"the others, {workers:,} workers": span(
                    model.seconds(step, total * (1 - LARGEST) / (workers - 1))
                )
                for workers in WORKERS
            }
            rows.append(
                {
                    "": f"{_power(total)} events, {step}",
                    "of the largest": f"{share:,.0f}",
                    "its worker": span(model.seconds(step, share)),
                    **others,
                    "memory in one piece": amount(memory * 2**20),
                    "times a worker's": f"{memory / MEMORY:,.1f}",
                }
            )
    return f"""### One provider's partition

Domains are summed up domain by domain, and storms found within a mailbox provider. Cut by either, the largest, assumed to have
{LARGEST:.0%} of the events, takes {LARGEST:.0%} of the time of one worker however many there are: more than 1 / {LARGEST} = {1 / LARGEST:.1f} workers
have nothing to do but wait. The memory is foretold from the coefficients, far beyond what was measured. The generated events
have no storm in them: `storms` looks and finds none, which is the least that it can take.

{measure.markdown(rows)}"""


def _power(number: int) -> str:
    return f"10^{round(np.log10(number))}"


def write_page(results: dict[str, Any], page: Path) -> None:
    """Put what follows from the measurements between the marks of the page."""
    measure.into(page, "cost model", tables(results))
    measure.into(page, "arithmetic", arithmetic(results))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--unit", type=int, default=UNIT, help="events of the smallest point")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--page", action="store_true", help="measure nothing")
    parser.add_argument("--measured", type=Path, default=MEASURED, help="where the measurements are written")
    parser.add_argument("--into", type=Path, default=PAGE, help="the page with the marks")
    given = parser.parse_args()
    if given.unit < 2000 or given.unit % 2000:
        parser.error("the unit is a multiple of 2,000")
    if not given.page:
        results: dict[str, Any] = {"unit": given.unit, "rounds": given.rounds, "fit": [], "check": []}
        results["cuts"] = cut_up(given.unit, given.rounds)
        for kind, points in (("fit", FIT), ("check", CHECK)):
            for point in points:
                results[kind].append(measured(point, given.unit, given.rounds))
                print(f"{results[kind][-1]['counts']['events']:,} events done", flush=True)
        results["machine"] = measure.machine()
        given.measured.write_text(json.dumps(results, indent=1) + "\n", "utf-8")
    results = json.loads(given.measured.read_text("utf-8"))
    write_page(results, given.into)
    print(tables(results))
    print(arithmetic(results))


if __name__ == "__main__":
    main()

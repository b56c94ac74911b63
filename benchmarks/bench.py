"""Measure every step on generated events, beside DuckDB's bare reader and what one would write instead.

Makes the events, prints a table for each step and writes all of them to ``RESULTS.md``, with machine and versions. The
events have texts of several lines and in a dozen languages, half of them unique; one file has them in SNS messages.

Each way runs in a process of its own; the ways take turns. Seconds are the median of the rounds, without starting Python
and importing; the peak memory is that of the whole process. MB are those of the JSON lines (of the CSV for ``clean``) that
the rows come from, also where a step begins with a frame: so all steps have one scale, whose floor is the bare read.

    python benchmarks/bench.py                     # 500,000 events of each ESP, 3 rounds
    python benchmarks/bench.py --quick             # 20,000 and one round, written to data/RESULTS.md
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import clean
import generate
import measure
from load_and_classify import columns_of

DAYS = 60  # from the first event to the last
RESULTS = Path(__file__).parent / "RESULTS.md"

BARE, LOAD, OURS = "DuckDB, bare read", "load", "load + classify"
PANDAS, LOOP, POLARS = "pandas + str.contains", "{json} + re, a loop", "polars + str.contains"

#: What people look for, in the order in which they ask.
REASONS = {
    "mailbox_full": "mailbox (is )?full|over quota|quota exceeded|mailbox size",
    "system_full": "system full|insufficient system storage",
    "unknown_user": "user unknown|unknown user|no such user|does not exist|recipientnotfound|not found by smtp",
    "mailbox_disabled": "disabled|inactive|suspended|deactivated",
    "bad_domain": "no such host|host not found|domain not found|unrouteable",
    "greylisted": "greylist|graylist",
    "rate_limited": "rate limit|too many|unusual rate|temporarily deferred",
    "blocked": "block ?list|blacklist|blocked|access denied",
    "spam": "spam|unsolicited|junk",
    "authentication": "dmarc|dkim|spf ",
    "too_large": "too large|size limit|exceeds the maximum",
    "timeout": "timed? ?out|connection refused|connection reset",
}


@dataclass(frozen=True, kw_only=True)
class File:
    """A file of events, and where each rival finds the text in it.

    Attributes
    ----------
    title : str
    provider : str
    wrap : str, optional
        What carries the events.
    share : float
        Of the usual number of events.
    columns : str
        What the bare reader asks for.
    record, frame, polars : str
        The text in a dict, in a frame of pandas, and in one of polars.
    """

    title: str
    provider: str
    wrap: str | None = None
    share: float = 1.0
    columns: str
    record: str
    frame: str
    polars: str


_SES = '((record.get("bounce") or {}).get("bouncedRecipients") or [{}])[0].get("diagnosticCode")'
FILES = (
    File(
        title="SendGrid",
        provider="sendgrid",
        columns=columns_of("sendgrid"),
        record='record.get("reason") or record.get("response")',
        frame='frame["reason"].fillna(frame["response"])',
        polars='pl.coalesce("reason", "response")',
    ),
    File(
        title="SES",
        provider="ses",
        columns=columns_of("ses"),
        record=_SES,
        frame='frame["bounce"].map(lambda one: one["bouncedRecipients"][0].get("diagnosticCode") if isinstance(one, dict) else None)',
        polars='pl.col("bounce").struct.field("bouncedRecipients").list.first().struct.field("diagnosticCode")',
    ),
    File(
        title="Mailgun",
        provider="mailgun",
        columns=columns_of("mailgun"),
        record='(record.get("delivery-status") or {}).get("message")',
        frame='frame["delivery-status"].map(lambda one: one.get("message") if isinstance(one, dict) else None)',
        polars='pl.col("delivery-status").struct.field("message")',
    ),
    File(
        title="SES in SNS",
        provider="ses",
        wrap="sns",
        share=0.1,  # what is wrapped takes longer by far
        columns="Type: 'VARCHAR', MessageId: 'VARCHAR', Message: 'VARCHAR', Timestamp: 'VARCHAR'",
        record=_SES.replace("record", 'json.loads(record["Message"])'),
        frame=f'frame["Message"].map(lambda text: (lambda record: {_SES})(json.loads(text)))',
        polars='pl.col("Message").str.json_path_match("$.bounce.bouncedRecipients[0].diagnosticCode")',
    ),
)

#: Ways from a file to frames, and rivals from a file to a text and a reason.
FROM_FILE = {
    BARE: """
import duckdb, pyarrow
connection = duckdb.connect()
start = begin()
rows = 0
for path, columns in files:
    query = f"SELECT * FROM read_json('{path}', format='newline_delimited', columns={{{columns}}})"
    rows += len(connection.sql(query).to_arrow_table())
done(start, rows)
""",
    LOAD: """
import bounceanalytics as ba
start = begin()
done(start, len(ba.load(paths).events))
""",
    OURS: """
import bounceanalytics as ba
start = begin()
done(start, len(ba.classify(ba.load(paths).events)))
""",
    PANDAS: """

import numpy as np, pandas as pd
start = begin()
frame = pd.read_json(paths[0], lines=True)
text = eval(in_frame)
hits = [text.str.contains(pattern, case=False, na=False) for pattern in reasons.values()]
frame["found"] = np.select(hits, list(reasons), default="")
done(start, len(frame))
""",
    LOOP: """
import json, re
try:
    from orjson import loads
except ImportError:
    from json import loads
text_of = eval(f"lambda record: {in_record}")
start = begin()
compiled = [(name, re.compile(pattern, re.IGNORECASE)) for name, pattern in reasons.items()]
found = []
with open(paths[0], "rb") as lines:
    for line in lines:
        text = text_of(loads(line)) or ""
        found.append(next((name for name, pattern in compiled if pattern.search(text)), ""))
done(start, len(found))
""",
    POLARS: """
import polars as pl
start = begin()
hit = lambda name, pattern: pl.when(text.str.contains("(?i)" + pattern)).then(pl.lit(name))
text = eval(in_polars)
found = pl.coalesce(*(hit(name, pattern) for name, pattern in reasons.items())).alias("found")
frame = pl.scan_ndjson(paths[0], infer_schema_length=10_000).with_columns(found).collect()
done(start, len(frame))
""",
}

PREPARE = """
import shutil
import bounceanalytics as ba
start = begin()
events = ba.convert(paths, events, overwrite=True)
done(start, len(ba.classify(events, out=bounces, overwrite=True)))
"""

_EVENTS = "import bounceanalytics as ba\nevents = ba.Dataset(events)\n"
_BOUNCES = "import bounceanalytics as ba\nbounces = ba.Dataset(bounces)\n"
_STEP = """
frame = bounces.to_pandas()
start = begin()
{call}
done(start, len(frame))
"""
_ON_DISK = """
start = begin()
{call}
done(start, len(bounces))
"""

#: Step -> way -> program, beside which the bare read is measured again.
STEPS = {
    "classify": {
        "a frame": f"""{_EVENTS}
frame = events.to_pandas()
ba.classify(frame.head(5000))  # rules are read and compiled once a session
start = begin()
done(start, len(ba.classify(frame)))
""",
        "dataset to dataset": f"""{_EVENTS}
ba.classify(next(events.tables(rows=5000)))
start = begin()
done(start, len(ba.classify(events, out=out, overwrite=True)))
""",
    },
    **{
        step: {
            "a frame": _BOUNCES + _STEP.format(call=call.format("frame")),
            "a dataset": _BOUNCES + _ON_DISK.format(call=call.format("bounces")),
        }
        for step, call in {
            "decide": "ba.decide({})",
            "summaries": "ba.summarize({})",
            "storms": "ba.storms({})",
            "report": "ba.report({}, out + '.html', overwrite=True)",
        }.items()
    },
}

CONVERT = """
import bounceanalytics as ba
start = begin()
done(start, len(ba.convert(paths, out, overwrite=True)))
"""

READ_LIST = """
import duckdb, pyarrow
connection = duckdb.connect()
start = begin()
table = connection.sql(f"FROM read_csv('{list_path}', all_varchar=true)").to_arrow_table()
done(start, len(table))
"""

INTRODUCTION = """# Results of `make bench`

Written by [bench.py](bench.py), which says how it measures. `x bare` is the time against DuckDB's bare read of the same
bytes, the floor; `x ours` that of a rival against `load + classify`: above 1 is slower than we are."""

NOTES = {
    "load": "",
    "load and classify": (
        "Rivals look for a dozen reasons in the first text of each record and stop there. They leave out: damaged records,"
        " copies, further recipients, delays and list files, codes, times and hosts as columns, all languages but English,"
        " the ESP's own words, whose fault it is, and what is to be done. They run one round each by default."
    ),
    "classify": "Rules are compiled before the clock starts. A dataset is read and written, too.",
    "decide": "",
    "summaries": "All summaries, as `summarize` returns them.",
    "storms": "",
    "report": "One HTML file, with every summary, storms and verdicts.",
    "clean": "A mailing list with verdicts on a tenth as many addresses; the bare read is one of the CSV, of texts only.",
    "convert": "To a dataset on disk, in bounded memory.",
}


class Bench:
    """The files, and the tables so far."""

    def __init__(self, count: int, rounds: int, rival_rounds: int) -> None:
        self.count = count
        self.rounds = rounds
        self.rival_rounds = rival_rounds
        self.text: list[str] = []
        self.paths = {file: self._made(file) for file in FILES}
        self.plain = [file for file in FILES if not file.wrap]
        work = measure.FOLDER / f"bench-{count}"
        work.mkdir(exist_ok=True)
        self.places = {name: work / name for name in ("events", "bounces", "out")}

    def _made(self, file: File) -> Path:
        """Return the file, which is made if it is not there yet; a tenth as many people as events."""
        words = "-".join(filter(None, ["varied", file.provider, file.wrap, str(self.count)]))
        path = measure.FOLDER / f"{words}.ndjson"
        if not path.exists():
            print(f"Making {path} …", flush=True)
            generate.write(
                path,
                max(1, int(self.count * file.share)),
                file.provider,
                wrap=file.wrap,
                seed=generate.SEED + FILES.index(file),
                varied=True,
                recipients=max(1, self.count // 10),
                domains=5000,
                providers=True,
                gap=DAYS * 86_400 / max(1, int(self.count * file.share)),
            )
        return path

    def given(self, *files: File) -> dict[str, Any]:
        """Return the names that programs have."""
        return {
            "paths": [str(self.paths[file]) for file in files],
            "files": [(str(self.paths[file]), file.columns) for file in files],
            "reasons": REASONS,
            **{name: str(path) for name, path in self.places.items()},
        }

    def size(self, *files: File) -> int:
        return sum(self.paths[file].stat().st_size for file in files)

    def add(self, step: str, rows: list[dict[str, str]]) -> None:
        """Print a table and keep it."""
        section = f"## {step.capitalize()}\n\n" + "\n\n".join(
            filter(None, [NOTES[step], measure.markdown(rows)])
        )
        print(section, "\n", flush=True)
        self.text.append(section)

    def from_files(self) -> None:
        """Measure loading, loading and classifying, and the rivals, on each file."""
        tables: dict[str, list[dict[str, str]]] = {"load": [], "load and classify": []}
        parser = "json" if measure.version("orjson") == measure.ABSENT else "orjson"
        for file in FILES:
            results = measure.compare(
                FROM_FILE,
                self.rounds,
                at_most=dict.fromkeys((PANDAS, LOOP, POLARS), min(self.rival_rounds, self.rounds)),
                in_frame=file.frame,
                in_record=file.record,
                in_polars=file.polars,
                **self.given(file),
            )
            against = {"x bare": BARE, "x ours": OURS}
            for found in measure.rows_of(results, size=self.size(file), against=against):
                way = found[""]
                row = {**found, "": f"{file.title}: {way.format(json=parser)}"}
                if way in {BARE, LOAD}:
                    tables["load"].append({name: value for name, value in row.items() if name != "x ours"})
                if way != LOAD:
                    tables["load and classify"].append(row)
        for step, rows in tables.items():
            self.add(step, rows)

    def steps(self) -> None:
        """Measure the steps that begin with events or classified events of all ESPs."""
        measure.run(PREPARE, **self.given(*self.plain))
        for step, ways in STEPS.items():
            results = measure.compare({BARE: FROM_FILE[BARE], **ways}, self.rounds, **self.given(*self.plain))
            self.add(step, measure.rows_of(results, size=self.size(*self.plain), against={"x bare": BARE}))

    def clean(self) -> None:
        """Measure cleaning of a list with twice as many rows as there are events of an ESP."""
        results, size = clean.compare(
            {BARE: READ_LIST, "clean": clean.WAYS[clean.CLEAN]}, max(1000, 2 * self.count), self.rounds
        )
        self.add("clean", measure.rows_of(results, size=size, against={"x bare": BARE}))

    def convert(self) -> None:
        """Measure conversion of each file."""
        rows = []
        for file in FILES:
            ways = {BARE: FROM_FILE[BARE], "convert": CONVERT}
            results = measure.compare(ways, self.rounds, **self.given(file))
            found = measure.rows_of(results, size=self.size(file), against={"x bare": BARE})
            rows += [{**row, "": f"{file.title}: {row['']}"} for row in found]
        self.add("convert", rows)

    def page(self, seconds: float) -> str:
        """Return the page with everything."""
        sizes = ", ".join(f"{file.title} {self.size(file) / 1e6:,.0f} MB" for file in FILES)
        about = (
            f"- Events: {self.count:,} of each ESP, {int(self.count * FILES[-1].share):,} in SNS messages ({sizes})\n"
            f"- Rounds: {self.rounds}; all of it took {seconds / 60:,.1f} minutes"
        )
        return "\n\n".join([INTRODUCTION, f"{measure.told_machine()}\n{about}", *self.text]) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, help="events of each ESP; 500,000 if not given, 20,000 if quick")
    parser.add_argument("--rounds", type=int, help="3 if not given, 1 if quick")
    parser.add_argument(
        "--rival-rounds", type=int, default=1, help="rounds of what takes minutes; 0 leaves it out"
    )
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--out", type=Path, help="RESULTS.md if not given, data/RESULTS.md if quick")
    given = parser.parse_args()
    count, rounds, out = (20_000, 1, measure.FOLDER / RESULTS.name) if given.quick else (500_000, 3, RESULTS)
    if (given.count or count) < 10 or (given.rounds or rounds) < 1:
        parser.error("at least 10 events and one round")
    begun = time.perf_counter()
    measure.FOLDER.mkdir(exist_ok=True)
    bench = Bench(given.count or count, given.rounds or rounds, given.rival_rounds)
    bench.from_files()
    bench.steps()
    bench.clean()
    bench.convert()
    out = given.out or out
    out.write_text(bench.page(time.perf_counter() - begun), "utf-8")
    print(f"Written to {out}")


if __name__ == "__main__":
    main()

"""Load and classify event lines of each ESP, beside DuckDB's bare reader and pandas, in one run.

Each way runs in a process of its own, so that its peak memory is its own; the time is that of the work, without
starting Python and importing. The ways take turns, and the median of the rounds is shown. pandas needs some 13 GB for a
million records of SES; where that is not there it is left out of the table.

    python benchmarks/load_and_classify.py                 # 1,000,000 events of each ESP, 5 rounds
    python benchmarks/load_and_classify.py --provider ses --count 100000 --rounds 3
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

import generate
import measure

from bounceanalytics.loading.formats import mailgun, sendgrid, ses
from bounceanalytics.loading.formats.format import literal, type_sql

if TYPE_CHECKING:
    from pathlib import Path

# the form that the lines of each ESP have, with the fields that the loader asks the engine for
FORMATS = {"sendgrid": sendgrid.WEBHOOK, "ses": ses.PUBLISHING, "mailgun": mailgun.EVENT_PAGE}

BARE = "DuckDB read_json, same columns, to Arrow"
PANDAS = "pandas read_json(lines=True), reading only"

# name -> the program that is timed
WAYS = {
    BARE: """
import duckdb, pyarrow
connection = duckdb.connect()
start = begin()
query = f"SELECT * FROM read_json('{path}', format='newline_delimited', columns={{{columns}}})"
table = connection.sql(query).to_arrow_table()
done(start, len(table))
""",
    "bounceanalytics load": """
import bounceanalytics as ba
start = begin()
events = ba.load(path).events
done(start, len(events))
""",
    "bounceanalytics load + classify": """
import bounceanalytics as ba
start = begin()
bounces = ba.classify(ba.load(path).events)
done(start, len(bounces))
""",
    PANDAS: """
import pandas as pd
start = begin()
frame = pd.read_json(path, lines=True)
done(start, len(frame))
""",
}


def columns_of(provider: str) -> str:
    """Return the columns that the loader asks for, with their types, as the engine wants them."""
    structure = FORMATS[provider].structure()
    return ", ".join(f"{literal(name)}: {literal(type_sql(member))}" for name, member in structure.items())


def events_of(provider: str, count: int) -> Path:
    """Return a file of events, which is made if it is not there yet."""
    path = measure.FOLDER / f"{provider}-{count}.ndjson"
    if not path.exists():
        print(f"Making {path} …", flush=True)
        generate.write(path, count, provider)
    return path


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--provider", choices=FORMATS, help="one ESP only; all in turn if not given")
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--pandas-rounds", type=int, default=2, help="fewer for pandas, which takes minutes; 0 leaves it out"
    )
    arguments = parser.parse_args()

    for provider in [arguments.provider] if arguments.provider else FORMATS:
        path = events_of(provider, arguments.count)
        size = path.stat().st_size
        print(f"{provider}: {arguments.count:,} events, {size / 1e6:,.0f} MB\n", flush=True)
        results = measure.compare(
            WAYS,
            arguments.rounds,
            at_most={PANDAS: arguments.pandas_rounds},
            path=path,
            columns=columns_of(provider),
        )
        print(
            measure.markdown(measure.rows_of(results, size=size, against={"x bare": BARE})), "\n", flush=True
        )
    print("x bare: times the seconds of the bare reader. pandas only reads.\n")
    print(measure.told_machine())


if __name__ == "__main__":
    main()

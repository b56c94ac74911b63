"""Summarise and report five million events of 200,000 domains, beside what one would write in pandas.

Half of the mail goes to a few large domains, half to all of them alike; dead addresses always bounce, others now and then.
All in one process, one after the other; the median of the rounds is shown.

    python benchmarks/report.py
    python benchmarks/report.py --events 1000000 --domains 50000 --rounds 3
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import measure
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

import bounceanalytics as ba
from bounceanalytics import schema
from bounceanalytics.summaries import summarize

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = schema.BOUNCE_COLUMNS
#: Share of addresses that are dead, by reason; and of messages of others that bounce.
DEAD = {"unknown_user": 0.008, "mailbox_disabled": 0.002, "bad_domain": 0.001}
PASSING = {"mailbox_full": 0.008, "blocked": 0.006, "spam": 0.002, "greylisted": 0.002, "system_full": 0.0003}
CODES = {"unknown_user": "5.1.1", "mailbox_disabled": "5.2.1", "bad_domain": "5.1.2", "mailbox_full": "4.2.2",
         "blocked": "5.7.1", "spam": "5.7.1", "greylisted": "4.7.1", "system_full": "5.3.1"}  # fmt: skip
PROVIDERS = ("google", "microsoft", "yahoo", "other")


def history(events: int, domains: int, weeks: int = 26, seed: int = 531) -> pd.DataFrame:
    """Return classified events of half a year."""
    dice = np.random.default_rng(seed)
    large = np.minimum((dice.pareto(0.9, events) * 8).astype(np.int64), 10**9) % domains
    rank = np.where(dice.random(events) < 0.5, large, dice.integers(0, domains, events))
    person = dice.integers(0, 40, events)
    fate = (
        np.modf(np.sin((rank * 40 + person + 1) * 12.9898) * 43758.5453)[0] % 1.0
    )  # the same for each address
    reasons = [*DEAD, *PASSING, None]
    code = np.searchsorted(np.cumsum(list(DEAD.values())), fate)
    passing = len(DEAD) + np.searchsorted(np.cumsum(list(PASSING.values())), dice.random(events))
    code = np.where(code < len(DEAD), code, passing)
    bounced = code < len(reasons) - 1
    week = dice.integers(0, weeks, events)
    names = pa.array([f"d{number}.example" for number in range(domains)], pa.large_string())
    domain = names.take(pa.array(rank))
    local = pa.array([f"reader-{number}" for number in range(40)], pa.large_string()).take(pa.array(person))

    def of_reason(values: dict[str, Any], missing: Any = None) -> pa.Array:
        return pa.array([values.get(name, missing) for name in reasons], pa.string()).take(pa.array(code))

    def said(column: str, missing: Any = None) -> pa.Array:
        return of_reason({name: getattr(row, column) for name, row in schema.REASONS.items()}, missing)

    moment = (
        np.datetime64("2026-01-05T09:00", "us")
        + (week * 7 * 86_400 + dice.integers(0, 7200, events)) * 1_000_000
    )
    text = of_reason({name: f"550 {enhanced} said {name}" for name, enhanced in CODES.items()})
    ips = pa.array([f"192.0.2.{number}" for number in range(4)])
    tags = pa.array(['["spring"]', '["summer"]', '["news","weekly"]'], pa.large_string())
    permanent = {"hard": "permanent", "block": "permanent", "soft": "transient"}
    columns: dict[str, pa.Array] = {
        "provider": pa.array(["sendgrid"]).take(pa.array(np.zeros(events, np.int64))),
        "event": pa.array(["delivered", "bounced"]).take(pa.array(bounced.astype(np.int64))),
        "recipient": pc.binary_join_element_wise(local, domain, pa.scalar("@", pa.large_string())),
        "domain": domain,
        "timestamp": pa.array(moment).cast(pa.timestamp("us", "UTC")),
        "message_id": pa.array(np.arange(events)).cast(pa.string()),
        "enhanced_code": of_reason(CODES),
        "diagnostic": text,
        "sending_ip": ips.take(pa.array(dice.integers(0, 4, events))),
        "tags": tags.take(pa.array(dice.integers(0, 3, events))),
        "suspect": pa.array(np.zeros(events, bool)),
        "source": pa.array(["events.json"]).take(pa.array(np.zeros(events, np.int64))),
        "record": pa.array(np.arange(events)),
        "code_class": of_reason(
            {
                n: permanent[row.bounce_type]
                for n, row in schema.REASONS.items()
                if row.bounce_type in permanent
            }
        ),
        "bounce_type": said("bounce_type", "none"),
        "category": said("category"),
        "reason": of_reason({name: name for name in schema.REASONS}),
        "fault": said("fault"),
        "action": said("action"),
        "rule": of_reason(dict.fromkeys(schema.REASONS, "text-001")),
        "conflict": pa.array(np.zeros(events, bool)),
        "mailbox_provider": pa.array(PROVIDERS).take(pa.array(np.minimum(rank, 3))),
    }
    full = {one.name: columns.get(one.name, pa.nulls(events, one.arrow)) for one in COLUMNS}
    table = pa.table({one.name: full[one.name].cast(one.arrow) if not pa.types.is_dictionary(one.arrow) else full[one.name].dictionary_encode() for one in COLUMNS})  # fmt: skip
    return COLUMNS.frame(table)


def in_pandas(bounces: pd.DataFrame) -> pd.DataFrame:
    """Return counts by domain, as people write them: no messages, no intervals, no past."""
    sent = bounces[bounces["event"].isin(["delivered", "bounced"])]
    hard = sent["bounce_type"].eq("hard")
    by = sent.assign(hard=hard, bounced=sent["event"].eq("bounced")).groupby("domain")
    counts = by.agg(
        attempted=("event", "size"),
        bounced=("bounced", "sum"),
        hard=("hard", "sum"),
        addresses=("recipient", "nunique"),
    )
    return counts.assign(rate=counts["hard"] / counts["attempted"]).sort_values("hard", ascending=False)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=5_000_000)
    parser.add_argument("--domains", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    bounces = history(options.events, options.domains)
    print(f"{len(bounces):,} events, {bounces['domain'].nunique():,} domains")
    rounds, rows = options.rounds, len(bounces)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.html"
        results = {
            "every summary": measure.repeat(lambda: summarize(bounces), rounds, rows),
            "storms": measure.repeat(lambda: ba.storms(bounces), rounds, rows),
            "pandas: counts by domain": measure.repeat(lambda: in_pandas(bounces), rounds, rows),
            "report, with every summary and storms": measure.repeat(
                lambda: ba.report(bounces, path, overwrite=True), rounds, rows
            ),
        }
        print(measure.markdown(measure.rows_of(results)))
        print(f"The report has {path.stat().st_size / 1e6:.2f} MB")
    print(measure.told_machine())


if __name__ == "__main__":
    main()

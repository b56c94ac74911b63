"""Decide on a million events, and keep the verdicts in a ledger, beside what one would write in pandas.

Verdicts: ``decide`` (with storms, recovery and policies) beside a pandas ``groupby`` that knows no more than "removed if
the last event of the address is a hard bounce". Ledger: ``Ledger.update`` with all verdicts, new and once more, beside
``DataFrame.to_sql``, which remembers nothing. All in one process, one after the other; the median of the rounds is shown.

    python benchmarks/decide.py
    python benchmarks/decide.py --addresses 20000 --rounds 3
"""

from __future__ import annotations

import argparse
import sqlite3
import tempfile
from pathlib import Path

import measure
import numpy as np
import pandas as pd

import bounceanalytics as ba
from bounceanalytics import schema

COLUMNS = schema.BOUNCE_COLUMNS
#: Share of addresses whose mail bounces, by reason, once or every week.
BOUNCES = {
    "unknown_user": (0.004, 0.3),
    "mailbox_full": (0.01, 0.5),
    "blocked": (0.01, 0.2),
    "system_full": (0.002, 0.6),
}
PROVIDERS = ("google", "microsoft", "yahoo", "other")


def history(addresses: int, weeks: int, seed: int = 531) -> pd.DataFrame:
    """Return classified events: a letter a week to every address, most of which arrive."""
    dice = np.random.default_rng(seed)
    number = np.tile(np.arange(addresses), weeks)
    week = np.repeat(np.arange(weeks), addresses)
    reason = np.full(addresses * weeks, None, dtype=object)
    for name, (share, often) in BOUNCES.items():
        prone = dice.random(addresses) < share
        reason[prone[number] & (dice.random(len(number)) < often)] = name
    bounced = pd.notna(reason)
    moment = pd.Timestamp("2026-01-05T09:00Z") + pd.to_timedelta(
        week * 7 * 86400 + dice.integers(0, 7200, len(number)), unit="s"
    )
    provider = np.array(PROVIDERS)[number % 4]

    def said(column: str) -> pd.Series:
        return pd.Series(reason).map({name: getattr(row, column) for name, row in schema.REASONS.items()})

    domain = np.where(
        number % 4 == 3,
        np.char.add(np.char.add("d", (number % 997).astype(str)), ".example"),
        np.char.add(provider, ".example"),
    )
    local = np.char.add("reader-", number.astype(str))
    frame = pd.DataFrame(
        {
            "provider": "sendgrid",
            "event": np.where(bounced, "bounced", "delivered"),
            "recipient": np.char.add(np.char.add(local, "@"), domain.astype(str)),
            "domain": domain,
            "timestamp": moment,
            "message_id": np.char.add(np.char.add(week.astype(str), "-"), number.astype(str)),
            "suspect": False,
            "source": "events.json",
            "record": np.arange(len(number)),
            "bounce_type": said("bounce_type").fillna("none"),
            "reason": reason,
            "fault": said("fault"),
            "action": said("action"),
            "rule": np.where(bounced, "text-001", None),
            "conflict": False,
            "mailbox_provider": provider,
        }
    )
    return frame.reindex(columns=[column.name for column in COLUMNS if column.name != "tags"]).astype(
        {name: dtype for name, dtype in COLUMNS.dtypes.items() if name != "tags"} | {"suspect": "bool"}
    )


def in_pandas(bounces: pd.DataFrame) -> pd.DataFrame:
    """Return who has a hard bounce as the last event: what people write, and what loses the others."""
    ordered = bounces.sort_values("timestamp")
    last = ordered.groupby(ordered["recipient"].str.lower().str.strip())[
        ["event", "bounce_type", "timestamp"]
    ].last()
    return last[last["bounce_type"] == "hard"]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--addresses", type=int, default=100_000)
    parser.add_argument("--weeks", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    bounces = history(options.addresses, options.weeks)
    verdicts = ba.decide(bounces)
    print(
        f"{len(bounces):,} events of {len(verdicts):,} addresses: {verdicts['verdict'].value_counts().to_dict()}"
    )
    rounds, rows = options.rounds, len(bounces)
    results = {
        "decide": measure.repeat(lambda: ba.decide(bounces), rounds, rows),
        "pandas: last event of each address": measure.repeat(lambda: in_pandas(bounces), rounds, rows),
        "compare_policies, nine presets": measure.repeat(lambda: ba.compare_policies(bounces), 1, rows),
        "storms": measure.repeat(lambda: ba.storms(bounces), rounds, rows),
        "recovery": measure.repeat(lambda: ba.recovery(bounces), rounds, rows),
    }

    many = verdicts.sample(1_000_000, replace=True, random_state=1).reset_index(drop=True)
    many["address"] = pd.Series(
        [f"n{number}@example.com" for number in range(len(many))], dtype=many["address"].dtype
    )
    many["verdict"] = np.where(np.arange(len(many)) % 4 == 0, "remove", "keep")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.db"

        def update() -> None:
            with ba.Ledger(path) as ledger:
                ledger.update(many)

        def to_sql() -> None:
            with sqlite3.connect(Path(folder) / "plain.db") as database:
                plain = many[["address", "domain", "verdict", "reason", "code", "explanation"]].astype("str")
                plain.to_sql("verdicts", database, if_exists="replace", index=False)

        results["ledger: 1,000,000 verdicts, a quarter new"] = measure.repeat(update, 1, len(many))
        results["ledger: the same once more"] = measure.repeat(update, rounds, len(many))
        results["pandas: to_sql, six columns"] = measure.repeat(to_sql, rounds, len(many))
    print(measure.markdown(measure.rows_of(results)))
    print(measure.told_machine())


if __name__ == "__main__":
    main()

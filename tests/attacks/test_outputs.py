"""What a command reads is never written over, and no result by another, whatever may be replaced."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.attacks.attack import Arena, Attack, attacks
from tests.loading.exports import lines, sendgrid_bounce

if TYPE_CHECKING:
    from pathlib import Path

EXPORT = lines(sendgrid_bounce(1))


def make(folder: Path) -> None:
    (folder / "in.csv").write_bytes(EXPORT)
    (folder / "link.csv").symlink_to("in.csv")
    (folder / "in-complaints.csv").write_bytes(EXPORT)
    (folder / "in-2.csv").write_bytes(EXPORT)
    (folder / "runs").mkdir()
    (folder / "runs" / "kept.csv").write_bytes(EXPORT)


READ = "is what this command reads; write to another file"
TABLE = [
    *(
        Attack(name=call, make=make, call=f"bounceanalytics {call} --overwrite", error=READ)
        for call in (
            "load in.csv --out in.csv",
            "load link.csv --out ./in.csv",
            "load in.csv --rejects in.csv",
            "classify in.csv --out in.csv",
            "decide in.csv --out in.csv",
            "report in.csv --out in.csv",
            "suppress in.csv --for ses --out in.csv",
            "suppress in-complaints.csv --for mailgun --out in.csv",
            "suppress in-2.csv --for ses --out in.csv",
            "decide . --out in.csv",
            "decide . --out runs/kept.csv",
            "decide in*.csv --out in.csv",
            "clean link.csv runs --out runs",
            "match link.csv runs/kept.csv --out runs",
            "ledger news in.csv --out in.csv",
            "domains typos runs --list in.csv --out in.csv",
        )
    ),
    Attack(
        name="two results in one file",
        make=make,
        call="bounceanalytics load in.csv --out x.csv --rejects ./x.csv --overwrite",
        error="x.csv is named twice; write each result to a file of its own",
    ),
]


@attacks(TABLE)
def test_outputs(attack: Attack, arena: Arena, tmp_path: Path) -> None:
    assert not arena.faults(attack, tmp_path)
    for file in ("in.csv", "in-complaints.csv", "in-2.csv", "runs/kept.csv"):
        assert (tmp_path / "work" / file).read_bytes() == EXPORT

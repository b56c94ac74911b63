"""Compare what two checkouts of the package make of the same exports: the samples, and generated events.

python scripts/compare_versions.py ../other [--events 500000]

Each checkout runs in a process of its own; every frame, the workbook and the words of the report are compared. Prints a
line for each thing that is the same, and for each that differs in which columns and how many rows. What a change is
meant to alter, its author explains beside this output.
"""

from __future__ import annotations

import argparse
import html
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd

ROOT = Path(__file__).resolve().parent.parent
SUMMARIES = (
    "changes", "codes", "days", "domain_days", "domain_reasons", "domains", "providers", "reasons",
    "registrable_domains", "sending_ips", "system_full", "tags",
)  # fmt: skip
PRESETS = (
    "default",
    "strict",
    "lenient",
    "ses",
    "klaviyo",
    "mailchimp",
    "mailman",
    "openemm",
    "discourse",
)


def main() -> None:
    """Run both checkouts and compare."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("other", type=Path, help="the checkout to compare with")
    parser.add_argument("--events", type=int, default=500_000, help="generated events, a third of each ESP")
    parser.add_argument("--write", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.write:
        write(given.other, given.write)
        return
    with tempfile.TemporaryDirectory() as folder:
        generated = Path(folder, "generated")
        generated.mkdir()
        sys.path.insert(0, str(ROOT / "benchmarks"))
        import generate  # noqa: PLC0415

        for provider in ("sendgrid", "ses", "mailgun"):
            generate.write(generated / f"{provider}.ndjson", given.events // 3, provider)
        exports = {"samples": ROOT / "data" / "samples" / "exports"} | (
            {"generated": generated} if given.events else {}
        )
        for name, source in exports.items():
            results = [made_by(checkout, source, Path(folder)) for checkout in (given.other, ROOT)]
            compare(name, *results)


def made_by(checkout: Path, source: Path, folder: Path) -> Path:
    """Have a checkout write what it makes of some exports; return the folder."""
    out = Path(tempfile.mkdtemp(dir=folder))
    command = [sys.executable, __file__, str(source), "--write", str(out)]
    subprocess.run(command, check=True, env=os.environ | {"PYTHONPATH": str(checkout.resolve())})
    return out


def write(source: Path, out: Path) -> None:
    """Write every frame that the imported package makes of the exports, the workbook and the report's words."""
    import bounceanalytics as ba  # noqa: PLC0415

    events = ba.load(source).events
    bounces = ba.classify(events)
    verdicts = ba.decide(bounces)
    frames = {"events": events, "classify": bounces, "decide": verdicts}
    frames |= {
        f"decide {name}": ba.decide(bounces, ba.Policy.preset(name)) for name in PRESETS if name != "default"
    }
    frames |= {f"summarize_{name}": getattr(ba, f"summarize_{name}")(bounces) for name in SUMMARIES}
    frames |= {
        name: getattr(ba, name)(bounces)
        for name in (
            "storms", "incidents", "recovery", "recovery_curves", "compare_policies", "conflicts", "unclassified",
        )
    }  # fmt: skip
    list_path = out / "list.csv"
    verdicts[["address"]].to_csv(list_path, index=False)
    frames["clean"] = ba.clean(list_path, bounces, out=out / "cleaned").reasons
    for number, (name, frame) in enumerate(frames.items()):
        frame.reset_index(drop=True).to_pickle(out / f"{number:02} {name}.pickle")
    for part in sorted((out / "cleaned").glob("*.csv")):
        (out / f"cleaned {part.name}.txt").write_bytes(part.read_bytes())
    page = ba.report(bounces, out / "report.html").read_text(encoding="utf-8")
    plain = re.sub(r"(?s)<(script|style|svg)\b.*?</\1>", "", page)
    words = html.unescape(re.sub(r"(?s)<[^>]*>", "\n", plain))
    (out / "report.txt").write_text("\n".join(line.strip() for line in words.splitlines() if line.strip()))
    ba.report(bounces, out / "report.xlsx")
    for sheet, frame in pd.read_excel(
        out / "report.xlsx", sheet_name=None, header=None, engine="calamine"
    ).items():
        frame.astype(str).to_pickle(out / f"workbook {sheet}.pickle")


def compare(what: str, before: Path, after: Path) -> None:
    """Print what is the same in two folders, and what is not."""
    names = sorted({path.name for folder in (before, after) for path in folder.iterdir() if path.is_file()})
    same = []
    for name in names:
        if name.endswith((".pickle", ".txt")):
            told = difference(before / name, after / name)
            if told:
                print(f"{what}: {name.rsplit('.', 1)[0]}: {told}")
            else:
                same.append(name.rsplit(".", 1)[0])
    print(f"{what}: the same: {', '.join(same)}")


def difference(before: Path, after: Path) -> str:
    """Return in what two files differ; empty if in nothing."""
    if not before.exists() or not after.exists():
        return "only " + ("after" if after.exists() else "before")
    if before.suffix == ".txt":
        old, new = (path.read_text(encoding="utf-8").splitlines() for path in (before, after))
        changed = [(one, two) for one, two in zip(old, new, strict=False) if one != two]
        if not changed and len(old) == len(new):
            return ""
        return f"{len(changed)} lines differ, {len(old)} before and {len(new)} after; first: {changed[:3]}"
    one, two = (pd.read_pickle(path) for path in (before, after))  # noqa: S301 - written by ourselves
    told = [f"column {name} gone" for name in one if name not in two]
    told += [f"column {name} new" for name in two if name not in one]
    if len(one) != len(two):
        return "; ".join([*told, f"{len(one):,} rows before, {len(two):,} after"])
    for name in one:
        if name in two:
            left, right = one[name], two[name]
            if left.dtype != right.dtype:
                told.append(f"{name} was {left.dtype}, is {right.dtype}")
            if left.equals(right):
                continue
            old, new = spelled(left), spelled(right)
            unequal = old != new
            if unequal.any():
                pairs = pd.DataFrame({"before": old[unequal], "after": new[unequal]}).value_counts().head(3)
                told.append(f"{name}: {unequal.sum():,} rows differ, as {dict(pairs)}")
    return "; ".join(told)


def spelled(column: pd.Series) -> Any:
    """Return the values of a column as texts; what is missing is one as well."""
    return column.astype(object).where(column.notna(), "(missing)").astype(str).to_numpy()


if __name__ == "__main__":
    main()

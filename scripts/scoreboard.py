"""Score the classifier on the labelled texts in ``data/scoreboard``, and put the table into the README.

Each line of the files is a text that a server might answer, with what a careful person would make of it: the reason,
other reasons that would do (``accept``), and whether the address is to be removed now (``remove``; null where that is
open). The texts were written for this purpose, by people who did not look at the rules.

Precision is the share of removals that are right; recall the share of dead addresses that are removed. Ranges are
95 % score intervals (Wilson).

    python scripts/scoreboard.py             # print the tables
    python scripts/scoreboard.py --misses    # and every text that went wrong
    python scripts/scoreboard.py --readme    # write the first table into README.md
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import pandas as pd

import bounceanalytics as ba
from bounceanalytics.summaries.statistics import wilson

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "data" / "scoreboard"
BEGIN, END = "<!-- scoreboard -->", "<!-- end of scoreboard -->"


def texts(folder: Path = FOLDER) -> pd.DataFrame:
    """Return the labelled texts of all files."""
    rows = [
        {"file": path.stem, **json.loads(line)}
        for path in sorted(folder.glob("*.jsonl"))
        for line in path.read_text("utf-8").splitlines()
        if line.strip()
    ]
    if not rows:
        sys.exit(f"{folder} holds no texts")
    return pd.DataFrame(rows).astype({"remove": object})


def judge(labelled: pd.DataFrame) -> pd.DataFrame:
    """Return the texts with what the classifier made of them: ``got``, ``action``, ``rule``, ``right``, ``removed``."""
    known = {name: labelled[name].to_numpy(object) for name in ("reply_code", "enhanced_code", "domain")}
    found = ba.classify_text(labelled["text"].tolist(), **known)
    got = found["reason"].astype("str")
    return labelled.assign(
        got=got,
        action=found["action"].astype("str"),
        rule=found["rule"],
        right=[reason in accept for reason, accept in zip(got, labelled["accept"], strict=True)],
        removed=found["action"].astype("str") == "remove",
    )


def share(hits: int, total: int) -> str:
    """Return a share with its interval, as in ``97.1 (94.0-98.6)``."""
    if not total:
        return ""
    low, high = (float(end[0]) for end in wilson(pd.Series([hits]), pd.Series([total])))
    return f"{100 * hits / total:.1f} ({100 * low:.1f}-{100 * high:.1f})"


def scores(judged: pd.DataFrame) -> dict[str, Any]:
    """Return one row of a table."""
    decided = judged[judged["remove"].notna()]
    dead = decided["remove"].astype(bool)
    removed = decided["removed"]
    return {
        "texts": len(judged),
        "reason right": share(int(judged["right"].sum()), len(judged)),
        "precision": share(int((dead & removed).sum()), int(removed.sum())),
        "recall": share(int((dead & removed).sum()), int(dead.sum())),
    }


def table(judged: pd.DataFrame, by: str) -> pd.DataFrame:
    """Return the scores for each value of a column, most texts first."""
    groups = sorted(judged.groupby(by), key=lambda group: (-len(group[1]), str(group[0])))
    return pd.DataFrame([{by: name, **scores(group)} for name, group in groups])


def markdown(frame: pd.DataFrame) -> str:
    """Return a table in Markdown."""
    lines = [" | ".join(map(str, row)) for row in (frame.columns, *frame.itertuples(index=False, name=None))]
    rule = "|".join(["---"] + ["---:"] * (len(frame.columns) - 1))
    return "\n".join([f"| {lines[0]} |", f"|{rule}|", *(f"| {line} |" for line in lines[1:])])


def summary(judged: pd.DataFrame) -> str:
    """Return the table for the README: all texts, then by language."""
    whole = pd.DataFrame([{"language": "all", **scores(judged)}])
    return markdown(pd.concat([whole, table(judged, "language")], ignore_index=True))


def into_readme(text: str) -> None:
    """Put a table between the two marks of the README."""
    path = ROOT / "README.md"
    before, _, rest = path.read_text("utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    path.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", "utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the .jsonl files are")
    parser.add_argument("--misses", action="store_true", help="show every text that went wrong")
    parser.add_argument("--readme", action="store_true", help="write the table into README.md")
    arguments = parser.parse_args()
    judged = judge(texts(arguments.folder))
    if arguments.misses:
        for row in judged.itertuples():
            side = row.remove is not None and row.remove != row.removed
            if not row.right or side:
                wanted = f"{row.reason}/{'remove' if row.remove else 'keep'}"
                print(
                    f"{row.file} {row.language} want {wanted} got {row.got}/{row.action} by {row.rule}: {row.text!r}"
                )
        print()
    for by in ("file", "reason", "provider", "language"):
        print(table(judged, by).to_string(index=False), end="\n\n")
    print(pd.DataFrame([scores(judged)]).to_string(index=False))
    if arguments.readme:
        into_readme(summary(judged))


if __name__ == "__main__":
    main()

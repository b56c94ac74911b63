"""Take every text rule away in turn, and see that a test would notice.

``tests/knowledge/verdicts.jsonl`` says of a text for each rule which rule wins it and what follows;
``tests/knowledge/test_verdicts.py`` holds the classifier to it. This script removes one rule after the other and
counts what would no longer be so. A rule without which nothing changes is a rule that nobody needs: the script names it
and ends with 1.

    python scripts/mutate_rules.py            # check
    python scripts/mutate_rules.py --write    # write the file anew from the examples, after a look at the difference
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import bounceanalytics as ba
from bounceanalytics.classifying.rulebook import rulebook
from bounceanalytics.knowledge.rules import mailbox_providers, rules

if TYPE_CHECKING:
    import pandas as pd

VERDICTS = Path(__file__).parent.parent / "tests" / "knowledge" / "verdicts.jsonl"
SAID = ("rule", "reason", "action")

# a code that means the same as the words would hide that the words are no longer understood
_CODES = re.compile(r"(?m)^(?:smtp; ?)?[245]\d\d[ -]?(?:#?[245]\.\d+\.\d+)?[ :-]*|^#?[245]\.\d+\.\d+ ?")


def verdicts(rows: list[dict[str, str]]) -> pd.DataFrame:
    """Return rule, reason and action of the texts."""
    found = ba.classify_text([row["text"] for row in rows], domain=[row.get("domain", "") for row in rows])
    return found[list(SAID)].astype("str")


def expected() -> list[dict[str, str]]:
    return [json.loads(line) for line in VERDICTS.read_text("utf-8").splitlines()]


def write() -> None:
    """Write the file: each rule's example, and the same without its codes where the rule wins that, too."""
    homes = {row.name: row.domains[0].replace("*", "com") for row in mailbox_providers() if row.domains}
    rows = [
        {"text": text, "domain": homes.get(rule.provider, ""), "rule": rule.id}
        for rule in rules()
        for text in dict.fromkeys((rule.example, _CODES.sub("", rule.example)))
    ]
    found = verdicts(rows)
    kept = [
        {**row, **found.loc[number].to_dict()}
        for number, row in enumerate(rows)
        if found.loc[number, "rule"] == row["rule"]
    ]
    lines = [
        json.dumps({key: value for key, value in row.items() if value}, ensure_ascii=False) for row in kept
    ]
    VERDICTS.write_text("\n".join(lines) + "\n", "utf-8")


def without_each() -> list[tuple[str, int, int]]:
    """Return, per rule, how many verdicts change without it, and in how many of them the reason or the action does."""
    rows = expected()
    book = rulebook()
    search = book.hits
    known: list[tuple[Any, Any]] = []
    removed = -1

    def hits(forms: Any) -> tuple[Any, Any]:
        # the texts are the same each time, so that they are searched once
        if not known:
            known.append(search(forms))
        text, pattern = known[0]
        kept = pattern != removed
        return text[kept], pattern[kept]

    book.hits = hits  # type: ignore[method-assign]
    want = np.array([[row[name] for name in SAID] for row in rows], dtype=object)
    changes = []
    for removed, rule in enumerate(book.rules):  # noqa: B007 - hits() reads it
        other = verdicts(rows).to_numpy() != want
        changes.append((rule.id, int(other.any(axis=1).sum()), int(other[:, 1:].any(axis=1).sum())))
    return changes


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--write", action="store_true", help="write the file of verdicts anew")
    if parser.parse_args().write:
        write()
    changes = without_each()
    unnoticed = [rule for rule, some, _ in changes if not some]
    by_name = [rule for rule, some, far in changes if some and not far]
    print(
        f"{len(changes):,} rules removed in turn; {len(changes) - len(unnoticed):,} would be missed by a test"
    )
    print(
        f"{len(by_name):,} of them only by their name: another rule would come to the same reason and action"
    )
    for rule in unnoticed:
        print(f"nobody misses {rule}")
    sys.exit(1 if unnoticed else 0)


if __name__ == "__main__":
    main()

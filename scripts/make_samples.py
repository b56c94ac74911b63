"""Write ``data/samples``: a mailing list, what three ESPs say about it, and what to find in both.

``python scripts/make_samples.py`` writes the same bytes every time; ``--into FOLDER`` writes elsewhere.
Only the standard library is used. The story is in the tables of ``samples/tables``.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from samples import mailgun, sendgrid, ses
from samples.chance import Chance
from samples.people import Person, everybody
from samples.readme import readme
from samples.story import tell
from samples.tables import cases, episodes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from samples.files import Sample

COLUMNS = ("email", "first_name", "last_name", "city", "company", "signup_date", "edition", "note")
UNREADABLE = ("anna at example.com", "", "joern@", "@example.org", "k.visser@postvak")


def list_rows(people: Sequence[Person]) -> list[list[str]]:
    """Return the rows of the list: readers, some of them twice in other letters, and addresses nobody can read."""
    rows = []
    for person in people:
        if person.case and person.case.name == "not_on_list":
            continue
        edition = "monthly" if len(person.weeks) < 6 else "weekly"
        rows.append(
            [
                person.address,
                person.first,
                person.last,
                person.town,
                person.company,
                person.signed_up.isoformat(),
                edition,
                person.note,
            ]
        )
    chance = Chance("list")
    doubles = [row for row in chance.shuffled(rows) if row[0].isascii()][:8]
    for row in doubles:
        rows.insert(
            chance.whole(0, len(rows)),
            [row[0].title().replace(".Example", ".example"), *row[1:6], "monthly", "signed up again"],
        )
    for address in UNREADABLE:
        rows.insert(
            chance.whole(0, len(rows)), [address, *chance.pick(rows)[1:7], "copied from a paper form"]
        )
    return rows


def story_rows(people: Sequence[Person]) -> list[list[str]]:
    """Return what is planted and what to do about it, in the order of the cases."""
    order = {
        case.name: place for place, case in enumerate([*cases(), *(episode.case for episode in episodes())])
    }
    planted = sorted(
        (p for p in people if p.case),
        key=lambda p: (order[p.case.name], p.wire_address) if p.case else (0, ""),
    )
    rows = []
    for person in planted:
        case, moved = person.case, [s for s in person.plan.values() if s.startswith("move:")]
        assert case is not None  # noqa: S101  for the type checker
        provider = "+".join([person.provider, *(s.removeprefix("move:") for s in moved)])
        rows.append([case.name, person.address, provider, case.verdict, case.reason, case.why])
    return rows


def as_csv(header: Sequence[str], rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    return text.getvalue().encode()


def expectations(
    samples: Sequence[Sample], listed: Sequence[Sequence[str]], story: Sequence[Sequence[str]]
) -> dict[str, Any]:
    """Return what a reader must find: counts for each file, their sums, and the list's."""
    seen: set[tuple[str, str]] = set()
    files = {sample.path: sample.counts(seen) for sample in samples}
    sums = ("records", "ignored", "rejected", "rows", "repeats")
    totals: dict[str, Any] = {name: sum(file[name] for file in files.values()) for name in sums}
    events: dict[str, int] = {}
    for file in files.values():
        for event, count in file["events"].items():
            events[event] = events.get(event, 0) + count
    readable = [row[0].lower() for row in listed if row[0] not in UNREADABLE]
    verdicts = {row[1].lower(): row[3] for row in story}
    return {
        "files": files,
        "totals": totals | {"events": dict(sorted(events.items()))},
        "list": {
            "rows": len(listed),
            "unreadable": len(listed) - len(readable),
            "repeated": len(readable) - len(set(readable)),
            "addresses": len(set(readable)),
            "verdicts": dict(
                sorted(Counter(verdicts.get(address, "keep") for address in set(readable)).items())
            ),
        },
    }


def make(folder: Path) -> None:
    """Write every file into the folder, which is made if need be."""
    people = everybody()
    events, lists = tell(people)
    samples = [*sendgrid.samples(events, lists), *ses.samples(events, lists), *mailgun.samples(events, lists)]
    listed, story = list_rows(people), story_rows(people)
    expected = expectations(samples, listed, story)
    contents = {f"exports/{sample.path}": sample.packed for sample in samples}
    contents |= {
        "list.csv": as_csv(COLUMNS, listed),
        "story.csv": as_csv(("case", "address", "provider", "verdict", "reason", "why"), story),
        "expected.json": (json.dumps(expected, indent=1, ensure_ascii=False) + "\n").encode(),
        "README.md": readme(expected, story).encode(),
    }
    for name, data in contents.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    size, rows = sum(map(len, contents.values())), expected["totals"]["rows"]
    print(f"{len(contents)} files, {size:,} bytes, {rows:,} rows in {folder}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--into", type=Path, default=Path(__file__).resolve().parent.parent / "data" / "samples"
    )
    make(parser.parse_args().into)

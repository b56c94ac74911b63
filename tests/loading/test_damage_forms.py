"""Records of each format, one in a hundred damaged: the others are rows, the damaged ones are named."""

from __future__ import annotations

import pytest

import bounceanalytics as ba
from tests.effort import RARE
from tests.loading.format_cases import CASES
from tests.loading.format_cases.case import person

#: Each way of damage once; and of one form of each layout, slowly, more than the readers hold at a time.
COUNT, MANY = 1_000, 10_000
EVERY = 100

#: Ways in which a record of JSON is damaged; what comes out never is one.
JSON_DAMAGE = {
    "cut in the middle": lambda record: record[: len(record) // 2],
    "garbage in the middle": lambda record: (
        record[: len(record) // 2] + b'"[,<"' + record[len(record) // 2 :]
    ),
    "a quote is missing": lambda record: record.replace(b'"', b"", 1),
    "the last brace is missing": lambda record: record[:-1],
    "zero bytes": lambda record: record[:1] + b"\x00\x00x" + record[1:],
    "no UTF-8": lambda record: record[:1] + b"\xff\xfe" + record[1:],
    "a number instead": lambda _: b"12345",
    "a colon is missing": lambda record: record.replace(b'": ', b'" ', 1),
    "half a record": lambda record: record[len(record) // 2 :],
    "nonsense instead": lambda _: b"<html>no record</html>",
}

#: The same for lists of bare addresses, which have little to be damaged.
TEXT_DAMAGE = {
    **{name: JSON_DAMAGE[name] for name in ("a number instead", "nonsense instead")},
    "nothing instead": lambda _: b"null",
    "braces instead": lambda _: b"{]",
    "two numbers": lambda _: b"1 2",
    "a key": lambda _: b"email:",
    "zero bytes": lambda _: b"\x00x\x00",
    "no UTF-8": lambda _: b"\xff\xfe",
    "the start of a list": lambda _: b"[7,",
    "an object": lambda _: b"{true}",
}

#: Ways in which a row of a table is damaged.
CSV_DAMAGE = {
    "a cell is missing": lambda row: row[: row.rfind(b",")] if b'"' not in row else b"one cell",
    "a cell too many": lambda row: row + b",more",
    "a quote is never closed": lambda row: b'"' + row.replace(b'"', b""),
    "cut in the first cell": lambda row: row[: row.find(b",")][:5].replace(b'"', b""),
    "binary": lambda _: bytes(range(128, 160)),
    "text behind a quote": lambda row: b'"q"z' + row,
    "zero bytes": lambda _: b"\x00" * 5,
    "two rows in one line": lambda row: row + b"," + row,
    "another separator": lambda row: row.replace(b",", b";").replace(b'"', b""),
    "broken into two lines": lambda row: row[: row.find(b",")].replace(b'"', b"") + b"\n" + b"rest of it",
}

TRIED = [
    case for case in CASES if case.kind in {"json", "csv"} and case.layout.split()[0] not in {"xml", "mail"}
]


OF_EACH_LAYOUT = {case.layout.split()[0]: case for case in reversed(TRIED)}.values()

SIZES = [
    *(pytest.param(case, COUNT, marks=RARE if number % 2 else []) for number, case in enumerate(TRIED)),
    *(pytest.param(case, MANY, marks=pytest.mark.slow) for case in OF_EACH_LAYOUT),
]


def ways(case):
    if case.kind == "csv":
        # a table of one column has nothing that could be wrong but a second one
        single = b"," not in case.content([1]).splitlines()[-1]
        return {"a cell too many": CSV_DAMAGE["a cell too many"]} if single else CSV_DAMAGE
    return TEXT_DAMAGE if isinstance(case.make(1), str) else JSON_DAMAGE


@pytest.mark.parametrize(
    ("case", "count"), SIZES, ids=lambda one: str(one) if isinstance(one, int) else f"{one.id} {one.name}"
)
def test_one_in_a_hundred(case, count, tmp_path):
    before, records, between, after = case.pieces(range(count))
    damages = list(ways(case).values())
    content, regions = [before], []
    at = len(before)
    for number, record in enumerate(records):
        piece = record
        if number % EVERY == EVERY // 2:
            # what a log or an index puts before a record is no part of it
            start = {"log": record.find(b" ") + 1, "indexed": record.find(b": ") + 2}.get(case.layout, 0)
            piece = record[:start] + damages[number // EVERY % len(damages)](record[start:])
            regions.append((at, at + len(piece) + len(between)))
        piece += between if number < count - 1 else after
        content.append(piece)
        at += len(piece)
    file = tmp_path / case.name
    file.write_bytes(b"".join(content))

    load = ba.load(file, timezone="UTC")

    whole = [person(number) for number in range(count) if number % EVERY != EVERY // 2]
    there = load.events["recipient"].tolist()
    assert sorted(set(whole) - set(there)) == []
    # a whole event that only lost its wrapper is a record of its own
    rescued = set(there) - set(whole)
    assert not rescued or (
        case.form.endswith(", wrapped") and rescued < {person(number) for number in range(count)}
    )
    assert len(there) == len(set(there))
    assert load.events["record"].is_monotonic_increasing
    offsets = load.rejects["offset"].tolist()
    named = [any(start <= offset < stop for offset in offsets) for start, stop in regions]
    ignored = int(load.files["ignored"].sum())  # lines of a log without a record are no records
    assert named.count(False) <= ignored + len(rescued)
    assert ignored == 0 or case.layout == "log"
    load.check()


def test_where_it_was_damaged_is_told_exactly(tmp_path):
    (case,) = (case for case in CASES if case.id == "sendgrid event webhook array")
    before, records, between, after = case.pieces(range(9))
    records[4] = b'{"email": broken}'
    content = before + between.join(records) + after
    load = ba.load(content)
    (reject,) = load.rejects.to_dict("records")
    assert reject["record"] == 5
    assert content[reject["offset"] :].startswith(records[4])
    assert reject["text"] == records[4].decode()
    assert reject["error"] == "not valid JSON: expecting value at character 11 of the record"

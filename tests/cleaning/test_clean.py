"""Cleaning a list: nothing lost, nothing altered, nothing half-written."""

from __future__ import annotations

import csv
import functools
import gzip
import hashlib
import io
import json
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bounceanalytics import schema
from bounceanalytics.cleaning import Cleaning, clean
from bounceanalytics.cleaning.records import find_records
from bounceanalytics.datasets import Part, write_dataset
from bounceanalytics.deciding import Policy, decide
from bounceanalytics.errors import FormatError, FrameError, OutputError, PolicyError, SourceError
from tests.classified import classified
from tests.effort import examples

PARTS = ("kept", "removed", "held", "unreadable")

#: Which part a cell of the list belongs to, given the events below.
ADDRESSES = {
    "gone@example.com": "removed",
    "GONE@Example.com": "removed",
    "Gone Girl <gone@example.com>": "removed",
    "unclear@example.com": "held",
    "fine@example.com": "kept",
    "back@example.com": "kept",
    "stranger@example.net": "kept",
    "fräulein@bücher.example": "removed",
    "": "unreadable",
    "no address": "unreadable",
    "two@example.com; three@example.com": "unreadable",
}


def events() -> pd.DataFrame:
    return classified(
        [
            {"recipient": "gone@example.com", "reply_code": 550},
            {"recipient": "unclear@example.com", "conflict": True},
            {"recipient": "fine@example.com", "event": "delivered"},
            {"recipient": "back@example.com"},
            {"recipient": "back@example.com", "event": "delivered", "timestamp": "2026-05-01T00:00:00Z"},
            {"recipient": "fräulein@xn--bcher-kva.example", "reason": "mailbox_disabled"},
        ]
    )


@functools.cache
def verdicts() -> pd.DataFrame:
    return decide(events())


def records(content: bytes, encoding: str, delimiter: str, newline: str = "\n") -> list[bytes]:
    """Return the records of a file as bytes, header first."""
    mark = next(
        (mark for mark in (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff") if content.startswith(mark)), b""
    )
    unit = np.dtype({"utf-16-le": "<u2", "utf-16-be": ">u2"}.get(encoding, "u1"))
    units = np.frombuffer(content[len(mark) :], dtype=unit)
    found = find_records(units, ord(delimiter), ord(newline), last=True)
    return [units[start:end].tobytes() for start, end in zip(found.starts, found.ends, strict=True)]


def table(content: bytes, encoding: str = "utf-8", delimiter: str = ",") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode(encoding), newline=""), delimiter=delimiter))


def parts(folder: Path) -> dict[str, bytes]:
    return {part: (folder / f"{part}.csv").read_bytes() for part in PARTS}


def quoted(cell: str, always: bool = False) -> str:
    return '"' + cell.replace('"', '""') + '"' if always or set(cell) & set(',;\t"\r\n') else cell


ROWS = st.lists(
    st.tuples(
        st.text(alphabet='xé",;\n\r\t =', max_size=8),
        st.sampled_from(list(ADDRESSES)),
        st.booleans(),
        st.sampled_from(["\n", "\r\n"]),
    ),
    max_size=12,
)


@examples(80)
@given(
    ROWS,
    st.sampled_from(["utf-8", "cp1252", "utf-16-le", "utf-16-be"]),
    st.booleans(),
    st.sampled_from([",", ";", "\t"]),
    st.booleans(),
)
def test_every_row_lands_in_its_part_unchanged(
    rows: list[tuple[str, str, bool, str]], encoding: str, mark: bool, delimiter: str, ended: bool
) -> None:
    lines = [f"Größe{delimiter}E-Mail{delimiter}end\r\n"]
    lines += [
        delimiter.join((quoted(text, always), quoted(address, always), "1")) + end
        for text, address, always, end in rows
    ]
    if not ended:
        lines[-1] = lines[-1].rstrip("\r\n")
    bom = "\ufeff".encode(encoding) if mark and encoding != "cp1252" else b""
    header, *raw = [line.encode(encoding) for line in lines]
    with tempfile.TemporaryDirectory() as folder:
        result = clean(bom + header + b"".join(raw), verdicts(), Path(folder) / "out")
        content = parts(result.folder)
    expected = [ADDRESSES[address] for _, address, _, _ in rows]
    assert result.rows == {"input": len(rows)} | {part: expected.count(part) for part in PARTS}
    kept = b"".join(line for line, part in zip(raw, expected, strict=True) if part == "kept")
    assert content["kept"] == bom + header + kept
    # the records of all parts, put together in the order of the input, are the input
    written = {part: iter(records(content[part], encoding, delimiter)[1:]) for part in PARTS}
    for line, part in zip(raw, expected, strict=True):
        bare = line.decode(encoding).rstrip("\r\n").encode(encoding)
        assert next(written[part]).startswith(bare)
    assert all(next(rest, None) is None for rest in written.values())


def test_evidence_stands_behind_the_row(tmp_path: Path) -> None:
    raw = 'email;note\r\ngone@example.com;"a ""b"""\r\nUNCLEAR@example.com\r\nfine@example.com;x\r\nnobody;y'
    result = clean(raw.encode(), verdicts(), tmp_path / "out")
    content = parts(tmp_path / "out")
    (removed,) = table(content["removed"], delimiter=";")
    assert removed == {
        "email": "gone@example.com",
        "note": 'a "b"',
        "reason": "unknown_user",
        "code": "5.1.1",
        "date": "2026-03-02",
        "evidence": "Removed: 550 5.1.1 unknown user on 2026-03-02, no delivery since.",
        "source": "export.json",
        "record": "1",
        "row": "1",
    }
    (held,) = table(content["held"], delimiter=";")
    # a short row is filled up
    assert (held["note"], held["reason"], held["record"], held["row"]) == ("", "unknown_user", "2", "2")
    assert table(content["unreadable"], delimiter=";") == [
        {"email": "nobody", "note": "y", "why": "no @", "row": "4"}
    ]
    assert content["kept"] == b"email;note\r\nfine@example.com;x\r\n"
    assert content["unreadable"].endswith(b"\r\n")
    assert result.reasons.to_dict("records") == [
        {"part": "removed", "reason": "unknown_user", "rows": 1},
        {"part": "held", "reason": "unknown_user", "rows": 1},
        {"part": "unreadable", "reason": "no @", "rows": 1},
    ]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_the_line_that_tells_excel_the_delimiter_stays(tmp_path: Path, encoding: str) -> None:
    raw = "sep=;\r\na,b;email\r\nx,y;gone@example.com\r\nx,z;new@example.com\r\n".encode(encoding)
    clean(raw, verdicts(), tmp_path / "out")
    content = {part: text.decode(encoding) for part, text in parts(tmp_path / "out").items()}
    assert content["kept"] == "sep=;\r\na,b;email\r\nx,z;new@example.com\r\n"
    assert content["removed"].startswith("sep=;\r\na,b;email;reason;")
    assert "x,y;gone@example.com;unknown_user;5.1.1;" in content["removed"]


def test_names_that_the_list_has_already(tmp_path: Path) -> None:
    clean(b"email,Source,why\ngone@example.com,web,1\nx,web,2\n", verdicts(), tmp_path / "out")
    content = parts(tmp_path / "out")
    head = b"email,Source,why,reason,code,date,evidence,bounce_source,record,row"
    assert content["removed"].splitlines()[0] == head
    assert content["unreadable"].splitlines()[0] == b"email,Source,why,bounce_why,row"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_texts_of_others_are_no_formulas(tmp_path: Path, start: str) -> None:
    verdicts = decide(events())
    verdicts["source"] = f'{start}HYPERLINK("http://example.com","x")'
    verdicts["explanation"] = f"{start}1+1"
    clean(b"email\ngone@example.com\n", verdicts, tmp_path / "out")
    (row,) = table((tmp_path / "out" / "removed.csv").read_bytes())
    assert row["source"] == f"'{start}" + 'HYPERLINK("http://example.com","x")'
    assert row["evidence"] == f"'{start}1+1"


def test_result_and_manifest(tmp_path: Path) -> None:
    source = tmp_path / "list.csv"
    source.write_bytes(b"\xef\xbb\xbfemail\ngone@example.com\nGone@Example.com\nnew@example.com\n\n")
    result = clean(source, events(), tmp_path / "out", policy=Policy.preset("strict"))
    assert isinstance(result, Cleaning)
    assert result.rows == {"input": 4, "kept": 1, "removed": 2, "held": 0, "unreadable": 1}
    assert (result.duplicates, result.without_events) == (1, 1)
    text = repr(result)
    assert all(part in text for part in PARTS)
    assert "2 unknown_user" in text
    assert "50.0%" in text
    assert "<table>" in result._repr_html_()
    manifest = json.loads(result.files["manifest"].read_text(encoding="utf-8"))
    assert manifest["format"] == 1
    assert manifest["rows"] == result.rows
    assert manifest["policy"]["name"] == "strict"
    assert manifest["input"]["name"] == "list.csv"
    assert manifest["input"]["bytes"] == source.stat().st_size
    assert manifest["input"]["sha256"] == hashlib.sha256(source.read_bytes()).hexdigest()
    assert manifest["evidence"] == {
        "kind": "events",
        "rows": 6,
        "addresses": 5,
        "sources": [{"name": "export.json", "rows": 6}],
    }
    assert manifest["versions"]["duckdb"]
    assert "@" not in json.dumps(manifest)
    assert set(manifest["files"]) == set(result.files) - {"manifest"}
    for name, told in manifest["files"].items():
        content = result.files[name].read_bytes()
        assert (told["bytes"], told["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(
        path.name for path in result.files.values()
    )


def test_verdicts_instead_of_events(tmp_path: Path) -> None:
    raw = b"email\ngone@example.com\nfine@example.com\n"
    verdicts = decide(events())
    shuffled = verdicts.sample(frac=1, random_state=1)
    copy = shuffled.copy(deep=True)
    assert clean(raw, shuffled, tmp_path / "a").rows == clean(raw, events(), tmp_path / "b").rows
    pd.testing.assert_frame_equal(shuffled, copy)
    assert parts(tmp_path / "a") == parts(tmp_path / "b")
    with pytest.raises(PolicyError, match="verdicts already"):
        clean(raw, verdicts, tmp_path / "c", policy=Policy())
    with pytest.raises(FrameError, match="more than one verdict"):
        clean(raw, pd.concat([verdicts, verdicts]), tmp_path / "c")
    with pytest.raises(FrameError, match="'drop'"):
        clean(raw, verdicts.assign(verdict="drop"), tmp_path / "c")
    with pytest.raises(FrameError, match="needs the columns"):
        clean(raw, pd.DataFrame({"x": [1]}), tmp_path / "c")
    assert not (tmp_path / "c").exists()


def test_verdicts_that_were_edited_as_csv(tmp_path: Path) -> None:
    raw = b"email\ngone@example.com\nfine@example.com\nunclear@example.com\n"
    decide(events()).to_csv(tmp_path / "verdicts.csv", index=False)
    edited = pd.read_csv(tmp_path / "verdicts.csv")
    clean(raw, edited, tmp_path / "a")
    clean(raw, events(), tmp_path / "b")
    assert parts(tmp_path / "a") == parts(tmp_path / "b")
    with pytest.raises(FrameError, match="decided_at must hold times"):
        clean(raw, edited.assign(decided_at="soon"), tmp_path / "c")


def test_events_stay_as_they_are(tmp_path: Path) -> None:
    frame = events()
    copy = frame.copy(deep=True)
    clean(b"email\ngone@example.com\n", frame, tmp_path / "out")
    pd.testing.assert_frame_equal(frame, copy)


@pytest.mark.parametrize("raw", [b"email\n", b"email", b"\xef\xbb\xbfemail\r\n"])
def test_header_only(tmp_path: Path, raw: bytes) -> None:
    result = clean(raw, events(), tmp_path / "out")
    assert result.rows["input"] == 0
    assert parts(tmp_path / "out")["kept"] == raw
    assert parts(tmp_path / "out")["removed"].startswith(raw.rstrip() + b",reason")


def test_without_header_and_without_events(tmp_path: Path) -> None:
    nothing = schema.BOUNCE_COLUMNS.empty()
    result = clean(b"gone@example.com\nnot one\n", nothing, tmp_path / "out")
    assert result.rows == {"input": 2, "kept": 1, "removed": 0, "held": 0, "unreadable": 1}
    assert parts(tmp_path / "out")["unreadable"] == b"not one,no @,2\n"


def test_gzip_and_small_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [f'"n{number}\n",{address}\r\n' for number in range(40) for address in list(ADDRESSES)[:8]]
    raw = ("name,email\r\n" + "".join(rows)).encode()
    whole = clean(raw, events(), tmp_path / "whole")
    (tmp_path / "list.csv.gz").write_bytes(gzip.compress(raw))
    monkeypatch.setattr("bounceanalytics.cleaning.lists.BLOCK", 100)
    seen: list[tuple[str, int, int]] = []
    packed = clean(
        tmp_path / "list.csv.gz", events(), tmp_path / "packed", progress=lambda *state: seen.append(state)
    )
    assert packed.rows == whole.rows
    assert parts(tmp_path / "packed") == parts(tmp_path / "whole")
    assert {name for name, _, _ in seen} >= {"clean the list"}
    assert all(0 <= done <= total for _, done, total in seen)


def test_nothing_is_overwritten_unasked(tmp_path: Path) -> None:
    raw, out = b"email\ngone@example.com\n", tmp_path / "out"
    out.mkdir()
    (out / "mine.txt").write_text("stays")
    (out / "held.csv").write_text("old")
    with pytest.raises(OutputError, match=r"held\.csv exists; pass overwrite=True"):
        clean(raw, verdicts(), out)
    assert sorted(path.name for path in out.iterdir()) == ["held.csv", "mine.txt"]
    clean(raw, verdicts(), out, overwrite=True)
    assert (out / "held.csv").read_text().startswith("email,reason")
    assert (out / "mine.txt").read_text() == "stays"


def test_the_list_itself_is_never_overwritten(tmp_path: Path) -> None:
    source = tmp_path / "kept.csv"
    source.write_bytes(b"email\ngone@example.com\n")
    with pytest.raises(OutputError, match="the list itself"):
        clean(source, verdicts(), tmp_path, overwrite=True)
    assert source.read_bytes() == b"email\ngone@example.com\n"


def test_out_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("x")
    with pytest.raises(OutputError):
        clean(b"email\na@example.com\n", verdicts(), tmp_path / "out")


@pytest.mark.parametrize("raw", [b"", b"a,b\nx,y\n", b'email\n"a@example.com\n'])
def test_a_list_that_cannot_be_read_leaves_nothing(tmp_path: Path, raw: bytes) -> None:
    with pytest.raises(FormatError) as caught:
        clean(raw, verdicts(), tmp_path / "out")
    assert "@" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_list_that_changes_meanwhile(tmp_path: Path) -> None:
    source = tmp_path / "list.csv"
    source.write_bytes(b"email\n" + b"a@example.com\n" * 50)

    def cut(description: str, *_: int) -> None:
        if description == "clean the list":
            source.write_bytes(b"email\nb@example.com\n")

    with pytest.raises(SourceError, match="changed while it was read"):
        clean(source, events(), tmp_path / "out", progress=cut)
    assert [path.name for path in tmp_path.iterdir()] == ["list.csv"]


def test_an_interrupt_leaves_nothing(tmp_path: Path) -> None:
    def interrupt(description: str, *_: int) -> None:
        if description == "clean the list":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        clean(b"email\ngone@example.com\n", events(), tmp_path / "out", progress=interrupt)
    assert list(tmp_path.iterdir()) == []


KILLED = """
import sys
from bounceanalytics import schema
from bounceanalytics.cleaning import clean

def wait(description, done, total):
    if description == "clean the list" and done:
        print("writing", flush=True)
        sys.stdin.read()  # until the end

nothing = schema.BOUNCE_COLUMNS.empty()
clean(sys.argv[1], nothing, sys.argv[2], overwrite=True, progress=wait)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
@pytest.mark.parametrize("there", [False, True])
def test_a_killed_process_leaves_no_half_file(tmp_path: Path, there: bool) -> None:
    source, out = tmp_path / "list.csv", tmp_path / "out"
    source.write_bytes(b"email\n" + b"a@example.com\n" * 100)
    before: dict[str, bytes] = {}
    if there:
        clean(b"email\nold@example.com\n", events(), out)
        before = parts(out)
    child = subprocess.Popen(
        [sys.executable, "-c", KILLED, source, out], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"writing\n"
        child.send_signal(signal.SIGKILL)
    assert child.returncode == -signal.SIGKILL
    assert out.exists() == there
    if there:
        assert parts(out) == before
    clean(source, events(), out, overwrite=True)  # what is left over is in nobody's way
    assert parts(out)["kept"] == source.read_bytes()


def test_progress_is_not_asked_for(tmp_path: Path) -> None:
    arguments: dict[str, Any] = {"column": "email", "overwrite": False}
    assert (
        clean(b"email\na@example.com\n", verdicts(), str(tmp_path / "a" / "b"), **arguments).rows["kept"] == 1
    )


def test_the_number_of_a_row_is_its_place_in_the_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bounceanalytics.cleaning.lists.BLOCK", 64)
    addresses = list(ADDRESSES) * 5
    raw = "name,email\n" + "".join(f"x,{quoted(address)}\n" for address in addresses)
    clean(raw.encode("utf-16"), verdicts(), tmp_path / "out")
    for part in ("removed", "held", "unreadable"):
        rows = table((tmp_path / "out" / f"{part}.csv").read_bytes(), encoding="utf-16")
        expected = [number for number, address in enumerate(addresses, 1) if ADDRESSES[address] == part]
        assert [int(row["row"]) for row in rows] == expected


def test_a_row_taken_for_titles_is_shown_to_nobody(tmp_path: Path) -> None:
    people = "Nia Noll;+49 30 5550123;Main Street 5\nOla Ott;+49 30 5550124;Side Street 6\n"
    for column in (None, "email"):
        with pytest.raises(FormatError, match="give a position from 0") as refused:
            clean(people.encode(), verdicts(), tmp_path / "out", column=column)
        assert "Noll" not in str(refused.value)
        assert "5550123" not in str(refused.value)
    with pytest.raises(FormatError, match="'customer', 'phone', 'street'"):
        clean(f"customer;phone;street\n{people}".encode(), verdicts(), tmp_path / "out")
    clean(b"nia@localhost,Nia\ngone@example.com,Kim\n", verdicts(), tmp_path / "out")
    assert "nia@" not in (tmp_path / "out" / "manifest.json").read_text()


def test_duplicates_are_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bounceanalytics.cleaning.lists.BLOCK", 40)
    raw = b"email\nnew@example.com\ngone@example.com\nbad\nNEW@example.com\nbad\nGone <gone@example.com>\n"
    raw += b"new@example.com\n"
    result = clean(raw, verdicts(), tmp_path / "out")
    assert result.files["duplicates"].read_text() == "row,first_row\n4,1\n6,2\n7,1\n"
    assert result.duplicates == 3
    assert result.rows == {"input": 7, "kept": 3, "removed": 2, "held": 0, "unreadable": 2}


def test_whom_to_tell_by_another_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bounceanalytics.cleaning.lists.BLOCK", 60)
    full = {"reason": "system_full", "enhanced_code": "5.3.1", "rule": None}
    bounces = classified(
        [
            {"recipient": "full@example.com", **full},
            {"recipient": "again@example.com", **full},
            {"recipient": "again@example.com", "event": "delivered", "timestamp": "2026-05-01T00:00:00Z"},
            {"recipient": "gone@example.com"},
        ]
    )
    raw = 'name;email;phone\r\nÄnne;Full@example.com;"+49;1"\r\nBo;gone@example.com;2\r\nCy;again@example.com;3\r\n'
    raw += "Di;full@example.com;4"
    result = clean(raw.encode("cp1252"), bounces, tmp_path / "out")
    wanted = 'name;email;phone\r\nÄnne;Full@example.com;"+49;1"\r\nDi;full@example.com;4'
    assert result.files["contact"].read_bytes() == wanted.encode("cp1252")
    assert result.rows["removed"] == 3
    told = json.loads(result.files["manifest"].read_text())["files"]["contact"]
    assert told["sha256"] == hashlib.sha256(result.files["contact"].read_bytes()).hexdigest()


def test_a_million_addresses_have_as_many_hashes(tmp_path: Path) -> None:
    raw = "email\n" + "".join(f"reader-{number}@example.com\n" for number in range(1_000_000))
    assert clean(raw.encode(), verdicts(), tmp_path / "out").duplicates == 0


def test_a_dataset_instead_of_a_frame(tmp_path: Path) -> None:
    frame = events()
    source = tmp_path / "source"
    source.touch()
    rows = iter([pa.Table.from_pandas(frame, preserve_index=False)])
    part = Part(Path("month=2026-03/part-00001.parquet"), source, rows)
    dataset = write_dataset(tmp_path / "bounces.parquet", "bounces", [part], made={}, overwrite=False)
    raw = b"email\ngone@example.com\nfine@example.com\n"
    for number, bounces in enumerate((dataset, dataset.path, frame)):
        clean(raw, bounces, tmp_path / str(number))
        assert parts(tmp_path / str(number)) == parts(tmp_path / "0")


RELATED = {
    "ann+news@example.com": "remove",
    "bo@example.com": "keep",
    "bo+news@example.com": "remove",
    "cy@example.com": "remove",
    "cy+a@example.com": "hold",
    "d.e.e@gmail.com": "remove",
}


def related() -> pd.DataFrame:
    frame = decide(classified([{"recipient": address} for address in RELATED]))
    return frame.assign(verdict=frame["address"].map(RELATED))


@pytest.mark.parametrize(
    ("folds", "expected"),
    [
        ({}, ["kept", "kept", "kept", "kept", "kept", "kept"]),
        ({"fold_subaddresses": True}, ["removed", "kept", "held", "held", "kept", "kept"]),
        ({"fold_gmail_dots": True}, ["kept", "kept", "kept", "kept", "removed", "kept"]),
        (
            {"fold_subaddresses": True, "fold_gmail_dots": True},
            ["removed", "kept", "held", "held", "removed", "removed"],
        ),
    ],
)
def test_tags_and_dots_are_passed_over_only_on_request(
    tmp_path: Path, folds: dict[str, bool], expected: list[str]
) -> None:
    addresses = [
        "ann@example.com",
        "bo@example.com",  # has a verdict of its own
        "bo+other@example.com",  # those it resembles disagree
        "cy+b@example.com",
        "dee@googlemail.com",
        "dee+x@gmail.com",
    ]
    result = clean("\n".join(["email", *addresses]).encode(), related(), tmp_path / "out", **folds)  # type: ignore[arg-type]
    found = {
        row["email"]: part for part in PARTS for row in table((tmp_path / "out" / f"{part}.csv").read_bytes())
    }
    assert [found[address] for address in addresses] == expected
    assert result.folded == (len(addresses) - 1 if len(folds) == 2 else result.folded)
    assert (result.without_events == 0) == (len(folds) == 2)


def test_what_was_found_by_folding_says_so(tmp_path: Path) -> None:
    raw = b"email\nann@example.com\nbo+x@example.com\n"
    result = clean(raw, related(), tmp_path / "out", fold_subaddresses=True)
    (removed,) = table(result.files["removed"].read_bytes())
    (held,) = table(result.files["held"].read_bytes())
    assert removed["evidence"].startswith(
        "By an address that differs only in what was asked to be passed over. "
    )
    assert held["evidence"].startswith(
        "Held: addresses that differ only in what was asked to be passed over disagree."
    )
    assert "2 rows have the verdict of an address that differs" in repr(result)
    matching = json.loads(result.files["manifest"].read_text())["matching"]
    assert matching == {"fold_subaddresses": True, "fold_gmail_dots": False, "rows_by_fold": 2}


def test_the_order_of_verdicts_plays_no_part_in_folding(tmp_path: Path) -> None:
    raw = b"email\nann@example.com\nbo+x@example.com\ncy+b@example.com\n"
    verdicts = related()
    for number, order in enumerate((1, -1)):
        clean(raw, verdicts[::order], tmp_path / str(number), fold_subaddresses=True, fold_gmail_dots=True)
    assert parts(tmp_path / "0") == parts(tmp_path / "1")


@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
def test_three_hundred_columns(tmp_path: Path, bom: bytes) -> None:
    head = ",".join([*(f"c{number}" for number in range(299)), "mail"])
    rows = [",".join([*["x"] * 299, address]) for address in ("gone@example.com", "new@example.com")]
    raw = bom + "\n".join([head, *rows]).encode()
    result = clean(raw, verdicts(), tmp_path / "out")
    assert (result.rows["removed"], result.rows["kept"]) == (1, 1)


def test_nothing_looks_like_addresses(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="no column looks like e-mail addresses"):
        clean(b"a,b\nx,y\n", verdicts(), tmp_path / "out")
    assert not (tmp_path / "out").exists()

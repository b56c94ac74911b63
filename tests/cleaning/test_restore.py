"""Giving rows back: exactly those that were asked for, exactly as they were."""

from __future__ import annotations

import functools
import gzip
import importlib
import json
import shutil
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from bounceanalytics.cleaning import Cleaning, Restored, clean, restore
from bounceanalytics.deciding import decide
from bounceanalytics.errors import BounceAnalyticsError, FormatError, OutputError, SourceError
from tests.classified import classified

HEAD = b"\xef\xbb\xbfname;email\r\n"
ROWS = {
    1: b'"x;\n""y""";gone@example.com\r\n',
    2: b"a;new@example.com\n",
    3: b"b;full@example.org\r\n",
    4: b"short\r\n",
    5: b"c;GONE@example.com;more;cells\n",
    6: b"d;unclear@b\xc3\xbccher.example\r\n",
    7: b"\n",
    8: b"e;other@example.net\r\n",
    9: b"f;late@example.org",
}
LIST = HEAD + b"".join(ROWS.values())


@functools.cache
def verdicts() -> pd.DataFrame:
    events = classified(
        [
            {"recipient": "gone@example.com", "timestamp": "2026-09-14T08:00:00Z"},
            {"recipient": "full@example.org", "reason": "system_full", "timestamp": "2026-09-30T23:59:59Z"},
            {
                "recipient": "unclear@xn--bcher-kva.example",
                "conflict": True,
                "timestamp": "2026-10-01T00:00:00Z",
            },
            {
                "recipient": "late@example.org",
                "timestamp": None,
                "event": "suppressed",
                "reason": "unknown_user",
            },
        ]
    )
    return decide(events)


@pytest.fixture
def run(tmp_path: Path) -> Cleaning:
    result = clean(LIST, verdicts(), tmp_path / "run")
    assert result.rows == {"input": 9, "kept": 2, "removed": 4, "held": 1, "unreadable": 2}
    return result


def rows(*numbers: int) -> bytes:
    return HEAD + b"".join(ROWS[number] for number in numbers)


def test_without_a_filter_it_is_the_list(run: Cleaning, tmp_path: Path) -> None:
    result = restore(run, tmp_path / "list.csv")
    assert (tmp_path / "list.csv").read_bytes() == LIST
    assert isinstance(result, Restored)
    assert result.path == tmp_path / "list.csv"
    assert result.rows == {"output": 9, "kept": 2, "removed": 4, "held": 1, "unreadable": 2}
    assert result.reasons.groupby("part")["rows"].sum().to_dict() == {
        "removed": 4,
        "held": 1,
        "unreadable": 2,
    }
    assert "removed: 3 unknown_user, 1 system_full" in repr(result)
    assert "<table>" in result._repr_html_()


@pytest.mark.parametrize(
    ("filters", "numbers"),
    [
        ({"domain": "example.com"}, [1, 5]),
        ({"domain": "@Example.COM"}, [1, 5]),
        ({"domain": "bücher.example"}, [6]),
        ({"domain": ["example.org", "xn--bcher-kva.example"]}, [3, 6, 9]),
        ({"domain": "nowhere.example"}, []),
        ({"reason": "system_full"}, [3]),
        ({"reason": ["unknown_user", "the row ends before the column of addresses"]}, [1, 4, 5, 6, 7, 9]),
        ({"parts": ["held"]}, [6]),
        ({"parts": "unreadable"}, [4, 7]),
        ({"parts": []}, []),
        ({"parts": ["removed"], "domain": ["example.org"], "reason": "unknown_user"}, [9]),
        ({"between": ("2026-09-14", "2026-09-14")}, [1, 5]),
        ({"between": ("2026-09-01", "2026-09-30")}, [1, 3, 5]),
        ({"between": (date(2026, 9, 30), date(2026, 10, 1))}, [3, 6]),
        ({"between": ("2026-09-14T08:00", "2026-10-01T00:00")}, [1, 3, 5]),
        ({"between": ("2026-09-14T08:00:01", datetime(2026, 10, 1, 0, 1, tzinfo=UTC))}, [3, 6]),
        ({"between": ("2026-09-14T10:00+02:00", "2026-09-14T10:01+02:00")}, [1, 5]),
    ],
)
def test_only_what_was_asked_for(
    run: Cleaning, tmp_path: Path, filters: dict[str, Any], numbers: list[int]
) -> None:
    result = restore(run, tmp_path / "list.csv", **filters)
    assert result.path.read_bytes() == rows(*sorted([2, 8, *numbers]))
    assert result.rows["output"] == 2 + len(numbers)
    alone = restore(run.folder, tmp_path / "alone.csv", only=True, **filters)
    assert alone.path.read_bytes() == rows(*numbers)
    assert alone.rows["output"] == len(numbers)
    pd.testing.assert_frame_equal(alone.reasons, result.reasons)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "cp1252", "utf-8"])
@pytest.mark.parametrize("line_end", ["\n", "\r", "\r\n"])
def test_encodings_and_line_ends(tmp_path: Path, encoding: str, line_end: str) -> None:
    raw = line_end.join(["Größe,email", "ä,gone@example.com", "b,new@example.com", "c,full@example.org", "d"])
    run = clean(raw.encode(encoding), verdicts(), tmp_path / "run")
    assert run.rows["removed"] == 2
    assert restore(run, tmp_path / "list.csv").path.read_bytes() == raw.encode(encoding)


def test_a_packed_list_comes_back_unpacked(tmp_path: Path) -> None:
    (tmp_path / "list.csv.gz").write_bytes(gzip.compress(LIST))
    run = clean(tmp_path / "list.csv.gz", verdicts(), tmp_path / "run")
    about = json.loads(run.files["manifest"].read_text())["input"]
    assert about["bytes"] == (tmp_path / "list.csv.gz").stat().st_size
    assert about["content_bytes"] == len(LIST)
    (tmp_path / "list.csv.gz").unlink()  # the list is not needed
    assert restore(run, tmp_path / "back.csv").path.read_bytes() == LIST


@pytest.mark.parametrize("raw", [b"email\n", b"email", b"ann@example.com", b"nobody\ngone@example.com"])
def test_small_lists(tmp_path: Path, raw: bytes) -> None:
    run = clean(raw, verdicts(), tmp_path / "run", column=0)
    assert restore(run, tmp_path / "list.csv").path.read_bytes() == raw


def test_small_steps_give_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    body = b"".join(row if row.endswith(b"\n") else row + b"\n" for row in ROWS.values())
    raw = HEAD + body * 20
    monkeypatch.setattr("bounceanalytics.cleaning.lists.BLOCK", 100)
    module = importlib.import_module("bounceanalytics.cleaning.restore")  # the package calls the function so
    monkeypatch.setattr(module, "_LINES", 7)
    monkeypatch.setattr(module, "_BYTES", 30)
    run = clean(raw, verdicts(), tmp_path / "run")
    assert restore(run, tmp_path / "list.csv").path.read_bytes() == raw
    held = restore(run, tmp_path / "held.csv", parts=["held"]).path.read_bytes()
    assert held == HEAD + (ROWS[2] + ROWS[6] + ROWS[8]) * 20


@pytest.mark.parametrize("name", ["kept.csv", "removed.csv", "held.csv", "unreadable.csv", "rows.parquet"])
def test_a_file_of_the_run_was_changed_or_is_gone(run: Cleaning, tmp_path: Path, name: str) -> None:
    path = run.folder / name
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(FormatError, match=f"{name} was changed after the run"):
        restore(run, tmp_path / "list.csv")
    path.unlink()
    with pytest.raises(SourceError, match=f"{name} is missing"):
        restore(run, tmp_path / "list.csv")
    assert not (tmp_path / "list.csv").exists()


def test_what_is_no_run(run: Cleaning, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="is no folder of a run"):
        restore(tmp_path / "nothing", tmp_path / "list.csv")
    manifest = run.files["manifest"]
    told = json.loads(manifest.read_text())
    manifest.write_text(json.dumps(told | {"format": 99}))
    with pytest.raises(FormatError, match="form 99 and this version reads form 1"):
        restore(run, tmp_path / "list.csv")
    manifest.write_text("{")
    with pytest.raises(FormatError, match="cannot be read as a manifest"):
        restore(run, tmp_path / "list.csv")
    manifest.unlink()
    with pytest.raises(SourceError, match=r"holds no complete run, as manifest\.json is missing"):
        restore(run, tmp_path / "list.csv")


@pytest.mark.parametrize(
    ("filters", "words"),
    [
        ({"domain": "no domain"}, "1 of 1 domains cannot be one"),
        ({"domain": ["example.com", "ann@example.com", ""]}, "2 of 3 domains cannot be one"),
        ({"reason": "unknwon"}, "no reason 'unknwon'; those of the run are system_full, the row ends"),
        ({"parts": ["kept"]}, "no part 'kept' to give back; it may be removed, held, unreadable"),
        ({"between": "2026"}, "must be two dates or times"),
        ({"between": ("soon", "later")}, "must be two dates or times"),
        ({"between": ("2026-09-02", "2026-09-01")}, "ends before it begins"),
    ],
)
def test_what_makes_no_sense(run: Cleaning, tmp_path: Path, filters: dict[str, Any], words: str) -> None:
    with pytest.raises(FormatError, match=words) as caught:
        restore(run, tmp_path / "list.csv", **filters)
    assert "@example" not in str(caught.value)
    assert not (tmp_path / "list.csv").exists()


def test_nothing_is_overwritten_unasked(run: Cleaning, tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("old")
    with pytest.raises(OutputError, match="exists; pass overwrite=True or choose another name"):
        restore(run, tmp_path / "list.csv")
    assert restore(run, tmp_path / "list.csv", overwrite=True).path.read_bytes() == LIST
    with pytest.raises(OutputError, match="a file of the run itself"):
        restore(run, run.files["kept"], overwrite=True)
    assert restore(run, tmp_path / "new" / "folder" / "list.csv").path.read_bytes() == LIST
    assert list(tmp_path.rglob(".*")) == []


def test_a_run_that_was_moved(run: Cleaning, tmp_path: Path) -> None:
    shutil.move(run.folder, tmp_path / "elsewhere")
    assert restore(str(tmp_path / "elsewhere"), tmp_path / "list.csv").path.read_bytes() == LIST


def test_rows_that_do_not_make_up_the_list(run: Cleaning, tmp_path: Path) -> None:
    told = json.loads(run.files["manifest"].read_text())
    told["input"]["content_sha256"] = "0" * 64
    run.files["manifest"].write_text(json.dumps(told))
    with pytest.raises(BounceAnalyticsError, match="do not make up the list"):
        restore(run, tmp_path / "list.csv")
    assert not (tmp_path / "list.csv").exists()

"""Lists that are packed, or lie elsewhere, are cleaned as if they lay there as a file: whole, or not at all."""

from __future__ import annotations

import bz2
import functools
import gzip
import hashlib
import io
import json
import lzma
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from bounceanalytics.cleaning import Cleaning, clean, diff, restore
from bounceanalytics.deciding import decide
from bounceanalytics.errors import BounceAnalyticsError, FormatError, OutputError, SourceError
from bounceanalytics.suppressing import hash_addresses, match_hashes
from tests.classified import classified
from tests.cleaning.workbook import workbook
from tests.packing import tarred, zipped, zstd

#: Semicolons, a quoted line break, no UTF-8, no line end at the end: whatever must not be written anew.
LIST = (
    "Größe;E-Mail\r\n"
    'x;gone@example.com\r\n"two\r\nlines";ann@example.com\r\nb;GONE@Example.com \r\n;nobody\r\né;bo@example.com'
).encode("cp1252")
KEPT = 'Größe;E-Mail\r\n"two\r\nlines";ann@example.com\r\né;bo@example.com'.encode("cp1252")
OTHER = b"email\ncy@example.com\n"


@pytest.fixture(scope="module")
def verdicts() -> pd.DataFrame:
    return decide(classified([{"recipient": "gone@example.com"}]))


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstd,
    "zip": lambda content: zipped({"in/customers.csv": content}),
    "tar": lambda content: tarred({"in/customers.csv": content}),
    "tar.gz": lambda content: gzip.compress(tarred({"in/customers.csv": content})),
    "tar.xz": lambda content: lzma.compress(tarred({"in/customers.csv": content})),
    "gzip in zip": lambda content: zipped({"customers.csv.gz": gzip.compress(content)}),
    "zip in zip": lambda content: zipped({"in.zip": zipped({"customers.csv": content})}),
    "gzip in gzip": lambda content: gzip.compress(gzip.compress(content)),
}
ARCHIVES = ("zip", "tar", "tar.gz", "tar.xz", "gzip in zip", "zip in zip")


def manifest(run: Cleaning) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(run.files["manifest"].read_text(encoding="utf-8"))
    return content


def told(run: Cleaning) -> dict[str, Any]:
    about: dict[str, Any] = manifest(run)["input"]
    return about


@pytest.mark.parametrize("kind", PACKERS)
def test_every_packing_gives_the_same_rows_and_gives_them_back(
    kind: str, verdicts: pd.DataFrame, tmp_path: Path
) -> None:
    packed = PACKERS[kind](LIST)
    source = tmp_path / "list.bin"
    source.write_bytes(packed)
    run = clean(source, verdicts, tmp_path / "out")
    assert run.rows == {"input": 5, "kept": 2, "removed": 2, "held": 0, "unreadable": 1}
    assert run.files["kept"].read_bytes() == KEPT
    assert restore(run, tmp_path / "back.csv").path.read_bytes() == LIST
    about = told(run)
    assert about["name"] == ("list.bin" if about["member"] is None else f"list.bin/{about['member']}")
    assert (about["member"] is not None) == (kind in ARCHIVES)
    assert (about["bytes"], about["sha256"]) == (len(packed), hashlib.sha256(packed).hexdigest())
    assert (about["content_bytes"], about["content_sha256"]) == (
        len(LIST),
        hashlib.sha256(LIST).hexdigest(),
    )
    plain = clean(LIST, verdicts, tmp_path / "plain")
    for part in ("removed", "unreadable", "duplicates"):
        assert run.files[part].read_bytes() == plain.files[part].read_bytes()
    assert diff(plain, run).empty


@functools.cache
def long_list(kind: str) -> bytes:
    rows = "".join(
        f"{number};reader-{hashlib.sha256(str(number).encode()).hexdigest()}@example.com\n"
        for number in range(20_000)
    )
    return PACKERS[kind](b"id;email\n" + rows.encode())


@pytest.mark.parametrize("damage", ["cut", "flipped"])
@pytest.mark.parametrize("kind", PACKERS)
def test_half_a_list_is_never_cleaned(kind: str, damage: str, verdicts: pd.DataFrame, tmp_path: Path) -> None:
    packed = bytearray(long_list(kind))
    if damage == "cut":
        del packed[len(packed) // 3 * 2 :]
    else:
        middle = len(packed) // 2
        packed[middle : middle + 64] = bytes(one ^ 0x5A for one in packed[middle : middle + 64])
    if damage == "flipped" and kind in {"tar", "zstd"}:
        return  # they have no check sums of their content
    source = tmp_path / "list.bin"
    source.write_bytes(packed)
    with pytest.raises(SourceError, match=r"damaged.*fetch it again") as caught:
        clean(source, verdicts, tmp_path / "out")
    assert "\n" not in str(caught.value)
    assert [one.name for one in tmp_path.iterdir()] == ["list.bin"]


@pytest.mark.parametrize("kind", PACKERS)
def test_an_archive_cut_anywhere_is_no_shorter_list(
    kind: str, verdicts: pd.DataFrame, tmp_path: Path
) -> None:
    packed = PACKERS[kind](LIST)
    for length in range(30, len(packed), max(len(packed) // 40, 1)):
        if kind == "tar" and length >= 512 + 512:
            break  # what follows the content is padding
        try:
            run = clean(packed[:length], verdicts, tmp_path / f"out-{length}")
        except BounceAnalyticsError:
            assert list(tmp_path.iterdir()) == []
        else:  # only what stands behind the list was lost
            assert restore(run, tmp_path / "back.csv").path.read_bytes() == LIST
            break


def test_of_an_archive_the_one_list_is_taken(verdicts: pd.DataFrame, tmp_path: Path) -> None:
    archive = zipped(
        {
            "README.txt": b"call the printer",
            "__MACOSX/._customers.csv": b"email\nx@example.com\n",
            "orders.csv": b"id,price\n1,3.50\n",
            "logo.png": b"\x89PNG\r\n\x1a\n\x00\x00",
            "empty.csv": b"",
            "customers.csv": LIST,
        }
    )
    run = clean(archive, verdicts, tmp_path / "out")
    assert run.files["kept"].read_bytes() == KEPT
    assert (told(run)["name"], told(run)["member"]) == ("the list/customers.csv", "customers.csv")


def test_of_several_lists_one_has_to_be_named(verdicts: pd.DataFrame, tmp_path: Path) -> None:
    source = tmp_path / "lists.zip"
    source.write_bytes(zipped({"in/a.csv": LIST, "b.csv": OTHER, "notes.txt": b"nothing"}))
    with pytest.raises(FormatError) as caught:
        clean(source, verdicts, tmp_path / "out")
    assert str(caught.value) == (
        "lists.zip holds 2 mailing lists: in/a.csv, b.csv; name one of them, as in lists.zip/in/a.csv"
    )
    run = clean(f"{source}/in/a.csv", verdicts, tmp_path / "out")
    assert run.files["kept"].read_bytes() == KEPT
    assert told(run)["name"] == "lists.zip/in/a.csv"
    assert clean(source / "b.csv", verdicts, tmp_path / "b").rows["input"] == 1
    with pytest.raises(
        SourceError, match=r"^lists\.zip holds no file c\.csv; there are in/a\.csv, b\.csv, no"
    ):
        clean(source / "c.csv", verdicts, tmp_path / "c")
    with pytest.raises(FormatError, match="no column looks like e-mail addresses"):
        clean(source / "notes.txt", verdicts, tmp_path / "c")
    # the archive itself is never replaced
    named = tmp_path / "kept.csv"
    named.write_bytes(source.read_bytes())
    with pytest.raises(OutputError, match="is the list itself"):
        clean(named / "b.csv", verdicts, tmp_path, overwrite=True)


def test_an_archive_without_a_list_says_what_it_holds(verdicts: pd.DataFrame, tmp_path: Path) -> None:
    files = {f"ann@example.com-{number}.txt": b"nothing" for number in range(25)}
    with pytest.raises(FormatError) as caught:
        clean(zipped(files), verdicts, tmp_path / "out")
    assert str(caught.value).startswith("the list holds no mailing list with a column of addresses, only …@")
    assert str(caught.value).endswith("and 5 more")
    assert "ann@" not in str(caught.value)


def test_a_damaged_file_beside_the_list_is_told(verdicts: pd.DataFrame, tmp_path: Path) -> None:
    cut = gzip.compress(OTHER * 1000)[:-20]
    many = b"email\n" + b"".join(b"%d@example.com\n" % number for number in range(100_000))
    with pytest.raises(
        SourceError, match=r"^the list/b\.csv\.gz is damaged or ends too early; fetch it again"
    ):
        clean(zipped({"a.txt": b"x", "b.csv.gz": cut}), verdicts, tmp_path / "out")
    with pytest.raises(SourceError, match=r"^the list/b\.csv\.bz2 is damaged or ends too early"):
        clean(
            zipped({"a.csv": LIST, "b.csv.bz2": bz2.compress(many)[:-20]}),
            verdicts,
            tmp_path / "out",
        )


def test_workbooks_in_archives(verdicts: pd.DataFrame, tmp_path: Path) -> None:
    book = workbook(People=[["id", "email"], ["1", "gone@example.com"], ["2", "ann@example.com"]])
    for content, name in (
        (zipped({"people.xlsx": book}), "the list/people.xlsx"),
        (gzip.compress(book), "the list"),
    ):
        run = clean(content, verdicts, tmp_path / name[-4:])
        assert (run.rows["kept"], run.rows["removed"]) == (1, 1)
        about = told(run)
        assert (about["name"], about["sheet"]) == (name, "People")
        assert about["sha256"] == hashlib.sha256(content).hexdigest()
        assert (
            restore(run, tmp_path / "back.csv", overwrite=True)
            .path.read_bytes()
            .startswith(b"\xef\xbb\xbfid,email")
        )


def test_open_files_standard_input_and_urls(
    verdicts: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fsspec = pytest.importorskip("fsspec")
    memory = fsspec.filesystem("memory")
    memory.store.clear()
    memory.pipe("/lists/a.zip", zipped({"a.csv": LIST}))
    memory.pipe("/lists/b.csv", OTHER)
    path = tmp_path / "secret folder" / "list.csv"
    path.parent.mkdir()
    path.write_bytes(LIST)
    with path.open("rb") as file:
        runs = {
            "list.csv": clean(file, verdicts, tmp_path / "1"),
            "memory://lists/a.zip/a.csv": clean("memory://lists/a.zip", verdicts, tmp_path / "2"),
            "the list": clean(io.BytesIO(LIST), verdicts, tmp_path / "3"),
        }
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(gzip.compress(LIST))))
    runs |= {"<stdin>": clean("-", verdicts, tmp_path / "4")}
    for name, run in runs.items():
        assert told(run)["name"] == name.replace("<stdin>", "the list")
        assert run.files["kept"].read_bytes() == KEPT
        assert "secret folder" not in json.dumps(manifest(run))
        assert restore(run, tmp_path / "back.csv", overwrite=True).path.read_bytes() == LIST
    with pytest.raises(SourceError, match=r"memory://lists stands for 2 files; name one of them"):
        clean("memory://lists", verdicts, tmp_path / "5")
    (path.parent / "other.csv").write_bytes(OTHER)
    with pytest.raises(SourceError, match=r"2 files match .*; name one of them"):
        clean(f"{path.parent}/*.csv", verdicts, tmp_path / "5")
    with pytest.raises(SourceError, match="several files were given; give one of them"):
        clean([path, path], verdicts, tmp_path / "5")  # type: ignore[arg-type]
    with pytest.raises(SourceError, match="is a folder; name a file in it"):
        clean(path.parent, verdicts, tmp_path / "5")
    assert clean(f"{path.parent}/l*.csv", verdicts, tmp_path / "5").rows["input"] == 5


def test_what_was_unpacked_is_removed(
    verdicts: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    clean(zipped({"a.csv": LIST}), verdicts, tmp_path / "out")
    with pytest.raises(FormatError):
        clean(zipped({"a.csv": LIST, "b.csv": OTHER}), verdicts, tmp_path / "other")
    assert list((tmp_path / "temporary").iterdir()) == []


def test_wide_lists_stay_as_they_are(verdicts: pd.DataFrame, tmp_path: Path) -> None:
    for encoding in ("utf-16", "utf-16-be", "utf-32", "utf-32-be"):
        raw = LIST.decode("cp1252").encode(encoding)
        run = clean(zipped({"a.csv": raw}), verdicts, tmp_path / encoding)
        assert run.files["kept"].read_bytes() == KEPT.decode("cp1252").encode(encoding)
        assert "nobody;no @;4" in run.files["unreadable"].read_bytes().decode(encoding)
        assert restore(run, tmp_path / f"{encoding}.csv").path.read_bytes() == raw


def test_hashes_meet_a_packed_list(tmp_path: Path) -> None:
    source = tmp_path / "list.zip"
    source.write_bytes(zipped({"a.csv": LIST}))
    hashes = hash_addresses(["gone@example.com"])
    for given in (source, source.read_bytes(), io.BytesIO(LIST)):
        assert match_hashes(given, hashes)["address"].tolist() == ["gone@example.com"]

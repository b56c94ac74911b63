"""Snappy as programs write it: whole, cut, damaged, and made to fill a disk."""

from __future__ import annotations

import io
import json
import random
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

import bounceanalytics as ba
from bounceanalytics.opening.sources import open_sources

ROWS = 40
LINES = b"".join(
    json.dumps(
        {
            "email": f"ann{n}@example.com",
            "event": "bounce",
            "timestamp": 1773130520 + n,
            "sg_event_id": f"{n:032x}",
        }
    ).encode()
    + b"\n"
    for n in range(ROWS)
)


def raw(content: bytes) -> bytes:
    return pa.compress(content, codec="snappy", asbytes=True)


def framed(content: bytes) -> bytes:
    out = b"\xff\x06\x00\x00sNaPpY"
    for start in range(0, len(content), 1000):
        piece = content[start : start + 1000]
        kind, body = (b"\x00", raw(piece)) if start % 2000 else (b"\x01", piece)
        out += kind + (len(body) + 4).to_bytes(3, "little") + b"\0\0\0\0" + body
        out += b"\xfe\x03\x00\x00pad"
    return out


def hadoop(content: bytes) -> bytes:
    out = b""
    for start in range(0, len(content), 2000):
        block = content[start : start + 2000]
        halves = [raw(block[:1000]), raw(block[1000:])] if len(block) > 1000 else [raw(block)]
        out += struct.pack(">I", len(block)) + b"".join(struct.pack(">I", len(one)) + one for one in halves)
    return out


def xerial(content: bytes) -> bytes:
    out = b"\x82SNAPPY\x00" + struct.pack(">II", 1, 1)
    for start in range(0, len(content), 1500):
        packed = raw(content[start : start + 1500])
        out += struct.pack(">I", len(packed)) + packed
    return out


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "snappy": raw,
    "sz": framed,
    "hadoop": hadoop,
    "kafka": xerial,
}


def unpacked(path: Path, folder: Path) -> bytes:
    (source,) = open_sources(path, str(folder))
    with source.open() as stream:
        return stream.read()


@pytest.mark.parametrize("kind", PACKERS)
def test_events_are_loaded(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"events.{kind}"
    path.write_bytes(PACKERS[kind](LINES))
    load = ba.load(path)
    assert load.files[["records", "loaded", "rejected", "note"]].to_numpy().tolist() == [[ROWS, ROWS, 0, ""]]
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.write(path, f"day/{path.name}")
    assert len(ba.read(tmp_path / "all.zip")) == ROWS
    found = ba.read_table(path, {"recipient": "email"})
    assert len(found) == ROWS


def test_a_list_is_cleaned(tmp_path: Path) -> None:
    (tmp_path / "list.csv.sz").write_bytes(framed(b"email\nann1@example.com\nbo@example.com\n"))
    frame = ba.classify(ba.read(LINES))
    assert ba.clean(tmp_path / "list.csv.sz", frame, out=tmp_path / "out").rows["input"] == 2


@pytest.mark.parametrize("kind", PACKERS)
def test_of_a_cut_file_what_is_there_is_read(kind: str, tmp_path: Path) -> None:
    whole = PACKERS[kind](LINES)
    path, folder = tmp_path / f"cut.{kind}", tmp_path / "work"
    folder.mkdir()
    least = 0
    for size in [*range(20, len(whole), len(whole) // 25), len(whole) - 1]:
        path.write_bytes(whole[:size])
        try:
            content = unpacked(path, folder)
        except ba.SourceError as error:
            assert "damaged" in str(error)  # noqa: PT017
            assert size < 40
            continue
        assert LINES.startswith(content)
        assert len(content) >= least
        least = len(content)
    assert least > 0.9 * len(LINES)
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.warns(ba.RejectedRecordsWarning, match="could not be read as a whole"):
        load = ba.load(path)
    (file,) = load.files.to_dict("records")
    assert file["records"] == file["loaded"] + file["rejected"]
    assert file["loaded"] > ROWS // 4
    assert "a Snappy file that is damaged or ends too early: what is left of it was read" in file["note"]


@pytest.mark.parametrize("kind", PACKERS)
def test_damage_is_never_an_exception_of_another_kind(kind: str, tmp_path: Path) -> None:
    chance = random.Random(kind)  # noqa: S311
    folder = tmp_path / "work"
    folder.mkdir()
    for number in range(60):
        spoiled = bytearray(PACKERS[kind](LINES[:3000]))
        for _ in range(chance.randint(1, 4)):
            spoiled[chance.randrange(len(spoiled))] = chance.randrange(256)
        path = tmp_path / f"{number}.{kind}"
        path.write_bytes(spoiled)
        try:
            unpacked(path, folder)
        except ba.SourceError as error:
            assert str(path) in str(error)  # noqa: PT017


@pytest.mark.filterwarnings("ignore::bounceanalytics.RejectedRecordsWarning")
def test_a_length_that_cannot_be_asks_for_no_memory(tmp_path: Path) -> None:
    block = raw(LINES)
    said = b"\xff\xff\xff\xff\x0f" + block[2:]
    (tmp_path / "large.sz").write_bytes(
        b"\xff\x06\x00\x00sNaPpY\x00" + (len(said) + 4).to_bytes(3, "little") + b"\0\0\0\0" + said
    )
    load = ba.load(tmp_path / "large.sz")
    assert len(load.events) == ROWS
    assert "damaged" in load.files["note"][0]


def test_what_unpacks_without_bounds_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bounceanalytics.opening.archives.FLOOR", 100_000)
    monkeypatch.setattr("bounceanalytics.opening.archives.MAX_RATIO", 5)
    (tmp_path / "bomb.snappy").write_bytes(raw(b" " * 1_000_000))
    with pytest.raises(ba.SourceError, match="unpacks to more than"):
        ba.load(tmp_path / "bomb.snappy")


def test_a_text_by_that_name_stays_text(tmp_path: Path) -> None:
    (tmp_path / "plain.snappy").write_bytes(LINES)
    assert len(ba.read(tmp_path / "plain.snappy")) == ROWS
    assert len(ba.read(io.BytesIO(framed(LINES)))) == ROWS

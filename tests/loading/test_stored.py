"""Tables that are no text are read alike: Parquet, Feather, ORC and Avro."""

from __future__ import annotations

import json
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fastavro
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.orc
import pyarrow.parquet
import pytest

import bounceanalytics as ba

Rows = list[dict[str, Any]]

PLAIN = [
    {"email": f"ann{n}@example.com", "event": "bounce", "timestamp": 1773130520 + n, "sg_event_id": f"{n}x"}
    | {"status": "5.1.1", "reason": "550 5.1.1 no such user", "type": "bounce"}
    for n in range(3)
]
BOUNCED = {"emailAddress": "lou@example.com", "status": "5.1.1", "diagnosticCode": "smtp; 550 5.1.1 unknown"}
NESTED = [
    {
        "eventType": "Bounce",
        "bounce": {
            "bounceType": "Permanent",
            "bounceSubType": "General",
            "feedbackId": "f1",
            "timestamp": "2026-03-10T08:15:20.000Z",
            "bouncedRecipients": [BOUNCED, BOUNCED | {"emailAddress": "kim@example.com"}],
        },
        "mail": {
            "messageId": "m1",
            "timestamp": "2026-03-10T08:15:10.000Z",
            "destination": ["x@example.com"],
        },
    }
]
QUEUED = [{"key": "1", "value": json.dumps(NESTED[0]).encode()}]


def avro_type(value: Any, name: str = "row") -> Any:
    if isinstance(value, dict):
        fields = [{"name": key, "type": avro_type(one, f"{name}_{key}")} for key, one in value.items()]
        return {"type": "record", "name": name, "fields": fields}
    if isinstance(value, list):
        return {"type": "array", "items": avro_type(value[0], name)}
    kinds = {str: ["null", "string"], bytes: "bytes", int: "long", float: "double", bool: "boolean"}
    return ["null", "double"] if value is None else kinds[type(value)]


def to_avro(rows: Rows, path: Path, codec: str = "deflate") -> None:
    with path.open("wb") as file:
        fastavro.writer(file, avro_type(rows[0]), rows, codec=codec, sync_interval=200)


WRITERS: dict[str, Callable[[Rows, Path], object]] = {
    "parquet": lambda rows, path: pa.parquet.write_table(pa.Table.from_pylist(rows), path),
    "feather": lambda rows, path: pa.feather.write_feather(pa.Table.from_pylist(rows), path),
    "orc": lambda rows, path: pa.orc.write_table(pa.Table.from_pylist(rows), path),
    "avro": to_avro,
}


@pytest.mark.parametrize("rows", [PLAIN, NESTED, QUEUED], ids=["plain", "nested", "queued"])
@pytest.mark.parametrize("kind", WRITERS)
def test_events_are_those_of_json(kind: str, rows: Rows, tmp_path: Path) -> None:
    WRITERS[kind](rows, tmp_path / "events.bin")
    given = NESTED if rows is QUEUED else rows
    expected = ba.read(json.dumps(given).encode())
    load = ba.load(tmp_path / "events.bin")
    load.check()
    pd.testing.assert_frame_equal(load.events.drop(columns="source"), expected.drop(columns="source"))
    assert load.files[["records", "loaded", "rejected"]].to_numpy().tolist() == [[len(rows), len(rows), 0]]
    assert len(ba.convert(tmp_path / "events.bin", tmp_path / "set")) == len(expected)


@pytest.mark.parametrize("kind", WRITERS)
def test_a_table_that_nobody_foresaw(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "table.bin"
    rows = [
        {"who": "ann@example.com", "why": "550 5.1.1 no", "n": 1.5},
        {"who": "bo@example.com", "why": None, "n": 2.0},
    ]
    WRITERS[kind](rows, path)
    with pytest.raises(ba.FormatError, match=r"file with the columns who, why, n, .*\"recipient\": 'who'"):
        ba.load(path)
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.write(path, "day/table.bin")
    for source in (path, tmp_path / "all.zip"):
        found = ba.read_table(source, {"recipient": "who", "diagnostic": "why", "attempt": "n"})
        assert found["enhanced_code"].fillna("").tolist() == ["5.1.1", ""]
    with pytest.raises(ba.FormatError, match="there is no column 'whom'"):
        ba.read_table(path, {"recipient": "whom"})


@pytest.mark.parametrize("kind", WRITERS)
def test_damage_is_named(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "events.bin"
    WRITERS[kind](PLAIN, path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 3])
    for read in (ba.load, lambda source: ba.read_table(source, {"recipient": "email"})):
        with pytest.raises(
            ba.FormatError, match=r"events\.bin is an? \w+ file that is damaged; export it again"
        ):
            read(path)
    (tmp_path / "more.json").write_text(json.dumps(PLAIN))
    load = ba.load(tmp_path)
    assert len(load.events) == len(PLAIN)
    assert "damaged" in load.files.set_index("records").loc[0, "note"]


def test_of_a_cut_file_the_rows_before_it_are_read(tmp_path: Path) -> None:
    rows = [row | {"sg_event_id": f"{n}-{row['sg_event_id']}"} for n in range(100) for row in PLAIN]
    to_avro(rows, tmp_path / "events.avro")
    content = (tmp_path / "events.avro").read_bytes()
    (tmp_path / "events.avro").write_bytes(content[: len(content) * 2 // 3])
    load = ba.load(tmp_path / "events.avro")
    load.check()
    assert 150 < len(load.events) < 250
    (error,) = load.rejects["error"]
    assert error == "from here on, the file is an Avro file that is damaged; export it again"


@pytest.mark.parametrize("codec", ["null", "bzip2", "xz", "snappy"])
def test_avro_however_it_is_packed(codec: str, tmp_path: Path) -> None:
    to_avro(PLAIN, tmp_path / "events.avro", codec)
    assert len(ba.read(tmp_path / "events.avro")) == len(PLAIN)


def test_avro_of_nothing_but_texts(tmp_path: Path) -> None:
    with (tmp_path / "events.avro").open("wb") as file:
        fastavro.writer(file, "string", [json.dumps(NESTED[0])])
    assert len(ba.read(tmp_path / "events.avro")) == 2


def test_what_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "events.avro"
    to_avro(PLAIN, path)
    monkeypatch.setitem(fastavro._read.BLOCK_READERS, "deflate", missing)
    with pytest.raises(ba.FormatError, match=r"packed with deflate, which needs cramjam; pip install"):
        ba.load(path)
    monkeypatch.setitem(sys.modules, "fastavro", None)
    for read in (ba.load, lambda source: ba.read_table(source, {"recipient": "email"})):
        with pytest.raises(
            ba.MissingExtraError, match=r"events\.avro is an Avro file.*bounceanalytics\[avro\]'$"
        ):
            read(path)
    (tmp_path / "more.json").write_text(json.dumps(PLAIN))
    assert "bounceanalytics[avro]" in ba.load(tmp_path).files["note"][0]


def missing(_: object) -> None:
    raise ValueError("deflate codec is supported but you need to install cramjam")


def test_a_text_is_none_of_these(tmp_path: Path) -> None:
    (tmp_path / "events.csv").write_text("ORCID,Mail\n1,ann@example.com\n")
    assert len(ba.read_table(tmp_path / "events.csv", {"recipient": "mail"})) == 1

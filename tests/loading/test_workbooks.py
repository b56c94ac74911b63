"""Workbooks of every make: the sheets of .xls and .ods count as files, as those of .xlsx do."""

from __future__ import annotations

import io
import struct
import zipfile
from datetime import datetime
from pathlib import Path

import pandas as pd
import pytest

import bounceanalytics as ba
from tests.classified import classified

#: Written by xlwt: "bounces" (with the index of a frame, and times), an empty sheet, and "blocks" (times as texts).
XLS = (Path(__file__).parent / "bounces.xls").read_bytes()

SHEETS: dict[str, list[list[str | float | datetime | None]]] = {
    "bounces": [
        [None, "email", "status", "reason", "created"],
        [0, "ann@example.com", "5.1.1", "550 5.1.1 no such user", datetime(2026, 3, 10, 8, 15, 20)],
        [1, "bo@example.com", "550", "550 no", datetime(2026, 3, 11, 9)],
    ],
    "empty": [],
    "blocks": [["email", "reason", "created"], ["cy@example.com", "421 later", "1773130520"]],
}
_ODS = "urn:oasis:names:tc:opendocument:xmlns"


def ods(sheets: dict[str, list[list[str | float | datetime | None]]], *, encrypted: bool = False) -> bytes:
    def cell(value: str | float | datetime | None) -> str:
        if value is None:
            return "<table:table-cell/>"
        if isinstance(value, datetime):
            return f'<table:table-cell office:value-type="date" office:date-value="{value.isoformat()}"/>'
        if isinstance(value, str):
            return f'<table:table-cell office:value-type="string"><text:p>{value}</text:p></table:table-cell>'
        return f'<table:table-cell office:value-type="float" office:value="{value}"/>'

    tables = "".join(
        f'<table:table table:name="{name}">'
        + "".join(f"<table:table-row>{''.join(map(cell, row))}</table:table-row>" for row in rows)
        + "</table:table>"
        for name, rows in sheets.items()
    )
    inside = '<manifest:encryption-data manifest:checksum="x"/>' if encrypted else ""
    files = {
        "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
        "META-INF/manifest.xml": f'<manifest:manifest xmlns:manifest="{_ODS}:manifest:1.0">'
        f'<manifest:file-entry manifest:full-path="content.xml">{inside}</manifest:file-entry></manifest:manifest>',
        "content.xml": f'<office:document-content xmlns:office="{_ODS}:office:1.0" xmlns:table="{_ODS}:table:1.0"'
        f' xmlns:text="{_ODS}:text:1.0"><office:body><office:spreadsheet>{tables}</office:spreadsheet></office:body>'
        "</office:document-content>",
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def renamed(name: str) -> bytes:
    """Return the .xls with its stream under another name, as Office calls that of a workbook with a password."""
    content = bytearray(XLS)
    place = content.index("Workbook".encode("utf-16-le"))
    content[place : place + 66] = name.encode("utf-16-le").ljust(64, b"\0") + struct.pack(
        "<H", 2 * len(name) + 2
    )
    return bytes(content)


BOOKS = {"xls": XLS, "ods": ods(SHEETS)}
_WHO = XLS.index(struct.pack("<HH", 0x5C, 112))  # the record of who wrote it gives way to that of a password
LOCKED = {
    "xls": XLS[:_WHO] + struct.pack("<HHHHH", 0x2F, 112, 1, 1, 1) + XLS[_WHO + 10 :],
    "old.xls": XLS[:_WHO] + struct.pack("<HHHHH", 0x2F, 6, 0, 1, 2) + XLS[_WHO + 10 :],
    "ods": ods(SHEETS, encrypted=True),
    "xlsx": renamed("EncryptedPackage"),
}


@pytest.mark.parametrize("kind", BOOKS)
def test_each_sheet_is_a_file(kind: str, tmp_path: Path) -> None:
    (tmp_path / f"book.{kind}").write_bytes(BOOKS[kind])
    load = ba.load(tmp_path / f"book.{kind}", timezone="UTC")
    load.check()
    counts = load.files[["form", "records", "loaded", "rejected"]].to_numpy().tolist()
    assert counts == [["suppression list: bounces", 2, 2, 0], ["suppression list: blocks", 1, 1, 0]]
    events = load.events
    assert events["recipient"].tolist() == ["ann@example.com", "bo@example.com", "cy@example.com"]
    assert events["enhanced_code"].fillna("").tolist() == ["5.1.1", "", ""]
    assert events["timestamp"].tolist() == [
        pd.Timestamp(at, tz="UTC")
        for at in ("2026-03-10 08:15:20", "2026-03-11 09:00", "2026-03-10 08:15:20")
    ]


@pytest.mark.parametrize("kind", BOOKS)
def test_a_table_and_a_list(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"book.{kind}"
    path.write_bytes(BOOKS[kind] if kind == "xls" else ods({"one": SHEETS["bounces"]}))
    if kind == "ods":
        found = ba.read_table(
            path, {"recipient": "email", "diagnostic": "reason", "timestamp": "created"}, timezone="UTC"
        )
        assert found["enhanced_code"].fillna("").tolist() == ["5.1.1", ""]
        frame = classified([{"recipient": "ann@example.com"}])
        assert ba.clean(path, frame, out=tmp_path / "out").rows["input"] == 2
    else:
        with pytest.raises(
            ba.FormatError, match="more than one sheet has a column of addresses: 'bounces', 'blocks'"
        ):
            ba.clean(path, classified([{"recipient": "ann@example.com"}]), out=tmp_path / "out")


@pytest.mark.parametrize("kind", LOCKED)
def test_a_password_is_one_sentence(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"book.{kind}"
    path.write_bytes(LOCKED[kind])
    frame = classified([{"recipient": "ann@example.com"}])
    for read in (
        ba.load,
        lambda source: ba.read_table(source, {"recipient": "email"}),
        lambda source: ba.clean(source, frame, out=tmp_path / "out"),
    ):
        with pytest.raises(
            (ba.SourceError, ba.FormatError), match="a password; save it without one, or as CSV"
        ):
            read(path)
    (tmp_path / "more.csv").write_text(
        "EmailAddress,Reason,LastUpdateTime\nbo@example.com,BOUNCE,2026-03-10T08:15:20Z\n"
    )
    assert "password" in ba.load(tmp_path).files["note"][0]

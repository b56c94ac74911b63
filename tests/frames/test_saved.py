"""Frames that pandas has saved come back from load as they were."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Literal

import pandas as pd
import pytest

import bounceanalytics as ba
from bounceanalytics import schema
from tests.classified import classified


def to_excel(frame: pd.DataFrame, path: Path) -> None:
    # pandas writes no times with a zone into a workbook
    frame.assign(timestamp=frame["timestamp"].dt.tz_localize(None)).to_excel(path)


SAVED: dict[str, Callable[[pd.DataFrame, Path], object]] = {
    "csv": pd.DataFrame.to_csv,
    "plain.csv": lambda frame, path: frame.to_csv(path, index=False),
    "semicolons.csv": lambda frame, path: frame.to_csv(path, sep=";"),
    "csv.gz": pd.DataFrame.to_csv,
    "parquet": pd.DataFrame.to_parquet,
    "feather": pd.DataFrame.to_feather,
    "xlsx": to_excel,
    **{
        f"{orient}.json": partial(pd.DataFrame.to_json, orient=orient, date_format="iso", date_unit="us")
        for orient in ("records", "columns", "split", "index", "values", "table")
    },
    "ndjson": lambda frame, path: frame.to_json(
        path, orient="records", lines=True, date_format="iso", date_unit="us"
    ),
    "orc": lambda frame, path: frame.astype(dict.fromkeys(frame.select_dtypes("category"), "str")).to_orc(
        path
    ),
}


@pytest.fixture(scope="module")
def some(bounces: pd.DataFrame) -> pd.DataFrame:
    odd = [
        {"recipient": "ann@example.com", "tags": ['say "hi"', "a,b;c", "['x']", "ü\n"]},
        {
            "recipient": "bo@bücher.example",
            "domain": "xn--bcher-kva.example",
            "diagnostic": "550 5.1.1 \"no, such\" user;\n'x'",
            "source": "NA",
        },
        {"recipient": None, "event": "other", "timestamp": pd.Timestamp("2026-03-02T10:00:00.123456Z")},
    ]
    told = classified(odd).astype({"mailbox_provider": bounces["mailbox_provider"].dtype})
    kinds = bounces.groupby(["provider", "event", "reason"], observed=True, dropna=False)
    return pd.concat([kinds.head(2), told], ignore_index=True)


@pytest.mark.parametrize("verdicts", [True, False], ids=["classified", "events"])
@pytest.mark.parametrize("form", SAVED)
def test_a_saved_frame_comes_back(form: str, verdicts: bool, some: pd.DataFrame, tmp_path: Path) -> None:
    frame = some if verdicts else some[list(schema.EVENT_COLUMNS.names)]
    if form == "xlsx":  # whose times end with milliseconds
        frame = frame.assign(timestamp=frame["timestamp"].dt.floor("ms").astype(schema.TIME))
    path = tmp_path / f"frame.{form}"
    SAVED[form](frame, path)
    load = ba.load(path)
    pd.testing.assert_frame_equal(load.events, frame)
    for name in frame.select_dtypes("category"):
        assert load.events[name].cat.categories.tolist() == frame[name].cat.categories.tolist()
    (file,) = load.files[["form", "records", "loaded", "rejected"]].to_dict("split")["data"]
    assert file == ["event frame", len(frame), len(frame), 0]


def test_rows_that_are_none_are_rejected_one_by_one(some: pd.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "frame.csv"
    some.iloc[:5].astype({"event": "str"}).replace({"event": {some["event"].iloc[2]: "bounced!"}}).to_csv(
        path
    )
    wrong = (some["event"].iloc[:5] == some["event"].iloc[2]).sum()
    with path.open("a") as file:
        file.write("half a row,ses\n")
    load = ba.load(path)
    assert len(load.events) == 5 - wrong
    assert len(load.rejects) == wrong + 1
    assert load.rejects["error"].str.contains("its event is none").sum() == wrong
    load.check()


def test_beside_exports_it_is_events(some: pd.DataFrame, samples: Path, tmp_path: Path) -> None:
    some.to_parquet(tmp_path / "ours.parquet")
    export = next((samples / "exports" / "mailgun").glob("events*.json"))
    (tmp_path / export.name).write_bytes(export.read_bytes())
    load = ba.load(tmp_path)
    pd.testing.assert_frame_equal(
        load.events.dtypes.to_frame(), schema.EVENT_COLUMNS.empty().dtypes.to_frame()
    )
    assert len(load.events) == len(some) + len(ba.load(export).events)


def test_a_saved_frame_is_converted_and_counts_once(some: pd.DataFrame, tmp_path: Path) -> None:
    some.to_parquet(tmp_path / "all.parquet")
    some.iloc[:90].to_csv(tmp_path / "some.csv")
    dataset = ba.convert([tmp_path / "all.parquet", tmp_path / "some.csv"], tmp_path / "dataset")
    assert len(dataset) == len(some)
    assert set(dataset.to_pandas()["source"]) == set(some["source"])
    assert len(ba.load([tmp_path / "all.parquet", tmp_path / "some.csv"]).events) == len(some)


def test_other_files_of_these_kinds_are_no_frames(tmp_path: Path) -> None:
    other = pd.DataFrame({"email": ["ann@example.com"], "said": ["550 no"]})
    for form in ("parquet", "feather", "xlsx"):
        path = tmp_path / f"other.{form}"
        {
            "parquet": other.to_parquet,
            "feather": other.to_feather,
            "xlsx": partial(other.to_excel, index=False),
        }[form](path)
        with pytest.raises(ba.FormatError, match=r"email.*read_table"):
            ba.load(path)
    for name, content in {"cut.parquet": b"PAR1xx", "cut.feather": b"ARROW1\0\0xx"}.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ba.FormatError):
            ba.load(tmp_path / name)
    with zipfile.ZipFile(tmp_path / "letter.docx", "w") as file:
        file.writestr("[Content_Types].xml", "<Types/>")
        file.writestr("word/document.xml", "<w/>")
    with pytest.raises(ba.FormatError):
        ba.load(tmp_path / "letter.docx")


@pytest.mark.parametrize("orient", ["records", "columns", "split", "index", "table"])
def test_any_table_that_pandas_has_saved_as_json(orient: Literal["split"], tmp_path: Path) -> None:
    frame = pd.DataFrame({"email": ["ann@example.com", "bo@example.com"], "status": ["5.1.1", "5.2.1"]})
    content = frame.to_json(orient=orient).encode()
    with pytest.raises(
        ba.FormatError, match=r"with the fields email, (index, )?status, .*\"recipient\": 'email'"
    ):
        ba.load(content)
    found = ba.read_table(content, {"recipient": "email", "enhanced_code": "status"})
    assert found[["recipient", "enhanced_code"]].to_numpy().tolist() == frame.to_numpy().tolist()


def test_an_index_that_was_saved_is_no_reason_to_say_less(tmp_path: Path) -> None:
    frame = pd.DataFrame({"email": ["ann@example.com"], "status": ["5.1.1"]})
    frame.to_csv(tmp_path / "table.csv")
    frame.to_excel(tmp_path / "table.xlsx")
    for path in tmp_path.iterdir():
        with pytest.raises(
            ba.FormatError, match=r"table with the columns email, status, .*\"recipient\": 'email'"
        ):
            ba.load(path)


def test_codes_in_a_cell_are_read_or_told_of() -> None:
    item = {
        "event": "failed",
        "recipient": "ann@example.com",
        "timestamp": 1773130520.25,
        "log-level": "error",
    }
    nested = item | {"delivery-status": {"code": 550, "message": "5.1.1 nobody"}}
    load = ba.load(pd.DataFrame([nested]).to_csv().encode())
    assert load.events["enhanced_code"].eq("5.1.1").all() or "delivery-status" in load.files["note"][0]

"""`classify` on the command line takes tables of what verdicts depend on, as warehouses give them."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

import bounceanalytics as ba
from bounceanalytics import schema
from bounceanalytics.cli import main
from bounceanalytics.loading import verdict_inputs
from tests.cli.test_cli import run, sentence

INPUTS = list(schema.VERDICT_INPUTS.names)
VERDICTS = list(schema.VERDICT_COLUMNS.names)
PLAIN = {"conflict": pa.bool_(), "confidence": pa.float64()}


@pytest.fixture
def distinct(frames: dict[str, Any]) -> pd.DataFrame:
    """Return the distinct rows, as words and numbers of no special type, with a key and how often each comes."""
    events = frames["events"][INPUTS].astype({"event": "str", "provider": "str"})
    rows = events.groupby(INPUTS, dropna=False, sort=False).size().rename("events").reset_index()
    return rows.assign(verdict_key=[f"key {number}" for number in range(len(rows))])


def verdicts(distinct: pd.DataFrame) -> pd.DataFrame:
    return ba.classify(distinct)[VERDICTS].astype(dict.fromkeys(set(VERDICTS) - set(PLAIN), object))


def texts(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame in which words are words, however they are kept."""
    return frame.astype(dict.fromkeys(set(VERDICTS) - set(PLAIN), object))


def test_rows_come_back_as_they_were_and_in_their_order_with_plain_verdicts(
    distinct: pd.DataFrame, tmp_path: Path
) -> None:
    given = pa.Table.from_pandas(distinct, preserve_index=False).replace_schema_metadata(None)
    pq.write_table(given, tmp_path / "distinct.parquet")
    done = run("classify", tmp_path / "distinct.parquet", "--out", tmp_path / "verdicts.parquet")
    assert done.exit_code == 0, done.output
    assert f"{len(distinct):,} rows classified" in done.output
    found = pq.read_table(tmp_path / "verdicts.parquet")
    assert found.column_names == [*distinct.columns, *VERDICTS]
    assert found.schema.metadata is None
    assert [found.schema.field(name).type for name in VERDICTS] == [
        PLAIN.get(name, pa.string()) for name in VERDICTS
    ]
    for name in distinct.columns:
        assert found.column(name).to_pylist() == given.column(name).to_pylist()
    pd.testing.assert_frame_equal(
        texts(found.select(VERDICTS).to_pandas()), verdicts(distinct), check_dtype=False
    )


def _codes(kind: pa.DataType) -> Callable[[pa.Table], pa.Table]:
    def cast(table: pa.Table) -> pa.Table:
        place = table.column_names.index("reply_code")
        return table.set_column(place, "reply_code", table.column("reply_code").cast(kind))

    return cast


@pytest.mark.parametrize(
    "told",
    [
        lambda table: table.select(table.column_names[::-1]),
        lambda table: table.rename_columns([name.upper() for name in table.column_names]),
        _codes(pa.int64()),
        _codes(pa.float64()),
        _codes(pa.string()),
        _codes(pa.decimal128(38, 0)),
        lambda table: table.set_column(1, "event", table.column("event").dictionary_encode()),
        lambda table: table.append_column("REASON", pa.nulls(len(table))),
    ],
    ids=["order", "capitals", "int64", "float64", "text", "decimal", "dictionary", "classified before"],
)
def test_columns_come_as_warehouses_give_them(
    told: Callable[[pa.Table], pa.Table], distinct: pd.DataFrame, tmp_path: Path
) -> None:
    pq.write_table(told(pa.Table.from_pandas(distinct, preserve_index=False)), tmp_path / "distinct.parquet")
    done = run("classify", tmp_path / "distinct.parquet", "--out", tmp_path / "verdicts.parquet")
    assert done.exit_code == 0, done.output
    found = pq.read_table(tmp_path / "verdicts.parquet").select(VERDICTS).to_pandas()
    pd.testing.assert_frame_equal(texts(found), verdicts(distinct), check_dtype=False)


@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".tsv"])
def test_csv_is_taken_and_written(ending: str, distinct: pd.DataFrame, tmp_path: Path) -> None:
    source, target = tmp_path / f"distinct{ending}", tmp_path / "verdicts.csv.gz"
    distinct.loc[0, "diagnostic"] = 'two\nlines, "quoted"'
    distinct.to_csv(source, index=False, sep="\t" if ending == ".tsv" else ",")
    done = run("classify", source, "--out", target)
    assert done.exit_code == 0, done.output
    found = pd.read_csv(target)
    assert found["verdict_key"].tolist() == distinct["verdict_key"].tolist()
    assert found["diagnostic"].iloc[0] == distinct["diagnostic"].iloc[0]
    pd.testing.assert_frame_equal(texts(found[VERDICTS]), verdicts(distinct), check_dtype=False)


def test_files_of_one_export_are_one_table_read_in_pieces(
    distinct: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verdict_inputs, "ROWS", 7)
    folder = tmp_path / "distinct"
    folder.mkdir()
    (folder / "_SUCCESS").touch()
    half = len(distinct) // 2
    for name, part in (("data_0_0_0", distinct[:half]), ("data_0_1_0", distinct[half:])):
        part.to_parquet(folder / f"{name}.snappy.parquet", index=False)
    done = run("classify", folder, "--out", tmp_path / "verdicts.parquet")
    assert done.exit_code == 0, done.output
    found = pd.read_parquet(tmp_path / "verdicts.parquet")
    assert found["verdict_key"].tolist() == distinct["verdict_key"].tolist()
    pd.testing.assert_frame_equal(texts(found[VERDICTS]), verdicts(distinct), check_dtype=False)
    (folder / "data_0_2_0.snappy.parquet").write_bytes((tmp_path / "verdicts.parquet").read_bytes())
    assert "has not the columns of data_0_0_0" in sentence(run("classify", folder))


def test_a_table_may_come_through_a_pipe_and_so_may_exports(distinct: pd.DataFrame, few: Path) -> None:
    given = distinct.to_csv(index=False).encode()
    done = CliRunner().invoke(main, ["classify", "-"], input=given)
    assert f"{len(distinct):,} rows classified" in done.output, done.output
    export = gzip.compress((few / "suppression_blocks.csv").read_bytes())
    done = CliRunner().invoke(main, ["classify", "-", "--provider", "sendgrid"], input=export)
    assert done.exit_code == 0, done.output
    assert "Why mail did not arrive" in done.output


def test_a_folder_at_a_url_is_fetched_whatever_its_files_are_called(distinct: pd.DataFrame) -> None:
    fsspec = pytest.importorskip("fsspec")
    store = fsspec.filesystem("memory")
    half = len(distinct) // 2
    for name, part in (("20261130_0_a", distinct[:half]), ("20261130_1_b", distinct[half:])):
        store.pipe(f"/bucket/distinct/{name}", part.to_parquet(index=False))
    try:
        done = run("classify", "memory://bucket/distinct/")
    finally:
        store.rm("/bucket", recursive=True)
    assert f"{len(distinct):,} rows classified" in done.output, done.output


def test_rules_of_ones_own_are_asked(distinct: pd.DataFrame, tmp_path: Path) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text(
        '[[rule]]\nid = "own-zebra"\npattern = "zebra"\nreason = "spam"\nexample = "550 a zebra"\n'
    )
    distinct.loc[0, ["event", "diagnostic"]] = ["bounced", "550 a zebra"]
    distinct.to_parquet(tmp_path / "distinct.parquet")
    done = run(
        "classify", tmp_path / "distinct.parquet", "--rules", rules, "--out", tmp_path / "verdicts.parquet"
    )
    assert done.exit_code == 0, done.output
    assert pd.read_parquet(tmp_path / "verdicts.parquet")["rule"].iloc[0] == "own-zebra"


def test_a_table_without_rows_gives_one(distinct: pd.DataFrame, tmp_path: Path) -> None:
    for source, write in (("none.parquet", pd.DataFrame.to_parquet), ("none.csv", pd.DataFrame.to_csv)):
        write(distinct.head(0), tmp_path / source, index=False)
        target = tmp_path / f"verdicts_{source}"
        done = run("classify", tmp_path / source, "--out", target)
        assert done.exit_code == 0, done.output
        assert "0 rows classified" in done.output
        read = pd.read_parquet if source.endswith("parquet") else pd.read_csv
        assert read(target).columns.tolist() == [*distinct.columns, *VERDICTS]


def _damaged(distinct: pd.DataFrame) -> bytes:
    written = io.BytesIO()
    distinct.to_parquet(written, index=False)
    content = written.getvalue()
    return content[:200] + b"\x00" * 400 + content[600:]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda rows: rows.drop(columns=["remote_host", "domain"]), "lacks the columns domain, remote_host"),
        (lambda rows: rows.assign(event="bounce"), "rows whose event is none of accepted, delivered"),
        (lambda rows: rows.assign(provider=None), "rows whose provider is none of sendgrid"),
        (lambda rows: rows.assign(EVENT="bounced"), "has the columns event twice"),
        (_damaged, "is damaged; export it again"),
    ],
    ids=["columns", "event", "provider", "twice", "damaged"],
)
def test_what_is_wrong_with_a_table_is_one_sentence(
    change: Callable[[pd.DataFrame], Any], told: str, distinct: pd.DataFrame, tmp_path: Path
) -> None:
    changed, source = change(distinct), tmp_path / "distinct.parquet"
    if isinstance(changed, bytes):
        source.write_bytes(changed)
    else:
        changed.to_parquet(source, index=False)
    assert told in sentence(run("classify", source, "--out", tmp_path / "verdicts.parquet"))
    assert not (tmp_path / "verdicts.parquet").exists()


def test_nothing_is_written_over_and_no_esp_is_chosen(distinct: pd.DataFrame, tmp_path: Path) -> None:
    source, target = tmp_path / "distinct.parquet", tmp_path / "verdicts.parquet"
    distinct.to_parquet(source, index=False)
    target.write_text("mine")
    assert "--overwrite" in sentence(run("classify", source, "--out", target))
    assert target.read_text() == "mine"
    assert "let it end in" in sentence(run("classify", source, "--out", tmp_path / "verdicts.xlsx"))
    assert "row by row" in sentence(run("classify", source, "--provider", "ses"))


def test_a_table_of_events_is_an_export_still(frames: dict[str, Any], tmp_path: Path) -> None:
    frames["events"].to_parquet(tmp_path / "events.parquet")
    done = run("classify", tmp_path / "events.parquet")
    assert done.exit_code == 0, done.output
    assert "Why mail did not arrive" in done.output


@pytest.mark.parametrize("write", [pd.DataFrame.to_parquet, pd.DataFrame.to_csv], ids=["Parquet", "CSV"])
def test_other_verbs_say_whose_such_a_table_is(
    write: Callable[..., None], distinct: pd.DataFrame, tmp_path: Path
) -> None:
    write(distinct, tmp_path / "distinct", index=False)
    told = sentence(run("load", tmp_path / "distinct"))
    assert "a table of what verdicts depend on" in told
    assert "bounceanalytics classify" in told

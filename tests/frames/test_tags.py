"""Tags: one text that survives every file and every frame, whatever the tags hold."""

from __future__ import annotations

import copy
import io
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

import bounceanalytics as ba
from bounceanalytics import schema
from tests.classified import classified
from tests.effort import examples

TAGS = st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=4)


@given(st.lists(TAGS, max_size=6))
@examples(100)
def test_tags_come_back_whatever_is_in_them(rows: list[list[str]]) -> None:
    texts = schema.join_tags(rows).to_pandas()
    assert schema.split_tags(texts).tolist() == rows
    cells = schema.as_tags(texts.astype(schema.STRING)).dropna()
    assert [cell.tolist() for cell in cells] == [tags for tags in rows if tags]
    file = io.StringIO()
    texts.to_frame("tags").to_csv(file)
    file.seek(0)
    again = pd.read_csv(file, dtype="str", keep_default_na=False)["tags"]
    assert schema.split_tags(again).tolist() == rows


@pytest.mark.parametrize(
    ("value", "tags"),
    [
        ('["a","b"]', ["a", "b"]),
        ("spring", ["spring"]),
        ("[draft", ["[draft"]),
        (None, []),
        ("", []),
        ("[]", []),
    ],
)
def test_any_other_text_is_one_tag(value: str | None, tags: list[str]) -> None:
    assert schema.split_tags(pd.Series([value], dtype=schema.STRING)).tolist() == [tags]
    frame = classified([{"recipient": "ann@example.com"}]).assign(
        tags=pd.Series([value], dtype=schema.STRING)
    )
    assert sorted(ba.summarize_tags(frame)["tag"]) == (tags or ["(none)"])


def test_lists_split_to_themselves() -> None:
    lists = pd.Series([["a"], None], index=[5, 5], dtype=object)
    assert schema.split_tags(lists).tolist() == [["a"], []]
    assert schema.split_tags(lists).index.tolist() == [5, 5]


def test_frames_with_lists_of_earlier_versions_are_summed_up() -> None:
    rows = [
        {"recipient": f"ann{n}@example.com", "tags": tags} for n, tags in enumerate([["a", "b"], ["a"], []])
    ]
    frame = classified(rows)
    former = pd.ArrowDtype(pa.list_(pa.string()))
    lists = pd.Series(schema.split_tags(frame["tags"]).tolist(), dtype=former)
    pd.testing.assert_frame_equal(ba.summarize_tags(frame.assign(tags=lists)), ba.summarize_tags(frame))


def test_a_dataset_of_an_earlier_version_is_read_and_added_to(tmp_path: Path, samples: Path) -> None:
    first, second = sorted((samples / "exports" / "mailgun").glob("*.json"))[:2]
    dataset = ba.convert(first, tmp_path / "former")
    for part in dataset.parts:  # as it was written when tags were lists
        table = pa.parquet.read_table(part, partitioning=None)
        place = table.column_names.index("tags")
        lists = pa.array(ba.split_tags(table["tags"].to_pandas()).tolist(), pa.list_(pa.string()))
        pa.parquet.write_table(table.set_column(place, "tags", lists), part)
    pd.testing.assert_frame_equal(dataset.to_pandas(), ba.convert(first, tmp_path / "new").to_pandas())
    both = ba.convert([first, second], tmp_path / "former")
    pd.testing.assert_frame_equal(
        both.to_pandas(), ba.convert([first, second], tmp_path / "both").to_pandas()
    )
    assert ba.summarize_tags(ba.classify(both)).equals(ba.summarize_tags(ba.classify(both.to_pandas())))


def test_what_people_do_with_frames_works(bounces: pd.DataFrame) -> None:
    assert len(bounces.drop_duplicates()) == len(bounces)
    assert bounces.nunique()["tags"] == bounces["tags"].dropna().nunique()


CELLS: dict[str, Callable[[pd.DataFrame], object]] = {
    "loc": lambda frame: frame["tags"].loc[frame.index[0]],
    "iloc": lambda frame: frame["tags"].iloc[-1],
    "both": lambda frame: frame.loc[frame.index[0], "tags"],
    "row": lambda frame: frame.iloc[0]["tags"],
    "iter": lambda frame: next(iter(frame["tags"])),
    "tolist": lambda frame: frame["tags"].tolist()[0],
    "to_numpy": lambda frame: frame["tags"].to_numpy()[0],
    "records": lambda frame: frame.to_dict("records")[0]["tags"],
    "itertuples": lambda frame: next(frame.itertuples()).tags,
    "iterrows": lambda frame: next(frame.iterrows())[1]["tags"],
    "map": lambda frame: frame["tags"].map(lambda cell: cell).iloc[0],
    "apply": lambda frame: frame.apply(lambda row: [row["tags"]], axis=1).iloc[0][0],
    "object": lambda frame: frame["tags"].astype(object).iloc[0],
    "unique": lambda frame: frame["tags"].unique()[0],
    "value_counts": lambda frame: frame["tags"].value_counts().index[0],
    "groups": lambda frame: next(iter(frame.groupby("tags")))[0],
    "index": lambda frame: frame.set_index("tags").index[0],
    "drop_duplicates": lambda frame: frame.drop_duplicates()["tags"].iloc[0],
    "sort_values": lambda frame: frame.sort_values("tags")["tags"].iloc[0],
    "concat": lambda frame: pd.concat([frame, frame])["tags"].iloc[-1],
    "reindex": lambda frame: frame.reindex([*frame.index, -1])["tags"].iloc[0],
    "merge": lambda frame: frame.merge(frame, on=["source", "record"], suffixes=("", "_"))["tags"].iloc[0],
    "astype": lambda frame: frame.astype({"tags": schema.STRING})["tags"].iloc[0],
    "copied": lambda frame: copy.deepcopy(frame)["tags"].iloc[0],
    "pickled": lambda frame: pickle.loads(pickle.dumps(frame))["tags"].iloc[0],  # noqa: S301 - our own
    "classified": lambda frame: ba.classify(frame)["tags"].iloc[0],
    "polars": lambda frame: ba.classify(pl.from_pandas(frame))["tags"].iloc[0],
    "arrow": lambda frame: ba.classify(pa.Table.from_pandas(frame))["tags"].iloc[0],
}


@pytest.fixture(scope="module")
def tagged(samples: Path) -> pd.DataFrame:
    events = ba.load(samples / "exports" / "mailgun").events
    return events[events["tags"].notna()].iloc[:50]


@pytest.mark.parametrize("way", CELLS)
def test_a_cell_knows_its_list_however_it_is_taken(way: str, tagged: pd.DataFrame) -> None:
    cell = CELLS[way](tagged)
    assert isinstance(cell, schema.Tags)
    assert cell.tolist() == schema.split_tags(pd.Series([str(cell)]))[0]
    assert cell in set(tagged["tags"].to_list())


def test_a_cell_is_its_text() -> None:
    cell = schema.Tags('["a","b"]')
    assert cell == '["a","b"]'
    assert {cell: 1}['["a","b"]'] == 1
    assert repr(cell) == repr('["a","b"]')
    cell.tolist().append("c")
    assert cell.tolist() == ["a", "b"]
    for again in (pickle.loads(pickle.dumps(cell)), copy.copy(cell), copy.deepcopy(cell)):  # noqa: S301 - our own
        assert (type(again), again) == (schema.Tags, cell)
    with pytest.raises(AttributeError):
        cell.more = "c"  # type: ignore[attr-defined]


def test_no_tags_are_a_missing_cell_and_alike_cells_are_one_object() -> None:
    texts = pd.Series(['["a"]', None, '["b"]', '["a"]'], index=[3, 1, 1, 2], name="tags", dtype=schema.STRING)
    column = schema.as_tags(texts)
    pd.testing.assert_series_equal(column, texts)
    first, missing, _, last = column.tolist()
    assert first is last
    assert np.isnan(missing)
    assert np.isnan(column.iloc[1])
    assert column.to_numpy(na_value="").tolist() == ['["a"]', "", '["b"]', '["a"]']
    assert column.iloc[:0].tolist() == column[column == "x"].tolist() == column.iloc[[]].tolist() == []
    assert column.iloc[1:2].tolist() == [np.nan]


def test_the_column_is_one_of_texts_to_pandas_and_to_files(tagged: pd.DataFrame, tmp_path: Path) -> None:
    texts = tagged["tags"].astype("string").astype(schema.STRING)
    assert not isinstance(texts.iloc[0], schema.Tags)
    pd.testing.assert_series_equal(tagged["tags"], texts)
    assert pa.Table.from_pandas(tagged).schema.field("tags").type == schema.ARROW_STRING
    assert (tagged["tags"] == tagged["tags"].iloc[0]).equals(texts == texts.iloc[0])
    assert tagged["tags"].isin([tagged["tags"].iloc[0]]).any()
    assert tagged["tags"].str.startswith("[").all()
    for form in ("parquet", "feather", "csv"):
        path = tmp_path / f"tagged.{form}"
        getattr(tagged.reset_index(drop=True), f"to_{form}")(path)
        assert getattr(pd, f"read_{form}")(path)["tags"].tolist() == texts.tolist()
        cells = ba.load(path).events["tags"]
        assert all(isinstance(cell, schema.Tags) for cell in cells)
        assert cells.tolist() == texts.tolist()


def test_columns_without_tags_and_frames_without_rows_are_of_the_same_kind() -> None:
    empty = schema.EVENT_COLUMNS.empty()["tags"]
    filled = pd.concat([empty, pd.Series(['["a"]'], dtype=schema.STRING)])
    assert filled.iloc[0].tolist() == ["a"]
    nothing = classified([{"recipient": "ann@example.com"}])
    assert nothing["tags"].isna().all()

"""Tags: one text that survives every file and every frame, whatever the tags hold."""

from __future__ import annotations

import io
from pathlib import Path

import pandas as pd
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

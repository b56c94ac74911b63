"""What is known of the columns of a frame: of one of ours by its columns, of any other by their names."""

from __future__ import annotations

import pandas as pd
import pytest

from bounceanalytics import schema
from bounceanalytics.schema import STORM_COLUMNS, SUMMARIES, TABLES, Table, columns_of


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_public_frame_is_known_by_its_columns(table: Table) -> None:
    assert list(columns_of(table.empty()).values()) == list(table)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_column_says_what_it_means_in_plain_words(table: Table) -> None:
    assert len(set(table.names)) == len(table.names)
    for column in table:
        assert column.meaning
        assert "`" not in column.meaning, "cells of Excel and tips on the screen show it as it is"
        assert not column.share or column.kind == "float64"


def test_some_columns_of_a_frame_mean_what_they_mean_in_it() -> None:
    chosen = STORM_COLUMNS.empty()[["kind", "usual_share"]]
    assert list(columns_of(chosen).values()) == [STORM_COLUMNS["kind"], STORM_COLUMNS["usual_share"]]


def test_what_is_made_of_a_summary_is_known_by_its_names() -> None:
    other = SUMMARIES["domains"].empty()[["domain", "hard_rate"]].assign(mine=1)
    assert columns_of(other) == {name: SUMMARIES["domains"][name] for name in ("domain", "hard_rate")}
    assert columns_of(pd.DataFrame({("a", "b"): [1], 7: [2]})) == {}


def test_a_name_of_several_meanings_has_that_of_its_own_frame() -> None:
    kinds = {schema.SUMMARIES["changes"]["kind"], schema.INCIDENT_COLUMNS["kind"], STORM_COLUMNS["kind"]}
    assert len({column.meaning for column in kinds}) == 3

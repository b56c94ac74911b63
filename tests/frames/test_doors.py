"""Frames of other libraries give the answers of pandas frames; whoever passes the wrong thing is told what to do."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import bounceanalytics as ba
from bounceanalytics import charts, schema
from bounceanalytics.schema import cures
from tests.effort import some_quick
from tests.takers import TAKERS, Taker, told_of


def relation(frame: pd.DataFrame) -> duckdb.DuckDBPyRelation:
    return duckdb.from_arrow(pa.Table.from_pandas(frame, preserve_index=False))


FORMS: dict[str, Callable[[pd.DataFrame], Any]] = {
    "polars": pl.from_pandas,
    "lazy polars": lambda frame: pl.from_pandas(frame).lazy(),
    "Arrow": pa.Table.from_pandas,
    "DuckDB": relation,
}


@pytest.mark.parametrize("form", FORMS)
def test_events_of_other_libraries_become_the_event_frame(form: str, frames: dict[str, Any]) -> None:
    pd.testing.assert_frame_equal(ba.classify(FORMS[form](frames["events"])), frames["bounces"])


@pytest.mark.parametrize("taker", some_quick(TAKERS, 2, first=1))
def test_every_public_function_takes_frames_of_polars(taker: Taker, frames: dict[str, Any]) -> None:
    found = taker.ask(pl.from_pandas(frames[taker.takes]), frames)
    if taker.name in {"report", "table"}:  # texts of which a part is the number of this run
        assert found
        return
    wanted = told_of(taker, frames)
    for one, other in (
        zip(wanted, found, strict=True) if isinstance(wanted, tuple | list) else [(wanted, found)]
    ):
        if isinstance(one, pd.DataFrame):
            pd.testing.assert_frame_equal(other, one)
        else:
            assert other == one


@pytest.mark.parametrize("form", FORMS)
def test_lists_of_tags_become_texts(form: str) -> None:
    events = schema.EVENT_COLUMNS.frame(
        pd.DataFrame([dict.fromkeys(schema.EVENT_COLUMNS.names) | {"suspect": False, "record": 1}])
    )
    lists = pa.Table.from_pandas(events).drop_columns("tags").append_column("tags", pa.array([["a", "b,c"]]))
    other = {"polars": pl.from_arrow, "Arrow": lambda table: table, "DuckDB": duckdb.from_arrow}.get(form)
    given = other(lists) if other else pl.from_arrow(lists).lazy()  # type: ignore[union-attr,operator]
    assert ba.classify(given)["tags"].tolist() == ['["a","b,c"]']


def test_other_libraries_are_needed_only_by_those_who_use_them() -> None:
    program = (
        "import sys; sys.modules['polars'] = None\nimport pyarrow as pa, bounceanalytics as ba\n"
        "assert 'narwhals' not in sys.modules\n"
        "events = ba.load(ba.samples() / 'exports' / 'mailgun' / 'events_week_01_page_2.json').events\n"
        "bounces = ba.classify(events)\nassert 'narwhals' not in sys.modules\n"
        "assert ba.classify(pa.Table.from_pandas(events)).equals(bounces)\n"
        "import duckdb; assert ba.classify(duckdb.sql('SELECT * FROM events')).shape == bounces.shape"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


# what to do instead

DRAWN = [kind for kind in cures.KINDS if kind.chart]


def said(ask: Callable[[], object]) -> str:
    with pytest.raises(ba.FrameError) as told:
        ask()
    return str(told.value)


@pytest.mark.parametrize("table", schema.TABLES, ids=lambda table: table.name)
def test_a_frame_of_ours_is_known_by_its_columns(table: schema.Table) -> None:
    kind = cures.kind_of(table.names)
    if table.name in {one.name for one in cures.KINDS} and table is not schema.VERDICT_COLUMNS:
        assert kind is not None
        assert kind.name == table.name


@pytest.mark.parametrize("kind", cures.KINDS, ids=lambda kind: kind.name)
def test_what_makes_a_frame_is_there(kind: cures.Kind) -> None:
    where, _, name = kind.maker.partition("(")[0].rpartition(".")
    assert hasattr({"ba": ba, "load": ba.Load}[where] if where == "ba" else ba.load(b"[]"), name)
    assert not kind.chart or hasattr(charts, kind.chart)


@pytest.mark.parametrize("kind", DRAWN, ids=lambda kind: kind.chart)
def test_a_chart_says_what_it_draws(kind: cures.Kind, frames: dict[str, Any]) -> None:
    draw = getattr(charts, kind.chart)
    for given in (frames["bounces"], frames["summarize_days" if kind.chart != "days" else "summarize_tags"]):
        assert kind.maker in said(lambda given=given: draw(given))


def of(name: str) -> Callable[[dict[str, Any]], Any]:
    return lambda frames: frames[name]


def sample(_: object) -> ba.Load:
    return ba.load(
        b'{"email": "a@example.com", "event": "bounce", "timestamp": 1718093404, "sg_event_id": "x"}'
    )


@pytest.mark.parametrize(
    ("ask", "given", "cure"),
    [
        (ba.classify, sample, "take load.events"),
        (ba.classify, of("verdicts"), "this is a frame of verdicts: pass load.events"),
        (ba.classify, lambda _: "exports/", r"call ba.load(…).events"),
        (ba.classify, lambda _: pd.DataFrame({"email": ["x"]}), "ba.read_table(frame, mapping)"),
        (ba.classify, lambda _: [{"email": "x"}], "ba.load(source).events is one"),
        (ba.decide, sample, "call ba.classify(load.events) first"),
        (ba.decide, of("events"), "this is an event frame: call ba.classify(events) first"),
        (ba.decide, lambda _: Path("exports"), "call ba.classify(ba.load(…).events) first"),
        (ba.report, of("events"), "call ba.classify(events) first"),
        (ba.conflicts, of("events"), "call ba.classify(events) first"),
        (
            ba.summarize_domains,
            of("verdicts"),
            "this is a frame of verdicts: pass ba.classify(events) itself",
        ),
        (ba.summarize_domains, lambda frames: ba.summarize(frames["bounces"]), "the classified frame"),
        (ba.storms, lambda frames: frames["bounces"]["domain"], "pass the whole frame"),
        (ba.in_storm, of("events"), "call ba.classify(events) first"),
        (ba.clean, of("events"), "call ba.classify(events) first"),
        (ba.clean, sample, "call ba.classify(load.events) first"),
        (ba.export_suppressions, of("bounces"), "call ba.decide(bounces) first"),
        (ba.export_suppressions, of("events"), "call ba.decide(ba.classify(events)) first"),
        (ba.Ledger.update, of("bounces"), "call ba.decide(bounces) first"),
        (charts.domains, of("bounces"), "charts.domains draws ba.summarize_domains(bounces)"),
        (charts.domains, lambda frames: ba.summarize(frames["bounces"]), "take summaries.domains"),
        (charts.domains, of("summarize_reasons"), "and charts.reasons what you have"),
        (charts.storms, of("events"), "charts.storms draws ba.storms(bounces)"),
    ],
)
def test_an_error_names_the_cure(
    ask: Callable[..., object],
    given: Callable[[dict[str, Any]], Any],
    cure: str,
    frames: dict[str, Any],
    tmp_path: Path,
) -> None:
    frame = given(frames)
    calls = {
        ba.report: lambda: ba.report(frame, tmp_path / "report.html"),
        ba.in_storm: lambda: ba.in_storm(frame, frames["storms"]),
        ba.clean: lambda: ba.clean(b"email\nann@example.com\n", frame, tmp_path / "cleaned"),
        ba.export_suppressions: lambda: ba.export_suppressions(frame, "plain", tmp_path / "plain.csv"),
        ba.Ledger.update: lambda: ba.Ledger(tmp_path / "ours.ledger").update(frame),
    }
    told = said(calls.get(ask, lambda: ask(frame)))
    assert cure in told
    assert "\n" not in told
